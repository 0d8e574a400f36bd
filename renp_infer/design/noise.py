"""Noise of a design: its covariance by exposure, which angles may share unequally."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np

from renp_infer.inference.fisher import Noise
from renp_infer.measurement.squid import covariance_nG2, drift_nG2, standard_error_nG
from renp_infer.physics.field_cycle import bloch_cycle
from renp_infer.records import Experiment, FloatArray


def design_noise(experiment: Experiment, scale: float, shares: FloatArray | None = None) -> Noise:
    """Noise of an experiment.

    Parameters
    ----------
    experiment : Experiment
    scale : float
        Factor of the noise: 1, or what normalises it.
    shares : ndarray, shape (n,), optional
        Share of the exposure at each angle, > 0, summing to one; equal by default.

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
            return scale**2 * covariance_nG2(moved, lasers, angles, cycle)
        error = standard_error_nG(moved, lasers, 1, cycle)
        start_s = exposure_s * (np.cumsum(shares) - shares)
        return scale**2 * (np.diag(error**2 / shares) + drift_nG2(moved, start_s))

    return Noise(covariance, detector.drift_fT > 0.0, detector.exposure_s)
