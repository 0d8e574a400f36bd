"""A merged forecast from numbers of no physics: read back once, incomplete or whole."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from renp_infer.app.cli import execute
from renp_infer.engine.page import Table, Text
from renp_infer.engine.result import Verdict, load_tree
from renp_infer.study.study import Study
from renp_infer.terminal import document
from renp_infer.verbs.forecast import work
from renp_infer.verbs.forecast.columns import assemble, written
from renp_infer.verbs.forecast.document import forecast_json
from renp_infer.verbs.forecast.judged import judged
from renp_infer.verbs.forecast.merge import merge_parts
from renp_infer.verbs.forecast.page import page_of, sentence
from renp_infer.verbs.forecast.parts import CellPart, DrawnLimitPart, ForecastPart, LimitPart, parts
from renp_infer.verbs.forecast.quantities import (
    AsimovCell,
    DrawnLimits,
    EnsembleCell,
    ExpectedLimits,
    FisherCell,
    Steps,
)
from renp_infer.verbs.forecast.result import (
    Axes,
    ByTruth,
    ForecastAbout,
    ForecastResult,
    TruthInShort,
)
from renp_infer.verbs.forecast.summary import headline, method_rows
from renp_infer.verbs.forecast.tables import forecast_remarks
from renp_infer.verbs.forecast.work import PART
from tests.toys.forecast import study

KINDS: dict[str, type] = {
    "fisher": FisherCell,
    "asimov": AsimovCell,
    "ensemble": EnsembleCell,
}
DATASETS = 2
OVERRIDES = (
    "forecast.orderings=['normal', 'inverted']", "forecast.m1_meV=[50.0]",
    "forecast.corrections=false",
)  # fmt: skip


def numbers(kind: type, index: int, shape: tuple[int, ...]) -> Any:
    """A record whose columns hold 100 index + place of the column, the same in all its places."""
    names: list[str] = []
    assemble(kind, names.append)
    return assemble(kind, lambda name: np.full(shape, 100.0 * index + names.index(name)))


def tree_of(part: ForecastPart, index: int, known: bool = True) -> xr.DataTree:
    """Numbers of a task, as ``work`` gives them; its searches confirmed or not."""
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
    for name in [n for n in tree.data_vars if str(n).startswith("confirmed")]:
        tree[name] = tree[name] * 0.0 + known
    tree.attrs = {PART: json.dumps(part.plain())}
    return tree


@functools.cache
def file_of(folder: Path, part: ForecastPart, index: int, known: bool) -> str:
    """File of a task, as ``work`` writes it; once for all tests of a folder."""
    path = folder / f"{index}-{known}.nc"
    tree_of(part, index, known).to_netcdf(path, engine="h5netcdf")
    return str(path)


def merged(
    folder: Path, one: Study, kinds: tuple[type, ...], missing: int = -1, unknown: int = -1
) -> ForecastResult:
    """What is merged from the parts of some kinds, without one of them, or its searches."""
    paths = [
        file_of(folder, part, index, index != unknown)
        for index, part in enumerate(parts(one))
        if isinstance(part, kinds) and index != missing
    ]
    merge_parts(one, iter(paths), folder / "forecast.nc")
    return ForecastResult.of(load_tree(folder / "forecast.nc"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the study and of the files of its tasks."""
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def whole(shared: Path) -> Study:
    return study(shared, *OVERRIDES)


@pytest.mark.slow
def test_each_part_is_found_again_at_its_truth(shared: Path, whole: Study) -> None:
    found = merged(shared, whole, (CellPart, LimitPart, DrawnLimitPart))
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


@pytest.mark.slow
def test_the_headline_is_of_the_studys_hypothesis_by_profile_likelihood(
    shared: Path, whole: Study
) -> None:
    found = merged(shared, whole, (CellPart,))
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


@pytest.mark.slow
def test_what_one_failed_task_leaves_out_is_unknown_and_nothing_else(
    shared: Path, whole: Study
) -> None:
    lost = next(k for k, p in enumerate(parts(whole)) if p.plain().get("method") == "asimov")
    found = merged(shared, whole, (CellPart,), lost)
    assert found.asimov is not None
    errors = found.asimov.values.sigma_m1_meV
    assert np.isnan(errors[0, 0, 0]).all()
    assert np.isfinite(errors[..., 0]).sum() == errors[..., 0].size - 1


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [(LimitPart,), (DrawnLimitPart,), (CellPart, DrawnLimitPart)])
def test_a_forecast_of_which_whole_kinds_failed_is_shown(
    shared: Path, whole: Study, kinds: tuple[type, ...]
) -> None:
    found = merged(shared, whole, kinds)
    assert json.loads(document(forecast_json(found)))["missing_tasks"] > 0
    blocks = page_of(found, "").parts[0].blocks
    assert any("tasks failed" in block.text for block in blocks if isinstance(block, Text))
    assert any(isinstance(block, Table) for block in blocks) == (kinds != (DrawnLimitPart,))
    assert len(method_rows(found)) == (2 if CellPart in kinds else 0)


