"""4f^n by brute force: Slater determinants of 14 spin orbitals, operators by quadrature.

Nothing here knows of terms, fractional parentage or the Wigner-Eckart theorem.
"""

import itertools

import numpy as np
from scipy.special import roots_legendre, sph_harm_y

ORBITALS = [(m, s) for m in range(-3, 4) for s in (-0.5, 0.5)]


def angular(function):
    """``<3 m|f|3 m'>``, shape (7, 7), of ``f(x, y, z)`` on the unit sphere; exact to degree 8."""
    cosine, weight = roots_legendre(12)
    phi = np.arange(24) * 2.0 * np.pi / 24
    z, azimuth = np.meshgrid(cosine, phi, indexing="ij")
    w = np.broadcast_to(weight[:, None] * 2.0 * np.pi / 24, z.shape)
    polar = np.arccos(z)
    y_m = np.array([sph_harm_y(3, m, polar, azimuth) for m in range(-3, 4)])
    r = np.sqrt(1.0 - z**2)
    values = function(r * np.cos(azimuth), r * np.sin(azimuth), z)
    return np.einsum("aij,ij,bij->ab", y_m.conj(), w * values, y_m)


def tensor(k, q):
    """``<3 m|C^k_q|3 m'>``: C = sqrt(4 pi / (2 k + 1)) Y."""

    def function(x, y, z):
        scale = np.sqrt(4.0 * np.pi / (2 * k + 1))
        return scale * sph_harm_y(k, q, np.arccos(np.clip(z, -1.0, 1.0)), np.arctan2(y, x))

    return angular(function)


def with_spin(orbital):
    return np.kron(orbital, np.eye(2))


def one_body():
    """x, y, z of s and l of one electron, shape (3, 14, 14)."""
    pauli = np.array([[[0, 1], [1, 0]], [[0, 1j], [-1j, 0]], [[-1, 0], [0, 1]]]) / 2.0
    m = np.arange(-3, 4)
    up = np.diag(np.sqrt(12.0 - m[:-1] * (m[:-1] + 1.0)), -1)
    orbital = np.array([(up + up.T) / 2.0, (up - up.T) / 2j, np.diag(m.astype(float))])
    spin = np.array([np.kron(np.eye(7), p) for p in pauli])
    return spin, np.array([with_spin(o) for o in orbital])


class Determinants:
    """The space of n electrons and its operators."""

    def __init__(self, n):
        self.n = n
        self.sets = list(itertools.combinations(range(14), n))
        self.place = {s: k for k, s in enumerate(self.sets)}
        spin, orbital = one_body()
        self.spin = np.array([self.sum(o) for o in spin])
        self.orbital = np.array([self.sum(o) for o in orbital])
        self.spin_orbit = self.sum(sum(a @ b for a, b in zip(spin, orbital, strict=True)))
        self.m = np.real(np.diag(self.spin[2] + self.orbital[2]))

    def sum(self, one):
        """Sum over electrons of a one-electron operator."""
        matrix = np.zeros((len(self.sets),) * 2, dtype=complex)
        targets = [np.flatnonzero(np.abs(one[:, b]) > 1e-14) for b in range(14)]
        for column, occupied in enumerate(self.sets):
            for position, b in enumerate(occupied):
                rest = occupied[:position] + occupied[position + 1 :]
                for a in targets[b]:
                    if a in rest:
                        continue
                    new = tuple(sorted((*rest, int(a))))
                    sign = (-1) ** (position + new.index(a))
                    matrix[self.place[new], column] += sign * one[a, b]
        return matrix

    def tensor(self, k, q):
        return self.sum(with_spin(tensor(k, q)))

    def hamiltonian(self, free, field):
        """F^k, ZETA, ALPHA and the crystal field; a constant is left out of F^k."""
        total = free["ZETA"] * self.spin_orbit
        total = total + free.get("ALPHA", 0.0) * sum(o @ o for o in self.orbital)
        for k in (2, 4, 6):
            if f"F{k}" in free:
                c = {q: self.tensor(k, q) for q in range(-k, k + 1)}
                pairs = sum((-1) ** q * c[q] @ c[-q] for q in c)
                total = total + 0.5 * free[f"F{k}"] * pairs
        for name, value in field.items():
            k, q = int(name[1]), int(name[2])
            if q == 0:
                total = total + np.real(value) * self.tensor(k, 0)
            else:
                total = total + value * self.tensor(k, -q) + np.conj(value) * self.tensor(k, q)
        return total

    def quadrupole(self):
        """``r_i r_j - delta_ij / 3`` of the unit vectors, shape (3, 3, n, n)."""
        rows = [[self.sum(with_spin(angular(_product(i, j)))) for j in range(3)] for i in range(3)]
        return np.array(rows)

    def reverse(self, state):
        """Time reversal: ``T|m s> = (-1)^(m + 1/2 - s)|-m -s>`` of each electron."""
        found = np.zeros_like(state)
        for k, occupied in enumerate(self.sets):
            turned = [13 - o for o in occupied]  # the list of orbitals, read backwards
            sign = np.prod(
                [(-1.0) ** round(m + 0.5 - s) for m, s in (ORBITALS[o] for o in occupied)]
            )
            order = sorted(turned)
            swaps = len(turned) * (len(turned) - 1) // 2  # the order is reversed
            found[self.place[tuple(order)]] = sign * (-1.0) ** swaps * np.conj(state[k])
        return found

    def levels(self, matrix):
        """(energy above the lowest, [states]) by energy; states by M modulo 4, largest first."""
        classes = 2.0 - (2.0 - self.m) % 4.0
        found = []
        for value in np.unique(np.round(classes, 6)):
            inside = np.flatnonzero(np.abs(classes - value) < 1e-6)
            energies, block = np.linalg.eigh(matrix[np.ix_(inside, inside)])
            for energy, column in zip(energies, block.T, strict=True):
                state = np.zeros(len(self.m), dtype=complex)
                state[inside] = column
                found.append((energy, value, state))
        found.sort(key=lambda row: row[0])
        groups = []
        for energy, value, state in found:
            if groups and energy - groups[-1][0] < 1e-5:
                groups[-1][1].append((value, state))
            else:
                groups.append((energy, [(value, state)]))
        lowest = groups[0][0]
        return [
            (energy - lowest, [s for _, s in sorted(states, key=lambda x: -x[0])])
            for energy, states in groups
        ]


def _product(i, j):
    return lambda *r: r[i] * r[j] - (1.0 / 3.0 if i == j else 0.0)
