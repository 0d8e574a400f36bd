"""What the terminal shows of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.design.utilities.measures import direction
from renp_infer.verbs.optimize.parts import ALL_TRIED, NO_EFFECT
from renp_infer.verbs.optimize.priors import ROWS

if TYPE_CHECKING:
    from renp_infer.design.searches.effects import Effect
    from renp_infer.design.utilities.utility import Utility
    from renp_infer.verbs.optimize.parts import Gains
    from renp_infer.verbs.optimize.priors import PriorTable
    from renp_infer.verbs.optimize.result import OptimizeResult

LONGEST = 6
"""Values of a list that are shown in full."""


def optimum_tables(found: OptimizeResult) -> list[Any]:
    """Tables and lines for the terminal."""
    label = ", normalised" if found.normalised else ""
    layout = Table(title=f"{found.name}: best design{label}", box=SIMPLE_HEAD)
    layout.add_column("key")
    layout.add_column("value", justify="right", overflow="fold")
    layout.add_column("")
    for key, value in found.best.items():
        layout.add_row(key, _shown(value), NO_EFFECT.get(found.flat.get(key, ""), ""))
    unit = f" {found.unit}" if found.unit else ""
    name = found.objective + (" per cost" if found.per_cost else "")
    lines = [
        f"{name}: {_measured(found.utility)}{unit}; "
        f"own design {_measured(found.reference_utility)}{unit}; "
        f"gain {_plain(found.gain)}{unit}"
    ]
    if found.exhausted:
        lines.append(ALL_TRIED)
    lines.append(f"verdict: {'; '.join([found.verdict.verdict, *found.verdict.reasons])}")
    effects = [_effect_table(found)] if found.effects is not None else []
    effects += [_prior_table(found.priors)] if found.priors is not None else []
    gains = [_gain_table(found.gains)] if found.gains is not None else []
    return [layout, _search_table(found), *effects, *gains, *lines]


def _search_table(found: OptimizeResult) -> Table:
    columns = ("optimizer", "repeats", "lower quartile", "median", "upper quartile")
    table = Table(title=f"best {found.objective} of a search, before polish", box=SIMPLE_HEAD)
    for k, name in enumerate(columns):
        table.add_column(name, justify="right" if k else "left")
    for row in found.searches:
        numbers = [_plain(n) for n in (row.lower_quartile, row.median, row.upper_quartile)]
        table.add_row(row.optimizer, str(row.repeats), *numbers)
    return table


def _effect_table(found: OptimizeResult) -> Table:
    assert found.effects is not None
    surrogate = found.effects.surrogate
    held_out = f"held out {surrogate.held_out}, missed by {_plain(surrogate.error)}"
    table = Table(
        title="what each dimension matters", box=SIMPLE_HEAD,
        caption=f"from a model of {surrogate.fitted} designs; {held_out}",
    )  # fmt: skip
    for k, name in enumerate(("dimension", "total Sobol index", f"effect{_of(found)}", "at best")):
        table.add_column(name, justify="right" if 0 < k < 3 else "left")
    for row in found.effects.rows:
        numbers = (f"{v:.2f} ± {e:.2f}" for v, e in _pairs(row))
        table.add_row(row.name, *numbers, "no effect" if row.flat else "")
    return table


def _prior_table(found: PriorTable) -> Table:
    table = Table(title="under each prior of m1", box=SIMPLE_HEAD)
    for k, name in enumerate(("best under", *found.priors, "largest loss")):
        table.add_column(name, justify="right" if k else "left")
    for row in found.rows:
        cells = [_measured(row.utilities[prior]) for prior in found.priors]
        table.add_row(ROWS.get(row.name, row.name), *cells, f"{found.largest_loss(row):.2g}")
    return table


def _of(found: OptimizeResult) -> str:
    """Unit of scores: relative where less is better."""
    if direction(found.objective) < 0:
        return ", relative"
    return f" [{found.unit}]" if found.unit else ""


def _pairs(row: Effect) -> tuple[tuple[float, float], ...]:
    return (row.total, row.total_error), (row.effect, row.error)


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
