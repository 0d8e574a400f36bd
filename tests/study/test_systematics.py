"""Templates and added covariances of a study: one and the same; what is refused."""

import json

import numpy as np
import pytest

from renp_infer.engine.tasks import fingerprint
from renp_infer.errors import ConfigError
from renp_infer.inference.samplers.marginalised import marginalise
from renp_infer.study.hypotheses import hypothesis_of, own_hypothesis
from renp_infer.study.load import load_study
from renp_infer.study.observed import data_of
from renp_infer.study.sources import data_digests
from renp_infer.verbs.inputs import posterior_inputs
from tests.study.test_knowledge import STUDY
from tests.toys.response import ToyResponse

ANGLES = np.array([140.0, 144.0, 148.0])
HUM = np.array([1.0, -0.5, 2.0]) * 1e-3
SD = 0.3


@pytest.fixture
def files(tmp_path):
    """Data, a template and the covariance that it amounts to."""
    rows = [f"{a},{f},0.0005" for a, f in zip(ANGLES, (1e-3, 2e-3, 0.0), strict=True)]
    (tmp_path / "d.csv").write_text("\n".join(["theta_s_deg,field_nG,error_nG", *rows]))
    rows = [f"{a},{t!r}" for a, t in zip(ANGLES, HUM.tolist(), strict=True)]
    (tmp_path / "hum.csv").write_text("\n".join(["theta_s_deg,template_nG", *rows]))
    matrix = SD**2 * np.outer(HUM, HUM)
    rows = [",".join(map(repr, row)) for row in matrix.tolist()]
    (tmp_path / "c.csv").write_text("\n".join(["# units: nG^2", *rows]))
    return tmp_path


def entry(files, **changes):
    return {"name": "hum", "file": str(files / "hum.csv"), "kind": "additive", "sd": SD} | changes


def study(*entries, **sections):
    return load_study(STUDY | {"systematics": list(entries)} | sections)


def target_of(found):
    model = hypothesis_of(
        found, own_hypothesis(found), lambda _: ToyResponse(np.linspace(0.9, 1.0, 3)), peak_nG=1e-3
    )
    likelihood = model.likelihood(data_of(found))
    return marginalise(likelihood, np.random.default_rng(1)).target


def test_a_template_is_its_covariance(files, rng):
    """Integrated, against sd^2 t t^T added to the errors of the same data."""
    data = {"file": str(files / "d.csv")}
    whole = target_of(study(entry(files), data=data))
    other = target_of(
        load_study(STUDY | {"data": data | {"added_covariance": str(files / "c.csv")}})
    )
    assert whole.prior.names == other.prior.names
    for vector in other.prior.sample(rng, 4):
        assert whole.log_likelihood(vector) == pytest.approx(other.log_likelihood(vector), rel=1e-9)
    alone = target_of(load_study(STUDY | {"data": data}))
    assert abs(alone.log_likelihood(vector) - other.log_likelihood(vector)) > 0.1


def test_what_it_becomes(files):
    found = study(entry(files), entry(files, name="buzz", per="run", sd=2.0))
    hum, buzz = found.settings.templates
    assert (hum.name, hum.sd, hum.per, buzz.sd, buzz.per) == ("hum", SD, "all", 2.0, "run")
    assert hum.at(np.deg2rad(ANGLES)) == pytest.approx(HUM)
    assert dict(found.rows())["systematics"] == "hum (additive); buzz (additive)"
    again = load_study(json.loads(json.dumps(found.resolved)))
    assert again.settings == found.settings
    assert "hum.csv" in data_digests(found)
    plain = load_study(STUDY)
    assert "systematics" not in plain.resolved
    assert fingerprint(posterior_inputs(found)) != fingerprint(posterior_inputs(plain))


def test_evaluation_needs_no_inference_to_ignore_them(files):
    tables = {key: value for key, value in STUDY.items() if key != "inference"}
    assert load_study(tables | {"systematics": [entry(files)]}).settings is None


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"name": "m1_meV"}, "systematics[0].name", "another name"),
        ({"name": "a b"}, "systematics[0].name", "letters"),
        ({"kind": "additiv"}, "systematics[0].kind", "additive"),
        ({"sd": 0.0}, "systematics[0].sd", "> 0"),
        ({"per": "crystal"}, "systematics[0].per", "run"),
        ({"file": "none.csv"}, "systematics[0].file", "CSV"),
        ({"kind": "multiplicative"}, "systematics[0].file", "a column template"),
        ({"fil": "x"}, "systematics[0].fil", "file"),
    ],
)
def test_what_is_wrong_is_refused(files, changes, key, allowed):
    with pytest.raises(ConfigError) as refused:
        study(entry(files, **changes))
    assert key in str(refused.value) and allowed in str(refused.value)


