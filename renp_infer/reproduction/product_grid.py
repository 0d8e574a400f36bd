"""What an unresolved quadrature makes of Eqs. (17), (62).

The Lorentzians are 1e-5 eV wide for centimetre crystals; a product rule with
101 nodes has steps of 1e-2 eV. It counts how many nodes fall near the surface
K = 0, which is a matter of the grid and the angle and not of the integral.
"""

from __future__ import annotations

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.physics.form_factor import PairIntegrals, crystal_size, pair_masses
from renp_infer.physics.kinematics import mismatch
from renp_infer.records import Experiment, FloatArray
from renp_infer.reproduction._product_kernel import product_trapezoid


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
    switches, layout = experiment.switches, experiment.layout
    given = (switches.phase_space, switches.form_factor, switches.current_axis, layout.c_axis)
    allowed = ("planar", "lorentzian", "parallel", 0.0)
    if given != allowed:
        raise DomainError("switches", given, str(allowed))
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
