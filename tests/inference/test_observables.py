"""A second observable stacks beside the first: its information adds."""

import json
from dataclasses import replace

import numpy as np
import pytest

from renp_infer.inference.fit import fit
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.prior import response_argument
from renp_infer.inference.profiles.fisher import expand, sigma
from renp_infer.measurement.data import FIELD, Data, Label, Whitening, stack
from renp_infer.measurement.noise import Noise
from renp_infer.records import Observation
from tests.toys.expected import EXPOSURE, hypothesis
from tests.toys.linear import COVARIANCE, LINEAR, TRUTH, VALUES, conjugate_settings
from tests.toys.observables import COUNTS, Amplified, Both, both_noises, only_first
from tests.toys.response import OSCILLATION, LinearResponse, ToyResponse, toy_angles

BASELINE = "baseline_nG"
FIRST = LINEAR
SECOND = Amplified(LinearResponse(toy_angles(13) + 0.01, response_argument(VALUES)))
ERRORS = np.linspace(0.05, 0.4, 13)
RNG = np.random.default_rng(8)


def measured(response, covariance, label: Label) -> Data:
    """Data with noise of what the truth gives."""
    mean = response(response_argument(VALUES))[0]
    noise = np.linalg.cholesky(covariance) @ RNG.standard_normal(mean.size)
    return Data(response.theta_s, mean + noise, covariance, (label,) * mean.size)


ONE, TWO = measured(FIRST, COVARIANCE, FIELD), measured(SECOND, np.diag(ERRORS**2), COUNTS)


def model_of(response, sampler="independence", **shapes) -> HypothesisModel:
    """Mixing angles and a baseline of the first observable, all linear."""
    settings = conjugate_settings(sampler, chains=2)
    return HypothesisModel(response, TRUTH, OSCILLATION, settings, 1.45, 1.0, shapes)


MODELS = (
    (model_of(FIRST), ONE),
    (model_of(SECOND, **{BASELINE: np.zeros(13)}), TWO),
    (model_of(Both(FIRST, SECOND), **{BASELINE: only_first(FIRST, SECOND)}), stack(ONE, TWO)),
)


def test_a_stack_says_what_each_entry_is() -> None:
    both = stack(ONE, TWO)
    assert both.labels == (FIELD,) * 21 + (COUNTS,) * 13
    assert both.vector.tolist() == [*ONE.vector, *TWO.vector]
    assert both.theta_s.tolist() == [*ONE.theta_s, *TWO.theta_s]
    assert np.array_equal(both.covariance[:21, :21], ONE.covariance)
    assert not np.any(both.covariance[:21, 21:])
    assert (str(ONE.label), str(both.label)) == ("field_nG", "data")
    assert (ONE.label.of("sigma"), both.label.of("sigma")) == ("sigma_nG", "sigma")


def test_data_of_a_field_are_what_was_observed() -> None:
    seen = Observation(ONE.theta_s, ONE.vector, ONE.covariance, True, "own.csv")
    data = Data.of(seen)
    assert np.array_equal(data.vector, seen.field_nG)
    assert np.array_equal(data.sigma, seen.sigma_nG)
    assert (data.normalised, data.source, str(data.label)) == (True, "own.csv", "field_nG")


def test_a_stack_is_whitened_as_its_parts_are() -> None:
    both = Whitening.of(stack(ONE, TWO), {})
    parts = [Whitening.of(data, {}).white(data.vector) for data in (ONE, TWO)]
    assert both.white(stack(ONE, TWO).vector) == pytest.approx(np.concatenate(parts), rel=1e-12)
    white = (
        np.linalg.solve(both.cholesky, stack(ONE, TWO).covariance) @ np.linalg.inv(both.cholesky).T
    )
    assert white == pytest.approx(np.eye(34), abs=1e-12)


def test_log_likelihoods_and_their_slopes_add() -> None:
    one, two, both = (model.likelihood(data) for model, data in MODELS)
    assert one.prior.names == two.prior.names == both.prior.names
    for vector in both.prior.sample(RNG, 5):
        parts = one.log_likelihood(vector) + two.log_likelihood(vector)
        assert both.log_likelihood(vector) == pytest.approx(parts, rel=1e-12)
        slopes = one.gradient(vector) + two.gradient(vector)
        assert both.gradient(vector) == pytest.approx(slopes, rel=1e-9, abs=1e-9)


def test_an_offset_belongs_to_the_observable_that_its_shape_names() -> None:
    likelihood = MODELS[2][0].likelihood(stack(ONE, TWO))
    vector = likelihood.prior.sample(RNG, 1)[0]
    moved = vector.copy()
    moved[likelihood.prior.names.index(BASELINE)] += 0.7
    change = likelihood.mean(moved) - likelihood.mean(vector)
    assert change == pytest.approx(0.7 * only_first(FIRST, SECOND), abs=1e-12)


