"""What each switch of the published preset is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from renp_infer.errors import ConvergenceError
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.physics.targets.matrix_elements import missing_printed
from renp_infer.records import PRESETS
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import reached
from renp_infer.verbs.forecast.parts import variants
from renp_infer.verbs.forecast.quantities import Correction

UNKNOWN = Correction(*[np.nan] * 5)
"""What has no number."""


def correction(bench: Bench, variant: str) -> Correction[float]:
    """Headline figures with some switches of the published preset corrected.

    The noise is absolute: scaled noise would hide what most switches change. NaN
    where the target prints no number that a switch needs, and where no response is good
    enough for the signal-to-noise that there would be.
    """
    switches = replace(PRESETS["published"], **variants()[variant])
    if any(missing_printed(target, switches) for target in bench.targets):
        return UNKNOWN
    own, other = bench.study.parameters, bench.corrected(switches)
    try:
        noise, model = other.noise, other.hypothesis(own.ordering, own.nature)
    except ConvergenceError:
        return UNKNOWN
    field = model.field(own)
    likelihood = other.likelihood(model, other.data(field), model, own)
    expanded = other.by_exposure(likelihood, model.vector(own))

    def significance(exposure_s: float) -> float:
        return EV_TO_MILLI_EV * own.m1_eV / expanded.sigma(exposure_s)

    return Correction(
        peak_nG=float(np.max(np.abs(field))),
        sigma_nG=float(np.sqrt(other.covariance[0, 0])),
        sigma_m1_meV=expanded.sigma(noise.exposure_s),
        exposure_3sigma_s=reached(significance, 3.0, noise),
        exposure_5sigma_s=reached(significance, 5.0, noise),
    )
