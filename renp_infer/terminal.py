"""What the terminal shows: one JSON document, or tables for people."""

from __future__ import annotations

import copy
import json
import math
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table

from renp_infer.finite import require_finite_tree

if TYPE_CHECKING:
    from renp_infer.records import FloatArray

WIDTH = 80
MAX_ROWS = 25
"""Longest table of angles; the JSON document has them all."""


def plain(value: Any) -> Any:
    """Turn a value into what JSON knows: arrays to lists, keys to text."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def document(value: Any) -> str:
    """One JSON document as text.

    What may be undefined is ``None`` before it comes here: thresholds that are
    never crossed, convergence statistics of draws that never moved.

    Raises
    ------
    NonFiniteError
        A number is not finite; names its key, and the truth if there is one.
    """
    tree = plain(value)
    truth = tree.get("truth") if isinstance(tree, dict) else None
    require_finite_tree(tree, truth if isinstance(truth, dict) else {})
    return json.dumps(tree, allow_nan=False) + "\n"


def write_document(value: Any) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.write(document(value))


def say(text: str) -> None:
    """Write a message to standard error, as one line of printable characters."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    sys.stderr.write(f"renp: {line}\n")


def columns() -> int:
    """Width of the terminal; 80 where standard output is a file or a pipe."""
    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH


def show(*parts: Any) -> None:
    """Show tables and texts on standard output, as wide as the terminal."""
    width = columns()
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    for part in parts:
        shown = fitted(part, console) if isinstance(part, Table) else [part]
        for one in shown:
            console.print(one)


def fitted(table: Table, console: Console) -> list[Table]:
    """A table as one that a console holds without splitting a word, or as several.

    Numbers stay whole, with their errors, where there is room. Columns that find none go into
    further tables, behind the first column. A word longer than half a console goes on below.
    """
    table.width = None
    for column in table.columns:
        if column.width is not None:  # asked for: what is longer is cut
            column.min_width = column.max_width = column.width
        if not column.no_wrap:
            column.overflow = "fold"
    if any(_fit(table, console, whole=whole) for whole in (True, False)):
        return [table]
    first, *others = table.columns
    groups: list[list[Column]] = [[first]]
    for column in others:
        grown = _part(table, [*groups[-1], column])
        if len(groups[-1]) > 1 and not _fit(grown, console, whole=False):
            groups.append([first])
        groups[-1].append(column)
    parts = [_part(table, group) for group in groups]
    for part in parts:
        _fit(part, console, whole=False)
    for part in parts[1:]:
        part.title = None
    for part in parts[:-1]:
        part.caption = None
    return parts


def _fit(table: Table, console: Console, *, whole: bool) -> bool:
    """Give columns their widths, if there is room for their longest words.

    ``whole``: and for whole lines of what stands at the right, which are numbers.
    """
    longest = [_least(one, whole=whole and one.justify == "right") for one in table.columns]
    # what is longer than half a console goes on below
    width = [min(one, console.width // (2 if one <= console.width // 2 else 4)) for one in longest]
    wanted = [
        one.max_width or _longest([str(one.header), *map(str, one.cells)]) for one in table.columns
    ]
    for column in table.columns:
        column.width = 1
    spare = console.width - sum(width) - console.measure(table).minimum + len(width)
    if spare < 0:
        for column in table.columns:
            column.width = None
        return False
    while spare and (short := [k for k, one in enumerate(width) if one < wanted[k]]):
        for k in short[:spare]:
            width[k] += 1
        spare -= min(spare, len(short))
    for column, one in zip(table.columns, width, strict=True):
        column.width = one
    return True


def _least(column: Column, *, whole: bool) -> int:
    """Width below which a word would be split, or a line of the cells; or what is asked for."""
    if column.max_width:
        return column.max_width
    cells = [str(cell) for cell in column.cells]
    words = [word for cell in cells for word in cell.split()]
    return _longest([*str(column.header).split(), *(cells if whole or column.no_wrap else words)])


def _longest(texts: Iterable[str]) -> int:
    """Width of the longest line of all."""
    return max((cell_len(line) for text in texts for line in text.splitlines()), default=1)


def _part(table: Table, group: Sequence[Column]) -> Table:
    """Some columns of a table, with its rows."""
    part = copy.copy(table)
    part.columns = [replace(column, _index=place) for place, column in enumerate(group)]
    return part


def angle_table(title: str, columns: Mapping[str, Sequence[float] | FloatArray]) -> Table:
    """Table of columns of shape (n,), thinned to what fits a screen."""
    table = Table(title=title, box=SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, justify="right")
    count = len(next(iter(columns.values())))
    step = -(-count // MAX_ROWS)
    for k in range(0, count, step):
        table.add_row(*(f"{values[k]:.6g}" for values in columns.values()))
    if step > 1:
        table.caption = f"{-(-count // step)} of {count} angles; --json gives them all"
    return table


def digits_of(sd: float) -> int:
    """Decimals that show two digits of a standard deviation."""
    if not sd > 0 or not math.isfinite(sd):
        return 1
    return min(max(1 - math.floor(math.log10(sd)), 0), 6)
