"""Channels between Stark levels: brute force, closed forms, symmetries, the anchors of erbium."""

import itertools
import math

import numpy as np
import pytest

from renp_infer.errors import ConfigError
from renp_infer.physics.constants import PHOTON_EV_CM
from renp_infer.physics.ions.crystal_field import (
    ELECTRON_G,
    Stark,
    find_level,
    manifold,
    stark_levels,
    time_reversed,
)
from renp_infer.physics.ions.intensities import md_rate_per_s
from renp_infer.physics.ions.ladder import (
    Operators,
    channel_operators,
    channels_between,
    plus_state,
)
from renp_infer.physics.ions.recipe import read_recipe
from renp_infer.physics.ions.shell import cartesian, load_shell, quadrupole
from renp_infer.physics.targets import channels as ch
from renp_infer.physics.targets.scheme import locate, read_scheme
from renp_infer.physics.targets.target import channels_of, stark_energies
from renp_infer.resources import read_toml
from tests.determinants import Determinants

FREE_PR = {"F2": 68955.0, "F4": 50505.0, "F6": 33098.0, "ZETA": 748.0, "ALPHA": 23.3}
FIELD_PR = {"B20": 512.0, "B40": -1127.0, "B44": -1239.0, "B60": -85.0, "B64": -1205.0 + 300.0j}
R2 = 1.2


@pytest.fixture(scope="module")
def pr():
    return load_shell(2)


@pytest.fixture(scope="module")
def pr_levels(pr):
    return stark_levels(pr, FREE_PR, FIELD_PR)


@pytest.fixture(scope="module")
def pr_operators(pr):
    return channel_operators(pr, R2)


def invariants(channel):
    """What no phase of a state changes."""
    return np.array([
        channel.spin_squared,
        sum(abs(m) ** 2 for m in channel.magnetic),
        sum(abs(q) ** 2 for q in channel.quadrupole),
        *ch.magnetic_part(channel),
        *ch.quadrupole_part(channel),
        *channel.mu,
    ])  # fmt: skip


def by_hand(space, operators, initial, final, epsilon, r2):
    """The same numbers from determinants; None where S is forbidden."""
    spin, magnetic, quad, moment = operators
    s = np.array([final.conj() @ o @ initial for o in spin])
    if np.sum(np.abs(s) ** 2) < 1e-9:
        return None
    m = np.array([final.conj() @ o @ initial for o in magnetic])
    q = r2 * np.array([[final.conj() @ o @ initial for o in row] for row in quad])
    cross = [
        m[1].conj() * s[2] - m[2].conj() * s[1],
        m[2].conj() * s[0] - m[0].conj() * s[2],
        m[0].conj() * s[1] - m[1].conj() * s[0],
    ]
    # m_e eps <r_i r_j> in units of hbar = c = 1, a0 = 1 / (alpha m_e).
    scale = epsilon / (7.2973525643e-3**2 * 510998.95069)
    upper = [q[0, 0], q[0, 1], q[0, 2], q[1, 1], q[1, 2], q[2, 2]]
    return np.array([
        np.sum(np.abs(s) ** 2), np.sum(np.abs(m) ** 2), np.sum(np.abs(upper) ** 2),
        *np.imag(cross), *(-scale * np.real(s @ q.conj())),
        *(np.real(x.conj() @ moment @ x) for x in (initial, final)),
    ])  # fmt: skip


def compare_with_determinants(space, free, field, shell, r2, upper, lower):
    """All channels between two ranges of levels; returns how many there are."""
    matrix = space.hamiltonian(free, field)
    ours, theirs = stark_levels(shell, free, field), space.levels(matrix)
    # dieke reads tables of seven digits: energies to 1e-3 1/cm, elements to 1e-5.
    assert [x.energy for x in ours] == pytest.approx([x for x, _ in theirs], abs=2e-3)
    total = space.orbital + 2.0 * space.spin
    moment = space.orbital + ELECTRON_G * space.spin
    brute = (space.spin, total, space.quadrupole(), moment[2])
    operators, count = channel_operators(shell, r2), 0
    for a, b in itertools.product(upper, lower):
        found = channels_between(operators, ours[a], ours[b], (1, 1), 1.5)
        states_a, states_b = theirs[a][1], theirs[b][1]
        finals = {"same": states_b[0]}
        if len(states_a) == len(states_b) == 2:
            finals["other"] = states_b[1]
        for partners, final in finals.items():
            expected = by_hand(space, brute, states_a[0], final, 1.5, r2)
            match = [c for c in found if c.partners == partners]
            assert len(match) == (0 if expected is None else 1), (a, b, partners)
            if match:
                count += 1
                np.testing.assert_allclose(invariants(match[0]), expected, atol=2e-5)
        if found:
            states = (states_a[0], states_b[0], len(states_a), len(states_b))
            check_elements(space, moment, ch.elements(tuple(found)), *states)
    return count


