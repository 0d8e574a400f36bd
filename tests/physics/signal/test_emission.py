"""Rate, moment and field against explicit spinors, anchors and symmetries."""

from dataclasses import replace
from functools import reduce
from math import pi

import numpy as np
import pytest

from renp_infer.errors import DomainError
from renp_infer.physics.constants import (
    ELECTRON_MASS_EV,
    EV_TO_PER_S,
    FERMI_CONSTANT_PER_EV2,
    PER_CM3_TO_EV3,
)
from renp_infer.physics.neutrinos import couplings, load_oscillation, make_parameters, masses
from renp_infer.physics.pairs.pair_tensor import (
    four_momentum,
    pair_structure,
    pair_sums,
    spin_velocity_density,
)
from renp_infer.physics.signal.currents import Currents, doublet_ladder, partner_channels
from renp_infer.physics.signal.emission import (
    Emitters,
    general_moment_rate_muB_per_s,
    moment_rate_muB_per_s,
)
from tests import spinors
from tests.toys.currents import (
    EPSILON,
    MASSES,
    NATURES,
    channels,
    complex_numbers,
    currents,
    hermitian,
    linear_light,
    momentum,
    rotated,
    time_even,
)
from tests.toys.emission import (
    conserving_moment_rate_muB_per_s,
    event_rate_per_s,
    field_rate_nG_per_s,
    general_rate_per_s,
)

CRYSTAL = Emitters(8.796459e19, 2.0 * pi, 0.01)
CIRCULAR = np.array([1.0, 1j, 0.0]) / np.sqrt(2.0)
ANCHOR = Currents(
    spin=np.sqrt(0.0106) * CIRCULAR, magnetic=np.sqrt(0.0106) * CIRCULAR, delta_mu=1.0
)


def standard(m1=0.01, nature="dirac", **phases):
    angles = {"delta": 0.0, "alpha21": 0.0, "alpha31": 0.0} | phases
    table = load_oscillation("nufit-6.0")
    p = make_parameters(m1, "normal", nature, table=table, **angles)
    return (*couplings(p), masses(p))


def sums_at(p, b, c, m, nature="dirac"):
    return pair_sums(EPSILON**2 - np.sum(np.square(p), axis=-1), m, b, c, nature)


def scale(ensemble=CRYSTAL):
    """(G_F^2/2) N^2 |rho|^2 (2 pi)^-6 2 pi (2 pi)^3/V: amplitude squared to rate, 1/s."""
    coherent = ensemble.ions**2 * ensemble.coherence_squared
    volume = ensemble.volume_cm3 / PER_CM3_TO_EV3
    per_state = (2 * pi) ** -6 * 2 * pi * (2 * pi) ** 3 / volume
    return 0.5 * FERMI_CONSTANT_PER_EV2**2 * coherent * per_state * EV_TO_PER_S


# ---- anchors --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "phase", "rate", "moment", "field"),
    [
        ((0.0, 0.0, 0.50), None, 3.7513173e-11, None, -2.32293e-28),
        ((0.0, 0.0, 0.92), None, 2.7674367e-11, None, -3.15425e-28),
        ((0.6, 0.0, 0.70), 0.3, 2.8133634e-11, -1.291151e-17, -2.39483e-28),
    ],
)
def test_anchors(p, phase, rate, moment, field):
    # the anchors have G_F = 1.1663788e-23, 9e-8 above CODATA's 1.1663787e-23
    b, c, m = standard()
    sums = sums_at(p, b, c, m)
    assert event_rate_per_s(CRYSTAL, ANCHOR, sums, p, phase) == pytest.approx(
        rate, rel=1e-6, abs=0.0
    )
    found = moment_rate_muB_per_s(CRYSTAL, ANCHOR, sums, EPSILON, p)
    if moment is not None:
        assert found == pytest.approx(moment, rel=1e-6, abs=0.0)
    assert field_rate_nG_per_s(found, 2.0 * pi, 1.0) == pytest.approx(field, rel=3e-6, abs=0.0)


