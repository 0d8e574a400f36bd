"""A study file as a checked, typed object; every refusal is one ``ConfigError``.

TOML in, ``StudyConfig`` out. This module knows keys, types and ranges; what
needs a target scheme or an oscillation table is decided in ``resolve.py``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic import BeforeValidator as Before

from renp_infer.errors import ConfigError
from renp_infer.fields import (
    Choice,
    Said,
    Whole,
    directory_name,
    nearest,
    toml_value,
)
from renp_infer.study.sections.accuracy import AccuracySection
from renp_infer.study.sections.atlas import AtlasSection
from renp_infer.study.sections.base import as_tuple
from renp_infer.study.sections.blinding import BlindingSection
from renp_infer.study.sections.calibrate import CalibrateSection
from renp_infer.study.sections.compare import CompareSection
from renp_infer.study.sections.constraints import ConstraintsSection
from renp_infer.study.sections.data import DataSections
from renp_infer.study.sections.detector import DetectorSection
from renp_infer.study.sections.execution import ExecutionSection
from renp_infer.study.sections.forecast import ForecastSection
from renp_infer.study.sections.inference import InferenceSection
from renp_infer.study.sections.lasers import LasersSection
from renp_infer.study.sections.layout import LayoutSection
from renp_infer.study.sections.neutrino import NeutrinoSection
from renp_infer.study.sections.optimize import OptimizeSection
from renp_infer.study.sections.physics import PhysicsSection
from renp_infer.study.sections.scan import ScanSection
from renp_infer.study.sections.simulate import SimulateSection
from renp_infer.study.sections.systematics import SystematicEntry
from renp_infer.study.sections.target import TargetSection

TASKS = (
    "simulate",
    "inference",
    "compare",
    "calibrate",
    "forecast",
    "scan",
    "optimize",
    "atlas",
)
"""Sections that ask for work."""

MAX_BYTES = 10_000_000
"""Largest study file that is read."""
MAX_DEPTH = 32
"""Deepest nesting of tables and lists; no key of a study is deeper than three."""
_NOTHING = Said("nothing")


class StudyConfig(BaseModel):
    """A study file, key by key, with the defaults filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Annotated[Literal[1], Before(Choice(1))] = Field(alias="schema")
    name: Annotated[str, Before(directory_name)]
    seed: Annotated[int, Before(Whole(0, 2**63 - 1))] = 20211207
    neutrino: NeutrinoSection = NeutrinoSection()
    physics: PhysicsSection = PhysicsSection()
    target: TargetSection = TargetSection()
    layout: LayoutSection = LayoutSection()
    lasers: LasersSection = LasersSection()
    detector: DetectorSection = DetectorSection()
    accuracy: AccuracySection = AccuracySection()
    execution: ExecutionSection = ExecutionSection()
    simulate: SimulateSection | None = None
    data: DataSections | None = None
    blinding: BlindingSection | None = None
    constraints: ConstraintsSection | None = None
    systematics: Annotated[tuple[SystematicEntry, ...], Before(as_tuple)] | None = None
    inference: InferenceSection | None = None
    compare: CompareSection | None = None
    forecast: ForecastSection | None = None
    scan: ScanSection | None = None
    optimize: OptimizeSection | None = None
    calibrate: CalibrateSection | None = None
    atlas: AtlasSection | None = None


def read_study_text(path: Path) -> str:
    """Read the text of a study file.

    Parameters
    ----------
    path : Path
        The file.

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
            raise ConfigError(str(path), Said("no such file"), allowed, _near_file(path))
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


def _near_file(path: Path) -> str:
    try:
        known = [entry.name for entry in path.parent.iterdir() if entry.suffix == ".toml"]
    except (OSError, ValueError):
        return ""
    return nearest(path.name, known)


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


def validate(raw: Mapping[str, Any]) -> StudyConfig:
    """Check the tables of a study.

    Parameters
    ----------
    raw : mapping
        Tables as parsed.

    Raises
    ------
    ConfigError
        On the first thing that is wrong.
    """
    try:
        return StudyConfig.model_validate(dict(raw))
    except ValidationError as error:
        details = error.errors(include_url=False)
        # An unknown key explains a missing one: name it first.
        details.sort(key=lambda detail: detail["type"] != "extra_forbidden")
        raise _translated(details[0]) from None


def _translated(detail: Mapping[str, Any]) -> ConfigError:
    """One of pydantic's errors in our words."""
    steps = [s for s in detail["loc"] if not str(s).startswith("<")]
    path, given, kind = _dotted(steps), _showable(detail["input"]), detail["type"]
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known_names(steps[:-1])
        hint = nearest(str(steps[-1]), known) or _elsewhere(str(steps[-1]))
        return ConfigError(path, given, "one of " + ", ".join(known), hint)
    if kind == "missing":
        return ConfigError(path, _NOTHING, _needed(str(steps[-1])))
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return ConfigError(path, given, f"a table [{path}]")
    return ConfigError(path, given, context.get("allowed", detail["msg"]), context.get("hint", ""))


def _dotted(steps: Iterable[str | int]) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _showable(value: object) -> object:
    """Stand-in for an integer that has too many digits to be printed."""
    huge = isinstance(value, int) and value.bit_length() > 1000
    return Said("an integer of more than 300 digits") if huge else value


def _needed(key: str) -> str:
    return "1" if key == "schema" else f"a value for {key!r}"


def _known_names(steps: Iterable[str | int]) -> list[str]:
    """Keys of the table at a path."""
    model: type[BaseModel] = StudyConfig
    for step in steps:
        # below a list, or a table whose keys are free, all entries are alike
        model = _tables(model).get(str(step), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _tables(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Sections of a model by key, also those in unions, lists and tables."""
    found = {}
    for name, field in model.model_fields.items():
        for kind in kinds_of(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found[name] = kind
    return found


def kinds_of(annotation: Any) -> Iterator[Any]:
    """An annotation and all that it is made of."""
    yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from kinds_of(inner)


def _elsewhere(key: str) -> str:
    """Hint for a key that is right but stands in the wrong section."""
    homes = [name for name, model in _tables(StudyConfig).items() if key in model.model_fields]
    return f"did you mean {f'{homes[0]}.{key}'!r}?" if homes else ""
