"""What holds a design: a range, a key's own limit, a constraint; directions go round."""

from pathlib import Path

import numpy as np
import pytest

from renp_infer.design.searches.bounds import Bound, bounds_of
from renp_infer.design.searches.search import Trial
from renp_infer.design.spaces.constraints import Constraint
from renp_infer.design.spaces.region import Region
from renp_infer.design.spaces.space import Dimension, Space, Window
from renp_infer.study.designing import region_of
from renp_infer.study.load import load_study
from tests.toys.design import build, crystal_region, truth
from tests.toys.settings import cost_with

STUDY = """schema = 1
name = "limits"
[lasers]
chi_squared = 1e-3
[optimize.vary]
"layout.length_cm" = { low = 1.0, high = 20.0 }
[[optimize.windows]]
centre_deg = { low = -360.0, high = 360.0 }
width_deg = { low = 1.0, high = 30.0 }
points = 5
"""


def at(region: Region, **values: float) -> Trial:
    named = {k.replace("__", "."): v for k, v in values.items()}
    x = region.space.point(named)
    return Trial("search", tuple(x.tolist()), region.space.values(x), {"eig_m1": 1.0}, {})


def limits(tmp_path: Path) -> Region:
    path = tmp_path / "limits.toml"
    path.write_text(STUDY)
    return region_of(load_study(path))


def test_a_keys_own_limit_is_named_and_is_not_the_range(tmp_path: Path) -> None:
    """No crystal is longer than 20 cm, wherever a range may end."""
    region = limits(tmp_path)
    [found] = bounds_of(region, at(region, layout__length_cm=20.0, window1__centre_deg=100.0))
    assert (found.name, found.side, found.by) == ("layout.length_cm", "upper", "limit")
    assert found.what == "layout.length_cm: a finite number >= 0.001 and <= 20 in cm"
    [found] = bounds_of(region, at(region, layout__length_cm=1.0, window1__centre_deg=100.0))
    assert found == Bound("layout.length_cm", "lower", "range", "1")


def test_no_angle_holds_a_window(tmp_path: Path) -> None:
    """Neither +-180 nor the last that a key may be: a window beyond is written a turn off."""
    region = limits(tmp_path)
    values = {"layout__length_cm": 5.0, "window1__width_deg": 10.0}
    for centre in (-354.0, -180.0, 180.0, 354.0):
        trial = at(region, window1__centre_deg=centre, **values)
        assert bounds_of(region, trial) == ()
        turned = np.deg2rad(np.linspace(centre - 5.0, centre + 5.0, 5))
        theta_s = region.space.experiment(trial.x).layout.theta_s
        assert np.allclose(np.exp(1j * theta_s), np.exp(1j * turned), rtol=0.0, atol=1e-12)
    [found] = bounds_of(region, at(region, window1__centre_deg=360.0, **values))
    assert found == Bound("window1.centre_deg", "upper", "range", "360")


def test_a_constraint_that_holds_is_named_with_its_side() -> None:
    region = crystal_region("radius_cm <= 1.2", "length_cm >= 1.01")
    near = at(region, layout__radius_cm=1.195, layout__length_cm=1.012)
    assert bounds_of(region, near) == (
        Bound("layout.radius_cm", "upper", "constraint", "radius_cm <= 1.2"),
        Bound("layout.length_cm", "lower", "constraint", "length_cm >= 1.01"),
    )
    assert bounds_of(region, near, {"layout.length_cm": "own"})[0].name == "layout.radius_cm"
    assert bounds_of(region, at(region, layout__radius_cm=1.1, layout__length_cm=2.0)) == ()


def test_all_that_is_broken_is_a_reason() -> None:
    """Most points break the second constraint, which the first hid where both are broken."""
    region = crystal_region("radius_cm <= 1.0", "length_cm <= 0.5")
    refusal = region.judged({"layout.radius_cm": 1.2, "layout.length_cm": 2.0})
    assert refusal.what == ("radius_cm <= 1.0", "length_cm <= 0.5")  # type: ignore[union-attr]
    assert refusal.text == "radius_cm <= 1.0 and length_cm <= 0.5"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "angles", "holds"),
    [
        ("theta_s_deg within [170, 190]", [-175.0, 180.0, 189.0], True),
        ("theta_s_deg within [170, 190]", [-169.0], False),
        ("theta_s_deg within [-30, 30]", [350.0, 10.0], True),
        ("theta_s_deg within [0, 175]", [0.0, 175.0], True),
        ("theta_s_deg within [0, 175]", [-0.5], False),
        ("layout.theta_s_deg within [0, 175]", [-190.0], True),
        ("-180 <= theta_s_deg < 180", [0.0, 540.0], True),
        ("theta_s_deg >= 20", [-175.0], False),
        ("length_cm within [1, 3]", [361.5], False),
    ],
)
def test_full_turns_do_not_matter_within_two_directions(
    text: str, angles: list[float], holds: bool
) -> None:
    known = dict.fromkeys(("theta_s_deg", "layout.theta_s_deg", "length_cm"), np.array(angles))
    assert Constraint(text).holds(known) is holds


def test_two_windows_on_both_sides_of_the_half_turn_are_within_a_turn() -> None:
    """The same directions, in the order of the circle."""
    windows = [
        Window(f"window{k}", {"width_deg": 20.0, "points": 3, "centre_deg": centre})
        for k, centre in enumerate((-176.0, 173.0), 1)
    ]
    space = Space([Dimension("layout.length_cm", 1.0, 2.0)], windows, build, truth())
    found = np.array(space.keys_of({"layout.length_cm": 1.0})["layout.theta_s_deg"])
    assert found.tolist() == [163.0, 173.0, 174.0, 183.0, 184.0, 194.0]
    assert Region(space, cost_with()).admits([0.5])
