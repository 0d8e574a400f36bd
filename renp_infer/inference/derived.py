"""What follows from the inferred parameters: masses of other experiments, and the phase seen.

Sum of the masses, and the effective masses of beta decay and of double beta decay without
neutrinos, as the Particle Data Group defines them; the last only of Majorana neutrinos. The
signal depends on delta and alpha31 by alpha31 - 2 delta alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from renp_infer.inference.marginals import FULL_TURN_DEG
from renp_infer.inference.parameters import BETA, DOUBLE_BETA, MASS, SEEN_PHASE, SUM
from renp_infer.inference.phases import ALPHA21, ALPHA31, DELTA
from renp_infer.inference.prior import Prior
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.records import FloatArray


def derived(prior: Prior, nature: str, vectors: FloatArray) -> dict[str, FloatArray]:
    """Derived quantities by name, in the units of the names, shape (...) each.

    Parameters
    ----------
    prior : Prior
    nature : {"dirac", "majorana"}
    vectors : ndarray, shape (..., d)
        Free parameters.
    """
    free = {name: vectors[..., k] for k, name in enumerate(prior.names)}
    values: dict[str, Any] = {**prior.fixed, **free}
    like = np.zeros(vectors.shape[:-1])
    masses = _masses(values[MASS], values["dm2_21"], values["dm2_3l"])
    first, third = values["sin2_12"], values["sin2_13"]
    shares = ((1.0 - first) * (1.0 - third), first * (1.0 - third), third)
    found = {
        SUM: like + sum(masses),
        BETA: like + np.sqrt(sum(u * m**2 for u, m in zip(shares, masses, strict=True))),
    }
    if nature == "majorana":
        seen = values[ALPHA31] - 2.0 * values[DELTA]
        turns = [np.exp(1j * np.deg2rad(phase)) for phase in (0.0, values[ALPHA21], seen)]
        parts = zip(shares, masses, turns, strict=True)
        found[DOUBLE_BETA] = like + np.abs(sum(u * m * turn for u, m, turn in parts))
        if {DELTA, ALPHA31} <= set(prior.circular):
            found[SEEN_PHASE] = np.mod(seen, FULL_TURN_DEG)
    return found


def _masses(
    light_meV: FloatArray | float, dm2_21: FloatArray | float, dm2_3l: FloatArray | float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Masses m_1, m_2, m_3 in meV; of the ordering that the sign of ``dm2_3l`` (eV^2) says."""
    to_meV = MILLI_EV_TO_EV**-2
    light = np.asarray(light_meV) ** 2
    solar, large = to_meV * np.asarray(dm2_21), to_meV * np.asarray(dm2_3l)
    if np.all(large > 0.0):
        return np.sqrt(light), np.sqrt(light + solar), np.sqrt(light + large)
    return np.sqrt(light - large - solar), np.sqrt(light - large), np.sqrt(light)
