"""Laws of scale: what ions, crystal, lasers and the refractive index do to a prediction."""

import numpy as np

import renp_infer as renp
from tests.properties.studies import (
    FIELDS,
    RATES,
    assert_alike,
    evaluated,
    of_all_presets,
    preset_of,
    random_study,
)

TAIL = 1e-3
"""Of a crystal of millimetres: what its form factor leaves of the limit of a large one."""
IONS = {"published": 3, "corrected": 2, "first-principles": 2}
"""Power of the density in the field: a moment of all ions, or of one."""


@of_all_presets()
def test_emission_goes_with_the_square_of_the_density(case):
    """Coherent ions: the rate with n^2; the field too, or with n^3 where an event moves n ions."""
    study, factor = random_study(case), 3.0
    denser = factor * study["target"]["density_per_cm3"]
    one, other = evaluated(study), evaluated(study, {"target.density_per_cm3": denser})
    np.testing.assert_allclose(other["rate_per_s"], factor**2 * one["rate_per_s"], rtol=1e-10)
    power = IONS[preset_of(study)]
    assert_alike(other, factor**power * one, FIELDS)
    assert_alike(other, one, ["sum_F_eV5", "sum_G_eV5"], tolerance=0.0)


@of_all_presets()
def test_everything_is_linear_in_the_coherence(case):
    """Rate and field go with chi squared, noise and integrals do not know it."""
    study = random_study(case)
    value = study["lasers"]["chi_squared"]
    one, other = evaluated(study), evaluated(study, {"lasers.chi_squared": 2.0 * value})
    assert_alike(other, 2.0 * one, [*FIELDS, "rate_per_s"], tolerance=1e-14)
    assert_alike(other, one, ["sigma_nG", "sum_F_eV5", "sum_G_eV5"], tolerance=0.0)


@of_all_presets()
def test_the_trigger_counts_linearly_or_not_at_all(case):
    """Through h_r^2, the published and corrected field; not at all where it is counted once."""
    study = random_study(case)
    one = evaluated(study, {"lasers.trigger_mW_cm2": 1.0})
    other = evaluated(study, {"lasers.trigger_mW_cm2": 10.0})
    factor = 1.0 if preset_of(study) == "first-principles" else 10.0
    assert_alike(other, factor * one, [*FIELDS, "rate_per_s"])


@of_all_presets()
def test_a_large_crystal_emits_by_its_volume(case):
    """The rate goes with n^2 V; in the plane, where one momentum is transverse, with n^2 V R.

    The field of one event is that of mu / V, so it does not know the crystal, but where it is
    that of n ions.
    """
    study = random_study(case)
    layout, longer, wider = study["layout"], 2.0, 1.5
    sizes = {
        "layout.length_cm": longer * layout["length_cm"],
        "layout.radius_cm": wider * layout["radius_cm"],
    }
    one, other = evaluated(study), evaluated(study, sizes)
    volume = longer * wider**2
    printed = preset_of(study) == "published"
    emission = volume * wider if printed else volume
    assert_alike(other, emission * one, ["rate_per_s"], TAIL)
    assert_alike(other, (emission if printed else 1.0) * one, FIELDS, TAIL)


@of_all_presets()
def test_the_momentum_is_that_of_the_photons_in_the_crystal(case):
    """w = n (k1 + k2 - ks) of unit index, so it is linear in n at fixed directions."""
    study = random_study(case)
    one, two = (evaluated(study, {"target.refractive_index": n}) for n in (1.0, 1.5))
    np.testing.assert_allclose(two["w_eV"], 1.5 * one["w_eV"], rtol=1e-12, atol=1e-15)


@of_all_presets()
def test_where_phases_match_the_index_does_not_matter(case):
    """w = 0 for every n there: the pair is at rest, at the direction that n does not move."""
    study = random_study(case)
    study["layout"] |= {"theta_s_deg": [MATCHED[0]], "theta_e_deg": MATCHED[1]}
    study["detector"]["resolution_deg"] = 0.0
    one, other = (evaluated(study, {"target.refractive_index": n}) for n in (1.3, 1.6))
    assert np.abs(one["w_eV"]).max() < 1e-9
    assert_alike(other, one, RATES, TAIL)


def matched() -> tuple[float, float]:
    """Directions of trigger and second laser at which w = 0, degrees, by the cosine rule."""
    target = renp.load_study("fig6").experiment.target
    k1, k2, ks = target.omega_1, target.omega_2, target.omega_s
    trigger = np.arccos((k1**2 + ks**2 - k2**2) / (2.0 * k1 * ks))
    second = np.arccos((ks**2 - k1**2 - k2**2) / (2.0 * k1 * k2))
    return float(np.rad2deg(trigger)), float(np.rad2deg(second))


MATCHED = matched()
