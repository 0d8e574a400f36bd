"""Total effects against closed forms and SciPy; directions without effect."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import sobol_indices, uniform

from renp_infer.design.searches.effects import ANY, OWN, effects_of, settled, total_effects
from renp_infer.design.searches.objective import Objective
from renp_infer.design.searches.search import appraised
from renp_infer.design.spaces.constraints import Constraint
from renp_infer.design.spaces.region import Region
from renp_infer.design.spaces.space import Dimension, Keys, Space
from renp_infer.design.utilities.utility import Utility
from renp_infer.records import Experiment, FloatArray
from tests.toys.design import build, truth
from tests.toys.settings import cost_with

A, B = 7.0, 0.1


def seed(k: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(300 + k)


BASE = build({})


def sized(keys: Keys) -> Experiment:
    """The toy apparatus with a crystal's sizes; its target is read once."""
    sizes = {k.removeprefix("layout."): v for k, v in keys.items() if k.startswith("layout.")}
    return replace(BASE, layout=replace(BASE.layout, **sizes))


def region_with(*constraints: str, size: int = 3) -> Region:
    """A cube; ``toy.x0`` and so on are its dimensions."""
    dimensions = [Dimension(f"toy.x{k}") for k in range(size)]
    made = [Constraint(text) for text in constraints]
    return Region(Space(dimensions, [], sized, truth()), cost_with(), made)


def ishigami(x: FloatArray) -> FloatArray:
    """Of points (n, 3) of the unit cube, angles from -pi to pi."""
    one, two, three = 2.0 * math.pi * (x.T - 0.5)
    return np.asarray(np.sin(one) + A * np.sin(two) ** 2 + B * three**4 * np.sin(one))


def test_total_indices_of_ishigami() -> None:
    """Ishigami and Homma (1990): closed forms; and SciPy's estimator."""
    rows, spread = total_effects(ishigami, region_with(), seed(1), 1024)
    v1 = 0.5 * (1.0 + B * math.pi**4 / 5.0) ** 2
    v13, v2 = B**2 * math.pi**8 * 8.0 / 225.0, A**2 / 8.0
    whole = v1 + v2 + v13
    exact = np.array([v1 + v13, v2, v13]) / whole
    assert spread == pytest.approx(math.sqrt(whole), rel=0.03)
    theirs = sobol_indices(
        func=lambda x: ishigami(x.T), n=4096, dists=[uniform()] * 3, rng=np.random.default_rng(1)
    )
    for row, known, other in zip(rows, exact, theirs.total_order, strict=True):
        assert abs(row.total - known) < 4.0 * row.total_error + 0.01
        assert abs(row.total - other) < 4.0 * row.total_error + 0.02
        assert row.total_error < 0.05
        assert row.effect == pytest.approx(math.sqrt(row.total) * spread)


def test_constraints_leave_each_dimension_what_is_allowed() -> None:
    """Of x0 over the triangle x0 + x1 <= 1: mean of (1 - x1)^2 / 12 is 1/24, of 1/18."""
    region = region_with("toy.x0 + toy.x1 <= 1", size=2)
    rows, spread = total_effects(lambda x: x[:, 0], region, seed(2), 1024)
    assert spread == pytest.approx(math.sqrt(1.0 / 18.0), rel=0.03)
    assert abs(rows[0].total - 0.75) < 4.0 * rows[0].total_error
    assert rows[1].total == rows[1].effect == rows[1].error == 0.0


class Bowl:
    """Of the crystal's sizes: its radius matters, its length does not, or little."""

    def __init__(self, slope: float = 0.0, error: float = 0.05) -> None:
        self.slope, self.error = slope, error

    def __call__(self, experiment: Experiment, names: Sequence[str]) -> dict[str, Utility]:
        layout = experiment.layout
        value = 4.0 - 8.0 * (layout.radius_cm - 1.2) ** 2 + self.slope * layout.length_cm
        return dict.fromkeys(names, Utility(value, self.error))


def bowl(slope: float = 0.0, *constraints: str) -> Objective:
    dimensions = [
        Dimension("layout.radius_cm", 0.5, 1.5),
        Dimension("layout.length_cm", 1.0, 4.0, log=True),
    ]
    made = [Constraint(text) for text in constraints]
    region = Region(Space(dimensions, [], sized, truth()), cost_with(), made)
    return Objective(region, Bowl(slope), ["eig_m1"])


