"""Paths that a study names: made absolute, and taken apart from where they lie."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def expanded(path: str | Path) -> Path:
    """Path in which ``~`` is the user's home; one of an unknown user stays as it is."""
    with contextlib.suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)


def absolute_path(folder: Path, path: str) -> str:
    """Path that means the same from any folder; a relative one starts from ``folder``."""
    return str((folder / expanded(path)).absolute())


def with_paths(value: Any, change: Callable[[str], str]) -> Any:
    """Plain values in which every absolute path is changed."""
    if isinstance(value, str):
        return change(value) if value.startswith("/") else value
    if isinstance(value, Mapping):
        return {key: with_paths(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [with_paths(inner, change) for inner in value]
    return value


def without_folders(value: Any) -> Any:
    """Plain values in which files have their bare names: where they lie changes no result."""
    return with_paths(value, lambda path: Path(path).name)
