"""Where a search begins: layouts that physics suggests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from renp_infer.design.region import Region
from renp_infer.design.space import Space, threshold_deg
from renp_infer.errors import DomainError
from renp_infer.physics.kinematics import beams_of, phase_matched
from renp_infer.records import PAIRS, Experiment, FloatArray

_HEAVIEST = PAIRS[-1]


def starts(region: Region, experiment: Experiment, own: Mapping[str, Any]) -> list[FloatArray]:
    """Allowed points (d,) that a search tries first.

    Windows around the phase-matched angle, at the upper edge, at the lower edge and,
    where there are two windows, at both edges; windows that are tied to a threshold
    stand on it. All else is the study's own, or where that is not in the range, the
    nearest.

    Parameters
    ----------
    region : Region
    experiment : Experiment
        The study's own.
    own : mapping
        The study's values of the space's keys.
    """
    space = region.space
    found: list[FloatArray] = []
    for centres in _centres(space, experiment):
        x = space.snapped(space.point(dict(own) | centres))
        if region.admits(x) and not any(np.array_equal(x, y) for y in found):
            found.append(x)
    return found


def _centres(space: Space, experiment: Experiment) -> list[dict[str, float]]:
    """Settings of the windows' places for each start."""
    if not space.windows:
        return [{}]
    places = _places(space, experiment)
    tied = {f"{w.name}.{key}": 0.0 for w in space.windows for key in _DISTANCES}
    if len(space.windows) == 1:
        plans: list[tuple[float, ...]] = [(place,) for place in places.values()]
    else:
        first, upper, lower = places["matched"], places["upper"], places["lower"]
        plans = [(lower, upper), (upper, first), (upper, upper), (first, first)]
    return [
        tied | {f"{w.name}.centre_deg": p for w, p in zip(space.windows, plan, strict=True)}
        for plan in plans
    ]


_DISTANCES = ("distance_deg", "distance_meV")


def _places(space: Space, experiment: Experiment) -> dict[str, float]:
    """Phase-matched angle and the edges of the heaviest pair, degrees; the middle for none."""
    try:
        matched = float(np.rad2deg(phase_matched(experiment.target, beams_of(experiment))[0]))
    except DomainError:
        matched = float(np.rad2deg(np.mean(experiment.layout.theta_s)))
    places = {"matched": matched}
    for name, upper in (("upper", True), ("lower", False)):
        try:
            places[name] = threshold_deg(experiment, space.truth, _HEAVIEST, upper=upper)
        except DomainError:
            places[name] = matched
    return places