def test_praseodymium_against_determinants(pr):
    """Intermediate coupling, J mixing, doublets and singlets: no 3j, no parentage."""
    count = compare_with_determinants(
        Determinants(2), FREE_PR, FIELD_PR, pr, R2, range(7, 23), range(7)
    )
    assert count > 60


@pytest.mark.parametrize(("n", "zeta"), [(1, 630.0), (13, 2916.0)])
def test_cerium_and_ytterbium_against_determinants(n, zeta):
    """One electron and one hole: spin-orbit coupling and the field."""
    count = compare_with_determinants(
        Determinants(n), {"ZETA": zeta}, FIELD_PR, load_shell(n), R2, range(3, 7), range(3)
    )
    assert count > 12


@pytest.mark.slow
def test_erbium_against_determinants():
    """Eleven electrons: the operators of the recipe that need no three-body table."""
    recipe = read_recipe("er-ylf")
    free = {k: recipe.free_ion[k] for k in ("F2", "F4", "F6", "ZETA", "ALPHA")}
    shell = load_shell(11)
    levels = stark_levels(shell, free, recipe.field)
    places = {id(level): k for k, level in enumerate(levels)}
    upper, lower = (
        [places[id(x)] for x in manifold(levels, name)] for name in ("2H11/2", "4I13/2")
    )
    count = compare_with_determinants(
        Determinants(11), free, recipe.field, shell, recipe.r2, upper, lower
    )
    assert count == 63


def check_elements(space, moment, ours, e, p, n_e, n_p):
    """Traces around closed paths, which have no phase, of all elements of two levels."""
    e_all, p_all = ([x, space.reverse(x)][:n] for x, n in ((e, n_e), (p, n_p)))
    bra, ket = np.array(p_all).conj(), np.array(e_all).T
    spin = np.array([bra @ o @ ket for o in space.spin])
    before = np.array([ket.conj().T @ o @ ket for o in moment])
    after = np.array([bra @ o @ bra.conj().T for o in moment])
    theirs = np.einsum("iab,jbc,kcd,lad->ijkl", after, spin, before, spin.conj())
    found = np.einsum(
        "iab,jbc,kcd,lad->ijkl", ours.moment_p, ours.spin, ours.moment_e, ours.spin.conj()
    )
    np.testing.assert_allclose(found, theirs, atol=2e-5 * max(1.0, np.abs(theirs).max()))
    for path, one, two in (
        ("iab,jbc,lac->ijl", after, ours.moment_p),
        ("iba,jcb,lca->ijl", before, ours.moment_e),
        ("iaa,jbc,lbc->ijl", np.ones((1, 1, 1)), np.ones((1, 1, 1))),
    ):
        expected = np.einsum(path, one, spin, spin.conj())
        found = np.einsum(path, two, ours.spin, ours.spin.conj())
        np.testing.assert_allclose(found, expected, atol=2e-5 * max(1.0, np.abs(expected).max()))

    if n_e + n_p == 3:  # product of both partners, with T|singlet> = |singlet>
        single = e if n_e == 1 else p
        even = np.exp((1j if n_e == 1 else -1j) * np.angle(np.vdot(single, space.reverse(single))))
        pairs = [x.reshape(3, 2) for x in (spin, ours.spin)]
        theirs, found = (np.outer(x[:, 0], x[:, 1]) for x in pairs)
        np.testing.assert_allclose(found, even * theirs, atol=2e-5)


