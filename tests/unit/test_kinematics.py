"""Mismatch, phase matching and thresholds against numbers and brute force."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.optimize import brentq

from renp_infer.errors import DomainError
from renp_infer.physics import kinematics as kin
from renp_infer.physics.neutrinos import load_oscillation, make_parameters, masses
from renp_infer.physics.target import load_target
from renp_infer.records import PAIR_INDEX, Target

ER = load_target("er-ylf")


def scheme(one, two, trigger, index=1.45):
    return Target("x", one, two, trigger, index, 1e19, 57.0, 5.9)


def vector(length, angle):
    return length * np.array([math.cos(angle), math.sin(angle)])


def test_phase_matching_of_the_erbium_scheme():
    theta_s, theta_e = kin.phase_matched(ER)
    assert math.cos(theta_s) == pytest.approx(0.51816, abs=5e-6)
    assert math.cos(theta_e) == pytest.approx(-0.78377, abs=5e-6)
    assert math.degrees(theta_s) == pytest.approx(58.791, abs=5e-4)
    assert math.degrees(theta_e) == pytest.approx(141.607, abs=5e-4)


def test_mismatch_vanishes_there_for_any_scheme():
    rng = np.random.default_rng(11)
    closed = 0
    for one, two, trigger in rng.uniform(0.3, 2.0, (200, 3)):
        target = scheme(one, two, trigger)
        if 2.0 * max(one, two, trigger) > one + two + trigger:
            with pytest.raises(DomainError, match="omega"):
                kin.phase_matched(target)
            continue
        closed += 1
        theta_s, theta_e = kin.phase_matched(target)
        w = kin.mismatch(theta_s, theta_e, target)
        assert np.abs(w).max() < 1e-14 * 10.0
        mirrored = kin.mismatch(-theta_s, -theta_e, target)
        assert np.abs(mirrored).max() < 1e-14 * 10.0
    assert 50 < closed < 150


def test_mismatch_is_the_vector_sum_of_the_beams():
    """n (k1 + k2 - ks); Eq. (20) prints w_l for the transverse component."""
    theta_e = 2.1
    theta_s = np.linspace(-3.0, 3.0, 7)
    w_l, w_t = kin.mismatch(theta_s, theta_e, ER)
    for n, angle in enumerate(theta_s):
        beams = vector(1.286, 0.0) + vector(1.1086, theta_e) - vector(0.805, angle)
        np.testing.assert_allclose((w_l[n], w_t[n]), 1.45 * beams, atol=1e-14)


def test_shapes_follow_the_angles():
    w_l, w_t = kin.mismatch(np.zeros((2, 3)), 1.0, ER)
    assert w_l.shape == w_t.shape == (2, 3)
    assert kin.invariant_s(np.zeros((2, 3)), 1.0, ER).shape == (2, 3)


def test_one_step_of_the_paper_moves_the_mismatch_by_7_meV():
    theta_s, theta_e = kin.phase_matched(ER)
    w = kin.mismatch(theta_s + math.radians(0.36), theta_e, ER)
    assert 1e3 * np.hypot(*w) == pytest.approx(7.0, abs=0.5)


def test_edges_of_the_paper_layout():
    """Distances from 58.79 degrees, m1 = 10 meV, normal ordering, NuFIT 6.0."""
    p = make_parameters(0.01, "normal", "dirac", 0, 0, 0, load_oscillation("nufit-6.0"))
    m = masses(p)
    theta_s, theta_e = kin.phase_matched(ER)
    sums = [m[i] + m[j] for i, j in PAIR_INDEX]
    lower, upper = kin.threshold_angles(sums, ER, theta_e)
    expected = [85.822, 85.819, 85.816, 85.752, 85.743, 85.610]
    np.testing.assert_allclose(np.degrees(upper - theta_s), expected, atol=6e-4)
    np.testing.assert_allclose(np.degrees(theta_s - lower), expected, atol=6e-4)


def test_thresholds_against_brute_root_finding():
    """Every sign change of s - M^2 on a full turn is found, and nothing else."""
    rng = np.random.default_rng(5)
    grid_size, crossed = 4001, 0
    for _ in range(300):
        target = scheme(*rng.uniform(0.4, 1.6, 3), index=rng.uniform(1.0, 2.0))
        if target.epsilon_ep <= 0.0:
            continue
        theta_e, mass = rng.uniform(-math.pi, math.pi), rng.uniform(0.0, 1.2)

        def excess(angle, target=target, theta_e=theta_e, mass=mass):
            return float(kin.invariant_s(angle, theta_e, target)) - mass**2

        grid = np.linspace(-math.pi, math.pi, grid_size)
        values = kin.invariant_s(grid, theta_e, target) - mass**2
        starts = np.flatnonzero(np.diff(np.sign(values)))
        roots = [brentq(excess, grid[n], grid[n + 1], xtol=1e-14) for n in starts]
        edges = np.array(kin.threshold_angles(mass, target, theta_e))
        if not roots:
            assert np.isnan(edges).all()
            continue
        crossed += 1
        wrapped = np.sort(np.angle(np.exp(1j * edges)))
        np.testing.assert_allclose(wrapped, np.sort(roots), atol=1e-7)
        # from the lower edge upwards, across the half turn if need be
        middle = edges[0] + 0.5 * ((edges[1] - edges[0]) % (2.0 * math.pi))
        assert excess(middle) > 0.0 > excess(middle + math.pi)
    assert crossed > 60


def test_never_crossed_is_nan_on_both_sides_of_always_and_never():
    theta_e = kin.phase_matched(ER)[1]
    always = dataclasses.replace(ER, refractive_index=0.1)
    assert np.isnan(kin.threshold_angles(0.1, always, theta_e)).all()
    assert float(kin.invariant_s(0.0, theta_e, always)) > 0.1**2
    lower, upper = kin.threshold_angles([0.1, 1.7], ER, theta_e)
    assert np.isfinite(lower[0]) and np.isnan(lower[1]) and np.isnan(upper[1])
    assert float(kin.invariant_s(0.0, theta_e, ER)) < 1.7**2


def test_counter_propagating_beams_of_equal_energy_have_no_threshold():
    target = scheme(1.0, 1.0, 0.4)
    assert np.isnan(kin.threshold_angles(0.1, target, math.pi)).all()


def test_index_of_refraction_scales_the_mismatch_only():
    dense = dataclasses.replace(ER, refractive_index=1.9)
    ratio = np.array(kin.mismatch(0.4, 2.0, dense)) / np.array(kin.mismatch(0.4, 2.0, ER))
    np.testing.assert_allclose(ratio, 1.9 / 1.45)


@pytest.mark.parametrize("mass", [-0.1, math.nan, math.inf])
def test_impossible_mass_sums_are_refused(mass):
    with pytest.raises(DomainError, match="m_sum_eV"):
        kin.threshold_angles([0.1, mass], ER, 2.0)
