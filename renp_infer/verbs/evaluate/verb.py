"""The forward model at the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.records import PRESETS
from renp_infer.study.study import Study
from renp_infer.verbs.evaluate.result import EvaluateResult, OfSet
from renp_infer.verbs.inputs import model_inputs

if TYPE_CHECKING:
    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run


class Evaluate(Verb):
    """Rate, magnetization, field and noise at the truth; every run begins with it."""

    name, file, rank = "evaluate", "evaluate.json", 0
    fits = False
    shows = ("prediction", "evaluation")
    returns = """Dataset
        ``signal_nG``, ``sigma_nG``, ``rate_per_s``, ``magnetization_nG_per_s`` and the sums
        and integrals of `renp evaluate`, by ``theta_s_deg``, ``pair`` (``pair_A_eV5``,
        ``pair_B_eV3``, ``pair_K_eV5``), ``state`` (``masses_eV``) and ``ray`` (``w_eV``), as
        far as the physics has them; everything else of that document as JSON in the
        attribute ``renp_evaluation``. Of several data sets the arrays are those of the first;
        that attribute has all of them, as ``sets``."""

    def show(self, name: str, result: Any) -> Any:
        """Arrays by angle, or ``evaluate.json``."""
        return result.document if name == "evaluation" else result.told()

    def wanted(self, _study: Study) -> bool:
        """Always."""
        return True

    def inputs(self, study: Study) -> dict[str, Any]:
        """Physics, and the data that are read."""
        return model_inputs(study)

    def perform(self, study: Study, _task: Task, _context: Context) -> dict[str, Any]:
        """Evaluate every data set; the noise is that of measured data, if there are any."""
        rows = [OfSet(one.name, one.run, one.crystal, _evaluated(one.study)) for one in study.sets]
        if not rows:
            return _evaluated(study).document
        files = dict.fromkeys(row.found.data for row in rows if row.found.data)
        first = replace(rows[0].found, name=study.name, data=" and ".join(files))
        return replace(first, sets=tuple(rows)).document

    def read(self, files: Files, _study: Mapping[str, Any]) -> EvaluateResult:
        """Read ``evaluate.json``."""
        return EvaluateResult.of(files.tables(self.file))

    def page(self, run: Run) -> Page:
        """Switches, the angular distribution, and the truth."""
        from renp_infer.verbs.evaluate.page import page

        return page(run)

    def outcome(self, run: Run) -> dict[str, Any]:
        """Peak S/N, and what it is relative to."""
        found = run.get(EvaluateResult)
        return {
            "data": found.data or "mock",
            "peak_snr": found.peak_snr,
            "normalised": found.normalised,
        }

    def answer(self, run: Run) -> str:
        """How far the signal stands out."""
        from renp_infer.verbs.evaluate.tables import answer

        return answer(run.get(EvaluateResult))

    def remark(self, run: Run) -> str:
        """How far an absolute signal is from being seen."""
        from renp_infer.verbs.evaluate.shortfall import shortfall

        return shortfall(run)


def _evaluated(study: Study) -> EvaluateResult:
    """Evaluation of a study with one data set, with the noise of what was measured."""
    from renp_infer.verbs.evaluate.steps import steps
    from renp_infer.verbs.evaluate.work import evaluate, measured

    found = evaluate(study.experiment, study.parameters, study.name)
    if study.experiment.switches == PRESETS["first-principles"]:
        found = replace(found, steps=steps(study.experiment, study.parameters))
    if study.measurement is not None:
        found = measured(found, study.measurement.observation)
    return found


EVALUATE = Evaluate()
VERBS = (EVALUATE,)
