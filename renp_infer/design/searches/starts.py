"""Where a search begins: layouts that physics suggests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from renp_infer.design.searches.brightest import brightest_lasers
from renp_infer.design.searches.optimizer import is_new
from renp_infer.design.spaces.region import Region
from renp_infer.design.spaces.space import Space, threshold_deg
from renp_infer.errors import ConfigError, DomainError, NonFiniteError
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.neutrinos import masses
from renp_infer.physics.pairs.kinematics import (
    beams_of,
    on_circle,
    phase_matched,
    threshold_angles,
)
from renp_infer.records import PAIR_INDEX, PAIRS, Experiment, FloatArray

_HEAVIEST = PAIRS[-1]
THETA_E = "layout.theta_e_deg"
_COARSE, _AROUND, _FINE = 24, 72, 360
"""Directions around the circle: of the second laser and of the trigger at which a signal, and of
the second laser at which thresholds are looked at."""
_MOST, _ALIKE = 8, 1e-6
"""Starts by change, and relative difference of mirror images."""


@dataclass(frozen=True)
class Seen:
    """Signals around the circle for one direction of the second laser.

    Attributes
    ----------
    theta_e : float
        rad.
    massless, own : ndarray, shape (n,)
        With m1 = 0, and with the study's own, nG.
    """

    theta_e: float
    massless: FloatArray
    own: FloatArray


def starts(region: Region, experiment: Experiment, own: Mapping[str, Any]) -> list[FloatArray]:
    """Allowed points (d,) that a search tries first.

    Windows around the phase-matched angle, at the upper edge, at the lower edge and,
    where there are two windows, at both edges; windows that are tied to a threshold
    stand on it. On a circle, a window at the largest signal of a massless lightest
    neutrino, too. Where the second laser's direction varies, all of this also for the
    phase-matched one, for that whose thresholds are spread widest, and for that of the
    largest such signal; and, with one window, for each of some directions around the circle the
    trigger angle where m1 changes the signal most, best first. All else is the study's own,
    or where that is not in the range, the nearest. Last come the settings of lasers that vary of
    the largest signal-to-noise, if it is more than the study's own.

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
    for values in _suggested(space, experiment):
        x = space.snapped(space.point(dict(own) | values))
        if region.admits(x) and is_new(x, found):
            found.append(x)
    return found + [x for x in brightest_lasers(region, own) if is_new(x, found)]


def _suggested(space: Space, experiment: Experiment) -> Iterator[dict[str, float]]:
    """Values of each start."""
    around = look_around(space) if THETA_E in space.names else ()
    for turned, at in _directions(space, experiment, around):
        for centres in _centres(space, at):
            yield turned | centres
    if len(space.windows) == 1:
        name = f"{space.windows[0].name}.centre_deg"
        for theta_e, theta_s in most_changed(around):
            yield {THETA_E: theta_e, name: theta_s}


def _directions(
    space: Space, experiment: Experiment, around: Sequence[Seen]
) -> Iterator[tuple[dict[str, float], Experiment]]:
    """Directions of the second laser that a start has: the study's own, and others.

    One at which no pair opens at the study's own angles makes no study, and is left out.
    """
    yield {}, experiment
    if not around:
        return
    found = [widest_thresholds(space, experiment), brightest(around)]
    try:
        found.insert(0, phase_matched(experiment.target, beams_of(experiment))[1])
    except DomainError:
        pass
    for theta_e in found:
        turned = {THETA_E: float(np.rad2deg(theta_e))}
        try:
            at = space.built(turned)
        except (ConfigError, DomainError):
            continue
        yield turned, at


def _circle(count: int) -> FloatArray:
    """Directions around the circle, shape (count,), rad."""
    return np.asarray(2.0 * np.pi * (np.arange(count) - count // 2) / count)


def widest_thresholds(space: Space, experiment: Experiment) -> float:
    """Direction of the second laser, rad, where the pairs open over the widest angle.

    The larger of both sides, from the lightest pair to the heaviest, at the study's masses.
    """
    m, beams = masses(space.truth), beams_of(experiment)
    sums = np.array([m[i] + m[j] for i, j in (PAIR_INDEX[0], PAIR_INDEX[-1])])
    spans = []
    for theta_e in _circle(_FINE):
        edges = threshold_angles(sums, experiment.target, float(theta_e), beams)
        apart = [abs(float(on_circle(first - last))) for first, last in edges]
        spans.append(float(np.nanmax([0.0, *apart])))
    return float(_circle(_FINE)[int(np.argmax(spans))])


def brightest(around: Sequence[Seen]) -> float:
    """Direction of the second laser, rad, of the largest signal with m1 = 0."""
    return max(around, key=lambda seen: float(np.max(np.abs(seen.massless)))).theta_e


def most_changed(around: Sequence[Seen]) -> list[tuple[float, float]]:
    """Directions of the second laser and of the trigger, deg, where m1 changes the signal most.

    By falling change from m1 = 0 to the study's own; of mirror images, which change alike, one.
    """
    rows = []
    for seen in around:
        change = np.abs(seen.own - seen.massless)
        place = int(np.argmax(change))
        rows.append((float(change[place]), seen.theta_e, float(_circle(_AROUND)[place])))
    rows.sort(reverse=True)
    sizes = [size for size, _, _ in rows]
    kept = [row for row, before in zip(rows, [np.inf, *sizes], strict=False)
            if 0.0 < row[0] < (1.0 - _ALIKE) * before]  # fmt: skip
    return [(float(np.rad2deg(e)), float(np.rad2deg(s))) for _, e, s in kept[:_MOST]]


def look_around(space: Space) -> list[Seen]:
    """Signals for directions of the second laser around the circle, where there are any."""
    found = []
    for theta_e in _circle(_COARSE).tolist():
        try:
            at = space.built({THETA_E: float(np.rad2deg(theta_e))})
            signals = _signal(space, at, 0.0), _signal(space, at, space.truth.m1_eV)
        except (ConfigError, DomainError, NonFiniteError):
            continue
        found.append(Seen(theta_e, *signals))
    return found


def _signal(space: Space, experiment: Experiment, m1_eV: float) -> FloatArray:
    """Signal around the circle, shape (n,), nG."""
    round_about = replace(experiment.layout, theta_s=_circle(_AROUND))
    detector = replace(experiment.detector, exposure_shares=None)
    at = replace(experiment, layout=round_about, detector=detector)
    return exact_field(at, replace(space.truth, m1_eV=m1_eV), coherence(at))


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
    """Phase-matched angle and the edges of the heaviest pair, degrees; the middle for none.

    On a circle also those of the largest signal with m1 = 0, and of its largest change with m1.
    """
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
    if np.any(space.circles):
        circle, massless = np.rad2deg(_circle(_AROUND)), _signal(space, experiment, 0.0)
        change = _signal(space, experiment, space.truth.m1_eV) - massless
        places["brightest"] = float(circle[int(np.argmax(np.abs(massless)))])
        places["changed"] = float(circle[int(np.argmax(np.abs(change)))])
    return places
