"""Priors of nuisances as measurements: the penalties of a profile likelihood.

What is normal, in the parameter or in its logarithm, was measured with that error, within
its ends if it is truncated; correlated ones together. What is uniform, in either, says no
more than its ends. Of a density in a table the penalty is -2 ln(density / its largest), in
the parameter itself.
"""

from __future__ import annotations

import numpy as np

from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.marginals import (
    Circular,
    LogNormal,
    LogUniform,
    Marginal,
    Normal,
    Tabulated,
    Truncated,
    Uniform,
)
from renp_infer.inference.priors.prior import Prior
from renp_infer.records import FloatArray

_LEAST = 1e-6
"""Smallest pull by which a slope is divided: at the top of a density of straight lines it
is infinite."""


class Calibrations:
    """Pulls of the nuisances that count as measured, each independent of the others.

    Parameters
    ----------
    prior : Prior

    Attributes
    ----------
    places : list of int
        Of the k measured ones in a vector.
    names : list of str
    """

    def __init__(self, prior: Prior) -> None:
        self.places = [
            place for place, (name, marginal) in enumerate(prior.marginals.items())
            if name != MASS and not isinstance(marginal, Circular | Uniform | LogUniform)
        ]  # fmt: skip
        self.names = [prior.names[place] for place in self.places]
        marginals = list(prior.marginals.values())
        rows = enumerate(self.places)
        self._bent = {row: marginals[k] for row, k in rows if is_bent(marginals[k])}
        self._identity = np.eye(len(marginals))[self.places]
        self._untie: FloatArray | None = None
        if prior.blocks:
            self._untie = np.eye(len(self.places))
            for block in prior.blocks:
                own = [self.names.index(name) for name in block.names]
                self._untie[np.ix_(own, own)] = np.linalg.inv(block.factor)

    @property
    def size(self) -> int:
        """Number of measurements."""
        return len(self.places)

    def pulls(
        self, point: FloatArray, vector: FloatArray, scales: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Pulls (k,) and their derivatives (k, d) by the coordinates of a point (d,).

        Parameters
        ----------
        point : ndarray, shape (d,)
            Where priors are Gaussian, in standard deviations from their centres.
        vector : ndarray, shape (d,)
            The parameters there.
        scales : ndarray, shape (d,)
            Derivatives of the parameters by the coordinates.
        """
        found, rows = point[self.places], self._identity
        if self._bent:
            rows = rows.copy()
        for row, marginal in self._bent.items():
            place = self.places[row]
            found[row], slope = _pull(marginal, float(vector[place]))
            rows[row, place] = slope * scales[place]
        if self._untie is None:
            return found, rows
        return self._untie @ found, self._untie @ rows

    def central(self, vector: FloatArray) -> FloatArray:
        """What the measurements find (k,) if parameters (d,) at the medians of priors are true."""
        zero = np.zeros(vector.size)
        return self.pulls(zero, vector, zero)[0]


def is_bent(marginal: Marginal) -> bool:
    """Whether a prior is Gaussian neither in the parameter nor in its logarithm."""
    return not isinstance(marginal, Normal | LogNormal | Circular)


def center_of(marginal: Marginal) -> float:
    """Where a coordinate is 0, in units of the parameter, or of its logarithm."""
    if isinstance(marginal, LogNormal):
        return float(np.log(marginal.median))
    return marginal.mean if isinstance(marginal, Normal) else 0.0


def width_of(marginal: Marginal) -> float:
    """Unit of a coordinate in units of the parameter, or of its logarithm."""
    return marginal.sd if isinstance(marginal, Normal | LogNormal) else 1.0


def _pull(marginal: Marginal, value: float) -> tuple[float, float]:
    """Pull of a value, whose square is its penalty, and the pull's derivative."""
    if isinstance(marginal, Truncated):
        pull, slope = marginal.base.pull(value)
        return -pull, slope
    assert isinstance(marginal, Tabulated)
    values, density, _ = marginal.nodes
    top = int(np.argmax(density))
    cell = int(np.clip(np.searchsorted(values, value, side="right") - 1, 0, values.size - 2))
    slope = (density[cell + 1] - density[cell]) / (values[cell + 1] - values[cell])
    height = max(density[cell] + slope * (value - values[cell]), np.finfo(float).tiny)
    pull = float(np.sqrt(max(2.0 * np.log(density[top] / height), 0.0)))
    sign = 1.0 if value >= values[top] else -1.0
    return sign * pull, -sign * slope / height / max(pull, _LEAST)
