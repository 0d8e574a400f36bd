"""Numbers of a parsed TOML file, each refused with its path."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any

from renp_infer.errors import ConfigError


def checked(value: Any, key: str, least: float | None = None, most: float = math.inf) -> float:
    """Require a finite number of at least ``least``, or above zero if that is None.

    Raises
    ------
    ConfigError
        If it is no such number.
    """
    allowed = "a finite number " + ("> 0" if least is None else f">= {least:g}")
    if most < math.inf:
        allowed += f" and <= {most:g}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(key, value, allowed)
    if isinstance(value, int) and value.bit_length() > 1000:  # no float holds it
        raise ConfigError(key, "an integer of more than 300 digits", allowed)
    large_enough = value > 0.0 if least is None else value >= least
    if not (math.isfinite(value) and large_enough and value <= most):
        raise ConfigError(key, value, allowed)
    return float(value)


class Reader:
    """Values of a parsed file by dotted path; every error names file and path."""

    def __init__(self, tree: dict[str, Any], file: str) -> None:
        self.tree, self.file = tree, file

    def label(self, path: str) -> str:
        """Name a path in an error."""
        return f"{self.file}:{path}"

    def at(self, path: str) -> Any:
        """Value at a path, or None."""
        node: Any = self.tree
        for part in path.split("."):
            node = node.get(part) if isinstance(node, dict) else None
        return node

    def number(
        self, path: str, unit: str, least: float | None = None, most: float = math.inf
    ) -> float:
        """Read ``path``: a ``{value, unit}`` table, or a key with a ``unit`` beside it."""
        node, label = self.at(path), self.label(path)
        beside = self.at(path.rpartition(".")[0])
        if isinstance(node, dict):
            node, beside, label = node.get("value"), node, f"{label}.value"
        value = checked(node, label, least, most)
        if beside.get("unit") != unit:
            raise ConfigError(f"{self.label(path)} unit", beside.get("unit"), repr(unit))
        return value

    def optional(
        self, path: str, unit: str, least: float | None = None, most: float = math.inf
    ) -> float | None:
        """Read a number, or None where the file has none."""
        return None if self.at(path) is None else self.number(path, unit, least, most)

    def text(self, path: str) -> str:
        """Read a text that is not empty."""
        value = self.at(path)
        if not isinstance(value, str) or not value:
            raise ConfigError(self.label(path), value, "a text")
        return value

    def numbers(self, path: str) -> tuple[float, ...]:
        """Read a list of finite numbers that is not empty."""
        values = self.at(path)
        if not isinstance(values, list) or not values:
            raise ConfigError(self.label(path), values, "a list of numbers")
        return tuple(checked(value, self.label(path), -math.inf) for value in values)

    def table(self, path: str) -> dict[str, Any]:
        """Read a table; a missing one is empty."""
        value = self.at(path)
        if value is not None and not isinstance(value, dict):
            raise ConfigError(self.label(path), value, f"a table [{path}]")
        return value or {}

    def refuse_unknown(self, known: Iterable[str], path: str = "") -> None:
        """Refuse keys of the table at ``path`` that are not known."""
        known = tuple(known)
        for name in self.table(path) if path else self.tree:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else ""
                where = self.label(f"{path}.{name}" if path else name)
                raise ConfigError(where, name, ", ".join(known), hint)
