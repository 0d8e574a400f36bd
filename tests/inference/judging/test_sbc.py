"""Calibration of posteriors known exactly: right ones pass, wrong ones must not."""

import numpy as np
import pytest
import xarray as xr

from renp_infer.errors import DomainError
from renp_infer.inference import refit
from renp_infer.inference.judging.sbc import (
    LOG_LIKELIHOOD,
    fraction,
    from_mean_direction,
    rank_one,
    thinned,
)
from renp_infer.inference.judging.uniformity import EcdfTest, coverage
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.refit import Refit
from renp_infer.inference.samplers.sampling import Sample
from tests.toys.linear import COVARIANCE, DATA, LINEAR, THETA, TRUTH, conjugate_settings
from tests.toys.response import observe, toy_prior
from tests.toys.settings import inference_with

FALSE_ALARM = 1e-3
SETS = 200
GAUSSIAN = ("baseline_nG", "sin2_12", "sin2_13")


def conjugate() -> Likelihood:
    prior = toy_prior(TRUTH, conjugate_settings("nuts"))
    return Likelihood(prior, LINEAR, observe(DATA.vector, COVARIANCE, THETA))


def exact_sampler(width: float = 1.0, shift: float = 0.0):
    """Draws of the exact posterior, its width and place falsified on request."""

    def sample(likelihood, seed):
        rng = np.random.default_rng(seed)
        prior = likelihood.prior
        vectors = prior.sample(rng, 200)
        columns = [prior.names.index(name) for name in GAUSSIAN]
        center = np.array([0.0, 0.308, 0.02215])
        sd = np.array([prior.marginals[name].sd for name in GAUSSIAN])
        _, jacobian = likelihood.linearise(vectors[0])
        design = jacobian[:, columns]
        at_center = vectors[0].copy()
        at_center[columns] = center
        residual = likelihood.data.vector - likelihood.mean(at_center)
        precision = design.T @ np.linalg.solve(COVARIANCE, design) + np.diag(sd**-2)
        covariance = np.linalg.inv(precision)
        mean = center + covariance @ design.T @ np.linalg.solve(COVARIANCE, residual)
        mean = mean + shift * np.sqrt(np.diag(covariance))
        factor = np.linalg.cholesky(covariance)
        vectors[:, columns] = mean + width * rng.standard_normal((200, 3)) @ factor.T
        draws = vectors.reshape(2, 100, -1)
        return draws, xr.Dataset({"diverging": (("chain", "draw"), np.zeros((2, 100), bool))})

    return sample


def ranks(sample, count: int = SETS):
    likelihood = conjugate()
    seeds = np.random.SeedSequence(8).spawn(count)
    rows = [rank_one(likelihood, likelihood.mean, sample, seed, 1) for seed in seeds]
    return likelihood.prior.names, rows


def p_values(rows) -> np.ndarray:
    fractions = np.array([row.fractions for row in rows])
    test = EcdfTest(len(rows))
    return np.array([test.p_value(column) for column in fractions.T])


def smallest(rows) -> np.ndarray:
    """Smallest p-value of each quantity's three tests: what decides the verdict."""
    centrality = np.array([row.centrality for row in rows]).T
    covers = [[coverage(c <= level, level).p_value for level in (0.68, 0.95)] for c in centrality]
    return np.minimum(p_values(rows), np.min(covers, axis=1))


@pytest.mark.slow
def test_the_exact_posterior_is_calibrated():
    names, rows = ranks(exact_sampler())
    found = smallest(rows)
    assert found.size == len(names) + 1
    assert found.min() > FALSE_ALARM / (3 * found.size)