def exact(data: Data, response, baseline) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of baseline, sin2_12 and sin2_13 by linear algebra."""
    _, jacobian = response(response_argument(VALUES))
    design = np.column_stack([baseline, jacobian[:, 4], jacobian[:, 5]])
    weighted = np.linalg.solve(data.covariance, design)
    precision = design.T @ weighted + np.diag(np.array([0.1, 0.012, 0.00057]) ** -2.0)
    misfit = data.vector - response(response_argument(VALUES))[0]
    covariance = np.linalg.inv(precision)
    return np.array([0.0, 0.308, 0.02215]) + covariance @ (weighted.T @ misfit), covariance


@pytest.mark.parametrize("sampler", ["independence", pytest.param("nuts", marks=pytest.mark.slow)])
def test_a_fit_of_both_knows_more_by_what_theory_says(sampler: str) -> None:
    response, baseline = Both(FIRST, SECOND), only_first(FIRST, SECOND)
    both = stack(ONE, TWO)
    tree = fit(model_of(response, sampler, **{BASELINE: baseline}), both, 3)
    mean, covariance = exact(both, response, baseline)
    _, alone = exact(ONE, FIRST, np.ones(21))
    rows = json.loads(tree.attrs["renp_summary"])["parameters"]
    for k, name in enumerate((BASELINE, "sin2_12", "sin2_13")):
        sd = np.sqrt(covariance[k, k])
        error = sd / np.sqrt(rows[name]["ess_bulk"])
        assert rows[name]["mean"] == pytest.approx(mean[k], abs=4.5 * error)
        assert rows[name]["sd"] == pytest.approx(sd, abs=9.0 * error / np.sqrt(2.0))
    # the draws can tell the narrower posterior from that of the first observable alone
    assert covariance[1, 1] < 0.5 * alone[1, 1]


def test_a_file_of_both_tells_them_apart() -> None:
    model, data = MODELS[2]
    settings = replace(model.settings, draws=100, tune=100)
    tree = fit(replace(model, settings=settings), data, 3)
    for group in ("observed_data", "posterior_predictive", "log_likelihood"):
        found = tree[group].to_dataset()
        assert list(found.data_vars) == ["data"]
        assert found["observable"].values.tolist() == ["field_nG"] * 21 + ["counts_Hz"] * 13
    assert tree["constant_data"]["sigma"].values == pytest.approx(data.sigma)


def forecast(response, noise: Noise, label: Label, **shapes):
    """Expansion about the truth of a toy with everything free, and the noise."""
    model = hypothesis(response, phases="fixed")
    truth = model.at(50.0)
    mean, covariance = model.field(truth), noise.covariance(EXPOSURE)
    data = Data(response.theta_s, mean, covariance, (label,) * mean.size)
    likelihood = Likelihood(replace(model, peak=1.0).prior, response, data, shapes)
    return expand(likelihood, replace(model, peak=1.0).vector(truth)), noise


def test_fisher_information_adds() -> None:
    first = ToyResponse(toy_angles(41))
    second = Amplified(ToyResponse(toy_angles(17), width=0.02))
    drift = 1e-6 * np.exp(-np.abs(np.subtract.outer(np.arange(41), np.arange(41))) / 9.0)
    noises = (
        Noise(lambda t: 1e-6 * EXPOSURE / t * np.eye(41) + drift, True, EXPOSURE),
        Noise(lambda t: 4e-5 * EXPOSURE / t * np.eye(17), False, EXPOSURE),
    )
    one = forecast(first, noises[0], FIELD)
    two = forecast(second, noises[1], COUNTS, **{BASELINE: np.zeros(17)})
    both = forecast(
        Both(first, second), both_noises(*noises), FIELD, **{BASELINE: only_first(first, second)}
    )
    for exposure in (EXPOSURE, 10.0 * EXPOSURE):
        matrices = []
        for expansion, noise in (one, two, both):
            columns = expansion.system(noise, exposure)[0][: expansion.misfit.size]
            matrices.append(columns.T @ columns)
        added = matrices[0] + matrices[1]
        scale = np.sqrt(np.outer(np.diag(added), np.diag(added)))
        assert matrices[2] / scale == pytest.approx(added / scale, abs=1e-12)
        prior = both[0].prior_rows.T @ both[0].prior_rows
        variance = np.linalg.inv(added + prior)[0, 0]
        assert sigma(*both, exposure) == pytest.approx(np.sqrt(variance), rel=1e-6)
        assert sigma(*both, exposure) < min(sigma(*one, exposure), sigma(*two, exposure))
