"""The verdict of a forecast whose tables are made by hand: each reason, and where it stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from renp_infer.engine.result import Verdict
from renp_infer.verbs.forecast.columns import assemble
from renp_infer.verbs.forecast.judged import judged
from renp_infer.verbs.forecast.quantities import AsimovCell, FisherCell, PhaseMap, PhaseSurvey
from renp_infer.verbs.forecast.result import (
    Axes,
    ByTruth,
    ForecastAbout,
    ForecastResult,
    TruthInShort,
)

AXES = Axes(ordering=("normal", "inverted"), nature=("dirac", "majorana"), m1_meV=(10.0, 50.0))
TRUTH = TruthInShort(50.0, "inverted", "dirac")
OWN, OTHER = 1, 0
"""Places of the orderings: the study's, and the other."""


def table(kind: type, *holes: tuple[str, tuple[int, ...], float]) -> ByTruth[Any]:
    """Cells of two settings of phases, all confirmed but for some: a rival, a place, a state."""
    cells = assemble(kind, lambda name: np.ones((2, 2, 2, 2)))
    for rival, place, state in holes:
        cells.against.of(rival).confirmed[place] = state
    return ByTruth(AXES, cells)


def forecast(missing: int = 0, **parts: Any) -> ForecastResult:
    about = ForecastAbout(
        name="toy",
        missing=missing,
        preset="published",
        reference_snr=0.0,
        reference="",
        systematics=(),
        truth=TRUTH,
        exposure_s=1.0,
        goal_meV=1.0,
        angles=3,
    )
    return ForecastResult(about, **parts)


def with_holes(kind: type, count: int) -> Any:
    """A map, some points of which are not known."""
    found = assemble(kind, lambda name: np.ones((2, 3)))
    found.separation_nature.flat[:count] = np.nan
    return found


def test_what_is_complete_and_confirmed_passes() -> None:
    whole = forecast(
        fisher=table(FisherCell),
        asimov=table(AsimovCell),
        maps={"delta": with_holes(PhaseMap, 0)},
        phases=ByTruth(Axes(ordering=("normal",)), with_holes(PhaseSurvey, 0)),
    )
    assert judged(whole) == Verdict("pass")


def test_without_any_mass_there_is_nothing_to_believe() -> None:
    reasons = ("no forecast of any mass was made", "3 tasks failed")
    assert judged(forecast(missing=3)) == Verdict("fail", reasons)


@pytest.mark.parametrize("rival", ["ordering", "nature"])
def test_a_search_of_the_studys_own_truth_fails(rival: str) -> None:
    """At its phases, the first; a separation is one wherever it stands."""
    both = [(rival, (OWN, 0, mass, 0), 0.0) for mass in (0, 1)]
    reason = f"searches for the other {rival} do not agree, m1 ="
    one = judged(forecast(asimov=table(AsimovCell, both[1])))
    assert one == Verdict("fail", (f"{reason} 50 meV", "1 separations are not confirmed"))
    two = judged(forecast(fisher=table(FisherCell, *both)))
    assert two == Verdict("fail", (f"{reason} 10, 50 meV", "2 separations are not confirmed"))


def test_a_task_of_the_studys_own_truth_fails() -> None:
    lost = [(rival, (OWN, 0, 0, 0), np.nan) for rival in ("ordering", "nature")]
    found = judged(forecast(missing=1, asimov=table(AsimovCell, *lost)))
    failed = "tasks of the study's own hypothesis failed, m1 = 10 meV"
    assert found == Verdict("fail", (failed, "1 tasks failed"))


@pytest.mark.parametrize("place", [(OTHER, 0, 1, 0), (OWN, 1, 1, 0), (OWN, 0, 1, 1)])
def test_elsewhere_it_warns(place: tuple[int, ...]) -> None:
    """Another ordering, another nature, other phases; of both tables together."""
    hole = ("nature", place, 0.0)
    found = judged(forecast(asimov=table(AsimovCell, hole)))
    assert found == Verdict("warn", ("1 separations are not confirmed",))
    found = judged(forecast(asimov=table(AsimovCell, hole), fisher=table(FisherCell, hole)))
    assert found == Verdict("warn", ("2 separations are not confirmed",))


def test_the_headline_is_the_profiles_where_there_is_one() -> None:
    hole = ("ordering", (OWN, 0, 0, 0), 0.0)
    found = judged(forecast(asimov=table(AsimovCell), fisher=table(FisherCell, hole)))
    assert found == Verdict("warn", ("1 separations are not confirmed",))


def test_points_of_maps_and_lost_tasks_warn() -> None:
    maps = {"delta": with_holes(PhaseMap, 2), "alpha21": with_holes(PhaseMap, 1)}
    survey = ByTruth(Axes(ordering=("normal",)), with_holes(PhaseSurvey, 4))
    whole = forecast(asimov=table(AsimovCell), maps=maps)
    assert judged(whole) == Verdict("warn", ("3 points of maps are not known",))
    more = replace(whole, phases=survey, about=replace(whole.about, missing=2))
    assert judged(more) == Verdict("warn", ("2 tasks failed", "7 points of maps are not known"))
