"""The posterior of the study's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.study.study import Study
from renp_infer.verbs.inputs import posterior_inputs

if TYPE_CHECKING:
    import xarray


class Infer(Verb):
    """Sample the posterior of the data, mock or measured."""

    name, file, rank = "infer", "infer.nc", 20
    sections = ("inference",)

    def wanted(self, study: Study) -> bool:
        """With a section ``[inference]``."""
        return study.settings is not None

    def inputs(self, study: Study) -> dict[str, Any]:
        """Data, priors and sampler."""
        return posterior_inputs(study)

    def perform(self, study: Study, _task: Task, context: Context) -> xarray.DataTree:
        """Sample, and check the model against the data."""
        from renp_infer.verbs.infer.work import infer

        return infer(study, context)


INFER = Infer()
VERBS = (INFER,)
