"""Smoothing windows, and smoothed integrals against brute sums over sub-angles."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from renp_infer.measurement.smoothing import Smoother, make_smoother, smoothed_pairs
from renp_infer.measurement.window import POINT, smoothing_grid
from renp_infer.physics.pairs._crystal_kernels import crystal_grid, form_norm, local_density
from renp_infer.physics.pairs.densities import current_form
from renp_infer.physics.pairs.form_factor import crystal_size, pair_integrals, pair_masses
from renp_infer.physics.pairs.kinematics import mismatch, phase_matched, threshold_angles
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Accuracy, Detector, Experiment, Lasers, Layout

TARGET = load_target("er-ylf")
THETA_E = phase_matched(TARGET)[1]
GAUSS_X, GAUSS_W = np.polynomial.legendre.leggauss(4)
SPLITTINGS = np.array([0.0, 7.49e-5, 2.513e-3])
SIGMAS = 5.0
"""Reach of the Gaussian window."""


def masses_of(m1):
    return np.sqrt(m1**2 + SPLITTINGS)


def experiment(
    preset, degrees, kernel="box", resolution=1.44, size=(2.0, 1.0), rtol=1e-4, c_axis=0.0
):
    layout = Layout(*size, THETA_E, np.deg2rad(degrees), c_axis)
    detector = Detector(resolution=np.deg2rad(resolution), kernel=kernel)
    return Experiment(TARGET, layout, Lasers(), detector, PRESETS[preset], Accuracy(rtol))


def window(theta, setup, angles):
    """Weight of the sub-angles in the window around theta, 1/rad, and its reach."""
    width = setup.detector.resolution
    if setup.detector.kernel == "box":
        return np.full(angles.size, 1.0 / width)
    sigma = width / np.sqrt(8.0 * np.log(2.0))
    return np.exp(-0.5 * ((angles - theta) / sigma) ** 2) / (sigma * np.sqrt(2.0 * np.pi))


def reach(setup):
    width = setup.detector.resolution
    return 0.5 * width if setup.detector.kernel == "box" else SIGMAS * width / 2.3548


def brute(setup, masses, theta, pair, panels, finest=None):
    """Gauss panels over one window; ``finest`` grades them towards the edge."""
    half = reach(setup)
    marks = np.linspace(theta - half, theta + half, panels + 1)
    if finest is not None:
        edges = np.array(threshold_angles(sum(pair_masses(masses)[pair]), TARGET, THETA_E))
        grades = finest * 3.0 ** np.arange(int(np.log(2.0 * half / finest) / np.log(3.0)) + 1)
        moved = np.concatenate([[0.0], grades, -grades])
        marks = np.concatenate([marks, (edges[:, None] + moved).ravel()])
        marks = np.unique(marks[(marks >= theta - half) & (marks <= theta + half)])
    low, high = marks[:-1, None], marks[1:, None]
    angles = (low + 0.5 * (high - low) * (1.0 + GAUSS_X)).ravel()
    weights = (0.5 * (high - low) * GAUSS_W).ravel() * window(theta, setup, angles)
    weights *= np.cos(angles - setup.layout.c_axis)
    switches = setup.switches
    a, b, _ = crystal_grid(
        switches.phase_space == "planar",
        switches.form_factor == "lorentzian",
        *mismatch(angles, THETA_E, TARGET),
        *crystal_size(setup),
        TARGET.epsilon_ep,
        pair_masses(masses)[[pair]],
        current_form(setup.layout, switches),
        setup.accuracy.relative_tolerance,
    )
    return np.array([weights @ a[0], weights @ b[0]])


# --- windows ------------------------------------------------------------------

ANGLES = np.deg2rad(np.linspace(50.0, 56.0, 13))


@pytest.mark.parametrize("kernel", ("box", "gaussian"))
@pytest.mark.parametrize("resolution", (0.0, 0.2, 1.44, 5.0))
def test_windows_have_unit_area_and_end_panels_at_the_centre(kernel, resolution):
    centre = np.deg2rad(53.217)
    grid = smoothing_grid(ANGLES, np.deg2rad(resolution), kernel, centre)
    area = grid.weights @ np.diff(grid.borders)
    np.testing.assert_allclose(area, 1.0, rtol=2e-5 if resolution == 0.0 else 1e-12)
    assert np.all(grid.weights >= 0.0)
    assert np.all(np.diff(grid.borders) > 0.0)
    assert np.abs(grid.borders - centre).min() < 1e-9


@pytest.mark.parametrize("kernel", ("box", "gaussian"))
@pytest.mark.parametrize("angles", (ANGLES, ANGLES[:1], ANGLES[[0, 1, 12]]))
def test_bands_hold_every_weight(kernel, angles, rng):
    """Windows that overlap, one, and one apart: the same sums as by the whole matrix."""
    grid = smoothing_grid(angles, np.deg2rad(1.44), kernel, np.deg2rad(53.217))
    first, band = grid.band()
    panels = rng.normal(size=grid.borders.size - 1)
    sums = [row @ panels[k : k + row.size] for k, row in zip(first, band, strict=True)]
    assert sums == pytest.approx(grid.weights @ panels, rel=1e-12)
    assert np.count_nonzero(band) == np.count_nonzero(grid.weights)


def moments(grid, theta, row):
    """Mean and variance of one window, exact for a staircase."""
    low, high = grid.borders[:-1] - theta, grid.borders[1:] - theta
    mean = grid.weights[row] @ (high**2 - low**2) / 2.0
    return mean, grid.weights[row] @ (high**3 - low**3) / 3.0 - mean**2


@pytest.mark.parametrize("resolution", (0.2, 1.44, 5.0))
def test_box_is_flat_and_ends_at_half_its_width(resolution):
    width = np.deg2rad(resolution)
    grid = smoothing_grid(ANGLES, width, "box", np.deg2rad(53.217))
    for row, theta in enumerate(ANGLES):
        used = grid.weights[row] > 0.0
        np.testing.assert_allclose(grid.weights[row][used], 1.0 / width)
        assert grid.borders[:-1][used].min() == pytest.approx(theta - 0.5 * width, abs=1e-9)
        assert grid.borders[1:][used].max() == pytest.approx(theta + 0.5 * width, abs=1e-9)


@pytest.mark.parametrize("resolution", (0.2, 1.44, 5.0))
def test_gaussian_has_the_variance_of_its_width(resolution):
    sigma = np.deg2rad(resolution) / np.sqrt(8.0 * np.log(2.0))
    grid = smoothing_grid(ANGLES, np.deg2rad(resolution), "gaussian", np.deg2rad(53.217))
    for row, theta in enumerate(ANGLES):
        mean, variance = moments(grid, theta, row)
        # one step of sigma/6 is split at the centre: it no longer adds its
        # 1/216 of the variance, of which it holds at most 7 %
        assert abs(mean) < 3e-4 * sigma
        assert variance == pytest.approx(sigma**2, rel=3.3e-4)


# --- smoothed integrals -------------------------------------------------------


@pytest.mark.parametrize("m1", (0.0, 0.002, 0.05))
@pytest.mark.parametrize("preset", ("published", "corrected"))
def test_box_away_from_edges(preset, m1):
    setup = experiment(preset, (48.0, 58.79, 70.3), rtol=1e-6)
    masses = masses_of(m1)
    found = np.array(smoothed_pairs(setup, masses))
    for pair in range(6):
        for n, theta in enumerate(setup.layout.theta_s):
            # the default tolerance bounds each term; what a centimetre adds is 2e-5
            expected = brute(setup, masses, theta, pair, 2)
            np.testing.assert_allclose(found[:, pair, n], expected, rtol=2e-6)


@pytest.mark.parametrize("preset", ("published", "corrected"))
def test_gaussian_away_from_edges(preset):
    setup = experiment(preset, (48.0, 58.79, 70.3), kernel="gaussian", rtol=1e-6)
    masses = masses_of(0.05)
    found = np.array(smoothed_pairs(setup, masses))
    for pair in (0, 3, 5):
        for n, theta in enumerate(setup.layout.theta_s):
            expected = brute(setup, masses, theta, pair, 20)
            # of the staircase: 3e-5 of a curve that turns over within its width
            np.testing.assert_allclose(found[:, pair, n], expected, rtol=1e-5)


@pytest.mark.parametrize("preset", ("published", "corrected"))
def test_direction_factor_follows_the_c_axis(preset):
    setup = experiment(preset, (50.0, 60.0), c_axis=0.6)
    masses = masses_of(0.02)
    found = np.array(smoothed_pairs(setup, masses))
    for n, theta in enumerate(setup.layout.theta_s):
        expected = brute(setup, masses, theta, 4, 2)
        np.testing.assert_allclose(found[:, 4, n], expected, rtol=1e-4)
    normal = replace(setup, layout=replace(setup.layout, c_axis=None))
    np.testing.assert_array_equal(np.array(smoothed_pairs(normal, masses)), 0.0)


def check_edge(preset, kernel, m1, offset, size=(2.0, 1.0), pair=0, finest=1e-5):
    """Error of one window that contains the edge, as a share of the peak."""
    masses = masses_of(m1)
    edge = np.rad2deg(threshold_angles(sum(pair_masses(masses)[pair]), TARGET, THETA_E)[1])
    setup = experiment(preset, (65.0, edge + offset), kernel, size=size)
    found = np.array(smoothed_pairs(setup, masses))[:, pair]
    # narrow enough for the kinks of planar densities
    panels = 24 if kernel == "box" else 96
    expected = brute(setup, masses, setup.layout.theta_s[1], pair, panels, finest)
    return np.max(np.abs(found[:, 1] - expected) / np.abs(found).max(axis=1))


@pytest.mark.parametrize("preset", ("published", pytest.param("corrected", marks=pytest.mark.slow)))
def test_window_across_an_edge(preset):
    assert check_edge(preset, "box", 0.05, 0.3) < 2e-5


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ("box", "gaussian"))
@pytest.mark.parametrize("preset", ("published", "corrected"))
@pytest.mark.parametrize("m1", (0.0, 0.002, 0.05))
def test_more_windows_across_an_edge(preset, kernel, m1):
    # the staircase of the Gaussian: 5e-5 of a step, 9e-4 of a light pair's peak
    allowed = 2e-5 if kernel == "box" else 6e-5
    if kernel == "gaussian" and preset == "published" and m1 < 0.01:
        allowed = 9e-4
    for offset, pair in ((-0.5, 0), (0.1, 5)):
        assert check_edge(preset, kernel, m1, offset, pair=pair) < allowed


@pytest.mark.slow
@pytest.mark.parametrize("preset", ("published", "corrected"))
def test_small_crystal(preset):
    # every angle is integrated in full, at the default tolerance of 1e-4
    for offset in (-0.5, 0.6):
        error = check_edge(preset, "box", 0.05, offset, size=(0.005, 0.005), finest=3e-4)
        assert error < 2e-4


EDGES = {
    "step": (0.0, 5e-5),
    "root": (0.5, 2e-6),
    "inverse root": (-0.5, 9e-4),
}
"""Power of the distance from an edge, and the stated error of the Gaussian's staircase."""


