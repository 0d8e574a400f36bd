"""The design space: what may be chosen, as points of the unit cube and as study keys.

A point ``x`` of the cube stands for a value of each dimension; values become keys of
a study, and a study becomes an apparatus. Windows are stretches of trigger angles
that move, widen and share the exposure as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.physics.constants import EV_TO_MILLI_EV, MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import masses
from renp_infer.physics.pairs.kinematics import beams_of, threshold_angles
from renp_infer.records import PAIR_INDEX, PAIRS, Experiment, FloatArray, Parameters

Keys = dict[str, Any]
"""Study keys by dotted path, such as ``layout.length_cm``."""
TURN_DEG = 360.0
ANGLES, SHARES = "layout.theta_s_deg", "detector.exposure_shares"


@dataclass(frozen=True)
class Dimension:
    """One thing that may be chosen: a number from a range, or one of a list.

    Attributes
    ----------
    name : str
        A study key, or that of a window's setting, such as ``window1.width_deg``.
    low, high : float
        Ends of the range, in the key's unit.
    log : bool
        Whether the logarithm is uniform.
    whole : bool
        Whether the numbers are integers.
    choices : tuple
        The list; empty for a range.
    circle : bool
        Whether the range is a full turn, whose ends are the same direction.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()
    circle: bool = False

    def wrapped(self, u: float) -> float:
        """Place from 0 to 1: the same on a circle, the nearest elsewhere."""
        return float(u) % 1.0 if self.circle else min(max(float(u), 0.0), 1.0)

    def value(self, u: float) -> Any:
        """Value at a place from 0 to 1."""
        u = self.wrapped(u)
        if self.choices:
            return self.choices[min(int(u * len(self.choices)), len(self.choices) - 1)]
        number = min(max(self._number(u), self.low), self.high)
        return round(number) if self.whole else number

    def _number(self, u: float) -> float:
        if self.log:
            ends = math.log(self.low), math.log(self.high)
            return math.exp((1.0 - u) * ends[0] + u * ends[1])
        return (1.0 - u) * self.low + u * self.high

    def extended(self, u: float) -> float:
        """Number at a place beyond the range, whole numbers by one at least."""
        number = self._number(u)
        if not self.whole:
            return number
        return math.floor(number) if u < 0.0 else math.ceil(number)

    def place(self, value: Any) -> float:
        """Place from 0 to 1 of a value; of the nearest that there is."""
        if self.choices:
            known = self.choices.index(value) if value in self.choices else 0
            return (known + 0.5) / len(self.choices)
        if self.circle:
            return (float(value) - self.low) / (self.high - self.low) % 1.0
        low, high, number = self.low, self.high, min(max(float(value), self.low), self.high)
        if self.log:
            low, high, number = math.log(low), math.log(high), math.log(number)
        return (number - low) / (high - low)

    def snapped(self, u: float) -> float:
        """Place that stands for all places of the same value."""
        u = self.wrapped(u)
        return self.place(self.value(u)) if self.choices or self.whole else u

    def holds(self, value: Any) -> bool:
        """Whether a value can be chosen."""
        if self.choices:
            return value in self.choices
        number = isinstance(value, int | float)
        return number and (self.circle or self.low <= value <= self.high)

    @property
    def places(self) -> list[float]:
        """Places of all values, where it has a number of them."""
        if self.choices:
            return [self.place(choice) for choice in self.choices]
        numbers = range(math.ceil(self.low), math.floor(self.high) + 1)
        return [self.place(number) for number in numbers]

    @property
    def free(self) -> bool:
        """Whether it is a continuous range."""
        return not (self.choices or self.whole)


