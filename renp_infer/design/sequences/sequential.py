"""Choosing the next measurement: most expected information per second, one step ahead.

The information of one measurement y about a question is

    I = [H(y) - Sum_g p_g H(y | g)] + Sum_k w_k I_k,

with g the answers and k the states. The bracket is integrated numerically, without
sampling. For m1 the answers are its cells, and I_k = -log(1 - shared / variance) / 2 is
what the Gaussians within them tell about its rest; for a cell with several phase
settings their mean is taken. Both terms are >= 0.
"""

from __future__ import annotations

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
from renp_infer.errors import DomainError
from renp_infer.records import FloatArray

MASS = "m1"
NEGLIGIBLE = 1e-10
"""States less probable than this, in all, do not count for the next choice."""
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
    """

    angles: IntArray
    exposures_s: FloatArray
    sigma: Callable[[float], float]
    setting_s: float
    goal: str


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

    def bound(self, prediction: NextMeasurement, angle: int, sigma: float) -> float:
        """More than the information: a Gaussian has the largest entropy of its variance.

        H(y | g) is at least the mean entropy of the Gaussians in g.
        """
        variances = prediction.variances[self.order, angle] + sigma**2
        means = prediction.means[self.order, angle]
        middle = self.weights @ means
        total = self.weights @ ((means - middle) ** 2 + variances)
        entropies = 0.5 * (np.log(total) - self.weights @ np.log(variances))
        return float(entropies + self._within(prediction, angle, variances))

    def _within(self, prediction: NextMeasurement, angle: int, variances: FloatArray) -> float:
        if not self.within:
            return 0.0
        shared = prediction.shared[self.order, angle]
        return float(-0.5 * self.weights @ np.log1p(-shared / variances))


def choose(
    beliefs: Beliefs, atlas: Atlas, menu: Menu, at: int | None = None, left_s: float = np.inf
) -> SettingChoice | None:
    """Setting with the most expected information per second.

    Settings are tried by falling upper bound, until no bound exceeds what was found.

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
    prediction, questions = predict(beliefs, atlas), Questions(beliefs, atlas, menu.goal)
    options = [
        (questions.bound(prediction, angle, menu.sigma(exposure)) / seconds, angle, exposure)
        for angle, exposure, seconds in _options(menu, at, left_s)
    ]
    best: SettingChoice | None = None
    for bound, angle, exposure in sorted(options, reverse=True):
        if best is not None and bound <= best.rate:
            break
        found = questions.information(prediction, angle, menu.sigma(exposure))
        seconds = exposure + menu.setting_s * (angle != at)
        if best is None or found / seconds > best.rate:
            best = SettingChoice(angle, exposure, seconds, found)
    return best


def _options(menu: Menu, at: int | None, left_s: float) -> Iterator[tuple[int, float, float]]:
    for angle in menu.angles.tolist():
        for exposure in menu.exposures_s.tolist():
            seconds = exposure + menu.setting_s * (angle != at)
            if seconds <= left_s:
                yield angle, exposure, seconds


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
