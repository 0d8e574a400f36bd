"""Keys, seeds, and what a campaign does with tasks that are done, stale or fail."""

import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from renp_infer.app import status
from renp_infer.engine.blocks import BLOCK, Blocks, append_line, read_entries
from renp_infer.engine.campaign import Work, parse_shard, update
from renp_infer.engine.executors import Serial
from renp_infer.engine.store import Store
from renp_infer.engine.verb import Verb
from renp_infer.errors import ConfigError, TaskError
from renp_infer.measurement.squid import covariance_nG2
from renp_infer.verbs import inputs
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.simulate.verb import ENSEMBLE
from renp_infer.verbs.table import VERBS
from tests.toys.tasks import performed, toy_study, toy_verb


def bring(
    folder: Path, verb: Verb, *overrides: str, shard: tuple[int, int] = (0, 1)
) -> list[TaskError]:
    """Bring a run directory up to date in this process."""
    with Store(folder / "run") as store:
        work = Work(toy_study(folder, *overrides), store, verb, shard)
        return update([work], Serial(), quiet=True)


def values(folder: Path) -> dict[int, float]:
    rows = json.loads((folder / "run" / "toy.json").read_text())
    return {index: value for index, value in rows}


def test_keys_follow_what_a_result_depends_on(tmp_path: Path) -> None:
    of_ions = {"atlas", "appraise", "layouts"}
    everything = set(VERBS) - {"sets"} - of_ions  # of several data sets, and of other ions

    def keys(*overrides: str) -> dict[str, str]:
        sections = [f"{name}={{}}" for name in ("simulate", "inference", "compare", "calibrate")]
        sections += ["optimize.vary.layout.radius_cm={low=0.5,high=2}", "optimize.sequential={}"]
        sections += ["forecast={}", 'scan={what="infer",over={"layout.radius_cm"=[1, 2]}}']
        study = toy_study(tmp_path, *sections, *overrides)
        return {name: VERBS[name].series(study).key for name in everything}

    def changed(*overrides: str) -> set[str]:
        first, other = keys(), keys(*overrides)
        return {name for name in first if first[name] != other[name]}

    assert changed("layout.length_cm=1") == everything
    assert changed("neutrino.m1_meV=51") == everything
    assert changed("seed=1") == everything - {"evaluate"}
    assert changed("inference.draws=60") <= {"infer", "calibrate", "scan"}
    designs = {"optimize", "confirm", "sequential"}
    fits = {"infer", "compare", "calibrate", "forecast", "scan"} | designs
    assert changed("inference.amplitude_sd=0.1") == fits
    assert changed("calibrate.draws=99") == {"calibrate"}
    assert changed("forecast.goal_meV=9") == {"forecast"}
    assert "optimize" in changed("optimize.truths=99") <= designs
    assert changed("optimize.repeats=7") <= designs
    assert changed("optimize.confirm=2") == {"confirm"}
    assert changed("optimize.at_m1_meV=[30.0]") == {"confirm"}
    assert changed("compare.live_points=99") == {"compare"}
    assert changed("compare.gate=3") == set()
    assert changed("compare.prior_odds.normal_dirac=2") == {"calibrate"}  # draws with the odds
    assert changed('inference.noise="none"') == everything - {"evaluate"}
    assert changed("simulate.datasets=7") == {"ensemble"}
    assert changed("execution.attempts=7") == set()


def test_a_new_version_of_the_physics_gives_new_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = toy_study(tmp_path)
    before = EVALUATE.series(study).key
    monkeypatch.setattr(inputs, "PHYSICS_VERSION", 10**6)
    assert EVALUATE.series(study).key != before


def test_seeds_follow_root_seed_key_and_stream(tmp_path: Path) -> None:
    verb = toy_verb(tmp_path / "orders")

    def first(index: int, *stream: int, root: int = 1) -> float:
        study = toy_study(tmp_path, f"seed={root}")
        task = verb.series(study).task(index)
        return float(np.random.default_rng(task.seed(*stream)).normal())

    numbers = [first(0), first(1), first(0, 0), first(0, 1), first(1, 0), first(0, 0, root=2)]
    assert len(set(numbers)) == len(numbers)
    assert numbers[0] == first(0)


