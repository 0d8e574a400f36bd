"""Profile likelihood of the lightest mass, m1 >= 0.

A frequentist reading of the same model: each Gaussian prior is a calibration
measurement, drawn anew in every mock experiment; m1 has no prior but 0
and the largest mass; phases are free. All other parameters are profiled, by least squares in
unit coordinates and angles.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from renp_infer.errors import RenpError
from renp_infer.inference.descent import Minimum, descend
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.prior import FULL_TURN_DEG
from renp_infer.inference.sbc import mock
from renp_infer.inference.start import Chart
from renp_infer.records import FloatArray

MASS = "m1_meV"
_STEP = 1e-5


class Profile:
    """Fits of one data set, at a given m1 and at the best one.

    A point holds m1 in meV, then unit coordinates, then angles in rad.

    Parameters
    ----------
    likelihood : Likelihood
        With m1 free.
    calibration : ndarray, shape (k,)
        Central values of the calibration measurements, in unit coordinates.
    """

    def __init__(self, likelihood: Likelihood, calibration: FloatArray) -> None:
        self.likelihood, self.calibration = likelihood, calibration
        self._chart = Chart(likelihood)
        names, circular = likelihood.prior.names, likelihood.prior.circular
        self._mass = names.index(MASS)
        plain = [k for k, name in enumerate(names) if name not in circular and name != MASS]
        self._turning = [names.index(name) for name in circular]
        self._order = [self._mass, *plain, *self._turning]
        size = len(self._order)
        self._low, self._high = np.full(size, -np.inf), np.full(size, np.inf)
        marginal: Any = likelihood.prior.marginals[MASS]
        self._low[0], self._high[0] = 0.0, marginal.high

    @staticmethod
    def nuisances(likelihood: Likelihood) -> int:
        """Number of calibration measurements."""
        return len(likelihood.prior.names) - len(likelihood.prior.circular) - 1

    def at(self, m1_meV: float, start: FloatArray) -> Minimum:
        """Smallest chi-squared with m1 fixed, from a start (k,)."""
        low, high = self._low.copy(), self._high.copy()
        low[0] = high[0] = m1_meV
        return descend(self._evaluate, start, low, high)

    def best(self, start: FloatArray) -> Minimum:
        """Smallest chi-squared near a start (k,), m1 within its bounds."""
        return descend(self._evaluate, start, self._low, self._high)

    def start(self, m1_meV: float, vector: FloatArray) -> FloatArray:
        """Point of a mass, all nuisances at their centres, phases of a vector (d,)."""
        angles = np.deg2rad(vector[self._turning])
        return np.concatenate([[m1_meV], np.zeros(self.calibration.size), angles])

    def vector(self, point: FloatArray) -> FloatArray:
        """Free parameters (d,) of a point."""
        chart = self._chart
        in_chart = np.concatenate([np.zeros(1), point[1:]])
        unit = chart.to_unit(in_chart, np.ones(chart.phases.size))
        vector = self.likelihood.prior.from_unit(unit)
        vector[self._mass] = point[0]
        return vector

    def _evaluate(self, point: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pulls of data and calibration, and their derivatives."""
        likelihood, count = self.likelihood, self.calibration.size
        mean, by_vector = likelihood.linearise(self.vector(point))
        pulls = (likelihood.decorrelate(mean) - likelihood.data_nG) / likelihood.scale_nG
        slopes = likelihood.decorrelate(by_vector)[:, self._order] / likelihood.scale_nG[:, None]
        residuals = np.concatenate([pulls, point[1 : count + 1] - self.calibration])
        identity = np.eye(count, point.size, 1)
        return residuals, np.vstack([slopes * self._scales(point), identity])

    def _scales(self, point: FloatArray) -> FloatArray:
        """Derivative of each parameter by its own coordinate, (k,): no other moves it."""
        steps = np.full(point.size, _STEP)
        steps[0] = 0.0
        change = self.vector(point + steps) - self.vector(point - steps)
        turns = change[self._turning] / FULL_TURN_DEG
        change[self._turning] -= FULL_TURN_DEG * np.round(turns)
        scales = change[self._order] / (2.0 * _STEP)
        scales[0] = 1.0
        return scales


@dataclass(frozen=True)
class BeltMock:
    """One mock experiment at a true mass.

    Attributes
    ----------
    statistic : float
        ``chi^2(true m1) - min chi^2 >= 0``; NaN if the fit failed.
    best_m1_meV : float
        Where the minimum is.
    failure : str
        Empty, or the error.
    """

    statistic: float
    best_m1_meV: float
    failure: str


def belt_mock(
    likelihood: Likelihood,
    truth: FloatArray,
    m1_meV: float,
    starts_meV: Sequence[float],
    seed: np.random.SeedSequence,
) -> BeltMock:
    """Draw data at a mass and find the likelihood ratio of that mass.

    Parameters
    ----------
    likelihood : Likelihood
        Prior, response and noise.
    truth : ndarray, shape (d,)
        Phases of the mock data; nuisances are at their prior's centre.
    m1_meV : float
        True mass.
    starts_meV : sequence of float
        Masses from which the minimum is sought too.
    seed : numpy.random.SeedSequence

    Returns
    -------
    BeltMock
        An error in the fit is recorded, not raised.
    """
    rng = np.random.default_rng(seed)
    calibration = rng.standard_normal(Profile.nuisances(likelihood))
    try:
        central = Profile(likelihood, np.zeros_like(calibration))
        mean = likelihood.mean(central.vector(central.start(m1_meV, truth)))
        data = mock(likelihood, mean, rng)
        profile = Profile(data, calibration)
        return ratio(profile, m1_meV, truth, starts_meV)
    except (RenpError, np.linalg.LinAlgError) as error:
        return BeltMock(np.nan, np.nan, f"{type(error).__name__}: {error}")


def ratio(
    profile: Profile, m1_meV: float, truth: FloatArray, starts_meV: Sequence[float]
) -> BeltMock:
    """Likelihood ratio of a mass: the better of several searches on both sides."""
    fixed = profile.at(m1_meV, profile.start(m1_meV, truth))
    points = [fixed.point]
    for start in starts_meV:
        moved = fixed.point.copy()
        moved[0] = start
        points.append(moved)
    best = _best_of(profile.best, points) or fixed
    # nuisances of the best fit may lead to a better one at the fixed mass, too
    elsewhere = best.point.copy()
    elsewhere[0] = m1_meV
    again = _best_of(lambda point: profile.at(m1_meV, point), [elsewhere]) or fixed
    statistic = max(0.0, min(fixed.chi_squared, again.chi_squared) - best.chi_squared)
    return BeltMock(statistic, float(best.point[0]), "")


def _best_of(search: Callable[[FloatArray], Minimum], points: list[FloatArray]) -> Minimum | None:
    """Lowest minimum from several starts; one where the response is not finite is no start."""
    found = []
    for point in points:
        with contextlib.suppress(RenpError):
            found.append(search(point))
    return min(found, key=lambda minimum: minimum.chi_squared, default=None)
