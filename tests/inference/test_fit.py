"""The public fit: against exact posteriors, and what its result holds."""

import json

import numpy as np
import pytest
import xarray as xr

from renp_infer.errors import NonFiniteError
from renp_infer.inference.fit import fit
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import DERIVED_TEXTS
from renp_infer.inference.priors.prior import (
    response_argument,
)
from renp_infer.inference.samplers import nuts, pymc_nuts
from renp_infer.inference.samplers.model import build_model
from renp_infer.inference.samplers.nuts import Coordinates, compile_model, sample_nuts
from renp_infer.inference.samplers.pymc_nuts import nuts_step
from tests.toys.likelihoods import toy_likelihood
from tests.toys.linear import COVARIANCE, DATA, LINEAR, THETA, TRUTH, VALUES, conjugate_settings
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
from tests.toys.settings import inference_with

GROUPS = {
    "posterior",
    "prior",
    "posterior_predictive",
    "prior_predictive",
    "log_likelihood",
    "sample_stats",
    "observed_data",
    "constant_data",
    "log_prior",
    "renp_checks",
    "renp_provenance",
    "renp_derived",
}
EXTRA = {"smc": {"renp_evidence"}, "nested": {"renp_evidence", "renp_nested"}}
OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in ("pymc-nuts", "smc", "nested")]
MAJORANA = {"m_betabeta_meV", "alpha31_minus_2delta_deg"}
CONJUGATE = ("baseline_nG", "sin2_12", "sin2_13")


def run(sampler, seed=5, **changes):
    chosen = conjugate_settings(sampler, **changes)
    return fit(HypothesisModel(LINEAR, TRUTH, OSCILLATION, chosen, 1.45), DATA, seed)


@pytest.fixture(scope="module")
def trees():
    made = {}

    def get(sampler):
        if sampler not in made:
            made[sampler] = run(sampler)
        return made[sampler]

    return get


def exact_posterior():
    """Mean and covariance of baseline, sin2_12, sin2_13 by linear algebra."""
    design = np.column_stack([np.ones(THETA.size), LINEAR.slope[:, 4], LINEAR.slope[:, 5]])
    prior_mean = np.array([0.0, 0.308, 0.02215])
    peak = np.abs(LINEAR(response_argument(VALUES))[0]).max()
    prior_sd = np.array([0.1 * peak, 0.012, 0.00057])
    residual = DATA.vector - LINEAR(response_argument(VALUES))[0]
    precision = design.T @ np.linalg.solve(COVARIANCE, design) + np.diag(prior_sd**-2)
    covariance = np.linalg.inv(precision)
    return prior_mean + covariance @ design.T @ np.linalg.solve(COVARIANCE, residual), covariance


@pytest.mark.parametrize(
    "sampler", ["nuts", pytest.param("emcee", marks=pytest.mark.slow), "independence", *OTHERS]
)
def test_conjugate_posterior_is_recovered(sampler, trees):
    tree = trees(sampler)
    mean, covariance = exact_posterior()
    rows = json.loads(tree.attrs["renp_summary"])["parameters"]
    for k, name in enumerate(CONJUGATE):
        sd = np.sqrt(covariance[k, k])
        error = sd / np.sqrt(rows[name]["ess_bulk"])
        assert rows[name]["mean"] == pytest.approx(mean[k], abs=4.5 * error)
        # Twice the large-sample error: tails mix more slowly than the mean.
        assert rows[name]["sd"] == pytest.approx(sd, abs=9.0 * error / np.sqrt(2.0))


@pytest.mark.parametrize(
    "sampler",
    ["independence", *(pytest.param(name, marks=pytest.mark.slow) for name in ("nuts", "emcee"))],
)
def test_planted_leakage_is_recovered(sampler):
    """Exact Gaussian marginal of the leakage, beside a baseline and two mixing angles."""
    shape = 1.0 / (1.0 + np.linspace(-1.0, 2.0, THETA.size) ** 2)
    field = LINEAR(response_argument(VALUES))[0]
    data = observe(field + 0.4 * shape, COVARIANCE, THETA, seed=12)
    chosen, shapes = conjugate_settings(sampler, leakage_sd=0.5), {"leakage": shape}
    model = HypothesisModel(LINEAR, TRUTH, OSCILLATION, chosen, 1.45, shapes=shapes)
    tree = fit(model, data, 6)
    ones = np.ones(THETA.size)
    design = np.column_stack([shape, ones, LINEAR.slope[:, 4], LINEAR.slope[:, 5]])
    sds = np.array([0.5, 0.1 * np.abs(field).max(), 0.012, 0.00057])
    precision = design.T @ np.linalg.solve(COVARIANCE, design) + np.diag(sds**-2)
    shifts = np.linalg.solve(precision, design.T @ np.linalg.solve(COVARIANCE, data.vector - field))
    row = json.loads(tree.attrs["renp_summary"])["parameters"]["leakage"]
    sd = np.sqrt(np.linalg.inv(precision)[0, 0])
    error = sd / np.sqrt(row["ess_bulk"])
    assert sd < 0.25  # the data, not the prior, decide
    assert row["mean"] == pytest.approx(shifts[0], abs=4.5 * error)
    assert row["sd"] == pytest.approx(sd, abs=9.0 * error / np.sqrt(2.0))
    assert row["mean"] == pytest.approx(0.4, abs=4.0 * sd)


