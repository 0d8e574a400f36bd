"""The figures of a forecast, each with a caption that stands alone."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from renp_infer.figures.plate import M1, Plate, new_figure, plate
from renp_infer.inference.published_limits import QUANTITIES, Limit, load_limits
from renp_infer.physics.neutrinos import Ordering, load_oscillation, make_parameters
from renp_infer.verbs.forecast.parts import MAP_AXES
from renp_infer.verbs.forecast.summary import YEAR_S, comparison, headline_method

if TYPE_CHECKING:
    import xarray

Maker = Callable[["xarray.DataTree"], tuple[Figure, str]]
COLOURS = {"normal": "#0072B2", "inverted": "#D55E00"}
STYLES = {"dirac": "-", "majorana": "--"}
PHASES = {"alpha21": "α₂₁ [deg]", "alpha31": "α₃₁ [deg]", "delta": "δ [deg]"}
SIGMAS = (1.0, 3.0, 5.0)
FLAT: dict[str, Any] = {"edgecolors": "face", "linewidth": 0.3, "cmap": "viridis"}
"""Cells of a map without seams between them."""
UNIVERSE_S = 4.35e17
OSCILLATION = "nufit-6.0"


def forecast_plates(tree: xarray.DataTree | None) -> list[Plate]:
    """All figures that a forecast has the numbers for; none without one."""
    if tree is None:
        return []
    makers: list[tuple[str, str, str, Maker]] = [
        ("error", "Expected error of the mass", headline_method(tree), error_figure),
        ("exposure", "Error against exposure", "steps", exposure_figure),
        ("reach", "Discovery reach", "steps", reach_figure),
        ("bands", "Magnetization bands", "fisher", band_figure),
        ("maps", "Dirac or Majorana", "map_alpha21", map_figure),
        ("phases", "What CP phases do", "phases", phase_figure),
        ("impact", "Systematics", "steps", impact_figure),
    ]
    return [
        plate(f"forecast-{key}", title, functools.partial(_with_tail, maker), tree)
        for key, title, group, maker in makers
        if group in tree.children
    ]


def _with_tail(maker: Maker, tree: xarray.DataTree) -> tuple[Figure, str]:
    figure, caption = maker(tree)
    return figure, caption + _tail(tree)


def _tail(tree: xarray.DataTree) -> str:
    reference = float(tree.attrs["reference_snr"])
    scaled = f"normalised to peak S/N = {reference:g} at the paper's layout"
    noise = scaled if reference > 0.0 else "absolute"
    return (
        f" Preset {tree.attrs['preset']}; the noise is {noise}; "
        f"{float(tree.attrs['exposure_s']):.4g} s in total, shared by {tree.attrs['angles']} "
        "angles, unless an axis says otherwise; numbers are for all angles together."
    )


def _truth(tree: xarray.DataTree) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tree.attrs["truth"])
    return found


def _rows(cells: xarray.Dataset) -> Iterator[tuple[str, str, xarray.Dataset]]:
    for ordering in cells["ordering"].values:
        for nature in cells["nature"].values:
            yield str(ordering), str(nature), cells.sel(ordering=ordering, nature=nature)


def error_figure(tree: xarray.DataTree) -> tuple[Figure, str]:
    """sigma(m1) against m1, one panel per ordering, all methods, with current bounds."""
    method = headline_method(tree)
    names = [str(o) for o in tree[method].to_dataset()["ordering"].values]
    figure, grid = new_figure(4.2, 1, len(names), sharey=True, squeeze=False)
    for ax, ordering in zip(grid[0], names, strict=True):
        for name, alpha in (("fisher", 0.45), ("asimov", 1.0)):
            if name in tree.children:
                _error_lines(ax, tree[name].to_dataset(), ordering, name, alpha)
        if "ensemble" in tree.children:
            _ensemble_points(ax, tree["ensemble"].to_dataset(), ordering)
        draw_limits(ax, ordering)
        ax.set(xscale="log", yscale="log", xlabel=M1, title=f"{ordering} ordering")
    grid[0, 0].set_ylabel("σ(m₁) [meV]")
    grid[0, 0].legend(fontsize=7)
    return figure, (
        "Median expected half width of the 68 % confidence interval of m₁ (Δχ² = 1), at the "
        "study's own phases: from derivatives (Fisher, pale; hollow where a computed flag says it "
        "fails) and by profile likelihood of expectation data (Asimov); dots: standard deviation "
        "of fits to drawn data. " + comparison(tree) + limits_caption()
    )


def _error_lines(ax: Axes, cells: xarray.Dataset, ordering: str, name: str, alpha: float) -> None:
    for nature in cells["nature"].values:
        row = cells.sel(ordering=ordering, nature=nature).isel(setting=0)
        m1, error = row["m1_meV"].values, row["sigma_m1_meV"].values
        style = STYLES[str(nature)]
        label = f"{name}, {nature}"
        ax.plot(m1, error, label=label, color=COLOURS[ordering], ls=style, alpha=alpha)
        if "valid" in row:
            bad = row["valid"].values == 0.0
            ax.plot(m1[bad], error[bad], "o", mfc="none", color=COLOURS[ordering], ms=4)


def _ensemble_points(ax: Axes, cells: xarray.Dataset, ordering: str) -> None:
    rows = cells.sel(ordering=ordering)
    for nature in rows["nature"].values:
        spread = rows.sel(nature=nature)["best_m1_meV"].std("dataset", ddof=1)
        ax.plot(spread["m1_meV"], spread, ".", color="black", ms=4)


def draw_limits(ax: Axes, ordering: str) -> None:
    """Current bounds as vertical lines, with name and date."""
    for limit, m1 in _limits(ordering):
        ax.axvline(m1, color="0.4", ls=":", lw=1)
        text = f"{limit.name} ({limit.date})"
        place: dict[str, Any] = {"rotation": 90, "fontsize": 6, "ha": "right"}
        beside: dict[str, Any] = {
            "xytext": (-2.0, 0.0),
            "textcoords": "offset points",
            "annotation_clip": True,
        }
        corner = (m1, 0.02)
        written = ax.annotate(text, corner, xycoords=ax.get_xaxis_transform(), **beside, **place)
        written.set_in_layout(False)  # a bound may lie outside the axes


def _limits(ordering: str) -> list[tuple[Limit, float]]:
    table = load_oscillation(OSCILLATION)
    hypothesis: Ordering = "inverted" if ordering == "inverted" else "normal"
    parameters = make_parameters(0.0, hypothesis, "dirac", 0.0, 0.0, 0.0, table)
    found = [(limit, limit.on_m1_meV(parameters)) for limit in load_limits()]
    return [(limit, m1) for limit, m1 in found if np.isfinite(m1)]


def limits_caption() -> str:
    """Sources of the bounds, in words."""
    rows = [
        f"{li.name} {li.date}, {QUANTITIES[li.quantity]} < "
        f"{li.value_meV:g} meV at {100 * li.level:g} % {li.kind} level ({li.source})"
        for li in load_limits()
    ]
    return " Dotted: current bounds, converted to m₁; none where they leave no m₁: " + "; ".join(
        rows
    ) + "."  # fmt: skip


def exposure_figure(tree: xarray.DataTree) -> tuple[Figure, str]:
    """sigma(m1) against exposure as systematics are added."""
    steps, truth = tree["steps"].to_dataset(), _truth(tree)
    figure, ax = new_figure(3.9)
    names = ["statistics only", *(f"+ {n}" for n in json.loads(tree.attrs["systematics"]))]
    shades = np.linspace(0.75, 0.0, len(names))
    exposure = steps["curve_exposure_s"]
    for k, name in enumerate(names):
        curve = steps["curve_meV"][k]
        ax.loglog(exposure, curve, color=str(shades[k]), label=name)
    ax.axhline(float(tree.attrs["goal_meV"]), color="tab:red", lw=0.8)
    _mark_exposures(ax, tree, vertical=True)
    ax.set(xlabel="total exposure [s]", ylabel="σ(m₁) [meV]")
    ax.legend(fontsize=7)
    return figure, (
        f"Expected error of m₁ = {truth['m1_meV']:g} meV ({truth['ordering']}, {truth['nature']}) "
        "by Fisher information, median, as systematics are added. Red: the goal. Dotted: the "
        "study's exposure; dashed: the age of the universe."
    )


def _mark_exposures(ax: Axes, tree: xarray.DataTree, *, vertical: bool) -> None:
    draw = ax.axvline if vertical else ax.axhline
    draw(float(tree.attrs["exposure_s"]), color="0.4", ls=":", lw=1)
    draw(UNIVERSE_S, color="0.4", ls="--", lw=1)


def reach_figure(tree: xarray.DataTree) -> tuple[Figure, str]:
    """Discovery reach in the (m1, exposure) plane."""
    steps, truth = tree["steps"].to_dataset(), _truth(tree)
    figure, ax = new_figure(3.9)
    m1, exposure = steps["reach_m1_meV"].values, steps["curve_exposure_s"].values
    reach = steps["reach"].values.T
    if m1.size > 1 and np.nanmax(reach) > SIGMAS[0]:
        lines = ax.contour(m1, exposure, reach, levels=SIGMAS, colors=["0.6", "tab:blue", "black"])
        ax.clabel(lines, fmt=lambda level: f"{level:g}σ")
    ax.set(xscale="log", yscale="log", xlabel=M1, ylabel="total exposure [s]")
    if m1.size > 1:
        ax.set(xlim=(m1[0], m1[-1]), ylim=(exposure[0], _ceiling(exposure, reach)))
    _mark_exposures(ax, tree, vertical=False)
    draw_limits(ax, truth["ordering"])
    return figure, (
        "Exposure at which m₁ is found different from 0 (m₁/σ, median, Fisher with all included "
        f"systematics; {truth['ordering']} ordering, {truth['nature']}). Horizontal: the study's "
        f"exposure and the age of the universe, {UNIVERSE_S / YEAR_S:.3g} years." + limits_caption()
    )


def _ceiling(exposure_s: np.ndarray, reach: np.ndarray) -> float:
    """Exposure where the reach figure ends: beyond all its lines and the age of the universe."""
    short = np.any(reach < SIGMAS[-1], axis=1)
    last = float(exposure_s[short][-1]) if np.any(short) else 0.0
    return min(1e3 * max(last, UNIVERSE_S), float(exposure_s[-1]))


def band_figure(tree: xarray.DataTree) -> tuple[Figure, str]:
    """Peak field against m1 for both orderings, over the Majorana phases."""
    figure, ax = new_figure(3.9)
    for ordering, nature, row in _rows(tree["fisher"].to_dataset()):
        m1, peak = row["m1_meV"].values, row["peak_nG"].values
        if nature == "dirac":
            ax.plot(m1, peak[:, 0], color=COLOURS[ordering], label=f"{ordering}, Dirac")
        else:
            low, high = np.nanmin(peak, axis=1), np.nanmax(peak, axis=1)
            label = f"{ordering}, Majorana"
            ax.fill_between(m1, low, high, color=COLOURS[ordering], alpha=0.3, label=label)
    draw_limits(ax, _truth(tree)["ordering"])
    ax.set(xscale="log", xlabel=M1, ylabel="field at its largest angle [nG]")
    ax.legend(fontsize=7)
    return figure, (
        "Largest field over the angles at the detector against the lightest mass. Bands: the "
        "settings of the Majorana phases that the forecast covers, so the true band is a little "
        "wider. A Dirac neutrino has no such band." + limits_caption()
    )


def map_figure(tree: xarray.DataTree) -> tuple[Figure, str]:
    """Separation of a Majorana truth from Dirac against m1 and each phase."""
    figure, grid = new_figure(3.4, 1, len(MAP_AXES), sharey=True)
    shown: Any = None
    tops = [float(np.max(tree[f"map_{axis}"]["separation_nature"])) for axis in MAP_AXES]
    for ax, axis in zip(grid, MAP_AXES, strict=True):
        part = tree[f"map_{axis}"].to_dataset()
        m1, phase = part["map_m1_meV"].values, part["map_phase_deg"].values
        values = part["separation_nature"].values
        limits = {"vmin": 0.0, "vmax": max(tops)}
        shown = ax.pcolormesh(phase, m1, values, shading="nearest", **FLAT, **limits)
        ax.set(yscale="log", xlabel=PHASES[axis], xticks=(0, 180, 360))
    grid[0].set_ylabel(M1)
    figure.colorbar(shown, ax=list(grid), label="Dirac excluded [σ]")
    return figure, (
        "Median separation of a Majorana truth from the Dirac hypothesis, √Δχ² by Fisher "
        f"information, {_truth(tree)['ordering']} ordering, against m₁ and one phase, the others "
        "as in the study. Only α₂₁ and α₃₁ − 2δ count: the map in δ is that in α₃₁, "
        "mirrored, at half the period."
    )


def phase_figure(tree: xarray.DataTree) -> tuple[Figure, str]:
    """Number of measurable combinations, and the separation, over the phases."""
    phases = tree["phases"].to_dataset()
    first = phases.isel(ordering=0)
    figure, grid = new_figure(3.4, 1, 2, sharey=True)
    x, y = first["grid_effective_deg"].values, first["grid_alpha21_deg"].values
    columns = (("measurable", "measurable combinations"), ("separation_nature", "σ from Dirac"))
    for ax, (name, label) in zip(grid, columns, strict=True):
        top = 2.0 if name == "measurable" else None
        shown = ax.pcolormesh(
            x, y, first[name].values, shading="nearest", **FLAT, vmin=0.0, vmax=top
        )
        ax.set(xlabel="α₃₁ − 2δ [deg]", title=label)
        figure.colorbar(shown, ax=ax)
    grid[0].set_ylabel("α₂₁ [deg]")
    return figure, (
        "Left: number of combinations of the phases that the data fix to better than half the "
        "spread of a uniform phase (eigenvalues of the Fisher matrix, all else profiled). The "
        "direction (δ, α₂₁, α₃₁) ∝ (1, 0, 2) is never measured, and the field is even: both signs "
        f"fit. Right: separation from Dirac. {first['ordering'].item()!s} ordering, m₁ = "
        f"{_truth(tree)['m1_meV']:g} meV, Majorana."
    )


def impact_figure(tree: xarray.DataTree) -> tuple[Figure, str]:
    """Impact of each systematic, and the error as they are added."""
    steps, names = tree["steps"].to_dataset(), json.loads(tree.attrs["systematics"])
    figure, (left, right) = new_figure(3.2, 1, 2)
    rows = ["statistics", *(f"+ {n}" for n in names)]
    _pair_of_bars(left, rows, steps, "sigma_m1_meV", slice(None))
    left.legend(fontsize=7)
    left.invert_yaxis()
    left.set(xlabel="σ(m₁) [meV]", title="added one by one")
    if names:
        order = np.argsort(np.nan_to_num(steps["asimov_impact_meV"].values))
        _pair_of_bars(right, [names[k] for k in order], steps, "impact_meV", order)
    right.set(xlabel="impact on σ(m₁) [meV]", title="ranking")
    return figure, (
        "Left: expected error of m₁ at the study's truth as systematics are added, median. Right: "
        "the root of what the variance would lose if one alone were known exactly. Fisher does not "
        "see phases where CP is conserved."
    )


def _pair_of_bars(
    ax: Axes, names: list[str], steps: xarray.Dataset, column: str, order: Any
) -> None:
    """Horizontal bars by both methods."""
    places = np.arange(len(names))
    for shift, prefix, colour, label in (
        (-0.2, "", "#9fc3dd", "Fisher"),
        (0.2, "asimov_", "#0072B2", "Asimov"),
    ):
        values = steps[f"{prefix}{column}"].values[order]
        ax.barh(places + shift, values, 0.38, color=colour, label=label)
    ax.set_yticks(places, names)
