"""The part of a design space that is allowed: constraints hold and keys make a study."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.design.spaces.constraints import Constraint, quantities
from renp_infer.design.spaces.cost import CostModel
from renp_infer.design.spaces.space import Space
from renp_infer.errors import ConfigError, DomainError
from renp_infer.records import Experiment, FloatArray

if TYPE_CHECKING:
    from scipy.stats import qmc

MOST_POINTS = 2000
"""Designs of a space of lists up to which it is asked whether all have been tried."""
MOST_DRAWS = 4000
"""Points that are tried in a row before a region counts as empty."""
MOST_ALIKE = 400
"""Points that, one after the other, are no studies for the same reason, before it does."""


@dataclass(frozen=True)
class Refusal:
    """Why a point is not allowed.

    Attributes
    ----------
    what : tuple of str
        Key, quantity or constraints.
    text, rule : str
        The sentence, and without what was given.
    constraint : bool
        Whether it is a constraint that is broken, not a study that cannot be made.
    """

    what: tuple[str, ...]
    text: str
    rule: str
    constraint: bool = False


class Region:
    """Allowed points of a space.

    Parameters
    ----------
    space : Space
    cost : CostModel
    constraints : sequence of Constraint
    """

    def __init__(
        self, space: Space, cost: CostModel, constraints: Sequence[Constraint] = ()
    ) -> None:
        self.space, self.cost, self.constraints = space, cost, tuple(constraints)

    def experiment(self, x: Sequence[float] | FloatArray) -> Experiment | None:
        """Apparatus of a point (d,); ``None`` if it is not allowed."""
        found = self._judged(x)
        return None if isinstance(found, Refusal) else found

    def _judged(self, x: Sequence[float] | FloatArray) -> Experiment | Refusal:
        """Apparatus of a point (d,), or what does not allow it."""
        return self.judged(self.space.values(x))

    def judged(self, values: Mapping[str, Any]) -> Experiment | Refusal:
        """Apparatus of some values, or what does not allow it: all broken constraints."""
        try:
            experiment = self.space.experiment_of(values)
        except ConfigError as error:
            return Refusal((error.path,), str(error), f"{error.path}: {error.allowed}")
        except DomainError as error:
            return Refusal((error.name,), str(error), f"{error.name}: {error.allowed}")
        known = quantities(experiment, values, self.cost)
        broken = [c.text for c in self.constraints if not c.holds(known)]
        if not broken:
            return experiment
        text = " and ".join(broken)
        return Refusal(tuple(broken), text, text, constraint=True)

    def admits(self, x: Sequence[float] | FloatArray) -> bool:
        """Whether a point (d,) of the unit cube is allowed."""
        x = np.asarray(x)
        inside = bool(np.all((x >= 0.0) & (x <= 1.0)))
        return inside and self.experiment(x) is not None

    @functools.cached_property
    def all_points(self) -> list[FloatArray] | None:
        """Every allowed point (d,); ``None`` where they are not few enough to be counted."""
        dimensions = self.space.dimensions
        if any(dimension.free for dimension in dimensions):
            return None
        if math.prod(len(dimension.places) for dimension in dimensions) > MOST_POINTS:
            return None
        grid = itertools.product(*(dimension.places for dimension in dimensions))
        return [x for x in map(np.array, grid) if self.admits(x)]

    def sobol(self, seed: np.random.SeedSequence) -> Iterator[FloatArray]:
        """Allowed points of a scrambled Sobol sequence.

        Raises
        ------
        DomainError
            If there seem to be none.
        """
        sequence = self._sequence(seed)
        return self._allowed(sequence.random(1)[0] for _ in itertools.count())

    def uniform(self, seed: np.random.SeedSequence) -> Iterator[FloatArray]:
        """Allowed points, independent and uniform.

        Raises
        ------
        DomainError
            If there seem to be none.
        """
        rng = np.random.default_rng(seed)
        return self._allowed(rng.random(self.space.size) for _ in itertools.count())

    def _sequence(self, seed: np.random.SeedSequence) -> qmc.Sobol:
        # scipy.stats takes a third of a second, which every command would spend.
        from scipy.stats import qmc

        return qmc.Sobol(self.space.size, rng=np.random.default_rng(seed))

    def _allowed(self, points: Iterator[FloatArray]) -> Iterator[FloatArray]:
        missed: list[Refusal] = []
        for point in points:
            x = self.space.snapped(point)
            found = self._judged(x)
            if not isinstance(found, Refusal):
                missed = []
                yield x
                continue
            missed.append(found)
            if len(missed) >= MOST_DRAWS or _alike(missed):
                allowed = f"satisfied somewhere: none of {len(missed)} points does, {_why(missed)}"
                raise DomainError("constraints", [c.text for c in self.constraints], allowed)

    def share(self, seed: np.random.SeedSequence, count: int = 256) -> float:
        """Share of the unit cube that is allowed, from ``count`` points of a Sobol sequence."""
        points = self._sequence(seed).random(count)
        return float(np.mean([self.admits(self.space.snapped(x)) for x in points]))


def _alike(missed: Sequence[Refusal]) -> bool:
    """Whether all of many points make no study, and by the same rule."""
    if len(missed) < MOST_ALIKE or missed[0].constraint:
        return False
    return all(refusal.rule == missed[0].rule for refusal in missed)


def _why(missed: Sequence[Refusal]) -> str:
    """What refuses most of the points, and how many; a point may break several constraints."""
    counts = Counter(what for refusal in missed for what in refusal.what)
    what, count = counts.most_common(1)[0]
    first = next(refusal for refusal in missed if what in refusal.what)
    text = what if first.constraint else first.text
    return f"{count} of them for {text}"
