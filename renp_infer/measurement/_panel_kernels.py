"""Numba kernels: pair densities integrated over panels of the trigger angle.

The large-crystal limit is integrated with its exact derivatives. On either side of the
support's middle a few blocks of nodes reach from the edge to the last panel, in a variable
in which the density is smooth; its antiderivative there, a polynomial, gives every panel,
to 1e-7 of the largest (planar 5e-6) where panels reach up to 20 degrees inside an edge. Over a
whole support it errs by up to 1.5e-4 of the peak (planar 1e-2), unless that is ``WIDE``: then
by 3e-9 (planar 3e-5). What a finite crystal adds is looked up.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from renp_infer.measurement._correction_kernels import look_up
from renp_infer.measurement._edge_kernels import GEOMETRY, edge_angle, edge_shift, kink_distances
from renp_infer.physics._pair_kernels import full_partials, planar_slopes
from renp_infer.records import FloatArray

NODES = 12
STEP = 1.0
"""Nodes of a block, and its greatest length in ``eta``, see ``_chord``."""
ROOM, CLOSEST = 1.0, 0.1
"""Longest block over the distance, in ``eta``, of a singularity behind it that is further
than the second."""
WIDE, LONGEST = np.deg2rad(125.0), np.deg2rad(12.0)
"""Half width of a massless pair's support from which no block is longer than ``LONGEST``. It
is reached where the second laser is within 18 degrees of the first one's axis."""
DISTANT = 3.0
"""Lengths of a range, in angle, from which it needs one block and no variable of its own."""
NODE_X, NODE_W = np.polynomial.legendre.leggauss(NODES)
CHANNELS = 2 * (GEOMETRY + 1)


def _antiderivatives() -> FloatArray:
    """Values at the nodes to a Chebyshev series of their integral from -1, (NODES + 1, NODES).

    Powers of x would lose three digits.
    """
    legendre = np.polynomial.legendre.legvander(NODE_X, NODES - 1) * NODE_W[:, None]
    legendre *= np.arange(NODES) + 0.5
    series = [np.polynomial.Legendre(row).integ(lbnd=-1.0) for row in legendre]
    columns = [part.convert(kind=np.polynomial.Chebyshev).coef for part in series]
    return np.ascontiguousarray(np.transpose(columns))


TO_SERIES = _antiderivatives()


@njit(cache=True, error_model="numpy")
def _node(planar, cosine, sine, weight, excess, beam, epsilon, a, b, c, facing, work, total):
    """Add one node at an angle: total[0] the pair (A, B), total[1:] its derivatives."""
    index, k_l, k_t, omega, turn_l, turn_t = beam
    z, y = index * (k_l - omega * cosine), index * (k_t - omega * sine)
    s = epsilon * epsilon - z * z - y * y
    if s <= 0.0:  # rounded away at the edge of a massless pair
        s = excess + a + b + 2.0 * np.sqrt(a * b)
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
            s, excess, a, b, c[4], z * g_z + y * g_y
        )
        along, across = by_c * g_z - by_s * z, by_c * g_y - by_s * y
        # the factor of an odd density, 1 for others
        turns = (c[5] * n_z + c[6] * n_y, c[5] * s_z + c[6] * s_y, c[5] * e_z + c[6] * e_y)
        for row in range(3):
            total[row + 1, 0] += w * turns[row] * density
            total[row + 1, 1] += w * turns[row] * partner
        factor = c[5] * z + c[6] * y + c[7]
        w, weight = w * factor, weight * factor
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
def _to_series(values, series):
    """Chebyshev series of the antiderivatives, (NODES + 1, CHANNELS), of values at the nodes."""
    series[:] = 0.0
    for k in range(NODES + 1):
        for m in range(NODES):
            factor = TO_SERIES[k, m]
            for n in range(CHANNELS):
                series[k, n] += factor * values[m, n]


