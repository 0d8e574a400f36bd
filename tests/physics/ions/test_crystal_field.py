"""Stark levels and intensities against closed forms, symmetry, and measured numbers.

The fast tests use 4f^2, whose lowest manifold is nearly pure 3H4; those of erbium and
holmium load for many seconds.
"""

import itertools
import math

import numpy as np
import pytest

from renp_infer.errors import DomainError
from renp_infer.physics.ions.crystal_field import (
    ELECTRON_G,
    diagonalise,
    find_level,
    g_factors,
    hamiltonian,
    irrep,
    manifold,
    stark_levels,
    time_reversed,
)
from renp_infer.physics.ions.intensities import (
    allowed_components,
    ed_rate_per_s,
    md_rate_per_s,
    md_strength,
    spin_current,
    unit_strengths,
)
from renp_infer.physics.ions.recipe import read_recipe
from renp_infer.physics.ions.shell import cartesian, load_shell

FREE_PR = {"F2": 68955.0, "F4": 50505.0, "F6": 33098.0, "ZETA": 748.0}
FIELD_PR = {"B20": 512.0, "B40": -1127.0, "B44": -1239.0, "B60": -85.0, "B64": -1205.0 + 300.0j}


@pytest.fixture(scope="module")
def pr():
    return load_shell(2)


@pytest.fixture(scope="module")
def pr_levels(pr):
    return stark_levels(pr, FREE_PR, FIELD_PR)


def ladder(j):
    """J_z and J_+ of one J, M ascending."""
    m = np.arange(-j, j + 0.5)
    raising = np.diag(np.sqrt((j - m[:-1]) * (j + m[:-1] + 1.0)), -1)
    return np.diag(m), raising


def test_loading_leaves_floating_point_warnings_alone():
    with np.errstate(all="ignore"):
        before = np.geterr()
        load_shell.__wrapped__(12)
        assert np.geterr() == before


def test_angular_momenta_commute_as_they_must(pr):
    for vector in (pr.spin, pr.orbital, pr.spin + pr.orbital):
        x, y, z = cartesian(vector)
        np.testing.assert_allclose(x @ y - y @ x, 1j * z, atol=1e-12)
    total = cartesian(pr.spin + pr.orbital)
    np.testing.assert_allclose(total[2], np.diag(pr.m), atol=1e-12)
    np.testing.assert_allclose(sum(c @ c for c in total), np.diag(pr.j * (pr.j + 1)), atol=1e-11)


@pytest.mark.parametrize("term", ["3H(1)4", "3H(1)5", "3F(1)2"])
def test_moment_of_a_pure_term_is_lande(pr, term):
    s, big_l = 1.0, {"H": 5.0, "F": 3.0}[term[1]]
    inside = np.flatnonzero(np.array(pr.terms) == term)
    j = pr.j[inside[0]]
    shift = (j * (j + 1) + s * (s + 1) - big_l * (big_l + 1)) / (2 * j * (j + 1))
    block = (pr.orbital + ELECTRON_G * pr.spin)[1][np.ix_(inside, inside)]
    np.testing.assert_allclose(
        block, (1 + (ELECTRON_G - 1) * shift) * np.diag(pr.m[inside]), atol=1e-12
    )


@pytest.mark.parametrize("k", [2, 4])
def test_tensors_of_a_pure_term_are_stevens_operators(pr, k):
    """C^k_0 and C^4_4 within one J against polynomials of J_z and powers of J_+."""
    inside = np.flatnonzero(np.array(pr.terms) == "3H(1)4")
    order = inside[np.argsort(pr.m[inside])]
    z, raising = ladder(4.0)
    x, one = 20.0, np.eye(9)
    stevens = {
        2: 3 * z @ z - x * one,
        4: 35 * z @ z @ z @ z - (30 * x - 25) * z @ z + (3 * x * x - 6 * x) * one,
    }[k]
    found = pr.tensors[k, 0][np.ix_(order, order)]
    scale = found[0, 0] / stevens[0, 0]
    np.testing.assert_allclose(found, scale * stevens, atol=1e-12)
    if k == 4:  # C^4_4 / C^4_0 = sqrt(70)/16 J_+^4 / (O_40 / 8)
        fourth = pr.tensors[4, 4][np.ix_(order, order)]
        expected = scale * 8 * math.sqrt(70) / 16 * np.linalg.matrix_power(raising, 4)
        np.testing.assert_allclose(fourth, expected, atol=1e-12)


