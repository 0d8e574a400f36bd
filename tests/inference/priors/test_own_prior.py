"""Priors by parameter: densities of scipy, graphs, and posteriors by reweighting."""

from dataclasses import replace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

from renp_infer.errors import DomainError
from renp_infer.inference.judging.belt_mocks import belt_mock
from renp_infer.inference.priors import own_prior as own_module
from renp_infer.inference.priors.marginals import LogNormal, LogUniform, Normal, Uniform, slope_at
from renp_infer.inference.priors.own_prior import OwnPrior, TiedBlock, density_of
from renp_infer.inference.priors.prior_graph import from_unit
from renp_infer.inference.profiles.calibrations import Calibrations
from renp_infer.inference.profiles.profile import Profile
from renp_infer.inference.samplers.evidence import estimate
from renp_infer.inference.samplers.importance import evidence
from renp_infer.inference.samplers.marginalised import marginalise
from renp_infer.inference.samplers.model import UNIT, build_model
from renp_infer.inference.samplers.nuts import compile_model
from renp_infer.inference.samplers.reference import prior_reference
from renp_infer.inference.samplers.sampling import draw_sample
from tests.toys.likelihoods import toy_likelihood
from tests.toys.linear import LINEAR, TRUTH, conjugate_settings, linear_likelihood
from tests.toys.own_priors import BLOCKS, MARGINALS, OWN, scipy_log_density
from tests.toys.response import toy_prior, toy_truth
from tests.toys.settings import inference_with

QUANTILES = np.array([1e-4, 0.02, 0.3, 0.5, 0.77, 0.99, 0.9999])
UNITS = stats.norm.ppf(QUANTILES)
KNOWN = {"sin2_12", "dm2_3l"}
"""Parameters of the toy that keep their default priors, beside the phases."""


def own_prior(nature="dirac", **changes):
    settings = inference_with(own=OWN, blocks=BLOCKS, **changes)
    return toy_prior(toy_truth(nature), settings, 2.0)


@pytest.mark.parametrize("kind", list(MARGINALS))
class TestForms:
    def test_density_and_quantiles_are_those_of_scipy(self, kind):
        marginal, oracle = MARGINALS[kind]
        values = oracle.ppf(QUANTILES)
        assert marginal.from_unit(UNITS[:, None]) == pytest.approx(values, rel=1e-6)
        assert marginal.to_unit(values) == pytest.approx(UNITS, rel=1e-5, abs=1e-6)
        for value in values:
            assert marginal.log_density(value) == pytest.approx(oracle.logpdf(value), abs=1e-9)

    def test_nothing_lies_outside(self, kind):
        marginal, _ = MARGINALS[kind]
        low, high = marginal.limits
        for outside in (low - 1e-6, high + 1e-6):
            if np.isfinite(outside):
                assert marginal.log_density(outside) == -np.inf
        ends = marginal.from_unit(np.array([[-40.0], [40.0]]))
        assert low <= ends[0] < ends[1] <= high

    def test_unit_coordinates_go_there_and_back(self, kind):
        marginal, _ = MARGINALS[kind]
        units = np.linspace(-5.0, 5.0, 41)
        back = marginal.to_unit(marginal.from_unit(units[:, None]))
        assert back == pytest.approx(units, rel=1e-6, abs=1e-7)
        for unit in (-2.0, 0.1, 1.5):
            values = marginal.from_unit(np.array([[unit - 1e-6], [unit + 1e-6]]))
            slope = (values[1] - values[0]) / 2e-6
            assert slope_at(marginal, unit) == pytest.approx(slope, rel=1e-5)

    def test_a_local_expansion_sees_its_moments(self, kind):
        """That of a log-normal is of the logarithm."""
        marginal, oracle = MARGINALS[kind]
        pull, slope = marginal.pull(2.0)
        if kind == "log-normal":
            assert pull == pytest.approx(np.log(25.0) / 0.3)
        else:
            assert 1.0 / slope == pytest.approx(oracle.std(), rel=1e-3)
            assert 2.0 + pull / slope == pytest.approx(oracle.mean(), rel=1e-3)


