"""Marginals: the prior of one parameter, each with its map from unit coordinates.

Those are standard normal, one per parameter and two per phase.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtr

from renp_infer.records import FloatArray

FULL_TURN_DEG = 360.0
EVERYWHERE = (-math.inf, math.inf)
_LARGEST_LOG = 100.0
"""Of an amplitude: squares of e^100 times a field can still be summed. At least 20 standard
deviations."""


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


@dataclass(frozen=True)
class Uniform:
    """Uniform on [low, high]."""

    low: float
    high: float
    unit_size = 1
    unit_support = EVERYWHERE

    @property
    def limits(self) -> tuple[float, float]:
        """``low`` and ``high``."""
        return self.low, self.high

    @property
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


@dataclass(frozen=True)
class LogUniform:
    """Uniform in the logarithm on [low, high], low > 0."""

    low: float
    high: float
    unit_size = 1
    unit_support = EVERYWHERE

    @property
    def limits(self) -> tuple[float, float]:
        """``low`` and ``high``."""
        return self.low, self.high

    @property
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


@dataclass(frozen=True)
class LogNormal:
    """Gaussian in the logarithm, with median 1."""

    sd: float
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
        log = math.log(value) if value > 0.0 else -math.inf
        if not abs(log) <= _LARGEST_LOG:
            return -math.inf
        return _log_normal_density(log / self.sd) - math.log(self.sd) - log

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Exponential of a scaled normal."""
        return np.exp(self.sd * unit[..., 0])


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


def _log_normal_density(unit: float) -> float:
    return -0.5 * (unit * unit + math.log(2.0 * math.pi))
