"""Laws of the detector: coupling, exposure, noise, relaxation and cycle."""

import numpy as np

from tests.properties.studies import (
    FIELDS,
    RATES,
    assert_alike,
    evaluated,
    of_all_presets,
    random_study,
)

SHARP = {"detector.resolution_deg": 0.0}
SMOOTHED = 2e-3
"""Of a field without resolution: a window of finite width stands for it, on a table."""


@of_all_presets()
def test_the_coupling_is_of_the_field_alone(case):
    """Field at the detector goes with xi; rate and noise do not know it."""
    study = random_study(case)
    one, other = (evaluated(study, {"detector.coupling": xi}) for xi in (0.01, 0.2))
    assert_alike(other, 20.0 * one, FIELDS)
    assert_alike(other, one, [*RATES, "sigma_nG"], tolerance=0.0)


@of_all_presets()
def test_noise_falls_with_the_root_of_the_exposure(case):
    """sigma goes with noise / sqrt(T) where nothing drifts; no signal knows of either."""
    study = random_study(case)
    detector = study["detector"]
    changes = {
        "detector.exposure_s": 9.0 * detector["exposure_s"],
        "detector.noise_fT_rtHz": 2.0 * detector["noise_fT_rtHz"],
    }
    one, other = evaluated(study), evaluated(study, changes)
    assert_alike(other, (2.0 / 3.0) * one, ["sigma_nG"], 1e-14)
    assert_alike(other, one, tolerance=0.0)


@of_all_presets()
def test_an_exposure_is_shared(case):
    """One angle alone has the whole of it: sigma is that of n angles over sqrt(n)."""
    study = random_study(case)
    angles = study["layout"]["theta_s_deg"]
    alone = evaluated(study, {"layout.theta_s_deg": angles[:1]})["sigma_nG"].values
    shared = evaluated(study)["sigma_nG"].values
    np.testing.assert_allclose(shared, np.sqrt(len(angles)) * alone[0], rtol=1e-12)


@of_all_presets()
def test_shares_of_the_exposure_are_times(case):
    """Unequal shares: sigma^-2 of an angle goes with its share, their sum is that of equal ones."""
    study = random_study(case)
    shares = np.array([1.0, 2.0, 5.0])
    equal = evaluated(study)["sigma_nG"].values ** -2
    found = evaluated(study, {"detector.exposure_shares": shares.tolist()})["sigma_nG"].values ** -2
    np.testing.assert_allclose(found, shares / shares.sum() * equal.sum(), rtol=1e-12)


@of_all_presets()
def test_spins_that_relax_late_keep_the_growth_of_a_cycle(case):
    """T1 >> cycle: peak field = growth x cycle time."""
    study = random_study(case)
    found = evaluated(study, SHARP | {"detector.spin_relaxation_ms": 1e7})
    cycle_s = 1e-3 * study["lasers"]["cycle_ms"]
    assert_alike({"field": found["signal_nG"]}, {"field": cycle_s * growth(found)}, ["field"], 2e-3)


@of_all_presets()
def test_spins_that_relax_early_keep_a_relaxation_time_of_it(case):
    """T1 << cycle: peak field = growth x T1, and a longer cycle adds nothing."""
    study = random_study(case)
    short = SHARP | {"detector.spin_relaxation_ms": 0.5}
    one, other = (evaluated(study, short | {"lasers.cycle_ms": x}) for x in (25.0, 50.0))
    assert_alike({"field": one["signal_nG"]}, {"field": 5e-4 * growth(one)}, ["field"], SMOOTHED)
    assert_alike(other, one, FIELDS)


def growth(found):
    return found["magnetization_nG_per_s"].values


@of_all_presets()
def test_peaks_of_cycles_between_the_limits(case):
    """The share that relaxation leaves is (1 - exp(-r)) / r, r = cycle / T1, whatever else is."""
    study = random_study(case)
    t1 = 8.0
    found = [
        evaluated(study, {"detector.spin_relaxation_ms": t1, "lasers.cycle_ms": r * t1})
        for r in (0.3, 2.0)
    ]
    factor = np.expm1(-2.0) / np.expm1(-0.3)
    assert_alike(found[1], factor * found[0], ["signal_nG"])


@of_all_presets()
def test_scaled_noise_forgets_every_factor(case):
    """With a reference S/N, peak S/N does not ask for coupling, coherence, noise or exposure."""
    study = random_study(case)
    scaled = {"detector.reference_snr": 100.0}
    factors = {
        "detector.coupling": 0.5,
        "detector.noise_fT_rtHz": 20.0,
        "lasers.chi_squared": 1e-5,
    }
    one, other = (evaluated(study, scaled | more) for more in ({}, factors))
    snr = [found["signal_nG"] / found["sigma_nG"] for found in (one, other)]
    np.testing.assert_allclose(snr[1], snr[0], rtol=1e-9)
    double = evaluated(study, {"detector.reference_snr": 200.0})
    np.testing.assert_allclose(double["sigma_nG"], 0.5 * one["sigma_nG"], rtol=1e-12)
