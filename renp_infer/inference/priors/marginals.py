"""Marginals: the prior of one parameter, each with its map from unit coordinates.

Those are standard normal, one per parameter and two per phase. Where a local expansion needs
a Gaussian prior, one that is not Gaussian counts as the Gaussian of its mean and sd.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtr, ndtri

from renp_infer.errors import DomainError
from renp_infer.records import FloatArray

FULL_TURN_DEG = 360.0
EVERYWHERE = (-math.inf, math.inf)
PHASE_SD_DEG = 180.0 / math.sqrt(3.0)
"""Standard deviation of an angle uniform on the circle."""
_LARGEST_LOG = 100.0
"""Of an amplitude: squares of e^100 times a field can still be summed. At least 20 standard
deviations."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(128)
_SHARES = _WEIGHTS / np.sum(_WEIGHTS)
"""Quadrature of a standard normal distribution."""


class Marginal(Protocol):
    """Prior of one parameter; all methods are elementwise."""

    unit_size: int
    """Number of unit coordinates: 1, or 2 on the circle."""

    @property
    def unit_support(self) -> tuple[float, float]:
        """Unit coordinates between which the density is not zero."""

    @property
    def limits(self) -> tuple[float, float]:
        """Values between which the density is not zero; none on the circle."""

    def log_density(self, value: float) -> float:
        """Normalised log density at ``value``."""

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Value at unit coordinates, shape (..., unit_size) -> (...)."""

    def to_unit(self, value: FloatArray) -> FloatArray:
        """Unit coordinates of values (...): (...), or (..., 2) on the unit circle."""

    def pull(self, value: float) -> tuple[float, float]:
        """Centre minus value in standard deviations, and the slope of the value in these."""


class _MomentMatched:
    """Mean and sd by quadrature over the unit coordinate; a pull by these."""

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Value at unit coordinates."""
        raise NotImplementedError

    @functools.cached_property
    def mean(self) -> float:
        """Expectation."""
        return float(_SHARES @ self.from_unit(_NODES[:, None]))

    @functools.cached_property
    def sd(self) -> float:
        """Standard deviation."""
        return math.sqrt(_SHARES @ (self.from_unit(_NODES[:, None]) - self.mean) ** 2)

    def pull(self, value: float) -> tuple[float, float]:
        """Of the Gaussian of the same mean and sd."""
        return (self.mean - value) / self.sd, 1.0 / self.sd


@dataclass(frozen=True)
class Uniform(_MomentMatched):
    """Uniform on [low, high]."""

    low: float
    high: float
    unit_size = 1
    unit_support = EVERYWHERE

    @property
    def limits(self) -> tuple[float, float]:
        """``low`` and ``high``."""
        return self.low, self.high

    @functools.cached_property
    def sd(self) -> float:
        """Standard deviation."""
        return (self.high - self.low) / math.sqrt(12.0)

    def log_density(self, value: float) -> float:
        """Normalised log density; -inf outside."""
        inside = self.low <= value <= self.high
        return -math.log(self.high - self.low) if inside else -math.inf

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Through the normal distribution function: smooth at both bounds."""
        return self.low + (self.high - self.low) * ndtr(unit[..., 0])

    def to_unit(self, value: FloatArray) -> FloatArray:
        """Its inverse."""
        return np.asarray(ndtri((value - self.low) / (self.high - self.low)))


@dataclass(frozen=True)
class LogUniform(_MomentMatched):
    """Uniform in the logarithm on [low, high], low > 0."""

    low: float
    high: float
    unit_size = 1
    unit_support = EVERYWHERE

    @property
    def limits(self) -> tuple[float, float]:
        """``low`` and ``high``."""
        return self.low, self.high

    @functools.cached_property
    def sd(self) -> float:
        """Standard deviation."""
        span = math.log(self.high / self.low)
        mean = (self.high - self.low) / span
        return math.sqrt(0.5 * (self.high**2 - self.low**2) / span - mean**2)

    def log_density(self, value: float) -> float:
        """Normalised log density; -inf outside."""
        if not self.low <= value <= self.high:
            return -math.inf
        return -math.log(value) - math.log(math.log(self.high / self.low))

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Through the normal distribution function, in the logarithm."""
        return self.low * (self.high / self.low) ** ndtr(unit[..., 0])

    def to_unit(self, value: FloatArray) -> FloatArray:
        """Its inverse."""
        return np.asarray(ndtri(np.log(value / self.low) / math.log(self.high / self.low)))


