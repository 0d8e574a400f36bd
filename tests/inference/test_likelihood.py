"""The NumPy likelihood against scipy and finite differences."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from renp_infer.errors import DomainError, NonFiniteError
from renp_infer.inference.likelihood import Likelihood
from tests.toys.response import (
    ToyResponse,
    observe,
    toy_angles,
    toy_field,
    toy_prior,
    toy_truth,
)
from tests.toys.settings import inference_with

THETA = toy_angles(31)
TOY = ToyResponse(THETA)
SIGMA = 0.05


def covariance(correlated):
    white = SIGMA**2 * np.eye(THETA.size)
    lag = np.abs(np.subtract.outer(np.arange(THETA.size), np.arange(THETA.size)))
    return white + correlated * SIGMA**2 * np.exp(-lag / 8.0)


LEAKAGE = np.linspace(1.0, 0.3, THETA.size) ** 2
SHAPES = {"leakage": LEAKAGE}


def likelihood(correlated, response=TOY):
    settings = inference_with(m1_max_meV=200.0, leakage_sd=0.3)
    prior = toy_prior(toy_truth(), settings)
    truth = toy_field(TOY, toy_truth())
    data = observe(truth, covariance(correlated), THETA, seed=3)
    return Likelihood(prior, response, data, SHAPES)


class Broken:
    theta_s = THETA

    def __call__(self, x):
        return np.full(THETA.size, np.nan), np.zeros((THETA.size, x.size))


@pytest.mark.parametrize("correlated", [0, 3])
def test_normalised_as_the_multivariate_normal(correlated, rng):
    target = likelihood(correlated)
    for vector in target.prior.sample(rng, 5):
        oracle = stats.multivariate_normal(target.mean(vector), covariance(correlated))
        expected = oracle.logpdf(target.data.vector)
        assert target.log_likelihood(vector) == pytest.approx(expected, rel=1e-10)


def test_mean_is_amplitude_times_template_plus_baseline_plus_leakage(rng):
    target = likelihood(0)
    vector = target.prior.sample(rng, 1)[0]
    names = target.prior.names
    template = TOY(target.prior.to_response_vector(vector))[0]
    expected = vector[names.index("amplitude")] * template + vector[names.index("baseline_nG")]
    expected += vector[names.index("leakage")] * LEAKAGE
    assert target.mean(vector) == pytest.approx(expected, rel=1e-14)


class Alone(ToyResponse):
    """Gives templates without Jacobians, which nobody may ask for."""

    def __call__(self, x):
        raise AssertionError("a Jacobian was not asked for")

    def templates(self, points):
        return np.array([TOY(x)[0] for x in points])


def test_means_of_many_are_those_of_each_whether_or_not_templates_come_alone(rng):
    """To the bit, and by the Jacobian's path."""
    vectors, target, alone = toy_vectors(rng, 6), likelihood(0), likelihood(0, Alone(THETA))
    each = [target.linearise(vector)[0] for vector in vectors]
    np.testing.assert_array_equal(target.means(vectors), each)
    np.testing.assert_array_equal(alone.means(vectors), each)
    np.testing.assert_array_equal(alone.mean(vectors[3]), each[3])


def toy_vectors(rng, count):
    return likelihood(0).prior.sample(rng, count)


def test_the_first_of_many_points_that_breaks_is_named(rng):
    class Breaks(Alone):
        def templates(self, points):
            found = super().templates(points)
            found[[2, 4]] = np.inf
            return found

    vectors = toy_vectors(rng, 6)
    with pytest.raises(NonFiniteError) as caught:
        likelihood(0, Breaks(THETA)).means(vectors)
    assert caught.value.values == likelihood(0).prior.values(vectors[2])


def test_pointwise_terms_are_the_conditionals(rng):
    target = likelihood(3)
    vector = target.prior.sample(rng, 1)[0]
    mean, data, full = target.mean(vector), target.data.vector, covariance(3)
    for i in (0, 1, 17):
        gain = np.linalg.solve(full[:i, :i], full[:i, i])
        center = mean[i] + gain @ (data[:i] - mean[:i])
        sd = np.sqrt(full[i, i] - gain @ full[:i, i])
        expected = stats.norm(center, sd).logpdf(data[i])
        assert target.pointwise(vector)[i] == pytest.approx(expected, rel=1e-9)


def test_decorrelated_noise_is_white(rng):
    target = likelihood(3)
    noise = target.whitening.cholesky @ rng.standard_normal((THETA.size, 20000))
    pulls = target.whitening.decorrelate(noise) / target.whitening.scale[:, None]
    assert np.cov(pulls) == pytest.approx(np.eye(THETA.size), abs=6 / np.sqrt(20000))


@pytest.mark.parametrize("correlated", [0, 3])
def test_gradient_matches_finite_differences(correlated, rng):
    target = likelihood(correlated)
    spread = target.prior.sample(rng, 200).std(axis=0)
    for vector in target.prior.sample(rng, 3):
        gradient = target.gradient(vector)
        for k, scale in enumerate(spread):
            step = np.zeros(vector.size)
            step[k] = 1e-5 * scale
            slope = target.log_likelihood(vector + step) - target.log_likelihood(vector - step)
            assert gradient[k] * scale == pytest.approx(slope / 2e-5, rel=1e-4, abs=1e-3)


def test_a_response_that_is_not_finite_is_named_with_its_parameters(rng):
    target = likelihood(0, Broken())
    vector = target.prior.sample(rng, 1)[0]
    with pytest.raises(NonFiniteError) as caught:
        target.log_posterior(vector)
    assert caught.value.values == target.prior.values(vector)


def test_outside_the_prior_the_response_is_not_asked(rng):
    target = likelihood(0, Broken())
    vector = target.prior.sample(rng, 1)[0]
    vector[0] = -1.0
    assert target.log_posterior(vector) == -np.inf


@pytest.mark.parametrize("correlated", [False, True])
def test_other_data_are_those_of_a_likelihood_made_for_them(correlated, rng):
    target = likelihood(correlated)
    field = rng.normal(size=target.decorrelated.size)
    other = target.with_data(field)
    observation = replace(target.data, vector=field)
    fresh = Likelihood(target.prior, target.response, observation, target.shapes)
    vector = target.prior.sample(rng, 1)[0]
    assert other.log_likelihood(vector) == fresh.log_likelihood(vector)
    assert other.log_likelihood(vector) != target.log_likelihood(vector)
    assert np.array_equal(other.data.vector, field)
    field[3] = np.nan
    with pytest.raises(NonFiniteError, match="field_nG"):
        target.with_data(field)


def test_data_and_covariance_must_make_sense():
    prior = likelihood(0).prior
    zeros = np.zeros(THETA.size)
    with pytest.raises(DomainError, match="covariance"):
        Likelihood(prior, TOY, observe(zeros, -covariance(0), THETA), SHAPES)
    with pytest.raises(NonFiniteError, match="field_nG"):
        Likelihood(prior, TOY, observe(zeros + np.nan, covariance(0), THETA), SHAPES)
    with pytest.raises(DomainError, match="shape of leakage"):
        Likelihood(prior, TOY, observe(zeros, covariance(0), THETA))
