"""What a forecast covers: truths, methods, systematics, and the tasks that this makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.errors import ConfigError
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.study.sections.tasks import InferenceSection

if TYPE_CHECKING:
    from renp_infer.records import Experiment
    from renp_infer.study.reading import StudyConfig
    from renp_infer.study.sections.tasks import ForecastSection

MASS_MARGIN, PAIR_SHARE = 1.25, 0.98
"""Rivals may be heavier than the heaviest truth, up to where no pair is emitted."""


@dataclass(frozen=True)
class ForecastSettings:
    """Section ``[forecast]`` of a study.

    Attributes
    ----------
    m1_meV : tuple of float
        True lightest masses.
    orderings, natures, methods, systematics : tuple of str
        Systematics are those of ``inference.parameters`` that are included.
    phase_settings : int
        Settings of the CP phases of a Majorana truth.
    datasets : int
        Mock data sets per truth, for the method "ensemble".
    goal_meV : float
        Error of m1 that the table of required precisions aims at.
    corrections : bool
        Whether each physics switch is changed by itself.
    """

    m1_meV: tuple[float, ...]
    orderings: tuple[str, ...] = ("normal", "inverted")
    natures: tuple[str, ...] = ("dirac", "majorana")
    methods: tuple[str, ...] = ("fisher", "asimov", "ensemble")
    systematics: tuple[str, ...] = tuple(PARAMETERS.systematics)
    phase_settings: int = 4
    datasets: int = 12
    goal_meV: float = 10.0
    corrections: bool = True

    def phases_of(self, nature: str) -> int:
        """Number of phase settings: a Dirac truth has no phase that is seen."""
        return self.phase_settings if nature == "majorana" else 1


def settings_from(section: ForecastSection) -> ForecastSettings:
    """Settings of a checked section."""
    values = section.model_dump()
    grid = section.m1_meV
    if not isinstance(grid, tuple):
        values["m1_meV"] = tuple(np.geomspace(grid.start, grid.stop, grid.points).tolist())
    values["systematics"] = tuple(n for n in PARAMETERS.systematics if n in values["systematics"])
    return ForecastSettings(**values)


def with_priors(study: StudyConfig) -> StudyConfig:
    """The same with the priors of ``[inference]``, by default those of that section."""
    return study.model_copy(update={"inference": study.inference or InferenceSection()})


def check_forecast(settings: ForecastSettings, experiment: Experiment) -> None:
    """Refuse truths that emit no pair.

    Raises
    ------
    ConfigError
        If the heaviest truth leaves no room for a heavier rival.
    """
    limit = largest_mass_meV(experiment)
    if max(settings.m1_meV) >= limit:
        raise ConfigError("forecast.m1_meV", max(settings.m1_meV), f"< {limit:.6g}")


def largest_mass_meV(experiment: Experiment) -> float:
    """Largest m1 that pairs allow, short of the end of phase space."""
    return PAIR_SHARE * EV_TO_MILLI_EV * experiment.target.epsilon_ep / 2.0
