"""A state's field and its slopes anywhere among the nuisances, not only at their centres.

The field is A (T + Sum_i c_i T_i) + baseline: T and T_i follow from four settings of
the phases that conserve CP, since the field is affine in the three cosines c_i (see
``design.prediction``). The cosines count as free numbers here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from renp_infer.design.beliefs import Atlas, Beliefs
from renp_infer.design.prediction import COSINES, cosines_of
from renp_infer.inference.hypothesis import Hypothesis
from renp_infer.inference.prior import RESPONSE_SCALES, LogNormal, Normal, Prior, response_argument
from renp_infer.records import FloatArray

COSINE_SD = np.sqrt(0.5)
LIVE = 1e-5
"""States less probable than this keep the expansion that they have."""
LIGHTEST_MEV = 1e-3


@dataclass(frozen=True)
class Expander:
    """Expands the states of some hypotheses.

    Attributes
    ----------
    models : sequence of Hypothesis
    priors : sequence of Prior
        Of each.
    names : tuple of str
        Nuisances, then ``COSINES`` where phases are free.
    hypothesis : ndarray of int, shape (k,)
        Place of each state's hypothesis.
    """

    models: Sequence[Hypothesis]
    priors: Sequence[Prior]
    names: tuple[str, ...]
    hypothesis: np.ndarray

    def at(self, atlas: Atlas, state: int, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Field (a,) and slopes (a, d), nG, of a state at z (d,)."""
        place = int(self.hypothesis[state])
        model, prior = self.models[place], self.priors[place]
        m1 = abs(float(atlas.m1_meV[state] + atlas.rest_meV[state] * z[0]))
        own = dict(zip(self.names, z[1:].tolist(), strict=True))
        values = dict(prior.fixed) | {"m1_meV": max(m1, LIGHTEST_MEV)}
        for name, marginal in prior.marginals.items():
            if isinstance(marginal, Normal | LogNormal):
                values[name] = float(marginal.from_unit(np.array([own[name]])))
        free = bool(prior.circular) and model.parameters.nature == "majorana"
        parts = _at_cosines(model, values) if free else _at_phases(model, values)
        cosines = COSINE_SD * np.array([1.0 / COSINE_SD, *(own.get(n, 0.0) for n in COSINES)])
        whole = parts @ cosines
        return self._field(prior, values, atlas.rest_meV[state], parts, whole)

    def _field(
        self,
        prior: Prior,
        values: dict[str, float],
        rest_meV: float,
        parts: FloatArray,
        whole: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        template, jacobian, amplitude = whole[:, 0], whole[:, 1:], values["amplitude"]
        slots = {name: k for k, name in enumerate(RESPONSE_SCALES)}
        columns = [amplitude * rest_meV * RESPONSE_SCALES["m1_meV"] * jacobian[:, 0]]
        for name in self.names:
            if name in COSINES:
                columns.append(amplitude * COSINE_SD * parts[:, 0, 1 + COSINES.index(name)])
                continue
            marginal = prior.marginals[name]
            assert isinstance(marginal, Normal | LogNormal)
            if name == "amplitude":
                columns.append(marginal.sd * amplitude * template)
            elif name == "baseline_nG":
                columns.append(np.full_like(template, marginal.sd))
            else:
                slope = marginal.sd * RESPONSE_SCALES[name] * jacobian[:, slots[name]]
                columns.append(amplitude * slope)
        return amplitude * template + values["baseline_nG"], np.column_stack(columns)

    def refined(self, atlas: Atlas, beliefs: Beliefs) -> Atlas:
        """The atlas with live states expanded about what is believed of them.

        Data taken again with it give a Gauss-Newton step towards each state's mode.
        """
        field, slopes = atlas.field_nG.copy(), atlas.slopes_nG.copy()
        for k in np.flatnonzero(beliefs.weights > LIVE).tolist():
            mean = beliefs.means[k]
            there, slopes[k] = self.at(atlas, k, mean)
            field[k] = there - slopes[k] @ mean
        return atlas.with_fields(field, slopes)


def _template(model: Hypothesis, values: dict[str, float]) -> FloatArray:
    """Template and Jacobian, (a, 12)."""
    template, jacobian = model.response(response_argument(values))
    return np.column_stack([template, jacobian])


def _at_phases(model: Hypothesis, values: dict[str, float]) -> FloatArray:
    """Template and Jacobian at the study's phases, (a, 12, 4): no cosine counts."""
    p = model.parameters
    phases = {"delta_deg": p.delta, "alpha21_deg": p.alpha21, "alpha31_deg": p.alpha31}
    known = values | {name: float(np.rad2deg(value)) for name, value in phases.items()}
    whole = _template(model, known)
    return np.stack([whole, *(np.zeros_like(whole),) * 3], axis=2)


def _at_cosines(model: Hypothesis, values: dict[str, float]) -> FloatArray:
    """Template and Jacobian, constant and by cosine, (a, 12, 4)."""
    corners = np.array(list(itertools.product((0.0, np.pi), repeat=2)))
    rows = np.column_stack([np.ones(4), cosines_of(corners)])
    found = [
        _template(model, values | _phases_deg(model.parameters.delta, *corner))
        for corner in corners.tolist()
    ]
    return np.asarray(np.einsum("ci,iaj->ajc", np.linalg.inv(rows), np.array(found)))


def _phases_deg(delta: float, alpha21: float, effective: float) -> dict[str, float]:
    angles = {"delta_deg": delta, "alpha21_deg": alpha21, "alpha31_deg": effective + 2.0 * delta}
    return {name: float(np.rad2deg(angle)) for name, angle in angles.items()}
