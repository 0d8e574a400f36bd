"""Recipes of schemes: free-ion and crystal-field parameters of an ion in its host.

A recipe is a TOML file in ``models/crystal_field`` or anywhere else;
docs/schemes.md lists its keys.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.physics.ions.shell import RANKS
from renp_infer.physics.targets.reader import Reader, checked
from renp_infer.physics.targets.scheme import LEVELS
from renp_infer.resources import named_file, read_toml, share_path

_SECTIONS = (
    "title", "ion", "free_ion", "crystal_field", "judd_ofelt", "host", "sellmeier", "states",
    "moment", "measured",
)  # fmt: skip
_FIELD = ("B20", "B40", "B44", "B60", "B64")


@dataclass(frozen=True)
class StateChoice:
    """Which Stark level a level of the scheme is, and its measured energy if known."""

    manifold: str
    stark: int
    measured_per_cm: float | None
    source: str


@dataclass(frozen=True)
class Recipe:
    """What a scheme is built from.

    Attributes
    ----------
    file : str
        Name of the file, for errors.
    tree : dict
        The file as parsed: its sources go into the built scheme.
    electrons : int
        n of 4f^n.
    r2 : float or None
        <r^2> of 4f, squared Bohr radii: for the electric quadrupole.
    free_ion, field : dict
        Parameters, 1/cm.
    omega_cm2 : dict
        Judd-Ofelt intensities by rank, cm^2.
    states : dict
        `StateChoice` by level.
    moment : tuple of str
        Level and axis ("parallel" or "perp") of the scheme's g factor.
    measured : dict
        Measured Stark energies by manifold, 1/cm.
    """

    file: str
    tree: dict[str, Any]
    electrons: int
    r2: float | None
    free_ion: dict[str, float]
    field: dict[str, complex]
    omega_cm2: dict[int, float]
    states: dict[str, StateChoice]
    moment: tuple[str, str]
    measured: dict[str, tuple[float, ...]]


def read_recipe(name_or_path: str | os.PathLike[str], key: str = "recipe") -> Recipe:
    """Read and check a recipe.

    Parameters
    ----------
    name_or_path : str or PathLike
        A name in ``models/crystal_field``, or a path that ends in ``.toml``.
    key : str
        Key to blame if the file cannot be found or read.

    Raises
    ------
    ConfigError
        If it cannot be read, or a value is missing or impossible.
    """
    text = os.fspath(name_or_path)
    folder = share_path("models") / "crystal_field"
    extra = ", or a path that ends in .toml"
    path = Path(text) if text.endswith(".toml") else named_file(folder, text, key, extra)
    raw = Reader(read_toml(path, key), path.name)
    raw.refuse_unknown(_SECTIONS)
    unit = "1e-20 cm^2"
    return Recipe(
        file=path.name,
        tree=raw.tree,
        electrons=_electrons(raw),
        r2=raw.optional("ion.r2", "a0^2"),
        free_ion=_free_ion(raw),
        field=_field(raw),
        omega_cm2={k: 1e-20 * raw.number(f"judd_ofelt.omega_{k}", unit, 0.0) for k in RANKS},
        states={name: _state(raw, name) for name in LEVELS},
        moment=_moment(raw),
        measured=_measured(raw),
    )


def _measured(raw: Reader) -> dict[str, tuple[float, ...]]:
    names = [name for name in raw.table("measured") if name not in ("unit", "source")]
    return {name: raw.numbers(f"measured.{name}") for name in names}


def _electrons(raw: Reader) -> int:
    value = raw.at("ion.electrons")
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 13:
        raise ConfigError(raw.label("ion.electrons"), value, "an integer from 1 to 13")
    return value


def _free_ion(raw: Reader) -> dict[str, float]:
    names = [name for name in raw.table("free_ion") if name not in ("unit", "source")]
    needed = ["ZETA"] if raw.at("ion.electrons") in (1, 13) else ["F2", "ZETA"]
    if not set(needed) <= set(names):
        raise ConfigError(raw.label("free_ion"), names, "at least " + " and ".join(needed))
    raw.text("free_ion.source")
    return {name: raw.number(f"free_ion.{name}", "1/cm", -1e7) for name in names}


def _field(raw: Reader) -> dict[str, complex]:
    imaginary = ("B44_imaginary", "B64_imaginary")
    raw.refuse_unknown((*_FIELD, *imaginary, "unit", "source"), "crystal_field")
    raw.text("crystal_field.source")
    found: dict[str, complex] = {
        name: raw.number(f"crystal_field.{name}", "1/cm", -1e5) for name in _FIELD
    }
    for name in imaginary:
        value = raw.optional(f"crystal_field.{name}", "1/cm", -1e5)
        found[name[:3]] += 1j * (value or 0.0)
    return found


def _state(raw: Reader, name: str) -> StateChoice:
    raw.refuse_unknown(LEVELS, "states")
    path = f"states.{name}"
    raw.refuse_unknown(("manifold", "stark", "measured_per_cm", "source"), path)
    stark = raw.at(f"{path}.stark")
    if isinstance(stark, bool) or not isinstance(stark, int) or stark < 1:
        raise ConfigError(raw.label(f"{path}.stark"), stark, "an integer from 1: 1 is the lowest")
    measured = raw.at(f"{path}.measured_per_cm")
    if measured is not None:
        measured = checked(measured, raw.label(f"{path}.measured_per_cm"), 0.0)
        raw.text(f"{path}.source")
    source = str(raw.at(f"{path}.source") or "")
    return StateChoice(raw.text(f"{path}.manifold"), stark, measured, source)


def _moment(raw: Reader) -> tuple[str, str]:
    found = raw.at("moment.level"), raw.at("moment.axis")
    for key, value, allowed in zip(
        ("level", "axis"), found, (LEVELS, ("parallel", "perp")), strict=True
    ):
        if value not in allowed:
            raise ConfigError(raw.label(f"moment.{key}"), value, ", ".join(allowed))
    return found
