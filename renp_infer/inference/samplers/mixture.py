"""Mixture of Gaussians in unit coordinates and phases: proposals of weighted draws."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp

from renp_infer.finite import faults
from renp_infer.records import FloatArray

WIDEST = 1.8
"""Largest width of a component in a phase, rad; three turns hold it."""
SCALES = ((1.05, 0.75), (1.5, 0.15), (1.2, 0.10))
"""Each component is three Gaussians: widths by that of the posterior, and shares. The first
follows a normal posterior closely, the second covers what is not normal in others, and the
third is long, see ``LENGTH``."""
LENGTH = 4.0
"""Width of the third Gaussian along the coordinate that bends, by that of the posterior, but
no more than the prior's. Where a posterior comes up to an end of the prior of m1 it has there
the tail of the prior, in which the others are too thin: single draws would carry the weight."""
_PRIOR_SHARE = 0.05
"""Share of the prior: no weight is more than 20 times the likelihood."""


Bend = Callable[[FloatArray], FloatArray]
"""Points (n, k) to shifts (n, k) by a function of one coordinate that is not shifted."""


def no_bend(points: FloatArray) -> FloatArray:
    """Straight coordinates."""
    return np.zeros_like(points)


class Mixture:
    """Gaussians in unit coordinates and angles, beside a share of the prior.

    The Gaussians are those of points less their bend, which has determinant 1.

    Attributes
    ----------
    weights : ndarray, shape (c,)
    centers : ndarray, shape (c, k)
    covariances : ndarray, shape (c, k, k)
        Of the posterior around each center.
    phases : int
        The last coordinates that are angles, rad.
    bend : callable
    along : int
        The coordinate that it is a function of.
    """

    def __init__(
        self,
        weights: FloatArray,
        centers: FloatArray,
        covariances: FloatArray,
        phases: int,
        bend: Bend = no_bend,
        along: int = 0,
    ) -> None:
        self.weights, self.centers, self.phases = weights / weights.sum(), centers, phases
        self.covariances, self.bend, self.along = covariances, bend, along
        with faults("covariance of the proposals", {}):
            self._factors = np.array(
                [
                    [np.linalg.cholesky(_bounded(shape(one), phases)) for one in covariances]
                    for shape in self._shapes()
                ]
            )
        self._inverses = np.linalg.inv(self._factors)
        turns = itertools.product((-1, 0, 1), repeat=phases)
        self._turns = 2.0 * np.pi * np.array(list(turns), dtype=float).reshape(3**phases, phases)

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw points, shape (n, k)."""
        count, size = self.centers.shape
        chosen = rng.choice(count + 1, size=n, p=self._shares())
        scale = rng.choice(len(SCALES), size=n, p=[share for _, share in SCALES])
        points = rng.standard_normal((n, size))
        prior = chosen == count
        points[prior, size - self.phases :] = rng.uniform(-np.pi, np.pi, (prior.sum(), self.phases))
        for s, c in itertools.product(range(len(SCALES)), range(count)):
            mine = (chosen == c) & (scale == s)
            points[mine] = self.centers[c] + points[mine] @ self._factors[s, c].T
        points[~prior] += self.bend(points[~prior])
        return points

    def log_density(self, points: FloatArray) -> FloatArray:
        """Log density, shape (n,), at points (n, k)."""
        shares = self._shares()
        parts = [np.log(shares[-1]) + self.log_prior(points)]
        points = points - self.bend(points)
        parts += [np.log(shares[c]) + self._component(points, c) for c in range(len(shares) - 1)]
        return np.asarray(logsumexp(parts, axis=0))

    def log_prior(self, points: FloatArray) -> FloatArray:
        """Log prior density, shape (n,)."""
        plain = points[:, : points.shape[1] - self.phases]
        normal = -0.5 * np.sum(plain**2 + np.log(2.0 * np.pi), axis=1)
        return np.asarray(normal - self.phases * np.log(2.0 * np.pi))

    def refitted(self, points: FloatArray, weights: FloatArray) -> Mixture:
        """Mixture with the moments of weighted points, one step of expectation maximisation."""
        points = points - self.bend(points)
        parts = np.array([self._component(points, c) for c in range(len(self.centers))])
        parts = np.exp(parts + np.log(self.weights)[:, None] - logsumexp(
            parts, axis=0, b=self.weights[:, None]
        )) * weights  # fmt: skip
        kept = [c for c in range(len(self.centers)) if parts[c].sum() > 1e-3 * weights.sum()]
        moments = [self._moments(points, parts[c], c) for c in kept]
        return Mixture(
            parts[kept].sum(axis=1),
            np.array([center for center, _ in moments]),
            np.array([covariance for _, covariance in moments]),
            self.phases,
            self.bend,
            self.along,
        )

    def _moments(
        self, points: FloatArray, share: FloatArray, c: int
    ) -> tuple[FloatArray, FloatArray]:
        """Center and covariance of one component's points.

        The former ones count as some draws: few cannot throw it about or narrow it to nothing.
        """
        distances = self._from_center(points, c)
        share = share / share.sum()
        shift = share @ distances
        spread = (distances - shift).T @ ((distances - shift) * share[:, None])
        count, prior_count = 1.0 / np.sum(share**2), 2.0 * points.shape[1]
        blended = (count * spread + prior_count * self.covariances[c]) / (count + prior_count)
        center = self.centers[c] + shift * count / (count + prior_count)
        first = center.size - self.phases
        center[first:] = within_half_a_turn(center[first:])
        return center, blended

    def _from_center(self, points: FloatArray, c: int) -> FloatArray:
        distances = points - self.centers[c]
        first = distances.shape[1] - self.phases
        distances[:, first:] = within_half_a_turn(distances[:, first:])
        return distances

    def _component(self, points: FloatArray, c: int) -> FloatArray:
        """Log density of one component, wrapped around the phases."""
        distances = self._from_center(points, c)
        size = distances.shape[1]
        terms, signs = [], []
        for s, (_, share) in enumerate(SCALES):
            inverse = self._inverses[s, c]
            norm = np.sum(np.log(np.diag(inverse))) - 0.5 * size * np.log(2.0 * np.pi)
            whitened = distances @ inverse.T
            for turn in self._turns @ inverse[:, size - self.phases :].T:
                terms.append(norm - 0.5 * np.sum((whitened + turn) ** 2, axis=1))
                signs.append(share)
        return np.asarray(logsumexp(terms, axis=0, b=np.array(signs)[:, None]))

    def _shapes(self) -> list[Callable[[FloatArray], FloatArray]]:
        """Covariance of each of a component's Gaussians, from the posterior's."""
        (close, _), (wide, _), (long, _) = SCALES
        return [
            lambda one: close**2 * one,
            lambda one: wide**2 * one,
            lambda one: _stretched(long**2 * one, self.along),
        ]

    def _shares(self) -> FloatArray:
        return np.append((1.0 - _PRIOR_SHARE) * self.weights, _PRIOR_SHARE)


def within_half_a_turn(angles: FloatArray) -> FloatArray:
    """The same directions, rad, between -pi and pi."""
    return np.asarray(angles - 2.0 * np.pi * np.round(angles / (2.0 * np.pi)))


def _bounded(covariance: FloatArray, phases: int) -> FloatArray:
    """Covariance with no phase wider than what three turns hold."""
    shrink = np.ones(len(covariance))
    if phases:
        widths = np.sqrt(np.diag(covariance)[-phases:])
        shrink[-phases:] = np.minimum(1.0, WIDEST / widths)
    return covariance * np.outer(shrink, shrink)


def _stretched(covariance: FloatArray, along: int) -> FloatArray:
    """Covariance longer along a coordinate, which the others follow as they did."""
    variance = covariance[along, along]
    longer = max(variance, min(LENGTH**2 * variance, 1.0))
    follow = covariance[along] / variance
    return np.asarray(covariance + (longer - variance) * np.outer(follow, follow))
