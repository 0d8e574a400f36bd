"""How a linearised problem depends on exposure, and which exposure reaches a goal."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from renp_infer.inference.parameters import MASS
from renp_infer.inference.profiles.fisher import Expansion, best_step, information
from renp_infer.measurement.noise import Noise
from renp_infer.records import FloatArray

SHORTEST_S, LONGEST_S = 1.0, 1e60
"""Exposures that are searched; far beyond the age of the universe, 4e17 s."""
_FIRST, _LAST = float(np.log10(SHORTEST_S)), float(np.log10(LONGEST_S))
_OVERSHOOT = 0.05
"""Decades by which a guessed crossing is passed, so that it gets bracketed."""
_ROUNDING = 1e-13
"""Share of a vector that rounding may leave where the other columns imitate all of it."""
Room = tuple[float, float]
ANYWHERE: Room = (-np.inf, np.inf)


class ByExposure:
    """Error of m1 and chi-squared of a linearised problem, for many exposures.

    White noise only sets the weight t of the data against the priors. One singular
    value decomposition of all columns but m1's, in units of their priors and of the
    data's errors at t = 1, parts the problem into directions of strength s: a misfit c
    and a pull y leave ``t (c - s y)^2 / (1 + t s^2)`` after the best step, and what
    no column imitates leaves ``t c^2``. With drift, or with constraints that tie parameters
    or tell m1, each exposure is solved anew.

    Parameters
    ----------
    expansion : Expansion
        Where only m1 has no prior.
    noise : Noise
    """

    def __init__(self, expansion: Expansion, noise: Noise) -> None:
        self._expansion, self._noise = expansion, noise
        self._anew = noise.drifts or expansion.constrained
        if not self._anew:
            self._resolve()

    def _resolve(self) -> None:
        expansion, place = self._expansion, self._expansion.names.index(MASS)
        columns, target = expansion.system(self._noise, self._noise.exposure_s)
        n = expansion.misfit.size
        mass, others = columns[:n, place], np.delete(columns[:n], place, axis=1)
        slopes = np.delete(expansion.prior_rows, place, axis=1)
        widths = 1.0 / slopes.sum(axis=0)  # one prior for each column
        pulls = expansion.pulls @ (slopes != 0.0)
        left, strength, right = np.linalg.svd(others * widths, full_matrices=False)
        self._strength = np.append(strength, np.zeros(n))
        self._mass, self._misfit = _parts(left, mass), _parts(left, target[:n])
        self._misfit[: strength.size] -= strength * (right @ pulls)

    def sigma(self, exposure_s: float) -> float:
        """Standard error of m1, meV, all others profiled; inf without information."""
        if self._anew:
            found = information(self._expansion, self._noise, exposure_s)
        else:
            found = float(self._weights(exposure_s) @ self._mass**2)
        return float(1.0 / np.sqrt(found)) if found > 0.0 else np.inf

    def chi2(self, exposure_s: float, room_meV: Room = ANYWHERE) -> float:
        """Smallest chi-squared that the linearised model can reach.

        ``room_meV`` is how far m1 may move down and up; where the model would leave it,
        m1 stays at that bound and all others follow.
        """
        if self._anew:
            return linear_chi2(self._expansion, self._noise, exposure_s, room_meV)
        weights = self._weights(exposure_s)
        weighted = weights * self._mass
        found = float(weighted @ self._mass)
        step = float(weighted @ self._misfit) / found if found > 0.0 else 0.0
        rest = self._misfit - float(np.clip(step, *room_meV)) * self._mass
        return float(weights @ rest**2)

    def _weights(self, exposure_s: float) -> FloatArray:
        precision = exposure_s / self._noise.exposure_s
        return precision / (1.0 + precision * self._strength**2)


def _parts(directions: FloatArray, vector: FloatArray) -> FloatArray:
    """Components of a vector (n,) along orthonormal directions (n, k), then what is left."""
    along = directions.T @ vector
    rest = vector - directions @ along
    if np.linalg.norm(rest) <= _ROUNDING * np.linalg.norm(vector):
        rest = np.zeros_like(rest)
    return np.concatenate([along, rest])


def linear_chi2(
    expansion: Expansion,
    noise: Noise,
    exposure_s: float,
    room_meV: Room = ANYWHERE,
) -> float:
    """``ByExposure.chi2`` at one exposure, by least squares."""
    columns, target = expansion.system(noise, exposure_s)
    step = best_step(columns, target)
    k = expansion.names.index(MASS)
    held = float(np.clip(step[k], *room_meV))
    if held != step[k]:
        others = np.delete(columns, k, axis=1)
        target = target - held * columns[:, k]
        rest = target - others @ best_step(others, target)
    else:
        rest = target - columns @ step
    return float(rest @ rest)


def required_exposure(
    significance: Callable[[float], float],
    goal: float,
    *,
    start_s: float = 3600.0,
    monotone: bool = True,
    decades: float = 1e-4,
) -> float:
    """Exposure in s at which a significance reaches a goal, from 1 s to 1e60 s.

    Parameters
    ----------
    significance : callable
        ``exposure_s -> standard deviations``.
    goal : float
    start_s : float
        Where the search begins; it goes on as if significance grew as sqrt(exposure).
    monotone : bool
        Whether it only grows. With a drift it need not: angles that are measured
        longer share less of it. Then each decade is tried, and the first crossing
        counts.
    decades : float
        Accuracy.

    Returns
    -------
    float
        1 if the shortest exposure suffices; inf if none does.
    """

    @functools.cache
    def excess(decade: float) -> float:
        return float(np.log(max(significance(10.0**decade), 1e-300) / goal))

    if monotone:
        low, high = _bracket(excess, np.log10(start_s))
    else:
        whole = np.arange(_FIRST, _LAST + 1.0).tolist()
        high = next((decade for decade in whole if excess(decade) >= 0.0), np.inf)
        low = max(high - 1.0, _FIRST)
    if low == high:
        return np.inf if high > _LAST else 10.0**high
    return 10.0 ** float(brentq(excess, low, high, xtol=decades))


def _bracket(excess: Callable[[float], float], start: float) -> tuple[float, float]:
    """Decades around a crossing; the same twice at the shortest, inf beyond the longest."""
    low, high, place = -np.inf, np.inf, float(np.clip(start, _FIRST, _LAST))
    stride = 1.0
    while not (np.isfinite(low) and np.isfinite(high)):
        found = excess(place)
        if found >= 0.0:
            high = place
            if place == _FIRST:
                return _FIRST, _FIRST
        else:
            low = place
            if place == _LAST:
                return np.inf, np.inf
        step = -2.0 * found / np.log(10.0) + (_OVERSHOOT if found < 0.0 else -_OVERSHOOT)
        place = float(np.clip(place + stride * step, _FIRST, _LAST))
        stride *= 2.0  # a significance that saturates would be followed in tiny steps
    return low, high
