"""The tasks of ``renp optimize``: one search each, and how they become one result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tomli_w

from renp_infer.design.objective import Objective
from renp_infer.design.optimizers import make_optimizer
from renp_infer.design.search import Budget, Search, Trial, on_bounds
from renp_infer.design.starts import starts
from renp_infer.design.utility import Utility
from renp_infer.engine.blocks import append_line
from renp_infer.errors import RenpError
from renp_infer.study.design_tables import with_keys
from renp_infer.study.designing import (
    frozen_noise,
    objective_of,
    own_values,
    region_of,
    study_at,
)
from renp_infer.terminal import document, plain
from renp_infer.verbs.optimize.gains import gains
from renp_infer.verbs.optimize.optimum import summary
from renp_infer.verbs.optimize.result import BEST, TRIALS
from renp_infer.verbs.optimize.robust import robustness

if TYPE_CHECKING:
    from renp_infer.engine.tasks import Context, Task
    from renp_infer.study.study import Study

_SHARE_POINTS = 256
FINALISTS = 5
"""Trials of a search among which other truths choose."""


class Journal:
    """Trials of an unfinished search, on the disk one by one.

    Parameters
    ----------
    folder : str
        Scratch folder of the run; without one, or where the run directory is not on
        this machine, nothing is kept.
    key : str
        The task's.
    """

    def __init__(self, folder: str, key: str) -> None:
        reachable = bool(folder) and Path(folder).parents[2].is_dir()
        self._path = Path(folder) / f"{key[:16]}.jsonl" if reachable else None

    def read(self) -> list[Trial]:
        """Trials that were kept, up to the first line that is torn."""
        found: list[Trial] = []
        if self._path is None or not self._path.is_file():
            return found
        for line in self._path.read_bytes().splitlines():
            try:
                found.append(Trial.read(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError):
                break
        return found

    def rewrite(self, trials: Sequence[Trial]) -> None:
        """Begin again with what was read, so that nothing torn stands in between."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lines = "".join(json.dumps(plain(trial.plain())) + "\n" for trial in trials)
            self._path.write_text(lines, encoding="utf-8")

    def append(self, trial: Trial) -> None:
        """Keep a trial; it is on the disk when this returns."""
        if self._path is not None:
            append_line(self._path, plain(trial.plain()))
            with self._path.open("rb") as stream:
                os.fsync(stream.fileno())


def perform(study: Study, task: Task, context: Context) -> dict[str, Any]:
    """Search once.

    Parameters
    ----------
    study : Study
        With a section ``[optimize]``.
    task : Task
    context : Context

    Returns
    -------
    dict
        ``optimizer``, ``repeat``, ``trials``, the last appraisal of its best trial
        ``last`` and, of the first repeat, of the study's own design ``reference``, the
        ``gains`` in each preset and the ``robustness``.
    """
    design = study.design
    assert design is not None
    section = design.section
    name, repeat = task.part
    constant = frozen_noise(study)
    region = region_of(study, constant)
    objective = objective_of(study, region)
    total = section.evaluations + section.polish
    journal = Journal(context.scratch, task.key)
    recorded = journal.read()
    journal.rewrite(recorded)

    def record(trial: Trial) -> None:
        journal.append(trial)
        context.tell(_progress(name, search), len(search.trials) / total)

    search = Search(objective, recorded, record)
    main = name == section.optimizer
    own = study_at(design, constant).experiment
    begin = (
        starts(region, own, own_values(study, region)) if main and section.physics_starts else []
    )
    budget = Budget(section.evaluations, section.polish if main else 0, section.batch)
    search.run(make_optimizer(name, region, task.seed()), begin, budget)
    context.tell(f"{name}, last appraisal", 1.0)
    best = chosen(search.trials, objective_of(study, region, "choice"))
    judge = objective_of(study, region, "last")
    found: dict[str, Any] = {
        "optimizer": name,
        "repeat": repeat,
        "trials": [trial.plain() for trial in search.trials],
        "best": best.plain()
        | {"keys": region.space.keys(best.x), "on_bound": on_bounds(objective, best)},
        "last": _appraised(lambda: judge(np.array(best.x))),
    }
    if main and repeat == 0:
        found["reference"] = _appraised(lambda: judge.of(own))
        share_seed = np.random.SeedSequence(study.seed)
        found["allowed_share"] = region.share(share_seed, _SHARE_POINTS)
        if section.comparisons and not best.failed:
            context.tell(f"{name}, all presets", 1.0)
            found["gains"] = {"x": list(best.x), "rows": gains(study, found["best"]["keys"])}
        if section.robustness and not best.failed:
            context.tell(f"{name}, robustness", 1.0)
            found["robustness"] = robustness(study, region, best, search.trials)
    return found


def _progress(name: str, search: Search) -> str:
    best = search.best
    first = search.objective.names[0]
    value = best.values.get(first)
    return name if value is None else f"{name}, best {first} {value:.4g}"


def chosen(trials: Sequence[Trial], objective: Objective) -> Trial:
    """The best of the finalists by other truths than those of the search.

    The largest of many values is large by luck, too: by about their error.
    """
    names = objective.names
    ranked = sorted(trials, key=lambda trial: trial.scores(names)[0], reverse=True)
    finalists = [t for t in ranked if not t.failed][:FINALISTS]
    scores = []
    for trial in finalists:
        try:
            scores.append(objective.scores(objective(np.array(trial.x)))[0])
        except RenpError:
            scores.append(-np.inf)
    return finalists[int(np.argmax(scores))] if finalists else ranked[0]


def _appraised(appraise: Callable[[], dict[str, Utility]]) -> dict[str, Any]:
    """Last appraisal as plain values; with a reason where there is none."""
    try:
        found = appraise()
    except RenpError as error:
        return {"failed": " ".join(str(error).split())}
    return {name: {k: _number(v) for k, v in asdict(u).items()} for name, u in found.items()}


def _number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def join(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write ``optimize.json`` from the results of all searches."""
    from renp_infer.engine.provenance import PROVENANCE, provenance

    found = summary(study, [json.loads(Path(path).read_bytes()) for path in paths])
    found[PROVENANCE] = provenance(study, 0.0)
    del found[PROVENANCE]["seconds"]  # the manifest has the time of all searches
    target.write_text(document(found), encoding="utf-8")


def also(study: Study, paths: Iterator[str], merged: Path) -> dict[str, str]:
    """All trials, a line each, and the best design as a study of its own."""
    rows = []
    for path in paths:
        part = json.loads(Path(path).read_bytes())
        for k, trial in enumerate(part["trials"]):
            rows.append({"optimizer": part["optimizer"], "repeat": part["repeat"], "index": k})
            rows[-1] |= trial
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    return {TRIALS: lines, BEST: best_study(study, json.loads(merged.read_bytes())["best"])}


def best_study(study: Study, keys: dict[str, Any]) -> str:
    """TOML of the study with the best design, ready to be inferred and calibrated."""
    assert study.design is not None
    tables = with_keys(study.design.tables, keys)
    tables["name"] = f"{study.name}-best"
    tables.setdefault("inference", {})
    return tomli_w.dumps(plain(tables))