def test_a_longer_series_begins_with_the_shorter_one(tmp_path: Path) -> None:
    assert bring(tmp_path, toy_verb(tmp_path / "orders", 5)) == []
    short = values(tmp_path)
    bring(tmp_path, toy_verb(tmp_path / "orders", 8))
    assert {k: values(tmp_path)[k] for k in short} == short
    assert performed(tmp_path / "orders") == list(range(8))


def test_finished_work_is_never_repeated_and_changed_inputs_are_new_work(tmp_path: Path) -> None:
    verb = toy_verb(tmp_path / "orders", 3)
    for _ in range(2):
        bring(tmp_path, verb)
    assert performed(tmp_path / "orders") == [0, 1, 2]
    first = (tmp_path / "run" / "toy.json").read_bytes()
    bring(tmp_path, verb, "layout.length_cm=1")
    assert performed(tmp_path / "orders") == [0, 0, 1, 1, 2, 2]
    bring(tmp_path, verb)  # the former inputs again: still there
    assert performed(tmp_path / "orders") == [0, 0, 1, 1, 2, 2]
    assert (tmp_path / "run" / "toy.json").read_bytes() == first


def test_what_is_stale_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verb = toy_verb(tmp_path / "orders", 3)
    bring(tmp_path, verb)
    assert "stale" not in capsys.readouterr().err
    bring(tmp_path, verb, "layout.length_cm=1")
    assert "toy is stale: the study has changed" in capsys.readouterr().err
    (tmp_path / "run" / "toy.json").write_text("[]")
    bring(tmp_path, verb, "layout.length_cm=1")
    assert "toy is stale: its file was altered" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["truncated", "altered", "removed", "swapped", "forgotten"])
def test_a_damaged_task_is_done_again_and_no_other(tmp_path: Path, damage: str) -> None:
    verb = toy_verb(tmp_path / "orders", 6)
    bring(tmp_path, verb)
    before = (tmp_path / "run" / "toy.json").read_bytes()
    block = tmp_path / "run" / "tasks" / "toy" / "000000"
    (path,) = block.glob("002-*.json")
    again = [2]
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-3])
    elif damage == "altered":
        path.write_bytes(path.read_bytes().replace(b"2", b"3"))
    elif damage == "removed":
        path.unlink()
    elif damage == "swapped":
        (other,) = block.glob("003-*.json")
        mine = path.read_bytes()
        path.write_bytes(other.read_bytes())
        other.write_bytes(mine)
        again = [2, 3]
    else:
        lines = (block / "manifest.jsonl").read_text().splitlines(keepends=True)
        kept = [line for line in lines if json.loads(line)["index"] != 2]
        (block / "manifest.jsonl").write_text("".join(kept))
    (tmp_path / "run" / "toy.json").unlink()
    bring(tmp_path, verb)
    assert performed(tmp_path / "orders") == sorted([*range(6), *again])
    assert (tmp_path / "run" / "toy.json").read_bytes() == before


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_manifest_line_that_a_kill_tore_is_passed_over(tmp_path: Path, cut: int) -> None:
    verb = toy_verb(tmp_path / "orders", 4)
    bring(tmp_path, verb)
    before = (tmp_path / "run" / "toy.json").read_bytes()
    manifest = tmp_path / "run" / "tasks" / "toy" / "000000" / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-cut])
    (tmp_path / "run" / "toy.json").unlink()
    bring(tmp_path, verb)
    assert (tmp_path / "run" / "toy.json").read_bytes() == before
    assert len(read_entries(manifest)) == 4


def test_a_task_that_fails_thrice_is_recorded_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb = toy_verb(tmp_path / "orders", 5)
    (tmp_path / "orders" / "1").write_text("fff")
    (tmp_path / "orders" / "3").write_text("ff")
    (error,) = bring(tmp_path, verb)
    assert "1 of 5 tasks failed" in str(error)
    assert "task 1: RuntimeError: ordered to fail at 1" in str(error)
    assert capsys.readouterr().err.count("tried again") == 4
    assert performed(tmp_path / "orders") == [0, 2, 3, 4]
    entries = read_entries(tmp_path / "run/tasks/toy/000000/manifest.jsonl").values()
    by_index = {entry["index"]: entry for entry in entries}
    assert by_index[1]["attempts"] == 3
    assert by_index[3]["attempts"] == 3
    assert "sha256" in by_index[3]
    # another run tries what failed, and only that
    assert bring(tmp_path, verb) == []
    assert performed(tmp_path / "orders") == [0, 1, 2, 3, 4]


