"""Numba kernels: momentum that the beams leave to a pair, and how settings move it.

Beams are a tuple of ``BEAM`` numbers: index, K_l, K_t, omega_s, dK_l, dK_t with K = k1 + k2
and its derivative in theta_e; w = index (K - omega_s (cos, sin)). Where each photon has an
index of its own, ``own`` is 1, ``index`` is 1 and the photons' are in K and in omega_s, which
depends on direction for an extraordinary trigger in the plane of c:

    omega(theta) = omega_s r,   r = (1 + bend sin^2(theta - c))^(-1/2),   bend = n_o^2/n_e^2 - 1.

Then follow cos c and sin c; and for the ordinary index, then for the extraordinary one, dK_l,
dK_t and the two numbers of ``d omega = r^3 (first + second sin^2(theta - c))``.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit

ONE = 6
"""How many of the numbers one index for all photons needs; the others are 0."""
BEAM = 18
OWN, BEND, COS_C, SIN_C = 6, 7, 8, 9
ORDINARY, EXTRAORDINARY = 10, 14
RAYS = {"ordinary": 0.0, "extraordinary": 1.0}
ACROSS = 2.0
"""Kinds of rays, by number; an extraordinary one across c is alike in all directions."""


@njit(cache=True, error_model="numpy")
def one_index(index, one, two, omega, cosine, sine):
    """Beams of one index for all photons; cosine and sine of theta_e."""
    none = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return (index, one + two * cosine, two * sine, omega, -two * sine, two * cosine) + none


@njit(cache=True, error_model="numpy")
def _photon(row, ordinary, extraordinary, cos_c, sin_c, cosine, sine):
    """Index of a photon, and its derivatives in direction and in both principal indices.

    ``row`` is (energy, n_o, n_e, kind of ray), the next two what its indices are off by.
    """
    n_o, n_e, kind = row[1] + ordinary, row[2] + extraordinary, row[3]
    if kind == 0.0:
        return n_o, 0.0, 1.0, 0.0
    if kind == ACROSS:
        return n_e, 0.0, 0.0, 1.0
    along, across = cosine * cos_c + sine * sin_c, sine * cos_c - cosine * sin_c
    n = n_o * n_e / np.hypot(n_e * along, n_o * across)
    turn = n**3 * along * across * (1.0 / n_e**2 - 1.0 / n_o**2)
    return n, -turn, n**3 * along**2 / n_o**3, n**3 * across**2 / n_e**3


@njit(cache=True, error_model="numpy")
def own_indices(photons, cos_c, sin_c, ordinary, extraordinary, cosine, sine):
    """Beams of photons that each have their own index; cosine and sine of theta_e.

    ``photons`` (3, 4) are rows of `_photon`, of the lasers 1, 2 and the trigger.
    """
    n, _, o, e = _photon(photons[0], ordinary, extraordinary, cos_c, sin_c, 1.0, 0.0)
    one, one_o, one_e = photons[0, 0] * n, photons[0, 0] * o, photons[0, 0] * e
    n, turn, o, e = _photon(photons[1], ordinary, extraordinary, cos_c, sin_c, cosine, sine)
    two, two_turn = photons[1, 0] * n, photons[1, 0] * turn
    two_o, two_e = photons[1, 0] * o, photons[1, 0] * e
    omega, n_o, n_e = photons[2, 0], photons[2, 1] + ordinary, photons[2, 2] + extraordinary
    radius, bend, own_o, own_e = omega * n_o, 0.0, (omega, 0.0), (0.0, 0.0)
    if photons[2, 3] == ACROSS:
        radius, own_o, own_e = omega * n_e, (0.0, 0.0), (omega, 0.0)
    elif photons[2, 3] != 0.0:
        bend = (n_o / n_e) ** 2 - 1.0
        own_o, own_e = (omega, -omega), (0.0, omega * (n_o / n_e) ** 3)
    return (
        1.0, one + two * cosine, two * sine, radius,
        two_turn * cosine - two * sine, two_turn * sine + two * cosine,
        1.0, bend, cos_c, sin_c,
        one_o + two_o * cosine, two_o * sine, own_o[0], own_o[1],
        one_e + two_e * cosine, two_e * sine, own_e[0], own_e[1],
    )  # fmt: skip


@njit(cache=True, error_model="numpy")
def momentum(beam, cosine, sine):
    """P = w along k1 and across it, at a trigger direction."""
    index, omega = beam[0], beam[3]
    if beam[BEND] != 0.0:
        across = sine * beam[COS_C] - cosine * beam[SIN_C]
        omega /= np.sqrt(1.0 + beam[BEND] * across * across)
    return index * (beam[1] - omega * cosine), index * (beam[2] - omega * sine)


@njit(cache=True, error_model="numpy")
def momentum_slopes(beam, cosine, sine, z, y):
    """Derivatives of P = (z, y): in index, extraordinary index, theta_s and theta_e."""
    index, omega, turn_l, turn_t = beam[0], beam[3], beam[4], beam[5]
    by_e = (index * turn_l, index * turn_t)
    by_s = (index * omega * sine, -index * omega * cosine)
    if beam[OWN] == 0.0:
        return (z / index, y / index), (0.0, 0.0), by_s, by_e
    across = sine * beam[COS_C] - cosine * beam[SIN_C]
    along = cosine * beam[COS_C] + sine * beam[SIN_C]
    r = 1.0 / np.sqrt(1.0 + beam[BEND] * across * across)
    cube = r * r * r
    turn = -omega * beam[BEND] * across * along * cube
    by_s = (omega * r * sine - turn * cosine, -omega * r * cosine - turn * sine)
    o = cube * (beam[ORDINARY + 2] + beam[ORDINARY + 3] * across * across)
    e = cube * (beam[EXTRAORDINARY + 2] + beam[EXTRAORDINARY + 3] * across * across)
    by_o = (beam[ORDINARY] - o * cosine, beam[ORDINARY + 1] - o * sine)
    by_x = (beam[EXTRAORDINARY] - e * cosine, beam[EXTRAORDINARY + 1] - e * sine)
    return by_o, by_x, by_s, by_e


@njit(cache=True, error_model="numpy")
def bent_excess(beam, cosine_edge, sine_edge, cosine, sine, turn):
    """What a trigger that depends on direction does to ``|w(edge)|^2 - |w|^2``.

    ``turn`` is the sine of the edge's direction less this one. Returns a factor of that
    difference for a circle through the edge, and what adds to it, without cancellation.
    """
    if beam[BEND] == 0.0:
        return 1.0, 0.0
    bend, cos_c, sin_c, omega = beam[BEND], beam[COS_C], beam[SIN_C], beam[3]
    across_edge = sine_edge * cos_c - cosine_edge * sin_c
    along_edge = cosine_edge * cos_c + sine_edge * sin_c
    across, along = sine * cos_c - cosine * sin_c, cosine * cos_c + sine * sin_c
    edge, here = 1.0 + bend * across_edge * across_edge, 1.0 + bend * across * across
    both = across * along_edge + along * across_edge
    squares = -bend * turn * both / (edge * here)
    r_edge, r = 1.0 / np.sqrt(edge), 1.0 / np.sqrt(here)
    k = beam[1] * cosine + beam[2] * sine
    return r_edge, omega * omega * squares - 2.0 * omega * squares / (r_edge + r) * k
