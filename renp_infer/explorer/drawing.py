"""The layout to scale, as lines in cm: crystal, beams, c axis and pickup loop.

Axes as in ``physics/signal/pickup.py``: z along k1, x in the plane of the beams, y out of
it; the origin is the crystal's centre. Beams are drawn up to the centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renp_infer.records import Experiment, FloatArray, Pickup

_FAN = 24
_CIRCLE = 73
_CLEAR = 1.35
"""How much longer than the farthest other line the beams are."""


@dataclass(frozen=True)
class View:
    """One view of a layout.

    Attributes
    ----------
    axes : tuple of str
        Horizontal and vertical axis.
    lines : dict
        Name to points (k, 2), cm, in these axes.
    """

    axes: tuple[str, str]
    lines: dict[str, FloatArray]


def side_view(experiment: Experiment) -> View:
    """In the plane of the beams: z to the right, x up."""
    layout, length = experiment.layout, beam_length_cm(experiment)
    fan = np.linspace(layout.theta_s[0], layout.theta_s[-1], _FAN)
    arc = -length * np.column_stack([np.cos(fan), np.sin(fan)])
    lines = {"crystal": _box(layout.length_cm, layout.radius_cm)}
    lines["trigger"] = np.vstack([[0.0, 0.0], arc, [0.0, 0.0]])
    lines["k₁"] = _incoming(0.0, length)
    lines["k₂"] = _incoming(layout.theta_e, length)
    if layout.c_axis is not None:
        half = 0.5 * layout.radius_cm * np.array([np.cos(layout.c_axis), np.sin(layout.c_axis)])
        lines["c axis"] = np.array([-half, half])
    if experiment.detector.pickup is not None:
        lines["pickup loop"] = loop_cm(experiment.detector.pickup, layout.radius_cm)[:, [2, 0]]
    return View(("z along k₁", "x"), lines)


def top_view(experiment: Experiment) -> View:
    """Onto the plane of the beams: z to the right, y up."""
    layout = experiment.layout
    lines = {"crystal": _box(layout.length_cm, layout.radius_cm)}
    lines["k₁"] = _incoming(0.0, beam_length_cm(experiment))
    if layout.c_axis is None:
        lines["c axis"] = 0.5 * layout.radius_cm * np.array([[0.0, -1.0], [0.0, 1.0]])
    if experiment.detector.pickup is not None:
        lines["pickup loop"] = loop_cm(experiment.detector.pickup, layout.radius_cm)[:, [2, 1]]
    return View(("z along k₁", "y"), lines)


def beam_length_cm(experiment: Experiment) -> float:
    """Length of the beams, which reach beyond everything else."""
    layout, pickup = experiment.layout, experiment.detector.pickup
    reach = float(np.hypot(0.5 * layout.length_cm, layout.radius_cm))
    if pickup is not None:
        reach = max(reach, float(np.max(np.abs(loop_cm(pickup, layout.radius_cm)))))
    return _CLEAR * reach


def loop_cm(pickup: Pickup, crystal_radius_cm: float) -> FloatArray:
    """Wire of a pickup loop, closed, shape (k, 3): x, y, z."""
    phi = np.linspace(0.0, 2.0 * np.pi, _CIRCLE)[:, None]
    along = np.array([np.cos(pickup.tilt), 0.0, -np.sin(pickup.tilt)])
    across = np.array([0.0, 1.0, 0.0])
    if pickup.position == "around":
        centre = np.array([0.0, 0.0, pickup.stand_off_cm])
    else:
        beside = crystal_radius_cm + pickup.stand_off_cm + pickup.radius_cm
        centre = np.array([0.0, beside, 0.0])
    wire: FloatArray = centre + pickup.radius_cm * (np.cos(phi) * along + np.sin(phi) * across)
    return wire


def _box(length_cm: float, radius_cm: float) -> FloatArray:
    z, x = 0.5 * length_cm, radius_cm
    return np.array([[-z, -x], [z, -x], [z, x], [-z, x], [-z, -x]])


def _incoming(angle: float, length_cm: float) -> FloatArray:
    return np.array([[-length_cm * np.cos(angle), -length_cm * np.sin(angle)], [0.0, 0.0]])
