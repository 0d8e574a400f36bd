"""The figures of simulated campaigns: what is known when, and what was measured."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from renp_infer.figures.drawing import BAND_68, BLACK, BLUE, ORANGE, VERMILION, FloatArray, number
from renp_infer.figures.plate import ANGLE, Plate, new_figure, plate
from renp_infer.verbs.sequential.result import CampaignsAbout, SequentialResult

MOST_TRUTHS = 3
TIMES = 60
_FIXED = {"study": ("own layout", BLACK, "s"), "fixed": ("fixed angles", ORANGE, "D")}
_GOALS = {"m1": "m₁", "nature": "Dirac or Majorana", "ordering": "the ordering"}


def sequential_plates(found: SequentialResult) -> list[Plate]:
    """Both figures of campaigns."""
    return [
        plate("sequential-knowledge", "One measurement after the other", knowledge_figure, found),
        plate("sequential-choices", "What was measured when", choices_figure, found),
    ]


def _tail(about: CampaignsAbout) -> str:
    return f" Preset {about.preset}, truths {about.truth}; the noise is {about.noise}."


def knowledge_figure(found: SequentialResult) -> tuple[Figure, str]:
    """Posterior sd of m1 and probability of the true hypothesis against time, by truth."""
    masses = found.m1_meV[:MOST_TRUTHS]
    figure, grid = new_figure(5.2, 2, len(masses), sharex=True, sharey="row", squeeze=False)
    times = found.layouts.elapsed_s
    for i, (ax, low, m1) in enumerate(zip(grid[0], grid[1], masses, strict=True)):
        own, elapsed = found.steps.known.at(i), found.steps.elapsed_s[i]
        _band(ax, elapsed, own.m1_sd)
        _band(low, elapsed, own.probability[..., found.truth])
        for k, name in enumerate(found.about.angles):
            label, colour, mark = _FIXED[name]
            picked = found.layouts.known.at((i, slice(None), k))
            style = {"color": colour, "fmt": mark, "ms": 5, "lw": 1.1, "label": label}
            _quartiles(ax, times, picked.m1_sd, style)
            _quartiles(low, times, picked.probability[..., found.truth], style)
        ax.set(title=f"true m₁ = {m1:g} meV", xscale="log", yscale="log")
        low.set(xlabel="time with moves [s]", ylim=(-0.03, 1.03))
    grid[0, 0].set_ylabel("sd of m₁ [meV]")
    grid[1, 0].set_ylabel("probability of the\ntrue hypothesis")
    grid[0, 0].legend(fontsize=8)
    return figure, (
        f"Median and quartiles of {found.campaigns} simulated campaigns (line, band), each setting "
        f"chosen for the most expected information per second about {_GOALS[found.about.goal]}, "
        "and of fixed layouts that take as long, moves included (symbols with quartiles). A move "
        f"takes {number(found.about.setting_s)} s.{_tail(found.about)}"
    )


def _band(ax: Axes, elapsed: FloatArray, values: FloatArray) -> None:
    """Median and quartiles over campaigns of what was known at each time."""
    times = np.geomspace(np.nanmin(elapsed), np.nanmax(elapsed), TIMES)
    rows = []
    for own, known in zip(elapsed, values, strict=True):
        good = np.isfinite(own)
        place = np.searchsorted(own[good], times, side="right") - 1
        rows.append(np.where(place >= 0, known[good][np.maximum(place, 0)], np.nan))
    there = ~np.any(np.isnan(rows), axis=0)
    low, middle, high = np.quantile(np.array(rows)[:, there], [0.25, 0.5, 0.75], axis=0)
    ax.plot(times[there], middle, color=BLUE, label="sequence")
    ax.fill_between(times[there], low, high, color=BAND_68, alpha=0.7, lw=0)


def _quartiles(ax: Axes, times: FloatArray, values: FloatArray, style: dict[str, object]) -> None:
    """Those over campaigns of values (c, f), where all have one."""
    there = ~np.any(np.isnan(values), axis=0)
    if np.any(there):
        low, middle, high = np.quantile(values[:, there], [0.25, 0.5, 0.75], axis=0)
        ax.errorbar(times[there], middle, [middle - low, high - middle], **style)  # type: ignore[arg-type]


def choices_figure(found: SequentialResult) -> tuple[Figure, str]:
    """Angle of every measurement against time, one panel per truth, all campaigns."""
    steps, masses = found.steps, found.m1_meV[:MOST_TRUTHS]
    figure, grid = new_figure(3.6, 1, len(masses), sharey=True, squeeze=False)
    exposures = np.unique(steps.exposure_s[np.isfinite(steps.exposure_s)])
    for i, (ax, m1) in enumerate(zip(grid[0], masses, strict=True)):
        elapsed, theta, exposure = (
            column[i].ravel() for column in (steps.elapsed_s, steps.theta_s_deg, steps.exposure_s)
        )
        for k, (value, colour, mark) in enumerate(
            zip(exposures, (BLUE, ORANGE, VERMILION, BLACK) * len(exposures),
                "osD^" * len(exposures), strict=False)
        ):  # fmt: skip
            own = exposure == value
            ax.plot(elapsed[own], theta[own], mark, color=colour, ms=4 + k, alpha=0.7,
                    mec="white", mew=0.4, label=f"{value:g} s")  # fmt: skip
        ax.set(title=f"true m₁ = {m1:g} meV", xscale="log", xlabel="time with moves [s]")
    grid[0, 0].set_ylabel(ANGLE)
    grid[0, -1].legend(title="exposure", fontsize=8)
    return figure, (
        "Every measurement of all campaigns: when it ended, at which angle, and how long it took. "
        "The first is the same in all; what follows depends on what was measured."
        + _tail(found.about)
    )
