"""Rates of emission in closed form, and the general one: what moments are held against."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from renp_infer.physics.constants import (
    BOHR_MAGNETON_PER_EV,
    EV2_TO_NG,
    PER_CM3_TO_EV3,
)
from renp_infer.physics.pairs.pair_tensor import PairSums, even_form, four_momentum, odd_form
from renp_infer.physics.signal.currents import Channels, Currents
from renp_infer.physics.signal.emission import Emitters, partners
from renp_infer.records import ComplexArray, FloatArray


def event_rate_per_s(
    ensemble: Emitters,
    currents: Currents,
    sums: PairSums,
    momentum: ArrayLike,
    laser_phase: float | None = None,
) -> FloatArray:
    """Event rate of unpolarised ions, shape (...), 1/s.

    Between a singlet and a doublet twice as large; between two singlets twice the
    average over phases.

    Parameters
    ----------
    ensemble : Emitters
    currents : Currents
    sums : PairSums
        At the same momenta.
    momentum : array_like, shape (..., 3)
        P, eV.
    laser_phase : float, optional
        Half the relative phase of the partners' coherences, rad; by default the
        average over it. Means nothing for two singlets.
    """
    along = np.asarray(momentum, dtype=float) @ currents.spin
    size, square = float(np.sum(np.abs(currents.spin) ** 2)), np.abs(along) ** 2
    if laser_phase is not None and currents.doublets > 0:
        turn = np.exp(-2j * laser_phase)
        size = size - float((turn * (currents.spin @ currents.spin)).real)
        square = square - (turn * along**2).real
    bracket = sums.k_axial * size + sums.a_axial * square
    return np.asarray(2.0 * partners(currents) * ensemble.scale_per_s_eV2 * bracket)


def conserving_moment_rate_muB_per_s(
    currents: Currents, event_rate: FloatArray, polarisation: float
) -> FloatArray:
    """Parity-conserving dM/dt of a polarised target, ``2 p delta_mu Gamma``, mu_B/s.

    Even in P. Exact with Gamma the phase-averaged rate at p = 0, whatever the phase.

    Parameters
    ----------
    currents : Currents
        Two doublets.
    event_rate : ndarray, shape (...)
        Phase-averaged rate without polarisation, 1/s.
    polarisation : float
        p = (n_+ - n_-)/n.
    """
    return np.asarray(2.0 * polarisation * currents.delta_mu * event_rate)


def field_rate_nG_per_s(
    moment_rate_muB_per_s: FloatArray, volume_cm3: float, coupling: float
) -> FloatArray:
    """``dB/dt = xi (dM/dt) / V``, shape (...), nG/s.

    Parameters
    ----------
    moment_rate_muB_per_s : ndarray, shape (...)
    volume_cm3 : float
    coupling : float
        xi, the field at the detector over that inside a needle of this magnetization.
    """
    natural = moment_rate_muB_per_s * BOHR_MAGNETON_PER_EV * PER_CM3_TO_EV3 / volume_cm3
    return np.asarray(coupling * natural * EV2_TO_NG)


def general_rate_per_s(
    ensemble: Emitters,
    channels: Channels,
    ladder: ComplexArray,
    sums: PairSums,
    epsilon: float,
    momentum: ArrayLike,
) -> FloatArray:
    """Event rate for any doublets or singlets and any light, shape (...), 1/s.

    ``(kappa/2) T_mn <J^m>* <J^n>``, vector-vector part and interference included.

    Parameters
    ----------
    ensemble : Emitters
    channels : Channels
    ladder : ndarray, shape (n_e, n_p)
        <X> = rho_L Tr(ladder X).
    sums, epsilon, momentum
        See `emission.moment_rate_muB_per_s`.
    """
    q = four_momentum(epsilon, momentum)
    mean = channels.mean(ladder, epsilon, momentum)
    total = even_form(sums, q, mean, mean) + odd_form(sums, q, mean, mean)
    return np.asarray(0.5 * ensemble.scale_per_s_eV2 * total.real)
