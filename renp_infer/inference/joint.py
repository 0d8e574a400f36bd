"""Several data sets under one hypothesis: the interface of one set, over all of them.

Each set keeps its response, its noise and its nuisances; a ``Sharing`` says which of its
parameters are those of other sets, too. What is not shared by all is named by its group,
as ``baseline_nG[first]``. Vectors of the sets are joined, so that everything which fits one
set fits several.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.knowledge.derived import derived
from renp_infer.inference.knowledge.external import External
from renp_infer.inference.likelihood import (
    Likelihood,
    ResponseLike,
    sum_of,
    template_at,
    templates_at,
)
from renp_infer.inference.parameters import (
    AMPLITUDE,
    PARAMETERS,
    ParameterTable,
    of_group,
    parted,
    template_row,
)
from renp_infer.inference.priors.marginals import Marginal, Normal
from renp_infer.inference.priors.own_prior import OwnPrior, TiedBlock
from renp_infer.inference.priors.prior import GaussianPrior, Prior, response_argument
from renp_infer.inference.priors.template import Template
from renp_infer.inference.settings import InferenceSettings
from renp_infer.measurement.data import Data
from renp_infer.records import FloatArray, Parameters

By = Literal["all", "crystal", "run", "set"]
"""What sets must have in common for a parameter to be one and the same in them."""


@dataclass(frozen=True)
class Member:
    """What a data set may have in common with others, by name.

    Attributes
    ----------
    name, run, crystal : str
        A run zeroes its apparatus once; a crystal is one piece of one material.
    """

    name: str
    run: str
    crystal: str

    def group(self, by: str) -> str:
        """Name of what is shared; empty for what all have."""
        return {"all": "", "crystal": self.crystal, "run": self.run, "set": self.name}[by]


@dataclass(frozen=True)
class Sharing:
    """Which data sets have a parameter in common.

    Attributes
    ----------
    groups : mapping
        For each parameter the group of each set, in the order of the sets.
    templates : tuple of Template
        Nuisances that the study adds, which are among the parameters.
    """

    groups: Mapping[str, tuple[str, ...]]
    templates: tuple[Template, ...] = ()

    @classmethod
    def by(
        cls,
        members: Sequence[Member],
        said: Mapping[str, str],
        templates: tuple[Template, ...] = (),
    ) -> Sharing:
        """Sharing as the table of parameters has it, unless it is said otherwise."""
        levels = {row.name: said.get(row.name, row.level) for row in PARAMETERS.rows}
        levels |= {one.name: one.per for one in templates}
        groups = {
            name: tuple(one.group(level) for one in members) for name, level in levels.items()
        }
        return cls(groups, templates)

    @functools.cached_property
    def table(self) -> ParameterTable:
        """Parameters of all sets."""
        added = (template_row(one.name, one.kind) for one in self.templates)
        return ParameterTable(*PARAMETERS.rows, *added).grouped(
            {name: tuple(dict.fromkeys(groups)) for name, groups in self.groups.items()}
        )

    def tied(self, block: TiedBlock) -> list[TiedBlock]:
        """Blocks of all sets, whose parameters are shared in one way: one for each group."""
        (groups,) = {self.groups[name] for name in block.names}
        apart = dict.fromkeys(groups) if len(set(groups)) > 1 else {"": None}
        return [
            replace(block, names=tuple(of_group(n, group) if group else n for n in block.names))
            for group in apart
        ]

    def names(self, place: int) -> dict[str, str]:
        """What the parameters of the set at a place are called among all, by their name in it."""
        return {
            name: of_group(name, groups[place]) if len(set(groups)) > 1 else name
            for name, groups in self.groups.items()
        }

    def own_groups(self, place: int) -> dict[str, str]:
        """Group of each parameter that the set at a place has."""
        return {name: groups[place] for name, groups in self.groups.items()}

    def parts(self, name: str) -> bool:
        """Whether data sets have values of their own of a parameter."""
        return len(set(self.groups.get(name, ("",)))) > 1

    def members(self, name: str) -> list[int]:
        """Places of the sets that have a parameter of all."""
        plain, group = parted(name)
        groups = self.groups[plain]
        return [k for k, own in enumerate(groups) if own == group or not group]


class JointResponse:
    """Responses of several data sets, one after the other.

    Parameters
    ----------
    parts : sequence of ResponseLike
    sharing : Sharing
    """

    def __init__(self, parts: Sequence[ResponseLike], sharing: Sharing) -> None:
        self.parts = tuple(parts)
        self.theta_s: FloatArray = np.concatenate([part.theta_s for part in parts])
        slots = {name: k for k, name in enumerate(sharing.table.scales)}
        self._size = len(slots)
        names = [sharing.names(k) for k in range(len(parts))]
        self._places = [np.array([slots[own[n]] for n in PARAMETERS.scales]) for own in names]
        self._factors = [slots.get(own[AMPLITUDE]) for own in names]
        called = [own[AMPLITUDE] for own in names]
        self._amplitudes = {
            name: [float(name == other) for other in called] for name in called if name in slots
        }

    @functools.cached_property
    def masks(self) -> dict[str, FloatArray]:
        """Where each amplitude that not all sets share counts (n,): 1 there, else 0."""
        sizes = np.array([part.theta_s.size for part in self.parts])
        places = {name: np.array(row) for name, row in self._amplitudes.items()}
        return {name: np.repeat(row, sizes) for name, row in places.items()}

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Template (n,) of all sets and exact Jacobian (n, slots) at ``x`` (slots,)."""
        template = np.empty(self.theta_s.size)
        by_slot = np.zeros((self._size, self.theta_s.size))
        start = 0
        for part, places, factor in zip(self.parts, self._places, self._factors, strict=True):
            own, slopes = part(x[places])
            rows = slice(start, start + own.size)
            start += own.size
            if factor is None:
                template[rows], by_slot[places, rows] = own, slopes.T
            else:
                template[rows], by_slot[places, rows] = x[factor] * own, x[factor] * slopes.T
                by_slot[factor, rows] = own
        return template, by_slot.T

    def templates(self, points: FloatArray) -> FloatArray:
        """Templates (k, n) of all sets alone at points (k, slots)."""
        own = zip(self.parts, self._places, self._factors, strict=True)
        return np.concatenate(
            [
                (1.0 if factor is None else points[:, factor, None])
                * templates_at(part, points[:, places])
                for part, places, factor in own
            ],
            axis=1,
        )