@pytest.mark.parametrize(
    "sampler",
    ["nuts", "independence", pytest.param("emcee", marks=pytest.mark.slow), *OTHERS],
)
def test_what_the_data_do_not_see_keeps_its_prior(sampler, trees):
    rows = json.loads(trees(sampler).attrs["renp_summary"])["parameters"]
    error = 450.0 / np.sqrt(12.0 * rows["m1_meV"]["ess_bulk"])
    assert rows["m1_meV"]["mean"] == pytest.approx(225.0, abs=4.5 * error)
    assert not rows["m1_meV"]["measured"] and not rows["delta_deg"]["measured"]
    assert rows["m1_meV"]["reaches"] == ["lower", "upper"]
    assert rows["m1_meV"]["upper_95"] == pytest.approx(0.95 * 450.0, abs=4.5 * 0.44 * error)
    assert rows["delta_deg"]["upper_95"] is None
    assert rows["baseline_nG"]["upper_95"] is None and rows["baseline_nG"]["measured"]
    delta = np.deg2rad(trees(sampler)["posterior"]["delta_deg"].values)
    size = rows["delta_deg"]["ess_bulk"]
    assert np.abs(np.mean(np.exp(1j * delta))) < 4.5 / np.sqrt(size)


@pytest.mark.parametrize(
    "sampler", ["nuts", pytest.param("emcee", marks=pytest.mark.slow), "independence", *OTHERS]
)
def test_groups_and_names(sampler, trees):
    tree = trees(sampler)
    assert set(tree.children) == GROUPS | EXTRA.get(sampler, set())
    names = {"m1_meV", "baseline_nG", "delta_deg"}
    names |= {"sin2_12", "sin2_13", "dm2_21", "dm2_3l"}
    assert set(tree["renp_derived"].data_vars) == DERIVED_TEXTS.keys() - MAJORANA
    assert set(tree["posterior"].data_vars) == set(tree["prior"].data_vars) == names
    for group in ("posterior_predictive", "prior_predictive", "log_likelihood"):
        assert tree[group]["field_nG"].dims == ("chain", "draw", "theta_s_deg")
        assert tree[group]["field_nG"].sizes["draw"] * 4 <= 1000
        assert np.all(np.isfinite(tree[group]["field_nG"]))
    assert tree["observed_data"]["field_nG"].values == pytest.approx(DATA.vector)
    assert tree["constant_data"]["theta_s_deg"].values == pytest.approx(np.rad2deg(THETA))
    assert tree["constant_data"]["sigma_nG"].values == pytest.approx(DATA.sigma)
    assert float(tree["constant_data"]["truth_m1_meV"]) == pytest.approx(100.0)


@pytest.mark.parametrize(
    "sampler", ["nuts", pytest.param("emcee", marks=pytest.mark.slow), "independence", *OTHERS]
)
def test_round_trip_through_a_file(sampler, trees, tmp_path):
    tree = trees(sampler)
    tree.to_netcdf(tmp_path / "infer.nc", engine="h5netcdf")
    with xr.open_datatree(tmp_path / "infer.nc", engine="h5netcdf") as back:
        assert back.attrs == tree.attrs
        for name in GROUPS | EXTRA.get(sampler, set()):
            xr.testing.assert_identical(back[name].to_dataset(), tree[name].to_dataset())


def test_nuts_moved_everything_and_says_so(trees):
    tree = trees("nuts")
    diagnostics = json.loads(tree.attrs["renp_diagnostics"])
    assert diagnostics["sampler"] == "nuts"
    assert diagnostics["step_methods"] == "all: NUTS"
    assert diagnostics["divergences"] == 0
    assert diagnostics["bfmi_min"] > 0.3
    statistics = tree["sample_stats"]
    for name in ("diverging", "energy", "depth", "n_steps", "acceptance_rate", "lp"):
        assert statistics[name].dims == ("chain", "draw")


