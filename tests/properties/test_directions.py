"""Laws of directions: what turning, mirroring and listing angles does to a prediction."""

import numpy as np

import renp_infer as renp
from tests.properties.studies import (
    FIELDS,
    RATES,
    ROUNDING,
    assert_alike,
    evaluated,
    of_all_presets,
    random_study,
    thresholds,
)

SMOOTH = 1e-6
"""Of smoothed fields whose windows are split elsewhere."""
ANGLES = ("theta_e_deg", "c_axis_deg")


@of_all_presets()
def test_the_mirror_of_a_layout_has_the_same_prediction(case):
    """Reflection in the plane of k1 and the cylinder: all angles negative, P.c and S.v kept."""
    study = random_study(case)
    layout = study["layout"]
    mirrored = {f"layout.{name}": -layout[name] for name in ANGLES}
    mirrored["layout.theta_s_deg"] = [-angle for angle in reversed(layout["theta_s_deg"])]
    found = evaluated(study, mirrored).isel(theta_s_deg=slice(None, None, -1))
    assert_alike(found, evaluated(study), tolerance=SMOOTH)


@of_all_presets()
def test_full_turns_are_no_turns(case):
    """All angles are modulo 360 degrees."""
    study = random_study(case)
    layout = study["layout"]
    turned = {f"layout.{name}": layout[name] - np.copysign(360.0, layout[name]) for name in ANGLES}
    sign = -np.sign(layout["theta_s_deg"][1])
    angles = [angle + 360.0 * sign for angle in layout["theta_s_deg"]]
    if max(map(abs, angles)) <= 360.0:
        turned["layout.theta_s_deg"] = angles
    assert_alike(evaluated(study, turned), evaluated(study), tolerance=SMOOTH)


@of_all_presets()
def test_half_a_turn_of_the_crystal_turns_the_field_and_no_rate(case):
    """The field is counted along the c axis, which is then the opposite direction."""
    study = random_study(case)
    axis = study["layout"]["c_axis_deg"]
    found = evaluated(study, {"layout.c_axis_deg": axis - np.copysign(180.0, axis)})
    expected = evaluated(study)
    assert_alike(found, expected, RATES)
    assert_alike(-found, expected, FIELDS)


@of_all_presets()
def test_an_angle_knows_nothing_of_the_others(case):
    """A list of angles is the angles one by one, in its order."""
    study = random_study(case)
    expected = evaluated(study)
    for place, angle in enumerate(study["layout"]["theta_s_deg"]):
        found = evaluated(study, {"layout.theta_s_deg": [angle]})
        for name in (*FIELDS, *RATES):
            within = SMOOTH if name == "signal_nG" else ROUNDING
            apart = np.abs(found[name].values - expected[name].values[place])
            assert apart < within * np.abs(expected[name].values).max(), name


@of_all_presets()
def test_thresholds_lie_evenly_about_the_sum_of_the_pump_photons(case):
    """s depends on the angle from k1 + k2 alone, so the middle of every pair's edges is there."""
    study = random_study(case)
    apparatus = renp.load_study(study).experiment
    one, two, theta_e = apparatus.target.omega_1, apparatus.target.omega_2, apparatus.layout.theta_e
    middle = np.angle(one + two * np.exp(1j * theta_e))
    sums = np.deg2rad(thresholds(evaluated(study)).sum(axis=1))
    np.testing.assert_allclose(np.exp(1j * (sums - 2.0 * middle)), 1.0, atol=1e-9)


@of_all_presets()
def test_a_window_that_closes_is_no_window(case):
    """The smoothed field goes to the sharp one with the square of the resolution."""
    study = random_study(case)
    sharp, fine, coarse = (
        evaluated(study, {"detector.resolution_deg": width})["signal_nG"].values
        for width in (0.0, 0.5, 1.0)
    )
    peak = np.abs(sharp).max()
    assert np.abs(fine - sharp).max() < 1e-2 * peak
    np.testing.assert_allclose(4.0 * (fine - sharp), coarse - sharp, rtol=0, atol=1e-3 * peak)
