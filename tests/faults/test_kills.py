"""Runs that are killed, interrupted, or find no room: nothing lost, nothing wrong."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

import renp_infer
from renp_infer import versions
from renp_infer.engine.campaign import Work, update
from renp_infer.engine.executors import Serial
from renp_infer.engine.provenance import PROVENANCE
from renp_infer.engine.store import PROGRESS, Store
from renp_infer.errors import StoreError
from renp_infer.study.load import load_study
from renp_infer.verbs.reproduce.again import compare_runs
from tests.toys import driver, filling
from tests.toys.killed import STUDY
from tests.toys.tasks import performed, toy_study, toy_verb

DRIVER = Path(driver.__file__)
ROOT = str(Path(renp_infer.__file__).parents[1])
KILLS = 20
COUNT = 60


def start(
    folder: Path, executor: str = "serial", count: int = COUNT, ms: float = 20.0, prefix: Any = ()
) -> "subprocess.Popen[str]":
    words = [*prefix, sys.executable, str(DRIVER), str(folder), str(count), executor, str(ms)]
    (folder / "temporary").mkdir(exist_ok=True)
    env = os.environ | {"PYTHONPATH": ROOT, "TMPDIR": str(folder / "temporary")}
    return subprocess.Popen(
        words, stderr=subprocess.PIPE, text=True, env=env, preexec_fn=_interruptible
    )


def _interruptible() -> None:
    """What a shell starts in the background ignores interruptions, and so do its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def finish(folder: Path, executor: str = "serial") -> None:
    """Do the rest in this process, which nobody disturbs."""
    assert driver.drive(folder, COUNT, executor, 0.0) == 0


def result(folder: Path) -> bytes:
    return (folder / "run" / "toy.json").read_bytes()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a run makes that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(folder)
    return result(folder)


