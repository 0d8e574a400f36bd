"""What a hypothesis predicts at many masses: the field and all that can move it.

Around each mass the field is linear in the nuisances (per unit coordinate of their
priors, which is the standard deviation of a Gaussian one), and exactly affine in the cosines
of the Majorana phases,

    cos alpha21,  cos(alpha31 - 2 delta),  cos(alpha31 - alpha21 - 2 delta):

Re(b c) of Eq. (3) goes with them, and the phases enter nowhere else. Four settings
that conserve CP give all of it. Neglected: second derivatives in the nuisances, and
that the slopes in the nuisances depend on the phases, too.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.likelihood import ResponseLike
from renp_infer.inference.parameters import AMPLITUDE, MASS, PARAMETERS
from renp_infer.inference.priors.marginals import slope_at
from renp_infer.inference.priors.prior import Prior, response_argument
from renp_infer.inference.responses.response import Response
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.records import FloatArray

COSINES = ("cos(alpha21)", "cos(alpha31-2delta)", "cos(alpha31-alpha21-2delta)")
COSINE_SD = np.sqrt(0.5)
"""Standard deviation of each, of phases uniform on the circle."""
_CORNERS = np.array([[0.0, a, b] for b in (0.0, np.pi) for a in (0.0, np.pi)])
"""Phases (delta, alpha21, alpha31) that conserve CP."""
_SIGNS = np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, -1.0], [1.0, -1.0, -1.0], [-1.0, -1.0, 1.0]])
_SPLIT = 0.25 * np.column_stack([np.ones(4), _SIGNS])
"""The cosines there; and the fields there as a sum of a constant and each cosine."""


@dataclass(frozen=True)
class Prediction:
    """Expected data of one hypothesis at k masses and n angles.

    Attributes
    ----------
    m1_meV : ndarray, shape (k,)
    mean : ndarray, shape (k, n)
        With all nuisances at their centres and all free cosines 0.
    by_mass : ndarray, shape (k, n)
        Derivative by m1, per meV.
    cosines : ndarray, shape (k, n, 3)
        Factors of the three ``COSINES``; 0 for Dirac neutrinos, and for phases
        that are known: then their part is in the field.
    slopes : ndarray, shape (k, n, d)
        Derivatives by the nuisances, per unit coordinate of each prior.
    """

    m1_meV: FloatArray
    mean: FloatArray
    by_mass: FloatArray
    cosines: FloatArray
    slopes: FloatArray

    @functools.cached_property
    def _rates(self) -> tuple[FloatArray, FloatArray]:
        """Changes with m1 of ``cosines`` and ``slopes``, per meV."""
        parts = (self.cosines, self.slopes)
        first, second = (np.gradient(part, self.m1_meV, axis=0) for part in parts)
        return first, second

    def at(self, m1_meV: FloatArray) -> Prediction:
        """Prediction at other masses (q,) within the range, by piecewise cubics.

        The field has its own slopes at the masses; the others those of parabolas. Where a
        threshold enters a window of angle, the field goes as the power 3/2 of the mass.
        """
        cubic = _Cubic(self.m1_meV, m1_meV)
        return Prediction(
            m1_meV,
            cubic.value(self.mean, self.by_mass),
            cubic.slope(self.mean, self.by_mass),
            cubic.value(self.cosines, self._rates[0]),
            cubic.value(self.slopes, self._rates[1]),
        )

    def at_phases(self, cosines: FloatArray) -> FloatArray:
        """Fields (k, n) at given cosines, shape (3,) or (k, 3)."""
        fields: FloatArray = self.mean + np.einsum(
            "knc,kc->kn", self.cosines, np.broadcast_to(cosines, (self.m1_meV.size, 3))
        )
        return fields


class _Cubic:
    """Piecewise cubics between x (k,), evaluated at q points."""

    def __init__(self, x: FloatArray, at: FloatArray) -> None:
        self.k = np.clip(np.searchsorted(x, at) - 1, 0, x.size - 2)
        self.h = x[self.k + 1] - x[self.k]
        t = (at - x[self.k]) / self.h
        up, down = t * t, (1.0 - t) ** 2
        self.weights = (
            (1.0 + 2.0 * t) * down,
            t * down * self.h,
            up * (3.0 - 2.0 * t),
            up * (t - 1.0) * self.h,
        )
        bend = 6.0 * t * (1.0 - t) / self.h
        self.rates = (-bend, (1.0 - t) * (1.0 - 3.0 * t), bend, t * (3.0 * t - 2.0))

    def value(self, y: FloatArray, slope: FloatArray) -> FloatArray:
        """Cubics through y (k, ...) with given slopes, (q, ...)."""
        return self._sum(self.weights, y, slope)

    def slope(self, y: FloatArray, slope: FloatArray) -> FloatArray:
        """Their derivatives."""
        return self._sum(self.rates, y, slope)

    def _sum(self, weights: Sequence[FloatArray], y: FloatArray, slope: FloatArray) -> FloatArray:
        parts = (y[self.k], slope[self.k], y[self.k + 1], slope[self.k + 1])
        shape = (-1, *[1] * (y.ndim - 1))
        terms = [w.reshape(shape) * p for w, p in zip(weights, parts, strict=True)]
        return terms[0] + terms[1] + terms[2] + terms[3]


def cosines_of(phases: FloatArray) -> FloatArray:
    """The three ``COSINES``, shape (..., 3), of (alpha21, alpha31 - 2 delta), (..., 2), rad."""
    first, second = phases[..., 0], phases[..., 1]
    return np.stack([np.cos(first), np.cos(second), np.cos(second - first)], axis=-1)


def turned(cosines: FloatArray, phases: FloatArray) -> FloatArray:
    """Derivatives (n, 2) by the two phases (2,), per rad, of a field with cosines (n, 3)."""
    first, second = phases
    across = np.sin(second - first)
    by_phase = np.array([[-np.sin(first), 0.0, across], [0.0, -np.sin(second), -across]])
    slopes: FloatArray = cosines @ by_phase.T
    return slopes


def nuisances(prior: Prior) -> tuple[str, ...]:
    """Free parameters that are neither the mass nor phases, in order."""
    return tuple(n for n in prior.names if n != MASS and n not in prior.circular)


def in_degrees(*phases: float) -> dict[str, float]:
    """Parameters of phases delta, alpha21, alpha31, rad."""
    return dict(zip(PARAMETERS.phases, np.rad2deg(phases).tolist(), strict=True))


def predict(model: HypothesisModel, m1_meV: Sequence[float] | FloatArray) -> Prediction:
    """Predict the field at some masses.

    Parameters
    ----------
    model : HypothesisModel
    m1_meV : sequence of float
    """
    masses = np.asarray(m1_meV, dtype=float)
    prior, shapes = model.prior, model.all_shapes
    free = bool(prior.circular) and model.parameters.nature == "majorana"
    rows = [_cosine_rows(model, float(m)) if free else _row(model, float(m)) for m in masses]
    # (k, n, 1 + 12, 4): template and Jacobian, constant and by cosine
    whole = np.array(rows)
    field, jacobian = whole[:, :, 0, 0], whole[:, :, 1:, 0]
    slots, columns = prior.response_slots(), []
    for name in nuisances(prior):
        sd = slope_at(prior.marginals[name], 0.0)
        if name == AMPLITUDE:
            columns.append(sd * field)
        elif name in shapes:
            columns.append(np.broadcast_to(sd * shapes[name], field.shape))
        elif name in model.factors:
            columns.append(sd * model.factors[name] * field)
        else:
            slot, scale = slots[name]
            columns.append(sd * scale * jacobian[:, :, slot])
    slopes = np.stack(columns, axis=-1) if columns else np.zeros((*field.shape, 0))
    return Prediction(masses, field, MILLI_EV_TO_EV * jacobian[:, :, 0], whole[:, :, 0, 1:], slopes)


def _row(model: HypothesisModel, m1_meV: float) -> FloatArray:
    """Template and Jacobian (n, 13, 4) at a mass; nothing depends on a free phase."""
    template, jacobian = model.response(_argument(model, m1_meV))
    whole = np.zeros((template.size, 1 + jacobian.shape[1], 4))
    whole[:, 0, 0], whole[:, 1:, 0] = template, jacobian
    return whole


def _cosine_rows(model: HypothesisModel, m1_meV: float) -> FloatArray:
    """Template and Jacobian (n, 13, 4): constant, and factor of each cosine."""
    corners = _at_phases(model.response, _argument(model, m1_meV), _CORNERS)
    whole: FloatArray = np.einsum("pnj,pc->njc", corners, _SPLIT)
    return whole


def _argument(model: HypothesisModel, m1_meV: float) -> FloatArray:
    return response_argument(model.values(model.at(m1_meV)))


def _at_phases(response: ResponseLike, x: FloatArray, phases: FloatArray) -> FloatArray:
    """Template and Jacobian (p, n, 13) at phases (p, 3); all at once where that is possible."""
    if isinstance(response, Response):
        return response.at_phases(x, phases)
    rows = [response(np.concatenate([x[:8], row])) for row in phases]
    return np.array([np.column_stack(row) for row in rows])
