"""Numba kernels: pair densities folded with the crystal's form factor.

Everything is a two-dimensional integral over (P_z, q) of
``U(P_z - w_l) T(q) D(P_z, q)`` inside the half disc or disc s > (m_i+m_j)^2:
q is P_y in the planar phase space and |P_perp| in the full one, where T is the
transverse form factor averaged over azimuth. Panels are graded around the
peak of U and T; near the edge the variable is eta with distance
``v^2/kappa, v = h sinh(eta)``, in which square roots, steps and 1/sqrt(s)
are all analytic.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np
from scipy.special import struve

from renp_infer.kernels import njit

LORENTZ_WIDTH = 32.0 / (3.0 * np.pi**2)
"""y_l of Eq. (18); x_l is 1."""
GAUSS_X, GAUSS_W = np.polynomial.legendre.leggauss(10)
ETA_STEP = 2.0
GRADING = 4.0
WAVE = 1.4 * np.pi
"""Width of Gauss panels in the argument of U and W, whose period is pi."""
SLIT_STEPS = 32.0
_U = np.arange(1, int(64 * SLIT_STEPS) + 3) / SLIT_STEPS
SLIT = np.concatenate([[32.0 / (3.0 * np.pi)], 4.0 * struve(1, 2.0 * _U) / _U**2])
"""Int d(eta) W(sqrt(u^2 + eta^2)) = 4 H_1(2u)/u^2 (Struve), u = n/32."""


@njit(cache=True, error_model="numpy")
def bessel_j1(x):
    """J_1(x) for x >= 0 to 1e-7 (Abramowitz and Stegun 9.4.4, 9.4.6)."""
    if x <= 3.0:
        t = (x / 3.0) ** 2
        series = 0.00443319 + t * (-0.00031761 + t * 0.00001109)
        series = -0.21093573 + t * (0.03954289 - t * series)
        return x * (0.5 + t * (-0.56249985 - t * series))
    t = 3.0 / x
    f1 = -0.00249511 + t * (0.00113653 - t * 0.00020033)
    f1 = 0.79788456 + t * (0.00000156 + t * (0.01659667 + t * (0.00017105 + t * f1)))
    p1 = 0.00074348 + t * (0.00079824 - t * 0.00029166)
    p1 = 0.12499612 + t * (0.00005650 + t * (-0.00637879 + t * p1))
    return f1 * np.cos(x - 2.35619449 + t * p1) / np.sqrt(x)


@njit(cache=True, error_model="numpy", inline="always")
def _fade(x, cut):
    """Smooth step from 1 at ``cut`` to 0 at twice the cut."""
    t = min((x - cut) / cut, 1.0)
    return 1.0 - t * t * t * (10.0 - t * (15.0 - 6.0 * t))


@njit(cache=True, error_model="numpy")
def longitudinal(x, lorentz, cut):
    """U(x) of Eq. (18) or (15); beyond ``cut`` its oscillation fades out.

    Dropping the oscillation changes the integral against a smooth function
    by less than any power of 1/cut, against a step at x by 1/(4 x^2).
    """
    if lorentz:
        return 1.0 / (1.0 + x * x)
    x = abs(x)
    if x < 1e-3:
        return 1.0 - x * x / 3.0
    if x < cut:
        return (np.sin(x) / x) ** 2
    if x < 2.0 * cut:
        return 0.5 * (1.0 - _fade(x, cut) * np.cos(2.0 * x)) / (x * x)
    return 0.5 / (x * x)


@njit(cache=True, error_model="numpy")
def transverse(y, lorentz, cut):
    """W(y) of Eq. (18) or (15); beyond ``cut`` its oscillation fades out."""
    if lorentz:
        return 1.0 / (1.0 + (y / LORENTZ_WIDTH) ** 2)
    y = abs(y)
    if y < 1e-3:
        return 1.0 - 0.25 * y * y
    if y < cut:
        return (2.0 * bessel_j1(y) / y) ** 2
    # Nicholson: the mean of J_1^2 is (J_1^2 + Y_1^2)/2
    mean = (1.0 + (0.375 - 0.3515625 / (y * y)) / (y * y)) / (np.pi * y)
    if y < 2.0 * cut:
        mean += _fade(y, cut) * (bessel_j1(y) ** 2 - mean)
    return 4.0 * mean / (y * y)


@njit(cache=True, error_model="numpy")
def grading(width, lorentz, cut, span, wave):
    """Ascending distances from the kernel's centre at which panels break."""
    out = np.empty(64 + int(2.0 * cut))
    count, step = 0, width if lorentz else wave * width
    while step < span:
        out[count] = step
        count += 1
        far = lorentz or step > 2.0 * cut * width
        step = step * GRADING if far else step + wave * width
    out[count] = span
    return out[: count + 1]


