"""Numba kernels: the map between round and model coordinates, once per density."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit


@njit(cache=True, nogil=True)
def spline_cell(mass, knots):
    """Interval of a spline and the distance from its left end, clipped to the knots."""
    at = min(max(mass, knots[0]), knots[-1])
    cell = min(max(np.searchsorted(knots, at, side="right") - 1, 0), knots.size - 2)
    return cell, at - knots[cell]


@njit(cache=True, nogil=True)
def to_model(q, center, factor, place, knots, table):
    """``a = center + factor @ q`` with the spline at ``a[place]`` added, (k,).

    ``table`` (4, cells, k) holds the cubics' coefficients, highest power first.
    """
    point = center.copy()
    for i in range(q.size):
        for j in range(q.size):
            point[i] += factor[i, j] * q[j]
    cell, t = spline_cell(point[place], knots)
    for i in range(q.size):
        high, square, linear, constant = table[:, cell, i]
        point[i] += ((high * t + square) * t + linear) * t + constant
    return point


@njit(cache=True, nogil=True)
def to_round(gradient, q, center, factor, place, knots, table):
    """Gradient by ``q`` from that by the model coordinates, both (k,)."""
    mass = center[place]
    for j in range(q.size):
        mass += factor[place, j] * q[j]
    along = gradient[place]
    if knots[0] < mass < knots[-1]:
        cell, t = spline_cell(mass, knots)
        for i in range(q.size):
            high, square, linear, _ = table[:, cell, i]
            along += gradient[i] * ((3.0 * high * t + 2.0 * square) * t + linear)
    pulled = np.zeros(q.size)
    for i in range(q.size):
        weight = along if i == place else gradient[i]
        for j in range(q.size):
            pulled[j] += weight * factor[i, j]
    return pulled
