"""Results of the tasks of one verb: a file each, in folders of a thousand.

``tasks/<verb>/<block>/`` holds the files and ``manifest.jsonl``, one line per
attempt that ended. A task is done when the manifest has its key and the hash of
its file matches. Only one block's manifest is in memory at a time, so that
memory does not grow with the number of tasks. Written by the driver alone.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from renp_infer.engine.tasks import Scratch, Task
from renp_infer.errors import StoreError
from renp_infer.files import (
    digest_of,
    digest_own,
    is_directory,
    make_own_directory,
    open_own,
    write_bytes,
)

BLOCK = 1000
"""Tasks of a folder: few enough to list, many enough for ten million tasks."""
TASKS = "tasks"
MANIFEST = "manifest.jsonl"
SCRATCH = "scratch"
LINE: Mapping[str, tuple[type, ...]] = {
    "key": (str,),
    "sha256": (str,),
    "error": (str,),
    "seconds": (int, float),
    "attempts": (int,),
}
"""Kinds of what is read of a line of a manifest."""
LONGEST_LINE = 100_000
"""Of a manifest, in bytes; a longer one is no line of ours."""


class Blocks:
    """Tasks of one verb in a run directory.

    Parameters
    ----------
    directory : Path
        The run directory.
    verb : str
    suffix : str
        Of the tasks' files.
    """

    def __init__(self, directory: Path, verb: str, suffix: str) -> None:
        self._directory, self._verb = directory, verb
        self.folder = directory / TASKS / verb
        self.suffix = suffix
        self._number = -1
        self._known: dict[str, dict[str, Any]] = {}
        self._opened: set[int] = set()

    def path(self, task: Task) -> str:
        """Where a task's result is or will be.

        A text: the names that a ``Path`` has seen stay in memory for good.
        """
        name = f"{task.index % BLOCK:03d}-{task.key[:16]}{self.suffix}"
        return os.path.join(self._block(task.index), name)

    @property
    def scratch(self) -> Scratch:
        """Where unfinished tasks keep what they can go on from."""
        return Scratch(str(self._directory.absolute()), os.path.join(TASKS, self._verb, SCRATCH))

    def is_done(self, task: Task) -> bool:
        """Tell whether a task's result is there and whole."""
        entry = self._entries(task.index // BLOCK).get(task.key)
        return entry is not None and entry.get("sha256") == digest_own(self.path(task))

    def entry(self, task: Task) -> dict[str, Any] | None:
        """What the manifest says of a task: ``sha256`` or ``error``, seconds, worker."""
        return self._entries(task.index // BLOCK).get(task.key)

    def write(self, task: Task, payload: bytes, facts: dict[str, Any]) -> None:
        """Write a result, then declare the task done.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        # Without waiting for the disk: after a power failure the hash tells.
        write_bytes(self._made(task), payload)
        self._append(task, {"sha256": digest_of(payload)} | facts)

    def write_failure(self, task: Task, facts: dict[str, Any]) -> None:
        """Record that a task failed for good: it is tried again in the next run.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        self._made(task)
        self._append(task, facts)

    def forget(self) -> None:
        """Remove everything, manifests first, so that no half is left to be trusted.

        Raises
        ------
        StoreError
            If something cannot be removed.
        """
        try:
            for path in self.folder.glob(f"*/{MANIFEST}"):
                path.unlink(missing_ok=True)
            if os.path.lexists(self.folder):
                shutil.rmtree(self.folder)  # which follows no link
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot be removed ({error.strerror})") from error
        self._number, self._opened = -1, set()

    def manifests(self) -> Iterator[tuple[int, Path]]:
        """Numbers of the blocks that there are, and their manifests."""
        there = is_directory(self.folder)  # a name that is too long cannot even be listed
        for block in sorted(self.folder.glob("*")) if there else ():
            if block.name.isdecimal():
                yield int(block.name), block / MANIFEST

    @staticmethod
    def indices(number: int, count: int) -> range:
        """Indices of a block's tasks, of ``count`` in all."""
        return range(number * BLOCK, min((number + 1) * BLOCK, count))

    def _block(self, index: int) -> Path:
        return self.folder / f"{index // BLOCK:06d}"

    def _entries(self, number: int) -> dict[str, dict[str, Any]]:
        if number != self._number:
            self._number = number
            self._known = read_entries(self._block(number * BLOCK) / MANIFEST)
        return self._known

    def _made(self, task: Task) -> str:
        """Path of a task's file, its folder made and freed of what a killed writer left."""
        number, block = task.index // BLOCK, self._block(task.index)
        if number not in self._opened:
            try:
                make_own_directory(block)
            except OSError as error:
                raise StoreError(f"{block}: cannot be made ({error.strerror})") from error
            for stale in block.glob(".tmp-*"):
                stale.unlink(missing_ok=True)
            self._opened.add(number)
        return self.path(task)

    def _append(self, task: Task, facts: dict[str, Any]) -> None:
        line = {"key": task.key, "index": task.index} | facts
        append_line(self._block(task.index) / MANIFEST, line)
        if task.index // BLOCK == self._number:
            self._known[task.key] = line


def append_line(path: Path, line: dict[str, Any]) -> None:
    """Append one JSON line; a torn line that a killed writer left is ended first.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    try:
        with open(open_own(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), "ab+") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(size - 1, 0))
            torn = size > 0 and stream.read(1) != b"\n"
            stream.write(b"\n" * torn + json.dumps(line).encode() + b"\n")
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error


def read_entries(path: Path) -> dict[str, dict[str, Any]]:
    """Last line of each key; lines that are torn or no such thing are passed over."""
    known = (entry for entry in read_lines(path) if "key" in entry and are_of(LINE, entry))
    return {entry["key"]: entry for entry in known}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """JSON objects of a file, one a line; what is torn or no object is passed over."""
    found = []
    for line in _lines(path):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found


def are_of(kinds: Mapping[str, tuple[type, ...]], entry: Mapping[str, Any]) -> bool:
    """Whether what an entry of a manifest says is of the kinds that are read."""
    return all(type(entry[name]) in kinds[name] for name in kinds.keys() & entry.keys())


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with open(open_own(path, os.O_RDONLY), "rb") as stream:
            yield from iter(lambda: stream.readline(LONGEST_LINE), b"")
    except OSError:
        return
