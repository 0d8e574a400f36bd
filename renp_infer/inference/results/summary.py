"""A parameter's posterior in numbers, full precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from renp_infer.inference.priors.marginals import FULL_TURN_DEG, Marginal
from renp_infer.inference.results.compared import Averaged
from renp_infer.inference.results.diagnostics import Convergence, defined
from renp_infer.inference.results.judged import Range, Summary
from renp_infer.records import FloatArray

LEVELS = (0.68, 0.95)
"""Probabilities of equal-tailed credible intervals, and of highest-density regions."""
LIMITS = (0.90, 0.95)
"""Probabilities below one-sided upper limits."""
LEAST_INFORMATION = 0.1
"""Nats that the posterior must have gained over the prior to be called a measurement.

That of a Gaussian prior narrowed to 0.70 of its width, or moved by 0.45 of it.
"""
_SHARES = 10
_NEAR = 0.1
"""An end of the prior is reached if this share of the way to the other end of the 95 % interval
does not lead out of the interval's 2.5 %; a Gaussian then is 2.3 deviations from it."""
_BINS = 72
_VALLEY = 0.5
"""Two regions are apart if the density between them falls below this share of their edge."""


def summarise(draws: FloatArray, truth: float | None, row: Convergence, circular: bool) -> Summary:
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
    interval_68, interval_95 = (_interval(centered, p, center, circular) for p in LEVELS)
    regions_68, regions_95 = (
        tuple(_range(low, high, center, circular) for low, high in regions(centered, p, circular))
        for p in LEVELS
    )
    return Summary(
        center if circular else float(np.mean(flat)),
        float(np.sqrt(np.mean(centered**2)) if circular else np.std(flat, ddof=1)),
        _place(float(np.median(centered)), center, circular),
        interval_68,
        interval_95,
        regions_68,
        regions_95,
        defined(row.ess_bulk),
        defined(row.ess_tail),
        defined(row.r_hat),
        truth,
        circular,
    )


def weighed(
    values: FloatArray, weights: FloatArray, ess: float, *, circular: bool, limited: bool
) -> tuple[Summary, float]:
    """The same of draws with weights, with limits if they have any; and the error of the mean.

    Parameters
    ----------
    values, weights : ndarray, shape (n,)
    ess : float
        Equal independent draws that the weights are worth.
    circular, limited : bool

    Returns
    -------
    found : Summary
        Moments and quantiles are sums over all draws with their weights.
    error : float
        Of the mean, by chance: the root of the sum of squared weights times squared distances,
        over the sum of weights, for draws that are not independent larger.
    """
    center = circular_mean_deg(values, weights) if circular else 0.0
    centered = wrap(values - center, -0.5 * FULL_TURN_DEG) if circular else values
    share = weights / np.sum(weights)
    mean = 0.0 if circular else float(share @ values)
    squares = (centered - mean) ** 2
    middle = quantiles(centered, np.array([0.5]), weights)[0]
    interval_68, interval_95 = (_interval(centered, p, center, circular, weights) for p in LEVELS)
    regions_68, regions_95 = (
        tuple(
            _range(low, high, center, circular)
            for low, high in regions(centered, p, circular, weights)
        )
        for p in LEVELS
    )
    uppers = quantiles(values, np.array(LIMITS), weights).tolist() if limited else [None, None]
    found = Summary(
        mean=center if circular else mean,
        sd=float(np.sqrt(share @ squares)),
        median=_place(float(middle), center, circular),
        interval_68=interval_68,
        interval_95=interval_95,
        regions_68=regions_68,
        regions_95=regions_95,
        ess_bulk=ess,
        ess_tail=None,
        r_hat=None,
        truth=None,
        circular=circular,
        upper_90=uppers[0],
        upper_95=uppers[1],
    )
    dependent = 1.0 / (float(np.sum(share**2)) * ess)
    return found, float(np.sqrt(dependent * (share**2 @ squares)))


def compared(
    found: Summary, draws: FloatArray, prior: FloatArray, limits: tuple[float, float]
) -> Summary:
    """The same with one-sided limits, and with what it owes to the prior.

    Parameters
    ----------
    found : Summary
    draws, prior : ndarray
        Of posterior and prior, of any shapes.
    limits : tuple of float
        Ends of the prior; infinite where it has none.
    """
    measured = information(draws, prior, found.ess_bulk or 1.0) > LEAST_INFORMATION
    if found.circular:
        return replace(found, measured=measured)
    uppers = (
        [float(limit) for limit in np.quantile(draws, LIMITS)]
        if math.isfinite(limits[0])
        else [None, None]
    )
    return replace(
        found,
        upper_90=uppers[0],
        upper_95=uppers[1],
        reaches=_reached(found.interval_95, limits),
        measured=measured,
    )


