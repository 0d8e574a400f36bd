"""From points of the unit cube to studies, and what constraints leave of it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renp_infer.design.searches.starts import starts
from renp_infer.design.spaces import region
from renp_infer.design.spaces.constraints import Constraint, quantities
from renp_infer.design.spaces.region import Region
from renp_infer.design.spaces.space import Dimension, Space, Window, threshold_deg
from renp_infer.errors import ConfigError, DomainError
from renp_infer.physics.neutrinos import masses
from renp_infer.physics.pairs.kinematics import invariant_s, phase_matched
from tests.toys.design import build, crystal_region, truth
from tests.toys.settings import cost_with

UNIT = st.floats(0.0, 1.0)


@given(UNIT)
def test_a_logarithmic_range_multiplies_and_a_linear_one_adds(u: float) -> None:
    log, linear = Dimension("a", 1e-3, 10.0, log=True), Dimension("b", -3.0, 5.0)
    assert log.value(u) == pytest.approx(1e-3 * 1e4**u, rel=1e-12)
    assert linear.value(u) == pytest.approx(-3.0 + 8.0 * u, abs=1e-12)
    assert log.place(log.value(u)) == pytest.approx(u, abs=1e-12)
    assert linear.place(linear.value(u)) == pytest.approx(u, abs=1e-12)
    assert linear.snapped(u) == u


@given(UNIT)
def test_all_places_of_a_choice_are_one(u: float) -> None:
    some = Dimension("c", choices=("box", "gaussian", 3.0))
    whole = Dimension("d", 1, 4, whole=True)
    for dimension in (some, whole):
        place = dimension.snapped(u)
        assert dimension.value(place) == dimension.value(u)
        assert dimension.snapped(place) == pytest.approx(place, abs=1e-15)
    assert isinstance(whole.value(u), int)


def test_choices_have_equal_parts() -> None:
    some = Dimension("c", choices=(1e-3, 0.1, 10.0))
    found = [some.value(u) for u in np.linspace(0.001, 0.999, 999)]
    assert [found.count(v) for v in some.choices] == [333, 333, 333]


@pytest.mark.parametrize("pair", ["11", "12", "33"])
@pytest.mark.parametrize("upper", [True, False])
def test_at_the_threshold_the_invariant_mass_is_that_of_the_pair(pair: str, upper: bool) -> None:
    """And a distance in meV is the threshold of a neutrino heavier by that much."""
    experiment = build({})
    for shift in (0.0, 20.0):
        angle = np.deg2rad(threshold_deg(experiment, truth(), pair, upper=upper, shift_meV=shift))
        s = invariant_s(angle, experiment.layout.theta_e, experiment.target)
        m = masses(truth(50.0 + shift))
        expected = (m[int(pair[0]) - 1] + m[int(pair[1]) - 1]) ** 2
        assert float(s) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(DomainError, match="distance_meV"):
        threshold_deg(experiment, truth(), pair, shift_meV=-51.0)


def test_a_tied_window_follows_its_threshold() -> None:
    dimensions = [
        Dimension("layout.theta_e_deg", 140.0, 142.0),
        Dimension("window1.distance_deg", -2.0, 2.0),
    ]
    window = Window("window1", {"width_deg": 3.0, "points": 4.0}, pair="33")
    space = Space(dimensions, [window], build, truth())
    for u in (0.0, 0.4, 1.0):
        keys = space.keys([u, 0.75])
        moved = build({"layout.theta_e_deg": 140.0 + 2.0 * u})
        centre = threshold_deg(moved, truth(), "33") + 1.0
        expected = centre + np.array([-1.5, -0.5, 0.5, 1.5])
        assert keys["layout.theta_s_deg"] == pytest.approx(expected.tolist(), abs=1e-9)
        experiment = space.experiment([u, 0.75])
        assert np.rad2deg(experiment.layout.theta_s) == pytest.approx(expected.tolist(), abs=1e-9)


def test_two_windows_share_the_exposure_as_said() -> None:
    first = Window("window1", {"centre_deg": 100.0, "width_deg": 2.0, "points": 3.0})
    second = Window("window2", {"centre_deg": 50.0, "width_deg": 1.0, "points": 2.0})
    space = Space([Dimension("window1.share", 0.2, 0.8)], [first, second], build, truth())
    keys = space.keys([0.5])
    assert keys["layout.theta_s_deg"] == [49.5, 50.5, 99.0, 100.0, 101.0]
    shares = np.array(keys["detector.exposure_shares"])
    assert shares[:2].sum() == pytest.approx(0.5) and shares[2:].sum() == pytest.approx(0.5)
    assert shares[0] == shares[1] and np.ptp(shares[2:]) == 0.0


QUANTITIES = {"a": 2.0, "b": -3.0, "many": np.array([1.0, 5.0]), "layout.length_cm": 7.0}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a <= 2", True),
        ("a < 2", False),
        ("2 * a - b ** 2 / 3 >= 1", True),
        ("-b == 3", None),
        ("1 < a < 3", True),
        ("3 > a > 2.5", False),
        ("many >= 1", True),
        ("many > 1", False),
        ("many within [0, 5]", True),
        ("many within [0, 2 * a]", False),
        ("layout.length_cm - a within [5, 5]", True),
        ("a > 3 or b < 0", True),
        ("a > 3 and b < 0", False),
        ("1 / (a - 2) > 0", False),
        ("a ** 1e9 > 1", False),
        ("b ** 0.5 > 0", False),
    ],
)
def test_constraints_mean_what_they_say(text: str, holds: bool | None) -> None:
    if holds is None:
        with pytest.raises(DomainError):
            Constraint(text)
    else:
        assert Constraint(text).holds(QUANTITIES) is holds


def test_names_of_a_constraint() -> None:
    text = "a * layout.length_cm + many within [b, 3]"
    assert Constraint(text).names == {"a", "b", "many", "layout.length_cm"}
    assert Constraint("a < detector.pickup.radius_cm").names == {"a", "detector.pickup.radius_cm"}


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "a + 1", "a <", "__import__('os').system('x') < 1", "f(a) < 1", "a[0] < 1",
        "'a' < 1", "True < a", "a.b().c < 1", "(lambda: 1) < 2", "a if a else b < 1", "not a < 1",
        "a != 1", "a in b", "a < 1; b < 2", "a % 2 < 1", "a < 1j", "a := 1 < 2",
        "(" * 600 + "a" + ")" * 600 + " < 1", "+".join(["a"] * 240) + " < 1", "a within [1]",
        "a \x00 < 1", "{a: 1} < 1", "[x for x in a] < 1",
    ],
)  # fmt: skip
def test_nothing_else_is_a_constraint(text: str) -> None:
    with pytest.raises(DomainError, match="constraint"):
        Constraint(text)


def test_quantities_and_cost_of_the_papers_layout() -> None:
    """Against the numbers of the paper's layout worked out by hand."""
    experiment = build({"layout.theta_s_deg": [10.0, 10.5, 12.0]})
    known = quantities(experiment, {"window1.width_deg": 2.0, "kernel": "box"}, cost_with())
    assert known["volume_cm3"] == pytest.approx(2.0 * math.pi)
    assert known["total_power_mW"] == pytest.approx(12.001 * math.pi)
    assert known["peak_intensity_mW_cm2"] == 9.0
    assert known["min_spacing_deg"] == pytest.approx(0.5)
    assert known["angles"] == 3
    assert known["window1.width_deg"] == 2.0 and "kernel" not in known
    assert known["layout.theta_e_deg"] == known["theta_e_deg"] == pytest.approx(141.607)
    assert known["lasers.cycle_ms"] == 10.0
    expected = 0.1 * 2.0 * math.pi + 1.0 + 10.0 * 12.001e-3 * math.pi
    assert known["cost"] == pytest.approx(expected)
    dear = cost_with(per_angle=2.0, laser_per_W=0.0, beam_per_hour=0.0, crystal_per_cm3=0.0)
    assert dear(experiment) == 6.0