def multiplet(space, j, zeta):
    """States of spin-orbit coupling with one J, as Stark levels |J, +-M>, M modulo 4 apart."""
    total = sum(o @ o for o in space.spin + space.orbital)
    energies, vectors = np.linalg.eigh(total + 1e-3 * np.diag(space.m))
    inside = [k for k in range(len(energies)) if round(energies[k]) == round(j * (j + 1))]
    found = {}
    for k in inside:
        found[round(2 * np.real(vectors[:, k].conj() @ (space.m * vectors[:, k]))) / 2] = vectors[
            :, k
        ]
    return found


def doublet(states, m, energy=0.0):
    """Stark level of |+-m>, "+" the one with M > 0 modulo 4."""
    classes = tuple(2.0 - (2.0 - x) % 4.0 for x in (m, -m))
    pair = np.array([states[m], states[-m]]).T
    return Stark("x", abs(m), energy, "x", pair, classes, {}, 0.0, 0.0)


def operators_of(space):
    quad = space.quadrupole()
    six = np.array([quad["xyz".index(a), "xyz".index(b)] for a, b in ch.QUADRUPOLE])
    moment = space.orbital + ELECTRON_G * space.spin
    return Operators(space.spin, space.orbital + 2.0 * space.spin, moment, six, space.reverse)


@pytest.mark.parametrize(("n", "sign"), [(1, 1), (13, -1)])
@pytest.mark.parametrize("j", [2.5, 3.5])
def test_one_electron_or_hole_within_one_j(n, sign, j):
    """Cerium and ytterbium: M = g_J J, S = (g_J - 1) J, g of 2F5/2 6/7, of 2F7/2 8/7."""
    space = Determinants(n)
    states, g = multiplet(space, j, sign), {2.5: 6.0 / 7.0, 3.5: 8.0 / 7.0}[j]
    operators = operators_of(space)
    (channel,) = channels_between(
        operators, doublet(states, 0.5), doublet(states, 1.5), (1, 1), 1.0
    )
    raising = math.sqrt(j * (j + 1) - 0.75) / 2.0  # <3/2|J_x|1/2>
    assert abs(channel.spin[0]) == pytest.approx(abs(g - 1.0) * raising, rel=1e-7)
    ratio = np.array(channel.magnetic)[:2] / np.array(channel.spin)[:2]
    np.testing.assert_allclose(ratio, g / (g - 1.0), rtol=1e-6)
    g_s = 1.0 + (ELECTRON_G - 1.0) * (g - 1.0)  # Lande with g_s
    assert channel.mu == pytest.approx((0.5 * g_s, 1.5 * g_s), rel=1e-7)
    # M to M + 1: n along -c for M parallel to S, +c for M antiparallel.
    assert ch.axis(channel)[2] == pytest.approx(-math.copysign(1.0, g - 1.0))


@pytest.mark.parametrize("n", [1, 13])
def test_between_different_j_m_is_s(n):
    """J has no elements there."""
    space = Determinants(n)
    upper, lower = multiplet(space, 3.5, 1), multiplet(space, 2.5, 1)
    operators = operators_of(space)
    for m, m_p in ((0.5, 1.5), (1.5, 0.5), (0.5, 0.5), (1.5, 1.5)):
        for channel in channels_between(
            operators, doublet(upper, m), doublet(lower, m_p), (1, 1), 1.0
        ):
            np.testing.assert_allclose(channel.magnetic, channel.spin, atol=1e-8)


def test_operators_are_hermitian_and_traceless(pr, pr_operators):
    for stack in (pr_operators.spin, pr_operators.magnetic, pr_operators.quadrupole):
        for matrix in stack:
            np.testing.assert_allclose(matrix, matrix.conj().T, atol=1e-12)
            assert abs(np.trace(matrix)) < 1e-10
    np.testing.assert_allclose(sum(pr_operators.quadrupole[[0, 3, 5]]), 0.0, atol=1e-12)


def test_the_quadrupole_turns_as_a_tensor(pr):
    """[L_k + S_k, Q_ij] = i (eps_kia Q_aj + eps_kjb Q_ib); [S_k, Q] = 0."""
    q, s = quadrupole(pr), cartesian(pr.spin)
    total = s + cartesian(pr.orbital)
    epsilon = np.zeros((3, 3, 3))
    for k, i, j in itertools.permutations(range(3)):
        epsilon[k, i, j] = np.linalg.det(np.eye(3)[[k, i, j]])
    for k, i, j in itertools.product(range(3), repeat=3):
        expected = 1j * (
            np.einsum("a,anm->nm", epsilon[k, i], q[:, j])
            + np.einsum("b,bnm->nm", epsilon[k, j], q[i, :])
        )
        np.testing.assert_allclose(total[k] @ q[i, j] - q[i, j] @ total[k], expected, atol=1e-11)
        np.testing.assert_allclose(s[k] @ q[i, j] - q[i, j] @ s[k], 0.0, atol=1e-11)


