"""The data of a study: measured, or mock."""

from __future__ import annotations

import numpy as np

from renp_infer.measurement.data import Data
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.mock import observe
from renp_infer.measurement.normalise import coherence, noise_covariance
from renp_infer.records import Observation
from renp_infer.study.study import Study


def data_of(study: Study) -> Data:
    """Data of a study as inference sees them; further observables would stack here."""
    return Data.of(observation(study))


def observation(study: Study) -> Observation:
    """Data that a study's inference uses: measured if it names a file, else mock.

    Parameters
    ----------
    study : Study

    Returns
    -------
    Observation
    """
    return mock_observation(study) if study.measurement is None else study.measurement.observation


def mock_observation(study: Study) -> Observation:
    """Mock data of a study, from its seed.

    Parameters
    ----------
    study : Study

    Returns
    -------
    Observation
    """
    experiment, parameters = study.experiment, study.parameters
    chi2 = coherence(experiment)
    noise = study.settings.noise if study.settings is not None else "drawn"
    return observe(
        exact_field(experiment, parameters, chi2),
        experiment.layout.theta_s,
        noise_covariance(experiment, parameters, chi2),
        np.random.default_rng(np.random.SeedSequence(study.seed, spawn_key=(0,))),
        noise=noise,
        normalised=experiment.detector.reference_snr > 0.0,
    )
