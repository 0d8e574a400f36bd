"""What the paper and others print, from ``data/ledger``: each value with its digits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.resources import read_toml, share_path

KINDS = ("digits", "exact", "order", "range", "above", "at most", "statement")
"""How a printed value is meant: to its digits, as an exact coefficient or count,
as an order of magnitude, as a range, as a bound, or in words."""
_KEYS = {"id", "where", "what", "printed", "unit", "kind"}
PAPER, OTHERS = "the paper", "other papers"
"""Whose value it is."""
_FILES = {
    "sections-1-3": PAPER,
    "section-4": PAPER,
    "figures": PAPER,
    "section-5": PAPER,
    "appendix": PAPER,
    "other-papers": OTHERS,
}
"""Files in the order of the paper."""


@dataclass(frozen=True)
class Printed:
    """One printed value.

    Attributes
    ----------
    id, where, what, unit : str
        Name of the row, place in the paper, quantity and its unit.
    texts : tuple of str
        The digits as printed; several for a range or a list of cells.
    kind : str
        One of ``KINDS``.
    of : str
        ``PAPER`` or ``OTHERS``.
    """

    id: str
    where: str
    what: str
    texts: tuple[str, ...]
    unit: str
    kind: str
    of: str = PAPER

    @property
    def numbers(self) -> tuple[float, ...]:
        """The printed numbers; empty for a statement in words."""
        return () if self.kind == "statement" else tuple(map(float, self.texts))

    @property
    def value(self) -> float | list[float] | str:
        """Number, list of numbers, or words, as a document holds it."""
        if self.kind == "statement":
            return self.texts[0]
        return self.numbers[0] if len(self.numbers) == 1 else list(self.numbers)

    @property
    def digits(self) -> int:
        """Largest number of significant digits of the printed numbers."""
        texts = () if self.kind == "statement" else self.texts
        return max((len(Decimal(text).as_tuple().digits) for text in texts), default=0)

    @property
    def text(self) -> str:
        """The value as printed."""
        join = " to " if self.kind == "range" else ", "
        sign = {"above": "> ", "at most": "<= ", "order": "~ "}.get(self.kind, "")
        return sign + join.join(self.texts)


def load_printed() -> dict[str, Printed]:
    """All printed values by id, in the order of the paper.

    Raises
    ------
    ConfigError
        If a file is broken, a key is unknown or an id appears twice.
    """
    folder = share_path("data") / "ledger"
    found: dict[str, Printed] = {}
    for name, of in _FILES.items():
        path = folder / f"{name}.toml"
        for row in read_toml(path, path.name)["rows"]:
            entry = _entry(row, path, of)
            if entry.id in found:
                raise ConfigError(f"{path.name}:{entry.id}", entry.id, "an id used once")
            found[entry.id] = entry
    return found


def _entry(row: dict[str, Any], path: Path, of: str) -> Printed:
    key = f"{path.name}:{row.get('id')}"
    if not {"id", "where", "what", "printed", "unit"} <= set(row) <= _KEYS:
        raise ConfigError(key, sorted(row), ", ".join(sorted(_KEYS)))
    texts = row["printed"]
    entry = Printed(
        id=row["id"],
        where=row["where"],
        what=row["what"],
        texts=tuple(texts) if isinstance(texts, list) else (texts,),
        unit=row["unit"],
        kind=row.get("kind", "digits"),
        of=of,
    )
    if entry.kind not in KINDS:
        raise ConfigError(f"{key}.kind", entry.kind, ", ".join(KINDS))
    try:
        _ = entry.numbers
    except (TypeError, ValueError):
        raise ConfigError(f"{key}.printed", texts, "digits as text") from None
    return entry


def load_inputs() -> dict[str, tuple[float, ...]]:
    """Conditions the paper names, by name; one number or several each."""
    path = share_path("data") / "ledger" / "inputs.toml"
    found = {}
    for name, row in read_toml(path, path.name).items():
        value = row["value"]
        found[name] = tuple(map(float, value if isinstance(value, list) else [value]))
    return found
