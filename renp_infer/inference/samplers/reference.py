"""The density that evidence estimators start from, exactly reweighted to the prior.

An evidence is an average of L over the prior, and of L prior / q over any density
q that covers the posterior. Starting from a q that is near the posterior, samplers
have a few nats of information to find instead of tens, and find them in a region
of simple shape: the same number for a tenth of the work.

q is a product of Student densities in whitened unit coordinates, centred on the
moments of a pilot run from the prior itself; phases keep their prior. Its tails
are heavier than the prior's, so L prior / q is bounded where L is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, ndtri, stdtrit

from renp_infer.inference.priors.marginals import FULL_TURN_DEG
from renp_infer.inference.priors.prior import Prior
from renp_infer.records import FloatArray

TAIL = 5.0
"""Degrees of freedom of the Student densities."""
WIDENING = 1.2
"""Their scale, in standard deviations of the pilot run."""


@dataclass(frozen=True)
class Reference:
    """Density over a prior's parameters: standard coordinates y and phases.

    Unit coordinates of the parameters that are no phases are ``center + factor y``.

    Attributes
    ----------
    prior : Prior
    center : ndarray, shape (p,)
    factor : ndarray, shape (p, p)
        Lower triangular.
    student : bool
        Whether y are Student variables; else normal ones.
    """

    prior: Prior
    center: FloatArray
    factor: FloatArray
    student: bool

    @property
    def plain(self) -> list[int]:
        """Places of the parameters that are no phases."""
        circular = self.prior.circular
        return [k for k, name in enumerate(self.prior.names) if name not in circular]

    @property
    def log_volume(self) -> float:
        """Log determinant of the factor."""
        return float(np.sum(np.log(np.diag(self.factor))))

    def standard(self, cube: FloatArray) -> FloatArray:
        """Coordinates y, shape (..., p), at points of the unit cube (..., d)."""
        plain = cube[..., self.plain]
        return np.asarray(stdtrit(TAIL, plain) if self.student else ndtri(plain))

    def unit(self, standard: FloatArray) -> FloatArray:
        """Unit coordinates of the parameters that are no phases, shape (..., p)."""
        return np.asarray(self.center + standard @ self.factor.T)

    def supports(self, standard: FloatArray) -> bool:
        """Whether the prior is not zero at y (p,)."""
        unit, (low, high) = self.prior.tie_plain(self.unit(standard)), self.prior.unit_support
        plain = self.prior.plain
        return bool(np.all((low[plain] <= unit) & (unit <= high[plain])))

    def vector(self, cube: FloatArray) -> FloatArray:
        """Parameters, shape (..., d), at points of the unit cube (..., d)."""
        unit = self.prior.tie_plain(self.unit(self.standard(cube)))
        vector = FULL_TURN_DEG * cube
        for place, k in enumerate(self.plain):
            marginal = self.prior.marginals[self.prior.names[k]]
            vector[..., k] = marginal.from_unit(unit[..., place : place + 1])
        return vector

    def log_ratio(self, standard: FloatArray) -> float:
        """Log of prior density over reference density at y (p,)."""
        unit = self.center + self.factor @ standard
        if self.student:
            density = -0.5 * (TAIL + 1.0) * np.sum(np.log1p(standard**2 / TAIL))
            density += standard.size * _STUDENT_NORM
        else:
            density = -0.5 * (standard @ standard) + standard.size * _NORMAL_NORM
        prior = -0.5 * (unit @ unit) + unit.size * _NORMAL_NORM
        return float(prior - density + self.log_volume)


_NORMAL_NORM = -0.5 * np.log(2.0 * np.pi)
_STUDENT_NORM = gammaln(0.5 * (TAIL + 1.0)) - gammaln(0.5 * TAIL) - 0.5 * np.log(TAIL * np.pi)


def prior_reference(prior: Prior) -> Reference:
    """The prior itself: the ratio is 1 everywhere."""
    size = len(prior.names) - len(prior.circular)
    return Reference(prior, np.zeros(size), np.eye(size), student=False)


def fitted_reference(reference: Reference, cubes: FloatArray, weights: FloatArray) -> Reference:
    """Density with the moments of a weighted sample.

    Parameters
    ----------
    reference : Reference
        The one the sample started from.
    cubes : ndarray, shape (n, d)
        Points of its unit cube.
    weights : ndarray, shape (n,)
        Positive, of any sum.
    """
    units = reference.center + reference.standard(cubes) @ reference.factor.T
    center = np.average(units, axis=0, weights=weights)
    covariance = np.atleast_2d(np.cov(units.T, aweights=weights))
    factor = WIDENING * np.linalg.cholesky(covariance)
    return Reference(reference.prior, center, factor, student=True)