def test_sum_rules_over_the_configuration(pr, pr_operators):
    """Tr (Sum o)^2 of two electrons is C(12, 1) Tr o^2 for o without trace.

    One electron: s^2 = 3/4, (l + 2 s)^2 = 12 + 3 and l . s averages out; Sum Q_ij^2
    within l = 3 is (2/3) Sum |C^2_q|^2 = (2/3) 7 (3 2 3; 0 0 0)^2 = 8/45.
    """
    spin = sum(np.sum(np.abs(o) ** 2) for o in pr_operators.spin)
    magnetic = sum(np.sum(np.abs(o) ** 2) for o in pr_operators.magnetic)
    quad = np.sum(np.abs(quadrupole(pr)) ** 2)
    assert spin == pytest.approx(12 * 14 * 0.75)
    assert magnetic == pytest.approx(12 * 14 * 15.0)
    assert quad == pytest.approx(12 * 14 * 8.0 / 45.0)


def test_phases_of_the_states_change_nothing(pr_operators, pr_levels):
    rng = np.random.default_rng(3)

    def turned(level):
        phases = np.exp(2j * np.pi * rng.uniform(size=len(level.classes)))
        return Stark(**(vars(level) | {"states": level.states * phases}))

    for a, b in itertools.product(pr_levels[7:16], pr_levels[:7]):
        one = channels_between(pr_operators, a, b, (1, 1), 0.3)
        two = channels_between(pr_operators, turned(a), turned(b), (1, 1), 0.3)
        assert len(one) == len(two)
        for x, y in zip(one, two, strict=True):
            np.testing.assert_allclose(x.spin, y.spin, atol=1e-7)
            np.testing.assert_allclose(x.magnetic, y.magnetic, atol=1e-7)
            np.testing.assert_allclose(x.quadrupole, y.quadrupole, atol=1e-7)
            assert ch.figure_of_merit(x) == pytest.approx(ch.figure_of_merit(y), abs=1e-8)


def test_the_other_partner_by_time_reversal(pr, pr_operators, pr_levels):
    """S_- = -S_+*, M_- = -M_+*, Q_- = Q_+*, and moments change sign."""
    doublets = [level for level in pr_levels if len(level.classes) == 2]
    checked = 0
    for a, b in itertools.product(doublets[3:6], doublets[:3]):
        e, p = plus_state(a), plus_state(b)
        te, tp = (time_reversed(pr, x[:, None])[:, 0] for x in (e, p))
        other = a.states[:, int(np.argmin(a.classes))]
        assert abs(np.vdot(te, other)) == pytest.approx(1.0, abs=1e-9)
        for stack, sign in (
            (pr_operators.spin, -1.0), (pr_operators.magnetic, -1.0), (pr_operators.quadrupole, 1.0)
        ):  # fmt: skip
            plus, minus = (
                np.array([y.conj() @ o @ x for o in stack]) for x, y in ((e, p), (te, tp))
            )
            np.testing.assert_allclose(minus, sign * plus.conj(), atol=1e-9)
            checked += np.abs(plus).max() > 1e-3
        moment = pr_operators.moment[2]
        assert np.vdot(te, moment @ te).real == pytest.approx(-np.vdot(e, moment @ e).real)
    assert checked > 5


def test_a_turn_about_c_turns_the_vectors_and_no_figure(pr, pr_operators, pr_levels):
    """B_k4 exp(4 i phi) is the field turned by phi."""
    phi = 0.37
    field = {k: v * np.exp(4j * phi) if k[2] == "4" else v for k, v in FIELD_PR.items()}
    levels = stark_levels(pr, FREE_PR, field)
    for a, b in itertools.product(range(7, 16), range(7)):
        one = channels_between(pr_operators, pr_levels[a], pr_levels[b], (1, 1), 0.3)
        two = channels_between(pr_operators, levels[a], levels[b], (1, 1), 0.3)
        for x, y in zip(one, two, strict=True):
            np.testing.assert_allclose(invariants(x), invariants(y), atol=1e-7)
            assert ch.figure_of_merit(x) == pytest.approx(ch.figure_of_merit(y), abs=1e-8)


