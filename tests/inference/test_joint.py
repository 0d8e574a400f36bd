"""Several data sets as one: exact values, and what must not matter."""

from dataclasses import replace

import numpy as np
import pytest

from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.joint import JointModel, Sharing
from renp_infer.inference.model import VECTOR, build_model
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.measurement.data import stack
from tests.toys.response import (
    INDEX,
    OSCILLATION,
    PythonResponse,
    ToyResponse,
    observe,
    toy_angles,
    toy_truth,
)
from tests.toys.settings import inference_with

SETTINGS = inference_with(m1_max_meV=200.0, leakage_sd=0.1)
N = 13


def model_of(theta, scale=1.0, leak=0.3):
    shapes = {"leakage": leak * np.linspace(1.0, 2.0, theta.size)}
    response = PythonResponse(ToyResponse(theta, width=0.05, scale=scale))
    return HypothesisModel(response, toy_truth(), OSCILLATION, SETTINGS, INDEX, shapes=shapes)


def data_for(model, sigma, seed):
    field = model.field(model.parameters)
    return observe(field, sigma**2 * np.eye(field.size), model.response.theta_s, seed)


def sharing_of(runs, crystals):
    by = {"all": ("",) * len(runs), "run": runs, "crystal": crystals}
    return Sharing({row.name: by[row.level] for row in PARAMETERS.rows})


def two(runs=("a", "b"), crystals=("x", "y")):
    models = [model_of(toy_angles(N)), model_of(toy_angles(N + 4), 2.0, 0.5)]
    data = [data_for(m, s, k) for k, (m, s) in enumerate(zip(models, (0.02, 0.03), strict=True))]
    return models, data, JointModel.of(models, sharing_of(runs, crystals))


def points(prior, count=4):
    return prior.sample(np.random.default_rng(3), count)


@pytest.mark.parametrize("runs", [("a", "b"), ("a", "a")])
@pytest.mark.parametrize("crystals", [("x", "y"), ("x", "x")])
def test_the_likelihood_is_the_product_of_those_of_the_sets(runs, crystals):
    models, data, joint = two(runs, crystals)
    whole = joint.likelihood(stack(*data))
    parts = [m.likelihood(d) for m, d in zip(models, data, strict=True)]
    for vector in points(joint.prior):
        values = joint.prior.values(vector)
        expected = 0.0
        for k, part in enumerate(parts):
            own = {plain: values[name] for plain, name in joint.sharing.names(k).items()}
            expected += part.log_likelihood(np.array([own[n] for n in part.prior.names]))
        assert whole.log_likelihood(vector) == pytest.approx(expected, rel=1e-12)


def test_what_is_shared_is_named_once_and_the_rest_by_group():
    *_, joint = two()
    names = joint.prior.names
    assert {"m1_meV", "sin2_12", "alpha21_deg", "amplitude[x]", "amplitude[y]"} <= set(names)
    assert {"baseline_nG[a]", "theta_s_offset_deg[b]", "refractive_index[y]"} <= set(names)
    assert not {"amplitude", "baseline_nG", "m1_meV[x]"} & set(names)
    *_, same = two(("a", "a"), ("x", "x"))
    assert same.prior.names == same.models[0].prior.names


def test_priors_are_those_of_the_sets_and_of_an_offset_in_common_the_widest():
    models, _, joint = two()
    for k, group in enumerate("ab"):
        own = models[k].prior.marginals["baseline_nG"]
        assert joint.prior.marginals[f"baseline_nG[{group}]"] == own
    *_, same = two(("a", "a"), ("x", "x"))
    wide, narrow = (
        models[1].prior.marginals["baseline_nG"],
        models[0].prior.marginals["baseline_nG"],
    )
    assert wide.sd > narrow.sd
    assert same.prior.marginals["baseline_nG"] == wide


@pytest.mark.parametrize("crystals", [("x", "y"), ("x", "x")])
def test_slopes_are_differences_of_the_expected_data(crystals):
    *_, data, joint = two(crystals=crystals)
    likelihood = joint.likelihood(stack(*data))
    for vector in points(joint.prior, 2):
        _, slopes = likelihood.linearise(vector)
        for k in range(vector.size):
            step = np.zeros(vector.size)
            step[k] = 1e-6 * max(abs(vector[k]), 1e-3)
            change = likelihood.mean(vector + step) - likelihood.mean(vector - step)
            np.testing.assert_allclose(
                change / (2.0 * step[k]), slopes[:, k], rtol=1e-5, atol=1e-7 * np.abs(slopes).max()
            )


