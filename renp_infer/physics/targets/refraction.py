"""Refractive index of a uniaxial host from Sellmeier formulas, by ray and direction.

Directions are those of the wave vector: that is what a photon gives to the pair. The
energy of an extraordinary ray goes another way, by at most 0.9 degrees in LiYF4: that moves
beams across the crystal and no wave vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from renp_infer.errors import DomainError
from renp_infer.physics.constants import CM_TO_UM, PHOTON_EV_CM
from renp_infer.records import POLARISATIONS, FloatArray
from renp_infer.target import Indices

RAYS = ("ordinary", "extraordinary")


@dataclass(frozen=True)
class Sellmeier:
    """``n^2 = A + Sum B lambda^2 / (lambda^2 - C)``, lambda in um.

    Attributes
    ----------
    a : float
        Constant A.
    b, c_um2 : tuple of float
        Strengths, and squared resonance wavelengths, um^2.
    range_um : tuple of float
        Shortest and longest wavelength of the fit, um.
    """

    a: float
    b: tuple[float, ...]
    c_um2: tuple[float, ...]
    range_um: tuple[float, float]

    def index(self, energy: float) -> float:
        """Refractive index at a photon energy in eV.

        Raises
        ------
        DomainError
            Outside the range of the fit.
        """
        wavelength = PHOTON_EV_CM * CM_TO_UM / energy
        low, high = self.range_um
        if not low <= wavelength <= high:
            raise DomainError("wavelength in um", wavelength, f"{low:g} to {high:g}")
        square = wavelength**2
        pairs = zip(self.b, self.c_um2, strict=True)
        return sqrt(self.a + sum(b * square / (square - c) for b, c in pairs))


def extraordinary_index(n_o: float, n_e: float, angle_to_c: ArrayLike) -> FloatArray:
    """Index of the extraordinary ray, ``1/n^2 = cos^2/n_o^2 + sin^2/n_e^2``.

    Parameters
    ----------
    n_o, n_e : float
        Principal indices at the photon's energy.
    angle_to_c : array_like, shape (...)
        Between wave vector and c axis, rad.

    Returns
    -------
    ndarray, shape (...)
        n_o along c, n_e across it.
    """
    angle = np.asarray(angle_to_c, dtype=np.float64)
    return np.asarray(n_o * n_e / np.hypot(n_e * np.cos(angle), n_o * np.sin(angle)))


@dataclass(frozen=True)
class Uniaxial:
    """Host with one optical axis, c.

    Attributes
    ----------
    ordinary, extraordinary : Sellmeier
        Principal indices: electric field across c, and along it.
    """

    ordinary: Sellmeier
    extraordinary: Sellmeier

    def at(self, photons: tuple[float, float, float]) -> Indices:
        """Principal indices of three photons by their energies in eV.

        Raises
        ------
        DomainError
            An energy outside the range of the formulas.
        """
        n_o, n_e = (
            (ray.index(photons[0]), ray.index(photons[1]), ray.index(photons[2]))
            for ray in (self.ordinary, self.extraordinary)
        )
        return Indices(n_o, n_e)


def ray_index(n_o: float, n_e: float, ray: str, angle_to_c: ArrayLike) -> FloatArray:
    """Refractive index of a photon, shape of the angles.

    Parameters
    ----------
    n_o, n_e : float
        Principal indices at the photon's energy.
    ray : str
        "ordinary" or "extraordinary".
    angle_to_c : array_like, shape (...)
        Between wave vector and c axis, rad.

    Raises
    ------
    DomainError
        No such ray.
    """
    if ray not in RAYS:
        raise DomainError("ray", ray, ", ".join(RAYS))
    if ray == "ordinary":
        return np.full(np.shape(angle_to_c), n_o)
    return extraordinary_index(n_o, n_e, angle_to_c)


def ray_of(polarisation: str, c_axis: float | None) -> str:
    """Ray of a polarised beam: "ordinary" where the field is across c and the wave vector.

    Parameters
    ----------
    polarisation : str
        One of `POLARISATIONS`.
    c_axis : float or None
        c axis from k1 in the plane of the beams, rad; None: across that plane.

    Raises
    ------
    DomainError
        No such polarisation.
    """
    if polarisation not in POLARISATIONS:
        raise DomainError("polarisation", polarisation, ", ".join(POLARISATIONS))
    if polarisation in RAYS:
        return polarisation
    in_plane = polarisation == "in-plane"
    return "extraordinary" if in_plane == (c_axis is not None) else "ordinary"
