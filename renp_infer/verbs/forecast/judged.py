"""The verdict of a forecast: the worst of its searches and of tasks that failed."""

from __future__ import annotations

import numpy as np

from renp_infer.engine.result import Verdict
from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.quantities import RIVALS
from renp_infer.verbs.forecast.result import ForecastResult, LocalCell
from renp_infer.verbs.forecast.summary import headline


def judged(found: ForecastResult) -> Verdict:
    """Fails where the study's own hypothesis is concerned, warns elsewhere.

    Its own: at its phases, a true mass of which a task failed or whose searches for a rival
    do not agree. Elsewhere: any other task that failed, any other separation, any point of a
    map that is not known.
    """
    own, others = _own(found), _elsewhere(found)
    if own:
        return Verdict("fail", (*own, *others))
    return Verdict("warn" if others else "pass", others)


def _own(found: ForecastResult) -> tuple[str, ...]:
    """What is wrong with the headline."""
    first = headline(found)
    if first is None:
        return ("no forecast of any mass was made",)
    states = [first.cells.against.of(rival).confirmed for rival in RIVALS]
    lost = np.isnan(states[0])
    reasons = []
    if np.any(lost):
        masses = _listed(np.array(first.m1_meV)[lost])
        reasons.append(f"tasks of the study's own hypothesis failed, m1 = {masses} meV")
    for rival, state in zip(RIVALS, states, strict=True):
        if np.any(state == 0.0):
            masses = _listed(np.array(first.m1_meV)[state == 0.0])
            reasons.append(f"searches for the other {rival} do not agree, m1 = {masses} meV")
    return tuple(reasons)


def _elsewhere(found: ForecastResult) -> tuple[str, ...]:
    """What is wrong with all other truths, and with the maps."""
    reasons = [f"{found.about.missing} tasks failed"] if found.about.missing else []
    tables = [table.values for table in (found.fisher, found.asimov) if table]
    unknown = sum(_unconfirmed(cells) for cells in tables)
    if unknown:
        reasons.append(f"{unknown} separations are not confirmed")
    maps = [one.separation_nature for one in found.maps.values()]
    maps += [found.phases.values.separation_nature] if found.phases else []
    points = int(sum(np.sum(np.isnan(one)) for one in maps))
    if points:
        reasons.append(f"{points} points of maps are not known")
    return tuple(reasons)


def _unconfirmed(cells: LocalCell) -> int:
    """Separations from a rival that are not confirmed."""
    states = [cells.against.of(rival).confirmed for rival in RIVALS]
    return int(np.sum(np.array(states) == 0.0))


def _listed(masses_meV: FloatArray) -> str:
    return ", ".join(f"{mass:.3g}" for mass in masses_meV)
