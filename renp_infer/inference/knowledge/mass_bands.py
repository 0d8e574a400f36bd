"""What oscillations leave for the masses of other experiments, against the lightest mass.

Edges are those over the corners and the centre of the oscillation parameters' ranges, and
over all phases, in closed form: three lengths close to a polygon if the longest is not longer
than the others together.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.inference.knowledge.quantities import electron_shares, numbered_masses
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.records import FloatArray

if TYPE_CHECKING:
    from renp_infer.physics.neutrinos import OscillationTable

ORDERINGS = ("normal", "inverted")
SIGMAS = 3.0
"""Standard errors to each side that a band covers."""


@dataclass(frozen=True)
class MassBand:
    """From and to by lightest mass, shape (n,) each, meV."""

    low: FloatArray
    high: FloatArray


def sum_band(
    table: OscillationTable, ordering: str, light_meV: FloatArray, sigmas: float = SIGMAS
) -> MassBand:
    """Sum of the masses at lightest masses (n,)."""
    sums = [sum(masses) for _, masses in _corners(table, ordering, light_meV, sigmas)]
    return MassBand(np.min(sums, axis=0), np.max(sums, axis=0))


def double_beta_band(
    table: OscillationTable, ordering: str, light_meV: FloatArray, sigmas: float = SIGMAS
) -> MassBand:
    """Effective mass of double beta decay at lightest masses (n,), whatever the phases."""
    lows, highs = [], []
    for shares, masses in _corners(table, ordering, light_meV, sigmas):
        low, high = over_phases(np.array([u * m for u, m in zip(shares, masses, strict=True)]))
        lows.append(low)
        highs.append(high)
    return MassBand(np.min(lows, axis=0), np.max(highs, axis=0))


def over_phases(lengths: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest length of a sum of turned lengths (3, ...), shape (...) each."""
    total = np.sum(lengths, axis=0)
    return np.maximum(2.0 * np.max(lengths, axis=0) - total, 0.0), total


def _corners(
    table: OscillationTable, ordering: str, light_meV: FloatArray, sigmas: float
) -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Shares and masses (n,) at the centre and the corners of all ranges."""
    values, errors = table.values[ordering], table.sigmas[ordering]
    names, found = PARAMETERS.oscillation, []
    for steps in itertools.product((-sigmas, 0.0, sigmas), repeat=len(names)):
        at = {n: values[n] + k * errors[n] for n, k in zip(names, steps, strict=True)}
        masses = numbered_masses(light_meV, at["dm2_21"], at["dm2_3l"], ordering)
        found.append((electron_shares(at["sin2_12"], at["sin2_13"]), masses))
    return found
