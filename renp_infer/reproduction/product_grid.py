"""What an unresolved quadrature makes of Eqs. (17), (62).

The Lorentzians are 1e-5 eV wide for centimetre crystals; a product rule with
101 nodes has steps of 1e-2 eV. It counts how many nodes fall near the surface
K = 0, which is a matter of the grid and the angle and not of the integral.
"""

from __future__ import annotations

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.physics.pairs._form_kernels import LORENTZ_WIDTH
from renp_infer.physics.pairs.form_factor import PairIntegrals, crystal_size, pair_masses
from renp_infer.physics.pairs.kinematics import mismatch
from renp_infer.records import Experiment, FloatArray
from renp_infer.reproduction._product_kernel import product_trapezoid


def _check(experiment: Experiment) -> None:
    switches, layout = experiment.switches, experiment.layout
    given = (switches.phase_space, switches.form_factor, switches.current_axis, layout.c_axis)
    allowed = ("planar", "lorentzian", "parallel", 0.0)
    if given != allowed:
        raise DomainError("switches", given, str(allowed))


def product_integrals(experiment: Experiment, masses_eV: FloatArray, nodes: int) -> PairIntegrals:
    """Pair integrals by the trapezoid rule with ``nodes``^3 points.

    Parameters
    ----------
    experiment : Experiment
        Planar, Lorentzian, current and c axis along k1.
    masses_eV : ndarray, shape (3,)
    nodes : int
        Points in E1, theta_1 and theta_2 each.

    Returns
    -------
    PairIntegrals
        Without an error estimate: the rule has none.

    Raises
    ------
    DomainError
        For other switches than those of the paper's figures.
    """
    _check(experiment)
    layout = experiment.layout
    w_l, w_t = mismatch(layout.theta_s, layout.theta_e, experiment.target)
    size, epsilon = crystal_size(experiment), experiment.target.epsilon_ep
    found = np.array(
        [
            product_trapezoid(w_l, w_t, *size, epsilon, *pair, nodes)
            for pair in pair_masses(masses_eV)
        ]
    )
    unknown = np.full_like(found[:, 0], np.nan)
    return PairIntegrals(found[:, 0], found[:, 1], unknown, np.array([w_l, w_t]))


def product_opening(
    experiment: Experiment, mass_eV: float, offsets: FloatArray, nodes: int
) -> FloatArray:
    """Density of opening angles at phase matching by the same rule, Fig. 7.

    Parameters
    ----------
    experiment : Experiment
        As for `product_integrals`; its first trigger angle is taken.
    mass_eV : float
        Of both neutrinos.
    offsets : ndarray, shape (n,)
        theta_1 - theta_2 - pi, rad.
    nodes : int
        Points in E1 and theta_1 each.

    Returns
    -------
    ndarray, shape (n,)
        eV^5/rad.

    Raises
    ------
    DomainError
        See `product_integrals`.
    """
    _check(experiment)
    layout, epsilon = experiment.layout, experiment.target.epsilon_ep
    w_l, w_t = mismatch(layout.theta_s[:1], layout.theta_e, experiment.target)
    half_length, radius = crystal_size(experiment)
    e_1 = np.linspace(mass_eV, epsilon - mass_eV, nodes)[:, None]
    one = np.linspace(-np.pi, np.pi, nodes)
    p_1 = np.sqrt(e_1**2 - mass_eV**2)
    p_2 = p_1[::-1]
    step = (epsilon - 2.0 * mass_eV) / (nodes - 1) * 2.0 * np.pi / (nodes - 1)
    found = np.empty(offsets.size)
    for n, offset in enumerate(offsets):
        two = one - np.pi - offset
        x = half_length * (p_1 * np.cos(one) + p_2 * np.cos(two) - w_l)
        y = radius / LORENTZ_WIDTH * (p_1 * np.sin(one) + p_2 * np.sin(two) - w_t)
        bracket = e_1 * (epsilon - e_1) + p_1 * p_2 * np.cos(one + two)
        weight = p_1 * p_2 * np.abs(np.sin(one) * np.sin(two)) / (1.0 + x**2) / (1.0 + y**2)
        found[n] = step * np.sum(weight[:, :-1] * bracket[:, :-1])  # -pi and pi are one angle
    return found
