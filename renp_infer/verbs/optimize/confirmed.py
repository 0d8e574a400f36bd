"""What the best design and the study's own are worth at stated masses: promised, and found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from renp_infer.design.utilities.agreement import Confirmed
from renp_infer.design.utilities.equal_time import MOST, EqualTime
from renp_infer.design.utilities.measures import MEASURES
from renp_infer.design.utilities.utility import Utility
from renp_infer.engine.provenance import PROVENANCE
from renp_infer.engine.result import Result, Verdict
from renp_infer.verbs.optimize.parts import read_record

BEST, OWN = "best", "own"
DESIGNS = (BEST, OWN)
"""Whose worth is told."""
DESIGN_WORDS = {BEST: "best design", OWN: "study's own"}
KINDS = {"p_ordering": 0, "p_nature": 1}
"""Measures that are probabilities, and which part of a hypothesis each is about."""


@dataclass(frozen=True)
class Worth:
    """What a task says of both designs for one truth, or for the whole prior.

    Attributes
    ----------
    m1_meV : float or None
        True mass; ``None`` for truths of the prior.
    utility : str
        Measure of which the time is told.
    designs : mapping
        Utilities by name of each design; without one whose response cannot be had.
    own_s : float or None
        Exposure of the study's own layout.
    time : EqualTime or None
        That it needs to be worth what the best design is.
    failed : str
        Why something is missing.
    """

    m1_meV: float | None
    utility: str
    designs: Mapping[str, Mapping[str, Utility]]
    own_s: float | None = None
    time: EqualTime | None = None
    failed: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        designs = {
            who: {name: found.plain() for name, found in own.items()}
            for who, own in self.designs.items()
        }
        return asdict(self) | {"designs": designs}

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Worth:
        """From a plain row."""
        designs = {
            who: {name: Utility.read(found) for name, found in own.items()}
            for who, own in row["designs"].items()
        }
        time = read_record(EqualTime | None, row["time"])  # type: ignore[arg-type]
        return cls(row["m1_meV"], row["utility"], designs, row["own_s"], time, row["failed"])


@dataclass(frozen=True)
class Mocked:
    """What one mock data set told in full.

    Attributes
    ----------
    design : str
    m1_meV : float
        True.
    values : mapping
        By measure; empty after a failure.
    mean_meV, ess : float or None
    failure : str
    """

    design: str
    m1_meV: float
    values: Mapping[str, float]
    mean_meV: float | None
    ess: float | None
    failure: str = ""


@dataclass(frozen=True)
class ToldRow:
    """One design at one true mass.

    Attributes
    ----------
    design : str
    m1_meV : float
    measures : mapping
        Promise and outcome by name.
    failures : int
        Data sets that could not be analysed.
    """

    design: str
    m1_meV: float
    measures: Mapping[str, Confirmed]
    failures: int


@dataclass(frozen=True)
class ConfirmResult(Result):
    """Both designs at stated masses.

    Attributes
    ----------
    name : str
        Of the study.
    best : mapping
        Keys of the best design that this is about.
    m1_meV : tuple of float
    confirm : int
        Data sets for each design and mass.
    worths : tuple of Worth
        Of the prior, then of each mass.
    lines : tuple of ToldRow
    mocks : tuple of Mocked
    verdict : Verdict
    provenance : mapping
    """

    name: str
    best: Mapping[str, Any]
    m1_meV: tuple[float, ...]
    confirm: int
    worths: tuple[Worth, ...]
    lines: tuple[ToldRow, ...]
    mocks: tuple[Mocked, ...]
    verdict: Verdict
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def verdicts(self) -> dict[str, Verdict]:
        """Of promises against outcomes, where there are outcomes."""
        return {"promise": self.verdict} if self.confirm else {}

    def row(self, design: str, m1_meV: float) -> ToldRow:
        """That of a design and mass."""
        return next(r for r in self.lines if (r.design, r.m1_meV) == (design, m1_meV))

    def told(self) -> dict[str, Any]:
        """The document."""
        return self.to_document()

    def facts(self) -> dict[str, Any]:
        """What the document of a search has of it."""
        return {
            "m1_meV": list(self.m1_meV),
            "confirm": self.confirm,
            "rows": [_row(row) for row in self.lines],
            "times": [_time(worth) for worth in self.worths if worth.time is not None],
            "failures": self.problems,
        }

    @property
    def problems(self) -> list[str]:
        """Why numbers are missing, each once."""
        rows = [worth.failed for worth in self.worths] + [one.failure for one in self.mocks]
        return list(dict.fromkeys(filter(None, rows)))

    def to_document(self) -> dict[str, Any]:
        """``confirm.json``."""
        return {
            "schema": 1,
            "name": self.name,
            "best": dict(self.best),
            **self.facts(),
            "worths": [worth.plain() for worth in self.worths],
            "mocks": [asdict(one) for one in self.mocks],
            "verdict": self.verdict.verdict,
            "reasons": list(self.verdict.reasons),
            PROVENANCE: dict(self.provenance),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ConfirmResult:
        """From ``confirm.json``."""
        rows = [
            ToldRow(
                row["design"],
                row["m1_meV"],
                {name: _agreement(own) for name, own in row["measures"].items()},
                row["failures"],
            )
            for row in document["rows"]
        ]
        return cls(
            document["name"],
            document["best"],
            tuple(document["m1_meV"]),
            document["confirm"],
            tuple(Worth.read(row) for row in document["worths"]),
            tuple(rows),
            read_record(tuple[Mocked, ...], document["mocks"]),
            Verdict.of(document),
            document[PROVENANCE],
        )


def _row(row: ToldRow) -> dict[str, Any]:
    measures = {}
    for name, own in row.measures.items():
        numbers = {"promise": own.promise, "outcome": own.outcome}
        found: dict[str, Any] = {"unit": MEASURES[name].unit}
        for kind, utility in numbers.items():
            plain = utility.plain()
            found |= {kind: plain["value"], f"{kind}_error": plain["error"]}
        measures[name] = found | {"data_sets": own.data_sets, "agrees": own.agrees}
    about = {"design": row.design, "m1_meV": row.m1_meV, "failures": row.failures}
    return about | {"measures": measures}


def _agreement(row: Mapping[str, Any]) -> Confirmed:
    promise, outcome = (
        Utility(*(np.inf if row[key] is None else row[key] for key in (kind, f"{kind}_error")))
        for kind in ("promise", "outcome")
    )
    return Confirmed(promise, outcome, row["data_sets"], row["agrees"])


def _time(worth: Worth) -> dict[str, Any]:
    """The time of the study's own layout; its factor is ``None`` where none does."""
    assert worth.time is not None and worth.own_s is not None
    found = asdict(worth.time)
    factor = None if worth.time.exposure_s is None else worth.time.exposure_s / worth.own_s
    about = {"utility": worth.utility, "m1_meV": worth.m1_meV, "own_s": worth.own_s}
    return about | found | {"factor": factor, "reachable": factor is not None, "most": MOST}


def disagreements(rows: Sequence[ToldRow]) -> list[str]:
    """Where an outcome is not as promised, in words."""
    found = []
    for row in rows:
        for name, own in row.measures.items():
            if own.agrees is False:
                unit = MEASURES[name].unit and f" {MEASURES[name].unit}"
                found.append(
                    f"{DESIGN_WORDS[row.design]} at {row.m1_meV:g} meV: {name} was promised as "
                    f"{own.promise.value:.3g} ± {own.promise.error:.2g}{unit}, full inference "
                    f"finds {own.outcome.value:.3g} ± {own.outcome.error:.2g}{unit}"
                )
    return found
