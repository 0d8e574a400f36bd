"""Searches against dense grids: the program's pieces on a toy, and small grids of real designs."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from renp_infer.study.designing import frozen_noise, objective_of, region_of
from tests.toys.design import PEAK, ToyAppraiser, crystal_objective


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    return importlib.import_module("ground_truth")


def test_the_top_of_a_grid_is_kept_row_by_row(program: ModuleType, tmp_path: Path) -> None:
    objective = crystal_objective("layout.radius_cm <= 1.3")
    counts, path = (21, 31), tmp_path / "kept.jsonl"
    before = ToyAppraiser.calls
    top = program.top_of_grid("toy", objective, counts, program.Journal(path))
    assert 0 < ToyAppraiser.calls - before < 21 * 31  # some are no designs
    radius, length = objective.region.space.values(top["x"]).values()
    assert radius == pytest.approx(PEAK[0], abs=0.03)
    assert length == pytest.approx(PEAK[1], rel=0.03)
    after = ToyAppraiser.calls
    again = program.top_of_grid("toy", objective, counts, program.Journal(path))
    assert again["value"] == top["value"] and ToyAppraiser.calls == after
    torn = path.read_text().splitlines()
    path.write_text("\n".join(torn[:15]) + "\n")
    program.top_of_grid("toy", objective, counts, program.Journal(path))
    assert 0 < ToyAppraiser.calls - after < 7 * 31


@pytest.mark.slow
@pytest.mark.parametrize("name", ["window", "axis"])
def test_searches_find_the_top_of_a_grid(program: ModuleType, tmp_path: Path, name: str) -> None:
    """Three searches of 60 evaluations from physics, on a grid of some hundred designs."""
    space = program.SPACES[name]
    study = program.study_of(space, None)
    region = region_of(study, frozen_noise(study))
    objective, kept = objective_of(study, region), program.Journal(tmp_path / "kept.jsonl")
    top = program.top_of_grid(name, objective, space.quick, kept)
    ends = [program.best_of(program.searched(name, study, objective, k, kept)) for k in range(3)]
    assert np.min(ends) >= top["value"] - top["error"]
