"""Crystal integrals against direct integration, limits and their own errors."""

import numpy as np
import pytest
import vegas
from scipy.integrate import quad, simpson
from scipy.special import ellipe, ellipk, j1, struve

from renp_infer.errors import DomainError
from renp_infer.physics.constants import CM_TO_PER_EV
from renp_infer.physics.pairs import _crystal_kernels as crystal_kernels
from renp_infer.physics.pairs import _form_kernels as form_kernels
from renp_infer.physics.pairs import _plane_kernels as plane_kernels
from renp_infer.physics.pairs.form_factor import PairIntegrals, pair_integrals
from renp_infer.physics.pairs.kinematics import phase_matched
from renp_infer.physics.targets.target import load_target
from renp_infer.records import Accuracy, Detector, Experiment, Lasers, Layout, Switches
from tests import slow_twins

EPSILON = 1.5896
MICROMETRE = 1e-4 * CM_TO_PER_EV
ALONG = np.array([2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 1.0])
TILT = 0.7
NEVER = np.full(2, 400.0)
METHODS = ((True, True), (True, False), (False, False), (False, True))
"""(planar, lorentzian)."""


def form_of(c_axis, current):
    axis = np.array([np.cos(c_axis), np.sin(c_axis), 0.0])
    outer = np.outer(axis, axis)
    form = 2.0 * outer if current == "parallel" else np.eye(3) - outer
    quadratic = [form[0, 0], form[0, 1], form[1, 1], form[2, 2]]
    return np.array([*quadratic, np.trace(form), 0.0, 0.0, 1.0]), axis


def point(planar, lorentzian, w, crystal, masses, form=ALONG, rtol=1e-4):
    return crystal_kernels.crystal_point(
        planar, lorentzian, *w, *crystal, EPSILON, np.array(masses), form, rtol
    )


def reference(planar, lorentzian, w, crystal, masses, form=ALONG, rtol=1e-6, cut=NEVER):
    return plane_kernels.plane_integral(
        planar, lorentzian, *w, *crystal, EPSILON, np.array(masses), form, cut, rtol, 0.0, 0.0
    )


def floor_of(planar, crystal, form):
    """Scale below which errors are absolute: a share of the massless maximum."""
    at_rest = crystal_kernels.local_density(planar, 0.0, 0.0, EPSILON, np.zeros(2), form)
    return crystal_kernels.FLOOR * crystal_kernels.form_norm(planar, *crystal) * at_rest[0]


def experiment(length_cm, radius_cm, degrees=(58.79,), rtol=1e-4, **switches):
    target = load_target("er-ylf")
    layout = Layout(length_cm, radius_cm, phase_matched(target)[1], np.deg2rad(degrees))
    return Experiment(target, layout, Lasers(), Detector(), Switches(**switches), Accuracy(rtol))


# --- direct integration for small crystals ------------------------------------

SMALL = (  # masses, w, (L/2, R) in micrometres
    ((0.01, 0.05), (0.3, 0.1), (10.0, 10.0)),
    ((0.0, 0.05), (-0.4, 0.6), (5.0, 10.0)),
    ((0.2, 0.2), (1.2, 0.9), (5.0, 20.0)),
    ((0.05, 0.3), (-0.5, -1.6), (5.0, 10.0)),
)


@pytest.mark.parametrize(
    "current", ("parallel", pytest.param("transverse", marks=pytest.mark.slow))
)
@pytest.mark.parametrize("lorentzian", (True, False))
@pytest.mark.parametrize("masses, w, size", SMALL)
def test_planar_integral_is_the_direct_threefold_one(masses, w, size, lorentzian, current):
    """Inside, near the edge (third) and beyond it (fourth)."""
    crystal = tuple(MICROMETRE * x for x in size)
    form, axis = form_of(TILT, current)
    nodes = (240, 240) if lorentzian else (160, 160)
    expected = slow_twins.planar_threefold(
        w, crystal, EPSILON, masses, axis, current, lorentzian, nodes
    )
    found = point(True, lorentzian, w, crystal, masses, form)
    np.testing.assert_allclose(found[:2], expected, rtol=1e-4)


