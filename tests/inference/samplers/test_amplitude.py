"""The integrated amplitude against quadrature, and its draws against the density."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid, quad
from scipy.special import logsumexp
from scipy.stats import kstest, lognorm, multivariate_normal

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.prior import Prior
from renp_infer.inference.samplers.amplitude import log_integral
from renp_infer.inference.samplers.marginalised import marginalise
from tests.toys.linear import COVARIANCE, LINEAR, THETA, linear_likelihood


def height(log_a, square, overlap, sd):
    """Log of likelihood times prior, up to a constant."""
    a = np.exp(log_a)
    return a * overlap - 0.5 * a**2 * square - 0.5 * (log_a / sd) ** 2


@pytest.mark.parametrize(
    ("sd", "apart", "error"),
    [
        (0.05, 3.0, 5e-9),
        (0.2, 3.0, 5e-9),
        (0.3, 3.0, 2e-6),
        (0.5, 3.0, 1e-3),
        (0.2, 6.0, 1e-5),
        (0.3, 6.0, 1e-4),
        (0.5, 6.0, 2e-2),
    ],
)
def test_quadrature_has_its_stated_error(sd, apart, error):
    """Against dense sums, from data that say nothing to data that say all."""
    squares = 10.0 ** np.arange(-1.0, 7.1, 0.5)
    amplitudes, offsets = np.exp(sd * np.linspace(-apart, apart, 7)), np.array([-apart, 0.0, apart])
    parts = np.meshgrid(squares, amplitudes, offsets)
    square, amplitude, offset = (part.ravel() for part in parts)
    overlap = square * amplitude + offset * np.sqrt(square)
    # and data of the other sign, however far off
    square = np.concatenate([square, squares, squares])
    overlap = np.concatenate([overlap, -2.0 * squares, -0.3 * squares])
    found = log_integral(square, overlap, sd)
    for s, o, value in zip(square, overlap, found, strict=True):
        low, high = -14.0 - 14.0 * sd, 1.0 + 14.0 * sd
        for _ in range(4):  # ever closer around the top
            grid = np.linspace(low, high, 2001)
            top = grid[np.argmax(height(grid, s, o, sd))]
            low, high = top - 2.0 * (grid[1] - grid[0]), top + 2.0 * (grid[1] - grid[0])
        bend = max(2.0 * np.exp(2.0 * top) * s - np.exp(top) * o, 0.0) + sd**-2
        nodes = top + np.linspace(-14.0, 14.0, 4001) / np.sqrt(bend)
        exact = logsumexp(height(nodes, s, o, sd)) + np.log(nodes[1] - nodes[0])
        exact -= np.log(sd) + 0.5 * np.log(2.0 * np.pi)
        assert value == pytest.approx(exact, abs=error, rel=1e-13)


def test_linear_parameters_are_integrated_as_by_quadrature():
    """Baseline and leakage in closed form, the amplitude by adaptive quadrature."""
    likelihood = linear_likelihood(leakage_sd=0.2)
    marginal = marginalise(likelihood, np.random.default_rng(1)).target
    vectors = marginal.prior.sample(np.random.default_rng(2), 3)
    found = marginal.of_templates(marginal.templates(vectors))
    assert marginal.log_likelihood(vectors[1]) == pytest.approx(found[1], rel=1e-14)
    prior = likelihood.prior
    total = COVARIANCE.copy()
    for name, shape in (
        ("baseline_nG", np.ones(THETA.size)),
        ("leakage", likelihood.shapes["leakage"]),
    ):
        total += prior.marginals[name].sd ** 2 * np.outer(shape, shape)
    sd = prior.marginals["amplitude"].sd
    for vector, value in zip(vectors, found, strict=True):
        x = Prior(marginal.prior.marginals, marginal.prior.fixed | {
            "amplitude": 1.0, "baseline_nG": 0.0, "leakage": 0.0,
        }).to_response_vector(vector)  # fmt: skip
        template = LINEAR(x)[0]

        def integrand(a, template=template, value=value):
            log = multivariate_normal(a * template, total).logpdf(likelihood.data.vector)
            return np.exp(log - value) * lognorm(sd).pdf(a)

        assert quad(integrand, 0.3, 2.5, points=[0.9, 1.0, 1.1], limit=200)[0] == pytest.approx(
            1.0, abs=2e-6
        )


@pytest.mark.parametrize("sigma", [1.0, 30.0])
def test_amplitudes_are_drawn_from_their_conditional_density(sigma):
    """Against the integral of the density: data that fix the amplitude, and data that do not."""
    fixed = linear_likelihood(leakage_sd=0.2)
    wider = replace(fixed.data, covariance=sigma**2 * COVARIANCE)
    full = Likelihood(fixed.prior, LINEAR, wider, fixed.shapes)
    marginal = marginalise(full, np.random.default_rng(1)).target
    likelihood = marginal.likelihood
    vector = np.tile(marginal.prior.sample(np.random.default_rng(2), 1), (2000, 1))
    templates = np.tile(marginal.templates(vector[:1]), (2000, 1))
    drawn, means = marginal.complete(vector, templates, np.random.default_rng(3))
    place = likelihood.prior.names.index("amplitude")
    assert means[:3] == pytest.approx(np.array([likelihood.mean(v) for v in drawn[:3]]))
    assert np.array_equal(np.delete(drawn, place, axis=1), vector)
    sd = likelihood.prior.marginals["amplitude"].sd
    top = marginal.of_templates(templates[:1])[0]

    def density(a):
        point = drawn[0].copy()
        point[place] = a
        return np.exp(likelihood.log_likelihood(point) - top) * lognorm(sd).pdf(a)

    grid = np.linspace(0.2, 3.0, 2001)
    shares = cumulative_trapezoid([density(a) for a in grid], grid, initial=0.0)
    assert shares[-1] == pytest.approx(1.0, abs=1e-4)
    assert kstest(np.interp(drawn[:, place], grid, shares), "uniform").pvalue > 1e-3
