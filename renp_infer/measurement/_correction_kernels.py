"""Numba kernels: what a finite crystal adds to the large-crystal limit, tabulated.

The table is made at the nominal apparatus against the distance to the nearest edge, and
looked up at every call.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit
from renp_infer.measurement._beam_kernels import momentum
from renp_infer.measurement._edge_kernels import edge_angles
from renp_infer.physics.pairs._crystal_kernels import (
    crystal_point,
    form_norm,
    local_density,
    split_integral,
)

FAR_X, FAR_W = np.polynomial.legendre.leggauss(3)
TABLE_CUT = 25.0
"""Where oscillations may fade: 1 % of the correction, which is a few 1e-3."""


@njit(cache=True, error_model="numpy")
def look_up(table, grid, x, weights, slopes, place, out):
    """Correction at distance x from the edge, with derivatives.

    ``table`` is (mass, node, [A, B, dA/dx, dB/dx]), Hermite in x; ``weights``
    and ``slopes`` combine the mass nodes. ``out[place]`` gets rows (A, B), slopes
    in x and in mass; without ``slopes`` the first alone. Beyond the grid the end value holds.
    """
    last = grid.size - 1
    x = min(max(x, grid[0]), grid[last])
    k = min(max(np.searchsorted(grid, x) - 1, 0), last - 1)
    h = grid[k + 1] - grid[k]
    t = (x - grid[k]) / h
    h00, h01 = (1.0 + 2.0 * t) * (1.0 - t) ** 2, t * t * (3.0 - 2.0 * t)
    h10, h11 = t * (1.0 - t) ** 2 * h, t * t * (t - 1.0) * h
    d00 = 6.0 * t * (t - 1.0) / h
    d10, d11 = (1.0 - t) * (1.0 - 3.0 * t), t * (3.0 * t - 2.0)
    for ab in range(2):
        whole = steep = by_mass = 0.0
        for m in range(table.shape[0]):
            left, right = table[m, k, ab], table[m, k + 1, ab]
            rise, fall = table[m, k, 2 + ab], table[m, k + 1, 2 + ab]
            value = h00 * left + h01 * right + h10 * rise + h11 * fall
            whole += weights[m] * value
            if slopes is not None:
                steep += weights[m] * (d00 * (left - right) + d10 * rise + d11 * fall)
                by_mass += slopes[m] * value
        out[place, 0, ab], out[place, 1, ab], out[place, 2, ab] = whole, steep, by_mass


@njit(cache=True, error_model="numpy")
def _correction_at(exact, planar, lorentz, theta, beam, crystal, epsilon, masses, c, facing, rtol):
    """Direction factor times (crystal integral / norm - D), for A and B."""
    cosine, sine = np.cos(theta), np.sin(theta)
    z, y = momentum(beam, cosine, sine)
    face = facing[0] * cosine + facing[1] * sine + facing[2]
    if exact:
        a, b, _ = crystal_point(
            planar, lorentz, z, y, crystal[0], crystal[1], epsilon, masses, c, rtol
        )
    else:
        a, b = split_integral(
            planar,
            lorentz,
            z,
            y,
            crystal[0],
            crystal[1],
            epsilon,
            masses,
            c,
            np.full(2, TABLE_CUT),
        )
    norm = form_norm(planar, crystal[0], crystal[1])
    limit_a, limit_b = local_density(planar, z, y, epsilon, masses, c)
    return face * (a / norm - limit_a), face * (b / norm - limit_b)


@njit(cache=True, error_model="numpy", nogil=True)
def correction_table(
    exact, planar, lorentz, grid, sides, beam, crystal, epsilon, pair_masses, c, facing, rtol
):
    """What a finite crystal adds, cumulated over the angle from an edge.

    For pairs that are produced at all angles, from the antipode of the support's middle.
    ``pair_masses`` is (mass nodes, 6, 2), ``sides`` which of the lower and
    upper edge to do. Returns (6, 2, mass nodes, x nodes, 4) for ``look_up``.
    Panels that straddle the edge are split there.
    """
    shape = (pair_masses.shape[1], 2, pair_masses.shape[0], grid.size, 4)
    table = np.zeros(shape)
    for p in range(shape[0]):
        for m in range(shape[2]):
            masses = pair_masses[m, p]
            centre, lower, upper = edge_angles(beam, epsilon, masses[0] + masses[1])
            if lower == 0.0:
                continue
            for side in range(2):
                if not sides[side]:
                    continue
                edge = centre + (min(upper, np.pi) if side else -min(lower, np.pi))
                rows = table[p, side, m]
                for k in range(grid.size):
                    rows[k, 2], rows[k, 3] = _correction_at(
                        exact,
                        planar,
                        lorentz,
                        edge + grid[k],
                        beam,
                        crystal,
                        epsilon,
                        masses,
                        c,
                        facing,
                        rtol,
                    )
                    if k == 0:
                        continue
                    rows[k, 0], rows[k, 1] = rows[k - 1, 0], rows[k - 1, 1]
                    middle = 0.0 if grid[k - 1] < 0.0 < grid[k] else grid[k]
                    for low, high in ((grid[k - 1], middle), (middle, grid[k])):
                        touches = low == 0.0 or high == 0.0
                        for n in range(FAR_X.size):
                            if high <= low:
                                continue
                            t, weight = 0.5 * (1.0 + FAR_X[n]), 0.5 * FAR_W[n]
                            x = low + (high - low) * t
                            if touches:
                                # D may go as 1/sqrt(x): the square root is smooth
                                x = low + high - (low + high) * (1.0 - t * t)
                                weight *= 2.0 * t
                            da, db = _correction_at(
                                exact,
                                planar,
                                lorentz,
                                edge + x,
                                beam,
                                crystal,
                                epsilon,
                                masses,
                                c,
                                facing,
                                rtol,
                            )
                            rows[k, 0] += (high - low) * weight * da
                            rows[k, 1] += (high - low) * weight * db
    return table


@njit(cache=True, error_model="numpy", nogil=True)
def correction_density(
    exact, planar, lorentz, angles, beam, crystal, epsilon, masses, c, facing, rtol
):
    """What a finite crystal adds to a pair's (A, B) at trigger angles (k,), shape (k, 2)."""
    found = np.empty((angles.size, 2))
    for k in range(angles.size):
        found[k] = _correction_at(
            exact, planar, lorentz, angles[k], beam, crystal, epsilon, masses, c, facing, rtol
        )
    return found
