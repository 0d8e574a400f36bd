"""Mismatch, phase matching and thresholds against numbers and brute force."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.optimize import brentq

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.physics.neutrinos import load_oscillation, make_parameters, masses
from renp_infer.physics.pairs import kinematics as kin
from renp_infer.physics.targets.refraction import Sellmeier, Uniaxial
from renp_infer.physics.targets.scheme import read_scheme
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PAIR_INDEX
from renp_infer.target import Target

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


PHOTONS = (ER.omega_1, ER.omega_2, ER.omega_s)
RAYS, YLF = read_scheme("er-ylf").sellmeier, read_scheme("er-ylf").host.at(PHOTONS)
GLASS = Uniaxial(*(Sellmeier(1.45**2, (0.0,), (0.0,), (0.1, 10.0)),) * 2).at(PHOTONS)
MEAN = dataclasses.replace(
    ER, refractive_index=float(np.mean([RAYS["ordinary"].index(w) for w in (1.286, 1.1086, 0.805)]))
)
"""The one index of a scheme that gives none: the mean ordinary one."""


@pytest.mark.parametrize("ray", ["in-plane", "out-of-plane"])
@pytest.mark.parametrize("c_axis", [None, 0.7])
def test_without_dispersion_or_birefringence_beams_change_nothing(c_axis, ray):
    beams = kin.Beams(GLASS, c_axis, (ray, ray, ray))
    angles = np.linspace(-3.0, 3.0, 13)
    for one, two in zip(
        kin.mismatch(angles, 2.1, ER, beams), kin.mismatch(angles, 2.1, ER), strict=True
    ):
        np.testing.assert_allclose(one, two, atol=1e-15)
    assert kin.phase_matched(ER, beams) == pytest.approx(kin.phase_matched(ER), abs=1e-14)
    theta_e = kin.phase_matched(ER)[1]
    assert kin.threshold_angles(0.1, ER, theta_e, beams) == pytest.approx(
        tuple(float(x) for x in kin.threshold_angles(0.1, ER, theta_e)), abs=1e-12
    )


def test_momentum_of_the_pair_is_the_sum_of_three_photons_each_with_its_index():
    """The trigger extraordinary at an angle to c, the others by hand from their ellipsoids."""
    c, theta_e = 0.4, 2.3
    beams = kin.Beams(YLF, c, ("extraordinary", "in-plane", "in-plane"))
    n_o = {w: RAYS["ordinary"].index(w) for w in (1.286, 1.1086, 0.805)}
    n_e = {w: RAYS["extraordinary"].index(w) for w in (1.286, 1.1086, 0.805)}

    def photon(w, angle):
        """k from k_z^2 / n_o^2 + k_x^2 / n_e^2 = w^2 in the frame of c."""
        direction = vector(1.0, angle - c)
        n = 1.0 / math.sqrt((direction[0] / n_o[w]) ** 2 + (direction[1] / n_e[w]) ** 2)
        return vector(n * w, angle)

    for theta_s in np.linspace(-3.0, 3.0, 7):
        expected = photon(1.286, 0.0) + photon(1.1086, theta_e) - photon(0.805, theta_s)
        found = kin.mismatch(theta_s, theta_e, ER, beams)
        np.testing.assert_allclose(found, expected, atol=1e-14)


def test_c_across_the_plane_makes_all_directions_alike():
    beams = kin.Beams(YLF, None, ("in-plane", "out-of-plane", "out-of-plane"))
    n = [RAYS["ordinary"].index(1.286), *(RAYS["extraordinary"].index(w) for w in (1.1086, 0.805))]
    w = kin.mismatch(0.9, 2.0, ER, beams)
    expected = n[0] * vector(1.286, 0.0) + n[1] * vector(1.1086, 2.0) - n[2] * vector(0.805, 0.9)
    np.testing.assert_allclose(w, expected, atol=1e-14)


@pytest.mark.parametrize("c_axis", [0.0, 0.8, -0.5, None])
@pytest.mark.parametrize("trigger", ["ordinary", "extraordinary"])
def test_momenta_close_where_beams_are_phase_matched(c_axis, trigger):
    beams = kin.Beams(YLF, c_axis, ("ordinary", "extraordinary", trigger))
    theta_s, theta_e = kin.phase_matched(ER, beams)
    assert 0.0 < theta_s < theta_e < math.pi
    assert np.abs(kin.mismatch(theta_s, theta_e, ER, beams)).max() < 1e-12


def test_momenta_that_do_not_close_or_settle_are_refused(monkeypatch):
    beams = kin.Beams(YLF, 0.8, ("ordinary", "ordinary", "extraordinary"))
    with pytest.raises(DomainError, match="momenta"):
        kin.phase_matched(scheme(2.0, 0.6, 0.7), beams)
    monkeypatch.setattr(kin, "_STEPS", 2)
    with pytest.raises(ConvergenceError, match="phase-matched"):
        kin.phase_matched(ER, beams)


@pytest.mark.parametrize("c_axis", [0.0, 0.8, None])
@pytest.mark.parametrize("trigger", ["in-plane", "out-of-plane"])
def test_edges_of_polarised_beams_against_a_scan(c_axis, trigger):
    beams = kin.Beams(YLF, c_axis, ("out-of-plane", "in-plane", trigger))
    theta_e, mass = 2.4715, 0.1
    lower, upper = kin.threshold_angles(mass, ER, theta_e, beams)
    grid = np.radians(np.arange(-180.0, 180.0, 0.01))
    w_l, w_t = kin.mismatch(grid, theta_e, ER, beams)
    inside = grid[ER.epsilon_ep**2 - w_l**2 - w_t**2 > mass**2]
    assert math.degrees(inside[-1] - upper) == pytest.approx(0.0, abs=0.011)
    assert math.degrees(inside[0] - lower) == pytest.approx(0.0, abs=0.011)


def test_an_in_plane_trigger_moves_the_edge_by_0_30_degrees():
    """c along k1, the paper's layout: one index would read 78 meV where m1 is 50."""
    theta_e = kin.phase_matched(ER)[1]
    plain = float(kin.threshold_angles(0.1, MEAN, theta_e)[1])
    own = kin.threshold_angles(0.1, ER, theta_e, kin.Beams(YLF))
    turned = kin.threshold_angles(
        0.1, ER, theta_e, kin.Beams(YLF, 0.0, ("out-of-plane", "out-of-plane", "in-plane"))
    )
    assert math.degrees(turned[1] - plain) == pytest.approx(-0.30, abs=0.01)
    assert math.degrees(turned[1] - own[1]) == pytest.approx(-0.27, abs=0.005)
    read = brentq(
        lambda m: float(kin.threshold_angles(2.0 * m, MEAN, theta_e)[1]) - turned[1], 0.05, 0.2
    )
    assert 1e3 * read == pytest.approx(78.0, abs=1.0)


def test_a_host_needs_both_formulas():
    assert read_scheme("er-cs2nayf6").host is None


def test_no_edge_is_nan_and_impossible_masses_are_refused():
    beams = kin.Beams(YLF)
    assert np.isnan(kin.threshold_angles(1.7, ER, 2.47, beams)).all()
    with pytest.raises(DomainError, match="m_sum_eV"):
        kin.threshold_angles(math.nan, ER, 2.47, beams)
