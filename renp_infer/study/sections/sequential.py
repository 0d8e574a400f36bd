"""Section ``[optimize.sequential]``: what may be set next, and the campaigns that test it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError
from renp_infer.fields import Number, Whole, refusal
from renp_infer.records import Experiment
from renp_infer.study.sections.base import Section, about, as_tuple, choice
from renp_infer.study.sections.grids.angles import AngleGrid, angles_of
from renp_infer.study.sections.grids.masses import MassGrid, masses_of

Seconds = Annotated[float, Before(Number("s", 0, 1e15, open_low=True))]


def _rising(exposures: tuple[float, ...]) -> tuple[float, ...]:
    rising = all(a < b for a, b in zip(exposures, exposures[1:], strict=False))
    if not 0 < len(exposures) <= 20 or not rising:
        raise refusal("1 to 20 exposures, each longer than the one before")
    return exposures


class SequentialSection(Section):
    """One measurement after the other, each chosen from what is known by then."""

    goal: Annotated[
        Literal["m1", "nature", "ordering"],
        choice("m1", "nature", "ordering"),
        about("What the information is about."),
    ] = "m1"
    angles_deg: Annotated[
        AngleGrid | None,
        about(
            "Trigger angles that can be set, at most 2000.",
            unset="121 over the range of the layout",
        ),
    ] = None
    exposures_s: Annotated[
        tuple[Seconds, ...],
        Before(as_tuple),
        After(_rising),
        about("Exposures that one measurement may have, 1 to 20, rising."),
    ] = (60.0, 300.0, 1200.0)
    lookahead: Annotated[
        int,
        Before(Whole(1, 2)),
        about("Measurements that a choice looks ahead: 2 sees what one alone does not tell."),
    ] = 1
    setting_s: Annotated[
        float,
        Before(Number("s", 0, 1e9)),
        about("Time to move the trigger to another angle; none where it stands."),
    ] = 30.0
    total_s: Annotated[
        Seconds | None,
        about("Time of a campaign, moves included.", unset="detector.exposure_s"),
    ] = None
    stop_sd_meV: Annotated[
        float,
        Before(Number("meV", 0, 1e9)),
        about("Error of m1 at which a campaign ends; 0: never."),
    ] = 0.0
    stop_probability: Annotated[
        float,
        Before(Number(low=0.5, high=1, open_low=True)),
        about("Probability of an answer at which a campaign ends; 1: never.", typical="0.99"),
    ] = 1.0
    masses: Annotated[int, Before(Whole(2, 5000)), about("Cells of m1 in the table of states.")] = (
        96
    )
    m1_meV: Annotated[MassGrid, about("True lightest masses of simulated campaigns.")] = (
        20.0,
        50.0,
        100.0,
    )
    campaigns: Annotated[
        int, Before(Whole(1, 100_000)), about("Simulated campaigns of each truth.")
    ] = 4
    fixed_deg: Annotated[
        AngleGrid | None,
        about(
            "Angles of a fixed layout to compare with, such as that of best.toml.",
            unset="the study's own alone",
        ),
    ] = None


MAX_CANDIDATES = 2000
"""Most trigger angles among which to choose; with those of the layout and the data."""
ANGLES = 121
"""Candidates where the study names none: the layout's range in equal steps."""
KEY = "optimize.sequential"


@dataclass(frozen=True)
class SequentialSettings:
    """The section, resolved.

    Attributes
    ----------
    goal : {"m1", "nature", "ordering"}
        What the information is about.
    angles : tuple of float
        Candidate trigger angles, rad, ascending.
    exposures_s : tuple of float
        Candidate exposures of one measurement.
    lookahead : int
        Measurements that a choice looks ahead.
    setting_s : float
        Time that it takes to move the trigger to another angle.
    total_s : float
        Time of a campaign, moves included.
    stop_sd_meV, stop_probability : float
        A campaign ends when m1 is known this well (0: never), or, for the other goals,
        when an answer is this probable (1: never).
    masses : int
        Cells of m1 in the table of states.
    m1_meV : tuple of float
        True lightest masses of the campaigns.
    campaigns : int
        Campaigns of each truth, each with its own nuisances and noise.
    fixed : tuple of float
        Trigger angles of the fixed layout beside the study's own, rad; may be empty.
    odds : tuple of float
        Prior odds of the four hypotheses; those of 0 are left out.
    """

    goal: str
    angles: tuple[float, ...]
    exposures_s: tuple[float, ...]
    lookahead: int
    setting_s: float
    total_s: float
    stop_sd_meV: float
    stop_probability: float
    masses: int
    m1_meV: tuple[float, ...]
    campaigns: int
    fixed: tuple[float, ...]
    odds: tuple[float, ...]

    @property
    def count(self) -> int:
        """Number of campaigns."""
        return len(self.m1_meV) * self.campaigns

    def part(self, index: int) -> tuple[float, int]:
        """True mass in meV, and number, of a campaign; more begin with the fewer."""
        number, place = divmod(index, len(self.m1_meV))
        return self.m1_meV[place], number


def sequential_settings(
    section: SequentialSection, odds: tuple[float, ...], experiment: Experiment
) -> SequentialSettings:
    """Settings of a checked section, for an apparatus and prior odds of the hypotheses.

    Raises
    ------
    ConfigError
        On candidates or times that mean nothing.
    """
    own = experiment.layout.theta_s
    if section.angles_deg is None:
        angles = np.linspace(own[0], own[-1], ANGLES) if own.size > 1 else own
    else:
        angles = angles_of(section.angles_deg)
    if angles.size > MAX_CANDIDATES:
        given = int(angles.size)
        raise ConfigError(f"{KEY}.angles_deg", given, f"at most {MAX_CANDIDATES} angles")
    total = section.total_s or experiment.detector.exposure_s
    shortest = section.exposures_s[0] + section.setting_s
    if total < shortest:
        allowed = f">= {shortest:g}, the shortest exposure and one move"
        raise ConfigError(f"{KEY}.total_s", total, allowed)
    fixed = () if section.fixed_deg is None else angles_of(section.fixed_deg)
    return SequentialSettings(
        section.goal,
        tuple(map(float, angles)),
        section.exposures_s,
        section.lookahead,
        section.setting_s,
        total,
        section.stop_sd_meV,
        section.stop_probability,
        section.masses,
        masses_of(section.m1_meV),
        section.campaigns,
        tuple(map(float, fixed)),
        odds,
    )
