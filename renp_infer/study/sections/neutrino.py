"""Section ``[neutrino]``: the truth."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import OscillationTable, make_parameters
from renp_infer.records import Parameters
from renp_infer.study.paths import absolute_path
from renp_infer.study.sections.base import Section, Word, about, choice

Phase = Annotated[float, Before(Number("degree", -360, 360))]


class NeutrinoSection(Section):
    """The truth for mock data and for ``evaluate``."""

    m1_meV: Annotated[
        float,
        Before(Number("meV", 0, 1e9)),
        about(
            "Mass of the LIGHTEST neutrino, whatever the ordering.",
            typical="0 to 450, the direct limit",
        ),
    ] = 50.0
    ordering: Annotated[
        Literal["normal", "inverted"],
        choice("normal", "inverted"),
        about("Ordering of the masses: m1 or m3 is the lightest."),
    ] = "normal"
    nature: Annotated[
        Literal["dirac", "majorana"],
        choice("dirac", "majorana"),
        about(
            "Whether neutrinos are their own antiparticles.",
            source="Eqs. (56), (63)",
            page="first-principles.md#3-majorana-neutrinos-and-the-sum-over-pairs",
        ),
    ] = "dirac"
    delta_deg: Annotated[
        Phase, about("Dirac CP phase.", source="Eq. (3)", page="signal.md#couplings-eq-3")
    ] = 0.0
    alpha21_deg: Annotated[
        Phase,
        about(
            "Majorana phase, PDG convention; of Dirac neutrinos without effect.",
            source="Eq. (3)",
            page="signal.md#couplings-eq-3",
        ),
    ] = 0.0
    alpha31_deg: Annotated[
        Phase,
        about(
            "Majorana phase, PDG convention; of Dirac neutrinos without effect.",
            source="Eq. (3)",
            page="signal.md#couplings-eq-3",
        ),
    ] = 0.0
    oscillation: Annotated[
        Word,
        about(
            "Table of mixing angles and splittings with their errors: a shipped one, or a path "
            "that ends in .toml.",
            typical="nufit-6.0; seed for the paper's angles",
        ),
    ] = "nufit-6.0"


def with_absolute_table(section: NeutrinoSection, folder: Path) -> NeutrinoSection:
    """Section whose own table of oscillations, if it has one, is found from any folder."""
    name = section.oscillation
    if not name.endswith(".toml"):
        return section
    return section.model_copy(update={"oscillation": absolute_path(folder, name)})


def parameters_of(truth: NeutrinoSection, table: OscillationTable) -> Parameters:
    """The truth, with oscillation parameters of a table."""
    return make_parameters(
        m1_eV=truth.m1_meV * MILLI_EV_TO_EV,
        ordering=truth.ordering,
        nature=truth.nature,
        delta=math.radians(truth.delta_deg),
        alpha21=math.radians(truth.alpha21_deg),
        alpha31=math.radians(truth.alpha31_deg),
        table=table,
    )
