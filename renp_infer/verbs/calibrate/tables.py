"""What the terminal shows of a calibration."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.inference.judging.belt import BeltCoverage
from renp_infer.inference.judging.reliability import Bin
from renp_infer.inference.parameters import MASS
from renp_infer.verbs.calibrate.found import (
    Calibration,
    Covered,
    Fits,
    Hypotheses,
    LimitCoverage,
    Ranks,
)


def calibration_tables(found: Calibration) -> list[Table | str]:
    """Tables and lines for the terminal."""
    parts: list[Table | str] = []
    if found.ranks is not None:
        parts.append(_rank_table(found.ranks))
    if found.hypotheses is not None:
        parts.append(_hypothesis_table(found.hypotheses))
    if found.belt is not None:
        parts.append(_belt_table(found.belt.limits))
    parts += [_failure_line(name, kind.fits) for name, kind in found.kinds.items()]
    if found.data != "mock":
        parts.append(f"mock data at the angles and with the noise of {found.data}")
    rate = f"{100.0 * found.false_alarm:g} %"
    return [*parts, f"verdict: {found.verdict}, at a false-alarm rate of {rate} for each part"]


def answer(found: Calibration) -> str:
    """How often intervals of the mass cover, or what else was tested."""
    said = []
    if found.ranks is not None:
        rows = {row.name: row for row in found.ranks.quantities}
        if MASS in rows:
            shares = [_share(part) for part in (rows[MASS].coverage_68, rows[MASS].coverage_95)]
            said.append(f"68 % intervals of m1 cover {shares[0]}, 95 % intervals {shares[1]}")
    tested = ", ".join(KINDS[name] for name in found.kinds)
    return "; ".join([*said, f"{tested}: {found.verdict}"]) + "."


KINDS = {"ranks": "posterior", "hypotheses": "probabilities", "belt": "belt"}
"""What was tested, in words."""
_CAPTION = 62
"""Columns of the longest caption."""


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, min_width=_CAPTION)
    for k, name in enumerate(columns):
        table.add_column(name, justify="right" if k else "left")
    return table


def _rank_table(found: Ranks) -> Table:
    title = f"posterior: {found.fitted} of {found.fits.mocks} data sets fitted"
    table = _table(title, "quantity", "uniformity p", "68 % covers", "95 % covers")
    for row in found.quantities:
        shares = [_share(facts) for facts in (row.coverage_68, row.coverage_95)]
        table.add_row(row.name, f"{row.p_value:.2g}", *shares)
    table.caption = f"a test fails below p = {found.threshold:.2g}"
    return table


def _share(found: Covered | Bin | BeltCoverage) -> str:
    return f"{found.found:.3f} ± {found.error:.3f}"


def _hypothesis_table(found: Hypotheses) -> Table:
    title, tests = f"hypothesis probabilities: {found.fits.mocks} data sets", found.reliability
    table = _table(title, "bin", "predicted", "found", "count")
    if len(set(found.prior_odds)) > 1:
        odds = " : ".join(f"{value:g}" for value in found.prior_odds)
        table.title = f"{title}, prior odds {odds}"
    if tests is None:
        return table
    for row in tests.curve:
        limits = f"{row.low:.1f}-{row.high:.1f}"
        table.add_row(limits, f"{row.predicted:.3f}", _share(row), str(row.count))
    table.caption = (
        f"calibration error {tests.calibration_error:.3f}, by chance "
        f"{tests.calibration_error_by_chance:.3f}, p = {tests.p_value:.2g}"
    )
    return table


def _belt_table(found: LimitCoverage | None) -> Table:
    title = "Feldman-Cousins belt: critical values, then coverage"
    if found is None:
        return _table(title, "m1 [meV]")
    table = _table(title, "m1 [meV]", *(f"{100 * level:.0f} %" for level in found.levels))
    for m1, values, errors in zip(found.m1_meV, found.critical, found.critical_error, strict=True):
        cells = [f"{v:.2f} ± {e:.2f}" for v, e in zip(values, errors, strict=True)]
        table.add_row(f"{m1:g}", *cells)
    count = len(found.levels)
    for k in range(0, len(found.coverage), count):
        rows = found.coverage[k : k + count]
        table.add_row(f"at {rows[0].m1_meV:g} covers", *map(_share, rows))
    return table


def _failure_line(name: str, fits: Fits) -> str:
    kinds = ", ".join(f"{count} {reason}" for reason, count in fits.failures.items())
    text = f"{name}: {fits.failed} of {fits.mocks} fits failed"
    return f"{text} ({kinds})" if kinds else text
