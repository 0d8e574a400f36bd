"""Join the parts of a forecast into one tree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.records import FloatArray
from renp_infer.study.sections.forecast import ForecastSettings
from renp_infer.study.units import described
from renp_infer.verbs.about import facts_of
from renp_infer.verbs.forecast.parts import ForecastPart, part_of, parts, variants
from renp_infer.verbs.forecast.result import ForecastAbout, TruthInShort
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
            frame.add(part_of(json.loads(tree.attrs[PART])), tree.to_dataset().load())
        done += 1
    result = xr.DataTree.from_dict({name: frame.dataset(name) for name in frame.groups})
    result.attrs = _about(study, len(parts(study)) - done).to_attributes()
    described(result).to_netcdf(target, engine="h5netcdf")


def _about(study: Study, missing: int) -> ForecastAbout:
    own = study.parameters
    assert study.forecast is not None
    return ForecastAbout(
        **facts_of(study, missing),
        systematics=(
            *study.forecast.systematics,
            *(one.name for one in study.priors.templates),
        ),
        truth=TruthInShort(EV_TO_MILLI_EV * own.m1_eV, own.ordering, own.nature),
        exposure_s=study.experiment.detector.exposure_s,
        goal_meV=study.forecast.goal_meV,
        angles=study.experiment.layout.theta_s.size,
        constraints=tuple(row.term.name for row in study.knowledge),
    )


class _Frame:
    """Arrays that are filled part by part."""

    def __init__(self, settings: ForecastSettings) -> None:
        self._coordinates: dict[str, list[str] | list[float]] = {
            "ordering": list(settings.orderings),
            "nature": list(settings.natures),
            "m1_meV": list(settings.m1_meV),
            "variant": list(variants()),
        }
        self._columns: dict[str, dict[str, _Column]] = {}

    @property
    def groups(self) -> list[str]:
        """Names of what has been added."""
        return list(self._columns)

    def add(self, part: ForecastPart, found: xarray.Dataset) -> None:
        """Put the numbers of one part in their place."""
        axes = part.place
        place = tuple(self._coordinates[name].index(at) for name, at in axes.items())  # type: ignore[arg-type]
        columns = self._columns.setdefault(part.group, {})
        for name, values in found.data_vars.items():
            if str(name) not in columns:
                sizes = tuple(len(self._coordinates[axis]) for axis in axes)
                dims = (*axes, *(str(d) for d in values.dims))
                columns[str(name)] = _Column(dims, np.full((*sizes, *values.shape), np.nan))
            columns[str(name)].put(place, values.values)

    def dataset(self, group: str) -> xarray.Dataset:
        """One group, with the coordinates that it uses."""
        import xarray as xr

        columns = self._columns[group]
        used = {dim for column in columns.values() for dim in column.dims}
        coordinates = {k: v for k, v in self._coordinates.items() if k in used}
        return xr.Dataset({k: (c.dims, c.values) for k, c in columns.items()}, coordinates)


class _Column:
    """Numbers of many truths; NaN where there are none."""

    def __init__(self, dims: tuple[str, ...], values: FloatArray) -> None:
        self.dims, self.values = dims, values

    def put(self, place: tuple[int, ...], values: FloatArray) -> None:
        """Put in those of one truth; a Majorana truth has more settings than a Dirac one."""
        sizes = self.values.shape[len(place) :]
        grown = [(0, max(0, n - m)) for n, m in zip(values.shape, sizes, strict=True)]
        whole = [*([(0, 0)] * len(place)), *grown]
        if any(more for _, more in grown):
            self.values = np.pad(self.values, whole, constant_values=np.nan)
        index: Any = (*place, *(slice(0, n) for n in values.shape))
        self.values[index] = values
