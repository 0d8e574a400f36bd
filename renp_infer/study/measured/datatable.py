"""Measured numbers as a file holds them: columns, units, and where each stands.

CSV or netCDF in, plain columns out; what the columns mean is judged in
``datafile.py``. Every refusal names file, line and column.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from renp_infer.errors import ConfigError
from renp_infer.fields import Said, nearest
from renp_infer.files import digest_of
from renp_infer.records import FloatArray

if TYPE_CHECKING:
    import xarray

NAMES = ("theta_s", "field", "error", "exposure", "covariance")
"""What a column can be; its unit follows in the name or in the line of units."""
MAX_BYTES = 200_000_000
"""Largest file that is read: the covariance of 2000 angles takes half of it."""
_NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?|[+-]?(?:nan|inf|infinity)", re.I | re.A
)
_UNITS = re.compile(r"#\s*units?\s*:(.*)", re.I)
_UNIT = re.compile(r"[A-Za-z]{1,10}(?:\^2)?")
_KINDS = {".csv", ".nc"}
_MARKS = {"sep=": "a line for spreadsheets", ";": "a semicolon", "\t": "a tabulator"}
"""What stands in files that are separated by something else than commas."""
_LINKS = {"SoftLink": "a soft link", "ExternalLink": "an external link"}


@dataclass(frozen=True)
class DataTable:
    """Columns of one file, in its units.

    Attributes
    ----------
    file : str
    columns : dict
        Arrays of shape (n,), or (n, n) for a covariance, by one of ``NAMES``.
    units : dict
        Unit of each column; empty where none is given.
    lines : tuple of int
        Line of each row; empty for netCDF.
    sha256 : str
        Of the bytes that were read.
    """

    file: str
    columns: dict[str, FloatArray]
    units: dict[str, str]
    lines: tuple[int, ...] = ()
    sha256: str = ""

    def place(self, name: str, row: int) -> str:
        """Where a number stands, for an error."""
        if self.lines:
            return f"{self.file}, line {self.lines[row]}, {name}"
        return f"{self.file}, {name}[{row}]"

    def refuse(self, name: str, bad: NDArray[np.bool_], allowed: str) -> None:
        """Refuse the first number of a column that is marked in ``bad``, shape (n,)."""
        if np.any(bad):
            row = int(np.argmax(bad))
            given = Said(f"{self.columns[name][row]:g}")
            raise ConfigError(self.place(name, row), given, allowed)


def read_table(path: Path) -> DataTable:
    """Columns of a data file.

    Parameters
    ----------
    path : Path
        ``.csv``, with a line of column names, or ``.nc``.

    Raises
    ------
    ConfigError
        If it cannot be read, or is not what its name says.
    """
    content = _content(path, "data.file")
    make = _csv_table if path.suffix.lower() == ".csv" else _netcdf_table
    return replace(make(path, content), sha256=digest_of(content))


def read_matrix(path: Path, key: str = "data.covariance") -> DataTable:
    """Covariance from a file of its own: ``.csv`` without names, or ``.nc``.

    Parameters
    ----------
    path : Path
    key : str
        Of the study, which names the file.

    Raises
    ------
    ConfigError
        As ``read_table``; a matrix must be square.
    """
    content = _content(path, key)
    make = _csv_matrix if path.suffix.lower() == ".csv" else _netcdf_table
    return replace(make(path, content), sha256=digest_of(content))


def _csv_matrix(path: Path, content: bytes) -> DataTable:
    units, rows, lines = _csv_rows(path, content)
    size = len(rows)
    for cells, line in zip(rows, lines, strict=True):
        if len(cells) != size:
            given = Said(f"{len(cells)} numbers")
            raise ConfigError(f"{path}, line {line}", given, f"{size}, one per row: a square")
    names = [f"column {k + 1}" for k in range(size)]
    values = _numbers(path, rows, lines, names)
    if len(units) != 1:
        given = Said(f"{len(units)} units")
        raise ConfigError(f"{path}, line of units", given, "one, as in '# units: nG^2'")
    return DataTable(str(path), {"covariance": values}, {"covariance": units[0]}, tuple(lines))


def _what(path: Path) -> str:
    """What a path is that is no regular file."""
    if path.is_dir():
        return "a directory"
    return "a pipe or a device" if path.exists() else "no such file"


def _content(path: Path, key: str) -> bytes:
    """Bytes of a readable regular file of a known kind and sensible size."""
    place = f"{key}, {path}"
    if path.suffix.lower() not in _KINDS:
        given = f"a file {path.suffix or 'without suffix'}"
        raise ConfigError(place, Said(given), ".csv | .nc")
    allowed = "a readable data file"
    try:
        if not path.is_file():
            raise ConfigError(place, Said(_what(path)), allowed)
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "an unreadable file"
        raise ConfigError(place, Said(reason), allowed) from error
    if not 0 < len(content) <= MAX_BYTES:
        given = "a huge file" if content else "an empty file"
        raise ConfigError(place, Said(given), f"1 to {MAX_BYTES} bytes")
    return content


def _csv_table(path: Path, content: bytes) -> DataTable:
    units, rows, lines = _csv_rows(path, content)
    header = rows[0]
    if all(_NUMBER.fullmatch(cell) for cell in header):
        allowed = "column names first, as theta_s_deg, field_nG, error_nG"
        raise ConfigError(f"{path}, line {lines[0]}", Said("numbers"), allowed)
    if units and len(units) != len(header):
        given = Said(f"{len(units)} units")
        raise ConfigError(f"{path}, line of units", given, f"{len(header)}, one per column")
    for cells, line in zip(rows[1:], lines[1:], strict=True):
        if len(cells) != len(header):
            given, allowed = Said(f"{len(cells)} columns"), f"{len(header)}, as in the first line"
            commas = len(cells) == 2 * len(header) and "decimal commas? numbers have points"
            raise ConfigError(f"{path}, line {line}", given, allowed, commas or "")
    named = [_named(path, cell, units[k] if units else "") for k, cell in enumerate(header)]
    names = [name for name, _ in named]
    _check_names(path, names)
    if len(rows) == 1:
        raise ConfigError(str(path), Said("no row of numbers"), "one row per angle")
    values = _numbers(path, rows[1:], lines[1:], header)
    columns = dict(zip(names, values.T, strict=True))
    return DataTable(str(path), columns, dict(named), tuple(lines[1:]))


def _csv_rows(path: Path, content: bytes) -> tuple[list[str], list[list[str]], list[int]]:
    """Units if a comment gives them, rows of cells, and the line of each row."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        given = Said(f"bytes that are no text at {error.start}")
        raise ConfigError(str(path), given, "a CSV file in UTF-8") from error
    units: list[str] = []
    rows, lines = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _UNITS.match(line.strip()):
            if units:
                allowed = "one line of units in a file"
                raise ConfigError(
                    f"{path}, line {number}", Said("units for a second time"), allowed
                )
            units = _cells(found[1])
        elif line.strip() and not line.lstrip().startswith("#"):
            _refuse_other_csv(path, number, line)
            rows.append(_cells(line))
            lines.append(number)
    if not rows:
        raise ConfigError(str(path), Said("no line but comments"), "column names and numbers")
    return units, rows, lines


