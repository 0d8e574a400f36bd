"""Numba kernels: the cheapest way to a crystal integral of stated accuracy.

The large-crystal limit, the limit with its leading correction (each factor of
the form factor is folded in exactly, their product is not), or the nested
quadrature of ``_plane_kernels``.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit
from renp_infer.physics.pairs._form_kernels import LORENTZ_WIDTH, WAVE, grading
from renp_infer.physics.pairs._pair_kernels import full_terms
from renp_infer.physics.pairs._plane_kernels import (
    BUFFER,
    density_terms,
    line_across,
    line_along,
    plane_integral,
)


@njit(cache=True, error_model="numpy")
def form_norm(planar, half_length, radius):
    """Integral of U W over all P, times (2 pi)^-2 in three dimensions."""
    if planar:
        return np.pi / half_length * np.pi * LORENTZ_WIDTH / radius
    return np.pi / half_length * 4.0 * np.pi / radius**2 * 0.25 / np.pi**2


@njit(cache=True, error_model="numpy")
def local_density(planar, w_l, w_t, epsilon, masses, c):
    """Density and partner at P = w; zero beyond the threshold."""
    q0 = masses[0] + masses[1]
    s = epsilon * epsilon - w_l * w_l - w_t * w_t
    excess = s - q0 * q0
    if excess <= 0.0 or s <= 0.0:
        return 0.0, 0.0
    a, b = masses[0] ** 2, masses[1] ** 2
    zero, one, two, partner, turned = density_terms(planar, w_l, w_t, excess, 1.0, a, b, q0, c)
    return zero + one + two, partner + turned


@njit(cache=True, error_model="numpy")
def split_integral(planar, lorentz, w_l, w_t, half_length, radius, epsilon, masses, c, cut):
    """Large-crystal limit with its leading correction, (A, B).

    With D the density and U, T the normalised factors of the form factor:
    ``D U + D T - D`` instead of ``D U T``. The error is of second order in
    (1/L, 1/R) over the distance to the edge. Not for the Lorentzian in three
    dimensions, whose T has no integral.
    """
    q0 = masses[0] + masses[1]
    rim2 = (epsilon - q0) * (epsilon + q0)
    norm_l = np.pi / half_length
    norm_t = np.pi * LORENTZ_WIDTH / radius if planar else 4.0 * np.pi / radius**2
    a, b = local_density(planar, w_l, w_t, epsilon, masses, c)
    total_a, total_b = -a, -b
    buffers = np.empty((3, BUFFER))
    if rim2 > w_t * w_t:
        offsets = grading(1.0 / half_length, lorentz, cut[0], 8.0 * epsilon, WAVE)
        line = np.zeros(5)
        line_along(
            planar,
            w_t,
            np.sqrt(rim2 - w_t * w_t),
            w_l,
            half_length,
            lorentz,
            cut[0],
            offsets,
            masses,
            c,
            buffers,
            line,
        )
        total_a += (line[0] + line[1] + line[2]) / norm_l
        total_b += (line[3] + line[4]) / norm_l
    if rim2 > w_l * w_l:
        width = LORENTZ_WIDTH if lorentz else 1.0
        offsets = grading(width / radius, lorentz, cut[1], 8.0 * epsilon, WAVE)
        across_a, across_b = line_across(
            planar,
            w_l,
            np.sqrt(rim2 - w_l * w_l),
            w_t,
            radius,
            lorentz,
            cut[1],
            offsets,
            masses,
            c,
            buffers,
        )
        total_a += across_a / norm_t
        total_b += across_b / norm_t
    norm = form_norm(planar, half_length, radius)
    return norm * total_a, norm * total_b


FLOOR = 1e-2
"""Share of the phase-matched massless value below which errors are absolute."""
LEAST_CUT, RESOLVED, LONGEST_CUT = 40.0, 120.0, 240.0
"""Oscillations are followed for LEAST_CUT at least, and up to an edge that is
nearer than RESOLVED (inside the support) or LONGEST_CUT (outside)."""


@njit(cache=True, error_model="numpy")
def fading(w_l, w_t, rim, sizes):
    """Where the plane wave's oscillations may fade, and the error of that.

    Fading changes the integral at an edge at argument x by 1/(4 pi x^2) of
    the density there, which may exceed the one at w sixfold: 0.5/x^2 inside.
    Outside, the near edges make all of the integral, each a share of 1/(2 x).
    Returns (cuts (2,), relative error).
    """
    cuts, error, shares = np.full(2, LEAST_CUT), 0.0, 0.0
    distance = rim - np.sqrt(w_l * w_l + w_t * w_t)
    for axis in range(2):
        here, other = (w_l, w_t) if axis == 0 else (w_t, w_l)
        half_chord = np.sqrt(max(rim * rim - other * other, 0.0))
        near = max(sizes[axis] * abs(half_chord - abs(here)), 1.0)
        far = sizes[axis] * (half_chord + abs(here))
        if distance < 0.0 and half_chord == 0.0:
            near = far = max(-distance * sizes[axis], 1.0)
        shares += 1.0 / near
        longest = RESOLVED if distance > 0.0 else LONGEST_CUT
        for x in (near, far):
            if x < longest:
                cuts[axis] = max(cuts[axis], 1.2 * x)
            elif distance > 0.0 and axis == 1:
                error += 1.0 / x**2.5  # W oscillates as 1/y^3, its slit as 1/y^2.5
            elif distance > 0.0 or x < far:
                error += 0.5 / (x * x)
            else:
                error += 3.0 / (x * x)
    return cuts, error / shares if distance < 0.0 else error


@njit(cache=True, error_model="numpy")
def leading_width(planar, lorentz, half_length, radius):
    """Sum of the first-order coefficients of U and T, eV."""
    if lorentz:
        return 1.0 / half_length + LORENTZ_WIDTH / radius
    return 0.5 / half_length + (1.0 if planar else 2.0 / np.pi) / radius


@njit(cache=True, error_model="numpy")
def largest_odd(epsilon, c):
    """Phi K P.n and Phi P.n of a massless pair at P = (eps/sqrt 3) n, the former's maximum."""
    place = epsilon * np.sqrt((c[5] * c[5] + c[6] * c[6]) / 3.0)
    return 4.0 / 9.0 * np.pi * epsilon * epsilon * place, 2.0 * np.pi * place


