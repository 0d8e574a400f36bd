"""Section ``[target]``: ion and host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError
from renp_infer.fields import Number, Said
from renp_infer.physics.targets.polarisation import thermal_polarisation
from renp_infer.physics.targets.transition import transition_of
from renp_infer.records import Lasers, Switches
from renp_infer.study.paths import absolute_path
from renp_infer.study.sections.base import Section, Word, about
from renp_infer.target import Target

Energy = Annotated[float, Before(Number("eV", 0, 100, open_low=True))]
Rate = Annotated[float, Before(Number("1/s", 0, 1e12))]


OF_GENERIC = {"unset": "that of the scheme", "page": "schemes.md#without-a-file"}
"""Of keys that only scheme = "generic" takes, and needs."""


class RatesSection(Section):
    """Radiative rates of a generic target by transition; ``None`` is zero."""

    ep: Annotated[Rate | None, about("From e to p.", unset="0")] = None
    pg: Annotated[Rate | None, about("From p to g.", unset="0")] = None
    eg: Annotated[Rate | None, about("From e to g.", unset="0")] = None
    eq: Annotated[Rate | None, about("From e to q.", unset="0")] = None
    qg: Annotated[Rate | None, about("From q to g.", unset="0")] = None
    qp: Annotated[Rate | None, about("From q to p.", unset="0")] = None


class TargetSection(Section):
    """Ion and host; ``None`` keeps the scheme's own value.

    ``channel`` names the Stark levels of the pair, as "e1-p3", for the weak Hamiltonian.
    The keys from omega_1_eV on belong to scheme = "generic" and to no other, polarisation
    and temperature_K to the weak Hamiltonian.
    """

    scheme: Annotated[
        Word,
        about(
            'Ion and host: a shipped scheme, the path of one that ends in .toml, or "generic" '
            "with the keys from omega_1_eV on.",
            typical="er-ylf, er-ylf-built, er-cs2nayf6, ho-ylf",
            source="Table I",
        ),
    ] = "er-ylf"
    channel: Annotated[
        Word | None,
        about(
            'Stark levels of the pair, such as "e1-p3"; from the weak Hamiltonian alone.',
            unset="the lowest ones",
            page="schemes.md#what-a-pair-takes-and-what-it-leaves",
        ),
    ] = None
    density_per_cm3: Annotated[
        float | None,
        Before(Number("1/cm^3", 0, 1e24, open_low=True)),
        about("Number density of the ions.", unset="that of the scheme", typical="1.4e19, 0.1 %"),
    ] = None
    gamma_ep_per_s: Annotated[
        float | None,
        Before(Number("1/s", 0, 1e15, open_low=True)),
        about(
            "Width of the transition from e to p.",
            unset="that of the scheme, the radiative one",
            source="Eqs. (24), (57), (64)",
        ),
    ] = None
    refractive_index: Annotated[
        float | None,
        Before(Number(low=1, high=5)),
        about("Refractive index of all beams, if these are not polarised.", unset="of the scheme"),
    ] = None
    polarisation: Annotated[
        float | None,
        Before(Number(low=-1, high=1)),
        about(
            "Share of ions in one Kramers partner less that in the other, along c.",
            unset="0, or by field and temperature",
            page="first-principles.md#10-polarised-targets",
        ),
    ] = None
    temperature_K: Annotated[
        float | None,
        Before(Number("kelvin", 0, 1e4, open_low=True)),
        about(
            "Temperature, at which lasers.zeeman_field_G polarises the ions.",
            unset="no field polarises",
            typical="4",
            page="first-principles.md#10-polarised-targets",
        ),
    ] = None
    quenching_density_per_cm3: Annotated[
        float | None,
        Before(Number("1/cm^3", 0, 1e24, open_low=True)),
        about(
            "Density at which excited levels decay twice as fast as alone, by (n / this)^2, in "
            "the optical Bloch equations.",
            unset="no quenching; no measured value for Er:LiYF4 was found",
            page="design.md#crystals-and-lasers-that-can-be-built",
        ),
    ] = None
    omega_1_eV: Annotated[
        Energy | None, about("Photon from g to q, of the first laser.", **OF_GENERIC)
    ] = None
    omega_2_eV: Annotated[
        Energy | None, about("Photon from q to e, of the second laser.", **OF_GENERIC)
    ] = None
    omega_s_eV: Annotated[Energy | None, about("Photon of the trigger, p to g.", **OF_GENERIC)] = (
        None
    )
    md_rates_per_s: Annotated[
        RatesSection | None, about("Magnetic dipole rates by transition.", **OF_GENERIC)
    ] = None
    ed_rates_per_s: Annotated[
        RatesSection | None, about("Electric dipole rates by transition.", **OF_GENERIC)
    ] = None
    g_factor: Annotated[
        float | None,
        Before(Number(low=0, high=30, open_low=True)),
        about("g factor of the moment that an event leaves.", **OF_GENERIC),
    ] = None
    spin_squared: Annotated[
        float | None,
        Before(Number(low=0, high=100, open_low=True)),
        about("S_ep^2, squared spin element from e to p.", **OF_GENERIC),
    ] = None


def check_channel(section: TargetSection, switches: Switches) -> None:
    """Refuse other levels with elements that are only known of the lowest ones.

    Raises
    ------
    ConfigError
    """
    if section.channel is None:
        return
    for name, value in (("source", "weak-magnetism"), ("moment", "doublet")):
        if getattr(switches, name) != value:
            raise ConfigError(
                "target.channel", section.channel, f'nothing, or physics.{name} = "{value}"'
            )


def refracting(target: Target, section: TargetSection, lasers: Lasers) -> Target:
    """A target whose one index is, for polarised lasers, the mean ordinary one.

    Raises
    ------
    ConfigError
        Polarised lasers and a host of which both dispersion formulas are not known.
    """
    if lasers.polarisations is None:
        return target
    if target.indices is None:
        allowed = "nothing with a scheme without [sellmeier] of both rays at its three photons"
        raise ConfigError("lasers.qg_polarisation", lasers.polarisations[0], allowed)
    if section.refractive_index is not None:
        return target
    return replace(target, refractive_index=target.indices.mean)


POLARISED = {"polarisation", "temperature_K"}
"""Keys of polarised ions."""
UNSCHEMED = {*POLARISED, "quenching_density_per_cm3"}
"""Keys that are no scheme's."""


