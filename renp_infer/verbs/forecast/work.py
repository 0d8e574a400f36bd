"""The tasks of a forecast: each a pure function of the study and one part."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.inference.exposure import ByExposure, required_exposure
from renp_infer.inference.fisher import (
    PHASE_SD_DEG,
    PHASE_SHARE,
    expand,
    phase_block,
)
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.response import Response, approximation_error
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.constants import EV_TO_MILLI_EV, MILLI_EV_TO_EV
from renp_infer.physics.matrix_elements import missing_printed
from renp_infer.records import PRESETS
from renp_infer.verbs.forecast.bench import Bench, bench_of, noise_of
from renp_infer.verbs.forecast.cells import (
    LEVELS,
    Cell,
    asimov_cell,
    ensemble_cell,
    fisher_cell,
    linear_rival,
)
from renp_infer.verbs.forecast.limits import drawn_limits, expected_limits
from renp_infer.verbs.forecast.parts import parts, variants
from renp_infer.verbs.forecast.steps import steps

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.tasks import Task
    from renp_infer.study.study import Study

PART = "renp_part"
"""Attribute that says which part of the forecast a file holds."""
MAP_MASSES, MAP_PHASES = 16, 13
PHASE_GRID = (7, 12)
CHECKED_DRAWS = 12


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

    part = parts(study)[task.index]
    bench = bench_of(study, task.base)
    kinds: dict[str, Callable[[Bench, dict[str, Any], Task], dict[str, Any]]] = {
        "cell": _cell,
        "limit": lambda bench, part, _task: expected_limits(bench, part),
        "drawn limit": drawn_limits,
        "steps": lambda bench, _part, _task: steps(bench),
        "accuracy": lambda bench, _part, task: _accuracy(bench, task),
        "map": _map,
        "phases": _phases,
        "correction": _correction,
    }
    columns = kinds[part["kind"]](bench, part, task)
    tree = xr.DataTree(xr.Dataset(columns))
    tree.attrs = {PART: json.dumps(part)}
    return tree


def _cell(bench: Bench, part: dict[str, Any], task: Task) -> dict[str, Any]:
    """One truth by one method, at every phase setting."""
    model = bench.hypothesis(part["ordering"], part["nature"])
    count = bench.settings.phases_of(part["nature"])
    if part["method"] == "ensemble":
        cell = Cell(bench, model, model.at(part["m1_meV"], bench.phases[0]))
        seeds = [task.seed(k) for k in range(bench.settings.datasets)]
        return {name: ("dataset", rows) for name, rows in ensemble_cell(cell, seeds).items()}
    rows = []
    for k, phases in enumerate(bench.phases[:count]):
        cell = Cell(bench, model, model.at(part["m1_meV"], phases))
        fisher = part["method"] == "fisher"
        rows.append(fisher_cell(cell) if fisher else asimov_cell(cell, exposures=k == 0))
    return {name: ("setting", [row.get(name, np.nan) for row in rows]) for name in rows[0]}


def _accuracy(bench: Bench, task: Task) -> dict[str, Any]:
    """Largest error of the tabulated response over prior draws, in standard errors."""
    own = bench.study.parameters
    model = bench.hypothesis(own.ordering, own.nature)
    cell = Cell(bench, model, own)
    rng = np.random.default_rng(task.seed())
    prior = cell.own.prior
    draws = [prior.to_response_vector(row) for row in prior.sample(rng, CHECKED_DRAWS)]
    sigma_nG = np.sqrt(np.diag(bench.covariance))
    response = bench.response(own.ordering)
    return {"response_error_sigma": approximation_error(response, np.array(draws), sigma_nG)}


def _map(bench: Bench, part: dict[str, Any], _task: Task) -> dict[str, Any]:
    """Separation of a Majorana truth from Dirac, against m1 and one phase."""
    ordering = bench.study.parameters.ordering
    model = bench.hypothesis(ordering, "majorana")
    masses = bench.settings.m1_meV
    masses = masses[:: -(-len(masses) // MAP_MASSES)]
    angles = np.linspace(0.0, 2.0 * np.pi, MAP_PHASES)
    grid = [[_separation(bench, model, m1, part["axis"], a) for a in angles] for m1 in masses]
    return {
        "map_m1_meV": ("map_mass", np.array(masses)),
        "map_phase_deg": ("map_phase", np.rad2deg(angles)),
        "separation_nature": (("map_mass", "map_phase"), np.array(grid)),
    }


def _separation(bench: Bench, model: HypothesisModel, m1: float, axis: str, angle: float) -> float:
    truth = replace(model.at(m1), **{axis: angle})  # type: ignore[arg-type]
    return linear_rival(Cell(bench, model, truth), "nature")(bench.noise.exposure_s)


def _phases(bench: Bench, part: dict[str, Any], _task: Task) -> dict[str, Any]:
    """What the data say about alpha21 and alpha31 - 2 delta, over half their torus.

    Eigenvalues, ascending, and eigenvectors of the information about (delta, alpha21,
    alpha31), all else profiled, for a Majorana truth of the study's mass.
    """
    model = bench.hypothesis(part["ordering"], "majorana")
    delta = bench.study.parameters.delta
    own_meV = EV_TO_MILLI_EV * bench.study.parameters.m1_eV
    names = PARAMETERS.phases
    first = np.linspace(0.0, np.pi, PHASE_GRID[0])
    second = np.linspace(0.0, 2.0 * np.pi, PHASE_GRID[1], endpoint=False)
    values, vectors, separations = [], [], []
    for alpha21 in first:
        for effective in second:
            phases = (delta, float(alpha21), float(effective + 2.0 * delta))
            cell = Cell(bench, model, model.at(own_meV, phases))
            exposure = bench.noise.exposure_s
            if set(names) <= set(cell.own.prior.names):
                block = phase_block(expand(cell.own, cell.vector), bench.noise, exposure, names)
            else:
                block = np.zeros((3, 3))
            value, vector = np.linalg.eigh(block)
            values.append(value)
            vectors.append(vector)
            separations.append(linear_rival(cell, "nature")(exposure))
    shape = (*PHASE_GRID, 3)
    limit = np.deg2rad(PHASE_SHARE * PHASE_SD_DEG) ** -2
    grid = ("grid_alpha21", "grid_effective")
    return {
        "grid_alpha21_deg": ("grid_alpha21", np.rad2deg(first)),
        "grid_effective_deg": ("grid_effective", np.rad2deg(second)),
        "eigenvalue_per_rad2": ((*grid, "mode"), np.reshape(values, shape)),
        "eigenvector": ((*grid, "phase", "mode"), np.reshape(vectors, (*shape, 3))),
        "measurable": (grid, np.sum(np.reshape(values, shape) > limit, axis=-1).astype(float)),
        "separation_nature": (grid, np.reshape(separations, PHASE_GRID)),
    }


def _correction(bench: Bench, part: dict[str, Any], _task: Task) -> dict[str, Any]:
    """Headline figures with some switches of the published preset corrected.

    The noise is absolute: scaled noise would hide what most switches change. NaN
    where the target prints no number that a switch needs.
    """
    switches = replace(PRESETS["published"], **variants()[part["variant"]])
    names = ("peak_nG", "sigma_nG", "sigma_m1_meV", *LEVELS)
    if missing_printed(bench.experiment.target, switches):
        return dict.fromkeys(names, np.nan)
    detector = replace(bench.experiment.detector, reference_snr=0.0)
    experiment = replace(bench.experiment, switches=switches, detector=detector)
    own = bench.study.parameters
    chi2 = coherence(experiment)
    noise = noise_of(experiment, own, chi2)
    model = bench.hypothesis(own.ordering, own.nature)
    response = Response(experiment, model.parameters, chi2, MILLI_EV_TO_EV * bench.m1_max_meV)
    model = replace(model, response=response)
    field = model.field(own)
    peak = float(np.max(np.abs(field)))
    covariance = noise.covariance(noise.exposure_s)
    data = replace(bench.data(field), covariance_nG2=covariance, normalised=False)
    likelihood = bench.likelihood(model, data, model, peak)
    expanded = ByExposure(expand(likelihood, model.vector(own)), noise)
    found: dict[str, Any] = {
        "peak_nG": peak,
        "sigma_nG": float(np.sqrt(covariance[0, 0])),
        "sigma_m1_meV": expanded.sigma(noise.exposure_s),
    }
    for key, level in LEVELS.items():
        found[key] = required_exposure(
            lambda t: EV_TO_MILLI_EV * own.m1_eV / expanded.sigma(t),
            level,
            start_s=noise.exposure_s,
            monotone=not noise.drifts,
        )
    return found
