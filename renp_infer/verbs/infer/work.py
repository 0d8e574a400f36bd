"""The posterior of a study: response, gate on its accuracy, data, fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.errors import ConvergenceError
from renp_infer.inference.fit import fit
from renp_infer.inference.prior import OSCILLATION_NAMES, GaussianPrior, build_prior
from renp_infer.inference.response import Response, approximation_error
from renp_infer.measurement.field import leakage_shape
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.study.observed import observation

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.tasks import Context
    from renp_infer.records import FloatArray
    from renp_infer.study.study import Study

ALLOWED_ERROR = 0.01
"""Largest error of the tabulated response, in standard deviations of the data."""
CHECKED_DRAWS = 48


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
        If the response is not accurate enough, see ``checked_response``.
    """
    settings = study.settings
    assert settings is not None
    data = observation(study)
    response, error = checked_response(study, data.sigma_nG)
    tree = fit(
        response,
        data,
        study.parameters,
        settings,
        oscillation_prior(study),
        study.seed,
        refractive_index=study.experiment.target.refractive_index,
        progress=context.tell,
        cores=min(settings.chains, context.cores),
        leakage_nG=leakage_shape(study.experiment, study.parameters, response.chi_squared)
        if settings.leakage_sd > 0.0
        else None,
    )
    _record(tree, error)
    return tree


def checked_response(study: Study, sigma_nG: FloatArray) -> tuple[Response, float]:
    """Response of the study's parameters, and its largest error in sigma.

    Raises
    ------
    ConvergenceError
        If it errs by more than 1 % of the noise ``sigma_nG`` (n,) at any angle of 48
        draws from the prior, half of them with m1 spread over its decades.
    """
    assert study.settings is not None
    largest_eV = study.settings.m1_max_meV * MILLI_EV_TO_EV
    chi2 = coherence(study.experiment)
    response = Response(study.experiment, study.parameters, chi2, largest_eV)
    error = approximation_error(response, _prior_draws(study, response), sigma_nG)
    if error > ALLOWED_ERROR:
        raise ConvergenceError("tabulated response, in sigma", error, ALLOWED_ERROR)
    return response, error


def oscillation_prior(study: Study, ordering: str | None = None) -> dict[str, GaussianPrior]:
    """Measured oscillation parameters of an ordering, the study's unless given."""
    ordering = ordering or study.parameters.ordering
    values, sigmas = study.oscillation.values[ordering], study.oscillation.sigmas[ordering]
    return {name: GaussianPrior(values[name], sigmas[name]) for name in OSCILLATION_NAMES}


def _prior_draws(study: Study, response: Response) -> FloatArray:
    """Response vectors drawn from the prior, shape (CHECKED_DRAWS, 11)."""
    assert study.settings is not None
    prior = build_prior(
        study.parameters,
        study.settings,
        oscillation_prior(study),
        study.experiment.target.refractive_index,
        1.0,
    )
    rng = np.random.default_rng(np.random.SeedSequence(study.seed, spawn_key=(1,)))
    draws = prior.sample(rng, CHECKED_DRAWS)
    vectors = np.array([prior.to_response_vector(draw)[0] for draw in draws])
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
