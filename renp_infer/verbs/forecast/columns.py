"""Records of numbers and their columns in a file: names and dimensions stand once, in the class.

A record is a frozen dataclass. Its fields are numbers, which are columns of that name;
arrays, as ``column`` says; or records themselves, as ``group`` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.records import FloatArray

if TYPE_CHECKING:
    import xarray

_DIMS, _KIND, _PATTERN, _LATER = "dims", "kind", "pattern", "later"


@dataclass(frozen=True)
class RecordColumn:
    """One column of a record.

    Attributes
    ----------
    name : str
        In the file.
    dims : tuple of str
        Its own dimensions: all but those by which records are stacked, which come first.
    values : ndarray
    """

    name: str
    dims: tuple[str, ...]
    values: FloatArray


def column(*dims: str) -> Any:
    """A field that is an array along some dimensions."""
    return field(metadata={_DIMS: dims})


def group(kind: type, pattern: str = "{}", *, later: bool = False) -> Any:
    """A field that is a record of a kind, whose columns get their names by a pattern.

    ``later``: files from before there was one are read with NaN in its place.
    """
    return field(metadata={_KIND: kind, _PATTERN: pattern, _LATER: later})


def columns_of(record: object) -> list[RecordColumn]:
    """All columns of a record, in order."""
    return [
        RecordColumn(name, dims, np.asarray(value)) for name, dims, value in _leaves(record, "{}")
    ]


def _leaves(record: Any, pattern: str) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    for one in fields(record):
        value, inner = getattr(record, one.name), one.metadata.get(_PATTERN)
        if inner is None:
            yield pattern.format(one.name), one.metadata.get(_DIMS, ()), value
        else:
            yield from _leaves(value, pattern.format(inner))


def assemble[R](kind: type[R], of_name: Callable[[str], Any], pattern: str = "{}") -> R:
    """A record whose columns are found by name."""
    found = {}
    for one in fields(kind):  # type: ignore[arg-type]
        inner = one.metadata.get(_PATTERN)
        if inner is None:
            found[one.name] = of_name(pattern.format(one.name))
        else:
            found[one.name] = assemble(one.metadata[_KIND], of_name, pattern.format(inner))
    return kind(**found)


def stacked(rows: Sequence[object]) -> Any:
    """Records of one kind, of numbers, as one of arrays: the rows along a first dimension."""
    values = [{one.name: one.values for one in columns_of(row)} for row in rows]
    return assemble(type(rows[0]), lambda name: np.array([row[name] for row in values]))


def picked[R](record: R, index: tuple[Any, ...]) -> R:
    """The record at one place of its first dimensions."""
    values = {one.name: one.values for one in columns_of(record)}
    return assemble(type(record), lambda name: values[name][index])


def written(record: object, *outer: str) -> dict[str, tuple[tuple[str, ...], FloatArray]]:
    """Columns by name as a dataset takes them, stacked along outer dimensions."""
    return {one.name: ((*outer, *one.dims), one.values) for one in columns_of(record)}


def read[R](kind: type[R], dataset: xarray.Dataset) -> R | None:
    """A record from the columns of a dataset; ``None`` if it has none of them.

    Raises
    ------
    KeyError
        If it has some, and others are missing.
    """
    names: list[str] = []
    assemble(kind, names.append)
    known = [name for name in names if name in dataset]
    if not known:
        return None
    later = _later(kind)

    def values(name: str) -> FloatArray:
        if name in later and name not in dataset:
            return np.full(dataset[known[0]].shape, np.nan)
        return np.asarray(dataset[name].values)

    return assemble(kind, values)


def _later(kind: type) -> set[str]:
    """Columns that files from before do not have."""
    names: list[str] = []
    for one in fields(kind):
        if one.metadata.get(_LATER):
            assemble(one.metadata[_KIND], names.append, one.metadata[_PATTERN])
    return set(names)
