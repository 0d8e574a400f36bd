"""A scan in the report: its first cells, figures, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renp_infer.engine.page import Answer, Block, Column, Page, Part, Table, Text, reasons
from renp_infer.verbs.evaluate.figures import normalised_label
from renp_infer.verbs.scan.figures import scan_plates
from renp_infer.verbs.scan.result import ScanResult
from renp_infer.verbs.scan.tables import CELLS, shown_rows

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

TITLE = "The same question at other values"
MOST_ROWS = 60
"""Longest table of the page; the file has all cells."""


def page(run: Run) -> Page:
    """Table, figures and verdict."""
    found, label = run.get(ScanResult), normalised_label(run)
    verdict = found.verdicts()["scan"]
    blocks: list[Block] = [Text(found.answer, verdict.verdict), *reasons(verdict)]
    blocks += scan_plates(found, label)
    if found.cells is not None:
        heads, rows = shown_rows(found, MOST_ROWS)
        columns = tuple(Column(head, number=True) for head in heads)
        caption = f"The first {len(rows)} cells; {CELLS} has all, with every number."
        blocks.append(Table(columns, tuple(map(tuple, rows)), caption, style="dense"))
    part = Part(45, "scan", "Scan", tuple(blocks))
    return Page((part,), (Answer("Scan", found.answer),), TITLE, _question(found))


def _question(found: ScanResult) -> str:
    """What moves, and what is asked there."""
    pair = [" and ".join(found.profile.names)] if found.profile is not None else []
    asked = {"evaluate": "signal", "infer": "posterior", "forecast": "expected error"}
    if not found.axes:
        return f"Which values of {pair[0]} do the data allow together"
    keys = " and ".join(found.axes)
    return f"How does the {asked[found.about.what]} change with {keys}"
