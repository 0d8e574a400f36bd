"""What was judged of a posterior: the sampler's diagnostics, and the model checks.

A number is ``None`` where the sampler does not have it, or too few draws do not give it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renp_infer.engine.result import Verdict
from renp_infer.inference.results.judged import (
    CrossCheck,
    Impact,
    LeaveOneOut,
    Nuisance,
    Sensitivity,
)


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
    field_error_sigma : float or None
        Error of the field that it stands for.
    response_masses, response_distances : int or None
        Nodes of its table.
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
    field_error_sigma: float | None = None
    response_masses: int | None = None
    response_distances: int | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Diagnostics:
        """From ``diagnostics`` of a summary."""
        rest = {k: v for k, v in document.items() if k not in ("verdict", "reasons")}
        if "cross_check" in rest:
            rest["cross_check"] = CrossCheck(**rest["cross_check"])
        return cls(Verdict.of(document), **rest)


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
