"""The tasks that ask rows of the atlas as the studies that they are: appraised, and searched."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.provenance import PROVENANCE, provenance
from renp_infer.engine.result import load_tree
from renp_infer.errors import RenpError
from renp_infer.files import write_text
from renp_infer.physics.atlas.ladder_merit import QUESTIONS
from renp_infer.physics.atlas.scheme import Ladder
from renp_infer.study.atlas_study import RowQuestion, atlas_study
from renp_infer.study.designing import appraiser_of, frozen_noise, region_of
from renp_infer.study.load import load_study
from renp_infer.terminal import document
from renp_infer.verbs.atlas.asked_rows import MEASURES, AppraisedRow, AppraiseResult
from renp_infer.verbs.atlas.result import AtlasResult
from renp_infer.verbs.optimize.verb import CONFIRM, OPTIMIZE

if TYPE_CHECKING:
    from renp_infer.engine.tasks import Context, Task
    from renp_infer.engine.verb import Verb
    from renp_infer.study.sections.atlas import AtlasSection
    from renp_infer.study.study import Study

type Rows = Mapping[str, Sequence[str]]
"""Names of ladders by question, the best first."""


@contextlib.contextmanager
def row_study(row: str, asked: RowQuestion) -> Iterator[Study]:
    """Study of a row, whose files are there while it is worked with."""
    found = atlas_study(row, asked)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in found.files.items():
            write_text(Path(folder, name), text)
        yield load_study(Path(folder, f"{found.name}.toml"))


def first_rows(file: Path, count: int) -> dict[str, tuple[str, ...]]:
    """First rows of each ranking at the ceiling."""
    found = AtlasResult(load_tree(file))
    tables = {name: found.table("ceiling", name) for name in QUESTIONS}
    return {name: tuple(map(str, rows["ladder"].values[:count])) for name, rows in tables.items()}


def by_ion(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Parts that begin with a ladder, each once, an ion after the other."""
    return [list(row) for row in sorted(set(map(tuple, rows)), key=lambda row: _place(row[0]))]


def _place(name: str) -> tuple[str, int, int, int]:
    ladder = Ladder.read(name)
    return ladder.ion, ladder.e, ladder.p, ladder.q


def appraised(section: AtlasSection, row: str) -> AppraisedRow:
    """Utilities of a row's own layout, by the truths that choose in a search of it."""
    with row_study(row, RowQuestion.of(section, QUESTIONS[0])) as study:
        region = region_of(study, frozen_noise(study))
        try:
            appraiser = appraiser_of(study, region, "choice")
            return AppraisedRow(row, appraiser(region.space.built({}), MEASURES))
        except RenpError as error:
            return AppraisedRow(row, {}, " ".join(str(error).split()))


def join_appraised(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write ``appraise.json``."""
    assert study.atlas is not None
    rows = [AppraisedRow.read(json.loads(Path(path).read_bytes())) for path in paths]
    found = AppraiseResult(
        study.name, study.atlas.reference_snr, study.ladders, {row.ladder: row for row in rows}
    )
    target.write_text(document(found.to_document() | made(study)), encoding="utf-8")


def searched(section: AtlasSection, task: Task, context: Context) -> dict[str, Any]:
    """What ``renp optimize`` finds of a row: its search, and promise against outcome."""
    row, question = task.part
    with row_study(row, RowQuestion.of(section, question)) as study:
        found = done(OPTIMIZE, study, context)
        assert study.design is not None
        study = replace(study, design=replace(study.design, found=found["best"]))
        told = done(CONFIRM, study, context)
    return {"ladder": row, "question": question, OPTIMIZE.name: found, CONFIRM.name: told}


def done(verb: Verb, study: Study, context: Context) -> dict[str, Any]:
    """Document of a verb, its tasks done here one after the other."""
    series, paths = verb.series(study), []
    with tempfile.TemporaryDirectory() as folder:
        for index in range(series.count):
            path = Path(folder, f"{index}.json")
            write_text(path, document(verb.perform(study, series.task(index), context)))
            paths.append(str(path))
        merged = Path(folder, verb.file)
        verb.merge(study, iter(paths), merged)
        found: dict[str, Any] = json.loads(merged.read_bytes())
    del found[PROVENANCE]
    return found


def join_searched(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write ``layouts.json``."""
    rows = [json.loads(Path(path).read_bytes()) for path in paths]
    found = {"schema": 1, "name": study.name, "questions": dict(study.ladders), "rows": rows}
    target.write_text(document(found | made(study)), encoding="utf-8")


def made(study: Study) -> dict[str, Any]:
    """Where the document of a study comes from; the manifest has the time of its tasks."""
    own = provenance(study, 0.0)
    del own["seconds"]
    return {PROVENANCE: own}