def test_reference_of_the_normalised_noise():
    # massless Dirac at P = (eps/sqrt 3) n
    b, c, _ = standard()
    p = np.array([0.0, 0.0, EPSILON / np.sqrt(3.0)])
    sums = sums_at(p, b, c, np.zeros(3))
    moment = moment_rate_muB_per_s(CRYSTAL, ANCHOR, sums, EPSILON, p)
    assert field_rate_nG_per_s(moment, 2.0 * pi, 1.0) == pytest.approx(
        -3.1556e-28, rel=1e-4, abs=0.0
    )


def test_the_moment_is_largest_at_eps_over_root_three():
    b, c, m = standard(0.0)
    p = np.stack([np.zeros(2001), np.zeros(2001), np.linspace(0.0, EPSILON, 2001)], axis=-1)
    sums = sums_at(p, b, c, np.zeros(3))
    found = np.abs(moment_rate_muB_per_s(CRYSTAL, ANCHOR, sums, EPSILON, p))
    assert p[np.argmax(found), 2] == pytest.approx(EPSILON / np.sqrt(3.0), abs=1e-3)
    assert found[0] == 0.0


@pytest.mark.parametrize(("p_z", "years"), [(0.92, 46.0), (0.0, 30.0)])
def test_one_event_in_decades(p_z, years):
    b, c, m = standard()
    p = (0.0, 0.0, p_z)
    full = Emitters(CRYSTAL.ions, CRYSTAL.volume_cm3, 0.25)
    rate = event_rate_per_s(full, ANCHOR, sums_at(p, b, c, m), p)
    assert 1.0 / (rate * 365.25 * 86400.0) == pytest.approx(years, rel=0.02, abs=0.0)


def test_field_of_one_bohr_magneton():
    # B = mu_0 mu_B / V in SI: mu_0 = 4 pi 1e-7 (alpha's error, 2e-10), mu_B = 9.2740100657e-24 J/T
    tesla = 1.25663706127e-6 * 9.2740100657e-24 / (2.0 * pi * 1e-6)
    found = field_rate_nG_per_s(np.array(1.0), 2.0 * pi, 1.0)
    assert found == pytest.approx(tesla * 1e13, rel=1e-8, abs=0.0)


# ---- explicit spinors -----------------------------------------------------------------


@pytest.mark.parametrize("nature", NATURES)
@pytest.mark.parametrize("m", MASSES)
def test_rate_is_the_spinor_sum_of_two_partners(m, nature, rng):
    # <J> = rho (J_+ + e^{2 i phi} J_-)/2, axial currents, transverse S included
    for phase in (0.0, 0.3, 1.1):
        p, b, c = momentum(rng, m), hermitian(rng), hermitian(rng)
        ion, q = currents(rng), four_momentum(EPSILON, p)
        spin = ion.spin - np.exp(2j * phase) * ion.spin.conj()
        axial = np.array([0.0, *spin])
        expected = spinors.emission(q, m, b, c, (axial, np.zeros(4)), nature == "majorana")
        found = event_rate_per_s(CRYSTAL, ion, sums_at(p, b, c, m, nature), p, phase)
        assert found == pytest.approx(scale() * expected, rel=1e-11, abs=0.0)


@pytest.mark.parametrize("nature", NATURES)
@pytest.mark.parametrize("m", MASSES)
def test_moment_is_the_interference_of_the_spinors(m, nature, rng):
    # each partner alone, in size like its rate: weak magnetism made large, 1e-12
    for _ in range(3):
        p, b, c = momentum(rng, m), hermitian(rng), hermitian(rng)
        ion = currents(rng, velocity=np.zeros(3))
        q, total = four_momentum(EPSILON, p), 0.0
        grow, norm = 1e6, 0.0
        for sign, one in ((1.0, ion), (-1.0, ion.partner)):
            four = one.four(EPSILON, p)
            plus, minus = (
                spinors.emission(
                    q, m, b, c, (four.axial, s * grow * four.vector), nature != "dirac"
                )
                for s in (1.0, -1.0)
            )
            total += sign * 0.5 * (plus - minus) / grow
            norm += 0.5 * (plus + minus) / grow
        found = moment_rate_muB_per_s(CRYSTAL, ion, sums_at(p, b, c, m, nature), EPSILON, p)
        bound = 1e-12 * 0.25 * scale() * ion.delta_mu * norm
        assert found == pytest.approx(0.25 * scale() * ion.delta_mu * total, abs=bound)


