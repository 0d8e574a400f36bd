"""What each dimension of a design space matters, and which of them does not matter at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from renp_infer.design.searches.objective import Objective
from renp_infer.design.searches.search import Trial, appraised
from renp_infer.design.searches.twin import model_of
from renp_infer.design.spaces.region import Region
from renp_infer.design.spaces.space import Dimension
from renp_infer.design.utilities.measures import direction
from renp_infer.records import FloatArray

PAIRS = 256
"""Pairs of designs for each dimension, at which the surrogate is asked."""
FEWEST = 4
"""Designs with a value, held out or not, without which there is no surrogate."""
OWN, ANY = "own", "any"
"""Which value a dimension without effect has: the study's own, or whatever was tried."""
_DRAWS = 64
_LINE = (0.0, 1.0, 0.5, 0.25, 0.75)
"""Places of a range at which a dimension is tried alone, the ends first."""


@dataclass(frozen=True)
class Effect:
    """What one dimension does to the score, over all allowed designs.

    Attributes
    ----------
    name : str
    total, total_error : float
        Total Sobol index, and its standard error from the number of pairs.
    effect, error : float
        Standard deviation of the score where this dimension alone is drawn anew, in the
        utility's unit, relative where less is better; the error is that of pairs and
        surrogate together.
    flat : bool
        Whether, at the best design, the score changes nowhere in the dimension's range by more
        than its own error.
    """

    name: str
    total: float
    total_error: float
    effect: float
    error: float
    flat: bool = False


@dataclass(frozen=True)
class Surrogate:
    """The model of the score from which effects are calculated.

    Attributes
    ----------
    fitted, held_out : int
        Designs that it was fitted to, and others by which it was judged.
    error : float
        Root mean square of its misses at these others, in the effects' unit.
    spread : float
        Standard deviation of the score over all allowed designs.
    """

    fitted: int
    held_out: int
    error: float
    spread: float


@dataclass(frozen=True)
class Effects:
    """Effects of all dimensions.

    Attributes
    ----------
    rows : tuple of Effect
    surrogate : Surrogate
    """

    rows: tuple[Effect, ...]
    surrogate: Surrogate

    def with_flat(self, names: Collection[str]) -> Effects:
        """The same, with the names of what has no effect at the best design."""
        rows = tuple(replace(row, flat=row.name in names) for row in self.rows)
        return replace(self, rows=rows)


