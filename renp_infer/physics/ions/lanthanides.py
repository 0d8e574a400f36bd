"""Published parameters and observed Stark levels of trivalent lanthanides in one host.

The tables are in ``data/liyf4``. What a fit left out is filled by one rule for all ions:
``M2 = 0.56 M0, M4 = 0.31 M0, P4 = 0.5 P2, P6 = 0.1 P2``, the ratios of Carnall et al.,
J. Chem. Phys. 90, 3443 (1989), by which such fits are made.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from typing import Literal

from renp_infer.errors import StoreError
from renp_infer.files import digest
from renp_infer.physics.ions.shell import RANKS
from renp_infer.resources import share_path

Host = Literal["liyf4"]
HOSTS: tuple[Host, ...] = ("liyf4",)
"""Hosts with one lanthanide site, of symmetry S4, and one axis."""
IONS = ("Ce", "Pr", "Nd", "Sm", "Eu", "Tb", "Dy", "Ho", "Er", "Tm", "Yb")
_ROW = ("Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb")
_FREE_ION = {"zeta": "ZETA", "alpha": "ALPHA", "beta": "BETA", "gamma": "GAMMA"} | {
    name: name for name in ("F2", "F4", "F6", "T2", "T3", "T4", "T6", "T7", "T8", "M0", "P2")
}
_FIELD = {"B02": "B20", "B04": "B40", "B44": "B44", "B06": "B60", "B46": "B64"}
_RATIOS = {"M2": ("M0", 0.56), "M4": ("M0", 0.31), "P4": ("P2", 0.5), "P6": ("P2", 0.1)}


@dataclass(frozen=True)
class Lanthanide:
    """An ion in its host.

    Attributes
    ----------
    symbol : str
        Such as "Er".
    electrons : int
        n of 4f^n.
    free_ion : dict
        Parameters by dieke's names, 1/cm; those that a shell has no operator for are left out.
    field : dict
        B20, B40, B44, B60, B64, 1/cm, all real: the site is taken as D2d.
    r2 : float
        <r^2> of 4f, squared Bohr radii.
    filled : tuple of str
        Parameters by the rule of this module.
    """

    symbol: str
    electrons: int
    free_ion: dict[str, float]
    field: dict[str, float]
    r2: float
    filled: tuple[str, ...]


@dataclass(frozen=True)
class Observed:
    """A place in the list of observed levels, lowest first; energy in 1/cm, None: not seen."""

    energy: float | None
    term: str


@cache
def lanthanide(symbol: str, host: Host = "liyf4") -> Lanthanide:
    """Parameters of an ion.

    Raises
    ------
    StoreError
        The table has no such ion, or not all that its shell needs.
    """
    rows = {row["ion"]: row for row in _table(host, "parameters")}
    if symbol not in rows:
        raise StoreError(f"data/{host}/parameters.csv has no {symbol}; it has {', '.join(rows)}")
    given = {name: float(text) for name, text in rows[symbol].items() if name != "ion" and text}
    electrons = _ROW.index(symbol) + 1
    lone = electrons in (1, 13)
    needed = {"zeta", *_FIELD} | (set() if lone else {f"F{k}" for k in RANKS})
    if missing := needed - set(given):
        raise StoreError(f"{symbol} in {host} is incomplete: no {', '.join(sorted(missing))}")
    known = {new: given[old] for old, new in _FREE_ION.items() if old in given}
    filled = {n: share * known[of] for n, (of, share) in _RATIOS.items() if of in known}
    three_body = 3 <= electrons <= 11
    free = {n: v for n, v in (known | filled).items() if three_body or not n.startswith("T")}
    return Lanthanide(
        symbol=symbol,
        electrons=electrons,
        free_ion=free,
        field={new: given[old] for old, new in _FIELD.items()},
        r2=_radii()[symbol],
        filled=tuple(filled),
    )


@cache
def observed_levels(symbol: str, host: Host = "liyf4") -> tuple[Observed, ...]:
    """Observed Stark levels of an ion, one place for each level of a Kramers ion, else each state.

    The places of a group of manifolds are those of its levels by energy.
    """
    rows = (row for row in _table(host, "levels") if row["ion"] == symbol)
    return tuple(Observed(float(r["energy"]) if r["energy"] else None, r["term"]) for r in rows)


@cache
def _radii() -> dict[str, float]:
    """<r^2> by ion, squared Bohr radii."""
    return {row["ion"]: float(row["r2"]) for row in _table("liyf4", "radii")}


def table_digests(host: Host = "liyf4") -> dict[str, str]:
    """SHA-256 of every table of a host, by name."""
    return {path.name: digest(path) for path in sorted((share_path("data") / host).iterdir())}


def _table(host: Host, name: str) -> list[dict[str, str]]:
    path = share_path("data") / host / f"{name}.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))
