"""What the terminal shows of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from renp_infer.design.utility import Utility
    from renp_infer.verbs.optimize.parts import Gains
    from renp_infer.verbs.optimize.result import OptimizeResult

LONGEST = 6
"""Values of a list that are shown in full."""


def optimum_tables(found: OptimizeResult) -> list[Any]:
    """Tables and lines for the terminal."""
    label = ", normalised" if found.normalised else ""
    layout = Table(title=f"{found.name}: best design{label}", box=SIMPLE_HEAD)
    layout.add_column("key")
    layout.add_column("value", justify="right", overflow="fold")
    for key, value in found.best.items():
        layout.add_row(key, _shown(value))
    unit = f" {found.unit}" if found.unit else ""
    name = found.objective + (" per cost" if found.per_cost else "")
    lines = [
        f"{name}: {_measured(found.utility)}{unit}; "
        f"own design {_measured(found.reference_utility)}{unit}; "
        f"gain {_plain(found.gain)}{unit}"
    ]
    lines.append(f"verdict: {'; '.join([found.verdict.verdict, *found.verdict.reasons])}")
    gains = [_gain_table(found.gains)] if found.gains is not None else []
    return [layout, _search_table(found), *gains, *lines]


def _search_table(found: OptimizeResult) -> Table:
    columns = ("optimizer", "repeats", "lower quartile", "median", "upper quartile")
    table = Table(title=f"best {found.objective} of a search, before polish", box=SIMPLE_HEAD)
    for k, name in enumerate(columns):
        table.add_column(name, justify="right" if k else "left")
    for row in found.searches:
        numbers = [_plain(n) for n in (row.lower_quartile, row.median, row.upper_quartile)]
        table.add_row(row.optimizer, str(row.repeats), *numbers)
    return table


def _gain_table(found: Gains) -> Table:
    columns = ("physics", "systematics", "own design", "best design", "gain")
    table = Table(title="the same design under other physics", box=SIMPLE_HEAD)
    for k, name in enumerate(columns):
        table.add_column(name, justify="right" if k > 1 else "left")
    for row in found.rows:
        named = row.preset, "with" if row.systematics else "without"
        if row.failed:
            table.add_row(*named, row.failed, "", "")
        else:
            own, best = _measured(row.reference), _measured(row.utility)
            table.add_row(*named, own, best, _plain(row.gain))
    return table


def _shown(value: Any) -> str:
    if not isinstance(value, list):
        return _plain(value) if isinstance(value, float) else str(value)
    if len(value) <= LONGEST:
        return ", ".join(f"{v:.6g}" for v in value)
    return f"{value[0]:.6g} ... {value[-1]:.6g}, {len(value)} values"


def _measured(found: Utility) -> str:
    return f"{found.value:.4g} ± {found.error:.2g}" if found.known else "none"


def _plain(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
