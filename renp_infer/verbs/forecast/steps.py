"""Systematics one by one: what each costs, and how well it must be known."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import brentq

from renp_infer.inference.exposure import ByExposure, required_exposure
from renp_infer.inference.fisher import Expansion, expand, sigma
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import Cell, half_width

EXPOSURES_S = np.geomspace(1.0, 1e60, 121)
SMALLEST = 1e-6
"""A prior narrower by this factor counts as exact."""
STATISTICS = "statistics"


def step_names(bench: Bench) -> list[str]:
    """Statistics only, then the systematics that the forecast includes."""
    return [STATISTICS, *bench.settings.systematics]


def steps(bench: Bench) -> dict[str, Any]:
    """Errors of m1 at the study's truth, as systematics are added.

    Returns
    -------
    dict
        Per step: ``sigma_m1_meV``, ``curve_meV`` by exposure, ``exposure_3sigma_s`` and
        ``exposure_goal_s``; per systematic: its ``impact_meV``, the square root of what
        knowing it exactly would take off the variance, and ``factor``: by how much all
        its priors must narrow for the goal, all else as it is (1: the goal is met; NaN:
        not by this one alone). All by Fisher; ``asimov_sigma_m1_meV`` and
        ``asimov_impact_meV`` are by profile likelihood, which alone sees phases where CP
        is conserved. Also ``reach`` by true mass and exposure, in standard deviations.
    """
    own = bench.study.parameters
    model = bench.hypothesis(own.ordering, own.nature)
    cell = Cell(bench, model, own)
    full = expand(cell.own, cell.vector)
    rows = [_step(bench, full, k) for k in range(len(step_names(bench)))]
    found: dict[str, Any] = {
        name: ("step", np.array([row[name] for row in rows]))
        for name in ("sigma_m1_meV", "exposure_3sigma_s", "exposure_goal_s")
    }
    found["curve_meV"] = (("step", "exposure"), np.array([row["curve_meV"] for row in rows]))
    found["curve_exposure_s"] = ("exposure", EXPOSURES_S)
    wanted = bench.settings.systematics
    ranks = [_systematic(bench, full, PARAMETERS.systematics[name]) for name in wanted]
    for name in ("impact_meV", "factor"):
        found[name] = ("systematic", np.array([row[name] for row in ranks]))
    found["asimov_sigma_m1_meV"] = (
        "step",
        np.array([_profiled(bench, wanted[k:]) for k in range(len(wanted) + 1)]),
    )
    whole = found["asimov_sigma_m1_meV"][1][-1]
    known = np.array([_profiled(bench, [name]) for name in wanted])
    gain = np.maximum(whole**2 - known**2, 0.0)
    found["asimov_impact_meV"] = ("systematic", np.sqrt(gain))
    return found | _reach(bench)


def _step(bench: Bench, full: Expansion, count: int) -> dict[str, Any]:
    """Statistics and the first systematics, the others known exactly."""
    later = bench.settings.systematics[count:]
    known = [name for group in later for name in PARAMETERS.systematics[group]]
    model = ByExposure(full.without(known), bench.noise)
    exposure, goal = bench.noise.exposure_s, bench.settings.goal_meV
    m1_meV, monotone = EV_TO_MILLI_EV * bench.study.parameters.m1_eV, not bench.noise.drifts

    def search(target_meV: float) -> float:
        return required_exposure(
            lambda t: target_meV / model.sigma(t),
            1.0,
            start_s=exposure,
            monotone=monotone,
        )

    return {
        "sigma_m1_meV": model.sigma(exposure),
        "curve_meV": [model.sigma(float(t)) for t in EXPOSURES_S],
        "exposure_3sigma_s": search(m1_meV / 3.0) if m1_meV > 0.0 else np.inf,
        "exposure_goal_s": search(goal),
    }


def _profiled(bench: Bench, known: Collection[str]) -> float:
    """Error of m1 at the study's truth by profile likelihood, some systematics known."""
    own = bench.study.parameters
    model = bench.hypothesis(own.ordering, own.nature)
    return half_width(Cell(bench, replace(model, settings=bench.fit_settings(known)), own))


def _systematic(bench: Bench, expansion: Expansion, names: tuple[str, ...]) -> dict[str, float]:
    """Impact and required precision of one systematic, at the study's exposure."""
    exposure, goal = bench.noise.exposure_s, bench.settings.goal_meV
    full = sigma(expansion, bench.noise, exposure)
    known = sigma(expansion.without(names), bench.noise, exposure)
    impact = full * np.sqrt(max(1.0 - (known / full) ** 2, 0.0))

    def excess(log_factor: float) -> float:
        narrowed = expansion.scaled(names, 10.0**log_factor)
        return float(np.log(sigma(narrowed, bench.noise, exposure) / goal))

    lowest = np.log10(SMALLEST)
    if full <= goal:
        factor = 1.0
    elif excess(lowest) > 0.0:
        factor = np.nan
    else:
        factor = 10.0 ** float(brentq(excess, lowest, 0.0, xtol=1e-4))
    return {"impact_meV": float(impact), "factor": factor}


def _reach(bench: Bench) -> dict[str, Any]:
    """Standard deviations of m1 from 0, m1 / sigma, by true mass and exposure."""
    own = bench.study.parameters
    model = bench.hypothesis(own.ordering, own.nature)
    rows = []
    for m1_meV in bench.settings.m1_meV:
        cell = Cell(bench, model, model.at(m1_meV))
        own_model = bench.by_exposure(cell.own, cell.vector)
        rows.append([m1_meV / own_model.sigma(float(t)) for t in EXPOSURES_S])
    return {
        "reach": (("reach_mass", "exposure"), np.array(rows)),
        "reach_m1_meV": ("reach_mass", np.array(bench.settings.m1_meV)),
    }