@pytest.mark.parametrize("kind", EDGES)
@pytest.mark.parametrize("resolution", (0.3, 5.0))
def test_the_staircase_errs_by_what_is_stated(kind, resolution):
    """Against the Gaussian itself, for edges all over a step; half of it is reached."""
    power, stated = EDGES[kind]
    width = np.deg2rad(resolution)
    sigma = width / np.sqrt(8.0 * np.log(2.0))
    theta = sigma * np.linspace(-5.0, 5.0, 51)
    grid = smoothing_grid(theta, width, "gaussian", np.deg2rad(-40.0))
    first = int(np.argmin(np.abs(grid.borders)))
    found = []
    for edge in np.linspace(*grid.borders[first : first + 2], 9):
        beyond = np.maximum(grid.borders - edge, 0.0) ** (power + 1.0) / (power + 1.0)
        # distance from the edge as a square, so that nothing is singular
        roots = np.sqrt(9.0 * sigma + max(theta - edge)) * (np.arange(4000) + 0.5) / 4000.0
        gauss = norm.pdf(roots**2, (theta - edge)[:, None], sigma)
        exact = np.sum(2.0 * roots ** (2.0 * power + 1.0) * gauss, axis=1) * roots[0] * 2.0
        near = np.abs(theta - edge) < 4.0 * sigma
        errors = np.abs(grid.weights @ np.diff(beyond) - exact)[near]
        found.append(np.max(errors) / np.max(exact[near]))
    assert 0.4 * stated < max(found) < stated


