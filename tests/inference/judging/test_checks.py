"""Model checks: exact where there is a formula, and wrong models are flagged."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from renp_infer.inference.fit import fit
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.judging.checks import (
    _graded,
    log_prior_group,
    polynomials,
    posterior_p_values,
    prior_p_values,
    prior_sensitivity,
)
from renp_infer.inference.judging.impact import impacts
from renp_infer.inference.knowledge.external import NOTHING
from renp_infer.inference.priors.marginals import Circular, Normal, Uniform
from renp_infer.inference.priors.prior import Prior
from renp_infer.inference.results.diagnostics import _k_error, leave_one_out, power_scaling
from renp_infer.inference.results.judged import LeaveOneOut
from renp_infer.inference.results.reweight import smoothed
from tests.toys.response import OSCILLATION, ToyResponse, observe, toy_angles, toy_field, toy_truth
from tests.toys.settings import inference_with

ANGLES = toy_angles(41)
FALSE_ALARM = 1e-4


def test_p_values_of_a_known_point_are_uniform():
    """With the posterior a point there is nothing conservative: p is exactly uniform."""
    rng = np.random.default_rng(1)
    rows = [posterior_p_values(rng.standard_normal((1, 41)), ANGLES) for _ in range(2000)]
    for name in ("chi_squared", "largest_pull", "smooth", "trend"):
        assert stats.kstest([row[name] for row in rows], "uniform").pvalue > FALSE_ALARM, name


def test_p_values_are_conservative_after_a_fit():
    """Meng's bound for a fitted straight line, whose prior the truth is drawn from."""
    rng, design = np.random.default_rng(2), polynomials(ANGLES)[:, :2]
    low = 0
    for _ in range(1000):
        data = design @ rng.normal(0.0, 5.0, 2) + rng.standard_normal(41)
        shrink = 25.0 / 26.0
        draws = shrink * design.T @ data + np.sqrt(shrink) * rng.standard_normal((50, 2))
        found = posterior_p_values(data - draws @ design.T, ANGLES)
        low += found["smooth"] < 0.05
    assert low <= stats.binom.isf(FALSE_ALARM, 1000, 0.1)


@pytest.mark.parametrize("size", [1, 2, 41])
def test_p_values_are_means_over_the_draws(size):
    """Of each draw by itself; of chi-squared the smaller mean tail counts, twice."""
    rng = np.random.default_rng(3)
    pulls, angles = 1.5 * rng.standard_normal((7, size)), toy_angles(41)[:size]
    rows = [posterior_p_values(row[None], angles) for row in pulls]
    found = posterior_p_values(pulls, angles)
    names = {"chi_squared", "largest_pull", "smooth", "trend"}
    assert set(found) == (names if size > 1 else names - {"trend"})
    for name in set(found) - {"chi_squared"}:
        assert found[name] == pytest.approx(np.mean([row[name] for row in rows]))
    tails = [stats.chi2.cdf(sum(pull**2 for pull in row), size) for row in pulls]
    assert found["chi_squared"] == pytest.approx(2.0 * min(np.mean(tails), 1.0 - np.mean(tails)))


def test_pulls_of_nothing_at_all_are_not_large_but_too_good():
    found = posterior_p_values(np.zeros((3, 41)), ANGLES)
    assert (found["largest_pull"], found["smooth"], found["trend"]) == (1.0, 1.0, 1.0)
    assert found["chi_squared"] == 0.0


def test_p_values_depend_on_what_is_wrong():
    quiet = np.resize([1.0, -1.0], 41)
    wave = quiet + 1.5 * np.sin(np.linspace(0.0, 2.0 * np.pi, 41))
    outlier = quiet.copy()
    outlier[20] = 6.0
    found = {
        "smooth": posterior_p_values(wave[None], ANGLES),
        "trend": posterior_p_values((quiet + np.linspace(-2.0, 2.0, 41))[None], ANGLES),
        "largest_pull": posterior_p_values(outlier[None], ANGLES),
        "chi_squared": posterior_p_values(0.3 * quiet[None], ANGLES),
    }
    for name, values in found.items():
        assert values[name] < 1e-3
    assert found["largest_pull"]["trend"] > 0.1
    assert found["chi_squared"]["largest_pull"] > 0.1
    fine = posterior_p_values(quiet[None], ANGLES)
    assert all(0.1 < p <= 1.0 for name, p in fine.items() if name != "chi_squared")


@pytest.mark.parametrize("size", [1, 2, 5])
def test_few_angles_have_p_values_too(size):
    found = posterior_p_values(np.full((3, size), 0.5), ANGLES[:size])
    assert all(0.0 < p <= 1.0 for p in found.values())


