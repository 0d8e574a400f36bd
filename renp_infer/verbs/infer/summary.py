"""What the terminal says of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.terminal import WIDTH, digits_of
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.infer.result import InferResult

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
    found = run.get(EvaluateResult)
    preset = run.study["physics"]["preset"]
    label = ",\nnormalised" if found.normalised else ""
    theta = found.theta_s_deg
    estimate = interval = "-"
    truth = f"{run.study['neutrino']['m1_meV']:.4g}"
    posterior = run.find(InferResult)
    if posterior is not None:
        m1 = posterior.mass
        digits = digits_of(m1.sd)
        estimate = f"{m1.mean:.{digits}f} ± {m1.sd:.{digits}f}"
        interval = "{:.{d}f}-{:.{d}f}".format(*m1.interval_95, d=digits)
        if m1.truth is None:
            truth = "-"
    return (
        f"{run.name}\n{preset}{label}",
        f"{theta[0]:.1f}-\n{theta[-1]:.1f}",
        f"{found.peak_snr:.3g}",
        estimate,
        interval,
        truth,
        "-" if run.verdict == "none" else run.verdict,
    )
