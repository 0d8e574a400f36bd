"""Section ``[lasers]``: intensities, timing and tuning."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError, DomainError
from renp_infer.fields import Number
from renp_infer.physics.cycle.beams import covering_cm2
from renp_infer.physics.cycle.bloch import MAX_PANELS, panels_needed
from renp_infer.physics.cycle.drive import Drive, laser_drive, switch_times_s
from renp_infer.physics.pairs.kinematics import beams_of, invariant_s
from renp_infer.physics.targets.transition import transition_of
from renp_infer.records import BLOCH_KEYS, POLARISATIONS, Experiment, Lasers, Layout, Switches
from renp_infer.study.sections.base import (
    Degrees,
    Millisecond,
    Section,
    about,
    choice,
)

CHI_SQUARED_MAX = 256 / 3125
"""Maximum of rho_ee^3 |rho_ep|^2: |rho_ep|^2 <= rho_ee rho_pp and rho_ee + rho_pp <= 1
leave x^4 (1 - x), largest at x = 4/5."""
COHERENCE_MAX = 0.25
"""Maximum of |rho_ep|^2, which the trigger "coherence" takes: |rho_ep| <= 1/2."""
MOST_COHERENT = {
    "h_r": (CHI_SQUARED_MAX, "rho_ee^3 |rho_ep|^2"),
    "coherence": (COHERENCE_MAX, "|rho_ep|^2"),
}
"""By trigger: the most that `lasers.chi_squared` can be as a number, and what it is."""


def under(experiment: Experiment, switches: Switches) -> Experiment:
    """Give an apparatus other switches; its coherence, if a number, is the most it can be there."""
    given, most = experiment.lasers.chi_squared, MOST_COHERENT[switches.trigger][0]
    lasers = replace(experiment.lasers, chi_squared=None if given is None else min(given, most))
    return replace(experiment, switches=switches, lasers=lasers)


FIRST_PRINCIPLES_FIELD_G = 0.0
"""Field where a study gives none: the default of the older physics polarises the target."""
DIRECTIONS = 720
"""Trigger directions at which the pair's invariant mass is looked at."""
COVERED = 1e-9
"""By how much a beam may fail to cover the crystal: rounding of a number that was printed."""
PURE = 1e-6
"""Share of |S|^2 beside its axis that is rounding."""

Intensity = Annotated[float, Before(Number("mW/cm^2", 0, 1e12, open_low=True))]
Power = Annotated[float | None, Before(Number("mW", 0, 1e12, open_low=True))]
Area = Annotated[float | None, Before(Number("cm^2", 0, 1e6, open_low=True))]
BEAMS_PAGE = "design.md#crystals-and-lasers-that-can-be-built"
OF_POWER = {"unset": "the intensity is given", "page": BEAMS_PAGE}
OF_BEAM = {"unset": "what covers the crystal, with a power", "page": BEAMS_PAGE}
BEAMS = ("eq", "qg", "trigger")
"""Lasers, in the order of `Lasers.beams_cm2` and `Lasers.paths_cm`."""
Lifetimes = Annotated[float | None, Before(Number(low=0, high=1e6, open_low=True))]
Detuning = Annotated[float, Before(Number("kHz", -1e9, 1e9))]


Polarisation = Annotated[str | None, choice(*POLARISATIONS)]
POLARISED_TEXT = (
    "Polarisation of the {} laser: by ray, or by the plane of the beams; with all three given "
    "every photon has its own refractive index."
)
EACH_INDEX = {"unset": "one index for all", "page": "first-principles.md#15-polarised-beams"}
BEAM_KEYS = (*(f"{b}_mW" for b in BEAMS), *(f"{b}_beam_cm2" for b in BEAMS), "absorption")
POLARISED_BEAMS = ("qg_polarisation", "eq_polarisation", "trigger_polarisation")
"""Keys of `Lasers.polarisations`, in its order."""


