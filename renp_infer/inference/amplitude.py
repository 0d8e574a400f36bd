"""The amplitude integrated out of a likelihood, and drawn back afterwards.

It enters linearly, and its prior is log-normal: the integral is by Gauss-Hermite
quadrature around its mode, to 1e-6 where the data fix it better than the prior; a draw
inverts the integral over a grid, to 1e-3 of the amplitude's width.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.prior import LogNormal, Prior
from renp_infer.records import FloatArray

AMPLITUDE = "amplitude"
_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(16)
_GRID: FloatArray = np.linspace(-5.0, 5.0, 161)
"""Nodes of a draw, in the units of Gauss-Hermite nodes: seven standard deviations."""
_NEWTON_STEPS = 20


class AmplitudeMarginal:
    """Likelihood with the amplitude integrated over its prior, if it is free.

    Parameters
    ----------
    likelihood : Likelihood
        Baseline and leakage are fixed, as ``marginal.marginalise`` leaves them.

    Attributes
    ----------
    rest : Prior
        Of the other parameters.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        prior = likelihood.prior
        self._likelihood = likelihood
        self._sd = 0.0
        if isinstance(found := prior.marginals.get(AMPLITUDE), LogNormal):
            self._sd = found.sd
        self.rest = Prior({n: m for n, m in prior.marginals.items() if n != AMPLITUDE}, prior.fixed)
        self._offset_nG: FloatArray = (
            prior.fixed["baseline_nG"] + prior.fixed["leakage"] * likelihood.leakage_nG
        )
        self._pull = self._whitened(likelihood.observation.field_nG[None] - self._offset_nG)[0]
        self._constant = float(
            -np.sum(np.log(likelihood.scale_nG))
            - 0.5 * self._pull.size * np.log(2.0 * np.pi)
            - 0.5 * self._pull @ self._pull
        )

    def templates(self, vectors: FloatArray) -> FloatArray:
        """Expected fields (k, n) less baseline and leakage, nG, at the others (k, d).

        For amplitude 1 if it is free.
        """
        if self._sd:
            place = self._likelihood.prior.names.index(AMPLITUDE)
            vectors = np.insert(vectors, place, 1.0, axis=1)
        return np.array([self._likelihood.mean(vector) for vector in vectors]) - self._offset_nG

    def log_likelihood(self, templates: FloatArray) -> FloatArray:
        """Normalised log-likelihoods (k,) of templates (k, n)."""
        square, overlap = self._moments(templates)
        if not self._sd:
            return self._constant + overlap - 0.5 * square
        middle, width = _mode(square, overlap, self._sd)
        height = self._height(middle + width * _NODES, square, overlap)
        height += _NODES**2 + np.log(_WEIGHTS)
        norm = np.log(width[:, 0] / self._sd) - 0.5 * np.log(2.0 * np.pi)
        return np.asarray(self._constant + logsumexp(height, axis=1) + norm)

    def complete(
        self, vectors: FloatArray, templates: FloatArray, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Draw the amplitude given the others (k, d) and their templates (k, n).

        Returns
        -------
        vectors : ndarray, shape (k, d + 1)
            Of the likelihood's parameters; (k, d) if the amplitude is fixed.
        means : ndarray, shape (k, n)
            Their expected fields, nG.
        """
        if not self._sd:
            return vectors, templates + self._offset_nG
        square, overlap = self._moments(templates)
        middle, width = _mode(square, overlap, self._sd)
        nodes = middle + width * _GRID
        height = self._height(nodes, square, overlap)
        mass = np.cumsum(np.exp(height - height.max(axis=1, keepdims=True)), axis=1)
        shares = rng.uniform(size=len(mass)) * mass[:, -1]
        log_a = [
            np.interp(*row) for row in zip(shares, mass, nodes + 0.5 * _STEP * width, strict=True)
        ]
        amplitude = np.exp(log_a)
        place = self._likelihood.prior.names.index(AMPLITUDE)
        means = amplitude[:, None] * templates + self._offset_nG
        return np.insert(vectors, place, amplitude, axis=1), means

    def _moments(self, templates: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Squares, and overlaps with the data, of templates (k, n), in errors: (k,) each."""
        whitened = self._whitened(templates)
        return np.sum(whitened**2, axis=1), whitened @ self._pull

    def _whitened(self, fields: FloatArray) -> FloatArray:
        likelihood = self._likelihood
        return np.asarray(likelihood.decorrelate(fields.T).T / likelihood.scale_nG)

    def _height(self, log_a: FloatArray, square: FloatArray, overlap: FloatArray) -> FloatArray:
        """Log density (k, m) of log amplitudes (k, m), up to a constant."""
        a = np.exp(log_a)
        return np.asarray(
            a * overlap[:, None] - 0.5 * a**2 * square[:, None] - 0.5 * (log_a / self._sd) ** 2
        )


_STEP = _GRID[1] - _GRID[0]


def _mode(square: FloatArray, overlap: FloatArray, sd: float) -> tuple[FloatArray, FloatArray]:
    """Most probable log amplitude, and root of two standard deviations there, (k, 1)."""
    log_a = np.zeros_like(square)
    for _ in range(_NEWTON_STEPS):
        a = np.exp(log_a)
        slope = a * overlap - a**2 * square - log_a / sd**2
        bend = 2.0 * a**2 * square - a * overlap + sd**-2
        step = slope / np.where(bend > 0.1 * sd**-2, bend, a**2 * square + sd**-2)
        log_a = log_a + np.clip(step, -0.5, 0.5)
    a = np.exp(log_a)
    bend = np.maximum(2.0 * a**2 * square - a * overlap + sd**-2, 0.1 * sd**-2)
    return log_a[:, None], np.sqrt(2.0 / bend)[:, None]