@pytest.mark.parametrize("nature", NATURES)
def test_moment_is_the_difference_of_the_partners(nature, rng):
    # |J_+.N|^2 - |J_-.N|^2 at its true size: 1e-6 of each, so 1e-9 of the difference
    for m in MASSES:
        p = momentum(rng, m)
        b, c, _ = standard(0.01, nature, delta=0.4, alpha21=0.8)
        ion = currents(rng, velocity=np.zeros(3))
        q = four_momentum(EPSILON, p)
        one, other = (
            spinors.emission(q, m, b, c, channel.four(EPSILON, p), nature == "majorana")
            for channel in (ion, ion.partner)
        )
        found = moment_rate_muB_per_s(CRYSTAL, ion, sums_at(p, b, c, m, nature), EPSILON, p)
        expected = 0.25 * scale() * ion.delta_mu * (one - other)
        rounding = 2e-15 * 0.25 * scale() * ion.delta_mu * one
        assert found == pytest.approx(expected, rel=1e-9, abs=rounding)


@pytest.mark.parametrize("nature", NATURES)
def test_spin_velocity_leaves_no_moment_of_partners(nature, rng):
    # Eq. (61): the interference is there for each partner, and the same
    m, (b, c, _) = (0.01, 0.05, 0.3), standard(0.01, nature, alpha31=0.5)
    none = np.zeros(3)
    for _ in range(4):
        p = momentum(rng, m)
        q = four_momentum(EPSILON, p)
        ion = currents(rng, magnetic=none, quadrupole=np.zeros((3, 3)))
        each = []
        for channel in (ion, ion.partner):
            four = channel.four(EPSILON, p)
            plus, minus = (
                spinors.emission(q, m, b, c, (four.axial, s * 1e6 * four.vector), nature != "dirac")
                for s in (1.0, -1.0)
            )
            each.append(0.5 * (plus - minus))
        assert abs(each[0]) > 1e-3
        assert each[0] == pytest.approx(each[1], rel=1e-10, abs=0.0)
        found = moment_rate_muB_per_s(CRYSTAL, ion, sums_at(p, b, c, m, nature), EPSILON, p)
        assert found == 0.0


def test_asymmetry_of_one_partner():
    # 9.0e-7 c/b at |P| = 0.92 eV: S = M = e_+ along P, one massless pair
    p = np.array([0.0, 0.0, 0.92])
    ion = Currents(spin=CIRCULAR, magnetic=CIRCULAR)
    one = np.diag([1.0, 0.0, 0.0]).astype(complex)
    rates = [
        spinors.emission(four_momentum(EPSILON, p), (0.0,) * 3, one, one, k.four(EPSILON, p), False)
        for k in (ion, ion.partner)
    ]
    assert abs(rates[0] - rates[1]) / sum(rates) == pytest.approx(9.0e-7, rel=1e-2, abs=0.0)


# ---- the general form -----------------------------------------------------------------


@pytest.mark.parametrize("nature", NATURES)
def test_the_general_form_holds_the_closed_ones(nature, rng):
    for m in MASSES:
        p, b, c = momentum(rng, m), hermitian(rng), hermitian(rng)
        sums = sums_at(p, b, c, m, nature)
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        ion = currents(rng, axis=turn[0])
        for phase in (0.0, 0.7):
            ladder, both = doublet_ladder(phase), partner_channels(ion)
            violating, conserving = general_moment_rate_muB_per_s(
                CRYSTAL, both, ladder, sums, EPSILON, p
            )
            closed = moment_rate_muB_per_s(CRYSTAL, ion, sums, EPSILON, p)
            rate = event_rate_per_s(CRYSTAL, ion, sums, p, phase)
            # the general form subtracts the spin-velocity terms of the partners
            np.testing.assert_allclose(violating, closed * ion.axis, atol=1e-14 * rate)
            # what is left of the even part is v times V_mag: 1e-12
            np.testing.assert_allclose(conserving, 0.0, atol=1e-10 * rate)
            whole = general_rate_per_s(CRYSTAL, both, ladder, sums, EPSILON, p)
            assert whole == pytest.approx(rate, rel=1e-4, abs=0.0)


