"""Reweighted draws against exact moments, and where they are refused."""

import numpy as np
import pytest

from renp_infer.errors import ConvergenceError
from renp_infer.inference.constraints import GaussianConstraint
from renp_infer.inference.external import External
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.reweight import reweight, smoothed, systematic
from renp_infer.inference.sampling import draw_sample
from tests.toys.external import external
from tests.toys.linear import conjugate_settings, linear_likelihood

N = 8000


def test_a_gaussian_times_a_gaussian(rng):
    """Standard normal draws times N(0.7, 0.8): mean and sd of the product."""
    x = rng.standard_normal(N)
    found = reweight({"x": x}, {"x": x}, -0.5 * ((x - 0.7) / 0.8) ** 2, N)
    precision = 1.0 + 0.8**-2
    row = found.estimates["x"]
    error = precision**-0.5 / np.sqrt(found.ess)
    assert row.mean == pytest.approx(0.7 * 0.8**-2 / precision, abs=4.5 * error)
    assert row.sd == pytest.approx(precision**-0.5, abs=4.5 * error)
    assert found.pareto_k < found.pareto_k_limit and 0.3 * N < found.ess < N


def test_angles_stay_on_their_circle(rng):
    angles = (350.0 + 20.0 * rng.standard_normal(N)) % 360.0
    found = reweight({"delta_deg": angles}, {"delta_deg": angles}, np.zeros(N), N).estimates[
        "delta_deg"
    ]
    assert found.mean == pytest.approx(350.0, abs=1.0) and found.interval_68[1] < 20.0


def test_weights_that_a_few_draws_carry_are_refused(rng):
    x = rng.standard_normal(N)
    with pytest.raises(ConvergenceError, match="fit again"):
        reweight({"x": x}, {"x": x}, -0.5 * ((x - 6.0) / 0.1) ** 2, N)
    with pytest.raises(ConvergenceError, match="fit again"):
        reweight({"x": x}, {"x": x}, 6.0 * x**2 / 10.0, N)


def test_what_neither_draws_nor_weights_tell_is_not_measured(rng):
    """Draws as wide as their prior, and the same with weights that narrow them."""
    x, before = rng.standard_normal(N), {"x": rng.standard_normal(4000)}
    assert reweight({"x": x}, before, np.zeros(N), N).estimates["x"].measured is False
    narrow = -0.5 * (x / 0.5) ** 2
    assert reweight({"x": x}, before, narrow, N).estimates["x"].measured is True


def test_dependent_draws_count_as_few(rng):
    x = rng.standard_normal(N)
    log = -0.5 * ((x - 0.7) / 0.8) ** 2
    assert reweight({"x": x}, {"x": x}, log, 0.1 * N).ess == pytest.approx(
        0.1 * reweight({"x": x}, {"x": x}, log, N).ess, rel=0.05
    )


def test_smoothing_keeps_the_order_of_weights(rng):
    log = 0.3 * rng.standard_normal(2000) ** 2
    found, _ = smoothed(log, 2000)
    assert np.array_equal(np.argsort(found), np.argsort(log))
    assert smoothed(np.zeros(10), 10)[1] == -np.inf


def test_systematic_draws_are_within_one_of_their_share():
    weights = np.array([0.1, 3.0, 0.0, 0.9])
    counts = np.bincount(systematic(weights), minlength=4)
    assert np.all(np.abs(counts - weights) < 1.0) and counts[2] == 0


@pytest.mark.slow
def test_reweighted_equals_refitted(rng):
    """Two constraints, one correlated: every mean within the errors of both."""
    target = linear_likelihood(amplitude_sd=0.0)
    terms = (
        GaussianConstraint(
            "pair",
            ("sin2_12", "sin2_13"),
            np.array([0.315, 0.0224]),
            np.array([[1e-4, 1e-6], [1e-6, 1.6e-7]]),
        ),
    )
    known = external(*terms, nature="dirac")
    settings = conjugate_settings("independence", draws=2000)

    def vectors(external_knowledge, seed):
        likelihood = Likelihood(
            target.prior, target.response, target.data, target.shapes, external_knowledge
        )
        sample = draw_sample(likelihood, settings, np.random.SeedSequence(seed), 1, lambda *_: None)
        return sample.vectors.reshape(-1, sample.vectors.shape[-1])

    plain, refitted = vectors(External(), 1), vectors(known, 2)
    draws = {name: plain[:, k] for k, name in enumerate(target.prior.names)}
    before = dict(zip(target.prior.names, target.prior.sample(rng, 4000).T, strict=True))
    found = reweight(draws, before, known.log_density(target.prior, plain), 0.5 * len(plain))
    for k, name in enumerate(target.prior.names):
        if name in target.prior.circular:
            continue
        row, sd = found.estimates[name], refitted[:, k].std()
        error = sd * np.hypot(found.ess**-0.5, (0.3 * len(refitted)) ** -0.5)
        assert row.mean == pytest.approx(refitted[:, k].mean(), abs=4.5 * error), name
        assert row.sd == pytest.approx(sd, abs=4.5 * error), name
