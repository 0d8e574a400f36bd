"""Evidences against closed forms, and each step of the way to them."""

import itertools
import sys
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scipy.special import logsumexp

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.prior import (
    response_argument,
    truth_values,
)
from renp_infer.inference.samplers.amplitude import AmplitudeMarginal
from renp_infer.inference.samplers.evidence import estimate, mean_evidence, mean_log_evidence
from renp_infer.inference.samplers.marginalised import marginalise
from renp_infer.inference.samplers.nested import nested_run
from renp_infer.inference.samplers.reference import TAIL, Reference, prior_reference
from renp_infer.inference.samplers.smc import (
    PHASES,
    STANDARD,
    build_model,
    largest_correlation,
    last_finite,
    padded,
)
from tests.toys.response import (
    OSCILLATION,
    LinearResponse,
    ToyResponse,
    observe,
    toy_angles,
    toy_field,
    toy_prior,
    toy_truth,
)
from tests.toys.settings import compare_with, inference_with

THETA = toy_angles(21)
LAG = np.abs(np.subtract.outer(np.arange(THETA.size), np.arange(THETA.size)))
COVARIANCE = 0.1**2 * (np.eye(THETA.size) + np.exp(-LAG / 6.0))
LEAKAGE = 1.0 / (1.0 + np.linspace(-1.0, 2.0, THETA.size) ** 2)
STILL = {"refractive_index_sd": 0.0, "theta_s_offset_sd_deg": 0.0, "theta_e_offset_sd_deg": 0.0}
QUICK = {
    "importance_draws": 4000,
    "live_points": 160,
    "nested_runs": 2,
    "smc_draws": 250,
    "smc_chains": 4,
}


def linear_likelihood(**settings):
    """Everything but m1 and delta, which the data do not see, is linear and Gaussian."""
    truth = toy_truth("dirac")
    values = truth_values(truth, 1.45)
    response = LinearResponse(THETA, response_argument(values))
    chosen = inference_with(**(STILL | {"amplitude_sd": 0.0} | settings))
    prior = toy_prior(truth, chosen)
    data = observe(response(response_argument(values))[0] + 0.05, COVARIANCE, THETA, 11)
    return Likelihood(prior, response, data, {"leakage": LEAKAGE})


def toy_likelihood(sigma=0.05, nature="majorana", **settings):
    toy, truth = ToyResponse(THETA, width=0.05), toy_truth(nature)
    signal = toy_field(toy, truth)
    prior = toy_prior(truth, inference_with(**settings))
    return Likelihood(
        prior, toy, observe(signal, sigma**2 * np.eye(THETA.size), THETA, 1), {"leakage": LEAKAGE}
    )


def exact_log_evidence(likelihood):
    """Density of the data under the prior predictive Gaussian."""
    response, covariance = likelihood.response, COVARIANCE.copy()
    covariance += 0.1**2 * np.ones_like(covariance)
    for slot, name in ((4, "sin2_12"), (5, "sin2_13")):
        column = OSCILLATION[name].sd * response.slope[:, slot]
        covariance += np.outer(column, column)
    mean = response(response.tables[0])[0]
    return stats.multivariate_normal(mean, covariance).logpdf(likelihood.data.vector)


