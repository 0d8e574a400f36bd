"""Section ``[optimize.sequential]``, resolved: candidates, times, campaigns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.study.sections.angles import AngleRange
from renp_infer.study.sections.sequential import SequentialSection

if TYPE_CHECKING:
    from renp_infer.records import Experiment, FloatArray
    from renp_infer.study.reading import StudyConfig

MAX_CANDIDATES = 2000
"""Most trigger angles among which to choose; with those of the layout and the data."""
ANGLES = 121
"""Candidates where the study names none: the layout's range in equal steps."""
_KEY = "optimize.sequential"


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
    setting_s: float
    total_s: float
    stop_sd_meV: float
    stop_probability: float
    masses: int
    m1_meV: tuple[float, ...]
    campaigns: int
    fixed: tuple[float, ...] = ()
    odds: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)

    @property
    def count(self) -> int:
        """Number of campaigns."""
        return len(self.m1_meV) * self.campaigns

    def part(self, index: int) -> tuple[float, int]:
        """True mass in meV, and number, of a campaign; more begin with the fewer."""
        number, place = divmod(index, len(self.m1_meV))
        return self.m1_meV[place], number


def sequential_of(study: StudyConfig, experiment: Experiment) -> SequentialSettings | None:
    """Settings of a study, checked; ``None`` without the section.

    Raises
    ------
    ConfigError
        See ``settings_from`` and ``check_sequential``.
    """
    section = study.optimize
    if section is None or section.sequential is None:
        return None
    from renp_infer.inference.comparison import HYPOTHESES

    settings = settings_from(section.sequential, experiment)
    odds = tuple(
        getattr(section.prior_odds, f"{o}_{n}") * (o in section.orderings and n in section.natures)
        for o, n in HYPOTHESES
    )
    settings = replace(settings, odds=odds)
    check_sequential(settings, study)
    return settings


def settings_from(section: SequentialSection, experiment: Experiment) -> SequentialSettings:
    """Settings of a checked section, for an apparatus.

    Raises
    ------
    ConfigError
        On candidates or times that mean nothing.
    """
    own = experiment.layout.theta_s
    if section.angles_deg is None:
        angles = np.linspace(own[0], own[-1], ANGLES) if own.size > 1 else own
    else:
        angles = _angles(section.angles_deg)
    if angles.size > MAX_CANDIDATES:
        given = int(angles.size)
        raise ConfigError(f"{_KEY}.angles_deg", given, f"at most {MAX_CANDIDATES} angles")
    total = section.total_s or experiment.detector.exposure_s
    shortest = section.exposures_s[0] + section.setting_s
    if total < shortest:
        allowed = f">= {shortest:g}, the shortest exposure and one move"
        raise ConfigError(f"{_KEY}.total_s", total, allowed)
    grid = section.m1_meV
    masses = grid if isinstance(grid, tuple) else np.geomspace(grid.start, grid.stop, grid.points)
    fixed = () if section.fixed_deg is None else _angles(section.fixed_deg)
    return SequentialSettings(
        section.goal,
        tuple(map(float, angles)),
        section.exposures_s,
        section.setting_s,
        total,
        section.stop_sd_meV,
        section.stop_probability,
        section.masses,
        tuple(map(float, masses)),
        section.campaigns,
        tuple(map(float, fixed)),
    )


def _angles(grid: AngleRange | tuple[float, ...]) -> FloatArray:
    """Angles of a key, rad, ascending."""
    if isinstance(grid, AngleRange):
        return np.deg2rad(np.linspace(grid.start, grid.stop, grid.points))
    return np.deg2rad(np.array(grid))


def check_sequential(settings: SequentialSettings, study: StudyConfig) -> None:
    """Refuse what a sequence of measurements cannot take into account.

    Raises
    ------
    ConfigError
        A drift, which ties measurements together in time; a free leakage; truths above
        the prior of m1, or of a hypothesis that is left out.
    """
    from renp_infer.inference.comparison import HYPOTHESES

    priors, own = study.inference, (study.neutrino.ordering, study.neutrino.nature)
    if not settings.odds[HYPOTHESES.index(own)]:
        allowed = "the study's own hypothesis among them, from which campaigns are drawn"
        raise ConfigError("optimize.prior_odds", Said(f"none for {' '.join(own)}"), allowed)
    if study.detector.drift_fT > 0.0:
        allowed = "0 with [optimize.sequential]: noise that is independent between measurements"
        raise ConfigError("detector.drift_fT", study.detector.drift_fT, allowed)
    if priors is not None and priors.leakage_sd > 0.0:
        allowed = "0 with [optimize.sequential]"
        raise ConfigError("inference.leakage_sd", priors.leakage_sd, allowed)
    limit = 450.0 if priors is None else priors.m1_max_meV
    if max(settings.m1_meV) > limit:
        allowed = f"<= inference.m1_max_meV = {limit:g}"
        raise ConfigError(f"{_KEY}.m1_meV", max(settings.m1_meV), allowed)
