"""Conserved currents and weak magnetism: points, crystals, windows, derivatives."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from renp_infer.errors import DomainError
from renp_infer.measurement.smoothing import (
    EVEN,
    beam_of,
    make_smoother,
    smoothed_pairs,
)
from renp_infer.physics.constants import CM_TO_PER_EV
from renp_infer.physics.neutrinos import load_oscillation, make_parameters, weights
from renp_infer.physics.neutrinos import masses as masses_of
from renp_infer.physics.pairs import _crystal_kernels as crystal_kernels
from renp_infer.physics.pairs._plane_kernels import plane_integral
from renp_infer.physics.pairs.densities import density_form, pair_density
from renp_infer.physics.pairs.form_factor import crystal_size, pair_integrals, pair_masses
from renp_infer.physics.pairs.kinematics import mismatch, phase_matched, threshold_angles
from renp_infer.physics.pairs.sums import parity_violating_sum
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Accuracy, Detector, Experiment, Lasers, Layout, Switches
from tests import slow_twins

EPSILON = 1.5896
TARGET = load_target("er-ylf")
THETA_E = phase_matched(TARGET)[1]
FULL = PRESETS["corrected"]
DENSITIES = ("conserved", "weak-magnetism")
TILT = 0.7
MICROMETRE = 1e-4 * CM_TO_PER_EV
MASSES = np.sqrt(0.02**2 + np.array([0.0, 7.49e-5, 2.513e-3]))
POINTS = ((0.0, 0.0), (0.0, 0.05), (0.01, 0.01), (0.05, 0.4), (0.45, 0.45))


def layout_at(c_axis):
    return Layout(1.0, 1.0, 2.0, np.array([1.0]), c_axis)


def form_of(density, c_axis=TILT):
    return density_form(layout_at(c_axis), FULL, density)


def axis_of(c_axis):
    return np.array([np.cos(c_axis), np.sin(c_axis), 0.0])


def experiment(degrees, resolution=0.0, kernel="box", size=(2.0, 1.0), c_axis=TILT):
    layout = Layout(*size, THETA_E, np.deg2rad(degrees), c_axis)
    detector = Detector(resolution=np.deg2rad(resolution), kernel=kernel)
    return Experiment(TARGET, layout, Lasers(), detector, FULL, Accuracy(1e-4))


def closed_form(momentum, masses):
    """Phi and K from s and the triangle function alone."""
    m_i, m_j = masses
    s = EPSILON**2 - np.dot(momentum, momentum)
    lam = (s - (m_i + m_j) ** 2) * (s - (m_i - m_j) ** 2)
    return 2.0 * np.pi * np.sqrt(lam) / s, 0.5 * (s - m_i**2 - m_j**2) - lam / (6.0 * s)


def point(density, momentum, masses, c_axis=TILT):
    form = form_of(density, c_axis)
    return np.array(pair_density(*momentum, EPSILON, masses, form, "full"))[:, 0]


# --- points ---------------------------------------------------------------------

ANCHORS = {  # P_z: massless, 10 meV Dirac, 10 meV Majorana, 50 meV Dirac
    0.50: (4.768577747, 4.767949429, 4.767321165, 4.752869771),
    0.92: (3.519480508, 3.518852190, 3.518223946, 3.503772522),
    1.40: (1.187162122, 1.186533804, 1.185905707, 1.171453952),
}


@pytest.mark.parametrize("p_z", ANCHORS)
def test_anchors(p_z):
    """Ten digits of two independent derivations, closed form and spinors."""
    found = []
    for mass, kappa in ((0.0, 0.0), (0.01, 0.0), (0.01, 1.0), (0.05, 0.0)):
        density, partner = point("conserved", (p_z, 0.0), (mass, mass))
        found.append(density - kappa * mass**2 * partner)
        odd = point("weak-magnetism", (p_z, 0.0), (mass, mass), 0.0)
        np.testing.assert_allclose(odd, p_z * np.array([density, partner]), rtol=1e-14)
    np.testing.assert_allclose(found, ANCHORS[p_z], rtol=0, atol=6e-10)


@pytest.mark.parametrize("masses", POINTS)
def test_conserved_density_is_the_average_over_the_rest_frame_sphere(masses, rng):
    """For any S and v, also complex: S.v* Phi K; the momentum's direction drops out."""
    rim = np.sqrt(EPSILON**2 - sum(masses) ** 2)
    for _ in range(4):
        momentum = rng.normal(size=3)
        momentum *= rim * rng.uniform(0.0, 0.999) / np.linalg.norm(momentum)
        spin, velocity = rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3))
        expected, partner = slow_twins.conserved_density(momentum, EPSILON, masses, spin, velocity)
        phi, k = closed_form(momentum, masses)
        assert expected == pytest.approx(spin @ np.conj(velocity) * phi * k, rel=1e-9)
        flat = np.linalg.norm(momentum), 0.0
        density, phi = point("conserved", flat, masses)
        assert density * (spin @ np.conj(velocity)) == pytest.approx(expected, rel=1e-9)
        assert phi == pytest.approx(partner, rel=1e-9)


