"""Numba kernels of the pair densities; floats in and out, no checks.

Notation: P is the pair momentum, ``s = eps^2 - P^2``, ``a = m_i^2``,
``b = m_j^2``, ``d = (a - b)/s``. In the pair's rest frame the momentum is
``pp = lambda/(4 s)`` squared, so p1 = (1 + d)/2 P + u, p2 = (1 - d)/2 P - u,
where u runs over the ellipsoid ``u.u = pp (1 + (P.n)^2/s)`` along n.
The electron current enters as a quadratic form C on p1, p2.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Compiled for what they are called with.

from __future__ import annotations

import numpy as np

from renp_infer.kernels import njit


@njit(cache=True, error_model="numpy", inline="always")
def full_terms(s, excess, a, b, trace_c):
    """Isotropic pieces of the three-dimensional density.

    ``excess`` is ``s - (m_i + m_j)^2``, passed on its own because it is what
    cancels near the edge. Returns (phi, base, quad): the density is
    ``phi (base + quad P.C.P)`` and its Majorana partner ``phi``.
    """
    gap = 2.0 * np.sqrt(a * b)
    lam = excess * (excess + 2.0 * gap)
    d = (a - b) / s
    phi = 2.0 * np.pi * np.sqrt(lam) / s
    third = lam / (12.0 * s)
    base = 0.5 * (s - a - b) - third * trace_c
    quad = 0.25 * (1.0 - d * d) - third / s
    return phi, base, quad


@njit(cache=True, error_model="numpy")
def full_partials(s, excess, a, b, trace_c, pcp):
    """Density and partner in three dimensions with their partial derivatives.

    Returns (density, partner, d/ds, d/d(P.C.P), d/da, d/db of the density,
    d/ds, d/da, d/db of the partner); P.C.P and s count as independent.
    """
    lam = excess * (excess + 4.0 * np.sqrt(a * b))
    over = 1.0 / s
    d = (a - b) * over
    phi = 2.0 * np.pi * np.sqrt(lam) * over
    third = lam * over / 12.0
    base = 0.5 * (s - a - b) - third * trace_c
    quad = 0.25 * (1.0 - d * d) - third * over
    bracket = base + quad * pcp
    # lam = (s - a - b)^2 - 4 a b
    lam_s, half_phi = 2.0 * (s - a - b), 0.5 * phi / lam
    lam_a, lam_b = -lam_s - 4.0 * b, -lam_s - 4.0 * a
    phi_s = half_phi * lam_s - phi * over
    phi_a, phi_b = half_phi * lam_a, half_phi * lam_b
    # the bracket depends on lam through base and quad alike
    bracket_lam = -(trace_c + pcp * over) * over / 12.0
    bracket_s = (
        0.5
        + bracket_lam * lam_s
        + third * over * (trace_c + 2.0 * pcp * over)
        + 0.5 * d * d * over * pcp
    )
    bend = 0.5 * d * over * pcp
    bracket_a = -0.5 + bracket_lam * lam_a - bend
    bracket_b = -0.5 + bracket_lam * lam_b + bend
    return (
        phi * bracket,
        phi,
        phi_s * bracket + phi * bracket_s,
        phi * quad,
        phi_a * bracket + phi * bracket_a,
        phi_b * bracket + phi * bracket_b,
        phi_s,
        phi_a,
        phi_b,
    )


@njit(cache=True, error_model="numpy", inline="always")
def _cosine_moments(c):
    """Integrals of cos^n (n = 0..4) from 0 to arccos(c)."""
    t = np.arccos(c)
    sine = np.sqrt(max(0.0, 1.0 - c * c))
    sc = sine * c
    second = 0.5 * (t + sc)
    return t, sine, second, sine * (2.0 + c * c) / 3.0, 0.25 * c * c * sc + 0.75 * second


@njit(cache=True, error_model="numpy", inline="always")
def _signed_moments(lower, upper):
    """Integrals over (0, pi) of sign * cos^n: + where lower < cos < upper."""
    n0, n1, n2, n3, n4 = -np.pi, 0.0, -0.5 * np.pi, 0.0, -0.375 * np.pi
    if lower <= -1.0:
        n0, n2, n4 = n0 + 2.0 * np.pi, n2 + np.pi, n4 + 0.75 * np.pi
    else:
        i0, i1, i2, i3, i4 = _cosine_moments(lower)
        n0, n1, n2 = n0 + 2.0 * i0, n1 + 2.0 * i1, n2 + 2.0 * i2
        n3, n4 = n3 + 2.0 * i3, n4 + 2.0 * i4
    if upper < 1.0:
        i0, i1, i2, i3, i4 = _cosine_moments(upper)
        n0, n1, n2 = n0 - 2.0 * i0, n1 - 2.0 * i1, n2 - 2.0 * i2
        n3, n4 = n3 - 2.0 * i3, n4 - 2.0 * i4
    return n0, n1, n2, n3, n4


@njit(cache=True, error_model="numpy")
def planar_density(pz, py, s, excess, a, b, czz, czy, cyy):
    """Planar density and Majorana partner, Eqs. (17), (62), in eV^3 and eV.

    The direction t of the pair's rest frame is integrated in closed form:
    with ``p1y p2y = (x1 py + rho c)(x2 py - rho c)``, c = cos t, the integrand
    is a quartic in c whose sign changes at two known values of c.
    """
    gap = 2.0 * np.sqrt(a * b)
    d = (a - b) / s
    pp = excess * (excess + 2.0 * gap) / (4.0 * s)
    rho = np.sqrt(pp * (1.0 + py * py / s))
    rho = max(rho, 1e-150)
    a1, a2 = 0.5 * (1.0 + d) * py, 0.5 * (1.0 - d) * py
    first, second = -a1 / rho, a2 / rho
    n0, n1, n2, n3, n4 = _signed_moments(min(first, second), max(first, second))
    # u_z = along c + across sin t, u_y = rho c
    along = pp * py * pz / (s * rho)
    across2 = pp * pp * (1.0 + (pz * pz + py * py) / s) / (rho * rho)
    quadratic = czz * along * along + 2.0 * czy * rho * along + cyy * rho * rho
    pcp = czz * pz * pz + 2.0 * czy * pz * py + cyy * py * py
    k0 = 0.5 * (s - a - b) + 0.25 * (1.0 - d * d) * pcp - czz * across2
    k1 = -d * ((czz * pz + czy * py) * along + (czy * pz + cyy * py) * rho)
    k2 = czz * across2 - quadratic
    m0, m1, m2 = a1 * a2, rho * (a2 - a1), -rho * rho
    scale = 2.0 / np.sqrt(s)
    density = (
        m0 * k0 * n0
        + (m0 * k1 + m1 * k0) * n1
        + (m0 * k2 + m1 * k1 + m2 * k0) * n2
        + (m1 * k2 + m2 * k1) * n3
        + m2 * k2 * n4
    )
    return scale * density, scale * (m0 * n0 + m1 * n1 + m2 * n2)


@njit(cache=True, error_model="numpy")
def planar_slopes(pz, py, s, excess, a, b, czz, czy, cyy, out):
    """``planar_density`` with its derivatives in pz, py, a and b.

    ``out`` gets four rows (density, partner); with ``None`` there are no derivatives. The
    limits of the signed moments do not contribute: the integrand vanishes there.
    """
    gap = 2.0 * np.sqrt(a * b)
    d = (a - b) / s
    lam = excess * (excess + 2.0 * gap)
    pp = lam / (4.0 * s)
    stretch = 1.0 + py * py / s
    rho = max(np.sqrt(pp * stretch), 1e-150)
    a1, a2 = 0.5 * (1.0 + d) * py, 0.5 * (1.0 - d) * py
    first, second = -a1 / rho, a2 / rho
    n0, n1, n2, n3, n4 = _signed_moments(min(first, second), max(first, second))
    along = pp * py * pz / (s * rho)
    boost = 1.0 + (pz * pz + py * py) / s
    across2 = pp * pp * boost / (rho * rho)
    quadratic = czz * along * along + 2.0 * czy * rho * along + cyy * rho * rho
    pcp = czz * pz * pz + 2.0 * czy * pz * py + cyy * py * py
    gz, gy = czz * pz + czy * py, czy * pz + cyy * py
    k0 = 0.5 * (s - a - b) + 0.25 * (1.0 - d * d) * pcp - czz * across2
    mix = gz * along + gy * rho
    k1, k2 = -d * mix, czz * across2 - quadratic
    m0, m1, m2 = a1 * a2, rho * (a2 - a1), -rho * rho
    scale = 2.0 / np.sqrt(s)
    qa = (
        m0 * k0 * n0
        + (m0 * k1 + m1 * k0) * n1
        + (m0 * k2 + m1 * k1 + m2 * k0) * n2
        + (m1 * k2 + m2 * k1) * n3
        + m2 * k2 * n4
    )
    qb = m0 * n0 + m1 * n1 + m2 * n2
    if out is None:
        return scale * qa, scale * qb
    for row in range(4):
        dz, dy = 1.0 if row == 0 else 0.0, 1.0 if row == 1 else 0.0
        da, db = 1.0 if row == 2 else 0.0, 1.0 if row == 3 else 0.0
        ds = -2.0 * (pz * dz + py * dy)
        dd = (da - db - d * ds) / s
        dlam = 2.0 * (s - a - b) * (ds - da - db) - 4.0 * (da * b + a * db)
        dpp = dlam / (4.0 * s) - pp * ds / s
        dstretch = (2.0 * py * dy - py * py * ds / s) / s
        drho = 0.5 * (dpp * stretch + pp * dstretch) / rho
        da1 = 0.5 * ((1.0 + d) * dy + dd * py)
        da2 = 0.5 * ((1.0 - d) * dy - dd * py)
        # along = py pz rho / (s stretch)
        base = py * pz / (s * stretch)
        dbase = (dy * pz + py * dz) / (s * stretch) - base * (ds / s + dstretch / stretch)
        dalong = dbase * rho + base * drho
        # across2 = pp boost / stretch
        dboost = (-ds - (boost - 1.0) * ds) / s
        dacross = (dpp * boost + pp * dboost) / stretch - across2 * dstretch / stretch
        dquadratic = (
            2.0 * czz * along * dalong
            + 2.0 * czy * (drho * along + rho * dalong)
            + 2.0 * cyy * rho * drho
        )
        dpcp = 2.0 * (gz * dz + gy * dy)
        dmix = (czz * dz + czy * dy) * along + gz * dalong + (czy * dz + cyy * dy) * rho + gy * drho
        dk0 = (
            0.5 * (ds - da - db) - 0.5 * d * dd * pcp + 0.25 * (1.0 - d * d) * dpcp - czz * dacross
        )
        dk1 = -dd * mix - d * dmix
        dk2 = czz * dacross - dquadratic
        dm0 = da1 * a2 + a1 * da2
        dm1 = drho * (a2 - a1) + rho * (da2 - da1)
        dm2 = -2.0 * rho * drho
        dqa = (
            (dm0 * k0 + m0 * dk0) * n0
            + (dm0 * k1 + m0 * dk1 + dm1 * k0 + m1 * dk0) * n1
            + (dm0 * k2 + m0 * dk2 + dm1 * k1 + m1 * dk1 + dm2 * k0 + m2 * dk0) * n2
            + (dm1 * k2 + m1 * dk2 + dm2 * k1 + m2 * dk1) * n3
            + (dm2 * k2 + m2 * dk2) * n4
        )
        dqb = dm0 * n0 + dm1 * n1 + dm2 * n2
        out[row, 0] = scale * (dqa - 0.5 * ds / s * qa)
        out[row, 1] = scale * (dqb - 0.5 * ds / s * qb)
    return scale * qa, scale * qb
