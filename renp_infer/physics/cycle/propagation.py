"""Exact propagation of a linear system, sampled at Gauss nodes of equal panels.

``d s/dt = M s`` with constant M is solved by matrix exponentials, so there is no
step error; panels only decide where the state is seen. A panel turns a phase of
at most `PANEL_PHASE` and holds `NODES` Gauss nodes: a product of five elements of
the state then turns by 10 rad, which the nodes integrate to 1e-14 of its size and
interpolate to 5e-4.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from renp_infer.records import FloatArray

NODES = 12
PANEL_PHASE = 2.0
"""Largest phase of a panel, rad."""
ALL = slice(None)
_TAYLOR = 26
"""Terms of the exponential: 2^26 / 26! is 2e-19."""


def _lagrange(points: FloatArray) -> FloatArray:
    """Values at ``points`` of the polynomial through the nodes, shape (n, NODES)."""
    values = legendre.legvander(2.0 * points - 1.0, NODES - 1)
    matrix: FloatArray = values @ np.linalg.inv(legendre.legvander(2.0 * X - 1.0, NODES - 1))
    return matrix


def _cumulation() -> FloatArray:
    """Integrals from 0 to each node and to 1, shape (NODES + 1, NODES)."""
    upper = np.append(X, 1.0)
    inner = upper[:, None] * X
    return np.einsum("i,j,ijk->ik", upper, W, _lagrange(inner.ravel()).reshape(*inner.shape, -1))


_y, _w = legendre.leggauss(NODES)
X: FloatArray = 0.5 * (_y + 1.0)
"""Nodes on [0, 1]."""
W: FloatArray = 0.5 * _w
"""Their weights, sum 1."""
CUMULATE = _cumulation()
DENSE: FloatArray = np.linspace(0.0, 1.0, 257)
_DENSE_VALUES = _lagrange(DENSE)
_POWERS = np.cumprod(
    np.vstack([np.ones(NODES + 1), np.append(X, 1.0) / np.arange(1, _TAYLOR)[:, None]]), axis=0
)  # x^k / k!


def panel_top(values: FloatArray) -> tuple[float, int, float]:
    """Largest value of a function given at the nodes of panels, shape (n, NODES).

    For one that turns by 10 rad in a panel, to 1e-3 of its swing.

    Returns
    -------
    value : float
    panel : int
    place : float
        Where in that panel, from 0 to 1.
    """
    near = np.unique(np.clip(np.argmax(values) // NODES + np.array([-1, 0, 1]), 0, len(values) - 1))
    dense = values[near] @ _DENSE_VALUES.T
    row, column = divmod(int(np.argmax(dense)), DENSE.size)
    return float(dense[row, column]), int(near[row]), float(DENSE[column])


def panel_maps(matrix: NDArray[Any], span: float, phase: float) -> NDArray[Any]:
    """``exp(M x span)`` at the nodes x and at x = 1, shape (NODES + 1, d, d).

    Parameters
    ----------
    matrix : ndarray, shape (d, d)
    span : float
        Length of a panel.
    phase : float
        Bound on the norm of ``matrix * span``; the series is scaled and squared
        above `PANEL_PHASE`.
    """
    squarings = ceil(log2(max(1.0, phase / PANEL_PHASE)))
    small = matrix * (span / 2.0**squarings)
    powers = _march(small.T, np.eye(len(matrix)), _TAYLOR)
    # the coefficients are real: a real product does for complex matrices too
    sums = _POWERS.T @ powers.reshape(_TAYLOR, -1).view(float)
    maps = sums.view(powers.dtype).reshape(-1, *matrix.shape)
    for _ in range(squarings):
        maps = maps @ maps
    return maps


def propagate(
    matrix: NDArray[Any],
    start: NDArray[Any],
    duration: float,
    panels: int,
    phase: float,
    seen: Sequence[int] | slice = ALL,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """States at the nodes of equal panels, and at the end.

    Parameters
    ----------
    matrix : ndarray, shape (d, d)
    start : ndarray, shape (d,)
    duration : float
    panels : int
    phase : float
        Bound on the norm of ``matrix * duration``.
    seen : sequence of int, optional
        Elements of the state that are wanted at the nodes, k of them; by default all.

    Returns
    -------
    states : ndarray, shape (panels * NODES, k)
    end : ndarray, shape (d,)
    """
    maps = panel_maps(matrix, duration / panels, phase / panels)
    starts = _march(maps[-1], start, panels + 1)
    wanted = maps[:-1, seen]
    nodes = starts[:-1] @ wanted.reshape(-1, len(start)).T
    return nodes.reshape(-1, wanted.shape[1]), starts[-1]


def _march(step: NDArray[Any], start: NDArray[Any], count: int) -> NDArray[Any]:
    """``step^k`` on ``start``, a vector or rows of them, for k < count, by doubling."""
    states = np.empty((count, *start.shape), dtype=np.result_type(step, start))
    states[0], filled = start, 1
    while filled < count:
        more = min(filled, count - filled)
        rows = states[:more].reshape(-1, len(step)) @ step.T
        states[filled : filled + more] = rows.reshape(more, *start.shape)
        step, filled = step @ step, filled + more
    return states


def panels_for(phase: float) -> int:
    """Panels that a phase in rad needs, at least one."""
    return max(1, ceil(phase / PANEL_PHASE))
