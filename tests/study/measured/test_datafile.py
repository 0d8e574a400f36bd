"""Measured data: what a file may say, and that a written file is the data again."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from renp_infer.app.cli import execute
from renp_infer.engine.tasks import Context
from renp_infer.errors import ConfigError
from renp_infer.files import digest
from renp_infer.inference.responses import accurate
from renp_infer.measurement.mock import observe
from renp_infer.records import FloatArray, Observation
from renp_infer.resources import share_path
from renp_infer.study.load import load_study
from renp_infer.study.measured import datafile, datatable
from renp_infer.study.measured.datafile import read_measurement
from renp_infer.study.measured.datawriter import write_measurement
from renp_infer.study.observed import mock_observation, observation
from renp_infer.study.sources import data_digests
from renp_infer.verbs.evaluate.verb import EVALUATE
from renp_infer.verbs.infer.verb import INFER
from renp_infer.verbs.infer.work import infer

LAYOUT = np.deg2rad([50.0, 60.0])
GOOD = "theta_s_deg,field_nG,error_nG,exposure_s\n50,1.5,0.1,60\n52,-2,0.2,60\n55.5,3e0,0.1,120\n"
ROWS = (50.0, 52.0, 55.5)
MATRIX = np.array([[0.01, 0.002, 0.0], [0.002, 0.04, 0.001], [0.0, 0.001, 0.01]])

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read(path: Path, covariance: Path | None = None) -> datafile.Measurement:
    return read_measurement(path, covariance, LAYOUT, normalised=False)


def refused(path: Path, covariance: Path | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(path, covariance)
    return caught.value


def test_columns_arrive_in_the_units_of_the_package(write: Write) -> None:
    found = read(write(GOOD))
    data = found.observation
    assert data.theta_s == pytest.approx(np.pi / 180.0 * np.array(ROWS), rel=1e-15)
    assert data.field_nG.tolist() == [1.5, -2.0, 3.0]
    assert data.covariance_nG2 == pytest.approx(np.diag([0.01, 0.04, 0.01]))
    assert (found.exposure_s, data.source, data.normalised) == (240.0, "data.csv", False)


def test_angles_are_directions(write: Write) -> None:
    """A layout across the half turn finds its data at the other end of the circle."""
    path = write("theta_s_deg,field_nG,error_nG\n-179,1.5,0.1\n179,-2,0.2\n")
    layout = np.deg2rad([178.0, 182.0])
    found = read_measurement(path, None, layout, normalised=False).observation
    assert np.rad2deg(found.theta_s) == pytest.approx([179.0, 181.0])
    assert found.field_nG.tolist() == [-2.0, 1.5]


@pytest.mark.parametrize(
    "text",
    [
        # 1 T = 1e4 G: 1 nG = 1e-13 T = 100 fT = 0.1 pT = 1e-4 nT
        "theta_s_rad,field_fT,error_pT\n0.9,150,0.01\n1,-200,0.02\n",
        "# units: mrad, nT, uG\ntheta_s,field,error\n900,1.5e-4,1e-4\n1000,-2e-4,2e-4\n",
        "\ufeff# a comment\r\n#unit: rad, nG,fT\r\n\r\n theta_s , field,error\r\n"
        "1.0,-2.0,20\r\n# another\r\n0.9,+1.5,1e+1\r\n",
        '"theta_s_rad","field_nG","error_nG"\n"0.9","1.5","0.1"\n1,-2,.2\n',
    ],
    ids=["names", "line of units", "comments, blank lines, order, byte-order mark", "quotes"],
)
def test_the_same_data_said_in_other_ways(write: Write, text: str) -> None:
    data = read(write(text)).observation
    assert data.theta_s == pytest.approx([0.9, 1.0], rel=1e-14)
    assert data.field_nG == pytest.approx([1.5, -2.0], rel=1e-14)
    assert data.sigma_nG == pytest.approx([0.1, 0.2], rel=1e-14)


def change(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("# nothing\n\n", "", "no line but comments"),
        ("theta_s_deg,field_nG,error_nG\n", "", "no row of numbers"),
        ("50,1,0.1\n51,1,0.1\n", ", line 1", "column names first"),
        (GOOD.encode("utf-16"), "", "a CSV file in UTF-8"),
        (b"theta_s_deg,field_nG,error_nG\n50,1,\xb10.1\n", "", "a CSV file in UTF-8"),
        (GOOD.replace(",", ";"), ", line 1, column 12", "commas between columns"),
        (GOOD.replace(",", "\t"), ", line 1, column 12", "commas between columns"),
        (change("1.5,0.1,60", "1.5,0.1"), ", line 2", "got 3 columns; allowed: 4"),
        (change("-2,0.2,60", "-2,2,0.2,60"), ", line 3", "got 5 columns; allowed: 4"),
        (change("1.5", "1_5"), ", line 2, field_nG", "'1_5'"),
        (change("1.5", "0x1"), ", line 2, field_nG", "a number"),
        (change("1.5", ""), ", line 2, field_nG", "got nothing"),
        (change("1.5", "one"), ", line 2, field_nG", "'one'"),
        (change("1.5", "nan"), ", line 2, field", "a finite number"),
        (change("1.5", "-inf"), ", line 2, field", "a finite number"),
        (change("1.5", "1e999"), ", line 2, field", "a finite number"),
        (change("52", "NaN"), ", line 3, theta_s", "50 to 60 deg"),
        (change("52", "49.99"), ", line 3, theta_s", "50 to 60 deg"),
        (change("55.5", "60.01"), ", line 4, theta_s", "layout.theta_s_deg"),
        (change("0.2", "0"), ", line 3, error", "> 0"),
        (change("0.2", "-0.2"), ", line 3, error", "> 0"),
        (change("0.2", "nan"), ", line 3, error", "> 0"),
        (change("0.2", "1e-200"), ", line 3, error", "> 0"),
        (change("120", "0"), ", line 4, exposure", "> 0"),
        (change("120", "inf"), ", line 4, exposure", "> 0"),
        (change("field_nG", "field"), ", unit of field", "got no unit"),
        (change("field_nG", "field_ft"), ", unit of field", "did you mean 'fT'?"),
        (change("field_nG", "field_deg"), ", unit of field", "nG | uG | fT | pT | nT"),
        (change("error_nG", "error_s"), ", unit of error", "nG | uG"),
        (change("field_nG", "feild_nG"), ", columns", "'feild_nG'"),
        (change("exposure_s", "error_fT"), ", columns", "error twice"),
        (change("exposure_s", "temperature_K"), ", columns", "temperature_K"),
        (change("error_nG", "exposure_h"), ", columns", "exposure twice"),
        (change("error_nG", "covariance_nG^2"), ", columns", "data.covariance"),
        (change("theta_s_deg", "error_fT").replace("error_nG", "exposure_h", 1), ", columns", ""),
        ("theta_s_deg,field_nG\n50,1\n", ", columns", "got neither, only theta_s, field"),
        ("# units: deg, nG\n" + GOOD, ", line of units", "4, one per column"),
        ("# units: deg, fT, nG, s\n" + GOOD, ", units of field_nG", "nG, as in the name"),
    ],
)
def test_every_refusal_has_its_place(
    write: Write, text: str | bytes, place: str, words: str
) -> None:
    path = write(text)
    error = refused(path)
    assert error.path == f"{path}{place}"
    assert words in str(error)


def test_files_that_are_none(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = refused(tmp_path / "missing.csv")
    assert missing.path == f"data.file, {tmp_path / 'missing.csv'}"
    assert "no such file" in str(missing)
    assert "an empty file" in str(refused(write("")))
    assert ".csv | .nc" in str(refused(write(GOOD, "data.txt")))
    (tmp_path / "folder.csv").mkdir()
    assert "a directory" in str(refused(tmp_path / "folder.csv"))
    os.mkfifo(tmp_path / "pipe.csv")
    assert "a pipe or a device" in str(refused(tmp_path / "pipe.csv"))
    assert "netCDF version 4" in str(refused(write(GOOD, "data.nc")))
    many = "".join(f"{a!r},1,1\n" for a in np.linspace(50, 60, 2001).tolist())
    assert "at most 2000" in str(refused(write("theta_s_deg,field_nG,error_nG\n" + many)))
    monkeypatch.setattr(datatable, "MAX_BYTES", 20)
    assert "a huge file" in str(refused(write(GOOD)))


def matrix_text(matrix: FloatArray, unit: str = "nG^2") -> str:
    return f"# units: {unit}\n" + "\n".join(",".join(map(repr, row)) for row in matrix.tolist())


PLAIN = "theta_s_deg,field_nG\n55.5,3\n50,1.5\n52,-2\n"


def test_a_covariance_follows_the_rows_of_its_table(write: Write) -> None:
    """The table's rows are not in order of the angle; the covariance turns with them."""
    rows = [2, 0, 1]
    text = matrix_text(1e4 * MATRIX[np.ix_(rows, rows)], "fT^2")
    data = read(write(PLAIN), write(text, "c.csv")).observation
    assert data.field_nG.tolist() == [1.5, -2.0, 3.0]
    assert data.covariance_nG2 == pytest.approx(MATRIX, rel=1e-14)


