"""Interference of spin and velocity currents by neutrino helicity, Eqs. (45)-(49).

For plane waves of given helicity, 1 the antineutrino and 2 the neutrino,

    I_PV = C1~ v.S + C2~ (p1^.v p2^.S + p1^.S p2^.v),

plus T-odd terms. The coefficients are given twice: as printed, and from
explicit Dirac spinors. For Dirac neutrinos both are the same. For Majorana
neutrinos the paper subtracts m1 m2 / 16 E1 E2 for each of the four helicity
combinations; the spinors have the amplitude M(1, 2) - M(2, 1) instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.records import ComplexArray, FloatArray

HELICITIES = ((1, -1), (1, 1), (-1, 1), (-1, -1))
"""(h1, h2) in the order of Tables II and III."""
PRINTED_EXCHANGE = 1.0 / 16.0
"""Coefficient of the Majorana term in Eq. (45)."""

_PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=complex)
_ZERO, _ONE = np.zeros((2, 2)), np.eye(2)
_GAMMA = np.array([np.block([[_ZERO, s], [-s, _ZERO]]) for s in _PAULI])
_GAMMA0 = np.block([[_ZERO, _ONE], [_ONE, _ZERO]])
_LEFT = np.diag([2.0, 2.0, 0.0, 0.0])
"""1 - gamma_5 in the chiral basis."""


@dataclass(frozen=True)
class Pair:
    """Kinematics of a pair.

    Attributes
    ----------
    p1, p2 : float
        Moduli of the momenta of antineutrino and neutrino, eV.
    m1, m2 : float
        Masses, eV.
    cosine : float
        Cosine of the opening angle, Eq. (47).
    """

    p1: float
    p2: float
    m1: float
    m2: float
    cosine: float

    def __post_init__(self) -> None:
        for name in ("p1", "p2", "m1", "m2"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise DomainError(name, getattr(self, name), ">= 0, finite")
        if not abs(self.cosine) < 1.0:
            raise DomainError("cosine", self.cosine, "between -1 and 1, excluded")

    @property
    def energies(self) -> tuple[float, float]:
        """E1, E2 in eV."""
        return float(np.hypot(self.p1, self.m1)), float(np.hypot(self.p2, self.m2))


def printed_coefficients(
    pair: Pair, h1: int, h2: int, exchange: float = 0.0
) -> tuple[float, float]:
    """C1~ and C2~ as in Eqs. (45), (46) and the definition in Table II.

    Parameters
    ----------
    pair : Pair
    h1, h2 : int
        Helicities +1 or -1 of antineutrino and neutrino.
    exchange : float
        ``PRINTED_EXCHANGE`` for Majorana neutrinos, 0 for Dirac neutrinos.
    """
    e1, e2 = pair.energies
    product = 0.25 * (1.0 + h1 * pair.p1 / e1) * (1.0 - h2 * pair.p2 / e2)
    product -= exchange * pair.m1 * pair.m2 / (e1 * e2)
    return product * (1.0 + h1 * h2 * pair.cosine), -h1 * h2 * product


def spinor_coefficients(
    pair: Pair, h1: int, h2: int, majorana: bool = False
) -> tuple[float, float]:
    """C1~ and C2~ from explicit spinors.

    The normalisation is that of Eq. (46): the four Dirac combinations of C1~ add
    up to 1 - p1.p2 / E1 E2. A Majorana pair is counted once, by half the square
    of the antisymmetric amplitude, for a real coupling b_ij = b_ji.

    Parameters
    ----------
    pair : Pair
    h1, h2 : int
        Helicities +1 or -1.
    majorana : bool
    """
    turn = np.arccos(pair.cosine)
    axis1, axis2 = np.array([0.0, 0.0, 1.0]), np.array([np.sin(turn), 0.0, np.cos(turn)])
    u1, u2 = _spinor(pair.p1, pair.m1, axis1, h1), _spinor(pair.p2, pair.m2, axis2, h2)
    current, share = _current(u2, _conjugate(u1)), 0.5
    if majorana:
        current, share = current - _current(u1, _conjugate(u2)), 0.25
    tensor = share * np.outer(current, current.conj()).real
    # y is normal to both momenta: only C1~ is left there
    first = float(tensor[1, 1])
    mixed = float(axis1 @ tensor @ axis2) - first * pair.cosine
    return first, mixed / (1.0 + pair.cosine**2)


def _spinor(p: float, m: float, axis: FloatArray, h: int) -> ComplexArray:
    """u(p, h), shape (4,), with u^dagger u = 1."""
    energy = np.hypot(p, m)
    chi = _eigenspinor(axis, h)
    parts = np.sqrt(energy - h * p) * chi, np.sqrt(energy + h * p) * chi
    return np.concatenate(parts) / np.sqrt(2.0 * energy)


def _conjugate(u: ComplexArray) -> ComplexArray:
    """V of the same momentum and helicity, -i gamma_2 u*, shape (4,)."""
    return -1j * _GAMMA[1] @ u.conj()


def _eigenspinor(axis: FloatArray, spin: int) -> ComplexArray:
    """Two-spinor with sigma.axis = spin, for an axis in the z-x plane."""
    half = 0.5 * np.arctan2(axis[0], axis[2])
    up = np.array([np.cos(half), np.sin(half)], dtype=complex)
    return up if spin > 0 else np.array([-np.sin(half), np.cos(half)], dtype=complex)


def _current(u: ComplexArray, v: ComplexArray) -> ComplexArray:
    """Spatial part of u-bar gamma (1 - gamma_5) v, shape (3,)."""
    current: ComplexArray = np.einsum("a,ab,kbc,cd,d->k", u.conj(), _GAMMA0, _GAMMA, _LEFT, v)
    return current
