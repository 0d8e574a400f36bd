"""Directions as dimensions: around the circle, across its seam, started from physics."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from renp_infer.app.cli import execute
from renp_infer.design.searches.bounds import bounds_of
from renp_infer.design.searches.objective import Objective
from renp_infer.design.searches.optimizers import make_optimizer
from renp_infer.design.searches.polish import polish
from renp_infer.design.searches.search import Budget, Search, Trial
from renp_infer.design.searches.starts import (
    THETA_E,
    Seen,
    brightest,
    look_around,
    most_changed,
    starts,
    widest_thresholds,
)
from renp_infer.design.searches.twin import Twin, model_of
from renp_infer.design.spaces.region import Region
from renp_infer.design.spaces.space import Dimension, Space, Window
from renp_infer.design.utilities.utility import Utility
from renp_infer.measurement.field import exact_field
from renp_infer.physics.neutrinos import masses
from renp_infer.physics.pairs.kinematics import invariant_s
from renp_infer.records import Experiment
from renp_infer.resources import share_path
from renp_infer.study.designing import frozen_noise, objective_of, own_values, region_of
from renp_infer.study.load import load_study
from tests.toys.design import build, truth
from tests.toys.settings import cost_with

THETA = Dimension(THETA_E, -180.0, 180.0, circle=True)
PEAK_DEG = -176.0


def seed(k: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(500 + k)


def ring(*more: Dimension) -> Region:
    return Region(Space([THETA, *more], [], build, truth()), cost_with())


class Seam:
    """Peaks just beyond the half turn."""

    def __call__(self, experiment: Experiment, names: Sequence[str]) -> dict[str, Utility]:
        away = experiment.layout.theta_e - np.deg2rad(PEAK_DEG)
        value = float(2.0 * np.cos(away) - 0.1 * experiment.layout.length_cm)
        return dict.fromkeys(names, Utility(value, 0.01))


def away_deg(degrees: float) -> float:
    """Distance from the peak on the circle."""
    return abs((degrees - PEAK_DEG + 180.0) % 360.0 - 180.0)


def test_places_of_a_direction_go_round() -> None:
    assert THETA.value(1.25) == THETA.value(0.25) == -90.0
    assert [THETA.place(d) for d in (190.0, -170.0)] == pytest.approx([1.0 / 36.0] * 2)
    assert THETA.snapped(1.0) == 0.0
    assert THETA.snapped(-0.1) == pytest.approx(0.9)
    assert THETA.holds(400.0) and THETA.free
    straight = Dimension("x", -180.0, 180.0)
    assert straight.value(1.25) == 180.0 and not straight.holds(400.0)


def test_near_across_the_seam_is_near() -> None:
    """Chords of a circle of circumference 1; other dimensions stay as they are."""
    space = ring(Dimension("layout.length_cm", 1.0, 2.0)).space
    points = np.array([[0.99, 0.3], [0.02, 0.7], [0.5, 0.3]])
    inside = space.embedded(points)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        arc, rest = np.abs(points[i] - points[j])
        chord = np.sin(np.pi * arc) / np.pi
        assert np.linalg.norm(inside[i] - inside[j]) == pytest.approx(np.hypot(chord, rest))
    model = model_of(inside, np.array([1.0, 0.9, 0.1]), 0)
    ends = space.embedded(np.array([[0.0, 0.4], [1.0, 0.4]]))
    assert np.ptp(model.predict(ends)) < 1e-12


def test_a_climb_crosses_the_seam() -> None:
    region = ring()
    objective = Objective(region, Seam(), ["eig_m1"])
    tried: list[float] = []

    def value(x: np.ndarray) -> float:
        tried.append(region.space.values(x)[THETA_E])
        return objective(x)["eig_m1"].value

    start = np.array([THETA.place(172.0)])
    polish(region, start, objective(start)["eig_m1"].value, value, 40)
    assert min(map(away_deg, tried)) < 0.1
    assert all(-180.0 <= degrees < 180.0 for degrees in tried)


def test_a_model_of_directions_finds_a_peak_at_the_seam() -> None:
    """scikit-optimize knows no circles: its twin searches, whatever its name."""
    region = ring(Dimension("layout.length_cm", 1.0, 2.0))
    objective = Objective(region, Seam(), ["eig_m1"])
    search = Search(objective)
    optimizer = make_optimizer("skopt", region, seed(1))
    assert isinstance(optimizer, Twin)
    search.run(optimizer, [], Budget(16, 0, 1))
    assert away_deg(search.best.design[THETA_E]) < 3.0
    assert search.best.design["layout.length_cm"] == pytest.approx(1.0, abs=0.05)


def test_a_circle_has_no_ends() -> None:
    region = ring()
    for u in (0.0, 0.9999):
        assert bounds_of(region, Trial("search", (u,), region.space.values((u,)), {}, {})) == ()


def test_thresholds_are_spread_widest_where_the_invariant_mass_says() -> None:
    """The share of all directions between opening of the lightest and the heaviest pair."""
    space, m = ring().space, masses(truth())
    experiment = build({})
    around = np.deg2rad(np.arange(-180.0, 180.0, 0.05))

    def share(theta_e: float) -> float:
        s = invariant_s(around, theta_e, experiment.target)
        opens = s.max() > 4.0 * m[2] ** 2
        return float(opens * np.mean((s > 4.0 * m[0] ** 2) & (s < 4.0 * m[2] ** 2)))

    found = share(widest_thresholds(space, experiment))
    others = [share(float(np.deg2rad(degrees))) for degrees in range(-180, 180, 2)]
    assert found >= max(others) - 0.01 and found > 2.0 * float(np.median(others))


@pytest.fixture(scope="module")
def around() -> list[Seen]:
    return look_around(ring().space)


def test_the_brightest_direction_has_the_largest_massless_signal(around: list[Seen]) -> None:
    found = brightest(around)
    at = np.deg2rad(np.arange(-180.0, 180.0, 5.0))

    def peak(theta_e: float) -> float:
        made = build({"layout.theta_s_deg": np.rad2deg(at), THETA_E: np.rad2deg(theta_e)})
        return float(np.max(np.abs(exact_field(made, truth(0.0), 1.0))))

    others = [peak(float(theta_e)) for theta_e in np.deg2rad(np.arange(-165.0, 181.0, 30.0))]
    assert peak(found) >= 0.999 * max(others)


def test_the_mass_changes_the_signal_most_where_it_is_said_to(around: list[Seen]) -> None:
    """Larger than at random places, by the field itself; no two are mirror images."""
    found = most_changed(around)

    def change(theta_e: float, theta_s: float) -> float:
        made = build({"layout.theta_s_deg": [theta_s], THETA_E: theta_e})
        fields = [float(exact_field(made, truth(m1), 1.0)[0]) for m1 in (0.0, 50.0)]
        return abs(fields[1] - fields[0])

    changes = [change(*place) for place in found]
    assert changes == sorted(changes, reverse=True) and min(changes) > 0.0
    assert np.all(np.diff(changes) < -1e-7 * np.array(changes[1:]))
    rng = np.random.default_rng(6)
    assert changes[0] > max(change(*rng.uniform(-180.0, 180.0, 2)) for _ in range(24))


def test_a_search_of_directions_starts_at_each_that_physics_suggests(around: list[Seen]) -> None:
    window = Window("window1", {"width_deg": 4.0, "points": 5.0})
    centre = Dimension("window1.centre_deg", -180.0, 180.0, circle=True)
    space = Space([THETA, centre], [window], build, truth())
    own = {THETA_E: 30.0}
    values = [space.values(x) for x in starts(Region(space, cost_with()), build(own), own)]
    directions = {round(v[THETA_E], 3) for v in values}
    experiment = build({})
    suggested = (widest_thresholds(space, experiment), brightest(around))
    degrees = [30.0, 141.607, *(float(np.rad2deg(a)) for a in suggested)]
    degrees += [theta_e for theta_e, _ in most_changed(around)]
    assert directions == {round(d, 3) for d in degrees}
    assert len(values) > len(directions)


VARY = """schema = 1
name = "circle"
[lasers]
chi_squared = 1e-3
[optimize.vary]
"""
WINDOW = VARY.replace("optimize.vary", "[optimize.windows]") + "centre_deg = 3.0\n"


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        (
            VARY + '"layout.theta_e_deg" = { low = -170, high = 180, scale = "circle" }',
            "optimize.vary.layout.theta_e_deg",
            "high = low + 360",
        ),
        (
            VARY + '"layout.length_cm" = { low = 1, high = 361, scale = "circle" }',
            "optimize.vary.layout.length_cm.scale",
            '"linear" or "log": only layout.theta_e_deg and layout.c_axis_deg are directions',
        ),
        (
            WINDOW + 'width_deg = { low = 0, high = 360, scale = "circle" }',
            "optimize.windows[0]",
            'width_deg with scale = "linear" or "log": it is no direction',
        ),
    ],
)
def test_a_circle_of_what_is_none_is_refused(
    tmp_path: Path, text: str, path: str, allowed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    study, home = tmp_path / "circle.toml", tmp_path / "run"
    study.write_text(text)
    assert execute(["optimize", str(study), "--out", str(home), "--quiet"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"{path}" in said and allowed in said
    assert not home.exists()


@pytest.mark.slow
def test_ten_searches_of_ten_find_the_top_of_a_grid_around_the_circle() -> None:
    """All directions of second laser and trigger, 15 degrees apart, against 60 trials."""
    smaller = [
        "optimize.truths=16",
        "optimize.masses=33",
        'optimize.orderings=["normal"]',
        'optimize.natures=["dirac"]',
        "optimize.windows=[{centre_deg={low=-180.0, high=180.0, scale='circle'}, "
        "width_deg=12.0, points=13}]",
    ]
    study = load_study(share_path("studies") / "optimize-circle.toml", smaller)
    region = region_of(study, frozen_noise(study))
    objective = objective_of(study, region)
    line = np.arange(24) / 24.0
    grid = [objective(np.array([u, v]))["eig_m1"] for u in line for v in line]
    top = max(grid, key=lambda found: found.value)
    begin = starts(region, region.space.built({}), own_values(study, region))
    found = []
    for k in range(10):
        search = Search(objective)
        search.run(make_optimizer("skopt", region, seed(k)), begin, Budget(40, 20, 1))
        found.append(search.best.values["eig_m1"])
    assert min(found) >= top.value - top.error
