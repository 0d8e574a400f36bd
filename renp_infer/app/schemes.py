"""``renp scheme``: what a target scheme implies, two side by side, and building one."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from renp_infer.errors import ConfigError, DomainError
from renp_infer.physics.ions.build import build_scheme, scheme_text
from renp_infer.physics.ions.recipe import read_recipe
from renp_infer.physics.pairs.kinematics import phase_matched
from renp_infer.physics.targets import matrix_elements as elements
from renp_infer.physics.targets.channels import (
    Channel,
    axis,
    figure_of_merit,
    interference,
    magnetic_part,
    quadrupole_part,
)
from renp_infer.physics.targets.refraction import Sellmeier
from renp_infer.physics.targets.scheme import LEVELS, TRANSITIONS, Scheme, locate, read_scheme
from renp_infer.physics.targets.target import channels_of, target_of
from renp_infer.records import PRESETS, Lasers
from renp_infer.resources import read_toml
from renp_infer.terminal import say, show, write_document

INTENSITY_MW_CM2 = 10.0
"""Intensity of the Rabi frequencies and of h_r shown: that of Eqs. (9), (A13)."""
RADIUS_CM, LENGTH_CM = 0.5, 1.0
"""Crystal of the prefactor shown: that of Eq. (24)."""


def implied(scheme: Scheme) -> dict[str, float | None]:
    """Numbers that follow from a scheme, recomputed with the corrected switches.

    Parameters
    ----------
    scheme : Scheme

    Returns
    -------
    dict
        Values by name, units in the names; None where there is none.
    """
    target, switches = target_of(scheme), PRESETS["corrected"]
    e, md, ed = scheme.levels["e"], scheme.md["ep"], scheme.ed["ep"]
    h = elements.h_r(target, Lasers(trigger_mW_cm2=INTENSITY_MW_CM2), switches)
    ions = target.density_per_cm3 * math.pi * RADIUS_CM**2 * LENGTH_CM
    lifetime = 1e3 / sum(scheme.md[t] + scheme.ed[t] for t in ("eg", "eq", "ep"))
    found: dict[str, float | None] = {
        "epsilon_ep_eV": target.epsilon_ep,
        "theta_e_deg": None,
        "theta_s_deg": None,
        "lifetime_e_ms": lifetime,
        "S_reduced": elements.reduced_spin(e.j, md, target.epsilon_ep),
        "v_reduced": elements.reduced_velocity(e.j, ed, target.epsilon_ep),
        "S_ep_squared": elements.spin_squared(target, switches),
        "S_times_v": elements.spin_velocity(target, switches),
        "h_r": h,
        "C_per_s_eV5": elements.prefactor_of(h, ions),
    }
    for t, energy in (("pg", target.omega_s), ("qg", target.omega_1), ("eq", target.omega_2)):
        rabi = elements.rabi_per_s(scheme.md[t] + scheme.ed[t], energy, INTENSITY_MW_CM2)
        found[f"rabi_{t}_kHz"] = 1e-3 * rabi / (2.0 * math.pi)
    for channel in channels_of(scheme)[:1]:
        found |= {
            "delta_mu_mu_B": channel.delta_mu,
            "figure_of_merit_eV_mu_B": figure_of_merit(channel),
        }
    try:
        theta_s, theta_e = phase_matched(target)
    except DomainError:
        return found
    return found | {"theta_s_deg": math.degrees(theta_s), "theta_e_deg": math.degrees(theta_e)}


def describe(scheme: Scheme) -> dict[str, Any]:
    """Everything about a scheme as one document; see `implied`."""
    rays = {
        f"n_{name}": {photon: _index(ray, energy) for photon, energy in scheme.photons.items()}
        for name, ray in scheme.sellmeier.items()
    }
    energies = {t: scheme.levels[t[0]].energy - scheme.levels[t[1]].energy for t in TRANSITIONS}
    return {
        "schema": 1,
        "name": scheme.name,
        "title": scheme.title,
        "levels": {n: vars(v) | {"components": [vars(c) for c in v.components]}
                   for n, v in scheme.levels.items()},
        "photons_eV": scheme.photons,
        "rates_per_s": {
            t: {
                "energy_eV": energies[t],
                "MD": scheme.md[t],
                "ED": scheme.ed[t],
                "v_over_S": elements.velocity_over_spin(scheme.md[t], scheme.ed[t], energies[t])
                if scheme.md[t] > 0.0 else None,
            }
            for t in TRANSITIONS
        },
        "crystal": scheme.crystal | rays,
        "implied": implied(scheme),
        "channels": [_channel(c) for c in channels_of(scheme)],
        "all_channels": [_channel(c) for c in scheme.channels],
        "printed": scheme.printed,
    }  # fmt: skip


def _channel(channel: Channel) -> dict[str, Any]:
    """A channel and what follows from it, as a document."""
    n, magnetic = axis(channel), float(magnetic_part(channel)[2])
    square = channel.spin_squared
    ratio = sum(m * s.conjugate() for m, s in zip(channel.magnetic, channel.spin, strict=True))
    return {
        "e": channel.e,
        "p": channel.p,
        "partners": channel.partners,
        "epsilon_eV": channel.epsilon,
        "S": _pairs(channel.spin),
        "M": _pairs(channel.magnetic),
        "Q_a0_squared": None if channel.quadrupole is None else _pairs(channel.quadrupole),
        "S_squared": square,
        "M_over_S": [(ratio / square).real, (ratio / square).imag],
        "mu_mu_B": list(channel.mu),
        "delta_mu_mu_B": channel.delta_mu,
        "weight": channel.weight,
        "interference": interference(channel).tolist(),
        "n": None if n is None else n.tolist(),
        "quadrupole_share": float(quadrupole_part(channel)[2]) / magnetic if magnetic else None,
        "figure_of_merit_eV_mu_B": figure_of_merit(channel),
    }


def _pairs(vector: tuple[complex, ...]) -> list[list[float]]:
    return [[x.real, x.imag] for x in vector]


def _index(ray: Sellmeier, energy: float) -> float | None:
    try:
        return ray.index(energy)
    except DomainError:
        return None


def show_scheme(name: str, *, json: bool) -> None:
    """Print what a scheme implies: levels, rates, matrix elements.

    Parameters
    ----------
    name : str
        A name in ``models/targets``, or a path.
    json : bool
        One JSON document instead of tables.

    Raises
    ------
    ConfigError
        See `read_scheme`.
    """
    found = describe(read_scheme(name, "scheme"))
    tree = read_toml(locate(name, "scheme"), "scheme")
    built, note = tree.get("built", {}), tree.get("currents", {}).get("note")
    if json:
        write_document(found | {"built": built, "note": note})
        return
    show(found["title"], _levels_table(found), _rates_table(found))
    show(_numbers_table("implied", [found]), _numbers_table("crystal", [found]))
    if found["channels"]:
        show(_channels_table(found["channels"]), *([note] if note else []))
    if found["all_channels"]:
        show(_merits_table(found))
    if built:
        _show_built(built, found["levels"])


def compare_schemes(names: tuple[str, ...], *, json: bool) -> None:
    """Print schemes side by side.

    Parameters
    ----------
    names : tuple of str
        Names or paths, two or three.
    json : bool
        One JSON document instead of tables.

    Raises
    ------
    ConfigError
        See `read_scheme`, or not two or three names.
    """
    if not 2 <= len(names) <= 3:
        raise ConfigError("scheme compare", list(names), "two or three schemes")
    found = [describe(read_scheme(name, "scheme")) for name in names]
    if json:
        write_document({"schema": 1, "schemes": found})
        return
    show(_numbers_table("levels", found), _numbers_table("rates", found))
    show(_numbers_table("implied", found), _numbers_table("crystal", found))


def write_scheme(name: str, out: Path | None, *, force: bool) -> None:
    """Build a scheme from its recipe and write it.

    Parameters
    ----------
    name : str
        A name in ``models/crystal_field``, or a path.
    out : Path or None
        The file to write.
    force : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    ConfigError
        See `read_recipe` and `build_scheme`; no name of a TOML file to write, or
        one that is there already.
    """
    recipe = read_recipe(name, "scheme build")
    if out is None or out.suffix != ".toml" or not out.parent.is_dir():
        given = None if out is None else str(out)
        raise ConfigError("--out", given, "a file that ends in .toml, in a folder that is there")
    if out.exists() and not force:
        raise ConfigError("--out", str(out), "a new file", "--force replaces it")
    text = scheme_text(build_scheme(recipe))
    draft = out.with_name(f".{out.stem}.{os.getpid()}.toml")
    try:
        draft.write_text(text, encoding="utf-8")
        read_scheme(draft, "scheme build")
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    say(f"wrote {out}")


def _shares(level: dict[str, Any]) -> str:
    return ", ".join(
        f"{_half(c['m'])}: {c['probability']:.3f}{'*' if c['used'] else ''}"
        for c in level["components"]
    )


def _half(m: float) -> str:
    return f"{m:g}" if m % 1 == 0 else f"{round(2 * m)}/2"


def _levels_table(found: dict[str, Any]) -> Table:
    table = Table("level", "term", "energy [eV]", "shares of +-M (* used)", box=SIMPLE_HEAD)
    for name in LEVELS:
        level = found["levels"][name]
        table.add_row(name, level["term"], f"{level['energy']:.6g}", _shares(level))
    return table


def _rates_table(found: dict[str, Any]) -> Table:
    table = Table("rate", "energy [eV]", "MD [1/s]", "ED [1/s]", "v/S [1e-6]", box=SIMPLE_HEAD)
    for name, row in found["rates_per_s"].items():
        ratio = "-" if row["v_over_S"] is None else f"{1e6 * row['v_over_S']:.3g}"
        table.add_row(name, *(f"{row[k]:.5g}" for k in ("energy_eV", "MD", "ED")), ratio)
    return table


def _rows(part: str, found: dict[str, Any]) -> dict[str, Any]:
    """Numbers of one part of a description by name, nested names joined."""
    if part == "levels":
        levels = found["levels"].items()
        shares = {f"{n} {level['term']}": _shares(level) for n, level in levels}
        return {f"{n} [eV]": level["energy"] for n, level in levels} | shares
    table = found["rates_per_s" if part == "rates" else part]
    flat: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            flat |= {f"{name} {inner}": number for inner, number in value.items()}
        else:
            flat[name] = value
    return flat


def _numbers_table(part: str, found: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column(part)
    for scheme in found:
        table.add_column(scheme["name"], overflow="fold")
    columns = [_rows(part, scheme) for scheme in found]
    for name in dict.fromkeys(name for column in columns for name in column):
        table.add_row(name, *(_cell(column.get(name)) for column in columns))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.5g}"


def _channels_table(channels: list[dict[str, Any]]) -> Table:
    """What the pair takes from e and p, and the moment that it leaves."""
    table = Table(
        "to p", "|S|^2", "M/S", "mu e, p", "delta mu", "n", "of Q", "F",
        title="channels from e+; F = Im[P.(M* x S)] delta mu [eV mu_B]\n"
        "with the quadrupole, for P = eps/sqrt 3 along c", box=SIMPLE_HEAD, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for row in channels:
        real, imaginary = row["M_over_S"]
        table.add_row(
            row["partners"], f"{row['S_squared']:.4g}", f"{real:.3f}{imaginary:+.3f}i",
            ", ".join(f"{mu:.3f}" for mu in row["mu_mu_B"]), f"{row['delta_mu_mu_B']:.3f}",
            f"{row['n'][2]:+.0f}" if row["n"] else "-", _share(row),
            f"{row['figure_of_merit_eV_mu_B']:.4g}",
        )  # fmt: skip
    return table


def _share(row: dict[str, Any]) -> str:
    """What the quadrupole adds to the magnetic part."""
    if row["Q_a0_squared"] is None:
        return "not known"
    if row["quadrupole_share"] is None:
        return "alone" if row["n"] else "-"
    return f"{100.0 * row['quadrupole_share']:+.1f} %"


def _merits_table(found: dict[str, Any]) -> Table:
    """The largest figure of merit between each two Stark levels of e and p."""
    best: dict[tuple[int, int], float] = {}
    for row in found["all_channels"]:
        key, merit = (row["e"], row["p"]), row["figure_of_merit_eV_mu_B"]
        best[key] = max(best.get(key, 0.0), merit, key=abs)
    columns = range(1, 1 + max(p for _, p in best))
    table = Table(
        "", *(f"p {p}" for p in columns), title="1000 F of the strongest channel [eV mu_B]",
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for e in range(1, 1 + max(e for e, _ in best)):
        row = [best.get((e, p)) for p in columns]
        table.add_row(f"e {e}", *("-" if m is None else f"{1e3 * m:.3g}" for m in row))
    return table


def _show_built(built: dict[str, Any], levels: dict[str, Any]) -> None:
    """What a built scheme has beyond others: selection rules, currents, Stark levels."""
    table = Table(
        "transition", "S, magnetic dipole", "v, electric dipole",
        title="components q that S4 allows", box=SIMPLE_HEAD,
    )  # fmt: skip
    for name, row in built["selection"].items():
        table.add_row(name, *(", ".join(f"{q:+d}" for q in row[k]) or "none" for k in ("S", "v")))
    show(table)
    columns = [f"p {k}" for k in range(1, len(built["S_squared"][0]) + 1)]
    pairs = f"1000 S^2 between Stark levels of {levels['e']['term']} and {levels['p']['term']}"
    table = Table("", *columns, title=pairs, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for k, row in enumerate(built["S_squared"], start=1):
        table.add_row(f"e {k}", *(f"{1e3 * value:.1f}" for value in row))
    show(table)
    for manifold, rows in built["stark"].items():
        show(_stark_table(manifold, rows))


def _stark_table(manifold: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(
        "energy\n[1/cm]", "measured", "irrep", "g par", "g perp", "shares of +-M",
        title=f"Stark levels of {manifold}", box=SIMPLE_HEAD,
    )  # fmt: skip
    for row in rows:
        shares = ", ".join(f"{_half(m)}: {p:.3f}" for m, p in row["composition"] if p >= 0.0005)
        table.add_row(
            f"{row['energy_per_cm']:.1f}", _cell(row.get("measured_per_cm")), row["irrep"],
            f"{row['g_parallel']:.3f}", f"{row['g_perp']:.3f}", shares,
        )  # fmt: skip
    return table
