"""The comparison of hypotheses in the report: its figure and its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from renp_infer.engine.page import Answer, Block, Column, Note, Page, Part, Table, Text, reasons
from renp_infer.engine.result import Verdict
from renp_infer.figures import drawing as plots
from renp_infer.figures.drawing import number, rounded
from renp_infer.figures.plate import new_figure, plate
from renp_infer.verbs.compare.result import CompareResult
from renp_infer.verbs.evaluate.figures import normalised_label

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

_MARKS = {"smc": ("o", plots.BLUE), "nested": ("s", plots.VERMILION)}
_SPREAD = 0.22
_CERTAIN = 1e-4
"""Error of a probability below which it is not shown."""


def page(run: Run) -> Page:
    """Evidence, probabilities and Bayes factors of the hypotheses."""
    found = run.get(CompareResult).document
    agreement = Verdict.of(found["agreement"])
    text = sentence(found)
    blocks: tuple[Block, ...] = (
        Text(text, agreement.verdict),
        *reasons(agreement),
        *(Note(warning.replace("_", " ")) for warning in found["warnings"]),
        plate("evidence", "Evidence of the four hypotheses", evidence_figure, run),
        _probabilities(found, normalised_label(run)),
        _factors(found),
    )
    part = Part(50, "hypotheses", "Four hypotheses", blocks, "Hypotheses")
    return Page((part,), (Answer("Hypotheses", text),), ", and about ordering and nature")


def sentence(found: dict[str, Any]) -> str:
    """The answer in a line."""
    best = max(found["hypotheses"], key=lambda row: row["probability"])
    m1 = found["m1_meV"]
    low, high = (rounded(x, m1["sd"]) for x in m1["interval_95"])
    return (
        f"Most probable: {best['ordering']} ordering, {best['nature'].capitalize()}, with "
        f"probability {_probability(best)} for the stated prior odds; the estimators are at most "
        f"{number(found['agreement']['distance'], 2)} combined errors apart. Averaged over "
        f"hypotheses, m₁ = {rounded(m1['mean'], m1['sd'])} ± {rounded(m1['sd'], m1['sd'])} meV, "
        f"95 % interval {low} to {high} meV."
    )


def _probabilities(found: dict[str, Any], label: str) -> Table:
    columns = (
        Column("hypothesis", heads=True),
        Column("ln Z", number=True),
        Column("by estimator"),
        Column("prior odds", number=True),
        Column("probability", number=True),
        Column("m₁ [meV]", number=True),
    )
    rows = tuple(_row(row, found) for row in found["hypotheses"])
    tail = f", {label}" if label else ""
    caption = f"Log-evidence, normalised in the data, and probability{tail}."
    return Table(columns, rows, caption)


def _row(row: dict[str, Any], found: dict[str, Any]) -> tuple[str, ...]:
    mass = row["m1_meV"]
    estimates = [
        f"{name} {_with_error(cell['log_evidence'], cell['log_evidence_error'])}"
        for name, cell in row["by_estimator"].items()
    ]
    return (
        f"{row['ordering']}, {row['nature'].capitalize()}",
        _with_error(row["log_evidence"], row["log_evidence_error"]),
        "; ".join(estimates),
        number(found["prior_odds"][f"{row['ordering']}_{row['nature']}"], 3),
        _probability(row),
        _with_error(mass["mean"], mass["sd"]),
    )


def _factors(found: dict[str, Any]) -> Table:
    columns = (
        Column("hypothesis", heads=True),
        Column("against"),
        Column("ln Bayes factor", number=True),
        Column("decided by priors?"),
    )
    rows = tuple(
        (
            row["over"].replace("_", " "),
            row["under"].replace("_", " "),
            _with_error(row["log_bayes_factor"], row["log_bayes_factor_error"]),
            row["prior_dominated"] or "no",
        )
        for row in found["bayes_factors"]
    )
    return Table(columns, rows, "Bayes factors of all pairs.")


def _probability(row: dict[str, Any]) -> str:
    """With its error, unless that is too small to matter."""
    value, error = row["probability"], row["probability_error"]
    return _with_error(value, error) if error > _CERTAIN else number(value, 2)


def _with_error(value: float, error: float) -> str:
    """One word, so that a table does not break it."""
    return f"{rounded(value, error)} ± {rounded(error, error)}".replace(" ", "\N{NO-BREAK SPACE}")


def evidence_figure(run: Run) -> tuple[Figure, str]:
    """Log-evidence of the four hypotheses relative to the largest, by estimator."""
    found = run.get(CompareResult).document
    assert found is not None
    rows = found["hypotheses"]
    top = max(row["log_evidence"] for row in rows)
    figure, ax = new_figure(2.9)
    places = np.arange(len(rows))
    heights = [row["log_evidence"] - top for row in rows]
    ax.barh(places, heights, height=0.62, color=plots.SKY, alpha=0.5, label="together")
    names = found["estimators"]
    for k, name in enumerate(names):
        marker, colour = _MARKS[name]
        cells = [row["by_estimator"].get(name) for row in rows]
        values = [np.nan if c is None else c["log_evidence"] - top for c in cells]
        errors = [0.0 if c is None else c["log_evidence_error"] for c in cells]
        shift = _SPREAD * (k - 0.5 * (len(names) - 1))
        keys: dict[str, Any] = {"fmt": marker, "color": colour, "ms": 5, "capsize": 3}
        ax.errorbar(values, places + shift, xerr=errors, label=name, **keys)
    labels = [f"{r['ordering']}, {r['nature'].capitalize()}" for r in rows]
    ax.set_yticks(places, labels)
    ax.invert_yaxis()
    ax.set_xlabel("ln Z − largest ln Z")
    ax.legend(loc="best")
    label = normalised_label(run)
    if label:
        ax.set_title(label, loc="right", fontsize=8.5, color=plots.BLACK)
    tail = f" The noise is {label} at the paper's layout, not absolute." if label else ""
    return figure, (
        "Log-evidence of each hypothesis for the same data, relative to the largest: both "
        "estimators with their errors (symbols) and their weighted mean (bars). A difference of "
        f"1 changes the odds by a factor e.{tail}"
    )
