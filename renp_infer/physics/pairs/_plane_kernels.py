"""Numba kernels: adaptive integration of the crystal's form factor.

Nested quadrature, graded inside and adaptive (Gauss-Kronrod) outside. Its two
line integrals also serve the large-crystal methods of ``_crystal_kernels``.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit
from renp_infer.physics.pairs._form_kernels import (
    LORENTZ_WIDTH,
    WAVE,
    azimuthal,
    chord_nodes,
    grading,
    longitudinal,
    transverse,
)
from renp_infer.physics.pairs._pair_kernels import full_terms, planar_density

# Gauss (7) and Kronrod (15) rules on (-1, 1), positive half, QUADPACK order
KRONROD_X = np.array(
    [
        0.0,
        0.207784955007898467600689403773245,
        0.405845151377397166906606412076961,
        0.586087235467691130294144691838259,
        0.741531185599394439863864773280788,
        0.864864423359769072789712788640926,
        0.949107912342758524526189684047851,
        0.991455371120812639206854697526329,
    ]
)
KRONROD_W = np.array(
    [
        0.209482141084727828012999174891714,
        0.204432940075298892414161999234649,
        0.190350578064785409913256402421014,
        0.169004726639267902826583426598550,
        0.140653259715525918745189590510238,
        0.104790010322250183839876322541518,
        0.063092092629978553290700663189204,
        0.022935322010529224963732008058970,
    ]
)
GAUSS7_W = np.array(
    [
        0.417959183673469387755102040816327,
        0.0,
        0.381830050505118944950369775488975,
        0.0,
        0.279705391489276667901467771423780,
        0.0,
        0.129484966168869693270611432679082,
        0.0,
    ]
)
BUFFER = 40000
MAX_PANELS = 1200


@njit(cache=True, error_model="numpy", inline="always")
def density_terms(planar, pz, q, excess, weight, a, b, q0, c):
    """Weight times the three azimuthal moments of A, and two of B; ``c`` as ``density_form``.

    The factor P.n of an odd density has one of its own, so it has no C.
    """
    s = excess + q0 * q0
    if planar:
        density, partner = planar_density(pz, q, s, excess, a, b, c[0], c[1], c[2])
        return weight * density, 0.0, 0.0, weight * partner, 0.0
    phi, base, quad = full_terms(s, excess, a, b, c[4])
    phi *= weight
    even, odd = c[5] * pz + c[7], c[6] * q
    return (
        phi * (base + quad * (c[0] * pz * pz + c[3] * q * q)) * even,
        phi * quad * 2.0 * c[1] * pz * q + phi * base * odd,
        phi * quad * (c[2] - c[3]) * q * q,
        phi * even,
        phi * odd,
    )


@njit(cache=True, error_model="numpy")
def add_density(planar, pz, q, excess, weight, a, b, q0, c, line):
    """Add ``density_terms`` to ``line``."""
    zero, one, two, partner, turned = density_terms(planar, pz, q, excess, weight, a, b, q0, c)
    line[0] += zero
    line[1] += one
    line[2] += two
    line[3] += partner
    line[4] += turned


@njit(cache=True, error_model="numpy")
def line_along(planar, q, end, w_l, half_length, lorentz, cut, offsets, masses, c, buffers, line):
    """Int dP_z U(P_z - w_l) D over the chord at transverse momentum q."""
    a, b = masses[0] ** 2, masses[1] ** 2
    q0, gap = masses[0] + masses[1], 2.0 * np.sqrt(masses[0] * masses[1])
    kinks = np.zeros(2)
    if planar:
        # p1y (p2y) can change sign where lambda > 4 m_i^2 P_y^2 (4 m_j^2 P_y^2)
        for n in range(2):
            one, other = masses[n], masses[1 - n]
            rise = 2.0 * one * (np.sqrt(other * other + q * q) - other)
            kinks[n] = np.sqrt(max(end * end - rise, 0.0))
    count = chord_nodes(end, -end, w_l, offsets, kinks, gap, buffers[0], buffers[1], buffers[2])
    for k in range(line.size):
        line[k] = 0.0
    for n in range(count):
        pz = buffers[0, n]
        weight = buffers[1, n] * longitudinal((pz - w_l) * half_length, lorentz, cut)
        add_density(planar, pz, q, buffers[2, n], weight, a, b, q0, c, line)


@njit(cache=True, error_model="numpy")
def _transverse_profile(planar, q, w_t, radius, lorentz, cut):
    if planar:
        return transverse((q - w_t) * radius, lorentz, cut), 0.0, 0.0
    return azimuthal(q, w_t, radius, lorentz, cut)


@njit(cache=True, error_model="numpy")
def line_across(planar, pz, end, w_t, radius, lorentz, cut, offsets, masses, c, buffers):
    """Int dq T(q) D over the transverse chord at P_z; (A, B)."""
    a, b = masses[0] ** 2, masses[1] ** 2
    q0, gap = masses[0] + masses[1], 2.0 * np.sqrt(masses[0] * masses[1])
    centre = w_t if planar else abs(w_t)
    kinks = np.zeros(2)
    if planar:
        total = np.sqrt(end * end + q0 * q0)  # sqrt(eps^2 - P_z^2)
        for n in range(2):
            one, other = masses[n], masses[1 - n]
            kinks[n] = np.sqrt(max((total - one) ** 2 - other * other, 0.0))
    start = -end if planar else 0.0
    count = chord_nodes(end, start, centre, offsets, kinks, gap, buffers[0], buffers[1], buffers[2])
    line = np.zeros(5)
    total_a, total_b = 0.0, 0.0
    for n in range(count):
        q = buffers[0, n]
        t0, t1, t2 = _transverse_profile(planar, q, w_t, radius, lorentz, cut)
        for k in range(line.size):
            line[k] = 0.0
        add_density(planar, pz, q, buffers[2, n], buffers[1, n], a, b, q0, c, line)
        total_a += t0 * line[0] + t1 * line[1] + t2 * line[2]
        total_b += t0 * line[3] + t1 * line[4]
    return total_a, total_b


@njit(cache=True, error_model="numpy")
def _outer_marks(end, sign, w_l, w_t, off_l, off_t):
    """Distances from the end of a half disc at which outer panels break."""
    marks = np.empty(2 * off_t.size + 2 * off_l.size + 4)
    count = 0
    for offset in off_t:
        for move in (-offset, offset):
            marks[count] = end - sign * w_t + move
            count += 1
    if abs(w_l) < end:
        # where the chord's end passes the peak of U, the inner integral turns
        turn = np.sqrt(end * end - w_l * w_l)
        slope = max(abs(w_l) / turn, 1e-3)
        for offset in off_l:
            for move in (-offset, offset):
                marks[count] = end - turn + move * slope
                count += 1
    marks[count] = end
    kept = 0
    for mark in marks[: count + 1]:
        if mark > 1e-13 * end and mark <= end:
            marks[kept] = mark
            kept += 1
    _sort(marks, kept)
    return marks[:kept]


@njit(cache=True, error_model="numpy")
def _sort(values, count):
    """Sort the first ``count`` values, by Shell's method: NumPy's takes seconds to compile."""
    gap = count // 2
    while gap > 0:
        for n in range(gap, count):
            value, place = values[n], n
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
        gap //= 2


@njit(cache=True, error_model="numpy")
def plane_integral(
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
    rtol,
    least_a,
    least_b,
):
    """Crystal integral of the density and its partner, with error estimates.

    ``masses`` are (m_i, m_j), ``c`` a ``density_form``, ``cut`` where oscillations may fade
    (two values), ``least_a`` and ``least_b`` the values below which ``rtol`` refers to these.
    Returns (A, B, errA, errB).
    """
    q0, gap = masses[0] + masses[1], 2.0 * np.sqrt(masses[0] * masses[1])
    rim2 = (epsilon - q0) * (epsilon + q0)
    if rim2 <= 0.0:
        return 0.0, 0.0, 0.0, 0.0
    rim = np.sqrt(rim2)
    off_l = grading(1.0 / half_length, lorentz, cut[0], 8.0 * epsilon, WAVE)
    width = LORENTZ_WIDTH if lorentz else 1.0
    # 15 nodes that watch their error manage two periods at once
    off_t = grading(width / radius, lorentz, cut[1], 8.0 * epsilon, 2.0 * WAVE)
    turn_l = grading(1.0 / half_length, True, cut[0], 8.0 * epsilon, WAVE)
    buffers = np.empty((3, BUFFER))
    line = np.zeros(5)
    kappa, scale = 2.0 * rim, max(gap, 1e-4 * np.sqrt(2.0) * rim)

    panels = np.empty((MAX_PANELS, 7))  # sign, low, high, A, B, errA, errB
    count, done = 0, 0
    for side in range(2 if planar else 1):
        sign = 1.0 - 2.0 * side
        marks = _outer_marks(rim, sign, w_l, w_t if planar else abs(w_t), turn_l, off_t)
        low = 0.0
        for mark in marks:
            high = np.arcsinh(np.sqrt(kappa * mark) / scale)
            if high - low < 1e-9:
                continue
            if count == MAX_PANELS:
                break
            panels[count, 0], panels[count, 1], panels[count, 2] = sign, low, high
            count, low = count + 1, high
    sums = np.zeros(4)
    norm = 1.0 if planar else 0.25 / np.pi**2
    sample = np.empty((15, 2))
    while True:
        for p in range(done, count):
            sign, low, high = panels[p, 0], panels[p, 1], panels[p, 2]
            half, middle = 0.5 * (high - low), 0.5 * (high + low)
            kron_a, kron_b, gauss_a, gauss_b = 0.0, 0.0, 0.0, 0.0
            for n in range(15):
                m = (n + 1) // 2
                eta = middle + half * KRONROD_X[m] * (1.0 if n % 2 else -1.0)
                v = scale * np.sinh(eta)
                delta = v * v / kappa
                chord2 = delta * (2.0 * rim - delta)
                q = sign * (rim - delta)
                line_along(
                    planar,
                    q,
                    np.sqrt(chord2),
                    w_l,
                    half_length,
                    lorentz,
                    cut[0],
                    off_l,
                    masses,
                    c,
                    buffers,
                    line,
                )
                t0, t1, t2 = _transverse_profile(planar, q, w_t, radius, lorentz, cut[1])
                jacobian = half * 2.0 * v * scale * np.cosh(eta) / kappa
                fa = jacobian * (t0 * line[0] + t1 * line[1] + t2 * line[2])
                fb = jacobian * t0 * line[3] + jacobian * t1 * line[4]
                sample[n, 0], sample[n, 1] = fa, fb
                kron_a += KRONROD_W[m] * fa
                kron_b += KRONROD_W[m] * fb
                gauss_a += GAUSS7_W[m] * fa
                gauss_b += GAUSS7_W[m] * fb
            spread_a, spread_b = 0.0, 0.0
            for n in range(15):
                m = (n + 1) // 2
                spread_a += KRONROD_W[m] * abs(sample[n, 0] - 0.5 * kron_a)
                spread_b += KRONROD_W[m] * abs(sample[n, 1] - 0.5 * kron_b)
            panels[p, 3], panels[p, 4] = kron_a, kron_b
            panels[p, 5] = _kronrod_error(kron_a - gauss_a, spread_a)
            panels[p, 6] = _kronrod_error(kron_b - gauss_b, spread_b)
        done = count
        for k in range(4):
            sums[k] = 0.0
        for p in range(count):
            for k in range(4):
                sums[k] += panels[p, 3 + k]
        allowed_a = rtol * max(abs(sums[0]), least_a / norm)
        allowed_b = rtol * max(abs(sums[1]), least_b / norm)
        if (sums[2] <= allowed_a and sums[3] <= allowed_b) or count == MAX_PANELS:
            break
        # bisect every panel that holds more than its share of the error
        share_a, share_b = 0.5 * allowed_a / count, 0.5 * allowed_b / count
        kept, total = 0, count
        fresh = np.empty((MAX_PANELS, 3))
        new = 0
        for p in range(total):
            split = panels[p, 5] > share_a or panels[p, 6] > share_b
            if split and kept + new + 2 + (total - p - 1) <= MAX_PANELS:
                middle = 0.5 * (panels[p, 1] + panels[p, 2])
                fresh[new, 0], fresh[new, 1], fresh[new, 2] = panels[p, 0], panels[p, 1], middle
                fresh[new + 1, 0], fresh[new + 1, 1] = panels[p, 0], middle
                fresh[new + 1, 2] = panels[p, 2]
                new += 2
            else:
                for k in range(7):
                    panels[kept, k] = panels[p, k]
                kept += 1
        if new == 0:
            break
        for p in range(new):
            for k in range(3):
                panels[kept + p, k] = fresh[p, k]
        count, done = kept + new, kept
    return sums[0] * norm, sums[1] * norm, sums[2] * norm, sums[3] * norm


@njit(cache=True, error_model="numpy")
def _kronrod_error(difference, spread):
    """QUADPACK's empirical error of the 15-point rule."""
    error = abs(difference)
    if spread > 0.0 and error > 0.0:
        return spread * min(1.0, (200.0 * error / spread) ** 1.5)
    return error
