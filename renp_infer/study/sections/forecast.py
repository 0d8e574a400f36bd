"""Section ``[forecast]``: what an experiment would measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number, Whole
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.records import Experiment
from renp_infer.study.sections.base import Flag, Section, about, several
from renp_infer.study.sections.grids.masses import MassGrid, MassRange, masses_of

SYSTEMATICS = tuple(PARAMETERS.systematics)
MASS_MARGIN, PAIR_SHARE = 1.25, 0.98
"""Rivals may be heavier than the heaviest truth, up to where no pair is emitted."""
METHODS = ("fisher", "asimov", "ensemble")


class ForecastSection(Section):
    """Truths, methods and systematics of a forecast."""

    m1_meV: Annotated[
        MassGrid, about("True lightest masses: a list, or a range in equal steps of the logarithm.")
    ] = MassRange()
    orderings: Annotated[
        tuple[str, ...], several("normal", "inverted"), about("True orderings.")
    ] = ("normal", "inverted")
    natures: Annotated[tuple[str, ...], several("dirac", "majorana"), about("True natures.")] = (
        "dirac",
        "majorana",
    )
    methods: Annotated[
        tuple[str, ...],
        several(*METHODS),
        about(
            "Linearised, by fits of the expectation, or by fits of mock data.",
            page="forecasts.md#three-methods",
        ),
    ] = METHODS
    systematics: Annotated[
        tuple[str, ...],
        several(*SYSTEMATICS),
        about("Those named are uncertain, others known.", page="forecasts.md#systematics"),
    ] = SYSTEMATICS
    phase_settings: Annotated[
        int,
        Before(Whole(1, 10_000)),
        about("Settings of the CP phases of a Majorana truth.", page="forecasts.md#cp-phases"),
    ] = 4
    datasets: Annotated[
        int,
        Before(Whole(2, 1_000_000)),
        about('Mock data sets of each truth, for the method "ensemble".', typical="40 and more"),
    ] = 12
    goal_meV: Annotated[
        float,
        Before(Number("meV", 0, 1e9, open_low=True)),
        about("Error of m1 that the table of required precisions aims at."),
    ] = 10.0
    corrections: Annotated[
        Flag,
        about("Whether each physics switch is changed by itself.", page="forecasts.md#corrections"),
    ] = True


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
    orderings: tuple[str, ...]
    natures: tuple[str, ...]
    methods: tuple[str, ...]
    systematics: tuple[str, ...]
    phase_settings: int
    datasets: int
    goal_meV: float
    corrections: bool

    def phases_of(self, nature: str) -> int:
        """Number of phase settings: a Dirac truth has no phase that is seen."""
        return self.phase_settings if nature == "majorana" else 1


def forecast_settings(section: ForecastSection) -> ForecastSettings:
    """Settings of a checked section."""
    return ForecastSettings(**section.model_dump() | {"m1_meV": masses_of(section.m1_meV)})


def largest_mass_meV(experiment: Experiment) -> float:
    """Largest m1 that pairs allow, short of the end of phase space."""
    return PAIR_SHARE * EV_TO_MILLI_EV * experiment.target.epsilon_ep / 2.0
