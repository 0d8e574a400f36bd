"""Tolerances, curvatures, worst cases and spreads, on utilities with closed forms."""

import itertools

import numpy as np
import pytest
from scipy.optimize import brentq

from renp_infer.design.utilities.robustness import (
    allowed_error,
    loss_by_error,
    monotone,
    robust_choice,
    spread_over,
    tolerances,
    worst_case,
)
from renp_infer.errors import DomainError, NonFiniteError

TOP = np.array([0.3, 10.0, -2.0])
MATRIX = np.array([[8.0, 0.5, 0.0], [0.5, 0.2, 0.1], [0.0, 0.1, 2.0]])
LOW, HIGH = np.array([0.0, -50.0, -3.0]), np.array([1.0, 50.0, 40.0])


def quadratic(x):
    return 5.0 - 0.5 * (x - TOP) @ MATRIX @ (x - TOP)


def test_tolerance_of_a_quadratic():
    """Loss h d^2 / 2: d = sqrt(2 loss / h), where the bounds leave room."""
    found = tolerances(quadratic, TOP, LOW, HIGH, 0.1)
    expected = np.sqrt(2 * 0.1 / np.diag(MATRIX))
    for one, distance in zip(found, expected, strict=True):
        assert one.below == pytest.approx(distance, rel=0.011)
        assert one.above == pytest.approx(distance, rel=0.011)
        assert not one.below_ends and not one.above_ends


def test_bounds_end_a_tolerance():
    """With a loss of 4 the first could go 1.0 to both sides, but has room for 0.3 and 0.7."""
    first, _, third = tolerances(quadratic, TOP, LOW, HIGH, 4.0)
    assert (first.below, first.below_ends) == (pytest.approx(0.3), True)
    assert (first.above, first.above_ends) == (pytest.approx(0.7), True)
    assert third.below_ends and not third.above_ends


def test_an_optimum_on_a_bound_has_one_side():
    """Utility -x on [0, 1]: nothing below, the loss itself above."""
    one = tolerances(lambda x: -x[0], np.zeros(1), np.zeros(1), np.ones(1), 0.25)[0]
    assert (one.below, one.below_ends) == (0.0, True)
    # between 0.16 and 0.32 the straight loss is taken for a quadratic: at most 1 / 16 too far
    assert (one.above, one.above_ends) == (pytest.approx(0.25, rel=1 / 16), False)


def test_a_skewed_top_has_two_tolerances():
    """x - exp(x) loses 0.1 at the two roots of exp(d) - 1 - d = 0.1."""
    one = tolerances(lambda x: x[0] - np.exp(x[0]), np.zeros(1), -np.ones(1), np.ones(1), 0.1)[0]
    for distance, sign in ((one.below, -1), (one.above, 1)):
        root = brentq(lambda d, s=sign: np.exp(s * d) - 1.0 - s * d - 0.1, 0.1, 1.0)
        # the cubic term between 0.32 and 0.64 moves it by this much
        assert distance == pytest.approx(root, rel=0.05)
    assert one.below > one.above


def test_roughness_moves_a_tolerance_by_no_more_than_its_share():
    """A quadratic with an erratic part of a third of the loss, at the top as well."""
    rng, found = np.random.default_rng(5), []
    for _ in range(50):
        rough: dict[float, float] = {}

        def utility(x, known=rough):
            part = known.setdefault(float(x[0]), rng.normal(0.0, 0.03))
            return -0.5 * 8.0 * x[0] ** 2 + part

        one = tolerances(utility, np.zeros(1), -np.ones(1), np.ones(1), 0.1)[0]
        found += [one.below, one.above]
    exact = np.sqrt(2 * 0.1 / 8.0)
    # the loss is known to 0.03 sqrt 2 of 0.1, so the distance to 0.21 of itself
    assert np.median(found) == pytest.approx(exact, rel=0.21)
    assert np.min(found) > 0.2 * exact and np.max(found) < 2.0 * exact


def test_monotone_losses():
    falls = np.array([0.3, 0.1, 0.2, 0.9])
    np.testing.assert_allclose(monotone(falls), [0.2, 0.2, 0.2, 0.9])
    np.testing.assert_allclose(monotone(np.array([-0.4, 0.2, 0.6])), [0.0, 0.2, 0.6])


def test_mean_loss_is_half_the_curvature_times_the_variance():
    """Of a quadratic: the mean over any draws z, both signs, is sd^2 z M z / 2."""
    draws = np.random.default_rng(3).standard_normal((5, 3))
    sds = np.array([0.01, 0.1])
    expected = 0.5 * np.mean([z @ MATRIX @ z for z in draws]) * sds**2
    found = loss_by_error(lambda x: quadratic(x) + 7.0 * x[0], TOP, sds, draws)
    np.testing.assert_allclose(found, expected, rtol=1e-9)  # the slope cancels


def test_allowed_error_of_a_quadratic_loss():
    sds = np.array([0.1, 0.2, 0.4])
    for sd in (0.03, 0.1, 0.15, 0.3):
        assert allowed_error(sds, 5.0 * sds**2, 5.0 * sd**2) == pytest.approx(sd)
    assert allowed_error(sds, 5.0 * sds**2, 5.0) == np.inf


def test_worst_case_is_that_of_all_corners_and_centres():
    """Monotone effects with an interaction that keeps their signs: the grid's minimum."""

    def utility(s):
        return 1.0 - 0.3 * s[0] + 0.2 * s[1] - 0.1 * s[0] * s[2] - 0.25 * s[2] - 0.4 * s[3] ** 2

    found = worst_case(utility, 4)
    grid = [utility(np.array(s)) for s in itertools.product((-1.0, 0.0, 1.0), repeat=4)]
    assert found.nominal == 1.0
    assert found.lowest == pytest.approx(min(grid))
    assert utility(found.shifts) == found.lowest
    assert found.singles[0].tolist() == pytest.approx([1.3, 0.7])


def test_worst_case_of_nothing_uncertain_is_nominal():
    found = worst_case(lambda _s: 2.0, 0)
    assert (found.nominal, found.lowest, found.singles.shape) == (2.0, 2.0, (0, 2))


def test_spread_over_truths():
    values, weights = np.array([4.0, 1.0, 2.0, -9.0]), np.array([1.0, 2.0, 1.0, 0.0])
    found = spread_over(values, weights, share=0.6)
    assert found.mean == pytest.approx(2.0)
    assert (found.worst, found.worst_at) == (1.0, 1)  # a truth without prior does not count
    assert found.quantile == 2.0
    assert spread_over(values, weights, share=0.4).quantile == 1.0


def test_the_robust_design_need_not_be_the_best_on_average():
    table = np.array([[10.0, 0.0, 9.0], [5.0, 4.0, 5.0], [1.0, 1.0, 1.0]])
    assert robust_choice(table, np.ones(3)) == {"mean": 0, "worst": 1, "quantile": 1}


def test_wrong_input_is_refused():
    with pytest.raises(DomainError, match="loss"):
        tolerances(quadratic, TOP, LOW, HIGH, 0.0)
    with pytest.raises(DomainError, match="weights"):
        spread_over(np.ones(2), np.zeros(2))
    with pytest.raises(NonFiniteError, match="losses"):
        loss_by_error(lambda _x: np.nan, TOP, np.ones(1), np.ones((1, 3)))
