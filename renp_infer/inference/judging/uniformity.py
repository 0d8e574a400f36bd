"""Are ranks uniform, do intervals cover: exact tests of calibration.

The ECDF test follows Saeilynoja, Buerkner, Vehtari, Stat. Comput. 32, 32
(2022): the count of ranks below each point is binomial; the statistic is the
smallest two-sided tail probability over all points; its null distribution is
calculated exactly, point after point, without simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binom, binomtest

from renp_infer.records import FloatArray

_POINTS = 50
_SMALLEST = 1e-12
_ROUNDING = 1.0 + 1e-9
"""Tail probabilities of mirrored counts are the same but for this factor."""


class EcdfTest:
    """Test of ``n`` independent numbers against the uniform distribution on (0, 1).

    Parameters
    ----------
    n : int
        At least 1.

    Attributes
    ----------
    points : ndarray, shape (k,)
        Where the ECDF is looked at.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        count = min(n, _POINTS) + 1
        self.points: FloatArray = np.arange(1, count) / count
        counts, points = np.arange(n + 1), self.points[:, None]
        below = binom.cdf(counts, n, points)
        above = binom.sf(counts - 1, n, points)
        self._tails: FloatArray = np.minimum(1.0, 2.0 * np.minimum(below, above))

    def p_value(self, fractions: FloatArray) -> float:
        """Probability, under uniformity, of an ECDF at least as extreme."""
        counts = np.searchsorted(np.sort(fractions), self.points, side="right")
        statistic = self._tails[np.arange(counts.size), counts].min()
        return max(0.0, 1.0 - self._inside(float(statistic)))

    def band(self, false_alarm: float) -> tuple[FloatArray, FloatArray]:
        """Simultaneous band of the ECDF at ``points``.

        Parameters
        ----------
        false_alarm : float
            Probability that a uniform sample leaves the band, at most.

        Returns
        -------
        low, high : ndarray, shape (k,)
        """

        def excess(log_tail: float) -> float:
            return 1.0 - self._inside(float(np.exp(log_tail))) - false_alarm

        tail = np.exp(brentq(excess, np.log(_SMALLEST), 0.0, xtol=1e-3))
        inside = self._tails > tail * _ROUNDING
        low = inside.argmax(axis=1)
        high = self.n - inside[:, ::-1].argmax(axis=1)
        return low / self.n, high / self.n

    def _inside(self, tail: float) -> float:
        """Probability that all tail probabilities are larger than ``tail``."""
        probability, counts, reached = np.ones(1), np.zeros(1, dtype=int), 0.0
        for point, tails in zip(self.points, self._tails, strict=True):
            allowed = np.flatnonzero(tails > tail * _ROUNDING)
            step = (point - reached) / (1.0 - reached)
            gained = allowed[None, :] - counts[:, None]
            moves = binom.pmf(gained, (self.n - counts)[:, None], step)
            probability, counts, reached = probability @ moves, allowed, point
        return float(probability.sum())


@dataclass(frozen=True)
class Coverage:
    """How often intervals contain the truth.

    Attributes
    ----------
    nominal, found, error : float
        Stated probability, share of intervals that cover, its binomial error.
    p_value : float
        Two-sided, exact.
    """

    nominal: float
    found: float
    error: float
    p_value: float


def coverage(covered: NDArray[np.bool_], nominal: float) -> Coverage:
    """Test a stated coverage.

    Parameters
    ----------
    covered : ndarray of bool, shape (n,)
    nominal : float
    """
    n, hits = covered.size, int(np.sum(covered))
    error = float(np.sqrt(nominal * (1.0 - nominal) / n))
    return Coverage(nominal, hits / n, error, float(binomtest(hits, n, nominal).pvalue))
