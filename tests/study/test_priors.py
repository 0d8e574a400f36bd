"""Priors by parameter of a study: what is read, what it becomes, what is refused."""

import json

import numpy as np
import pytest
import tomli_w
from scipy import stats

from renp_infer.engine.tasks import fingerprint
from renp_infer.errors import ConfigError
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.priors.marginals import LogNormal, Normal, Truncated
from renp_infer.inference.priors.prior import build_prior, mass_prior, measured
from renp_infer.study.load import load_study
from renp_infer.study.sections.priors import PriorsSection
from renp_infer.study.sources import data_digests
from renp_infer.verbs.infer.words import mass_prior_of, prior_of_mass
from renp_infer.verbs.inputs import posterior_inputs
from tests.study.test_knowledge import STUDY

NORMAL = {"kind": "normal", "mean": 1.45, "sd": 1e-3}
BLOCK = {
    "parameters": ["refractive_index", "theta_s_offset_deg"],
    "means": [1.45, 0.0],
    "sds": [1e-3, 0.02],
    "correlation": [[1.0, 0.4], [0.4, 1.0]],
}


def study(sections=None, inference=None, **priors):
    given = {"m1_max_meV": 200.0, "priors": priors} | (inference or {})
    return load_study(STUDY | {"inference": given} | (sections or {}))


def prior_of(found):
    table = measured(found.oscillation, found.parameters.ordering)
    index = found.experiment.target.refractive_index
    return build_prior(found.parameters, found.priors, table, index, 1.0)


def test_every_parameter_can_have_one():
    assert set(PriorsSection.model_fields) == {*PARAMETERS.names, "block", "group"}


def test_samples_of_a_phase_are_on_no_line(tmp_path):
    """Around 0 and given from 0 to 360: their width is that of the arc, not that of the circle."""
    draws = np.random.default_rng(1).normal(0.0, 20.0, 4000)
    np.savetxt(tmp_path / "d.csv", draws % 360.0, header="delta_deg", comments="")
    prior = prior_of(study(delta_deg={"kind": "samples", "file": str(tmp_path / "d.csv")}))
    found = prior.marginals["delta_deg"]
    assert found.sd == pytest.approx(np.std(draws), rel=0.015)
    assert found.mean == pytest.approx(np.mean(draws), abs=0.1)


def test_priors_of_phases_are_of_one_turn_at_most(tmp_path):
    axis = np.arange(-200.0, 201.0, 10.0)
    rows = np.column_stack([axis, np.ones(axis.size)])
    np.savetxt(tmp_path / "d.csv", rows, delimiter=",", header="delta_deg,density", comments="")
    for entry in (
        {"kind": "table", "file": str(tmp_path / "d.csv")},
        {"kind": "uniform", "low": 0.0, "high": 400.0},
        {"kind": "truncated", "mean": 0.0, "sd": 50.0, "low": -200.0, "high": 200.0},
    ):
        with pytest.raises(ConfigError, match=r"priors\.delta_deg.*one turn at most"):
            study(delta_deg=entry)
    cut = prior_of(study(delta_deg={"kind": "truncated", "mean": 90.0, "sd": 50.0, "high": 120.0}))
    assert cut.marginals["delta_deg"].limits == (-90.0, 120.0)


def test_forms_become_marginals():
    prior = prior_of(
        study(
            m1_meV={"kind": "log-normal", "median": "50 meV", "log_sd": 0.2},
            refractive_index=NORMAL,
            theta_s_offset_deg={"kind": "truncated", "mean": 0.0, "sd": 0.02, "high": 0.01},
            amplitude={"kind": "log-normal", "median": 1.1, "log_sd": 0.1},
            delta_deg={"kind": "normal", "mean": 197.0, "sd": 25.0},
        )
    )
    assert prior.marginals["m1_meV"] == Truncated(LogNormal(0.2, 50.0), 0.0, 200.0)
    assert prior.marginals["refractive_index"] == Normal(1.45, 1e-3)
    assert prior.marginals["theta_s_offset_deg"] == Truncated(Normal(0.0, 0.02), -np.inf, 0.01)
    assert prior.marginals["amplitude"] == LogNormal(0.1, 1.1)
    assert prior.marginals["delta_deg"].limits == (17.0, 377.0)


