"""Tables of all keys of a study, from the models that check them, in place of STUDY_KEYS."""

import inspect
import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sphinx.application import Sphinx

from renp_infer.study.reading import StudyConfig
from renp_infer.study.sections.grids.angles import AngleRange
from renp_infer.study.sections.grids.masses import MassRange

PLAIN = {bool: "`true` \\| `false`", str: "text", tuple: "a list", dict: "a table"}
IN_WORDS = {AngleRange: "a list of angles", MassRange: "a list of masses"}


def members(annotation: Any) -> Iterator[Any]:
    """Types that an annotation is made of."""
    if get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from members(part)
    elif hasattr(annotation, "__metadata__"):
        yield from members(annotation.__origin__)
    else:
        yield annotation


def marks_of(annotation: Any) -> Iterator[Any]:
    """Checks inside an annotation."""
    yield from getattr(annotation, "__metadata__", ())
    if get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from marks_of(part)


def sections_of(field: FieldInfo) -> list[tuple[type[BaseModel], bool]]:
    """Models of a field that is a table, or a list of tables, and nothing else; which is a list."""
    found = list(members(field.annotation))
    kinds = [(get_args(t)[0], True) if get_origin(t) is tuple else (t, False) for t in found]
    others = {types.NoneType, *IN_WORDS}
    tables = [(t, many) for t, many in kinds if isinstance(t, type) and issubclass(t, BaseModel)]
    return tables if not {t for t, _ in kinds} - {t for t, _ in tables} - others else []


def allowed(field: FieldInfo) -> str:
    """What a key takes, in the words of its refusal."""
    marks = [*field.metadata, *marks_of(field.annotation)]
    for check in (getattr(mark, "func", None) for mark in marks):
        if hasattr(check, "allowed"):
            return str(check.allowed)
        if hasattr(check, "options"):
            return " \\| ".join(f"`{option}`" for option in check.options)
    for kind in members(field.annotation):
        if kind in IN_WORDS:
            return f"{IN_WORDS[kind]}, or `{{ {', '.join(kind.model_fields)} }}`"
    kind = next(members(field.annotation))
    return PLAIN.get(get_origin(kind) or kind, "see its page")


def default(field: FieldInfo) -> str:
    """Default as TOML has it, or nothing."""
    value = field.default
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, BaseModel):
        pairs = ", ".join(f"{key} = {item:g}" for key, item in value.model_dump().items())
        return f"`{{ {pairs} }}`"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text.replace('(', '[').replace(')', ']')}`"


def table(model: type[BaseModel]) -> str:
    """Markdown table of the keys of a section."""
    rows = [
        f"| `{key}` | {allowed(field)} | {default(field)} |"
        for key, field in model.model_fields.items()
        if not sections_of(field)
    ]
    return "\n".join(["| key | allowed | default |", "|---|---|---|", *rows])


def sections(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """A heading, the model's docstring and its table, for each section below a model.

    Tables that are all alike, as those of single parameters, stand once.
    """
    seen = set[str]()
    for key, field in model.model_fields.items():
        found, name = sections_of(field), f"{prefix}{key}"
        for inner, many in found:
            if inner.__name__ in seen:
                continue
            seen.add(inner.__name__)
            head = f"[[{name}]]" if many and len(found) > 1 else f"[{name}]"
            yield f"## `{head}`\n\n{inspect.getdoc(inner)}\n\n{table(inner)}\n"
            yield from sections(inner, f"{name}.")


def fill(_app: Sphinx, _docname: str, source: list[str]) -> None:
    if "STUDY_KEYS" in source[0]:
        source[0] = source[0].replace("STUDY_KEYS", "\n".join(sections(StudyConfig)))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", fill)
    return {"parallel_read_safe": True}
