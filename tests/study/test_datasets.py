"""Several data sets of a study: what they share, what is refused, what they are again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renp_infer.engine.tasks import fingerprint
from renp_infer.errors import ConfigError
from renp_infer.inference.hypothesis import offset_shapes
from renp_infer.study.load import load_study
from renp_infer.study.observed import data_of, mock_data, rows_of
from renp_infer.verbs.inputs import posterior_inputs
from tests.toys.two_sets import two_sets


def test_each_set_has_its_own_keys_and_the_rest_of_the_study() -> None:
    study = load_study(two_sets(inference={"m1_max_meV": 300.0}))
    first, second = (one.study for one in study.sets)
    assert (first.experiment.layout.length_cm, second.experiment.layout.length_cm) == (2.0, 1.0)
    np.testing.assert_array_equal(first.experiment.layout.theta_s, second.experiment.layout.theta_s)
    assert {one.priors.m1_max_meV for one in (study, first, second)} == {300.0}
    assert study.experiment == first.experiment


def test_what_is_shared_can_be_said_otherwise() -> None:
    def groups(**sharing: str) -> dict[str, tuple[str, ...]]:
        sets = [
            {"name": "a", "run": "spring"},
            {"name": "b", "run": "spring", "crystal": "small", "layout": {"length_cm": 1.0}},
            {"name": "c"},
        ]
        study = load_study(two_sets(*sets, inference={"sharing": sharing}))
        assert study.sharing is not None
        return dict(study.sharing.groups)

    usual = groups()
    assert usual["m1_meV"] == usual["dm2_21"] == usual["delta_deg"] == ("", "", "")
    assert usual["amplitude"] == usual["refractive_index"] == ("crystal", "small", "crystal")
    assert usual["baseline_nG"] == usual["theta_s_offset_deg"] == ("spring", "spring", "c")
    other = groups(amplitude="all", baseline_nG="set", leakage="crystal")
    assert other["amplitude"] == ("", "", "")
    assert other["baseline_nG"] == ("a", "b", "c")
    assert other["leakage"] == ("crystal", "small", "crystal")
    assert other["theta_s_offset_deg"] == usual["theta_s_offset_deg"]


def test_a_resolved_study_is_the_study_again() -> None:
    study = load_study(two_sets(inference={"sharing": {"amplitude": "all"}}))
    again = load_study(study.resolved)
    assert again.resolved == study.resolved
    assert again.sharing == study.sharing
    np.testing.assert_array_equal(data_of(again).vector, data_of(study).vector)


@pytest.mark.parametrize(
    "change",
    [
        {"layout": {"length_cm": 1.1}},
        {"run": "first"},
        {"crystal": "other"},
        {"detector": {"exposure_s": 7200.0}},
    ],
)
def test_what_a_set_is_decides_whether_a_result_is_that_of_the_study(change: Any) -> None:
    own = {"name": "second", "crystal": "small", "layout": {"length_cm": 1.0}}
    before = load_study(two_sets({"name": "first"}, own, inference={}))
    after = load_study(two_sets({"name": "first"}, own | change, inference={}))
    assert fingerprint(posterior_inputs(before)) != fingerprint(posterior_inputs(after))


def test_normalised_noise_has_one_factor_for_all_sets() -> None:
    """That of the study's own apparatus: exposures and signals count by what they are."""
    long = {"name": "long", "detector": {"exposure_s": 36000.0}}
    dim = {"name": "dim", "crystal": "c", "target": {"density_per_cm3": 1e19}}
    sure = {"name": "sure", "detector": {"reference_snr": 120.0}}
    study = load_study(two_sets({"name": "own"}, long, dim, sure, inference={}))
    data = data_of(study)
    own, longer, dimmer, surer = (data.sigma[rows] for rows in rows_of(study))
    alone = load_study({k: v for k, v in two_sets(inference={}).items() if k != "data"})
    np.testing.assert_array_equal(own, data_of(alone).sigma)
    np.testing.assert_allclose(longer / own, 10.0**-0.5, rtol=1e-12)
    np.testing.assert_allclose(dimmer, own, rtol=1e-12)
    np.testing.assert_allclose(surer / own, 0.5, rtol=1e-12)


