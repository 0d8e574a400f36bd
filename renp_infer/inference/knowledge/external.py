"""External knowledge of one hypothesis: all constraints as one term of its posterior.

A term on parameters and derived quantities: it knows nothing of data, and of nothing that is
fitted to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from renp_infer.inference.knowledge.constraints import (
    GaussianConstraint,
    Lift,
    PublishedTerm,
    chi_squared,
    plain,
)
from renp_infer.inference.knowledge.local_constraint import LocalConstraint
from renp_infer.inference.knowledge.quantities import Quantities, slopes
from renp_infer.inference.knowledge.tempered import tempered_units
from renp_infer.inference.parameters import DOUBLE_BETA, JARLSKOG, SEEN_PHASE
from renp_infer.inference.priors.phases import ALPHA21, ALPHA31, DELTA
from renp_infer.inference.priors.prior import Prior
from renp_infer.records import FloatArray

NAME = "constraints"
"""As diagnostics call all of them together."""
_BATCH, _MOST = 2000, 100_000
"""Draws of the prior that are weighed at a time, and at most."""


@dataclass(frozen=True)
class External:
    """Constraints under one hypothesis.

    Attributes
    ----------
    terms : tuple of PublishedTerm
        None: nothing is known but the prior.
    quantities : Quantities or None
        What follows from parameters; ``None`` without terms.
    """

    terms: tuple[PublishedTerm, ...] = ()
    quantities: Quantities | None = None

    def __bool__(self) -> bool:
        """Whether there is any constraint."""
        return bool(self.terms)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the constraints, as results quote them."""
        return tuple(term.name for term in self.terms)

    @property
    def held(self) -> frozenset[str]:
        """Quantities that are constrained themselves, and delta where the invariant is."""
        found = {name for term in self.terms for name in term.quantities}
        return frozenset(found | {DELTA} if JARLSKOG in found else found)

    @property
    def seen(self) -> frozenset[str]:
        """Phases that constraints depend on, alpha31 if only with 2 delta less."""
        pair = {ALPHA21, ALPHA31} if DOUBLE_BETA in self.held else set()
        last = {ALPHA31} if SEEN_PHASE in self.held else set()
        return frozenset((self.held & {DELTA, ALPHA21, ALPHA31}) | pair | last)

    @property
    def turns(self) -> bool:
        """Whether alpha31 and delta enter by alpha31 - 2 delta alone."""
        return not self.held & {DELTA, ALPHA31}

    @property
    def even(self) -> bool:
        """Whether nothing changes if alpha21 and alpha31 - 2 delta change their signs."""
        return not self.held & {ALPHA21, ALPHA31, SEEN_PHASE}

    def log_density(self, prior: Prior, vectors: FloatArray) -> FloatArray:
        """Minus half of all chi-squared at free parameters (..., d), shape (...)."""
        free = {name: vectors[..., k] for k, name in enumerate(prior.names)}
        return np.zeros(vectors.shape[:-1]) + self.at({**prior.fixed, **free})

    def at(self, values: Mapping[str, Any]) -> FloatArray:
        """Log density at values of every parameter by name: numbers, or arrays (...)."""
        return np.asarray(-0.5 * self._chi_squared(values))

    def gradient(self, prior: Prior, vector: FloatArray) -> FloatArray:
        """Derivatives of the log density by free parameters, at a point (d,)."""
        return -0.5 * slopes(lambda v: {NAME: self._chi_squared(v)}, prior, vector)[NAME]

    def graph(self, values: Mapping[str, Any], xp: Any, lift: Lift) -> Any:
        """Log density at graph variables of every parameter by name."""
        return np.float64(-0.5) * self._chi_squared(values, xp, lift)

    def residuals(self, prior: Prior, vector: FloatArray) -> FloatArray:
        """Numbers (r,) whose squares add up to chi-squared, at free parameters (d,)."""
        return np.array([float(r) for r in self._residuals(prior.values(vector))])

    def jacobian(self, prior: Prior, vector: FloatArray) -> FloatArray:
        """Derivatives (r, d) of the residuals."""
        rows = slopes(lambda v: dict(_numbered(self._residuals(v))), prior, vector)
        return np.array(list(rows.values())).reshape(-1, vector.size)

    def every(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters and quantities by name, from values of every parameter."""
        return self._every(values)

    def expected(self, of_term: Callable[[PublishedTerm], Mapping[str, float]]) -> External:
        """The same terms as if each had found given values of its quantities.

        Parameters
        ----------
        of_term : callable
            Parameters and quantities that a term finds.
        """
        found = []
        for term in self.terms:
            values = of_term(term)
            found.append(LocalConstraint.of(term, np.array([values[n] for n in term.quantities])))
        return replace(self, terms=tuple(found))

    def drawn(self, found: Callable[[str, int], FloatArray]) -> External:
        """Terms that have been expected, repeated: ``(name, r)`` gives what each finds (r,)."""
        terms = []
        for term in self.terms:
            assert isinstance(term, LocalConstraint)
            terms.append(replace(term, drawn=found(term.name, term.drawn.size)))
        return replace(self, terms=tuple(terms))

    def redrawn(self, values: Mapping[str, float], rng: np.random.Generator) -> External:
        """Gaussian terms as measured anew, where parameters of these values are true."""
        every, terms = self._every(values), list[PublishedTerm]()
        for term in self.terms:
            assert isinstance(term, GaussianConstraint)
            true = np.array([every[name] for name in term.quantities])
            errors = np.linalg.cholesky(term.covariance) @ rng.standard_normal(true.size)
            terms.append(replace(term, values=true + errors))
        return replace(self, terms=tuple(terms))

    def sample(self, prior: Prior, rng: np.random.Generator, n: int) -> FloatArray:
        """Draws (n, d) of what is known before the data: the prior times the constraints.

        Draws of the prior are kept with the probability of their likelihood over its best,
        which is exact; where that takes more than ``_MOST``, see ``tempered.py``.

        Raises
        ------
        ConvergenceError
            If hardly any are: prior and constraints contradict each other.
        """
        if not self:
            return prior.sample(rng, n)
        kept: list[FloatArray] = []
        found = 0
        for _ in range(_MOST // _BATCH):
            draws = prior.sample(rng, _BATCH)
            good = np.log(rng.uniform(size=_BATCH)) < self.log_density(prior, draws)
            kept.append(draws[good])
            found += int(np.sum(good))
            if found >= n:
                return np.concatenate(kept)[:n]

        def weighed(units: FloatArray) -> FloatArray:
            return self.log_density(prior, prior.from_unit(units))

        return prior.from_unit(tempered_units(weighed, prior.unit_size, rng, n))

    def _every(self, values: Mapping[str, Any], xp: Any = np) -> dict[str, Any]:
        """Parameters and quantities by name; Dirac neutrinos show no double beta decay."""
        assert self.quantities is not None
        found = {DOUBLE_BETA: 0.0 * values["m1_meV"], **values, **self.quantities.of(values, xp)}
        found[SEEN_PHASE] = values[ALPHA31] - 2.0 * values[DELTA]
        return found

    def _residuals(self, values: Mapping[str, Any]) -> list[Any]:
        every = self._every(values)
        parts = [term.residuals([every[n] for n in term.quantities]) for term in self.terms]
        return [residual for part in parts for residual in part]

    def _chi_squared(self, values: Mapping[str, Any], xp: Any = np, lift: Lift = plain) -> Any:
        return chi_squared(self.terms, self._every(values, xp), xp, lift)


def _numbered(rows: list[Any]) -> list[tuple[str, Any]]:
    return [(str(k), row) for k, row in enumerate(rows)]


NOTHING = External()
"""No external knowledge."""
