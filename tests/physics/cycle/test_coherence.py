"""The trigger counted once: driven models, collections of ions, the laser cycle."""

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.linalg import expm
from scipy.sparse.linalg import expm_multiply

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.physics.cycle import bloch
from renp_infer.physics.cycle.coherence import LARGEST, coherence_squared
from renp_infer.physics.cycle.drive import laser_drive
from renp_infer.physics.cycle.lindblad import E, G, P, generator
from renp_infer.physics.targets.target import load_target
from renp_infer.records import Lasers, Switches

LINDBLAD, PRINTED = Switches(bloch="lindblad"), Switches(bloch="printed")
TARGET = load_target("er-ylf")
SHORT = Lasers(0.9, 0.3, 1e-2, cycle_ms=1.0)


# ---- one ion: a laser on p-g cannot speed up e to p + pair ------------------------------


def emission_number(ions, coherence_squared, excited):
    """``N (N - 1) |rho_ep|^2 + N rho_ee``: emission of N ions over that of one in e."""
    return ions * (ions - 1.0) * coherence_squared + ions * excited


def decay_rate(rabi, epsilon, weak=0.05, reach=100.0, step=0.2):
    """Rate at which e is left for p and a pair, p-g driven; units of the width of p.

    The pairs are a band of discrete states with the density E^5 around ``epsilon``; no
    golden rule, no master equation for them. The amplitude of e is followed.
    """
    energy = np.arange(-reach, reach, step) + 0.5 * step
    n = energy.size
    coupling = np.sqrt(weak * step / (2.0 * np.pi) * (1.0 + energy / epsilon) ** 5)
    drive = sp.diags(np.full(n, 0.5 * rabi))
    row = sp.csr_matrix(coupling[None])
    hamiltonian = sp.bmat(
        [
            [sp.csr_matrix((1, 1)), row, sp.csr_matrix((1, n))],
            [row.T, sp.diags(energy - 0.5j), drive],
            [sp.csr_matrix((n, 1)), drive, sp.diags(energy + 0j)],
        ]
    ).tocsr()
    start = np.zeros(2 * n + 1, dtype=complex)
    start[0] = 1.0
    times = {"start": 0.0, "stop": 20.0, "num": 5}  # before the band's 2 pi / step
    survival = np.abs(expm_multiply(-1j * hamiltonian, start, **times)[:, 0]) ** 2
    return np.log(survival[1] / survival[-1]) / 15.0


def test_the_trigger_does_not_speed_up_the_step_before_it():
    epsilon = 2000.0
    free = decay_rate(0.0, epsilon)
    assert free == pytest.approx(0.05, rel=0.01, abs=0.0)
    for rabi in (5.0, 50.0):
        ratio = decay_rate(rabi, epsilon) / free
        # two levels rabi apart see other densities: 10 (rabi/2 eps)^2 of E^5, less what
        # the edges of the band cut off; for an ion (1 eV, 1 MHz) it is 1e-17
        assert ratio - 1.0 == pytest.approx(10.0 * (rabi / (2.0 * epsilon)) ** 2, rel=0.15, abs=0.0)
    # the paper's factor 4 h_r^2, h_r = (Omega/2) / gamma, is 2500 here
    assert ratio == pytest.approx(1.0016, abs=5e-4)


# ---- many ions ------------------------------------------------------------------------


def random_state(rng, levels):
    x = rng.normal(size=(levels, levels)) + 1j * rng.normal(size=(levels, levels))
    rho = x @ x.conj().T
    return rho / np.trace(rho)


@pytest.mark.parametrize(("ions", "levels"), [(1, 4), (2, 4), (3, 4), (4, 3), (6, 2)])
def test_emission_of_a_product_of_states(ions, levels, rng):
    # Tr rho J+ J with J = Sum_a e^{-i P.r_a} |p><e|_a, the lasers' phases in each state
    e, p = 0, levels - 1
    rho = random_state(rng, levels)
    phases = rng.uniform(0.0, 2.0 * np.pi, ions)
    lower = np.zeros((levels, levels), dtype=complex)
    lower[p, e] = 1.0
    total, states = 0.0, []
    for a, phase in enumerate(phases):
        factors = [np.eye(levels)] * ions
        factors[a] = np.exp(-1j * phase) * lower
        total = total + reduce(np.kron, factors)
        turn = np.diag(np.exp(1j * phase * (np.arange(levels) == e)))
        # <e|rho|p> carries e^{i P.r}: <J> adds up with equal phases
        states.append(turn @ rho @ turn.conj().T)
    whole = reduce(np.kron, states)
    expected = np.trace(whole @ total.conj().T @ total).real
    found = emission_number(ions, abs(rho[e, p]) ** 2, rho[e, e].real)
    assert found == pytest.approx(expected, rel=1e-12, abs=0.0)


def test_coherence_has_no_power_of_the_population():
    # the same |rho_ep|^2 with other shares of e: N (N - 1) |rho|^2 does not change
    few, many = (emission_number(1e6, 0.05, share) - 1e6 * share for share in (0.1, 0.9))
    assert few == pytest.approx(many, rel=1e-12, abs=0.0)


# ---- what the trigger does: build rho_ep -----------------------------------------------


def driven(rabi, detuning, time):
    """State with e-g prepared in equal parts, a trigger on p-g, times 1 / gamma_pg."""
    rates = dict.fromkeys(("eg", "eq", "ep", "qg", "qp", "pg"), 0.0) | {"pg": 1.0}
    energy = np.zeros(4)
    energy[P] = -detuning
    free = -1j * np.diag((energy[:, None] - energy).ravel())
    start = np.zeros((4, 4), dtype=complex)
    start[np.ix_([E, G], [E, G])] = 0.5
    matrix = generator(rates, {"pg": rabi}, printed=False) + free
    return (expm(time * matrix) @ start.ravel()).reshape(4, 4)


