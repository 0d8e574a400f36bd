"""TOML texts to tables, and what changes tables before they are checked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.fields import Said, nearest, toml_value

MAX_BYTES = 10_000_000
"""Largest study file that is read."""
MAX_DEPTH = 32
"""Deepest nesting of tables and lists; no key of a study is deeper than three."""


def read_study_text(path: Path, names: Iterable[str] = ()) -> str:
    """Read the text of a study file.

    Parameters
    ----------
    path : Path
        The file.
    names : iterable of str
        What may have been meant besides files of its folder.

    Raises
    ------
    ConfigError
        If it is missing, not a regular file, unreadable, too large or not UTF-8.
    """
    allowed = "a readable TOML file"
    try:
        if path.is_dir():
            raise ConfigError(str(path), Said("a directory"), allowed)
        if not path.is_file():
            hint = _near_file(path, names)
            raise ConfigError(str(path), Said("no such file"), allowed, hint)
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(str(path), Said("a huge file"), f"at most {MAX_BYTES} bytes")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            str(path), Said("bytes that are no text"), "a TOML file in UTF-8"
        ) from error
    except OSError as error:
        given = Said(error.strerror or "an unreadable file")
        raise ConfigError(str(path), given, allowed) from error


def _near_file(path: Path, names: Iterable[str]) -> str:
    """The nearest file of the folder, or name."""
    try:
        files = [entry for entry in path.parent.iterdir() if entry.suffix == ".toml"]
    except (OSError, ValueError):
        files = []
    return nearest(path.name, [*names, *(entry.name for entry in files)])


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Tables of a TOML text.

    Parameters
    ----------
    text : str
        The text.
    source : str
        File to blame.

    Raises
    ------
    ConfigError
        If the text is not TOML, or nested deeper than any study.
    """
    try:
        return _shallow(tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        reason = "tables nested too deep" if isinstance(error, RecursionError) else error
        raise ConfigError(source, Said(f"no valid TOML ({reason})"), "a TOML file") from error


def apply_overrides(raw: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Tables with the settings of ``--set section.key=value`` put in.

    Parameters
    ----------
    raw : dict
        Tables of the study file; left as they are.
    overrides : iterable of str
        Assignments; a value that is not TOML is taken as text.

    Raises
    ------
    ConfigError
        If an assignment has no key or no ``=``, or a key leads through a value.
    """
    assignments: list[tuple[str, str, Any]] = []
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError("--set", text, "section.key=value")
        assignments.append((text, key, toml_value(value.strip())))
    return _assigned(raw, assignments, "--set")


def apply_changes(raw: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Tables with values put in by their dotted key.

    Parameters
    ----------
    raw : dict
        Tables of a study; left as they are.
    changes : mapping
        Value by ``section.key``.

    Raises
    ------
    ConfigError
        If a key is empty, or leads through a value.
    """
    return _assigned(raw, [(key, key, value) for key, value in changes.items()], "changes")


def _assigned(
    raw: dict[str, Any], assignments: Iterable[tuple[str, str, Any]], source: str
) -> dict[str, Any]:
    """Tables with (text to blame, dotted key, value) put in, which came from ``source``."""
    result = _copied(raw)
    for text, key, value in assignments:
        steps = [step.strip() for step in key.split(".")]
        if not all(steps):
            raise ConfigError(
                source, text, "section.key=value" if source == "--set" else "section.key"
            )
        table = result
        for step in steps[:-1]:
            table = table.setdefault(step, {})
            if not isinstance(table, dict):
                raise ConfigError(source, text, f"{step!r} to be a table, not a value")
        table[steps[-1]] = value
        try:
            _shallow(result)
        except RecursionError:
            raise ConfigError(source, text, f"at most {MAX_DEPTH} levels of tables") from None
    return result


def add_sections(raw: dict[str, Any], names: Iterable[str]) -> None:
    """Add empty sections, by dotted path, to tables that have none."""
    for name in names:
        table: Any = raw
        for step in name.split("."):
            if isinstance(table, dict):  # else it is refused later, with its key
                table = table.setdefault(step, {})


def _shallow(tree: dict[str, Any]) -> dict[str, Any]:
    """Refuse what is nested so deep that code which follows it would break."""
    level: list[Any] = [tree]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for node in level
            for item in (node.values() if isinstance(node, dict) else node)
            if isinstance(item, dict | list)
        ]
        if not level:
            return tree
    raise RecursionError


def _copied(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _copied(v) if isinstance(v, dict) else v for k, v in raw.items()}
