"""The tasks of a scan: a cell, or a line of a profile; and how they become one table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.inference.hypothesis import phase_settings
from renp_infer.inference.library import Library
from renp_infer.inference.parameters import MASS
from renp_infer.inference.profiles.surface import AUTO_POINTS, ProfileSurface
from renp_infer.records import PAIRS, FloatArray
from renp_infer.study.hypotheses import own_hypothesis
from renp_infer.study.observed import data_of
from renp_infer.study.scanned import ScanPlan
from renp_infer.study.scanning import study_at
from renp_infer.study.units import described
from renp_infer.verbs.about import facts_of
from renp_infer.verbs.evaluate.work import evaluate, measured
from renp_infer.verbs.forecast.columns import picked, read, stacked, written
from renp_infer.verbs.forecast.joint import bench_made
from renp_infer.verbs.forecast.parts import CellPart
from renp_infer.verbs.forecast.work import find
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.infer.work import checked_model, infer
from renp_infer.verbs.remembered import remembered
from renp_infer.verbs.scan.columns import DATA_SET, EvaluatedCell, InferredCell, ProfiledLine

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.tasks import Context, Task
    from renp_infer.study.study import Study

CELL, LINE = "cell", "line"
"""Kinds of tasks."""
ATTRIBUTE = "renp_scan"
"""Where a file says what it is about, as JSON."""
SIDES = ("low", "high")
_MASSES, _PHASES, _LIGHTEST_MEV = 40, 8, 0.1
"""Points from which a best fit may begin."""


def parts(plan: ScanPlan) -> list[list[Any]]:
    """Kind and place of each task, in order."""
    cells = [[CELL, k] for k in range(len(plan.cells))]
    lines = 0
    for values in list(plan.profile.values())[:1]:
        lines = AUTO_POINTS if isinstance(values, str) else len(values)
    return cells + [[LINE, k] for k in range(lines)]


def perform(study: Study, task: Task, context: Context) -> xarray.DataTree:
    """Do one task: a pure function of the study and its part."""
    import xarray as xr

    kind, place = task.part
    plan = _plan(study)
    if kind == LINE:
        columns = written(_line(study, task.base, place))
    else:
        found = cell(plan, study_at(plan, plan.cells[place].keys), task, context)
        columns = written(found, *_outer(study))
    tree = xr.DataTree(xr.Dataset(columns))
    tree.attrs = {ATTRIBUTE: json.dumps([kind, place])}
    return tree


def _plan(study: Study) -> ScanPlan:
    assert study.scan is not None
    return study.scan


def _outer(study: Study) -> tuple[str, ...]:
    """First dimensions of a cell: the forward model has numbers of each data set."""
    return (DATA_SET,) if study.sets and _plan(study).what == "evaluate" else ()


def cell(plan: ScanPlan, study: Study, task: Task, context: Context) -> Any:
    """What is asked of the study of a cell: a record of ``KINDS``."""
    if plan.what == "infer":
        return _inferred(study, context)
    return _forecast(study, task) if plan.what == "forecast" else _evaluated(study)


def _evaluated(study: Study) -> EvaluatedCell[Any]:
    if study.sets:
        of_sets: EvaluatedCell[Any] = stacked([_evaluated(one.study) for one in study.sets])
        return of_sets
    found = evaluate(study.experiment, study.parameters, study.name)
    if study.measurement is not None:
        found = measured(found, study.measurement.observation)
    peak = int(np.argmax(np.abs(found.signal_nG)))
    growth = found.magnetization_nG_per_s
    thresholds = [found.thresholds_deg[pair] or (np.nan, np.nan) for pair in PAIRS]
    return EvaluatedCell(
        peak_signal_nG=float(found.signal_nG[peak]),
        peak_angle_deg=float(found.theta_s_deg[peak]),
        sigma_nG=float(found.sigma_nG[peak]),
        peak_snr=found.peak_snr,
        peak_rate_per_s=float(np.max(found.rate_per_s)),
        peak_magnetization_nG_per_s=float(growth[np.argmax(np.abs(growth))]),
        chi_squared=found.chi_squared,
        thresholds_deg=np.array(thresholds, float),
        failed=float(any(one.verdict == "fail" for one in found.verdicts().values())),
    )


def _inferred(study: Study, context: Context) -> InferredCell[float]:
    found = InferResult.of(infer(study, context))
    mass, words = found.mass, {one.verdict for one in found.verdicts().values()}
    failed = "fail" in words
    return InferredCell(
        mean_m1_meV=mass.mean,
        sd_m1_meV=mass.sd,
        median_m1_meV=mass.median,
        low_68_m1_meV=mass.interval_68[0],
        high_68_m1_meV=mass.interval_68[1],
        low_95_m1_meV=mass.interval_95[0],
        high_95_m1_meV=mass.interval_95[1],
        upper_90_m1_meV=np.nan if mass.upper_90 is None else mass.upper_90,
        upper_95_m1_meV=np.nan if mass.upper_95 is None else mass.upper_95,
        measured=float(mass.measured is not False),
        warned=float("warn" in words and not failed),
        failed=float(failed),
    )


def _forecast(study: Study, task: Task) -> Any:
    """What derivatives say of the study's own truth, at its own phases."""
    truth = study.parameters
    m1_meV = float(study.resolved["neutrino"][MASS])
    part = CellPart("fisher", truth.ordering, truth.nature, m1_meV)
    return picked(find(bench_made(study), part, task), (0,))