def test_a_surrogate_gives_the_effects_of_a_known_function() -> None:
    """Its one effect is the standard deviation of a parabola, by sums."""
    objective = bowl()
    found = effects_of(objective, [], seed(3), 60)
    assert found is not None
    u = (np.arange(100_000) + 0.5) / 100_000
    known = float(np.std(8.0 * (u - 0.7) ** 2))
    radius, length = found.rows
    assert (found.surrogate.fitted, found.surrogate.held_out) == (30, 30)
    assert found.surrogate.error < 0.01
    assert radius.total == pytest.approx(1.0, abs=3.0 * radius.total_error + 0.02)
    assert radius.effect == pytest.approx(known, abs=3.0 * radius.error)
    assert length.effect < 3.0 * length.error < 0.05


def test_where_all_designs_are_known_effects_are_theirs() -> None:
    """Of two lists: variances of the table itself, no model."""
    dimensions = [
        Dimension("layout.radius_cm", choices=(0.6, 1.0, 1.2)),
        Dimension("layout.length_cm", choices=(1.0, 4.0)),
    ]
    region = Region(Space(dimensions, [], sized, truth()), cost_with())
    objective = Objective(region, Bowl(slope=0.5), ["eig_m1"])
    assert region.all_points is not None and len(region.all_points) == 6
    trials = [appraised(objective, x, "search") for x in region.all_points]
    found = effects_of(objective, trials, seed(5), 100)
    assert found is not None
    assert (found.surrogate.fitted, found.surrogate.held_out, found.surrogate.error) == (6, 0, 0.0)
    parts = np.var([8.0 * (r - 1.2) ** 2 for r in (0.6, 1.0, 1.2)]), np.var([0.5, 2.0])
    for row, part in zip(found.rows, parts, strict=True):
        assert abs(row.total - part / sum(parts)) < 4.0 * row.total_error
        assert row.effect == pytest.approx(np.sqrt(part), abs=4.0 * row.error)


def test_the_error_on_designs_held_out_is_a_miss_of_the_model() -> None:
    """White scatter by the length cannot be learnt: the error is its size."""

    class Rough(Bowl):
        def __call__(self, experiment: Experiment, names: Sequence[str]) -> dict[str, Utility]:
            scatter = np.sqrt(2.0) * np.sin(1e6 * experiment.layout.length_cm)
            found = super().__call__(experiment, names)
            return {n: Utility(u.value + 0.3 * scatter, u.error) for n, u in found.items()}

    objective = Objective(bowl().region, Rough(), ["eig_m1"])
    found = effects_of(objective, [], seed(4), 200)
    assert found is not None
    assert found.surrogate.error == pytest.approx(0.3, rel=0.25)
    assert all(row.error >= found.surrogate.error for row in found.rows)


def test_what_has_no_effect_is_the_studys_own() -> None:
    objective = bowl()
    best = appraised(objective, (0.69, 0.123), "polish")
    own = {"layout.radius_cm": 0.9, "layout.length_cm": 2.0}
    trial, flat = settled(objective, best, own)
    assert flat == {"layout.length_cm": OWN}
    assert trial.design["layout.length_cm"] == 2.0
    assert trial.design["layout.radius_cm"] == best.design["layout.radius_cm"]
    assert trial.values == best.values


def test_what_has_no_effect_and_no_own_value_stays() -> None:
    objective = bowl()
    best = appraised(objective, (0.69, 0.123), "polish")
    for own in ({}, {"layout.length_cm": 9.0}):
        assert settled(objective, best, own) == (best, {"layout.length_cm": ANY})


@pytest.mark.parametrize(("slope", "flat"), [(0.01, True), (0.05, False)])
def test_an_effect_below_the_error_is_none(slope: float, flat: bool) -> None:
    """Over its 3 cm the length changes 0.03 or 0.15 of an error of 0.05."""
    objective = bowl(slope)
    best = appraised(objective, (0.7, 1.0), "polish")
    assert ("layout.length_cm" in settled(objective, best, {})[1]) is flat


def test_a_dimension_that_cannot_move_is_not_called_without_effect() -> None:
    objective = bowl(0.0, "length_cm >= 3.99")
    best = appraised(objective, (0.7, 1.0), "polish")
    assert settled(objective, best, {})[1] == {}


def test_two_that_have_none_alone_may_have_one_together() -> None:
    """A corner cut off: from the best, either size may shrink, but not both."""

    class Corner(Bowl):
        def __call__(self, experiment: Experiment, names: Sequence[str]) -> dict[str, Utility]:
            layout = experiment.layout
            both = layout.radius_cm < 1.0 and layout.length_cm < 2.0
            return dict.fromkeys(names, Utility(0.0 if both else 1.0, 0.05))

    objective = Objective(bowl().region, Corner(), ["eig_m1"])
    best = appraised(objective, (1.0, 1.0), "search")
    own = {"layout.radius_cm": 0.7, "layout.length_cm": 1.5}
    trial, flat = settled(objective, best, own)
    assert flat == {"layout.radius_cm": OWN}
    assert trial.values["eig_m1"] == 1.0