@pytest.mark.parametrize("resolution", (1.44, 5.0, 60.0))
def test_a_gaussian_window_is_mirrored_and_does_not_depend_on_others(resolution):
    width, centre = np.deg2rad(resolution), np.deg2rad(53.217)
    alone, among, mirrored = (
        smoothing_grid(np.array(angles), width, "gaussian", middle)
        for angles, middle in (
            ([0.9], centre),
            ([0.3, 0.71, 0.9], centre),
            ([-0.9], -centre),
        )
    )
    heights = np.array([grid.weights[-1] for grid in (alone, mirrored)], dtype=object)
    assert heights[1][::-1] == pytest.approx(heights[0], rel=1e-9)
    assert -mirrored.borders[::-1] == pytest.approx(alone.borders, abs=1e-12)
    places = np.searchsorted(among.borders, 0.5 * (alone.borders[1:] + alone.borders[:-1])) - 1
    assert among.weights[-1, places] == pytest.approx(alone.weights[0], rel=1e-9)


@pytest.mark.parametrize("preset", ("published", pytest.param("corrected", marks=pytest.mark.slow)))
def test_a_wide_layout_keeps_the_share_of_a_small_crystal_in_its_middle(preset):
    """Angles far from both edges, each alone, and among others that reach nearer to them."""
    degrees, size, masses = (-20.0, 40.0, 80.0, 140.0), (0.01, 0.005), masses_of(0.05)
    together = np.array(smoothed_pairs(experiment(preset, degrees, size=size), masses))
    for place, angle in enumerate(degrees):
        alone = np.array(smoothed_pairs(experiment(preset, [angle], size=size), masses))
        # the share is 4e-3 and more of the field; planar blocks of nodes err by 4e-4 here
        np.testing.assert_allclose(together[:, :, place], alone[:, :, 0], rtol=1e-3)


