"""One measurement after the other, each chosen from what is known by then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.study.study import Study
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.inputs import prior_inputs
from renp_infer.verbs.sequential.result import SequentialResult

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run


class Sequential(Verb):
    """Campaigns against fixed layouts: a task per campaign."""

    name, file, rank, merges = "sequential", "sequential.nc", 70, True
    fits = False
    section = "optimize.sequential"
    sections = ("optimize.sequential",)
    returns = """DataTree
        Groups ``steps`` and ``layouts``: what campaigns knew after each measurement, and what
        fixed layouts know after the same times; see docs/design.md."""

    def wanted(self, study: Study) -> bool:
        """With a section ``[optimize.sequential]``."""
        return study.sequential is not None

    def inputs(self, study: Study) -> dict[str, Any]:
        """All but the number of campaigns, so that a longer series begins with the shorter."""
        assert study.sequential is not None
        shared = asdict(study.sequential)
        del shared["campaigns"]
        from renp_infer.study.designing import base_of

        found = prior_inputs(study) | {"sequential": shared}
        return found | ({"run": asdict(base_of(study))} if study.sets else {})

    def parts(self, study: Study) -> list[dict[str, Any]]:
        """Nothing but its place distinguishes a campaign."""
        assert study.sequential is not None
        return [{}] * study.sequential.count

    def perform(self, study: Study, task: Task, _context: Context) -> xarray.DataTree:
        """Simulate one campaign."""
        from renp_infer.verbs.sequential.work import perform

        return perform(study, task)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write all campaigns as tables."""
        from renp_infer.verbs.sequential.work import merge_campaigns

        merge_campaigns(study, paths, target)

    def answer(self, run: Run) -> str:
        """Who knew more at the end, and by how much."""
        from renp_infer.verbs.sequential.summary import summary
        from renp_infer.verbs.sequential.tables import answer

        return answer(summary(run.get(SequentialResult)))

    def plan(self, _study: Study) -> tuple[Verb, ...]:
        """The evaluation first: reports rest on it."""
        return (EVALUATE, self)

    def read(self, files: Files, _study: Mapping[str, Any]) -> SequentialResult:
        """Read ``sequential.nc``."""
        return SequentialResult.of(files.tree(self.file))

    def page(self, run: Run) -> Page:
        """Campaigns against fixed layouts."""
        from renp_infer.verbs.sequential.page import page

        return page(run)


SEQUENTIAL = Sequential()
VERBS = (SEQUENTIAL,)
