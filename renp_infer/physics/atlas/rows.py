"""What is known of a ladder that was kept, as columns of the atlas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from renp_infer.errors import DomainError
from renp_infer.physics.atlas.beams import LadderBeams
from renp_infer.physics.atlas.screening import (
    AS_GUESSED,
    BestLadders,
    Intensities,
    IonLevels,
    Moved,
    reachable,
)
from renp_infer.physics.constants import PHOTON_EV_CM
from renp_infer.physics.ions.spectrum import IntArray
from renp_infer.physics.pairs.kinematics import triangle
from renp_infer.records import PAIR_INDEX, PAIRS, FloatArray

Columns = dict[str, NDArray[Any] | list[str]]
FACTOR = 3.0
"""By which guesses move."""
MOVES = {
    "intensities_high": Moved(intensities=FACTOR),
    "intensities_low": Moved(intensities=1.0 / FACTOR),
    "widths_high": Moved(widths=FACTOR),
    "widths_low": Moved(widths=1.0 / FACTOR),
}
STEPS = (("e", "p"), ("p", "g"), ("e", "g"), ("e", "q"), ("q", "g"), ("q", "p"))
"""Upper and lower level of radiative steps, as schemes have them."""


@dataclass(frozen=True)
class Kind:
    """Unit of a column, and whether it is solid: wave functions and published parameters alone."""

    unit: str
    solid: bool

    @property
    def attributes(self) -> dict[str, str]:
        """The same as texts, for a file."""
        return {"unit": self.unit, "solid": "yes" if self.solid else "guessed"}


COLUMNS = {
    "value": Kind("mu_B eV^3", True),
    "ladders": Kind("1", True),
    **{f"{n}_stark": Kind("1", True) for n in "epq"},
    **{f"energy_{n}_eV": Kind("eV", True) for n in "epq"},
    **{f"j_{n}": Kind("1", True) for n in "gepq"},
    **{f"states_{n}": Kind("1", True) for n in "gepq"},
    "epsilon_eV": Kind("eV", True),
    "component": Kind("1", True),
    "other": Kind("1", True),
    "spin": Kind("1", True),
    "magnetic": Kind("1", True),
    "quadrupole_a0_2": Kind("a0^2", True),
    "handedness": Kind("1", True),
    "mu_e": Kind("mu_B", True),
    "delta_mu": Kind("mu_B", True),
    "weight": Kind("1", True),
    "theta_s_deg": Kind("degree", True),
    "theta_e_deg": Kind("degree", True),
    **{f"md_{a}{b}_per_s": Kind("1/s", True) for a, b in STEPS},
    **{f"ed_{a}{b}_per_s": Kind("1/s", False) for a, b in STEPS},
    **{f"gap_{n}_per_cm": Kind("1/cm", True) for n in "ep"},
    **{f"decay_{n}_per_s": Kind("1/s", False) for n in "epq"},
    "coherence": Kind("1", False),
    **{f"coherence_{name}": Kind("1", False) for name in MOVES},
}
"""Columns by name, in order."""
THRESHOLDS = {f"threshold_{pair}_deg": Kind("degree", True) for pair in PAIRS}
"""Of the pairs of neutrino masses, which a study names."""
TERMS = tuple(f"term_{n}" for n in "gepq")


def columns_of(ion: IonLevels, best: BestLadders, lasers: Intensities, r2: float) -> Columns:
    """Columns of ladders, arrays of shape (n,); their terms as texts.

    Levels are numbered among all of the ion, from 1, the ground level; rates are those from a
    Stark level to the manifold of the lower one, as schemes have them.
    """
    own = {"g": np.zeros_like(best.e), "e": best.e, "p": best.p, "q": best.q}
    levels, at = ion.spectrum, (best.e, best.p)
    j = levels.multiplets.j[levels.manifold]
    found: Columns = {"value": best.value, "ladders": best.ladders}
    for n, place in own.items():
        found[f"{n}_stark"], found[f"energy_{n}_eV"] = place + 1.0, ion.energy[place]
        found[f"j_{n}"], found[f"states_{n}"] = j[place], levels.size[place]
        found[f"decay_{n}_per_s"] = ion.decay_per_s(AS_GUESSED)[place]
        found[f"gap_{n}_per_cm"] = (ion.energy[place] - ion.energy[place - 1]) / PHOTON_EV_CM
        found[f"term_{n}"] = [levels.multiplets.terms[levels.manifold[k]] for k in place]
    pairs = ion.pairs
    found |= {
        "epsilon_eV": pairs.epsilon[at], "component": pairs.component[at],
        "other": pairs.other[at], "spin": pairs.spin[at], "magnetic": pairs.magnetic[at],
        "quadrupole_a0_2": r2 * pairs.quadrupole[at], "handedness": pairs.handedness[at],
        "mu_e": levels.moments()[best.e], "delta_mu": pairs.delta_mu[at],
        "weight": pairs.weight[at],
    }  # fmt: skip
    found |= _rates(ion, own) | _angles(ion, best)
    moves = {"coherence": AS_GUESSED} | {f"coherence_{n}": m for n, m in MOVES.items()}
    for name, moved in moves.items():
        found[name] = reachable(ion, best.e, best.p, best.q, lasers, moved)
    return {name: found[name] for name in (*TERMS, *COLUMNS)}


def thresholds_of(best: BestLadders, ion: IonLevels, index: float, masses: FloatArray) -> Columns:
    """Trigger angles where pairs of the masses (3,), eV, open or close, degrees.

    In the layout that the studies of rows have; NaN where a pair is too heavy, or where no
    direction leaves it the momentum of its threshold.
    """
    p, q, e = (ion.energy[place] for place in (best.p, best.q, best.e))
    beams = LadderBeams.of(p, q, e, index)
    found: Columns = {}
    for pair, (i, j) in zip(PAIRS, PAIR_INDEX, strict=True):
        square = (e - p) ** 2 - (masses[i] + masses[j]) ** 2
        momentum = np.sqrt(np.where(square > 0.0, square, np.nan))
        momentum = np.where(beams.reach(momentum), momentum, np.nan)
        found[f"threshold_{pair}_deg"] = np.rad2deg(beams.trigger_angle(momentum))
    return found


def _rates(ion: IonLevels, own: dict[str, IntArray]) -> Columns:
    """Rates from Stark levels to whole manifolds, 1/s."""
    manifold = ion.spectrum.manifold
    near = manifold[: ion.count]
    found: Columns = {}
    for upper, lower in STEPS:
        same = near == manifold[own[lower]][:, None]
        for name, rates in (("md", ion.rates.magnetic), ("ed", ion.rates.electric)):
            rows = np.sum(np.where(same, rates[own[upper]], 0.0), axis=1)
            found[f"{name}_{upper}{lower}_per_s"] = rows
    return found


def _angles(ion: IonLevels, best: BestLadders) -> Columns:
    """Phase-matched angles of trigger and second laser, degrees; NaN where there are none."""
    found = np.full((2, best.e.size), np.nan)
    for k, (e, p, q) in enumerate(zip(best.e, best.p, best.q, strict=True)):
        one, two = float(ion.energy[q]), float(ion.energy[e] - ion.energy[q])
        try:
            found[:, k] = np.rad2deg(triangle(one, two, float(ion.energy[p])))
        except DomainError:
            continue
    return {"theta_s_deg": found[0], "theta_e_deg": found[1]}