@pytest.mark.parametrize(
    ("estimator", "reference"),
    [
        ("importance", "fitted"),
        ("nested", "fitted"),
        pytest.param("nested", "prior", marks=pytest.mark.slow),
        pytest.param("smc", "fitted", marks=pytest.mark.slow),
        pytest.param("smc", "prior", marks=pytest.mark.slow),
    ],
)
def test_conjugate_evidence_and_posterior(estimator, reference):
    likelihood = linear_likelihood()
    settings = compare_with(reference=reference, **QUICK)
    found = estimate(likelihood, estimator, settings, np.random.SeedSequence(3))
    exact = exact_log_evidence(likelihood)
    assert 0.0 < found.log_evidence_error < 0.3
    # the error itself comes from two runs or four chains
    assert found.log_evidence == pytest.approx(exact, abs=5.0 * found.log_evidence_error)
    k = likelihood.prior.names.index("sin2_12")
    design = np.column_stack(
        [np.ones(THETA.size), *(likelihood.response.slope[:, slot] for slot in (4, 5))]
    )
    sds = np.array([0.1, OSCILLATION["sin2_12"].sd, OSCILLATION["sin2_13"].sd])
    precision = design.T @ np.linalg.solve(COVARIANCE, design) + np.diag(sds**-2)
    pull = likelihood.data.vector - likelihood.response(likelihood.response.tables[0])[0]
    shift = np.linalg.solve(precision, design.T @ np.linalg.solve(COVARIANCE, pull))
    sd = np.sqrt(np.linalg.inv(precision)[1, 1])
    draws = found.vectors[..., k].ravel()
    size = draws.size / 4  # draws of equal weight repeat
    assert sd < 0.9 * OSCILLATION["sin2_12"].sd
    assert np.mean(draws) == pytest.approx(0.308 + shift[1], abs=4.5 * sd / np.sqrt(size))
    assert np.std(draws) == pytest.approx(sd, rel=4.5 / np.sqrt(2 * size))


@pytest.mark.slow
def test_estimators_agree_where_nothing_is_linear():
    likelihood = toy_likelihood(oscillation_errors=False, **STILL)
    settings = compare_with(**QUICK)
    found = [
        estimate(likelihood, name, settings, np.random.SeedSequence(4))
        for name in ("importance", "smc", "nested")
    ]
    errors = [one.log_evidence_error for one in found]
    assert max(errors) < 0.3
    for one, error in zip(found[1:], errors[1:], strict=True):
        assert abs(found[0].log_evidence - one.log_evidence) < 5.0 * np.hypot(errors[0], error)


@pytest.mark.parametrize("settings", [{}, {"leakage_sd": 0.3}, {"baseline_sd": 0.0}])
def test_integrated_likelihood_is_the_integral(settings):
    """Against the sum over a grid of baseline and leakage."""
    likelihood = linear_likelihood(**settings)
    marginal = marginalise(likelihood, np.random.default_rng(1))
    full, rest = likelihood.prior.names, marginal.target.prior.names
    linear = [name for name in ("baseline_nG", "leakage") if name in full]
    assert set(full) - set(rest) == {*linear, "delta_deg"}
    vector = likelihood.prior.sample(np.random.default_rng(2), 1)[0]
    part = vector[[full.index(name) for name in rest]]
    grid = np.linspace(-6.0, 6.0, 161)
    logs, points = [], []
    for point in itertools.product(*(grid for _ in linear)):
        for name, unit in zip(linear, point, strict=True):
            vector[full.index(name)] = unit * likelihood.prior.marginals[name].sd
        logs.append(likelihood.log_likelihood(vector) + np.sum(stats.norm.logpdf(point)))
        points.append(vector[[full.index(name) for name in linear]])
    step = len(linear) * np.log(grid[1] - grid[0])
    assert marginal.target.log_likelihood(part) == pytest.approx(logsumexp(logs) + step, abs=1e-6)
    if not linear:
        return
    weights = np.exp(np.array(logs) - logsumexp(logs))
    mean = weights @ np.array(points)
    spread = np.atleast_2d(np.cov(np.array(points).T, aweights=weights))
    parts = np.tile(part, (4000, 1))
    templates = np.tile(marginal.target.templates(part[None]), (4000, 1))
    drawn, densities = marginal.complete(parts, templates, np.random.default_rng(3))
    assert densities[:5] == pytest.approx([likelihood.log_posterior(v) for v in drawn[:5]])
    assert np.array_equal(drawn[:, [full.index(name) for name in rest]], np.tile(part, (4000, 1)))
    drawn = drawn[:, [full.index(name) for name in linear]]
    sds = np.sqrt(np.diag(spread))
    assert np.abs(np.mean(drawn, axis=0) - mean).max() < 4.5 * sds.max() / np.sqrt(4000)
    found = np.atleast_2d(np.cov(drawn.T)) / np.outer(sds, sds)
    assert np.abs(found - spread / np.outer(sds, sds)).max() < 4.5 * np.sqrt(2.0 / 4000)


