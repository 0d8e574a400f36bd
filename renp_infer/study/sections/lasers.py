"""Section ``[lasers]``: intensities, timing and tuning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number
from renp_infer.study.sections.base import Millisecond, Section, choice

CHI_SQUARED_MAX = 256 / 3125
"""Maximum of rho_ee^3 |rho_ep|^2: |rho_ep|^2 <= rho_ee rho_pp and rho_ee + rho_pp <= 1
leave x^4 (1 - x), largest at x = 4/5."""


Intensity = Annotated[float, Before(Number("mW/cm^2", 0, 1e12, open_low=True))]
Lifetimes = Annotated[float | None, Before(Number(low=0, high=1e6, open_low=True))]
Detuning = Annotated[float, Before(Number("kHz", -1e9, 1e9))]


class LasersSection(Section):
    """Intensities, timing and tuning of the lasers; no duration is to the cycle's end."""

    eq_mW_cm2: Intensity = 9.0
    qg_mW_cm2: Intensity = 3.0
    trigger_mW_cm2: Intensity = 1e-3
    trigger_delay_lifetimes: Annotated[float, Before(Number(low=0, high=1e6))] = 0.2
    cycle_ms: Millisecond = 10.0
    zeeman_field_G: Annotated[float, Before(Number("gauss", 0, 1e6))] = 100.0
    chi_squared: Annotated[
        float | Literal["bloch"],
        Before(Number(low=0, high=CHI_SQUARED_MAX, open_low=True, also="bloch")),
    ] = "bloch"
    cycle_start: Annotated[Literal["ground", "periodic"], choice("ground", "periodic")] = "ground"
    eq_duration_lifetimes: Lifetimes = None
    qg_duration_lifetimes: Lifetimes = None
    trigger_duration_lifetimes: Lifetimes = None
    eq_detuning_kHz: Detuning = 0.0
    qg_detuning_kHz: Detuning = 0.0
    trigger_detuning_kHz: Detuning = 0.0
    dephasing_per_s: Annotated[float, Before(Number("1/s", 0, 1e12))] = 0.0
    inhomogeneous_width_kHz: Annotated[float, Before(Number("kHz", 0, 1e7))] = 0.0
