"""Lightest masses of a study: a list, or a range in equal steps of the logarithm."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before
from pydantic import Discriminator, Tag

from renp_infer.fields import Number, Whole, refusal
from renp_infer.study.sections.base import Section, about, as_tuple, kind_of_grid

MAX_MASSES = 10_000
Mass = Annotated[float, Before(Number("meV", 1e-3, 1e9))]


class MassRange(Section):
    """Lightest masses, equidistant in the logarithm."""

    start: Annotated[Mass, about("First mass.")] = 0.1
    stop: Annotated[Mass, about("Last mass, larger than the first.")] = 450.0
    points: Annotated[
        int, Before(Whole(2, MAX_MASSES)), about("Number of masses, ends included.")
    ] = 13


def _ordered_masses(grid: MassRange) -> MassRange:
    if grid.stop <= grid.start:
        raise refusal("stop > start")
    return grid


def _rising_grid(masses: tuple[float, ...]) -> tuple[float, ...]:
    rising = all(a < b for a, b in zip(masses, masses[1:], strict=False))
    if not 0 < len(masses) <= MAX_MASSES or not rising:
        raise refusal(f"1 to {MAX_MASSES} masses, each larger than the one before")
    return masses


MassGrid = Annotated[
    Annotated[MassRange, After(_ordered_masses), Tag("<table>")]
    | Annotated[tuple[Mass, ...], Before(as_tuple), After(_rising_grid), Tag("<list>")],
    Discriminator(
        kind_of_grid,
        custom_error_type="refused",
        custom_error_message="a list of masses or { start, stop, points }",
    ),
]


def masses_of(grid: MassRange | tuple[float, ...]) -> tuple[float, ...]:
    """Masses of a key, meV, ascending."""
    if isinstance(grid, tuple):
        return grid
    return tuple(np.geomspace(grid.start, grid.stop, grid.points).tolist())
