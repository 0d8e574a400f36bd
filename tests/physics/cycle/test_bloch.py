"""The laser cycle against QuTiP, published figures and conservation laws."""

from dataclasses import replace

import numpy as np
import pytest
import qutip
from scipy.linalg import expm

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.physics.cycle import bloch, drive, lindblad
from renp_infer.physics.cycle.drive import Drive, laser_drive
from renp_infer.physics.cycle.lindblad import decay_rates, lifetime_e_s, rabi_frequencies
from renp_infer.physics.cycle.propagation import NODES, X
from renp_infer.physics.targets.target import load_target
from renp_infer.records import Lasers, Switches

PRINTED, LINDBLAD = Switches(bloch="printed"), Switches(bloch="lindblad")
TARGET = load_target("er-ylf")
KHZ = 2e3 * np.pi
STATE = {name: qutip.basis(4, k) for k, name in enumerate("egqp")}
SHORT = Lasers(0.9, 0.3, 1e-2, cycle_ms=1.0)
PULSED = replace(
    SHORT,
    trigger_delay_lifetimes=0.1,
    trigger_duration_lifetimes=0.25,
    eq_duration_lifetimes=0.3,
    qg_duration_lifetimes=0.2,
)
DETUNED = replace(PULSED, eq_detuning_kHz=1.3, qg_detuning_kHz=-0.7, trigger_detuning_kHz=0.4)
CYCLES = {
    "delay": SHORT,
    "pulsed": PULSED,
    "detuned": DETUNED,
    "dephased": replace(DETUNED, dephasing_per_s=900.0),
}


def projector(a, b):
    return STATE[a] * STATE[b].dag()


def jumps(lasers):
    """Decays and, twice the rate on each level, pure dephasing."""
    decays = [np.sqrt(g) * projector(t[1], t[0]) for t, g in decay_rates(TARGET).items()]
    return decays + [np.sqrt(lasers.dephasing_per_s) * projector(k, k) for k in "egqp"]


def switched(lasers):
    """Transition, Rabi frequency, detuning (1/s), switch-on and switch-off (s)."""
    rabi, life = rabi_frequencies(TARGET, lasers, LINDBLAD), lifetime_e_s(TARGET)
    end, on = 1e-3 * lasers.cycle_ms, lasers.trigger_delay_lifetimes * life
    off = [
        end if duration is None else start + duration * life
        for start, duration in (
            (0.0, lasers.eq_duration_lifetimes),
            (0.0, lasers.qg_duration_lifetimes),
            (on, lasers.trigger_duration_lifetimes),
        )
    ]
    detuning = (lasers.eq_detuning_kHz, lasers.qg_detuning_kHz, lasers.trigger_detuning_kHz)
    rows = zip(("eq", "qg", "pg"), detuning, (0.0, 0.0, on), off, strict=True)
    return [(t, rabi[t], KHZ * d, a, b) for t, d, a, b in rows]


def interaction_picture(lasers):
    """H(t) of QuTiP with the detunings as oscillating couplings, and the edges."""
    terms, edges = [], {0.0, 1e-3 * lasers.cycle_ms}
    for name, rabi, detuning, on, off in switched(lasers):
        up, edges = projector(*name), edges | {on, off}

        def rise(t, args=None, *, rabi=rabi, detuning=detuning, on=on, off=off, sign=-1j):
            return 0.5 * rabi * (on <= t < off) * np.exp(sign * detuning * t)

        def fall(t, args=None, *, rise=rise):
            return np.conj(rise(t))

        terms += [[up, rise], [up.dag(), fall]]
    return qutip.QobjEvo(terms), sorted(edges)


def by_qutip(lasers, times):
    """States at ``times`` by mesolve, restarted where a laser is switched."""
    hamiltonian, edges = interaction_picture(lasers)
    options = {"method": "dop853", "atol": 1e-13, "rtol": 1e-11, "nsteps": 10**6}
    state, found = STATE["g"] * STATE["g"].dag(), []
    for low, high in zip(edges, edges[1:], strict=False):
        inner = times[(times > low) & (times < high)]
        # an edge belongs to the segment after it: end just before
        grid = np.concatenate([[low], inner, [np.nextafter(high, 0.0)]])
        solved = qutip.mesolve(hamiltonian, state, grid, jumps(lasers), options=options)
        found += [rho.full() for rho in solved.states[1:-1]]
        state = solved.states[-1]
    return np.array(found)


