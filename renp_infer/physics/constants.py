"""Fundamental constants and unit conversions.

Natural units, hbar = c = 1, with Heaviside-Lorentz charges, e^2 = 4 pi alpha:
a quantity in other units times ``X_TO_Y`` is its value in powers of eV.

Sources: the exact SI definitions (BIPM 2019) of e, h and c, and CODATA 2022
for the measured constants (standard uncertainties below 1e-6 throughout).
"""

from __future__ import annotations

import math

ELEMENTARY_CHARGE_C = 1.602176634e-19
"""Exact; also joule per electronvolt."""
PLANCK_J_S = 6.62607015e-34
"""Exact."""
SPEED_OF_LIGHT_CM_PER_S = 2.99792458e10
"""Exact."""
FINE_STRUCTURE = 7.2973525643e-3
"""alpha, CODATA 2022."""
ELECTRON_MASS_EV = 510998.95069
"""m_e c^2, CODATA 2022."""
FERMI_CONSTANT_PER_EV2 = 1.1663787e-23
"""G_F / (hbar c)^3, CODATA 2022, 1/eV^2."""
BOHR_MAGNETON_EV_PER_T = 5.7883817982e-5
"""mu_B, CODATA 2022."""
BOLTZMANN_EV_PER_K = 1.380649e-23 / ELEMENTARY_CHARGE_C
"""k_B, exact."""
FLUX_QUANTUM_FT_CM2 = 1e19 * PLANCK_J_S / (2.0 * ELEMENTARY_CHARGE_C)
"""h / 2e, exact: 1 Wb is 1e19 fT cm^2."""

HBAR_EV_S = PLANCK_J_S / (2.0 * math.pi * ELEMENTARY_CHARGE_C)
HBAR_C_EV_CM = HBAR_EV_S * SPEED_OF_LIGHT_CM_PER_S
CHARGE = math.sqrt(4.0 * math.pi * FINE_STRUCTURE)
"""Elementary charge in Heaviside-Lorentz natural units."""
BOHR_MAGNETON_PER_EV = CHARGE / (2.0 * ELECTRON_MASS_EV)
"""mu_B in natural units, 1/eV."""

PHOTON_EV_CM = 2.0 * math.pi * HBAR_C_EV_CM
"""h c: photon energy times wavelength, and eV of one wavenumber in 1/cm."""

CM_TO_PER_EV = 1.0 / HBAR_C_EV_CM
"""Length: cm to 1/eV."""
CM_TO_UM = 1e4
"""Length: cm to um."""
PER_CM3_TO_EV3 = HBAR_C_EV_CM**3
"""Density: 1/cm^3 to eV^3."""
PER_S_TO_EV = HBAR_EV_S
"""Rate: 1/s to eV."""
EV_TO_PER_S = 1.0 / HBAR_EV_S
"""Rate: eV to 1/s."""
MW_PER_CM2_TO_EV4 = 1e-3 / ELEMENTARY_CHARGE_C * HBAR_EV_S * HBAR_C_EV_CM**2
"""Intensity: mW/cm^2 to eV^4."""
TESLA_TO_EV2 = BOHR_MAGNETON_EV_PER_T / BOHR_MAGNETON_PER_EV
"""Magnetic field: T to eV^2, from mu_B in both systems."""
GAUSS_TO_TESLA = 1e-4
"""Magnetic field: G to T."""
GAUSS_TO_EV2 = GAUSS_TO_TESLA * TESLA_TO_EV2
"""Magnetic field: G to eV^2."""
EV2_TO_NG = 1e9 / GAUSS_TO_EV2
"""Magnetic field: eV^2 to nG."""
G_TO_NG = 1e9
"""Magnetic field: G to nG."""
NG_TO_FT = 1e2
"""Magnetic field: nG to fT."""
MILLI_EV_TO_EV = 1e-3
"""Energy: meV to eV."""
EV_TO_MILLI_EV = 1e3
"""Energy: eV to meV."""
YEAR_S = 365.25 * 86400.0
"""Julian year, s."""