def overall(
    mean: float,
    sd: float,
    quantile: Callable[[FloatArray], FloatArray],
    gained: float,
    limits: tuple[float, float],
) -> Averaged:
    """The same of a law that is not one of equal draws.

    Parameters
    ----------
    mean, sd : float
    quantile : callable
        Of probabilities (q,), shape (q,).
    gained : float
        Information over the prior, nats.
    limits : tuple of float
        Ends of the prior.
    """
    tails = [0.5 * (1.0 + sign * level) for level in LEVELS for sign in (-1.0, 1.0)]
    wanted = np.clip(quantile(np.array([0.5, *tails, *LIMITS])), *limits)
    middle, low68, high68, low95, high95, upper90, upper95 = wanted.tolist()
    return Averaged(
        mean,
        sd,
        middle,
        (low68, high68),
        (low95, high95),
        upper90,
        upper95,
        _reached((low95, high95), limits),
        gained > LEAST_INFORMATION,
    )


def _reached(interval_95: Range, limits: tuple[float, float]) -> tuple[str, ...]:
    """Ends of the prior that the posterior comes up to."""
    (low, high), (lowest, highest) = interval_95, limits
    near = {
        "lower": low - lowest < _NEAR * (high - lowest),
        "upper": highest - high < _NEAR * (highest - low),
    }
    return tuple(end for end, is_near in near.items() if is_near)


def decile_edges(prior: Marginal) -> FloatArray:
    """Inner edges (9,) of the ten intervals that are equally probable in a prior."""
    return prior.from_unit(ndtri(np.arange(1, _SHARES) / _SHARES)[:, None])


def information_of(
    shares: FloatArray, expected: FloatArray, ess: float = math.inf, before: float = math.inf
) -> float:
    """Information of shares (10,) over those of the prior, nats.

    Less what ``ess`` draws of the posterior and ``before`` of the prior show by chance.
    """
    kept = (shares > 0.0) & (expected > 0.0)
    gained = np.sum(shares[kept] * np.log(shares[kept] / expected[kept]))
    return float(gained - 0.5 * (_SHARES - 1) * (1.0 / ess + 1.0 / before))


def information(
    draws: FloatArray, prior: FloatArray, ess: float, weights: FloatArray | None = None
) -> float:
    """Information that a posterior gained over its prior, nats, at most ln 10.

    From the shares of the draws in ten intervals that are equally probable in the prior,
    less what so many independent draws of the prior itself would show.

    Parameters
    ----------
    draws, prior : ndarray
        Of any shapes.
    ess : float
        Effective number of the former.
    weights : ndarray, optional
        Of the former; without, they are equal.
    """
    edges = np.quantile(prior, np.arange(1, _SHARES) / _SHARES)
    shares, expected = (
        np.bincount(np.searchsorted(edges, part.ravel()), weight, _SHARES) / total
        for part, weight, total in (
            (draws, weights, draws.size if weights is None else float(np.sum(weights))),
            (prior, None, prior.size),
        )
    )
    return information_of(shares, expected, ess, prior.size)


def _interval(
    values: FloatArray,
    probability: float,
    center: float,
    circular: bool,
    weights: FloatArray | None = None,
) -> Range:
    tail = 0.5 * (1.0 - probability)
    low, high = quantiles(values, np.array([tail, 1.0 - tail]), weights)
    return _range(float(low), float(high), center, circular)


def regions(
    values: FloatArray, probability: float, circular: bool, weights: FloatArray | None = None
) -> list[Range]:
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
    weights : ndarray, shape (n,), optional
        Without, they are equal.
    """
    half, ends = 0.5 * FULL_TURN_DEG, np.array([0.001, 0.999])
    low, high = (-half, half) if circular else quantiles(values, ends, weights)
    if not high > low:
        return []
    counts, edges = np.histogram(values, _BINS, (low, high), weights=weights)
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
    return [(float(low + a * width), float(low + (b + 1) * width)) for a, b in found]


def quantiles(
    values: FloatArray, probabilities: FloatArray, weights: FloatArray | None = None
) -> FloatArray:
    """Quantiles (q,) of values (n,); with weights the smallest value that so much is not above."""
    if weights is None:
        return np.quantile(values, probabilities)
    found: FloatArray = np.quantile(values, probabilities, weights=weights, method="inverted_cdf")
    return found


def circular_mean_deg(angles_deg: FloatArray, weights: FloatArray | None = None) -> float:
    """Direction of the mean unit vector, in [0, 360)."""
    angles = np.deg2rad(angles_deg)
    sine, cosine = (np.average(part(angles), weights=weights) for part in (np.sin, np.cos))
    return float(np.mod(np.rad2deg(np.arctan2(sine, cosine)), FULL_TURN_DEG))


def wrap(angles_deg: FloatArray, low: float) -> FloatArray:
    """Angles shifted by full turns into [low, low + 360)."""
    return low + np.mod(angles_deg - low, FULL_TURN_DEG)


def _range(low: float, high: float, center: float, circular: bool) -> Range:
    return _place(low, center, circular), _place(high, center, circular)


def _place(value: float, center: float, circular: bool) -> float:
    return float(np.mod(center + value, FULL_TURN_DEG)) if circular else value
