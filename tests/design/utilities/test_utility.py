"""Utilities of a design against closed forms, brute force, limits and inequalities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ive, logsumexp
from scipy.stats import norm

from renp_infer.design.utilities._torus_kernel import torus_integrals
from renp_infer.design.utilities.appraisal import DesignBench, Rival
from renp_infer.design.utilities.foreknown import KnownTruths
from renp_infer.design.utilities.landscape import hermite
from renp_infer.design.utilities.measures import UTILITIES, direction
from renp_infer.design.utilities.truths import prior_truths, spread
from renp_infer.design.utilities.utility import Appraiser
from renp_infer.errors import DomainError
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.samplers.marginalised import marginalise
from renp_infer.measurement.noise import Noise, noise_by_exposure
from renp_infer.measurement.squid import covariance_nG2
from renp_infer.physics.neutrinos import load_oscillation, make_parameters
from renp_infer.physics.pairs.kinematics import phase_matched
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Detector, Experiment, Lasers, Layout
from tests.toys.response import OSCILLATION, ToyResponse, observe, toy_angles, toy_truth
from tests.toys.settings import inference_with, utility_with

THETA = toy_angles(21)
UNIT = (THETA - THETA.mean()) / np.ptp(THETA)
EXPOSURE = 3600.0
PLAIN = {
    "amplitude_sd": 0.0,
    "baseline_sd": 0.0,
    "refractive_index_sd": 0.0,
    "theta_s_offset_sd_deg": 0.0,
    "theta_e_offset_sd_deg": 0.0,
    "oscillation_errors": False,
    "phases": "fixed",
}
TABLE = load_oscillation("nufit-6.0")


class Straight:
    """A template linear in mass and index, in units of 1 nG; ``offset`` tells two apart."""

    theta_s = THETA

    def __init__(self, by_mass=1.0, offset=0.0, scale=1.0):
        self.by_mass, self.offset, self.scale = by_mass, offset, scale

    def __call__(self, x):
        jacobian = np.zeros((THETA.size, x.size))
        jacobian[:, 0], jacobian[:, 1] = 10.0 * self.by_mass * UNIT, 2e3 * (UNIT + UNIT**2)
        field = 1.0 + self.offset * UNIT**2 + jacobian[:, :2] @ (x[:2] - np.array([0.1, 1.45]))
        return self.scale * field, self.scale * jacobian


def white(sigma_nG):
    def covariance(exposure_s):
        return sigma_nG**2 * EXPOSURE / exposure_s * np.eye(THETA.size)

    return Noise(covariance, False, EXPOSURE)


def bench(responses, sigma_nG=0.1, masses=193, noise=None, **settings):
    """One hypothesis for each response: Dirac, then Majorana."""
    chosen = inference_with(**{"m1_max_meV": 300.0, **PLAIN, **settings})
    rivals = []
    for response, nature in zip(responses, ("dirac", "majorana"), strict=False):
        model = HypothesisModel(response, toy_truth(nature), OSCILLATION, chosen, 1.45, 1.0)
        rivals.append(Rival(model))
    odds = np.full(len(rivals), 1.0 / len(rivals))
    known = KnownTruths.unconstrained(rivals[0].prior.marginals["m1_meV"], odds)
    return DesignBench(rivals, known, white(sigma_nG) if noise is None else noise, masses)


def appraise(apparatus, truths=64, seed=1, truth="prior", m1_eV=0.1):
    natures = ("dirac", "majorana")[: len(apparatus.rivals)]
    settings = utility_with(
        inference=apparatus.rivals[0].model.settings,
        orderings=("normal",),
        natures=natures,
        truth=truth,
        truths=truths,
    )
    own = toy_truth("dirac", m1_eV)
    return Appraiser(settings, own, TABLE, np.random.default_rng(seed)).of_bench(apparatus)


def information_of_location(width, sigma):
    """Exact information on a place uniform on [0, width] by one Gaussian reading, nat."""

    def density(y):
        return (norm.cdf(y / sigma) - norm.cdf((y - width) / sigma)) / width

    edges = [-12 * sigma, 12 * sigma, width - 12 * sigma, width + 12 * sigma]
    points = np.unique(
        np.concatenate([np.linspace(a, b, 60) for a, b in zip(edges, edges[1:], strict=False)])
    )

    def entropy(y):
        p = density(y)
        return -p * np.log(p) if p > 0.0 else 0.0

    parts = zip(points, points[1:], strict=False)
    total = sum(quad(entropy, a, b, epsabs=1e-12)[0] for a, b in parts)
    return total - 0.5 * np.log(2.0 * np.pi * np.e * sigma**2)


def straight_sigma_meV(sigma_nG, index_sd, by_mass=1.0):
    """Standard error of m1 from the normal equations."""
    columns = np.column_stack([0.01 * by_mass * UNIT, 2e3 * (UNIT + UNIT**2)]) / sigma_nG
    matrix = columns.T @ columns
    if index_sd == 0.0:
        return matrix[0, 0] ** -0.5
    matrix[1, 1] += index_sd**-2
    return np.linalg.inv(matrix)[0, 0] ** 0.5


@pytest.mark.parametrize(("sigma_nG", "index_sd"), [(0.2, 0.0), (0.05, 5e-4), (5e-4, 5e-4)])
def test_linear_gaussian_information_is_exact(sigma_nG, index_sd):
    sigma = straight_sigma_meV(sigma_nG, index_sd)
    found = appraise(bench([Straight()], sigma_nG, refractive_index_sd=index_sd))
    exact = information_of_location(300.0, sigma)
    # at the ends of the prior one truth in 300 / sigma differs: the rest has no noise at all
    assert found["eig_m1"].value == pytest.approx(exact, abs=0.01 + sigma / 300.0)
    assert found["eig_interest"].value == pytest.approx(found["eig_m1"].value, abs=1e-9)
    inside = sigma < 1.0
    if inside:
        assert found["sd_m1"].value == pytest.approx(sigma, rel=5e-3)


def test_fixed_truth_of_the_linear_model():
    sigma = straight_sigma_meV(0.01, 5e-4)
    apparatus = bench([Straight()], 0.01, refractive_index_sd=5e-4)
    found = appraise(apparatus, truth="fixed", m1_eV=0.15)
    assert found["sd_m1"].value == pytest.approx(sigma, rel=2e-3)
    exact = np.log(300.0 / sigma) - 0.5 * np.log(2.0 * np.pi * np.e)
    assert found["eig_m1"].value == pytest.approx(exact, abs=2e-3)
    exposure = EXPOSURE * (3.0 * straight_sigma_meV(0.01, 0.0) / 150.0) ** 2
    fixed = appraise(bench([Straight()], 0.01), truth="fixed", m1_eV=0.15)
    assert fixed["exposure_3sigma_s"].value == pytest.approx(max(exposure, 1.0), rel=1e-3)


def test_exposure_grows_with_the_square_of_the_noise():
    weak, weaker = (
        appraise(bench([Straight()], sigma), truth="fixed", m1_eV=0.15) for sigma in (30.0, 90.0)
    )
    exact = EXPOSURE * (3.0 * straight_sigma_meV(30.0, 0.0) / 150.0) ** 2
    assert weak["exposure_3sigma_s"].value == pytest.approx(exact, rel=1e-3)
    assert weaker["exposure_3sigma_s"].value == pytest.approx(9.0 * exact, rel=1e-3)


@pytest.mark.parametrize("distance", [0.5, 2.0, 6.0])
def test_two_hypotheses_are_two_gaussians(distance):
    """Neither depends on m1: the data are one number, at 0 or at ``distance`` sigmas."""
    sigma = 0.1
    offset = distance * sigma / np.linalg.norm(UNIT**2)
    pair = [Straight(0.0), Straight(0.0, offset)]
    found = appraise(bench(pair, sigma, masses=9), truths=512)

    def right(y):
        chances = norm.pdf(y), norm.pdf(y - distance)
        return 0.5 * (chances[0] ** 2 + chances[1] ** 2) / sum(chances)

    exact = quad(right, -10.0, 10.0 + distance, epsabs=1e-10)[0]
    close = 4.0 * max(found["p_nature"].error, 1e-3)
    assert found["p_nature"].value == pytest.approx(exact, abs=close)
    log_bf = found["log_bf_nature"]
    assert log_bf.value == pytest.approx(0.5 * distance**2, abs=4.0 * log_bf.error)
    assert found["eig_m1"].value == pytest.approx(0.0, abs=1e-9)


def test_without_signal_nothing_is_learnt():
    pair = [Straight(scale=0.0), Straight(scale=0.0, offset=1.0)]
    found = appraise(bench(pair), truths=8)
    for name in ("eig_m1", "eig_interest", "log_bf_nature"):
        assert found[name].value == pytest.approx(0.0, abs=1e-9)
    assert found["p_nature"].value == pytest.approx(0.5)
    assert found["sd_m1"].value == pytest.approx(300.0 / np.sqrt(12.0), rel=1e-6)
    assert found["exposure_3sigma_s"].value == np.inf


def test_endless_exposure_tells_the_hypotheses_apart():
    pair = [Straight(0.0), Straight(0.0, offset=1.0)]
    found = appraise(bench(pair, sigma_nG=1e-3), truths=8)
    assert found["p_nature"].value == pytest.approx(1.0)
    assert found["eig_interest"].value == pytest.approx(np.log(2.0), abs=1e-6)


def toy_bench(sigma_nG=2e-2, noise=None, **settings):
    toy = ToyResponse(THETA, width=0.03)
    free = {
        "amplitude_sd": 0.2,
        "baseline_sd": 0.1,
        "refractive_index_sd": 5e-4,
        "oscillation_errors": True,
        "phases": "free",
    }
    return bench([toy, toy], sigma_nG, noise=noise, **{**free, **settings})


@pytest.fixture(scope="module")
def free():
    return appraise(toy_bench(), truths=32)


@pytest.mark.parametrize(
    "held",
    [
        {"amplitude_sd": 0.0},
        {"baseline_sd": 0.0},
        {"refractive_index_sd": 0.0},
        {"oscillation_errors": False},
    ],
    ids=str,
)
def test_a_free_nuisance_never_helps(held, free):
    fixed = appraise(toy_bench(**held), truths=32)
    margin = 2.0 * np.hypot(free["eig_m1"].error, fixed["eig_m1"].error)
    assert fixed["eig_m1"].value > free["eig_m1"].value - margin


def test_more_exposure_and_more_angles_never_hurt():
    def with_variance(factor):
        return Noise(lambda _exposure: 4e-4 * np.diag(factor), False, EXPOSURE)

    half = np.where(np.arange(THETA.size) % 2, 1e12, 1.0)
    values = [
        appraise(toy_bench(noise=with_variance(factor)), truths=32)["eig_interest"]
        for factor in (half, np.ones(THETA.size), np.full(THETA.size, 0.02))
    ]
    for less, more in zip(values, values[1:], strict=False):
        assert more.value > less.value - 2.0 * np.hypot(less.error, more.error)
    assert values[2].value > values[0].value + 2.0 * np.hypot(values[0].error, values[2].error)


def test_more_parameters_tell_at_least_as_much():
    """The chain rule, of every data set: m1 is one of the parameters of interest."""
    apparatus = toy_bench()
    rows = apparatus.learnt(prior_truths(apparatus.known, 16, np.random.default_rng(4)))
    assert all(row.interest >= row.mass - 1e-6 for row in rows)
    assert all(row.mass >= -1e-9 for row in rows)


def test_lower_bound_is_below():
    apparatus = toy_bench()
    settings = utility_with(
        inference=apparatus.rivals[0].model.settings, orderings=("normal",), truths=128
    )
    appraiser = Appraiser(settings, toy_truth("dirac"), TABLE, np.random.default_rng(3))
    bound, found = appraiser.lower_bound(apparatus), appraiser.of_bench(apparatus, ["eig_m1"])
    margin = 2.0 * np.hypot(bound.error, found["eig_m1"].error)
    assert found["eig_m1"].value - 0.5 < bound.value < found["eig_m1"].value + margin


def test_information_agrees_with_brute_force():
    """Against evidences by another code, with the log-normal amplitude, on a dense grid."""
    toy = ToyResponse(THETA, width=0.03)
    free = {"amplitude_sd": 0.2, "baseline_sd": 0.1}
    apparatus, sigma = bench([toy], 0.1, **free), 0.1
    found = appraise(apparatus, truths=512)["eig_m1"]
    rival, rng = apparatus.rivals[0], np.random.default_rng(5)
    masses = np.linspace(0.0, 300.0, 81)
    gains = []
    for m1 in 300.0 * (np.arange(160) + rng.uniform(size=160)) / 160.0:
        amplitude, baseline = np.exp(0.2 * rng.normal()), 0.1 * rng.normal()
        field = amplitude * rival.model.field(rival.model.at(m1)) + baseline
        data = observe(field, sigma**2 * np.eye(THETA.size), THETA, int(rng.integers(2**31)))
        likelihood = rival.model.of_peak(1.0).likelihood(data)
        target = marginalise(likelihood, np.random.default_rng(6)).target
        log = target.of_templates(target.templates(masses[:, None]))
        posterior = np.exp(log - logsumexp(log))
        gains.append(np.sum(posterior * (log - logsumexp(log) + np.log(masses.size))))
    error = np.hypot(found.error, np.std(gains) / np.sqrt(len(gains)))
    assert error < 0.06
    assert found.value == pytest.approx(np.mean(gains), abs=3.5 * error + 0.02)


@pytest.mark.parametrize("strength", [0.0, 0.5, 8.0])
def test_phase_integral_of_two_cosines(strength):
    pull = np.array([[strength, 0.7, 0.0]])
    log, gain = torus_integrals(pull, np.zeros((1, 3, 3)))
    exact = sum(np.log(ive(0, b)) + b for b in pull[0, :2])
    mean = sum(b * ive(1, b) / ive(0, b) for b in pull[0, :2])
    assert log[0] == pytest.approx(exact, abs=1e-10)
    assert gain[0] == pytest.approx(mean - exact, abs=1e-9)


def test_phase_integral_with_curvature_is_that_of_a_fine_grid():
    rng = np.random.default_rng(3)
    root = 2.0 * rng.normal(size=(3, 3))
    pull, curvature = 5.0 * rng.normal(size=(1, 3)), (root @ root.T)[None]
    angle = 2.0 * np.pi * np.arange(700) / 700
    a, e = np.meshgrid(angle, angle)
    c = np.stack([np.cos(a), np.cos(e), np.cos(e - a)])
    u = np.tensordot(pull[0], c, 1) - 0.5 * np.einsum("iab,ij,jab->ab", c, curvature[0], c)
    exact = logsumexp(u) - np.log(u.size)
    log, gain = torus_integrals(pull, curvature)
    assert log[0] == pytest.approx(exact, abs=1e-6)
    assert gain[0] == pytest.approx(np.sum(np.exp(u - logsumexp(u)) * u) - exact, abs=1e-6)


def test_piecewise_cubic_is_exact_for_a_parabola():
    x = np.array([0.0, 1.0, 1.5, 3.0, 3.1, 5.0])
    at = np.linspace(0.0, 5.0, 101)
    assert hermite(x, -0.3 * (x - 2.2) ** 2, at) == pytest.approx(-0.3 * (at - 2.2) ** 2, abs=1e-12)


def test_error_of_an_even_spread():
    rng = np.random.default_rng(0)
    places = (np.arange(400) + rng.uniform(size=400)) / 400.0
    noise = rng.normal(size=400)
    assert spread(3.0 * places + noise, places) == pytest.approx(1.0 / 20.0, rel=0.15)
    assert spread(50.0 * places, places) < 0.01


def experiment(**detector):
    target = load_target("er-ylf")
    theta_s = np.deg2rad(np.linspace(136.0, 148.0, 7))
    layout = Layout(2.0, 1.0, phase_matched(target)[1], theta_s)
    return Experiment(
        target, layout, Lasers(chi_squared=1e-3), Detector(**detector), PRESETS["corrected"]
    )


def test_noise_of_unequal_shares():
    apparatus = experiment(drift_fT=3.0)
    equal, shares = np.full(7, 1.0 / 7.0), np.arange(1.0, 8.0) / 28.0
    direct = covariance_nG2(apparatus.detector, apparatus.lasers, 7)
    assert noise_by_exposure(apparatus, 1.0, equal).covariance(3600.0) == pytest.approx(direct)
    assert noise_by_exposure(apparatus, 4.0).covariance(3600.0) == pytest.approx(4.0 * direct)
    bare = experiment()
    variance = np.diag(noise_by_exposure(bare, 1.0, shares).covariance(3600.0))
    assert variance * shares == pytest.approx(np.full(7, variance[0] * shares[0]))


@pytest.fixture(scope="module")
def appraiser():
    own = make_parameters(0.05, "normal", "dirac", 0.7, 0.4, 1.1, TABLE)
    settings = utility_with(truths=8, masses=65)
    return Appraiser(settings, own, TABLE, np.random.default_rng(2), noise_scale=1e-23)


def test_appraisal_of_an_experiment(appraiser):
    apparatus = experiment()
    first = appraiser(apparatus)
    assert tuple(first) == UTILITIES
    assert first == appraiser(apparatus), "common random numbers"
    assert all(np.isfinite(u.value) and u.error >= 0.0 for u in first.values())
    assert 0.0 < first["eig_m1"].value < first["eig_interest"].value
    assert 0.5 <= first["p_nature"].value <= 1.0
    assert list(appraiser(apparatus, ["p_ordering"])) == ["p_ordering"]
    moved = replace(apparatus, layout=replace(apparatus.layout, theta_e=2.4716))
    near = replace(apparatus, layout=replace(apparatus.layout, theta_e=2.4716 + 1e-9))
    assert appraiser(moved, ["eig_m1"])["eig_m1"].value == pytest.approx(
        appraiser(near, ["eig_m1"])["eig_m1"].value, abs=1e-3
    )


def test_senses():
    assert [direction(n) for n in ("eig_m1", "sd_m1", "exposure_3sigma_s")] == [1, -1, -1]


def test_settings_are_checked():
    with pytest.raises(DomainError, match="truths"):
        utility_with(truths=1)
