"""The figures of a search: convergence, maps of the utility, layout, front, robustness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from renp_infer.design.searches.search import Trial
from renp_infer.design.utilities.measures import MEASURES, direction
from renp_infer.design.utilities.utility import Utility
from renp_infer.figures.drawing import (
    BAND_68,
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILION,
    number,
)
from renp_infer.figures.plate import M1, Plate, new_figure, plate
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.study.design_tables import with_keys
from renp_infer.study.load import load_study
from renp_infer.verbs.optimize.layout_figure import layout_figure
from renp_infer.verbs.optimize.maps import Surface, draw_maps
from renp_infer.verbs.optimize.result import FrontMember, OptimizeResult

Maker = Callable[[OptimizeResult], tuple[Figure, str]]
STYLES = {
    "skopt": (BLUE, "-"), "botorch": (GREEN, "-."), "sobol": (ORANGE, "--"), "random": (BLACK, ":"),
    "sklearn": (PURPLE, "-"),
}  # fmt: skip
MARKS = "osD^v"
LOSS = 0.1
"""Trials of a map that lose no more than this are ringed, where the study says nothing."""
WIDE = 10.0
"""Objectives of which less is better get a logarithmic axis over ranges beyond this factor."""


def design_plates(found: OptimizeResult, study: Mapping[str, Any]) -> list[Plate]:
    """All figures that a search of a resolved study has the numbers for."""
    robust = found.robustness is not None

    def layout(found: OptimizeResult) -> tuple[Figure, str]:
        return best_layout(found, study)

    makers: list[tuple[str, str, bool, Maker]] = [
        ("convergence", "Search", bool(found.trials), convergence),
        ("maps", "Utility over the design", _mapped(found), maps),
        ("layout", "Best layout, to scale", _laid_out(found), layout),
        ("information", "Information by angle", robust, information),
        ("front", "Pareto front", bool(found.front), front),
        ("tolerances", "How well it must be set", robust, tolerances),
        ("truths", "Over the unknowns", robust, truths),
    ]
    return [
        plate(f"design-{key}", title, maker, found) for key, title, there, maker in makers if there
    ]


def label_of(name: str, *, per_cost: bool = False) -> str:
    """An objective in words, with its unit."""
    unit = MEASURES[name].unit
    if per_cost and name not in ("cost", "min_spacing_deg"):
        unit = f"{unit or '1'} / {MEASURES['cost'].unit}"
    return MEASURES[name].words + (f" [{unit}]" if unit else "")


def _axis_of(ax: Any, found: OptimizeResult, name: str, which: str) -> None:
    """Name an axis after an objective, logarithmic where scores are."""
    text = label_of(name, per_cost=found.per_cost)
    ax.set(**{f"{which}label": text})
    low, high = getattr(ax, f"get_{which}lim")()
    if direction(name) < 0 and low > 0.0 and high > WIDE * low:
        ax.set(**{f"{which}scale": "log"})


def convergence(found: OptimizeResult) -> tuple[Figure, str]:
    """Best so far against evaluations: median and quartiles over repeats, by optimizer."""
    figure, ax = new_figure(3.6)
    name, up = found.objective, direction(found.objective)
    counts = {}
    for optimizer in dict.fromkeys(t.optimizer for t in found.trials):
        runs = _best_so_far(found, optimizer)
        counts[optimizer] = len(runs)
        middle, low, high = (np.quantile(runs, q, axis=0) for q in (0.5, 0.25, 0.75))
        steps = np.arange(1, runs.shape[1] + 1)
        colour, dash = STYLES[optimizer]
        ax.step(steps, middle, where="post", color=colour, ls=dash, label=optimizer)
        ax.fill_between(steps, low, high, step="post", color=colour, alpha=0.18, lw=0)
    best = max if up > 0 else min
    polished = [u.value for u in _polished(found) if u.known]
    if polished:
        ax.axhline(best(polished), color=VERMILION, ls=(0, (5, 1, 1, 1)), label="after polish")
    ax.set(xlabel="evaluations")
    _axis_of(ax, found, name, "y")
    ax.legend()
    repeats = ", ".join(f"{n}: {c}" for n, c in counts.items())
    return figure, (
        "Best utility so far against the number of evaluations, polish left out: median over "
        f"repeats, band from lower to upper quartile (repeats: {repeats}). The polish starts from "
        "the best of the search. Values are those of the search, with its truths and noise."
    )


def _polished(found: OptimizeResult) -> list[Utility]:
    rows = [row.trial for row in found.trials if row.trial.stage == "polish"]
    return [trial.utility(found.objective) for trial in rows]


def _best_so_far(found: OptimizeResult, optimizer: str) -> np.ndarray:
    """Best value after each evaluation, shape (repeats, evaluations)."""
    name, up = found.objective, direction(found.objective)
    own = [t for t in found.trials if t.optimizer == optimizer and t.trial.stage != "polish"]
    runs = []
    for repeat in dict.fromkeys(t.repeat for t in own):
        values = [t.trial.utility(name) for t in own if t.repeat == repeat]
        numbers = np.array([up * u.value if u.known else -np.inf for u in values])
        runs.append(up * np.maximum.accumulate(numbers))
    shortest = min(map(len, runs))
    cut = np.array([run[:shortest] for run in runs])
    return np.where(np.isfinite(cut), cut, np.nan)


def _mapped(found: OptimizeResult) -> bool:
    """Whether there are numbers enough, over at least two dimensions."""
    good = np.isfinite(found.scores(found.trials))
    return int(good.sum()) >= 8 and len(found.x) >= 2


def maps(found: OptimizeResult) -> tuple[Figure, str]:
    """Partial dependence and pairwise maps of the score, from a Gaussian process."""
    rows = [row for row in found.trials if np.isfinite(found.scores([row]))[0]]
    loss = found.robustness.loss if found.robustness is not None else LOSS
    surface = Surface(np.array([row.trial.x for row in rows]), found.scores(rows))
    figure = draw_maps(surface, found, rows, loss)
    name = found.objective
    kind = "the utility" if direction(name) > 0 else f"−ln of the {MEASURES[name].words}"
    return figure, (
        f"A Gaussian process fitted to {len(rows)} trials. Diagonal: {kind}, averaged over all "
        "other dimensions as the trials lie, with the standard deviation of the fit. Below: the "
        "same over two dimensions; dots are trials, a star the best, ringed dots lose at most "
        f"{number(loss, 2)} against it. Averages flatten narrow ridges: a map shows what matters, "
        "not how high the best is."
    )


def _laid_out(found: OptimizeResult) -> bool:
    """Whether the design is of one apparatus, not shares of several data sets."""
    return bool(found.best) and not any(key.startswith("share.") for key in found.best)


def best_layout(found: OptimizeResult, study: Mapping[str, Any]) -> tuple[Figure, str]:
    """Crystal and beams of the best design."""
    layout = dict(study["layout"])
    if "theta_e_deg" not in layout:  # matched, and no degrees are that angle to the last bit
        matched = load_study(study, inference=False).experiment.layout.theta_e
        layout["theta_e_deg"] = float(np.rad2deg(matched))
    drawn = with_keys({"layout": layout, "detector": study["detector"]}, found.best)
    return layout_figure(drawn["layout"], drawn["detector"])


def information(found: OptimizeResult) -> tuple[Figure, str]:
    """Fisher information about m1 by angle, of the best and of the study's own layout."""
    assert found.robustness is not None
    rows = found.robustness.information
    figure, axes = new_figure(3.4, 1, 2)
    texts = []
    for ax, (name, title) in zip(
        axes, (("best", "best design"), ("own", "own layout")), strict=True
    ):
        theta, each = np.array(rows[name].theta_s_deg), np.array(rows[name].per_meV2)
        total = float(each.sum() + rows[name].priors_per_meV2)
        ax.vlines(theta, 0.0, 100.0 * each / total, color=BLUE, lw=1.4)
        ax.plot(theta, 100.0 * each / total, "o", color=BLUE, ms=3.5)
        error = total**-0.5 if total > 0.0 else np.inf
        ax.set(xlabel="trigger angle θₛ [deg]", title=f"{title}: σ(m₁) = {number(error, 3)} meV")
        ax.set_ylim(0, None)
        rest = 100.0 * rows[name].priors_per_meV2 / total
        texts.append(f"{title}: {number(rest, 2)} %")
    axes[0].set_ylabel("share of information on m₁ [%]")
    return figure, (
        "What each angle adds to the Fisher information about m₁ at the study's truth, all "
        "nuisances profiled. An angle that only fixes nuisances adds little here and is still "
        f"needed. The rest is what data teach through the nuisances' priors ({'; '.join(texts)})."
    )


