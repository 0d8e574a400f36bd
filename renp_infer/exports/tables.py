"""CSV: every table of every result, with a list of their columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from renp_infer.exports.frames import frames_of

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

COLUMNS = "columns.csv"


def csv_files(run: Run) -> Iterator[tuple[str, str]]:
    """Name and text of each file; numbers keep all their digits."""
    known = [("file", "column", "unit", "numbers_rows")]
    for frame in frames_of(run):
        name = f"{frame.name}.csv"
        yield name, frame.table.to_csv(index=False, lineterminator="\n")
        for column in map(str, frame.table.columns):
            counts = "yes" if column in frame.index else "no"
            known.append((name, column, frame.units.get(column, ""), counts))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(known)
    yield COLUMNS, text.getvalue()
