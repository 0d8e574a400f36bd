"""A finished figure: its picture, caption and numbers.

Drawn on bare ``Figure`` objects: no window, no global state.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import matplotlib as mpl
from matplotlib.figure import Figure

from renp_infer.figures import drawing as plots
from renp_infer.figures.data import csv_of, data_uri

WIDTH = 8.4
"""Width of a figure, inches."""
M1 = "m₁ [meV]"
ANGLE = "trigger angle θₛ [deg]"


@dataclass(frozen=True)
class Plate:
    """A finished figure as SVG text, with its caption and what it was made from."""

    key: str
    title: str
    svg: str
    caption: str
    figure: Figure = field(compare=False, repr=False)
    kind: ClassVar[str] = "plate"

    @property
    def uri(self) -> str:
        """The figure as a data URI: ids of several SVGs cannot clash."""
        return data_uri("image/svg+xml", self.svg)

    @property
    def csv(self) -> str:
        """The numbers that it shows."""
        return csv_of(self.figure, self.title, self.caption)


def new_figure(height: float, rows: int = 1, columns: int = 1, **keys: Any) -> tuple[Figure, Any]:
    """A bare figure of the common width, height in inches, with its axes."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **keys)


def plate(key: str, title: str, draw: Callable[[Any], tuple[Figure, str]], data: Any) -> Plate:
    """Draw in the common style."""
    with mpl.rc_context(plots.STYLE):
        figure, caption = draw(data)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return Plate(key, title, _short(buffer.getvalue()), caption, figure)


def _short(svg: str) -> str:
    """Path coordinates cut to 0.01 pt: a third of the file, nothing to see."""
    return re.sub(r'\bd="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)
