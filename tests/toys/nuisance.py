"""A nuisance that the package does not have: one row, its physics, its setting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

import numpy as np

from renp_infer.inference.parameters import PARAMETERS, Inferred
from renp_infer.inference.settings import InferenceSettings
from renp_infer.measurement.field import exact_field
from renp_infer.records import Experiment, FloatArray, Parameters
from renp_infer.study.study import Study


def tilt_shape(experiment: Experiment, truth: Parameters, chi_squared: float) -> FloatArray:
    """A field that rises linearly over the layout, from -1 to 1 of the signal's peak, nG."""
    theta = experiment.layout.theta_s
    middle, half = 0.5 * (theta[0] + theta[-1]), 0.5 * (theta[-1] - theta[0])
    peak = np.max(np.abs(exact_field(experiment, truth, chi_squared)))
    return np.asarray(peak * (theta - middle) / half)


TILT = Inferred("tilt", "t", "", "offset", "tilt_sd", "baseline", shape=tilt_shape)


@dataclass(frozen=True)
class TiltSettings(InferenceSettings):
    """With the standard deviation of the tilt, by the peak of the true signal."""

    tilt_sd: float = 0.3


def with_tilt(study: Study, sd: float = TiltSettings.tilt_sd) -> Study:
    assert study.settings is not None
    return replace(study, settings=TiltSettings(**asdict(study.settings), tilt_sd=sd))


@contextmanager
def tilted(row: Inferred = TILT) -> Iterator[None]:
    """The table with the row, after the leakage's."""
    rows = PARAMETERS.rows
    k = [row.name for row in rows].index("leakage") + 1
    PARAMETERS.rows = (*rows[:k], row, *rows[k:])
    try:
        yield
    finally:
        PARAMETERS.rows = rows
