"""From data to posterior: the one public call of the package's inference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import xarray as xr

from renp_infer.finite import require_finite, require_finite_tree
from renp_infer.inference.hypothesis import ModelLike
from renp_infer.inference.judging.checks import log_prior_group, model_checks
from renp_infer.inference.judging.cross_check import cross_check
from renp_infer.inference.judging.impact import impacts
from renp_infer.inference.judging.tension import tensions
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import JARLSKOG, MASS, PARAMETERS, SEEN_PHASE
from renp_infer.inference.priors.prior import Prior
from renp_infer.inference.results.diagnostics import convergence, diagnose
from renp_infer.inference.results.judged import Diagnosis, Summary
from renp_infer.inference.results.summary import compared, summarise
from renp_infer.inference.samplers.sampling import draw_sample
from renp_infer.inference.settings import InferenceSettings, own_texts
from renp_infer.measurement.data import DATA_SET, Data
from renp_infer.records import FloatArray, Parameters, Progress
from renp_infer.versions import versions

ANGLE = "theta_s_deg"
CROSS_CHECK = "renp_cross_check"
"""Group of a second sampler's draws."""
DERIVED = "renp_derived"
"""Group of what follows from the posterior's draws."""
PADDED = {"stage", "point"}
"""Dimensions whose rows may be shorter than the longest, with NaN behind them."""
PREDICTIVE_DRAWS = 1000
"""Largest number of draws, over all chains, that predictions are made for."""


def fit(
    model: ModelLike,
    data: Data,
    seed: int,
    *,
    progress: Progress | None = None,
    cores: int = 1,
) -> xr.DataTree:
    """Posterior of data under one hypothesis.

    Parameters
    ----------
    model : ModelLike
        Its parameters are the truth of the mock data, or for data from a file a point to
        start from; their values are those of fixed parameters.
    data : Data
    seed : int
        Root of every random stream of the fit, one per purpose.
    progress : callable, optional
        Called with a stage's name and the fraction done.
    cores : int
        Chains run at the same time; does not change the result.

    Returns
    -------
    xarray.DataTree
        ArviZ groups ``posterior``, ``prior``, both predictives,
        ``log_likelihood``, ``sample_stats``, ``observed_data``,
        ``constant_data``, ``log_prior``, ``renp_checks`` and ``renp_provenance``;
        attributes ``renp_summary``, ``renp_diagnostics`` and ``renp_checks`` (see
        ``checks.model_checks`` and ``impact.impacts``) are JSON texts.

    Raises
    ------
    DomainError
        If the shape of an offset is missing.
    NonFiniteError
        If data, covariance, response or any number of the result is not finite.
    """
    report = progress or (lambda stage, fraction: None)
    truth, settings = model.parameters, model.settings
    values, signal = model.values(truth), model.field(truth)
    require_finite("response", signal, values, model.response.theta_s)
    prior, likelihood = model.prior, model.likelihood(data)
    purposes = ("sampling", "prior", "prior_predictive", "posterior_predictive", "cross_check")
    seeds = dict(zip(purposes, np.random.SeedSequence(seed).spawn(len(purposes)), strict=True))

    sample = draw_sample(likelihood, settings, seeds["sampling"], cores, report)
    vectors = sample.vectors
    shape = vectors.shape[:2]
    prior_rng = np.random.default_rng(seeds["prior"])
    external = likelihood.external
    prior_vectors = external.sample(prior, prior_rng, shape[0] * shape[1]).reshape(*shape, -1)
    report("predictions", 0.0)
    posterior_mean, kept = _means(likelihood, vectors)
    report("predictions", 0.5)
    prior_mean, prior_kept = _means(likelihood, prior_vectors)
    report("predictions", 1.0)
    groups = {
        "posterior": parameter_group(prior, vectors),
        "prior": parameter_group(prior, prior_vectors),
        DERIVED: by_draw(model.derived(vectors)),
        "sample_stats": sample.statistics,
        "log_likelihood": _data_group(
            likelihood, np.apply_along_axis(likelihood.pointwise_at_mean, -1, posterior_mean), kept
        ),
        "posterior_predictive": _data_group(
            likelihood, _noisy(likelihood, posterior_mean, seeds["posterior_predictive"]), kept
        ),
        "prior_predictive": _data_group(
            likelihood, _noisy(likelihood, prior_mean, seeds["prior_predictive"]), prior_kept
        ),
        "observed_data": _on_angles(data, {str(data.label): data.vector}),
        "constant_data": _constant_group(data, signal, values),
        "renp_provenance": _provenance(settings, seed),
        **sample.groups,
    }
    if settings.cross_check != "none":
        other = replace(settings, sampler=settings.cross_check)
        second = draw_sample(likelihood, other, seeds["cross_check"], cores, report)
        groups[CROSS_CHECK] = parameter_group(prior, second.vectors)
        groups[CROSS_CHECK].attrs = second.statistics.attrs
    groups["log_prior"] = log_prior_group(
        prior, external, vectors[:, kept], groups["log_likelihood"]
    )
    tree = xr.DataTree.from_dict({f"/{name}": group for name, group in groups.items()})
    _check(tree)
    known = {} if data.source else values
    summaries, diagnosis = _judged(tree, prior, known)
    before = model.derived(prior_vectors)
    true = model.derived(model.vector(truth)) if known else {}
    summaries |= _derived_summaries(tree, before, {k: float(v) for k, v in true.items()})
    found = tensions(external, prior, vectors.reshape(-1, vectors.shape[-1]))
    told: dict[str, Any] = {
        "constraints": list(external.names),
        "priors": own_texts(settings, truth.ordering),
        "tension": {name: asdict(one) for name, one in found.items()},
    }
    tree.attrs = _documents(summaries, diagnosis, truth, values, signal, data, told)
    impact = impacts(prior, vectors, summaries[MASS].ess_bulk or 1.0)
    checks, tree["renp_checks"] = model_checks(tree, likelihood, posterior_mean, impact)
    tree.attrs["renp_checks"] = json.dumps(_known(checks.document()))
    return tree


