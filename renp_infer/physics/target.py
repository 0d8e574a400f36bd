"""Target schemes: reads and checks ``models/targets/*.toml``."""

from __future__ import annotations

import difflib
import math
import os
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError
from renp_infer.records import Target
from renp_infer.resources import named_file, read_toml, share_path

TRANSITIONS = ("ep", "pg", "eg", "eq", "qg", "qp")
"""Upper and lower state of each radiative transition."""
LEVELS = ("g", "p", "q", "e")
_SECTIONS = ("levels", "photons", "crystal", "rates", "composition", "printed")
_PHOTONS = {"omega_1": ("q", "g"), "omega_2": ("e", "q"), "omega_s": ("p", "g")}
_CRYSTAL = {  # unit and smallest allowed value; None: anything above zero
    "refractive_index": ("1", 1.0),
    "density_per_cm3": ("1/cm^3", None),
    "gamma_ep_per_s": ("1/s", None),
    "g_factor": ("1", None),
}
_CLOSURE_EV = 1e-6
"""Levels and photon energies must agree to this; schemes are given to 1e-4 eV."""


def load_target(
    name_or_path: str | os.PathLike[str],
    *,
    density_per_cm3: float | None = None,
    gamma_ep_per_s: float | None = None,
    refractive_index: float | None = None,
    key: str = "target",
) -> Target:
    """Read a target scheme.

    Parameters
    ----------
    name_or_path : str or PathLike
        Name of a scheme in ``models/targets``, or a path that ends in ``.toml``.
    density_per_cm3, gamma_ep_per_s, refractive_index : float, optional
        Replace the value of the file.
    key : str, optional
        Dotted key of the section to blame in an error.

    Raises
    ------
    ConfigError
        If the scheme is unknown, cannot be read, or is inconsistent: a missing
        transition, a negative rate, photons that do not join the levels.
    """
    path = _locate(name_or_path, f"{key}.scheme")
    raw = _Reader(read_toml(path, f"{key}.scheme"), path.name)
    raw.refuse_unknown(("title", *_SECTIONS))
    energies = {n: raw.number(f"levels.{n}.energy", "eV", 0.0) for n in LEVELS}
    photons = {n: raw.number(f"photons.{n}", "eV") for n in _PHOTONS}
    _check_closure(photons, energies, path.name)
    crystal = {n: raw.number(f"crystal.{n}", *_CRYSTAL[n]) for n in _CRYSTAL}
    given = {
        "density_per_cm3": density_per_cm3,
        "gamma_ep_per_s": gamma_ep_per_s,
        "refractive_index": refractive_index,
    }
    for name, value in given.items():
        if value is not None:
            crystal[name] = _checked(value, f"{key}.{name}", _CRYSTAL[name][1])
    md, ed = _rates(raw)
    probabilities, j_m = _composition(raw)
    return Target(
        name=path.stem,
        **photons,
        **crystal,
        md_rates_per_s=md,
        ed_rates_per_s=ed,
        composition=probabilities,
        j_m=j_m,
        printed=_printed(raw),
    )


def _locate(name_or_path: str | os.PathLike[str], key: str) -> Path:
    text = os.fspath(name_or_path)
    if text.endswith(".toml"):
        return Path(text)
    folder = share_path("models") / "targets"
    return named_file(folder, text, key, extra=", or a path that ends in .toml")


class _Reader:
    """Values of a parsed file by dotted path, each refused with that path."""

    def __init__(self, tree: dict[str, Any], file: str) -> None:
        self.tree, self.file = tree, file

    def at(self, path: str) -> Any:
        """Value at a path, or None."""
        node: Any = self.tree
        for part in path.split("."):
            node = node.get(part) if isinstance(node, dict) else None
        return node

    def number(self, path: str, unit: str, least: float | None = None) -> float:
        """Read ``path``: a ``{value, unit}`` table, or a key with a ``unit`` beside it."""
        node, label = self.at(path), f"{self.file}:{path}"
        beside = self.at(path.rpartition(".")[0])
        if isinstance(node, dict):
            node, beside, label = node.get("value"), node, f"{label}.value"
        value = _checked(node, label, least)
        if beside.get("unit") != unit:
            raise ConfigError(f"{self.file}:{path} unit", beside.get("unit"), repr(unit))
        return value

    def refuse_unknown(self, known: tuple[str, ...], path: str = "") -> None:
        """Refuse keys of the table at ``path`` that are not known."""
        table = self.at(path) if path else self.tree
        for name in table if isinstance(table, dict) else ():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else ""
                where = f"{self.file}:{path}.{name}" if path else f"{self.file}:{name}"
                raise ConfigError(where, name, ", ".join(known), hint)


