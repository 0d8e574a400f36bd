"""Coherence |chi|^2 from the four-level optical Bloch equations, appendix.

Levels e, q, p, g; three resonant lasers: e-q and q-g excite, the trigger p-g
is switched on later. Only radiative decay enters: a width given by
``Target.gamma_ep_per_s`` acts in h_r alone, not here.

Two generators, by ``Switches.bloch``:

``lindblad``
    H = +(1/2) Sum Omega_ab (|a><b| + h.c.), jumps sqrt(gamma_ab) |b><a|,
    Omega_ab = sqrt(3 pi gamma_ab / eps_ab^3) sqrt(I).
``printed``
    the matrix (A5)-(A12) with its overall sign of C_1, D_1, Eq. (A9), and the
    Rabi frequencies (A13), Omega = 2 pi nu, which Fig. 12 was made with. It
    keeps the trace but not positivity: the state gets an eigenvalue of -0.35 at
    the settings of Fig. 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.physics.constants import EV_TO_PER_S, MW_PER_CM2_TO_EV4, PER_S_TO_EV
from renp_infer.records import FloatArray, Lasers, Switches, Target

ComplexArray = NDArray[np.complex128]
E, G, Q, P = range(4)
LEVELS = {"e": E, "g": G, "q": Q, "p": P}
DECAYS = ("eg", "eq", "ep", "qg", "qp", "pg")
PHASE_STEP = 0.1
"""Largest Rabi phase between two samples, rad."""
PEAK_ERROR = 1e-3
"""Bound on the relative error of the interpolated peak: |chi|^2 is of fifth
order in the state, so it has at most five times the Rabi frequency, and a
parabola through three samples 0.5 rad apart misses a cosine's top by 5e-4."""
MAX_SAMPLES = 500_000
_BLOCK = 64


@dataclass(frozen=True)
class Evolution:
    """State of one laser cycle, sampled from the switch-on of the trigger.

    Attributes
    ----------
    time_s : ndarray, shape (n,)
        Time since the excitation lasers were switched on, s.
    rho : ndarray, shape (n, 4, 4), complex
        Density matrix, level order e, g, q, p. Measured below, never repaired.
    """

    time_s: FloatArray
    rho: ComplexArray

    @property
    def chi_squared(self) -> FloatArray:
        """``rho_ee^3 |rho_ep|^2`` of Fig. 11, shape (n,)."""
        population: FloatArray = self.rho[:, E, E].real
        coherence: FloatArray = np.abs(self.rho[:, E, P])
        return population**3 * coherence**2

    @property
    def peak(self) -> float:
        """Largest ``chi_squared``, interpolated to ``PEAK_ERROR``."""
        values = self.chi_squared
        top = int(np.argmax(values))
        if top in (0, len(values) - 1):
            return float(values[top])
        left, centre, right = values[top - 1 : top + 2]
        bend = left - 2.0 * centre + right
        return float(centre - (right - left) ** 2 / (8.0 * bend) if bend < 0.0 else centre)

    @property
    def peak_time_s(self) -> float:
        """Time of the largest sample, s."""
        return float(self.time_s[np.argmax(self.chi_squared)])

    @property
    def mean(self) -> float:
        """Mean of ``chi_squared`` over the time with the trigger on."""
        span = self.time_s[-1] - self.time_s[0]
        return float(np.trapezoid(self.chi_squared, self.time_s) / span)

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


def decay_rates(target: Target) -> dict[str, float]:
    """Radiative rates (magnetic plus electric) of the six decays, 1/s."""
    md, ed = target.md_rates_per_s, target.ed_rates_per_s
    return {name: md.get(name, 0.0) + ed.get(name, 0.0) for name in DECAYS}


def lifetime_e_s(target: Target) -> float:
    """Radiative lifetime of e within the four levels (1.7 ms for Er:YLF), s."""
    rates = decay_rates(target)
    return 1.0 / (rates["eg"] + rates["eq"] + rates["ep"])


def rabi_frequencies(target: Target, lasers: Lasers, switches: Switches) -> dict[str, float]:
    """Angular Rabi frequencies of the transitions "eq", "qg" and "pg", 1/s.

    Raises
    ------
    DomainError
        A negative intensity, or Eq. (A13) asked of a target without it.
    """
    intensity = {"eq": lasers.eq_mW_cm2, "qg": lasers.qg_mW_cm2, "pg": lasers.trigger_mW_cm2}
    for name, value in intensity.items():
        if not 0.0 <= value < np.inf:
            raise DomainError(f"intensity of the {name} laser", value, ">= 0, finite")
    if switches.bloch == "printed":
        return _printed_rabi(target, intensity)
    energy = {"eq": target.omega_2, "qg": target.omega_1, "pg": target.omega_s}
    rates = decay_rates(target)
    return {
        name: EV_TO_PER_S
        * sqrt(3.0 * pi * rates[name] * PER_S_TO_EV / energy[name] ** 3)
        * sqrt(value * MW_PER_CM2_TO_EV4)
        for name, value in intensity.items()
    }


def _printed_rabi(target: Target, intensity: dict[str, float]) -> dict[str, float]:
    """Eq. (A13), nu in kHz at the reference intensity, as Fig. 12 used it."""
    names = ["reference_intensity_mW_cm2", *(f"rabi_{name}_kHz" for name in intensity)]
    if missing := [name for name in names if name not in target.printed]:
        raise DomainError("bloch", "printed", f"targets that print {', '.join(missing)}")
    reference = target.printed["reference_intensity_mW_cm2"]
    return {
        name: 2e3 * pi * target.printed[f"rabi_{name}_kHz"] * sqrt(value / reference)
        for name, value in intensity.items()
    }


