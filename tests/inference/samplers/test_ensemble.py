"""Starts and ensembles: modes found from anywhere, phases without a seam."""

import numpy as np
import pytest

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.samplers.ensemble import sample_ensembles
from renp_infer.inference.samplers.start import Chart, local_gaussian, overdispersed
from tests.toys.response import (
    ToyResponse,
    observe,
    toy_angles,
    toy_field,
    toy_prior,
    toy_truth,
)
from tests.toys.settings import inference_with


def likelihood(sigma, points=21, width=0.02, **settings):
    toy, truth = ToyResponse(toy_angles(points), width=width), toy_truth()
    signal = toy_field(toy, truth)
    prior = toy_prior(truth, inference_with(**settings))
    data = observe(signal, sigma**2 * np.eye(points), toy.theta_s, 1)
    return Likelihood(prior, toy, data)


def test_residuals_are_the_posterior_and_its_jacobian_is_exact(rng):
    target = likelihood(0.01)
    chart = Chart(target)
    units = rng.standard_normal((2, target.prior.unit_size))
    points = [chart.from_unit(unit) for unit in units]
    losses = [0.5 * np.sum(chart.residuals(p) ** 2) for p in points]
    plain = chart.others.size
    expected = [
        0.5 * np.sum(p[:plain] ** 2) - target.log_likelihood(target.prior.from_unit(unit))
        for p, unit in zip(points, units, strict=True)
    ]
    assert losses[0] - losses[1] == pytest.approx(expected[0] - expected[1], rel=1e-9)
    step, jacobian = 1e-6, chart.jacobian(points[0])
    for k, column in enumerate(jacobian.T):
        move = step * np.eye(points[0].size)[k]
        slope = chart.residuals(points[0] + move) - chart.residuals(points[0] - move)
        small = max(1e-4 * np.abs(column).max(), 1e-6)
        assert column == pytest.approx(slope / (2 * step), rel=1e-5, abs=small)


def test_every_start_reaches_the_same_mode():
    """From random prior draws, thousands of standard deviations away."""
    target = likelihood(1e-3, points=61, width=0.01)
    for seed in range(6):
        start = overdispersed(target, 8, np.random.default_rng(seed))
        mass = target.prior.from_unit(start)[:, 0]
        assert np.abs(mass - 100.0).max() < 30.0


def test_local_gaussian_is_the_prior_without_data():
    target = likelihood(1e6)
    found = local_gaussian(Chart(target), np.random.default_rng(2))
    assert found.center == pytest.approx(np.zeros(found.center.size), abs=1e-4)
    assert found.factor == pytest.approx(np.eye(found.center.size), abs=1e-4)


def test_short_ensembles_say_so():
    target = likelihood(0.05)
    settings = inference_with(sampler="emcee", draws=4, tune=1, chains=2)
    unit, statistics = sample_ensembles(target, settings, np.random.SeedSequence(1))
    assert unit.shape[0] == 4
    assert statistics.attrs["length_rule_reached"] == 0
    assert statistics["lp"].shape == unit.shape[:2]


@pytest.mark.parametrize("tune", [1, pytest.param(200, marks=pytest.mark.slow)])
def test_steps_of_the_tuning_are_not_kept(tune):
    """At most half of what follows them is burn-in; before that nothing is kept."""
    target, draws = likelihood(0.05), 6
    settings = inference_with(sampler="emcee", draws=draws, tune=tune)
    walkers = 2 * target.prior.unit_size
    unit, statistics = sample_ensembles(target, settings, np.random.SeedSequence(1))
    steps = statistics["steps"].values
    assert np.all((steps - tune) % draws == 0)
    assert unit.shape[1] <= walkers * (steps.min() - tune)


def test_log_density_of_the_draws_is_the_posterior():
    """``lp`` is the log-likelihood plus the standard normal in unit coordinates."""
    target = likelihood(0.05)
    settings = inference_with(sampler="emcee", draws=4, tune=1)
    unit, statistics = sample_ensembles(target, settings, np.random.SeedSequence(1))
    for k in (0, -1):
        vector = target.prior.from_unit(unit[2, k])
        expected = target.log_likelihood(vector) - 0.5 * unit[2, k] @ unit[2, k]
        assert statistics["lp"].values[2, k] == pytest.approx(expected)
