"""From pair integrals to event rate, magnetization and field, Eqs. (57)-(64).

    rate  = C' |chi|^2 S_ep^2      Sum F,                        Eq. (57)
    dB/dt = C' |chi|^2 S_ep . v_ep Sum G  cos(k_s, S)  b,        Eq. (61)

with C' the prefactor of Eq. (24) or half of it and b the field at the detector
that one event per second builds up each second. What each switch takes:

=================== ========================== ===============================
switch              as printed                 as derived
=================== ========================== ===============================
``h_r``             C = 2.02e11 of Eq. (24)    h_r of Eq. (8), then Eq. (24)
``gamma_power``     1, Eqs. (24), (57)         2, h_r^2 of Eq. (8)
``rate_prefactor``  C, the numbers (57), (64)  C / 2, Eq. (16)
``matrix_elements`` S^2 = 0.0157, v = 2.49e-6  Table I, Eqs. (34)-(43)
``moment``          0.29 G of Eq. (59)         mu / V: an event is one ion
=================== ========================== ===============================

Against the weak Hamiltonian (docs/first-principles.md) these are still wrong:

========================= ================ ========================================
switch                    as derived       from the weak Hamiltonian
========================= ================ ========================================
``trigger``               h_r^2            1/4: emission is N^2 |rho_ep|^2
``current_normalisation`` 1                16: (1 - gamma_5) and sigma = 2 S
``source``                S . v            -(M* x S) . P / 2 m_e, unpolarised ions:
                                           1/2 in rate and moment
``moment``                g mu_B / V       delta_mu mu_B / V, with g / 2 of each
``field_axis``            cos(k_s, S)      1: M lies along c, whatever k_s is
========================= ================ ========================================

Three statements of the paper are not used, because its own results do not
follow from them. Eqs. (57) and (61) write 2 C where their numbers contain C.
The printed C is not that of h_r = 748, Eq. (9), which gives 1.13e11, but of
h_r^2 = 3 pi I / (eps_ep^3 gamma_ep), to 0.7 %; hence one power of gamma_ep.
Eq. (59) prints 0.29 G where 4 pi g mu_B n xi is 0.096 G.
"""

from __future__ import annotations

from math import copysign, expm1, pi

import numpy as np

from renp_infer.finite import faults
from renp_infer.physics.constants import (
    BOHR_MAGNETON_PER_EV,
    ELECTRON_MASS_EV,
    EV2_TO_NG,
    G_TO_NG,
    PER_CM3_TO_EV3,
)
from renp_infer.physics.cycle.field_cycle import bloch_cycle
from renp_infer.physics.signal.pickup import coupling_of
from renp_infer.physics.targets.matrix_elements import (
    h_r,
    prefactor_of,
    printed_value,
    reference_gamma_per_s,
    spin_squared,
    spin_velocity,
)
from renp_infer.physics.targets.transition import transition_of
from renp_infer.records import Experiment, FloatArray, Layout
from renp_infer.target import Target


def ions(target: Target, layout: Layout) -> float:
    """Number of ions in the excited cylinder, n V."""
    return target.density_per_cm3 * layout.volume_cm3


def _printed_prefactor(experiment: Experiment) -> float:
    """Number of Eq. (24), scaled by intensity and ions from its reference crystal."""
    target = experiment.target

    def reference(name: str) -> float:
        return printed_value(target, f"reference_{name}", "h_r")

    volume = pi * reference("radius_cm") ** 2 * reference("length_cm")
    number = ions(target, experiment.layout) / (reference("density_per_cm3") * volume)
    intensity = experiment.lasers.trigger_mW_cm2 / reference("intensity_mW_cm2")
    return printed_value(target, "C_per_s_eV5", "h_r") * intensity * number**2


COHERENT = 0.5
"""What h_r is in ``4 h_r^2 -> 1``, where the trigger is not counted twice."""
SPINOR = 16.0
"""Spinors with A = 2 S over Eqs. (10), (16): 4 times 4, for the interference 4 times 2 times 2."""


def prefactor_per_s_eV5(experiment: Experiment) -> float:
    """Prefactor C' of rate and magnetization, with its switches, 1/(s eV^5).

    Raises
    ------
    DomainError
        A printed number asked of a target that has none.
    """
    switches = experiment.switches
    half = 0.5 if switches.rate_prefactor == "C/2" else 1.0
    if switches.current_normalisation == "spinor":
        half = 0.5 * SPINOR
    return half * _triggered(experiment) * partners(experiment)


