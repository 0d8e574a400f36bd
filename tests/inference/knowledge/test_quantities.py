"""Masses of other experiments against closed forms, matrices and published ranges."""

import itertools

import numpy as np
import pytest

from renp_infer.inference.knowledge.derived import quantities_of
from renp_infer.inference.knowledge.mass_bands import double_beta_band, over_phases, sum_band
from renp_infer.inference.knowledge.quantities import Quantities, double_beta, jarlskog
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.priors.prior import GaussianPrior, build_prior
from renp_infer.physics.neutrinos import load_oscillation, make_parameters
from tests.toys.settings import inference_with

TABLE = load_oscillation("nufit-6.0")
ATLEAST = {"normal": 58.0, "inverted": 98.0}
"""Smallest sums, meV, to the digits that are generally quoted."""


def mixing_matrix(s12, s13, s23, delta):
    """Product of three rotations, without Majorana phases."""

    def turn(i, j, sine2, phase=0.0):
        matrix = np.eye(3, dtype=complex)
        sine, cosine = np.sqrt(sine2), np.sqrt(1.0 - sine2)
        matrix[i, i] = matrix[j, j] = cosine
        matrix[i, j], matrix[j, i] = sine * np.exp(-1j * phase), -sine * np.exp(1j * phase)
        return matrix

    return turn(1, 2, s23) @ turn(0, 2, s13, delta) @ turn(0, 1, s12)


def test_the_jarlskog_invariant_is_that_of_the_matrix(rng):
    """Of any of its nine plaquettes, up to their signs."""
    for _ in range(5):
        s12, s13, s23 = rng.uniform(0.05, 0.95, 3)
        delta = rng.uniform(0.0, 2.0 * np.pi)
        found = jarlskog(s12, s13, s23, np.rad2deg(delta))
        u = mixing_matrix(s12, s13, s23, delta)
        own = np.imag(u[0, 0] * u[1, 1] * np.conj(u[0, 1] * u[1, 0]))
        assert found == pytest.approx(own, rel=1e-9)
        other = np.imag(u[1, 1] * u[2, 2] * np.conj(u[1, 2] * u[2, 1]))
        assert abs(other) == pytest.approx(abs(found), rel=1e-9)


def test_largest_invariant_is_the_published_one():
    """NuFIT gives 0.033 for either ordering; 0.096 is that of any matrix."""
    for ordering in ("normal", "inverted"):
        row = TABLE.values[ordering]
        found = jarlskog(row["sin2_12"], row["sin2_13"], row["sin2_23"], 90.0)
        assert found == pytest.approx(0.0333, abs=0.0007)
    third = jarlskog(0.5, 1.0 / 3.0, 0.5, 90.0)
    assert third == pytest.approx(1.0 / (6.0 * np.sqrt(3.0)), rel=1e-12)


@pytest.mark.parametrize("ordering", ["normal", "inverted"])
@pytest.mark.parametrize("light_meV", [0.0, 2.0, 5.0, 40.0])
def test_extremes_over_phases_are_those_of_a_grid(ordering, light_meV):
    band = double_beta_band(TABLE, ordering, np.array([light_meV]), sigmas=0.0)
    row = TABLE.values[ordering]
    values = {"m1_meV": light_meV, **{n: row[n] for n in PARAMETERS.oscillation}}
    angles = np.linspace(0.0, 360.0, 721)
    values |= {"alpha21_deg": angles[:, None], "alpha31_deg": angles, "delta_deg": 0.0}
    grid = Quantities(ordering, "majorana").of(values)["m_betabeta_meV"]
    assert np.max(grid) == pytest.approx(band.high[0], rel=1e-12)
    # half a degree from a root the length is a hundredth of the longest
    assert np.min(grid) == pytest.approx(band.low[0], abs=0.01 * band.high[0])
    assert np.min(grid) >= band.low[0] - 1e-12


def test_phases_close_a_triangle_only_if_no_side_is_too_long():
    assert over_phases(np.array([3.0, 4.0, 5.0]))[0] == 0.0
    assert over_phases(np.array([1.0, 1.0, 5.0])) == (3.0, 7.0)


@pytest.mark.parametrize("ordering", ["normal", "inverted"])
def test_degenerate_masses(ordering):
    """Far above the splittings: the sum is 3 m, m_beta is m, m_betabeta from m cos 2 theta_12."""
    light = 1e5
    row = TABLE.values[ordering]
    values = {"m1_meV": light, **{n: row[n] for n in PARAMETERS.oscillation}}
    values |= {"alpha21_deg": 180.0, "alpha31_deg": 180.0, "delta_deg": 0.0}
    found = Quantities(ordering, "majorana").of(values)
    assert found["sum_meV"] == pytest.approx(3.0 * light, rel=1e-6)
    assert found["m_beta_meV"] == pytest.approx(light, rel=1e-6)
    assert found["m_beta_squared_eV2"] == pytest.approx(1e4, rel=1e-6)
    s12, s13 = row["sin2_12"], row["sin2_13"]
    expected = light * ((1.0 - 2.0 * s12) * (1.0 - s13) - s13)
    assert found["m_betabeta_meV"] == pytest.approx(expected, rel=1e-5)


