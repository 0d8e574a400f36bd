"""Run directories: a manifest with the hashes of all files, one writer.

A verb is done when the manifest says so, its key matches and the hash of its
file matches; the existence of a file says nothing. ``blocks.py`` keeps the same
promise for each of its tasks. POSIX only.
"""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from renp_infer.engine.blocks import MANIFEST as BLOCK_MANIFEST
from renp_infer.engine.blocks import TASKS, Blocks, are_of
from renp_infer.engine.lock import LOCK, HeldError, Lock
from renp_infer.engine.product import Product
from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.files import (
    digest_own,
    is_directory,
    is_file,
    make_directory,
    replacing,
    write_text,
)
from renp_infer.resources import MAX_BYTES

SCHEMA = 1
"""Version of the layout of a run directory."""
SHARDS = "shards"
"""Folder of run directories that are joined into this one."""
ENTRY: Mapping[str, tuple[type, ...]] = {
    "key": (str,),
    "file": (str,),
    "finished": (str,),
    "executor": (str,),
    "tasks": (int,),
    "failed": (int,),
    "seconds": (int, float),
}
"""Kinds of what is read of a verb's entry in the manifest."""
MANIFEST, PROGRESS = "manifest.json", "progress.jsonl"


class Store:
    """The one writer of a run directory; use as a context manager.

    Parameters
    ----------
    directory : Path
        Created if missing.

    Raises
    ------
    ConfigError
        If the directory cannot be written, belongs to something else or to a
        newer version, or another run is writing it.

    Attributes
    ----------
    directory : Path
    distrust : str
        Why the manifest that was found does not count; empty if it does.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        check_directory(directory)
        make_directory(directory)
        _refuse_unwritable(directory)
        self._lock = self._acquire()
        try:
            for stale in directory.glob(".tmp-*"):
                stale.unlink(missing_ok=True)
            self._manifest, self.distrust = judged_manifest(directory)
            if not self.path(MANIFEST).exists():
                self._save()  # from now on the directory is known as a run's
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _acquire(self) -> Lock:
        allowed = "a directory that no other run is writing"
        try:
            return Lock(self.directory)
        except HeldError as error:
            at_work = f"process {error} is at work there" if str(error) else ""
            raise ConfigError("--out", str(self.directory), allowed, at_work) from error

    def close(self) -> None:
        """Let others write."""
        self._lock.release()

    def path(self, name: str) -> Path:
        """Path of a file of this directory."""
        return self.directory / name

    def blocks(self, verb: Product) -> Blocks:
        """Results of a verb's single tasks."""
        return Blocks(self.directory, verb.name, verb.suffix)

    def entry(self, verb: str) -> dict[str, Any] | None:
        """What the manifest says of a verb's result."""
        found: dict[str, Any] | None = self._manifest["tasks"].get(verb)
        return found

    def is_done(self, verb: Product, key: str) -> bool:
        """Tell whether a verb's result is there, whole, and made from the same inputs."""
        entry = self.entry(verb.name)
        return entry is not None and entry.get("key") == key and self.is_intact(verb.file)

    def is_intact(self, name: str) -> bool:
        """Tell whether a file is as the manifest describes it."""
        known = self._manifest["files"].get(name)
        return bool(known) and digest_own(self.path(name)) == known

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

    def note(self, *names: str) -> None:
        """Put the present hashes of files into the manifest."""
        self._manifest["files"] |= {name: digest_own(self.path(name)) for name in names}
        self._save()

    def forget(self, verbs: Iterable[Product]) -> None:
        """Declare verbs and all their tasks not done, and remove the tasks."""
        for verb in verbs:
            self._manifest["tasks"].pop(verb.name, None)
            self._save()
            self.blocks(verb).forget()

    def finish(self, verb: Product, key: str, facts: dict[str, Any]) -> None:
        """Declare a verb done; its file must have been written."""
        self._manifest["tasks"][verb.name] = {
            "key": key,
            "file": verb.file,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        } | facts
        self._save()

    def _save(self) -> None:
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
        present = [entry.name for entry in directory.iterdir()]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError("--out", str(directory), allowed, reason) from error
    foreign = sorted(name for name in present if name != TASKS and not name.startswith("."))
    if foreign and MANIFEST not in foreign:
        raise ConfigError("--out", str(directory), allowed, f"it holds {foreign[0]!r}")
    judged_manifest(directory)


def check_run(directory: Path) -> None:
    """Refuse a directory that is no run's.

    Raises
    ------
    ConfigError
        Also if a newer version wrote it.
    """
    if not is_file(directory / MANIFEST):
        raise ConfigError("RUN", str(directory), f"a run directory, which has a {MANIFEST}")
    judged_manifest(directory)


