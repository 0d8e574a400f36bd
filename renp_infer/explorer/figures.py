"""Pictures as Plotly figures: plain dictionaries, which need no library to be made."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from renp_infer.explorer.curves import Curve, MassError
from renp_infer.explorer.drawing import View
from renp_infer.explorer.picture import Picture
from renp_infer.explorer.tables import USELESS_MEV
from renp_infer.figures.drawing import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PAIR_STYLES,
    PURPLE,
    SKY,
    VERMILION,
    number,
    spread,
    visible_thresholds,
)
from renp_infer.records import FloatArray

Figure = dict[str, Any]
Style = tuple[str, str, str]
Shown = Literal["shape", "field", "snr"]
STYLES: dict[str, Style] = {
    "published": (BLUE, "solid", "circle"),
    "corrected": (VERMILION, "dash", "diamond"),
    "first-principles": (GREEN, "dashdot", "square"),
}
"""Colour, dash and symbol: told apart without colour."""
PINNED: tuple[Style, ...] = (
    (PURPLE, "longdash", "triangle-up"),
    (ORANGE, "dot", "cross"),
    (BLACK, "longdashdot", "x"),
    (SKY, "5px,2px", "star"),
)
"""The same of curves that stay while keys are moved."""
DASHES = {"-": "solid", "--": "dash", ":": "dot"}
LEADER_PX = 16
"""Height of the lines from thresholds to their labels."""
LOUD = 30.0
"""Noise over peak from which a band would only hide the curve."""
SMALL = -0.36
"""Where the legend of a small figure begins, in heights of its axes."""
_FONT = {"family": "system-ui, sans-serif", "size": 14, "color": BLACK}
_AXIS = {
    "showline": True,
    "linecolor": BLACK,
    "ticks": "outside",
    "gridcolor": "#e4e4e4",
    "zeroline": False,
    "automargin": True,
    "exponentformat": "power",
    "tickfont": {"size": 13},
}
_LINES: dict[str, dict[str, Any]] = {
    "crystal": {
        "fill": "toself",
        "fillcolor": "rgba(86,180,233,0.35)",
        "line": {"color": BLACK, "width": 1.5},
    },
    "k₁": {"line": {"color": BLACK, "width": 2}},
    "k₂": {"line": {"color": BLUE, "width": 2, "dash": "dash"}},
    "trigger": {
        "fill": "toself",
        "fillcolor": "rgba(230,159,0,0.45)",
        "line": {"color": ORANGE, "width": 1.5},
    },
    "c axis": {"line": {"color": GREEN, "width": 3, "dash": "dot"}},
    "pickup loop": {"line": {"color": PURPLE, "width": 4}},
}
_ARROW = {"symbol": "arrow", "size": 12, "angleref": "previous"}


def styled(picture: Picture, pins: Sequence[Curve]) -> list[tuple[Style, Curve]]:
    """Curves of all presets and those that are pinned, each with its style."""
    own = [(STYLES[preset], curve) for preset, curve in picture.curves.items()]
    return own + list(zip(itertools.cycle(PINNED), pins, strict=False))


def field_figure(picture: Picture, shown: Shown, pins: Sequence[Curve] = ()) -> Figure:
    """Angular distribution of all presets and pins, with noise and pair thresholds."""
    traces: list[dict[str, Any]] = []
    for style, curve in styled(picture, pins):
        if shown == "shape":
            traces += _shape_traces(style, curve)
        else:
            traces += _log_traces(style, curve, shown)
    curve = next(iter(picture.curves.values()))
    titles = {
        "shape": "smoothed field / its peak",
        "field": "|smoothed field| [nG]",
        "snr": "|field| / noise, per angle",
    }
    y_axis: dict[str, Any] = {**_AXIS, "title": {"text": titles[shown]}}
    if shown == "shape":
        y_axis["range"] = _range([curve for _, curve in styled(picture, pins)])
    else:
        y_axis |= {"type": "log", "nticks": 8}
    lines, labels = _threshold_marks(curve)
    layout = _layout({**_AXIS, "title": {"text": "trigger angle θₛ [deg]"}}, y_axis)
    layout |= {"shapes": lines, "annotations": labels, "uirevision": shown}
    return {"data": traces, "layout": layout}


def _layout(
    x_axis: dict[str, Any], y_axis: dict[str, Any], top: int = 50, legend: float = -0.3
) -> dict[str, Any]:
    return {
        "font": _FONT,
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "margin": {"l": 10, "r": 14, "t": top, "b": 10},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": legend, "yanchor": "top"},
        "showlegend": True,
        "hovermode": "closest",
        "xaxis": _titled(x_axis, 4),
        "yaxis": _titled(y_axis, 8),
    }


def _titled(axis: dict[str, Any], standoff: int) -> dict[str, Any]:
    return {**axis, "title": axis.get("title", {}) | {"font": {"size": 14}, "standoff": standoff}}


def _name(curve: Curve) -> str:
    return curve.label + (", normalised noise" if curve.normalised else "")


def _with_noise(curve: Curve) -> str:
    """Name, and what stands in place of a noise band that is beyond the picture."""
    text = _name(curve)
    if _peak(curve) == 0.0:
        return f"{text}: no field"
    if _quiet(curve):
        return text
    orders = np.log10(np.max(curve.sigma_nG) / _peak(curve))
    return f"{text}; 1σ is 10<sup>{orders:.1f}</sup> peaks, off the scale"


def _peak(curve: Curve) -> float:
    return float(np.max(np.abs(curve.signal_nG)))


def _shape(curve: Curve) -> tuple[FloatArray, FloatArray]:
    """Field and noise by the peak of the field; a field of zero stays one."""
    peak = _peak(curve) or np.inf
    return curve.signal_nG / peak, curve.sigma_nG / peak


def _quiet(curve: Curve) -> bool:
    return bool(np.max(curve.sigma_nG) <= LOUD * _peak(curve))


def _shape_traces(style: Style, curve: Curve) -> list[dict[str, Any]]:
    colour, dash, symbol = style
    field, noise = _shape(curve)
    traces = []
    if _quiet(curve):
        red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
        traces.append(
            {
                "x": [*curve.theta_deg, *curve.theta_deg[::-1]],
                "y": [*(field + noise), *(field - noise)[::-1]],
                "fill": "toself",
                "fillcolor": f"rgba({red},{green},{blue},0.25)",
                "line": {"width": 0},
                "mode": "lines",
                "showlegend": False,
                "hoverinfo": "skip",
            }
        )
    traces.append(
        {
            "x": curve.theta_deg,
            "y": field,
            "customdata": np.column_stack([curve.signal_nG, curve.sigma_nG]),
            "hovertemplate": "θₛ = %{x:.2f} deg<br>field %{customdata[0]:.4g} nG"
            "<br>noise %{customdata[1]:.3g} nG",
            "mode": "lines+markers",
            "line": {"color": colour, "dash": dash, "width": 2},
            "marker": {"symbol": symbol, "size": 5, "color": colour},
            "name": _with_noise(curve),
        }
    )
    return traces


def _log_traces(style: Style, curve: Curve, shown: Shown) -> list[dict[str, Any]]:
    colour, dash, symbol = style
    size = np.abs(curve.signal_nG)
    size = size / curve.sigma_nG if shown == "snr" else size
    line = {
        "x": curve.theta_deg,
        "y": np.where(size > 0.0, size, np.nan).tolist(),
        "mode": "lines+markers",
        "line": {"color": colour, "dash": dash, "width": 2},
        "marker": {"symbol": symbol, "size": 5, "color": colour},
        "name": _name(curve),
    }
    noise = {
        "x": curve.theta_deg,
        "y": curve.sigma_nG,
        "mode": "lines",
        "line": {"color": colour, "dash": "dot", "width": 1.5},
        "name": f"1σ noise, {curve.label}",
    }
    return [line, noise] if shown == "field" else [line]


def _range(curves: Sequence[Curve]) -> list[float]:
    """What the curves cover with their bands, at most three times the peak."""
    low, high = 0.0, 0.0
    for curve in curves:
        field, noise = _shape(curve)
        if _quiet(curve):
            field = np.concatenate([field - noise, field + noise])
        low, high = min(low, float(field.min())), max(high, float(field.max()))
    low, high = max(low, -3.0), min(high, 3.0)
    room = 0.06 * (high - low or 1.0)
    return [low - room, high + room]


def _threshold_marks(curve: Curve) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines at pair thresholds, and labels that keep apart above them."""
    visible = visible_thresholds(curve.thresholds_deg, curve.theta_deg)
    low, high = float(curve.theta_deg[0]), float(curve.theta_deg[-1])
    width = (high - low) or 1.0
    places = spread([(angle - low) / width for _, angle in visible], 0.1)
    lines, labels = [], []
    for (pair, angle), place in zip(visible, places, strict=True):
        colour, dash = PAIR_STYLES[pair]
        line = {"color": colour, "dash": DASHES[dash], "width": 1.3}
        across = {"x0": angle, "x1": angle, "y0": 0, "y1": 1}
        lines.append({"type": "line", **across, "yref": "paper", "layer": "below", "line": line})
        labels.append(
            {
                "x": angle,
                "y": 1.0,
                "yref": "paper",
                "axref": "x",
                "ax": low + width * float(place),
                "ay": -LEADER_PX,
                "yanchor": "bottom",
                "text": f"({pair})",
                "arrowhead": 0,
                "arrowwidth": 1,
                "arrowcolor": colour,
                "font": {"size": 11, "color": colour},
            }
        )
    return lines, labels


