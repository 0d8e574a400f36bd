"""A posterior with further constraints, from draws without them.

Draws are weighed by the constraints' likelihood, the largest weights smoothed by a Pareto
distribution (Vehtari, Simpson, Gelman, Yao and Gabry, J. Mach. Learn. Res. 25(72) (2024)),
whose shape k says whether the weights may be used. Moments and quantiles are sums over all
draws with their weights: none are drawn again.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from renp_infer.errors import WeightsError
from renp_infer.inference.parameters import PARAMETERS, SEEN_PHASE
from renp_infer.inference.results.judged import Summary
from renp_infer.inference.results.summary import LEAST_INFORMATION, information, weighed
from renp_infer.records import FloatArray

_LARGEST_K = 0.7
FEWEST = 100.0
"""Effective draws below which no summary is made of them."""


@dataclass(frozen=True)
class Reweighted:
    """What weighed draws say.

    Attributes
    ----------
    pareto_k, pareto_k_limit : float
        Shape of the weights' tail, and up to where it is trusted.
    ess : float
        Equal draws that the weights are worth (Kish), of draws that are not independent fewer.
    estimates : mapping
        By parameter and derived quantity.
    errors : mapping
        Of their means, by chance.
    """

    pareto_k: float
    pareto_k_limit: float
    ess: float
    estimates: Mapping[str, Summary]
    errors: Mapping[str, float]


def reweight(
    draws: Mapping[str, FloatArray],
    before: Mapping[str, FloatArray],
    log_weights: FloatArray,
    independent: float,
    limited: Collection[str] = (),
) -> Reweighted:
    """Summaries of draws with weights.

    Parameters
    ----------
    draws : mapping
        Equal draws (n,) by name.
    before : mapping
        Draws of the prior, of any number, by name.
    log_weights : ndarray, shape (n,)
    independent : float
        How many independent draws they are worth.
    limited : collection of str
        What has upper limits.

    Raises
    ------
    WeightsError
        If the tail of the weights is too heavy, or too few draws are left.
    """
    log, k = smoothed(log_weights, independent)
    weights = np.exp(log - log.max())
    share = independent / log.size
    ess = share * float(np.sum(weights) ** 2 / np.sum(weights**2))
    limit = min(1.0 - 1.0 / math.log10(max(independent, 10.0)), _LARGEST_K)
    if not k <= limit:
        what = (
            "the draws of this run do not reach where the constraints move the posterior: few of "
            f"them have nearly all the weight (Pareto k {k:.2f}, trusted up to {limit:.2f})"
        )
        raise WeightsError(what, k, limit)
    if ess < FEWEST:
        what = (
            f"the constraints leave {ess:.0f} of {independent:.0f} independent draws, and "
            f"{FEWEST:.0f} are needed"
        )
        raise WeightsError(what, ess**-0.5, FEWEST**-0.5)
    circular = {*PARAMETERS.phases, SEEN_PHASE}
    rows, errors = {}, {}
    for name, column in draws.items():
        found, errors[name] = weighed(
            column, weights, ess, circular=name in circular, limited=name in limited
        )
        measured = information(column, before[name], ess, weights) > LEAST_INFORMATION
        rows[name] = replace(found, measured=measured)
    return Reweighted(k, limit, ess, rows, errors)


def smoothed(log_weights: FloatArray, independent: float) -> tuple[FloatArray, float]:
    """Log weights (n,) with a smoothed tail, and its shape k; -inf where all are equal."""
    from arviz_stats.base import array_stats

    if np.ptp(log_weights) == 0.0:
        return log_weights, -math.inf
    # the package takes minus the log of importance ratios, as leaving one out has them
    log, k = array_stats.psislw(-log_weights, r_eff=independent / log_weights.size)
    return np.asarray(log), float(k)
