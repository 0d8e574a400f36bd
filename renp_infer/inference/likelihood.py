"""The one definition of the likelihood.

Data y, template t(x) and covariance C = L L^T:

    log N(y | amplitude * t + baseline + leakage * e, C), normalised in y,

with a given parity-even template e, which only a free leakage needs.

With D = diag(L), the matrix W = D L^-1 is unit lower triangular. W y has
independent components of standard deviations D and stays a field in nG:
component i is y_i minus what the angles before it predict. For uncorrelated
noise W = 1. Pointwise terms are those of the components, so with a drift
they are the conditional terms p(y_i | y_1 ... y_{i-1}) in angle order; their
sum is the likelihood in either case.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Protocol

import numpy as np
from scipy.linalg import solve_triangular

from renp_infer.errors import DomainError
from renp_infer.finite import faults, require_finite
from renp_infer.inference.prior import RESPONSE_SCALES, Prior
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


_OFFSETS = ("amplitude", "baseline_nG", "leakage")
"""Parameters that the response does not know."""


class _Layout:
    """Where the response's arguments stand in a vector of free parameters.

    ``Prior.to_response_vector`` by index: names are looked up once, not at each call.
    """

    def __init__(self, prior: Prior) -> None:
        self.free = {name: k for k, name in enumerate(prior.names)}
        rows = [(self.free[n], slot, scale) for n, (slot, scale) in prior.response_slots().items()]
        self.places = np.array([row[0] for row in rows], dtype=int)
        self.slots = np.array([row[1] for row in rows], dtype=int)
        self.scales: FloatArray = np.array([row[2] for row in rows])
        self._fixed: FloatArray = np.array(
            [scale * prior.fixed.get(name, np.nan) for name, scale in RESPONSE_SCALES.items()]
        )
        self._offsets = [(self.free.get(n), prior.fixed.get(n, np.nan)) for n in _OFFSETS]

    def arguments(self, vector: FloatArray) -> tuple[FloatArray, float, float, float]:
        """Argument of the response (11,), amplitude, baseline in nG and leakage."""
        x = self._fixed.copy()
        x[self.slots] = self.scales * vector[self.places]
        amplitude, baseline, leakage = (
            fixed if place is None else float(vector[place]) for place, fixed in self._offsets
        )
        return x, amplitude, baseline, leakage


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
    leakage_nG : ndarray, shape (n,)
        Parity-even field e of leakage 1.

    Raises
    ------
    DomainError
        If the covariance is not positive definite, or the leakage is free and
        its template not given.
    NonFiniteError
        If data, covariance or the leakage's template are not finite.
    """

    def __init__(
        self,
        prior: Prior,
        response: ResponseLike,
        observation: Observation,
        leakage_nG: FloatArray | None = None,
    ) -> None:
        if leakage_nG is None:
            if prior.fixed.get("leakage") != 0.0:
                raise DomainError("leakage_nG", None, "a template, for a leakage")
            leakage_nG = np.zeros_like(observation.field_nG)
        self.leakage_nG = leakage_nG
        self.prior, self.response, self.observation = prior, response, observation
        self._layout = _Layout(prior)
        angles = observation.theta_s
        require_finite("field_nG", observation.field_nG, prior.fixed, angles)
        require_finite("leakage_nG", leakage_nG, prior.fixed, angles)
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
        x, amplitude, baseline, leakage = self._layout.arguments(vector)
        mean = amplitude * self.response(x)[0] + (baseline + leakage * self.leakage_nG)
        return self._checked("response", mean, vector)

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
        x, amplitude, baseline, leakage = layout.arguments(vector)
        template, by_slot = self.response(x)
        jacobian = np.empty((template.size, vector.size))
        jacobian[:, layout.places] = by_slot[:, layout.slots] * (amplitude * layout.scales)
        columns: tuple[FloatArray | float, ...] = (template, 1.0, self.leakage_nG)
        for name, column in zip(_OFFSETS, columns, strict=True):
            if name in layout.free:
                jacobian[:, layout.free[name]] = column
        mean = amplitude * template + (baseline + leakage * self.leakage_nG)
        return self._checked("response", mean, vector), self._checked("jacobian", jacobian, vector)

    def _checked(self, quantity: str, field: FloatArray, vector: FloatArray) -> FloatArray:
        if not np.all(np.isfinite(field)):  # values are only looked up when they are needed
            require_finite(quantity, field, self.prior.values(vector))
        return field


def _cholesky(covariance: FloatArray) -> FloatArray:
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        factor = np.full_like(covariance, np.nan)
    if not np.all(np.isfinite(factor)):
        raise DomainError("covariance_nG2", covariance, "positive definite")
    return factor
