"""The data of a study: measured, or mock."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from renp_infer.measurement.data import Data, stack
from renp_infer.measurement.field import refined_field
from renp_infer.measurement.mock import observe
from renp_infer.measurement.normalise import coherence, noise_covariance
from renp_infer.records import Observation
from renp_infer.study.study import Study


def data_of(study: Study) -> Data:
    """Data of a study as inference sees them, those of several sets one after the other."""
    return _joined(study, observation)


def mock_data(study: Study) -> Data:
    """Mock data of every data set, also of those that name a file."""
    return _joined(study, mock_observation)


def _joined(study: Study, observe_one: Callable[[Study, int], Observation]) -> Data:
    if not study.sets:
        return Data.of(observe_one(study, 0))
    seen = [Data.of(observe_one(one.study, k)) for k, one in enumerate(study.sets)]
    return replace(functools.reduce(stack, seen), sets=tuple(set_names(study)))


def set_names(study: Study) -> list[str]:
    """Data set of each entry, of several data sets."""
    sizes = [(one.name, one.study.experiment.layout.theta_s.size) for one in study.sets]
    return [name for name, size in sizes for _ in range(size)]


def rows_of(study: Study) -> list[slice]:
    """Where the entries of each data set stand in those of all."""
    own = [one.study for one in study.sets] or [study]
    ends = np.cumsum([one.experiment.layout.theta_s.size for one in own]).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def observation(study: Study, place: int = 0) -> Observation:
    """Data that a study's inference uses: measured if it names a file, else mock.

    Parameters
    ----------
    study : Study
        Of one data set.
    place : int
        Its place among several.

    Returns
    -------
    Observation
    """
    if study.measurement is not None:
        return study.measurement.observation
    return mock_observation(study, place)


def mock_observation(study: Study, place: int = 0) -> Observation:
    """Mock data of a study, from its seed.

    Parameters
    ----------
    study : Study
    place : int
        Of several data sets with the same seed; the noise of each is its own.

    Returns
    -------
    Observation
    """
    experiment, parameters = study.experiment, study.parameters
    chi2 = coherence(experiment)
    stream = (0, place) if place else (0,)
    noise = study.settings.noise if study.settings is not None else "drawn"
    return observe(
        refined_field(experiment, parameters, chi2),
        experiment.layout.theta_s,
        noise_covariance(experiment, parameters, chi2),
        np.random.default_rng(np.random.SeedSequence(study.seed, spawn_key=stream)),
        noise=noise,
        normalised=experiment.detector.reference_snr > 0.0,
    )
