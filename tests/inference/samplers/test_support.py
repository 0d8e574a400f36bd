"""Outside the prior's support the density is zero, and no response is asked for."""

import json
import re

import numpy as np
import pytensor
import pytest
from scipy import stats

from renp_infer.app.cli import execute
from renp_infer.errors import ConfigError
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import AMPLITUDE, PARAMETERS
from renp_infer.inference.samplers import nuts
from renp_infer.inference.samplers.amplitude import AmplitudeMarginal
from renp_infer.inference.samplers.ensemble import _log_density
from renp_infer.inference.samplers.importance import Proposal
from renp_infer.inference.samplers.marginalised import marginalise
from renp_infer.inference.samplers.model import build_model
from renp_infer.inference.samplers.nested import _weighted
from renp_infer.inference.samplers.reference import fitted_reference, prior_reference
from renp_infer.inference.samplers.smc import build_model as smc_model
from renp_infer.physics import neutrinos
from renp_infer.physics.neutrinos import INSIDE, load_oscillation, physical_ranges
from renp_infer.resources import share_path
from tests.toys.response import (
    OSCILLATION,
    PythonResponse,
    ToyResponse,
    observe,
    toy_angles,
    toy_field,
    toy_prior,
    toy_truth,
)
from tests.toys.settings import inference_with

FAR = [
    ("sin2_12", -26.0), ("sin2_12", 60.0), ("sin2_13", -40.0), ("sin2_13", 2e3),
    ("dm2_21", -40.0), ("dm2_21", 300.0), ("dm2_3l", -110.0), ("dm2_3l", -1e4),
]  # fmt: skip
"""Parameters and standard deviations from their means, outside what they can be."""
SLOTS = {name: k for k, name in enumerate(PARAMETERS.slots)}


class Watched(PythonResponse):
    """The toy, which keeps what it is asked."""

    def __init__(self):
        super().__init__(ToyResponse(toy_angles(9)))
        self.asked = []

    def __call__(self, x):
        self.asked.append(np.array(x))
        return super().__call__(x)


def target_of(response, **settings):
    toy, truth = ToyResponse(toy_angles(9)), toy_truth()
    signal = toy_field(toy, truth)
    prior = toy_prior(truth, inference_with(**settings))
    return Likelihood(prior, response, observe(signal, 0.01 * np.eye(9), toy.theta_s))


def far_unit(prior, name, shift):
    unit = np.full(prior.unit_size, 0.3)
    unit[prior.unit_slices()[name]] = shift
    return unit


@pytest.mark.parametrize(("name", "shift"), [*FAR, (AMPLITUDE, 1e6), (AMPLITUDE, -1e6)])
def test_the_ensemble_asks_nothing_of_a_proposal_outside(name, shift):
    response = Watched()
    target = target_of(response)
    assert _log_density(far_unit(target.prior, name, shift), target) == -np.inf
    assert response.asked == []
    assert np.isfinite(_log_density(far_unit(target.prior, name, 5.0), target))
    assert len(response.asked) == 1


@pytest.mark.parametrize(("name", "shift"), FAR)
def test_the_posterior_is_zero_outside_and_asks_nothing(name, shift):
    response = Watched()
    target = target_of(response)
    vector = target.prior.from_unit(far_unit(target.prior, name, shift))
    assert target.log_posterior(vector) == -np.inf
    assert response.asked == []


@pytest.mark.parametrize(("name", "shift"), FAR)
def test_importance_draws_outside_weigh_nothing(name, shift, rng):
    """Every second proposal of a chain lies far out."""
    response = Watched()
    target = marginalise(target_of(response), rng).target
    proposal = Proposal(target, rng)
    true, slot = proposal.mixture.sample, list(target.prior.names).index(name)

    class Wild:
        def __getattr__(self, attribute):
            return getattr(mixture, attribute)

        def sample(self, rng, count):
            points = true(rng, count)
            points[::2, slot] = shift
            return points

    mixture, proposal.mixture = proposal.mixture, Wild()
    response.asked.clear()
    found = proposal.draw(rng, 40)
    assert np.all(found.log_weights[::2] == -np.inf)
    assert np.all(np.isfinite(found.log_weights[1::2]))
    assert len(response.asked) == 20
    assert found.ess <= 20.0


@pytest.mark.parametrize(("name", "shift"), FAR)
def test_nested_sampling_asks_nothing_outside(name, shift, rng):
    """From a reference so wide that its cube leads there."""
    response = Watched()
    target = AmplitudeMarginal(target_of(response, baseline_sd=0.0))
    names = [n for n in target.prior.names if n not in target.prior.circular]
    start = prior_reference(target.prior)
    cubes = rng.uniform(0.2, 0.8, size=(200, len(target.prior.names)))
    wide = fitted_reference(start, cubes, np.ones(200))
    place = names.index(name)
    wide.factor[...] = np.diag(np.where(np.arange(len(names)) == place, abs(shift), 1.0))
    wide.center[...] = 0.0
    cube = np.full(len(target.prior.names), 0.5)
    cube[target.prior.names.index(name)] = stats.t(5.0).cdf(1.01 * np.sign(shift))
    assert _weighted(target, wide)(cube) == -np.inf
    assert response.asked == []
    cube[:] = 0.5
    assert np.isfinite(_weighted(target, wide)(cube))


