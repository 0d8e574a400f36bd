"""What the terminal says of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.terminal import WIDTH, digits_of

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


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
