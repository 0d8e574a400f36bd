"""Log-evidence of one hypothesis with its error, and posterior draws beside it.

All estimators use the likelihood and prior of ``fit``, which are normalised, so
evidences of different hypotheses for the same data can be divided. What has a
closed form is integrated first (``marginalised.py``). The samplers start from a reference
density of their own (``reference.py``), importance sampling from proposals of its own
(``importance.py``), each from its own stream of random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from scipy.special import logsumexp

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.results.comparison import Estimator, EvidenceSettings
from renp_infer.inference.samplers.amplitude import AmplitudeMarginal
from renp_infer.inference.samplers.importance import pooled_sample
from renp_infer.inference.samplers.marginalised import Marginalised, marginalise
from renp_infer.inference.samplers.reference import Reference, prior_reference
from renp_infer.records import FloatArray, Progress
from renp_infer.versions import versions

IMPORTANCE_RUNS = 4
"""Proposals of an importance estimate, each from its own search for modes."""
MIN_LIVE_BY_SIZE = 5
"""Fewest live points of a run, by number of parameters."""


@dataclass(frozen=True)
class Estimate:
    """Evidence and posterior by one estimator.

    Attributes
    ----------
    log_evidence, log_evidence_error : float
    vectors : ndarray, shape (chains, draws, d)
        Draws of equal weight of all free parameters.
    statistics : xarray.Dataset
        ``lp``, log prior density plus log-likelihood, by (chain, draw), and those of
        the estimator.
    groups : dict
        What else there is, by name of its group.
    """

    log_evidence: float
    log_evidence_error: float
    vectors: FloatArray
    statistics: xr.Dataset
    groups: Mapping[str, xr.Dataset] = field(default_factory=dict)


def estimate(
    likelihood: Likelihood,
    estimator: Estimator,
    settings: EvidenceSettings,
    seed: np.random.SeedSequence,
    progress: Progress = lambda stage, fraction: None,
    cores: int = 1,
) -> Estimate:
    """Evidence of a likelihood's hypothesis.

    Parameters
    ----------
    likelihood : Likelihood
    estimator : {"importance", "smc", "nested"}
    settings : EvidenceSettings
    seed : numpy.random.SeedSequence
    progress : callable, optional
        Called with a stage's name and the fraction done.
    cores : int, optional
        That importance sampling may use.
    """
    marginal_seed, pilot_seed, run_seed, draw_seed = seed.spawn(4)
    marginal = marginalise(likelihood, np.random.default_rng(marginal_seed))
    rng = np.random.default_rng(draw_seed)
    if estimator == "importance":
        return _by_importance(marginal, settings, run_seed, rng, cores)
    progress("pilot", 0.0)
    reference = _reference(marginal.target, settings, pilot_seed)
    progress("pilot", 1.0)
    if estimator == "smc":
        return _by_smc(marginal, reference, settings, run_seed, rng)
    return _by_nested(marginal, reference, settings, run_seed, rng, progress)


def _reference(
    target: AmplitudeMarginal, settings: EvidenceSettings, seed: np.random.SeedSequence
) -> Reference:
    if settings.reference == "prior":
        return prior_reference(target.prior)
    from renp_infer.inference.samplers.nested import pilot

    return pilot(target, seed)


def _by_importance(
    marginal: Marginalised,
    settings: EvidenceSettings,
    seed: np.random.SeedSequence,
    rng: np.random.Generator,
    cores: int,
) -> Estimate:
    streams = [np.random.default_rng(child) for child in seed.spawn(IMPORTANCE_RUNS)]
    each = max(settings.importance_draws // IMPORTANCE_RUNS, 1)
    found = pooled_sample(marginal.target, streams, each, cores)
    size, shares = int(found.ess), found.weights / found.weights.sum()
    picked = found.take(rng.choice(shares.size, size=size, p=shares))
    full, lp = marginal.complete(picked.vectors, picked.templates, rng)
    vectors, statistics = _by_chain([full], [lp])
    statistics.attrs = {
        "sampler": "importance",
        "sampling_library": f"renp-infer {versions()['renp-infer']}",
        "step_methods": f"all: {IMPORTANCE_RUNS} mixtures, {found.ess:.0f} effective draws",
    }
    summary = found.evidence
    return Estimate(summary.log_z, summary.error, vectors, statistics)


def _by_smc(
    marginal: Marginalised,
    reference: Reference,
    settings: EvidenceSettings,
    seed: np.random.SeedSequence,
    rng: np.random.Generator,
) -> Estimate:
    import pymc as pm

    from renp_infer.inference.samplers.smc import smc_run

    run = smc_run(marginal.target, reference, settings.smc_draws, settings.smc_chains, seed)
    value, error = mean_evidence(run.log_evidence)
    vectors, statistics = _completed(marginal, list(run.vectors), rng)
    statistics = statistics.merge(run.stages).assign(log_evidence=("chain", run.log_evidence))
    statistics.attrs = {
        "sampler": "smc",
        "sampling_library": f"pymc {pm.__version__}",
        "step_methods": f"all: SMC, {settings.reference} reference",
    }
    return Estimate(value, error, vectors, statistics)


def _by_nested(
    marginal: Marginalised,
    reference: Reference,
    settings: EvidenceSettings,
    seed: np.random.SeedSequence,
    rng: np.random.Generator,
    progress: Progress,
) -> Estimate:
    import dynesty

    from renp_infer.inference.samplers.nested import effective_size, equal_draws, nested_run

    fewest = MIN_LIVE_BY_SIZE * len(marginal.target.prior.names)
    live = max(settings.live_points // settings.nested_runs, fewest)
    runs = []
    for k, child in enumerate(seed.spawn(settings.nested_runs)):
        runs.append(nested_run(marginal.target, reference, live, child))
        progress("nested sampling", (k + 1) / settings.nested_runs)
    value, error = mean_log_evidence(
        np.array([run.log_evidence for run in runs]),
        np.array([run.log_evidence_error for run in runs]),
    )
    size = min(effective_size(run) for run in runs)
    drawn = [reference.vector(equal_draws(run, size, rng)) for run in runs]
    vectors, statistics = _completed(marginal, drawn, rng)
    statistics = statistics.assign(
        log_evidence=("chain", np.array([run.log_evidence for run in runs])),
        likelihood_calls=("chain", np.array([run.calls for run in runs])),
    )
    statistics.attrs = {
        "sampler": "nested",
        "sampling_library": f"dynesty {dynesty.__version__}",
        "step_methods": f"all: nested sampling, {live} live points, {settings.reference} reference",
    }
    names = marginal.target.prior.names
    points = [reference.vector(run.cubes) for run in runs]
    columns = {name: [part[:, k] for part in points] for k, name in enumerate(names)}
    columns["log_weight"] = [run.log_weights for run in runs]
    columns["log_likelihood_ratio"] = [run.log_likelihood for run in runs]
    return Estimate(value, error, vectors, statistics, {"renp_nested": _ragged(columns)})


def _completed(
    marginal: Marginalised, vectors: list[FloatArray], rng: np.random.Generator
) -> tuple[FloatArray, xr.Dataset]:
    """Draws of all parameters by (chain, draw), and their log posterior."""
    chains, densities = [], []
    for chain in vectors:
        full, lp = marginal.complete(chain, marginal.target.templates(chain), rng)
        chains.append(full)
        densities.append(lp)
    return _by_chain(chains, densities)


def _by_chain(
    chains: list[FloatArray], densities: list[FloatArray]
) -> tuple[FloatArray, xr.Dataset]:
    """Draws (chain, draw, d) and their log posterior as statistics."""
    coords = {"chain": np.arange(len(chains)), "draw": np.arange(len(densities[0]))}
    return np.array(chains), xr.Dataset({"lp": (("chain", "draw"), np.array(densities))}, coords)


def _ragged(columns: Mapping[str, list[FloatArray]]) -> xr.Dataset:
    """Points of runs of any lengths by (chain, point), NaN after the last of a run."""
    length = max(row.size for row in columns["log_weight"])

    def table(rows: list[FloatArray]) -> FloatArray:
        return np.array(
            [np.pad(row, (0, length - row.size), constant_values=np.nan) for row in rows]
        )

    return xr.Dataset({name: (("chain", "point"), table(rows)) for name, rows in columns.items()})


def mean_evidence(log_evidence: FloatArray) -> tuple[float, float]:
    """Log of the mean of unbiased estimates of Z, and its jackknife error.

    Parameters
    ----------
    log_evidence : ndarray, shape (k,), k >= 2

    Returns
    -------
    value, error : float
        Where estimates scatter by much, the largest decides both, and the error
        says so.
    """
    count = log_evidence.size
    value = float(logsumexp(log_evidence) - np.log(count))
    left_out = [logsumexp(np.delete(log_evidence, k)) for k in range(count)]
    error = float(np.sqrt((count - 1) * np.var(left_out)))
    return value, error


def mean_log_evidence(log_evidence: FloatArray, errors: FloatArray) -> tuple[float, float]:
    """Mean of unbiased estimates of log Z; the larger of stated and observed error.

    Parameters
    ----------
    log_evidence, errors : ndarray, shape (k,), k >= 2
    """
    stated = float(np.sqrt(np.sum(errors**2)) / errors.size)
    observed = float(np.std(log_evidence, ddof=1) / np.sqrt(errors.size))
    return float(np.mean(log_evidence)), max(stated, observed)
