"""Least squares with one bounded coordinate, for thousands of small fits.

A damped Gauss-Newton search (Levenberg, Q. Appl. Math. 2, 164 (1944);
Marquardt, SIAM J. 11, 431 (1963)) with projection on the bounds. A general
solver needs several times as long per step as these responses take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from renp_infer.errors import RenpError
from renp_infer.records import FloatArray

_STEPS = 60
_CONVERGED = 1e-5
"""Change of chi-squared that ends a search: far below any quoted difference of 0.01."""
_DAMPING, _LEAST, _MOST = 1e-2, 1e-9, 1e8


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
    evaluate: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
    start: FloatArray,
    low: FloatArray | float = -np.inf,
    high: FloatArray | float = np.inf,
) -> Minimum:
    """Local minimum of a sum of squares within bounds.

    Parameters
    ----------
    evaluate : callable
        ``point (k,) -> (residuals (n,), jacobian (n, k))``. Where it raises an error
        of this package, the search takes a shorter step; the start must be good.
    start : ndarray, shape (k,)
    low, high : ndarray, shape (k,), or float
    """
    point = np.clip(start, low, high)
    residuals, jacobian = evaluate(point)
    cost, damping = float(residuals @ residuals), _DAMPING
    for _ in range(_STEPS):
        step = _step(residuals, jacobian, point, damping, low, high)
        trial = np.clip(point + step, low, high)
        found = _attempt(evaluate, trial)
        if found is None or not found[0] @ found[0] < cost:
            damping *= 10.0
            if damping > _MOST:
                break
            continue
        gain = cost - float(found[0] @ found[0])
        point, (residuals, jacobian) = trial, found
        cost, damping = cost - gain, max(0.1 * damping, _LEAST)
        if gain < _CONVERGED:
            break
    return Minimum(point, cost, jacobian)


def _step(
    residuals: FloatArray,
    jacobian: FloatArray,
    point: FloatArray,
    damping: float,
    low: FloatArray | float,
    high: FloatArray | float,
) -> FloatArray:
    """Damped Gauss-Newton step of the coordinates that no bound holds."""
    gradient = jacobian.T @ residuals
    held = ((point <= low) & (gradient > 0.0)) | ((point >= high) & (gradient < 0.0))
    free = ~held
    curvature = (jacobian.T @ jacobian)[np.ix_(free, free)]
    scale = np.diag(curvature) + 1e-12 * max(float(np.max(np.diag(curvature), initial=0.0)), 1e-12)
    step = np.zeros(point.size)
    step[free] = -np.linalg.solve(curvature + damping * np.diag(scale), gradient[free])
    return step


def _attempt(
    evaluate: Callable[[FloatArray], tuple[FloatArray, FloatArray]], point: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    try:
        return evaluate(point)
    except RenpError:
        return None
