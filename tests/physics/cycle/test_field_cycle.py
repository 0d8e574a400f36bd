"""The periodic field against closed limits and brute-force stepping over many cycles."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.physics.cycle.bloch import LEAST_PANELS, Evolution, evolve
from renp_infer.physics.cycle.field_cycle import FieldCycle, bloch_cycle, field_cycle
from renp_infer.physics.cycle.lindblad import (
    decay_rates,
    generator,
    lifetime_e_s,
    rabi_frequencies,
)
from renp_infer.physics.cycle.propagation import X
from renp_infer.physics.pairs.kinematics import phase_matched
from renp_infer.physics.signal.magnetization import cycle_time_s, signal_factor
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Detector, Experiment, Lasers, Layout, Switches

TARGET = load_target("er-ylf")
LINDBLAD = Switches(bloch="lindblad")
CYCLE_S = 10e-3


def made_up(chi2, panels=LEAST_PANELS, cycle_s=CYCLE_S):
    """An evolution with a given coherence factor: rho_ee = 1, rho_ep its root."""
    start = cycle_s / panels * np.arange(panels)
    span = np.full(panels, cycle_s / panels)
    time = (start[:, None] + span[:, None] * X).ravel()
    rho = np.zeros((time.size, 4, 4), dtype=complex)
    rho[:, 0, 0] = 1.0
    rho[:, 0, 3] = np.sqrt(chi2(time))
    return Evolution(start, span, rho)


@pytest.mark.parametrize("relaxation_s", [1e-4, 5e-3, 3.0])
@pytest.mark.parametrize("order", [1, 3])
def test_one_harmonic_is_a_low_pass(relaxation_s, order):
    omega = 2 * np.pi * order / CYCLE_S
    evolution = made_up(lambda t: 0.3 + 0.2 * np.cos(omega * t))
    found = field_cycle(evolution, relaxation_s)
    swing = 0.2 / np.hypot(1.0 / relaxation_s, omega)
    peak = 0.3 * relaxation_s + swing
    assert found.chi_squared == pytest.approx(0.3)
    assert found.peak_s == pytest.approx(peak / 0.3, rel=1e-6)
    delay = np.arctan(omega * relaxation_s) / omega
    # the top of the first period or of any other
    away = (found.peak_time_s - delay) * order / CYCLE_S
    assert away == pytest.approx(round(away), abs=2e-4 * order)
    expected = np.zeros(found.amplitudes.size)
    expected[order - 1] = swing / peak
    np.testing.assert_allclose(found.amplitudes, expected, atol=1e-10)
    assert found.power == pytest.approx((swing / peak) ** 2, rel=1e-8)


def stepped_field(lasers, switches, relaxation_s, cycles, steps):
    """db/dt = |chi|^2 - b / T1 from b = 0 in equal small steps; the last cycle.

    The state is stepped by matrix exponentials, the field by the midpoint rule of
    its source and exact decay.
    """
    rabi, rates = rabi_frequencies(TARGET, lasers, switches), decay_rates(TARGET)
    dt = 1e-3 * lasers.cycle_ms / steps
    on = round(lasers.trigger_delay_lifetimes * lifetime_e_s(TARGET) / dt)
    dark = expm(dt * generator(rates, rabi | {"pg": 0.0}, switches.bloch == "printed"))
    lit = expm(dt * generator(rates, rabi, switches.bloch == "printed"))
    rho = np.zeros(16, dtype=complex)
    rho[5] = 1.0
    source = np.empty(steps + 1)
    for k in range(steps + 1):
        source[k] = rho[0].real ** 3 * abs(rho[3]) ** 2
        rho = (dark if k < on else lit) @ rho
    middle, decay = 0.5 * (source[1:] + source[:-1]), np.exp(-dt / relaxation_s)
    field, kept = 0.0, np.empty(steps)
    for _ in range(cycles):
        for k in range(steps):
            field = decay * field + np.sqrt(decay) * dt * middle[k]
            kept[k] = field
    return source, kept


@pytest.mark.parametrize(("cycle_ms", "t1_ms", "cycles"), [(1.0, 0.3, 20), (1.0, 4.0, 60)])
def test_brute_force_over_many_cycles(cycle_ms, t1_ms, cycles):
    steps = 8000
    life_ms = 1e3 * lifetime_e_s(TARGET)
    lasers = Lasers(2.0, 1.0, 0.05, cycle_ms=cycle_ms, trigger_delay_lifetimes=0.25 / life_ms)
    source, field = stepped_field(lasers, LINDBLAD, 1e-3 * t1_ms, cycles, steps)
    found = field_cycle(evolve(TARGET, lasers, LINDBLAD, 1e-3 * t1_ms), 1e-3 * t1_ms)
    mean = np.trapezoid(source) / steps
    assert found.chi_squared == pytest.approx(mean, rel=1e-5)
    # what is missing after so many cycles from b = 0: exp(-60 / 4) = 3e-7
    assert found.peak_s == pytest.approx(field.max() / mean, rel=2e-5)
    when = (np.argmax(field) + 1) / steps * 1e-3 * cycle_ms
    assert found.peak_time_s == pytest.approx(when, abs=2e-3 * 1e-3 * cycle_ms)
    spectrum = 2.0 * np.abs(np.fft.rfft(field)) / steps / field.max()
    np.testing.assert_allclose(found.amplitudes[:40], spectrum[1:41], rtol=2e-3, atol=2e-7)
    assert found.power == pytest.approx(2.0 * field.var() / field.max() ** 2, rel=1e-3)


@pytest.mark.parametrize("preset", PRESETS)
def test_parseval(preset):
    switches = PRESETS[preset]
    for t1_s in (5e-4, 5e-3, 5.0):
        found = field_cycle(evolve(TARGET, Lasers(), switches, t1_s), t1_s)
        order = found.amplitudes.size
        assert order >= LEAST_PANELS
        rest = found.power - np.sum(found.amplitudes**2)
        # b' jumps at the end of the cycle only: a_n = A / n^2, sum over n > N is A^2 / 3 N^3
        assert abs(rest) < 1e-6 * found.power


def test_long_relaxation_keeps_the_mean():
    evolution = evolve(TARGET, Lasers(), LINDBLAD)
    slow, slower = (field_cycle(evolution, t1) for t1 in (10.0, 1e4))
    for found, t1 in ((slow, 10.0), (slower, 1e4)):
        # up to the ripple, at most one cycle's growth
        assert 0.0 < found.peak_s - t1 < CYCLE_S
    # the ripple is the integral of |chi|^2 - mean: the same for any long T1
    first = slow.amplitudes * slow.peak_s
    np.testing.assert_allclose(slower.amplitudes * slower.peak_s, first, rtol=1e-4)


def test_short_relaxation_follows_the_coherence():
    t1 = 2e-7
    evolution = evolve(TARGET, Lasers(cycle_ms=2.0), LINDBLAD, t1)
    found = field_cycle(evolution, t1)
    assert found.peak_s == pytest.approx(t1 * evolution.peak / evolution.mean, rel=1e-3)
    assert found.peak_time_s == pytest.approx(evolution.peak_time_s + t1, abs=t1)


def experiment(**lasers):
    layout = Layout(2.0, 1.0, phase_matched(TARGET)[1], np.array([1.0]))
    detector, corrected = Detector(spin_relaxation_ms=3.0), PRESETS["corrected"]
    return Experiment(TARGET, layout, Lasers(**lasers), detector, corrected)


def test_the_field_of_an_experiment():
    apparatus = experiment()
    cycle = bloch_cycle(apparatus)
    assert isinstance(cycle, FieldCycle)
    assert cycle_time_s(apparatus) == cycle.peak_s
    assert bloch_cycle(experiment(chi_squared=cycle.chi_squared)) is None
    # with the same mean |chi|^2 the constant-rate model resets the field each cycle
    constant = experiment(chi_squared=cycle.chi_squared)
    reset = 3e-3 * -np.expm1(-10.0 / 3.0)
    ratio = signal_factor(apparatus, cycle.chi_squared) / signal_factor(constant, cycle.chi_squared)
    assert ratio == pytest.approx(cycle.peak_s / reset)


def test_refusals():
    dark = made_up(np.zeros_like)
    with pytest.raises(DomainError, match="no coherence"):
        field_cycle(dark, 1e-3)
    with pytest.raises(ConvergenceError, match="panels of a laser cycle"):
        apparatus = experiment()
        bloch_cycle(replace(apparatus, detector=Detector(spin_relaxation_ms=1e-6)))
