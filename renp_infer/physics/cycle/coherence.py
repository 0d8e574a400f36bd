"""Coherent emission counted once: N^2 |rho_ep|^2, from the optical Bloch equations.

The pair is emitted in the step e to p. A laser on p-g acts on what that step leaves
behind; it cannot speed it up, and no power of rho_ee and no h_r enters. What it can
do is to build the coherence rho_ep, at most 1/2.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.finite import faults
from renp_infer.physics.cycle.bloch import evolve
from renp_infer.records import Lasers, Switches
from renp_infer.target import Target

LARGEST = 0.25
"""|rho_ep|^2 of a pure superposition with half of the population in e and in p."""


def coherence_squared(target: Target, lasers: Lasers, switches: Switches) -> float:
    """|rho_ep|^2: the study's own number, or its mean over the laser cycle.

    Ions with different detunings emit together: the density matrix is averaged, then
    squared. Errors are those of `bloch.chi_squared`.

    Raises
    ------
    DomainError
        A number above 1/4, or see `bloch.evolve`.
    ConvergenceError
        See `bloch.evolve`.
    NonFiniteError
        Intensities or times beyond floating-point numbers.
    """
    given = lasers.chi_squared
    if given is not None:
        if not 0.0 <= given <= LARGEST:
            raise DomainError("chi_squared", given, "from 0 to 1/4, |rho_ep|^2")
        return given
    with faults("coherence_squared", asdict(lasers)) as finite:
        found = evolve(target, lasers, switches, population_power=0).mean
        return float(finite(np.float64(found)))
