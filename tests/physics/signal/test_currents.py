"""Currents against exact Dirac bound states, time reversal, and identities."""

import numpy as np
import pytest

from renp_infer.errors import DomainError
from renp_infer.physics.constants import ELECTRON_MASS_EV
from renp_infer.physics.signal.currents import Currents, doublet_ladder, partner_channels
from tests import hydrogen
from tests.toys.currents import EPSILON, currents, rotated

STRONG, WEAK = 0.4, 0.02
"""Z alpha of the exact identities, and of those that hold for slow electrons."""


def between(upper, lower, strength):
    """States by (n, kappa, m), and the energy that their transition sets free."""
    a, b = hydrogen.State(*upper, strength), hydrogen.State(*lower, strength)
    return a, b, a.energy - b.energy


# ---- hydrogen-like states, exact ------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "kappa", "expected"),
    [
        (1, -1, np.sqrt(1 - STRONG**2)),
        (2, 1, np.sqrt((1 + np.sqrt(1 - STRONG**2)) / 2)),
        (2, -2, np.sqrt(1 - STRONG**2 / 4)),
    ],
)
def test_the_states_are_those_of_dirac(n, kappa, expected):
    state = hydrogen.State(n, kappa, 0.5, STRONG)
    assert state.energy == pytest.approx(expected, rel=1e-14, abs=0.0)
    norm = hydrogen.element(state, state, lambda psi, r, unit: psi)
    assert norm == pytest.approx(1.0, rel=1e-10, abs=0.0)


PAIRS = [
    ((2, -2, 0.5), (1, -1, 0.5)),  # 2p3/2 to 1s: E1
    ((2, -2, 1.5), (1, -1, 0.5)),
    ((2, 1, -0.5), (1, -1, 0.5)),  # 2p1/2 to 1s
    ((3, -3, 1.5), (1, -1, 0.5)),  # 3d5/2 to 1s: E2
]


@pytest.mark.parametrize(("upper", "lower"), PAIRS)
def test_charge_is_p_dot_v_over_eps_to_all_orders(upper, lower):
    # eps <e^{-iP.r}> = <alpha.P e^{-iP.r}>, retardation and relativity included
    a, b, eps = between(upper, lower, STRONG)
    for momentum in (np.array([0.3, -0.5, 0.6]) * eps, np.array([0.0, 0.2, 0.9]) * eps):
        wave = hydrogen.plane_wave(momentum)
        charge = hydrogen.element(b, a, wave)
        vector = hydrogen.vector(b, a, wave)
        assert abs(charge) > 1e-7
        assert eps * charge == pytest.approx(momentum @ vector, rel=1e-7, abs=0.0)


@pytest.mark.parametrize(("upper", "lower"), PAIRS[:3])
def test_velocity_is_minus_i_eps_r(upper, lower):
    a, b, eps = between(upper, lower, STRONG)
    velocity = hydrogen.vector(b, a, lambda psi, r, unit: psi)
    dipole = np.array([hydrogen.element(b, a, hydrogen.position(k)) for k in range(3)])
    assert np.max(np.abs(velocity)) > 0.05
    np.testing.assert_allclose(velocity, -1j * eps * dipole, atol=1e-12)


def first_order(b, a):
    """``<alpha_i r_j>``, shape (3, 3): V_i = -i <alpha_i r_j> P_j."""
    return np.array([hydrogen.vector(b, a, hydrogen.position(j)) for j in range(3)]).T


def quadrupole(b, a):
    rows = [[hydrogen.element(b, a, hydrogen.position(i, j)) for j in range(3)] for i in range(3)]
    return np.array(rows)


@pytest.mark.parametrize(
    ("upper", "lower"),
    [((3, -3, 1.5), (1, -1, 0.5)), ((2, -2, 1.5), (2, 1, 0.5)), ((2, -2, 0.5), (2, 1, -0.5))],
)
def test_symmetric_part_is_the_quadrupole_exactly(upper, lower):
    # [H, r_i r_j] = -i (alpha_i r_j + r_i alpha_j)
    a, b, eps = between(upper, lower, STRONG)
    matrix = first_order(b, a)
    symmetric = 0.5 * (matrix + matrix.T)
    np.testing.assert_allclose(
        -1j * symmetric, -0.5 * eps * quadrupole(b, a), atol=1e-9 * np.max(np.abs(symmetric))
    )


@pytest.mark.parametrize(("m", "other"), [(0.5, 0.5), (0.5, -0.5)])
def test_antisymmetric_part_of_the_ground_state_is_the_factor_of_breit(m, other):
    # (r x alpha) m = g J with g = 2 (1 + 2 sqrt(1 - (Z alpha)^2)) / 3, exactly
    a, b = (hydrogen.State(1, -1, k, STRONG) for k in (m, other))
    matrix = first_order(b, a)
    moment = np.array([matrix.T[1, 2] - matrix.T[2, 1], matrix.T[2, 0] - matrix.T[0, 2],
                       matrix.T[0, 1] - matrix.T[1, 0]])  # fmt: skip
    up, down = (1.0, 0.0), (0.0, 1.0)
    ket, bra = (np.array(up if k > 0 else down) for k in (m, other))
    spin = 0.5 * np.einsum("a,kab,b->k", bra, hydrogen.PAULI, ket)
    breit = 2.0 * (1.0 + 2.0 * np.sqrt(1.0 - STRONG**2)) / 3.0
    np.testing.assert_allclose(moment, breit * spin, atol=1e-10)


