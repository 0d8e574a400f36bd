"""Scans: each cell is the single run, whatever does the work; refusals; tables."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

import renp_infer as renp
from renp_infer.app.cli import execute
from renp_infer.engine.result import load_tree
from renp_infer.study.load import load_study
from renp_infer.verbs.scan.columns import InferredCell
from renp_infer.verbs.scan.result import ScanResult
from renp_infer.verbs.scan.verb import SCAN

pytestmark = pytest.mark.usefixtures("kept")

SMALL = {
    "schema": 1,
    "name": "small",
    "physics": {"preset": "corrected"},
    "layout": {"theta_s_deg": {"start": 140.0, "stop": 148.0, "points": 9}},
    "lasers": {"chi_squared": 1e-3},
    "detector": {"reference_snr": 100.0},
}


def scan_with(**section):
    return SMALL | {"scan": section}


def write(path, tables):
    import tomli_w

    path.write_text(tomli_w.dumps(tables))
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A scan of two keys, one of which a default of another key follows."""
    home = tmp_path_factory.mktemp("scan")
    study = write(home / "small.toml", SMALL)
    axes = ["--over", "target.refractive_index=1.44:1.46:3", "--over", "neutrino.m1_meV=10,50"]
    assert execute(["scan", study, *axes, "--out", str(home / "run"), "--quiet"]) == 0
    return home


def test_each_cell_is_the_single_run_bit_for_bit(made):
    table = load_tree(made / "run" / "scan.nc")["cells"].to_dataset()
    assert table["peak_snr"].dims == ("target.refractive_index", "neutrino.m1_meV")
    for index, m1 in ((1.44, 50), (1.45, 10), (1.46, 50)):
        words = [f"target.refractive_index={index}", f"neutrino.m1_meV={m1}"]
        single = renp.evaluate(load_study(made / "small.toml", words), quiet=True)
        cell = table.sel({"target.refractive_index": index, "neutrino.m1_meV": m1})
        peak = int(np.argmax(np.abs(single["signal_nG"].values)))
        assert float(cell["peak_signal_nG"]) == float(single["signal_nG"][peak])
        assert float(cell["peak_snr"]) == single.attrs["peak_snr"]
        assert float(cell["chi_squared"]) == single.attrs["chi_squared"]
        assert float(cell["peak_rate_per_s"]) == float(single["rate_per_s"].max())
        rest = json.loads(single.attrs["renp_evaluation"])
        assert cell["thresholds_deg"].values.tolist() == list(rest["thresholds_deg"].values())


