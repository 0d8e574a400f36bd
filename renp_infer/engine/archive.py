"""The user's own files that a study depends on, kept in its run directory.

A run directory then means the same on another machine: ``study.resolved.toml`` names
the copies, the manifest has their hashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from renp_infer.engine.store import Store, read_manifest
from renp_infer.errors import StoreError
from renp_infer.files import digest_of, digest_own, make_own_directory
from renp_infer.resources import read_toml
from renp_infer.study.paths import with_paths
from renp_infer.study.study import Study

INPUTS = "inputs"
LEFT = {"blinding", "scan"}
"""Sections whose files stay where they are: a secret, and what only some cells of a scan read."""


def keep_inputs(store: Store, study: Study) -> dict[str, Any]:
    """Copy the files of a study into its run directory, unless they are there.

    Returns
    -------
    dict
        The resolved study, which names the copies.

    Raises
    ------
    StoreError
        If a file is no longer what was read, or cannot be copied.
    """
    places: dict[str, str] = {}

    def place(path: str) -> str:
        return places.setdefault(path, f"{INPUTS}/{len(places)}/{Path(path).name}")

    resolved = {
        name: value if name in LEFT else with_paths(value, place)
        for name, value in study.resolved.items()
    }
    for path, name in places.items():
        _copy(store, Path(path), name, study)
        for inner in _named_in(Path(path)):
            _copy(store, Path(path).parent / inner, f"{name.rpartition('/')[0]}/{inner}", study)
    return resolved


def _named_in(path: Path) -> Iterator[str]:
    """Files beside a file of constraints that it names."""
    if path.suffix != ".toml":
        return
    raw = read_toml(path, str(path))
    for kind in ("table", "chain"):
        rows = raw.get(kind)
        for row in rows if isinstance(rows, list) else ():
            inner = row.get("file") if isinstance(row, dict) else None
            if (
                isinstance(inner, str)
                and not inner.startswith("/")
                and ".." not in Path(inner).parts
            ):
                yield inner


def _copy(store: Store, path: Path, name: str, study: Study) -> None:
    if store.is_intact(name) and digest_own(store.path(name)) in _digests(study):
        return
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    if digest_of(content) not in _digests(study):
        raise StoreError(f"{path} is no longer what was read: give the command again")
    make_own_directory(store.path(name).parent)
    store.write(name, lambda target: target.write_bytes(content))


def _digests(study: Study) -> set[str]:
    studies = [study, *(one.study for one in study.sets)]
    return {known for one in studies for known in one.digests.values()}


def located(value: Any, directory: Path) -> Any:
    """Resolved study of a run directory, whose copies are named from anywhere."""
    if isinstance(value, str):
        own = value.startswith(f"{INPUTS}/")
        return str((directory / value).absolute()) if own else value
    if isinstance(value, dict):
        return {key: located(inner, directory) for key, inner in value.items()}
    return [located(inner, directory) for inner in value] if isinstance(value, list) else value


def check_inputs(directory: Path) -> None:
    """Refuse a run directory whose copies are not what its manifest says.

    Raises
    ------
    StoreError
        The first of them.
    """
    for name, known in read_manifest(directory)["files"].items():
        if name.startswith(f"{INPUTS}/") and digest_own(directory / name) != known:
            raise StoreError(f"{directory / name} is not what the manifest says: put it back")
