"""The design that tells most."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.study.study import Study
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.inputs import prior_inputs

if TYPE_CHECKING:
    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run
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
        section = study.design.section.model_dump(exclude={"repeats", "sequential", "follow"})
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
        from renp_infer.verbs.optimize.page import gain_sentences
        from renp_infer.verbs.optimize.result import OptimizeResult

        return " ".join(gain_sentences(run.get(OptimizeResult)))

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
        return (EVALUATE, self)

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


OPTIMIZE = Optimize()
VERBS = (OPTIMIZE,)
