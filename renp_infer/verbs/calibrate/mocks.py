"""Models that mock experiments draw from: one per hypothesis, same apparatus and noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.inference.comparison import Hypothesis
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.prior import build_prior, truth_values
from renp_infer.inference.response import Response, exact_at
from renp_infer.measurement.field import exact_field, leakage_shape
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.records import FloatArray
from renp_infer.study.observed import observation
from renp_infer.verbs.compare.work import under
from renp_infer.verbs.infer.work import oscillation_prior

if TYPE_CHECKING:
    from renp_infer.study.study import Study


@dataclass(frozen=True)
class MockModel:
    """Prior, response and noise of one hypothesis.

    Attributes
    ----------
    likelihood : Likelihood
        Its data are the study's; mocks replace them.
    truth : ndarray, shape (d,)
        Free parameters at the study's truth.
    expected : callable
        Expected field (n,), nG, at free parameters (d,), without tables.
    """

    likelihood: Likelihood
    truth: FloatArray
    expected: Callable[[FloatArray], FloatArray]


def mock_model(study: Study, hypothesis: Hypothesis) -> MockModel:
    """Model of a hypothesis in a study's experiment.

    The unit of the baseline's prior is the peak at the study's truth, whatever
    the hypothesis and the parameters of a mock; so is the template of a leakage.
    """
    settings, experiment = study.settings, study.experiment
    assert settings is not None
    index, chi2 = experiment.target.refractive_index, coherence(experiment)
    truth = under(study, hypothesis).parameters
    response = Response(experiment, truth, chi2, settings.m1_max_meV * MILLI_EV_TO_EV)
    peak = float(np.max(np.abs(exact_field(experiment, study.parameters, chi2))))
    prior = build_prior(truth, settings, oscillation_prior(study, hypothesis.ordering), index, peak)
    leakage = (
        leakage_shape(experiment, study.parameters, chi2) if settings.leakage_sd > 0.0 else None
    )
    likelihood = Likelihood(prior, response, observation(study), leakage)

    def expected(vector: FloatArray) -> FloatArray:
        x, amplitude, baseline_nG = prior.to_response_vector(vector)
        offset = baseline_nG + prior.values(vector)["leakage"] * likelihood.leakage_nG
        return amplitude * exact_at(response, x) + offset

    values = truth_values(truth, index)
    return MockModel(likelihood, np.array([values[name] for name in prior.names]), expected)
