"""Studies of which one key is wrong, and which it is: every key by every kind of mistake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from renp_infer.study.texts.keys import KeyTable, tables
from tests.toys.hostile import Raw, toml

WRONG: tuple[Any, ...] = (
    Raw("1979-05-27"), Raw("07:32:00"), Raw("nan"), Raw("-inf"), [[[]]], {"never": 1},
    [{"never": [1]}, True],
)  # fmt: skip
"""Values that no key takes."""
HUGE: tuple[Any, ...] = (-1e300, 1e300)
"""That no key takes which is judged by itself."""
TOGETHER = ("constraints", "inference.priors", "optimize.windows")
"""Sections whose numbers are judged together, where they are used."""
NEEDED: dict[str, Any] = {
    "name": "x", "key": "k", "file": "x.csv", "kind": "additive", "radius_cm": 1.0,
    "quantities": ["m1_meV"], "values": [1.0], "quantity": "m1_meV", "upper": 1.0, "level": 0.9,
    "parameters": ["m1_meV", "amplitude"], "means": [1.0, 1.0], "parameter": "amplitude[short]",
}  # fmt: skip
"""Values of what a section cannot be without."""


@dataclass(frozen=True)
class Malformed:
    """A study with a mistake.

    Attributes
    ----------
    text : str
    path : str
        Of the key that is wrong.
    """

    text: str
    path: str


def malformed() -> Iterator[Malformed]:
    """Every key with each wrong value, and every section with a key that it does not have."""
    for table in tables(every=True):
        for key in table.keys:
            values = WRONG if table.path.startswith(TOGETHER) else (*WRONG, *HUGE)
            yield from (_study(table, key.name, value) for value in values)
        yield _study(table, "nevver", 1)


def _study(table: KeyTable, name: str, value: Any) -> Malformed:
    """A study of one section, which has what it needs and one wrong key."""
    given = {key.name: NEEDED[key.name] for key in table.keys if key.required and table.path}
    if table.path.startswith("inference.priors.") and not table.many:
        given["kind"] = "normal"
    inner: Any = given | {name: value}
    steps = table.path.split(".") if table.path else []
    place = table.path + ("[0]" if table.many else "")
    inner = [inner] if table.many else inner
    for step in reversed(steps):
        inner = {step: inner}
    whole = {"schema": 1, "name": "s"} | inner
    text = "".join(f"{key} = {toml(found)}\n" for key, found in whole.items())
    return Malformed(text, f"{place}.{name}".lstrip("."))