def test_phases_that_matter_stay(rng):
    """The toy sees alpha21, and alpha31 - 2 delta: delta comes back from its prior."""
    likelihood = toy_likelihood(baseline_sd=0.0)
    marginal = marginalise(likelihood, np.random.default_rng(1))
    rest, names = marginal.target.likelihood.prior, likelihood.prior.names
    assert marginal.target.prior.circular == rest.circular
    assert rest.circular == ("alpha21_deg", "alpha31_deg")
    draws = marginal.target.prior.sample(rng, 300)
    whole, _ = marginal.complete(draws, marginal.target.templates(draws), rng)
    assert np.ptp(whole[:, names.index("delta_deg")]) > 300.0
    phases = whole[:, names.index("alpha31_deg")]
    assert np.all((phases >= 0.0) & (phases < 360.0))
    for full in whole:
        seen = full.copy()
        seen[names.index("alpha31_deg")] -= 2.0 * full[names.index("delta_deg")]
        places = [names.index(name) for name in rest.names]
        expected = marginal.target.likelihood.log_likelihood(seen[places])
        assert likelihood.log_likelihood(full) == pytest.approx(expected, rel=1e-12)


def test_correlation_is_that_of_the_slowest_column(rng):
    before = rng.standard_normal((4000, 3))
    after = np.column_stack([rng.standard_normal((4000, 2)), before[:, 2]])
    after[:, 1] += 0.5 * before[:, 1]
    assert largest_correlation(before[:, :1], after[:, :1]) < 0.1
    assert largest_correlation(before[:, :2], after[:, :2]) == pytest.approx(0.447, abs=0.05)
    assert largest_correlation(before, after) == pytest.approx(1.0)


def wide_reference(prior, student=True):
    size = len(prior.names) - len(prior.circular)
    factor = 1.4 * np.eye(size) + 0.3 * np.tril(np.ones((size, size)), -1)
    return Reference(prior, np.linspace(-0.4, 0.4, size), factor, student)


@pytest.mark.parametrize("student", [True, False])
def test_reference_is_a_density_and_its_ratio_returns_the_prior(student, rng):
    prior = toy_likelihood(oscillation_errors=False).prior
    reference = wide_reference(prior, student)
    cubes = rng.random((40_000, len(prior.names)))
    ratios = np.exp([reference.log_ratio(y) for y in reference.standard(cubes)])
    error = np.std(ratios) / np.sqrt(ratios.size)
    assert np.mean(ratios) == pytest.approx(1.0, abs=4.5 * error)
    vectors = reference.vector(cubes)
    for k in range(len(prior.names)):
        below = ratios * (vectors[:, k] < np.median(prior.sample(rng, 40_000)[:, k]))
        assert np.mean(below) == pytest.approx(0.5, abs=4.5 * (error + 0.5 / 200))


@pytest.mark.parametrize("settings", [{}, {"amplitude_sd": 0.0}, {"amplitude_sd": 1.0}])
def test_smc_model_is_the_numpy_density(settings, rng):
    """Reference, ratio and likelihood of the graph, against scipy and the likelihood."""
    marginal = marginalise(toy_likelihood(leakage_sd=0.1, **settings), rng).target
    if not marginal.sd and "amplitude" in marginal.prior.fixed:  # fixed, but not to 1
        likelihood = marginal.likelihood
        prior = replace(
            likelihood.prior, fixed={**likelihood.prior.fixed, "amplitude": 1.3, "leakage": 0.4}
        )
        marginal = AmplitudeMarginal(
            Likelihood(prior, likelihood.response, likelihood.data, {"leakage": LEAKAGE})
        )
    reference = wide_reference(marginal.prior)
    model = build_model(marginal, reference)
    density = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    cubes = rng.random((3, len(marginal.prior.names)))
    for cube, standard in zip(cubes, reference.standard(cubes), strict=True):
        angles = (
            2.0 * np.pi * cube[[marginal.prior.names.index(n) for n in marginal.prior.circular]]
        )
        phases = np.stack([np.cos(angles), np.sin(angles)], axis=1).ravel()
        expected = marginal.log_likelihood(reference.vector(cube))
        expected += reference.log_ratio(standard) + stats.t(TAIL).logpdf(standard).sum()
        expected += stats.norm.logpdf(phases).sum()
        point = {STANDARD: standard, PHASES: phases}
        assert float(density(point)) == pytest.approx(expected, rel=1e-10)