def wait_for(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.parametrize(("executor", "times"), [("serial", KILLS), ("processes:2", KILLS)])
def test_kill_9_of_the_driver_at_random_times(
    tmp_path: Path, expected: bytes, executor: str, times: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Kills over all of a run, its first and last moments included."""
    dice, kills = random.Random(times), 0
    while kills < times:
        goal = len(done(tmp_path)) + dice.randint(0, 4)
        kills += killed(tmp_path, executor, goal, dice.uniform(0.0, 0.03))
    finish(tmp_path, executor)
    assert "Traceback" not in capfd.readouterr().err
    assert result(tmp_path) == expected
    # at most what was under way at a kill was done twice
    twice = len(performed(tmp_path)) - COUNT
    assert 0 <= twice <= (1 if executor == "serial" else 60) * kills


def killed(folder: Path, executor: str, goal: int, delay: float) -> bool:
    """Kill a driver a little after ``goal`` tasks are done, unless it ends before."""
    with start(folder, executor) as process:
        wait_for(lambda: process.poll() is not None or len(done(folder)) >= goal)
        time.sleep(delay)
        try:
            workers = psutil.Process(process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            workers = []
        process.kill()
    assert not psutil.wait_procs(workers, timeout=10)[1]  # none outlives its driver
    if process.returncode == 0:
        (folder / "run" / "toy.json").unlink()
    return process.returncode == -signal.SIGKILL


def done(folder: Path) -> list[Path]:
    return list((folder / "run" / "tasks" / "toy" / "000000").glob("0*.json"))


@dataclass(frozen=True)
class Shape:
    """A verb of one kind, and how to know that a process is inside of it.

    Attributes
    ----------
    count : int
        Of its tasks.
    inside : callable
        Of the folder: whether a line of progress, or of tasks that are done, says so.
    done : int
        Tasks that are finished by then, at least.
    """

    count: int
    inside: Callable[[Path], bool]
    done: int = 0
    file: str = "toy.json"


def told(folder: Path, words: str) -> int:
    """How often a run's lines of progress say something."""
    path = folder / "run" / PROGRESS
    return path.read_text().count(words) if path.is_file() else 0


SHAPES = {
    "one task": Shape(1, lambda folder: told(folder, '"stage": "working"') > 0, 0, "single.json"),
    "many tasks": Shape(COUNT, lambda folder: len(done(folder)) > 4, 4),
    "merge": Shape(COUNT, lambda folder: (folder / "merging").exists(), COUNT),
}


def torn(folder: Path, shape: Shape, executor: str = "serial") -> None:
    """A run whose driver was killed inside its verb."""
    folder.mkdir(exist_ok=True)
    (folder / "merge").touch()  # which then waits in the middle
    with start(folder, executor, shape.count, ms=20.0) as process:
        wait_for(lambda: shape.inside(folder) or process.poll() is not None)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    (folder / "merge").unlink(missing_ok=True)
    assert not (folder / "run" / shape.file).exists()


@pytest.mark.parametrize("name", SHAPES)
def test_kill_9_inside_a_verb_of_each_shape(tmp_path: Path, name: str) -> None:
    """Whatever is finished is not done again, and the results are those of an undisturbed run."""
    shape = SHAPES[name]
    torn(tmp_path / "torn", shape)
    finished = performed(tmp_path / "torn")
    assert shape.done <= len(finished) <= max(shape.count - 1, shape.done)
    for folder in (tmp_path / "torn", tmp_path / "whole"):
        folder.mkdir(exist_ok=True)
        assert driver.drive(folder, shape.count, "serial", 0.0) == 0
    again = performed(tmp_path / "torn")
    # A task that was under way at the kill may have been logged, and not kept.
    assert len(again) - shape.count <= (1 if name == "many tasks" else 0)
    assert sorted(set(again)) == list(range(shape.count))
    ours, theirs = (
        json.loads((tmp_path / home / "run" / shape.file).read_bytes())
        for home in ("torn", "whole")
    )
    for found in (ours, theirs):
        if isinstance(found, dict):
            del found[PROVENANCE]
    assert ours == theirs


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed when some of its tasks were done."""
    folder = tmp_path_factory.mktemp("begun") / "torn"
    torn(folder, SHAPES["many tasks"])
    return folder


def resumed(folder: Path, *changes: str) -> list[int]:
    """Go on in this process with a study; gives the tasks that were carried out."""
    before = Counter(performed(folder))
    with Store(folder / "run") as store:
        work = Work(toy_study(folder, *changes), store, toy_verb(folder, COUNT))
        assert update([work], Serial(), quiet=True) == []
    return sorted((Counter(performed(folder)) - before).elements())


def test_a_study_that_changed_since_the_kill_is_another_and_can_change_back(
    tmp_path: Path, begun: Path, expected: bytes
) -> None:
    folder = Path(shutil.copytree(begun, tmp_path / "torn"))
    kept = [int(path.name[:3]) for path in done(folder)]
    assert resumed(folder, "layout.length_cm=1") == list(range(COUNT))
    assert result(folder) != expected
    assert set(resumed(folder)).isdisjoint(kept)
    assert result(folder) == expected


def test_a_version_that_changed_since_the_kill_counts_if_its_physics_did(
    tmp_path: Path, begun: Path, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [int(path.name[:3]) for path in done(begun)]
    monkeypatch.setattr(renp_infer, "__version__", "99.0")
    folder = Path(shutil.copytree(begun, tmp_path / "package"))
    assert set(resumed(folder)).isdisjoint(kept)
    assert result(folder) == expected
    monkeypatch.setattr(versions, "PHYSICS_VERSION", 99)
    folder = Path(shutil.copytree(begun, tmp_path / "physics"))
    assert resumed(folder) == list(range(COUNT))
    assert result(folder) != expected


@pytest.mark.slow
def test_workers_may_change_at_every_kill(tmp_path: Path, expected: bytes) -> None:
    for executor in ("serial", "processes:1", "processes:3", "dask:local:2"):
        goal = len(done(tmp_path)) + 3
        with start(tmp_path, executor, ms=100.0) as process:
            wait_for(lambda goal=goal: len(done(tmp_path)) >= goal)
            process.kill()
        kept = {path: path.stat().st_ino for path in done(tmp_path)}
    finish(tmp_path, "processes:2")
    assert result(tmp_path) == expected
    assert {path: path.stat().st_ino for path in kept} == kept


SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.mark.parametrize(
    ("executor", "numbers"),
    [
        ("serial", SIGNALS[1:2] * 2),
        *(
            pytest.param(executor, (first, *second), marks=pytest.mark.slow)
            for executor in ("serial", "processes:2")
            for first in SIGNALS
            for second in ((), (signal.SIGINT,))
        ),
    ],
)
def test_a_signal_is_an_interruption_that_resumes(
    tmp_path: Path, expected: bytes, executor: str, numbers: tuple[int, ...]
) -> None:
    """The second one comes while the first is being answered."""
    with start(tmp_path, executor, ms=50.0) as process:
        wait_for(lambda: len(done(tmp_path)) > 2)
        children = psutil.Process(process.pid).children(recursive=True)
        for number in numbers:
            process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err in ("", "renp: interrupted; the same command resumes\n")
    assert err or len(numbers) > 1
    assert not psutil.wait_procs(children, timeout=10)[1]
    if len(numbers) == 1:
        assert list((tmp_path / "temporary").iterdir()) == []
    finish(tmp_path)
    assert result(tmp_path) == expected


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_is_ignored_from_the_start_stays_so(tmp_path: Path, number: int) -> None:
    """As nohup has it, and a shell for what it starts in the background."""
    code = (
        "import os, signal\n"
        f"signal.signal({int(number)}, signal.SIG_IGN)\n"
        "from renp_infer.app.cli import be_interruptible\n"
        f"be_interruptible(); os.kill(os.getpid(), {int(number)}); print('alive')"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "alive\n"


def test_an_interruption_while_the_command_is_loaded_is_one_line() -> None:
    code = (
        "import builtins, sys\nreal = builtins.__import__\n"
        "def interrupted(name, *rest):\n"
        "    if name.startswith('cyclopts'): raise KeyboardInterrupt\n"
        "    return real(name, *rest)\n"
        "builtins.__import__ = interrupted\n"
        "from renp_infer.__main__ import main; main()"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr.count("\n")) == (130, 1)


def test_two_drivers_on_one_directory_the_second_refuses(tmp_path: Path, expected: bytes) -> None:
    with start(tmp_path, ms=1000.0) as first:
        wait_for(lambda: done(tmp_path))
        with start(tmp_path) as second:
            _, err = second.communicate(timeout=60)
        assert second.returncode == 2
        assert f"process {first.pid}" in err
        first.terminate()
        first.communicate(timeout=60)
    assert first.returncode == 130
    finish(tmp_path)
    assert result(tmp_path) == expected


LIMITED = (
    "import resource, runpy, sys\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)\n"
    "sys.argv = sys.argv[2:]\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)


@pytest.mark.parametrize("limit", [100, 1000, 3000])
def test_a_file_that_cannot_grow_is_an_error_and_resumes(
    tmp_path: Path, expected: bytes, limit: int
) -> None:
    """The system itself refuses to write beyond a size, at different stages of the run."""
    words = [sys.executable, "-c", LIMITED, str(limit), str(DRIVER), str(tmp_path)]
    words += [str(COUNT), "serial", "0"]
    env = os.environ | {"PYTHONPATH": ROOT, "PYTHONDONTWRITEBYTECODE": "1"}
    failed = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert failed.returncode == 4, failed.stderr
    assert "cannot be written (File too large)" in failed.stderr
    assert failed.stderr.count("\n") == 1
    assert not list((tmp_path / "run").rglob(".tmp-*"))
    finish(tmp_path)
    assert result(tmp_path) == expected


def test_a_full_disk_is_an_error_and_what_was_done_stays(
    tmp_path: Path, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills at every single write in turn, until a run gets through."""
    verb, room, runs = toy_verb(tmp_path / "orders", COUNT), 0, 0
    write, rename = Path.write_bytes, os.replace
    left = [0]

    def spend(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def guarded_write(path: Path, data: bytes) -> int:
        spend()
        return write(path, data)

    def guarded_rename(source: Any, target: Any) -> None:
        spend()
        rename(source, target)

    monkeypatch.setattr(Path, "write_bytes", guarded_write)
    monkeypatch.setattr(os, "replace", guarded_rename)
    while True:
        room, runs = room + 7, runs + 1
        left[0] = room
        try:
            with Store(tmp_path / "run") as store:
                work = Work(toy_study(tmp_path), store, verb)
                assert update([work], Serial(), quiet=True) == []
            break
        except StoreError as error:
            assert "No space left on device" in str(error)
            assert not list((tmp_path / "run").rglob(".tmp-*"))
    assert runs > 3
    assert result(tmp_path) == expected
    assert set(performed(tmp_path / "orders")) == set(range(COUNT))


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv of util-linux")
@pytest.mark.parametrize("begun", [False, True])
def test_a_read_only_directory_is_refused(tmp_path: Path, expected: bytes, begun: bool) -> None:
    if begun:
        finish(tmp_path)
    home = tmp_path / "run"
    home.mkdir(exist_ok=True)
    toy_study(tmp_path)
    home.chmod(0o500)
    # root may write anywhere, unless it gives that up
    drop = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all")
    with start(tmp_path, prefix=drop if os.geteuid() == 0 else ()) as process:
        _, err = process.communicate(timeout=60)
    home.chmod(0o700)
    assert process.returncode == 2
    assert "allowed: a directory that can be created and written; Permission denied" in err
    assert (home / "toy.json").exists() == begun


@pytest.mark.slow
def test_a_real_study_that_is_killed_again_and_again_ends_in_the_same_arrays(
    tmp_path: Path,
) -> None:
    """The whole command, with evaluation, ensemble, posterior and report."""
    (tmp_path / "killed.toml").write_text(STUDY)
    dice = random.Random(5)

    def words(home: str) -> list[str]:
        study = str(tmp_path / "killed.toml")
        return [sys.executable, "-m", "renp_infer", "run", study, "--out", str(tmp_path / home)]

    begin = time.monotonic()
    whole = subprocess.run(words("whole"), capture_output=True, text=True, check=False)
    elapsed = time.monotonic() - begin
    assert whole.returncode in (0, 3), whole.stderr
    tasks = json.loads((tmp_path / "whole" / "manifest.json").read_text())["tasks"].values()
    spans = [entry["seconds"] for entry in tasks]
    # Long enough to begin and to end the longest task now and then, so that the run advances.
    most = max(1.0, elapsed - sum(spans)) + 1.5 * max(spans)
    kills = 0
    for _ in range(200):
        process = subprocess.Popen(words("killed"), stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            process.communicate(timeout=dice.uniform(1.0, most) if kills < KILLS else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        assert process.returncode == whole.returncode
        if kills >= KILLS:
            break
        shutil.rmtree(tmp_path / "killed")
    assert kills >= KILLS
    study = load_study(tmp_path / "killed.toml")
    rows = compare_runs(study, tmp_path / "whole", tmp_path / "killed")
    assert [row for row in rows if not row["identical"]] == []
    expected = {"evaluate", "ensemble", "infer", "compare", "calibrate", "forecast", "scan"}
    assert expected | {"optimize", "confirm", "sequential"} == {row["task"] for row in rows}


@pytest.mark.slow
def test_a_real_study_is_the_same_on_workers_that_die(tmp_path: Path) -> None:
    (tmp_path / "killed.toml").write_text(STUDY)
    study = load_study(tmp_path / "killed.toml")
    for home, executor in (("one", "serial"), ("two", "processes:2")):
        words = ["run", str(tmp_path / "killed.toml"), "--executor", executor, "--out"]
        with subprocess.Popen(
            [sys.executable, "-m", "renp_infer", *words, str(tmp_path / home)],
            stdout=subprocess.DEVNULL,
        ) as process:
            if executor != "serial":
                wait_for(lambda: list((tmp_path / "two/tasks").rglob("0*.nc")))
                workers = psutil.Process(process.pid).children(recursive=True)
                max(workers, key=lambda worker: worker.memory_info().rss).kill()
        assert process.returncode in (0, 3)
    rows = compare_runs(study, tmp_path / "one", tmp_path / "two")
    assert [row for row in rows if not row["identical"]] == []


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["infer", "compare"])
@pytest.mark.parametrize("executor", ["serial", "processes:2"])
def test_real_work_that_is_interrupted_leaves_one_line_and_no_temporary_file(
    tmp_path: Path, verb: str, executor: str
) -> None:
    """Also in the middle of compiling and of sampling, where libraries have files and threads."""
    (tmp_path / "killed.toml").write_text(STUDY)
    (tmp_path / "temporary").mkdir()
    words = [verb, "killed.toml", "--out", "run", "--quiet", "--executor", executor]
    env = os.environ | {"PYTHONPATH": ROOT, "TMPDIR": str(tmp_path / "temporary")}
    dice = random.Random(f"{verb} {executor}")
    for times in (1, 1, 2, 2):
        with subprocess.Popen(
            [sys.executable, "-m", "renp_infer", *words],
            cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            wait_for(
                lambda: list((tmp_path / "temporary").rglob("*")) or process.poll() is not None
            )
            time.sleep(dice.uniform(0.0, 4.0))
            children = psutil.Process(process.pid).children(recursive=True)
            for _ in range(times):
                process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        assert process.returncode in (130, 0, 3)
        assert (
            err in ("", "renp: interrupted; the same command resumes\n")
            or process.returncode != 130
        )
        assert not psutil.wait_procs(children, timeout=20)[1]
        if times == 1:
            assert list((tmp_path / "temporary").iterdir()) == []
        else:
            shutil.rmtree(tmp_path / "temporary")
            (tmp_path / "temporary").mkdir()
    finished = subprocess.run(
        [sys.executable, "-m", "renp_infer", *words], cwd=tmp_path, env=env, check=False
    )
    assert finished.returncode in (0, 3)
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"]).returncode != 0,
    reason="needs a disk of its own",
)
def test_a_disk_that_is_really_full_is_one_line_at_every_write(tmp_path: Path) -> None:
    """Files of libraries, which write by themselves, are among what finds no room."""
    (tmp_path / "disk").mkdir()
    words = [sys.executable, filling.__file__, str(tmp_path / "disk"), str(tmp_path / "full.toml")]
    (tmp_path / "full.toml").write_text(filling.STUDY)
    env = os.environ | {"PYTHONPATH": ROOT}
    done = subprocess.run(
        ["unshare", "-rm", *words], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    *full, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert last == {"code": 0, "err": "", "left": ""}
    for found in full:
        assert found["code"] == 4
        assert found["err"].endswith("cannot be written (No space left on device)\n")
        assert found["err"].count("\n") == 1
        assert found["left"] == ""
    told = " ".join(found["err"] for found in full)
    for name in ("run/manifest.json", ".json:", "ensemble.nc:"):
        assert name in told
