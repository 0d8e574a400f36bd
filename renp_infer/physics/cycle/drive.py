"""What drives the four levels through one laser cycle: switching, rates, detunings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import asinh, log, pi, sqrt

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.physics.constants import ELEMENTARY_CHARGE_C
from renp_infer.physics.cycle.lindblad import (
    DECAYS,
    E,
    G,
    P,
    Q,
    all_decay_rates,
    free_generator,
    generator,
    lifetime_e_s,
    rabi_frequencies,
)
from renp_infer.physics.cycle.propagation import ALL, panel_maps, propagate
from renp_infer.records import ComplexArray, FloatArray, Lasers, Switches
from renp_infer.target import Target

LASERS = ("eq", "qg", "pg")
LIT = (4 * E + E, 4 * E + P, 4 * Q + Q, 4 * P + P)
"""Elements of rho that make |chi|^2 and photons: e, its coherence with p, q and p."""
KHZ_TO_RAD_PER_S = 2e3 * pi
FWHM_TO_SIGMA = 1.0 / sqrt(8.0 * log(2.0))
REACH = 5.0
"""Where the Gaussian of detunings is cut, standard deviations; 6e-7 lie beyond."""
FIRST_DETUNINGS = 33
RESOLVED = 3.0
"""Detuning and dephasing that the panels resolve, in Rabi frequencies. Ions beyond
are hardly excited and dephase, and coherences that decay faster follow the slow
rest: 1.2e-4 of the mean |chi|^2, but a faster transient can hide its peak."""


@dataclass(frozen=True)
class Segment:
    """Time with constant lasers.

    Attributes
    ----------
    start_s, duration_s : float
    rabi : tuple of float
        Angular Rabi frequencies of `LASERS`, 0 if off, 1/s.
    """

    start_s: float
    duration_s: float
    rabi: tuple[float, ...]


@dataclass(frozen=True)
class Drive:
    """One laser cycle, hashable.

    Attributes
    ----------
    segments : tuple of Segment
    rates : tuple of float
        In the order of `DECAYS`, 1/s.
    energy : tuple of float
        Levels e, g, q, p in the rotating frame, rad/s.
    spread : tuple of float
        Standard deviation of each level's energy, fully correlated, rad/s.
    dephasing : float
        1/s.
    printed : bool
    periodic : bool
        Whether a cycle starts as the last one ended, or from the ground state.
    ions_per_photon : tuple of float
        Ions along the way of each of `LASERS` through the crystal, per photon that it has in
        a cycle at its face; empty if beams do not fade.
    """

    segments: tuple[Segment, ...]
    rates: tuple[float, ...]
    energy: tuple[float, ...]
    spread: tuple[float, ...]
    dephasing: float
    printed: bool
    periodic: bool
    ions_per_photon: tuple[float, ...] = ()

    def at(self, intensities: FloatArray) -> Drive:
        """The same cycle with other intensities, (3,) by these, of `LASERS`."""
        factors = np.sqrt(intensities).tolist()
        segments = tuple(
            replace(s, rabi=tuple(a * b for a, b in zip(s.rabi, factors, strict=True)))
            for s in self.segments
        )
        return replace(self, segments=segments)

    def net_photons(self, lit: ComplexArray, weights: FloatArray) -> FloatArray:
        """Photons that an ion takes from each of `LASERS` in a cycle, less those it gives, (3,).

        By what its levels gain and lose: no coherence, which beats with the lasers, is summed.

        Parameters
        ----------
        lit : ndarray, shape (n + 2, 4)
            See `lit`.
        weights : ndarray, shape (n,)
            Time that each node stands for, s.
        """
        rates = dict(zip(DECAYS, self.rates, strict=True))
        populations = lit[:, [LIT.index(5 * level) for level in (E, Q, P)]].real
        spent, gained = weights @ populations[:-2], populations[-1] - populations[-2]
        e, q, p = spent
        into_e = gained[0] + e * (rates["eg"] + rates["eq"] + rates["ep"])
        into_q = gained[1] + q * (rates["qg"] + rates["qp"]) - e * rates["eq"] + into_e
        into_p = gained[2] + p * rates["pg"] - e * rates["ep"] - q * rates["qp"]
        return np.array([into_e, into_q, into_p])

    @property
    def cycle_s(self) -> float:
        """Length of the cycle, s."""
        return self.segments[-1].start_s + self.segments[-1].duration_s

    @property
    def rabi(self) -> float:
        """Largest total Rabi frequency of a segment, 1/s."""
        return max(float(np.hypot.reduce(segment.rabi)) for segment in self.segments)

    def rate(self, ion: float = 0.0) -> float:
        """Bound on the norm of the generator of an ion, 1/s.

        Parameters
        ----------
        ion : float
            Its place in the spread, standard deviations.
        """
        energies = np.asarray(self.energy) + ion * np.asarray(self.spread)
        return self.rabi + float(np.ptp(energies)) + 2.0 * sum(self.rates) + self.dephasing

    @property
    def resolved_rate(self) -> float:
        """Rate that the panels resolve, 1/s."""
        slow = self.rate() - self.dephasing
        return slow + min(REACH * max(self.spread) + self.dephasing, RESOLVED * self.rabi)

    def states(self, panels: list[int], ion: float = 0.0) -> ComplexArray:
        """One ion's density matrix at the nodes of all panels, shape (n, 16)."""
        return self._followed(panels, ion, ALL)[0]

    def lit(self, panels: list[int], ion: float = 0.0) -> ComplexArray:
        """Elements `LIT` of it at these nodes, and at start and end of the cycle, (n + 2, 4)."""
        nodes, *ends = self._followed(panels, ion, LIT)
        return np.vstack([nodes, *(end[list(LIT)] for end in ends)])

    def _followed(
        self, panels: list[int], ion: float, seen: Sequence[int] | slice
    ) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
        """Elements at the nodes, and the whole state at start and end of the cycle."""
        matrices = self._generators(ion)
        start = state = self._start(matrices, ion)
        found = []
        for segment, matrix, count in zip(self.segments, matrices, panels, strict=True):
            phase = self.rate(ion) * segment.duration_s
            nodes, state = propagate(matrix, state, segment.duration_s, count, phase, seen)
            found.append(nodes)
        return np.concatenate(found), start, state

    def _generators(self, ion: float) -> list[ComplexArray]:
        rates = dict(zip(DECAYS, self.rates, strict=True))
        free = free_generator(np.asarray(self.energy) + ion * np.asarray(self.spread))
        rabi = [dict(zip(LASERS, segment.rabi, strict=True)) for segment in self.segments]
        return [generator(rates, r, self.printed, self.dephasing) + free for r in rabi]

    def _start(self, matrices: list[ComplexArray], ion: float) -> ComplexArray:
        """State at the start of the cycle: all in g, or the one that comes back."""
        start = np.zeros(16, dtype=complex)
        if not self.periodic:
            start[4 * G + G] = 1.0
            return start
        cycle = np.eye(16, dtype=complex)
        for segment, matrix in zip(self.segments, matrices, strict=True):
            phase = self.rate(ion) * segment.duration_s
            cycle = panel_maps(matrix, segment.duration_s, phase)[-1] @ cycle
        equations = np.asarray(cycle - np.eye(16), dtype=complex)
        # the four equations of the populations add up to 0: the trace replaces one
        equations[0], start[0] = np.eye(4).ravel(), 1.0
        return np.asarray(np.linalg.solve(equations, start), dtype=complex)

    def detunings(self, level: int) -> tuple[FloatArray, FloatArray]:
        """Places in the spread, in standard deviations, and weights.

        A trapezoidal rule in u, ``x = scale sinh(u)``: nodes crowd where ions are
        resonant. Level 0 is the first rule; each further level holds the points
        midway, to be added with the same weights.
        """
        scale = (self.rabi + 1.0 / self.cycle_s) / max(self.spread)
        end = asinh(REACH / scale)
        step = 2.0 * end / (FIRST_DETUNINGS - 1) / 2**level
        place = np.arange(-end, end + 0.5 * step, step)
        place = place if level == 0 else place[1::2]
        ion = scale * np.sinh(place)
        return ion, np.exp(-0.5 * ion**2) * np.cosh(place)