def test_the_file_of_numbers_is_the_table(made):
    table = load_tree(made / "run" / "scan.nc")["cells"].to_dataset()
    with (made / "run" / "scan.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 6
    for row in rows:
        place = {key: float(row[key]) for key in table["peak_snr"].dims}
        assert float(row["peak_snr"]) == float(table["peak_snr"].sel(place))
        threshold = table["thresholds_deg"].sel(place | {"pair": "12", "side": "high"})
        assert float(row["thresholds_deg_12_high"]) == float(threshold)


def test_the_resolved_study_has_the_same_cells(made):
    """Also where a default follows a key: the direction of the second laser goes with n."""
    axes = {"over": {"target.refractive_index": "1.44:1.46:3", "neutrino.m1_meV": "10,50"}}
    given = load_study(made / "small.toml", scan=axes)
    resolved = load_study(made / "run" / "study.resolved.toml")
    assert SCAN.series(resolved).key == SCAN.series(given).key
    for change in ({"layout.length_cm": 1.0}, {"detector.exposure_s": 60.0}):
        edited = load_study(made / "run" / "study.resolved.toml", change)
        again = load_study(made / "small.toml", change, scan=axes)
        assert SCAN.series(edited).key == SCAN.series(again).key != SCAN.series(given).key


def test_it_resumes_and_is_done_once(made, capsys):
    study = str(made / "small.toml")
    axes = ["--over", "target.refractive_index=1.44:1.46:3", "--over", "neutrino.m1_meV=10,50"]
    before = (made / "run" / "scan.nc").stat().st_mtime_ns
    assert execute(["scan", study, *axes, "--out", str(made / "run")]) == 0
    assert "scan is done already" in capsys.readouterr().err
    assert (made / "run" / "scan.nc").stat().st_mtime_ns == before
    assert execute(["status", str(made / "run"), "--json"]) == 0
    rows = {row["task"]: row for row in json.loads(capsys.readouterr().out)["tasks"]}
    assert (rows["scan"]["state"], rows["scan"]["total"]) == ("done", 6)


def test_the_document_and_the_report(made, capsys):
    study, run = str(made / "small.toml"), str(made / "run")
    axes = ["--over", "target.refractive_index=1.44:1.46:3", "--over", "neutrino.m1_meV=10,50"]
    assert execute(["scan", study, *axes, "--out", run, "--json", "--quiet"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "pass" and document["what"] == "evaluate"
    assert document["over"]["neutrino.m1_meV"] == [10.0, 50.0] and len(document["cells"]) == 6
    assert execute(["report", run, "--figures", "csv"]) == 0
    text = (made / "run" / "report.html").read_text()
    assert "How does the signal change with target.refractive_index and neutrino.m1_meV?" in text
    assert ", of 6 cells." in text
    assert "neutrino.m1_meV = 50" in (made / "run" / "figures" / "scan.csv").read_text()


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"over": {"layout.lenght_cm": "1:2:3"}}, ["scan.over.layout.lenght_cm", "'length_cm'"]),
        ({"over": {"layout.length_cm": "1:x:3"}}, ["scan.over.layout.length_cm", "START:STOP"]),
        ({"over": {"layout.length_cm": "2:1:3"}}, ["START < STOP"]),
        ({"over": {"layout.length_cm": "0:1:3:log"}}, ["START > 0"]),
        ({"over": {"layout.length_cm": "1:2:3:exp"}}, ["START:STOP:POINTS:log"]),
        ({"over": {"layout.length_cm": "1:2:1"}}, ["from 2 to 1000 points"]),
        ({"over": {"layout.length_cm": "1:2:9999"}}, ["from 2 to 1000 points"]),
        ({"over": {"layout.length_cm": [1.0, 1]}}, ["each value once"]),
        ({"over": {"layout.length_cm": []}}, ["a list of numbers or words"]),
        ({"over": {"layout.length_cm": "long,short"}}, ["got 'long'", "a finite number"]),
        ({"over": {"layout.length_cm": "1:2:500", "layout.radius_cm": "1:2:500"}},
         ["at most 10000 cells, these are 250000"]),
        ({"over": {"name": ["a", "b"]}}, ["scan.over.name", "such as layout.length_cm"]),
        ({"over": {"seed": [1, 2]}}, ["scan.over.seed", 'scan.what = "evaluate"']),
        ({"over": {"inference.draws": [10, 20]}}, ['scan.what = "evaluate"']),
        ({"over": {"neutrino.m1_meV": "10,900"}},
         ["scan.over: got neutrino.m1_meV = 900", "no pair can be emitted"]),
        ({"what": "guess"}, ["scan.what", "evaluate | infer | forecast"]),
        ({"what": "infer", "over": {"neutrino.m1_meV": "10,500"}},
         ["got neutrino.m1_meV = 500", "inference.m1_max_meV = 450"]),
        ({"profile": {"m1_meV": "auto"}}, ["scan.profile", "two parameters"]),
        ({"profile": {"m1_meV": "auto", "index": "auto"}},
         ["scan.profile.index", "free in the fit"]),
        ({"profile": {"m1_meV": "0:900:5", "amplitude": "auto"}}, ["scan.profile.m1_meV", "450"]),
        ({"profile": {"m1_meV": "0,10", "amplitude": [0, 1]}}, ["scan.profile.amplitude"]),
        ({"profile": {"m1_meV": "10,5", "amplitude": "auto"}}, ["numbers that rise"]),
    ],
)  # fmt: skip
def test_what_is_refused_before_any_work(section, words):
    with pytest.raises(renp.ConfigError) as caught:
        load_study(scan_with(**section))
    assert not [word for word in words if word not in str(caught.value)], str(caught.value)


