"""One self-contained HTML file for one or several runs.

The page needs no network and no script: figures are inline SVG, styles are
inline, and all text from outside is escaped.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.store import read_manifest
from renp_infer.errors import DomainError
from renp_infer.figures.plate import Plate
from renp_infer.figures.template import fill_template
from renp_infer.files import write_text
from renp_infer.report import answers, tables
from renp_infer.report.citations import bibtex, used_by
from renp_infer.report.overlay import overlay_plates
from renp_infer.report.overview import overview_plates
from renp_infer.verbs.evaluate.figures import normalised_label, source
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.evaluate.switches import preset_of
from renp_infer.verbs.table import VERBS

if TYPE_CHECKING:
    from renp_infer.engine.page import Answer, Page, Part, Table
    from renp_infer.engine.run import Run
    from renp_infer.report.tables import RunInShort

TEMPLATE = Path(__file__).with_name("templates") / "report.html.j2"


@dataclass(frozen=True)
class Chapter:
    """Everything that the template shows of one run.

    Attributes
    ----------
    index : int
        Number on the page, from 1.
    run : Run
    preset, layout : str
    label : str
        What stands beside numbers whose noise is scaled, or "".
    reference : str
        Where noise that is scaled has its signal-to-noise.
    data : str
        Name of the file with the data; empty for mock data.
    overall : str
        Worst verdict, or "none".
    title, question : str
    answer : Answer
    further : tuple of Answer
    shortfall : str
        How far an absolute signal is from being seen, or "".
    summary : RunInShort
        Cells of the table of runs.
    parts : tuple of Part
        What the verbs say, from top to bottom.
    provenance : tuple of (name, value)
    tasks : Table
        Every finished verb of the manifest.
    study, command : str
        The resolved study, and what makes the run again.
    citations : tuple of str
    bibtex : str
    """

    index: int
    run: Run
    preset: str
    layout: str
    label: str
    reference: str
    data: str
    overall: str
    title: str
    question: str
    answer: Answer
    further: tuple[Answer, ...]
    shortfall: str
    summary: RunInShort
    parts: tuple[Part, ...]
    provenance: tuple[tuple[str, str], ...]
    tasks: Table
    study: str
    command: str
    citations: tuple[str, ...]
    bibtex: str

    @property
    def anchor(self) -> str:
        """Name of the link to it, with which those to its parts begin."""
        return f"run-{self.index}"

    @property
    def plates(self) -> list[Plate]:
        """All figures, as they follow each other."""
        blocks = [block for part in self.parts for block in part.blocks]
        return [block for block in blocks if isinstance(block, Plate)]


SEVERAL = "Several runs compared"
"""Title of a page of runs that are about different things."""


@dataclass(frozen=True)
class Contents:
    """What the page shows: its runs, and what several of them have in common."""

    about: str
    title: str
    sections: tuple[Chapter, ...]
    together: tuple[Plate, ...]
    differences: tuple[tuple[str, list[str]], ...]


def write_page(found: Contents, path: Path) -> None:
    """Write the page of ``contents``, whole or not at all.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    write_text(path, fill_template(TEMPLATE, page=found))


def contents(runs: Sequence[Run], start: Path) -> Contents:
    """What the page shows; commands are written as seen from the folder ``start``.

    Raises
    ------
    DomainError
        If there is no run.
    """
    if not runs:
        raise DomainError("runs", runs, "at least one run")
    sections = tuple(section(run, k, start) for k, run in enumerate(runs, start=1))
    titles = {one.title for one in sections}
    return Contents(
        titles.pop() if len(titles) == 1 else SEVERAL,
        f"{len(runs)} runs" if len(runs) > 1 else runs[0].name,
        sections,
        (*overview_plates(runs), *overlay_plates(runs)),
        tuple(tables.differences(runs)),
    )


def section(run: Run, index: int, start: Path) -> Chapter:
    """Everything the template shows of one run."""
    pages = pages_of(run)
    leading = answers.leading(pages)
    answer, *further = answers.answers_of(pages)
    used = used_by(run.study, read_manifest(run.directory)["tasks"], run)
    return Chapter(
        index=index,
        run=run,
        preset=preset_of(run),
        layout=answers.layout_of(run),
        label=normalised_label(run),
        reference=run.get(EvaluateResult).model.reference,
        data=source(run),
        overall=run.verdict,
        title=leading.title,
        question=answers.question(run, leading),
        answer=answer,
        further=tuple(further),
        shortfall=answers.shortfall(run),
        summary=tables.summary_of(run),
        parts=joined([part for page in pages for part in page.parts]),
        provenance=tuple(tables.provenance_rows(run)),
        tasks=tables.task_table(run),
        study=study_text(run.study),
        command=command(run, start),
        citations=tuple(used),
        bibtex=bibtex(used),
    )


def pages_of(run: Run) -> list[Page]:
    """What the verbs of a run say of it, in their order."""
    return [verb.page(run) for name, verb in VERBS.items() if name in run.results]


def joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Parts by their place; those with the same anchor as one."""
    found: dict[str, Part] = {}
    for part in sorted(parts, key=lambda part: part.place):
        first = found.get(part.anchor)
        blocks = (*first.blocks, *part.blocks) if first else part.blocks
        found[part.anchor] = replace(first or part, blocks=blocks)
    return tuple(found.values())


def study_text(study: Mapping[str, Any]) -> str:
    """The resolved study as readable lines."""
    lines = [f"{k} = {json.dumps(v)}" for k, v in study.items() if not isinstance(v, Mapping)]
    for name, values in study.items():
        if isinstance(values, Mapping):
            lines += ["", f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in values.items())]
    return "\n".join(lines)


def command(run: Run, start: Path) -> str:
    """The command that makes the run again, from the folder of the report."""
    study = os.path.relpath(run.directory / "study.resolved.toml", start)
    return f"renp run {shlex.quote(study)} --out {shlex.quote(f'{run.directory.name}-again')}"
