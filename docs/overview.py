"""Figure of the README: `make figure`, or `python docs/overview.py RUN FILE`."""

import sys

import matplotlib.pyplot as plt
import numpy as np

from renp_infer.engine.run import Run
from renp_infer.figures import drawing as plots
from renp_infer.figures import run_figures as figures
from renp_infer.verbs.table import load_run


def draw_field(ax: plt.Axes, run: Run) -> None:
    """Mock data, expected field and pair thresholds."""
    assert run.inference is not None
    evaluation = run.evaluation
    theta = np.asarray(evaluation["theta_s_deg"])
    factor, unit = plots.axis_scale(evaluation["signal_nG"], "nG")
    signal, sigma = (factor * np.asarray(evaluation[key]) for key in ("signal_nG", "sigma_nG"))
    data = factor * np.asarray(run.inference["observed_data"]["field_nG"])
    ax.plot(theta, signal, color=plots.BLUE, lw=1.3, label="expected")
    ax.errorbar(theta, data, sigma, fmt="o", ms=3, lw=0.9, color=plots.BLACK, label="mock data, 1σ")
    ax.set(xlabel=figures.ANGLE, ylabel=f"field at detector [{unit}]", xlim=(theta[0], theta[-1]))
    visible = plots.visible_thresholds(evaluation["thresholds_deg"], theta)
    plots.draw_thresholds(ax, visible, label=True)
    ax.legend(loc="lower right")


def draw_mass(ax: plt.Axes, run: Run) -> None:
    """Posterior of the lightest mass."""
    assert run.summary is not None
    row = run.summary["parameters"]["m1_meV"]
    values = figures.draws(run, "posterior", "m1_meV").ravel()
    intervals = {"68": row["interval_68"], "95": row["interval_95"]}
    plots.draw_density(ax, values, figures.mass_bounds(run), intervals)
    ax.axvline(row["truth"], label="truth", **plots.TRUTH)
    pad = 0.1 * np.ptp(values)
    ax.set(xlim=(values.min() - pad, values.max() + pad), xlabel=figures.M1)
    ax.set_ylabel("posterior density [1/meV]")
    ax.legend(loc="upper left", fontsize=8)


def main(directory: str, file: str) -> None:
    run = load_run(directory)
    plt.rcParams.update(plots.STYLE)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10, 3.9), width_ratios=(1.7, 1), layout="constrained"
    )
    draw_field(left, run)
    draw_mass(right, run)
    note = figures.normalised_label(run)
    left.set_title(f"{run.name}: {note}" if note else run.name, fontsize=9, y=1.16)
    figure.savefig(file, metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    main(*sys.argv[1:])
