"""Hypotheses of toys, their expected data and noise by exposure."""

from __future__ import annotations

import numpy as np

from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.measurement.noise import Noise
from tests.toys.response import OSCILLATION, ToyResponse, observe, toy_angles, toy_truth
from tests.toys.settings import inference_with

THETA = toy_angles(41)
EXPOSURE = 3600.0


def noise(sigma=1e-3, drift=0.0, drift_time_s=600.0):
    def covariance(exposure_s):
        start = exposure_s / THETA.size * np.arange(THETA.size)
        lag = np.abs(start[:, None] - start) / drift_time_s
        white = sigma**2 * EXPOSURE / exposure_s
        return white * np.eye(THETA.size) + drift**2 * np.exp(-lag)

    return Noise(covariance, drift > 0.0, EXPOSURE)


def hypothesis(response=None, nature="majorana", **settings):
    response = ToyResponse(THETA) if response is None else response
    chosen = inference_with(**({"m1_max_meV": 300.0} | settings))
    return HypothesisModel(response, toy_truth(nature), OSCILLATION, chosen, 1.45)


def asimov(model, m1_meV, drawn=None, covariance=None):
    truth = model.at(m1_meV)
    field = model.field(truth)
    covariance = noise().covariance(EXPOSURE) if covariance is None else covariance
    data = observe(field, covariance, THETA, drawn)
    likelihood = model.of_peak(float(np.max(np.abs(field)))).likelihood(data)
    return likelihood, model.vector(truth)


class Straight:
    """A template linear in the mass, the index (or its twin) and one pointing offset."""

    theta_s = THETA

    def __init__(self, *, twin=False):
        self.power = 1 if twin else 2

    def __call__(self, x):
        unit = (THETA - THETA.mean()) / np.ptp(THETA)
        jacobian = np.zeros((THETA.size, x.size))
        jacobian[:, 0], jacobian[:, 2] = unit, 2.0 * unit**3
        jacobian[:, 1] = 3.0 * unit**self.power
        return 1.0 + jacobian @ (x - np.array([0.1, 1.45, *np.zeros(x.size - 2)])), jacobian


STRAIGHT = {
    "amplitude_sd": 0.0,
    "oscillation_errors": False,
    "phases": "fixed",
    "m1_max_meV": 1e6,
}
ALONE = {
    "baseline_sd": 0.0,
    "refractive_index_sd": 0.0,
    "theta_s_offset_sd_deg": 0.0,
    "theta_e_offset_sd_deg": 0.0,
}
