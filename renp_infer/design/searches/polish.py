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
_TINY = 1e-4


class _Spent(Exception):
    """The budget is used up."""


def polish(
    region: Region, best: FloatArray, value: Callable[[FloatArray], float], budget: int
) -> None:
    """Climb from a point by the simplex of Nelder and Mead, Comput. J. 7, 308 (1965).

    Bounds clip, circles have none; points that are not allowed count as infinitely bad and
    cost nothing; choices stay as they are.

    Parameters
    ----------
    region : Region
    best : ndarray, shape (d,)
        Where to begin; its value is known and not asked for.
    value : callable
        Score of an allowed point, of which more is better; remembers what it is asked.
    budget : int
        Most points that are valued.
    """
    free = np.flatnonzero([d.free for d in region.space.dimensions])
    if not free.size or budget < 1:
        return
    spent = 0

    def loss(part: FloatArray) -> float:
        nonlocal spent
        x = best.copy()
        x[free] = part
        x = region.space.wrapped(x)
        if not region.admits(x):
            return math.inf
        if spent >= budget:
            raise _Spent
        spent += 1
        return -value(x)

    start = best[free]
    steps = np.where(start + STEP <= 1.0, STEP, -STEP)
    simplex = np.vstack([start, start + np.diag(steps)])
    circles = region.space.circles[free]
    bounds = [(-math.inf, math.inf) if circle else (0.0, 1.0) for circle in circles]
    options = {"initial_simplex": simplex, "xatol": _TINY, "fatol": _TINY, "adaptive": True}
    try:
        minimize(
            loss, start, method="Nelder-Mead", bounds=bounds,
            options=options | {"maxfev": 100 * budget + 100},
        )  # fmt: skip
    except _Spent:
        return