@njit(cache=True, error_model="numpy")
def slit(u, cut):
    """Plane-wave W integrated along a straight line at distance u <= 64.

    Cubic interpolation of the Struve form, error below 2e-7 of the maximum;
    the oscillation fades as in ``transverse``.
    """
    position = u * SLIT_STEPS
    n = max(1, min(int(position), SLIT.size - 3))
    t = position - n
    value = (
        -t * (t - 1.0) * (t - 2.0) / 6.0 * SLIT[n - 1]
        + (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0 * SLIT[n]
        - (t + 1.0) * t * (t - 2.0) / 2.0 * SLIT[n + 1]
        + (t + 1.0) * t * (t - 1.0) / 6.0 * SLIT[n + 2]
    )
    if u > cut:
        mean = 8.0 / (np.pi * u * u) * (1.0 + (0.25 - 0.1875 / (u * u)) / (u * u))
        value = mean + _fade(u, cut) * (value - mean)
    return value


@njit(cache=True, error_model="numpy")
def _complete_elliptic(m):
    """Complete elliptic integrals K(m), E(m) by the arithmetic-geometric mean."""
    a, g, total, power = 1.0, np.sqrt(1.0 - m), 0.5 * m, 0.5
    while abs(a - g) > 1e-15 * a:
        power *= 2.0
        total += power * (0.5 * (a - g)) ** 2
        a, g = 0.5 * (a + g), np.sqrt(a * g)
    k = 0.5 * np.pi / a
    return k, k * (1.0 - total)


@njit(cache=True, error_model="numpy")
def _azimuthal_tail(rho, w, radius):
    """Moments of the mean tail 4/(pi y^3) over a circle, in closed form."""
    big, small = rho * rho + w * w, 2.0 * rho * w
    k, e = _complete_elliptic(2.0 * small / (big + small))
    root = np.sqrt(big + small)
    minus3, minus1, plus1 = 4.0 * e / ((rho - w) ** 2 * root), 4.0 * k / root, 4.0 * e * root
    first = (big * minus3 - minus1) / small
    second = (big * big * minus3 - 2.0 * big * minus1 + plus1) / (small * small)
    scale = 4.0 * rho / (np.pi * radius**3)
    return scale * minus3, scale * first, scale * second


@njit(cache=True, error_model="numpy")
def azimuthal(rho, w_t, radius, lorentz, cut):
    """T_k = rho Int dphi cos^k(phi) W(R |P_perp - w_t|), k = 0, 1, 2.

    Near the peak of a wide crystal, R sqrt(rho w_t) > 2000, the circle is
    replaced by its tangent: relative error below 1e-6.
    """
    sign = 1.0 if w_t >= 0.0 else -1.0
    y0, y1 = radius * abs(rho - abs(w_t)), radius * (rho + abs(w_t))
    if lorentz:
        scale = LORENTZ_WIDTH**2
        big = 1.0 + (rho * rho + w_t * w_t) * radius * radius / scale
        small = 2.0 * radius * radius * rho * abs(w_t) / scale
        if small < 1e-5 * big:
            return (
                2.0 * np.pi * rho / big,
                sign * np.pi * rho * small / big**2,
                np.pi * rho / big,
            )
        root = np.sqrt((1.0 + y0 * y0 / scale) * (1.0 + y1 * y1 / scale))
        i0 = 2.0 * np.pi / root
        i1 = (big * i0 - 2.0 * np.pi) / small
        return rho * i0, sign * rho * i1, rho * big * i1 / small
    cross = 4.0 * rho * abs(w_t) * radius * radius
    if y0 < 64.0 and cross > 1.6e7:
        t0 = 2.0 * rho * slit(y0, cut) / np.sqrt(cross)
        return t0, sign * t0, t0
    if y0 > 200.0 and y0 > 2.0 * cut and cross > 1e-3 * y0 * y0:
        t0, t1, t2 = _azimuthal_tail(rho, abs(w_t), radius)
        return t0, sign * t1, t2
    t0, t1, t2 = 0.0, 0.0, 0.0
    left, y = 0.0, y0
    while left < np.pi:
        y = y + WAVE if y < 2.0 * cut else y * 4.0
        right = np.pi
        if y < y1:
            right = 2.0 * np.arcsin(np.sqrt((y * y - y0 * y0) / cross))
        half = 0.5 * (right - left)
        for n in range(GAUSS_X.size):
            phi = left + half * (1.0 + GAUSS_X[n])
            dist = np.sqrt(y0 * y0 + cross * np.sin(0.5 * phi) ** 2)
            value = GAUSS_W[n] * half * transverse(dist, False, cut)
            cosine = np.cos(phi)
            t0 += value
            t1 += value * cosine
            t2 += value * cosine * cosine
        left = right
    return 2.0 * rho * t0, 2.0 * sign * rho * t1, 2.0 * rho * t2


@njit(cache=True, error_model="numpy")
def chord_nodes(end, start, centre, offsets, kinks, gap, position, weight, excess):
    """Gauss nodes on a chord [start, end] of the support; ``start`` is -end or 0.

    ``kinks`` are positive positions at which panels break on either side.
    ``excess`` is ``s - (m_i + m_j)^2`` at the nodes. Returns their number.
    """
    count = 0
    kappa = 2.0 * end
    scale = max(gap, 1e-4 * np.sqrt(2.0) * end)
    for side in range(2 if start < 0.0 else 1):
        sign = 1.0 - 2.0 * side
        middle = end - sign * centre
        left, index = 0.0, -offsets.size
        while left < end:
            right = end
            while index < offsets.size:
                mark = middle + (offsets[index] if index >= 0 else -offsets[-index - 1])
                if mark > left:
                    right = min(mark, end)
                    break
                index += 1
            for kink in kinks:
                if left < end - kink < right:
                    right = end - kink
            width = right - left
            if left > 3.0 * width:
                for n in range(GAUSS_X.size):
                    delta = left + 0.5 * width * (1.0 + GAUSS_X[n])
                    position[count] = sign * (end - delta)
                    weight[count] = 0.5 * width * GAUSS_W[n]
                    excess[count] = delta * (2.0 * end - delta)
                    count += 1
            else:
                low = np.arcsinh(np.sqrt(kappa * left) / scale)
                high = np.arcsinh(np.sqrt(kappa * right) / scale)
                pieces = int(np.ceil((high - low) / ETA_STEP))
                half = 0.5 * (high - low) / pieces
                for piece in range(pieces):
                    start = low + 2.0 * half * piece
                    for n in range(GAUSS_X.size):
                        grow = np.exp(start + half * (1.0 + GAUSS_X[n]))
                        sinh, cosh = 0.5 * (grow - 1.0 / grow), 0.5 * (grow + 1.0 / grow)
                        delta = (scale * sinh) ** 2 / kappa
                        position[count] = sign * (end - delta)
                        weight[count] = GAUSS_W[n] * half * 2.0 * scale**2 * sinh * cosh / kappa
                        excess[count] = delta * (2.0 * end - delta)
                        count += 1
            left = right
    return count