@pytest.mark.slow
def test_threefold_integral_at_phase_matching():
    # massless pairs at rest make the narrowest ridge: 0.02 eV in 3 eV
    crystal = (5.0 * MICROMETRE, 10.0 * MICROMETRE)
    for lorentzian, nodes in ((True, (900, 700)), (False, (200, 200))):
        expected = slow_twins.planar_threefold(
            (0.0, 0.0), crystal, EPSILON, (0.0, 0.0), (1.0, 0.0, 0.0), "parallel", lorentzian, nodes
        )
        found = point(True, lorentzian, (0.0, 0.0), crystal, (0.0, 0.0))
        np.testing.assert_allclose(found[:2], expected, rtol=1e-4)


@pytest.mark.parametrize(
    "current", (pytest.param("parallel", marks=pytest.mark.slow), "transverse")
)
@pytest.mark.parametrize("lorentzian", (True, False))
@pytest.mark.parametrize("masses, w, size", [*SMALL[:2], ((0.0, 0.0), (0.0, 0.0), (5.0, 10.0))])
def test_full_integral_is_a_product_rule_in_three_dimensions(masses, w, size, lorentzian, current):
    crystal = tuple(MICROMETRE * x for x in size)
    form, axis = form_of(TILT, current)
    nodes = (32, 120, 60) if lorentzian else (32, 160, 160)
    expected = slow_twins.full_grid(w, crystal, EPSILON, masses, axis, current, lorentzian, nodes)
    found = point(False, lorentzian, w, crystal, masses, form)
    np.testing.assert_allclose(found[:2], expected, rtol=1e-4)


@pytest.mark.parametrize("lorentzian", (True, False))
def test_full_integral_is_the_direct_fivefold_one(lorentzian, rng):
    """Monte Carlo over the energy and two spheres, Eq. (12)."""
    # a smaller crystal than any real one: the direct integral can be sampled
    masses, w, crystal = (0.01, 0.05), (0.3, 0.1), (2.0 * MICROMETRE, 2.0 * MICROMETRE)
    form, axis = form_of(TILT, "parallel")

    @vegas.lbatchintegrand
    def integrand(points):
        return slow_twins.full_integrand(
            points, w, crystal, EPSILON, masses, axis, "parallel", lorentzian
        )

    integrator = vegas.Integrator([[0.0, 1.0]] * 5, ran_array_generator=rng.random)
    integrator(integrand, nitn=8, neval=30_000)
    result = integrator(integrand, nitn=8, neval=120_000)
    found = point(False, lorentzian, w, crystal, masses, form)
    for k in range(2):
        assert result[k].sdev < 0.01 * result[k].mean
        assert abs(found[k] - result[k].mean) < 4.0 * result[k].sdev


# --- anchors, limits, symmetry ------------------------------------------------


def test_anchor_of_a_centimetre_crystal():
    # quoted with 1 cm = 50677/eV, to five digits
    crystal = (50677.0, 50677.0)
    precise = reference(True, True, (0.0, 0.0), crystal, (0.01, 0.01))
    assert precise[0] == pytest.approx(4.9123e-9, abs=5e-14)
    a, _, error = point(True, True, (0.0, 0.0), crystal, (0.01, 0.01))
    assert a == pytest.approx(4.9123e-9, rel=error + 1e-5, abs=0) and error < 1e-4


@pytest.mark.parametrize("planar, lorentzian, power", ((True, True, 1), (False, False, 2)))
def test_infinite_crystal_scaling(planar, lorentzian, power):
    """V^2 G goes as V R in the plane, V^2 F as V: G as 1/(L R), F as 1/(L R^2)."""
    masses, w = (0.01, 0.05), (0.4, 0.3)
    found = {
        (x, y): point(planar, lorentzian, w, (x * CM_TO_PER_EV, y * CM_TO_PER_EV), masses)
        for x, y in ((2.0, 2.0), (4.0, 2.0), (2.0, 4.0))
    }
    one = found[2.0, 2.0][0]
    # tails of order 1/(L eps) = 6e-6
    assert one / found[4.0, 2.0][0] == pytest.approx(2.0, rel=3e-5)
    assert one / found[2.0, 4.0][0] == pytest.approx(2.0**power, rel=3e-5)


