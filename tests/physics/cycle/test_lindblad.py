"""Generators against the printed matrix and closed steady states."""

import numpy as np
import pytest
from scipy.linalg import expm, null_space

from renp_infer.physics.cycle import lindblad
from renp_infer.physics.targets.target import load_target
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


def test_rates_and_lifetime_of_table_i(target):
    expected = {"eg": 518.02, "eq": 10.31, "ep": 57.34, "qg": 4.13, "qp": 4.68, "pg": 27.28}
    assert lindblad.decay_rates(target) == pytest.approx(expected)
    assert lindblad.lifetime_e_s(target) == pytest.approx(1.7e-3, rel=0.01)


def test_rabi_frequencies(target):
    lasers = Lasers(10.0, 10.0, 10.0)
    khz = 2e3 * np.pi
    derived = lindblad.rabi_frequencies(target, lasers, LINDBLAD)
    expected = {"eq": 6.622, "qg": 3.357, "pg": 17.42}
    assert {k: v / khz for k, v in derived.items()} == pytest.approx(expected, rel=1e-3)
    printed = lindblad.rabi_frequencies(target, Lasers(2.5, 10.0, 40.0), PRINTED)
    expected = {"eq": 20.9 / 2, "qg": 37.4, "pg": 2 * 174.0}
    assert {k: v / khz for k, v in printed.items()} == pytest.approx(expected)


@pytest.mark.parametrize("printed", [True, False])
def test_generator_is_the_printed_matrix(target, printed):
    gamma = lindblad.decay_rates(target)
    omega = {"eq": 1.1e3, "qg": 7e2, "pg": 3e2}
    typed = printed_matrix(gamma, omega)
    if not printed:
        typed[:4, 4:10] *= -1
        typed[4:10, :4] *= -1
    matrix = lindblad.generator(gamma, omega, printed)
    np.testing.assert_allclose(matrix[np.ix_(SIGMA_4, SIGMA_4)], typed, atol=1e-9)


def test_neither_generator_grows(target):
    gamma = lindblad.decay_rates(target)
    for switches in (PRINTED, LINDBLAD):
        omega = lindblad.rabi_frequencies(target, Lasers(), switches)
        matrix = lindblad.generator(gamma, omega, switches.bloch == "printed")
        assert np.linalg.eigvals(matrix).real.max() < 1e-8


def steady_state(gamma, omega):
    rates = dict.fromkeys(lindblad.DECAYS, 0.0) | gamma
    matrix = lindblad.generator(rates, {"eq": 0.0, "qg": 0.0, "pg": 0.0} | omega, False)
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


@pytest.mark.parametrize("rates", [{"eg": 1.0, "pg": 1.0}, {"eg": 3.0, "pg": 0.5}])
def test_v_steady_state_of_eq_a2(rates):
    # (A2) holds where e and p decay to g only: the order of the error is gamma / Omega
    a, b = 4e3, 7e3
    rho = steady_state(rates | {"qg": 1.0}, {"eg": a, "pg": b})
    total = 2.0 * (a**2 + b**2)
    expected = np.array([a**2, 0.5 * total, 0.0, b**2]) / total
    np.testing.assert_allclose(np.diag(rho).real, expected, atol=2e-3)
    assert abs(rho[0, 3]) == pytest.approx(a * b / total, abs=2e-3)
    assert abs(rho[0, 1]) < 2e-3 and abs(rho[3, 1]) < 2e-3


def test_v_steady_state_fails_where_e_feeds_p():
    """The dark state then fills, and rho_ep changes its sign."""
    rho = steady_state({"eg": 1.0, "ep": 1.0, "pg": 1.0, "qg": 1.0}, {"eg": 5e3, "pg": 5e3})
    assert rho[0, 3].real < 0.2


def test_dephasing_takes_the_same_from_every_coherence():
    rates, rabi = dict.fromkeys(lindblad.DECAYS, 0.0), {"eq": 0.0}
    found = expm(0.3 * lindblad.generator(rates, rabi, False, dephasing=2.0))
    expected = np.where(np.eye(4) == 1, 1.0, np.exp(-0.6))
    np.testing.assert_allclose(found, np.diag(expected.ravel()), atol=1e-14)


def test_free_energies_turn_the_coherences():
    energy = np.array([5.0, -1.0, 2.0, 0.5])
    found = np.diag(expm(0.1 * lindblad.free_generator(energy))).reshape(4, 4)
    np.testing.assert_allclose(found, np.exp(-0.1j * (energy[:, None] - energy)), atol=1e-14)