def test_hamiltonian_is_hermitian_and_even_under_time_reversal(pr):
    matrix = hamiltonian(pr, FREE_PR, FIELD_PR)
    np.testing.assert_allclose(matrix, matrix.conj().T, atol=1e-9)
    basis = np.eye(len(pr.m), dtype=complex)
    turned = time_reversed(pr, basis)
    np.testing.assert_allclose(turned @ matrix.conj() @ turned.conj().T, matrix, atol=1e-9)
    for odd in (*cartesian(pr.spin), *cartesian(pr.orbital)):
        np.testing.assert_allclose(turned @ odd.conj() @ turned.conj().T, -odd, atol=1e-12)


def test_energies_do_not_depend_on_the_blocks(pr, pr_levels):
    """All at once instead of by M modulo 4; a turn about c changes nothing either."""
    plain = np.linalg.eigvalsh(hamiltonian(pr, FREE_PR, FIELD_PR))
    found = np.repeat([v.energy for v in pr_levels], [v.states.shape[1] for v in pr_levels])
    np.testing.assert_allclose(found, plain - plain[0], atol=1e-7)
    turn = np.exp(0.7j)
    turned = FIELD_PR | {n: FIELD_PR[n] * turn for n in ("B44", "B64")}
    again = [v.energy for v in stark_levels(pr, FREE_PR, turned)]
    np.testing.assert_allclose(again, [v.energy for v in pr_levels], atol=1e-7)


def test_a_field_without_s4_is_refused(pr):
    matrix = hamiltonian(pr, FREE_PR, FIELD_PR) + 100.0 * (pr.tensors[2, 2] + pr.tensors[2, -2])
    with pytest.raises(DomainError, match="S4"):
        diagonalise(matrix, pr.m)


def test_unknown_parameters_and_levels_are_refused(pr, pr_levels):
    with pytest.raises(DomainError, match="F8"):
        hamiltonian(pr, FREE_PR | {"F8": 1.0}, FIELD_PR)
    with pytest.raises(DomainError, match="3H7"):
        find_level(pr_levels, "3H7", 1)
    with pytest.raises(DomainError, match="stark level of 3H4"):
        find_level(pr_levels, "3H4", 9)


def test_irreps_of_j_4_are_those_of_the_characters(pr_levels):
    """J = 4 in S4: 3 Gamma1, 2 Gamma2, 2 pairs Gamma34; a pair is one energy."""
    names = [v.irrep for v in manifold(pr_levels, "3H4")]
    assert {n: names.count(n) for n in set(names)} == {"Gamma1": 3, "Gamma2": 2, "Gamma34": 2}
    for level in pr_levels:
        assert level.states.shape[1] == (2 if level.irrep == "Gamma34" else 1)
        assert 0.8 < sum(level.composition.values()) <= 1.0 + 1e-9  # the rest is mixed in: M > J
    assert irrep(-0.5) == "Gamma56"


def test_singlets_have_no_moment(pr, pr_levels):
    """Also without asking how g factors define it."""
    moment = cartesian(pr.orbital + ELECTRON_G * pr.spin)
    for level in pr_levels:
        if len(level.classes) == 1:
            state = level.states[:, 0]
            assert np.max(np.abs(state.conj() @ moment @ state)) < 1e-10
            assert (level.g_parallel, level.g_perp) == (0.0, 0.0)


def test_g_factor_is_the_zeeman_splitting(pr, pr_levels):
    doublet = next(v for v in manifold(pr_levels, "3H4") if v.irrep == "Gamma34")
    field = 1e-4  # mu_B B in 1/cm
    matrix = hamiltonian(pr, FREE_PR, FIELD_PR)
    moment = cartesian(pr.orbital + ELECTRON_G * pr.spin)[2]
    energies = np.linalg.eigvalsh(matrix + field * moment)
    k = np.argmin(np.abs(energies - energies[0] - doublet.energy))
    near = np.sort(np.abs(energies - energies[k]))[1]
    assert near == pytest.approx(doublet.g_parallel * field, rel=1e-3)
    assert doublet.g_perp < 1e-10


def test_time_parity_of_a_singlet_is_a_phase(pr, pr_levels):
    """Eqs. (30)-(33): T = +- can be given to any singlet; what is left is a phase.

    With T = + for both, elements of the T-odd S are imaginary; with T = + and -
    they are real. None vanishes for it.
    """
    singlets = [v.states[:, :1] for v in pr_levels if v.irrep == "Gamma1"][:6]
    fixed = []
    for state in singlets:
        phase = (state.conj().T @ time_reversed(pr, state))[0, 0]
        assert abs(phase) == pytest.approx(1.0, abs=1e-9)
        even = state * np.sqrt(phase)
        np.testing.assert_allclose(time_reversed(pr, even), even, atol=1e-8)
        np.testing.assert_allclose(time_reversed(pr, 1j * even), -1j * even, atol=1e-8)
        fixed.append(even)
    sizes = []
    for a, b in itertools.combinations(fixed, 2):
        element = (b.conj().T @ pr.spin[1] @ a)[0, 0]
        assert abs(element.real) < 1e-9
        sizes.append(abs(element))
    assert max(sizes) > 1e-3


