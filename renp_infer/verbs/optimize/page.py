"""The part of the report about designs: what was found, in sentences, tables and figures."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from renp_infer.design.utilities.measures import MEASURES, direction
from renp_infer.engine.page import Answer, Block, Column, Facts, Page, Part, Table, Text, reasons
from renp_infer.figures.drawing import number, rounded
from renp_infer.verbs.optimize.confirmed import ConfirmResult
from renp_infer.verbs.optimize.figures import design_plates, label_of
from renp_infer.verbs.optimize.parts import ALL_TRIED, NO_EFFECT
from renp_infer.verbs.optimize.priors import ROWS, PriorTable
from renp_infer.verbs.optimize.result import OptimizeResult
from renp_infer.verbs.optimize.telling import cost_sentence, worth_sentences

if TYPE_CHECKING:
    from renp_infer.design.searches.effects import Effects
    from renp_infer.design.utilities.utility import Utility
    from renp_infer.engine.run import Run
    from renp_infer.verbs.optimize.parts import Gain, Gains
    from renp_infer.verbs.optimize.robustness import Robustness

BEST = (
    "The best design, as keys of the study; best.toml in the run directory has them in a study "
    "of its own."
)
EFFECTS = (
    Column("dimension", heads=True),
    Column("total Sobol index", number=True),
    Column("effect", number=True),
    Column("at the best design"),
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
    found = run.get(OptimizeResult)
    text = Text(" ".join(sentences(found)), found.verdict.verdict)
    blocks: list[Block] = [text, *reasons(found.verdict), best_facts(found)]
    if found.priors is not None:
        blocks.append(_priors(found, found.priors))
    if found.effects is not None:
        blocks.append(_effects(found, found.effects))
    if found.gains is not None:
        rows = tuple(_gain_cells(row) for row in found.gains.rows)
        blocks.append(Table(GAINS, rows, _gains_of(found, found.gains)))
    blocks += design_plates(found, run.study)
    wanted = MEASURES[found.objective]
    aim = "needs the least" if wanted.smaller else "has the most"
    return Page(
        (Part(20, "design", "Design", tuple(blocks)),),
        _answers(run),
        "The layout that tells most",
        f"Which allowed design {aim} {wanted.words}, and what does it gain over the study's own",
    )


def _answers(run: Run) -> tuple[Answer, ...]:
    """The gain in the utility searched for, then in meV and time, then what it costs."""
    told = run.find(ConfirmResult)
    said = Answer("Design", " ".join(gain_sentences(run.get(OptimizeResult))))
    if told is None:
        return (said,)
    worth = Answer("What that is worth", " ".join(worth_sentences(told)))
    return said, worth, Answer("What it costs", cost_sentence(told))


def answer(run: Run) -> str:
    """The gain: in the utility, in meV, in the own layout's time; and what is lost."""
    return " ".join(one.text for one in _answers(run))


def best_facts(found: OptimizeResult) -> Facts:
    """Keys of the best design."""
    rows = []
    for key, value in found.best.items():
        said = NO_EFFECT.get(found.flat.get(key, ""), "")
        rows.append((key, f"{_value(value)} ({said})" if said else _value(value)))
    return Facts(tuple(rows), BEST)


def _effects(found: OptimizeResult, effects: Effects) -> Table:
    """How much each dimension matters."""
    rows = tuple(
        (row.name, _with(row.total, row.total_error), _with(row.effect, row.error),
         NO_EFFECT[found.flat[row.name]] if row.flat else "")
        for row in effects.rows
    )  # fmt: skip
    judged = effects.surrogate
    unit = "relative" if direction(found.objective) < 0 else label_of(found.objective)
    return Table(
        EFFECTS,
        rows,
        "What each dimension matters over all allowed designs: its total Sobol index, and the "
        f"standard deviation where it alone is drawn anew ({unit}). From a Gaussian process "
        f"through {judged.fitted} designs; {judged.held_out} others it misses by "
        f"{number(judged.error, 2)} "
        "(root mean square), which the errors contain. No effect: at the best design its whole "
        "range changes the utility by less than its error.",
    )


