"""Systematics one by one: what each costs, and how well it must be known."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.priors.marginals import LogNormal, Marginal, Normal
from renp_infer.inference.profiles.exposure import ByExposure
from renp_infer.inference.profiles.fisher import Expansion, expand, mass_shift, sigma
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.records import FloatArray
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import TruthCell, half_width, reached
from renp_infer.verbs.forecast.quantities import Steps

EXPOSURES_S = np.geomspace(1.0, 1e60, 121)
SMALLEST = 1e-6
"""A prior narrower by this factor counts as exact."""
HALF, GAINED = 0.5, 2e-3
"""Factor of the priors by which systematics are ranked, and the accuracy of a profile's error."""


def steps(bench: Bench) -> Steps:
    """Errors of m1 at the study's truth, as systematics are added."""
    own = bench.study.parameters
    model = bench.hypothesis(own.ordering, own.nature)
    cell = TruthCell(bench, model, own)
    full = expand(cell.own, cell.vector)
    groups = bench.systematics(cell.own.prior)
    wanted = tuple(groups)
    known_by_step = [
        [name for group in wanted[k:] for name in groups[group]] for k in range(len(wanted) + 1)
    ]
    rows = [_step(bench, full, known) for known in known_by_step]
    ranks = [_systematic(bench, full, groups[name]) for name in wanted]
    profiled = np.array([_profiled(bench, wanted[k:]) for k in range(len(wanted) + 1)])
    known = np.array([_profiled(bench, [name]) for name in wanted])
    halved = np.array([_halved(cell, name) for name in wanted])
    return Steps(
        sigma_m1_meV=np.array([row.sigma_m1_meV for row in rows]),
        exposure_3sigma_s=np.array([row.exposure_3sigma_s for row in rows]),
        exposure_goal_s=np.array([row.exposure_goal_s for row in rows]),
        curve_meV=np.array([row.curve_meV for row in rows]),
        curve_exposure_s=EXPOSURES_S,
        impact_meV=np.array([rank.impact_meV for rank in ranks]),
        halving_meV=np.array([rank.halving_meV for rank in ranks]),
        asimov_halving_meV=_gains(profiled[-1], np.where(np.isnan(halved), known, halved)),
        shift_meV=np.array([rank.shift_meV for rank in ranks]),
        factor=np.array([rank.factor for rank in ranks]),
        asimov_sigma_m1_meV=profiled,
        asimov_impact_meV=np.sqrt(np.maximum(profiled[-1] ** 2 - known**2, 0.0)),
        reach=_reach(bench),
        reach_m1_meV=np.array(bench.settings.m1_meV),
    )


@dataclass(frozen=True)
class _Step:
    """Statistics and some systematics."""

    sigma_m1_meV: float
    exposure_3sigma_s: float
    exposure_goal_s: float
    curve_meV: list[float]


def _step(bench: Bench, full: Expansion, known: Collection[str]) -> _Step:
    """Errors while some parameters are known exactly."""
    model, noise = ByExposure(full.without(known), bench.noise), bench.noise
    m1_meV = EV_TO_MILLI_EV * bench.study.parameters.m1_eV

    def search(target_meV: float) -> float:
        return reached(lambda t: target_meV / model.sigma(t), 1.0, noise)

    return _Step(
        sigma_m1_meV=model.sigma(noise.exposure_s),
        exposure_3sigma_s=search(m1_meV / 3.0) if m1_meV > 0.0 else np.inf,
        exposure_goal_s=search(bench.settings.goal_meV),
        curve_meV=[model.sigma(float(t)) for t in EXPOSURES_S],
    )


def _profiled(bench: Bench, known: Collection[str]) -> float:
    """Error of m1 at the study's truth by profile likelihood, some systematics known."""
    own = bench.study.parameters
    model = bench.hypothesis(own.ordering, own.nature)
    return half_width(TruthCell(bench, model.with_settings(bench.fit_settings(known)), own))


def _halved(cell: TruthCell, systematic: str) -> float:
    """Error of m1 by profile likelihood, priors of a systematic half as wide; NaN of phases."""
    own, names = cell.own, cell.bench.systematics(cell.own.prior)[systematic]
    if names == PARAMETERS.phases:
        return np.nan
    marginals = {
        name: _narrow(one) if name in names else one for name, one in own.prior.marginals.items()
    }
    prior = replace(own.prior, marginals=marginals)
    moved = copy.copy(cell)
    moved.own = Likelihood(prior, own.response, own.data, own.shapes, own.external, own.factors)
    return half_width(moved)


def _narrow(marginal: Marginal) -> Marginal:
    """A prior half as wide; one that is not Gaussian counts as Gaussian."""
    if isinstance(marginal, Normal | LogNormal):
        return replace(marginal, sd=HALF * marginal.sd)
    pull, slope = marginal.pull(0.0)
    return Normal(pull / slope, HALF / slope)


def _gains(whole_meV: float, better_meV: FloatArray) -> FloatArray:
    """What better knowledge takes off an error; 0 within the accuracy of both."""
    gains = whole_meV - better_meV
    return np.where(gains > GAINED * whole_meV, gains, 0.0)


@dataclass(frozen=True)
class _Rank:
    """What one systematic does."""

    impact_meV: float
    halving_meV: float
    shift_meV: float
    factor: float


def _systematic(bench: Bench, expansion: Expansion, names: tuple[str, ...]) -> _Rank:
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
    halved = sigma(expansion.scaled(names, HALF), bench.noise, exposure)
    shift = mass_shift(expansion, bench.noise, exposure, names)
    return _Rank(float(impact), full - halved, shift, factor)


def _reach(bench: Bench) -> FloatArray:
    """Standard deviations of m1 from 0, m1 / sigma, by true mass and exposure."""
    own, rows = bench.study.parameters, []
    for m1_meV in bench.settings.m1_meV:
        reaching = bench.reaching(m1_meV)
        model = reaching.hypothesis(own.ordering, own.nature)
        cell = TruthCell(reaching, model, model.at(m1_meV))
        own_model = bench.by_exposure(cell.own, cell.vector)
        rows.append([m1_meV / own_model.sigma(float(t)) for t in EXPOSURES_S])
    return np.array(rows)
