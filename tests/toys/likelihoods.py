"""Likelihoods of the toy response, from all parameters free to a mass with one phase."""

from __future__ import annotations

import numpy as np

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.prior import (
    Prior,
    response_argument,
    truth_values,
)
from tests.toys.linear import FIXED
from tests.toys.response import (
    ToyResponse,
    observe,
    toy_angles,
    toy_field,
    toy_prior,
    toy_truth,
)
from tests.toys.settings import inference_with


def toy_likelihood(sigma, nature="majorana", seed=1, **settings):
    toy = ToyResponse(toy_angles(61))
    truth = toy_truth(nature)
    chosen = inference_with(**settings)
    signal = toy_field(toy, truth)
    data = observe(signal, sigma**2 * np.eye(61), toy.theta_s, seed)
    prior = toy_prior(truth, chosen, np.abs(signal).max())
    return Likelihood(prior, toy, data), chosen


def free_phases(sigma, **settings):
    """A toy experiment with all phases free."""
    toy, truth = ToyResponse(toy_angles(31), width=0.02), toy_truth()
    signal = toy_field(toy, truth)
    prior = toy_prior(truth, inference_with(**settings))
    return Likelihood(prior, toy, observe(signal, sigma**2 * np.eye(31), toy.theta_s, 1))


def phase_likelihood(sigma: float, **changes) -> Likelihood:
    """Mass and one Majorana phase free, everything else known: two dimensions."""
    toy, truth = ToyResponse(toy_angles(31)), toy_truth("majorana")
    settings = inference_with(
        amplitude_sd=0.0, baseline_sd=0.0, oscillation_errors=False, m1_max_meV=200.0,
        **(FIXED | {"phases": "free"} | changes),
    )  # fmt: skip
    whole = toy_prior(truth, settings)
    names = ("m1_meV", "alpha21_deg")
    values = truth_values(truth, 1.45)
    prior = Prior(
        {name: whole.marginals[name] for name in names},
        {name: value for name, value in values.items() if name not in names},
    )
    field = toy(response_argument(values))[0]
    return Likelihood(prior, toy, observe(field, sigma**2 * np.eye(31), toy.theta_s, 6))


def mass_and_phase(likelihood: Likelihood, count: int):
    """Masses (count,), phases (72,) and the log-likelihood on their grid."""
    masses = (np.arange(count) + 0.5) / count * 200.0
    phases = (np.arange(72) + 0.5) / 72 * 360.0
    rows = [[likelihood.log_likelihood(np.array([m, p])) for p in phases] for m in masses]
    return masses, phases, np.array(rows)
