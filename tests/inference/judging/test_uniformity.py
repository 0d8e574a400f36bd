"""Exact tests of uniformity and coverage, against simulation and closed forms."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom, kstest

from renp_infer.inference.judging.uniformity import EcdfTest, coverage


def test_false_alarms_come_at_the_stated_rate(rng):
    """The p-value of uniform samples is itself (at most) uniform: 500 samples of 40."""
    test = EcdfTest(40)
    p_values = np.array([test.p_value(rng.uniform(size=40)) for _ in range(500)])
    for rate in (0.05, 0.2, 0.5):
        alarms = int(np.sum(p_values <= rate))
        assert binom.cdf(alarms, 500, rate) > 1e-4
        assert binom.sf(alarms - 1, 500, rate) > 1e-4


def test_band_holds_the_stated_share_of_uniform_samples(rng):
    test = EcdfTest(60)
    low, high = test.band(0.1)
    samples = np.sort(rng.uniform(size=(4000, 60)), axis=1)
    ecdf = np.array([np.searchsorted(row, test.points, side="right") for row in samples]) / 60
    outside = int(np.sum(np.any((ecdf < low) | (ecdf > high), axis=1)))
    # discrete: the rate is at most the stated one, and not far below
    assert binom.sf(outside - 1, 4000, 0.1) > 1e-4
    assert binom.cdf(outside, 4000, 0.06) > 1e-4


def test_leaving_the_band_is_failing_the_test(rng):
    test = EcdfTest(50)
    low, high = test.band(0.05)
    verdicts = []
    for power in np.linspace(0.5, 1.6, 60):
        sample = rng.uniform(size=50) ** power
        counts = np.searchsorted(np.sort(sample), test.points, side="right") / 50
        outside = bool(np.any((counts < low) | (counts > high)))
        verdicts.append(outside)
        assert outside == (test.p_value(sample) < 0.05)
    assert 5 < sum(verdicts) < 55


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_p_values_of_few_numbers_are_those_of_all_outcomes(n):
    """Every way to share n numbers among n + 1 equal intervals, with its multinomial chance."""
    test = EcdfTest(n)
    assert test.points == pytest.approx([k / (n + 1) for k in range(1, n + 1)])
    outcomes = [
        counts for counts in itertools.product(range(n + 1), repeat=n + 1) if sum(counts) == n
    ]

    def statistic(counts):
        smallest = 1.0
        for k, below in enumerate(itertools.accumulate(counts[:-1]), start=1):
            law = binom(n, k / (n + 1))
            smallest = min(smallest, 2.0 * law.cdf(below), 2.0 * law.sf(below - 1))
        return smallest

    def chance(counts):
        ways = math.factorial(n) / math.prod(math.factorial(k) for k in counts)
        return ways / (n + 1) ** n

    known = [(statistic(counts), chance(counts)) for counts in outcomes]
    for counts, (own, _) in zip(outcomes, known, strict=True):
        sample = np.repeat((np.arange(n + 1) + 0.5) / (n + 1), counts)
        expected = sum(c for value, c in known if value <= own * (1.0 + 1e-9))
        assert test.p_value(sample) == pytest.approx(expected, abs=1e-9)


def test_a_number_at_a_point_is_below_it():
    test = EcdfTest(3)
    on, before = np.array([0.25, 0.3, 0.4]), np.array([0.2, 0.3, 0.4])
    assert test.p_value(on) == test.p_value(before)


def test_one_number_has_its_binomial_p_value():
    """n = 1: one point at 1/2, both outcomes equally likely."""
    test = EcdfTest(1)
    assert test.p_value(np.array([0.2])) == pytest.approx(1.0)


@pytest.mark.parametrize("width", [1.0 / 1.5, 1.5])
def test_a_posterior_of_wrong_width_is_seen_where_kolmogorov_sees_less(rng, width):
    from scipy.stats import norm

    sample = norm.cdf(width * rng.standard_normal(300))
    found = EcdfTest(300).p_value(sample)
    assert found < 1e-4
    assert found < kstest(sample, "uniform").pvalue


def test_coverage_is_the_binomial_test():
    covered = np.arange(200) < 120
    found = coverage(covered, 0.68)
    assert found.found == 0.6
    assert found.error == pytest.approx(np.sqrt(0.68 * 0.32 / 200))
    weights = binom.pmf(np.arange(201), 200, 0.68)
    assert found.p_value == pytest.approx(weights[weights <= weights[120] * (1 + 1e-7)].sum())