def test_a_set_that_is_split_is_the_whole_set_and_the_order_changes_nothing():
    model = model_of(toy_angles(N))
    data = data_for(model, 0.02, 1)
    whole = model.likelihood(data)
    parts, pieces = [], []
    for rows in (slice(5, N), slice(0, 5)):
        theta = data.theta_s[rows]
        response = PythonResponse(ToyResponse(theta, width=0.05))
        shapes = {"leakage": model.shapes["leakage"][rows]}
        peak = float(np.max(np.abs(model.field(model.parameters))))
        parts.append(replace(model, response=response, shapes=shapes, peak=peak))
        pieces.append(
            replace(
                data,
                theta_s=theta,
                vector=data.vector[rows],
                covariance=data.covariance[rows, rows],
                labels=data.labels[rows],
            )
        )
    joint = JointModel.of(parts, sharing_of(("a", "a"), ("x", "x"))).likelihood(stack(*pieces))
    assert joint.prior.marginals == whole.prior.marginals
    assert joint.prior.fixed == whole.prior.fixed
    for vector in points(whole.prior):
        assert joint.log_posterior(vector) == pytest.approx(whole.log_posterior(vector), rel=1e-12)
        np.testing.assert_allclose(joint.gradient(vector), whole.gradient(vector), rtol=1e-10)


def test_two_equal_sets_with_all_in_common_are_one_with_half_the_variance():
    model = model_of(toy_angles(N))
    data = data_for(model, 0.02, 1)
    twice = JointModel.of([model, model], sharing_of(("a", "a"), ("x", "x")))
    joint = twice.likelihood(stack(data, data))
    once = model.likelihood(replace(data, covariance=0.5 * data.covariance))
    first, *others = points(once.prior)
    for vector in others:
        found, expected = (
            one.log_likelihood(vector) - one.log_likelihood(first) for one in (joint, once)
        )
        assert found == pytest.approx(expected, rel=1e-10)
        np.testing.assert_allclose(joint.gradient(vector), once.gradient(vector), rtol=1e-10)


def test_the_graph_has_the_same_gradient_and_density():
    *_, data, joint = two()
    likelihood = joint.likelihood(stack(*data))
    model = build_model(likelihood)
    values = model.replace_rvs_by_values([model[VECTOR]])
    function = model.compile_fn(
        [model.logp(), *values], inputs=model.value_vars, point_fn=False, mode="FAST_COMPILE"
    )
    unit = np.random.default_rng(1).standard_normal((2, likelihood.prior.unit_size))
    found = [function(point) for point in unit]
    prior = likelihood.prior
    # phases add their radii, the rest is standard normal: the same coordinates as the prior's
    numpy = [
        likelihood.log_likelihood(prior.from_unit(point))
        - 0.5 * np.sum(point**2 + np.log(2.0 * np.pi))
        for point in unit
    ]
    for (density, vector), point, expected in zip(found, unit, numpy, strict=True):
        np.testing.assert_allclose(vector, prior.from_unit(point), rtol=1e-12)
        assert density == pytest.approx(expected, rel=1e-10)


def test_exact_linear_gaussian_values():
    """The curvature at the expectation is that of generalised least squares with all blocks."""
    models, _, joint = two()
    data = [data_for(m, s, None) for m, s in zip(models, (0.02, 0.03), strict=True)]
    likelihood = joint.likelihood(stack(*data))
    vector = joint.vector(joint.parameters)
    _, slopes = likelihood.linearise(vector)
    fisher = slopes.T @ np.linalg.solve(likelihood.data.covariance, slopes)
    expected = np.zeros_like(fisher)
    for k, (model, own) in enumerate(zip(models, data, strict=True)):
        part = model.likelihood(own)
        _, by = part.linearise(model.vector(model.parameters))
        places = [joint.prior.names.index(joint.sharing.names(k)[n]) for n in part.prior.names]
        expected[np.ix_(places, places)] += by.T @ np.linalg.solve(own.covariance, by)
    np.testing.assert_allclose(fisher, expected, rtol=1e-9, atol=1e-9 * np.abs(fisher).max())
