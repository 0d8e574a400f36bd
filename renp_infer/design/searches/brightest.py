"""Settings of the lasers with the largest signal-to-noise, from which a search may begin.

Where nothing dephases, ions beat in the light: the signal has narrow tops along powers, delay and
cycle, which a model of some tens of utilities cannot know. A signal costs no appraisal, and more of
it never tells less.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np

from renp_infer.design.spaces.region import Region
from renp_infer.errors import RenpError
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.normalise import coherence
from renp_infer.measurement.squid import variance_nG2
from renp_infer.physics.cycle.field_cycle import bloch_cycle
from renp_infer.records import Experiment, FloatArray, Parameters

LASERS = "lasers."
LOOKS, MOST = 32, 4
"""Settings of lasers that are looked at, and starts among them."""


def brightest_lasers(region: Region, own: Mapping[str, Any]) -> list[FloatArray]:
    """Allowed points (d,) where lasers give more signal-to-noise than the study's own, most first.

    Of a Sobol sequence; all that is no setting of the lasers is the study's own.

    Parameters
    ----------
    region : Region
    own : mapping
        The study's values of the space's keys.
    """
    space = region.space
    lit = np.array([name.startswith(LASERS) for name in space.names])
    if not np.any(lit):
        return []
    centre = space.snapped(space.point(dict(own)))
    least = _signal_to_noise(region.experiment(centre), space.truth)
    found = []
    for x in islice(region.sobol(np.random.SeedSequence(0)), LOOKS):
        point = np.where(lit, x, centre)
        size = _signal_to_noise(region.experiment(point), space.truth)
        if size > least:
            found.append((size, point))
    found.sort(key=lambda row: -row[0])
    return [point for _, point in found[:MOST]]


def _signal_to_noise(experiment: Experiment | None, truth: Parameters) -> float:
    """Largest of all angles; 0 for what is no design or has no signal."""
    if experiment is None:
        return 0.0
    try:
        field = np.abs(exact_field(experiment, truth, coherence(experiment)))
        lasers, count = experiment.lasers, experiment.layout.theta_s.size
        variance = variance_nG2(experiment.detector, lasers, count, bloch_cycle(experiment))
    except RenpError:
        return 0.0
    return float(np.max(field / np.sqrt(variance)))
