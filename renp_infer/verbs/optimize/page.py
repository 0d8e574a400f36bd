"""The part of the report about designs: what was found, in sentences, tables and figures."""

from __future__ import annotations

from typing import Any

from renp_infer.design.measures import MEASURES, direction
from renp_infer.figures.drawing import number, rounded


def search_part(found: dict[str, Any]) -> dict[str, Any]:
    """Verdict, sentences and the table of the best design."""
    sentences = gain_sentences(found)
    if found["on_bound"]:
        names = ", ".join(found["on_bound"])
        sentences.append(f"On the end of its range, so more may be had beyond: {names}.")
    sentences += _robust(found.get("robustness"))
    rows = [(key, _value(value)) for key, value in found["best"].items()]
    return {
        "verdict": found["verdict"],
        "reasons": found["reasons"],
        "sentences": sentences,
        "rows": rows,
        "gains": [_gain_cells(row) for row in found.get("gains", {}).get("rows", ())],
        "gains_of": _gains_of(found),
    }


def _gains_of(found: dict[str, Any]) -> str:
    """Caption of the table of gains."""
    from renp_infer.verbs.optimize.figures import label_of

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
    from renp_infer.verbs.optimize.figures import label_of

    name, unit = (
        MEASURES[found["objective"]].words,
        label_of(found["objective"], per_cost=found["per_cost"]),
    )
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
