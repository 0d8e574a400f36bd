"""The leptonic tensor of a neutrino pair, integrated at fixed total momentum.

A pair takes q = (eps, P). With ``u^dagger u = 1`` and the pair current
``N^mu = u-bar(p1) gamma^mu (1 - gamma_5) v(p2)`` of Eq. (1), summed over helicities,

    Int d3p1 d3p2 delta4(q - p1 - p2) N^mu N^nu*
        = 2 Phi [A_q q^mu q^nu - K g^mu nu],

    Phi = 2 pi sqrt(lambda) / s,      K = (s - Sig/2 - D^2/2s) / 3,
    A_q = (1 + Sig/s - 2 D^2/s^2) / 3,

with s = q.q, Sig = m_i^2 + m_j^2, D = m_i^2 - m_j^2 and metric (+, -, -, -). The
antisymmetric term has no vector but q to be built of and integrates to zero. A
Majorana pair has the amplitude of (1, 2) minus that of (2, 1): for two couplings x
and y it adds ``delta_M Re(x y) m_i m_j g^mu nu`` to ``Re(x y*) [...]``. This is
derived step by step in docs/first-principles.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from renp_infer.errors import DomainError
from renp_infer.physics.neutrinos import Nature
from renp_infer.records import ComplexArray, FloatArray

METRIC = np.array([1.0, -1.0, -1.0, -1.0])
"""Diagonal of g^mu nu."""
_HERMITIAN = 1e-12
"""Largest element of b - b^dagger that is rounding."""


class PairStructure(NamedTuple):
    """Phi (1), K (eV^2) and A_q (1) of one ordered pair; zero below its threshold."""

    phi: FloatArray
    k: FloatArray
    a_q: FloatArray


class CurrentPair(NamedTuple):
    """Four-currents of the electron, upper indices, complex.

    Attributes
    ----------
    axial : ndarray, shape (..., 4)
        ``<p| e-bar gamma^mu gamma_5 e |e>``: (0, 2 S) for a slow electron.
    vector : ndarray, shape (..., 4)
        ``<p| e-bar gamma^mu e |e>``.
    """

    axial: Any
    vector: Any


@dataclass(frozen=True, eq=False)
class PairSums:
    """Sums over the nine ordered pairs, all that neutrinos give to any observable.

    Attributes
    ----------
    k_axial, k_mixed, k_vector : ndarray, shape (...)
        ``Sum Phi [Re(x y*) K - delta_M m_i m_j Re(x y)]`` for x y = b b, b c, c c, eV^2.
    a_axial, a_mixed, a_vector : ndarray, shape (...)
        ``Sum Phi Re(x y*) A_q``, without dimension.
    """

    k_axial: FloatArray
    k_mixed: FloatArray
    k_vector: FloatArray
    a_axial: FloatArray
    a_mixed: FloatArray
    a_vector: FloatArray


def four_momentum(epsilon: float, momentum: ArrayLike) -> FloatArray:
    """Four-momentum (eps, P), shape (..., 4), from P, shape (..., 3), eV."""
    space = np.asarray(momentum, dtype=float)
    time = np.full((*space.shape[:-1], 1), float(epsilon))
    return np.concatenate([time, space], axis=-1)


def minkowski(x: ArrayLike, y: ArrayLike) -> Any:
    """``x^mu y_mu`` over the last axis, neither conjugated."""
    return np.sum(METRIC * np.asarray(x) * np.asarray(y), axis=-1)


def pair_structure(s: ArrayLike, m_i: float, m_j: float) -> PairStructure:
    """Phi, K and A_q of one ordered pair.

    Parameters
    ----------
    s : array_like, shape (...)
        Squared invariant mass of the pair, eV^2.
    m_i, m_j : float
        Masses, eV.

    Raises
    ------
    DomainError
        If a mass is negative or not finite.
    """
    if not (0.0 <= m_i < np.inf and 0.0 <= m_j < np.inf):
        raise DomainError("pair masses", (m_i, m_j), "finite, >= 0")
    given, least = np.asarray(s, dtype=float), (m_i + m_j) ** 2
    inside = given > least
    safe = np.where(inside, given, 1.0 + least)
    root = np.sqrt((safe - least) * (safe - (m_i - m_j) ** 2))
    total, difference = m_i**2 + m_j**2, (m_i - m_j) * (m_i + m_j)
    phi = 2.0 * np.pi * root / safe
    k = (safe - 0.5 * total - 0.5 * difference**2 / safe) / 3.0
    a_q = (1.0 + total / safe - 2.0 * (difference / safe) ** 2) / 3.0
    return PairStructure(*(np.where(inside, value, 0.0) for value in (phi, k, a_q)))


def pair_sums(
    s: ArrayLike, masses_eV: ArrayLike, b: ComplexArray, c: ComplexArray, nature: Nature
) -> PairSums:
    """Sums over the nine ordered pairs.

    The sum over (i, j) and (j, i) is real for Hermitian couplings: no term odd in
    their CP phases is left, whatever the electron's currents are.

    Parameters
    ----------
    s : array_like, shape (...)
        ``eps^2 - P^2``, eV^2.
    masses_eV : array_like, shape (3,)
    b, c : ndarray, shape (3, 3)
        Axial and vector couplings, Eq. (3); Hermitian.
    nature : {"dirac", "majorana"}

    Raises
    ------
    DomainError
        A coupling that is not Hermitian, an unknown nature, or a negative mass.
    """
    if nature not in ("dirac", "majorana"):
        raise DomainError("nature", nature, "dirac, majorana")
    for name, matrix in (("b", b), ("c", c)):
        if not np.max(np.abs(matrix - matrix.conj().T)) < _HERMITIAN:
            raise DomainError(name, matrix.tolist(), "a Hermitian matrix")
    masses = np.asarray(masses_eV, dtype=float)
    products = {"axial": (b, b), "mixed": (b, c), "vector": (c, c)}
    shape = np.shape(s)
    found = {f"{kind}_{name}": np.zeros(shape) for kind in "ka" for name in products}
    for i, j in np.ndindex(len(masses), len(masses)):
        pair = pair_structure(s, float(masses[i]), float(masses[j]))
        exchange = masses[i] * masses[j] if nature == "majorana" else 0.0
        for name, (x, y) in products.items():
            weight, swapped = (x[i, j] * y[i, j].conj()).real, (x[i, j] * y[i, j]).real
            found[f"k_{name}"] += pair.phi * (weight * pair.k - exchange * swapped)
            found[f"a_{name}"] += pair.phi * (weight * pair.a_q)
    return PairSums(**found)


def contraction(k: ArrayLike, a_q: ArrayLike, q: FloatArray, x: ArrayLike, y: ArrayLike) -> Any:
    """``x*_mu y_nu [A_q q^mu q^nu - K g^mu nu]``, complex, shape (...).

    Parameters
    ----------
    k, a_q : array_like, shape (...)
        With Phi and weights in, as in `PairSums`.
    q : ndarray, shape (..., 4)
    x, y : array_like, shape (..., 4), complex
        Four-currents with upper indices.
    """
    conjugate = np.conj(x)
    along = minkowski(q, conjugate) * minkowski(q, y)
    return np.asarray(a_q) * along - np.asarray(k) * minkowski(conjugate, y)


def even_form(sums: PairSums, q: FloatArray, x: CurrentPair, y: CurrentPair) -> Any:
    """Axial-axial and vector-vector part of ``Sum_ij Int (x.N)* (y.N)``, shape (...).

    Parameters
    ----------
    sums : PairSums
    q : ndarray, shape (..., 4)
    x, y : CurrentPair
    """
    axial = contraction(sums.k_axial, sums.a_axial, q, x.axial, y.axial)
    vector = contraction(sums.k_vector, sums.a_vector, q, x.vector, y.vector)
    return 2.0 * (axial + vector)


def odd_form(sums: PairSums, q: FloatArray, x: CurrentPair, y: CurrentPair) -> Any:
    """Axial-vector interference of the same; negative, since J = c V - b A, Eq. (1)."""
    one = contraction(sums.k_mixed, sums.a_mixed, q, x.axial, y.vector)
    other = contraction(sums.k_mixed, sums.a_mixed, q, x.vector, y.axial)
    return -2.0 * (one + other)


def spin_velocity_density(
    pair: PairStructure,
    epsilon: float,
    momentum: ArrayLike,
    spin: ArrayLike,
    velocity: ArrayLike,
    *,
    conserved: bool,
) -> Any:
    """What the interference of spin and velocity is folded with, Re(b c*) = 1, eV^2.

    ``Phi {K S.v + A_q P.S (P.v - eps V0)}``: with V0 = 0 ("spatial") the integrand of
    Eq. (54) in three dimensions; with V0 = P.v/eps ("conserved") the second term is zero.

    Parameters
    ----------
    pair : PairStructure
    epsilon : float
        Energy of the pair, eV.
    momentum : array_like, shape (..., 3)
        P, eV.
    spin, velocity : array_like, shape (3,), complex
        S and v; S . v* is taken.
    conserved : bool
    """
    space, s_vector = np.asarray(momentum, dtype=float), np.asarray(spin)
    v_conj = np.conj(velocity)
    along_v = space @ v_conj
    charge = along_v / epsilon if conserved else 0.0
    mixed = (space @ s_vector) * (along_v - epsilon * charge)
    return pair.phi * (pair.k * (s_vector @ v_conj) + pair.a_q * mixed).real
