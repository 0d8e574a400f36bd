"""A posterior in numbers: one dictionary per run, full precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from renp_infer.inference.diagnostics import Convergence, defined
from renp_infer.inference.prior import FULL_TURN_DEG
from renp_infer.records import FloatArray

INTERVALS = {"interval_68": 0.68, "interval_95": 0.95}
"""Equal-tailed credible intervals by key."""


def summarise(
    draws: FloatArray, truth: float | None, row: Convergence, circular: bool
) -> dict[str, Any]:
    """Mean, sd, median, intervals, convergence and truth of one parameter.

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
    return numbers | {
        "ess_bulk": defined(row.ess_bulk),
        "ess_tail": defined(row.ess_tail),
        "r_hat": defined(row.r_hat),
        "truth": truth,
        "circular": circular,
    }


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
