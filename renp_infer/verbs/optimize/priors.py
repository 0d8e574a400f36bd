"""What designs are worth under several priors of m1: as a task writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renp_infer.design.searches.objective import score
from renp_infer.design.utilities.utility import Utility

OWN_DESIGN, MAXIMIN = "own", "maximin"
"""Rows that are the best under no prior: the study's own design, and that of the smallest
largest loss."""

ROWS = {OWN_DESIGN: "(the study's own design)", MAXIMIN: "(smallest largest loss)"}
"""What tables call them."""


@dataclass(frozen=True)
class UnderPriors:
    """One design under all priors.

    Attributes
    ----------
    name : str
        Prior under which it is the best, or `OWN_DESIGN` or `MAXIMIN`.
    design : mapping
        Value of each dimension; empty for the study's own.
    utilities : mapping
        First objective by prior.
    """

    name: str
    design: Mapping[str, Any]
    utilities: Mapping[str, Utility]


@dataclass(frozen=True)
class PriorTable:
    """How the best design under each prior of m1 does under the others.

    Attributes
    ----------
    objective : str
    priors : tuple of str
    rows : tuple of UnderPriors
    """

    objective: str
    priors: tuple[str, ...]
    rows: tuple[UnderPriors, ...]

    def largest_loss(self, row: UnderPriors) -> float:
        """Score that a design loses against the best row, under the prior where it loses most."""
        return max(
            max(self._score(other, prior) for other in self.rows) - self._score(row, prior)
            for prior in self.priors
        )

    def _score(self, row: UnderPriors, prior: str) -> float:
        return score(self.objective, row.utilities[prior].value)

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        rows = [
            {
                "name": row.name,
                "design": dict(row.design),
                "utilities": {name: found.plain() for name, found in row.utilities.items()},
                "largest_loss": Utility(self.largest_loss(row), 0.0).plain()["value"],
            }
            for row in self.rows
        ]
        return {"objective": self.objective, "priors": list(self.priors), "rows": rows}

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> PriorTable:
        """From a plain row."""
        rows = tuple(
            UnderPriors(
                own["name"],
                own["design"],
                {name: Utility.read(found) for name, found in own["utilities"].items()},
            )
            for own in row["rows"]
        )
        return cls(row["objective"], tuple(row["priors"]), rows)
