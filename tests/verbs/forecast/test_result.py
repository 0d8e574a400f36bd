"""A merged forecast from numbers of no physics: read back once, incomplete or whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from renp_infer.engine.page import Table, Text
from renp_infer.engine.result import load_tree
from renp_infer.study.study import Study
from renp_infer.terminal import document
from renp_infer.verbs.forecast.columns import assemble, written
from renp_infer.verbs.forecast.document import forecast_json
from renp_infer.verbs.forecast.merge import merge_parts
from renp_infer.verbs.forecast.page import page_of, sentence
from renp_infer.verbs.forecast.parts import CellPart, DrawnLimitPart, LimitPart, Part, parts
from renp_infer.verbs.forecast.quantities import (
    AsimovCell,
    DrawnLimits,
    EnsembleCell,
    ExpectedLimits,
    FisherCell,
)
from renp_infer.verbs.forecast.result import ForecastResult
from renp_infer.verbs.forecast.summary import headline, method_rows
from renp_infer.verbs.forecast.work import PART
from tests.toys.forecast import study

KINDS: dict[str, type] = {
    "fisher": FisherCell,
    "asimov": AsimovCell,
    "ensemble": EnsembleCell,
}
DATASETS = 2
OVERRIDES = ("forecast.orderings=['normal', 'inverted']", "forecast.corrections=false")


def numbers(kind: type, index: int, shape: tuple[int, ...]) -> Any:
    """A record whose columns hold 100 index + place of the column, the same in all its places."""
    names: list[str] = []
    assemble(kind, names.append)
    return assemble(kind, lambda name: np.full(shape, 100.0 * index + names.index(name)))


def file_of(folder: Path, part: Part, index: int) -> str:
    """File of a task, as ``work`` writes it."""
    if isinstance(part, CellPart):
        sizes = {"setting": 2 if part.nature == "majorana" else 1, "dataset": DATASETS}
        shape = tuple(sizes[name] for name in part.inner)
        found = numbers(KINDS[part.method], index, shape)
    elif isinstance(part, DrawnLimitPart):
        found = numbers(DrawnLimits, index, (DATASETS,))
    else:
        assert isinstance(part, LimitPart)
        found = numbers(ExpectedLimits, index, ())
    tree = xr.DataTree(xr.Dataset(written(found, *part.inner)))
    tree.attrs = {PART: json.dumps(part.plain())}
    path = folder / f"{index}.nc"
    tree.to_netcdf(path, engine="h5netcdf")
    return str(path)


def merged(folder: Path, one: Study, kinds: tuple[type, ...], missing: int = -1) -> ForecastResult:
    """What is merged from the parts of some kinds, without one of them."""
    paths = [
        file_of(folder, part, index)
        for index, part in enumerate(parts(one))
        if isinstance(part, kinds) and index != missing
    ]
    merge_parts(one, iter(paths), folder / "forecast.nc")
    return ForecastResult.of(load_tree(folder / "forecast.nc"))


@pytest.fixture
def whole(tmp_path: Path) -> Study:
    return study(tmp_path, *OVERRIDES)


def test_each_part_is_found_again_at_its_truth(tmp_path: Path, whole: Study) -> None:
    found = merged(tmp_path, whole, (CellPart, LimitPart, DrawnLimitPart))
    tables = {"fisher": found.fisher, "asimov": found.asimov, "ensemble": found.ensemble}
    for index, part in enumerate(parts(whole)):
        if isinstance(part, CellPart):
            table = tables[part.method]
            assert table is not None
            cell = table.at(part.ordering, part.nature, part.m1_meV)
            first = cell.best_m1_meV if part.method == "ensemble" else cell.sigma_m1_meV
            settings = DATASETS if part.method == "ensemble" else 1 + (part.nature == "majorana")
            assert first[:settings].tolist() == [100.0 * index] * settings
            assert np.isnan(first[settings:]).all()
        elif isinstance(part, LimitPart):
            assert found.limits is not None
            assert found.limits.at(part.ordering, part.nature).m1_max_meV == 100.0 * index + 1.0
        elif isinstance(part, DrawnLimitPart):
            assert found.drawn_limits is not None
            drawn = found.drawn_limits.at(part.ordering, part.nature)
            assert drawn.ensemble.of("credible", 95).tolist() == [100.0 * index + 3.0] * DATASETS
    assert found.steps is None and found.phases is None and not found.maps


def test_the_headline_is_of_the_studys_hypothesis_by_profile_likelihood(
    tmp_path: Path, whole: Study
) -> None:
    found = merged(tmp_path, whole, (CellPart,))
    first, own = headline(found), whole.parameters
    assert first is not None
    assert (first.method, first.ordering, first.nature) == ("asimov", own.ordering, own.nature)
    indices = [
        100.0 * k
        for k, part in enumerate(parts(whole))
        if isinstance(part, CellPart)
        and (part.method, part.ordering, part.nature) == ("asimov", own.ordering, own.nature)
    ]
    assert first.cells.sigma_m1_meV.tolist() == indices
    assert first.cells.against.nature.exposure_5sigma_s.tolist() == [k + 11.0 for k in indices]
    assert "profile likelihood" in sentence(found)
    said = forecast_json(found)
    assert said["exposure_5sigma_s"]["nature"] == [k + 11.0 for k in indices]


def test_what_one_failed_task_leaves_out_is_unknown_and_nothing_else(
    tmp_path: Path, whole: Study
) -> None:
    lost = next(k for k, p in enumerate(parts(whole)) if p.plain().get("method") == "asimov")
    found = merged(tmp_path, whole, (CellPart,), lost)
    assert found.asimov is not None
    errors = found.asimov.values.sigma_m1_meV
    assert np.isnan(errors[0, 0, 0]).all()
    assert np.isfinite(errors[..., 0]).sum() == errors[..., 0].size - 1


@pytest.mark.parametrize("kinds", [(LimitPart,), (DrawnLimitPart,), (CellPart, DrawnLimitPart)])
def test_a_forecast_of_which_whole_kinds_failed_is_shown(
    tmp_path: Path, whole: Study, kinds: tuple[type, ...]
) -> None:
    found = merged(tmp_path, whole, kinds)
    assert json.loads(document(forecast_json(found)))["missing_tasks"] > 0
    blocks = page_of(found, "").parts[0].blocks
    assert any("tasks failed" in block.text for block in blocks if isinstance(block, Text))
    assert any(isinstance(block, Table) for block in blocks) == (kinds != (DrawnLimitPart,))
    assert len(method_rows(found)) == (2 if CellPart in kinds else 0)
