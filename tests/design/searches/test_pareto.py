"""Fronts and hypervolumes against brute force, closed forms and finite differences."""

import itertools

import numpy as np
import pytest

from renp_infer.design.searches.pareto import (
    front_of,
    hypervolume,
    hypervolume_gradient,
    non_dominated,
)
from renp_infer.errors import DomainError, NonFiniteError


def brute_front(points):
    """Places of points that lose to nobody, by definition."""
    return [
        i
        for i, a in enumerate(points)
        if not any(
            all(y >= x for x, y in zip(a, b, strict=True)) and tuple(a) != tuple(b) for b in points
        )
    ]


def brute_volume(points, reference):
    """Inclusion and exclusion over all subsets of boxes."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for some in itertools.combinations(points, size):
            corner = np.min(some, axis=0)
            total -= (-1) ** size * np.prod(np.maximum(corner - reference, 0.0))
    return total


@pytest.mark.parametrize("columns", [2, 3])
def test_the_front_is_that_of_the_definition(columns):
    rng = np.random.default_rng(5)
    points = np.round(rng.random((60, columns)), 1)  # rounded: ties and equal points
    assert list(np.flatnonzero(non_dominated(points))) == brute_front(points)


@pytest.mark.parametrize("columns", [2, 3])
def test_hypervolume_is_that_of_inclusion_and_exclusion(columns):
    rng = np.random.default_rng(6)
    for _ in range(10):
        points = np.round(rng.random((9, columns)), 1)  # dominated and equal ones among them
        reference = np.full(columns, 0.15)  # and some below the reference
        assert hypervolume(points, reference) == pytest.approx(brute_volume(points, reference))


def test_hypervolume_of_an_octant_of_the_sphere():
    """A dense front on x^2 + y^2 + z^2 = 1 dominates pi / 6, on a circle pi / 4."""
    angle = np.linspace(0.0, np.pi / 2, 401)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    # k steps lose at most k boxes of 1/k each in both directions: 1 / k in all
    assert hypervolume(circle, np.zeros(2)) == pytest.approx(np.pi / 4, abs=1 / 200)
    u, v = np.meshgrid(np.linspace(0.0, np.pi / 2, 25), np.linspace(0.0, np.pi / 2, 25))
    sphere = np.column_stack([(np.cos(u) * np.cos(v)).flat, (np.cos(u) * np.sin(v)).flat,
                              np.sin(u).flat])  # fmt: skip
    found = hypervolume(sphere, np.zeros(3))
    assert found < np.pi / 6
    assert found == pytest.approx(np.pi / 6, abs=3 / 24)


@pytest.mark.parametrize("columns", [2, 3])
def test_gradient_is_that_of_finite_differences(columns):
    rng = np.random.default_rng(7)
    points, reference = rng.random((8, columns)), np.full(columns, 0.1)
    slopes = hypervolume_gradient(points, reference)
    step = 1e-7
    for place in np.ndindex(points.shape):
        up, down = points.copy(), points.copy()
        up[place] += step
        down[place] -= step
        secant = (hypervolume(up, reference) - hypervolume(down, reference)) / (2 * step)
        assert slopes[place] == pytest.approx(secant, abs=1e-7)


def test_error_is_the_spread_of_noisy_evaluations():
    """Errors small against the distances of the front: first order is all there is."""
    x = np.array([1.0, 2.0, 3.0, 4.0])
    values = np.column_stack([x, 10.0 / x])
    errors = np.column_stack([0.01 * x, 0.02 * np.ones(4)])
    reference = np.array([0.5, 1.0])
    rng = np.random.default_rng(8)
    front = front_of(values, errors, (1, 1), rng, reference=reference)
    noisy = values + errors * rng.standard_normal((4000, 4, 2))
    spread = np.std([hypervolume(v, reference) for v in noisy])
    assert front.error == pytest.approx(spread, rel=5 / np.sqrt(2 * 4000))
    assert list(front.members) == [3, 2, 1, 0]


def test_cost_counts_the_other_way():
    """Information to gain, cost to spend: the dear and poor design is dominated."""
    values = np.array([[1.0, 10.0], [2.0, 20.0], [0.9, 15.0]])
    front = front_of(values, np.zeros_like(values), (1, -1), np.random.default_rng(0))
    assert list(front.members) == [1, 0]
    assert list(front.membership) == [1.0, 1.0, 0.0]
    assert front.error == 0.0
    low = front.reference
    assert low[0] < 1.0 and low[1] > 20.0
    flipped = values * [1, -1], low * [1, -1]
    assert front.hypervolume == pytest.approx(brute_volume(*flipped))


def test_membership_is_the_probability_of_not_being_dominated():
    """Two designs of equal cost: the better by d with error e each, Phi(d / (sqrt 2 e))."""
    from scipy.stats import norm

    values = np.array([[1.0, 5.0], [1.2, 5.0]])
    errors = np.array([[0.2, 0.0], [0.2, 0.0]])
    front = front_of(values, errors, (1, -1), np.random.default_rng(1), draws=4000)
    expected = norm.cdf(0.2 / (0.2 * np.sqrt(2.0)))
    spread = 4.0 * np.sqrt(expected * (1 - expected) / 4000)
    assert front.membership[1] == pytest.approx(expected, abs=spread)
    assert front.membership[0] == pytest.approx(1 - expected, abs=spread)


def test_a_front_of_one_point_has_a_volume():
    front = front_of(np.array([[2.0, 3.0]]), np.zeros((1, 2)), (1, -1), np.random.default_rng(2))
    assert front.hypervolume == pytest.approx((0.05 * 2.0) * (0.05 * 3.0))


@pytest.mark.parametrize("shape", [(3, 1), (3, 4), (0, 2), (3,)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(DomainError, match="shape of values"):
        front_of(np.ones(shape), np.ones(shape), (1, 1), np.random.default_rng(0))


def test_what_is_not_finite_is_named():
    values = np.array([[1.0, np.nan], [2.0, 3.0]])
    with pytest.raises(NonFiniteError, match="objectives"):
        front_of(values, np.zeros_like(values), (1, 1), np.random.default_rng(0))
