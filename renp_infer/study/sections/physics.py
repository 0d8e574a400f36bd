"""Section ``[physics]``: a preset, and the switches over it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError
from renp_infer.fields import Number
from renp_infer.records import PRESETS, Switches
from renp_infer.study.sections.base import Section, choice
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


class PhysicsSection(Section):
    """A preset, and the switches that override it; ``None`` follows the preset."""

    preset: Annotated[
        Literal["published", "corrected", "first-principles"],
        choice("published", "corrected", "first-principles"),
    ] = "published"
    phase_space: Annotated[Literal["planar", "full"] | None, choice("planar", "full")] = None
    form_factor: Annotated[
        Literal["lorentzian", "plane-wave"] | None, choice("lorentzian", "plane-wave")
    ] = None
    majorana_kappa: Annotated[float | None, Before(Number(low=0, high=1))] = None
    weights: Annotated[Literal["eq3", "table-iv"] | None, choice("eq3", "table-iv")] = None
    h_r: Annotated[Literal["printed", "eq8"] | None, choice("printed", "eq8")] = None
    gamma_power: Annotated[Literal[1, 2] | None, choice(1, 2)] = None
    moment: Annotated[
        Literal["density", "single-ion", "doublet"] | None,
        choice("density", "single-ion", "doublet"),
    ] = None
    rate_prefactor: Annotated[Literal["C", "C/2"] | None, choice("C", "C/2")] = None
    matrix_elements: Annotated[
        Literal["printed", "recomputed"] | None, choice("printed", "recomputed")
    ] = None
    bloch: Annotated[Literal["printed", "lindblad"] | None, choice("printed", "lindblad")] = None
    current_axis: Annotated[
        Literal["parallel", "transverse"] | None, choice("parallel", "transverse")
    ] = None
    vector_current: Annotated[
        Literal["spatial", "conserved"] | None, choice("spatial", "conserved")
    ] = None
    source: Annotated[
        Literal["spin-velocity", "weak-magnetism"] | None,
        choice("spin-velocity", "weak-magnetism"),
    ] = None
    trigger: Annotated[Literal["h_r", "coherence"] | None, choice("h_r", "coherence")] = None
    current_normalisation: Annotated[
        Literal["printed", "spinor"] | None, choice("printed", "spinor")
    ] = None
    field_axis: Annotated[Literal["trigger", "moment"] | None, choice("trigger", "moment")] = None


def switches_of(section: PhysicsSection) -> Switches:
    """Switches of the preset, with the single keys over them."""
    chosen = section.model_dump(exclude={"preset"}, exclude_none=True)
    switches = Switches(**(asdict(PRESETS[section.preset]) | chosen))
    _check_needs(switches)
    for name in without_meaning(switches):
        if name in chosen:
            one, other = WITHOUT_MEANING_BY[name]
            allowed = f'nothing with physics.{one} = "{other}"'
            raise ConfigError(f"physics.{name}", chosen[name], allowed)
    return switches


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
