"""The posterior of a study: response, gate on its accuracy, data, fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.errors import ConvergenceError
from renp_infer.inference.fit import fit
from renp_infer.inference.response import Response, approximation_error
from renp_infer.measurement.data import Data
from renp_infer.study.hypotheses import hypothesis_of, of_sets, own_hypothesis, response_maker
from renp_infer.study.observed import data_of, observation, rows_of

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.tasks import Context
    from renp_infer.inference.comparison import Hypothesis
    from renp_infer.inference.hypothesis import HypothesisModel, ModelLike
    from renp_infer.records import FloatArray
    from renp_infer.study.study import Study

ALLOWED_ERROR = 0.01
"""Largest error of the tabulated response, in standard deviations of the data."""
CHECKED_DRAWS = 48
MOST_REFINED = 2
"""How often the table's steps are halved at most: a minute of work for a planar response."""


def infer(study: Study, context: Context) -> xarray.DataTree:
    """Sample the posterior of a study's mock data.

    Parameters
    ----------
    study : Study
        With settings of ``[inference]``.
    context : Context

    Returns
    -------
    DataTree

    Raises
    ------
    ConvergenceError
        If the response is not accurate enough, see ``checked_model``.
    """
    return _fitted(study, data_of(study), context)


def infer_alone(study: Study, place: int, context: Context) -> xarray.DataTree:
    """The same of one of several data sets, whose name is the attribute ``data_set``."""
    one = study.sets[place]
    tree = _fitted(one.study, Data.of(observation(one.study, place)), context)
    tree.attrs["data_set"] = one.name
    return tree


def _fitted(study: Study, data: Data, context: Context) -> xarray.DataTree:
    settings = study.settings
    assert settings is not None
    model, error = checked(study, own_hypothesis(study), data.sigma)
    cores = min(settings.chains, context.cores)
    tree = fit(model, data, study.seed, progress=context.tell, cores=cores)
    _record(tree, error)
    return tree


def checked(
    study: Study,
    hypothesis: Hypothesis,
    sigma: FloatArray,
    peak_nG: Callable[[Study], float | None] = lambda _: None,
) -> tuple[ModelLike, float]:
    """A hypothesis of all data with tabulated responses, and the worst's largest error in sigma.

    Parameters
    ----------
    study : Study
    hypothesis : Hypothesis
    sigma : ndarray, shape (n,)
        Noise of all data.
    peak_nG : callable, optional
        Unit of the baseline's prior in a data set; see ``hypothesis_of``.

    Raises
    ------
    ConvergenceError
        See ``checked_model``.
    """
    errors, rows = [], iter(rows_of(study))

    def make(own: Study) -> HypothesisModel:
        model, error = checked_model(own, hypothesis, sigma[next(rows)], peak_nG(own))
        errors.append(error)
        return model

    return of_sets(study, make), max(errors)


def checked_model(
    study: Study, hypothesis: Hypothesis, sigma: FloatArray, peak_nG: float | None = None
) -> tuple[HypothesisModel, float]:
    """A hypothesis of one data set with its tabulated response, whose largest error is in sigma.

    The table is refined until it errs by less than 1 % of the noise ``sigma`` (n,) at every
    angle of 48 draws from the prior, half of them with m1 spread over its decades.

    Raises
    ------
    ConvergenceError
        If ``MOST_REFINED`` is not enough.
    """
    for refinement in range(MOST_REFINED + 1):
        maker = response_maker(study, refinement)
        model = hypothesis_of(study, hypothesis, maker, peak_nG=peak_nG)
        response = model.response
        assert isinstance(response, Response)
        error = approximation_error(response, _prior_draws(model, response, study.seed), sigma)
        if error <= ALLOWED_ERROR:
            return model, error
    raise ConvergenceError(
        "tabulated response, in sigma (more noise or a shorter exposure would do)",
        error,
        ALLOWED_ERROR,
    )


def _prior_draws(model: HypothesisModel, response: Response, seed: int) -> FloatArray:
    """Response vectors drawn from the prior, shape (CHECKED_DRAWS, 12)."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    draws = model.prior.sample(rng, CHECKED_DRAWS)
    vectors = np.array([model.prior.to_response_vector(draw) for draw in draws])
    # light states make the sharpest edges; a uniform prior hardly draws them
    light = vectors[::2]
    light[:, 0] = response.m1_max_eV * 10.0 ** rng.uniform(-4.0, 0.0, len(light))
    return vectors


def _record(tree: xarray.DataTree, error: float) -> None:
    """Write the response's measured error into the diagnostics."""
    summary: dict[str, Any] = json.loads(tree.attrs["renp_summary"])
    summary["diagnostics"]["response_error_sigma"] = error
    tree.attrs["renp_summary"] = json.dumps(summary)
    tree.attrs["renp_diagnostics"] = json.dumps(summary["diagnostics"])
