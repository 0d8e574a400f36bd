"""Mock data: the one set that ``infer`` fits, or an ensemble."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.study.study import Study
from renp_infer.verbs.inputs import data_inputs
from renp_infer.verbs.simulate.result import EnsembleResult, SimulateResult

if TYPE_CHECKING:
    import xarray


class Simulate(Verb):
    """The study's own mock data."""

    name, file, rank = "simulate", "simulate.json", 10
    fits = False
    returns = """DataTree
        ``observed_data/field_nG`` by ``theta_s_deg``, and by ``dataset`` where the study has a
        section ``[simulate]``; ``constant_data/sigma_nG``."""

    def wanted(self, _study: Study) -> bool:
        """Never as a part of a run: ``infer`` draws the same by itself."""
        return False

    def inputs(self, study: Study) -> dict[str, Any]:
        """Physics, seed and noise."""
        return data_inputs(study)

    def perform(self, study: Study, _task: Task, _context: Context) -> dict[str, Any]:
        """Draw them."""
        from renp_infer.verbs.simulate.work import one_data_set

        return one_data_set(study).document

    def plan(self, study: Study) -> tuple[Verb, ...]:
        """An ensemble if the study has a section for one."""
        return (ENSEMBLE,) if study.datasets else (self,)

    def read(self, files: Files, _study: Mapping[str, Any]) -> SimulateResult:
        """Read ``simulate.json``."""
        return SimulateResult.of(files.tables(self.file))


class Ensemble(Verb):
    """Independent data sets, as many as ``[simulate]`` says."""

    name, file, rank, merges = "ensemble", "ensemble.nc", 11, True
    fits = False
    section = "simulate"

    def wanted(self, study: Study) -> bool:
        """With a section ``[simulate]``."""
        return bool(study.datasets)

    def inputs(self, study: Study) -> dict[str, Any]:
        """Physics, seed and noise, but not the number of data sets."""
        return data_inputs(study)

    def parts(self, study: Study) -> list[list[int]]:
        """First data set of each block, and the one after its last."""
        from renp_infer.verbs.simulate.work import DATASETS_PER_TASK

        size, count = DATASETS_PER_TASK, study.datasets
        return [[first, min(first + size, count)] for first in range(0, count, size)]

    def perform(self, study: Study, task: Task, _context: Context) -> xarray.DataTree:
        """Draw a block."""
        from renp_infer.verbs.simulate.work import data_sets

        return data_sets(study, task)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write all blocks as one table."""
        from renp_infer.verbs.simulate.work import join

        join(study, paths, target)

    def read(self, files: Files, _study: Mapping[str, Any]) -> EnsembleResult:
        """Where ``ensemble.nc`` is."""
        return EnsembleResult(files.path(self.file))


SIMULATE, ENSEMBLE = Simulate(), Ensemble()
VERBS = (SIMULATE, ENSEMBLE)
