"""The inference in the report: the mass in a sentence, figures, and tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.engine.page import Answer, Block, Column, Facts, Page, Part, Table, Text
from renp_infer.figures.drawing import number, rounded
from renp_infer.figures.words import text_of
from renp_infer.inference.judged import Summary
from renp_infer.inference.parameters import MASS, PARAMETERS
from renp_infer.verbs.evaluate.figures import normalised_label
from renp_infer.verbs.infer.check_figures import check_plates, check_rows
from renp_infer.verbs.infer.figures import draws, free_parameters, posterior_plates
from renp_infer.verbs.infer.judged import Diagnostics
from renp_infer.verbs.infer.result import InferResult

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

UNMEASURED = 0.8
"""A posterior sd above this share of the prior's is called no measurement."""
DIAGNOSTIC_NAMES = {
    "divergences": "divergent transitions",
    "r_hat_max": "largest R-hat",
    "ess_bulk_min": "smallest bulk ESS",
    "ess_tail_min": "smallest tail ESS",
    "bfmi_min": "smallest E-BFMI",
    "sampler": "sampler",
    "step_methods": "step methods",
}
COLUMNS = (
    Column("parameter", heads=True),
    *(
        Column(title, number=True)
        for title in (
            "mean", "sd", "68 % interval", "95 % interval", "truth", "prior sd", "ESS bulk",
            "ESS tail", "R-hat",
        )
    ),
)  # fmt: skip


def page(run: Run) -> Page:
    """The posterior, and what was judged of it."""
    parts = (
        Part(10, "figures", "Figures", (*posterior_plates(run), *check_plates(run))),
        Part(30, "parameters", "Parameters", tuple(_parameters(run))),
        Part(60, "diagnostics", "", tuple(_diagnostics(run)), "Truth and diagnostics"),
    )
    return Page(parts, (Answer("Mass", sentence(run)),))


def _parameters(run: Run) -> list[Block]:
    label = normalised_label(run)
    tail = f", {label}" if label else ""
    caption = f"Posterior of every free parameter{tail}. ESS: effective number of draws."
    rows = parameter_rows(run)
    blocks: list[Block] = [Table(COLUMNS, tuple(rows), caption, style="dense")]
    if any(row[5].endswith("*") for row in rows):
        blocks.append(Text("* outside the 95 % interval.", small=True))
    return blocks


def parameter_rows(run: Run) -> list[tuple[str, ...]]:
    """Posterior of each free parameter, by the columns ``COLUMNS``."""
    found = run.get(InferResult).estimates
    return [_row(name, found[name], prior_sd(run, name)) for name in free_parameters(run)]


def _row(name: str, found: Summary, spread: float) -> tuple[str, ...]:
    sd, truth = found.sd, found.truth
    intervals = [
        "; ".join(" to ".join(rounded(x, sd) for x in pair) for pair in ranges)
        for ranges in found.ranges()
    ]
    outside = truth is not None and not any(_inside(truth, *pair) for pair in found.ranges()[1])
    shown = ("–" if truth is None else rounded(truth, sd)) + "*" * outside
    checks = [
        "–" if value is None else f"{value:.{digits}f}"
        for value, digits in ((found.ess_bulk, 0), (found.ess_tail, 0), (found.r_hat, 3))
    ]
    numbers = (rounded(found.mean, sd), rounded(sd, sd), *intervals, shown, number(spread, 2))
    return (PARAMETERS.text(name), *numbers, *checks)


def _inside(value: float, low: float, high: float) -> bool:
    """Whether an interval has a value; one that ends before it begins leads through 0."""
    return low <= value <= high if low <= high else value >= low or value <= high


def _diagnostics(run: Run) -> list[Block]:
    found = run.get(InferResult)
    blocks: list[Block] = [
        Facts(
            tuple(diagnostic_rows(found.diagnostics)),
            "What the verdict rests on.",
            "Diagnostics",
            found.diagnostics.verdict.verdict,
        )
    ]
    if found.checks is not None:
        caption, verdict = "Whether the model describes the data.", found.checks.verdict.verdict
        blocks.append(Facts(tuple(check_rows(found.checks)), caption, "Model checks", verdict))
    return blocks


def diagnostic_rows(judged: Diagnostics) -> list[tuple[str, str]]:
    """What the sampler's verdict rests on."""
    found = asdict(judged)
    # a number that the sampler does not have is not one that is 0
    shown = {k: v for k, v in found.items() if k != "verdict" and v is not None}
    return [(DIAGNOSTIC_NAMES.get(k, k.replace("_", " ")), text_of(v)) for k, v in shown.items()]


def prior_sd(run: Run, name: str) -> float:
    """Standard deviation of a parameter's prior draws."""
    return float(draws(run, "prior", name).std())


def sentence(run: Run) -> str:
    """The mass, as far as it was measured and may be quoted."""
    found, label = run.get(InferResult), normalised_label(run)
    text = _mass(found.mass, draws(run, "posterior", MASS), prior_sd(run, MASS))
    text += f" ({label})." if label else "."
    if found.diagnostics.verdict.verdict == "fail":
        return f"No number may be quoted, the sampler's diagnostics failed; it gave: {text}"
    return text


def _mass(found: Summary, values: np.ndarray, spread: float) -> str:
    mean, sd, truth = found.mean, found.sd, found.truth
    low, high = (rounded(x, sd) for x in found.interval_95)
    number_ = f"m₁ = {rounded(mean, sd)} ± {rounded(sd, sd)} meV, 95 % interval {low} to {high} meV"
    if sd > UNMEASURED * spread:
        return (
            f"The mass is not measured: {number_}, against a prior with "
            f"sd {rounded(spread, spread)} meV"
        )
    if mean < 2 * sd:
        known = "" if truth is None else f"; truth {number(truth)} meV"
        limit = rounded(float(np.quantile(values, 0.95)), sd)
        return f"m₁ < {limit} meV at 95 % credibility ({number_}{known})"
    if truth is None:
        return number_
    inside = found.interval_95[0] <= truth <= found.interval_95[1]
    return f"{number_}; the truth, {number(truth)} meV, lies {'inside' if inside else 'OUTSIDE'}"
