"""Tables of a study with a section ``[optimize]``, from which its designs are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """

    section: OptimizeSection
    tables: dict[str, Any]
    folder: str
    data: tuple[dict[str, Any], ...] = ()


def design_of(study: StudyConfig, scheme: str, folder: Path) -> Design | None:
    """Design of a checked study file; ``None`` without a section ``[optimize]``."""
    if study.optimize is None:
        return None
    tables = study.model_dump(by_alias=True, exclude_unset=True, exclude_none=True, exclude=OTHERS)
    tables.setdefault("target", {})["scheme"] = scheme
    return Design(study.optimize, tables, str(folder))


def with_keys(tables: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of a study with some keys, by dotted path, put in."""
    found = {k: dict(v) if isinstance(v, dict) else v for k, v in tables.items()}
    for path, value in keys.items():
        section, _, key = path.partition(".")
        found.setdefault(section, {})[key] = value
    return found