def test_how_a_run_is_cut_changes_no_noise() -> None:
    """Parts whose exposures are the shares of their angles."""
    angles = np.linspace(140.0, 148.0, 9)
    parts = [
        {"name": name, "run": "r", "layout": {"theta_s_deg": part.tolist()},
         "detector": {"exposure_s": 3600.0 * part.size / 9}}
        for name, part in (("a", angles[:3]), ("b", angles[3:]))
    ]  # fmt: skip
    cut = data_of(load_study(two_sets(*parts, inference={})))
    whole = load_study({k: v for k, v in two_sets(inference={}).items() if k != "data"})
    np.testing.assert_allclose(cut.sigma, data_of(whole).sigma, rtol=1e-12)


def test_how_a_run_is_cut_changes_no_leakage() -> None:
    """Its shape is that of the whole run; of sets with leakages of their own, of each."""
    angles = np.linspace(132.0, 148.0, 9)

    def shape(*cuts: int, **sharing: str) -> Any:
        parts = [
            {"name": f"part-{k}", "run": "r", "layout": {"theta_s_deg": part.tolist()}}
            for k, part in enumerate(np.split(angles, cuts))
        ]
        inference = {"leakage_sd": 0.1, "sharing": sharing}
        study = load_study(two_sets(*parts, inference=inference))
        found = [
            offset_shapes(one.study.experiment, one.study.parameters, one.study.priors)["leakage"]
            for one in study.sets
        ]
        return np.concatenate(found)

    whole = shape()
    np.testing.assert_allclose(shape(3), whole, rtol=1e-9)
    assert np.max(np.abs(shape(3, leakage="set") / whole - 1.0)) > 0.05


def test_sets_of_one_run_have_no_drift() -> None:
    """It would go on from one to the next."""
    drifting = {"run": "r", "detector": {"drift_fT": 0.1}}
    with pytest.raises(ConfigError, match=r"data\[1\]\.run.*drift does not go on.*drift_fT = 0"):
        load_study(two_sets({"name": "a"} | drifting, {"name": "b"} | drifting))
    load_study(two_sets({"name": "a"} | drifting, {"name": "b"} | drifting | {"run": "q"}))
    load_study(two_sets({"name": "a"} | drifting, {"name": "b", "run": "r"}))


def test_what_is_shared_has_one_nominal_value() -> None:
    other = {"name": "b", "crystal": "c", "target": {"refractive_index": 1.46}}
    load_study(two_sets({"name": "a"}, other, inference={}))
    sharing = {"sharing": {"refractive_index": "all"}}
    with pytest.raises(ConfigError) as caught:
        load_study(two_sets({"name": "a"}, other, inference=sharing))
    assert caught.value.path == "inference.sharing.refractive_index"
    for word in ("'a'", "'b'", "1.46", '"crystal"'):
        assert word in str(caught.value)
    load_study(two_sets({"name": "a"}, other | {"target": {}}, inference=sharing))


def test_equal_sets_have_noise_of_their_own() -> None:
    study = load_study(two_sets({"name": "a"}, {"name": "b"}))
    data = data_of(study)
    one, two = (data.part(rows) for rows in rows_of(study))
    np.testing.assert_array_equal(one.sigma, two.sigma)
    pulls = (one.vector - two.vector) / one.sigma
    assert 0.3 < np.std(pulls) < 3.0


def test_an_angle_may_be_measured_again(tmp_path: Path) -> None:
    file = tmp_path / "again.csv"
    file.write_text("theta_s_deg,field_nG,error_nG\n141,1e-7,1e-8\n142,2e-7,1e-8\n141,3e-7,2e-8\n")
    tables = two_sets({"name": "file", "file": str(file)}, {"name": "mock"})
    data = data_of(load_study(tables))
    np.testing.assert_allclose(np.rad2deg(data.theta_s[:3]), [141.0, 141.0, 142.0])
    np.testing.assert_array_equal(data.vector[:3], [1e-7, 3e-7, 2e-7])
    assert data.sets[:4] == ("file", "file", "file", "mock")
    assert data.source == "again.csv"
    assert mock_data(load_study(tables)).source == ""


