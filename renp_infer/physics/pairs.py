"""Pair densities: what the crystal's form factor is folded with.

Energy conservation leaves the momentum P of the neutrino pair free inside
``s = eps^2 - P^2 > (m_i + m_j)^2``. The density D(P) is the integral over the
remaining direction, planar as in Eqs. (17), (62) of the paper or over the
full sphere as in Eq. (12); the electron current enters as a quadratic form.
"""

from __future__ import annotations

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.physics._crystal_kernels import local_density
from renp_infer.records import FloatArray, Layout, Switches


def current_form(layout: Layout, switches: Switches) -> FloatArray:
    """Quadratic form C of the current in the bracket ``... + p1.C.p2``.

    Parallel to the c axis (Eqs. 53 to 56) it is 2 c c^T; for a Delta M = 1
    current, transverse to c, it is 1 - c c^T.

    Returns
    -------
    ndarray, shape (4,)
        Components zz, zy, yy and nn, with z along k1, y across it in the
        k1-k2 plane and n normal to that plane.
    """
    if layout.c_axis is None:
        axis = np.array([0.0, 0.0, 1.0])
    else:
        axis = np.array([np.cos(layout.c_axis), np.sin(layout.c_axis), 0.0])
    form = np.outer(axis, axis)
    form = 2.0 * form if switches.current_axis == "parallel" else np.eye(3) - form
    return np.array([form[0, 0], form[0, 1], form[1, 1], form[2, 2]])


def pair_density(
    w_l: FloatArray,
    w_t: FloatArray,
    epsilon: float,
    pair_masses: tuple[float, float],
    form: FloatArray,
    phase_space: str,
) -> tuple[FloatArray, FloatArray]:
    """Density at P = (w_l, w_t, 0) and its Majorana partner.

    Parameters
    ----------
    w_l, w_t : ndarray, shape (n,)
        Momentum along and across k1, eV.
    epsilon : float
        Energy of the pair, eV.
    pair_masses : (float, float)
        m_i, m_j in eV.
    form : ndarray, shape (4,)
        From ``current_form``.
    phase_space : {"planar", "full"}

    Returns
    -------
    density, partner : ndarray, shape (n,)
        Planar: eV^3 and eV; full: eV^2 and 1. Zero beyond the threshold.

    Raises
    ------
    DomainError
        If a mass is negative or not finite.
    """
    masses = np.array(pair_masses, dtype=float)
    if not (np.isfinite(masses).all() and (masses >= 0.0).all()):
        raise DomainError("pair_masses", pair_masses, "finite, >= 0")
    planar = phase_space == "planar"
    w_l, w_t = np.broadcast_arrays(np.atleast_1d(w_l), np.atleast_1d(w_t))
    values = [
        local_density(planar, float(z), float(y), epsilon, masses, form)
        for z, y in zip(w_l, w_t, strict=True)
    ]
    density, partner = np.array(values).T
    return density, partner
