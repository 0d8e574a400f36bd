"""``renp optimize --sequential``: campaigns, the loop beside the apparatus, refusals."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest, norm

from renp_infer.app.cli import execute
from renp_infer.design.sequences.beliefs import Readings
from renp_infer.design.sequences.sequential import campaign, settled
from renp_infer.errors import ConfigError
from renp_infer.study.load import load_study
from renp_infer.study.measured.datafile import read_sequence
from renp_infer.verbs.sequential import bench as bench_module
from renp_infer.verbs.sequential.bench import SequenceBench, others_of, own_angles
from renp_infer.verbs.sequential.result import SequentialResult
from renp_infer.verbs.table import load_run

pytestmark = pytest.mark.usefixtures("kept")

STUDY = """schema = 1
name = "toy-sequence"
[physics]
preset = "corrected"
[layout]
theta_s_deg = { start = 136.0, stop = 148.0, points = 7 }
[lasers]
chi_squared = 1e-3
[detector]
exposure_s = 1800.0
reference_snr = 100.0
[inference]
m1_max_meV = 200.0
[optimize]
orderings = ["normal"]
[optimize.sequential]
angles_deg = { start = 136.0, stop = 148.0, points = 13 }
exposures_s = [100, 400]
setting_s = 100.0
masses = 16
m1_meV = [30, 90]
campaigns = 1
fixed_deg = [140, 145]
"""


def write(folder: Path, text: str = STUDY) -> Path:
    path = folder / "toy.toml"
    path.write_text(text)
    return path


def run(*words: str | Path) -> int:
    return execute(["optimize", *map(str, words), "--sequential", "--quiet"])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two campaigns."""
    folder = tmp_path_factory.mktemp("sequence")
    assert run(write(folder), "--out", folder / "run") == 0
    return folder


def readings_csv(done: Path, m1: float) -> tuple[str, np.ndarray]:
    """Measurements of a campaign as a data file, and what was known after them."""
    tree = load_run(done / "run").get(SequentialResult).tree
    one = tree["steps"].to_dataset().sel(m1_meV=m1).isel(campaign=0).dropna("step")
    names = ("theta_s_deg", "field_nG", "sigma_nG", "exposure_s")
    rows = zip(*(one[name].values.tolist() for name in names), strict=True)
    lines = ["theta_s_deg,field_nG,error_nG,exposure_s", *(",".join(map(repr, r)) for r in rows)]
    return "\n".join(lines) + "\n", one[["m1_mean", "m1_sd"]].to_array().values[:, -1]


