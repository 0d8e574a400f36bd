"""Posteriors of several runs in the same panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from renp_infer.figures import densities
from renp_infer.figures import drawing as plots
from renp_infer.figures.plate import WIDTH, Plate, new_figure, plate
from renp_infer.inference.fit import DERIVED
from renp_infer.inference.parameters import DOUBLE_BETA, MASS, PARAMETERS, SUM
from renp_infer.records import FloatArray
from renp_infer.verbs.evaluate.figures import normalised_label
from renp_infer.verbs.infer.figures import draws, free_parameters
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.infer.words import mass_bounds

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

MOST = len(plots.RUN_STYLES)
"""Runs that one panel can tell apart."""
SHOWN = (MASS, SUM, "m_beta_meV", DOUBLE_BETA)
CORNER = 4
"""Parameters of the corner of several runs: m1 and those that go with it most."""
_EVERYWHERE = (-np.inf, np.inf)


@dataclass(frozen=True)
class RunCurve:
    """One run in a panel: its number on the page, and how it is drawn."""

    index: int
    run: Run
    colour: str
    dashes: Any

    @property
    def label(self) -> str:
        """As a legend names it."""
        extra = normalised_label(self.run)
        return f"run {self.index}, {self.run.name}" + (f", {extra}" if extra else "")

    def values(self, name: str) -> FloatArray:
        """Draws of a parameter or of what follows from the parameters, (n,)."""
        group = "posterior" if name in free_parameters(self.run) else DERIVED
        found = draws(self.run, group, name).ravel()
        return found % 360.0 if name in PARAMETERS.phases else found

    def bounds(self, name: str) -> tuple[float, float]:
        """Hard bounds of a parameter; no mass is below 0."""
        if name in PARAMETERS.phases:
            return 0.0, 360.0
        if name == MASS:
            return mass_bounds(self.run)
        return (0.0, np.inf) if name in SHOWN else _EVERYWHERE

    def names(self) -> set[str]:
        """What it has draws of."""
        tree = self.run.get(InferResult).tree
        derived = tree[DERIVED].data_vars if DERIVED in tree.children else ()
        return {*free_parameters(self.run), *map(str, derived)}


def overlay_plates(runs: Sequence[Run]) -> list[Plate]:
    """Densities and corner of the runs with a posterior; none unless there are two of them."""
    inferred = [
        (k, run) for k, run in enumerate(runs, start=1) if run.find(InferResult) is not None
    ]
    if len(inferred) < 2:
        return []
    curves = [
        RunCurve(k, run, *style)
        for (k, run), style in zip(inferred, plots.RUN_STYLES, strict=False)
    ]
    left_out = len(inferred) - len(curves)
    return [
        plate("overlay-masses", "Masses, run by run", lambda c: masses(c, left_out), curves),
        plate("overlay-corner", "Parameters, run by run", lambda c: corner(c, left_out), curves),
    ]


def masses(curves: Sequence[RunCurve], left_out: int) -> tuple[Figure, str]:
    """Densities of m1 and of the masses of other experiments."""
    shown = [name for name in SHOWN if any(name in curve.names() for curve in curves)]
    rows = -(-len(shown) // 2)
    figure, grid = new_figure(0.8 + 2.4 * rows, rows, 2, squeeze=False)
    for ax, name in zip(grid.ravel(), shown, strict=False):
        for curve in curves:
            if name in curve.names():
                _density(ax, curve, name)
        ax.set(xlabel=PARAMETERS.text(name), yticks=[], ylim=(0, None))
        ax.spines["left"].set_visible(False)
    for ax in grid.ravel()[len(shown) :]:
        ax.set_axis_off()
    _legend(figure, curves)
    return figure, (
        "Posterior densities, each of area 1, of the lightest mass and of what other experiments "
        f"measure.{_fewer(left_out)}"
    )


def corner(curves: Sequence[RunCurve], left_out: int) -> tuple[Figure, str]:
    """Pairs of the parameters that all runs have."""
    names = shared(curves)
    size = len(names)
    figure = Figure(figsize=(WIDTH, 0.9 * WIDTH))
    grid: Any = figure.subplots(size, size, squeeze=False)
    figure.subplots_adjust(left=0.12, right=0.98, bottom=0.1, top=0.88, wspace=0.07, hspace=0.07)
    limits = {name: _limits(curves, name) for name in names}
    for i, j in np.ndindex(size, size):
        ax, x, y = grid[i, j], names[j], names[i]
        if j > i:
            ax.remove()
            continue
        for curve in curves:
            if i == j:
                _density(ax, curve, x)
            else:
                densities.draw_outline(
                    ax, curve.values(x), curve.values(y), (limits[x], limits[y]),
                    (_mode(x), _mode(y)), curve.colour, curve.dashes,
                )  # fmt: skip
        _ticks(ax, i, j, names, limits)
    figure.align_labels()
    _legend(figure, curves)
    return figure, (
        "Outlines of regions with 68 % (thick) and 95 % (thin) of the draws, of m₁ and of the "
        f"parameters of all these runs that go with it most.{_fewer(left_out)}"
    )


def shared(curves: Sequence[RunCurve]) -> list[str]:
    """m1, and what all runs have and goes with it most in any of them."""
    common = set.intersection(*(set(free_parameters(curve.run)) for curve in curves))
    others = [name for name in PARAMETERS.names if name in common and name not in _left_out()]

    def together(name: str) -> float:
        return max(
            abs(np.corrcoef(curve.values(MASS), curve.values(name))[0, 1]) for curve in curves
        )

    strongest = sorted(others, key=together, reverse=True)[: CORNER - 1]
    return [MASS, *(name for name in others if name in strongest)]


def _left_out() -> set[str]:
    """The mass itself, and phases, whose correlation is no number."""
    return {MASS, *PARAMETERS.phases}


def _density(ax: Axes, curve: RunCurve, name: str) -> None:
    circular = name in PARAMETERS.phases
    places, density = densities.bounded_density(
        curve.values(name), *curve.bounds(name), circular=circular
    )
    ax.plot(places, density, color=curve.colour, ls=curve.dashes, lw=1.6, label=curve.label)


def _limits(curves: Sequence[RunCurve], name: str) -> tuple[float, float]:
    ends = [np.quantile(curve.values(name), (0.001, 0.999)) for curve in curves]
    low, high = float(np.min(ends)), float(np.max(ends))
    pad = 0.05 * (high - low) or 1.0
    bounds = [curve.bounds(name) for curve in curves]
    return max(low - pad, min(b[0] for b in bounds)), min(high + pad, max(b[1] for b in bounds))


def _mode(name: str) -> str:
    return "wrap" if name in PARAMETERS.phases else "reflect"


def _ticks(
    ax: Axes, i: int, j: int, names: Sequence[str], limits: dict[str, tuple[float, float]]
) -> None:
    """Labels at the left and the lower edge alone."""
    ax.tick_params(labelsize=7)
    ax.locator_params(nbins=3)
    ax.set_xlim(*limits[names[j]])
    if i != j:
        ax.set_ylim(*limits[names[i]])
    else:
        ax.set(yticks=[], ylim=(0, None))
        ax.spines["left"].set_visible(False)
    last = i == len(names) - 1
    ax.tick_params(labelbottom=last, labelleft=j == 0 and i != j)
    if last:
        ax.set_xlabel(_label(names[j]), fontsize=8)
    if j == 0 and i != j:
        ax.set_ylabel(_label(names[i]), fontsize=8)


def _label(name: str) -> str:
    text, unit = PARAMETERS.label(name)
    return f"{text}\n[{unit}]" if unit else text


def _legend(figure: Figure, curves: Sequence[RunCurve]) -> None:
    lines = [Line2D([], [], color=c.colour, ls=c.dashes, lw=1.6) for c in curves]
    figure.legend(lines, [c.label for c in curves], loc="outside upper left" if
                  figure.get_layout_engine() else "upper right", fontsize=8.5)  # fmt: skip


def _fewer(left_out: int) -> str:
    return f" The last {left_out} of the runs are not drawn here." if left_out else ""