@pytest.mark.parametrize("masses", POINTS)
def test_weak_magnetism_is_its_current_s_average(masses, rng):
    """Re of S and V = i P x M: Phi K P.n with n = Im(M* x S)."""
    rim = np.sqrt(EPSILON**2 - sum(masses) ** 2)
    for _ in range(4):
        p_z, p_y = rim * rng.uniform(0.0, 0.7, 2)
        momentum = np.array([p_z, p_y, 0.0])
        spin, magnetic = rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3))
        current = 1j * np.cross(momentum, magnetic)
        twin = slow_twins.conserved_density(momentum, EPSILON, masses, spin, current)
        n = np.cross(np.conj(magnetic), spin).imag
        # the kernel's n lies in the plane of the beams, as P does
        size, angle = np.hypot(n[0], n[1]), np.arctan2(n[1], n[0])
        density, partner = point("weak-magnetism", (p_z, p_y), masses, angle)
        assert size * density == pytest.approx(twin[0].real, rel=1e-9, abs=1e-11)
        phi, _ = closed_form(momentum, masses)
        assert size * partner == pytest.approx(phi * (momentum @ n), rel=1e-9, abs=1e-12)


def test_the_two_readings_agree_for_pairs_at_rest_and_part_with_momentum():
    """Massless and along P: conserved over spatial is s/eps^2."""
    for p, ratio in ((0.0, 1.0), (0.5, 0.901), (0.92, 0.665), (1.4, 0.224), (1.55, 0.049)):
        one = point("conserved", (p, 0.0), (0.0, 0.0), 0.0)[0]
        form = density_form(layout_at(0.0), FULL, "spatial")
        two = pair_density(p, 0.0, EPSILON, (0.0, 0.0), form, "full")[0][0]
        assert one / two == pytest.approx(1.0 - p**2 / EPSILON**2, rel=1e-9)
        assert one / two == pytest.approx(ratio, abs=6e-4)


def test_moment_of_the_anchor_crystal():
    """-1.291151e-17 Bohr magnetons per second, from constants written here."""
    parameters = make_parameters(
        0.01, "normal", "dirac", 0.0, 0.0, 0.0, load_oscillation("nufit-6.0")
    )
    m, rows = masses_of(parameters), weights(parameters, FULL)
    p = np.hypot(0.6, 0.7)
    densities = [point("conserved", (p, 0.0), tuple(pair))[0] for pair in pair_masses(m)]
    volume = 2.0 * np.pi * 50677.307**3
    coupling = 1.1663788e-23**2 * 8.796459e19**2 * 0.01
    scale = coupling / (4.0 * np.pi**2 * volume * 510998.95 * 6.582119569e-16)
    moment = -scale * 0.0106 * 0.7 * (rows.pv @ densities)
    assert moment == pytest.approx(-1.291151e-17, rel=2e-6, abs=0)


def test_planar_phase_space_is_refused():
    for density in DENSITIES:
        with pytest.raises(DomainError, match="phase_space"):
            density_form(layout_at(0.0), Switches(phase_space="planar"), density)
        with pytest.raises(DomainError, match="phase_space"):
            setup = replace(experiment((58.8,)), switches=PRESETS["published"])
            pair_integrals(setup, MASSES, density=density)


