"""A layout seen from above the plane of the beams: crystal, beams and pickup, to scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from renp_infer.figures.drawing import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILION, number
from renp_infer.figures.plate import new_figure

REACH = 1.6
"""Length of a beam by the larger side of the crystal."""


def layout_figure(layout: dict[str, Any], detector: dict[str, Any]) -> tuple[Figure, str]:
    """Draw the keys of ``[layout]`` and ``[detector]`` of a resolved study.

    Parameters
    ----------
    layout : dict
        With ``theta_s_deg`` as a list or { start, stop, points }.
    detector : dict
    """
    figure, ax = new_figure(4.6)
    length, radius = float(layout["length_cm"]), float(layout["radius_cm"])
    reach = REACH * max(length, 2.0 * radius)
    angles = angles_of(layout["theta_s_deg"])
    ax.add_patch(Rectangle((-length / 2, -radius), length, 2 * radius, fc="#eef3f7", ec=BLACK))
    for theta in angles:
        _ray(ax, theta, reach, VERMILION, 0.7)
    middle = float(np.median(angles))
    ends = dict.fromkeys((angles[0], angles[-1]))
    spread = " to ".join(f"{number(theta, 5)}°" for theta in ends)
    beams = {
        "k₁, θ = 0": (0.0, BLUE),
        f"k₂, θₑ = {number(layout['theta_e_deg'], 5)}°": (float(layout["theta_e_deg"]), GREEN),
        f"trigger, θₛ = {spread}, {len(angles)} angles": (middle, VERMILION),
    }
    for name, (theta, colour) in beams.items():
        _beam(ax, theta, reach, colour, name)
    axis = layout.get("c_axis_deg", 0.0)
    if axis != "normal":
        x, y = 0.35 * min(length, 2 * radius) * _direction(float(axis))
        ax.annotate("", (x, y), (-x, -y), arrowprops={"arrowstyle": "<->", "color": GREY})
        ax.text(x, y, " c axis", color=GREY, fontsize=8, va="bottom")
    coil = _pickup(ax, detector, radius)
    ax.set(aspect="equal", xlabel="along k₁ [cm]", ylabel="across [cm]")
    ax.margins(0.04)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8)
    normal = " The c axis is normal to the plane." if axis == "normal" else ""
    return figure, (
        f"Excited cylinder of {number(length, 3)} cm by {number(radius, 3)} cm radius, and the "
        "directions in which the beams travel; thin lines are single trigger angles."
        f"{normal} {coil}"
    )


def angles_of(grid: Any) -> list[float]:
    """Trigger angles of a key, deg."""
    if isinstance(grid, dict):
        return [float(v) for v in np.linspace(grid["start"], grid["stop"], grid["points"])]
    return [float(v) for v in grid]


def _direction(theta_deg: float) -> np.ndarray:
    theta = np.deg2rad(theta_deg)
    return np.array([np.cos(theta), np.sin(theta)])


def _ray(ax: Axes, theta_deg: float, reach: float, colour: str, width: float) -> None:
    x, y = np.outer(_direction(theta_deg), [-reach, 0.0])
    ax.plot(x, y, color=colour, lw=width, alpha=0.6)


def _beam(ax: Axes, theta_deg: float, reach: float, colour: str, name: str) -> None:
    """An arrow towards the centre, along the way the beam travels."""
    start, stop = -reach * _direction(theta_deg), -0.08 * reach * _direction(theta_deg)
    style = {"arrowstyle": "-|>", "color": colour, "lw": 2.2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", tuple(stop), tuple(start), arrowprops=style)
    ax.plot(*start, "o", color=colour, ms=4, label=name)


def _pickup(ax: Axes, detector: dict[str, Any], radius: float) -> str:
    """The loop, where the study has one; else a symbol, which is not to scale."""
    loop = detector.get("pickup")
    if not loop:
        ax.plot(0.0, -1.25 * radius, "s", mfc="white", mec=ORANGE, mew=2, ms=9,
                label=f"SQUID, ξ = {detector['coupling']:g} (not to scale)")  # fmt: skip
        return "The study gives the pickup by its coupling only: the SQUID's place is symbolic."
    size, away = float(loop["radius_cm"]), float(loop.get("stand_off_cm", 0.0))
    tilt = float(loop.get("tilt_deg", 0.0))
    beside = loop.get("position", "around") == "beside"
    centre = np.array([0.0 if beside else away, 0.0])
    across = size * _direction(tilt + 90.0)
    ends = np.array([centre - across, centre + across]).T
    ax.plot(*ends, color=ORANGE, lw=3, ls="--" if beside else "-", label="pickup loop, edge on")
    text = f"The loop has a radius of {number(size, 3)} cm"
    above = f", its centre {number(radius + away + size, 3)} cm out of the plane" * beside
    return f"{text}{above}."
