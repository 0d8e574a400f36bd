"""Optical Bloch equations against the printed matrix and a master equation."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import null_space

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.physics import bloch
from renp_infer.physics.target import load_target
from renp_infer.records import Lasers, Switches

PRINTED, LINDBLAD = Switches(bloch="printed"), Switches(bloch="lindblad")
# Order of the vector of Eq. (A4), as row-major indices of rho in e, g, q, p.
SIGMA_4 = [
    4 * "egqp".index(a) + "egqp".index(b)
    for a, b in "ee gg qq pp ge eg qe eq qg gq pg gp pe ep pq qp".split()
]


@pytest.fixture(scope="module")
def target():
    return load_target("er-ylf")


def coherence_blocks(g, eq, qg):
    """B_1 and B_2 of Eqs. (A7), (A8), widths (A12)."""
    w_eg = g["eg"] + g["eq"] + g["ep"]
    w_qg = g["qp"] + g["qg"]
    w_eq, w_pg, w_ep, w_pq = w_eg + w_qg, g["pg"], w_eg + g["pg"], w_qg + g["pg"]
    b1 = (
        np.array(
            [
                [-w_eg, 0, -qg, 0, 0, eq],
                [0, -w_eg, 0, qg, -eq, 0],
                [-qg, 0, -w_eq, 0, 0, 0],
                [0, qg, 0, -w_eq, 0, 0],
                [0, -eq, 0, 0, -w_qg, 0],
                [eq, 0, 0, 0, 0, -w_qg],
            ]
        )
        / 2
    )
    b2 = (
        np.array(
            [
                [-w_pg, 0, 0, 0, qg, 0],
                [0, -w_pg, 0, 0, 0, -qg],
                [0, 0, -w_ep, 0, eq, 0],
                [0, 0, 0, -w_ep, 0, -eq],
                [qg, 0, eq, 0, -w_pq, 0],
                [0, -qg, 0, -eq, 0, -w_pq],
            ]
        )
        / 2
    )
    return b1, b2


def printed_matrix(gamma, omega):
    """R_4 typed from Eqs. (A5) to (A12)."""
    eq, qg, pg = (1j * omega[name] for name in ("eq", "qg", "pg"))
    g = gamma
    a = np.array(
        [
            [-g["eg"] - g["eq"] - g["ep"], 0, 0, 0],
            [g["eg"], 0, g["qg"], g["pg"]],
            [g["eq"], 0, -g["qg"] - g["qp"], 0],
            [g["ep"], 0, g["qp"], -g["pg"]],
        ]
    )
    b1, b2 = coherence_blocks(g, eq, qg)
    c1 = (
        np.array(
            [
                [0, 0, eq, -eq, 0, 0],
                [0, 0, 0, 0, qg, -qg],
                [0, 0, -eq, eq, -qg, qg],
                [0, 0, 0, 0, 0, 0],
            ]
        )
        / 2
    )
    c2 = (
        np.array(
            [
                [0, 0, 0, 0, 0, 0],
                [-pg, pg, 0, 0, 0, 0],
                [0, 0, 0, 0, 0, 0],
                [pg, -pg, 0, 0, 0, 0],
            ]
        )
        / 2
    )
    e = np.zeros((6, 6), dtype=complex)
    e[0, 2], e[1, 3], e[4, 5], e[5, 4] = -pg, pg, pg, -pg
    e /= 2
    return np.block([[a, c1, c2], [c1.T, b1, e], [c2.T, e.T, b2]])


def master_equation(gamma, omega):
    """Right-hand side -i [H, rho] + Sum D[L] rho on 4x4 matrices."""
    at = {"e": 0, "g": 1, "q": 2, "p": 3}
    h = np.zeros((4, 4), dtype=complex)
    for (a, b), value in omega.items():
        h[at[a], at[b]] += value / 2
        h[at[b], at[a]] += value / 2

    def rhs(_, flat):
        rho = flat.reshape(4, 4)
        out = -1j * (h @ rho - rho @ h)
        for (a, b), rate in gamma.items():
            out[at[b], at[b]] += rate * rho[at[a], at[a]]
            out[at[a], :] -= 0.5 * rate * rho[at[a], :]
            out[:, at[a]] -= 0.5 * rate * rho[:, at[a]]
        return out.ravel()

    return rhs


def test_rates_and_lifetime_of_table_i(target):
    expected = {"eg": 518.02, "eq": 10.31, "ep": 57.34, "qg": 4.13, "qp": 4.68, "pg": 27.28}
    assert bloch.decay_rates(target) == pytest.approx(expected)
    assert bloch.lifetime_e_s(target) == pytest.approx(1.7e-3, rel=0.01)


def test_rabi_frequencies(target):
    lasers = Lasers(10.0, 10.0, 10.0)
    khz = 2e3 * np.pi
    derived = bloch.rabi_frequencies(target, lasers, LINDBLAD)
    expected = {"eq": 6.622, "qg": 3.357, "pg": 17.42}
    assert {k: v / khz for k, v in derived.items()} == pytest.approx(expected, rel=1e-3)
    printed = bloch.rabi_frequencies(target, Lasers(2.5, 10.0, 40.0), PRINTED)
    expected = {"eq": 20.9 / 2, "qg": 37.4, "pg": 2 * 174.0}
    assert {k: v / khz for k, v in printed.items()} == pytest.approx(expected)


@pytest.mark.parametrize("printed", [True, False])
def test_generator_is_the_printed_matrix(target, printed):
    gamma = bloch.decay_rates(target)
    omega = {"eq": 1.1e3, "qg": 7e2, "pg": 3e2}
    typed = printed_matrix(gamma, omega)
    if not printed:
        typed[:4, 4:10] *= -1
        typed[4:10, :4] *= -1
    matrix = bloch.generator(gamma, omega, printed)
    np.testing.assert_allclose(matrix[np.ix_(SIGMA_4, SIGMA_4)], typed, atol=1e-9)


def test_evolution_agrees_with_a_master_equation_solver(target):
    lasers = Lasers(0.9, 0.3, 1e-2, cycle_ms=1.0)
    found = bloch.evolve(target, lasers, LINDBLAD)
    omega = bloch.rabi_frequencies(target, lasers, LINDBLAD)
    gamma = bloch.decay_rates(target)
    rho = np.zeros(16, dtype=complex)
    rho[5] = 1.0
    options = {"method": "DOP853", "rtol": 1e-10, "atol": 1e-12}
    start = found.time_s[0]
    dark = master_equation(gamma, omega | {"pg": 0.0})
    rho = solve_ivp(dark, (0.0, start), rho, **options).y[:, -1]
    span = (start, found.time_s[-1])
    solved = solve_ivp(master_equation(gamma, omega), span, rho, t_eval=found.time_s, **options)
    np.testing.assert_allclose(found.rho.reshape(-1, 16), solved.y.T, atol=1e-8)
    assert found.chi_squared.max() > 1e-6


def test_peak_of_fig_11_with_the_published_settings(target):
    found = bloch.evolve(target, Lasers(), PRINTED)
    assert found.peak == pytest.approx(9.3e-3, rel=0.02)
    # before the trigger nothing is generated: the mean is over the whole cycle
    on = (found.time_s[-1] - found.time_s[0]) / 0.010
    assert bloch.chi_squared(target, Lasers(), PRINTED) == pytest.approx(on * found.mean)
    assert on < 0.97
    assert found.peak_time_s / bloch.lifetime_e_s(target) == pytest.approx(0.31, abs=0.01)
    assert found.mean < 0.1 * found.peak


def test_peak_with_the_sign_of_c_1_flipped(target, monkeypatch):
    monkeypatch.setattr(bloch, "_flip_excitation", lambda matrix: matrix)
    assert bloch.evolve(target, Lasers(), PRINTED).peak == pytest.approx(0.040, rel=0.03)


def test_a_fixed_number_wins(target):
    assert bloch.chi_squared(target, Lasers(chi_squared=0.123), PRINTED) == 0.123


@pytest.mark.parametrize("switches", [PRINTED, LINDBLAD])
def test_peak_does_not_depend_on_the_samples(target, switches):
    fine = bloch.evolve(target, Lasers(), switches, bloch.PHASE_STEP / 10).peak
    assert bloch.evolve(target, Lasers(), switches).peak == pytest.approx(
        fine, rel=bloch.PEAK_ERROR
    )


def test_invariants_are_measured_not_repaired(target):
    printed = bloch.evolve(target, Lasers(), PRINTED)
    derived = bloch.evolve(target, Lasers(), LINDBLAD)
    for found in (printed, derived):
        assert found.trace_error < 1e-10
        assert found.hermiticity_error < 1e-10
    assert printed.smallest_eigenvalue == pytest.approx(-0.35, abs=0.005)
    assert derived.smallest_eigenvalue > -1e-12


def test_neither_generator_grows(target):
    gamma = bloch.decay_rates(target)
    for switches in (PRINTED, LINDBLAD):
        omega = bloch.rabi_frequencies(target, Lasers(), switches)
        matrix = bloch.generator(gamma, omega, switches.bloch == "printed")
        assert np.linalg.eigvals(matrix).real.max() < 1e-8


@pytest.mark.parametrize("switches", [PRINTED, LINDBLAD])
def test_phases_at_resonance(target, switches):
    rho = bloch.evolve(target, Lasers(), switches).rho
    scale = np.abs(rho[:, 0, 3]).max()
    assert scale > 0.01
    assert np.abs(rho[:, 0, 3].real).max() < 1e-12
    assert np.abs(rho[:, 0, 1].imag).max() < 1e-12


def steady_state(gamma, omega):
    rates = dict.fromkeys(bloch.DECAYS, 0.0) | gamma
    matrix = bloch.generator(rates, {"eq": 0.0, "qg": 0.0, "pg": 0.0} | omega, False)
    rho = null_space(matrix, rcond=1e-11)[:, 0].reshape(4, 4)
    return rho / np.trace(rho)


def test_two_level_steady_state():
    gamma, omega = 3.0, 5.0
    rates = {"pg": gamma, "eg": 1.0, "qg": 1.0}
    rho = steady_state(rates, {"pg": omega})
    assert rho[3, 3].real == pytest.approx(omega**2 / (gamma**2 + 2 * omega**2))
    assert abs(rho[3, 1]) == pytest.approx(gamma * omega / (gamma**2 + 2 * omega**2))


def test_ladder_steady_state_of_eq_a1():
    # (A1) holds where q decays much faster than e.
    a, b = 3e3, 5e3
    rho = steady_state({"eq": 1e-4, "qg": 1e3, "pg": 1.0}, {"eq": a, "qg": b})
    expected = np.array([b**2, a**2, 0.0]) / (a**2 + b**2)
    np.testing.assert_allclose(np.diag(rho).real[:3], expected, atol=1e-6)
    assert rho[0, 1] == pytest.approx(-a * b / (a**2 + b**2), abs=1e-6)


def test_refusals(target):
    with pytest.raises(DomainError, match="intensity of the qg laser"):
        bloch.chi_squared(target, Lasers(qg_mW_cm2=-1.0), PRINTED)
    with pytest.raises(DomainError, match="trigger_delay_lifetimes"):
        bloch.chi_squared(target, Lasers(trigger_delay_lifetimes=6.0), PRINTED)
    with pytest.raises(DomainError, match="rabi_eq_kHz"):
        bloch.chi_squared(replace(target, printed={}), Lasers(), PRINTED)
    with pytest.raises(ConvergenceError):
        bloch.chi_squared(target, Lasers(eq_mW_cm2=1e12), LINDBLAD)
