"""Section ``[layout]``: crystal and beam directions."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError, ConvergenceError, DomainError
from renp_infer.fields import Number, Said
from renp_infer.physics.pairs.kinematics import Beams, beams_for, phase_matched
from renp_infer.records import ALONG_K1, Lasers, Layout
from renp_infer.study.sections.base import Degrees, Section, about
from renp_infer.study.sections.grids.angles import AngleGrid, AngleRange, angles_of
from renp_infer.target import Target

Crystal = Annotated[float, Before(Number("cm", 1e-3, 20))]


class LayoutSection(Section):
    """Crystal and beam directions; ``theta_e_deg = None`` is phase matched."""

    length_cm: Annotated[
        Crystal,
        about(
            "Length of the excited cylinder, along k1.", typical="0.5 to 5", source="the paper's"
        ),
    ] = 2.0
    radius_cm: Annotated[
        Crystal,
        about(
            "Radius of the excited cylinder, half its diameter.",
            typical="0.5 to 2",
            source="the paper's",
        ),
    ] = 1.0
    theta_e_deg: Annotated[
        Degrees | None,
        about(
            "Angle of the second excitation laser from k1.",
            unset="phase matched, 141.607 for er-ylf",
            source="Eqs. (19) to (23)",
            page="theory.md#kinematics",
        ),
    ] = None
    theta_s_deg: Annotated[
        AngleGrid,
        about(
            "Angles of the trigger from k1 that are measured: a list, or a range in equal steps.",
            typical="the paper's around 58.79; 130 to 151.6 across the pair thresholds",
            source="Eqs. (19) to (23)",
            page="theory.md#kinematics",
        ),
    ] = AngleRange(start=47.99, stop=69.59, points=61)
    c_axis_deg: Annotated[
        float | Literal["normal"],
        Before(Number("degree", -360, 360, also="normal")),
        about(
            "Crystal c axis from k1, in the plane of the beams; or normal to it, where the "
            "signal vanishes.",
            source="Eq. (61), cases (1) to (3)",
        ),
    ] = math.degrees(ALONG_K1)


def layout_of(section: LayoutSection, target: Target, lasers: Lasers) -> Layout:
    """Record of a layout.

    Raises
    ------
    ConfigError
        If the second laser has no angle and the target no phase-matched direction.
    """
    c_axis = None if section.c_axis_deg == "normal" else math.radians(section.c_axis_deg)
    if section.theta_e_deg is None:
        theta_e = _phase_matched(target, beams_for(target, lasers, c_axis))
    else:
        theta_e = math.radians(section.theta_e_deg)
    return Layout(
        length_cm=section.length_cm,
        radius_cm=section.radius_cm,
        theta_e=theta_e,
        theta_s=angles_of(section.theta_s_deg),
        c_axis=c_axis,
    )


def _phase_matched(target: Target, beams: Beams | None) -> float:
    try:
        return phase_matched(target, beams)[1]
    except (DomainError, ConvergenceError) as error:
        allowed = "an angle: this target has no phase-matched direction"
        raise ConfigError("layout.theta_e_deg", Said("nothing"), allowed) from error
