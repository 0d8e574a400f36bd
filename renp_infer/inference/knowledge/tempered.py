"""Draws of a standard normal times a likelihood that leaves little of it.

A Gaussian is refitted to weighted draws of its own while the likelihood is raised to powers
that grow to 1, each as large as the weights allow (annealed importance sampling with refits).
A share of the normal itself stays in the proposal, so no weight is far above the likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from scipy.special import gammaln

from renp_infer.errors import ContradictionError, ConvergenceError
from renp_infer.records import FloatArray

LEAST = 1e-6
"""Mean likelihood below which a prior and its constraints contradict each other."""
_BATCH, _ROUNDS = 4000, 40
"""Draws of a round, and rounds at most."""
_EFFECTIVE = 0.1
"""Share of a round's draws that a power may leave effective."""
_OVERSAMPLED = 10
"""Weighted draws made for each one of equal weight."""
_PLAIN = 0.2
"""Share of the standard normal in a proposal."""
_DEGREES, _WIDER = 5.0, 1.2
"""Of freedom of the rest, a Student t, and how much wider it is than the draws it follows."""
_JITTER = 1e-12


@dataclass(frozen=True)
class _Weighted:
    """Draws (k, d), log of normal over proposal (k,), and log-likelihood (k,)."""

    points: FloatArray
    log_ratio: FloatArray
    log_likelihood: FloatArray

    def weights(self, power: float) -> FloatArray:
        """Of each draw (k,) under a power of the likelihood, their sum 1."""
        log_weights = self.log_ratio + power * self.log_likelihood
        weights = np.exp(log_weights - np.max(log_weights))
        return np.asarray(weights / weights.sum())

    def effective(self, power: float) -> float:
        """Number of equal draws that they are worth (Kish)."""
        return float(1.0 / np.sum(self.weights(power) ** 2))

    def allowed(self) -> float:
        """Largest power, up to 1, that leaves enough of them effective."""
        least = _EFFECTIVE * self.log_ratio.size
        if self.effective(1.0) >= least:
            return 1.0
        if self.effective(0.0) <= least:
            return 0.0
        spared = scipy.optimize.brentq(
            lambda power: self.effective(power) - least, 0.0, 1.0, xtol=1e-6
        )
        return float(spared)


@dataclass(frozen=True)
class _Proposal:
    """A Student t of centre (d,) and Cholesky factor (d, d), with a share of the normal."""

    center: FloatArray
    factor: FloatArray

    @classmethod
    def after(cls, found: _Weighted, power: float) -> _Proposal:
        weights = found.weights(power)
        center = weights @ found.points
        away = found.points - center
        covariance = (away * weights[:, None]).T @ away + _JITTER * np.eye(center.size)
        return cls(center, _WIDER * np.linalg.cholesky(covariance))

    def draw(
        self, rng: np.random.Generator, n: int, likelihood: Callable[[FloatArray], FloatArray]
    ) -> _Weighted:
        size = self.center.size
        round_draws = rng.standard_normal((n, size))
        stretch = np.sqrt(_DEGREES / rng.chisquare(_DEGREES, n))
        points = self.center + (stretch[:, None] * round_draws) @ self.factor.T
        plain = rng.uniform(size=n) < _PLAIN
        points[plain] = round_draws[plain]
        normal = -0.5 * np.sum(points**2, axis=1) - 0.5 * size * np.log(2.0 * np.pi)
        own = np.linalg.solve(self.factor, (points - self.center).T)
        student = (
            gammaln(0.5 * (_DEGREES + size))
            - gammaln(0.5 * _DEGREES)
            - 0.5 * size * np.log(_DEGREES * np.pi)
            - np.sum(np.log(np.diag(self.factor)))
            - 0.5 * (_DEGREES + size) * np.log1p(np.sum(own**2, axis=0) / _DEGREES)
        )
        density = np.logaddexp(np.log(_PLAIN) + normal, np.log1p(-_PLAIN) + student)
        return _Weighted(points, normal - density, likelihood(points))


def tempered_units(
    log_likelihood: Callable[[FloatArray], FloatArray],
    size: int,
    rng: np.random.Generator,
    n: int,
) -> FloatArray:
    """Draws (n, size) of equal weight of a standard normal times a likelihood.

    Parameters
    ----------
    log_likelihood : callable
        Of points (k, size), at most 0, shape (k,).
    size : int
    rng : numpy.random.Generator
    n : int
        Draws; they are resampled from `_OVERSAMPLED` times as many weighted ones, so some may
        be there twice.

    Raises
    ------
    ContradictionError
        If the normal's mean likelihood is below ``LEAST``.
    ConvergenceError
        If fewer than ``n`` of the weighted draws are effective.
    """
    proposal, power = _Proposal(np.zeros(size), np.eye(size)), 0.0
    for _ in range(_ROUNDS):
        found = proposal.draw(rng, _BATCH, log_likelihood)
        before, power = power, found.allowed()
        proposal = _Proposal.after(found, power)
        if before == power == 1.0:
            break
    found = proposal.draw(rng, _OVERSAMPLED * n, log_likelihood)
    share = float(np.mean(np.exp(found.log_ratio + found.log_likelihood)))
    if share < LEAST:
        raise ContradictionError("share of the prior that constraints leave", share, LEAST)
    effective, weights = found.effective(1.0), found.weights(1.0)
    if effective < n:
        raise ConvergenceError("draws of the prior with constraints", 1.0 / effective, 1.0 / n)
    # one comb over the weights: no draw is there more often than its weight asks for
    teeth = (rng.uniform() + np.arange(n)) / n
    picked = np.searchsorted(np.cumsum(weights), teeth).clip(max=weights.size - 1)
    return rng.permutation(found.points[picked])
