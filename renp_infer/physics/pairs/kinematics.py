"""Wave-vector mismatch, phase matching, and pair thresholds as angles.

All beams lie in one plane; angles are measured from k1, which is the z axis. With one
refractive index, as the paper has it, or with that of each photon: see `Beams`.
Angles are directions: full turns do not matter, ``full_turns`` is what takes them off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.physics.targets.refraction import ray_index, ray_of
from renp_infer.records import Experiment, FloatArray, Lasers
from renp_infer.target import Indices, Target

_STEPS, _STILL = 200, 1e-14
"""Iterations of phase matching, and the change in rad at which they end."""


def full_turns(angle: ArrayLike, centre: float = 0.0) -> FloatArray:
    """Full turns by which an angle exceeds the half turns around ``centre``, rad.

    Exactly 0 for angles within (centre - pi, centre + pi]: what is right stays bit for bit.

    Parameters
    ----------
    angle : array_like, shape (...)
        rad.
    centre : float
        rad.

    Returns
    -------
    ndarray, shape (...)
        A multiple of 2 pi; NaN where the angle is.
    """
    ahead = np.asarray(angle, dtype=np.float64) - centre
    return np.asarray(2.0 * math.pi * np.ceil((ahead - math.pi) / (2.0 * math.pi)))


def on_circle(angle: ArrayLike, centre: float = 0.0) -> FloatArray:
    """The same direction within (centre - pi, centre + pi], rad; see ``full_turns``."""
    return np.asarray(np.asarray(angle, dtype=np.float64) - full_turns(angle, centre))


@dataclass(frozen=True)
class Beams:
    """Polarised beams in a uniaxial host: an index for each photon.

    Attributes
    ----------
    indices : Indices
    c_axis : float or None
        c axis from k1 in the plane of the beams, rad; None: across that plane.
    polarisations : tuple of str
        Of the first and second excitation laser and the trigger, each one of
        `POLARISATIONS`.
    """

    indices: Indices
    c_axis: float | None = 0.0
    polarisations: tuple[str, str, str] = ("ordinary", "ordinary", "ordinary")

    @property
    def extraordinary(self) -> bool:
        """Whether any of them is an extraordinary ray."""
        return any(ray_of(p, self.c_axis) == "extraordinary" for p in self.polarisations)

    def index(self, beam: int, direction: ArrayLike) -> FloatArray:
        """Index of the photon of beam 0, 1 or 2 by its direction from k1, rad.

        Raises
        ------
        DomainError
            See `ray_of`.
        """
        ray = ray_of(self.polarisations[beam], self.c_axis)
        angle = np.asarray(direction, dtype=np.float64)
        to_c = np.full_like(angle, math.pi / 2.0) if self.c_axis is None else angle - self.c_axis
        n_o, n_e = self.indices.ordinary[beam], self.indices.extraordinary[beam]
        return ray_index(n_o, n_e, ray, to_c)


def beams_for(target: Target, lasers: Lasers, c_axis: float | None) -> Beams | None:
    """Beams of polarised lasers; None where one index serves all photons.

    The target's one index is the mean ordinary one: where it is not that of the formulas,
    all ordinary indices are off by the difference.
    """
    if lasers.polarisations is None or target.indices is None:
        return None
    off = target.refractive_index - target.indices.mean
    return Beams(target.indices.moved(off, 0.0), c_axis, lasers.polarisations)


def beams_of(experiment: Experiment) -> Beams | None:
    """`beams_for` an experiment."""
    return beams_for(experiment.target, experiment.lasers, experiment.layout.c_axis)


def has_extraordinary(experiment: Experiment) -> bool:
    """Whether the extraordinary index enters at all."""
    beams = beams_of(experiment)
    return beams is not None and beams.extraordinary


def _imprint(theta_e: float, target: Target, beams: Beams | None) -> tuple[float, float]:
    """Momentum of both excitation photons along k1 and across it, eV; over n for one index."""
    one, two = target.omega_1, target.omega_2
    if beams is not None:
        one *= float(beams.index(0, 0.0))
        two *= float(beams.index(1, theta_e))
    return one + two * math.cos(theta_e), two * math.sin(theta_e)


def mismatch(
    theta_s: ArrayLike, theta_e: float, target: Target, beams: Beams | None = None
) -> tuple[FloatArray, FloatArray]:
    """Momentum that the lasers leave to the pair.

    Eqs. (21) and (22); Eq. (20) prints w_l where w_t is meant. With an index for each
    photon ``n_1 omega_1 k1 + n_2 omega_2 k2 - n_s omega_s ks``.

    Parameters
    ----------
    theta_s : array_like, shape (...)
        Trigger directions, rad.
    theta_e : float
        Direction of the second excitation laser, rad.
    target : Target
    beams : Beams, optional
        By default the target's one index.

    Returns
    -------
    w_l, w_t : ndarray, shape (...)
        Components along k1 and across it, eV.
    """
    angle = np.asarray(theta_s, dtype=np.float64)
    along, across = _imprint(theta_e, target, beams)
    if beams is not None:
        trigger = beams.index(2, angle) * target.omega_s
        return along - trigger * np.cos(angle), across - trigger * np.sin(angle)
    w_l = target.refractive_index * (along - target.omega_s * np.cos(angle))
    w_t = target.refractive_index * (across - target.omega_s * np.sin(angle))
    return w_l, w_t


def phase_matched(target: Target, beams: Beams | None = None) -> tuple[float, float]:
    """Directions at which the mismatch vanishes, Eqs. (28) and (29).

    There the pair has no total momentum; it is not a threshold. Indices that depend on
    direction are followed to 1e-14 rad; then the mirror solution differs where the c axis
    is tilted.

    Returns
    -------
    theta_s, theta_e : float
        rad, both from 0 to pi; with one index their negatives are the mirror solution.

    Raises
    ------
    DomainError
        If the three photon momenta cannot form a triangle.
    ConvergenceError
        If the directions do not settle.
    """
    if beams is None:
        return triangle(target.omega_1, target.omega_2, target.omega_s)
    theta_s = theta_e = 0.0
    for _ in range(_STEPS):
        one = float(beams.index(0, 0.0)) * target.omega_1
        two = float(beams.index(1, theta_e)) * target.omega_2
        trigger = float(beams.index(2, theta_s)) * target.omega_s
        found = triangle(one, two, trigger)
        change = max(abs(found[0] - theta_s), abs(found[1] - theta_e))
        theta_s, theta_e = found
        if change < _STILL:
            return theta_s, theta_e
    raise ConvergenceError("phase-matched directions, rad", change, _STILL)


def triangle(one: float, two: float, trigger: float) -> tuple[float, float]:
    """theta_s and theta_e of three photon momenta that add up to zero."""
    cos_s = (one**2 - two**2 + trigger**2) / (2.0 * one * trigger)
    cos_e = (trigger**2 - one**2 - two**2) / (2.0 * one * two)
    if not (abs(cos_s) <= 1.0 and abs(cos_e) <= 1.0):
        allowed = "three photon momenta, none larger than the sum of the others"
        raise DomainError("omega_1, omega_2, omega_s", (one, two, trigger), allowed)
    return math.acos(cos_s), math.acos(cos_e)


def invariant_s(
    theta_s: ArrayLike, theta_e: float, target: Target, beams: Beams | None = None
) -> FloatArray:
    """Squared invariant mass of the pair at zero momentum transfer to the crystal.

    Returns
    -------
    ndarray, shape (...)
        eps^2 - abs(w)^2 in eV^2; no pair below (m_i + m_j)^2.
    """
    w_l, w_t = mismatch(theta_s, theta_e, target, beams)
    return np.asarray(target.epsilon_ep**2 - w_l**2 - w_t**2)


def threshold_angles(
    m_sum_eV: ArrayLike, target: Target, theta_e: float, beams: Beams | None = None
) -> tuple[FloatArray, FloatArray]:
    """Trigger directions where the invariant mass equals m_i + m_j.

    With k = k1 + k2 in the direction theta_c, abs(w)^2 is
    n^2 (k^2 + omega_s^2 - 2 k omega_s cos(theta_s - theta_c)): pairs are
    emitted from the lower angle upwards to the upper one, which lie symmetrically
    about theta_c. Where lower > upper these directions cross the half turn.

    With an index for each photon one root is sought on each side of theta_c: where an
    extraordinary trigger would cross the threshold twice within a degree of it or of its
    opposite, one of the crossings is missed.

    Parameters
    ----------
    m_sum_eV : array_like, shape (...)
        m_i + m_j, eV.
    target : Target
    theta_e : float
        Direction of the second excitation laser, rad.
    beams : Beams, optional
        By default the target's one index.

    Returns
    -------
    lower, upper : ndarray, shape (...)
        rad, within (-pi, pi]: theta_c - a and theta_c + a with 0 <= a <= pi. NaN
        where the threshold is never crossed: the pair is then emitted in all
        directions or in none (``invariant_s`` at any angle tells which).

    Raises
    ------
    DomainError
        If a mass sum is negative or not finite.
    """
    mass = np.asarray(m_sum_eV, dtype=np.float64)
    if not np.all((mass >= 0.0) & np.isfinite(mass)):
        raise DomainError("m_sum_eV", m_sum_eV, ">= 0, finite")
    along, across = _imprint(theta_e, target, beams)
    if beams is not None:
        ends = [_crossings(float(m), target, theta_e, beams) for m in np.ravel(mass)]
        lower, upper = np.reshape(np.transpose(ends), (2, *mass.shape))
        return lower, upper
    imprint, centre = math.hypot(along, across), math.atan2(across, along)
    index2 = target.refractive_index**2
    constant = index2 * (imprint**2 + target.omega_s**2)
    swing = 2.0 * index2 * imprint * target.omega_s
    with np.errstate(divide="ignore", invalid="ignore"):  # NaN is the answer
        half = np.arccos((constant - target.epsilon_ep**2 + mass**2) / swing)
    return on_circle(centre - half), on_circle(centre + half)


def _crossings(mass: float, target: Target, theta_e: float, beams: Beams) -> tuple[float, float]:
    """Thresholds of a mass sum on both sides of k1 + k2, an index for each photon, rad."""
    along, across = _imprint(theta_e, target, beams)
    centre = math.atan2(across, along)

    def excess(angle: float) -> float:
        return float(invariant_s(angle, theta_e, target, beams)) - mass**2

    def edge(end: float) -> float:
        if excess(centre) <= 0.0 or excess(end) >= 0.0:
            return math.nan
        return float(on_circle(scipy.optimize.brentq(excess, centre, end, xtol=1e-14)))

    return edge(centre - math.pi), edge(centre + math.pi)
