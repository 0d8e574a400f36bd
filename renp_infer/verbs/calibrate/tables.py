"""What the terminal shows of a calibration."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table


def calibration_tables(found: dict[str, Any]) -> list[Any]:
    """Tables and lines for the terminal."""
    makers = {"ranks": _rank_table, "hypotheses": _hypothesis_table, "belt": _belt_table}
    parts: list[Any] = [make(found[kind]) for kind, make in makers.items() if kind in found]
    parts += [_failure_line(kind, found[kind]) for kind in makers if kind in found]
    if found["data"] != "mock":
        parts.append(f"mock data at the angles and with the noise of {found['data']}")
    rate = f"{100.0 * found['false_alarm']:g} %"
    return [*parts, f"verdict: {found['verdict']}, at a false-alarm rate of {rate} for each part"]


_CAPTION = 62
"""Columns of the longest caption."""


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, min_width=_CAPTION)
    for k, name in enumerate(columns):
        table.add_column(name, justify="right" if k else "left")
    return table


def _rank_table(found: dict[str, Any]) -> Table:
    title = f"posterior: {found['fitted']} of {found['mocks']} data sets fitted"
    table = _table(title, "quantity", "uniformity p", "68 % covers", "95 % covers")
    for row in found["quantities"]:
        cells = [row["name"], f"{row['p_value']:.2g}"]
        for key in ("coverage_68", "coverage_95"):
            cells.append(f"{row[key]['found']:.3f} ± {row[key]['error']:.3f}")
        table.add_row(*cells)
    table.caption = f"a test fails below p = {found['threshold']:.2g}"
    return table


def _hypothesis_table(found: dict[str, Any]) -> Table:
    title = f"hypothesis probabilities: {found['mocks']} data sets"
    table = _table(title, "bin", "predicted", "found", "count")
    for row in found.get("curve", []):
        table.add_row(
            f"{row['low']:.1f}-{row['high']:.1f}",
            f"{row['predicted']:.3f}",
            f"{row['found']:.3f} ± {row['error']:.3f}",
            str(row["count"]),
        )
    if len(set(found["prior_odds"])) > 1:
        odds = " : ".join(f"{value:g}" for value in found["prior_odds"])
        table.title = f"{title}, prior odds {odds}"
    if "curve" in found:
        table.caption = (
            f"calibration error {found['calibration_error']:.3f}, by chance "
            f"{found['calibration_error_by_chance']:.3f}, p = {found['p_value']:.2g}"
        )
    return table


def _belt_table(found: dict[str, Any]) -> Table:
    levels = [f"{100 * level:.0f} %" for level in found.get("levels", [])]
    table = _table("Feldman-Cousins belt: critical values, then coverage", "m1 [meV]", *levels)
    for m1, values, errors in zip(
        found.get("m1_meV", []), found.get("critical", []), found.get("critical_error", []),
        strict=True,
    ):  # fmt: skip
        cells = [f"{v:.2f} ± {e:.2f}" for v, e in zip(values, errors, strict=True)]
        table.add_row(f"{m1:g}", *cells)
    rows = found.get("coverage", [])
    for k in range(0, len(rows), len(levels) or 1):
        cells = [f"{row['found']:.3f} ± {row['error']:.3f}" for row in rows[k : k + len(levels)]]
        table.add_row(f"at {rows[k]['m1_meV']:g} covers", *cells)
    return table


def _failure_line(kind: str, found: dict[str, Any]) -> str:
    kinds = ", ".join(f"{count} {reason}" for reason, count in found["failures"].items())
    text = f"{kind}: {found['failed']} of {found['mocks']} fits failed"
    return f"{text} ({kinds})" if kinds else text