def effects_of(
    objective: Objective, trials: Sequence[Trial], seed: np.random.SeedSequence, count: int
) -> Effects | None:
    """Effects on the first objective's score, from a surrogate.

    Parameters
    ----------
    objective : Objective
    trials : sequence of Trial
        What it is fitted to, with half of the designs below; if they are all that there are,
        they take its place.
    seed : SeedSequence
    count : int
        Designs of a Sobol sequence that are appraised besides; the other half is held out.

    Returns
    -------
    Effects or None
        None where too few designs have a value.
    """
    region, (draw, pair) = objective.region, seed.spawn(2)
    if (every := _every(objective, trials)) is not None:
        rows, spread = total_effects(every, region, pair, PAIRS)
        return Effects(rows, Surrogate(len(region.all_points or ()), 0, 0.0, spread))
    more = [appraised(objective, x, "search") for x in islice(region.sobol(draw), count)]
    known, held = [*trials, *more[: count // 2]], more[count // 2 :]
    (x, scores), (others, seen) = _table(objective, known), _table(objective, held)
    if min(len(x), len(others)) < FEWEST:
        return None
    model = model_of(region.space.embedded(x), scores, 0)

    def value(points: FloatArray) -> FloatArray:
        return np.asarray(model.predict(region.space.embedded(points)))

    miss = float(np.sqrt(np.mean((value(others) - seen) ** 2)))
    rows, spread = total_effects(value, region, pair, PAIRS)
    rows = tuple(replace(row, error=float(np.hypot(row.error, miss))) for row in rows)
    return Effects(rows, Surrogate(len(x), len(others), miss, spread))


def _every(
    objective: Objective, trials: Sequence[Trial]
) -> Callable[[FloatArray], FloatArray] | None:
    """The scores themselves, where every allowed design was tried; NaN for a failure."""
    points = objective.region.all_points
    known = {trial.x: trial.scores(objective.names)[0] for trial in trials}
    if points is None or not all(tuple(x.tolist()) in known for x in points):
        return None

    def value(asked: FloatArray) -> FloatArray:
        found = np.array([known[tuple(x.tolist())] for x in asked])
        return np.where(np.isfinite(found), found, np.nan)

    return value


def _table(objective: Objective, trials: Sequence[Trial]) -> tuple[FloatArray, FloatArray]:
    """Points (n, d) and first scores (n,) of the trials that have one."""
    rows = [(trial.x, trial.scores(objective.names)[0]) for trial in trials]
    good = [(x, score) for x, score in rows if np.isfinite(score)]
    return np.array([x for x, _ in good]), np.array([score for _, score in good])


def total_effects(
    value: Callable[[FloatArray], FloatArray],
    region: Region,
    seed: np.random.SeedSequence,
    count: int,
) -> tuple[tuple[Effect, ...], float]:
    """Total effects of a function over the allowed points, and its standard deviation.

    From pairs that differ in one dimension, half the mean squared difference (Jansen, Comput.
    Phys. Commun. 117, 35 (1999)). Constraints make dimensions depend on each other: drawn anew
    within what is allowed with all others held, the mean is that of the variance given all
    others, which is the total effect then, too (Kucherenko, Tarantola and Annoni, Comput. Phys.
    Commun. 183, 937 (2012)).

    Parameters
    ----------
    value : callable
        ``points (n, d) -> values (n,)``, NaN where there is none.
    region : Region
    seed : SeedSequence
    count : int
        Pairs for each dimension.
    """
    first, anew = seed.spawn(2)
    rng = np.random.default_rng(anew)
    points = np.array(list(islice(region.sobol(first), count)))
    values = value(points)
    variance = float(np.nanvar(values))
    rows = []
    for k, name in enumerate(region.space.names):
        moved = np.array([_redrawn(region, x, k, rng) for x in points])
        halves = 0.5 * (value(moved) - values) ** 2
        halves = halves[np.isfinite(halves)]
        mean, error = float(np.mean(halves)), float(np.std(halves) / np.sqrt(halves.size))
        effect = float(np.sqrt(mean))
        share = (mean / variance, error / variance) if variance > 0.0 else (0.0, 0.0)
        rows.append(Effect(name, *share, effect, 0.5 * error / effect if effect else 0.0))
    return tuple(rows), float(np.sqrt(variance))


def _redrawn(region: Region, x: FloatArray, k: int, rng: np.random.Generator) -> FloatArray:
    """A point (d,) with dimension k drawn anew; itself where nothing else is allowed."""
    for u in rng.random(_DRAWS):
        moved = x.copy()
        moved[k] = region.space.dimensions[k].snapped(u)
        if region.admits(moved):
            return moved
    return x


def settled(
    objective: Objective, best: Trial, own: Mapping[str, Any]
) -> tuple[Trial, dict[str, str]]:
    """The best design with the study's own values of what has no effect on it.

    A dimension has none if the first score changes nowhere in its range by more than the score's
    own error, all others held; and still none with the study's own value in its place. Where the
    study has no value within the range, the one that was found stays.

    Parameters
    ----------
    objective : Objective
    best : Trial
    own : mapping
        The study's values of the dimensions.

    Returns
    -------
    trial : Trial
    flat : dict
        Dimensions without effect, `OWN` where the study's own value stands, else `ANY`.
    """
    if best.failed:
        return best, {}
    judge = _Judge(objective, best)
    trial, flat = best, dict[str, str]()
    for k, dimension in enumerate(objective.region.space.dimensions):
        if not judge.flat(k):
            continue
        moved = _with_own(judge, trial, k, own)
        if moved is None:
            flat[dimension.name] = ANY
        elif judge.same(moved):
            trial, flat[dimension.name] = moved, OWN
    return trial, flat


class _Judge:
    """Whether other designs are as good as the best."""

    def __init__(self, objective: Objective, best: Trial) -> None:
        self.objective, self.best = objective, best
        name = objective.names[0]
        self._score = best.scores(objective.names)[0]
        self._error = best.errors[name]
        if direction(name) < 0:  # the score is a logarithm
            self._error /= best.values[name]

    def same(self, trial: Trial) -> bool:
        """Whether a trial differs by no more than the error of the best; a failure differs."""
        difference = trial.scores(self.objective.names)[0] - self._score
        return bool(abs(difference) <= self._error)

    def flat(self, k: int) -> bool:
        """Whether dimension k changes nothing anywhere; not so if nothing else is allowed."""
        dimension, region = self.objective.region.space.dimensions[k], self.objective.region
        others = 0
        for u in _line(dimension):
            x = np.array(self.best.x)
            x[k] = dimension.snapped(u)
            if x[k] == self.best.x[k] or not region.admits(x):
                continue
            others += 1
            if not self.same(appraised(self.objective, x, self.best.stage)):
                return False
        return others > 0


def _line(dimension: Dimension) -> Sequence[float]:
    """Places of a dimension, all of a list."""
    return [dimension.place(c) for c in dimension.choices] if dimension.choices else _LINE


def _with_own(judge: _Judge, trial: Trial, k: int, own: Mapping[str, Any]) -> Trial | None:
    """The trial with the study's own value of dimension k; None if it is not to be had."""
    dimension, region = judge.objective.region.space.dimensions[k], judge.objective.region
    value = own.get(dimension.name)
    if value is None or not dimension.holds(value):
        return None
    x = np.array(trial.x)
    x[k] = dimension.place(value)
    if not region.admits(x):
        return None
    moved = appraised(judge.objective, x, trial.stage)
    return replace(moved, design={**trial.design, dimension.name: value})
