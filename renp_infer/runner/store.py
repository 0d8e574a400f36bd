"""Run directories: atomic files, a manifest with their hashes, one writer.

A task is done when the manifest says so, its key matches and the hash of its
file matches; the existence of a file says nothing. POSIX only (``flock``).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from renp_infer.errors import ConfigError, StoreError

MANIFEST = "manifest.json"
PROGRESS = "progress.jsonl"
TASK_FILES = {"evaluate": "evaluate.json", "simulate": "simulate.json", "infer": "infer.nc"}
OWN_FILES = frozenset(
    {MANIFEST, PROGRESS, "study.toml", "study.resolved.toml", "report.html"}
    | set(TASK_FILES.values())
)
_PACKAGES = ("renp-infer", "numpy", "scipy", "numba", "pymc", "nutpie", "arviz", "emcee")


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes; empty if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file that takes the place of another once it is complete.

    Parameters
    ----------
    path : Path
        The file to be; it keeps its old content until the block ends well.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=".tmp-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def make_directory(directory: Path) -> None:
    """Create a directory that can be written, or refuse.

    Raises
    ------
    ConfigError
        If it cannot be created, is no directory, or cannot be written.
    """
    allowed = "a directory that can be created and written"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".tmp-", dir=directory):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError("--out", str(directory), allowed, reason) from error


class Store:
    """The one writer of a run directory; use as a context manager.

    Parameters
    ----------
    directory : Path
        Created if missing.

    Raises
    ------
    ConfigError
        If the directory cannot be written, belongs to something else, or
        another run is writing it.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        check_directory(directory)
        make_directory(directory)
        self._lock = self._acquire()
        try:
            for stale in directory.glob(".tmp-*"):
                stale.unlink(missing_ok=True)
            self._manifest = read_manifest(directory)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _acquire(self) -> int:
        # The system drops the lock with the process, so none is ever stale.
        handle = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise ConfigError(
                "--out",
                str(self.directory),
                "a directory that no other run is writing",
                f"process {holder} is at work there" if holder else "",
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        return handle

    def close(self) -> None:
        """Let others write."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def path(self, name: str) -> Path:
        """Path of a file of this directory."""
        return self.directory / name

    def is_done(self, task: str, key: str) -> bool:
        """Tell whether a task's result is there, whole, and made from the same inputs."""
        entry = self._manifest["tasks"].get(task)
        return bool(entry) and entry.get("key") == key and self.is_intact(TASK_FILES[task])

    def is_intact(self, name: str) -> bool:
        """Tell whether a file is as the manifest describes it."""
        known = self._manifest["files"].get(name)
        return bool(known) and digest(self.path(name)) == known

    def write(self, name: str, writer: Callable[[Path], object]) -> None:
        """Have a file written by a function of its path, and note its hash.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        with replacing(self.path(name)) as temporary:
            writer(temporary)
        self.note(name)

    def write_text(self, name: str, text: str) -> None:
        """Write a text file and note its hash."""
        self.write(name, lambda path: path.write_text(text, encoding="utf-8"))

    def note(self, name: str) -> None:
        """Put a file's present hash into the manifest."""
        self._manifest["files"][name] = digest(self.path(name))
        self._save()

    def forget(self, tasks: Iterable[str]) -> None:
        """Declare tasks not done, whatever is there."""
        for task in tasks:
            self._manifest["tasks"].pop(task, None)
        self._save()

    def finish(self, task: str, key: str, seconds: float) -> None:
        """Declare a task done; its file must have been written."""
        self._manifest["tasks"][task] = {
            "key": key,
            "file": TASK_FILES[task],
            "seconds": round(seconds, 3),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._save()

    def _save(self) -> None:
        self._manifest["versions"] = versions()
        text = json.dumps(self._manifest, indent=1, sort_keys=True)
        write_text(self.path(MANIFEST), text + "\n")


def check_directory(directory: Path) -> None:
    """Refuse a directory that holds something else, and what cannot be one.

    Raises
    ------
    ConfigError
        Nothing has been written then.
    """
    allowed = "a new or empty directory, or one of an earlier run"
    try:
        if not os.path.lexists(directory):
            return
        foreign = [
            entry.name
            for entry in directory.iterdir()
            if entry.name not in OWN_FILES and not entry.name.startswith(".")
        ]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError("--out", str(directory), allowed, reason) from error
    if foreign and not (directory / MANIFEST).is_file():
        raise ConfigError("--out", str(directory), allowed, f"it holds {sorted(foreign)[0]!r}")


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest of a run directory; an empty one if there is none or it is broken.

    Parameters
    ----------
    directory : Path
        The run directory.
    """
    empty: dict[str, Any] = {"schema": 1, "files": {}, "tasks": {}}
    try:
        found = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return empty
    tables = isinstance(found, dict) and all(
        isinstance(found.get(part), dict) for part in ("files", "tasks")
    )
    return found if tables and found.get("schema") == 1 else empty


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that make the results."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
