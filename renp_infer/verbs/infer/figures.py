"""The figures of a run, each with a caption that stands alone.

Drawn on bare ``Figure`` objects: no window, no global state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from renp_infer.figures import densities
from renp_infer.figures import drawing as plots
from renp_infer.figures.drawing import FloatArray
from renp_infer.figures.plate import ANGLE, M1, WIDTH, Plate, new_figure, plate
from renp_infer.inference.parameters import AMPLITUDE, MASS, PARAMETERS, parted
from renp_infer.measurement.data import DATA_SET
from renp_infer.verbs.evaluate.figures import (
    caption_tail,
    normalised_label,
    padded,
    source,
    stamp,
)
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.infer.words import (
    constraints_of,
    mass_bounds,
    mass_prior_of,
    mass_sentence,
)

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


READABLE = 7
"""Parameters of a corner plot of the usual size whose labels do not meet."""
MOST_PAIRED = 12
"""Parameters of a corner plot: several data sets may have more than can be read."""

_FAINTEST = 1e-6
"""Of the prior's density, what the axis of the whole prior reaches down to."""


def mass_prior(run: Run, m1_meV: FloatArray) -> FloatArray:
    """Prior density of m1 per meV at the given masses (n,)."""
    prior = mass_prior_of(run.study)
    return np.exp([prior.log_density(float(m1)) for m1 in m1_meV])


def draws(run: Run, group: str, name: str) -> FloatArray:
    """Draws of one variable, shape (chain, draw, ...)."""
    return np.asarray(run.get(InferResult).tree[group][name], float)


def free_parameters(run: Run) -> list[str]:
    """Names of the parameters that were sampled."""
    return (
        []
        if run.find(InferResult) is None
        else [str(n) for n in run.get(InferResult).tree["posterior"].data_vars]
    )


def data_sets(run: Run) -> list[str]:
    """Names of several data sets, in their order; none of one."""
    fixed = run.get(InferResult).tree["constant_data"]
    names: Any = np.asarray(fixed[DATA_SET]) if DATA_SET in fixed.coords else []
    return list(dict.fromkeys(map(str, names)))


def data_and_prediction(run: Run, data_set: str = "") -> tuple[Figure, str]:
    """Data, truth, posterior-predictive bands, and pulls, of one of several data sets."""
    figure, (upper, lower) = new_figure(5.4, 2, sharex=True, height_ratios=(2, 1.2))
    fixed = run.get(InferResult).tree["constant_data"]
    own = np.asarray(fixed[DATA_SET]) == data_set if data_set else slice(None)
    theta = np.asarray(fixed["theta_s_deg"], float)[own]
    data = np.asarray(run.get(InferResult).tree["observed_data"]["field_nG"], float)[own]
    factor, unit = plots.axis_scale(data, "nG")
    data = factor * data
    sigma = factor * np.asarray(fixed["sigma_nG"], float)[own]
    file = source(run, data_set)
    truth = None if file else factor * np.asarray(fixed["signal_true_nG"], float)[own]
    predicted = factor * draws(run, "posterior_predictive", "field_nG")[..., own]
    bands = plots.central_bands(predicted.reshape(-1, theta.size))
    plots.draw_data(upper, theta, data, sigma, truth, bands)
    plots.draw_pulls(lower, theta, data, sigma, truth, bands)
    upper.set(ylabel=f"field at detector [{unit}]", xlim=padded(theta))
    upper.legend(loc="best", ncols=2)
    lower.set(xlabel=ANGLE, ylabel="pull [σ]")
    stamp(upper, run)
    rms = float(np.sqrt(np.mean(((data - bands["mean"]) / sigma) ** 2)))
    return figure, (
        f"{f'Data: {file},' if file else 'Mock data'} at {theta.size} angles with 1σ errors, "
        f"{'' if file else 'the true signal, '}and 68 % and 95 % "
        "posterior-predictive bands, noise included. Bottom: the same minus the predictive mean, "
        f"in units of each angle's σ; rms of the data's pulls {rms:.2f}.{caption_tail(run)}"
    )


