"""How it is told what designs are worth at stated masses: terminal, report and document."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table as TextTable

from renp_infer.design.utilities.equal_time import MOST
from renp_infer.design.utilities.measures import MEASURES, direction
from renp_infer.engine.page import Block, Cell, Column, Page, Part, Table, Text, reasons
from renp_infer.engine.result import WORDS
from renp_infer.figures.drawing import number, rounded
from renp_infer.verbs.optimize.confirmed import (
    DESIGN_WORDS,
    DESIGNS,
    ConfirmResult,
    ToldRow,
    Worth,
)
from renp_infer.verbs.optimize.result import OptimizeResult

if TYPE_CHECKING:
    from renp_infer.design.utilities.agreement import Confirmed
    from renp_infer.design.utilities.utility import Utility
    from renp_infer.engine.run import Run

CLEAR = 3.0
"""Errors by which a loss is one."""
SD = "sd_m1"
PROMISED, FOUND = "promised", "found"
_SECONDS = ((31557600.0, "years"), (86400.0, "days"), (3600.0, "h"), (1.0, "s"))


def whole_document(run: Run) -> dict[str, Any]:
    """What the document of a search has besides: worth at stated masses, and one verdict."""
    found, told = run.get(OptimizeResult), run.find(ConfirmResult)
    if told is None:
        return {}
    verdicts = (found.verdict, told.verdict)
    worst = next(word for word in WORDS if word in {one.verdict for one in verdicts})
    said = [reason for one in verdicts for reason in one.reasons]
    return {"told": told.facts(), "verdict": worst, "reasons": said}


def worth_sentences(found: ConfirmResult) -> list[str]:
    """What the best design gains in meV, and what it saves in time, a sentence each."""
    said = []
    if errors := [_errors(found, m1_meV) for m1_meV in found.m1_meV]:
        kind = "found in mock data" if found.confirm else "promised"
        both = f"Error of m₁, best design against the study's own ({kind})"
        said.append(f"{both}: {'; '.join(errors)}.")
    return [*said, *time_sentences(found)[:1]]


def _errors(found: ConfirmResult, m1_meV: float) -> str:
    """Errors of both designs at one true mass."""
    best, own = (measured(found.row(design, m1_meV).measures[SD].told) for design in DESIGNS)
    return f"at {number(m1_meV)} meV {best} against {own} meV"


def cost_sentence(found: ConfirmResult) -> str:
    """In which measures, at which masses, the best design is worse than the study's own."""
    worse = []
    for m1_meV in found.m1_meV:
        best, own = (found.row(design, m1_meV).measures for design in DESIGNS)
        worse += [
            f"{_words(name)} at {number(m1_meV)} meV, {measured(best[name].told)} "
            f"against {measured(own[name].told)}"
            for name in best
            if _loses(name, best[name].told, own[name].told)
        ]
    if worse:
        return f"The best design is worse than the study's own in: {'; '.join(worse)}."
    return f"At the stated masses nothing is worse: {', '.join(map(_words, _names(found)))}."


def _words(name: str) -> str:
    return MEASURES[name].words


def _loses(name: str, best: Utility, own: Utility) -> bool:
    """Whether the best design is worse by more than ``CLEAR`` errors."""
    if not (best.known and own.known):
        return False
    lost = direction(name) * (own.value - best.value)
    return lost > CLEAR * math.hypot(own.error, best.error)


def told_tables(found: ConfirmResult) -> list[Any]:
    """Table and lines for the terminal."""
    title = "at stated masses: what is promised, and found in mock data"
    table = TextTable(title=title if found.confirm else "at stated masses", box=SIMPLE_HEAD)
    for k, name in enumerate(_heads(found)):
        table.add_column(name, justify="right" if k > 2 else "left")
    for row in found.lines:
        for kind, cells in _cells(found, row):
            table.add_row(f"{row.m1_meV:g}", row.design, kind, *map(_text, cells))
    said = [f"promise: {'; '.join([found.verdict.verdict, *found.verdict.reasons])}"]
    return [table, *time_sentences(found), *(said if found.confirm else []), *found.problems]


