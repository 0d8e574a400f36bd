"""Numba kernels: pair densities integrated over panels of the trigger angle.

The large-crystal limit is integrated with its exact derivatives, from either edge of the
support in blocks of nodes, see ``_block_kernels``. What a finite crystal adds is looked up.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit
from renp_infer.measurement._beam_kernels import EXTRAORDINARY, ORDINARY, OWN, momentum
from renp_infer.measurement._block_kernels import (
    LONGEST,
    NODE_W,
    NODE_X,
    NODES,
    WIDE,
    add_blocks,
    add_node,
)
from renp_infer.measurement._correction_kernels import look_up
from renp_infer.measurement._edge_kernels import GEOMETRY, edge_angles, edge_shift, kink_distances


@njit(cache=True, error_model="numpy")
def _add_panels(planar, borders, used, pair, beam, epsilon, c, facing, work, out):
    """Integrals of a pair that is produced at all angles, panel by panel."""
    a, b, q0 = pair[0] * pair[0], pair[1] * pair[1], pair[0] + pair[1]
    for j in range(used.size):
        if not used[j]:
            continue
        half = 0.5 * (borders[j + 1] - borders[j])
        for n in range(NODES):
            theta = borders[j] + half * (1.0 + NODE_X[n])
            cosine, sine = np.cos(theta), np.sin(theta)
            z, y = momentum(beam, cosine, sine)
            excess = epsilon * epsilon - z * z - y * y - q0 * q0
            weight = half * NODE_W[n]
            add_node(
                planar, cosine, sine, weight, excess, beam, epsilon, a, b, c, facing, work, out[j]
            )


@njit(cache=True, error_model="numpy")
def _add_edges(planar, side, edge, pair, beam, epsilon, c, facing, shift, panels, work, out):
    """Leibniz' term in the panels around an edge, which moves with the parameters."""
    if work is None:
        return
    borders, used, first, last = panels
    for j in range(first, last):
        if used[j] and borders[j] < edge < borders[j + 1]:
            _add_edge(planar, side, edge, pair, beam, epsilon, c, facing, shift, work, out[j])


@njit(cache=True, error_model="numpy")
def _add_edge(planar, side, edge, pair, beam, epsilon, c, facing, shift, work, total):
    """The term in one panel."""
    at_edge = np.zeros((GEOMETRY + 1, 2))
    a, b = pair[0] * pair[0], pair[1] * pair[1]
    sign, cosine, sine = (1.0 if side else -1.0), np.cos(edge), np.sin(edge)
    add_node(planar, cosine, sine, sign, 0.0, beam, epsilon, a, b, c, facing, work, at_edge)
    for row in range(GEOMETRY):
        total[row + 1, 0] += at_edge[0, 0] * shift[row]
        total[row + 1, 1] += at_edge[0, 1] * shift[row]


@njit(cache=True, error_model="numpy")
def _at_nominal(planar, side, edge, pair, beam, nominal, epsilon, shift, drift):
    """Factor of the table's correction, made at the nominal beam; ``drift`` is its log's half.

    The planar density goes as w_t^2 where pairs are at rest.
    """
    across = edge_shift(edge, beam, pair[0], pair[1], shift, drift)
    middle, turn, _ = edge_angles(nominal, epsilon, pair[0] + pair[1])
    if not planar or not 0.0 < turn < np.inf:
        drift[:] = 0.0
        return 1.0
    unused, made_drift = np.empty(GEOMETRY), np.empty(GEOMETRY)
    made_edge = middle + (turn if side else -turn)
    made = edge_shift(made_edge, nominal, pair[0], pair[1], unused, made_drift)
    for row in range(GEOMETRY):
        drift[row] /= across
        if 2 < row < 5:
            drift[row] -= made_drift[row] / made
    return (across / made) ** 2


@njit(cache=True, error_model="numpy")
def _turning(beam, shift, drift):
    """Derivatives of the antipode's nominal angle where no edge is; the correction's factor."""
    k_l, k_t, turn_l, turn_t = beam[1], beam[2], beam[4], beam[5]
    square = k_l * k_l + k_t * k_t
    shift[:], drift[:] = 0.0, 0.0
    shift[1] = -1.0
    shift[2] = (k_l * turn_t - k_t * turn_l) / square
    if beam[OWN] != 0.0:
        shift[0] = (k_l * beam[ORDINARY + 1] - k_t * beam[ORDINARY]) / square
        shift[5] = (k_l * beam[EXTRAORDINARY + 1] - k_t * beam[EXTRAORDINARY]) / square
    return 1.0


