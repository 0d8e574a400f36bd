"""Profile likelihood: phases against a grid, bounded steps."""

from __future__ import annotations

import numpy as np
import pytest

from renp_infer.inference.profiles.descent import descend
from renp_infer.inference.profiles.fisher import validity
from renp_infer.inference.profiles.profile import Profile
from tests.toys.expected import (
    ALONE,
    EXPOSURE,
    THETA,
    hypothesis,
    noise,
)
from tests.toys.response import observe


def test_phases_leave_the_ridge_where_cp_is_conserved():
    """Truth with all phases 0, m1 displaced: the best phases of a grid, 5 degrees wide."""
    settings = ALONE | {"amplitude_sd": 0.0, "oscillation_errors": False}
    model = hypothesis(**settings)
    truth = model.at(100.0, (0.0, 0.0, 0.0))
    field = model.field(truth)
    likelihood = model.of_peak(1.0).likelihood(observe(field, noise().covariance(EXPOSURE), THETA))
    vector = model.vector(truth)
    fit = Profile(likelihood).at(102.0, vector)

    def chi2(alpha21, alpha31):
        point = model.at(102.0, (0.0, np.deg2rad(alpha21), np.deg2rad(alpha31)))
        return np.sum((model.field(point) - field) ** 2) / 1e-6

    grid = np.arange(0.0, 181.0, 5.0)
    coarse = np.array([[chi2(a, b) for b in np.append(-grid, grid)] for a in grid])
    assert np.min(coarse) < 0.95 * chi2(0.0, 0.0)  # there is something to gain
    assert fit.chi2 <= np.min(coarse) * (1.0 + 1e-3)
    found = dict(zip(likelihood.prior.names, fit.vector, strict=True))
    effective = found["alpha31_deg"] - 2.0 * found["delta_deg"]
    assert fit.chi2 == pytest.approx(chi2(found["alpha21_deg"], effective), rel=1e-6)


def test_a_turn_of_an_unknown_phase_that_moves_the_mass_is_flagged():
    """The derivatives by the phases vanish; a Dirac neutrino has none."""
    loud = noise(3e-2)
    settings = ALONE | {"amplitude_sd": 0.0, "oscillation_errors": False}
    for nature, flagged in (("majorana", True), ("dirac", False)):
        model = hypothesis(nature=nature, **settings)
        truth = model.at(100.0, (0.0, 0.0, 0.0))
        data = observe(model.field(truth), loud.covariance(EXPOSURE), THETA)
        likelihood = model.of_peak(1.0).likelihood(data)
        vector = model.vector(truth)
        assert validity(likelihood, vector, loud, 300.0).phases == flagged


def test_no_step_goes_beyond_its_reach():
    visited = []

    def evaluate(point):
        visited.append(point.copy())
        slopes = np.array([[1.0, 0.0], [0.0, 1e-3]])
        return slopes @ (point - np.array([3.0, 100.0])), slopes

    found = descend(evaluate, np.zeros(2), reach=np.array([np.inf, 30.0]))
    assert np.max(np.abs(np.diff(visited, axis=0))[:, 1]) <= 30.0 * (1.0 + 1e-9)
    assert found.point == pytest.approx([3.0, 100.0], abs=0.1)
