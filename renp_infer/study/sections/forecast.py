"""Section ``[forecast]``: what an experiment would measure."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number, Whole
from renp_infer.study.sections.base import Flag, Section, several
from renp_infer.study.sections.masses import MassGrid, MassRange

METHODS = ("fisher", "asimov", "ensemble")
SYSTEMATIC_NAMES = (
    "amplitude", "baseline", "refractive-index", "pointing", "oscillations", "phases",
)  # fmt: skip


class ForecastSection(Section):
    """Truths, methods and systematics of a forecast."""

    m1_meV: MassGrid = MassRange()
    orderings: Annotated[tuple[str, ...], several("normal", "inverted")] = ("normal", "inverted")
    natures: Annotated[tuple[str, ...], several("dirac", "majorana")] = ("dirac", "majorana")
    methods: Annotated[tuple[str, ...], several(*METHODS)] = METHODS
    systematics: Annotated[tuple[str, ...], several(*SYSTEMATIC_NAMES)] = SYSTEMATIC_NAMES
    phase_settings: Annotated[int, Before(Whole(1, 10_000))] = 4
    datasets: Annotated[int, Before(Whole(2, 1_000_000))] = 12
    goal_meV: Annotated[float, Before(Number("meV", 0, 1e9, open_low=True))] = 10.0
    corrections: Flag = True
