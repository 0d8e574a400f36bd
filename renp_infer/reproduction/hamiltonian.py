"""Rows where the weak Hamiltonian, Eq. (1), says otherwise than the equations after it.

Derivations are in ``docs/first-principles.md``.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np

from renp_infer.physics.neutrinos import couplings, make_parameters, masses
from renp_infer.physics.pairs.pair_tensor import (
    CurrentPair,
    PairStructure,
    even_form,
    four_momentum,
    odd_form,
    pair_structure,
    pair_sums,
    spin_velocity_density,
)
from renp_infer.physics.signal import magnetization as mag
from renp_infer.physics.signal.currents import (
    Currents,
    VectorCurrent,
    doublet_ladder,
    partner_channels,
)
from renp_infer.physics.signal.emission import Emitters, general_moment_rate_muB_per_s
from renp_infer.physics.targets.matrix_elements import h_r, velocity_over_spin
from renp_infer.physics.targets.transition import component_channel
from renp_infer.records import ComplexArray, FloatArray
from renp_infer.reproduction.paper import ALL_READINGS, Paper
from renp_infer.reproduction.verdict import Recomputed

_AXIS = np.array([0.0, 0.0, 1.0])
_ONE = np.diag([1.0, 0.0, 0.0]).astype(complex)
"""One pair with unit couplings."""
_PARTNERS = "test_emission.py::test_spin_velocity_leaves_no_moment_of_partners"
_UP_DOWN = "test_pair_tensor.py::test_no_moment_is_odd_in_the_cp_phases"
CP_PHASES = (1.0, 2.0, 0.5)
"""delta, alpha21 and alpha31 of the rows about CP, rad: no coupling is real or imaginary."""


def most_moment(paper: Paper) -> FloatArray:
    """P along c where massless pairs leave the largest moment, shape (3,), eV."""
    return paper.target.epsilon_ep / sqrt(3.0) * _AXIS


def pair_at(paper: Paper, momentum: FloatArray) -> PairStructure:
    """The massless pair at a total momentum."""
    return pair_structure(paper.target.epsilon_ep**2 - float(momentum @ momentum), 0.0, 0.0)


def conserved_share(paper: Paper, current: VectorCurrent) -> float:
    """Interference of S with v along P, over that with V0 = 0, where the moment is largest."""
    momentum = most_moment(paper)
    pair, epsilon = pair_at(paper, momentum), paper.target.epsilon_ep
    found, spatial = (
        float(spin_velocity_density(pair, epsilon, momentum, _AXIS, _AXIS, conserved=conserved))
        for conserved in (current == "conserved", False)
    )
    return found / spatial


def vector_rows(paper: Paper) -> list[Recomputed]:
    """Charge, sign and size of the currents, Sec. I and Eqs. (6) to (10)."""
    rest = np.zeros(3)
    q, pair = four_momentum(paper.target.epsilon_ep, rest), pair_at(paper, rest)
    sums = pair_sums(float(q[0]) ** 2, np.zeros(3), _ONE, _ONE, "dirac")
    unit = CurrentPair(np.append(0.0, _AXIS), np.zeros(4))
    both = CurrentPair(unit.axial, unit.axial)
    # Eq. (10) over the sphere: half of 2, less a third, times E1 E2 = s/4
    bracket = float(pair.phi) * float(q[0]) ** 2 / 4.0 * (1.0 - 1.0 / 3.0)
    half = 0.5 * float(even_form(sums, q, unit, unit).real) / bracket
    sign = float(np.sign(odd_form(sums, q, both, both).real))
    shares = [conserved_share(paper, paper.switches(r).vector_current) for r in ALL_READINGS]
    tensor = "test_pair_tensor.py::"
    return [
        Recomputed(
            "sec1-spatial", shares[0], shares[1],
            "the vector current is conserved: V0 = P.v / eps takes 1 - s / eps^2 of it away",
            tensor + "test_conservation_cancels_the_signal_at_the_threshold",
            "not reproducible", shares[2],
        ),
        Recomputed(
            "eq6-sign", 1.0, 1.0, "Eq. (1) has c V - b A, so every interference is the opposite",
            tensor + "test_spin_velocity_is_the_spinor_interference", "misprint", sign,
        ),
        Recomputed(
            "eq10-half", half, half,
            "Eq. (1) has 1 - gamma_5, not its half; with A = sigma = 2 S the rate is 16 times as "
            "large",
            tensor + "test_normalisation_is_sixteen_times_the_paper", "misprint", half,
        ),
    ]  # fmt: skip


def cp_odd_share(paper: Paper) -> float:
    """What is odd in the CP phases, summed over ordered pairs, over the sum of its sizes.

    Im(b_ij c_ij*) and the Majorana Im(b_ij c_ij), each with its pair density.
    """
    parameters = make_parameters(0.05, "normal", "majorana", *CP_PHASES, table=paper.table)
    (b, c), m = couplings(parameters), masses(parameters)
    momentum = most_moment(paper)
    s = paper.target.epsilon_ep**2 - float(momentum @ momentum)
    terms = []
    for i, j in np.ndindex(3, 3):
        pair = pair_structure(s, float(m[i]), float(m[j]))
        terms.append(float(pair.phi * pair.k) * (b[i, j] * c[i, j].conj()).imag)
        terms.append(float(pair.phi) * m[i] * m[j] * (b[i, j] * c[i, j]).imag)
    return float(abs(np.sum(terms)) / np.sum(np.abs(terms)))


def cp_rows(paper: Paper) -> list[Recomputed]:
    """The up-down asymmetry that Secs. II and VI announce."""
    why = (
        "(i, j) and (j, i) have conjugate couplings and one density: their sum has no term odd in "
        "the CP phases, for any target"
    )
    share = cp_odd_share(paper)
    return [
        Recomputed(name, None, None, why, _UP_DOWN, "not reproducible", share)
        for name in ("sec2-up-down", "sec6-cp-odd")
    ]


def spin_velocity_currents(paper: Paper) -> Currents:
    """The paper's current: S of its leading components, v along it by Table I."""
    target = paper.target
    channel = component_channel(target)
    md, ed = target.md_rates_per_s["ep"], target.ed_rates_per_s["ep"]
    spin: ComplexArray = np.array(channel.spin, dtype=complex)
    velocity: ComplexArray = velocity_over_spin(md, ed, target.epsilon_ep) * spin
    return Currents(spin=spin, velocity=velocity, delta_mu=channel.delta_mu)


