"""Upper limits of m1 from one data set, by its profile likelihood."""

from __future__ import annotations

import functools

import numpy as np

from renp_infer.inference.profiles.fisher import limit_quantile
from renp_infer.inference.profiles.profile import Fit, Profile, crossing
from renp_infer.records import FloatArray

_SCAN, _SCAN_SIGMAS = 24, 4.0


class UpperLimits:
    """Upper limits by level between 0 and 1, meV; NaN beyond the largest mass.

    Parameters
    ----------
    profile : Profile
    best : Fit
        Its minimum within m1 >= 0.
    error_meV : float
        About the standard error of m1: where searches begin.
    """

    def __init__(self, profile: Profile, best: Fit, error_meV: float) -> None:
        self._profile, self._best, self._error_meV = profile, best, error_meV

    def confidence(self, level: float) -> float:
        """Where chi-squared has risen by Phi^-1(CL)^2 above its minimum.

        Exact for a Gaussian estimate above 0, and too long, never too short, for one below.
        """
        quantile, profile = limit_quantile(level, credible=False), self._profile
        step = min(quantile * self._error_meV, profile.m1_max_meV / 8.0)
        return crossing(profile, self._best, quantile**2, step)

    def credible(self, level: float) -> float:
        """From exp(-chi^2 / 2) along the profile, prior uniform in m1 up to its bound.

        The profile stands for the marginal, exact where all else is linear.
        """
        masses, total = self._cumulated
        return float(np.interp(level, total / total[-1], masses))

    @functools.cached_property
    def _cumulated(self) -> tuple[FloatArray, FloatArray]:
        """Masses, meV, and the integral of the density up to each."""
        profile, best = self._profile, self._best
        step = min(_SCAN_SIGMAS * self._error_meV, profile.m1_max_meV / 64.0)
        end = crossing(profile, best, _SCAN_SIGMAS**2, step)
        end = end if np.isfinite(end) else profile.m1_max_meV
        masses, warm = np.linspace(0.0, end, _SCAN), best.vector
        density = []
        for m1 in masses:
            fit = profile.at(float(m1), warm)
            warm = fit.vector
            density.append(np.exp(-0.5 * (fit.chi2 - best.chi2)))
        pieces = 0.5 * np.diff(masses) * (np.array(density)[1:] + np.array(density)[:-1])
        return masses, np.append(0.0, np.cumsum(pieces))
