"""What every key of a study means, allows and defaults to, from the models that check it."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from renp_infer.errors import ConfigError
from renp_infer.fields import nearest
from renp_infer.study.reading import StudyConfig

_LISTED = 8
"""Keys that a hint names."""


@dataclass(frozen=True)
class Key:
    """A key of a study.

    Attributes
    ----------
    path : str
        Dotted path: ``detector.noise_fT_rtHz``.
    allowed : str
        What it takes, in the words of its refusal.
    unit : str
        Empty for what has none.
    default : object
        As TOML and JSON have it; ``None`` where a key may be left out, or must be given.
    required : bool
    meaning, unset, typical, source, page : str
        See ``sections.base.about``; the page is that of the section if the key has none.
    """

    path: str
    allowed: str
    unit: str
    default: Any
    required: bool
    meaning: str
    unset: str
    typical: str
    source: str
    page: str

    @property
    def name(self) -> str:
        """Its name in its section."""
        return self.path.rpartition(".")[2]

    @property
    def default_text(self) -> str:
        """Default as TOML has it, or what counts without the key."""
        if self.default is not None:
            return toml_text(self.default)
        return self.unset or "it must be given"


@dataclass(frozen=True)
class KeyTable:
    """A section of a study.

    Attributes
    ----------
    path : str
        Dotted path; empty for what stands above all sections.
    many : bool
        Whether it may be given several times: ``[[optimize.windows]]``.
    optional : bool
        Whether the section, where it is missing, has no defaults.
    meaning, page : str
    keys : tuple of Key
        Those of the section itself.
    """

    path: str
    many: bool
    optional: bool
    meaning: str
    page: str
    keys: tuple[Key, ...]

    @property
    def heading(self) -> str:
        """As it stands in a study."""
        return f"[[{self.path}]]" if self.many else f"[{self.path}]" if self.path else ""


def tables(*, every: bool = False) -> list[KeyTable]:
    """All sections in the order of a study, each before those inside it.

    Parameters
    ----------
    every : bool
        Whether tables that are alike, as those of single parameters, all stand; else the
        first does for all.
    """
    top = _table(StudyConfig, "", "What stands above all sections.", "study-file.md")
    return [top, *_below(StudyConfig, "", "", every)]


def _below(model: type[BaseModel], prefix: str, page: str, every: bool) -> Iterator[KeyTable]:
    seen = set[str]()
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        own = _facts(field).get("page") or page
        for inner, many in sections_of(field).items():
            if inner.__name__ in seen and not every:
                continue
            seen.add(inner.__name__)
            optional = many or field.default is None
            yield _table(inner, path, field.description or "", own, many, optional)
            yield from _below(inner, f"{path}.", own, every)


def _table(
    model: type[BaseModel],
    path: str,
    meaning: str,
    page: str,
    many: bool = False,
    optional: bool = False,
) -> KeyTable:
    prefix = f"{path}." if path else ""
    keys = tuple(
        _key(f"{prefix}{field.alias or name}", field, page)
        for name, field in model.model_fields.items()
        if not sections_of(field)
    )
    return KeyTable(path, many, optional, meaning, page, keys)


def _key(path: str, field: FieldInfo, page: str) -> Key:
    facts = _facts(field)
    return Key(
        path=path,
        allowed=allowed(field.annotation, field.metadata),
        unit=_unit(field.annotation, field.metadata),
        default=default_of(field),
        required=field.is_required(),
        meaning=field.description or "",
        unset=facts.get("unset", ""),
        typical=facts.get("typical", ""),
        source=facts.get("source", ""),
        page=facts.get("page") or page,
    )


def _facts(field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {}


def members(annotation: Any) -> Iterator[Any]:
    """Types that an annotation is made of, without its checks."""
    if get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from members(part)
    elif hasattr(annotation, "__metadata__"):
        yield from members(annotation.__origin__)
    else:
        yield annotation


def sections_of(field: FieldInfo) -> dict[type[BaseModel], bool]:
    """Models of a field that holds tables and nothing else; whether each is one of a list."""
    found: dict[type[BaseModel], bool] = {}
    for kind in members(field.annotation):
        many = get_origin(kind) is tuple
        model = get_args(kind)[0] if many else kind
        if isinstance(model, type) and issubclass(model, BaseModel):
            found[model] = many
        elif kind is not types.NoneType:
            return {}
    return found


def allowed(annotation: Any, marks: Any = ()) -> str:
    """What a value may be, in the words of its refusal where its check has them."""
    for mark in marks:
        words = getattr(getattr(mark, "func", None), "allowed", None)
        words = words or getattr(mark, "custom_error_message", None)
        if words:
            return str(words)
    if hasattr(annotation, "__metadata__"):
        return allowed(annotation.__origin__, annotation.__metadata__)
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [p for p in get_args(annotation) if p is not types.NoneType]
        return " | ".join(dict.fromkeys(allowed(part) for part in parts))
    if get_origin(annotation) is tuple:
        return f"a list, each {allowed(get_args(annotation)[0])}"
    if get_origin(annotation) is dict:
        return _allowed_table(*get_args(annotation))
    return {bool: "true | false", str: "a text"}.get(annotation, "a table")


def _allowed_table(key: Any, value: Any) -> str:
    """What a table with free keys may hold."""
    if value is Any:
        return "a table of keys"
    return f"a table by key ({allowed(key)}), each {allowed(value)}"


def _unit(annotation: Any, marks: Any = ()) -> str:
    """Unit of a number, or of the numbers in a list."""
    for mark in marks:
        unit = getattr(getattr(mark, "func", None), "unit", None)
        if unit is not None:
            return str(unit)
    if hasattr(annotation, "__metadata__"):
        return _unit(annotation.__origin__, annotation.__metadata__)
    return next((unit for part in get_args(annotation) if (unit := _unit(part))), "")


def default_of(field: FieldInfo) -> Any:
    """Default as TOML has it; ``None`` where there is none."""
    value = field.default
    return None if value is PydanticUndefined else plain(value)


def plain(value: Any) -> Any:
    """A value of a section as TOML and JSON have it."""
    if isinstance(value, BaseModel):
        return {k: plain(v) for k, v in value.model_dump(exclude_none=True).items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def toml_text(value: Any) -> str:
    """A value as it stands in a TOML file, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        pairs = ", ".join(f"{_name(key)} = {toml_text(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml_text, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _name(key: str) -> str:
    """A key as it stands in a TOML file."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def explained(name: str = "") -> list[KeyTable]:
    """Sections below a name, or the one key that it names.

    Parameters
    ----------
    name : str
        A section, or a dotted key; empty for all sections.

    Raises
    ------
    ConfigError
        If there is neither a section nor a key of that name.
    """
    found = tables(every=bool(name))
    below = [t for t in found if not name or t.path == name or t.path.startswith(f"{name}.")]
    if below:
        return below
    wanted = [(table, key) for table in found for key in table.keys if name == key.path]
    if wanted:
        table, key = wanted[0]
        return [KeyTable(table.path, table.many, table.optional, table.meaning, table.page, (key,))]
    known = list(dict.fromkeys(table.path for table in found if table.path))
    keys = [key.path for table in found for key in table.keys]
    home = [path for path in keys if path.rpartition(".")[2] == name]
    near = f"did you mean {home[0]!r}?" if home else nearest(name, [*known, *keys])
    hint = "; ".join(filter(None, (near, _spoken_of(name, found))))
    raise ConfigError("SECTION[.KEY]", name, ", ".join(p for p in known if "." not in p), hint)


def _spoken_of(word: str, found: list[KeyTable]) -> str:
    """Name the keys that have a word in name or text, then those of sections that do."""
    if not word.isalpha():
        return ""
    whole = re.compile(rf"(?<![^\W_]){word}s?(?![^\W_])", re.IGNORECASE)
    rows = [(table, key) for table in found for key in table.keys]
    own = [k.path for _, k in rows if whole.search(f"{k.name} {k.meaning} {k.typical}")]
    shared = [k.path for table, k in rows if whole.search(table.meaning)]
    listed = list(dict.fromkeys([*own, *shared]))
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return f"keys that speak of it: {', '.join(listed[:_LISTED])}{more}" if listed else ""
