"""Independence Metropolis: the chain itself, and posteriors that are not normal."""

import numpy as np
import pytest

from renp_infer.inference.priors.phases import ALPHA21
from renp_infer.inference.results.diagnostics import convergence
from renp_infer.inference.samplers.independence import _path, sample_independence
from tests.toys.likelihoods import free_phases, mass_and_phase, phase_likelihood
from tests.toys.linear import linear_likelihood
from tests.toys.settings import inference_with


def test_a_chain_has_the_density_of_its_weights(rng):
    """Proposals uniform on [0, 1], weights 2 x: a triangle, whose moments are known."""
    proposals = rng.uniform(size=200_000)
    with np.errstate(divide="ignore"):
        states = proposals[_path(np.log(proposals), rng)]
    draws = states.reshape(4, -1)
    error = np.sqrt(1.0 / 18.0) / np.sqrt(convergence(draws).ess_bulk)
    assert error < 2e-3
    assert states.mean() == pytest.approx(2.0 / 3.0, abs=4.5 * error)
    assert np.mean(states < 0.5) == pytest.approx(0.25, abs=4.5 * 2.0 * error)


def test_every_parameter_is_drawn_together_with_its_density():
    """Amplitude, baseline and leakage are drawn back: the log posterior is that of the draw."""
    likelihood = linear_likelihood(leakage_sd=0.2)
    settings = inference_with(sampler="independence", draws=40, tune=200)
    vectors, statistics = sample_independence(likelihood, settings, np.random.SeedSequence(5))
    for chain, densities in zip(vectors, statistics["lp"].values, strict=True):
        expected = [likelihood.log_posterior(vector) for vector in chain]
        assert densities == pytest.approx(expected, rel=1e-9)
    for name in ("amplitude", "baseline_nG", "leakage"):
        column = vectors[..., likelihood.prior.names.index(name)]
        assert len(np.unique(column)) == column.size


@pytest.mark.slow
def test_both_signs_of_measured_phases_are_in_every_chain():
    """The signal is the same for both: half of each chain, within the error of that chain.

    A sign changes only with an accepted proposal, one in four here, fewer where the proposal
    covers the posterior badly. After 500 draws to fit it a chain of 500 can have 25 effective
    ones, an error of 0.1, which would test nothing; one of 2000 had 73.
    """
    likelihood = free_phases(1e-3, amplitude_sd=0.0)
    settings = inference_with(sampler="independence", draws=8000, tune=2000)
    vectors, _ = sample_independence(likelihood, settings, np.random.SeedSequence(3))
    sine = np.sin(np.deg2rad(vectors[..., likelihood.prior.names.index(ALPHA21)]))
    assert np.mean(np.abs(sine) < 0.1) < 0.02  # two modes, apart
    for positive in (sine > 0.0).astype(float):
        size = convergence(positive.reshape(2, -1)).ess_bulk
        assert size > 100.0
        assert positive.mean() == pytest.approx(0.5, abs=4.5 * 0.5 / np.sqrt(size))


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [3.0, 0.3])
def test_a_mass_with_a_phase_is_that_of_a_grid(sigma):
    """From data that say little to data that fix the mass."""
    likelihood = phase_likelihood(sigma)
    masses, phases, logs = mass_and_phase(likelihood, 300)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    settings = inference_with(sampler="independence", draws=1000, tune=600)
    vectors, statistics = sample_independence(likelihood, settings, np.random.SeedSequence(2))
    found = convergence(vectors[..., 0])
    assert found.r_hat < 1.01
    mean = weights.sum(axis=1) @ masses
    sd = np.sqrt(weights.sum(axis=1) @ (masses - mean) ** 2)
    error = sd / np.sqrt(found.ess_bulk)
    assert vectors[..., 0].mean() == pytest.approx(mean, abs=4.5 * error)
    assert vectors[..., 0].std() == pytest.approx(sd, abs=9.0 * error / np.sqrt(2.0))
    cosine = np.cos(np.deg2rad(vectors[..., 1]))
    exact = weights.sum(axis=0) @ np.cos(np.deg2rad(phases))
    assert cosine.mean() == pytest.approx(
        exact, abs=4.5 * cosine.std() / np.sqrt(convergence(cosine).ess_bulk)
    )
    densities = [likelihood.log_posterior(vector) for vector in vectors[0, :3]]
    assert statistics["lp"].values[0, :3] == pytest.approx(densities)


@pytest.mark.slow
def test_draws_are_those_of_the_seed():
    likelihood = phase_likelihood(0.3)
    settings = inference_with(sampler="independence", chains=2, draws=1200, tune=60)
    one, again, other = (
        sample_independence(likelihood, settings, np.random.SeedSequence(seed))[0]
        for seed in (3, 3, 4)
    )
    assert one.shape == (2, 1200, 2)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
