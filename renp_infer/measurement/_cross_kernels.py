"""Numba kernels: what the split integral lacks beside an edge.

With U and T the normalised factors of the form factor, the split integral ``D U + D T - D``
lacks ``D (U - 1) (T - 1)``. Seen over a few widths of the factors an edge is straight, and the
density D depends on the momentum across it alone. Then the lack is a convolution in one
dimension with

    e(y) = u * t - u - t + delta,

u and t the factors projected on the edge's normal; its antiderivative is that of the lack,
which is 0 over the whole edge. Against nested quadrature the rest is as small as the width
over the radius of the edge, times the lack: ``tests/measurement/test_cross.py``.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit
from renp_infer.measurement._beam_kernels import momentum, momentum_slopes
from renp_infer.measurement._edge_kernels import edge_angles
from renp_infer.physics.pairs._crystal_kernels import leading_width, local_density
from renp_infer.physics.pairs._form_kernels import LORENTZ_WIDTH, WAVE, chord_nodes, grading
from renp_infer.physics.pairs._plane_kernels import BUFFER, density_terms

CUT = 25.0
"""Arguments of U and W at which their oscillations begin to fade, to end at twice that."""
FINEST = 1.0 / 16.0
PLACES = int(2.0 * CUT / FINEST) + 1
"""Steps of a profile: cubic between them, to 1e-6."""
RAYS_X, RAYS_W = np.polynomial.legendre.leggauss(96)
CIRCLE = 24
"""Nodes in position, of which a profile is the Fourier integral, and of an overlap there."""
LEAST, LIGHTEST, GRAZING = 1e-12, 1e-12, 1e-3
"""Least width of a factor and least mass, eV; least change of the momentum's size with angle,
over itself, at an edge: one that is grazed has no straight side."""
FURTHEST = 3000.0
"""Leading widths from an edge up to which the lack is known: further away what it adds to a
window is below 1e-7 of its field."""


@njit(cache=True, error_model="numpy")
def _overlap(planar, rho):
    """Fourier transform of the projected W at a distance of ``rho`` radii, 1 at 0.

    Overlap of two discs; in the planar case that of two semicircles, an integral of a
    periodic function.
    """
    half = 0.5 * rho
    if half >= 1.0:
        return 0.0
    if not planar:
        return 2.0 / np.pi * (np.arccos(half) - half * np.sqrt(1.0 - half * half))
    total, width = 0.0, 1.0 - half
    for n in range(CIRCLE):
        sine = np.sin(np.pi * ((n + 0.5) / CIRCLE - 0.5))
        total += (1.0 - sine * sine) * np.sqrt((1.0 + half) ** 2 - (width * sine) ** 2)
    return 0.75 * np.pi / CIRCLE * width * width * total


@njit(cache=True, error_model="numpy")
def _profile(planar, along, across):
    """Odd antiderivative and value (2, PLACES) of a product of factors, by its scale.

    ``along`` and ``across`` are the widths of U and W over the greater one, the scale; 0
    leaves a factor out.
    """
    out = np.zeros((2, PLACES))
    for n in range(RAYS_X.size):
        t = 0.5 * (1.0 - RAYS_X[n])  # the end of an overlap is a power of a root
        r = 2.0 * (1.0 - t * t)
        value = RAYS_W[n] * 2.0 * t / np.pi
        value *= max(1.0 - 0.5 * along * r, 0.0) * _overlap(planar, across * r)
        turn_s, turn_c = np.sin(r * FINEST), np.cos(r * FINEST)
        sine, cosine = 0.0, 1.0
        for k in range(PLACES):
            out[0, k] += value / r * sine
            out[1, k] += value * cosine
            sine, cosine = sine * turn_c + cosine * turn_s, cosine * turn_c - sine * turn_s
    return out


@njit(cache=True, error_model="numpy")
def _wave(profile, tail, u):
    """Antiderivative and value of a profile at u >= 0; beyond CUT it becomes its tail."""
    one, two, three = tail
    far = max(u, 1.0)
    mean = 0.5 - (one + (two + three / far) / far) / far
    slope = (one + (2.0 * two + 3.0 * three / far) / far) / (far * far)
    if u >= 2.0 * CUT:
        return mean, slope
    place = u / FINEST
    k = min(int(place), PLACES - 2)
    t = place - k
    left, right = profile[0, k], profile[0, k + 1]
    rise, fall = FINEST * profile[1, k], FINEST * profile[1, k + 1]
    bend, twist = 3.0 * (right - left) - 2.0 * rise - fall, rise + fall - 2.0 * (right - left)
    whole = left + t * (rise + t * (bend + t * twist))
    value = (rise + t * (2.0 * bend + t * 3.0 * twist)) / FINEST
    if u > CUT:
        t = u / CUT - 1.0
        kept = 1.0 - t * t * t * (10.0 - t * (15.0 - 6.0 * t))
        whole, value = mean + kept * (whole - mean), slope + kept * (value - slope)
    return whole, value


@njit(cache=True, error_model="numpy")
def _waves(planar, along, across):
    """Profiles (3, 2, PLACES) and tails (3, 3) of u, t and u * t, each by its own width."""
    scale = max(along, across)
    profiles = np.empty((3, 2, PLACES))
    profiles[0] = _profile(planar, 1.0, 0.0)
    profiles[1] = _profile(planar, 0.0, 1.0)
    profiles[2] = _profile(planar, along / scale, across / scale)
    first, second, third = (
        (0.0, 3.0 / 16.0, 0.0) if planar else (2.0 / np.pi**2, 0.0, 1.0 / (6.0 * np.pi**2))
    )
    u, t = along / scale, across / scale
    tails = np.zeros((3, 3))
    tails[0, 0] = 0.5 / np.pi
    tails[1] = np.array([first, second, third])
    tails[2] = np.array([0.5 / np.pi * u + first * t, second * t * t, third * t**3])
    return profiles, tails


@njit(cache=True, error_model="numpy")
def _lorentz(width, y):
    """Antiderivative and value of a Lorentzian at y >= 0."""
    return np.arctan(y / width) / np.pi, width / (np.pi * (width * width + y * y))


@njit(cache=True, error_model="numpy")
def _lack(lorentz, along, across, profiles, tails, y):
    """Antiderivative of e and its value but for the delta function, at y."""
    far, sign = abs(y), 1.0 if y >= 0.0 else -1.0
    if lorentz:
        both, one, two = (
            _lorentz(along + across, far),
            _lorentz(along, far),
            _lorentz(across, far),
        )
    else:
        scale = max(along, across)
        u, v = _wave(profiles[0], tails[0], far / along), _wave(profiles[1], tails[1], far / across)
        w = _wave(profiles[2], tails[2], far / scale)
        one = (u[0], u[1] / along)
        two = (v[0], v[1] / across)
        both = (w[0], w[1] / scale)
    return sign * (0.5 + both[0] - one[0] - two[0]), both[1] - one[1] - two[1]


@njit(cache=True, error_model="numpy")
def _offsets(lorentz, along, across, span):
    """Ascending distances from w at which panels break, from 0 on."""
    marks = np.zeros(1)
    for width in (along, across):
        steps = grading(width, lorentz, CUT, span, WAVE)
        if not lorentz:  # beyond it a profile is its tail
            steps = steps[steps < 2.2 * CUT * max(along, across)]
        marks = np.append(marks, steps)
    return np.unique(marks)


@njit(cache=True, error_model="numpy")
def _kinks(planar, n_y, epsilon, masses):
    """Momenta along the normal at which p1y or p2y begins to change sign, (2,).

    Where s = m_i^2 + m_j^2 + 2 m_i sqrt(m_j^2 + w_t^2), or with i and j exchanged.
    """
    out = np.zeros(2)
    if planar:
        free = epsilon * epsilon - masses[0] ** 2 - masses[1] ** 2
        both = free * free - 4.0 * (masses[0] * masses[1]) ** 2
        for n in range(2):
            turn = free + 2.0 * (masses[n] * n_y) ** 2
            out[n] = np.sqrt(both / (turn + np.sqrt(max(turn * turn - both, 0.0))))
    return out


@njit(cache=True, error_model="numpy", nogil=True)
def add_lack(planar, lorentz, grid, side, beam, crystal, epsilon, pairs, c, facing, table):
    """Add to a ``correction_table`` (mass nodes, x, 4) of one pair what split integrals lack.

    ``side`` is that of the edge, ``pairs`` (mass nodes, 2) the masses, ``grid`` (x,) the
    distances from the edge. Pairs that are produced at all angles have no edge.
    """
    width = leading_width(planar, lorentz, crystal[0], crystal[1]) / (beam[0] * beam[3])
    for m in range(len(pairs)):
        centre, lower, upper = edge_angles(beam, epsilon, pairs[m, 0] + pairs[m, 1])
        turn = upper if side else -lower
        if turn == 0.0 or not np.isfinite(turn):
            continue
        edge, masses = centre + turn, np.maximum(pairs[m], LIGHTEST)
        _beside(
            planar, lorentz, grid, edge, width, beam, crystal, epsilon, masses, c, facing, table[m]
        )


@njit(cache=True, error_model="numpy")
def _beside(planar, lorentz, grid, edge, width, beam, crystal, epsilon, masses, c, facing, rows):
    """Add the lack of a pair whose edge is at an angle to rows (x, 4), see ``add_lack``."""
    q0, gap = masses[0] + masses[1], 2.0 * np.sqrt(masses[0] * masses[1])
    rim = np.sqrt((epsilon - q0) * (epsilon + q0))
    a, b = masses[0] ** 2, masses[1] ** 2
    z, y = momentum(beam, np.cos(edge), np.sin(edge))
    along = max(abs(z) / (rim * crystal[0]), LEAST)
    across = max(abs(y) / (rim * crystal[1]), LEAST)
    kinks = _kinks(planar, y / rim, epsilon, masses)
    offsets = _offsets(lorentz, along, (LORENTZ_WIDTH if lorentz else 1.0) * across, 8.0 * epsilon)
    if lorentz:
        across *= LORENTZ_WIDTH
        profiles, tails = np.empty((0, 2, 0)), np.empty((0, 3))
    else:
        profiles, tails = _waves(planar, along, across)
    buffers = np.empty((3, BUFFER))
    for k in range(grid.size):
        if abs(grid[k]) > FURTHEST * width:
            continue
        cosine, sine = np.cos(edge + grid[k]), np.sin(edge + grid[k])
        z, y = momentum(beam, cosine, sine)
        size = np.sqrt(z * z + y * y)
        _, _, turn, _ = momentum_slopes(beam, cosine, sine, z, y)
        slope = (z * turn[0] + y * turn[1]) / size
        if abs(slope) < GRAZING * size:
            continue
        value_a, value_b = local_density(planar, z, y, epsilon, masses, c)
        sum_a, sum_b = 0.0, 0.0
        count = chord_nodes(rim, 0.0, size, offsets, kinks, gap, buffers[0], buffers[1], buffers[2])
        for n in range(count):
            t = buffers[0, n]
            whole, there = _lack(lorentz, along, across, profiles, tails, size - t)
            if whole == 0.0:
                continue
            terms = density_terms(
                planar, t * z / size, t * y / size, buffers[2, n], buffers[1, n], a, b, q0, c
            )
            da, db = terms[0] + terms[1] + terms[2], terms[3] + terms[4]
            value_a += there * da
            value_b += there * db
            sum_a += whole * da
            sum_b += whole * db
        face = facing[0] * cosine + facing[1] * sine + facing[2]
        rows[k, 0] += face * sum_a / slope
        rows[k, 1] += face * sum_b / slope
        rows[k, 2] += face * value_a
        rows[k, 3] += face * value_b
