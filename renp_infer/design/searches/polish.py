"""Local polish: a utility with common random numbers is smooth enough to be climbed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

from renp_infer.design.spaces.region import Region
from renp_infer.records import FloatArray

STEP = 0.04
"""First step in each free dimension, by its range."""
GROW, SHRINK = 2.0, 0.25
"""What a step along an axis that succeeded, or failed both ways, is multiplied with."""
_TINY = 1e-4


class _Spent(Exception):
    """The budget is used up."""


class _Climb:
    """A climb under way, in the free dimensions of a region."""

    def __init__(
        self, region: Region, best: FloatArray, value: Callable[[FloatArray], float], budget: int
    ) -> None:
        self._region, self._best, self._value, self.left = region, best, value, budget
        self._free = np.flatnonzero([d.free for d in region.space.dimensions])
        self.circles = region.space.circles[self._free]
        self.start = best[self._free]

    def __call__(self, part: FloatArray) -> float:
        """Value at the free dimensions; nothing is less than what is not allowed."""
        x = self._best.copy()
        x[self._free] = part
        x = self._region.space.wrapped(x)
        if not self._region.admits(x):
            return -math.inf
        if not self.left:
            raise _Spent
        self.left -= 1
        return self._value(x)


def polish(
    region: Region, best: FloatArray, known: float, value: Callable[[FloatArray], float],
    budget: int,
) -> None:  # fmt: skip
    """Climb from a point, axis by axis, then by a simplex.

    Ridges can be a hundred times narrower in one dimension than in another, so each axis has a
    step of its own, which grows where it succeeds and shrinks where it fails (a pattern search;
    Kolda, Lewis and Torczon, SIAM Rev. 45, 385 (2003)). From where no step helps the simplex of
    Nelder and Mead, Comput. J. 7, 308 (1965), goes on, which follows ridges between axes.
    Bounds clip, circles have none; points that are not allowed count as infinitely bad and
    cost nothing; choices stay as they are.

    Parameters
    ----------
    region : Region
    best : ndarray, shape (d,)
        Where to begin.
    known : float
        Its value, which is not asked for.
    value : callable
        Score of an allowed point, of which more is better; remembers what it is asked.
    budget : int
        Most points that are valued.
    """
    climb = _Climb(region, best, value, budget)
    if climb.start.size and budget > 0:
        try:
            _simplex(climb, _axes(climb, known))
        except _Spent:
            return


def _axes(climb: _Climb, known: float) -> FloatArray:
    """Where no step along an axis helps any more."""
    x, top = climb.start, known
    steps = np.where(x + STEP <= 1.0, STEP, -STEP)
    while np.max(np.abs(steps)) > _TINY:
        for k in np.argsort(-np.abs(steps), kind="stable"):
            for step in (steps[k], -steps[k]):
                y = x.copy()
                y[k] = x[k] + step if climb.circles[k] else np.clip(x[k] + step, 0.0, 1.0)
                if y[k] != x[k] and (found := climb(y)) > top:
                    x, top, steps[k] = y, found, GROW * step
                    break
            else:
                steps[k] *= SHRINK
    return x


def _simplex(climb: _Climb, start: FloatArray) -> None:
    """The simplex from a point, with smaller first steps than axes had."""
    step = SHRINK * STEP
    steps = np.where(start + step <= 1.0, step, -step)
    minimize(
        lambda part: -climb(part),
        start,
        method="Nelder-Mead",
        bounds=[(-math.inf, math.inf) if circle else (0.0, 1.0) for circle in climb.circles],
        options={
            "initial_simplex": np.vstack([start, start + np.diag(steps)]),
            "xatol": _TINY, "fatol": _TINY, "adaptive": True, "maxfev": 100 * climb.left + 100,
        },
    )  # fmt: skip
