"""From a section ``[scan]`` to its cells, each of which is a study; refused where one is not."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.fields import Said, nearest
from renp_infer.inference.parameters import AMPLITUDE, parted
from renp_infer.study import reading as config
from renp_infer.study.checks import check_inference, check_weights
from renp_infer.study.datasets import assembled
from renp_infer.study.hypotheses import free_parameters
from renp_infer.study.reading import TASKS, StudyConfig
from renp_infer.study.scanned import GridCell, ScanPlan, Value
from renp_infer.study.sections.inference import InferenceSection
from renp_infer.study.sections.scan import ScanSection
from renp_infer.study.study import Study
from renp_infer.study.toml.tables import add_sections, apply_changes

BUILDS_ON = {
    "evaluate": (),
    "infer": ("inference",),
    "forecast": ("inference", "forecast"),
}
"""Sections of tasks that each question takes its settings from."""
MODEL = ("neutrino", "physics", "target", "layout", "lasers", "detector", "accuracy")
VARIED = {
    "evaluate": MODEL,
    "infer": (*MODEL, "inference", "seed"),
    "forecast": (*MODEL, "inference"),
}
"""Sections, and keys outside of any, that change what is asked."""
type Tables = dict[str, Any]
"""Sections of a study by name, and what stands above them."""
FILES = ("target.scheme", "neutrino.oscillation")
"""Keys that may name a file."""


def study_at(plan: ScanPlan, keys: Mapping[str, Value]) -> Study:
    """The study of a cell: the given one with some keys replaced, as by ``--set``.

    Raises
    ------
    ConfigError
        Where it is none.
    """
    tables = apply_changes(plan.tables, keys)
    return assembled(config.validate(tables), "", Path(plan.folder))


def scanned(study: Study, checked: StudyConfig, folder: Path) -> Study:
    """A study with its cells, each of them checked.

    Raises
    ------
    ConfigError
        Naming the key, or the cell that makes no study.
    """
    section = checked.scan
    assert section is not None
    tables = _tables(study, checked, section, folder)
    plan = ScanPlan(
        section.what,
        {key: _placed(key, values, folder) for key, values in section.over.items()},
        (),
        section.profile,
        _without_tasks(tables, section.what),
        str(folder.absolute()),
    )
    for key, values in plan.over.items():
        _check_key(plan, key, values)
        _check_moves(study, key)
    if plan.profile:
        priors = checked.inference or InferenceSection()
        fitted = checked.model_copy(update={"inference": priors})
        check_weights(fitted, study.experiment.switches)
        check_inference(fitted, study.experiment, study.parameters)
        _check_profile(study, plan)
    resolved = study.resolved | {"scan": _resolved(study.resolved["scan"], plan, tables)}
    return replace(study, scan=replace(plan, cells=_cells(plan)), resolved=resolved)


def _tables(study: Study, checked: StudyConfig, section: ScanSection, folder: Path) -> Tables:
    """What the study itself gave, also where this one was resolved before.

    A key that had followed others, and does not now, was given since.
    """
    tables = checked.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
    tables = {key: value for key, value in tables.items() if key not in ("scan", "execution")}
    if section.given is None:
        return tables
    follows = assembled(config.validate(_kept(tables, section.given)), "", folder).resolved
    changed = [
        f"{name}.{key}"
        for name, table in tables.items()
        if isinstance(table, dict)
        for key in table
        if study.resolved[name].get(key) != follows.get(name, {}).get(key)
    ]
    return _kept(tables, [*section.given, *changed])


def _kept(tables: Tables, names: Sequence[str]) -> Tables:
    """Tables with some of their keys, and what stands above the sections."""
    found: Tables = {}
    for name, table in tables.items():
        if isinstance(table, dict):
            kept = {key: value for key, value in table.items() if f"{name}.{key}" in names}
            found |= {name: kept} if kept or name in names else {}
        else:
            found[name] = table
    return found


def _given(tables: Mapping[str, Any]) -> list[str]:
    """Keys of tables, and sections without any."""
    found = []
    for name, table in tables.items():
        if isinstance(table, dict):
            found += [f"{name}.{key}" for key in table] or [name]
    return found


def _without_tasks(tables: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Tables without the tasks that are not asked for, and with those that are."""
    gone = set(TASKS) - set(BUILDS_ON[what]) | ({"seed"} if what == "evaluate" else set())
    kept = {key: value for key, value in tables.items() if key not in gone}
    add_sections(kept, BUILDS_ON[what])
    return kept