def test_what_the_closed_rate_drops():
    # v along S with the largest ratio of Table I, M = S; P from rest to the edge
    b, c, m = standard()
    spin = np.array([0.3, 0.4j, 0.5])
    for reach in (0.0, 0.6, 0.92, 1.55):
        p = reach * np.array([0.6, 0.0, 0.8])
        sums = sums_at(p, b, c, m)
        both = {}
        for ratio in (0.0, 2.73e-6):
            ion = Currents(spin=spin, magnetic=spin, velocity=ratio * spin)
            whole = general_rate_per_s(
                CRYSTAL, partner_channels(ion), doublet_ladder(np.pi / 4), sums, EPSILON, p
            )
            closed = event_rate_per_s(CRYSTAL, ion, sums, p, np.pi / 4)
            both[ratio] = abs(whole / closed - 1.0)
        assert both[0.0] < 2e-12
        assert 1e-7 < both[2.73e-6] < 3e-6


@pytest.mark.parametrize("nature", NATURES)
def test_the_general_form_is_the_spinor_sum(nature, rng):
    # any light, any partner-changing channel: T_mn <J^m>* <[m_k, J^n]> with spinors
    m = (0.02, 0.1, 0.4)
    for n_p, n_e in ((2, 2), (2, 1), (1, 2), (1, 1)):
        p, b, c = momentum(rng, m), hermitian(rng), hermitian(rng)
        q, sums = four_momentum(EPSILON, p), sums_at(p, b, c, m, nature)
        both = channels(rng, n_p, n_e, small=0.3)
        ladder = complex_numbers(rng, n_e, n_p)
        mean = both.mean(ladder, EPSILON, p)
        expected = spinors.emission(q, m, b, c, mean, nature == "majorana")
        found = general_rate_per_s(CRYSTAL, both, ladder, sums, EPSILON, p)
        assert found == pytest.approx(scale() * expected, rel=1e-11, abs=0.0)
        violating, conserving = general_moment_rate_muB_per_s(
            CRYSTAL, both, ladder, sums, EPSILON, p
        )
        for k in range(3):
            change = both.mean_change(ladder, k, EPSILON, p)
            direct = spinors.bilinear_emission(q, m, b, c, mean, change, nature == "majorana")
            assert violating[k] + conserving[k] == pytest.approx(
                scale() * direct.real, abs=1e-12 * scale() * max(abs(direct), expected)
            )


def test_rate_and_moment_of_a_collection_of_ions(rng):
    # three ions in a product state, collective jumps J_k = Sum_a j_k: the rate is
    # <J+ J>, the moment grows by Re <J+ [m, J]>; of them N (N - 1) is coherent
    ions, rho_l, phase = 3, 0.4, 0.3
    j = [np.kron(np.array([[0, 0], [1, 0]]), complex_numbers(rng, 2, 2)) for _ in range(2)]
    share = 0.5 * (1.0 + np.sqrt(1.0 - 4.0 * rho_l**2))
    state = np.zeros((4, 4), dtype=complex)  # e+, e-, p+, p-
    for partner, turn in ((0, 1.0), (1, np.exp(2j * phase))):
        psi = np.zeros(4, dtype=complex)
        psi[partner], psi[2 + partner] = np.sqrt(share) * turn, np.sqrt(1.0 - share)
        state += 0.5 * np.outer(psi, psi.conj())
    m = np.kron(np.diag([1.0, 0.0]), hermitian(rng, 2)) + np.kron(
        np.diag([0.0, 1.0]), hermitian(rng, 2)
    )

    def collective(one):
        parts = [[one if a == b else np.eye(4) for b in range(ions)] for a in range(ions)]
        return sum(reduce(np.kron, part) for part in parts)

    whole, total_m = reduce(np.kron, [state] * ions), collective(m)
    ladder = doublet_ladder(phase)
    for single in j:
        jump, low = collective(single), single[2:, :2]
        change = m[2:, 2:] @ low - low @ m[:2, :2]
        mean, moved = (rho_l * np.trace(ladder @ x) for x in (low, change))
        for after, pair in (
            (jump, abs(mean) ** 2),
            (total_m @ jump - jump @ total_m, (np.conj(mean) * moved).real),
        ):
            direct = np.trace(whole @ jump.conj().T @ after).real
            alone = single if after is jump else m @ single - single @ m
            own = np.trace(state @ single.conj().T @ alone).real
            assert direct == pytest.approx(
                ions * (ions - 1) * pair + ions * own, rel=1e-12, abs=0.0
            )