@pytest.mark.parametrize(
    ("sets", "path", "allowed"),
    [
        ([{"name": "a"}, {"name": "a"}], "data[1].name", "no other set"),
        ([{"name": "a"}, {}], "data[1].name", "a value for 'name'"),
        ([{"name": "a", "lenght": 1}], "data[0].lenght", "one of file"),
        ([{"name": "a", "layout": {"length_cm": -1.0}}], "data[0].layout.length_cm", ""),
        ([{"name": "a", "layout": {"lenght_cm": 1.0}}], "data[0].layout.lenght_cm", "length_cm"),
        ([{"name": "a", "covariance": "c.csv"}], "data[0].covariance", "nothing without a file"),
        ([{"name": "a", "file": "none.csv"}], "", "readable"),
        (
            [{"name": "a"}, {"name": "b", "layout": {"length_cm": 1.0}}],
            "data[1].crystal",
            "same crystal",
        ),
        ([], "data", "one data set or more"),
    ],
)
def test_wrong_sets_are_refused_by_their_place(
    sets: list[dict[str, Any]], path: str, allowed: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_study(two_sets() | {"data": sets})
    assert caught.value.path.startswith(path)
    assert allowed in str(caught.value)


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"inference": {"sharing": {"m1_meV": "run"}}}, "inference.sharing.m1_meV"),
        ({"inference": {"sharing": {"amplitude": "week"}}}, "inference.sharing.amplitude"),
        (
            {
                "inference": {},
                "constraints": {
                    "gaussian": [
                        {
                            "name": "maker",
                            "quantities": ["refractive_index"],
                            "values": [1.45],
                            "errors": [1e-4],
                        }
                    ]
                },
            },
            "constraints, maker",
        ),
    ],
)
def test_what_means_nothing_with_several_sets_is_refused(sections: Any, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_study(two_sets(**sections))
    assert caught.value.path.startswith(path)


def test_one_data_set_shares_nothing() -> None:
    with pytest.raises(ConfigError, match=r"inference\.sharing.*\[\[data\]\]"):
        load_study("edge-layout-normalised", ["inference.sharing={amplitude='all'}"])


def test_a_constraint_on_what_is_shared_is_none_of_one_set() -> None:
    maker = {
        "name": "maker",
        "quantities": ["refractive_index"],
        "values": [1.45],
        "errors": [1e-4],
    }
    study = load_study(
        two_sets(
            inference={"sharing": {"refractive_index": "all"}}, constraints={"gaussian": [maker]}
        )
    )
    assert [len(one.study.knowledge) for one in study.sets] == [1, 1]


def test_a_file_from_the_command_line_would_be_of_no_single_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name their files themselves"):
        load_study(two_sets(), data={"file": str(tmp_path / "field.csv")})


def arrays_of(study: Any, place: int) -> dict[str, Any]:
    """Mock data of a set as numbers."""
    rows, data = rows_of(study)[place], mock_data(study)
    return {
        "theta_s_deg": np.rad2deg(data.theta_s[rows]),
        "field_nG": data.vector[rows],
        "error_nG": np.sqrt(np.diag(data.covariance[rows, rows])),
    }


def test_sets_can_be_arrays() -> None:
    """They are the data, stay in the resolved study, and are in the keys of results."""
    mock = load_study(two_sets(inference={}))
    sets = [
        {"name": "first", **arrays_of(mock, 0)},
        {"name": "second", "crystal": "small", "layout": {"length_cm": 1.0}, **arrays_of(mock, 1)},
    ]
    found = load_study(two_sets(inference={}) | {"data": sets})
    np.testing.assert_array_equal(data_of(found).vector, data_of(mock).vector)
    assert all(one.study.measurement is not None for one in found.sets)
    again = load_study(json.loads(json.dumps(found.resolved)))
    np.testing.assert_array_equal(data_of(again).covariance, data_of(found).covariance)
    keys = [fingerprint(posterior_inputs(one)) for one in (found, again)]
    sets[1]["field_nG"] = 1.01 * sets[1]["field_nG"]
    other = load_study(two_sets(inference={}) | {"data": sets})
    assert keys[0] == keys[1] != fingerprint(posterior_inputs(other))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"field_nG": [1.0]}, "data[1].field_nG"),
        ({"error_nG": [-1.0] * 9}, "data[1], error[0]"),
        ({"file": "x.csv"}, "data[1].theta_s_deg"),
        ({"covariance": "x.csv"}, "data[1].covariance"),
        ({"theta_s_deg": None}, "data[1].theta_s_deg"),
    ],
)
def test_wrong_arrays_are_refused_by_their_set(change: Any, path: str) -> None:
    mock = load_study(two_sets(inference={}))
    second = {"name": "second", **arrays_of(mock, 0)} | change
    second = {key: value for key, value in second.items() if value is not None}
    with pytest.raises(ConfigError) as caught:
        load_study(two_sets(inference={}) | {"data": [{"name": "first"}, second]})
    assert caught.value.path == path


