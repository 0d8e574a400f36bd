"""The part of the report about designs: what was found, in sentences, tables and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renp_infer.design.objective import direction
from renp_infer.runner.plots import number, rounded
from renp_infer.runner.sequential_summary import campaign_document

if TYPE_CHECKING:
    from renp_infer.runner.results import Run

_WHO = {"sequential": "sequence", "study": "own layout", "fixed": "fixed_deg"}


def design_section(run: Run) -> dict[str, Any] | None:
    """What the template shows of a search and of campaigns; ``None`` without either."""
    from renp_infer.runner.design_figures import Optimum, design_plates
    from renp_infer.runner.sequential_figures import sequential_plates

    if run.optimum is None and run.sequential is None:
        return None
    found: dict[str, Any] = {"search": None, "campaigns": None, "plates": []}
    if run.optimum is not None:
        optimum = Optimum(run.optimum, run.optimum["trials"], run.study)
        found["search"] = search_part(run.optimum)
        found["plates"] += design_plates(optimum)
    if run.sequential is not None:
        found["campaigns"] = campaign_part(campaign_document(run.sequential))
        found["plates"] += sequential_plates(run.sequential)
    return found


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
    from renp_infer.runner.design_figures import label_of

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
    from renp_infer.runner.design_figures import WORDS, label_of

    name, unit = WORDS[found["objective"]], label_of(found["objective"], per_cost=found["per_cost"])
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


def campaign_part(found: dict[str, Any]) -> dict[str, Any]:
    """Sentence and table of campaigns against fixed layouts."""
    rows = []
    for truth in found["truths"]:
        for key, name in _WHO.items():
            count = truth[key].get("measurements", found["angles"].get(key))
            if count:
                cells = [truth[key][k] for k in ("sd_m1_meV", "score_nat", "probability")]
                texts = ["–" if v is None else number(v, 3) for v in cells]
                rows.append((number(truth["m1_meV"]), name, *texts, number(count)))
    sentence = (
        f"{found['campaigns']} campaigns of {number(found['total_s'])} s for each true m₁, "
        f"{number(found['setting_s'])} s per move; medians. The score is the logarithm of "
        "posterior by prior density at the true m₁; its mean over the prior is the information "
        "gained."
    )
    return {"sentence": sentence, "rows": rows, "missing": found["missing_tasks"]}
