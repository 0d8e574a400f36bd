"""Brute force for the pair: explicit Dirac spinors, sums over spins, quadrature.

Nothing here imports the package. Dirac representation, u^dagger u = 1, metric
(+, -, -, -); vectors are (x, y, z).
"""

from __future__ import annotations

import numpy as np

PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=complex)
ONE, ZERO = np.eye(2), np.zeros((2, 2))
GAMMA = np.array(
    [np.block([[ONE, ZERO], [ZERO, -ONE]])] + [np.block([[ZERO, s], [-s, ZERO]]) for s in PAULI]
)
GAMMA_5 = np.block([[ZERO, ONE], [ONE, ZERO]])
METRIC = np.array([1.0, -1.0, -1.0, -1.0])


def spinors(p, m):
    """u and v of momenta p, shape (n, 3), both spins: (n, 2, 4) each, v = i gamma_2 u*."""
    energy = np.sqrt(m**2 + np.sum(p**2, axis=-1))
    sigma = np.einsum("nk,kab->nab", p, PAULI) / (energy + m)[:, None, None]
    upper = np.broadcast_to(ONE, (len(p), 2, 2))  # rows: spins
    u = np.concatenate([upper, np.einsum("nab,sb->nsa", sigma, ONE)], axis=-1)
    u = u * np.sqrt((energy + m) / (2.0 * energy))[:, None, None]
    return u, np.einsum("ab,nsb->nsa", 1j * GAMMA[2], u.conj())


def bilinear(u, v):
    """u-bar gamma^mu (1 - gamma_5) v for all spins: (n, 4, 2, 2)."""
    matrix = np.einsum("ab,mbc,cd->mad", GAMMA[0], GAMMA, np.eye(4) - GAMMA_5)
    return np.einsum("nsa,mab,ntb->nmst", u.conj(), matrix, v)


def sphere(polar=6, turns=8):
    """Directions and weights, exact for polynomials of degree below ``turns``."""
    x, w = np.polynomial.legendre.leggauss(polar)
    phi = 2.0 * np.pi * (np.arange(turns) + 0.3) / turns
    sine = np.sqrt(1.0 - x**2)
    direction = np.stack(
        [np.outer(sine, np.cos(phi)), np.outer(sine, np.sin(phi)), np.outer(x, np.ones(turns))],
        axis=-1,
    ).reshape(-1, 3)
    return direction, np.repeat(w, turns) * (2.0 * np.pi / turns)


def boosted(q, m_1, m_2):
    """Momenta of a pair of four-momentum q, and weights of d3p1 d3p2 delta4."""
    direction, weight = sphere()
    s = q[0] ** 2 - q[1:] @ q[1:]
    root = np.sqrt(s)
    e_star = (s + m_1**2 - m_2**2) / (2.0 * root)
    size = np.sqrt((root - m_1 - m_2) * (root + m_1 + m_2)) / (2.0 * root)
    size *= np.sqrt((root - m_1 + m_2) * (root + m_1 - m_2))
    rest = size * direction
    beta, gamma = q[1:] / q[0], q[0] / root
    along = rest @ beta
    p_1 = rest + (gamma**2 / (gamma + 1.0) * along + gamma * e_star)[:, None] * beta
    p_2 = q[1:] - p_1
    e_1 = np.sqrt(m_1**2 + np.sum(p_1**2, axis=-1))
    e_2 = np.sqrt(m_2**2 + np.sum(p_2**2, axis=-1))
    assert np.max(np.abs(e_1 + e_2 - q[0])) < 1e-12, "energy is not conserved"
    # d3p1 d3p2 delta4 = E1 E2 p*/sqrt(s) dOmega*
    return p_1, p_2, e_1 * e_2 * size / root * weight


def lower(current):
    return METRIC * np.asarray(current)


def pair_amplitudes(q, masses, couplings, currents, majorana):
    """Amplitudes of one ordered pair: (n, 2, 2), with weights.

    ``couplings`` are (b_ij, c_ij, b_ji, c_ji), ``currents`` A^mu and V^mu; the
    electron's current is c V - b A.
    """
    p_1, p_2, weight = boosted(q, *masses)
    (u_1, v_1), (u_2, v_2) = spinors(p_1, masses[0]), spinors(p_2, masses[1])
    axial, vector = (lower(x) for x in currents)
    b, c, b_t, c_t = couplings
    amplitude = np.einsum("m,nmst->nst", c * vector - b * axial, bilinear(u_1, v_2))
    if majorana:
        other = np.einsum("m,nmts->nst", c_t * vector - b_t * axial, bilinear(u_2, v_1))
        amplitude = amplitude - other
    return amplitude, weight


def emission(q, masses, b, c, currents, majorana):
    """``Sum Int |J.N|^2`` over pairs of three neutrinos; currents are (A, V)."""
    return bilinear_emission(q, masses, b, c, currents, currents, majorana).real


def bilinear_emission(q, masses, b, c, left, right, majorana):
    """``Sum Int (J_left.N)* (J_right.N)``: all final states, Majorana pairs once."""
    total = 0.0
    for i, j in np.ndindex(*b.shape):
        if q[0] ** 2 - q[1:] @ q[1:] <= (masses[i] + masses[j]) ** 2:
            continue
        four = b[i, j], c[i, j], b[j, i], c[j, i]
        pair = masses[i], masses[j]
        one, weight = pair_amplitudes(q, pair, four, left, majorana)
        two, _ = pair_amplitudes(q, pair, four, right, majorana)
        total += np.einsum("nst,nst,n", one.conj(), two, weight)
    # ordered pairs count each Majorana final state twice
    return 0.5 * total if majorana else total
