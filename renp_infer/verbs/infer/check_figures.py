"""What the report shows of the model checks: numbers, impacts on m1, pulls by angle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from renp_infer.figures import drawing as plots
from renp_infer.figures.drawing import number, rounded
from renp_infer.figures.plate import ANGLE, Plate, new_figure, plate
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.results.judged import Nuisance
from renp_infer.verbs.evaluate.figures import caption_tail
from renp_infer.verbs.infer.judged import Checks
from renp_infer.verbs.infer.result import InferResult

if TYPE_CHECKING:
    from renp_infer.engine.run import Run

DOWN, UP = plots.ORANGE, plots.BLUE


def checks_of(run: Run) -> Checks:
    """Model checks of a run that has them."""
    found = run.get(InferResult).checks
    assert found is not None
    return found


def check_plates(run: Run) -> list[Plate]:
    """Figures of a run's model checks; none of an inference that has none."""
    if run.get(InferResult).checks is None:
        return []
    plates = [plate("pulls", "Pulls and influence by angle", pulls_and_influence, run)]
    if checks_of(run).impact.nuisances:
        plates.append(plate("impact", "Nuisances and their impact on m₁", impact, run))
    return plates


def impact(run: Run) -> tuple[Figure, str]:
    """Pull of each nuisance and what it does to the mass, the strongest on top."""
    found = checks_of(run).impact
    names = sorted(found.nuisances, key=lambda name: -found.nuisances[name].strength)
    rows = [found.nuisances[name] for name in names]
    figure, (left, right) = new_figure(1.3 + 0.34 * len(rows), 1, 2, width_ratios=(1, 1.6))
    _draw_pulls(left, rows)
    _draw_shifts(right, rows)
    left.set_yticks(range(len(rows)), [PARAMETERS.label(name)[0] for name in names])
    left.set_xlabel("(posterior − prior mean) / prior sd")
    right.set(yticks=[], xlabel="change of the mean of m₁ [meV]")
    for ax in (left, right):
        ax.set_ylim(len(rows) - 0.4, -0.6)
    right.legend(loc="lower right", fontsize=8)
    sd, alone = found.sd_meV, found.statistical_sd_meV
    return figure, (
        "Left: pull of each nuisance, with its posterior sd in units of the prior's; the grey "
        "band is the prior. Right: mean of m₁ with the nuisance one posterior sd above and "
        "below its mean (bars), and with its prior removed (dots; none where the data do not "
        "bound it). Phases have no pull; their bars are the largest change over the circle. "
        f"m₁ has sd {rounded(sd, sd)} meV, and {rounded(alone, alone)} meV with all nuisances "
        f"fixed.{caption_tail(run)}"
    )


def _draw_pulls(ax: Axes, rows: list[Nuisance]) -> None:
    ax.axvspan(-1.0, 1.0, color="#e4e4e4", lw=0)
    ax.axvline(0.0, color=plots.GREY, lw=0.8)
    for y, row in enumerate(rows):
        if row.pull is not None:
            ax.errorbar(row.pull, y, xerr=row.width, fmt="o", ms=4, lw=1.3, color=plots.BLACK)


def _draw_shifts(ax: Axes, rows: list[Nuisance]) -> None:
    places = np.arange(len(rows))
    for widths, colour, hatch, text in (
        ([row.down_meV for row in rows], DOWN, "///", "one sd below"),
        ([row.up_meV for row in rows], UP, "", "one sd above"),
    ):
        ax.barh(places, widths, 0.62, color=colour, hatch=hatch, ec="white", lw=0, label=text)
    freed = [(row.freed_shift_meV, y) for y, row in enumerate(rows)]
    known = [point for point in freed if point[0] is not None]
    if known:
        ax.plot(*zip(*known, strict=True), "o", color=plots.BLACK, ms=4, label="prior removed")
    ax.axvline(0.0, color=plots.GREY, lw=0.8)


def pulls_and_influence(run: Run) -> tuple[Figure, str]:
    """Pulls of the decorrelated data, and the Pareto k of leaving each out."""
    by_angle = run.get(InferResult).tree["renp_checks"].to_dataset()
    theta = np.asarray(by_angle["theta_s_deg"], float)
    pull, k = (np.asarray(by_angle[name], float) for name in ("pull", "pareto_k"))
    figure, (upper, lower) = new_figure(4.8, 2, sharex=True, height_ratios=(1.4, 1))
    for width, colour in ((2.0, plots.BAND_95), (1.0, plots.BAND_68)):
        upper.axhspan(-width, width, color=colour, lw=0)
    upper.axhline(0.0, color=plots.GREY, lw=0.8)
    upper.plot(theta, pull, "o", ms=3.5, color=plots.BLACK)
    upper.set_ylabel("pull [σ]")
    good = checks_of(run).loo.good_k
    bad = ~(k <= good)
    lower.plot(theta, k, "o", ms=3.5, color=plots.BLUE)
    lower.plot(theta[bad], k[bad], "s", ms=6, mfc="none", color=plots.VERMILION)
    lower.axhline(good, label=f"limit {good:.2f}", **plots.PRIOR)
    lower.set(xlabel=ANGLE, ylabel="Pareto k")
    lower.legend(loc="best")
    p = checks_of(run).posterior_p
    texts = ", ".join(f"{name.replace('_', ' ')} {number(value, 2)}" for name, value in p.items())
    return figure, (
        "Top: data minus the posterior's mean field in units of σ, decorrelated; bands at 1 and "
        f"2σ. Posterior predictive p-values: {texts}. Bottom: Pareto k of leaving one angle out; "
        f"{int(bad.sum())} of {theta.size} above the limit (squares), where the posterior hangs "
        f"on single angles and leave-one-out is not reliable.{caption_tail(run)}"
    )


def check_rows(found: Checks) -> list[tuple[str, str]]:
    """What the model checks found, in numbers and words."""
    rows = [
        (f"{whose} predictive p, {name.replace('_', ' ')}", number(p, 2))
        for whose, values in (("posterior", found.posterior_p), ("prior", found.prior_p))
        for name, p in values.items()
    ]
    loo, power = found.loo, found.sensitivity
    density = "–"
    if loo.elpd is not None and loo.se is not None:
        density = f"{rounded(loo.elpd, loo.se)} ± {rounded(loo.se, loo.se)}"
    return [
        *rows,
        ("leave-one-out log density", density),
        (f"Pareto k, largest (limit {number(loo.good_k, 2)})", _or_dash(loo.largest_k)),
        ("m₁ when powers change", power.verdict),
        ("sensitivity to priors", _or_dash(power.prior)),
        ("sensitivity to data", _or_dash(power.likelihood)),
    ]


def _or_dash(value: float | None) -> str:
    return "–" if value is None else number(value, 2)
