"""All ladders g -> q -> e, e -> p, p -> g of an ion: which are allowed, and what they tell.

g is the ground level: the crystal is cold. p lies below q and q below e, as schemes have
them. Each photon has an energy within limits. There are two rankings of each question: by
the merit of the closed form with |rho_ep|^2 = 1/4, and by that times the coherence that the
lasers reach. Of each two levels e and p the best q is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from renp_infer.physics.atlas.ladder_merit import QUESTIONS, WINDOWS, MeritTable, first_window
from renp_infer.physics.constants import (
    EV_TO_PER_S,
    MW_PER_CM2_TO_EV4,
    PER_S_TO_EV,
    PHOTON_EV_CM,
)
from renp_infer.physics.ions.guesses import Guesses
from renp_infer.physics.ions.lanthanides import lanthanide
from renp_infer.physics.ions.spectrum import IntArray, Spectrum, spectrum
from renp_infer.physics.ions.stark_pairs import Radiation, StarkPairs, radiation, stark_pairs
from renp_infer.records import FloatArray

LARGEST = 0.25
"""|rho_ep|^2 of a pure superposition of e and p."""
_RATE = 1e-9
"""A step whose rate is below this, 1/s, is forbidden, with rounding."""


@dataclass(frozen=True)
class Intensities:
    """Of the lasers on g-q, q-e and p-g, mW/cm^2."""

    qg: float
    eq: float
    trigger: float


@dataclass(frozen=True)
class Reach:
    """What is screened, and what is known of lasers.

    Attributes
    ----------
    photon_eV : tuple of float
        Least and largest energy of a photon.
    lasers : Intensities
    cuts : bool
        Whether to leave out pairs of levels whose largest merit is not among the best.
    keep : int
        Pairs kept of each question and task.
    """

    photon_eV: tuple[float, float]
    lasers: Intensities
    cuts: bool
    keep: int


@dataclass(frozen=True)
class Moved:
    """Factors by which guessed intensities, and decay by phonons, are off."""

    intensities: float = 1.0
    widths: float = 1.0


AS_GUESSED = Moved()


@dataclass(frozen=True, eq=False)
class IonLevels:
    """Levels of an ion within reach of the photons, and what joins them.

    Attributes
    ----------
    spectrum : Spectrum
    pairs : StarkPairs
        From all levels (a,) to those (b,) within one photon of g.
    rates : Radiation
        The same.
    energy : ndarray, shape (a,)
        eV.
    magnetic_per_s, electric_per_s, phonons_per_s : ndarray, shape (a,)
        Rates of a level to all lower ones; that by phonons to the next.
    count : int
        Of (b,).
    """

    spectrum: Spectrum
    pairs: StarkPairs
    rates: Radiation
    energy: FloatArray
    magnetic_per_s: FloatArray
    electric_per_s: FloatArray
    phonons_per_s: FloatArray
    count: int

    def decay_per_s(self, moved: Moved) -> FloatArray:
        """All rates of each level, shape (a,), 1/s."""
        light = self.magnetic_per_s + moved.intensities * self.electric_per_s
        return light + moved.widths * self.phonons_per_s

    def step_per_s(self, upper: IntArray, lower: IntArray, moved: Moved) -> FloatArray:
        """Radiative rates of single steps, 1/s."""
        rates = self.rates
        return rates.magnetic[upper, lower] + moved.intensities * rates.electric[upper, lower]


def ion_within(symbol: str, largest_eV: float, guesses: Guesses) -> IonLevels:
    """Levels of an ion up to two photons above g."""
    found, r2 = spectrum(symbol), lanthanide(symbol).r2
    energy = PHOTON_EV_CM * found.energy
    every = np.flatnonzero(energy <= 2.0 * largest_eV)
    lower = np.flatnonzero(energy <= largest_eV)
    light = radiation(found, every, every, guesses.omega_cm2, guesses.index)
    gaps = np.diff(found.energy[every], prepend=-np.inf)
    phonons = guesses.multiphonon_per_s * np.exp(-guesses.slope_cm * gaps)
    near = slice(0, lower.size)
    return IonLevels(
        spectrum=found,
        pairs=stark_pairs(found, every, lower, r2),
        rates=Radiation(light.magnetic[:, near], light.electric[:, near]),
        energy=energy[every],
        magnetic_per_s=light.magnetic.sum(axis=1),
        electric_per_s=light.electric.sum(axis=1),
        phonons_per_s=phonons,
        count=lower.size,
    )


FAMILIES = ("ceiling", "driven")
"""Rankings: with all coherence that there can be, and with what the lasers reach."""
Key = tuple[str, str]
"""Family and question."""
KEYS: tuple[Key, ...] = tuple((f, q) for f in FAMILIES for q in QUESTIONS)


@dataclass(frozen=True, eq=False)
class BestLadders:
    """The best ladders of a ranking, arrays of shape (n,), by their value.

    Attributes
    ----------
    value : ndarray
        ``|moment|`` times the closed form, mu_B eV^3; of the family "driven" that times
        ``4 |rho_ep|^2``.
    e, p, q : ndarray of int
        Levels by place.
    ladders : ndarray of int
        Ladders through e and p that have this value.
    """

    value: FloatArray
    e: IntArray
    p: IntArray
    q: IntArray
    ladders: IntArray

    def largest(self, count: int) -> BestLadders:
        """The first ``count`` of them by value; of equal ones by place."""
        order = np.lexsort((self.q, self.p, self.e, -self.value))[:count]
        return BestLadders(*(getattr(self, name)[order] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Screened:
    """What became of the ladders of some levels e.

    Attributes
    ----------
    best : dict
        By family and question.
    ladders : int
        All that are allowed.
    examined : int
        Those whose q was looked at; the others cannot be among the best.
    above : dict
        Pairs of levels whose value is larger than the mark of the ranking.
    """

    best: dict[Key, BestLadders]
    ladders: int
    examined: int
    above: dict[Key, int]


def screen(
    ion: IonLevels, tops: IntArray, reach: Reach, table: MeritTable, index: float,
    marks: Mapping[Key, float],
) -> Screened:  # fmt: skip
    """Screen all ladders with the upper levels ``tops``.

    Parameters
    ----------
    ion : IonLevels
    tops : ndarray of int
        Places of levels e.
    reach : Reach
    table : MeritTable
    index : float
        Refractive index.
    marks : mapping
        A value by ranking: how many are larger is counted.
    """
    best, above = {key: _nothing() for key in KEYS}, dict.fromkeys(KEYS, 0)
    total = examined = 0
    for e in map(int, tops):
        sides = _sides(ion, e, reach)
        if sides is None:
            continue
        p, q = sides
        joined = ion.energy[p][:, None] < ion.energy[q]
        counts = joined.sum(axis=1)
        total += int(counts.sum())
        moment = np.abs(ion.pairs.moment[e, p])
        values = {n: moment[:, None] * table.at(n, ion.pairs.epsilon[e, p]) for n in QUESTIONS}
        last, climbs = saturations(ion, e, p, q, reach.lasers)
        most = {"ceiling": np.ones(p.size), "driven": last * climbs.max()}
        floors = {key: min(_floor(best[key], reach), marks[key]) for key in KEYS}
        hopes = [values[n][:, 0] * most[f] > floors[f, n] for f, n in KEYS]
        worth = np.any(hopes, axis=0) & (counts > 0)
        examined += int(counts[worth].sum())
        if not worth.any():
            continue
        p, joined, share = p[worth], joined[worth], last[worth][:, None] * climbs
        window = np.where(joined, _windows(ion, e, p, q, index), WINDOWS.size)
        for family, question in KEYS:
            merit = np.take_along_axis(values[question][worth], window, axis=1)
            found = _best_of(e, p, q, merit, share, driven=family == "driven")
            above[family, question] += int(np.sum(found.value > marks[family, question]))
            whole = _joined(best[family, question], found)
            best[family, question] = whole.largest(reach.keep)
    return Screened(best, total, examined, above)


def _nothing() -> BestLadders:
    none, nowhere = np.zeros(0), np.zeros(0, dtype=np.int64)
    return BestLadders(none, nowhere, nowhere, nowhere, nowhere)


def _joined(one: BestLadders, two: BestLadders) -> BestLadders:
    names = BestLadders.__dataclass_fields__
    return BestLadders(*(np.concatenate([getattr(one, n), getattr(two, n)]) for n in names))


def merged(parts: Sequence[BestLadders], count: int) -> BestLadders:
    """The best of several tasks, whatever their order."""
    found = _nothing()
    for part in parts:
        found = _joined(found, part).largest(count)
    return found


def _floor(best: BestLadders, reach: Reach) -> float:
    """Value that a pair of levels must exceed to be among those kept."""
    full = reach.cuts and best.value.size == reach.keep
    return float(best.value[-1]) if full else 0.0


def _sides(ion: IonLevels, e: int, reach: Reach) -> tuple[IntArray, IntArray] | None:
    """Levels p and q that photons of the right energy join to g and e by allowed steps."""
    least, largest = reach.photon_eV
    own, near = ion.energy[: ion.count], np.arange(ion.count)
    reached = (own >= least) & (own <= largest) & (ion.rates.total[: ion.count, 0] > _RATE)
    gap = ion.energy[e] - own
    p = near[reached & (gap > 0.0) & (ion.pairs.moment[e] != 0.0)]
    q = near[reached & (gap >= least) & (gap <= largest) & (ion.rates.total[e] > _RATE)]
    return (p, q) if p.size and q.size else None


def _windows(ion: IonLevels, e: int, p: IntArray, q: IntArray, index: float) -> IntArray:
    """First window of each p and q."""
    energy = ion.energy
    least = least_momentum(energy[p][:, None], energy[q], energy[e : e + 1], index)
    return first_window(least, ion.pairs.epsilon[e, p][:, None])


def least_momentum(p: FloatArray, q: FloatArray, e: FloatArray, index: float) -> FloatArray:
    """What lasers at any angles leave to the pair at least, eV, from the energies of levels."""
    photons = np.stack(np.broadcast_arrays(p, q, e - q))
    return np.asarray(index * np.maximum(2.0 * photons.max(axis=0) - photons.sum(axis=0), 0.0))


def reachable(
    ion: IonLevels, e: IntArray, p: IntArray, q: IntArray, lasers: Intensities,
    moved: Moved = AS_GUESSED,
) -> FloatArray:  # fmt: skip
    """Estimate of the |rho_ep|^2 that lasers reach on ladders (n,).

    A quarter, times for each driven step ``Omega^2 / (Omega^2 + Gamma^2)``: Omega its Rabi
    frequency, Gamma the mean of the decay rates of its two levels. Steps much faster than
    decay give a quarter; it is no solution of the Bloch equations, and guesses of rates enter.
    """
    last, climbs = saturations(ion, e, p, q, lasers, moved)
    return np.asarray(LARGEST * last * climbs)


def saturations(
    ion: IonLevels, e: IntArray | int, p: IntArray, q: IntArray, lasers: Intensities,
    moved: Moved = AS_GUESSED,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Factors of `reachable`: that of the step p-g by p, those of g-q and q-e by q."""
    decay, energy, upper = ion.decay_per_s(moved), ion.energy, np.asarray(e)
    rate = ion.step_per_s(q, np.zeros_like(q), moved)
    first = _saturation(rate, energy[q], decay[q], lasers.qg)
    rate = ion.step_per_s(upper, q, moved)
    second = _saturation(rate, energy[upper] - energy[q], decay[q] + decay[upper], lasers.eq)
    rate = ion.step_per_s(p, np.zeros_like(p), moved)
    return _saturation(rate, energy[p], decay[p], lasers.trigger), first * second


def _saturation(
    rate_per_s: FloatArray, energy: FloatArray, decay_per_s: FloatArray, intensity_mW_cm2: float
) -> FloatArray:
    """``Omega^2 / (Omega^2 + Gamma^2)``, Gamma half of the summed decay rates."""
    moment = 3.0 * np.pi * rate_per_s * PER_S_TO_EV / energy**3
    omega = moment * intensity_mW_cm2 * MW_PER_CM2_TO_EV4 * EV_TO_PER_S**2
    return np.asarray(omega / (omega + 0.25 * decay_per_s**2))


def _best_of(
    e: int, p: IntArray, q: IntArray, merit: FloatArray, share: FloatArray, *, driven: bool
) -> BestLadders:
    """The best q of each p; of equal ones that with the largest coherence."""
    value = merit * share if driven else merit
    top = value.max(axis=1)
    equal = (value == top[:, None]) & (top[:, None] > 0.0)
    chosen = np.where(equal, share, -1.0).argmax(axis=1)
    rows = np.flatnonzero(top > 0.0)
    return BestLadders(
        value=top[rows],
        e=np.full(rows.size, e),
        p=p[rows],
        q=q[chosen[rows]],
        ladders=equal[rows].sum(axis=1),
    )
