"""Noise of data by exposure: one for forecasts, designs and explorer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import block_diag, solve_triangular

from renp_infer.measurement.squid import covariance_nG2, drift_nG2, standard_error_nG
from renp_infer.physics.cycle.field_cycle import bloch_cycle
from renp_infer.records import Experiment, FloatArray


@dataclass(frozen=True)
class Noise:
    """Covariance of the data as a function of exposure.

    Attributes
    ----------
    covariance : callable
        ``exposure_s -> ndarray (n, n)``, nG^2.
    drifts : bool
        Whether it has more than white noise, whose variance is as 1 / exposure.
    exposure_s : float
        The study's.
    """

    covariance: Callable[[float], FloatArray]
    drifts: bool
    exposure_s: float

    @functools.cached_property
    def sigma_nG(self) -> FloatArray:
        """Standard errors (n,) at the study's exposure."""
        return np.sqrt(np.diag(self.covariance(self.exposure_s)))

    def whiten(self, field_nG: FloatArray, exposure_s: float) -> FloatArray:
        """Fields (n, ...) in units of independent standard errors."""
        if self.drifts:
            factor = np.linalg.cholesky(self.covariance(exposure_s))
            columns = field_nG.reshape(len(field_nG), -1)
            whitened: FloatArray = solve_triangular(factor, columns, lower=True)
            return whitened.reshape(field_nG.shape)
        scale = np.sqrt(exposure_s / self.exposure_s) / self.sigma_nG
        return field_nG * scale.reshape(-1, *[1] * (field_nG.ndim - 1))

    def at(self, exposure_s: float) -> Noise:
        """The same where the study's exposure is another."""
        return replace(self, exposure_s=exposure_s)


def joined_noise(parts: Sequence[Noise], grows: Sequence[bool]) -> Noise:
    """Noise of data sets one after the other, the exposures of some of which grow together.

    Parameters
    ----------
    parts : sequence of Noise
    grows : sequence of bool
        Whether the exposure of each is part of the whole; else its noise stays as it is.
    """
    whole_s = sum(part.exposure_s for part, more in zip(parts, grows, strict=True) if more)

    @functools.cache
    def covariance(exposure_s: float) -> FloatArray:
        factors = [exposure_s / whole_s if more else 1.0 for more in grows]
        pairs = zip(parts, factors, strict=True)
        return np.asarray(block_diag(*(p.covariance(f * p.exposure_s) for p, f in pairs)))

    white = all(grows) and not any(part.drifts for part in parts)
    return Noise(covariance, not white, whole_s)


def noise_by_exposure(
    experiment: Experiment, variance: float, shares: FloatArray | None = None
) -> Noise:
    """Noise of an experiment, whose angles may share the exposure unequally.

    Parameters
    ----------
    experiment : Experiment
    variance : float
        Factor of the covariance: 1, or what normalises the noise.
    shares : ndarray, shape (n,), optional
        Share of the exposure at each angle, > 0, summing to one; by default those of the
        detector.

    Raises
    ------
    DomainError, NonFiniteError
        See ``measurement.squid``.
    """
    detector, lasers = experiment.detector, experiment.lasers
    cycle, angles = bloch_cycle(experiment), experiment.layout.theta_s.size

    @functools.cache
    def covariance(exposure_s: float) -> FloatArray:
        moved = replace(detector, exposure_s=exposure_s)
        if shares is None:
            return variance * covariance_nG2(moved, lasers, angles, cycle)
        error = standard_error_nG(moved, lasers, 1, cycle)
        start_s = exposure_s * (np.cumsum(shares) - shares)
        return variance * (np.diag(error**2 / shares) + drift_nG2(moved, start_s))

    return Noise(covariance, detector.drift_fT > 0.0, detector.exposure_s)