@pytest.mark.parametrize("name", CYCLES)
def test_every_state_is_qutip_s(name):
    lasers = CYCLES[name]
    found = bloch.evolve(TARGET, lasers, LINDBLAD)
    chosen = slice(None, None, 37)
    times = found.time_s[chosen]
    expected = by_qutip(lasers, times)
    # back from the frame of the lasers: |a><b| turns with the sum of detunings between
    energy = np.array(laser_drive(TARGET, lasers, LINDBLAD).energy)
    turn = np.exp(1j * times[:, None, None] * (energy[:, None] - energy))
    np.testing.assert_allclose(found.rho[chosen] * turn, expected, atol=1e-9)
    assert found.chi_squared.max() > 1e-6


def spread_state(lasers, shift, time_s):
    """One ion's state by QuTiP's Liouvillian and a matrix exponential."""
    energy = shift * np.array([1.0, 0.0, TARGET.omega_1, TARGET.omega_s])
    energy[2:] /= TARGET.omega_1 + TARGET.omega_2
    hamiltonian = qutip.Qobj(np.diag(energy))
    rho = (STATE["g"] * STATE["g"].dag()).full().ravel(order="F")
    edges = sorted({0.0, time_s} | {t for row in switched(lasers) for t in row[3:] if t < time_s})
    for low, high in zip(edges, edges[1:], strict=False):
        now = hamiltonian
        for name, rabi, _, on, off in switched(lasers):
            if on <= low < off:
                now = now + 0.5 * rabi * (projector(*name) + projector(*name).dag())
        rho = expm((high - low) * qutip.liouvillian(now, jumps(lasers)).full()) @ rho
    return rho.reshape(4, 4, order="F")


