"""Section ``[inference.priors]``: priors by parameter, and correlated blocks of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator as Before
from pydantic import create_model

from renp_infer.fields import Number
from renp_infer.inference.own_prior import Holds, Kind, OwnPrior, TiedBlock
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.study.paths import absolute_path
from renp_infer.study.sections.base import Section, Word, as_tuple, choice

BLOCKED = tuple(name for name in PARAMETERS.names if name not in PARAMETERS.phases)
"""Parameters that can be correlated: a circle has no Gaussian."""
_UNITS = {"deg": "degree", "eV²": "eV^2"}
Numbers = Annotated[tuple[Annotated[float, Before(Number())], ...], Before(as_tuple)]
Positive = Annotated[
    tuple[Annotated[float, Before(Number(low=0, open_low=True))], ...], Before(as_tuple)
]
Ordering = Annotated[Holds, choice(*get_args(Holds))]


class PriorEntry(Section):
    """Prior of one parameter, in its unit; every parameter can have such a table.

    What each ``kind`` takes stands with the priors.
    """

    kind: Annotated[Kind, choice(*get_args(Kind))]
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    log_sd: Annotated[float, Before(Number(low=0, high=5, open_low=True))] | None = None
    low: float | None = None
    high: float | None = None
    file: Word | None = None
    ordering: Ordering = OwnPrior.ordering


TAKES: dict[Kind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "normal": (("mean", "sd"), ()),
    "log-normal": (("median", "log_sd"), ("low", "high")),
    "uniform": (("low", "high"), ()),
    "log-uniform": (("low", "high"), ()),
    "truncated": (("mean", "sd"), ("low", "high")),
    "table": (("file",), ()),
    "samples": (("file",), ()),
}
"""Keys that each kind needs, and those that it may have."""


class BlockEntry(Section):
    """A Gaussian of several parameters: ``sds`` and ``correlation``, or a ``covariance``."""

    parameters: Annotated[tuple[Annotated[str, choice(*BLOCKED)], ...], Before(as_tuple)]
    means: Numbers
    sds: Positive | None = None
    correlation: Annotated[tuple[Numbers, ...], Before(as_tuple)] | None = None
    covariance: Annotated[tuple[Numbers, ...], Before(as_tuple)] | None = None
    ordering: Ordering = TiedBlock.ordering


def _entry_in(unit: str) -> Any:
    """Entries whose numbers may be texts with a unit; nothing by default."""
    number: Any = Annotated[float, Before(Number(_UNITS.get(unit, unit)))] | None
    keys: dict[str, Any] = {key: (number, None) for key in ("mean", "median", "low", "high")}
    width = Number(_UNITS.get(unit, unit), 0, open_low=True)
    keys["sd"] = (Annotated[float, Before(width)] | None, None)
    made = create_model("PriorEntry", __base__=PriorEntry, __doc__=PriorEntry.__doc__, **keys)
    return made | None


class _Blocks(Section):
    """Priors by parameter in place of the default ones; ``block`` is a list of tables."""

    block: Annotated[tuple[BlockEntry, ...], Before(as_tuple)] = ()


_ENTRIES: dict[str, Any] = {row.name: (_entry_in(row.unit), None) for row in PARAMETERS.rows}
PriorsSection: Any = create_model(
    "PriorsSection", __base__=_Blocks, __doc__=_Blocks.__doc__ or "", **_ENTRIES
)
"""A table for each parameter."""


def with_absolute_priors(section: Any, folder: Path) -> Any:
    """Section with paths that mean the same from any folder."""
    moved = {}
    for name in PARAMETERS.names:
        entry = getattr(section, name)
        if entry is not None and entry.file is not None:
            file = absolute_path(folder, entry.file)
            moved[name] = entry.model_copy(update={"file": file})
    return section.model_copy(update=moved)
