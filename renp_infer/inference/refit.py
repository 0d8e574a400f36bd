"""The sampler of a study, compiled once and used for many data sets."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.prior import InferenceSettings
from renp_infer.inference.sampling import draw_sample
from renp_infer.records import FloatArray


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
    _compiled: object = field(default=None, init=False, repr=False)

    def __call__(
        self, likelihood: Likelihood, seed: np.random.SeedSequence
    ) -> tuple[FloatArray, xr.Dataset]:
        """Parameter vectors (chains, draws, d) and statistics of one data set.

        All likelihoods must have the same prior, response and covariance.
        """
        if self.settings.sampler != "nuts":  # nothing worth keeping from fit to fit
            sample = draw_sample(likelihood, self.settings, seed, self.cores, lambda *_: None)
            return sample.vectors, sample.statistics
        from renp_infer.inference.model import build_model
        from renp_infer.inference.nuts import CompiledModel, compile_model, sample_nuts

        if not isinstance(self._compiled, CompiledModel):
            self._compiled = compile_model(build_model(likelihood))
        compiled = self._compiled.with_data(likelihood.data_nG)
        return sample_nuts(compiled, likelihood, self.settings, seed, self.cores)
