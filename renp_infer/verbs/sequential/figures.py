"""The figures of simulated campaigns: what is known when, and what was measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from renp_infer.figures.drawing import BAND_68, BLACK, BLUE, ORANGE, VERMILION, FloatArray, number
from renp_infer.figures.plate import ANGLE, Plate, new_figure, plate

if TYPE_CHECKING:
    import xarray

MOST_TRUTHS = 3
TIMES = 60
_FIXED = {"study": ("own layout", BLACK, "s"), "fixed": ("fixed_deg", ORANGE, "D")}
_GOALS = {"m1": "m₁", "nature": "Dirac or Majorana", "ordering": "the ordering"}


def sequential_plates(tree: xarray.DataTree | None) -> list[Plate]:
    """Both figures of campaigns; none without any."""
    if tree is None:
        return []
    return [
        plate("sequential-knowledge", "One measurement after the other", knowledge_figure, tree),
        plate("sequential-choices", "What was measured when", choices_figure, tree),
    ]


def _tail(tree: xarray.DataTree) -> str:
    reference = float(tree.attrs["reference_snr"])
    scaled = f"normalised to peak S/N = {reference:g} at the paper's layout"
    return (
        f" Preset {tree.attrs['preset']}, truths {tree.attrs['truth']}; the noise is "
        f"{scaled if reference > 0.0 else 'absolute'}."
    )


def knowledge_figure(tree: xarray.DataTree) -> tuple[Figure, str]:
    """Posterior sd of m1 and probability of the true hypothesis against time, by truth."""
    steps, layouts = (tree[name].to_dataset() for name in ("steps", "layouts"))
    masses = steps["m1_meV"].values[:MOST_TRUTHS]
    figure, grid = new_figure(5.2, 2, len(masses), sharex=True, sharey="row", squeeze=False)
    truth = list(steps["hypothesis"].values).index(tree.attrs["truth"])
    for ax, low, m1 in zip(grid[0], grid[1], masses, strict=True):
        one, other = steps.sel(m1_meV=m1), layouts.sel(m1_meV=m1)
        sd = one["m1_sd"].transpose("campaign", "step").values
        chance = one["probability"].isel(hypothesis=truth).transpose("campaign", "step").values
        elapsed = one["elapsed_s"].transpose("campaign", "step").values
        _band(ax, elapsed, sd)
        _band(low, elapsed, chance)
        for k, name in enumerate(json.loads(tree.attrs["layouts"])):
            label, colour, mark = _FIXED[name]
            picked = other.isel(layout=k)
            times = picked["elapsed_s"].values.reshape(-1, picked.sizes["fraction"])[0]
            style = {"color": colour, "fmt": mark, "ms": 5, "lw": 1.1, "label": label}
            _quartiles(ax, times, picked["m1_sd"], style)
            _quartiles(low, times, picked["probability"].isel(hypothesis=truth), style)
        ax.set(title=f"true m₁ = {m1:g} meV", xscale="log", yscale="log")
        low.set(xlabel="time with moves [s]", ylim=(-0.03, 1.03))
    grid[0, 0].set_ylabel("sd of m₁ [meV]")
    grid[1, 0].set_ylabel("probability of the\ntrue hypothesis")
    grid[0, 0].legend(fontsize=8)
    count = steps.sizes["campaign"]
    return figure, (
        f"Median and quartiles of {count} simulated campaigns (line, band), each setting chosen "
        f"for the most expected information per second about {_GOALS[tree.attrs['goal']]}, and of "
        "fixed layouts that take as long, moves included (symbols with quartiles). A move takes "
        f"{number(float(tree.attrs['setting_s']))} s.{_tail(tree)}"
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


def _quartiles(
    ax: Axes, times: FloatArray, values: xarray.DataArray, style: dict[str, object]
) -> None:
    found = values.transpose("campaign", "fraction").values
    there = ~np.any(np.isnan(found), axis=0)
    if np.any(there):
        low, middle, high = np.quantile(found[:, there], [0.25, 0.5, 0.75], axis=0)
        ax.errorbar(times[there], middle, [middle - low, high - middle], **style)  # type: ignore[arg-type]


def choices_figure(tree: xarray.DataTree) -> tuple[Figure, str]:
    """Angle of every measurement against time, one panel per truth, all campaigns."""
    steps = tree["steps"].to_dataset()
    masses = steps["m1_meV"].values[:MOST_TRUTHS]
    figure, grid = new_figure(3.6, 1, len(masses), sharey=True, squeeze=False)
    exposures = np.unique(steps["exposure_s"].values[np.isfinite(steps["exposure_s"].values)])
    for ax, m1 in zip(grid[0], masses, strict=True):
        one = steps.sel(m1_meV=m1)
        elapsed, theta, exposure = (
            one[name].transpose("campaign", "step").values.ravel()
            for name in ("elapsed_s", "theta_s_deg", "exposure_s")
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
        "The first is the same in all; what follows depends on what was measured." + _tail(tree)
    )