def test_an_error_raised_on_purpose_is_not_tried_again(tmp_path: Path) -> None:
    verb = toy_verb(tmp_path / "orders", 3)
    (tmp_path / "orders" / "1").write_text("nnn")
    (error,) = bring(tmp_path, verb)
    assert "index = 1 is outside its domain" in str(error)
    assert (tmp_path / "orders" / "1").read_text() == "nn"


@pytest.mark.parametrize(("allowed", "merged"), [(0.19, False), (0.2, True)])
def test_the_share_of_failures_allowed_is_a_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], allowed: float, merged: bool
) -> None:
    verb = toy_verb(tmp_path / "orders", 5)
    (tmp_path / "orders" / "1").write_text("n")
    errors = bring(tmp_path, verb, f"execution.failures_allowed={allowed}")
    assert (errors == []) == merged
    assert (tmp_path / "run" / "toy.json").is_file() == merged
    if merged:
        assert sorted(values(tmp_path)) == [0, 2, 3, 4]
        assert "1 of 5 tasks failed" in capsys.readouterr().err
        manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
        assert manifest["tasks"]["toy"]["failed"] == 1


def test_a_verb_of_failures_alone_is_never_merged(tmp_path: Path) -> None:
    verb = toy_verb(tmp_path / "orders", 1)
    (tmp_path / "orders" / "0").write_text("n")
    (error,) = bring(tmp_path, verb, "execution.failures_allowed=1")
    assert str(error).startswith("toy: toy: index = 0")


def test_the_time_of_resumed_tasks_counts(tmp_path: Path) -> None:
    def seconds() -> float:
        found = json.loads((tmp_path / "run" / "manifest.json").read_text())["tasks"]["toy"]
        return float(found["seconds"])

    bring(tmp_path, toy_verb(tmp_path / "orders", 5, milliseconds=40.0))
    bring(tmp_path, toy_verb(tmp_path / "orders", 6, milliseconds=40.0))
    assert seconds() > 6 * 0.04


def test_shards_do_their_share_and_merge_nothing(tmp_path: Path) -> None:
    verb = toy_verb(tmp_path / "orders", 7)
    bring(tmp_path, verb, shard=(1, 3))
    assert performed(tmp_path / "orders") == [1, 4]
    assert not (tmp_path / "run" / "toy.json").exists()


@pytest.mark.parametrize("text", ["", "1", "3/3", "0/0", "-1/2", "1/2/3", "a/b", "1/²"])
def test_a_wrong_shard_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="K/N"):
        parse_shard(text)


def test_blocks_hold_a_thousand_tasks_each(tmp_path: Path) -> None:
    verb = toy_verb(tmp_path / "orders", BLOCK + 2)
    bring(tmp_path, verb)
    folders = sorted(p.name for p in (tmp_path / "run" / "tasks" / "toy").iterdir())
    assert folders == ["000000", "000001"]
    assert list(values(tmp_path)) == list(range(BLOCK + 2))


def test_a_clock_that_jumps_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time of day is told and never used: it may run backwards or be decades off."""
    verb = toy_verb(tmp_path / "orders", 40)
    bring(tmp_path, verb)
    before = (tmp_path / "run" / "toy.json").read_bytes()
    jumps = random.Random(1)
    monkeypatch.setattr(time, "time", lambda: jumps.uniform(-1e9, 4e9))
    for _ in range(3):
        with Store(tmp_path / "run") as store:
            store.forget([verb])
        bring(tmp_path, verb)
        assert (tmp_path / "run" / "toy.json").read_bytes() == before
    monkeypatch.undo()
    bring(tmp_path, verb)
    assert performed(tmp_path / "orders") == sorted(list(range(40)) * 4)


@pytest.mark.parametrize(("order", "what"), [("l", "an error"), ("p", "half a result")])
def test_an_interruption_is_none_of_the_answers_that_a_task_makes_of_it(
    tmp_path: Path, order: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library may swallow it and answer with an error, or with what it has so far."""
    before = signal.getsignal(signal.SIGTERM)
    verb = toy_verb(tmp_path / "orders", 3)
    (tmp_path / "orders" / "1").write_text(order)

    def interrupt(*_: Any) -> None:  # a command line would end at once in a task
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        ours = signal.getsignal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            bring(tmp_path, verb)
        assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        signal.signal(signal.SIGTERM, before)
    monkeypatch.setattr(status, "verbs_of", lambda _study: (verb,))
    (row,) = status.status_of(toy_study(tmp_path), tmp_path / "run")
    assert (row["state"], row["completed"], row["failed"]) == ("interrupted", 1, 0), what
    bring(tmp_path, verb)
    assert performed(tmp_path / "orders") == [0, 1, 2]
    assert 0.0 not in values(tmp_path).values()


