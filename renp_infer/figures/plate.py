"""A finished figure: its picture, caption and numbers.

Drawn on bare ``Figure`` objects: no window, no global state.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from matplotlib.figure import Figure

from renp_infer.figures import drawing as plots
from renp_infer.figures.data import csv_of, data_uri
from renp_infer.terminal import say

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
    """Draw in the common style; one that cannot be drawn says why in its place."""
    with plots.styled():
        try:
            figure, caption = draw(data)
            plots.name_ticks(figure)
            svg = _svg(figure)
        except Exception as error:  # results stand, and so do the other figures
            figure, caption = missing(title, error)
            svg = _svg(figure)
    return Plate(key, title, _short(svg), caption, figure)


def missing(title: str, error: Exception) -> tuple[Figure, str]:
    """An empty figure, and why it is."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    say(f"the figure {title!r} is missing: {reason}")
    figure, ax = new_figure(1.0)
    ax.set_axis_off()
    ax.text(0.5, 0.5, "This figure could not be drawn.", ha="center", va="center")
    return figure, f"Missing: {reason}. The results stand; renp report tries again."


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _short(svg: str) -> str:
    """Path coordinates cut to 0.01 pt: a third of the file, nothing to see."""
    return re.sub(r'\bd="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)