LEVELS = [(2, 2, True), (2, 2, False), (2, 1, False), (1, 2, False)]
"""States of p and of e, and whether T^2 = -1."""


@pytest.mark.parametrize(("n_p", "n_e", "kramers"), LEVELS)
@pytest.mark.parametrize("nature", NATURES)
def test_time_reversal_leaves_what_is_odd_in_p_alone(n_p, n_e, kramers, nature, rng):
    # unpolarised, linear light, partners mixed at will: dM(-P) = -dM(P), both parts
    m = (0.01, 0.05, 0.3)
    p, b, c = momentum(rng, m), hermitian(rng), hermitian(rng)
    sums = sums_at(p, b, c, m, nature)
    both = channels(rng, n_p, n_e, kramers, small=0.3)

    def both_ways(ladder):
        ways = (
            general_moment_rate_muB_per_s(CRYSTAL, both, ladder, sums, EPSILON, sign * p)
            for sign in (1.0, -1.0)
        )
        return list(zip(*ways, strict=True))

    for one, other in both_ways(linear_light(rng, n_e, n_p, kramers)):
        assert np.max(np.abs(one)) > 0.0
        np.testing.assert_allclose(one, -other, atol=1e-12 * np.max(np.abs(one)))
    _, (one, other) = both_ways(complex_numbers(rng, n_e, n_p))  # circular light
    assert np.max(np.abs(one + other)) > 1e-3 * np.max(np.abs(one))


@pytest.mark.parametrize(("n_p", "n_e", "kramers"), LEVELS)
def test_spin_velocity_leaves_no_moment_in_any_channels(n_p, n_e, kramers, rng):
    # partner-changing channels included: the odd part without M and Q is zero
    b, c, m = standard()
    p = np.array([0.3, -0.2, 0.7])
    sums = sums_at(p, b, c, m)
    both = channels(rng, n_p, n_e, kramers, small=0.3)
    both = replace(both, magnetic=0.0 * both.magnetic, quadrupole=0.0 * both.quadrupole)
    ladders = linear_light(rng, n_e, n_p, kramers), complex_numbers(rng, n_e, n_p)
    none, some = (
        general_moment_rate_muB_per_s(CRYSTAL, both, ladder, sums, EPSILON, p)[0]
        for ladder in ladders
    )
    rate = general_rate_per_s(CRYSTAL, both, ladders[0], sums, EPSILON, p)
    np.testing.assert_allclose(none, 0.0, atol=1e-13 * rate)
    assert np.max(np.abs(some)) > 1e-3 * rate


# ---- singlets -------------------------------------------------------------------------


def test_singlet_and_doublet_emit_twice_as_much(rng):
    # e a singlet: the ladder reaches both partners of p with 1/sqrt 2 each
    b, c, m = standard()
    p, phase = np.array([0.3, -0.2, 0.7]), 0.4
    sums, z = sums_at(p, b, c, m), np.diag([0.85, -0.85]).astype(complex)
    ladder = np.array([[1.0, np.exp(2j * phase)]]) / np.sqrt(2.0)
    for _ in range(4):
        both = replace(channels(rng, 2, 1), moment_p=np.array([0.0 * z, 0.0 * z, z]))
        one = {
            name: getattr(both, name)[..., 0, 0]
            for name in ("spin", "magnetic", "quadrupole", "velocity")
        }
        ion = Currents(**one, delta_mu=0.85, doublets=1)
        np.testing.assert_allclose(both.spin[:, 1, 0], ion.partner.spin)
        rate = general_rate_per_s(CRYSTAL, both, ladder, sums, EPSILON, p)
        assert event_rate_per_s(CRYSTAL, ion, sums, p, phase) == pytest.approx(
            rate, rel=1e-4, abs=0.0
        )
        violating, _ = general_moment_rate_muB_per_s(CRYSTAL, both, ladder, sums, EPSILON, p)
        found = moment_rate_muB_per_s(CRYSTAL, ion, sums, EPSILON, p)
        np.testing.assert_allclose(violating, [0.0, 0.0, found], atol=1e-14 * rate)
        doublets = Currents(**one, delta_mu=0.85)
        for twice, once in (
            (found, moment_rate_muB_per_s(CRYSTAL, doublets, sums, EPSILON, p)),
            (event_rate_per_s(CRYSTAL, ion, sums, p), event_rate_per_s(CRYSTAL, doublets, sums, p)),
        ):
            assert twice == pytest.approx(2.0 * once, rel=1e-12, abs=0.0)


