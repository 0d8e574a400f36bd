"""Numba kernels: phases as directions in planes, turned by one another."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit


@njit(cache=True, nogil=True)
def directions(point, planes, mixing):
    """Point (k,) with each plane's pair replaced by the unit vector of its phase.

    ``planes`` (p,) are the pairs' first places. The phases are ``mixing`` (p, p) times
    the pairs' angles.
    """
    turned = point.copy()
    for i in range(planes.size):
        angle = 0.0
        for j in range(planes.size):
            angle += mixing[i, j] * np.arctan2(point[planes[j] + 1], point[planes[j]])
        turned[planes[i]], turned[planes[i] + 1] = np.cos(angle), np.sin(angle)
    return turned


@njit(cache=True, nogil=True)
def by_pairs(gradient, turned, point, planes, mixing, freedom):
    """Log density of the radii, and the gradient by the pairs (k,).

    ``gradient`` is that at ``turned``, the directions of ``point``. Squared radii are
    chi-squared with ``freedom`` (p,) degrees of freedom. Constants are left out.
    """
    pulled, density = gradient.copy(), 0.0
    for j in range(planes.size):
        x, y = point[planes[j]], point[planes[j] + 1]
        square, power = x * x + y * y, 0.5 * freedom[j] - 1.0
        density += power * np.log(square) - 0.5 * square
        along = 0.0
        for i in range(planes.size):
            first, second = planes[i], planes[i] + 1
            slope = gradient[second] * turned[first] - gradient[first] * turned[second]
            along += mixing[i, j] * slope
        radial = 2.0 * power / square - 1.0
        pulled[planes[j]] = radial * x - along * y / square
        pulled[planes[j] + 1] = radial * y + along * x / square
    return density, pulled