def normal_mean(prior_sd, size=30, draws=2000):
    """Draws of the mean m of unit normals, prior N(0, prior_sd), with their densities."""
    rng = np.random.default_rng(3)
    data = 1.0 + rng.standard_normal(size)
    precision = size + prior_sd**-2
    m = data.sum() / precision + rng.standard_normal((4, draws)) / np.sqrt(precision)
    dims = ("chain", "draw")
    coords = {"chain": np.arange(4), "draw": np.arange(draws)}
    terms = stats.norm.logpdf(data, m[..., None], 1.0)
    posterior = xr.Dataset({"m1_meV": (dims, m)}, coords)
    prior = Prior({"m1_meV": Normal(0.0, prior_sd)}, {})
    groups = {
        "posterior": posterior,
        "log_likelihood": xr.Dataset({"field_nG": ((*dims, "angle"), terms)}, coords),
        "log_prior": log_prior_group(prior, NOTHING, m[..., None], posterior),
    }
    return xr.DataTree.from_dict(groups), data


def test_leave_one_out_is_the_exact_one_of_a_normal_mean():
    tree, data = normal_mean(prior_sd=1e3)
    found, k, elpd = leave_one_out(tree)
    others = (data.sum() - data) / (data.size - 1)
    exact = stats.norm.logpdf(data, others, np.sqrt(1.0 + 1.0 / (data.size - 1)))
    # 8000 draws: a weighted mean of densities that vary by some 20 % is good to 1 %
    assert elpd == pytest.approx(exact, abs=0.01)
    assert found.elpd == pytest.approx(exact.sum(), abs=0.05)
    assert found.p_loo == pytest.approx(1.0, abs=0.5)
    assert found.bad_k == 0 and k.max() == found.largest_k
    assert found.se == pytest.approx(np.std(elpd) * np.sqrt(data.size))
    assert found.good_k == 0.7  # 8000 draws would allow 0.744


@pytest.mark.parametrize(
    ("prior_sd", "verdict"), [(10.0, "the data decide"), (0.01, "the prior of m1_meV decides")]
)
def test_power_scaling_tells_prior_from_data(prior_sd, verdict):
    tree, _ = normal_mean(prior_sd)
    found = prior_sensitivity(tree)
    assert found.verdict == verdict
    assert found.by_prior == {"m1_meV": found.prior}


def two_priors(rng):
    """Draws of two parameters with narrow Gaussian priors, and data that say nothing."""
    draws = 0.1 * rng.standard_normal((4, 2000, 2))
    coords = {"chain": np.arange(4), "draw": np.arange(2000)}
    prior = Prior({"m1_meV": Normal(0.0, 0.1), "baseline_nG": Normal(0.0, 0.1)}, {})
    dims = ("chain", "draw")
    columns = {name: (dims, draws[..., k]) for k, name in enumerate(prior.names)}
    posterior = xr.Dataset(columns, coords)
    densities = log_prior_group(prior, NOTHING, draws, posterior)
    return xr.DataTree.from_dict({"posterior": posterior, "log_prior": densities})


def test_the_power_of_a_prior_is_that_of_its_own_parameter(rng):
    """Each narrow prior decides its own parameter, and leaves the other, independent one alone."""
    tree = two_priors(rng)
    for name, other in (("m1_meV", "baseline_nG"), ("baseline_nG", "m1_meV")):
        alone = power_scaling(tree, name, "prior", [name])
        assert alone > 0.05
        assert power_scaling(tree, name, "prior", [name, other]) == pytest.approx(alone, rel=0.2)
        assert power_scaling(tree, name, "prior", [other]) < 0.2 * alone
    flat = tree["log_prior"].to_dataset().assign(m1_meV=0.0 * tree["log_prior"]["m1_meV"])
    mixed = xr.DataTree.from_dict({"posterior": tree["posterior"].to_dataset(), "log_prior": flat})
    assert power_scaling(mixed, "m1_meV", "prior", ["m1_meV"]) == 0.0


def test_what_one_draw_alone_tells_is_not_known(rng):
    """A component that all draws but one have in common: its tail has no shape."""
    coords = {"chain": np.arange(4), "draw": np.arange(100)}
    dims = ("chain", "draw")
    posterior = xr.Dataset({"m1_meV": (dims, rng.standard_normal((4, 100)))}, coords)
    terms = np.stack(
        [np.zeros((4, 100)), rng.standard_normal((4, 100)), np.ones((4, 100))], axis=-1
    )
    terms[0, 0, 0] = 1.0
    groups = {"posterior": posterior, "log_likelihood": xr.Dataset({"y": ((*dims, "n"), terms)})}
    found, k, elpd = leave_one_out(xr.DataTree.from_dict(groups))
    np.testing.assert_array_equal(np.isnan(k), [True, True, False])
    np.testing.assert_array_equal(np.isnan(elpd), [True, True, False])
    assert (k[2], elpd[2], found.bad_k) == (0.0, 1.0, 2)
    assert found.good_k == pytest.approx(1.0 - 1.0 / 2.60206, rel=1e-6)  # log10 of 400