def test_a_profile_knows_no_fixed_phase():
    pair = {"profile": {"m1_meV": "auto", "amplitude": "auto"}}
    tables = scan_with(**pair) | {"physics": {"preset": "published", "weights": "table-iv"}}
    with pytest.raises(renp.ConfigError, match=r"inference.phases: got 'free'"):
        load_study(tables)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--over", "layout.length_cm"], "--over: got 'layout.length_cm'; allowed: KEY=VALUES"),
        (["--over", "seed=1", "--over", "seed=2"], "each key once"),
        (["--profile", "m1_meV,m1_meV"], "two parameters, each once"),
        ([], "scan.over: got nothing; allowed: keys that vary"),
    ],
)
def test_options_that_mean_nothing(tmp_path, capsys, words, said):
    out = tmp_path / "run"
    assert execute(["scan", "fig6", *words, "--out", str(out)]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_time_of_day_is_a_range():
    """TOML takes 10:50:21 for one."""
    import tomllib

    tables = tomllib.loads("over.neutrino.m1_meV = 10:50:21")
    found = load_study(scan_with(**tables)).scan
    assert found.over == {"neutrino.m1_meV": tuple(range(10, 51, 2))}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::renp_infer.DiagnosticWarning")
def test_posterior_and_forecast_of_a_cell_are_those_of_the_single_run():
    quick = {"sampler": "independence", "draws": 150, "chains": 2, "tune": 100}
    tables = SMALL | {"detector": {"reference_snr": 300.0}, "inference": quick}
    over = {"over": {"neutrino.m1_meV": [20.0, 60.0], "layout.length_cm": [1.0]}}
    tree = renp.scan(tables | {"scan": over | {"what": "infer"}}, quiet=True)
    cell = tree["cells"].to_dataset().isel({"neutrino.m1_meV": 1, "layout.length_cm": 0})
    changes = {"neutrino.m1_meV": 60.0, "layout.length_cm": 1.0}
    single = renp.infer(load_study(tables, changes), quiet=True)
    m1 = json.loads(single.attrs["renp_summary"])["parameters"]["m1_meV"]
    assert [float(cell[f"{name}_m1_meV"]) for name in ("mean", "sd", "median", "upper_95")] == [
        m1["mean"], m1["sd"], m1["median"], m1["upper_95"]
    ]  # fmt: skip
    assert [float(cell["low_95_m1_meV"]), float(cell["high_95_m1_meV"])] == m1["interval_95"]
    forecast = {"m1_meV": [60.0], "methods": ["fisher"], "corrections": False}
    both = tables | {"forecast": forecast | {"orderings": ["normal"], "natures": ["dirac"]}}
    tree = renp.scan(both | {"scan": over | {"what": "forecast"}}, quiet=True)
    cell = tree["cells"].to_dataset().isel({"neutrino.m1_meV": 1, "layout.length_cm": 0})
    single = renp.forecast(load_study(both, changes), quiet=True)["fisher"].to_dataset()
    for name in ("sigma_m1_meV", "sigma_sum_meV", "separation_ordering", "peak_snr"):
        assert float(cell[name]) == float(single[name].values.ravel()[0]), name


@pytest.mark.slow
def test_workers_do_not_matter(made):
    study = str(made / "small.toml")
    axes = ["--over", "target.refractive_index=1.44:1.46:3", "--over", "neutrino.m1_meV=10,50"]
    axes += ["--profile", "m1_meV=0:60:4", "--profile", "refractive_index"]
    homes = [made / name for name in ("one", "two")]
    for home, executor in zip(homes, ("serial", "processes:2"), strict=True):
        words = ["--executor", executor, "--out", str(home), "--quiet"]
        assert execute(["scan", study, *axes, *words]) == 0
    one, two = (load_tree(home / "scan.nc") for home in homes)
    for group in ("cells", "profile"):
        assert one[group].to_dataset().identical(two[group].to_dataset())
    single = load_tree(made / "run" / "scan.nc")["cells"].to_dataset()
    assert single.identical(one["cells"].to_dataset())


def test_a_cell_that_failed_is_no_number_and_a_warning(made):
    tree = load_tree(made / "run" / "scan.nc")
    for name in tree["cells"].data_vars:
        tree["cells"][name].values[0, 0] = np.nan
    tree.attrs["missing"] = 1
    found = ScanResult.of(tree)
    assert found.verdicts()["scan"].verdict == "warn"
    assert "1 tasks failed" in found.verdicts()["scan"].reasons


def test_posteriors_that_fail_make_the_scan_fail():
    import xarray as xr

    names = [name for name in InferredCell.__dataclass_fields__ if name != "failed"]
    columns = {name: ("neutrino.m1_meV", [1.0, 1.0]) for name in names}
    columns |= {
        "failed": ("neutrino.m1_meV", [0.0, 1.0]),
        "warned": ("neutrino.m1_meV", [1.0, 0.0]),
    }
    tree = xr.DataTree.from_dict({"cells": xr.Dataset(columns, {"neutrino.m1_meV": [1.0, 2.0]})})
    tree.attrs = {"name": "a", "missing": 0, "preset": "published", "reference_snr": 0.0}
    tree.attrs["what"] = "infer"
    verdict = ScanResult.of(tree).verdicts()["scan"]
    assert (verdict.verdict, verdict.reasons) == (
        "fail", ("1 cells failed their own checks", "1 cells warn"),
    )  # fmt: skip