@pytest.mark.parametrize(
    ("width", "shift"),
    [
        (1.5, 0.0),
        *(pytest.param(*pair, marks=pytest.mark.slow) for pair in ((1.0 / 1.5, 0.0), (1.0, 0.6))),
    ],
)
def test_a_wrong_posterior_is_flagged(width, shift):
    names, rows = ranks(exact_sampler(width, shift))
    found = dict(zip((*names, LOG_LIKELIHOOD), smallest(rows), strict=True))
    limit = FALSE_ALARM / (3 * len(found))
    for name in GAUSSIAN:
        assert found[name] < limit, name
    assert found["m1_meV"] > limit  # which was drawn rightly
    if shift == 0.0:
        k = names.index("sin2_12")
        covered = np.array([row.centrality[k] for row in rows]) <= 0.68
        result = coverage(covered, 0.68)
        assert result.p_value < FALSE_ALARM
        assert (result.found > 0.68) == (width > 1.0)


def test_an_error_in_a_fit_is_counted_not_raised():
    def broken(likelihood, seed):
        raise DomainError("x", 1.0, "< 0")

    _, rows = ranks(broken, 2)
    assert [row.failure.partition(":")[0] for row in rows] == ["DomainError"] * 2
    assert all(np.isnan(row.fractions).all() for row in rows)


def test_gates_mark_a_fit_and_keep_its_ranks():
    def stuck(likelihood, seed):
        draws, statistics = exact_sampler()(likelihood, seed)
        draws[1] += 50.0 * draws.std(axis=(0, 1))
        statistics["diverging"][:, :10] = True
        return draws, statistics

    _, rows = ranks(stuck, 1)
    assert "R-hat" in rows[0].failure
    assert "divergent 10.0 %" in rows[0].failure
    assert np.isfinite(rows[0].fractions).all()


def test_ranks_of_equal_draws_are_spread_over_their_ties(rng):
    draws, truth = np.zeros((9, 20_000)), np.zeros(20_000)
    found = fraction(draws, truth, rng)
    assert abs(found.mean() - 0.5) < 4.0 / np.sqrt(12 * 20_000)
    assert np.ptp(found) > 0.99
    above = fraction(draws[:, :5], np.ones(5), rng)
    assert np.all(above > 0.9)


def test_direction_of_a_phase_does_not_depend_on_where_the_circle_is_cut(rng):
    draws = rng.normal(0.0, 20.0, 50)
    reference = from_mean_direction(np.mod(draws, 360.0), 10.0)
    turned = from_mean_direction(np.mod(draws + 123.0, 360.0), 133.0)
    assert turned == pytest.approx(reference, abs=1e-9)
    assert reference.max() < 100.0


def test_thinning_keeps_evenly_spaced_draws_of_every_chain():
    vectors = np.arange(40.0).reshape(2, 20, 1)
    assert thinned(vectors, 8.0, None).ravel().tolist() == [4, 9, 14, 19, 24, 29, 34, 39]
    assert thinned(vectors, 8.0, 10).ravel().tolist() == [9, 19, 29, 39]


@pytest.mark.parametrize("sampler", ["emcee", "smc", "pymc-nuts", "independence"])
def test_every_sampler_can_be_calibrated(sampler, monkeypatch):
    """The one that the study names, not another in its place."""
    asked = []

    def drawn(likelihood, settings, *_):
        asked.append(settings.sampler)
        return Sample(np.zeros((2, 4, 1)), xr.Dataset())

    monkeypatch.setattr(refit, "draw_sample", drawn)
    Refit(inference_with(sampler=sampler))(conjugate(), np.random.SeedSequence(1))
    assert asked == [sampler]


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["nuts", "independence"])
def test_samplers_are_calibrated_on_the_conjugate_model(sampler):
    """Sampler, thinning and ranks together, the model compiled once."""
    likelihood = conjugate()
    fit = Refit(conjugate_settings(sampler, chains=2, draws=300, tune=300))
    seeds = np.random.SeedSequence(21).spawn(120)
    rows = [rank_one(likelihood, likelihood.mean, fit, seed) for seed in seeds]
    assert sum(bool(row.failure) for row in rows) <= 3
    found = p_values(rows)
    assert found.min() > FALSE_ALARM / found.size
