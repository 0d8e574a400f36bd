"""The hypotheses of a study, see ``inference.hypothesis``."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.inference.hypothesis import (
    HypothesisModel,
    ModelLike,
    assumed,
    hypothesis_model,
)
from renp_infer.inference.joint import JointModel
from renp_infer.inference.priors.prior import build_prior, measured
from renp_infer.inference.responses.accurate import NATURES, AccurateResponses, Nature, of_set
from renp_infer.inference.responses.response import Response
from renp_infer.inference.results.comparison import Hypothesis
from renp_infer.measurement.field import refined_field
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.constants import MILLI_EV_TO_EV

if TYPE_CHECKING:
    from renp_infer.inference.likelihood import ResponseLike
    from renp_infer.records import FloatArray, Parameters
    from renp_infer.study.study import Study


def of_sets(study: Study, make: Callable[[Study, int], HypothesisModel]) -> ModelLike:
    """Model of a study's data: of several data sets, what is made of each, joined.

    They are made side by side: ``make`` takes the study of a set, and its place.
    """
    if not study.sets:
        return make(study, 0)
    assert study.sharing is not None

    def made(place: int) -> HypothesisModel:
        one = study.sets[place]
        with of_set(one.name):
            return make(one.study, place)

    with ThreadPoolExecutor() as pool:
        models = list(pool.map(made, range(len(study.sets))))
    return JointModel.of(models, study.sharing)


def own_hypothesis(study: Study) -> Hypothesis:
    """Hypothesis that is true, or that data from a file are fitted with."""
    return Hypothesis(study.parameters.ordering, study.parameters.nature)


def hypothesis_of(
    study: Study,
    hypothesis: Hypothesis,
    response: Callable[[Parameters], ResponseLike] | None = None,
    *,
    peak_nG: float | None = None,
) -> HypothesisModel:
    """A hypothesis of a study with one data set, by default with the tabulated response.

    Parameters
    ----------
    study : Study
    hypothesis : Hypothesis
    response : callable, optional
        Response of the parameters that the hypothesis assumes.
    peak_nG : float, optional
        Unit of the baseline's prior; by default the peak of the hypothesis's own signal.
    """
    return hypothesis_model(
        hypothesis,
        study.experiment,
        study.parameters,
        study.oscillation,
        study.priors,
        response or response_maker(study),
        peak=peak_nG,
        knowledge=study.known_under(hypothesis.ordering),
    )


def response_maker(study: Study, refinement: int = 0) -> Callable[[Parameters], Response]:
    """Tabulated response of a study's experiment up to the largest mass of its prior."""
    settings = study.priors
    chi2, largest = coherence(study.experiment), settings.m1_max_meV * MILLI_EV_TO_EV
    return lambda parameters: Response(
        study.experiment, parameters, chi2, largest, refinement=refinement
    )


def free_parameters(study: Study) -> dict[str, tuple[float, float]]:
    """Parameters that a fit of the study's own hypothesis has free, and their ends."""
    if study.sharing is None:
        return _free_alone(study)
    found: dict[str, tuple[float, float]] = {}
    for k, one in enumerate(study.sets):
        names = study.sharing.names(k)
        found |= {names[name]: ends for name, ends in _free_alone(one.study).items()}
    return found


def _free_alone(study: Study) -> dict[str, tuple[float, float]]:
    """The same of one data set."""
    hypothesis, truth, table = own_hypothesis(study), study.parameters, study.oscillation
    prior = build_prior(
        assumed(hypothesis, truth, table),
        study.priors,
        measured(table, hypothesis.ordering),
        study.experiment.target.refractive_index,
        1.0,
    )
    return {name: marginal.limits for name, marginal in prior.marginals.items()}


def accurate_responses(
    study: Study,
    sigma: FloatArray,
    natures: tuple[Nature, ...] = NATURES,
) -> AccurateResponses:
    """Responses of a study's experiment that are good for a noise (n,), or refused."""
    return AccurateResponses(
        study.experiment,
        coherence(study.experiment),
        study.priors,
        study.oscillation,
        sigma,
        study.seed,
        natures,
    )


def true_peak_nG(study: Study) -> float:
    """Largest absolute true signal, nG."""
    field = refined_field(study.experiment, study.parameters, coherence(study.experiment))
    return float(np.max(np.abs(field)))
