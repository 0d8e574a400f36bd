"""The sampler of a study, compiled once and used for many data sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.samplers.sampling import draw_sample
from renp_infer.inference.settings import InferenceSettings
from renp_infer.records import FloatArray

if TYPE_CHECKING:
    from renp_infer.inference.samplers.nuts import CompiledModel


@dataclass
class Refit:
    """Fits data sets that differ in nothing but the data.

    Attributes
    ----------
    settings : InferenceSettings
    cores : int
        Chains run at the same time; does not change a result.
    """

    settings: InferenceSettings
    cores: int = 1
    _compiled: CompiledModel | None = field(default=None, init=False, repr=False)

    def __call__(
        self, likelihood: Likelihood, seed: np.random.SeedSequence
    ) -> tuple[FloatArray, xr.Dataset]:
        """Parameter vectors (chains, draws, d) and statistics of one data set.

        All likelihoods must have the same prior, response and covariance.
        """
        sample = draw_sample(
            likelihood, self.settings, seed, self.cores, lambda *_: None, self._code
        )
        return sample.vectors, sample.statistics

    def _code(self, likelihood: Likelihood) -> CompiledModel:
        """Compiled at the first fit by NUTS; other samplers have nothing worth keeping."""
        if self._compiled is None:
            from renp_infer.inference.samplers.model import build_model
            from renp_infer.inference.samplers.nuts import compile_model

            self._compiled = compile_model(build_model(likelihood))
        return self._compiled.with_data(likelihood.decorrelated)
