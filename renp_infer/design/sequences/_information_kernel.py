"""Numba kernel: what one number tells about which group of Gaussians it came from."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit

REACH = 7.5
"""Half width of a component, in standard deviations: 6e-14 of it lies beyond."""
CELLS_PER_SD = 2.0
"""Cells per standard deviation of the narrowest component: the rectangle rule errs by
exp(-2 pi^2 4) of each density."""
MOST_CELLS = 1 << 20
RUN = 16
"""Cells in which a Gaussian is followed by ratios between two exponentials."""


@njit(cache=True, error_model="numpy")
def add_gaussian(out, begin, end, height, pull, step):
    """Add ``height exp(-z^2 / 2)``, z = pull + step (i - begin), to ``out[begin:end]``.

    Neighbours have a ratio whose own ratio is constant; rounding grows with the square
    of a run, to 5e-14 of a value.
    """
    bend = np.exp(-step * step)
    for start in range(begin, end, RUN):
        z = pull + step * (start - begin)
        value, ratio = height * np.exp(-0.5 * z * z), np.exp(-step * (z + 0.5 * step))
        for i in range(start, min(start + RUN, end)):
            out[i] += value
            value *= ratio
            ratio *= bend


@njit(cache=True, error_model="numpy")
def group_information(weights, starts, means, sds):
    """Mutual information of group and value, nat: H(y) - Sum_g w_g H(y | g).

    Parameters
    ----------
    weights : ndarray, shape (k,)
        Of all components, sum 1, ordered by group; those of 0 are left out.
    starts : ndarray, shape (g + 1,)
        First component of each group, and k.
    means, sds : ndarray, shape (k,)
        In any common unit.

    Returns
    -------
    float
        Where components are narrower than a millionth of the whole, they are widened
        to that, which can only lower the information.
    """
    low, high, narrowest = np.inf, -np.inf, np.inf
    for k in range(weights.size):
        if weights[k] > 0.0:
            low = min(low, means[k] - REACH * sds[k])
            high = max(high, means[k] + REACH * sds[k])
            narrowest = min(narrowest, sds[k])
    cell = max(narrowest / CELLS_PER_SD, (high - low) / MOST_CELLS)
    low -= REACH * CELLS_PER_SD * cell  # room for components that are widened
    size = int((high - low) / cell + REACH * CELLS_PER_SD) + 2
    total, mine = np.zeros(size), np.zeros(size)
    conditional = 0.0
    for g in range(starts.size - 1):
        share, first, last = 0.0, size, 0
        for k in range(starts[g], starts[g + 1]):
            if weights[k] > 0.0:
                sd = max(sds[k], CELLS_PER_SD * cell)
                begin = max(int((means[k] - REACH * sd - low) / cell), 0)
                end = min(int((means[k] + REACH * sd - low) / cell) + 2, size)
                height = weights[k] * cell / (np.sqrt(2.0 * np.pi) * sd)
                pull = (low + begin * cell - means[k]) / sd
                add_gaussian(mine, begin, end, height, pull, cell / sd)
                share += weights[k]
                first, last = min(first, begin), max(last, end)
        for i in range(first, last):
            if mine[i] > 0.0:
                conditional -= mine[i] * np.log(mine[i] / share)
                total[i] += mine[i]
                mine[i] = 0.0
    whole = 0.0
    for i in range(size):
        if total[i] > 0.0:
            whole -= total[i] * np.log(total[i])
    return whole - conditional
