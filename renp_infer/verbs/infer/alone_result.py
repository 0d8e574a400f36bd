"""What each of several data sets says by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renp_infer.engine.result import Result, Verdict
from renp_infer.inference.parameters import MASS
from renp_infer.inference.results.judged import Summary
from renp_infer.verbs.infer.cells import estimate
from renp_infer.verbs.infer.judged import Diagnostics


@dataclass(frozen=True)
class Alone:
    """The posterior of one data set.

    Attributes
    ----------
    estimates : mapping
        Of each parameter, by name.
    diagnostics : Diagnostics
    """

    estimates: Mapping[str, Summary]
    diagnostics: Diagnostics

    @property
    def mass(self) -> Summary:
        """Estimate of m1, meV."""
        return self.estimates[MASS]


@dataclass(frozen=True, eq=False)
class SetsResult(Result):
    """The posteriors of all data sets, one by one.

    Attributes
    ----------
    sets : mapping
        By name; those whose fit failed are missing.
    document : mapping
        ``sets.json``.
    """

    sets: Mapping[str, Alone]
    document: Mapping[str, Any]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> SetsResult:
        """Result of ``sets.json``."""
        return cls({name: _alone(row) for name, row in document["sets"].items()}, document)

    def verdicts(self) -> dict[str, Verdict]:
        """Of the sampler's diagnostics of each set."""
        rows = self.sets.items()
        return {f"diagnostics of {name} alone": one.diagnostics.verdict for name, one in rows}

    def rows(self) -> list[tuple[str, str]]:
        """The mass by each."""
        return [(f"m1 [meV] of {name} alone", estimate(s.mass)) for name, s in self.sets.items()]

    def told(self) -> dict[str, Any]:
        """Estimates and diagnostics by data set."""
        found: dict[str, Any] = dict(self.document["sets"])
        return found


def _alone(row: Mapping[str, Any]) -> Alone:
    estimates = {name: Summary.of(found) for name, found in row["parameters"].items()}
    return Alone(estimates, Diagnostics.of(row["diagnostics"]))