@pytest.mark.parametrize(
    ("upper", "lower"),
    [((2, -2, 1.5), (2, 1, 0.5)), ((2, -2, 0.5), (2, 1, 0.5)), ((2, -2, -0.5), (2, 1, 0.5))],
)
def test_weak_magnetism_and_quadrupole_of_slow_electrons(upper, lower):
    # 2p3/2 to 2p1/2: J has no element, so M = L + 2 S = S. With the spin of all four
    # components the rest is (Z alpha)^4; without the quadrupole it would be (Z alpha)^2
    errors = []
    for strength in (2.0 * WEAK, WEAK):
        a, b, eps = between(upper, lower, strength)
        spin = hydrogen.spin(b, a)
        found = Currents(
            spin=spin, magnetic=spin, quadrupole=quadrupole(b, a) / ELECTRON_MASS_EV**2
        )
        worst = 0.0
        for p in (np.array([0.7, 0.3, -0.5]), np.array([0.1, 0.8, 0.4])):
            expected = -1j * first_order(b, a) @ p
            vector = found.four(eps * ELECTRON_MASS_EV, p * ELECTRON_MASS_EV).vector[1:]
            worst = max(worst, np.max(np.abs(vector - expected)) / np.max(np.abs(expected)))
        errors.append(worst)
    assert errors[1] < WEAK**4
    assert errors[0] / errors[1] == pytest.approx(16.0, rel=0.05, abs=0.0)


def test_weak_magnetism_is_axial_current_times_p():
    # sign and size by hand: M along x, P along z, (i/2m) P x M along y
    found = Currents(spin=np.zeros(3), magnetic=np.array([1.0, 0.0, 0.0]))
    vector = found.four(EPSILON, np.array([0.0, 0.0, 0.5])).vector
    np.testing.assert_allclose(vector, [0.0, 0.0, 0.25j / ELECTRON_MASS_EV, 0.0], atol=1e-20)


# ---- time reversal, coordinates, refusals ---------------------------------------------


def test_the_vector_current_is_conserved(rng):
    ion, momenta = currents(rng), rng.normal(size=(5, 3))
    vector = ion.four(EPSILON, momenta).vector
    leak = EPSILON * vector[:, 0] - np.sum(momenta * vector[:, 1:], axis=1)
    np.testing.assert_allclose(leak, 0.0, atol=1e-20)
    spatial = ion.four(EPSILON, momenta, "spatial").vector
    np.testing.assert_array_equal(spatial[:, 0], 0.0)
    np.testing.assert_array_equal(spatial[:, 1:], np.broadcast_to(ion.velocity, (5, 3)))


def test_partner_emits_the_conjugate_current_into_the_opposite_direction(rng):
    # T turns e^{-iP.r} into e^{+iP.r}: A, V -> -conj at -P, the charge -> +conj
    ion, p = currents(rng), rng.normal(size=3)
    here, there = ion.partner.four(EPSILON, p), ion.four(EPSILON, -p)
    np.testing.assert_allclose(here.axial, -there.axial.conj())
    np.testing.assert_allclose(here.vector[1:], -there.vector[1:].conj())
    np.testing.assert_allclose(here.vector[0], there.vector[0].conj())


def test_partner_of_the_partner_is_the_channel(rng):
    ion = currents(rng)
    for name in ("spin", "magnetic", "quadrupole", "velocity", "delta_mu"):
        np.testing.assert_array_equal(getattr(ion.partner.partner, name), getattr(ion, name))


def test_handedness_changes_sign_with_the_partner(rng):
    ion = currents(rng)
    h = ion.handedness(EPSILON)
    np.testing.assert_allclose(ion.partner.handedness(EPSILON), -h)
    assert np.linalg.norm(h) > 0.1


def test_handedness_of_circular_currents_is_along_the_axis():
    circular = np.array([1.0, 1j, 0.0]) / np.sqrt(2.0)
    ion = Currents(spin=circular, magnetic=0.5 * circular)
    np.testing.assert_allclose(ion.handedness(EPSILON), [0.0, 0.0, 0.5], atol=1e-15)


def test_rotation_turns_everything(rng):
    ion, p = currents(rng), rng.normal(size=3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    turned = rotated(ion, turn)
    np.testing.assert_allclose(turned.handedness(EPSILON), turn @ ion.handedness(EPSILON))
    before, after = ion.four(EPSILON, p), turned.four(EPSILON, turn @ p)
    np.testing.assert_allclose(after.vector[1:], turn @ before.vector[1:])
    np.testing.assert_allclose(after.vector[0], before.vector[0])


def test_channels_of_partners_hold_both(rng):
    ion, p = currents(rng), rng.normal(size=3)
    both, phase = partner_channels(ion), 0.3
    mean = both.mean(doublet_ladder(phase), EPSILON, p)
    plus, minus = ion.four(EPSILON, p), ion.partner.four(EPSILON, p)
    for found, one, other in zip(mean, plus, minus, strict=True):
        np.testing.assert_allclose(found, 0.5 * (one + np.exp(2j * phase) * other))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"spin": np.zeros(2)}, "spin"),
        ({"quadrupole": np.zeros(3)}, "quadrupole"),
        ({"velocity": np.array([0.0, np.nan, 0.0])}, "velocity"),
        ({"axis": np.array([0.0, 0.0, 2.0])}, "axis"),
        ({"delta_mu": np.inf}, "delta_mu"),
        ({"doublets": 3}, "doublets"),
        ({"doublets": 0}, "two singlets"),
    ],
)
def test_impossible_currents_are_refused(change, named, rng):
    with pytest.raises(DomainError, match=named):
        currents(rng, **change)


def test_currents_cannot_be_changed_in_place(rng):
    spin = np.zeros(3, dtype=complex)
    ion = currents(rng, spin=spin)
    spin[0] = 1.0
    assert ion.spin[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        ion.spin[0] = 1.0