@pytest.mark.parametrize(("name", "shift"), FAR)
def test_nuts_asks_nothing_outside(name, shift, monkeypatch):
    """The compiled density is not called; a wall ends the trajectory."""
    target, caught, errors = target_of(Watched()), {}, []
    size = target.prior.unit_size

    def nothing(point):
        raise AssertionError("asked")

    class Straight:
        linear = (1, 2)

        def __init__(self, likelihood, rng):
            pass

        def point(self, q):
            return q

    monkeypatch.setattr(nuts, "from_pyfunc", lambda **keys: caught.update(keys))
    monkeypatch.setattr(nuts, "Coordinates", Straight)
    monkeypatch.setattr(Straight, "start", None, raising=False)
    monkeypatch.setattr(nuts, "_noting", lambda function, raised, instead: function)
    compiled = nuts.CompiledModel(nothing, (), 0, size)
    nuts._sampler_model(compiled, target, np.random.default_rng(1), errors)
    unit = far_unit(target.prior, name, shift)
    value, gradient = caught["make_logp_fn"]()(np.append(np.delete(unit, [1, 2]), [0.0, 0.0]))
    assert value < -1e29
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize(("name", "shift"), FAR)
@pytest.mark.parametrize("graph", ["nuts", "smc"])
def test_graphs_ask_at_the_edge_and_are_zero_outside(graph, name, shift):
    """A graph has no branches: the response is asked at the nearest point that can be."""
    response = Watched()
    target = target_of(response)
    if graph == "nuts":
        model, variable, prior = build_model(target), "unit", target.prior
        origin = dict.fromkeys(("relative",), np.zeros(2))
        left = np.delete(far_unit(prior, name, shift), [1, 2])
    else:
        marginal = AmplitudeMarginal(target_of(response, baseline_sd=0.0))
        prior = marginal.prior
        model, variable = smc_model(marginal, prior_reference(prior)), "standard"
        origin = {"phases": np.full(2 * len(prior.circular), 0.3)}
        left = far_unit(prior, name, shift)[prior.plain]
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        density = model.compile_logp()
    response.asked.clear()
    assert density(origin | {variable: left}) < -1e29
    ranges = physical_ranges(OSCILLATION["dm2_21"].mean, OSCILLATION["dm2_3l"].mean)
    for x in response.asked:
        for key, (low, high) in ranges.items():
            assert low <= x[SLOTS[key]] <= high
    assert density(origin | {variable: np.full(left.size, 0.3)}) > -1e6


@pytest.mark.parametrize("table", ["nufit-6.0", "seed"])
@pytest.mark.parametrize("ordering", ["normal", "inverted"])
def test_the_norm_of_a_measured_gaussian_is_one_to_rounding(table, ordering):
    """The tails that the ranges cut off: at most 1e-120, where 1e-16 is rounding."""
    found = load_oscillation(table)
    values, sigmas = found.values[ordering], found.sigmas[ordering]
    for name, (low, high) in physical_ranges(values["dm2_21"], values["dm2_3l"]).items():
        measured = stats.norm(values[name], sigmas[name])
        assert measured.cdf(low) + measured.sf(high) < 1e-120


@pytest.mark.parametrize("ordering", ["normal", "inverted"])
def test_within_the_ranges_the_lightest_mass_is_the_lightest(ordering):
    """Corners of the box of splittings, by the masses of the physics."""
    found = load_oscillation("nufit-6.0")
    own = neutrinos.make_parameters(0.0, ordering, "dirac", 0.0, 0.0, 0.0, found)
    ranges = physical_ranges(own.dm2_21, own.dm2_3l)
    for small in (1e-12, ranges["dm2_21"][1]):
        for large in np.nan_to_num(ranges["dm2_3l"], posinf=1.0, neginf=-1.0):
            at = type(own)(**{**vars(own), "dm2_21": small, "dm2_3l": 1.0001 * large})
            m = neutrinos.masses(at)
            assert np.all(np.isfinite(m))
            assert (m[2] if ordering == "inverted" else m[0]) == min(m)


@pytest.mark.parametrize(
    ("key", "value", "sigma"),
    [("sin2_13", -0.02, 0.00057), ("sin2_13", 0.02215, 0.01), ("dm2_21", 7.49e-5, 2e-5)],
)
def test_a_table_near_a_physical_limit_is_refused(key, value, sigma, tmp_path):
    """A Gaussian does not describe what a limit cuts off."""
    text = (share_path("data") / "oscillation" / "nufit-6.0.toml").read_text()
    entry = f"{key} = {{ value = {value}, sigma = {sigma}"
    file = tmp_path / "own.toml"
    file.write_text(re.sub(rf"{key} = {{ value = \S+, sigma = [^,]+", entry, text, count=1))
    with pytest.raises(ConfigError, match=r"own.toml:normal\.\w+\.(value|sigma)"):
        load_oscillation(str(file))


def test_a_measured_value_lies_well_inside():
    assert stats.norm.sf(INSIDE) < np.finfo(float).eps / 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_ensembles_on_data_that_say_nothing_come_to_an_end(seed, tmp_path, capsys):
    """Walkers as wide as the prior propose what cannot be; the length rule may fail."""
    words = ["infer", "seed-layout-corrected", "--json", "--quiet", "--out", str(tmp_path)]
    for key in ('sampler="emcee"', "draws=40", "tune=40", "chains=4"):
        words += ["--set", f"inference.{key}"]
    assert execute([*words, "--set", f"seed={seed}"]) in (0, 3)
    row = json.loads(capsys.readouterr().out)["hypotheses"][0]["parameters"]
    assert row["m1_meV"]["measured"] is False