def front(found: OptimizeResult) -> tuple[Figure, str]:
    """The designs that no other dominates, with errors, among all trials."""
    first, *others = found.names
    figure, grid = new_figure(3.8, 1, len(others), squeeze=False)
    members = found.front or ()
    rows = [row.trial for row in found.trials]
    good = [trial for trial in rows if all(trial.utility(n).known for n in found.names)]
    for ax, name in zip(grid[0], others, strict=True):
        _front_panel(ax, found, good, members, (name, first))
    grid[0, 0].legend()
    volume, text = found.hypervolume, ""
    if volume is not None:
        units = [MEASURES[n].unit for n in found.names]
        unit = " × ".join(u for u in units if u)
        above = ", ".join(
            f"{MEASURES[n].words} {number(v, 3)}" for n, v in volume.reference.items()
        )
        text = (
            f" Hypervolume {number(volume.value, 4)} ± {number(volume.error, 2)} [{unit}] "
            f"against {above}."
        )
    return figure, (
        f"{len(members)} of {len(good)} designs that no other beats in every objective, with one "
        "standard error; hollow where another may well dominate them (probability to be on the "
        f"front below one half). Grey: all other trials.{text}"
    )


def _front_panel(
    ax: Axes,
    found: OptimizeResult,
    trials: Sequence[Trial],
    members: Sequence[FrontMember],
    axes: tuple[str, str],
) -> None:
    x, y = ([t.values[n] for t in trials] for n in axes)
    ax.plot(x, y, ".", color=GREY, ms=3, label="trials", zorder=0)
    for sure, face, label in ((True, BLUE, "front"), (False, "white", "front, uncertain")):
        rows = [m for m in members if (m.membership >= 0.5) == sure]
        if rows:
            a, b = ([m.values[n] for m in rows] for n in axes)
            da, db = ([m.errors[n] or 0.0 for m in rows] for n in axes)
            ax.errorbar(a, b, db, da, fmt="o", color=BLUE, mfc=face, ms=5, lw=1, label=label)
    for name, which in zip(axes, "xy", strict=True):
        _axis_of(ax, found, name, which)


