"""Figures of a scan: lines by one key, maps by two, contours of two parameters."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from renp_infer.figures import drawing as plots
from renp_infer.figures.plate import Plate, new_figure, plate
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.profiles.surface import CONTOURS
from renp_infer.records import FloatArray
from renp_infer.verbs.scan.result import ProfiledPair, ScanResult

MOST_LINES = 8
"""Lines of a panel that can be told apart."""
MAP_POINTS = 3
"""Fewest values of each key that make a map."""
COLOURS = (plots.BLUE, plots.VERMILION, plots.GREEN, plots.ORANGE, plots.PURPLE, plots.SKY,
           plots.BLACK, plots.GREY)  # fmt: skip
DASHES = ("-", "--", ":", "-.")


def scan_plates(found: ScanResult, label: str) -> list[Plate]:
    """Figures of what a scan has; ``label`` says that noise is scaled."""
    plates = []
    if found.cells is not None:
        draw = _maps if is_map(found) else _lines
        plates.append(plate("scan", "Scan", draw, (found, label)))
    if found.profile is not None:
        title = "Profile likelihood of two parameters"
        plates.append(plate("profile", title, contours, found.profile))
    return plates


def is_map(found: ScanResult) -> bool:
    """Whether two keys take enough numbers for a map."""
    wide = all(len(values) >= MAP_POINTS for values in found.axes.values())
    return len(found.axes) == 2 and wide and all(map(_numbers, found.axes.values()))


def _numbers(values: tuple[Any, ...]) -> bool:
    return all(isinstance(value, float) for value in values)


def _even_in_log(values: tuple[Any, ...]) -> bool:
    """Whether an axis is rather logarithmic: it spans much, its logarithms are even."""
    if not _numbers(values) or len(values) < MAP_POINTS or min(values) <= 0.0:
        return False
    steps = np.diff(np.log(values))
    return bool(max(values) > 10.0 * min(values) and np.ptp(steps) < 0.1 * np.max(np.abs(steps)))


def _caption(found: ScanResult, label: str, more: str) -> str:
    what = {
        "evaluate": "The forward model",
        "infer": "The posterior of m₁, with its 68 % interval around the mean,",
        "forecast": "The standard error of m₁ by derivatives",
    }[found.about.what]
    tail = f" The noise is {label}." if label else ""
    return f"{what} of the study, keys as the axes say{more}; where nothing is, no number.{tail}"


def _lines(data: tuple[ScanResult, str]) -> tuple[Figure, str]:
    """A panel for each quantity; a line for each combination of the other keys."""
    found, label = data
    (key, values), *others = found.axes.items()
    shown = found.shown
    figure, grid = new_figure(0.6 + 2.3 * len(shown), len(shown), 1, squeeze=False, sharex=True)
    combinations = list(itertools.product(*(range(len(v)) for _, v in others)))
    for ax, (name, columns) in zip(grid[:, 0], shown.items(), strict=True):
        for k, place in enumerate(combinations[:MOST_LINES]):
            texts = (f"{o} = {_short(v[i])}" for (o, v), i in zip(others, place, strict=True))
            where: Any = (slice(None), *place)
            y = columns[where]
            style: dict[str, Any] = {"color": COLOURS[k], "ls": DASHES[k % len(DASHES)]}
            if name == "mean_m1_meV":
                _band(ax, found, values, place, COLOURS[k])
            ax.plot(_places(values), y, marker=".", label=", ".join(texts) or name, **style)
        ax.set_ylabel(name)
    if others:
        grid[0, 0].legend(loc="best", fontsize=8)
    _scale_x(grid[-1, 0], key, values)
    cut = len(combinations) - MOST_LINES
    more = f"; {cut} more combinations are in the table" if cut > 0 else ""
    return figure, _caption(found, label, more)


def _band(
    ax: Axes, found: ScanResult, values: tuple[Any, ...], place: tuple[int, ...], colour: str
) -> None:
    where = (slice(None), *place)
    low, high = (getattr(found.cells, f"{end}_68_m1_meV")[where] for end in ("low", "high"))
    ax.fill_between(_places(values), low, high, color=colour, alpha=0.15, lw=0, label="68 %")


def _places(values: tuple[Any, ...]) -> FloatArray:
    """Where values stand on an axis: words one after the other."""
    return np.array(values if _numbers(values) else range(len(values)), float)


def _scale_x(ax: Axes, key: str, values: tuple[Any, ...]) -> None:
    ax.set_xlabel(key)
    if not _numbers(values):
        ax.set_xticks(range(len(values)), [str(value) for value in values])
    elif _even_in_log(values):
        ax.set_xscale("log")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _maps(data: tuple[ScanResult, str]) -> tuple[Figure, str]:
    """A map with contours for each quantity."""
    found, label = data
    (first, x), (second, y) = found.axes.items()
    shown = found.shown
    figure, grid = new_figure(0.4 + 3.2 * len(shown), len(shown), 1, squeeze=False)
    for ax, (name, columns) in zip(grid[:, 0], shown.items(), strict=True):
        values = columns.T
        mesh = ax.pcolormesh(x, y, values, shading="nearest", cmap="cividis", rasterized=True)
        figure.colorbar(mesh, ax=ax, label=name)
        if np.sum(np.isfinite(values)) > MAP_POINTS and np.nanmin(values) < np.nanmax(values):
            lines = ax.contour(x, y, values, 6, colors="white", linewidths=0.8)
            ax.clabel(lines, fontsize=7)
        _scale_x(ax, first, x)
        ax.set_ylabel(second)
        if _even_in_log(y):
            ax.set_yscale("log")
    return figure, _caption(found, label, "")


def contours(pair: ProfiledPair) -> tuple[Figure, str]:
    """Rise of chi-squared by two parameters, with the contours of 68 % and 95 %."""
    figure, ax = new_figure(5.0)
    x, y, rise = pair.first, pair.second, pair.delta_chi2.T
    shown = np.clip(rise, 0.0, 2.0 * max(CONTOURS.values()))
    mesh = ax.pcolormesh(x, y, shown, shading="nearest", cmap="Blues_r", vmin=-8.0, rasterized=True)
    figure.colorbar(mesh, ax=ax, label="Δχ², cut at the end of the scale")
    for (name, level), dash in zip(CONTOURS.items(), ("-", "--"), strict=True):
        if np.nanmin(rise) < level < np.nanmax(rise):
            ax.contour(x, y, rise, [level], colors=plots.BLACK, linestyles=dash, linewidths=1.4)
        ax.plot([], [], color=plots.BLACK, ls=dash, label=f"{name}, Δχ² = {level}")
    ax.plot(*pair.best, "x", color=plots.VERMILION, ms=8, mew=2, label="best fit")
    ax.set(xlabel=PARAMETERS.text(pair.names[0]), ylabel=PARAMETERS.text(pair.names[1]))
    ax.legend(loc="best", fontsize=8)
    return figure, (
        "χ² of data and priors above that of the best fit, all other parameters at their best "
        "at each point. Contours by the large-sample distribution of two parameters; beside a "
        "bound, as m₁ = 0, they are approximate."
    )
