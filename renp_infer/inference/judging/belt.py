"""Confidence belt of m1 >= 0: acceptance by likelihood ratio.

Feldman, Cousins, Phys. Rev. D 57, 3873 (1998): at each true mass the data with
the largest likelihood ratio are accepted, until the confidence level is full.
With ``t = chi^2(m1) - min chi^2`` that is ``t <= c(m1)``; c comes from mock
experiments. Nuisances are profiled, so coverage is exact only at the nuisances
that the mocks have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import betabinom

from renp_infer.records import FloatArray

LEVELS = (0.68, 0.90, 0.95)
"""Confidence levels."""


@dataclass(frozen=True)
class Belt:
    """Critical values of the likelihood ratio.

    Attributes
    ----------
    m1_meV : ndarray, shape (g,)
    critical : ndarray, shape (g, 3)
        By mass and level of ``LEVELS``.
    error : ndarray, shape (g, 3)
        Standard error from the number of mocks.
    counts : ndarray, shape (g,)
        Mocks.
    """

    m1_meV: FloatArray
    critical: FloatArray
    error: FloatArray
    counts: FloatArray

    def at(self, m1_meV: FloatArray) -> FloatArray:
        """Critical values, shape (..., 3), between the masses of the belt by interpolation."""
        columns = [np.interp(m1_meV, self.m1_meV, column) for column in self.critical.T]
        return np.stack(columns, axis=-1)


def build_belt(m1_meV: FloatArray, statistics: list[FloatArray]) -> Belt:
    """Belt from the likelihood ratios of mock experiments at each mass.

    Parameters
    ----------
    m1_meV : ndarray, shape (g,)
    statistics : list of ndarray
        At each mass, shape (n,) each.
    """
    critical = np.array([np.quantile(t, LEVELS, method="higher") for t in statistics])
    error = np.array([_quantile_errors(t) for t in statistics])
    return Belt(m1_meV, critical, error, np.array([t.size for t in statistics]))


def _quantile_errors(statistic: FloatArray) -> FloatArray:
    """Half the distance between the quantiles one binomial error above and below."""
    levels = np.array(LEVELS)
    spread = np.sqrt(levels * (1.0 - levels) / statistic.size)
    low = np.quantile(statistic, np.clip(levels - spread, 0.0, 1.0))
    high = np.quantile(statistic, np.clip(levels + spread, 0.0, 1.0))
    return 0.5 * (high - low)


@dataclass(frozen=True)
class BeltCoverage:
    """Coverage of the belt at one true mass.

    Attributes
    ----------
    m1_meV, level, found, error : float
        ``error`` has the binomial errors of these mocks and of those behind
        the critical value.
    p_value : float
        Two-sided, exact for any number of mocks at a mass of the belt, to the interpolation
        of critical values between them: of few mocks the critical value covers more than its
        level, by their number alone.
    """

    m1_meV: float
    level: float
    found: float
    error: float
    p_value: float


def belt_coverage(belt: Belt, m1_meV: float, statistics: FloatArray) -> list[BeltCoverage]:
    """Share of independent mock experiments whose interval contains the true mass.

    Parameters
    ----------
    belt : Belt
    m1_meV : float
        True mass, within the belt.
    statistics : ndarray, shape (n,)
        Its likelihood ratio in each experiment.
    """
    near = float(np.interp(m1_meV, belt.m1_meV, belt.counts))
    rows = []
    for level, critical in zip(LEVELS, belt.at(np.array(m1_meV)), strict=True):
        count, size = int(np.sum(statistics <= critical)), statistics.size
        error = float(np.sqrt(level * (1.0 - level) * (1.0 / size + 1.0 / near)))
        p_value = _p_value(count, size, level, round(near))
        rows.append(BeltCoverage(m1_meV, level, count / size, error, p_value))
    return rows


def _p_value(count: int, size: int, level: float, behind: int) -> float:
    """Two-sided p-value of a count of mocks below an order statistic of others.

    The critical value is the k-th smallest of ``behind``: the share below it is distributed as
    Beta(k, behind + 1 - k), the count as the beta-binomial distribution.
    """
    k = int(np.ceil(level * (behind - 1))) + 1
    law = betabinom(size, k, behind + 1 - k)
    return float(min(1.0, 2.0 * min(law.cdf(count), law.sf(count - 1))))
