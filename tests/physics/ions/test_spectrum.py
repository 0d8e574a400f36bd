"""Stark levels in blocks against whole matrices, determinants, symmetry and sum rules."""

import numpy as np
import pytest

from renp_infer.physics.ions.crystal_field import find_level, stark_levels
from renp_infer.physics.ions.intensities import (
    ed_rate_per_s,
    md_rate_per_s,
    md_strength,
    unit_strengths,
)
from renp_infer.physics.ions.ladder import channel_operators, channels_between
from renp_infer.physics.ions.lanthanides import IONS, lanthanide, observed_levels
from renp_infer.physics.ions.multiplets import load_multiplets
from renp_infer.physics.ions.recipe import read_recipe
from renp_infer.physics.ions.shell import load_shell
from renp_infer.physics.ions.spectrum import basis, component, spectrum, wigner_eckart
from renp_infer.physics.ions.stark_pairs import radiation, stark_pairs
from renp_infer.physics.targets.channels import figure_of_merit, interference
from renp_infer.physics.targets.matrix_elements import three_j
from tests.determinants import Determinants

OMEGA = {2: 1e-20, 4: 2e-20, 6: 3e-20}


def whole(symbol):
    """An ion from dense matrices: shell, Stark levels, operators."""
    ion = lanthanide(symbol)
    shell = load_shell(ion.electrons)
    return shell, stark_levels(shell, ion.free_ion, ion.field), channel_operators(shell, ion.r2)


SMALL = ("Ce", "Pr", "Nd", "Tm", "Yb")
SIZED = [s if s in SMALL else pytest.param(s, marks=pytest.mark.slow) for s in IONS]
WHOLE = ["Ce", "Pr", pytest.param("Tm", marks=pytest.mark.slow), "Yb"]
"""Ions whose whole matrices are compared; those of Tm load for seconds."""


@pytest.mark.parametrize("symbol", SIZED)
def test_every_ion_has_all_that_its_shell_needs(symbol):
    ion = lanthanide(symbol)
    assert set(ion.free_ion) <= set(load_multiplets(ion.electrons).free_ion)
    assert {"M2", "M4", "P4", "P6"} == set(ion.filled) or ion.electrons in (1, 13)
    assert len([x for x in observed_levels(symbol) if x.energy is not None]) >= 5


def test_the_table_has_the_parameters_of_the_recipe():
    recipe, ion = read_recipe("er-ylf-cheng"), lanthanide("Er")
    assert ion.field == {name: value.real for name, value in recipe.field.items()}
    assert ion.free_ion == pytest.approx(recipe.free_ion, rel=1e-12)
    assert (ion.r2, ion.electrons) == (recipe.r2, recipe.electrons)


def test_wigner_eckart_is_the_symbol_of_another_program():
    generator = np.random.default_rng(3)
    for _ in range(60):
        k = int(generator.choice([1, 2, 4, 6]))
        j = generator.integers(0, 26) / 2.0
        j2 = j + generator.integers(-k, k + 1)
        if j2 < 0.0:
            continue
        m2 = generator.integers(0, round(2 * j2) + 1) - j2
        q = int(generator.integers(-k, k + 1))
        if abs(m2 + q) > j:
            continue
        found = wigner_eckart(*(np.array(x) for x in (j, m2 + q, j2, m2)), k, q)
        sign = (-1.0) ** round(j - m2 - q)
        assert found == pytest.approx(sign * three_j(j, k, j2, -m2 - q, q, m2), abs=1e-11)


@pytest.mark.parametrize("symbol", WHOLE)
def test_energies_and_moments_are_those_of_whole_matrices(symbol):
    _, levels, _ = whole(symbol)
    found = spectrum(symbol)
    assert list(found.size) == [len(level.classes) for level in levels]
    np.testing.assert_allclose(found.energy, [level.energy for level in levels], atol=1e-7)
    parallel = [level.g_parallel for level in levels]
    np.testing.assert_allclose(2.0 * np.abs(found.moments()), parallel, atol=1e-7)
    np.testing.assert_allclose(found.transverse_g(), [x.g_perp for x in levels], atol=1e-7)


