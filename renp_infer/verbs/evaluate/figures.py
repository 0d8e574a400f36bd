"""The figure of an evaluation, and what captions say of its data and noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from renp_infer.figures import drawing as plots
from renp_infer.figures.drawing import FloatArray, number
from renp_infer.figures.plate import ANGLE, new_figure
from renp_infer.records import PRESETS
from renp_infer.verbs.evaluate.result import EvaluateResult

if TYPE_CHECKING:
    from renp_infer.engine.run import Run


def normalised_label(run: Run) -> str:
    """What must stand beside each number of a run with scaled noise, else ""."""
    found = run.get(EvaluateResult)
    if not found.normalised:
        return ""
    peak = run.study.get("detector", {}).get("reference_snr", 0.0) or found.peak_snr
    return f"normalised to peak S/N = {number(peak)}"


def source(run: Run, data_set: str = "") -> str:
    """Name of the file with the data, of one set or all; empty for mock data, of known truth."""
    found = run.get(EvaluateResult)
    own = [one.found.data for one in found.sets if one.name == data_set]
    return own[0] if own else found.data


def stamp(ax: Axes, run: Run) -> None:
    """Say inside the figure that its noise is scaled."""
    if label := normalised_label(run):
        ax.set_title(label, loc="right", fontsize=8.5, color=plots.BLACK)


def caption_tail(run: Run) -> str:
    """End of a caption whose numbers depend on the noise, where that was scaled."""
    label, model = normalised_label(run), run.get(EvaluateResult).model
    return f" The noise is {label} {model.reference}, not absolute." if label else ""


def padded(theta_deg: FloatArray) -> tuple[float, float]:
    """Limits of an axis that shows the symbols at both ends whole."""
    pad = 0.012 * np.ptp(theta_deg) or 1.0
    return float(theta_deg.min() - pad), float(theta_deg.max() + pad)


def angular_axes(found: EvaluateResult, upper: Axes, lower: Axes) -> list[tuple[str, float]]:
    """Label the axes of a figure by angle; the thresholds that it shows."""
    theta, signal = found.theta_s_deg, found.signal_nG
    name, total, unit = odd_sum(found)
    visible = plots.visible_thresholds(found.thresholds_deg, theta)
    factor, unit = plots.axis_scale(total, unit)
    upper.plot(theta, factor * total, color=plots.BLACK, marker=".", ms=4, lw=1.3)
    upper.set(ylabel=f"unsmoothed {name} [{unit}]", xlim=padded(theta))
    factor, unit = plots.axis_scale(signal, "nG")
    plots.draw_signal(lower, theta, factor * signal, factor * found.sigma_nG)
    lower.set(xlabel=ANGLE, ylabel=f"field at detector [{unit}]")
    plots.draw_thresholds(upper, visible, label=True)
    plots.draw_thresholds(lower, visible, label=False)
    if not visible:
        nearest = plots.nearest_threshold(found.thresholds_deg, theta)
        where = f"; nearest: ({nearest[0]}) at {number(nearest[1])}°" if nearest else ""
        upper.set_title(f"no pair threshold in this range{where}", loc="left", fontsize=9)
    return visible


def odd_sum(found: EvaluateResult) -> tuple[str, FloatArray, str]:
    """The sum that the field is made of: name, values (n,) and unit."""
    if found.sum_W_eV6 is not None:
        return "sum_W", found.sum_W_eV6, "eV⁶"
    return "sum_G", found.sum_G_eV5, "eV⁵"


def presets_figure(run: Run) -> tuple[Figure, str]:
    """Smoothed fields over their peaks: both older presets and the weak Hamiltonian's."""
    found = run.get(EvaluateResult)
    figure, ax = new_figure(3.2)
    shown = {step.name: step.signal_nG for step in found.steps if step.name in PRESETS}
    shown["first-principles"] = found.signal_nG
    colours = (plots.GREY, plots.ORANGE, plots.BLUE)
    for (name, signal), colour in zip(shown.items(), colours, strict=True):
        if signal is not None and np.any(signal):
            peak = signal[np.argmax(np.abs(signal))]
            label = f"{name}: {number(abs(peak), 2)} nG"
            ax.plot(found.theta_s_deg, signal / peak, color=colour, label=label)
    ax.set(xlabel=ANGLE, ylabel="field over its peak", xlim=padded(found.theta_s_deg))
    visible = plots.visible_thresholds(found.thresholds_deg, found.theta_s_deg)
    plots.draw_thresholds(ax, visible, label=False)
    ax.legend(loc="best")
    return figure, (
        "Expected field with each preset, smoothed, over its peak, whose size the legend gives. "
        "Vertical lines: pair thresholds."
    )


def angular_distribution(run: Run, data_set: str = "") -> tuple[Figure, str]:
    """The unsmoothed sum and the smoothed signal, of one of several data sets, with thresholds."""
    found = run.get(EvaluateResult).of_set(data_set)
    figure, (upper, lower) = new_figure(5.8, 2, sharex=True)
    visible = angular_axes(found, upper, lower)
    stamp(lower, run)
    lower.legend(loc="best")
    marks = ", ".join(f"({pair}) {angle:.3f}°" for pair, angle in visible)
    edges = f"Vertical lines: pair thresholds s = (mᵢ + mⱼ)² at {marks}." if visible else (
        "No pair threshold lies inside this range of angles."
    )  # fmt: skip
    whose = "parameters of the study" if source(run) else "true parameters"
    of_which = f"Data set {data_set}. " if data_set else ""
    return figure, (
        f"{of_which}Expected in the layout of the study, for the {whose}. Top: weighted pair "
        f"integral {odd_sum(found)[0]} of all nine ordered pairs, before angular smoothing "
        f"(relative numerical error {number(found.accuracy.estimated_error, 2)}). Bottom: field "
        f"at the detector after smoothing over its resolution, with the noise of one angle. {edges}"
        f"{caption_tail(run)}"
    )