@dataclass(frozen=True)
class Window:
    """A stretch of equidistant trigger angles.

    Its settings are ``centre_deg``, or ``distance_deg`` from the pair's threshold, or
    ``distance_meV`` (the threshold for m1 larger by that much); ``width_deg`` from
    first to last angle; ``points``; and ``share`` of the exposure.

    Attributes
    ----------
    name : str
        What the names of its dimensions start with.
    fixed : mapping
        Settings that do not vary.
    pair : str
        Pair of the threshold that it is tied to, of ``PAIRS``; empty for none.
    upper : bool
        Whether it is the threshold at the larger angle.
    """

    name: str
    fixed: Mapping[str, float] = field(default_factory=dict)
    pair: str = ""
    upper: bool = True

    def settings(self, values: Mapping[str, Any]) -> dict[str, float]:
        """Settings with those that vary."""
        own = {k.partition(".")[2]: v for k, v in values.items() if k.startswith(self.name + ".")}
        return dict(self.fixed) | own

    def centre_deg(
        self, settings: Mapping[str, float], experiment: Experiment, truth: Parameters
    ) -> float:
        """Middle of the window.

        Raises
        ------
        DomainError
            If the pair has no such threshold.
        """
        if not self.pair:
            return settings["centre_deg"]
        shift = settings.get("distance_meV", 0.0)
        edge = threshold_deg(experiment, truth, self.pair, upper=self.upper, shift_meV=shift)
        return edge + settings.get("distance_deg", 0.0)

    def angles_deg(
        self, settings: Mapping[str, float], experiment: Experiment, truth: Parameters
    ) -> FloatArray:
        """Angles, shape (points,)."""
        half = 0.5 * settings["width_deg"] if settings["points"] > 1 else 0.0
        centre = self.centre_deg(settings, experiment, truth)
        return np.linspace(centre - half, centre + half, int(settings["points"]))


def threshold_deg(
    experiment: Experiment,
    truth: Parameters,
    pair: str,
    *,
    upper: bool = True,
    shift_meV: float = 0.0,
) -> float:
    """Trigger angle where a pair opens or closes, for m1 shifted by some meV.

    Raises
    ------
    DomainError
        If it does so nowhere, or the mass would be negative.
    """
    i, j = PAIR_INDEX[PAIRS.index(pair)]
    m1_eV = truth.m1_eV + shift_meV * MILLI_EV_TO_EV
    if m1_eV < 0.0:
        raise DomainError("distance_meV", shift_meV, f">= {-EV_TO_MILLI_EV * truth.m1_eV:g}")
    m = masses(replace(truth, m1_eV=m1_eV))
    ends = threshold_angles(
        m[i] + m[j], experiment.target, experiment.layout.theta_e, beams_of(experiment)
    )
    angle = float(np.rad2deg(ends[1 if upper else 0]))
    if not math.isfinite(angle):
        raise DomainError("threshold", pair, "a pair that opens or closes at some trigger angle")
    return angle