def test_the_document_of_campaigns(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Done before: nothing is calculated again, and the times were kept."""
    assert run(done / "toy.toml", "--out", done / "run", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["m1_meV"] for row in found["truths"]] == [30.0, 90.0]
    assert found["angles"] == {"study": 7, "fixed": 2} and found["missing_tasks"] == 0
    for row in found["truths"]:
        own = row["sequential"]
        assert 0.0 < own["sd_m1_meV"] < 200.0 / np.sqrt(12.0)
        assert own["elapsed_s"] <= 1800.0 < own["elapsed_s"] + 200.0
        assert row["fixed"]["sd_m1_meV"] > 0.0
        assert abs(own["pulls"][0]) < 5.0


def test_steps_add_up(done: Path) -> None:
    tree = load_run(done / "run").get(SequentialResult).tree
    steps, layouts = tree["steps"].to_dataset(), tree["layouts"].to_dataset()
    for m1 in (30.0, 90.0):
        one = steps.sel(m1_meV=m1).isel(campaign=0).dropna("step")
        moves = np.append(True, np.diff(one["theta_s_deg"].values) != 0.0)
        expected = np.cumsum(one["exposure_s"].values + 100.0 * moves)
        np.testing.assert_allclose(one["elapsed_s"].values, expected)
        assert np.all(one["expected_nat"].values > 0.0)
        np.testing.assert_allclose(one["probability"].sum("hypothesis"), 1.0)
        # white noise: the error falls as the root of the time
        np.testing.assert_allclose(
            one["sigma_nG"] * np.sqrt(one["exposure_s"]), one["sigma_nG"][0] * one["exposure_s"][0]
            ** 0.5, rtol=1e-12
        )  # fmt: skip
        # seven moves of 100 s do not fit into 450 s, two do into 225 s
        other = layouts.sel(m1_meV=m1).isel(campaign=0)
        assert np.isfinite(other["m1_sd"].values).sum(axis=-1).tolist() == [2, 4]


def test_data_in_next_setting_out(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, (mean, sd) = readings_csv(done, 30.0)
    lines, data = text.splitlines(keepends=True), tmp_path / "measured.csv"
    data.write_text("".join(lines[:2]))  # one alone cannot tell the mass from the amplitude
    assert run(done / "toy.toml", "--data", data, "--json") == 0
    early = json.loads(capsys.readouterr().out)
    following = early["next_setting"]
    assert early["measurements"] == 1 and early["stop"] == ""
    assert 136.0 <= following["theta_s_deg"] <= 148.0 and following["exposure_s"] in (100.0, 400.0)
    assert following["expected_information_nat"] > 0.0
    assert sum(h["probability"] for h in early["hypotheses"]) == pytest.approx(1.0)
    assert {h["ordering"] for h in early["hypotheses"]} == {"normal"}
    data.write_text(text)  # all of the campaign: its time is spent, its posterior is found again
    assert run(done / "toy.toml", "--data", data, "--json") == 0
    late = json.loads(capsys.readouterr().out)
    assert late["next_setting"] is None and late["stop"] == "the time is spent"
    assert late["m1_meV"]["sd"] < early["m1_meV"]["sd"]
    assert late["m1_meV"]["mean"] == pytest.approx(mean, abs=0.5 * sd)
    assert late["m1_meV"]["sd"] == pytest.approx(sd, rel=0.3)
    assert late["diagnostics"]["verdict"] == "pass"
    assert list(tmp_path.iterdir()) == [data]  # nothing was written


def test_data_of_no_state_fail(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, _ = readings_csv(done, 30.0)
    head, first, *rest = text.splitlines()
    cells = first.split(",")
    cells[1] = repr(-3.0 * float(cells[1]))
    (tmp_path / "wrong.csv").write_text("\n".join([head, ",".join(cells), first, *rest]) + "\n")
    assert run(done / "toy.toml", "--data", tmp_path / "wrong.csv", "--json") == 3
    assert json.loads(capsys.readouterr().out)["diagnostics"]["verdict"] == "fail"


def test_enough_is_known(done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, _ = readings_csv(done, 30.0)
    (tmp_path / "some.csv").write_text("".join(text.splitlines(keepends=True)[:4]))
    words = ("--data", tmp_path / "some.csv", "--set", "optimize.sequential.stop_sd_meV=150")
    assert run(done / "toy.toml", *words, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["next_setting"] is None and found["stop"] == "enough is known"


@pytest.mark.slow
def test_the_report_has_both_figures(done: Path) -> None:
    assert execute(["report", str(done / "run"), "--quiet"]) == 0
    page = (done / "run" / "report.html").read_text(encoding="utf-8")
    for text in ("One measurement after the other", "What was measured when", "fixed angles"):
        assert text in page


def test_states_at_their_means_are_the_nonlinear_model(done: Path) -> None:
    """Expansions anywhere against differences; those about the centres are the table."""
    bench = SequenceBench(load_study(done / "toy.toml"))
    atlas, expander = bench.atlas, bench.expander
    scale = np.abs(atlas.mean).max()
    size = atlas.slopes.shape[2]
    for state in (3, 20, 30):
        field, slopes = expander.at(atlas, state, np.zeros(size))
        np.testing.assert_allclose(field, atlas.mean[state], atol=1e-12 * scale)
        np.testing.assert_allclose(slopes, atlas.slopes[state], atol=1e-12 * scale)
        z = 0.5 * np.random.default_rng(state).standard_normal(size)
        slopes = expander.at(atlas, state, z)[1]
        for k, step in enumerate(1e-4 * np.eye(size)):
            sides = [expander.at(atlas, state, z + s * step)[0] for s in (1.0, -1.0)]
            secant = (sides[0] - sides[1]) / 2e-4
            np.testing.assert_allclose(slopes[:, k], secant, atol=1e-5 * np.abs(secant).max())


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("optimize.sequential.goal", '"mass"', "m1 | nature | ordering"),
        ("optimize.sequential.exposures_s", "[100, 50]", "each longer than the one before"),
        ("optimize.sequential.lookahead", "3", "an integer from 1 to 2"),
        ("optimize.sequential.total_s", "150", ">= 200"),
        ("optimize.sequential.setting_s", "-1", ">= 0"),
        ("optimize.sequential.stop_probability", "0.5", "> 0.5"),
        ("optimize.sequential.m1_meV", "[500]", "inference.m1_max_meV"),
        ("optimize.sequential.angles_deg", "{start=1,stop=100,points=5000}", "at most 2000"),
        ("optimize.sequential.angle_deg", "[1]", "angles_deg"),
        ("detector.drift_fT", "1.0", "optimize.sequential"),
        ("inference.leakage_sd", "0.1", "optimize.sequential"),
        ("optimize.natures", '["majorana"]', "hypothesis"),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    tmp_path: Path, key: str, value: str, part: str
) -> None:
    with pytest.raises(ConfigError, match="optimize|detector|inference") as caught:
        load_study(write(tmp_path), [f"{key}={value}"])
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("theta_s_deg,field_nG,error_nG\n140,1,1\n", "exposure"),
        ("theta_s_deg,field_nG,error_nG,exposure_s\n", "one row"),
        ("theta_s_deg,field_nG,error_nG,exposure_s\n10,1,1,1\n", "line 2, theta_s"),
        ("theta_s_deg,field_nG,error_nG,exposure_s\n140,nan,1,1\n", "line 2, field"),
        ("theta_s_deg,field_nG,error_nG,exposure_s\n140,1,0,1\n", "line 2, error"),
        ("theta_s_deg,field_nG,error_nG,exposure_s\n140,1,1,-1\n", "line 2, exposure"),
    ],
)
def test_wrong_data_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, part: str
) -> None:
    data = tmp_path / "wrong.csv"
    data.write_text(text)
    assert run(write(tmp_path), "--data", data) == 2
    assert part in capsys.readouterr().err


def test_options_that_mean_nothing_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write(tmp_path))
    assert execute(["optimize", path, "--data", "x.csv"]) == 2
    assert "--data" in capsys.readouterr().err
    assert run(path, "--covariance", "x.csv") == 2
    assert "--covariance" in capsys.readouterr().err
    assert run(path, "--data", tmp_path / "none.csv") == 2
    assert "no such file" in capsys.readouterr().err


def test_a_sequence_may_return_to_an_angle(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    rows = "146,1,2,10\n140,3,2,20\n140,4,2,30\n146,1,2,40\n"
    data.write_text("theta_s_deg,field_nG,error_nG,exposure_s\n" + rows)
    found = read_sequence(data, None, np.deg2rad([130.0, 150.0]))
    assert np.rad2deg(found.theta_s).tolist() == pytest.approx([146.0, 140.0, 140.0, 146.0])
    assert found.moves == 3
    assert found.exposures_s.tolist() == [10.0, 20.0, 30.0, 40.0]
    assert np.diag(found.covariance_nG2).tolist() == [4.0] * 4


def test_defaults_are_those_of_the_layout(tmp_path: Path) -> None:
    """Without a section: its candidates, its exposure."""
    text = STUDY.partition("[optimize]")[0]
    study = load_study(write(tmp_path, text), add=["optimize.sequential"])
    assert study.sequential is not None
    assert study.sequential.total_s == 1800.0
    assert len(study.sequential.angles) == 121
    assert np.rad2deg(study.sequential.angles[-1]) == pytest.approx(148.0)
    assert load_study(write(tmp_path, text)).sequential is None


@pytest.mark.slow
def test_the_posterior_of_a_campaign_is_that_of_batch_inference(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``renp infer`` with NUTS on the same data: the same hypothesis, nothing linearised."""
    text, _ = readings_csv(done, 90.0)
    (tmp_path / "all.csv").write_text(text)
    study = load_study(done / "toy.toml")
    found = read_sequence(tmp_path / "all.csv", None, study.experiment.layout.theta_s)
    bench = SequenceBench(study, found.theta_s)
    readings = Readings(bench.places(found.theta_s), found.field_nG, found.covariance_nG2)
    atlas, beliefs = settled(bench.atlas, readings, bench.expander.refined, 4)
    own = bench.expander.hypothesis == bench.hypotheses.index(("normal", "dirac"))
    weights = beliefs.weights * own / np.sum(beliefs.weights[own])
    centres = atlas.m1_meV + atlas.rest_meV * beliefs.means[:, 0]
    mean = float(weights @ centres)
    spread = (centres - mean) ** 2 + atlas.rest_meV**2 * beliefs.covariances[:, 0, 0]
    sd = float(np.sqrt(weights @ spread))
    _combine(tmp_path, found)
    words: list[Any] = ["infer", done / "toy.toml", "--data", tmp_path / "combined.csv", "--out"]
    words += [tmp_path / "run", "--json", "--quiet", "--set", "inference.draws=1500"]
    execute(list(map(str, words)))
    row = json.loads(capsys.readouterr().out)["hypotheses"][0]["parameters"]["m1_meV"]
    error = row["sd"] / np.sqrt(row["ess_bulk"])
    # the table's linear cells and the sampler's error
    assert mean == pytest.approx(row["mean"], abs=4.0 * error + 0.1 * row["sd"])
    assert sd == pytest.approx(row["sd"], rel=0.15)


def _combine(folder: Path, found: Any) -> None:
    """Repeated measurements of an angle as one, as ``infer`` wants them."""
    angles, place = np.unique(np.round(np.rad2deg(found.theta_s), 9), return_inverse=True)
    weight = 1.0 / np.diag(found.covariance_nG2)
    total = np.bincount(place, weight)
    columns = (
        angles,
        np.bincount(place, weight * found.field_nG) / total,
        total**-0.5,
        np.bincount(place, found.exposures_s),
    )
    rows = [",".join(map(repr, row)) for row in zip(*(c.tolist() for c in columns), strict=True)]
    text = "\n".join(["theta_s_deg,field_nG,error_nG,exposure_s", *rows]) + "\n"
    (folder / "combined.csv").write_text(text)


@pytest.mark.slow
def test_posteriors_of_campaigns_are_calibrated(done: Path) -> None:
    """Truths from the prior, fields from the nonlinear model: their ranks are uniform."""
    study = load_study(done / "toy.toml", ["detector.reference_snr=300"])
    bench, rng, ranks = SequenceBench(study), np.random.default_rng(3), []
    for k in range(60):
        own = bench.hypotheses[k % 2]
        bench.study = replace(study, parameters=replace(study.parameters, nature=own.nature))
        m1 = rng.uniform(0.0, 200.0)
        field = bench.truth(m1, rng)

        def measure(angle: int, sigma_nG: float, field: Any = field) -> float:
            return float(field[angle] + sigma_nG * rng.standard_normal())

        *_, last = campaign(
            bench.atlas, bench.menu(), measure, 1800.0, refine=bench.expander.refined
        )
        atlas, beliefs = bench.atlas, last.beliefs
        centres = atlas.m1_meV + atlas.rest_meV * beliefs.means[:, 0]
        sds = atlas.rest_meV * np.sqrt(beliefs.covariances[:, 0, 0])
        ranks.append(beliefs.weights @ norm.cdf((m1 - centres) / sds))
    assert kstest(ranks, "uniform").pvalue > 1e-3


def test_responses_are_good_for_time_on_four_angles(tmp_path, monkeypatch):
    """Standard errors go as the inverse root of time: twice those of all time on one angle."""
    asked, made = [], bench_module.accurate_responses

    def recorded(study, sigma_nG):
        asked.append(sigma_nG)
        return made(study, sigma_nG)

    monkeypatch.setattr(bench_module, "accurate_responses", recorded)
    bench = SequenceBench(load_study(write(tmp_path)))
    assert asked[0] == pytest.approx(2.0 * bench.sigma_nG(1800.0), rel=1e-12, abs=0)


def test_an_angle_written_in_degrees_is_the_candidate(tmp_path):
    study = load_study(write(tmp_path))
    own = own_angles(study)
    written = np.nextafter(own, 0.0)
    assert others_of(study, written).size == 0
    assert others_of(study, np.deg2rad([140.5])) == pytest.approx(np.deg2rad([140.5]))


def test_constraints_are_priors_of_the_same_density(tmp_path):
    """On the mass and on a nuisance: the same states, and the same after readings."""

    def learned(inference, constraints):
        tables = tomllib.loads(STUDY)
        tables["inference"] |= inference
        tables |= constraints
        tables["optimize"]["natures"] = ["dirac"]
        bench = SequenceBench(load_study(tables))
        places = bench.places(np.deg2rad([138.0, 140.0, 142.0, 144.0, 146.0]))
        sigma = bench.sigma_nG(300.0)
        data = bench.atlas.mean[5, places] + sigma * np.array([0.3, -1.0, 0.4, 1.2, -0.6])
        seen = Readings(places, data, sigma**2 * np.eye(5))
        _, beliefs = settled(bench.atlas, seen, bench.expander.refined, 4)
        return (*bench.atlas.start().mass(bench.atlas), *beliefs.mass(bench.atlas))

    mass = {"kind": "truncated", "mean": 60.0, "sd": 30.0, "low": 0.0, "high": 200.0}
    index_sd = (1e-4**-2 + 2e-4**-2) ** -0.5
    by_prior = learned({"priors": {"m1_meV": mass}, "refractive_index_sd": index_sd}, {})
    nominal = load_study(tomllib.loads(STUDY)).experiment.target.refractive_index
    told = [
        {"name": "mass", "quantities": ["m1_meV"], "values": [60.0], "errors": [30.0]},
        {
            "name": "index",
            "quantities": ["refractive_index"],
            "values": [nominal],
            "errors": [2e-4],
        },
    ]
    found = learned({"refractive_index_sd": 1e-4}, {"constraints": {"gaussian": told}})
    np.testing.assert_allclose(found, by_prior, rtol=2e-3)


@pytest.mark.slow
def test_campaigns_take_double_beta_decay_and_templates(tmp_path, capsys):
    """Phases that a constraint prefers, and a field of a known shape, in every campaign."""
    (tmp_path / "hum.csv").write_text("theta_s_deg,template_nG\n130,1e-32\n150,-2e-32\n")
    more = """
[[constraints.gaussian]]
name = "decay"
quantities = ["m_betabeta_meV"]
values = [40.0]
errors = [10.0]
[[systematics]]
name = "hum"
kind = "additive"
file = "hum.csv"
sd = 0.5
"""
    assert run(write(tmp_path, STUDY + more), "--out", tmp_path / "run", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    for row in found["truths"]:
        assert abs(row["sequential"]["pulls"][0]) < 5.0


def test_a_template_must_reach_what_a_sequence_may_set(tmp_path):
    (tmp_path / "hum.csv").write_text("theta_s_deg,template_nG\n136,0.1\n148,-0.2\n")
    one = '[[systematics]]\nname = "hum"\nkind = "additive"\nfile = "hum.csv"\nsd = 0.5\n'
    load_study(write(tmp_path, STUDY + one))
    wider = STUDY.replace("stop = 148.0, points = 13", "stop = 150.0, points = 13")
    with pytest.raises(ConfigError, match=r"systematics\[0\]\.file"):
        load_study(write(tmp_path, wider + one))