def test_no_resolution_is_no_smoothing():
    setup = experiment("corrected", (48.0, 58.79, 70.3, 141.0), resolution=0.0)
    masses = masses_of(0.02)
    a, b = smoothed_pairs(setup, masses)
    sharp = pair_integrals(setup, masses)
    facing = np.cos(setup.layout.theta_s)
    np.testing.assert_allclose(a, facing * sharp.a_eV5, rtol=1e-4)
    np.testing.assert_allclose(b, facing * sharp.b_eV3, rtol=1e-4)
    # the box that stands for a point is narrower than any structure
    assert POINT < 1e-5


def test_smoothed_integrals_scale_as_the_form_factor_s_area():
    masses = masses_of(0.01)
    one, two = (
        smoothed_pairs(experiment("corrected", (58.79,), size=size), masses)[0]
        for size in ((2.0, 1.0), (8.0, 4.0))
    )
    norms = [
        form_norm(False, *crystal_size(experiment("corrected", (58.79,), size=s)))
        for s in ((2.0, 1.0), (8.0, 4.0))
    ]
    np.testing.assert_allclose(one / two, norms[0] / norms[1], rtol=1e-4)


@pytest.mark.parametrize("degrees", [(48.0, 69.6), (130.0, 151.6), (-40.0, 160.0), (150.0, 170.0)])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_table_of_the_distances_reached_gives_what_the_whole_one_gives(
    preset, degrees, monkeypatch
):
    setup = experiment(preset, np.linspace(*degrees, 21))
    smoother, masses = make_smoother(setup), masses_of(0.05)
    parts = [smoother.correction(masses[None, :], nominal=flag) for flag in (True, False)]
    monkeypatch.setattr(Smoother, "_reached", lambda *_: slice(None))
    tables = [*parts, smoother.correction(masses[None, :])]
    *fields, expected = (smoother.panels(smoother.beam, 0.0, masses, *table) for table in tables)
    for field in fields:
        np.testing.assert_allclose(field, expected, rtol=0, atol=1e-13 * np.max(np.abs(expected)))
    nominal, near, whole = (np.count_nonzero(table[1]) for table in tables)
    assert nominal <= near <= whole
    assert nominal < whole


