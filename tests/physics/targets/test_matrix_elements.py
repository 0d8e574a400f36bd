"""Matrix elements from rates against the paper's numbers and against brute force."""

import itertools
import math
from dataclasses import replace

import pytest

from renp_infer.physics import constants
from renp_infer.physics.targets import matrix_elements as me
from renp_infer.physics.targets.scheme import read_scheme
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Lasers

CORRECTED = PRESETS["corrected"]


def vector_coupling(j, big_j):
    """Squared elements ``<J, m + q|A_q|j, m>``, Sum over q and m' = 1, by ladders.

    Couples |j m> with a vector |1 q> to J = big_j: the top state is orthogonal to
    all states of larger J with the same M, the others follow by J_minus.
    """

    def lower(state):
        found = {}
        for (m, q), amplitude in state.items():
            for key, step in (((m - 1, q), (j + m) * (j - m + 1)), ((m, q - 1), (1 + q) * (2 - q))):
                if step > 0:
                    found[key] = found.get(key, 0.0) + amplitude * math.sqrt(step)
        norm = math.sqrt(sum(a * a for a in found.values()))
        return {key: a / norm for key, a in found.items()}

    known = []  # states with M = big_j of larger J
    for larger in (j + 1, j):
        if larger <= big_j:
            break
        state = _top(j, larger, known)
        known = [lower(s) for s in known] + [lower(state)]
    state, shares = _top(j, big_j, known), {}
    big_m = big_j
    while big_m >= -big_j:
        shares |= {(m, q): a * a for (m, q), a in state.items()}
        state = lower(state) if big_m > -big_j else {}
        big_m -= 1
    total = sum(shares.values())  # 2 J + 1
    return {key: value / total for key, value in shares.items()}


def _top(j, big_j, known):
    """State |J, M = J> of the product space, orthogonal to the known ones."""
    keys = [(big_j - q, q) for q in (1, 0, -1) if abs(big_j - q) <= j]
    for start in keys:
        state = {start: 1.0}
        for other in known:
            overlap = sum(state.get(k, 0.0) * other.get(k, 0.0) for k in keys)
            state = {k: state.get(k, 0.0) - overlap * other.get(k, 0.0) for k in keys}
        norm = math.sqrt(sum(a * a for a in state.values()))
        if norm > 1e-6:
            return {k: a / norm for k, a in state.items()}
    raise AssertionError("no state")


@pytest.mark.parametrize(
    ("j", "big_j"), [(5.5, 6.5), (5.0, 6.0), (5.0, 5.0), (2.0, 1.0), (1.5, 1.5)]
)
def test_three_j_against_ladder_operators(j, big_j):
    shares = vector_coupling(j, big_j)
    for (m, q), share in shares.items():
        symbol = me.three_j(big_j, 1.0, j, -(m + q), q, m)
        assert symbol**2 == pytest.approx(share, abs=1e-12)


def test_three_j_against_a_computer_algebra_system():
    """Of f electrons' operators and of the currents: all of rank up to 6 with these J."""
    wigner = pytest.importorskip("sympy.physics.wigner")
    from sympy import Rational

    seen = 0
    for a, b, c in itertools.product((1, 6, 11, 16), (2, 4, 8, 12), (1, 5, 6, 13, 16)):
        if (a + b + c) % 2 or not abs(a - b) <= c <= a + b:
            continue
        for x, y in itertools.product(range(-a, a + 1, 4), range(-b, b + 1, 2)):
            if abs(x + y) > c:
                continue
            twice = (a, b, c, x, y, -x - y)
            own = me.three_j(*(number / 2 for number in twice))
            exact = float(wigner.wigner_3j(*(Rational(number, 2) for number in twice)))
            assert own == pytest.approx(exact, rel=1e-14, abs=1e-16)
            seen += own != 0.0
    assert seen > 200


def test_three_j_of_the_current_and_its_selection_rules():
    assert me.three_j(6.5, 1, 5.5, -1.5, 1, 0.5) ** 2 == pytest.approx(1 / 39)
    assert me.three_j(6.5, 1, 5.5, -1.5, 0, 0.5) == 0.0
    assert me.three_j(8.5, 1, 5.5, -1.5, 1, 0.5) == 0.0
    assert me.three_j(6.5, 1, 0.5, -1.5, 0, 1.5) == 0.0


def test_reduced_elements_against_eq_44():
    """3.231 from the magnetic rate; the printed 3.47 is that of the total rate."""
    er = read_scheme("er-ylf")
    md, ed = er.md["ep"], er.ed["ep"]
    assert me.reduced_spin(5.5, md, 1.5896) == pytest.approx(3.231, abs=1e-3)
    total = me.reduced_spin(5.5, md + ed, 1.5896)
    assert total == pytest.approx(er.printed["S_reduced"], rel=3e-3)
    velocity = me.reduced_velocity(5.5, ed, 1.5896)
    assert velocity == pytest.approx(2.01e-6, rel=2e-3)
    for misprint in ("v_reduced", "v_reduced_used"):
        assert abs(er.printed[misprint] / velocity - 1.0) > 0.2