def page(run: Run) -> Page:
    """Promise against outcome, a table and sentences."""
    found = run.get(ConfirmResult)
    columns = tuple(
        Column(name, heads=k == 0, number=k > 2) for k, name in enumerate(_heads(found))
    )
    rows = tuple(
        (f"{number(row.m1_meV)} meV", DESIGN_WORDS[row.design], kind, *cells)
        for row in found.lines
        for kind, cells in _cells(found, row)
    )
    judged = found.verdict.verdict if found.confirm else None
    said = [*time_sentences(found), *(f"{problem}." for problem in found.problems)]
    blocks: list[Block] = [Text(" ".join(said), judged, "Promise and outcome")]
    blocks += [*reasons(found.verdict), Table(columns, rows, _caption(found))]
    return Page((Part(20, "design", "Design", tuple(blocks)),))


def _caption(found: ConfirmResult) -> str:
    said = (
        "What the best design and the study's own are worth where m₁ is known to nature, averaged "
        "over nuisances and noise, under the study's own ordering and nature."
    )
    if not found.confirm:
        return f"{said} Promised: by the linear model of the search."
    return (
        f"{said} Promised: by the linear model of the search. Found: by full inference, nothing "
        f"linear and all nuisances free, of {found.confirm} fresh data sets of the full response."
    )


def _heads(found: ConfirmResult) -> list[str]:
    return ["m₁ [meV]", "design", "", *(_label(name) for name in _names(found))]


def _names(found: ConfirmResult) -> list[str]:
    return list(found.lines[0].measures)


def _label(name: str) -> str:
    unit = MEASURES[name].unit
    return MEASURES[name].words + (f" [{unit}]" if unit else "")


def _cells(found: ConfirmResult, row: ToldRow) -> list[tuple[str, list[str | Cell]]]:
    """What is promised, and with mock data what is found, a line each."""
    measures = list(row.measures.values())
    lines: list[tuple[str, list[str | Cell]]] = [
        (PROMISED, [measured(own.promise) for own in measures])
    ]
    if found.confirm:
        lines.append((FOUND, [_found(own) for own in measures]))
    return lines


def _found(own: Confirmed) -> str | Cell:
    text = measured(own.outcome)
    return Cell(text, "off") if own.agrees is False else text


def _text(cell: str | Cell) -> str:
    return f"{cell.text} !" if isinstance(cell, Cell) else cell


def measured(found: Utility) -> str:
    """A utility with its error; "none" where it is not known."""
    if not found.known:
        return "none"
    return f"{rounded(found.value, found.error)} ± {number(found.error, 2)}"


def time_sentences(found: ConfirmResult) -> list[str]:
    """How long the study's own layout would have to measure, a sentence for each utility."""
    return [_sentence(worth) for worth in found.worths if worth.time is not None]


def _sentence(worth: Worth) -> str:
    assert worth.time is not None and worth.own_s is not None
    where = "over the prior" if worth.m1_meV is None else f"at {worth.m1_meV:g} meV"
    words = MEASURES[worth.utility].words
    what = f"{words[0].upper()}{words[1:]} {where}"
    time = worth.time
    if time.exposure_s is None:
        most = number(MOST)
        return f"{what}: the study's own layout does not reach it in {most} times its exposure."
    ends = [duration(time.lower_s) if time.lower_s is not None else "?"]
    ends.append("never" if time.upper_s is None else duration(time.upper_s))
    factor = number(time.exposure_s / worth.own_s, 2)
    return (
        f"{what}: the study's own layout needs {duration(time.exposure_s)} ({ends[0]} to "
        f"{ends[1]}), {factor} times its exposure."
    )


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    size, unit = next((row for row in _SECONDS if seconds >= row[0]), _SECONDS[-1])
    return f"{number(seconds / size, 2)} {unit}"
