"""A JSON schema of study files, from the models that check them."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from renp_infer.resources import share_path
from renp_infer.study.reading import StudyConfig
from renp_infer.study.texts.keys import Key, KeyTable, tables

DIALECT = "http://json-schema.org/draft-07/schema#"
"""What editors of TOML files know best: no reference has keywords beside it."""
NAME = "study.schema.json"
"""File of the data folder that has the schema."""


class _Generator(GenerateJsonSchema):
    """Schemas of checks are their own; what a study leaves out is not null."""

    def function_before_schema(
        self, schema: core_schema.BeforeValidatorFunctionSchema
    ) -> JsonSchemaValue:
        own = getattr(schema["function"]["function"], "schema", None)
        return dict(own) if own is not None else super().function_before_schema(schema)

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def study_schema() -> dict[str, Any]:
    """JSON schema of a study file, with ranges, units and texts.

    What it cannot say is left to the program: rules among keys, the order of lists, whether
    a unit that a text names fits, names of files and schemes.
    """
    raw = StudyConfig.model_json_schema(schema_generator=_Generator)
    found: dict[str, Any] = _plain(raw, raw.get("$defs", {}))
    found["required"] = ["schema"]  # a study without a name has that of its file
    all_tables = tables(every=True)
    for table in all_tables:
        below = {t.path.rpartition(".")[2] for t in all_tables if _inside(t.path, table.path)}
        _describe(found, table, below)
    head = {"$schema": DIALECT, "title": "Study of renp-infer"}
    return head | found


def schema_text() -> str:
    """The schema as it stands in its file."""
    return json.dumps(study_schema(), indent=1, ensure_ascii=False) + "\n"


def schema_file() -> str:
    """Path of the copy that ships with the package."""
    return str((share_path("data") / NAME).resolve())


def _plain(node: Any, defs: dict[str, Any]) -> Any:
    """A schema without references, and without titles made of names."""
    if isinstance(node, list):
        return [_plain(item, defs) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(defs[node["$ref"].rpartition("/")[2]], defs)
    found = {}
    for key, value in node.items():
        if key == "properties":
            found[key] = {name: _plain(item, defs) for name, item in value.items()}
        elif key not in ("$defs", "title", "unset", "typical", "source", "page"):
            found[key] = _plain(value, defs)
    return found


def _inside(path: str, section: str) -> bool:
    """Whether a section lies directly inside another."""
    return bool(path) and path.rpartition(".")[0] == section


def _describe(schema: dict[str, Any], table: KeyTable, below: set[str]) -> None:
    """Texts of a section and its keys, wherever the schema has tables with just these."""
    names = below | {key.name for key in table.keys}
    for place in _places(schema, table.path):
        if table.path:
            place["description"] = table.meaning
        for node in (node for node in _tables_of(place) if set(node["properties"]) == names):
            for key in table.keys:
                node["properties"][key.name] |= _texts(key)


def _places(schema: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """Schemas of the values at a path."""
    places = [schema]
    for step in path.split(".") if path else ():
        places = [node["properties"][step] for place in places for node in _tables_of(place)]
    return places


def _tables_of(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Tables with known keys that a value may be, or be a list of."""
    if "properties" in schema:
        return [schema]
    inner = [
        *schema.get("anyOf", ()),
        *schema.get("oneOf", ()),
        *(schema[k] for k in ("items",) if k in schema),
    ]
    inner += [schema["additionalProperties"]] if "additionalProperties" in schema else []
    return [node for part in inner if isinstance(part, dict) for node in _tables_of(part)]


def _texts(key: Key) -> dict[str, Any]:
    """Description and default of a key."""
    rows = [("Allowed", key.allowed), ("Default", key.default_text)]
    rows += [("Typical", key.typical), ("Source", key.source), ("See", f"docs/{key.page}")]
    lines = [key.meaning, *(f"{name}: {text}." for name, text in rows if text)]
    found: dict[str, Any] = {"description": "\n\n".join(lines)}
    return found if key.default is None else found | {"default": key.default}
