"""Optimizers, polish and replay, on utilities whose optimum is known."""

import math
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import norm

from renp_infer.design.searches import botorch
from renp_infer.design.searches.bounds import bounds_of
from renp_infer.design.searches.objective import Objective, score
from renp_infer.design.searches.optimizer import (
    Gaussian,
    Optimizer,
    finite,
    fitted,
    improvement,
    joined,
)
from renp_infer.design.searches.optimizers import make_optimizer
from renp_infer.design.searches.polish import polish
from renp_infer.design.searches.search import Budget, Search, Trial, best_of
from renp_infer.design.searches.twin import Twin, model_of
from renp_infer.design.spaces.constraints import Constraint
from renp_infer.design.spaces.region import Region
from renp_infer.design.spaces.space import Dimension, Space
from renp_infer.design.utilities.utility import Utility
from renp_infer.errors import ConfigError, ConvergenceError, DomainError
from renp_infer.records import Experiment, FloatArray
from tests.toys.design import PEAK, ToyAppraiser, build, crystal_objective, crystal_region, truth
from tests.toys.settings import cost_with

NAMES = ("eig_m1",)


def seed(k: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(100 + k)


def best_found(name: str, k: int, budget: Budget, *constraints: str) -> Trial:
    objective = crystal_objective(*constraints)
    search = Search(objective)
    search.run(make_optimizer(name, objective.region, seed(k)), [], budget)
    return search.best


@pytest.mark.slow
def test_a_model_finds_a_ridge_that_sequences_miss() -> None:
    """The ridge covers a fifth of the square; its top is 3. Medians of five seeds."""
    found = {
        name: np.median([best_found(name, k, Budget(24, 0, 1)).values["eig_m1"] for k in range(5)])
        for name in ("skopt", "sklearn", "sobol", "random")
    }
    assert min(found["skopt"], found["sklearn"]) > 2.99
    assert max(found["sobol"], found["random"]) < 2.95


def test_polish_reaches_the_peak() -> None:
    best = best_found("sobol", 1, Budget(12, 60, 1))
    assert best.stage == "polish"
    assert best.design["layout.radius_cm"] == pytest.approx(PEAK[0], abs=2e-3)
    assert best.design["layout.length_cm"] == pytest.approx(PEAK[1], rel=5e-3)


def test_polish_climbs_along_a_constraint() -> None:
    """On radius + length = 2.4 the best of the toy is found by a fine scan."""
    best = best_found("sobol", 1, Budget(16, 120, 1), "radius_cm + length_cm <= 2.4")
    radii = np.linspace(0.5, 1.4, 20001)
    scan = [
        3.0 * math.exp(-0.5 * ((r - PEAK[0]) / 0.1) ** 2)
        / (1.0 + (math.log((2.4 - r) / PEAK[1]) / 0.3) ** 2)
        for r in radii
    ]  # fmt: skip
    assert best.values["eig_m1"] <= max(scan) + 1e-9
    assert best.values["eig_m1"] > 0.995 * max(scan)


def test_polish_costs_no_more_than_its_budget_and_stays_inside() -> None:
    region = crystal_region("volume_cm3 <= 6")
    tried: list[FloatArray] = []

    def value(x: FloatArray) -> float:
        tried.append(x)
        return float(x[0] + x[1])

    start = np.array([0.2, 0.2])
    polish(region, start, 0.4, value, 17)
    assert len(tried) == 17
    assert all(region.admits(x) for x in tried)
    polish(region, start, 0.4, value, 0)
    assert len(tried) == 17


def test_polish_follows_a_ridge_that_is_narrow_in_one_dimension() -> None:
    """Across it everything is lost in a thousandth of the range; along it the top is far."""
    region = crystal_region()
    tried: list[float] = []

    def value(x: FloatArray) -> float:
        tried.append(math.exp(-(((x[0] - 0.3) / 1e-3) ** 2)) * (1.0 - (x[1] - 0.8) ** 2))
        return tried[-1]

    polish(region, np.array([0.3, 0.4]), 0.84, value, 20)
    assert max(tried) > 0.99  # the simplex alone, in as many: 0.85


def test_the_simplex_goes_on_where_no_axis_helps() -> None:
    """A ridge between the axes, on which each step along one of them loses."""
    region = crystal_region()
    tried: list[float] = []

    def value(x: FloatArray) -> float:
        tried.append(-abs(x[0] - x[1]) + 0.1 * (x[0] + x[1]))
        return tried[-1]

    polish(region, np.array([0.3, 0.3]), 0.06, value, 200)
    assert max(tried) > 0.1


def test_choices_are_left_alone_by_the_polish() -> None:
    dimensions = [
        Dimension("layout.length_cm", 1.0, 4.0),
        Dimension("layout.radius_cm", choices=(0.6, 0.9, 1.2)),
    ]
    region = Region(Space(dimensions, [], build, truth()), cost_with())
    tried: list[FloatArray] = []
    polish(region, np.array([0.5, 0.5]), -0.5, lambda x: tried.append(x) or float(-x[0]), 12)
    assert {x[1] for x in tried} == {0.5}


@pytest.mark.parametrize("name", ["skopt", "sklearn", "sobol", "random"])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_space_of_lists_is_tried_once_and_then_the_search_is_over(name: str, batch: int) -> None:
    """Of 3 radii and 2 lengths one crystal is too large; each of the other 5 is tried once."""
    dimensions = [
        Dimension("layout.radius_cm", choices=(0.6, 0.9, 1.2)),
        Dimension("layout.length_cm", choices=(2.0, 3.0)),
    ]
    limit, begin = Constraint("radius_cm + length_cm <= 4"), [np.array([0.5, 0.25])]
    objective = Objective(
        Region(Space(dimensions, [], build, truth()), cost_with(), [limit]), ToyAppraiser(), NAMES
    )
    search = Search(objective)
    trials = search.run(
        make_optimizer(name, objective.region, seed(11)),
        begin,
        Budget(40, 5, batch),
    )
    crystals = sorted(tuple(t.design.values()) for t in trials)
    assert crystals == [(0.6, 2.0), (0.6, 3.0), (0.9, 2.0), (0.9, 3.0), (1.2, 2.0)]
    assert search.exhausted
    again = Search(objective, trials[:3])
    again.run(
        make_optimizer(name, objective.region, seed(11)),
        begin,
        Budget(40, 5, batch),
    )
    assert again.trials == trials


def test_a_continuous_space_is_never_exhausted() -> None:
    search = Search(crystal_objective())
    search.run(make_optimizer("sobol", search.objective.region, seed(1)), [], Budget(3, 0, 1))
    assert search.left is None and not search.exhausted


@pytest.mark.parametrize("name", ["skopt", "sklearn", "sobol", "random"])
@pytest.mark.parametrize("batch", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_a_search_that_is_stopped_anywhere_goes_on_as_if_it_had_not(name: str, batch: int) -> None:
    objective, budget = crystal_objective("volume_cm3 <= 9"), Budget(13, 6, batch)
    starts = [np.array([0.5, 0.5])]

    def run(recorded: Sequence[Trial]) -> tuple[list[Trial], list[Trial]]:
        new: list[Trial] = []
        search = Search(objective, recorded, new.append)
        return search.run(make_optimizer(name, objective.region, seed(7)), starts, budget), new

    whole, _ = run([])
    assert [t.stage for t in whole].count("polish") == 6
    for stop in (0, 1, 5, 8, 9, 12, 13, 15, len(whole)):
        kept = [Trial.read(t.plain()) for t in whole[:stop]]
        again, new = run(kept)
        assert again == whole
        assert new == whole[stop:]


def test_trials_of_another_search_are_not_believed() -> None:
    objective, budget = crystal_objective(), Budget(6, 0, 1)

    def run(k: int, recorded: Sequence[Trial]) -> list[Trial]:
        search = Search(objective, recorded)
        starts = [np.array([0.1 * k, 0.5])]
        return search.run(make_optimizer("random", objective.region, seed(k)), starts, budget)

    assert run(2, run(1, [])) == run(2, [])


def test_batches_are_different_allowed_points() -> None:
    region = crystal_region("volume_cm3 <= 9")
    optimizer = Gaussian(region, seed(3))
    points = region.sobol(seed(4))
    known = [next(points) for _ in range(8)]
    optimizer.tell(known, [(float(-np.sum((x - 0.4) ** 2)),) for x in known])
    asked = optimizer.ask(4)
    assert all(region.admits(x) for x in asked)
    both = np.array([*known, *asked])
    apart = np.abs(both[:, None] - both[None]).max(axis=2) + np.eye(len(both))
    assert np.min(apart) > 1e-6


def test_improvement_is_the_closed_form_of_a_normal_variable() -> None:
    """E max(0, y_best - xi - Y) by integration over the model's normal distribution."""
    rng = np.random.default_rng(5)
    points = rng.random((9, 2))
    costs = np.sin(5.0 * points[:, 0]) + points[:, 1]
    model, _ = fitted(list(points), costs, 1)
    where = rng.random((6, 2))
    mean, sd = model.predict(where, return_std=True)
    quantiles = (np.arange(20000) + 0.5) / 20000
    drawn = mean[:, None] + sd[:, None] * norm.ppf(quantiles)
    expected = np.maximum(0.0, np.min(costs) - 0.01 - drawn).mean(axis=1)
    assert improvement(model, where, costs) == pytest.approx(expected, rel=1e-2, abs=1e-6)


def test_several_scores_are_joined_so_that_a_better_trial_counts_more() -> None:
    rng = np.random.default_rng(6)
    scores = [(0.0, 10.0), (1.0, 20.0), (0.5, 30.0), (-np.inf, 5.0)]
    for _ in range(20):
        found = joined(scores, rng)
        assert np.all(np.isfinite(found))
        assert found[1] > found[0] and found[2] > found[0] >= found[3]
    winners = {int(np.argmax(joined(scores, rng))) for _ in range(50)}
    assert winners == {1, 2}
    assert joined([(1.0,), (-np.inf,), (3.0,)], rng).tolist() == [1.0, 1.0, 3.0]
    assert finite([(-np.inf,)]).tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("eig_m1", 2.0, 2.0), ("eig_m1", -0.1, -0.1), ("sd_m1", math.e, -1.0),
        ("sd_m1", 0.0, -math.inf), ("exposure_3sigma_s", math.inf, -math.inf),
        ("cost", 1.0, 0.0), ("eig_m1", math.nan, -math.inf),
    ],
)  # fmt: skip
def test_more_of_a_score_is_better(name: str, value: float, expected: float) -> None:
    assert score(name, value) == expected


