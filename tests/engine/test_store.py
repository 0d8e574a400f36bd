"""Run directories: whole files, honest manifests, one writer."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from renp_infer.engine.progress import Meter
from renp_infer.engine.result import Files
from renp_infer.engine.run import load_run
from renp_infer.engine.store import MANIFEST, Store, lock_holder, read_manifest
from renp_infer.errors import ConfigError, StoreError
from renp_infer.files import digest, make_directory, replacing, write_text
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.infer.verb import INFER
from renp_infer.verbs.table import load_run as load_any_run
from tests.toys.tasks import ToyResult, toy_verb


def finished(directory: Path, content: str = "{}") -> None:
    with Store(directory) as store:
        store.write_text("evaluate.json", content)
        store.finish(EVALUATE, "key", {})


def test_done_means_key_and_hash_match(tmp_path: Path) -> None:
    finished(tmp_path)
    with Store(tmp_path) as store:
        assert store.is_done(EVALUATE, "key")
        assert not store.is_done(EVALUATE, "other key")
        assert not store.is_done(INFER, "key")
        (tmp_path / "evaluate.json").write_text("{ }")
        assert not store.is_done(EVALUATE, "key")
        (tmp_path / "evaluate.json").unlink()
        assert not store.is_done(EVALUATE, "key")


def test_a_written_file_without_finish_is_not_done(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.write_text("evaluate.json", "{}")
        assert not store.is_done(EVALUATE, "key")


def test_forgotten_tasks_are_not_done(tmp_path: Path) -> None:
    finished(tmp_path)
    with Store(tmp_path) as store:
        store.forget([EVALUATE, INFER])
    with Store(tmp_path) as store:
        assert not store.is_done(EVALUATE, "key")


def test_the_manifest_has_hashes(tmp_path: Path) -> None:
    finished(tmp_path, "text")
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    # SHA-256 of the four bytes "text", from another implementation.
    assert manifest["files"]["evaluate.json"] == (
        "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"
    )
    assert manifest["schema"] == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"files": {}, "tasks": {}}'])
def test_a_broken_manifest_means_nothing_is_done(tmp_path: Path, text: str) -> None:
    finished(tmp_path)
    (tmp_path / MANIFEST).write_text(text)
    with Store(tmp_path) as store:
        assert store.distrust.startswith("manifest.json ")
        assert not store.is_done(EVALUATE, "key")


@pytest.mark.parametrize("read", [Store, read_manifest, load_any_run])
def test_a_store_of_a_newer_version_is_refused_and_left_alone(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    finished(tmp_path)
    text = (tmp_path / MANIFEST).read_text().replace('"schema": 1', '"schema": 2')
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ConfigError, match="newer version wrote it.*take another directory"):
        read(tmp_path)
    assert (tmp_path / MANIFEST).read_text() == text


def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


def test_a_write_into_nowhere_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        write_text(tmp_path / "missing" / "file.txt", "text")


def test_leftovers_of_a_killed_writer_are_removed(tmp_path: Path) -> None:
    finished(tmp_path)
    (tmp_path / ".tmp-killed.json").write_text("half")
    with Store(tmp_path):
        assert not list(tmp_path.glob(".tmp-*"))


def test_a_second_writer_is_refused_and_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from renp_infer.engine.store import Store\n"
        f"store = Store(pathlib.Path({str(tmp_path)!r}))\n"
        "sys.stdout.write('held\\n'); sys.stdout.flush(); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=f"process {holder.pid}") as caught:
            Store(tmp_path)
        assert caught.value.path == "--out"
        assert lock_holder(tmp_path).startswith(str(holder.pid))
        holder.kill()
    assert lock_holder(tmp_path) == ""
    Store(tmp_path).close()


@pytest.mark.parametrize("below", ["file", "file/deeper", "x" * 300, "nul\0"])
def test_an_impossible_directory_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    for refuse in (Store, make_directory):
        with pytest.raises(ConfigError) as caught:
            refuse(tmp_path / below)
        assert caught.value.path == "--out"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_directory_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="Permission denied"):
        Store(tmp_path)


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(ConfigError, match="thesis.tex"):
        Store(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_run_is_read_back_if_its_hashes_match(tmp_path: Path) -> None:
    toy = toy_verb(tmp_path.parent / "orders")
    with Store(tmp_path) as store:
        store.write_text("study.resolved.toml", 'name = "x"')
        store.write_text("toy.json", "[[0, 0.5]]")
        store.finish(toy, "key", {})
    run = load_run(tmp_path, [toy, EVALUATE])
    assert (run.name, run.get(ToyResult).rows_found) == ("x", [[0, 0.5]])
    assert list(run.results) == ["toy"]  # nothing else has been done
    (tmp_path / "toy.json").write_text("[]")
    with pytest.raises(StoreError, match="not what the manifest says"):
        load_run(tmp_path, [toy])
    with pytest.raises(StoreError, match="no directory"):
        load_run(tmp_path / "nowhere", [toy])


def test_a_run_without_an_evaluation_is_named(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.write_text("study.resolved.toml", 'name = "x"')
    with pytest.raises(StoreError, match=r"evaluate\.json is missing; run the study again"):
        load_any_run(tmp_path)


def test_a_tree_is_read_back_and_its_file_can_be_replaced(tmp_path: Path) -> None:
    import xarray

    draws = xarray.Dataset({"m1_meV": (("chain", "draw"), [[1.0, 2.0]])})
    tree = xarray.DataTree.from_dict({"posterior": draws})
    with Store(tmp_path) as store:
        for _ in range(2):
            store.write("infer.nc", lambda path: tree.to_netcdf(path, engine="h5netcdf"))
            store.finish(INFER, "key", {})
            found = Files.of(tmp_path).tree("infer.nc")
            assert found["posterior"]["m1_meV"].values.tolist() == [[1.0, 2.0]]


def test_progress_is_appended_as_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    for _ in range(2):
        with Meter("infer", {"short": 101}, {"short": path}) as meter:
            meter.found("short")
            for _ in range(99):
                meter.count("short")
            meter.count("short", failed=True)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    # Updates in quick succession are thinned to one.
    assert [line["event"] for line in lines] == ["start", "update", "finish"] * 2
    assert lines[2]["completed"] == 100
    assert lines[2]["failed"] == 1
    assert lines[2]["remaining_s"] == 0.0


def test_the_rate_is_that_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a resume, tasks found done must not count as fast work."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with Meter("infer", {"short": 100}, {"short": tmp_path / "p"}) as meter:
        for _ in range(80):
            meter.found("short")
        for _ in range(10):
            now[0] += 2.0
            meter.count("short")
    last = json.loads((tmp_path / "p").read_text().splitlines()[-2])
    assert last["completed"] == 90
    assert last["rate_per_s"] == 0.5
    assert last["remaining_s"] == 20.0


def test_digest_of_nothing_is_empty(tmp_path: Path) -> None:
    assert digest(tmp_path / "missing") == ""
    assert read_manifest(tmp_path)["tasks"] == {}
