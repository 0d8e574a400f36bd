"""What in a valid study is probably not what was meant: questions, no refusals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from renp_infer.study.study import Study

FEW_DEG = 7.0
"""A turn in radians is less; beams this near to k1, all of them, nobody sets."""


def hints(study: Study) -> Iterator[str]:
    """Questions about a study.

    Angles between beams are tens of degrees; where all are below 7 they may be radians.
    Angles of data have a unit of their own and are not asked about.
    """
    layout = study.experiment.layout
    if not study.measured:
        yield from _radians("layout.theta_s_deg", layout.theta_s)
    yield from _radians("layout.theta_e_deg", [layout.theta_e])
    if study.sequential is not None:
        yield from _radians("optimize.sequential.angles_deg", study.sequential.angles)
        yield from _radians("optimize.sequential.fixed_deg", study.sequential.fixed)


def _radians(key: str, angles_rad: Iterable[float]) -> Iterator[str]:
    """Ask whether angles of a key, here in rad, were given in radians."""
    most = max((abs(math.degrees(angle)) for angle in angles_rad), default=0.0)
    if 0.0 < most < FEW_DEG:
        meant = math.degrees(most)
        yield (
            f"{key}: the largest angle is {most:.6g} degrees; are these radians? "
            f'Write "{most:.6g} rad", which is {meant:.6g} degrees; it is taken as it stands'
        )
