"""Where a Gauss-Newton search stands still, a quasi-Newton one goes on.

A derivative that vanishes at a maximum, as by a phase where CP is conserved, hides a
direction from every linear model, and along a curved valley its steps gain next to
nothing: a search then ends far above the minimum, and by its own measure it has
converged. A quasi-Newton search with bounds (Byrd, Lu, Nocedal, Zhu, SIAM J. Sci.
Comput. 16, 1190 (1995)) learns the true curvature from gradients. Its coordinates are
those in which the linear model, damped where it would leap, is a sphere.
"""

from __future__ import annotations

import numpy as np
import scipy
from scipy.linalg import solve_triangular

from renp_infer.errors import RenpError
from renp_infer.inference.profiles.descent import Evaluate, Minimum
from renp_infer.records import FloatArray

_DAMPING = 1e-6
"""Share of a column's square that is added to it: far above rounding."""
_GAIN, _GRADIENT = 1e-9, 1e-6
"""Relative gain, and gradient, that end a search; below 1 the gain is absolute."""
_ITERATIONS, _KEPT = 300, 20
_WALL = 1e12
"""Chi-squared where the response cannot be calculated: a line search turns back."""


def settle(
    evaluate: Evaluate,
    start: FloatArray,
    low: FloatArray,
    high: FloatArray,
    reach: FloatArray,
) -> Minimum:
    """Minimum of a sum of squares near a start, never above it.

    Parameters
    ----------
    evaluate : callable
        ``point (k,) -> (residuals (n,), jacobian (n, k))``; the start must be good.
    start : ndarray, shape (k,)
    low, high : ndarray, shape (k,)
        Bounds, of one coordinate at most; it may be held by them.
    reach : ndarray, shape (k,)
        Length over which a linear model may hold; inf where there is no limit.
    """
    if np.all(low == high):
        return _minimum(evaluate, start)
    chart = _Chart(evaluate, start, low, high, reach)
    found = scipy.optimize.minimize(
        chart.value,
        np.zeros(chart.size),
        jac=True,
        method="L-BFGS-B",
        bounds=chart.bounds,
        options={"maxiter": _ITERATIONS, "ftol": _GAIN, "gtol": _GRADIENT, "maxcor": _KEPT},
    )
    ends = [start, chart.point(found.x)] if found.fun < _WALL else [start]
    return min((_minimum(evaluate, end) for end in ends), key=lambda end: end.chi_squared)


def _minimum(evaluate: Evaluate, point: FloatArray) -> Minimum:
    residuals, jacobian = evaluate(point)
    return Minimum(point, float(residuals @ residuals), jacobian)


class _Chart:
    """Coordinates in which the damped linear model at a start is a sphere, 0 the start.

    The bounded coordinate comes last: by the triangular factor it depends on the last of
    these alone, so that its bounds stay bounds.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        start: FloatArray,
        low: FloatArray,
        high: FloatArray,
        reach: FloatArray,
    ) -> None:
        self._evaluate, self._start, self._low, self._high = evaluate, start, low, high
        free, bounded = low < high, np.isfinite(low) | np.isfinite(high)
        self._order = np.concatenate(
            [np.flatnonzero(free & ~bounded), np.flatnonzero(free & bounded)]
        )
        self.size = self._order.size
        _, jacobian = evaluate(start)
        curvature = jacobian.T @ jacobian
        squares = np.diag(curvature)
        damping = _DAMPING * np.where(squares > 0.0, squares, 1.0) + 1.0 / reach**2
        matrix = (curvature + np.diag(damping))[np.ix_(self._order, self._order)]
        self._factor = np.linalg.cholesky(matrix)

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Of each coordinate."""
        last = self._order[-1]
        ends = [limit[last] - self._start[last] for limit in (self._low, self._high)]
        scale = float(self._factor[-1, -1])
        return [(-np.inf, np.inf)] * (self.size - 1) + [(scale * ends[0], scale * ends[1])]

    def point(self, chart: FloatArray) -> FloatArray:
        """The point (k,) of chart coordinates."""
        point = self._start.copy()
        point[self._order] += solve_triangular(self._factor.T, chart, lower=False)
        return np.clip(point, self._low, self._high)

    def value(self, chart: FloatArray) -> tuple[float, FloatArray]:
        """Chi-squared and its gradient by chart coordinates."""
        try:
            residuals, jacobian = self._evaluate(self.point(chart))
        except RenpError:
            return _WALL, np.zeros(self.size)
        gradient = 2.0 * (jacobian.T @ residuals)[self._order]
        return float(residuals @ residuals), solve_triangular(self._factor, gradient, lower=True)
