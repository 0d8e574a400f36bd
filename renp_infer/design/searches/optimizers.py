"""The optimizers by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from renp_infer.design.searches.botorch import Botorch
from renp_infer.design.searches.optimizer import Gaussian, Optimizer, PointSequence
from renp_infer.design.searches.twin import Twin, skopt_reason
from renp_infer.design.spaces.region import Region
from renp_infer.terminal import say


def make_optimizer(name: str, region: Region, seed: np.random.SeedSequence) -> Optimizer:
    """Optimizer of a name: skopt, sklearn, sobol, random or botorch.

    Where scikit-optimize cannot be imported, its twin takes its place, and says so; where
    directions vary, too, which scikit-optimize does not know.

    Raises
    ------
    ConfigError
        If botorch is wanted and not installed.
    """
    makers: dict[str, Callable[[], Optimizer]] = {
        "skopt": lambda: _gaussian(region, seed),
        "sklearn": lambda: Twin(region, seed),
        "sobol": lambda: PointSequence(region.sobol(seed)),
        "random": lambda: PointSequence(region.uniform(seed)),
        "botorch": lambda: Botorch(region, seed),
    }
    return makers[name]()


def _gaussian(region: Region, seed: np.random.SeedSequence) -> Optimizer:
    if np.any(region.space.circles):
        return Twin(region, seed)
    reason = skopt_reason()
    if not reason:
        return Gaussian(region, seed)
    instead = 'its twin searches, as optimize.optimizer = "sklearn" would'
    say(f"scikit-optimize cannot be imported ({reason}): {instead}")
    return Twin(region, seed)
