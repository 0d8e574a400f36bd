"""Designs beside other data sets: predictions, noise, names, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from renp_infer.design.utilities.appraisal import DesignBench, JointRival, Rival
from renp_infer.design.utilities.beside import joined
from renp_infer.design.utilities.foreknown import KnownTruths
from renp_infer.design.utilities.prediction import nuisances, predict
from renp_infer.design.utilities.truths import prior_truths
from renp_infer.errors import ConfigError
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.joint import JointModel, Member, Sharing
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.measurement.leakage import leakage_shape
from renp_infer.measurement.noise import Noise, joined_noise
from renp_infer.measurement.normalise import coherence
from renp_infer.study.designing import (
    appraiser_of,
    beside_of,
    designed,
    frozen_noise,
    region_of,
    split_of,
    study_at,
    study_with,
)
from renp_infer.study.load import load_study
from renp_infer.study.observed import data_of
from tests.toys.response import INDEX, OSCILLATION, ToyResponse, observe, toy_angles, toy_truth
from tests.toys.settings import inference_with
from tests.toys.two_sets import two_sets

MASSES = np.array([80.0, 100.0, 120.0])
SETTINGS = inference_with(m1_max_meV=300.0, leakage_sd=0.0)
ALL = {row.name: "all" for row in PARAMETERS.rows}
PAIR = [Member("a", "spring", "long"), Member("b", "autumn", "short")]


def model_of(count: int, peak: float = 1.0) -> HypothesisModel:
    response = ToyResponse(toy_angles(count), width=0.05, scale=peak)
    return HypothesisModel(response, toy_truth("dirac"), OSCILLATION, SETTINGS, INDEX, peak)


def test_a_joint_prediction_has_the_slopes_of_the_joint_likelihood() -> None:
    """Per standard deviation; a shared baseline has that of the wider prior."""
    models = [model_of(7), model_of(9, 2.0)]
    joint = JointModel.of(models, Sharing.by(PAIR, {"baseline_nG": "all"}))
    found = joined([predict(one, MASSES) for one in models], joint)
    size = joint.response.theta_s.size
    data = observe(np.zeros(size), np.eye(size), joint.response.theta_s)
    likelihood = Likelihood(joint.prior, joint.response, data, joint.all_shapes)
    for k, mass in enumerate(MASSES):
        vector = joint.vector(joint.at(float(mass)))
        mean, slopes = likelihood.linearise(vector)
        np.testing.assert_allclose(found.mean[k], mean, rtol=1e-12)
        columns = dict(zip(joint.prior.names, slopes.T, strict=True))
        np.testing.assert_allclose(found.by_mass[k], columns["m1_meV"], rtol=1e-9)
        for place, name in enumerate(nuisances(joint.prior)):
            sd = joint.prior.marginals[name].sd  # type: ignore[attr-defined]
            np.testing.assert_allclose(
                found.slopes[k, :, place], sd * columns[name], rtol=1e-9, atol=1e-15
            )


def test_two_equal_sets_with_all_shared_take_the_time_of_one() -> None:
    one = Rival(model_of(11))
    joint = JointRival.of([one, one], Sharing.by(PAIR, ALL))

    def noise(exposure_s: float) -> Noise:
        return Noise(lambda t: 0.01 / t * np.eye(11), False, exposure_s)

    both = joined_noise([noise(1.0), noise(1.0)], [True, True])
    known = KnownTruths.unconstrained(one.prior.marginals["m1_meV"], np.ones(1))
    truths = prior_truths(known, 4, np.random.default_rng(1))
    twice, once = (
        DesignBench([rival], known, seen, 33).exposures_s(truths)
        for rival, seen in ((joint, both), (one, noise(2.0)))
    )
    np.testing.assert_allclose(twice, once, rtol=1e-6)


def design(**sections: Any) -> dict[str, Any]:
    return two_sets(inference={}, optimize={"physics_starts": False} | sections)


def test_the_next_set_is_of_the_crystal_that_it_fits_and_of_another_otherwise() -> None:
    study = load_study(design(vary={"layout.length_cm": {"low": 0.5, "high": 4.0}}))
    names = {
        length: designed(study, {"layout.length_cm": length})["data"][-1]["crystal"]
        for length in (2.0, 1.0, 3.0)
    }
    assert names == {2.0: "crystal", 1.0: "small", 3.0: "next"}
    again = load_study(
        designed(study, {"layout.length_cm": 3.0})
        | {"optimize": design(vary={"layout.length_cm": {"low": 0.5, "high": 4.0}})["optimize"]}
    )
    assert [one.name for one in again.sets] == ["first", "second", "next"]
    assert designed(again, {"layout.length_cm": 0.7})["data"][-1] == {
        "name": "next-2", "crystal": "next-2", "layout": {"length_cm": 0.7}}  # fmt: skip


def test_a_leakage_of_all_has_one_scale_with_the_next_set() -> None:
    """That of the study with one set more: the peak of all, where the new one alone has half."""
    tables = design(vary={"layout.length_cm": {"low": 0.5, "high": 4.0}})
    tables["inference"] = {"leakage_sd": 0.05, "sharing": {"leakage": "all"}}
    study = load_study(tables)
    appraiser, keys = appraiser_of(study, region_of(study)), {"layout.length_cm": 3.5}
    assert study.design is not None
    found = appraiser.bench(study_at(study.design, keys).experiment)
    place = nuisances(found.rivals[0].prior).index("leakage")
    whole = study_with(study, keys)
    truth = whole.parameters
    shapes = [
        leakage_shape(one.study.experiment, truth, coherence(one.study.experiment))
        for one in whole.sets
    ]
    expected = 0.05 * np.concatenate(shapes)
    for row in (0, -1):
        np.testing.assert_allclose(found.table[0].slopes[row][:, place], expected, rtol=1e-9)
    for name, column in found.rivals[0].model.all_shapes.items():
        if name == "leakage":
            np.testing.assert_allclose(column, np.concatenate(shapes), rtol=1e-9)


def test_a_prior_of_one_crystal_is_that_of_the_next_set_of_it() -> None:
    """A set more of that crystal shares it, one of another crystal has the default."""
    tables = design(vary={"layout.length_cm": {"low": 0.5, "high": 4.0}})
    own = {"parameter": "amplitude[small]", "kind": "log-normal", "median": 1.0, "log_sd": 0.03}
    tables["inference"] = {"priors": {"group": [own]}}
    study = load_study(tables)
    assert study.design is not None
    appraiser, found = appraiser_of(study, region_of(study)), {}
    for length in (1.0, 3.0):
        bench = appraiser.bench(study_at(study.design, {"layout.length_cm": length}).experiment)
        marginals = bench.rivals[0].prior.marginals
        found[length] = {name: m.sd for name, m in marginals.items() if "amplitude" in name}
    assert found[1.0] == {"amplitude[crystal]": 0.2, "amplitude[small]": 0.03}
    assert found[3.0] == found[1.0] | {"amplitude[next]": 0.2}
    whole = study_with(study, {"layout.length_cm": 1.0})
    assert [len(one.study.priors.own) for one in whole.sets] == [0, 1, 1]


def test_shares_divide_the_exposure_of_all() -> None:
    sets = [{"name": "a"}, {"name": "b", "detector": {"exposure_s": 7200.0}}, {"name": "c"}]
    tables = design(vary={"share.a": {"low": 0.1, "high": 0.9}}) | {"data": sets}
    study = load_study(tables)
    found = split_of(study, {"share.a": 0.4})
    np.testing.assert_allclose(found.exposures_s, [5760.0, 5760.0, 2880.0])
    np.testing.assert_allclose(split_of(study, {}).exposures_s, [3600.0, 7200.0, 3600.0])
    beside = beside_of(study)
    assert beside is not None
    own = beside.split_noise((3600.0, 7200.0, 3600.0))
    moved = beside.split_noise(found.exposures_s)
    variances = [np.diag(noise.covariance(noise.exposure_s))[::9] for noise in (own, moved)]
    np.testing.assert_allclose(variances[1] / variances[0], [1 / 1.6, 1 / 0.8, 1 / 0.8])
    assert region_of(study).space.names == ("share.a",)


def test_a_design_of_shares_has_the_noise_that_it_was_judged_by() -> None:
    """Its tables as a study, noise normalised."""
    study = load_study(design(vary={"share.second": {"low": 0.1, "high": 0.9}}))
    beside = beside_of(study)
    assert beside is not None
    for share in (0.1, 0.9):
        keys = {"share.second": share}
        judged = beside.split_noise(split_of(study, keys).exposures_s)
        tables = designed(study, keys) | frozen_noise(study)
        found = data_of(load_study({k: v for k, v in tables.items() if k != "optimize"}))
        np.testing.assert_allclose(
            found.covariance, judged.covariance(judged.exposure_s), rtol=1e-12
        )


def test_data_that_are_there_keep_their_noise(tmp_path: Any) -> None:
    file = tmp_path / "f.csv"
    file.write_text("theta_s_deg,field_nG,error_nG\n141,1e-7,1e-8\n142,2e-7,2e-8\n")
    tables = design(windows=[{"centre_deg": {"low": 130.0, "high": 150.0}, "points": 3}])
    tables["data"] = [{"name": "measured", "file": str(file)}, {"name": "mock"}]
    beside = beside_of(load_study(tables))
    assert beside is not None
    noise = beside.noise(Noise(lambda t: np.eye(3) / t, False, 5.0))
    variances = np.diag(noise.covariance(10.0))
    np.testing.assert_allclose(variances[:2], [1e-16, 4e-16])
    np.testing.assert_allclose(variances[-3:], 0.1)


@pytest.mark.parametrize(
    ("optimize", "path", "allowed"),
    [
        ({"vary": {"share.third": {"low": 0.1, "high": 0.9}}}, "share.third", "first, second"),
        ({"vary": {"share.second": {"low": 0.1, "high": 1.9}}}, "share.second", "< 1"),
        ({"vary": {"share.second": ["a", "b"]}}, "share.second", "< 1"),
        (
            {"vary": {"share.second": {"low": 0.1, "high": 0.9},
                      "layout.length_cm": {"low": 1.0, "high": 2.0}}},
            "layout.length_cm",
            "only share.",
        ),
        (
            {"vary": {f"share.{n}": {"low": 0.1, "high": 0.4} for n in ("first", "second")}},
            "optimize.vary",
            "at most 1",
        ),
        (
            {"vary": {"share.second": {"low": 0.1, "high": 0.9}}, "robustness": True},
            "optimize.robustness",
            "false",
        ),
        (
            {"vary": {"share.second": {"low": 0.1, "high": 0.9}}, "utility": ["eig_m1", "cost"]},
            "optimize.utility",
            "no split costs more",
        ),
    ],
)  # fmt: skip
def test_wrong_shares_are_refused(optimize: Any, path: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_study(design(**optimize))
    assert path in caught.value.path
    assert allowed in str(caught.value)


def test_shares_without_sets_are_refused() -> None:
    tables = design(vary={"share.second": {"low": 0.1, "high": 0.9}})
    del tables["data"]
    with pytest.raises(ConfigError, match=r"sets of \[\[data\]\]"):
        load_study(tables)
