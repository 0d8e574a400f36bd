"""Matrix exponentials and panel rules against closed forms."""

import numpy as np
import pytest
from scipy.linalg import expm

from renp_infer.physics.cycle import propagation
from renp_infer.physics.cycle.propagation import CUMULATE, NODES, PANEL_PHASE, W, X


def test_rules_are_exact_for_polynomials():
    for power in range(NODES):
        assert W @ X**power == pytest.approx(1.0 / (power + 1), rel=1e-13)
        np.testing.assert_allclose(
            CUMULATE @ X**power, np.append(X, 1.0) ** (power + 1) / (power + 1), atol=1e-13
        )


def test_fifth_power_of_a_panel_s_phase_is_integrated_and_found():
    angle = 5.0 * PANEL_PHASE
    found = W @ np.cos(angle * X + 0.3)
    assert found == pytest.approx((np.sin(angle + 0.3) - np.sin(0.3)) / angle, abs=1e-13)
    time = np.arange(40)[:, None] + X
    for phase in np.linspace(0.0, 2.0, 9):
        values = np.cos(angle * (time - 17.0) + phase) * np.exp(-((time - 20.3) ** 2))
        fine = np.linspace(17.0, 24.0, 700_001)
        top = np.cos(angle * (fine - 17.0) + phase) * np.exp(-((fine - 20.3) ** 2))
        value, panel, place = propagation.panel_top(values)
        assert value == pytest.approx(top.max(), abs=1e-3 * top.max())
        assert panel + place == pytest.approx(fine[np.argmax(top)], abs=2e-3)


@pytest.mark.parametrize("phase", [0.0, 0.1, 2.0, 7.0, 100.0])
def test_states_are_those_of_scipy(rng, phase):
    matrix = rng.standard_normal((6, 6)) + 1j * rng.standard_normal((6, 6))
    matrix -= matrix.conj().T  # anti-Hermitian: nothing grows
    matrix *= phase / np.linalg.norm(matrix, 2) / 3.0
    start = rng.standard_normal(6) + 0j
    states, end = propagation.propagate(matrix, start, 3.0, 3, phase)
    time = (np.arange(3.0)[:, None] + X).ravel()
    expected = [expm(matrix * t) @ start for t in time]
    np.testing.assert_allclose(states, expected, atol=3e-14 * (10.0 + phase))
    np.testing.assert_allclose(end, expm(3.0 * matrix) @ start, atol=3e-14 * (10.0 + phase))


def test_a_defective_matrix_has_no_eigenbasis():
    jordan = np.array([[-1.0, 1.0], [0.0, -1.0]])
    states, end = propagation.propagate(jordan, np.array([0.0, 1.0]), 5.0, 7, 10.0)
    time = (5.0 / 7.0 * (np.arange(7.0)[:, None] + X)).ravel()
    expected = np.exp(-time)[:, None] * np.stack([time, np.ones_like(time)], axis=1)
    np.testing.assert_allclose(states, expected, atol=1e-14)
    np.testing.assert_allclose(end, np.exp(-5.0) * np.array([5.0, 1.0]), atol=1e-14)


def test_panels_hold_the_phase():
    for phase in (0.0, 1.9, 2.0, 2.1, 1e5):
        panels = propagation.panels_for(phase)
        assert phase / panels <= PANEL_PHASE
        assert panels == 1 or phase / (panels - 1) > PANEL_PHASE
