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
    ELECTRON_MASS_EV,
    EV_TO_PER_S,
    FERMI_CONSTANT_PER_EV2,
    PER_CM3_TO_EV3,
)
from renp_infer.physics.pairs.pair_tensor import (
    PairSums,
    even_form,
    four_momentum,
    odd_form,
)
from renp_infer.physics.signal.currents import Channels, Currents
from renp_infer.records import ComplexArray, FloatArray


@dataclass(frozen=True)
class Emitters:
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


def partners(currents: Currents) -> float:
    """Emission over that of two doublets: each has half the coherent ions per partner."""
    return 1.0 if currents.doublets == 2 else 2.0


def moment_rate_muB_per_s(
    ensemble: Emitters,
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
    ensemble : Emitters
    currents : Currents
    sums : PairSums
        At the same momenta.
    epsilon : float
        Energy of the pair, eV.
    momentum : array_like, shape (..., 3)
    """
    along = np.asarray(momentum, dtype=float) @ currents.handedness(epsilon)
    growth = -ensemble.scale_per_s_eV2 / ELECTRON_MASS_EV * partners(currents)
    return np.asarray(growth * currents.delta_mu * along * sums.k_mixed)


def general_moment_rate_muB_per_s(
    ensemble: Emitters,
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
