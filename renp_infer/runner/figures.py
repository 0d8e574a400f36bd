"""The figures of a run, each with a caption that stands alone.

Drawn on bare ``Figure`` objects: no window, no global state.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from renp_infer.runner import plots
from renp_infer.runner.figure_data import csv_of, data_uri
from renp_infer.runner.labels import CIRCULAR, CORNER, LABELS
from renp_infer.runner.plots import FloatArray, number, rounded

if TYPE_CHECKING:
    from renp_infer.runner.results import Run

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

    @property
    def uri(self) -> str:
        """The figure as a data URI: ids of several SVGs cannot clash."""
        return data_uri("image/svg+xml", self.svg)

    @property
    def csv(self) -> str:
        """The numbers that it shows."""
        return csv_of(self.figure, self.title, self.caption)


def normalised_label(run: Run) -> str:
    """What must stand beside each number of a run with scaled noise, else ""."""
    if not run.evaluation["normalised"]:
        return ""
    reference = run.study.get("detector", {}).get("reference_snr", 0.0)
    return f"normalised to peak S/N = {number(reference or run.evaluation['peak_snr'])}"


def source(run: Run) -> str:
    """Name of the file with the data; empty for mock data, whose truth is known."""
    return str(run.evaluation.get("data", ""))


def mass_bounds(run: Run) -> tuple[float, float]:
    """Hard bounds of the m1 prior, meV."""
    settings = run.study.get("inference", {})
    log = settings.get("m1_prior", "uniform") == "log-uniform"
    return (settings.get("m1_min_meV", 0.1) if log else 0.0), settings.get("m1_max_meV", 450.0)


def mass_prior(run: Run, m1_meV: FloatArray) -> FloatArray:
    """Prior density of m1 per meV at the given masses (n,)."""
    low, high = mass_bounds(run)
    if run.study.get("inference", {}).get("m1_prior", "uniform") == "log-uniform":
        return 1.0 / (np.maximum(m1_meV, low) * np.log(high / low))
    return np.full_like(m1_meV, 1.0 / (high - low))


def draws(run: Run, group: str, name: str) -> FloatArray:
    """Draws of one variable, shape (chain, draw, ...)."""
    assert run.inference is not None
    return np.asarray(run.inference[group][name], float)


def free_parameters(run: Run) -> list[str]:
    """Names of the parameters that were sampled."""
    return [] if run.inference is None else [str(n) for n in run.inference["posterior"].data_vars]


def new_figure(height: float, rows: int = 1, columns: int = 1, **keys: Any) -> tuple[Figure, Any]:
    """A bare figure of the common width, height in inches, with its axes."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **keys)


def _stamp(ax: Axes, run: Run) -> None:
    """Say inside the figure that its noise is scaled."""
    if label := normalised_label(run):
        ax.set_title(label, loc="right", fontsize=8.5, color=plots.BLACK)


def caption_tail(run: Run) -> str:
    """End of a caption whose numbers depend on the noise, where that was scaled."""
    label = normalised_label(run)
    return f" The noise is {label} at the paper's layout, not absolute." if label else ""


def _padded(theta_deg: FloatArray) -> tuple[float, float]:
    """Limits of an axis that shows the symbols at both ends whole."""
    pad = 0.012 * np.ptp(theta_deg) or 1.0
    return float(theta_deg.min() - pad), float(theta_deg.max() + pad)


def _angular_axes(run: Run, upper: Axes, lower: Axes) -> list[tuple[str, float]]:
    document = run.evaluation
    theta = np.asarray(document["theta_s_deg"], float)
    visible = plots.visible_thresholds(document["thresholds_deg"], theta)
    total, signal, sigma = (np.asarray(document[k]) for k in ("sum_G_eV5", "signal_nG", "sigma_nG"))
    factor, unit = plots.axis_scale(total, "eV⁵")
    upper.plot(theta, factor * total, color=plots.BLACK, marker=".", ms=4, lw=1.3)
    upper.set(ylabel=f"unsmoothed sum_G [{unit}]", xlim=_padded(theta))
    factor, unit = plots.axis_scale(signal, "nG")
    plots.draw_signal(lower, theta, factor * signal, factor * sigma)
    lower.set(xlabel=ANGLE, ylabel=f"field at detector [{unit}]")
    plots.draw_thresholds(upper, visible, label=True)
    plots.draw_thresholds(lower, visible, label=False)
    if not visible:
        nearest = plots.nearest_threshold(document["thresholds_deg"], theta)
        where = f"; nearest: ({nearest[0]}) at {number(nearest[1])}°" if nearest else ""
        upper.set_title(f"no pair threshold in this range{where}", loc="left", fontsize=9)
    return visible


