"""Prefactors against the numbers the paper prints and their scaling laws."""

from dataclasses import replace

import numpy as np
import pytest

from renp_infer.errors import DomainError
from renp_infer.physics.signal import magnetization as mag
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Detector, Experiment, Lasers, Layout, Switches

PUBLISHED, CORRECTED = PRESETS["published"], PRESETS["corrected"]
ONE = np.ones(1)


def experiment(switches=PUBLISHED, radius=1.0, length=2.0, theta_s=0.0, c_axis=0.0, **changes):
    """The paper's reference: 10 mW/cm^2, xi = 0.01, trigger along the c axis."""
    target = load_target("er-ylf", gamma_ep_per_s=changes.pop("gamma", 57.3))
    target = replace(target, density_per_cm3=changes.pop("density", 1.4e19))
    layout = Layout(length, radius, 2.47, np.atleast_1d(theta_s), c_axis)
    lasers = Lasers(trigger_mW_cm2=changes.pop("intensity", 10.0), chi_squared=1e-3)
    detector = Detector(coupling=changes.pop("coupling", 0.01))
    assert not changes
    return Experiment(target, layout, lasers, detector, switches)


def test_published_rate_is_eq_57():
    rate = mag.rate_per_s(experiment(radius=0.5, length=1.0), ONE, 1.0)
    assert rate[0] == pytest.approx(3.17e9, abs=0.005e9)


def test_published_magnetization_is_eq_64():
    growth = mag.magnetization_nG_per_s(experiment(), ONE, 1.0)
    assert growth[0] == pytest.approx(4.22e4 * 1e9, abs=0.005e4 * 1e9)


def test_eq_24_does_not_follow_from_eq_9():
    small = experiment(radius=0.5, length=1.0)
    assert mag.prefactor_per_s_eV5(small) == pytest.approx(2.02e11)
    number = mag.ions(small.target, small.layout)
    assert number == pytest.approx(1.4e19 * 0.785, rel=1e-3)
    h = mag.h_r(small.target, small.lasers, PUBLISHED)
    assert h == pytest.approx(748.0)
    assert mag.prefactor_of(h, number) == pytest.approx(1.127e11, rel=1e-3)
    # It follows from h_r^2 = 3 pi I / (eps_ep^3 gamma_ep): I in eV^4, gamma in eV.
    squared = 3 * np.pi * 1.265e-4**2 / (1.5896**3 * 57.3 * 6.582e-16)
    assert mag.prefactor_of(np.sqrt(squared), number) == pytest.approx(2.02e11, rel=0.01)


def test_h_r_of_eq_8():
    setup = experiment()
    assert mag.h_r(setup.target, setup.lasers, CORRECTED) == pytest.approx(1383.0, rel=1e-3)
    quarter = replace(setup.lasers, trigger_mW_cm2=2.5)
    for switches, full in ((PUBLISHED, 748.0), (CORRECTED, 1383.0)):
        assert mag.h_r(setup.target, quarter, switches) == pytest.approx(full / 2, rel=1e-3)


def test_corrected_prefactor_is_eq_16():
    setup = experiment(CORRECTED, radius=0.5, length=1.0, gamma=57.34)
    h, n_v = 1383.0, 1.4e19 * np.pi * 0.25
    expected = (h * 1.16638e-23 * n_v) ** 2 / (2 * np.pi) ** 3 / 6.58212e-16
    assert mag.prefactor_per_s_eV5(setup) == pytest.approx(expected, rel=2e-3)


