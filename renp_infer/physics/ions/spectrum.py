"""All Stark levels of 4f^n at a D2d site and the operators between them, in blocks of M modulo 4.

The crystal field changes M by 0 or 4, so that states have M of one class modulo 4, and a
spherical operator of component q has elements from class c to class c + q alone. With a real
field all vectors are real. The "-" state of a doublet is T of its "+" state, Eq. (31).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import factorial, gamma, rgamma

from renp_infer.physics.ions.crystal_field import ELECTRON_G
from renp_infer.physics.ions.lanthanides import Host, lanthanide
from renp_infer.physics.ions.multiplets import Multiplets, load_multiplets
from renp_infer.records import FloatArray

IntArray = NDArray[np.int64]
EVERY = slice(None)


@dataclass(frozen=True, eq=False)
class Basis:
    """Basis |level M> of one class of M modulo 4, by level and M.

    Attributes
    ----------
    level : ndarray, shape (n,)
        Place in the multiplets.
    j, m : ndarray, shape (n,)
    """

    level: IntArray
    j: FloatArray
    m: FloatArray


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Stark levels of an ion by energy, each with its "+" state.

    Attributes
    ----------
    multiplets : Multiplets
    energy : ndarray, shape (n,)
        Above the ground level, 1/cm.
    kind : ndarray, shape (n,)
        Class of M of the "+" state: 0, 1, 2, or 0.5, 1.5.
    place : ndarray, shape (n,)
        Column of the state among those of its class.
    vectors : dict
        States by class, shape (basis, columns); a partner's class is minus that of "+".
    """

    multiplets: Multiplets
    energy: FloatArray
    kind: FloatArray
    place: IntArray
    vectors: dict[float, FloatArray]

    @property
    def size(self) -> IntArray:
        """Degeneracy of each level."""
        return np.where(self.kind % 2.0 == 0.0, 1, 2)

    @cached_property
    def blocks(self) -> dict[float, Basis]:
        """Bases by class."""
        return {c: basis(self.multiplets, c) for c in self.vectors}

    @cached_property
    def manifold(self) -> IntArray:
        """Level of the multiplets that each Stark level has most of."""
        found = np.empty(len(self.energy), dtype=np.int64)
        for c in np.unique(self.kind):
            own, block = self.kind == c, self.blocks[c]
            shares = self.vectors[c][:, self.place[own]] ** 2
            sums = np.zeros((len(self.multiplets.j), shares.shape[1]))
            np.add.at(sums, block.level, shares)
            found[own] = sums.argmax(axis=0)
        return found

    @cached_property
    def partner(self) -> dict[float, FloatArray]:
        """States by class, those of "-" too."""
        return self.vectors | {
            -c: reversed_vectors(self.blocks[c], basis(self.multiplets, -c), states)
            for c, states in self.vectors.items()
            if c % 2.0 != 0.0
        }

    def element(
        self, reduced: FloatArray, k: int, q: int, initial: float, final: float, *,
        columns: IntArray | slice = EVERY, rows: IntArray | slice = EVERY,
    ) -> FloatArray:  # fmt: skip
        """``<f|T^k_q|i>`` for states of two classes, shape (final, initial).

        Parameters
        ----------
        reduced : ndarray, shape (levels, levels)
            Elements ``<|T^k|>``.
        k, q : int
        initial, final : float
            Classes; q leads from one to the other modulo 4.
        columns, rows : ndarray of int or slice
            Which of the initial and of the final states, by default all.
        """
        to, of = basis(self.multiplets, final), basis(self.multiplets, initial)
        matrix = tensor_block(to, of, reduced, k, q)
        images = matrix @ self.partner[initial][:, columns]
        found: FloatArray = self.partner[final][:, rows].T @ images
        return found

    @property
    def moment(self) -> FloatArray:
        """``<|L + g_s S|>`` between levels of the multiplets, mu_B."""
        return self.multiplets.orbital + ELECTRON_G * self.multiplets.spin

    def moments(self) -> FloatArray:
        """<+|L + g_s S|+> along c by level, mu_B; 0 for singlets."""
        found, reduced = np.zeros(len(self.energy)), self.moment
        for c in np.unique(self.kind[self.size == 2]):
            own = self.kind == c
            found[own] = np.diag(self.element(reduced, 1, 0, c, c))[self.place[own]]
        return found

    def transverse_g(self) -> FloatArray:
        """Across c, the g factor by level: ``sqrt 2 |<-|mu_q|+>|``; 0 where S4 forbids it."""
        found, reduced = np.zeros(len(self.energy)), self.moment
        for c in np.unique(self.kind[self.size == 2]):
            q = component(c, -c)
            if q is not None:
                own = self.kind == c
                elements = np.diag(self.element(reduced, 1, q, c, -c))[self.place[own]]
                found[own] = np.sqrt(2.0) * np.abs(elements)
        return found


def component(initial: float, final: float) -> int | None:
    """Component of a vector that leads from one class of M to another; None: S4 has none."""
    step = round(final - initial) % 4
    return {0: 0, 1: 1, 3: -1}.get(step)


def basis(multiplets: Multiplets, c: float) -> Basis:
    """States |level M> with M = c modulo 4."""
    rows = []
    for level, j in enumerate(multiplets.j):
        m = np.arange(-j, j + 0.5)
        rows += [(level, j, x) for x in m[(m - c) % 4.0 == 0.0]]
    columns = np.array(rows, dtype=float).reshape(-1, 3)
    return Basis(columns[:, 0].astype(np.int64), columns[:, 1], columns[:, 2])