def test_the_power_of_a_density_that_one_draw_alone_tells_is_not_known(rng):
    tree = two_priors(rng)
    density = np.zeros((4, 2000))
    density[0, 0] = 1.0
    posterior = tree["posterior"].to_dataset()
    lone = xr.Dataset({"m1_meV": (("chain", "draw"), density)}, posterior.coords)
    groups = {"posterior": posterior, "log_prior": lone}
    assert np.isnan(power_scaling(xr.DataTree.from_dict(groups), "m1_meV", "prior", ["m1_meV"]))


def test_flat_priors_have_no_power():
    vectors = np.random.default_rng(4).uniform(0.0, 300.0, (2, 50, 2))
    coords = {"chain": np.arange(2), "draw": np.arange(50)}
    group = log_prior_group(
        Prior({"m1_meV": Uniform(0.0, 450.0), "delta_deg": Circular()}, {}),
        NOTHING,
        vectors,
        xr.Dataset(coords=coords),
    )
    tree = xr.DataTree.from_dict({"posterior": group, "log_prior": group})
    assert power_scaling(tree, "m1_meV", "prior", ["m1_meV", "delta_deg"]) == 0.0


SIGMA = 0.02


@pytest.fixture(scope="module")
def checked():
    """Checks of a fit of the toy to its own signal plus a field, in units of sigma."""

    def run(extra, stated=1.0, **settings):
        toy, truth = ToyResponse(ANGLES), toy_truth("dirac")
        signal = toy_field(toy, truth)
        data = observe(signal + SIGMA * extra, SIGMA**2 * np.eye(41), ANGLES, seed=2)
        data = observe(data.vector, (stated * SIGMA) ** 2 * np.eye(41), ANGLES)
        numbers = {"chains": 2, "draws": 200, "tune": 200, "phases": "fixed"}
        numbers |= {"theta_s_offset_sd_deg": 0.0, "theta_e_offset_sd_deg": 0.0}
        chosen = inference_with(oscillation_errors=False, **(numbers | settings))
        tree = fit(HypothesisModel(toy, truth, OSCILLATION, chosen, 1.45), data, 6)
        return json.loads(tree.attrs["renp_checks"]), tree

    return run


UNIT = np.linspace(-1.0, 1.0, 41)


@pytest.mark.slow
def test_the_right_model_passes_and_a_wrong_one_is_flagged(checked):
    right, tree = checked(0.0 * UNIT)
    assert right["verdict"] != "fail" and min(right["posterior_p"].values()) > 0.01
    pulls = tree["renp_checks"]["pull"]
    assert pulls.dims == ("theta_s_deg",) and 0.5 < float((pulls**2).mean()) < 1.6
    assert set(right["impact"]["nuisances"]) == set(tree["posterior"].data_vars) - {"m1_meV"}
    sloped, _ = checked(8.0 * UNIT)
    assert sloped["verdict"] == "fail"
    assert sloped["posterior_p"]["smooth"] < 1e-3
    assert any("misses the data: smooth" in reason for reason in sloped["reasons"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("extra", "stated", "name"),
    [
        (7.0 * (np.arange(41) == 25), 1.0, "largest_pull"),
        (0.0 * UNIT, 4.0, "chi_squared"),
        (0.0 * UNIT, 0.4, "chi_squared"),
        (4.0 * np.sin(9.0 * UNIT), 1.0, "chi_squared"),
    ],
    ids=["outlier", "errors too large", "errors too small", "wave"],
)
def test_other_wrong_models_are_flagged(checked, extra, stated, name):
    found, _ = checked(extra, stated)
    assert found["verdict"] == "fail"
    assert found["posterior_p"][name] < 1e-3


@pytest.mark.slow
def test_data_that_the_prior_hardly_allows_are_flagged(checked):
    found, _ = checked(100.0 + 0.0 * UNIT, baseline_sd=0.05, amplitude_sd=0.1)
    assert found["prior_p"]["mean"] < 0.01
    assert any("the prior hardly allows" in reason for reason in found["reasons"])


def test_draws_that_never_moved_are_no_error():
    """As a stuck sampler leaves them: the diagnostics fail, the checks still end."""
    tree, _ = normal_mean(prior_sd=10.0, draws=20)
    stuck = {
        name: 0.0 * tree[name].to_dataset() + tree[name].to_dataset().isel(chain=0, draw=0)
        for name in ("posterior", "log_prior", "log_likelihood")
    }
    still = xr.DataTree.from_dict(stuck)
    assert prior_sensitivity(still).prior == 0.0
    assert leave_one_out(still)[0].bad_k == 0
    vectors = np.full((2, 20, 2), 0.5)
    prior = Prior({"m1_meV": Uniform(0.0, 1.0), "baseline_nG": Normal(0.0, 1.0)}, {})
    row = impacts(prior, vectors, 1.0).nuisances["baseline_nG"]
    assert row.up_meV == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("p", "grade", "of_prior"),
    [
        (0.0101, None, None),
        (0.01, None, None),
        (0.0099, "warn", "warn"),
        (0.001, "warn", "warn"),
        (0.00099, "fail", "warn"),
        (0.0, "fail", "warn"),
        (np.nan, "fail", "warn"),
    ],
)
def test_p_values_are_graded_by_their_thresholds(p, grade, of_prior):
    """A warning below 1 in 100, a failure below 1 in 1000, which the prior alone never is."""
    fits = LeaveOneOut(elpd=0.0, se=1.0, p_loo=1.0, good_k=0.7, bad_k=0, largest_k=0.1)
    good = {"chi_squared": 0.5, "trend": 1.0}
    found = _graded(good | {"largest_pull": p}, {"mean": 0.3}, fits)
    text = f"the model misses the data: largest pull, p = {p:.2g}"
    assert found == ([] if grade is None else [(grade, text)])
    found = _graded(good, {"mean": 0.3, "peak": p, "spread": 0.2}, fits)
    text = f"the prior hardly allows the data: peak of the field, p = {p:.2g}"
    assert found == ([] if of_prior is None else [(of_prior, text)])


