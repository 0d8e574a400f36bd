"""The closed form of a ladder's merit against integrals, least squares and plain loops."""

from dataclasses import replace

import numpy as np
import pytest

from renp_infer.physics.atlas.ladder_merit import (
    QUESTIONS,
    WINDOWS,
    first_window,
    merit_table,
    pair_field,
    unlike,
)
from renp_infer.physics.atlas.screening import (
    KEYS,
    Intensities,
    IonLevels,
    Reach,
    ion_within,
    merged,
    reachable,
    screen,
)
from renp_infer.physics.ions.guesses import guesses
from renp_infer.physics.neutrinos import load_oscillation, make_parameters

LASERS = Intensities(3.0, 9.0, 1e-3)
TABLE = load_oscillation("nufit-6.0")
NO_MARK = dict.fromkeys(KEYS, np.inf)


def parameters(m1_meV=50.0, ordering="normal", nature="dirac"):
    return make_parameters(1e-3 * m1_meV, ordering, nature, 0.0, 0.0, 0.0, TABLE)


@pytest.fixture(scope="module")
def merits():
    others = {"ordering": parameters(ordering="inverted"), "nature": parameters(nature="majorana")}
    return merit_table(parameters(), others, 8.0)


def test_field_has_the_anchors_of_explicit_spinors():
    """Phi K of one pair with b = c = 1 and m = 50 meV, from the derivation by Dirac spinors.

    With all masses equal the sum is that times Sum_ij b c*, 3/4 - sin^2 theta_w.
    """
    heavy = replace(parameters(50.0), dm2_21=1e-12, dm2_3l=2e-12)
    for momentum, density in ((0.5, 4.752869771), (0.92, 3.503772522), (1.4, 1.171453952)):
        found = pair_field(np.array(momentum), np.array(1.5896), heavy)
        assert found == pytest.approx(momentum * density * (0.75 - heavy.sin2_w), rel=1e-8, abs=0)


def test_what_is_unlike_is_what_least_squares_leaves():
    generator = np.random.default_rng(5)
    change, *shapes = generator.normal(size=(3, 4, 61))
    shapes[1] = shapes[0] + 1e-4 * shapes[1]
    found = unlike(change, shapes)
    for row in range(4):
        columns = np.array([shape[row] for shape in shapes]).T
        fitted, *_ = np.linalg.lstsq(columns, change[row])
        rest = change[row] - columns @ fitted
        assert found[row] == pytest.approx(np.sqrt(np.mean(rest**2)), rel=1e-7, abs=0)


def test_mass_merit_is_that_of_the_massless_limit_at_high_energy():
    """``W = 2 pi/3 w P (eps^2 - P^2 - c m^2)``: the change is linear in P, of size eps m^2."""
    others = {"ordering": parameters(20.0, "inverted"), "nature": parameters(20.0)}
    table = merit_table(parameters(20.0), others, 8.0)
    found = table.at("mass", np.array([3.0, 6.0]))[:, 0]
    assert found[1] / found[0] == pytest.approx(2.0, rel=0.01)


def test_merits_fall_with_the_momentum_that_cannot_be_avoided(merits):
    for question in QUESTIONS:
        found = merits.at(question, np.geomspace(0.11, 7.0, 50))
        assert np.all(np.diff(found, axis=-1) <= 0.0) and np.all(found[..., -1] == 0.0)
        assert np.all(merits.at(question, np.array(0.05)) == 0.0)


def test_windows_begin_above_the_least_momentum():
    least, epsilon = np.array([[0.0, 0.4, 0.6, 0.94, 1.1]]), np.array([[1.0]])
    assert first_window(least, epsilon).tolist() == [[0, 1, 2, 5, 5]]
    assert WINDOWS[4] > 1.0 - 0.94


TOPS = np.arange(20, 69, 4)
"""Levels e of Tm that plain loops have time for."""