def test_planar_over_full_at_phase_matching():
    radius = CM_TO_PER_EV
    crystal = (radius, radius)
    planar = point(True, True, (0.0, 0.0), crystal, (0.0, 0.0))[0]
    full = point(False, False, (0.0, 0.0), crystal, (0.0, 0.0))[0]
    assert planar / full == pytest.approx(1.5 * radius * EPSILON, rel=1e-4)


@pytest.mark.parametrize("lorentzian", (True, False))
def test_planar_over_full_of_a_point_target(lorentzian):
    crystal = (1e-5, 1e-5)  # 1/eV: U = W = 1
    planar = reference(True, lorentzian, (0.0, 0.0), crystal, (0.0, 0.0))
    full = reference(False, lorentzian, (0.0, 0.0), crystal, (0.0, 0.0))
    # the partners are the bare phase spaces
    assert planar[1] / full[1] == pytest.approx(4.0, rel=1e-5)


@pytest.mark.parametrize("planar, lorentzian", METHODS)
def test_exchange_of_the_two_neutrinos(planar, lorentzian):
    for size in (10.0 * MICROMETRE, CM_TO_PER_EV):
        for w in ((0.3, 0.2), (0.9, -1.25), (1.3, 1.0)):
            crystal = (size, 0.7 * size)
            one = point(planar, lorentzian, w, crystal, (0.02, 0.2))
            two = point(planar, lorentzian, w, crystal, (0.2, 0.02))
            np.testing.assert_allclose(one[:2], two[:2], rtol=1e-8)


# --- stated errors ------------------------------------------------------------

QUICK_SEED, SLOW_SEED = 5, 11
LIMIT, SPLIT_INSIDE, SPLIT_OUTSIDE = 2.0, 0.6, 4.0
"""Coefficients of g/d, (g/d)^2 and g/d in the docstring of ``crystal_point``."""
REFERENCE_ERROR = 4e-6
"""Of ``reference``: its own tolerance and that of its Bessel functions."""


def random_point(rng, index):
    """Masses, place, crystal and current; every special case comes up often."""
    planar, lorentzian = METHODS[index % 4]
    while True:
        m_i, m_j = 10.0 ** rng.uniform(-4.0, np.log10(0.45), 2)
        masses = ((m_i, m_j), (0.0, m_j), (m_i, m_i), (0.0, 0.0))[rng.integers(4)]
        rim = np.sqrt(EPSILON**2 - sum(masses) ** 2)
        distance = (
            rim * 10.0 ** rng.uniform(-5.0, -1.0),
            rim * rng.uniform(0.1, 1.0),
            rim,
            -(10.0 ** rng.uniform(-5.0, -0.5)),
        )[rng.integers(4)]
        turn = rng.uniform(0.0, 2.0 * np.pi)
        w = ((rim - distance) * np.cos(turn), (rim - distance) * np.sin(turn))
        sizes = 10.0 ** rng.uniform(-3.0, np.log10(20.0), 2) * CM_TO_PER_EV
        crystal = (0.5 * sizes[0], sizes[1])
        current = ("parallel", "transverse")[rng.integers(2)]
        form = form_of(rng.uniform(0.0, np.pi), current)[0]
        return planar, lorentzian, w, crystal, masses, form, distance


