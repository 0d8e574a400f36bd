"""Section ``[atlas]``: which ions and ladders are screened, and what is asked of the best."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError
from renp_infer.fields import Number, Said, Whole
from renp_infer.physics.atlas.screening import Intensities, Reach
from renp_infer.physics.ions.lanthanides import IONS
from renp_infer.records import Experiment, Parameters
from renp_infer.study.sections.base import Flag, Section, about, several

PhotonEnergy = Annotated[float, Before(Number("eV", 0, 10, open_low=True))]

NOT_ASKED = 0
"""Rows that are appraised, searched and confirmed unless a study asks for some."""
REFERENCE_SNR = 20.0
"""Of the paper's ladder, at the noise of all."""


class AtlasSection(Section):
    """Ions and ladders that are screened, how many are kept, and what is asked of the best."""

    ions: Annotated[tuple[str, ...], several(*IONS), about("Ions whose ladders are screened.")] = (
        IONS
    )
    photon_min_eV: Annotated[
        PhotonEnergy, about("Least energy of a photon of the three lasers.")
    ] = 0.3
    photon_max_eV: Annotated[
        PhotonEnergy, about("Largest energy of a photon of the three lasers.")
    ] = 4.0
    keep: Annotated[
        int, Before(Whole(1, 10_000)), about("Ladders of each ranking that are kept.")
    ] = 100
    tasks_per_ion: Annotated[
        int, Before(Whole(1, 1000)), about("Tasks that the ladders of an ion are divided into.")
    ] = 2
    cuts: Annotated[
        Flag, about("Whether ladders that cannot be among the best are left out early.")
    ] = True
    appraise: Annotated[
        int,
        Before(Whole(0, 10_000)),
        about(
            "First ladders of each ranking at the ceiling, of those that are kept, that the "
            "appraiser of designs judges as the studies that they are; 0: none.",
            page="atlas.md#by-the-appraiser",
        ),
    ] = NOT_ASKED
    optimize: Annotated[
        int,
        Before(Whole(0, 10_000)),
        about(
            "First of these for each question whose layout is searched; 0: none.",
            page="atlas.md#by-a-search-of-layouts",
        ),
    ] = NOT_ASKED
    confirm: Annotated[
        int,
        Before(Whole(0, 100_000)),
        about("Mock data sets of each searched layout that are analysed in full; 0: none."),
    ] = NOT_ASKED
    reference_snr: Annotated[
        float,
        Before(Number(low=0, high=1e9, open_low=True)),
        about(
            "Peak S/N of the paper's ladder at the noise that all ladders share as studies; the "
            "first of the mass has 47 times as much."
        ),
    ] = REFERENCE_SNR


def reach_of(section: AtlasSection, experiment: Experiment) -> Reach:
    """What is screened, with the lasers of the study."""
    lasers = experiment.lasers
    return Reach(
        photon_eV=(section.photon_min_eV, section.photon_max_eV),
        lasers=Intensities(lasers.qg_mW_cm2, lasers.eq_mW_cm2, lasers.trigger_mW_cm2),
        cuts=section.cuts,
        keep=section.keep,
    )


def check_atlas(section: AtlasSection, experiment: Experiment, parameters: Parameters) -> None:
    """Refuse limits that leave nothing, and physics or truths that the closed form is not for.

    Raises
    ------
    ConfigError
    """
    if section.optimize > section.appraise:
        allowed = f"<= appraise = {section.appraise}: those that were appraised"
        raise ConfigError("atlas.optimize", section.optimize, allowed)
    if section.confirm == 1:
        allowed = "0, or >= 2: one data set has no standard error"
        raise ConfigError("atlas.confirm", 1, allowed)
    if section.photon_min_eV >= section.photon_max_eV:
        allowed = f"< photon_max_eV = {section.photon_max_eV:g}"
        raise ConfigError("atlas.photon_min_eV", section.photon_min_eV, allowed)
    if experiment.switches.source != "weak-magnetism":
        hint = 'physics.preset = "first-principles" has it'
        source = experiment.switches.source
        raise ConfigError("physics.source", source, '"weak-magnetism" with [atlas]', hint)
    found = experiment.target.transition
    if found is None or found.delta_mu == 0.0:
        needed = "with [atlas] a scheme of wave functions whose pair leaves a moment"
        hint = 'such as "er-ylf-built"'
        raise ConfigError("target.scheme", experiment.target.name, needed, hint)
    if parameters.m1_eV == 0.0:
        allowed = "> 0 with [atlas]: its question is by how much m1 differs from 0"
        raise ConfigError("neutrino.m1_meV", Said("0"), allowed)