@njit(cache=True, error_model="numpy")
def _at(series, x, row, out):
    """Antiderivatives at x into a row of ``out``, (CHANNELS,)."""
    before, here = 1.0, x
    for n in range(CHANNELS):
        out[row, n] = series[0, n] + x * series[1, n]
    for k in range(2, NODES + 1):
        before, here = here, 2.0 * x * here - before
        for n in range(CHANNELS):
            out[row, n] += here * series[k, n]


@njit(cache=True, error_model="numpy")
def _chord(distance, chord):
    """Variable eta of a distance from the edge: v = scale sinh(eta), v^2 = kappa distance.

    There the square roots of a density at its edge are smooth. As a logarithm the inverse
    is twice as fast and as good to rounding of 1.
    """
    ratio = chord[0] * distance / (chord[1] * chord[1])
    return np.log(np.sqrt(ratio) + np.sqrt(1.0 + ratio))


@njit(cache=True, error_model="numpy")
def _variable(distance, base, chord):
    """Variable of a block: sqrt(eta - base) beyond a kink at ``base`` > 0.

    For a base of 0 eta itself, for one below 0 the distance.
    """
    if base < 0.0:
        return distance
    eta = _chord(distance, chord)
    return np.sqrt(max(eta - base, 0.0)) if base > 0.0 else eta


@njit(cache=True, error_model="numpy")
def _fill(planar, start, stop, base, place, chord, pair, beam, epsilon, c, facing, work, out):
    """Values of a block at its nodes, (NODES, 6, 2), per unit of x in [-1, 1].

    ``start`` and ``stop`` are in its variable.
    """
    edge, sign, width, swing = place
    kappa, scale = chord
    a, b = pair[0] * pair[0], pair[1] * pair[1]
    cosine_edge, sine_edge = np.cos(edge), np.sin(edge)
    cosine_width, sine_width = np.cos(width), np.sin(width)
    half = 0.5 * (stop - start)
    out[:] = 0.0
    for n in range(NODES):
        t = start + half * (1.0 + NODE_X[n])
        distance, weight = t, half
        if base >= 0.0:
            eta, weight = (base + t * t, 2.0 * t * half) if base > 0.0 else (t, half)
            up = np.exp(eta)
            v = 0.5 * scale * (up - 1.0 / up)
            distance = v * v / kappa
            weight *= v * scale * (up + 1.0 / up) / kappa
        sine, cosine = np.sin(0.5 * distance), np.cos(0.5 * distance)
        # |w|^2 at the edge minus |w|^2 here, without cancellation
        excess = 2.0 * swing * (sine_width * cosine - cosine_width * sine) * sine
        turn_sine, turn_cosine = 2.0 * sign * sine * cosine, 1.0 - 2.0 * sine * sine
        _node(
            planar,
            cosine_edge * turn_cosine + sine_edge * turn_sine,
            sine_edge * turn_cosine - cosine_edge * turn_sine,
            weight,
            excess,
            beam,
            epsilon,
            a,
            b,
            c,
            facing,
            work,
            out[n],
        )


@njit(cache=True, error_model="numpy")
def _share(series, start, stop, base, end, place, chord, panels, panel, ends, out):
    """Add a block to the panels it reaches, outward from ``panel``; where the next begins.

    ``end`` is the distance at which its variable ends; ``panels`` as in ``_add_blocks``.
    """
    borders, used, first, last = panels
    sign = place[1]
    outward, ahead = (-1, 0) if sign > 0.0 else (1, 1)
    wide = out.reshape(out.shape[0], CHANNELS + 2)
    high = 1  # rows take turns: a view for each would cost more
    ends[0] = 0.0
    while first <= panel < last:
        border, x = sign * (place[0] - borders[panel + ahead]), 1.0
        if border < end:
            t = _variable(border, base, chord)
            x = min(2.0 * (t - start) / (stop - start) - 1.0, 1.0)
        _at(series, x, high, ends)
        if used[panel]:
            for n in range(CHANNELS):
                wide[panel, n] += ends[high, n] - ends[1 - high, n]
        if x == 1.0:  # the next block goes on with this panel
            break
        high = 1 - high
        panel += outward
    return panel


