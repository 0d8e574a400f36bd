"""Profile likelihood on expectation (Asimov) or drawn data, all nuisances profiled.

Every search is a damped Gauss-Newton search (Levenberg 1944, Marquardt 1963) with
the exact Jacobian, m1 kept within its bounds. A Gaussian prior counts as one
more measurement, a phase has none. With Asimov data the minimum of the true
hypothesis is 0 at the truth, and chi-squared elsewhere is the median of the
likelihood ratio (Cowan, Cranmer, Gross, Vitells, EPJC 71, 1554 (2011)).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from renp_infer.errors import RenpError
from renp_infer.inference.fisher import MASS, MASSLESS_MEV, Expansion, best_step, expand
from renp_infer.inference.likelihood import Likelihood
from renp_infer.records import FloatArray

_STEPS = 40
_RELATIVE = 1e-5
_ABSOLUTE = 1e-9
_DAMPING, _LEAST, _MOST = 1e-3, 1e-10, 1e8
APPROACH, _KEPT = 4, 2
"""Gauss-Newton steps that all starts go; also to where Fisher expands a rival."""
_WIDEST = 64.0
_ROOT = 1e-3


@dataclass(frozen=True)
class Fit:
    """Where a search ended.

    Attributes
    ----------
    vector : ndarray, shape (d,)
        Free parameters.
    chi2 : float
        Of data and priors.
    """

    vector: FloatArray
    chi2: float


class Profile:
    """Searches for the smallest chi-squared of one data set under one hypothesis.

    Parameters
    ----------
    likelihood : Likelihood
        With m1 free.
    m1_max_meV : float
        Largest mass.
    shifts : ndarray, shape (k,), optional
        What calibrations found, as deviations from the centres of their priors in
        standard deviations, in the order of the priors; 0 for Asimov data.
    """

    def __init__(
        self, likelihood: Likelihood, m1_max_meV: float, shifts: FloatArray | None = None
    ) -> None:
        self.likelihood, self.m1_max_meV = likelihood, m1_max_meV
        self.shifts = 0.0 if shifts is None else shifts
        self._mass = likelihood.prior.names.index(MASS)

    def best(self, starts: Sequence[FloatArray], steps: int = _STEPS) -> Fit:
        """The best end of searches from some starts (d,).

        All go a few steps, the most promising ``steps`` more.
        """
        near = [self._descend(start, fixed=False, steps=APPROACH) for start in starts]
        near.sort(key=lambda fit: fit.chi2)
        if steps <= APPROACH:
            return near[0]
        fits = (self._descend(fit.vector, fixed=False, steps=steps) for fit in near[:_KEPT])
        return min(fits, key=lambda fit: fit.chi2)

    def at(self, m1_meV: float, start: FloatArray) -> Fit:
        """Smallest chi-squared with m1 fixed, from a start (d,)."""
        moved = start.copy()
        moved[self._mass] = max(m1_meV, MASSLESS_MEV)
        return self._descend(moved, fixed=True)

    def _descend(self, start: FloatArray, *, fixed: bool, steps: int = _STEPS) -> Fit:
        point = start.copy()
        point[self._mass] = np.clip(point[self._mass], MASSLESS_MEV, self.m1_max_meV)
        columns, target = self._system(point)
        cost, damping = float(target @ target), _DAMPING
        for _ in range(steps):
            trial = self._bounded_step(point, columns, target, damping, fixed=fixed)
            found = self._attempt(trial)
            if found is None or not found[1] @ found[1] < cost:
                damping *= 10.0
                if damping > _MOST:
                    break
                continue
            point, (columns, target) = trial, found
            gain, cost = cost - float(target @ target), float(target @ target)
            damping = max(0.1 * damping, _LEAST)
            if gain < _RELATIVE * cost + _ABSOLUTE * min(1.0, cost + gain):
                break
        return Fit(point, cost)

    def _bounded_step(
        self,
        point: FloatArray,
        columns: FloatArray,
        target: FloatArray,
        damping: float,
        *,
        fixed: bool,
    ) -> FloatArray:
        """Next point; where m1 would pass a bound it stays there, the others follow."""
        k, free = self._mass, np.arange(point.size) != self._mass
        if not fixed:
            trial = point + _damped(columns, target, damping)
            if MASSLESS_MEV <= trial[k] <= self.m1_max_meV:
                return trial
            stop = float(np.clip(trial[k], MASSLESS_MEV, self.m1_max_meV))
            target = target - columns[:, k] * (stop - point[k])
        else:
            stop = point[k]
        moved = point.copy()
        moved[k] = stop
        moved[free] += _damped(columns[:, free], target, damping)
        return moved

    def _attempt(self, point: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        try:
            return self._system(point)
        except RenpError:
            return None

    def _system(self, point: FloatArray) -> tuple[FloatArray, FloatArray]:
        expansion: Expansion = expand(self.likelihood, point, free_phases=True)
        likelihood = self.likelihood
        scale = likelihood.scale_nG
        data = likelihood.decorrelate(expansion.jacobian_nG) / scale[:, None]
        misfit = likelihood.decorrelate(expansion.misfit_nG) / scale
        columns = np.vstack([data, expansion.prior_rows])
        return columns, np.concatenate([misfit, expansion.pulls + self.shifts])


def _damped(columns: FloatArray, target: FloatArray, damping: float) -> FloatArray:
    """Marquardt's step (d,)."""
    lengths = np.linalg.norm(columns, axis=0)
    rows = np.diag(np.sqrt(damping) * lengths)
    return best_step(np.vstack([columns, rows]), np.concatenate([target, np.zeros(lengths.size)]))


def crossing(profile: Profile, best: Fit, level: float, step_meV: float) -> float:
    """Mass at which chi-squared has risen by ``level``, on the side of ``step_meV``.

    Parameters
    ----------
    profile : Profile
    best : Fit
        The minimum, where the scan begins; each point starts from the one before.
    level : float
    step_meV : float
        A guess of the distance, with sign; it is doubled until the level is passed.

    Returns
    -------
    float
        meV; NaN if it is not passed within the bounds of m1.
    """
    centre = float(best.vector[profile.likelihood.prior.names.index(MASS)])
    bound = profile.m1_max_meV if step_meV > 0.0 else MASSLESS_MEV
    warm = best.vector

    @functools.cache  # a point that is fitted again, from elsewhere, must not change its side
    def rise(m1_meV: float) -> float:
        nonlocal warm
        fit = profile.at(m1_meV, warm)
        warm = fit.vector
        return float(np.sqrt(max(fit.chi2 - best.chi2, 0.0)) - np.sqrt(level))

    inner, factor = centre, 1.0
    while factor <= _WIDEST and inner != bound:
        outer = centre + factor * step_meV
        outer = min(outer, bound) if step_meV > 0.0 else max(outer, bound)
        if rise(outer) >= 0.0:
            known = -np.sqrt(level) if inner == centre else rise(inner)
            return _root(rise, (inner, known), outer, _ROOT * abs(outer - centre))
        inner, factor = outer, 2.0 * factor
    return np.nan


def _root(
    function: Callable[[float], float], low: tuple[float, float], high: float, tolerance: float
) -> float:
    """Root between a point whose value is known and another."""
    place, value = low
    return float(
        brentq(lambda m: value if m == place else function(m), place, high, xtol=tolerance)
    )
