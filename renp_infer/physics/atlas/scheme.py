"""A ladder of the atlas as a target scheme, from the wave functions of its ion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from renp_infer.errors import ConfigError
from renp_infer.physics.atlas.rows import STEPS, Columns, columns_of
from renp_infer.physics.atlas.screening import BestLadders, Intensities, IonLevels, ion_within
from renp_infer.physics.ions.build import Table, channel_row
from renp_infer.physics.ions.crystal_field import irrep
from renp_infer.physics.ions.guesses import guesses
from renp_infer.physics.ions.lanthanides import HOSTS, IONS, lanthanide
from renp_infer.physics.ions.spectrum import Spectrum, component
from renp_infer.physics.targets.channels import Channel, quadrupole_of, vector_of
from renp_infer.physics.targets.scheme import PHOTONS

LEVEL_NAMES = ("g", "p", "q", "e")
_SMALLEST = 1e-9
"""A channel with ``|S|^2`` below this is forbidden, with rounding."""
_WIDEST_EV = 4.0
"""Levels within one photon of this are looked at, or more where a ladder needs it."""


@dataclass(frozen=True)
class Ladder:
    """A row of the atlas: the ion, and its levels by number from 1, the ground level.

    Attributes
    ----------
    ion : str
    e, p, q : int
    """

    ion: str
    e: int
    p: int
    q: int

    @property
    def name(self) -> str:
        """Such as "Er-62-37-44": ion, e, p, q."""
        return f"{self.ion}-{self.e}-{self.p}-{self.q}"

    @classmethod
    def read(cls, text: str, key: str = "ROW") -> Ladder:
        """Ladder of a name.

        Raises
        ------
        ConfigError
            If it is none.
        """
        found = re.fullmatch(r"([A-Z][a-z])-([1-9]\d{0,3})-([1-9]\d{0,3})-([1-9]\d{0,3})", text)
        allowed = "ION-E-P-Q with numbers of Stark levels, such as Er-62-37-44"
        if found is None or found[1] not in IONS:
            raise ConfigError(key, text, allowed, f"ions: {', '.join(IONS)}")
        e, p, q = (int(found[k]) for k in (2, 3, 4))
        if not 1 < p < q < e:
            raise ConfigError(key, text, f"{allowed}: 1 < p < q < e")
        return cls(found[1], e, p, q)


@lru_cache(maxsize=2)
def levels_of(symbol: str, largest_eV: float = _WIDEST_EV) -> IonLevels:
    """Levels of an ion up to two photons above g; the last two ions are remembered."""
    return ion_within(symbol, largest_eV, guesses())


def ladder_columns(ladder: Ladder, lasers: Intensities, key: str = "ROW") -> Columns:
    """Columns of one ladder, arrays of shape (1,).

    Raises
    ------
    ConfigError
        The ion has no such levels within reach.
    """
    ion = levels_of(ladder.ion)
    if ladder.e > ion.energy.size or max(ladder.p, ladder.q) > ion.count:
        allowed = f"e up to {ion.energy.size}, p and q up to {ion.count} for {ladder.ion}"
        raise ConfigError(key, ladder.name, allowed)
    if ion.pairs.moment[ladder.e - 1, ladder.p - 1] == 0.0:
        allowed = "levels e and p between which a pair leaves a moment"
        raise ConfigError(key, ladder.name, allowed)
    e, p, q = (np.array([n - 1]) for n in (ladder.e, ladder.p, ladder.q))
    best = BestLadders(np.zeros(1), e, p, q, np.zeros(1, dtype=np.int64))
    return columns_of(ion, best, lasers, lanthanide(ladder.ion).r2)


def ladder_channels(ladder: Ladder) -> list[Channel]:
    """Channels between the levels e and p of a ladder."""
    ion = levels_of(ladder.ion)
    levels, r2 = ion.spectrum, lanthanide(ladder.ion).r2
    e, p = ladder.e - 1, ladder.p - 1
    c, kind = float(levels.kind[e]), float(levels.kind[p])
    sizes, mu = (int(levels.size[e]), int(levels.size[p])), levels.moments()
    numbers = stark_number(levels, e), stark_number(levels, p)
    flips = _flip(levels, e), _flip(levels, p)
    epsilon = round(float(ion.energy[e] - ion.energy[p]), 7)
    found = []
    for partners, final in (("same", kind), ("other", -kind)):
        q = component(c, final)
        if q is None or (partners == "other" and sizes != (2, 2)):
            continue
        own = levels.multiplets
        spin, magnetic = (
            _element(levels, reduced, 1, q, (c, final), (e, p))
            for reduced in (own.spin, own.orbital + 2.0 * own.spin)
        )
        if spin**2 < _SMALLEST:
            continue
        tensor = _element(levels, own.tensors[2], 2, q, (c, final), (e, p))
        found.append(
            Channel(
                e=numbers[0], p=numbers[1], partners=partners, states=sizes, epsilon=epsilon,
                spin=vector_of(q, spin), magnetic=vector_of(q, magnetic),
                quadrupole=quadrupole_of(q, r2 * tensor),
                mu=(float(mu[e]), float(mu[p]) * (1.0 if partners == "same" else -1.0)),
                flip=flips,
            )
        )  # fmt: skip
    return found


def _element(
    levels: Spectrum, reduced: Any, k: int, q: int, classes: tuple[float, float],
    places: tuple[int, int],
) -> float:  # fmt: skip
    """``<p|T^k_q|e+>`` of two levels."""
    columns, rows = (np.array([levels.place[place]]) for place in places)
    return float(levels.element(reduced, k, q, *classes, columns=columns, rows=rows)[0, 0])


def _flip(levels: Spectrum, place: int) -> tuple[complex, ...]:
    """<+|L + g_s S|-> of a level, x, y, z, mu_B; zero for a singlet."""
    kind = float(levels.kind[place])
    q = component(-kind, kind) if levels.size[place] == 2 else None
    if q is None:
        return (0j, 0j, 0j)
    return vector_of(q, _element(levels, levels.moment, 1, q, (-kind, kind), (place, place)))


def stark_number(levels: Spectrum, place: int) -> int:
    """Number of a level in its manifold, from 1."""
    same = levels.manifold[: place + 1] == levels.manifold[place]
    return int(np.sum(same))


def ladder_scheme(ladder: Ladder, key: str = "ROW") -> Table:
    """Tables of the target scheme of a ladder; see docs/schemes.md.

    Raises
    ------
    ConfigError
        See `ladder_columns`.
    """
    columns = ladder_columns(ladder, Intensities(1.0, 1.0, 1.0), key)
    row = {name: values[0] for name, values in columns.items()}
    levels, ion = levels_of(ladder.ion).spectrum, lanthanide(ladder.ion)
    places = {"g": 0, "p": ladder.p - 1, "q": ladder.q - 1, "e": ladder.e - 1}
    energies = {n: round(float(levels_of(ladder.ion).energy[k]), 7) for n, k in places.items()}
    channels = ladder_channels(ladder)
    total = sum(c.spin_squared * (2.0 if c.states == (1, 2) else 1.0) for c in channels)
    rates = _rates(row)
    moment = 2.0 * max(abs(float(row["mu_e"])), abs(float(row["mu_e"] + row["delta_mu"])))
    own = "calculated: parameters of data/liyf4"
    host = guesses().host | {
        "gamma_ep_per_s": _value(sum(rates["ep"][k] for k in ("MD", "ED")), "1/s",
                                 "sum of rates.ep: radiative only"),
        "g_factor": _value(moment, "1", "calculated: twice the larger moment of e and p"),
        "g_parallel": _value(2.0 * abs(float(levels.moments()[0])), "1", own),
        "g_perp": _value(float(levels.transverse_g()[0]), "1", own),
    }  # fmt: skip
    return {
        "title": f"{ladder.ion}3+ in {HOSTS[0]}, ladder {ladder.name} of the atlas",
        "levels": {
            n: {
                "term": str(row[f"term_{n}"]), "energy": energies[n], "unit": "eV",
                "J": float(row[f"j_{n}"]), "irrep": irrep(float(levels.kind[k])),
                "stark": stark_number(levels, k), "source": own,
            }
            for n, k in places.items()
        },
        "photons": {
            n: _value(round(energies[a] - energies[b], 7), "eV", "difference of levels")
            for n, (a, b) in PHOTONS.items()
        },
        "crystal": host,
        "rates": rates,
        "current": {"S_ep_squared": _value(total, "1", f"{own}, both partners")},
        "currents": {
            "source": own, "unit_S": "1", "unit_M": "1", "unit_Q": "a0^2", "unit_mu": "mu_B",
            "r2": {"value": ion.r2, "unit": "a0^2", "source": "data/liyf4/radii.csv"},
            "channels": [channel_row(channel) for channel in channels],
        },
    }  # fmt: skip


def _rates(row: dict[str, Any]) -> Table:
    """Rates by step."""
    source = "calculated; ED with the guessed intensities of data/liyf4/guesses.toml"
    found = {}
    for upper, lower in STEPS:
        name = upper + lower
        md, ed = (float(row[f"{kind}_{name}_per_s"]) for kind in ("md", "ed"))
        found[name] = {
            "MD": float(f"{md:.5g}"), "ED": float(f"{ed:.5g}"), "unit": "1/s",
            "source": source,
        }  # fmt: skip
    return found


def _value(value: float, unit: str, source: str) -> Table:
    return {"value": float(f"{value:.8g}"), "unit": unit, "source": source}