@pytest.mark.slow
def test_pymc_moves_everything_by_nuts_with_the_same_statistics(trees):
    ours, theirs = trees("pymc-nuts")["sample_stats"], trees("nuts")["sample_stats"]
    assert set(ours.data_vars) == set(theirs.data_vars)
    diagnostics = json.loads(trees("pymc-nuts").attrs["renp_diagnostics"])
    assert diagnostics["step_methods"] == "all: NUTS"
    assert diagnostics["sampler"] == "pymc-nuts"


def test_another_step_method_is_refused(monkeypatch):
    """PyMC's NUTS over some of the variables only."""
    target = conjugate_likelihood()
    coordinates = Coordinates(target, np.random.default_rng(1))
    model, chosen = build_model(target), conjugate_settings("pymc-nuts")
    assert nuts_step(model, coordinates, chosen).vars == model.value_vars

    class Other:
        vars = ()

        def __init__(self, **_):
            pass

    monkeypatch.setattr(pymc_nuts.pm, "NUTS", Other)
    with pytest.raises(TypeError, match="not NUTS"):
        nuts_step(model, coordinates, chosen)


@pytest.mark.slow
def test_raw_weights_give_the_same_posterior_and_evidence(trees):
    """Weighted dead points against the equal draws, in the units of their scatter."""
    tree = trees("nested")
    raw = tree["renp_nested"]
    for name in ("sin2_12", "sin2_13"):
        weights = np.nan_to_num(np.exp(raw["log_weight"].values))
        values = np.nan_to_num(raw[name].values)
        assert np.sum(weights, axis=1) == pytest.approx(np.ones(4))
        draws = tree["posterior"][name].values.ravel()
        error = 4.5 * np.std(draws) / np.sqrt(draws.size / 2)
        assert np.sum(weights * values) / 4.0 == pytest.approx(np.mean(draws), abs=error)


@pytest.mark.parametrize(
    "other",
    ["independence", *(pytest.param(name, marks=pytest.mark.slow) for name in ("emcee", "smc"))],
)
def test_cross_check_is_part_of_the_verdict(other):
    tree = run("nuts", cross_check=other)
    found = json.loads(tree.attrs["renp_diagnostics"])
    assert found["cross_check"]["sampler"] == other
    assert found["cross_check"]["verdict"] == "pass"
    assert set(tree["renp_cross_check"].data_vars) == set(tree["posterior"].data_vars)


def test_emcee_has_independent_ensembles_and_states_its_length(trees):
    statistics = trees("emcee")["sample_stats"]
    assert statistics.sizes["chain"] == 4
    assert statistics.attrs["length_rule_reached"] == 1
    assert np.all(statistics["steps"] > 50 * statistics["autocorrelation_time"])
    assert len(np.unique(trees("emcee")["posterior"]["m1_meV"][:, 0])) == 4


def test_log_likelihood_is_that_of_the_draws(trees):
    tree = trees("nuts")
    target = conjugate_likelihood()
    terms = tree["log_likelihood"]["field_nG"].isel(chain=1, draw=3)
    draw = tree["posterior"].to_dataset().isel(chain=1).sel(draw=terms.draw)
    vector = np.array([float(draw[name]) for name in target.prior.names])
    assert terms.values == pytest.approx(target.pointwise(vector), rel=1e-12)


def test_predictions_carry_the_noise(trees):
    """The spread of the data around their own prediction is the measured one."""
    predicted = trees("nuts")["posterior_predictive"]["field_nG"].stack(s=("chain", "draw"))
    pulls = (predicted.mean("s").values - DATA.vector) / predicted.std("s").values
    assert np.all(predicted.std("s").values > 0.9 * DATA.sigma)
    assert np.abs(pulls).max() < 4.5


def test_equal_seeds_give_equal_draws_and_other_seeds_others():
    small = {"draws": 5, "tune": 1}
    first, again, other = (run("emcee", seed, **small) for seed in (3, 3, 4))
    xr.testing.assert_identical(first["posterior"].to_dataset(), again["posterior"].to_dataset())
    xr.testing.assert_identical(first["prior"].to_dataset(), again["prior"].to_dataset())
    assert np.all(first["prior"]["m1_meV"] != other["prior"]["m1_meV"])


