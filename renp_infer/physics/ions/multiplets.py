"""Reduced elements of 4f^n between levels |term J>, from the tables of the library dieke.

Where a `Shell` has whole matrices, which for half-filled shells take gigabytes and
minutes, this has one number for each two levels; the Wigner-Eckart theorem gives the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from renp_infer.physics.ions.shell import RANKS, dieke_library, level_name, parse_level
from renp_infer.physics.targets.matrix_elements import three_j
from renp_infer.records import FloatArray

_HALF = 7
"""Electrons of the half-filled shell, beyond which even tensors are those of holes."""


@dataclass(frozen=True, eq=False)
class Multiplets:
    """Levels of the configuration 4f^n without M, and operators between them.

    Attributes
    ----------
    terms : tuple of str
        Such as "2H(2)11/2", length n.
    j : ndarray, shape (n,)
    free_ion : dict
        Angular elements of the free-ion parameters by dieke's names, shape (n, n).
    tensors : dict
        ``<|C^k|>`` by rank, shape (n, n), with
        ``<J M|C^k_q|J' M'> = (-1)^(J-M) (J k J'; -M q M') <J|C^k|J'>``.
    spin, orbital : ndarray, shape (n, n)
        The same of S and L, of rank 1.
    """

    terms: tuple[str, ...]
    j: FloatArray
    free_ion: dict[str, FloatArray]
    tensors: dict[int, FloatArray]
    spin: FloatArray
    orbital: FloatArray


@cache
def load_multiplets(electrons: int) -> Multiplets:
    """Levels of 4f^n, n = ``electrons`` from 1 to 13, in a second.

    Raises
    ------
    ConfigError
        If dieke is not installed.
    """
    with dieke_library("atlas") as dieke:
        labels, free_ion, terms, doubly, _ = dieke.read_crosswhite(electrons)
        levels = [parse_level(label) for label in labels]
        places = [terms.index(label[:4]) for label in labels]
        spin, orbital = (_vector(levels, f) for f in (dieke.reducedS, dieke.reducedL))
        tensors = {k: _tensor(dieke, levels, doubly[n], places, k) for n, k in enumerate(RANKS)}
    sign = -1.0 if electrons > _HALF else 1.0
    return Multiplets(
        terms=tuple(level_name(*level) for level in levels),
        j=np.array([level[3] for level in levels]),
        free_ion={name: _dense(matrix) for name, matrix in free_ion.items()},
        tensors={k: sign * matrix for k, matrix in tensors.items()},
        spin=spin,
        orbital=orbital,
    )


def _dense(matrix: Any) -> FloatArray:
    return np.asarray(matrix if isinstance(matrix, np.ndarray) else matrix.toarray(), dtype=float)


def _vector(levels: list[tuple[int, float, int, float]], reduced: Any) -> FloatArray:
    """``<|S|>`` or ``<|L|>`` between levels of the same term, shape (n, n)."""
    found = np.zeros((len(levels), len(levels)))
    for a, (*term, j) in enumerate(levels):
        for b, (*other, j2) in enumerate(levels):
            if term == other and abs(j - j2) <= 1:
                _, s, big_l = term
                args = (int(2 * x) for x in (s, big_l, j, s, big_l, j2))
                found[a, b] = float(reduced(*args))
    return found


def _tensor(
    dieke: Any, levels: list[tuple[int, float, int, float]], doubly: FloatArray,
    places: list[int], k: int,
) -> FloatArray:  # fmt: skip
    """``<|C^k|>`` from the unit tensors between terms, shape (n, n)."""
    six_j = cache(dieke.wigner_6j)
    between = doubly[np.ix_(places, places)]
    found = np.zeros_like(between)
    for a, b in zip(*np.nonzero(between), strict=True):
        (_, s, big_l, j), (_, _, l2, j2) = levels[a], levels[b]
        if abs(j - j2) <= k <= j + j2:
            sign = -1.0 if round(s + l2 + j + k) % 2 else 1.0
            weight = np.sqrt((2.0 * j + 1.0) * (2.0 * j2 + 1.0))
            found[a, b] = sign * weight * six_j(j, j2, k, l2, big_l, s) * between[a, b]
    return -7.0 * three_j(3.0, k, 3.0, 0.0, 0.0, 0.0) * found  # <3|C^k|3>