class LasersSection(Section):
    """Intensities, timing and tuning of the lasers; no duration is to the cycle's end.

    With the three polarisations every photon has its own refractive index; ``None`` is
    one index for all. Without a phase of the Kramers partners the rate is its mean over it.
    """

    eq_mW_cm2: Annotated[
        Intensity,
        about("Intensity of the laser from q to e.", typical="1 to 20", source="Fig. 12"),
    ] = Lasers.eq_mW_cm2
    qg_mW_cm2: Annotated[
        Intensity,
        about("Intensity of the laser from g to q.", typical="0.5 to 20", source="Fig. 12"),
    ] = Lasers.qg_mW_cm2
    trigger_mW_cm2: Annotated[
        Intensity,
        about("Intensity of the trigger, between p and g.", typical="1e-3 to 10", source="Fig. 12"),
    ] = Lasers.trigger_mW_cm2
    eq_mW: Annotated[
        Power, about("Power of the laser from q to e, in place of eq_mW_cm2.", **OF_POWER)
    ] = None
    qg_mW: Annotated[
        Power, about("Power of the laser from g to q, in place of qg_mW_cm2.", **OF_POWER)
    ] = None
    trigger_mW: Annotated[
        Power, about("Power of the trigger, in place of trigger_mW_cm2.", **OF_POWER)
    ] = None
    eq_beam_cm2: Annotated[
        Area, about("Area of the e-q beam, evenly lit, across its direction.", **OF_BEAM)
    ] = None
    qg_beam_cm2: Annotated[
        Area, about("Area of the q-g beam, evenly lit, across its direction.", **OF_BEAM)
    ] = None
    trigger_beam_cm2: Annotated[
        Area, about("Area of the trigger, evenly lit, at all of its angles.", **OF_BEAM)
    ] = None
    absorption: Annotated[
        Literal["none", "ions"],
        choice("none", "ions"),
        about(
            "Whether ions take the photons that excite them out of the beams, which fade through "
            "the crystal; or all ions see the full intensity.",
            page=BEAMS_PAGE,
        ),
    ] = "none"
    trigger_delay_lifetimes: Annotated[
        float,
        Before(Number(low=0, high=1e6)),
        about("Start of the trigger after that of the cycle, in lifetimes of e.", source="Fig. 12"),
    ] = Lasers.trigger_delay_lifetimes
    cycle_ms: Annotated[Millisecond, about("Period with which all repeats.")] = Lasers.cycle_ms
    zeeman_field_G: Annotated[
        float | None,
        Before(Number("gauss", 0, 1e6)),
        about(
            "Static field along c that parts the Kramers partners; from the weak Hamiltonian it "
            "polarises the ions and needs target.temperature_K.",
            unset="100; 0 with source = weak-magnetism",
            source="Section V",
            page="first-principles.md#10-polarised-targets",
        ),
    ] = None
    chi_squared: Annotated[
        float | Literal["bloch"],
        Before(Number(low=0, open_low=True, also="bloch")),
        about(
            "Cycle mean of rho_ee^3 |rho_ep|^2, at most 256/3125; with trigger = coherence of "
            "|rho_ep|^2, at most 1/4. bloch: from the optical Bloch equations.",
            typical="1e-3 to 1e-2, the paper; 0.25 for full coherence",
            source="Eqs. (7), (8), (A5) to (A13)",
        ),
    ] = "bloch"
    cycle_start: Annotated[
        Literal["ground", "periodic"],
        choice("ground", "periodic"),
        about("Each cycle from the ground state, or from what the one before left."),
    ] = Lasers.cycle_start
    eq_duration_lifetimes: Annotated[
        Lifetimes,
        about("When the laser e-q is switched off, in lifetimes of e.", unset="the cycle's end"),
    ] = Lasers.eq_duration_lifetimes
    qg_duration_lifetimes: Annotated[
        Lifetimes,
        about("When the laser q-g is switched off, in lifetimes of e.", unset="the cycle's end"),
    ] = Lasers.qg_duration_lifetimes
    trigger_duration_lifetimes: Annotated[
        Lifetimes,
        about("How long the trigger is on, in lifetimes of e.", unset="to the cycle's end"),
    ] = Lasers.trigger_duration_lifetimes
    eq_detuning_kHz: Annotated[
        Detuning, about("Frequency of the laser e-q minus that of the transition.")
    ] = Lasers.eq_detuning_kHz
    qg_detuning_kHz: Annotated[
        Detuning, about("Frequency of the laser q-g minus that of the transition.")
    ] = Lasers.qg_detuning_kHz
    trigger_detuning_kHz: Annotated[
        Detuning, about("Frequency of the trigger minus that of the transition p-g.")
    ] = Lasers.trigger_detuning_kHz
    dephasing_per_s: Annotated[
        float,
        Before(Number("1/s", 0, 1e12)),
        about("Pure dephasing of every coherence, beside radiative decay."),
    ] = Lasers.dephasing_per_s
    inhomogeneous_width_kHz: Annotated[
        float,
        Before(Number("kHz", 0, 1e7)),
        about("Full width at half maximum of the Gaussian spread of the e-g frequency."),
    ] = Lasers.inhomogeneous_width_kHz
    qg_polarisation: Annotated[Polarisation, about(POLARISED_TEXT.format("q-g"), **EACH_INDEX)] = (
        None
    )
    eq_polarisation: Annotated[Polarisation, about(POLARISED_TEXT.format("e-q"), **EACH_INDEX)] = (
        None
    )
    trigger_polarisation: Annotated[
        Polarisation, about(POLARISED_TEXT.format("trigger"), **EACH_INDEX)
    ] = None
    partner_phase_deg: Annotated[
        Degrees | None,
        about(
            "Half the phase between the coherences of the Kramers partners; only the rate knows "
            "it.",
            unset="the mean over it",
            page="first-principles.md#7-the-rate",
        ),
    ] = None


