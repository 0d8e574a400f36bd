"""Upper limits of a profile against the Gaussian cut at zero."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.profiles.fisher import expand, sigma
from renp_infer.inference.profiles.profile import Profile
from renp_infer.inference.profiles.upper_limits import UpperLimits
from tests.toys.expected import (
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
    x = np.array([1e-3 * pull * error, 1.45, *np.zeros(len(PARAMETERS.slots) - 2)])
    data = observe(response(x)[0], noise().covariance(EXPOSURE), THETA)
    profile = Profile(model.of_peak(1.0).likelihood(data), np.zeros(0))
    found = UpperLimits(profile, profile.best([vector]), error)
    for level in (0.90, 0.95):
        z = norm.ppf(level)
        above = pull + z if pull >= 0.0 else pull + np.hypot(pull, z)
        assert found.confidence(level) / error == pytest.approx(above, rel=3e-3)
        cut = norm.isf((1.0 - level) * norm.sf(-pull)) + pull
        # a trapezium rule with 24 points over 4 standard errors
        assert found.credible(level) / error == pytest.approx(cut, abs=0.02)
