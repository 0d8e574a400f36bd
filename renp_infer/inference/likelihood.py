"""The one definition of the likelihood.

Data y, template t(x) and covariance C = L L^T:

    log N(y | amplitude * t + Sum_k b_k e_k, C), normalised in y,

with offsets b_k, the baseline among them, and the fields e_k of an offset of 1: uniform
for the baseline, given for the others, which only those that are not 0 need.

With D = diag(L), the matrix W = D L^-1 is unit lower triangular. W y has
independent components of standard deviations D and stays a field in nG:
component i is y_i minus what the angles before it predict. For uncorrelated
noise W = 1. Pointwise terms are those of the components, so with a drift
they are the conditional terms p(y_i | y_1 ... y_{i-1}) in angle order; their
sum is the likelihood in either case.
"""

from __future__ import annotations

import copy
import functools
import operator
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np
from scipy.linalg import solve_triangular

from renp_infer.errors import DomainError
from renp_infer.finite import faults, require_finite
from renp_infer.inference.parameters import AMPLITUDE, PARAMETERS
from renp_infer.inference.prior import Prior
from renp_infer.records import FloatArray, Observation


class ResponseLike(Protocol):
    """What inference needs of a response.

    Two optional attributes make NUTS run it as machine code: ``kernel``, a
    compiled function ``kernel(x, *tables) -> (template, jacobian)``, and
    ``tables``, a tuple of arrays of floats or integers.
    """

    @property
    def theta_s(self) -> FloatArray:
        """Trigger angles, shape (n,), rad."""

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Template (n,) in nG and exact Jacobian (n, 11) at ``x`` (11,)."""


class _Layout:
    """Where the response's arguments stand in a vector of free parameters.

    ``Prior.to_response_vector`` by index: names are looked up once, not at each call.
    """

    def __init__(self, prior: Prior, shapes: Collection[str]) -> None:
        self.free = {name: k for k, name in enumerate(prior.names)}
        rows = [(self.free[n], slot, scale) for n, (slot, scale) in prior.response_slots().items()]
        self.places = np.array([row[0] for row in rows], dtype=int)
        self.slots = np.array([row[1] for row in rows], dtype=int)
        self.scales: FloatArray = np.array([row[2] for row in rows])
        self._fixed: FloatArray = np.array(
            [scale * prior.fixed.get(name, np.nan) for name, scale in PARAMETERS.scales.items()]
        )
        self.amplitude = self._entry(prior, AMPLITUDE)
        self.offsets = [self._entry(prior, name) for name in shapes]

    def _entry(self, prior: Prior, name: str) -> tuple[int | None, float]:
        """Place among the free parameters, or value."""
        return self.free.get(name), prior.fixed.get(name, np.nan)

    def argument(self, vector: FloatArray) -> FloatArray:
        """Argument of the response (11,)."""
        x = self._fixed.copy()
        x[self.slots] = self.scales * vector[self.places]
        return x


def _value(entry: tuple[int | None, float], vector: FloatArray) -> float:
    place, fixed = entry
    return fixed if place is None else float(vector[place])


class Likelihood:
    """Likelihood of one observation under one prior's parameters.

    Attributes
    ----------
    prior : Prior
    response : ResponseLike
    cholesky : ndarray, shape (n, n)
        Lower factor L of the covariance, nG.
    scale_nG : ndarray, shape (n,)
        Standard deviations D of the decorrelated components.
    decorrelation : ndarray, shape (n, n), or None
        W = D L^-1; ``None`` for uncorrelated noise, where it is 1.
    data_nG : ndarray, shape (n,)
        Decorrelated data W y.
    shapes : dict
        Fields e (n,), nG, of offsets of 1: of the baseline, and of all others that are
        not fixed at 0.

    Raises
    ------
    DomainError
        If the covariance is not positive definite, or the shape of an offset is
        not given that is not 0.
    NonFiniteError
        If data, covariance or the shape of an offset are not finite.
    """

    def __init__(
        self,
        prior: Prior,
        response: ResponseLike,
        observation: Observation,
        shapes: Mapping[str, FloatArray] | None = None,
    ) -> None:
        self.shapes = shapes_of(prior, observation.field_nG.size, shapes)
        self.prior, self.response, self.observation = prior, response, observation
        self._layout = _Layout(prior, self.shapes)
        angles = observation.theta_s
        require_finite("field_nG", observation.field_nG, prior.fixed, angles)
        for name, shape in self.shapes.items():
            require_finite(f"shape of {name}", shape, prior.fixed, angles)
        require_finite("covariance_nG2", observation.covariance_nG2, prior.fixed, angles)
        self.cholesky = _cholesky(observation.covariance_nG2)
        self.scale_nG: FloatArray = np.diag(self.cholesky).copy()
        self.decorrelation: FloatArray | None = None
        if np.any(np.tril(self.cholesky, -1)):
            with faults("decorrelation", prior.fixed) as finite:
                inverse = solve_triangular(self.cholesky, np.eye(self.scale_nG.size), lower=True)
                self.decorrelation = finite(self.scale_nG[:, None] * inverse)
        self.data_nG = self.decorrelate(observation.field_nG)

    def with_field(self, field_nG: FloatArray) -> Likelihood:
        """Use prior, response and noise for other data (n,), nG."""
        require_finite("field_nG", field_nG, self.prior.fixed, self.observation.theta_s)
        other = copy.copy(self)
        other.observation = replace(self.observation, field_nG=field_nG)
        other.data_nG = self.decorrelate(field_nG)
        return other

    def decorrelate(self, field_nG: FloatArray) -> FloatArray:
        """Independent components W y, nG, of fields with shape (n, ...)."""
        return field_nG if self.decorrelation is None else self.decorrelation @ field_nG

    def mean(self, vector: FloatArray) -> FloatArray:
        """Expected field, shape (n,), nG, at free parameters (d,).

        Raises
        ------
        NonFiniteError
            If the response is not finite; carries the parameter values.
        """
        layout = self._layout
        template = self.response(layout.argument(vector))[0]
        mean = _value(layout.amplitude, vector) * template + self.offset(vector)
        return self._checked("response", mean, vector)

    def offset(self, vector: FloatArray) -> FloatArray:
        """Field (n,), nG, that is not the signal's: of all offsets, at free parameters (d,)."""
        entries = zip(self._layout.offsets, self.shapes.values(), strict=True)
        return sum_of(_value(entry, vector) * shape for entry, shape in entries)

    def pointwise(self, vector: FloatArray) -> FloatArray:
        """Log-likelihood of each component, shape (n,).

        Raises
        ------
        NonFiniteError
            If the response or a term is not finite; carries the parameter values.
        """
        mean = self.mean(vector)
        with np.errstate(over="ignore"):  # seen by the check
            terms = self.pointwise_at_mean(mean)
        return self._checked("log-likelihood", terms, vector)

    def pointwise_at_mean(self, mean_nG: FloatArray) -> FloatArray:
        """Log-likelihood of each component, shape (n,), given the mean."""
        pull = (self.data_nG - self.decorrelate(mean_nG)) / self.scale_nG
        return -0.5 * (pull**2 + np.log(2.0 * np.pi)) - np.log(self.scale_nG)

    def log_likelihood(self, vector: FloatArray) -> float:
        """Normalised log-likelihood at free parameters (d,)."""
        return float(np.sum(self.pointwise(vector)))

    def gradient(self, vector: FloatArray) -> FloatArray:
        """Gradient of the log-likelihood by the free parameters, shape (d,)."""
        mean, jacobian = self.linearise(vector)
        weight = (self.data_nG - self.decorrelate(mean)) / self.scale_nG**2
        return np.asarray(weight @ self.decorrelate(jacobian))

    def log_posterior(self, vector: FloatArray) -> float:
        """Log prior plus log-likelihood; -inf only outside the prior."""
        log_prior = self.prior.log_density(vector)
        return log_prior + self.log_likelihood(vector) if np.isfinite(log_prior) else log_prior

    def linearise(self, vector: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Expected field (n,) and its derivatives (n, d) by free parameter.

        Raises
        ------
        NonFiniteError
            If either is not finite; carries the parameter values.
        """
        layout = self._layout
        amplitude = _value(layout.amplitude, vector)
        template, by_slot = self.response(layout.argument(vector))
        jacobian = np.empty((template.size, vector.size))
        jacobian[:, layout.places] = by_slot[:, layout.slots] * (amplitude * layout.scales)
        linear = zip(
            (layout.amplitude, *layout.offsets), (template, *self.shapes.values()), strict=True
        )
        for (place, _), column in linear:
            if place is not None:
                jacobian[:, place] = column
        mean = amplitude * template + self.offset(vector)
        return self._checked("response", mean, vector), self._checked("jacobian", jacobian, vector)

    def _checked(self, quantity: str, field: FloatArray, vector: FloatArray) -> FloatArray:
        if not np.all(np.isfinite(field)):  # values are only looked up when they are needed
            require_finite(quantity, field, self.prior.values(vector))
        return field


def sum_of(fields: Iterable[FloatArray]) -> FloatArray:
    """Sum of one or more fields, from the first on."""
    return functools.reduce(operator.add, fields)


def shapes_of(
    prior: Prior, size: int, given: Mapping[str, FloatArray] | None
) -> dict[str, FloatArray]:
    """Fields of offsets of 1, in the order of the table; an offset that is 0 needs none."""
    found = {}
    for name, shape in PARAMETERS.offsets.items():
        if shape is None:
            found[name] = np.ones(size)
        elif given is not None and name in given:
            found[name] = given[name]
        elif prior.fixed.get(name) != 0.0:
            raise DomainError(f"shape of {name}", None, "a field, for an offset that is not 0")
    return found


def _cholesky(covariance: FloatArray) -> FloatArray:
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        factor = np.full_like(covariance, np.nan)
    if not np.all(np.isfinite(factor)):
        raise DomainError("covariance_nG2", covariance, "positive definite")
    return factor
