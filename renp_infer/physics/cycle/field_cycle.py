"""Field through a laser cycle: generation by coherence, loss by spin relaxation.

Per unit of growth the field obeys ``db/dt = |chi|^2(t) - b / T1`` with the same
|chi|^2 in every cycle, and after many cycles it repeats:

    b(0) = Int_0^tc exp(-(tc - s) / T1) |chi|^2 ds / (1 - exp(-tc / T1)),
    b_n = c_n / (1 / T1 + 2 pi i n / tc),      c_n the harmonics of |chi|^2.

Nothing is reset at the end of a cycle, unlike in the constant-rate model of
`cycle_time_s`. Panels are at most T1 long: quadrature errors are those of
`renp_infer.physics.cycle.propagation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import expm1, pi

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.physics.cycle.bloch import Evolution, evolve, population_power
from renp_infer.physics.cycle.propagation import CUMULATE, NODES, W, X, panel_top
from renp_infer.records import ComplexArray, Experiment, FloatArray

MAX_HARMONICS = 1024


@dataclass(frozen=True)
class FieldCycle:
    """Periodic field of a laser cycle.

    Attributes
    ----------
    chi_squared : float
        Cycle mean of the coherence factor.
    peak_s : float
        Peak of the field over its mean growth, s.
    peak_time_s : float
        When it is reached, s.
    amplitudes : ndarray, shape (n,)
        ``2 |b_n|`` of the harmonics n = 1, 2, ... for peak 1.
    power : float
        Sum of ``amplitudes ** 2`` over all harmonics without end: twice the
        variance of the field over the cycle, by Parseval.
    """

    chi_squared: float
    peak_s: float
    peak_time_s: float
    amplitudes: FloatArray
    power: float


def bloch_evolution(experiment: Experiment) -> Evolution:
    """State through the laser cycle, in panels that resolve the spin relaxation.

    Raises
    ------
    DomainError, ConvergenceError
        See `renp_infer.physics.cycle.bloch.evolve`.
    """
    relaxation_s = 1e-3 * experiment.detector.spin_relaxation_ms
    power = population_power(experiment.switches)
    return evolve(experiment.target, experiment.lasers, experiment.switches, relaxation_s, power)


def bloch_cycle(experiment: Experiment) -> FieldCycle | None:
    """Field cycle of an experiment; ``None`` if it gives |chi|^2 as a number.

    Raises
    ------
    DomainError
        There is no coherence at any time, or a value is out of range.
    ConvergenceError
        See `renp_infer.physics.cycle.bloch.evolve`.
    """
    if experiment.lasers.chi_squared is not None:
        return None
    relaxation_s = 1e-3 * experiment.detector.spin_relaxation_ms
    return field_cycle(bloch_evolution(experiment), relaxation_s)


@lru_cache(maxsize=2)
def field_cycle(evolution: Evolution, relaxation_s: float) -> FieldCycle:
    """Periodic steady state of the field for a given cycle.

    Parameters
    ----------
    evolution : Evolution
        With panels of at most ``relaxation_s``.
    relaxation_s : float
        T1, s.

    Raises
    ------
    DomainError
        There is no coherence at any time.
    """
    mean = evolution.mean
    if not mean > 0.0:
        raise DomainError("chi_squared", mean, "> 0: these lasers make no coherence")
    chi2 = evolution.chi_squared.reshape(-1, NODES)
    ripple = _ripple(chi2 - mean, evolution.span_s, relaxation_s)
    weight = evolution.span_s[:, None] * W / evolution.cycle_s
    ripple -= np.sum(weight * ripple)
    top, panel, place = panel_top(ripple)
    peak = mean * relaxation_s + top
    order = np.arange(1, min(MAX_HARMONICS, len(chi2)) + 1)
    response = relaxation_s / np.hypot(1.0, 2.0 * pi * order * relaxation_s / evolution.cycle_s)
    return FieldCycle(
        chi_squared=mean,
        peak_s=peak / mean,
        peak_time_s=float(evolution.start_s[panel] + place * evolution.span_s[panel]),
        amplitudes=2.0 * response * np.abs(_harmonics(evolution, chi2, order.size)) / peak,
        power=2.0 * float(np.sum(weight * ripple**2)) / peak**2,
    )


def _ripple(growth: FloatArray, span_s: FloatArray, relaxation_s: float) -> FloatArray:
    """Periodic solution of ``db/dt = growth - b / T1`` at the nodes, shape (n, NODES)."""
    decay = np.exp(-np.append(X, 1.0) * span_s[:, None] / relaxation_s)
    gain = decay * (span_s[:, None] * ((growth / decay[:, :-1]) @ CUMULATE.T))
    starts = np.empty(len(span_s))
    field = 0.0
    for k in range(len(span_s)):
        starts[k] = field
        field = decay[k, -1] * field + gain[k, -1]
    start_s = np.cumsum(span_s) - span_s
    starts += np.exp(-start_s / relaxation_s) * field / -expm1(-span_s.sum() / relaxation_s)
    return np.asarray(decay[:, :-1] * starts[:, None] + gain[:, :-1])


def _harmonics(evolution: Evolution, chi2: FloatArray, count: int) -> ComplexArray:
    """Fourier coefficients n = 1 ... count of |chi|^2, shape (count,).

    Equal panels in a row are one chirp transform.
    """
    from scipy.signal import czt

    turn = -2j * pi * np.arange(1, count + 1) / evolution.cycle_s
    edges = np.flatnonzero(np.diff(evolution.span_s)) + 1
    total = np.zeros(count, dtype=complex)
    for panels in np.split(np.arange(len(chi2)), edges):
        span, start = evolution.span_s[panels[0]], evolution.start_s[panels[0]]
        step = np.exp(-2j * pi * span / evolution.cycle_s)
        moments = czt(chi2[panels], m=count, w=step, a=1.0 / step, axis=0)
        nodes = W * np.exp(turn[:, None] * (start + span * X))
        total += span / evolution.cycle_s * np.sum(nodes * moments, axis=1)
    return total
