"""The model checks in the report: what the numbers say, in words and pictures."""

import json

import numpy as np
import pytest
import xarray as xr

from renp_infer.app.library import write_report
from renp_infer.engine.driver import DIAGNOSTIC_FAILED, judge
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.infer.check_figures import check_plates, check_rows, checks_of, impact
from renp_infer.verbs.infer.command import document_of
from renp_infer.verbs.infer.result import InferResult
from tests.toys.runs import make_run, with_result

ROW = {"fixed_sd_meV": 0.5, "error_meV": 0.01, "freed_shift_meV": None, "freed_sd_meV": None}
NUISANCES = {
    "baseline_nG": ROW | {"pull": 0.1, "width": 0.2, "down_meV": -0.01, "up_meV": 0.01},
    "refractive_index": ROW
    | {"pull": 2.5, "width": 0.6, "down_meV": -0.4, "up_meV": 0.5, "freed_shift_meV": 0.2},
    "delta_deg": ROW | {"pull": None, "width": None, "down_meV": -0.1, "up_meV": 0.1},
}
CHECKS = {
    "verdict": "fail",
    "reasons": ["the model misses the data: smooth, p = 1e-05"],
    "posterior_p": {"chi_squared": 0.21, "smooth": 1e-5},
    "prior_p": {"peak": 0.5},
    "loo": {"elpd": 400.0, "se": 5.0, "p_loo": 3.0, "good_k": 0.67, "bad_k": 1, "largest_k": 0.9},
    "sensitivity": {
        "prior": 0.2,
        "likelihood": 0.01,
        "by_prior": {"refractive_index": 0.2},
        "verdict": "the prior of refractive_index decides",
    },
    "impact": {
        "mean_meV": 50.0,
        "sd_meV": 0.6,
        "statistical_sd_meV": 0.06,
        "nuisances": NUISANCES,
    },
}


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("checked"), normalised=True, shape=(4, 250))
    theta = run.get(EvaluateResult).theta_s_deg
    k = np.full(theta.size, 0.2)
    k[3] = 0.9
    columns = {"pull": np.sin(theta), "pareto_k": k, "elpd_loo": k}
    run.inference["renp_checks"] = xr.Dataset(
        {name: ("theta_s_deg", column) for name, column in columns.items()}, {"theta_s_deg": theta}
    )
    run.inference.attrs["renp_checks"] = json.dumps(CHECKS)
    return with_result(run, "infer", InferResult.of(run.inference))


@pytest.mark.slow
def test_the_report_tells_a_failed_check_before_its_answer(checked, tmp_path):
    html = write_report([checked], tmp_path / "r.html").read_text(encoding="utf-8")
    told = html.index("model checks: ")
    assert told < html.index('class="answer"')
    assert "the model misses the data: smooth" in html
    assert "the prior of refractive_index decides" in html
    assert 'class="impact"' in html and 'class="pulls"' in html


def test_rows_are_the_numbers(checked):
    rows = dict(check_rows(checks_of(checked)))
    assert rows["posterior predictive p, chi squared"] == "0.21"
    assert rows["leave-one-out log density"].startswith("400.0 ± ")
    assert rows["sensitivity to priors"] == "0.2"


def test_captions_stand_alone_and_say_that_the_noise_is_scaled(checked):
    pulls, impacts = check_plates(checked)
    assert "smooth 1×10⁻⁵" in pulls.caption and "1 of 61 above the limit" in pulls.caption
    assert "0.60 meV, and 0.060 meV with all nuisances fixed" in impacts.caption
    assert all("normalised to peak S/N = 1000" in p.caption for p in (pulls, impacts))


def test_the_strongest_nuisance_is_on_top(checked):
    figure, _ = impact(checked)
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["nᵣ", "δ", "baseline"]
    up = [bar.get_width() for bar in right.containers[1]]
    assert up == [0.5, 0.1, 0.01]
    (freed,) = (line for line in right.lines if line.get_label() == "prior removed")
    assert np.asarray(freed.get_xydata()).tolist() == [[0.2, 0.0]]


def test_runs_from_before_the_checks_have_none(tmp_path):
    run = make_run(tmp_path, shape=(4, 250))
    assert run.checks is None and run.get(InferResult).checks is None
    assert check_plates(run) == [] and "model checks" not in run.verdicts


def test_a_failed_check_is_exit_3(checked, capsys):
    assert judge([checked]) == DIAGNOSTIC_FAILED
    assert "model checks failed: the model misses the data" in capsys.readouterr().err
    assert document_of(checked)["hypotheses"][0]["checks"] == CHECKS
