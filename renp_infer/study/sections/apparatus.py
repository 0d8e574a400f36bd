"""The sections of a study file that are the apparatus: keys, units, defaults and ranges.

Defaults are those of the documented example. Each section is a pydantic model
that forbids unknown keys; what a section means is decided in ``study.py``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator as After
from pydantic import BaseModel, ConfigDict, Discriminator, Tag
from pydantic import BeforeValidator as Before

from renp_infer.fields import (
    Choice,
    Number,
    Whole,
    flag,
    refusal,
    word,
)

MAX_ANGLES = 100_000
"""Longest list of trigger angles; far beyond any sensible scan."""
CHI_SQUARED_MAX = 256 / 3125
"""Maximum of rho_ee^3 |rho_ep|^2: |rho_ep|^2 <= rho_ee rho_pp and rho_ee + rho_pp <= 1
leave x^4 (1 - x), largest at x = 4/5."""

Degrees = Annotated[float, Before(Number("degree", -180, 180))]
Phase = Annotated[float, Before(Number("degree", -360, 360))]
Millisecond = Annotated[float, Before(Number("ms", 0, 1e9, open_low=True))]
Crystal = Annotated[float, Before(Number("cm", 1e-3, 20))]
Intensity = Annotated[float, Before(Number("mW/cm^2", 0, 1e12, open_low=True))]
Lifetimes = Annotated[float | None, Before(Number(low=0, high=1e6, open_low=True))]
Detuning = Annotated[float, Before(Number("kHz", -1e9, 1e9))]
Share = Annotated[float, Before(Number(low=0, high=1e9, open_low=True))]
Flag = Annotated[bool, Before(flag)]
Word = Annotated[str, Before(word)]


def choice(*options: str | int) -> Before:
    """Check for one of a few values."""
    return Before(Choice(*options))


class Section(BaseModel):
    """Base of all sections: frozen, exact types, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NeutrinoSection(Section):
    """The truth for mock data and for ``evaluate``."""

    m1_meV: Annotated[float, Before(Number("meV", 0, 1e9))] = 50.0
    ordering: Annotated[Literal["normal", "inverted"], choice("normal", "inverted")] = "normal"
    nature: Annotated[Literal["dirac", "majorana"], choice("dirac", "majorana")] = "dirac"
    delta_deg: Phase = 0.0
    alpha21_deg: Phase = 0.0
    alpha31_deg: Phase = 0.0
    oscillation: Word = "nufit-6.0"


class PhysicsSection(Section):
    """A preset, and the switches that override it; ``None`` follows the preset."""

    preset: Annotated[Literal["published", "corrected"], choice("published", "corrected")] = (
        "published"
    )
    phase_space: Annotated[Literal["planar", "full"] | None, choice("planar", "full")] = None
    form_factor: Annotated[
        Literal["lorentzian", "plane-wave"] | None, choice("lorentzian", "plane-wave")
    ] = None
    majorana_kappa: Annotated[float | None, Before(Number(low=0, high=1))] = None
    weights: Annotated[Literal["eq3", "table-iv"] | None, choice("eq3", "table-iv")] = None
    h_r: Annotated[Literal["printed", "eq8"] | None, choice("printed", "eq8")] = None
    gamma_power: Annotated[Literal[1, 2] | None, choice(1, 2)] = None
    moment: Annotated[Literal["density", "single-ion"] | None, choice("density", "single-ion")] = (
        None
    )
    rate_prefactor: Annotated[Literal["C", "C/2"] | None, choice("C", "C/2")] = None
    matrix_elements: Annotated[
        Literal["printed", "recomputed"] | None, choice("printed", "recomputed")
    ] = None
    bloch: Annotated[Literal["printed", "lindblad"] | None, choice("printed", "lindblad")] = None
    current_axis: Annotated[
        Literal["parallel", "transverse"] | None, choice("parallel", "transverse")
    ] = None


Energy = Annotated[float, Before(Number("eV", 0, 100, open_low=True))]
Rate = Annotated[float, Before(Number("1/s", 0, 1e12))]


class RatesSection(Section):
    """Radiative rates of a generic target by transition; ``None`` is zero."""

    ep: Rate | None = None
    pg: Rate | None = None
    eg: Rate | None = None
    eq: Rate | None = None
    qg: Rate | None = None
    qp: Rate | None = None


