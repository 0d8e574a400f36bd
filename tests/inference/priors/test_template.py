"""Templates by angle: equal to a covariance, to an amplitude, to differences and graphs."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from renp_infer.errors import DomainError
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.joint import JointModel, Member, Sharing
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.marginals import Normal
from renp_infer.inference.priors.own_prior import OwnPrior, TiedBlock
from renp_infer.inference.priors.template import Template
from renp_infer.inference.samplers.importance import importance_sample
from renp_infer.inference.samplers.marginalised import marginalise
from renp_infer.inference.samplers.model import build_model
from renp_infer.inference.samplers.nuts import compile_model
from renp_infer.inference.samplers.reference import prior_reference
from renp_infer.inference.samplers.sampling import draw_sample
from renp_infer.inference.samplers.smc import build_model as smc_model
from renp_infer.measurement.data import stack
from tests.toys.linear import THETA
from tests.toys.response import (
    INDEX,
    OSCILLATION,
    ToyResponse,
    observe,
    toy_field,
    toy_truth,
)
from tests.toys.settings import inference_with

ANGLES = tuple(np.rad2deg(THETA).tolist())
HUM = Template("hum", "additive", 0.7, ANGLES, tuple((0.3 * np.sin(9.0 * THETA)).tolist()), "all")
DRIFT = Template("drift", "additive", 0.2, ANGLES, tuple((THETA - THETA[0]).tolist()), "all")
GAIN = Template("gain", "multiplicative", 0.1, ANGLES, tuple(np.cos(5.0 * THETA).tolist()), "all")
SIGMA = 0.1
TOY, TRUTH = ToyResponse(THETA), toy_truth("dirac")


def model_with(*templates, **changes):
    settings = inference_with(templates=templates, **changes)
    shapes = {t.name: t.at(THETA) for t in templates if t.kind == "additive"}
    return HypothesisModel(TOY, TRUTH, OSCILLATION, settings, INDEX, 1.0, shapes)


def likelihood_with(*templates, covariance=None, **changes):
    covariance = SIGMA**2 * np.eye(THETA.size) if covariance is None else covariance
    data = observe(toy_field(TOY, TRUTH), SIGMA**2 * np.eye(THETA.size), THETA, seed=3)
    return model_with(*templates, **changes).likelihood(replace(data, covariance=covariance))


def test_a_line_between_rows_at_any_turn():
    template = Template("t", "additive", 1.0, (170.0, 190.0), (0.0, 2.0), "all")
    assert template.at(np.deg2rad([175.0, -175.0, 550.0])) == pytest.approx([0.5, 1.5, 2.0])
    with pytest.raises(DomainError, match="within 170 and 190"):
        template.at(np.deg2rad([165.0]))


class TestAdditive:
    def test_its_parameter_is_last_and_normal(self):
        model = model_with(HUM, GAIN)
        assert model.prior.names[-2:] == ("hum", "gain")
        assert model.prior.marginals["hum"].sd == 0.7
        assert model.values(TRUTH)["hum"] == 0.0
        assert model.vector(TRUTH).size == len(model.prior.names)

    def test_the_integral_is_that_of_a_covariance(self, rng):
        """Likelihoods at points, and evidences of the same draws: sigma^2 t t^T in its place."""
        hum, drift = HUM.at(THETA), DRIFT.at(THETA)
        added = 0.49 * np.outer(hum, hum) + 0.04 * np.outer(drift, drift)
        whole = marginalise(likelihood_with(HUM, DRIFT), rng).target
        instead = likelihood_with(covariance=SIGMA**2 * np.eye(THETA.size) + added)
        other = marginalise(instead, rng).target
        assert whole.prior.names == other.prior.names
        for vector in other.prior.sample(rng, 5):
            expected = other.log_likelihood(vector)
            assert whole.log_likelihood(vector) == pytest.approx(expected, rel=1e-9)
        found, again = (
            importance_sample(target, np.random.default_rng(1), 2000).evidence
            for target in (whole, other)
        )
        assert found.log_z == pytest.approx(again.log_z, abs=1e-6)

    def test_one_that_is_not_integrated_has_the_same_integral(self, rng):
        """The likelihood of all parameters, by quadrature over the nuisance."""
        likelihood = likelihood_with(HUM)
        vector = likelihood.prior.sample(rng, 1)[0]
        place = likelihood.prior.names.index("hum")
        z, step = np.linspace(-6.0, 6.0, 2001, retstep=True)
        heights = []
        for value in 0.7 * z:
            moved = vector.copy()
            moved[place] = value
            heights.append(likelihood.log_likelihood(moved))
        top = max(heights)
        log = top + np.log(np.sum(np.exp(np.array(heights) - top) * stats.norm.pdf(z)) * step)
        hum = HUM.at(THETA)
        moved = vector.copy()
        moved[place] = 0.0
        covariance = SIGMA**2 * np.eye(THETA.size) + 0.49 * np.outer(hum, hum)
        expected = stats.multivariate_normal(likelihood.mean(moved), covariance)
        assert log == pytest.approx(expected.logpdf(likelihood.data.vector), rel=1e-9)


class TestMultiplicative:
    def test_mean_and_slopes(self):
        """At the truth's mass, where there is a signal, with both nuisances at work."""
        likelihood = likelihood_with(GAIN, HUM)
        vector = model_with(GAIN, HUM).vector(TRUTH)
        vector[-2:] = 0.3, 0.2
        mean, jacobian = likelihood.linearise(vector)
        assert mean == pytest.approx(likelihood.mean(vector), rel=1e-12)
        for k in range(vector.size):
            step = np.zeros(vector.size)
            step[k] = 1e-6 * max(abs(vector[k]), 1e-3)
            change = likelihood.mean(vector + step) - likelihood.mean(vector - step)
            scale = np.max(np.abs(jacobian[:, k])) or 1.0
            assert jacobian[:, k] / scale == pytest.approx(
                change / (2.0 * step[k]) / scale, abs=1e-5
            ), likelihood.prior.names[k]

    def test_of_1_it_is_an_amplitude(self, rng):
        flat = replace(GAIN, values=(1.0,) * THETA.size)
        likelihood, plain = likelihood_with(flat), likelihood_with()
        vector = plain.prior.sample(rng, 1)[0]
        scaled = vector.copy()
        scaled[plain.prior.names.index("amplitude")] *= 1.3
        assert likelihood.mean(np.append(vector, 0.3)) == pytest.approx(plain.mean(scaled))

    def test_expected_data_are_the_likelihoods_mean(self, rng):
        model, likelihood = model_with(GAIN, HUM), likelihood_with(GAIN, HUM)
        vector = likelihood.prior.sample(rng, 1)[0]
        values = likelihood.prior.values(vector)
        assert model.expected(values) == pytest.approx(likelihood.mean(vector), rel=1e-12)

    def test_it_stays_a_parameter_beside_an_integrated_amplitude(self, rng):
        target = marginalise(likelihood_with(GAIN, HUM), rng).target
        assert "gain" in target.prior.names and "hum" not in target.prior.names
        assert target.sd == 0.2
        vector = target.prior.sample(rng, 1)[0]
        grid, step = np.linspace(-7.0, 7.0, 4001, retstep=True)
        place, heights = target.likelihood.prior.names.index("amplitude"), []
        for log_a in 0.2 * grid:
            whole = np.insert(vector, place, np.exp(log_a))
            heights.append(target.likelihood.log_likelihood(whole))
        top = max(heights)
        log = top + np.log(np.sum(np.exp(np.array(heights) - top) * stats.norm.pdf(grid)) * step)
        assert target.log_likelihood(vector) == pytest.approx(log, abs=1e-5)

    @pytest.mark.slow
    def test_graphs_are_twins(self, rng):
        likelihood = likelihood_with(GAIN, HUM, amplitude_sd=0.0, baseline_sd=0.0)
        compiled = compile_model(build_model(likelihood))
        point = 0.3 * rng.standard_normal(compiled.size)
        density, _, vector = compiled(point)
        expected = likelihood.log_likelihood(vector) + stats.norm.logpdf(point).sum()
        assert density == pytest.approx(expected, rel=1e-9)
        target = marginalise(likelihood_with(GAIN, HUM, phases="fixed"), rng).target
        model = smc_model(target, prior_reference(target.prior))
        function = model.compile_fn(model["log_likelihood"], inputs=model.free_RVs)
        unit = 0.4 * rng.standard_normal(target.prior.unit_size)
        found = float(function({"standard": unit}))
        expected = target.log_likelihood(target.prior.from_unit(unit))
        assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["nuts", "emcee", "smc", "nested", "pymc-nuts"])
