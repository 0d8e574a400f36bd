"""Coordinates of the amplitudes and baselines of several data sets, for the PyMC model.

As of one data set, they are sampled relative to what the data say of them at the values of
all other parameters: each crystal has an amplitude, each run a baseline, and a template of
other phases or thresholds needs other amplitudes. With templates ``C`` (n, g), one for each
amplitude and 0 where it does not count, fields ``E`` (n, r) of the baselines and precisions
of the data ``W``, the baselines follow the amplitudes by a Gaussian of constant width, and
the amplitudes all else by one that is Gaussian in their logarithms where its own mode is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import AMPLITUDE, parted
from renp_infer.inference.priors.prior_graph import constant
from renp_infer.inference.samplers.amplitude import FLOOR
from renp_infer.records import BoolArray, FloatArray

_HALF_LOG_TURN = 0.5 * float(np.log(2.0 * np.pi))


class BlockFit:
    """Amplitudes and baselines of groups, relative to their fit.

    Parameters
    ----------
    likelihood : Likelihood
        Of several data sets.
    linear : tuple of str
        Names of the amplitudes and baselines that are sampled here.
    template : variable, shape (n,)
        What amplitudes of 1 give, multiplicative systematics included.
    data : variable, shape (n,)
        Decorrelated data without the offsets that are not sampled here.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        linear: tuple[str, ...],
        template: TensorVariable,
        data: Any,
    ) -> None:
        whitening, prior = likelihood.whitening, likelihood.prior
        self.amplitudes = tuple(name for name in linear if parted(name)[0] == AMPLITUDE)
        self.baselines = tuple(name for name in linear if name not in self.amplitudes)
        self._scale = whitening.scale
        masks = masks_of(likelihood, self.amplitudes)
        columns = template[:, None] * constant(masks)
        if whitening.decorrelation is not None:
            columns = pt.dot(constant(whitening.decorrelation), columns)
        columns, self._data = columns / constant(self._scale)[:, None], data / self._scale
        # without amplitudes the one column is the signal, and known
        self._columns, self._known = columns, np.float64(0.0)
        if not self.amplitudes:
            self._known = columns[:, 0]
            self._data = self._data - self._known
        shapes = [whitening.decorrelate(likelihood.shapes[name]) for name in self.baselines]
        size = likelihood.data.vector.size
        self._fields = np.reshape(shapes, (len(shapes), size)).T / self._scale[:, None]
        marginals: list[Any] = [prior.marginals[name] for name in self.baselines]
        self._sd = np.array([marginal.sd for marginal in marginals])
        self._mean = np.array([marginal.mean for marginal in marginals])
        # amplitudes of crystals that a run has together are tied by its baseline
        overlap = np.abs(masks.T) @ np.abs(self._fields) > 0.0
        self._coupled = (overlap @ overlap.T) | np.eye(len(overlap), dtype=bool)
        found: list[Any] = [prior.marginals[name] for name in self.amplitudes]
        self._log_sd = np.array([marginal.sd for marginal in found])

    def add_to_model(self, relative: TensorVariable) -> tuple[dict[str, Any], Any]:
        """Each by name, and what all of them give in the decorrelated data (n,)."""
        weights = np.diag(self._sd**-2.0)
        precision = self._fields.T @ self._fields + weights
        inverse = np.linalg.inv(precision)
        pull = pt.dot(constant(self._fields.T), self._data) + constant(weights @ self._mean)
        values: dict[str, Any] = {}
        count, signal = len(self.amplitudes), pt.zeros_like(self._data)
        if self.amplitudes:
            amplitudes = self._amplitudes(relative[:count], inverse, pull)
            signal = pt.dot(self._columns, amplitudes)
            values = {name: amplitudes[k] for k, name in enumerate(self.amplitudes)}
        if self.baselines:
            own = pull - pt.dot(constant(self._fields.T), signal)
            width = np.linalg.cholesky(inverse)
            fitted = pt.dot(constant(inverse), own)
            baselines = fitted + pt.dot(constant(width), relative[count:])
            unit = (baselines - constant(self._mean)) / constant(self._sd)
            sizes = float(np.sum(np.log(np.diag(width))) - np.sum(np.log(self._sd)))
            pm.Potential("baseline_prior", pt.sum(_log_normal(unit)) + np.float64(sizes))
            values |= {name: baselines[k] for k, name in enumerate(self.baselines)}
            signal = signal + pt.dot(constant(self._fields), baselines)
        return values, constant(self._scale) * (self._known + signal)

    def _amplitudes(
        self, relative: TensorVariable, inverse: FloatArray, pull: TensorVariable
    ) -> TensorVariable:
        """Amplitudes (g,): their logarithms are relative to a fit, the baselines profiled."""
        shared = pt.dot(self._columns.T, constant(self._fields))
        information = pt.dot(self._columns.T, self._columns)
        information = information - pt.dot(shared, pt.dot(constant(inverse), shared.T))
        own = pt.dot(self._columns.T, self._data) - pt.dot(shared, pt.dot(constant(inverse), pull))
        weights = self._log_sd**-2.0
        diagonal = constant(np.diag(weights))
        lower = _cholesky(information + diagonal, self._coupled)
        fitted = pt.stack(_backward(lower, _forward(lower, own + constant(weights))))
        center = 0.5 * (fitted + pt.sqrt(fitted**2 + np.float64(FLOOR**2)))
        within = center[:, None] * information * center[None, :] + diagonal
        lower = _cholesky(within, self._coupled)
        numbers = [relative[k] for k in range(len(self.amplitudes))]
        logs = pt.log(center) + pt.stack(_backward(lower, numbers))
        sizes = -sum(pt.log(row[k]) for k, row in enumerate(lower))
        sizes = sizes - np.float64(np.sum(np.log(self._log_sd)))
        density = pt.sum(_log_normal(logs / constant(self._log_sd)))
        pm.Potential("amplitude_prior", density + sizes)
        return pt.exp(logs)