def test_the_interference_lies_along_c(pr_operators, pr_levels):
    """Symmetry S4: nothing across c, whatever the levels."""
    for a, b in itertools.product(pr_levels[7:16], pr_levels[:7]):
        for channel in channels_between(pr_operators, a, b, (1, 1), 0.3):
            np.testing.assert_allclose(ch.interference(channel)[:2], 0.0, atol=1e-9)
            n = ch.axis(channel)
            assert n is None or abs(n[2]) == pytest.approx(1.0)


def test_singlets_have_weight_two_and_two_of_them_no_moment(pr_operators, pr_levels):
    seen = set()
    for a, b in itertools.product(pr_levels[7:16], pr_levels[:7]):
        for channel in channels_between(pr_operators, a, b, (1, 1), 0.3):
            seen.add(channel.states)
            assert channel.weight == (1 if channel.states == (2, 2) else 2)
            if channel.states == (1, 1):
                assert ch.figure_of_merit(channel) == 0.0
                assert ch.axis(channel) is None
    assert len(seen) == 4


def test_from_a_singlet_the_amplitudes_add_up():
    """weight: <J> = rho (J_+ + J_-) / sqrt 2 against rho (J_+ + J_-) / 2, phase averaged."""
    rng = np.random.default_rng(8)
    plus = rng.normal(size=3) + 1j * rng.normal(size=3)
    minus, phase = -plus.conj(), np.exp(2j * np.pi * np.arange(64) / 64)[:, None]
    one = np.mean(np.sum(np.abs((plus + phase * minus) / math.sqrt(2.0)) ** 2, axis=1))
    two = np.mean(np.sum(np.abs((plus + phase * minus) / 2.0) ** 2, axis=1))
    assert one / two == pytest.approx(2.0)


def own(name):
    return channels_of(read_scheme(name))


def test_erbium_has_the_magnetic_current_and_moments_of_its_doublets():
    """Two independent calculations: M = (0.885 -+ 0.020 i) S, mu_p 0.776, mu_e -0.926."""
    (channel,) = own("er-ylf-built")
    ratio = np.vdot(channel.spin, channel.magnetic) / channel.spin_squared
    assert ratio.real == pytest.approx(0.885, abs=5e-4)
    assert abs(ratio.imag) == pytest.approx(0.020, abs=5e-4)
    assert channel.mu == pytest.approx((-0.926, 0.776), abs=5e-4)
    assert channel.delta_mu == pytest.approx(1.70, abs=5e-3)
    share = ch.quadrupole_part(channel)[2] / ch.magnetic_part(channel)[2]
    assert 100.0 * share == pytest.approx(-0.8, abs=0.05)
    # 2 |S_z|^2 = 0 and both parts of S across c: Im(M* x S) = Re(M/S) |S|^2 along c.
    assert ch.magnetic_part(channel)[2] == pytest.approx(0.88521 * channel.spin_squared, rel=1e-4)


def shares(channels):
    """Quadrupole against magnetic part of the moment that all channels leave together."""
    parts = [
        [f(c)[2] * c.delta_mu for c in channels] for f in (ch.quadrupole_part, ch.magnetic_part)
    ]
    return abs(sum(parts[0]) / sum(parts[1]))


def test_between_e1_and_p2_the_quadrupole_counts():
    """The channel along c has it alone, in the other the moments nearly cancel."""
    channels = [c for c in read_scheme("er-ylf-built").channels if (c.e, c.p) == (1, 2)]
    assert [c.partners for c in channels] == ["same", "other"]
    assert np.all(ch.magnetic_part(channels[0]) == 0.0)
    assert 0.18 < shares(channels) < 0.21


@pytest.mark.slow
def test_and_more_in_the_other_crystal_field():
    recipe, shell = read_recipe("er-ylf-cheng"), load_shell(11)
    levels = stark_levels(shell, recipe.free_ion, recipe.field)
    operators = channel_operators(shell, recipe.r2)
    e, p = find_level(levels, "2H11/2", 1), find_level(levels, "4I13/2", 2)
    assert 0.48 < shares(channels_between(operators, e, p, (1, 2), 1.563)) < 0.54


