"""Rows that are conversions of units, arithmetic, or facts cited from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import numpy as np
from scipy.integrate import quad
from scipy.special import j1

from renp_infer.physics.constants import (
    BOHR_MAGNETON_EV_PER_T,
    ELEMENTARY_CHARGE_C,
    HBAR_C_EV_CM,
    HBAR_EV_S,
    PLANCK_J_S,
    SPEED_OF_LIGHT_CM_PER_S,
)
from renp_infer.reproduction.paper import ANGLES, STEP_DEG, Paper
from renp_infer.reproduction.verdict import Judgement, Recomputed, Value

CITED = "test_ledger.py::test_rows_without_a_value_are_judged"
_ARITHMETIC = "test_ledger.py::test_arithmetic_of_the_paper"
_UNITS = "test_constants.py::test_lengths_rates_and_densities"
_REACH = 200.0
"""End of the numerical integrals of U and W; their tails are added."""


def same(name: str, value: Value, why: str, test: str) -> Recomputed:
    """A row without switches: published and corrected are one value."""
    return Recomputed(name, value, value, why, test)


def compared(
    name: str,
    values: Sequence[Value],
    why: str,
    test: str,
    judged: Judgement | None = None,
    first_principles: Value = None,
) -> Recomputed:
    """A row from its published and its corrected value."""
    published, corrected = values
    return Recomputed(name, published, corrected, why, test, judged, first_principles)


def unit_rows(paper: Paper) -> list[Recomputed]:
    """Conversions of energies to times, lengths and wave numbers."""
    energies = paper.inputs["resolution_eV"]
    times = tuple(HBAR_EV_S / e for e in energies)
    lengths = tuple(HBAR_C_EV_CM / e for e in energies)
    per_cm = PLANCK_J_S * SPEED_OF_LIGHT_CM_PER_S / ELEMENTARY_CHARGE_C
    wave = paper.given("wavenumber_per_cm") * per_cm
    zeeman = 1e6 * BOHR_MAGNETON_EV_PER_T
    splitting = paper.target.g_factor * BOHR_MAGNETON_EV_PER_T * 1e-4
    resolved = splitting * paper.given("zeeman_field_G") / paper.given("precision_eV")
    return [
        same("sec3-time", times, "hbar / E", _UNITS),
        Recomputed(
            "sec3-length",
            lengths,
            lengths,
            "c times the printed times is ten times less; 0.2 cm is below the crystal's size",
            _UNITS,
            "misprint",
        ),
        Recomputed(
            "fig5-wavenumber", wave, wave, f"h c = {per_cm:.6g} eV cm", _ARITHMETIC, "misprint"
        ),
        same("sec4-zeeman", zeeman, "mu_B", _ARITHMETIC),
        same("sec5-zeeman", resolved, "g mu_B B over 1 ueV", _ARITHMETIC),
    ]


def arithmetic_rows(paper: Paper) -> list[Recomputed]:
    """Sizes, spans and steps."""

    def volume(length_cm: float) -> float:
        return pi * (0.5 * length_cm) ** 2 * length_cm

    reference = paper.target.printed
    small = pi * reference["reference_radius_cm"] ** 2 * reference["reference_length_cm"]
    fine, span = paper.given("fine_step_deg"), paper.given("fine_span_deg")
    values = {
        "eq24-V": small,
        "sec4-volume": volume(1.0),
        "fig6-span": (ANGLES - 1) * STEP_DEG,
        "fig6-smoothing": 4 * STEP_DEG,
        "fig6-overlap": 2 * STEP_DEG,
        "fig6-small": volume(paper.given("small_crystal_cm")),
        "fig6-large": volume(2.0),
        "fig8-step": np.rad2deg(pi / 500),
        "fig9-range": (ANGLES - 1) * paper.given("coarse_step_deg"),
        "fig10-step": span / fine,
        "eq6-two-h": abs(1.0 / -0.5j),
        "eq10-average": float(np.mean(np.eye(3)[0] ** 2)),
    }
    return [same(name, float(v), "arithmetic", _ARITHMETIC) for name, v in values.items()]


def lorentzian_rows(paper: Paper) -> list[Recomputed]:
    """Widths of Eq. (18): equal areas of U, U0 and of W, W0 along a line."""
    u = quad(lambda x: np.sinc(x / pi) ** 2, 0.0, _REACH, limit=400)[0] + 0.5 / _REACH
    w = quad(lambda y: (2.0 * j1(y) / y) ** 2, 1e-9, _REACH, limit=400)[0]
    w += 2.0 / (pi * _REACH**2)
    test = "test_ledger.py::test_lorentzian_widths_have_closed_forms"
    why = "area along one line; over a plane W0 diverges, so corrected has no such width"
    return [
        Recomputed("eq18-x", 2.0 * u / pi, None, "area of U over that of U0", test),
        Recomputed("eq18-y", 2.0 * w / pi, None, why, test),
    ]


def form_factor_rows(paper: Paper) -> list[Recomputed]:
    """A_1 A_2 of Eq. (14) as K goes to zero."""
    small, length, radius = 1e-4, 2.0, 1.0
    along = 2.0 * np.sin(0.5 * small * length) / small
    across = 2.0 * pi * radius / small * j1(small * radius)
    value = float(along * across / (pi * radius**2 * length))
    test = "test_form_factor.py::test_form_factors_before_their_oscillation_fades"
    return [same("eq14-volume", value, "limit of the sine and the Bessel function", test)]


def cited_rows(paper: Paper) -> list[Recomputed]:
    """What the paper takes from elsewhere or states without a formula."""
    reasons = {
        "intro-enhancement": "a cited measurement; no formula here gives it",
        "intro-relaxation": "a cited property of hosts; a user input here",
        "intro-detectors": "a property of detectors; not used here",
        "intro-laser-precision": "a property of lasers; a user input here",
        "sec4-stark": "cited; needs crystal-field parameters",
        "eq38-gradient": "an estimate without inputs",
        "eq39-gap": "an estimate without inputs",
        "eq60-xi": "a choice; depends on the pickup, not on the ions",
        "sec6-resolution": "a property of the detector; a user input here",
    }
    return [
        Recomputed(name, None, None, why, CITED, "not reproducible")
        for name, why in reasons.items()
    ]
