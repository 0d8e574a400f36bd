"""Models that mock experiments draw from: one per hypothesis, same apparatus and noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renp_infer.inference.comparison import Hypothesis
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.response import Response, exact_at
from renp_infer.records import FloatArray
from renp_infer.study.hypotheses import hypothesis_of, true_peak_nG
from renp_infer.study.observed import data_of

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
    """
    model = hypothesis_of(study, hypothesis, peak_nG=true_peak_nG(study))
    response = model.response
    assert isinstance(response, Response)

    def expected(vector: FloatArray) -> FloatArray:
        template = exact_at(response, model.prior.to_response_vector(vector))
        return model.expected(model.prior.values(vector), template)

    likelihood = model.likelihood(data_of(study))
    return MockModel(likelihood, model.vector(model.parameters), expected)
