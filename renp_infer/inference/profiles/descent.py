"""Least squares with bounds, for thousands of small fits.

A damped Gauss-Newton search (Levenberg, Q. Appl. Math. 2, 164 (1944); Marquardt,
SIAM J. 11, 431 (1963)). A coordinate that would pass a bound stops there and the others
follow; one that would leap is damped by itself. A general solver needs several times as
long per step as these responses take. Normal equations square the condition number; the
damping, never below 1e-10 of a column's square, keeps them far above rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from renp_infer.errors import RenpError
from renp_infer.records import FloatArray

STEPS = 60
CONVERGED = 1e-5
"""Change of chi-squared that ends a search: far below any quoted difference of 0.01."""
_PROMISE, _RELATIVE_PROMISE = 1e-4, 0.1
"""Shares of what ends a search that a step must promise, to be tried at all."""
DAMPING, _LEAST, _MOST = 1e-2, 1e-10, 1e8
_FALL, _GROWTH = 30.0, 4.0
"""The damping falls by the first factor after a step that gained; after one that did not
it grows by the second, then by twice that, and so on. In the curved valleys of sharp edges
a fast fall matters more than that each step gains."""
_LEAP, _TRIES = 10.0, 12
"""Excess damping of a coordinate beyond its reach, and how often it is raised."""

Evaluate = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True)
class Minimum:
    """Where a search ended.

    Attributes
    ----------
    point : ndarray, shape (k,)
    chi_squared : float
        Sum of the squared residuals.
    jacobian : ndarray, shape (n, k)
    """

    point: FloatArray
    chi_squared: float
    jacobian: FloatArray


def descend(
    evaluate: Evaluate,
    start: FloatArray,
    low: FloatArray | float = -np.inf,
    high: FloatArray | float = np.inf,
    *,
    converged: float = CONVERGED,
    relative: float = 0.0,
    damping: float = DAMPING,
    reach: FloatArray | float = np.inf,
    steps: int = STEPS,
) -> Minimum:
    """Local minimum of a sum of squares within bounds.

    Parameters
    ----------
    evaluate : callable
        ``point (k,) -> (residuals (n,), jacobian (n, k))``. Where it raises an error
        of this package, the search takes a shorter step; the start must be good.
    start : ndarray, shape (k,)
    low, high : ndarray, shape (k,), or float
    converged, relative : float
        The search ends when a step gains less than ``converged``, scaled down where
        the start's chi-squared is below 1, plus ``relative`` of what is left.
    damping : float
        Of the first step.
    reach : ndarray, shape (k,), or float
        Farthest that a coordinate moves in one step.
    steps : int
        Most steps that are tried.
    """
    point = np.clip(start, low, high)
    residuals, jacobian = evaluate(point)
    cost = float(residuals @ residuals)
    floor, growth, last = converged * min(1.0, cost), _GROWTH, False
    for _ in range(steps):
        step = _step(residuals, jacobian, damping, (low - point, high - point), reach)
        ahead = residuals + jacobian @ step
        promised = cost - float(ahead @ ahead)
        if growth == _GROWTH and promised < _PROMISE * floor + _RELATIVE_PROMISE * relative * cost:
            if last:
                break
            damping, last = _LEAST, True  # little may be promised because of the damping
            continue
        found = _attempt(evaluate, point + step)
        if found is None or not found[0] @ found[0] < cost:
            damping, growth = damping * growth, 2.0 * growth
            if last or damping > _MOST:
                break
            continue
        point, (residuals, jacobian) = point + step, found
        gain, cost = cost - float(residuals @ residuals), float(residuals @ residuals)
        damping, growth = max(damping / _FALL, _LEAST), _GROWTH
        if gain >= floor + relative * cost:
            last = False
        elif last:
            break
        else:
            damping, last = _LEAST, True
    return Minimum(np.clip(point, low, high), cost, jacobian)


def promise(
    evaluate: Evaluate,
    start: FloatArray,
    low: FloatArray | float = -np.inf,
    high: FloatArray | float = np.inf,
    reach: FloatArray | float = np.inf,
) -> float:
    """Chi-squared that the linearised model reaches by the first step of a search."""
    point = np.clip(start, low, high)
    residuals, jacobian = evaluate(point)
    step = _step(residuals, jacobian, DAMPING, (low - point, high - point), reach)
    ahead = residuals + jacobian @ step
    return float(ahead @ ahead)


def _step(
    residuals: FloatArray,
    jacobian: FloatArray,
    damping: float,
    bounds: tuple[FloatArray | float, FloatArray | float],
    reach: FloatArray | float,
) -> FloatArray:
    """Damped Gauss-Newton step within bounds and reach, shape (k,)."""
    dampings = np.full(jacobian.shape[1], damping)
    step = _bounded(residuals, jacobian, dampings, bounds)
    for _ in range(_TRIES):
        leap = np.abs(step) / reach
        far = leap > 1.0
        if not np.any(far):
            break
        dampings[far] *= _LEAP * leap[far]
        step = _bounded(residuals, jacobian, dampings, bounds)
    return step


def _bounded(
    residuals: FloatArray,
    jacobian: FloatArray,
    dampings: FloatArray,
    bounds: tuple[FloatArray | float, FloatArray | float],
) -> FloatArray:
    step = _solve(residuals, jacobian, dampings)
    held = (step < bounds[0]) | (step > bounds[1])
    if np.any(held):
        step[held] = np.clip(step, *bounds)[held]
        rest = residuals + jacobian[:, held] @ step[held]
        step[~held] = _solve(rest, jacobian[:, ~held], dampings[~held])
    return np.clip(step, *bounds)


def _solve(residuals: FloatArray, jacobian: FloatArray, dampings: FloatArray) -> FloatArray:
    lengths = np.sqrt(np.einsum("ij,ij->j", jacobian, jacobian))
    lengths[lengths == 0.0] = 1.0
    scaled = jacobian / lengths
    curvature = scaled.T @ scaled
    curvature.flat[:: lengths.size + 1] += dampings
    return np.asarray(np.linalg.solve(curvature, -(scaled.T @ residuals))) / lengths


def _attempt(evaluate: Evaluate, point: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    try:
        return evaluate(point)
    except RenpError:
        return None