def generator(rates: dict[str, float], rabi: dict[str, float], printed: bool) -> ComplexArray:
    """Matrix of d rho/dt, shape (16, 16), 1/s, acting on row-major rho.

    Parameters
    ----------
    rates : dict
        The six decay rates, 1/s.
    rabi : dict
        Angular Rabi frequencies of "eq", "qg", "pg", 1/s.
    printed : bool
        Whether C_1 and D_1 take the sign printed in Eq. (A9).
    """
    identity = np.eye(4)
    hamiltonian = np.zeros((4, 4))
    for name, omega in rabi.items():
        a, b = LEVELS[name[0]], LEVELS[name[1]]
        hamiltonian[a, b] = hamiltonian[b, a] = 0.5 * omega
    matrix: ComplexArray = -1j * (np.kron(hamiltonian, identity) - np.kron(identity, hamiltonian))
    for name, rate in rates.items():
        jump = np.zeros((4, 4))
        jump[LEVELS[name[1]], LEVELS[name[0]]] = sqrt(rate)
        loss = 0.5 * jump.T @ jump
        matrix += np.kron(jump, jump) - np.kron(loss, identity) - np.kron(identity, loss)
    return _flip_excitation(matrix) if printed else matrix


def _flip_excitation(matrix: ComplexArray) -> ComplexArray:
    """Change the sign of C_1 and D_1: populations to and from e, q, g coherences."""
    populations = [4 * k + k for k in (E, G, Q, P)]
    coherences = [4 * a + b for a in (E, G, Q) for b in (E, G, Q) if a != b]
    flipped = matrix.copy()
    flipped[np.ix_(populations, coherences)] *= -1.0
    flipped[np.ix_(coherences, populations)] *= -1.0
    return flipped


def _propagate(
    matrix: ComplexArray, state: ComplexArray, duration: float, samples: int
) -> ComplexArray:
    """Exact states at ``samples + 1`` equal times, shape (samples + 1, 16)."""
    step = expm(matrix * (duration / samples))
    powers = np.empty((_BLOCK, 16, 16), dtype=complex)
    powers[0] = step
    for k in range(1, _BLOCK):
        powers[k] = step @ powers[k - 1]
    states = np.empty((samples + 1, 16), dtype=complex)
    states[0] = state
    for start in range(0, samples, _BLOCK):
        stop = min(start + _BLOCK, samples)
        states[start + 1 : stop + 1] = powers[: stop - start] @ states[start]
    return states


def evolve(
    target: Target, lasers: Lasers, switches: Switches, phase_step: float = PHASE_STEP
) -> Evolution:
    """One laser cycle from the ground state, trigger on after its delay.

    The lasers are constant in between, so matrix exponentials propagate the
    state without a step error; sampling only limits where the peak is seen.

    Parameters
    ----------
    target, lasers, switches
        What evolves.
    phase_step : float
        Largest Rabi phase between two samples, rad.

    Raises
    ------
    DomainError
        The trigger would come after the end of the cycle.
    ConvergenceError
        The cycle has more Rabi phase than ``MAX_SAMPLES`` can follow.
    """
    delay = lasers.trigger_delay_lifetimes * lifetime_e_s(target)
    duration = 1e-3 * lasers.cycle_ms - delay
    if not (delay >= 0.0 and 0.0 < duration < np.inf):
        raise DomainError(
            "trigger_delay_lifetimes", lasers.trigger_delay_lifetimes, "within the laser cycle"
        )
    rates = decay_rates(target)
    rabi = rabi_frequencies(target, lasers, switches)
    printed = switches.bloch == "printed"
    phase = duration * max(float(np.hypot.reduce(list(rabi.values()))), *rates.values())
    samples = max(2, ceil(min(phase / phase_step, MAX_SAMPLES + 1)))
    if samples > MAX_SAMPLES:
        raise ConvergenceError("Rabi phase per sample", phase / MAX_SAMPLES, phase_step)
    ground = np.zeros(16, dtype=complex)
    ground[4 * G + G] = 1.0
    excited = expm(generator(rates, rabi | {"pg": 0.0}, printed) * delay) @ ground
    states = _propagate(generator(rates, rabi, printed), excited, duration, samples)
    times = delay + np.linspace(0.0, duration, samples + 1)
    return Evolution(times, states.reshape(-1, 4, 4))


def chi_squared(target: Target, lasers: Lasers, switches: Switches) -> float:
    """Coherence factor ``rho_ee^3 |rho_ep|^2`` of Eqs. (57), (61).

    The study's own number where it gives one; otherwise its mean over the
    cycle, as a generation constant over the cycle needs it. The peak, which
    Fig. 11 shows, is larger by up to two orders (``evolve(...).peak``).

    Raises
    ------
    DomainError, ConvergenceError
        See `evolve`.
    """
    if lasers.chi_squared is not None:
        return lasers.chi_squared
    found = evolve(target, lasers, switches)
    span = found.time_s[-1] - found.time_s[0]
    return float(found.mean * span / (1e-3 * lasers.cycle_ms))