def test_nothing_is_left_of_weak_magnetism_normal_to_the_plane():
    setup = experiment((40.0, 58.8, 144.0, 170.0), 1.44, c_axis=None)
    found = pair_integrals(setup, MASSES, density="weak-magnetism")
    for values in (found.a_eV5, found.b_eV3, found.error):
        np.testing.assert_array_equal(values, 0.0)
    smooth = np.array(smoothed_pairs(setup, MASSES, EVEN, "weak-magnetism"))
    np.testing.assert_array_equal(smooth, 0.0)


# --- crystals -------------------------------------------------------------------


NEAR_ZERO = pytest.param((0.02, 0.02), (-0.3, 0.35), (5.0, 10.0), False, marks=pytest.mark.slow)
ONE_MASSLESS = pytest.param((0.0, 0.05), (-0.4, 0.6), (5.0, 10.0), False, marks=pytest.mark.slow)


@pytest.mark.parametrize("density, current", (("conserved",) * 2, ("weak-magnetism", "magnetic")))
@pytest.mark.parametrize(
    "masses, w, size, lorentzian",
    (
        ((0.01, 0.05), (0.3, 0.1), (10.0, 10.0), True),
        ((0.01, 0.05), (0.3, 0.1), (10.0, 10.0), False),
        ONE_MASSLESS,
        NEAR_ZERO,
    ),
)
def test_crystal_integral_is_a_product_rule(masses, w, size, lorentzian, density, current):
    """Three-dimensional brute force; in the last one P.n nearly vanishes."""
    crystal = tuple(MICROMETRE * x for x in size)
    nodes = (32, 120, 60) if lorentzian else (32, 160, 160)
    if abs(np.dot(w, axis_of(TILT)[:2])) < 0.01:
        nodes = (48, 240, 240)  # what cancels there takes more
    expected = slow_twins.full_grid(
        w, crystal, EPSILON, masses, axis_of(TILT), current, lorentzian, nodes
    )
    form = form_of(density)
    found = crystal_kernels.crystal_point(
        False, lorentzian, *w, *crystal, EPSILON, np.array(masses), form, 1e-5
    )
    norm = crystal_kernels.form_norm(False, *crystal)
    least = np.array(crystal_kernels.largest_odd(EPSILON, form)) * norm * crystal_kernels.FLOOR
    if density == "conserved":
        least = 0.0 * least
    np.testing.assert_array_less(
        np.abs(np.array(found[:2]) - expected), 1e-4 * np.maximum(np.abs(expected), least)
    )


@pytest.mark.parametrize("density", DENSITIES)
def test_large_crystal(density):
    """Sum over nine ordered pairs: (2 pi/V) [w.n] Phi (Re(bc*) K - m_i m_j Re(bc))."""
    degrees = (30.0, 58.79, 75.0, 120.0)
    setup = experiment(degrees, size=(20.0, 20.0))
    parameters = make_parameters(
        0.02, "normal", "majorana", 0.7, 0.4, 1.1, load_oscillation("nufit-6.0")
    )
    m, rows = masses_of(parameters), weights(parameters, FULL)
    pairs = pair_integrals(setup, m, density=density)
    found = parity_violating_sum(pairs, rows, m, 1.0)
    half_length, radius = crystal_size(setup)
    volume = 2.0 * np.pi * radius**2 * half_length
    for n, w in enumerate(pairs.w_eV.T):
        total = 0.0
        for k, pair in enumerate(pair_masses(m)):
            s = TARGET.epsilon_ep**2 - w @ w
            lam = (s - sum(pair) ** 2) * (s - (pair[0] - pair[1]) ** 2)
            phi = 2.0 * np.pi * np.sqrt(lam) / s
            k_ij = 0.5 * (s - pair @ pair) - lam / (6.0 * s)
            total += phi * (rows.pv[k] * k_ij - rows.pv_majorana[k] * pair[0] * pair[1])
        factor = w @ axis_of(TILT)[:2] if density == "weak-magnetism" else 1.0
        # the first correction is 3 g/d with g = 2e-6 eV
        assert found[n] == pytest.approx(2.0 * np.pi / volume * factor * total, rel=2e-5, abs=0)


