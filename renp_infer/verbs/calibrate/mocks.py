"""Models that mock experiments draw from: one per hypothesis, same apparatus and noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.responses.response import Response, exact_at
from renp_infer.inference.results.comparison import Hypothesis
from renp_infer.records import FloatArray
from renp_infer.study.hypotheses import accurate_responses, hypothesis_of, of_sets, true_peak_nG
from renp_infer.study.observed import data_of, rows_of

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
    the hypothesis and the parameters of a mock.

    Raises
    ------
    ConvergenceError
        If no response is good enough for the noise.
    """
    data = data_of(study)
    rows = iter(rows_of(study))

    def make(one: Study) -> HypothesisModel:
        sigma = data.sigma[next(rows)]
        responses = accurate_responses(one, sigma, natures=(hypothesis.nature,))
        return hypothesis_of(one, hypothesis, responses, peak_nG=true_peak_nG(one))

    model = of_sets(study, make)

    def expected(vector: FloatArray) -> FloatArray:
        parts = model.split(model.prior.values(vector))
        return np.concatenate([_exactly(own, values) for own, values in parts])

    likelihood = model.likelihood(data)
    return MockModel(likelihood, model.vector(model.parameters), expected)


def _exactly(model: HypothesisModel, values: Mapping[str, float]) -> FloatArray:
    """Expected data (n,) of one data set, without tables."""
    response = model.response
    assert isinstance(response, Response)
    return model.expected(values, exact_at(response, model.argument(values)))
