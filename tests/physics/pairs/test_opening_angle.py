"""Opening angles: totals, the closed form of a small smear, kinematic limits."""

import numpy as np
import pytest

from renp_infer.errors import DomainError
from renp_infer.physics.constants import CM_TO_PER_EV
from renp_infer.physics.pairs.form_factor import pair_integrals
from renp_infer.physics.pairs.kinematics import mismatch, phase_matched
from renp_infer.physics.pairs.opening_angle import opening_angles
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Accuracy, Detector, Experiment, Lasers, Layout, Switches
from tests.slow_twins import LORENTZ_WIDTH, decay

TARGET = load_target("er-ylf")
MATCHED, THETA_E = phase_matched(TARGET)


def experiment(preset: str, length: float = 2.0, c_axis: float | None = 0.0) -> Experiment:
    layout = Layout(length, length / 2, THETA_E, np.array([MATCHED]), c_axis)
    return Experiment(TARGET, layout, Lasers(), Detector(), PRESETS[preset], Accuracy(1e-5))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("turn", [0.0, 0.5, 1.45])
@pytest.mark.parametrize(("length", "c_axis"), [(2.0, 0.0), (0.01, 0.4), (0.01, None)])
def test_the_samples_add_up_to_the_pair_integral(preset, turn, length, c_axis) -> None:
    setup, theta = experiment(preset, length, c_axis), MATCHED + turn
    found = opening_angles(setup, (0.01, 0.05), theta)
    direct = pair_integrals(setup, np.array([0.01, 0.05, 0.05]), np.array([theta])).a_eV5[1, 0]
    assert found.total_eV5 == pytest.approx(direct, rel=1e-3, abs=0.0)


def test_phase_matched_planar_pairs_follow_a_cauchy_law() -> None:
    """At w = 0 a pair along n opens by K.n_perp / p*: a sum of two Lorentzian variables."""
    mass = 0.01
    found = opening_angles(experiment("published"), (mass, mass), MATCHED)
    turn = np.linspace(0.0, 2.0 * np.pi, 4000, endpoint=False)
    rest = np.sqrt(TARGET.epsilon_ep**2 / 4 - mass**2)
    cosine, sine = np.abs(np.cos(turn)), np.abs(np.sin(turn))
    size = CM_TO_PER_EV
    width = (2.0 / (2.0 * size) * sine + LORENTZ_WIDTH / size * cosine) / rest
    weight = sine**2 * (TARGET.epsilon_ep**2 / 2 - mass**2 - 2.0 * rest**2 * cosine**2)
    for limit in (1e-5, 1e-4, 1e-3):
        inside = np.abs(found.offset) < limit
        share = found.share_eV5[inside].sum() / found.total_eV5
        law = np.average(2.0 / np.pi * np.arctan(limit / width), weights=weight)
        assert share == pytest.approx(law, abs=1e-3)
    edges = np.array([-1e-4, 0.0, 1e-4])
    left, right = found.density(edges)
    assert left == pytest.approx(right, rel=0.01)
    assert (left + right) * 1e-4 == pytest.approx(
        found.share_eV5[np.abs(found.offset) < 1e-4].sum(), rel=1e-3
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_away_from_phase_matching_the_boost_sets_the_angle(preset) -> None:
    """A large crystal leaves P = w: the largest opening is along P, the smallest across it."""
    theta = MATCHED + 0.8
    found = opening_angles(experiment(preset, 10.0), (0.3, 0.3), theta)
    momentum = np.array([*np.ravel(mismatch(theta, THETA_E, TARGET)), 0.0])
    axis = momentum / np.linalg.norm(momentum)
    across = np.array([-axis[1], axis[0], 0.0])
    one, two, *_ = decay(momentum[None], TARGET.epsilon_ep, (0.3, 0.3), across[None])
    smallest = np.arccos((one @ two.T)[0, 0] / np.linalg.norm(one) / np.linalg.norm(two))
    opening = np.pi - np.abs(found.offset)
    inside = found.share_eV5[opening < smallest - 1e-3].sum() / found.total_eV5
    assert inside < 1e-3
    assert opening[np.abs(opening - smallest) < 0.02].size > 100


def test_a_bigger_crystal_is_more_back_to_back() -> None:
    widths = [
        opening_angles(experiment("published", length), (0.01, 0.01), MATCHED).width()
        for length in (0.5, 5.0)
    ]
    assert widths[0] / widths[1] == pytest.approx(10.0, rel=1e-3)


def test_what_has_no_distribution_is_refused() -> None:
    setup = experiment("published")
    with pytest.raises(DomainError, match="pair_masses"):
        opening_angles(setup, (-0.1, 0.1), MATCHED)
    full = Switches(phase_space="full")
    setup = Experiment(TARGET, setup.layout, Lasers(), Detector(), full)
    with pytest.raises(DomainError, match="form_factor"):
        opening_angles(setup, (0.1, 0.1), MATCHED)
