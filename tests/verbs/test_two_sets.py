"""Every verb on one study with two data sets."""

from __future__ import annotations

import contextlib
import io
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from rich.console import Console

import renp_infer as renp
from renp_infer.app.cli import execute
from renp_infer.app.reweighting import _terms
from renp_infer.study.load import load_study
from renp_infer.verbs.infer.summary import summary_table
from renp_infer.verbs.table import load_run
from tests.toys.two_sets import two_sets

SECTIONS: dict[str, Any] = {
    "inference": {
        "sampler": "independence",
        "draws": 400,
        "phases": "fixed",
        "oscillation_errors": False,
    },
    "compare": {"estimators": ["smc"], "smc_draws": 60, "smc_chains": 2},
    "calibrate": {"data_sets": 2, "hypothesis_sets": 2, "belt_sets": 2, "belt_m1_meV": [0.0, 50.0],
                  "importance_draws": 200},
    "forecast": {"m1_meV": [50.0], "orderings": ["normal"], "datasets": 2, "phase_settings": 1},
    "optimize": {
        "optimizer": "sobol", "evaluations": 2, "polish": 0, "truths": 8, "final_truths": 8,
        "masses": 33, "comparisons": False, "effects": 0, "physics_starts": False,
        "at_m1_meV": [50.0], "confirm": 2, "natures": ["dirac"],
        "windows": [{"centre_deg": {"low": 130.0, "high": 150.0}, "width_deg": 8.0, "points": 5}],
    },
}  # fmt: skip


def written(folder: Path, tables: dict[str, Any]) -> Path:
    path = folder / "two.toml"
    path.write_text(tomli_w.dumps(tables))
    return path


def said(*words: str) -> dict[str, Any]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert execute([*words, "--json", "--quiet"]) in (0, 3), words
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_an_evaluation_has_every_set_as_it_is_alone(tmp_path: Path) -> None:
    found = said("evaluate", str(written(tmp_path, two_sets())))
    alone = two_sets(layout=two_sets()["layout"] | {"length_cm": 1.0})
    del alone["data"]
    expected = said("evaluate", str(written(tmp_path, alone)))
    first, second = found["sets"]
    assert (second["name"], second["run"], second["crystal"]) == ("second", "second", "small")
    assert found["signal_nG"] == first["evaluation"]["signal_nG"]
    for key in ("signal_nG", "sigma_nG", "thresholds_deg", "peak_snr"):
        assert second["evaluation"][key] == expected[key]


def test_saved_sets_are_read_back_as_the_same_data(tmp_path: Path) -> None:
    path = written(tmp_path, two_sets())
    field = said("simulate", str(path))
    assert field["data_set"] == ["first"] * 9 + ["second"] * 9
    assert execute(["simulate", str(path), "--save", str(tmp_path / "f.csv"), "--quiet"]) == 0
    assert (
        (tmp_path / "f-first.csv")
        .read_text()
        .startswith("# mock data of data set first of study two, seed ")
    )
    own = two_sets()["data"]
    for one in own:
        one["file"] = str(tmp_path / f"f-{one['name']}.csv")
    study = load_study(two_sets(*own))
    seen = [one.study.measurement for one in study.sets]
    again = np.concatenate([one.observation.field_nG for one in seen if one is not None])
    np.testing.assert_array_equal(again, field["field_nG"])


def test_python_has_the_signals_of_all_sets() -> None:
    study = load_study(two_sets(inference={}))
    both = renp.signal(study, exact=True)
    alone = [renp.signal(one.study, exact=True) for one in study.sets]
    np.testing.assert_array_equal(both, np.concatenate(alone))
    assert both["data_set"].values.tolist() == ["first"] * 9 + ["second"] * 9


@pytest.mark.slow
def test_every_verb_takes_several_sets(tmp_path: Path) -> None:
    path, home = written(tmp_path, two_sets(**SECTIONS)), tmp_path / "run"
    assert execute(["run", str(path), "--out", str(home), "--quiet"]) in (0, 3)
    run = load_run(home)
    done = {"evaluate", "sets", "infer", "compare", "calibrate", "forecast", "optimize", "confirm"}
    assert done <= set(run.results)
    document = said("infer", str(path), "--out", str(home))["hypotheses"][0]
    joint = document["parameters"]["m1_meV"]["sd"]
    alone = [one["parameters"]["m1_meV"]["sd"] for one in document["sets"].values()]
    assert joint < min(alone)
    assert {"chi_squared", "chi_squared[first]", "chi_squared[second]"} <= set(
        document["checks"]["posterior_p"]
    )
    page = (home / "report.html").read_text()
    for text in ("Data sets", "Each data set alone", "Data and posterior prediction: second"):
        assert text in page
    best = tomllib.loads((home / "best.toml").read_text())
    assert [one["name"] for one in best["data"]] == ["first", "second", "next"]
    assert load_study(best).sets[-1].study.experiment.layout.theta_s.size == 5