def check_stated_error(seed, count):
    """Compare ``crystal_point`` and the bounds of its docstring with the reference."""
    rng = np.random.default_rng(seed)
    for index in range(count):
        planar, lorentzian, w, crystal, masses, form, distance = random_point(rng, index)
        away = abs(distance) * np.array(crystal)
        # an edge at x in the fading zone costs 1/(4 pi x^2) of the value: 2e-6 at 200
        cut = np.clip(2.5 * EPSILON * np.array(crystal), 60.0, 200.0)
        if distance < 0.0:
            cut = np.maximum(cut, np.minimum(1.5 * away, 350.0))
        truth = reference(planar, lorentzian, w, crystal, masses, form, cut=cut)[0]
        value, _, error = point(planar, lorentzian, w, crystal, masses, form)
        scale = max(abs(truth), floor_of(planar, crystal, form))
        case = (index, planar, lorentzian, masses, w, crystal)
        # planar plane waves may miss the tolerance beyond the edge, and say so
        assert error <= 1e-4 or (planar and not lorentzian and distance < 0.0), case
        assert abs(value - truth) <= (error + REFERENCE_ERROR) * scale, case
        if lorentzian and not planar:
            continue
        g = crystal_kernels.leading_width(planar, lorentzian, *crystal)
        ratio = g / abs(distance)
        arguments = (*w, *crystal, EPSILON, np.array(masses), form)
        rim = np.sqrt(EPSILON**2 - sum(masses) ** 2)
        cut, faded = crystal_kernels.fading(*w, rim, np.array(crystal))
        faded *= not lorentzian
        if planar and distance < 0.0:
            faded *= 50.0  # as in crystal_point: the edge of a light pair is a peak
        split = crystal_kernels.split_integral(planar, lorentzian, *arguments, cut)[0]
        if distance < 0.0:
            bound = (SPLIT_OUTSIDE * ratio + faded) * abs(split) / scale
            assert abs(split - truth) <= (bound + REFERENCE_ERROR) * scale, case
            continue
        if ratio < 0.3:
            bound = SPLIT_INSIDE * ratio**2 + faded + REFERENCE_ERROR
            assert abs(split - truth) <= bound * scale, case
        limit = crystal_kernels.local_density(planar, *w, EPSILON, np.array(masses), form)[0]
        limit *= crystal_kernels.form_norm(planar, *crystal)
        if ratio < 0.05:
            assert abs(limit - truth) <= (LIMIT * ratio + REFERENCE_ERROR) * scale, case


@pytest.mark.slow
def test_stated_error_over_a_few_random_points():
    check_stated_error(QUICK_SEED, 48)


@pytest.mark.slow
def test_stated_error_over_many_random_points():
    check_stated_error(SLOW_SEED, 600)


@pytest.mark.parametrize("planar, lorentzian", METHODS)
def test_ten_times_the_accuracy_moves_results_by_no_more_than_the_error(planar, lorentzian):
    masses = (0.02, 0.06)
    rim = np.sqrt(EPSILON**2 - sum(masses) ** 2)
    for size in (15.0 * MICROMETRE, 0.1 * CM_TO_PER_EV, 2.0 * CM_TO_PER_EV):
        crystal = (size, 0.5 * size)
        floor = floor_of(planar, crystal, ALONG)
        for radius in (0.0, 0.6, rim - 1e-2, rim - 1e-4, rim + 1e-4, rim + 3e-2):
            w = (radius * np.cos(1.1), radius * np.sin(1.1))
            loose = point(planar, lorentzian, w, crystal, masses, rtol=1e-3)
            default = point(planar, lorentzian, w, crystal, masses, rtol=1e-4)
            tight = point(planar, lorentzian, w, crystal, masses, rtol=1e-5)
            for rough, fine in ((loose, default), (default, tight)):
                allowed = rough[2] + fine[2]
                assert abs(rough[0] - fine[0]) <= allowed * max(abs(fine[0]), floor)
            # planar plane waves beyond the edge may miss the tolerance, and say so
            excused = planar and not lorentzian and radius > rim
            assert loose[2] <= 1e-3 and (excused or default[2] <= 1e-4)


# --- pieces -------------------------------------------------------------------


def test_bessel_function_of_the_kernels():
    x = np.linspace(0.0, 300.0, 20_001)
    found = np.array([form_kernels.bessel_j1(t) for t in x])
    np.testing.assert_allclose(found, j1(x), atol=1e-7)


def never_fading(y):
    return np.array([form_kernels.transverse(t, False, 1e9) for t in np.atleast_1d(y)])


def test_form_factors_before_their_oscillation_fades():
    x = np.concatenate([[0.0, 1e-4, 9.99e-4, 1.001e-3], np.linspace(0.01, 60.0, 4001)])
    along = np.array([form_kernels.longitudinal(t, False, 1e9) for t in x])
    expected = slow_twins.form_factors(x, x, False)
    np.testing.assert_allclose(along, expected[0], atol=1e-12)
    np.testing.assert_allclose(never_fading(x), expected[1], atol=4e-7)
    for t in (0.0, 0.3, 5.0):
        expected = slow_twins.form_factors(np.array([t]), np.array([t]), True)
        found = form_kernels.longitudinal(t, True, 25.0), form_kernels.transverse(t, True, 25.0)
        np.testing.assert_allclose(found, np.ravel(expected), rtol=1e-14)


