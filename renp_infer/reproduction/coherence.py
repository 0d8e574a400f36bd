"""Rows about the optical Bloch equations, Figs. 10 to 12 and the Appendix.

The only module of the ledger that calls ``physics.cycle.bloch``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import pi, sqrt

import numpy as np

from renp_infer.physics.constants import MW_PER_CM2_TO_EV4
from renp_infer.physics.cycle import bloch, lindblad
from renp_infer.records import ComplexArray, FloatArray, Lasers
from renp_infer.reproduction.conventions import compared, same
from renp_infer.reproduction.paper import READINGS, Paper, Reading
from renp_infer.reproduction.verdict import Recomputed

_PEAK = "test_bloch.py::test_peak_of_fig_11_with_the_published_settings"
_PHASES = "test_bloch.py::test_phases_at_resonance"
_RABI = "test_lindblad.py::test_rabi_frequencies"
_STEADY = "test_lindblad.py::test_ladder_steady_state_of_eq_a1"
_STEP_S = 4e-6
"""Length of 12 samples of the cycle, s: they follow the fifth power of its phase."""
_STRONG = 1e7
"""Rabi frequency of the steady states, 1/s: far above every decay rate."""


@dataclass(frozen=True)
class Cycle:
    """One cycle at the settings of Fig. 12, from the switch-on of the trigger.

    Attributes
    ----------
    lifetimes : ndarray, shape (n,)
        Time in lifetimes of e.
    rho_ee, rho_eg, rho_ep : ndarray, shape (n,)
        Population, and the coherences (complex).
    generation : ndarray, shape (n,)
        rho_ee^3 |rho_ep|^2.
    peak, mean, smallest : float
        Largest generation, its mean over the whole cycle, and the smallest
        eigenvalue of the state.
    """

    lifetimes: FloatArray
    rho_ee: FloatArray
    rho_eg: ComplexArray
    rho_ep: ComplexArray
    generation: FloatArray
    peak: float
    mean: float
    smallest: float

    @property
    def accumulated(self) -> FloatArray:
        """Integral of the generation over lifetimes, shape (n,)."""
        steps = 0.5 * (self.generation[1:] + self.generation[:-1]) * np.diff(self.lifetimes)
        return np.concatenate([[0.0], np.cumsum(steps)])


@cache
def cycle(reading: Reading) -> Cycle:
    """The cycle of Figs. 11 and 12 with the paper's ion, calculated once."""
    paper = Paper()
    target, switches = paper.target, paper.switches(reading)
    found = bloch.evolve(target, Lasers(), switches, _STEP_S)
    on_s = Lasers().trigger_delay_lifetimes * lindblad.lifetime_e_s(target)
    lit = found.time_s >= on_s
    rho = found.rho[lit]
    return Cycle(
        lifetimes=found.time_s[lit] / lindblad.lifetime_e_s(target),
        rho_ee=rho[:, lindblad.E, lindblad.E].real,
        rho_eg=rho[:, lindblad.E, lindblad.G],
        rho_ep=rho[:, lindblad.E, lindblad.P],
        generation=found.chi_squared[lit],
        peak=found.peak,
        mean=found.mean,
        smallest=replace(found, rho=rho).smallest_eigenvalue,
    )


def steady(rates: dict[str, float], rabi: dict[str, float], printed: bool) -> ComplexArray:
    """Steady state of a generator, shape (4, 4): its null vector."""
    matrix = lindblad.generator(rates, rabi, printed)
    vector = np.linalg.svd(matrix)[2][-1].conj().reshape(4, 4)
    state: ComplexArray = vector / np.trace(vector)
    return state


def steady_rows(paper: Paper) -> list[Recomputed]:
    """Steady states (A1), (A2)."""
    rates = lindblad.decay_rates(paper.target)
    ladder = rates | {"ep": 0.0, "qp": 0.0}
    closed = rates | {"eq": 0.0, "ep": 0.0}
    drive, vee = {"eq": _STRONG, "qg": _STRONG}, {"eg": _STRONG, "pg": _STRONG}
    three, four = (steady(r, drive, False) for r in (ladder, rates))
    v_three, v_four = (steady(r, vee, False) for r in (closed, rates))
    e, g, q, p = lindblad.E, lindblad.G, lindblad.Q, lindblad.P
    populations = tuple(
        tuple(float(state[k, k].real) for k in (e, g, q)) for state in (three, four)
    )
    why = "holds only if q decays much faster than e; with the rates of Table I it does not"
    return [
        Recomputed(
            "a1-coherence", float(abs(three[e, g])), float(abs(four[e, g])), why, _STEADY,
            "not reproducible",
        ),
        compared("a1-populations", populations, why, _STEADY, "not reproducible"),
        Recomputed(
            "a2-coherence", float(abs(v_three[e, p])), float(abs(v_four[e, p])),
            "closed three-level V; corrected: all decays of Table I",
            "test_ledger.py::test_closed_v_has_the_steady_state_of_eq_a2",
        ),
    ]  # fmt: skip


