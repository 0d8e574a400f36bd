"""A hypothesis (ordering, nature): its response, priors, and expectations by mass and phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from renp_infer.inference.fisher import MASSLESS_MEV
from renp_infer.inference.likelihood import Likelihood, ResponseLike
from renp_infer.inference.prior import (
    GaussianPrior,
    InferenceSettings,
    build_prior,
    response_argument,
    truth_values,
)
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.records import FloatArray, Observation, Parameters

_NEAREST = 2
TORUS_STEP = (0.7548776662466927, 0.5698402909980532)
"""Powers of 1 / 1.3247..., the plastic number: the most even lattice in two dimensions."""


@dataclass(frozen=True)
class Hypothesis:
    """What a fit of one ordering and nature needs.

    Attributes
    ----------
    response : ResponseLike
    parameters : Parameters
        Central values; mass and phases are those of the study.
    oscillation : mapping
        Measured oscillation parameters of this ordering.
    settings : InferenceSettings
    refractive_index : float
        Nominal value.
    """

    response: ResponseLike
    parameters: Parameters
    oscillation: Mapping[str, GaussianPrior]
    settings: InferenceSettings
    refractive_index: float

    def at(self, m1_meV: float, phases: Sequence[float] | None = None) -> Parameters:
        """Parameters of a mass and of phases (delta, alpha21, alpha31), rad."""
        moved = replace(self.parameters, m1_eV=max(m1_meV, MASSLESS_MEV) * MILLI_EV_TO_EV)
        if phases is None:
            return moved
        delta, alpha21, alpha31 = phases
        return replace(moved, delta=delta, alpha21=alpha21, alpha31=alpha31)

    def field(self, parameters: Parameters) -> FloatArray:
        """Expected field (n,), nG, with the nominal apparatus."""
        values = truth_values(parameters, self.refractive_index)
        return self.response(response_argument(values))[0]

    def likelihood(
        self, observation: Observation, peak_nG: float, leakage_nG: FloatArray | None = None
    ) -> Likelihood:
        """Likelihood of data; ``peak_nG`` is the unit of the baseline's prior."""
        prior = build_prior(
            self.parameters, self.settings, self.oscillation, self.refractive_index, peak_nG
        )
        return Likelihood(prior, self.response, observation, leakage_nG)

    def vector(self, parameters: Parameters, likelihood: Likelihood) -> FloatArray:
        """Free parameters (d,) of a point, all nuisances at their centres."""
        values = truth_values(parameters, self.refractive_index)
        return np.array([values[name] for name in likelihood.prior.names])


def phase_settings(count: int, own: Sequence[float]) -> list[tuple[float, float, float]]:
    """Settings of the CP phases (delta, alpha21, alpha31), rad, evenly over what counts.

    The field depends on alpha21 and alpha31 - 2 delta, and not on the common sign of
    both, so delta stays and half the torus is covered: first the study's own phases,
    then the four that conserve CP, then a lattice.
    """
    delta = own[0]
    corners = [(a, b) for a in (0.0, np.pi) for b in (0.0, np.pi)]
    steps = np.arange(1, max(count, 1))[:, None] * np.array(TORUS_STEP)
    lattice = np.mod(steps, 1.0) * np.array([np.pi, 2.0 * np.pi])
    points = [tuple(own)]
    for alpha21, effective in [*corners, *lattice]:
        point = (delta, float(alpha21), float(np.mod(effective + 2.0 * delta, 2.0 * np.pi)))
        if not any(np.allclose(point, other) for other in points):
            points.append(point)
    return [(p[0], p[1], p[2]) for p in points[:count]]


class _Remembering:
    """A response that knows its first values by heart.

    Fits of a rival begin at points of its library, again and again.
    """

    def __init__(self, response: ResponseLike) -> None:
        self._response, self._known = response, dict[bytes, tuple[FloatArray, FloatArray]]()

    @property
    def theta_s(self) -> FloatArray:
        return self._response.theta_s

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self._known.get(x.tobytes()) or self._response(x)

    def learn(self, x: FloatArray) -> FloatArray:
        """Remember a point (11,); its template (n,)."""
        return self._known.setdefault(x.tobytes(), self._response(x))[0]


class Library:
    """Expectations of a hypothesis, among which the fit of a rival begins.

    Parameters
    ----------
    hypothesis : Hypothesis
    m1_meV : ndarray, shape (k,)
    phases : sequence
        Phase settings.
    """

    def __init__(
        self,
        hypothesis: Hypothesis,
        m1_meV: FloatArray,
        phases: Sequence[tuple[float, float, float]],
    ) -> None:
        response, index = _Remembering(hypothesis.response), hypothesis.refractive_index
        self.hypothesis = replace(hypothesis, response=response)
        self._points = [hypothesis.at(float(m), p) for m in m1_meV for p in phases]
        arguments = [response_argument(truth_values(p, index)) for p in self._points]
        fields = np.array([response.learn(x) for x in arguments])
        self._scale = float(np.max(np.abs(fields))) or 1.0
        self._fields = fields / self._scale
        centred = self._fields - self._fields.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        self._shapes = centred / np.where(lengths > 0.0, lengths, 1.0)

    def nearest(self, field_nG: FloatArray) -> list[Parameters]:
        """Points whose field is closest, and closest up to amplitude and baseline."""
        field = field_nG / self._scale
        plain = np.linalg.norm(self._fields - field, axis=1)
        shape = -self._shapes @ (field - field.mean())
        chosen = [int(k) for order in (plain, shape) for k in np.argsort(order)[:_NEAREST]]
        return [self._points[k] for k in dict.fromkeys(chosen)]
