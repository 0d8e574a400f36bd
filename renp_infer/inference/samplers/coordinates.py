"""Coordinates in which a posterior is nearly round, for gradient samplers.

Four steps that only spare a sampler work; any coordinates sample the same posterior.
An affine map makes the Gaussian at the mode round. A shear straightens the ridge
along the mass (``ridge.py``): it adds a function of m1 to the others, its determinant is 1.
The mass itself is stretched until the density along that ridge is normal (``stretch.py``).
Phases are directions in planes of their own (``phases.py``); the first two steps leave them
alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.phases import Planes, mixing, width
from renp_infer.inference.samplers._coordinate_kernels import spline_cell, to_model, to_round
from renp_infer.inference.samplers.model import linear_of
from renp_infer.inference.samplers.ridge import ridge
from renp_infer.inference.samplers.start import Chart, LocalGaussian, local_gaussian, overdispersed
from renp_infer.inference.samplers.stretch import stretch
from renp_infer.records import FloatArray


class Coordinates:
    """Map from round coordinates ``q`` to those of the model.

    ``a = center + factor @ q``, and the point is ``a`` with ``bend(a_mass)`` added and
    the pairs of the phases replaced by unit vectors.

    Parameters
    ----------
    likelihood : Likelihood
    rng : numpy.random.Generator
        For the search of the mode.

    Attributes
    ----------
    center : ndarray, shape (k,)
    factor : ndarray, shape (k, k)
    planes : Planes
    """

    def __init__(self, likelihood: Likelihood, rng: np.random.Generator) -> None:
        slices = likelihood.prior.unit_slices()
        linear = [slices[name].start for name in linear_of(likelihood.prior)]
        chart = Chart(likelihood)
        local = local_gaussian(chart, rng)
        whole = local.factor @ local.factor.T
        covariance = np.delete(np.delete(whole, linear, 0), linear, 1)
        size, kept = local.center.size, local.center.size - len(linear)
        self.likelihood, self.linear = likelihood, linear
        self.planes = _planes(chart, local, linear)
        self.center, self.factor = np.zeros(size), np.eye(size)
        self.center[:kept] = np.delete(local.center, linear)
        self.factor[:kept, :kept] = np.linalg.cholesky(covariance)
        before = sum(place < slices[MASS].start for place in linear)
        self._mass = slices[MASS].start - before
        found = ridge(chart, local.mode, whole[np.ix_(chart.others, chart.others)])
        masses = found.masses
        bends = np.zeros((masses.size, size))
        bends[:, chart.others] = found.departures
        bends = np.concatenate(
            [np.delete(bends, linear, 1), np.zeros((masses.size, len(linear)))], axis=1
        )
        spline = CubicSpline(masses, bends)
        tables = (np.ascontiguousarray(part) for part in (spline.x, spline.c))
        self._map = (self.center, self.factor, self._mass, *tables)
        place = self._mass
        steps = (masses - self.center[place]) / self.factor[place, place]
        self._stretch = stretch(steps, found.chi_squared)

    def point(self, q: FloatArray) -> FloatArray:
        """Model coordinates (k,)."""
        return self.planes.point(to_model(self._stretched(q)[0], *self._map))

    def _stretched(self, q: FloatArray) -> tuple[FloatArray, float, float]:
        """Coordinates of the affine map (k,), and both derivatives of that of the mass."""
        given = q.copy()
        given[self._mass], slope, bend = self._stretch(q[self._mass])
        return given, slope, bend

    def pull_back(self, gradient: FloatArray, q: FloatArray) -> tuple[float, FloatArray]:
        """What planes and stretch add to the log density, and its gradient by ``q`` (k,).

        Parameters
        ----------
        gradient : ndarray, shape (k,)
            By the model coordinates, at ``point(q)``.
        q : ndarray, shape (k,)
        """
        given, slope, bend = self._stretched(q)
        density, gradient = self.planes.pull_back(gradient, to_model(given, *self._map))
        pulled = to_round(gradient, given, *self._map)
        pulled[self._mass] = slope * pulled[self._mass] + bend / slope
        return density + float(np.log(slope)), pulled

    def start(self, seed: Any) -> FloatArray:
        """Start of a chain, from its seed."""
        rng = np.random.default_rng(seed)
        unit = overdispersed(self.likelihood, 1, rng)[0]
        relative = rng.standard_normal(len(self.linear))
        affine = np.concatenate([np.delete(unit, self.linear), relative])
        knots, table = self._map[3:]
        cell, t = spline_cell(affine[self._mass], knots)
        affine -= t ** np.arange(3, -1, -1) @ table[:, cell]
        paired = self.planes.pairs(affine, rng)
        q = np.linalg.solve(self.factor, paired - self.center)
        q[self._mass] = self._stretch.inverse(q[self._mass])
        return q


def _planes(chart: Chart, local: LocalGaussian, linear: list[int]) -> Planes:
    """Planes of the phases, among coordinates without the linear ones."""
    turns = mixing(chart.likelihood.prior.circular)

    def known(turn: FloatArray) -> float:
        direction = np.concatenate([np.zeros(chart.others.size), turn])
        return width(lambda d: chart.residuals(local.mode + d * direction), local.slopes)

    first = chart.phases - np.sum(np.array(linear)[:, None] < chart.phases, axis=0)
    return Planes(first, turns, np.array([known(turn) for turn in turns.T]))