def laser_drive(target: Target, lasers: Lasers, switches: Switches) -> Drive:
    """The laser cycle of a study.

    Raises
    ------
    DomainError
        A laser is switched after the end of the cycle, or a value is out of range.
    """
    for name in ("dephasing_per_s", "inhomogeneous_width_kHz"):
        if not 0.0 <= getattr(lasers, name) < np.inf:
            raise DomainError(name, getattr(lasers, name), ">= 0, finite")
    rabi = rabi_frequencies(target, lasers, switches)
    times = switch_times_s(target, lasers)
    photons = {"qg": target.omega_1, "eg": target.omega_1 + target.omega_2, "pg": target.omega_s}
    share = np.array([1.0, 0.0, photons["qg"] / photons["eg"], photons["pg"] / photons["eg"]])
    sigma = KHZ_TO_RAD_PER_S * FWHM_TO_SIGMA * lasers.inhomogeneous_width_kHz
    return Drive(
        segments=_segments(times, 1e-3 * lasers.cycle_ms, rabi),
        rates=tuple(all_decay_rates(target).values()),
        energy=_energy(lasers),
        spread=tuple((sigma * share).tolist()),
        dephasing=lasers.dephasing_per_s,
        printed=switches.bloch == "printed",
        periodic=lasers.cycle_start == "periodic",
        ions_per_photon=_ions_per_photon(target, lasers, times),
    )


