"""What each verb computes: its tasks, what they depend on, how they merge.

A new verb joins here, by one ``Verb``; the work itself is in a module of its
own, imported when a task runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.engine.tasks import Context, Task, Verb

if TYPE_CHECKING:
    import xarray

    from renp_infer.study.study import Study


SAMPLING = ("sampler", "chains", "draws", "tune", "target_accept", "cross_check")
"""Settings of ``[inference]`` that are no priors."""


def _model(study: Study) -> dict[str, Any]:
    """What every result depends on: physics, its version, and the data it reads."""
    from renp_infer.engine.provenance import data_digests
    from renp_infer.versions import PHYSICS_VERSION

    return {
        "physics_version": PHYSICS_VERSION,
        "data": data_digests(study),
        "name": study.name,
        "experiment": asdict(study.experiment),
        "parameters": asdict(study.parameters),
    }


def _data(study: Study) -> dict[str, Any]:
    noise = "drawn" if study.settings is None else study.settings.noise
    return _model(study) | {"seed": study.seed, "noise": noise}


def _posterior(study: Study) -> dict[str, Any]:
    assert study.settings is not None
    settings, table = asdict(study.settings), asdict(study.oscillation)
    return _data(study) | {"settings": settings, "oscillation": table}


def _evaluate(study: Study, _task: Task, _context: Context) -> dict[str, Any]:
    from renp_infer.verbs.evaluate.work import evaluate, measured

    found = evaluate(study.experiment, study.parameters, study.name)
    if study.measurement is None:
        return found
    return found | measured(study.measurement.observation, found["signal_nG"])


def _simulate(study: Study, _task: Task, _context: Context) -> dict[str, Any]:
    from renp_infer.verbs.simulate.ensemble import one_data_set

    return one_data_set(study)


def _infer(study: Study, _task: Task, context: Context) -> xarray.DataTree:
    from renp_infer.verbs.infer.work import infer

    return infer(study, context)


def _evidences(study: Study) -> dict[str, Any]:
    """What evidences depend on: priors, not the sampler of ``infer``; not the odds."""
    assert study.compare is not None
    inputs, settings = _posterior(study), asdict(study.compare)
    for name in SAMPLING:
        del inputs["settings"][name]
    for name in ("estimators", "gate", "prior_odds"):
        del settings[name]
    return inputs | {"compare": settings}


def _estimate(study: Study, task: Task, context: Context) -> xarray.DataTree:
    from renp_infer.verbs.compare.work import estimate_one

    return estimate_one(study, task, context)


def _estimate_count(study: Study) -> int:
    from renp_infer.inference.comparison import HYPOTHESES

    assert study.compare is not None
    return len(HYPOTHESES) * len(study.compare.estimators)


def _estimate_part(study: Study, index: int) -> list[str]:
    from renp_infer.inference.comparison import task_of

    assert study.compare is not None
    hypothesis, estimator = task_of(index, study.compare.estimators)
    return [hypothesis.name, estimator]


def _join_estimates(study: Study, paths: Iterator[str], target: Path) -> None:
    from renp_infer.verbs.compare.work import join

    join(study, paths, target)


def _draw(study: Study, task: Task, _context: Context) -> xarray.DataTree:
    from renp_infer.verbs.simulate.ensemble import data_sets

    return data_sets(study, task)


def _join(study: Study, paths: Iterator[str], target: Path) -> None:
    from renp_infer.verbs.simulate.ensemble import join

    join(study, paths, target)


def _draw_count(study: Study) -> int:
    from renp_infer.verbs.simulate.ensemble import task_count

    return task_count(study)


def _draw_part(study: Study, index: int) -> list[int]:
    from renp_infer.verbs.simulate.ensemble import part

    block = part(study, index)
    return [block.start, block.stop]


def _calibration(study: Study) -> dict[str, Any]:
    """Everything but the number of data sets, so that a longer series begins with the shorter."""
    from renp_infer.verbs.calibrate.parts import prior_odds

    assert study.calibration is not None
    settings = study.calibration.model_dump(exclude={"data_sets"})
    return _posterior(study) | {"calibrate": settings, "prior_odds": prior_odds(study).tolist()}


def _calibrate(study: Study, task: Task, context: Context) -> xarray.DataTree:
    from renp_infer.verbs.calibrate.work import perform

    return perform(study, task, context)


def _calibrate_count(study: Study) -> int:
    from renp_infer.verbs.calibrate.parts import parts

    return len(parts(study))


def _calibrate_part(study: Study, index: int) -> list[Any]:
    from renp_infer.verbs.calibrate.parts import parts

    return list(parts(study)[index])


def _join_calibration(study: Study, paths: Iterator[str], target: Path) -> None:
    from renp_infer.verbs.calibrate.work import join as join_mocks

    join_mocks(study, paths, target)


FORECAST_VERSION = {"forecast_version": 2}
"""Raised when the same study gives other forecasts than before."""


def _forecast_inputs(study: Study) -> dict[str, Any]:
    assert study.forecast is not None
    priors, shared = asdict(study.priors), asdict(study.forecast)
    for name in SAMPLING:
        del priors[name]
    facts = {"seed": study.seed, "oscillation": asdict(study.oscillation)}
    return _model(study) | facts | {"priors": priors, "forecast": shared} | FORECAST_VERSION


def _forecast(study: Study, task: Task, _context: Context) -> xarray.DataTree:
    from renp_infer.verbs.forecast.work import forecast_part

    return forecast_part(study, task)


def _forecast_count(study: Study) -> int:
    from renp_infer.verbs.forecast.parts import parts

    return len(parts(study))


def _forecast_part(study: Study, index: int) -> dict[str, Any]:
    from renp_infer.verbs.forecast.parts import parts

    return parts(study)[index]


def _forecast_merge(study: Study, paths: Iterator[str], target: Path) -> None:
    from renp_infer.verbs.forecast.merge import merge_parts

    merge_parts(study, paths, target)


def _optimize_inputs(study: Study) -> dict[str, Any]:
    """Everything but the number of repeats, so that a longer series begins with the shorter."""
    assert study.design is not None
    priors = asdict(study.priors)
    for name in SAMPLING:
        del priors[name]
    facts = {"seed": study.seed, "oscillation": asdict(study.oscillation), "priors": priors}
    section = study.design.section.model_dump(exclude={"repeats", "sequential"})
    apart = ("name", "seed", "inference", "execution")  # in the facts, or of no effect
    given = {key: table for key, table in study.design.tables.items() if key not in apart}
    return _model(study) | facts | {"tables": given, "optimize": section}


def _optimize(study: Study, task: Task, context: Context) -> dict[str, Any]:
    from renp_infer.verbs.optimize.work import perform

    return perform(study, task, context)


def _optimize_count(study: Study) -> int:
    assert study.design is not None
    return len(study.design.section.parts)


def _optimize_part(study: Study, index: int) -> list[Any]:
    assert study.design is not None
    return list(study.design.section.parts[index])


def _optimize_merge(study: Study, paths: Iterator[str], target: Path) -> None:
    from renp_infer.verbs.optimize.work import join as join_searches

    join_searches(study, paths, target)


def _optimize_also(study: Study, paths: Iterator[str], merged: Path) -> dict[str, str]:
    from renp_infer.verbs.optimize.work import also

    return also(study, paths, merged)


def _sequential_inputs(study: Study) -> dict[str, Any]:
    """Everything but the number of campaigns, so that a longer series begins with the shorter."""
    assert study.sequential is not None
    priors, shared = asdict(study.priors), asdict(study.sequential)
    for name in SAMPLING:
        del priors[name]
    del shared["campaigns"]
    facts = {"seed": study.seed, "oscillation": asdict(study.oscillation)}
    return _model(study) | facts | {"priors": priors, "sequential": shared}


def _sequential(study: Study, task: Task, _context: Context) -> xarray.DataTree:
    from renp_infer.verbs.sequential.work import perform

    return perform(study, task)


def _sequential_count(study: Study) -> int:
    assert study.sequential is not None
    return study.sequential.count


def _sequential_merge(study: Study, paths: Iterator[str], target: Path) -> None:
    from renp_infer.verbs.sequential.work import merge_campaigns

    merge_campaigns(study, paths, target)


EVALUATE = Verb("evaluate", "evaluate.json", _evaluate, _model)
SIMULATE = Verb("simulate", "simulate.json", _simulate, _data)
ENSEMBLE = Verb("ensemble", "ensemble.nc", _draw, _data, _draw_count, _draw_part, _join)
INFER = Verb("infer", "infer.nc", _infer, _posterior)
CALIBRATE = Verb(
    "calibrate",
    "calibrate.nc",
    _calibrate,
    _calibration,
    _calibrate_count,
    _calibrate_part,
    _join_calibration,
)
COMPARE = Verb(
    "compare",
    "compare.nc",
    _estimate,
    _evidences,
    _estimate_count,
    _estimate_part,
    _join_estimates,
)
FORECAST = Verb(
    "forecast",
    "forecast.nc",
    _forecast,
    _forecast_inputs,
    _forecast_count,
    _forecast_part,
    _forecast_merge,
)
OPTIMIZE = Verb(
    "optimize",
    "optimize.json",
    _optimize,
    _optimize_inputs,
    _optimize_count,
    _optimize_part,
    _optimize_merge,
    _optimize_also,
)
SEQUENTIAL = Verb(
    "sequential",
    "sequential.nc",
    _sequential,
    _sequential_inputs,
    _sequential_count,
    merge=_sequential_merge,
)
VERBS = {
    verb.name: verb
    for verb in (
        EVALUATE,
        SIMULATE,
        ENSEMBLE,
        INFER,
        COMPARE,
        CALIBRATE,
        FORECAST,
        OPTIMIZE,
        SEQUENTIAL,
    )
}
"""All verbs, in the order in which a run does them."""


def verbs_of(study: Study) -> tuple[Verb, ...]:
    """Verbs that a study has sections for, in their order."""
    wanted = [EVALUATE]
    if study.datasets:
        wanted.append(ENSEMBLE)
    if study.settings is not None:
        wanted.append(INFER)
    if study.compare is not None:
        wanted.append(COMPARE)
    if study.calibration is not None:
        wanted.append(CALIBRATE)
    if study.forecast is not None:
        wanted.append(FORECAST)
    if study.design is not None and study.design.section.searched:
        wanted.append(OPTIMIZE)
    if study.sequential is not None:
        wanted.append(SEQUENTIAL)
    return tuple(wanted)
