"""Priors by parameter that a study gives itself, and what ties several of them."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import ndtr

from renp_infer.errors import DomainError
from renp_infer.inference.priors.marginals import LogNormal, Marginal, Normal, Tabulated, Truncated
from renp_infer.records import FloatArray

Holds = Literal["both", "normal", "inverted"]
Kind = Literal[
    "normal", "log-normal", "uniform", "log-uniform", "truncated", "table", "samples"
]  # fmt: skip
BOTH: Holds = "both"
INSIDE_SDS = 6.0
"""A normal distribution whose limits are so far out, 2e-9 of it beyond, needs no cut."""
_POINTS = 401
"""Of the density of samples."""
_REACH = 4.0
"""Bandwidths that it reaches beyond the samples."""
_MANY, _FINE = 5000, 0.125
"""Draws beyond which those are gathered that lie so many bandwidths apart: it moves the density
by less than 1e-3 of itself."""
_LEAST = 1e-9
"""Of the highest density: nothing between the ends is impossible."""


@dataclass(frozen=True)
class OwnPrior:
    """Prior of one parameter.

    Attributes
    ----------
    name : str
        Parameter, whose unit it has.
    kind : str
        As the study calls it.
    marginal : Marginal
    text : str
        What results say of it.
    ordering : {"both", "normal", "inverted"}
        Under which it holds.
    """

    name: str
    kind: Kind | Literal["block"]
    marginal: Marginal
    text: str
    ordering: Holds = BOTH

    def holds_under(self, ordering: str) -> bool:
        """Whether it is meant for an ordering."""
        return self.ordering in (BOTH, ordering)

    def within(self, low: float, high: float) -> Marginal:
        """The marginal, all of which must lie between limits of the parameter.

        A normal or log-normal distribution gets them where they cut off nothing; on the mass,
        which integrals run over, as ends.

        Raises
        ------
        DomainError
            If some of it lies outside.
        """
        first, second = self.marginal.limits
        if isinstance(self.marginal, Normal | LogNormal):
            first, second = max(first, low), min(second, high)
            with np.errstate(divide="ignore"):
                ends = self.marginal.to_unit(np.array([first, second]))
            if not (ends[0] <= -INSIDE_SDS and ends[1] >= INSIDE_SDS):
                allowed = f"within {low:g} and {high:g} up to {INSIDE_SDS:g} standard deviations"
                raise DomainError(f"prior of {self.name}", self.text, allowed)
            if math.isfinite(first) and math.isfinite(second):
                return Truncated(self.marginal, first, second)
            if isinstance(self.marginal, Normal):
                return replace(self.marginal, low=first, high=second)
        elif not low <= first < second <= high:
            raise DomainError(f"prior of {self.name}", self.text, f"within {low:g} and {high:g}")
        return self.marginal


@dataclass(frozen=True)
class TiedBlock:
    """Parameters that are correlated: a Gaussian of several dimensions if each is normal.

    Attributes
    ----------
    names : tuple of str
        k of them.
    correlation : tuple of tuple of float
        Matrix (k, k) of their unit coordinates, positive definite.
    ordering : {"both", "normal", "inverted"}
    """

    names: tuple[str, ...]
    correlation: tuple[tuple[float, ...], ...]
    ordering: Holds = BOTH

    def holds_under(self, ordering: str) -> bool:
        """Whether it is meant for an ordering."""
        return self.ordering in (BOTH, ordering)

    @functools.cached_property
    def factor(self) -> FloatArray:
        """Lower Cholesky factor of the correlation, shape (k, k)."""
        return np.asarray(np.linalg.cholesky(np.array(self.correlation)))

    def log_density(self, unit: FloatArray) -> FloatArray:
        """Log density by that of independent coordinates, (...), at unit coordinates (..., k)."""
        alone = np.linalg.solve(self.factor, unit[..., None])[..., 0]
        squares = np.sum(unit**2, axis=-1) - np.sum(alone**2, axis=-1)
        return np.asarray(0.5 * squares - np.sum(np.log(np.diag(self.factor))))


def density_of(
    draws: FloatArray, weights: FloatArray, low: float = -np.inf, high: float = np.inf
) -> Tabulated:
    """Density of draws by Gaussian kernels, mirrored at the limits of the parameter.

    Silverman's bandwidth, 0.9 min(sd, interquartile range / 1.34) n^(-1/5) with n effective
    draws, widens the distribution by at most a factor (1 + 0.81 n^(-2/5))^(1/2): 1.5 % for
    1000. Between 401 values the density is a straight line.

    Parameters
    ----------
    draws, weights : ndarray, shape (n,)
    low, high : float
        Limits of the parameter.
    """
    share = weights / np.sum(weights)
    mean = share @ draws
    order = np.argsort(draws)
    quartiles = np.interp([0.25, 0.75], np.cumsum(share[order]), draws[order])
    sd = math.sqrt(share @ (draws - mean) ** 2)
    scale = min(sd, float(np.diff(quartiles)[0]) / 1.34) or sd
    width = 0.9 * scale * float(np.sum(share**2)) ** 0.2
    if draws.size > _MANY:
        draws, share = _gathered(draws, share, _FINE * width)
    first = max(low, float(draws.min()) - _REACH * width)
    last = min(high, float(draws.max()) + _REACH * width)
    edges = np.linspace(first, last, _POINTS)
    found = _kernels(edges, draws, share, width)
    for end in (low, high):
        if math.isfinite(end):
            found += _kernels(2.0 * end - edges, draws, share, width)
    found = np.maximum(found, _LEAST * found.max())  # a gap would be a wall to samplers
    return Tabulated(tuple(edges.tolist()), tuple(found.tolist()))


def _gathered(draws: FloatArray, share: FloatArray, step: float) -> tuple[FloatArray, FloatArray]:
    """Mean and share of the draws of each step, (m,): many draws cost no more than few."""
    _, cells = np.unique(np.floor((draws - draws.min()) / step), return_inverse=True)
    total = np.bincount(cells, share)
    kept = total > 0.0
    return np.bincount(cells, share * draws)[kept] / total[kept], total[kept]


def _kernels(at: FloatArray, draws: FloatArray, share: FloatArray, width: float) -> FloatArray:
    """Sum of Gaussians at draws (n,), averaged over the step around each value (k,)."""
    half = 0.5 * abs(at[1] - at[0])
    upper = np.array([share @ ndtr((x + half - draws) / width) for x in at])
    lower = np.array([share @ ndtr((x - half - draws) / width) for x in at])
    return (upper - lower) / (2.0 * half)
