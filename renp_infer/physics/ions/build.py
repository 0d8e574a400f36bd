"""Building a target scheme from a recipe: the tables of its TOML file."""

from __future__ import annotations

import json
from typing import Any

import tomli_w

from renp_infer.errors import ConfigError, DomainError
from renp_infer.physics.constants import PHOTON_EV_CM
from renp_infer.physics.ions.crystal_field import Stark, find_level, manifold, stark_levels
from renp_infer.physics.ions.intensities import (
    allowed_components,
    ed_rate_per_s,
    md_rate_per_s,
    md_strength,
    spin_current,
    unit_strengths,
)
from renp_infer.physics.ions.ladder import channel_operators, channels_between
from renp_infer.physics.ions.recipe import Recipe
from renp_infer.physics.ions.shell import Shell, load_shell
from renp_infer.physics.targets.channels import Channel, figure_of_merit
from renp_infer.physics.targets.matrix_elements import three_j
from renp_infer.physics.targets.reader import Reader
from renp_infer.physics.targets.scheme import (
    LEVELS,
    PHOTONS,
    TRANSITIONS,
    mean_index,
    read_sellmeier,
)

Table = dict[str, Any]
_COMPLETE = 0.99
"""Sum of shares from which a composition counts as complete: the rest has M > J."""
_SMALLEST_CURRENT = 1e-9
"""S_ep^2 below this is zero by symmetry, with rounding."""
NO_MOMENT = (
    "the pair leaves no moment in first order between these levels; a study of them may ask "
    "for the event rate, not for a magnetization"
)
_ABOUT_CHANNELS = (
    "# <p|X|e> from the + partner of Stark level e of its manifold to the same (+) or the other",
    "# (-) partner of level p: [real, imaginary] of x, y, z, z along c. S: spin; M = L + 2 S;",
    "# Q: xx, xy, xz, yy, yz, zz of r_i r_j - r^2/3 delta_ij; mu: <L + g_s S> along c, of e+ and",
    "# of the state of p; mu_flip: <e+|L + g_s S|e-> and <p+|L + g_s S|p->. - is T +, from which",
    "# channels have -S*, -M*, Q*, -mu. Channels with S = 0 are left out.",
)


def build_scheme(recipe: Recipe) -> Table:
    """Tables of the scheme that follows from a recipe.

    Parameters
    ----------
    recipe : Recipe

    Raises
    ------
    ConfigError
        The recipe names a parameter, manifold or Stark level that there is not, or
        leads to no consistent scheme; or dieke is missing.
    """
    shell = load_shell(recipe.electrons)
    try:
        levels = stark_levels(shell, recipe.free_ion, recipe.field)
        chosen = {n: find_level(levels, c.manifold, c.stark) for n, c in recipe.states.items()}
    except DomainError as error:
        raise ConfigError(f"{recipe.file}:{error.name}", error.value, error.allowed) from error
    energies = {n: _energy(recipe, n, chosen[n]) for n in LEVELS}
    photons = {n: round(energies[a] - energies[b], 7) for n, (a, b) in PHOTONS.items()}
    rates = _rates(recipe, shell, levels, energies)
    tables: Table = {
        "title": f"{recipe.tree.get('title', recipe.file)}; built by renp scheme build",
        "levels": {n: _level(recipe, n, chosen[n], energies[n]) for n in LEVELS},
        "photons": {n: _value(e, "eV", "difference of levels") for n, e in photons.items()},
        "crystal": _crystal(recipe, chosen, rates),
        "rates": rates,
        "composition": _composition(chosen),
        "current": _current(recipe, shell, chosen),
        "built": _record(recipe, shell, levels, chosen),
        "currents": _currents(recipe, shell, levels),
    }
    if "sellmeier" in recipe.tree:
        tables["sellmeier"] = recipe.tree["sellmeier"]
    return tables


def _current(recipe: Recipe, shell: Shell, chosen: dict[str, Stark]) -> Table:
    found = spin_current(shell, chosen["e"], chosen["p"])
    if found.total < _SMALLEST_CURRENT:
        allowed = "levels between which S is allowed: see docs/schemes.md"
        given = f"{chosen['e'].irrep} to {chosen['p'].irrep}"
        raise ConfigError(f"{recipe.file}:states.e", given, allowed)
    source = (
        f"calculated from the wave functions, all components of S: "
        f"{found.longitudinal:.3g} along c, {found.transverse:.3g} across c"
    )
    return {"S_ep_squared": _value(found.total, "1", source)}


