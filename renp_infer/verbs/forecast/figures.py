"""The figures of a forecast, each with a caption that stands alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from renp_infer.figures.drawing import axis_scale, number, spread
from renp_infer.figures.plate import M1, Plate, new_figure, plate
from renp_infer.inference.knowledge.published_limits import Limit, load_limits
from renp_infer.physics.constants import YEAR_S
from renp_infer.physics.neutrinos import Ordering, load_oscillation, make_parameters
from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.quantities import EnsembleCell, FisherCell, Method
from renp_infer.verbs.forecast.result import ByTruth, ForecastAbout, ForecastResult
from renp_infer.verbs.forecast.summary import (
    comparison,
    first_setting,
    headline,
    required_precision,
)

Maker = Callable[[ForecastResult], tuple[Figure, str]]
COLOURS = {"normal": "#0072B2", "inverted": "#D55E00"}
STYLES = {"dirac": "-", "majorana": "--"}
PHASES = {"alpha21": "α₂₁ [deg]", "alpha31": "α₃₁ [deg]", "delta": "δ [deg]"}
SIGMAS = (1.0, 3.0, 5.0)
FLAT: dict[str, Any] = {"edgecolors": "face", "linewidth": 0.3, "cmap": "viridis"}
"""Cells of a map without seams between them."""
UNIVERSE_S = 4.35e17
LAST_S = 10.0 * UNIVERSE_S
"""Where axes of exposures end: nobody measures longer."""
_GAP = 0.06
"""Between names of lines, in heights of the axes."""
OSCILLATION = "nufit-6.0"


def forecast_plates(found: ForecastResult) -> list[Plate]:
    """All figures that a forecast has the numbers for."""
    makers: list[tuple[str, str, object, Maker]] = [
        ("error", "Expected error of the mass", headline(found), error_figure),
        ("exposure", "Error against exposure", found.steps, exposure_figure),
        ("reach", "Discovery reach", found.steps, reach_figure),
        ("bands", "Magnetization bands", found.fisher, band_figure),
        ("maps", "Dirac or Majorana", found.maps, map_figure),
        ("phases", "What CP phases do", found.phases, phase_figure),
        ("impact", "Systematics", found.steps, impact_figure),
    ]
    return [
        plate(f"forecast-{key}", title, functools.partial(_with_tail, maker), found)
        for key, title, basis, maker in makers
        if basis
    ]


def _with_tail(maker: Maker, found: ForecastResult) -> tuple[Figure, str]:
    figure, caption = maker(found)
    return figure, caption + _tail(found.about)


def _tail(about: ForecastAbout) -> str:
    return (
        f" Preset {about.preset}; the noise is {about.noise}; "
        f"{number(about.exposure_s)} s in total, shared by {about.angles} "
        "angles, unless an axis says otherwise; numbers are for all angles together."
    )


def error_figure(found: ForecastResult) -> tuple[Figure, str]:
    """sigma(m1) against m1, one panel per ordering, all methods, with current bounds."""
    names = next(table.axes.ordering for table in (found.asimov, found.fisher) if table)
    figure, grid = new_figure(4.2, 1, len(names), sharey=True, squeeze=False)
    for ax, ordering in zip(grid[0], names, strict=True):
        if found.fisher is not None:
            _error_lines(ax, found.fisher, ordering, "fisher", 0.45)
        if found.asimov is not None:
            _error_lines(ax, found.asimov, ordering, "asimov", 1.0)
        if found.ensemble is not None:
            _ensemble_points(ax, found.ensemble, ordering)
        draw_limits(ax, ordering)
        ax.set(xscale="log", yscale="log", xlabel=M1, title=f"{ordering} ordering")
    grid[0, 0].set_ylabel("σ(m₁) [meV]")
    grid[0, 0].legend(fontsize=7)
    return figure, (
        "Median expected half width of the 68 % confidence interval of m₁ (Δχ² = 1), at the "
        "study's own phases: from derivatives (Fisher, pale; hollow where a computed flag says it "
        "fails) and by profile likelihood of expectation data (Asimov); dots: standard deviation "
        "of fits to drawn data. " + comparison(found) + limits_caption()
    )


def _error_lines(ax: Axes, table: ByTruth[Any], ordering: str, name: Method, alpha: float) -> None:
    m1 = np.array(table.axes.m1_meV)
    for nature in table.axes.nature:
        cells = first_setting(table.at(ordering, nature))
        error, label = cells.sigma_m1_meV, f"{name}, {nature}"
        style = STYLES[nature]
        ax.plot(m1, error, label=label, color=COLOURS[ordering], ls=style, alpha=alpha)
        if isinstance(cells, FisherCell):
            bad = cells.error.valid == 0.0
            ax.plot(m1[bad], error[bad], "o", mfc="none", color=COLOURS[ordering], ms=4)


def _ensemble_points(ax: Axes, table: ByTruth[EnsembleCell[FloatArray]], ordering: str) -> None:
    for nature in table.axes.nature:
        estimates = np.ma.masked_invalid(table.at(ordering, nature).best_m1_meV)
        spread = estimates.std(axis=-1, ddof=1).filled(np.nan)
        ax.plot(table.axes.m1_meV, spread, ".", color="black", ms=4)


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
    rows = "; ".join(limit.sentence for limit in load_limits())
    return (
        " Dotted: current bounds, converted to m₁; none where they leave no m₁, that of double "
        f"beta decay for Majorana neutrinos of any phases, at its weakest: {rows}."
    )


def exposure_figure(found: ForecastResult) -> tuple[Figure, str]:
    """sigma(m1) against exposure as systematics are added."""
    about, steps = found.about, needed(found.steps)
    figure, ax = new_figure(3.9)
    names = ["statistics only", *(f"+ {name}" for name in about.systematics)]
    shades = np.linspace(0.75, 0.0, len(names))
    kept = steps.curve_exposure_s <= LAST_S
    for name, shade, curve in zip(names, shades, steps.curve_meV, strict=True):
        ax.loglog(steps.curve_exposure_s[kept], curve[kept], color=str(shade), label=name)
    ax.axhline(about.goal_meV, color="tab:red", lw=0.8)
    _mark_exposures(ax.axvline, about)
    ax.set(xlabel="total exposure [s]", ylabel="σ(m₁) [meV]")
    ax.legend(fontsize=7, loc="lower left")
    truth = about.truth
    return figure, (
        f"Expected error of m₁ = {truth.m1_meV:g} meV ({truth.ordering}, {truth.nature}) "
        "by Fisher information, median, as systematics are added. Red: the goal. Dotted: the "
        "study's exposure; dashed: the age of the universe."
    )


def _mark_exposures(draw: Callable[..., object], about: ForecastAbout) -> None:
    draw(about.exposure_s, color="0.4", ls=":", lw=1)
    draw(UNIVERSE_S, color="0.4", ls="--", lw=1)


def reach_figure(found: ForecastResult) -> tuple[Figure, str]:
    """Discovery reach in the (m1, exposure) plane."""
    steps, truth = needed(found.steps), found.about.truth
    figure, ax = new_figure(3.9)
    kept = steps.curve_exposure_s <= LAST_S
    m1, exposure, reach = steps.reach_m1_meV, steps.curve_exposure_s[kept], steps.reach.T[kept]
    ax.set(xscale="log", yscale="log", xlabel=M1, ylabel="total exposure [s]")
    if m1.size > 1:
        ax.set(xlim=(m1[0], m1[-1]), ylim=(exposure[0], exposure[-1]))
    if m1.size > 1 and np.nanmax(reach) > SIGMAS[0]:
        lines = ax.contour(m1, exposure, reach, levels=SIGMAS, colors=["0.6", "tab:blue", "black"])
        _name_lines(ax, [f"{sigmas:g}σ" for sigmas in SIGMAS], lines.allsegs)
    else:
        beyond = f"no {SIGMAS[0]:g}σ within ten times the age of the universe"
        ax.text(0.5, 0.5, beyond, transform=ax.transAxes, ha="center")
    _mark_exposures(ax.axhline, found.about)
    draw_limits(ax, truth.ordering)
    return figure, (
        "Exposure at which m₁ is found different from 0 (m₁/σ, median, Fisher with all included "
        f"systematics; {truth.ordering} ordering, {truth.nature}). Horizontal: the study's "
        f"exposure and the age of the universe, {number(UNIVERSE_S / YEAR_S, 3)} years."
        + limits_caption()
    )


def _name_lines(ax: Axes, names: Sequence[str], lines: Sequence[Sequence[FloatArray]]) -> None:
    """Names on the right, each where its line ends, so that they cut no line and no name."""
    ends = []
    for name, paths in zip(names, lines, strict=True):
        if points := [path for path in paths if path.size]:
            x, y = max(np.concatenate(points), key=lambda point: (point[0], point[1]))
            ends.append((float((ax.transScale + ax.transLimits).transform((x, y))[1]), name))
    ends.sort()
    for place, (_, name) in zip(spread([end for end, _ in ends], _GAP), ends, strict=True):
        ax.annotate(name, (1.01, place), xycoords="axes fraction", va="center")


def band_figure(found: ForecastResult) -> tuple[Figure, str]:
    """Peak field against m1 for both orderings, over the Majorana phases."""
    figure, ax = new_figure(3.9)
    cells = needed(found.fisher)
    factor, unit = axis_scale(np.nan_to_num(cells.values.peak_nG), "nG")
    for ordering, nature, row in cells.hypotheses():
        m1, peak = cells.axes.m1_meV, factor * row.peak_nG
        if nature == "dirac":
            ax.plot(m1, peak[:, 0], color=COLOURS[ordering], label=f"{ordering}, Dirac")
        else:
            low, high = np.nanmin(peak, axis=1), np.nanmax(peak, axis=1)
            label = f"{ordering}, Majorana"
            ax.fill_between(m1, low, high, color=COLOURS[ordering], alpha=0.3, label=label)
    draw_limits(ax, found.about.truth.ordering)
    ax.set(xscale="log", xlabel=M1, ylabel=f"field at its largest angle [{unit}]")
    ax.legend(fontsize=7)
    return figure, (
        "Largest field over the angles at the detector against the lightest mass. Bands: the "
        "settings of the Majorana phases that the forecast covers, so the true band is a little "
        "wider. A Dirac neutrino has no such band." + limits_caption()
    )


def map_figure(found: ForecastResult) -> tuple[Figure, str]:
    """Separation of a Majorana truth from Dirac against m1 and each phase."""
    figure, grid = new_figure(3.4, 1, len(found.maps), sharey=True, squeeze=False)
    whole = np.concatenate([part.separation_nature.ravel() for part in found.maps.values()])
    top = float(np.nanmax(whole, initial=0.0))
    shown: Any = None
    for ax, (axis, part) in zip(grid[0], found.maps.items(), strict=True):
        _hatched(ax)
        shown = ax.pcolormesh(
            part.map_phase_deg,
            part.map_m1_meV,
            part.separation_nature,
            shading="nearest",
            **FLAT,
            vmin=0.0,
            vmax=top,
        )
        ax.set(yscale="log", xlabel=PHASES[axis], xticks=(0, 180, 360))
    grid[0, 0].set_ylabel(M1)
    figure.colorbar(shown, ax=list(grid[0]), label="Dirac excluded [σ]")
    return figure, (
        "Median separation of a Majorana truth from the Dirac hypothesis, √Δχ² by profile "
        f"likelihood, {found.about.truth.ordering} ordering, against m₁ and one phase, the others "
        "as in the study; hatched: unknown, the searches for the Dirac fit do not agree. "
        "Only α₂₁ and α₃₁ − 2δ count: the map in δ is that in α₃₁, "
        "mirrored, at half the period."
    )


def phase_figure(found: ForecastResult) -> tuple[Figure, str]:
    """Number of measurable combinations, and the separation, over the phases."""
    phases = needed(found.phases)
    ordering = phases.axes.ordering[0]
    first = phases.at(ordering)
    figure, grid = new_figure(3.4, 1, 2, sharey=True)
    columns = (
        (first.measurable, "measurable combinations", 2.0),
        (first.separation_nature, "σ from Dirac", None),
    )
    for ax, (values, label, top) in zip(grid, columns, strict=True):
        _hatched(ax)
        shown = ax.pcolormesh(
            first.grid_effective_deg,
            first.grid_alpha21_deg,
            values,
            shading="nearest",
            **FLAT,
            vmin=0.0,
            vmax=top,
        )
        ax.set(xlabel="α₃₁ − 2δ [deg]", title=label)
        figure.colorbar(shown, ax=ax)
    grid[0].set_ylabel("α₂₁ [deg]")
    return figure, (
        "Left: number of combinations of the phases that the data fix to better than half the "
        "spread of a uniform phase (eigenvalues of the Fisher matrix, all else profiled). The "
        "direction (δ, α₂₁, α₃₁) ∝ (1, 0, 2) is never measured, and the field is even: both signs "
        f"fit. Right: separation from Dirac by profile likelihood, hatched where unknown. "
        f"{ordering} ordering, m₁ = {found.about.truth.m1_meV:g} meV, Majorana."
    )


def _hatched(ax: Axes) -> None:
    """Hatch what a map leaves open."""
    ax.patch.set(facecolor="0.95", edgecolor="0.6", hatch="////")


def impact_figure(found: ForecastResult) -> tuple[Figure, str]:
    """Impact of each systematic, and the error as they are added."""
    steps, names = needed(found.steps), found.about.systematics
    figure, (left, right) = new_figure(3.2, 1, 2)
    rows = ["statistics", *(f"+ {name}" for name in names)]
    _pair_of_bars(left, rows, steps.sigma_m1_meV, steps.asimov_sigma_m1_meV)
    left.legend(fontsize=7)
    left.invert_yaxis()
    left.set(xlabel="σ(m₁) [meV]", title="added one by one")
    if names:
        ranks = required_precision(found)[::-1]
        fisher = np.array([row.halving_meV for row in ranks])
        asimov = np.array([row.asimov_halving_meV for row in ranks])
        _pair_of_bars(right, [row.systematic for row in ranks], fisher, asimov)
    right.set(xlabel="gain of σ(m₁), priors halved [meV]", title="ranking")
    return figure, (
        "Left: expected error of m₁ at the study's truth as systematics are added, median. Right: "
        "what it would lose if the priors of one were half as wide (phases, by Asimov: if they "
        "were known). Fisher does not see phases where CP is conserved."
    )


def _pair_of_bars(ax: Axes, names: list[str], fisher: FloatArray, asimov: FloatArray) -> None:
    """Horizontal bars by both methods."""
    places = np.arange(len(names))
    ax.barh(places - 0.2, fisher, 0.38, color="#9fc3dd", label="Fisher")
    ax.barh(places + 0.2, asimov, 0.38, color="#0072B2", label="Asimov")
    ax.set_yticks(places, names)


def needed[R](found: R | None) -> R:
    """What ``forecast_plates`` made sure of."""
    assert found is not None
    return found
