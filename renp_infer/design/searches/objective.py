"""What is optimised: utilities of a point, as scores of which larger is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from renp_infer.design.spaces.region import Region
from renp_infer.design.utilities.measures import COST, SPACING, UTILITIES, direction
from renp_infer.design.utilities.utility import Utility
from renp_infer.errors import DomainError
from renp_infer.records import Experiment, FloatArray

Appraise = Callable[[Experiment, Sequence[str]], dict[str, Utility]]


def score(name: str, value: float) -> float:
    """What a search maximises: the value, or minus the logarithm of what shall be small.

    Standard deviations, exposures and costs are positive and spread over decades.
    -inf for what is no use at all.
    """
    if direction(name) > 0:
        return value if math.isfinite(value) else -math.inf
    return -math.log(value) if 0.0 < value < math.inf else -math.inf


class Objective:
    """Utilities of the points of a region.

    Parameters
    ----------
    region : Region
    appraise : callable
        ``(experiment, names) -> {name: Utility}``, an ``Appraiser``.
    names : sequence of str
        Objectives, the first of which says what is best.
    per_cost : bool
        Whether utilities of which more is better are divided by the cost.
    """

    def __init__(
        self,
        region: Region,
        appraise: Appraise,
        names: Sequence[str],
        *,
        per_cost: bool = False,
    ) -> None:
        self.region, self.names, self.per_cost = region, tuple(names), per_cost
        self._appraise = appraise

    def __call__(self, x: Sequence[float] | FloatArray) -> dict[str, Utility]:
        """Utilities of a point (d,) of the unit cube.

        Raises
        ------
        DomainError
            If the point is not allowed.
        """
        experiment = self.region.experiment(x)
        if experiment is None:
            raise DomainError("design", self.region.space.values(x), "an allowed design")
        return self.of(experiment)

    def of(self, experiment: Experiment) -> dict[str, Utility]:
        """Utilities of an apparatus."""
        found = self._appraise(experiment, [n for n in self.names if n in UTILITIES])
        cost = self.region.cost(experiment)
        if self.per_cost:
            found = {n: _divided(u, cost) if direction(n) > 0 else u for n, u in found.items()}
        angles = np.rad2deg(experiment.layout.theta_s)
        spacing = float(np.min(np.diff(angles))) if angles.size > 1 else 180.0
        extra = {COST: Utility(cost, 0.0), SPACING: Utility(spacing, 0.0)}
        return {n: found[n] if n in UTILITIES else extra[n] for n in self.names}

    def scores(self, found: dict[str, Utility]) -> tuple[float, ...]:
        """Scores, in the order of ``names``."""
        return tuple(score(n, found[n].value) for n in self.names)


def _divided(utility: Utility, cost: float) -> Utility:
    bounds = {k: v / cost for k in ("lower", "upper") if (v := getattr(utility, k)) is not None}
    return replace(utility, value=utility.value / cost, error=utility.error / cost, **bounds)