@pytest.mark.parametrize("cut", (25.0, 60.0))
def test_fading_keeps_the_area(cut):
    """Int U = pi and Int W y dy = 2; the tails beyond the reach are known."""
    reach = 4000.0
    y = np.linspace(0.0, reach, 400_001)
    along = np.array([form_kernels.longitudinal(t, False, cut) for t in y])
    across = np.array([form_kernels.transverse(t, False, cut) for t in y])
    # the kernel's Bessel function is good to 1e-7
    assert 2.0 * simpson(along, y) + 1.0 / reach == pytest.approx(np.pi, rel=3e-7)
    assert simpson(across * y, y) + 4.0 / (np.pi * reach) == pytest.approx(2.0, rel=3e-7)


def test_slit_against_struve_and_against_a_quadrature():
    for u in (0.01, 0.4, 1.0, 3.3, 20.02, 63.9):
        found = form_kernels.slit(u, 1e9)
        assert found == pytest.approx(4.0 * struve(1, 2.0 * u) / u**2, abs=7e-7)
    for u in (0.0, 0.37, 2.0):

        def along(eta, u=u):
            return slow_twins.form_factors(0.0, np.array([np.hypot(u, eta)]), False)[1][0]

        near = 2.0 * quad(along, 0.0, 200.0, limit=400, epsabs=1e-9)[0]
        # the mean tail 4/(pi y^3); its oscillation averages out
        expected = near + 2.0 * 2.0 / (np.pi * 200.0**2)
        assert form_kernels.slit(u, 1e9) == pytest.approx(expected, abs=3e-6)


def exact_profile(y):
    return slow_twins.form_factors(0.0, y, False)[1]


@pytest.mark.parametrize("w_t", (0.5, -0.5))
def test_azimuthal_moments_of_the_plane_wave(w_t):
    # 40 000 nodes resolve the fastest phase, 2 R w = 4000, exactly
    for radius in (0.1, 30.0, 1000.0):
        for rho in (0.01, 0.3, 0.5, 0.52, 1.3):
            found = form_kernels.azimuthal(rho, w_t, radius, False, 1e9)
            expected = slow_twins.circle_moments(rho, w_t, radius, exact_profile)
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=3e-7 * rho)


def test_azimuthal_moments_on_the_axis():
    found = form_kernels.azimuthal(0.4, 0.0, 10.0, False, 1e9)
    w = exact_profile(np.array([4.0]))[0]
    np.testing.assert_allclose(found, 0.4 * w * np.pi * np.array([2.0, 0.0, 1.0]), atol=1e-7)


@pytest.mark.parametrize("w_t", (0.5, -0.5))
def test_azimuthal_moments_of_the_lorentzian(w_t):
    for radius in (1e-4, 0.1, 30.0, 1000.0):
        for rho in (1e-4, 0.3, 0.5, 1.3):
            found = form_kernels.azimuthal(rho, w_t, radius, True, 25.0)
            expected = slow_twins.circle_moments(
                rho, w_t, radius, lambda y: slow_twins.form_factors(0.0, y, True)[1]
            )
            # the branch for a flat circle drops (small/big)^2 = 1e-10
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11 * rho)


def test_tangent_to_a_wide_crystal_replaces_the_circle():
    # R sqrt(rho w) = 2500: the tangent's relative error is below 1e-6
    radius, w_t = 5000.0, 0.5
    for y_0 in (0.0, 0.5, 3.0, 20.0):
        rho = w_t + y_0 / radius
        assert 4.0 * rho * w_t * radius**2 > 1.6e7  # takes the fast branch
        found = form_kernels.azimuthal(rho, w_t, radius, False, 1e9)
        expected = slow_twins.circle_moments(rho, w_t, radius, exact_profile)
        peak = slow_twins.circle_moments(w_t, w_t, radius, exact_profile)[0]
        np.testing.assert_allclose(found, expected, atol=2e-6 * peak)


