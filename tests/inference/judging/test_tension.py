"""Distances of constraints from data against the exact ones of Gaussians."""

import numpy as np
import pytest

from renp_infer.inference.judging.tension import tensions
from renp_infer.inference.knowledge.constraints import GaussianConstraint, LimitConstraint
from tests.toys.external import external, table
from tests.toys.linear import linear_likelihood

N = 40_000


@pytest.fixture
def prior():
    return linear_likelihood(amplitude_sd=0.0).prior


def drawn(prior, rng, name, mean, sd):
    """Draws of the prior with another law of one parameter."""
    vectors = prior.sample(rng, N)
    vectors[:, prior.names.index(name)] = rng.normal(mean, sd, N)
    return vectors


@pytest.mark.parametrize("sd", [1e-4, 4e-4])
def test_of_gaussians_it_is_the_distance_in_the_errors_of_both(prior, rng, sd):
    """Data 0.025 +- sd, constraint 0.022 +- 4e-4: the posterior is their product."""
    precision = sd**-2 + 4e-4**-2
    mean = (0.025 * sd**-2 + 0.022 * 4e-4**-2) / precision
    vectors = drawn(prior, rng, "sin2_13", mean, precision**-0.5)
    term = GaussianConstraint("r", ("sin2_13",), np.array([0.022]), np.array([[1.6e-7]]))
    found = tensions(external(term, nature="dirac"), prior, vectors)["r"]
    assert found.sigma == pytest.approx(0.003 / np.hypot(sd, 4e-4), rel=0.03)
    assert found.chi_squared == pytest.approx(found.sigma**2, rel=1e-6)
    assert found.found["sin2_13"] == pytest.approx(mean, rel=1e-3)


def test_a_posterior_that_is_the_constraint_is_not_far_from_it(prior, rng):
    vectors = drawn(prior, rng, "sin2_13", 0.022, 4e-4)
    term = GaussianConstraint("r", ("sin2_13",), np.array([0.022]), np.array([[1.6e-7]]))
    assert tensions(external(term, nature="dirac"), prior, vectors)["r"].sigma < 0.5


def test_a_limit_far_below_the_masses_and_one_above(prior, rng):
    """145 meV against half a normal of 33: 4.4 standard deviations."""
    vectors = drawn(prior, rng, "m1_meV", 40.0, 0.35)
    sd = 64.2 / 1.959964
    terms = [LimitConstraint(n, "sum_meV", x, 0.95) for n, x in (("low", 64.2), ("high", 900.0))]
    found = tensions(external(*terms, nature="dirac"), prior, vectors)
    total = found["low"].found["sum_meV"]
    assert found["low"].sigma == pytest.approx(total / sd, rel=0.02)
    assert found["high"].sigma < 1.0
    assert tensions(external(), prior, vectors) == {}


def test_a_table_counts_as_its_parabola(prior, rng):
    """Its smallest chi-squared is at 200 meV, 60 wide."""
    vectors = drawn(prior, rng, "m1_meV", 140.0, 0.1)
    found = tensions(external(table(), nature="dirac"), prior, vectors)["table"]
    assert found.sigma == pytest.approx((found.found["sum_meV"] - 200.0) / 60.0, rel=0.02)
