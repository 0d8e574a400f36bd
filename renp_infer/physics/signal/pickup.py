"""Coupling xi of Eq. (59) for a pickup loop at the magnetized crystal.

The cylinder is magnetized uniformly along its c axis, and xi is the field that
the loop averages over its area, per 4 pi M (Gaussian units; mu_0 M in SI):

    xi = Int_disc B.n dA / (4 pi M pi a^2).

It replaces the integral (60), whose field lies outside the crystal; a loop
around the crystal also collects the flux inside. xi is signed: beside the
crystal the field returns.

Axes: z along k1, x in the k1-k2 plane, origin at the crystal's centre. The
normal is (sin tilt, 0, cos tilt). "around" is centred at (0, 0, stand_off),
"beside" at (0, R + stand_off + a, 0), out of the plane of the beams.
"""

from __future__ import annotations

from functools import lru_cache
from math import pi

import numpy as np

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.physics.constants import FLUX_QUANTUM_FT_CM2
from renp_infer.records import Experiment, FloatArray, Pickup

TOLERANCE = 1e-6
"""Largest change of xi, by the mean of |B| over the surface, when the nodes
are doubled; the change bounds the quadrature error, which falls geometrically."""
_ORDERS = (16, 32, 64, 128, 256)
_FLAT = 1e-12
"""Stands for a vanishing sine or cosine."""


def coupling_of(experiment: Experiment) -> float:
    """Coupling of an experiment: its number xi, or that of its pickup loop.

    Raises
    ------
    DomainError, ConvergenceError
        See `pickup_coupling`.
    """
    pickup, layout = experiment.detector.pickup, experiment.layout
    if pickup is None:
        return experiment.detector.coupling
    return pickup_coupling(pickup, layout.radius_cm, layout.length_cm, layout.c_axis)


@lru_cache(maxsize=256)
def pickup_coupling(
    pickup: Pickup, radius_cm: float, length_cm: float, c_axis: float | None = 0.0
) -> float:
    """Average field over the loop per 4 pi M, to ``TOLERANCE``.

    Flux is conserved: where the crystal cuts the disc, across whose surface
    the field jumps, the rest of the plane is integrated instead, from the wire
    to infinity.

    Parameters
    ----------
    pickup : Pickup
    radius_cm, length_cm : float
        The crystal.
    c_axis : float or None
        Direction of the magnetization as in ``Layout``, rad.

    Raises
    ------
    DomainError
        The wire would run through the crystal.
    ConvergenceError
        A wire closer to an edge of the crystal than the nodes can resolve.
    """
    check_clear(pickup, radius_cm, length_cm)
    outside = _disc_cuts(pickup, radius_cm, length_cm)
    normal = np.array([np.sin(pickup.tilt), 0.0, np.cos(pickup.tilt)])
    last = np.nan
    for order in _ORDERS:
        points, weights = _surface(pickup, radius_cm, order, outside)
        field = _field(points, radius_cm, length_cm, c_axis)
        xi = float(weights @ field @ normal)
        error = abs(xi - last)
        allowed = TOLERANCE * float(np.abs(weights) @ np.linalg.norm(field, axis=1))
        if error <= allowed:
            return xi
        last = xi
    raise ConvergenceError("coupling of the pickup loop", error, allowed)


def check_clear(pickup: Pickup, radius_cm: float, length_cm: float) -> None:
    """Refuse a loop whose wire runs through the crystal, or touches it.

    Raises
    ------
    DomainError
    """
    if pickup.position == "beside":
        touches = pickup.stand_off_cm <= 0.0
    else:
        # the wire at p is sqrt(a^2 - p^2 sin^2) from the axis
        low, high = _span(pickup, length_cm)
        farthest = max(abs(low), abs(high)) * np.sin(pickup.tilt)
        touches = low <= high and pickup.radius_cm**2 - farthest**2 <= radius_cm**2
    if touches:
        raise DomainError("pickup", pickup, "a loop whose wire is outside the crystal")


def _disc_cuts(pickup: Pickup, radius_cm: float, length_cm: float) -> bool:
    """Whether the disc of the loop has points inside the crystal."""
    if pickup.position == "beside":
        return False
    low, high = _span(pickup, length_cm)
    reach = radius_cm / max(abs(np.cos(pickup.tilt)), _FLAT)
    return bool(max(low, -reach) <= min(high, reach))


def _span(pickup: Pickup, length_cm: float) -> tuple[float, float]:
    """Range of p between the planes of the end faces; descending if there is none.

    A point (p, q) of the disc around the axis lies at (p cos, q, h - p sin) of
    the tilt; the sign of h and of the tilt makes no difference.
    """
    a, h = pickup.radius_cm, abs(pickup.stand_off_cm)
    sine = max(abs(np.sin(pickup.tilt)), _FLAT)
    return max((h - length_cm / 2.0) / sine, -a), min((h + length_cm / 2.0) / sine, a)


def _surface(
    pickup: Pickup, radius_cm: float, order: int, outside: bool
) -> tuple[FloatArray, FloatArray]:
    """Points (k, 3), cm, of the disc or of the plane around it, and weights (k,).

    Gauss nodes in r / a, or in a / r, and equal steps around: geometric
    convergence for a field that is smooth there. The sum over the weights is
    1 for the disc.
    """
    u, w = np.polynomial.legendre.leggauss(order)
    u, w = 0.5 * (u + 1.0), 0.5 * w
    r = 1.0 / u if outside else u
    weight = -2.0 * w / u**3 if outside else 2.0 * w * u
    phi = pi * np.arange(2 * order) / order
    p, q = np.outer(r, np.cos(phi)).ravel(), np.outer(r, np.sin(phi)).ravel()
    a, h = pickup.radius_cm, pickup.stand_off_cm
    centre = (0.0, 0.0, h) if pickup.position == "around" else (0.0, radius_cm + h + a, 0.0)
    along = np.array([np.cos(pickup.tilt), 0.0, -np.sin(pickup.tilt)])
    points = np.array(centre) + a * (np.outer(p, along) + np.outer(q, [0.0, 1.0, 0.0]))
    return points, np.repeat(weight / (2 * order), 2 * order)


def _field(
    points: FloatArray, radius_cm: float, length_cm: float, c_axis: float | None
) -> FloatArray:
    """Field of the crystal per 4 pi M, shape (k, 3)."""
    from magpylib.func import cylinder_field

    moment = (0.0, 1.0, 0.0) if c_axis is None else (np.sin(c_axis), 0.0, np.cos(c_axis))
    # lengths enter as ratios only, so the library's metre may be a centimetre
    field: FloatArray = cylinder_field(
        field="B",
        observers=points,
        dimensions=(2.0 * radius_cm, length_cm),
        polarizations=moment,
    )
    return field


def noise_from_flux_fT(flux_noise_uPhi0: float, flux_transfer: float, radius_cm: float) -> float:
    """Field noise at the loop of a flux noise in the SQUID, fT.

    ``Phi_SQUID = flux_transfer * pi a^2 B``: the transfer is the mutual
    inductance of input coil and SQUID over the inductance of loop and input coil.

    Parameters
    ----------
    flux_noise_uPhi0 : float
        In millionths of a flux quantum (per root hertz, if the result is to be).
    flux_transfer : float
        Flux in the SQUID per flux in the loop.
    radius_cm : float
        Of the loop.
    """
    flux_fT_cm2 = 1e-6 * FLUX_QUANTUM_FT_CM2 * flux_noise_uPhi0
    return flux_fT_cm2 / (flux_transfer * pi * radius_cm**2)