def test_reduced_elements_give_the_rates_back():
    """gamma = eps^3/(3 pi) Sum |mu|^2 and the same with e v / eps, in SI."""
    spin, velocity, energy = 3.2, 2e-6, 1.5896
    joule = constants.ELEMENTARY_CHARGE_C
    hbar = constants.PLANCK_J_S / (2 * math.pi)
    c = constants.SPEED_OF_LIGHT_CM_PER_S / 100
    omega = energy * joule / hbar
    moment = constants.BOHR_MAGNETON_EV_PER_T * joule * spin
    mu_0 = 4 * math.pi * constants.FINE_STRUCTURE * hbar / (c * joule**2)  # e^2 = 2 eps_0 h c alpha
    rate = mu_0 * omega**3 * moment**2 / (3 * math.pi * hbar * c**3) / 12
    assert me.reduced_spin(5.5, rate, energy) == pytest.approx(spin, rel=1e-6)
    dipole = joule * velocity * c / omega
    rate = omega**3 * dipole**2 * mu_0 / (3 * math.pi * hbar * c) / 12
    assert me.reduced_velocity(5.5, rate, energy) == pytest.approx(velocity, rel=1e-6)


@pytest.mark.parametrize(
    ("md", "ed", "energy", "recomputed", "printed"),
    [
        (24.82, 2.46, 0.805, 0.248, 0.25),
        (4.26, 0.42, 0.481, 0.148, 0.15),
        (49.43, 7.91, 1.5894, 0.622, 1.2),
        (5.58, 4.73, 1.1091, 0.999, 1.0),
        (0.49, 5.52, 0.8318, 2.73, 2.7),
    ],
)
def test_table_one(md, ed, energy, recomputed, printed):
    value = 1e6 * me.velocity_over_spin(md, ed, energy)
    assert value == pytest.approx(recomputed, rel=2e-3)
    agrees = abs(value / printed - 1.0) < 0.02
    assert agrees is (printed != 1.2)  # the one misprint, twice too large
    ratio = me.reduced_velocity(5.5, ed, energy) / me.reduced_spin(5.5, md, energy)
    assert 1e6 * ratio == pytest.approx(value)


def test_spin_squared_of_any_vector_component():
    """Shares of M -> M + q from the ladder operators, in the place of 3j symbols."""
    target = load_target("er-ylf")
    reduced = me.reduced_spin(5.5, 49.43, target.epsilon_ep)
    shares = vector_coupling(5.5, 6.5)
    for m, q in ((0.5, 1), (0.5, 0), (0.5, -1), (3.5, 1)):
        other = replace(target, j_m=target.j_m | {"e": (5.5, m), "p": (6.5, m + q)})
        expected = 0.1547 * 0.2559 * shares[m, q] * reduced**2
        assert me.spin_squared(other, CORRECTED) == pytest.approx(expected)


@pytest.mark.parametrize(("m", "printed_m"), [(0.5, False), (1.5, True)])
def test_the_printed_s_squared_has_other_quantum_numbers(m, printed_m):
    """0.0157 is M = 3/2 -> 5/2 with the probabilities of 1/2 and 3/2."""
    target = load_target("er-ylf")
    total = {"ep": target.md_rates_per_s["ep"] + target.ed_rates_per_s["ep"]}
    other = replace(
        target, md_rates_per_s=total, j_m={"e": (5.5, m), "p": (6.5, m + 1), "g": (7.5, m + 2)}
    )
    agrees = abs(me.spin_squared(other, CORRECTED) / 0.0157 - 1.0) < 0.02
    assert agrees is printed_m


def test_rabi_frequencies_of_a13_are_ten_times_too_high():
    er = read_scheme("er-ylf")
    found = {
        "pg": me.rabi_per_s(27.28, 0.805, 10.0),
        "qg": me.rabi_per_s(4.13, 1.286, 10.0),
        "eq": me.rabi_per_s(10.31, 1.1086, 10.0),
    }
    kilohertz = {name: 1e-3 * value / (2 * math.pi) for name, value in found.items()}
    assert kilohertz == pytest.approx({"pg": 17.42, "qg": 3.357, "eq": 6.622}, rel=1e-3)
    assert er.printed["rabi_pg_kHz"] / kilohertz["pg"] == pytest.approx(10.0, rel=2e-3)


def test_h_r_and_c_of_eqs_8_and_24():
    target, lasers = load_target("er-ylf"), Lasers(trigger_mW_cm2=10.0)
    h = me.h_r(target, lasers, CORRECTED)
    assert h == pytest.approx(1383.0, rel=1e-3)
    # The printed 748 of Eq. (9) takes the rates and the energy of e -> p.
    other = replace(
        target,
        omega_s=target.epsilon_ep,
        md_rates_per_s=target.md_rates_per_s | {"pg": 49.43},
        ed_rates_per_s=target.ed_rates_per_s | {"pg": 7.91},
    )
    assert me.h_r(other, lasers, CORRECTED) == pytest.approx(748.0, rel=0.02)
    number = 1.4e19 * math.pi * 0.25
    assert me.prefactor_of(h, number) == pytest.approx(1.127e11 * (1383 / 748) ** 2, rel=3e-3)