def _checked(value: Any, key: str, least: float | None = None) -> float:
    """Require a finite number of at least ``least``, or above zero if that is None."""
    allowed = "a finite number " + ("> 0" if least is None else f">= {least:g}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(key, value, allowed)
    large_enough = value > 0.0 if least is None else value >= least
    if not (math.isfinite(value) and large_enough):
        raise ConfigError(key, value, allowed)
    return float(value)


def _check_closure(photons: dict[str, float], energies: dict[str, float], file: str) -> None:
    """Each photon joins its two levels, and the pair receives a positive energy."""
    for name, (upper, lower) in _PHOTONS.items():
        gap = energies[upper] - energies[lower]
        if abs(photons[name] - gap) > _CLOSURE_EV:
            allowed = f"levels {upper} - {lower} = {gap:.6g} eV"
            raise ConfigError(f"{file}:photons.{name}", photons[name], allowed)
    if energies["e"] <= energies["p"]:
        allowed = "above level p: the difference goes to the neutrino pair"
        raise ConfigError(f"{file}:levels.e.energy", energies["e"], allowed)


def _rates(raw: _Reader) -> tuple[dict[str, float], dict[str, float]]:
    """Magnetic and electric dipole rates, 1/s, by transition."""
    raw.refuse_unknown(TRANSITIONS, "rates")
    md = {t: raw.number(f"rates.{t}.MD", "1/s", 0.0) for t in TRANSITIONS}
    ed = {t: raw.number(f"rates.{t}.ED", "1/s", 0.0) for t in TRANSITIONS}
    for t in TRANSITIONS:
        if md[t] + ed[t] == 0.0:
            raise ConfigError(f"{raw.file}:rates.{t}", 0.0, "MD + ED > 0")
    return md, ed


def _composition(
    raw: _Reader,
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Probability and (J, M) of the component used, by level."""
    raw.refuse_unknown(LEVELS, "composition")
    used = {level: _used_component(raw, level) for level in ("e", "p", "g")}
    return (
        {level: probability for level, (probability, _) in used.items()},
        {level: j_m for level, (_, j_m) in used.items()},
    )


def _used_component(raw: _Reader, level: str) -> tuple[float, tuple[float, float]]:
    key = f"{raw.file}:composition.{level}"
    j = _checked(raw.at(f"levels.{level}.J"), f"{raw.file}:levels.{level}.J")
    rows = raw.at(f"composition.{level}")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(key, rows, "a list of tables with M and probability")
    shares = [_checked(row.get("probability"), f"{key}.probability") for row in rows]
    if sum(shares) > 1.0:
        raise ConfigError(f"{key}.probability", shares, "a sum of at most 1")
    marked = [n for n, row in enumerate(rows) if row.get("used") is True]
    if len(marked) != 1:
        raise ConfigError(f"{key}.used", len(marked), "true in exactly one component")
    m = _checked(rows[marked[0]].get("M"), f"{key}.M", 0.0)
    if m > j or (j - m) % 1.0 != 0.0:
        raise ConfigError(f"{key}.M", m, f"J - M a whole number >= 0, J = {j:g}")
    return shares[marked[0]], (j, m)


def _printed(raw: _Reader) -> dict[str, float]:
    table = raw.tree.get("printed", {})
    if not isinstance(table, dict):
        raise ConfigError(f"{raw.file}:printed", table, "a table of {value, unit, source}")
    return {
        name: _checked(raw.at(f"printed.{name}.value"), f"{raw.file}:printed.{name}")
        for name in table
    }
