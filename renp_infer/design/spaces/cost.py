"""What a design costs, in hours of beam time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from renp_infer.records import Experiment


@dataclass(frozen=True)
class CostModel:
    """Prices: a cost is ``crystal V + beam T + laser P + angle n``, in their unit.

    Attributes
    ----------
    crystal_per_cm3 : float
        Per volume of the excited cylinder.
    beam_per_hour : float
        Per hour of exposure.
    laser_per_W : float
        Per total power of the three lasers.
    per_angle : float
        For the trigger to be set to another angle.
    """

    crystal_per_cm3: float
    beam_per_hour: float
    laser_per_W: float
    per_angle: float

    def __call__(self, experiment: Experiment) -> float:
        """Cost of a design."""
        return (
            self.crystal_per_cm3 * experiment.layout.volume_cm3
            + self.beam_per_hour * experiment.detector.exposure_s / 3600.0
            + self.laser_per_W * 1e-3 * total_power_mW(experiment)
            + self.per_angle * experiment.layout.theta_s.size
        )


def total_power_mW(experiment: Experiment) -> float:
    """Power of the three lasers while all are on: that given, or over the cross-section."""
    lasers = experiment.lasers
    section = math.pi * experiment.layout.radius_cm**2
    intensities = (lasers.eq_mW_cm2, lasers.qg_mW_cm2, lasers.trigger_mW_cm2)
    pairs = zip(intensities, lasers.beams_cm2, strict=True)
    return float(sum(one * (section if area is None else area) for one, area in pairs))
