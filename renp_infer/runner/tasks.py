"""The tasks of a study, each from a resolved study to a plain result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray

    from renp_infer.runner.progress import ProgressSink
    from renp_infer.runner.study import Study


def run_evaluate(study: Study) -> dict[str, Any]:
    """Evaluate the forward model at the truth.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict
        The document of ``renp evaluate --json``.
    """
    from renp_infer.runner.evaluation import evaluate

    return evaluate(study.experiment, study.parameters, study.name)


def run_simulate(study: Study) -> dict[str, Any]:
    """Draw mock data from the study's seed.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict
        ``schema``, ``name``, ``seed``, ``normalised`` and lists of shape (n,):
        ``theta_s_deg``, ``field_nG``, ``sigma_nG``.
    """
    import numpy as np

    from renp_infer.runner.evaluation import observation

    data = observation(study)
    return {
        "schema": 1,
        "name": study.name,
        "seed": study.seed,
        "normalised": data.normalised,
        "theta_s_deg": np.rad2deg(data.theta_s).tolist(),
        "field_nG": data.field_nG.tolist(),
        "sigma_nG": data.sigma_nG.tolist(),
    }


def run_infer(study: Study, progress: ProgressSink) -> xarray.DataTree:
    """Sample the posterior.

    Parameters
    ----------
    study : Study
        With settings of ``[inference]``.
    progress : ProgressSink

    Returns
    -------
    DataTree
        All groups, with ``renp_summary`` and ``renp_diagnostics`` as attributes.
    """
    from renp_infer.runner.inferring import infer

    return infer(study, progress)
