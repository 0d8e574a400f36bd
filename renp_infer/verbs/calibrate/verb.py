"""Mock experiments that test posterior, hypothesis probabilities and belt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.study.study import Study
from renp_infer.verbs.calibrate.result import CalibrateResult
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.inputs import posterior_inputs

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run


class Calibrate(Verb):
    """Test what the other verbs claim: a task per block of mock experiments."""

    name, file, rank, merges = "calibrate", "calibrate.nc", 40, True
    fits = False
    section = "calibrate"
    sections = ("inference", "calibrate")
    shows = ("calibration",)
    cites = ("Talts2018", "Modrak2025", "Sailynoja2022", "Feldman1998")
    returns = """DataTree
        Ranks, probabilities and belts; verdict and tables as JSON in the attribute
        ``renp_calibration``; see docs/calibration.md. The defaults of ``[calibrate]`` take
        hours."""

    def wanted(self, study: Study) -> bool:
        """With a section ``[calibrate]``."""
        return study.calibration is not None

    def inputs(self, study: Study) -> dict[str, Any]:
        """All but the number of data sets, so that a longer series begins with the shorter."""
        from renp_infer.verbs.calibrate.parts import prior_odds

        assert study.calibration is not None
        settings = study.calibration.model_dump(exclude={"data_sets"})
        odds = prior_odds(study).tolist()
        return posterior_inputs(study) | {"calibrate": settings, "prior_odds": odds}

    def parts(self, study: Study) -> list[list[Any]]:
        """Kind, belt point, first mock and the one after the last."""
        from renp_infer.verbs.calibrate.parts import parts

        return [list(part) for part in parts(study)]

    def perform(self, study: Study, task: Task, context: Context) -> xarray.DataTree:
        """Do a block of mock experiments."""
        from renp_infer.verbs.calibrate.work import perform

        return perform(study, task, context)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write all mocks of each kind, and the verdict."""
        from renp_infer.verbs.calibrate.work import join

        join(study, paths, target)

    def answer(self, run: Run) -> str:
        """How often intervals cover."""
        from renp_infer.verbs.calibrate.tables import answer

        return answer(run.get(CalibrateResult).calibration)

    def plan(self, _study: Study) -> tuple[Verb, ...]:
        """The evaluation first: reports rest on it."""
        return (EVALUATE, self)

    def read(self, files: Files, _study: Mapping[str, Any]) -> CalibrateResult:
        """Read ``calibrate.nc``."""
        return CalibrateResult.of(files.tree(self.file))

    def samplers(self, study: Mapping[str, Any]) -> tuple[str]:
        """That of the posterior, which it judges."""
        return (study["inference"]["sampler"],)

    def page(self, run: Run) -> Page:
        """Verdict and figures."""
        from renp_infer.verbs.calibrate.page import page

        return page(run)


CALIBRATE = Calibrate()
VERBS = (CALIBRATE,)