def moment_of(paper: Paper, currents: Currents, polarisation: float) -> float:
    """Parity-violating moment along c of a target with a polarisation, mu_B/s, any scale."""
    momentum, parameters = most_moment(paper), paper.parameters()
    s = paper.target.epsilon_ep**2 - float(momentum @ momentum)
    sums = pair_sums(s, masses(parameters), *couplings(parameters), "dirac")
    violating, _ = general_moment_rate_muB_per_s(
        Emitters(1.0, 1.0, 0.25), partner_channels(currents), doublet_ladder(0.0, polarisation),
        sums, paper.target.epsilon_ep, momentum,
    )  # fmt: skip
    return float(violating[2])


def unpolarised_rows(paper: Paper) -> list[Recomputed]:
    """What S.v leaves in unpolarised ions, and what needs no mixed parity."""
    current = spin_velocity_currents(paper)
    one = moment_of(paper, current, 1.0)
    none = abs(moment_of(paper, current, 0.0) / one)
    magnetic = replace(current, magnetic=current.spin)
    pure = replace(magnetic, velocity=np.zeros(3, dtype=complex))
    whole = moment_of(paper, magnetic, 0.0)
    needs = abs(1.0 - moment_of(paper, pure, 0.0) / whole)
    time = (
        "time reversal: S.v is the same for both partners of a doublet and their moments are "
        "opposite, at every site and in every host"
    )
    weak = "weak magnetism leaves the moment; v, which needs mixed parity, nothing"
    return [
        Recomputed("eq61-unpolarised", 1.0, 1.0, time, _PARTNERS, "not reproducible", none),
        Recomputed("sec6-crystal-field", 1.0, 1.0, weak, _PARTNERS, "not reproducible", needs),
    ]


def trigger_rows(paper: Paper) -> list[Recomputed]:
    """4 h_r^2 beside |rho_ep|^2, Eqs. (7), (16)."""
    setup = paper.experiment("corrected", trigger_mW_cm2=paper.given("reference_mW_cm2"))
    printed = 4.0 * paper.number("eq9-h_r") ** 2
    derived = 4.0 * h_r(setup.target, setup.lasers, setup.switches) ** 2
    why = "the trigger acts after the pair is emitted, and has made rho_ep before: counted twice"
    test = "test_coherence.py::test_the_trigger_does_not_speed_up_the_step_before_it"
    once = 4.0 * mag.COHERENT**2
    return [Recomputed("eq16-trigger", printed, derived, why, test, "not reproducible", once)]