def mass_posterior(run: Run) -> tuple[Figure, str]:
    """The m1 posterior against its prior, near the posterior and over the prior."""
    found = run.get(InferResult).mass
    values, bounds = draws(run, "posterior", MASS).ravel(), mass_bounds(run)
    zoomed = bool(np.ptp(values) < 0.5 * (bounds[1] - bounds[0]))
    figure, grid = new_figure(3.9, 1, 1 + zoomed, squeeze=False, width_ratios=(2, 1)[: 1 + zoomed])
    main = grid[0, 0]
    intervals = {"68": found.interval_68, "95": found.interval_95}
    for ax in grid[0]:
        densities.draw_density(ax, values, bounds, intervals)
        ax.set_xlabel(M1)
    if zoomed:
        pad = 0.1 * np.ptp(values)
        main.set_xlim(max(bounds[0], values.min() - pad), min(bounds[1], values.max() + pad))
        height = mass_prior(run, np.linspace(*bounds, 50))
        floor = max(0.2 * height.min(), _FAINTEST * height.max())
        grid[0, 1].set(yscale="log", ylim=(floor, None))
        grid[0, 1].set_title("whole prior, log density", fontsize=9)
    grid[0, -1].set_xlim(*bounds)
    for ax in grid[0]:
        left, right = ax.get_xlim()
        mass = np.linspace(left, right, 400)
        ax.plot(mass, mass_prior(run, mass), label="prior", **plots.PRIOR)
    if found.truth is not None:
        main.axvline(found.truth, label="truth", **plots.TRUTH)
    main.set_ylabel("density [1/meV]")
    main.legend(loc="best")
    stamp(main, run)
    alone = " without constraints" if constraints_of(run) else ""
    return figure, (
        f"Posterior of the lightest neutrino mass against its prior{alone} "
        f"({bounds[0]:g} to {bounds[1]:g} meV). {mass_sentence(run)}. "
        f"The density is kept inside the prior's bounds.{caption_tail(run)}"
    )


@dataclass(frozen=True)
class _Axis:
    """One parameter of the corner plot, in its display unit."""

    label: str
    values: FloatArray
    prior: FloatArray
    truth: float
    limits: tuple[float, float]
    bounds: tuple[float, float]
    circular: bool

    @property
    def mode(self) -> str:
        return "wrap" if self.circular else "reflect"


def _axis(run: Run, name: str) -> _Axis:
    """Draws of a parameter, shifted and scaled so that ticks stay short."""
    text, unit = PARAMETERS.label(name)
    values, prior = (draws(run, g, name).ravel() for g in ("posterior", "prior"))
    known = run.get(InferResult).estimates[name].truth
    truth = np.nan if known is None else float(known)  # a line at NaN is none
    if name in PARAMETERS.phases:
        values, prior, truth = values % 360.0, prior % 360.0, truth % 360.0
        whole = (0.0, 360.0)
        return _Axis(f"{text} [{unit}]", values, prior, truth, whole, whole, True)
    bounds = mass_bounds(run) if name == MASS else (-np.inf, np.inf)
    if parted(name)[0] in PARAMETERS.of("index"):
        centre = round(float(np.median(prior)), 4)
        text, values, prior, truth = (
            f"{text} − {centre:g}",
            values - centre,
            prior - centre,
            truth - centre,
        )
    scale, unit = plots.axis_scale(values, unit)
    low, high = np.quantile(values, (0.001, 0.999)) * scale
    pad = 0.05 * (high - low) or 1.0
    limits = (max(low - pad, bounds[0]), min(high + pad, bounds[1]))
    text = text.replace(" ", "\n", 1) if parted(name)[1] else text
    label = f"{text}\n[{unit}]" if unit else text
    return _Axis(label, values * scale, prior * scale, truth * scale, limits, bounds, False)


def _diagonal(ax: Axes, axis: _Axis) -> None:
    for name, values, keys in (
        ("posterior", axis.values, {"color": plots.BLUE}), ("prior", axis.prior, plots.PRIOR)
    ):  # fmt: skip
        curve = densities.bounded_density(values, *axis.bounds, circular=axis.circular)
        ax.plot(*curve, label=name, **keys)
    ax.set(yticks=[], ylim=(0, None))
    ax.spines["left"].set_visible(False)


