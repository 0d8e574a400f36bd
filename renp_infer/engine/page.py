"""What a verb puts on the page about a run: parts with a heading, made of blocks.

The report draws the blocks; no verb writes HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from renp_infer.engine.result import Result, Verdict, Word
    from renp_infer.figures.plate import Plate


@dataclass(frozen=True)
class Text:
    """A paragraph, with a verdict's badge and a title in front if it has them."""

    text: str
    verdict: Word | None = None
    title: str = ""
    small: bool = False
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Note:
    """Something that must be seen: a warning, or reasons of a failure."""

    text: str
    failed: bool = False
    kind: ClassVar[str] = "note"


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, and whether its cells are numbers, heads or code."""

    title: str
    number: bool = False
    heads: bool = False
    code: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell that stands out, or stands back, among its neighbours."""

    text: str
    stands: str


@dataclass(frozen=True)
class Table:
    """Rows of text under columns, with a caption, or a name for readers by ear."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str | Cell, ...], ...]
    caption: str = ""
    name: str = ""
    style: str = ""
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Facts:
    """Names with their values; a title and a verdict where it stands beside others."""

    rows: tuple[tuple[str, str], ...]
    caption: str
    title: str = ""
    verdict: Word | None = None
    kind: ClassVar[str] = "facts"


type Block = Text | Note | Table | Facts | Plate


@dataclass(frozen=True)
class Part:
    """A part of the page; parts of several verbs with the same anchor are one.

    Attributes
    ----------
    place : int
        Where on the page: the lower, the higher up.
    anchor : str
        Name of the link to it.
    title : str
        Heading; empty where the blocks stand side by side under their own titles.
    blocks : tuple
    link : str
        What the list of contents calls it; empty for its title.
    """

    place: int
    anchor: str
    title: str
    blocks: tuple[Block, ...]
    link: str = ""


@dataclass(frozen=True)
class Answer:
    """What was found, in a sentence or two with their numbers.

    Attributes
    ----------
    about : str
    text : str
    modest : bool
        Whether it is said only if nothing else was found.
    """

    about: str
    text: str
    modest: bool = False


@dataclass(frozen=True)
class Page:
    """What a verb says of a run.

    Attributes
    ----------
    parts : tuple of Part
    answers : tuple of Answer
        The first of all verbs', in their order, is the answer of the run.
    title : str
        What a run is about whose answer is this verb's.
    question : str
        What such a run asks, without a question mark; its place, time and physics are added.
    """

    parts: tuple[Part, ...] = ()
    answers: tuple[Answer, ...] = ()
    title: str = "What a study found"
    question: str = "What was found"


LAST = 100
"""Place of parts that name none."""


def reasons(found: Verdict) -> tuple[Note, ...]:
    """Reasons of a verdict as a note; none without any."""
    if not found.reasons:
        return ()
    return (Note("; ".join(found.reasons) + ".", failed=found.verdict == "fail"),)


def plain(name: str, result: Result) -> Page:
    """What can be said of any result: its verdicts and its rows."""
    blocks: list[Block] = []
    for judged, found in result.verdicts().items():
        blocks += [Text(judged.capitalize(), found.verdict), *reasons(found)]
    if rows := tuple(result.rows()):
        blocks.append(Facts(rows, "What was found."))
    if not blocks:
        return Page()
    return Page((Part(LAST, name, name.capitalize(), tuple(blocks)),))
