"""The posterior of each of several data sets alone; with that of all it is done by ``infer``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files, load_tree
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.study.study import Study
from renp_infer.verbs.infer.alone_result import SetsResult
from renp_infer.verbs.inputs import posterior_inputs

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run


class Sets(Verb):
    """Sample the posterior of each data set: a task for each."""

    name, file, rank, merges = "sets", "sets.json", 19, True
    section = "inference"
    returns = """dict
        By name of the data set the estimates and diagnostics of its own posterior."""

    def wanted(self, study: Study) -> bool:
        """With a section ``[inference]`` and more than one data set, unless they are blinded.

        With one offset for all, differences and widths of the sets' masses would tell where the
        masses are.
        """
        several = study.settings is not None and len(study.sets) > 1
        return several and study.blinding is None

    def inputs(self, study: Study) -> dict[str, Any]:
        """Data, priors and sampler."""
        return posterior_inputs(study)

    def parts(self, study: Study) -> list[str]:
        """Names of the data sets."""
        return [one.name for one in study.sets]

    def perform(self, study: Study, task: Task, context: Context) -> xarray.DataTree:
        """Sample the posterior of one data set."""
        from renp_infer.verbs.infer.work import infer_alone

        return infer_alone(study, task.index, context)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Keep what was estimated and judged; draws can be had again from the set's own study."""
        from renp_infer.terminal import document
        from renp_infer.verbs.infer.result import summary_in

        found = {}
        for path in paths:
            tree = load_tree(Path(path))
            found[tree.attrs["data_set"]] = summary_in(tree)
        rows = {one.name: found[one.name] for one in study.sets if one.name in found}
        text = document({"schema": 1, "name": study.name, "sets": rows})
        target.write_text(text, encoding="utf-8")

    def read(self, files: Files, _study: Mapping[str, Any]) -> SetsResult:
        """Read ``sets.json``."""
        return SetsResult.of(files.tables(self.file))

    def page(self, run: Run) -> Page:
        """The mass by each data set and by all."""
        from renp_infer.verbs.infer.alone_page import page

        return page(run)


SETS = Sets()