def with_entry(row: int, column: int, value: float) -> FloatArray:
    matrix = MATRIX.copy()
    matrix[row, column] = value
    return matrix


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (matrix_text(with_entry(0, 1, 0.003)), ", line 2, covariance, column 2", "0.002 mirrored"),
        (matrix_text(with_entry(1, 0, np.nan)), ", line 2, covariance, column 2", "symmetric"),
        (matrix_text(with_entry(2, 2, 0.0)), ", line 4, covariance, column 3", "variance > 0"),
        (matrix_text(with_entry(2, 2, -1.0)), ", line 4, covariance, column 3", "variance > 0"),
        (matrix_text(with_entry(1, 1, np.inf)), ", line 3, covariance, column 2", "> 0"),
        (matrix_text(np.ones((3, 3))), ", covariance", "positive definite"),
        (matrix_text(3.0 * np.ones((3, 3)) - 2.5 * np.eye(3)), ", covariance", "eigenvalue"),
        (matrix_text(MATRIX[:2, :2]), ", covariance", "3 rows and columns"),
        (matrix_text(MATRIX[:2]), ", line 2", "2, one per row: a square"),
        (matrix_text(MATRIX, "nG"), ", unit of covariance", "'nG^2'"),
        (matrix_text(MATRIX).split("\n", 1)[1], ", line of units", "'# units: nG^2'"),
        (matrix_text(MATRIX).replace("0.04", "x"), ", line 3, column 2", "a number"),
    ],
)
def test_a_covariance_is_one(write: Write, text: str, place: str, words: str) -> None:
    path = write(text, "c.csv")
    error = refused(write(PLAIN), path)
    assert error.path == f"{path}{place}"
    assert words in str(error)


