"""What is known before the data of a design: priors times what other experiments say.

Constraints on m1, on phases and on what follows from them change the prior of hypothesis, m1
and phases; oscillation parameters are averaged there, over their own errors. Gaussian ones on
nuisances change the Gaussian of the nuisances. One on both would tie them: there is none, see
``inference.knowledge.subjects``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import logsumexp, ndtri
from scipy.stats import qmc

from renp_infer.design.utilities.phase_table import PhaseTable, half_of_torus, whole_torus
from renp_infer.design.utilities.prediction import Prediction, nuisances
from renp_infer.errors import ContradictionError
from renp_infer.inference.hypothesis import ModelLike, assumed
from renp_infer.inference.knowledge.constraints import PublishedTerm
from renp_infer.inference.knowledge.external import External
from renp_infer.inference.knowledge.quantities import Quantities
from renp_infer.inference.knowledge.subjects import subject_of
from renp_infer.inference.knowledge.tempered import LEAST
from renp_infer.inference.parameters import MASS, PARAMETERS
from renp_infer.inference.priors.marginals import Marginal, Tabulated, slope_at
from renp_infer.inference.priors.phases import ALPHA21, ALPHA31, DELTA
from renp_infer.inference.priors.prior import Prior, build_prior, mass_prior, measured
from renp_infer.inference.results.comparison import hypothesis_named
from renp_infer.inference.settings import InferenceSettings
from renp_infer.physics.neutrinos import ATMOSPHERIC, OscillationTable
from renp_infer.records import FloatArray, Parameters

_ROWS, _SHARE, _ROUNDS = 257, 1.0 / 200.0, 60
"""Masses of the first table, and the share of probability above which a cell is halved."""
_STEEP, _TAIL = 0.5, 1e-6
"""Change of the log density over a cell above which it is halved, too, down to this share."""
_NEGLIGIBLE = 1e-12
"""Density by the highest below which the ends of the table are cut."""
_DRAWS, _TURNS = 8, 16
"""Oscillation parameters, and values of delta, that a constraint is averaged over."""
_PHASE_ROWS = 65
_STEPS = 20
"""Gauss-Newton steps to the nuisances' mode."""
_FLOOR = 1e-300


