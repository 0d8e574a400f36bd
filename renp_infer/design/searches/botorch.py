"""Search by BoTorch, an optional extra: for one objective or several.

Noisy expected improvement of one, or of the hypervolume of several, in logarithms
(Ament et al., NeurIPS 36 (2023)).
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np

from renp_infer.design.searches.optimizer import Modelled, finite, is_new
from renp_infer.design.spaces.region import Region
from renp_infer.errors import ConfigError
from renp_infer.records import FloatArray

_MARGIN = 0.1
"""How far the hypervolume's reference point lies below the worst scores, by their range."""


class Botorch(Modelled):
    """Gaussian-process search of BoTorch.

    Raises
    ------
    ConfigError
        If BoTorch is not installed.
    """

    def __init__(self, region: Region, seed: np.random.SeedSequence) -> None:
        if find_spec("botorch") is None:
            allowed = '"skopt", or "botorch" after pip install "renp-infer[botorch]"'
            raise ConfigError("optimize.optimizer", "botorch", allowed)
        super().__init__(region, seed)

    def _proposed(self, count: int, seed: list[int]) -> list[FloatArray]:
        rng = np.random.default_rng(seed)
        torch_seed, spare_seed = rng.integers(2**31 - 1, size=2).tolist()
        spare = self.region.uniform(np.random.SeedSequence(spare_seed))
        asked: list[FloatArray] = []
        for proposal in _proposals(np.array(self._points), finite(self._scores), count, torch_seed):
            x = self.region.space.snapped(proposal)
            new = is_new(x, [*self._points, *asked]) and self.region.admits(x)
            asked.append(x if new else next(spare))
        return asked


def _proposals(points: FloatArray, scores: FloatArray, count: int, seed: int) -> FloatArray:
    """Points (count, d) that improve most on scores (n, m)."""
    import torch
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.models.transforms import Standardize
    from botorch.optim import optimize_acqf
    from gpytorch.mlls import ExactMarginalLogLikelihood

    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notices of the libraries below about themselves
        torch.manual_seed(seed)
        x = torch.tensor(points, dtype=torch.double)
        y = torch.tensor(scores, dtype=torch.double)
        model = SingleTaskGP(x, y, outcome_transform=Standardize(y.shape[-1]))
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        cube = torch.stack([torch.zeros(x.shape[1]), torch.ones(x.shape[1])]).double()
        found, _ = optimize_acqf(
            _acquisition(model, x, y), cube, q=count, num_restarts=4, raw_samples=128
        )
    proposals: FloatArray = found.detach().numpy()
    return proposals


def _acquisition(model: Any, x: Any, y: Any) -> Any:
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.acquisition.multi_objective.logei import (
        qLogNoisyExpectedHypervolumeImprovement,
    )

    if y.shape[-1] == 1:
        return qLogNoisyExpectedImprovement(model, x)
    worst = y.min(dim=0).values
    reference = worst - _MARGIN * (y.max(dim=0).values - worst)
    return qLogNoisyExpectedHypervolumeImprovement(
        model, reference.tolist(), x, prune_baseline=True
    )