def test_odd_in_momentum_and_smooth_through_zero():
    """At P_z = 0, however small the crystal."""
    form = form_of("weak-magnetism", 0.0)
    for size in (10.0 * MICROMETRE, CM_TO_PER_EV):
        steps = np.array([-2e-4, -1e-4, -1e-9, 0.0, 1e-9, 1e-4, 2e-4])
        found = np.array(
            [
                crystal_kernels.crystal_point(
                    False, False, w, 0.3, size, size, EPSILON, np.array([0.01, 0.05]), form, 1e-4
                )[:2]
                for w in steps
            ]
        )
        slope = found[-1] / steps[-1]
        # the stated error is 1e-4 of a hundredth of the largest value, about the slope times 0.5
        np.testing.assert_allclose(found / slope, np.outer(steps, [1.0, 1.0]), rtol=0, atol=5e-7)


@pytest.mark.parametrize("density", DENSITIES)
def test_continuous_at_every_threshold(density):
    """The density ends as a square root or softer, and so does the field."""
    for masses in ((0.0, 0.0), (0.0, 0.05), (0.02, 0.06), (0.3, 0.3)):
        rim = np.sqrt(EPSILON**2 - sum(masses) ** 2)
        inside = [np.abs(point(density, ((rim - x), 0.0), masses)) for x in (1e-6, 1e-8, 1e-10)]
        np.testing.assert_array_equal(point(density, (rim + 1e-12, 0.0), masses), 0.0)
        if masses != (0.0, 0.0):  # whose partner is a step
            assert np.all(inside[2] <= 0.11 * inside[1]) and np.all(inside[1] <= 0.11 * inside[0])
    edge = np.rad2deg(threshold_angles(2.0 * MASSES[0], TARGET, THETA_E)[1])
    jumps = []
    for step in (0.02, 0.01):
        degrees = edge + step * np.arange(-20, 21)
        a, _ = smoothed_pairs(experiment(degrees, 0.2), MASSES, EVEN, density)
        jumps.append(np.abs(np.diff(a[0])).max())
    assert jumps[1] == pytest.approx(0.5 * jumps[0], rel=0.05, abs=0.0)


MOST = {"conserved": (1e-4, 1.5e-4), "weak-magnetism": (2.5e-4, 4e-4)}
"""Largest error at a tolerance of 1e-4, inside and beyond the edge, as `crystal_point` states."""


def check_stated_error(seed, count, density):
    """``crystal_point`` against nested quadrature, near P.n = 0 and edges too."""
    rng = np.random.default_rng(seed)
    for index in range(count):
        m_i, m_j = 10.0 ** rng.uniform(-4.0, np.log10(0.45), 2)
        masses = ((m_i, m_j), (0.0, m_j), (m_i, m_i), (0.0, 0.0))[rng.integers(4)]
        rim = np.sqrt(EPSILON**2 - sum(masses) ** 2)
        inside = rim * 10.0 ** rng.uniform(-5.0, 0.0)
        distance = (inside, inside, -(10.0 ** rng.uniform(-4.0, -0.5)))[rng.integers(3)]
        c_axis, turn = rng.uniform(0.0, np.pi), rng.uniform(0.0, 2.0 * np.pi)
        if index % 3 == 0:
            turn = c_axis + 0.5 * np.pi + 10.0 ** rng.uniform(-5.0, 0.0)
        w = ((rim - distance) * np.cos(turn), (rim - distance) * np.sin(turn))
        sizes = 10.0 ** rng.uniform(-2.5, 1.0, 2) * CM_TO_PER_EV
        crystal, form = (0.5 * sizes[0], sizes[1]), form_of(density, c_axis)
        cut = np.clip(2.5 * EPSILON * np.array(crystal), 60.0, 200.0)
        if distance < 0.0:
            cut = np.maximum(cut, np.minimum(-1.5 * distance * np.array(crystal), 350.0))
        norm = crystal_kernels.form_norm(False, *crystal)
        massless = crystal_kernels.local_density(False, 0.0, 0.0, EPSILON, np.zeros(2), form)
        if density == "weak-magnetism":
            massless = crystal_kernels.largest_odd(EPSILON, form)
        floor, other = crystal_kernels.FLOOR * norm * np.array(massless)
        arguments = (False, False, *w, *crystal, EPSILON, np.array(masses), form)
        truth = plane_integral(*arguments, cut, 1e-6, floor, other)[0]
        value, _, error = crystal_kernels.crystal_point(*arguments, 1e-4)
        case = (index, masses, w, crystal, c_axis)
        assert error <= MOST[density][int(distance < 0.0)], case
        assert abs(value - truth) <= (error + 4e-6) * max(abs(truth), floor), case


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.slow
def test_stated_error_over_a_few_random_points(density):
    check_stated_error(5, 10, density)