# --- panels -------------------------------------------------------------------


def density(theta, smoother, masses, pair):
    """Large-crystal density A of a pair times the direction factor at one angle."""
    index, k_l, k_t, omega = smoother.beam[:4]
    z, y = index * (k_l - omega * np.cos(theta)), index * (k_t - omega * np.sin(theta))
    a, _ = local_density(
        smoother.planar, z, y, smoother.epsilon, pair_masses(masses)[pair], smoother.form
    )
    return np.cos(theta) * a


def kinks_of(smoother, masses, pair):
    """Angles where p1y or p2y begins to change sign, by bisection."""
    index, k_l, k_t, omega = smoother.beam[:4]
    found = []
    for one, other in (pair_masses(masses)[pair], pair_masses(masses)[pair][::-1]):

        def miss(theta, one=one, other=other):
            z, y = index * (k_l - omega * np.cos(theta)), index * (k_t - omega * np.sin(theta))
            s = smoother.epsilon**2 - z**2 - y**2
            return s - one**2 - other**2 - 2.0 * one * np.sqrt(other**2 + y**2)

        grid = np.linspace(*smoother.grid.borders[[0, -1]], 20001)
        values = miss(grid)
        for k in np.flatnonzero(values[:-1] * values[1:] < 0.0):
            found.append(brentq(miss, grid[k], grid[k + 1], xtol=1e-14))
    return found


@pytest.mark.parametrize("m1", (1e-3, 0.05, 0.2))
@pytest.mark.parametrize("degrees", [(48.0, 69.6), (128.0, 150.0)])
@pytest.mark.parametrize("preset", ("published", "corrected"))
def test_panels_are_integrals_of_the_density(preset, degrees, m1):
    """Against adaptive quadrature that is told where edges and kinks are."""
    smoother, masses = make_smoother(experiment(preset, np.linspace(*degrees, 12))), masses_of(m1)
    none = np.array([-1.0, 1.0]), np.zeros((6, 2, 1, 2, 4))
    found = smoother.panels(smoother.beam, 0.0, masses, *none)[:, smoother.grid.used, 0, 0]
    borders = smoother.grid.borders
    for pair in range(6):
        edges = threshold_angles(sum(pair_masses(masses)[pair]), TARGET, THETA_E)
        breaks = np.array([*edges, *(kinks_of(smoother, masses, pair) if smoother.planar else ())])
        expected = []
        for low, high in np.transpose([borders[:-1], borders[1:]])[smoother.grid.used]:
            inside = breaks[(breaks > low) & (breaks < high)]
            ends = np.sort([low, *inside, high])
            parts = [
                quad(density, *part, args=(smoother, masses, pair), epsabs=0, epsrel=1e-9)[0]
                for part in itertools.pairwise(ends)
                if edges[0] < sum(part) / 2.0 < edges[1]
            ]
            expected.append(sum(parts))
        scale = np.max(np.abs(expected))
        tolerance = 5e-6 if smoother.planar else 1e-7
        np.testing.assert_allclose(found[pair], expected, rtol=0, atol=tolerance * scale)