def _currents(recipe: Recipe, shell: Shell, levels: list[Stark]) -> Table:
    """Channels between all Stark levels of the manifolds of e and p."""
    operators, found = channel_operators(shell, recipe.r2), []
    upper, lower = (manifold(levels, recipe.states[n].manifold) for n in ("e", "p"))
    for k, a in enumerate(upper, start=1):
        for n, b in enumerate(lower, start=1):
            if a.energy > b.energy:
                epsilon = _stark_energy(recipe, "e", k, a) - _stark_energy(recipe, "p", n, b)
                found += channels_between(operators, a, b, (k, n), epsilon)
    numbers = recipe.states["e"].stark, recipe.states["p"].stark
    own = [c for c in found if (c.e, c.p) == numbers]
    about: Table = {
        "source": "calculated from the wave functions; energies measured where the recipe has them",
        "unit_S": "1",
        "unit_M": "1",
        "unit_Q": "a0^2",
        "unit_mu": "mu_B",
    }
    if recipe.r2 is not None:
        about["r2"] = recipe.tree["ion"]["r2"]
    if not any(figure_of_merit(c) for c in own):
        about["note"] = NO_MOMENT
    return about | {"channels": [channel_row(c) for c in found]}


def _stark_energy(recipe: Recipe, name: str, stark: int, level: Stark) -> float:
    """Energy in eV of a Stark level of the manifold of e or p; see `_energy`."""
    choice = recipe.states[name]
    if stark == choice.stark:
        return _energy(recipe, name, level)
    measured = recipe.measured.get(choice.manifold, ())
    per_cm = measured[stark - 1] if stark <= len(measured) else level.energy
    return per_cm * PHOTON_EV_CM


def channel_row(channel: Channel) -> Table:
    """Row of ``[[currents.channels]]``."""
    row: Table = {
        "e": channel.e,
        "p": channel.p,
        "partners": channel.partners,
        "states": list(channel.states),
        "epsilon_eV": channel.epsilon,
        "S": [[x.real, x.imag] for x in channel.spin],
        "M": [[x.real, x.imag] for x in channel.magnetic],
    }
    if channel.quadrupole is not None:
        row["Q"] = [[x.real, x.imag] for x in channel.quadrupole]
    row["mu"] = list(channel.mu)
    if channel.flip is not None:
        row["mu_flip"] = [[[x.real, x.imag] for x in vector] for vector in channel.flip]
    return row


def scheme_text(tables: Table) -> str:
    """The TOML file of a built scheme: channels last, each vector on one line."""
    rest = {name: table for name, table in tables.items() if name != "currents"}
    about = {name: value for name, value in tables["currents"].items() if name != "channels"}
    lines = [tomli_w.dumps(rest), *_ABOUT_CHANNELS, tomli_w.dumps({"currents": about})]
    for row in tables["currents"]["channels"]:
        values = [f"{name} = {json.dumps(value)}" for name, value in row.items()]
        lines += ["[[currents.channels]]", *values, ""]
    return "\n".join(lines)


def _value(value: float, unit: str, source: str) -> Table:
    return {"value": float(f"{value:.8g}"), "unit": unit, "source": source}


def _energy(recipe: Recipe, name: str, level: Stark) -> float:
    """Energy in eV: measured if the recipe has it, else calculated."""
    measured = recipe.states[name].measured_per_cm
    return round((level.energy if measured is None else measured) * PHOTON_EV_CM, 7)


def _level(recipe: Recipe, name: str, level: Stark, energy: float) -> Table:
    choice = recipe.states[name]
    source = choice.source if choice.measured_per_cm is not None else "calculated"
    return {
        "term": choice.manifold, "energy": energy, "unit": "eV", "J": level.j,
        "irrep": level.irrep, "stark": choice.stark,
        "calculated_per_cm": round(level.energy, 2), "source": source,
    }  # fmt: skip


def _index(recipe: Recipe, energies: dict[str, float]) -> float:
    """Refractive index of the host, as the scheme will have it."""
    raw = Reader(recipe.tree, recipe.file)
    if raw.at("host.refractive_index") is not None:
        return raw.number("host.refractive_index", "1", 1.0)
    photons = {n: energies[a] - energies[b] for n, (a, b) in PHOTONS.items()}
    return mean_index(raw, photons, read_sellmeier(raw, "ordinary"))


