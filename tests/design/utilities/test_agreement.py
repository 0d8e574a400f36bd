"""Promises against outcomes whose distribution is known, and equal times in closed form."""

import numpy as np
import pytest
from scipy.stats import norm

from renp_infer.design.utilities.agreement import FALSE_ALARM, TOLERANCES, agreement
from renp_infer.design.utilities.equal_time import MOST, equal_time
from renp_infer.design.utilities.utility import UNKNOWN, Utility

TRUTHS = 128


def drawn(rng, mean, spread, sets):
    """A promise and outcomes of the same distribution."""
    many = rng.normal(mean, spread, TRUTHS)
    promise = Utility(many.mean(), many.std(ddof=1) / np.sqrt(TRUTHS))
    return promise, rng.normal(mean, spread, sets)


@pytest.mark.parametrize("sets", [2, 4, 16])
@pytest.mark.parametrize("name", ["sd_m1", "eig_m1"])
def test_promises_that_hold_disagree_as_rarely_as_is_said(name, sets, rng):
    count = 1000
    rows = [agreement(name, *_split(drawn(rng, 3.0, 0.4, sets))) for _ in range(count)]
    wrong = sum(not row.agrees for row in rows)
    assert wrong <= FALSE_ALARM * count + 3.0 * np.sqrt(FALSE_ALARM * count)


def _split(pair):
    return pair[0], TRUTHS, pair[1]


@pytest.mark.parametrize("name", ["sd_m1", "eig_m1"])
def test_a_promise_that_is_four_times_too_good_is_seen_in_four_data_sets(name, rng):
    promise, _ = drawn(rng, 1.0, 0.2, 4)
    found = rng.normal(4.0, 0.8, 4)
    assert agreement(name, promise, TRUTHS, found, 24).agrees is False


def test_what_matters_to_nobody_is_no_disagreement():
    exact = Utility(2.0, 0.0)
    for name, tolerance in TOLERANCES.items():
        scale = 2.0 if name == "sd_m1" else 1.0
        near = 2.0 + 0.9 * scale * tolerance
        assert agreement(name, exact, TRUTHS, [near, near]).agrees
        far = 2.0 + 1.2 * scale * tolerance
        assert agreement(name, exact, TRUTHS, [far, far]).agrees is False


def test_one_data_set_and_an_unknown_promise_judge_nothing():
    assert agreement("sd_m1", Utility(2.0, 0.1), TRUTHS, [9.0]).agrees is None
    assert agreement("sd_m1", UNKNOWN, TRUTHS, [9.0, 9.0]).agrees is None
    nothing = agreement("sd_m1", Utility(2.0, 0.1), TRUTHS, [])
    assert nothing.agrees is None and not nothing.outcome.known


OWN_S, FLOOR, WHITE = 3600.0, 0.3, 2.0


def log_sd(exposure_s):
    """Score of a standard deviation of noise, which averages out, and of what does not."""
    return -0.5 * np.log(FLOOR**2 + WHITE**2 * OWN_S / exposure_s)


@pytest.mark.parametrize("goal", [1.5, 0.6, 0.4, 3.0])
def test_the_exposure_of_a_standard_deviation_is_its_closed_form(goal):
    found = equal_time(log_sd, -np.log(goal), 0.1, OWN_S)
    for exposure_s, factor in zip(
        (found.exposure_s, found.lower_s, found.upper_s), (0.0, 0.1, -0.1), strict=True
    ):
        level = goal * np.exp(factor)
        exact = OWN_S * WHITE**2 / (level**2 - FLOOR**2)
        assert np.log10(exposure_s / exact) == pytest.approx(0.0, abs=0.02)


def test_what_no_exposure_reaches_has_no_number():
    below = equal_time(log_sd, -np.log(0.9 * FLOOR), 0.01, OWN_S)
    assert below.exposure_s is below.lower_s is below.upper_s is None
    doubtful = equal_time(log_sd, -np.log(1.02 * FLOOR), 0.05, OWN_S)
    assert doubtful.exposure_s is not None and doubtful.upper_s is None
    white = equal_time(lambda s: 0.5 * np.log(s / OWN_S), 0.5 * np.log(10.0 * MOST), 0.0, OWN_S)
    assert white.exposure_s is None


def test_the_same_layout_needs_its_own_time():
    found = equal_time(log_sd, log_sd(OWN_S), 0.05, OWN_S)
    assert found.exposure_s == pytest.approx(OWN_S, rel=1e-6)
    assert found.lower_s < OWN_S < found.upper_s


@pytest.mark.parametrize("comparisons", [1, 20])
def test_a_false_alarm_is_shared_among_all_comparisons(comparisons):
    """Data sets without scatter of their own spread as promised, by the promise's error."""
    error, truths, sets = 1e-2, 16, 4
    combined = error * np.sqrt(1.0 + truths / sets)
    allowed = TOLERANCES["eig_m1"] + combined * norm.isf(0.5 * 0.01 / comparisons)
    for factor, agrees in ((0.999, True), (1.001, False)):
        found = [1.0 + factor * allowed] * sets
        judged = agreement("eig_m1", Utility(1.0, error), truths, found, comparisons)
        assert judged.agrees is agrees
