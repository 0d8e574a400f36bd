"""The bench of several data sets, and which bench a study has."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.inference.hypothesis import ModelLike
from renp_infer.inference.joint import JointModel
from renp_infer.inference.responses.accurate import ErrorBudget, of_set
from renp_infer.measurement.data import Data, stack
from renp_infer.measurement.noise import joined_noise
from renp_infer.records import FloatArray
from renp_infer.target import Target
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.remembered import remembered

if TYPE_CHECKING:
    from renp_infer.study.study import Study


class JointBench(Bench):
    """The apparatus of several data sets: a bench for each, and what they share."""

    def __init__(self, study: Study) -> None:
        assert study.sharing is not None
        self.sharing = study.sharing
        self.parts = [Bench(replace(one.study, forecast=study.forecast)) for one in study.sets]
        super().__init__(study)
        self.noise = joined_noise([part.noise for part in self.parts], [True] * len(self.parts))
        self.covariance = self.noise.covariance(self.noise.exposure_s)

    def _begin(self, m1_max_meV: float) -> None:
        self.parts = [part.up_to(m1_max_meV) for part in self.parts]
        super()._begin(m1_max_meV)

    def largest_meV(self, m1_meV: float) -> float:
        """Largest mass that every set allows for a truth."""
        return min(part.largest_meV(m1_meV) for part in self.parts)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Of all data sets."""
        return tuple(part.experiment.target for part in self.parts)

    @property
    def budget(self) -> ErrorBudget:
        """Errors of the worst set."""
        return max((part.budget for part in self.parts), key=lambda one: one.total)

    def hypothesis(self, ordering: str, nature: str) -> ModelLike:
        """Hypothesis of all sets, at the study's mass and phases."""
        models = []
        for one, part in zip(self.study.sets, self.parts, strict=True):
            with of_set(one.name):
                models.append(part.one(ordering, nature))
        return JointModel.of(models, self.sharing)

    def data(self, field_nG: FloatArray) -> Data:
        """Data that are a given field."""
        parts, start = [], 0
        for one, part in zip(self.study.sets, self.parts, strict=True):
            size = part.experiment.layout.theta_s.size
            own = part.data(field_nG[start : start + size])
            parts.append(replace(own, sets=(one.name,) * size))
            start += size
        return functools.reduce(stack, parts)

    def scaled(self, model: ModelLike, truth: ModelLike, field_nG: FloatArray) -> ModelLike:
        """A hypothesis with offsets as large as the true field of each set."""
        assert isinstance(model, JointModel) and isinstance(truth, JointModel)
        triples = zip(self.parts, model.models, truth.models, strict=True)
        shapes = [part.shapes_of(own, true) for part, own, true in triples]
        peaks = [float(np.max(np.abs(field_nG[rows]))) for rows in model.rows]
        models = []
        for place, own in enumerate(model.models):
            alike = self._tops(place, peaks, shapes)
            models.append(own.of_peak(peaks[place], shapes[place], alike))
        return replace(model, models=tuple(models))

    def _tops(
        self, place: int, peaks: Sequence[float], shapes: Sequence[Mapping[str, FloatArray]]
    ) -> dict[str, tuple[float, float]]:
        """Peaks of signal and shape of a set's offsets, in all sets that have the same one."""
        found = {}
        for name in shapes[place]:
            groups = self.sharing.groups[name]
            same = [k for k, group in enumerate(groups) if group == groups[place]]
            top = max(float(np.max(np.abs(shapes[k][name]))) for k in same)
            found[name] = (max(peaks[k] for k in same), top)
        return found


def bench_made(study: Study) -> Bench:
    """The bench of a study, of one data set or of several."""
    return JointBench(study) if study.sets else Bench(study)


bench_of = remembered(bench_made)
"""The same, from before if the key is the same."""
