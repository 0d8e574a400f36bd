"""The prior: densities against scipy, draws against densities, units."""

import numpy as np
import pytest
from scipy import stats

from renp_infer.errors import DomainError
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.priors.marginals import Circular, LogNormal, LogUniform, Normal, Uniform
from renp_infer.inference.priors.prior import (
    GaussianPrior,
    build_prior,
    response_argument,
    truth_values,
)
from tests.toys.response import OSCILLATION, toy_prior, toy_truth
from tests.toys.settings import inference_with

PAIRS = [
    (Uniform(0.0, 450.0), stats.uniform(0.0, 450.0)),
    (LogUniform(0.1, 450.0), stats.loguniform(0.1, 450.0)),
    (Normal(1.45, 5e-4), stats.norm(1.45, 5e-4)),
    (LogNormal(0.2), stats.lognorm(0.2)),
    (Circular(), stats.uniform(0.0, 360.0)),
]
IDS = [type(marginal).__name__ for marginal, _ in PAIRS]


def prior_of(nature="majorana", **settings):
    chosen = inference_with(**settings)
    return toy_prior(toy_truth(nature), chosen, 2.0)


@pytest.mark.parametrize(("marginal", "oracle"), PAIRS, ids=IDS)
def test_density_is_that_of_scipy(marginal, oracle):
    for value in oracle.ppf([1e-6, 0.2, 0.5, 0.9]):
        assert marginal.log_density(value) == pytest.approx(oracle.logpdf(value), rel=1e-12)


@pytest.mark.parametrize(("marginal", "oracle"), PAIRS, ids=IDS)
def test_unit_coordinates_draw_from_the_density(marginal, oracle, rng):
    draws = marginal.from_unit(rng.standard_normal((4000, marginal.unit_size)))
    assert stats.kstest(draws, oracle.cdf).pvalue > 1e-4


@pytest.mark.parametrize(
    ("marginal", "outside"),
    [
        (Uniform(0.0, 1.0), -1e-9),
        (Uniform(0.0, 1.0), 1.1),
        (LogUniform(0.1, 1.0), 0.0),
        (LogNormal(0.2), 0.0),
        (Circular(), np.nan),
    ],
)
def test_nothing_outside_the_support(marginal, outside):
    assert marginal.log_density(outside) == -np.inf


def test_mass_stays_inside_for_any_unit_coordinate():
    prior = prior_of()
    extremes = np.outer([-40.0, 40.0], np.ones(prior.unit_size))
    assert prior.from_unit(extremes)[:, 0] == pytest.approx([0.0, 450.0])


def test_majorana_has_every_parameter_and_dirac_no_majorana_phase():
    assert prior_of(leakage_sd=0.1, extraordinary_index_sd=1e-3).names == PARAMETERS.names
    dirac = prior_of("dirac", leakage_sd=0.1)
    assert set(PARAMETERS.names) - set(dirac.names) == {
        "alpha21_deg",
        "alpha31_deg",
        "extraordinary_offset",
    }
    assert dirac.fixed["alpha21_deg"] == pytest.approx(np.rad2deg(1.0))


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("amplitude_sd", "amplitude", 1.0),
        ("baseline_sd", "baseline_nG", 0.0),
        ("leakage_sd", "leakage", 0.0),
        ("refractive_index_sd", "refractive_index", 1.45),
        ("theta_s_offset_sd_deg", "theta_s_offset_deg", 0.0),
        ("theta_e_offset_sd_deg", "theta_e_offset_deg", 0.0),
    ],
)
def test_zero_standard_deviation_fixes(setting, name, value):
    prior = prior_of(**{setting: 0.0})
    assert name not in prior.names
    assert prior.fixed[name] == value


def test_oscillations_and_phases_can_be_fixed():
    prior = prior_of(oscillation_errors=False, phases="fixed", leakage_sd=0.1)
    assert prior.names == PARAMETERS.names[:7]
    assert prior.fixed["dm2_3l"] == 2.513e-3
    assert prior.fixed["delta_deg"] == pytest.approx(np.rad2deg(0.6))


def test_an_exactly_known_oscillation_parameter_is_fixed():
    table = OSCILLATION | {"sin2_13": GaussianPrior(0.02215, 0.0)}
    prior = build_prior(toy_truth(), inference_with(), table, 1.45, 2.0)
    assert "sin2_13" not in prior.names


def test_response_vector_has_the_response_units():
    prior = prior_of()
    names = {name: k for k, name in enumerate(prior.names)}
    vector = prior.sample(np.random.default_rng(1), 1)[0]
    x = prior.to_response_vector(vector)
    slots = {name: k for k, name in enumerate(PARAMETERS.slots)}
    assert x[slots["m1_eV"]] == vector[names["m1_meV"]] / 1000
    offset = vector[names["theta_s_offset_deg"]]
    assert x[slots["theta_s_offset"]] == pytest.approx(np.pi / 180 * offset)
    assert x[slots["alpha31"]] == pytest.approx(np.pi / 180 * vector[names["alpha31_deg"]])


def test_truth_reaches_the_response_unchanged():
    truth = toy_truth()
    x = response_argument(truth_values(truth, 1.45))
    expected = [truth.m1_eV, 1.45, 0, 0, truth.sin2_12, truth.sin2_13]
    expected += [truth.dm2_21, truth.dm2_3l, truth.delta, truth.alpha21, truth.alpha31, 0]
    assert x == pytest.approx(expected, rel=1e-14)


def test_density_is_the_sum_over_parameters(rng):
    prior = prior_of(m1_prior="log-uniform")
    vector = prior.sample(rng, 1)[0]
    parts = [m.log_density(v) for m, v in zip(prior.marginals.values(), vector, strict=True)]
    assert prior.log_density(vector) == pytest.approx(sum(parts))
    vector[0] = 451.0
    assert prior.log_density(vector) == -np.inf


@pytest.mark.parametrize(
    "wrong",
    [
        {"draws": 0},
        {"target_accept": 1.0},
        {"amplitude_sd": -0.1},
        {"baseline_sd": np.nan},
        {"leakage_sd": np.inf},
        {"m1_min_meV": 500.0},
        {"m1_max_meV": np.inf},
    ],
)
def test_settings_refuse_what_means_nothing(wrong):
    with pytest.raises(DomainError, match=next(iter(wrong)).replace("min", "max")):
        inference_with(**wrong)


def test_a_free_baseline_needs_a_signal():
    with pytest.raises(DomainError, match="peak"):
        toy_prior(toy_truth(), inference_with(), 0.0)


@pytest.mark.parametrize("nature", ["dirac", "majorana"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"phases": "fixed", "baseline_sd": 0.0},
        {"amplitude_sd": 0.0, "leakage_sd": 0.1, "oscillation_errors": False},
    ],
)
def test_names_of_free_parameters_need_no_field(nature, changes):
    class Silent:
        theta_s = np.linspace(0.9, 1.0, 5)

        def __call__(self, x):
            raise AssertionError("no field is asked for")

    truth, settings = toy_truth(nature), inference_with(**changes)
    model = HypothesisModel(Silent(), truth, OSCILLATION, settings, 1.45)
    prior = toy_prior(truth, settings, 2.0)
    expected = [truth_values(truth, 1.45)[name] for name in prior.names]
    assert model.vector(truth).tolist() == expected
