"""Join the parts of a forecast into one tree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.study.forecast import ForecastSettings
from renp_infer.verbs.forecast.parts import parts, variants
from renp_infer.verbs.forecast.work import PART

if TYPE_CHECKING:
    import xarray

    from renp_infer.study.study import Study


def merge_parts(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write ``forecast.nc`` from the files of the tasks.

    Cells go to groups named after their method, with dimensions ordering, nature,
    m1_meV and setting (or dataset); limits, steps, maps, phases and corrections each
    have a group. What failed is NaN, and the attribute ``missing`` counts it.

    Parameters
    ----------
    study : Study
    paths : iterator of str
        In order; those of failed tasks are missing.
    target : Path
    """
    import xarray as xr

    assert study.forecast is not None
    frame, done = _Frame(study.forecast), 0
    for path in paths:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            frame.add(json.loads(tree.attrs[PART]), tree.to_dataset().load())
        done += 1
    groups = {name: frame.dataset(name) for name in frame.groups}
    result = xr.DataTree.from_dict(groups)
    own = study.parameters
    result.attrs = {
        "schema": 1,
        "name": study.name,
        "missing": len(parts(study)) - done,
        "systematics": json.dumps(list(study.forecast.systematics)),
        "truth": json.dumps(
            {"m1_meV": EV_TO_MILLI_EV * own.m1_eV, "ordering": own.ordering, "nature": own.nature}
        ),
        "preset": str(study.resolved["physics"]["preset"]),
        "exposure_s": study.experiment.detector.exposure_s,
        "goal_meV": study.forecast.goal_meV,
        "reference_snr": study.experiment.detector.reference_snr,
        "angles": study.experiment.layout.theta_s.size,
    }
    result.to_netcdf(target, engine="h5netcdf")


class _Frame:
    """Arrays that are filled part by part."""

    def __init__(self, settings: ForecastSettings) -> None:
        self._coordinates: dict[str, list[Any]] = {
            "ordering": list(settings.orderings),
            "nature": list(settings.natures),
            "m1_meV": list(settings.m1_meV),
            "variant": list(variants()),
        }
        self._columns: dict[str, dict[str, tuple[tuple[str, ...], np.ndarray]]] = {}

    @property
    def groups(self) -> list[str]:
        """Names of what has been added."""
        return list(self._columns)

    def add(self, part: dict[str, Any], found: xarray.Dataset) -> None:
        """Put the numbers of one part in their place."""
        kind = part["kind"]
        groups = {"cell": part.get("method"), "map": f"map_{part.get('axis')}"}
        group = (groups | {"drawn limit": "limit"}).get(kind, kind)
        outer = [name for name in self._coordinates if name in part]
        place = tuple(self._coordinates[name].index(part[name]) for name in outer)
        columns = self._columns.setdefault(str(group), {})
        for name, values in found.data_vars.items():
            inner = tuple(str(d) for d in values.dims)
            self._put(columns, str(name), outer, place, inner, values.values)

    def _put(
        self,
        columns: dict[str, tuple[tuple[str, ...], np.ndarray]],
        name: str,
        outer: list[str],
        place: tuple[int, ...],
        inner: tuple[str, ...],
        values: np.ndarray,
    ) -> None:
        sizes = tuple(len(self._coordinates[o]) for o in outer)
        if name not in columns:
            columns[name] = ((*outer, *inner), np.full((*sizes, *values.shape), np.nan))
        dims, whole = columns[name]
        grown = [
            (0, max(0, n - m)) for n, m in zip(values.shape, whole.shape[len(sizes) :], strict=True)
        ]
        if any(g for _, g in grown):  # a Majorana truth has more settings than a Dirac one
            whole = np.pad(whole, [(0, 0)] * len(sizes) + grown, constant_values=np.nan)
            columns[name] = (dims, whole)
        index: Any = (*place, *(slice(0, n) for n in values.shape))
        whole[index] = values

    def dataset(self, group: str) -> xarray.Dataset:
        """One group, with the coordinates that it uses."""
        import xarray as xr

        columns = self._columns[group]
        used = {dim for dims, _ in columns.values() for dim in dims}
        coordinates = {k: v for k, v in self._coordinates.items() if k in used}
        return xr.Dataset(columns, coordinates)
