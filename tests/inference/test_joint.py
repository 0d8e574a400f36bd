"""Several data sets as one: exact values, and what must not matter."""

import functools
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.joint import JointModel, Sharing
from renp_infer.inference.judging.sbc import rank_one
from renp_infer.inference.judging.uniformity import EcdfTest
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.priors.marginals import LogNormal
from renp_infer.inference.priors.own_prior import OwnPrior
from renp_infer.inference.profiles.fisher import best_step, expand, sigma
from renp_infer.inference.refit import Refit
from renp_infer.inference.samplers.importance import evidence
from renp_infer.inference.samplers.model import VECTOR, build_model, linear_of
from renp_infer.inference.samplers.sampling import draw_sample
from renp_infer.measurement.data import stack
from renp_infer.measurement.noise import Noise
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


class Graph:
    """Density, gradient and parameters of the graph of a joint model, by one flat point."""

    def __init__(self, joint, data):
        self.likelihood = joint.likelihood(data)
        self.linear = linear_of(joint.prior)
        self.size = joint.prior.unit_size - len(self.linear)
        model = build_model(self.likelihood)
        values = model.replace_rvs_by_values([model[VECTOR]])
        self.compiled = model.compile_fn(
            [model.logp(), model.dlogp(), *values],
            inputs=model.value_vars,
            point_fn=False,
            mode="FAST_COMPILE",
        )

    def __call__(self, point):
        return self.compiled(point[: self.size], point[self.size :])

    def parameters(self, point):
        return self(point)[2]


def differences(function, point, step=1e-5):
    steps = step * np.eye(point.size)
    return np.array([(function(point + s) - function(point - s)) / (2.0 * step) for s in steps])


GRAPHS = {
    "apart": (("a", "b"), ("x", "y"), False),
    "one run": (("a", "a"), ("x", "y"), False),
    "one crystal, drift": (("a", "b"), ("x", "x"), True),
    "known amplitudes": (("a", "b"), ("x", "y"), False),
}
LINEAR = {"apart": 4, "one run": 3, "one crystal, drift": 3, "known amplitudes": 2}


@pytest.fixture(scope="module")
def graphs():
    made = {}

    def get(case):
        if case not in made:
            runs, crystals, drift = GRAPHS[case]
            *_, data, joint = two(runs, crystals)
            known = {"amplitude_sd": 0.0} if case == "known amplitudes" else {}
            joint = joint.with_settings(replace(SETTINGS, phases="fixed", **known))
            whole = stack(*data)
            if drift:
                extra = 0.02**2 * np.exp(-np.abs(np.subtract.outer(*[np.arange(N)] * 2)) / 5.0)
                moved = whole.covariance.copy()
                moved[:N, :N] += extra
                whole = replace(whole, covariance=moved)
            made[case] = Graph(joint, whole)
        return made[case]

    return get


@pytest.mark.parametrize(
    "case", ["apart", *(pytest.param(c, marks=pytest.mark.slow) for c in list(GRAPHS)[1:])]
)
def test_the_graph_has_the_density_of_the_same_parameters(case, graphs):
    """Joined by the Jacobian of the map from the sampler's coordinates, by differences."""
    graph = graphs(case)
    assert len(graph.linear) == LINEAR[case]
    for point in np.random.default_rng(7).standard_normal((3, graph.likelihood.prior.unit_size)):
        density, gradient, vector = graph(point)
        sign, log_jacobian = np.linalg.slogdet(differences(graph.parameters, point))
        expected = graph.likelihood.log_posterior(vector) + log_jacobian
        assert sign != 0 and density == pytest.approx(expected, rel=1e-6, abs=1e-3)
        slopes = differences(lambda p: graph(p)[0], point)
        assert gradient == pytest.approx(slopes, rel=1e-4, abs=1e-5 * np.abs(slopes).max())


@pytest.mark.slow
def test_blocks_sit_on_the_fit(graphs):
    """Far out in all else, amplitudes and baselines at 0 are those that fit the data best."""
    graph = graphs("one run")
    point = np.random.default_rng(2).standard_normal(graph.likelihood.prior.unit_size)
    point[graph.size :] = 0.0
    vector = graph.parameters(point)
    prior = graph.likelihood.prior
    places = [prior.names.index(name) for name in graph.linear]
    mean, slopes = graph.likelihood.linearise(vector)
    white = slopes[:, places] / graph.likelihood.whitening.scale[:, None]
    errors = np.sqrt(np.diag(np.linalg.inv(white.T @ white)))
    step = np.linalg.lstsq(white, graph.likelihood.pulls(mean), rcond=None)[0]
    assert np.max(np.abs(step) / errors) < 0.2


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