def test_two_singlets_emit_and_leave_no_moment(rng):
    b, c, m = standard()
    p = np.array([0.3, -0.2, 0.7])
    sums = sums_at(p, b, c, m)
    both = channels(rng, 1, 1)
    ion = Currents(spin=both.spin[:, 0, 0], magnetic=both.magnetic[:, 0, 0], doublets=0)
    rate = general_rate_per_s(CRYSTAL, both, np.eye(1, dtype=complex), sums, EPSILON, p)
    assert event_rate_per_s(CRYSTAL, ion, sums, p) == pytest.approx(rate, rel=1e-4, abs=0.0)
    assert moment_rate_muB_per_s(CRYSTAL, ion, sums, EPSILON, p) == 0.0
    # a singlet has no moment: no time-odd Hermitian number
    np.testing.assert_array_equal(both.moment_p, 0.0)
    doublet = Currents(spin=ion.spin)
    assert event_rate_per_s(CRYSTAL, doublet, sums, p) == pytest.approx(
        0.5 * rate, rel=1e-4, abs=0.0
    )


@pytest.mark.parametrize(("n_p", "n_e", "kramers"), LEVELS)
def test_one_channel_of_many(n_p, n_e, kramers, rng):
    # the ladder of that channel and its time-reversed one alone
    b, c, m = standard()
    p = np.array([0.3, -0.2, 0.7])
    sums = sums_at(p, b, c, m)
    both = channels(rng, n_p, n_e, kramers)
    definite = {
        name: np.array([np.diag(np.diag(k)) for k in getattr(both, name)])
        * np.array([0.0, 0.0, 1.0])[:, None, None]
        for name in ("moment_p", "moment_e")
    }
    both = replace(both, **definite)
    for to, start in np.ndindex(n_p, n_e):
        ladder = np.zeros((n_e, n_p), dtype=complex)
        ladder[start, to] = 1.0
        ladder = time_even(ladder, kramers)
        ladder *= (0.5 if n_p == n_e else np.sqrt(0.5)) / np.max(np.abs(ladder))
        ion = both.currents(to, start)
        assert ion.doublets == (n_p == 2) + (n_e == 2)
        violating, _ = general_moment_rate_muB_per_s(CRYSTAL, both, ladder, sums, EPSILON, p)
        rate = general_rate_per_s(CRYSTAL, both, ladder, sums, EPSILON, p)
        found = moment_rate_muB_per_s(CRYSTAL, ion, sums, EPSILON, p)
        np.testing.assert_allclose(violating, [0.0, 0.0, found], atol=1e-13 * rate)


def test_states_without_definite_moments_have_no_channel(rng):
    with pytest.raises(DomainError, match="moment_p along z"):
        channels(rng).currents(0, 0)


# ---- what the currents leave out ------------------------------------------------------