def _refuse_other_csv(path: Path, number: int, line: str) -> None:
    """Refuse the marks of other programs and countries between numbers, and in them."""
    allowed = "commas between columns, points in numbers: 50.5,1.2e-3"
    for mark, name in _MARKS.items():
        if mark in line:
            place = f"{path}, line {number}, column {line.index(mark) + 1}"
            comma = " and a decimal comma" if re.search(r"[0-9],[0-9]", line) else ""
            raise ConfigError(place, Said(f"{name}{comma}"), allowed)
    blank = re.search(r"[0-9A-Za-z][ ]+[-+.0-9A-Za-z]", line)
    if blank and "," not in line:
        place = f"{path}, line {number}, column {blank.start() + 2}"
        raise ConfigError(place, Said("a blank between columns"), allowed)


def _cells(line: str) -> list[str]:
    return [cell.strip().strip('"').strip() for cell in line.split(",")]


def _numbers(path: Path, rows: list[list[str]], lines: list[int], names: list[str]) -> FloatArray:
    """Numbers of all cells, shape (rows, columns)."""
    for cells, line in zip(rows, lines, strict=True):
        for cell, name in zip(cells, names, strict=True):
            if not _NUMBER.fullmatch(cell):
                given = cell or Said("nothing")
                raise ConfigError(f"{path}, line {line}, {name}", given, "a number")
    return np.array(rows, dtype=float)


