"""A measurement as a file that ``datafile.py`` reads back exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from renp_infer.errors import ConfigError
from renp_infer.files import replacing, require_room, write_text
from renp_infer.records import FloatArray, Observation


def write_measurement(
    path: Path, observation: Observation, times_s: FloatArray, title: str
) -> None:
    """Write a data set that ``read_measurement`` reads back exactly.

    Parameters
    ----------
    path : Path
        ``.csv``, or ``.nc`` which also holds correlated noise.
    observation : Observation
    times_s : ndarray, shape (n,)
        Exposure of each angle.
    title : str
        First comment.

    Raises
    ------
    ConfigError
        Another suffix, or a CSV file for correlated noise.
    StoreError
        If it cannot be written.
    """
    columns = {
        "theta_s_deg": degrees(observation.theta_s),
        "field_nG": observation.field_nG,
        "error_nG": observation.sigma_nG,
        "exposure_s": times_s,
    }
    covariance = observation.covariance_nG2
    correlated = bool(np.any(covariance[~np.eye(len(covariance), dtype=bool)]))
    if path.suffix == ".csv" and not correlated:
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        lines = [f"# {title}", ",".join(columns), *(",".join(map(repr, row)) for row in rows)]
        write_text(path, "\n".join(lines) + "\n")
    elif path.suffix == ".nc":
        _write_netcdf(path, columns, covariance if correlated else None, title)
    else:
        allowed = "a name that ends in .nc" + (
            ": the noise is correlated" * correlated or " or .csv"
        )
        raise ConfigError("--save", str(path), allowed)


def _write_netcdf(
    path: Path, columns: dict[str, FloatArray], covariance: FloatArray | None, title: str
) -> None:
    import xarray

    data = xarray.Dataset(attrs={"title": title})
    for column, values in columns.items():
        name, unit = column.rsplit("_", 1)
        data[name] = ("angle", values, {"units": unit})
    if covariance is not None:
        data = data.drop_vars("error")
        data["covariance"] = (("angle", "other_angle"), covariance, {"units": "nG^2"})
    with replacing(path) as temporary:
        require_room(path, data.nbytes)
        data.to_netcdf(temporary, engine="h5netcdf")


def degrees(angles: FloatArray) -> FloatArray:
    """Degrees that become exactly these angles (rad) again, where there are such."""
    found: FloatArray = np.rad2deg(angles)
    for steps in ((np.inf,), (-np.inf,), (np.inf, np.inf), (-np.inf, -np.inf)):
        near = np.rad2deg(angles)
        for direction in steps:
            near = np.nextafter(near, direction)
        hit = np.deg2rad(near) == angles
        found[hit] = near[hit]
    return found
