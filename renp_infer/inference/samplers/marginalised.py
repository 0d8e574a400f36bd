"""Parameters that can be integrated, and drawn back afterwards.

The offsets enter the mean linearly and have Gaussian priors. Integrating
them adds sd^2 e e^T to the covariance, with e their shape (of correlated ones, E S E^T):
the same Gaussian likelihood with fewer parameters. One with another prior stays. Phases that
the response does not depend on (all of them, for Dirac neutrinos) integrate to 1. What a
constraint is about stays. With delta = 0, alpha31
stands for alpha31 - 2 delta, the only way in which either is seen: its prior is uniform
as well, and delta integrates to 1. All of it is exact; what is left of the linear
parameters is the amplitude, which is integrated numerically (``amplitude.py``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.marginals import FULL_TURN_DEG, is_gaussian
from renp_infer.inference.priors.phases import ALPHA31, DELTA
from renp_infer.inference.priors.prior import Prior
from renp_infer.inference.samplers.amplitude import AmplitudeMarginal
from renp_infer.records import FloatArray

_TRIED = 8


@dataclass(frozen=True)
class Marginalised:
    """A likelihood of fewer parameters, and the way back to all of them.

    Attributes
    ----------
    full : Likelihood
        Of every free parameter.
    target : AmplitudeMarginal
        Integrated over the others; its prior has the rest.
    """

    full: Likelihood
    target: AmplitudeMarginal

    def complete(
        self, vectors: FloatArray, templates: FloatArray, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Draw the integrated parameters given the others.

        Parameters
        ----------
        vectors : ndarray, shape (n, k)
            Of the target's parameters.
        templates : ndarray, shape (n, angles)
            Its templates there.
        rng : numpy.random.Generator

        Returns
        -------
        vectors : ndarray, shape (n, d)
            Of all free parameters.
        log_posterior : ndarray, shape (n,)
            Log prior plus log-likelihood of these.
        """
        vectors, means = self.target.complete(vectors, templates, rng)
        names, rest = self.full.prior.names, self.target.likelihood.prior.names
        complete = self.full.prior.sample(rng, len(vectors))  # unseen ones keep their prior
        complete[:, [names.index(name) for name in rest]] = vectors
        if _turns(self.full.prior, rest):
            delta, phase = names.index(DELTA), names.index(ALPHA31)
            turned = complete[:, phase] + 2.0 * complete[:, delta]
            complete[:, phase] = np.mod(turned, FULL_TURN_DEG)
        linear = _linear(self.full)
        if linear:
            columns, centre = [names.index(name) for name in linear], _means(self.full, linear)
            complete[:, columns] = centre + self._linear(linear, means, rng)
            means = means + (complete[:, columns] - centre) @ _design(self.full, linear).T
        log_posterior = [
            self.full.prior.log_density(vector) + np.sum(self.full.pointwise_at_mean(mean))
            for vector, mean in zip(complete, means, strict=True)
        ]
        return complete, np.array(log_posterior) + self.full.constrained(complete)

    def _linear(self, names: list[str], means: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Linear parameters less their prior means, shape (n, l).

        From their Gaussian given the mean (n, angles) with them at their prior means.
        """
        full = self.full
        design = full.whitening.white(_design(full, names))
        precision = design.T @ design + np.linalg.inv(_covariance(full, names))
        pulls = full.pulls(means)
        fitted = np.linalg.solve(precision, design.T @ pulls.T).T
        spread = np.linalg.inv(np.linalg.cholesky(precision))
        return fitted + rng.standard_normal(fitted.shape) @ spread


def marginalise(likelihood: Likelihood, rng: np.random.Generator) -> Marginalised:
    """Integrate over all parameters for which that is exact.

    Parameters
    ----------
    likelihood : Likelihood
    rng : numpy.random.Generator
        For the points at which phases are seen to have no effect.
    """
    prior, data = likelihood.prior, likelihood.data
    linear = _linear(likelihood)
    design, covariance = _design(likelihood, linear), _covariance(likelihood, linear)
    external = likelihood.external
    gone = {*linear, *(set(_unseen(likelihood, rng)) - external.seen)}
    if external.turns and _turns(prior, {*prior.names} - gone - {DELTA}):
        gone.add(DELTA)
    means = dict(zip(linear, _means(likelihood, linear).tolist(), strict=True))
    rest = prior.rest(gone, dict.fromkeys(gone, 0.0) | means)
    wider = replace(data, covariance=data.covariance + design @ covariance @ design.T)
    integrated = Likelihood(
        rest, likelihood.response, wider, likelihood.shapes, external, likelihood.factors
    )
    return Marginalised(likelihood, AmplitudeMarginal(integrated))


def _turns(prior: Prior, rest: Collection[str]) -> bool:
    """Whether alpha31 stands for itself less twice a free delta that is integrated."""
    turning = DELTA in prior.names and ALPHA31 in prior.circular
    return turning and ALPHA31 in rest and DELTA not in rest


def _design(likelihood: Likelihood, names: list[str]) -> FloatArray:
    """Shapes of the linear parameters, shape (n, l)."""
    columns = [likelihood.shapes[name] for name in names]
    return np.array(columns).reshape(len(names), likelihood.data.vector.size).T


def _linear(likelihood: Likelihood) -> list[str]:
    """Free offsets with Gaussian priors that are correlated with nothing else."""
    prior = likelihood.prior
    found = {name for name in likelihood.shapes if is_gaussian(prior.marginals.get(name))}
    for block in prior.blocks:
        if not set(block.names) <= found:
            found -= set(block.names)
    return [name for name in prior.names if name in found]


def _means(likelihood: Likelihood, names: list[str]) -> FloatArray:
    """Prior means (l,) of linear parameters."""
    marginals = likelihood.prior.marginals
    return np.array([marginals[name].from_unit(np.zeros(1)) for name in names])


def _covariance(likelihood: Likelihood, names: list[str]) -> FloatArray:
    """Prior covariance (l, l) of linear parameters."""
    prior, slices = likelihood.prior, likelihood.prior.unit_slices()
    places = [slices[name].start for name in names]
    sds = np.array([1.0 / prior.marginals[name].pull(0.0)[1] for name in names])
    ties = prior.ties[places]
    return np.asarray(sds[:, None] * (ties @ ties.T) * sds)


def _unseen(likelihood: Likelihood, rng: np.random.Generator) -> list[str]:
    """Phases by which the exact Jacobian is zero wherever it is tried."""
    prior, slots = likelihood.prior, likelihood.prior.response_slots()
    points = [prior.to_response_vector(draw) for draw in prior.sample(rng, _TRIED)]
    slopes = np.array([likelihood.response(point)[1] for point in points])
    return [name for name in prior.circular if not np.any(slopes[:, :, slots[name][0]])]
