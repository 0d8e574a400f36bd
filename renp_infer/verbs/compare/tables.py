"""What the terminal shows of a comparison of hypotheses."""

from __future__ import annotations

import math
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.engine.run import Run
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.results.compared import Averaged, Comparison, LogEvidence, Weighed
from renp_infer.inference.results.comparison import UNDECIDED
from renp_infer.terminal import WIDTH, digits_of
from renp_infer.verbs.compare.blinded import WARNING, BlindedComparison, cells_of
from renp_infer.verbs.compare.result import CompareResult
from renp_infer.verbs.infer.cells import estimate, interval
from renp_infer.verbs.infer.words import MassPrior, mass_words


def answer(found: Comparison) -> str:
    """Ordering and nature, each as far as data tell, by factors from the most probable one."""
    best = found.best
    ordering = _told(found, best.name, f"{_other(best.ordering)}_{best.nature}")
    nature = _told(found, best.name, f"{best.ordering}_{_other(best.nature)}")
    first = best.ordering if ordering.told else "not told"
    second = best.nature.capitalize() if nature.told else "not told apart"
    return f"Ordering: {first}, {ordering.text}. Dirac or Majorana: {second}, {nature.text}."


OTHERS = {
    "normal": "inverted", "inverted": "normal", "dirac": "majorana", "majorana": "dirac"
}  # fmt: skip


def _other(word: str) -> str:
    return OTHERS[word]


class Told(NamedTuple):
    """Whether data, not priors, decide between two hypotheses, and by what factor."""

    told: bool
    text: str


def _told(found: Comparison, best: str, rival: str) -> Told:
    for row in found.bayes_factors:
        if {row.over, row.under} == {best, rival}:
            sign = 1.0 if row.over == best else -1.0
            value = sign * row.log_bayes_factor
            shown = _pair(value, row.log_bayes_factor_error, " ± ")
            return Told(not row.prior_dominated and value > UNDECIDED, f"ln B = {shown}")
    return Told(False, "no factor")


def hypothesis_table(name: str, found: Comparison) -> Table:
    """One row per hypothesis."""
    table = Table(title=name, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=WIDTH)
    table.add_column("ordering\nnature")
    heads = [f"ln Z\n{estimator}" for estimator in found.estimators]
    for head in [*heads, "together", "prior\nodds", "probability", "m1 [meV]"]:
        table.add_column(head, justify="right")
    for row in found.hypotheses:
        table.add_row(*_cells(row, found))
    verdict = found.agreement
    table.caption = (
        f"agreement: {verdict.verdict}; estimators at most {verdict.distance:.1f} "
        f"combined errors apart, {verdict.gate:g} allowed"
    )
    return table


def _cells(row: Weighed, found: Comparison) -> list[str]:
    return [
        f"{row.ordering}\n{row.nature}",
        *(_evidence(row.by_estimator.get(name)) for name in found.estimators),
        _pair(row.log_evidence, row.log_evidence_error),
        f"{found.prior_odds[row.name]:.3g}",
        _probability(row.probability, row.probability_error),
        estimate(row.m1_meV).replace(" ± ", "\n± "),
    ]


def _evidence(found: LogEvidence | None) -> str:
    return "-" if found is None else _pair(found.log_evidence, found.log_evidence_error)


def factor_table(found: Comparison) -> Table:
    """All pairwise Bayes factors."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=WIDTH)
    table.add_column("hypothesis")
    table.add_column("against")
    table.add_column("ln Bayes factor", justify="right")
    table.add_column("decided by")
    for row in found.bayes_factors:
        value = _pair(row.log_bayes_factor, row.log_bayes_factor_error, " ± ")
        names = [side.replace("_", " ") for side in (row.over, row.under)]
        table.add_row(*names, value, "priors" if row.prior_dominated else "data")
    return table


def averaged_line(m1_meV: Averaged, prior: MassPrior) -> str:
    """The mass averaged over hypotheses, as far as it is a measurement."""
    return f"averaged over hypotheses: {mass_words(m1_meV, prior)}"


def derived_table(found: Comparison) -> Table:
    """What other experiments measure, averaged over hypotheses."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=WIDTH)
    for head in ("averaged", "mean ± sd", "95 %"):
        table.add_column(head, justify="left" if head == "averaged" else "right")
    for name, one in found.derived.items():
        table.add_row(PARAMETERS.text(name), estimate(one), interval(one))
    table.caption = "m_ββ: averaged over Majorana neutrinos"
    return table


def _probability(value: float, error: float) -> str:
    """With its error, unless that is too small to matter."""
    return _pair(value, error) if error > 1e-4 else f"{value:.2g}"


def _pair(value: float, error: float, join: str = "\n± ") -> str:
    """A value over its error, both with two digits of the error."""
    if not math.isfinite(value):
        return "-"
    digits = digits_of(error)
    return f"{value:.{digits}f}{join}{error:.{digits}f}"


def blinded_parts(run: Run) -> list[Table | str]:
    """Evidence by letter of a blinded run, and what that means."""
    found = run.get(BlindedComparison)
    table = Table(title=f"{run.name}: blinded", box=SIMPLE_HEAD)
    for head in ("hypothesis", "ln Z", "probability"):
        table.add_column(head, justify="right")
    for row in cells_of(found):
        table.add_row(*row)
    return [table, f"verdict: {run.verdict}", WARNING]


def verdict_of_hypotheses(run: Run) -> str:
    """The most probable hypothesis of a run; empty if none were compared."""
    found = run.find(CompareResult)
    if found is None:
        return ""
    best, agreement = found.comparison.best, found.comparison.agreement
    return (
        f"{run.name}: most probable is {best.ordering} {best.nature}, "
        f"{best.probability:.3g}; estimators: {agreement.verdict}"
    )