@njit(cache=True, error_model="numpy")
def _add_blocks(planar, panels, place, kinks, longest, pair, beam, epsilon, c, facing, out):
    """Integrals of a pair over panels that are all nearest to one edge.

    ``panels`` are (borders, used, first, last), with the borders (J + 1) as they are now and
    all used ones from ``first`` to ``last - 1``; ``place`` is (edge, +1 or -1, its distance
    from the middle, swing); ``kinks`` are two distances from the edge, ascending, infinite
    where there is none; ``longest`` is the greatest length of a block, rad.
    """
    borders, _, first, last = panels
    edge, sign, width, swing = place
    outward, panel, ahead = (-1, last - 1, 0) if sign > 0.0 else (1, first, 1)
    # borders as distances from the edge, inside positive
    near = max(sign * (edge - borders[panel + 1 - ahead]), 0.0)
    far = min(sign * (edge - borders[first if sign > 0.0 else last]), 2.0 * width)
    if near >= far:
        return
    while sign * (edge - borders[panel + ahead]) <= near:
        panel += outward
    kappa = max(swing * np.sin(width), 1e-12)
    chord = (kappa, max(2.0 * np.sqrt(pair[0] * pair[1]), 1e-4 * np.sqrt(kappa * far)))
    work, values = np.empty((4, 2)), np.empty((NODES, GEOMETRY + 1, 2))
    series, ends = np.empty((NODES + 1, CHANNELS)), np.empty((2, CHANNELS))
    singular = 0.0
    for kink in kinks:
        if kink < far:
            singular = max(singular, kink)
    plain = near - singular > DISTANT * (far - near)
    for zone in range(3):
        # beyond its kink a planar density has a term of power 3/2: a square root smooths it
        begin = near if zone == 0 else max(near, kinks[zone - 1])
        end = far if zone == 2 or plain else min(far, kinks[zone])
        if begin >= end:
            continue
        base = 0.0 if zone == 0 else _chord(kinks[zone - 1], chord)
        behind = 0.0 if zone < 2 or kinks[0] == kinks[1] else _chord(kinks[0], chord)
        eta, last_eta = _chord(begin, chord), _chord(end, chord)
        while eta < last_eta:
            # beyond a kink the one before it, or the edge, is a singularity beside the block
            room = STEP if zone == 0 else min(STEP, ROOM * max(eta - behind, CLOSEST))
            next_eta = eta + room if eta + 1.3 * room < last_eta and not plain else last_eta
            if longest < np.inf:
                reach = (chord[1] * np.sinh(eta)) ** 2 / kappa + longest
                if not plain and reach < end:
                    next_eta = min(next_eta, _chord(reach, chord))
            start, stop = eta, next_eta
            if plain:
                base, start, stop = -1.0, near, far
            elif base > 0.0:
                start, stop = np.sqrt(max(start - base, 0.0)), np.sqrt(stop - base)
            _fill(
                planar,
                start,
                stop,
                base,
                place,
                chord,
                pair,
                beam,
                epsilon,
                c,
                facing,
                work,
                values,
            )
            _to_series(values.reshape(NODES, CHANNELS), series)
            panel = _share(series, start, stop, base, end, place, chord, panels, panel, ends, out)
            eta = next_eta
        if plain:
            break


@njit(cache=True, error_model="numpy")
def _add_panels(planar, borders, used, pair, beam, epsilon, c, facing, out):
    """Integrals of a pair that is produced at all angles, panel by panel."""
    index, k_l, k_t, omega = beam[0], beam[1], beam[2], beam[3]
    a, b, q0 = pair[0] * pair[0], pair[1] * pair[1], pair[0] + pair[1]
    work = np.empty((4, 2))
    for j in range(used.size):
        if not used[j]:
            continue
        half = 0.5 * (borders[j + 1] - borders[j])
        for n in range(NODES):
            theta = borders[j] + half * (1.0 + NODE_X[n])
            cosine, sine = np.cos(theta), np.sin(theta)
            z, y = index * (k_l - omega * cosine), index * (k_t - omega * sine)
            excess = epsilon * epsilon - z * z - y * y - q0 * q0
            weight = half * NODE_W[n]
            _node(
                planar, cosine, sine, weight, excess, beam, epsilon, a, b, c, facing, work, out[j]
            )


