"""The comparison of hypotheses in the report: its figure and its tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from renp_infer.engine.page import Answer, Block, Column, Note, Page, Part, Table, Text, reasons
from renp_infer.figures import drawing as plots
from renp_infer.figures.drawing import number, rounded
from renp_infer.figures.plate import new_figure, plate
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.results.compared import (
    Averaged,
    BayesFactor,
    Comparison,
    LogEvidence,
    Weighed,
)
from renp_infer.inference.results.comparison import columns
from renp_infer.records import FloatArray
from renp_infer.verbs.compare.result import CompareResult
from renp_infer.verbs.compare.tables import answer
from renp_infer.verbs.evaluate.figures import caption_tail, normalised_label
from renp_infer.verbs.infer.cells import estimate
from renp_infer.verbs.infer.words import (
    MassPrior,
    known_sentences,
    mass_prior_of,
    mass_words,
)

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

_MARKS = {
    "importance": ("D", plots.GREEN),
    "smc": ("o", plots.BLUE),
    "nested": ("s", plots.VERMILION),
}
_SPREAD = 0.22
TITLE = "Which ordering, and whether neutrinos are Dirac or Majorana"
QUESTION = "Which ordering of the masses and which nature of neutrinos do the data favour"
NO_BREAK = "\N{NO-BREAK SPACE}"
_CERTAIN = 1e-4
"""Error of a probability below which it is not shown."""


def page(run: Run) -> Page:
    """Evidence, probabilities and Bayes factors of the hypotheses."""
    result, label = run.get(CompareResult), normalised_label(run)
    tail = caption_tail(run)
    found = result.comparison
    text = sentence(found, mass_prior_of(run.study))
    for more in known_sentences(result.constraints, result.priors):
        text += f" {more}."
    blocks: tuple[Block, ...] = (
        Text(text, result.verdict.verdict),
        *reasons(result.verdict),
        *(Note(warning.replace("_", " ")) for warning in found.warnings),
        plate("evidence", "Evidence of the four hypotheses", evidence_figure, (found, label, tail)),
        _probabilities(found, label),
        *_derived(found, label),
        _factors(found.bayes_factors),
    )
    part = Part(50, "hypotheses", "Four hypotheses", blocks, "Hypotheses")
    said = Answer("Hypotheses", answer(found)), Answer("In full", text)
    return Page((part,), said, TITLE, QUESTION)


def sentence(found: Comparison, prior: MassPrior) -> str:
    """The answer in a line."""
    best = found.best
    return (
        f"Most probable: {best.ordering} ordering, {best.nature.capitalize()}, with "
        f"probability {_probability(best)} for the stated prior odds; the estimators are at most "
        f"{number(found.agreement.distance, 2)} combined errors apart. Averaged over "
        f"hypotheses: {mass_words(found.m1_meV, prior)}."
    )


def _probabilities(found: Comparison, label: str) -> Table:
    columns = (
        Column("hypothesis", heads=True),
        Column("ln Z", number=True),
        Column("by estimator"),
        Column("prior odds", number=True),
        Column("probability", number=True),
        Column("m₁ [meV]", number=True),
    )
    rows = tuple(_row(row, found.prior_odds[row.name]) for row in found.hypotheses)
    tail = f", {label}" if label else ""
    caption = f"Log-evidence, normalised in the data, and probability{tail}."
    return Table(columns, rows, caption)


def _derived(found: Comparison, label: str) -> tuple[Table, ...]:
    """Derived quantities by hypothesis and averaged; none of an older result."""
    names = list(found.derived)
    if not names:
        return ()
    numbers = (Column(PARAMETERS.text(name), number=True) for name in names)
    averages = {_label(row): row.derived for row in found.hypotheses}
    averages["averaged"] = found.derived
    rows = tuple(
        (text, *(_estimated(row.get(name)) for name in names)) for text, row in averages.items()
    )
    tail = f", {label}" if label else ""
    caption = (
        "What other experiments measure, by hypothesis and averaged by probability; m_ββ is "
        f"averaged over Majorana neutrinos{tail}."
    )
    return (Table((Column("hypothesis", heads=True), *numbers), rows, caption, style="dense"),)


def _estimated(found: Averaged | None) -> str:
    return "–" if found is None else estimate(found, rounded).replace(" ", NO_BREAK)


def _row(row: Weighed, odds: float) -> tuple[str, ...]:
    return (
        _label(row),
        _evidence(row),
        "; ".join(f"{name} {_evidence(cell)}" for name, cell in row.by_estimator.items()),
        number(odds, 3),
        _probability(row),
        _estimated(row.m1_meV),
    )


def _factors(found: Sequence[BayesFactor]) -> Table:
    columns = (
        Column("hypothesis", heads=True),
        Column("against"),
        Column("ln Bayes factor", number=True),
        Column("decided by priors?"),
    )
    return Table(columns, tuple(map(_factor, found)), "Bayes factors of all pairs.")


def _factor(row: BayesFactor) -> tuple[str, ...]:
    over, under = (side.replace("_", " ") for side in (row.over, row.under))
    value = _with_error(row.log_bayes_factor, row.log_bayes_factor_error)
    return over, under, value, row.prior_dominated or "no"


def _label(row: Weighed) -> str:
    return f"{row.ordering}, {row.nature.capitalize()}"


def _evidence(found: Weighed | LogEvidence) -> str:
    return _with_error(found.log_evidence, found.log_evidence_error)


def _probability(row: Weighed) -> str:
    """With its error, unless that is too small to matter."""
    value, error = row.probability, row.probability_error
    return _with_error(value, error) if error > _CERTAIN else number(value, 2)


def _with_error(value: float, error: float) -> str:
    """One word, so that a table does not break it."""
    return f"{rounded(value, error)} ± {rounded(error, error)}".replace(" ", NO_BREAK)


def evidence_figure(shown: tuple[Comparison, str, str]) -> tuple[Figure, str]:
    """Log-evidence of the four hypotheses relative to the largest, by estimator."""
    found, label, tail = shown
    rows = found.hypotheses
    top = max(row.log_evidence for row in rows)
    figure, ax = new_figure(2.9)
    places = np.arange(len(rows))
    heights = [row.log_evidence - top for row in rows]
    ax.barh(places, heights, height=0.62, color=plots.SKY, alpha=0.5, label="together")
    for k, name in enumerate(found.estimators):
        marker, colour = _MARKS[name]
        values, errors = _bars(rows, name)
        ax.errorbar(
            values - top,
            places + _SPREAD * (k - 0.5 * (len(found.estimators) - 1)),
            xerr=errors,
            label=name,
            fmt=marker,
            color=colour,
            ms=5,
            capsize=3,
        )
    ax.set_yticks(places, [_label(row) for row in rows])
    ax.invert_yaxis()
    ax.set_xlabel("ln Z − largest ln Z")
    ax.legend(loc="best")
    if label:
        ax.set_title(label, loc="right", fontsize=8.5, color=plots.BLACK)
    return figure, (
        "Log-evidence of each hypothesis for the same data, relative to the largest: all "
        "estimators with their errors (symbols) and their weighted mean (bars). A difference of "
        f"1 changes the odds by a factor e.{tail}"
    )


def _bars(rows: Sequence[Weighed], estimator: str) -> tuple[FloatArray, FloatArray]:
    """Log-evidences (k,) by an estimator, and their errors; NaN and 0 where it has none."""
    missing = LogEvidence(np.nan, 0.0)
    return columns([row.by_estimator.get(estimator, missing) for row in rows])
