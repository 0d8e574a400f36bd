"""From a study and what was moved to a study again, and back to a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from renp_infer.engine.run import Run
from renp_infer.engine.store import check_run
from renp_infer.errors import ConfigError
from renp_infer.explorer.controls import (
    CONTROLS,
    COUPLING,
    GRID_KEYS,
    LOOP,
    PRESET,
)
from renp_infer.files import is_directory
from renp_infer.inference.settings import InferenceSettings
from renp_infer.physics.pairs.kinematics import has_extraordinary
from renp_infer.records import PRESETS
from renp_infer.study import reading as config
from renp_infer.study.load import find_study, load_study, read_tables, resolve
from renp_infer.study.priors import settings_of
from renp_infer.study.sections.detector import PickupSection
from renp_infer.study.sections.inference import InferenceSection
from renp_infer.study.sections.physics import PhysicsSection
from renp_infer.study.study import Study
from renp_infer.study.toml.tables import apply_overrides
from renp_infer.verbs.table import load_run

Settings = Mapping[str, str]
"""Texts of the controls by key; an empty one leaves the key out."""
_LOOP_SHOWN = PickupSection(radius_cm=1.5).model_dump()
"""Loop that is offered to a study without one."""
_LOOP_KEYS = tuple(f"{LOOP}.{name}" for name in _LOOP_SHOWN)


@dataclass(frozen=True)
class Opened:
    """A study, ready to be explored.

    Attributes
    ----------
    source : str
        Where it was read.
    tables : dict
        Its sections; paths are absolute.
    settings : dict
        What the controls show at first.
    note : str
        What is different from the file.
    run : Run or None
        Results, if it is a run directory.
    """

    source: str
    tables: dict[str, Any]
    settings: dict[str, str]
    note: str = ""
    run: Run | None = None


def open_study(place: str | Path) -> Opened:
    """Open a study file, a study that ships with the package, or a run directory.

    Raises
    ------
    ConfigError
        If it is none, or not valid.
    StoreError
        If a result of a run cannot be read.
    """
    path = Path(place)
    if is_directory(path):
        check_run(path)
        opened = open_study(path / "study.resolved.toml")
        return replace(opened, source=str(path), run=load_run(path))
    file = find_study(path)
    tables = read_tables(file)
    study = load_study(path, inference=False)
    tables = {"name": study.name} | tables
    _root_priors(tables, file.parent)
    if _at(tables, "target.scheme") is not None:
        tables["target"]["scheme"] = study.resolved["target"]["scheme"]
    note = ""
    if study.sets:
        del tables["data"]
        tables.pop("blinding", None)
        left_out = ("data", "blinding")
        own = {key: table for key, table in study.resolved.items() if key not in left_out}
        study = load_study(own, inference=False)
        note = "The data sets of this study are left out: what is shown is its own [layout]."
    if study.measurement is not None:
        # measured data belong to their angles, which are there to be moved
        del tables["data"]
        tables.pop("blinding", None)
        tables["layout"] = study.resolved["layout"] | {"theta_s_deg": _degrees(study)}
        exposure = {"exposure_s": study.experiment.detector.exposure_s}
        tables["detector"] = tables.get("detector", {}) | exposure
        note = "The measured data of this study are left out; angles and exposure are theirs."
    return Opened(str(file), tables, _shown(study), note)


def _root_priors(tables: dict[str, Any], folder: Path) -> None:
    """Make the paths of priors by parameter mean the same from any folder."""
    for entry in (_at(tables, "inference.priors") or {}).values():
        if isinstance(entry, dict) and "file" in entry:
            entry["file"] = str((folder / entry["file"]).absolute())


def _degrees(study: Study) -> list[float]:
    return [math.degrees(angle) for angle in study.experiment.layout.theta_s]


def _shown(study: Study) -> dict[str, str]:
    """Texts of all controls at a study."""
    angles = _degrees(study)
    grid = dict(zip(GRID_KEYS, (angles[0], angles[-1], len(angles)), strict=True))
    values = {control.key: _at(study.resolved, control.key) for control in CONTROLS}
    values |= {f"{LOOP}.{key}": value for key, value in _LOOP_SHOWN.items()} | {
        key: value for key, value in values.items() if value is not None
    }
    values |= grid
    return {key: _text(values[key]) for key in (c.key for c in CONTROLS)}


def _at(tables: Any, key: str) -> Any:
    for step in key.split("."):
        tables = tables.get(step) if isinstance(tables, dict) else None
    return tables


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def tables_of(opened: Opened, settings: Settings) -> dict[str, Any]:
    """Sections of the study that settings describe; what was not moved stays as it is.

    Raises
    ------
    ConfigError
        On a text that is no assignment.
    """
    moved = {c.key: settings.get(c.key, "") for c in CONTROLS}
    moved = {k: text.strip() for k, text in moved.items() if text.strip() != opened.settings[k]}
    tables = apply_overrides(opened.tables, ())
    if any(key in moved for key in GRID_KEYS):
        tables["layout"] = tables.get("layout", {}) | {"theta_s_deg": {}}
        moved |= {key: settings[key] for key in GRID_KEYS}
    if PRESET in moved:
        tables["physics"] = {}
    if settings[COUPLING].strip() == "pickup":
        loop = {key: settings[key] for key in _LOOP_KEYS if _at(tables, key) is None}
        moved = loop | moved
    else:
        moved = {key: text for key, text in moved.items() if key not in _LOOP_KEYS}
        tables.get("detector", {}).pop("pickup", None)
    for key in [key for key, text in moved.items() if not text]:
        del moved[key]
        home, _, name = key.rpartition(".")
        (_at(tables, home) or {}).pop(name, None)
    return apply_overrides(tables, [f"{key}={text}" for key, text in moved.items()])


def study_of(tables: Mapping[str, Any]) -> Study:
    """Study that tables describe, as ``renp evaluate`` sees it.

    Raises
    ------
    ConfigError
        On the first thing that is wrong.
    """
    checked = config.validate(tables)
    bare = checked.model_copy(update=dict.fromkeys(config.TASKS))
    return resolve(bare, "", Path())


def priors_of(tables: Mapping[str, Any], study: Study) -> InferenceSettings:
    """Priors of a study's ``[inference]``, or its defaults, for the error of m1."""
    section = config.validate(tables).inference or InferenceSection()
    rays = has_extraordinary(study.experiment)
    return settings_of(section, study.oscillation, extraordinary=rays)


def other_presets(tables: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The study with each preset that is not its own, and with no other switch."""
    own = tables.get("physics", {}).get("preset", PhysicsSection().preset)
    return {name: {**tables, "physics": {"preset": name}} for name in PRESETS if name != own}


def moved_keys(opened: Opened, settings: Settings) -> str:
    """What was moved since a study was opened, in words; empty if nothing was."""
    texts = {c.key: settings.get(c.key, "").strip() for c in CONTROLS}
    changed = {key: text for key, text in texts.items() if text != opened.settings[key]}
    said = [f"{key.rpartition('.')[2]} = {text or 'default'}" for key, text in changed.items()]
    return ", ".join(said)


def study_text(opened: Opened, settings: Settings) -> str:
    """Study file of settings, checked as ``renp run`` would.

    Raises
    ------
    ConfigError
        On the first thing that is wrong.
    """
    tables = tables_of(opened, settings)
    resolve(config.validate(tables), "", Path())
    return tomli_w.dumps(tables)


def blamed(error: Exception) -> str:
    """Key of the control that an error names; empty if there is none."""
    path = error.path if isinstance(error, ConfigError) else ""
    keys = [control.key for control in CONTROLS]
    return next((key for key in keys if key == path or path.startswith(f"{key}.")), "")
