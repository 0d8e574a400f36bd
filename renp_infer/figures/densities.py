"""Densities of draws: of one parameter inside its bounds, and regions of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from scipy import ndimage

from renp_infer.errors import DomainError
from renp_infer.figures.drawing import BAND_68, BAND_95, BLUE
from renp_infer.records import FloatArray


def bounded_density(
    values: ArrayLike,
    low: float = -np.inf,
    high: float = np.inf,
    circular: bool = False,
    points: int = 512,
) -> tuple[FloatArray, FloatArray]:
    """Kernel density that keeps all its mass between hard bounds.

    A fine histogram smoothed by a Gaussian (Silverman's width) whose tails are
    reflected at the bounds, or wrapped around for a circular quantity.

    Parameters
    ----------
    values : array_like, shape (n,)
    low, high : float
        Hard bounds in the unit of ``values``; infinite where there are none.
    circular : bool
        Whether ``low`` and ``high`` are the same point.
    points : int
        Cells of the grid.

    Returns
    -------
    grid, density : ndarray, shape (points,)
        Centres of the cells, and the density, whose sum times the cell is 1.

    Raises
    ------
    DomainError
        If a value is outside the bounds.
    """
    x = np.asarray(values, float).ravel()
    slack = 1e-9 * max(abs(low), abs(high)) if np.isfinite(high - low) else 0.0
    if x.min() < low - slack or x.max() > high + slack:
        raise DomainError("values", (x.min(), x.max()), f"from {low:g} to {high:g}")
    width = _silverman(_unwrapped(x, high - low) if circular else x)
    if not circular:
        low, high = max(low, x.min() - 5 * width), min(high, x.max() + 5 * width)
    counts, edges = np.histogram(np.clip(x, low, high), points, range=(low, high))
    cell = edges[1] - edges[0]
    mode = "wrap" if circular else "reflect"
    smooth = ndimage.gaussian_filter1d(counts.astype(float), width / cell, mode=mode)
    return 0.5 * (edges[1:] + edges[:-1]), smooth / (smooth.sum() * cell)


def _unwrapped(x: FloatArray, period: float) -> FloatArray:
    """Circular values cut opposite to their mean, where a width has a meaning."""
    turn = 2j * np.pi / period
    mean = float(np.angle(np.exp(turn * x).mean())) / abs(turn)
    return (x - mean + period / 2) % period


def _silverman(x: FloatArray) -> float:
    spread_68 = 0.5 * float(np.diff(np.quantile(x, (0.16, 0.84)))[0])
    scale = min(float(x.std()), spread_68) or float(x.std()) or abs(x[0]) or 1.0
    return 0.9 * scale * x.size**-0.2


def draw_density(
    ax: Axes,
    values: ArrayLike,
    bounds: tuple[float, float],
    intervals: Mapping[str, Sequence[float]],
) -> list[Artist]:
    """Posterior density with its 68 and 95 % intervals shaded; bounds respected."""
    grid, density = bounded_density(values, *bounds)
    artists: list[Artist] = []
    for name, colour in (("95", BAND_95), ("68", BAND_68)):
        low, high = intervals[name]
        inside = np.concatenate([[low], grid[(grid > low) & (grid < high)], [high]])
        height = np.interp(inside, grid, density)
        label = f"{name} % credible interval"
        artists.append(ax.fill_between(inside, 0, height, color=colour, lw=0, label=label))
    artists += ax.plot(grid, density, color=BLUE, lw=1.6, label="posterior")
    edge = [density[0] if np.isclose(grid[0], bounds[0], atol=grid[1] - grid[0]) else 0.0]
    ax.vlines(bounds[0], 0, edge, color=BLUE, lw=1.6)
    ax.set_ylim(0, 1.12 * density.max())
    return artists


def credible_levels(density: FloatArray, masses: Sequence[float]) -> list[float]:
    """Density levels whose regions hold the given masses, ascending, distinct."""
    ordered = np.sort(density.ravel())[::-1]
    held = np.cumsum(ordered) / ordered.sum()
    found = [float(ordered[min(int(np.searchsorted(held, m)), held.size - 1)]) for m in masses]
    return sorted({*found, float(ordered[0]) * (1 + 1e-9)})


def draw_pair(
    ax: Axes,
    x: ArrayLike,
    y: ArrayLike,
    ranges: Sequence[tuple[float, float]],
    modes: Sequence[str],
    bins: int = 28,
    decades: bool = False,
) -> list[Artist]:
    """Filled 68 and 95 % regions of two parameters.

    Parameters
    ----------
    x, y : array_like, shape (n,)
    ranges : sequence of (low, high)
        Axis limits in the units of x and y.
    modes : sequence of str
        Behaviour at the limits per axis, "wrap" for a circular parameter.
    decades : bool
        Whether the axes are logarithmic, and the values logarithms to base 10.
    """
    centres, padded, levels = _regions(x, y, ranges, modes, bins)
    if decades:
        centres = [10.0**places for places in centres]
    fill = ax.contourf(
        *centres, padded, levels=levels, colors=[BAND_95, BAND_68][-len(levels) + 1 :]
    )
    line = ax.contour(*centres, padded, levels=levels[:-1], colors=BLUE, linewidths=0.8)
    return [fill, line]


def draw_outline(
    ax: Axes,
    x: ArrayLike,
    y: ArrayLike,
    ranges: Sequence[tuple[float, float]],
    modes: Sequence[str],
    colour: str,
    dashes: Any,
) -> list[Artist]:
    """Outlines of the 68 and 95 % regions of two parameters, one of several in a panel."""
    centres, padded, levels = _regions(x, y, ranges, modes, 40)
    widths = (0.9, 1.5)[-len(levels) + 1 :]
    return [
        ax.contour(
            *centres, padded, levels=levels[:-1], colors=colour, linewidths=widths,
            linestyles=[dashes],
        )
    ]  # fmt: skip


def _regions(
    x: ArrayLike,
    y: ArrayLike,
    ranges: Sequence[tuple[float, float]],
    modes: Sequence[str],
    bins: int,
) -> tuple[list[FloatArray], FloatArray, list[float]]:
    """Places of a smoothed density of two parameters, the density, and its levels."""
    counts, ex, ey = np.histogram2d(np.asarray(x), np.asarray(y), bins, range=ranges)
    smooth = ndimage.gaussian_filter(counts, 1.2, mode=modes)
    centres = [
        np.concatenate([[e[0]], 0.5 * (e[1:] + e[:-1]), [e[-1]]]) for e in (ex, ey)
    ]  # out to the limits, or the regions would end half a cell before them
    return centres, np.pad(smooth, 1, mode="edge").T, credible_levels(smooth, (0.95, 0.68))
