"""One truth by one method: expected errors, separations and exposures.

Every number is for the total of all angles. Fisher and Asimov figures are medians
over mock experiments, to the accuracy of the expansion or of the asymptotic
formulae; confidence levels count standard deviations as sqrt(Delta chi^2).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from renp_infer.inference.exposure import required_exposure
from renp_infer.inference.fisher import MASSLESS_MEV, expand, sigma, validity
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.profile import Fit, Profile, crossing
from renp_infer.measurement.noise import Noise
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.records import FloatArray, Parameters
from renp_infer.verbs.forecast.bench import OTHER, Bench
from renp_infer.verbs.forecast.columns import stacked
from renp_infer.verbs.forecast.quantities import (
    RIVALS,
    Against,
    AsimovCell,
    EnsembleCell,
    FisherCell,
    Flags,
    Rival,
    Separations,
    Target,
)

APPROACH = 4
"""Gauss-Newton steps to where Fisher expands a rival."""
_STRIDES = 32.0
"""The search for an interval's end begins within this share of the largest mass."""
_REFITTED = 1e-3
"""Accuracy of exposures that are searched by refitting, decades."""


class Cell:
    """A truth on the bench: its Asimov data, its own fit and its rivals'."""

    def __init__(self, bench: Bench, model: HypothesisModel, truth: Parameters) -> None:
        self.bench, self.model, self.truth = bench, model, truth
        self.field_nG = model.field(truth)
        self.peak_nG = float(np.max(np.abs(self.field_nG)))
        self.m1_meV = EV_TO_MILLI_EV * truth.m1_eV
        data = bench.data(self.field_nG)
        self.own = bench.likelihood(model, data, model, self.peak_nG)
        self.vector = model.vector(truth)

    def rival(self, target: Rival) -> tuple[Likelihood, list[FloatArray]]:
        """Likelihood of the same data under the other ordering or nature, and starts."""
        ordering, nature = self.truth.ordering, self.truth.nature
        if target == "ordering":
            pair = OTHER[ordering], str(nature)
        else:
            pair = str(ordering), OTHER[nature]
        library = self.bench.library(*pair)
        model = library.hypothesis
        data = self.own.data
        likelihood = self.bench.likelihood(model, data, self.model, self.peak_nG)
        points = library.nearest(self.field_nG)
        return likelihood, [model.vector(point) for point in points]


def fisher_cell(cell: Cell) -> FisherCell[float]:
    """Forecast from derivatives: of m1 by its error, of rivals by ``linear_rival``."""
    bench, noise = cell.bench, cell.bench.noise
    judged = validity(cell.own, cell.vector, noise, bench.m1_max_meV)
    own = bench.by_exposure(cell.own, cell.vector)
    return FisherCell(
        sigma_m1_meV=own.sigma(noise.exposure_s),
        peak_nG=float(cell.field_nG[np.argmax(np.abs(cell.field_nG))]),
        peak_snr=float(np.max(np.abs(cell.field_nG) / np.sqrt(np.diag(bench.covariance)))),
        error=Flags(
            valid=float(judged.valid),
            at_boundary=float(judged.boundary),
            nonlinearity=judged.nonlinearity,
            phases_unknown=float(judged.phases),
        ),
        against=Separations(
            mass=_linear(lambda t: cell.m1_meV / own.sigma(t), noise),
            ordering=_linear(linear_rival(cell, "ordering"), noise),
            nature=_linear(linear_rival(cell, "nature"), noise),
        ),
    )


def _linear(curve: Callable[[float], float], noise: Noise) -> Against[float]:
    """Separation and exposures of a significance by exposure."""
    return Against(curve(noise.exposure_s), reached(curve, 3.0, noise), reached(curve, 5.0, noise))


def reached(curve: Callable[[float], float], level: float, noise: Noise) -> float:
    """Exposure at which a significance reaches a level, s; the search begins at the study's."""
    return required_exposure(curve, level, start_s=noise.exposure_s, monotone=not noise.drifts)


def linear_rival(cell: Cell, target: Rival) -> Callable[[float], float]:
    """Standard deviations by exposure between a truth and a rival.

    The rival is linearised where a few steps lead from its starts; the nearest counts.
    """
    likelihood, starts = cell.rival(target)
    expanded = []
    for fit in Profile(likelihood).approach(starts, APPROACH):
        room = cell.bench.room(float(fit.vector[0]))
        expanded.append((cell.bench.by_exposure(likelihood, fit.vector), room))

    def significance(exposure_s: float) -> float:
        return float(np.sqrt(min(model.chi2(exposure_s, room) for model, room in expanded)))

    return significance


