"""One truth by one method: expected errors, separations and exposures.

Every number is for the total of all angles. Fisher and Asimov figures are medians
over mock experiments, to the accuracy of the expansion or of the asymptotic
formulae; confidence levels count standard deviations as sqrt(Delta chi^2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from renp_infer.inference.asimov import APPROACH, Fit, Profile, crossing
from renp_infer.inference.fisher import (
    MASSLESS_MEV,
    expand,
    linear_chi2,
    required_exposure,
    sigma,
    validity,
)
from renp_infer.inference.hypothesis import Hypothesis
from renp_infer.inference.likelihood import Likelihood
from renp_infer.records import FloatArray, Observation, Parameters
from renp_infer.runner.forecast_bench import OTHER, Bench

TARGETS = ("mass", "ordering", "nature")
LEVELS = {"exposure_3sigma_s": 3.0, "exposure_5sigma_s": 5.0}


class Cell:
    """A truth on the bench: its Asimov data, its own fit and its rivals'."""

    def __init__(self, bench: Bench, model: Hypothesis, truth: Parameters) -> None:
        self.bench, self.model, self.truth = bench, model, truth
        self.field_nG = model.field(truth)
        self.peak_nG = float(np.max(np.abs(self.field_nG)))
        self.m1_meV = 1e3 * truth.m1_eV
        self.own = bench.likelihood(model, bench.data(self.field_nG), self.peak_nG)
        self.vector = model.vector(truth, self.own)

    def rival(self, target: str) -> tuple[Likelihood, list[FloatArray]]:
        """Likelihood of the same data under the other ordering or nature, and starts."""
        ordering, nature = self.truth.ordering, self.truth.nature
        if target == "ordering":
            pair = OTHER[ordering], str(nature)
        else:
            pair = str(ordering), OTHER[nature]
        library = self.bench.library(*pair)
        model = library.hypothesis
        likelihood = self.bench.likelihood(model, self.own.observation, self.peak_nG)
        points = library.nearest(self.field_nG)
        return likelihood, [model.vector(point, likelihood) for point in points]


