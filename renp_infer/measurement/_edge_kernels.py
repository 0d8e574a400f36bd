"""Numba kernels: where the support of a pair ends, how its ends move, and kinks inside."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit
from renp_infer.measurement._beam_kernels import BEND, ONE, OWN, momentum, momentum_slopes

GEOMETRY = 6
"""Derivatives per pair: refractive index, theta_s, theta_e, m_i^2, m_j^2, extraordinary index."""
ROOT_STEPS, ROOT_WIDTH = 60, 1e-15
"""Steps towards an edge that has no closed form, and the width in rad at which they end."""


@njit(cache=True, error_model="numpy")
def edge_angles(beam, epsilon, q0):
    """(centre, lower and upper half width) of the angles in which s > (m_i + m_j)^2.

    The widths are 0 where no angle is inside and infinite where all are; equal but for a
    trigger that depends on direction.
    """
    index, k_l, k_t, omega = beam[0], beam[1], beam[2], beam[3]
    k = np.sqrt(k_l * k_l + k_t * k_t)
    centre = np.arctan2(k_t, k_l)
    if beam[BEND] != 0.0:
        lower = _bent_width(beam, epsilon, q0, centre, -1.0)
        return centre, lower, _bent_width(beam, epsilon, q0, centre, 1.0)
    rim2 = (epsilon - q0) * (epsilon + q0) / (index * index)
    cosine = (k * k + omega * omega - rim2) / (2.0 * k * omega)
    if q0 >= epsilon or cosine >= 1.0:
        return centre, 0.0, 0.0
    if cosine <= -1.0:
        return centre, np.inf, np.inf
    width = np.arccos(cosine)
    return centre, width, width


@njit(cache=True, error_model="numpy")
def _above(beam, epsilon, q0, angle):
    """Excess of s over (m_i + m_j)^2 at an angle, and its slope."""
    cosine, sine = np.cos(angle), np.sin(angle)
    z, y = momentum(beam, cosine, sine)
    _, _, by_s, _ = momentum_slopes(beam, cosine, sine, z, y)
    return epsilon * epsilon - q0 * q0 - z * z - y * y, -2.0 * (z * by_s[0] + y * by_s[1])


@njit(cache=True, error_model="numpy")
def _bent_width(beam, epsilon, q0, centre, sign):
    """Half width on one side: Newton's steps between bounds; see ``edge_angles``."""
    inside, _ = _above(beam, epsilon, q0, centre)
    if q0 >= epsilon or inside <= 0.0:
        return 0.0
    outside, _ = _above(beam, epsilon, q0, centre + sign * np.pi)
    if outside >= 0.0:
        return np.inf
    low, high, width = 0.0, np.pi, 0.5 * np.pi
    for _ in range(ROOT_STEPS):
        value, slope = _above(beam, epsilon, q0, centre + sign * width)
        if value > 0.0:
            low = width
        else:
            high = width
        before, width = width, width - value / (sign * slope)
        if not low < width < high:
            width = 0.5 * (low + high)
        if abs(width - before) < ROOT_WIDTH:
            break
    return width


@njit(cache=True, error_model="numpy")
def edge_shift(edge, beam, m_i, m_j, shift, drift):
    """Derivatives of the edge's nominal angle and of w_t there, and w_t.

    In the order of GEOMETRY; the trigger's offset moves the nominal angle only. Those of
    w_t, which the planar density needs, are for one index.
    """
    index, k_l, k_t, omega, turn_l, turn_t = beam[:ONE]
    cosine, sine = np.cos(edge), np.sin(edge)
    if beam[OWN] != 0.0:
        z, y = momentum(beam, cosine, sine)
        by_o, by_x, by_s, by_e = momentum_slopes(beam, cosine, sine, z, y)
        slope = -2.0 * (z * by_s[0] + y * by_s[1])
        shift[0] = 2.0 * (z * by_o[0] + y * by_o[1]) / slope
        shift[2] = 2.0 * (z * by_e[0] + y * by_e[1]) / slope
        shift[5] = 2.0 * (z * by_x[0] + y * by_x[1]) / slope
    else:
        z, y = index * (k_l - omega * cosine), index * (k_t - omega * sine)
        slope = -2.0 * index * omega * (z * sine - y * cosine)
        shift[0] = 2.0 * (z * z + y * y) / index / slope
        shift[2] = 2.0 * index * (z * turn_l + y * turn_t) / slope
        shift[5] = 0.0
    shift[1] = -1.0
    shift[3] = (1.0 + m_j / m_i) / slope
    shift[4] = (1.0 + m_i / m_j) / slope
    fall = -index * omega * cosine
    drift[0] = y / index + fall * shift[0]
    drift[1] = 0.0
    drift[2] = index * turn_t + fall * shift[2]
    drift[3], drift[4] = fall * shift[3], fall * shift[4]
    drift[5] = 0.0
    return y


@njit(cache=True, error_model="numpy")
def kink_distances(planar, centre, width, beam, epsilon, m_i, m_j):
    """Distances from either edge at which p1y or p2y begins to change sign, (2 sides, 2).

    There s = m_i^2 + m_j^2 + 2 m_i sqrt(m_j^2 + w_t^2), or with i and j exchanged; five
    Newton steps from the edge. Ascending; infinite where there is none.
    """
    out = np.full((2, 2), np.inf)
    if not planar:
        return out
    index, k_l, k_t, omega = beam[0], beam[1], beam[2], beam[3]
    for side in range(2):
        edge = centre + (width if side else -width)
        for n in range(2):
            one, other = (m_i, m_j) if n == 0 else (m_j, m_i)
            angle = edge
            for _ in range(5):
                z = index * (k_l - omega * np.cos(angle))
                y = index * (k_t - omega * np.sin(angle))
                root = np.sqrt(other * other + y * y)
                miss = epsilon * epsilon - z * z - y * y
                miss -= one * one + other * other + 2.0 * one * root
                slope = -2.0 * index * omega * (z * np.sin(angle) - y * np.cos(angle))
                slope += 2.0 * one * y / root * index * omega * np.cos(angle)
                angle -= miss / slope
            if abs(miss) < 1e-6 and (centre < angle < edge or edge < angle < centre):
                out[side, n] = abs(edge - angle)
        if out[side, 0] > out[side, 1]:
            out[side, 0], out[side, 1] = out[side, 1], out[side, 0]
    return out
