"""A measurement from a file: checked thoroughly, then the same as mock data.

``[data]`` of a study names a table of angles, fields and errors; instead of
the errors there can be a covariance. Written files are read back exactly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from renp_infer.errors import ConfigError
from renp_infer.fields import Said, nearest
from renp_infer.files import digest_of
from renp_infer.measurement.normalise import MAX_DATA_ANGLES
from renp_infer.physics.constants import G_TO_NG, NG_TO_FT
from renp_infer.physics.pairs.kinematics import on_circle
from renp_infer.records import FloatArray, Observation
from renp_infer.study.measured.datatable import DataTable, read_matrix, read_table

LARGEST_NG = 1e100
"""Beyond it, or below its inverse, squares would leave the range of floats."""
ASYMMETRY = 1e-8
"""Largest difference of two mirrored covariances, by the product of their errors."""
SMALLEST_EIGENVALUE = 1e-10
"""Of the correlation matrix: below it, rounding decides the likelihood."""
ANGLE_SLACK = 1e-9
"""Angles may lie outside the layout by rounding, rad."""

_FIELD = {
    "nG": 1.0,
    "uG": 1e-6 * G_TO_NG,
    "fT": 1.0 / NG_TO_FT,
    "pT": 1e3 / NG_TO_FT,
    "nT": 1e6 / NG_TO_FT,
}
UNITS: dict[str, dict[str, float]] = {
    "theta_s": {"deg": float(np.deg2rad(1.0)), "rad": 1.0, "mrad": 1e-3},
    "field": _FIELD,
    "error": _FIELD,
    "covariance": {f"{unit}^2": factor**2 for unit, factor in _FIELD.items()},
    "exposure": {"s": 1.0, "min": 60.0, "h": 3600.0},
}
"""Units that a file may use: their size in rad, nG, nG^2 and s."""


@dataclass(frozen=True)
class Measurement:
    """A data set read from files.

    Attributes
    ----------
    observation : Observation
        Angles ascending.
    exposure_s : float or None
        Total exposure, where the file tells it.
    digests : dict
        SHA-256 of each file when it was read, by key and name.
    """

    observation: Observation
    exposure_s: float | None
    digests: dict[str, str]


@dataclass(frozen=True)
class Sequence:
    """Measurements in the order of their file, which may return to an angle.

    Attributes
    ----------
    theta_s : ndarray, shape (n,)
        rad.
    field_nG : ndarray, shape (n,)
    covariance_nG2 : ndarray, shape (n, n)
    exposures_s : ndarray, shape (n,)
    source : str
        Name of the file.
    """

    theta_s: FloatArray
    field_nG: FloatArray
    covariance_nG2: FloatArray
    exposures_s: FloatArray
    source: str

    @property
    def moves(self) -> int:
        """How often another angle was set, the first included."""
        return 1 + int(np.count_nonzero(np.abs(np.diff(self.theta_s)) > ANGLE_SLACK))


def read_sequence(file: Path, covariance: Path | None, theta_s: FloatArray) -> Sequence:
    """Read and check measurements that were made one after the other.

    Parameters
    ----------
    file, covariance, theta_s
        As for ``read_measurement``; here the table must have exposures.

    Raises
    ------
    ConfigError
        On the first thing that is wrong, with file, line and column.
    """
    table = read_table(file)
    _check_columns(table, covariance)
    if "exposure" not in table.columns:
        raise ConfigError(f"{table.file}, columns", Said(_listed(table)), "also exposure")
    angles = _inside(table, theta_s)
    field = _field(table)
    source = table if covariance is None else read_matrix(covariance)
    return Sequence(angles, field, _covariance(table, source), _exposures(table), file.name)


def read_measurement(
    file: Path,
    covariance: Path | None,
    theta_s: FloatArray,
    added: Path | None = None,
    *,
    normalised: bool,
) -> Measurement:
    """Read and check a data set.

    Parameters
    ----------
    file : Path
        Table of angles, fields, errors and exposures.
    covariance : Path or None
        File of the covariance, rows in the order of the table.
    theta_s : ndarray, shape (k,)
        Angles of the study's layout, rad; data must lie within their range.
    added : Path, optional
        File of a covariance that is added to errors or covariance.
    normalised : bool
        Whether the study says that the noise was scaled.

    Raises
    ------
    ConfigError
        On the first thing that is wrong, with file, line and column.
    """
    table = read_table(file)
    _check_columns(table, covariance)
    source = table if covariance is None else read_matrix(covariance)
    digests = {f"data.file: {file.name}": table.sha256}
    if covariance is not None:
        digests[f"data.covariance: {covariance.name}"] = source.sha256
    found = _measurement(table, source, theta_s, added, normalised=normalised)
    return replace(found, digests=digests | found.digests)


def measurement_from(
    columns: Mapping[str, FloatArray],
    theta_s: FloatArray,
    added: Path | None = None,
    *,
    normalised: bool,
) -> Measurement:
    """Check a data set given as numbers.

    Parameters
    ----------
    columns : mapping
        ``theta_s_deg``, ``field_nG``, ``error_nG`` or ``covariance_nG2``, and ``exposure_s`` if
        there is one, (n,) or (n, n) each.
    theta_s, added, normalised
        As for ``read_measurement``.

    Raises
    ------
    ConfigError
        On the first thing that is wrong.
    """
    split = {key: key.rsplit("_", 1) for key in columns}
    table = DataTable(
        "data",
        {split[key][0]: values for key, values in columns.items()},
        {name: {"nG2": "nG^2"}.get(unit, unit) for name, unit in split.values()},
    )
    _check_columns(table, None)
    found = _measurement(table, table, theta_s, added, normalised=normalised)
    text = json.dumps({key: values.tolist() for key, values in columns.items()}, sort_keys=True)
    return replace(found, digests={"data": digest_of(text.encode())} | found.digests)


def _measurement(
    table: DataTable,
    source: DataTable,
    theta_s: FloatArray,
    added: Path | None,
    *,
    normalised: bool,
) -> Measurement:
    """A table and the source of its errors, checked; the digest is that of what is added."""
    digests = dict[str, str]()
    angles = _inside(table, theta_s)
    field = _field(table)
    matrix = _covariance(table, source)
    if added is not None:
        more = read_matrix(added, "data.added_covariance")
        digests[f"data.added_covariance: {added.name}"] = more.sha256
        matrix = matrix + _matrix(table, more, positive=False)
    exposure = float(np.sum(_exposures(table))) if "exposure" in table.columns else None
    order = np.argsort(angles, kind="stable")
    observation = Observation(
        angles[order],
        field[order],
        matrix[np.ix_(order, order)],
        normalised,
        source=Path(table.file).name,
    )
    return Measurement(observation, exposure, digests)


def _check_columns(table: DataTable, covariance: Path | None) -> None:
    """Angles, fields, and exactly one statement of the errors."""
    for name in ("theta_s", "field"):
        if name not in table.columns:
            raise ConfigError(f"{table.file}, columns", Said(_listed(table)), f"also {name}")
    size = len(table.columns["field"])
    if size > MAX_DATA_ANGLES:
        raise ConfigError(table.file, Said(f"{size} angles"), f"at most {MAX_DATA_ANGLES}")
    given = sorted({"error", "covariance"} & set(table.columns))
    given += [] if covariance is None else ["data.covariance"]
    if len(given) != 1:
        said = " and ".join(given) or f"neither, only {_listed(table)}"
        allowed = "one of error, covariance (netCDF), or data.covariance = FILE"
        raise ConfigError(f"{table.file}, columns", Said(said), allowed)
    if "covariance" in table.columns and table.columns["covariance"].ndim != 2:
        allowed = "an error; in CSV a covariance has a file of its own, data.covariance"
        raise ConfigError(f"{table.file}, columns", Said("covariance"), allowed)


def _listed(table: DataTable) -> str:
    return ", ".join(table.columns)


def _in_unit(table: DataTable, name: str) -> FloatArray:
    """Column in the unit of the package."""
    known, unit = UNITS[name], table.units[name]
    if unit not in known:
        given = unit or Said("no unit")
        hint = nearest(unit, known) or "a name with the unit, as field_nG, or '# units: deg, nG'"
        raise ConfigError(f"{table.file}, unit of {name}", given, " | ".join(known), hint)
    return table.columns[name] * known[unit]


def _field(table: DataTable) -> FloatArray:
    """Field, shape (n,), nG."""
    field = _in_unit(table, "field")
    table.refuse("field", ~(np.abs(field) < LARGEST_NG), "a finite number")
    return field


def _inside(table: DataTable, theta_s: FloatArray) -> FloatArray:
    """Trigger angles, shape (n,), rad, inside the layout and in its turn."""
    low, high = float(np.min(theta_s)), float(np.max(theta_s))
    angles = on_circle(_in_unit(table, "theta_s"), 0.5 * (low + high))
    inside = (angles >= low - ANGLE_SLACK) & (angles <= high + ANGLE_SLACK)
    limits = f"{np.rad2deg(low):.6g} to {np.rad2deg(high):.6g} deg, layout.theta_s_deg"
    table.refuse("theta_s", ~inside, limits)
    return angles


def _covariance(table: DataTable, source: DataTable) -> FloatArray:
    """Covariance, shape (n, n), nG^2, in the order of the table, from that or another file."""
    if source is table and "error" in table.columns:
        error = _in_unit(table, "error")
        bad = ~((error > 1.0 / LARGEST_NG) & (error < LARGEST_NG))
        table.refuse("error", bad, "a finite number > 0")
        return np.diag(error**2)
    return _matrix(table, source)


def _matrix(table: DataTable, source: DataTable, *, positive: bool = True) -> FloatArray:
    """Covariance of a source, shape (n, n), nG^2, in the order of the table."""
    if "covariance" not in source.columns:
        raise ConfigError(source.file, Said(_listed(source)), "a variable covariance")
    size = len(table.columns["field"])
    if source.columns["covariance"].shape != (size, size):
        rows = len(source.columns["covariance"])
        given, allowed = Said(f"{rows} rows"), f"{size} rows and columns, one per angle"
        raise ConfigError(f"{source.file}, covariance", given, allowed)
    return _checked(source, _in_unit(source, "covariance"), positive)


def _checked(source: DataTable, matrix: FloatArray, positive: bool) -> FloatArray:
    """A covariance that is finite, symmetric and positive definite.

    One that is added to another (not ``positive``) may be 0 in some directions: a systematic
    that is known by its shape is s s^T.
    """
    diagonal = np.diag(matrix)
    least = LARGEST_NG**-2 if positive else -np.finfo(float).tiny
    bad = ~(np.isfinite(diagonal) & (diagonal > least) & (diagonal < LARGEST_NG**2))
    if np.any(bad):
        row = int(np.argmax(bad))
        place = f"{source.place('covariance', row)}, column {row + 1}"
        allowed = f"a finite variance {'>' if positive else '>='} 0"
        raise ConfigError(place, Said(f"{diagonal[row]:g}"), allowed)
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, np.max(diagonal) or 1.0))
    correlation = matrix / scale / scale[:, None]
    wrong = ~(np.abs(correlation - correlation.T) <= ASYMMETRY)
    if np.any(wrong):
        row, column = (int(k) for k in np.argwhere(wrong)[0])
        place = f"{source.place('covariance', row)}, column {column + 1}"
        given = Said(f"{matrix[row, column]:g} against {matrix[column, row]:g} mirrored")
        raise ConfigError(place, given, "finite numbers, a symmetric matrix")
    smallest = float(np.linalg.eigvalsh(correlation)[0])
    if smallest < (SMALLEST_EIGENVALUE if positive else -SMALLEST_EIGENVALUE):
        given = Said(f"smallest eigenvalue of the correlations {smallest:.3g}")
        allowed = f"positive definite, at least {SMALLEST_EIGENVALUE:g}"
        if not positive:
            allowed = "no direction of negative variance"
        raise ConfigError(f"{source.file}, covariance", given, allowed)
    return 0.5 * (matrix + matrix.T)


def _exposures(table: DataTable) -> FloatArray:
    """Time spent at each angle, shape (n,), s."""
    exposure = _in_unit(table, "exposure")
    table.refuse("exposure", ~((exposure > 0.0) & (exposure < 1e15)), "a finite number > 0")
    return exposure
