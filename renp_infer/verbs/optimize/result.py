"""What a search of designs found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from renp_infer.design.searches.bounds import Bound
from renp_infer.design.searches.effects import Effects
from renp_infer.design.searches.objective import score
from renp_infer.design.searches.search import Trial
from renp_infer.design.utilities.measures import MEASURES
from renp_infer.design.utilities.utility import Utility
from renp_infer.engine.provenance import PROVENANCE
from renp_infer.engine.result import Result, Verdict
from renp_infer.verbs.optimize.parts import Appraisal, Gains, known, read_record
from renp_infer.verbs.optimize.priors import PriorTable
from renp_infer.verbs.optimize.robustness import Robustness

TRIALS, BEST = "trials.jsonl", "best.toml"
"""Files beside ``optimize.json``: all trials, and the best design as a study."""
SAME = (
    "name",
    "objective",
    "per_cost",
    "normalised",
    "best",
    "design",
    "gain",
    "evaluations",
    "allowed_share",
    "exhausted",
)
"""Keys of the document that are read as they are."""


@dataclass(frozen=True)
class Tried:
    """A trial, and which search made it: a row of ``trials.jsonl``.

    Attributes
    ----------
    optimizer : str
    repeat, index : int
    trial : Trial
    """

    optimizer: str
    repeat: int
    index: int
    trial: Trial

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        about = {"optimizer": self.optimizer, "repeat": self.repeat, "index": self.index}
        return about | self.trial.plain()

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Tried:
        """From a plain row."""
        return cls(row["optimizer"], row["repeat"], row["index"], Trial.read(row))


@dataclass(frozen=True)
class FoundBy:
    """Which search, and which part of it, found the best."""

    optimizer: str
    repeat: int
    stage: str


@dataclass(frozen=True)
class Repeats:
    """Best of the first objective in each search of an optimizer, polish left out.

    Attributes
    ----------
    optimizer : str
    repeats : int
    lower_quartile, median, upper_quartile : float, optional
        Over the repeats; ``None`` where all failed.
    """

    optimizer: str
    repeats: int
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


@dataclass(frozen=True)
class FrontMember:
    """A trial that no other dominates.

    Attributes
    ----------
    x : tuple of float
    design : mapping
        Value of each dimension.
    values, errors : mapping
        By objective; an error that is not known is ``None``.
    membership : float
        Probability to be on the front, given the errors.
    """

    x: tuple[float, ...]
    design: Mapping[str, Any]
    values: Mapping[str, float]
    errors: Mapping[str, float | None]
    membership: float


@dataclass(frozen=True)
class Hypervolume:
    """What a front dominates, in the product of the objectives' units.

    Attributes
    ----------
    value, error : float
    reference : mapping
        The point above which it is counted, by objective.
    """

    value: float
    error: float
    reference: Mapping[str, float]


@dataclass(frozen=True)
class OptimizeResult(Result):
    """The best design, what it is worth, and how it was found.

    Attributes
    ----------
    name, objective : str
        Of the study, and the first objective.
    per_cost, normalised : bool
        Whether utilities are divided by the cost, and noise is normalised.
    best : mapping
        Value by study key.
    design : mapping
        Value by dimension.
    x : tuple of float
        Point of the unit cube.
    bounds : tuple of Bound
        What holds the best design where it is.
    flat : mapping
        Dimensions without effect on the best design, and whose value they have.
    found_by : FoundBy
    search : Utility
        Of the best in its search.
    last, reference : Appraisal
        Of the best and of the study's own design, by other truths.
    gain : float, optional
        In the utility's unit, > 0 if the design is better than the study's own.
    evaluations : int
    allowed_share : float, optional
        Share of the unit cube that constraints allow.
    searches : tuple of Repeats
    exhausted : bool
        Whether a search tried every allowed design.
    front : tuple of FrontMember, optional
        With several objectives.
    hypervolume : Hypervolume, optional
    priors : PriorTable, optional
        The best under other priors of m1.
    effects : Effects, optional
        What each dimension matters.
    gains : Gains, optional
        Under other physics.
    robustness : Robustness, optional
    verdict : Verdict
    provenance : mapping
    trials : tuple of Tried
        Of all searches.
    """

    name: str
    objective: str
    per_cost: bool
    normalised: bool
    best: Mapping[str, Any]
    design: Mapping[str, Any]
    x: tuple[float, ...]
    bounds: tuple[Bound, ...]
    found_by: FoundBy
    search: Utility
    last: Appraisal
    reference: Appraisal
    gain: float | None
    evaluations: int
    allowed_share: float | None
    searches: tuple[Repeats, ...]
    verdict: Verdict
    exhausted: bool = False
    flat: Mapping[str, str] = field(default_factory=dict)
    front: tuple[FrontMember, ...] | None = None
    hypervolume: Hypervolume | None = None
    priors: PriorTable | None = None
    effects: Effects | None = None
    gains: Gains | None = None
    robustness: Robustness | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    trials: tuple[Tried, ...] = ()

    @property
    def unit(self) -> str:
        """Of the first objective."""
        return MEASURES[self.objective].unit

    @property
    def utility(self) -> Utility:
        """First objective of the best design."""
        return self.last.of(self.objective)

    @property
    def reference_utility(self) -> Utility:
        """First objective of the study's own design."""
        return self.reference.of(self.objective)

    @property
    def names(self) -> list[str]:
        """Objectives, the first of which says what is best."""
        values = next((t.trial.values for t in self.trials if t.trial.values), {})
        return [self.objective, *(name for name in values if name != self.objective)]

    def scores(self, rows: Sequence[Tried]) -> np.ndarray:
        """Score of the first objective in each trial, (n,); -inf after a failure."""
        return np.array(
            [score(self.objective, r.trial.utility(self.objective).value) for r in rows]
        )

    def verdicts(self) -> dict[str, Verdict]:
        """Of the search."""
        return {"optimize": self.verdict}

    def told(self) -> dict[str, Any]:
        """The document, with the trials as rows."""
        return self.to_document() | {"trials": [row.plain() for row in self.trials]}

    def to_document(self) -> dict[str, Any]:
        """``optimize.json``."""
        found = {
            "schema": 1,
            "name": self.name,
            "objective": self.objective,
            "unit": self.unit,
            "per_cost": self.per_cost,
            "normalised": self.normalised,
            "best": dict(self.best),
            "design": dict(self.design),
            "x": list(self.x),
            "on_bound": list(dict.fromkeys(bound.name for bound in self.bounds)),
            "bounds": [asdict(bound) for bound in self.bounds],
            "flat": dict(self.flat),
            "found_by": asdict(self.found_by),
            **_measured("utility", self.utility),
            "utility_bounds": [self.utility.lower, self.utility.upper],
            **_measured("reference_utility", self.reference_utility),
            **_measured("search_utility", self.search),
            "gain": self.gain,
            "last": {"best": self.last.plain(), "reference": self.reference.plain()},
            "evaluations": self.evaluations,
            "allowed_share": self.allowed_share,
            "exhausted": self.exhausted,
            "searches": [asdict(row) for row in self.searches],
        }
        verdict = {"verdict": self.verdict.verdict, "reasons": list(self.verdict.reasons)}
        return found | self._optional() | verdict | {PROVENANCE: dict(self.provenance)}

    def _optional(self) -> dict[str, Any]:
        """What only some searches have."""
        found: dict[str, Any] = {}
        if self.front is not None:
            found["front"] = [asdict(member) for member in self.front]
        if self.hypervolume is not None:
            found["hypervolume"] = asdict(self.hypervolume)
        if self.priors is not None:
            found["priors"] = self.priors.plain()
        if self.effects is not None:
            found["effects"] = [asdict(row) for row in self.effects.rows]
            found["surrogate"] = asdict(self.effects.surrogate)
        if self.gains is not None:
            found["gains"] = self.gains.plain()
        if self.robustness is not None:
            found["robustness"] = self.robustness.plain()
        return found

    @classmethod
    def of(cls, document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> OptimizeResult:
        """From ``optimize.json`` and the rows of ``trials.jsonl``."""
        gains = document.get("gains")
        searched = {n: document[f"search_utility{n}"] for n in ("", "_error")}
        search = {"value": searched[""], "error": searched["_error"], "lower": None, "upper": None}
        return cls(
            **{name: document[name] for name in SAME},
            x=tuple(document["x"]),
            bounds=tuple(Bound(**row) for row in document["bounds"]),
            flat=document["flat"],
            found_by=FoundBy(**document["found_by"]),
            search=Utility.read(search),
            last=Appraisal.read(document["last"]["best"]),
            reference=Appraisal.read(document["last"]["reference"]),
            searches=tuple(Repeats(**row) for row in document["searches"]),
            front=read_record(tuple[FrontMember, ...] | None, document.get("front")),  # type: ignore[arg-type]
            hypervolume=read_record(Hypervolume | None, document.get("hypervolume")),  # type: ignore[arg-type]
            priors=PriorTable.read(document["priors"]) if "priors" in document else None,
            effects=_effects(document),
            gains=None if gains is None else Gains.read(gains),
            robustness=read_record(Robustness | None, document.get("robustness")),  # type: ignore[arg-type]
            verdict=Verdict.of(document),
            provenance=document[PROVENANCE],
            trials=tuple(Tried.read(row) for row in rows),
        )


def _effects(document: Mapping[str, Any]) -> Effects | None:
    if "effects" not in document:
        return None
    rows, surrogate = document["effects"], document["surrogate"]
    return read_record(Effects, {"rows": rows, "surrogate": surrogate})


def _measured(name: str, utility: Utility) -> dict[str, float | None]:
    return {name: known(utility.value), f"{name}_error": known(utility.error)}