def test_a_design_that_cannot_be_appraised_is_no_end() -> None:
    class Failing(ToyAppraiser):
        def __call__(self, experiment: Experiment, names: Sequence[str]) -> dict[str, Utility]:
            if experiment.layout.length_cm > 2.0:
                raise ConvergenceError("toy", 1.0, 0.1)
            return super().__call__(experiment, names)

    objective = Objective(crystal_region(), Failing(), NAMES)
    search = Search(objective)
    trials = search.run(make_optimizer("skopt", objective.region, seed(8)), [], Budget(12, 5, 1))
    failed = [t for t in trials if t.failed]
    assert failed and all("exceeds the promised" in t.failed for t in failed)
    assert search.best.values and not search.best.failed
    assert Trial.read(failed[0].plain()) == failed[0]


def test_the_best_is_never_lost_and_a_bound_is_told() -> None:
    region = crystal_region("length_cm >= 1")
    trials = [
        Trial("search", (u, 1.0), region.space.values((u, 1.0)), {"eig_m1": v}, {"eig_m1": 0.1})
        for u, v in ((0.2, 1.0), (0.9996, 3.0), (0.3, 2.0))
    ]
    best = best_of(trials, NAMES)
    assert best.values["eig_m1"] == 3.0
    assert [b.said for b in bounds_of(region, best)] == [
        "layout.radius_cm (upper end of its range, 1.5)",
        "layout.length_cm (upper end of its range, 4)",
    ]


