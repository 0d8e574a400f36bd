"""Rows about h_r, prefactors, event rate and field, Eqs. (8) to (68)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import log2, pi, sqrt

import numpy as np

from renp_infer.physics.constants import (
    FERMI_CONSTANT_PER_EV2,
    G_TO_NG,
    MW_PER_CM2_TO_EV4,
    PER_S_TO_EV,
)
from renp_infer.physics.signal import magnetization as mag
from renp_infer.physics.targets import matrix_elements as elements
from renp_infer.records import Experiment, FloatArray
from renp_infer.reproduction.conventions import compared, same
from renp_infer.reproduction.paper import READINGS, Paper, Reading
from renp_infer.reproduction.verdict import Recomputed
from renp_infer.target import Target

Quantity = Callable[[Experiment, FloatArray, float], FloatArray]
_ONE = np.ones(1)
_H = "test_magnetization.py::test_h_r_of_eq_8"
_SCALING = "test_magnetization.py::test_scaling_laws"
_FIELD = "test_magnetization.py::test_published_magnetization_is_eq_64"
_RATE = "test_magnetization.py::test_published_rate_is_eq_57"
_MOMENT = "test_magnetization.py::test_field_per_event"
_SIZE = "test_ledger.py::test_scales_against_plain_formulas"


def reference(paper: Paper, reading: Reading) -> Experiment:
    """The crystal of Eqs. (24), (57): R = 0.5 cm, L = 1 cm, 10 mW/cm^2."""
    return paper.experiment(reading, length_cm=paper.target.printed["reference_length_cm"])


def rate_per_sum(paper: Paper, reading: Reading) -> float:
    """Event rate per chi^2 and Sum F in the reference crystal, 1/(s eV^5)."""
    return float(mag.rate_per_s(reference(paper, reading), _ONE, 1.0)[0])


def field_per_sum(paper: Paper, reading: Reading, target: Target | None = None) -> float:
    """Field growth per chi^2, Sum G and cosine, L = 2 R = 2 cm, G/(s eV^5)."""
    setup = paper.experiment(reading, angles=np.array([paper.directions[0]]), target=target)
    growth = mag.magnetization_nG_per_s(setup, _ONE, 1.0) / mag.direction_factor(setup.layout)
    return float(growth[0]) / G_TO_NG


def peak_growth(paper: Paper, reading: Reading) -> float:
    """Largest field growth over chi^2 of Fig. 9(b), 10 meV, nG/s.

    From the weak Hamiltonian over |rho_ep|^2; the moment passes through zero in this layout.
    """
    setup = paper.experiment(reading)
    odd = paper.odd_sum(setup)
    return float(np.max(np.abs(mag.magnetization_nG_per_s(setup, odd, 1.0))))


def widths_per_s(paper: Paper) -> tuple[float, ...]:
    """2 pi times the inhomogeneous widths that the paper names, 1/s."""
    return tuple(2e6 * pi * width for width in paper.inputs["widths_MHz"])


def h_r_rows(paper: Paper) -> list[Recomputed]:
    """h_r, Eqs. (8), (9)."""
    setup, target = reference(paper, "corrected"), paper.target
    exact = elements.h_r(target, setup.lasers, setup.switches)
    other = replace(
        target,
        md_rates_per_s=target.md_rates_per_s | {"pg": target.md_rates_per_s["ep"]},
        ed_rates_per_s=target.ed_rates_per_s | {"pg": target.ed_rates_per_s["ep"]},
        omega_s=target.epsilon_ep,
    )
    mixed = elements.h_r(other, setup.lasers, setup.switches)
    why = f"Eq. (8) with rates and energy of p-g; those of e-p give {mixed:.0f}"
    radiative = paper.number("eq9-gamma")
    rows = [Recomputed("eq9-h_r", exact, exact, why, _H, "misprint")]
    for name, width in zip(("eq9-10MHz", "eq9-100MHz"), widths_per_s(paper), strict=True):
        printed = paper.number("eq9-h_r") * radiative / width
        rows.append(Recomputed(name, printed, exact * radiative / width, "748 / gamma_ep", _H))
    return rows


def powers(paper: Paper, reading: Reading, quantity: Quantity) -> dict[str, float]:
    """Powers of R, L, n and gamma_ep in a quantity, at fixed pair integrals."""
    setup = paper.experiment(reading, angles=np.array([paper.directions[0]]))
    layout, target = setup.layout, setup.target
    changed = {
        "R": replace(setup, layout=replace(layout, radius_cm=2.0 * layout.radius_cm)),
        "L": replace(setup, layout=replace(layout, length_cm=2.0 * layout.length_cm)),
        "n": replace(setup, target=replace(target, density_per_cm3=2.0 * target.density_per_cm3)),
        "gamma": replace(setup, target=replace(target, gamma_ep_per_s=2.0 * target.gamma_ep_per_s)),
    }
    base = quantity(setup, _ONE, 1.0)[0]
    return {name: log2(quantity(other, _ONE, 1.0)[0] / base) for name, other in changed.items()}


def power_rows(paper: Paper) -> list[Recomputed]:
    """Powers of size, density and width."""
    rate = [powers(paper, reading, mag.rate_per_s) for reading in READINGS]
    field = [powers(paper, reading, mag.magnetization_nG_per_s) for reading in READINGS]
    width = -rate[1]["gamma"]
    falls = "(n V)^2; Sum F itself falls as 1 / V in space, as 1 / (R L) in the plane"
    squared = "h_r^2 of Eq. (8), as said below Eq. (9)"
    ions = "n^2 of the rate times n of Eq. (58); one event is one ion, so n^2"
    return [
        compared("eq57-powers", [tuple(p[k] for k in "RLn") for p in rate], falls, _SCALING),
        compared(
            "eq64-size", [tuple(p[k] for k in "RL") for p in field], "corrected: mu / V", _SCALING
        ),
        same("eq9-power", width, "h_r^2 of Eq. (8)", _SCALING),
        Recomputed("eq24-power", width, width, squared, _SCALING, "misprint"),
        compared("eq64-density", [p["n"] for p in field], ions, _SCALING),
    ]


def prefactor_rows(paper: Paper) -> list[Recomputed]:
    """C of Eq. (24), and the factors in front of it."""
    setup = reference(paper, "corrected")
    number, target = mag.ions(setup.target, setup.layout), setup.target
    h_squared = target.printed["h_r"] ** 2
    by_text = elements.prefactor_of(sqrt(h_squared), number)
    exact = elements.prefactor_of(elements.h_r(target, setup.lasers, setup.switches), number)
    width = paper.number("eq9-gamma") * PER_S_TO_EV
    intensity = setup.lasers.trigger_mW_cm2 * MW_PER_CM2_TO_EV4
    guess = sqrt(3.0 * pi * intensity / (target.epsilon_ep**3 * width))
    why = (
        f"from h_r = 748; printed is that of h_r^2 = 3 pi I / (eps^3 gamma_ep), "
        f"{elements.prefactor_of(guess, number):.3g}"
    )
    printed = paper.number("eq24-C")
    narrow = paper.number("eq9-gamma")
    wide = tuple(printed * narrow / w for w in widths_per_s(paper))
    exact_wide = tuple(0.5 * exact * (target.gamma_ep_per_s / w) ** 2 for w in widths_per_s(paper))
    half = _eq_16(1.0, number) / elements.prefactor_of(1.0, number)
    spin = paper.number("eq44-S2")
    factor = paper.number("eq57-rate") / (printed * spin)
    larger = paper.experiment("published")
    scale = (mag.ions(larger.target, larger.layout) / number) ** 2
    field = paper.number("eq59") * paper.number("eq44-S2") * paper.number("eq64-v-used")
    grown = paper.number("eq64") / (scale * printed * field / paper.number("eq44-S"))
    test = "test_magnetization.py::test_eq_24_does_not_follow_from_eq_9"
    exact_test = "test_magnetization.py::test_corrected_prefactor_is_eq_16"
    return [
        Recomputed("eq24-C", by_text, exact, why, test, "misprint"),
        Recomputed("eq24-wide", wide, exact_wide, "C / gamma_ep; corrected C/2, squared", test),
        same("eq16-prefactor", half, "Eq. (16) over C of Eq. (24)", exact_test),
        Recomputed(
            "eq57-factor",
            factor,
            half,
            "the number is C S^2; Eq. (16) has C / 2",
            _RATE,
            "misprint",
        ),
        Recomputed(
            "eq61-factor", grown, half, "Eq. (64) is C times its factors", _FIELD, "misprint"
        ),
    ]


def _eq_16(h: float, number: float) -> float:
    """Prefactor of Eq. (16) without unit conversion to 1/s, 1/(s eV^5)."""
    return (h * FERMI_CONSTANT_PER_EV2 * number) ** 2 / (2.0 * pi) ** 3 / PER_S_TO_EV


def rate_rows(paper: Paper) -> list[Recomputed]:
    """Event rate, events per lifetime, and their share of all decays."""
    typical = paper.given("typical_sum_eV5")
    lifetime = 1.0 / paper.number("sec5-lifetime")
    rates = paper.both(lambda reading: rate_per_sum(paper, reading))
    events = [rate * typical * lifetime for rate in rates]
    setup = reference(paper, "published")
    number = mag.ions(setup.target, setup.layout)
    shares = [event / number for event in events]
    weak = rate_per_sum(paper, "first-principles")
    excess = paper.number("eq68") / events[0]
    return [
        compared(
            "eq57-rate", rates, "C S_ep^2 with the printed factors", _RATE, first_principles=weak
        ),
        compared(
            "eq68", events, f"Eq. (57) over 518 /s; printed is {excess:.2f} times that",
            _SIZE, "undecoded", weak * typical * lifetime,
        ),
        compared(
            "sec5-branching", shares, "Eq. (68) over the number of ions", _SIZE, "undecoded",
            weak * typical * lifetime / number,
        ),
    ]  # fmt: skip


def moment_rows(paper: Paper) -> list[Recomputed]:
    """Magnetization that one event leaves, Eqs. (58), (59): finding 2."""
    setup = paper.experiment("corrected")
    number = mag.ions(setup.target, setup.layout)
    whole = mag.field_per_event_nG(setup) * number / G_TO_NG
    why = "n mu lets every ion of the crystal flip at each event; one event de-excites one ion"
    density = paper.target.density_per_cm3
    excess = f"printed is {paper.number('eq59') / whole:.2f} times that"
    return [
        Recomputed("eq58-moment", number, 1.0, why, _MOMENT, "not reproducible", 1.0),
        same("eq58-density", density, "an input: 0.1 % of the Y sites", _MOMENT),
        Recomputed("eq59", whole, whole, f"4 pi g mu_B n xi; {excess}", _MOMENT, "undecoded"),
    ]


def field_rows(paper: Paper) -> list[Recomputed]:
    """Numbers of Eq. (64) and what the text makes of them."""
    numbers = paper.both(lambda reading: field_per_sum(paper, reading))
    wide = replace(paper.target, gamma_ep_per_s=widths_per_s(paper)[0])
    broad = paper.both(lambda reading: field_per_sum(paper, reading, wide))
    sums = paper.both(lambda reading: float(np.max(paper.sums(paper.experiment(reading))[1])))
    growth = paper.both(lambda reading: peak_growth(paper, reading))
    weak = peak_growth(paper, "first-principles")
    chi = paper.given("chi_squared")
    cycle = mag.cycle_time_s(paper.experiment("published"))
    without_cosine = numbers[0] * paper.given("typical_sum_eV5") * G_TO_NG
    return [
        compared("eq64", numbers, "the printed factors; corrected: mu / V", _FIELD),
        same("fig9-unit", paper.number("eq64"), "Eq. (64)", _FIELD),
        compared(
            "eq64-wide", broad, "Eq. (64) with 1 / gamma_ep, or its square", _FIELD, "undecoded"
        ),
        compared("eq64-typical", sums, "largest converged Sum G of Fig. 6", _SIZE),
        compared(
            "eq64-field", growth, "Eq. (64) with the converged Sum G", _SIZE,
            first_principles=weak,
        ),
        compared(
            "fig9-typical", growth,
            f"the converged peak; 1e-8 eV^5 without cos theta_s gives {without_cosine:.2g}",
            _SIZE, "not reproducible",
        ),
        compared(
            "sec6-field", [g * chi for g in growth], "chi^2 = 1e-3", _SIZE,
            first_principles=weak * chi,
        ),
        compared(
            "abstract-nanogauss", [g * chi * cycle for g in growth],
            "chi^2 = 1e-3, peak of one 10 ms cycle, T1 = 5 ms", _SIZE,
            first_principles=weak * chi * cycle,
        ),
    ]  # fmt: skip
