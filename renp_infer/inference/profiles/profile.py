"""Profile likelihood of the lightest mass, m1 >= 0, on drawn or expectation (Asimov) data.

A frequentist reading of the model: priors of nuisances are calibration measurements, drawn
anew in every mock experiment, see ``calibrations``; m1 has no prior but its ends, 0 and the
largest mass; phases are free; constraints of other experiments add their chi-squared. All other
parameters are profiled, with the exact Jacobian.
With Asimov data the minimum of the true hypothesis is 0 at the truth, and chi-squared
elsewhere is the median of the likelihood ratio (Cowan, Cranmer, Gross, Vitells, EPJC 71, 1554
(2011)).
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from renp_infer.errors import ConvergenceError, RenpError
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.marginals import Circular, LogNormal, slope_at
from renp_infer.inference.profiles.calibrations import Calibrations, center_of, is_bent, width_of
from renp_infer.inference.profiles.descent import STEPS, Minimum, descend, promise
from renp_infer.inference.profiles.settle import settle
from renp_infer.records import FloatArray

Bounds = tuple[FloatArray, FloatArray]
MAJORANA = ("alpha21_deg", "alpha31_deg")
_KEPT = 2
"""Starts that are followed."""
_ASIMOV_CONVERGED = 1e-9
_RELATIVE = 1e-4
"""Accuracy of chi-squared of Asimov data, which is itself the statistic."""
_DAMPING = 1e-3
_TURN_DEG = 30.0
"""Farthest that a phase turns in one step: beyond, a cosine is no straight line."""
_ON_RIDGE, _NUDGE_DEG = 1e-3, 3.0
"""Where the sine of a phase is below the first, it is turned before a search: the derivative
vanishes where CP is conserved, and a search would never leave a ridge. Only the relative
sign of two turns matters; both are tried."""
_AGAIN, _FOLLOWED = 3, 4
"""Most searches that begin where the last one ended, and most starts of which ends are compared."""
_ABSOLUTE, _SHARE, _SETTLED = 0.02, 0.01, 0.1
"""Standard deviations, and their share, to which two searches agree; a search that begins
where the last one ended gains less than the last share of that."""
_DIFFERENCE = 0.01
"""Chi-squared to which two searches agree whose difference from others is quoted."""
_FAR = 8.0
"""Unit coordinate at which a parameter with two ends is at one of them, to rounding."""
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
        Of data and calibrations.
    """

    vector: FloatArray
    chi2: float

    def at_mass(self, place: int, m1_meV: float) -> FloatArray:
        """The same parameters with another mass."""
        moved = self.vector.copy()
        moved[place] = m1_meV
        return moved


@dataclass(frozen=True)
class BestEnd:
    """The best end of several searches.

    Attributes
    ----------
    fit : Fit
    confirmed : bool
        Whether searches from two starts ended there, and one from there found nothing
        better, to 0.02 and 1 % of sqrt(chi-squared); or as the search says.
    """

    fit: Fit
    confirmed: bool

    @property
    def sigmas(self) -> float:
        """sqrt(chi-squared); NaN where it is not confirmed."""
        return float(np.sqrt(self.fit.chi2)) if self.confirmed else np.nan


def _agree(one: Minimum, other: Minimum, share: float = 1.0) -> bool:
    """Whether two ends are the same to what a separation is quoted to, or a share of it."""
    low, high = sorted(np.sqrt([one.chi_squared, other.chi_squared]))
    return bool(high - low <= share * (_ABSOLUTE + _SHARE * low))


