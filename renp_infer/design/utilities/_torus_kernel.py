"""Numba kernel: the phases of Majorana neutrinos integrated over the torus."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit

LEAST, MOST = 16, 256
"""Midpoints of half a turn: as few as these are exact where the data say nothing, and
more are not used."""
PER_WIDTH = 1.3
"""Midpoints per standard deviation of the sharpest direction. A sum over a Gaussian
with h points per standard deviation errs by 2 exp(-2 pi^2 h^2), 3e-9 for one; the rest is for
what is not Gaussian."""


@njit(cache=True, error_model="numpy")
def exponent(b, h, c0, c1, c2):
    """``b.c - c.H.c / 2`` of three cosines."""
    u = b[0] * c0 + b[1] * c1 + b[2] * c2
    u -= 0.5 * (h[0, 0] * c0 * c0 + h[1, 1] * c1 * c1 + h[2, 2] * c2 * c2)
    u -= h[0, 1] * c0 * c1 + h[0, 2] * c0 * c2 + h[1, 2] * c1 * c2
    return u


@njit(cache=True, error_model="numpy")
def points_of_half(b, h):
    """Midpoints of half a turn that resolve the sharpest direction."""
    sharpest = np.sqrt(h[0, 0] + h[1, 1] + h[2, 2] + np.abs(b).sum())
    return int(PER_WIDTH * np.pi * sharpest) + 1


@njit(cache=True, error_model="numpy")
def torus_integrals(pull, curvature):
    """Mean of ``exp(b.c - c.H.c / 2)`` over uniform phases, and what the phases learn.

    ``pull`` b is (k, 3), ``curvature`` H (k, 3, 3), for c the three cosines
    (cos a, cos e, cos(e - a)). Returns the log of the mean (k,), and the information
    on the phases (k,), nat: the mean of the exponent over their posterior less that log.
    """
    count = pull.shape[0]
    logs, gains = np.empty(count), np.empty(count)
    for k in range(count):
        b, h = pull[k], curvature[k]
        half = min(max(points_of_half(b, h), LEAST), MOST)
        step = np.pi / half
        middles = np.cos((np.arange(2 * half) + 0.5) * step)
        apart = np.cos(np.arange(2 * half) * step)
        top, total, first = -np.inf, 0.0, 0.0
        for j in range(half):  # the other half is the same, with both angles reversed
            c1 = middles[j]
            for i in range(2 * half):
                c0, c2 = middles[i], apart[abs(j - i)]
                u = exponent(b, h, c0, c1, c2)
                if u > top:
                    total *= np.exp(top - u)
                    first *= np.exp(top - u)
                    top = u
                if u > top - 40.0:
                    weight = np.exp(u - top)
                    total += weight
                    first += weight * u
        logs[k] = top + np.log(total / (2.0 * half * half))
        gains[k] = first / total - logs[k]
    return logs, gains


@njit(cache=True, error_model="numpy")
def weighted_torus_integrals(pull, curvature, table, rows, parts):
    """The same over phases whose density is not uniform.

    ``table`` (r, g, g) has its log at even points of both angles from 0, up to a constant, the
    same with both reversed; state k is ``parts[k]`` of the way from ``rows[k]`` to the next.
    Between points the log goes by straight lines.
    """
    count, grid = pull.shape[0], table.shape[1]
    logs, gains = np.empty(count), np.empty(count)
    log = np.empty((grid, grid))
    for k in range(count):
        b, h = pull[k], curvature[k]
        for j in range(grid):
            for i in range(grid):
                low = table[rows[k], i, j]
                log[i, j] = low + parts[k] * (table[rows[k] + 1, i, j] - low)
        half = min(max(points_of_half(b, h), grid), MOST)
        step = np.pi / half
        cell = grid / (2.0 * half)
        highest = log.max()
        top, total, first, every = -np.inf, 0.0, 0.0, 0.0
        for j in range(half):
            y = (j + 0.5) * cell
            below, up = int(y), y - int(y)
            above = (below + 1) % grid
            c1 = np.cos((j + 0.5) * step)
            for i in range(2 * half):
                x = (i + 0.5) * cell
                left, on = int(x), x - int(x)
                right = (left + 1) % grid
                known = (1.0 - up) * ((1.0 - on) * log[left, below] + on * log[right, below])
                known += up * ((1.0 - on) * log[left, above] + on * log[right, above])
                known -= highest
                every += np.exp(known)
                u = exponent(b, h, np.cos((i + 0.5) * step), c1, np.cos((j - i) * step))
                if u + known > top:
                    total *= np.exp(top - u - known)
                    first *= np.exp(top - u - known)
                    top = u + known
                if u + known > top - 40.0:
                    weight = np.exp(u + known - top)
                    total += weight
                    first += weight * u
        logs[k] = top + np.log(total / every)
        gains[k] = first / total - logs[k]
    return logs, gains
