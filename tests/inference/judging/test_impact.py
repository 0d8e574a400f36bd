"""Impacts from draws, against fits done again with a nuisance fixed or freed."""

import numpy as np
import pytest
from scipy.special import ndtr

from renp_infer.inference.judging.impact import impacts
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.marginals import Circular, LogNormal, Normal, Uniform
from renp_infer.inference.priors.prior import Prior
from tests.toys.response import (
    ToyResponse,
    observe,
    toy_angles,
    toy_field,
    toy_prior,
    toy_truth,
)
from tests.toys.settings import inference_with

DRAWS = 40_000
MONTE_CARLO = 1.0 / np.sqrt(DRAWS)
"""Draws here are independent."""


def gaussian_case(seed=3):
    """Draws of a Gaussian posterior of m1 and two nuisances, and its exact precision.

    Nuisances have standard normal priors and m1 a flat one, wide enough to be flat.
    """
    design = np.array([[1.0, 0.6, -0.8], [0.2, 1.2, 0.3], [0.5, -0.2, 0.5], [0.1, 0.3, -0.9]])
    data = np.array([50.0, 11.0, 25.0, 6.0])
    information = design.T @ design
    precision = information + np.diag([0.0, 1.0, 1.0])
    mean = np.linalg.solve(precision, design.T @ data)
    rng = np.random.default_rng(seed)
    draws = rng.multivariate_normal(mean, np.linalg.inv(precision), DRAWS)
    return draws, information, design.T @ data


def refit(information, score, fixed=None, freed=None):
    """Mean and sd of m1 with one nuisance fixed at a value, or without its prior."""
    precision = information + np.diag([0.0, *(float(k != freed) for k in (1, 2))])
    if fixed is None:
        covariance = np.linalg.inv(precision)
        return (covariance @ score)[0], np.sqrt(covariance[0, 0])
    place, value = fixed
    keep = [k for k in range(3) if k != place]
    covariance = np.linalg.inv(precision[np.ix_(keep, keep)])
    mean = covariance @ (score[keep] - precision[keep, place] * value)
    return mean[0], np.sqrt(covariance[0, 0])


@pytest.mark.parametrize("place", [1, 2])
def test_gaussian_impacts_are_those_of_refits(place):
    draws, information, score = gaussian_case()
    marginals = {"m1_meV": Uniform(-1e3, 1e3), "a": Normal(0.0, 1.0), "b": Normal(0.0, 1.0)}
    found = impacts(Prior(marginals, {}), draws[None], DRAWS)
    assert found.mean_meV == pytest.approx(np.mean(draws[:, 0]))
    assert found.sd_meV == pytest.approx(np.std(draws[:, 0]))
    row = found.nuisances["ab"[place - 1]]
    mean, sd = refit(information, score)
    center = row.pull + row.width * np.array([-1.0, 1.0])
    moved = [refit(information, score, fixed=(place, value)) for value in center]
    assert abs(moved[1][0] - mean) > 0.2 * sd  # there is something to see
    for key, (shifted, _) in zip(("down_meV", "up_meV"), moved, strict=True):
        assert getattr(row, key) == pytest.approx(shifted - mean, abs=4.5 * row.error_meV)
    assert row.error_meV < 0.04 * sd
    # sds of N independent draws are known to 1 / sqrt(2 N)
    assert row.fixed_sd_meV == pytest.approx(moved[0][1], rel=3.5 * MONTE_CARLO)
    freed_mean, freed_sd = refit(information, score, freed=place)
    gain = 1.0 / (1.0 - row.width**2)
    tolerance = 4.5 * MONTE_CARLO * gain
    assert row.freed_shift_meV == pytest.approx(freed_mean - mean, abs=2.0 * tolerance * sd)
    assert row.freed_sd_meV == pytest.approx(freed_sd, rel=tolerance)
    alone = 1.0 / np.sqrt(information[0, 0])
    assert found.statistical_sd_meV == pytest.approx(alone, rel=3.5 * MONTE_CARLO)