class Profile:
    """Searches for the smallest chi-squared of one data set under one hypothesis.

    Inside, a point holds m1 in meV, deviations of the Gaussian parameters from their
    centres in standard deviations (of the logarithm where that is Gaussian), unit coordinates
    of the others, and phases in degrees, in the order of the prior.

    Parameters
    ----------
    likelihood : Likelihood
        With m1 free, and its prior bounded.
    calibration : ndarray, shape (k,), optional
        What calibrations found, as deviations from the centres of their priors in standard
        deviations, in the order of the priors. None for Asimov data: the medians of the priors.
    m1_min_meV : float
        Smallest mass.

    Attributes
    ----------
    mass : int
        Place of m1 in a vector.
    m1_max_meV : float
        Largest mass.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        calibration: FloatArray | None = None,
        m1_min_meV: float = 0.0,
    ) -> None:
        self.likelihood = likelihood
        prior = likelihood.prior
        marginals = list(prior.marginals.values())
        self.mass = prior.names.index(MASS)
        self._log = np.array([isinstance(m, LogNormal) for m in marginals])
        self._centers = np.array([center_of(m) for m in marginals])
        self._widths = np.array([width_of(m) for m in marginals])
        turning = [isinstance(m, Circular) for m in marginals]
        self._nuisances = [k for k, turns in enumerate(turning) if not turns and k != self.mass]
        self._bent = {k: marginals[k] for k in self._nuisances if is_bent(marginals[k])}
        self._held: dict[int, float] = {}
        self._calibrations = Calibrations(prior)
        self._majorana = [prior.names.index(n) for n in MAJORANA if n in prior.circular]
        self._reach = np.where(turning, _TURN_DEG, np.inf)
        self._asimov = calibration is None
        self._calibration = self.expected if calibration is None else calibration
        self.m1_max_meV = marginals[self.mass].limits[1]
        self._low, self._high = (np.full(len(marginals), sign * np.inf) for sign in (-1.0, 1.0))
        self._low[self.mass], self._high[self.mass] = m1_min_meV, self.m1_max_meV

    @property
    def expected(self) -> FloatArray:
        """What calibrations find (k,) of nuisances at the medians of their priors."""
        return self._calibrations.central(self._vector(np.zeros(len(self._centers))))

    def at(self, m1_meV: float, start: FloatArray) -> Fit:
        """Smallest chi-squared with m1 fixed, from a start (d,); of drawn data by few steps."""
        if self._asimov:
            return self.follow(start, m1_meV)
        low, high = self._bounds(m1_meV)
        point = self._off_ridge(self._point(start), low, high)
        return self._fit(self._descend(point, low, high, STEPS))

    def best(self, starts: Sequence[FloatArray]) -> Fit:
        """The best end of searches from some starts (d,), m1 within its bounds."""
        low, high = self._low, self._high
        points = [self._off_ridge(p, low, high) for p in self._promising(starts)]
        ends = [self._descend(p, low, high, STEPS) for p in points]
        return self._fit(min(ends, key=lambda minimum: minimum.chi_squared))

    def search(self, starts: Sequence[FloatArray], m1_meV: float | None = None) -> BestEnd:
        """The smallest chi-squared, m1 held or within its bounds, by searches that must agree.

        The first start (d,) is followed and then the most promising others, each by
        Gauss-Newton steps and to where starting anew gains nothing, until two ends agree.
        Then the better one is left by a nudge of its phases and must be found again, or
        nothing better.
        """
        bounds, ends = self._bounds(m1_meV), list[Minimum]()
        points = [self._point(starts[0]), *self._ranked(starts[1:], bounds)]
        for point in points[:_FOLLOWED]:
            ends.append(self._followed(point, bounds))
            ends.sort(key=lambda end: end.chi_squared)
            if len(ends) > 1 and _agree(ends[0], ends[1]):
                break
        again = self._followed(ends[0].point, bounds)
        best = min(ends[0], again, key=lambda end: end.chi_squared)
        known = len(ends) > 1 and _agree(best, ends[0]) and _agree(best, ends[1])
        return BestEnd(self._fit(best), known)

    def lowest(self, starts: Sequence[FloatArray], held: Mapping[str, float]) -> BestEnd:
        """The smallest chi-squared with some parameters held, by name, in their own units.

        The first start (d,) and the most promising others are followed. The lowest end is
        confirmed where another, or a search from there, ends within 0.01 of its chi-squared.

        Raises
        ------
        ConvergenceError
            If no search ends anywhere.
        """
        return self._holding(held)._lowest(starts)

    def _lowest(self, starts: Sequence[FloatArray]) -> BestEnd:
        bounds = self._bounds()
        points = [self._point(starts[0]), *self._ranked(starts[1:], bounds)]
        ends = [end for point in points[:_FOLLOWED] if (end := self._end(point, bounds))]
        if not ends:
            raise ConvergenceError("searches of a profile that ended", 0.0, 1.0)
        ends.sort(key=lambda end: end.chi_squared)
        again = self._end(ends[0].point, bounds) or ends[0]
        best, *others = sorted([*ends, again], key=lambda end: end.chi_squared)
        known = others[0].chi_squared - best.chi_squared <= _DIFFERENCE
        return BestEnd(self._fit(best), known)

    def _holding(self, held: Mapping[str, float]) -> Profile:
        """The same with some parameters held, by name."""
        found, names = copy.copy(self), self.likelihood.prior.names
        found._held = {names.index(name): value for name, value in held.items()}
        vector = self._vector(np.zeros(len(names)))
        vector[list(found._held)] = list(held.values())
        places, point = list(found._held), self._point(vector)
        found._low, found._high = self._low.copy(), self._high.copy()
        found._low[places] = found._high[places] = point[places]
        return found

    def _end(self, point: FloatArray, bounds: Bounds) -> Minimum | None:
        """Where a point (k,) leads, by descent and from there by curvature, if anywhere."""
        try:
            return self._followed(point, bounds, again=1)
        except RenpError:
            return None

    def follow(self, start: FloatArray, m1_meV: float | None = None) -> Fit:
        """Where one start (d,) leads, m1 held or within its bounds."""
        return self._fit(self._followed(self._point(start), self._bounds(m1_meV), again=1))

    def _followed(self, start: FloatArray, bounds: Bounds, again: int = _AGAIN) -> Minimum:
        """Where a point (k,) leads; from there, another search gains nothing."""
        found = self._descend(self._off_ridge(np.clip(start, *bounds), *bounds), *bounds, STEPS)
        for _ in range(again):
            before = found
            found = settle(self._evaluate, before.point, *bounds, self._reach)
            if _agree(found, before, _SETTLED):
                break
        return found

    def _bounds(self, m1_meV: float | None = None) -> Bounds:
        """Bounds of a point, m1 held at a value or within its own."""
        low, high = self._low.copy(), self._high.copy()
        if m1_meV is not None:
            low[self.mass] = high[self.mass] = m1_meV
        return low, high

    def _promising(self, starts: Sequence[FloatArray]) -> list[FloatArray]:
        if len(starts) <= _KEPT:
            return [self._point(start) for start in starts]
        return self._ranked(starts, self._bounds())[:_KEPT]

    def _ranked(self, starts: Sequence[FloatArray], bounds: Bounds) -> list[FloatArray]:
        """Points of starts, by what their first step promises."""
        points = [self._point(start) for start in starts]
        promises = [self._promise(p, *bounds) for p in points]
        return [points[k] for k in np.argsort(promises)]

    def _off_ridge(self, point: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
        """The point, with phases that conserve CP turned a little to the better side."""
        if len(self._majorana) < len(MAJORANA):
            return point
        values = self.likelihood.prior.values(self._vector(point))
        seen = np.array([values["alpha21_deg"], values["alpha31_deg"] - 2.0 * values["delta_deg"]])
        turn = np.where(np.abs(np.sin(np.deg2rad(seen))) < _ON_RIDGE, _NUDGE_DEG, 0.0)
        if not np.any(turn):
            return point
        sides = []
        for sign in (1.0, -1.0):
            moved = point.copy()
            moved[self._majorana] += turn * np.array([1.0, sign])
            sides.append((self._promise(moved, low, high), moved))
        return min(sides, key=lambda side: side[0])[1]

    def _promise(self, point: FloatArray, low: FloatArray, high: FloatArray) -> float:
        return promise(self._evaluate, point, low, high, self._reach)

    def central(self, m1_meV: float, vector: FloatArray) -> FloatArray:
        """Parameters of a mass, all nuisances at their centres, phases of a vector (d,)."""
        moved, origin = vector.copy(), self._vector(np.zeros(vector.size))
        moved[self._nuisances] = origin[self._nuisances]
        moved[self.mass] = m1_meV
        return moved

    def _descend(self, point: FloatArray, low: FloatArray, high: FloatArray, steps: int) -> Minimum:
        accuracy = {"relative": _RELATIVE, "converged": _ASIMOV_CONVERGED} if self._asimov else {}
        return descend(
            self._evaluate,
            point,
            low,
            high,
            damping=_DAMPING,
            reach=self._reach,
            steps=steps,
            **accuracy,
        )

    def _fit(self, minimum: Minimum) -> Fit:
        return Fit(self._vector(minimum.point), minimum.chi_squared)

    def _vector(self, point: FloatArray) -> FloatArray:
        vector = self._centers + self._widths * point
        with np.errstate(over="ignore"):  # a step to infinity lessens nothing and is not taken
            vector[self._log] = np.exp(vector[self._log])
        for k, marginal in self._bent.items():
            vector[k] = marginal.from_unit(np.clip(point[k : k + 1], -_FAR, _FAR))
        for k in self._held.keys() & self._bent:  # beside an end units are not exact
            vector[k] = self._held[k]
        return vector

    def _point(self, vector: FloatArray) -> FloatArray:
        values = vector.copy()
        values[self._log] = np.log(values[self._log])
        for k, marginal in self._bent.items():
            unit = marginal.to_unit(np.clip(values[k], *marginal.limits))
            values[k] = np.clip(unit, -_FAR, _FAR)
        return (values - self._centers) / self._widths

    def _evaluate(self, point: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pulls of data and calibrations, and their derivatives."""
        likelihood, vector = self.likelihood, self._vector(point)
        mean, by_vector = likelihood.linearise(vector)
        pulls = -likelihood.pulls(mean)
        scales = self._widths * np.where(self._log, vector, 1.0)
        for k, marginal in self._bent.items():
            scales[k] = slope_at(marginal, float(np.clip(point[k], -_FAR, _FAR)))
        slopes = likelihood.whitening.white(by_vector) * scales
        found, by_point = self._calibrations.pulls(point, vector, scales)
        residuals = np.concatenate([pulls, found - self._calibration])
        rows = np.vstack([slopes, by_point])
        if not likelihood.external:
            return residuals, rows
        known = likelihood.external.residuals(likelihood.prior, vector)
        by_known = likelihood.external.jacobian(likelihood.prior, vector) * scales
        return np.concatenate([residuals, known]), np.vstack([rows, by_known])


