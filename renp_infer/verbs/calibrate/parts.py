"""The tasks of a calibration: blocks of mock experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from renp_infer.inference.results.comparison import HYPOTHESES
from renp_infer.study.sections.compare import CompareSection, compare_settings

if TYPE_CHECKING:
    from renp_infer.records import FloatArray
    from renp_infer.study.study import Study

SIZES = {"ranks": 5, "hypotheses": 10, "belt": 50}
"""Mock experiments of a task: half a minute, long against its file, short against a kill."""


class Block(NamedTuple):
    """Mock experiments of one task: kind, belt point, the first and the one after the last."""

    kind: str
    point: int
    first: int
    stop: int


def parts(study: Study) -> list[Block]:
    """Blocks of all tasks."""
    section = study.calibration
    assert section is not None
    points = range(belt_points(study).size if section.belt_sets else 0)
    rows = [row for point in points for row in _blocks("belt", section.belt_sets, point)]
    rows += _blocks("hypotheses", section.hypothesis_sets)
    return rows + _blocks("ranks", section.data_sets)


def _blocks(kind: str, count: int, point: int = 0) -> list[Block]:
    size = SIZES[kind]
    return [Block(kind, point, first, min(first + size, count)) for first in range(0, count, size)]


def belt_points(study: Study) -> FloatArray:
    """True masses of the belt's mock data, meV: the grid, then those that check coverage.

    Coverage is checked at the first point, by independent data, and between the first ones.
    """
    assert study.calibration is not None
    grid = np.array(study.calibration.belt_m1_meV)
    checks = [grid[0], *(0.5 * (grid[:-1] + grid[1:]))[:2]]
    return np.concatenate([grid, checks])


def prior_odds(study: Study) -> FloatArray:
    """Prior odds of the hypotheses, those of ``[compare]``; equal without that section."""
    settings = study.compare or compare_settings(CompareSection())
    odds = settings.prior_odds
    return np.array([odds[hypothesis.name] for hypothesis in HYPOTHESES])
