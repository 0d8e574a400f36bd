"""All ladders g -> q -> e, e -> p, p -> g of an ion: which are allowed, and what they tell.

g is the ground level: the crystal is cold. p lies below q and q below e, as schemes have
them. Each photon has an energy within limits. Of each two levels e and p the best q
is kept: that with the largest merit of the closed form, then with the largest coherence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from renp_infer.physics.constants import (
    EV_TO_PER_S,
    MW_PER_CM2_TO_EV4,
    PER_S_TO_EV,
    PHOTON_EV_CM,
)
from renp_infer.physics.guesses import Guesses
from renp_infer.physics.ladder_merit import QUESTIONS, WINDOWS, MeritTable, first_window
from renp_infer.physics.lanthanides import lanthanide
from renp_infer.physics.spectrum import IntArray, Spectrum, spectrum
from renp_infer.physics.stark_pairs import Radiation, StarkPairs, radiation, stark_pairs
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


@dataclass(frozen=True, eq=False)
class BestLadders:
    """The best ladders of a question, arrays of shape (n,), by merit.

    Attributes
    ----------
    merit : ndarray
        ``|moment|`` times the closed form, mu_B eV^3.
    e, p, q : ndarray of int
        Levels by place.
    coherence : ndarray
        |rho_ep|^2 that the lasers reach, see `reachable`.
    ladders : ndarray of int
        Ladders through e and p that have this merit.
    """

    merit: FloatArray
    e: IntArray
    p: IntArray
    q: IntArray
    coherence: FloatArray
    ladders: IntArray

    def largest(self, count: int) -> BestLadders:
        """The first ``count`` of them by merit; of equal ones by place."""
        order = np.lexsort((self.q, self.p, self.e, -self.merit))[:count]
        return BestLadders(*(getattr(self, name)[order] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Screened:
    """What became of the ladders of some levels e.

    Attributes
    ----------
    best : dict
        By question.
    ladders : int
        All that are allowed.
    examined : int
        Those whose q was looked at; the others cannot be among the best.
    above : dict
        Pairs of levels whose merit is larger than the question's mark.
    """

    best: dict[str, BestLadders]
    ladders: int
    examined: int
    above: dict[str, int]


def screen(
    ion: IonLevels, tops: IntArray, reach: Reach, table: MeritTable, index: float,
    marks: Mapping[str, float],
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
        A merit by question: how many are larger is counted.
    """
    best, above = {name: _nothing() for name in QUESTIONS}, dict.fromkeys(QUESTIONS, 0)
    total = examined = 0
    for e in tops:
        sides = _sides(ion, int(e), reach)
        if sides is None:
            continue
        p, q = sides
        joined = ion.energy[p][:, None] < ion.energy[q]
        counts = joined.sum(axis=1)
        total += int(counts.sum())
        moment = np.abs(ion.pairs.moment[e, p])
        values = {n: moment[:, None] * table.at(n, ion.pairs.epsilon[e, p]) for n in QUESTIONS}
        floor = {n: min(_floor(best[n], reach), marks[n]) for n in QUESTIONS}
        worth = np.any([values[n][:, 0] > floor[n] for n in QUESTIONS], axis=0) & (counts > 0)
        examined += int(counts[worth].sum())
        if not worth.any():
            continue
        p, joined = p[worth], joined[worth]
        window = np.where(joined, _windows(ion, int(e), p, q, index), WINDOWS.size)
        coherence = reachable(ion, e, p[:, None], q, reach.lasers)
        for name in QUESTIONS:
            found = _best_of(int(e), p, q, values[name][worth], window, coherence)
            above[name] += int(np.sum(found.merit > marks[name]))
            best[name] = _joined(best[name], found).largest(reach.keep)
    return Screened(best, total, examined, above)


def _nothing() -> BestLadders:
    none, nowhere = np.zeros(0), np.zeros(0, dtype=np.int64)
    return BestLadders(none, nowhere, nowhere, nowhere, none, nowhere)


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
    """Merit that a pair of levels must exceed to be among those kept."""
    full = reach.cuts and best.merit.size == reach.keep
    return float(best.merit[-1]) if full else 0.0


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
    """First window of each p and q: lasers at any angle leave the pair at least so much."""
    trigger, one, two = ion.energy[p][:, None], ion.energy[q], ion.energy[e] - ion.energy[q]
    photons = np.stack(np.broadcast_arrays(trigger, one, two))
    least = index * np.maximum(2.0 * photons.max(axis=0) - photons.sum(axis=0), 0.0)
    return first_window(least, ion.pairs.epsilon[e, p][:, None])


def reachable(
    ion: IonLevels, e: IntArray | int, p: IntArray, q: IntArray, lasers: Intensities,
    moved: Moved = AS_GUESSED,
) -> FloatArray:  # fmt: skip
    """Estimate of the |rho_ep|^2 that lasers reach, for levels e, p and q that broadcast.

    A quarter, times for each driven step ``Omega^2 / (Omega^2 + Gamma^2)``: Omega its Rabi
    frequency, Gamma the mean of the decay rates of its two levels. Steps much faster than
    decay give a quarter; it is no solution of the Bloch equations, and guesses of rates enter.
    """
    decay, energy, ground = ion.decay_per_s(moved), ion.energy, np.zeros_like(q)
    first = _saturation(ion.step_per_s(q, ground, moved), energy[q], decay[q], lasers.qg)
    upper = np.asarray(e)
    rate = ion.step_per_s(upper, q, moved)
    second = _saturation(rate, energy[upper] - energy[q], decay[q] + decay[upper], lasers.eq)
    rate = ion.step_per_s(p, np.zeros_like(p), moved)
    last = _saturation(rate, energy[p], decay[p], lasers.trigger)
    return np.asarray(LARGEST * last * first * second)


def _saturation(
    rate_per_s: FloatArray, energy: FloatArray, decay_per_s: FloatArray, intensity_mW_cm2: float
) -> FloatArray:
    """``Omega^2 / (Omega^2 + Gamma^2)``, Gamma half of the summed decay rates."""
    moment = 3.0 * np.pi * rate_per_s * PER_S_TO_EV / energy**3
    omega = moment * intensity_mW_cm2 * MW_PER_CM2_TO_EV4 * EV_TO_PER_S**2
    return np.asarray(omega / (omega + 0.25 * decay_per_s**2))


def _best_of(
    e: int, p: IntArray, q: IntArray, values: FloatArray, window: IntArray, coherence: FloatArray
) -> BestLadders:
    """The best q of each p."""
    merit = np.take_along_axis(values, window, axis=1)
    top = merit.max(axis=1)
    equal = (merit == top[:, None]) & (top[:, None] > 0.0)
    chosen = np.where(equal, coherence, -1.0).argmax(axis=1)
    rows = np.flatnonzero(top > 0.0)
    return BestLadders(
        merit=top[rows],
        e=np.full(rows.size, e),
        p=p[rows],
        q=q[chosen[rows]],
        coherence=coherence[rows, chosen[rows]],
        ladders=equal[rows].sum(axis=1),
    )
