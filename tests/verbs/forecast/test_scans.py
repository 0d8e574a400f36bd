"""Scans of a forecast resume where they stopped, and say which tasks failed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from renp_infer.engine.campaign import WHOLE, Work, update
from renp_infer.engine.executors import Serial
from renp_infer.engine.result import load_tree
from renp_infer.engine.store import Store
from renp_infer.errors import DomainError
from renp_infer.verbs.forecast import work
from renp_infer.verbs.forecast.parts import parts
from renp_infer.verbs.forecast.verb import FORECAST
from renp_infer.verbs.forecast.work import PART
from tests.toys.forecast import study

pytestmark = pytest.mark.usefixtures("kept")

BROKEN = 3


class Parts:
    """In place of the calculation: numbers that name their task, and one that may fail."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.broken = True

    def __call__(self, study_, task):
        self.done.append(task.index)
        if task.index == BROKEN and self.broken:
            raise DomainError("m1_meV", 50.0, "something else")
        tree = xr.DataTree(xr.Dataset({"number": float(task.index)}))
        tree.attrs = {PART: json.dumps(parts(study_)[task.index].plain())}
        return tree


@pytest.fixture
def calculated(monkeypatch) -> Parts:
    found = Parts()
    monkeypatch.setattr(work, "forecast_part", found)
    return found


def scan(folder: Path, *overrides: str, shard=WHOLE):
    one = study(folder, "forecast.methods=['fisher']", *overrides)
    with Store(folder / "run") as store:
        return len(parts(one)), update([Work(one, store, FORECAST, shard)], Serial(), quiet=True)


def test_a_scan_resumes_with_what_is_missing_and_names_what_failed(tmp_path, calculated):
    scan(tmp_path, shard=(0, 4))
    first = list(calculated.done)
    assert len(first) > 2 and BROKEN not in first
    count, errors = scan(tmp_path)
    assert sorted(calculated.done) == list(range(count))  # none of the first again
    assert len(errors) == 1
    for word in (f"1 of {count} tasks failed", f"task {BROKEN}", "m1_meV"):
        assert word in str(errors[0])
    assert not (tmp_path / "run" / FORECAST.file).exists()
    calculated.done, calculated.broken = [], False
    assert scan(tmp_path)[1] == []
    assert calculated.done == [BROKEN]
    tree = load_tree(tmp_path / "run" / FORECAST.file)
    assert tree.attrs["missing"] == 0
    assert sorted(tree["fisher"]["number"].values.ravel()) == [0.0, 1.0, 2.0, 3.0]


def test_failures_that_are_allowed_are_counted_in_the_results(tmp_path, calculated, capsys):
    count, errors = scan(tmp_path, "execution.failures_allowed=0.1")
    assert errors == [] and count > 10
    tree = load_tree(tmp_path / "run" / FORECAST.file)
    assert tree.attrs["missing"] == 1
    assert f"1 of {count} tasks failed" in capsys.readouterr().err
    assert np.isnan(tree["fisher"]["number"].values).sum() == 1
