"""Profile likelihood: limits against the cut Gaussian, phases against a grid, bounded steps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from renp_infer.inference.descent import descend
from renp_infer.inference.fisher import expand, sigma, validity
from renp_infer.inference.profile import Profile
from renp_infer.verbs.forecast.limits import upper_limits
from tests.inference.test_fisher import (
    ALONE,
    EXPOSURE,
    STRAIGHT,
    THETA,
    Straight,
    asimov,
    hypothesis,
    noise,
)
from tests.toys.response import observe


@pytest.mark.parametrize("pull", [-1.5, 0.0, 0.7, 2.0])
def test_limits_are_those_of_a_gaussian_cut_at_zero(pull):
    """Linear template; an estimate of ``pull`` standard errors, which may lie below 0."""
    model = hypothesis(Straight(), **STRAIGHT | ALONE)
    likelihood, vector = asimov(model, 0.0)
    error = sigma(expand(likelihood, vector), noise(), EXPOSURE)
    response = model.response
    x = np.array([1e-3 * pull * error, 1.45, *[0.0] * 9])
    data = observe(response(x)[0], noise().covariance(EXPOSURE), THETA)
    profile = Profile(model.of_peak(1.0).likelihood(data), np.zeros(0))
    found = upper_limits(profile, profile.best([vector]), error)
    for level in (0.90, 0.95):
        z = norm.ppf(level)
        above = pull + z if pull >= 0.0 else pull + np.hypot(pull, z)
        name = f"{round(100 * level)}_meV"
        assert found[f"confidence_{name}"] / error == pytest.approx(above, rel=3e-3)
        cut = norm.isf((1.0 - level) * norm.sf(-pull)) + pull
        # a trapezium rule with 24 points over 4 standard errors
        assert found[f"credible_{name}"] / error == pytest.approx(cut, abs=0.02)


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