def test_the_allowed_share_is_an_area() -> None:
    """radius + length <= 2.75 over the square [0.5, 1.5] x log [1, 4]: an integral."""
    region = crystal_region("radius_cm + length_cm <= 2.75")
    u = (np.arange(20000) + 0.5) / 20000
    below = np.clip(np.log(2.75 - 0.5 - u) / np.log(4.0), 0.0, 1.0)
    found = region.share(np.random.SeedSequence(3), 512)
    assert found == pytest.approx(float(below.mean()), abs=0.01)


def test_a_region_that_is_empty_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region, "MOST_DRAWS", 50)
    empty = crystal_region("volume_cm3 <= 10", "volume_cm3 >= 1e3")
    for points in (empty.sobol, empty.uniform):
        said = r"none of 50 points does, \d+ of them for volume_cm3 >= 1e3"
        with pytest.raises(DomainError, match=said):
            next(points(np.random.SeedSequence(1)))


def test_a_region_without_a_study_names_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region, "MOST_DRAWS", 5)
    empty = crystal_region()

    def refused(x: object) -> None:
        raise ConfigError("layout.length_cm", 7.0, "< 5")

    monkeypatch.setattr(empty.space, "experiment_of", refused)
    with pytest.raises(DomainError, match=r"5 of them for layout.length_cm: got 7.0; allowed: < 5"):
        next(empty.sobol(np.random.SeedSequence(1)))


