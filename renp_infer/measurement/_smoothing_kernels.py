"""Numba kernels: pair densities integrated over panels of the trigger angle.

The large-crystal limit is integrated with its exact derivatives; what a finite
crystal adds is looked up in a table of the distance to the nearest edge. Inside
a panel the integrand is analytic but for the edge, where the variable of
``_form_kernels.chord_nodes`` is used again.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from renp_infer.physics._crystal_kernels import (
    crystal_point,
    form_norm,
    local_density,
    split_integral,
)
from renp_infer.physics._form_kernels import ETA_STEP, GAUSS_W, GAUSS_X
from renp_infer.physics._pair_kernels import full_partials, planar_slopes

FAR_X, FAR_W = np.polynomial.legendre.leggauss(3)
GEOMETRY = 5
"""Derivatives per pair: refractive index, theta_s, theta_e, m_i^2, m_j^2."""
TABLE_CUT = 25.0
"""Where oscillations may fade: 1 % of the correction, which is a few 1e-3."""


@njit(cache=True, error_model="numpy")
def edge_angle(k_l, k_t, omega, index, epsilon, q0):
    """(centre, half width) of the angles in which s > (m_i + m_j)^2.

    The width is 0 where no angle is inside and infinite where all are.
    """
    k = np.sqrt(k_l * k_l + k_t * k_t)
    centre = np.arctan2(k_t, k_l)
    rim2 = (epsilon - q0) * (epsilon + q0) / (index * index)
    cosine = (k * k + omega * omega - rim2) / (2.0 * k * omega)
    if q0 >= epsilon or cosine >= 1.0:
        return centre, 0.0
    if cosine <= -1.0:
        return centre, np.inf
    return centre, np.arccos(cosine)


@njit(cache=True, error_model="numpy")
def _node(planar, theta, weight, excess, beam, epsilon, a, b, c, facing, work, total):
    """Add one node: total[0] the pair (A, B), total[1:] its derivatives."""
    index, k_l, k_t, omega, turn_l, turn_t = beam
    cosine, sine = np.cos(theta), np.sin(theta)
    z, y = index * (k_l - omega * cosine), index * (k_t - omega * sine)
    s = epsilon * epsilon - z * z - y * y
    face = facing[0] * cosine + facing[1] * sine + facing[2]
    slope = facing[1] * cosine - facing[0] * sine
    w = weight * face
    # dw/d(index), dw/d(theta_s), dw/d(theta_e), each along k1 and across it
    n_z, n_y = z / index, y / index
    s_z, s_y = index * omega * sine, -index * omega * cosine
    e_z, e_y = index * turn_l, index * turn_t
    if planar:
        density, partner = planar_slopes(z, y, s, excess, a, b, c[0], c[1], c[2], work)
        for ab in range(2):
            along, across = work[0, ab], work[1, ab]
            total[1, ab] += w * (along * n_z + across * n_y)
            total[2, ab] += w * (along * s_z + across * s_y)
            total[3, ab] += w * (along * e_z + across * e_y)
            total[4, ab] += w * work[2, ab]
            total[5, ab] += w * work[3, ab]
    else:
        g_z, g_y = c[0] * z + c[1] * y, c[1] * z + c[2] * y
        density, partner, by_s, by_c, by_a, by_b, one_s, one_a, one_b = full_partials(
            s, excess, a, b, c[0] + c[2] + c[3], z * g_z + y * g_y
        )
        along, across = by_c * g_z - by_s * z, by_c * g_y - by_s * y
        w2 = 2.0 * w
        total[1, 0] += w2 * (along * n_z + across * n_y)
        total[2, 0] += w2 * (along * s_z + across * s_y)
        total[3, 0] += w2 * (along * e_z + across * e_y)
        total[4, 0] += w * by_a
        total[5, 0] += w * by_b
        total[1, 1] -= w2 * one_s * (z * n_z + y * n_y)
        total[2, 1] -= w2 * one_s * (z * s_z + y * s_y)
        total[3, 1] -= w2 * one_s * (z * e_z + y * e_y)
        total[4, 1] += w * one_a
        total[5, 1] += w * one_b
    total[0, 0] += w * density
    total[0, 1] += w * partner
    total[2, 0] += weight * slope * density
    total[2, 1] += weight * slope * partner


@njit(cache=True, error_model="numpy")
def _piece(
    planar,
    low,
    high,
    edge,
    centre,
    beam,
    epsilon,
    m_i,
    m_j,
    c,
    facing,
    work,
    total,
    kink_low,
    kink_high,
):
    """Integrate [low, high], inside the support, next to ``edge`` or to kinks."""
    index, k_l, k_t, omega = beam[0], beam[1], beam[2], beam[3]
    a, b, q0 = m_i * m_i, m_j * m_j, m_i + m_j
    swing = 2.0 * index * index * omega * np.sqrt(k_l * k_l + k_t * k_t)
    sign = 1.0 if edge >= centre else -1.0
    near, far = (
        sign * (edge - (high if sign > 0.0 else low)),
        sign * (edge - (low if sign > 0.0 else high)),
    )
    near = max(near, 0.0)
    if not np.isfinite(edge) or near > 3.0 * (far - near):
        for n in range(FAR_X.size):
            t, weight = 0.5 * (1.0 + FAR_X[n]), 0.5 * (high - low) * FAR_W[n]
            # squares smooth the power 3/2, and its derivatives, at a kink
            if kink_low:
                t, weight = t * t, weight * 2.0 * t
            elif kink_high:
                t, weight = t * (2.0 - t), weight * 2.0 * (1.0 - t)
            theta = low + (high - low) * t
            z = index * (k_l - omega * np.cos(theta))
            y = index * (k_t - omega * np.sin(theta))
            excess = epsilon * epsilon - z * z - y * y - q0 * q0
            _node(planar, theta, weight, excess, beam, epsilon, a, b, c, facing, work, total)
        return
    kappa = max(swing * abs(np.sin(edge - centre)), 1e-12)
    scale = max(2.0 * np.sqrt(m_i * m_j), 1e-4 * np.sqrt(kappa * far))
    start, stop = (
        np.arcsinh(np.sqrt(kappa * near) / scale),
        np.arcsinh(np.sqrt(kappa * far) / scale),
    )
    pieces = int(np.ceil((stop - start) / ETA_STEP))
    half = 0.5 * (stop - start) / pieces
    for piece in range(pieces):
        for n in range(GAUSS_X.size):
            eta = start + half * (2.0 * piece + 1.0 + GAUSS_X[n])
            v = scale * np.sinh(eta)
            delta = v * v / kappa
            theta = edge - sign * delta
            weight = GAUSS_W[n] * half * 2.0 * v * scale * np.cosh(eta) / kappa
            # |w|^2 at the edge minus |w|^2 here, without cancellation
            excess = 2.0 * swing * np.sin(abs(edge - centre) - 0.5 * delta) * np.sin(0.5 * delta)
            _node(planar, theta, weight, excess, beam, epsilon, a, b, c, facing, work, total)


@njit(cache=True, error_model="numpy")
def _edge_shift(edge, beam, m_i, m_j, shift, drift):
    """Derivatives of the edge's nominal angle and of w_t there, and w_t.

    In the order of GEOMETRY; the trigger's offset moves the nominal angle
    only.
    """
    index, k_l, k_t, omega, turn_l, turn_t = beam
    cosine, sine = np.cos(edge), np.sin(edge)
    z, y = index * (k_l - omega * cosine), index * (k_t - omega * sine)
    slope = -2.0 * index * omega * (z * sine - y * cosine)
    shift[0] = 2.0 * (z * z + y * y) / index / slope
    shift[1] = -1.0
    shift[2] = 2.0 * index * (z * turn_l + y * turn_t) / slope
    shift[3] = (1.0 + m_j / m_i) / slope
    shift[4] = (1.0 + m_i / m_j) / slope
    fall = -index * omega * cosine
    drift[0] = y / index + fall * shift[0]
    drift[1] = 0.0
    drift[2] = index * turn_t + fall * shift[2]
    drift[3], drift[4] = fall * shift[3], fall * shift[4]
    return y


@njit(cache=True, error_model="numpy")
def _kink_angles(planar, centre, width, beam, epsilon, m_i, m_j):
    """Angles at which p1y or p2y begins to change sign, (2 sides, 2) ascending.

    There s = m_i^2 + m_j^2 + 2 m_i sqrt(m_j^2 + w_t^2), or with i and j
    exchanged; five Newton steps from the edge. The centre where there is none.
    """
    out = np.full((2, 2), centre)
    if not planar or not np.isfinite(width):
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
            inside = centre < angle < edge or edge < angle < centre
            out[side, n] = angle if inside and abs(miss) < 1e-6 else centre
        if out[side, 0] > out[side, 1]:
            out[side, 0], out[side, 1] = out[side, 1], out[side, 0]
    return out


@njit(cache=True, error_model="numpy")
def look_up(table, grid, x, weights, slopes, out):
    """Correction at distance x from the edge, with derivatives.

    ``table`` is (mass, node, [A, B, dA/dx, dB/dx]), Hermite in x; ``weights``
    and ``slopes`` combine the mass nodes. ``out`` gets rows (A, B), slopes in
    x and in mass. Beyond the grid the end value holds.
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
    out[:] = 0.0
    for m in range(table.shape[0]):
        for ab in range(2):
            left, right = table[m, k, ab], table[m, k + 1, ab]
            rise, fall = table[m, k, 2 + ab], table[m, k + 1, 2 + ab]
            value = h00 * left + h01 * right + h10 * rise + h11 * fall
            slope = d00 * (left - right) + d10 * rise + d11 * fall
            out[0, ab] += weights[m] * value
            out[1, ab] += weights[m] * slope
            out[2, ab] += slopes[m] * value


