"""Beams of ladders whose pairs' momentum runs along one axis, up to the threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from renp_infer.records import FloatArray


@dataclass(frozen=True, eq=False)
class LadderBeams:
    """Three lasers of each of n ladders, the first along x.

    With k = k1 + k2 and the trigger at an angle d from it, ``|w|^2 = n^2 (k^2 + omega_s^2 -
    2 k omega_s cos d)``; k is that of phase matching if it reaches so far, else larger.

    Attributes
    ----------
    size : ndarray, shape (n,)
        k over the refractive index, eV.
    trigger : ndarray, shape (n,)
        Energy of its photon, eV.
    theta_e, centre : ndarray, shape (n,)
        Directions of the second laser and of k, rad.
    index : float
        Refractive index.
    """

    size: FloatArray
    trigger: FloatArray
    theta_e: FloatArray
    centre: FloatArray
    index: float

    @classmethod
    def of(cls, p: FloatArray, q: FloatArray, e: FloatArray, index: float) -> LadderBeams:
        """Beams by the energies of levels (n,), eV."""
        one, two, far = q, e - q, (e - p) / index
        size = np.minimum(np.maximum.reduce([p, far - p, np.abs(one - two)]), one + two)
        cosine = (size**2 - one**2 - two**2) / (2.0 * one * two)
        theta_e = np.arccos(np.clip(cosine, -1.0, 1.0))
        centre = np.arctan2(two * np.sin(theta_e), one + two * np.cos(theta_e))
        return cls(size, p, theta_e, centre, index)

    def reach(self, momentum: FloatArray) -> NDArray[np.bool_]:
        """Whether some direction of the trigger leaves pairs momenta (n,), eV."""
        short, apart = momentum / self.index, np.abs(self.size - self.trigger)
        return np.asarray((apart <= short) & (short <= self.size + self.trigger))

    def trigger_angle(self, momentum: FloatArray) -> FloatArray:
        """Direction of the trigger, rad, where pairs have momenta (n,), eV.

        Of momenta that no direction leaves to them, the nearest.
        """
        short, k, trigger = momentum / self.index, self.size, self.trigger
        ratio = (k**2 + trigger**2 - short**2) / (2.0 * k * trigger)
        return np.asarray(self.centre + np.arccos(np.clip(ratio, -1.0, 1.0)))

    def direction(self, theta_s: FloatArray) -> FloatArray:
        """Direction of the pairs' momentum, rad, for directions of the trigger (n,)."""
        across = self.size * np.sin(self.centre) - self.trigger * np.sin(theta_s)
        along = self.size * np.cos(self.centre) - self.trigger * np.cos(theta_s)
        return np.asarray(np.arctan2(across, along))