@njit(cache=True, error_model="numpy")
def _add_edge(planar, side, edge, pair, beam, epsilon, c, facing, shift, total):
    """Leibniz' term in the panel around an edge, which moves with the parameters."""
    work, at_edge = np.empty((4, 2)), np.zeros((GEOMETRY + 1, 2))
    a, b = pair[0] * pair[0], pair[1] * pair[1]
    sign, cosine, sine = (1.0 if side else -1.0), np.cos(edge), np.sin(edge)
    _node(planar, cosine, sine, sign, 0.0, beam, epsilon, a, b, c, facing, work, at_edge)
    for row in range(GEOMETRY):
        total[row + 1, 0] += at_edge[0, 0] * shift[row]
        total[row + 1, 1] += at_edge[0, 1] * shift[row]


@njit(cache=True, error_model="numpy")
def _at_nominal(planar, side, edge, pair, beam, nominal, epsilon, shift, drift):
    """Factor of the table's correction, made at the nominal beam; ``drift`` is its log's half.

    The planar density goes as w_t^2 where pairs are at rest.
    """
    across = edge_shift(edge, beam, pair[0], pair[1], shift, drift)
    middle, turn = edge_angle(
        nominal[1], nominal[2], nominal[3], nominal[0], epsilon, pair[0] + pair[1]
    )
    if not planar or not 0.0 < turn < np.inf:
        drift[:] = 0.0
        return 1.0
    unused, made_drift = np.empty(GEOMETRY), np.empty(GEOMETRY)
    made_edge = middle + (turn if side else -turn)
    made = edge_shift(made_edge, nominal, pair[0], pair[1], unused, made_drift)
    for row in range(GEOMETRY):
        drift[row] /= across
        if row > 2:
            drift[row] -= made_drift[row] / made
    return (across / made) ** 2


@njit(cache=True, error_model="numpy")
def _turning(beam, shift, drift):
    """Derivatives of the antipode's nominal angle where no edge is; the correction's factor."""
    _, k_l, k_t, _, turn_l, turn_t = beam
    shift[:], drift[:] = 0.0, 0.0
    shift[1] = -1.0
    shift[2] = (k_l * turn_t - k_t * turn_l) / (k_l * k_l + k_t * k_t)
    return 1.0


@njit(cache=True, error_model="numpy")
def _add_beyond(planar, moved, used, kinks, longest, pair, beam, epsilon, c, facing, out):
    """Integrals over the ends of panels that reach into the support past its antipode.

    The fit may turn the support by some degrees; the panels end at its nominal antipode.
    """
    count = used.size
    centre, width = edge_angle(beam[1], beam[2], beam[3], beam[0], epsilon, pair[0] + pair[1])
    swing = 2.0 * beam[0] ** 2 * beam[3] * np.sqrt(beam[1] ** 2 + beam[2] ** 2)
    shift, drift = np.empty(GEOMETRY), np.empty(GEOMETRY)
    for side in range(2):
        sign = 1.0 if side else -1.0
        edge, again = centre + sign * width, moved + sign * 2.0 * np.pi
        head, tail = 0, count
        while head < tail and (not used[head] or (not side and again[head + 1] <= edge)):
            head += 1
        while head < tail and (not used[tail - 1] or (side and again[tail - 1] >= edge)):
            tail -= 1
        if head == tail:
            continue
        panels, place = (again, used, head, tail), (edge, sign, width, swing)
        _add_blocks(
            planar, panels, place, kinks[side], longest, pair, beam, epsilon, c, facing, out
        )
        edge_shift(edge, beam, pair[0], pair[1], shift, drift)
        for j in range(head, tail):
            if used[j] and again[j] < edge < again[j + 1]:
                _add_edge(planar, side, edge, pair, beam, epsilon, c, facing, shift, out[j])