def test_angles_that_decide_much_warn():
    words = {0: [], 1: ["1 angle decides"], 2: ["2 angles decide"]}
    for count, said in words.items():
        loo = LeaveOneOut(elpd=0.0, se=1.0, p_loo=1.0, good_k=0.654, bad_k=count, largest_k=2.0)
        found = _graded({}, {}, loo)
        assert found == [("warn", f"{text} much: Pareto k surely above 0.65") for text in said]


def test_the_error_of_a_pareto_shape_is_how_far_estimates_scatter(rng):
    """Of weights u^-k, whose tail has the shape k; the package's prior for k narrows it."""
    for k in (0.3, 0.6):
        logs = -k * np.log(rng.uniform(size=(400, 1000)))
        found = np.array([smoothed(row, row.size)[1] for row in logs])
        assert _k_error(np.array([k]), 1000)[0] == pytest.approx(np.std(found), rel=0.2)


@pytest.mark.parametrize(("k", "bad"), [(0.6, 0), (0.7, 0), (1.4, 1)])
def test_an_angle_decides_only_if_its_shape_is_above_the_limit_by_more_than_its_error(k, bad):
    """Ratios that are powers of evenly spaced numbers: the shape is known."""
    count = 4000
    spaced = np.random.default_rng(3).permutation((np.arange(count) + 0.5) / count)
    coords = {"chain": np.arange(4), "draw": np.arange(count // 4)}
    dims = ("chain", "draw")
    terms = (k * np.log(spaced)).reshape(4, -1, 1)
    groups = {
        "posterior": xr.Dataset({"m1_meV": (dims, spaced.reshape(4, -1))}, coords),
        "log_likelihood": xr.Dataset({"y": ((*dims, "n"), terms)}),
    }
    assert leave_one_out(xr.DataTree.from_dict(groups))[0].bad_k == bad


@pytest.mark.parametrize("size", [0.0, 0.6, 9.0])
def test_prior_p_values_count_the_replicates_beyond_the_data(size):
    """By sums over single fields; one replicate is the data, which is beyond on both sides."""
    rng, sigma = np.random.default_rng(4), np.array([1.0, 2.0, 4.0])
    data = sigma * size * np.array([1.0, -2.0, 0.5])
    replicates = np.vstack([sigma * rng.standard_normal((20, 3)), data])

    def seen(field):
        values = [y / s for y, s in zip(field, sigma, strict=True)]
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))
        return {"mean": mean, "spread": spread, "peak": max(abs(v) for v in values)}

    own, drawn = seen(data), [seen(row) for row in replicates]
    found = prior_p_values(
        SimpleNamespace(data=SimpleNamespace(vector=data, sigma=sigma)), replicates
    )
    for name, value in own.items():
        beyond = min(
            sum(row[name] >= value for row in drawn), sum(row[name] <= value for row in drawn)
        )
        assert found[name] == min(1.0, 2.0 * (1 + beyond) / (1 + 21))
    assert set(found) == set(own)


def test_replicates_that_are_the_data_make_them_wholly_probable():
    data, sigma = np.array([1.0, -2.0, 0.5]), np.ones(3)
    likelihood = SimpleNamespace(data=SimpleNamespace(vector=data, sigma=sigma))
    found = prior_p_values(likelihood, np.tile(data, (5, 1)))
    assert found == {"mean": 1.0, "spread": 1.0, "peak": 1.0}