def reversed_vectors(block: Basis, other: Basis, vectors: FloatArray) -> FloatArray:
    """T of real states, in the basis of the opposite class, see `crystal_field.time_reversed`."""
    places = {key: i for i, key in enumerate(zip(other.level, other.m, strict=True))}
    targets = [places[key] for key in zip(block.level, -block.m, strict=True)]
    signs = np.where((block.j + block.m) % 2.0 == 0.0, 1.0, -1.0)
    found = np.empty_like(vectors)
    found[targets] = signs[:, None] * vectors
    return found


def tensor_block(rows: Basis, columns: Basis, reduced: FloatArray, k: int, q: int) -> FloatArray:
    """``<J M|T^k_q|J' M'>`` by the Wigner-Eckart theorem, shape (rows, columns)."""
    symbols = _symbols(rows, columns, k, q)
    found: FloatArray = symbols * reduced[np.ix_(rows.level, columns.level)]
    return found


def _symbols(rows: Basis, columns: Basis, k: int, q: int) -> FloatArray:
    """``(-1)^(J-M) (J k J'; -M q M')``, shape (rows, columns)."""
    own, where = np.unique(np.array([rows.j, rows.m]), axis=1, return_inverse=True)
    other, whither = np.unique(np.array([columns.j, columns.m]), axis=1, return_inverse=True)
    table = wigner_eckart(own[0][:, None], own[1][:, None], other[0], other[1], k, q)
    return table[np.ix_(where, whither)]


def wigner_eckart(
    j: FloatArray, m: FloatArray, j2: FloatArray, m2: FloatArray, k: int, q: int
) -> FloatArray:
    """``(-1)^(j-m) (j k j2; -m q m2)``, broadcast; by Racah's sum.

    Its terms cancel: up to J = 25/2 the error is below 1e-11.

    Parameters
    ----------
    j, m, j2, m2 : ndarray
        Quantum numbers of the final and of the initial state.
    k, q : int
    """
    allowed = (m == m2 + q) & (np.abs(j - j2) <= k) & (j + j2 >= k)
    total = np.zeros(allowed.shape)
    for t in range(2 * k + 1):
        arguments = (t, j2 - k - m + t, j2 - j - q + t, j + k - j2 - t, j + m - t, k + q - t)
        term = np.full(allowed.shape, (-1.0) ** t)
        for argument in arguments:
            term = term * rgamma(np.asarray(argument) + 1.0)
        total += term
    triangle = gamma(j + k - j2 + 1.0) * gamma(j - k + j2 + 1.0) * gamma(k + j2 - j + 1.0)
    norm = factorial(k + q) * factorial(k - q) * rgamma(j + k + j2 + 2.0)
    for x, y in ((j, m), (j2, m2)):
        norm = norm * gamma(x + y + 1.0) * gamma(x - y + 1.0)
    sign = np.where(np.round(2.0 * j - 2.0 * m2 - q - k) % 2.0 == 0.0, 1.0, -1.0)
    with np.errstate(invalid="ignore"):
        found = sign * np.sqrt(np.abs(triangle * norm)) * total
    return np.where(allowed, found, 0.0)


@lru_cache(maxsize=1)
def spectrum(symbol: str, host: Host = "liyf4") -> Spectrum:
    """Stark levels of an ion from its published parameters; the last one is remembered.

    Raises
    ------
    StoreError, ConfigError
        See `lanthanide` and `load_multiplets`.
    """
    ion = lanthanide(symbol, host)
    multiplets = load_multiplets(ion.electrons)
    return stark_spectrum(multiplets, ion.free_ion, ion.field)


def stark_spectrum(
    multiplets: Multiplets, free_ion: Mapping[str, float], field: Mapping[str, float]
) -> Spectrum:
    """Stark levels of H = Sum F O + Sum B_kq C^k_q, see `crystal_field.hamiltonian`.

    Parameters
    ----------
    multiplets : Multiplets
    free_ion : mapping
        1/cm.
    field : mapping
        B20, B40, B44, B60, B64, real, 1/cm.
    """
    free = sum(value * multiplets.free_ion[name] for name, value in free_ion.items())
    whole = bool(multiplets.j[0] % 1.0 == 0.0)
    energies, kinds, places, vectors = [], [], [], {}
    for c in (0.0, 1.0, 2.0) if whole else (0.5, 1.5):
        block = basis(multiplets, c)
        same = block.m[:, None] == block.m[None, :]
        matrix = np.where(same, np.asarray(free)[np.ix_(block.level, block.level)], 0.0)
        for name, strength in field.items():
            k, q = int(name[1]), int(name[2])
            for step in {q, -q}:
                matrix += strength * tensor_block(block, block, multiplets.tensors[k], k, step)
        energy, vectors[c] = np.linalg.eigh(matrix)
        energies.append(energy)
        kinds.append(np.full(energy.size, c))
        places.append(np.arange(energy.size))
    energy, kind, place = (np.concatenate(parts) for parts in (energies, kinds, places))
    order = np.argsort(energy, kind="stable")
    above = energy[order] - energy[order[0]]
    return Spectrum(multiplets, above, kind[order], place[order], vectors)
