"""Pair densities against explicit four-momenta, anchors and identities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renp_infer.errors import DomainError
from renp_infer.physics.pairs._pair_kernels import planar_density, planar_slopes
from renp_infer.physics.pairs.densities import current_form, pair_density
from renp_infer.records import PAIR_INDEX, Layout, Switches
from tests import slow_twins

EPSILON = 1.5896
CURRENTS = ("parallel", "transverse")
MASSES = ((0.0, 0.0), (0.0, 0.05), (0.03, 0.0), (0.01, 0.01), (0.2, 0.2), (0.05, 0.4), (0.45, 0.45))


def axis_of(c_axis):
    return (0.0, 0.0, 1.0) if c_axis is None else (np.cos(c_axis), np.sin(c_axis), 0.0)


def form_of(c_axis, current):
    layout = Layout(1.0, 1.0, 2.0, np.array([1.0]), c_axis)
    return current_form(layout, Switches(current_axis=current))


def density(momentum, masses, c_axis=0.0, current="parallel", phase_space="full"):
    """One point of ``pair_density``: (density, partner)."""
    form = form_of(c_axis, current)
    found = pair_density(momentum[0], momentum[1], EPSILON, masses, form, phase_space)
    return np.array(found)[:, 0]


def momenta(rng, masses, count):
    """Random P inside the support, its neighbourhood of the edge included."""
    rim = np.sqrt(EPSILON**2 - sum(masses) ** 2)
    radius = rim * (1.0 - 10.0 ** rng.uniform(-3.0, 0.0, count))
    turn = rng.uniform(0.0, 2.0 * np.pi, count)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)


@pytest.mark.parametrize("current", CURRENTS)
@pytest.mark.parametrize("masses", MASSES)
def test_planar_density_is_the_trapezoid_over_the_rest_frame_angle(masses, current, rng):
    # the trapezoid's error at the two kinks of |p1y p2y| is (2 pi/40000)^2 = 2e-8
    for momentum in momenta(rng, masses, 4):
        c_axis = rng.uniform(0.0, np.pi)
        expected = slow_twins.planar_density(momentum, EPSILON, masses, axis_of(c_axis), current)
        found = density(momentum, masses, c_axis, current, "planar")
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("current", CURRENTS)
@pytest.mark.parametrize("masses", MASSES)
def test_full_density_is_the_average_over_the_rest_frame_sphere(masses, current, rng):
    # the bracket is quadratic in the direction: the product rule is exact, and
    # what is left is the rounding of s - (m_i + m_j)^2
    for momentum in momenta(rng, masses, 6):
        c_axis = rng.uniform(0.0, np.pi)
        expected = slow_twins.full_density(
            (*momentum, 0.0), EPSILON, masses, axis_of(c_axis), current
        )
        found = density(momentum, masses, c_axis, current, "full")
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("current", CURRENTS)
@pytest.mark.parametrize("phase_space", ("planar", "full"))
def test_c_axis_normal_to_the_plane_of_the_lasers(phase_space, current, rng):
    twin = {"planar": slow_twins.planar_density, "full": slow_twins.full_density}[phase_space]
    masses = (0.05, 0.2)
    for momentum in momenta(rng, masses, 3):
        vector = momentum if phase_space == "planar" else (*momentum, 0.0)
        expected = twin(vector, EPSILON, masses, axis_of(None), current)
        found = density(momentum, masses, None, current, phase_space)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_in_a_plane_a_normal_current_sees_no_momentum():
    # case (3) of the paper: the term 2 (p1.c)(p2.c) drops out
    masses = (0.02, 0.1)
    for momentum in ((0.3, 0.4), (-1.1, 0.2), (0.0, 0.9)):
        along, across, normal = (
            density(momentum, masses, axis, "parallel", "planar")[0]
            for axis in (0.0, 0.5 * np.pi, None)
        )
        energies, isotropic = slow_products(momentum, masses)
        # 2 p1z p2z + 2 p1y p2y = 2 p1.p2: the two axes average to E1 E2 alone
        assert 0.5 * (along + across) == pytest.approx(energies, rel=1e-6)
        assert normal == pytest.approx(isotropic, rel=1e-6)


def slow_products(momentum, masses):
    """Planar integrals of E1 E2 and of E1 E2 - p1.p2 from explicit momenta."""
    t = 2.0 * np.pi * (np.arange(20_000) + 0.5) / 20_000
    direction = np.stack([np.cos(t), np.sin(t)], axis=1)
    p_1, p_2, e_1, e_2 = slow_twins.decay(
        np.tile(momentum, (t.size, 1)), EPSILON, masses, direction
    )
    root = np.sqrt(EPSILON**2 - np.dot(momentum, momentum))
    measure = np.abs(p_1[:, 1] * p_2[:, 1]) / root * (2.0 * np.pi / t.size)
    return measure @ (e_1 * e_2), measure @ (e_1 * e_2 - np.sum(p_1 * p_2, axis=1))


def test_anchors_at_rest():
    # physics.md quotes five digits
    at_rest = (0.0, 0.0), (0.01, 0.01)
    assert density(*at_rest, phase_space="planar")[0] == pytest.approx(1.1828, abs=5e-5)
    assert density(*at_rest, phase_space="full")[0] == pytest.approx(5.2915, abs=5e-5)


@pytest.mark.parametrize("masses", MASSES)
def test_closed_form_for_any_orientation(masses, rng):
    """Brackets of the two-body reduction, from lambda and d alone."""
    m_i, m_j = masses
    for p_z, p_y in momenta(rng, masses, 5):
        s = EPSILON**2 - p_z**2 - p_y**2
        lam = (s - (m_i + m_j) ** 2) * (s - (m_i - m_j) ** 2)
        d = (m_i**2 - m_j**2) / s
        a, b = lam / (12.0 * s), (1.0 - d * d) / 4.0 - lam / (12.0 * s * s)
        phi = 2.0 * np.pi * np.sqrt(lam) / s
        c_axis = rng.uniform(0.0, np.pi)
        along = p_z * np.cos(c_axis) + p_y * np.sin(c_axis)
        parallel = 2.0 * a + b * s + 2.0 * b * along**2
        transverse = 2.0 * a + b * (EPSILON**2 - along**2)
        for current, expected in zip(CURRENTS, (parallel, transverse), strict=True):
            found, partner = density((p_z, p_y), masses, c_axis, current)
            assert found == pytest.approx(phi * expected, rel=1e-10)
            assert partner == pytest.approx(phi, rel=1e-10)


def test_both_currents_agree_when_summed_over_a_frame(rng):
    # with Y = p1.p2: 3 (E1 E2 - Y) + 2 Y = 3 E1 E2 - Y in either case
    masses = (0.1, 0.3)
    for momentum in momenta(rng, masses, 5):
        frame = (0.3, 0.3 + 0.5 * np.pi, None)
        for phase_space in ("planar", "full"):
            parallel = [density(momentum, masses, c, "parallel", phase_space)[0] for c in frame]
            transverse = [density(momentum, masses, c, "transverse", phase_space)[0] for c in frame]
            assert sum(parallel) == pytest.approx(sum(transverse), rel=1e-12)


def test_zero_beyond_the_threshold_and_a_known_step_at_it():
    for masses in ((0.05, 0.05), (0.02, 0.3), (0.4, 0.4)):
        q_0 = sum(masses)
        rim = np.sqrt(EPSILON**2 - q_0**2)
        for turn in (0.2, 1.5, -2.0):
            unit = np.array([np.cos(turn), np.sin(turn)])
            for phase_space in ("planar", "full"):
                outside = density((rim + 1e-9) * unit, masses, phase_space=phase_space)
                np.testing.assert_array_equal(outside, 0.0)
            # both neutrinos move at the pair's velocity: a step in the plane
            product = masses[0] * masses[1]
            step = 2.0 * np.pi / q_0 * product / q_0**2 * (rim * unit[1]) ** 2
            bracket = product * (1.0 + 2.0 * (rim * unit[0] / q_0) ** 2)
            inside = (rim - 1e-9) * unit
            found = density(inside, masses, phase_space="planar")
            # the approach is sqrt(excess/q0^2), about 6e-4 at 1e-9 eV
            np.testing.assert_allclose(found, [step * bracket, step], rtol=5e-3)
            # in three dimensions it is a square root
            near, far = (
                density((rim - x) * unit, masses, phase_space="full")[1] for x in (1e-10, 1e-8)
            )
            assert far / near == pytest.approx(10.0, rel=1e-3)


@pytest.mark.parametrize("phase_space", ("planar", "full"))
@pytest.mark.parametrize("masses", MASSES)
def test_continuous_inside_the_support(phase_space, masses):
    """Halving the step halves the largest jump: no step hides at a sign change."""
    rim = np.sqrt(EPSILON**2 - sum(masses) ** 2)
    form = form_of(0.4, "parallel")
    for turn in (0.0, 0.7, 0.5 * np.pi):
        jumps = []
        for count in (2001, 4001):
            r = np.linspace(-0.97, 0.97, count) * rim
            values = pair_density(
                r * np.cos(turn), r * np.sin(turn), EPSILON, masses, form, phase_space
            )
            jumps.append([np.abs(np.diff(v)).max() for v in values])
        np.testing.assert_allclose(jumps[1], 0.5 * np.array(jumps[0]), rtol=0.02, atol=1e-12)


@pytest.mark.parametrize("masses", [m for m in MASSES if min(m) > 0.0])
def test_planar_slopes_are_the_derivatives(masses, rng):
    """Fourth-order central differences, with an allowance for rounding."""
    m_i, m_j = masses
    for momentum in momenta(rng, masses, 4):
        czz, czy, cyy = rng.normal(size=3)
        at = np.array([*momentum, m_i**2, m_j**2])
        edge = EPSILON**2 - momentum @ momentum - sum(masses) ** 2

        def value(x, c=(czz, czy, cyy)):
            s = EPSILON**2 - x[0] ** 2 - x[1] ** 2
            excess = s - (np.sqrt(x[2]) + np.sqrt(x[3])) ** 2
            return np.array(planar_density(x[0], x[1], s, excess, x[2], x[3], *c))

        s = EPSILON**2 - momentum @ momentum
        out = np.empty((4, 2))
        same = planar_slopes(*momentum, s, edge, m_i**2, m_j**2, czz, czy, cyy, out)
        np.testing.assert_allclose(same, value(at), rtol=1e-13)
        for row in range(4):
            h = 1e-4 * min(edge, at[row] if row > 1 else 1.0)
            step = h * np.eye(4)[row]
            near, far = (
                value(at + step) - value(at - step),
                value(at + 2 * step) - value(at - 2 * step),
            )
            expected = (8.0 * near - far) / (12.0 * h)
            noise = 1e-13 * np.abs(value(at)) / h
            np.testing.assert_allclose(out[row], expected, rtol=1e-6, atol=noise.max())


def test_exchange_of_the_two_neutrinos(rng):
    for masses in ((0.0, 0.3), (0.01, 0.2)):
        for momentum in momenta(rng, masses, 5):
            for phase_space in ("planar", "full"):
                one = density(momentum, masses, 0.3, "parallel", phase_space)
                two = density(momentum, masses[::-1], 0.3, "parallel", phase_space)
                np.testing.assert_allclose(one, two, rtol=1e-11)


@pytest.mark.parametrize("bad", [(-1e-9, 0.1), (0.1, np.nan), (np.inf, 0.1)])
def test_masses_out_of_range_are_refused(bad):
    with pytest.raises(DomainError, match="pair_masses"):
        density((0.1, 0.1), bad)


@st.composite
def prior_points(draw):
    """A pair of masses of the prior box, a momentum, an orientation."""
    lightest = draw(st.floats(0.0, 0.45))
    solar, atmospheric = draw(st.floats(6e-5, 9e-5)), draw(st.floats(2.3e-3, 2.7e-3))
    squares = [lightest**2, lightest**2 + solar, lightest**2 + atmospheric]
    if draw(st.booleans()):
        squares = [lightest**2 + atmospheric - solar, lightest**2 + atmospheric, lightest**2]
    i, j = draw(st.sampled_from(PAIR_INDEX))
    masses = float(np.sqrt(squares[i])), float(np.sqrt(squares[j]))
    radius, turn = draw(st.floats(0.0, 2.4)), draw(st.floats(-np.pi, np.pi))
    c_axis = draw(st.one_of(st.none(), st.floats(0.0, np.pi)))
    return masses, (radius * np.cos(turn), radius * np.sin(turn)), c_axis


@given(prior_points(), st.sampled_from(CURRENTS), st.sampled_from(("planar", "full")))
def test_density_over_the_prior_box(point, current, phase_space):
    masses, momentum, c_axis = point
    value, partner = density(momentum, masses, c_axis, current, phase_space)
    assert np.isfinite([value, partner]).all()
    if EPSILON**2 - np.dot(momentum, momentum) <= sum(masses) ** 2:
        assert value == 0.0 and partner == 0.0
        return
    # a spin-one current cannot bring fermions below E1 E2 - |p1||p2| >= m_i m_j
    floor = masses[0] * masses[1] * partner
    assert partner >= 0.0
    assert value >= floor * (1.0 - 1e-9) - 1e-13
