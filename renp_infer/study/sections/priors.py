"""Section ``[inference.priors]``: priors by parameter, and correlated blocks of them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator as Before
from pydantic import create_model

from renp_infer.fields import Number
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.priors.own_prior import Holds, Kind, OwnPrior, TiedBlock
from renp_infer.study.paths import absolute_path
from renp_infer.study.sections.base import Section, Word, about, as_tuple, choice

BLOCKED = tuple(name for name in PARAMETERS.names if name not in PARAMETERS.phases)
"""Parameters that can be correlated: a circle has no Gaussian."""
_UNITS = {"deg": "degree", "eV²": "eV^2"}
Numbers = Annotated[tuple[Annotated[float, Before(Number())], ...], Before(as_tuple)]
Positive = Annotated[
    tuple[Annotated[float, Before(Number(low=0, open_low=True))], ...], Before(as_tuple)
]
Ordering = Annotated[Holds, choice(*get_args(Holds))]


_OTHER = "kinds that have none"
_MEAN: Any = about("Centre of normal and truncated.", unset=_OTHER)
_SD: Any = about("Standard deviation of normal and truncated, before the cut.", unset=_OTHER)
_MEDIAN: Any = about("Median of log-normal.", unset=_OTHER)
_LOW: Any = about("Lower end.", unset="no end, of kinds that need none")
_HIGH: Any = about("Upper end.", unset="no end, of kinds that need none")


class PriorEntry(Section):
    """Prior of one parameter, in its unit; every parameter can have such a table.

    What each ``kind`` takes stands with the priors.
    """

    kind: Annotated[Kind, choice(*get_args(Kind)), about("Shape of the prior.")]
    mean: Annotated[float | None, _MEAN] = None
    sd: Annotated[float | None, _SD] = None
    median: Annotated[float | None, _MEDIAN] = None
    log_sd: Annotated[
        Annotated[float, Before(Number(low=0, high=5, open_low=True))] | None,
        about("Standard deviation of the logarithm, of log-normal.", unset=_OTHER),
    ] = None
    low: Annotated[float | None, _LOW] = None
    high: Annotated[float | None, _HIGH] = None
    file: Annotated[
        Word | None,
        about("File of the density (table), or of draws (samples).", unset=_OTHER),
    ] = None
    ordering: Annotated[Ordering, about("Mass ordering that it holds under.")] = OwnPrior.ordering


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

    parameters: Annotated[
        tuple[Annotated[str, choice(*BLOCKED)], ...],
        Before(as_tuple),
        about("Parameters of the block."),
    ]
    means: Annotated[Numbers, about("Mean of each, in its unit.")]
    sds: Annotated[
        Positive | None,
        about("Standard deviation of each, in its unit.", unset="those of covariance"),
    ] = None
    correlation: Annotated[
        Annotated[tuple[Numbers, ...], Before(as_tuple)] | None,
        about("Their correlation, a list for each.", unset="that of covariance"),
    ] = None
    covariance: Annotated[
        Annotated[tuple[Numbers, ...], Before(as_tuple)] | None,
        about("Their covariance, a list for each.", unset="that of sds and correlation"),
    ] = None
    ordering: Annotated[Ordering, about("Mass ordering that it holds under.")] = TiedBlock.ordering


def _numbers_in(unit: str) -> dict[str, Any]:
    """Keys whose numbers may be texts with a unit; nothing by default."""
    number: Any = Annotated[float, Before(Number(_UNITS.get(unit, unit)))] | None
    texts = {"mean": _MEAN, "median": _MEDIAN, "low": _LOW, "high": _HIGH}
    keys: dict[str, Any] = {key: (Annotated[number, text], None) for key, text in texts.items()}
    width: Any = Annotated[float, Before(Number(_UNITS.get(unit, unit), 0, open_low=True))] | None
    return keys | {"sd": (Annotated[width, _SD], None)}


@functools.cache
def _entry_in(unit: str) -> Any:
    """Entries of a parameter with a unit."""
    keys = _numbers_in(unit)
    made = create_model("PriorEntry", __base__=PriorEntry, __doc__=PriorEntry.__doc__, **keys)
    return made | None


_NAME: Any = Annotated[Word, about("Parameter with its group, as `amplitude[short]`.")]
GroupEntry: Any = create_model(
    "GroupEntry",
    __base__=PriorEntry,
    __doc__="Prior of a parameter of one group of data sets, in place of that of all groups.",
    parameter=(_NAME, ...),
    **_numbers_in(""),
)
"""The same beside the name of its parameter."""


class _Blocks(Section):
    """Priors by parameter in place of the default ones; ``block`` and ``group`` are lists."""

    block: Annotated[
        tuple[BlockEntry, ...],
        Before(as_tuple),
        about("A Gaussian of several parameters, which are correlated.", page="priors.md"),
    ] = ()
    group: Annotated[
        tuple[GroupEntry, ...],
        Before(as_tuple),
        about(
            "Prior of one crystal's or run's parameter, of several data sets.",
            page="priors.md#a-prior-for-each-parameter",
        ),
    ] = ()


_ENTRIES: dict[str, Any] = {
    row.name: (
        Annotated[
            _entry_in(row.unit),
            about(
                f"Prior of {row.name}, in its unit; every parameter may have such a table.",
                page="priors.md#a-prior-for-each-parameter",
                unset="the default",
            ),
        ],
        None,
    )
    for row in PARAMETERS.rows
}
PriorsSection: Any = create_model(
    "PriorsSection", __base__=_Blocks, __doc__=_Blocks.__doc__ or "", **_ENTRIES
)
"""A table for each parameter."""


def with_absolute_priors(section: Any, folder: Path) -> Any:
    """Section with paths that mean the same from any folder."""

    def moved(entry: Any) -> Any:
        return entry.model_copy(update={"file": absolute_path(folder, entry.file)})

    entries = {name: getattr(section, name) for name in PARAMETERS.names}
    found: dict[str, Any] = {
        name: moved(entry)
        for name, entry in entries.items()
        if entry is not None and entry.file is not None
    }
    found["group"] = tuple(moved(e) if e.file is not None else e for e in section.group)
    return section.model_copy(update=found)
