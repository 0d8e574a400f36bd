"""Data sets that a design stands beside: taken already, or sharing one exposure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from renp_infer.design.utilities.prediction import Prediction, nuisances, predict
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.joint import JointModel, Member, Sharing
from renp_infer.inference.parameters import LEAKAGE
from renp_infer.inference.priors.marginals import slope_at
from renp_infer.inference.priors.template import Template
from renp_infer.measurement.noise import Noise, joined_noise
from renp_infer.records import Experiment, FloatArray

NEXT = "next"
"""Name of the set that a design adds, of its run, and of its crystal where it is another; with
a number where it is taken."""


@dataclass(frozen=True, kw_only=True)
class Split(Experiment):
    """All data sets with the exposure of each: a design that only divides time among them.

    The fields of an apparatus are those of the first set.

    Attributes
    ----------
    exposures_s : tuple of float
    """

    exposures_s: tuple[float, ...]


@dataclass(frozen=True)
class Taken:
    """A data set beside a design.

    Attributes
    ----------
    member : Member
        What it shares parameters by.
    experiment : Experiment
    noise : Noise
    measured : bool
        Whether its data are there, so that more exposure adds nothing to it.
    """

    member: Member
    experiment: Experiment
    noise: Noise
    measured: bool = False


@dataclass(frozen=True)
class Beside:
    """All data sets of a study, as designs see them.

    Attributes
    ----------
    sets : tuple of Taken
    by : mapping
        What parameters are shared by, where a study says so.
    templates : tuple of Template
        Nuisances that the study adds.
    """

    sets: tuple[Taken, ...]
    by: Mapping[str, str] = field(default_factory=dict)
    templates: tuple[Template, ...] = ()

    def with_one(self, experiment: Experiment | None) -> list[Member]:
        """The sets, and one more if its apparatus is given.

        That has a run of its own, and the crystal of a set of the same size and target.
        """
        members = [one.member for one in self.sets]
        if experiment is None:
            return members
        same = (s.member.crystal for s in self.sets if _one_crystal(s.experiment, experiment))
        used = {name for one in members for name in (one.name, one.run, one.crystal)}
        names = (NEXT, *(f"{NEXT}-{k}" for k in range(2, len(used) + 3)))
        new = next(name for name in names if name not in used)
        return [*members, Member(new, new, next(same, new))]

    def sharing(self, experiment: Experiment | None = None) -> Sharing:
        """What the sets have in common, with one more if its apparatus is given."""
        return Sharing.by(self.with_one(experiment), self.by, self.templates)

    def leaking_alike(self, experiment: Experiment) -> list[int]:
        """Places of the sets that have the same leakage as one more with an apparatus."""
        *groups, new = self.sharing(experiment).groups[LEAKAGE]
        return [place for place, group in enumerate(groups) if group == new]

    def noise(self, more: Noise) -> Noise:
        """Noise of the sets as they are, and of one more whose exposure grows."""
        grows = [False] * len(self.sets) + [True]
        return joined_noise([*(one.noise for one in self.sets), more], grows)

    def split_noise(self, exposures_s: Sequence[float]) -> Noise:
        """Noise of all sets with other exposures, which grow together."""
        pairs = zip(self.sets, exposures_s, strict=True)
        noises = [one.noise.at(exposure_s) for one, exposure_s in pairs]
        return joined_noise(noises, [not one.measured for one in self.sets])


def _one_crystal(first: Experiment, second: Experiment) -> bool:
    sizes = [(e.layout.length_cm, e.layout.radius_cm) for e in (first, second)]
    return sizes[0] == sizes[1] and first.target.same_material(second.target)


def predicted(model: HypothesisModel | JointModel, m1_meV: FloatArray) -> Prediction:
    """What a hypothesis of one data set, or of several, predicts at masses (k,), meV."""
    if isinstance(model, HypothesisModel):
        return predict(model, m1_meV)
    return joined([predict(own, m1_meV) for own in model.models], model)


def joined(parts: Sequence[Prediction], model: JointModel) -> Prediction:
    """Prediction of all sets from those of each, with the nuisances that they share."""
    names = nuisances(model.prior)
    slopes = []
    for place, (part, own) in enumerate(zip(parts, model.models, strict=True)):
        called = model.sharing.names(place)
        whole = np.zeros((*part.mean.shape, len(names)))
        for k, name in enumerate(nuisances(own.prior)):
            wide, narrow = model.prior.marginals[called[name]], own.prior.marginals[name]
            scale = slope_at(wide, 0.0) / slope_at(narrow, 0.0)
            whole[:, :, names.index(called[name])] = scale * part.slopes[:, :, k]
        slopes.append(whole)

    def beside(column: Callable[[Prediction], FloatArray]) -> FloatArray:
        return np.concatenate([column(part) for part in parts], axis=1)

    return Prediction(
        parts[0].m1_meV,
        beside(lambda part: part.mean),
        beside(lambda part: part.by_mass),
        beside(lambda part: part.cosines),
        np.concatenate(slopes, axis=1),
    )
