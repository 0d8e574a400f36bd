"""Noise of the magnetometer: covariance of the peak field at each angle.

At every angle the field repeats with the laser cycle tc: it grows while spins
relax with T1, h(t) = (1 - exp(-t / T1)) / (1 - exp(-tc / T1)), and is reset at
the end. Its amplitude, the peak field, is read by the matched filter: harmonic
n >= 1 of the cycle has amplitude a_n and noise S(n / tc), and

    1 / sigma^2 = T Sum_n a_n^2 / S(n / tc),   S(f) = noise^2 (1 + knee / f),

S one-sided, T = exposure / angles. The mean field carries nothing: its
baseline is unknown.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
from scipy.special import digamma

from renp_infer.errors import DomainError
from renp_infer.physics.constants import NG_TO_FT
from renp_infer.records import Detector, FloatArray, Lasers


def field_psd_fT2_per_Hz(frequency_hz: FloatArray, detector: Detector) -> FloatArray:
    """One-sided noise power ``noise^2 (1 + knee / f)``, shape (n,), fT^2/Hz.

    Parameters
    ----------
    frequency_hz : ndarray, shape (n,)
        Frequencies > 0, Hz.
    detector : Detector
    """
    return detector.noise_fT_rtHz**2 * (1.0 + detector.knee_hz / frequency_hz)


def harmonic_amplitudes(order: FloatArray, cycle_over_relaxation: float) -> FloatArray:
    """Amplitudes ``a_n = 2 |h_n| = 2 / |tc / T1 + 2 pi i n|``, shape (n,).

    Parameters
    ----------
    order : ndarray, shape (n,)
        Harmonics n >= 1.
    cycle_over_relaxation : float
        tc / T1.
    """
    return 2.0 / np.hypot(cycle_over_relaxation, 2.0 * pi * order)


def information_sum(cycle_over_relaxation: float, knee_cycles: float) -> float:
    """``Sum_n a_n^2 / (1 + k / n)`` over all harmonics n >= 1, exactly.

    The terms are ``n / (pi^2 (n + k)(n^2 + r^2))``, r = tc / (2 pi T1); partial
    fractions with poles -k, +ir, -ir turn the series into digamma functions.

    Parameters
    ----------
    cycle_over_relaxation : float
        tc / T1, > 0.
    knee_cycles : float
        k = knee frequency times tc, >= 0.
    """
    k, r = knee_cycles, cycle_over_relaxation / (2.0 * pi)
    real_pole = -k / (k**2 + r**2) * digamma(1.0 + k)
    complex_pair = digamma(complex(1.0, -r)) / complex(k, r)
    return float(-(real_pole + complex_pair.real) / pi**2)


def standard_error_nG(detector: Detector, lasers: Lasers, n_angles: int) -> float:
    """Standard error of the peak field at one angle, without drift, nG.

    Parameters
    ----------
    detector : Detector
    lasers : Lasers
        The cycle sets the harmonics.
    n_angles : int
        Angles that share the exposure.

    Raises
    ------
    DomainError
        No angle, or a noise, knee, cycle, relaxation or exposure out of range.
    """
    _check(detector, lasers, n_angles)
    cycle_s = 1e-3 * lasers.cycle_ms
    ratio = lasers.cycle_ms / detector.spin_relaxation_ms
    information = information_sum(ratio, detector.knee_hz * cycle_s)
    time_s = detector.exposure_s / n_angles
    return detector.noise_fT_rtHz / (NG_TO_FT * sqrt(time_s * information))


def _check(detector: Detector, lasers: Lasers, n_angles: int) -> None:
    positive = {
        "noise_fT_rtHz": detector.noise_fT_rtHz,
        "spin_relaxation_ms": detector.spin_relaxation_ms,
        "exposure_s": detector.exposure_s,
        "drift_time_s": detector.drift_time_s,
        "cycle_ms": lasers.cycle_ms,
        "n_angles": n_angles,
    }
    for name, value in positive.items():
        if not 0.0 < value < np.inf:
            raise DomainError(name, value, "> 0, finite")
    for name in ("knee_hz", "drift_fT"):
        if not 0.0 <= getattr(detector, name) < np.inf:
            raise DomainError(name, getattr(detector, name), ">= 0, finite")


def covariance_nG2(detector: Detector, lasers: Lasers, n_angles: int) -> FloatArray:
    """Covariance of the peak fields, shape (n, n), nG^2, positive definite.

    Independent matched-filter errors plus a slow drift with covariance
    ``drift^2 exp(-|t_k - t_l| / drift_time)`` between angles that are measured
    one after the other.

    Parameters
    ----------
    detector : Detector
    lasers : Lasers
    n_angles : int
        Number of angles.

    Raises
    ------
    DomainError
        See `standard_error_nG`.
    """
    variance = standard_error_nG(detector, lasers, n_angles) ** 2
    start_s = detector.exposure_s / n_angles * np.arange(n_angles)
    lag = np.abs(start_s[:, None] - start_s[None, :]) / detector.drift_time_s
    drift = (detector.drift_fT / NG_TO_FT) ** 2 * np.exp(-lag)
    return variance * np.eye(n_angles) + drift