def test_flat_priors_have_the_moments_of_scipy():
    for marginal, oracle in (
        (Uniform(1.0, 4.0), stats.uniform(1.0, 3.0)),
        (LogUniform(1.0, 4.0), stats.loguniform(1.0, 4.0)),
    ):
        assert marginal.mean == pytest.approx(oracle.mean(), rel=1e-9)
        assert marginal.sd == pytest.approx(oracle.std(), rel=1e-9)
        assert marginal.to_unit(oracle.ppf(QUANTILES)) == pytest.approx(UNITS, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("own", [False, True])
def test_samples_give_their_density(own, rng):
    """Against a normal and, mirrored at 0, half of one; as often as the weights say."""
    draws = rng.standard_normal(20_000)
    low = 0.0 if own else -np.inf
    draws = np.abs(draws) if own else draws
    found = density_of(draws, np.ones(draws.size), low)
    oracle = stats.halfnorm() if own else stats.norm()
    for value in (0.02, 0.5, 1.0, 2.0):
        # bias of the bandwidth 0.12: 0.7 %; statistical 2 %
        assert np.exp(found.log_density(value)) == pytest.approx(oracle.pdf(value), rel=0.08)
    assert found.sd == pytest.approx(np.std(draws), rel=0.03)
    twice = density_of(np.repeat(draws[:50], 2), np.ones(100), low)
    assert density_of(draws[:50], 2.0 * np.ones(50), low).sd == pytest.approx(twice.sd, rel=0.1)


def test_many_samples_give_what_all_of_them_give(rng, monkeypatch):
    draws, weights = rng.gamma(3.0, 1.0, 8000), rng.uniform(0.5, 1.5, 8000)
    found = density_of(draws, weights, 0.0)
    monkeypatch.setattr(own_module, "_MANY", 10_000)
    every = density_of(draws, weights, 0.0)
    for value in (0.3, 1.0, 2.5, 6.0):
        density = np.exp(every.log_density(value))
        assert np.exp(found.log_density(value)) == pytest.approx(density, rel=2e-3)


class TestCorrelated:
    def test_a_block_of_normals_is_a_gaussian(self, rng):
        prior = own_prior()
        vectors = prior.sample(rng, 400)
        values = dict(zip(prior.names, vectors.T, strict=True))
        found = np.array([prior.log_density(v) for v in vectors])
        rest = sum(np.array([prior.marginals[n].log_density(x) for x in values[n]]) for n in KNOWN)
        assert found == pytest.approx(scipy_log_density(values) + rest, rel=1e-9)

    def test_draws_have_the_covariance(self, rng):
        prior = own_prior()
        pair = [prior.names.index(name) for name in BLOCKS[0].names]
        draws = prior.sample(rng, 40_000)[:, pair]
        cov = 4e-4 * 0.008 * 0.6
        expected = [[1.6e-7, cov], [cov, 6.4e-5]]
        assert np.cov(draws.T) == pytest.approx(np.array(expected), rel=0.04)

    def test_the_unit_cube_gives_the_same_draws(self):
        prior = own_prior()
        cube = np.random.default_rng(3).uniform(size=(50, len(prior.names)))
        assert prior_reference(prior).vector(cube) == pytest.approx(
            prior.from_unit(stats.norm.ppf(cube)), rel=1e-12
        )

    def test_three_with_a_covariance(self, rng):
        matrix = np.array([[1.0, 0.3, -0.2], [0.3, 1.0, 0.5], [-0.2, 0.5, 1.0]])
        block = TiedBlock(("a", "b", "c"), tuple(map(tuple, matrix)), "both")
        units = rng.standard_normal((20, 3))
        joint = stats.multivariate_normal(np.zeros(3), matrix).logpdf(units)
        alone = stats.norm.logpdf(units).sum(axis=1)
        assert block.log_density(units) == pytest.approx(joint - alone, abs=1e-12)


class TestGraphs:
    def test_values_and_slopes_are_those_of_the_prior(self, rng):
        prior = own_prior("majorana")
        unit = pt.dvector()
        vector = from_unit(prior, pt.dot(pt.as_tensor(prior.ties), unit))
        function = pytensor.function([unit], [vector, pytensor.gradient.jacobian(vector, unit)])
        for point in rng.standard_normal((3, prior.unit_size)):
            values, slopes = function(point)
            assert values == pytest.approx(prior.from_unit(point), rel=1e-10)
            steps = 1e-6 * np.eye(point.size)
            change = (prior.from_unit(point + steps) - prior.from_unit(point - steps)) / 2e-6
            scale = np.abs(slopes).max(axis=1, keepdims=True)
            assert slopes / scale == pytest.approx(change.T / scale, abs=1e-4)

    @pytest.mark.slow
    def test_the_models_density_is_the_posterior(self, rng):
        """At points of its own coordinates, up to one constant."""
        likelihood, _ = toy_likelihood(0.05, "dirac", own=OWN, blocks=BLOCKS)
        compiled = compile_model(build_model(likelihood))
        prior, differences = likelihood.prior, []
        assert compiled.size == prior.unit_size
        for point in 0.5 * rng.standard_normal((4, prior.unit_size)):
            density, _, vector = compiled(point)
            assert vector == pytest.approx(prior.from_unit(point), rel=1e-10)
            expected = likelihood.log_likelihood(vector) + stats.norm.logpdf(point).sum()
            differences.append(density - expected)
        assert np.ptp(differences) < 1e-8 * np.max(np.abs(differences) + 1.0)

    @pytest.mark.slow
    def test_a_baseline_around_another_value_has_its_own_coordinate(self, rng):
        own = (OwnPrior("baseline_nG", "normal", Normal(0.3, 0.1), "normal", "both"),)
        likelihood = linear_likelihood(own=own)
        model = build_model(likelihood)
        compiled, baseline = compile_model(model), likelihood.prior.names.index("baseline_nG")
        assert model[UNIT].type.shape[0] == likelihood.prior.unit_size - 2
        point = rng.standard_normal(compiled.size)
        for direction in np.eye(compiled.size)[-2:]:
            log, vectors = [], []
            for step in (0.0, 0.7):
                density, _, vector = compiled(point + step * direction)
                log.append(density)
                vectors.append(vector)
            posterior = [likelihood.log_posterior(v) for v in vectors]
            # of the amplitude, whose coordinate is of its logarithm
            turn = np.log(vectors[1][1] / vectors[0][1])
            assert log[1] - log[0] == pytest.approx(posterior[1] - posterior[0] + turn, abs=1e-7)
            assert vectors[1][baseline] != vectors[0][baseline]


class TestMarginalised:
    @pytest.mark.parametrize("tied", [False, True])
    def test_offsets_integrate_to_a_covariance(self, tied, rng):
        """The joint Gaussian of both offsets, against data of covariance C + E S E^T."""
        own = (
            OwnPrior("baseline_nG", "normal", Normal(0.2, 0.1), "normal", "both"),
            OwnPrior("leakage", "normal", Normal(-0.1, 0.2), "normal", "both"),
        )
        rho = -0.5 if tied else 0.0
        blocks = (
            (TiedBlock(("baseline_nG", "leakage"), ((1.0, rho), (rho, 1.0)), "both"),)
            if tied
            else ()
        )
        likelihood = linear_likelihood(own=own, blocks=blocks, amplitude_sd=0.0)
        found = marginalise(likelihood, rng)
        assert not {"baseline_nG", "leakage"} & set(found.target.prior.names)
        vector = found.target.prior.sample(rng, 1)[0]
        design = np.column_stack([likelihood.shapes["baseline_nG"], likelihood.shapes["leakage"]])
        spread = np.array([[0.01, rho * 0.02], [rho * 0.02, 0.04]])
        whole = dict(zip(found.target.prior.names, vector, strict=True))
        whole |= {"baseline_nG": 0.2, "leakage": -0.1}
        mean = likelihood.mean(np.array([whole[n] for n in likelihood.prior.names]))
        covariance = likelihood.data.covariance + design @ spread @ design.T
        expected = stats.multivariate_normal(mean, covariance).logpdf(likelihood.data.vector)
        assert found.target.log_likelihood(vector) == pytest.approx(expected, rel=1e-10)

    def test_and_are_drawn_back(self, rng):
        """Mean and covariance of the draws, by completing the square in numbers."""
        own = (
            OwnPrior("baseline_nG", "normal", Normal(0.2, 0.1), "normal", "both"),
            OwnPrior("leakage", "normal", Normal(-0.1, 0.2), "normal", "both"),
        )
        blocks = (TiedBlock(("baseline_nG", "leakage"), ((1.0, 0.8), (0.8, 1.0)), "both"),)
        likelihood = linear_likelihood(own=own, blocks=blocks, amplitude_sd=0.0)
        found = marginalise(likelihood, rng)
        vector = np.tile(found.target.prior.from_unit(np.zeros(found.target.prior.unit_size)), 1)
        many = np.tile(vector, (20_000, 1))
        templates = np.tile(found.target.templates(vector[None]), (20_000, 1))
        draws, log_posterior = found.complete(many, templates, rng)
        names = likelihood.prior.names
        places = [names.index("baseline_nG"), names.index("leakage")]
        spread = np.array([[0.01, 0.016], [0.016, 0.04]])
        design = np.column_stack([likelihood.shapes["baseline_nG"], likelihood.shapes["leakage"]])
        inverse = np.linalg.inv(likelihood.data.covariance)
        whole = dict(zip(found.target.prior.names, vector, strict=True))
        whole |= {"baseline_nG": 0.0, "leakage": 0.0}
        rest = likelihood.data.vector - likelihood.mean(np.array([whole[n] for n in names]))
        posterior = np.linalg.inv(design.T @ inverse @ design + np.linalg.inv(spread))
        centre = np.linalg.solve(spread, [0.2, -0.1]) + design.T @ inverse @ rest
        errors = np.sqrt(np.diag(posterior) / 20_000)
        assert np.all(np.abs(draws[:, places].mean(axis=0) - posterior @ centre) < 5.0 * errors)
        assert np.cov(draws[:, places].T) == pytest.approx(posterior, rel=0.05)
        assert log_posterior[0] == pytest.approx(likelihood.log_posterior(draws[0]), rel=1e-10)

    def test_one_that_is_not_gaussian_stays(self, rng):
        own = (OwnPrior("baseline_nG", "uniform", Uniform(-0.1, 0.1), "uniform", "both"),)
        likelihood = linear_likelihood(own=own)
        target = marginalise(likelihood, rng).target
        assert {"baseline_nG", "amplitude"} <= set(target.prior.names) and target.sd == 0.0
        vector = target.prior.sample(rng, 1)[0]
        assert target.log_likelihood(vector) == pytest.approx(
            target.likelihood.log_likelihood(vector), rel=1e-10
        )


def moments(prior, vectors, weights=None):
    """Mean, sd and their standard errors by name."""
    weights = np.ones(len(vectors)) if weights is None else weights
    share = weights / weights.sum()
    ess = 1.0 / np.sum(share**2)
    found = {}
    for name, column in zip(prior.names, vectors.T, strict=True):
        mean = share @ column
        sd = np.sqrt(share @ (column - mean) ** 2)
        found[name] = (mean, sd, sd / np.sqrt(ess))
    return found


SAMPLERS = ["independence", "nuts", "pymc-nuts", "emcee", "nested", "smc"]


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_posteriors_are_those_by_reweighting(sampler):
    """Every kind at once, against a posterior of default priors times scipy's densities."""
    settings = inference_with(sampler=sampler, chains=4, draws=1500, tune=1000)
    reference, _ = toy_likelihood(
        0.15, "dirac", amplitude_sd=0.2, baseline_sd=0.1, theta_s_offset_sd_deg=0.012,
        theta_e_offset_sd_deg=0.012, refractive_index_sd=8e-4,
    )  # fmt: skip
    wide = replace(settings, sampler="independence", draws=60_000, tune=4000)
    start = draw_sample(reference, wide, np.random.SeedSequence(1), 1, lambda *_: None).vectors
    start = start.reshape(-1, start.shape[-1])
    own, _ = toy_likelihood(0.15, "dirac", own=OWN, blocks=BLOCKS)
    values = dict(zip(reference.prior.names, start.T, strict=True))
    before = np.array([reference.prior.log_density(v) for v in start])
    for name in KNOWN:
        marginal = reference.prior.marginals[name]
        before -= np.array([marginal.log_density(x) for x in values[name]])
    log = scipy_log_density(values) - before
    expected = moments(reference.prior, start, np.exp(log - log.max()))
    sample = draw_sample(own, settings, np.random.SeedSequence(2), 1, lambda *_: None)
    vectors = sample.vectors.reshape(-1, len(own.prior.names))
    found = moments(own.prior, vectors)
    for name in own.prior.names:
        (mean, sd, error), (other, width, _) = expected[name], found[name]
        # draws of a chain count for a quarter of as many independent ones, or more
        both = np.hypot(error, 2.0 * width / np.sqrt(len(vectors)))
        assert abs(mean - other) < 4.5 * both, name
        assert width == pytest.approx(sd, rel=4.0 * both / sd + 0.02), name


@pytest.mark.slow
def test_an_independent_posterior_of_the_mass_alone():
    """One kind after the other on m1: draws against the density on a grid."""
    for kind in OWN[0], OwnPrior("m1_meV", "uniform", Uniform(20.0, 180.0), "uniform", "both"):
        likelihood, settings = toy_likelihood(
            0.4, "dirac", own=(kind,), amplitude_sd=0.0, baseline_sd=0.0, phases="fixed",
            refractive_index_sd=0.0, theta_s_offset_sd_deg=0.0, theta_e_offset_sd_deg=0.0,
            oscillation_errors=False, sampler="independence", chains=2, draws=4000, tune=600,
        )  # fmt: skip
        grid = np.linspace(1.0, 449.0, 3000)
        log = np.array([likelihood.log_posterior(np.array([m])) for m in grid])
        density = np.exp(log - log.max())
        mean = np.sum(grid * density) / np.sum(density)
        sd = np.sqrt(np.sum((grid - mean) ** 2 * density) / np.sum(density))
        sample = draw_sample(likelihood, settings, np.random.SeedSequence(5), 1, lambda *_: None)
        assert sample.vectors.mean() == pytest.approx(mean, abs=5.0 * sd / np.sqrt(4000))
        assert sample.vectors.std() == pytest.approx(sd, rel=0.1)


@pytest.mark.slow
def test_evidences_agree_between_estimators():
    from tests.toys.settings import compare_with

    likelihood, _ = toy_likelihood(0.3, "dirac", own=OWN, blocks=BLOCKS)
    log_z = evidence(likelihood, np.random.default_rng(2), 8000)
    effort = replace(compare_with().effort, live_points=300, nested_runs=3, smc_draws=1500)
    for name in ("nested", "smc"):
        seed = np.random.SeedSequence(7)
        found = estimate(likelihood, name, effort, seed, lambda *_: None)
        values = np.asarray(found.log_evidence, dtype=float)
        error = np.std(values, ddof=1) / np.sqrt(values.size)
        both = np.hypot(error, log_z.error)
        assert np.mean(values) == pytest.approx(log_z.log_z, abs=4.0 * both + 0.1)


class TestProfile:
    def test_points_go_there_and_back_with_their_slopes(self, rng):
        likelihood, _ = toy_likelihood(0.2, "dirac", own=OWN)
        profile = Profile(likelihood)
        vector = likelihood.prior.sample(rng, 1)[0]
        point = profile._point(vector)
        assert profile._vector(point) == pytest.approx(vector, rel=1e-9)
        residuals, slopes = profile._evaluate(point)
        n = likelihood.data.vector.size
        assert residuals.size == n + Profile(likelihood).expected.size
        for k in range(point.size):
            step = np.zeros(point.size)
            step[k] = 1e-5 * max(1.0, abs(point[k]))
            change = profile._evaluate(point + step)[0] - profile._evaluate(point - step)[0]
            scale = np.abs(slopes[:, k]).max()
            assert slopes[:, k] / scale == pytest.approx(
                change / (2.0 * step[k]) / scale, abs=1e-4
            ), likelihood.prior.names[k]

    def test_belts_draw_what_priors_measure(self):
        """Each at its median in truth, so that the pulls there are those that are drawn."""
        likelihood, _ = toy_likelihood(0.2, "dirac", own=OWN)
        profile = Profile(likelihood)
        names = Calibrations(likelihood.prior).names
        assert "baseline_nG" not in names  # uniform: nothing is measured
        origin = profile.central(100.0, likelihood.prior.sample(np.random.default_rng(1), 1)[0])
        cut = likelihood.prior.marginals["theta_e_offset_deg"]
        pulls = dict(zip(names, profile.expected, strict=True))
        median = origin[likelihood.prior.names.index("theta_e_offset_deg")]
        assert pulls["theta_e_offset_deg"] == pytest.approx(median / cut.base.sd, rel=1e-9)
        assert pulls["amplitude"] == 0.0
        mock = belt_mock(likelihood, origin, 100.0, [50.0], np.random.SeedSequence(4))
        assert mock.failure == "" and 0.0 <= mock.statistic < 20.0

    def test_a_flat_prior_of_a_nuisance_is_no_longer_gaussian(self):
        own = (OwnPrior("amplitude", "uniform", Uniform(0.5, 1.5), "uniform", "both"),)
        likelihood, _ = toy_likelihood(0.2, "dirac", own=own)
        profile = Profile(likelihood)
        place = likelihood.prior.names.index("amplitude")
        at = profile._vector(np.zeros(len(likelihood.prior.names)))[place]
        assert at == pytest.approx(1.0)


def test_a_prior_must_lie_within_what_its_parameter_can_be():
    for marginal, low, high in (
        (Normal(5.0, 1.0), 0.0, 100.0),
        (LogNormal(0.5, 50.0), 0.0, 100.0),
        (Uniform(-1.0, 1.0), 0.0, 100.0),
    ):
        with pytest.raises(DomainError, match="within 0 and 100"):
            OwnPrior("x", "normal", marginal, "text", "both").within(low, high)
    inside = OwnPrior("x", "normal", Normal(50.0, 5.0), "text", "both").within(0.0, 100.0)
    assert inside.log_density(52.0) == pytest.approx(stats.norm(50.0, 5.0).logpdf(52.0), abs=1e-8)
    assert inside.limits == (0.0, 100.0)


def test_one_of_another_ordering_does_not_count():
    own = (OwnPrior("dm2_3l", "normal", Normal(-2.5e-3, 1e-5), "normal", "inverted"),)
    prior = toy_prior(TRUTH, inference_with(own=own))
    assert prior.marginals["dm2_3l"].mean == pytest.approx(2.513e-3)
    assert conjugate_settings("nuts").own == () and LINEAR is not None
