"""The one definition of the likelihood.

Data y, template t(x) and covariance C = L L^T:

    log N(y | amplitude * t + Sum_k b_k e_k, C), normalised in y,

with offsets b_k, the baseline among them, and the fields e_k of an offset of 1: uniform
for the baseline, given for the others, which only those that are not 0 need. Multiplicative
systematics z_j make amplitude * (1 + Sum_j z_j m_j) of the amplitude.

Data are a vector without unit here; ``measurement.data`` makes its components W y
independent, of standard deviations D. Pointwise terms are those of the components, so
with a drift they are the conditional terms p(y_i | y_1 ... y_{i-1}) in the order of the
data; their sum is the likelihood in either case.
"""

from __future__ import annotations

import copy
import functools
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.finite import require_finite
from renp_infer.inference.knowledge.external import NOTHING, External
from renp_infer.inference.parameters import AMPLITUDE
from renp_infer.inference.priors.prior import Prior
from renp_infer.measurement.data import Data, Whitening
from renp_infer.records import FloatArray

type Entry = tuple[int | None, float]
"""Place of a parameter among the free ones; or none, and its value."""


class ResponseLike(Protocol):
    """What inference needs of a response.

    Two optional attributes make NUTS run it as machine code: ``kernel``, a
    compiled function ``kernel(x, *tables) -> (template, jacobian)``, and
    ``tables``, a tuple of arrays of floats or integers. A third, ``templates(points)``, gives
    templates alone where that is cheaper, see ``templates_at``.
    """

    @property
    def theta_s(self) -> FloatArray:
        """Trigger angle of each entry of the data, shape (n,), rad."""

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Template (n,) of the data and exact Jacobian (n, 12) at ``x`` (12,).

        Of several data sets with parameters of their own there are more than 12.
        """


def template_at(response: ResponseLike, x: FloatArray) -> FloatArray:
    """Template (n,) of a response, without its Jacobian if it can."""
    return templates_at(response, x[None])[0]


def templates_at(response: ResponseLike, points: FloatArray) -> FloatArray:
    """Templates (k, n) of a response at points (k, slots), without Jacobians if it can."""
    alone: Callable[[FloatArray], FloatArray] | None = getattr(response, "templates", None)
    return np.array([response(x)[0] for x in points]) if alone is None else alone(points)


class _Layout:
    """Where the response's arguments stand in a vector of free parameters.

    ``Prior.to_response_vector`` by index: names are looked up once, not at each call.
    """

    def __init__(self, prior: Prior, shapes: Collection[str], factors: Collection[str]) -> None:
        self.free = {name: k for k, name in enumerate(prior.names)}
        rows = [(self.free[n], slot, scale) for n, (slot, scale) in prior.response_slots().items()]
        self.places = np.array([row[0] for row in rows], dtype=int)
        self.slots = np.array([row[1] for row in rows], dtype=int)
        self.scales: FloatArray = np.array([row[2] for row in rows])
        self._fixed: FloatArray = np.array(
            [scale * prior.fixed.get(name, np.nan) for name, scale in prior.table.scales.items()]
        )
        # where each data set has its own factor, there is no common one
        self.amplitude = self._entry(prior, AMPLITUDE, otherwise=1.0)
        self.offsets = [self._entry(prior, name) for name in shapes]
        self.factors = [self._entry(prior, name) for name in factors]

    def _entry(self, prior: Prior, name: str, otherwise: float = np.nan) -> Entry:
        """Place among the free parameters, or value."""
        return self.free.get(name), prior.fixed.get(name, otherwise)

    def argument(self, vectors: FloatArray) -> FloatArray:
        """Argument of the response (..., 12) at (..., d)."""
        x = np.empty((*vectors.shape[:-1], self._fixed.size))
        x[:] = self._fixed
        x[..., self.slots] = self.scales * vectors[..., self.places]
        return x


def _value(entry: Entry, vector: FloatArray) -> float:
    place, fixed = entry
    return fixed if place is None else float(vector[place])


def _column(entry: Entry, vectors: FloatArray) -> FloatArray | float:
    """Values (..., 1) of one parameter at (..., d)."""
    place, fixed = entry
    return fixed if place is None else vectors[..., place, None]


class Likelihood:
    """Likelihood of data under one prior's parameters.

    Attributes
    ----------
    prior : Prior
    response : ResponseLike
    data : Data
    whitening : Whitening
        Of its noise.
    decorrelated : ndarray, shape (n,)
        Independent components W y of the data.
    shapes : dict
        What offsets of 1 add, e (n,): of the baseline, and of all others that are
        not fixed at 0.
    external : External
        What else is known: a term of the posterior beside that of the data.
    factors : dict
        Templates m (n,) of free parameters by which the signal is multiplied.

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
        data: Data,
        shapes: Mapping[str, FloatArray] | None = None,
        external: External = NOTHING,
        factors: Mapping[str, FloatArray] | None = None,
    ) -> None:
        self.shapes = shapes_of(prior, data.vector.size, shapes)
        self.factors = dict(factors or {})
        self.prior, self.response, self.data = prior, response, data
        self.external = external
        self._layout = _Layout(prior, self.shapes, self.factors)
        require_finite(str(data.label), data.vector, prior.fixed, data.theta_s)
        for name, shape in self.shapes.items():
            require_finite(f"shape of {name}", shape, prior.fixed, data.theta_s)
        self.whitening = Whitening.of(data, prior.fixed)
        self.decorrelated = self.whitening.decorrelate(data.vector)

    def with_data(self, vector: FloatArray) -> Likelihood:
        """Use prior, response and noise for other data (n,)."""
        require_finite(str(self.data.label), vector, self.prior.fixed, self.data.theta_s)
        other = copy.copy(self)
        other.data = replace(self.data, vector=vector)
        other.decorrelated = self.whitening.decorrelate(vector)
        return other

    def with_external(self, external: External) -> Likelihood:
        """Use all the rest with other external knowledge."""
        other = copy.copy(self)
        other.external = external
        return other

    def pulls(self, means: FloatArray) -> FloatArray:
        """Independent components of data minus expectations (..., n), in errors.

        Standard normal if model and noise are right.
        """
        expected = self.whitening.decorrelate(means.T).T
        return np.asarray((self.decorrelated - expected) / self.whitening.scale)

    def mean(self, vector: FloatArray) -> FloatArray:
        """Expected data, shape (n,), at free parameters (d,).

        Raises
        ------
        NonFiniteError
            If the response is not finite; carries the parameter values.
        """
        return self.means(vector[None])[0]

    def means(self, vectors: FloatArray) -> FloatArray:
        """Expected data (k, n) at free parameters (k, d).

        Raises
        ------
        NonFiniteError
            If the response is not finite; carries the first such parameter values.
        """
        layout = self._layout
        templates = templates_at(self.response, layout.argument(vectors)) * self.factor(vectors)
        means = _column(layout.amplitude, vectors) * templates + self.offset(vectors)
        if not np.all(np.isfinite(means)):
            for mean, vector in zip(means, vectors, strict=True):
                self._checked("response", mean, vector)
        return means

    def offset(self, vectors: FloatArray) -> FloatArray:
        """What in the expected data (..., n) is of all offsets, at free parameters (..., d)."""
        entries = zip(self._layout.offsets, self.shapes.values(), strict=True)
        return sum_of(_column(entry, vectors) * shape for entry, shape in entries)

    def factor(self, vectors: FloatArray) -> FloatArray | float:
        """What all multiplicative systematics make of the signal, (..., n) or 1, at (..., d)."""
        if not self.factors:
            return 1.0
        entries = zip(self._layout.factors, self.factors.values(), strict=True)
        return 1.0 + sum_of(_column(entry, vectors) * shape for entry, shape in entries)

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

    def pointwise_at_mean(self, mean: FloatArray) -> FloatArray:
        """Log-likelihood of each component, shape (n,), given the mean (n,)."""
        pull = self.pulls(mean)
        return -0.5 * (pull**2 + np.log(2.0 * np.pi)) - np.log(self.whitening.scale)

    def log_likelihood(self, vector: FloatArray) -> float:
        """Normalised log-likelihood at free parameters (d,)."""
        return float(np.sum(self.pointwise(vector)))

    def gradient(self, vector: FloatArray) -> FloatArray:
        """Gradient of the log-likelihood by the free parameters, shape (d,).

        No Jacobian by parameter is made: of many data sets it is nearly all zeros.
        """
        layout, whitening = self._layout, self.whitening
        amplitude = _value(layout.amplitude, vector)
        plain, by_slot = self.response(layout.argument(vector))
        factor = self.factor(vector)
        template = factor * plain
        mean = self._checked("response", amplitude * template + self.offset(vector), vector)
        rest = (self.decorrelated - whitening.decorrelate(mean)) / whitening.scale**2
        weight = whitening.correlate(rest)
        gradient, own = np.empty(vector.size), factor * weight
        gradient[layout.places] = (own @ by_slot)[layout.slots] * (amplitude * layout.scales)
        for (place, _), column in self._linear(template, amplitude * plain):
            if place is not None:
                gradient[place] = weight @ column
        return self._checked("gradient", gradient, vector)

    def log_posterior(self, vector: FloatArray) -> float:
        """Log prior, constraints and log-likelihood; -inf only outside the prior."""
        log_prior = self.prior.log_density(vector)
        if not np.isfinite(log_prior):
            return log_prior
        return float(log_prior + self.log_likelihood(vector) + self.constrained(vector))

    def constrained(self, vectors: FloatArray) -> FloatArray:
        """Log density (...) of the constraints at free parameters (..., d); 0 without any."""
        external = self.external
        return (
            external.log_density(self.prior, vectors) if external else np.zeros(vectors.shape[:-1])
        )

    def linearise(self, vector: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Expected data (n,) and their derivatives (n, d) by free parameter.

        Raises
        ------
        NonFiniteError
            If either is not finite; carries the parameter values.
        """
        layout = self._layout
        amplitude = _value(layout.amplitude, vector)
        plain, by_slot = self.response(layout.argument(vector))
        factor = self.factor(vector)
        template, own = factor * plain, amplitude * np.reshape(factor, (-1, 1))
        jacobian = np.empty((template.size, vector.size))
        jacobian[:, layout.places] = by_slot[:, layout.slots] * (own * layout.scales)
        for (place, _), column in self._linear(template, amplitude * plain):
            if place is not None:
                jacobian[:, place] = column
        mean = amplitude * template + self.offset(vector)
        return self._checked("response", mean, vector), self._checked("jacobian", jacobian, vector)

    def _linear(
        self, template: FloatArray, signal: FloatArray
    ) -> Iterator[tuple[Entry, FloatArray]]:
        """Entry of amplitude, offsets and factors, and what 1 of each adds (n,).

        ``template`` (n,) is what amplitude 1 gives, ``signal`` (n,) what all factors are of.
        """
        layout = self._layout
        entries = layout.amplitude, *layout.offsets, *layout.factors
        columns = template, *self.shapes.values(), *(signal * m for m in self.factors.values())
        return zip(entries, columns, strict=True)

    def _checked(self, quantity: str, found: FloatArray, vector: FloatArray) -> FloatArray:
        if not np.all(np.isfinite(found)):  # values are only looked up when they are needed
            require_finite(quantity, found, self.prior.values(vector))
        return found


def sum_of(parts: Iterable[FloatArray]) -> FloatArray:
    """Sum of one or more arrays, from the first on."""
    return functools.reduce(operator.add, parts)


def shapes_of(
    prior: Prior, size: int, given: Mapping[str, FloatArray] | None
) -> dict[str, FloatArray]:
    """What offsets of 1 add, in the order of the table; an offset that is 0 needs none.

    One that is not given is uniform, where the table has no shape for it. Templates of a
    study, which the table does not have, follow.
    """
    found = {}
    for name, shape in prior.table.offsets.items():
        if given is not None and name in given:
            found[name] = given[name]
        elif shape is None:
            found[name] = np.ones(size)
        elif prior.fixed.get(name) != 0.0:
            raise DomainError(f"shape of {name}", None, "given, for an offset that is not 0")
    return found | {name: shape for name, shape in (given or {}).items() if name not in found}
