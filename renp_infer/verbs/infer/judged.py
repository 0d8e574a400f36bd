"""What was judged of a posterior: the sampler's diagnostics, and the model checks.

A number is ``None`` where the sampler does not have it, or too few draws do not give it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renp_infer.engine.result import Verdict


@dataclass(frozen=True)
class CrossCheck:
    """How far the quantiles of a second sampler are from those of the first.

    Attributes
    ----------
    sampler : str
        The second.
    verdict : str
    distance : float
        The largest, in combined Monte Carlo errors.
    parameter : str
        Of which parameter.
    probability : float
        At which quantile.
    gate : float
        Distance above which they differ.
    """

    sampler: str
    verdict: str
    distance: float
    parameter: str
    probability: float
    gate: float


@dataclass(frozen=True)
class Diagnostics:
    """Whether the sampler did its work.

    Attributes
    ----------
    verdict : Verdict
    divergences : int or None
    r_hat_max, ess_bulk_min, ess_tail_min, bfmi_min : float or None
        The worst of all parameters, or of all chains.
    max_depth_reached : int or None
        Trajectories that met the depth limit.
    sampler, sampling_library, step_methods : str or None
    cross_check : CrossCheck or None
    response_error_sigma : float or None
        Error of the tabulated response, in standard deviations of the data.
    """

    verdict: Verdict
    divergences: int | None = None
    r_hat_max: float | None = None
    ess_bulk_min: float | None = None
    ess_tail_min: float | None = None
    bfmi_min: float | None = None
    max_depth_reached: int | None = None
    sampler: str | None = None
    sampling_library: str | None = None
    step_methods: str | None = None
    cross_check: CrossCheck | None = None
    response_error_sigma: float | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Diagnostics:
        """From ``diagnostics`` of a summary."""
        rest = {k: v for k, v in document.items() if k not in ("verdict", "reasons")}
        if "cross_check" in rest:
            rest["cross_check"] = CrossCheck(**rest["cross_check"])
        return cls(Verdict.of(document), **rest)


@dataclass(frozen=True)
class LeaveOneOut:
    """Prediction of each datum by the others.

    Attributes
    ----------
    elpd, se : float or None
        Log predictive density with its error.
    p_loo : float or None
        Effective number of parameters.
    good_k : float
        Pareto k up to which it can be relied on.
    bad_k : int
        Number of data above.
    largest_k : float or None
    """

    elpd: float | None
    se: float | None
    p_loo: float | None
    good_k: float
    bad_k: int
    largest_k: float | None


@dataclass(frozen=True)
class Sensitivity:
    """How far the posterior of m1 moves per doubling of a power of prior or likelihood.

    Attributes
    ----------
    prior, likelihood : float or None
    by_prior : mapping
        Each prior alone.
    verdict : str
        In words.
    """

    prior: float | None
    likelihood: float | None
    by_prior: Mapping[str, float | None]
    verdict: str


@dataclass(frozen=True)
class Nuisance:
    """What a nuisance does to m1, see ``inference.impact``.

    Attributes
    ----------
    down_meV, up_meV : float
        Change of the mean with it one posterior sd below and above its mean.
    fixed_sd_meV : float
        Sd of m1 with it fixed.
    error_meV : float
        Of the changes.
    freed_shift_meV, freed_sd_meV : float or None
        Change of the mean, and sd, without its prior.
    pull, width : float or None
        Its posterior mean from the prior's, and posterior sd, in prior sds; a phase
        has none.
    """

    down_meV: float
    up_meV: float
    fixed_sd_meV: float | None
    error_meV: float | None
    freed_shift_meV: float | None
    freed_sd_meV: float | None
    pull: float | None
    width: float | None

    @property
    def strength(self) -> float:
        """The larger change of m1, meV."""
        return max(abs(self.down_meV), abs(self.up_meV))


@dataclass(frozen=True)
class Impact:
    """Mean and sd of m1, with all nuisances fixed, and what each of them does."""

    mean_meV: float
    sd_meV: float
    statistical_sd_meV: float
    nuisances: Mapping[str, Nuisance]


@dataclass(frozen=True)
class Checks:
    """Whether the model describes the data.

    Attributes
    ----------
    verdict : Verdict
    posterior_p, prior_p : mapping
        Predictive p-values by discrepancy.
    loo : LeaveOneOut
    sensitivity : Sensitivity
    impact : Impact
    """

    verdict: Verdict
    posterior_p: Mapping[str, float]
    prior_p: Mapping[str, float]
    loo: LeaveOneOut
    sensitivity: Sensitivity
    impact: Impact

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Checks:
        """From the attribute ``renp_checks``."""
        impact = dict(document["impact"])
        rows = {name: Nuisance(**row) for name, row in impact.pop("nuisances").items()}
        return cls(
            Verdict.of(document),
            document["posterior_p"],
            document["prior_p"],
            LeaveOneOut(**document["loo"]),
            Sensitivity(**document["sensitivity"]),
            Impact(**impact, nuisances=rows),
        )