class Holed(LinearResponse):
    """A kernel that is not finite beside a response that is."""

    def __init__(self):
        super().__init__(THETA, LINEAR.tables[0])
        self.tables = (self.tables[0], self.slope + np.nan)

    def __call__(self, x):
        return LINEAR(x)


def conjugate_likelihood(response=LINEAR):
    prior = toy_prior(TRUTH, conjugate_settings("nuts"))
    return Likelihood(prior, response, DATA)


def test_compiled_code_takes_other_data():
    target = conjugate_likelihood()
    compiled = compile_model(build_model(target))
    point = np.full(compiled.size, 0.3)
    for shift in (0.0, 0.4):
        other = observe(DATA.vector + shift, COVARIANCE, THETA)
        nuts._codes.clear()
        fresh = compile_model(build_model(Likelihood(target.prior, LINEAR, other)))
        moved = compiled.with_data(target.whitening.decorrelate(other.vector))
        assert moved(point)[0] == pytest.approx(fresh(point)[0], rel=1e-12)
    assert compiled(point)[0] != moved(point)[0]


def test_a_study_of_the_same_structure_takes_the_code_but_its_own_numbers():
    nuts._codes.clear()
    first = compile_model(build_model(conjugate_likelihood()))
    response = LinearResponse(THETA, 1.3 * LINEAR.tables[0])
    target = conjugate_likelihood(response)
    reused = compile_model(build_model(target))
    nuts._codes.clear()
    fresh = compile_model(build_model(target))
    point = np.full(first.size, 0.3)
    assert reused.function is first.function is not fresh.function
    for ours, theirs in zip(reused(point), fresh(point), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert reused(point)[0] != pytest.approx(first(point)[0])


def test_nuts_names_the_parameters_where_the_response_breaks():
    """The kernel breaks, the interpreted response does not: only NUTS meets it."""
    target = conjugate_likelihood(Holed())
    compiled = compile_model(build_model(target))
    with pytest.raises(NonFiniteError, match="finite number.*m1_meV"):
        sample_nuts(compiled, target, conjugate_settings("nuts"), np.random.SeedSequence(1))


@pytest.mark.slow
def test_cores_do_not_change_the_draws():
    target, chosen = toy_likelihood(0.1, draws=50, tune=100)
    compiled = compile_model(build_model(target))
    seed = np.random.SeedSequence(9)
    first, again = (sample_nuts(compiled, target, chosen, seed, cores)[0] for cores in (1, 2))
    assert np.array_equal(first, again)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["nuts", "emcee", "independence"])
def test_data_that_say_nothing_return_the_prior(sampler):
    toy = ToyResponse(toy_angles(5))
    truth = toy_truth("majorana")
    chosen = inference_with(sampler=sampler)
    signal = toy_field(toy, truth)
    data = observe(signal, 1e6 * np.eye(5), toy.theta_s, seed=1)
    tree = fit(HypothesisModel(toy, truth, OSCILLATION, chosen, 1.45), data, 2)
    rows = json.loads(tree.attrs["renp_summary"])["parameters"]
    prior = toy_prior(truth, chosen, np.abs(signal).max())
    reference = prior.sample(np.random.default_rng(0), 200_000)
    for k, name in enumerate(prior.names):
        draws, expected = tree["posterior"][name].values.ravel(), reference[:, k]
        for quantile in (0.1, 0.5, 0.9):
            if name in prior.circular:
                continue
            below = np.mean(draws < np.quantile(expected, quantile))
            size = min(rows[name]["ess_bulk"], rows[name]["ess_tail"])
            error = np.sqrt(quantile * (1.0 - quantile) / size)
            assert below == pytest.approx(quantile, abs=4.5 * error), (name, quantile)
    assert len(rows) == 13 + len(DERIVED_TEXTS)


@pytest.mark.slow
def test_a_precise_measurement_contains_the_truth():
    target, chosen = toy_likelihood(1e-3)
    model = HypothesisModel(target.response, toy_truth("majorana"), OSCILLATION, chosen, 1.45)
    tree = fit(model, target.data, 2, cores=2)
    summary = json.loads(tree.attrs["renp_summary"])
    # one in a thousand draws is the gate's limit to a warning
    assert summary["diagnostics"]["divergences"] <= 4
    assert summary["diagnostics"]["r_hat_max"] < 1.05
    mass = summary["parameters"]["m1_meV"]
    assert abs(mass["mean"] - mass["truth"]) < 4.0 * mass["sd"] < 20.0
