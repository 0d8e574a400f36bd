"""The sections of a study file: keys, units, defaults and ranges.

Defaults are those of the documented example. Each section is a pydantic model
that forbids unknown keys; what a section means is decided in ``study.py``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator as After
from pydantic import BaseModel, ConfigDict, Discriminator, Tag
from pydantic import BeforeValidator as Before

from renp_infer.runner.fields import (
    Choice,
    Number,
    Several,
    Whole,
    flag,
    refusal,
    word,
)

MAX_ANGLES = 100_000
"""Longest list of trigger angles; far beyond any sensible scan."""
MAX_DATASETS = 100_000_000
"""Largest ensemble: at 61 angles half a gigabyte per million."""
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
Spread = Annotated[float, Before(Number(low=0, high=5))]
Pointing = Annotated[float, Before(Number("degree", 0, 10))]
Flag = Annotated[bool, Before(flag)]
Word = Annotated[str, Before(word)]
Mass = Annotated[float, Before(Number("meV", 1e-3, 1e9))]
MAX_MASSES = 10_000
METHODS = ("fisher", "asimov", "ensemble")
SYSTEMATIC_NAMES = (
    *("amplitude", "baseline", "refractive-index", "pointing", "oscillations", "phases"),
)


def _choice(*options: str | int) -> Before:
    return Before(Choice(*options))


class Section(BaseModel):
    """Base of all sections: frozen, exact types, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NeutrinoSection(Section):
    """The truth for mock data and for ``evaluate``."""

    m1_meV: Annotated[float, Before(Number("meV", 0, 1e9))] = 50.0
    ordering: Annotated[Literal["normal", "inverted"], _choice("normal", "inverted")] = "normal"
    nature: Annotated[Literal["dirac", "majorana"], _choice("dirac", "majorana")] = "dirac"
    delta_deg: Phase = 0.0
    alpha21_deg: Phase = 0.0
    alpha31_deg: Phase = 0.0
    oscillation: Word = "nufit-6.0"


