"""Radiative rates between manifolds, and the spin current between Stark levels.

Rates are those of whole manifolds, as in Table I: mean over the states of the upper
one, sum over the lower one, in a medium of refractive index n,

    MD = n^3 eps^3 mu_B^2 / 3 pi                  <|(L + g_s S)|^2>,
    ED = n (n^2 + 2)^2 / 9  eps^3 e^2 / 3 pi      <Sum_k Omega_k |U^k|^2>,

the latter with Judd-Ofelt intensities Omega_k (Judd 1962, Ofelt 1962).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi

import numpy as np

from renp_infer.physics.constants import (
    BOHR_MAGNETON_PER_EV,
    CHARGE,
    CM_TO_PER_EV,
    EV_TO_PER_S,
)
from renp_infer.physics.ions.crystal_field import ELECTRON_G, Stark
from renp_infer.physics.ions.shell import RANKS, Shell
from renp_infer.physics.targets.matrix_elements import three_j
from renp_infer.records import ComplexArray, FloatArray


@dataclass(frozen=True)
class Current:
    """``Sum |<lower|S_q|upper>|^2``: over the lower states, mean over the upper ones.

    Attributes
    ----------
    longitudinal, transverse : float
        Components q = 0, along the c axis, and q = +-1.
    """

    longitudinal: float
    transverse: float

    @property
    def total(self) -> float:
        """S^2, both components."""
        return self.longitudinal + self.transverse


def _states(levels: list[Stark]) -> ComplexArray:
    return np.hstack([level.states for level in levels])


def md_strength(shell: Shell, upper: list[Stark], lower: list[Stark]) -> float:
    """``Sum |<lower|L + g_s S|upper>|^2`` over lower states, mean over upper, mu_B^2."""
    a, b = _states(upper), _states(lower)
    elements = b.conj().T @ (shell.orbital + ELECTRON_G * shell.spin) @ a
    return float(np.sum(np.abs(elements) ** 2)) / a.shape[1]


def unit_strengths(shell: Shell, upper: list[Stark], lower: list[Stark]) -> dict[int, float]:
    """Squared reduced elements ``|<lower||U^k||upper>|^2`` by rank k."""
    a, b = _states(upper), _states(lower)
    found = {}
    for k in RANKS:
        single = 49.0 * three_j(3.0, k, 3.0, 0.0, 0.0, 0.0) ** 2  # <3||C^k||3>^2
        total = sum(
            np.sum(np.abs(b.conj().T @ shell.tensors[k, q] @ a) ** 2) for q in range(-k, k + 1)
        )
        found[k] = float(total) / single
    return found


def md_rate_per_s[Value: (float, FloatArray)](
    strength: Value, energy: Value, index: float
) -> Value:
    """Magnetic dipole rate, 1/s.

    Parameters
    ----------
    strength : float or ndarray
        See `md_strength`.
    energy : float or ndarray
        Transition energy, eV.
    index : float
        Refractive index.
    """
    vacuum = energy**3 * BOHR_MAGNETON_PER_EV**2 / (3.0 * pi) * strength
    return index**3 * vacuum * EV_TO_PER_S


def ed_rate_per_s(
    units: Mapping[int, float],
    omega_cm2: Mapping[int, float],
    j: float,
    energy: float,
    index: float,
) -> float:
    """Forced electric dipole rate of Judd and Ofelt, 1/s.

    Parameters
    ----------
    units : mapping
        ``|U^k|^2`` by rank, see `unit_strengths`.
    omega_cm2 : mapping
        Intensities Omega_k by rank, cm^2.
    j : float
        J of the upper manifold.
    energy : float
        Transition energy, eV.
    index : float
        Refractive index.
    """
    strength = sum(omega_cm2[k] * units[k] for k in RANKS) * CM_TO_PER_EV**2 / (2.0 * j + 1.0)
    return _electric(strength, energy, index)


def strength_rate_per_s(strength_cm2: FloatArray, energy: FloatArray, index: float) -> FloatArray:
    """Rate of electric dipole strengths, 1/s.

    Parameters
    ----------
    strength_cm2 : ndarray
        ``Sum_k Omega_k |U^k|^2`` of one initial state, cm^2.
    energy : ndarray
        Transition energies, eV.
    index : float
    """
    return _electric(strength_cm2 * CM_TO_PER_EV**2, energy, index)


def _electric[Value: (float, FloatArray)](strength: Value, energy: Value, index: float) -> Value:
    local = index * (index**2 + 2.0) ** 2 / 9.0
    return local * energy**3 * CHARGE**2 / (3.0 * pi) * strength * EV_TO_PER_S


def spin_current(shell: Shell, upper: Stark, lower: Stark) -> Current:
    """S^2 between two Stark levels, from their wave functions."""
    elements = lower.states.conj().T @ shell.spin @ upper.states
    minus, zero, plus = np.sum(np.abs(elements) ** 2, axis=(1, 2)) / upper.states.shape[1]
    return Current(longitudinal=float(zero), transverse=float(minus + plus))


def allowed_components(upper: Stark, lower: Stark) -> dict[str, tuple[int, ...]]:
    """Components q of S and of the forced v that S4 allows between two levels.

    S changes M by q modulo 4. v has odd parity and needs the odd crystal field,
    which changes M by 2 modulo 4: together q + 2. So no q serves both S and v
    between the same two states: S . v* is zero for each pair.

    Returns
    -------
    dict
        "S" and "v": tuples of q from -1 to 1, over all pairs of states.
    """
    steps = {(b - a) % 4 for a in upper.classes for b in lower.classes}
    return {
        "S": tuple(q for q in (-1, 0, 1) if q % 4 in steps),
        "v": tuple(q for q in (-1, 0, 1) if (q + 2) % 4 in steps),
    }
