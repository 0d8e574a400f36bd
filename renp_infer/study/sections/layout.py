"""Section ``[layout]``: crystal and beam directions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number
from renp_infer.study.sections.angles import AngleGrid, AngleRange
from renp_infer.study.sections.base import Degrees, Section

Crystal = Annotated[float, Before(Number("cm", 1e-3, 20))]


class LayoutSection(Section):
    """Crystal and beam directions; ``theta_e_deg = None`` is phase matched."""

    length_cm: Crystal = 2.0
    radius_cm: Crystal = 1.0
    theta_e_deg: Degrees | None = None
    theta_s_deg: AngleGrid = AngleRange(start=47.99, stop=69.59, points=61)
    c_axis_deg: Annotated[
        float | Literal["normal"], Before(Number("degree", -180, 180, also="normal"))
    ] = 0.0