def angular_distribution(run: Run) -> tuple[Figure, str]:
    """Unsmoothed sum_G and the smoothed signal with the pair thresholds."""
    document = run.evaluation
    figure, (upper, lower) = new_figure(5.8, 2, sharex=True)
    visible = _angular_axes(run, upper, lower)
    _stamp(lower, run)
    lower.legend(loc="best")
    marks = ", ".join(f"({pair}) {angle:.3f}°" for pair, angle in visible)
    edges = f"Vertical lines: pair thresholds s = (mᵢ + mⱼ)² at {marks}." if visible else (
        "No pair threshold lies inside this range of angles."
    )  # fmt: skip
    whose = "parameters of the study" if source(run) else "true parameters"
    return figure, (
        f"Expected for the {whose}. Top: weighted pair integral sum_G of "
        "all nine ordered pairs, before angular smoothing (relative numerical error "
        f"{number(document['accuracy']['estimated_error'], 2)}). Bottom: field at the detector "
        f"after smoothing over its resolution, with the noise of one angle. {edges}"
        f"{caption_tail(run)}"
    )


def data_and_prediction(run: Run) -> tuple[Figure, str]:
    """Data, truth, posterior-predictive bands, and pulls."""
    assert run.inference is not None
    figure, (upper, lower) = new_figure(5.4, 2, sharex=True, height_ratios=(2, 1.2))
    fixed = run.inference["constant_data"]
    theta = np.asarray(fixed["theta_s_deg"], float)
    data = np.asarray(run.inference["observed_data"]["field_nG"], float)
    factor, unit = plots.axis_scale(data, "nG")
    data = factor * data
    sigma = factor * np.asarray(fixed["sigma_nG"], float)
    file = source(run)
    truth = None if file else factor * np.asarray(fixed["signal_true_nG"], float)
    predicted = factor * draws(run, "posterior_predictive", "field_nG")
    bands = plots.central_bands(predicted.reshape(-1, theta.size))
    plots.draw_data(upper, theta, data, sigma, truth, bands)
    plots.draw_pulls(lower, theta, data, sigma, truth, bands)
    upper.set(ylabel=f"field at detector [{unit}]", xlim=_padded(theta))
    upper.legend(loc="best", ncols=2)
    lower.set(xlabel=ANGLE, ylabel="pull [σ]")
    _stamp(upper, run)
    rms = float(np.sqrt(np.mean(((data - bands["mean"]) / sigma) ** 2)))
    return figure, (
        f"{f'Data: {file},' if file else 'Mock data'} at {theta.size} angles with 1σ errors, "
        f"{'' if file else 'the true signal, '}and 68 % and 95 % "
        "posterior-predictive bands, noise included. Bottom: the same minus the predictive mean, "
        f"in units of each angle's σ; rms of the data's pulls {rms:.2f}.{caption_tail(run)}"
    )


