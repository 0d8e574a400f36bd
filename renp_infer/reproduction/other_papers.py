"""Rows about other papers on neutrino pairs from atoms.

They are held to the preset ``first-principles`` in the limit they describe. Of their texts
abstracts and first pages could be read (``docs/ledger.md``); a formula that is marked "as
generally quoted" was derived again here, and not compared with its print.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log2

import numpy as np
from scipy.optimize import brentq

from renp_infer.physics.constants import (
    ELEMENTARY_CHARGE_C,
    PLANCK_J_S,
    SPEED_OF_LIGHT_CM_PER_S,
)
from renp_infer.physics.neutrinos import Nature, couplings, make_parameters, masses, weights
from renp_infer.physics.pairs.densities import current_form, pair_density
from renp_infer.physics.pairs.form_factor import pair_masses
from renp_infer.physics.pairs.kinematics import mismatch, threshold_angles
from renp_infer.physics.pairs.pair_tensor import pair_structure, pair_sums
from renp_infer.records import PAIR_INDEX, Parameters, Switches
from renp_infer.reproduction.conventions import CITED, compared
from renp_infer.reproduction.hamiltonian import CP_PHASES, moment_of, spin_velocity_currents
from renp_infer.reproduction.paper import ALL_READINGS, Paper
from renp_infer.reproduction.verdict import Recomputed

_TENSOR = "test_pair_tensor.py::"
_SPECTRUM = _TENSOR + "test_photon_spectrum_of_dinh_and_others"
_MASSES_EV = (0.002, 0.05, 0.3)
"""Lightest masses at which formulas are compared."""
NATURES: tuple[Nature, Nature] = ("dirac", "majorana")
_QUOTED = "derived again from the weak Hamiltonian; original text not checked"


def atomic_energy(paper: Paper) -> float:
    """Energy of the 3P0 level of Yb, eV."""
    per_cm = PLANCK_J_S * SPEED_OF_LIGHT_CM_PER_S / ELEMENTARY_CHARGE_C
    return paper.given("ytterbium_per_cm") * per_cm


def neutrinos(paper: Paper, m1_eV: float, nature: Nature) -> Parameters:
    """Neutrinos with CP phases."""
    return make_parameters(m1_eV, "normal", nature, *CP_PHASES, table=paper.table)


def spectrum(epsilon: float, omega: float, p: Parameters) -> float:
    """Sum of ``|a_ij|^2 Delta_ij (I_ij - delta_M m_i m_j Re a_ij^2 / |a_ij|^2)``, eV^2.

    The photon spectrum of atoms between beams back to back, over all ordered pairs.

    Parameters
    ----------
    epsilon, omega : float
        Energies of the level and of the photon, eV.
    p : Parameters
    """
    (a, _), m = couplings(p), masses(p)
    s, total = epsilon * (epsilon - 2.0 * omega), 0.0
    for i, j in np.ndindex(3, 3):
        if s <= (m[i] + m[j]) ** 2:
            continue
        delta = np.sqrt((s - (m[i] + m[j]) ** 2) * (s - (m[i] - m[j]) ** 2)) / s
        kinetic = s / 3.0 + omega**2 / 6.0 - (omega * delta) ** 2 / 18.0
        difference = (epsilon - omega) ** 2 * (m[i] ** 2 - m[j] ** 2) ** 2 / (6.0 * s**2)
        shape = kinetic - (m[i] ** 2 + m[j] ** 2) / 6.0 - difference
        swapped = m[i] * m[j] * (a[i, j] ** 2).real if p.nature == "majorana" else 0.0
        total += float(delta * (abs(a[i, j]) ** 2 * shape - swapped))
    return total


def rate_density(epsilon: float, omega: float, p: Parameters) -> float:
    """Mean over directions of S of the rate density at P = -k, over 2 pi, eV^2."""
    s = epsilon * (epsilon - 2.0 * omega)
    sums = pair_sums(s, masses(p), *couplings(p), p.nature)
    return float(sums.k_axial + sums.a_axial * omega**2 / 3.0) / (2.0 * np.pi)


def _farthest(ratios: Iterable[float]) -> float:
    """The ratio farthest from 1."""
    return max(ratios, key=lambda ratio: abs(ratio - 1.0))


def spectrum_ratio(paper: Paper, nature: Nature) -> float:
    """`rate_density` over `spectrum`: the worst of several masses and photons."""
    epsilon = atomic_energy(paper)
    return _farthest(
        rate_density(epsilon, share * epsilon, p) / spectrum(epsilon, share * epsilon, p)
        for p in (neutrinos(paper, m, nature) for m in _MASSES_EV)
        for share in (0.05, 0.2, 0.35, 0.45)
    )


def exchange(paper: Paper) -> float:
    """Coefficient of ``- m_i m_j Re a_ij^2`` in the rate density, over Phi."""
    p = neutrinos(paper, 0.05, "dirac")
    (b, c), m = couplings(p), masses(p)
    s = atomic_energy(paper) ** 2 / 2.0
    lost = pair_sums(s, m, b, c, "dirac").k_axial - pair_sums(s, m, b, c, "majorana").k_axial
    unit = sum(
        float(pair_structure(s, float(m[i]), float(m[j])).phi) * m[i] * m[j] * (b[i, j] ** 2).real
        for i, j in np.ndindex(3, 3)
    )
    return float(lost / unit)


def threshold_ratio(paper: Paper) -> float:
    """Photon energy at which a pair opens, by root finding, over eps/2 - (m_i+m_j)^2 / 2 eps."""
    epsilon, m = atomic_energy(paper), masses(neutrinos(paper, 0.05, "dirac"))

    def edge(i: int, j: int) -> float:
        def open_(omega: float) -> float:
            s = epsilon * (epsilon - 2.0 * omega)
            return 0.5 if pair_structure(s, float(m[i]), float(m[j])).phi > 0.0 else -0.5

        return float(brentq(open_, 0.0, 0.5 * epsilon))

    formula = {(i, j): 0.5 * (epsilon - (m[i] + m[j]) ** 2 / epsilon) for i, j in PAIR_INDEX}
    return _farthest(edge(*pair) / value for pair, value in formula.items())


def weight_ratio(paper: Paper) -> float:
    """Weights of the six pairs, over |a_ij|^2 in sines of the mixing angles."""
    p = neutrinos(paper, 0.05, "dirac")
    s12, s13 = p.sin2_12, p.sin2_13
    e = np.array([(1.0 - s12) * (1.0 - s13), s12 * (1.0 - s13), s13])
    closed = [(e[i] - 0.5) ** 2 if i == j else 2.0 * e[i] * e[j] for i, j in PAIR_INDEX]
    return _farthest(float(x) for x in weights(p, Switches(weights="eq3")).rate / closed)


def nature_growth(paper: Paper) -> float:
    """Relative Majorana term at a tenth of the atom's energy, over that at all of it."""
    whole = atomic_energy(paper)

    def share(epsilon: float) -> float:
        dirac, majorana = (
            spectrum(epsilon, 0.1 * epsilon, paper.parameters(0.02, nature)) for nature in NATURES
        )
        return 1.0 - majorana / dirac

    return share(0.1 * whole) / share(whole)


