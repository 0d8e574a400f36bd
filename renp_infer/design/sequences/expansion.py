"""A state's field and its slopes anywhere among the nuisances, not only at their centres.

The field is A (T + Sum_i c_i T_i) + baseline: T and T_i follow from four settings of
the phases that conserve CP, since the field is affine in the three cosines c_i (see
``design.utilities.prediction``). The cosines count as free numbers here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from renp_infer.design.sequences.beliefs import Atlas, Beliefs
from renp_infer.design.sequences.states import StateMoves
from renp_infer.design.utilities.prediction import (
    COSINE_SD,
    COSINES,
    cosines_of,
    in_degrees,
    nuisances,
)
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.joint import JointModel
from renp_infer.inference.parameters import AMPLITUDE, MASS, PARAMETERS
from renp_infer.inference.priors.marginals import Marginal, slope_at
from renp_infer.inference.priors.prior import response_argument
from renp_infer.inference.profiles.fisher import MASSLESS_MEV
from renp_infer.records import FloatArray

LIVE = 1e-5
"""States less probable than this keep the expansion that they have."""


class Expands:
    """Expands states about what is believed of them."""

    def at(self, atlas: Atlas, state: int, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Expected data (a,) and slopes (a, d) of a state at z (d,)."""
        raise NotImplementedError

    def refined(self, atlas: Atlas, beliefs: Beliefs) -> Atlas:
        """The atlas with live states expanded about what is believed of them.

        Data taken again with it give a Gauss-Newton step towards each state's mode.
        """
        field, slopes = atlas.mean.copy(), atlas.slopes.copy()
        for k in np.flatnonzero(beliefs.weights > LIVE).tolist():
            mean = beliefs.means[k]
            there, slopes[k] = self.at(atlas, k, mean)
            field[k] = there - slopes[k] @ mean
        return atlas.with_expansions(field, slopes)


