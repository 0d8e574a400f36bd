"""Masses of other experiments against the lightest: what oscillations leave, what is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from renp_infer.figures import densities
from renp_infer.figures import drawing as plots
from renp_infer.figures.plate import M1, Plate, new_figure, plate
from renp_infer.inference.fit import DERIVED
from renp_infer.inference.knowledge.mass_bands import (
    ORDERINGS,
    SIGMAS,
    MassBand,
    double_beta_band,
    sum_band,
)
from renp_infer.inference.knowledge.published_limits import Limit, load_limits
from renp_infer.inference.parameters import DOUBLE_BETA, MASS, PARAMETERS, SUM
from renp_infer.physics.neutrinos import OscillationTable, load_oscillation
from renp_infer.records import FloatArray
from renp_infer.verbs.evaluate.figures import caption_tail, stamp
from renp_infer.verbs.infer.assumptions import used_uppers
from renp_infer.verbs.infer.figures import draws
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.infer.words import constraints_of, constraints_sentence

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

COLOURS = {"normal": plots.BLUE, "inverted": plots.VERMILION}
MASSES_MEV = (0.1, 1000.0)
LEAST_MEV = 0.1
_POINTS = 241
_QUANTITIES = {SUM: "sum", DOUBLE_BETA: "m_betabeta"}
"""Those of the limits, by the name of what they limit."""
_DECADES = 0.02
"""Narrowest region that is still seen."""


def mass_plates(run: Run) -> list[Plate]:
    """Both figures; of Dirac neutrinos the sum alone, and none where nothing was derived."""
    tree = run.get(InferResult).tree
    derived = set(tree[DERIVED].data_vars) if DERIVED in tree.children else set()
    shown = [
        ("sum", "Sum of the masses", SUM, sum_figure),
        ("double-beta", "Effective mass of double beta decay", DOUBLE_BETA, double_beta_figure),
    ]
    return [plate(key, title, draw, run) for key, title, name, draw in shown if name in derived]


def sum_figure(run: Run) -> tuple[Figure, str]:
    """Sum of the masses against the lightest."""
    figure, ax = new_figure(3.9)
    _bands(ax, {ordering: sum_band(_table(run), ordering, _grid()) for ordering in ORDERINGS})
    ax.set_ylim(40.0, 3.0 * MASSES_MEV[1])
    return figure, _finished(ax, run, SUM, "sum of the three masses", "")


def double_beta_figure(run: Run) -> tuple[Figure, str]:
    """Effective mass of double beta decay against the lightest mass."""
    figure, ax = new_figure(3.9)
    table, grid = _table(run), _grid()
    _bands(ax, {ordering: double_beta_band(table, ordering, grid) for ordering in ORDERINGS})
    ax.set_ylim(LEAST_MEV, MASSES_MEV[1])
    return figure, _finished(
        ax, run, DOUBLE_BETA, "effective mass of double beta decay", " and all phases"
    )


def _table(run: Run) -> OscillationTable:
    return load_oscillation(run.study["neutrino"]["oscillation"])


def _grid() -> FloatArray:
    return np.geomspace(*MASSES_MEV, _POINTS)


def _bands(ax: Axes, bands: dict[str, MassBand]) -> None:
    for ordering, band in bands.items():
        low = np.maximum(band.low, 1e-3 * LEAST_MEV)
        label = f"{ordering} ordering"
        ax.fill_between(_grid(), low, band.high, color=COLOURS[ordering], alpha=0.3, lw=0,
                        label=label)  # fmt: skip


def _finished(ax: Axes, run: Run, name: str, words: str, beside: str) -> str:
    """Posterior, limits and axes; the caption."""
    ax.set(xscale="log", yscale="log", xlim=MASSES_MEV, xlabel=M1, ylabel=PARAMETERS.text(name))
    _posterior(ax, run, name)
    limits = [limit for limit in load_limits() if limit.quantity == _QUANTITIES[name]]
    uppers = used_uppers(run).get(name, [])
    for limit in limits:
        _draw_limit(ax, limit, used=limit.value_meV in uppers)
    ax.legend(loc="upper left", fontsize=8)
    stamp(ax, run)
    said = "; ".join(limit.sentence for limit in limits)
    used = constraints_sentence(constraints_of(run))
    depends = f" ({used[0].lower()}{used[1:]})" if used else ", of which nothing here depends"
    return (
        f"The {words} against the lightest mass. Shaded: what oscillations leave in either "
        f"ordering, within {SIGMAS:g} standard errors{beside}. Contours: 68 % and 95 % of the "
        f"posterior, of {run.study['neutrino']['ordering']} ordering. Dotted, or whole where in "
        f"use: published upper limits{depends}: {said}.{caption_tail(run)}"
    )


def _posterior(ax: Axes, run: Run, name: str) -> None:
    pairs = [draws(run, group, n).ravel() for group, n in (("posterior", MASS), (DERIVED, name))]
    x, y = (np.log10(np.maximum(values, 1e-2 * LEAST_MEV)) for values in pairs)
    reflect = ("reflect", "reflect")
    densities.draw_pair(ax, x, y, (_reach(x), _reach(y)), reflect, decades=True)


def _reach(values: FloatArray) -> tuple[float, float]:
    """Nearly all of the draws (n,), with room."""
    low, high = np.quantile(values, (0.001, 0.999))
    pad = max(0.05 * (high - low), _DECADES)
    return float(low - pad), float(high + pad)


def _draw_limit(ax: Axes, limit: Limit, *, used: bool) -> None:
    """Whole and with a word where it is in use, dotted where it is only shown."""
    if limit.low_meV is not None:
        ax.axhspan(limit.low_meV, limit.value_meV, color="0.5", alpha=0.15, lw=0)
    ax.axhline(limit.value_meV, color="0.4", ls="-" if used else ":", lw=1)
    text = f"{limit.name} ({limit.date}{', in use' if used else ''})"
    place = (0.99, limit.value_meV)
    ax.annotate(text, place, xycoords=ax.get_yaxis_transform(), fontsize=6, ha="right", va="bottom")