def _priors(found: OptimizeResult, table: PriorTable) -> Table:
    """The best design under each prior of m1, under all of them."""
    columns = (
        Column("best under", heads=True),
        *(Column(prior, number=True) for prior in table.priors),
        Column("largest loss", number=True),
    )
    rows = tuple(
        (ROWS.get(row.name, row.name), *(_measured(row.utilities[p]) for p in table.priors),
         number(table.largest_loss(row), 2))
        for row in table.rows
    )  # fmt: skip
    unit = label_of(found.objective, per_cost=found.per_cost)
    return Table(
        columns,
        rows,
        f"The best design under each prior of m₁, and what it is worth under the others, {unit}, "
        "by truths that no search has seen. The largest loss is against the best of a column, "
        "relative for what shall be small.",
    )


def _with(value: float, error: float) -> str:
    return f"{rounded(value, error)} ± {number(error, 2)}"


def sentences(found: OptimizeResult) -> list[str]:
    """What the search came to."""
    said = gain_sentences(found)
    if found.bounds:
        held = "; ".join(bound.said for bound in found.bounds)
        said.append(f"Held where it is, so more may be had beyond: {held}.")
    if found.exhausted:
        said.append(ALL_TRIED)
    for name, whose in found.flat.items():
        said.append(f"{name}: {NO_EFFECT[whose]}.")
    return said + _robust(found.robustness)


def _gains_of(found: OptimizeResult, gains: Gains) -> str:
    """Caption of the table of gains."""
    which = "the best design" if gains.of_best else "the best design of the first search"
    unit = label_of(found.objective, per_cost=found.per_cost)
    return (
        f"What {which} is worth under other physics, {unit}. It was not searched anew. A coherence "
        "given as a number is lowered to what a preset's trigger can take."
    )


def _gain_cells(row: Gain) -> tuple[str, ...]:
    with_or_without = "with" if row.systematics else "without"
    if row.failed:
        return row.preset, with_or_without, row.failed, "–", "–"
    own, best = _measured(row.reference), _measured(row.utility)
    return row.preset, with_or_without, own, best, number(row.gain, 3)


def gain_sentences(found: OptimizeResult) -> list[str]:
    """How good the best design is, and how much better than the study's own."""
    name = MEASURES[found.objective].words
    unit = label_of(found.objective, per_cost=found.per_cost)
    said = [f"Best design: {unit} = {_measured(found.utility)}."]
    if found.reference_utility.known:
        better = "more" if direction(found.objective) > 0 else "less"
        own_unit = "" if found.per_cost else MEASURES[found.objective].unit
        amount = " ".join(filter(None, (number(found.gain or 0.0, 3), own_unit, better)))
        gain = "no comparison" if found.gain is None else amount
        own = _measured(found.reference_utility)
        said.append(f"The study's own design has {own}: the gain in {name} is {gain}.")
    return said


def _robust(found: Robustness | None) -> list[str]:
    if found is None:
        return []
    loss, allowed = number(found.loss, 2), found.angles.allowed_deg
    if allowed is None:
        text = f"Setting each angle within 3° costs less than {loss}."
    else:
        text = f"Each angle must be set to {number(allowed, 2)}° (sd) for a mean loss of {loss}."
    drop = found.nuisances.nominal - found.nuisances.lowest
    return [
        text,
        f"With nuisances up to two standard deviations off, the worst found is lower by "
        f"{number(drop, 3)}.",
    ]


def _measured(found: Utility) -> str:
    if not found.known:
        return "none"
    error = found.error if isfinite(found.error) else 0.0
    return f"{rounded(found.value, error)} ± {number(error, 2)}"


def _value(value: Any) -> str:
    """A key's value; long lists by their ends."""
    if isinstance(value, list):
        ends = f"{number(value[0], 6)} … {number(value[-1], 6)}"
        return f"{ends}, {len(value)} values" if len(value) > 1 else number(value[0], 6)
    return number(value, 6) if isinstance(value, int | float) else str(value)