@dataclass(frozen=True)
class JointModel:
    """One hypothesis of several data sets, a ``ModelLike``.

    Attributes
    ----------
    models : tuple of HypothesisModel
        Of each set.
    sharing : Sharing
    response : ResponseLike
        Of all sets.
    """

    models: tuple[HypothesisModel, ...]
    sharing: Sharing
    response: ResponseLike

    @classmethod
    def of(cls, models: Sequence[HypothesisModel], sharing: Sharing) -> JointModel:
        """Model of sets whose models are given."""
        responses = [model.response for model in models]
        return cls(tuple(models), sharing, JointResponse(responses, sharing))

    @property
    def parameters(self) -> Parameters:
        """Central values."""
        return self.models[0].parameters

    @property
    def oscillation(self) -> Mapping[str, GaussianPrior]:
        """Measured oscillation parameters."""
        return self.models[0].oscillation

    @property
    def settings(self) -> InferenceSettings:
        """Settings of all sets: priors that not all have are named by their groups."""
        first, every = self.models[0].settings, [model.settings.own for model in self.models]
        common = tuple(one for one in first.own if all(one in own for own in every))
        apart: dict[str, OwnPrior] = {}
        for place, own in enumerate(every):
            groups = self.sharing.own_groups(place)
            named = [
                replace(one, name=of_group(one.name, groups[one.name]))
                for one in own
                if one not in common
            ]
            apart |= {one.name: one for one in named}
        return replace(first, own=(*common, *apart.values())) if apart else first

    @functools.cached_property
    def prior(self) -> Prior:
        """Of every parameter of all sets."""
        table, marginals, fixed = self.sharing.table, dict[str, Marginal](), dict[str, float]()
        for name in table.names:
            plain = parted(name)[0]
            own = [self.models[k].prior for k in self.sharing.members(name)]
            free = [prior.marginals[plain] for prior in own if plain in prior.marginals]
            if free:
                marginals[name] = _widest(free)
            else:
                fixed[name] = own[0].fixed.get(plain, 0.0)  # of a template that is left out
        blocks = (self.sharing.tied(block) for block in self.models[0].prior.blocks)
        return Prior(marginals, fixed, table, tuple(itertools.chain(*blocks)))

    def at(self, m1_meV: float, phases: Sequence[float] | None = None) -> Parameters:
        """Parameters of a mass and of phases (delta, alpha21, alpha31), rad."""
        return self.models[0].at(m1_meV, phases)

    def every(self, parameters: Parameters) -> dict[str, float]:
        """What constraints know at a point: they are on what all sets have in common."""
        return self.models[0].every(parameters)

    def values(self, parameters: Parameters) -> dict[str, float]:
        """Every parameter by name at a point, all nuisances at their centres.

        A template that no set has is 0.
        """
        own = [model.values(parameters) for model in self.models]
        names = self.sharing.table.names
        return {
            name: own[self.sharing.members(name)[0]].get(parted(name)[0], 0.0) for name in names
        }

    def argument(self, values: Mapping[str, float]) -> FloatArray:
        """Argument of the response from values of every parameter."""
        return response_argument(values, self.sharing.table)

    def field(self, parameters: Parameters) -> FloatArray:
        """Expected data (n,) with the nominal apparatus, without offsets."""
        return template_at(self.response, self.argument(self.values(parameters)))

    def expected(
        self, values: Mapping[str, float], template: FloatArray | None = None
    ) -> FloatArray:
        """Expected data (n,) at values of every parameter, offsets included.

        ``template`` (n,) is what amplitude 1 gives, by default the response's.
        """
        parts = zip(self.split(values), self.rows, strict=True)
        return np.concatenate(
            [
                model.expected(own, None if template is None else template[rows])
                for (model, own), rows in parts
            ]
        )

    def split(
        self, values: Mapping[str, float]
    ) -> list[tuple[HypothesisModel, Mapping[str, float]]]:
        """Model and values of each data set."""
        return [
            (model, {plain: values[name] for plain, name in self.sharing.names(k).items()})
            for k, model in enumerate(self.models)
        ]

    @property
    def rows(self) -> list[slice]:
        """Where the entries of each set stand."""
        return list(_slices([model.response.theta_s.size for model in self.models]))

    @functools.cached_property
    def all_shapes(self) -> dict[str, FloatArray]:
        """What offsets of 1 add (n,): 0 in the sets that do not have them."""
        return self._spread(self.sharing.table.offsets, [m.all_shapes for m in self.models])

    @functools.cached_property
    def factors(self) -> dict[str, FloatArray]:
        """Multiplicative templates (n,): 0 in the sets that do not have them."""
        return self._spread(self.sharing.table.of("factor"), [m.factors for m in self.models])

    def _spread(
        self, names: Iterable[str], own: Sequence[Mapping[str, FloatArray]]
    ) -> dict[str, FloatArray]:
        """Columns (n,) of all sets from those of each, by the names of all."""
        size, found = self.response.theta_s.size, dict[str, FloatArray]()
        for name in names:
            plain, column = parted(name)[0], np.zeros(size)
            for k in self.sharing.members(name):
                if plain in own[k]:
                    column[self.rows[k]] = own[k][plain]
            if np.any(column):
                found[name] = column
        return found

    def offset(self, values: Mapping[str, float]) -> FloatArray:
        """What all offsets add (n,)."""
        return sum_of(values[name] * shape for name, shape in self.all_shapes.items())

    def likelihood(self, data: Data) -> Likelihood:
        """Likelihood of the data of all sets, in their order."""
        return Likelihood(
            self.prior, self.response, data, self.all_shapes, self.external, self.factors
        )

    @property
    def external(self) -> External:
        """Constraints on the hypothesis: they are on what all sets have in common."""
        return self.models[0].external

    def derived(self, vectors: FloatArray) -> dict[str, FloatArray]:
        """What follows from free parameters (..., d), by name, shape (...) each."""
        return derived(self.prior, self.parameters.nature, vectors, self.sin2_23)

    @property
    def sin2_23(self) -> float | None:
        """Central value; ``None`` where no table gives it."""
        return self.models[0].sin2_23

    def with_settings(self, settings: InferenceSettings) -> JointModel:
        """The same with other priors."""
        models = tuple(
            model.with_settings(settings.of_groups(self.sharing.own_groups(place)))
            for place, model in enumerate(self.models)
        )
        return replace(self, models=models)

    def with_response(self, response: ResponseLike) -> JointModel:
        """The same with another response."""
        return replace(self, response=response)

    def vector(self, parameters: Parameters) -> FloatArray:
        """Free parameters (d,) of a point, all nuisances at their centres."""
        values = self.values(parameters)
        return np.array([values[name] for name in self.prior.names])


def _slices(sizes: Sequence[int]) -> Iterator[slice]:
    start = 0
    for size in sizes:
        yield slice(start, start + size)
        start += size


def _widest(marginals: Sequence[Marginal]) -> Marginal:
    """Prior of what sets have in common: an offset in units of each set's peak has several."""
    first = marginals[0]
    if not isinstance(first, Normal):
        return first
    return replace(first, sd=max(m.sd for m in marginals if isinstance(m, Normal)))
