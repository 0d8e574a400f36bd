"""What is said of a posterior: estimates, diagnostics, checks. Documents are made of it.

A number is ``None`` where the sampler does not have it, or too few draws do not give it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Grade = Literal["pass", "warn", "fail"]
type Range = tuple[float, float]
"""From and to, in the unit of the parameter; on a circle it may lead through 0."""
_PHASES_LACK = ("pull", "width", "freed_shift_meV", "freed_sd_meV")


@dataclass(frozen=True)
class Summary:
    """One parameter's posterior, in its own unit.

    Attributes
    ----------
    mean, sd, median : float
    interval_68, interval_95 : Range
        Equal-tailed, credible.
    regions_68, regions_95 : tuple of Range
        Where the density is highest, of several modes; else empty.
    ess_bulk, ess_tail, r_hat : float or None
        ``None`` for draws that never moved.
    truth : float or None
        ``None`` where nobody knows it.
    circular : bool
        Whether it is an angle, in degrees.
    upper_90, upper_95 : float or None
        One-sided upper limits, credible; ``None`` for what has no lower end.
    reaches : tuple of {"lower", "upper"}
        Ends of the prior that the posterior comes up to.
    measured : bool or None
        Whether the data say anything of it beside the prior; ``None`` in a result from
        before this was asked.
    """

    mean: float
    sd: float
    median: float
    interval_68: Range
    interval_95: Range
    regions_68: tuple[Range, ...]
    regions_95: tuple[Range, ...]
    ess_bulk: float | None
    ess_tail: float | None
    r_hat: float | None
    truth: float | None
    circular: bool
    upper_90: float | None = None
    upper_95: float | None = None
    reaches: tuple[str, ...] = ()
    measured: bool | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Summary:
        """From a row of a document."""
        facts = ("mean", "sd", "median", "ess_bulk", "ess_tail", "r_hat", "truth")
        values: dict[str, Any] = {name: row[name] for name in facts}
        for mass in ("68", "95"):
            values[f"interval_{mass}"] = tuple(row[f"interval_{mass}"])
            values[f"regions_{mass}"] = tuple(map(tuple, row.get(f"regions_{mass}", ())))
        values |= {name: row.get(name) for name in ("upper_90", "upper_95", "measured")}
        reaches = tuple(row.get("reaches", ()))
        return cls(**values, circular=row.get("circular", False), reaches=reaches)

    def ranges(self) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
        """Where it lies with 68 % and 95 %: regions of several modes, else intervals."""
        return self.regions_68 or (self.interval_68,), self.regions_95 or (self.interval_95,)


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
class Diagnosis:
    """Whether the sampler did its work, and the numbers that this rests on.

    Attributes
    ----------
    verdict : {"pass", "warn", "fail"}
    reasons : tuple of str
    divergences : int or None
    r_hat_max, ess_bulk_min, ess_tail_min, bfmi_min : float or None
        The worst of all parameters, or of all chains.
    max_depth_reached : int or None
        Trajectories that met the depth limit.
    sampler, sampling_library, step_methods : str
    cross_check : CrossCheck or None
    """

    verdict: Grade
    reasons: tuple[str, ...]
    divergences: int | None
    r_hat_max: float | None
    ess_bulk_min: float | None
    ess_tail_min: float | None
    bfmi_min: float | None
    max_depth_reached: int | None
    sampler: str
    sampling_library: str
    step_methods: str
    cross_check: CrossCheck | None = None

    def crossed(self, found: CrossCheck) -> Diagnosis:
        """The same with a second sampler's verdict."""
        both = replace(self, cross_check=found)
        if found.verdict == "pass":
            return both
        reason = (
            f"{found.probability:g} quantile of {found.parameter} differs from that of "
            f"{found.sampler} by {found.distance:.1f} combined errors"
        )
        return replace(both, verdict="fail", reasons=(*self.reasons, reason))

    def document(self) -> dict[str, Any]:
        """For a file: without a cross-check that was not made."""
        found = asdict(self)
        if self.cross_check is None:
            del found["cross_check"]
        return found


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
        Number of data above by more than their error.
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

    A uniform prior is its own power: that its bounds matter cannot show here.

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
    """What a nuisance does to m1, see ``inference.judging.impact``.

    Attributes
    ----------
    pull, width : float or None
        Its posterior mean from the prior's, and posterior sd, in prior sds; a phase
        has none.
    down_meV, up_meV : float
        Change of the mean with it one posterior sd below and above its mean; of a phase
        the largest over the circle.
    fixed_sd_meV : float or None
        Sd of m1 with it fixed.
    freed_shift_meV, freed_sd_meV : float or None
        Change of the mean, and sd, without its prior.
    error_meV : float or None
        Of the changes.
    """

    pull: float | None
    width: float | None
    down_meV: float
    up_meV: float
    fixed_sd_meV: float | None
    freed_shift_meV: float | None
    freed_sd_meV: float | None
    error_meV: float | None

    @property
    def strength(self) -> float:
        """The larger change of m1, meV."""
        return max(abs(self.down_meV), abs(self.up_meV))

    def document(self) -> dict[str, Any]:
        """For a file: a phase's begins with what it lacks."""
        found = asdict(self)
        return found if self.pull is not None else dict.fromkeys(_PHASES_LACK) | found


@dataclass(frozen=True)
class Impact:
    """Mean and sd of m1, with all nuisances fixed, and what each of them does."""

    mean_meV: float
    sd_meV: float
    statistical_sd_meV: float
    nuisances: Mapping[str, Nuisance]


@dataclass(frozen=True)
class ModelChecks:
    """Whether the model describes the data.

    Attributes
    ----------
    verdict : {"pass", "warn", "fail"}
    reasons : tuple of str
    posterior_p, prior_p : mapping
        Predictive p-values by discrepancy.
    loo : LeaveOneOut
    sensitivity : Sensitivity
    impact : Impact
    """

    verdict: Grade
    reasons: tuple[str, ...]
    posterior_p: Mapping[str, float]
    prior_p: Mapping[str, float]
    loo: LeaveOneOut
    sensitivity: Sensitivity
    impact: Impact

    def document(self) -> dict[str, Any]:
        """For a file."""
        rows = {name: row.document() for name, row in self.impact.nuisances.items()}
        return asdict(self) | {"impact": asdict(self.impact) | {"nuisances": rows}}