class TargetSection(Section):
    """Ion and host; ``None`` keeps the scheme's own value.

    The keys from omega_1_eV on belong to scheme = "generic" and to no other.
    """

    scheme: Word = "er-ylf"
    density_per_cm3: Annotated[float | None, Before(Number("1/cm^3", 0, 1e24, open_low=True))] = (
        None
    )
    gamma_ep_per_s: Annotated[float | None, Before(Number("1/s", 0, 1e15, open_low=True))] = None
    refractive_index: Annotated[float | None, Before(Number(low=1, high=5))] = None
    omega_1_eV: Energy | None = None
    omega_2_eV: Energy | None = None
    omega_s_eV: Energy | None = None
    md_rates_per_s: RatesSection | None = None
    ed_rates_per_s: RatesSection | None = None
    g_factor: Annotated[float | None, Before(Number(low=0, high=30, open_low=True))] = None
    spin_squared: Annotated[float | None, Before(Number(low=0, high=100, open_low=True))] = None


class AngleRange(Section):
    """Equidistant trigger angles."""

    start: Degrees
    stop: Degrees
    points: Annotated[int, Before(Whole(1, MAX_ANGLES))]


def _ordered_range(grid: AngleRange) -> AngleRange:
    if grid.points > 1 and grid.stop <= grid.start or grid.stop < grid.start:
        raise refusal("stop > start")
    return grid


def _ordered_list(angles: tuple[float, ...]) -> tuple[float, ...]:
    rising = all(a < b for a, b in zip(angles, angles[1:], strict=False))
    if not 0 < len(angles) <= MAX_ANGLES or not rising:
        raise refusal(f"1 to {MAX_ANGLES} angles, each larger than the one before")
    return angles


def kind_of_grid(value: object) -> str | None:
    """Tag of a grid: a list, or a table."""
    if isinstance(value, list | tuple):
        return "<list>"
    return "<table>" if isinstance(value, dict | Section) else None


def as_tuple(value: object) -> object:
    """Make a list a tuple."""
    return tuple(value) if isinstance(value, list) else value


AngleGrid = Annotated[
    Annotated[AngleRange, After(_ordered_range), Tag("<table>")]
    | Annotated[tuple[Degrees, ...], Before(as_tuple), After(_ordered_list), Tag("<list>")],
    Discriminator(
        kind_of_grid,
        custom_error_type="refused",
        custom_error_message="a list of angles or { start, stop, points }",
    ),
]


class LayoutSection(Section):
    """Crystal and beam directions; ``theta_e_deg = None`` is phase matched."""

    length_cm: Crystal = 2.0
    radius_cm: Crystal = 1.0
    theta_e_deg: Degrees | None = None
    theta_s_deg: AngleGrid = AngleRange(start=47.99, stop=69.59, points=61)
    c_axis_deg: Annotated[
        float | Literal["normal"], Before(Number("degree", -180, 180, also="normal"))
    ] = 0.0


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


class PickupSection(Section):
    """Pickup loop; ``physics/pickup.py`` has the geometry."""

    radius_cm: Annotated[float, Before(Number("cm", 1e-3, 1e3))]
    stand_off_cm: Annotated[float, Before(Number("cm", 0, 1e3))] = 0.0
    tilt_deg: Degrees = 0.0
    position: Annotated[Literal["around", "beside"], choice("around", "beside")] = "around"


class DetectorSection(Section):
    """SQUID, readout and angular resolution; T1 from the target scheme if not given."""

    noise_fT_rtHz: Annotated[float, Before(Number("fT/Hz^0.5", 0, 1e18, open_low=True))] = 2.0
    knee_hz: Annotated[float, Before(Number("Hz", 0, 1e12))] = 1.0
    drift_fT: Annotated[float, Before(Number("fT", 0, 1e18))] = 0.0
    drift_time_s: Annotated[float, Before(Number("s", 0, 1e12, open_low=True))] = 600.0
    resolution_deg: Annotated[float, Before(Number("degree", 0, 45))] = 1.44
    kernel: Annotated[Literal["box", "gaussian"], choice("box", "gaussian")] = "box"
    noise_uPhi0_rtHz: Annotated[
        float | None, Before(Number("micromagnetic_flux_quantum/Hz^0.5", 0, 1e18, open_low=True))
    ] = None
    flux_transfer: Annotated[float | None, Before(Number(low=0, high=1, open_low=True))] = None
    coupling: Annotated[
        float | Literal["pickup"], Before(Number(low=0, high=1, open_low=True, also="pickup"))
    ] = 0.01
    pickup: PickupSection | None = None
    spin_relaxation_ms: Millisecond | None = None
    exposure_s: Annotated[float, Before(Number("s", 0, 1e15, open_low=True))] = 3600.0
    exposure_shares: Annotated[tuple[Share, ...] | None, Before(as_tuple)] = None
    reference_snr: Annotated[float, Before(Number(low=0, high=1e9))] = 0.0


class AccuracySection(Section):
    """Numerical tolerance of the pair integrals."""

    relative_tolerance: Annotated[float, Before(Number(low=1e-8, high=1e-1))] = 1e-4
