"""Laws of neutrinos: phases, CP, the Majorana term, and masses without labels."""

import numpy as np

from tests.properties.studies import (
    PHASES,
    assert_alike,
    evaluated,
    of_all_presets,
    preset_of,
    random_study,
)

KAPPA = {"published": 0.125, "corrected": 1.0, "first-principles": 1.0}
PAIR_INTEGRALS = ("pair_A_eV5", "pair_B_eV3", "pair_K_eV5")
EPSILON_EV = 1.5896
"""Energy of a pair of the default target."""
SPLITTING_EV2 = 2.6e-3
"""Larger than any of the oscillation tables."""


def moved(study, **degrees):
    """Changes that add degrees to phases, by the name without its unit."""
    found = {}
    for name, by in degrees.items():
        key = f"{name}_deg"
        found[f"neutrino.{key}"] = (study["neutrino"][key] + by + 180.0) % 360.0 - 180.0
    return found


@of_all_presets()
def test_phases_are_modulo_a_full_turn(case):
    """delta, alpha21 and alpha31 stand in exponentials alone."""
    study = random_study(case, nature="majorana")
    expected = evaluated(study)
    for phase in PHASES:
        value = study["neutrino"][phase]
        other = {f"neutrino.{phase}": value - np.copysign(360.0, value)}
        assert_alike(evaluated(study, other), expected)


@of_all_presets()
def test_cp_conjugation_changes_nothing(case):
    """All phases negative: only real parts of products of mixing elements enter."""
    study = random_study(case, nature="majorana")
    mirrored = {f"neutrino.{phase}": -study["neutrino"][phase] for phase in PHASES}
    assert_alike(evaluated(study, mirrored), evaluated(study))


@of_all_presets()
def test_delta_and_alpha31_enter_as_alpha31_less_twice_delta(case):
    """Delta more by x and alpha31 by 2 x is the same Majorana neutrino, alpha31 alone is not."""
    study = random_study(case, nature="majorana", m1_meV=100.0)
    expected = evaluated(study)
    assert_alike(evaluated(study, moved(study, delta=70.0, alpha31=140.0)), expected)
    other = evaluated(study, moved(study, alpha31=140.0))
    assert abs(other["sum_F_eV5"].values / expected["sum_F_eV5"].values - 1.0).max() > 1e-6


@of_all_presets()
def test_a_dirac_neutrino_shows_no_phase(case):
    """Phases enter through the exchange of Majorana neutrinos alone."""
    study = random_study(case, nature="dirac")
    other = moved(study, delta=100.0, alpha21=50.0, alpha31=-30.0)
    assert_alike(evaluated(study, other), evaluated(study))


@of_all_presets()
def test_a_massless_neutrino_leaves_one_phase(case):
    """Interference goes with m_i m_j: of three pairs one is left, (23) normal, (12) inverted."""
    study = random_study(case, nature="majorana", m1_meV=0.0)
    if study["neutrino"]["ordering"] == "normal":
        same = moved(study, alpha21=60.0, alpha31=60.0)
    else:
        same = moved(study, delta=80.0, alpha31=50.0)
    assert_alike(evaluated(study, same), evaluated(study))


@of_all_presets()
def test_dirac_and_majorana_differ_by_products_of_masses(case):
    """By kappa m_i m_j Re(b b) B of six pairs, that is at most kappa m^2 Sum |b|^2 B.

    So it does not vanish at m1 = 0, where a heaviest neutrino of 50 meV is left, but is small
    there; that it vanishes without kappa is exact.
    """
    study = random_study(case, m1_meV=0.0)
    dirac, majorana = (evaluated(study, {"neutrino.nature": x}) for x in ("dirac", "majorana"))
    heaviest = dirac["masses_eV"].values.max()
    most = KAPPA[preset_of(study)] * heaviest**2 * 0.75 * dirac["pair_B_eV3"].values.max(axis=0)
    apart = np.abs(dirac["sum_F_eV5"].values - majorana["sum_F_eV5"].values)
    assert np.all((apart > 0.0) & (apart < most))
    assert np.all(apart < 4e-3 * dirac["sum_F_eV5"].values)


@of_all_presets()
def test_without_exchange_dirac_is_majorana(case):
    """kappa = 0 leaves nothing of the difference, whatever the masses."""
    study = random_study(case)
    exact = {"physics.majorana_kappa": 0.0}
    one, other = (evaluated(study, exact | {"neutrino.nature": x}) for x in ("dirac", "majorana"))
    assert_alike(one, other, tolerance=0.0)


@of_all_presets()
def test_the_exchange_is_linear_in_kappa(case):
    """Rate and field at half of kappa lie halfway between those without and with it."""
    study = random_study(case, nature="majorana", m1_meV=150.0)
    none, half, full = (evaluated(study, {"physics.majorana_kappa": k}) for k in (0.0, 0.5, 1.0))
    assert_alike(0.5 * (none + full), half)


@of_all_presets()
def test_integrals_know_masses_and_no_labels(case):
    """The lightest pair is (11) in normal and (33) in inverted ordering: the same integral."""
    study = random_study(case)
    found = {x: evaluated(study, {"neutrino.ordering": x}) for x in ("normal", "inverted")}
    names = [name for name in PAIR_INTEGRALS if name in found["normal"]]
    lightest = found["normal"].sel(pair="11"), found["inverted"].sel(pair="33")
    assert_alike(*lightest, names)
    np.testing.assert_allclose(
        found["normal"]["masses_eV"].values[0], found["inverted"]["masses_eV"].values[2], rtol=1e-12
    )


@of_all_presets()
def test_heavy_neutrinos_have_nearly_no_ordering(case):
    """With one mixing table the orderings differ by splittings over s - 4 m^2, and by no more.

    Where m1 is 300 meV; an integral changes by a few times that, being a power of it.
    """
    study = random_study(case, nature="dirac", m1_meV=300.0, oscillation="seed")
    one, other = (evaluated(study, {"neutrino.ordering": x}) for x in ("normal", "inverted"))
    heaviest = max(found["masses_eV"].values.max() for found in (one, other))
    s = EPSILON_EV**2 - np.sum(one["w_eV"].values ** 2, axis=0)
    apart = np.abs(other["sum_F_eV5"].values / one["sum_F_eV5"].values - 1.0)
    assert np.all((apart > 0.0) & (apart < 4.0 * SPLITTING_EV2 / (s - 4.0 * heaviest**2)))
