"""Section ``[constraints]``: what other experiments say; all off by default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number
from renp_infer.inference.knowledge.constraints import LimitConstraint
from renp_infer.inference.parameters import BETA_SQUARED, DERIVED_TEXTS, PARAMETERS
from renp_infer.study.paths import absolute_path
from renp_infer.study.sections.base import Section, Word, about, as_tuple, choice

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
Name = Annotated[Word, about("Name, under which results list it.")]
Ordering = Annotated[
    Literal["both", "normal", "inverted"],
    choice("both", "normal", "inverted"),
    about("Ordering under which it holds; under the other one it counts as 0, at its best."),
]


class GaussianEntry(Section):
    """A measurement of some quantities: ``errors``, or a ``covariance``."""

    name: Name
    quantities: Annotated[Quantities, about("What was measured.")]
    values: Annotated[Numbers, about("Measured values, one for each quantity, in its unit.")]
    errors: Annotated[
        Errors | None,
        about("Standard errors, one for each quantity.", unset="a covariance is given"),
    ] = None
    covariance: Annotated[
        tuple[Numbers, ...] | None,
        Before(as_tuple),
        about("Covariance, a row for each quantity.", unset="errors are given"),
    ] = None
    ordering: Ordering = "both"


class LimitEntry(Section):
    """An upper limit as half a normal distribution, which has to be said: ``shape``."""

    name: Name
    quantity: Annotated[Quantity, about("What is limited.")]
    upper: Annotated[
        float,
        Before(Number(low=0, open_low=True)),
        about("Published upper limit, in the unit of the quantity."),
    ]
    level: Annotated[
        float,
        Before(Number(low=0.5, high=1, open_low=True, open_high=True)),
        about("Its level.", typical="0.90, 0.95"),
    ]
    shape: Annotated[
        Literal["one-sided-normal"] | None,
        choice("one-sided-normal"),
        about(
            "Shape of its likelihood, which a limit does not tell: it has to be said.",
            unset="it must be given",
        ),
    ] = None
    best: Annotated[
        float,
        Before(Number(low=0)),
        about("Value below which the limit says nothing."),
    ] = LimitConstraint.best
    upper_least: Annotated[
        float | None,
        Before(Number(low=0, open_low=True)),
        about(
            "Smallest that the limit may be, where it depends on what is not known; averaged "
            "up to upper, evenly in the logarithm.",
            unset="upper is the limit",
        ),
    ] = None
    ordering: Ordering = "both"


class FileEntry(Section):
    """Numbers in a CSV file with a column for each quantity."""

    name: Name
    quantities: Annotated[Quantities, about("Columns of the file that are read.")]
    file: Annotated[Word, about("CSV file, from the study's folder.")]
    ordering: Ordering = "both"


class ConstraintsSection(Section):
    """External knowledge: shipped or own files (``use``), and constraints of a study."""

    use: Annotated[
        tuple[Word, ...],
        Before(as_tuple),
        about(
            "Shipped constraints by name, or paths that end in .toml.", typical='["katrin-2025"]'
        ),
    ] = ()
    gaussian: Annotated[
        tuple[GaussianEntry, ...], Before(as_tuple), about("Measurements with Gaussian errors.")
    ] = ()
    limit: Annotated[
        tuple[LimitEntry, ...], Before(as_tuple), about("Upper limits at a level.")
    ] = ()
    table: Annotated[
        tuple[FileEntry, ...],
        Before(as_tuple),
        about("Files with chi_squared on a full grid of one or two quantities."),
    ] = ()
    chain: Annotated[
        tuple[FileEntry, ...],
        Before(as_tuple),
        about("Files with draws, and their weight where they are not equal."),
    ] = ()


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