def test_far_tail_in_elliptic_integrals():
    for rho, w_t, radius in ((0.9, 0.5, 1000.0), (0.02, 0.9, 400.0), (1.4, 0.2, 300.0)):
        found = form_kernels._azimuthal_tail(rho, w_t, radius)
        mean = slow_twins.circle_moments(rho, w_t, radius, lambda y: 4.0 / (np.pi * y**3))
        np.testing.assert_allclose(found, mean, rtol=1e-9)
        # the branch itself: the tail leaves out 0.375/y^2 < 1e-5 of the mean
        y_0 = radius * abs(rho - w_t)
        assert y_0 > 200.0 and 4.0 * rho * w_t * radius**2 > 1e-3 * y_0**2
        fast = form_kernels.azimuthal(rho, w_t, radius, False, 30.0)
        np.testing.assert_allclose(fast, mean, rtol=1e-9)
        full = slow_twins.circle_moments(
            rho,
            w_t,
            radius,
            lambda y: np.array([form_kernels.transverse(t, False, 30.0) for t in y]),
            4000,
        )
        np.testing.assert_allclose(fast, full, rtol=1e-5)


def test_complete_elliptic_integrals():
    for m in (0.0, 1e-6, 0.3, 0.9, 0.999999):
        np.testing.assert_allclose(
            form_kernels._complete_elliptic(m), (ellipk(m), ellipe(m)), rtol=1e-12
        )


def test_gauss_kronrod_rules_integrate_their_polynomials():
    x = plane_kernels.KRONROD_X
    double = np.where(x == 0.0, 1.0, 2.0)
    for rule, degree in ((plane_kernels.KRONROD_W, 22), (plane_kernels.GAUSS7_W, 12)):
        for power in range(0, degree + 1, 2):
            moment = np.sum(double * rule * x**power)
            assert moment == pytest.approx(2.0 / (power + 1.0), rel=1e-13)
        moment = np.sum(double * rule * x ** (degree + 2))
        assert abs(moment * (degree + 3.0) / 2.0 - 1.0) > 1e-9


# --- the public function ------------------------------------------------------


@pytest.mark.parametrize("name", ("length_cm", "radius_cm"))
@pytest.mark.parametrize("size", (9e-4, 21.0))
def test_crystals_out_of_range_are_refused(name, size):
    sizes = {"length_cm": 1.0, "radius_cm": 1.0, name: size}
    with pytest.raises(DomainError, match=name):
        pair_integrals(experiment(**sizes), np.array([0.01, 0.02, 0.05]))


@pytest.mark.parametrize("bad", (-1e-6, np.nan, np.inf))
def test_masses_out_of_range_are_refused(bad):
    with pytest.raises(DomainError, match="masses_eV"):
        pair_integrals(experiment(1.0, 1.0), np.array([0.01, bad, 0.05]))


def test_pair_integrals_follow_the_order_of_pairs_and_the_angles():
    masses = np.array([0.01, 0.06, 0.3])
    setup = experiment(2.0, 1.0, (40.0, 58.79, 80.0), current_axis="transverse")
    result = pair_integrals(setup, masses)
    assert isinstance(result, PairIntegrals) and result.a_eV5.shape == (6, 3)
    form, _ = form_of(0.0, "transverse")
    crystal = (CM_TO_PER_EV, CM_TO_PER_EV)
    for row, (i, j) in enumerate(((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2))):
        for n in range(3):
            pair = (masses[i], masses[j])
            a, b, error = crystal_kernels.crystal_point(
                True,
                True,
                *result.w_eV[:, n],
                *crystal,
                setup.target.epsilon_ep,
                np.array(pair),
                form,
                1e-4,
            )
            found = result.a_eV5[row, n], result.b_eV3[row, n], result.error[row, n]
            np.testing.assert_allclose(found, (a, b, error), rtol=1e-13)


def test_pairs_too_heavy_for_the_target_give_nothing():
    result = pair_integrals(experiment(2.0, 1.0), np.array([0.01, 0.5, 0.9]))
    assert np.all(result.a_eV5[5] == 0.0) and np.all(result.b_eV3[5] == 0.0)
    assert np.all(result.a_eV5[3] > 0.0)
