"""The belt against the Gaussian with a boundary, solved independently."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom, chi2, norm

from renp_infer.inference.judging.belt import LEVELS, belt_coverage, build_belt
from renp_infer.inference.judging.belt_mocks import belt_mock, ratio
from renp_infer.inference.knowledge.constraints import GaussianConstraint
from renp_infer.inference.knowledge.external import External
from renp_infer.inference.knowledge.quantities import Quantities
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.prior import response_argument
from renp_infer.inference.profiles.descent import descend
from renp_infer.inference.profiles.profile import MASS, Profile
from tests.toys.linear import COVARIANCE, LINEAR, THETA, TRUTH
from tests.toys.response import observe, toy_prior
from tests.toys.settings import inference_with


def gaussian_ratio(x, mu):
    """Likelihood ratio of mu >= 0 for x ~ N(mu, 1)."""
    return (x - mu) ** 2 - (x - np.maximum(x, 0.0)) ** 2


def exact_critical(mu: float, level: float) -> float:
    """Closed form: the accepted x are an interval, whose lower end may be below 0."""

    def missing(c: float) -> float:
        low = mu - np.sqrt(c) if mu >= np.sqrt(c) else (mu**2 - c) / (2.0 * mu)
        return float(norm.cdf(np.sqrt(c)) - norm.cdf(low - mu)) - level

    return brentq(missing, 1e-9, 20.0)


def ordered_interval(x0: float, level: float) -> tuple[float, float]:
    """The original construction by brute force: x ranked by R, summed until full."""
    x, step = np.linspace(-8.0, 12.0, 4001, retstep=True)
    accepted = []
    for mu in np.arange(0.0, 5.0, 0.02):
        r = np.exp(-0.5 * (x - mu) ** 2 + 0.5 * (x - np.maximum(x, 0.0)) ** 2)
        order = np.argsort(-r, kind="stable")
        total = np.cumsum(norm.pdf(x[order], mu) * step)
        kept = order[: np.searchsorted(total, level) + 1]
        if x[kept].min() <= x0 <= x[kept].max():
            accepted.append(mu)
    return min(accepted), max(accepted)


@pytest.mark.parametrize("x0", [-2.0, 0.0, 2.0])
def test_critical_values_give_the_intervals_of_the_original_construction(x0):
    """Table X of Feldman and Cousins 1998, recomputed on both sides."""
    for level in (0.6827, 0.90, 0.95):
        low, high = ordered_interval(x0, level)
        mus = np.arange(0.01, 5.0, 0.01)
        inside = [mu for mu in mus if gaussian_ratio(x0, mu) <= exact_critical(mu, level)]
        assert max(inside) == pytest.approx(high, abs=0.031)
        assert min(inside) == pytest.approx(max(low, 0.01), abs=0.031)


def test_belt_of_mocks_reaches_the_exact_critical_values(rng):
    mus = np.array([0.3, 1.0, 2.5])
    n = 20_000
    statistics = [gaussian_ratio(mu + rng.standard_normal(n), mu) for mu in mus]
    belt = build_belt(mus, statistics)
    for k, mu in enumerate(mus):
        for j, level in enumerate(LEVELS):
            share = np.mean(statistics[k] <= exact_critical(mu, level))
            assert binom.cdf(share * n, n, level) > 1e-5
            assert binom.sf(share * n - 1, n, level) > 1e-5
            gap = belt.critical[k, j] - exact_critical(mu, level)
            assert abs(gap) < 5.0 * belt.error[k, j]


def test_coverage_near_the_boundary_and_a_belt_without_it(rng):
    """Ignoring the boundary (c of chi-squared) over-covers at 0, and is seen."""
    grid = np.linspace(0.0, 2.0, 9)
    belt = build_belt(grid, [gaussian_ratio(m + rng.standard_normal(20_000), m) for m in grid])
    fresh = gaussian_ratio(rng.standard_normal(5000), 0.0)
    for row in belt_coverage(belt, 0.0, fresh):
        assert row.p_value > 1e-4
    naive = build_belt(grid, [rng.standard_normal(20_000) ** 2 for _ in grid])
    first = belt_coverage(naive, 0.0, fresh)[0]
    assert first.found > first.level
    assert first.p_value < 1e-10


def test_descent_finds_a_linear_minimum_and_stops_at_a_bound(rng):
    design, data = rng.standard_normal((30, 3)), rng.standard_normal(30)

    def evaluate(point):
        return design @ point - data, design

    free = descend(evaluate, np.array([9.0, -9.0, 9.0]))
    exact = np.linalg.lstsq(design, data, rcond=None)[0]
    assert free.point == pytest.approx(exact, abs=1e-5)
    low = np.array([exact[0] + 0.5, -np.inf, -np.inf])
    held = descend(evaluate, np.array([9.0, -9.0, 9.0]), low)
    rest = np.linalg.lstsq(design[:, 1:], data - design[:, 0] * low[0], rcond=None)[0]
    assert held.point == pytest.approx([low[0], *rest], abs=1e-5)


class MassResponse:
    """The linear toy, with a template in m1."""

    def __init__(self):
        self.theta_s, self.slope = THETA, LINEAR.slope.copy()
        self.slope[:, 0] = 20.0 * np.sin(9.0 * THETA)

    def __call__(self, x):
        center = LINEAR.tables[0].copy()
        center[0] = 0.0
        return 1.0 + self.slope @ (x - center), self.slope


def mass_likelihood():
    settings = inference_with(
        amplitude_sd=0.0,
        refractive_index_sd=0.0,
        theta_s_offset_sd_deg=0.0,
        theta_e_offset_sd_deg=0.0,
        phases="fixed",
    )
    prior = toy_prior(TRUTH, settings)
    response = MassResponse()
    field = response(response_argument(prior.values(prior.sample(np.random.default_rng(0), 1)[0])))
    return Likelihood(prior, response, observe(field[0], COVARIANCE, THETA))


def mass_error(likelihood) -> float:
    """Standard error of m1 by linear algebra, nuisances with their prior widths."""
    prior, names = likelihood.prior, likelihood.prior.names
    _, design = likelihood.linearise(prior.sample(np.random.default_rng(0), 1)[0])
    pulls = [0.0 if n == MASS else prior.marginals[n].sd ** -2 for n in names]
    precision = design.T @ np.linalg.solve(COVARIANCE, design) + np.diag(pulls)
    return float(np.sqrt(np.linalg.inv(precision)[names.index(MASS), names.index(MASS)]))


def test_profiled_ratio_is_that_of_the_gaussian_with_a_boundary():
    """Nuisances profiled out leave (x - mu)^2 in units of the exact error of m1."""
    likelihood = mass_likelihood()
    sigma = mass_error(likelihood)
    truth = np.zeros(len(likelihood.prior.names))
    seeds = np.random.SeedSequence(3).spawn(400)
    statistics = {}
    for pull in (0.5, 2.0):
        rows = [belt_mock(likelihood, truth, pull * sigma, (0.0,), seed) for seed in seeds]
        assert not any(row.failure for row in rows)
        statistics[pull] = np.array([row.statistic for row in rows])
        found = np.array([row.best_m1_meV for row in rows]) / sigma
        positive = found > 1e-6
        # above the boundary the statistic is the squared pull
        exact = (found[positive] - pull) ** 2
        assert statistics[pull][positive] == pytest.approx(exact, abs=1e-3)
        share = norm.cdf(-pull)
        assert binom.cdf(np.sum(~positive), 400, share) > 1e-4
        assert binom.sf(np.sum(~positive) - 1, 400, share) > 1e-4
    for pull, values in statistics.items():
        for level in (0.68, 0.90):
            hits = int(np.sum(values <= exact_critical(pull, level)))
            assert binom.cdf(hits, 400, level) > 1e-4
            assert binom.sf(hits - 1, 400, level) > 1e-4


def test_mock_experiments_measure_a_constraint_anew():
    """The ratio is the squared pull of both experiments, which scatters as their joint error says.

    Held where it is, a constraint of half the error would leave a fifth of the scatter.
    """
    likelihood = mass_likelihood()
    sigma = mass_error(likelihood)
    other, true = 0.5 * sigma, 10.0 * sigma
    both = (sigma**-2 + other**-2) ** -0.5
    term = GaussianConstraint("m1", (MASS,), np.array([0.0]), np.array([[other**2]]))
    known = External((term,), Quantities("normal", "dirac"))
    likelihood = likelihood.with_external(known)
    truth = np.zeros(len(likelihood.prior.names))
    seeds = np.random.SeedSequence(4).spawn(200)
    rows = [belt_mock(likelihood, truth, true, (true + sigma,), seed) for seed in seeds]
    assert not any(row.failure for row in rows)
    pulls = (np.array([row.best_m1_meV for row in rows]) - true) / both
    found = np.array([row.statistic for row in rows])
    assert found == pytest.approx(pulls**2, abs=5e-3)
    assert 1e-4 < chi2.cdf(np.sum(pulls**2), 200) < 1.0 - 1e-4


def test_ratio_is_zero_at_the_best_mass():
    likelihood = mass_likelihood()
    profile = Profile(likelihood, np.zeros(Profile(likelihood).expected.size))
    truth = np.zeros(len(likelihood.prior.names))
    best = ratio(profile, 5.0, truth, (0.0, 50.0)).best_m1_meV
    assert ratio(profile, best, truth, (0.0, 50.0)).statistic == pytest.approx(0.0, abs=1e-4)


def test_a_belt_of_few_mocks_by_hand():
    """The level's place among ten or twenty ordered mocks, counted from 0 to 1, or the next."""
    values = np.array([3.0, 0.1, 7.0, 0.5, 1.0, 9.0, 0.2, 4.0, 2.0, 0.3])
    belt = build_belt(np.array([5.0, 7.0]), [values, 2.0 * np.append(values, values)])
    assert belt.critical.tolist() == [[4.0, 9.0, 9.0], [6.0, 18.0, 18.0]]
    assert (belt.m1_meV.tolist(), belt.counts.tolist()) == ([5.0, 7.0], [10, 20])
    for row, sample in zip(belt.error, (values, 2.0 * np.append(values, values)), strict=True):
        for level, error in zip(LEVELS, row, strict=True):
            spread = np.sqrt(level * (1.0 - level) / sample.size)
            low, high = np.quantile(sample, [level - spread, min(level + spread, 1.0)])
            assert error == pytest.approx(0.5 * (high - low))
    assert belt.at(np.array(6.5)) == pytest.approx(np.array([5.5, 15.75, 15.75]))
    assert belt.at(np.array([7.0, 6.5])) == pytest.approx(
        np.array([[6.0, 18.0, 18.0], [5.5, 15.75, 15.75]])
    )


