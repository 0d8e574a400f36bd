"""Maps of a utility over the design: a Gaussian process through the trials."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from renp_infer.figures.drawing import BAND_68, BLACK, BLUE, VERMILION, FloatArray
from renp_infer.figures.plate import WIDTH

if TYPE_CHECKING:
    from renp_infer.verbs.optimize.result import OptimizeResult, Tried

GRID = 24
MOST_DIMENSIONS, MOST_TRIALS, MOST_BACKGROUND = 5, 400, 48
LEVELS = 9


class Surface:
    """A smooth function of the unit cube through noisy scores.

    Parameters
    ----------
    x : ndarray, shape (n, d)
    scores : ndarray, shape (n,)
        Finite; the lowest tenth is lifted to its best, since far below the top nothing
        matters and a logarithm may go anywhere.
    """

    def __init__(self, x: FloatArray, scores: FloatArray) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        kept = np.sort(np.argsort(-scores, kind="stable")[:MOST_TRIALS])
        self.x, self._floor = x[kept], float(np.quantile(scores[kept], 0.1))
        lifted = np.maximum(scores[kept], self._floor)
        size = x.shape[1]
        kernel = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(np.full(size, 0.3), (0.02, 10.0), nu=2.5)
        kernel = kernel + WhiteKernel(1e-2, (1e-6, 1.0))
        self._process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
        with warnings.catch_warnings():  # a length at its bound is an answer here
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._process.fit(self.x, lifted)
        step = -(-len(self.x) // MOST_BACKGROUND)
        self._background = self.x[::step]

    def dependence(self, axes: Sequence[int], points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean over the trials and its standard deviation, (m,), at points (m, k) of some axes."""
        count = len(self._background)
        whole = np.repeat(self._background[None], len(points), axis=0)
        whole[:, :, list(axes)] = points[:, None, :]
        mean, sd = self._process.predict(whole.reshape(-1, self.x.shape[1]), return_std=True)
        mean = np.maximum(mean, self._floor)  # a fit may swing below all that was ever seen
        shape = (len(points), count)
        return mean.reshape(shape).mean(axis=1), sd.reshape(shape).mean(axis=1)


def draw_maps(
    surface: Surface, found: OptimizeResult, rows: Sequence[Tried], loss: float
) -> Figure:
    """Partial dependence on the diagonal, pairs below it."""
    names = list(found.design)[:MOST_DIMENSIONS]
    size = len(names)
    figure = Figure(figsize=(WIDTH, 1.2 + 1.55 * size), layout="constrained")
    grid = figure.subplots(size, size, squeeze=False)
    line = np.linspace(0.0, 1.0, GRID)
    pairs = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    planes = {(i, j): surface.dependence((j, i), pairs)[0] for i in range(size) for j in range(i)}
    low = min((p.min() for p in planes.values()), default=0.0)
    high = max((p.max() for p in planes.values()), default=1.0)
    levels = np.linspace(low, high + 1e-9, LEVELS)
    x, best = np.array([row.trial.x for row in rows]), np.array(found.x)
    scores = found.scores(rows)
    near = scores >= scores.max() - loss
    fill = None
    for i in range(size):
        for j in range(size):
            ax = grid[i, j]
            if j > i:
                ax.set_axis_off()
                continue
            if i == j:
                mean, sd = surface.dependence((i,), line[:, None])
                ax.plot(line, mean, color=BLUE)
                ax.fill_between(line, mean - sd, mean + sd, color=BAND_68, alpha=0.6, lw=0)
                ax.axvline(best[i], color=VERMILION, ls="--", lw=1)
            else:
                plane = planes[i, j].reshape(GRID, GRID)
                fill = ax.contourf(line, line, plane, levels=levels, cmap="cividis")
                ax.plot(x[:, j], x[:, i], ".", color="white", mec=BLACK, mew=0.3, ms=3)
                ax.plot(x[near, j], x[near, i], "o", mfc="none", mec="white", ms=6, mew=1.1)
                ax.plot(best[j], best[i], "*", color=VERMILION, mec="white", ms=11)
            _label(ax, (names[i], names[j]), rows, (i, j), size)
    if fill is not None:
        figure.colorbar(fill, ax=grid[:, -1], label="score", shrink=0.8, format="%.2g")
    return figure


def _label(
    ax: Any,
    names: tuple[str, str],
    rows: Sequence[Tried],
    place: tuple[int, int],
    size: int,
) -> None:
    """Ticks at the values of the keys; names at the margins only."""
    i, j = place
    at = [0.0, 0.5, 1.0]
    ax.set_xlim(0.0, 1.0)
    ax.set_xticks(at, _ticks(rows, j, names[1], at) if i == size - 1 else [])
    if i == size - 1:
        ax.set_xlabel(names[1], fontsize=8)
    if i == j:
        ax.set_ylabel("score", fontsize=8)
        return
    ax.set_ylim(0.0, 1.0)
    ax.set_yticks(at, _ticks(rows, i, names[0], at) if j == 0 else [])
    if j == 0:
        ax.set_ylabel(names[0], fontsize=8)


def _ticks(rows: Sequence[Tried], axis: int, name: str, at: Sequence[float]) -> list[str]:
    """Values of a key at places of the cube, by interpolation between trials."""
    known = [(row.trial.x[axis], row.trial.design[name]) for row in rows]
    if not all(isinstance(value, int | float) for _, value in known):
        return [f"{place:g}" for place in at]
    places, values = np.array(sorted(known)).T
    positive = bool(np.all(values > 0.0))
    line = np.polyfit(places, values, 1)
    shown = np.polyval(line, at)
    if positive:
        curve = np.polyfit(places, np.log(values), 1)
        bent = np.ptp(values - np.exp(np.polyval(curve, places)))
        if bent < np.ptp(values - np.polyval(line, places)):
            shown = np.exp(np.polyval(curve, at))
    return [f"{value:.3g}" for value in shown]
