"""The PyMC model is the NumPy posterior, and NUTS samples all of it."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from scipy import stats

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.samplers.model import LINEAR, VECTOR, build_model
from renp_infer.inference.samplers.nuts import require_nuts
from tests.toys.response import (
    PythonResponse,
    ToyResponse,
    observe,
    toy_angles,
    toy_field,
    toy_prior,
    toy_truth,
)
from tests.toys.settings import inference_with

THETA = toy_angles(21)
TOY = ToyResponse(THETA, width=0.05)
LAG = np.abs(np.subtract.outer(np.arange(THETA.size), np.arange(THETA.size)))
WHITE = 0.02**2 * np.eye(THETA.size)
LEAKAGE = np.linspace(1.0, 0.2, THETA.size) ** 2
CASES = {
    "native": (TOY, WHITE, {}, "NUMBA"),
    "interpreted": (TOY, WHITE, {}),
    "drift": (PythonResponse(TOY), WHITE + 0.03**2 * np.exp(-LAG / 5.0), {}),
    "log-uniform": (TOY, WHITE, {"m1_prior": "log-uniform", "amplitude_sd": 0.0}),
    "no baseline": (TOY, WHITE, {"baseline_sd": 0.0, "phases": "fixed"}),
    "neither": (TOY, WHITE, {"baseline_sd": 0.0, "amplitude_sd": 0.0}),
    "leakage": (
        PythonResponse(TOY),
        WHITE + 0.03**2 * np.exp(-LAG / 5.0),
        {"leakage_sd": 0.2, "phases": "fixed"},
    ),
}


class Compiled:
    """Model functions of one flat coordinate vector, and the likelihood."""

    def __init__(self, response, covariance, settings, mode="FAST_COMPILE"):
        chosen = inference_with(m1_max_meV=200.0, **settings)
        prior = toy_prior(toy_truth(), chosen)
        signal = toy_field(TOY, toy_truth())
        data = observe(signal, covariance, THETA, 2)
        self.likelihood = Likelihood(prior, response, data, {"leakage": LEAKAGE})
        model = build_model(self.likelihood)
        self.unit_size = prior.unit_size - sum(n in prior.names for n in LINEAR)
        values = model.replace_rvs_by_values([model[VECTOR]])
        outputs = [model.logp(), model.dlogp(), *values]
        self._function = model.compile_fn(
            outputs, inputs=model.value_vars, point_fn=False, mode=mode
        )

    def __call__(self, point):
        parts = [point[: self.unit_size], point[self.unit_size :]]
        return self._function(*(part for part in parts if part.size))

    def radii(self, point):
        """Radii of the phases, which the parameters do not show."""
        count = len(self.likelihood.prior.circular)
        pairs = point[self.unit_size - 2 * count : self.unit_size].reshape(count, 2)
        return np.hypot(*pairs.T)

    def parameters(self, point):
        return np.concatenate([self(point)[2], self.radii(point)])


@pytest.fixture(scope="module")
def compiled():
    made = {}

    def get(case):
        if case not in made:
            made[case] = Compiled(*CASES[case])
        return made[case]

    return get


def points(target, n):
    return np.random.default_rng(7).standard_normal((n, target.likelihood.prior.unit_size))


def differences(function, point, step=1e-5):
    steps = step * np.eye(point.size)
    rows = [(function(point + s) - function(point - s)) / (2.0 * step) for s in steps]
    return np.array(rows)


@pytest.mark.parametrize("case", CASES)
def test_density_is_the_numpy_posterior(case, compiled):
    """Both densities of the same parameters, joined by the Jacobian of the map."""
    target = compiled(case)
    for point in points(target, 6):
        logp, _, vector = target(point)
        radii = target.radii(point)
        sign, log_jacobian = np.linalg.slogdet(differences(target.parameters, point))
        expected = target.likelihood.log_posterior(vector) + log_jacobian
        expected += np.sum(stats.rayleigh.logpdf(radii))
        assert sign != 0
        assert logp == pytest.approx(expected, rel=1e-6, abs=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_gradient_matches_finite_differences(case, compiled):
    target = compiled(case)
    for point in points(target, 3):
        gradient = target(point)[1]
        slopes = differences(lambda p: target(p)[0], point)
        assert gradient == pytest.approx(slopes, rel=1e-4, abs=1e-5 * np.abs(slopes).max())


def test_unit_coordinates_give_the_parameters_of_the_prior(compiled):
    target = compiled("neither")
    for point in points(target, 5):
        expected = target.likelihood.prior.from_unit(point)
        assert target(point)[2] == pytest.approx(expected, rel=1e-9)


def test_relative_coordinates_sit_on_the_fit(compiled):
    """At the origin of ``relative`` the linear parameters fit the data best."""
    target = compiled("interpreted")
    prior = target.likelihood.prior
    linear = [prior.names.index(name) for name in LINEAR]
    for point in points(target, 5):
        point[target.unit_size :] = 0.0
        vector = target(point)[2]
        _, jacobian = target.likelihood.linearise(vector)
        expected = np.sqrt(np.diag(np.linalg.inv(jacobian[:, linear].T @ jacobian[:, linear])))
        pull = target.likelihood.gradient(vector)[linear]
        sd = 0.02 * expected
        assert np.all(np.abs(pull * sd) < 1.0)


class Flat(Op):
    """A response without derivatives."""

    def make_node(self, x):
        return Apply(self, [pt.as_tensor_variable(x)], [pt.dvector()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0] ** 2


def test_a_model_without_gradient_is_refused():
    with pm.Model() as model:
        x = pm.Normal("x", shape=3)
        pm.Normal("y", Flat()(x), 1.0, observed=np.zeros(3))
    with pytest.raises(TypeError, match="no gradient by x"):
        require_nuts(model)


def test_a_discrete_parameter_is_refused():
    with pm.Model() as model:
        pm.Bernoulli("ordering", 0.5)
    with pytest.raises(TypeError, match="ordering is discrete"):
        require_nuts(model)