def runs_in(directory: Path) -> list[Path]:
    """A run directory; or those in a folder of several, as ``renp run A B --out DIR`` makes it.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    if not is_file(directory / MANIFEST) and is_directory(directory):
        inner = sorted(path for path in directory.iterdir() if is_file(path / MANIFEST))
        if inner:
            for run in inner:
                check_run(run)
            return inner
    check_run(directory)
    return [directory]


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest of a run directory; an empty one if there is none or it is broken.

    Parameters
    ----------
    directory : Path
        The run directory.

    Raises
    ------
    ConfigError
        If a newer version wrote it.
    """
    return judged_manifest(directory)[0]


def judged_manifest(directory: Path) -> tuple[dict[str, Any], str]:
    """Manifest, and why it is an empty one although there is a file.

    Raises
    ------
    ConfigError
        If a newer version wrote it, or it names or holds what is not the run's own.
    """
    empty: dict[str, Any] = {"schema": SCHEMA, "files": {}, "tasks": {}}
    _refuse_links(directory)
    if not is_file(directory / MANIFEST):  # a pipe or a device never ends
        return empty, ""
    try:
        if (directory / MANIFEST).stat().st_size > MAX_BYTES:
            raise ConfigError("run directory", str(directory), f"a {MANIFEST} of {MAX_BYTES} bytes")
        found = json.loads((directory / MANIFEST).read_bytes())
    except OSError:
        return empty, ""
    except (ValueError, RecursionError) as error:
        if isinstance(error, ConfigError):
            raise
        return empty, f"{MANIFEST} cannot be read"
    version = found.get("schema") if isinstance(found, dict) else None
    if isinstance(version, int) and version > SCHEMA:
        allowed = f"a run directory of schema {SCHEMA} or older"
        hint = f"a newer version wrote it, with schema {version}: install that one, or take another"
        raise ConfigError("run directory", str(directory), allowed, f"{hint} directory")
    if version != SCHEMA or not _well_formed(found):
        return empty, f"{MANIFEST} is no manifest of a run"
    _refuse_names(directory, found)
    return found, ""


def _well_formed(found: dict[str, Any]) -> bool:
    """Whether all that is read of a manifest is of the kind that it should be."""
    files, tasks = found.get("files"), found.get("tasks")
    return (
        isinstance(files, dict)
        and isinstance(tasks, dict)
        and all(isinstance(known, str) for known in files.values())
        and all(isinstance(entry, dict) and are_of(ENTRY, entry) for entry in tasks.values())
    )


def _refuse_names(directory: Path, found: dict[str, Any]) -> None:
    """Refuse files of a manifest that are not below its directory."""
    for name in [*found["files"], *found["tasks"]]:
        steps = name.split("/")
        if "" in steps or ".." in steps or "\0" in name:
            allowed = f"a {MANIFEST} that names files of this directory"
            raise ConfigError(f"{directory}, {MANIFEST}", name, allowed)


def _refuse_links(directory: Path) -> None:
    """Refuse links in a run directory: what they lead to is not the run's to read or remove.

    Those beside the results of single tasks are met when they are opened.
    """
    for entry in _members(directory):
        if entry.is_symlink():
            allowed = "a run directory without links"
            raise ConfigError(entry.path, Said("a link"), allowed, "put what it leads to there")


def _refuse_unwritable(directory: Path) -> None:
    """Refuse a run that another user began and keeps to himself, before anything is written."""
    for entry in _members(directory):
        appended = entry.name in (LOCK, PROGRESS, BLOCK_MANIFEST)
        if not (appended or entry.is_dir()) or os.access(entry.path, os.W_OK, **AS_I_AM):
            continue
        owner = _owner(entry.stat().st_uid)
        allowed = "files and folders that you may write"
        hint = f"it belongs to {owner}, who can say chmod -R g+w; or continue a copy"
        raise ConfigError("--out", entry.path, allowed, hint)


AS_I_AM = {"effective_ids": os.access in os.supports_effective_ids}
"""To ask for the rights of this process, where the system can tell them from the user's."""


def _owner(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _members(directory: Path | str, depth: int = 0) -> Iterator[os.DirEntry[str]]:
    """Files and folders of a run directory, but for tasks' results and shards, runs themselves."""
    try:
        with os.scandir(directory) as entries:
            found = list(entries)
    except (OSError, ValueError):
        return
    for entry in found:
        yield entry
        block = depth == 2 and entry.name.isdecimal()
        if not (block or entry.name == SHARDS or depth > 3) and entry.is_dir(follow_symlinks=False):
            yield from _members(entry.path, depth + 1)
