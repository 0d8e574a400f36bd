"""A parameter in a cell of a table: a number, a limit, or that the data do not measure it."""

from __future__ import annotations

from collections.abc import Callable

from renp_infer.inference.results.compared import Estimated
from renp_infer.terminal import digits_of

NOT_MEASURED = "not measured"
Writer = Callable[[float, float], str]
"""Writes a number to two digits of an error."""


def limited(found: Estimated) -> bool:
    """Whether it is the upper limit that says what was found."""
    return found.upper_95 is not None and (found.measured is False or "lower" in found.reaches)


def fixed(value: float, error: float) -> str:
    """In plain notation, as of masses in meV."""
    return f"{value:.{digits_of(error)}f}"


def estimate(found: Estimated, write: Writer = fixed) -> str:
    """Mean with sd, upper limit, or that there is no measurement."""
    if found.measured is False:
        return NOT_MEASURED
    if limited(found):
        return f"< {shown(found.upper_95, found, write)}"
    return f"{shown(found.mean, found, write)} ± {shown(found.sd, found, write)}"


def interval(found: Estimated, to: str = "-", write: Writer = fixed) -> str:
    """Where it lies with 95 %: from and to, or that the limit is one-sided."""
    if found.measured is False:
        return "-"
    if limited(found):
        return "one-sided"
    low, high = found.interval_95
    return f"{shown(low, found, write)}{to}{shown(high, found, write)}"


def shown(value: float | None, found: Estimated, write: Writer = fixed) -> str:
    """A number of a parameter to two digits of its standard deviation."""
    assert value is not None
    return write(value, found.sd)
