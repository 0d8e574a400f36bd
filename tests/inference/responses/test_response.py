"""The response: tables against direct integration, Jacobian against differences."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from renp_infer.errors import ConfigError, DomainError
from renp_infer.inference.responses._response_kernel import (
    MASS_SCALE,
    mass_nodes,
    mass_squares,
    pair_weights,
)
from renp_infer.inference.responses.response import Response, approximation_error, share_at
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.leakage import leakage_shape
from renp_infer.measurement.smoothing import make_smoother
from renp_infer.physics.neutrinos import load_oscillation, make_parameters, masses, weights
from renp_infer.physics.pairs.form_factor import pair_integrals
from renp_infer.physics.pairs.kinematics import phase_matched
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PAIR_INDEX, PRESETS, Detector, Experiment, Lasers, Layout

TARGET = load_target("er-ylf")
TABLE = load_oscillation("nufit-6.0")
UPPER_EDGE, PHASE_MATCHED = 142.0, 58.79
STEPS = np.array([1e-6, 1e-7, 1e-7, 1e-7, 1e-6, 1e-6, 1e-9, 1e-8, 1e-5, 1e-5, 1e-5])


def experiment(preset, centre, count=21, **detector):
    theta_s = np.deg2rad(centre + 0.36 * (np.arange(count) - count // 2))
    layout = Layout(2.0, 1.0, phase_matched(TARGET)[1], theta_s)
    return Experiment(TARGET, layout, Lasers(), Detector(**detector), PRESETS[preset])


def truth(nature="majorana", ordering="normal", m1_eV=0.05):
    return make_parameters(m1_eV, ordering, nature, 0.7, 0.4, 1.1, TABLE)


def draw(rng, response):
    x = response.nominal()
    x[0] = rng.uniform(1e-3, 0.45)
    x[1:4] += [5e-4, 1.7e-4, 1.7e-4] * rng.normal(size=3)
    x[4:8] *= 1.0 + 0.02 * rng.normal(size=4)
    x[8:11] = rng.uniform(0.0, 2.0 * np.pi, 3)
    return x


@pytest.fixture(scope="module", params=[(p, c) for p in PRESETS for c in (58.79, 142.0)])
def response(request):
    preset, centre = request.param
    return Response(experiment(preset, centre), truth(), 1e-3, 0.45)


def test_kernel_weights_are_those_of_the_neutrino_module():
    p = truth()
    x = np.array([0.05, 1.45, 0, 0, p.sin2_12, p.sin2_13, p.dm2_21, p.dm2_3l, 0.7, 0.4, 1.1])
    value, _ = pair_weights(x, p.sin2_w)
    rows = weights(p, PRESETS["corrected"])
    np.testing.assert_allclose(value, [rows.pv, rows.pv_majorana], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("ordering", ["normal", "inverted"])
def test_kernel_masses_are_those_of_the_neutrino_module(ordering):
    p = truth(ordering=ordering)
    x = np.array([0.05, 1.45, 0, 0, p.sin2_12, p.sin2_13, p.dm2_21, p.dm2_3l, 0, 0, 0])
    squares, _ = mass_squares(x, ordering == "inverted")
    np.testing.assert_allclose(np.sqrt(squares), masses(p), rtol=1e-12)


@pytest.mark.parametrize("place", [0.2, 1.0, 17.6, 37.5, 38.2, 38.999])
def test_four_masses_of_the_table_make_a_cubic_exact(place):
    step, last = 0.1, 40
    first, weights, slopes = mass_nodes(MASS_SCALE * np.sinh(step * place), last, step)
    nodes = np.arange(last, dtype=float)[first : first + 4]
    assert weights @ nodes**3 == pytest.approx(place**3)
    assert slopes @ nodes**3 == pytest.approx(3.0 * place**2 / step)


def test_jacobian_against_central_differences(response):
    rng = np.random.default_rng(11)
    for _ in range(3):
        x = draw(rng, response)
        _, jacobian = response(x)
        for k, step in enumerate(STEPS * np.where(np.arange(11) == 0, x[0], 1.0)):
            up, down = x.copy(), x.copy()
            up[k] += step
            down[k] -= step
            slope = (response(up)[0] - response(down)[0]) / (2.0 * step)
            # differences of kinks of power 3/2: 3e-5 of the column
            scale = np.abs(jacobian[:, k]).max() + 1e-12 * np.abs(jacobian).max()
            np.testing.assert_allclose(slope, jacobian[:, k], rtol=0, atol=1e-4 * scale)


def test_response_against_direct_smoothing(response):
    preset = next(n for n, s in PRESETS.items() if s == response.experiment.switches)
    peak = np.abs(exact_field(experiment(preset, PHASE_MATCHED), truth(), 1e-3)).max()
    if preset == "published" and np.rad2deg(response.theta_s.mean()) > 100.0:
        # light planar pairs begin as 1/sqrt of the distance from their edge
        response = Response(response.experiment, truth(), 1e-3, 0.45, refinement=1)
    rng = np.random.default_rng(12)
    draws = np.array([draw(rng, response) for _ in range(6)])
    draws[0, 0], draws[1, 0] = 0.0, 1e-4
    # 1 % of the noise at a peak signal-to-noise of 1000
    sigma = np.full(response.theta_s.size, 1e-3 * peak)
    assert approximation_error(response, draws, sigma) < 1e-2


def test_dirac_field_ignores_the_majorana_phases():
    response = Response(experiment("corrected", UPPER_EDGE, 5), truth("dirac"), 1e-3, 0.45)
    x = response.nominal()
    field, jacobian = response(x)
    x[9:11] += [1.0, 2.0]
    np.testing.assert_array_equal(response(x)[0], field)
    np.testing.assert_array_equal(jacobian[:, 8:], 0.0)


def test_majorana_field_turns_with_alpha21_as_the_exchange_term():
    response = Response(experiment("corrected", PHASE_MATCHED, 3), truth(m1_eV=0.3), 1e-3, 0.45)
    x = response.nominal()
    x[8:] = 0.0
    fields = []
    for alpha in (0.0, np.pi / 2, np.pi):
        x[9] = alpha
        x[10] = alpha  # keeps the (23) pair's phase
        fields.append(response(x)[0])
    # (12) and (13) turn together, cos(alpha): the mean of 0 and pi is pi/2
    np.testing.assert_allclose(fields[1], 0.5 * (fields[0] + fields[2]), rtol=1e-12)
    assert np.all(np.abs(fields[0] - fields[2]) > 1e-3 * np.abs(fields[0]))


def test_gaussian_kernel_has_the_same_accuracy():
    apparatus = experiment("corrected", UPPER_EDGE, 9, kernel="gaussian")
    response = Response(apparatus, truth(), 1e-3, 0.45)
    field = exact_field(apparatus, truth(), 1e-3)
    np.testing.assert_allclose(response(response.nominal())[0], field, atol=1e-6 * abs(field).max())


def test_response_survives_pickling():
    response = Response(experiment("corrected", UPPER_EDGE, 5), truth(), 1e-3, 0.45)
    again = pickle.loads(pickle.dumps(response))
    np.testing.assert_array_equal(again(again.nominal())[0], response(response.nominal())[0])


def test_lorentzian_in_the_full_phase_space_is_refused():
    apparatus = experiment("corrected", UPPER_EDGE, 5)
    mixed = replace(apparatus.switches, form_factor="lorentzian")
    with pytest.raises(ConfigError, match="physics.form_factor"):
        Response(replace(apparatus, switches=mixed), truth(), 1e-3, 0.45)


def test_masses_beyond_the_table_are_refused():
    response = Response(experiment("corrected", UPPER_EDGE, 5), truth(), 1e-3, 0.1)
    x = response.nominal()
    x[0] = 0.2
    with pytest.raises(DomainError, match="m1_eV"):
        approximation_error(response, x[None, :], np.ones(5))


@pytest.mark.parametrize("nature", ["dirac", "majorana"])
@pytest.mark.parametrize("preset", PRESETS)
def test_leakage_is_the_smoothed_rate_in_units_of_the_peak(preset, nature):
    """Against the rate on 40 sub-angles of each window, inside the support."""
    apparatus, parameters = experiment(preset, 70.0, 5), truth(nature, m1_eV=0.2)
    step = np.deg2rad(1.44) * ((np.arange(40) + 0.5) / 40 - 0.5)
    fine = (apparatus.layout.theta_s[:, None] + step).ravel()
    m = masses(parameters)
    pairs = pair_integrals(
        replace(apparatus, layout=replace(apparatus.layout, theta_s=np.sort(fine))), m
    )
    rows = weights(parameters, apparatus.switches)
    kappa = apparatus.switches.majorana_kappa if nature == "majorana" else 0.0
    product = np.array([m[i] * m[j] for i, j in PAIR_INDEX])
    rate = rows.rate @ pairs.a_eV5 - kappa * (rows.rate_majorana * product) @ pairs.b_eV3
    smooth = rate[np.argsort(np.argsort(fine))].reshape(5, 40).mean(axis=1)
    leak = leakage_shape(apparatus, parameters, 1e-3)
    np.testing.assert_allclose(leak / leak.max(), smooth / smooth.max(), rtol=3e-4)
    peak = np.abs(exact_field(apparatus, parameters, 1e-3)).max()
    assert np.abs(leak).max() == pytest.approx(peak, rel=1e-12, abs=0)


def test_light_states_have_a_finite_response_and_jacobian(response, rng):
    """Down to massless ones, whose pairs have a threshold sharper than any other."""
    for k in range(200):
        x = draw(rng, response)
        x[0] = 0.0 if k % 4 == 0 else 10.0 ** rng.uniform(-12.0, -5.0)
        field, jacobian = response(x)
        assert np.isfinite(field).all()
        assert np.isfinite(jacobian).all()
    x[0] = 0.0
    massless, _ = response(x)
    x[0] = 1e-6
    np.testing.assert_allclose(response(x)[0], massless, atol=2e-6 * np.abs(massless).max())


@pytest.mark.parametrize("theta_e", (3.0, 17.0, 58.0, 175.0), ids=lambda angle: f"{angle:g}")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("nature", ("dirac", "majorana"))
def test_the_template_alone_is_that_beside_the_jacobian(preset, theta_e, nature, rng):
    """To the bit, all around: pairs at all angles, both edges, and beyond the antipode."""
    layout = Layout(2.0, 1.0, np.deg2rad(theta_e), np.deg2rad(np.linspace(-178.0, 178.0, 45)))
    apparatus = Experiment(TARGET, layout, Lasers(), Detector(), PRESETS[preset])
    response = Response(apparatus, truth(nature), 1e-3, 0.45, finite_crystal=False)
    for _ in range(5):
        x = draw(rng, response)
        np.testing.assert_array_equal(response.template(x), response(x)[0], strict=True)


def test_the_template_alone_has_the_finite_crystal_too(response, rng):
    for _ in range(5):
        x = draw(rng, response)
        np.testing.assert_array_equal(response.template(x), response(x)[0], strict=True)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_response_at_the_truth_alone(preset):
    """Its field is the exact one; its derivatives lack what the share does with the mass."""
    setup, own = experiment(preset, UPPER_EDGE), truth()
    share = share_at(make_smoother(setup), masses(own))
    near = Response(setup, own, 1e-3, 0.45, share=share)
    full = Response(setup, own, 1e-3, 0.45)
    field, jacobian = near(near.nominal())
    exact = exact_field(setup, own, 1e-3)
    np.testing.assert_allclose(field, exact, rtol=0, atol=1e-12 * np.max(np.abs(exact)))
    other = full(full.nominal())[1]
    # one index for all photons: the extraordinary one, last, is in neither
    assert not np.any(jacobian[:, -1]) and not np.any(other[:, -1])
    size = np.max(np.abs(jacobian[:, :-1]), axis=0)
    error = np.max(np.abs(jacobian - other)[:, :-1], axis=0) / size
    assert np.all(error < 3e-3), error


@pytest.mark.slow
def test_a_refined_table_errs_less_than_the_field_it_was_held_to():
    """Planar light pairs at S/N 500: the field without refinement shares the table's error."""
    parameters = truth("dirac")
    setup = experiment("published", UPPER_EDGE, 31)
    peak = np.abs(exact_field(setup, parameters, 1e-3)).max()
    sigma = np.full(31, peak / 500.0)
    errors = []
    for refinement in (0, 1):
        response = Response(setup, parameters, 1e-3, 0.45, refinement=refinement)
        draws = np.tile(response.nominal(), (4, 1))
        draws[:, 0] = (1e-4, 1e-3, 5e-3, 2e-2)
        errors.append(approximation_error(response, draws, sigma))
    assert errors[1] < 0.3 * errors[0]
    assert errors[1] < 1e-2
