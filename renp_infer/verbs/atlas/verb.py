"""Every ladder of every lanthanide, screened by a closed form; the best asked as studies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from renp_infer.engine.provenance import PROVENANCE
from renp_infer.engine.result import Files
from renp_infer.engine.store import read_manifest
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.errors import ConfigError, StoreError
from renp_infer.study.study import Study
from renp_infer.verbs.atlas.result import AtlasResult
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.inputs import model_inputs

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run
    from renp_infer.verbs.atlas.asked_rows import AppraiseResult, LayoutsResult

VERSION = 2
"""Raised when levels, ladders or merits change, whatever the study."""


ASKED = {"appraise", "optimize", "confirm", "reference_snr"}
"""Keys of ``[atlas]`` that screening does not depend on."""


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
            "atlas": study.atlas.model_dump(exclude=ASKED),
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

    def plan(self, study: Study) -> tuple[Verb, ...]:
        """The evaluation first: reports rest on it. Last what the best rows are asked."""
        return (EVALUATE, self, *(verb for verb in (APPRAISE, LAYOUTS) if verb.wanted(study)))

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


class RowsAsked(Verb):
    """Ask rows of the atlas that a verb before found, as the studies that they are."""

    merges = True
    fits = False
    section = "atlas"
    asks: ClassVar[str]
    """Key of ``[atlas]`` that says how many rows of each question."""
    on: ClassVar[Verb] = ATLAS
    """Verb whose rows they are."""

    def wanted(self, study: Study) -> bool:
        """Where rows are asked for."""
        return study.atlas is not None and getattr(study.atlas, self.asks) > 0

    def ladders(self, study: Study, files: Files) -> Mapping[str, tuple[str, ...]]:
        """Rows by question that the verb before found."""
        raise NotImplementedError

    def prepared(self, study: Study, directory: Path) -> Study | None:
        """The study with the rows that were found; ``None`` where there are none."""
        before = self.on.prepared(study, directory)
        entry = read_manifest(directory)["tasks"].get(self.on.name, {})
        if before is None or entry.get("key") != self.on.series(before).key:
            return None
        try:
            found = self.ladders(study, Files.of(directory))
        except StoreError:
            return None
        return replace(study, ladders=found) if any(found.values()) else None

    def inputs(self, study: Study) -> dict[str, Any]:
        """What decides which rows were found, and what their studies say."""
        from renp_infer.study.atlas_study import SEARCH

        assert study.atlas is not None
        asked = study.atlas.model_dump(include={"appraise", "reference_snr"})
        return ATLAS.inputs(study) | {"asked": asked, "search": SEARCH}

    def plan(self, study: Study) -> tuple[Verb, ...]:
        """Screening first.

        Raises
        ------
        ConfigError
            Where no rows are asked for.
        """
        plan = ATLAS.plan(study)
        if self not in plan:
            raise ConfigError(f"atlas.{self.asks}", 0, "rows of each question, from 1")
        return plan[: plan.index(self) + 1]

    def tools(self, _study: Mapping[str, Any]) -> tuple[str]:
        """The tables of angular elements."""
        return ("dieke",)


class Appraise(RowsAsked):
    """Appraise the first rows of each ranking: a task per row."""

    name, file, rank = "appraise", "appraise.json", 81
    asks = "appraise"
    shows = ("appraised",)
    returns = """dict
        ``rows`` with their utilities, ``candidates`` by question in the order of the closed
        form, and their rank ``correlation``; see docs/atlas.md."""

    def ladders(self, study: Study, files: Files) -> Mapping[str, tuple[str, ...]]:
        """First rows of each ranking at the ceiling."""
        from renp_infer.verbs.atlas.asking import first_rows

        assert study.atlas is not None
        return first_rows(files.path(ATLAS.file), study.atlas.appraise)

    def inputs(self, study: Study) -> dict[str, Any]:
        """The same, and the rows."""
        asked = {name: list(rows) for name, rows in study.ladders.items()}
        return super().inputs(study) | {"ladders": asked}

    def parts(self, study: Study) -> list[list[str]]:
        """Rows, each once."""
        from renp_infer.verbs.atlas.asking import by_ion

        return by_ion([[row] for rows in study.ladders.values() for row in rows])

    def perform(self, study: Study, task: Task, _context: Context) -> dict[str, Any]:
        """Appraise the layout of a row."""
        from renp_infer.verbs.atlas.asking import appraised

        assert study.atlas is not None
        return appraised(study.atlas, *task.part).plain()

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write all rows."""
        from renp_infer.verbs.atlas.asking import join_appraised

        join_appraised(study, paths, target)

    def read(self, files: Files, _study: Mapping[str, Any]) -> AppraiseResult:
        """Read ``appraise.json``."""
        from renp_infer.verbs.atlas.asked_rows import AppraiseResult

        return AppraiseResult.of(files.tables(self.file))

    def page(self, run: Run) -> Page:
        """Rankings by the appraiser."""
        from renp_infer.verbs.atlas.asked_tables import appraised_page

        return appraised_page(run)


APPRAISE = Appraise()


class SearchLayouts(RowsAsked):
    """Search the layout of the rows that tell most, and confirm it: a task per row."""

    name, file, rank = "layouts", "layouts.json", 82
    asks, on = "optimize", APPRAISE
    returns = """dict
        ``rows``, each with ``ladder``, ``question`` and the documents of ``optimize`` and
        ``confirm`` that the study of the row gives; see docs/atlas.md."""

    def ladders(self, study: Study, files: Files) -> Mapping[str, tuple[str, ...]]:
        """First rows of each question by the appraiser."""
        from renp_infer.verbs.atlas.asked_rows import AppraiseResult

        assert study.atlas is not None
        found, count = AppraiseResult.of(files.tables(APPRAISE.file)), study.atlas.optimize
        rankings = {name: found.ranking(name)[:count] for name in found.candidates}
        return {name: tuple(row.ladder for row in rows) for name, rows in rankings.items()}

    def inputs(self, study: Study) -> dict[str, Any]:
        """The same, and how much data confirm a layout; not the number of rows."""
        assert study.atlas is not None
        return super().inputs(study) | {"confirm": study.atlas.confirm}

    def parts(self, study: Study) -> list[list[str]]:
        """Row and question: the first of each question, then the second."""
        pairs = [[(row, name) for row in rows] for name, rows in study.ladders.items()]
        return [list(pair) for rank in zip_longest(*pairs) for pair in rank if pair is not None]

    def perform(self, study: Study, task: Task, context: Context) -> dict[str, Any]:
        """Search the layout of a row, and confirm it."""
        from renp_infer.verbs.atlas.asking import searched

        assert study.atlas is not None
        return searched(study.atlas, task, context)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write all rows."""
        from renp_infer.verbs.atlas.asking import join_searched

        join_searched(study, paths, target)

    def read(self, files: Files, _study: Mapping[str, Any]) -> LayoutsResult:
        """Read ``layouts.json``."""
        from renp_infer.verbs.atlas.asked_rows import LayoutsResult

        found = files.tables(self.file)
        return LayoutsResult({k: v for k, v in found.items() if k != PROVENANCE})

    def page(self, run: Run) -> Page:
        """What layouts are found, promised and confirmed."""
        from renp_infer.verbs.atlas.asked_tables import layouts_page

        return layouts_page(run)


LAYOUTS = SearchLayouts()
VERBS = (ATLAS, APPRAISE, LAYOUTS)
