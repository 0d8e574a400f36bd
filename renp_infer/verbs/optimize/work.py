"""The tasks of ``renp optimize``: one search each, and how they become one result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tomli_w

from renp_infer.design.searches.bounds import bounds_of
from renp_infer.design.searches.effects import effects_of, settled
from renp_infer.design.searches.objective import Objective
from renp_infer.design.searches.optimizers import make_optimizer
from renp_infer.design.searches.search import Budget, Search, Trial
from renp_infer.design.searches.starts import starts
from renp_infer.design.utilities.utility import Utility
from renp_infer.engine.blocks import append_line
from renp_infer.errors import RenpError
from renp_infer.files import make_own_directory
from renp_infer.study.designing import (
    designed,
    frozen_noise,
    objective_of,
    own_values,
    region_of,
)
from renp_infer.terminal import document, plain
from renp_infer.verbs.optimize.gains import gains
from renp_infer.verbs.optimize.optimum import summary
from renp_infer.verbs.optimize.parts import NO_EFFECT, Appraisal, Chosen, Found, Gains
from renp_infer.verbs.optimize.result import BEST, TRIALS, OptimizeResult, Tried
from renp_infer.verbs.optimize.robust import robustness
from renp_infer.verbs.optimize.under_priors import under_priors

if TYPE_CHECKING:
    from renp_infer.design.spaces.region import Region
    from renp_infer.design.spaces.space import Keys
    from renp_infer.engine.tasks import Context, Scratch, Task
    from renp_infer.study.study import Study

_SHARE_POINTS, _EFFECTS = 256, 12
FINALISTS = 5
"""Trials of a search among which other truths choose."""


class Journal:
    """Trials of an unfinished search, on the disk one by one.

    Parameters
    ----------
    scratch : Scratch or None
        Without it, or where the run directory is not on this machine, nothing is kept.
    key : str
        The task's.
    """

    def __init__(self, scratch: Scratch | None, key: str) -> None:
        self._path = scratch.path(f"{key[:16]}.jsonl") if scratch else None

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
            make_own_directory(self._path.parent)
            lines = "".join(json.dumps(plain(trial.plain())) + "\n" for trial in trials)
            self._path.write_text(lines, encoding="utf-8")

    def append(self, trial: Trial) -> None:
        """Keep a trial; it is on the disk when this returns."""
        if self._path is not None:
            append_line(self._path, plain(trial.plain()))
            with self._path.open("rb") as stream:
                os.fsync(stream.fileno())


def perform(study: Study, task: Task, context: Context) -> Found:
    """Search once.

    Parameters
    ----------
    study : Study
        With a section ``[optimize]``.
    task : Task
    context : Context
    """
    design = study.design
    assert design is not None
    section = design.section
    name, repeat = task.part
    region = region_of(study, frozen_noise(study))
    search = _searched(study, region, task, context)
    context.tell(f"{name}, last appraisal", 1.0)
    main, table = name == section.optimizer and not repeat, None
    top = chosen(search.trials, objective_of(study, region, "choice"))
    if main and section.priors and not top.failed:
        context.tell(f"{name}, other priors", 1.0)
        table, top = under_priors(study, region, top, _finder(region, task))
    best = _settled(study, search, top)
    judge = objective_of(study, region, "last")
    found = Found(
        optimizer=name,
        repeat=repeat,
        trials=tuple(search.trials),
        best=best,
        exhausted=search.exhausted,
        priors=table,
        last=_appraised(lambda: judge.of(region.space.built(best.keys))),
    )
    if not main:
        return found
    return _compared(
        study, region, search, found, judge, lambda stage: context.tell(f"{name}, {stage}", 1)
    )


def _searched(study: Study, region: Region, task: Task, context: Context) -> Search:
    """The search of a task, from where it was left."""
    design = study.design
    assert design is not None
    section = design.section
    name, _ = task.part
    total = section.evaluations + section.polish
    journal = Journal(context.scratch, task.key)
    recorded = journal.read()
    journal.rewrite(recorded)

    def record(trial: Trial) -> None:
        journal.append(trial)
        context.tell(_progress(name, search), len(search.trials) / total)

    search = Search(objective_of(study, region), recorded, record)
    main = name == section.optimizer
    begin = []
    if main and section.physics_starts:
        begin = starts(region, region.space.built({}), own_values(study, region))
    budget = Budget(section.evaluations, section.polish if main else 0, section.batch)
    search.run(make_optimizer(name, region, task.seed()), begin, budget)
    return search


def _finder(region: Region, task: Task) -> Callable[[Study], Trial]:
    """What finds the best design of a study with another prior; begun again after a kill."""
    name, _ = task.part

    def find(study: Study) -> Trial:
        assert study.design is not None
        section, search = study.design.section, Search(objective_of(study, region))
        begin = []
        if section.physics_starts:
            begin = starts(region, region.space.built({}), own_values(study, region))
        budget = Budget(section.evaluations, section.polish, section.batch)
        search.run(make_optimizer(name, region, task.seed()), begin, budget)
        return chosen(search.trials, objective_of(study, region, "choice"))

    return find


def _settled(study: Study, search: Search, best: Trial) -> Chosen:
    """The best design, with the study's own values of what has no effect on it."""
    assert study.design is not None
    region, flat = search.objective.region, dict[str, str]()
    if study.design.section.effects:
        best, flat = settled(search.objective, best, own_values(study, region))
    keys, bounds = region.space.keys_of(best.design), bounds_of(region, best, flat)
    return Chosen(best, keys, bounds, flat)


