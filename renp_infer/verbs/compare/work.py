"""Evidence of the four hypotheses: one task per hypothesis and estimator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.errors import TaskError
from renp_infer.inference.fit import DERIVED, by_draw, parameter_group
from renp_infer.inference.knowledge.derived import derived
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import PARAMETERS, SEEN_PHASE
from renp_infer.inference.responses.accurate import NATURES, ErrorBudget
from renp_infer.inference.results.compared import LogEvidence
from renp_infer.inference.results.comparison import (
    HYPOTHESES,
    CompareSettings,
    Evidence,
    Hypothesis,
    task_of,
)
from renp_infer.inference.samplers.evidence import estimate
from renp_infer.inference.settings import own_texts
from renp_infer.physics.neutrinos import ATMOSPHERIC
from renp_infer.study.hypotheses import true_peak_nG
from renp_infer.study.observed import data_of
from renp_infer.study.units import described
from renp_infer.verbs.infer.work import checked

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.tasks import Context, Task
    from renp_infer.records import FloatArray
    from renp_infer.study.study import Study

EVIDENCE = "renp_evidence"
BEFORE = "renp_derived_prior"
"""Group of what follows from draws of the prior."""
_PRIOR_DRAWS = 4000


def estimate_one(study: Study, task: Task, context: Context) -> xarray.DataTree:
    """Evidence and posterior of one hypothesis by one estimator.

    Returns
    -------
    DataTree
        Groups ``posterior``, ``sample_stats`` and those of the estimator; the
        evidence is in the attributes.

    Raises
    ------
    ConvergenceError
        If the tabulated response of the hypothesis is not accurate enough.
    """
    import xarray as xr

    settings = _settings(study)
    hypothesis, estimator = task_of(task.index, settings.estimators)
    likelihood, budget = likelihood_of(study, hypothesis)
    seed, cores = task.seed(), context.cores
    found = estimate(likelihood, estimator, settings, seed, context.tell, cores)
    groups = {
        "posterior": parameter_group(likelihood.prior, found.vectors),
        **_derived(study, hypothesis, likelihood, found.vectors),
        "sample_stats": found.statistics,
        **found.groups,
    }
    tree = xr.DataTree.from_dict({f"/{name}": group for name, group in groups.items()})
    tree.attrs = {
        "hypothesis": hypothesis.name,
        "estimator": estimator,
        "log_evidence": found.log_evidence,
        "log_evidence_error": found.log_evidence_error,
        **budget.document,
        "constraints": json.dumps(likelihood.external.names),
        "priors": json.dumps(own_texts(study.priors, hypothesis.ordering)),
    }
    return tree


def _derived(
    study: Study, hypothesis: Hypothesis, likelihood: Likelihood, vectors: FloatArray
) -> dict[str, xarray.Dataset]:
    """What follows from draws (chains, draws, d), and from draws of the prior."""
    table = study.oscillation.values[hypothesis.ordering]
    rng = np.random.default_rng(np.random.SeedSequence(study.seed, spawn_key=(2,)))
    before = likelihood.external.sample(likelihood.prior, rng, _PRIOR_DRAWS)[None]
    return {
        name: by_draw(derived(likelihood.prior, hypothesis.nature, part, table.get(ATMOSPHERIC)))
        for name, part in ((DERIVED, vectors), (BEFORE, before))
    }


def likelihood_of(study: Study, hypothesis: Hypothesis) -> tuple[Likelihood, ErrorBudget]:
    """Likelihood of the study's data under a hypothesis, and its response's errors.

    Data are those of the study whatever the hypothesis; see ``inference.hypothesis`` for
    what else is.
    """
    data = data_of(study)
    model, budget = checked(study, hypothesis, data, true_peak_nG, NATURES)
    return model.likelihood(data), budget


def join(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write ``compare.nc``: a branch per hypothesis and estimator, and the evidences.

    Raises
    ------
    TaskError
        If a hypothesis has no evidence.
    """
    import xarray as xr

    branches: dict[str, xarray.Dataset] = {}
    estimators = _settings(study).estimators
    table = np.full((2, len(HYPOTHESES), len(estimators)), np.nan)
    for path in paths:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            tree.load()
        row = [hypothesis.name for hypothesis in HYPOTHESES].index(tree.attrs["hypothesis"])
        column = estimators.index(tree.attrs["estimator"])
        table[:, row, column] = tree.attrs["log_evidence"], tree.attrs["log_evidence_error"]
        home = f"/{tree.attrs['hypothesis']}/{tree.attrs['estimator']}"
        branches[home] = xr.Dataset(attrs=tree.attrs)
        branches |= {f"{home}/{name}": child.to_dataset() for name, child in tree.children.items()}
    for hypothesis, values in zip(HYPOTHESES, table[0], strict=True):
        if not np.any(np.isfinite(values)):
            raise TaskError(f"{study.name}: compare: no evidence for {hypothesis.name}")
    branches[f"/{EVIDENCE}"] = _evidence_group(table, estimators)
    described(xr.DataTree.from_dict(branches)).to_netcdf(target, engine="h5netcdf")


def _evidence_group(table: Any, estimators: tuple[str, ...]) -> xarray.Dataset:
    import xarray as xr

    dims = ("hypothesis", "estimator")
    return xr.Dataset(
        {"log_evidence": (dims, table[0]), "log_evidence_error": (dims, table[1])},
        {"hypothesis": [h.name for h in HYPOTHESES], "estimator": list(estimators)},
    )


def evidences(tree: xarray.DataTree) -> list[Evidence]:
    """Rows of a comparison, from the tree of ``compare.nc``."""
    return [_evidence(tree, hypothesis) for hypothesis in HYPOTHESES]


def _evidence(tree: xarray.DataTree, hypothesis: Hypothesis) -> Evidence:
    table = tree[EVIDENCE].to_dataset()
    estimates, draws, before = {}, {}, {}
    for name in map(str, table["estimator"].values):
        cell = table.sel(hypothesis=hypothesis.name, estimator=name)
        if not np.isfinite(cell["log_evidence"]):
            continue
        found = LogEvidence(float(cell["log_evidence"]), float(cell["log_evidence_error"]))
        branch = tree[f"{hypothesis.name}/{name}"]
        posterior = branch["posterior"].to_dataset()
        kept = [n for n in ("m1_meV", *PARAMETERS.phases) if n in posterior]
        estimates[name] = found
        draws[name] = {n: posterior[n].values.ravel() for n in kept} | _columns(branch, DERIVED)
        before = _columns(branch, BEFORE)
    return Evidence(hypothesis, estimates, draws, before)


def _columns(branch: Any, group: str) -> dict[str, FloatArray]:
    """Derived masses (n,) by name; none of a result from before there were any."""
    if group not in branch.children:
        return {}
    found = branch[group].to_dataset()
    names = (n for n in found.data_vars if n != SEEN_PHASE)
    return {str(name): found[name].values.ravel() for name in names}


def _settings(study: Study) -> CompareSettings:
    assert study.compare is not None
    return study.compare
