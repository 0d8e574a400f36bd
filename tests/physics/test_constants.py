"""Constants against CODATA as shipped with SciPy and against identities."""

import math

import pytest
import scipy.constants as si

from renp_infer.physics import constants as c


def test_measured_constants_are_codata():
    codata = si.physical_constants
    assert c.FINE_STRUCTURE == pytest.approx(codata["fine-structure constant"][0], rel=1e-9)
    mass = 1e6 * codata["electron mass energy equivalent in MeV"][0]
    assert c.ELECTRON_MASS_EV == pytest.approx(mass, rel=1e-8)
    fermi = 1e-18 * codata["Fermi coupling constant"][0]
    assert c.FERMI_CONSTANT_PER_EV2 == pytest.approx(fermi, rel=1e-6, abs=0.0)
    magneton = codata["Bohr magneton in eV/T"][0]
    assert c.BOHR_MAGNETON_EV_PER_T == pytest.approx(magneton, rel=1e-8)


def test_lengths_rates_and_densities():
    hbar_c = 1e6 * si.value("reduced Planck constant times c in MeV fm") * 1e-13
    assert c.HBAR_C_EV_CM == pytest.approx(hbar_c, rel=1e-9)
    assert c.CM_TO_PER_EV == pytest.approx(50677.0, abs=0.5)  # physics.md
    assert c.PER_CM3_TO_EV3 * c.CM_TO_PER_EV**3 == pytest.approx(1.0, rel=1e-14)
    hbar = si.value("reduced Planck constant in eV s")
    assert c.PER_S_TO_EV == pytest.approx(hbar, rel=1e-9, abs=0.0)
    assert c.PER_S_TO_EV * c.EV_TO_PER_S == pytest.approx(1.0, rel=1e-15)


def test_light_crosses_a_centimetre():
    seconds = c.CM_TO_PER_EV * c.PER_S_TO_EV
    assert seconds == pytest.approx(0.01 / si.c, rel=1e-12, abs=0.0)


def test_intensity_of_ten_milliwatts():
    """Energy density I/c in SI, turned into eV^4; and the printed square root."""
    joule_per_m3 = 1e-3 * 1e4 / si.c
    energy_density = joule_per_m3 / si.e * (si.hbar * si.c / si.e) ** 3
    assert c.MW_PER_CM2_TO_EV4 == pytest.approx(energy_density, rel=1e-12, abs=0.0)
    assert math.sqrt(10.0 * c.MW_PER_CM2_TO_EV4) == pytest.approx(1.265e-4, abs=5e-8)


def test_magnetic_field_by_its_energy_density():
    """B^2 / (2 mu_0) in SI is B^2 / 2 in Heaviside-Lorentz units."""
    joule_per_m3 = 1.0 / (2.0 * si.mu_0)
    energy_density = joule_per_m3 / si.e * (si.hbar * si.c / si.e) ** 3
    assert c.TESLA_TO_EV2 == pytest.approx(math.sqrt(2.0 * energy_density), rel=1e-9)
    assert c.GAUSS_TO_EV2 == pytest.approx(1e-4 * c.TESLA_TO_EV2)
    assert c.EV2_TO_NG * c.GAUSS_TO_EV2 == pytest.approx(1e9)


def test_magneton_in_natural_units():
    """mu_B B is the same energy in both systems, e from e = sqrt(4 pi alpha)."""
    assert c.CHARGE == pytest.approx(0.30282212, abs=1e-8)
    gauss = c.BOHR_MAGNETON_PER_EV * c.GAUSS_TO_EV2
    assert gauss == pytest.approx(1e-4 * si.value("Bohr magneton in eV/T"), rel=1e-8, abs=0.0)


def test_one_nanogauss_is_a_hundred_femtotesla():
    assert 1e-9 * 1e-4 == pytest.approx(c.NG_TO_FT * 1e-15, rel=1e-15, abs=0.0)
