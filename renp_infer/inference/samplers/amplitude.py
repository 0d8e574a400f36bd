"""The amplitude integrated out of a likelihood, and drawn back afterwards.

It enters linearly, and its prior is log-normal: the integral is by Gauss-Hermite
quadrature around its mode, whose log is good to 5e-9 for a spread of up to 0.2, 2e-6 for 0.3
and 1e-3 for 0.5, where data and prior are three standard deviations apart or less, and to
1e-5, 1e-4 and 2e-2 up to six, also where the data have the other sign; a draw inverts the
integral over a grid, to 1e-3 of the amplitude's width.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np

from renp_infer.finite import faults
from renp_infer.inference.likelihood import Likelihood, sum_of
from renp_infer.inference.parameters import AMPLITUDE
from renp_infer.inference.priors.marginals import LogNormal, Marginal
from renp_infer.records import FloatArray

WIDEST_SD = 0.5
"""Largest standard deviation of log amplitude that is integrated."""
_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(16)
_GRID: FloatArray = np.linspace(-5.0, 5.0, 161)
"""Nodes of a draw, in the units of Gauss-Hermite nodes: seven standard deviations."""
_STEP = _GRID[1] - _GRID[0]
FLOOR = 0.05
"""Keeps a first guess of the amplitude positive whatever the data."""
_NEWTON_STEPS, _LEAP = 8, 3.0


def is_usual(marginal: Marginal | None) -> TypeGuard[LogNormal]:
    """Whether a prior of the amplitude is the one that integrals are for: around 1."""
    return isinstance(marginal, LogNormal) and marginal.median == 1.0


class AmplitudeMarginal:
    """Likelihood with the amplitude integrated over its prior, if it is free.

    A prior wider than ``WIDEST_SD`` would need more nodes where data say little: there the
    amplitude stays one of the parameters, as it does with another prior, and beside offsets
    that are free.

    Parameters
    ----------
    likelihood : Likelihood
        As ``marginal.marginalise`` leaves it: offsets are fixed, but for those whose prior
        is not Gaussian.

    Attributes
    ----------
    likelihood : Likelihood
        Of all parameters.
    prior : Prior
        Of the other parameters.
    sd : float
        Of the log amplitude that is integrated; 0 if none is.
    pull : ndarray, shape (n,)
        Whitened data less all fixed offsets, in errors.
    constant : float
        Log-likelihood without a signal.

    Raises
    ------
    NonFiniteError
        If the data are too far from no signal for a number.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        prior = likelihood.prior
        self.likelihood, self.sd, self.prior = likelihood, 0.0, prior
        found = prior.marginals.get(AMPLITUDE)
        free = set(likelihood.shapes) & set(prior.names)
        integrates = not free and AMPLITUDE not in likelihood.external.held | prior.tied
        if integrates and is_usual(found) and found.sd <= WIDEST_SD:
            self.sd, self.prior = found.sd, prior.rest([AMPLITUDE])
        self._parameters = replace(self.prior, fixed={AMPLITUDE: 1.0, **prior.fixed})
        shapes = likelihood.shapes.items()
        self._offset = sum_of(prior.fixed.get(n, 0.0) * e for n, e in shapes)
        self.pull = self._whitened(likelihood.data.vector[None] - self._offset)[0]
        with faults("log-likelihood", prior.fixed) as finite:
            self.constant = float(
                -np.sum(np.log(likelihood.whitening.scale))
                - 0.5 * self.pull.size * np.log(2.0 * np.pi)
                - 0.5 * finite(self.pull @ self.pull)
            )

    def templates(self, vectors: FloatArray) -> FloatArray:
        """Expected data (k, n) less all fixed offsets, at the others (k, d).

        For amplitude 1 if it is integrated.
        """
        if self.sd:
            place = self.likelihood.prior.names.index(AMPLITUDE)
            vectors = np.insert(vectors, place, 1.0, axis=1)
        return self.likelihood.means(vectors) - self._offset

    def log_likelihood(self, vector: FloatArray) -> float:
        """Normalised log-likelihood, with constraints, at the other parameters (d,)."""
        level = self.of_templates(self.templates(vector[None]))[0]
        return float(level + self.constrained(vector[None])[0])

    def constrained(self, vectors: FloatArray) -> FloatArray:
        """Log density (k,) of the constraints at the other parameters (k, d); 0 without any."""
        external = self.likelihood.external
        return (
            external.log_density(self._parameters, vectors) if external else np.zeros(len(vectors))
        )

    def of_templates(self, templates: FloatArray) -> FloatArray:
        """Normalised log-likelihoods (k,) of templates (k, n), without constraints."""
        square, overlap = self._moments(templates)
        if not self.sd:
            return self.constant + overlap - 0.5 * square
        return np.asarray(self.constant + log_integral(square, overlap, self.sd))

    def complete(
        self, vectors: FloatArray, templates: FloatArray, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Draw the amplitude given the others (k, d) and their templates (k, n).

        Returns
        -------
        vectors : ndarray, shape (k, d + 1)
            Of the likelihood's parameters; (k, d) if the amplitude is not integrated.
        means : ndarray, shape (k, n)
            Their expected data.
        """
        if not self.sd:
            return vectors, templates + self._offset
        square, overlap = self._moments(templates)
        middle, width = (part[:, None] for part in _mode(square, overlap, self.sd, np))
        nodes = middle + width * _GRID
        height = _height(nodes, square, overlap, self.sd, np)
        mass = np.cumsum(np.exp(height - height.max(axis=1, keepdims=True)), axis=1)
        shares = rng.uniform(size=len(mass)) * mass[:, -1]
        log_a = [
            np.interp(*row) for row in zip(shares, mass, nodes + 0.5 * _STEP * width, strict=True)
        ]
        amplitude = np.exp(log_a)
        place = self.likelihood.prior.names.index(AMPLITUDE)
        means = amplitude[:, None] * templates + self._offset
        return np.insert(vectors, place, amplitude, axis=1), means

    def _moments(self, templates: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Squares, and overlaps with the data, of templates (k, n), in errors: (k,) each."""
        whitened = self._whitened(templates)
        return np.sum(whitened**2, axis=1), whitened @ self.pull

    def _whitened(self, rows: FloatArray) -> FloatArray:
        return self.likelihood.whitening.white(rows.T).T


def log_integral(square: Any, overlap: Any, sd: Any, xp: Any = np) -> Any:
    """``log Int dA LogNormal(A; 0, sd) exp(A overlap - A^2 square / 2)``, elementwise.

    Parameters
    ----------
    square, overlap : arrays or graph variables of one shape
        Of a whitened template: with itself, and with the data.
    sd : float
    xp : module
        ``numpy``, or ``pytensor.tensor`` for variables of a graph.
    """
    middle, width = _mode(square, overlap, sd, xp)
    nodes = middle[..., None] + width[..., None] * _NODES
    height = _height(nodes, square, overlap, sd, xp) + (_NODES**2 + np.log(_WEIGHTS))
    top = xp.max(height, axis=-1)
    total = xp.log(xp.sum(xp.exp(height - top[..., None]), axis=-1))
    return top + total + xp.log(width / sd) - 0.5 * np.log(2.0 * np.pi)


def _mode(square: Any, overlap: Any, sd: Any, xp: Any) -> tuple[Any, Any]:
    """Most probable log amplitude, and root of two standard deviations there."""
    precision = sd**-2
    fitted = (overlap + precision) / (square + precision)
    log_a = xp.log(0.5 * (fitted + xp.sqrt(fitted**2 + FLOOR**2)))
    for _ in range(_NEWTON_STEPS):
        a = xp.exp(log_a)
        slope = a * overlap - a**2 * square - log_a * precision
        # the exact curvature, but for where a large overlap would turn it round
        bend = xp.maximum(2.0 * a**2 * square - a * overlap, a**2 * square) + precision
        log_a = log_a + xp.clip(slope / bend, -_LEAP, _LEAP)
    a = xp.exp(log_a)
    bend = xp.maximum(2.0 * a**2 * square - a * overlap, 0.5 * a**2 * square) + precision
    return log_a, xp.sqrt(2.0 / bend)


def _height(log_a: Any, square: Any, overlap: Any, sd: Any, xp: Any) -> Any:
    """Log density (..., m) of log amplitudes (..., m), up to a constant."""
    a = xp.exp(log_a)
    return a * overlap[..., None] - 0.5 * a**2 * square[..., None] - 0.5 * (log_a / sd) ** 2
