"""Section ``[constraints]``: what other experiments say; all off by default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number
from renp_infer.inference.constraints import LimitConstraint
from renp_infer.inference.parameters import BETA_SQUARED, DERIVED_TEXTS, PARAMETERS
from renp_infer.study.paths import absolute_path
from renp_infer.study.sections.base import Section, Word, as_tuple, choice

ALLOWED = tuple(
    name for name in (*PARAMETERS.names, *DERIVED_TEXTS, BETA_SQUARED)
    if name not in PARAMETERS.offsets
)  # fmt: skip
"""What a constraint may be about: all but offsets, which the apparatus alone has."""
Quantity = Annotated[str, choice(*ALLOWED)]
Quantities = Annotated[tuple[Quantity, ...], Before(as_tuple)]
Numbers = Annotated[tuple[Annotated[float, Before(Number())], ...], Before(as_tuple)]
Errors = Annotated[
    tuple[Annotated[float, Before(Number(low=0, open_low=True))], ...], Before(as_tuple)
]
Ordering = Annotated[Literal["both", "normal", "inverted"], choice("both", "normal", "inverted")]


class GaussianEntry(Section):
    """A measurement of some quantities: ``errors``, or a ``covariance``."""

    name: Word
    quantities: Quantities
    values: Numbers
    errors: Errors | None = None
    covariance: Annotated[tuple[Numbers, ...], Before(as_tuple)] | None = None
    ordering: Ordering = "both"


class LimitEntry(Section):
    """An upper limit as half a normal distribution, which has to be said: ``shape``."""

    name: Word
    quantity: Quantity
    upper: Annotated[float, Before(Number(low=0, open_low=True))]
    level: Annotated[float, Before(Number(low=0.5, high=1, open_low=True, open_high=True))]
    shape: Annotated[Literal["one-sided-normal"], choice("one-sided-normal")] | None = None
    best: Annotated[float, Before(Number(low=0))] = LimitConstraint.best
    upper_least: Annotated[float, Before(Number(low=0, open_low=True))] | None = None
    ordering: Ordering = "both"


class FileEntry(Section):
    """Numbers in a CSV file with a column for each quantity."""

    name: Word
    quantities: Quantities
    file: Word
    ordering: Ordering = "both"


class ConstraintsSection(Section):
    """External knowledge: shipped or own files (``use``), and constraints of a study."""

    use: Annotated[tuple[Word, ...], Before(as_tuple)] = ()
    gaussian: Annotated[tuple[GaussianEntry, ...], Before(as_tuple)] = ()
    limit: Annotated[tuple[LimitEntry, ...], Before(as_tuple)] = ()
    table: Annotated[tuple[FileEntry, ...], Before(as_tuple)] = ()
    chain: Annotated[tuple[FileEntry, ...], Before(as_tuple)] = ()


def with_absolute_files(section: ConstraintsSection | None, folder: Path) -> Any:
    """Section with paths that mean the same from any folder."""
    if section is None:
        return None
    use = tuple(
        absolute_path(folder, name) if name.endswith(".toml") else name for name in section.use
    )
    moved = {
        kind: tuple(
            row.model_copy(update={"file": absolute_path(folder, row.file)})
            for row in getattr(section, kind)
        )
        for kind in ("table", "chain")
    }
    return section.model_copy(update={"use": use, **moved})