def _named(path: Path, column: str, unit: str) -> tuple[str, str]:
    """Name and unit of a column; both may stand in its name, as ``field_nG``."""
    for name in NAMES:
        if column == name:
            return name, unit
        suffix = column.removeprefix(f"{name}_")
        if suffix != column and _UNIT.fullmatch(suffix):
            if unit not in ("", suffix):
                raise ConfigError(f"{path}, units of {column}", unit, f"{suffix}, as in the name")
            return name, suffix
    hint = nearest(column, NAMES) if column.isidentifier() else "commas separate columns"
    known = " | ".join(f"{name}_<unit>" for name in NAMES)
    raise ConfigError(f"{path}, columns", column, known, hint)


def _check_names(path: Path, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}, columns", Said(f"{name} twice"), "each column once")


def _netcdf_table(path: Path, content: bytes) -> DataTable:
    import h5py
    import xarray

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            _refuse_strange_members(path, file)
        # Numbers only: no "seconds" turned into times.
        with xarray.open_dataset(
            io.BytesIO(content),
            engine="h5netcdf",
            decode_times=False,
            decode_timedelta=False,
            phony_dims="access",
        ) as data:
            data.load()
    except ConfigError:
        raise
    except Exception as error:  # the readers below raise errors of many unrelated classes
        given = Said("a file that cannot be read as such")
        raise ConfigError(str(path), given, "netCDF version 4") from error
    return _columns(path, data)


def _refuse_strange_members(path: Path, group: Any) -> None:
    """Refuse what a file does not hold itself, and what are no numbers, before any is read."""
    import h5py

    for name in group:
        kind = type(group.get(name, getlink=True)).__name__
        if kind != "HardLink":
            given, allowed = Said(_LINKS.get(kind, kind)), "numbers that the file holds itself"
            raise ConfigError(f"{path}, {name}", given, allowed)
        member = group[name]
        if isinstance(member, h5py.Group):
            raise ConfigError(f"{path}, {name}", Said("a group"), "variables at the top")
        if isinstance(member, h5py.Dataset):
            _refuse_strange_numbers(f"{path}, {name}", member)


def _refuse_strange_numbers(place: str, member: Any) -> None:
    """Refuse a data set that lies elsewhere, is no array of numbers, or would fill the memory."""
    if member.is_virtual or member.external:
        raise ConfigError(place, Said("data of another file"), "numbers that the file holds itself")
    if member.dtype.kind not in "iuf":
        raise ConfigError(place, Said(f"{member.dtype}"), "real numbers")
    if member.shape is None or 8 * member.size > MAX_BYTES:
        given = Said(f"shape {member.shape}")
        raise ConfigError(place, given, f"at most {MAX_BYTES // 8} numbers")


def _columns(path: Path, data: xarray.Dataset) -> DataTable:
    columns: dict[str, FloatArray] = {}
    units: dict[str, str] = {}
    for column, variable in data.variables.items():
        name, unit = _named(path, str(column), str(variable.attrs.get("units", "")))
        _check_names(path, [*columns, name])
        if variable.dtype.kind not in "iuf":
            raise ConfigError(f"{path}, {column}", Said(f"{variable.dtype}"), "real numbers")
        columns[name], units[name] = np.array(variable.values, dtype=float), unit
    if not columns:
        raise ConfigError(str(path), Said("no variable"), " | ".join(NAMES))
    _check_shapes(path, columns)
    return DataTable(str(path), columns, units)


def _check_shapes(path: Path, columns: dict[str, FloatArray]) -> None:
    size = len(np.atleast_1d(next(iter(columns.values()))))
    for name, values in columns.items():
        shape = (size, size) if name == "covariance" else (size,)
        if values.shape != shape or not size:
            given = Said(f"shape {values.shape}")
            raise ConfigError(f"{path}, {name}", given, "(n,) for n angles, covariance (n, n)")
