"""Expected upper limits of m1 if the truth is 0: by Fisher, Asimov and drawn data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.inference.fisher import expand, limit_quantile, sigma
from renp_infer.inference.profile import Fit, Profile, crossing
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import Cell, Drawn

if TYPE_CHECKING:
    from renp_infer.engine.tasks import Task

LIMITS = (0.90, 0.95)
KINDS = ("confidence", "credible")
_SCAN, _SCAN_SIGMAS = 24, 4.0


def expected_limits(bench: Bench, part: dict[str, Any]) -> dict[str, Any]:
    """Limits of the median experiment, by Fisher and Asimov, meV."""
    cell = _massless(bench, part)
    error = sigma(expand(cell.own, cell.vector), bench.noise, bench.noise.exposure_s)
    found: dict[str, Any] = {"fisher_sigma_m1_meV": error, "m1_max_meV": bench.m1_max_meV}
    for level in LIMITS:
        for kind in KINDS:
            quantile = limit_quantile(level, credible=kind == "credible")
            found[f"fisher_{kind}_{round(100 * level)}_meV"] = quantile * error
    limits = upper_limits(Profile(cell.own), Fit(cell.vector, 0.0), error)
    return found | {f"asimov_{name}": value for name, value in limits.items()}


def drawn_limits(bench: Bench, part: dict[str, Any], task: Task) -> dict[str, Any]:
    """Limits of mock experiments, each (datasets,), meV."""
    cell = _massless(bench, part)
    error = sigma(expand(cell.own, cell.vector), bench.noise, bench.noise.exposure_s)
    rows = []
    for k in range(bench.settings.datasets):
        profile = Drawn(cell, np.random.default_rng(task.seed(k))).profile
        rows.append(upper_limits(profile, profile.best([cell.vector]), error))
    return {
        f"ensemble_{name}": ("dataset", np.array([row[name] for row in rows])) for name in rows[0]
    }


def upper_limits(profile: Profile, best: Fit, error_meV: float) -> dict[str, float]:
    """Upper limits of one data set, meV; NaN beyond the largest mass.

    Confidence: where chi-squared has risen by Phi^-1(CL)^2 above its minimum within
    m1 >= 0; exact for a Gaussian estimate above 0, and too long, never too short, for one
    below. Credible: from exp(-chi^2 / 2) along the profile, prior uniform in m1 up to its
    bound; the profile stands for the marginal, exact where all else is linear.
    """
    credible = _credible(profile, best, error_meV)
    found = {}
    for level in LIMITS:
        quantile = limit_quantile(level, credible=False)
        step = min(quantile * error_meV, profile.m1_max_meV / 8.0)
        name = f"{round(100 * level)}_meV"
        found[f"confidence_{name}"] = crossing(profile, best, quantile**2, step)
        found[f"credible_{name}"] = credible(level)
    return found


def _credible(profile: Profile, best: Fit, error_meV: float) -> Callable[[float], float]:
    step = min(_SCAN_SIGMAS * error_meV, profile.m1_max_meV / 64.0)
    end = crossing(profile, best, _SCAN_SIGMAS**2, step)
    end = end if np.isfinite(end) else profile.m1_max_meV
    masses, warm = np.linspace(0.0, end, _SCAN), best.vector
    density = []
    for m1 in masses:
        fit = profile.at(float(m1), warm)
        warm = fit.vector
        density.append(np.exp(-0.5 * (fit.chi2 - best.chi2)))
    pieces = 0.5 * np.diff(masses) * (np.array(density)[1:] + np.array(density)[:-1])
    total = np.append(0.0, np.cumsum(pieces))
    return lambda level: float(np.interp(level, total / total[-1], masses))


def _massless(bench: Bench, part: dict[str, Any]) -> Cell:
    model = bench.hypothesis(part["ordering"], part["nature"])
    return Cell(bench, model, model.at(0.0, bench.phases[0]))