def test_a_prior_of_one_crystal_is_a_row_of_the_normal_equations():
    """The other crystal's stays; the error of the mass is that of the equations with that row."""
    theta, sigma_nG = toy_angles(N), 0.05
    own = OwnPrior("amplitude[y]", "log-normal", LogNormal(0.01), "")
    plain = inference_with(m1_max_meV=200.0, leakage_sd=0.0, phases="fixed")
    sharing = sharing_of(("a", "b"), ("x", "y"))
    settings = replace(plain, own=(own,))
    toy = PythonResponse(ToyResponse(theta, width=0.05))

    def joint_of(whole):
        models = [
            HypothesisModel(
                toy,
                toy_truth(),
                OSCILLATION,
                whole.of_groups(sharing.own_groups(place)),
                INDEX,
                1.0,
            )
            for place in (0, 1)
        ]
        return JointModel.of(models, sharing)

    joint, before = joint_of(settings), joint_of(plain)
    assert joint.prior.marginals["amplitude[y]"] == LogNormal(0.01)
    assert joint.prior.marginals["amplitude[x]"] == before.prior.marginals["amplitude[x]"]
    assert joint.settings.own == (own,)
    assert joint.with_settings(joint.settings).prior.marginals == joint.prior.marginals
    assert joint.with_settings(plain).prior.marginals == before.prior.marginals
    data = stack(*(data_for(m, sigma_nG, k) for k, m in enumerate(before.models)))
    noise = Noise(lambda _: data.covariance, True, 1.0)
    vector = before.vector(before.parameters)
    linear = expand(before.likelihood(data), vector)
    place = linear.names.index("amplitude[y]")
    rows = linear.prior_rows.copy()
    rows[np.flatnonzero(rows[:, place])[0], place] = 1.0 / 0.01
    columns = np.vstack([linear.jacobian / sigma_nG, rows])
    exact = np.linalg.inv(columns.T @ columns)[0, 0] ** 0.5
    found = sigma(expand(joint.likelihood(data), vector), noise, 1.0)
    assert found == pytest.approx(exact, rel=1e-8)
    assert found < 0.999 * sigma(linear, noise, 1.0)


def test_a_gradient_is_the_misfit_along_the_jacobian():
    """Also where the noise of a set is correlated."""
    *_, data, joint = two()
    lag = np.abs(np.subtract.outer(np.arange(N), np.arange(N)))
    data[0] = replace(data[0], covariance=0.02**2 * (np.eye(N) + np.exp(-lag / 4.0)))
    likelihood = joint.likelihood(stack(*data))
    for vector in points(joint.prior, 2):
        mean, slopes = likelihood.linearise(vector)
        rest = likelihood.data.vector - mean
        expected = slopes.T @ np.linalg.solve(likelihood.data.covariance, rest)
        np.testing.assert_allclose(likelihood.gradient(vector), expected, rtol=1e-8)


class Counting(PythonResponse):
    """Counts how often it is asked."""

    calls = 0

    def __call__(self, x):
        type(self).calls += 1
        return super().__call__(x)


@pytest.mark.parametrize("count", [1, 10])
def test_a_gradient_asks_each_set_once(count):
    theta = toy_angles(61)
    model = model_of(theta)
    model = replace(model, response=Counting(ToyResponse(theta, width=0.05)))
    data = data_for(model, 0.02, 1)
    names = tuple(map(str, range(count)))
    joint = JointModel.of([model] * count, sharing_of(names, names))
    likelihood = joint.likelihood(functools.reduce(stack, [data] * count))
    vector = joint.vector(joint.parameters)
    Counting.calls = 0
    likelihood.gradient(vector)
    assert Counting.calls == count


PLAIN = {
    "refractive_index_sd": 0.0,
    "theta_s_offset_sd_deg": 0.0,
    "theta_e_offset_sd_deg": 0.0,
    "oscillation_errors": False,
    "phases": "fixed",
    "leakage_sd": 0.0,
    "m1_max_meV": 300.0,
}


def log_over(log, step):
    """Log of the integral of exp(log) over its last axis, in equal steps."""
    return logsumexp(log, axis=-1) + np.log(step)


@pytest.mark.parametrize("runs", [("a", "b"), ("a", "a")])
def test_the_evidence_is_a_sum_over_explicit_nuisances(runs):
    """Two single likelihoods on a grid of the mass, both amplitudes and the baselines."""
    settings = inference_with(**PLAIN)
    models = [
        replace(model_of(theta, scale), settings=settings, shapes=None, peak=1.0)
        for theta, scale in ((toy_angles(7), 1.0), (toy_angles(9), 2.0))
    ]
    data = [data_for(m, s, k) for k, (m, s) in enumerate(zip(models, (0.1, 0.15), strict=True))]
    joint = JointModel.of(models, sharing_of(runs, ("x", "y")))
    found = evidence(joint.likelihood(stack(*data)), np.random.default_rng(1), 4000)

    masses = np.linspace(0.0, 300.0, 121)
    logs, baselines = np.linspace(-0.9, 0.9, 61), np.linspace(-0.4, 0.4, 61)
    of_amplitude = stats.norm.logpdf(logs, 0.0, settings.amplitude_sd)
    of_baseline = stats.norm.logpdf(baselines, 0.0, settings.baseline_sd)
    by_set = []
    for model, own in zip(models, data, strict=True):
        sigma = own.sigma[0]
        templates = np.array([model.field(model.at(float(m))) for m in masses])
        mean = np.exp(logs)[:, None, None] * templates[:, None, None, :] + baselines[:, None]
        log = stats.norm.logpdf(own.vector, mean, sigma).sum(axis=-1)
        log = log + of_amplitude[:, None]
        by_set.append(log_over(np.moveaxis(log, 1, -1), logs[1] - logs[0]))
    step = baselines[1] - baselines[0]
    if runs[0] == runs[1]:
        both = log_over(by_set[0] + by_set[1] + of_baseline, step)
    else:
        both = sum(log_over(one + of_baseline, step) for one in by_set)
    expected = float(log_over(both - np.log(300.0), masses[1] - masses[0]))
    assert found.log_z == pytest.approx(expected, abs=4.0 * found.error + 0.01)