def mass_posterior(run: Run) -> tuple[Figure, str]:
    """The m1 posterior against its prior, near the posterior and over the prior."""
    assert run.summary is not None
    row = run.summary["parameters"]["m1_meV"]
    values, bounds = draws(run, "posterior", "m1_meV").ravel(), mass_bounds(run)
    zoomed = bool(np.ptp(values) < 0.5 * (bounds[1] - bounds[0]))
    figure, grid = new_figure(3.9, 1, 1 + zoomed, squeeze=False, width_ratios=(2, 1)[: 1 + zoomed])
    main = grid[0, 0]
    intervals = {"68": row["interval_68"], "95": row["interval_95"]}
    for ax in grid[0]:
        plots.draw_density(ax, values, bounds, intervals)
        ax.set_xlabel(M1)
    if zoomed:
        pad = 0.1 * np.ptp(values)
        main.set_xlim(max(bounds[0], values.min() - pad), min(bounds[1], values.max() + pad))
        floor = 0.2 * mass_prior(run, np.linspace(*bounds, 50)).min()
        grid[0, 1].set(yscale="log", ylim=(floor, None))
        grid[0, 1].set_title("whole prior, log density", fontsize=9)
    grid[0, -1].set_xlim(*bounds)
    for ax in grid[0]:
        left, right = ax.get_xlim()
        mass = np.linspace(left, right, 400)
        ax.plot(mass, mass_prior(run, mass), label="prior", **plots.PRIOR)
    if row["truth"] is not None:
        main.axvline(row["truth"], label="truth", **plots.TRUTH)
    main.set_ylabel("density [1/meV]")
    main.legend(loc="best")
    _stamp(main, run)
    truth = "" if row["truth"] is None else f", truth {number(row['truth'])} meV"
    return figure, (
        "Posterior of the lightest neutrino mass against its prior "
        f"({bounds[0]:g} to {bounds[1]:g} meV): mean {rounded(row['mean'], row['sd'])} meV, "
        f"sd {rounded(row['sd'], row['sd'])} meV{truth}. "
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
    assert run.summary is not None
    text, unit = LABELS[name]
    values, prior = (draws(run, g, name).ravel() for g in ("posterior", "prior"))
    known = run.summary["parameters"][name]["truth"]
    truth = np.nan if known is None else float(known)  # a line at NaN is none
    if name in CIRCULAR:
        values, prior, truth = values % 360.0, prior % 360.0, truth % 360.0
        whole = (0.0, 360.0)
        return _Axis(f"{text} [{unit}]", values, prior, truth, whole, whole, True)
    bounds = mass_bounds(run) if name == "m1_meV" else (-np.inf, np.inf)
    if name == "refractive_index":
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
    label = f"{text}\n[{unit}]" if unit else text
    return _Axis(label, values * scale, prior * scale, truth * scale, limits, bounds, False)


def _diagonal(ax: Axes, axis: _Axis) -> None:
    for name, values, keys in (
        ("posterior", axis.values, {"color": plots.BLUE}), ("prior", axis.prior, plots.PRIOR)
    ):  # fmt: skip
        curve = plots.bounded_density(values, *axis.bounds, circular=axis.circular)
        ax.plot(*curve, label=name, **keys)
    ax.set(yticks=[], ylim=(0, None))
    ax.spines["left"].set_visible(False)


def corner(run: Run) -> tuple[Figure, str]:
    """Pairs of the parameters that matter, with truth lines."""
    axes = [_axis(run, n) for n in CORNER if n in free_parameters(run)]
    size = len(axes)
    figure = Figure(figsize=(WIDTH, WIDTH))  # fixed margins: many axes make a solver slow
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
            plots.draw_pair(ax, x.values, y.values, (x.limits, y.limits), (x.mode, y.mode))
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
    names = [n for n in ("m1_meV", "amplitude") if n in free_parameters(run)]
    figure, grid = new_figure(2.0 * len(names) + 0.4, len(names), 2, squeeze=False)
    for (trace, rank), name in zip(grid, names, strict=True):
        values = draws(run, "posterior", name)
        plots.draw_trace(trace, values)
        plots.draw_ranks(rank, values)
        text, unit = LABELS[name]
        trace.set_ylabel(f"{text} [{unit}]" if unit else text)
        rank.set_ylabel("draws per bin")
    grid[-1, 0].set_xlabel("draw after tuning")
    grid[-1, 1].set_xlabel("rank among all draws")
    _stamp(grid[0, 1], run)
    return figure, (
        f"{values.shape[0]} chains, one colour each. Left: traces. Right: "
        "ranks of each chain's draws among all draws; chains that agree are flat within the "
        f"band, which is 2σ for independent draws.{caption_tail(run)}"
    )


def plate(key: str, title: str, draw: Callable[[Any], tuple[Figure, str]], data: Any) -> Plate:
    """Draw in the common style."""
    with mpl.rc_context(plots.STYLE):
        figure, caption = draw(data)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return Plate(key, title, _short(buffer.getvalue()), caption, figure)


def _short(svg: str) -> str:
    """Path coordinates cut to 0.01 pt: a third of the file, nothing to see."""
    return re.sub(r'\bd="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)


def run_plates(run: Run) -> list[Plate]:
    """All figures of one run; the angular distribution alone without inference."""
    plates = [plate("angles", "Angular distribution", angular_distribution, run)]
    if run.inference is None:
        return plates
    return [
        *plates,
        plate("data", "Data and posterior prediction", data_and_prediction, run),
        plate("mass", "Lightest neutrino mass", mass_posterior, run),
        plate("corner", "Parameters in pairs", corner, run),
        plate("chains", "Convergence of the chains", chains, run),
    ]
