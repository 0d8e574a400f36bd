"""Section ``[scan]``: keys that take several values, and parameters that are profiled."""

from __future__ import annotations

import datetime
import math
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before

from renp_infer.fields import refusal, toml_value
from renp_infer.study.sections.base import Section, Word, about, as_tuple, choice, flat

Asked = Literal["evaluate", "infer", "forecast"]
"""What is asked of the study in each cell."""
MOST_POINTS, MOST_CELLS, MOST_AXES = 1000, 10_000, 5
VALUES = "a list of numbers or words, 10,50 or START:STOP:POINTS or START:STOP:POINTS:log"
AUTO = "auto"


def values_of(given: object) -> tuple[Any, ...]:
    """Values of an axis, from a list or its text.

    Parameters
    ----------
    given : object
        A list; or text: values with commas between them, each as after ``--set key=``; or a
        range ``START:STOP:POINTS``, both ends included, evenly in the logarithm with
        ``:log`` behind.

    Raises
    ------
    PydanticCustomError
        If it is neither, or has too many values, or one twice.
    """
    if isinstance(given, datetime.time):  # what TOML takes 10:50:20 for
        given = given.isoformat()
    if isinstance(given, str) and ":" in given:
        values = _range(given)
    elif isinstance(given, str):
        values = tuple(toml_value(text.strip()) for text in given.split(","))
    else:
        values = tuple(given) if isinstance(given, list | tuple) else ()
    if not values or not all(map(_is_plain, values)):
        raise refusal(VALUES)
    if len(values) > MOST_POINTS:
        raise refusal(f"at most {MOST_POINTS} values of one key")
    if len(set(values)) < len(values):
        raise refusal("each value once")
    return values


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int | str) and value != ""


def _range(text: str) -> tuple[float, ...]:
    """Values of a range; whole numbers as such where all are."""
    ends, *how = text.split(":")[:2], *text.split(":")[2:]
    try:
        low, high = map(float, ends)
        points = int(how[0])
    except (ValueError, IndexError):
        raise refusal(VALUES) from None
    if how[1:] not in ([], ["log"]) or not math.isfinite(high - low) or low >= high:
        raise refusal(f"{VALUES}, with START < STOP")
    if not 2 <= points <= MOST_POINTS:
        raise refusal(f"from 2 to {MOST_POINTS} points in a range")
    if how[1:] and low <= 0.0:
        raise refusal("START > 0 in a range that is even in the logarithm")
    space = np.geomspace if how[1:] else np.linspace
    values: list[float] = space(low, high, points).tolist()
    return tuple(map(int, values)) if all(map(float.is_integer, values)) else tuple(values)


def _over(value: object) -> object:
    """Axes by key, as many as a table can show."""
    axes = flat(value)
    if isinstance(axes, dict) and len(axes) > MOST_AXES:
        raise refusal(f"at most {MOST_AXES} keys")
    return axes


def _few(axes: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    cells = math.prod(map(len, axes.values()))
    if cells > MOST_CELLS:
        raise refusal(f"at most {MOST_CELLS} cells, these are {cells}")
    return axes


class _Values:
    """Check for the values of an axis."""

    allowed = VALUES

    def __call__(self, given: object) -> tuple[Any, ...]:
        """Check one axis."""
        return values_of(given)


class _Places:
    """Check for values of a parameter, which are numbers in rising order; or ``auto``."""

    allowed = f'two or more numbers that rise, or "{AUTO}"'

    def __call__(self, given: object) -> object:
        """Check one parameter's values."""
        if given == AUTO:
            return given
        values = values_of(given)
        if len(values) < 2 or not all(type(value) in (int, float) for value in values):
            raise refusal(f'two or more numbers, or "{AUTO}"')
        if any(a >= b for a, b in zip(values, values[1:], strict=False)):
            raise refusal("numbers that rise")
        return tuple(map(float, values))


def _two(axes: dict[str, Any]) -> dict[str, Any]:
    if len(axes) not in (0, 2):
        raise refusal("two parameters")
    return axes


class ScanSection(Section):
    """Keys that take several values, each combination a cell; parameters that are profiled.

    ``what`` is asked of the study in each cell. ``given`` is written into a resolved study:
    the keys that the study itself gave. All others follow in each cell as they would there.
    """

    what: Annotated[
        Asked,
        choice(*get_args(Asked)),
        about("What is asked of the study in each cell.", page="scans.md"),
    ] = "evaluate"
    over: Annotated[
        dict[str, Annotated[tuple[Any, ...], Before(_Values(), json_schema_input_type=Any)]],
        Before(_over, json_schema_input_type=dict[str, Any]),
        After(_few),
        about(
            "Values by key of the study; each combination is a cell.",
            typical='"neutrino.m1_meV" = "1:1000:4:log"',
            page="scans.md",
        ),
    ] = {}
    profile: Annotated[
        dict[
            str,
            Annotated[
                tuple[float, ...] | Literal["auto"], Before(_Places(), json_schema_input_type=Any)
            ],
        ],
        After(_two),
        about(
            "Two parameters of the posterior, each with its values or auto, over whose plane the "
            "likelihood is profiled.",
            page="scans.md",
        ),
    ] = {}
    given: Annotated[
        tuple[Word, ...] | None,
        Before(as_tuple),
        about(
            "Keys that the study itself gave; written into a resolved study.",
            unset="those that the study gives",
        ),
    ] = None
