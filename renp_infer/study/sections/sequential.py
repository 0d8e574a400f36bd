"""Section ``[optimize.sequential]``: what may be set next, and the campaigns that test it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before

from renp_infer.fields import Number, Whole, refusal
from renp_infer.study.sections.angles import AngleGrid
from renp_infer.study.sections.base import Section, as_tuple, choice
from renp_infer.study.sections.masses import MassGrid

Seconds = Annotated[float, Before(Number("s", 0, 1e15, open_low=True))]


def _rising(exposures: tuple[float, ...]) -> tuple[float, ...]:
    rising = all(a < b for a, b in zip(exposures, exposures[1:], strict=False))
    if not 0 < len(exposures) <= 20 or not rising:
        raise refusal("1 to 20 exposures, each longer than the one before")
    return exposures


class SequentialSection(Section):
    """One measurement after the other, each chosen from what is known by then."""

    goal: Annotated[
        Literal["m1", "nature", "ordering"], choice("m1", "nature", "ordering")
    ] = "m1"  # fmt: skip
    angles_deg: AngleGrid | None = None
    exposures_s: Annotated[tuple[Seconds, ...], Before(as_tuple), After(_rising)] = (
        60.0,
        300.0,
        1200.0,
    )
    setting_s: Annotated[float, Before(Number("s", 0, 1e9))] = 30.0
    total_s: Seconds | None = None
    stop_sd_meV: Annotated[float, Before(Number("meV", 0, 1e9))] = 0.0
    stop_probability: Annotated[float, Before(Number(low=0.5, high=1, open_low=True))] = 1.0
    masses: Annotated[int, Before(Whole(2, 5000))] = 96
    m1_meV: MassGrid = (20.0, 50.0, 100.0)
    campaigns: Annotated[int, Before(Whole(1, 100_000))] = 4
    fixed_deg: AngleGrid | None = None
