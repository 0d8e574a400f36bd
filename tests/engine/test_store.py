"""Run directories: whole files, honest manifests, one writer."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from renp_infer.app.cli import execute
from renp_infer.engine.blocks import LONGEST_LINE, read_entries
from renp_infer.engine.campaign import Work, update
from renp_infer.engine.executors import Serial
from renp_infer.engine.lock import holder
from renp_infer.engine.progress import Meter
from renp_infer.engine.result import Files
from renp_infer.engine.run import load_run
from renp_infer.engine.store import MANIFEST, Store, read_manifest
from renp_infer.errors import ConfigError, StoreError
from renp_infer.files import digest, make_directory, replacing, write_text
from renp_infer.resources import MAX_BYTES
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.infer.verb import INFER
from renp_infer.verbs.table import load_run as load_any_run
from tests.toys.tasks import STUDY, ToyResult, toy_study, toy_verb


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
    first = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=f"process {first.pid}") as caught:
            Store(tmp_path)
        assert caught.value.path == "--out"
        assert holder(tmp_path).startswith(str(first.pid))
        first.kill()
    assert holder(tmp_path) == ""
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


def tree_of(folder: Path) -> dict[str, str]:
    """Hashes of all files below a folder, by name; of links, where they lead."""
    return {
        str(path.relative_to(folder)): f"-> {path.readlink()}"
        if path.is_symlink()
        else digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


STRANGE = ("tasks", "tasks/toy", "tasks/toy/000000", ".lock", "progress.jsonl", "manifest.json")


@pytest.mark.parametrize("place", [*STRANGE, "tasks/toy/scratch/journal.jsonl", "figures/a.svg"])
@pytest.mark.parametrize("words", [["run", "--force"], ["report"], ["status"], ["cite"]])
def test_no_link_in_a_run_directory_is_followed(
    tmp_path: Path, place: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """As somebody may send one whose links lead to files of the receiver."""
    outside, run = tmp_path / "outside", tmp_path / "run"
    outside.mkdir()
    (outside / "000000").mkdir()
    for name in ("treasure", "000000/treasure", "manifest.json"):
        (outside / name).write_text('{"schema": 1, "files": {}, "tasks": {}}')
    finished(run)
    (run / place).unlink(missing_ok=True)
    (run / place).parent.mkdir(parents=True, exist_ok=True)
    file = Path(place).suffix or place == ".lock"
    (run / place).symlink_to(outside / "manifest.json" if file else outside)
    before = tree_of(tmp_path)
    (tmp_path / "toy.toml").write_text(STUDY)
    if words[0] == "run":
        words = ["run", str(tmp_path / "toy.toml"), "--force", "--out"]
    assert execute([*words, str(run)]) == 2
    assert "allowed: a run directory without links" in capsys.readouterr().err
    (tmp_path / "toy.toml").unlink()
    assert tree_of(tmp_path) == before


@pytest.mark.parametrize("kind", ["link", "hard", "pipe"])
@pytest.mark.parametrize("name", ["manifest.jsonl", ".tmp-task", "result"])
def test_no_link_beside_the_results_of_tasks_is_followed(
    tmp_path: Path, name: str, kind: str
) -> None:
    verb = toy_verb(tmp_path / "orders", 1)
    (tmp_path / "treasure").write_text("gold\n")
    with Store(tmp_path / "run") as store:
        work = Work(toy_study(tmp_path), store, verb)
        place = Path(work.blocks.path(work.task(0)))
        place.parent.mkdir(parents=True)
        place = place if name == "result" else place.with_name(name)
        if kind == "pipe":
            os.mkfifo(place)
        else:
            (place.symlink_to if kind == "link" else place.hardlink_to)(tmp_path / "treasure")
        with contextlib.suppress(StoreError):
            update([work], Serial(), quiet=True)
    assert (tmp_path / "treasure").read_text() == "gold\n"


def test_an_appended_file_with_a_second_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "treasure").write_text("gold\n")
    for name in (".lock", "progress.jsonl"):
        finished(tmp_path / name)
        (tmp_path / name / name).unlink(missing_ok=True)
        (tmp_path / name / name).hardlink_to(tmp_path / "treasure")
        with pytest.raises(StoreError, match="has another name"):
            Store(tmp_path / name).close()
            Meter("toy", {"x": 1}, {"x": tmp_path / name / name})
    assert (tmp_path / "treasure").read_text() == "gold\n"


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "", "a//b", "a\0b"])
@pytest.mark.parametrize("part", ["files", "tasks"])
def test_names_that_lead_out_of_a_run_are_refused(tmp_path: Path, part: str, name: str) -> None:
    finished(tmp_path)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    manifest[part][name] = "" if part == "files" else {}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    for read in (Store, read_manifest, load_any_run):
        with pytest.raises(ConfigError, match="names files of this directory") as caught:
            read(tmp_path)
        assert caught.value.given == name


@pytest.mark.parametrize(
    "part",
    [{"files": {"a": 1}}, {"tasks": {"toy": {"key": 1}}}, {"tasks": {"toy": {"failed": "1"}}}],
)
def test_a_manifest_of_wrong_types_is_named(tmp_path: Path, part: dict[str, object]) -> None:
    finished(tmp_path)
    (tmp_path / MANIFEST).write_text(json.dumps({"schema": 1, "files": {}, "tasks": {}} | part))
    with Store(tmp_path) as store:
        assert store.distrust == "manifest.json is no manifest of a run"
    finished(tmp_path)
    (tmp_path / MANIFEST).write_text(json.dumps({"schema": 1, "files": {}, "tasks": {}} | part))
    with pytest.raises(StoreError, match="no manifest of a run"):
        load_any_run(tmp_path)


def test_a_huge_manifest_is_refused(tmp_path: Path) -> None:
    finished(tmp_path)
    with (tmp_path / MANIFEST).open("ab") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(ConfigError, match=str(MAX_BYTES)):
        read_manifest(tmp_path)


def test_a_line_of_wrong_types_or_without_end_is_passed_over(tmp_path: Path) -> None:
    good = {"key": "a", "index": 0, "sha256": "b", "seconds": 1.5}
    bad = [good | {"seconds": "x"}, good | {"sha256": 1}, {"key": "c" * 2 * LONGEST_LINE}]
    text = "".join(json.dumps(line) + "\n" for line in [good, *bad])
    (tmp_path / "lines").write_text(text)
    assert read_entries(tmp_path / "lines") == {"a": good}
