"""What all sections are made of: base class, kinds of numbers and words, lists."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic import BeforeValidator as Before

from renp_infer.fields import Choice, Number, Several, flag, word

Degrees = Annotated[float, Before(Number("degree", -360, 360))]
"""A direction. Turns count for nothing; two circles let a list of angles cross a half turn."""
Millisecond = Annotated[float, Before(Number("ms", 0, 1e9, open_low=True))]
Flag = Annotated[bool, Before(flag)]
Word = Annotated[str, Before(word), Field(min_length=1, max_length=4096)]


def choice(*options: str | int) -> Before:
    """Check for one of a few values."""
    return Before(Choice(*options))


def several(*options: str) -> Before:
    """Check for a list of some of a few words."""
    return Before(Several(*options))


def about(
    meaning: str, *, unset: str = "", typical: str = "", source: str = "", page: str = ""
) -> Any:
    """What a key means, for the terminal, the schema, new studies and the pages.

    Parameters
    ----------
    meaning : str
        A sentence or two; what its special values do.
    unset : str
        What counts where a key without a default is left out.
    typical : str
        What experiments, or studies that ship, have.
    source : str
        Equation or section of the paper, or where the default comes from.
    page : str
        Page that says more, with its anchor; by default that of the section.
    """
    facts = {"unset": unset, "typical": typical, "source": source, "page": page}
    return Field(description=meaning, json_schema_extra={k: v for k, v in facts.items() if v})


class Section(BaseModel):
    """Base of all sections: frozen, exact types, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def kind_of_grid(value: object) -> str | None:
    """Tag of a grid: a list, or a table."""
    if isinstance(value, list | tuple):
        return "<list>"
    return "<table>" if isinstance(value, dict | Section) else None


def as_tuple(value: object) -> object:
    """Make a list a tuple."""
    return tuple(value) if isinstance(value, list) else value


def _holds_keys(inner: Any, name: str) -> bool:
    """Whether what has a dotted name is a table of keys, not what one of them has."""
    if not isinstance(inner, dict) or {"low", "high"} & set(inner):
        return False
    return "." not in name or all(isinstance(value, dict | list) for value in inner.values())


def flat(value: Any, path: str = "") -> Any:
    """Tables of keys as one table of dotted keys."""
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, inner in value.items():
        name = f"{path}{key}"
        if _holds_keys(inner, name):
            found |= flat(inner, f"{name}.")
        else:
            found[name] = inner
    return found
