"""Numba kernels: blocks of nodes from an edge of the support over panels of the trigger angle.

In the variable of a block the density is smooth; its antiderivative there, a polynomial, gives
every panel, to 1e-7 of the largest (planar 5e-6) where panels reach up to 20 degrees inside an
edge. Over a whole support it errs by up to 1.5e-4 of the peak (planar 1e-2), unless that is
``WIDE``: then by 3e-9 (planar 3e-5).
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit
from renp_infer.measurement._beam_kernels import OWN, bent_excess, momentum, momentum_slopes
from renp_infer.measurement._edge_kernels import GEOMETRY
from renp_infer.physics.pairs._pair_kernels import full_partials, planar_slopes
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
def add_node(planar, cosine, sine, weight, excess, beam, epsilon, a, b, c, facing, work, total):
    """Add one node at an angle: total[0] the pair (A, B), total[1:] its derivatives.

    ``work`` is scratch of shape (4, 2); with ``None`` there are no derivatives.
    """
    z, y = momentum(beam, cosine, sine)
    s = epsilon * epsilon - z * z - y * y
    if s <= 0.0:  # rounded away at the edge of a massless pair
        s = excess + a + b + 2.0 * np.sqrt(a * b)
    w = weight * (facing[0] * cosine + facing[1] * sine + facing[2])
    if work is None:
        if planar:
            density, partner = planar_slopes(z, y, s, excess, a, b, c[0], c[1], c[2], work)
        else:
            g_z, g_y = c[0] * z + c[1] * y, c[1] * z + c[2] * y
            parts = full_partials(s, excess, a, b, c[4], z * g_z + y * g_y)
            density, partner = parts[0], parts[1]
            w *= c[5] * z + c[6] * y + c[7]
        total[0, 0] += w * density
        total[0, 1] += w * partner
        return
    slope = facing[1] * cosine - facing[0] * sine
    # dw/d(index), dw/d(theta_s), dw/d(theta_e), each along k1 and across it
    by_n, by_x, by_s, by_e = momentum_slopes(beam, cosine, sine, z, y)
    (n_z, n_y), (x_z, x_y), (s_z, s_y), (e_z, e_y) = by_n, by_x, by_s, by_e
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
        weight_face = w
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
        if beam[OWN] != 0.0:  # the extraordinary index, which is in no planar density
            turn = weight_face * (c[5] * x_z + c[6] * x_y)
            total[6, 0] += turn * density + w2 * (along * x_z + across * x_y)
            total[6, 1] += turn * partner - w2 * one_s * (z * x_z + y * x_y)
    total[0, 0] += w * density
    total[0, 1] += w * partner
    total[2, 0] += weight * slope * density
    total[2, 1] += weight * slope * partner


@njit(cache=True, error_model="numpy")
def _channels(work):
    """Numbers per node: A, B and their derivatives, or A and B alone."""
    if work is None:
        return 2
    return CHANNELS


@njit(cache=True, error_model="numpy")
def _to_series(work, values, series):
    """Chebyshev series of the antiderivatives, (NODES + 1, channels), of values at the nodes."""
    channels = _channels(work)
    series[:] = 0.0
    for k in range(NODES + 1):
        for m in range(NODES):
            factor = TO_SERIES[k, m]
            for n in range(channels):
                series[k, n] += factor * values[m, n]


@njit(cache=True, error_model="numpy")
def _at(work, series, x, row, out):
    """Antiderivatives at x into a row of ``out``, (channels,)."""
    before, here = 1.0, x
    channels = _channels(work)
    for n in range(channels):
        out[row, n] = series[0, n] + x * series[1, n]
    for k in range(2, NODES + 1):
        before, here = here, 2.0 * x * here - before
        for n in range(channels):
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
    edge, sign, width, swing, _ = place
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
        here_cosine = cosine_edge * turn_cosine + sine_edge * turn_sine
        here_sine = sine_edge * turn_cosine - cosine_edge * turn_sine
        factor, more = bent_excess(beam, cosine_edge, sine_edge, here_cosine, here_sine, turn_sine)
        add_node(
            planar,
            here_cosine,
            here_sine,
            weight,
            factor * excess + more,
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
def _share(work, series, start, stop, base, end, place, chord, panels, panel, ends, out):
    """Add a block to the panels it reaches, outward from ``panel``; where the next begins.

    ``end`` is the distance at which its variable ends; ``panels`` as in ``add_blocks``.
    """
    borders, used, first, last = panels
    sign = place[1]
    outward, ahead = (-1, 0) if sign > 0.0 else (1, 1)
    channels = _channels(work)
    wide = out.reshape(out.shape[0], out.shape[1] * 2)
    high = 1  # rows take turns: a view for each would cost more
    ends[0] = 0.0
    while first <= panel < last:
        border, x = sign * (place[0] - borders[panel + ahead]), 1.0
        if border < end:
            t = _variable(border, base, chord)
            x = min(2.0 * (t - start) / (stop - start) - 1.0, 1.0)
        _at(work, series, x, high, ends)
        if used[panel]:
            for n in range(channels):
                wide[panel, n] += ends[high, n] - ends[1 - high, n]
        if x == 1.0:  # the next block goes on with this panel
            break
        high = 1 - high
        panel += outward
    return panel


@njit(cache=True, error_model="numpy")
def add_blocks(planar, panels, place, kinks, longest, pair, beam, epsilon, c, facing, work, out):
    """Integrals of a pair over panels that are all nearest to one edge.

    ``panels`` are (borders, used, first, last), with the borders (J + 1) as they are now and
    all used ones from ``first`` to ``last - 1``; ``place`` is (edge, +1 or -1, its distance
    from the middle, swing, distance of the other edge); ``kinks`` are two distances from the
    edge, ascending, infinite where there is none; ``longest`` is the greatest length of a
    block, rad; ``work`` as in ``add_node``.
    """
    borders, _, first, last = panels
    edge, sign, width, swing, span = place
    outward, panel, ahead = (-1, last - 1, 0) if sign > 0.0 else (1, first, 1)
    # borders as distances from the edge, inside positive
    near = max(sign * (edge - borders[panel + 1 - ahead]), 0.0)
    far = min(sign * (edge - borders[first if sign > 0.0 else last]), span)
    if near >= far:
        return
    while sign * (edge - borders[panel + ahead]) <= near:
        panel += outward
    kappa = max(swing * np.sin(width), 1e-12)
    chord = (kappa, max(2.0 * np.sqrt(pair[0] * pair[1]), 1e-4 * np.sqrt(kappa * far)))
    channels = _channels(work)
    values, ends = np.empty((NODES, channels // 2, 2)), np.empty((2, channels))
    series = np.empty((NODES + 1, channels))
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
            _to_series(work, values.reshape(NODES, channels), series)
            panel = _share(
                work, series, start, stop, base, end, place, chord, panels, panel, ends, out
            )
            eta = next_eta
        if plain:
            break
