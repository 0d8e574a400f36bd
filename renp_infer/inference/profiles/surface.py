"""Profile likelihood of two parameters: chi-squared on a grid, all others minimised.

As in ``profile``, priors of nuisances are calibration measurements, here with the values that
the priors have, m1 has no prior but its bounds, and phases are free. Contours by the
large-sample distribution of two parameters (Wilks, Ann. Math. Stat. 9, 60 (1938)): beside
a bound, as m1 = 0, they are approximate.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.marginals import Circular, LogNormal, Marginal
from renp_infer.inference.profiles.calibrations import Calibrations
from renp_infer.inference.profiles.profile import BestEnd, Profile
from renp_infer.records import FloatArray

CONTOURS = {"68 %": 2.30, "95 %": 5.99}
"""Rise of chi-squared on the contours of two parameters."""
AUTO_POINTS = 25
_RISE = 12.0
"""Rise of chi-squared at which an automatic range may end: twice the outer contour."""
_DOUBLINGS, _HALVINGS = 24, 4
_FIRST_SHARE = 1e-3
"""First step of a search for the end of a range, as a share of the values so far."""
_LEAST_FACTOR = 1e-6
"""Smallest amplitude that is tried: of 0 there is no logarithm."""


@dataclass(frozen=True)
class Line:
    """Chi-squared along a line of the grid.

    Attributes
    ----------
    chi2 : ndarray, shape (n,)
    confirmed : ndarray of bool, shape (n,)
        Whether two searches ended there.
    """

    chi2: FloatArray
    confirmed: FloatArray


class ProfileSurface:
    """Chi-squared of data over two parameters.

    Parameters
    ----------
    likelihood : Likelihood
        With m1 and both parameters free.
    names : tuple of str
        The two, by name.
    starts : sequence of ndarray, shape (d,)
        From which the best fit is searched, and every point of the grid.
    """

    def __init__(
        self, likelihood: Likelihood, names: tuple[str, str], starts: Sequence[FloatArray]
    ) -> None:
        self.names, self._starts = names, list(starts)
        least = likelihood.prior.marginals[MASS].limits[0]
        size = Calibrations(likelihood.prior).size
        self._profile = Profile(likelihood, np.zeros(size), least)
        self._places = [likelihood.prior.names.index(name) for name in names]
        self._marginals = [likelihood.prior.marginals[name] for name in names]
        self._bounds = [_ends(marginal) for marginal in self._marginals]

    @functools.cached_property
    def best(self) -> BestEnd:
        """The best fit, both parameters free."""
        return self._profile.lowest(self._starts, {})

    @property
    def best_values(self) -> tuple[float, float]:
        """The two parameters there."""
        first, second = (float(self.best.fit.vector[place]) for place in self._places)
        return first, second

    def at(self, held: Mapping[str, float], *more: FloatArray) -> BestEnd:
        """The smallest chi-squared with parameters held, from more starts (d,), too."""
        return self._profile.lowest([*more, self.best.fit.vector, *self._starts], held)

    def line(self, first: float, second: FloatArray) -> Line:
        """Chi-squared at one value of the first parameter, for values (n,) of the second.

        From the value next to the best fit outwards, each search starts where the one
        before ended, too.
        """
        nearest = int(np.argmin(np.abs(second - self.best_values[1])))
        ends: dict[int, BestEnd] = {}
        for step in (1, -1):
            for k in range(nearest, second.size if step > 0 else -1, step):
                if k in ends:
                    continue
                before = [ends[k - step].fit.vector] if k - step in ends else []
                held = {self.names[0]: first, self.names[1]: float(second[k])}
                ends[k] = self.at(held, *before)
        found = [ends[k] for k in range(second.size)]
        return Line(
            np.array([end.fit.chi2 for end in found]), np.array([end.confirmed for end in found])
        )

    def range_of(self, which: int, points: int = AUTO_POINTS) -> FloatArray:
        """Values (points,) of one of the two that hold the contours; a phase's whole circle."""
        if isinstance(self._marginals[which], Circular):
            return np.linspace(0.0, 360.0, points)
        low, high = (self._end(which, sign) for sign in (-1.0, 1.0))
        return np.linspace(low, high, points)

    def _end(self, which: int, sign: float) -> float:
        """Where chi-squared has risen beyond the contours, or the parameter ends."""
        name, marginal = self.names[which], self._marginals[which]
        center, bound = self.best_values[which], self._bounds[which][sign > 0.0]
        spread = (abs(center) or 1.0) if name == MASS else 1.0 / marginal.pull(center)[1]
        step, inner = _FIRST_SHARE * spread, center
        for _ in range(_DOUBLINGS):
            outer = center + sign * min(step, abs(bound - center))
            if outer == bound or self._risen(name, outer):
                break
            inner, step = outer, 2.0 * step
        for _ in range(_HALVINGS if self._risen(name, outer) else 0):
            middle = 0.5 * (inner + outer)
            inner, outer = (inner, middle) if self._risen(name, middle) else (middle, outer)
        return outer

    def _risen(self, name: str, value: float) -> bool:
        return self.at({name: value}).fit.chi2 - self.best.fit.chi2 >= _RISE


def _ends(marginal: Marginal) -> tuple[float, float]:
    """Between what a parameter may be held."""
    low, high = marginal.limits
    return (_LEAST_FACTOR if isinstance(marginal, LogNormal) else low), high
