"""The same numbers from any number of workers, and from workers that die."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from renp_infer.engine import executors, worker
from renp_infer.engine.blocks import read_entries
from renp_infer.engine.campaign import Work, update
from renp_infer.engine.executors import Dask, Serial, parse_executor
from renp_infer.engine.store import Store
from renp_infer.errors import ConfigError, ExecutorError, TaskError
from tests.toys.tasks import STUDY, performed, toy_study, toy_verb

COUNT = 60


def bring(folder: Path, executor: str, count: int = COUNT, ms: float = 0.0) -> list[TaskError]:
    with Store(folder / "run") as store, parse_executor(executor) as workers:
        work = Work(toy_study(folder), store, toy_verb(folder / "orders", count, ms))
        return update([work], workers, quiet=True)


def result(folder: Path) -> bytes:
    return (folder / "run" / "toy.json").read_bytes()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What one process makes of it."""
    folder = tmp_path_factory.mktemp("serial")
    assert bring(folder, "serial") == []
    return result(folder)


@contextlib.contextmanager
def scheduler(folder: Path, workers: int) -> Iterator[tuple[str, list[Any]]]:
    """A scheduler and workers, each a process of its own, as on a cluster."""
    file, env = folder / "scheduler.json", os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": env}
    python = [sys.executable, "-m"]
    local = ["--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard"]
    join = ["--scheduler-file", str(file), "--nthreads", "1", "--no-nanny"]
    join += ["--local-directory", str(folder), "--no-dashboard"]
    with contextlib.ExitStack() as stack:

        def start(words: list[str]) -> Any:
            process = stack.enter_context(subprocess.Popen(words, **silent))
            stack.callback(process.kill)
            return process

        found = [start([*python, "distributed.cli.dask_scheduler", *local])]
        while not file.exists():
            time.sleep(0.05)
        for _ in range(workers):
            found.append(start([*python, "distributed.cli.dask_worker", *join]))
        yield json.loads(file.read_text())["address"], found


@contextlib.contextmanager
def once_begun(orders: Path, action: Callable[[], object]) -> Iterator[None]:
    """Do something, from a thread, when some tasks have been carried out."""

    def watch() -> None:
        while len(performed(orders)) < 5:
            time.sleep(0.02)
        action()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield
    thread.join(timeout=60)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "executor",
    ["dask:local:2", *(pytest.param(f"processes:{n}", marks=pytest.mark.slow) for n in (1, 3))],
)
def test_results_do_not_depend_on_the_workers(
    tmp_path: Path, expected: bytes, executor: str
) -> None:
    assert bring(tmp_path, executor) == []
    assert result(tmp_path) == expected
    assert performed(tmp_path / "orders") == list(range(COUNT))


@pytest.mark.slow
def test_a_real_scheduler_gives_the_same(tmp_path: Path, expected: bytes) -> None:
    with scheduler(tmp_path, workers=2) as (address, _):
        assert bring(tmp_path, f"dask:{address}", ms=50.0) == []
    assert result(tmp_path) == expected
    entries = read_entries(tmp_path / "run/tasks/toy/000000/manifest.jsonl").values()
    assert len({entry["worker"] for entry in entries}) == 2


@pytest.mark.slow
def test_a_worker_of_a_real_scheduler_that_dies_costs_nothing(
    tmp_path: Path, expected: bytes
) -> None:
    with scheduler(tmp_path, workers=2) as (address, processes):
        with once_begun(tmp_path / "orders", processes[1].kill):
            assert bring(tmp_path, f"dask:{address}", ms=100.0) == []
        assert processes[1].wait(timeout=10) == -signal.SIGKILL
    assert result(tmp_path) == expected


def forget(address: str) -> None:
    """Have every worker forget the batches that wait there, unknown to the scheduler."""
    from distributed import Client

    def lose(dask_worker: Any) -> None:
        from distributed.worker_state_machine import FreeKeysEvent

        waiting = [task.key for task in dask_worker.state.ready]
        dask_worker.handle_stimulus(FreeKeysEvent(keys=waiting, stimulus_id="lost"))

    with Client(address, set_as_default=False) as client:
        client.run(lose)


@pytest.mark.slow
def test_a_batch_that_a_living_worker_loses_is_done_again(
    tmp_path: Path, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "SUSPICIOUS_S", 3.0)
    with scheduler(tmp_path, workers=1) as (address, _):
        with once_begun(tmp_path / "orders", lambda: forget(address)):
            assert bring(tmp_path, f"dask:{address}", ms=300.0) == []
    assert result(tmp_path) == expected
    assert performed(tmp_path / "orders") == list(range(COUNT))


