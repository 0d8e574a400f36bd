"""Noise of the magnetometer: covariance of the peak field at each angle.

At every angle the field repeats with the laser cycle tc. Its amplitude, the peak
field, is read by the matched filter: harmonic n >= 1 of the cycle has amplitude
a_n and noise S(n / tc), and

    1 / sigma^2 = T Sum_n a_n^2 / S(n / tc),   S(f) = noise^2 (1 + knee / f),

S one-sided, T the angle's share of the exposure: N cycles are T = N tc. The mean
field carries nothing: its baseline is unknown. Two shapes:

constant rate
    it grows while spins relax with T1, h(t) = (1 - exp(-t / T1)) / (1 - exp(-tc / T1)),
    and is reset at the end: |chi|^2 was given as a number;
Bloch equations
    the periodic field of `renp_infer.physics.cycle.field_cycle`.
"""

from __future__ import annotations

from math import fsum, hypot, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, zeta

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.finite import faults
from renp_infer.physics.constants import NG_TO_FT
from renp_infer.physics.cycle.field_cycle import FieldCycle
from renp_infer.records import Detector, FloatArray, Lasers

INFORMATION_ERROR = 1e-4
"""Bound on the relative error of the information in a field cycle."""
SERIES_BELOW = 0.02
EULER_GAMMA = float(np.euler_gamma)


def information_sum(cycle_over_relaxation: float, knee_cycles: float) -> float:
    """``Sum_n a_n^2 / (1 + k / n)`` over all harmonics n >= 1, exactly.

    The terms are ``n / (pi^2 (n + k)(n^2 + r^2))``, r = tc / (2 pi T1); partial
    fractions with poles -k, +ir, -ir turn the series into digamma functions.
    Their residues add up to zero, so each digamma may be taken from psi(1):
    for a short cycle nothing cancels, and the sum tends to 1/6.

    Parameters
    ----------
    cycle_over_relaxation : float
        tc / T1, > 0.
    knee_cycles : float
        k = knee frequency times tc, >= 0.
    """
    k, r = knee_cycles, cycle_over_relaxation / (2.0 * pi)
    size = hypot(k, r)
    real_pole = -(k / size) * (_digamma_from_one(complex(k)).real / size)
    complex_pair = _digamma_from_one(complex(0.0, -r)) / complex(k, r)
    return float(-(real_pole + complex_pair.real) / pi**2)


def _digamma_from_one(x: complex) -> complex:
    """``psi(1 + x) - psi(1)``; the series below 0.02 errs by 1e-13 of the value."""
    if abs(x) < SERIES_BELOW:
        return x * sum(zeta(n + 2) * (-x) ** n for n in range(7))
    return complex(digamma(1.0 + x)) + EULER_GAMMA


def cycle_information(cycle: FieldCycle, knee_cycles: float) -> float:
    """``Sum_n a_n^2 / (1 + k / n)`` of a field cycle, to `INFORMATION_ERROR`.

    Beyond the last harmonic N only the sum of a_n^2 is known; the noise factor is
    between N / (N + k) and 1 there, and its mean is taken.

    Parameters
    ----------
    cycle : FieldCycle
    knee_cycles : float
        k = knee frequency times tc, >= 0.

    Raises
    ------
    ConvergenceError
        A knee far above the harmonics that carry the field.
    """
    squares = cycle.amplitudes**2
    order = np.arange(1.0, squares.size + 1.0)
    last = 1.0 / (1.0 + knee_cycles / squares.size)
    rest = max(0.0, cycle.power - float(squares.sum()))
    total = float(np.sum(squares / (1.0 + knee_cycles / order))) + 0.5 * (1.0 + last) * rest
    error = 0.5 * (1.0 - last) * rest
    if error > INFORMATION_ERROR * total:
        raise ConvergenceError("matched filter", error / total, INFORMATION_ERROR)
    return total


def standard_error_nG(
    detector: Detector, lasers: Lasers, n_angles: int, cycle: FieldCycle | None = None
) -> float:
    """Standard error of the peak field at one angle of an equal share, without drift, nG.

    Parameters
    ----------
    detector : Detector
    lasers : Lasers
        The cycle sets the harmonics.
    n_angles : int
        Angles that share the exposure.
    cycle : FieldCycle, optional
        Shape of the field where the Bloch equations give it.

    Raises
    ------
    DomainError
        No angle, a noise, knee, cycle, relaxation or exposure out of range, or
        neither a number for |chi|^2 nor a shape.
    ConvergenceError
        See `cycle_information`.
    NonFiniteError
        If the variance or its inverse is beyond floating-point numbers.
    """
    _check(detector, lasers, n_angles)
    if (lasers.chi_squared is None) != (cycle is not None):
        raise DomainError("cycle", cycle, "a field cycle if |chi|^2 is from the Bloch equations")
    with faults("sigma_nG", _causes(detector, lasers, n_angles)) as finite:
        knee_cycles = 1e-3 * detector.knee_hz * lasers.cycle_ms
        if cycle is None:
            ratio = lasers.cycle_ms / detector.spin_relaxation_ms
            information = information_sum(ratio, knee_cycles)
        else:
            information = cycle_information(cycle, knee_cycles)
        time_s = detector.exposure_s / n_angles
        error = detector.noise_fT_rtHz / (NG_TO_FT * sqrt(time_s * information))
        finite(1.0 / error**2)
        return float(finite(error))


