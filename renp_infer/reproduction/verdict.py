"""Verdicts: agreement is computed from printed digits, disagreement is judged.

A recomputed value ``agrees`` if it rounds to the printed digits, and ``agrees
within rounding`` if it misses them by no more than one unit of the last digit,
as rounded inputs may do. A coefficient or a count must be met to 1e-4, an order
of magnitude within half a decade; a bound or a range must hold. What does not
agree needs a judgement and its reason; a judgement about something that agrees
is an error, and so is the lack of one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from renp_infer.errors import DomainError
from renp_infer.reproduction.printed import PAPER, Printed

Judgement = Literal["misprint", "not reproducible", "undecoded"]
Value = float | tuple[float, ...] | None
AGREES, ROUNDING = "agrees", "agrees within rounding"
VERDICTS = (AGREES, ROUNDING, "misprint", "not reproducible", "undecoded")
"""misprint: contradicts the paper's own formula or input, and the slip is known;
not reproducible: no calculation here leads to it, and why is known; undecoded:
contradicts the paper's own formula, and how it came about is not known."""
HALF_DECADE, EXACT = 0.5, 1e-4
_SLACK = 1e-9


@dataclass(frozen=True)
class Recomputed:
    """What a calculation finds for one printed value.

    Attributes
    ----------
    id : str
        Of the printed value.
    published : float, tuple of float, or None
        With the switches of the paper; None where nothing can be computed.
    corrected : float, tuple of float, or None
        With the corrected switches; None where they do not enter.
    why : str
        One line.
    test : str
        ``file.py::test`` in the tests that holds the calculation.
    judged : str, optional
        Verdict where the value does not agree.
    first_principles : float, tuple of float, or None
        From the weak Hamiltonian; None where that was not asked.
    """

    id: str
    published: Value
    corrected: Value
    why: str
    test: str
    judged: Judgement | None = None
    first_principles: Value = None


@dataclass(frozen=True)
class Row:
    """One line of the ledger."""

    printed: Printed
    found: Recomputed
    verdict: str

    def document(self) -> dict[str, Any]:
        """The row for JSON."""
        return {
            "id": self.printed.id,
            "of": self.printed.of,
            "where": self.printed.where,
            "what": self.printed.what,
            "printed": self.printed.value,
            "published": _listed(self.found.published),
            "corrected": _listed(self.found.corrected),
            "first_principles": _listed(self.found.first_principles),
            "unit": self.printed.unit,
            "verdict": self.verdict,
            "why": self.found.why,
            "test": self.found.test,
        }


def _listed(value: Value) -> float | list[float] | None:
    return list(value) if isinstance(value, tuple) else value


def make_row(printed: Printed, found: Recomputed) -> Row:
    """Join a printed value with its recomputation.

    The paper is held to its own switches, other papers to the weak Hamiltonian.

    Raises
    ------
    DomainError
        If a judgement is missing, or stands where the values agree.
    """
    value = found.published if printed.of == PAPER else found.first_principles
    agreed = agreement(printed, value)
    if agreed and found.judged:
        raise DomainError(f"{printed.id}: judged", found.judged, f"none, for it {agreed}")
    verdict = agreed or found.judged
    if verdict is None:
        raise DomainError(f"{printed.id}: judged", None, f"a judgement: {value}")
    return Row(printed, found, verdict)


def agreement(printed: Printed, value: Value) -> str | None:
    """Verdict of two values that agree, else None.

    Raises
    ------
    DomainError
        If there are not as many values as printed ones.
    """
    if value is None or printed.kind == "statement":
        return None
    values = value if isinstance(value, tuple) else (value,)
    if printed.kind in ("range", "order", "above", "at most"):
        return AGREES if all(_holds(printed, v) for v in values) else None
    if len(values) != len(printed.texts):
        raise DomainError(printed.id, len(values), f"{len(printed.texts)} values")
    if printed.kind == "exact":
        met = (abs(v - n) <= EXACT for v, n in zip(values, printed.numbers, strict=True))
        return AGREES if all(met) else None
    misses = [_miss(text, v) for text, v in zip(printed.texts, values, strict=True)]
    worst = max(misses)
    return AGREES if worst <= 0.5 + _SLACK else ROUNDING if worst <= 1.0 + _SLACK else None


def _holds(printed: Printed, value: float) -> bool:
    numbers = printed.numbers
    if printed.kind == "range":
        return numbers[0] <= value <= numbers[1]
    if printed.kind == "order":
        return value > 0.0 and abs(math.log10(value / numbers[0])) <= HALF_DECADE
    return value > numbers[0] if printed.kind == "above" else value <= numbers[0]


def _miss(text: str, value: float) -> float:
    """Distance from a printed number in units of its last digit."""
    exponent = Decimal(text).as_tuple().exponent
    assert isinstance(exponent, int)
    # the difference of decimals is exact; the quotient is a few units at most
    return float(abs(Decimal(value) - Decimal(text)) / Decimal(1).scaleb(exponent))
