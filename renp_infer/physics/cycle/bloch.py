"""Coherence |chi|^2 through a laser cycle, optical Bloch equations, appendix.

A cycle starts with all ions in the ground state, as in Fig. 12, or as the one
before has left them. The lasers are constant between switching times, so matrix
exponentials propagate the state without a step error. An inhomogeneous width
averages the state over detunings: the ensemble emits together, so |chi|^2 is
that of the mean density matrix. The mean is a nested rule, refined until |chi|^2
changes by less than `SPREAD_ERROR`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np

from renp_infer.errors import ConvergenceError
from renp_infer.finite import faults
from renp_infer.physics.cycle.absorption import Faded, check_depth, faded
from renp_infer.physics.cycle.drive import LIT, Drive, laser_drive
from renp_infer.physics.cycle.lindblad import E, G, P
from renp_infer.physics.cycle.propagation import (
    NODES,
    PANEL_PHASE,
    W,
    X,
    panel_top,
    panels_for,
)
from renp_infer.records import ComplexArray, FloatArray, Lasers, Switches
from renp_infer.target import Target

LEAST_PANELS, MAX_PANELS = 256, 40_000
MAX_WORK = 20_000_000
"""Most panels times detunings: less than a minute."""
SMALLEST = float(np.finfo(float).tiny)
SPREAD_ERROR = 1e-3
"""Bound on the mean change of |chi|^2 when the detunings are doubled, over its mean."""


@dataclass(frozen=True, eq=False)
class Evolution:
    """State of the ions through one laser cycle, at the Gauss nodes of panels.

    Attributes
    ----------
    start_s, span_s : ndarray, shape (n,)
        Start and length of each panel, s.
    rho : ndarray, shape (n * NODES, 4, 4), complex
        Density matrix, level order e, g, q, p. Measured below, never repaired.
    population_power : int
        Powers of rho_ee in ``chi_squared``: 3, Fig. 11, or 0, the coherence alone.
    detunings : int
        Number of detunings averaged over.
    spread_error : float
        Change of |chi|^2, relative to its mean, at the last doubling of these.
    faded : Faded or None
        Where beams fade: ``rho`` is then where they come in, and ``chi_squared`` the mean over
        the crystal.
    """

    start_s: FloatArray
    span_s: FloatArray
    rho: ComplexArray
    population_power: int = 3
    detunings: int = 1
    spread_error: float = 0.0
    faded: Faded | None = None

    @property
    def time_s(self) -> FloatArray:
        """Times of ``rho`` from the start of the cycle, s."""
        return np.asarray(self.start_s[:, None] + self.span_s[:, None] * X).ravel()

    @property
    def cycle_s(self) -> float:
        """Length of the cycle, s."""
        return float(self.start_s[-1] + self.span_s[-1])

    @property
    def chi_squared(self) -> FloatArray:
        """``rho_ee^3 |rho_ep|^2`` of Fig. 11, or ``|rho_ep|^2``, shape of ``time_s``."""
        if self.faded is not None:
            return self.faded.chi_squared
        return _chi_squared(self.rho.reshape(-1, 16), self.population_power)

    @property
    def peak(self) -> float:
        """Largest ``chi_squared``."""
        return panel_top(self.chi_squared.reshape(-1, NODES))[0]

    @property
    def peak_time_s(self) -> float:
        """Its time, s."""
        _, panel, place = panel_top(self.chi_squared.reshape(-1, NODES))
        return float(self.start_s[panel] + place * self.span_s[panel])

    @property
    def mean(self) -> float:
        """Mean of ``chi_squared`` over the cycle."""
        return _mean(self.chi_squared, self.span_s)

    @property
    def trace_error(self) -> float:
        """Largest |Tr rho - 1|."""
        return float(np.max(np.abs(np.einsum("kii->k", self.rho) - 1.0)))

    @property
    def hermiticity_error(self) -> float:
        """Largest element of |rho - rho^dagger|."""
        return float(np.max(np.abs(self.rho - self.rho.conj().transpose(0, 2, 1))))

    @property
    def smallest_eigenvalue(self) -> float:
        """Smallest eigenvalue of the Hermitian part; negative is unphysical."""
        hermitian = 0.5 * (self.rho + self.rho.conj().transpose(0, 2, 1))
        return float(np.min(np.linalg.eigvalsh(hermitian)))

    @property
    def excited_at_end(self) -> float:
        """Share of the ions outside g at the last node, which a "ground" start takes back."""
        return float(1.0 - self.rho[-1, G, G].real)


def _chi_squared(
    states: ComplexArray, power: int, columns: Sequence[int] = range(16)
) -> FloatArray:
    """``rho_ee^power |rho_ep|^2`` of states, shape (n, k), of which the elements are columns."""
    population: FloatArray = states[:, columns.index(4 * E + E)].real
    coherence: FloatArray = np.abs(states[:, columns.index(4 * E + P)])
    return population**power * coherence**2


def _mean(values: FloatArray, span_s: FloatArray) -> float:
    """Mean over the cycle of a function at the nodes."""
    return float(span_s @ (values.reshape(-1, NODES) @ W) / span_s.sum())


def population_power(switches: Switches) -> int:
    """Powers of rho_ee beside |rho_ep|^2: none if the trigger is counted once."""
    return 0 if switches.trigger == "coherence" else 3


def evolve(
    target: Target,
    lasers: Lasers,
    switches: Switches,
    longest_s: float = np.inf,
    population_power: int = 3,
) -> Evolution:
    """One laser cycle.

    Parameters
    ----------
    target, lasers, switches
        What evolves.
    longest_s : float
        Bound on the length of a panel, s.
    population_power : int
        See `Evolution`: the average over detunings converges in that |chi|^2.

    Raises
    ------
    DomainError
        A laser is switched after the end of the cycle, a value is out of range, or fading
        beams light no more than a skin of the crystal.
    ConvergenceError
        The cycle has more Rabi phase than ``MAX_PANELS`` can follow, or the
        average over detunings takes more than ``MAX_WORK``.
    """
    drive = laser_drive(target, lasers, switches)
    found = _solve(drive, min(longest_s, drive.cycle_s / LEAST_PANELS), population_power)
    if lasers.paths_cm is not None and found.faded is not None:
        check_depth(found.faded.depth * min(lasers.paths_cm))
    return found


def panels_needed(drive: Drive, longest_s: float = np.inf) -> float:
    """Panels, not yet whole, that follow a cycle; `MAX_PANELS` at most are done.

    In fading beams ions beat in another time from slice to slice: nodes that do not follow
    the beats sample them, and hundreds of slices average what is left.
    """
    beats = 0.0 if drive.ions_per_photon else drive.resolved_rate
    rate = max(beats, PANEL_PHASE / longest_s)
    return rate * drive.cycle_s / PANEL_PHASE


@lru_cache(maxsize=2)
def _solve(drive: Drive, longest_s: float, population_power: int) -> Evolution:
    if (needed := panels_needed(drive, longest_s)) > MAX_PANELS:
        raise ConvergenceError("panels of a laser cycle", needed, MAX_PANELS)
    rate = needed * PANEL_PHASE / drive.cycle_s
    panels = [panels_for(rate * segment.duration_s) for segment in drive.segments]
    span = np.array([s.duration_s / n for s, n in zip(drive.segments, panels, strict=True)])
    start = [
        s.start_s + h * np.arange(n)
        for s, h, n in zip(drive.segments, span, panels, strict=True)
    ]  # fmt: skip
    span = np.repeat(span, panels)
    states, count, error = _ensemble(
        drive, lambda ion: drive.states(panels, ion), span, population_power
    )
    states.flags.writeable = False  # shared by all who ask again
    rho = states.reshape(-1, 4, 4)
    fading = _faded(drive, panels, span, population_power) if drive.ions_per_photon else None
    return Evolution(np.concatenate(start), span, rho, population_power, count, error, fading)


def _faded(drive: Drive, panels: list[int], span_s: FloatArray, population_power: int) -> Faded:
    """Beams through the crystal, seen at the same times as where they come in."""
    weights = np.outer(span_s, W).ravel()

    def seen(intensities: FloatArray) -> tuple[FloatArray, FloatArray]:
        there = drive.at(intensities)
        lit, _, _ = _ensemble(there, lambda ion: there.lit(panels, ion), span_s, population_power)
        chi2 = _chi_squared(lit[:-2], population_power, LIT)
        if population_power:  # h_r^2, which stands beside it, has the trigger's intensity
            chi2 = intensities[-1] * chi2
        return chi2, there.net_photons(lit, weights)

    return faded(seen, np.array(drive.ions_per_photon), weights)


def _ensemble(
    drive: Drive,
    follow: Callable[[float], ComplexArray],
    span_s: FloatArray,
    population_power: int,
) -> tuple[ComplexArray, int, float]:
    """Mean of what is followed of all ions, number of detunings, change at the last doubling."""
    if max(drive.spread) == 0.0:
        return follow(0.0), 1, 0.0
    total: ComplexArray = np.zeros(1, dtype=complex)
    nodes = len(span_s) * NODES
    before, norm, count, error, level = np.zeros(nodes), 0.0, 0, np.inf, 0
    while error > SPREAD_ERROR:
        ions, weights = drive.detunings(level)
        count, level = count + ions.size, level + 1
        if count * len(span_s) > MAX_WORK:
            raise ConvergenceError("average over detunings", error, SPREAD_ERROR)
        for ion, weight in zip(ions, weights, strict=True):
            total = total + weight * follow(ion)
        norm += weights.sum()
        columns = LIT if total.shape[1] == len(LIT) else range(16)
        chi2 = _chi_squared(total[:nodes] / norm, population_power, columns)
        error = _mean(np.abs(chi2 - before), span_s) / max(_mean(chi2, span_s), SMALLEST)
        before = chi2
    return total / norm, count, error


def chi_squared(target: Target, lasers: Lasers, switches: Switches) -> float:
    """Coherence factor ``rho_ee^3 |rho_ep|^2`` of Eqs. (57), (61).

    The study's own number where it gives one; otherwise its mean over the
    cycle. The peak, which Fig. 11 shows, is larger by up to two orders
    (``evolve(...).peak``).

    Raises
    ------
    DomainError, ConvergenceError
        See `evolve`.
    NonFiniteError
        Intensities or times beyond floating-point numbers.
    """
    if lasers.chi_squared is not None:
        return lasers.chi_squared
    with faults("chi_squared", asdict(lasers)) as finite:
        return float(finite(evolve(target, lasers, switches).mean))