@pytest.mark.parametrize(
    ("rows", "allowed"),
    [
        (["140,1"], "2 to"),
        (["140,1", "139,1", "150,1"], "rise"),
        (["141,1", "150,1"], "140 to 148"),
        (["140,0", "150,0"], "not 0"),
        (["140,1e200", "150,0"], "values up to"),
    ],
)
def test_wrong_templates_are_refused(files, rows, allowed):
    (files / "hum.csv").write_text("\n".join(["theta_s_deg,template_nG", *rows]))
    with pytest.raises(ConfigError, match=allowed):
        study(entry(files))


def test_two_of_one_name_are_refused(files):
    with pytest.raises(ConfigError, match="another name: a template"):
        study(entry(files), entry(files))


def test_tasks_refuse_what_they_would_not_take_into_account(files):
    with pytest.raises(ConfigError, match=r"systematics\[0\]\.name: got 'pointing'"):
        study(entry(files, name="pointing"), forecast={"m1_meV": [50.0]})


@pytest.mark.parametrize(
    ("matrix", "allowed"),
    [
        ("-1,0,0\n0,1,0\n0,0,1", ">= 0"),
        ("1,2,0\n2,1,0\n0,0,1", "negative variance"),
        ("1,2,0\n1,5,0\n0,0,1", "symmetric"),
        ("1,0\n0,1", "3 rows"),
    ],
)
def test_an_added_covariance_is_one(files, matrix, allowed):
    (files / "c.csv").write_text("# units: nG^2\n" + matrix)
    data = {"file": str(files / "d.csv"), "added_covariance": str(files / "c.csv")}
    with pytest.raises(ConfigError, match=allowed):
        load_study(STUDY | {"data": data})


def test_an_added_covariance_is_added(files):
    data = {"file": str(files / "d.csv"), "added_covariance": str(files / "c.csv")}
    found = load_study(STUDY | {"data": data})
    expected = 0.0005**2 * np.eye(3) + SD**2 * np.outer(HUM, HUM)
    assert data_of(found).covariance == pytest.approx(expected, rel=1e-12)
    assert any("added_covariance" in name for name in data_digests(found))


def test_each_run_has_its_own(files):
    """A template of several data sets: one nuisance, or one for each run, by ``per``."""
    sets = [{"name": "first", "run": "a"}, {"name": "second", "run": "b"}]
    found = study(entry(files), entry(files, name="buzz", per="run"), data=sets)
    table = found.sharing.table
    assert {"hum", "buzz[a]", "buzz[b]"} <= set(table.names) and "buzz" not in table.names
    assert len(found.settings.templates) == 2
    again = load_study(json.loads(json.dumps(found.resolved)))
    assert again.settings == found.settings and again.resolved == found.resolved


def test_sets_of_one_study_may_have_added_covariances(files):
    own = {"file": str(files / "d.csv"), "added_covariance": str(files / "c.csv")}
    sets = [{"name": "first"} | own, {"name": "second"}]
    found = load_study(STUDY | {"data": sets})
    expected = 0.0005**2 * np.eye(3) + SD**2 * np.outer(HUM, HUM)
    assert data_of(found.sets[0].study).covariance == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ConfigError, match=r"data\[1\]\.added_covariance"):
        sets[1]["added_covariance"] = str(files / "c.csv")
        load_study(STUDY | {"data": sets})


def test_a_block_of_what_is_not_shared_alike_is_refused():
    block = {
        "parameters": ["refractive_index", "theta_s_offset_deg"],
        "means": [1.45, 0.0], "sds": [1e-3, 0.02], "correlation": [[1.0, 0.4], [0.4, 1.0]],
    }  # fmt: skip
    sets = [{"name": "first", "run": "a"}, {"name": "second", "run": "b"}]
    inference = {"m1_max_meV": 200.0, "priors": {"block": [block]}}
    with pytest.raises(ConfigError, match="share in the same way"):
        load_study(STUDY | {"data": sets, "inference": inference})
