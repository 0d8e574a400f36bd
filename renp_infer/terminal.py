"""What the terminal shows: one JSON document, or tables for people."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

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
        if isinstance(part, Table):
            part.width = width if part.width == WIDTH else part.width
            for column in part.columns:  # long names go on below: nothing is cut off
                column.overflow = "fold"
        console.print(part)


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
