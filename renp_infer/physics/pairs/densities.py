"""Pair densities: what the crystal's form factor is folded with.

Energy conservation leaves the momentum P of the neutrino pair free inside
``s = eps^2 - P^2 > (m_i + m_j)^2``. The density D(P) is the integral over the
remaining direction, planar as in Eqs. (17), (62) of the paper or over the
full sphere as in Eq. (12); the electron current enters as a quadratic form.

Three densities, each with its Majorana partner, in the full phase space
(Phi = 2 pi sqrt(lam)/s, K = (s - m_i^2 - m_j^2)/2 - lam/(6 s), lam the triangle function):

================= ============================================= =================
"spatial"         Eqs. (12), (51): S.v of the space components  partner Phi
"conserved"       Phi K: V0 = P.v/eps, q.V = 0                  partner Phi
"weak-magnetism"  Phi K (P.n): V = (i/2 m_e) P x M              partner Phi (P.n)
================= ============================================= =================
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.physics.pairs._crystal_kernels import local_density
from renp_infer.physics.targets.transition import along_share
from renp_infer.records import Experiment, FloatArray, Layout, Switches

Density = Literal["spatial", "conserved", "weak-magnetism"]


def current_form(
    layout: Layout, switches: Switches, along: float | None = None, interference: float = 0.0
) -> FloatArray:
    """Form of the "spatial" density: the current's C in the bracket ``... + p1.C.p2``.

    Parallel to the c axis (Eqs. 53 to 56) it is 2 c c^T; for a Delta M = 1
    current, transverse to c, it is 1 - c c^T.

    Parameters
    ----------
    layout : Layout
    switches : Switches
    along : float, optional
        Share of |S|^2 along c in place of the switches' axis; the rest is transverse and,
        as at S4 sites, circular.
    interference : float
        Of the partners, see `partner_interference`: for S along c a factor of all, for a
        circular one ``-2 Re(e^{-2i phi} S S)`` in C, where S.S is zero.

    Returns
    -------
    ndarray, shape (8,)
        See ``density_form``.
    """
    if along is None:
        along = 1.0 if switches.current_axis == "parallel" else 0.0
    axis = _axis(layout)
    form = np.outer(axis, axis)
    form = 2.0 * along * form + (1.0 - along) * (np.eye(3) - form)
    if interference != 0.0:
        inside, normal = np.array([-axis[1], axis[0], 0.0]), np.array([0.0, 0.0, 1.0])
        both = np.outer(inside, inside) - np.outer(normal, normal)
        form = form - interference * (1.0 - along) * both
    trace = form[0, 0] + form[1, 1] + form[2, 2]
    quadratic = [form[0, 0], form[0, 1], form[1, 1], form[2, 2]]
    return np.array([*quadratic, trace, 0.0, 0.0, 1.0 - along * interference])


def density_form(
    layout: Layout,
    switches: Switches,
    density: Density = "spatial",
    along: float | None = None,
    interference: float = 0.0,
) -> FloatArray:
    """What distinguishes a density in the kernels.

    In all three dimensions a density is ``Phi (base + quad P.C.P) (f_z P_z + f_y P_y + f_1)``,
    in which base contains the trace of C. S.v of a conserved current has no P.C.P, its
    trace is that of any C. Weak magnetism is that times P.n, n along the c axis: nothing if
    that is normal to the plane. A form with f_z or f_y has no C.

    Parameters
    ----------
    layout : Layout
    switches : Switches
    density : {"spatial", "conserved", "weak-magnetism"}
    along, interference : float, optional
        Of `current_form`.

    Returns
    -------
    ndarray, shape (8,)
        C's components zz, zy, yy and nn, with z along k1, y across it in the k1-k2 plane
        and n normal to that plane; its trace; f_z, f_y and f_1.

    Raises
    ------
    DomainError
        For another density than "spatial" in the planar phase space, where only the
        current's space components are known.
    """
    if density == "spatial":
        return current_form(layout, switches, along, interference)
    if switches.phase_space == "planar":
        allowed = f'"full" for the density {density!r}'
        raise DomainError("phase_space", switches.phase_space, allowed)
    if density == "conserved":
        return np.array([0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 1.0])
    along, across, _ = _axis(layout)
    return np.array([0.0, 0.0, 0.0, 0.0, 2.0, along, across, 0.0])


def experiment_form(experiment: Experiment, density: Density) -> FloatArray:
    """`density_form` of an experiment; weak magnetism has the ion's own S in its rate."""
    switches, layout = experiment.switches, experiment.layout
    if density != "spatial":
        return density_form(layout, switches, density)
    along = along_share(experiment.target, switches)
    return density_form(layout, switches, density, along, partner_interference(experiment))


def partner_interference(experiment: Experiment) -> float:
    """What the phase of the partners does to the rate: ``cos(2 phi) (1 - p^2) / (1 + p^2)``.

    Over the rate of both partners that does not interfere; 0 on average over the phase. The
    sine is odd in the momentum normal to the plane of the beams, and leaves nothing.
    """
    phase = experiment.lasers.partner_phase
    if phase is None:
        return 0.0
    square = experiment.target.polarisation**2
    return float(np.cos(2.0 * phase)) * (1.0 - square) / (1.0 + square)


def phase_averaged(experiment: Experiment) -> Experiment:
    """The same without a phase of the partners: its rate is the mean over it."""
    return replace(experiment, lasers=replace(experiment.lasers, partner_phase=None))


def signal_density(switches: Switches) -> Density:
    """Density that the field is made of."""
    if switches.source == "weak-magnetism":
        return "weak-magnetism"
    return switches.vector_current


def _axis(layout: Layout) -> FloatArray:
    """Unit vector along the c axis, (z, y, normal)."""
    if layout.c_axis is None:
        return np.array([0.0, 0.0, 1.0])
    return np.array([np.cos(layout.c_axis), np.sin(layout.c_axis), 0.0])


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
    form : ndarray, shape (8,)
        From ``density_form``.
    phase_space : {"planar", "full"}

    Returns
    -------
    density, partner : ndarray, shape (n,)
        Planar: eV^3 and eV; full: eV^2 and 1, weak magnetism eV^3 and eV. Zero beyond the
        threshold.

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
