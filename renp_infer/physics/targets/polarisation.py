"""Polarisation of a target in a magnetic field along c, in thermal equilibrium."""

from __future__ import annotations

from math import tanh

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.physics.constants import (
    BOHR_MAGNETON_EV_PER_T,
    BOLTZMANN_EV_PER_K,
    GAUSS_TO_TESLA,
)


def thermal_polarisation(field_G: float, temperature_K: float, g_parallel: float) -> float:
    """``p = (n_+ - n_-)/n = tanh(g mu_B B / 2 k T)`` of a ground doublet.

    The partner "+" is the one that the field lowers. Lasers that do not tell the
    partners apart hand the polarisation of g on to e and p.

    Parameters
    ----------
    field_G : float
        Field along the c axis, G; a negative one polarises the other way.
    temperature_K : float
        Of the spins, K.
    g_parallel : float
        g factor of the ground doublet along c.

    Raises
    ------
    DomainError
        A temperature that is not positive, or a value that is not finite.
    """
    if not 0.0 < temperature_K < np.inf:
        raise DomainError("temperature_K", temperature_K, "> 0, finite")
    for name, value in (("field_G", field_G), ("g_parallel", g_parallel)):
        if not np.isfinite(value):
            raise DomainError(name, value, "finite")
    energy = g_parallel * BOHR_MAGNETON_EV_PER_T * GAUSS_TO_TESLA * field_G
    return tanh(energy / (2.0 * BOLTZMANN_EV_PER_K * temperature_K))
