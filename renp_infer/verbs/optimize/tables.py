"""What the terminal shows of a search."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

LONGEST = 6
"""Values of a list that are shown in full."""


def optimum_tables(found: dict[str, Any]) -> list[Any]:
    """Tables and lines for the terminal."""
    label = ", normalised" if found["normalised"] else ""
    layout = Table(title=f"{found['name']}: best design{label}", box=SIMPLE_HEAD)
    layout.add_column("key")
    layout.add_column("value", justify="right", overflow="fold")
    for key, value in found["best"].items():
        layout.add_row(key, _shown(value))
    unit = f" {found['unit']}" if found["unit"] else ""
    name = found["objective"] + (" per cost" if found["per_cost"] else "")
    lines = [
        f"{name}: {_measured(found, 'utility')}{unit}; "
        f"own design {_measured(found, 'reference_utility')}{unit}; "
        f"gain {_plain(found['gain'])}{unit}"
    ]
    lines.append(f"verdict: {'; '.join([found['verdict'], *found['reasons']])}")
    tables = [layout, _search_table(found)]
    return [*tables, *([_gain_table(found)] if "gains" in found else []), *lines]


def _search_table(found: dict[str, Any]) -> Table:
    columns = ("optimizer", "repeats", "lower quartile", "median", "upper quartile")
    table = Table(title=f"best {found['objective']} of a search, before polish", box=SIMPLE_HEAD)
    for k, name in enumerate(columns):
        table.add_column(name, justify="right" if k else "left")
    for row in found["searches"]:
        numbers = [_plain(row[key.replace(" ", "_")]) for key in columns[2:]]
        table.add_row(row["optimizer"], str(row["repeats"]), *numbers)
    return table


def _gain_table(found: dict[str, Any]) -> Table:
    columns = ("physics", "systematics", "own design", "best design", "gain")
    table = Table(title="the same design under other physics", box=SIMPLE_HEAD)
    for k, name in enumerate(columns):
        table.add_column(name, justify="right" if k > 1 else "left")
    for row in found["gains"]["rows"]:
        named = row["preset"], "with" if row["systematics"] else "without"
        if "failed" in row:
            table.add_row(*named, row["failed"], "", "")
        else:
            own, best = _measured(row, "reference_utility"), _measured(row, "utility")
            table.add_row(*named, own, best, _plain(row["gain"]))
    return table


def _shown(value: Any) -> str:
    if not isinstance(value, list):
        return _plain(value) if isinstance(value, float) else str(value)
    if len(value) <= LONGEST:
        return ", ".join(f"{v:.6g}" for v in value)
    return f"{value[0]:.6g} ... {value[-1]:.6g}, {len(value)} values"


def _measured(found: dict[str, Any], key: str) -> str:
    value, error = found[key], found[f"{key}_error"]
    return "none" if value is None else f"{value:.4g} ± {error:.2g}"


def _plain(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
