"""The evidences of the four hypotheses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.study.study import Study
from renp_infer.verbs.inputs import SAMPLING, posterior_inputs

if TYPE_CHECKING:
    import xarray


class Compare(Verb):
    """Weigh ordering and nature by their evidence: a task per hypothesis and estimator."""

    name, file, rank, merges = "compare", "compare.nc", 30, True
    sections = ("inference", "compare")

    def wanted(self, study: Study) -> bool:
        """With a section ``[compare]``."""
        return study.compare is not None

    def inputs(self, study: Study) -> dict[str, Any]:
        """Data and priors; not the sampler of ``infer``, not the odds."""
        inputs, settings = posterior_inputs(study), dict(study.compare or {})
        for name in SAMPLING:
            del inputs["settings"][name]
        for name in ("estimators", "gate", "prior_odds"):
            del settings[name]
        return inputs | {"compare": settings}

    def parts(self, study: Study) -> list[list[str]]:
        """Hypothesis and estimator."""
        from renp_infer.inference.comparison import HYPOTHESES, task_of

        assert study.compare is not None
        estimators = study.compare["estimators"]
        tasks = [task_of(k, estimators) for k in range(len(HYPOTHESES) * len(estimators))]
        return [[hypothesis.name, estimator] for hypothesis, estimator in tasks]

    def perform(self, study: Study, task: Task, context: Context) -> xarray.DataTree:
        """Estimate one evidence."""
        from renp_infer.verbs.compare.work import estimate_one

        return estimate_one(study, task, context)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write a branch per hypothesis and estimator, and the table of evidences."""
        from renp_infer.verbs.compare.work import join

        join(study, paths, target)


COMPARE = Compare()
VERBS = (COMPARE,)
