"""What all searches of ``renp optimize`` found together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.design.measures import MEASURES, direction
from renp_infer.design.objective import score
from renp_infer.design.pareto import front_of
from renp_infer.design.search import Trial, best_of

if TYPE_CHECKING:
    from renp_infer.study.study import Study

SIGNIFICANT = 3.0
"""Combined standard errors that a gain must exceed, or it is called none."""
AGREES = 5.0
"""Combined standard errors within which the search's value and the last one agree."""
_FRONT_SEED, _DRAWS = 20211207, 400
Part = dict[str, Any]


def summary(study: Study, parts: Sequence[Part]) -> dict[str, Any]:
    """The document of ``renp optimize --json``.

    Parameters
    ----------
    study : Study
    parts : sequence of dict
        Results of the searches.

    Returns
    -------
    dict
        ``best`` (study keys), ``utility`` and its error of the last appraisal, the same
        of the study's own design, ``gain`` (the improvement, in the utility's unit, > 0
        if the design is better), ``searches`` (quartiles of what each optimizer found),
        ``on_bound``, ``verdict`` and ``reasons``.
    """
    assert study.design is not None
    names = study.design.section.utility
    top = max(parts, key=lambda part: _rank(names[0], part))
    trial = Trial.read(top["best"])
    last, reference = top["last"].get(names[0], {}), _reference(parts).get(names[0], {})
    found = {
        "schema": 1,
        "name": study.name,
        "objective": names[0],
        "unit": MEASURES[names[0]].unit,
        "per_cost": study.design.section.per_cost,
        "normalised": study.experiment.detector.reference_snr > 0.0,
        "best": top["best"]["keys"],
        "design": trial.design,
        "x": trial.x,
        "on_bound": top["best"]["on_bound"],
        "found_by": {k: top[k] for k in ("optimizer", "repeat")} | {"stage": trial.stage},
        "utility": last.get("value"),
        "utility_error": last.get("error"),
        "utility_bounds": [last.get("lower"), last.get("upper")],
        "reference_utility": reference.get("value"),
        "reference_utility_error": reference.get("error"),
        "search_utility": trial.plain()["values"].get(names[0]),
        "search_utility_error": trial.plain()["errors"].get(names[0]),
        "gain": _gain(names[0], last, reference),
        "last": {"best": top["last"], "reference": _reference(parts)},
        "evaluations": sum(len(part["trials"]) for part in parts),
        "allowed_share": next((p["allowed_share"] for p in parts if "allowed_share" in p), None),
        "searches": _searches(names, parts),
    }
    if len(names) > 1:
        found |= _front(names, parts)
    for key in ("gains", "robustness"):
        if about := next((part[key] for part in parts if key in part), None):
            found[key] = about | {"of_best": about["x"] == list(trial.x)}
    return found | _verdict(found)


def _trials(part: Part) -> list[Trial]:
    return [Trial.read(row) for row in part["trials"]]


def _rank(name: str, part: Part) -> float:
    """Score of a search's last appraisal; -inf after a failure."""
    value = part["last"].get(name, {}).get("value")
    return -np.inf if value is None else score(name, value)


def _reference(parts: Sequence[Part]) -> dict[str, Any]:
    return next((part["reference"] for part in parts if "reference" in part), {})


def _gain(name: str, last: dict[str, Any], reference: dict[str, Any]) -> float | None:
    ours, theirs = last.get("value"), reference.get("value")
    return None if ours is None or theirs is None else direction(name) * (ours - theirs)


def _searches(names: Sequence[str], parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Best of the first objective in each search's starts and proposals, polish left out."""
    rows = []
    for optimizer in dict.fromkeys(part["optimizer"] for part in parts):
        values = []
        for part in parts:
            trials = [t for t in _trials(part) if t.stage != "polish"]
            if part["optimizer"] == optimizer:
                values.append(best_of(trials, names).values.get(names[0], np.nan))
        good = [v for v in values if np.isfinite(v)]
        quartiles = np.quantile(good, [0.25, 0.5, 0.75]).tolist() if good else [None] * 3
        keys = ("lower_quartile", "median", "upper_quartile")
        row = {"optimizer": optimizer, "repeats": len(values)} | dict(
            zip(keys, quartiles, strict=True)
        )
        rows.append(row)
    return rows


def _front(names: Sequence[str], parts: Sequence[Part]) -> dict[str, Any]:
    """Trials that no other dominates, and the hypervolume that they dominate.

    ``membership`` is the probability of a trial to be on the front, given the errors; the
    hypervolume is in the product of the objectives' units, above ``reference``.
    """
    trials = [t for part in parts for t in _trials(part) if np.all(np.isfinite(t.scores(names)))]
    if not trials:
        return {"front": []}
    values, errors = (
        np.array([[getattr(t, kind)[name] for name in names] for t in trials])
        for kind in ("values", "errors")
    )
    errors = np.where(np.isfinite(errors), errors, 0.0)
    senses = tuple(direction(name) for name in names)
    front = front_of(values, errors, senses, np.random.default_rng(_FRONT_SEED), draws=_DRAWS)
    rows = []
    for place in front.members.tolist():
        row = trials[place].plain()
        rows.append({k: row[k] for k in ("x", "design", "values", "errors")})
        rows[-1]["membership"] = float(front.membership[place])
    above = dict(zip(names, front.reference.tolist(), strict=True))
    volume = {"value": front.hypervolume, "error": front.error, "reference": above}
    return {"front": rows, "hypervolume": volume}


def _verdict(found: dict[str, Any]) -> dict[str, Any]:
    """Whether the result is to be trusted: "pass", "warn" or "fail", and why."""
    fails, warns = [], []
    if found["utility"] is None:
        fails.append("the best design has no utility")
    else:
        error = _together(found["utility_error"], found["search_utility_error"])
        miss = abs(found["utility"] - (found["search_utility"] or np.inf))
        if miss > AGREES * error and error > 0.0:
            fails.append(
                f"other truths give {found['utility']:.4g}, the search "
                f"{found['search_utility'] or np.nan:.4g}: more truths are needed"
            )
    if found["gain"] is not None:
        error = _together(found["utility_error"], found["reference_utility_error"])
        if found["gain"] <= SIGNIFICANT * error:
            warns.append("no significant gain over the study's own design")
    if found["on_bound"]:
        warns.append(f"on a bound: {', '.join(found['on_bound'])}")
    verdict = "fail" if fails else "warn" if warns else "pass"
    return {"verdict": verdict, "reasons": fails + warns}


def _together(*errors: float | None) -> float:
    """Combined standard error; infinite if one of them is not known."""
    return float(np.inf if None in errors else np.linalg.norm(errors))  # type: ignore[arg-type]
