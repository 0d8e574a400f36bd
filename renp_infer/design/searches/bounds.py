"""What holds a design where it is: ends of ranges, limits of keys, constraints."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from renp_infer.design.searches.search import Trial
from renp_infer.design.spaces.region import Refusal, Region
from renp_infer.design.spaces.space import Dimension

AT_END, NEAR = 1e-3, 1e-2
"""By the range: a value this close to an end sits on it, and one this close to what is refused
is held by it."""
RANGE, LIMIT, CONSTRAINT = "range", "limit", "constraint"


@dataclass(frozen=True)
class Bound:
    """One side of one dimension, beyond which a design cannot move.

    Attributes
    ----------
    name : str
    side : {"lower", "upper"}
    by : {"range", "limit", "constraint"}
        Its range ends there, its key or a study does not allow more, or a constraint.
    what : str
        The end, what the key allows, or the constraint.
    """

    name: str
    side: str
    by: str
    what: str

    @property
    def said(self) -> str:
        """In words."""
        if self.by == RANGE:
            return f"{self.name} ({self.side} end of its range, {self.what})"
        if self.by == CONSTRAINT:
            return f"{self.name} ({self.side} side, held by {self.what})"
        return f"{self.name} ({self.side} side: {self.what})"


def bounds_of(region: Region, trial: Trial, flat: Collection[str] = ()) -> tuple[Bound, ...]:
    """What holds a trial, for each dimension that is no list and has an effect.

    Every side is tried a little beyond the trial, or beyond the end of the range, all other
    dimensions held.
    """
    found = []
    for dimension, u in zip(region.space.dimensions, trial.x, strict=True):
        if dimension.choices or dimension.name in flat:
            continue
        for side, sign in (("lower", -1.0), ("upper", 1.0)):
            bound = _bound(region, trial, dimension, u + sign * NEAR, side)
            if bound is not None:
                found.append(bound)
    return tuple(found)


def _bound(region: Region, trial: Trial, dimension: Dimension, u: float, side: str) -> Bound | None:
    """What holds a side of a dimension whose neighbour is ``u``, if anything does."""
    upper = side == "upper"
    here = trial.x[region.space.names.index(dimension.name)]
    ends = not dimension.circle and (here >= 1.0 - AT_END if upper else here <= AT_END)
    beyond = dimension.extended(u) if ends else dimension.value(u)
    judged = region.judged({**trial.design, dimension.name: beyond})
    if isinstance(judged, Refusal):
        by = CONSTRAINT if judged.constraint else LIMIT
        return Bound(dimension.name, side, by, judged.rule)
    end = dimension.high if upper else dimension.low
    return Bound(dimension.name, side, RANGE, f"{end:g}") if ends else None
