"""Parameters averaged over hypotheses by their probabilities, and what that owes to priors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.inference.parameters import JARLSKOG
from renp_infer.inference.results.compared import Averaged
from renp_infer.records import FloatArray

if TYPE_CHECKING:
    from renp_infer.inference.priors.marginals import Marginal

Draws = Mapping[str, Mapping[str, FloatArray]]
"""Of one hypothesis, by estimator: arrays (n,) by parameter."""
_DECILES = 10


def averaged(
    draws: Sequence[Draws],
    shares: FloatArray,
    name: str,
    prior: Marginal,
) -> Averaged:
    """A parameter averaged over hypotheses, and what it owes to its prior.

    Parameters
    ----------
    draws : sequence of mapping
        Of every hypothesis: by estimator, whose shares are equal.
    shares : ndarray, shape (k,)
        Of the hypotheses.
    name : str
        A parameter that is no phase.
    prior : Marginal
        Its prior under every hypothesis.
    """
    from renp_infer.inference.results import summary  # not for those who count tasks

    edges = summary.decile_edges(prior)
    count = edges.size + 1
    expected = np.full(count, 1.0 / count)
    return _averaged(draws, shares, name, _Known(edges, expected, math.inf, prior.limits))


@dataclass(frozen=True)
class _Known:
    """What is known before the data: shares of a prior between edges, by so many draws."""

    edges: FloatArray
    shares: FloatArray
    ess: float
    limits: tuple[float, float]


def derived_averages(
    draws: Sequence[Draws],
    before: Sequence[Mapping[str, FloatArray]],
    probabilities: FloatArray,
    odds: FloatArray,
) -> dict[str, Averaged]:
    """Derived quantities averaged over those hypotheses that have them.

    Parameters
    ----------
    draws : sequence of mapping
        Of every hypothesis: by estimator, whose shares are equal.
    before : sequence of mapping
        Draws (n,) of the priors by quantity.
    probabilities, odds : ndarray, shape (k,)
        Of the hypotheses after the data, and before; of any sums.

    Returns
    -------
    dict
        By quantity. The effective mass of double beta decay is that of Majorana neutrinos;
        a quantity whose hypotheses have no probability is missing.
    """
    found = {}
    for name in dict.fromkeys(name for row in before for name in row):
        having = [k for k, row in enumerate(before) if name in row]
        shares, weights = probabilities[having], odds[having]
        if not (np.sum(shares) > 0.0 and np.sum(weights) > 0.0):
            continue
        known = _before(name, [before[k][name] for k in having], weights)
        rows = [draws[k] for k in having]
        found[name] = _averaged(rows, shares / np.sum(shares), name, known)
    return found


def _before(name: str, draws: Sequence[FloatArray], odds: FloatArray) -> _Known:
    """Prior of a derived quantity, of hypotheses with some odds."""
    values = np.concatenate(draws)
    weights = np.concatenate(
        [np.full(d.size, o / d.size) for d, o in zip(draws, odds, strict=True)]
    )
    edges = weighted_quantile(values, weights, np.arange(1, _DECILES) / _DECILES)
    shares = np.bincount(np.searchsorted(edges, values), weights, _DECILES) / np.sum(weights)
    ess = float(np.sum(weights) ** 2 / np.sum(weights**2))
    return _Known(edges, shares, ess, (-math.inf if name == JARLSKOG else 0.0, math.inf))


def _averaged(
    draws: Sequence[Draws],
    shares: FloatArray,
    name: str,
    known: _Known,
) -> Averaged:
    from renp_infer.inference.results import summary

    parts = [
        (found[name], share / len(row) / found[name].size)
        for row, share in zip(draws, shares, strict=True)
        for found in row.values()
    ]
    values = np.concatenate([part for part, _ in parts])
    weights = np.concatenate([np.full(part.size, weight) for part, weight in parts])
    mean = float(np.average(values, weights=weights))
    sd = float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))
    total = np.sum(weights)
    found = np.bincount(np.searchsorted(known.edges, values), weights, known.shares.size) / total
    ess = float(total**2 / np.sum(weights**2))
    gained = summary.information_of(found, known.shares, ess, known.ess)
    return summary.overall(
        mean, sd, lambda p: weighted_quantile(values, weights, p), gained, known.limits
    )


def weighted_quantile(
    values: FloatArray, weights: FloatArray, probabilities: FloatArray
) -> FloatArray:
    """Quantiles of a weighted sample (n,), between its middle masses, shape (q,)."""
    order = np.argsort(values)
    masses = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.interp(probabilities, masses / np.sum(weights), values[order])
