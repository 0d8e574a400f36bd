"""Figure of the README: `make figure`, or `python docs/overview.py RUN FILE`."""

import sys

import matplotlib.pyplot as plt
import numpy as np

from renp_infer.engine.run import Run
from renp_infer.figures import drawing as plots
from renp_infer.figures.plate import ANGLE, M1
from renp_infer.verbs.evaluate.figures import normalised_label
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.infer.figures import draws, mass_bounds
from renp_infer.verbs.infer.result import MASS, InferResult
from renp_infer.verbs.table import load_run


def draw_field(ax: plt.Axes, run: Run) -> None:
    """Mock data, expected field and pair thresholds."""
    found, tree = run.get(EvaluateResult), run.get(InferResult).tree
    theta = found.theta_s_deg
    factor, unit = plots.axis_scale(found.signal_nG, "nG")
    signal, sigma = factor * found.signal_nG, factor * found.sigma_nG
    data = factor * np.asarray(tree["observed_data"]["field_nG"])
    ax.plot(theta, signal, color=plots.BLUE, lw=1.3, label="expected")
    ax.errorbar(theta, data, sigma, fmt="o", ms=3, lw=0.9, color=plots.BLACK, label="mock data, 1σ")
    ax.set(xlabel=ANGLE, ylabel=f"field at detector [{unit}]", xlim=(theta[0], theta[-1]))
    visible = plots.visible_thresholds(found.thresholds_deg, theta)
    plots.draw_thresholds(ax, visible, label=True)
    ax.legend(loc="lower right")


def draw_mass(ax: plt.Axes, run: Run) -> None:
    """Posterior of the lightest mass."""
    found = run.get(InferResult).mass
    values = draws(run, "posterior", MASS).ravel()
    intervals = {"68": found.interval_68, "95": found.interval_95}
    plots.draw_density(ax, values, mass_bounds(run), intervals)
    ax.axvline(found.truth, label="truth", **plots.TRUTH)
    pad = 0.1 * np.ptp(values)
    ax.set(xlim=(values.min() - pad, values.max() + pad), xlabel=M1)
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
    note = normalised_label(run)
    left.set_title(f"{run.name}: {note}" if note else run.name, fontsize=9, y=1.16)
    figure.savefig(file, metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    main(*sys.argv[1:])
