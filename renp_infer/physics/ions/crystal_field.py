"""Stark levels of 4f^n in a site of symmetry S4: energies, compositions, g factors.

``H = Sum F O + Sum B_k0 C^k_0 + Sum_(k = 4, 6) (B_k4 C^k_-4 + B_k4* C^k_4)``, free-ion
parameters F with their angular operators O, crystal-field parameters B in the
normalisation of Wybourne. S4 conserves M modulo 4, so H has four blocks. All
energies here are in 1/cm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from renp_infer.errors import DomainError
from renp_infer.physics.ions.shell import Shell, cartesian
from renp_infer.records import ComplexArray, FloatArray

ELECTRON_G = 2.00231930436
"""g factor of the electron spin, CODATA 2022."""
_DEGENERATE = 1e-5
"""States closer than this, 1/cm, are one Stark level."""
_SMALLEST_SHARE = 5e-5
"""Smallest probability that a composition lists."""


@dataclass(frozen=True)
class Stark:
    """One Stark level.

    Attributes
    ----------
    term : str
        Manifold after its largest free-ion component, such as "2H(2)11/2".
    j : float
    energy : float
        Above the ground level, 1/cm.
    irrep : str
        Of S4 (or its double group): Gamma1, 2, 34; 56, 78.
    states : ndarray, shape (n, degeneracy), complex
        Eigenvectors, each with M of one class modulo 4.
    classes : tuple of float
        M modulo 4 of each state, from -1.5 to 2.
    composition : dict
        Probability of ``M = +-m`` by m, summed over both signs and, of the other
        manifolds, over J; the mean over the states.
    g_parallel, g_perp : float
        g factors of a doublet, along and across the c axis; 0 for a singlet.
    """

    term: str
    j: float
    energy: float
    irrep: str
    states: ComplexArray
    classes: tuple[float, ...]
    composition: dict[float, float]
    g_parallel: float
    g_perp: float


def hamiltonian(
    shell: Shell, free_ion: Mapping[str, float], field: Mapping[str, complex]
) -> ComplexArray:
    """Matrix of H, shape (n, n), 1/cm.

    Parameters
    ----------
    shell : Shell
    free_ion : mapping
        Values by dieke's names of the operators: F2, F4, F6, ZETA, ALPHA, ...
    field : mapping
        B20, B40, B60, B44, B64; the last two may be complex.

    Raises
    ------
    DomainError
        A parameter without an operator in this shell.
    """
    matrix = np.zeros((len(shell.m), len(shell.m)), dtype=complex)
    for name, value in free_ion.items():
        if name not in shell.free_ion:
            raise DomainError("free_ion", name, ", ".join(shell.free_ion))
        matrix += value * shell.free_ion[name]
    for name, strength in field.items():
        k, q = int(name[1]), int(name[2])
        if q == 0:
            matrix += np.real(strength) * shell.tensors[k, 0]
        else:
            matrix += strength * shell.tensors[k, -q] + np.conj(strength) * shell.tensors[k, q]
    return matrix


def diagonalise(matrix: ComplexArray, m: FloatArray) -> tuple[FloatArray, ComplexArray, FloatArray]:
    """Energies above the lowest, eigenvectors, and their M modulo 4.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
    m : ndarray, shape (n,)

    Returns
    -------
    energies : ndarray, shape (n,), 1/cm
    vectors : ndarray, shape (n, n)
    classes : ndarray, shape (n,)
        From -1.5 to 2.

    Raises
    ------
    DomainError
        The matrix does not conserve M modulo 4.
    """
    classes = 2.0 - (2.0 - m) % 4.0
    mixed = float(np.max(np.abs(matrix * (classes[:, None] != classes[None, :])), initial=0.0))
    if mixed > _DEGENERATE:
        raise DomainError("H between classes of M modulo 4, 1/cm", mixed, "0: symmetry S4")
    energies, vectors = np.empty(len(m)), np.zeros_like(matrix)
    for value in np.unique(classes):
        inside = np.flatnonzero(classes == value)
        energies[inside], block = np.linalg.eigh(matrix[np.ix_(inside, inside)])
        vectors[np.ix_(inside, inside)] = block
    order = np.argsort(energies, kind="stable")
    return energies[order] - energies[order[0]], vectors[:, order], classes[order]


def stark_levels(
    shell: Shell, free_ion: Mapping[str, float], field: Mapping[str, complex]
) -> list[Stark]:
    """All Stark levels of the shell by energy; see `hamiltonian`.

    Raises
    ------
    DomainError
        See `hamiltonian` and `diagonalise`.
    """
    energies, vectors, classes = diagonalise(hamiltonian(shell, free_ion, field), shell.m)
    names = _manifolds(shell, free_ion, vectors)
    found, start = [], 0
    while start < len(energies):
        stop = start + 1
        while stop < len(energies) and energies[stop] - energies[start] < _DEGENERATE:
            stop += 1
        part = slice(start, stop)
        (term, j) = names[start]
        found.append(_stark(shell, term, j, energies[start], vectors[:, part], classes[part]))
        start = stop
    return found


def _manifolds(
    shell: Shell, free_ion: Mapping[str, float], vectors: ComplexArray
) -> list[tuple[str, float]]:
    """Term and J of the manifold of each state.

    A manifold has the 2 J + 1 places of one free-ion level; states take places so
    that the sum of their overlaps with the levels is largest.
    """
    energies, free, _ = diagonalise(hamiltonian(shell, free_ion, {}), shell.m)
    starts = [0, *(np.flatnonzero(np.diff(energies) > _DEGENERATE) + 1)]
    sizes = np.diff([*starts, len(energies)])
    overlaps = np.add.reduceat(np.abs(free.conj().T @ vectors) ** 2, starts, axis=0)
    home = np.repeat(np.arange(len(sizes)), sizes)
    places, states = scipy.optimize.linear_sum_assignment(overlaps[home], maximize=True)
    names = _names(shell, free, starts, sizes)
    found = dict(zip(states, places, strict=True))
    return [names[home[found[k]]] for k in range(len(energies))]


def _names(
    shell: Shell, free: ComplexArray, starts: list[int], sizes: NDArray[np.intp]
) -> list[tuple[str, float]]:
    """Term and J of each free-ion level: each term once, with the largest overlaps."""
    terms = np.unique(shell.terms)
    members = np.array(shell.terms)[None, :] == terms[:, None]
    shares = members.astype(float) @ np.add.reduceat(np.abs(free) ** 2, starts, axis=1)
    rows, columns = scipy.optimize.linear_sum_assignment(shares, maximize=True)
    names = dict(zip(columns, terms[rows], strict=True))
    return [(str(names[k]), float(size - 1) / 2.0) for k, size in enumerate(sizes)]


def _stark(
    shell: Shell, term: str, j: float, energy: float, states: ComplexArray, classes: FloatArray
) -> Stark:
    shares = np.mean(np.abs(states) ** 2, axis=1)
    sizes = np.abs(shell.m)
    composition = {float(m): float(shares[sizes == m].sum()) for m in np.unique(sizes)}
    g_parallel, g_perp = g_factors(shell, states)
    return Stark(
        term=term,
        j=j,
        energy=float(energy),
        irrep=irrep(float(classes[0])),
        states=states,
        classes=tuple(float(c) for c in classes),
        composition={m: p for m, p in composition.items() if p > _SMALLEST_SHARE and m <= j},
        g_parallel=g_parallel,
        g_perp=g_perp,
    )


def irrep(m_class: float) -> str:
    """Irreducible representation of S4 of a state with ``M = m_class`` modulo 4."""
    names = {0.0: "Gamma1", 2.0: "Gamma2", 1.0: "Gamma34", 0.5: "Gamma56", 1.5: "Gamma78"}
    return names[abs(m_class)]


def moment(shell: Shell) -> Any:
    """L + g_s S, components x, y, z, shape (3, n, n), in mu_B."""
    return cartesian(shell.orbital + ELECTRON_G * shell.spin)


def g_factors(shell: Shell, states: ComplexArray) -> tuple[float, float]:
    """G factors along and across the c axis of an effective spin 1/2.

    ``g_a^2 = 2 Tr mu_a^2`` over the two states; 0 for a singlet.

    Parameters
    ----------
    shell : Shell
    states : ndarray, shape (n, degeneracy)
    """
    if states.shape[1] != 2:
        return 0.0, 0.0
    inside = states.conj().T @ moment(shell) @ states
    x, y, z = (2.0 * float(np.sum(np.abs(block) ** 2)) for block in inside)
    return sqrt(z), sqrt((x + y) / 2.0)


def time_reversed(shell: Shell, states: ComplexArray) -> ComplexArray:
    """``T|J, M> = (-1)^(J+M) |J, -M>`` with complex conjugation, Eq. (31).

    Parameters
    ----------
    shell : Shell
    states : ndarray, shape (n, k)
    """
    partner = {(t, m): i for i, (t, m) in enumerate(zip(shell.terms, shell.m, strict=True))}
    targets = [partner[t, -m] for t, m in zip(shell.terms, shell.m, strict=True)]
    reversed_states = np.empty_like(states)
    signs = np.where((shell.j + shell.m) % 2 == 0, 1.0, -1.0)
    reversed_states[targets] = signs[:, None] * states.conj()
    return reversed_states


def find_level(levels: list[Stark], name: str, stark: int) -> Stark:
    """The ``stark``-th level, from 1, of a manifold.

    Parameters
    ----------
    levels : list of Stark
    name : str
        Manifold with or without its seniority index: "2H(2)11/2" or "2H11/2", which
        is the lowest of that name.
    stark : int

    Raises
    ------
    DomainError
        No such manifold or level.
    """
    inside = manifold(levels, name)
    if not 1 <= stark <= len(inside):
        raise DomainError(f"stark level of {name}", stark, f"1 to {len(inside)}")
    return inside[stark - 1]


def manifold(levels: list[Stark], name: str) -> list[Stark]:
    """All Stark levels of a manifold by energy; see `find_level`."""
    short = {level.term: level.term[:2] + level.term.partition(")")[2] for level in levels}
    terms = [level.term for level in levels if name in (level.term, short[level.term])]
    if not terms:
        raise DomainError("manifold", name, ", ".join(dict.fromkeys(short.values())))
    return [level for level in levels if level.term == terms[0]]