def test_published_ranges_of_massless_lightest_neutrinos():
    """Sums; inverted m_betabeta between 15 and 50 meV; normal 1 to 4 meV, within 3 sigma."""
    nothing = np.zeros(1)
    for ordering, least in ATLEAST.items():
        band = sum_band(TABLE, ordering, nothing)
        assert band.low[0] == pytest.approx(least, abs=1.0) and band.high[0] < least + 3.0
    inverted = double_beta_band(TABLE, "inverted", nothing)
    assert 14.0 < inverted.low[0] < 19.0 and 47.0 < inverted.high[0] < 51.0
    normal = double_beta_band(TABLE, "normal", nothing)
    assert 0.9 < normal.low[0] < 1.6 and 3.4 < normal.high[0] < 4.4
    assert double_beta_band(TABLE, "normal", np.array([4.0])).low[0] == 0.0


@pytest.mark.parametrize("ordering", ["normal", "inverted"])
def test_bands_hold_all_draws_within_them(ordering, rng):
    """Corners of the ranges are their extremes: no point inside is outside the band."""
    light = np.array([0.3, 3.0, 30.0])
    row, errors = TABLE.values[ordering], TABLE.sigmas[ordering]
    sums, both = sum_band(TABLE, ordering, light), double_beta_band(TABLE, ordering, light)
    for _ in range(200):
        steps = rng.uniform(-3.0, 3.0, len(PARAMETERS.oscillation))
        names = PARAMETERS.oscillation
        values = {n: row[n] + s * errors[n] for n, s in zip(names, steps, strict=True)}
        values |= {n: rng.uniform(0.0, 360.0) for n in PARAMETERS.phases} | {"m1_meV": light}
        found = Quantities(ordering, "majorana").of(values)
        for name, band in (("sum_meV", sums), ("m_betabeta_meV", both)):
            assert np.all(found[name] >= band.low * (1.0 - 1e-12) - 1e-12)
            assert np.all(found[name] <= band.high * (1.0 + 1e-12))


def test_only_the_difference_of_phases_is_seen():
    shares, masses = (0.6, 0.3, 0.02), (50.0, 51.0, 70.0)
    by_hand = abs(30.0 + 15.3 * np.exp(1j) + 1.4 * np.exp(2j))
    found = double_beta(shares, masses, np.rad2deg(1.0), np.rad2deg(2.0))
    assert found == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize(
    ("ordering", "nature"), list(itertools.product(("normal", "inverted"), ("dirac", "majorana")))
)
def test_slopes_are_those_of_differences(ordering, nature, rng):
    own = make_parameters(0.03, ordering, nature, 0.4, 1.1, 2.2, TABLE)
    rows = {
        name: GaussianPrior(TABLE.values[ordering][name], TABLE.sigmas[ordering][name])
        for name in PARAMETERS.oscillation
    }
    prior = build_prior(own, inference_with(), rows, 1.45, 1.0)
    vector = prior.sample(rng, 1)[0]
    quantities = quantities_of(prior, nature, 0.47)
    assert quantities.ordering == ordering
    slopes = quantities.slopes(prior, vector)
    for k, name in enumerate(prior.names):
        step = 1e-6 * max(abs(vector[k]), 1e-3)
        sides = []
        for sign in (1.0, -1.0):
            moved = vector.copy()
            moved[k] += sign * step
            sides.append(quantities.of(prior.values(moved)))
        for quantity, row in slopes.items():
            difference = (sides[0][quantity] - sides[1][quantity]) / (2.0 * step)
            size = abs(sides[0][quantity]) / step * 1e-15
            assert row[k] == pytest.approx(difference, rel=1e-5, abs=10.0 * size), (name, quantity)


def test_mixing_that_no_angle_has_is_no_invalid_root():
    """Proposals far outside have negative sin^2; with a slope there, too."""
    with np.errstate(invalid="raise", divide="raise"):
        for s13 in (-0.02, np.array([-0.5, 0.02]), -0.02 + 1e-200j):
            assert np.all(np.isfinite(jarlskog(0.3, s13, 0.5, 90.0)))
        values = {"m1_meV": 1.0, "dm2_21": 7e-5, "dm2_3l": 2.5e-3, "sin2_12": 0.3,
                  "sin2_13": -0.5, "delta_deg": 90.0}  # fmt: skip
        assert Quantities("normal", "dirac", 0.5).of(values)["m_beta_meV"] == pytest.approx(0.0)
