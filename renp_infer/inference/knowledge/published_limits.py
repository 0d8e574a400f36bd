"""Current bounds on neutrino masses, read from ``data/limits``, as bounds on m1."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from renp_infer.errors import ConfigError
from renp_infer.inference.knowledge.mass_bands import over_phases
from renp_infer.physics.constants import EV_TO_MILLI_EV, MILLI_EV_TO_EV
from renp_infer.physics.neutrinos import electron_row, masses
from renp_infer.records import Parameters
from renp_infer.resources import read_toml, share_path

_KEYS = {"name": str, "quantity": str, "value_meV": float, "level": float, "kind": str}
_KEYS |= {"date": str, "source": str}
QUANTITIES = {
    "m_beta": "effective mass",
    "m_betabeta": "effective Majorana mass",
    "sum": "sum",
    "lightest": "lightest mass",
}
"""What a limit may bound, and how it is called."""
_FARTHEST = 10.0
"""Largest mass over what bounds it: phases leave a third of a mass in double beta decay."""


@dataclass(frozen=True)
class Limit:
    """A published upper limit.

    Attributes
    ----------
    name : str
    quantity : {"m_beta", "m_betabeta", "sum", "lightest"}
        Effective mass of beta decay or of double beta decay, sum of the masses, or the
        lightest one.
    value_meV : float
    level : float
        Confidence or credibility.
    kind, date, source : str
    low_meV : float or None
        What it is at best, where it depends on something that is not known.
    """

    name: str
    quantity: str
    value_meV: float
    level: float
    kind: str
    date: str
    source: str
    low_meV: float | None = None

    @property
    def sentence(self) -> str:
        """What it says and who says it."""
        best = "" if self.low_meV is None else f"{self.low_meV:g} to "
        return (
            f"{self.name} {self.date}, {QUANTITIES[self.quantity]} < {best}{self.value_meV:g} "
            f"meV at {100 * self.level:g} % {self.kind} level ({self.source})"
        )

    def on_m1_meV(self, parameters: Parameters) -> float:
        """What it leaves for the lightest mass, meV, at worst and whatever the phases.

        NaN if nothing.
        """

        def excess(m1_eV: float) -> float:
            return _observable(self.quantity, replace(parameters, m1_eV=m1_eV)) - self.value_meV

        if excess(0.0) >= 0.0:
            return np.nan
        most = _FARTHEST * MILLI_EV_TO_EV * self.value_meV
        return EV_TO_MILLI_EV * float(brentq(excess, 0.0, most))


def _observable(quantity: str, p: Parameters) -> float:
    """Value of what is limited, meV."""
    if quantity == "lightest":
        return EV_TO_MILLI_EV * p.m1_eV
    m = EV_TO_MILLI_EV * masses(p)
    if quantity == "sum":
        return float(np.sum(m))
    if quantity == "m_betabeta":
        return float(over_phases(np.abs(electron_row(p)) ** 2 * m)[0])
    return float(np.sqrt(np.abs(electron_row(p)) ** 2 @ m**2))


def load_limits() -> list[Limit]:
    """All limits, by name.

    Raises
    ------
    ConfigError
        If a file lacks a key or has a wrong one.
    """
    found = []
    for path in sorted((share_path("data") / "limits").glob("*.toml")):
        raw = read_toml(path, path.name)
        for key, kind in _KEYS.items():
            if not isinstance(raw.get(key), kind):
                raise ConfigError(f"{path.name}:{key}", raw.get(key), kind.__name__)
        if raw["quantity"] not in QUANTITIES:
            allowed = ", ".join(QUANTITIES)
            raise ConfigError(f"{path.name}:quantity", raw["quantity"], allowed)
        low = raw.get("low_meV")
        if low is not None and not (isinstance(low, float) and 0.0 < low < raw["value_meV"]):
            allowed = f"a number, > 0, < value_meV = {raw['value_meV']:g}"
            raise ConfigError(f"{path.name}:low_meV", low, allowed)
        found.append(Limit(**{key: raw[key] for key in _KEYS}, low_meV=low))
    return found