def by_loops(ion: IonLevels, merits, index: float):
    """All their ladders one by one: how many, and the best merit of each e and p."""
    found, count, ground = {}, 0, 0
    energy, rates = ion.energy, ion.rates.total
    for e in TOPS:
        for p in range(ion.count):
            for q in range(ion.count):
                photons = energy[p], energy[q], energy[e] - energy[q]
                fits = all(0.3 <= photon <= 4.0 for photon in photons)
                if not (fits and energy[p] < energy[q] and ion.pairs.moment[e, p] != 0.0):
                    continue
                if min(rates[p, ground], rates[q, ground], rates[e, q]) <= 1e-9:
                    continue
                count += 1
                epsilon = energy[e] - energy[p]
                least = index * max(0.0, 2.0 * max(photons) - sum(photons))
                allowed = [k for k, w in enumerate(WINDOWS) if (1.0 - w) * epsilon >= least - 1e-12]
                for question in QUESTIONS:
                    row = merits.at(question, np.array(epsilon))
                    merit = abs(ion.pairs.moment[e, p]) * (row[allowed[0]] if allowed else 0.0)
                    own = reachable(ion, *(np.array([k]) for k in (e, p, q)), LASERS)[0]
                    for family, value in (("ceiling", merit), ("driven", 4.0 * merit * own)):
                        key = family, question, e, p
                        found[key] = max(found.get(key, 0.0), value)
    return count, found


def screened(ion, merits, *, cuts=True, keep=100, tops=None):
    reach = Reach((0.3, 4.0), LASERS, cuts, keep)
    tops = np.arange(len(ion.energy)) if tops is None else tops
    return screen(ion, tops, reach, merits, guesses().index, NO_MARK)


def test_screening_finds_what_loops_find(merits):
    ion = ion_within("Tm", 4.0, guesses())
    count, expected = by_loops(ion, merits, guesses().index)
    found = screened(ion, merits, keep=10_000, tops=TOPS)
    assert found.ladders == count > 1000
    for key in KEYS:
        best = found.best[key]
        positive = {k: v for k, v in expected.items() if k[:2] == key and v > 0.0}
        assert len(positive) == best.value.size
        values = [positive[*key, int(e), int(p)] for e, p in zip(best.e, best.p, strict=True)]
        np.testing.assert_allclose(best.value, values, rtol=1e-9)


def test_cuts_drop_nothing_that_is_kept(merits):
    ion = ion_within("Er", 4.0, guesses())
    cut, full = screened(ion, merits), screened(ion, merits, cuts=False)
    assert full.examined == full.ladders == cut.ladders > 4 * cut.examined
    for key in KEYS:
        one, two = cut.best[key], full.best[key]
        for name in ("value", "e", "p", "q", "ladders"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_shares_of_the_levels_give_what_all_together_give(merits):
    ion = ion_within("Nd", 4.0, guesses())
    every = np.arange(len(ion.energy))
    parts = [screened(ion, merits, tops=every[k::3], keep=50) for k in range(3)]
    whole = screened(ion, merits, keep=50)
    assert sum(part.ladders for part in parts) == whole.ladders
    for key in KEYS:
        joined = merged([part.best[key] for part in reversed(parts)], 50)
        for name in ("value", "e", "p", "q", "ladders"):
            one, two = getattr(joined, name), getattr(whole.best[key], name)
            np.testing.assert_array_equal(one, two)


def test_ions_with_one_excited_manifold_have_no_ladders(merits):
    for symbol in ("Ce", "Yb"):
        assert screened(ion_within(symbol, 4.0, guesses()), merits).ladders == 0


def test_coherence_is_a_quarter_where_light_is_faster_than_decay():
    ion = ion_within("Er", 4.0, guesses())
    strong, weak = (Intensities(x, x, x) for x in (1e30, 1e-12))
    levels = [np.array([k]) for k in (60, 20, 26)]
    assert reachable(ion, *levels, strong) == pytest.approx(0.25, rel=1e-6)
    first, second = (
        reachable(ion, *levels, i)[0] for i in (weak, Intensities(2e-12, 1e-12, 1e-12))
    )
    assert second == pytest.approx(2.0 * first, rel=1e-6, abs=0)