def test_s4_forbids_what_it_forbids(pr, pr_levels):
    """Components of S vanish unless allowed; none is allowed for v between the same states."""
    for upper, lower in itertools.product(manifold(pr_levels, "3H5"), manifold(pr_levels, "3H4")):
        allowed = allowed_components(upper, lower)
        elements = lower.states.conj().T @ pr.spin @ upper.states
        for q in (-1, 0, 1):
            if q not in allowed["S"]:
                assert np.max(np.abs(elements[q + 1])) < 1e-9
            for a, b in itertools.product(range(len(upper.classes)), range(len(lower.classes))):
                if abs(elements[q + 1, b, a]) > 1e-9:
                    step = (lower.classes[b] - upper.classes[a]) % 4
                    assert (q + 2) % 4 != step  # v_q is absent where S_q is present
        one = spin_current(pr, upper, lower)
        by_hand = np.sum(np.abs(elements) ** 2) / upper.states.shape[1]
        assert one.total == pytest.approx(by_hand)


def test_line_strengths_are_sums_over_stark_levels(pr):
    """Sum rule: S^2 over all lower levels, mean over the upper ones.

    Between levels of different J, L + g S has the elements of (g - 1) S, but for
    what the field mixes: a hundredth of the field mixes 1e-4.
    """
    weak = {name: 0.01 * value for name, value in FIELD_PR.items()}
    levels = stark_levels(pr, FREE_PR, weak)
    upper, lower = manifold(levels, "3H5"), manifold(levels, "3H4")
    sums = [sum(spin_current(pr, a, b).total for b in lower) for a in upper]
    mean = np.average(sums, weights=[v.states.shape[1] for v in upper])
    ratio = md_strength(pr, upper, lower) / ((ELECTRON_G - 1) ** 2 * mean)
    assert ratio == pytest.approx(1.0, abs=3e-3)


def test_rates_in_closed_form():
    """4I13/2 -> 4I15/2 in pure LS coupling: |L + 2 S|^2 = 19.2 / 14, in vacuum 10.2 /s."""
    s, big_l, j = 1.5, 6.0, 7.5
    square = ((s + big_l + 1) ** 2 - j**2) * (j**2 - (big_l - s) ** 2) / (4 * j)
    assert square == pytest.approx(19.2)
    si = 4e-7 * math.pi * (9.2740100657e-24) ** 2 / (3 * math.pi * 1.054571817e-34)
    omega_over_c = 0.805 * 1.602176634e-19 / 1.054571817e-34 / 2.99792458e8
    assert md_rate_per_s(square / 14, 0.805, 1.0) == pytest.approx(
        si * omega_over_c**3 * square / 14
    )
    # Judd-Ofelt: 64 pi^4 e^2 / (3 h (2J+1) lambda^3) n (n^2+2)^2/9 S, Gaussian units.
    e_esu, wavelength, n = 4.80320471e-10, 1.2398419843e-4 / 0.805, 1.45
    local = n * (n * n + 2) ** 2 / 9
    expected = (
        64 * math.pi**4 * e_esu**2 / (3 * 6.62607015e-27 * 14 * wavelength**3) * local * 3e-20
    )
    found = ed_rate_per_s({2: 0.0, 4: 0.0, 6: 1.5}, {2: 9.0, 4: 9.0, 6: 2e-20}, 6.5, 0.805, n)
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.fixture(scope="module")
def er():
    recipe = read_recipe("er-ylf")
    shell = load_shell(11)
    return shell, recipe, stark_levels(shell, recipe.free_ion, recipe.field)


@pytest.mark.slow
def test_erbium_has_kramers_doublets_and_published_unit_tensors(er):
    shell, _, levels = er
    assert {v.states.shape[1] for v in levels} == {2}
    assert len(levels) == 182
    published = {  # Weber, Phys. Rev. 157, 262 (1967), Er in LaF3; recalled
        ("4I13/2", "4I15/2"): (0.0188, 0.1176, 1.4617),
        ("2H11/2", "4I15/2"): (0.7056, 0.4109, 0.0870),
    }
    for (a, b), values in published.items():
        units = unit_strengths(shell, manifold(levels, a), manifold(levels, b))
        assert list(units.values()) == pytest.approx(values, abs=0.04)