def test_errors_are_said_once(write: Write) -> None:
    error = refused(write(GOOD), write(matrix_text(MATRIX), "c.csv"))
    assert "got error and data.covariance" in str(error)


def netcdf(path: Path, **variables: Any) -> Path:
    xr.Dataset(variables).to_netcdf(path, engine="h5netcdf")
    return path


ANGLES = ("angle", [50.0, 52.0, 55.5], {"units": "deg"})
FIELDS = ("angle", [150.0, -200.0, 300.0], {"units": "fT"})
ERRORS = ("angle", [0.1, 0.2, 0.1], {"units": "nG"})


def test_netcdf_with_a_covariance(tmp_path: Path) -> None:
    covariance = (("angle", "other"), MATRIX, {"units": "nG^2"})
    seconds = ("angle", [1, 1, 2], {"units": "seconds"})
    path = netcdf(tmp_path / "d.nc", theta_s=ANGLES, field=FIELDS, covariance=covariance)
    data = read(path).observation
    assert data.field_nG == pytest.approx([1.5, -2.0, 3.0])
    assert data.covariance_nG2 == pytest.approx(MATRIX)
    apart = netcdf(tmp_path / "c.nc", covariance=covariance)
    assert read(netcdf(tmp_path / "e.nc", theta_s=ANGLES, field=FIELDS), apart).observation
    path = netcdf(tmp_path / "t.nc", theta_s=ANGLES, field=FIELDS, error=ERRORS, exposure=seconds)
    assert "s | min | h" in str(refused(path))


