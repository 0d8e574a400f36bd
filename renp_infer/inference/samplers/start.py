"""Where chains and walkers start: around a mode, wider than the posterior.

A precise measurement fills so little of the prior that a sampler started
there can stay in a far corner. Each start looks for the mode from its own
random prior draws, so that agreement between chains still means something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult, least_squares

from renp_infer.errors import RenpError
from renp_infer.finite import faults, require_finite
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.marginals import FULL_TURN_DEG
from renp_infer.records import FloatArray

Residuals = Callable[[FloatArray], FloatArray]

_TRIALS = 3
_SPREAD = 2.0
_MAX_EVALUATIONS = 60
_STEP = 1e-6
_LARGEST = 1e150


def overdispersed(likelihood: Likelihood, n: int, rng: np.random.Generator) -> FloatArray:
    """Points in unit coordinates, shape (n, k), around the best mode found.

    Their spread is twice that of the Gaussian that matches the posterior at
    the mode, and no wider than the prior's.

    Raises
    ------
    NonFiniteError
        If residuals, their derivatives or their curvature are not finite.
    """
    chart = Chart(likelihood)
    best = _mode(chart, rng)
    with faults("curvature at the mode", chart.values(best.x)):
        values, vectors = np.linalg.eigh(best.jac.T @ best.jac)
        spread = np.minimum(_SPREAD / np.sqrt(np.maximum(values, 1.0)), 1.0)
    noise = rng.standard_normal((n, values.size)) * spread
    radii = np.sqrt(rng.chisquare(2, size=(n, chart.phases.size)))
    return chart.to_unit(best.x + noise @ vectors.T, radii)


@dataclass(frozen=True)
class LocalGaussian:
    """Gaussian that matches the posterior at a mode, in unit coordinates.

    Attributes
    ----------
    center : ndarray, shape (k,)
    factor : ndarray, shape (k, k)
        Lower Cholesky factor of the covariance at the phases of the mode. Phases
        keep center 0, unit variance and no correlation.
    mode : ndarray, shape (chart,)
        In coordinates of the chart, where phases are angles.
    slopes : ndarray, shape (n + plain, plain)
        Derivatives of the residuals by all that are no phases.
    """

    center: FloatArray
    factor: FloatArray
    mode: FloatArray
    slopes: FloatArray


def local_gaussian(chart: Chart, rng: np.random.Generator) -> LocalGaussian:
    """Look for a mode and what the posterior is like around it.

    Raises
    ------
    NonFiniteError
        If residuals, their derivatives or the covariance are not finite.
    """
    best = _mode(chart, rng)
    plain = chart.others.size
    size = chart.likelihood.prior.unit_size
    center, matrix = np.zeros(size), np.eye(size)
    center[chart.others] = best.x[:plain]
    with faults("covariance at the mode", chart.values(best.x)) as finite:
        slopes = best.jac[:, :plain]
        covariance = np.linalg.inv(slopes.T @ slopes)
        matrix[np.ix_(chart.others, chart.others)] = covariance
        return LocalGaussian(center, finite(np.linalg.cholesky(matrix)), best.x, slopes)


def _mode(chart: Chart, rng: np.random.Generator) -> OptimizeResult:
    return min((_descend(chart, rng) for _ in range(_TRIALS)), key=lambda fit: fit.cost)


def _descend(chart: Chart, rng: np.random.Generator) -> OptimizeResult:
    start = chart.from_unit(rng.standard_normal(chart.likelihood.prior.unit_size))
    return least_squares(
        reachable(chart.residuals, start),
        start,
        jac=chart.jacobian,
        x_scale=1.0,
        max_nfev=_MAX_EVALUATIONS,
    )


def reachable(residuals: Residuals, start: FloatArray) -> Residuals:
    """Residuals that are infinite where they cannot be calculated.

    A search may step to where the response is not finite, for instance to a
    negative squared mass; it then takes a shorter step. The start must be good.
    """
    size = residuals(start).size

    def checked(point: FloatArray) -> FloatArray:
        try:
            return residuals(point)
        except RenpError:
            return np.full(size, np.inf)

    return checked


class Chart:
    """Unit coordinates with each phase's pair replaced by its angle.

    In the plane of a phase the density is largest at the origin, where the
    direction is undefined; a mode must be sought by angle.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        self.likelihood = likelihood
        slices, circular = likelihood.prior.unit_slices(), likelihood.prior.circular
        self.phases = np.array([slices[name].start for name in circular], dtype=int)
        plain = [part.start for name, part in slices.items() if name not in circular]
        self.others = np.array(plain, dtype=int)

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Chart coordinates: those of plain parameters, then angles in rad."""
        angles = np.arctan2(unit[self.phases + 1], unit[self.phases])
        return np.concatenate([unit[self.others], angles])

    def to_unit(self, point: FloatArray, radii: FloatArray) -> FloatArray:
        """Unit coordinates, shape (..., k)."""
        unit = np.empty((*point.shape[:-1], self.others.size + 2 * self.phases.size))
        angles = point[..., self.others.size :]
        unit[..., self.others] = point[..., : self.others.size]
        unit[..., self.phases] = radii * np.cos(angles)
        unit[..., self.phases + 1] = radii * np.sin(angles)
        return unit

    def residuals(self, point: FloatArray) -> FloatArray:
        """Pulls of constraints, data and prior; half their square is the loss.

        Shape (n + plain,), and more with constraints.
        """
        likelihood = self.likelihood
        mean = likelihood.mean(self._vector(point))
        pulls = -likelihood.pulls(mean)
        rows = np.concatenate([pulls, point[: self.others.size]])
        if likelihood.external:
            known = likelihood.external.residuals(likelihood.prior, self._vector(point))
            rows = np.concatenate([known, rows])
        return self._checked("pulls", rows, point)

    def jacobian(self, point: FloatArray) -> FloatArray:
        """Derivatives of the residuals, shape (n + plain, chart)."""
        likelihood = self.likelihood
        _, by_vector = likelihood.linearise(self._vector(point))
        by_vector = likelihood.whitening.white(by_vector)
        if likelihood.external:
            known = likelihood.external.jacobian(likelihood.prior, self._vector(point))
            by_vector = np.concatenate([known, by_vector])
        pulls = by_vector @ self._vector_slopes(point)
        slopes = np.vstack([pulls, np.eye(self.others.size, point.size)])
        return self._checked("slopes of the pulls", slopes, point)

    def values(self, point: FloatArray) -> dict[str, float]:
        """Every parameter by name at a point (chart,)."""
        return self.likelihood.prior.values(self._vector(point))

    def _checked(self, quantity: str, rows: FloatArray, point: FloatArray) -> FloatArray:
        # Squares of what is larger overflow in the search for the mode.
        if not np.all(np.abs(rows) < _LARGEST):
            require_finite(
                quantity, np.where(np.abs(rows) < _LARGEST, rows, np.nan), self.values(point)
            )
        return rows

    def _vector(self, point: FloatArray) -> FloatArray:
        return self.likelihood.prior.from_unit(self.to_unit(point, np.ones(self.phases.size)))

    def _vector_slopes(self, point: FloatArray) -> FloatArray:
        """Derivatives of the parameters by chart coordinates, shape (d, chart)."""
        steps = _STEP * np.eye(point.size)
        change = self._vector(point + steps) - self._vector(point - steps)
        # A phase that steps over 360 degrees has not changed by a full turn.
        change[:, self._circular()] -= FULL_TURN_DEG * np.round(
            change[:, self._circular()] / FULL_TURN_DEG
        )
        return change.T / (2.0 * _STEP)

    def _circular(self) -> list[int]:
        prior = self.likelihood.prior
        return [prior.names.index(name) for name in prior.circular]