def _rates(recipe: Recipe, shell: Shell, levels: list[Stark], energies: dict[str, float]) -> Table:
    index, found = _index(recipe, energies), {}
    for upper, lower in map(tuple, TRANSITIONS):
        a, b = (manifold(levels, recipe.states[n].manifold) for n in (upper, lower))
        energy = energies[upper] - energies[lower]
        if energy <= 0.0:
            key = f"{recipe.file}:states.{upper}"
            raise ConfigError(key, recipe.states[upper].manifold, f"above level {lower}")
        # J-mixing gives MD rates below 1 % of the ED ones where J changes by more than 1.
        near = abs(a[0].j - b[0].j) <= 1.0
        md = md_rate_per_s(md_strength(shell, a, b), energy, index) if near else 0.0
        units = unit_strengths(shell, a, b)
        ed = ed_rate_per_s(units, recipe.omega_cm2, a[0].j, energy, index)
        source = f"calculated, n = {index:.4f}; |U^k|^2 = " + ", ".join(
            f"{value:.4f}" for value in units.values()
        )
        found[upper + lower] = {
            "MD": float(f"{md:.5g}"), "ED": float(f"{ed:.5g}"), "unit": "1/s", "source": source,
        }  # fmt: skip
    return found


def _crystal(recipe: Recipe, chosen: dict[str, Stark], rates: Table) -> Table:
    level, axis = recipe.moment
    g_factor = getattr(chosen[level], f"g_{axis}")
    if g_factor == 0.0:
        allowed = "a doublet with a moment along that axis"
        raise ConfigError(f"{recipe.file}:moment.level", level, allowed)
    width = rates["ep"]["MD"] + rates["ep"]["ED"]
    return recipe.tree.get("host", {}) | {
        "gamma_ep_per_s": _value(width, "1/s", "sum of rates.ep: radiative only"),
        "g_factor": _value(g_factor, "1", f"calculated: g_{axis} of level {level}"),
        "g_parallel": _value(chosen["g"].g_parallel, "1", "calculated: level g"),
        "g_perp": _value(chosen["g"].g_perp, "1", "calculated: level g"),
    }


def _composition(chosen: dict[str, Stark]) -> Table:
    """Shares of +-M of one state, and the pair of M that carries the most of S_ep."""
    e, p = chosen["e"], chosen["p"]

    def strength(pair: tuple[float, float]) -> float:
        m, m_p = pair
        return e.composition[m] * p.composition[m_p] * three_j(p.j, 1.0, e.j, -m_p, m_p - m, m) ** 2

    m_e, m_p = max(((a, b) for a in e.composition for b in p.composition), key=strength)
    shares = chosen["g"].composition
    m_g = max(shares, key=lambda m: (abs(m - m_p) <= 1.0, shares[m]))
    used = {"e": m_e, "p": m_p, "g": m_g}
    sums = [sum(level.composition.values()) for level in chosen.values()]
    rows: Table = {"complete": min(sums) > _COMPLETE}
    for name, level in chosen.items():
        rows[name] = [
            {
                "M": m,
                "probability": round(share, 4),
                "used": used.get(name) == m,
                "source": "calculated",
            }
            for m, share in level.composition.items()
        ]
    return rows


def _record(recipe: Recipe, shell: Shell, levels: list[Stark], chosen: dict[str, Stark]) -> Table:
    """What the scheme was built from, and what else its manifolds hold."""
    kept = ("ion", "free_ion", "crystal_field", "judd_ofelt", "moment")
    upper, lower = (manifold(levels, recipe.states[n].manifold) for n in ("e", "p"))
    return {
        "recipe": recipe.file,
        **{name: recipe.tree[name] for name in kept if name in recipe.tree},
        "selection": {
            t: {n: list(q) for n, q in allowed_components(chosen[t[0]], chosen[t[1]]).items()}
            for t in TRANSITIONS
        },
        "S_squared": [[round(spin_current(shell, a, b).total, 5) for b in lower] for a in upper],
        "stark": {
            choice.manifold: _rows(recipe, levels, choice.manifold)
            for choice in recipe.states.values()
        },
    }


def _rows(recipe: Recipe, levels: list[Stark], name: str) -> list[Table]:
    measured = recipe.measured.get(name, ())
    rows = []
    for k, level in enumerate(manifold(levels, name)):
        row: Table = {"energy_per_cm": round(level.energy, 1), "irrep": level.irrep}
        if k < len(measured):
            row["measured_per_cm"] = measured[k]
        row |= {"g_parallel": round(level.g_parallel, 3), "g_perp": round(level.g_perp, 3)}
        row["composition"] = [[m, round(p, 4)] for m, p in level.composition.items()]
        rows.append(row)
    return rows
