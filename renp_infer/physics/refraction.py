"""Refractive index of a uniaxial host from Sellmeier formulas."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from renp_infer.errors import DomainError
from renp_infer.physics.constants import CM_TO_UM, PHOTON_EV_CM


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