def test_moments_are_half_the_g_factors():
    """And the ground doublet's g are those of spin resonance, 3.1 and 8.1, to 20 and 3 %."""
    scheme = read_scheme("er-ylf-built")
    rows = read_toml(locate("er-ylf-built", "x"), "x")["built"]["stark"]
    for channel in scheme.channels:
        for name, number, mu in zip(
            ("2H11/2", "4I13/2"), (channel.e, channel.p), channel.mu, strict=True
        ):
            assert abs(mu) == pytest.approx(rows[name][number - 1]["g_parallel"] / 2.0, abs=6e-4)
        for name, number, flip in zip(
            ("2H11/2", "4I13/2"), (channel.e, channel.p), channel.flip, strict=True
        ):
            assert abs(flip[0]) == pytest.approx(rows[name][number - 1]["g_perp"] / 2.0, abs=6e-4)
    assert scheme.crystal["g_parallel"] == pytest.approx(3.1, rel=0.2)
    assert scheme.crystal["g_perp"] == pytest.approx(8.1, rel=0.03)


def test_built_channels_add_up_to_the_table_of_s_squared():
    for name in ("er-ylf-built", "ho-ylf"):
        scheme, table = read_scheme(name), read_toml(locate(name, "x"), "x")["built"]["S_squared"]
        total = np.zeros(np.shape(table))
        for c in scheme.channels:
            total[c.e - 1, c.p - 1] += c.spin_squared * (2 if c.states == (1, 2) else 1)
        np.testing.assert_allclose(total, table, atol=6e-6)


@pytest.mark.parametrize("name", ["er-ylf-built", "ho-ylf"])
def test_built_channels_add_up_to_the_magnetic_dipole_rate(name):
    """All |M|^2 between the manifolds give the rate e to p, but for g_s - 2: 0.25 %.

    Holmium leaves out S = 0, which J mixing allows for M: another 0.3 %.
    """
    scheme, total = read_scheme(name), 0.0
    for c in scheme.channels:
        lines = 1 if c.states == (1, 1) else 2  # from e-, or to p-
        total += lines * sum(abs(m) ** 2 for m in c.magnetic)
    states = 2.0 * scheme.levels["e"].j + 1.0
    energy = scheme.levels["e"].energy - scheme.levels["p"].energy
    rate = md_rate_per_s(total / states, energy, scheme.crystal["refractive_index"])
    assert rate == pytest.approx(scheme.md["ep"], rel=5e-3)


def test_the_papers_component_has_m_equal_s_and_lande_moments():
    """g_J M of 4I13/2, 3/2 less that of 2H11/2, 1/2; not g_perp = 5.9."""
    (channel,) = own("er-ylf")
    assert channel.magnetic == channel.spin
    assert channel.spin_squared == pytest.approx(0.0106, abs=5e-5)
    assert channel.delta_mu == pytest.approx(72 / 65 * 1.5 - 12 / 11 * 0.5)
    # <3/2|S_+1|1/2>: x - i y, hence n = -c.
    assert channel.spin[1] / channel.spin[0] == pytest.approx(-1j)
    np.testing.assert_allclose(ch.axis(channel), [0.0, 0.0, -1.0])
    assert ch.figure_of_merit(channel) == pytest.approx(
        -1.5896 / math.sqrt(3.0) * channel.spin_squared * channel.delta_mu
    )


@pytest.mark.parametrize(("step", "n"), [(-1, 1.0), (0, None), (1, -1.0)])
def test_the_leading_component_by_brute_force(step, n):
    """|2, M> to |2, M + step> of one spin of two, where only S_q acts."""
    channel = ch.leading_channel(0.04, step, 1.0, (0.5, 1.0))
    assert channel.spin_squared == pytest.approx(0.04)
    m = np.arange(-2, 3)
    up = np.diag(np.sqrt(6.0 - m[:-1] * (m[:-1] + 1.0)), -1)
    spin = np.array([(up + up.T) / 2.0, (up - up.T) / 2j, np.diag(m)])
    element = spin[:, 3 + step, 3]  # from M = 1
    overlap = np.vdot(element, channel.spin)
    assert abs(overlap) == pytest.approx(np.linalg.norm(element) * 0.2)
    found = ch.axis(channel)
    assert found is None if n is None else found[2] == pytest.approx(n)