def lasers_of(section: LasersSection, switches: Switches) -> Lasers:
    """Record of the lasers; what their powers make of the beams needs the crystal, too."""
    values = section.model_dump(exclude={*POLARISED_BEAMS, *BEAM_KEYS, "partner_phase_deg"})
    if values["chi_squared"] == "bloch":
        values["chi_squared"] = None
    if values["zeeman_field_G"] is None:
        weak = switches.source == "weak-magnetism"
        values["zeeman_field_G"] = FIRST_PRINCIPLES_FIELD_G if weak else Lasers.zeeman_field_G
    degrees = section.partner_phase_deg
    phase = None if degrees is None else math.radians(degrees)
    polarisations = _polarisations(section, switches)
    return Lasers(polarisations=polarisations, partner_phase=phase, **values)


def lit(lasers: Lasers, section: LasersSection, layout: Layout, switches: Switches) -> Lasers:
    """Lasers whose powers are intensities at the crystal, and which may fade in it.

    Raises
    ------
    ConfigError
        An intensity and a power, an area without a power or too small for the crystal, or
        ions that take photons of beams which no Bloch equations follow.
    """
    for beam in BEAMS:
        _check_power(section, beam)
    if section.absorption == "ions":
        _check_absorption(section, lasers, switches)
    covering = covering_cm2(layout)
    intensities, areas = {}, []
    for beam, needed in zip(BEAMS, covering, strict=True):
        power = getattr(section, f"{beam}_mW")
        area = None if power is None else _area(section, beam, needed)
        areas.append(area)
        if power is not None and area is not None:
            intensities[f"{beam}_mW_cm2"] = power / area
    chords = (layout.volume_cm3 / covering[0], layout.length_cm, layout.volume_cm3 / covering[2])
    paths = chords if section.absorption == "ions" else None
    first, second, third = areas
    return replace(lasers, **intensities, beams_cm2=(first, second, third), paths_cm=paths)


def _check_absorption(section: LasersSection, lasers: Lasers, switches: Switches) -> None:
    allowed = ""
    if lasers.chi_squared is not None:
        allowed = '"none" with lasers.chi_squared as a number: no ion is followed through a cycle'
    elif switches.bloch == "printed":
        allowed = '"none" with physics.bloch = "printed", whose populations are no probabilities'
    if allowed:
        raise ConfigError("lasers.absorption", section.absorption, allowed)


def _check_power(section: LasersSection, beam: str) -> None:
    power, area, intensity = f"{beam}_mW", f"{beam}_beam_cm2", f"{beam}_mW_cm2"
    if getattr(section, power) is None:
        if getattr(section, area) is not None:
            allowed = f"only with lasers.{power}: an intensity has no area"
            raise ConfigError(f"lasers.{area}", getattr(section, area), allowed)
    elif intensity in section.model_fields_set:
        allowed = f"no value beside lasers.{intensity}: one of the two"
        raise ConfigError(f"lasers.{power}", getattr(section, power), allowed)


def _area(section: LasersSection, beam: str, needed: float) -> float:
    """Area of a beam in cm^2, which covers the crystal."""
    area = getattr(section, f"{beam}_beam_cm2")
    if area is None:
        return needed
    if area < needed * (1.0 - COVERED):
        allowed = f">= {needed:.6g}, which covers the crystal from where this beam comes"
        raise ConfigError(f"lasers.{beam}_beam_cm2", area, allowed)
    return float(area)


def intensity_keys(section: LasersSection) -> tuple[str, ...]:
    """Keys of intensities that do not count, because powers are given."""
    return tuple(f"{beam}_mW_cm2" for beam in BEAMS if getattr(section, f"{beam}_mW") is not None)


def _polarisations(section: LasersSection, switches: Switches) -> tuple[str, str, str] | None:
    """Polarisations of all three lasers, or of none."""
    found = {name: getattr(section, name) for name in POLARISED_BEAMS}
    given = [name for name, value in found.items() if value is not None]
    if not given:
        return None
    for name, value in found.items():
        if value is None:
            allowed = f"{', '.join(POLARISATIONS)} beside lasers.{given[0]}, or none of the three"
            raise ConfigError(f"lasers.{name}", None, allowed)
    if switches.phase_space == "planar":
        allowed = 'nothing with physics.phase_space = "planar", which has one refractive index'
        raise ConfigError(f"lasers.{given[0]}", found[given[0]], allowed)
    return found[POLARISED_BEAMS[0]], found[POLARISED_BEAMS[1]], found[POLARISED_BEAMS[2]]