def matrix_rows(paper: Paper) -> list[Recomputed]:
    """Sign of C_1 and D_1, Eq. (A9)."""
    printed, lindblad = (cycle(reading).smallest for reading in READINGS)
    sign = 1.0 if printed > -1e-6 else -1.0
    why = f"as printed the state gets an eigenvalue of {printed:.2f}; flipped, {lindblad:.1g}"
    test = "test_lindblad.py::test_generator_is_the_printed_matrix"
    return [same_judged("a9-sign", sign, why, test)]


def same_judged(name: str, value: float, why: str, test: str) -> Recomputed:
    """A misprint that no switch of its own corrects."""
    return Recomputed(name, value, value, why, test, "misprint")


def rabi_rows(paper: Paper) -> list[Recomputed]:
    """Rabi frequencies, Eq. (A13), with the printed and the right root of the intensity."""
    target = paper.target
    reference = target.printed["reference_intensity_mW_cm2"]
    lasers = Lasers(*(3 * (reference,)))
    rabi = lindblad.rabi_frequencies(target, lasers, paper.switches("corrected"))
    rates = lindblad.decay_rates(target)
    root = sqrt(reference * MW_PER_CM2_TO_EV4)
    slip = round(paper.number("a13-sqrt-I") / root)
    khz = {name: value / (2e3 * pi) for name, value in rabi.items()}
    ratios = tuple(1e-4 * rabi[name] / rates[name] for name in ("pg", "qg", "eq"))
    tenfold = f"with the printed root of I, {slip} times too high"
    why = tenfold + "; contradicts Omega / gamma in the next line, which does follow"
    return [
        Recomputed(
            "a13-sqrt-I", root, root, "sqrt of 1.60e-8 eV^4: ten times less",
            "test_constants.py::test_intensity_of_ten_milliwatts", "misprint",
        ),
        Recomputed("a13-pg", slip * khz["pg"], khz["pg"], tenfold, _RABI),
        Recomputed("a13-qg", slip * khz["qg"], khz["qg"], why, _RABI, "misprint"),
        Recomputed("a13-eq", slip * khz["eq"], khz["eq"], why, _RABI, "misprint"),
        Recomputed("a13-ratios", tuple(slip * r for r in ratios), ratios, tenfold, _RABI),
        same(
            "a13-lifetime", 1e3 * lindblad.lifetime_e_s(target), "e-g, e-q and e-p",
            "test_lindblad.py::test_rates_and_lifetime_of_table_i",
        ),
    ]  # fmt: skip


def cycle_rows(paper: Paper) -> list[Recomputed]:
    """Figs. 11 and 12."""
    cycles = [cycle(reading) for reading in READINGS]
    half = [c.accumulated[len(c.accumulated) // 2] for c in cycles]
    growth = [float(c.accumulated[-1] / h) for c, h in zip(cycles, half, strict=True)]
    per_second = [c.mean / c.peak for c in cycles]
    real = [float(np.ptp(c.rho_eg.imag) / np.ptp(c.rho_eg.real)) for c in cycles]
    imaginary = [float(np.ptp(c.rho_ep.real) / np.ptp(c.rho_ep.imag)) for c in cycles]
    transfer = [float(abs(c.rho_eg[0]) / np.mean(np.abs(c.rho_eg))) for c in cycles]
    lasers = Lasers()
    strongest = max(lasers.eq_mW_cm2, lasers.qg_mW_cm2)
    rate = "a rate per second takes no cycles per second; it is the mean of a cycle over its peak"
    power = "true of the trigger; the excitation lasers have 3 and 9 mW/cm^2"
    return [
        compared("fig11-chi", [c.peak for c in cycles], "peak of the cycle", _PEAK),
        same("fig11-first", lasers.trigger_delay_lifetimes, "an input", _PEAK),
        compared("fig11-accumulated", growth, "without spin relaxation", _PEAK),
        compared(
            "fig11-cycles", per_second, rate + " is below its peak", _PEAK, "not reproducible"
        ),
        same(
            "fig12-lasers",
            (lasers.qg_mW_cm2, lasers.eq_mW_cm2, lasers.trigger_mW_cm2),
            "an input",
            _PEAK,
        ),
        same_judged("fig12-intensities", strongest, power, _PEAK),
        compared("fig12-real", real, "exactly real at resonance", _PHASES),
        compared("fig12-imaginary", imaginary, "exactly imaginary at resonance", _PHASES),
        compared("fig12-transfer", transfer, "before the trigger over its mean after", _PHASES),
    ]
