"""A toy response: smooth, closed form, exact Jacobian, picklable.

It has the structure of the real one (six pairs, each with a threshold that
mass, refractive index and pointing move; phases in a Majorana term) and none
of its numbers. Derivatives are complex steps: exact to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numba
import numpy as np

from renp_infer.inference.priors.prior import (
    GaussianPrior,
    Prior,
    build_prior,
    response_argument,
    truth_values,
)
from renp_infer.inference.settings import InferenceSettings
from renp_infer.measurement.data import FIELD, Data
from renp_infer.records import FloatArray, Parameters

_STEP = 1e-40
INDEX = 1.45
OSCILLATION = {
    "sin2_12": GaussianPrior(0.308, 0.012),
    "sin2_13": GaussianPrior(0.02215, 0.00057),
    "dm2_21": GaussianPrior(7.49e-5, 1.9e-6),
    "dm2_3l": GaussianPrior(2.513e-3, 2.0e-5),
    "sin2_23": GaussianPrior(0.47, 0.015),
}


@numba.njit(cache=True)
def _template(x, table):
    m1, index, shift_s, shift_e = x[0], x[1], x[2], x[3]
    s12, s13, dm21, dm31, delta, a21, a31 = x[4], x[5], x[6], x[7], x[8], x[9], x[10]
    masses = (m1, np.sqrt(m1 * m1 + dm21), np.sqrt(m1 * m1 + dm31))
    shares = ((1 - s12) * (1 - s13), s12 * (1 - s13), s13)
    phases = (0.0 * delta, a21, a31 - 2.0 * delta)
    out = np.zeros(table.shape[1], dtype=np.complex128)
    for i in range(3):
        for j in range(i, 3):
            total = masses[i] + masses[j]
            edge = 1.0 - total * total - 5.0 * (index - 1.45) + 2.0 * shift_e
            weight = shares[i] * shares[j] * (2.0 - (i == j))
            majorana = masses[i] * masses[j] * np.cos(phases[i] - phases[j])
            for k in range(out.size):
                distance = (edge - table[0, k] - shift_s) / table[1, k]
                rise = 0.5 + 0.5 * np.tanh(distance)
                out[k] += weight * rise * (1.0 + 0.1 * rise - 2.0 * majorana)
    return table[2] * out


@numba.njit(cache=True)
def kernel(x, table):
    """Template (n,) and Jacobian (n, 12)."""
    point = x.astype(np.complex128)
    template = _template(point, table).real
    jacobian = np.empty((template.size, x.size))
    for k in range(x.size):
        point[k] += 1j * _STEP
        jacobian[:, k] = _template(point, table).imag / _STEP
        point[k] = x[k]
    return template, jacobian


@dataclass(frozen=True)
class ToyResponse:
    """Same interface as ``renp_infer.inference.responses.response.Response``."""

    theta_s: FloatArray
    width: float = 0.01
    scale: float = 1.0
    approximation_error: float = 0.0
    tables: tuple[FloatArray, ...] = field(init=False)

    def __post_init__(self) -> None:
        rows = (self.theta_s, np.full_like(self.theta_s, self.width))
        table = np.stack((*rows, np.full_like(self.theta_s, self.scale)))
        object.__setattr__(self, "tables", (table,))

    @property
    def kernel(self):
        return kernel

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return kernel(np.asarray(x, dtype=float), *self.tables)


class PythonResponse:
    """The toy without its kernel: forces the interpreted path."""

    def __init__(self, toy: ToyResponse) -> None:
        self.toy, self.theta_s = toy, toy.theta_s
        self.approximation_error = 0.0

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.toy(x)


@numba.njit(cache=True)
def linear_kernel(x, center, slope):
    """Template (n,) and Jacobian (n, 12)."""
    return 1.0 + slope @ (x - center), slope.copy()


class LinearResponse:
    """Template linear in two arguments: every posterior is known exactly."""

    kernel = staticmethod(linear_kernel)

    def __init__(self, theta_s: FloatArray, center: FloatArray) -> None:
        self.theta_s, self.approximation_error = theta_s, 0.0
        self.slope = np.zeros((theta_s.size, center.size))
        unit = (theta_s - theta_s.mean()) / np.ptp(theta_s)
        self.slope[:, 4], self.slope[:, 5] = 30.0 * unit, 400.0 * unit**2
        self.tables = (center, self.slope)

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return linear_kernel(np.asarray(x, dtype=float), *self.tables)


def toy_truth(nature: str = "majorana", m1_eV: float = 0.1) -> Parameters:
    """A parameter point in normal ordering."""
    return Parameters(
        m1_eV=m1_eV,
        ordering="normal",
        nature=nature,
        delta=0.6,
        alpha21=1.0,
        alpha31=2.0,
        sin2_12=0.308,
        sin2_13=0.02215,
        dm2_21=7.49e-5,
        dm2_3l=2.513e-3,
        sin2_w=0.2387,
    )


def toy_field(toy: ToyResponse, truth: Parameters) -> FloatArray:
    """Expectation of a toy at a truth and the nominal apparatus."""
    return toy(response_argument(truth_values(truth, INDEX)))[0]


def toy_prior(truth: Parameters, settings: InferenceSettings, peak: float = 1.0) -> Prior:
    """Prior of a toy, of which a free baseline is a share of the peak."""
    return build_prior(truth, settings, OSCILLATION, INDEX, peak)


def toy_angles(n: int = 61) -> FloatArray:
    """Angles across every threshold at the truth."""
    return np.linspace(0.85, 1.03, n)


def observe(mean, covariance, theta_s, seed=None, normalised=True) -> Data:
    """Mock data; without a seed the expectation itself."""
    noise = 0.0
    if seed is not None:
        draw = np.random.default_rng(seed).standard_normal(theta_s.size)
        noise = np.linalg.cholesky(covariance) @ draw
    return Data(theta_s, mean + noise, covariance, (FIELD,) * theta_s.size, normalised)
