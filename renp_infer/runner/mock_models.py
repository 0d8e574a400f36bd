"""Models that mock experiments draw from: one per hypothesis, same apparatus and noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.prior import build_prior, truth_values
from renp_infer.inference.response import Response, exact_at, exact_field, leakage_shape
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.records import FloatArray, Parameters
from renp_infer.runner.evaluation import coherence, observation
from renp_infer.runner.inferring import oscillation_prior

if TYPE_CHECKING:
    from renp_infer.runner.study import Study

Ordering = Literal["normal", "inverted"]
Nature = Literal["dirac", "majorana"]
HYPOTHESES: tuple[tuple[Ordering, Nature], ...] = (
    ("normal", "dirac"),
    ("normal", "majorana"),
    ("inverted", "dirac"),
    ("inverted", "majorana"),
)
"""Ordering and nature, in the order of every array."""


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


def mock_model(study: Study, ordering: Ordering, nature: Nature) -> MockModel:
    """Model of a hypothesis in a study's experiment.

    The unit of the baseline's prior is the peak at the study's truth, whatever
    the hypothesis and the parameters of a mock; so is the template of a leakage.
    """
    settings, experiment = study.settings, study.experiment
    assert settings is not None
    index, chi2 = experiment.target.refractive_index, coherence(experiment)
    truth = hypothesis(study, ordering, nature)
    response = Response(experiment, truth, chi2, settings.m1_max_meV * MILLI_EV_TO_EV)
    peak = float(np.max(np.abs(exact_field(experiment, study.parameters, chi2))))
    prior = build_prior(truth, settings, oscillation_prior(study, ordering), index, peak)
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


def hypothesis(study: Study, ordering: Ordering, nature: Nature) -> Parameters:
    """The study's truth, with the other ordering's mass splittings and mixing if asked."""
    if ordering == study.parameters.ordering:
        return replace(study.parameters, nature=nature)
    measured = study.oscillation.values[ordering]
    return replace(
        study.parameters,
        ordering=ordering,
        nature=nature,
        sin2_12=measured["sin2_12"],
        sin2_13=measured["sin2_13"],
        dm2_21=measured["dm2_21"],
        dm2_3l=measured["dm2_3l"],
    )
