"""What all searches of ``renp optimize`` found together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.design.searches.bounds import Bound
from renp_infer.design.searches.objective import score
from renp_infer.design.searches.pareto import front_of
from renp_infer.design.searches.search import Trial, best_of
from renp_infer.design.utilities.measures import direction
from renp_infer.design.utilities.utility import Utility
from renp_infer.engine.result import Verdict
from renp_infer.verbs.optimize.parts import Appraisal, Found
from renp_infer.verbs.optimize.result import (
    FoundBy,
    FrontMember,
    Hypervolume,
    OptimizeResult,
    Repeats,
)

if TYPE_CHECKING:
    from renp_infer.study.study import Study

SIGNIFICANT = 3.0
"""Combined standard errors that a gain must exceed, or it is called none."""
AGREES = 5.0
"""Combined standard errors within which the search's value and the last one agree."""
_FRONT_SEED, _DRAWS = 20211207, 400


def summary(study: Study, parts: Sequence[Found]) -> OptimizeResult:
    """The result of all searches, but for its trials and provenance.

    Parameters
    ----------
    study : Study
    parts : sequence of Found
    """
    assert study.design is not None
    names = study.design.section.utility
    eligible = [part for part in parts if part.priors is not None]
    if not (study.design.section.maximin and eligible):
        eligible = list(parts)
    top = max(eligible, key=lambda part: score(names[0], part.last.of(names[0]).value))
    trial = top.best.trial
    reference = next((p.reference for p in parts if p.reference is not None), Appraisal({}))
    search, last, own = trial.utility(names[0]), top.last.of(names[0]), reference.of(names[0])
    gain = direction(names[0]) * (last.value - own.value) if last.known and own.known else None
    front, hypervolume = _front(names, parts) if len(names) > 1 else (None, None)
    effects = next((p.effects for p in parts if p.effects is not None), None)
    gains = next((p.gains for p in parts if p.gains is not None), None)
    robustness = next((p.robustness for p in parts if p.robustness is not None), None)
    return OptimizeResult(
        name=study.name,
        objective=names[0],
        per_cost=study.design.section.per_cost,
        normalised=study.experiment.detector.reference_snr > 0.0,
        best=top.best.keys,
        design=trial.design,
        x=trial.x,
        bounds=top.best.bounds,
        flat=top.best.flat,
        found_by=FoundBy(top.optimizer, top.repeat, trial.stage),
        search=search,
        last=top.last,
        reference=reference,
        gain=gain,
        evaluations=sum(len(part.trials) for part in parts),
        allowed_share=next((p.allowed_share for p in parts if p.allowed_share is not None), None),
        searches=_searches(names, parts),
        exhausted=any(part.exhausted for part in parts),
        front=front,
        hypervolume=hypervolume,
        priors=next((p.priors for p in parts if p.priors is not None), None),
        effects=effects and effects.with_flat(top.best.flat),
        gains=gains and replace(gains, of_best=gains.x == trial.x),
        robustness=robustness and replace(robustness, of_best=robustness.x == trial.x),
        verdict=_verdict(last, search, own, gain, top.best.bounds),
    )


def _searches(names: Sequence[str], parts: Sequence[Found]) -> tuple[Repeats, ...]:
    """Best of the first objective in each search's starts and proposals, polish left out."""
    rows = []
    for optimizer in dict.fromkeys(part.optimizer for part in parts):
        values = [
            best_of([t for t in part.trials if t.stage != "polish"], names).utility(names[0])
            for part in parts
            if part.optimizer == optimizer
        ]
        good = [found.value for found in values if found.known]
        quartiles = np.quantile(good, [0.25, 0.5, 0.75]).tolist() if good else [None] * 3
        rows.append(Repeats(optimizer, len(values), *quartiles))
    return tuple(rows)


def _front(
    names: Sequence[str], parts: Sequence[Found]
) -> tuple[tuple[FrontMember, ...], Hypervolume | None]:
    """Trials that no other dominates, and the hypervolume that they dominate."""
    trials = [t for part in parts for t in part.trials if np.all(np.isfinite(t.scores(names)))]
    if not trials:
        return (), None
    values, errors = (
        np.array([[getattr(t, kind)[name] for name in names] for t in trials])
        for kind in ("values", "errors")
    )
    errors = np.where(np.isfinite(errors), errors, 0.0)
    senses = tuple(direction(name) for name in names)
    front = front_of(values, errors, senses, np.random.default_rng(_FRONT_SEED), draws=_DRAWS)
    members = tuple(
        _member(trials[place], float(front.membership[place])) for place in front.members.tolist()
    )
    above = dict(zip(names, front.reference.tolist(), strict=True))
    return members, Hypervolume(front.hypervolume, front.error, above)


def _member(trial: Trial, membership: float) -> FrontMember:
    row = trial.plain()
    return FrontMember(trial.x, trial.design, row["values"], row["errors"], membership)


def _verdict(
    last: Utility, search: Utility, own: Utility, gain: float | None, bounds: Sequence[Bound]
) -> Verdict:
    """Whether the result is to be trusted, and why not."""
    fails, warns = [], []
    if not last.known:
        fails.append("the best design has no utility")
    else:
        error = float(np.hypot(last.error, search.error))
        if abs(last.value - search.value) > AGREES * error > 0.0:
            seen = search.value if search.known else np.nan
            fails.append(
                f"other truths give {last.value:.4g}, the search {seen:.4g}: more truths are needed"
            )
    if gain is not None and gain <= SIGNIFICANT * float(np.hypot(last.error, own.error)):
        warns.append("no significant gain over the study's own design")
    if bounds:
        warns.append(f"on a bound: {', '.join(bound.said for bound in bounds)}")
    return Verdict("fail" if fails else "warn" if warns else "pass", (*fails, *warns))
