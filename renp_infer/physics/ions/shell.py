"""Operators of the configuration 4f^n in the basis |term J M>, from the library dieke.

dieke reads the tables of angular matrix elements of all 4f^n; that takes seconds, so
it happens when a scheme is built and never when a study runs.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Any

import numpy as np

from renp_infer.errors import ConfigError
from renp_infer.physics.targets.matrix_elements import three_j
from renp_infer.records import FloatArray

RANKS = (2, 4, 6)
"""Ranks of the crystal field and of Judd-Ofelt intensities."""


@dataclass(frozen=True)
class Shell:
    """The configuration 4f^n.

    Attributes
    ----------
    terms : tuple of str
        Label of each state without M, such as "2H(2)11/2", length n.
    j, m : ndarray, shape (n,)
        Quantum numbers J and M of each state.
    free_ion : dict
        Angular matrices of the free-ion parameters, shape (n, n).
    tensors : dict
        Matrices of C^k_q by (k, q), shape (n, n).
    spin, orbital : ndarray, shape (3, n, n)
        Spherical components q = -1, 0, 1 of S and L.
    """

    terms: tuple[str, ...]
    j: FloatArray
    m: FloatArray
    free_ion: dict[str, FloatArray]
    tensors: dict[tuple[int, int], FloatArray]
    spin: FloatArray
    orbital: FloatArray


@cache
def load_shell(electrons: int) -> Shell:
    """Operators of 4f^n, n = ``electrons`` from 1 to 13.

    Raises
    ------
    ConfigError
        If dieke is not installed.
    """
    with dieke_library("scheme build") as dieke:
        found = dieke.makeMatricies(electrons)
        _, _, labels, _, states, free_ion, tensors = found
        reduced = dieke.reducedS, dieke.reducedL
    levels = [parse_level(label) for label in labels]
    j = np.repeat([level[3] for level in levels], [int(2 * level[3]) + 1 for level in levels])
    m = np.concatenate([np.arange(-level[3], level[3] + 0.5) for level in levels])
    if len(states) != len(m):
        raise AssertionError("dieke's states are not those of its levels")
    names = [level_name(*level) for level in levels for _ in range(int(2 * level[3]) + 1)]
    spin, orbital = (_vector(levels, element) for element in reduced)
    return Shell(
        terms=tuple(names),
        j=j,
        m=m,
        free_ion={name: matrix.toarray() for name, matrix in free_ion.items()},
        tensors={kq: np.real(matrix.toarray()) for kq, matrix in tensors.items()},
        spin=spin,
        orbital=orbital,
    )


@contextmanager
def dieke_library(asks: str) -> Iterator[Any]:
    """The library dieke, kept from what it does to others.

    It makes all floating point warnings errors when it is imported, and leaves its data
    files open.

    Parameters
    ----------
    asks : str
        What needs it, for the error.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    with np.errstate(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            import dieke
        except ImportError as error:
            hint = "pip install 'renp-infer[schemes]'"
            raise ConfigError(asks, "no dieke", "the library dieke", hint) from error
        yield dieke


def parse_level(label: str) -> tuple[int, float, int, float]:
    """Seniority index, S, L and J of a label such as "2 2H 11/2"."""
    index, term, j = label.split()
    above, _, below = j.partition("/")
    return (
        int(index),
        (int(term[0]) - 1) / 2.0,
        "SPDFGHIKLMNOQRT".index(term[1]),
        int(above) / int(below or 1),
    )


def level_name(index: int, s: float, big_l: int, j: float) -> str:
    """Name of a level, such as "2H(2)11/2"."""
    total = f"{int(j)}" if j % 1 == 0 else f"{int(2 * j)}/2"
    return f"{int(2 * s) + 1}{'SPDFGHIKLMNOQRT'[big_l]}({index}){total}"


def _vector(levels: list[tuple[int, float, int, float]], reduced: Any) -> FloatArray:
    """Components q = -1, 0, 1 of S or L by the Wigner-Eckart theorem, shape (3, n, n)."""
    sizes = [int(2 * level[3]) + 1 for level in levels]
    starts = np.concatenate(([0], np.cumsum(sizes)))
    matrix = np.zeros((3, starts[-1], starts[-1]))
    for a, (index, s, big_l, j) in enumerate(levels):
        for b, (other, s2, l2, j2) in enumerate(levels):
            if (index, s, big_l) != (other, s2, l2) or abs(j - j2) > 1:
                continue
            args = (int(2 * x) for x in (s, big_l, j, s2, l2, j2))
            block = _block(j, j2) * float(reduced(*args))
            matrix[:, starts[a] : starts[a + 1], starts[b] : starts[b + 1]] = block
    return matrix


@cache
def _block(j: float, j2: float) -> FloatArray:
    """``(-1)^(j-m) (j 1 j2; -m q m2)``, shape (3, 2 j + 1, 2 j2 + 1)."""
    block = np.zeros((3, int(2 * j) + 1, int(2 * j2) + 1))
    for a in range(block.shape[1]):
        for b in range(block.shape[2]):
            m, m2 = a - j, b - j2
            q = m - m2
            if abs(q) <= 1:
                sign = -1.0 if round(j - m) % 2 else 1.0
                block[round(q) + 1, a, b] = sign * three_j(j, 1.0, j2, -m, q, m2)
    return block


def cartesian(vector: FloatArray) -> Any:
    """x, y, z from components q = -1, 0, 1, shape (3, n, n), complex."""
    minus, zero, plus = vector
    return np.array([(minus - plus) / sqrt(2.0), 1j * (minus + plus) / sqrt(2.0), zero])


def quadrupole(shell: Shell) -> Any:
    """``Sum (r_i r_j - r^2 delta_ij / 3) / <r^2>``, shape (3, 3, n, n), complex.

    From C^2_q, of which ``C^2_0 = (3 z^2 - r^2) / 2 r^2``.
    """
    c = {q: shell.tensors[2, q] for q in range(-2, 3)}
    zz = 2.0 / 3.0 * c[0]
    difference = sqrt(2.0 / 3.0) * (c[2] + c[-2])  # xx - yy
    xy = sqrt(1.0 / 6.0) / 1j * (c[2] - c[-2])
    xz = sqrt(1.0 / 6.0) * (c[-1] - c[1])
    yz = 1j * sqrt(1.0 / 6.0) * (c[-1] + c[1])
    xx, yy = (difference - zz) / 2.0, (-difference - zz) / 2.0
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
