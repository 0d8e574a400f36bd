"""A second observable beside the first: the same physics by another gain, angles and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag

from renp_infer.inference.likelihood import ResponseLike
from renp_infer.measurement.data import Label
from renp_infer.measurement.noise import Noise
from renp_infer.records import FloatArray

COUNTS = Label("counts", "Hz")


@dataclass(frozen=True)
class Amplified:
    """Another detector of the same signal, of another unit."""

    response: ResponseLike
    gain: float = 3.0

    @property
    def theta_s(self) -> FloatArray:
        return self.response.theta_s

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        template, jacobian = self.response(x)
        return self.gain * template, self.gain * jacobian


@dataclass(frozen=True)
class Both:
    """Expectations of two observables, one after the other."""

    first: ResponseLike
    second: ResponseLike

    @property
    def theta_s(self) -> FloatArray:
        return np.concatenate([self.first.theta_s, self.second.theta_s])

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        (one, slopes), (two, more) = self.first(x), self.second(x)
        return np.concatenate([one, two]), np.concatenate([slopes, more])


def both_noises(first: Noise, second: Noise) -> Noise:
    """Independent noise of two observables that share their exposure."""
    return Noise(
        lambda exposure_s: block_diag(first.covariance(exposure_s), second.covariance(exposure_s)),
        first.drifts or second.drifts,
        first.exposure_s,
    )


def only_first(first: ResponseLike, second: ResponseLike) -> FloatArray:
    """Shape of an offset of the first observable alone."""
    return np.concatenate([np.ones(first.theta_s.size), np.zeros(second.theta_s.size)])