def test_files_become_densities(tmp_path, rng):
    grid = np.linspace(1.44, 1.46, 201)
    lines = [f"{x},{stats.norm(1.45, 2e-3).pdf(x)}" for x in grid]
    (tmp_path / "index.csv").write_text("\n".join(["refractive_index,density", *lines]))
    draws = rng.gamma(4.0, 10.0, 4000)
    rows = [f"{x},{w}" for x, w in zip(draws, np.tile([1.0, 1.0], 2000), strict=True)]
    (tmp_path / "m1.csv").write_text("\n".join(["m1_meV,weight", *rows]))
    found = study(
        refractive_index={"kind": "table", "file": str(tmp_path / "index.csv")},
        m1_meV={"kind": "samples", "file": str(tmp_path / "m1.csv")},
    )
    prior = prior_of(found)
    index, mass = prior.marginals["refractive_index"], prior.marginals["m1_meV"]
    assert (index.mean, index.sd) == pytest.approx((1.45, 2e-3), rel=2e-3)
    expected = stats.gamma(4.0, scale=10.0).pdf(35.0)
    assert np.exp(mass.log_density(35.0)) == pytest.approx(expected, rel=0.1)
    assert {"index.csv", "m1.csv"} <= set(data_digests(found))
    assert "samples" in prior_of_mass(mass_prior_of(found.resolved))


def test_a_block_ties_its_parameters():
    prior = prior_of(study(block=[BLOCK]))
    covariance = np.array([[1e-6, 8e-6], [8e-6, 4e-4]])
    names = list(prior.names)
    pair = [names.index(name) for name in BLOCK["parameters"]]
    vector = prior.from_unit(np.zeros(prior.unit_size))
    moved = vector.copy()
    moved[pair] += [1e-3, -0.01]
    change = prior.log_density(moved) - prior.log_density(vector)
    joint = stats.multivariate_normal([1.45, 0.0], covariance)
    assert change == pytest.approx(joint.logpdf(moved[pair]) - joint.logpdf([1.45, 0.0]), rel=1e-9)
    same = dict(BLOCK) | {"covariance": covariance.tolist()}
    del same["sds"], same["correlation"]
    again = prior_of(study(block=[same]))
    assert again.log_density(moved) == pytest.approx(prior.log_density(moved), rel=1e-12)


def test_a_resolved_study_is_the_same_study():
    found = study(m1_meV={"kind": "uniform", "low": 10.0, "high": 90.0}, block=[BLOCK])
    again = load_study(json.loads(json.dumps(found.resolved)))
    assert again.settings == found.settings and again.resolved == found.resolved
    assert "theta_s_offset_sd_deg" not in found.resolved["inference"]
    assert tomli_w.dumps(found.resolved)
    assert mass_prior(again.settings).limits == (10.0, 90.0)


def test_results_depend_on_them():
    plain, own = study(), study(refractive_index=NORMAL)
    assert fingerprint(posterior_inputs(plain)) != fingerprint(posterior_inputs(own))
    assert plain.settings.own == () and "priors" not in dict(plain.rows())
    assert dict(own.rows())["priors"] == "refractive_index normal 1.45 ± 0.001"


REFUSED = [
    ({"refractive_indx": NORMAL}, "refractive_indx", "refractive_index"),
    ({"amplitude": {"kind": "gauss"}}, "amplitude.kind", "log-normal"),
    ({"amplitude": {"kind": "normal", "mean": 1.0}}, "amplitude.sd", "a value"),
    ({"amplitude": {"kind": "normal", "mean": 1.0, "sd": -0.1}}, "amplitude.sd", "> 0"),
    ({"amplitude": NORMAL | {"low": 0.0}}, "amplitude.low", "takes mean, sd"),
    ({"m1_meV": {"kind": "normal", "mean": 30.0, "sd": 20.0}}, "m1_meV", "truncated"),
    ({"m1_meV": {"kind": "uniform", "low": 0.0, "high": 300.0}}, "m1_meV", "m1_max_meV"),
    ({"m1_meV": {"kind": "uniform", "low": 9.0, "high": 3.0}}, "m1_meV.high", "> low"),
    ({"m1_meV": {"kind": "log-uniform", "low": 0.0, "high": 3.0}}, "m1_meV.low", "> 0"),
    ({"amplitude": {"kind": "log-normal", "median": -1.0, "log_sd": 1.0}}, "median", "> 0"),
    ({"dm2_3l": {"kind": "normal", "mean": 2.5e-3, "sd": 2e-5}}, "dm2_3l", "within"),
    ({"amplitude": NORMAL | {"ordering": "normal"}}, "ordering", "the same under both"),
    ({"amplitude": {"kind": "truncated", "mean": 1.0, "sd": 0.1}}, "low", "low, high or both"),
    ({"sin2_13": {"kind": "table", "file": "none.csv"}}, "sin2_13.file", "CSV"),
    ({"block": [BLOCK], "refractive_index": NORMAL}, "block[0]", "one prior"),
    ({"block": [BLOCK | {"parameters": ["delta_deg", "amplitude"]}]}, "parameters", "sin2_13"),
    ({"block": [BLOCK | {"parameters": ["amplitude"]}]}, "parameters", "two or more"),
    ({"block": [BLOCK | {"means": [1.0]}]}, "means", "2 numbers"),
    ({"block": [BLOCK | {"correlation": [[1.0, 2.0], [2.0, 1.0]]}]}, "correlation", "positive"),
    ({"block": [BLOCK | {"correlation": [[1.0, 0.2], [0.1, 1.0]]}]}, "correlation", "symmetric"),
    ({"block": [BLOCK | {"covariance": [[1.0]]}]}, "covariance", "either covariance, or sds"),
]