class Space:
    """A design space.

    Parameters
    ----------
    dimensions : sequence of Dimension
    windows : sequence of Window
        None leaves the study's own trigger angles.
    build : callable
        ``keys -> Experiment``: the study with these keys; raises ``ConfigError`` or
        ``DomainError`` where they make no study.
    truth : Parameters
        For the thresholds that windows are tied to.
    constant : mapping, optional
        Keys that every design has.

    Attributes
    ----------
    names : tuple of str, d of them
    bounds : list of tuple
        Ends of each range in the key's unit, or the choices.
    """

    def __init__(
        self,
        dimensions: Sequence[Dimension],
        windows: Sequence[Window],
        build: Callable[[Keys], Experiment],
        truth: Parameters,
        constant: Mapping[str, Any] | None = None,
    ) -> None:
        self.dimensions, self.windows = tuple(dimensions), tuple(windows)
        self.truth, self.constant = truth, dict(constant or {})
        self.names = tuple(d.name for d in self.dimensions)
        self.bounds = [d.choices or (d.low, d.high) for d in self.dimensions]
        self._prefixes = tuple(w.name + "." for w in self.windows)
        self._build = build
        self._bare = lru_cache(maxsize=64)(lambda items: build(dict(items)))

    def built(self, keys: Mapping[str, Any]) -> Experiment:
        """Apparatus of some keys; of none, the study's own."""
        return self._build(dict(keys) | self.constant)

    @property
    def size(self) -> int:
        """Number of dimensions."""
        return len(self.dimensions)

    @property
    def circles(self) -> np.ndarray:
        """Which dimensions are circles, shape (d,)."""
        return np.array([d.circle for d in self.dimensions], dtype=bool)

    def wrapped(self, points: FloatArray) -> FloatArray:
        """Points (..., d) in the unit cube: around circles, else the nearest."""
        return np.where(self.circles, points % 1.0, np.clip(points, 0.0, 1.0))

    def embedded(self, points: FloatArray) -> FloatArray:
        """Points (n, d) where near is near: circles as circles of circumference 1, (n, d')."""
        turns = 2.0 * np.pi * points[:, self.circles]
        rings = [part / (2.0 * np.pi) for part in (np.cos(turns), np.sin(turns))]
        return np.column_stack([points[:, ~self.circles], *rings])

    def values(self, x: Sequence[float] | FloatArray) -> dict[str, Any]:
        """Value of each dimension at a point (d,) of the unit cube."""
        return {d.name: d.value(u) for d, u in zip(self.dimensions, x, strict=True)}

    def point(self, values: Mapping[str, Any]) -> FloatArray:
        """Point (d,) of some values; the middle where one is missing."""
        places = [d.place(values[d.name]) if d.name in values else 0.5 for d in self.dimensions]
        return np.array(places)

    def snapped(self, x: Sequence[float] | FloatArray) -> FloatArray:
        """The point (d,) that stands for all with the same values."""
        return np.array([d.snapped(u) for d, u in zip(self.dimensions, x, strict=True)])

    def keys(self, x: Sequence[float] | FloatArray) -> Keys:
        """Study keys of a point (d,).

        Raises
        ------
        ConfigError, DomainError
            Where a window has no place.
        """
        return self.keys_of(self.values(x))

    def keys_of(self, values: Mapping[str, Any]) -> Keys:
        """Study keys of some values."""
        own = {k: v for k, v in values.items() if not k.startswith(self._prefixes or "\n")}
        keys = self.constant | own
        if not self.windows:
            return keys
        bare = self._bare(tuple(sorted(keys.items())))
        settings = [window.settings(values) for window in self.windows]
        pairs = zip(self.windows, settings, strict=True)
        angles = [window.angles_deg(s, bare, self.truth) for window, s in pairs]
        angles = _within_a_turn(angles)
        order = np.argsort(np.concatenate(angles), kind="stable")
        found: Keys = {ANGLES: np.concatenate(angles)[order].tolist()}
        if len(self.windows) > 1 and "share" in settings[0]:
            shares = [s / len(a) for s, a in zip(_split(settings), angles, strict=True)]
            each = np.repeat(shares, [len(a) for a in angles])
            found[SHARES] = each[order].tolist()
        return keys | found

    def experiment(self, x: Sequence[float] | FloatArray) -> Experiment:
        """Apparatus of a point (d,).

        Raises
        ------
        ConfigError, DomainError
            Where the keys make no study.
        """
        return self.experiment_of(self.values(x))

    def experiment_of(self, values: Mapping[str, Any]) -> Experiment:
        """Apparatus of some values.

        Raises
        ------
        ConfigError, DomainError
            Where the keys make no study.
        """
        return self._build(self.keys_of(values))


def _within_a_turn(angles: Sequence[FloatArray]) -> list[FloatArray]:
    """The windows written so that all angles lie within one turn, and that not beyond +-360.

    Angles are directions: a window is turned by 360 degrees towards the one above it, and
    all are turned back if that leads too far.
    """
    centres = [float(np.mean(each)) for each in angles]
    turned = list(angles)
    if np.ptp(np.concatenate(angles)) > TURN_DEG:
        turned[int(np.argmin(centres))] = turned[int(np.argmin(centres))] + TURN_DEG
    whole = np.concatenate(turned)
    back = TURN_DEG * (float(np.max(whole) > TURN_DEG) - float(np.min(whole) < -TURN_DEG))
    return [each - back for each in turned]


def _split(settings: Sequence[Mapping[str, float]]) -> list[float]:
    """Share of the exposure of each window: the first says, the others divide the rest."""
    first = settings[0]["share"]
    return [first, *[(1.0 - first) / (len(settings) - 1)] * (len(settings) - 1)]
