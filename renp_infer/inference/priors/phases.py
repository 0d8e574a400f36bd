"""Phases for samplers: round coordinates, and the mirror that no experiment sees.

A sampler moves a phase as the direction of a point of the plane. If the point is normally
distributed, a phase known to some degrees fills a wedge, which a gradient sampler cannot
follow to its tip. The radius is free: a squared radius that is chi-squared with many
degrees of freedom makes of the wedge a round patch far from the origin, and leaves the
phase its posterior.

The signal depends on delta and alpha31 by alpha31 - 2 delta only, and it is even in
alpha21 and alpha31 - 2 delta together: Re(b^2) of Eq. (3) is a sum of cosines. Both are
used: a sampler's third phase is alpha31 - 2 delta, and its draws are mirrored at random.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.priors._phase_kernels import by_pairs, directions
from renp_infer.inference.priors.marginals import FULL_TURN_DEG
from renp_infer.inference.priors.prior import Prior
from renp_infer.records import FloatArray

Places = NDArray[np.int64]

DELTA, ALPHA21, ALPHA31 = PARAMETERS.phases
_POINTS = 37
"""Angles of half a turn at which a width is measured."""
_ROUNDING = 1e-9
"""Losses that differ by less are the same."""
_FREEDOM_BY_WIDTH = 2.0
"""Degrees of freedom by width^-2, rad: a standard deviation of the phase is then an arc of 1.4."""
_LEAST_FREEDOM, _MOST_FREEDOM = 2.0, 400.0
"""The first is the normal distribution of a pair; the second, a radius of 20."""


class Planes:
    """Phases as directions in planes.

    Parameters
    ----------
    first : ndarray of int, shape (p,)
        Where the pair of coordinates of each phase begins.
    mixing : ndarray, shape (p, p)
        Phases by the directions of the pairs.
    widths : ndarray, shape (p,)
        How well each direction is known, rad.
    """

    def __init__(self, first: Places, mixing: FloatArray, widths: FloatArray) -> None:
        least = np.sqrt(_FREEDOM_BY_WIDTH / _MOST_FREEDOM)
        freedom = _FREEDOM_BY_WIDTH / np.maximum(widths, least) ** 2
        self.freedom = np.maximum(freedom, _LEAST_FREEDOM)
        self.first, self.mixing = first, mixing
        powers = 0.5 * self.freedom
        self._constant = float(np.sum(0.5 + (1.0 - powers) * np.log(2.0) - gammaln(powers)))

    def point(self, paired: FloatArray) -> FloatArray:
        """Coordinates (k,) with unit vectors of the phases in place of the pairs."""
        return directions(paired, self.first, self.mixing)

    def pull_back(self, gradient: FloatArray, paired: FloatArray) -> tuple[float, FloatArray]:
        """Log density and gradient of the pairs, from those at their unit vectors.

        Parameters
        ----------
        gradient : ndarray, shape (k,)
            At ``point(paired)``.
        paired : ndarray, shape (k,)

        Returns
        -------
        log_density : float
            To be added to that of a model in which pairs are normally distributed.
        gradient : ndarray, shape (k,)
        """
        density, pulled = by_pairs(
            gradient, self.point(paired), paired, self.first, self.mixing, self.freedom
        )
        return density + self._constant, pulled

    def pairs(self, point: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Coordinates (k,) whose pairs have the phases of a point, at random radii."""
        angles = np.arctan2(point[self.first + 1], point[self.first])
        angles = np.linalg.solve(self.mixing, angles)
        radii = np.sqrt(rng.chisquare(self.freedom))
        paired = point.copy()
        paired[self.first], paired[self.first + 1] = radii * np.cos(angles), radii * np.sin(angles)
        return paired


def mixing(names: tuple[str, ...]) -> FloatArray:
    """Phases by those of a sampler, shape (p, p): alpha31 has 2 delta added."""
    matrix = np.eye(len(names))
    if DELTA in names and ALPHA31 in names:
        matrix[names.index(ALPHA31), names.index(DELTA)] = 2.0
    return matrix


def width(residuals: Callable[[float], FloatArray], slopes: FloatArray) -> float:
    """How well data know an angle, rad: root mean square around a mode, of that mode alone.

    Parameters
    ----------
    residuals : callable
        Pulls (n,) at a distance from the mode, rad; half their square is the loss.
    slopes : ndarray, shape (n, k)
        Derivatives of the pulls by what else is free, which follows linearly.
    """
    basis = np.linalg.qr(slopes)[0]
    distances = np.linspace(0.0, np.pi, _POINTS)
    weights, moments = [], []
    for side in (1.0, -1.0):
        pulls = np.array([residuals(side * distance) for distance in distances])
        losses = 0.5 * np.sum(pulls**2, axis=1) - 0.5 * np.sum((pulls @ basis) ** 2, axis=1)
        weight = np.exp(losses[0] - losses[: _valley(losses)])
        weight[0] *= 0.5  # of both sides
        weights.append(weight.sum())
        moments.append(weight @ distances[: weight.size] ** 2)
    return float(np.sqrt(sum(moments) / sum(weights)))


def _valley(losses: FloatArray) -> int:
    """Number of losses until they fall for the first time."""
    falls = np.flatnonzero(np.diff(losses) < -_ROUNDING)
    return int(falls[0]) + 1 if falls.size else losses.size


def mirrored(prior: Prior, vectors: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draws (..., d) with the signs of both Majorana phases drawn anew.

    alpha21 is mirrored about 0 and alpha31 about 2 delta; where one of the two is fixed
    nothing is done.
    """
    if not {ALPHA21, ALPHA31} <= set(prior.circular):
        return vectors
    places = {name: k for k, name in enumerate(prior.names)}
    delta = vectors[..., places[DELTA]] if DELTA in places else prior.fixed[DELTA]
    flipped = rng.uniform(size=vectors.shape[:-1]) < 0.5
    turned = vectors.copy()
    for name, center in ((ALPHA21, 0.0), (ALPHA31, 2.0 * delta)):
        phase = vectors[..., places[name]]
        mirror = np.mod(2.0 * center - phase, FULL_TURN_DEG)
        turned[..., places[name]] = np.where(flipped, mirror, phase)
    return turned