def fisher_cell(cell: Cell) -> dict[str, Any]:
    """Forecast from derivatives: see ``fisher_significances``."""
    bench, noise = cell.bench, cell.bench.noise
    judged = validity(cell.own, cell.vector, noise, bench.m1_max_meV)
    curves = fisher_significances(cell)
    found: dict[str, Any] = {
        "sigma_m1_meV": sigma(expand(cell.own, cell.vector), noise, noise.exposure_s),
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


def fisher_significances(cell: Cell) -> dict[str, Callable[[float], float]]:
    """Standard deviations by exposure, for each target.

    Mass: m1 by its error. Ordering and nature: the linearised rival nearest to the
    truth, the best of a few starts.
    """
    small, unit = cell.bench.compressed(expand(cell.own, cell.vector))

    def mass(exposure_s: float) -> float:
        return cell.m1_meV / sigma(small, unit, exposure_s)

    return {"mass": mass} | {target: _linear_rival(cell, target) for target in TARGETS[1:]}


def _linear_rival(cell: Cell, target: str) -> Callable[[float], float]:
    """Significance by exposure of a rival, expanded where a few steps lead from each start."""
    likelihood, starts = cell.rival(target)
    profile, expanded = Profile(likelihood, cell.bench.m1_max_meV), []
    for start in starts:
        point = profile.best([start], steps=APPROACH).vector
        small = cell.bench.compressed(expand(likelihood, point))
        expanded.append((*small, cell.bench.room(float(point[0]))))

    def significance(exposure_s: float) -> float:
        return float(np.sqrt(min(linear_chi2(e, n, exposure_s, room) for e, n, room in expanded)))

    return significance


def asimov_cell(cell: Cell, *, exposures: bool) -> dict[str, Any]:
    """Forecast from profile likelihoods of expectation data; see ``Profile``."""
    bench = cell.bench
    profile, best = Profile(cell.own, bench.m1_max_meV), Fit(cell.vector, 0.0)
    error = sigma(expand(cell.own, cell.vector), bench.noise, bench.noise.exposure_s)
    found = {"sigma_m1_meV": _half_width(profile, best, error)}
    fits = {"mass": profile.at(0.0, cell.vector)}
    for target in TARGETS[1:]:
        likelihood, starts = cell.rival(target)
        fits[target] = Profile(likelihood, bench.m1_max_meV).best(starts)
    for target, fit in fits.items():
        found[f"separation_{target}"] = float(np.sqrt(fit.chi2))
        if exposures:
            curve = _refitted(cell, target, fit)
            monotone = not bench.noise.drifts
            found[f"exposure_3sigma_s_{target}"] = required_exposure(
                curve, 3.0, start_s=bench.noise.exposure_s, monotone=monotone
            )
    return found


def _half_width(profile: Profile, best: Fit, error: float) -> float:
    """Half the interval Delta chi^2 < 1; the upper half where 0 cuts it; NaN if open."""
    m1, bound = float(best.vector[0]), profile.m1_max_meV
    step = min(error, bound)
    upper = crossing(profile, best, 1.0, step) if m1 < bound else np.nan
    lower = crossing(profile, best, 1.0, -step) if m1 > MASSLESS_MEV else np.nan
    sides = [abs(edge - m1) for edge in (lower, upper) if np.isfinite(edge)]
    return float(np.mean(sides)) if np.isfinite(upper) else np.nan


def _refitted(cell: Cell, target: str, fit: Fit) -> Callable[[float], float]:
    """Significance by exposure, each fit starting from the one before."""
    likelihood, starts = (cell.own, [cell.vector]) if target == "mass" else cell.rival(target)
    starts = [fit.vector, *starts[:1]]
    warm: list[FloatArray] = []

    def significance(exposure_s: float) -> float:
        old = likelihood.observation
        covariance = cell.bench.noise.covariance(exposure_s)
        data = Observation(old.theta_s, old.field_nG, covariance, old.normalised)
        moved = Likelihood(likelihood.prior, likelihood.response, data, likelihood.leakage_nG)
        profile = Profile(moved, cell.bench.m1_max_meV)
        points = [*starts, *warm]
        if target == "mass":
            fits = [profile.at(0.0, point) for point in points]
        else:
            fits = [profile.best([point]) for point in points]
        found = min(fits, key=lambda fit: fit.chi2)
        warm[:] = [found.vector]
        return float(np.sqrt(found.chi2))

    return significance


def ensemble_cell(cell: Cell, seeds: list[np.random.SeedSequence]) -> dict[str, Any]:
    """Fits of drawn data: estimates of m1 and likelihood ratios, shape (datasets,).

    Each Gaussian prior is a calibration, drawn anew with every data set.
    """
    rows = [_drawn(cell, np.random.default_rng(seed)) for seed in seeds]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _drawn(cell: Cell, rng: np.random.Generator) -> dict[str, float]:
    noise = cell.own.cholesky @ rng.standard_normal(cell.field_nG.size)
    data = cell.bench.data(cell.field_nG + noise)
    limit = cell.bench.m1_max_meV
    own = cell.bench.likelihood(cell.model, data, cell.peak_nG)
    names = own.prior.names
    shift = dict(zip(names, rng.standard_normal(len(names)), strict=True))
    profile = Profile(own, limit, _shifts(own, shift))
    best = profile.best([cell.vector])
    fixed = profile.at(0.0, best.vector)
    found = {
        "best_m1_meV": float(best.vector[0]),
        "ratio_mass": fixed.chi2 - best.chi2,
    }
    for target in TARGETS[1:]:
        rival, starts = cell.rival(target)
        moved = Likelihood(rival.prior, rival.response, data, rival.leakage_nG)
        fit = Profile(moved, limit, _shifts(moved, shift)).best(starts)
        found[f"ratio_{target}"] = fit.chi2 - best.chi2
    return found


def _shifts(likelihood: Likelihood, shift: dict[str, float]) -> FloatArray:
    """Calibrations of a likelihood's Gaussian priors, in their order."""
    skipped = ("m1_meV", *likelihood.prior.circular)
    return np.array([shift.get(n, 0.0) for n in likelihood.prior.names if n not in skipped])
