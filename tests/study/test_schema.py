"""The JSON schema and the program say the same of any study that is generated."""

import math
import tomllib
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import jsonschema
import numpy as np
import pytest
import tomli_w
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from renp_infer.errors import ConfigError
from renp_infer.fields import Choice, Number, Several, Whole
from renp_infer.resources import share_path
from renp_infer.study.reading import StudyConfig, validate
from renp_infer.study.texts.schema import NAME, schema_text, study_schema

SCHEMA = study_schema()
JUDGE = jsonschema.Draft7Validator(SCHEMA)
STUDIES = sorted(share_path("studies").glob("*.toml"))
Draw = np.random.Generator
SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 60))]


def by_schema(study: dict[str, Any]) -> bool:
    """Whether the schema takes a study."""
    return bool(JUDGE.is_valid(study))


def by_program(study: dict[str, Any]) -> bool:
    """Whether the program takes a study, before it looks at target and files."""
    try:
        validate({"name": "x"} | study)
    except ConfigError:
        return False
    return True


def test_the_shipped_copy_is_current() -> None:
    shipped = (share_path("data") / NAME).read_text(encoding="utf-8")
    assert shipped == schema_text(), "make texts writes it again"


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert "$ref" not in schema_text()  # beside which nothing would count in this dialect


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_shipped_studies_are_by_the_schema(path: Path) -> None:
    JUDGE.validate(tomllib.loads(path.read_text(encoding="utf-8")))


def number(check: Number, rng: Draw) -> float:
    """A number in a range, now and then one of its ends."""
    low, high = max(check.low, -1e6), min(check.high, 1e6)
    inside = float(rng.uniform(low, high))
    ends = [end for end, is_open in ((low, check.open_low), (high, check.open_high)) if not is_open]
    return float(rng.choice(ends)) if ends and rng.random() < 0.2 else inside


def checks(marks: Any) -> Iterator[Any]:
    return (check for mark in marks if (check := getattr(mark, "func", None)) is not None)


def value_of(annotation: Any, marks: Any, rng: Draw) -> Any:
    """A value that fits an annotation, made from its checks alone: the schema is not asked."""
    for check in checks(marks):
        if isinstance(check, Number):
            word = check.also and rng.random() < 0.3
            return check.also if word else number(check, rng)
        if isinstance(check, Whole):
            return int(rng.integers(check.low, min(check.high, 2**60), endpoint=True))
        if isinstance(check, Several):
            count = int(rng.integers(1, len(check.options) + 1))
            return [str(word) for word in rng.choice(check.options, count, replace=False)]
        if isinstance(check, Choice):
            return check.options[int(rng.integers(len(check.options)))]
    if hasattr(annotation, "__metadata__"):
        return value_of(annotation.__origin__, annotation.__metadata__, rng)
    kind, parts = get_origin(annotation), get_args(annotation)
    if kind in (Union, types.UnionType):
        some = [part for part in parts if part is not types.NoneType]
        return value_of(some[int(rng.integers(len(some)))], (), rng)
    if kind is tuple:
        items = [value_of(parts[0], (), rng) for _ in range(3)]
        return sorted(items) if all(isinstance(item, float) for item in items) else items
    if kind is dict:
        return {}
    if kind is Literal:
        return parts[int(rng.integers(len(parts)))]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return table_of(annotation, rng)
    return {bool: bool(rng.random() < 0.5), str: "word"}.get(annotation, 1.0)


SPECIAL: dict[str, Callable[[Draw], Any]] = {
    "vary": lambda rng: {"layout.length_cm": {"low": 1.0, "high": float(rng.uniform(2, 9))}},
    "windows": lambda rng: [{"centre_deg": float(rng.uniform(10, 80)), "points": 5}],
    "constraints": lambda rng: ["volume_cm3 <= 6.3"],
    "utility": lambda rng: [["eig_m1"], "sd_m1", ["p_nature", "cost"]][int(rng.integers(3))],
    "theta_s_deg": lambda rng: {"start": 10.0, "stop": float(rng.uniform(20, 90)), "points": 4},
    "angles_deg": lambda rng: [1.0, float(rng.uniform(2, 90))],
    "fixed_deg": lambda rng: [1.0, "200 mrad"],
    "m1_meV": lambda rng: float(rng.uniform(1, 9)),
    "preset_by_default": lambda rng: False,
    "include": lambda rng: [],
}
"""Keys whose values obey rules among each other, which neither checks nor schema name."""
MASSES = {"forecast", "sequential"}