def test_holmium_says_that_its_singlets_leave_no_moment():
    (channel,) = own("ho-ylf")
    assert channel.states == (1, 1) and channel.weight == 2
    assert channel.mu == (0.0, 0.0)
    note = read_toml(locate("ho-ylf", "x"), "x")["currents"]["note"]
    assert "no moment" in note and "event rate" in note
    others = [c for c in read_scheme("ho-ylf").channels if abs(ch.figure_of_merit(c)) > 1e-3]
    assert len(others) > 10  # other Stark levels of the same manifolds do leave one


CURRENTS = """
[currents]
source = "test"
unit_S = "1"
unit_M = "1"
unit_Q = "a0^2"
unit_mu = "mu_B"
[[currents.channels]]
e = 1
p = 1
partners = "same"
states = [2, 2]
epsilon_eV = 1.5
S = [[0.1, 0.0], [0.0, 0.1], [0.0, 0.0]]
M = [[0.1, 0.0], [0.0, 0.1], [0.0, 0.0]]
Q = [[0.0, 0.0], [0.0, 0.0], [0.01, 0.0], [0.0, 0.0], [0.0, 0.01], [0.0, 0.0]]
mu = [-0.9, 0.8]
mu_flip = [[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [[2.0, 0.0], [0.0, -2.0], [0.0, 0.0]]]
"""


@pytest.fixture
def edited(tmp_path):
    """Write the paper's scheme with `CURRENTS` in place of its moments, with one edit."""

    def write(old="", new=""):
        text = locate("er-ylf", "x").read_text()
        head, _, rest = text.partition("[moments]")
        text = head + CURRENTS + rest[rest.index("[printed]") :]
        text = text.replace('J = 5.5, source = "Eq. (25)', 'J = 5.5, stark = 1, source = "Eq. (25)')
        text = text.replace("J = 6.5,", "J = 6.5, stark = 1,")
        text += '[current.S_ep_squared]\nvalue = 0.02\nunit = "1"\n'
        assert text.count(old) >= 1 or not old
        path = tmp_path / "mine.toml"
        path.write_text(text.replace(old, new, 1) if old else text)
        return path

    return write


