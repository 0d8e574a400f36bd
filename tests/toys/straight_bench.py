"""A forecast's bench whose response is linear in everything: all that it says has a closed form.

The closed forms stand beside it, by normal equations and inverses; the package solves least
squares, searches and refits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq

from renp_infer.inference.hypothesis import Responses
from renp_infer.inference.responses.accurate import ErrorBudget
from renp_infer.measurement.noise import Noise
from renp_infer.records import FloatArray
from renp_infer.verbs.forecast import bench as module
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import TruthCell
from tests.toys.forecast import study

EXPOSURE, SIGMA, SCALE = 3600.0, 1e-3, 7.0
N = 29
UNIT = np.linspace(-0.5, 0.5, N)
FIELD = SCALE * (1.0 - 0.2 * UNIT**2)
MASS_SLOPE = 1.2e-4 * (UNIT + 0.3)
"""Per meV."""
INDEX_SLOPE, POINTING_SLOPES = (
    3.0 * UNIT**2 + UNIT,
    (0.05 * UNIT**3 + 0.02, 0.04 * np.sin(5.0 * UNIT)),
)
"""Per unit, and per degree."""
ODD = {"normal": 0.0, "inverted": 1.5e-3}
EVEN = {"dirac": 0.0, "majorana": 1.5e-3}
INDEX_SD, POINTING_SD, BASELINE_SD = 4e-4, (0.01, 0.01), 1e-4
KEYS = (
    "forecast.systematics=['baseline', 'refractive-index', 'pointing']",
    "forecast.orderings=['normal', 'inverted']",
    f"inference.refractive_index_sd={INDEX_SD}",
    f"inference.theta_s_offset_sd_deg={POINTING_SD[0]}",
    f"inference.theta_e_offset_sd_deg={POINTING_SD[1]}",
    f"inference.baseline_sd={BASELINE_SD}",
    "forecast.phase_settings=1",
)
NOISE = Noise(lambda t: SIGMA**2 * EXPOSURE / t * np.eye(N), False, EXPOSURE)
SYSTEMATICS = {"baseline": [1], "refractive-index": [2], "pointing": [3, 4]}
"""Columns of the closed form that each adds; the mass is the first."""


def pattern(ordering: str, nature: str) -> FloatArray:
    """What a hypothesis adds to the field."""
    return ODD[ordering] * np.sin(7.0 * UNIT) + EVEN[nature] * np.cos(9.0 * UNIT)


class Linear:
    """In place of ``Response``."""

    def __init__(self, experiment, parameters, chi2, limit) -> None:
        self.theta_s = experiment.layout.theta_s
        self.truth, self.index = parameters, experiment.target.refractive_index
        self.nature = parameters.nature
        jacobian = np.zeros((N, 12))
        jacobian[:, 0], jacobian[:, 1] = 1e3 * MASS_SLOPE, INDEX_SLOPE
        for k, slope in enumerate(POINTING_SLOPES):
            jacobian[:, 2 + k] = slope * np.rad2deg(1.0)
        self.jacobian = jacobian

    def with_nature(self, nature):
        other = object.__new__(type(self))
        other.__dict__ |= self.__dict__ | {"nature": nature}
        return other

    def __call__(self, x):
        moved = self.jacobian[:, :4] @ (x[:4] - np.array([0.05, self.index, 0.0, 0.0]))
        return FIELD + pattern(self.truth.ordering, self.nature) + moved, self.jacobian


class Straight(Responses):
    """In place of ``AccurateResponses``: exact whatever the noise."""

    budget = ErrorBudget(0.0, 0.0, masses=1, distances=1, peak_snr=1.0)
    response = Linear

    def __init__(self, experiment, chi2, settings, _table, _sigma, _seed) -> None:
        limit_eV = 1e-3 * settings.m1_max_meV
        super().__init__(lambda own: self.response(experiment, own, chi2, limit_eV))


def straight_bench(folder: Path, patch: pytest.MonkeyPatch, *overrides: str) -> Bench:
    """The bench of a small study, with this response and white noise."""
    patch.setattr(module, "AccurateResponses", Straight)
    patch.setattr(module, "noise_of", lambda *_: NOISE)
    return Bench(study(folder, *KEYS, *overrides))


def straight_cell(bench: Bench, m1_meV: float, nature: str = "dirac") -> TruthCell:
    model = bench.hypothesis("normal", nature)
    return TruthCell(bench, model, model.at(m1_meV))


@dataclass(frozen=True)
class Closed:
    """Closed forms for a truth, with all systematics or some."""

    m1_meV: float
    columns: tuple[int, ...] = (1, 2, 3, 4)
    narrower: tuple[tuple[int, ...], float] = ((), 1.0)

    @property
    def design(self) -> FloatArray:
        slopes = (MASS_SLOPE, np.ones(N), INDEX_SLOPE, *POINTING_SLOPES)
        return np.column_stack([slopes[k] for k in (0, *self.columns)])

    @property
    def peak(self) -> float:
        return float(np.max(FIELD + MASS_SLOPE * (self.m1_meV - 50.0)))

    @property
    def precision(self) -> FloatArray:
        """Of the priors."""
        sd = np.array([np.inf, BASELINE_SD * self.peak, INDEX_SD, *POINTING_SD])
        for k in self.narrower[0]:
            sd[k] *= self.narrower[1]
        return np.diag(sd[[0, *self.columns]] ** -2.0)

    def covariance(self, exposure_s: float = EXPOSURE) -> FloatArray:
        """Of all parameters, m1 first."""
        weight = exposure_s / (SIGMA**2 * EXPOSURE)
        return np.linalg.inv(weight * self.design.T @ self.design + self.precision)

    def sigma(self, exposure_s: float = EXPOSURE) -> float:
        return float(np.sqrt(self.covariance(exposure_s)[0, 0]))

    def separation(self, difference: FloatArray, exposure_s: float = EXPOSURE) -> float:
        """From a rival whose field differs by a pattern (n,)."""
        weight = exposure_s / (SIGMA**2 * EXPOSURE)
        pulled = weight * self.design.T @ difference
        left = weight * difference @ difference - pulled @ self.covariance(exposure_s) @ pulled
        return float(np.sqrt(left))

    def estimate(self, noise: FloatArray, shifts: FloatArray) -> FloatArray:
        """Best parameters less the truth, for drawn noise (n,) and calibrations (k,) in sd."""
        pulls = self.design.T @ noise / SIGMA**2
        pulls[1:] += np.sqrt(np.diag(self.precision)[1:]) * shifts
        return self.covariance() @ pulls

    def chi2(self, residual: FloatArray, shifts: FloatArray) -> float:
        """Smallest chi-squared of data that differ by a residual (n,) from a rival's field."""
        root = np.sqrt(self.precision)
        rows = np.vstack([self.design / SIGMA, root])
        target = np.concatenate([residual / SIGMA, [0.0], shifts])
        hat = rows @ np.linalg.inv(rows.T @ rows) @ rows.T
        return float(target @ target - target @ hat @ target)


def exposure_of(curve, level: float) -> float:
    """Exposure at which a curve reaches a level."""
    return float(10.0 ** brentq(lambda d: curve(10.0**d) - level, 0.0, 30.0, xtol=1e-12))
