"""Likelihood with the linear parameters integrated out.

Amplitude, baseline and leakage enter linearly. Baseline and leakage are
integrated exactly; the log-normal amplitude by Gauss-Hermite quadrature around
its mode, to 1e-6 where the data fix it better than the prior.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.prior import LogNormal, Normal, Prior
from renp_infer.records import FloatArray

LINEAR = ("amplitude", "baseline_nG", "leakage")
_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(16)
_NEWTON_STEPS = 20


class LinearMarginal:
    """Likelihood with amplitude, baseline and leakage integrated over their priors.

    Parameters
    ----------
    likelihood : Likelihood

    Attributes
    ----------
    rest : Prior
        Of the other parameters.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        prior = likelihood.prior
        rest = {n: m for n, m in prior.marginals.items() if n not in LINEAR}
        self.rest = Prior(rest, prior.fixed)
        self.likelihood = likelihood
        ones = np.ones_like(likelihood.scale_nG)
        shapes = {"baseline_nG": ones, "leakage": likelihood.leakage_nG}
        known, columns = likelihood.data_nG, []
        for name, shape in shapes.items():
            whole = likelihood.decorrelate(shape)
            marginal = prior.marginals.get(name)
            if isinstance(marginal, Normal):
                columns.append(marginal.sd * whole / likelihood.scale_nG)
            else:
                known = known - prior.fixed[name] * whole
        design = np.array(columns).reshape(len(columns), known.size)
        # priors of the integrated parts are centred on 0: they only add covariance
        factor = np.linalg.cholesky(np.eye(known.size) + design.T @ design)
        self._whitener: FloatArray = np.linalg.inv(factor) / likelihood.scale_nG
        self._data = self._whitener @ known
        self._constant = float(
            -np.sum(np.log(likelihood.scale_nG))
            - np.sum(np.log(np.diag(factor)))
            - 0.5 * known.size * np.log(2.0 * np.pi)
        )

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """Log-likelihoods (k,) at the other parameters (k, d)."""
        templates = np.array([self._template(vector) for vector in vectors])
        square = np.sum(templates**2, axis=1)
        overlap = templates @ self._data
        marginal = self.likelihood.prior.marginals.get("amplitude")
        total = self._constant - 0.5 * float(self._data @ self._data)
        if isinstance(marginal, LogNormal):
            return total + _over_amplitude(square, overlap, marginal.sd)
        amplitude = self.rest.fixed["amplitude"]
        return total + amplitude * overlap - 0.5 * amplitude**2 * square

    def _template(self, vector: FloatArray) -> FloatArray:
        likelihood, values = self.likelihood, self.rest.values(vector)
        full = np.array(
            [values.get(n, 1.0 if n == "amplitude" else 0.0) for n in likelihood.prior.names]
        )
        x, _, _ = likelihood.prior.to_response_vector(full)
        template = likelihood.decorrelate(likelihood.response(x)[0])
        return self._whitener @ template


def _over_amplitude(square: FloatArray, overlap: FloatArray, sd: float) -> FloatArray:
    """``log Int dA LogNormal(A; 0, sd) exp(A overlap - A^2 square / 2)``, (k,)."""
    log_a = np.zeros_like(square)
    for _ in range(_NEWTON_STEPS):
        a = np.exp(log_a)
        slope = a * overlap - a**2 * square - log_a / sd**2
        bend = 2.0 * a**2 * square - a * overlap + sd**-2
        step = slope / np.where(bend > 0.1 * sd**-2, bend, a**2 * square + sd**-2)
        log_a = log_a + np.clip(step, -0.5, 0.5)
    a = np.exp(log_a)
    bend = np.maximum(2.0 * a**2 * square - a * overlap + sd**-2, 0.1 * sd**-2)
    width = np.sqrt(2.0 / bend)
    nodes = log_a[:, None] + width[:, None] * _NODES
    a = np.exp(nodes)
    height = a * overlap[:, None] - 0.5 * a**2 * square[:, None] - 0.5 * (nodes / sd) ** 2
    height += _NODES**2 + np.log(_WEIGHTS)
    return logsumexp(height, axis=1) + np.log(width / sd) - 0.5 * np.log(2.0 * np.pi)