def _placed(key: str, values: tuple[Value, ...], folder: Path) -> tuple[Value, ...]:
    """Values, with files that mean the same from any folder."""
    if key not in FILES:
        return values
    return tuple(str((folder / str(v)).absolute()) if str(v).endswith(".toml") else v
                 for v in values)  # fmt: skip


def _check_key(plan: ScanPlan, name: str, values: tuple[Value, ...]) -> None:
    """A key that changes what is asked, and whose values are allowed one by one."""
    path = f"scan.over.{name}"
    section, _, key = name.partition(".")
    known = VARIED[plan.what]
    if section not in known or bool(key) == (section == "seed"):
        places = f"a key of {', '.join(known)}, such as layout.length_cm"
        allowed = f'{places}, with scan.what = "{plan.what}"'
        raise ConfigError(path, Said("this key"), allowed, nearest(section, known))
    for value in values:
        try:
            config.validate(apply_changes(plan.tables, {name: value}))
        except ConfigError as error:
            raise ConfigError(path, error.given, error.allowed, error.hint) from error


def _check_moves(study: Study, name: str) -> None:
    """A key that some data set takes from the study, and not all have for themselves."""
    section, _, key = name.partition(".")
    own = [one.get(section, {}) for one in study.resolved["data"]] if study.sets else []
    if own and all(key in table for table in own):
        allowed = "a key that a data set of [[data]] takes from there: each has its own"
        raise ConfigError(f"scan.over.{name}", Said("this key"), allowed)


def _cells(plan: ScanPlan) -> tuple[GridCell, ...]:
    """All cells, the last axis fastest; none without axes."""
    if not plan.over:
        return ()
    rows = itertools.product(*plan.over.values())
    return tuple(_cell(plan, dict(zip(plan.over, row, strict=True))) for row in rows)


def _cell(plan: ScanPlan, keys: dict[str, Value]) -> GridCell:
    try:
        found = study_at(plan, keys)
    except ConfigError as error:
        place = ", ".join(f"{key} = {value}" for key, value in keys.items())
        allowed = "values of which every combination is a valid study"
        raise ConfigError("scan.over", Said(place), allowed, str(error)) from error
    said = json.dumps([found.resolved, dict(found.digests)], sort_keys=True)
    return GridCell(keys, hashlib.sha256(said.encode()).hexdigest())


def _check_profile(study: Study, plan: ScanPlan) -> None:
    """Parameters that the fit has free, within their ranges."""
    free = free_parameters(study)
    for name, values in plan.profile.items():
        if name not in free:
            allowed = f"parameters that are free in the fit: {', '.join(free)}"
            raise ConfigError(f"scan.profile.{name}", Said("this"), allowed, nearest(name, free))
        low, high = free[name]
        for value in () if isinstance(values, str) else values:
            if not low <= value <= high or (parted(name)[0] == AMPLITUDE and value == 0.0):
                allowed = f"from {low:g} to {high:g}, as the prior"
                raise ConfigError(f"scan.profile.{name}", value, allowed)


def _resolved(
    section: Mapping[str, Any], plan: ScanPlan, tables: Mapping[str, Any]
) -> dict[str, Any]:
    """The section as a study takes it again."""
    own = {"over": {key: list(values) for key, values in plan.over.items()}}
    return {**section, **own, "given": _given(tables)}
