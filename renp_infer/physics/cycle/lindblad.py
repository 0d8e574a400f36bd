"""Generators of the four-level optical Bloch equations, appendix.

Levels e, q, p, g in the frame that rotates with the lasers; these couple e-q,
q-g and, as the trigger, p-g. Two generators, by ``Switches.bloch``:

``lindblad``
    H = +(1/2) Sum Omega_ab (|a><b| + h.c.), jumps sqrt(gamma_ab) |b><a|,
    Omega_ab = sqrt(3 pi gamma_ab / eps_ab^3) sqrt(I).
``printed``
    the matrix (A5)-(A12) with its overall sign of C_1, D_1, Eq. (A9), and the
    Rabi frequencies (A13), Omega = 2 pi nu, which Fig. 12 was made with. It
    keeps the trace but not positivity: the state gets an eigenvalue of -0.35 at
    the settings of Fig. 12.

Both take level energies (detunings) and pure dephasing, which the paper has not.
A width given by ``Target.gamma_ep_per_s`` acts in h_r alone, not here.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np

from renp_infer.errors import DomainError
from renp_infer.physics.targets.matrix_elements import rabi_per_s
from renp_infer.records import ComplexArray, FloatArray, Lasers, Switches
from renp_infer.target import Target

E, G, Q, P = range(4)
LEVELS = {"e": E, "g": G, "q": Q, "p": P}
DECAYS = ("eg", "eq", "ep", "qg", "qp", "pg")


def decay_rates(target: Target) -> dict[str, float]:
    """Radiative rates (magnetic plus electric) of the six decays, 1/s."""
    md, ed = target.md_rates_per_s, target.ed_rates_per_s
    return {name: md.get(name, 0.0) + ed.get(name, 0.0) for name in DECAYS}


def all_decay_rates(target: Target) -> dict[str, float]:
    """Rates of the six decays with what quenching by concentration adds, 1/s.

    Each excited level loses ``(n / n_q)^2`` of its radiative rate more, straight to g: pairs
    of ions share the energy, and diffusion among them is slower than that.
    """
    rates = decay_rates(target)
    if target.quenching_density_per_cm3 is None:
        return rates
    share = (target.density_per_cm3 / target.quenching_density_per_cm3) ** 2
    more = {f"{a}g": sum(r for n, r in rates.items() if n[0] == a) for a in "eqp"}
    return {name: rate + share * more.get(name, 0.0) for name, rate in rates.items()}


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
    return {name: rabi_per_s(rates[name], energy[name], value) for name, value in intensity.items()}


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


def generator(
    rates: dict[str, float], rabi: dict[str, float], printed: bool, dephasing: float = 0.0
) -> ComplexArray:
    """Matrix of d rho/dt, shape (16, 16), 1/s, acting on row-major rho.

    Parameters
    ----------
    rates : dict
        The six decay rates, 1/s.
    rabi : dict
        Angular Rabi frequencies by transition ("eq", "qg", "pg"), 1/s.
    printed : bool
        Whether C_1 and D_1 take the sign printed in Eq. (A9).
    dephasing : float
        What every coherence loses beyond the decays, 1/s: jumps
        sqrt(dephasing) |a><a| of all four levels.
    """
    hamiltonian = np.zeros((4, 4))
    for name, omega in rabi.items():
        a, b = LEVELS[name[0]], LEVELS[name[1]]
        hamiltonian[a, b] = hamiltonian[b, a] = 0.5 * omega
    matrix, loss = _commutator(hamiltonian), np.full(4, float(dephasing))
    for name, rate in rates.items():
        a, b = LEVELS[name[0]], LEVELS[name[1]]
        matrix[5 * b, 5 * a] += rate
        loss[a] += rate
    decay = 0.5 * (loss[:, None] + loss) - dephasing * np.eye(4)
    matrix[range(16), range(16)] -= decay.ravel()
    return _flip_excitation(matrix) if printed else matrix


def free_generator(energy: FloatArray) -> ComplexArray:
    """What level energies add to the generator, shape (16, 16), 1/s.

    Parameters
    ----------
    energy : ndarray, shape (4,)
        Energies of e, g, q, p in the rotating frame, rad/s: each laser's lie
        lower by its detuning (laser minus transition).
    """
    return _commutator(np.diag(energy))


def _commutator(hamiltonian: FloatArray) -> ComplexArray:
    """-i [H, rho] for a real symmetric H."""
    one = np.eye(4)  # of rho_ab by rho_cd
    left = hamiltonian[:, None, :, None] * one[None, :, None, :]
    right = one[:, None, :, None] * hamiltonian[None, :, None, :]
    matrix: ComplexArray = np.asarray(-1j * (left - right), dtype=complex)
    return matrix.reshape(16, 16)


def _flip_excitation(matrix: ComplexArray) -> ComplexArray:
    """Change the sign of C_1 and D_1: populations to and from e, q, g coherences."""
    populations = [4 * k + k for k in (E, G, Q, P)]
    coherences = [4 * a + b for a in (E, G, Q) for b in (E, G, Q) if a != b]
    flipped = matrix.copy()
    flipped[np.ix_(populations, coherences)] *= -1.0
    flipped[np.ix_(coherences, populations)] *= -1.0
    return flipped