def _note(text: str, y: float) -> dict[str, Any]:
    return {
        "x": 0.5,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "text": text,
        "showarrow": False,
        "bgcolor": "rgba(255,255,255,0.85)",
        "font": {"size": 11},
    }


def layout_figure(view: View) -> Figure:
    """One view of the layout, both axes in the same cm."""
    traces = []
    for name, points in view.lines.items():
        trace = {
            "x": points[:, 0],
            "y": points[:, 1],
            "mode": "lines",
            "name": name,
            "hoverinfo": "name",
            **_LINES[name],
        }
        if name in ("k₁", "k₂"):
            trace |= {
                "mode": "lines+markers",
                "marker": _ARROW | {"color": _LINES[name]["line"]["color"]},
            }
        traces.append(trace)
    titles = (f"{axis} [cm]" for axis in view.axes)
    x_axis, y_axis = ({**_AXIS, "title": {"text": title}} for title in titles)
    layout = _layout(x_axis, {**y_axis, "scaleanchor": "x", "scaleratio": 1}, 26, SMALL)
    return {"data": traces, "layout": layout}


def mass_figure(picture: Picture, draws: FloatArray | None, pins: Sequence[Curve] = ()) -> Figure:
    """Expected spread of m1 around the truth, and the posterior of a run beside it."""
    traces: list[dict[str, Any]] = []
    if draws is not None:
        height, edges = np.histogram(draws, bins=60, density=True)
        traces.append(
            {
                "type": "bar",
                "x": 0.5 * (edges[:-1] + edges[1:]),
                "y": height,
                "width": np.diff(edges),
                "marker": {"color": "#b8b8b8", "line": {"width": 0}},
                "name": "posterior of the run",
            }
        )
    for style, curve in styled(picture, pins):
        traces += _expected(style, curve)
    x_axis = {**_AXIS, "title": {"text": "m₁ [meV]"}, "rangemode": "nonnegative"}
    layout = _layout(x_axis, {**_AXIS, "title": {"text": "density [1/meV]"}}, 26, SMALL)
    if not traces:
        layout["annotations"] = [_note("no error of m₁ to draw", 0.5)]
    return {"data": traces, "layout": layout}


def _expected(style: Style, curve: Curve) -> list[dict[str, Any]]:
    error, m1_meV = curve.mass_error, curve.m1_meV
    if not isinstance(error, MassError) or not error.all_free_meV < USELESS_MEV:
        return []
    colour, dash, _ = style
    width = error.all_free_meV
    m1 = np.linspace(max(m1_meV - 4.0 * width, 0.0), m1_meV + 4.0 * width, 161)
    density = np.exp(-0.5 * ((m1 - m1_meV) / width) ** 2) / (width * np.sqrt(2.0 * np.pi))
    return [
        {
            "x": m1,
            "y": density,
            "mode": "lines",
            "line": {"color": colour, "dash": dash, "width": 2},
            "name": f"expected, {curve.label}: ± {number(width, 3)} meV",
        }
    ]


EMPTY: Figure = {"data": [], "layout": _layout(_AXIS, _AXIS)}
"""Before the first picture."""
