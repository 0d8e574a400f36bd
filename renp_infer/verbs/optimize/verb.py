"""The design that tells most."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.study.study import Study
from renp_infer.verbs.inputs import prior_inputs


class Optimize(Verb):
    """Search designs: a task per optimizer and repeat."""

    name, file, rank, merges = "optimize", "optimize.json", 60, True

    def wanted(self, study: Study) -> bool:
        """With a section ``[optimize]`` in which something varies."""
        return study.design is not None and study.design.section.searched

    def inputs(self, study: Study) -> dict[str, Any]:
        """All but the number of repeats, so that a longer series begins with the shorter."""
        assert study.design is not None
        section = study.design.section.model_dump(exclude={"repeats", "sequential"})
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

        return perform(study, task, context)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write the best of all searches."""
        from renp_infer.verbs.optimize.work import join

        join(study, paths, target)

    def also(self, study: Study, paths: Iterator[str], merged: Path) -> dict[str, str]:
        """All trials, and the best design as a study."""
        from renp_infer.verbs.optimize.work import also

        return also(study, paths, merged)


OPTIMIZE = Optimize()
VERBS = (OPTIMIZE,)
