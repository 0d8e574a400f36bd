"""Four hypotheses against each other: from log-evidences to probabilities.

Only what follows from evidences, prior odds and draws; ``evidence.py`` makes them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax

from renp_infer.inference.results.averages import averaged, derived_averages
from renp_infer.inference.results.compared import (
    Agreement,
    Averaged,
    BayesFactor,
    Comparison,
    LogEvidence,
    Weighed,
)
from renp_infer.records import FloatArray

if TYPE_CHECKING:
    from renp_infer.inference.priors.marginals import Marginal

Estimator = Literal["importance", "smc", "nested"]
ESTIMATORS: tuple[Estimator, ...] = get_args(Estimator)
DEFAULT_ESTIMATORS: tuple[Estimator, ...] = ("importance", "nested")
"""One is exact where its proposals cover the posterior, one needs no proposals."""


class Hypothesis(NamedTuple):
    """One row of a comparison."""

    ordering: Literal["normal", "inverted"]
    nature: Literal["dirac", "majorana"]

    @property
    def name(self) -> str:
        """Name of its groups and of its key in a study."""
        return f"{self.ordering}_{self.nature}"


HYPOTHESES = tuple(
    Hypothesis(ordering, nature)
    for ordering in ("normal", "inverted")
    for nature in ("dirac", "majorana")
)


def hypothesis_named(ordering: str, nature: str) -> Hypothesis:
    """Hypothesis of two words."""
    return HYPOTHESES[HYPOTHESES.index((ordering, nature))]


def task_of(index: int, estimators: Sequence[Estimator]) -> tuple[Hypothesis, Estimator]:
    """Hypothesis and estimator of one of their pairs: estimators vary faster."""
    row, column = divmod(index, len(estimators))
    return HYPOTHESES[row], estimators[column]


@dataclass(frozen=True)
class EvidenceSettings:
    """How much is spent on one evidence.

    Attributes
    ----------
    importance_draws : int
        Of all proposals together, after they are fitted.
    live_points : int
        Of all independent nested runs together.
    nested_runs : int
    smc_draws, smc_chains : int
        Particles per chain, and chains.
    reference : {"fitted", "prior"}
        Density the estimators start from; changes the work, not the result.
    """

    importance_draws: int
    live_points: int
    nested_runs: int
    smc_draws: int
    smc_chains: int
    reference: Literal["fitted", "prior"]


@dataclass(frozen=True)
class CompareSettings(EvidenceSettings):
    """Section ``[compare]`` of a study.

    Attributes
    ----------
    estimators : tuple of {"importance", "smc", "nested"}
    gate : float
        Largest distance of two estimators, in their combined errors.
    prior_odds : dict
        Of the hypotheses by name; of any sum.
    """

    estimators: tuple[Estimator, ...]
    gate: float
    prior_odds: Mapping[str, float]


UNSEEN = 0.1
"""Phases count as unseen if no mean direction of theirs is longer than this."""
UNDECIDED = 1.0
"""Log Bayes factors below this are called no difference."""
_BINS = 24


@dataclass(frozen=True)
class Evidence:
    """Log-evidence of one hypothesis by every estimator, and its draws.

    Attributes
    ----------
    hypothesis : Hypothesis
    estimates : dict of LogEvidence
        By estimator.
    draws : dict
        By estimator: arrays (n,) by parameter and derived quantity, of equal weight.
    before : dict
        Draws (k,) of the prior by derived quantity.
    """

    hypothesis: Hypothesis
    estimates: Mapping[str, LogEvidence]
    draws: Mapping[str, Mapping[str, FloatArray]]
    before: Mapping[str, FloatArray] = field(default_factory=dict)

    @property
    def combined(self) -> LogEvidence:
        """Weighted mean; where estimates disagree, the error grows by their scatter."""
        values, errors = columns(list(self.estimates.values()))
        weights = 1.0 / np.maximum(errors, 1e-6) ** 2
        mean = float(np.average(values, weights=weights))
        scatter = np.sum(weights * (values - mean) ** 2) / max(values.size - 1, 1)
        return LogEvidence(mean, float(np.sqrt(max(scatter, 1.0) / np.sum(weights))))

    @property
    def distance(self) -> float:
        """Largest distance of two estimates, in combined errors."""
        pairs = itertools.combinations(self.estimates.values(), 2)
        return max((_distance(a, b) for a, b in pairs), default=0.0)


def _distance(a: LogEvidence, b: LogEvidence) -> float:
    error = np.hypot(a.log_evidence_error, b.log_evidence_error)
    return float(abs(a.log_evidence - b.log_evidence) / error)


def columns(rows: Sequence[LogEvidence]) -> tuple[FloatArray, FloatArray]:
    """Values and errors of log-evidences, shape (k,) each."""
    values = np.array([row.log_evidence for row in rows])
    return values, np.array([row.log_evidence_error for row in rows])


def compare(
    rows: Sequence[Evidence], settings: CompareSettings, mass_prior: Marginal
) -> Comparison:
    """Probabilities, Bayes factors, the averaged mass, and what to think of them.

    Parameters
    ----------
    rows : sequence of Evidence
        One per hypothesis.
    settings : CompareSettings
    mass_prior : Marginal
        Of m1 in meV, the same for all hypotheses.
    """
    names = [row.hypothesis.name for row in rows]
    odds = np.array([settings.prior_odds[name] for name in names])
    values, errors = columns([row.combined for row in rows])
    probabilities = posterior_probabilities(values, odds)
    spreads = probability_errors(probabilities, errors)
    factors = tuple(_bayes_factor(a, b) for a, b in itertools.combinations(rows, 2))
    return Comparison(
        estimators=tuple(settings.estimators),
        hypotheses=tuple(
            _weighed(row, float(probability), float(spread), mass_prior)
            for row, probability, spread in zip(rows, probabilities, spreads, strict=True)
        ),
        bayes_factors=factors,
        m1_meV=averaged([row.draws for row in rows], probabilities, "m1_meV", mass_prior),
        derived=_derived(rows, probabilities, odds),
        prior_odds=dict(zip(names, odds.tolist(), strict=True)),
        agreement=agreement(rows, settings.gate),
        warnings=tuple(
            f"{b.over} : {b.under}: {b.prior_dominated}" for b in factors if b.prior_dominated
        ),
    )


def posterior_probabilities(log_evidence: ArrayLike, odds: FloatArray) -> FloatArray:
    """Posterior probabilities, shape (..., k), for prior odds (k,) of any sum."""
    with np.errstate(divide="ignore"):  # a hypothesis of no prior odds stays out
        mass = np.asarray(log_evidence) + np.log(odds)
    return np.asarray(softmax(mass, axis=-1))


def probability_errors(probabilities: FloatArray, errors: FloatArray) -> FloatArray:
    """Standard errors (k,) of probabilities, from those of the log-evidences, to first order."""
    slopes = probabilities[:, None] * (np.eye(probabilities.size) - probabilities)
    return np.asarray(np.sqrt(slopes**2 @ errors**2))


def _weighed(row: Evidence, probability: float, spread: float, mass_prior: Marginal) -> Weighed:
    return Weighed(
        ordering=row.hypothesis.ordering,
        nature=row.hypothesis.nature,
        log_evidence=row.combined.log_evidence,
        log_evidence_error=row.combined.log_evidence_error,
        probability=probability,
        probability_error=spread,
        by_estimator=row.estimates,
        distance=row.distance,
        m1_meV=averaged([row.draws], np.ones(1), "m1_meV", mass_prior),
        derived=_derived([row], np.ones(1), np.ones(1)),
    )


def _derived(
    rows: Sequence[Evidence], probabilities: FloatArray, odds: FloatArray
) -> dict[str, Averaged]:
    draws, before = [row.draws for row in rows], [row.before for row in rows]
    return derived_averages(draws, before, probabilities, odds)


def _bayes_factor(over: Evidence, under: Evidence) -> BayesFactor:
    (z, y), (dz, dy) = columns([over.combined, under.combined])
    return BayesFactor(
        over=over.hypothesis.name,
        under=under.hypothesis.name,
        log_bayes_factor=float(z - y),
        log_bayes_factor_error=float(np.hypot(dz, dy)),
        prior_dominated=prior_dominated(over, under),
    )


def prior_dominated(over: Evidence, under: Evidence) -> str:
    """Why priors rather than data decide a Bayes factor; empty if they do not."""
    factor = over.combined.log_evidence - under.combined.log_evidence
    if over.hypothesis.nature == under.hypothesis.nature:
        return ""
    majorana = over if over.hypothesis.nature == "majorana" else under
    same_ordering = over.hypothesis.ordering == under.hypothesis.ordering
    if same_ordering and abs(factor) < UNDECIDED:
        return "the data do not tell Dirac from Majorana: the prior odds decide"
    length, gain = phase_information(majorana)
    if length == 0.0:
        return ""
    if same_ordering and length < UNSEEN:
        return "the data do not see the Majorana phases: their posterior is their prior"
    favoured = factor if majorana is under else -factor
    if 0.0 < favoured < gain:
        return "other priors of the Majorana phases change which hypothesis is favoured"
    return ""


def phase_information(row: Evidence) -> tuple[float, float]:
    """What the data say about the Majorana phases.

    The field depends on alpha21, alpha31 - 2 delta and their difference (Eq. (3)),
    of which each single phase may hide what the data say.

    Returns
    -------
    length : float
        Longest mean vector of these angles and of their doubles; 0 if they are fixed.
    gain : float
        Log of the largest posterior by prior density of one of them: what the log
        evidence could gain from another prior.
    """
    draws = [found for found in row.draws.values() if "alpha21_deg" in found]
    if not draws:
        return 0.0, 0.0
    first = np.concatenate([found["alpha21_deg"] for found in draws])
    second = np.concatenate([found["alpha31_deg"] - 2.0 * found["delta_deg"] for found in draws])
    angles = np.deg2rad(np.stack([first, second, second - first]))
    lengths = [np.abs(np.mean(np.exp(1j * k * angles), axis=1)).max() for k in (1, 2)]
    counts = [np.histogram(np.mod(a, 2.0 * np.pi), _BINS, (0.0, 2.0 * np.pi))[0] for a in angles]
    return float(max(lengths)), float(np.log(_BINS * np.max(counts) / first.size))


def agreement(rows: Sequence[Evidence], gate: float) -> Agreement:
    """Whether the estimators agree on every row."""
    far = [row for row in rows if not row.distance <= gate]
    reasons = [
        f"the estimates of {row.hypothesis.name} are {row.distance:.1f} combined errors apart"
        for row in far
    ]
    single = min(len(row.estimates) for row in rows) < 2
    if single:
        reasons.append("one estimator alone: nothing to compare it with")
    verdict: Literal["pass", "warn", "fail"] = "fail" if far else "warn" if single else "pass"
    return Agreement(verdict, max(row.distance for row in rows), gate, tuple(reasons))