def asimov_part(one: Study, ordering: str) -> int:
    """The first cell of an ordering by profile likelihood, of the study's nature."""
    wanted = ("asimov", ordering, one.parameters.nature)
    return next(
        k
        for k, part in enumerate(parts(one))
        if isinstance(part, CellPart) and (part.method, part.ordering, part.nature) == wanted
    )


@pytest.mark.parametrize(
    ("lost", "ordering", "verdict", "reason"),
    [
        (False, "normal", "fail", "searches for the other nature do not agree, m1 = 50 meV"),
        pytest.param(
            True,
            "normal",
            "fail",
            "tasks of the study's own hypothesis failed, m1 = 50 meV",
            marks=pytest.mark.slow,
        ),
        (False, "inverted", "warn", "2 separations are not confirmed"),
        pytest.param(True, "inverted", "warn", "tasks failed", marks=pytest.mark.slow),
    ],
)
def test_the_verdict_is_the_worst_of_searches_and_tasks(
    shared: Path, whole: Study, lost: bool, ordering: str, verdict: str, reason: str
) -> None:
    place = asimov_part(whole, ordering)
    found = merged(shared, whole, (CellPart,), *((place, -1) if lost else (-1, place)))
    found_verdict = judged(found)
    assert found_verdict.verdict == verdict
    assert any(reason in text for text in found_verdict.reasons)
    assert forecast_json(found)["verdict"] == verdict
    page = page_of(found, "")
    badges = [b.verdict for b in page.parts[0].blocks if isinstance(b, Text) and b.verdict]
    assert badges == [verdict]
    assert page.answers[0].text.startswith(verdict.upper())
    assert any(reason in text for text in forecast_remarks(found))


def test_what_is_complete_and_confirmed_passes(shared: Path, whole: Study) -> None:
    found = merged(shared, whole, (CellPart,))
    found = replace(found, about=replace(found.about, missing=0))
    assert judged(found) == Verdict("pass")
    assert not page_of(found, "").answers[0].text.startswith(("FAIL", "WARN"))


def test_a_forecast_that_fails_says_so_in_every_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Terminal, document and exit code have one word."""

    def calculated(one: Study, task: Any) -> xr.DataTree:
        part = parts(one)[task.index]
        if isinstance(part, CellPart | LimitPart | DrawnLimitPart):
            return tree_of(part, task.index, known=False)
        tree = xr.DataTree(xr.Dataset({"number": 0.0}))
        tree.attrs = {PART: json.dumps(part.plain())}
        return tree

    monkeypatch.setattr(work, "forecast_part", calculated)
    study(tmp_path)
    words = ["forecast", str(tmp_path / "edge.toml"), "--out", str(tmp_path / "run"), "--quiet"]
    assert execute([*words, "--json"]) == 3
    out = capsys.readouterr()
    assert json.loads(out.out)["verdict"] == "fail"
    assert "forecast failed: searches for the other ordering do not agree" in out.err
    assert execute(words) == 3
    assert "verdict: fail" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("own", "ordering", "said"),
    [
        (50.0, "normal", "m₁ = 50 meV: 100 meV"),  # one of the masses of the forecast
        (70.0 + 1e-14, "normal", "m₁ = 70 meV: 100 meV"),
        (60.0, "normal", "m₁ = 60 meV: 700 meV"),  # between them: by the steps at the study's truth
        (60.0, "inverted", "m₁ = 50 meV: 100 meV"),  # which are of another hypothesis
    ],
)
def test_the_answer_is_of_the_studys_own_mass(own: float, ordering: str, said: str) -> None:
    about = ForecastAbout(
        "toy", 0, "corrected", 0.0, "", ("amplitude",), TruthInShort(own, ordering, "dirac"),
        3600.0, 10.0, 61,
    )  # fmt: skip
    axes = Axes(ordering=("normal",), nature=("dirac",), m1_meV=(50.0, 70.0))
    cells = replace(numbers(AsimovCell, 1, (1, 1, 2, 1)), sigma_m1_meV=np.full((1, 1, 2, 1), 100.0))
    steps = replace(numbers(Steps, 0, (2,)), asimov_sigma_m1_meV=np.array([1.0, 700.0]))
    text = sentence(ForecastResult(about, asimov=ByTruth(axes, cells), steps=steps))
    assert f"Expected error of {said} " in text
    assert ("In the median: ordering told by" in text) is (own != 60.0 or ordering == "inverted")