def toy_posterior(index_sd=0.005, sigma=0.1):
    """Grid of m1 and refractive index with the toy's posterior, not Gaussian, on it."""
    toy, truth = ToyResponse(toy_angles(31)), toy_truth()
    settings = inference_with(
        amplitude_sd=0.0, baseline_sd=0.0, refractive_index_sd=index_sd, phases="fixed",
        theta_s_offset_sd_deg=0.0, theta_e_offset_sd_deg=0.0, oscillation_errors=False,
    )  # fmt: skip
    signal = toy_field(toy, truth)
    prior = toy_prior(truth, settings)
    data = observe(signal, sigma**2 * np.eye(31), toy.theta_s, seed=4)
    likelihood = Likelihood(prior, toy, data)
    mass = np.linspace(0.0, 200.0, 141)
    index = 1.45 + index_sd * np.linspace(-5.5, 5.5, 89)
    logs = [[likelihood.log_likelihood(np.array([m, n])) for n in index] for m in mass]
    return prior, mass, index, np.exp(np.array(logs) - np.max(logs))


def moments(mass, weights):
    weights = weights / weights.sum()
    mean = weights @ mass
    return mean, np.sqrt(weights @ (mass - mean) ** 2)


def test_impacts_of_a_curved_posterior_are_those_of_refits_within_their_error():
    prior, mass, index, likelihood = toy_posterior()
    z = prior.marginals["refractive_index"].to_unit(index)
    posterior = likelihood * np.exp(-0.5 * z**2)
    assert posterior[-1].max() < 1e-6 > posterior[:, [0, -1]].max()  # 0 is a bound
    rng = np.random.default_rng(5)
    cells = rng.choice(posterior.size, DRAWS, p=(posterior / posterior.sum()).ravel())
    rows, columns = np.unravel_index(cells, posterior.shape)
    draws = np.stack([mass[rows], index[columns]], axis=-1)
    row = impacts(prior, draws, DRAWS).nuisances["refractive_index"]
    mean, sd = moments(mass, posterior.sum(axis=1))
    for key, step in (("down_meV", -1.0), ("up_meV", 1.0)):
        place = np.interp(row.pull + step * row.width, z, np.arange(z.size))
        low, share = int(place), place - int(place)
        pair = [moments(mass, posterior[:, k])[0] for k in (low, low + 1)]
        shift = (1.0 - share) * pair[0] + share * pair[1] - mean
        assert abs(shift) > 0.2 * sd
        assert getattr(row, key) == pytest.approx(shift, abs=3.5 * row.error_meV)
    center = int(np.argmin(np.abs(z - row.pull)))
    assert row.fixed_sd_meV == pytest.approx(moments(mass, posterior[:, center])[1], rel=0.05)


def test_a_nuisance_that_the_data_do_not_bound_has_no_freed_numbers():
    rng = np.random.default_rng(6)
    draws = np.stack([rng.normal(50.0, 2.0, 4000), rng.normal(0.0, 1.0, 4000)], axis=-1)
    prior = Prior({"m1_meV": Uniform(0.0, 450.0), "a": Normal(0.0, 1.0)}, {})
    row = impacts(prior, draws, 4000.0).nuisances["a"]
    assert (row.freed_shift_meV, row.freed_sd_meV) == (None, None)
    assert abs(row.up_meV) < 4.5 * row.error_meV


def test_a_phase_moves_the_mass_by_its_first_harmonic():
    rng = np.random.default_rng(7)
    phase = rng.uniform(0.0, 360.0, DRAWS)
    mass = 50.0 + 3.0 * np.cos(np.deg2rad(phase - 40.0)) + rng.normal(0.0, 2.0, DRAWS)
    prior = Prior({"m1_meV": Uniform(0.0, 450.0), "delta_deg": Circular()}, {})
    found = impacts(prior, np.stack([mass, phase], axis=-1), DRAWS)
    row = found.nuisances["delta_deg"]
    assert row.up_meV == pytest.approx(3.0, abs=4.5 * row.error_meV)
    assert row.fixed_sd_meV == pytest.approx(2.0, rel=3.5 * MONTE_CARLO)
    assert found.statistical_sd_meV == pytest.approx(2.0, rel=3.5 * MONTE_CARLO)
    assert row.pull is None


