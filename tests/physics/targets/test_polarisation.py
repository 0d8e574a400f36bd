"""Polarisation in a field against the two populations, and its orders of magnitude."""

import numpy as np
import pytest
from scipy import constants

from renp_infer.errors import DomainError
from renp_infer.physics.targets.polarisation import thermal_polarisation
from renp_infer.physics.targets.scheme import read_scheme

MU_B = constants.physical_constants["Bohr magneton in eV/T"][0]
K_B = constants.physical_constants["Boltzmann constant in eV/K"][0]


@pytest.mark.parametrize("field", [-2e4, -1.0, 0.0, 100.0, 5e4])
@pytest.mark.parametrize("temperature", [0.1, 4.0, 300.0])
@pytest.mark.parametrize("g", [3.137, 12.0, -5.0])
def test_populations_are_those_of_boltzmann(field, temperature, g):
    energy = -0.5 * g * MU_B * 1e-4 * field * np.array([1.0, -1.0])
    weights = np.exp(-(energy - energy.min()) / (K_B * temperature))
    expected = (weights[0] - weights[1]) / weights.sum()
    found = thermal_polarisation(field, temperature, g)
    # exp(x) - 1 loses what is below 1e-16
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-15)


def test_the_default_field_polarises_erbium():
    # 100 G at 4 K: 2e-3; 14 mG: 3e-7, as much as the whole signal
    g = read_scheme("er-ylf-built").crystal["g_parallel"]
    assert thermal_polarisation(100.0, 4.0, g) == pytest.approx(2e-3, rel=0.5, abs=0.0)
    assert thermal_polarisation(0.014, 4.0, g) == pytest.approx(3e-7, rel=0.3, abs=0.0)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((1.0, 0.0, 3.0), "temperature_K"),
        ((1.0, -4.0, 3.0), "temperature_K"),
        ((1.0, np.nan, 3.0), "temperature_K"),
        ((np.inf, 4.0, 3.0), "field_G"),
        ((1.0, 4.0, np.nan), "g_parallel"),
    ],
)
def test_what_is_no_temperature_or_field_is_refused(values, named):
    with pytest.raises(DomainError, match=named):
        thermal_polarisation(*values)