def test_matrix_elements():
    target = experiment().target
    assert mag.spin_squared(target, PUBLISHED) == 0.0157
    assert mag.spin_velocity(target, PUBLISHED) == pytest.approx(1.127e-8, rel=1e-3)
    assert mag.spin_squared(target, CORRECTED) == pytest.approx(0.0106, abs=5e-5)
    ratio = mag.spin_velocity(target, CORRECTED) / mag.spin_squared(target, CORRECTED)
    assert ratio == pytest.approx(0.622e-6, rel=1e-3)
    # With the total rate in Eq. (42) the reduced element is the printed 3.47, to 0.3 %.
    total = replace(target, md_rates_per_s=target.md_rates_per_s | {"ep": 57.34})
    share = 0.1547 * 0.2559 / 39
    assert mag.spin_squared(total, CORRECTED) == pytest.approx(0.0122, rel=0.01)
    assert np.sqrt(mag.spin_squared(total, CORRECTED) / share) == pytest.approx(3.48, abs=0.01)
    assert np.sqrt(mag.spin_squared(target, CORRECTED) / share) == pytest.approx(3.231, abs=2e-3)


def test_stretched_component_by_ladder_operators():
    # <j+1, m+1| A_+1 |j, m>^2 over its sum over final states, Eq. (40), for the
    # coupling of j = 11/2 with a vector: build |j+1, m+1> by lowering.
    j = 5.5
    share = {}
    top = {(j, 1): 1.0}  # (m of j, q of the vector)
    state, big_j, big_m = top, j + 1, j + 1
    while big_m > -big_j:
        for (m, q), amplitude in state.items():
            if q == 1:
                share[m] = amplitude**2
        lowered: dict[tuple[float, int], float] = {}
        for (m, q), amplitude in state.items():
            if m > -j:
                step = amplitude * np.sqrt((j + m) * (j - m + 1))
                lowered[m - 1, q] = lowered.get((m - 1, q), 0.0) + step
            if q > -1:
                step = amplitude * np.sqrt((1 + q) * (2 - q))
                lowered[m, q - 1] = lowered.get((m, q - 1), 0.0) + step
        norm = np.sqrt((big_j + big_m) * (big_j - big_m + 1))
        state = {key: value / norm for key, value in lowered.items()}
        big_m -= 1
    # Clebsch-Gordan squared = (2 J + 1) 3j^2 with J = j + 1.
    assert share[0.5] / (2 * big_j + 1) == pytest.approx(1 / 39)
    target = experiment().target
    other = replace(target, j_m=target.j_m | {"e": (5.5, 3.5), "p": (6.5, 4.5)})
    ratio = mag.spin_squared(other, CORRECTED) / mag.spin_squared(target, CORRECTED)
    assert ratio == pytest.approx(share[3.5] / share[0.5])


def test_field_per_event():
    single = replace(PUBLISHED, moment="single-ion")
    assert mag.field_per_event_nG(experiment(single, coupling=1.0)) == pytest.approx(
        1.09e-19 * 1e9, rel=5e-3, abs=0.0
    )
    assert mag.field_per_event_nG(experiment()) == pytest.approx(0.29e9)
    # As many events as ions: 4 pi g mu_B n xi = 0.096 G, where Eq. (59) has 0.29 G.
    setup = experiment(single)
    whole = mag.field_per_event_nG(setup) * mag.ions(setup.target, setup.layout)
    assert whole == pytest.approx(4 * np.pi * 5.9 * 9.274e-21 * 1.4e19 * 0.01 * 1e9, rel=1e-3)


@pytest.mark.parametrize("h_r", ["printed", "eq8"])
@pytest.mark.parametrize("gamma_power", [1, 2])
@pytest.mark.parametrize("moment", ["density", "single-ion"])
def test_scaling_laws(h_r, gamma_power, moment):
    switches = replace(PUBLISHED, h_r=h_r, gamma_power=gamma_power, moment=moment)

    def powers(function):
        base = function(experiment(switches), ONE, 1.0)[0]
        doubled = {
            "density": {"density": 2.8e19},
            "radius": {"radius": 2.0},
            "length": {"length": 4.0},
            "gamma": {"gamma": 2 * 57.3},
            "intensity": {"intensity": 20.0},
            "coupling": {"coupling": 0.02},
        }
        return {
            name: np.log2(function(experiment(switches, **change), ONE, 1.0)[0] / base)
            for name, change in doubled.items()
        }

    rate = {
        "density": 2,
        "radius": 4,
        "length": 2,
        "gamma": -gamma_power,
        "intensity": 1,
        "coupling": 0,
    }
    assert powers(mag.rate_per_s) == pytest.approx(rate)
    moment_powers = {"density": 1} if moment == "density" else {"radius": -2, "length": -1}
    field = {k: v + moment_powers.get(k, 0) for k, v in rate.items()} | {"coupling": 1}
    assert powers(mag.magnetization_nG_per_s) == pytest.approx(field)


