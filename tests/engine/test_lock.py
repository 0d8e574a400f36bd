"""Locks of run directories, on disks with and without them, for one user and several."""

import contextlib
import errno
import fcntl
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from renp_infer.app import doctor
from renp_infer.engine import lock
from renp_infer.engine.campaign import Work, update
from renp_infer.engine.executors import Serial
from renp_infer.engine.lock import MARK, HeldError, Lock, holder
from renp_infer.engine.store import Store
from renp_infer.errors import ConfigError, StoreError
from tests.toys.tasks import toy_study, toy_verb

HERE = f"{os.getpid()} on {os.uname().nodename}"


def without_locks(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.fixture(params=[errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    without_locks(request.param, monkeypatch)


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_disk_without_locks_keeps_the_second_off(tmp_path: Path, no_locks: None) -> None:
    with Store(tmp_path):
        assert holder(tmp_path) == HERE
        with pytest.raises(ConfigError, match=f"process {HERE} is at work there"):
            Store(tmp_path)
    assert holder(tmp_path) == ""
    assert not (tmp_path / MARK).exists()
    Store(tmp_path).close()


def test_a_lock_that_cannot_be_written_is_told_and_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(StoreError, match=r"\.lock: cannot be written \(No space left"):
            Lock(tmp_path)
    Lock(tmp_path).release()


@pytest.mark.parametrize("host", ["here", "elsewhere"])
def test_a_file_that_was_left_behind_is_taken_over(
    tmp_path: Path, no_locks: None, host: str
) -> None:
    name = os.uname().nodename if host == "here" else host
    (tmp_path / lock.LOCK).touch()
    (tmp_path / MARK).write_text(f"{ended_process()} on {name}")
    if host == "elsewhere":  # what is alive there is not known: its heart must have stopped
        assert holder(tmp_path).endswith("on elsewhere")
        with pytest.raises(HeldError):
            Lock(tmp_path)
        os.utime(tmp_path / MARK, (0.0, 0.0))
    assert holder(tmp_path) == ""
    with Store(tmp_path):
        assert holder(tmp_path) == HERE
    assert not list(tmp_path.glob(".tmp-*"))


def test_a_file_that_somebody_made_meanwhile_is_put_back(tmp_path: Path) -> None:
    (tmp_path / MARK).write_text("2 on other")
    lock._move_away(tmp_path / MARK, "1 on other")
    assert (tmp_path / MARK).read_text() == "2 on other"
    lock._move_away(tmp_path / MARK, "2 on other")
    assert list(tmp_path.iterdir()) == []


def test_the_heart_beats(tmp_path: Path, no_locks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "BEAT_S", 0.01)
    held = Lock(tmp_path)
    os.utime(tmp_path / MARK, (0.0, 0.0))
    while (tmp_path / MARK).stat().st_mtime == 0.0:
        pass
    held.release()


def test_the_doctor_tries_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._lock(tmp_path) == (True, "the system's lock")
    without_locks(errno.ENOLCK, monkeypatch)
    good, found = doctor._lock(tmp_path)
    assert good
    assert found.startswith("a file with a heartbeat, for want of locks (")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that other users can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextlib.contextmanager
def user(number: int, group: int) -> Iterator[None]:
    before = os.getgroups()
    os.setgroups([group])
    os.setegid(number)
    os.seteuid(number)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


def bring(shared: Path, count: int) -> list[Exception]:
    with Store(shared / "run") as store:
        work = Work(toy_study(shared), store, toy_verb(shared / "orders", count))
        return list(update([work], Serial(), quiet=True))


def prepare(shared: Path, mode: int) -> None:
    for name in ("run", "orders"):
        (shared / name).mkdir()
        os.chown(shared / name, 1001, 3000)
        (shared / name).chmod(mode)
    toy_study(shared)
    for name in ("orders/log", "toy.toml"):
        (shared / name).touch()
        (shared / name).chmod(0o666)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")
def test_a_second_user_continues_a_run_of_the_group(shared: Path) -> None:
    prepare(shared, 0o2770)
    for number, count in ((1001, 5), (1002, 12), (1001, 20)):
        with user(number, 3000):
            assert bring(shared, count) == []
    for path in (shared / "run").rglob("*"):
        found = path.stat()
        expected = 0o2770 if path.is_dir() else 0o660
        assert (stat.S_IMODE(found.st_mode), found.st_gid) == (expected, 3000), path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")
def test_a_run_that_another_user_keeps_to_himself_is_refused_with_his_name(shared: Path) -> None:
    prepare(shared, 0o2770)
    with user(1001, 3000):
        bring(shared, 5)
        (shared / "run/tasks/toy/000000").chmod(0o750)
    before = {path: path.stat().st_mtime_ns for path in (shared / "run").rglob("*")}
    with user(1002, 3000), pytest.raises(ConfigError, match="belongs to .*1001.*chmod") as caught:
        bring(shared, 12)
    assert caught.value.path == "--out"
    assert {path: path.stat().st_mtime_ns for path in (shared / "run").rglob("*")} == before


def test_a_file_in_a_folder_for_all_is_not_for_all(shared: Path) -> None:
    from renp_infer.files import write_text

    shared.chmod(0o1777)
    write_text(shared / "mine.csv", "1")
    assert stat.S_IMODE((shared / "mine.csv").stat().st_mode) == 0o644