def onset_power(paper: Paper, phase_space: str) -> float:
    """Power with which pair (11) sets in beyond its threshold in angle; 0 is a step.

    To the four digits that a distance of 1e-9 rad leaves.
    """
    target, (_, theta_e) = paper.target, paper.directions
    m = masses(paper.parameters())
    _, upper = threshold_angles(2.0 * m[0], target, theta_e)
    inside = float(upper) - np.array([1e-9, 2e-9])
    setup = paper.experiment("corrected", angles=inside)
    form = current_form(setup.layout, setup.switches)
    w_l, w_t = mismatch(inside, theta_e, target)
    density, _ = pair_density(w_l, w_t, target.epsilon_ep, (m[0], m[0]), form, phase_space)
    return round(log2(density[1] / density[0]), 4) + 0.0  # no negative zero


def threshold_count(paper: Paper) -> float:
    """How many directions at which pairs open there are, above the phase-matched one."""
    totals = pair_masses(masses(paper.parameters())).sum(axis=1)
    _, upper = threshold_angles(totals, paper.target, paper.directions[1])
    return float(len(np.unique(upper[np.isfinite(upper)])))


def spectrum_rows(paper: Paper) -> list[Recomputed]:
    """The photon spectrum of atoms, arXiv:1209.4808."""
    ratios = tuple(spectrum_ratio(paper, nature) for nature in NATURES)
    kappas = paper.both(lambda reading: paper.switches(reading).majorana_kappa)
    weighed, growth = weight_ratio(paper), nature_growth(paper)
    return [
        Recomputed("dinh-spectrum", None, None, _QUOTED, _SPECTRUM, None, ratios),
        compared("dinh-exchange", kappas, _QUOTED, _SPECTRUM, None, exchange(paper)),
        Recomputed(
            "dinh-threshold", None, None, _QUOTED,
            _TENSOR + "test_thresholds_of_that_spectrum", None, threshold_ratio(paper),
        ),
        Recomputed(
            "dinh-weights", weighed, weighed, _QUOTED,
            "test_neutrinos.py::test_eq3_weights_and_their_sums", None, weighed,
        ),
        Recomputed(
            "dinh-nature", None, None, "m_i m_j over s: a hundredfold for a tenth of the energy",
            _SPECTRUM, None, growth,
        ),
    ]  # fmt: skip


def scattering_rows(paper: Paper) -> list[Recomputed]:
    """Raman-stimulated pairs, arXiv:1904.03813."""
    count = threshold_count(paper)
    steps = [onset_power(paper, paper.switches(r).phase_space) for r in ALL_READINGS]
    angles = "test_kinematics.py::test_thresholds_against_brute_root_finding"
    step = "in space a pair sets in as the root of s - (m_i + m_j)^2; only in a plane as a step"
    onset = "test_ledger.py::test_pairs_set_in_as_a_root_in_space_and_as_a_step_in_the_plane"
    other = "for scattering in place of a trigger; of the text the abstract was read"
    return [
        Recomputed("raman-thresholds", count, count, "six masses of pairs", angles, None, count),
        Recomputed(
            "raman-steps", steps[0], steps[1], step, onset, "not reproducible", steps[2]
        ),
        Recomputed("raman-mass", None, None, other, CITED, "not reproducible"),
    ]  # fmt: skip


def magnetization_rows(paper: Paper) -> list[Recomputed]:
    """The moment along the photon, arXiv:2004.03812, and a gram of atoms, 1911.01639."""
    current = spin_velocity_currents(paper)
    left = abs(moment_of(paper, current, 0.0) / moment_of(paper, current, 1.0))
    why = "both partners of a doublet have the same S.v and opposite moments"
    test = "test_emission.py::test_spin_velocity_leaves_no_moment_of_partners"
    other = "for other atoms; of the text the abstract was read"
    return [
        Recomputed("persistent-moment", 1.0, 1.0, why, test, "not reproducible", left),
        Recomputed("gram-of-atoms", None, None, other, CITED, "not reproducible"),
    ]
