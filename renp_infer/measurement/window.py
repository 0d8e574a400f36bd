"""The detector's window on the trigger angle, as a row of weights on panels.

One panel per window for the box of Fig. 6(b), a staircase for the Gaussian.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from renp_infer.physics.pairs.kinematics import full_turns, on_circle
from renp_infer.records import FloatArray

POINT = np.deg2rad(1e-4)
"""Width of the box that stands for no smoothing at all, or less, rad."""
WIDEST_PANEL = np.deg2rad(0.75)
TURN = 2.0 * np.pi
GAUSS_STEPS, GAUSS_REACH = 24, 5.0
"""Panels per standard deviation, and reach in standard deviations."""


@dataclass(frozen=True)
class SmoothingGrid:
    """Panels of the trigger angle and the weight of each in each window.

    Attributes
    ----------
    borders : ndarray, shape (J + 1,)
        Ascending panel borders, rad.
    weights : ndarray, shape (n, J)
        1/rad; the smoothed value is ``weights @ panel_integrals``.
    """

    borders: FloatArray
    weights: FloatArray

    @property
    def used(self) -> FloatArray:
        """Panels that any window needs, shape (J,), bool."""
        return np.asarray(np.any(self.weights != 0.0, axis=0))

    def band(self) -> tuple[NDArray[np.int64], FloatArray]:
        """First panel of each window (n,), and the weights from it on (n, w).

        Windows need few panels each, however many angles there are.
        """
        inside = self.weights != 0.0
        first = np.argmax(inside, axis=1)
        last = inside.shape[1] - np.argmax(inside[:, ::-1], axis=1)
        width = int(np.max(last - first))
        first = np.minimum(first, inside.shape[1] - width)
        return first, np.take_along_axis(self.weights, first[:, None] + np.arange(width), axis=1)


def deviation_of(width: float) -> float:
    """Standard deviation of a Gaussian by its full width at half maximum."""
    return float(width / (2.0 * np.sqrt(2.0 * np.log(2.0))))


def smoothing_grid(
    theta_s: FloatArray, resolution: float, kernel: str, centre: float
) -> SmoothingGrid:
    """Panels and weights of a box or Gaussian window around each angle.

    The Gaussian of full width at half maximum ``resolution`` becomes a
    staircase of 24 steps per standard deviation with the same variance, cut
    at five: an error of at most 0.03/24^2 = 5e-5 of a step within its
    width, 2e-6 of a root, and 9e-4 of the 1/sqrt(s) peak of a light planar
    pair, by where the edge lies on a step. All windows share the steps, which
    begin at the centre: a window does not depend on the others, and mirror
    images have mirrored steps.

    Angles are directions: panels lie within half a turn of the centre, and windows across
    its antipode go on at the other end.

    Parameters
    ----------
    theta_s : ndarray, shape (n,)
        Window centres, rad.
    resolution : float
        Full width, rad, less than half a turn; up to 1e-4 degrees it stands for a box of
        that width.
    kernel : {"box", "gaussian"}
    centre : float
        Angle at which a panel must end: the middle of the support, rad.

    Returns
    -------
    SmoothingGrid
    """
    if kernel == "box" or resolution <= POINT:
        borders, weights = _boxes(theta_s, 0.5 * max(resolution, POINT), centre)
    else:
        borders, weights = _gaussians(theta_s, resolution, centre)
    first, last = np.flatnonzero(np.any(weights != 0.0, axis=0))[[0, -1]]
    return SmoothingGrid(
        borders[first : last + 2], np.ascontiguousarray(weights[:, first : last + 1])
    )


def _boxes(theta_s: FloatArray, half: float, centre: float) -> tuple[FloatArray, FloatArray]:
    """Borders (J + 1) and weights (n, J) of boxes, see ``smoothing_grid``."""
    angles = on_circle(theta_s, centre)
    borders = _refine(_around(np.concatenate([angles - half, angles + half]), centre))
    inside = np.abs(on_circle(0.5 * (borders[:-1] + borders[1:]) - angles[:, None])) < half
    return borders, inside / (2.0 * half)


def _gaussians(
    theta_s: FloatArray, resolution: float, centre: float
) -> tuple[FloatArray, FloatArray]:
    """Borders (J + 1) and weights (n, J) of staircases, see ``smoothing_grid``."""
    sigma = deviation_of(resolution)
    # a comb that closes, from the centre on: the same teeth whatever the angles, also mirrored
    half_turn = np.ceil(0.5 * TURN * GAUSS_STEPS / sigma)
    step = 0.5 * TURN / half_turn
    reach = GAUSS_REACH * sigma
    first = np.floor((theta_s.min() - reach - centre) / step)
    count = np.ceil((theta_s.max() + reach - centre) / step) - first
    teeth = first + np.arange(min(count, 2.0 * half_turn) + 1.0)
    borders = _refine(_around(centre + step * teeth, centre))
    low, high = borders[:-1], borders[1:]
    ahead = 0.5 * (low + high) - theta_s[:, None]
    angles = theta_s[:, None] + full_turns(ahead)
    # a staircase widens the Gaussian by step^2/6 in variance
    narrow = np.sqrt(sigma**2 - step**2 / 6.0)
    mass = ndtr((high - angles) / narrow) - ndtr((low - angles) / narrow)
    mass = np.where(np.abs(on_circle(ahead)) < reach, mass, 0.0)
    return borders, mass / mass.sum(axis=1, keepdims=True) / (high - low)


def _around(marks: FloatArray, centre: float) -> FloatArray:
    """Marks within half a turn of the centre, the centre, and the antipode if any crossed it."""
    folded = np.append(on_circle(marks, centre), centre)
    if np.any(full_turns(marks, centre)):
        folded = np.append(folded, [centre - 0.5 * TURN, centre + 0.5 * TURN])
    return folded


def _refine(marks: FloatArray) -> FloatArray:
    """Sorted distinct marks with no gap wider than ``WIDEST_PANEL``."""
    ordered = np.unique(marks)
    ordered = ordered[np.append(True, np.diff(ordered) > 1e-9)]
    gaps = np.diff(ordered)
    counts = np.ceil(gaps / WIDEST_PANEL).astype(int)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = within * np.repeat(gaps / counts, counts) + np.repeat(ordered[:-1], counts)
    return np.append(starts, ordered[-1])
