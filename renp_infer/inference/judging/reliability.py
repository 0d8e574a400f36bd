"""Calibration of hypothesis probabilities: of all that get 30 %, 30 % must be true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from renp_infer.records import FloatArray

Indices = NDArray[np.int64]

BINS = 10
_RESAMPLES = 4000


@dataclass(frozen=True)
class Bin:
    """Probabilities between two limits.

    Attributes
    ----------
    low, high : float
    predicted, found : float
        Mean probability, and share of those hypotheses that are true.
    error : float
        Binomial standard error of ``found``, if the probabilities are right.
    count : int
    """

    low: float
    high: float
    predicted: float
    found: float
    error: float
    count: int


def reliability_curve(predicted: FloatArray, truth: Indices) -> list[Bin]:
    """Predicted against found frequencies, all hypotheses together; empty bins are left out.

    Parameters
    ----------
    predicted : ndarray, shape (n, h)
    truth : ndarray of int, shape (n,)
    """
    flat, hits = predicted.ravel(), _hits(predicted, truth).ravel()
    numbers = _numbers(flat)
    rows = []
    for k in range(BINS):
        mine = numbers == k
        if mine.any():
            p = flat[mine]
            error = float(np.sqrt(np.sum(p * (1.0 - p)))) / p.size
            means = float(p.mean()), float(hits[mine].mean())
            rows.append(Bin(k / BINS, (k + 1) / BINS, *means, error, int(p.size)))
    return rows


def calibration_error(predicted: FloatArray, truth: Indices) -> float:
    """Expected calibration error: mean of |predicted - found| over bins, by their counts."""
    flat, hits = predicted.ravel(), _hits(predicted, truth).ravel()
    numbers = _numbers(flat)
    excess = np.bincount(numbers, weights=hits - flat, minlength=BINS)
    return float(np.sum(np.abs(excess)) / flat.size)


def calibration_p_value(
    predicted: FloatArray, truth: Indices, rng: np.random.Generator
) -> tuple[float, float]:
    """Test of the calibration error against truths drawn from the probabilities themselves.

    Returns
    -------
    p_value : float
        Share of such truths with an error at least as large.
    expected : float
        Their mean error: what chance alone gives.
    """
    observed = calibration_error(predicted, truth)
    steps = predicted.cumsum(axis=1)[:, :-1]
    errors = np.empty(_RESAMPLES)
    for k in range(_RESAMPLES):
        drawn = np.sum(rng.uniform(size=(len(predicted), 1)) > steps, axis=1)
        errors[k] = calibration_error(predicted, drawn)
    p_value = (1.0 + np.sum(errors >= observed)) / (1.0 + _RESAMPLES)
    return float(p_value), float(errors.mean())


def _hits(predicted: FloatArray, truth: Indices) -> FloatArray:
    return (np.arange(predicted.shape[1]) == truth[:, None]).astype(float)


def _numbers(flat: FloatArray) -> Indices:
    return np.minimum((flat * BINS).astype(np.int64), BINS - 1)
