"""What evidences say of four hypotheses: the result of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from renp_infer.inference.results.judged import Summary


@dataclass(frozen=True)
class Averaged:
    """A parameter with a lower end, averaged over what may be several hypotheses.

    Attributes
    ----------
    mean, sd, median : float
    interval_68, interval_95 : tuple of float
        Limits of the equal-tailed credible intervals.
    upper_90, upper_95 : float
        One-sided upper limits, credible.
    reaches : tuple of {"lower", "upper"}
        Ends of the prior that the posterior comes up to.
    measured : bool
        Whether the data say anything of it beside the prior.
    """

    mean: float
    sd: float
    median: float
    interval_68: tuple[float, float]
    interval_95: tuple[float, float]
    upper_90: float
    upper_95: float
    reaches: tuple[str, ...]
    measured: bool


Estimated = Summary | Averaged
"""What may be quoted of a parameter."""


@dataclass(frozen=True)
class LogEvidence:
    """A log-evidence, normalised in the data.

    Attributes
    ----------
    log_evidence, log_evidence_error : float
        Value and standard error.
    """

    log_evidence: float
    log_evidence_error: float


@dataclass(frozen=True)
class Weighed:
    """One hypothesis among all.

    Attributes
    ----------
    ordering : {"normal", "inverted"}
    nature : {"dirac", "majorana"}
    log_evidence, log_evidence_error : float
        Weighted mean of the estimators.
    probability, probability_error : float
        With the prior odds; the error is that of the log-evidences, to first order.
    by_estimator : dict of LogEvidence
    distance : float
        Largest distance of two estimators, in their combined errors.
    m1_meV : Averaged
        Over the draws of this hypothesis, meV.
    derived : dict of Averaged
        Derived quantities by name, over the same draws.
    """

    ordering: Literal["normal", "inverted"]
    nature: Literal["dirac", "majorana"]
    log_evidence: float
    log_evidence_error: float
    probability: float
    probability_error: float
    by_estimator: Mapping[str, LogEvidence]
    distance: float
    m1_meV: Averaged
    derived: Mapping[str, Averaged]

    @property
    def name(self) -> str:
        """Name of its groups and of its key in a study."""
        return f"{self.ordering}_{self.nature}"


@dataclass(frozen=True)
class BayesFactor:
    """Evidence of one hypothesis over that of another.

    Attributes
    ----------
    over, under : str
        Names of the hypotheses.
    log_bayes_factor, log_bayes_factor_error : float
    prior_dominated : str
        Why priors rather than data decide; empty if they do not.
    """

    over: str
    under: str
    log_bayes_factor: float
    log_bayes_factor_error: float
    prior_dominated: str


@dataclass(frozen=True)
class Agreement:
    """Whether the estimators agree on every hypothesis.

    Attributes
    ----------
    verdict : {"pass", "warn", "fail"}
        Fail if they do not, warn where there is only one.
    distance, gate : float
        The largest there is, and the largest allowed, in combined errors.
    reasons : tuple of str
    """

    verdict: Literal["pass", "warn", "fail"]
    distance: float
    gate: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """What the evidences say with the prior odds.

    Attributes
    ----------
    estimators : tuple of str
    hypotheses : tuple of Weighed
    bayes_factors : tuple of BayesFactor
        Of all pairs.
    m1_meV : Averaged
        Averaged over hypotheses by their probabilities, meV.
    derived : dict of Averaged
        Derived quantities by name, averaged over the hypotheses that have them: the effective
        mass of double beta decay over Majorana neutrinos alone.
    prior_odds : dict of float
        By name of the hypothesis; of any sum.
    agreement : Agreement
    warnings : tuple of str
        Of Bayes factors that priors decide.
    """

    estimators: tuple[str, ...]
    hypotheses: tuple[Weighed, ...]
    bayes_factors: tuple[BayesFactor, ...]
    m1_meV: Averaged
    derived: Mapping[str, Averaged]
    prior_odds: Mapping[str, float]
    agreement: Agreement
    warnings: tuple[str, ...]

    @property
    def best(self) -> Weighed:
        """The most probable hypothesis."""
        return max(self.hypotheses, key=lambda row: row.probability)
