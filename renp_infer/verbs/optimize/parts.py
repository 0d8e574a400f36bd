"""What one search found: as a task writes it and the merge reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from renp_infer.design.searches.bounds import Bound
from renp_infer.design.searches.effects import ANY, OWN, Effects
from renp_infer.design.searches.search import Trial
from renp_infer.design.utilities.utility import UNKNOWN, Utility
from renp_infer.verbs.optimize.priors import PriorTable
from renp_infer.verbs.optimize.robustness import Robustness

ALL_TRIED = "Every allowed design was tried, which ended the search: none is better."
NO_EFFECT = {OWN: "no effect; the study's own value", ANY: "no effect; any allowed value does"}
"""What is said of a dimension that changes the utility by less than its error."""


def read_record[R](kind: type[R], plain: Any) -> R:
    """A dataclass, with those inside it, from what JSON knows.

    Raises
    ------
    ValueError
        If it is none.
    """
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_python(plain)


def known(value: float) -> float | None:
    """A number as JSON knows it; ``None`` where it is not finite."""
    return Utility(value, 0.0).plain()["value"]


@dataclass(frozen=True)
class Appraisal:
    """Utilities of a design by name, or why there are none.

    Attributes
    ----------
    utilities : mapping
    failed : str
    """

    utilities: Mapping[str, Utility]
    failed: str = ""

    def of(self, name: str) -> Utility:
        """One of them; not known where there is none."""
        return self.utilities.get(name, UNKNOWN)

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        if self.failed:
            return {"failed": self.failed}
        return {name: utility.plain() for name, utility in self.utilities.items()}

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Appraisal:
        """From a plain row."""
        if "failed" in row:
            return cls({}, row["failed"])
        return cls({name: Utility.read(own) for name, own in row.items()})


@dataclass(frozen=True)
class Gain:
    """What a design and the study's own are worth under some physics, or why nothing.

    Attributes
    ----------
    preset : str
    systematics : bool
        Whether nuisances are free.
    utility, reference : Utility
        Of the design, and of the study's own.
    gain : float
        In the utility's unit, > 0 if the design is better.
    failed : str
    """

    preset: str
    systematics: bool
    utility: Utility = UNKNOWN
    reference: Utility = UNKNOWN
    gain: float = 0.0
    failed: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        row: dict[str, Any] = {"preset": self.preset, "systematics": self.systematics}
        if self.failed:
            return row | {"failed": self.failed}
        return row | {
            "utility": self.utility.value,
            "utility_error": self.utility.error,
            "reference_utility": self.reference.value,
            "reference_utility_error": self.reference.error,
            "gain": self.gain,
        }

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Gain:
        """From a plain row."""
        about = row["preset"], row["systematics"]
        if "failed" in row:
            return cls(*about, failed=row["failed"])
        ours, own = (
            Utility(row[name], row[f"{name}_error"]) for name in ("utility", "reference_utility")
        )
        return cls(*about, ours, own, row["gain"])


@dataclass(frozen=True)
class Gains:
    """The gain of one design in both presets, with and without systematics.

    Attributes
    ----------
    x : tuple of float
        The design's point of the unit cube.
    rows : tuple of Gain
    of_best : bool
        Whether the design is the best of all searches, not only of its own.
    """

    x: tuple[float, ...]
    rows: tuple[Gain, ...]
    of_best: bool = True

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        return asdict(self) | {"rows": [row.plain() for row in self.rows]}

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Gains:
        """From a plain row."""
        rows = tuple(Gain.read(own) for own in row["rows"])
        return cls(tuple(row["x"]), rows, row.get("of_best", True))


@dataclass(frozen=True)
class Chosen:
    """The design that a search settles for.

    Attributes
    ----------
    trial : Trial
    keys : mapping
        Value by study key.
    bounds : tuple of Bound
        What holds it where it is.
    flat : mapping
        Dimensions without effect, and whose value they have: a key of `NO_EFFECT`.
    """

    trial: Trial
    keys: Mapping[str, Any]
    bounds: tuple[Bound, ...]
    flat: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        bounds = [asdict(bound) for bound in self.bounds]
        more = {"keys": self.keys, "bounds": bounds, "flat": self.flat}
        return self.trial.plain() | more

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Chosen:
        """From a plain row."""
        bounds = tuple(Bound(**own) for own in row["bounds"])
        return cls(Trial.read(row), row["keys"], bounds, row["flat"])


@dataclass(frozen=True)
class Found:
    """What one search found.

    Attributes
    ----------
    optimizer : str
    repeat : int
    trials : tuple of Trial
    best : Chosen
    last : Appraisal
        Of the best, by truths that had no part in the search.
    reference : Appraisal, optional
        The same of the study's own design; in the first search only, as what follows.
    allowed_share : float, optional
        Share of the unit cube that constraints allow.
    priors : PriorTable, optional
        The best under other priors of m1.
    exhausted : bool
        Whether every allowed design was tried.
    effects : Effects, optional
        What each dimension matters.
    gains : Gains, optional
    robustness : Robustness, optional
    """

    optimizer: str
    repeat: int
    trials: tuple[Trial, ...]
    best: Chosen
    last: Appraisal
    reference: Appraisal | None = None
    allowed_share: float | None = None
    exhausted: bool = False
    priors: PriorTable | None = None
    effects: Effects | None = None
    gains: Gains | None = None
    robustness: Robustness | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        about = {"optimizer": self.optimizer, "repeat": self.repeat}
        more = {
            name: part.plain()
            for name in ("reference", "priors", "gains", "robustness")
            if (part := getattr(self, name)) is not None
        }
        if self.effects is not None:
            more["effects"] = asdict(self.effects)
        trials = [trial.plain() for trial in self.trials]
        parts = {"trials": trials, "best": self.best.plain(), "last": self.last.plain()}
        told = {"allowed_share": self.allowed_share, "exhausted": self.exhausted}
        return about | parts | told | more

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Found:
        """From a plain row."""
        reference, gains, robustness = (row.get(n) for n in ("reference", "gains", "robustness"))
        return cls(
            optimizer=row["optimizer"],
            repeat=row["repeat"],
            trials=tuple(Trial.read(own) for own in row["trials"]),
            best=Chosen.read(row["best"]),
            last=Appraisal.read(row["last"]),
            reference=None if reference is None else Appraisal.read(reference),
            allowed_share=row.get("allowed_share"),
            exhausted=row["exhausted"],
            priors=PriorTable.read(row["priors"]) if "priors" in row else None,
            effects=read_record(Effects | None, row.get("effects")),  # type: ignore[arg-type]
            gains=None if gains is None else Gains.read(gains),
            robustness=None if robustness is None else read_record(Robustness, robustness),
        )