@njit(cache=True, error_model="numpy", inline="always")
def _odd_limit(w_l, w_t, epsilon, m_i, m_j, c_z, c_y, trace):
    """Odd density and partner at P = w, inside the support; size of the density about w."""
    s = epsilon * epsilon - w_l * w_l - w_t * w_t
    excess = s - (m_i + m_j) ** 2
    phi, base, _ = full_terms(s, excess, m_i * m_i, m_j * m_j, trace)
    factor = c_z * w_l + c_y * w_t
    return phi * base * factor, phi * factor, phi * base * (abs(c_z * w_l) + abs(c_y * w_t))


@njit(cache=True, error_model="numpy")
def _odd_point(lorentz, w_l, w_t, half_length, radius, epsilon, masses, c, rtol):
    """``crystal_point`` of an odd density where the limit is not good enough.

    As P.n may pass zero, errors are shares of ``scale``: the even density, beyond the edge
    its integral, times |w_z n_z| + |w_y n_y|, each of which is zero where its term is odd
    about w.
    """
    norm = form_norm(False, half_length, radius)
    most_a, most_b = largest_odd(epsilon, c)
    floor_a, floor_b = FLOOR * norm * most_a, FLOOR * norm * most_b
    q0 = masses[0] + masses[1]
    rim = np.sqrt((epsilon - q0) * (epsilon + q0))
    distance = rim - np.sqrt(w_l * w_l + w_t * w_t)
    ratio = leading_width(False, lorentz, half_length, radius) / max(abs(distance), 1e-300)
    even = c.copy()
    even[5], even[6], even[7] = 0.0, 0.0, 1.0
    cut, dropped = fading(w_l, w_t, rim, np.array([half_length, radius]))
    place = (False, lorentz, w_l, w_t, half_length, radius, epsilon, masses)
    size, scale = abs(c[5] * w_l) + abs(c[6] * w_t), 0.0
    if distance > 0.0:
        scale = size * norm * local_density(False, w_l, w_t, epsilon, masses, even)[0]
    if lorentz:
        dropped = 0.0
    elif ratio < 0.3:
        a, b = split_integral(*place, c, cut)
        if distance <= 0.0:
            scale = size * abs(split_integral(*place, even, cut)[0])
        bound = dropped + (0.6 * ratio * ratio if distance > 0.0 else 4.0 * ratio)
        error = bound * scale / max(abs(a), floor_a)
        if error < rtol:
            return a, b, error
    a, b, error_a, _ = plane_integral(*place, c, cut, 0.3 * rtol, floor_a, floor_b)
    if distance <= 0.0:
        scale = size * abs(plane_integral(*place, even, cut, 1e-2, 0.0, 0.0)[0])
    error = error_a + (dropped + 1e-6) * scale  # the inner Gauss rule: no edge is a peak here
    return a, b, error / max(abs(a), floor_a)