def test_axial_corrections_leave_no_moment(rng):
    # <sigma.p>, even under T, and -i P_j <2 S_i r_j> need mixed parity: alone they leave a
    # moment, by |b|^2, but the sites that inversion exchanges emit together. The second
    # order, -(P.r)^2/2 times 2 S_i, is even in P: nothing at any site
    m, (b, c, _) = (0.01, 0.05, 0.3), standard()
    p = np.array([0.3, -0.2, 0.7])
    q, spin, zero = four_momentum(EPSILON, p), complex_numbers(rng, 3), np.zeros(4)
    charge, first = complex_numbers(rng), complex_numbers(rng, 3, 3)
    second = complex_numbers(rng, 3, 3, 3)

    def moment(site, mixed, higher):
        """T_++ - T_--: mean over sites of inversion parity +-1 in ``site``."""
        difference = 0.0
        for sign, conjugate in ((1.0, np.asarray), (-1.0, np.conj)):
            axial = np.zeros(4, dtype=complex)
            for parity in site:
                one = mixed * parity
                space = sign * (2.0 * conjugate(spin) - 1j * one * conjugate(first) @ p)
                space = space - sign * 0.5 * higher * conjugate(second) @ p @ p
                axial += np.array([one * conjugate(charge), *space]) / len(site)
            difference += sign * spinors.emission(q, m, b, c, (axial, zero), False)
        return difference

    scale_of = spinors.emission(q, m, b, c, (np.array([0.0, *(2.0 * spin)]), zero), False)
    assert abs(moment([1.0], 0.1, 0.0)) > 1e-3 * scale_of
    for site, mixed, higher in (([1.0], 0.0, 0.0), ([1.0], 0.0, 0.1), ([1.0, -1.0], 0.1, 0.1)):
        assert abs(moment(site, mixed, higher)) < 1e-13 * scale_of


# ---- geometry and polarisation --------------------------------------------------------


def test_c_axis_in_the_plane_and_normal_to_it():
    # P.n = P_z cos c + P_x sin c; zero where c is normal to the plane of P
    b, c, m = standard()
    p = np.array([0.6, 0.0, 0.7])
    sums = sums_at(p, b, c, m)
    along = moment_rate_muB_per_s(CRYSTAL, ANCHOR, sums, EPSILON, np.array([0.0, 0.0, 1.0]))
    for angle in (0.0, 0.4, 2.0):
        turn = np.array(
            [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
        )
        found = moment_rate_muB_per_s(CRYSTAL, rotated(ANCHOR, turn), sums, EPSILON, p)
        expected = along * (p[2] * np.cos(angle) + p[0] * np.sin(angle))
        assert found == pytest.approx(expected, rel=1e-12, abs=0.0)
    normal = rotated(ANCHOR, np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]]))
    assert moment_rate_muB_per_s(CRYSTAL, normal, sums, EPSILON, p) == 0.0


def test_choice_of_the_partner_changes_nothing(rng):
    b, c, m = standard()
    p = np.array([0.6, 0.2, 0.7])
    sums, ion = sums_at(p, b, c, m), currents(rng)
    for one, other in (
        [moment_rate_muB_per_s(CRYSTAL, k, sums, EPSILON, p) for k in (ion, ion.partner)],
        [event_rate_per_s(CRYSTAL, k, sums, p) for k in (ion, ion.partner)],
    ):
        assert one == pytest.approx(other, rel=1e-12, abs=0.0)


def test_laser_phase_averages_out(rng):
    b, c, m = standard()
    p = np.array([0.6, 0.2, 0.7])
    sums, ion = sums_at(p, b, c, m), currents(rng)
    phases = np.pi * np.arange(7) / 7.0
    rates = [event_rate_per_s(CRYSTAL, ion, sums, p, phase) for phase in phases]
    assert np.mean(rates) == pytest.approx(
        event_rate_per_s(CRYSTAL, ion, sums, p), rel=1e-12, abs=0.0
    )
    assert np.ptp(rates) > 0.1 * np.mean(rates)
    # odd in the phase without any CP violation: a naive T-odd term of the rate
    assert rates[1] != pytest.approx(
        event_rate_per_s(CRYSTAL, ion, sums, p, -phases[1]), rel=1e-3, abs=0.0
    )