def _known(found: Any) -> Any:
    """The same with nothing for numbers that too few draws do not give."""
    if isinstance(found, dict):
        return {name: _known(value) for name, value in found.items()}
    return None if isinstance(found, float) and not np.isfinite(found) else found


def _means(likelihood: Likelihood, vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Expected data (chains, kept, n) and the draws, evenly spaced, they are of."""
    chains, draws = vectors.shape[:2]
    step = max(1, -(-chains * draws // PREDICTIVE_DRAWS))
    kept = np.arange(0, draws, step)
    return np.array([likelihood.means(chain[kept]) for chain in vectors]), kept


def _noisy(likelihood: Likelihood, mean: FloatArray, seed: np.random.SeedSequence) -> FloatArray:
    """Expected data plus a draw of the noise, shape unchanged."""
    unit = np.random.default_rng(seed).standard_normal(mean.shape)
    return np.asarray(mean + unit @ likelihood.whitening.cholesky.T)


def _check(tree: xr.DataTree) -> None:
    """Refuse a result with a number that is not finite; names the draw it belongs to."""
    for group in tree.children:
        source = tree["prior" if group.startswith("prior") else "posterior"].to_dataset()
        for name, column in tree[group].data_vars.items():
            if column.dtype.kind != "f" or PADDED & {*column.dims} or np.all(np.isfinite(column)):
                continue
            bad = np.argwhere(~np.isfinite(column.values))[0]
            draw = {
                dim: int(column[dim][k] if dim in column.coords else k)
                for dim, k in zip(column.dims, bad, strict=True)
                if dim in ("chain", "draw")
            }
            point = source.isel(draw) if draw else source.isel(chain=[], draw=[])
            causes = {str(n): float(v) for n, v in point.data_vars.items() if v.ndim == 0}
            require_finite(f"{group}/{name}", column.values, {**draw, **causes})


def parameter_group(prior: Prior, vectors: FloatArray) -> xr.Dataset:
    """Free parameters (chains, draws, d) by name."""
    return by_draw({name: vectors[..., k] for k, name in enumerate(prior.names)})


def by_draw(columns: Mapping[str, FloatArray]) -> xr.Dataset:
    """Columns (chains, draws) by name."""
    chains, draws = next(iter(columns.values())).shape
    return xr.Dataset(
        {name: (("chain", "draw"), column) for name, column in columns.items()},
        coords={"chain": np.arange(chains), "draw": np.arange(draws)},
    )


def _data_group(likelihood: Likelihood, columns: FloatArray, kept: FloatArray) -> xr.Dataset:
    return xr.Dataset(
        {str(likelihood.data.label): (("chain", "draw", ANGLE), columns)},
        coords={
            "chain": np.arange(columns.shape[0]),
            "draw": kept,
            **_entries(likelihood.data),
        },
        attrs={
            "draws": f"every {kept[1] - kept[0] if kept.size > 1 else 1}. draw of each chain",
            "pointwise": "conditional on the angles before"
            if likelihood.whitening.decorrelation is not None
            else "independent",
        },
    )


def _on_angles(data: Data, columns: Mapping[str, FloatArray]) -> xr.Dataset:
    return xr.Dataset(
        {name: (ANGLE, column) for name, column in columns.items()},
        coords=_entries(data),
    )


def _entries(data: Data) -> dict[str, Any]:
    """Where the entries of data stand; of several observables or sets, which each belongs to."""
    places: dict[str, Any] = {ANGLE: np.rad2deg(data.theta_s)}
    if len(set(data.labels)) > 1:
        places["observable"] = (ANGLE, [str(label) for label in data.labels])
    if data.sets:
        places[DATA_SET] = (ANGLE, list(data.sets))
    return places


def _constant_group(data: Data, signal: FloatArray, values: Mapping[str, float]) -> xr.Dataset:
    columns = {data.label.of("sigma"): data.sigma}
    if data.source:
        return _on_angles(data, columns)
    columns[data.label.of("signal_true")] = signal
    scalars = {f"truth_{name}": value for name, value in values.items()}
    return _on_angles(data, columns).assign(scalars)


def _provenance(settings: InferenceSettings, seed: int) -> xr.Dataset:
    return xr.Dataset(
        attrs={
            "seed": str(seed),
            "settings": json.dumps(settings.document()),
            "versions": json.dumps(versions()),
        }
    )


def _judged(
    tree: xr.DataTree, prior: Prior, known: Mapping[str, float]
) -> tuple[dict[str, Summary], Diagnosis]:
    """Summary of every free parameter, and the diagnosis of all draws."""
    posterior = tree["posterior"].to_dataset()
    draws = {str(name): posterior[name].values for name in posterior.data_vars}
    circular = {name: name in prior.circular for name in draws}
    rows = {name: convergence(draws[name], circular[name]) for name in draws}
    diagnosis = diagnose(rows, tree["sample_stats"].to_dataset())
    if CROSS_CHECK in tree.children:
        second = tree[CROSS_CHECK].to_dataset()
        others = {name: second[name].values for name in draws}
        found = cross_check(draws, others, PARAMETERS.phases, second.attrs["sampler"])
        diagnosis = diagnosis.crossed(found)
    before, summaries = tree["prior"].to_dataset(), {}
    for name, marginal in prior.marginals.items():
        row = summarise(draws[name], known.get(name), rows[name], circular[name])
        summaries[name] = compared(row, draws[name], before[name].values, marginal.limits)
    return summaries, diagnosis


def _derived_summaries(
    tree: xr.DataTree, before: Mapping[str, FloatArray], known: Mapping[str, float]
) -> dict[str, Summary]:
    """Summary of every derived quantity; no mass is below 0."""
    posterior, summaries = tree[DERIVED].to_dataset(), {}
    for name, prior_draws in before.items():
        draws, circular = posterior[name].values, name == SEEN_PHASE
        row = convergence(draws, circular)
        found = summarise(draws, known.get(name), row, circular)
        lowest = -np.inf if name == JARLSKOG else 0.0
        summaries[name] = compared(found, draws, prior_draws, (lowest, np.inf))
    return summaries


def _documents(
    summaries: Mapping[str, Summary],
    diagnosis: Diagnosis,
    truth: Parameters,
    values: Mapping[str, float],
    signal: FloatArray,
    data: Data,
    told: Mapping[str, Any],
) -> dict[str, str]:
    """Root attributes: the summary, with what else is ``told``, and the diagnostics as JSON."""
    diagnostics = diagnosis.document()
    summary = {
        "hypothesis": {"ordering": truth.ordering, "nature": truth.nature},
        "data": data.source or "mock",
        "parameters": {name: asdict(row) for name, row in summaries.items()},
        "diagnostics": diagnostics,
        "peak_snr": float(np.max(np.abs(signal) / data.sigma)),
        "normalised": data.normalised,
    }
    summary |= {name: what for name, what in told.items() if what}
    require_finite_tree(summary, values)
    return {"renp_summary": json.dumps(summary), "renp_diagnostics": json.dumps(diagnostics)}