@pytest.mark.slow
def test_erbium_magnetic_strength_is_that_of_ls_coupling(er):
    shell, _, levels = er
    strength = md_strength(shell, manifold(levels, "4I13/2"), manifold(levels, "4I15/2"))
    assert strength == pytest.approx(19.2 / 14, rel=0.01)


@pytest.mark.slow
def test_erbium_against_the_papers_compositions(er):
    """(35), (36) twice each and g = 5.9 agree to 0.11 and 2 %, with the second doublet."""
    _, _, levels = er
    ground, second = find_level(levels, "4I15/2", 1), find_level(levels, "4I13/2", 2)
    assert ground.irrep == second.irrep == "Gamma78"
    assert ground.composition[2.5] == pytest.approx(2 * 0.2002, abs=0.06)
    assert ground.composition[1.5] == pytest.approx(2 * 0.1374, abs=0.06)
    assert second.composition[1.5] == pytest.approx(2 * 0.2559, abs=0.06)
    assert second.composition[2.5] == pytest.approx(2 * 0.1227, abs=0.06)
    assert second.g_perp == pytest.approx(5.9, rel=0.02)
    lowest = find_level(levels, "4I13/2", 1)
    assert lowest.irrep == "Gamma56"
    assert abs(lowest.g_perp - 5.9) > 1.0


@pytest.mark.slow
def test_erbium_stark_energies_against_measured_ones(er):
    """Splittings of a crystal field of LiErF4: up to a fifth too large."""
    _, recipe, levels = er
    for name, measured in recipe.measured.items():
        inside = manifold(levels, name)
        assert len(inside) == len(measured)
        span = (inside[-1].energy - inside[0].energy) / (measured[-1] - measured[0])
        assert 0.95 < span < 1.25
        assert inside[0].energy == pytest.approx(measured[0], rel=6e-3, abs=1.0)


@pytest.mark.slow
def test_intensities_of_the_recipe_are_the_fit_to_table_one(er):
    shell, recipe, levels = er
    table = [
        ("4I13/2", "4I15/2", 0.805, 2.46),
        ("4I11/2", "4I15/2", 1.286, 4.13),
        ("4I11/2", "4I13/2", 0.481, 0.42),
        ("2H11/2", "4I15/2", 2.3946, 518.02),
        ("2H11/2", "4I13/2", 1.5896, 7.91),
        ("2H11/2", "4I11/2", 1.1086, 4.73),
        ("2H11/2", "4I9/2", 0.8318, 5.52),
    ]
    rows = []
    for a, b, energy, rate in table:
        upper = manifold(levels, a)
        units = unit_strengths(shell, upper, manifold(levels, b))
        rows.append([
            ed_rate_per_s(units, {2: 0.0, 4: 0.0, 6: 0.0} | {k: 1e-20}, upper[0].j, energy, 1.4472)
            / rate for k in (2, 4, 6)
        ])  # fmt: skip
    fit = np.linalg.lstsq(np.array(rows), np.ones(7))[0]
    assert [1e20 * w for w in recipe.omega_cm2.values()] == pytest.approx(fit, rel=5e-3)
    np.testing.assert_allclose(np.array(rows) @ fit, 1.0, atol=0.27)


@pytest.mark.slow
def test_holmium_against_measured_levels_and_moment():
    """Energies within 30 1/cm; 6.98 mu_B of LiHoF4 (Hansen 1975) within 3 %."""
    recipe, shell = read_recipe("ho-ylf"), load_shell(10)
    levels = stark_levels(shell, recipe.free_ion, recipe.field)
    for name, measured in recipe.measured.items():
        found = [v.energy for v in manifold(levels, name)]
        np.testing.assert_allclose(np.sort(measured), found, atol=30.0)
    ground = find_level(levels, "5I8", 1)
    assert ground.irrep == "Gamma34"
    assert ground.g_parallel / 2 == pytest.approx(6.98, rel=0.03)
    assert ground.g_perp < 1e-9
    # Irreps of 5I8 by energy as assigned by Walsh et al. (2005).
    assigned = ["34", "2", "2", "1", "1", "34", "1", "34", "1", "2", "1", "34", "2"]
    assert [v.irrep for v in manifold(levels, "5I8")] == [f"Gamma{n}" for n in assigned]
    units = unit_strengths(shell, manifold(levels, "5I7"), manifold(levels, "5I8"))
    published = (0.0249, 0.1344, 1.5217)  # Ho aquo ion, Carnall et al. (1968); recalled
    assert list(units.values()) == pytest.approx(published, abs=0.01)
    assert g_factors(shell, find_level(levels, "5F5", 1).states) == (0.0, 0.0)
