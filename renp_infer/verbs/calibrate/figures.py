"""Figures of a calibration: ranks, coverage, hypothesis probabilities, belt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import chi2

from renp_infer.figures import drawing as plots
from renp_infer.figures.drawing import number
from renp_infer.figures.plate import M1, Plate, new_figure, plate
from renp_infer.inference.parameters import PARAMETERS

if TYPE_CHECKING:
    from renp_infer.records import FloatArray
    from renp_infer.verbs.calibrate.found import Band, Hypotheses, LimitCoverage, Ranks, Reliability
    from renp_infer.verbs.calibrate.result import CalibrateResult

COLOURS = (plots.BLUE, plots.VERMILION, plots.GREEN)


def calibration_plates(result: CalibrateResult) -> list[Plate]:
    """Figures of what a calibration holds, in the order of its parts."""
    found, plates = result.calibration, []
    ranks, hypotheses, belts = found.ranks, found.hypotheses, found.belt
    if ranks is not None and ranks.band is not None:
        data = (ranks, ranks.band, result.fractions)
        plates.append(plate("ranks", "Ranks of the true values", rank_ecdfs, data))
        plates.append(plate("coverage", "Coverage of credible intervals", coverages, ranks))
    if hypotheses is not None and hypotheses.reliability is not None:
        title, shown = "Hypothesis probabilities", (hypotheses, hypotheses.reliability)
        plates.append(plate("reliability", title, reliability, shown))
    if belts is not None and belts.limits is not None:
        plates.append(plate("belt", "Feldman-Cousins belt", belt, belts.limits))
    return plates


def _label(name: str) -> str:
    return PARAMETERS.label(name)[0] if name in PARAMETERS.names else "log-likelihood"


def rank_ecdfs(data: tuple[Ranks, Band, FloatArray]) -> tuple[Figure, str]:
    """ECDF of each quantity's ranks minus that of the uniform distribution, with its band."""
    found, band, shares = data
    rows = found.quantities
    columns = 4
    lines = -(-len(rows) // columns)
    figure, grid = new_figure(1.6 * lines + 0.4, lines, columns, sharex=True, sharey=True)
    points, low, high = band.points, band.low - band.points, band.high - band.points
    for k, ax in enumerate(grid.flat):
        if k >= len(rows):
            ax.set_visible(False)
            continue
        fractions = np.sort(shares[:, k])
        fractions = fractions[np.isfinite(fractions)]
        ecdf = np.arange(1, fractions.size + 1) / fractions.size
        ax.fill_between(points, low, high, color="0.85", lw=0)
        colour = plots.VERMILION if rows[k].p_value < found.threshold else plots.BLUE
        ax.step(fractions, ecdf - fractions, color=colour, where="post", lw=1.2)
        ax.axhline(0.0, color="0.5", lw=0.6)
        ax.set_title(_label(rows[k].name), fontsize=9)
        ax.tick_params(labelsize=7, labelbottom=k + columns >= len(rows))
    figure.supxlabel("rank of the true value, as a share of the draws", fontsize=9)
    figure.supylabel("ECDF minus uniform", fontsize=9)
    return figure, (
        f"{found.fitted} of {found.fits.mocks} data sets, each drawn from the prior and fitted; "
        f"{found.fits.failed} of the fits did not pass the sampler's gates and are included if "
        "they have draws. Grey: simultaneous band, which a right posterior leaves, in any panel or "
        "interval, at the stated false-alarm rate. Angles are ranked from 0° on."
    )


def coverages(found: Ranks) -> tuple[Figure, str]:
    """Share of 68 % and 95 % intervals that contain the truth, by quantity."""
    rows = found.quantities
    figure, ax = new_figure(1.0 + 0.28 * len(rows))
    places = np.arange(len(rows))
    by_level = ([row.coverage_68 for row in rows], [row.coverage_95 for row in rows])
    for colour, cells in zip(COLOURS, by_level, strict=False):
        values = np.array([cell.found for cell in cells])
        error, nominal = cells[0].error, cells[0].nominal
        ax.axvspan(nominal - error, nominal + error, color="0.88", lw=0)
        ax.axvline(nominal, color=colour, lw=0.8)
        ax.plot(values, places, "o", ms=4, color=colour, label=f"{100 * nominal:.0f} % intervals")
    ax.set_yticks(places, [_label(row.name) for row in rows], fontsize=8.5)
    ax.set(xlabel="share that contains the true value", ylim=(len(rows) - 0.5, -0.5))
    ax.legend(loc="best")
    return figure, (
        "Central credible intervals, around the mean direction for angles. Grey: one binomial "
        f"error of {found.fitted} data sets."
    )


def reliability(data: tuple[Hypotheses, Reliability]) -> tuple[Figure, str]:
    """Found frequency against predicted probability."""
    found, tests = data
    figure, ax = new_figure(3.8)
    cells = [(row.predicted, row.found, row.error) for row in tests.curve]
    predicted, share, error = np.array(cells).T
    ax.plot([0, 1], [0, 1], color="0.5", lw=0.8)
    ax.errorbar(predicted, share, error, fmt="o", ms=4, color=plots.BLUE, capsize=2)
    ax.set(xlabel="posterior probability of a hypothesis", ylabel="share that is true")
    ax.set(xlim=(0, 1), ylim=(-0.05, 1.05))
    return figure, (
        f"{found.fits.mocks} data sets of hypotheses drawn with {_odds(found)}; "
        f"{found.fits.failed} lack an evidence and are not shown. Errors are binomial. Expected "
        f"calibration error {number(tests.calibration_error, 2)}, "
        f"{number(tests.calibration_error_by_chance, 2)} "
        f"by chance alone, p = {number(tests.p_value, 2)}."
    )


def _odds(found: Hypotheses) -> str:
    """Prior odds in words."""
    odds = found.prior_odds
    if len(set(odds)) == 1:
        return "equal odds"
    names = ", ".join(found.names)
    return f"odds of {' : '.join(number(value, 3) for value in odds)} ({names})"


def belt(found: LimitCoverage) -> tuple[Figure, str]:
    """Critical values by true mass, and which best-fit masses they accept."""
    figure, (left, right) = new_figure(3.8, 1, 2)
    masses, critical, error = found.m1_meV, found.critical, found.critical_error
    for k, (colour, level) in enumerate(zip(COLOURS, found.levels, strict=True)):
        text = f"{100 * level:.0f} %"
        left.errorbar(masses, critical[:, k], error[:, k], color=colour, label=text, capsize=2)
        left.axhline(chi2.ppf(level, 1), color=colour, lw=0.7, ls=":")
    for k in reversed(range(len(found.levels))):
        for limit in found.accepted_best_m1_meV[:, k].T:
            right.plot(limit, masses, "o-", ms=3, color=COLOURS[k], lw=1.3)
    left.set(xlabel=f"true {M1}", ylabel="critical Δχ²", ylim=(0, None))
    left.legend(loc="best")
    right.set(xlabel=f"best-fit {M1}", ylabel=f"true {M1}")
    rows = ", ".join(
        f"{100 * row.found:.1f} % for {100 * row.level:.0f} % at {number(row.m1_meV)} meV"
        for row in found.coverage
    )
    return figure, (
        "Confidence intervals hold the masses whose Δχ² from the best fit, all else profiled, is "
        "below the critical value; dotted: its large-sample value. Right: smallest and largest "
        f"best-fit mass among accepted mock data. Coverage in independent mock data: {rows}."
    )