def _ions_per_photon(
    target: Target, lasers: Lasers, times: dict[str, tuple[float, float]]
) -> tuple[float, ...]:
    """See `Drive`."""
    if lasers.paths_cm is None:
        return ()
    intensities = (lasers.eq_mW_cm2, lasers.qg_mW_cm2, lasers.trigger_mW_cm2)
    photons = (target.omega_2, target.omega_1, target.omega_s)
    rows = zip(LASERS, intensities, photons, lasers.paths_cm, strict=True)
    found = []
    for name, intensity_mW_cm2, photon, path_cm in rows:
        start, stop = times[name]
        per_cm2 = 1e-3 * intensity_mW_cm2 * (stop - start) / (photon * ELEMENTARY_CHARGE_C)
        found.append(target.density_per_cm3 * path_cm / per_cm2)
    return tuple(found)


def _energy(lasers: Lasers) -> tuple[float, ...]:
    """Levels e, g, q, p in the frame of the lasers, rad/s."""
    energy = np.zeros(4)
    energy[Q] = -lasers.qg_detuning_kHz
    energy[E] = -lasers.qg_detuning_kHz - lasers.eq_detuning_kHz
    energy[P] = -lasers.trigger_detuning_kHz
    return tuple((KHZ_TO_RAD_PER_S * energy).tolist())


def switch_times_s(target: Target, lasers: Lasers) -> dict[str, tuple[float, float]]:
    """When each of `LASERS` is switched on and off, s.

    Raises
    ------
    DomainError
        A time outside the cycle, or a laser that is never on.
    """
    lifetime, cycle = lifetime_e_s(target), 1e-3 * lasers.cycle_ms
    delays = {"eq": 0.0, "qg": 0.0, "trigger": lasers.trigger_delay_lifetimes}
    times = {}
    for name, delay in delays.items():
        key = f"{name}_duration_lifetimes"
        duration = getattr(lasers, key)
        start = delay * lifetime
        stop = cycle if duration is None else start + duration * lifetime
        if not 0.0 <= start < cycle < np.inf:
            allowed = f">= 0 and < {cycle / lifetime:.4g}, else it comes after cycle_ms"
            raise DomainError("trigger_delay_lifetimes", delay, allowed)
        if not start < stop <= cycle:
            allowed = f"> 0 and <= {(cycle - start) / lifetime:.6g}, else it ends after cycle_ms"
            raise DomainError(key, duration, allowed)
        times["pg" if name == "trigger" else name] = (start, stop)
    return times


def _segments(
    times: dict[str, tuple[float, float]], cycle_s: float, rabi: dict[str, float]
) -> tuple[Segment, ...]:
    """Split the cycle where a laser is switched."""
    edges = sorted({0.0, cycle_s} | {edge for pair in times.values() for edge in pair})
    return tuple(
        Segment(
            low,
            high - low,
            tuple(rabi[k] if times[k][0] <= low < times[k][1] else 0.0 for k in LASERS),
        )
        for low, high in zip(edges, edges[1:], strict=False)
    )
