"""The posterior of the study's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.inference.parameters import MASS
from renp_infer.study.study import Study
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.hidden import BLINDED, BLINDED_ANSWER, blinded_part
from renp_infer.verbs.infer.alone import SETS
from renp_infer.verbs.infer.result import InferResult, summary_in
from renp_infer.verbs.inputs import posterior_inputs

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run
    from renp_infer.verbs.infer.blinded import BlindedFit


class Infer(Verb):
    """Sample the posterior of the data, mock or measured."""

    name, file, rank = "infer", "infer.nc", 20
    hides = True
    section = "inference"
    sections = ("inference",)
    shows = ("inference", "summary", "checks")
    cites = ("Vehtari2017", "Vehtari2024", "Kallioinen2024", "Gelman1996")
    returns = """DataTree
        ArviZ groups ``posterior``, ``prior``, ``posterior_predictive``, ``log_likelihood``,
        ``sample_stats``, ``observed_data``, ``constant_data``; estimates and diagnostics as
        JSON in the attribute ``renp_summary``."""

    def show(self, name: str, result: Any) -> Any:
        """``infer.nc``, its estimates and diagnostics, or its model checks."""
        from renp_infer.verbs.infer.result import checks_in, summary_in

        parts = {"summary": summary_in, "checks": checks_in}
        if not isinstance(result, InferResult):
            return result.told() if name == "inference" else None
        return parts[name](result.tree) if name in parts else result.tree

    def wanted(self, study: Study) -> bool:
        """With a section ``[inference]``."""
        return study.settings is not None

    def inputs(self, study: Study) -> dict[str, Any]:
        """Data, priors and sampler."""
        return posterior_inputs(study)

    def parts(self, study: Study) -> tuple[dict[str, Any]]:
        """Its one task; it is another where the study is blinded, from the same seeds."""
        return (blinded_part(study),)

    def perform(self, study: Study, _task: Task, context: Context) -> xarray.DataTree:
        """Sample, and check the model against the data."""
        from renp_infer.verbs.infer.blinded import blinded_fit
        from renp_infer.verbs.infer.work import infer

        return infer(study, context) if study.blinding is None else blinded_fit(study, context)

    def answer(self, run: Run) -> str:
        """The mass, and the hypothesis under which it is that."""
        from renp_infer.verbs.infer.words import answer

        return answer(run) if run.find(InferResult) is not None else BLINDED_ANSWER

    def plan(self, study: Study) -> tuple[Verb, ...]:
        """The evaluation first: reports rest on it; then each of several data sets."""
        return (EVALUATE, SETS, self) if SETS.wanted(study) else (EVALUATE, self)

    def read(self, files: Files, _study: Mapping[str, Any]) -> InferResult | BlindedFit:
        """Read ``infer.nc``."""
        from renp_infer.verbs.infer.blinded import BlindedFit

        tree = files.tree(self.file)
        return BlindedFit.of(tree) if BLINDED in tree.attrs else InferResult.of(tree)

    def page(self, run: Run) -> Page:
        """The posterior: figures, parameters, diagnostics and model checks."""
        from renp_infer.verbs.infer import blinded_page
        from renp_infer.verbs.infer.page import page

        return page(run) if run.find(InferResult) is not None else blinded_page.page(run)

    def outcome(self, run: Run) -> dict[str, Any]:
        """Mass and diagnostics."""
        from renp_infer.verbs.infer.blinded import BlindedFit

        found, blinded = run.find(InferResult), run.find(BlindedFit)
        if blinded is not None:
            shifted = asdict(blinded.published.masses[MASS])
            return {"m1_meV": shifted, "diagnostics": dict(blinded.published.diagnostics)}
        if found is None:
            return {"m1_meV": None, "diagnostics": None}
        summary = summary_in(found.tree)
        return {"m1_meV": summary["parameters"][MASS], "diagnostics": summary["diagnostics"]}


INFER = Infer()
VERBS = (SETS, INFER)
