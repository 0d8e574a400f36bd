"""What a fit is asked for: sampler, chains and priors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.inference.parameters import of_group, parted
from renp_infer.inference.priors.own_prior import OwnPrior, TiedBlock
from renp_infer.inference.priors.template import Template

Sampler = Literal["nuts", "pymc-nuts", "independence", "emcee", "smc", "nested"]
Choice = Literal["auto", Sampler]
"""What a study may ask for: the independence sampler or NUTS, by proof, or one by name."""
UNTUNED = {"smc", "nested"}
"""Samplers that spend no draws on tuning."""
HAMILTONIAN = {"auto", "nuts", "pymc-nuts"}
"""Choices whose steps aim, or may aim, at an acceptance."""
SOURCES: dict[str, tuple[str, ...]] = {
    "auto": ("independence", "pymc", "nutpie"),
    "nuts": ("pymc", "nutpie"),
    "pymc-nuts": ("pymc",),
    "independence": ("independence",),
    "emcee": ("emcee",),
    "smc": ("pymc", "smc", "dynesty"),
    "nested": ("dynesty",),
    "importance": ("importance",),
}
"""Packages and methods by sampler and estimator, as citations name them."""


@dataclass(frozen=True)
class InferenceSettings:
    """Section ``[inference]`` of a study. A standard deviation of 0 fixes.

    Attributes
    ----------
    sampler : {"auto", "nuts", "pymc-nuts", "independence", "emcee", "smc", "nested"}
    cross_check : "none" or one of the same by name
        Another sampler, whose quantiles must agree.
    chains, draws, tune : int
        Chains (or independent ensembles), and draws kept and spent per chain; ``UNTUNED``
        samplers spend none.
    target_accept : float
        Mean acceptance NUTS aims at.
    m1_prior : {"uniform", "log-uniform"}
    m1_min_meV, m1_max_meV : float
        Bounds of m1; the lower one only counts for the log-uniform prior.
    amplitude_sd : float
        Standard deviation of log amplitude.
    baseline_sd : float
        Standard deviation of the baseline by the peak of the true signal.
    leakage_sd : float
        Standard deviation of the parity-even leakage by the same peak.
    refractive_index_sd, theta_s_offset_sd_deg, theta_e_offset_sd_deg : float
    extraordinary_index_sd : float
        Of what all extraordinary indices are off by; `refractive_index_sd` then is that of
        the ordinary ones.
    oscillation_errors : bool
        Whether the oscillation parameters carry their measured errors.
    phases : {"free", "fixed"}
        Phases uniform on the circle, or known.
    noise : {"drawn", "none"}
        Mock data with noise, or the expectation (Asimov) data.
    own : tuple of OwnPrior
        Priors by parameter that take the place of those above.
    blocks : tuple of TiedBlock
        Those that are correlated.
    templates : tuple of Template
        Nuisances that a study adds.
    """

    sampler: Choice
    cross_check: Literal["none"] | Sampler
    chains: int
    draws: int
    tune: int
    target_accept: float
    m1_prior: Literal["uniform", "log-uniform"]
    m1_min_meV: float
    m1_max_meV: float
    amplitude_sd: float
    baseline_sd: float
    leakage_sd: float
    refractive_index_sd: float
    extraordinary_index_sd: float
    theta_s_offset_sd_deg: float
    theta_e_offset_sd_deg: float
    oscillation_errors: bool
    phases: Literal["free", "fixed"]
    noise: Literal["drawn", "none"]
    own: tuple[OwnPrior, ...] = ()
    blocks: tuple[TiedBlock, ...] = ()
    templates: tuple[Template, ...] = ()

    def without_own(self, names: Collection[str]) -> InferenceSettings:
        """The same without priors of their own for some parameters, none of them correlated."""
        return replace(self, own=tuple(o for o in self.own if parted(o.name)[0] not in names))

    def of_groups(self, groups: Mapping[str, str]) -> InferenceSettings:
        """Those of a data set that has a group (or none) of each parameter, by plain names."""
        apart = {one.name: one for one in self.own if parted(one.name)[1]}
        if not apart:
            return self
        names = {name: of_group(name, group) for name, group in groups.items()}
        mine = [replace(apart[n], name=plain) for plain, n in names.items() if n in apart]
        replaced = {one.name for one in mine}
        rest = [o for o in self.own if o.name not in apart and o.name not in replaced]
        return replace(self, own=(*rest, *mine))

    def with_own(
        self, own: tuple[OwnPrior, ...], blocks: tuple[TiedBlock, ...]
    ) -> InferenceSettings:
        """The same with other priors by parameter."""
        return replace(self, own=own, blocks=blocks)

    def document(self) -> dict[str, Any]:
        """All settings as plain values; own priors in words."""
        told = asdict(self)
        del told["blocks"]
        names = [one.name for one in self.templates]
        return told | {"own": own_texts(self), "templates": names}

    def __post_init__(self) -> None:
        for name in ("chains", "draws", "tune"):
            if getattr(self, name) < 1:
                raise DomainError(name, getattr(self, name), ">= 1")
        if not 0.0 < self.target_accept < 1.0:
            raise DomainError("target_accept", self.target_accept, "between 0 and 1")
        for name in (f.name for f in fields(self) if "_sd" in f.name):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise DomainError(name, getattr(self, name), ">= 0, finite")
        if not 0.0 < self.m1_min_meV < self.m1_max_meV < np.inf:
            raise DomainError(
                "m1_max_meV", self.m1_max_meV, f"> m1_min_meV = {self.m1_min_meV} > 0"
            )


def own_texts(settings: InferenceSettings, ordering: str | None = None) -> list[str]:
    """Priors by parameter in words: all, or those of an ordering."""
    held = [one for one in settings.own if ordering is None or one.holds_under(ordering)]
    return [f"{one.name} {one.text}" for one in held]
