"""Rows about directions, mismatch and thresholds, Eqs. (20) to (29)."""

from __future__ import annotations

from math import cos, degrees, radians

import numpy as np

from renp_infer.physics.pairs.kinematics import mismatch, threshold_angles
from renp_infer.reproduction.conventions import same
from renp_infer.reproduction.paper import Paper
from renp_infer.reproduction.verdict import Recomputed

_TEST = "test_kinematics.py::test_phase_matching_of_the_erbium_scheme"
_OFF_DEG = 10.0


def energy_rows(paper: Paper) -> list[Recomputed]:
    """Photon and level energies: inputs, and closed loops of them."""
    target = paper.target
    test = "test_target.py::test_energies_and_pair_energy"
    inputs = {
        "eq25-e": target.omega_1 + target.omega_2,
        "eq25-p": target.omega_s,
        "eq26-q": target.omega_1,
        "eq27-omega-1": target.omega_1,
        "eq27-omega-2": target.omega_2,
        "eq27-omega-s": target.omega_s,
        "fig2-k1": target.omega_1,
        "fig2-k2": target.omega_2,
        "fig2-ks": target.omega_s,
        "eq22-index": target.refractive_index,
    }
    return [
        same(name, value, "an input of the calculation", test) for name, value in inputs.items()
    ]


def direction_rows(paper: Paper) -> list[Recomputed]:
    """Phase-matched directions, Eqs. (23), (28), (29)."""
    theta_s, theta_e = paper.directions
    closed = "closed triangle of k1, k2 and ks"
    values = {
        "eq23-cos-e": cos(theta_e),
        "eq23-cos-s": cos(theta_s),
        "eq23-theta-e": degrees(theta_e),
        "eq23-theta-s": degrees(theta_s),
        "eq28-cos": cos(theta_s),
        "eq28-rad": theta_s,
        "eq28-deg": degrees(theta_s),
        "eq29-cos": cos(theta_e),
        "eq29-rad": theta_e,
    }
    rows = [same(name, value, closed, _TEST) for name, value in values.items()]
    why = "2.47 rad beside it is right, and 142 deg below Eq. (23)"
    degree = degrees(theta_e)
    return [*rows, Recomputed("eq29-deg", degree, degree, why, _TEST, "misprint")]


def mismatch_rows(paper: Paper) -> list[Recomputed]:
    """The second mismatch of Eq. (20)."""
    theta_s, theta_e = paper.directions
    w_l, w_t = mismatch(theta_s + radians(_OFF_DEG), theta_e, paper.target)
    why = "y holds transverse momenta: w_t of Eq. (22) belongs there"
    test = "test_kinematics.py::test_mismatch_is_the_vector_sum_of_the_beams"
    return [Recomputed("eq20-w", float(w_l / w_t), 1.0, why, test, "misprint")]


def threshold_rows(paper: Paper) -> list[Recomputed]:
    """Where pairs open: finding 3."""
    theta_s, theta_e = paper.directions
    lightest = 2.0 * paper.parameters().m1_eV
    lower, upper = np.rad2deg(threshold_angles(lightest, paper.target, theta_e))
    why = (
        f"w = 0 gives the pair all of eps with P = 0; pairs open where eps^2 - w^2 = "
        f"(m_i + m_j)^2: {float(lower):.2f} and {float(upper):.2f} deg for two of 10 meV"
    )
    test = "test_kinematics.py::test_thresholds_against_brute_root_finding"
    angle = float(upper)
    return [Recomputed("eq23-threshold", angle, angle, why, test, "not reproducible")]


def quadrangle_rows(paper: Paper) -> list[Recomputed]:
    """Whether an extra photon of energy eps can take the mismatch, Sec. V."""
    w = np.hypot(*mismatch(paper.angles(), paper.directions[1], paper.target))
    photon = paper.target.refractive_index * paper.target.epsilon_ep
    closing = int(np.count_nonzero(np.diff(np.sign(w - photon))))
    why = f"|w| stays below {float(w.max()):.2g} eV in Fig. 6, the photon has {photon:.3g} eV"
    test = "test_ledger.py::test_no_extra_photon_closes_the_quadrangle"
    return [same("sec5-quadrangle", float(closing), why, test)]
