"""Time and accuracy of a laser cycle, beside QuTiP's mesolve.

``python benchmarks/bloch.py`` prints one table. Both solve the same Lindblad
equations at the same 1008 times; errors are against SciPy's matrix exponential at
some of them. Of mesolve's methods and tolerances the fastest is taken whose error
is no larger than `ACCURACY`, and its default beside it.
"""

from __future__ import annotations

import itertools

import numpy as np
import qutip
from run import Row, machine, once, show, timed
from scipy.linalg import expm

from renp_infer.physics.cycle import bloch
from renp_infer.physics.cycle.drive import LASERS, Drive, laser_drive
from renp_infer.physics.cycle.lindblad import DECAYS, free_generator, generator
from renp_infer.physics.cycle.propagation import NODES, X
from renp_infer.physics.targets.target import load_target
from renp_infer.records import ComplexArray, FloatArray, Lasers, Switches

TARGET = load_target("er-ylf")
LINDBLAD = Switches(bloch="lindblad")
PULSED = Lasers(
    trigger_duration_lifetimes=1.0,
    eq_duration_lifetimes=2.0,
    qg_duration_lifetimes=3.0,
    eq_detuning_kHz=0.5,
    qg_detuning_kHz=-0.3,
    trigger_detuning_kHz=0.2,
    dephasing_per_s=100.0,
)
CASES = {
    "delayed trigger, 10 ms": Lasers(),
    "pulsed, detuned, dephased, 10 ms": PULSED,
    "strong, 10 ms": Lasers(90.0, 30.0, 10.0),
}
PANELS, ACCURACY, TARGET_MS = 84, 1e-9, 2.0
METHODS = ("adams", "bdf", "dop853", "vern9", "diag")
TOLERANCES = (1e-8, 1e-9, 1e-10, 1e-11, 1e-12)
KETS = [qutip.basis(4, k) for k in range(4)]


def shares(drive: Drive) -> list[int]:
    """`PANELS` panels, shared by the segments as their lengths."""
    edges = [round(PANELS * s.start_s / drive.cycle_s) for s in drive.segments] + [PANELS]
    return [max(1, b - a) for a, b in itertools.pairwise(edges)]


def times(drive: Drive, panels: list[int]) -> list[FloatArray]:
    """Nodes of each segment, s from its start."""
    return [
        (s.duration_s / n * (np.arange(n)[:, None] + X)).ravel()
        for s, n in zip(drive.segments, panels, strict=True)
    ]


def system(drive: Drive) -> tuple[list[qutip.Qobj], list[qutip.Qobj]]:
    """Hamiltonian of each segment, and jumps."""
    pairs = [("egqp".index(t[0]), "egqp".index(t[1])) for t in LASERS]
    found = []
    for segment in drive.segments:
        matrix = np.diag(np.array(drive.energy, dtype=complex))
        for (a, b), rabi in zip(pairs, segment.rabi, strict=True):
            matrix[a, b] = matrix[b, a] = 0.5 * rabi
        found.append(qutip.Qobj(matrix))
    decays = zip(DECAYS, drive.rates, strict=True)
    jumps = [g**0.5 * KETS["egqp".index(t[1])] * KETS["egqp".index(t[0])].dag() for t, g in decays]
    return found, jumps + [drive.dephasing**0.5 * ket * ket.dag() for ket in KETS]


def by_mesolve(drive: Drive, panels: list[int], options: Row) -> ComplexArray:
    """States at the nodes of all segments, shape (n, 16)."""
    (hamiltonians, jumps), state, found = system(drive), KETS[1] * KETS[1].dag(), []
    for segment, hamiltonian, inner in zip(
        drive.segments, hamiltonians, times(drive, panels), strict=True
    ):
        grid = np.concatenate([[0.0], inner, [segment.duration_s]])
        states = qutip.mesolve(hamiltonian, state, grid, jumps, options=options).states
        found += [rho.full().ravel() for rho in states[1:-1]]
        state = states[-1]
    return np.array(found)


def error(drive: Drive, panels: list[int], states: ComplexArray, count: int = 12) -> float:
    """Largest error of ``count`` states in each segment."""
    rates, free = (
        dict(zip(DECAYS, drive.rates, strict=True)),
        free_generator(np.array(drive.energy)),
    )
    state, worst, first = np.eye(16)[5], 0.0, 0
    for segment, inner in zip(drive.segments, times(drive, panels), strict=True):
        rabi = dict(zip(LASERS, segment.rabi, strict=True))
        matrix = generator(rates, rabi, False, drive.dephasing) + free
        for k in np.linspace(0, inner.size - 1, count).astype(int):
            exact = expm(matrix * inner[k]) @ state
            worst = max(worst, float(np.abs(states[first + k] - exact).max()))
        state, first = expm(matrix * segment.duration_s) @ state, first + inner.size
    return worst


def fastest_mesolve(drive: Drive, panels: list[int]) -> Row:
    """The quickest method and tolerance that reach `ACCURACY`, and the default."""
    row: Row = {}
    for method, tolerance in itertools.product(METHODS, TOLERANCES):
        options = {"method": method, "progress_bar": "", "store_states": True}
        if method != "diag":
            options |= {"atol": 0.1 * tolerance, "rtol": tolerance, "nsteps": 10**7}
        states, ms = once(lambda o=options: by_mesolve(drive, panels, o))
        if error(drive, panels, states) > ACCURACY:
            continue
        if method == "adams":
            row.setdefault("mesolve default ms", ms)
        if ms < row.get("best ms", np.inf):
            row |= {"best": method, "best ms": ms, "its error": error(drive, panels, states)}
        if method == "diag":
            break
    return row


def laser_cycles() -> list[Row]:
    """States of a laser cycle; target 2 ms for 1000 points."""
    rows = []
    for name, lasers in CASES.items():
        drive = laser_drive(TARGET, lasers, LINDBLAD)
        panels = shares(drive)
        states, ms, runs = timed(lambda d=drive, p=panels: d.states(p))
        row = {"cycle": name, "points": NODES * sum(panels), "ms": ms, "runs": runs}
        row |= {"in time": ms <= TARGET_MS, "error": error(drive, panels, states)}
        row |= fastest_mesolve(drive, panels)
        row["ratio"] = row["best ms"] / ms
        whole, ms, _ = timed(lambda d=drive: bloch._solve.__wrapped__(d, d.cycle_s / 256))
        rows.append(row | {"as studies, points": len(whole.time_s), "as studies, ms": ms})
    return rows


def main() -> None:
    """Print the table."""
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    print(f"qutip {qutip.__version__}; mesolve no worse than {ACCURACY:g}")
    show(laser_cycles.__doc__ or "", laser_cycles())


if __name__ == "__main__":
    main()
