"""Fast evidences against linear algebra and brute quadrature; honest probabilities pass."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import multivariate_normal, norm

from renp_infer.inference.judging import hypothesis_mocks
from renp_infer.inference.judging.hypothesis_mocks import draw_hypothesis
from renp_infer.inference.judging.reliability import (
    calibration_error,
    calibration_p_value,
    reliability_curve,
)
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.results.comparison import posterior_probabilities
from renp_infer.inference.samplers import mixture as mixture_module
from renp_infer.inference.samplers.importance import (
    ImportanceEstimate,
    Proposal,
    WeightedDraws,
    evidence,
    pooled_sample,
)
from renp_infer.inference.samplers.marginalised import marginalise
from renp_infer.inference.samplers.mixture import Mixture, no_bend
from tests.toys.likelihoods import mass_and_phase, phase_likelihood
from tests.toys.linear import COVARIANCE, LINEAR, linear_likelihood
from tests.toys.response import (
    ToyResponse,
    observe,
    toy_angles,
    toy_field,
    toy_prior,
    toy_truth,
)
from tests.toys.settings import inference_with


def test_evidence_of_the_linear_gaussian_model_is_exact():
    """Amplitude fixed: the data are Gaussian, their covariance is known."""
    likelihood = linear_likelihood(amplitude_sd=0.0, leakage_sd=0.2)
    prior, total = likelihood.prior, COVARIANCE.copy()
    center = prior.sample(np.random.default_rng(0), 1)[0]
    for name, value in (("baseline_nG", 0.0), ("leakage", 0.0)):
        center[prior.names.index(name)] = value
    for name in ("sin2_12", "sin2_13", "dm2_21", "dm2_3l"):
        center[prior.names.index(name)] = prior.marginals[name].mean
    mean, design = likelihood.linearise(center)
    for k, name in enumerate(prior.names):
        if name != "m1_meV":  # the toy does not see it
            total += prior.marginals[name].sd ** 2 * np.outer(design[:, k], design[:, k])
    exact = multivariate_normal(mean, total).logpdf(likelihood.data.vector)
    found = evidence(likelihood, np.random.default_rng(1), 4000)
    assert found.ess > 400
    assert found.error < 0.05
    assert found.log_z == pytest.approx(exact, abs=4.0 * found.error)


def parabola(points):
    """A bend of the second coordinate along the first."""
    shift = np.zeros_like(points)
    shift[:, 1] = 0.8 * (points[:, 0] ** 2 - 1.0)
    return shift


def test_a_proposal_that_lost_its_place_spoils_no_pool(monkeypatch):
    """One of four stands five widths off: the others' density bounds what its draws weigh."""
    likelihood = linear_likelihood(amplitude_sd=0.0, leakage_sd=0.2)
    target = marginalise(likelihood, np.random.default_rng(0)).target
    adapt, lost = Proposal.adapt, []

    def astray(self, rng, rounds):
        adapt(self, rng, rounds)
        if not lost:
            lost.append(self)
            found = self.mixture
            off = found.centers + 5.0 * np.sqrt([np.diag(one) for one in found.covariances])
            self.mixture = Mixture(found.weights, off, found.covariances, found.phases)

    alone = evidence(likelihood, np.random.default_rng(9), 8000).log_z
    monkeypatch.setattr(Proposal, "adapt", astray)
    rngs = [np.random.default_rng(k) for k in range(4)]
    pooled = pooled_sample(target, rngs, 1000)
    assert pooled.evidence.error < 0.05
    assert pooled.evidence.log_z == pytest.approx(alone, abs=4.0 * pooled.evidence.error)
    own = lost[0].draw(np.random.default_rng(5), 1000)
    assert pooled.ess > 20.0 * own.ess


@pytest.mark.parametrize("bend", [no_bend, parabola])
@pytest.mark.parametrize("phases", [0, 2])
def test_mixtures_are_normalised_and_sample_their_own_density(phases, bend, rng):
    """The prior's mass, as a mean of prior over mixture at draws of the mixture, is 1."""
    size = 2 + phases
    roots = rng.normal(size=(3, size, size))
    mixture = Mixture(
        np.array([0.5, 0.3, 0.2]),
        rng.normal(size=(3, size)),
        0.1 * np.eye(size) + 0.2 * roots @ roots.transpose(0, 2, 1),
        phases,
        bend,
    )
    points = mixture.sample(rng, 40_000)
    ratio = np.exp(mixture.log_prior(points) - mixture.log_density(points))
    assert ratio.mean() == pytest.approx(1.0, abs=4.5 * ratio.std() / np.sqrt(ratio.size))
    assert ratio.std() < 5.0
    turned = points.copy()
    turned[:, size - phases :] += 2.0 * np.pi
    assert mixture.log_density(turned) == pytest.approx(mixture.log_density(points), abs=1e-9)