@njit(cache=True, error_model="numpy")
def crystal_point(planar, lorentz, w_l, w_t, half_length, radius, epsilon, masses, c, rtol):
    """(A, B, error): the cheapest of three methods that meets ``rtol``.

    The limit D(w) errs by at most 2 g/d of its value, the split integral by
    0.6 (g/d)^2 inside and 4 g/d outside the support, with g the leading
    width and d the distance of |w| to the edge (worst cases of a scan over
    masses, directions and sizes, kept as a test). ``error`` is relative to
    the value or, where that is smaller, to FLOOR times the massless
    phase-matched value. It may end up above ``rtol`` = 1e-4, where the wave does
    not fade within what is resolved: for planar plane waves beyond the edge; in
    space up to 1.5 times there, for an odd density 4 times there and 2.5 inside.

    For an odd density FLOOR refers to the largest massless value, the limit
    errs by at most (2 + 1.2 d/rim) g/d, of the floor or, if that is larger, of
    the even density times |w_z n_z| + |w_y n_y|; for the rest see ``_odd_point``.
    """
    q0 = masses[0] + masses[1]
    if q0 >= epsilon or (c[5] == 0.0 and c[6] == 0.0 and c[7] == 0.0):
        return 0.0, 0.0, 0.0
    norm = form_norm(planar, half_length, radius)
    rim = np.sqrt((epsilon - q0) * (epsilon + q0))
    distance = rim - np.sqrt(w_l * w_l + w_t * w_t)
    ratio = leading_width(planar, lorentz, half_length, radius) / max(abs(distance), 1e-300)
    splits = planar or not lorentz
    if c[5] != 0.0 or c[6] != 0.0:
        if splits and distance > 0.0:
            a, b, scale = _odd_limit(w_l, w_t, epsilon, masses[0], masses[1], c[5], c[6], c[4])
            floor = FLOOR * largest_odd(epsilon, c)[0]
            error = (2.0 + 1.2 * distance / rim) * ratio * max(scale, floor) / max(abs(a), floor)
            if error < rtol:
                return norm * a, norm * b, error
        return _odd_point(lorentz, w_l, w_t, half_length, radius, epsilon, masses, c, rtol)
    if splits and distance > 0.0 and 2.0 * ratio < rtol:
        a, b = local_density(planar, w_l, w_t, epsilon, masses, c)
        return norm * a, norm * b, 2.0 * ratio
    # only what follows needs these: most points of a wide crystal end above
    floor = FLOOR * norm * local_density(planar, 0.0, 0.0, epsilon, np.zeros(2), c)[0]
    cut, dropped = fading(w_l, w_t, rim, np.array([half_length, radius]))
    if lorentz:
        dropped = 0.0
    elif planar and distance < 0.0:
        dropped *= 50.0  # the edge of a light pair is a peak, not a step
    bound = dropped + (0.6 * ratio * ratio if distance > 0.0 else 4.0 * ratio)
    if splits and ratio < 0.3:
        a, b = split_integral(
            planar, lorentz, w_l, w_t, half_length, radius, epsilon, masses, c, cut
        )
        error = bound * abs(a) / max(abs(a), floor)
        if error < rtol:
            return a, b, error
    a, b, error_a, _ = plane_integral(
        planar,
        lorentz,
        w_l,
        w_t,
        half_length,
        radius,
        epsilon,
        masses,
        c,
        cut,
        0.3 * rtol,
        0.0,
        0.0,
    )
    # the inner Gauss rule; with waves, light pairs whose edge is a peak
    error = error_a + (dropped + (1e-6 if lorentz else 2e-5)) * abs(a)
    return a, b, error / max(abs(a), floor)


@njit(cache=True, error_model="numpy", nogil=True)
def crystal_grid(planar, lorentz, w_l, w_t, half_length, radius, epsilon, masses, c, rtol):
    """``crystal_point`` for all pairs (rows of masses) and angles."""
    shape = (masses.shape[0], w_l.size)
    a, b, error = np.empty(shape), np.empty(shape), np.empty(shape)
    for p in range(shape[0]):
        pair = masses[p]  # one view for all angles: each costs as much as a root
        for n in range(shape[1]):
            a[p, n], b[p, n], error[p, n] = crystal_point(
                planar,
                lorentz,
                w_l[n],
                w_t[n],
                half_length,
                radius,
                epsilon,
                pair,
                c,
                rtol,
            )
    return a, b, error
