"""One truth by one method: expected errors, separations and exposures.

Every number is for the total of all angles. Fisher and Asimov figures are medians
over mock experiments, to the accuracy of the expansion or of the asymptotic
formulae; confidence levels count standard deviations as sqrt(Delta chi^2).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from renp_infer.inference.exposure import required_exposure
from renp_infer.inference.fisher import MASSLESS_MEV, expand, sigma, validity
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.profile import Fit, Profile, crossing
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.records import FloatArray, Observation, Parameters
from renp_infer.verbs.forecast.bench import OTHER, Bench

TARGETS = ("mass", "ordering", "nature")
APPROACH = 4
"""Gauss-Newton steps to where Fisher expands a rival."""
_STRIDES = 32.0
"""The search for an interval's end begins within this share of the largest mass."""
_REFITTED = 1e-3
"""Accuracy of exposures that are searched by refitting, decades."""
LEVELS = {"exposure_3sigma_s": 3.0, "exposure_5sigma_s": 5.0}


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

    def rival(self, target: str) -> tuple[Likelihood, list[FloatArray]]:
        """Likelihood of the same data under the other ordering or nature, and starts."""
        ordering, nature = self.truth.ordering, self.truth.nature
        if target == "ordering":
            pair = OTHER[ordering], str(nature)
        else:
            pair = str(ordering), OTHER[nature]
        library = self.bench.library(*pair)
        model = library.hypothesis
        data = self.own.observation
        likelihood = self.bench.likelihood(model, data, self.model, self.peak_nG)
        points = library.nearest(self.field_nG)
        return likelihood, [model.vector(point) for point in points]


def fisher_cell(cell: Cell) -> dict[str, Any]:
    """Forecast from derivatives: of m1 by its error, of rivals by ``linear_rival``."""
    bench, noise = cell.bench, cell.bench.noise
    judged = validity(cell.own, cell.vector, noise, bench.m1_max_meV)
    own = bench.by_exposure(cell.own, cell.vector)
    curves: dict[str, Callable[[float], float]] = {"mass": lambda t: cell.m1_meV / own.sigma(t)}
    curves |= {target: linear_rival(cell, target) for target in TARGETS[1:]}
    found: dict[str, Any] = {
        "sigma_m1_meV": own.sigma(noise.exposure_s),
        "peak_nG": float(cell.field_nG[np.argmax(np.abs(cell.field_nG))]),
        "peak_snr": float(np.max(np.abs(cell.field_nG) / np.sqrt(np.diag(bench.covariance)))),
        "valid": float(judged.valid),
        "at_boundary": float(judged.boundary),
        "nonlinearity": judged.nonlinearity,
        "phases_unknown": float(judged.phases),
    }
    for target, curve in curves.items():
        found[f"separation_{target}"] = curve(noise.exposure_s)
        for key, level in LEVELS.items():
            found[f"{key}_{target}"] = required_exposure(
                curve, level, start_s=noise.exposure_s, monotone=not noise.drifts
            )
    return found


def linear_rival(cell: Cell, target: str) -> Callable[[float], float]:
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


def asimov_cell(cell: Cell, *, exposures: bool) -> dict[str, Any]:
    """Forecast from profile likelihoods of expectation data; see ``Profile``."""
    found = {"sigma_m1_meV": half_width(cell)}
    fits = {"mass": Profile(cell.own).at(0.0, cell.vector)}
    for target in TARGETS[1:]:
        likelihood, starts = cell.rival(target)
        fits[target] = Profile(likelihood).best(starts)
    for target, fit in fits.items():
        found[f"separation_{target}"] = float(np.sqrt(fit.chi2))
        if exposures:
            found |= _asimov_exposures(cell, target, fit)
    return found


def _asimov_exposures(cell: Cell, target: str, fit: Fit) -> dict[str, float]:
    """Exposures of all levels, the search for each beginning where the last ended."""
    noise = cell.bench.noise
    curve, found, start_s = _refitted(cell, target, fit), {}, noise.exposure_s
    for key, level in LEVELS.items():
        start_s = required_exposure(
            curve, level, start_s=start_s, monotone=not noise.drifts, decades=_REFITTED
        )
        found[f"{key}_{target}"] = start_s
    return found


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


def _refitted(cell: Cell, target: str, fit: Fit) -> Callable[[float], float]:
    """Significance by exposure, each fit starting from the one before."""
    likelihood, starts = (cell.own, [cell.vector]) if target == "mass" else cell.rival(target)
    warm = [fit.vector]

    @functools.cache
    def significance(exposure_s: float) -> float:
        old = likelihood.observation
        covariance = cell.bench.noise.covariance(exposure_s)
        data = Observation(old.theta_s, old.field_nG, covariance, old.normalised)
        moved = Likelihood(likelihood.prior, likelihood.response, data, likelihood.shapes)
        profile, points = Profile(moved), [*starts[:1], *warm]
        if target == "mass":
            found = min((profile.at(0.0, p) for p in points), key=lambda fit: fit.chi2)
        else:
            found = profile.best(points)
        warm[:] = [found.vector]
        return float(np.sqrt(found.chi2))

    return significance


def ensemble_cell(cell: Cell, seeds: list[np.random.SeedSequence]) -> dict[str, Any]:
    """Fits of drawn data: estimates of m1 and likelihood ratios, shape (datasets,).

    Each Gaussian prior is a calibration, drawn anew with every data set. The fit of a
    rival begins at its fit of the expectation, too.
    """
    rivals = {target: cell.rival(target) for target in TARGETS[1:]}
    expected = {t: Profile(rival).best(starts).vector for t, (rival, starts) in rivals.items()}
    rows = []
    for seed in seeds:
        drawn = Drawn(cell, np.random.default_rng(seed))
        found, best = _own_fits(cell, drawn)
        for target, (rival, starts) in rivals.items():
            fit = drawn.profile_of(rival).best([expected[target], *starts])
            found[f"ratio_{target}"] = fit.chi2 - best.chi2
        rows.append(found)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _own_fits(cell: Cell, drawn: Drawn) -> tuple[dict[str, float], Fit]:
    best = drawn.profile.best([cell.vector])
    fixed = drawn.profile.at(0.0, best.vector)
    return {"best_m1_meV": float(best.vector[0]), "ratio_mass": fixed.chi2 - best.chi2}, best


class Drawn:
    """One mock experiment: its data, and what each calibration found."""

    def __init__(self, cell: Cell, rng: np.random.Generator) -> None:
        self._field_nG = cell.field_nG + cell.own.cholesky @ rng.standard_normal(cell.field_nG.size)
        names = cell.own.prior.names
        self._shifts = dict(zip(names, rng.standard_normal(len(names)), strict=True))
        self.profile = self.profile_of(cell.own)

    def profile_of(self, likelihood: Likelihood) -> Profile:
        """Profile of these data under a hypothesis."""
        prior = likelihood.prior
        names = [n for n in prior.names if n != "m1_meV" and n not in prior.circular]
        shifts = np.array([self._shifts.get(name, 0.0) for name in names])
        return Profile(likelihood.with_field(self._field_nG), shifts)