def test_utilities_per_cost_and_objectives_that_are_none() -> None:
    region = crystal_region()
    x = np.array([0.5, 0.5])
    plain = Objective(region, ToyAppraiser(), ["eig_m1", "sd_m1", "cost"])(x)
    divided = Objective(region, ToyAppraiser(), ["eig_m1", "sd_m1", "cost"], per_cost=True)(x)
    cost = region.cost(region.space.experiment(x))
    assert divided["eig_m1"].value == pytest.approx(plain["eig_m1"].value / cost)
    assert divided["eig_m1"].error == pytest.approx(plain["eig_m1"].error / cost)
    assert divided["sd_m1"] == plain["sd_m1"]
    assert divided["cost"].value == cost
    with pytest.raises(DomainError, match="an allowed design"):
        Objective(crystal_region("length_cm > 5"), ToyAppraiser(), NAMES)(x)


def asked_for(optimizer: Optimizer, region: Region) -> list[FloatArray]:
    points = region.sobol(seed(9))
    known = [next(points) for _ in range(8)]
    scores = [(float(-np.sum((x - 0.4) ** 2)), float(x[0])) for x in known]
    optimizer.tell(known, scores)
    return optimizer.ask(2)


def test_botorch_proposes_allowed_points_for_several_objectives() -> None:
    pytest.importorskip("botorch")
    region = crystal_region("volume_cm3 <= 9")
    first, second = (
        asked_for(make_optimizer("botorch", region, seed(10)), region) for _ in range(2)
    )
    assert all(region.admits(x) for x in first)
    assert np.array_equal(first, second)