@pytest.mark.parametrize("symbol", ["Ce", "Yb"])
def test_energies_are_those_of_determinants(symbol):
    ion = lanthanide(symbol)
    space = Determinants(ion.electrons)
    levels = space.levels(space.hamiltonian(ion.free_ion, ion.field))
    found = spectrum(symbol)
    np.testing.assert_allclose(found.energy, [energy for energy, _ in levels], atol=1e-7)
    assert [len(states) for _, states in levels] == [2] * 7


@pytest.mark.parametrize("symbol", ["Ce", "Yb"])
def test_selection_rules_and_strengths_are_those_of_determinants(symbol):
    """Kramers ions: which partners S joins, and how strongly, from 14 spin orbitals."""
    ion = lanthanide(symbol)
    space = Determinants(ion.electrons)
    levels = space.levels(space.hamiltonian(ion.free_ion, ion.field))
    found = spectrum(symbol)
    every = np.arange(len(levels))
    pairs = stark_pairs(found, every, every, ion.r2)
    for e, (_, upper) in enumerate(levels):
        for p, (_, lower) in enumerate(levels):
            to = {}
            for name, state in zip(
                ("same", "other"), (lower[0], space.reverse(lower[0])), strict=True
            ):
                vector = np.array([state.conj() @ (s @ upper[0]) for s in space.spin])
                to[name] = float(np.sum(np.abs(vector) ** 2))
            kinds = found.kind[e], found.kind[p]
            rules = {"same": component(*kinds), "other": component(kinds[0], -kinds[1])}
            for name, q in rules.items():
                assert q is not None or to[name] < 1e-20
            name = "other" if pairs.other[e, p] else "same"
            assert pairs.spin[e, p] ** 2 == pytest.approx(to[name], abs=1e-9)


def test_without_time_reversal_doublets_s_joins_classes_that_differ_by_at_most_one():
    """Singlets of a non-Kramers ion, by brute force on the whole matrices of S."""
    shell, levels, _ = whole("Pr")
    for upper in levels:
        for lower in levels:
            elements = lower.states.conj().T @ shell.spin @ upper.states
            steps = {round(b - a) % 4 for a in upper.classes for b in lower.classes}
            if not steps & {0, 1, 3}:
                assert np.max(np.abs(elements)) < 1e-12


@pytest.mark.parametrize("symbol", WHOLE)
def test_pairs_are_the_strongest_channels_of_whole_wave_functions(symbol):
    _, levels, operators = whole(symbol)
    every, ion = np.arange(len(levels)), lanthanide(symbol)
    pairs = stark_pairs(spectrum(symbol), every, every, ion.r2)
    generator, compared = np.random.default_rng(1), 0
    for _ in range(150):
        p, e = sorted(generator.integers(0, len(levels), 2))
        if e == p:
            continue
        epsilon = pairs.epsilon[e, p]
        channels = channels_between(operators, levels[e], levels[p], (1, 1), epsilon)
        if not channels:
            assert pairs.spin[e, p] ** 2 < 1e-8
            continue
        best = max(channels, key=lambda c: (abs(figure_of_merit(c)), c.spin_squared))
        moment = best.weight * interference(best)[2] * best.delta_mu
        assert pairs.moment[e, p] == pytest.approx(moment, rel=3e-7, abs=3e-7)
        assert pairs.weight[e, p] == best.weight
        if abs(moment) > 1e-6:
            assert pairs.spin[e, p] ** 2 == pytest.approx(best.spin_squared, rel=1e-6, abs=0)
        compared += 1
    assert compared > 50


