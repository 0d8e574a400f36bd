"""Single crystal integrals: ours, the reference, and black-box quadratures.

``Case`` is one pair at one trigger angle. ``by_vegas`` and ``by_cubature``
integrate the same quantity as the paper writes it: over E_1 and the two
directions, three-fold in the plane, five-fold in space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import vegas
from scipy.integrate import cubature
from scipy.special import j1

from renp_infer.physics.pairs._crystal_kernels import (
    FLOOR,
    LONGEST_CUT,
    crystal_point,
    form_norm,
    local_density,
)
from renp_infer.physics.pairs._form_kernels import LORENTZ_WIDTH
from renp_infer.physics.pairs._plane_kernels import plane_integral
from renp_infer.physics.pairs.densities import current_form
from renp_infer.physics.pairs.form_factor import crystal_size
from renp_infer.physics.pairs.kinematics import mismatch
from renp_infer.records import Experiment, FloatArray

TOLERANCE, REFERENCE = 1e-4, 1e-6
VEGAS_SAMPLES, CUBATURE_SPLITS = 400_000, 150
SEED = 20211207


@dataclass(frozen=True)
class Case:
    """The crystal integral of one pair at one angle, current along k1.

    ``w`` is (w_l, w_t) in eV, ``size`` half length and radius in 1/eV,
    ``masses`` (m_i, m_j) in eV, ``form`` the current's quadratic form.
    """

    epsilon: float
    planar: bool
    lorentz: bool
    w: tuple[float, float]
    size: tuple[float, float]
    masses: FloatArray
    form: FloatArray

    def ours(self, rtol: float) -> tuple[float, float]:
        """Value and estimated error of the package's choice of method."""
        value, _, error = crystal_point(*self._arguments(), rtol)
        return value, error

    def reference(self, rtol: float = REFERENCE) -> float:
        """Nested quadrature with the oscillations followed as far as it goes."""
        return plane_integral(*self._arguments(), np.full(2, LONGEST_CUT), rtol, 0.0, 0.0)[0]

    def error(self, value: float, reference: float) -> float:
        """Relative error as ``crystal_point`` defines it."""
        none = np.zeros(2)
        massless, _ = local_density(self.planar, 0.0, 0.0, self.epsilon, none, self.form)
        floor = FLOOR * form_norm(self.planar, *self.size) * massless
        return abs(value - reference) / max(abs(reference), floor)

    def _arguments(self) -> tuple:
        """What both kernels take first."""
        kinds, lengths = (self.planar, self.lorentz), (*self.w, *self.size)
        return (*kinds, *lengths, self.epsilon, self.masses, self.form)


def case_at(experiment: Experiment, theta_s: float, pair: FloatArray) -> Case:
    """The integral of one pair at one angle."""
    switches, layout, target = experiment.switches, experiment.layout, experiment.target
    w_l, w_t = mismatch(theta_s, layout.theta_e, target)
    return Case(
        target.epsilon_ep,
        switches.phase_space == "planar",
        switches.form_factor == "lorentzian",
        (float(w_l), float(w_t)),
        crystal_size(experiment),
        pair,
        current_form(layout, switches),
    )


def direct(case: Case, x: FloatArray) -> FloatArray:
    """Integrand of Eq. (17) or (12) in E_1 and directions, on the unit cube."""
    m_i, m_j = case.masses
    span = case.epsilon - m_i - m_j
    e_1 = m_i + span * x[:, 0]
    e_2 = case.epsilon - e_1
    p_1 = np.sqrt(e_1**2 - m_i**2) * _direction(case.planar, x[:, 1::2])
    p_2 = np.sqrt(np.maximum(e_2**2 - m_j**2, 0.0)) * _direction(case.planar, x[:, 2::2])
    z, y, n = p_1 + p_2
    along = case.size[0] * (z - case.w[0])
    across = y - case.w[1]
    if case.planar:
        measure = (2.0 * np.pi) ** 2 * np.abs(p_1[1] * p_2[1])
    else:
        across = np.hypot(across, n)
        measure = 4.0 * np.linalg.norm(p_1, axis=0) * np.linalg.norm(p_2, axis=0)
    products = p_1 * p_2
    bracket = e_1 * e_2 - products.sum(axis=0) + 2.0 * products[0]
    return span * measure * bracket * _crystal(case.lorentz, along, case.size[1] * across)


def _direction(planar: bool, x: FloatArray) -> FloatArray:
    """Unit vectors (z, y, n), shape (3, k)."""
    if planar:
        angle = 2.0 * np.pi * x[:, 0]
        return np.array([np.cos(angle), np.sin(angle), 0.0 * angle])
    cosine, azimuth = 2.0 * x[:, 0] - 1.0, 2.0 * np.pi * x[:, 1]
    sine = np.sqrt(1.0 - cosine**2)
    return np.array([cosine, sine * np.cos(azimuth), sine * np.sin(azimuth)])


def _crystal(lorentz: bool, along: FloatArray, across: FloatArray) -> FloatArray:
    """Form factor of Eq. (18) or Eq. (15)."""
    if lorentz:
        return 1.0 / ((1.0 + along**2) * (1.0 + (across / LORENTZ_WIDTH) ** 2))
    across = np.maximum(np.abs(across), 1e-9)
    return (np.sinc(along / np.pi) * 2.0 * j1(across) / across) ** 2


def by_vegas(case: Case) -> tuple[float, float]:
    """Value and claimed error: five iterations to adapt, ten to measure."""
    generator = np.random.default_rng(SEED)
    cube = [[0.0, 1.0]] * (3 if case.planar else 5)
    integrator = vegas.Integrator(cube, ran_array_generator=generator.random)
    function = vegas.lbatchintegrand(lambda x: direct(case, np.asarray(x)))
    integrator(function, nitn=5, neval=VEGAS_SAMPLES)
    result = integrator(function, nitn=10, neval=VEGAS_SAMPLES)
    return float(result.mean), float(result.sdev)


def by_cubature(case: Case) -> tuple[float, float]:
    """Value and claimed error, three-fold; stops at the bound on subdivisions."""
    limit = {"rtol": TOLERANCE, "max_subdivisions": CUBATURE_SPLITS}
    result = cubature(lambda x: direct(case, x), [0.0] * 3, [1.0] * 3, rule="gk15", **limit)
    return float(result.estimate), float(result.error)