def counts_below(k, n, m):
    """Of all orders of m numbers among n others, the share with j below the k-th of the n."""
    ways = [math.comb(j + k - 1, j) * math.comb(m - j + n - k, m - j) for j in range(m + 1)]
    return [way / math.comb(n + m, m) for way in ways]


def test_coverage_of_few_mocks_by_hand():
    """Its error is binomial, with the mocks behind the critical values, between their points."""
    sample = np.arange(1.0, 11.0)
    belt = build_belt(np.array([0.0, 10.0]), [sample, np.append(sample, sample)])
    rows = belt_coverage(belt, 2.5, np.array([0.5, 6.9, 7.0, 7.1, 9.0, 9.5, 10.0, 11.0]))
    assert [row.found for row in rows] == [4 / 8, 7 / 8, 7 / 8]
    for row, level in zip(rows, LEVELS, strict=True):
        assert (row.m1_meV, row.level) == (2.5, level)
        error = np.sqrt(level * (1.0 - level) * (1.0 / 8.0 + 1.0 / 12.5))
        assert row.error == pytest.approx(error)
        shares = counts_below(math.ceil(level * 11) + 1, 12, 8)
        count = round(8 * row.found)
        tails = sum(shares[: count + 1]), sum(shares[count:])
        assert row.p_value == pytest.approx(min(1.0, 2.0 * min(tails)), rel=1e-9)


@pytest.mark.parametrize("count", [2, 4, 40])
def test_few_mocks_of_a_right_belt_are_no_alarm(count, rng):
    """Of right belts no more than its share has a small p-value, however few the mocks."""
    small = 0
    for _ in range(400):
        belt = build_belt(np.array([0.0, 1.0]), list(rng.uniform(size=(2, count))))
        small += belt_coverage(belt, 0.0, rng.uniform(size=count))[0].p_value < 0.05
    assert binom.sf(small - 1, 400, 0.05) > 1e-4