def check_lasers(experiment: Experiment) -> None:
    """Refuse lasers that are switched outside the cycle or set without effect.

    Parameters
    ----------
    experiment : Experiment

    Raises
    ------
    ConfigError
        Also if the Bloch equations would take more panels than are done.
    """
    target, lasers = experiment.target, experiment.lasers
    check_beams(experiment)
    check_partner_phase(experiment)
    _check_coherence(lasers.chi_squared, experiment.switches.trigger)
    try:
        switch_times_s(target, lasers)
        if lasers.chi_squared is None:
            _check_bloch(experiment, laser_drive(target, lasers, experiment.switches))
    except DomainError as error:
        section = "physics" if error.name == "bloch" else "lasers"
        raise ConfigError(f"{section}.{error.name}", error.value, error.allowed) from error
    quenching = target.quenching_density_per_cm3
    if quenching is not None and lasers.chi_squared is not None:
        allowed = 'nothing, or lasers.chi_squared = "bloch"'
        raise ConfigError("target.quenching_density_per_cm3", quenching, allowed)
    for key in BLOCH_KEYS if lasers.chi_squared is not None else ():
        if getattr(lasers, key) != getattr(Lasers(), key):
            allowed = 'only with lasers.chi_squared = "bloch"'
            raise ConfigError(f"lasers.{key}", getattr(lasers, key), allowed)


def check_beams(experiment: Experiment) -> None:
    """Refuse beams with which a pair opens more than once on a side of k1 + k2.

    Raises
    ------
    ConfigError
    """
    beams = beams_of(experiment)
    if beams is None:
        return
    angles = np.linspace(-math.pi, math.pi, DIRECTIONS, endpoint=False)
    s = invariant_s(angles, experiment.layout.theta_e, experiment.target, beams)
    rising = np.roll(s, -1) > s
    if np.count_nonzero(rising != np.roll(rising, 1)) > 2:
        allowed = (
            "rays whose pairs open once on each side: another layout.c_axis_deg or theta_e_deg"
        )
        raise ConfigError("lasers.trigger_polarisation", beams.polarisations[2], allowed)


def check_partner_phase(experiment: Experiment) -> None:
    """Refuse a phase between partners where there are none, or where it is not known enough.

    Raises
    ------
    ConfigError
    """
    if experiment.lasers.partner_phase is None:
        return
    allowed = ""
    if experiment.switches.source != "weak-magnetism":
        allowed = 'nothing, or physics.source = "weak-magnetism": the paper has ions of one partner'
    else:
        found = transition_of(experiment.target)
        if found.weight != 1.0 and found.delta_mu == 0.0:
            allowed = "nothing between two singlets, which have no partners"
        elif min(found.along, 1.0 - found.along) > PURE:
            allowed = "nothing with a scheme whose S lies neither along c nor across it"
        elif experiment.layout.c_axis is None:
            allowed = 'nothing with layout.c_axis_deg = "normal"'
    if allowed:
        given = round(math.degrees(experiment.lasers.partner_phase), 9)
        raise ConfigError("lasers.partner_phase_deg", given, allowed)


def _check_coherence(chi_squared: float | None, trigger: str) -> None:
    """A number is what the trigger takes of a density matrix, at most."""
    most, what = MOST_COHERENT[trigger]
    if chi_squared is not None and chi_squared > most:
        reach = Number(low=0, high=most, open_low=True, also="bloch")
        why = f'with physics.trigger = "{trigger}" it is {what}'
        raise ConfigError("lasers.chi_squared", chi_squared, reach.allowed, why)


def _check_bloch(experiment: Experiment, drive: Drive) -> None:
    """The cycle can be followed in all detail."""
    cycle_ms, relaxation_ms = experiment.lasers.cycle_ms, experiment.detector.spin_relaxation_ms
    needed = panels_needed(drive)
    if needed > MAX_PANELS:
        most = cycle_ms * MAX_PANELS / needed
        allowed = f'<= {most:.3g} with lasers so strong or detuned and chi_squared = "bloch"'
        raise ConfigError("lasers.cycle_ms", cycle_ms, allowed)
    if cycle_ms > relaxation_ms * MAX_PANELS:
        allowed = f'>= {cycle_ms / MAX_PANELS:.3g} with lasers.chi_squared = "bloch"'
        raise ConfigError("detector.spin_relaxation_ms", relaxation_ms, allowed)