def largest_weight(rng, count=20_000):
    """Of draws that a mixture proposes for a mass that only an upper end is known of, and their
    mean weight over the truth.

    The likelihood falls at a unit coordinate of -2, m1 = 10 meV of 450, with a width of 0.2; a
    second coordinate is measured to 1e-4, as if there were many: the prior's share is no help.
    """
    end, width, narrow = -2.0, 0.2, 1e-4
    exact = norm.cdf(end / np.hypot(1.0, width))
    grid = np.linspace(-8.0, 0.0, 4001)
    mass = norm.pdf(grid) * norm.cdf((end - grid) / width)
    mean = np.average(grid, weights=mass)
    spread = np.average((grid - mean) ** 2, weights=mass)
    covariance = np.diag([spread, narrow**2])
    mixture = Mixture(np.ones(1), np.array([[mean, 0.0]]), covariance[None], 0)
    points = mixture.sample(rng, count)
    posterior = norm.logpdf(points[:, 0]) + norm.logcdf((end - points[:, 0]) / width)
    posterior += norm.logpdf(points[:, 1], 0.0, narrow)
    weights = np.exp(posterior - mixture.log_density(points))
    error = weights.std() / np.sqrt(count) / exact
    assert weights.mean() / exact == pytest.approx(1.0, abs=4.5 * error)
    return weights.max() / exact


def test_no_draw_outweighs_the_others_where_a_mass_comes_up_to_its_end(monkeypatch):
    streams = range(3)
    assert max(largest_weight(np.random.default_rng(k)) for k in streams) < 2.5
    monkeypatch.setattr(mixture_module, "LENGTH", 1.0)
    assert max(largest_weight(np.random.default_rng(k)) for k in streams) > 10.0


def test_levelled_weights_are_those_of_even_draws_and_cap_a_few(rng):
    even = np.log(rng.uniform(0.9, 1.0, 400))
    draws = WeightedDraws(np.zeros((400, 1)), np.zeros((400, 1)), np.zeros((400, 1)), even)
    assert np.sum(draws.levelled) == pytest.approx(np.sum(draws.weights), rel=1e-3)
    heavy = replace(draws, log_weights=np.append(even[:-1], 9.0))
    assert heavy.ess < 1.5
    assert np.sum(heavy.levelled) ** 2 / np.sum(heavy.levelled**2) > 390.0


def test_every_mode_is_there_with_its_mirror_image():
    target = marginalise(phase_likelihood(0.3), np.random.default_rng(0)).target
    mixture = Proposal(target, np.random.default_rng(1)).mixture
    half = len(mixture.centers) // 2
    assert mixture.centers[half:, -1] == pytest.approx(-mixture.centers[:half, -1])
    assert mixture.centers[half:, :-1] == pytest.approx(mixture.centers[:half, :-1])
    points = mixture.sample(np.random.default_rng(2), 50)
    mirrored = points * np.array([1.0, -1.0])
    assert mixture.log_density(mirrored) == pytest.approx(mixture.log_density(points))


@pytest.mark.parametrize("seed", range(4))
def test_data_that_say_nothing_have_their_density_as_evidence(seed):
    """All phases free and none of them seen: searches could leap by any number of turns."""
    toy, truth = ToyResponse(toy_angles(31)), toy_truth("majorana")
    prior = toy_prior(truth, inference_with())
    field = toy_field(toy, truth)
    data = observe(field, 1e20 * np.eye(31), toy.theta_s, 6)
    likelihood = Likelihood(prior, toy, data)
    level = likelihood.log_likelihood(prior.sample(np.random.default_rng(0), 1)[0])
    found = evidence(likelihood, np.random.default_rng(seed), 2000)
    assert found.log_z == pytest.approx(level, abs=5.0 * found.error + 1e-9)
    assert found.error < 0.05
    target = marginalise(likelihood, np.random.default_rng(0)).target
    mixture = Proposal(target, np.random.default_rng(seed)).mixture
    phases = mixture.centers[:, -mixture.phases :]
    assert np.all(np.abs(phases) <= np.pi)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_evidence_where_phases_are_seen_a_little_is_that_of_the_prior(seed):
    """Against the mean of the likelihood over draws of the prior, with all parameters free."""
    toy, truth = ToyResponse(toy_angles(31)), toy_truth("majorana")
    prior = toy_prior(truth, inference_with(m1_max_meV=200.0))
    field = toy_field(toy, truth)
    likelihood = Likelihood(prior, toy, observe(field, 0.36 * np.eye(31), toy.theta_s, 6))
    draws = prior.sample(np.random.default_rng(1), 20_000)
    logs = np.array([likelihood.log_likelihood(draw) for draw in draws])
    weights = np.exp(logs - logs.max())
    exact = logs.max() + np.log(weights.mean())
    error = weights.std() / weights.mean() / np.sqrt(weights.size)
    found = evidence(likelihood, np.random.default_rng(seed), 4000)
    assert error < 0.05
    assert found.log_z == pytest.approx(exact, abs=4.5 * np.hypot(error, found.error))