def polarised(target: Target, section: TargetSection, switches: Switches, field_G: float) -> Target:
    """A target with its polarisation: a number, or that of a field along c at a temperature.

    Raises
    ------
    ConfigError
        Both, a field without a temperature or the other way round, ions that are no
        doublets, or physics in which a polarisation means nothing.
    """
    number, temperature = section.polarisation, section.temperature_K
    if switches.source != "weak-magnetism":
        for key in sorted(POLARISED):
            if (value := getattr(section, key)) is not None:
                allowed = 'nothing, or physics.source = "weak-magnetism"'
                raise ConfigError(f"target.{key}", value, allowed)
        return target
    if number is not None and (field_G > 0.0 or temperature is not None):
        allowed = "nothing with target.temperature_K and lasers.zeeman_field_G, or these not"
        raise ConfigError("target.polarisation", number, allowed)
    if field_G > 0.0 and temperature is None:
        allowed = f"a number: lasers.zeeman_field_G = {field_G:g} polarises the ions by it"
        raise ConfigError("target.temperature_K", Said("nothing"), allowed)
    if field_G == 0.0 and temperature is not None:
        allowed = "nothing without lasers.zeeman_field_G > 0, which polarises the ions"
        raise ConfigError("target.temperature_K", temperature, allowed)
    p = number or 0.0
    if temperature is not None:
        if target.g_parallel is None:
            allowed = "nothing with a scheme without crystal.g_parallel: give target.polarisation"
            raise ConfigError("target.temperature_K", temperature, allowed)
        p = thermal_polarisation(field_G, temperature, target.g_parallel)
    if p != 0.0 and transition_of(target).weight != 1.0:
        allowed = "0 for levels that are not both doublets"
        raise ConfigError("target.polarisation", p, allowed)
    return replace(target, polarisation=p)


def scheme_of(section: TargetSection, folder: Path) -> str:
    """Name of a scheme, or the path of its file, which is relative to a folder."""
    scheme = section.scheme
    return absolute_path(folder, scheme) if scheme.endswith(".toml") else scheme
