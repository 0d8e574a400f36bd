"""The inference in the report: the mass in a sentence, figures, and tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from renp_infer.engine.page import Answer, Block, Column, Facts, Page, Part, Table, Text
from renp_infer.figures.drawing import number, rounded
from renp_infer.figures.words import text_of
from renp_infer.inference.parameters import MASS, PARAMETERS, parted
from renp_infer.inference.results.judged import Summary
from renp_infer.verbs.evaluate.figures import normalised_label, source
from renp_infer.verbs.evaluate.switches import preset_of
from renp_infer.verbs.infer.assumptions import assumptions_in, constraint_rows, sharing_rows
from renp_infer.verbs.infer.cells import NOT_MEASURED
from renp_infer.verbs.infer.check_figures import check_plates, check_rows
from renp_infer.verbs.infer.figures import draws, free_parameters, posterior_plates
from renp_infer.verbs.infer.judged import Diagnostics
from renp_infer.verbs.infer.mass_figures import mass_plates
from renp_infer.verbs.infer.result import InferResult, summary_in
from renp_infer.verbs.infer.words import (
    constraints_of,
    known_sentences,
    mass_prior_of,
    mass_sentence,
    phases_sentence,
    premise,
    prior_of_mass,
    priors_of,
)

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

DIAGNOSTIC_NAMES = {
    "divergences": "divergent transitions",
    "r_hat_max": "largest R-hat",
    "ess_bulk_min": "smallest bulk ESS",
    "ess_tail_min": "smallest tail ESS",
    "bfmi_min": "smallest E-BFMI",
    "sampler": "sampler",
    "step_methods": "step methods",
}
TITLE = "What the data say about the lightest neutrino mass"
QUESTION = "What does the magnetization say about the lightest neutrino mass"
CONSTRAINT_HEADS = ("says", "ordering", "source", "distance")
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
    plates = (*posterior_plates(run), *mass_plates(run), *check_plates(run))
    parts = (
        Part(10, "figures", "Figures", plates),
        *_assumptions(run),
        Part(30, "parameters", "Parameters", tuple(_parameters(run))),
        Part(60, "diagnostics", "", tuple(_diagnostics(run)), "Truth and diagnostics"),
    )
    return Page(parts, (Answer("Mass", sentence(run)),), TITLE, QUESTION)


def _assumptions(run: Run) -> list[Part]:
    """What the posterior rests on; constraints in use and what sets share, where there are any."""
    told = "What the posterior of m₁ holds for; another of any of these would give another one."
    blocks: list[Block] = [Facts(tuple(premise_rows(run)), told)]
    if rows := constraint_rows(run):
        heads = (Column("constraint", heads=True), *map(Column, CONSTRAINT_HEADS))
        caption = (
            "What other experiments say, in use here. Distance: of the constraint from what the "
            "data say without it, in errors of both."
        )
        blocks.append(Table(heads, tuple(rows), caption))
    if shared := sharing_rows(run):
        heads = (Column("parameter", heads=True), *map(Column, assumptions_in(run)["sets"]))
        caption = "One value for all data sets, or one for each name: crystal, run or set."
        blocks.append(Table(heads, tuple(shared), caption))
    return [Part(28, "assumptions", "Assumptions", tuple(blocks))]


def premise_rows(run: Run) -> list[tuple[str, str]]:
    """Data, hypothesis, physics, priors and noise of a posterior, in words."""
    hypothesis = summary_in(run.get(InferResult).tree)["hypothesis"]
    free = list(dict.fromkeys(parted(name)[0] for name in free_parameters(run)))
    rest = ", ".join(PARAMETERS.text(name) for name in free if name != MASS)
    return [
        ("data", _data_words(run)),
        ("ordering, nature", f"{hypothesis['ordering']}, {hypothesis['nature']}"),
        ("physics", preset_of(run)),
        ("m₁", prior_of_mass(mass_prior_of(run.study))),
        ("free too, priors in the table", rest or "nothing"),
        ("noise", f"Gaussian, {normalised_label(run) or 'absolute'}"),
    ]


def _data_words(run: Run) -> str:
    """Where the data are from."""
    if file := source(run):
        return f"measured: {file}"
    asimov = run.study.get("inference", {}).get("noise") == "none"
    return "mock: the expectation, without noise" if asimov else "mock, with drawn noise"


def _parameters(run: Run) -> list[Block]:
    label = normalised_label(run)
    tail = f", {label}" if label else ""
    times = ", times the constraints" if constraints_of(run) else ""
    caption = (
        f"Posterior of every free parameter{tail}. Prior sd: of the prior{times}. "
        "ESS: effective number of draws."
    )
    rows = parameter_rows(run)
    blocks: list[Block] = [Table(COLUMNS, tuple(rows), caption, style="dense")]
    if any(row[5].endswith("*") for row in rows):
        blocks.append(Text("* outside the 95 % interval.", small=True))
    return blocks


def parameter_rows(run: Run) -> list[tuple[str, ...]]:
    """Posterior of each parameter, the derived ones last, by the columns ``COLUMNS``."""
    free = free_parameters(run)
    return [
        _row(name, found, number(prior_sd(run, name), 2) if name in free else "–")
        for name, found in run.get(InferResult).estimates.items()
    ]


def _row(name: str, found: Summary, spread: str) -> tuple[str, ...]:
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
    numbers = [rounded(found.mean, sd), rounded(sd, sd), *intervals]
    if found.measured is False:
        numbers, shown = [NOT_MEASURED, *["–"] * (len(numbers) - 1)], shown.rstrip("*")
    return (PARAMETERS.text(name), *numbers, shown, spread, *checks)


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
    text = mass_sentence(run) + (f" ({label})" if label else "") + f"; {premise(run)}."
    known = known_sentences(constraints_of(run), priors_of(run))
    for more in filter(None, (phases_sentence(run), *known)):
        text += f" {more}."
    if found.diagnostics.verdict.verdict == "fail":
        return f"No number may be quoted, the sampler's diagnostics failed; it gave: {text}"
    return text
