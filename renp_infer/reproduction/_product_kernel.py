"""Numba kernel: Eqs. (17), (62) by a product trapezoid in (E1, theta_1, theta_2)."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit
from renp_infer.physics.pairs._form_kernels import LORENTZ_WIDTH


@njit(cache=True, error_model="numpy")
def product_trapezoid(w_l, w_t, half_length, radius, epsilon, m_i, m_j, nodes):
    """Integrals A, B (n,) with ``nodes`` points in each of the three variables."""
    total = np.zeros((2, w_l.size))
    de, dt = (epsilon - m_i - m_j) / (nodes - 1), 2.0 * np.pi / (nodes - 1)
    theta = -np.pi + dt * np.arange(nodes)
    cosine, sine = np.cos(theta), np.sin(theta)
    reach = radius / LORENTZ_WIDTH
    for k in range(1, nodes - 1):  # the momenta vanish at the ends
        e_1 = m_i + k * de
        e_2 = epsilon - e_1
        p_1, p_2 = np.sqrt(e_1 * e_1 - m_i * m_i), np.sqrt(e_2 * e_2 - m_j * m_j)
        for a in range(1, nodes - 1):  # so does the sine
            for b in range(1, nodes - 1):
                measure = p_1 * p_2 * abs(sine[a] * sine[b]) * de * dt * dt
                dots = sine[a] * sine[b] - cosine[a] * cosine[b]
                bracket = e_1 * e_2 - p_1 * p_2 * dots
                p_z = p_1 * cosine[a] + p_2 * cosine[b]
                p_y = p_1 * sine[a] + p_2 * sine[b]
                for n in range(w_l.size):
                    x, y = half_length * (p_z - w_l[n]), reach * (p_y - w_t[n])
                    share = measure / ((1.0 + x * x) * (1.0 + y * y))
                    total[0, n] += share * bracket
                    total[1, n] += share
    return total
