"""NUTS as PyMC implements it, on the same model: a second opinion on nutpie's."""

from __future__ import annotations

import logging

import numpy as np
import pymc as pm
import xarray as xr

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.samplers.coordinates import Coordinates
from renp_infer.inference.samplers.model import VECTOR, build_model, in_order
from renp_infer.inference.samplers.nuts import require_nuts
from renp_infer.inference.settings import InferenceSettings
from renp_infer.records import FloatArray

STATISTIC_NAMES = {
    "diverging": "diverging",
    "energy": "energy",
    "tree_depth": "depth",
    "reached_max_treedepth": "reached_max_depth",
    "n_steps": "n_steps",
    "acceptance_rate": "acceptance_rate",
    "lp": "lp",
    "step_size": "step_size",
}
"""PyMC's names of its statistics, and ours."""


def sample_pymc_nuts(
    likelihood: Likelihood, settings: InferenceSettings, seed: np.random.SeedSequence
) -> tuple[FloatArray, xr.Dataset]:
    """Draw from the posterior, chain after chain.

    Parameters
    ----------
    likelihood : Likelihood
    settings : InferenceSettings
    seed : numpy.random.SeedSequence

    Returns
    -------
    vectors : ndarray, shape (chains, draws, d)
        Free parameters.
    statistics : xarray.Dataset
        By (chain, draw), with the names that nutpie's have in a result.

    Raises
    ------
    TypeError
        If NUTS cannot sample every variable.
    """
    logging.getLogger("pymc").setLevel(logging.ERROR)
    mode_seed, start_seed, draw_seed = seed.spawn(3)
    model = build_model(likelihood)
    require_nuts(model)
    coordinates = Coordinates(likelihood, np.random.default_rng(mode_seed))
    starts = [coordinates.point(coordinates.start(s)) for s in start_seed.spawn(settings.chains)]
    with in_order():
        tree = pm.sample(
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=1,
            step=nuts_step(model, coordinates, settings),
            model=model,
            initvals=[_named(model, start) for start in starts],
            random_seed=[int(state) for state in draw_seed.generate_state(settings.chains)],
            compute_convergence_checks=False,
            progressbar=False,
        )
    statistics = tree["sample_stats"].to_dataset()[list(STATISTIC_NAMES)].rename(STATISTIC_NAMES)
    statistics.attrs = {
        "sampler": "pymc-nuts",
        "sampling_library": f"pymc {pm.__version__}",
        "step_methods": "all: NUTS",
        "sampler_names": ", ".join(f"{k}: {v}" for k, v in STATISTIC_NAMES.items()),
    }
    return tree["posterior"][VECTOR].transpose("chain", "draw", ...).values, statistics


def nuts_step(model: pm.Model, coordinates: Coordinates, settings: InferenceSettings) -> pm.NUTS:
    """NUTS for every variable, with the covariance at the mode as its metric.

    The metric is not adapted: PyMC adapts a diagonal one only, which is slow along
    the ridges between nuisances.

    Raises
    ------
    TypeError
        If PyMC leaves a variable to another step method.
    """
    covariance = coordinates.factor @ coordinates.factor.T
    step = pm.NUTS(
        model=model, target_accept=settings.target_accept, scaling=covariance, is_cov=True
    )
    if type(step).__name__ != "NUTS" or set(step.vars) != set(model.value_vars):
        raise TypeError(f"{type(step).__name__} moves {step.vars}: not NUTS for every variable")
    return step


def _named(model: pm.Model, point: FloatArray) -> dict[str, FloatArray]:
    """A point (k,) by variable."""
    parts, start = {}, 0
    for variable, value in zip(model.free_RVs, model.value_vars, strict=True):
        size = int(np.prod(value.type.shape))
        parts[variable.name] = point[start : start + size]
        start += size
    return parts
