"""A parameter in a cell of a table: a number, a limit, or that the data do not measure it."""

from __future__ import annotations

from renp_infer.inference.judged import Summary
from renp_infer.terminal import digits_of

NOT_MEASURED = "not measured"


def limited(found: Summary) -> bool:
    """Whether it is the upper limit that says what was found."""
    return found.upper_95 is not None and (found.measured is False or "lower" in found.reaches)


def estimate(found: Summary) -> str:
    """Mean with sd, upper limit, or that there is no measurement."""
    if found.measured is False:
        return NOT_MEASURED
    if limited(found):
        return f"< {shown(found.upper_95, found)}"
    return f"{shown(found.mean, found)} ± {shown(found.sd, found)}"


def interval(found: Summary) -> str:
    """Where it lies with 95 %: from and to, or that the limit is one-sided."""
    if found.measured is False:
        return "-"
    if limited(found):
        return "one-sided"
    low, high = found.interval_95
    return f"{shown(low, found)}-{shown(high, found)}"


def shown(value: float | None, found: Summary) -> str:
    """A number of a parameter to two digits of its standard deviation."""
    assert value is not None
    return f"{value:.{digits_of(found.sd)}f}"