@pytest.mark.slow
def test_sets_share_an_exposure(tmp_path: Path) -> None:
    search = {k: v for k, v in SECTIONS["optimize"].items() if k != "windows"}
    search |= {"vary": {"share.second": {"low": 0.1, "high": 0.9}}}
    tables = two_sets(inference=SECTIONS["inference"], optimize=search)
    home = tmp_path / "run"
    found = said("optimize", str(written(tmp_path, tables)), "--out", str(home))
    best = load_study(tomllib.loads((home / "best.toml").read_text()))
    exposures = [one.study.experiment.detector.exposure_s for one in best.sets]
    assert sum(exposures) == pytest.approx(2 * 3600.0, rel=1e-12)
    assert exposures[1] == pytest.approx(found["best"]["share.second"] * 7200.0, rel=1e-12)


def test_the_row_of_a_joint_study_has_every_set(tmp_path: Path) -> None:
    other = {"name": "second", "layout": {"theta_s_deg": [150.0, 152.5], "length_cm": 1.0}}
    home = tmp_path / "run"
    path = written(tmp_path, two_sets({"name": "first"}, other | {"crystal": "b"}))
    assert execute(["evaluate", str(path), "--out", str(home), "--quiet"]) == 0
    out = Console(width=120, file=io.StringIO())
    out.print(summary_table([load_run(home)]))
    assert isinstance(out.file, io.StringIO)
    text = out.file.getvalue()
    assert "140.0-148.0" in text and "150.0-152.5" in text


@pytest.mark.slow
def test_a_joint_run_reweighted_is_the_run_refitted(tmp_path: Path) -> None:
    """Means of what all sets share agree to four errors of both."""
    settings = SECTIONS["inference"] | {"draws": 3000, "chains": 2}
    path, home = written(tmp_path, two_sets(inference=settings)), tmp_path / "plain"
    before = said("infer", str(path), "--out", str(home))["hypotheses"][0]["parameters"]["m1_meV"]
    gaussian = {"name": "beam", "quantities": ["m1_meV"], "errors": [2.0 * before["sd"]]}
    gaussian["values"] = [before["mean"] + before["sd"]]
    known = {"source": "made", "date": "2026", "gaussian": [gaussian]}
    (tmp_path / "beam.toml").write_text(tomli_w.dumps(known))
    found = said("reweight", str(home), "--with", str(tmp_path / "beam.toml"))
    tables = two_sets(inference=settings, constraints={"gaussian": [gaussian]})
    again = said("infer", str(written(tmp_path, tables)), "--out", str(tmp_path / "again"))
    refitted = again["hypotheses"][0]["parameters"]
    for name in ("m1_meV", "sum_meV", "amplitude[small]", "theta_s_offset_deg[first]"):
        one, other = found["parameters"][name], refitted[name]
        error = other["sd"] * np.sqrt(1.0 / found["ess"] + 1.0 / other["ess_bulk"])
        assert abs(one["mean"] - other["mean"]) < 4.0 * error, name
        assert one["sd"] == pytest.approx(other["sd"], rel=0.1)
    assert abs(found["parameters"]["m1_meV"]["mean"] - before["mean"]) > 0.05 * before["sd"]


def test_reweighting_by_what_sets_do_not_share_is_refused(tmp_path: Path) -> None:
    gaussian = {"name": "gain", "quantities": ["amplitude"], "values": [1.0], "errors": [0.01]}
    known = {"source": "made", "date": "2026", "gaussian": [gaussian]}
    (tmp_path / "gain.toml").write_text(tomli_w.dumps(known))
    study = load_study(two_sets(inference={}))
    with pytest.raises(renp.ConfigError, match=r"--with.*amplitude is not here"):
        _terms(study, str(tmp_path / "gain.toml"))
