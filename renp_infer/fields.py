"""Checked fields of a study file: numbers with a unit and a range, choices, flags.

Every refusal says what is allowed, so that one line of text is enough for the
user. Text with a unit ("20 mm") is accepted for every physical number; this is
the only place where units are converted, and only then is ``pint`` imported.
"""

from __future__ import annotations

import difflib
import functools
import math
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError

_TEXT = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*(\S.*)")
# A product of powers of names with one-digit exponents: nothing such as 9**9**9 may
# reach the unit parser, which would calculate it.
_TERM = r"[A-Za-zµμ°%]{1,20}(?:(?:\^|\*\*)-?[0-9](?:\.[0-9])?)?"
_UNIT = re.compile(rf"(?:1 ?/ ?)?{_TERM}(?: ?[*/ ] ?{_TERM}){{0,3}}")
_TEXT_WITH_UNIT = _TEXT.pattern.replace(r"(\S.*)", f"({_UNIT.pattern})")


class Said(str):
    """Words that stand in an error where a given value would, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest known name, or nothing.

    Parameters
    ----------
    name : str
        What was given.
    known : iterable of str
        What there is.

    Returns
    -------
    str
        ``did you mean ...?``, or the empty string.
    """
    by_lower = {text.lower(): text for text in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.55)
    return f"did you mean {by_lower[near[0]]!r}?" if near else ""


def refusal(allowed: str, hint: str = "") -> PydanticCustomError:
    """Error of a field, in the words that ``config`` puts into one line."""
    return PydanticCustomError("refused", "{allowed}", {"allowed": allowed, "hint": hint})


@functools.cache
def _registry() -> Any:
    from pint import UnitRegistry

    return UnitRegistry()


@dataclass(frozen=True)
class Number:
    """A finite number in a range, or text with a unit.

    Attributes
    ----------
    unit : str
        Unit of the key; empty for a pure number.
    low, high : float
        The range.
    open_low, open_high : bool
        Whether the ends are excluded.
    also : str
        One word that is accepted instead of a number.
    """

    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    also: str = ""

    def __call__(self, value: object) -> object:
        """Check and convert one value."""
        if isinstance(value, str):
            return self._from_text(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refusal(self.allowed)
        return self._in_range(value)

    @property
    def allowed(self) -> str:
        """The range in words."""
        parts = ["a finite number"]
        if math.isfinite(self.low):
            parts.append(f"{'>' if self.open_low else '>='} {self.low:.6g}")
        if math.isfinite(self.high):
            parts.append(f"{'<' if self.open_high else '<='} {self.high:.6g}")
        text = " ".join((parts[0], " and ".join(parts[1:]))).strip()
        if self.unit:
            text += f" in {self.unit}"
        return f'{text}, or "{self.also}"' if self.also else text

    @property
    def schema(self) -> dict[str, Any]:
        """What of the range, and of texts, a JSON schema can say."""
        number: dict[str, Any] = {"type": "number"}
        if math.isfinite(self.low):
            number["exclusiveMinimum" if self.open_low else "minimum"] = self.low
        if math.isfinite(self.high):
            number["exclusiveMaximum" if self.open_high else "maximum"] = self.high
        texts: list[dict[str, Any]] = [{"enum": [self.also]}] if self.also else []
        if self.unit:
            texts.append({"type": "string", "pattern": f"^{_TEXT_WITH_UNIT}$"})
        return {"anyOf": [number, *texts]} if texts else number

    def _in_range(self, value: float) -> float:
        try:
            number = float(value)
        except OverflowError:
            raise refusal(self.allowed) from None
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        if not (math.isfinite(number) and above and below):
            raise refusal(self.allowed)
        return number

    def _from_text(self, text: str) -> object:
        if self.also and text == self.also:
            return text
        match = _TEXT.fullmatch(text)
        if not self.unit or not match or not _UNIT.fullmatch(match[2]):
            raise refusal(self.allowed, nearest(text, [self.also] if self.also else []))
        return self._in_range(float(match[1]) * self._factor(match[2]))

    def _factor(self, given: str) -> float:
        """How many of the key's units one given unit is."""
        registry = _registry()
        try:
            ours = (1.0 * registry.parse_units(self.unit)).to_base_units()
            theirs = (1.0 * registry.parse_units(given)).to_base_units()
        except Exception:  # pint's parser raises errors of many unrelated classes
            raise refusal(self.allowed, f"the unit {given!r} is not known") from None
        if ours.units != theirs.units:  # stricter than pint: an angle is no pure number
            raise refusal(self.allowed, f"{given!r} measures something else")
        return float(theirs.magnitude / ours.magnitude)


@dataclass(frozen=True)
class Whole:
    """An integer in a range; neither a flag nor a float is one."""

    low: int
    high: int

    def __call__(self, value: object) -> int:
        """Check one value."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise refusal(self.allowed)
        if not self.low <= value <= self.high:
            raise refusal(self.allowed)
        return value

    @property
    def allowed(self) -> str:
        """The range in words."""
        return f"an integer from {self.low} to {self.high}"

    @property
    def schema(self) -> dict[str, Any]:
        """The range, as a JSON schema."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


class Choice:
    """One of a few values, of exactly their type."""

    def __init__(self, *options: str | int) -> None:
        self.options = options

    def __call__(self, value: object) -> object:
        """Check one value."""
        for option in self.options:
            if type(value) is type(option) and value == option:
                return value
        hint = nearest(value, map(str, self.options)) if isinstance(value, str) else ""
        raise refusal(self.allowed, hint)

    @property
    def allowed(self) -> str:
        """The options in words."""
        return " | ".join(map(str, self.options))

    @property
    def schema(self) -> dict[str, Any]:
        """The options, as a JSON schema."""
        return {"enum": list(self.options)}


class Several:
    """A list of some of a few words, each once, in the order of the options."""

    def __init__(self, *options: str) -> None:
        self.options = options

    def __call__(self, value: object) -> tuple[str, ...]:
        """Check one list."""
        if not isinstance(value, list | tuple) or not value:
            raise refusal(self.allowed)
        for item in value:
            if not isinstance(item, str) or item not in self.options:
                raise refusal(self.allowed, nearest(str(item), self.options))
        if len(set(value)) != len(value):
            raise refusal(self.allowed)
        return tuple(option for option in self.options if option in value)

    @property
    def allowed(self) -> str:
        """The options in words."""
        return f"a list of one or more of {', '.join(self.options)}, each once"

    @property
    def schema(self) -> dict[str, Any]:
        """The options, as a JSON schema."""
        items = {"enum": list(self.options)}
        return {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}


def flag(value: object) -> object:
    """Check a value that must be true or false."""
    if not isinstance(value, bool):
        raise refusal("true | false")
    return value


def word(value: object) -> object:
    """Check a short printable text."""
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 4096:
        raise refusal("a printable text")
    return value


def directory_name(value: object) -> str:
    """Check a study's name, which becomes the name of a directory."""
    if not isinstance(value, str) or not re.fullmatch(
        r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", value, flags=re.ASCII
    ):
        raise refusal("1 to 100 letters, digits, dots, dashes and underscores, no dot in front")
    return value


def toml_value(text: str) -> Any:
    """Parse a TOML value; text where it is none, or more than one line."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return table["value"] if set(table) == {"value"} else text