@pytest.mark.parametrize(("priors", "key", "allowed"), REFUSED)
def test_what_is_wrong_is_refused_by_its_key(priors, key, allowed):
    with pytest.raises(ConfigError) as refused:
        study(**priors)
    assert "inference.priors" in str(refused.value) and key in str(refused.value)
    assert allowed in str(refused.value)


@pytest.mark.parametrize(
    ("setting", "value", "priors"),
    [
        ("refractive_index_sd", 1e-3, {"refractive_index": NORMAL}),
        ("m1_prior", "log-uniform", {"m1_meV": {"kind": "uniform", "low": 1.0, "high": 9.0}}),
        ("theta_s_offset_sd_deg", 0.1, {"block": [BLOCK]}),
    ],
)
def test_two_priors_of_one_parameter_are_refused(setting, value, priors):
    with pytest.raises(ConfigError, match=f"inference.{setting}.*one prior for each"):
        study(inference={setting: value}, **priors)


@pytest.mark.parametrize(
    ("rows", "allowed"),
    [
        (["1.0,1.0"], "2 to"),
        (["1.0,1.0", "0.5,1.0"], "rising"),
        (["1.0,1.0", "1.5,-1.0"], ">= 0"),
        (["1.0,1.0", "1.2,0.0", "1.4,0.0", "1.5,1.0"], "one range"),
    ],
)
def test_wrong_tables_are_refused(tmp_path, rows, allowed):
    file = tmp_path / "t.csv"
    file.write_text("\n".join(["amplitude,density", *rows]))
    with pytest.raises(ConfigError, match=allowed):
        study(amplitude={"kind": "table", "file": str(file)})


@pytest.mark.parametrize(
    ("values", "allowed"),
    [([1.0] * 5, "100 draws"), ([1.0] * 100, "different"), ([-1.0, 2.0] * 50, "within 0")],
)
def test_wrong_samples_are_refused(tmp_path, values, allowed):
    file = tmp_path / "s.csv"
    file.write_text("\n".join(["m1_meV", *map(str, values)]))
    with pytest.raises(ConfigError, match=allowed):
        study(m1_meV={"kind": "samples", "file": str(file)})


@pytest.mark.parametrize(
    ("priors", "allowed"),
    [
        ({"block": [BLOCK]}, "one by one"),
        ({"delta_deg": {"kind": "normal", "mean": 100.0, "sd": 20.0}}, "phases"),
        ({"refractive_index": NORMAL | {"mean": 1.452}}, "nominal"),
    ],
)
def test_forecasts_refuse_what_they_cannot_take(priors, allowed):
    with pytest.raises(ConfigError, match=allowed):
        study({"forecast": {"m1_meV": [50.0]}}, **priors)
    study({"forecast": {"m1_meV": [50.0]}}, refractive_index=NORMAL)


def test_a_belt_refuses_correlations():
    calibrate = {"calibrate": {"belt_sets": 10, "belt_m1_meV": [10.0, 50.0]}}
    with pytest.raises(ConfigError, match="belt_sets"):
        study(calibrate, block=[BLOCK])
