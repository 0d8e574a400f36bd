"""Standard error of the matched filter against simulated noise."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.measurement import squid
from renp_infer.physics.cycle.bloch import evolve
from renp_infer.physics.cycle.field_cycle import FieldCycle, field_cycle
from renp_infer.physics.targets.target import load_target
from renp_infer.records import Detector, Lasers, Switches

CYCLE_S, T1_S = 10e-3, 5e-3
LASERS = Lasers(cycle_ms=1e3 * CYCLE_S, chi_squared=1e-3)


def detector(**changes):
    return Detector(noise_fT_rtHz=2.0, spin_relaxation_ms=1e3 * T1_S, **changes)


def harmonic_amplitudes(order, ratio):
    """``a_n = 2 |h_n| = 2 / |tc / T1 + 2 pi i n|`` of the template."""
    return 2.0 / np.hypot(ratio, 2.0 * np.pi * order)


def template(time_s):
    phase = np.mod(time_s, CYCLE_S)
    return -np.expm1(-phase / T1_S) / -np.expm1(-CYCLE_S / T1_S)


def simulated_noise(rng, runs, samples, dt, white, knee):
    """White noise plus 1/f as a sum of many relaxation processes, shape (runs, samples)."""
    noise = rng.standard_normal((runs, samples)) * white * np.sqrt(0.5 / dt)
    log_step = 0.7
    for tau in np.exp(np.arange(np.log(dt / 3), np.log(30 * samples * dt), log_step)):
        # A process of variance v has one-sided power 4 v tau / (1 + (2 pi f tau)^2);
        # variance white^2 knee per unit of log tau adds up to white^2 knee / f.
        sd = white * np.sqrt(knee * log_step)
        keep = np.exp(-dt / tau)
        kicks = sd * np.sqrt(1 - keep**2) * rng.standard_normal((runs, samples))
        kicks[:, 0] = sd * rng.standard_normal(runs)
        noise += lfilter([1.0], [1.0, -keep], kicks)
    return noise


@pytest.fixture(scope="module", params=[0.0, 60.0], ids=["white", "flicker"])
def simulation(request):
    """Noise of 2 fT/sqrt(Hz), 24 cycles of 64 samples: (knee, dt, noise)."""
    rng = np.random.default_rng(20211207)
    dt = CYCLE_S / 64
    noise = simulated_noise(rng, 1500, 24 * 64, dt, 2.0, request.param)
    return request.param, dt, noise


def harmonic_bins(samples, cycles=24):
    return cycles * np.arange(1, samples // (2 * cycles))


def test_noise_averages_to_its_psd_and_whitens(simulation):
    knee, dt, noise = simulation
    samples = noise.shape[1]
    bins = harmonic_bins(samples)[:20]
    spectrum = np.fft.rfft(noise)[:, bins]
    power = 2 * dt / samples * np.mean(np.abs(spectrum) ** 2, axis=0)
    psd = detector().noise_fT_rtHz ** 2 * (1.0 + knee * samples * dt / bins)
    # 1500 draws of a two-component power: standard error 2.6 %, 20 bins.
    assert np.abs(power / psd - 1).max() < 4.5 / np.sqrt(1500) + 0.03
    assert np.mean(power / psd) == pytest.approx(1.0, abs=4.5 / np.sqrt(1500 * 20) + 0.02)


def test_matched_filter_on_simulated_noise(simulation):
    knee, dt, noise = simulation
    runs, samples = noise.shape
    bins = harmonic_bins(samples)
    shape = np.fft.rfft(template(dt * (np.arange(samples) + 0.5)))[bins]
    weight = shape.conj() / (1 + knee * samples * dt / bins)
    found = (np.fft.rfft(noise)[:, bins] @ weight).real / (shape @ weight).real
    setup = detector(knee_hz=knee, exposure_s=samples * dt)
    expected = 100 * squid.standard_error_nG(setup, LASERS, 1)
    # Standard error of a standard deviation; 2 % for harmonics above Nyquist.
    assert found.std() == pytest.approx(expected, rel=4.5 / np.sqrt(2 * runs) + 0.02)
    assert abs(found.mean()) < 4.5 * expected / np.sqrt(runs)


def test_white_noise_is_a_least_squares_fit_of_amplitude_and_baseline():
    time = (np.arange(200_000) + 0.5) * CYCLE_S / 200_000
    power = np.var(template(time)) * 1.0  # per second of exposure
    setup = detector(knee_hz=0.0, exposure_s=61.0)
    expected = 2.0 * np.sqrt(0.5 / power)  # two-sided level noise^2 / 2
    assert 100 * squid.standard_error_nG(setup, LASERS, 61) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ratio", [1e-3, 0.3, 2.0, 50.0])
@pytest.mark.parametrize("knee", [0.0, 1e-3, 0.01, 3.0, 400.0])
def test_closed_sum_is_the_series(ratio, knee):
    order = np.arange(1.0, 2_000_001.0)
    terms = harmonic_amplitudes(order, ratio) ** 2 / (1 + knee / order)
    tail = 1 / (np.pi**2 * order[-1])  # of Sum 1 / (pi n)^2, relative error below 1e-3
    assert squid.information_sum(ratio, knee) == pytest.approx(
        terms.sum() + tail, rel=1e-9, abs=1e-3 * tail
    )


def test_harmonic_amplitudes_are_those_of_the_template():
    samples = 1 << 16
    spectrum = np.fft.rfft(template((np.arange(samples) + 0.5) * CYCLE_S / samples)) / samples
    order = np.arange(1, 9)
    np.testing.assert_allclose(
        harmonic_amplitudes(order.astype(float), CYCLE_S / T1_S),
        2 * np.abs(spectrum[order]),
        rtol=1e-6,
    )


def test_exposure_angles_and_noise():
    base = squid.standard_error_nG(detector(), LASERS, 61)
    assert squid.standard_error_nG(detector(exposure_s=4 * 3600.0), LASERS, 61) == pytest.approx(
        base / 2
    )
    assert squid.standard_error_nG(detector(), LASERS, 4 * 61) == pytest.approx(2 * base)
    louder = replace(detector(), noise_fT_rtHz=6.0)
    assert squid.standard_error_nG(louder, LASERS, 61) == pytest.approx(3 * base)
    assert squid.standard_error_nG(detector(knee_hz=10.0), LASERS, 61) > base


def test_covariance_without_drift_is_diagonal():
    covariance = squid.covariance_nG2(detector(), LASERS, 5)
    sigma = squid.standard_error_nG(detector(), LASERS, 5)
    np.testing.assert_array_equal(covariance, sigma**2 * np.eye(5))


def test_drift_is_shared_by_neighbours():
    setup = detector(drift_fT=3.0, drift_time_s=600.0, exposure_s=3000.0)
    covariance = squid.covariance_nG2(setup, LASERS, 10)
    sigma = squid.standard_error_nG(setup, LASERS, 10)
    assert covariance[2, 2] == pytest.approx(sigma**2 + 0.03**2)
    assert covariance[2, 4] == pytest.approx(0.03**2 * np.exp(-1.0))
    np.testing.assert_array_equal(covariance, covariance.T)


@pytest.mark.parametrize("shares", [None, (0.1, 0.5, 0.05, 0.2, 0.15)])
@pytest.mark.parametrize(("drift_fT", "drift_time_s"), [(3.0, 600.0), (0.1, 10.0), (30.0, 1e6)])
def test_information_angle_by_angle_is_that_of_the_matrix(shares, drift_fT, drift_time_s, rng):
    setup = detector(drift_fT=drift_fT, drift_time_s=drift_time_s, exposure_shares=shares)
    field, count = rng.standard_normal(5), 5
    times = squid.relative_times(setup, count)
    white = squid.variance_nG2(replace(setup, drift_fT=0.0), LASERS, count)
    lags = np.roll(times, 1) * setup.exposure_s / count / drift_time_s
    drift = (drift_fT / 100.0) ** 2
    found = squid.information_with_drift(field, white, drift, lags)
    covariance = squid.covariance_nG2(setup, LASERS, count)
    assert found == pytest.approx(field @ np.linalg.solve(covariance, field), rel=1e-8)


@pytest.mark.parametrize("drift_time_s", [1e-3, 1.0, 1e9])
def test_covariance_is_positive_definite(drift_time_s):
    setup = detector(drift_fT=10.0, drift_time_s=drift_time_s)
    covariance = squid.covariance_nG2(setup, LASERS, 61)
    smallest = np.linalg.eigvalsh(covariance)[0]
    assert smallest >= (1 - 1e-6) * squid.standard_error_nG(setup, LASERS, 61) ** 2


@pytest.mark.parametrize(
    "change",
    [{"exposure_s": 0.0}, {"knee_hz": -1.0}, {"drift_fT": np.nan}, {"drift_time_s": 0.0}],
)
def test_refusals(change):
    with pytest.raises(DomainError, match=next(iter(change))):
        squid.covariance_nG2(detector(**change), LASERS, 3)


def test_no_angles_are_refused():
    with pytest.raises(DomainError, match="n_angles"):
        squid.covariance_nG2(detector(), LASERS, 0)


BLOCH = Lasers(90.0, 30.0, 1.0, cycle_ms=1e3 * CYCLE_S)


@pytest.fixture(scope="module")
def bloch_field():
    """Cycle of a field and its values at many times, by stepping db/dt = |chi|^2 - b / T1."""
    evolution = evolve(load_target("er-ylf"), BLOCH, Switches(bloch="lindblad"), T1_S)
    fine = 64 * 2000
    time = (np.arange(fine) + 0.5) * CYCLE_S / fine
    source = np.interp(time, evolution.time_s, evolution.chi_squared)
    keep = np.exp(-CYCLE_S / fine / T1_S)
    field = lfilter([CYCLE_S / fine], [1.0, -keep], np.tile(source, 12))[-fine:]
    return field_cycle(evolution, T1_S), field / field.max()


def test_matched_filter_of_a_bloch_field_on_simulated_noise(simulation, bloch_field):
    knee, dt, noise = simulation
    runs, samples = noise.shape
    cycle, values = bloch_field
    bins = harmonic_bins(samples)
    shape = np.fft.rfft(np.tile(values[1000::2000], 24))[bins]
    weight = shape.conj() / (1 + knee * samples * dt / bins)
    found = (np.fft.rfft(noise)[:, bins] @ weight).real / (shape @ weight).real
    setup = detector(knee_hz=knee, exposure_s=samples * dt)
    expected = 100 * squid.standard_error_nG(setup, BLOCH, 1, cycle)
    assert found.std() == pytest.approx(expected, rel=4.5 / np.sqrt(2 * runs) + 0.02)
    assert abs(found.mean()) < 4.5 * expected / np.sqrt(runs)


def test_white_noise_fits_a_bloch_field_and_a_baseline(bloch_field):
    cycle, values = bloch_field
    # one-sided level noise^2, per second of exposure
    assert squid.cycle_information(cycle, 0.0) == pytest.approx(2 * np.var(values), rel=1e-4)
    assert squid.cycle_information(cycle, 0.0) == cycle.power


@pytest.mark.parametrize("knee", [0.0, 0.01, 3.0, 400.0])
def test_information_of_the_sawtooth_is_the_closed_sum(knee):
    """The constant-rate template as a field cycle, its tail known by Parseval only."""
    order, ratio = np.arange(1.0, 20_001.0), CYCLE_S / T1_S
    amplitudes = harmonic_amplitudes(order, ratio)
    cycle = FieldCycle(1.0, 1.0, 0.0, amplitudes, squid.information_sum(ratio, 0.0))
    expected = squid.information_sum(ratio, knee)
    assert squid.cycle_information(cycle, knee) == pytest.approx(
        expected, rel=squid.INFORMATION_ERROR
    )


def test_a_knee_beyond_the_harmonics_is_refused():
    amplitudes = harmonic_amplitudes(np.arange(1.0, 11.0), 2.0)
    cycle = FieldCycle(1.0, 1.0, 0.0, amplitudes, squid.information_sum(2.0, 0.0))
    with pytest.raises(ConvergenceError, match="matched filter"):
        squid.cycle_information(cycle, 1e3)


def test_a_shape_is_needed_exactly_with_the_bloch_equations(bloch_field):
    with pytest.raises(DomainError, match="cycle"):
        squid.standard_error_nG(detector(), BLOCH, 61)
    with pytest.raises(DomainError, match="cycle"):
        squid.covariance_nG2(detector(), LASERS, 61, bloch_field[0])
    covariance = squid.covariance_nG2(detector(), BLOCH, 4, bloch_field[0])
    sigma = squid.standard_error_nG(detector(), BLOCH, 4, bloch_field[0])
    np.testing.assert_array_equal(covariance, sigma**2 * np.eye(4))


@pytest.mark.parametrize("share", [1.0, 0.1, 1 / 3])
@pytest.mark.parametrize("n", [3, 7, 61])
def test_equal_shares_change_no_bit(n, share):
    plain = detector(drift_fT=3.0, drift_time_s=40.0)
    shared = replace(plain, exposure_shares=(share,) * n)
    for function in (squid.covariance_nG2, squid.variance_nG2):
        assert np.array_equal(function(plain, LASERS, n), function(shared, LASERS, n))


def test_shares_are_times_and_the_angles_follow_each_other():
    plain = detector(exposure_s=600.0)
    shared = replace(plain, exposure_shares=(1.0, 3.0, 2.0))
    for k, time_s in enumerate((100.0, 300.0, 200.0)):
        alone = squid.standard_error_nG(replace(plain, exposure_s=time_s), LASERS, 1) ** 2
        assert squid.variance_nG2(shared, LASERS, 3)[k] == pytest.approx(alone, rel=1e-14)
    slow = replace(shared, drift_fT=5.0, drift_time_s=70.0)
    drift = squid.covariance_nG2(slow, LASERS, 3) / (5.0 / squid.NG_TO_FT) ** 2
    assert drift[0, 1] == pytest.approx(np.exp(-100.0 / 70.0), rel=1e-14)
    assert drift[0, 2] == pytest.approx(np.exp(-400.0 / 70.0), rel=1e-14)
    assert drift[1, 2] == pytest.approx(np.exp(-300.0 / 70.0), rel=1e-14)


@pytest.mark.parametrize("shares", [(1.0, 2.0), (1.0, 0.0, 1.0), (1.0, np.inf, 1.0)])
def test_shares_that_fit_no_angles_are_refused(shares):
    with pytest.raises(DomainError, match="exposure_shares"):
        squid.variance_nG2(detector(exposure_shares=shares), LASERS, 3)