def _causes(detector: Detector, lasers: Lasers, n_angles: int) -> dict[str, object]:
    """What the noise depends on, for errors."""
    names = ("noise_fT_rtHz", "knee_hz", "drift_fT", "drift_time_s", "spin_relaxation_ms")
    return {
        **{name: getattr(detector, name) for name in (*names, "exposure_s")},
        "cycle_ms": lasers.cycle_ms,
        "n_angles": n_angles,
    }


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


def covariance_nG2(
    detector: Detector, lasers: Lasers, n_angles: int, cycle: FieldCycle | None = None
) -> FloatArray:
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
    cycle : FieldCycle, optional
        Shape of the field where the Bloch equations give it.

    Raises
    ------
    DomainError, ConvergenceError, NonFiniteError
        See `standard_error_nG`.
    """
    variance = standard_error_nG(detector, lasers, n_angles, cycle) ** 2
    times = relative_times(detector, n_angles)
    start_s = detector.exposure_s / n_angles * (np.cumsum(times) - times)
    with faults("covariance_nG2", _causes(detector, lasers, n_angles)) as finite:
        covariance: FloatArray = finite(
            variance / times * np.eye(n_angles) + drift_nG2(detector, start_s)
        )
        return covariance


def drift_nG2(detector: Detector, start_s: NDArray[np.floating]) -> FloatArray:
    """Covariance (n, n) of the slow drift between times (n,) in s, nG^2."""
    with np.errstate(over="ignore"):  # an infinite lag has no covariance
        lag = np.abs(start_s[:, None] - start_s[None, :]) / detector.drift_time_s
    drift: FloatArray = (detector.drift_fT / NG_TO_FT) ** 2 * np.exp(-lag)
    return drift


def lags(detector: Detector, n_angles: int) -> FloatArray:
    """Time of each angle from the one before, in correlation times of the drift, shape (n,).

    That of the first is from the last.
    """
    angle_s = detector.exposure_s / n_angles
    with np.errstate(over="ignore"):  # after an infinite lag all is forgotten
        found: FloatArray = np.roll(relative_times(detector, n_angles), 1) * angle_s
        return found / detector.drift_time_s


def information_with_drift(
    field_nG: FloatArray, white_nG2: FloatArray, drift_nG2: float, lags: FloatArray
) -> float:
    """``field^T C^-1 field`` for the covariance C of `covariance_nG2`, angle by angle.

    The drift forgets: what is known of it after an angle is all that the next one needs
    (Kalman, J. Basic Eng. 82, 35 (1960)), so no matrix is made of any number of angles.

    Parameters
    ----------
    field_nG, white_nG2 : ndarray, shape (n,)
        Field, and variance of the independent errors.
    drift_nG2 : float
        Variance of the drift.
    lags : ndarray, shape (n,)
        Time from the angle before, in correlation times; the first counts for nothing.
    """
    expected, unknown, found = 0.0, drift_nG2, 0.0
    for field, white, kept in zip(field_nG, white_nG2, np.exp(-lags), strict=True):
        expected, unknown = kept * expected, kept**2 * unknown + (1.0 - kept**2) * drift_nG2
        total, surprise = unknown + white, field - expected
        found += surprise**2 / total
        expected, unknown = expected + unknown / total * surprise, unknown * white / total
    return float(found)


def variance_nG2(
    detector: Detector, lasers: Lasers, n_angles: int, cycle: FieldCycle | None = None
) -> FloatArray:
    """Variance of the peak field at every angle: the diagonal of the covariance, (n,), nG^2.

    Raises
    ------
    DomainError, NonFiniteError
        See `standard_error_nG`.
    """
    error = standard_error_nG(detector, lasers, n_angles, cycle)
    times = relative_times(detector, n_angles)
    return error**2 / times + (detector.drift_fT / NG_TO_FT) ** 2


def relative_times(detector: Detector, n_angles: int) -> FloatArray:
    """Time at each angle by that of an equal share, shape (n,); exactly 1 for equal shares.

    Raises
    ------
    DomainError
        Another number of shares than angles, or one that is not > 0.
    """
    if detector.exposure_shares is None:
        return np.ones(n_angles)
    shares = np.array(detector.exposure_shares)
    if shares.shape != (n_angles,) or not np.all((shares > 0.0) & np.isfinite(shares)):
        allowed = f"{n_angles} finite numbers > 0"
        raise DomainError("exposure_shares", detector.exposure_shares, allowed)
    return n_angles * shares / fsum(shares)
