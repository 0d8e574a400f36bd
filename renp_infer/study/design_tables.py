"""Tables of a study with a section ``[optimize]``, from which its designs are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.study.reading import TASKS, StudyConfig
from renp_infer.study.sections.optimize import OptimizeSection

OTHERS = {*TASKS, "data", "blinding"} - {"inference"}
"""Sections that a design does not inherit."""


@dataclass(frozen=True)
class Design:
    """A checked section and what its designs are made from.

    Attributes
    ----------
    section : OptimizeSection
    tables : dict
        The study as given, without other tasks.
    folder : str
        Where its relative paths start.
    data : tuple of dict
        Tables of ``[[data]]``, beside which a design stands.
    found : mapping, optional
        Keys of the best design, once a search has found it.
    """

    section: OptimizeSection
    tables: dict[str, Any]
    folder: str
    data: tuple[dict[str, Any], ...] = ()
    found: Mapping[str, Any] | None = None


def design_of(study: StudyConfig, scheme: str, folder: Path) -> Design | None:
    """Design of a checked study file; ``None`` without a section ``[optimize]``.

    Raises
    ------
    ConfigError
        If a key that shall follow from others is not there.
    """
    if study.optimize is None:
        return None
    tables = study.model_dump(by_alias=True, exclude_unset=True, exclude_none=True, exclude=OTHERS)
    for path in study.optimize.follow:
        _leave_out(tables, path)
    tables = {key: table for key, table in tables.items() if table != {}}
    tables.setdefault("target", {})["scheme"] = scheme
    return Design(study.optimize, tables, str(folder))


def _leave_out(tables: dict[str, Any], path: str) -> None:
    section, _, key = path.partition(".")
    inner = tables.get(section)
    if key and isinstance(inner, dict):
        _leave_out(inner, key)
        if not inner:
            del tables[section]
    elif section in tables and not key:
        del tables[section]
    else:
        raise ConfigError("optimize.follow", path, "keys that the study has")


def derived_keys(
    resolved: Mapping[str, Any], given: Mapping[str, Any], path: str = ""
) -> list[str]:
    """Dotted keys of a resolved study that its designs take from others, or by default."""
    found = []
    for key, value in resolved.items():
        if key not in given and not isinstance(value, Mapping):
            found.append(f"{path}{key}")
        elif isinstance(value, Mapping):
            found += derived_keys(value, given.get(key, {}), f"{path}{key}.")
    return sorted(found)


def with_keys(tables: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of a study with some keys, by dotted path, put in."""
    found = dict(tables)
    for path, value in keys.items():
        section, _, key = path.partition(".")
        inner = found.get(section, {})
        found[section] = with_keys(inner, {key: value}) if key else value
    return found


def value_at(tables: Mapping[str, Any], path: str) -> Any:
    """Value of a key by dotted path; ``None`` where the tables have none."""
    section, _, key = path.partition(".")
    inner = tables.get(section)
    if not key:
        return inner
    return value_at(inner, key) if isinstance(inner, Mapping) else None
