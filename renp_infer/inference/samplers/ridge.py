"""The ridge of a posterior along the mass, which masses enter squared and so bend.

What the other parameters must do to keep the thresholds in place is a parabola in a light
m1, not a line. Straightened by what they depart from a line, a posterior is nearly normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renp_infer.errors import RenpError
from renp_infer.inference.parameters import MASS
from renp_infer.inference.profiles.descent import Minimum, descend
from renp_infer.inference.samplers.start import Chart
from renp_infer.records import FloatArray

_STEPS, _REACH = 16, 16.0
"""Tries on each side, and the chi-squared above the mode where the ridge ends."""
_COARSE = 4.0
"""Rise of chi-squared in one step beyond which half of it is tried."""
_FARTHEST = 5.0
"""Largest unit coordinate of the mass that the ridge is followed to."""


@dataclass(frozen=True)
class Ridge:
    """How the conditional mode departs from its tangent.

    Attributes
    ----------
    masses : ndarray, shape (r,)
        Unit coordinates of the mass, rising.
    departures : ndarray, shape (r, p)
        Of the parameters that are no phases, 0 for the mass.
    chi_squared : ndarray, shape (r,)
        Of data and prior.
    """

    masses: FloatArray
    departures: FloatArray
    chi_squared: FloatArray


def ridge(chart: Chart, mode: FloatArray, covariance: FloatArray) -> Ridge:
    """Follow the conditional mode at the phases of a mode.

    Parameters
    ----------
    chart : Chart
    mode : ndarray, shape (chart,)
    covariance : ndarray, shape (p, p)
        Of the parameters that are no phases, at the mode.
    """
    plain = chart.others.size
    start = chart.likelihood.prior.unit_slices()[MASS].start
    place = int(np.flatnonzero(chart.others == start)[0])
    found = follow(chart, place, mode, float(np.sqrt(covariance[place, place])))
    rows = np.array([minimum.point for minimum in found])
    if len(rows) < 2:  # neither side could be followed
        return Ridge(mode[place] + np.arange(2.0), np.zeros((2, plain)), np.zeros(2))
    tangent = covariance[:, place] / covariance[place, place]
    departures = rows[:, :plain] - mode[:plain] - np.outer(rows[:, place] - mode[place], tangent)
    departures[:, place] = 0.0
    return Ridge(rows[:, place], departures, np.array([row.chi_squared for row in found]))


def follow(chart: Chart, place: int, mode: FloatArray, step: float) -> list[Minimum]:
    """Conditional modes along one coordinate at the phases of a mode, in its order.

    Where the cosine of a phase reaches its end, a ridge with free phases has a kink.

    Parameters
    ----------
    chart : Chart
    place : int
        The coordinate, in the chart.
    mode : ndarray, shape (chart,)
    step : float
        Twice the first.
    """

    def evaluate(point: FloatArray) -> tuple[FloatArray, FloatArray]:
        return chart.residuals(point), chart.jacobian(point)

    def conditional(point: FloatArray) -> Minimum:
        low, high = np.full(point.size, -np.inf), np.full(point.size, np.inf)
        held = [place, *range(chart.others.size, point.size)]
        low[held] = high[held] = point[held]
        return descend(evaluate, point, low, high)

    middle = conditional(mode)
    sides = []
    for direction in (-1.0, 1.0):
        rows, last, stride = [], middle, 0.5 * step
        for _ in range(_STEPS):
            moved = last.point.copy()
            moved[place] += direction * stride
            try:
                found = conditional(moved)
            except RenpError:
                break
            rise = found.chi_squared - last.chi_squared
            if rise > _COARSE:
                stride *= 0.5
                continue
            rows.append(found)
            if found.chi_squared > middle.chi_squared + _REACH or abs(moved[place]) > _FARTHEST:
                break
            stride *= 1.5 if rise < 1.0 else 1.0
            last = found
        sides.append(rows)
    return [*reversed(sides[0]), middle, *sides[1]]
