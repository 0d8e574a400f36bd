"""A search: starts, optimizer, polish; every trial is kept, and old trials are replayed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from renp_infer.design.searches.objective import Objective, score
from renp_infer.design.searches.optimizer import Optimizer, is_new
from renp_infer.design.searches.polish import polish
from renp_infer.design.utilities.utility import UNKNOWN, Utility
from renp_infer.errors import RenpError
from renp_infer.records import FloatArray


@dataclass(frozen=True)
class Trial:
    """One design that was tried.

    Attributes
    ----------
    stage : {"start", "search", "polish"}
    x : tuple of float
        Point of the unit cube.
    design : dict
        Value of each dimension.
    values, errors : dict
        Of each objective; empty after a failure.
    failed : str
        Why it has no value.
    """

    stage: str
    x: tuple[float, ...]
    design: Mapping[str, Any]
    values: Mapping[str, float]
    errors: Mapping[str, float]
    failed: str = ""

    def scores(self, names: Sequence[str]) -> tuple[float, ...]:
        """Scores of the objectives, -inf after a failure."""
        return tuple(score(n, self.values.get(n, np.nan)) for n in names)

    def utility(self, name: str) -> Utility:
        """Value and error of an objective; not known after a failure."""
        return Utility(self.values[name], self.errors[name]) if name in self.values else UNKNOWN

    def plain(self) -> dict[str, Any]:
        """As JSON knows it; no number is infinite."""
        row = asdict(self)
        for part in ("values", "errors"):
            row[part] = {k: v if np.isfinite(v) else None for k, v in row[part].items()}
        return row

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Trial:
        """The trial of a plain row."""
        numbers = {
            part: {k: np.inf if v is None else v for k, v in row[part].items()}
            for part in ("values", "errors")
        }
        return cls(row["stage"], tuple(row["x"]), row["design"], **numbers, failed=row["failed"])


@dataclass(frozen=True)
class Budget:
    """How much is tried.

    Attributes
    ----------
    search : int
        Trials of starts and optimizer.
    polish : int
        Trials of the local polish after it, 0 for none; none for several objectives.
    batch : int
        Points that the optimizer is asked for at a time.
    """

    search: int
    polish: int
    batch: int


class Search:
    """A search under way.

    Parameters
    ----------
    objective : Objective
    recorded : sequence of Trial
        Trials of the same search from before it was interrupted, in order.
    record : callable
        Told every new trial.

    Attributes
    ----------
    trials : list of Trial
    """

    def __init__(
        self,
        objective: Objective,
        recorded: Sequence[Trial] = (),
        record: Callable[[Trial], None] = lambda _trial: None,
    ) -> None:
        self.objective, self.trials = objective, list[Trial]()
        self._recorded, self._record = list(recorded), record

    def run(
        self, optimizer: Optimizer, starts: Sequence[FloatArray], budget: Budget
    ) -> list[Trial]:
        """Try the starts, then what the optimizer asks for, then climb from the best.

        Where all designs have been tried, the search is over. Of a space of lists none is tried
        twice: another that is left takes its place.
        """
        names = self.objective.names
        for x in starts[: budget.search]:
            trial = self._try(x, "start")
            optimizer.tell([x], [trial.scores(names)])
        while (left := budget.search - len(self.trials)) > 0 and not self.exhausted:
            count = min(budget.batch, left)
            points = self._old_batch(count) or self._new(optimizer.ask(count))
            trials = [self._try(x, "search") for x in points]
            optimizer.tell(points, [trial.scores(names) for trial in trials])
        if len(names) == 1 and budget.polish and np.isfinite(self.best.scores(names)[0]):
            best, known = np.array(self.best.x), self.best.scores(names)[0]
            polish(self.objective.region, best, known, self._polished, budget.polish)
        return self.trials

    @property
    def left(self) -> list[FloatArray] | None:
        """Allowed points that have not been tried; ``None`` where they cannot be counted."""
        points = self.objective.region.all_points
        tried = [np.array(trial.x) for trial in self.trials]
        return None if points is None else [x for x in points if is_new(x, tried)]

    @property
    def exhausted(self) -> bool:
        """Whether every allowed design has been tried."""
        return self.left == []

    def _new(self, points: Sequence[FloatArray]) -> list[FloatArray]:
        """Points with those that have been tried replaced by others that are left."""
        left = self.left
        if left is None:
            return list(points)
        found: list[FloatArray] = []
        for x in points:
            rest = [y for y in left if is_new(y, found)]
            if rest:
                found.append(x if not is_new(x, rest) else rest[0])
        return found

    @property
    def best(self) -> Trial:
        """The best trial by the first objective; the first of equal ones."""
        return best_of(self.trials, self.objective.names)

    def _polished(self, x: FloatArray) -> float:
        return self._try(x, "polish").scores(self.objective.names)[0]

    def _old_batch(self, size: int) -> list[FloatArray]:
        """Points of a batch that was tried completely before, which need not be asked for."""
        old = self._recorded[len(self.trials) : len(self.trials) + size]
        whole = len(old) == size and all(trial.stage == "search" for trial in old)
        return [np.array(trial.x) for trial in old] if whole else []

    def _try(self, x: FloatArray, stage: str) -> Trial:
        place = tuple(float(u) for u in x)
        if len(self.trials) < len(self._recorded):
            old = self._recorded[len(self.trials)]
            if old.x == place and old.stage == stage:
                self.trials.append(old)
                return old
            self._recorded = self._recorded[: len(self.trials)]  # of another search
        trial = appraised(self.objective, place, stage)
        self.trials.append(trial)
        self._record(trial)
        return trial


def appraised(objective: Objective, x: Sequence[float] | FloatArray, stage: str) -> Trial:
    """The trial of a point (d,)."""
    place = tuple(float(u) for u in x)
    design = objective.region.space.values(place)
    try:
        found = objective(place)
    except RenpError as error:
        return Trial(stage, place, design, {}, {}, " ".join(str(error).split()))
    values = {name: float(u.value) for name, u in found.items()}
    errors = {name: float(u.error) for name, u in found.items()}
    return Trial(stage, place, design, values, errors)


def best_of(trials: Sequence[Trial], names: Sequence[str]) -> Trial:
    """The best trial by the first objective; the first of equal ones."""
    return max(trials, key=lambda trial: trial.scores(names)[0])
