"""The design that tells most."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.engine.store import read_manifest
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.errors import ConfigError, StoreError
from renp_infer.fields import Said
from renp_infer.study.study import Study
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.inputs import prior_inputs

if TYPE_CHECKING:
    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run
    from renp_infer.verbs.optimize.confirmed import ConfirmResult
    from renp_infer.verbs.optimize.result import OptimizeResult

PACKAGES = {"skopt": "scikit-optimize", "sklearn": "scikit-learn", "botorch": "botorch"}
"""By optimizer."""


class Optimize(Verb):
    """Search designs: a task per optimizer and repeat."""

    name, file, rank, merges = "optimize", "optimize.json", 60, True
    fits = False
    section = "optimize"
    shows = ("optimum",)
    returns = """dict
        The document of ``renp optimize --json``: ``best`` by study key, ``utility``,
        ``reference_utility``, ``gain``; and ``trials``, a dict each. See docs/design.md. The
        study has a section ``[optimize]``: what may vary has no default."""

    def wanted(self, study: Study) -> bool:
        """With a section ``[optimize]`` in which something varies."""
        return study.design is not None and study.design.section.searched

    def inputs(self, study: Study) -> dict[str, Any]:
        """All but the number of repeats, so that a longer series begins with the shorter."""
        assert study.design is not None
        apart_too = {"repeats", "sequential", "follow", "at_m1_meV", "confirm", "equal_time"}
        section = study.design.section.model_dump(exclude=apart_too)
        apart = ("name", "seed", "inference", "execution")  # elsewhere, or of no effect
        given = {key: table for key, table in study.design.tables.items() if key not in apart}
        return prior_inputs(study) | {"tables": given, "optimize": section}

    def parts(self, study: Study) -> list[list[Any]]:
        """Optimizer and repeat."""
        assert study.design is not None
        return [list(part) for part in study.design.section.parts]

    def perform(self, study: Study, task: Task, context: Context) -> dict[str, Any]:
        """Search once."""
        from renp_infer.verbs.optimize.work import perform

        return perform(study, task, context).plain()

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write the best of all searches."""
        from renp_infer.verbs.optimize.work import join

        join(study, paths, target)

    def also(self, study: Study, paths: Iterator[str], merged: Path) -> dict[str, str]:
        """All trials, and the best design as a study."""
        from renp_infer.verbs.optimize.work import also

        return also(study, paths, merged)

    def answer(self, run: Run) -> str:
        """The best design, and what it gains."""
        from renp_infer.verbs.optimize.page import answer

        return answer(run)

    def plan(self, study: Study) -> tuple[Verb, ...]:
        """The evaluation first: reports rest on it.

        Raises
        ------
        ConfigError
            Without a section ``[optimize]``.
        """
        if study.design is None:
            allowed = "a section [optimize] with what may vary"
            raise ConfigError("optimize", Said("nothing"), allowed)
        return (EVALUATE, self, *([CONFIRM] if CONFIRM.wanted(study) else []))

    def told(self, run: Run) -> dict[str, Any]:
        """The document, with the trials, and what designs are worth at stated masses."""
        from renp_infer.verbs.optimize.telling import whole_document

        return run.results[self.name].told() | whole_document(run)

    def read(self, files: Files, _study: Mapping[str, Any]) -> OptimizeResult:
        """Read ``optimize.json`` and its trials."""
        from renp_infer.verbs.optimize.result import TRIALS, OptimizeResult

        lines = files.path(TRIALS).read_text(encoding="utf-8").splitlines()
        return OptimizeResult.of(files.tables(self.file), [json.loads(line) for line in lines])

    def tools(self, study: Mapping[str, Any]) -> list[str]:
        """Those of its optimizers; sequences of points need none."""
        section = study["optimize"]
        names = (section["optimizer"], *section["baselines"])
        return [PACKAGES[name] for name in names if name in PACKAGES]

    def page(self, run: Run) -> Page:
        """The best design and what it gains."""
        from renp_infer.verbs.optimize.page import page

        return page(run)


class Confirm(Verb):
    """Tell what the best design is worth at stated masses, and test it by full inference."""

    name, file, rank, merges = "confirm", "confirm.json", 62, True
    fits = False
    section = "optimize"
    shows = ("confirmation",)
    returns = """dict
        What the best design and the study's own promise at stated masses, and what full inference
        of mock data sets finds there; see docs/design.md. The search is done first."""

    def wanted(self, study: Study) -> bool:
        """With a search, and masses at which its best design is told."""
        from renp_infer.study.designing import told_masses

        return OPTIMIZE.wanted(study) and bool(told_masses(study))

    def prepared(self, study: Study, directory: Path) -> Study | None:
        """The study with the best design of its search."""
        manifest = read_manifest(directory)
        entry = manifest["tasks"].get(OPTIMIZE.name, {})
        if study.design is None or entry.get("key") != OPTIMIZE.series(study).key:
            return None
        try:
            best = Files.of(directory).tables(OPTIMIZE.file)["best"]
        except StoreError:
            return None
        return replace(study, design=replace(study.design, found=best))

    def inputs(self, study: Study) -> dict[str, Any]:
        """Those of the search, masses and what it found; not the number of data sets."""
        assert study.design is not None
        from renp_infer.study.designing import told_masses

        more = {"at_m1_meV": list(told_masses(study)), "found": study.design.found}
        without = {} if study.design.section.equal_time else {"equal_time": False}
        return OPTIMIZE.inputs(study) | more | without

    def parts(self, study: Study) -> list[list[Any]]:
        """Kind of the task, and which design, mass and data set."""
        from renp_infer.verbs.optimize.confirming import parts

        return parts(study)

    def perform(self, study: Study, task: Task, context: Context) -> dict[str, Any]:
        """Appraise both designs for one truth, or analyse one data set."""
        from renp_infer.verbs.optimize.confirming import perform

        return perform(study, task, context)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write promises and outcomes."""
        from renp_infer.verbs.optimize.confirming import join

        join(study, paths, target)

    def plan(self, study: Study) -> tuple[Verb, ...]:
        """The search first.

        Raises
        ------
        ConfigError
            Without a search, or masses.
        """
        plan = OPTIMIZE.plan(study)
        if self not in plan:
            raise ConfigError("optimize.at_m1_meV", Said("nothing"), "masses to be told at")
        return plan

    def read(self, files: Files, _study: Mapping[str, Any]) -> ConfirmResult:
        """Read ``confirm.json``."""
        from renp_infer.verbs.optimize.confirmed import ConfirmResult

        return ConfirmResult.of(files.tables(self.file))

    def page(self, run: Run) -> Page:
        """Promise against outcome."""
        from renp_infer.verbs.optimize.telling import page

        return page(run)


OPTIMIZE, CONFIRM = Optimize(), Confirm()
VERBS = (OPTIMIZE, CONFIRM)
