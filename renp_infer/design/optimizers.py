"""The optimizers by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from renp_infer.design.botorch import Botorch
from renp_infer.design.optimizer import Gaussian, Optimizer, PointSequence
from renp_infer.design.region import Region


def make_optimizer(name: str, region: Region, seed: np.random.SeedSequence) -> Optimizer:
    """Optimizer of a name: skopt, sobol, random or botorch.

    Raises
    ------
    ConfigError
        If botorch is wanted and not installed.
    """
    makers: dict[str, Callable[[], Optimizer]] = {
        "skopt": lambda: Gaussian(region, seed),
        "sobol": lambda: PointSequence(region.sobol(seed)),
        "random": lambda: PointSequence(region.uniform(seed)),
        "botorch": lambda: Botorch(region, seed),
    }
    return makers[name]()