@njit(cache=True, error_model="numpy")
def panel_integrals(
    planar,
    borders,
    used,
    shift_s,
    beam,
    nominal,
    epsilon,
    masses,
    c,
    facing,
    grid,
    table,
    first,
    weights,
    slopes,
):
    """Pair integrals over panels of the trigger angle, with derivatives.

    Parameters: ``borders`` (J + 1) nominal angles and ``used`` (J) panels
    wanted, ``shift_s`` the trigger's zero offset, ``beam`` (index, K_l, K_t,
    omega_s, dK_l, dK_t) with K = k1 + k2 and its derivative in theta_e,
    ``nominal`` the beam for which the table was made, ``masses`` (6, 2),
    ``facing`` the coefficients of cos, sin and 1 in the direction factor,
    ``table`` (6, 2 edges, mass nodes, x nodes, 4) with ``weights`` and
    ``slopes`` for the four mass nodes from ``first``.

    Returns (6, J, 7, 2): for A and B the value, the five ``GEOMETRY``
    derivatives and the derivative in the mass coordinate of the table.
    """
    pairs, count = masses.shape[0], borders.size - 1
    out = np.zeros((pairs, count, GEOMETRY + 2, 2))
    work = np.empty((4, 2))
    edge_work = np.empty((GEOMETRY + 1, 2))
    shift, drift = np.empty(GEOMETRY), np.empty(GEOMETRY)
    unused, made_drift = np.empty(GEOMETRY), np.empty(GEOMETRY)
    begin, end = np.empty((3, 2)), np.empty((3, 2))
    nodes = weights.size
    for p in range(pairs):
        m_i, m_j = max(masses[p, 0], 1e-12), max(masses[p, 1], 1e-12)
        centre, width = edge_angle(beam[1], beam[2], beam[3], beam[0], epsilon, m_i + m_j)
        reached, reached_side = -1, -1
        kinks = _kink_angles(planar, centre, width, beam, epsilon, m_i, m_j)
        for j in range(count):
            if not used[j] or width == 0.0:
                continue
            left, right = borders[j] + shift_s, borders[j + 1] + shift_s
            # the turn of the support that is nearest to this panel
            side = 1 if 0.5 * (left + right) >= centre else 0
            edge = centre + (width if side else -width)
            low, high = max(left, centre - width), min(right, centre + width)
            total = out[p, j]
            for part in range(3):
                # planar densities have kinks of power 3/2: panels end there
                start = low if part == 0 else max(low, kinks[side, part - 1])
                stop = high if part == 2 else min(high, kinks[side, part])
                if low < high and start < stop:
                    _piece(
                        planar,
                        start,
                        stop,
                        edge,
                        centre,
                        beam,
                        epsilon,
                        m_i,
                        m_j,
                        c,
                        facing,
                        work,
                        total,
                        start > low,
                        stop < high,
                    )
            if not np.isfinite(width):
                continue
            _edge_shift(edge, beam, m_i, m_j, shift, drift)
            if left < edge < right:
                # Leibniz: the edge moves with the parameters
                edge_work[:] = 0.0
                _node(
                    planar,
                    edge,
                    1.0 if side else -1.0,
                    0.0,
                    beam,
                    epsilon,
                    m_i * m_i,
                    m_j * m_j,
                    c,
                    facing,
                    work,
                    edge_work,
                )
                for row in range(GEOMETRY):
                    total[row + 1, 0] += edge_work[0, 0] * shift[row]
                    total[row + 1, 1] += edge_work[0, 1] * shift[row]
            if nodes == 0:
                continue
            rows = table[p, side, first : first + nodes]
            if reached == j and reached_side == side:
                begin[:] = end
            else:
                look_up(rows, grid, left - edge, weights, slopes, begin)
            look_up(rows, grid, right - edge, weights, slopes, end)
            reached, reached_side = j + 1, side
            # the planar density goes as w_t^2 where pairs are at rest
            factor, drift[:] = 1.0, 0.0
            if planar:
                _, turn = edge_angle(
                    nominal[1], nominal[2], nominal[3], nominal[0], epsilon, m_i + m_j
                )
                middle = np.arctan2(nominal[2], nominal[1])
                made = _edge_shift(
                    middle + (turn if side else -turn), nominal, m_i, m_j, unused, made_drift
                )
                across = _edge_shift(edge, beam, m_i, m_j, shift, drift)
                factor = (across / made) ** 2
                for row in range(GEOMETRY):
                    drift[row] /= across
                    if row > 2:
                        drift[row] -= made_drift[row] / made
            for ab in range(2):
                step = factor * (end[1, ab] - begin[1, ab])
                value = factor * (end[0, ab] - begin[0, ab])
                total[0, ab] += value
                for row in range(GEOMETRY):
                    # the panel is fixed in nominal angle, the edge moves
                    total[row + 1, ab] += 2.0 * drift[row] * value - step * shift[row]
                total[GEOMETRY + 1, ab] += factor * (end[2, ab] - begin[2, ab])
    return out


@njit(cache=True, error_model="numpy")
def _correction_at(exact, planar, lorentz, theta, beam, crystal, epsilon, masses, c, facing, rtol):
    """Direction factor times (crystal integral / norm - D), for A and B."""
    index, k_l, k_t, omega = beam[0], beam[1], beam[2], beam[3]
    cosine, sine = np.cos(theta), np.sin(theta)
    z, y = index * (k_l - omega * cosine), index * (k_t - omega * sine)
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

    ``pair_masses`` is (mass nodes, 6, 2), ``sides`` which of the lower and
    upper edge to do. Returns (6, 2, mass nodes, x nodes, 4) for ``look_up``.
    Panels that straddle the edge are split there.
    """
    shape = (pair_masses.shape[1], 2, pair_masses.shape[0], grid.size, 4)
    table = np.zeros(shape)
    for p in range(shape[0]):
        for m in range(shape[2]):
            masses = pair_masses[m, p]
            centre, width = edge_angle(
                beam[1], beam[2], beam[3], beam[0], epsilon, masses[0] + masses[1]
            )
            if width == 0.0 or not np.isfinite(width):
                continue
            for side in range(2):
                if not sides[side]:
                    continue
                edge = centre + (width if side else -width)
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
