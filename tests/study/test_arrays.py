"""Studies from studies, and data from arrays: the same as from files; what is refused."""

import json

import numpy as np
import pytest

from renp_infer.errors import ConfigError
from renp_infer.study.load import load_study
from renp_infer.study.observed import data_of
from renp_infer.study.sources import data_digests
from tests.study.test_knowledge import STUDY

ARRAYS = {
    "theta_s_deg": np.array([148.0, 140.0, 144.5]),
    "field_nG": np.array([1e-3, -2e-3, 3e-3]),
    "error_nG": np.array([1e-4, 2e-4, 3e-4]),
    "exposure_s": np.array([10.0, 20.0, 30.0]),
}


def test_arrays_are_what_a_file_would_be(tmp_path):
    rows = zip(*(column.tolist() for column in ARRAYS.values()), strict=True)
    lines = [",".join(ARRAYS), *(",".join(map(repr, row)) for row in rows)]
    (tmp_path / "d.csv").write_text("\n".join(lines))
    ours = load_study(STUDY, data=ARRAYS)
    theirs = load_study(STUDY, data={"file": str(tmp_path / "d.csv")})
    for name in ("theta_s", "vector", "covariance"):
        found, expected = (getattr(data_of(study), name) for study in (ours, theirs))
        assert np.array_equal(found, expected), name
    assert ours.experiment.detector.exposure_s == 60.0
    assert np.array_equal(ours.experiment.layout.theta_s, theirs.experiment.layout.theta_s)


def test_a_covariance_in_place_of_errors():
    matrix = 1e-8 * (np.eye(3) + 0.2)
    arrays = {key: ARRAYS[key] for key in ("theta_s_deg", "field_nG")}
    found = load_study(STUDY, data=arrays | {"covariance_nG2": matrix})
    assert data_of(found).covariance == pytest.approx(matrix, rel=1e-12)


def test_they_stay_in_the_resolved_study_and_in_the_keys():
    found = load_study(STUDY, data=ARRAYS)
    again = load_study(json.loads(json.dumps(found.resolved)))
    assert np.array_equal(data_of(found).vector, data_of(again).vector)
    other = load_study(STUDY, data=ARRAYS | {"field_nG": 2.0 * ARRAYS["field_nG"]})
    assert data_digests(found) == data_digests(again) != data_digests(other)


def test_tables_may_be_of_numpy():
    angles = np.linspace(140.0, 148.0, 5)
    tables = STUDY | {"layout": {"theta_s_deg": angles, "length_cm": np.float64(3.0)}}
    found = load_study(tables, {"neutrino.m1_meV": np.float64(20.0), "seed": np.int64(7)})
    assert np.rad2deg(found.experiment.layout.theta_s) == pytest.approx(angles)
    assert (found.seed, found.experiment.layout.length_cm) == (7, 3.0)
    assert found.parameters.m1_eV == pytest.approx(0.02)


def test_a_study_gives_the_same_study_and_takes_changes():
    found = load_study(STUDY)
    again = load_study(found)
    assert again.resolved == found.resolved and again.text == found.text
    moved = load_study(found, {"neutrino.m1_meV": 20.0}, data=ARRAYS)
    assert moved.parameters.m1_eV == pytest.approx(0.02) and moved.measurement is not None
    assert found.parameters.m1_eV == pytest.approx(0.05)
    with pytest.raises(ConfigError, match=r"physics\.preset.*load its file"):
        load_study(found, {"physics.preset": "published"})


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"error_nG": np.ones(2)}, "data.error_nG", "3 numbers"),
        ({"field_nG": np.array([np.nan, 1.0, 1.0])}, "data.field_nG", "finite"),
        ({"error_nG": np.array([1.0, 0.0, 1.0])}, "data, error", "> 0"),
        ({"theta_s_deg": np.array([120.0, 140.0, 141.0])}, "data, theta_s", "140 to 148"),
        ({"covariance_nG2": np.eye(3)}, "data, columns", "one of error, covariance"),
        ({"covariance_nG2": np.ones((3, 2)), "error_nG": None}, "covariance_nG2", "per angle"),
        ({"file": "x.csv"}, "data.theta_s_deg", "either a file"),
        ({"covariance": "x.csv"}, "data.covariance", "covariance_nG2"),
        ({"field_nG": None}, "data.field_nG", "data.file, or"),
    ],
)
def test_what_is_wrong_is_refused_by_its_key(changes, key, allowed):
    given = {name: value for name, value in (ARRAYS | changes).items() if value is not None}
    with pytest.raises(ConfigError) as refused:
        load_study(STUDY, data=given)
    assert key in str(refused.value) and allowed in str(refused.value)
