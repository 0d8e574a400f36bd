"""Models that mock experiments draw from: one per hypothesis, same apparatus and noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.inference.hypothesis import HypothesisModel, ModelLike
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.responses.response import Response, exact_at
from renp_infer.inference.results.comparison import Hypothesis
from renp_infer.measurement.data import Data
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
    return mock_models(study, [hypothesis])[0]


def mock_models(study: Study, hypotheses: Sequence[Hypothesis]) -> list[MockModel]:
    """Models of several hypotheses, with the responses that these have in common.

    Raises
    ------
    ConvergenceError
        If no response is good enough for the noise.
    """
    data = data_of(study)
    natures = tuple(dict.fromkeys(hypothesis.nature for hypothesis in hypotheses))
    own = [one.study for one in study.sets] or [study]
    parts = [
        (accurate_responses(one, data.sigma[rows], natures), true_peak_nG(one))
        for one, rows in zip(own, rows_of(study), strict=True)
    ]

    def model(hypothesis: Hypothesis) -> ModelLike:
        def make(one: Study, place: int) -> HypothesisModel:
            responses, peak_nG = parts[place]
            return hypothesis_of(one, hypothesis, responses, peak_nG=peak_nG)

        return of_sets(study, make)

    return [_of_model(model(hypothesis), data) for hypothesis in hypotheses]


def _of_model(model: ModelLike, data: Data) -> MockModel:
    """What mocks need of a hypothesis of all data sets."""

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
