"""Profile likelihood of two parameters: closed form, direct sums, another minimiser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.marginals import (
    LogNormal,
    LogUniform,
    Normal,
    Tabulated,
    Truncated,
    Uniform,
)
from renp_infer.inference.priors.own_prior import TiedBlock
from renp_infer.inference.profiles.surface import CONTOURS, ProfileSurface
from tests.toys.likelihoods import phase_likelihood, toy_likelihood
from tests.toys.linear import COVARIANCE, linear_likelihood


def starts_of(likelihood, count=3):
    return list(likelihood.prior.sample(np.random.default_rng(3), count))


def test_levels_are_those_of_two_parameters():
    for level, share in zip(CONTOURS.values(), (0.6827, 0.95), strict=True):
        assert level == pytest.approx(chi2.ppf(share, 2), abs=0.005)


def test_a_linear_model_has_its_ellipse():
    """Delta chi^2 by the inverse of the 2 x 2 block of the covariance of all parameters."""
    likelihood = linear_likelihood(amplitude_sd=0.0)
    names = ("sin2_12", "sin2_13")
    found = ProfileSurface(likelihood, names, starts_of(likelihood))
    free = [name for name in likelihood.prior.names if name != "m1_meV"]  # which moves nothing
    marginals = [likelihood.prior.marginals[name] for name in free]
    mean, slopes = likelihood.linearise(likelihood.prior.sample(np.random.default_rng(0), 1)[0])
    slopes = slopes[:, [likelihood.prior.names.index(name) for name in free]]
    information = slopes.T @ np.linalg.solve(COVARIANCE, slopes)
    information += np.diag([1.0 / marginal.sd**2 for marginal in marginals])
    places = [free.index(name) for name in names]
    inverse = np.linalg.inv(np.linalg.inv(information)[np.ix_(places, places)])
    best = np.array(found.best_values)
    spread = np.sqrt(np.diag(np.linalg.inv(inverse)))
    second = best[1] + spread[1] * np.linspace(-3.0, 3.0, 7)
    for step in (-2.5, 0.0, 1.7):
        first = float(best[0] + step * spread[0])
        line = found.line(first, second)
        away = np.stack([np.full(7, first), second], axis=1) - best
        expected = np.einsum("ij,jk,ik->i", away, inverse, away)
        assert line.confirmed.all()
        assert line.chi2 - found.best.fit.chi2 == pytest.approx(expected, rel=1e-6, abs=1e-6)


def linear_with(blocks=(), **marginals):
    """The linear model with other priors, and its least chi^2 with some parameters given.

    All others, of normal priors, are minimised in closed form; penalties of those given apart.
    """
    plain = linear_likelihood(amplitude_sd=0.0)
    prior = replace(plain.prior, marginals=plain.prior.marginals | marginals, blocks=blocks)
    likelihood = Likelihood(prior, plain.response, plain.data, plain.shapes)
    origin = plain.prior.sample(np.random.default_rng(0), 1)[0]
    mean, slopes = plain.linearise(origin)
    white = np.linalg.inv(np.linalg.cholesky(COVARIANCE))

    def lowest(given):
        names = [n for n in prior.names if n not in given and n != "m1_meV"]
        columns = [prior.names.index(n) for n in names]
        shift = np.array([given.get(n, origin[k]) for k, n in enumerate(prior.names)]) - origin
        normal = [plain.prior.marginals[n] for n in names]
        rest = white @ (plain.data.vector - mean - slopes @ shift)
        pulls = [(m.mean - origin[k]) / m.sd for k, m in zip(columns, normal, strict=True)]
        rows = np.vstack([white @ slopes[:, columns], np.diag([1.0 / m.sd for m in normal])])
        scale = np.array([m.sd for m in normal])
        found = np.linalg.lstsq(rows * scale, np.append(rest, pulls), rcond=None)[0]
        return float(np.sum((np.append(rest, pulls) - rows @ (scale * found)) ** 2))

    return likelihood, lowest


CENTRE, SD = 0.308, 0.012
LINES = np.linspace(CENTRE - 5.0 * SD, CENTRE + 4.0 * SD, 61)
OTHERS = {
    "uniform": (Uniform(CENTRE - 0.5 * SD, CENTRE + 3.0 * SD), lambda x: 0.0 * x),
    "log-uniform": (LogUniform(CENTRE - 2.0 * SD, CENTRE + 3.0 * SD), lambda x: 0.0 * x),
    "truncated": (
        Truncated(Normal(CENTRE, 2.0 * SD), CENTRE - 3.0 * SD, CENTRE + 9.0 * SD),
        lambda x: ((x - CENTRE) / (2.0 * SD)) ** 2,
    ),
    "table": (
        Tabulated(tuple(LINES), tuple(np.exp(-np.abs(LINES - CENTRE) / SD))),
        lambda x: -2.0 * np.log(np.interp(x, LINES, np.exp(-np.abs(LINES - CENTRE) / SD)))
        + 2.0 * np.log(np.exp(-np.min(np.abs(LINES - CENTRE)) / SD)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(OTHERS))
def test_priors_that_are_not_normal_are_their_densities(kind):
    """Held at a value of the parameter, and minimised, by a search of one dimension."""
    marginal, penalty = OTHERS[kind]
    likelihood, lowest = linear_with(sin2_12=marginal)
    found = ProfileSurface(likelihood, ("sin2_12", "sin2_13"), starts_of(likelihood))
    for first, second in ((CENTRE, 0.0222), (CENTRE + 1.3 * SD, 0.0215)):
        given = {"sin2_12": first, "sin2_13": second}
        expected = lowest(given) + pull_of(likelihood, "sin2_13", second) + penalty(first)
        assert found.at(given).fit.chi2 == pytest.approx(expected, rel=1e-6)

    def free(value):
        given = {"sin2_12": value, "sin2_13": 0.0222}
        return lowest(given) + pull_of(likelihood, "sin2_13", 0.0222) + penalty(value)

    grid = np.linspace(*marginal.limits, 4001)
    least = min(free(value) for value in grid[1:-1])
    assert found.at({"sin2_13": 0.0222}).fit.chi2 == pytest.approx(least, abs=2e-3)


def pull_of(likelihood, name, value):
    marginal = likelihood.prior.marginals[name]
    return ((value - marginal.mean) / marginal.sd) ** 2


def test_correlated_priors_are_one_measurement():
    names, correlation = ("sin2_12", "sin2_13"), np.array([[1.0, 0.9], [0.9, 1.0]])
    block = TiedBlock(names, tuple(map(tuple, correlation.tolist())))
    likelihood, lowest = linear_with((block,))
    found = ProfileSurface(likelihood, names, starts_of(likelihood))
    marginals = [likelihood.prior.marginals[name] for name in names]
    for first, second in ((1.0, 0.0), (0.0, -1.5), (1.0, 1.0)):
        off = np.array([first, second])
        values = [m.mean + m.sd * x for m, x in zip(marginals, off, strict=True)]
        given = dict(zip(names, values, strict=True))
        expected = lowest(given) + off @ np.linalg.solve(correlation, off)
        assert found.at(given).fit.chi2 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("marginal", [LogUniform(120.0, 300.0), Uniform(120.0, 300.0)])
def test_the_mass_stays_above_the_end_of_its_prior(marginal):
    plain = phase_likelihood(0.02)
    prior = replace(plain.prior, marginals=plain.prior.marginals | {"m1_meV": marginal})
    likelihood = Likelihood(prior, plain.response, plain.data, plain.shapes)
    found = ProfileSurface(likelihood, ("m1_meV", "alpha21_deg"), starts_of(likelihood))
    assert 120.0 <= found.best_values[0] <= 300.0
    assert found._bounds[0] == (120.0, 300.0)
    assert found.at({"alpha21_deg": 10.0}).fit.vector[0] >= 120.0


@pytest.mark.parametrize("sin2_12", [{}, {"sin2_12": Uniform(0.2, 0.45)}])
def test_the_range_holds_the_outer_contour_and_little_more(sin2_12):
    likelihood, _ = linear_with(**sin2_12)
    found = ProfileSurface(likelihood, ("sin2_12", "sin2_13"), starts_of(likelihood))
    for which, name in enumerate(found.names):
        axis = found.range_of(which)
        rises = [
            found.at({name: float(end)}).fit.chi2 - found.best.fit.chi2 for end in axis[[0, -1]]
        ]
        assert all(2.0 * CONTOURS["95 %"] * 0.99 < rise < 20.0 for rise in rises)


def test_where_nothing_is_left_to_minimise_it_is_the_likelihood_itself():
    """A mass with one phase: -2 log L of a direct sum, the phase periodic."""
    likelihood = phase_likelihood(0.02)
    found = ProfileSurface(likelihood, ("m1_meV", "alpha21_deg"), starts_of(likelihood))
    masses, phases = (10.0, 96.0, 190.0), np.linspace(0.0, 360.0, 9)
    constant = -2.0 * np.sum(np.log(likelihood.whitening.scale) + 0.5 * np.log(2.0 * np.pi))
    for mass in masses:
        direct = [likelihood.log_likelihood(np.array([mass, phase])) for phase in phases]
        chi_squared = -2.0 * np.array(direct) + constant
        assert found.line(mass, phases).chi2 == pytest.approx(chi_squared, rel=1e-9)
        assert found.best.fit.chi2 <= np.min(chi_squared)
    assert np.array_equal(found.range_of(1)[[0, -1]], [0.0, 360.0])


@pytest.mark.slow
@pytest.mark.parametrize("names", [("m1_meV", "refractive_index"), ("m1_meV", "alpha21_deg")])
def test_another_minimiser_finds_nothing_lower_and_nothing_else(names):
    """Nelder-Mead and BFGS on log-likelihood and log-prior, without a Jacobian of ours."""
    likelihood, _ = toy_likelihood(0.03, oscillation_errors=False)
    starts = starts_of(likelihood, 6)
    found = ProfileSurface(likelihood, names, starts)
    prior = likelihood.prior
    constant = -2.0 * np.sum(np.log(likelihood.whitening.scale) + 0.5 * np.log(2.0 * np.pi))

    def cost(free, held):
        vector = np.zeros(len(prior.names))
        others = [k for k, name in enumerate(prior.names) if name not in held]
        vector[others] = free
        for name, value in held.items():
            vector[prior.names.index(name)] = value
        pulls = 0.0
        for value, marginal in zip(vector, prior.marginals.values(), strict=True):
            if isinstance(marginal, Normal):
                pulls += ((value - marginal.mean) / marginal.sd) ** 2
            elif isinstance(marginal, LogNormal):
                pulls += (np.log(max(value, 1e-9)) / marginal.sd) ** 2
        return -2.0 * likelihood.log_likelihood(vector) + constant + pulls

    widths = {name: getattr(m, "sd", 30.0) for name, m in prior.marginals.items()}
    best = dict(zip(names, found.best_values, strict=True))
    held = {names[0]: best[names[0]] + 8.0, names[1]: best[names[1]] + 0.7 * widths[names[1]]}
    others = [k for k, name in enumerate(prior.names) if name not in held]
    scale = np.array([widths[prior.names[k]] for k in others])
    lowest = np.inf
    for start in (found.best.fit.vector, *starts):
        end = start[others] / scale
        for method in ("Nelder-Mead", "BFGS", "Nelder-Mead"):
            options = {"maxiter": 4000} if method == "BFGS" else {"maxfev": 8000, "fatol": 1e-8}
            end = minimize(lambda x: cost(x * scale, held), end, method=method, options=options).x
        lowest = min(lowest, cost(end * scale, held))
    line = found.line(held[names[0]], np.array([held[names[1]]]))
    assert line.confirmed.all()
    assert float(line.chi2[0]) == pytest.approx(lowest, abs=0.02)
