"""Several runs in one figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from renp_infer.figures import drawing as plots
from renp_infer.figures.plate import M1, Plate, new_figure, plate
from renp_infer.inference.results.judged import Summary
from renp_infer.verbs.evaluate.figures import normalised_label
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.infer.words import mass_bounds

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

NARROW = 0.5
"""Share of the prior below which the intervals have a panel of their own."""


def overview_plates(runs: Sequence[Run]) -> list[Plate]:
    """Mass intervals of several runs; none for one run, or without an inference."""
    if len(runs) < 2 or all(run.find(InferResult) is None for run in runs):
        return []
    return [plate("overview", "Lightest neutrino mass by run", overview, runs)]


def overview(runs: Sequence[Run]) -> tuple[Figure, str]:
    """Mass intervals of several runs, numbered as in the summary table."""
    inferred = {k: run for k, run in enumerate(runs, start=1) if run.find(InferResult) is not None}
    rows = [run.get(InferResult).mass for run in inferred.values()]
    top = max(mass_bounds(run)[1] for run in inferred.values())
    low, high = _range(rows)
    narrow = high - low < NARROW * top
    figure, grid = new_figure(1.0 + 0.55 * len(rows), 1, 1 + narrow, squeeze=False, sharey=True)
    for ax, limits in zip(grid[0], [(low, high), (0.0, top)][-1 - narrow :], strict=True):
        draw_intervals(ax, rows)
        ax.set(xlabel=M1, xlim=limits)
    names = [_row_name(*item) for item in inferred.items()]
    grid[0, 0].set_yticks(range(len(rows)), names, fontsize=8.5)
    grid[0, -1].set_title("whole prior", fontsize=9)
    return figure, (
        "Runs are numbered as in the table: mean (dot), 68 % (thick) and 95 % (thin) credible "
        f"intervals, truth (dash-dotted).{' Left: where they are.' if narrow else ''}"
    )


def _range(rows: Sequence[Summary]) -> tuple[float, float]:
    """Masses that the intervals and truths span, with a margin, meV."""
    found = [mass for row in rows for mass in row.interval_95]
    found += [row.truth for row in rows if row.truth is not None]
    pad = 0.08 * (max(found) - min(found)) or 1.0
    return max(min(found) - pad, 0.0), max(found) + pad


def _row_name(index: int, run: Run) -> str:
    judged = run.get(InferResult).diagnostics.verdict
    failed = ", diagnostics FAILED" * (judged.verdict == "fail")
    label = normalised_label(run)
    return f"run {index}{failed}" + (f"\n{label}" if label else "")


def draw_intervals(ax: Axes, rows: Sequence[Summary]) -> None:
    """One row per posterior: 95 % thin, 68 % thick, mean dot, truth tick."""
    for y, row in enumerate(rows):
        ax.hlines(y, *row.interval_95, color=plots.BLUE, lw=1.5)
        ax.hlines(y, *row.interval_68, color=plots.BLUE, lw=5)
        ax.plot(row.mean, y, "o", color="white", mec=plots.BLUE, ms=5)
        if row.truth is not None:
            ax.vlines(row.truth, y - 0.35, y + 0.35, **plots.TRUTH)
    ax.set_ylim(len(rows) - 0.4, -0.6)
