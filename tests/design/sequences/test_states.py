"""Predictions and candidate states: exact where linear, and one belief by two routes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from renp_infer.design.sequences.beliefs import Atlas
from renp_infer.design.sequences.beliefs import predict as predicted
from renp_infer.design.sequences.sequential import measured
from renp_infer.design.sequences.states import make_states
from renp_infer.design.utilities.foreknown import KnownTruths
from renp_infer.design.utilities.gaussian import Mocks, fit, marginalise
from renp_infer.design.utilities.prediction import COSINES, cosines_of, nuisances, predict, turned
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.priors.prior import response_argument
from renp_infer.inference.responses.response import Response
from renp_infer.measurement.noise import Noise
from renp_infer.physics.neutrinos import load_oscillation, make_parameters
from renp_infer.physics.pairs.kinematics import phase_matched
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Detector, Experiment, Lasers, Layout
from tests.toys.response import OSCILLATION, ToyResponse, toy_angles, toy_truth
from tests.toys.settings import inference_with

THETA = toy_angles(9)
MASSES = np.linspace(1.0, 250.0, 12)
SETTINGS = inference_with(m1_max_meV=300.0)


def model(nature="majorana", response=None, settings=SETTINGS):
    response = ToyResponse(THETA, width=0.03) if response is None else response
    return HypothesisModel(response, toy_truth(nature), OSCILLATION, settings, 1.45, 2.0)


def prior_of(nature="majorana", settings=SETTINGS):
    return model(nature, settings=settings).prior


@pytest.fixture(scope="module")
def states():
    pair = ("dirac", "majorana")
    models = [model(n) for n in pair]
    known = KnownTruths.unconstrained(models[0].prior.marginals["m1_meV"], np.array([0.25, 0.75]))
    return make_states(models, MASSES, known)


@pytest.fixture(scope="module")
def response():
    target = load_target("er-ylf")
    theta_s = np.deg2rad(np.linspace(136.0, 148.0, 9))
    layout = Layout(2.0, 1.0, phase_matched(target)[1], theta_s)
    experiment = Experiment(target, layout, Lasers(), Detector(), PRESETS["corrected"])
    own = make_parameters(0.05, "normal", "majorana", 0.7, 0.4, 1.1, load_oscillation("nufit-6.0"))
    return Response(experiment, own, 1e-3, 0.45, finite_crystal=False)


@pytest.mark.slow
def test_phases_at_once_are_phases_one_by_one(response):
    phases = np.array([[0.7, 0.4, 1.1], [2.0, -1.0, 5.0]])
    together = response.at_phases(response.nominal(), phases)
    for row, phase in zip(together, phases, strict=True):
        template, jacobian = response(np.concatenate([response.nominal()[:8], phase]))
        assert row == pytest.approx(np.column_stack([template, jacobian]), rel=1e-12, abs=0.0)


def test_field_is_affine_in_three_cosines(response):
    own = response.truth
    hypothesis = HypothesisModel(response, own, OSCILLATION, SETTINGS, 1.4667, 1.0)
    part = predict(hypothesis, [30.0, 200.0])
    for delta, first, last in ((0.1, 2.0, 0.3), (1.0, -1.0, 3.0)):
        cosines = cosines_of(np.array([first, last - 2.0 * delta]))
        for k, m1 in enumerate((30.0, 200.0)):
            exact = hypothesis.field(hypothesis.at(m1, (delta, first, last)))
            assert part.at_phases(cosines)[k] == pytest.approx(exact, rel=1e-10, abs=0)


def test_slopes_are_differences_of_the_field():
    part, hypothesis = predict(model(), [120.0]), model()
    names = nuisances(prior_of())
    phases = np.pi / 2.0 * np.array([1.0, 1.0])  # two cosines 0, the third 1
    for name, sd, slot in (("refractive_index", 5e-4, 1), ("sin2_12", 0.012, 4)):
        steps = []
        for sign in (1.0, -1.0):
            moved = []
            for corner in ((0.0, 0.0), (np.pi, 0.0), (0.0, np.pi), (np.pi, np.pi)):
                values = {n: m for n, m in prior_of().fixed.items()}
                point = hypothesis.at(120.0, (0.0, corner[0], corner[1]))
                x = response_argument({**_values(point), **values})
                x[slot] += 0.01 * sign * sd
                moved.append(hypothesis.response(x)[0])
            steps.append(np.mean(moved, axis=0))
        slope = (steps[0] - steps[1]) / 0.02
        assert part.slopes[0, :, names.index(name)] == pytest.approx(slope, rel=1e-4)
    assert part.slopes[0, :, names.index("amplitude")] == pytest.approx(0.2 * part.mean[0])
    assert part.slopes[0, :, names.index("baseline_nG")] == pytest.approx(np.full(9, 0.2))
    step = 1e-5 * np.eye(2)
    columns = [
        part.cosines[0] @ (cosines_of(phases + h) - cosines_of(phases - h)) / 2e-5 for h in step
    ]
    assert turned(part.cosines[0], phases) == pytest.approx(np.column_stack(columns), abs=1e-8)


def _values(point):
    from renp_infer.inference.priors.prior import truth_values

    return truth_values(point, 1.45)


def test_table_of_masses_gives_the_fields_between():
    hypothesis = model()
    coarse = predict(hypothesis, np.linspace(0.0, 300.0, 76))
    between = np.array([11.0, 123.4, 287.0])
    direct, found = predict(hypothesis, between), coarse.at(between)
    for name in ("mean", "cosines", "slopes"):
        scale = np.abs(getattr(direct, name)).max()
        assert getattr(found, name) == pytest.approx(getattr(direct, name), abs=2e-3 * scale)
    assert found.by_mass == pytest.approx(direct.by_mass, abs=0.02 * np.abs(direct.by_mass).max())
    assert coarse.at(coarse.m1_meV).mean == pytest.approx(coarse.mean, rel=1e-12)


def test_prior_of_states(states):
    assert logsumexp(states.log_prior) == pytest.approx(0.0, abs=1e-12)
    shares = [np.exp(states.log_prior[states.hypothesis == k]).sum() for k in (0, 1)]
    assert shares == pytest.approx([0.25, 0.75])
    assert states.names[-3:] == COSINES
    assert np.unique(states.groups("m1")).size == MASSES.size
    assert np.unique(states.groups("nature")).size == 2
    assert np.unique(states.groups("ordering")).size == 1


def test_readings_one_by_one_are_the_likelihood_of_all(states):
    """Kalman updates against determinants and Schur complements."""
    rng = np.random.default_rng(1)
    variance, data = 0.02**2, 1.0 + 0.1 * rng.normal(size=THETA.size)
    atlas = Atlas.of(states)
    whole = atlas.slopes * (np.arange(atlas.slopes.shape[2]) > 0)  # m1 in its centres
    atlas = atlas.with_expansions(atlas.mean, whole)
    belief = atlas.start()
    for angle in rng.permutation(THETA.size):
        belief = measured(belief, atlas, int(angle), float(data[angle]), 0.02)
    noise = Noise(lambda _exposure: variance * np.eye(THETA.size), False, 1.0)
    mocks = Mocks(data[None] / 0.02, np.zeros((1, len(nuisances(prior_of())))))
    logs = []
    for nature in ("dirac", "majorana"):
        states_of = marginalise(predict(model(nature), MASSES), noise)
        logs.append(fit(states_of, mocks, every=True).smooth[0])
    log = np.concatenate(logs) + states.log_prior
    assert belief.log_weights == pytest.approx(log - logsumexp(log), abs=1e-6)
    following = predicted(belief, atlas)
    mean, spread = following.means, following.variances
    k = int(np.argmax(belief.log_weights))
    columns = states.slopes[k]
    information = np.eye(columns.shape[1]) + columns.T @ columns / variance
    exact = np.linalg.solve(information, columns.T @ (data - states.mean[k]) / variance)
    assert mean[k] == pytest.approx(states.mean[k] + columns @ exact, abs=1e-8)
    covariance = columns @ np.linalg.solve(information, columns.T)
    assert spread[k] == pytest.approx(np.diag(covariance), rel=1e-6)