def test_without_botorch_its_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botorch, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="pip install"):
        make_optimizer("botorch", crystal_region(), seed(1))


def test_the_twin_has_the_same_model_and_the_same_top() -> None:
    """Costs with an optimum between the points, seen by both packages."""
    points = np.random.default_rng(3).random((30, 2))
    costs = np.sum((points - np.array([0.4, 0.6])) ** 2, axis=1)
    twin = Twin(crystal_region(), seed(1))
    theirs, there = fitted(list(points), costs, 5)
    ours, here = twin.fitted(list(points), costs, 5)
    probes = np.random.default_rng(4).random((50, 2))
    assert ours.predict(probes) == pytest.approx(theirs.predict(probes), abs=3e-3)
    assert here == pytest.approx(there, abs=0.05)
    assert here == pytest.approx([0.4, 0.6], abs=0.05)
    ei = twin.improvement(theirs, probes, costs)
    assert ei == pytest.approx(improvement(theirs, probes, costs), rel=1e-6, abs=1e-12)


def test_a_long_search_keeps_its_lengths_between_stages() -> None:
    """Nearly the model that a fit to all trials gives, whenever they were told."""
    points = np.random.default_rng(3).random((75, 2))
    scores = [(float(-np.sum((x - np.array([0.4, 0.6])) ** 2)),) for x in points]
    once, twice = (Twin(crystal_region(), seed(1)) for _ in range(2))
    once.tell(list(points), scores)
    for part in (slice(0, 66), slice(66, 75)):
        twice.tell(list(points[part]), scores[part])
        twice.ask(1)
    costs = -np.array(scores)[:, 0]
    ours, _ = once.fitted(list(points), costs, 5)
    probes = np.random.default_rng(4).random((50, 2))
    assert ours.predict(probes) == pytest.approx(
        model_of(points, costs, 5).predict(probes), abs=3e-3
    )
    assert np.array_equal(once.ask(2), twice.ask(2))
    fitted_to_64 = model_of(points[:64], costs[:64], 64).kernel_.k1
    assert ours.kernel_.k1.theta == pytest.approx(fitted_to_64.theta, abs=1e-9)


def test_the_twin_takes_the_place_of_a_package_that_cannot_be_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "skopt", None)
    made = make_optimizer("skopt", crystal_region(), seed(1))
    assert isinstance(made, Twin)
    assert "scikit-optimize cannot be imported (ModuleNotFoundError" in capsys.readouterr().err
