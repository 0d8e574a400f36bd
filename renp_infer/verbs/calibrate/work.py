"""The mock experiments of ``renp calibrate``: tasks, and how they become one file.

Three kinds of task: a block of belt points, a block of hypothesis draws, and,
last, so that a longer series begins with the shorter one, blocks of data sets.
What is compiled or tabulated is kept by a worker process from task to task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from renp_infer.inference.judging.belt_mocks import belt_mock
from renp_infer.inference.judging.hypothesis_mocks import draw_hypothesis
from renp_infer.inference.judging.sbc import LOG_LIKELIHOOD, Ranked, rank_one
from renp_infer.inference.refit import Refit
from renp_infer.inference.results.comparison import HYPOTHESES, Hypothesis
from renp_infer.study.units import described
from renp_infer.terminal import document
from renp_infer.verbs.calibrate.judge import judge
from renp_infer.verbs.calibrate.mocks import MockModel, mock_model
from renp_infer.verbs.calibrate.parts import Block, belt_points, prior_odds
from renp_infer.verbs.calibrate.result import ATTRIBUTE

if TYPE_CHECKING:
    from renp_infer.engine.tasks import Context, Task
    from renp_infer.study.study import Study

DIMENSION = "mock"

_KEPT: dict[str, Any] = {}


def kept(base: str, what: str, make: Callable[[], Any]) -> Any:
    """What this process has made for tasks of the same base before, or makes now."""
    if _KEPT.get("base") != base:
        _KEPT.clear()
        _KEPT["base"] = base
    if what not in _KEPT:
        _KEPT[what] = make()
    return _KEPT[what]


def perform(study: Study, task: Task, context: Context) -> xr.DataTree:
    """Do one task.

    Parameters
    ----------
    study : Study
    task : Task
        Its k-th mock has the stream ``task.seed(k)``.
    context : Context

    Returns
    -------
    DataTree
        One group, named by the task's kind, along dimension ``mock``.
    """
    block = Block(*task.part)
    does = {"ranks": _ranks, "hypotheses": _hypotheses, "belt": _belt}[block.kind]
    seeds = [task.seed(place) for place in range(block.stop - block.first)]
    numbers = {DIMENSION: np.arange(block.first, block.stop)}
    rows = does(study, task, context, block.point, seeds).assign_coords(numbers)
    return xr.DataTree.from_dict({block.kind: rows})


def _model(study: Study, task: Task, hypothesis: Hypothesis) -> MockModel:
    return kept(task.base, hypothesis.name, lambda: mock_model(study, hypothesis))


def _truth_model(study: Study, task: Task) -> MockModel:
    truth = study.parameters
    return _model(study, task, Hypothesis(truth.ordering, truth.nature))


def _ranks(
    study: Study, task: Task, context: Context, _: int, seeds: list[np.random.SeedSequence]
) -> xr.Dataset:
    section, settings, model = study.calibration, study.settings, _truth_model(study, task)
    assert section is not None and settings is not None
    settings = replace(settings, chains=section.chains, draws=section.draws, tune=section.tune)
    sample = kept(task.base, "sampler", lambda: Refit(settings))
    sample.cores = min(section.chains, context.cores)
    rows: list[Ranked] = []
    for k, seed in enumerate(seeds):
        context.tell("data sets", k / len(seeds))
        rows.append(
            rank_one(model.likelihood, model.expected, sample, seed, section.thinning or None)
        )
    names = [*model.likelihood.prior.names, LOG_LIKELIHOOD]
    return ranked(rows, names, model.likelihood.prior.circular)


def ranked(rows: list[Ranked], names: list[str], circular: tuple[str, ...]) -> xr.Dataset:
    """Dataset of fits along ``mock``."""
    both = (DIMENSION, "quantity")
    lone = {key: [getattr(row, key) for row in rows] for key in ("ranked", "r_hat", "ess")}
    columns = {
        "quantity": ("quantity", names),
        "is_circular": ("quantity", [name in circular for name in names]),
        "truth": ((DIMENSION, "parameter"), [row.truth for row in rows]),
        "fraction": (both, [row.fractions for row in rows]),
        "centrality": (both, [row.centrality for row in rows]),
        "divergent": (DIMENSION, [row.divergent for row in rows]),
        "failure": (DIMENSION, [row.failure for row in rows]),
        **{key: (DIMENSION, values) for key, values in lone.items()},
    }
    return xr.Dataset(columns)


def _hypotheses(
    study: Study, task: Task, context: Context, _: int, seeds: list[np.random.SeedSequence]
) -> xr.Dataset:
    section = study.calibration
    assert section is not None
    models = [_model(study, task, hypothesis).likelihood for hypothesis in HYPOTHESES]
    odds, rows = prior_odds(study), []
    for k, seed in enumerate(seeds):
        context.tell("hypotheses", k / len(seeds))
        rows.append(draw_hypothesis(models, odds, seed, section.importance_draws))
    both = (DIMENSION, "hypothesis")
    columns = {
        "hypothesis": ("hypothesis", [" ".join(h) for h in HYPOTHESES]),
        "true_hypothesis": (DIMENSION, [row.truth for row in rows]),
        "log_evidence": (both, [row.log_z for row in rows]),
        "error": (both, [row.error for row in rows]),
        "ess": (both, [row.ess for row in rows]),
        "failure": (DIMENSION, [row.failure for row in rows]),
    }
    return xr.Dataset(columns)


def _belt(
    study: Study, task: Task, context: Context, point: int, seeds: list[np.random.SeedSequence]
) -> xr.Dataset:
    section, model = study.calibration, _truth_model(study, task)
    assert section is not None
    m1_meV = float(belt_points(study)[point])
    rows = []
    for k, seed in enumerate(seeds):
        context.tell("belt", k / len(seeds))
        rows.append(belt_mock(model.likelihood, model.truth, m1_meV, section.belt_m1_meV, seed))
    columns = {
        "point": (DIMENSION, [point] * len(rows)),
        "statistic": (DIMENSION, [row.statistic for row in rows]),
        "best_m1_meV": (DIMENSION, [row.best_m1_meV for row in rows]),
        "failure": (DIMENSION, [row.failure for row in rows]),
    }
    return xr.Dataset(columns)


def join(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write ``calibrate.nc``: all mocks of each kind, and the verdict as JSON.

    Parameters
    ----------
    study : Study
    paths : iterator of str
        In order; those of failed tasks are missing.
    target : Path
    """
    pieces: dict[str, list[xr.Dataset]] = {}
    for path in paths:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            for kind, group in tree.load().children.items():
                pieces.setdefault(kind, []).append(group.to_dataset())
    together = {
        kind: xr.concat(rows, DIMENSION, data_vars="minimal", coords="minimal", compat="override")
        for kind, rows in pieces.items()
    }
    found = judge(study, together)
    tree = xr.DataTree.from_dict(together)
    tree.attrs = {"schema": 1, "name": study.name, "seed": str(study.seed)}
    tree.attrs[ATTRIBUTE] = document(found.document)
    described(tree).to_netcdf(target, engine="h5netcdf")