def test_half_the_prefactor():
    half = experiment(replace(PUBLISHED, rate_prefactor="C/2"))
    for function in (mag.rate_per_s, mag.magnetization_nG_per_s):
        assert function(half, ONE, 1.0) == pytest.approx(0.5 * function(experiment(), ONE, 1.0))


def test_sums_and_coherence_enter_linearly():
    sums = np.array([1e-9, 3e-9])
    setup = experiment(theta_s=[0.9, 1.1])
    for function in (mag.rate_per_s, mag.magnetization_nG_per_s):
        once = function(setup, sums, 0.01)
        np.testing.assert_allclose(function(setup, 2 * sums, 0.03), 6 * once, rtol=1e-13)
    growth = mag.magnetization_nG_per_s(setup, sums, 0.01)
    assert growth[1] / growth[0] == pytest.approx(3 * np.cos(1.1) / np.cos(0.9))


def test_direction_factor():
    setup = experiment(theta_s=[0.2, 1.026], c_axis=0.3)
    np.testing.assert_allclose(mag.direction_factor(setup.layout), np.cos([-0.1, 0.726]))
    tilted = replace(setup.layout, c_axis=1.026 + np.pi / 2)
    assert mag.direction_factor(tilted)[1] == pytest.approx(0.0, abs=1e-15)
    normal = replace(setup.layout, c_axis=None)
    assert not mag.direction_factor(normal).any()
    assert mag.direction_factor(setup.layout, np.array([0.3])) == pytest.approx(1.0)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_signal_factor_is_the_cycle_solved_in_time(preset):
    setup = experiment(preset, theta_s=1.0)
    sum_g, chi = np.array([2e-9]), 9e-3
    growth = mag.magnetization_nG_per_s(setup, sum_g, chi)
    t1, cycle, steps = 5e-3, 10e-3, 20000
    field = np.zeros(1)
    for _ in range(steps):
        middle = field + 0.5 * cycle / steps * (growth - field / t1)
        field = field + cycle / steps * (growth - middle / t1)
    factor = mag.direction_factor(setup.layout) if preset.field_axis == "trigger" else 1.0
    signal = mag.signal_factor(setup, chi) * factor * sum_g
    np.testing.assert_allclose(signal, field, rtol=1e-6)
    assert signal[0] > 0.0


@pytest.mark.parametrize(
    ("name", "switches"),
    [
        ("C_per_s_eV5", PUBLISHED),
        ("S_reduced", PUBLISHED),
        ("mu_eff_n_G", replace(CORRECTED, moment="density")),
        ("S_ep_squared", replace(CORRECTED, matrix_elements="printed")),
    ],
)
def test_printed_numbers_are_refused_where_there_are_none(name, switches):
    setup = experiment(switches)
    printed = {k: v for k, v in setup.target.printed.items() if k != name}
    bare = replace(setup, target=replace(setup.target, printed=printed))
    with pytest.raises(DomainError, match=name):
        mag.magnetization_nG_per_s(bare, ONE, 1.0)


def test_the_corrected_preset_needs_no_printed_number():
    setup = experiment(CORRECTED)
    bare = replace(setup, target=replace(setup.target, printed={}))
    assert mag.signal_factor(bare, 1.0) == mag.signal_factor(setup, 1.0)


def test_recomputed_elements_need_a_vector_current():
    target = experiment().target
    other = replace(target, j_m=target.j_m | {"p": (6.5, 2.5)})
    with pytest.raises(DomainError, match="M_e"):
        mag.spin_squared(other, Switches(matrix_elements="recomputed"))