def _triggered(experiment: Experiment) -> float:
    """C of Eq. (24), with the trigger's factor or without, 1/(s eV^5)."""
    target, switches = experiment.target, experiment.switches
    if switches.trigger == "coherence":
        return prefactor_of(COHERENT, ions(target, experiment.layout))
    if switches.h_r == "printed":
        prefactor = _printed_prefactor(experiment)
    else:
        number = ions(target, experiment.layout)
        prefactor = prefactor_of(h_r(target, experiment.lasers, switches), number)
    narrowing = reference_gamma_per_s(target, switches) / target.gamma_ep_per_s
    return prefactor * narrowing**switches.gamma_power


def partners(experiment: Experiment) -> float:
    """Emission of unpolarised doublets over that of ions that are all in one partner.

    1/2 for weak magnetism: each ion is in either partner, N^2 (1/4 + 1/4), or with a
    polarisation p N^2 ((1 + p)^2 + (1 - p)^2)/4; 1 where e or p is a singlet. The paper's
    picture has all ions in one.
    """
    if experiment.switches.source == "spin-velocity":
        return 1.0
    mixed = 1.0 + experiment.target.polarisation**2
    return 0.5 * mixed * transition_of(experiment.target).weight


def keeps_moment(experiment: Experiment) -> bool:
    """Whether the transition can leave a moment: not between two singlets."""
    weak, moment = experiment.switches.source == "weak-magnetism", experiment.switches.moment
    if not weak and moment != "doublet":
        return True
    found = transition_of(experiment.target)
    return found.delta_mu != 0.0 and not (weak and found.handedness == 0.0)


def current_squared(experiment: Experiment) -> float:
    """|S|^2 of the rate, dimensionless."""
    if experiment.switches.source == "weak-magnetism":
        return transition_of(experiment.target).spin_squared
    return spin_squared(experiment.target, experiment.switches)


def interference_current(experiment: Experiment) -> float:
    """What the parity-violating sum is multiplied by: |S||v|, or of weak magnetism, 1/eV.

    That is ``-h / 2 m_e``, h the handedness along c: minus since J = c V - b A. |S||v|
    comes from radiative rates and has no sign.
    """
    target, switches = experiment.target, experiment.switches
    if switches.source == "spin-velocity":
        return spin_velocity(target, switches)
    found = transition_of(target)
    # the sign belongs to the product of handedness and moment, whichever partner is "+"
    sign = 1.0 if switches.moment == "doublet" else copysign(1.0, found.delta_mu)
    return -sign * found.handedness / (2.0 * ELECTRON_MASS_EV)


def field_per_event_nG(experiment: Experiment) -> float:
    """Field at the detector, coupling xi included, per event in the target, nG.

    "density" is xi g mu_B n of Eqs. (58), (59), with the printed 0.29 G: every
    event counts as if all ions took part. "single-ion" is xi 4 pi g mu_B / V
    (Gaussian units), the magnetization that one ion leaves in the volume V; "doublet"
    has delta_mu, with its sign, in the place of g.

    Raises
    ------
    DomainError
        Eq. (59) asked of a target that does not print it, or delta_mu of one without.
    """
    target, coupling = experiment.target, coupling_of(experiment)
    if experiment.switches.moment == "density":
        field = printed_value(target, "mu_eff_n_G", "moment") * G_TO_NG
        density = printed_value(target, "reference_density_per_cm3", "moment")
        reference = printed_value(target, "reference_coupling", "moment")
        return field * (target.density_per_cm3 / density) * (coupling / reference)
    moment = target.g_factor
    if experiment.switches.moment == "doublet":
        moment = transition_of(target, "moment", "doublet").delta_mu
    per_volume = PER_CM3_TO_EV3 / experiment.layout.volume_cm3
    return coupling * moment * BOHR_MAGNETON_PER_EV * per_volume * EV2_TO_NG


def direction_factor(layout: Layout, theta_s: FloatArray | None = None) -> FloatArray:
    """``<k_s . S>`` of Eq. (61): cosine between trigger and moment, shape (n,).

    The moment lies along the c axis, so this is ``cos(theta_s - c_axis)``,
    cos theta_s in case (1), and zero in case (3), where c is normal to the
    plane of the beams. It is the same for a current transverse to c: such a
    Delta M = 1 current hands its angular momentum over along c, and the moment
    of the state left behind has no mean component across it. (The paper takes
    g_perp for its size all the same.)

    Parameters
    ----------
    layout : Layout
    theta_s : ndarray, shape (n,), optional
        Trigger angles from k1, rad; default those of the layout.
    """
    angles = layout.theta_s if theta_s is None else np.asarray(theta_s, dtype=float)
    if layout.c_axis is None:
        return np.zeros_like(angles)
    factor: FloatArray = np.cos(angles - layout.c_axis)
    return factor


