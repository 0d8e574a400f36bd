"""The sections of a study file that are tasks, or settings of tasks.

As in ``config_sections``, which holds those of the apparatus.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before
from pydantic import Discriminator, Tag

from renp_infer.fields import Number, Several, Whole, refusal
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.prior import Sampler
from renp_infer.study.sections.apparatus import Flag, Section, Word, as_tuple, choice, kind_of_grid

MAX_DATASETS = 100_000_000
"""Largest ensemble: at 61 angles half a gigabyte per million."""
MAX_MASSES = 10_000
METHODS = ("fisher", "asimov", "ensemble")
SYSTEMATICS = tuple(PARAMETERS.systematics)
Spread = Annotated[float, Before(Number(low=0, high=5))]
Pointing = Annotated[float, Before(Number("degree", 0, 10))]
Mass = Annotated[float, Before(Number("meV", 1e-3, 1e9))]


class SimulateSection(Section):
    """An ensemble of mock data sets."""

    datasets: Annotated[int, Before(Whole(1, MAX_DATASETS))] = 1000


def _some_of(*options: str) -> Before:
    return Before(Several(*options))


Odds = Annotated[float, Before(Number(low=0, high=1e9))]


class OddsSection(Section):
    """Prior odds of the hypotheses, of any sum."""

    normal_dirac: Odds = 1.0
    normal_majorana: Odds = 1.0
    inverted_dirac: Odds = 1.0
    inverted_majorana: Odds = 1.0


def some_odds(odds: OddsSection) -> OddsSection:
    """Refuse odds that are all 0."""
    if not any(odds.model_dump().values()):
        raise refusal("odds of which at least one is > 0")
    return odds


class CompareSection(Section):
    """Evidence of the four hypotheses."""

    estimators: Annotated[tuple[Literal["smc", "nested"], ...], _some_of("smc", "nested")] = (
        "smc",
        "nested",
    )
    live_points: Annotated[int, Before(Whole(50, 1_000_000))] = 1000
    nested_runs: Annotated[int, Before(Whole(2, 256))] = 4
    smc_draws: Annotated[int, Before(Whole(50, 1_000_000))] = 1000
    smc_chains: Annotated[int, Before(Whole(2, 256))] = 4
    reference: Annotated[Literal["fitted", "prior"], choice("fitted", "prior")] = "fitted"
    gate: Annotated[float, Before(Number(low=0, high=1e6, open_low=True))] = 4.0
    prior_odds: Annotated[OddsSection, After(some_odds)] = OddsSection()


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

    sampler: Annotated[Sampler, choice(*get_args(Sampler))] = "nuts"
    cross_check: Annotated[Literal["none"] | Sampler, choice("none", *get_args(Sampler))] = "none"
    chains: Annotated[int, Before(Whole(2, 256))] = 4
    draws: Annotated[int, Before(Whole(4, 10_000_000))] = 1000
    tune: Annotated[int, Before(Whole(1, 10_000_000))] = 1000
    target_accept: Annotated[
        float, Before(Number(low=0.5, high=1, open_low=True, open_high=True))
    ] = 0.9
    m1_prior: Annotated[Literal["uniform", "log-uniform"], choice("uniform", "log-uniform")] = (
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
    phases: Annotated[Literal["free", "fixed"], choice("free", "fixed")] = "free"
    noise: Annotated[Literal["drawn", "none"], choice("drawn", "none")] = "drawn"


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
        Before(as_tuple),
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
    | Annotated[tuple[Mass, ...], Before(as_tuple), After(_rising_grid), Tag("<list>")],
    Discriminator(
        kind_of_grid,
        custom_error_type="refused",
        custom_error_message="a list of masses or { start, stop, points }",
    ),
]


class ForecastSection(Section):
    """Truths, methods and systematics of a forecast."""

    m1_meV: MassGrid = MassRange()
    orderings: Annotated[tuple[str, ...], _some_of("normal", "inverted")] = ("normal", "inverted")
    natures: Annotated[tuple[str, ...], _some_of("dirac", "majorana")] = ("dirac", "majorana")
    methods: Annotated[tuple[str, ...], _some_of(*METHODS)] = METHODS
    systematics: Annotated[tuple[str, ...], _some_of(*SYSTEMATICS)] = SYSTEMATICS
    phase_settings: Annotated[int, Before(Whole(1, 10_000))] = 4
    datasets: Annotated[int, Before(Whole(2, 1_000_000))] = 12
    goal_meV: Annotated[float, Before(Number("meV", 0, 1e9, open_low=True))] = 10.0
    corrections: Flag = True