def test_standardised_values_have_a_standard_normal_prior():
    rng = np.random.default_rng(8)
    unit = rng.standard_normal((1000, 1))
    for marginal in (Normal(3.0, 0.2), LogNormal(0.3)):
        z = marginal.to_unit(marginal.from_unit(unit))
        assert ndtr(z) == pytest.approx(ndtr(unit[:, 0]), abs=1e-12)


def test_a_phase_that_is_not_spread_evenly_is_regressed_with_a_constant():
    """On one, cosine and sine; its error by the effective number of draws."""
    rng = np.random.default_rng(9)
    phase = np.mod(60.0 + 50.0 * rng.standard_normal(4000), 360.0)
    mass = 50.0 + 3.0 * np.cos(np.deg2rad(phase - 40.0)) + rng.normal(0.0, 2.0, 4000)
    prior = Prior({"m1_meV": Uniform(0.0, 450.0), "delta_deg": Circular()}, {})
    row = impacts(prior, np.stack([mass, phase], axis=-1), 900.0).nuisances["delta_deg"]
    angle = np.deg2rad(phase)
    design = np.column_stack([np.ones(4000), np.cos(angle), np.sin(angle)])
    fitted, *_ = np.linalg.lstsq(design, mass, rcond=None)
    sd = np.std(mass - design @ fitted)
    assert (row.up_meV, row.down_meV) == pytest.approx([np.hypot(*fitted[1:]), -row.up_meV])
    assert row.fixed_sd_meV == pytest.approx(sd)
    assert row.error_meV == pytest.approx(sd * np.sqrt(2.0) / 30.0)


def test_of_few_draws_all_are_taken():
    """Ten, on a parabola of the nuisance: its values one sd to each side, and nothing left."""
    z = np.linspace(-1.0, 1.0, 10)
    mass = 50.0 + 2.0 * z + 3.0 * z**2
    prior = Prior({"m1_meV": Uniform(0.0, 450.0), "a": Normal(0.0, 1.0)}, {})
    row = impacts(prior, np.stack([mass, z], axis=-1), 10.0).nuisances["a"]
    for found, place in ((row.down_meV, -np.std(z)), (row.up_meV, np.std(z))):
        expected = 50.0 + 2.0 * place + 3.0 * place**2 - np.mean(mass)
        assert found == pytest.approx(expected)
    assert row.fixed_sd_meV == pytest.approx(0.0, abs=1e-12)


def test_a_nuisance_that_never_moved_moves_nothing():
    """Its error is that of the mean, by the effective number of draws."""
    mass = 50.0 + 2.0 * np.random.default_rng(10).standard_normal(500)
    prior = Prior({"m1_meV": Uniform(0.0, 450.0), "a": Normal(0.0, 1.0)}, {})
    draws = np.stack([mass, np.full(500, 0.5)], axis=-1)
    row = impacts(prior, draws, 100.0).nuisances["a"]
    assert (row.pull, row.width) == (0.5, 0.0)
    assert (row.down_meV, row.up_meV) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert row.fixed_sd_meV == pytest.approx(np.std(mass))
    assert row.error_meV == pytest.approx(np.std(mass) / 10.0)


def test_the_error_of_a_shift_holds_its_spread_over_repeated_draws():
    rng, shifts, errors = np.random.default_rng(11), [], []
    prior = Prior({"m1_meV": Uniform(0.0, 450.0), "a": Normal(0.0, 1.0)}, {})
    for _ in range(400):
        z = rng.standard_normal(1500)
        mass = 50.0 + 1.5 * z + 2.0 * rng.standard_normal(1500)
        row = impacts(prior, np.stack([mass, z], axis=-1), 1500.0).nuisances["a"]
        shifts.append((row.down_meV, row.up_meV))
        errors.append(row.error_meV)
    # the error given is the larger of both sides and has what a parabola bends: a third too large
    shares = np.std(shifts, axis=0) / np.mean(errors)
    assert np.all((shares > 0.65) & (shares < 0.81)), shares
