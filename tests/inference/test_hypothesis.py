"""One assembly for every verb: what is a hypothesis's own, and what all have in common."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import renp_infer as renp
from renp_infer.design.utilities.appraisal import rivals_of
from renp_infer.inference.hypothesis import HypothesisModel, assumed, offset_shapes
from renp_infer.inference.responses.response import Response
from renp_infer.inference.results.comparison import HYPOTHESES, Hypothesis, hypothesis_named
from renp_infer.measurement.data import Data
from renp_infer.measurement.leakage import leakage_shape
from renp_infer.measurement.normalise import coherence, noise_covariance
from renp_infer.records import FloatArray, Parameters
from renp_infer.study.hypotheses import hypothesis_of, own_hypothesis, true_peak_nG
from renp_infer.study.observed import observation
from renp_infer.study.study import Study
from renp_infer.verbs.calibrate.mocks import mock_model
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import TruthCell
from renp_infer.verbs.forecast.quantities import RIVALS

pytestmark = pytest.mark.usefixtures("kept")

STUDY: dict[str, Any] = {
    "schema": 1,
    "name": "leaking",
    "neutrino": {"m1_meV": 100.0, "nature": "majorana"},
    "layout": {"theta_s_deg": np.linspace(143.2, 145.6, 13).tolist()},
    "lasers": {"chi_squared": 1e-3},
    "detector": {"reference_snr": 300.0},
    "inference": {"leakage_sd": 0.2, "phases": "fixed", "oscillation_errors": False},
    "forecast": {"m1_meV": [100.0], "datasets": 2},
}


@pytest.fixture(scope="module")
def study() -> Study:
    return renp.load_study(STUDY)


@pytest.fixture(scope="module")
def shape(study: Study) -> FloatArray:
    return leakage_shape(study.experiment, study.parameters, coherence(study.experiment))


def limit_of(study: Study, parameters: Parameters) -> Response:
    """The quick response."""
    chi2 = coherence(study.experiment)
    return Response(study.experiment, parameters, chi2, 0.45, finite_crystal=False)


def with_field(study: Study, field_nG: FloatArray) -> Data:
    return Data.of(replace(observation(study), field_nG=field_nG))


def models(study: Study) -> dict[Hypothesis, HypothesisModel]:
    peak = true_peak_nG(study)
    return {
        h: hypothesis_of(study, h, lambda p: limit_of(study, p), peak_nG=peak) for h in HYPOTHESES
    }


def test_a_hypothesis_has_its_own_masses_mixing_and_phases(study: Study) -> None:
    found = models(study)
    own = own_hypothesis(study)
    assert found[own].parameters == study.parameters
    for hypothesis, model in found.items():
        parameters, table = model.parameters, study.oscillation
        assert (parameters.ordering, parameters.nature) == hypothesis
        assert parameters.dm2_3l == table.values[hypothesis.ordering]["dm2_3l"]
        assert model.oscillation["sin2_12"].sd == table.sigmas[hypothesis.ordering]["sin2_12"]
        assert isinstance(model.response, Response) and model.response.truth == parameters


def test_a_leakage_is_the_truths_for_every_hypothesis_and_verb(
    shape: FloatArray,
) -> None:
    """Which has nothing to do with the noise: at less of it responses take three times as long."""
    study = renp.load_study(STUDY, {"detector.reference_snr": 60.0})
    assert all(np.array_equal(m.shapes["leakage"], shape) for m in models(study).values())
    rivals = rivals_of(
        study.experiment, HYPOTHESES, study.parameters, study.oscillation, study.settings,
        sigma_nG=None,
        seed=0,
        knowledge={},
    )  # fmt: skip
    assert all(np.array_equal(rival.model.shapes["leakage"], shape) for rival in rivals)
    rival = hypothesis_named("normal", "dirac")
    assert np.array_equal(mock_model(study, rival).likelihood.shapes["leakage"], shape)
    bench = Bench(study)
    model = bench.hypothesis(*own_hypothesis(study))
    cell = TruthCell(bench, model, study.parameters)
    rivals = [cell.alternative(target).likelihood for target in RIVALS]
    for likelihood in (cell.own, *rivals):
        # the peak is that of the tabulated response, good to a few 1e-5
        assert likelihood.shapes["leakage"] == pytest.approx(shape, rel=1e-4)


def test_hypotheses_of_one_signal_are_not_told_apart_by_a_leakage(
    study: Study, shape: FloatArray
) -> None:
    """With shapes of their own they would be: by many standard deviations for a leakage of 1."""
    sigma = np.sqrt(np.diag(noise_covariance(study.experiment, study.parameters, 1e-3)))
    common = limit_of(study, study.parameters)
    natures = (Hypothesis("normal", nature) for nature in ("dirac", "majorana"))
    dirac, majorana = (hypothesis_of(study, h, lambda _: common, peak_nG=1.0) for h in natures)
    data = with_field(study, majorana.field(study.parameters) + shape)
    vectors = majorana.prior.sample(np.random.default_rng(1), 4)
    for vector in vectors:
        own, rival = majorana.likelihood(data), dirac.likelihood(data)
        assert own.log_likelihood(vector) == rival.log_likelihood(vector)
    point = assumed(Hypothesis("inverted", "majorana"), study.parameters, study.oscillation)
    other = offset_shapes(study.experiment, point, study.settings)["leakage"]
    left = shape - other * (shape @ other) / (other @ other)
    assert np.linalg.norm(left / sigma) > 5.0


def test_expected_fields_are_the_means_of_the_likelihood(study: Study) -> None:
    model = models(study)[own_hypothesis(study)]
    likelihood = model.likelihood(with_field(study, model.field(study.parameters)))
    for vector in model.prior.sample(np.random.default_rng(2), 3):
        values = model.prior.values(vector)
        assert model.expected(values) == pytest.approx(likelihood.mean(vector), rel=1e-13)
        template = model.response(model.prior.to_response_vector(vector))[0]
        again = model.expected(values, 2.0 * template) - model.offset(values)
        assert again == pytest.approx(2.0 * values["amplitude"] * template, rel=1e-9)