def test_rates_add_up_to_those_of_whole_manifolds():
    """Of nearly pure J: the mean over the states of 1D2, the sum over those of 3H4."""
    shell, levels, _ = whole("Pr")
    found, index = spectrum("Pr"), 1.45
    upper, lower = ([x for x in levels if x.term == t] for t in ("1D(1)2", "3H(1)4"))
    places = [
        np.array([k for k, x in enumerate(levels) if x.term == t]) for t in ("1D(1)2", "3H(1)4")
    ]
    rates = radiation(found, *places, OMEGA, index)
    energy = np.array([[a.energy - b.energy for b in lower] for a in upper]) / 8065.543937
    shares = found.size[places[0]] / found.size[places[0]].sum()
    electric = float(shares @ (rates.electric / energy**3).sum(axis=1))
    magnetic = float(shares @ (rates.magnetic / energy**3).sum(axis=1))
    ed = ed_rate_per_s(unit_strengths(shell, upper, lower), OMEGA, 2.0, 1.0, index)
    md = md_rate_per_s(md_strength(shell, upper, lower), 1.0, index)
    assert electric == pytest.approx(ed, rel=1e-7)
    assert magnetic == pytest.approx(md, rel=1e-7)


def squares(own):
    """``S.S`` and ``(L + 2 S).(L + 2 S) = 2 J.J + 2 S.S - L.L`` of each level, by its name."""
    spins = [(int(term[0]) - 1) / 2.0 for term in own.terms]
    s = np.array([x * (x + 1.0) for x in spins])
    big_l = np.array(["SPDFGHIKLMNOQRT".index(term[1]) for term in own.terms])
    return s, 2.0 * own.j * (own.j + 1.0) + 2.0 * s - big_l * (big_l + 1.0)


@pytest.mark.parametrize("symbol", ["Ce", "Pr", "Nd", "Yb"])
def test_sum_rules_over_the_whole_shell(symbol):
    """``Sum_b |<b|X|a>|^2 = <a|X.X|a>``, for S and L + 2 S."""
    found = spectrum(symbol)
    own = found.multiplets
    vectors = own.spin, own.orbital + 2.0 * own.spin
    for reduced, square in zip(vectors, squares(own), strict=True):
        for c in np.unique(found.kind):
            total = summed(found, reduced, 1, c)
            shares = found.vectors[c] ** 2
            expected = square[basis(own, c).level] @ shares
            np.testing.assert_allclose(total, expected, rtol=1e-9)


def summed(found, reduced, k, c):
    """``Sum_b |<b|T^k|a>|^2`` over all states b, for the states a of a class."""
    return sum(
        np.sum(found.element(reduced, k, q, c, final) ** 2, axis=0)
        for final in found.partner
        for q in range(-k, k + 1)
        if (final - c - q) % 4.0 == 0.0
    )


def test_one_electron_has_the_quadrupole_of_an_f_orbital():
    """``Sum_q |C^2_q|^2`` of one f electron, within the shell, is 7 (3 2 3; 0 0 0)^2 = 4/15."""
    found = spectrum("Ce")
    totals = summed(found, found.multiplets.tensors[2], 2, 0.5)
    np.testing.assert_allclose(totals, 4.0 / 15.0, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "symbol"), [("er-ylf-cheng", "Er"), ("ho-ylf", "Ho")])
def test_levels_of_the_recipes_are_those_of_the_table(recipe, symbol):
    """Energies, and moments between the levels that the recipe names, for real f^10, f^11."""
    read = read_recipe(recipe)
    shell = load_shell(read.electrons)
    levels = stark_levels(shell, read.free_ion, read.field)
    found = spectrum(symbol)
    np.testing.assert_allclose(found.energy, [level.energy for level in levels], atol=1e-5)
    e, p = (find_level(levels, read.states[n].manifold, read.states[n].stark) for n in "ep")
    places = [next(k for k, x in enumerate(levels) if x is level) for level in (e, p)]
    pairs = stark_pairs(found, np.array(places[:1]), np.array(places[1:]), read.r2)
    operators = channel_operators(shell, read.r2)
    channels = channels_between(operators, e, p, (1, 1), pairs.epsilon[0, 0])
    best = max(channels, key=lambda c: (abs(figure_of_merit(c)), c.spin_squared))
    moment = best.weight * interference(best)[2] * best.delta_mu
    assert pairs.moment[0, 0] == pytest.approx(moment, rel=1e-6, abs=1e-9)
    assert pairs.spin[0, 0] ** 2 == pytest.approx(best.spin_squared, rel=1e-6, abs=0)