@dataclass(frozen=True)
class Expander(Expands):
    """Expands the states of some hypotheses.

    Attributes
    ----------
    models : sequence of HypothesisModel
    names : tuple of str
        Nuisances, then ``COSINES`` where phases are free.
    hypothesis : ndarray of int, shape (k,)
        Place of each state's hypothesis.
    """

    models: Sequence[HypothesisModel]
    names: tuple[str, ...]
    hypothesis: np.ndarray

    def at(self, atlas: Atlas, state: int, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Expected data (a,) and slopes (a, d) of a state at z (d,)."""
        place = int(self.hypothesis[state])
        model = self.models[place]
        prior = model.prior
        m1 = abs(float(atlas.m1_meV[state] + atlas.rest_meV[state] * z[0]))
        own = dict(zip(self.names, z[1:].tolist(), strict=True))
        values = dict(prior.fixed) | {MASS: max(m1, MASSLESS_MEV)}
        for name in nuisances(prior):
            values[name] = float(prior.marginals[name].from_unit(np.array([own[name]])))
        free = bool(prior.circular) and model.parameters.nature == "majorana"
        parts = _at_cosines(model, values) if free else _at_phases(model, values)
        cosines = COSINE_SD * np.array([1.0 / COSINE_SD, *(own.get(n, 0.0) for n in COSINES)])
        whole = parts @ cosines
        return self._field(model, values, atlas.rest_meV[state], parts, whole)

    def _field(
        self,
        model: HypothesisModel,
        values: dict[str, float],
        rest_meV: float,
        parts: FloatArray,
        whole: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        template, jacobian, factor = whole[:, 0], whole[:, 1:], model.factor(values)
        amplitude = values[AMPLITUDE] * factor
        scales, shapes = PARAMETERS.scales, model.all_shapes
        slots = {name: k for k, name in enumerate(scales)}
        columns = [amplitude * rest_meV * scales[MASS] * jacobian[:, 0]]
        for name in self.names:
            if name in COSINES:
                columns.append(amplitude * COSINE_SD * parts[:, 0, 1 + COSINES.index(name)])
                continue
            marginal = model.prior.marginals[name]
            by_unit = slope_at(marginal, float(marginal.to_unit(np.array(values[name]))))
            if name == AMPLITUDE:
                columns.append(by_unit * factor * template)
            elif name in shapes:
                columns.append(by_unit * shapes[name])
            elif name in model.factors:
                columns.append(by_unit * values[AMPLITUDE] * model.factors[name] * template)
            else:
                slope = by_unit * scales[name] * jacobian[:, slots[name]]
                columns.append(amplitude * slope)
        return model.expected(values, template), np.column_stack(columns)


@dataclass(frozen=True)
class JointExpander(Expands):
    """Expands the states of several data sets together, each by its own parameters.

    Attributes
    ----------
    models : sequence of JointModel
    names : tuple of str
        Nuisances of all sets, then ``COSINES`` where phases are free.
    hypothesis : ndarray of int, shape (k,)
        Place of each state's hypothesis.
    """

    models: Sequence[JointModel]
    names: tuple[str, ...]
    hypothesis: np.ndarray

    def at(self, atlas: Atlas, state: int, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Expected data (a,) and slopes (a, d) of a state at z (d,)."""
        model = self.models[int(self.hypothesis[state])]
        parts = [self._of_set(model, k, atlas, state, z) for k in range(len(model.models))]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    def _of_set(
        self, model: JointModel, place: int, atlas: Atlas, state: int, z: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Expected data (n,) and slopes (n, d) of the set at a place."""
        own, called = model.models[place], model.sharing.names(place)
        names = (*nuisances(own.prior), *(name for name in COSINES if name in self.names))
        columns = [0, *(1 + self.names.index(called.get(name, name)) for name in names)]
        moved = [(float(z[0]), 1.0)]
        for name, column in zip(names, columns[1:], strict=True):
            wide = model.prior.marginals.get(called.get(name, name))
            moved.append(_moved(own.prior.marginals.get(name), wide, float(z[column])))
        alone = Expander([own], names, np.zeros_like(self.hypothesis))
        field, by_own = alone.at(atlas, state, np.array([there for there, _ in moved]))
        slopes = np.zeros((field.size, z.size))
        slopes[:, columns] = by_own * [by for _, by in moved]
        return field, slopes


@dataclass(frozen=True)
class MovedExpander(Expands):
    """Expands states whose nuisances and cosines are as constraints leave them.

    Attributes
    ----------
    plain : Expands
        By nuisances and cosines as their priors have them.
    moves : StateMoves
    """

    plain: Expands
    moves: StateMoves

    def at(self, atlas: Atlas, state: int, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Expected data (a,) and slopes (a, d) of a state at z (d,)."""
        factor = self.moves.factors[state]
        own = np.concatenate([z[:1], self.moves.means[state] + factor @ z[1:]])
        field, slopes = self.plain.at(atlas, state, own)
        return field, np.column_stack([slopes[:, :1], slopes[:, 1:] @ factor])


def _moved(narrow: Marginal | None, wide: Marginal | None, z: float) -> tuple[float, float]:
    """Coordinate of a set's parameter by that of all, and its derivative: priors may differ.

    A cosine has none, and is the same.
    """
    if narrow is None or wide is None:
        return z, 1.0
    there = float(narrow.to_unit(np.array(float(wide.from_unit(np.array([z]))))))
    return there, slope_at(wide, z) / slope_at(narrow, there)


def _template(model: HypothesisModel, values: dict[str, float]) -> FloatArray:
    """Template and Jacobian, (a, 12)."""
    template, jacobian = model.response(response_argument(values))
    return np.column_stack([template, jacobian])


def _at_phases(model: HypothesisModel, values: dict[str, float]) -> FloatArray:
    """Template and Jacobian at the study's phases, (a, 12, 4): no cosine counts."""
    p = model.parameters
    whole = _template(model, values | in_degrees(p.delta, p.alpha21, p.alpha31))
    return np.stack([whole, *(np.zeros_like(whole),) * 3], axis=2)


def _at_cosines(model: HypothesisModel, values: dict[str, float]) -> FloatArray:
    """Template and Jacobian, constant and by cosine, (a, 12, 4)."""
    corners = np.array(list(itertools.product((0.0, np.pi), repeat=2)))
    rows = np.column_stack([np.ones(4), cosines_of(corners)])
    found = [
        _template(model, values | _effective(model.parameters.delta, *corner))
        for corner in corners.tolist()
    ]
    return np.asarray(np.einsum("ci,iaj->ajc", np.linalg.inv(rows), np.array(found)))


def _effective(delta: float, alpha21: float, effective: float) -> dict[str, float]:
    return in_degrees(delta, alpha21, effective + 2.0 * delta)
