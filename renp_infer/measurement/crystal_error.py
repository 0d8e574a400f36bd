"""What the finite crystal's share of a refined field errs by, held to nested quadrature.

Such a field has that share from split integrals and what they lack beside a straight edge;
refining the distances at which it is known does not show the error of either.
"""

from __future__ import annotations

import functools

import numpy as np

from renp_infer.measurement._correction_kernels import correction_density
from renp_infer.measurement._cross_kernels import add_lack
from renp_infer.measurement._edge_kernels import edge_angles
from renp_infer.measurement.smoothing import make_smoother
from renp_infer.physics.neutrinos import masses, weights
from renp_infer.physics.pairs.form_factor import pair_masses
from renp_infer.physics.signal.magnetization import signal_factor
from renp_infer.records import Experiment, FloatArray, Parameters

STRICTEST = 1e-5
"""Tolerance of the quadrature, or that of the field if it is smaller."""
CELLS = np.array([0.0, 0.2, 0.8, 3.2, 12.8])
"""Distances from an edge between which the error is looked at, in leading widths."""


class CrystalError:
    """Error of the finite crystal's share of an experiment's refined fields.

    It arises beside the edge of a pair, within some leading widths of the form factor: windows
    that end there see what has cumulated, others what is left of the whole, and further away
    it falls as one over the distance. It hangs on how sharply a density begins. A
    planar one has a peak that is the higher the lighter the pair: pairs of equal masses, two
    to an octave, stand for those that are up to 1.4 times heavier. In space the massless pair
    stands for all. Absolute errors are added, so that none cancels by chance.

    Parameters
    ----------
    experiment : Experiment
    places : int
        At which a cell between two distances is looked at. Of a narrow feature one place may
        say a hundred times what it adds to a window: more are asked where that would refuse.
    """

    def __init__(self, experiment: Experiment, places: int = 1) -> None:
        self.places = places
        self.experiment, self.smoother = experiment, make_smoother(experiment, mended=True)
        index, omega = self.smoother.beam[[0, 3]]
        side = self.smoother.width / (index * omega) * CELLS
        self.distances = np.concatenate([-side[:0:-1], side])
        inside = self.smoother.grid.weights
        bare = np.zeros((len(inside), 1))
        self._steps = np.abs(np.diff(np.hstack([bare, inside, bare])))
        self._parts_of = functools.cache(self._parts)

    def field_nG(self, parameters: Parameters, chi_squared: float) -> FloatArray:
        """Error of the field at parameters, shape (n,), nG: the sum over pairs and edges."""
        m, switches = masses(parameters), self.experiment.switches
        rows, pairs = weights(parameters, switches), pair_masses(m)
        odd = np.zeros(len(pairs))
        if parameters.nature == "majorana":
            odd = rows.pv_majorana * switches.majorana_kappa * np.prod(pairs, axis=1)
        total = np.zeros(len(self._steps))
        for pair, *factors in zip(pairs, rows.pv, odd, strict=True):
            total += self._windows(pair) @ np.abs(factors)
        factor = signal_factor(self.experiment, chi_squared) * self.smoother.norm
        return np.asarray(np.abs(factor) * total)

    @property
    def ends(self) -> FloatArray:
        """Angles at which windows end, or step, rad."""
        return self.smoother.grid.borders[np.any(self._steps > 0.0, axis=0)]

    def edges(self, parameters: Parameters) -> FloatArray:
        """Angles at which pairs begin to be produced, (6, 2), rad; nan where they do at all."""
        smoother = self.smoother
        totals = pair_masses(masses(parameters)).sum(axis=1)
        found = [edge_angles(smoother.beam, smoother.epsilon, float(q0)) for q0 in totals]
        ends = [(centre - below, centre + above) for centre, below, above in found]
        return np.where(np.isfinite(ends), ends, np.nan)

    def _windows(self, pair: FloatArray) -> FloatArray:
        """Errors of A and B of a pair in each window, shape (n, 2)."""
        smoother, grid = self.smoother, self.smoother.grid
        found = np.zeros((len(self._steps), 2))
        centre, *widths = edge_angles(smoother.beam, smoother.epsilon, float(pair.sum()))
        for side, width in enumerate(widths):
            if not 0.0 < width < np.inf:
                continue
            away = grid.borders - (centre + (width if side else -width))
            across = (away[:-1] < 0.0) & (away[1:] > 0.0)
            parts = self._parts_of(self._stand_in(pair), side)
            for channel, errors in enumerate(parts.T):
                found[:, channel] += self._steps @ self._cumulated(errors, away)
                found[:, channel] += grid.weights @ across * abs(errors.sum())
        return found

    def _cumulated(self, errors: FloatArray, away: FloatArray) -> FloatArray:
        """Error on the lesser side of places (k,), of errors (cells,) beside an edge."""
        last = self.distances[-1]
        below = np.append(0.0, np.cumsum(np.abs(errors)))
        least = np.minimum(below, below[-1] - below)
        end = 0.5 * max(least[1], least[-2])
        inside = np.interp(away, self.distances, least)
        return np.maximum(inside, end * last / np.maximum(np.abs(away), last))

    def _stand_in(self, pair: FloatArray) -> float:
        """Mass of both of the pair that stands for another, eV."""
        mass = float(np.sqrt(np.prod(pair)))
        # a gap of 2 m keeps the peak within 2 m^2 / epsilon of the edge
        if not self.smoother.planar or mass**2 < self.smoother.epsilon * self.smoother.width:
            return 0.0
        return float(2.0 ** (0.5 * np.floor(2.0 * np.log2(mass))))

    def _parts(self, mass_eV: float, side: int) -> FloatArray:
        """Errors of a pair of two equal masses between the distances from an edge, (cells, 2)."""
        smoother = self.smoother
        centre, *widths = edge_angles(smoother.beam, smoother.epsilon, 2.0 * mass_eV)
        # equal steps of the square root, in which densities begin smoothly
        ends = np.sign(self.distances) * np.sqrt(np.abs(self.distances))
        cells = np.arange(self.places * (ends.size - 1) + 1) / self.places
        root = np.interp(cells, np.arange(ends.size), ends)
        middle, steps = 0.5 * (root[:-1] + root[1:]), np.diff(root)
        places = np.sign(middle) * middle**2
        pair = np.full((1, 2), mass_eV)
        angles = centre + (widths[1] if side else -widths[0]) + places
        error = self._density(pair[0], angles, exact=True)
        error = error - self._density(pair[0], angles, exact=False)
        lack = np.zeros((1, places.size, 4))
        add_lack(
            smoother.planar,
            smoother.lorentz,
            places,
            side,
            smoother.beam,
            smoother.crystal,
            smoother.epsilon,
            pair,
            smoother.form,
            smoother.facing,
            lack,
        )
        errors = 2.0 * np.abs(middle * steps)[:, None] * (error - lack[0, :, 2:])
        return np.asarray(errors.reshape(-1, self.places, 2).sum(axis=1))

    def _density(self, pair: FloatArray, angles: FloatArray, *, exact: bool) -> FloatArray:
        """Share of the finite crystal at angles (k,), without norm, (k, 2)."""
        smoother = self.smoother
        return np.asarray(
            correction_density(
                exact,
                smoother.planar,
                smoother.lorentz,
                angles,
                smoother.beam,
                smoother.crystal,
                smoother.epsilon,
                pair,
                smoother.form,
                smoother.facing,
                min(STRICTEST, smoother.rtol),
            )
        )
