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

Three statements of the paper are not used, because its own results do not
follow from them. Eqs. (57) and (61) write 2 C where their numbers contain C.
The printed C is not that of h_r = 748, Eq. (9), which gives 1.13e11, but of
h_r^2 = 3 pi I / (eps_ep^3 gamma_ep), to 0.7 %; hence one power of gamma_ep.
Eq. (59) prints 0.29 G where 4 pi g mu_B n xi is 0.096 G.
"""

from __future__ import annotations

from math import expm1, pi

import numpy as np

from renp_infer.finite import faults
from renp_infer.physics.constants import (
    BOHR_MAGNETON_PER_EV,
    EV2_TO_NG,
    G_TO_NG,
    PER_CM3_TO_EV3,
)
from renp_infer.physics.field_cycle import bloch_cycle
from renp_infer.physics.matrix_elements import (
    h_r,
    prefactor_of,
    printed_value,
    reference_gamma_per_s,
    spin_squared,
    spin_velocity,
)
from renp_infer.physics.pickup import coupling_of
from renp_infer.records import Experiment, FloatArray, Layout, Target


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


def prefactor_per_s_eV5(experiment: Experiment) -> float:
    """Prefactor C' of rate and magnetization, with its switches, 1/(s eV^5).

    Raises
    ------
    DomainError
        A printed number asked of a target that has none.
    """
    target, switches = experiment.target, experiment.switches
    if switches.h_r == "printed":
        prefactor = _printed_prefactor(experiment)
    else:
        number = ions(target, experiment.layout)
        prefactor = prefactor_of(h_r(target, experiment.lasers, switches), number)
    narrowing = reference_gamma_per_s(target, switches) / target.gamma_ep_per_s
    half = 0.5 if switches.rate_prefactor == "C/2" else 1.0
    return half * prefactor * narrowing**switches.gamma_power


def field_per_event_nG(experiment: Experiment) -> float:
    """Field at the detector, coupling xi included, per event in the target, nG.

    "density" is xi g mu_B n of Eqs. (58), (59), with the printed 0.29 G: every
    event counts as if all ions took part. "single-ion" is xi 4 pi g mu_B / V
    (Gaussian units), the magnetization that one ion leaves in the volume V.

    Raises
    ------
    DomainError
        Eq. (59) asked of a target that does not print it.
    """
    target, coupling = experiment.target, coupling_of(experiment)
    if experiment.switches.moment == "density":
        field = printed_value(target, "mu_eff_n_G", "moment") * G_TO_NG
        density = printed_value(target, "reference_density_per_cm3", "moment")
        reference = printed_value(target, "reference_coupling", "moment")
        return field * (target.density_per_cm3 / density) * (coupling / reference)
    per_volume = PER_CM3_TO_EV3 / experiment.layout.volume_cm3
    return coupling * target.g_factor * BOHR_MAGNETON_PER_EV * per_volume * EV2_TO_NG


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
        spin = spin_squared(experiment.target, experiment.switches)
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
    """Field growth per unit of Sum G, without the direction factor."""
    current = spin_velocity(experiment.target, experiment.switches)
    events = prefactor_per_s_eV5(experiment) * current * chi_squared
    return events * field_per_event_nG(experiment)


def magnetization_nG_per_s(
    experiment: Experiment, sum_G: FloatArray, chi_squared: float
) -> FloatArray:
    """Growth of the field at the detector, Eqs. (61), (64), shape (n,), nG/s.

    Parameters
    ----------
    experiment : Experiment
    sum_G : ndarray, shape (n,)
        Weighted sum of the parity-violating integrals at the trigger angles
        of the layout, eV^5.
    chi_squared : float
        Coherence factor.
    """
    causes, layout = _causes(experiment, chi_squared), experiment.layout
    with faults("magnetization_nG_per_s", causes, layout.theta_s) as finite:
        growth = _growth_nG_per_s_eV5(experiment, chi_squared)
        return finite(growth * direction_factor(layout) * np.asarray(sum_G))


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


def signal_factor(experiment: Experiment, chi_squared: float) -> float:
    """Peak field of a cycle per unit of ``direction_factor * sum_G``, nG/eV^5.

    Raises
    ------
    NonFiniteError
        Settings whose product is beyond floating-point numbers.
    """
    with faults("field per pair integral", _causes(experiment, chi_squared)) as finite:
        factor = _growth_nG_per_s_eV5(experiment, chi_squared) * cycle_time_s(experiment)
        return float(finite(factor))
