"""Reweighted draws against exact moments, and where they are refused."""

import numpy as np
import pytest

from renp_infer.errors import WeightsError
from renp_infer.inference.knowledge.constraints import GaussianConstraint
from renp_infer.inference.knowledge.external import External
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.results.diagnostics import Convergence
from renp_infer.inference.results.reweight import reweight, smoothed
from renp_infer.inference.results.summary import information, regions, summarise, weighed
from renp_infer.inference.samplers.sampling import draw_sample
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
    with pytest.raises(WeightsError, match="do not reach .*Pareto k .*; fit again, with"):
        reweight({"x": x}, {"x": x}, -0.5 * ((x - 6.0) / 0.1) ** 2, N)
    few = rng.standard_normal(400)
    with pytest.raises(WeightsError, match="leave .* of 150 independent draws, and 100 are needed"):
        reweight({"x": few}, {"x": few}, -0.5 * (few / 0.5) ** 2, 150.0)
    with pytest.raises(WeightsError, match="fit again"):
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


def test_moments_quantiles_and_limits_are_sums_by_hand():
    """Five draws with weights 1, 2, 4, 2, 1."""
    values, weights = np.array([3.0, 1.0, 2.0, 5.0, 4.0]), np.array([4.0, 1.0, 2.0, 1.0, 2.0])
    found, error = weighed(values, weights, 2.0, circular=False, limited=True)
    assert found.mean == pytest.approx(3.0, abs=0) and found.median == 3.0
    assert found.sd == pytest.approx((12.0 / 10.0) ** 0.5)
    assert found.interval_68 == (2.0, 4.0) and found.interval_95 == (1.0, 5.0)
    assert (found.upper_90, found.upper_95) == (4.0, 5.0)
    # Kish: 100 / 26 draws; worth 2. Squared weights by squared distances: 4 + 4 + 4 + 4
    assert error == pytest.approx((100.0 / 26.0 / 2.0 * 16.0 / 100.0) ** 0.5)
    turned, _ = weighed((values + 357.5) % 360.0, weights, 2.0, circular=True, limited=False)
    assert turned.mean == pytest.approx(0.5) and turned.interval_68 == pytest.approx((359.5, 1.5))
    assert turned.upper_90 is None


def test_whole_weights_are_repetitions(rng):
    """Of moments, regions of two modes and information: all against draws that stand so often."""
    values = np.concatenate([rng.normal(-4.0, 1.0, 600), rng.normal(4.0, 1.0, 900)])
    weights, before = rng.integers(1, 5, values.size), rng.normal(0.0, 6.0, 4000)
    often = np.repeat(values, weights)
    found, _ = weighed(values, weights.astype(float), 500.0, circular=False, limited=True)
    expected = summarise(often[None], None, Convergence(1.0, 500.0, 500.0), False)
    assert found.mean == pytest.approx(expected.mean)
    assert found.sd == pytest.approx(expected.sd, rel=1e-3)  # n in the place of n - 1
    assert found.interval_95 == pytest.approx(expected.interval_95, abs=0.05)
    assert len(found.regions_68) == 2
    seen = regions(10.0 * values, 0.68, True, weights)  # whose bins do not move with the ends
    assert seen == regions(10.0 * often, 0.68, True) and len(seen) == 2
    assert information(values, before, 500.0, weights) == pytest.approx(
        information(often, before, 500.0)
    )


def test_the_stated_error_is_the_scatter_of_repetitions(rng):
    """Of 400 runs of 500 draws, to five errors of a deviation."""
    made = []
    for _ in range(400):
        x = rng.standard_normal(500)
        weights = np.exp(0.7 * x)
        ess = float(np.sum(weights) ** 2 / np.sum(weights**2))
        found, error = weighed(x, weights, ess, circular=False, limited=False)
        made.append((found.mean, error))
    means, errors = np.array(made).T
    assert np.std(means) == pytest.approx(float(np.mean(errors)), rel=5.0 / np.sqrt(2.0 * 400))


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
