"""Section ``[physics]``: a preset, and the switches over it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError
from renp_infer.fields import Number
from renp_infer.records import PRESETS, Switches
from renp_infer.study.sections.base import Flag, Section, about, choice
from renp_infer.switches import WITHOUT_MEANING, without_meaning

NEEDED = {
    "phase_space": "full",
    "trigger": "coherence",
    "current_normalisation": "spinor",
    "matrix_elements": "recomputed",
}
"""What weak magnetism needs: nothing of it is printed, or known in the plane."""
WITHOUT_MEANING_BY = {name: other for other, names in WITHOUT_MEANING.items() for name in names}
"""Switches that may have no meaning, with the switch and value that take it."""


BY_PRESET = "by the preset"


class PhysicsSection(Section):
    """A preset, and the switches that override it; ``None`` follows the preset."""

    preset: Annotated[
        Literal["published", "corrected", "first-principles"],
        choice("published", "corrected", "first-principles"),
        about(
            "Which physics, all switches at once: the paper as printed; its equations rightly "
            "evaluated; or its first equation, the weak Hamiltonian. Always choose one.",
            page="theory.md#the-three-presets",
            typical="first-principles for an experiment, published to compare with the paper",
        ),
    ] = "published"
    preset_by_default: Annotated[
        Flag,
        about(
            "Written into resolved studies whose preset nobody chose, so that results can say so; "
            "changes nothing."
        ),
    ] = False
    phase_space: Annotated[
        Literal["planar", "full"] | None,
        choice("planar", "full"),
        about(
            "Integral over the pair's momenta: in the plane of the beams, or in three dimensions.",
            source="Eqs. (17), (62); Eq. (12)",
            page="signal.md#phase-space-eqs-12-17-62",
            unset=BY_PRESET,
        ),
    ] = None
    form_factor: Annotated[
        Literal["lorentzian", "plane-wave"] | None,
        choice("lorentzian", "plane-wave"),
        about(
            "Form factor of the crystal: Lorentzians, or plane waves over a cylinder.",
            source="Eq. (18); Eq. (15)",
            page="theory.md#the-crystal",
            unset=BY_PRESET,
        ),
    ] = None
    majorana_kappa: Annotated[
        float | None,
        Before(Number(low=0, high=1)),
        about(
            "Coefficient of the Majorana term, - kappa m_i m_j: 1/8 as printed, 1 by the "
            "spinor sum.",
            source="Eqs. (51), (56), (63)",
            typical="0.125, 1",
            unset=BY_PRESET,
        ),
    ] = None
    weights: Annotated[
        Literal["eq3", "table-iv"] | None,
        choice("eq3", "table-iv"),
        about(
            "Weights of the pairs: from the mixing, or the printed rows, which conserve CP.",
            source="Eq. (3); Table IV",
            page="signal.md#couplings-eq-3",
            unset=BY_PRESET,
        ),
    ] = None
    h_r: Annotated[
        Literal["printed", "eq8"] | None,
        choice("printed", "eq8"),
        about(
            "Factor of the trigger: through the printed C, or from the rates of p to g.",
            source="Eq. (24); Eq. (8)",
            page="signal.md#rate-eqs-8-16-24-57",
            unset=BY_PRESET,
        ),
    ] = None
    gamma_power: Annotated[
        Literal[1, 2] | None,
        choice(1, 2),
        about(
            "Power of gamma_ep in rate and magnetization; the rate goes as h_r squared.",
            source="Eqs. (24), (57), (64)",
            unset=BY_PRESET,
        ),
    ] = None
    moment: Annotated[
        Literal["density", "single-ion", "doublet"] | None,
        choice("density", "single-ion", "doublet"),
        about(
            "Moment of an event: of all ions, of one ion, or by what one ion's doublets differ.",
            source="Eq. (58)",
            page="first-principles.md#8-the-moment-and-its-field",
            unset=BY_PRESET,
        ),
    ] = None
    rate_prefactor: Annotated[
        Literal["C", "C/2"] | None,
        choice("C", "C/2"),
        about(
            "Prefactor of the rate: the printed number, or what its derivation gives.",
            source="Eq. (57); Eq. (16)",
            unset=BY_PRESET,
        ),
    ] = None
    matrix_elements: Annotated[
        Literal["printed", "recomputed"] | None,
        choice("printed", "recomputed"),
        about(
            "S_ep^2 and |S||v| as printed, or from the rates of Table I.",
            source="Eqs. (33) to (44), Table I",
            page="signal.md#matrix-elements-eqs-33-to-44",
            unset=BY_PRESET,
        ),
    ] = None
    bloch: Annotated[
        Literal["printed", "lindblad"] | None,
        choice("printed", "lindblad"),
        about(
            "Optical Bloch equations as printed, whose state is none, or as a Lindblad generator.",
            source="Eqs. (A5) to (A13)",
            page="theory.md#coherence-and-the-laser-cycle",
            unset=BY_PRESET,
        ),
    ] = None
    current_axis: Annotated[
        Literal["parallel", "transverse"] | None,
        choice("parallel", "transverse"),
        about(
            "Electron current along the c axis, or across it, for a change of M by 1.",
            source="Eqs. (53) to (56)",
            page="signal.md#squared-amplitude-eqs-53-to-56-63",
            unset=BY_PRESET,
        ),
    ] = None
    vector_current: Annotated[
        Literal["spatial", "conserved"] | None,
        choice("spatial", "conserved"),
        about(
            "Vector current without its time component, or conserved.",
            source="Eq. (54)",
            page="first-principles.md#4-the-electrons-currents",
            unset=BY_PRESET,
        ),
    ] = None
    source: Annotated[
        Literal["spin-velocity", "weak-magnetism"] | None,
        choice("spin-velocity", "weak-magnetism"),
        about(
            "What leaves the moment: S.v, which time reversal forbids in unpolarised ions, or "
            "weak magnetism.",
            source="Eq. (61)",
            page="first-principles.md#5-time-reversal",
            unset=BY_PRESET,
        ),
    ] = None
    trigger: Annotated[
        Literal["h_r", "coherence"] | None,
        choice("h_r", "coherence"),
        about(
            "What the trigger does: h_r^2 rho_ee^n |rho_ep|^2, counting it twice, or |rho_ep|^2.",
            source="Eqs. (7), (8)",
            page="first-principles.md#11-the-trigger-once",
            unset=BY_PRESET,
        ),
    ] = None
    current_normalisation: Annotated[
        Literal["printed", "spinor"] | None,
        choice("printed", "spinor"),
        about(
            "Normalisation of the currents as printed, or of spinors, 16 times as much.",
            source="Eqs. (10), (16)",
            page="first-principles.md#12-against-the-papers-normalisation",
            unset=BY_PRESET,
        ),
    ] = None
    field_axis: Annotated[
        Literal["trigger", "moment"] | None,
        choice("trigger", "moment"),
        about(
            "Field with the factor cos(theta_s - c) of the trigger, or along the moment, without.",
            source="Eq. (61)",
            page="first-principles.md#8-the-moment-and-its-field",
            unset=BY_PRESET,
        ),
    ] = None


def switches_of(section: PhysicsSection) -> Switches:
    """Switches of the preset, with the single keys over them."""
    default = PhysicsSection.model_fields["preset"].default
    if section.preset_by_default and section.preset != default:
        allowed = f'false with preset = "{section.preset}", which is not the default'
        raise ConfigError("physics.preset_by_default", True, allowed)
    chosen = section.model_dump(exclude={"preset", "preset_by_default"}, exclude_none=True)
    switches = Switches(**(asdict(PRESETS[section.preset]) | chosen))
    _check_needs(switches)
    for name in without_meaning(switches):
        if name in chosen:
            one, other = WITHOUT_MEANING_BY[name]
            allowed = f'nothing with physics.{one} = "{other}"'
            raise ConfigError(f"physics.{name}", chosen[name], allowed)
    return switches


def is_chosen(section: PhysicsSection) -> bool:
    """Whether a study names its preset."""
    return "preset" in section.model_fields_set and not section.preset_by_default


def _check_needs(switches: Switches) -> None:
    """Refuse switches that need others."""
    if switches.vector_current == "conserved" and switches.phase_space == "planar":
        allowed = '"spatial" with physics.phase_space = "planar"'
        why = "V0 = P.v / eps is known for the sum over all directions"
        raise ConfigError("physics.vector_current", "conserved", allowed, why)
    if switches.source != "weak-magnetism":
        return
    for name, value in NEEDED.items():
        if (given := getattr(switches, name)) != value:
            allowed = f'"{value}" with physics.source = "weak-magnetism"'
            raise ConfigError(f"physics.{name}", given, allowed)
