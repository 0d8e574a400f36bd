"""Figure of the README: `make figure`, or `python docs/overview.py FILE RUN...`."""

import sys

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import gaussian_kde

from renp_infer.engine.run import Run
from renp_infer.figures import drawing as plots
from renp_infer.figures.plate import ANGLE, M1
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.evaluate.switches import preset_of
from renp_infer.verbs.infer.figures import draws
from renp_infer.verbs.infer.result import MASS, InferResult
from renp_infer.verbs.table import load_run

COLOURS = {
    "published": plots.GREY,
    "corrected": plots.ORANGE,
    "first-principles": plots.BLUE,
}


def draw_field(ax: plt.Axes, run: Run) -> None:
    """Expected field over its peak, and the mock data."""
    found, tree = run.get(EvaluateResult), run.get(InferResult).tree
    theta, peak = found.theta_s_deg, found.signal_nG[np.argmax(np.abs(found.signal_nG))]
    name = preset_of(run)
    data = np.asarray(tree["observed_data"]["field_nG"])
    ax.plot(theta, found.signal_nG / peak, color=COLOURS[name], lw=1.4, label=name)
    ax.plot(theta, data / peak, "o", ms=2.5, color=COLOURS[name])


def draw_mass(ax: plt.Axes, run: Run) -> None:
    """Posterior of the lightest mass over its peak."""
    found, values = run.get(InferResult).mass, draws(run, "posterior", MASS).ravel()
    grid = np.linspace(max(values.min(), 0.0), values.max(), 400)
    density = gaussian_kde(values)(grid)
    colour = COLOURS[preset_of(run)]
    label = f"{found.mean:.1f} ± {found.sd:.1f} meV"
    ax.plot(grid, density / density.max(), color=colour, lw=1.4, label=label)
    ax.fill_between(grid, density / density.max(), color=colour, alpha=0.15)


def main(file: str, *directories: str) -> None:
    runs = [load_run(directory) for directory in directories]
    plt.rcParams.update(plots.STYLE)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10, 3.9), width_ratios=(1.7, 1), layout="constrained"
    )
    for run in runs:
        draw_field(left, run)
        draw_mass(right, run)
    found = runs[0].get(EvaluateResult)
    theta = found.theta_s_deg
    visible = plots.visible_thresholds(found.thresholds_deg, theta)
    plots.draw_thresholds(left, visible, label=True)
    left.set(xlabel=ANGLE, ylabel="field over its peak", xlim=(theta[0], theta[-1]))
    left.legend(loc="lower left")
    right.axvline(runs[0].get(InferResult).mass.truth, label="truth", **plots.TRUTH)
    right.set(xlabel=M1, ylabel="posterior density over its peak", ylim=(0.0, None))
    right.legend(loc="upper left", fontsize=8)
    figure.savefig(file, metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    main(*sys.argv[1:])