@dataclass(frozen=True)
class Normal:
    """Gaussian within ``low`` and ``high``, so far out that its norm stays 1 to rounding."""

    mean: float
    sd: float
    low: float = -math.inf
    high: float = math.inf
    unit_size = 1

    @property
    def unit_support(self) -> tuple[float, float]:
        """Unit coordinates of the limits."""
        return (self.low - self.mean) / self.sd, (self.high - self.mean) / self.sd

    @property
    def limits(self) -> tuple[float, float]:
        """``low`` and ``high``."""
        return self.low, self.high

    def log_density(self, value: float) -> float:
        """Normalised log density; -inf outside the limits."""
        if not self.low <= value <= self.high:
            return -math.inf
        return _log_normal_density((value - self.mean) / self.sd) - math.log(self.sd)

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Shift and scale."""
        return self.mean + self.sd * unit[..., 0]

    def to_unit(self, value: FloatArray) -> FloatArray:
        """Its inverse."""
        return np.asarray((value - self.mean) / self.sd)

    def pull(self, value: float) -> tuple[float, float]:
        """Exact."""
        return (self.mean - value) / self.sd, 1.0 / self.sd


@dataclass(frozen=True)
class LogNormal:
    """Gaussian in the logarithm, of standard deviation ``sd`` there."""

    sd: float
    median: float = 1.0
    unit_size = 1

    @property
    def unit_support(self) -> tuple[float, float]:
        """Unit coordinates of what can be calculated with."""
        return -_LARGEST_LOG / self.sd, _LARGEST_LOG / self.sd

    @property
    def limits(self) -> tuple[float, float]:
        """Positive values."""
        return 0.0, math.inf

    def log_density(self, value: float) -> float:
        """Normalised log density; -inf for values that are not positive, or too large."""
        log = math.log(value / self.median) if value > 0.0 else -math.inf
        if not abs(log) <= _LARGEST_LOG:
            return -math.inf
        return _log_normal_density(log / self.sd) - math.log(self.sd) - math.log(value)

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Exponential of a scaled normal."""
        return np.asarray(self.median * np.exp(self.sd * unit[..., 0]))

    def to_unit(self, value: FloatArray) -> FloatArray:
        """Its inverse."""
        return np.asarray(np.log(value / self.median) / self.sd)

    def pull(self, value: float) -> tuple[float, float]:
        """Of the logarithm.

        Raises
        ------
        DomainError
            If the value is not positive.
        """
        if value <= 0.0:
            raise DomainError("value of a log-normal parameter", value, "> 0")
        return -math.log(value / self.median) / self.sd, 1.0 / (value * self.sd)


