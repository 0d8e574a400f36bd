"""Exact Dirac states of a point nucleus, and matrix elements by quadrature.

Nothing here imports the package. Units of the electron's mass, hbar = c = 1;
H = alpha.p + beta - Z alpha / r.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import null_space
from scipy.special import roots_genlaguerre, sph_harm_y

from tests.spinors import GAMMA, PAULI

ALPHA = np.array([GAMMA[0] @ g for g in GAMMA[1:]])


def solid_angle(polar=12, turns=16):
    """Unit vectors and weights of the sphere."""
    x, w = np.polynomial.legendre.leggauss(polar)
    phi = 2.0 * np.pi * np.arange(turns) / turns
    theta = np.repeat(np.arccos(x), turns)
    return theta, np.tile(phi, polar), np.repeat(w, turns) * (2.0 * np.pi / turns)


def spherical_spinor(kappa, m, theta, phi):
    """Omega_kappa m, shape (points, 2)."""
    j, orbital = abs(kappa) - 0.5, kappa if kappa > 0 else -kappa - 1

    def harmonic(order):
        if abs(order) > orbital:
            return np.zeros_like(theta, dtype=complex)
        return sph_harm_y(orbital, round(order), theta, phi)

    if kappa < 0:
        up, down = np.sqrt((j + m) / (2 * j)), np.sqrt((j - m) / (2 * j))
    else:
        up = -np.sqrt((j - m + 1) / (2 * j + 2))
        down = np.sqrt((j + m + 1) / (2 * j + 2))
    return np.stack([up * harmonic(m - 0.5), down * harmonic(m + 0.5)], axis=-1)


class State:
    """Bound state (n, kappa, m): psi = (g Omega_kappa, i f Omega_-kappa).

    ``r g = r^gamma e^(-rate r) Sum a_k r^k`` and likewise for f; the coefficients
    solve the radial equations, power by power.
    """

    def __init__(self, n, kappa, m, strength):
        self.kappa, self.m = kappa, m
        gamma = np.sqrt(kappa**2 - strength**2)
        nodes = n - abs(kappa)
        self.energy = 1.0 / np.sqrt(1.0 + (strength / (nodes + gamma)) ** 2)
        self.rate, self.gamma = np.sqrt(1.0 - self.energy**2), gamma
        count = nodes + 1
        rows = np.zeros((2, count + 1, 2, count))
        for k in range(count):
            rows[0, k, 0, k] += gamma + k + kappa
            rows[0, k, 1, k] -= strength
            rows[0, k + 1, 0, k] -= self.rate
            rows[0, k + 1, 1, k] -= self.energy + 1.0
            rows[1, k, 1, k] += gamma + k - kappa
            rows[1, k, 0, k] += strength
            rows[1, k + 1, 1, k] -= self.rate
            rows[1, k + 1, 0, k] += self.energy - 1.0
        # powers of r in units of 1/rate keep the columns of like size
        scale = np.tile(self.rate ** np.arange(count), 2)
        system = rows.reshape(2 * count + 2, 2 * count) * scale
        space = null_space(system, rcond=1e-9)
        assert space.shape[1] == 1, "no unique radial solution"
        self.large, self.small = (space[:, 0] * scale).reshape(2, count)
        norm = element(self, self, lambda psi, r, unit: psi).real
        self.large, self.small = self.large / np.sqrt(norm), self.small / np.sqrt(norm)

    def spinor(self, r, theta, phi):
        """psi without r^(gamma-1) e^(-rate r), shape (radii, directions, 4)."""
        g, f = (np.polynomial.polynomial.polyval(r, c) for c in (self.large, self.small))
        upper = g[:, None, None] * spherical_spinor(self.kappa, self.m, theta, phi)
        lower = 1j * f[:, None, None] * spherical_spinor(-self.kappa, self.m, theta, phi)
        return np.concatenate([upper, lower], axis=-1)


def element(final, initial, operator, radii=40):
    """``<final| operator |initial>``; the operator maps (psi, r, unit vectors) to psi."""
    power, rate = final.gamma + initial.gamma, final.rate + initial.rate
    x, w = roots_genlaguerre(radii, power)
    r, weight = x / rate, w / rate ** (power + 1.0)
    theta, phi, around = solid_angle()
    sine = np.sin(theta)
    unit = np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], axis=-1)
    after = operator(initial.spinor(r, theta, phi), r, unit)
    return np.einsum("rda,rda,r,d", final.spinor(r, theta, phi).conj(), after, weight, around)


def plane_wave(momentum):
    """e^{-i P.r} as an operator."""

    def act(psi, r, unit):
        return np.exp(-1j * np.outer(r, unit @ momentum))[..., None] * psi

    return act


def vector(final, initial, scalar):
    """``<alpha_i scalar>`` for i = x, y, z."""

    def through(a):
        return lambda psi, r, unit: scalar(psi, r, unit) @ a.T

    return np.array([element(final, initial, through(a)) for a in ALPHA])


def position(*axes):
    """Product of coordinates r_i r_j ..."""

    def act(psi, r, unit):
        product = np.ones((len(r), len(unit)))
        for i in axes:
            product = product * np.outer(r, unit[:, i])
        return product[..., None] * psi

    return act


def spin(final, initial):
    """``<S>``, 4 x 4 Sigma / 2, x, y, z."""
    matrices = [np.kron(np.eye(2), s) / 2.0 for s in PAULI]
    return np.array([element(final, initial, lambda p, r, n, a=a: p @ a.T) for a in matrices])
