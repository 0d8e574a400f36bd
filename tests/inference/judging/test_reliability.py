"""Calibration of probabilities, of few hypotheses by hand."""

import math

import numpy as np
import pytest

from renp_infer.inference.judging.reliability import (
    Bin,
    calibration_error,
    calibration_p_value,
    reliability_curve,
)

RESAMPLED = 4001.0


def plain_bins(predicted, truth):
    """Probabilities by tenths, the last closed: (probability, whether true) of each."""
    bins = {}
    for row, true in zip(predicted, truth, strict=True):
        for k, p in enumerate(row):
            bins.setdefault(min(int(10 * p), 9), []).append((float(p), k == true))
    return bins


def test_bins_hold_means_and_binomial_errors(rng):
    predicted = rng.dirichlet([0.6, 0.6, 0.6], 40)
    predicted[0], predicted[1] = [1.0, 0.0, 0.0], [0.5, 0.5, 0.0]
    truth = rng.integers(0, 3, 40)
    bins = plain_bins(predicted, truth)
    found = reliability_curve(predicted, truth)
    assert [row.low for row in found] == pytest.approx([k / 10 for k in sorted(bins)])
    for row, (k, members) in zip(found, sorted(bins.items()), strict=True):
        values = [p for p, _ in members]
        assert isinstance(row, Bin)
        assert (row.low, row.high, row.count) == (k / 10, (k + 1) / 10, len(members))
        assert row.predicted == pytest.approx(sum(values) / len(values))
        assert row.found == pytest.approx(sum(hit for _, hit in members) / len(members))
        variance = sum(p * (1.0 - p) for p in values)
        assert row.error == pytest.approx(math.sqrt(variance) / len(values))
    expected = sum(abs(sum(hit - p for p, hit in members)) for members in bins.values()) / 120.0
    assert calibration_error(predicted, truth) == pytest.approx(expected)


def test_certain_and_right_has_no_error_certain_and_wrong_is_improbable(rng):
    predicted = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert calibration_p_value(predicted, np.array([0, 1, 0]), rng) == (1.0, 0.0)
    assert calibration_p_value(predicted, np.array([1, 1, 0]), rng) == (1.0 / RESAMPLED, 0.0)


@pytest.mark.parametrize(("true", "error", "p_value"), [(0, 0.2, 1.0), (1, 0.8, 0.2)])
def test_one_data_set_of_two_hypotheses(true, error, p_value, rng):
    """Eight to two: the error is 0.2 or, in one case of five, 0.8; on the average 0.32."""
    predicted, truth = np.array([[0.8, 0.2]]), np.array([true])
    assert calibration_error(predicted, truth) == pytest.approx(error)
    found, expected = calibration_p_value(predicted, truth, rng)
    spread = 4.0 * math.sqrt(0.2 * 0.8 / RESAMPLED)
    assert found == pytest.approx(p_value, abs=spread)
    assert expected == pytest.approx(0.32, abs=0.6 * spread)


def test_truths_are_drawn_from_all_hypotheses(rng):
    """Three alike: right whatever is true, so that every truth is as probable as another."""
    predicted = np.array([[0.5, 0.3, 0.2]] * 3)
    found, _ = calibration_p_value(predicted, np.array([0, 1, 2]), rng)
    hits = np.array([[a, b, 3 - a - b] for a in range(4) for b in range(4 - a)])
    chances = [
        math.factorial(3)
        / math.prod(map(math.factorial, row))
        * math.prod(p**k for p, k in zip((0.5, 0.3, 0.2), row.tolist(), strict=True))
        for row in hits
    ]
    errors = np.abs(hits - 3.0 * predicted[0]).sum(axis=1) / 9.0
    seen = np.abs(1.0 - 3.0 * predicted[0]).sum() / 9.0
    exact = sum(c for c, e in zip(chances, errors, strict=True) if e >= seen - 1e-12)
    assert found == pytest.approx(exact, abs=4.0 * math.sqrt(0.25 / RESAMPLED))