def crossing(profile: Profile, best: Fit, level: float, step_meV: float) -> float:
    """Mass at which chi-squared has risen by ``level``, on the side of ``step_meV``.

    Parameters
    ----------
    profile : Profile
    best : Fit
        The minimum, where the scan begins; each point starts from the nearest before.
    level : float
    step_meV : float
        A guess of the distance, with sign; it is doubled until the level is passed.

    Returns
    -------
    float
        meV; NaN if it is not passed within the bounds of m1.
    """
    center = float(best.vector[profile.mass])
    bound = profile.m1_max_meV if step_meV > 0.0 else 0.0
    fitted = {center: best.vector}

    @functools.cache  # a point that is fitted again, from elsewhere, must not change its side
    def rise(m1_meV: float) -> float:
        fit = profile.at(m1_meV, fitted[min(fitted, key=lambda m: abs(m - m1_meV))])
        fitted[m1_meV] = fit.vector
        return float(np.sqrt(max(fit.chi2 - best.chi2, 0.0)) - np.sqrt(level))

    inner, factor = center, 1.0
    while factor <= _WIDEST and inner != bound:
        outer = center + factor * step_meV
        outer = min(outer, bound) if step_meV > 0.0 else max(outer, bound)
        if rise(outer) >= 0.0:
            known = -np.sqrt(level) if inner == center else rise(inner)
            return _root(rise, (inner, known), outer, _ROOT * abs(outer - center))
        inner, factor = outer, 2.0 * factor
    return np.nan


def _root(
    function: Callable[[float], float], low: tuple[float, float], high: float, tolerance: float
) -> float:
    """Root between a point whose value is known and another."""
    place, value = low
    return float(
        scipy.optimize.brentq(
            lambda m: value if m == place else function(m), place, high, xtol=tolerance
        )
    )