def test_a_wide_amplitude_is_not_integrated():
    """Evidence with a spread of 2, against the mean of the likelihood over draws of the prior."""
    likelihood = linear_likelihood(amplitude_sd=2.0)
    wider = replace(likelihood.data, covariance=400.0 * COVARIANCE)
    likelihood = Likelihood(likelihood.prior, LINEAR, wider, likelihood.shapes)
    assert "amplitude" in marginalise(likelihood, np.random.default_rng(0)).target.prior.names
    draws = likelihood.prior.sample(np.random.default_rng(1), 20_000)
    weights = np.exp([likelihood.log_likelihood(draw) for draw in draws])
    error = weights.std() / weights.mean() / np.sqrt(weights.size)
    found = evidence(likelihood, np.random.default_rng(2), 4000)
    exact = np.log(weights.mean())
    assert found.log_z == pytest.approx(exact, abs=4.5 * np.hypot(error, found.error))


@pytest.mark.parametrize("sigma", [3.0, 0.3])
@pytest.mark.slow
def test_evidence_with_a_phase_is_that_of_a_grid(sigma):
    """Mass and phase on a fine grid: from data that say little to data that fix both."""
    likelihood = phase_likelihood(sigma)
    _, _, logs = mass_and_phase(likelihood, 150)
    exact = logs.max() + np.log(np.mean(np.exp(logs - logs.max())))
    found = evidence(likelihood, np.random.default_rng(3), 3000)
    assert found.log_z == pytest.approx(exact, abs=4.0 * found.error + 0.005)
    assert found.error < 0.1


def test_honest_probabilities_pass_and_boasting_ones_fail(rng):
    logs = 1.5 * rng.standard_normal((400, 4))
    predicted = softmax(logs, axis=1)
    truth = np.array([rng.choice(4, p=row) for row in predicted])
    p_value, expected = calibration_p_value(predicted, truth, rng)
    assert p_value > 1e-3
    error = calibration_error(predicted, truth)
    assert error < 2.0 * expected
    boasting = softmax(2.5 * logs, axis=1)
    assert calibration_p_value(boasting, truth, rng)[0] < 1e-3
    assert calibration_error(boasting, truth) > 2.0 * error


def test_reliability_curve_counts_every_probability():
    predicted = np.array([[0.9, 0.1], [0.85, 0.15], [0.2, 0.8]])
    rows = reliability_curve(predicted, np.array([0, 1, 1]))
    assert sum(row.count for row in rows) == 6
    last = rows[-1]
    assert (last.low, last.high, last.count, last.found) == (0.9, 1.0, 1, 1.0)
    eighties = rows[-2]
    assert eighties.found == 0.5
    assert eighties.predicted == pytest.approx(0.825)
    assert eighties.error == pytest.approx(np.sqrt(0.85 * 0.15 + 0.8 * 0.2) / 2)
    # by bin of the predictions: 0.1 and 0.15 together, 0.2, two eighties, 0.9
    gaps = [abs(0.1 + 0.15 - 1.0), 0.2, abs(0.85 + 0.8 - 1.0), 0.1]
    assert calibration_error(predicted, np.array([0, 1, 1])) == pytest.approx(sum(gaps) / 6)


def test_hypotheses_that_data_cannot_tell_apart_stay_at_their_odds():
    likelihood = linear_likelihood(amplitude_sd=0.0)
    found = draw_hypothesis([likelihood] * 2, np.ones(2), np.random.SeedSequence(5), 2000)
    assert found.failure == ""
    gap = abs(found.log_z[0] - found.log_z[1])
    assert gap < 4.0 * np.hypot(*found.error)


def test_hypotheses_are_drawn_with_their_odds(monkeypatch):
    monkeypatch.setattr(hypothesis_mocks, "evidence", lambda *_: ImportanceEstimate(0.0, 0.1, 60.0))
    likelihood, odds = linear_likelihood(amplitude_sd=0.0), np.array([3.0, 0.0, 1.0])
    seeds = np.random.SeedSequence(6).spawn(400)
    truths = [draw_hypothesis([likelihood] * 3, odds, seed, 10).truth for seed in seeds]
    counts = np.bincount(truths, minlength=3)
    assert counts[1] == 0
    assert abs(counts[0] - 300) < 4.0 * np.sqrt(400 * 0.75 * 0.25)


@pytest.mark.slow
@pytest.mark.parametrize("odds", [(1.0, 1.0), (4.0, 1.0)])
def test_probabilities_of_toy_hypotheses_are_calibrated(odds):
    """Two models that the data tell apart in part; evidences as the calibration uses them."""
    toy = [
        linear_likelihood(amplitude_sd=0.0),
        linear_likelihood(amplitude_sd=0.0, baseline_sd=0.3),
    ]
    seeds, odds = np.random.SeedSequence(9).spawn(150), np.array(odds)
    rows = [draw_hypothesis(toy, odds, seed, 1000) for seed in seeds]
    predicted = posterior_probabilities([row.log_z for row in rows], odds)
    truth = np.array([row.truth for row in rows])
    assert predicted.max() > 0.9
    assert calibration_p_value(predicted, truth, np.random.default_rng(0))[0] > 1e-3