def test_names_that_differ_by_case_alone_are_refused() -> None:
    """A file system may take them for one file."""
    with pytest.raises(ConfigError, match=r"data\[1\]\.name.*upper and lower case"):
        load_study(two_sets({"name": "first"}, {"name": "First"}))


def test_one_prior_of_two_indices_is_refused() -> None:
    own = {"refractive_index": {"kind": "normal", "mean": 1.45, "sd": 1e-3}}
    sets = [
        {"name": "a", "crystal": "long", "target": {"refractive_index": 1.45}},
        {"name": "b", "crystal": "short", "target": {"refractive_index": 1.451}},
    ]
    with pytest.raises(
        ConfigError, match=r"inference\.priors\.refractive_index.*1\.45 of long and 1\.451 of short"
    ):
        load_study(two_sets(*sets, inference={"priors": own}))
    sets[1]["target"] = {"refractive_index": 1.45}
    assert load_study(two_sets(*sets, inference={"priors": own})).sets
    with pytest.raises(ConfigError, match=r"priors\.amplitude\[long\].*one crystal, run or"):
        load_study(two_sets(*sets, inference={"priors": {"amplitude[long]": own}}))


GROUP = {"parameter": "amplitude[small]", "kind": "log-normal", "median": 1.0, "log_sd": 0.03}


def test_a_prior_of_one_crystal_is_that_of_its_sets_alone() -> None:
    """The set alone is the study with that prior; the other has the default one."""
    study = load_study(two_sets(inference={"priors": {"group": [GROUP]}}))
    first, second = (one.study for one in study.sets)
    alone = two_sets(inference={"priors": {"amplitude": {**GROUP}}})
    del alone["data"], alone["inference"]["priors"]["amplitude"]["parameter"]
    assert second.priors.own == load_study(alone).priors.own
    assert first.priors.own == ()
    assert [one.name for one in study.priors.own] == ["amplitude[small]"]
    assert load_study(study.resolved).priors == study.priors
    assert fingerprint(posterior_inputs(study)) != fingerprint(
        posterior_inputs(load_study(two_sets(inference={})))
    )


@pytest.mark.parametrize(
    ("change", "path", "allowed"),
    [
        ({"parameter": "amplitude[x]"}, r"group\[0\]\.parameter", "amplitude[small]"),
        ({"parameter": "m1_meV"}, r"group\[0\]\.parameter", "baseline_nG[first]"),
        ({"mean": 1.0}, r"group\[0\]\.mean", "median"),
        ({"ordering": "normal"}, r"group\[0\]\.ordering", "both"),
    ],
)
def test_wrong_priors_of_groups_are_refused(
    change: dict[str, Any], path: str, allowed: str
) -> None:
    with pytest.raises(ConfigError, match=path) as caught:
        load_study(two_sets(inference={"priors": {"group": [GROUP | change]}}))
    assert allowed in str(caught.value)


def test_groups_have_one_prior_each_and_belong_to_several_sets() -> None:
    with pytest.raises(ConfigError, match=r"group\[1\].*one prior of amplitude\[small\]"):
        load_study(two_sets(inference={"priors": {"group": [GROUP, GROUP]}}))
    alone = two_sets(inference={"priors": {"group": [GROUP]}})
    del alone["data"]
    with pytest.raises(ConfigError, match=r"group\[0\].*several data sets"):
        load_study(alone)
    vary = {"vary": {"layout.length_cm": {"low": 0.5, "high": 4.0}}}
    moved = two_sets(inference={"priors": {"group": [GROUP | {"median": 1.1}]}}, optimize=vary)
    with pytest.raises(ConfigError, match=r"priors\.group\.amplitude.*median of 1"):
        load_study(moved)