def corner(run: Run) -> tuple[Figure, str]:
    """Pairs of the parameters that matter, with truth lines."""
    free = [name for name in free_parameters(run) if parted(name)[0] in PARAMETERS.corner]
    axes = [_axis(run, name) for name in free[:MOST_PAIRED]]
    size = len(axes)
    side = WIDTH * max(1.0, size / READABLE)
    figure = Figure(figsize=(side, side))  # fixed margins: many axes make a solver slow
    grid: Any = figure.subplots(size, size, squeeze=False)
    figure.subplots_adjust(left=0.09, right=0.99, bottom=0.1, top=0.985, wspace=0.07, hspace=0.07)
    for i, j in np.ndindex(size, size):
        ax, x, y = grid[i, j], axes[j], axes[i]
        if j > i:
            ax.remove()
            continue
        if i == j:
            _diagonal(ax, x)
        else:
            densities.draw_pair(ax, x.values, y.values, (x.limits, y.limits), (x.mode, y.mode))
            ax.axhline(y.truth, **{**plots.TRUTH, "lw": 1})
        ax.axvline(x.truth, **{**plots.TRUTH, "lw": 1})
        _corner_ticks(ax, i, j, axes)
    figure.align_labels()
    if label := normalised_label(run):
        figure.text(0.98, 0.98, label, ha="right", va="top", fontsize=9)
    return figure, (
        "Posterior of m₁ and of the nuisance parameters that move or scale the signal. "
        "Filled: regions with 68 % and 95 % of the draws; diagonal: posterior (solid) and prior "
        f"(dashed){'' if source(run) else '; dash-dotted: truth'}. Phases are periodic. Free "
        f"parameters not shown are in the table.{caption_tail(run)}"
    )


def _corner_ticks(ax: Axes, i: int, j: int, axes: Sequence[_Axis]) -> None:
    ax.tick_params(labelsize=7)
    for which, axis in ((ax.xaxis, axes[j]), (ax.yaxis, axes[i])):
        if which is ax.xaxis or i != j:
            which.set_major_locator(MaxNLocator(3, prune="both"))
            if axis.circular:
                which.set_ticks([90, 180, 270])
    ax.set_xlim(*axes[j].limits)
    if i != j:
        ax.set_ylim(*axes[i].limits)
    ax.tick_params(axis="x", rotation=45)
    if i == len(axes) - 1:
        ax.set_xlabel(axes[j].label, fontsize=8)
    else:
        ax.tick_params(labelbottom=False)
    if j == 0 and i:
        ax.set_ylabel(axes[i].label, fontsize=8)
    elif i != j:
        ax.tick_params(labelleft=False)


def chains(run: Run) -> tuple[Figure, str]:
    """Traces and rank histograms of m1 and the amplitude."""
    names = [n for n in free_parameters(run) if parted(n)[0] in (MASS, AMPLITUDE)]
    figure, grid = new_figure(2.0 * len(names) + 0.4, len(names), 2, squeeze=False)
    for (trace, rank), name in zip(grid, names, strict=True):
        values = draws(run, "posterior", name)
        plots.draw_trace(trace, values)
        plots.draw_ranks(rank, values)
        trace.set_ylabel(PARAMETERS.text(name))
        rank.set_ylabel("draws per bin")
    grid[-1, 0].set_xlabel("draw after tuning")
    grid[-1, 1].set_xlabel("rank among all draws")
    stamp(grid[0, 1], run)
    return figure, (
        f"{values.shape[0]} chains, one colour each. Left: traces. Right: "
        "ranks of each chain's draws among all draws; chains that agree are flat within the "
        f"band, which is 2σ for independent draws.{caption_tail(run)}"
    )


def _data_plates(run: Run) -> list[Plate]:
    title = "Data and posterior prediction"
    return [
        plate(f"data-{name}", f"{title}: {name}", partial(data_and_prediction, data_set=name), run)
        for name in data_sets(run)
    ] or [plate("data", title, data_and_prediction, run)]


def posterior_plates(run: Run) -> list[Plate]:
    """All figures of a posterior."""
    return [
        *_data_plates(run),
        plate("mass", "Lightest neutrino mass", mass_posterior, run),
        plate("corner", "Parameters in pairs", corner, run),
        plate("chains", "Convergence of the chains", chains, run),
    ]
