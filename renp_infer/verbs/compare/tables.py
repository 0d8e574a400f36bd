"""What the terminal shows of a comparison of hypotheses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.engine.run import Run
from renp_infer.terminal import WIDTH, digits_of
from renp_infer.verbs.compare.result import CompareResult


def hypothesis_table(name: str, found: Mapping[str, Any]) -> Table:
    """One row per hypothesis."""
    table = Table(title=name, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=WIDTH)
    table.add_column("ordering\nnature")
    heads = [*found["estimators"], "together", "prior\nodds", "probability", "m1 [meV]"]
    for head in heads:
        table.add_column(f"ln Z\n{head}" if head in found["estimators"] else head, justify="right")
    for row in found["hypotheses"]:
        cells = [f"{row['ordering']}\n{row['nature']}"]
        for estimator in found["estimators"]:
            cell = row["by_estimator"].get(estimator)
            cells.append(
                "-" if cell is None else _pair(cell["log_evidence"], cell["log_evidence_error"])
            )
        odds = found["prior_odds"][f"{row['ordering']}_{row['nature']}"]
        cells += [
            _pair(row["log_evidence"], row["log_evidence_error"]),
            f"{odds:.3g}",
            _probability(row["probability"], row["probability_error"]),
            _pair(row["m1_meV"]["mean"], row["m1_meV"]["sd"]),
        ]
        table.add_row(*cells)
    verdict = found["agreement"]
    table.caption = (
        f"agreement: {verdict['verdict']}; estimators at most {verdict['distance']:.1f} "
        f"combined errors apart, {verdict['gate']:g} allowed"
    )
    return table


def factor_table(found: Mapping[str, Any]) -> Table:
    """All pairwise Bayes factors."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), width=WIDTH)
    table.add_column("hypothesis")
    table.add_column("against")
    table.add_column("ln Bayes factor", justify="right")
    table.add_column("decided by")
    for row in found["bayes_factors"]:
        value = _pair(row["log_bayes_factor"], row["log_bayes_factor_error"], " ± ")
        names = [row[side].replace("_", " ") for side in ("over", "under")]
        table.add_row(*names, value, "priors" if row["prior_dominated"] else "data")
    return table


def mass_line(found: Mapping[str, Any]) -> str:
    """The mass averaged over hypotheses."""
    m1 = found["m1_meV"]
    digits = digits_of(m1["sd"])
    low, high = m1["interval_95"]
    return (
        f"m1 averaged over hypotheses: {m1['mean']:.{digits}f} ± {m1['sd']:.{digits}f} meV, "
        f"95 % interval {low:.{digits}f} to {high:.{digits}f} meV"
    )


def _probability(value: float, error: float) -> str:
    """With its error, unless that is too small to matter."""
    return _pair(value, error) if error > 1e-4 else f"{value:.2g}"


def _pair(value: float, error: float, join: str = "\n± ") -> str:
    """A value over its error, both with two digits of the error."""
    if not math.isfinite(value):
        return "-"
    digits = digits_of(error)
    return f"{value:.{digits}f}{join}{error:.{digits}f}"


def verdict_of_hypotheses(run: Run) -> str:
    """The most probable hypothesis of a run; empty if none were compared."""
    found = run.find(CompareResult)
    if found is None:
        return ""
    best, agreement = found.best, found.document["agreement"]
    return (
        f"{run.name}: most probable is {best['ordering']} {best['nature']}, "
        f"{best['probability']:.3g}; estimators: {agreement['verdict']}"
    )
