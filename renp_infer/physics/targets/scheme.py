"""Target schemes: levels, rates, composition and host of an ion, read and checked.

A scheme is a TOML file in ``models/targets`` or anywhere else; docs/schemes.md
lists its keys. Everything a user can get wrong is refused here with the path of
the key in the file.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from renp_infer.errors import ConfigError, DomainError
from renp_infer.physics.targets.channels import Channel, read_channels
from renp_infer.physics.targets.reader import Reader, checked
from renp_infer.physics.targets.refraction import Sellmeier, Uniaxial
from renp_infer.resources import named_file, read_toml, share_path
from renp_infer.target import Indices

LEVELS = ("g", "p", "q", "e")
TRANSITIONS = ("ep", "pg", "eg", "eq", "qg", "qp")
"""Upper and lower state of each radiative transition."""
PHOTONS = {"omega_1": ("q", "g"), "omega_2": ("e", "q"), "omega_s": ("p", "g")}
CRYSTAL = {  # unit and smallest allowed value; None: anything above zero
    "refractive_index": ("1", 1.0),
    "density_per_cm3": ("1/cm^3", None),
    "gamma_ep_per_s": ("1/s", None),
    "g_factor": ("1", None),
    "site_density_per_cm3": ("1/cm^3", None),
    "concentration": ("1", None),
    "g_parallel": ("1", 0.0),
    "g_perp": ("1", 0.0),
    "spin_relaxation_ms": ("ms", None),
}
_SECTIONS = (
    "title", "levels", "photons", "crystal", "sellmeier", "rates", "composition", "current",
    "currents", "moments", "printed", "built",
)  # fmt: skip
_CLOSURE_EV = 1e-6
"""Levels and photon energies must agree to this; schemes are given to 1e-4 eV."""
_NORM = 0.01
"""Largest error of a sum of probabilities, and of density against sites."""


@dataclass(frozen=True)
class Component:
    """Share of ``M_J = +-m`` in a state, Eqs. (34)-(36); ``used``: it carries the current."""

    m: float
    probability: float
    used: bool = False


@dataclass(frozen=True)
class Level:
    """Stark level: manifold, energy in eV, J, its composition and number as far as given."""

    term: str
    energy: float
    j: float
    components: tuple[Component, ...] = ()
    stark: int | None = None

    @property
    def used(self) -> Component | None:
        """The component that carries the current."""
        return next((c for c in self.components if c.used), None)


@dataclass(frozen=True)
class Scheme:
    """A target scheme as its file gives it.

    Attributes
    ----------
    name, title : str
    levels : dict
        `Level` of g, p, q and e.
    photons : dict
        omega_1, omega_2, omega_s in eV.
    md, ed : dict
        Magnetic and electric dipole rates by transition, 1/s.
    crystal : dict
        Values of ``[crystal]``, units in the names; refractive index and density
        are there even if the file leaves them to Sellmeier formula and sites.
    sellmeier : dict
        `Sellmeier` of "ordinary" and "extraordinary" rays, as far as given.
    spin_squared : float or None
        S_ep^2 if the file gives it, instead of Eqs. (33), (42).
    printed : dict
        What a paper prints for quantities that are recomputed otherwise.
    channels : tuple of Channel
        Between all Stark levels of the manifolds of e and p; empty without wave functions.
    moments : dict
        ``g_J M`` of the leading components of e and p, mu_B, in their place.
    """

    name: str
    title: str
    levels: dict[str, Level]
    photons: dict[str, float]
    md: dict[str, float]
    ed: dict[str, float]
    crystal: dict[str, float]
    sellmeier: dict[str, Sellmeier] = field(default_factory=dict)
    spin_squared: float | None = None
    printed: dict[str, float] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    moments: dict[str, float] = field(default_factory=dict)

    @property
    def host(self) -> Uniaxial | None:
        """The host by ray and direction; None without both Sellmeier formulas."""
        if set(self.sellmeier) != {"ordinary", "extraordinary"}:
            return None
        return Uniaxial(self.sellmeier["ordinary"], self.sellmeier["extraordinary"])

    @property
    def indices(self) -> Indices | None:
        """Principal indices at the photons; None without formulas that reach them all."""
        one, two, trigger = (self.photons[name] for name in PHOTONS)
        try:
            return None if self.host is None else self.host.at((one, two, trigger))
        except DomainError:
            return None


def locate(name_or_path: str | os.PathLike[str], key: str) -> Path:
    """File of a scheme: a name in ``models/targets``, or a path that ends in ``.toml``.

    Raises
    ------
    ConfigError
        If there is no such name.
    """
    text = os.fspath(name_or_path)
    if text.endswith(".toml"):
        return Path(text)
    extra = ', "generic" in a study, or a path that ends in .toml'
    return named_file(share_path("models") / "targets", text, key, extra)


def read_scheme(name_or_path: str | os.PathLike[str], key: str = "target.scheme") -> Scheme:
    """Read and check a scheme.

    Parameters
    ----------
    name_or_path : str or PathLike
    key : str
        Key to blame if the file cannot be found or read.

    Raises
    ------
    ConfigError
        If the scheme is unknown, cannot be read, or is inconsistent.
    """
    path = locate(name_or_path, key)
    raw = Reader(read_toml(path, key), path.name)
    raw.refuse_unknown(_SECTIONS)
    levels = {name: _level(raw, name) for name in LEVELS}
    photons = {name: raw.number(f"photons.{name}", "eV") for name in PHOTONS}
    _check_closure(photons, levels, raw)
    md, ed = _rates(raw, levels)
    sellmeier = {ray: read_sellmeier(raw, ray) for ray in raw.table("sellmeier")}
    spin_squared = raw.optional("current.S_ep_squared", "1")
    _check_current(raw, levels, spin_squared)
    return Scheme(
        name=path.stem,
        title=str(raw.at("title") or path.stem),
        levels=levels,
        photons=photons,
        md=md,
        ed=ed,
        crystal=_crystal(raw, photons, sellmeier),
        sellmeier=sellmeier,
        spin_squared=spin_squared,
        printed=_printed(raw),
        channels=_channels(raw, levels, spin_squared),
        moments=_moments(raw, levels),
    )


def _level(raw: Reader, name: str) -> Level:
    path = f"levels.{name}"
    j = raw.at(f"{path}.J")
    j = checked(j, raw.label(f"{path}.J"), 0.0)
    if (2.0 * j) % 1.0 != 0.0:
        raise ConfigError(raw.label(f"{path}.J"), j, "a whole or half number")
    return Level(
        term=str(raw.at(f"{path}.term") or name),
        energy=raw.number(f"{path}.energy", "eV", 0.0),
        j=j,
        components=_components(raw, name, j),
        stark=_stark(raw, path),
    )


def _stark(raw: Reader, path: str) -> int | None:
    value = raw.at(f"{path}.stark")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigError(raw.label(f"{path}.stark"), value, "an integer from 1: 1 is the lowest")
    return value


def _components(raw: Reader, level: str, j: float) -> tuple[Component, ...]:
    """Rows of ``composition.<level>``: shares of +-M, of one state."""
    raw.refuse_unknown((*LEVELS, "complete"), "composition")
    rows = raw.at(f"composition.{level}")
    if rows is None:
        return ()
    key = raw.label(f"composition.{level}")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(key, rows, "a list of tables with M and probability")
    for row in rows:
        m = checked(row.get("M"), f"{key}.M", 0.0)
        if m > j or (j - m) % 1.0 != 0.0:
            raise ConfigError(f"{key}.M", m, f"J - M a whole number >= 0, J = {j:g}")
        checked(row.get("probability"), f"{key}.probability", 0.0)
    if len({row["M"] for row in rows}) < len(rows):
        raise ConfigError(f"{key}.M", [row["M"] for row in rows], "each M once")
    _check_norm(raw, key, [row["probability"] for row in rows])
    return tuple(
        Component(float(row["M"]), float(row["probability"]), row.get("used") is True)
        for row in rows
    )


def _check_norm(raw: Reader, key: str, shares: list[float]) -> None:
    complete = raw.at("composition.complete")
    if complete not in (None, True, False):
        raise ConfigError(raw.label("composition.complete"), complete, "true | false")
    if sum(shares) > 1.0 + _NORM:
        raise ConfigError(f"{key}.probability", shares, "a sum of at most 1")
    if complete and sum(shares) < 1.0 - _NORM:
        raise ConfigError(f"{key}.probability", shares, "a sum of 1: composition.complete is true")


def _check_closure(photons: dict[str, float], levels: dict[str, Level], raw: Reader) -> None:
    """Each photon joins its two levels, and every transition goes downwards."""
    for name, (upper, lower) in PHOTONS.items():
        gap = levels[upper].energy - levels[lower].energy
        if abs(photons[name] - gap) > _CLOSURE_EV:
            allowed = f"levels {upper} - {lower} = {gap:.6g} eV"
            raise ConfigError(raw.label(f"photons.{name}"), photons[name], allowed)
    if levels["e"].energy <= levels["p"].energy:
        allowed = "above level p: the difference goes to the neutrino pair"
        raise ConfigError(raw.label("levels.e.energy"), levels["e"].energy, allowed)
    for upper, lower in map(tuple, TRANSITIONS):
        if levels[upper].energy <= levels[lower].energy:
            allowed = f"above level {lower}, else rates.{upper}{lower} is no decay"
            raise ConfigError(raw.label(f"levels.{upper}.energy"), levels[upper].energy, allowed)
    if len({level.j % 1.0 for level in levels.values()}) > 1:
        js = [level.j for level in levels.values()]
        raise ConfigError(raw.label("levels"), js, "all J whole or all J half: one ion")


def _rates(raw: Reader, levels: dict[str, Level]) -> tuple[dict[str, float], dict[str, float]]:
    """Magnetic and electric dipole rates, 1/s, by transition."""
    raw.refuse_unknown(TRANSITIONS, "rates")
    md = {t: raw.number(f"rates.{t}.MD", "1/s", 0.0) for t in TRANSITIONS}
    ed = {t: raw.number(f"rates.{t}.ED", "1/s", 0.0) for t in TRANSITIONS}
    for t in TRANSITIONS:
        if md[t] + ed[t] == 0.0:
            raise ConfigError(raw.label(f"rates.{t}"), 0.0, "MD + ED > 0")
        pure = raw.at("currents") is None  # wave functions say themselves how J is mixed
        if pure and md[t] > 0.0 and abs(levels[t[0]].j - levels[t[1]].j) > 1.0:
            allowed = f"0: J changes by more than 1 between {t[0]} and {t[1]}"
            raise ConfigError(raw.label(f"rates.{t}.MD"), md[t], allowed)
    if md["ep"] == 0.0:
        raise ConfigError(raw.label("rates.ep.MD"), 0.0, "> 0: it gives the spin current, Eq. (42)")
    return md, ed


def _check_current(raw: Reader, levels: dict[str, Level], spin_squared: float | None) -> None:
    """One component of e, p and g is marked, unless S_ep^2 stands for them all."""
    raw.refuse_unknown(("S_ep_squared",), "current")
    for name in ("e", "p", "g"):
        rows = levels[name].components
        marked = sum(row.used for row in rows)
        if marked > 1 or (marked == 0 and spin_squared is None):
            key = raw.label(f"composition.{name}")
            if not rows:
                allowed = "tables with M and probability, or current.S_ep_squared"
                raise ConfigError(key, raw.at(f"composition.{name}"), allowed)
            raise ConfigError(f"{key}.used", marked, "true in exactly one component")


def _channels(
    raw: Reader, levels: dict[str, Level], spin_squared: float | None
) -> tuple[Channel, ...]:
    """Channels of all levels; those of e and p themselves are there and add up to S_ep^2."""
    found = read_channels(raw)
    if not found:
        return found
    own = tuple(c for c in found if (c.e, c.p) == (levels["e"].stark, levels["p"].stark))
    if not own:
        numbers = f"e = {levels['e'].stark}, p = {levels['p'].stark} of [levels]"
        raise ConfigError(raw.label("currents.channels"), None, f"a channel with {numbers}")
    total = sum(c.spin_squared * (2.0 if c.states == (1, 2) else 1.0) for c in own)
    if spin_squared is None or abs(total / spin_squared - 1.0) > _NORM:
        allowed = f"|S|^2 of the channels of e and p, {total:.6g}"
        raise ConfigError(raw.label("current.S_ep_squared"), spin_squared, allowed)
    return found


def _moments(raw: Reader, levels: dict[str, Level]) -> dict[str, float]:
    """``g_J M`` of the components marked ``used`` of e and p, where M = S holds for them."""
    if raw.at("moments") is None:
        return {}
    raw.refuse_unknown(("e", "p"), "moments")
    if raw.at("currents") is not None:
        allowed = "[currents] or [moments]: wave functions, or one component of each level"
        raise ConfigError(raw.label("moments"), "both", allowed)
    for name in ("e", "p"):
        if levels[name].used is None:
            allowed = f"a component of composition.{name} that is used"
            raise ConfigError(raw.label(f"moments.{name}"), None, allowed)
    if levels["e"].j % 1.0 == 0.0:
        allowed = "half J: a level of whole J may be a singlet, without a moment"
        raise ConfigError(raw.label("moments"), levels["e"].j, allowed)
    if abs(levels["e"].j - levels["p"].j) != 1.0:
        js = [levels["e"].j, levels["p"].j]
        raise ConfigError(raw.label("moments"), js, "J that change by 1: L + 2 S is S only there")
    return {name: raw.number(f"moments.{name}", "mu_B", -math.inf) for name in ("e", "p")}


def read_sellmeier(raw: Reader, ray: str) -> Sellmeier:
    """Sellmeier formula of a ray, "ordinary" or "extraordinary", from ``[sellmeier]``."""
    raw.refuse_unknown(("ordinary", "extraordinary"), "sellmeier")
    path = f"sellmeier.{ray}"
    b, c = raw.numbers(f"{path}.B"), raw.numbers(f"{path}.C_um2")
    if len(b) != len(c):
        raise ConfigError(raw.label(f"{path}.C_um2"), list(c), f"as many numbers as B: {len(b)}")
    span = raw.numbers(f"{path}.range_um")
    if len(span) != 2 or not 0.0 < span[0] < span[1]:
        raise ConfigError(raw.label(f"{path}.range_um"), list(span), "[shortest, longest], um")
    a = checked(raw.at(f"{path}.A"), raw.label(f"{path}.A"))
    return Sellmeier(a, b, c, (span[0], span[1]))


def _crystal(
    raw: Reader, photons: dict[str, float], sellmeier: dict[str, Sellmeier]
) -> dict[str, float]:
    raw.refuse_unknown(CRYSTAL, "crystal")
    given = {n: raw.optional(f"crystal.{n}", *CRYSTAL[n]) for n in CRYSTAL}
    found = {name: value for name, value in given.items() if value is not None}
    if "refractive_index" not in found and "ordinary" in sellmeier:
        found["refractive_index"] = mean_index(raw, photons, sellmeier["ordinary"])
    if {"site_density_per_cm3", "concentration"} <= set(found):
        sites = found["site_density_per_cm3"] * found["concentration"]
        density = found.setdefault("density_per_cm3", sites)
        if abs(density / sites - 1.0) > _NORM:
            allowed = f"site_density_per_cm3 * concentration = {sites:.4g}"
            raise ConfigError(raw.label("crystal.density_per_cm3"), density, allowed)
    for name in ("refractive_index", "density_per_cm3", "gamma_ep_per_s", "g_factor"):
        if name not in found:
            raw.number(f"crystal.{name}", *CRYSTAL[name])
    return found


def mean_index(raw: Reader, photons: dict[str, float], ray: Sellmeier) -> float:
    """Mean ordinary index of the three photons: the kinematics takes one index.

    For LiYF4 at the energies of erbium it differs from any of them by 0.14 %.
    """
    try:
        return sum(ray.index(energy) for energy in photons.values()) / len(photons)
    except DomainError as error:
        label, allowed = raw.label("sellmeier.ordinary.range_um"), "a range with all photons"
        raise ConfigError(label, list(ray.range_um), allowed, str(error)) from None


def _printed(raw: Reader) -> dict[str, float]:
    table: Any = raw.tree.get("printed", {})
    if not isinstance(table, dict):
        raise ConfigError(raw.label("printed"), table, "a table of {value, unit, source}")
    return {
        name: checked(raw.at(f"printed.{name}.value"), raw.label(f"printed.{name}"))
        for name in table
    }
