"""Whether two samplers of one posterior agree, within the Monte Carlo errors of quantiles."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from renp_infer.inference.priors.marginals import FULL_TURN_DEG
from renp_infer.inference.results.diagnostics import quantile_error
from renp_infer.inference.results.judged import CrossCheck
from renp_infer.inference.results.summary import circular_mean_deg, wrap
from renp_infer.records import FloatArray

PROBABILITIES = (0.025, 0.16, 0.5, 0.84, 0.975)
GATE = 5.0
"""Combined Monte Carlo errors; 65 quantiles that agree exceed it once in 30 000 runs
where the errors are known, and some times more often with the errors estimated."""


def cross_check(
    first: Mapping[str, FloatArray],
    second: Mapping[str, FloatArray],
    circular: Collection[str],
    sampler: str,
) -> CrossCheck:
    """Compare quantiles of every parameter.

    Parameters
    ----------
    first, second : mapping
        Draws (chains, draws) by parameter; numbers of chains and draws may differ.
    circular : collection of str
        Phases in degrees: cut opposite to the mean direction of all draws.
    sampler : str
        The second.
    """
    worst, place = -1.0, ("", 0.0)
    for name in first:
        pair = (first[name], second[name])
        if name in circular:
            pair = _cut(*pair)
        for probability in PROBABILITIES:
            distance = _distance(*pair, probability)
            if not distance <= worst:  # a NaN is the worst
                worst, place = distance, (name, probability)
    return CrossCheck(sampler, "pass" if worst <= GATE else "fail", worst, *place, GATE)


def _cut(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both on the line, cut at the same angle."""
    center = circular_mean_deg(np.concatenate([first.ravel(), second.ravel()]))
    low = -0.5 * FULL_TURN_DEG
    return wrap(first - center, low), wrap(second - center, low)


def _distance(first: FloatArray, second: FloatArray, probability: float) -> float:
    change = np.quantile(first, probability) - np.quantile(second, probability)
    error = np.hypot(quantile_error(first, probability), quantile_error(second, probability))
    return float(abs(change) / error)