def table_of(model: type[BaseModel], rng: Draw, place: str = "") -> dict[str, Any]:
    """Some keys of a section, and all that it needs."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if field.is_required() or rng.random() < 0.4:
            found[field.alias or name] = field_value(name, field, rng, place)
    return found


def field_value(name: str, field: FieldInfo, rng: Draw, place: str) -> Any:
    if name == "m1_meV" and place in MASSES:
        return [[1.0, 2.0], {"start": 1.0, "stop": float(rng.uniform(2, 9)), "points": 3}][
            int(rng.integers(2))
        ]
    if name == "constraints" and place == "":
        return {"use": ["katrin-2025"]}
    if name in SPECIAL and place != "priors":
        return SPECIAL[name](rng)
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return table_of(kind, rng, name)
    return value_of(field.annotation, field.metadata, rng)


def study_of(seed: int) -> dict[str, Any]:
    """A study that the program takes, from a seed."""
    rng = np.random.default_rng(seed)
    for _ in range(20):
        study = {"schema": 1, **table_of(StudyConfig, rng), "name": "x"}
        if by_program(study):
            return tomllib.loads(tomli_w.dumps(study))
    raise AssertionError("nothing that is generated is a study")


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_program_takes_the_schema_takes(seed: int) -> None:
    JUDGE.validate(study_of(seed))


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all keys that hold no table."""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def replaced(tree: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    head, *rest = path
    return tree | {head: replaced(tree[head], tuple(rest), value) if rest else value}


WRONG: tuple[Any, ...] = (
    True, "no such word", "", "3 parsecs per fortnight", "1 m", -1, -1e300, 1e300, 0, 0.5, 1, 7,
    10**12, [], ["x"], ["x", "x"], [1.0, 2.0], {}, {"x": 1}, {"start": 1.0},
)  # fmt: skip
"""What is put in the place of a value: wrong for most keys, right for some."""
ORDER = {"theta_s_deg", "angles_deg", "fixed_deg", "m1_meV", "belt_m1_meV", "exposures_s"}
"""Lists that must rise, and ranges whose ends must."""
RULES = {
    "vary", "windows", "start", "stop", "low", "high", "prior_odds", "preset_by_default", "over",
    "profile",
}  # fmt: skip
"""Keys that the program checks together with others."""


def beyond_a_schema(path: tuple[Any, ...], value: Any) -> bool:
    """What the schema leaves to the program, as its docstring says."""
    key = path[-1]
    unit = isinstance(value, str) and value[:1].isdigit()
    text = isinstance(value, str) and "name" in path
    return unit or text or key in RULES or key in ORDER or "windows" in path or "vary" in path


@pytest.mark.parametrize("seed", SEEDS)
def test_one_other_value_is_judged_alike(seed: int) -> None:
    study = study_of(seed)
    rng = np.random.default_rng([seed, 1])
    paths = list(leaves(study))
    for path in (paths[int(k)] for k in rng.integers(len(paths), size=8)):
        for value in WRONG:
            alone = {"schema": 1, path[0]: study[path[0]]}  # the rest is judged above
            other = replaced(alone, path, value)
            schema, program = by_schema(other), by_program(other)
            assert schema or not program, (path, value)
            if not beyond_a_schema(path, value):
                assert program or not schema, (path, value)


@pytest.mark.parametrize("seed", range(4))
def test_an_unknown_key_is_judged_alike(seed: int) -> None:
    study = study_of(seed)
    for path in {path[:-1] for path in leaves(study)}:
        if "vary" in path or "windows" in path:
            continue
        other = replaced(study, (*path, "no_such_key"), 1)
        assert not by_schema(other) and not by_program(other), path


@pytest.mark.slow
def test_generated_studies_reach_most_keys() -> None:
    seen = {path for seed in range(60) for path in leaves(study_of(seed))}
    sections = {path[0] for path in seen if len(path) > 1 or path == ("systematics",)}
    assert sections >= set(StudyConfig.model_fields) - {
        "schema_version", "name", "include", "seed",
    }  # fmt: skip
    assert len(seen) > 150


def test_numbers_that_are_none_are_left_to_the_program() -> None:
    """Why: JSON has no NaN, of which every comparison is false."""
    study = {"schema": 1, "lasers": {"cycle_ms": math.nan}}
    assert by_schema(study) and not by_program(study)


def test_whole_numbers_with_a_point_are_left_to_the_program() -> None:
    """Why: JSON knows no difference between 5 and 5.0."""
    study = {"schema": 1, "inference": {"draws": 50.0}}
    assert by_schema(study) and not by_program(study)