def fitted(likelihood, vector):
    """Most probable point by Gauss and Newton, and the error of the mass there."""
    noise = Noise(lambda _: likelihood.data.covariance, True, 1.0)
    for _ in range(6):
        expansion = expand(likelihood, vector)
        vector = vector + best_step(*expansion.system(noise, 1.0))
    return vector, sigma(expand(likelihood, vector), noise, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("crystals", [("x", "x"), ("x", "y")], ids=["same crystal", "another"])
def test_600_pairs_of_runs_scatter_as_their_joint_errors_say(crystals):
    """Pointing is zeroed anew between two runs; every nuisance is drawn from its prior."""
    settings = inference_with(phases="fixed", m1_max_meV=400.0, leakage_sd=0.0)
    theta, rng, sd = toy_angles(31), np.random.default_rng(11), 0.01
    model = replace(model_of(theta), settings=settings, shapes=None, peak=1.0)
    joint = JointModel.of([model, model], sharing_of(("spring", "autumn"), crystals))
    names, errors, off = joint.prior.names, [], []
    place = names.index("m1_meV")
    assert ("theta_s_offset_deg[spring]" in names) and ("amplitude[x]" in names) == (
        crystals[0] != crystals[1]
    )
    covariance = sd**2 * np.eye(theta.size)
    for truth in joint.prior.sample(rng, 600):
        truth[place] = 150.0
        values = joint.prior.values(truth)
        data = [
            observe(own.expected(part), covariance, theta, int(rng.integers(1 << 31)))
            for own, part in joint.split(values)
        ]
        start = joint.vector(joint.at(150.0))
        best, error = fitted(joint.likelihood(stack(*data)), start)
        off.append(best[place] - 150.0)
        errors.append(error)
    pulls = np.array(off) / errors
    assert np.sqrt(np.mean(pulls**2)) == pytest.approx(1.0, abs=0.1)
    assert np.mean(errors) == pytest.approx(np.std(off), rel=0.1)


@pytest.mark.slow
def test_a_joint_posterior_is_calibrated():
    """Ranks of drawn truths among draws are uniform, of every parameter of two sets."""
    settings = inference_with(
        sampler="independence", chains=2, draws=1000, leakage_sd=0.0, m1_max_meV=200.0
    )
    models = [
        replace(model_of(toy_angles(n), s), settings=settings, shapes=None, peak=s)
        for n, s in ((N, 1.0), (N + 4, 2.0))
    ]
    data = [data_for(m, s, k) for k, (m, s) in enumerate(zip(models, (0.05, 0.08), strict=True))]
    joint = JointModel.of(models, sharing_of(("a", "b"), ("x", "y"))).likelihood(stack(*data))
    seeds = np.random.SeedSequence(31).spawn(120)
    rows = [rank_one(joint, joint.mean, Refit(settings), seed) for seed in seeds]
    assert sum(bool(row.failure) for row in rows) <= 3
    fractions = np.array([row.fractions for row in rows])
    found = [EcdfTest(len(rows)).p_value(column) for column in fractions.T]
    assert min(found) > 1e-3 / len(found)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["nuts", "emcee", "smc", "nested"])
def test_samplers_agree_on_two_sets(sampler):
    """The mass as by independent draws, within the errors of both."""
    numbers = {"phases": "fixed", "leakage_sd": 0.0, "m1_max_meV": 200.0, "chains": 2}
    found = {}
    for name in ("independence", sampler):
        settings = inference_with(sampler=name, draws=800, tune=500, **numbers)
        models = [
            replace(model_of(toy_angles(n), s), settings=settings, shapes=None, peak=s)
            for n, s in ((N, 1.0), (N + 4, 2.0))
        ]
        data = [
            data_for(m, s, k) for k, (m, s) in enumerate(zip(models, (0.02, 0.03), strict=True))
        ]
        joint = JointModel.of(models, sharing_of(("a", "b"), ("x", "y"))).likelihood(stack(*data))
        seed = np.random.SeedSequence(5)
        vectors = draw_sample(joint, settings, seed, 1, lambda *_: None).vectors
        mass = vectors[..., joint.prior.names.index("m1_meV")]
        found[name] = mass.mean(), mass.std()
    (mean, sd), (other, spread) = found["independence"], found[sampler]
    assert other == pytest.approx(mean, abs=0.3 * sd)
    assert spread == pytest.approx(sd, rel=0.2)
