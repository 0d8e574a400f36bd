"""Every ladder of every lanthanide, screened by a closed form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.study.study import Study
from renp_infer.verbs.atlas.result import AtlasResult
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.inputs import model_inputs

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run

VERSION = 1
"""Raised when levels, ladders or merits change, whatever the study."""


class LadderAtlas(Verb):
    """Screen every ladder of every lanthanide: tasks per ion."""

    name, file, rank, merges = "atlas", "atlas.nc", 80, True
    section = "atlas"
    sections = ("atlas",)
    returns = """DataTree
        Rankings by family and question, such as ``ceiling/mass``, the paper's own ladder,
        ions and levels; see docs/atlas.md."""

    def wanted(self, study: Study) -> bool:
        """With a section ``[atlas]``."""
        return study.atlas is not None

    def inputs(self, study: Study) -> dict[str, Any]:
        """Physics, the section, and the tables of levels and guesses."""
        from renp_infer.physics.ions.lanthanides import table_digests

        assert study.atlas is not None
        facts = {
            "atlas": study.atlas.model_dump(),
            "tables": table_digests(),
            "atlas_version": VERSION,
        }
        return model_inputs(study) | facts

    def parts(self, study: Study) -> list[list[Any]]:
        """Ion, share and number of shares: every so many of its levels e."""
        assert study.atlas is not None
        count = study.atlas.tasks_per_ion
        return [[ion, share, count] for ion in study.atlas.ions for share in range(count)]

    def perform(self, study: Study, task: Task, _context: Context) -> xarray.DataTree:
        """Screen a share of the ladders of an ion."""
        from renp_infer.verbs.atlas.work import perform

        return perform(study, task)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write the best of all ions."""
        from renp_infer.verbs.atlas.merge import join

        join(study, paths, target)

    def plan(self, _study: Study) -> tuple[Verb, ...]:
        """The evaluation first: reports rest on it."""
        return (EVALUATE, self)

    def read(self, files: Files, _study: Mapping[str, Any]) -> AtlasResult:
        """Read ``atlas.nc``."""
        return AtlasResult(files.tree(self.file))

    def tools(self, _study: Mapping[str, Any]) -> tuple[str]:
        """The tables of angular elements."""
        return ("dieke",)

    def answer(self, run: Run) -> str:
        """How many ladders, and the best of each question."""
        return run.get(AtlasResult).answer

    def page(self, run: Run) -> Page:
        """Rankings and the map."""
        from renp_infer.verbs.atlas.page import page

        return page(run)


ATLAS = LadderAtlas()
VERBS = (ATLAS,)
