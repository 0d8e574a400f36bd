"""Mock data: the study's own data set, and ensembles of independent ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import block_diag

from renp_infer.measurement.data import DATA_SET
from renp_infer.measurement.field import refined_field
from renp_infer.measurement.mock import observe
from renp_infer.measurement.normalise import coherence, noise_covariance
from renp_infer.study.observed import mock_data, set_names
from renp_infer.study.units import attributes_of, described
from renp_infer.verbs.simulate.result import EnsembleSummary, SimulateResult

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.tasks import Task
    from renp_infer.records import FloatArray
    from renp_infer.study.study import Study

DATASETS_PER_TASK = 1000
"""Drawing is fast: fewer would cost more in files than in drawing."""
ANGLE, DATASET, FIELD = "theta_s_deg", "dataset", "field_nG"


def one_data_set(study: Study) -> SimulateResult:
    """The study's own mock data, which ``infer`` fits where the study names no file."""
    data = mock_data(study)
    return SimulateResult(
        study.name,
        study.seed,
        data.normalised,
        np.rad2deg(data.theta_s),
        data.vector,
        data.sigma,
        data.sets,
    )


def data_sets(study: Study, task: Task) -> xarray.DataTree:
    """Draw the data sets of one task.

    Parameters
    ----------
    study : Study
    task : Task
        Its k-th data set has the stream ``task.seed(k)``, whatever the ensemble's size.

    Returns
    -------
    DataTree
        ``observed_data/field_nG`` (dataset, theta_s_deg) in nG, and
        ``constant_data`` with signal and sigma by angle.
    """
    import xarray as xr

    theta_s, signal, covariance = _expected(study)
    numbers = range(*task.part)
    fields = [
        observe(
            signal, theta_s, covariance, np.random.default_rng(task.seed(place)), noise="drawn"
        ).field_nG
        for place in range(len(numbers))
    ]
    angles = {ANGLE: np.rad2deg(theta_s)}
    rows = {DATASET: np.array(numbers)} | angles
    columns: dict[str, Any] = {
        "signal_nG": (ANGLE, signal),
        "sigma_nG": (ANGLE, np.sqrt(np.diag(covariance))),
    }
    if study.sets:
        columns[DATA_SET] = (ANGLE, set_names(study))
    return xr.DataTree.from_dict(
        {
            "observed_data": xr.Dataset({FIELD: ((DATASET, ANGLE), np.array(fields))}, rows),
            "constant_data": xr.Dataset(columns, angles),
        }
    )


def _expected(study: Study) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Angles (n,), rad, signal (n,) and noise (n, n) of all data sets, one after the other."""
    angles, signals, noises = [], [], []
    for own in [one.study for one in study.sets] or [study]:
        experiment, parameters = own.experiment, own.parameters
        chi2 = coherence(experiment)
        angles.append(experiment.layout.theta_s)
        signals.append(refined_field(experiment, parameters, chi2))
        noises.append(noise_covariance(experiment, parameters, chi2))
    noise: FloatArray = block_diag(*noises)
    return np.concatenate(angles), np.concatenate(signals), noise


def join(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write the ensemble from the files of its tasks, one in memory at a time.

    Parameters
    ----------
    study : Study
    paths : iterator of str
        In order; those of failed tasks are missing.
    target : Path
    """
    import h5netcdf
    import xarray as xr

    first = next(paths)
    with xr.open_datatree(first, engine="h5netcdf") as tree:
        tree.load()
    attributes = {"schema": 1, "name": study.name, "seed": str(study.seed)}
    constants = xr.DataTree.from_dict({"constant_data": tree["constant_data"].to_dataset()})
    constants.attrs = attributes
    described(constants).to_netcdf(target, engine="h5netcdf")
    with h5netcdf.File(target, "a") as file:
        group = file.create_group("observed_data")
        angles = tree["observed_data"].to_dataset()[ANGLE].values
        group.dimensions = {DATASET: None, ANGLE: angles.size}
        group.create_variable(ANGLE, (ANGLE,), data=angles)
        numbers = group.create_variable(DATASET, (DATASET,), dtype="i8")
        fields = group.create_variable(FIELD, (DATASET, ANGLE), dtype="f8")
        for name, variable in group.variables.items():
            variable.attrs.update(attributes_of(name, variable.dtype.kind))
        _append(group, numbers, fields, tree)
        for path in paths:
            with xr.open_datatree(path, engine="h5netcdf") as tree:
                _append(group, numbers, fields, tree)


def _append(group: Any, numbers: Any, fields: Any, tree: xarray.DataTree) -> None:
    """Add the data sets of one task behind those that are there."""
    rows = tree["observed_data"].to_dataset()
    begin = group.dimensions[DATASET].size
    group.resize_dimension(DATASET, begin + rows[DATASET].size)
    numbers[begin:] = rows[DATASET].values
    fields[begin:, :] = rows[FIELD].values


def ensemble_summary(path: Path) -> EnsembleSummary:
    """Mean and standard deviation of an ensemble by angle.

    Parameters
    ----------
    path : Path
        ``ensemble.nc``.
    """
    import xarray as xr

    with xr.open_datatree(path, engine="h5netcdf") as tree:
        fields = tree["observed_data"].to_dataset()[FIELD]
        constants = tree["constant_data"].to_dataset()
        count = fields.sizes[DATASET]
        total, square = np.zeros(fields.sizes[ANGLE]), np.zeros(fields.sizes[ANGLE])
        signal = constants["signal_nG"].values
        for first in range(0, count, DATASETS_PER_TASK):
            rest = fields[first : first + DATASETS_PER_TASK].values - signal
            total += rest.sum(axis=0)
            square += (rest**2).sum(axis=0)
        mean = total / count
        spread = np.sqrt(np.maximum(square - count * mean**2, 0.0) / max(count - 1, 1))
        theta, sigma = fields[ANGLE].values, constants["sigma_nG"].values
        return EnsembleSummary(count, theta, signal, sigma, signal + mean, spread)
