"""The average of the unsmoothed sums over a window, and that smoothing agrees with it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from renp_infer.measurement.average import averaged_field, disagreement
from renp_infer.measurement.field import exact_field
from renp_infer.physics.neutrinos import load_oscillation, make_parameters, masses, weights
from renp_infer.physics.pairs.form_factor import pair_integrals
from renp_infer.physics.pairs.sums import majorana_kappa, parity_violating_sum
from renp_infer.physics.signal.magnetization import magnetization_nG_per_s
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Detector, Experiment, Lasers, Layout

TARGET = load_target("er-ylf")
CHI2 = 1e-2


def experiment(preset, theta_e, degrees, resolution, kernel="box"):
    layout = Layout(2.0, 1.0, np.deg2rad(theta_e), np.deg2rad(degrees), 0.3)
    detector = Detector(resolution=np.deg2rad(resolution), kernel=kernel)
    lasers = Lasers(chi_squared=CHI2, zeeman_field_G=0.0)
    return Experiment(TARGET, layout, lasers, detector, PRESETS[preset])


def truth(nature="dirac"):
    table = load_oscillation("nufit-6.0")
    return make_parameters(0.05, "normal", nature, 0.3, 0.7, 1.1, table)


@pytest.mark.parametrize("preset", ("published", "corrected", "first-principles"))
@pytest.mark.parametrize(
    "kernel, theta_e, low, high",
    (
        pytest.param("box", -150.0, -175.0, 186.0, marks=pytest.mark.slow),
        pytest.param("box", 80.0, -175.0, 186.0, marks=pytest.mark.slow),
        pytest.param("box", 168.9, -175.0, 186.0, marks=pytest.mark.slow),
        ("gaussian", 168.9, 171.0, 190.0),
    ),
)
def test_smoothing_is_an_average(preset, kernel, theta_e, low, high):
    """Across edges and the half turn: panels, blocks and tables against plain quadrature."""
    setup = experiment(preset, theta_e, np.arange(low, high, 9.0), 3.0, kernel)
    for nature in ("dirac", "majorana"):
        field = exact_field(setup, truth(nature), CHI2)
        assert disagreement(setup, truth(nature), CHI2, field) < 2e-3


def test_an_average_is_the_integral_over_the_window():
    """Adaptive, against the nodes between edges, where no edge is near."""
    setup = experiment("corrected", 141.6, [20.0], 4.0)
    parameters = truth("majorana")
    m = masses(parameters)
    rows, kappa = weights(parameters, setup.switches), majorana_kappa(setup, parameters)
    middle, half = setup.layout.theta_s[0], 0.5 * setup.detector.resolution

    def growth(angle):
        there = replace(setup, layout=replace(setup.layout, theta_s=np.array([angle])))
        odd = parity_violating_sum(pair_integrals(there, m), rows, m, kappa)
        return magnetization_nG_per_s(there, odd, CHI2)[0] * 1e12

    mean = quad(growth, middle - half, middle + half, epsrel=1e-8)[0] / (2.0 * half) * 1e-12
    # 40 ms of events at a constant rate, spins that relax in 5 ms
    detector, lasers = setup.detector, setup.lasers
    relaxation = 1e-3 * detector.spin_relaxation_ms
    seconds = relaxation * (1.0 - np.exp(-1e-3 * lasers.cycle_ms / relaxation))
    found = averaged_field(setup, parameters, CHI2, middle)
    assert found == pytest.approx(seconds * mean, rel=1e-4, abs=0)


def test_a_field_that_is_not_the_average_is_noticed():
    setup = experiment("corrected", 141.6, [15.0, 20.0, 25.0], 3.0)
    field = exact_field(setup, truth(), CHI2)
    good = disagreement(setup, truth(), CHI2, field)
    assert disagreement(setup, truth(), CHI2, 1.01 * field) == pytest.approx(0.0099, abs=2 * good)
    assert disagreement(setup, truth(), CHI2, 0.0 * field) > 1.0


def test_only_the_strongest_angles_are_compared():
    degrees = np.arange(15.0, 26.0)
    setup = experiment("corrected", 141.6, degrees, 3.0)
    field = exact_field(setup, truth(), CHI2)
    order = np.argsort(-np.abs(field))
    spoilt = field.copy()
    spoilt[order[3:]] *= 0.5
    assert disagreement(setup, truth(), CHI2, spoilt) < 1e-3
    spoilt[order[2]] *= 0.97
    assert disagreement(setup, truth(), CHI2, spoilt) > 0.01
