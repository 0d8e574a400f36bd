"""Section ``[blinding]``: results of measured data that nobody shall see yet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator as Before

from renp_infer.fields import Number
from renp_infer.study.blinding import Blinding
from renp_infer.study.paths import absolute_path
from renp_infer.study.sections.base import Section, Word, about


class BlindingSection(Section):
    """Hides what measured data say: masses are published with an offset, nothing else of them.

    ``key`` is a file outside of the run, made by ``renp blind-key``; ``width_meV`` is the
    standard deviation of the offset of m1 that follows from it.
    """

    key: Annotated[
        Word,
        about("File of the secret, outside of the run and for its owner alone: renp blind-key."),
    ]
    width_meV: Annotated[
        float,
        Before(Number("meV", 0, 1e6, open_low=True)),
        about(
            "Standard deviation of the secret offset of m1; offsets of derived masses are wider "
            "by as much as they can move with m1.",
            typical="several times the error that is expected",
        ),
    ] = 200.0


def with_absolute_key(section: BlindingSection | None, folder: Path) -> BlindingSection | None:
    """Section whose file means the same from any folder."""
    if section is None:
        return None
    return section.model_copy(update={"key": absolute_path(folder, section.key)})


def blinding_of(section: BlindingSection | None) -> Blinding | None:
    """Record of a checked section."""
    return None if section is None else Blinding(section.key, section.width_meV)