@njit(cache=True, error_model="numpy")
def _add_beyond(planar, moved, used, kinks, longest, pair, beam, epsilon, c, facing, work, out):
    """Integrals over the ends of panels that reach into the support past its antipode.

    The fit may turn the support by some degrees; the panels end at its nominal antipode.
    """
    count = used.size
    centre, lower, upper = edge_angles(beam, epsilon, pair[0] + pair[1])
    swing = 2.0 * beam[0] ** 2 * beam[3] * np.sqrt(beam[1] ** 2 + beam[2] ** 2)
    shift, drift = np.empty(GEOMETRY), np.empty(GEOMETRY)
    for side in range(2):
        sign, width = (1.0, upper) if side else (-1.0, lower)
        edge, again = centre + sign * width, moved + sign * 2.0 * np.pi
        head, tail = 0, count
        while head < tail and (not used[head] or (not side and again[head + 1] <= edge)):
            head += 1
        while head < tail and (not used[tail - 1] or (side and again[tail - 1] >= edge)):
            tail -= 1
        if head == tail:
            continue
        panels, place = (again, used, head, tail), (edge, sign, width, swing, lower + upper)
        add_blocks(
            planar, panels, place, kinks[side], longest, pair, beam, epsilon, c, facing, work, out
        )
        edge_shift(edge, beam, pair[0], pair[1], shift, drift)
        _add_edges(planar, side, edge, pair, beam, epsilon, c, facing, shift, panels, work, out)


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
            out[j, 0, ab] += value
            if slopes is None:
                continue
            step = factor * (ends[right, 1, ab] - ends[left, 1, ab])
            for row in range(GEOMETRY):
                # the panel is fixed in nominal angle, the edge moves
                out[j, row + 1, ab] += 2.0 * drift[row] * value - step * shift[row]
            out[j, GEOMETRY + 1, ab] += factor * (ends[right, 2, ab] - ends[left, 2, ab])


@njit(cache=True, error_model="numpy")
def panel_integrals(
    planar,
    block,
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

    Parameters: ``block`` the greatest length of a block of nodes, rad, beside that of a
    ``WIDE`` support, ``borders`` (J + 1) nominal angles and ``used`` (J) panels wanted,
    ``shift_s`` the trigger's zero offset, ``beam`` as in ``_beam_kernels``,
    ``nominal`` the beam for which the table was made, ``masses`` (6, 2),
    ``facing`` the coefficients of cos, sin and 1 in the direction factor,
    ``table`` (6, 2 edges, mass nodes, x nodes, 4) with ``weights`` and
    ``slopes`` for the four mass nodes from ``first``.

    Returns (6, J, 8, 2): for A and B the value, the six ``GEOMETRY``
    derivatives and the derivative in the mass coordinate of the table. With ``None`` for
    ``slopes`` the values alone, (6, J, 1, 2), the same to the bit.
    """
    pairs, count, moved = masses.shape[0], borders.size - 1, borders + shift_s
    if slopes is None:
        work, rows_out = None, 1
    else:
        work, rows_out = np.empty((4, 2)), GEOMETRY + 2
    out = np.zeros((pairs, count, rows_out, 2))
    shift, drift = np.empty(GEOMETRY), np.empty(GEOMETRY)
    _, lower, upper = edge_angles(nominal, epsilon, 0.0)
    longest = min(block, LONGEST) if max(lower, upper) > WIDE else block
    for p in range(pairs):
        pair = (max(masses[p, 0], 1e-12), max(masses[p, 1], 1e-12))
        q0 = pair[0] + pair[1]
        centre, lower, upper = edge_angles(beam, epsilon, q0)
        if lower == 0.0:
            continue
        closed = not np.isfinite(lower)
        if closed:
            _add_panels(planar, moved, used, pair, beam, epsilon, c, facing, work, out[p])
            lower = upper = np.pi
        swing = 2.0 * beam[0] ** 2 * beam[3] * np.sqrt(beam[1] ** 2 + beam[2] ** 2)
        kinks = kink_distances(planar and not closed, centre, upper, beam, epsilon, *pair)
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
            sign, width = (1.0, upper) if side else (-1.0, lower)
            edge = centre + sign * width
            place = (edge, sign, width, swing, lower + upper)
            panels = (moved, used, head, tail)
            rows = table[p, side, first : first + weights.size]
            if closed:
                factor = _turning(beam, shift, drift)
                _add_correction(
                    panels, edge, factor, shift, drift, rows, grid, weights, slopes, out[p]
                )
                continue
            add_blocks(
                planar,
                panels,
                place,
                kinks[side],
                longest,
                pair,
                beam,
                epsilon,
                c,
                facing,
                work,
                out[p],
            )
            factor = _at_nominal(planar, side, edge, pair, beam, nominal, epsilon, shift, drift)
            _add_correction(panels, edge, factor, shift, drift, rows, grid, weights, slopes, out[p])
            _add_edges(
                planar, side, edge, pair, beam, epsilon, c, facing, shift, panels, work, out[p]
            )
        below, above = 2.0 * np.pi - upper, 2.0 * np.pi - lower
        if not closed and (moved[0] < centre - below or moved[count] > centre + above):
            _add_beyond(
                planar, moved, used, kinks, longest, pair, beam, epsilon, c, facing, work, out[p]
            )
    return out