@pytest.mark.slow
@pytest.mark.parametrize("density", DENSITIES)
def test_stated_error_over_many_random_points(density):
    check_stated_error(11, 300, density)


# --- windows --------------------------------------------------------------------


GAUSS_X, GAUSS_W = np.polynomial.legendre.leggauss(4)


def window_mean(setup, density, pair, theta, panels, grades=()):
    """A and B of a pair over one window, by Gauss panels graded towards the edge."""
    width = setup.detector.resolution
    sigma = width / np.sqrt(8.0 * np.log(2.0))
    half = 0.5 * width if setup.detector.kernel == "box" else 5.0 * sigma
    edges = np.array(threshold_angles(sum(pair_masses(MASSES)[pair]), TARGET, THETA_E))
    marks = [edge + side * grade for edge in edges for side in (-1, 1) for grade in (0.0, *grades)]
    marks = np.unique([*np.linspace(theta - half, theta + half, panels + 1), *marks])
    marks = marks[(marks >= theta - half) & (marks <= theta + half)]
    low, high = marks[:-1, None], marks[1:, None]
    angles = (low + 0.5 * (high - low) * (1.0 + GAUSS_X)).ravel()
    weight = (0.5 * (high - low) * GAUSS_W).ravel() / width
    if setup.detector.kernel == "gaussian":
        weight *= np.exp(-0.5 * ((angles - theta) / sigma) ** 2) / np.sqrt(2.0 * np.pi)
        weight *= width / sigma
    a, b, _ = crystal_kernels.crystal_grid(
        False,
        False,
        *mismatch(angles, THETA_E, TARGET),
        *crystal_size(setup),
        TARGET.epsilon_ep,
        pair_masses(MASSES)[[pair]],
        density_form(setup.layout, setup.switches, density),
        1e-4,
    )
    return np.array([weight @ a[0], weight @ b[0]])


@pytest.mark.parametrize("kernel", ("box", "gaussian"))
@pytest.mark.parametrize("density", DENSITIES)
def test_windows_away_from_edges(density, kernel):
    setup = experiment((48.0, 60.0, 100.0), 1.44, kernel)
    found = np.array(smoothed_pairs(setup, MASSES, EVEN, density))
    peaks = np.abs(found).max(axis=2)
    for n, theta in enumerate(setup.layout.theta_s):
        for pair in (0, 4):
            expected = window_mean(setup, density, pair, theta, 2 if kernel == "box" else 30)
            errors = np.abs(found[:, pair, n] - expected) / peaks[:, pair]
            # at the default tolerance the expected values err by some 1e-5
            assert np.all(errors < 5e-5)


