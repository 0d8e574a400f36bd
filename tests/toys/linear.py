"""A response linear in all parameters, with correlated noise: exact posteriors and evidences."""

from __future__ import annotations

import numpy as np

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.prior import (
    response_argument,
    truth_values,
)
from tests.toys.response import (
    LinearResponse,
    observe,
    toy_angles,
    toy_field,
    toy_prior,
    toy_truth,
)
from tests.toys.settings import inference_with

THETA = toy_angles(21)
TRUTH = toy_truth("dirac")
VALUES = truth_values(TRUTH, 1.45)
LINEAR = LinearResponse(THETA, response_argument(VALUES))
SIGMA = 0.1
LAG = np.abs(np.subtract.outer(np.arange(THETA.size), np.arange(THETA.size)))
COVARIANCE = SIGMA**2 * (np.eye(THETA.size) + np.exp(-LAG / 6.0))
DATA = observe(LINEAR(response_argument(VALUES))[0], COVARIANCE, THETA, seed=11)
FIXED = {
    "refractive_index_sd": 0.0,
    "theta_s_offset_sd_deg": 0.0,
    "theta_e_offset_sd_deg": 0.0,
    "phases": "fixed",
}
"""Settings of a model that is linear but for the amplitude."""


def conjugate_settings(sampler, **changes):
    """Amplitude fixed: everything but the mass and delta is linear and Gaussian."""
    numbers = {"draws": 500, "tune": 400, "amplitude_sd": 0.0, "refractive_index_sd": 0.0}
    numbers |= {"theta_s_offset_sd_deg": 0.0, "theta_e_offset_sd_deg": 0.0}
    return inference_with(sampler=sampler, **(numbers | changes))


def linear_likelihood(seed: int = 4, **changes) -> Likelihood:
    prior = toy_prior(TRUTH, inference_with(**(FIXED | changes)))
    field = toy_field(LINEAR, TRUTH)
    shapes = {"leakage": 0.3 * np.cos(7.0 * THETA)}
    return Likelihood(prior, LINEAR, observe(field, COVARIANCE, THETA, seed), shapes)
