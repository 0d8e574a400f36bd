"""Mock observations: reproducible, with the covariance they claim."""

import numpy as np
import pytest

from renp_infer.errors import DomainError
from renp_infer.measurement.mock import observe

THETA = np.linspace(0.8, 1.2, 4)
SIGNAL = np.array([1.0, -2.0, 3.0, 0.5])
LAG = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
COVARIANCE = 0.04 * np.eye(4) + 0.09 * np.exp(-LAG / 2.0)


def rng(seed=1):
    return np.random.default_rng(seed)


def test_same_seed_same_data():
    first = observe(SIGNAL, THETA, COVARIANCE, rng())
    np.testing.assert_array_equal(
        first.field_nG, observe(SIGNAL, THETA, COVARIANCE, rng()).field_nG
    )
    other = observe(SIGNAL, THETA, COVARIANCE, rng(2))
    assert not np.any(first.field_nG == other.field_nG)


def test_without_noise_the_signal_itself_and_no_draw():
    source = rng()
    seen = observe(SIGNAL, THETA, COVARIANCE, source, noise="none", normalised=True)
    np.testing.assert_array_equal(seen.field_nG, SIGNAL)
    assert source.standard_normal() == rng().standard_normal()
    assert seen.normalised
    assert not observe(SIGNAL, THETA, COVARIANCE, source).normalised


def test_draws_have_the_mean_and_covariance():
    source, runs = rng(20211207), 20_000
    draws = np.array([observe(SIGNAL, THETA, COVARIANCE, source).field_nG for _ in range(runs)])
    sigma = np.sqrt(np.diag(COVARIANCE))
    assert np.abs((draws.mean(axis=0) - SIGNAL) / sigma).max() < 4.5 / np.sqrt(runs)
    variance = np.diag(COVARIANCE)
    spread = np.sqrt((np.outer(variance, variance) + COVARIANCE**2) / runs)
    assert np.abs((np.cov(draws.T) - COVARIANCE) / spread).max() < 4.5


def test_an_observation_owns_its_data():
    signal = SIGNAL.copy()
    seen = observe(signal, THETA, COVARIANCE, rng())
    np.testing.assert_array_equal(signal, SIGNAL)
    np.testing.assert_allclose(seen.sigma_nG, np.sqrt(np.diag(COVARIANCE)))
    np.testing.assert_array_equal(seen.theta_s, THETA)
    assert not np.shares_memory(seen.covariance_nG2, COVARIANCE)


@pytest.mark.parametrize(
    ("angles", "covariance", "blamed"),
    [
        (THETA[:3], COVARIANCE, "theta_s"),
        (THETA, COVARIANCE[:3, :3], "covariance_nG2"),
        (THETA, COVARIANCE - 0.5 * np.eye(4), "eigenvalue"),
    ],
)
def test_refusals(angles, covariance, blamed):
    with pytest.raises(DomainError, match=blamed):
        observe(SIGNAL, angles, covariance, rng())
