"""Results as flat tables, each of variables over the same dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renp_infer.measurement.data import DATA_SET
from renp_infer.study.units import NO_UNIT

if TYPE_CHECKING:
    import pandas
    import xarray

    from renp_infer.engine.run import Run

SCALARS = "scalars"
"""Name of the table of what has no dimension."""
DRAWN = "draw"
"""Dimension of tables whose rows are draws from a distribution, not findings."""


@dataclass(frozen=True, eq=False)
class FlatTable:
    """One table.

    Attributes
    ----------
    name : str
        Verb, group and dimensions.
    index : tuple of str
        Columns that number the rows.
    table : DataFrame
    units : dict
        Unit of each column, empty for none.
    """

    name: str
    index: tuple[str, ...]
    table: pandas.DataFrame
    units: dict[str, str]


def frames_of(run: Run) -> Iterator[FlatTable]:
    """Tables of all results of a run, in the order of its verbs."""
    for verb, result in run.results.items():
        yield from _frames(verb, result.told())


def _frames(verb: str, told: Any) -> Iterator[FlatTable]:
    import xarray

    if isinstance(told, Mapping) and not isinstance(told, xarray.Dataset | xarray.DataTree):
        yield from _from_document(verb, told)
        return
    groups = told.subtree if isinstance(told, xarray.DataTree) else [told]
    for group in groups:
        path = group.path.strip("/") if isinstance(group, xarray.DataTree) else ""
        data = group.to_dataset() if isinstance(group, xarray.DataTree) else group
        yield from _from_dataset("-".join(filter(None, (verb, path.replace("/", "-")))), data)


def _from_dataset(name: str, data: xarray.Dataset) -> Iterator[FlatTable]:
    import pandas

    shapes = dict.fromkeys(tuple(map(str, data[key].dims)) for key in data.data_vars)
    for dims in shapes:
        own = [str(key) for key in data.data_vars if data[key].dims == dims]
        told = {key: str(data[key].attrs.get("units", "")) for key in (*dims, *own) if key in data}
        units = {key: "" if unit == NO_UNIT else unit for key, unit in told.items()}
        if not dims:
            values = {"name": own, "value": [data[key].values.item() for key in own]}
            yield FlatTable(f"{name}-{SCALARS}", ("name",), pandas.DataFrame(values), units)
            continue
        # Coordinates that are no dimension would become columns of no meaning of their own,
        # but for the data set that an angle is of.
        part = data[own]
        part = part.reset_coords(DATA_SET) if DATA_SET in part.coords else part
        table = part.reset_coords(drop=True).to_dataframe(dim_order=dims).reset_index()
        yield FlatTable("-".join((name, *dims)), dims, table, units)


def _from_document(verb: str, document: Mapping[str, Any]) -> Iterator[FlatTable]:
    import pandas

    rows = dict(_leaves(document))
    table = pandas.DataFrame({"name": list(rows), "value": list(rows.values())})
    yield FlatTable(f"{verb}-{SCALARS}", ("name",), table, {})


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Plain values of a document by their path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{place}]")
    else:
        yield path, value
