"""One posterior, six samplers: draws of equal weight by (chain, draw) from each.

Without a choice the independence sampler draws, and where its own check does not pass, NUTS
(``proof.py``): which of them did is decided before any draw is looked at, and said.

No sampler has to cross from one sign of the phases to the other: ``mirrored`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from renp_infer.errors import ConvergenceError
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.phases import mirrored
from renp_infer.inference.results.comparison import Estimator, EvidenceSettings
from renp_infer.inference.settings import InferenceSettings
from renp_infer.records import FloatArray, Progress

if TYPE_CHECKING:
    from renp_infer.inference.samplers.nuts import CompiledModel


@dataclass(frozen=True)
class Sample:
    """Draws from a posterior.

    Attributes
    ----------
    vectors : ndarray, shape (chains, draws, d)
        Free parameters.
    statistics : xarray.Dataset
        ``lp`` by (chain, draw) and what else the sampler has; attributes
        ``sampler``, ``sampling_library``, ``step_methods``.
    groups : dict
        Further groups of the result: evidence, raw weights.
    """

    vectors: FloatArray
    statistics: xr.Dataset
    groups: Mapping[str, xr.Dataset] = field(default_factory=dict)


def draw_sample(
    likelihood: Likelihood,
    settings: InferenceSettings,
    seed: np.random.SeedSequence,
    cores: int,
    report: Progress,
    compiled: Callable[[Likelihood], CompiledModel] | None = None,
) -> Sample:
    """Sample a posterior by the sampler of the settings.

    Parameters
    ----------
    likelihood : Likelihood
    settings : InferenceSettings
    seed : numpy.random.SeedSequence
    cores : int
        Chains that may run at the same time; does not change the result.
    report : callable
        Called with a stage's name and the fraction done.
    compiled : callable, optional
        Gives the likelihood's compiled model, to spare the compilation.
    """
    if settings.sampler == "auto":
        return _by_proof(likelihood, settings, seed, cores, report, compiled)
    sample = _drawn(likelihood, settings, seed, cores, report, compiled)
    rng = np.random.default_rng(seed.spawn(1)[0])
    if not likelihood.external.even:
        return sample
    return replace(sample, vectors=mirrored(likelihood.prior, sample.vectors, rng))


def _by_proof(
    likelihood: Likelihood,
    settings: InferenceSettings,
    seed: np.random.SeedSequence,
    cores: int,
    report: Progress,
    compiled: Callable[[Likelihood], CompiledModel] | None,
) -> Sample:
    """Draws of the independence sampler if it proves itself, else of NUTS, each as if alone."""
    from renp_infer.inference.samplers.proof import unproven

    alone = np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)
    first = replace(settings, sampler="independence")
    try:
        sample = draw_sample(likelihood, first, alone, cores, report)
    except ConvergenceError as error:
        reason = str(error)
    else:
        prior = likelihood.prior
        turns = [name in prior.circular for name in prior.names]
        reason = unproven(sample.vectors, sample.statistics, turns)
        if not reason:
            return _said(sample, "chosen since its own check passed")
    second = replace(settings, sampler="nuts")
    sample = draw_sample(likelihood, second, seed, cores, report, compiled)
    return _said(sample, f"chosen since the independence sampler did not pass: {reason}")


def _said(sample: Sample, why: str) -> Sample:
    """The same with the reason for its sampler."""
    methods = f"{sample.statistics.attrs['step_methods']}; {why}"
    return replace(sample, statistics=sample.statistics.assign_attrs(step_methods=methods))


def _drawn(
    likelihood: Likelihood,
    settings: InferenceSettings,
    seed: np.random.SeedSequence,
    cores: int,
    report: Progress,
    compiled: Callable[[Likelihood], CompiledModel] | None,
) -> Sample:
    match settings.sampler:
        case "emcee":
            from renp_infer.inference.samplers.ensemble import sample_ensembles

            unit, statistics = sample_ensembles(likelihood, settings, seed, report)
            return Sample(likelihood.prior.from_unit(unit), statistics)
        case "independence":
            from renp_infer.inference.samplers.independence import sample_independence

            return Sample(*sample_independence(likelihood, settings, seed, report, cores))
        case "smc" | "nested":
            return _with_evidence(likelihood, settings, seed, report)
        case "pymc-nuts":
            from renp_infer.inference.samplers.pymc_nuts import sample_pymc_nuts

            report("sampling", 0.0)
            return Sample(*sample_pymc_nuts(likelihood, settings, seed))
    from renp_infer.inference.samplers.model import build_model
    from renp_infer.inference.samplers.nuts import compile_model, sample_nuts

    report("compiling", 0.0)
    model = compile_model(build_model(likelihood)) if compiled is None else compiled(likelihood)
    report("compiling", 1.0)
    return Sample(*sample_nuts(model, likelihood, settings, seed, cores, report))


def _with_evidence(
    likelihood: Likelihood,
    settings: InferenceSettings,
    seed: np.random.SeedSequence,
    report: Progress,
) -> Sample:
    """Draws of an evidence estimator; ``draws`` are its particles or its live points."""
    from renp_infer.inference.samplers.evidence import estimate

    chains = max(settings.chains, 2)
    effort = EvidenceSettings(
        importance_draws=settings.draws,
        live_points=settings.draws,
        nested_runs=chains,
        smc_draws=settings.draws,
        smc_chains=chains,
        reference="fitted",
    )
    estimator: Estimator = "smc" if settings.sampler == "smc" else "nested"
    found = estimate(likelihood, estimator, effort, seed, report)
    numbers = {
        "log_evidence": found.log_evidence,
        "log_evidence_error": found.log_evidence_error,
    }
    groups = {**found.groups, "renp_evidence": xr.Dataset(numbers)}
    return Sample(found.vectors, found.statistics, groups)
