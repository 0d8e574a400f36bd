"""What other experiments measure, as functions of the parameters.

Sum of the masses, the masses themselves, the effective masses of beta decay and of double
beta decay without neutrinos, and the Jarlskog invariant, as the Particle Data Group defines
them. Written once for arrays, real or complex (a derivative is an imaginary step), and for
variables of a graph. The signal depends on delta and alpha31 by alpha31 - 2 delta alone, and
so does double beta decay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from renp_infer.inference.parameters import (
    BETA,
    BETA_SQUARED,
    DOUBLE_BETA,
    JARLSKOG,
    MASS,
    MASSES,
    SUM,
)
from renp_infer.inference.priors.phases import ALPHA21, ALPHA31, DELTA
from renp_infer.inference.priors.prior import Prior
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.records import FloatArray

_STEP = 1e-200
"""Imaginary; of derivatives."""
_TINY = np.float64(1e-300)
"""Keeps the slope of a length finite at 0."""
_RAD_PER_DEG = np.float64(np.pi / 180.0)
_EV2_PER_MEV2 = np.float64(MILLI_EV_TO_EV**2)
# a Python float would enter a graph in single precision


@dataclass(frozen=True)
class Quantities:
    """What follows from parameters under one hypothesis.

    Attributes
    ----------
    ordering : {"normal", "inverted"}
    nature : {"dirac", "majorana"}
    sin2_23 : float or None
        Measured. It enters the Jarlskog invariant alone, which changes by 0.3 % with one of
        its standard errors, and by 1.3 % with three: it is taken as exact. Without it there
        is no invariant.
    """

    ordering: Literal["normal", "inverted"]
    nature: Literal["dirac", "majorana"]
    sin2_23: float | None = None

    def of(self, values: Mapping[str, Any], xp: Any = np) -> dict[str, Any]:
        """Quantities by name, in the units of the names.

        Of Dirac neutrinos ``m_betabeta_meV`` is missing: there is no such decay.

        Parameters
        ----------
        values : mapping
            Every parameter by name: numbers, arrays that broadcast, or graph variables.
        xp : module
            ``numpy``, or ``pytensor.tensor`` for variables of a graph.
        """
        masses = numbered_masses(
            values[MASS], values["dm2_21"], values["dm2_3l"], self.ordering, xp
        )
        shares = electron_shares(values["sin2_12"], values["sin2_13"])
        square = sum(u * m**2 for u, m in zip(shares, masses, strict=True))
        found = {
            SUM: sum(masses),
            BETA: _length(square, xp),
            BETA_SQUARED: square * _EV2_PER_MEV2,
            **dict(zip(MASSES, masses, strict=True)),
        }
        if self.nature == "majorana":
            seen = values[ALPHA31] - 2.0 * values[DELTA]
            found[DOUBLE_BETA] = double_beta(shares, masses, values[ALPHA21], seen, xp)
        if self.sin2_23 is not None:
            found[JARLSKOG] = jarlskog(
                values["sin2_12"],
                values["sin2_13"],
                np.float64(self.sin2_23),
                values[DELTA],
                xp,
            )
        return found

    def slopes(self, prior: Prior, vector: FloatArray) -> dict[str, FloatArray]:
        """Derivatives (d,) of each quantity by the free parameters, at a point (d,)."""
        return slopes(self.of, prior, vector)


def slopes(
    function: Callable[[Mapping[str, Any]], Mapping[str, Any]], prior: Prior, vector: FloatArray
) -> dict[str, FloatArray]:
    """Derivatives (d,) of functions of all parameters by imaginary steps, exact to rounding."""
    steps = vector + 1j * _STEP * np.eye(vector.size)
    values = {**prior.fixed, **dict(zip(prior.names, steps.T, strict=True))}
    like = np.zeros(vector.size)
    return {name: (like + found).imag / _STEP for name, found in function(values).items()}


def numbered_masses(
    light_meV: Any, dm2_21: Any, dm2_3l: Any, ordering: str, xp: Any = np
) -> tuple[Any, Any, Any]:
    """Masses m_1, m_2, m_3 in meV; splittings in eV^2."""
    light = light_meV**2
    solar, large = dm2_21 / _EV2_PER_MEV2, dm2_3l / _EV2_PER_MEV2
    if ordering == "normal":
        return light_meV, xp.sqrt(light + solar), xp.sqrt(light + large)
    return xp.sqrt(light - large - solar), xp.sqrt(light - large), light_meV


def electron_shares(sin2_12: Any, sin2_13: Any) -> tuple[Any, Any, Any]:
    """Squared moduli of U_e1, U_e2, U_e3."""
    return (1.0 - sin2_12) * (1.0 - sin2_13), sin2_12 * (1.0 - sin2_13), sin2_13


def double_beta(
    shares: tuple[Any, Any, Any],
    masses: tuple[Any, Any, Any],
    alpha21_deg: Any,
    seen_deg: Any,
    xp: Any = np,
) -> Any:
    """Effective mass of double beta decay; ``seen_deg`` is alpha31 - 2 delta."""
    turns = (0.0, _RAD_PER_DEG * alpha21_deg, _RAD_PER_DEG * seen_deg)
    parts = list(zip(shares, masses, turns, strict=True))
    real = sum(u * m * xp.cos(turn) for u, m, turn in parts)
    imaginary = sum(u * m * xp.sin(turn) for u, m, turn in parts)
    return xp.sqrt(real**2 + imaginary**2 + _TINY)


def jarlskog(sin2_12: Any, sin2_13: Any, sin2_23: Any, delta_deg: Any, xp: Any = np) -> Any:
    """Invariant of CP violation in oscillations, Im(U_e1 U_mu2 U_e2* U_mu1*)."""
    angles = sin2_12 * (1.0 - sin2_12) * sin2_23 * (1.0 - sin2_23) * sin2_13
    return _length(angles, xp) * (1.0 - sin2_13) * xp.sin(_RAD_PER_DEG * delta_deg)


def _length(square: Any, xp: Any) -> Any:
    """Root of a square, 0 of a negative one: proposals have mixing angles that no angle has."""
    if xp is np:
        return np.sqrt(np.where(np.real(square) > 0.0, square, 0.0 * square) + _TINY)
    return xp.sqrt(xp.switch(square > 0.0, square, 0.0 * square) + _TINY)