@pytest.mark.parametrize("detuning", [0.0, 0.7, -3.0])
def test_a_weak_trigger_gives_h_times_the_coherence_of_e_and_g(detuning):
    # rho_pe = rho_ge Omega / (2 (delta - i Gamma)), delta = eps_pg - omega_s as in Eq. (6),
    # H = -Omega/2, Gamma = gamma_pg / 2; the package has H = +Omega/2: at resonance h_r
    rabi = 1e-3
    state = driven(rabi, detuning, 60.0)
    expected = -rabi / (2.0 * (-detuning - 0.5j))
    assert state[P, E] / state[G, E] == pytest.approx(expected, rel=1e-5, abs=0.0)


def test_a_strong_trigger_moves_the_coherence_and_no_more():
    # h = Omega / gamma = 50 would make |rho_ep| 25
    found = [abs(driven(50.0, 0.0, time)[E, P]) for time in np.linspace(0.0, 2.0, 400)]
    assert 0.4 < max(found) <= 0.5


# ---- the laser cycle -------------------------------------------------------------------


def stepped(lasers, ion=0.0, steps=4000):
    """|rho_ep| and states through a cycle, by matrix exponentials of short steps."""
    drive = laser_drive(TARGET, lasers, LINDBLAD)
    rates = dict(zip(("eg", "eq", "ep", "qg", "qp", "pg"), drive.rates, strict=True))
    state = np.zeros(16, dtype=complex)
    state[4 * G + G] = 1.0
    found = []
    for segment in drive.segments:
        rabi = dict(zip(("eq", "qg", "pg"), segment.rabi, strict=True))
        energy = np.asarray(drive.energy) + ion * np.asarray(drive.spread)
        free = -1j * np.diag((energy[:, None] - energy).ravel())
        matrix = generator(rates, rabi, False, drive.dephasing) + free
        count = max(2, round(steps * segment.duration_s / drive.cycle_s))
        half = expm(0.5 * segment.duration_s / count * matrix)
        for _ in range(count):
            state = half @ state
            found.append((segment.duration_s / count, state))
            state = half @ state
    return found


def test_mean_coherence_of_a_cycle():
    found = stepped(SHORT)
    weights, states = np.array([w for w, _ in found]), np.array([s for _, s in found])
    expected = weights @ np.abs(states[:, 4 * E + P]) ** 2 / weights.sum()
    assert coherence_squared(TARGET, SHORT, LINDBLAD) == pytest.approx(expected, rel=1e-4, abs=0.0)
    assert expected > 1e-4


def test_inhomogeneous_ions_emit_together():
    # the mean of rho_ep first, over 200 ions at Gauss-Hermite detunings; then its square
    lasers = replace(SHORT, inhomogeneous_width_kHz=2.0)
    nodes, shares = np.polynomial.hermite_e.hermegauss(40)
    runs = [stepped(lasers, x, 1500) for x in nodes]
    weights = np.array([w for w, _ in runs[0]])
    rho = np.array([[s[4 * E + P] for _, s in run] for run in runs])
    mean = np.abs(shares @ rho / shares.sum()) ** 2
    expected = weights @ mean / weights.sum()
    found = coherence_squared(TARGET, lasers, LINDBLAD)
    assert found == pytest.approx(expected, rel=2.0 * bloch.SPREAD_ERROR, abs=0.0)
    alone = shares @ (np.abs(rho) ** 2 @ weights) / shares.sum() / weights.sum()
    assert alone > 1.05 * found


def test_coherence_is_that_of_a_state():
    found = bloch.evolve(TARGET, SHORT, LINDBLAD, population_power=0)
    pairs = found.rho[:, E, E].real * found.rho[:, P, P].real
    assert np.all(found.chi_squared <= pairs + 1e-12)
    assert found.peak <= LARGEST
    # rho_ep is imaginary at resonance, so its square has no sign to lose
    assert np.max(np.abs(found.rho[:, E, P].real)) < 1e-10


def test_the_older_factor_is_what_it_was():
    older = bloch.evolve(TARGET, SHORT, LINDBLAD)
    newer = bloch.evolve(TARGET, SHORT, LINDBLAD, population_power=0)
    np.testing.assert_array_equal(older.rho, newer.rho)
    expected = newer.chi_squared * older.rho[:, E, E].real ** 3
    np.testing.assert_allclose(older.chi_squared, expected, rtol=1e-14)
    assert bloch.chi_squared(TARGET, SHORT, LINDBLAD) == older.mean


@pytest.mark.parametrize("value", [0.0, 0.01, 0.25])
def test_a_number_is_taken_as_it_is(value):
    lasers = replace(SHORT, chi_squared=value)
    assert coherence_squared(TARGET, lasers, LINDBLAD) == value


@pytest.mark.parametrize("value", [0.2501, -0.1, np.nan])
def test_a_number_that_no_state_has_is_refused(value):
    with pytest.raises(DomainError, match="chi_squared"):
        coherence_squared(TARGET, replace(SHORT, chi_squared=value), LINDBLAD)


def test_too_much_rabi_phase_is_refused():
    wild = replace(SHORT, trigger_mW_cm2=1e9)
    with pytest.raises(ConvergenceError, match="panels"):
        coherence_squared(TARGET, wild, LINDBLAD)
