"""What an experiment could see: errors, limits, separations, exposures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Files
from renp_infer.engine.tasks import Context, Task
from renp_infer.engine.verb import Verb
from renp_infer.study.study import Study
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.forecast.result import ForecastResult
from renp_infer.verbs.inputs import prior_inputs

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.page import Page
    from renp_infer.engine.run import Run

FORECAST_VERSION = 4
"""Raised when the same study gives other forecasts than before."""


class Forecast(Verb):
    """Forecast over masses, orderings, natures and phases: a task per cell of a table."""

    name, file, rank, merges = "forecast", "forecast.nc", 50, True
    fits = False
    section = "forecast"
    sections = ("forecast",)
    returns = """DataTree
        Errors of the parameters by mass, ordering, nature, exposure and systematics; see
        docs/forecasts.md."""

    def wanted(self, study: Study) -> bool:
        """With a section ``[forecast]``."""
        return study.forecast is not None

    def inputs(self, study: Study) -> dict[str, Any]:
        """Physics, priors and the whole section."""
        assert study.forecast is not None
        own = {"forecast": asdict(study.forecast), "forecast_version": FORECAST_VERSION}
        return prior_inputs(study) | own

    def parts(self, study: Study) -> list[dict[str, Any]]:
        """What each task is about, in order."""
        from renp_infer.verbs.forecast.parts import parts

        return [part.plain() for part in parts(study)]

    def perform(self, study: Study, task: Task, _context: Context) -> xarray.DataTree:
        """Do one cell, limit, map or table."""
        from renp_infer.verbs.forecast.work import forecast_part

        return forecast_part(study, task)

    def merge(self, study: Study, paths: Iterator[str], target: Path) -> None:
        """Write all cells as tables."""
        from renp_infer.verbs.forecast.merge import merge_parts

        merge_parts(study, paths, target)

    def answer(self, run: Run) -> str:
        """The expected error of the mass."""
        from renp_infer.verbs.forecast.page import answer

        return answer(run.get(ForecastResult))

    def plan(self, _study: Study) -> tuple[Verb, ...]:
        """The evaluation first: reports rest on it."""
        return (EVALUATE, self)

    def read(self, files: Files, _study: Mapping[str, Any]) -> ForecastResult:
        """Read ``forecast.nc``, and judge it."""
        from renp_infer.verbs.forecast.judged import judged

        found = ForecastResult.of(files.tree(self.file))
        return replace(found, verdict=judged(found))

    def page(self, run: Run) -> Page:
        """Remarks, tables and figures."""
        from renp_infer.verbs.forecast.page import page

        return page(run)


FORECAST = Forecast()
VERBS = (FORECAST,)