def test_samplers_agree_with_independent_draws(sampler):
    likelihood = likelihood_with(GAIN, HUM)
    settings = inference_with(sampler="independence", draws=4000, tune=1500, chains=4)
    rows = []
    for name in ("independence", sampler):
        chosen = replace(settings, sampler=name, draws=1500)
        sample = draw_sample(likelihood, chosen, np.random.SeedSequence(4), 1, lambda *_: None)
        rows.append(sample.vectors.reshape(-1, len(likelihood.prior.names)))
    for name in ("m1_meV", "amplitude", "gain", "hum"):
        first, second = (row[:, likelihood.prior.names.index(name)] for row in rows)
        errors = [row.std() / np.sqrt(row.size) for row in (first, second)]
        error = 2.5 * np.hypot(*errors)
        assert abs(first.mean() - second.mean()) < 4.0 * error, name
        assert second.std() == pytest.approx(first.std(), rel=0.12), name


def test_a_likelihood_without_them_is_what_it_was(rng):
    likelihood = likelihood_with()
    plain = Likelihood(likelihood.prior, TOY, likelihood.data)
    vector = likelihood.prior.sample(rng, 1)[0]
    assert np.array_equal(plain.mean(vector), likelihood.mean(vector))
    assert likelihood.factors == {}


class TestSeveralSets:
    """Two sets of two runs: one nuisance for all, one for each run, and a tied pair."""

    MEMBERS = (Member("first", "a", "x"), Member("second", "b", "x"))
    BLOCK = TiedBlock(("refractive_index", "amplitude"), ((1.0, 0.4), (0.4, 1.0)))
    POINTING = TiedBlock(("theta_s_offset_deg", "theta_e_offset_deg"), ((1.0, -0.3), (-0.3, 1.0)))
    OWN = tuple(
        OwnPrior(name, "block", Normal(mean, sd), "normal")
        for name, mean, sd in (
            ("refractive_index", INDEX, 4e-4),
            ("amplitude", 1.0, 0.1),
            ("theta_s_offset_deg", 0.0, 0.01),
            ("theta_e_offset_deg", 0.0, 0.01),
        )
    )

    def joint(self):
        templates = (GAIN, replace(HUM, per="run"))
        settings = {"own": self.OWN, "blocks": (self.BLOCK, self.POINTING)}
        models = [model_with(*templates, **settings) for _ in range(2)]
        data = [
            observe(toy_field(TOY, TRUTH), SIGMA**2 * np.eye(THETA.size), THETA, seed=k)
            for k in range(2)
        ]
        return models, data, JointModel.of(models, Sharing.by(self.MEMBERS, {}, templates))

    def test_the_likelihood_is_the_product(self, rng):
        models, data, joint = self.joint()
        assert {"gain", "hum[a]", "hum[b]"} <= set(joint.prior.names)
        whole = joint.likelihood(stack(*data))
        for vector in joint.prior.sample(rng, 3):
            values = joint.prior.values(vector)
            parts = 0.0
            for (model, own), one in zip(joint.split(values), data, strict=True):
                names = model.prior.names
                point = np.array([own[name] for name in names])
                parts += model.likelihood(one).log_likelihood(point)
            assert whole.log_likelihood(vector) == pytest.approx(parts, rel=1e-9)
            assert joint.expected(values) == pytest.approx(whole.mean(vector), rel=1e-9)
        assert len(models) == 2

    def test_slopes_are_differences(self, rng):
        _, data, joint = self.joint()
        likelihood = joint.likelihood(stack(*data))
        vector = likelihood.prior.sample(rng, 1)[0]
        gradient, jacobian = likelihood.gradient(vector), likelihood.linearise(vector)[1]
        for name in ("gain", "hum[b]", "m1_meV"):
            place = likelihood.prior.names.index(name)
            step = np.zeros(vector.size)
            step[place] = 1e-5 * max(abs(vector[place]), 1.0)
            change = likelihood.mean(vector + step) - likelihood.mean(vector - step)
            assert jacobian[:, place] == pytest.approx(change / (2.0 * step[place]), abs=1e-5)
            ends = [likelihood.log_likelihood(vector + s * step) for s in (1.0, -1.0)]
            slope = (ends[0] - ends[1]) / (2.0 * step[place])
            assert gradient[place] == pytest.approx(slope, rel=1e-3, abs=1e-3)

    def test_correlated_priors_follow_the_sharing(self):
        _, _, joint = self.joint()
        blocks = {block.names for block in joint.prior.blocks}
        pairs = {("theta_s_offset_deg", "theta_e_offset_deg")}
        by_run = {tuple(f"{name}[{run}]" for name in pair) for pair in pairs for run in "ab"}
        assert blocks == by_run | {("refractive_index", "amplitude")}

    def test_additive_ones_integrate_to_a_covariance_of_each_run(self, rng):
        _, data, joint = self.joint()
        found = marginalise(joint.likelihood(stack(*data)), rng).target
        hum, size = HUM.at(THETA), THETA.size
        own = 0.49 * np.outer(hum, hum)
        added = found.likelihood.data.covariance - SIGMA**2 * np.eye(2 * size)
        baseline = 0.01 * np.ones((size, size))
        assert added[:size, :size] == pytest.approx(own + baseline, abs=1e-9)
        assert added[:size, size:] == pytest.approx(np.zeros((size, size)), abs=1e-12)