def test_inhomogeneous_width_is_the_mean_over_ions():
    lasers = replace(PULSED, inhomogeneous_width_kHz=2.0)
    found = bloch.evolve(TARGET, lasers, LINDBLAD)
    assert 0.0 < found.spread_error < bloch.SPREAD_ERROR
    sigma = KHZ * 2.0 / np.sqrt(8.0 * np.log(2.0))
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    for k in (len(found.time_s) // 3, -1):
        states = [spread_state(lasers, sigma * x, found.time_s[k]) for x in nodes]
        mean = np.tensordot(weights / weights.sum(), states, axes=1)
        np.testing.assert_allclose(found.rho[k], mean, atol=1e-6)
    narrow = bloch.evolve(TARGET, PULSED, LINDBLAD)
    assert np.abs(found.rho - narrow.rho[: len(found.rho)]).max() > 1e-2


def test_free_decay_of_a_spread_coherence():
    """Lasers off: |rho_ep| falls as a Gaussian of the e-p spread, and with the decays."""
    lasers = replace(
        PULSED,
        trigger_delay_lifetimes=0.0,
        trigger_duration_lifetimes=0.01,
        eq_duration_lifetimes=0.01,
        qg_duration_lifetimes=0.01,
        inhomogeneous_width_kHz=1.0,
    )
    lasers = replace(lasers, eq_mW_cm2=9.0, qg_mW_cm2=9.0, trigger_mW_cm2=9.0)
    found = bloch.evolve(TARGET, lasers, LINDBLAD)
    share = TARGET.epsilon_ep / (TARGET.omega_1 + TARGET.omega_2)
    sigma = KHZ / np.sqrt(8.0 * np.log(2.0)) * share
    rates = decay_rates(TARGET)
    width = 0.5 * (rates["eg"] + rates["eq"] + rates["ep"] + rates["pg"])
    dark = found.time_s > 0.011 * lifetime_e_s(TARGET)
    time, size = found.time_s[dark], np.abs(found.rho[dark, 0, 3])
    assert size[0] > 1e-3
    # the lasers' 17 us are not short beside 1 / sigma: the Gaussian starts at a fitted time
    slope = np.gradient(np.log(size) + width * time, time)
    fit = np.polyfit(time[5:-5], slope[5:-5], 1)
    assert fit[0] == pytest.approx(-(sigma**2), rel=0.02)


@pytest.mark.parametrize(
    ("switches", "lasers"), [(PRINTED, Lasers()), (LINDBLAD, Lasers(200.0, 70.0, 1.0))]
)
def test_a_wide_spread_needs_no_finer_panels(monkeypatch, switches, lasers):
    monkeypatch.setattr(bloch, "LEAST_PANELS", 1)
    lasers = replace(lasers, trigger_delay_lifetimes=0.05, inhomogeneous_width_kHz=150.0)
    coarse = bloch.evolve(TARGET, replace(lasers, cycle_ms=0.3), switches)
    monkeypatch.setattr(drive, "RESOLVED", 12.0)
    fine = bloch.evolve(TARGET, replace(lasers, cycle_ms=0.3 + 1e-12), switches)
    assert len(fine.time_s) > 2 * len(coarse.time_s)
    assert coarse.peak == pytest.approx(fine.peak, rel=2e-5)
    assert coarse.mean == pytest.approx(fine.mean, rel=1e-5)


@pytest.mark.parametrize("dephasing", [1e6, 1e8])
@pytest.mark.parametrize("duration", [None, 0.1])
def test_fast_dephasing_needs_no_finer_panels(monkeypatch, dephasing, duration):
    lasers = Lasers(dephasing_per_s=dephasing, trigger_duration_lifetimes=duration)
    coarse = bloch.evolve(TARGET, lasers, LINDBLAD)
    monkeypatch.setattr(drive, "RESOLVED", 30.0)
    fine = bloch.evolve(TARGET, replace(lasers, cycle_ms=10.0 + 1e-9), LINDBLAD)
    assert len(fine.time_s) > 5 * len(coarse.time_s)
    assert coarse.mean == pytest.approx(fine.mean, rel=1.2e-4, abs=0)


def test_peak_of_fig_11_with_the_published_settings():
    found = bloch.evolve(TARGET, Lasers(), PRINTED)
    assert found.peak == pytest.approx(9.3e-3, rel=0.02)
    assert found.peak_time_s / lifetime_e_s(TARGET) == pytest.approx(0.31, abs=0.01)
    assert found.mean < 0.1 * found.peak
    assert bloch.chi_squared(TARGET, Lasers(), PRINTED) == found.mean


def test_peak_with_the_sign_of_c_1_flipped(monkeypatch):
    monkeypatch.setattr(lindblad, "_flip_excitation", lambda matrix: matrix)
    lasers = Lasers(cycle_ms=10.0 + 1e-9)  # not the evolution that is kept
    assert bloch.evolve(TARGET, lasers, PRINTED).peak == pytest.approx(0.040, rel=0.03)


def test_nothing_is_generated_before_the_trigger():
    found = bloch.evolve(TARGET, Lasers(), LINDBLAD)
    before = found.time_s < 0.2 * lifetime_e_s(TARGET)
    assert before.sum() > NODES
    assert found.chi_squared[before].max() == 0.0
    uniform = np.linspace(0.0, found.cycle_s, 400_001)
    values = np.interp(uniform, found.time_s, found.chi_squared)
    assert found.mean == pytest.approx(np.trapezoid(values, uniform) / found.cycle_s, rel=1e-2)


def test_a_fixed_number_wins():
    assert bloch.chi_squared(TARGET, Lasers(chi_squared=0.123), PRINTED) == 0.123


@pytest.mark.parametrize("switches", [PRINTED, LINDBLAD])
def test_nothing_depends_on_the_panels(switches):
    found = bloch.evolve(TARGET, Lasers(), switches)
    fine = bloch.evolve(TARGET, Lasers(), switches, longest_s=2e-6)
    assert len(fine.time_s) > 5 * len(found.time_s)
    assert found.mean == pytest.approx(fine.mean, rel=1e-11)
    assert found.peak == pytest.approx(fine.peak, rel=2e-5)
    np.testing.assert_allclose(found.rho[-1], fine.rho[-1], atol=1e-2)


def test_invariants_are_measured_not_repaired():
    printed = bloch.evolve(TARGET, Lasers(), PRINTED)
    derived = bloch.evolve(TARGET, Lasers(), LINDBLAD)
    for found in (printed, derived):
        assert found.trace_error < 1e-12
        assert found.hermiticity_error < 1e-12
    assert printed.smallest_eigenvalue == pytest.approx(-0.35, abs=0.005)
    assert derived.smallest_eigenvalue > -1e-12
    broken = replace(derived, rho=derived.rho + 0.01 * np.triu(np.ones((4, 4)), 1))
    assert broken.hermiticity_error == pytest.approx(0.01)
    assert replace(derived, rho=1.1 * derived.rho).trace_error == pytest.approx(0.1)


@pytest.mark.parametrize("switches", [PRINTED, LINDBLAD])
def test_phases_at_resonance(switches):
    rho = bloch.evolve(TARGET, Lasers(), switches).rho
    scale = np.abs(rho[:, 0, 3]).max()
    assert scale > 0.01
    assert np.abs(rho[:, 0, 3].real).max() < 1e-12
    assert np.abs(rho[:, 0, 1].imag).max() < 1e-12


@pytest.mark.parametrize("width", [0.0, 0.2])
@pytest.mark.parametrize("switches", [PRINTED, LINDBLAD])
def test_a_periodic_cycle_is_what_many_cycles_come_to(switches, width):
    lasers = replace(PULSED, cycle_start="periodic", cycle_ms=10.0, inhomogeneous_width_kHz=width)
    found = bloch.evolve(TARGET, lasers, switches)
    assert found.trace_error < 1e-10
    drive = replace(laser_drive(TARGET, lasers, switches), periodic=False)
    matrices = drive._generators(0.0)
    cycle = np.eye(16)
    for segment, matrix in zip(drive.segments, matrices, strict=True):
        cycle = expm(segment.duration_s * matrix) @ cycle
    state = np.linalg.matrix_power(cycle, 2000)[:, 5]
    states = laser_drive(TARGET, lasers, switches).states([2] * len(drive.segments))
    first = expm(matrices[0] * drive.segments[0].duration_s / 2 * X[0]) @ state
    np.testing.assert_allclose(states[0], first, atol=1e-10)
    ground = bloch.evolve(TARGET, replace(lasers, cycle_start="ground"), switches)
    assert found.rho[0, 1, 1].real < 0.99 < ground.rho[0, 1, 1].real


@pytest.mark.parametrize(
    ("switches", "means"), [(PRINTED, (1.9e-4, 2.2e-8)), (LINDBLAD, (1.2e-5, 9e-10))]
)
def test_lasers_that_stay_on_leave_little_to_excite(switches, means):
    """The figures of docs/theory.md."""
    found = [
        bloch.evolve(TARGET, Lasers(cycle_start=start), switches).mean
        for start in ("ground", "periodic")
    ]
    assert found == pytest.approx(means, rel=0.04)


def test_what_the_next_cycle_takes_back():
    dark = replace(SHORT, cycle_ms=3e3, eq_duration_lifetimes=0.1, qg_duration_lifetimes=0.1)
    dark = replace(dark, trigger_duration_lifetimes=0.1)  # the slowest level, q, decays at 8.8 /s
    assert bloch.evolve(TARGET, dark, LINDBLAD).excited_at_end < 1e-6
    assert bloch.evolve(TARGET, SHORT, LINDBLAD).excited_at_end > 0.1


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"qg_mW_cm2": -1.0}, "intensity of the qg laser"),
        ({"trigger_delay_lifetimes": 6.0}, "trigger_delay_lifetimes"),
        ({"trigger_duration_lifetimes": 0.0}, "trigger_duration_lifetimes"),
        ({"trigger_duration_lifetimes": 5.8}, "trigger_duration_lifetimes"),
        ({"eq_duration_lifetimes": 6.0}, "eq_duration_lifetimes"),
        ({"qg_duration_lifetimes": -1.0}, "qg_duration_lifetimes"),
        ({"dephasing_per_s": -1.0}, "dephasing_per_s"),
        ({"inhomogeneous_width_kHz": np.inf}, "inhomogeneous_width_kHz"),
    ],
)
def test_refusals(change, name):
    with pytest.raises(DomainError, match=name):
        bloch.chi_squared(TARGET, Lasers(**change), PRINTED)


