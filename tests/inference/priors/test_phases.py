"""Phases of a sampler: their density, the mirror, and narrow ones sampled to the tip."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest

from renp_infer.inference.priors.phases import (
    ALPHA21,
    ALPHA31,
    DELTA,
    Planes,
    mirrored,
    mixing,
    width,
)
from renp_infer.inference.results.diagnostics import convergence
from renp_infer.inference.samplers.coordinates import Coordinates
from renp_infer.inference.samplers.importance import importance_sample
from renp_infer.inference.samplers.marginalised import marginalise
from renp_infer.inference.samplers.sampling import draw_sample
from tests.toys.likelihoods import free_phases
from tests.toys.settings import inference_with

NONE_SLOPES = np.zeros((1, 0))
NAMES = (DELTA, ALPHA21, ALPHA31)
STEP = 1e-5


@pytest.mark.parametrize("freedom", [2.0, 8.0, 200.0])
def test_the_plane_is_normalised_and_leaves_the_phase_uniform(freedom):
    """Radial quadrature of the density that stands beside a normal pair's at unit radius."""
    planes = Planes(np.array([0]), np.eye(1), np.array([np.sqrt(2.0 / freedom)]))
    assert planes.freedom == pytest.approx([freedom])

    def density(radius, angle=0.3):
        pair = radius * np.array([np.cos(angle), np.sin(angle)])
        return np.exp(planes.pull_back(np.zeros(2), pair)[0] - 0.5 - np.log(2.0 * np.pi))

    middle = np.sqrt(freedom)
    total = quad(lambda r: 2.0 * np.pi * r * density(r), max(middle - 8.0, 0.0), middle + 8.0)[0]
    assert total == pytest.approx(1.0, abs=1e-7)
    assert density(middle, 2.0) == pytest.approx(density(middle, -1.0))


def test_gradient_is_that_of_the_density_in_the_planes(rng):
    """A density in three mixed phases and one other coordinate, differentiated on both sides."""
    planes = Planes(np.array([1, 3, 5]), mixing(NAMES), np.array([2.0, 0.3, 0.1]))
    weights = rng.standard_normal(7)

    def log_density(paired):
        point = planes.point(paired)
        slopes = 3.0 * weights * point**2 - np.eye(7)[0] * point
        value = weights @ point**3 - 0.5 * point[0] ** 2
        radii, gradient = planes.pull_back(slopes, paired)
        return value + radii, gradient

    for _ in range(5):
        paired = rng.standard_normal(7) + 2.0
        found = log_density(paired)[1]
        moves = STEP * np.eye(7)
        slopes = [log_density(paired + m)[0] - log_density(paired - m)[0] for m in moves]
        assert found == pytest.approx(np.array(slopes) / (2.0 * STEP), rel=1e-6, abs=1e-6)


def test_pairs_have_the_phases_they_come_from(rng):
    planes = Planes(np.array([0, 2, 4]), mixing(NAMES), np.array([2.0, 0.3, 0.1]))
    angles = rng.uniform(-np.pi, np.pi, 3)
    point = np.column_stack([np.cos(angles), np.sin(angles)]).ravel()
    paired = planes.pairs(point, rng)
    assert planes.point(paired) == pytest.approx(point)
    assert np.hypot(*paired[4:]) > 5.0  # far from the origin: known to 0.1 rad


@pytest.mark.parametrize("sd", [0.1, 0.5])
def test_width_of_a_valley_is_its_standard_deviation(sd):
    found = width(lambda d: np.array([d / sd]), NONE_SLOPES)
    assert found == pytest.approx(sd, rel=0.01)
    split = width(lambda d: np.array([np.sin(d) / 0.1]), NONE_SLOPES)  # and one half a turn away
    assert split == pytest.approx(0.1, rel=0.03)
    free = width(lambda d: np.zeros(1), NONE_SLOPES)
    assert free == pytest.approx(np.pi / np.sqrt(3.0), rel=0.03)
    followed = width(lambda d: np.array([d / sd, d / sd]), np.array([[1.0], [0.0]]))
    assert followed == pytest.approx(sd, rel=0.01)


def test_the_mirror_changes_no_signal_and_half_of_the_draws(rng):
    likelihood = free_phases(0.01)
    draws = likelihood.prior.sample(rng, 400).reshape(2, 200, -1)
    turned = mirrored(likelihood.prior, draws, rng)
    moved = np.any(turned != draws, axis=-1)
    assert 0.4 < moved.mean() < 0.6
    for before, after in zip(draws[moved], turned[moved], strict=True):
        if np.sum(before != after):
            signals = [likelihood.mean(vector) for vector in (before, after)]
            assert signals[0] == pytest.approx(signals[1], abs=1e-12)
    places = [likelihood.prior.names.index(name) for name in (ALPHA21, ALPHA31)]
    assert np.all((turned[..., places] >= 0.0) & (turned[..., places] <= 360.0))
    kept = [k for k in range(draws.shape[-1]) if k not in places]
    assert np.array_equal(turned[..., kept], draws[..., kept])


def test_the_mirror_needs_both_phases(rng):
    likelihood = free_phases(0.01)
    prior = likelihood.prior
    marginals = {name: m for name, m in prior.marginals.items() if name != ALPHA21}
    half = type(prior)(marginals, {**prior.fixed, ALPHA21: 40.0})
    draws = half.sample(rng, 20)
    assert np.array_equal(mirrored(half, draws, rng), draws)


def test_starts_lie_at_the_radii_of_their_planes(rng):
    coordinates = Coordinates(free_phases(1e-3, amplitude_sd=0.0), rng)
    planes = coordinates.planes
    assert planes.freedom[1] > 10.0  # alpha21 is measured
    assert planes.freedom[0] == 2.0  # delta is not: only alpha31 - 2 delta is
    for seed in range(5):
        q = coordinates.start(seed)
        radius = np.hypot(q[planes.first[1]], q[planes.first[1] + 1])
        assert abs(radius - np.sqrt(planes.freedom[1])) < 4.0


@pytest.mark.slow
def test_a_measured_phase_is_sampled_without_divergence():
    """Two modes in the sign of the phases, against importance sampling."""
    likelihood = free_phases(1e-3, amplitude_sd=0.0)
    settings = inference_with(draws=500, tune=500, chains=4)
    sample = draw_sample(likelihood, settings, np.random.SeedSequence(3), 1, lambda *_: None)
    assert float(sample.statistics["diverging"].mean()) <= 0.001
    place = likelihood.prior.names.index(ALPHA21)
    phase = np.deg2rad(sample.vectors[..., place])
    shares = np.mean(np.sin(phase) > 0.0, axis=1)
    assert shares == pytest.approx(np.full(4, 0.5), abs=0.1)
    delta = sample.vectors[..., likelihood.prior.names.index(DELTA)].ravel()[::5]
    assert kstest(delta / 360.0, "uniform").pvalue > 1e-3  # nothing is known of it

    rng = np.random.default_rng(4)
    integrated = marginalise(likelihood, rng).target
    found = importance_sample(integrated, rng, 4000)
    cosine = np.cos(np.deg2rad(found.vectors[:, integrated.prior.names.index(ALPHA21)]))
    mean = np.average(cosine, weights=found.weights)
    sd = np.sqrt(np.average((cosine - mean) ** 2, weights=found.weights))
    assert sd < 0.5
    error = sd * np.hypot(found.ess**-0.5, convergence(np.cos(phase)).ess_bulk ** -0.5)
    assert np.cos(phase).mean() == pytest.approx(mean, abs=4.0 * error)
    assert np.cos(phase).std() == pytest.approx(sd, rel=4.0 * error / sd)
