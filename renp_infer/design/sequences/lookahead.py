"""Two measurements at once: bounds of what pairs tell, and what the first may read.

A first measurement of an amplitude tells nothing of the mass, and a second nothing without
it. So the value of a first setting a is

    V(a) = E_y max[ I_a / T_a, max_b (I_a + I_b(y)) / (T_a + T_b) ],

information per second of it alone, or with the best next one b after it read y
(``design.sequences.sequential.choose``). The mean over y is one over quantiles of its mixture of
Gaussians. Which a are worth it, bounds of all pairs say: a Gaussian has the largest entropy of
its covariance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from renp_infer.records import FloatArray

READINGS = 8
"""Quantiles at which a reading is looked at: a value errs by up to 4 %, 1 % in the mean."""
_HALVINGS = 48
"""Bisections of a quantile: to 4e-15 of the span of all components."""
_REACH = 8.0
"""Half width of a component, in standard deviations, where a quantile is sought."""


@dataclass(frozen=True)
class PairMoments:
    """Covariances of what two measurements at any angles would read, without their noise.

    Attributes
    ----------
    total : ndarray, shape (a, a)
        Over all states.
    given : ndarray, shape (k, a, a)
        Of each state; where the rest of m1 is asked for too, given that.
    weights : ndarray, shape (k,)
        Probabilities of the states, sum 1.
    """

    total: FloatArray
    given: FloatArray
    weights: FloatArray

    @classmethod
    def of(
        cls,
        weights: FloatArray,
        means: FloatArray,
        slopes: FloatArray,
        covariances: FloatArray,
        rest: bool,
    ) -> PairMoments:
        """Moments of states at the angles of a menu.

        Parameters
        ----------
        weights : ndarray, shape (k,)
        means : ndarray, shape (k, a)
            Expected readings.
        slopes : ndarray, shape (k, a, d)
        covariances : ndarray, shape (k, d, d)
        rest : bool
            Whether the first of d is asked for.
        """
        through = slopes @ covariances
        own = through @ slopes.transpose(0, 2, 1)
        away = means - weights @ means
        total = np.einsum("k,ka,kb->ab", weights, away, away) + np.einsum("k,kab->ab", weights, own)
        if rest:
            by_rest = through[:, :, 0] / np.sqrt(covariances[:, 0, 0])[:, None]
            own = own - by_rest[:, :, None] * by_rest[:, None, :]
        return cls(total, own, weights)

    def bounds(self, first_sigma: float, second_sigma: float) -> FloatArray:
        """More than what pairs tell together, nat, (a, a): first angle, then second.

        H(y | g) is at least the mean entropy of the Gaussians in g.
        """
        whole = _log_determinant(self.total[None], first_sigma, second_sigma)[0]
        parts = _log_determinant(self.given, first_sigma, second_sigma)
        return np.asarray(0.5 * (whole - np.tensordot(self.weights, parts, axes=1)))


def _log_determinant(covariance: FloatArray, first: float, second: float) -> FloatArray:
    """Log determinant of pairs of readings with independent noise, (k, a, a)."""
    variances = np.diagonal(covariance, axis1=1, axis2=2)
    left, right = (variances + first**2)[:, :, None], (variances + second**2)[:, None, :]
    together = np.log1p(-(covariance**2) / (left * right))
    return np.asarray(np.log(left) + np.log(right) + together)


def likely_readings(weights: FloatArray, means: FloatArray, sds: FloatArray) -> FloatArray:
    """Quantiles (i + 1/2) / n of a mixture of Gaussians (k,), equally probable, (n,)."""
    levels = (np.arange(READINGS) + 0.5) / READINGS
    low = np.full(READINGS, np.min(means - _REACH * sds))
    high = np.full(READINGS, np.max(means + _REACH * sds))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = ndtr((middle[:, None] - means) / sds) @ weights < levels
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(0.5 * (low + high))