@pytest.mark.slow
def test_a_scheduler_that_dies_ends_the_run_and_another_resumes(
    tmp_path: Path, expected: bytes
) -> None:
    with scheduler(tmp_path, workers=2) as (address, processes):
        with once_begun(tmp_path / "orders", processes[0].kill), pytest.raises(ExecutorError):
            bring(tmp_path, f"dask:{address}", ms=200.0)
    begun = len(performed(tmp_path / "orders"))
    assert 0 < begun < COUNT
    assert bring(tmp_path, "serial") == []
    assert result(tmp_path) == expected


@pytest.mark.slow
def test_workers_that_kill_themselves_are_replaced_and_their_tasks_redone(
    tmp_path: Path, expected: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "orders").mkdir()
    for index in (0, 17, 40):
        (tmp_path / "orders" / str(index)).write_text("k")
    assert bring(tmp_path, "processes:2") == []
    assert result(tmp_path) == expected


def test_a_task_that_kills_every_worker_is_recorded_and_the_rest_goes_on(
    tmp_path: Path, expected: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "7").write_text("kkkk")
    (error,) = bring(tmp_path, "processes:2")
    assert "1 of 60 tasks failed" in str(error)
    assert "task 7: its worker died" in str(error)
    assert set(performed(tmp_path / "orders")) == set(range(COUNT)) - {7}
    (tmp_path / "orders" / "7").unlink()
    assert bring(tmp_path, "serial") == []
    assert result(tmp_path) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold to such limits")
