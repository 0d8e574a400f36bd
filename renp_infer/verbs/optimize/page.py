"""The part of the report about designs: what was found, in sentences, tables and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renp_infer.design.measures import MEASURES, direction
from renp_infer.engine.page import Answer, Block, Column, Facts, Page, Part, Table, Text, reasons
from renp_infer.engine.result import Verdict
from renp_infer.figures.drawing import number, rounded
from renp_infer.verbs.optimize.drawn import Optimum
from renp_infer.verbs.optimize.figures import design_plates, label_of
from renp_infer.verbs.optimize.result import OptimizeResult

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

BEST = (
    "The best design, as keys of the study; best.toml in the run directory has them in a study "
    "of its own."
)
GAINS = (
    Column("physics", heads=True),
    Column("systematics"),
    Column("own design", number=True),
    Column("best design", number=True),
    Column("gain", number=True),
)


def page(run: Run) -> Page:
    """Verdict, sentences, the best design, what it gains, and figures."""
    result = run.get(OptimizeResult)
    found, judged = result.document, Verdict.of(result.document)
    gain = " ".join(gain_sentences(found))
    blocks: list[Block] = [Text(" ".join(_sentences(found)), judged.verdict), *reasons(judged)]
    blocks.append(Facts(tuple((key, _value(v)) for key, v in found["best"].items()), BEST))
    if rows := tuple(_gain_cells(row) for row in found.get("gains", {}).get("rows", ())):
        blocks.append(Table(GAINS, rows, _gains_of(found)))
    blocks += design_plates(Optimum(found, result.trials, run.study))
    return Page((Part(20, "design", "Design", tuple(blocks)),), (Answer("Design", gain),))


def _sentences(found: dict[str, Any]) -> list[str]:
    sentences = gain_sentences(found)
    if found["on_bound"]:
        names = ", ".join(found["on_bound"])
        sentences.append(f"On the end of its range, so more may be had beyond: {names}.")
    return sentences + _robust(found.get("robustness"))


def _gains_of(found: dict[str, Any]) -> str:
    """Caption of the table of gains."""
    same = found.get("gains", {}).get("of_best", True)
    which = "the best design" if same else "the best design of the first search"
    unit = label_of(found["objective"], per_cost=found["per_cost"])
    return f"What {which} is worth under other physics, {unit}. It was not searched anew."


def _gain_cells(row: dict[str, Any]) -> tuple[str, ...]:
    with_or_without = "with" if row["systematics"] else "without"
    if "failed" in row:
        return row["preset"], with_or_without, row["failed"], "–", "–"
    own, best = _measured(row, "reference_utility"), _measured(row, "utility")
    return row["preset"], with_or_without, own, best, number(row["gain"], 3)


def gain_sentences(found: dict[str, Any]) -> list[str]:
    """How good the best design is, and how much better than the study's own."""
    name = MEASURES[found["objective"]].words
    unit = label_of(found["objective"], per_cost=found["per_cost"])
    sentences = [f"Best design: {unit} = {_measured(found, 'utility')}."]
    if found["reference_utility"] is not None:
        better = "more" if direction(found["objective"]) > 0 else "less"
        gain = "no comparison" if found["gain"] is None else f"{number(found['gain'], 3)} {better}"
        own = _measured(found, "reference_utility")
        sentences.append(f"The study's own design has {own}: the gain in {name} is {gain}.")
    return sentences


def _robust(found: dict[str, Any] | None) -> list[str]:
    if not found:
        return []
    loss, allowed = number(found["loss"], 2), found["angles"]["allowed_deg"]
    if allowed is None:
        text = f"Setting each angle within 3° costs less than {loss}."
    else:
        text = f"Each angle must be set to {number(allowed, 2)}° (sd) for a mean loss of {loss}."
    shifts = found["nuisances"]
    drop = shifts["nominal"] - shifts["lowest"]
    return [
        text,
        f"With nuisances up to two standard deviations off, the worst found is lower by "
        f"{number(drop, 3)}.",
    ]


def _measured(found: dict[str, Any], key: str) -> str:
    value, error = found[key], found[f"{key}_error"]
    if value is None:
        return "none"
    return f"{rounded(value, error or 0.0)} ± {number(error or 0.0, 2)}"


def _value(value: Any) -> str:
    """A key's value; long lists by their ends."""
    if isinstance(value, list):
        ends = f"{number(value[0], 6)} … {number(value[-1], 6)}"
        return f"{ends}, {len(value)} values" if len(value) > 1 else number(value[0], 6)
    return number(value, 6) if isinstance(value, int | float) else str(value)