@pytest.mark.parametrize(
    ("changed", "place", "words"),
    [
        ({"field": ("angle", [1.0, np.nan, 2.0], {"units": "nG"})}, ", field[1]", "finite"),
        ({"field": ("angle", ["a", "b", "c"], {"units": "nG"})}, ", field", "real numbers"),
        ({"field": ("other", [1.0, 2.0], {"units": "nG"})}, ", field", "(n,) for n angles"),
        ({"field": ((), 1.0, {"units": "nG"})}, ", field", "(n,) for n angles"),
        ({"field": ("angle", [1.0, 1.0, 2.0])}, ", unit of field", "got no unit"),
        ({"colour": ("angle", [1.0, 1.0, 2.0])}, ", columns", "'colour'"),
    ],
)
def test_netcdf_refusals(tmp_path: Path, changed: dict[str, Any], place: str, words: str) -> None:
    good = {"theta_s": ANGLES, "field": FIELDS, "error": ERRORS}
    path = netcdf(tmp_path / "d.nc", **(good | changed))
    error = refused(path)
    assert error.path == f"{path}{place}"
    assert words in str(error)


def random_observation(correlated: bool) -> Observation:
    rng = np.random.default_rng(8)
    theta = np.deg2rad(np.linspace(50.0, 60.0, 31))
    covariance = np.diag(1e-60 * rng.uniform(1.0, 2.0, 31))
    if correlated:
        covariance += 1e-61
    return observe(1e-29 * rng.standard_normal(31), theta, covariance, rng)


@pytest.mark.parametrize(
    ("name", "correlated"), [("d.csv", False), ("d.nc", False), ("d.nc", True)]
)
def test_what_is_written_is_read_back_bit_for_bit(
    tmp_path: Path, name: str, correlated: bool
) -> None:
    data = random_observation(correlated)
    times = 310.0 * data.theta_s / np.sum(data.theta_s)
    write_measurement(tmp_path / name, data, times, "a title")
    found = read(tmp_path / name)
    assert found.exposure_s == pytest.approx(310.0, rel=1e-14)
    assert np.array_equal(found.observation.theta_s, data.theta_s)
    assert np.array_equal(found.observation.field_nG, data.field_nG)
    ours, theirs = (np.linalg.cholesky(d.covariance_nG2) for d in (found.observation, data))
    assert np.array_equal(ours, theirs)  # what the likelihood uses


def test_csv_cannot_hold_correlated_noise(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the noise is correlated"):
        write_measurement(tmp_path / "d.csv", random_observation(True), np.ones(3), "")
    assert not list(tmp_path.iterdir())


STUDY = """
schema = 1
name = "own"
[layout]
theta_s_deg = { start = 140.0, stop = 148.0, points = 5 }
[physics]
preset = "corrected"
[lasers]
chi_squared = 1e-3
[detector]
reference_snr = 100
[inference]
draws = 4
tune = 4
chains = 2
sampler = "emcee"
phases = "fixed"
oscillation_errors = false
refractive_index_sd = 0
theta_s_offset_sd_deg = 0
theta_e_offset_sd_deg = 0
"""


def test_a_study_takes_angles_and_exposure_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(STUDY + '[data]\nfile = "sub/data.csv"\n')
    (tmp_path / "sub").mkdir()
    text = GOOD.replace("50,", "142,").replace("52,", "146.5,").replace("55.5,", "141,")
    (tmp_path / "sub" / "data.csv").write_text(text)
    study = load_study(tmp_path / "study.toml")
    assert np.rad2deg(study.experiment.layout.theta_s) == pytest.approx([141.0, 142.0, 146.5])
    assert study.experiment.detector.exposure_s == 240.0
    assert observation(study).field_nG.tolist() == [3.0, 1.5, -2.0]
    assert mock_observation(study).theta_s.size == 3
    assert "data.file: data.csv" in data_digests(study)
    # the resolved study means the same from anywhere
    assert Path(study.resolved["data"]["file"]) == tmp_path / "sub" / "data.csv"
    key = INFER.series(study).key
    (tmp_path / "sub" / "data.csv").write_text(text + "# measured in the rain\n")
    assert INFER.series(load_study(tmp_path / "study.toml")).key != key
    document = EVALUATE.perform(study, EVALUATE.series(study).task(0), Context())
    assert document["data"] == "data.csv"
    assert document["sigma_nG"] == pytest.approx([0.1, 0.1, 0.2])


@pytest.mark.slow
def test_inference_of_a_written_file_is_that_of_the_mock_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accurate, "CHECKED_DRAWS", 2)  # not the gate's test
    (tmp_path / "study.toml").write_text(STUDY)
    path = tmp_path / "mock.csv"
    words = ["simulate", str(tmp_path / "study.toml"), "--save", str(path), "--quiet"]
    assert execute(words) == 0
    assert execute(words) == 2  # it exists
    assert execute([*words, "--force"]) == 0
    mock = load_study(tmp_path / "study.toml")
    measured = load_study(tmp_path / "study.toml", data={"file": str(path)})
    first, second = (infer(study, Context()) for study in (mock, measured))
    for group in ("posterior", "prior", "log_likelihood", "posterior_predictive"):
        xr.testing.assert_identical(first[group].to_dataset(), second[group].to_dataset())
    assert '"data": "mock.csv"' in second.attrs["renp_summary"]
    assert '"truth": null' in second.attrs["renp_summary"]
    assert "truth_m1_meV" in first["constant_data"]
    assert set(second["constant_data"].data_vars) == {"sigma_nG"}