def test_sobol_points_are_allowed_and_fill_the_region() -> None:
    """The widest crystal of 4 cm^3 is the shortest one."""
    region = crystal_region("volume_cm3 <= 4")
    points = region.sobol(np.random.SeedSequence(2))
    found = np.array([next(points) for _ in range(64)])
    volumes = [region.space.experiment(x).layout.volume_cm3 for x in found]
    assert max(volumes) <= 4.0
    widest = math.sqrt(4.0 / math.pi) - 0.5
    assert widest - 0.06 < np.max(found[:, 0]) <= widest
    assert np.ptp(found[:, 1]) > 0.9


def test_starts_stand_where_physics_says() -> None:
    experiment = build({})
    window = Window("window1", {"width_deg": 4.0, "points": 5.0})
    space = Space([Dimension("window1.centre_deg", -60.0, 170.0)], [window], build, truth())
    centres = {
        round(space.values(x)["window1.centre_deg"], 6)
        for x in starts(Region(space, cost_with()), experiment, {})
    }
    edges = [threshold_deg(experiment, truth(), "33", upper=upper) for upper in (True, False)]
    expected = [float(np.rad2deg(phase_matched(experiment.target)[0])), *edges]
    assert centres == {round(angle, 6) for angle in expected}
    tight = Region(space, cost_with(), [Constraint("theta_s_deg within [0, 100]")])
    assert len(starts(tight, experiment, {})) == 1


def test_two_windows_start_at_both_edges() -> None:
    experiment = build({})
    windows = [Window(f"window{k}", {"width_deg": 4.0, "points": 5.0}) for k in (1, 2)]
    dimensions = [Dimension(f"{w.name}.centre_deg", -60.0, 170.0) for w in windows]
    space = Space(dimensions, windows, build, truth())
    first = space.values(starts(Region(space, cost_with()), experiment, {})[0])
    for name, upper in (("window1.centre_deg", False), ("window2.centre_deg", True)):
        assert first[name] == pytest.approx(threshold_deg(experiment, truth(), "33", upper=upper))


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9 > volume_cm3",
        "volume_cm3 < 1/0",
        "2 < 1",
        "volume_cm3 < 1e400",
        "volume_cm3 > (-9)**0.5",
    ],
)
def test_a_constraint_that_nothing_satisfies_is_refused_at_once(text: str) -> None:
    with pytest.raises(DomainError, match="to have a value, or be true"):
        Constraint(text)


def test_what_a_design_does_not_have_satisfies_nothing() -> None:
    """A c axis normal to the plane has no angle in it."""
    assert not Constraint("c_axis_deg <= 45").holds({"volume_cm3": 1.0})