def rate_per_s(experiment: Experiment, sum_F: FloatArray, chi_squared: float) -> FloatArray:
    """Event rate of the whole target, Eq. (57), shape (n,), 1/s.

    The paper gives the rate ``rho_ee^2 |rho_ep|^2`` and the magnetization one
    more power of rho_ee; one |chi|^2 serves both here.

    Parameters
    ----------
    experiment : Experiment
    sum_F : ndarray, shape (n,)
        Weighted sum of the rate integrals, eV^5.
    chi_squared : float
        Coherence factor.
    """
    causes, angles = _causes(experiment, chi_squared), experiment.layout.theta_s
    with faults("rate_per_s", causes, angles) as finite:
        spin = current_squared(experiment)
        rate: FloatArray = prefactor_per_s_eV5(experiment) * spin * chi_squared * np.asarray(sum_F)
        return finite(rate)


def _causes(experiment: Experiment, chi_squared: float) -> dict[str, object]:
    """What rate and field are scaled by, for errors."""
    target, layout = experiment.target, experiment.layout
    return {
        "density_per_cm3": target.density_per_cm3,
        "gamma_ep_per_s": target.gamma_ep_per_s,
        "length_cm": layout.length_cm,
        "radius_cm": layout.radius_cm,
        "trigger_mW_cm2": experiment.lasers.trigger_mW_cm2,
        "chi_squared": chi_squared,
        "coupling": experiment.detector.coupling,
        "spin_relaxation_ms": experiment.detector.spin_relaxation_ms,
        "cycle_ms": experiment.lasers.cycle_ms,
    }


def _growth_nG_per_s_eV5(experiment: Experiment, chi_squared: float) -> float:
    """Field growth per unit of Sum G or, with n = c, Sum W, without the direction factor."""
    current = interference_current(experiment)
    events = prefactor_per_s_eV5(experiment) * current * chi_squared
    return events * field_per_event_nG(experiment)


def magnetization_nG_per_s(
    experiment: Experiment, odd_sum: FloatArray, chi_squared: float
) -> FloatArray:
    """Growth of the field at the detector, Eqs. (61), (64), shape (n,), nG/s.

    Parameters
    ----------
    experiment : Experiment
    odd_sum : ndarray, shape (n,)
        Weighted sum of the parity-violating integrals at the trigger angles
        of the layout: Sum G, eV^5, or of weak magnetism Sum W with n = c, eV^6.
    chi_squared : float
        Coherence factor.
    """
    causes, layout = _causes(experiment, chi_squared), experiment.layout
    with faults("magnetization_nG_per_s", causes, layout.theta_s) as finite:
        growth = _growth_nG_per_s_eV5(experiment, chi_squared)
        moment = experiment.switches.field_axis == "moment"
        factor = 1.0 if moment else direction_factor(layout)
        return finite(growth * factor * np.asarray(odd_sum))


def cycle_time_s(experiment: Experiment) -> float:
    """Peak field of a cycle over its growth, s: ``T1 (1 - exp(-cycle / T1))``.

    With |chi|^2 as a number the simplest cycle: events at a constant rate from
    its start to its end, spins relaxing with T1, no field left over from the
    cycle before. With the Bloch equations the peak of the periodic field.
    """
    cycle = bloch_cycle(experiment)
    if cycle is not None:
        return cycle.peak_s
    relaxation = 1e-3 * experiment.detector.spin_relaxation_ms
    return -relaxation * expm1(-1e-3 * experiment.lasers.cycle_ms / relaxation)


def conserving_factor(experiment: Experiment, chi_squared: float) -> float:
    """Peak parity-conserving field of a cycle per unit of smoothed Sum F, nG/eV^5.

    Of a target with polarisation p: ``2 p delta_mu Gamma``, Gamma the rate at p = 0.
    """
    p = experiment.target.polarisation
    share = 2.0 * p / (1.0 + p**2)
    with faults("conserving field", _causes(experiment, chi_squared)) as finite:
        events = prefactor_per_s_eV5(experiment) * current_squared(experiment) * chi_squared
        field = share * events * field_per_event_nG(experiment) * cycle_time_s(experiment)
        return float(finite(field))


def signal_factor(experiment: Experiment, chi_squared: float) -> float:
    """Peak field of a cycle per unit of what is smoothed, nG/eV^5 (weak magnetism nG/eV^6).

    Raises
    ------
    NonFiniteError
        Settings whose product is beyond floating-point numbers.
    """
    with faults("field per pair integral", _causes(experiment, chi_squared)) as finite:
        factor = _growth_nG_per_s_eV5(experiment, chi_squared) * cycle_time_s(experiment)
        return float(finite(factor))