def test_nested_run_is_the_same_for_the_same_seed():
    likelihood = marginalise(linear_likelihood(), np.random.default_rng(1)).target
    runs = [
        nested_run(likelihood, prior_reference(likelihood.prior), 50, np.random.SeedSequence(seed))
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(runs[0].cubes, runs[1].cubes)
    assert runs[0].log_evidence == runs[1].log_evidence != runs[2].log_evidence
    assert logsumexp(runs[0].log_weights) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_passes_through_without_a_word(error, capsys, monkeypatch):
    likelihood = marginalise(linear_likelihood(), np.random.default_rng(1)).target
    calls = []

    def fail(vector):
        calls.append(vector)
        if len(calls) > 70:
            raise error
        return -0.5 * float(np.sum((vector - vector.mean()) ** 2))

    monkeypatch.setattr(likelihood, "log_likelihood", fail)
    with pytest.raises(error):
        nested_run(likelihood, prior_reference(likelihood.prior), 50, np.random.SeedSequence(1))
    sys.stdout.write("still there")
    assert capsys.readouterr() == ("still there", "")


def test_mean_of_evidences(rng):
    values = np.array([1.0, 2.0, 3.0])
    assert mean_evidence(values)[0] == pytest.approx(np.log(np.mean(np.exp(values))))
    # estimates that scatter little: the standard error of their mean
    close = 5.0 + 1e-4 * rng.standard_normal(12)
    expected = np.std(close, ddof=1) / np.sqrt(12)
    assert mean_evidence(close)[1] == pytest.approx(expected, rel=1e-3)
    # one that dwarfs the others: an error of order one
    assert mean_evidence(np.array([0.0, 1.0, 500.0]))[1] > 1.0


def test_mean_of_log_evidences_takes_the_larger_error():
    value, error = mean_log_evidence(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert (value, error) == pytest.approx((1.5, 2.5))
    assert mean_log_evidence(np.array([1.0, 9.0]), np.array([0.1, 0.1]))[1] == pytest.approx(4.0)


def test_ragged_chains_save_and_load(tmp_path):
    """As PyMC returns them: objects, of lists of different lengths or of equal ones."""
    rows = {"log_marginal_likelihood": [[np.nan, -3.0], [np.nan, np.nan, -4.0]]}
    rows |= {"beta": [[0.1, 1.0], [0.1, 0.4, 1.0]], "accept_rate": [[0.5, 0.4], [0.5, 0.4, 0.3]]}
    ragged = {name: ("chain", np.array(lists, dtype=object)) for name, lists in rows.items()}
    equal = {
        name: (("chain", "stage"), np.array([row[-2:] for row in lists], dtype=object))
        for name, lists in rows.items()
    }
    for columns, stages in ((ragged, 3), (equal, 2)):
        table = padded(xr.Dataset(columns))
        assert table.sizes == {"chain": 2, "stage": stages}
        assert last_finite(table["log_marginal_likelihood"].values).tolist() == [-3.0, -4.0]
        table.to_netcdf(tmp_path / f"{stages}.nc", engine="h5netcdf")
        with xr.open_dataset(tmp_path / f"{stages}.nc", engine="h5netcdf") as back:
            xr.testing.assert_identical(back.load(), table)