@pytest.mark.slow
def test_a_worker_out_of_memory_costs_nothing_if_there_is_enough_the_next_time(
    tmp_path: Path, expected: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither where the system refuses the memory, nor where it kills for it."""
    (tmp_path / "orders").mkdir()
    for index, letters in ((3, "m"), (17, "mm"), (40, "k")):
        (tmp_path / "orders" / str(index)).write_text(letters)
    assert bring(tmp_path, "processes:2") == []
    assert result(tmp_path) == expected
    assert capsys.readouterr().err.count("MemoryError") == 3
    assert set(performed(tmp_path / "orders")) == set(range(COUNT))  # a batch may go down with one


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold to such limits")
def test_a_task_that_is_too_large_is_recorded_and_the_rest_goes_on(
    tmp_path: Path, expected: bytes
) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "7").write_text("mmmm")
    (error,) = bring(tmp_path, "serial")
    assert "1 of 60 tasks failed" in str(error)
    assert "task 7: MemoryError" in str(error)
    assert performed(tmp_path / "orders") == [k for k in range(COUNT) if k != 7]
    (tmp_path / "orders" / "7").unlink()
    assert bring(tmp_path, "serial") == []
    assert result(tmp_path) == expected


@pytest.mark.slow
def test_a_worker_killed_from_outside_costs_nothing(tmp_path: Path, expected: bytes) -> None:
    killed: list[int] = []

    def kill() -> None:
        # A process may end while it is asked for its name, so one that says nothing is passed over.
        while not killed:
            for child in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if not killed and "spawn_main" in " ".join(child.cmdline()):
                        child.kill()
                        killed.append(child.pid)

    with once_begun(tmp_path / "orders", kill):
        assert bring(tmp_path, "processes:2", ms=150.0) == []
    assert killed
    assert result(tmp_path) == expected


@pytest.mark.parametrize(
    "text",
    ["", "parallel", "processes", "processes:0", "processes:x", "processes:99999", "dask:",
     "dask:local:0", "dask:local:", "dask:a b", "jobqueue:slurm", "jobqueue:nqs:2", "serial:2"],
)  # fmt: skip
def test_a_wrong_executor_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_executor(text)
    assert caught.value.path == "--executor"
    assert "slurm" in caught.value.allowed or "processes:N" in caught.value.allowed


@pytest.mark.parametrize(
    "address", ["foo", "foo:1", "tcp://127.0.0.1:1", "127.0.0.1:port", "nowhere.json", "bad.json"]
)
def test_a_scheduler_that_does_not_answer_is_refused_at_once(tmp_path: Path, address: str) -> None:
    (tmp_path / "bad.json").write_text('{"address": 5}')
    given = str(tmp_path / address) if address.endswith("bad.json") else address
    with pytest.raises(ConfigError, match="scheduler that answers"):
        bring(tmp_path, f"dask:{given}")


def test_nobody_else_can_reach_the_workers(tmp_path: Path) -> None:
    """Neither driver nor workers listen, nor has any socket of theirs a name."""
    found: list[Any] = []

    def look() -> None:
        family = [psutil.Process(), *psutil.Process().children(recursive=True)]
        found.append(len(family))
        found.extend(c for p in family for c in p.net_connections("inet") if c.status == "LISTEN")
        found.extend(c for p in family for c in p.net_connections("unix") if c.laddr)

    with once_begun(tmp_path / "orders", look):
        assert bring(tmp_path, "processes:1", count=12, ms=100.0) == []
    assert found[0] >= 2
    assert found[1:] == []


def test_workers_that_end_before_they_begin_are_named(tmp_path: Path) -> None:
    """As those of a script do that starts them whenever it is loaded."""
    (tmp_path / "script.py").write_text(
        "import pathlib\nfrom tests.faults.test_executors import bring\n"
        f"bring(pathlib.Path({str(tmp_path)!r}), 'processes:1')\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "a script that starts them needs a line if __name__" in done.stderr.splitlines()[-1]


def test_workers_of_another_version_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "identity", lambda: "another version")
    with pytest.raises(ExecutorError, match="not another version"):
        bring(tmp_path, "processes:1")


def strangers(folder: Path) -> Iterator[str]:
    """What becomes of those who connect to a scheduler of jobs with no certificate, and another."""
    from distributed import Client
    from distributed.security import Security

    script = next(folder.glob("script-*")).read_text()
    (address,) = set(re.findall(r"tls://[0-9.]+:\d+", script))
    (listening,) = {
        c.laddr.ip
        for c in psutil.Process().net_connections("inet")
        if c.status == "LISTEN" and c.laddr.port != int(address.rpartition(":")[2])
    }
    assert listening == "127.0.0.1"
    for place, security in (
        (address.replace("tls:", "tcp:"), None),
        (address, Security.temporary()),
    ):
        try:
            with Client(place, security=security, timeout=3, set_as_default=False) as client:
                yield client.run_on_scheduler(os.getuid)
        except OSError:
            yield "OSError"


@pytest.mark.slow
def test_jobs_of_a_batch_system_are_workers(
    tmp_path: Path, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a stand-in for SLURM's commands, which runs job scripts on this machine."""
    import dask

    pytest.importorskip("cryptography")

    refused: list[str] = []
    monkeypatch.chdir(tmp_path)  # where the certificates are
    tools = tmp_path / "bin"
    tools.mkdir()
    log = tmp_path / "submitted"
    (tools / "sbatch").write_text(
        f"#!/bin/sh\nfor script; do :; done\ncp $script {tmp_path}/script-$$\necho $$ >> {log}\n"
        f"setsid sh {tmp_path}/script-$$ > {tmp_path}/job-$$.log 2>&1 &\n"
        'echo "Submitted batch job $$"\n'
    )
    (tools / "scancel").write_text("#!/bin/sh\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    site = {"cores": 1, "memory": "1GB", "processes": 1, "log-directory": str(tmp_path)}
    with dask.config.set({"jobqueue.slurm": dask.config.get("jobqueue.slurm", {}) | site}):
        with once_begun(tmp_path / "orders", lambda: refused.extend(strangers(tmp_path))):
            assert bring(tmp_path, "jobqueue:slurm:2", ms=100.0) == []
    assert result(tmp_path) == expected
    assert refused == ["OSError", "OSError"]
    assert not list(tmp_path.glob(".renp-*"))
    assert len(log.read_text().split()) >= 2
    script = next(tmp_path.glob("script-*")).read_text()
    assert re.search(r"#SBATCH .*--cpus-per-task=1|#SBATCH -n 1", script)


def test_nothing_is_started_when_nothing_is_missing(tmp_path: Path) -> None:
    bring(tmp_path, "serial")

    def refuse(_stack: contextlib.ExitStack) -> None:
        raise AssertionError("there is no work")

    with Store(tmp_path / "run") as store, Dask("processes:2", refuse, 1) as workers:
        work = Work(toy_study(tmp_path), store, toy_verb(tmp_path / "orders", COUNT))
        assert update([work], workers, quiet=True) == []
    assert Serial().name == "serial"


@pytest.mark.slow
def test_kernels_are_compiled_once_per_node(tmp_path: Path) -> None:
    """Two cold workers begin at the same time; Numba tells what it saves and loads."""
    study = STUDY + "[lasers]\nchi_squared = 1e-3\n[simulate]\ndatasets = 8000\n"
    (tmp_path / "study.toml").write_text(study)
    words = ["simulate", str(tmp_path / "study.toml"), "--out", str(tmp_path / "run"), "--quiet"]
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_DEBUG_CACHE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "renp_infer", *words, "--executor", "processes:2"],
        env=os.environ | cache,
        capture_output=True,
        text=True,
        check=True,
    )
    saved = re.findall(r"data saved to '([^']+)'", done.stdout + done.stderr)
    loaded = re.findall(r"data loaded from '([^']+)'", done.stdout + done.stderr)
    assert len(saved) > 5
    assert len(saved) == len(set(saved))
    assert set(loaded) & set(saved)  # by the worker that came second
