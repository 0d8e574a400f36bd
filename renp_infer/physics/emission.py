"""Event rate, moment and field of coherent pair emission, from the weak Hamiltonian.

For N ions in a volume V, each with the coherence rho_L between e and p, a crystal
much larger than a wavelength (P is what the lasers leave), unpolarised doublets:

    Gamma = kappa 2 { k_axial (|S|^2 - Re e^{-2i phi} S.S)
                      + a_axial (|P.S|^2 - Re e^{-2i phi} (P.S)^2) },
    dM/dt = -(kappa/m_e) delta_mu mu_B  h.P  k_mixed,      h: `Currents.handedness`
    dB/dt = xi (dM/dt) / V,
    kappa = G_F^2 N^2 |rho_L|^2 / (4 pi^2 V hbar),

with the sums of `PairSums`. In dM/dt only what is odd in P is left: Kramers partners
emit as Gamma_-(P) = Gamma_+(-P), so the spin-velocity interference cancels between
them. M is in the sign of L + 2 S, as delta_mu is: electrons being negative, the field
points the other way. Fields and moments are in Heaviside-Lorentz units: B = M/V inside
a long needle, where Gauss has 4 pi M/V.

The closed rate drops the interference of S with v, below 3e-6 of it, and |v|^2 and
|V_mag|^2, 2e-12; axial charge and retardation, which inversion partners cancel; and
relativity of the 4f electrons, 1e-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from renp_infer.errors import DomainError
from renp_infer.physics.constants import (
    BOHR_MAGNETON_PER_EV,
    ELECTRON_MASS_EV,
    EV2_TO_NG,
    EV_TO_PER_S,
    FERMI_CONSTANT_PER_EV2,
    PER_CM3_TO_EV3,
)
from renp_infer.physics.currents import Channels, Currents
from renp_infer.physics.pair_tensor import (
    PairSums,
    even_form,
    four_momentum,
    odd_form,
)
from renp_infer.records import ComplexArray, FloatArray


@dataclass(frozen=True)
class Ensemble:
    """Ions that emit together.

    Attributes
    ----------
    ions : float
        N, all of them, whatever their partner.
    volume_cm3 : float
    coherence_squared : float
        |rho_L|^2 of one ion between e and p, at most 1/4.

    Raises
    ------
    DomainError
        A value out of its range.
    """

    ions: float
    volume_cm3: float
    coherence_squared: float

    def __post_init__(self) -> None:
        for name in ("ions", "volume_cm3"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise DomainError(name, getattr(self, name), "> 0, finite")
        if not 0.0 <= self.coherence_squared <= 0.25:
            allowed = "from 0 to 1/4: a pure superposition has 1/2 of each"
            raise DomainError("coherence_squared", self.coherence_squared, allowed)

    @property
    def volume(self) -> float:
        """V in 1/eV^3."""
        return self.volume_cm3 / PER_CM3_TO_EV3

    @property
    def scale_per_s_eV2(self) -> float:
        """``G_F^2 N^2 |rho_L|^2 / (4 pi^2 V hbar)``, 1/(s eV^2)."""
        ions = (FERMI_CONSTANT_PER_EV2 * self.ions) ** 2 * self.coherence_squared
        return ions / (4.0 * pi**2 * self.volume) * EV_TO_PER_S


def event_rate_per_s(
    ensemble: Ensemble,
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
    ensemble : Ensemble
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
    return np.asarray(2.0 * _partners(currents) * ensemble.scale_per_s_eV2 * bracket)


def _partners(currents: Currents) -> float:
    """Emission over that of two doublets: each has half the coherent ions per partner."""
    return 1.0 if currents.doublets == 2 else 2.0


def moment_rate_muB_per_s(
    ensemble: Ensemble,
    currents: Currents,
    sums: PairSums,
    epsilon: float,
    momentum: ArrayLike,
) -> FloatArray:
    """Parity-violating dM/dt along ``currents.axis``, shape (...), mu_B/s.

    Axial current times weak magnetism and quadrupole; odd in P. Nothing is averaged:
    the phase of the lasers drops out for states of definite moment.

    Parameters
    ----------
    ensemble, currents, sums
        See `event_rate_per_s`.
    epsilon : float
        Energy of the pair, eV.
    momentum : array_like, shape (..., 3)
    """
    along = np.asarray(momentum, dtype=float) @ currents.handedness(epsilon)
    growth = -ensemble.scale_per_s_eV2 / ELECTRON_MASS_EV * _partners(currents)
    return np.asarray(growth * currents.delta_mu * along * sums.k_mixed)


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

    Raises
    ------
    DomainError
        A polarisation beyond -1 or 1, or levels that are not two doublets.
    """
    if not -1.0 <= polarisation <= 1.0:
        raise DomainError("polarisation", polarisation, "from -1 to 1")
    if currents.doublets != 2:
        raise DomainError("doublets", currents.doublets, "2: singlets are not polarised")
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
    ensemble: Ensemble,
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
    ensemble : Ensemble
    channels : Channels
    ladder : ndarray, shape (n_e, n_p)
        <X> = rho_L Tr(ladder X).
    sums, epsilon, momentum
        See `moment_rate_muB_per_s`.
    """
    q = four_momentum(epsilon, momentum)
    mean = channels.mean(ladder, epsilon, momentum)
    total = even_form(sums, q, mean, mean) + odd_form(sums, q, mean, mean)
    return np.asarray(0.5 * ensemble.scale_per_s_eV2 * total.real)


def general_moment_rate_muB_per_s(
    ensemble: Ensemble,
    channels: Channels,
    ladder: ComplexArray,
    sums: PairSums,
    epsilon: float,
    momentum: ArrayLike,
) -> tuple[Any, Any]:
    """dM_k/dt for any doublets and any light: parity-violating and conserving part.

    ``(kappa/2) Re T_mn <J^m>* <[m_k, J^n]>``.

    Returns
    -------
    violating, conserving : ndarray, shape (..., 3)
        mu_B/s.
    """
    q = four_momentum(epsilon, momentum)
    mean, scale = channels.mean(ladder, epsilon, momentum), 0.5 * ensemble.scale_per_s_eV2
    changes = [channels.mean_change(ladder, k, epsilon, momentum) for k in range(3)]
    violating = [scale * odd_form(sums, q, mean, change).real for change in changes]
    conserving = [scale * even_form(sums, q, mean, change).real for change in changes]
    return np.stack(violating, axis=-1), np.stack(conserving, axis=-1)
