"""Section ``[physics]``: a preset, and the switches over it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number
from renp_infer.records import PRESETS, Switches
from renp_infer.study.sections.base import Section, choice


class PhysicsSection(Section):
    """A preset, and the switches that override it; ``None`` follows the preset."""

    preset: Annotated[Literal["published", "corrected"], choice("published", "corrected")] = (
        "published"
    )
    phase_space: Annotated[Literal["planar", "full"] | None, choice("planar", "full")] = None
    form_factor: Annotated[
        Literal["lorentzian", "plane-wave"] | None, choice("lorentzian", "plane-wave")
    ] = None
    majorana_kappa: Annotated[float | None, Before(Number(low=0, high=1))] = None
    weights: Annotated[Literal["eq3", "table-iv"] | None, choice("eq3", "table-iv")] = None
    h_r: Annotated[Literal["printed", "eq8"] | None, choice("printed", "eq8")] = None
    gamma_power: Annotated[Literal[1, 2] | None, choice(1, 2)] = None
    moment: Annotated[Literal["density", "single-ion"] | None, choice("density", "single-ion")] = (
        None
    )
    rate_prefactor: Annotated[Literal["C", "C/2"] | None, choice("C", "C/2")] = None
    matrix_elements: Annotated[
        Literal["printed", "recomputed"] | None, choice("printed", "recomputed")
    ] = None
    bloch: Annotated[Literal["printed", "lindblad"] | None, choice("printed", "lindblad")] = None
    current_axis: Annotated[
        Literal["parallel", "transverse"] | None, choice("parallel", "transverse")
    ] = None


def switches_of(section: PhysicsSection) -> Switches:
    """Switches of the preset, with the single keys over them."""
    chosen = section.model_dump(exclude={"preset"}, exclude_none=True)
    return Switches(**(asdict(PRESETS[section.preset]) | chosen))