def asimov_cell(cell: Cell, *, exposures: bool) -> AsimovCell[float]:
    """Forecast from profile likelihoods of expectation data; see ``Profile``."""
    return AsimovCell(
        sigma_m1_meV=half_width(cell),
        against=Separations(
            mass=_profiled(cell, "mass", exposures),
            ordering=_profiled(cell, "ordering", exposures),
            nature=_profiled(cell, "nature", exposures),
        ),
    )


def _profiled(cell: Cell, target: Target, exposures: bool) -> Against[float]:
    """Separation, and the exposures: the search for each begins where the last ended."""
    fit, noise = _alternative(cell, target), cell.bench.noise
    found, start_s = [np.nan, np.nan], noise.exposure_s
    if exposures:
        curve = _refitted(cell, target, fit)
        for k, level in enumerate((3.0, 5.0)):
            start_s = required_exposure(
                curve, level, start_s=start_s, monotone=not noise.drifts, decades=_REFITTED
            )
            found[k] = start_s
    return Against(float(np.sqrt(fit.chi2)), *found)


def _alternative(cell: Cell, target: Target) -> Fit:
    if target == "mass":
        return Profile(cell.own).at(0.0, cell.vector)
    likelihood, starts = cell.rival(target)
    return Profile(likelihood).best(starts)


def half_width(cell: Cell) -> float:
    """Half the interval Delta chi^2 < 1; the upper half where 0 cuts it; NaN if open."""
    profile, best = Profile(cell.own), Fit(cell.vector, 0.0)
    noise, m1, bound = cell.bench.noise, cell.m1_meV, profile.m1_max_meV
    error = sigma(expand(cell.own, cell.vector), noise, noise.exposure_s)
    step = min(error, bound / _STRIDES)
    upper = crossing(profile, best, 1.0, step) if m1 < bound else np.nan
    lower = crossing(profile, best, 1.0, -step) if m1 > MASSLESS_MEV else np.nan
    sides = [abs(edge - m1) for edge in (lower, upper) if np.isfinite(edge)]
    return float(np.mean(sides)) if np.isfinite(upper) else np.nan


def _refitted(cell: Cell, target: Target, fit: Fit) -> Callable[[float], float]:
    """Significance by exposure, each fit starting from the one before."""
    likelihood, starts = (cell.own, [cell.vector]) if target == "mass" else cell.rival(target)
    warm = [fit.vector]

    @functools.cache
    def significance(exposure_s: float) -> float:
        data = replace(likelihood.data, covariance=cell.bench.noise.covariance(exposure_s))
        moved = Likelihood(likelihood.prior, likelihood.response, data, likelihood.shapes)
        profile, points = Profile(moved), [*starts[:1], *warm]
        if target == "mass":
            found = min((profile.at(0.0, p) for p in points), key=lambda fit: fit.chi2)
        else:
            found = profile.best(points)
        warm[:] = [found.vector]
        return float(np.sqrt(found.chi2))

    return significance


def ensemble_cell(cell: Cell, seeds: Sequence[np.random.SeedSequence]) -> EnsembleCell[FloatArray]:
    """Fits of drawn data: estimates of m1 and likelihood ratios, shape (datasets,).

    Each Gaussian prior is a calibration, drawn anew with every data set. The fit of a
    rival begins at its fit of the expectation, too.
    """
    rivals = {target: cell.rival(target) for target in RIVALS}
    expected = {t: Profile(rival).best(starts).vector for t, (rival, starts) in rivals.items()}

    def row(seed: np.random.SeedSequence) -> EnsembleCell[float]:
        drawn = Drawn(cell, np.random.default_rng(seed))
        best = drawn.profile.best([cell.vector])

        def ratio(target: Rival) -> float:
            rival, starts = rivals[target]
            return drawn.profile_of(rival).best([expected[target], *starts]).chi2 - best.chi2

        massless = drawn.profile.at(0.0, best.vector).chi2 - best.chi2
        return EnsembleCell(float(best.vector[0]), massless, ratio("ordering"), ratio("nature"))

    whole: EnsembleCell[FloatArray] = stacked([row(seed) for seed in seeds])
    return whole


class Drawn:
    """One mock experiment: its data, and what each calibration found."""

    def __init__(self, cell: Cell, rng: np.random.Generator) -> None:
        noise = cell.own.whitening.cholesky @ rng.standard_normal(cell.field_nG.size)
        self._field_nG = cell.field_nG + noise
        names = cell.own.prior.names
        self._shifts = dict(zip(names, rng.standard_normal(len(names)), strict=True))
        self.profile = self.profile_of(cell.own)

    def profile_of(self, likelihood: Likelihood) -> Profile:
        """Profile of these data under a hypothesis."""
        prior = likelihood.prior
        names = [n for n in prior.names if n != "m1_meV" and n not in prior.circular]
        shifts = np.array([self._shifts.get(name, 0.0) for name in names])
        return Profile(likelihood.with_data(self._field_nG), shifts)
