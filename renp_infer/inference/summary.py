"""A posterior in numbers: one dictionary per run, full precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from renp_infer.inference.diagnostics import Convergence, defined
from renp_infer.inference.prior import FULL_TURN_DEG
from renp_infer.records import FloatArray

INTERVALS = {"interval_68": 0.68, "interval_95": 0.95}
"""Equal-tailed credible intervals by key."""
REGIONS = {"regions_68": 0.68, "regions_95": 0.95}
"""Highest-density regions by key, where there are several."""
_BINS = 72
_VALLEY = 0.5
"""Two regions are apart if the density between them falls below this share of their edge."""


def summarise(
    draws: FloatArray, truth: float | None, row: Convergence, circular: bool
) -> dict[str, Any]:
    """Mean, sd, median, intervals, convergence and truth of one parameter.

    An interval says little of several modes: then ``regions_68`` and ``regions_95``
    list where the density is highest, else they are empty.

    Parameters
    ----------
    draws : ndarray, shape (chains, draws)
    truth : float or None
        ``None`` where nobody knows it.
    row : Convergence
    circular : bool
        In degrees on the circle: mean direction, root mean square distance
        from it, and intervals around it. Limits are in [0, 360) and the
        lower may exceed the upper: the interval then passes through 0.

    ``ess_bulk``, ``ess_tail`` and ``r_hat`` are ``None`` where they are not
    defined: for draws that never moved.
    """
    flat = draws.ravel()
    center = circular_mean_deg(flat) if circular else 0.0
    # Distances from the mean direction, in [-180, 180).
    centered = wrap(flat - center, -0.5 * FULL_TURN_DEG) if circular else flat
    numbers: dict[str, Any] = {
        "mean": center if circular else float(np.mean(flat)),
        "sd": float(np.sqrt(np.mean(centered**2)) if circular else np.std(flat, ddof=1)),
        "median": _place(float(np.median(centered)), center, circular),
    }
    for key, probability in INTERVALS.items():
        tail = 0.5 * (1.0 - probability)
        limits = np.quantile(centered, [tail, 1.0 - tail])
        numbers[key] = [_place(float(limit), center, circular) for limit in limits]
    for key, probability in REGIONS.items():
        ranges = regions(centered, probability, circular)
        numbers[key] = [[_place(limit, center, circular) for limit in pair] for pair in ranges]
    return numbers | {
        "ess_bulk": defined(row.ess_bulk),
        "ess_tail": defined(row.ess_tail),
        "r_hat": defined(row.r_hat),
        "truth": truth,
        "circular": circular,
    }


def regions(values: FloatArray, probability: float, circular: bool) -> list[list[float]]:
    """Highest-density regions of a multimodal sample; none if it has one mode.

    From a histogram of 72 bins, smoothed over three. A region across the cut of a circle
    ends above 180.

    Parameters
    ----------
    values : ndarray, shape (n,)
    probability : float
        Mass of all regions together.
    circular : bool
        Whether the values are degrees in [-180, 180).
    """
    half = 0.5 * FULL_TURN_DEG
    low, high = (-half, half) if circular else np.quantile(values, [0.001, 0.999])
    if not high > low:
        return []
    counts, edges = np.histogram(values, _BINS, (low, high))
    padded = np.pad(counts, 1, mode="wrap") if circular else np.pad(counts, 1)
    smooth = np.convolve(padded, [0.25, 0.5, 0.25], mode="valid")
    ordered = np.sort(smooth)[::-1]
    level = ordered[np.searchsorted(np.cumsum(ordered), probability * ordered.sum())]
    first = int(np.argmin(smooth)) if circular else 0  # begin a circle where it is emptiest
    found: list[list[int]] = []
    for k in range(first, first + _BINS):
        if smooth[k % _BINS] < level:
            continue
        gap = smooth[np.arange(found[-1][1], k + 1) % _BINS] if found else smooth[:0]
        if found and gap.min() >= _VALLEY * level:
            found[-1][1] = k
        else:
            found.append([k, k])
    width = edges[1] - edges[0]
    if len(found) < 2:
        return []
    return [[float(low + a * width), float(low + (b + 1) * width)] for a, b in found]


def circular_mean_deg(angles_deg: FloatArray) -> float:
    """Direction of the mean unit vector, in [0, 360)."""
    angles = np.deg2rad(angles_deg)
    mean = np.rad2deg(np.arctan2(np.mean(np.sin(angles)), np.mean(np.cos(angles))))
    return float(np.mod(mean, FULL_TURN_DEG))


def wrap(angles_deg: FloatArray, low: float) -> FloatArray:
    """Angles shifted by full turns into [low, low + 360)."""
    return low + np.mod(angles_deg - low, FULL_TURN_DEG)


def _place(value: float, center: float, circular: bool) -> float:
    return float(np.mod(center + value, FULL_TURN_DEG)) if circular else value