def test_only_whole_lines_with_a_key_count(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text('{"key": "a"}\n[1]\n{"key": 3}\n{"ke')
    append_line(path, {"key": "b"})
    assert path.read_text().endswith('{"ke\n{"key": "b"}\n')
    assert set(read_entries(path)) == {"a", "b"}
    path.write_text("[" * 100_000)
    assert read_entries(path) == {}


def test_status_counts_what_is_done_stale_and_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb = toy_verb(tmp_path / "orders", 4)
    monkeypatch.setattr(status, "verbs_of", lambda _study: (verb,))

    def row(*overrides: str) -> dict[str, Any]:
        (found,) = status.status_of(toy_study(tmp_path, *overrides), tmp_path / "run")
        return {k: found[k] for k in ("state", "completed", "failed", "stale")}

    assert row() == {"state": "to do", "completed": 0, "failed": 0, "stale": 0}
    bring(tmp_path, verb, shard=(0, 2))
    assert row() == {"state": "interrupted", "completed": 2, "failed": 0, "stale": 0}
    (tmp_path / "orders" / "3").write_text("n")
    bring(tmp_path, verb)
    assert row() == {"state": "failed", "completed": 3, "failed": 1, "stale": 0}
    bring(tmp_path, verb)
    assert row() == {"state": "done", "completed": 4, "failed": 0, "stale": 0}
    assert row("layout.length_cm=1") == {"state": "stale", "completed": 0, "failed": 0, "stale": 4}


def test_a_single_task_that_was_interrupted_is_not_as_if_it_had_never_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb = toy_verb(tmp_path / "orders", 1)
    monkeypatch.setattr(status, "verbs_of", lambda _study: (verb, EVALUATE))

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    def words() -> list[str]:
        rows = status.status_of(toy_study(tmp_path), tmp_path / "run")
        return [status.in_words(row) for row in rows]

    assert words() == ["toy  toy  to do", "toy  evaluate  to do"]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(time, "sleep", interrupt)
        bring(tmp_path, verb)
    assert words() == ["toy  toy  interrupted", "toy  evaluate  to do"]


def test_ensembles_are_independent_draws_of_the_stated_noise(tmp_path: Path) -> None:
    """Mean and covariance against the stated ones; a longer one begins with a shorter one."""

    def fields(count: int) -> tuple[np.ndarray, np.ndarray, Any]:
        noise = ("detector.drift_fT=0.1", "detector.drift_time_s=1e5")
        size = f"simulate.datasets={count}"
        study = toy_study(tmp_path, size, "lasers.chi_squared=1e-3", *noise)
        with Store(tmp_path / "run") as store:
            update([Work(study, store, ENSEMBLE)], Serial(), quiet=True)
        with xr.open_datatree(tmp_path / "run" / "ensemble.nc", engine="h5netcdf") as tree:
            data, constants = tree["observed_data"], tree["constant_data"]
            return data["field_nG"].values, constants["signal_nG"].values, study

    short, _, _ = fields(1500)
    many, signal, study = fields(4000)
    assert np.array_equal(many[:1500], short)
    experiment = study.experiment
    expected = covariance_nG2(experiment.detector, experiment.lasers, 2)
    whitened = np.linalg.solve(np.linalg.cholesky(expected), (many - signal).T)
    assert np.all(np.abs(whitened.mean(axis=1)) < 4 / np.sqrt(4000))
    assert np.all(np.abs(np.cov(whitened) - np.eye(2)) < 4 * np.sqrt(2 / 4000))
    assert abs(expected[0, 1]) > 0.1 * expected[0, 0]  # the drift correlates the angles


def test_blocks_of_nothing(tmp_path: Path) -> None:
    assert list(Blocks(tmp_path, "toy", ".json").manifests()) == []
