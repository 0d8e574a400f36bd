"""What a section ``[scan]`` asks for: cells of keys, and parameters that are profiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renp_infer.study.sections.scan import Asked

type Value = float | int | str
"""What a key of a cell is."""


@dataclass(frozen=True)
class GridCell:
    """One combination of values.

    Attributes
    ----------
    keys : mapping
        Values by key of the study.
    digest : str
        SHA-256 of everything that its study says, files that it names included.
    """

    keys: Mapping[str, Value]
    digest: str


@dataclass(frozen=True)
class ScanPlan:
    """A checked section and what its cells are made from.

    Attributes
    ----------
    what : {"evaluate", "infer", "forecast"}
        What is asked in each cell.
    over : mapping
        Values by key, in the order of the axes; none without cells.
    cells : tuple of GridCell
        In the order of the axes, the last one runs fastest.
    profile : mapping
        Values by parameter, or "auto"; two of them, or none.
    tables : dict
        The study as given, without what is not asked.
    folder : str
        Where its relative paths start.
    """

    what: Asked
    over: Mapping[str, tuple[Value, ...]]
    cells: tuple[GridCell, ...]
    profile: Mapping[str, tuple[float, ...] | str]
    tables: dict[str, Any]
    folder: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values by axis."""
        return tuple(map(len, self.over.values()))
