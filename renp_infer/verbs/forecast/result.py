"""What a forecast found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from renp_infer.engine.result import Result, Verdict
from renp_infer.records import FloatArray
from renp_infer.verbs.about import About, facts_in
from renp_infer.verbs.forecast.columns import columns_of, picked, read
from renp_infer.verbs.forecast.parts import AXES, MAP_AXES
from renp_infer.verbs.forecast.quantities import (
    AsimovCell,
    Correction,
    DrawnLimits,
    EnsembleCell,
    ExpectedLimits,
    FisherCell,
    PhaseMap,
    PhaseSurvey,
    ResponseAccuracy,
    Steps,
)

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class TruthInShort:
    """The study's own truth."""

    m1_meV: float
    ordering: str
    nature: str


@dataclass(frozen=True)
class ForecastAbout(About):
    """What a forecast is about.

    Attributes
    ----------
    systematics : tuple of str
        Those that are included, in the order in which they are added; templates of the study
        are the last, by their names.
    truth : TruthInShort
    exposure_s : float
        Total of the study.
    goal_meV : float
        Error of m1 that required precisions aim at.
    angles : int
    constraints : tuple of str
        Of other experiments, which count in every number.
    """

    systematics: tuple[str, ...]
    truth: TruthInShort
    exposure_s: float
    goal_meV: float
    angles: int
    constraints: tuple[str, ...] = ()

    def to_attributes(self) -> dict[str, str | int | float]:
        """As attributes of the tree."""
        nested = {
            "systematics": json.dumps(list(self.systematics)),
            "truth": json.dumps(asdict(self.truth)),
            "constraints": json.dumps(list(self.constraints)),
        }
        return {"schema": 1, **asdict(self), **nested}

    @classmethod
    def of(cls, attributes: Mapping[Any, Any]) -> ForecastAbout:
        """From attributes of the tree."""
        found = attributes
        return cls(
            **facts_in(found),
            systematics=tuple(json.loads(found["systematics"])),
            truth=TruthInShort(**json.loads(found["truth"])),
            exposure_s=float(found["exposure_s"]),
            goal_meV=float(found["goal_meV"]),
            constraints=tuple(json.loads(found.get("constraints", "[]"))),
            angles=int(found["angles"]),
        )


@dataclass(frozen=True)
class Axes:
    """Truths along the first dimensions of a table, as far as it has them.

    Attributes
    ----------
    ordering, nature, variant : tuple of str
    m1_meV : tuple of float
    """

    ordering: tuple[str, ...] = ()
    nature: tuple[str, ...] = ()
    m1_meV: tuple[float, ...] = ()
    variant: tuple[str, ...] = ()

    @classmethod
    def of(cls, dataset: xarray.Dataset) -> Axes:
        """From the coordinates of a dataset."""
        names = [name for name in AXES if name in dataset.coords]
        return cls(**{name: tuple(dataset[name].values.tolist()) for name in names})

    @property
    def used(self) -> list[tuple[str | float, ...]]:
        """Those of the table, in order."""
        return [one for one in (self.ordering, self.nature, self.m1_meV, self.variant) if one]


@dataclass(frozen=True)
class ByTruth[R]:
    """A record for each of many truths.

    Attributes
    ----------
    axes : Axes
    values : record
        Of arrays, whose first dimensions are the axes; NaN where a task failed.
    """

    axes: Axes
    values: R

    def at(self, *place: str | float) -> R:
        """The record of a truth, or of all that begin with a place."""
        used = self.axes.used
        return picked(self.values, tuple(used[k].index(one) for k, one in enumerate(place)))

    def hypotheses(self) -> Iterator[tuple[str, str, R]]:
        """Orderings and natures, and the record of each."""
        for ordering in self.axes.ordering:
            for nature in self.axes.nature:
                yield ordering, nature, self.at(ordering, nature)

    def columns(self) -> dict[str, Any]:
        """Axes and columns by name."""
        own = {name: list(one) for name, one in asdict(self.axes).items() if one}
        return own | {one.name: one.values for one in columns_of(self.values)}


LocalCell = FisherCell[FloatArray] | AsimovCell[FloatArray]
Cells = (
    ByTruth[FisherCell[FloatArray]]
    | ByTruth[AsimovCell[FloatArray]]
    | ByTruth[EnsembleCell[FloatArray]]
)


@dataclass(frozen=True)
class ForecastResult(Result):
    """Errors, limits, separations and exposures; ``None`` for what no task gave.

    Attributes
    ----------
    about : ForecastAbout
    fisher, asimov : ByTruth, optional
        Cells by ordering, nature, true mass and setting of the phases.
    ensemble : ByTruth, optional
        Cells by ordering, nature, true mass and data set.
    limits : ByTruth, optional
        By ordering and nature.
    drawn_limits : ByTruth, optional
        By ordering, nature and data set.
    steps : Steps, optional
    accuracy : ResponseAccuracy, optional
    maps : mapping
        Map by phase.
    phases : ByTruth, optional
        By ordering.
    corrections : ByTruth, optional
        By what is corrected.
    tree : DataTree
        ``forecast.nc``, in memory.
    verdict : Verdict or None
        Of the searches and tasks, see ``judged``; ``None`` before that.
    """

    about: ForecastAbout
    fisher: ByTruth[FisherCell[FloatArray]] | None = None
    asimov: ByTruth[AsimovCell[FloatArray]] | None = None
    ensemble: ByTruth[EnsembleCell[FloatArray]] | None = None
    limits: ByTruth[ExpectedLimits[FloatArray]] | None = None
    drawn_limits: ByTruth[DrawnLimits[FloatArray]] | None = None
    steps: Steps | None = None
    accuracy: ResponseAccuracy[float] | None = None
    maps: Mapping[str, PhaseMap] = field(default_factory=dict)
    phases: ByTruth[PhaseSurvey] | None = None
    corrections: ByTruth[Correction[FloatArray]] | None = None
    tree: xarray.DataTree | None = field(default=None, repr=False, compare=False)
    verdict: Verdict | None = None

    @classmethod
    def of(cls, tree: xarray.DataTree) -> ForecastResult:
        """From ``forecast.nc``."""
        maps = {axis: _record(tree, f"map_{axis}", PhaseMap) for axis in MAP_AXES}
        return cls(
            about=ForecastAbout.of(tree.attrs),
            fisher=_table(tree, "fisher", FisherCell),
            asimov=_table(tree, "asimov", AsimovCell),
            ensemble=_table(tree, "ensemble", EnsembleCell),
            limits=_table(tree, "limit", ExpectedLimits),
            drawn_limits=_table(tree, "limit", DrawnLimits),
            steps=_record(tree, "steps", Steps),
            accuracy=_record(tree, "accuracy", ResponseAccuracy),
            maps={axis: found for axis, found in maps.items() if found is not None},
            phases=_table(tree, "phases", PhaseSurvey),
            corrections=_table(tree, "correction", Correction),
            tree=tree,
        )

    def verdicts(self) -> dict[str, Verdict]:
        """Of the searches and tasks, once judged."""
        return {} if self.verdict is None else {"forecast": self.verdict}

    def told(self) -> xarray.DataTree | None:
        """The tree."""
        return self.tree


def _table[R](tree: xarray.DataTree, group: str, kind: type[R]) -> ByTruth[R] | None:
    found = _record(tree, group, kind)
    return None if found is None else ByTruth(Axes.of(tree[group].to_dataset()), found)


def _record[R](tree: xarray.DataTree, group: str, kind: type[R]) -> R | None:
    return read(kind, tree[group].to_dataset()) if group in tree.children else None