class PhysicsSection(Section):
    """A preset, and the switches that override it; ``None`` follows the preset."""

    preset: Annotated[Literal["published", "corrected"], _choice("published", "corrected")] = (
        "published"
    )
    phase_space: Annotated[Literal["planar", "full"] | None, _choice("planar", "full")] = None
    form_factor: Annotated[
        Literal["lorentzian", "plane-wave"] | None, _choice("lorentzian", "plane-wave")
    ] = None
    majorana_kappa: Annotated[float | None, Before(Number(low=0, high=1))] = None
    weights: Annotated[Literal["eq3", "table-iv"] | None, _choice("eq3", "table-iv")] = None
    h_r: Annotated[Literal["printed", "eq8"] | None, _choice("printed", "eq8")] = None
    gamma_power: Annotated[Literal[1, 2] | None, _choice(1, 2)] = None
    moment: Annotated[Literal["density", "single-ion"] | None, _choice("density", "single-ion")] = (
        None
    )
    rate_prefactor: Annotated[Literal["C", "C/2"] | None, _choice("C", "C/2")] = None
    matrix_elements: Annotated[
        Literal["printed", "recomputed"] | None, _choice("printed", "recomputed")
    ] = None
    bloch: Annotated[Literal["printed", "lindblad"] | None, _choice("printed", "lindblad")] = None
    current_axis: Annotated[
        Literal["parallel", "transverse"] | None, _choice("parallel", "transverse")
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


def _kind_of_grid(value: object) -> str | None:
    if isinstance(value, list | tuple):
        return "<list>"
    return "<table>" if isinstance(value, dict | Section) else None


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


AngleGrid = Annotated[
    Annotated[AngleRange, After(_ordered_range), Tag("<table>")]
    | Annotated[tuple[Degrees, ...], Before(_as_tuple), After(_ordered_list), Tag("<list>")],
    Discriminator(
        _kind_of_grid,
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
    cycle_start: Annotated[Literal["ground", "periodic"], _choice("ground", "periodic")] = "ground"
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
    position: Annotated[Literal["around", "beside"], _choice("around", "beside")] = "around"


class DetectorSection(Section):
    """SQUID, readout and angular resolution; T1 from the target scheme if not given."""

    noise_fT_rtHz: Annotated[float, Before(Number("fT/Hz^0.5", 0, 1e18, open_low=True))] = 2.0
    knee_hz: Annotated[float, Before(Number("Hz", 0, 1e12))] = 1.0
    drift_fT: Annotated[float, Before(Number("fT", 0, 1e18))] = 0.0
    drift_time_s: Annotated[float, Before(Number("s", 0, 1e12, open_low=True))] = 600.0
    resolution_deg: Annotated[float, Before(Number("degree", 0, 45))] = 1.44
    kernel: Annotated[Literal["box", "gaussian"], _choice("box", "gaussian")] = "box"
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
    reference_snr: Annotated[float, Before(Number(low=0, high=1e9))] = 0.0


class AccuracySection(Section):
    """Numerical tolerance of the pair integrals."""

    relative_tolerance: Annotated[float, Before(Number(low=1e-8, high=1e-1))] = 1e-4


class SimulateSection(Section):
    """An ensemble of mock data sets."""

    datasets: Annotated[int, Before(Whole(1, MAX_DATASETS))] = 1000


def _some(*options: str) -> Before:
    """Some of a few names, each once, as a list."""

    def check(value: object) -> object:
        items = list(value) if isinstance(value, list | tuple) else [None]
        if not items or any(item not in options for item in items) or len(set(items)) < len(items):
            raise refusal(f"a list of some of {', '.join(options)}, each once")
        return tuple(items)

    return Before(check)


Odds = Annotated[float, Before(Number(low=0, high=1e9))]


class OddsSection(Section):
    """Prior odds of the hypotheses, of any sum."""

    normal_dirac: Odds = 1.0
    normal_majorana: Odds = 1.0
    inverted_dirac: Odds = 1.0
    inverted_majorana: Odds = 1.0


def _some_odds(odds: OddsSection) -> OddsSection:
    if not any(odds.model_dump().values()):
        raise refusal("odds of which at least one is > 0")
    return odds


class CompareSection(Section):
    """Evidence of the four hypotheses."""

    estimators: Annotated[tuple[Literal["smc", "nested"], ...], _some("smc", "nested")] = (
        "smc",
        "nested",
    )
    live_points: Annotated[int, Before(Whole(50, 1_000_000))] = 1000
    nested_runs: Annotated[int, Before(Whole(2, 256))] = 4
    smc_draws: Annotated[int, Before(Whole(50, 1_000_000))] = 1000
    smc_chains: Annotated[int, Before(Whole(2, 256))] = 4
    reference: Annotated[Literal["fitted", "prior"], _choice("fitted", "prior")] = "fitted"
    gate: Annotated[float, Before(Number(low=0, high=1e6, open_low=True))] = 4.0
    prior_odds: Annotated[OddsSection, After(_some_odds)] = OddsSection()


class DataSection(Section):
    """Measured data, instead of mock data; paths start from the study's folder."""

    file: Word
    covariance: Word | None = None


class ExecutionSection(Section):
    """How failing tasks are dealt with."""

    attempts: Annotated[int, Before(Whole(1, 100))] = 3
    failures_allowed: Annotated[float, Before(Number(low=0, high=1))] = 0.0


class InferenceSection(Section):
    """Priors and sampler; a spread of 0 fixes its parameter."""

    sampler: Annotated[
        Literal["nuts", "pymc-nuts", "emcee", "smc", "nested"],
        _choice("nuts", "pymc-nuts", "emcee", "smc", "nested"),
    ] = "nuts"
    cross_check: Annotated[
        Literal["none", "nuts", "pymc-nuts", "emcee", "smc", "nested"],
        _choice("none", "nuts", "pymc-nuts", "emcee", "smc", "nested"),
    ] = "none"
    chains: Annotated[int, Before(Whole(2, 256))] = 4
    draws: Annotated[int, Before(Whole(4, 10_000_000))] = 1000
    tune: Annotated[int, Before(Whole(1, 10_000_000))] = 1000
    target_accept: Annotated[
        float, Before(Number(low=0.5, high=1, open_low=True, open_high=True))
    ] = 0.9
    m1_prior: Annotated[Literal["uniform", "log-uniform"], _choice("uniform", "log-uniform")] = (
        "uniform"
    )
    m1_min_meV: Annotated[float, Before(Number("meV", 0, 1e9, open_low=True))] = 0.1
    m1_max_meV: Annotated[float, Before(Number("meV", 0, 1e9, open_low=True))] = 450.0
    amplitude_sd: Spread = 0.2
    baseline_sd: Spread = 0.1
    leakage_sd: Spread = 0.0
    refractive_index_sd: Annotated[float, Before(Number(low=0, high=0.1))] = 5e-4
    theta_s_offset_sd_deg: Pointing = 0.01
    theta_e_offset_sd_deg: Pointing = 0.01
    oscillation_errors: Flag = True
    phases: Annotated[Literal["free", "fixed"], _choice("free", "fixed")] = "free"
    noise: Annotated[Literal["drawn", "none"], _choice("drawn", "none")] = "drawn"


def _rising_masses(masses: tuple[float, ...]) -> tuple[float, ...]:
    if len(masses) < 2 or any(a >= b for a, b in zip(masses, masses[1:], strict=False)):
        raise refusal("two or more masses, each larger than the one before")
    return masses


class CalibrateSection(Section):
    """Mock experiments that test the posterior, the hypotheses and the belt; 0 leaves a part out.

    Draws, tune and chains are those of each fit; a thinning of 0 is by effective sample
    size. ``false_alarm`` is for all tests of a part together.
    """

    data_sets: Annotated[int, Before(Whole(0, 1_000_000))] = 200
    chains: Annotated[int, Before(Whole(2, 256))] = 2
    draws: Annotated[int, Before(Whole(4, 1_000_000))] = 400
    tune: Annotated[int, Before(Whole(1, 1_000_000))] = 400
    thinning: Annotated[int, Before(Whole(0, 1_000_000))] = 0
    false_alarm: Annotated[float, Before(Number(low=0, high=0.5, open_low=True))] = 0.01
    failed_fits_allowed: Annotated[float, Before(Number(low=0, high=1))] = 0.05
    hypothesis_sets: Annotated[int, Before(Whole(0, 1_000_000))] = 100
    importance_draws: Annotated[int, Before(Whole(100, 1_000_000))] = 2000
    belt_sets: Annotated[int, Before(Whole(0, 1_000_000))] = 300
    belt_m1_meV: Annotated[
        tuple[Annotated[float, Before(Number("meV", 0, 1e9))], ...],
        Before(_as_tuple),
        After(_rising_masses),
    ] = (0.0, 5.0, 10.0, 20.0, 40.0)


class MassRange(Section):
    """Lightest masses, equidistant in the logarithm."""

    start: Mass = 0.1
    stop: Mass = 450.0
    points: Annotated[int, Before(Whole(2, MAX_MASSES))] = 13


def _ordered_masses(grid: MassRange) -> MassRange:
    if grid.stop <= grid.start:
        raise refusal("stop > start")
    return grid


def _rising_grid(masses: tuple[float, ...]) -> tuple[float, ...]:
    rising = all(a < b for a, b in zip(masses, masses[1:], strict=False))
    if not 0 < len(masses) <= MAX_MASSES or not rising:
        raise refusal(f"1 to {MAX_MASSES} masses, each larger than the one before")
    return masses


MassGrid = Annotated[
    Annotated[MassRange, After(_ordered_masses), Tag("<table>")]
    | Annotated[tuple[Mass, ...], Before(_as_tuple), After(_rising_grid), Tag("<list>")],
    Discriminator(
        _kind_of_grid,
        custom_error_type="refused",
        custom_error_message="a list of masses or { start, stop, points }",
    ),
]


def _some_of(*options: str) -> Before:
    return Before(Several(*options))


class ForecastSection(Section):
    """Truths, methods and systematics of a forecast."""

    m1_meV: MassGrid = MassRange()
    orderings: Annotated[tuple[str, ...], _some_of("normal", "inverted")] = ("normal", "inverted")
    natures: Annotated[tuple[str, ...], _some_of("dirac", "majorana")] = ("dirac", "majorana")
    methods: Annotated[tuple[str, ...], _some_of(*METHODS)] = METHODS
    systematics: Annotated[tuple[str, ...], _some_of(*SYSTEMATIC_NAMES)] = SYSTEMATIC_NAMES
    phase_settings: Annotated[int, Before(Whole(1, 10_000))] = 4
    datasets: Annotated[int, Before(Whole(2, 1_000_000))] = 12
    goal_meV: Annotated[float, Before(Number("meV", 0, 1e9, open_low=True))] = 10.0
    corrections: Flag = True