@pytest.mark.parametrize("physics", ["", "-first-principles"])
def test_the_example_is_the_mock_data_it_says_it_is(physics: str) -> None:
    """data/PROVENANCE.md names the command; another seed gives other data."""
    data = observation(load_study(f"own-data{physics}"))
    maker = f"edge-layout{physics}-normalised"
    expected = mock_observation(load_study(maker, ["seed=1"]))
    other = mock_observation(load_study(maker, ["seed=2"]))
    assert data.source == f"edge-layout{physics}.csv"
    assert (share_path("data") / "examples" / data.source).is_file()
    assert data.theta_s == pytest.approx(expected.theta_s, rel=1e-15)
    assert data.sigma_nG == pytest.approx(expected.sigma_nG, rel=1e-6, abs=0)
    pulls = (data.field_nG - expected.field_nG) / expected.sigma_nG
    # the signal is a thousand times the noise and known to 1e-7 of itself
    assert np.abs(pulls).max() < 1e-2
    assert np.abs((other.field_nG - expected.field_nG) / expected.sigma_nG).max() > 1.0


@pytest.mark.parametrize("verb", ["infer", "compare", "calibrate"])
def test_covariance_needs_data(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.toml").write_text(STUDY)
    assert execute([verb, str(tmp_path / "study.toml"), "--covariance", "c.csv"]) == 2
    assert capsys.readouterr().err.startswith("renp: --covariance: ")


def whole_netcdf(path: Path) -> Path:
    return netcdf(path, theta_s=ANGLES, field=FIELDS, error=ERRORS)


def external(file: Any, other: Path) -> None:
    file["field"] = h5py.ExternalLink(str(other), "/field")


def soft(file: Any, _other: Path) -> None:
    file["field"] = h5py.SoftLink("/error")


def virtual(file: Any, other: Path) -> None:
    layout = h5py.VirtualLayout(shape=(3,), dtype="f8")
    layout[:] = h5py.VirtualSource(str(other), "field", shape=(3,))
    file.create_virtual_dataset("field", layout).attrs["units"] = "nG"


def raw(file: Any, other: Path) -> None:
    made = file.create_dataset("field", (3,), "f8", external=[(str(other), 0, 24)])
    made.attrs["units"] = "nG"


def texts(file: Any, _other: Path) -> None:
    file.create_dataset("field", data=["1"] * 3, dtype=h5py.string_dtype())


def references(file: Any, _other: Path) -> None:
    file.create_dataset("field", data=[file["error"].ref] * 3, dtype=h5py.ref_dtype)


def records(file: Any, _other: Path) -> None:
    file.create_dataset("field", data=np.zeros(3, [("a", "f8"), ("b", "f8")]))


def endless(file: Any, _other: Path) -> None:
    file.create_dataset("field", (10**12,), "f8", chunks=(1000,))


def group(file: Any, _other: Path) -> None:
    file.create_group("field")


@pytest.mark.parametrize(
    "plant", [external, soft, virtual, raw, texts, references, records, endless, group]
)
def test_what_a_netcdf_file_does_not_hold_itself_is_refused(
    tmp_path: Path, plant: Callable[[Any, Path], None]
) -> None:
    path, other = whole_netcdf(tmp_path / "data.nc"), whole_netcdf(tmp_path / "other.nc")
    assert read(path).observation.field_nG.tolist() == [1.5, -2.0, 3.0]
    with h5py.File(path, "a") as file:
        del file["field"]
        plant(file, other)
    assert refused(path).path == f"{path}, field"


def test_numbers_without_named_dimensions_are_read_in_silence(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "data.nc", "w") as file:
        for name, row in zip(("theta_s", "field", "error"), (ROWS, ROWS, (0.1,) * 3), strict=True):
            file[name] = np.array(row)
            file[name].attrs["units"] = "deg" if name == "theta_s" else "nG"
    assert read(tmp_path / "data.nc").observation.field_nG.tolist() == list(ROWS)


def test_the_hash_is_that_of_what_was_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is exchanged right after it was read, and a study that outlives its file."""
    path = write(GOOD)
    expected, real = digest(path), datafile.read_table

    def exchanging(file: Path) -> Any:
        found = real(file)
        write(GOOD.replace("1.5", "2.5"))
        return found

    monkeypatch.setattr(datafile, "read_table", exchanging)
    found = read(path)
    assert found.observation.field_nG[0] == 1.5
    assert found.digests == {"data.file: data.csv": expected}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("# units: deg, nG, nG\n# units: deg, uG, uG\ntheta_s,field,error\n50,1,1\n",
         "line 2", "units for a second time"),
        ("theta_s_deg;field_nG;error_nG\n50;1;1\n", "line 1, column 12", "a semicolon"),
        ("theta_s_deg,field_nG,error_nG\n50,5;1;1\n", "line 2, column 5",
         "a semicolon and a decimal comma"),
        ("sep=,\ntheta_s_deg,field_nG,error_nG\n50,1,1\n", "line 1, column 1", "spreadsheets"),
        ("theta_s_deg\tfield_nG\n50\t1\n", "line 1, column 12", "a tabulator"),
        ("theta_s_deg field_nG error_nG\n50 1 1\n", "line 1, column 12", "a blank"),
        ("theta_s_deg,field_nG,error_nG\n50,5,1,5,1,5\n", "line 2", "decimal commas?"),
        ("theta_s_deg,field_nG,error_nG\n50,1 000,1\n", "line 2, field_nG", "'1 000'"),
        ("theta_s_deg,field_nG,error_nG\n５0,1,1\n", "line 2, theta_s_deg", "a number"),
    ],
)  # fmt: skip
def test_the_marks_of_other_countries_and_programs_are_named(
    write: Write, text: str, place: str, words: str
) -> None:
    error = refused(write(text))
    assert error.path.endswith(place)
    assert words in str(error)


def test_units_that_are_stated_twice_are_refused_in_a_covariance(write: Write) -> None:
    data = write("theta_s_deg,field_nG\n50,1\n52,1\n")
    twice = write("# units: nG^2\n# units: uG^2\n1,0\n0,1\n", "covariance.csv")
    assert refused(data, twice).path.endswith("covariance.csv, line 2")


def test_a_byte_order_mark_is_no_text(write: Write, tmp_path: Path) -> None:
    mark = "\ufeff"
    assert read(write(mark + GOOD)).observation.field_nG[0] == 1.5
    study = write(f'{mark}schema = 1\n[neutrino]\noscillation = "own.toml"\n', "study.toml")
    table = share_path("data") / "oscillation" / "nufit-6.0.toml"
    write(mark + table.read_text(), "own.toml")
    assert load_study(study).oscillation.values