@njit(cache=True, error_model="numpy")
def _add_correction(panels, edge, factor, shift, drift, rows, grid, weights, slopes, out):
    """What the finite crystal adds to panels."""
    borders, used, first, last = panels
    ends, right, reached = np.empty((2, 3, 2)), 0, -1
    for j in range(first, last):
        if not used[j]:
            continue
        if reached != j:
            look_up(rows, grid, borders[j] - edge, weights, slopes, right, ends)
        left, right = right, 1 - right
        look_up(rows, grid, borders[j + 1] - edge, weights, slopes, right, ends)
        reached = j + 1
        for ab in range(2):
            value = factor * (ends[right, 0, ab] - ends[left, 0, ab])
            step = factor * (ends[right, 1, ab] - ends[left, 1, ab])
            out[j, 0, ab] += value
            for row in range(GEOMETRY):
                # the panel is fixed in nominal angle, the edge moves
                out[j, row + 1, ab] += 2.0 * drift[row] * value - step * shift[row]
            out[j, GEOMETRY + 1, ab] += factor * (ends[right, 2, ab] - ends[left, 2, ab])


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
    pairs, count, moved = masses.shape[0], borders.size - 1, borders + shift_s
    out = np.zeros((pairs, count, GEOMETRY + 2, 2))
    shift, drift = np.empty(GEOMETRY), np.empty(GEOMETRY)
    _, widest = edge_angle(nominal[1], nominal[2], nominal[3], nominal[0], epsilon, 0.0)
    longest = LONGEST if widest > WIDE else np.inf
    for p in range(pairs):
        pair = (max(masses[p, 0], 1e-12), max(masses[p, 1], 1e-12))
        q0 = pair[0] + pair[1]
        centre, width = edge_angle(beam[1], beam[2], beam[3], beam[0], epsilon, q0)
        if width == 0.0:
            continue
        closed = not np.isfinite(width)
        if closed:
            _add_panels(planar, moved, used, pair, beam, epsilon, c, facing, out[p])
            width = np.pi
        swing = 2.0 * beam[0] ** 2 * beam[3] * np.sqrt(beam[1] ** 2 + beam[2] ** 2)
        kinks = kink_distances(planar and not closed, centre, width, beam, epsilon, *pair)
        stop = 0
        for side in range(2):
            # panels belong to the turn of the support that is nearest
            start = stop
            while stop < count and (side or 0.5 * (moved[stop] + moved[stop + 1]) < centre):
                stop += 1
            head, tail = start, stop
            while head < tail and not used[head]:
                head += 1
            while head < tail and not used[tail - 1]:
                tail -= 1
            if head == tail:
                continue
            sign = 1.0 if side else -1.0
            edge = centre + sign * width
            place = (edge, sign, width, swing)
            panels = (moved, used, head, tail)
            rows = table[p, side, first : first + weights.size]
            if closed:
                factor = _turning(beam, shift, drift)
                _add_correction(
                    panels, edge, factor, shift, drift, rows, grid, weights, slopes, out[p]
                )
                continue
            _add_blocks(
                planar, panels, place, kinks[side], longest, pair, beam, epsilon, c, facing, out[p]
            )
            factor = _at_nominal(planar, side, edge, pair, beam, nominal, epsilon, shift, drift)
            _add_correction(panels, edge, factor, shift, drift, rows, grid, weights, slopes, out[p])
            for j in range(head, tail):
                if used[j] and moved[j] < edge < moved[j + 1]:
                    _add_edge(planar, side, edge, pair, beam, epsilon, c, facing, shift, out[p, j])
        far = 2.0 * np.pi - width
        if not closed and (moved[0] < centre - far or moved[count] > centre + far):
            _add_beyond(planar, moved, used, kinks, longest, pair, beam, epsilon, c, facing, out[p])
    return out
