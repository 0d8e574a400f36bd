"""Mock data: a signal and its covariance turned into an observation."""

from __future__ import annotations

from typing import Literal

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.finite import require_finite
from renp_infer.records import FloatArray, Observation


def observe(
    signal_nG: FloatArray,
    theta_s: FloatArray,
    covariance_nG2: FloatArray,
    rng: np.random.Generator,
    noise: Literal["drawn", "none"] = "drawn",
    normalised: bool = False,
) -> Observation:
    """Measure a signal once.

    Parameters
    ----------
    signal_nG : ndarray, shape (n,)
        Expected field.
    theta_s : ndarray, shape (n,)
        Trigger angles, rad.
    covariance_nG2 : ndarray, shape (n, n)
        Covariance of the noise, positive definite.
    rng : numpy.random.Generator
        Source of the noise; one standard normal is used per angle, and none
        for ``noise="none"``.
    noise : {"drawn", "none"}
        "none" returns the expected field itself (Asimov data).
    normalised : bool
        Whether the covariance was scaled to a reference signal-to-noise.

    Raises
    ------
    DomainError
        Shapes that do not match, or a covariance that is not positive definite.
    NonFiniteError
        A signal or covariance that is not finite.
    """
    signal = np.array(signal_nG, dtype=float)
    covariance = np.array(covariance_nG2, dtype=float)
    angles = np.array(theta_s, dtype=float)
    if signal.ndim != 1 or angles.shape != signal.shape:
        raise DomainError("shape of theta_s", angles.shape, f"that of signal_nG, {signal.shape}")
    if covariance.shape != 2 * signal.shape:
        raise DomainError("shape of covariance_nG2", covariance.shape, "(n, n) for n angles")
    require_finite("signal_nG", signal, {}, angles)
    require_finite("covariance_nG2", covariance, {}, angles)
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        smallest = float(np.linalg.eigvalsh(covariance)[0])
        raise DomainError("eigenvalue of covariance_nG2", smallest, "> 0") from None
    if noise == "drawn":
        signal += factor @ rng.standard_normal(signal.size)
    return Observation(angles, signal, covariance, normalised)
