"""What the terminal shows: one JSON document, or tables for people."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from renp_infer.finite import require_finite_tree

if TYPE_CHECKING:
    from renp_infer.runner.results import Run

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


def show(*parts: Any) -> None:
    """Show tables and texts on standard output, at most 80 columns wide."""
    console = Console(width=WIDTH, highlight=False, markup=False, emoji=False)
    for part in parts:
        if isinstance(part, Table):
            for column in part.columns:  # long names go on below: nothing is cut off
                column.overflow = "fold"
        console.print(part)


def angle_table(title: str, columns: dict[str, Sequence[float]]) -> Table:
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


def summary_table(runs: Sequence[Run]) -> Table:
    """One row per run: what it asked, and what it found about the mass."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=WIDTH)
    table.add_column("study\npreset", overflow="fold")
    for name in (
        "layout\n[deg]", "peak\nS/N", "m1 mean ± sd\n[meV]", "95 % interval\n[meV]",
        "truth\n[meV]", "verdict",
    ):  # fmt: skip
        table.add_column(name, justify="right", overflow="fold")
    for run in runs:
        table.add_row(*_summary_row(run))
    return table


def _summary_row(run: Run) -> tuple[str, ...]:
    preset = run.study["physics"]["preset"]
    label = ",\nnormalised" if run.evaluation["normalised"] else ""
    theta = run.evaluation["theta_s_deg"]
    estimate = interval = verdict = "-"
    truth = f"{run.study['neutrino']['m1_meV']:.4g}"
    if run.summary is not None:
        m1 = run.summary["parameters"]["m1_meV"]
        digits = digits_of(m1["sd"])
        estimate = f"{m1['mean']:.{digits}f} ± {m1['sd']:.{digits}f}"
        interval = "{:.{d}f}-{:.{d}f}".format(*m1["interval_95"], d=digits)
        verdict = run.summary["diagnostics"]["verdict"]
        if m1["truth"] is None:
            truth = "-"
    snr = run.evaluation["peak_snr"]
    return (
        f"{run.name}\n{preset}{label}",
        f"{theta[0]:.1f}-\n{theta[-1]:.1f}",
        f"{snr:.3g}",
        estimate,
        interval,
        truth,
        verdict,
    )


def digits_of(sd: float) -> int:
    """Decimals that show two digits of a standard deviation."""
    if not sd > 0 or not math.isfinite(sd):
        return 1
    return min(max(1 - math.floor(math.log10(sd)), 0), 6)


def verdict_of_hypotheses(run: Run) -> str:
    """The most probable hypothesis of a run; empty if none were compared."""
    if run.comparison is None:
        return ""
    best = max(run.comparison["hypotheses"], key=lambda row: row["probability"])
    return (
        f"{run.name}: most probable is {best['ordering']} {best['nature']}, "
        f"{best['probability']:.3g}; estimators: {run.comparison['agreement']['verdict']}"
    )


def shortfall(run: Run) -> str:
    """How far an absolute signal is from being seen; empty if it is."""
    snr = run.evaluation["peak_snr"]
    if run.evaluation["normalised"] or snr is None or snr >= 1:
        return ""
    if snr <= 0:
        return f"{run.name}: no signal at these angles"
    return (
        f"{run.name}: carries nothing, the signal is {-math.log10(snr):.1f} orders of "
        "magnitude short of S/N = 1"
    )
