"""A monotone map of one coordinate, in which a density given along it is normal.

A light mass has a posterior that ends at 0 and falls ever more steeply towards heavy masses: in
the unit coordinate of its prior a slope on one side and a wall on the other, which no one
step suits. Mapped by its own distribution function it is a standard normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.special import ndtri_exp

from renp_infer.records import FloatArray

_DENSE = 2000
_KNOTS = np.linspace(-5.0, 5.0, 81)
_END = 40.0
"""Chi-squared above the least at which a density is followed no further."""


@dataclass(frozen=True)
class Stretch:
    """Map of a round coordinate q to a given one z.

    A cubic spline on even knots, straight outside of them.

    Attributes
    ----------
    knots : ndarray, shape (r,)
    table : ndarray, shape (4, r - 1)
        Coefficients of the cubics, highest power first; rising everywhere.
    """

    knots: FloatArray
    table: FloatArray

    def __call__(self, q: float) -> tuple[float, float, float]:
        """Given coordinate, and its first and second derivative."""
        low, high = self.knots[0], self.knots[-1]
        at = min(max(q, low), high)
        spacing = self.knots[1] - low
        cell = min(int((at - low) / spacing), self.knots.size - 2)
        t = at - self.knots[cell]
        cubic, square, linear, constant = self.table[:, cell]
        value = ((cubic * t + square) * t + linear) * t + constant
        slope = (3.0 * cubic * t + 2.0 * square) * t + linear
        bend = 6.0 * cubic * t + 2.0 * square if low < q < high else 0.0
        return value + slope * (q - at), slope, bend

    def inverse(self, z: float) -> float:
        """Round coordinate of a given one."""
        values = np.append(self.table[3], self(self.knots[-1])[0])
        for end, outside in ((0, z < values[0]), (-1, z > values[-1])):
            if outside:
                return float(self.knots[end] + (z - values[end]) / self(self.knots[end])[1])
        q = float(np.interp(z, values, self.knots))
        for _ in range(4):
            value, slope, _ = self(q)
            q -= (value - z) / slope
        return q


UNCHANGED = Stretch(np.array([-1.0, 1.0]), np.array([[0.0], [0.0], [1.0], [-1.0]]))


def stretch(z: FloatArray, chi_squared: FloatArray) -> Stretch:
    """Map that makes exp(-chi_squared / 2) standard normal.

    Parameters
    ----------
    z : ndarray, shape (r,)
        Rising.
    chi_squared : ndarray, shape (r,)
        Beyond the ends it goes on along its last slopes.

    Returns
    -------
    Stretch
        ``UNCHANGED`` where chi-squared does not rise towards both ends.
    """
    if z.size < 4:
        return UNCHANGED
    excess = CubicSpline(z, chi_squared - chi_squared.min())
    ends, slopes = z[[0, -1]], excess(z[[0, -1]], 1)
    if not slopes[0] < 0.0 < slopes[1]:
        return UNCHANGED
    low, high = ends + np.maximum(_END - excess(ends), 1.0) / slopes
    dense = np.linspace(low, high, _DENSE)
    inside = np.clip(dense, *ends)
    beyond = np.where(dense < inside, slopes[0], slopes[1]) * (dense - inside)
    density = np.exp(-0.5 * (excess(inside) + beyond))
    below = cumulative_trapezoid(density, dense, initial=0.0)
    above = -cumulative_trapezoid(density[::-1], dense[::-1], initial=0.0)[::-1]
    with np.errstate(divide="ignore"):
        left, right = (ndtri_exp(np.log(part / below[-1])) for part in (below, above))
    q = np.where(below < above, left, -right)
    kept = np.isfinite(q)
    q, dense = q[kept], dense[kept]
    if q[0] > _KNOTS[0] or q[-1] < _KNOTS[-1] or not np.all(np.diff(q) > 0.0):
        return UNCHANGED
    spline = CubicSpline(_KNOTS, PchipInterpolator(q, dense)(_KNOTS), bc_type="natural")
    middle = np.linspace(_KNOTS[0], _KNOTS[-1], 8 * _KNOTS.size)
    if not np.all(spline(middle, 1) > 0.0):
        return UNCHANGED
    return Stretch(_KNOTS, np.ascontiguousarray(spline.c))
