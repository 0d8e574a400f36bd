"""Choosing the next measurement: most expected information per second, one or two steps ahead.

The information of one measurement y about a question is

    I = [H(y) - Sum_g p_g H(y | g)] + Sum_k w_k I_k,

with g the answers and k the states. The bracket is integrated numerically, without
sampling. For m1 the answers are its cells, and I_k = -log(1 - shared / variance) / 2 is
what the Gaussians within them tell about its rest; for a cell with several phase
settings their mean is taken. Both terms are >= 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from renp_infer.design.sequences._information_kernel import group_information
from renp_infer.design.sequences.beliefs import (
    NONE_YET,
    Atlas,
    Beliefs,
    IntArray,
    NextMeasurement,
    Readings,
    predict,
)
from renp_infer.design.sequences.lookahead import READINGS, PairMoments, likely_readings
from renp_infer.errors import DomainError
from renp_infer.records import FloatArray

MASS = "m1"
NEGLIGIBLE = 1e-10
"""States less probable than this, in all, do not count for the next choice."""
FIRSTS = 8
"""First settings that are looked at two steps ahead, by falling bounds, and the best alone."""
_ROUNDS = 2
"""Gauss-Newton steps from the prior to what other data sets say."""


@dataclass(frozen=True)
class Menu:
    """Settings among which to choose.

    Attributes
    ----------
    angles : ndarray, shape (a,)
        Places in the atlas.
    exposures_s : ndarray, shape (t,)
    sigma : callable
        ``exposure_s -> standard error`` of one measurement.
    setting_s : float
        Time that moving to another angle takes.
    goal : str
        The question: "m1", or a label of the atlas.
    lookahead : {1, 2}
        Measurements that a choice looks ahead.
    """

    angles: IntArray
    exposures_s: FloatArray
    sigma: Callable[[float], float]
    setting_s: float
    goal: str
    lookahead: int

    def seconds(self, angle: int, exposure_s: float, at: int | None) -> float:
        """Time of a measurement from where the trigger stands."""
        return exposure_s + self.setting_s * (angle != at)


@dataclass(frozen=True)
class SettingChoice:
    """The next setting.

    Attributes
    ----------
    angle : int
        Place in the atlas.
    exposure_s, seconds : float
        Exposure, and that with the time of the move.
    information : float
        Expected, nat.
    """

    angle: int
    exposure_s: float
    seconds: float
    information: float

    @property
    def rate(self) -> float:
        """Expected information per second."""
        return self.information / self.seconds

    def rate_after(self, first: SettingChoice) -> float:
        """The same of another before it and this together."""
        return (first.information + self.information) / (first.seconds + self.seconds)


class Questions:
    """States ordered by the answers to one question, ready for many predictions."""

    def __init__(self, beliefs: Beliefs, atlas: Atlas, goal: str) -> None:
        labels = atlas.labels[goal]
        self.order = np.argsort(labels, kind="stable")
        weights = beliefs.weights[self.order]
        rank = np.argsort(weights, kind="stable")
        weights[rank[np.cumsum(weights[rank]) < NEGLIGIBLE]] = 0.0
        self.weights = weights / weights.sum()
        answers = np.arange(labels.max() + 2)
        self.starts = np.searchsorted(labels[self.order], answers)
        self.within = goal == MASS

    def information(self, prediction: NextMeasurement, angle: int, sigma: float) -> float:
        """Expected information of one measurement, nat."""
        variances = prediction.variances[self.order, angle] + sigma**2
        means = prediction.means[self.order, angle]
        found = group_information(self.weights, self.starts, means, np.sqrt(variances))
        return float(found + self._within(prediction, angle, variances))

    def bounds(self, prediction: NextMeasurement, angles: IntArray, sigma: float) -> FloatArray:
        """More than the information at angles (n,): a Gaussian has the largest entropy.

        H(y | g) is at least the mean entropy of the Gaussians in g.
        """
        rows = np.ix_(self.order, angles)
        variances, means = prediction.variances[rows] + sigma**2, prediction.means[rows]
        total = self.weights @ ((means - self.weights @ means) ** 2 + variances)
        inside = variances - (prediction.shared[rows] if self.within else 0.0)
        return np.asarray(0.5 * (np.log(total) - self.weights @ np.log(inside)))

    def _within(self, prediction: NextMeasurement, angle: int, variances: FloatArray) -> float:
        if not self.within:
            return 0.0
        shared = prediction.shared[self.order, angle]
        return float(-0.5 * self.weights @ np.log1p(-shared / variances))


def choose(
    beliefs: Beliefs, atlas: Atlas, menu: Menu, at: int | None = None, left_s: float = np.inf
) -> SettingChoice | None:
    """Setting with the most expected information per second.

    Two steps ahead it is that with the most per second of it and the best next one; see
    ``design.sequences.lookahead``.

    Parameters
    ----------
    beliefs : Beliefs
    atlas : Atlas
    menu : Menu
    at : int, optional
        Where the trigger stands: staying takes no time.
    left_s : float
        Settings that take longer are left out.

    Returns
    -------
    SettingChoice or None
        ``None`` if no setting fits into the time left.
    """
    if menu.goal not in atlas.labels:
        raise DomainError("goal", menu.goal, " | ".join(atlas.labels))
    alone = _best(beliefs, atlas, menu, at, left_s)
    if alone is None or menu.lookahead == 1:
        return alone
    firsts = [alone, *_promising(beliefs, atlas, menu, at, left_s)]
    values = [value_of_two(beliefs, atlas, menu, first, left_s) for first in firsts]
    return firsts[int(np.argmax(values))]


def _best(
    beliefs: Beliefs,
    atlas: Atlas,
    menu: Menu,
    at: int | None,
    left_s: float,
    before: tuple[float, float] = (0.0, 0.0),
) -> SettingChoice | None:
    """Setting with the most information per second, that and the time before it included.

    Settings are tried by falling upper bound, until no bound exceeds what was found.
    """
    told, spent = before
    prediction, questions = predict(beliefs, atlas), Questions(beliefs, atlas, menu.goal)
    options: list[tuple[float, int, float, float]] = []
    for exposure in menu.exposures_s.tolist():
        bounds = questions.bounds(prediction, menu.angles, menu.sigma(exposure))
        for angle, bound in zip(menu.angles.tolist(), bounds.tolist(), strict=True):
            seconds = menu.seconds(angle, exposure, at)
            if seconds <= left_s:
                options.append(((told + bound) / (spent + seconds), angle, exposure, seconds))
    best: SettingChoice | None = None
    highest = -np.inf
    for bound, angle, exposure, seconds in sorted(options, reverse=True):
        if bound <= highest:
            break
        found = questions.information(prediction, angle, menu.sigma(exposure))
        if (told + found) / (spent + seconds) > highest:
            best = SettingChoice(angle, exposure, seconds, found)
            highest = (told + found) / (spent + seconds)
    return best


def value_of_two(
    beliefs: Beliefs, atlas: Atlas, menu: Menu, first: SettingChoice, left_s: float = np.inf
) -> float:
    """Expected information per second of a first setting, with the best next one if that helps."""
    sigma, told = menu.sigma(first.exposure_s), (first.information, first.seconds)
    prediction = predict(beliefs, atlas)
    means, variances = (of[:, first.angle] for of in (prediction.means, prediction.variances))
    live, weights = _live(beliefs)
    sds = np.sqrt(variances[live] + sigma**2)
    value = 0.0
    for y in likely_readings(weights, means[live], sds).tolist():
        after = measured(beliefs, atlas, first.angle, y, sigma)
        second = _best(after, atlas, menu, first.angle, left_s - first.seconds, told)
        value += max(first.rate, second.rate_after(first) if second else 0.0) / READINGS
    return value


def _promising(
    beliefs: Beliefs, atlas: Atlas, menu: Menu, at: int | None, left_s: float
) -> list[SettingChoice]:
    """First settings of the pairs with the largest bounds of information per second.

    Of neighbouring angles the best one, with its best exposure.
    """
    rates = _pair_rates(beliefs, atlas, menu, at, left_s)
    best = np.max(rates, axis=1)
    beside = np.concatenate([[-np.inf], best, [-np.inf]])
    peaks = np.flatnonzero((best > 0.0) & (best >= beside[:-2]) & (best >= beside[2:]))
    prediction, questions = predict(beliefs, atlas), Questions(beliefs, atlas, menu.goal)
    found = []
    for place in peaks[np.argsort(-best[peaks], kind="stable")][:FIRSTS].tolist():
        angle = int(menu.angles[place])
        exposure = float(menu.exposures_s[np.argmax(rates[place])])
        told = questions.information(prediction, angle, menu.sigma(exposure))
        found.append(SettingChoice(angle, exposure, menu.seconds(angle, exposure, at), told))
    return found


def _pair_rates(
    beliefs: Beliefs, atlas: Atlas, menu: Menu, at: int | None, left_s: float
) -> FloatArray:
    """Bound of nat per second of the best pair that begins with each angle and exposure, (a, t).

    0 where no pair fits into the time left.
    """
    live, weights = _live(beliefs)
    slopes, covariances = atlas.slopes[live][:, menu.angles], beliefs.covariances[live]
    means = atlas.mean[live][:, menu.angles]
    means = means + np.einsum("kad,kd->ka", slopes, beliefs.means[live])
    pairs = PairMoments.of(weights, means, slopes, covariances, menu.goal == MASS)
    moves = menu.setting_s * (menu.angles[:, None] != menu.angles)
    rates = np.zeros((menu.angles.size, menu.exposures_s.size))
    exposures = range(menu.exposures_s.size)
    for first, second in itertools.combinations_with_replacement(exposures, 2):
        times = menu.exposures_s[[first, second]].tolist()
        bounds = pairs.bounds(*map(menu.sigma, times))
        for place, (one, other), told in ((first, times, bounds), (second, times[::-1], bounds.T)):
            own = [menu.seconds(angle, one, at) for angle in menu.angles.tolist()]
            seconds = np.array(own)[:, None] + moves + other
            fitting = np.where(seconds <= left_s, told / seconds, 0.0)
            rates[:, place] = np.maximum(rates[:, place], np.max(fitting, axis=1))
    return rates


def _live(beliefs: Beliefs) -> tuple[IntArray, FloatArray]:
    """States that count, and their weights, sum 1."""
    live = np.flatnonzero(beliefs.weights > NEGLIGIBLE)
    return live, beliefs.weights[live] / beliefs.weights[live].sum()


def measured(beliefs: Beliefs, atlas: Atlas, angle: int, datum: float, sigma: float) -> Beliefs:
    """Beliefs after one measurement at an angle of the atlas."""
    return beliefs.updated(
        atlas.mean[:, [angle]],
        atlas.slopes[:, [angle]],
        np.array([datum]),
        np.array([[sigma**2]]),
    )


@dataclass(frozen=True)
class Step:
    """One measurement of a campaign, and what is believed after it.

    Attributes
    ----------
    choice : SettingChoice
    datum, sigma : float
    elapsed_s : float
        Since the start, moves included.
    beliefs : Beliefs
    """

    choice: SettingChoice
    datum: float
    sigma: float
    elapsed_s: float
    beliefs: Beliefs


Refine = Callable[[Atlas, Beliefs], Atlas]


def _as_it_is(atlas: Atlas, _beliefs: Beliefs) -> Atlas:
    return atlas


def campaign(
    atlas: Atlas,
    menu: Menu,
    measure: Callable[[int, float], float],
    total_s: float,
    *,
    stop: Callable[[Beliefs], bool] = lambda _beliefs: False,
    refine: Refine | None = None,
    before: Readings = NONE_YET,
) -> Iterator[Step]:
    """Choose, measure and learn, at least once, until the time is spent or enough is known.

    Parameters
    ----------
    measure : callable
        ``(angle, sigma) -> datum``.
    total_s : float
        Exposures and moves together.
    stop : callable
        Whether beliefs suffice.
    refine : callable, optional
        Expands the atlas anew about beliefs; after 1, 2, 4, ... measurements.
    before : Readings
        What is known before the first, of other data sets.
    """
    steps: list[Step] = []
    at, elapsed, rounds = None, 0.0, _ROUNDS if before.angles.size else 0
    atlas, beliefs = settled(atlas, before, refine or _as_it_is, rounds)
    while not steps or not stop(beliefs):
        choice = choose(beliefs, atlas, menu, at, total_s - elapsed)
        if choice is None:
            return
        sigma = menu.sigma(choice.exposure_s)
        y = measure(choice.angle, sigma)
        beliefs = measured(beliefs, atlas, choice.angle, y, sigma)
        at, elapsed = choice.angle, elapsed + choice.seconds
        steps.append(Step(choice, y, sigma, elapsed, beliefs))
        if refine is not None and len(steps) & (len(steps) - 1) == 0:
            atlas = refine(atlas, beliefs)
            beliefs = atlas.learned(before.and_then(readings_of(steps)))
            steps[-1] = replace(steps[-1], beliefs=beliefs)
        yield steps[-1]


def readings_of(steps: Sequence[Step]) -> Readings:
    """All measurements of some steps."""
    return Readings(
        np.array([step.choice.angle for step in steps], dtype=np.intp),
        np.array([step.datum for step in steps]),
        np.diag([step.sigma**2 for step in steps]),
    )


def settled(atlas: Atlas, readings: Readings, refine: Refine, rounds: int) -> tuple[Atlas, Beliefs]:
    """Atlas expanded about what readings say of each state, and the beliefs with it."""
    beliefs = atlas.learned(readings)
    for _ in range(rounds):
        atlas = refine(atlas, beliefs)
        beliefs = atlas.learned(readings)
    return atlas, beliefs
