"""The numbers that a figure shows, read back from what was drawn, as one table.

So every figure has its data, whoever draws it, and they are those of the picture.
"""

from __future__ import annotations

import csv
import io
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import (
    FillBetweenPolyCollection,
    LineCollection,
    PathCollection,
    QuadMesh,
)
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle, StepPatch

COLUMNS = (
    "panel", "series", "kind", "x", "y", "x_low", "x_high", "y_low", "y_high", "value",
)  # fmt: skip
COLORBAR = "<colorbar>"
"""Label that Matplotlib gives the axes of a colour bar."""
Row = dict[str, Any]


def csv_of(figure: Figure, *head: str) -> str:
    """Data of a figure as comma-separated values.

    Parameters
    ----------
    figure : Figure
    *head : str
        Lines to begin with.

    Returns
    -------
    str
        Lines of comment, which say what the axes of each panel are, then ``COLUMNS``
        and a row per point, bar, cell or line, empty where a column does not apply;
        numbers in the units of the axes.
    """
    panels = [ax for ax in figure.axes if ax.get_label() != COLORBAR]
    buffer = io.StringIO()
    for line in (*head, *_axes_lines(panels)):
        buffer.write(f"# {' '.join(line.split())}\n")
    writer = csv.DictWriter(buffer, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for place, ax in enumerate(panels, start=1):
        for row in _panel_rows(ax):
            cells = {key: _cell(value) for key, value in row.items()}
            writer.writerow({"panel": str(place)} | cells)
    return buffer.getvalue()


def data_uri(kind: str, text: str) -> str:
    """A text of a media type as a data URI."""
    return f"data:{kind};base64,{b64encode(text.encode()).decode()}"


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else f"{float(value):.6g}"


def _axes_lines(panels: Sequence[Axes]) -> Iterator[str]:
    for place, ax in enumerate(panels, start=1):
        labels = [f"{axis} = {_axis_label(ax, axis, panels)}" for axis in ("x", "y")]
        title = ax.get_title() or ax.get_title(loc="left")
        yield "; ".join([f"panel {place}: {title}" if title else f"panel {place}", *labels])


def _axis_label(ax: Axes, axis: str, panels: Sequence[Axes]) -> str:
    """Label of an axis: its own, else that of its column or row, else the figure's."""
    if not len(getattr(ax, f"get_{axis}ticks")()):
        return "arbitrary"
    own: str = getattr(ax, f"get_{axis}label")()
    if own or ax.get_subplotspec() is None:
        return " ".join(own.split())
    span = "colspan" if axis == "x" else "rowspan"
    here = list(getattr(ax.get_subplotspec(), span))
    for other in panels:
        text = getattr(other, f"get_{axis}label")()
        if text and list(getattr(other.get_subplotspec(), span)) == here:
            return " ".join(text.split())
    return str(getattr(ax.figure, f"get_sup{axis}label")())


def _panel_rows(ax: Axes) -> Iterator[Row]:
    taken, unnamed = {id(ax.patch)}, Counter[str]()
    container: Any
    for container in ax.containers:
        name = str(container.get_label() or "")
        if isinstance(container, ErrorbarContainer):
            line, caps, bars = container.lines
            taken |= {id(artist) for artist in (line, *caps, *bars)}
            yield from _named(name, "point", _error_rows(container))
        elif isinstance(container, BarContainer):
            taken |= {id(patch) for patch in container.patches}
            yield from _named(name, "bar", map(_box, container.patches))
    for artist in ax.get_children():
        if id(artist) in taken or not artist.get_visible():
            continue
        kind, rows = _artist_rows(artist, ax)
        name = str(artist.get_label() or "_")
        if name.startswith("_"):
            unnamed[kind] += 1
            name = f"{kind} {unnamed[kind]}"
        yield from _named(name, kind, rows)


def _named(name: str, kind: str, rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        yield {"series": name.removeprefix("_"), "kind": kind} | row


def _artist_rows(artist: Any, ax: Axes) -> tuple[str, Iterator[Row]]:
    """Kind and rows of one artist; none for texts, spines and the like."""
    if isinstance(artist, Line2D):
        return _line(artist, ax)
    if isinstance(artist, FillBetweenPolyCollection):
        return "band", _band_rows(artist)
    if isinstance(artist, LineCollection):
        return "segment", _segment_rows(artist)
    if isinstance(artist, PathCollection):
        return "point", _points(np.asarray(artist.get_offsets()))
    if isinstance(artist, QuadMesh):
        return "cell", _mesh_rows(artist)
    if isinstance(artist, ContourSet):
        return "contour", _contour_rows(artist)
    if isinstance(artist, StepPatch):
        return "step", _step_rows(artist)
    if isinstance(artist, Rectangle):
        return "span", iter([_within(artist, ax, _box(artist))])
    return "", iter(())


def _points(xy: Any) -> Iterator[Row]:
    return ({"x": x, "y": y} for x, y in xy)


def _line(line: Any, ax: Axes) -> tuple[str, Iterator[Row]]:
    rows = _points(np.column_stack([line.get_xdata(orig=False), line.get_ydata(orig=False)]))
    first = next(rows, None)
    if first is None:
        return "line", iter(())
    kept = _within(line, ax, first)
    if len(kept) < len(first):  # one that spans the panel: one number says it
        return "position", iter([kept])
    return "line", iter([first, *rows])


def _within(artist: Any, ax: Axes, row: Row) -> Row:
    """Row without what is a share of the panel, not a datum."""
    moved = artist.get_transform().contains_branch_seperately(ax.transData)
    data = dict(zip("xy", moved, strict=True))
    return {key: value for key, value in row.items() if data[key[0]]}


def _box(patch: Any) -> Row:
    x, y = patch.get_x(), patch.get_y()
    far_x, far_y = x + patch.get_width(), y + patch.get_height()
    return {"x_low": x, "x_high": far_x, "y_low": y, "y_high": far_y}


def _error_rows(container: Any) -> Iterator[Row]:
    """Points with the ends of their error bars; x bars come first."""
    line, _, bars = container.lines
    if line is None:
        return
    axes = [a for a, there in (("x", container.has_xerr), ("y", container.has_yerr)) if there]
    ends = [bar.get_segments() for bar in bars]
    for k, (x, y) in enumerate(line.get_xydata()):
        row: Row = {"x": x, "y": y}
        for axis, segments in zip(axes, ends, strict=True):
            if k < len(segments) and len(segments[k]) == 2:
                low, high = segments[k][:, "xy".index(axis)]
                row |= {f"{axis}_low": low, f"{axis}_high": high}
        yield row


def _band_rows(band: Any) -> Iterator[Row]:
    """Both edges of a band: its outline runs along one and back along the other."""
    along, across = ("x", "y") if band.t_direction == "x" else ("y", "x")
    place = "xy".index(along)
    for path in band.get_paths():
        outline = path.vertices[:-1]  # closed
        count = len(outline) // 2 - 1
        first, second = outline[1 : count + 1], outline[count + 2 :][::-1]
        for a, b in zip(first, second, strict=True):
            low, high = sorted((a[1 - place], b[1 - place]))
            yield {along: a[place], f"{across}_low": low, f"{across}_high": high}


def _segment_rows(lines: Any) -> Iterator[Row]:
    for segment in lines.get_segments():
        if len(segment):
            (x, y), (far_x, far_y) = segment[0], segment[-1]
            yield {"x_low": x, "x_high": far_x, "y_low": y, "y_high": far_y}


def _mesh_rows(mesh: Any) -> Iterator[Row]:
    corners, values = mesh.get_coordinates(), np.ma.filled(mesh.get_array(), np.nan)
    shape = (corners.shape[0] - 1, corners.shape[1] - 1)
    for (i, j), value in np.ndenumerate(np.reshape(values, shape)):
        (x, y), (far_x, far_y) = corners[i, j], corners[i + 1, j + 1]
        yield {"x_low": x, "x_high": far_x, "y_low": y, "y_high": far_y, "value": value}


def _contour_rows(contours: Any) -> Iterator[Row]:
    """Vertices of the lines; filled regions have the same ones."""
    if contours.filled:
        return
    for level, path in zip(contours.levels, contours.get_paths(), strict=True):
        for x, y in path.vertices:
            yield {"x": x, "y": y, "value": level}


def _step_rows(steps: Any) -> Iterator[Row]:
    values, edges, _ = steps.get_data()
    for value, low, high in zip(values, edges[:-1], edges[1:], strict=True):
        yield {"x_low": low, "x_high": high, "y": value}