@pytest.mark.parametrize("kernel", ("box", pytest.param("gaussian", marks=pytest.mark.slow)))
@pytest.mark.parametrize("density", DENSITIES)
def test_window_across_an_edge(density, kernel):
    edge = np.rad2deg(threshold_angles(2.0 * MASSES[0], TARGET, THETA_E)[1])
    setup = experiment((110.0, edge + 0.3), 1.44, kernel)
    found = np.array(smoothed_pairs(setup, MASSES, EVEN, density))[:, 0]
    panels, grades = (24 if kernel == "box" else 96), 1e-5 * 3.0 ** np.arange(8)
    expected = window_mean(setup, density, 0, setup.layout.theta_s[1], panels, grades)
    # the staircase of the Gaussian: 5e-5 of a step
    allowed = 3e-5 if kernel == "box" else 6e-5
    assert np.all(np.abs(found[:, 1] - expected) < allowed * np.abs(found).max(axis=1))


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("degrees", ((48.0, 69.6), (128.0, 150.0)))
def test_panels_are_integrals_of_the_density(degrees, density):
    """The large-crystal limit, against quadrature that is told where the edge is."""
    setup = experiment(np.linspace(*degrees, 12), 1.44)
    smoother = make_smoother(setup, density)
    none = np.array([-1.0, 1.0]), np.zeros((6, 2, 1, 2, 4))
    found = smoother.panels(smoother.beam, 0.0, MASSES, *none)[:, smoother.grid.used, 0]
    borders = np.transpose([smoother.grid.borders[:-1], smoother.grid.borders[1:]])
    for pair, which in ((0, 0), (3, 1), (5, 0)):
        masses = pair_masses(MASSES)[pair]
        upper = threshold_angles(sum(masses), TARGET, THETA_E)[1]

        def value(theta, masses=masses, which=which):
            w = map(float, mismatch(theta, THETA_E, TARGET))
            limit = crystal_kernels.local_density(
                False, *w, TARGET.epsilon_ep, masses, smoother.form
            )
            return np.cos(theta - TILT) * limit[which]

        expected = [
            quad(value, low, min(high, upper), epsabs=0, epsrel=1e-9, limit=200)[0]
            if low < upper
            else 0.0
            for low, high in borders[smoother.grid.used]
        ]
        scale = np.max(np.abs(expected))
        np.testing.assert_allclose(found[pair, :, which], expected, rtol=0, atol=1e-7 * scale)


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("degrees", ((48.0, 69.6), (130.0, 151.6), (-38.0, -20.0)))
def test_derivatives_against_differences(degrees, density):
    """Index, both angles, both squared masses; large crystal and the crystal's share."""
    setup = experiment(np.linspace(*degrees, 12), 1.44)
    smoother = make_smoother(setup, density)
    table = smoother.correction(MASSES[None, :])

    def panels(index=0.0, trigger=0.0, excitation=0.0, squares=(0.0, 0.0, 0.0)):
        target = replace(TARGET, refractive_index=TARGET.refractive_index + index)
        layout = replace(setup.layout, theta_e=setup.layout.theta_e + excitation)
        masses = np.sqrt(MASSES**2 + np.array(squares))
        return smoother.panels(beam_of(layout, target), 1e-3 + trigger, masses, *table)

    found = panels()

    def slope(h, **moves):
        up, down = ({k: v * s for k, v in moves.items()} for s in (1.0, -1.0))
        return (panels(**up)[:, :, 0] - panels(**down)[:, :, 0]) / (2.0 * h)

    # differences across a square root: 1e-4 of the column
    for row, name in enumerate(("index", "trigger", "excitation"), start=1):
        expected = slope(1e-7, **{name: 1e-7})
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found[:, :, row], expected, rtol=0, atol=1e-4 * scale)
    h = 1e-9
    for k, (i, j) in enumerate(((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2))):
        for state in {i, j}:
            moved = np.eye(3)[state] * h
            expected = slope(h, squares=moved)[k]
            exact = (state == i) * found[k, :, 4] + (state == j) * found[k, :, 5]
            scale = np.abs(expected).max()
            np.testing.assert_allclose(exact, expected, rtol=0, atol=2e-4 * scale)


@pytest.mark.parametrize("density", DENSITIES)
def test_without_resolution_the_field_is_the_integral(density):
    degrees = np.arange(-15.0, 136.0, 7.5)
    setup = experiment(degrees)
    found = np.array(smoothed_pairs(setup, MASSES, EVEN, density))
    expected = pair_integrals(setup, MASSES, density=density)
    for values, truth in zip(found, (expected.a_eV5, expected.b_eV3), strict=True):
        peaks = np.abs(truth).max(axis=1)
        # of points the blocks of nodes give 3e-4, see ``_block_kernels``
        assert np.all(np.abs(values - truth).max(axis=1) < 1e-3 * peaks)