def surface(study: Study) -> ProfileSurface:
    """The profile likelihood of a study's data."""
    first, second = _plan(study).profile
    data = data_of(study)
    model, _ = checked_model(study, own_hypothesis(study), data)
    own = model.parameters
    masses = np.geomspace(_LIGHTEST_MEV, study.priors.m1_max_meV, _MASSES)
    count = _PHASES if own.nature == "majorana" and study.priors.phases == "free" else 1
    phases = phase_settings(count, (own.delta, own.alpha21, own.alpha31))
    library = Library(model, np.append(0.0, masses), phases)
    points = [own, *library.nearest(data.vector)]
    return ProfileSurface(
        model.likelihood(data), (first, second), [model.vector(p) for p in points]
    )


surface_of = remembered(surface)
"""The profile likelihood of a study, from before if the key is the same."""


def axis_of(found: ProfileSurface, which: int, values: Sequence[float] | str) -> FloatArray:
    """Values of one of the two parameters."""
    return found.range_of(which) if isinstance(values, str) else np.array(values, float)


def _line(study: Study, key: str, place: int) -> ProfiledLine[Any]:
    found, given = surface_of(study, key), list(_plan(study).profile.values())
    first, second = (axis_of(found, k, values) for k, values in enumerate(given))
    line = found.line(float(first[place]), second)
    best = found.best_values
    return ProfiledLine(
        float(first[place]),
        second,
        line.chi2,
        line.confirmed.astype(float),
        best_first=best[0],
        best_second=best[1],
        best_chi2=found.best.fit.chi2,
    )


def join(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write all cells as one table by key, and the profile as another.

    Parameters
    ----------
    study : Study
    paths : iterator of str
        In order; those of failed tasks are missing, whose numbers are NaN.
    target : Path
    """
    import xarray as xr

    plan = _plan(study)
    found: dict[str, dict[int, xr.Dataset]] = {CELL: {}, LINE: {}}
    for path in paths:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            kind, place = json.loads(tree.attrs[ATTRIBUTE])
            found[kind][place] = tree.load().to_dataset()
    groups = {}
    if found[CELL]:
        groups["cells"] = _table(study, found[CELL])
    if found[LINE]:
        groups["profile"] = _profile(plan, found[LINE])
    missing = len(parts(plan)) - len(found[CELL]) - len(found[LINE])
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {"schema": 1, **facts_of(study, missing), "what": plan.what}
    described(tree).to_netcdf(target, engine="h5netcdf")


def _table(study: Study, cells: dict[int, xarray.Dataset]) -> xarray.Dataset:
    """Numbers by key; NaN where a task failed."""
    import xarray as xr

    plan, columns = _plan(study), {}
    for name, one in next(iter(cells.values())).data_vars.items():
        values = np.full((len(plan.cells), *one.shape), np.nan)
        for place, row in cells.items():
            values[place] = row[name].values
        columns[name] = ((*plan.over, *one.dims), values.reshape(*plan.shape, *one.shape))
    places = {key: _coordinate(values) for key, values in plan.over.items()}
    sides = {"pair": list(PAIRS), "side": list(SIDES)} if plan.what == "evaluate" else {}
    sets = {DATA_SET: [one.name for one in study.sets]} if _outer(study) else {}
    return xr.Dataset(columns, places | sets | sides)


def _coordinate(values: Sequence[Any]) -> Any:
    """Values of an axis: numbers, or words."""
    plain = all(type(value) in (int, float) for value in values)
    return np.array(values, float) if plain else [str(value) for value in values]


def _profile(plan: ScanPlan, lines: dict[int, xarray.Dataset]) -> xarray.Dataset:
    """Rise of chi-squared above the best fit of all by both parameters."""
    import xarray as xr

    names = tuple(plan.profile)
    rows = [lines[place] for place in sorted(lines)]
    record = stacked([read(ProfiledLine, row) for row in rows])
    lowest = np.unravel_index(int(np.argmin(record.chi2)), record.chi2.shape)
    best = [float(record.best_first[0]), float(record.best_second[0]), float(record.best_chi2[0])]
    if record.chi2[lowest] < best[2]:
        axes = float(record.first[lowest[0]]), float(record.second[0][lowest[1]])
        best = [*axes, float(record.chi2[lowest])]
    columns = {
        "delta_chi2": (names, record.chi2 - best[2]),
        "confirmed": (names, record.confirmed),
    }
    places = {names[0]: record.first, names[1]: record.second[0]}
    facts = {"best_first": best[0], "best_second": best[1], "best_chi2": best[2]}
    return xr.Dataset(columns, places, facts)
