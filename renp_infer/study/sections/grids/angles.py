"""Trigger angles of a study: a list, or a range in equal steps."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before
from pydantic import Discriminator, Tag

from renp_infer.fields import Whole, refusal
from renp_infer.records import FloatArray
from renp_infer.study.sections.base import Degrees, Section, about, as_tuple, kind_of_grid

MAX_ANGLES = 100_000
"""Longest list of trigger angles; far beyond any sensible scan."""


ACROSS = "write 181 for -179"
"""How a rising list goes on beyond 180 degrees."""


class AngleRange(Section):
    """Equidistant trigger angles."""

    start: Annotated[Degrees, about("First angle.")]
    stop: Annotated[Degrees, about("Last angle, not before the first.")]
    points: Annotated[int, Before(Whole(1, MAX_ANGLES)), about("Number of angles, ends included.")]


def _ordered_range(grid: AngleRange) -> AngleRange:
    if grid.points > 1 and grid.stop <= grid.start or grid.stop < grid.start:
        raise refusal(f"stop > start: across a half turn {ACROSS}")
    _within_a_turn(grid.start, grid.stop)
    return grid


def _ordered_list(angles: tuple[float, ...]) -> tuple[float, ...]:
    rising = all(a < b for a, b in zip(angles, angles[1:], strict=False))
    if not 0 < len(angles) <= MAX_ANGLES or not rising:
        allowed = f"1 to {MAX_ANGLES} angles, each larger than the one before"
        raise refusal(f"{allowed}: across a half turn {ACROSS}")
    _within_a_turn(angles[0], angles[-1])
    return angles


def _within_a_turn(first: float, last: float) -> None:
    if last - first > 360.0:
        raise refusal("angles within one turn of 360 degrees")


AngleGrid = Annotated[
    Annotated[AngleRange, After(_ordered_range), Tag("<table>")]
    | Annotated[tuple[Degrees, ...], Before(as_tuple), After(_ordered_list), Tag("<list>")],
    Discriminator(
        kind_of_grid,
        custom_error_type="refused",
        custom_error_message="a list of angles or { start, stop, points }",
    ),
]


def angles_of(grid: AngleRange | tuple[float, ...]) -> FloatArray:
    """Angles of a key, shape (n,), rad, ascending."""
    if isinstance(grid, AngleRange):
        return np.deg2rad(np.linspace(grid.start, grid.stop, grid.points))
    return np.deg2rad(np.array(grid))