def test_a_scheme_may_carry_its_channels(edited):
    (channel,) = channels_of(read_scheme(edited()))
    assert channel.spin == (0.1, 0.1j, 0.0)
    assert channel.delta_mu == pytest.approx(1.7)
    assert ch.magnetic_part(channel) == pytest.approx([0.0, 0.0, 0.02])
    assert channel.flip == ((1.0, 1.0j, 0.0), (2.0, -2.0j, 0.0))
    expected = -1.5 / (7.2973525643e-3**2 * 510998.95069) * 0.002
    assert ch.quadrupole_part(channel) == pytest.approx([0.0, 0.0, expected])


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('unit_Q = "a0^2"', 'unit_Q = "nm^2"', r"currents\.unit_Q: got 'nm\^2'"),
        ('unit_mu = "mu_B"', "", r"currents\.unit_mu: got nothing"),
        ('source = "test"\nunit_S', "unit_S", r"currents\.source"),
        ('unit_S = "1"', 'unit_S = "1"\nunti = 1', r"currents\.unti"),
        ("S = [[0.1, 0.0]", "S = [[0.1, nan]", r"currents\.channels\[0\]\.S\[0\]\[1\]"),
        ("S = [[0.1, 0.0], ", "S = [", r"currents\.channels\[0\]\.S: .*3 pairs"),
        ("M = [[0.1, 0.0]", "M = [[0.1]", r"currents\.channels\[0\]\.M\[0\]: .*2 numbers"),
        ("M = [[0.1, 0.0]", "N = [[0.1, 0.0]", r"currents\.channels\[0\]\.N"),
        ("Q = [[0.0, 0.0]", "Q = [[0.3, 0.0]", r"currents\.channels\[0\]\.Q: .*xx \+ yy"),
        ("mu = [-0.9, 0.8]", "mu = [-0.9]", r"currents\.channels\[0\]\.mu: .*2 numbers"),
        ("mu = [-0.9, 0.8]", "", r"currents\.channels\[0\]\.mu: got nothing"),
        ("mu_flip = [[[1.0", "mu_flip = [[[true", r"channels\[0\]\.mu_flip\[0\]\[0\]\[0\]"),
        ("mu_flip = [", "mu_flip = [[], ", r"currents\.channels\[0\]\.mu_flip: .*two vectors"),
        ("states = [2, 2]\nepsilon_eV = 1.5", "states = [1, 2]\nepsilon_eV = 1.5",
         r"currents\.channels\[0\]\.mu\[0\]: .*singlet"),
        ("states = [2, 2]", "states = [2, 1]", r"currents\.channels\[0\]\.mu\[1\]: .*singlet"),
        ("states = [2, 2]", "states = [true, 2]", r"currents\.channels\[0\]\.states"),
        ("states = [2, 2]", "states = [2, 3]", r"currents\.channels\[0\]\.states"),
        ('partners = "same"', 'partners = "both"', r"currents\.channels\[0\]\.partners.*other"),
        ('partners = "same"\nstates = [2, 2]', 'partners = "other"\nstates = [2, 1]',
         r"currents\.channels\[0\]\.partners: .*singlet"),
        ("epsilon_eV = 1.5\n", "epsilon_eV = -1.5\n", r"currents\.channels\[0\]\.epsilon_eV"),
        ("[[currents.channels]]\ne = 1", "[[currents.channels]]\ne = 0",
         r"currents\.channels\[0\]\.e: "),
        ("[[currents.channels]]\ne = 1", "[[currents.channels]]\ne = 2",
         r"currents\.channels: .*e = 1, p = 1"),
        ("[[currents.channels]]", "channels = 3\n[nothing]", "nothing"),
        ("value = 0.02", "value = 0.05", r"current\.S_ep_squared: got 0.05.*0.02"),
        ("[current.S_ep_squared]", '[moments.e]\nvalue = 1.0\nunit = "mu_B"\n'
         "[current.S_ep_squared]", "moments: got 'both'"),
        ("stark = 1", "stark = 0", r"levels\.p\.stark"),
    ],
)  # fmt: skip
def test_wrong_channels_are_blamed_by_key(edited, old, new, key):
    with pytest.raises(ConfigError, match=key):
        read_scheme(edited(old, new))


def test_a_singlet_has_no_flip(edited):
    path = edited("states = [2, 2]", "states = [1, 2]")
    path.write_text(path.read_text().replace("mu = [-0.9", "mu = [0.0"))
    with pytest.raises(ConfigError, match=r"channels\[0\]\.mu_flip\[0\]: .*singlet"):
        read_scheme(path)


def test_a_channel_stands_once(edited):
    path = edited()
    text = path.read_text()
    row = text[text.index("[[currents.channels]]") : text.index("[printed]")]
    path.write_text(text.replace(row, row + row))
    with pytest.raises(ConfigError, match=r"currents\.channels\[1\]: .*once"):
        read_scheme(path)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('unit = "mu_B", source = "g_J M = 12', 'unit = "J/T", source = "g_J M = 12',
         r"moments\.e unit"),
        ("\n[moments]\ne = {", "\n[moments]\nf = {", r"moments\.f"),
        ("value = 0.5454545454545454", 'value = "x"', r"moments\.e"),
        ('J = 5.5, source = "Eq. (25)', 'J = 6.5, source = "Eq. (25)', "moments: .*change by 1"),
    ],
)  # fmt: skip
def test_wrong_moments_are_blamed_by_key(tmp_path, old, new, key):
    text = locate("er-ylf", "x").read_text()
    assert text.count(old) == 1
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=key):
        read_scheme(path)


@pytest.mark.parametrize("name", ["er-ylf-built", "ho-ylf"])
def test_energies_of_all_levels_are_those_of_the_table_of_the_build(name):
    """Measured where there are any; the scheme's reader knows no [built]."""
    scheme = read_scheme(name)
    raw = read_toml(locate(name, "scheme"), "scheme")
    found = stark_energies(scheme)
    for level in ("e", "p"):
        rows = raw["built"]["stark"][scheme.levels[level].term]
        for stark in (s for n, s in found if n == level):
            row = rows[stark - 1]
            per_cm = row.get("measured_per_cm", row["energy_per_cm"])
            assert found[level, stark] == pytest.approx(per_cm * PHOTON_EV_CM, abs=2e-5)