@dataclass(frozen=True, eq=False)
class KnownTruths:
    """Probability of hypothesis, m1 and phases before the data.

    Attributes
    ----------
    mass : Marginal
        Of m1, meV, whatever the hypothesis.
    odds : ndarray, shape (H,)
        Of the hypotheses; they add up to 1.
    own : tuple of Marginal
        Of m1 under each hypothesis.
    phases : tuple of PhaseTable or None
        Of each hypothesis; ``None`` is uniform.
    """

    mass: Marginal
    odds: FloatArray
    own: tuple[Marginal, ...]
    phases: tuple[PhaseTable | None, ...]

    @classmethod
    def unconstrained(cls, mass: Marginal, odds: FloatArray) -> KnownTruths:
        """One prior of m1 under all hypotheses, phases uniform."""
        return cls(mass, odds, (mass,) * odds.size, (None,) * odds.size)

    @functools.cached_property
    def log_odds(self) -> FloatArray:
        """Log probabilities of the hypotheses (H,), -inf where there is none."""
        with np.errstate(divide="ignore"):
            return np.log(self.odds)

    def log_share(self, place: int, m1_meV: FloatArray) -> FloatArray:
        """Log density of masses (k,) under a hypothesis over that of all, (k,)."""
        own = self.own[place]
        if own is self.mass:
            return np.zeros_like(m1_meV)
        assert isinstance(own, Tabulated)
        assert isinstance(self.mass, Tabulated)
        (x, density, _), (_, all_of, _) = own.nodes, self.mass.nodes
        return np.asarray(np.log(np.interp(m1_meV, x, density) / np.interp(m1_meV, x, all_of)))

    def truths(self, place: int, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Masses (t,) and phases (t, 2), rad, at even points (t, 3) of the unit cube."""
        masses = self.own[place].from_unit(ndtri(points[:, :1]))
        table = self.phases[place]
        if table is None:
            return masses, 2.0 * np.pi * points[:, 1:]
        return masses, table.drawn(masses, points[:, 1:])


def known_truths(
    hypotheses: Sequence[tuple[str, str]],
    odds: FloatArray,
    own: Parameters,
    table: OscillationTable,
    settings: InferenceSettings,
    knowledge: Mapping[str, tuple[PublishedTerm, ...]],
) -> KnownTruths:
    """Prior of hypothesis, m1 and phases, with constraints.

    Parameters
    ----------
    hypotheses : sequence of (ordering, nature)
    odds : ndarray, shape (H,)
        Before the constraints.
    own : Parameters
        Phases where they are known.
    table : OscillationTable
    settings : InferenceSettings
    knowledge : mapping
        Constraints by ordering.

    Raises
    ------
    ContradictionError
        If the constraints leave nothing of the prior.
    """
    asked = _TruthsAsked(
        tuple(hypotheses),
        tuple(odds.tolist()),
        replace(own, m1_eV=0.0),
        settings,
        tuple(knowledge.items()),
        tuple(
            (name, *table.values[name].items(), *table.sigmas[name].items())
            for name in table.values
        ),
        table,
    )
    if not any(knowledge.values()):
        return KnownTruths.unconstrained(mass_prior(settings), odds)
    return _constrained(asked)


@dataclass(frozen=True)
class _TruthsAsked:
    """What decides the prior with constraints, see ``known_truths``; the truth's mass does not."""

    hypotheses: tuple[tuple[str, str], ...]
    odds: tuple[float, ...]
    own: Parameters
    settings: InferenceSettings
    knowledge: tuple[tuple[str, tuple[PublishedTerm, ...]], ...]
    measured: tuple[object, ...]
    known: OscillationTable = field(compare=False)


@functools.lru_cache(maxsize=8)
def _constrained(asked: _TruthsAsked) -> KnownTruths:
    prior, knowledge = mass_prior(asked.settings), dict(asked.knowledge)
    odds = np.array(asked.odds)
    told = [
        _Told.of(pair, asked.own, asked.known, asked.settings, knowledge.get(pair[0], ()))
        for pair in asked.hypotheses
    ]

    def log_heights(m1_meV: FloatArray) -> FloatArray:
        """Log of odds times prior times constraints, (H, k)."""
        density = np.array([prior.log_density(m) for m in m1_meV.tolist()])
        rows = np.array([one.log_mass(m1_meV) for one in told])
        return np.asarray(rows + density + np.log(np.maximum(odds, _FLOOR))[:, None])

    first = prior.from_unit(ndtri(np.linspace(0.0, 1.0, _ROWS))[:, None])
    best = float(np.max([one.log_mass(first) for one in told]))
    masses, logs = _resolved(first, log_heights)
    best = max(best, float(np.max([one.log_mass(masses) for one in told])))
    if best < np.log(LEAST):
        what = "best likelihood of constraints in the prior"
        raise ContradictionError(what, np.exp(best), LEAST)
    heights = np.maximum(np.exp(logs - np.max(logs)), _FLOOR)
    areas = np.sum(0.5 * (heights[:, 1:] + heights[:, :-1]) * np.diff(masses), axis=1)
    marginals = tuple(Tabulated(tuple(masses), tuple(row)) for row in heights)
    whole = Tabulated(tuple(masses), tuple(heights.sum(axis=0)))
    tables = tuple(
        one.phase_table(m.from_unit(ndtri(np.linspace(0.0, 1.0, _PHASE_ROWS))[:, None]))
        for one, m in zip(told, marginals, strict=True)
    )
    return KnownTruths(whole, areas / areas.sum(), marginals, tables)


def _resolved(
    masses: FloatArray, log_heights: Callable[[FloatArray], FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Masses (k,) between which straight lines do, and log heights (H, k) there."""
    logs = log_heights(masses)
    for _ in range(_ROUNDS):
        total = logsumexp(logs, axis=0)
        heights = np.exp(total - np.max(total))
        share = 0.5 * (heights[1:] + heights[:-1]) * np.diff(masses)
        wide = share > _SHARE * np.sum(share)
        # a straight line down a tail would hold more than the tail
        wide |= (np.abs(np.diff(total)) > _STEEP) & (share > _TAIL * np.sum(share))
        if not np.any(wide):
            break
        middles = 0.5 * (masses[1:] + masses[:-1])[wide]
        masses = np.concatenate([masses, middles])
        logs = np.concatenate([logs, log_heights(middles)], axis=1)
        order = np.argsort(masses)
        masses, logs = masses[order], logs[:, order]
    total = logsumexp(logs, axis=0)
    kept = np.flatnonzero(total > np.max(total) + np.log(_NEGLIGIBLE))
    ends = slice(max(kept[0] - 1, 0), kept[-1] + 2)
    return masses[ends], logs[:, ends]


@dataclass(frozen=True, eq=False)
class _Told:
    """What constraints tell of m1 and phases under one hypothesis.

    Attributes
    ----------
    external : External
        Those on masses and phases.
    values : mapping
        Every parameter but m1: oscillation parameters as draws (s,), delta as turns (s,).
    phases : bool
        Whether Majorana phases matter and are free.
    log_known : float
        What those on oscillation parameters say for the hypothesis.
    """

    external: External
    values: Mapping[str, FloatArray | float]
    phases: bool
    log_known: float

    @classmethod
    def of(
        cls,
        pair: tuple[str, str],
        own: Parameters,
        table: OscillationTable,
        settings: InferenceSettings,
        terms: tuple[PublishedTerm, ...],
    ) -> _Told:
        parameters = assumed(hypothesis_named(*pair), own, table)
        known = measured(table, pair[0])
        prior = build_prior(parameters, settings, known, 1.0, 1.0)
        sin2_23 = known[ATMOSPHERIC].mean if ATMOSPHERIC in known else None
        quantities = Quantities(parameters.ordering, parameters.nature, sin2_23)
        oscillation = set(PARAMETERS.oscillation)
        of_nuisances = tuple(t for t in terms if oscillation.issuperset(t.quantities))
        belief = _belief(prior, External(of_nuisances, quantities))
        external = External(tuple(t for t in terms if subject_of(t) == "masses"), quantities)
        free = bool(prior.circular)
        turned = free and bool(external.held & {DELTA, ALPHA31})
        values: dict[str, FloatArray | float] = dict(prior.fixed)
        units = belief.moved(_even_normal(_DRAWS, len(nuisances(prior))))
        for k, name in enumerate(nuisances(prior)):
            drawn = prior.marginals[name].from_unit(units[:, k : k + 1])
            values[name] = np.repeat(drawn, _TURNS) if turned else drawn
        values |= dict.fromkeys(prior.circular, 0.0)
        if turned:
            values[DELTA] = np.tile(360.0 * np.arange(_TURNS) / _TURNS, _DRAWS)
        seen = pair[1] == "majorana" and bool(external.seen & {ALPHA21, ALPHA31})
        return cls(external, values, free and seen, belief.log_evidence)

    def log_mass(self, m1_meV: FloatArray) -> FloatArray:
        """Log of the mean likelihood over all else at masses (k,), shape (k,)."""
        if not self.external:
            return np.full(m1_meV.shape, self.log_known)
        if not self.phases:
            values = {**self.values, MASS: m1_meV[:, None]}
            return self.log_known + _log_mean(self.external.at(values), m1_meV.size)
        both = self._log_phases(m1_meV)
        weights = half_of_torus()[1]
        return np.asarray(self.log_known + logsumexp(both, axis=1, b=weights))

    def phase_table(self, m1_meV: FloatArray) -> PhaseTable | None:
        """Density of the phases at masses (r,); ``None`` where it is uniform."""
        if not self.phases:
            return None
        return PhaseTable(m1_meV, whole_torus(self._log_phases(m1_meV)))

    def _log_phases(self, m1_meV: FloatArray) -> FloatArray:
        """Log likelihood (k, p) at half of the torus, the same with both phases reversed."""
        points = np.rad2deg(half_of_torus()[0])
        found = np.empty((m1_meV.size, len(points)))
        for k, m1 in enumerate(m1_meV.tolist()):
            rows = [self._log_at(m1, sign * points) for sign in self._signs]
            found[k] = logsumexp(rows, axis=0) - np.log(len(rows))
        return found

    @property
    def _signs(self) -> tuple[float, ...]:
        return (1.0,) if self.external.even else (1.0, -1.0)

    def _log_at(self, m1_meV: float, points_deg: FloatArray) -> FloatArray:
        first, second = points_deg[:, :1], points_deg[:, 1:]
        alpha31 = second + 2.0 * np.asarray(self.values[DELTA])
        values = {**self.values, MASS: m1_meV, ALPHA21: first, ALPHA31: alpha31}
        return _log_mean(self.external.at(values), len(points_deg))


def _even_normal(count: int, size: int) -> FloatArray:
    """Standard normal numbers (count, size), spread evenly."""
    if not size:
        return np.zeros((count, 0))
    points = qmc.Sobol(size, rng=np.random.default_rng(0)).random(count)
    return np.asarray(ndtri(points))


def _log_mean(logs: FloatArray, rows: int) -> FloatArray:
    """Log of the mean of exponentials over the second axis, (k,)."""
    logs = np.broadcast_to(logs, (rows, logs.shape[-1] if logs.ndim else 1))
    return np.asarray(logsumexp(logs, axis=1) - np.log(logs.shape[1]))


@dataclass(frozen=True, eq=False)
class NuisanceBelief:
    """Gaussian of the nuisances, in unit coordinates of their priors.

    Attributes
    ----------
    mean : ndarray, shape (d,)
    factor : ndarray, shape (d, d)
        Cholesky factor of the covariance.
    log_evidence : float
        Log of the mean likelihood of the constraints over the priors.
    """

    mean: FloatArray
    factor: FloatArray
    log_evidence: float = 0.0

    def moved(self, units: FloatArray) -> FloatArray:
        """Unit coordinates (..., d) at standard normal numbers (..., d)."""
        return np.asarray(self.mean + units @ self.factor.T)

    def of(self, prediction: Prediction) -> Prediction:
        """Prediction in these standard normal numbers."""
        return replace(
            prediction,
            mean=prediction.mean + prediction.slopes @ self.mean,
            slopes=prediction.slopes @ self.factor,
        )


def belief_of(model: ModelLike) -> NuisanceBelief | None:
    """What constraints leave of a model's nuisances; ``None`` if there is none on them."""
    terms = tuple(term for term in model.external.terms if subject_of(term) == "nuisances")
    return _belief(model.prior, replace(model.external, terms=terms)) if terms else None


def _belief(prior: Prior, external: External) -> NuisanceBelief:
    """Prior times constraints on nuisances, as the Gaussian at its mode."""
    names = nuisances(prior)
    z = np.zeros(len(names))
    rows = np.zeros((0, z.size))
    off = np.zeros(0)
    for _ in range(_STEPS if external else 0):
        rows, residuals = _linear(prior, external, names, z)
        off = residuals - rows @ z  # at the priors' centres, to first order
        step = -rows.T @ np.linalg.solve(np.eye(off.size) + rows @ rows.T, off)
        if np.allclose(step, z, rtol=0.0, atol=1e-10):
            break
        z = step
    inverse = np.linalg.inv(np.eye(off.size) + rows @ rows.T)
    covariance = np.eye(z.size) - rows.T @ inverse @ rows
    evidence = -0.5 * (off @ inverse @ off) + 0.5 * np.linalg.slogdet(inverse)[1]
    return NuisanceBelief(z, np.linalg.cholesky(covariance), float(evidence))


def _linear(
    prior: Prior, external: External, names: Sequence[str], z: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Derivatives (r, d) of residuals by unit coordinates (d,), and the residuals (r,)."""
    vector = prior.from_unit(np.zeros(prior.unit_size))
    places = [prior.names.index(name) for name in names]
    marginals = [prior.marginals[name] for name in names]
    pairs = list(zip(marginals, z.tolist(), strict=True))
    vector[places] = [float(m.from_unit(np.array([unit]))) for m, unit in pairs]
    slopes = np.array([slope_at(m, unit) for m, unit in pairs])
    columns = external.jacobian(prior, vector)[:, places] * slopes
    return columns, external.residuals(prior, vector)