def _compared(
    study: Study, region: Region, search: Search, found: Found, judge: Objective,
    tell: Callable[[str], None],
) -> Found:  # fmt: skip
    """With what the first search adds: the study's own design, effects, other physics."""
    assert study.design is not None
    section, best = study.design.section, found.best
    reference = _appraised(lambda: judge.of(region.space.built({})))
    share = region.share(np.random.SeedSequence(study.seed), _SHARE_POINTS)
    found = replace(found, reference=reference, allowed_share=share)
    if section.effects:
        tell("effects")
        seed = np.random.SeedSequence(study.seed, spawn_key=(_EFFECTS,))
        effects = effects_of(search.objective, search.trials, seed, section.effects)
        found = replace(found, effects=effects)
    if section.comparisons and not best.trial.failed:
        tell("all presets")
        found = replace(found, gains=Gains(best.trial.x, gains(study, best.keys)))
    if section.robustness and not best.trial.failed:
        tell("robustness")
        found = replace(found, robustness=robustness(study, region, best.trial, found.trials))
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


def _appraised(appraise: Callable[[], dict[str, Utility]]) -> Appraisal:
    """Last appraisal; with a reason where there is none."""
    try:
        return Appraisal(appraise())
    except RenpError as error:
        return Appraisal({}, " ".join(str(error).split()))


def read_parts(paths: Iterable[str]) -> list[Found]:
    """What the searches wrote."""
    return [Found.read(json.loads(Path(path).read_bytes())) for path in paths]


def join(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write ``optimize.json`` from the results of all searches."""
    from renp_infer.engine.provenance import provenance

    made = provenance(study, 0.0)
    del made["seconds"]  # the manifest has the time of all searches
    found = replace(summary(study, read_parts(paths)), provenance=made)
    target.write_text(document(found.to_document()), encoding="utf-8")


def also(study: Study, paths: Iterator[str], merged: Path) -> dict[str, str]:
    """All trials, a line each, and the best design as a study of its own."""
    rows = [
        Tried(part.optimizer, part.repeat, k, trial)
        for part in read_parts(paths)
        for k, trial in enumerate(part.trials)
    ]
    lines = "".join(json.dumps(row.plain()) + "\n" for row in rows)
    found = OptimizeResult.of(json.loads(merged.read_bytes()), ())
    return {TRIALS: lines, BEST: best_study(study, dict(found.best), found.flat)}


def best_study(study: Study, keys: Keys, flat: Mapping[str, str]) -> str:
    """TOML of the study with the best design, ready to be inferred and calibrated.

    Comments say which of its keys have no effect.
    """
    assert study.design is not None
    tables = designed(study, keys)
    tables["name"] = f"{study.name}-best"
    tables.setdefault("inference", {})
    remarks = [f"# {name}: {NO_EFFECT[whose]}.\n" for name, whose in flat.items()]
    return "".join(remarks) + tomli_w.dumps(plain(tables))