@dataclass(frozen=True)
class Truncated(_MomentMatched):
    """A normal or log-normal distribution within ``low`` and ``high``, normalised there.

    Tails are those of the nearer end: the quantiles are exact to rounding wherever they lie.
    """

    base: Normal | LogNormal
    low: float
    high: float
    unit_size = 1
    unit_support = EVERYWHERE

    @property
    def limits(self) -> tuple[float, float]:
        """``low`` and ``high``."""
        return self.low, self.high

    @functools.cached_property
    def tail(self) -> tuple[float, float, float]:
        """Sign, and the distribution function of the base at both ends, of the lower tail.

        With sign -1 the base is mirrored, so that neither is near 1 where both could be.
        """
        with np.errstate(divide="ignore"):  # an end at 0 of a log-normal
            ends = self.base.to_unit(np.array([self.low, self.high]))
        sign = -1.0 if ends[0] + ends[1] > 0.0 else 1.0
        first, second = sorted((sign * ends).tolist())
        return sign, float(ndtr(first)), float(ndtr(second))

    def log_density(self, value: float) -> float:
        """Normalised log density; -inf outside."""
        if not self.low <= value <= self.high:
            return -math.inf
        _, first, second = self.tail
        return self.base.log_density(value) - math.log(second - first)

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Through both distribution functions."""
        sign, first, second = self.tail
        share = first + (second - first) * ndtr(sign * unit[..., 0])
        found = self.base.from_unit(sign * ndtri(share)[..., None])
        return np.clip(found, self.low, self.high)

    def to_unit(self, value: FloatArray) -> FloatArray:
        """Its inverse."""
        sign, first, second = self.tail
        share = (ndtr(sign * self.base.to_unit(value)) - first) / (second - first)
        return np.asarray(sign * ndtri(share))


@dataclass(frozen=True)
class Tabulated(_MomentMatched):
    """Density by straight lines between points, exactly normalised and inverted.

    Attributes
    ----------
    values : tuple of float
        k of them, rising.
    heights : tuple of float
        Densities there, up to a factor; 0 at the ends alone.
    """

    values: tuple[float, ...]
    heights: tuple[float, ...]
    unit_size = 1
    unit_support = EVERYWHERE

    @property
    def limits(self) -> tuple[float, float]:
        """First and last value."""
        return self.values[0], self.values[-1]

    @functools.cached_property
    def nodes(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Values (k,), normalised densities (k,) and distribution function (k,) there."""
        x, height = np.array(self.values), np.array(self.heights)
        areas = 0.5 * (height[1:] + height[:-1]) * np.diff(x)
        total = np.sum(areas)
        shares = np.concatenate([[0.0], np.cumsum(areas / total)])
        shares[-1] = 1.0
        return x, height / total, shares

    def log_density(self, value: float) -> float:
        """Normalised log density; -inf outside, and where it is 0."""
        x, density, _ = self.nodes
        found = float(np.interp(value, x, density, left=0.0, right=0.0))
        return math.log(found) if found > 0.0 else -math.inf

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Through the normal distribution function; a quadratic equation in each interval."""
        x, density, shares = self.nodes
        share = ndtr(unit[..., 0])
        cell = np.clip(np.searchsorted(shares, share, side="right") - 1, 0, x.size - 2)
        slope = (density[cell + 1] - density[cell]) / (x[cell + 1] - x[cell])
        rest = share - shares[cell]
        root = np.sqrt(np.maximum(density[cell] ** 2 + 2.0 * slope * rest, 0.0))
        with np.errstate(invalid="ignore"):  # 0 / 0 at an end where the density is 0
            step = 2.0 * rest / (density[cell] + root)
        return np.asarray(np.clip(x[cell] + np.where(rest > 0.0, step, 0.0), x[0], x[-1]))

    def to_unit(self, value: FloatArray) -> FloatArray:
        """Its inverse."""
        x, density, shares = self.nodes
        cell = np.clip(np.searchsorted(x, value, side="right") - 1, 0, x.size - 2)
        slope = (density[cell + 1] - density[cell]) / (x[cell + 1] - x[cell])
        step = value - x[cell]
        return np.asarray(ndtri(shares[cell] + step * (density[cell] + 0.5 * slope * step)))


@dataclass(frozen=True)
class Circular:
    """Uniform on the circle, in degrees; the density has period 360."""

    unit_size = 2
    unit_support = EVERYWHERE
    limits = EVERYWHERE

    def log_density(self, value: float) -> float:
        """Normalised log density per degree."""
        return -math.log(FULL_TURN_DEG) if math.isfinite(value) else -math.inf

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Direction of a point of the plane, in [0, 360)."""
        angle = np.rad2deg(np.arctan2(unit[..., 1], unit[..., 0]))
        return np.mod(angle, FULL_TURN_DEG)

    def to_unit(self, value: FloatArray) -> FloatArray:
        """The point of the unit circle."""
        angle = np.deg2rad(value)
        return np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    def pull(self, value: float) -> tuple[float, float]:
        """None, as wide as the circle: a local expansion cannot know that it closes."""
        return 0.0, 1.0 / PHASE_SD_DEG


def slope_at(marginal: Marginal, unit: float) -> float:
    """Derivative of a value by its unit coordinate, which has one: normal over prior density."""
    if isinstance(marginal, Normal):
        return marginal.sd
    value = float(marginal.from_unit(np.array([unit])))
    if isinstance(marginal, LogNormal):
        return marginal.sd * value
    return math.exp(_log_normal_density(unit) - marginal.log_density(value))


def is_gaussian(marginal: Marginal | None) -> bool:
    """Whether a parameter is free and its prior is normal everywhere."""
    return isinstance(marginal, Normal) and marginal.limits == EVERYWHERE


def _log_normal_density(unit: float) -> float:
    return -0.5 * (unit * unit + math.log(2.0 * math.pi))