def test_a_target_without_the_printed_rabi_frequencies_is_refused():
    with pytest.raises(DomainError, match="rabi_eq_kHz"):
        bloch.chi_squared(replace(TARGET, printed={}), Lasers(), PRINTED)


def test_too_much_work_is_refused(monkeypatch):
    with pytest.raises(ConvergenceError, match="panels of a laser cycle"):
        bloch.chi_squared(TARGET, Lasers(eq_mW_cm2=1e12), LINDBLAD)
    monkeypatch.setattr(bloch, "MAX_WORK", 10_000)
    with pytest.raises(ConvergenceError, match="average over detunings"):
        bloch.chi_squared(TARGET, Lasers(inhomogeneous_width_kHz=3.0), LINDBLAD)


def test_equal_questions_are_answered_once(monkeypatch):
    lasers = replace(SHORT, eq_mW_cm2=0.77)
    calls = []
    states = Drive.states
    monkeypatch.setattr(Drive, "states", lambda *a: calls.append(1) or states(*a))
    first = bloch.evolve(TARGET, lasers, LINDBLAD)
    assert bloch.evolve(TARGET, replace(lasers), LINDBLAD) is first
    assert len(calls) == 1
    with pytest.raises(ValueError, match="read-only"):
        first.rho[0, 0, 0] = 1.0