@pytest.mark.parametrize("polarisation", [-1.0, -0.2, 2e-3, 1.0])
def test_polarised_target(polarisation, rng):
    # the general form with unequal partners: exact, for every phase, even in P
    b, c, m = standard()
    p = np.array([0.6, 0.2, 0.7])
    sums, ion = sums_at(p, b, c, m), currents(rng)
    for phase in (0.0, 0.9):
        ladder = doublet_ladder(phase, polarisation)
        for sign in (1.0, -1.0):
            _, conserving = general_moment_rate_muB_per_s(
                CRYSTAL, partner_channels(ion), ladder, sums, EPSILON, sign * p
            )
            found = conserving_moment_rate_muB_per_s(
                ion, event_rate_per_s(CRYSTAL, ion, sums, p), polarisation
            )
            np.testing.assert_allclose(conserving, [0, 0, found], rtol=1e-8, atol=1e-8 * abs(found))


def test_a_polarisation_of_3e_7_equals_the_signal():
    # |M| = |S| at |P_z| = 0.92 eV
    b, c, m = standard()
    p = np.array([0.0, 0.0, 0.92])
    sums = sums_at(p, b, c, m)
    signal = moment_rate_muB_per_s(CRYSTAL, ANCHOR, sums, EPSILON, p)
    rate = event_rate_per_s(CRYSTAL, ANCHOR, sums, p)
    equal = abs(signal) / conserving_moment_rate_muB_per_s(ANCHOR, rate, 1.0)
    assert equal == pytest.approx(3e-7, rel=0.1, abs=0.0)


def test_a_polarised_target_sees_spin_velocity(rng):
    # one partner alone: Eq. (61)'s interference with conserved current, 8 Phi K S.v
    b, c = np.diag([1.0, 0, 0]).astype(complex), np.diag([1.0, 0, 0]).astype(complex)
    p, none = np.array([0.2, 0.1, 0.7]), np.zeros(3)
    sums = sums_at(p, b, c, np.zeros(3))
    ion = currents(rng, magnetic=none, quadrupole=np.zeros((3, 3)))
    violating, _ = general_moment_rate_muB_per_s(
        CRYSTAL, partner_channels(ion), doublet_ladder(0.0, 1.0), sums, EPSILON, p
    )
    pair = pair_structure(EPSILON**2 - p @ p, 0.0, 0.0)
    density = spin_velocity_density(pair, EPSILON, p, ion.spin, ion.velocity, conserved=True)
    expected = -8.0 * density * scale() * ion.delta_mu
    assert violating[2] == pytest.approx(expected, rel=1e-10, abs=0.0)


def test_handedness_is_what_the_currents_interfere_by(rng):
    # Re(A.V*) = h.P / m_e
    ion, p = currents(rng, velocity=np.zeros(3)), rng.normal(size=3)
    four = ion.four(EPSILON, p)
    product = (four.axial[1:] @ four.vector[1:].conj()).real
    found = p @ ion.handedness(EPSILON) / ELECTRON_MASS_EV
    assert found == pytest.approx(product, rel=1e-12, abs=0.0)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((0.0, 1.0, 0.1), "ions"),
        ((1.0, -1.0, 0.1), "volume_cm3"),
        ((1.0, 1.0, 0.26), "1/4"),
        ((1.0, 1.0, np.nan), "coherence_squared"),
    ],
)
def test_impossible_ensembles_are_refused(values, named):
    with pytest.raises(DomainError, match=named):
        Emitters(*values)


def test_arrays_of_momenta_are_points(rng):
    b, c, m = standard()
    p = np.array([[momentum(rng, m) for _ in range(3)] for _ in range(2)])
    sums, ion = sums_at(p, b, c, m), currents(rng)
    rate = event_rate_per_s(CRYSTAL, ion, sums, p, 0.2)
    moment = moment_rate_muB_per_s(CRYSTAL, ion, sums, EPSILON, p)
    violating, _ = general_moment_rate_muB_per_s(
        CRYSTAL, partner_channels(ion), doublet_ladder(0.2), sums, EPSILON, p
    )
    assert rate.shape == moment.shape == (2, 3)
    assert violating.shape == (2, 3, 3)
    for k in np.ndindex(2, 3):
        here = sums_at(p[k], b, c, m)
        assert event_rate_per_s(CRYSTAL, ion, here, p[k], 0.2) == pytest.approx(
            rate[k], rel=1e-12, abs=0.0
        )
        assert moment_rate_muB_per_s(CRYSTAL, ion, here, EPSILON, p[k]) == pytest.approx(
            moment[k], rel=1e-12, abs=0.0
        )
