"""A study file as a checked, typed object; every refusal is one ``ConfigError``.

Tables in, ``StudyConfig`` out. This module knows keys, types and ranges; ``toml/tables.py``
reads the TOML, and what needs a target scheme or an oscillation table is decided in
``resolve.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
)
from renp_infer.study.sections.accuracy import AccuracySection
from renp_infer.study.sections.atlas import AtlasSection
from renp_infer.study.sections.base import Word, about, as_tuple
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

_NOTHING = Said("nothing")


class StudyConfig(BaseModel):
    """A study file, key by key, with the defaults filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Annotated[
        Literal[1], Before(Choice(1)), about("Version of the keys of a study.")
    ] = Field(alias="schema")
    name: Annotated[
        str,
        Before(directory_name),
        about("Name of the study and of its run directory.", unset="the file's name"),
    ]
    include: Annotated[
        tuple[Word, ...],
        Before(as_tuple),
        about(
            "Other TOML files that this one is laid over, in their order: tables key by key, all "
            "else whole. Their paths start from the folder of the file that names them, all "
            "other paths from that of the study.",
            page="study-file.md#other-files",
        ),
    ] = ()
    seed: Annotated[
        int,
        Before(Whole(0, 2**63 - 1)),
        about("Whole number from which all random numbers follow.", page="running.md"),
    ] = 20211207
    neutrino: Annotated[
        NeutrinoSection,
        about(
            "The truth of mock data and of evaluate; of measured data a hypothesis.",
            page="theory.md#parameters-of-a-fit",
        ),
    ] = NeutrinoSection()
    physics: Annotated[
        PhysicsSection,
        about(
            "Which physics: a preset, and single switches over it.",
            page="theory.md#the-three-presets",
        ),
    ] = PhysicsSection()
    target: Annotated[TargetSection, about("Ion and host.", page="schemes.md")] = TargetSection()
    layout: Annotated[
        LayoutSection, about("Crystal and directions of the beams.", page="theory.md#kinematics")
    ] = LayoutSection()
    lasers: Annotated[
        LasersSection,
        about(
            "Intensities, timing, tuning and polarisation of the lasers.",
            page="theory.md#coherence-and-the-laser-cycle",
        ),
    ] = LasersSection()
    detector: Annotated[
        DetectorSection,
        about(
            "Magnetometer, pickup loop, angular resolution and exposure.", page="new-detector.md"
        ),
    ] = DetectorSection()
    accuracy: Annotated[
        AccuracySection, about("Numerical tolerance.", page="theory.md#the-crystal")
    ] = AccuracySection()
    execution: Annotated[
        ExecutionSection,
        about(
            "What is done when tasks fail; changes no result.", page="running.md#when-tasks-fail"
        ),
    ] = ExecutionSection()
    simulate: Annotated[
        SimulateSection | None,
        about("Asks for an ensemble of mock data.", page="own-data.md", unset="not asked for"),
    ] = None
    data: Annotated[
        DataSections | None,
        about(
            "Measured data, in the place of mock data; or several data sets, a table each.",
            page="own-data.md",
            unset="mock data",
        ),
    ] = None
    blinding: Annotated[
        BlindingSection | None,
        about(
            "Hides the answer of measured data behind secret offsets, until it is asked for.",
            page="blinding.md",
            unset="nothing is hidden",
        ),
    ] = None
    constraints: Annotated[
        ConstraintsSection | None,
        about(
            "What other experiments say, as terms of the likelihood.",
            page="constraints.md",
            unset="none",
        ),
    ] = None
    systematics: Annotated[
        Annotated[tuple[SystematicEntry, ...], Before(as_tuple)] | None,
        about(
            "A template by angle of a disturbance of the field, with a parameter of its own.",
            page="priors.md#systematics-of-your-own",
            unset="none",
        ),
    ] = None
    inference: Annotated[
        InferenceSection | None,
        about("Asks for a posterior: priors and sampler.", page="priors.md", unset="not asked for"),
    ] = None
    compare: Annotated[
        CompareSection | None,
        about(
            "Asks which ordering, and whether Dirac or Majorana, by evidence.",
            page="hypotheses.md",
            unset="not asked for",
        ),
    ] = None
    forecast: Annotated[
        ForecastSection | None,
        about(
            "Asks what an experiment could see, and in what time.",
            page="forecasts.md#the-section",
            unset="not asked for",
        ),
    ] = None
    scan: Annotated[
        ScanSection | None,
        about(
            "Asks for one result in each cell of a grid of studies.",
            page="scans.md",
            unset="not asked for",
        ),
    ] = None
    optimize: Annotated[
        OptimizeSection | None,
        about(
            "Asks for the design that tells most.",
            page="design.md#optimising-a-layout",
            unset="not asked for",
        ),
    ] = None
    calibrate: Annotated[
        CalibrateSection | None,
        about(
            "Asks whether the statistics are right, on mock experiments.",
            page="calibration.md",
            unset="not asked for",
        ),
    ] = None
    atlas: Annotated[
        AtlasSection | None,
        about(
            "Asks which ladders of levels would tell most.",
            page="atlas.md",
            unset="not asked for",
        ),
    ] = None


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
    if kind == "tuple_type":
        return ConfigError(path, given, "a list, [...]")
    if kind == "extra_forbidden" and "[" in str(steps[-1]):
        allowed = "keys of all data sets: none is of one crystal, run or template alone"
        hint = "[[inference.priors.group]] has priors of one crystal or run"
        return ConfigError(path, given, allowed, hint)
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
