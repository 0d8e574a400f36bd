"""The evidences of the four hypotheses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.study.study import Study
from renp_infer.verbs.compare.result import CompareResult
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.hidden import BLINDED, BLINDED_ANSWER, blinded_part
from renp_infer.verbs.inputs import SAMPLING, posterior_inputs

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run
    from renp_infer.verbs.compare.blinded import BlindedComparison


class Compare(Verb):
    """Weigh ordering and nature by their evidence: a task per hypothesis and estimator."""

    name, file, rank, merges = "compare", "compare.nc", 30, True
    hides = True
    section = "compare"
    sections = ("inference", "compare")
    shows = ("comparison",)
    returns = """DataTree
        ``renp_comparison``: ``log_evidence``, ``log_evidence_error`` and ``probability`` by
        ``hypothesis``; for each hypothesis and estimator a posterior, as
        ``normal_dirac/smc/posterior``; everything else that `renp compare` says as JSON in
        the attribute ``renp_comparison``."""

    def show(self, _name: str, result: Any) -> Any:
        """What the evidences say with the study's prior odds."""
        return result.document

    def wanted(self, study: Study) -> bool:
        """With a section ``[compare]``."""
        return study.compare is not None

    def inputs(self, study: Study) -> dict[str, Any]:
        """Data and priors; not the sampler of ``infer``, not the odds."""
        assert study.compare is not None
        inputs, settings = posterior_inputs(study), asdict(study.compare)
        for name in SAMPLING:
            del inputs["settings"][name]
        for name in ("estimators", "gate", "prior_odds"):
            del settings[name]
        return inputs | {"compare": settings}

    def parts(self, study: Study) -> list[Any]:
        """Hypothesis and estimator; of a blinded study all together."""
        from renp_infer.inference.results.comparison import HYPOTHESES, task_of

        assert study.compare is not None
        if study.blinding is not None:
            return [blinded_part(study)]
        estimators = study.compare.estimators
        tasks = [task_of(k, estimators) for k in range(len(HYPOTHESES) * len(estimators))]
        return [[hypothesis.name, estimator] for hypothesis, estimator in tasks]

    def perform(self, study: Study, task: Task, context: Context) -> xarray.DataTree:
        """Estimate one evidence."""
        from renp_infer.verbs.compare.blinded import blinded_comparison
        from renp_infer.verbs.compare.work import estimate_one

        if study.blinding is not None:
            return blinded_comparison(study, task, context)
        return estimate_one(study, task, context)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write a branch per hypothesis and estimator, and the table of evidences."""
        from renp_infer.verbs.compare.work import join

        if study.blinding is None:
            join(study, paths, target)
        else:
            shutil.copyfile(next(paths), target)

    def plan(self, _study: Study) -> tuple[Verb, ...]:
        """The evaluation first: reports rest on it."""
        return (EVALUATE, self)

    def read(self, files: Files, study: Mapping[str, Any]) -> CompareResult | BlindedComparison:
        """Read ``compare.nc``, and weigh it by the study's odds."""
        from renp_infer.inference.results.comparison import compare
        from renp_infer.study.sections.compare import CompareSection, compare_settings
        from renp_infer.verbs.compare.blinded import BlindedComparison
        from renp_infer.verbs.compare.work import evidences
        from renp_infer.verbs.infer.words import mass_prior_of

        tree = files.tree(self.file)
        if BLINDED in tree.attrs:
            return BlindedComparison.of(tree)
        # a result of an older version has no key that came later
        settings = compare_settings(CompareSection(**study["compare"]))
        found = compare(evidences(tree), settings, mass_prior_of(study))
        return CompareResult(tree, found)

    def page(self, run: Run) -> Page:
        """Evidence, probabilities and Bayes factors."""
        from renp_infer.verbs.compare import blinded
        from renp_infer.verbs.compare.page import page

        return page(run) if run.find(CompareResult) is not None else blinded.page(run)

    def outcome(self, run: Run) -> dict[str, Any]:
        """The comparison."""
        from renp_infer.verbs.compare.blinded import BlindedComparison

        found = run.find(CompareResult) or run.find(BlindedComparison)
        return {"comparison": None if found is None else found.document}

    def answer(self, run: Run) -> str:
        """Ordering and nature, as far as data tell."""
        from renp_infer.verbs.compare.tables import answer

        found = run.find(CompareResult)
        return BLINDED_ANSWER if found is None else answer(found.comparison)

    def remark(self, run: Run) -> str:
        """The most probable hypothesis."""
        from renp_infer.verbs.compare.tables import verdict_of_hypotheses

        return verdict_of_hypotheses(run)


COMPARE = Compare()
VERBS = (COMPARE,)
