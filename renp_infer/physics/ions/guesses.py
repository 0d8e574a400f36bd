"""What is not known of lanthanides in a host, and taken the same for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from renp_infer.physics.ions.lanthanides import Host
from renp_infer.physics.ions.shell import RANKS
from renp_infer.physics.targets.reader import Reader
from renp_infer.resources import read_toml, share_path


@dataclass(frozen=True)
class Guesses:
    """Intensities and decay that no table gives.

    Attributes
    ----------
    omega_cm2 : dict
        Judd-Ofelt intensities by rank, cm^2.
    multiphonon_per_s, slope_cm : float
        Decay to the next lower level: ``rate exp(-slope gap)``, 1/s and cm.
    index : float
        Refractive index, of all photons.
    host : dict
        ``[crystal]`` of schemes, with sources.
    """

    omega_cm2: dict[int, float]
    multiphonon_per_s: float
    slope_cm: float
    index: float
    host: dict[str, Any]


@cache
def guesses(host: Host = "liyf4") -> Guesses:
    """Guesses of ``data/<host>/guesses.toml``."""
    path = share_path("data") / host / "guesses.toml"
    raw = Reader(read_toml(path, host), path.name)
    unit = "1e-20 cm^2"
    return Guesses(
        omega_cm2={k: 1e-20 * raw.number(f"judd_ofelt.omega_{k}", unit, 0.0) for k in RANKS},
        multiphonon_per_s=raw.number("multiphonon.rate", "1/s", 0.0),
        slope_cm=raw.number("multiphonon.slope", "cm", 0.0),
        index=raw.number("host.refractive_index", "1", 1.0),
        host=raw.table("host"),
    )