def tolerances(found: OptimizeResult) -> tuple[Figure, str]:
    """Loss against the setting error of the angles, and how far each key may move."""
    robust = found.robustness
    assert robust is not None
    figure, (left, right) = new_figure(3.8, 1, 2)
    loss, angles = robust.loss, robust.angles
    left.plot(angles.error_deg, angles.loss, "o-", color=BLUE)
    left.axhline(loss, color=VERMILION, ls="--", lw=1.2)
    if angles.allowed_deg is not None:
        left.axvline(angles.allowed_deg, color=VERMILION, ls="--", lw=1.2)
    left.set(xscale="log", xlabel="error of every angle, sd [deg]", ylabel="mean loss of utility")
    rows = robust.dimensions
    for y, row in enumerate(rows):
        # each key by what it may move: 1 is the nearer end that a loss sets
        scale = max(row.below, row.above) or 1.0
        right.plot([-row.below / scale, row.above / scale], [y, y], color=BLUE, lw=5,
                   solid_capstyle="butt")  # fmt: skip
        text = (
            f"−{number(row.below, 2)}{'|' * row.below_ends}   "
            f"+{number(row.above, 2)}{'|' * row.above_ends}"
        )
        right.text(0.0, y - 0.32, f"{row.name} = {number(row.value, 4)}: {text}", ha="center",
                   fontsize=8)  # fmt: skip
    right.axvline(0.0, color=BLACK, lw=0.8)
    right.set(yticks=[], xlabel="move, by the larger tolerance", ylim=(len(rows) - 0.5, -0.8),
              xlim=(-1.15, 1.15))  # fmt: skip
    which = "" if robust.of_best else " (of the first search's best)"
    allowed = angles.allowed_deg
    sentence = (
        f"at {number(allowed, 2)}°" if allowed is not None else "nowhere below the largest shown"
    )
    return figure, (
        f"Left: mean loss when every angle is set with an independent error that is known "
        f"afterwards; a loss of {number(loss, 2)} (dashed) is reached {sentence}. Right: how far "
        f"each key may move alone before that is lost, in its own unit; | marks the end of its "
        f"range{which}. Losses are in nat for an information, else relative."
    )


def truths(found: OptimizeResult) -> tuple[Figure, str]:
    """Score against the true m1 for several designs, and against shifts of nuisances."""
    robust = found.robustness
    assert robust is not None
    figure, (left, right) = new_figure(3.8, 1, 2)
    over = robust.truths
    for k, row in enumerate(over.designs):
        colour = (BLUE, GREEN, ORANGE, BLACK)[k % 4]
        dash = ":" if row.name == "own" else "-"
        style = {"color": colour, "ls": dash, "marker": MARKS[k % len(MARKS)], "ms": 4}
        left.plot(over.m1_meV, row.scores, label=row.name, **style)
    name = found.objective
    left.set(xlabel=f"true {M1}", ylabel=_score_label(name))
    left.legend()
    shifts = robust.nuisances
    for y, (low, high) in enumerate(shifts.singles):
        right.plot([low, high], [y, y], color=BAND_68, lw=7, solid_capstyle="butt")
        right.plot(low, y, "v", color=BLUE, ms=6, label="−2 sd" if y == 0 else None)
        right.plot(high, y, "^", color=ORANGE, ms=6, label="+2 sd" if y == 0 else None)
    right.axvline(shifts.nominal, color=BLACK, lw=1)
    right.axvline(shifts.lowest, color=VERMILION, ls="--", lw=1.2, label="worst together")
    right.set_yticks(range(len(shifts.names)), [PARAMETERS.label(n)[0] for n in shifts.names])
    right.set(xlabel=_score_label(name), ylim=(len(shifts.names) - 0.4, -0.6))
    right.legend(fontsize=8)
    choice = ", ".join(f"{kind}: {where}" for kind, where in over.choice.items())
    return figure, (
        "Left: utility if m1 is known to the simulation but not to the experiment, equally likely "
        f"masses of the prior, for the best design and others far from it. Best by {choice}. "
        "Right: utility if the apparatus really is two standard deviations of its prior off."
    )


def _score_label(name: str) -> str:
    return label_of(name) if direction(name) > 0 else f"−ln {label_of(name)}"
