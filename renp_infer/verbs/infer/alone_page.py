"""The mass by each data set alone and by all, in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from renp_infer.engine.page import Column, Page, Part, Table
from renp_infer.figures.drawing import BAND_68, BAND_95, BLACK, TRUTH
from renp_infer.figures.plate import M1, new_figure, plate
from renp_infer.inference.results.judged import Summary
from renp_infer.verbs.evaluate.figures import caption_tail, stamp
from renp_infer.verbs.infer.alone_result import SetsResult
from renp_infer.verbs.infer.cells import estimate, interval
from renp_infer.verbs.infer.result import InferResult

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

ALL = "all together"
COLUMNS = (
    Column("data set", heads=True),
    Column("m₁ [meV]", number=True),
    Column("95 % interval", number=True),
    Column("diagnostics"),
)
CAPTION = (
    "The lightest mass by each data set alone, with the same priors, and by the one likelihood of "
    "all. Sets that share nuisances are not independent: their estimates must not be averaged."
)


def page(run: Run) -> Page:
    """A table and a figure."""
    rows = tuple((name, *_cells(found, word)) for name, found, word in _found(run))
    figure = plate("mass-by-set", "Lightest neutrino mass by data set", masses_figure, run)
    blocks = (Table(COLUMNS, rows, CAPTION), figure)
    return Page((Part(20, "by-set", "Each data set alone", blocks),))


def _found(run: Run) -> list[tuple[str, Summary, str]]:
    """Name, mass and verdict of each set, and of all where that is known."""
    alone, joint = run.get(SetsResult).sets, run.find(InferResult)
    rows = [(name, one.mass, one.diagnostics.verdict.verdict) for name, one in alone.items()]
    if joint is not None:
        rows.append((ALL, joint.mass, joint.diagnostics.verdict.verdict))
    return [(name, mass, str(word)) for name, mass, word in rows]


def _cells(found: Summary, word: str) -> tuple[str, str, str]:
    return estimate(found), interval(found), word


def masses_figure(run: Run) -> tuple[Figure, str]:
    """Means and intervals, one above the other."""
    rows = _found(run)
    figure, ax = new_figure(1.4 + 0.42 * len(rows))
    for place, (_, found, _word) in enumerate(rows):
        for ends, colour, width in (
            (found.interval_95, BAND_95, 9.0),
            (found.interval_68, BAND_68, 9.0),
        ):
            ax.plot(ends, [place, place], color=colour, lw=width, solid_capstyle="butt")
        ax.plot(found.mean, place, "o", color=BLACK, ms=4)
    truth = rows[-1][1].truth
    if truth is not None:
        ax.axvline(truth, label="truth", **TRUTH)
        ax.legend(loc="best")
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
    ax.invert_yaxis()
    ax.set_xlabel(M1)
    stamp(ax, run)
    return figure, (
        "Posterior of the lightest neutrino mass by each data set alone and by all together: "
        f"mean, 68 % and 95 % intervals.{caption_tail(run)}"
    )
