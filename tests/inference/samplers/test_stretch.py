"""A stretched coordinate: exact derivatives, an inverse, and densities that become normal."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_ndtr

from renp_infer.inference.samplers.stretch import UNCHANGED, stretch

WALL = np.array([-4.25, -3.5, -2.75, -2.0, -1.25, -0.5, 0.0, 0.2, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75])


def wall(z):
    """A slope on one side and a wall on the other, as a light mass has in the unit of its prior."""
    return (0.8 * z) ** 2 + 0.02 * np.exp(9.0 * z)


def test_a_normal_density_is_left_as_it_is():
    z = np.linspace(-4.2, 4.2, 15)
    found = stretch(z, z**2 + 7.0)
    for q in (-3.0, -0.4, 0.0, 2.2, 3.0):
        assert found(q) == pytest.approx((q, 1.0, 0.0), abs=5e-3)


def test_a_wall_becomes_normal():
    """Quantiles of the density itself, by a sum over a fine grid."""
    found = stretch(WALL, wall(WALL))
    grid = np.linspace(-9.0, 1.2, 400_001)
    mass = np.cumsum(np.exp(-0.5 * wall(grid)))
    for q in (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0):
        exact = np.interp(stats.norm.cdf(q) * mass[-1], mass, grid)
        assert found(q)[0] == pytest.approx(exact, abs=0.02)


def test_derivatives_are_those_of_the_map():
    found, step = stretch(WALL, wall(WALL)), 1e-5
    for q in (-8.0, -4.3, -1.1, 0.33, 2.7, 6.5):
        value, slope, bend = found(q)
        ahead, behind = found(q + step), found(q - step)
        assert slope > 0.0
        assert slope == pytest.approx((ahead[0] - behind[0]) / (2.0 * step), rel=1e-6)
        assert bend == pytest.approx((ahead[1] - behind[1]) / (2.0 * step), abs=1e-4)
        assert found.inverse(value) == pytest.approx(q, abs=1e-8)


@pytest.mark.parametrize(
    "chi_squared",
    [np.linspace(0.0, 20.0, 9), np.linspace(20.0, 0.0, 9), -(np.linspace(-4.0, 4.0, 9) ** 2)],
)
def test_what_does_not_end_is_not_stretched(chi_squared):
    assert stretch(np.linspace(-4.0, 4.0, 9), chi_squared) is UNCHANGED
    assert stretch(np.arange(3.0), np.array([9.0, 0.0, 9.0])) is UNCHANGED
    assert UNCHANGED(0.7) == (0.7, 1.0, 0.0)
    assert UNCHANGED.inverse(-3.2) == pytest.approx(-3.2)


def test_a_mass_at_the_end_of_a_uniform_prior():
    """Likelihood of a Gaussian in the mass: half a normal, in the unit coordinate of the prior."""
    u = np.linspace(-5.0, -1.5, 40)
    chi_squared = u**2 + (450.0 * np.exp(log_ndtr(u)) / 8.0) ** 2
    kept = chi_squared < chi_squared.min() + 18.0
    found = stretch(u[kept], chi_squared[kept])
    for q in (-2.0, -1.0, 0.0, 1.0, 2.0):
        mass = 450.0 * stats.norm.cdf(found(q)[0])
        exact = 8.0 * stats.norm.ppf(0.5 + 0.5 * stats.norm.cdf(q))
        assert mass == pytest.approx(exact, rel=0.02)