type Lower = list[list[Any]]
"""Rows of a triangular matrix of graph scalars; 0.0 where it has nothing."""


def _cholesky(matrix: TensorVariable, there: BoolArray) -> Lower:
    """Cholesky factor, entry by entry: few of them, and less to compile than a general one.

    ``there`` (g, g) says which entries of the matrix are not 0.
    """
    lower: Lower = []
    for i in range(len(there)):
        row: list[Any] = []
        for j in range(i):
            entry = matrix[i, j] if there[i, j] else 0.0
            entry = _less(entry, row, lower[j])
            row.append(entry / lower[j][j] if _is_there(entry) else 0.0)
        lower.append([*row, pt.sqrt(_less(matrix[i, i], row, row))])
    return lower


def _forward(lower: Lower, target: TensorVariable) -> list[Any]:
    """Solution of L x = b, entry by entry."""
    found: list[Any] = []
    for i, row in enumerate(lower):
        found.append(_less(target[i], row, found) / row[i])
    return found


def _backward(lower: Lower, target: list[Any]) -> list[Any]:
    """Solution of the transposed system."""
    found: list[Any] = []
    for i in reversed(range(len(lower))):
        below = [lower[k][i] for k in range(len(lower) - 1, i, -1)]
        found.append(_less(target[i], below, found) / lower[i][i])
    return found[::-1]


def _less(entry: Any, first: Sequence[Any], second: Sequence[Any]) -> Any:
    """An entry without the products of two rows, as far as both go."""
    for one, other in zip(first, second, strict=False):
        if _is_there(one) and _is_there(other):
            entry = entry - one * other
    return entry


def _is_there(entry: Any) -> bool:
    return not isinstance(entry, float)


def masks_of(likelihood: Likelihood, amplitudes: tuple[str, ...]) -> FloatArray:
    """Where each amplitude counts (n, g): 1 there, else 0.

    A common one does everywhere, and so does the whole signal where there is none.
    """
    own: Mapping[str, FloatArray] = getattr(likelihood.response, "masks", {})
    everywhere = np.ones(likelihood.data.vector.size)
    return np.array([own.get(name, everywhere) for name in amplitudes or ("",)]).T


def _log_normal(unit: Any) -> Any:
    return -0.5 * unit**2 - np.float64(_HALF_LOG_TURN)
