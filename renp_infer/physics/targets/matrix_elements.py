"""From radiative rates to matrix elements, Eqs. (8), (24), (33), (40)-(44).

Rates are taken as those in vacuum, as the paper does. Reduced elements are in the
normalisation of Eq. (40): ``Sum |<j' m'|A_q|j m>|^2 = |<j'||A||j>|^2 / (2 j + 1)``.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from math import factorial, pi, prod, sqrt

from renp_infer.errors import DomainError
from renp_infer.physics.constants import (
    BOHR_MAGNETON_PER_EV,
    ELECTRON_MASS_EV,
    EV_TO_PER_S,
    FERMI_CONSTANT_PER_EV2,
    FINE_STRUCTURE,
    MW_PER_CM2_TO_EV4,
    PER_S_TO_EV,
)
from renp_infer.records import PRESETS, Lasers, Switches
from renp_infer.target import Target

PRINTED = {
    "h_r": (
        "h_r", "C_per_s_eV5", "reference_intensity_mW_cm2", "reference_gamma_ep_per_s",
        "reference_density_per_cm3", "reference_radius_cm", "reference_length_cm",
    ),
    "matrix_elements": ("S_ep_squared", "S_reduced", "v_reduced_used"),
    "moment": ("mu_eff_n_G", "reference_density_per_cm3", "reference_coupling"),
    "bloch": ("reference_intensity_mW_cm2", "rabi_eq_kHz", "rabi_qg_kHz", "rabi_pg_kHz"),
}  # fmt: skip
"""Numbers of the paper that each switch needs when it is set as published."""


def missing_printed(target: Target, switches: Switches) -> list[tuple[str, str]]:
    """Switches set as published, with the first number each needs and the target lacks."""
    published = PRESETS["published"]
    found = []
    for switch, names in PRINTED.items():
        missing = [name for name in names if name not in target.printed]
        if missing and getattr(switches, switch) == getattr(published, switch):
            found.append((switch, missing[0]))
    return found


def printed_value(target: Target, name: str, switch: str) -> float:
    """A number of the paper.

    Raises
    ------
    DomainError
        The target prints none.
    """
    try:
        return target.printed[name]
    except KeyError:
        raise DomainError(switch, "printed", f"targets that print {name}") from None


@cache
def three_j(j1: float, j2: float, j3: float, m1: float, m2: float, m3: float) -> float:
    """Wigner 3j symbol ``(j1 j2 j3; m1 m2 m3)``, rounded once; zero outside the selection rules.

    By Racah's sum, Eq. (3.6.11) of Edmonds, Angular Momentum in Quantum Mechanics, in exact
    numbers.
    """
    if m1 + m2 + m3 != 0 or not abs(j1 - j2) <= j3 <= j1 + j2:
        return 0.0
    if any(abs(m) > j for j, m in ((j1, m1), (j2, m2), (j3, m3))):
        return 0.0
    triangle = (j1 + j2 - j3, j1 - j2 + j3, j2 + j3 - j1)
    projections = (j1 + m1, j1 - m1, j2 + m2, j2 - m2, j3 + m3, j3 - m3)
    square = Fraction(_factorials(*triangle, *projections), _factorials(j1 + j2 + j3 + 1))
    below, above = (0.0, j2 - j3 - m1, j1 - j3 + m2), (triangle[0], j1 - m1, j2 + m2)
    total = Fraction(0)
    for t in range(round(max(below)), round(min(above)) + 1):
        terms = [t - low for low in below] + [high - t for high in above]
        total += Fraction((-1) ** t, _factorials(*terms))
    square *= total**2
    sign = (-1) ** round(j1 - j2 - m3) * (1 if total >= 0 else -1)
    with localcontext(prec=40):
        return sign * float((Decimal(square.numerator) / Decimal(square.denominator)).sqrt())


def _factorials(*numbers: float) -> int:
    """Product of their factorials."""
    return prod(factorial(round(number)) for number in numbers)


def reduced_spin(j_upper: float, md_per_s: float, energy: float) -> float:
    """``|<lower||S||upper>|`` from a magnetic dipole rate, Eq. (42).

    Parameters
    ----------
    j_upper : float
        J of the upper state.
    md_per_s : float
        Rate, 1/s.
    energy : float
        Transition energy, eV.
    """
    rate = md_per_s * PER_S_TO_EV
    square = 3.0 * pi * rate / (BOHR_MAGNETON_PER_EV**2 * energy**3)
    return sqrt((2.0 * j_upper + 1.0) * square)


def reduced_velocity(j_upper: float, ed_per_s: float, energy: float) -> float:
    """``|<lower||v||upper>|`` from an electric dipole rate, Eq. (43); see `reduced_spin`."""
    square = 3.0 * ed_per_s * PER_S_TO_EV / (4.0 * FINE_STRUCTURE * energy)
    return sqrt((2.0 * j_upper + 1.0) * square)


def velocity_over_spin(md_per_s: float, ed_per_s: float, energy: float) -> float:
    """v/S of Table I, ``(eps / 2 m_e) sqrt(ED / MD)``: the ratio of (43) and (42).

    Rates in 1/s, MD above zero; energy in eV.
    """
    return energy / (2.0 * ELECTRON_MASS_EV) * sqrt(ed_per_s / md_per_s)


def spin_squared(target: Target, switches: Switches) -> float:
    """``S_ep^2``: 0.0157 as printed, or 0.0106 from Eqs. (34), (35), (42).

    The recomputed value is the target's own if it has one; otherwise the product
    of the two M_J probabilities, the squared 3j symbol (1/39 for 1/2 -> 3/2) and
    the reduced element from the magnetic dipole rate, as Eq. (42) has it. The
    total rate, from which the printed 3.47 of Eq. (44) follows, would give 0.0122.

    Raises
    ------
    DomainError
        J or M of the current changes by more than 1, or nothing printed.
    """
    if switches.matrix_elements == "printed":
        return printed_value(target, "S_ep_squared", "matrix_elements")
    if target.spin_squared is not None:
        return target.spin_squared
    (j, m), (j_p, m_p) = target.j_m["e"], target.j_m["p"]
    if abs(j_p - j) > 1.0 or abs(m_p - m) > 1.0:
        raise DomainError("J, M of e and p", (j, m, j_p, m_p), "J_p - J_e, M_p - M_e of -1, 0 or 1")
    symbol = three_j(j_p, 1.0, j, -m_p, m_p - m, m)
    reduced = reduced_spin(j, target.md_rates_per_s["ep"], target.epsilon_ep)
    return target.composition["e"] * target.composition["p"] * (symbol * reduced) ** 2


def spin_velocity(target: Target, switches: Switches) -> float:
    """``|S_ep| |v_ep|``: 1.127e-8 as printed, or S^2 times v/S of Table I.

    Printed is ``0.0157 * 2.49e-6 / 3.47``, above Eq. (64). Otherwise
    ``v/S = (eps_ep / 2 m_e) sqrt(ED / MD)``, Eqs. (42), (43): 0.622e-6.

    Raises
    ------
    DomainError
        See `spin_squared`.
    """
    if switches.matrix_elements == "printed":
        velocity = printed_value(target, "v_reduced_used", "matrix_elements")
        ratio = velocity / printed_value(target, "S_reduced", "matrix_elements")
    else:
        md, ed = target.md_rates_per_s["ep"], target.ed_rates_per_s["ep"]
        ratio = velocity_over_spin(md, ed, target.epsilon_ep)
    return ratio * spin_squared(target, switches)


def reference_gamma_per_s(target: Target, switches: Switches) -> float:
    """Width gamma_ep at which the rate is normalised: printed or radiative, 1/s."""
    if switches.h_r == "printed":
        return printed_value(target, "reference_gamma_ep_per_s", "h_r")
    return target.md_rates_per_s["ep"] + target.ed_rates_per_s["ep"]


def h_r(target: Target, lasers: Lasers, switches: Switches) -> float:
    """Trigger factor h_r at the reference width, dimensionless.

    Eq. (9) as printed, 748 at 10 mW/cm^2, or Eq. (8) with the p-g rates, 1383.
    The rate does not use the former, see `magnetization.prefactor_per_s_eV5`.

    Raises
    ------
    DomainError
        Eq. (9) asked of a target that does not print it.
    """
    if switches.h_r == "printed":
        reference = printed_value(target, "reference_intensity_mW_cm2", "h_r")
        return printed_value(target, "h_r", "h_r") * sqrt(lasers.trigger_mW_cm2 / reference)
    rates = target.md_rates_per_s["pg"], target.ed_rates_per_s["pg"]
    dipoles = sum(sqrt(rate * PER_S_TO_EV) for rate in rates)
    amplitude = sqrt(lasers.trigger_mW_cm2 * MW_PER_CM2_TO_EV4)
    width = reference_gamma_per_s(target, switches) * PER_S_TO_EV
    return sqrt(pi / target.omega_s**3) * dipoles * amplitude / width


def prefactor_of(h: float, number: float) -> float:
    """Eq. (24), ``C = 2 h_r^2 G_F^2 (n V)^2 / (2 pi)^3``, 1/(s eV^5)."""
    return 2.0 * (h * FERMI_CONSTANT_PER_EV2 * number) ** 2 / (2.0 * pi) ** 3 * EV_TO_PER_S


def rabi_per_s(rate_per_s: float, energy: float, intensity_mW_cm2: float) -> float:
    """Angular Rabi frequency ``sqrt(3 pi gamma / eps^3) sqrt(I)``, 1/s.

    Parameters
    ----------
    rate_per_s : float
        Radiative rate of the transition, magnetic and electric, 1/s.
    energy : float
        Transition energy, eV.
    intensity_mW_cm2 : float
        Laser intensity, mW/cm^2.
    """
    moment = sqrt(3.0 * pi * rate_per_s * PER_S_TO_EV / energy**3)
    return EV_TO_PER_S * moment * sqrt(intensity_mW_cm2 * MW_PER_CM2_TO_EV4)
