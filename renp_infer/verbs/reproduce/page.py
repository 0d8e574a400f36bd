"""The ledger as files: ledger.json, ledger.csv and a self-contained ledger.html."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from renp_infer.figures.drawing import number
from renp_infer.figures.template import fill_template
from renp_infer.files import replacing
from renp_infer.reproduction.paper import Paper
from renp_infer.reproduction.verdict import VERDICTS
from renp_infer.terminal import document
from renp_infer.verbs.reproduce.figures import FIGURES, draw

READINGS = ("published", "corrected", "first_principles")
"""Keys of a row with what was calculated."""
COLUMNS = (
    "id", "where", "what", "printed", "published", "corrected", "unit", "verdict", "why", "test",
    "of", "first_principles",
)  # fmt: skip


def write_ledger(ledger: Mapping[str, Any], paper: Paper, folder: Path) -> list[Path]:
    """Write the three files into an existing folder.

    Parameters
    ----------
    ledger : mapping
        From ``ledger_document``.
    paper : Paper
        What the figures are drawn from.
    folder : Path

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    texts = {
        "ledger.json": document(ledger),
        "ledger.csv": csv_text(ledger["rows"]),
        "ledger.html": page(ledger, paper),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as comma-separated values; several numbers in a cell by semicolons."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_joined(row[name]) for name in COLUMNS])
    return buffer.getvalue()


def _joined(value: Any) -> Any:
    return ";".join(map(repr, value)) if isinstance(value, list) else value


def counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many rows have each verdict."""
    found = Counter(row["verdict"] for row in rows)
    return {verdict: found[verdict] for verdict in VERDICTS}


def cell(value: Any, digits: int = 4) -> str:
    """A value of the ledger as short text."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(cell(v, digits) for v in value)
    return number(value, digits)


def page(ledger: Mapping[str, Any], paper: Paper) -> str:
    """The page as text: findings, figures, rows, c-axis cases."""
    rows = []
    for row in ledger["rows"]:
        printed = paper.printed[row["id"]]
        digits = max(printed.digits, 4)
        values = {k: cell(row[k], digits) for k in READINGS}
        rows.append(row | {"printed": printed.text} | values)
    return fill_template(
        Path(__file__).with_name("ledger.html.j2"),
        rows=rows,
        counts=counts(ledger["rows"]),
        findings=ledger["findings"],
        thresholds=ledger["thresholds_deg"],
        cases=ledger["c_axis"],
        plates=[draw(name, paper) for name in FIGURES],
    )
