"""The tasks of a forecast: each a pure function of the study and one part."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import TruthCell, asimov_cell, ensemble_cell, fisher_cell
from renp_infer.verbs.forecast.columns import stacked, written
from renp_infer.verbs.forecast.corrections import correction
from renp_infer.verbs.forecast.joint import bench_of
from renp_infer.verbs.forecast.limits import drawn_limits, expected_limits
from renp_infer.verbs.forecast.parts import (
    AccuracyPart,
    CellPart,
    CorrectionPart,
    DrawnLimitPart,
    ForecastPart,
    LimitPart,
    MapPart,
    PhasesPart,
    StepsPart,
    part_of,
)
from renp_infer.verbs.forecast.phases import phase_map, phase_survey
from renp_infer.verbs.forecast.quantities import ResponseAccuracy
from renp_infer.verbs.forecast.steps import steps

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.tasks import Task
    from renp_infer.study.study import Study

PART = "renp_part"
"""Attribute that says which part of the forecast a file holds."""


def forecast_part(study: Study, task: Task) -> xarray.DataTree:
    """Calculate one part.

    Parameters
    ----------
    study : Study
        With settings of ``[forecast]``.
    task : Task

    Returns
    -------
    DataTree
        One variable per number; attribute ``renp_part`` is JSON.
    """
    import xarray as xr

    part = part_of(task.part)
    found = find(bench_of(study, task.base), part, task)
    tree = xr.DataTree(xr.Dataset(written(found, *part.inner)))
    tree.attrs = {PART: json.dumps(part.plain())}
    return tree


def find(bench: Bench, part: ForecastPart, task: Task) -> object:
    """The record of a part."""
    match part:
        case CellPart():
            return _cells(bench, part, task)
        case LimitPart():
            return expected_limits(_massless(bench, part))
        case DrawnLimitPart():
            return drawn_limits(_massless(bench, part), _seeds(bench, task))
        case StepsPart():
            return steps(bench)
        case AccuracyPart():
            return _accuracy(bench)
        case MapPart(axis):
            return phase_map(bench, axis)
        case PhasesPart(ordering):
            return phase_survey(bench, ordering)
        case CorrectionPart(variant):
            return correction(bench, variant)
    raise AssertionError(part)


def _cells(bench: Bench, part: CellPart, task: Task) -> Any:
    """One truth by one method, at every setting of the phases or in every data set."""
    bench = bench.reaching(part.m1_meV)
    model = bench.hypothesis(part.ordering, part.nature)
    settings = bench.phases[: bench.settings.phases_of(part.nature)]
    cells = (TruthCell(bench, model, model.at(part.m1_meV, phases)) for phases in settings)
    if part.method == "ensemble":
        return ensemble_cell(next(cells), _seeds(bench, task))
    if part.method == "fisher":
        return stacked([fisher_cell(cell) for cell in cells])
    return stacked([asimov_cell(cell, exposures=k == 0) for k, cell in enumerate(cells)])


def _massless(bench: Bench, part: LimitPart | DrawnLimitPart) -> TruthCell:
    bench = bench.reaching(0.0)
    model = bench.hypothesis(part.ordering, part.nature)
    return TruthCell(bench, model, model.at(0.0, bench.phases[0]))


def _seeds(bench: Bench, task: Task) -> list[np.random.SeedSequence]:
    return [task.seed(k) for k in range(bench.settings.datasets)]


def _accuracy(bench: Bench) -> ResponseAccuracy[float]:
    """How far the response of the study's ordering errs, for both natures."""
    for nature in ("dirac", "majorana"):
        bench.hypothesis(bench.study.parameters.ordering, nature)
    return ResponseAccuracy(**bench.budget.document)
