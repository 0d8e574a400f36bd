"""``renp calibrate``: its tasks, its verdicts, what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.special import softmax

from renp_infer.app.cli import execute
from renp_infer.errors import ConfigError
from renp_infer.inference.judging.sbc import Ranked, mock
from renp_infer.inference.results.comparison import Hypothesis
from renp_infer.study.load import load_study
from renp_infer.study.study import Study
from renp_infer.terminal import document, show
from renp_infer.verbs.calibrate import work as calibrating
from renp_infer.verbs.calibrate.figures import calibration_plates
from renp_infer.verbs.calibrate.found import Calibration
from renp_infer.verbs.calibrate.judge import judge
from renp_infer.verbs.calibrate.mocks import mock_model
from renp_infer.verbs.calibrate.parts import belt_points, parts
from renp_infer.verbs.calibrate.result import CalibrateResult
from renp_infer.verbs.calibrate.tables import calibration_tables
from renp_infer.verbs.calibrate.verb import CALIBRATE

pytestmark = pytest.mark.usefixtures("kept")

TEXT = """schema = 1
name = "mocks"
[layout]
theta_s_deg = { start = 140.0, stop = 148.0, points = 9 }
[lasers]
chi_squared = 1e-3
[detector]
reference_snr = 100
[inference]
phases = "fixed"
oscillation_errors = false
[calibrate]
data_sets = 12
hypothesis_sets = 5
belt_sets = 60
belt_m1_meV = [0.0, 10.0, 30.0]
"""
NAMES = ["m1_meV", "delta_deg", "log_likelihood"]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return loaded(tmp_path)


def loaded(folder: Path, *overrides: str) -> Study:
    (folder / "mocks.toml").write_text(TEXT)
    return load_study(folder / "mocks.toml", overrides)


def test_tasks_cover_every_mock_once(study):
    rows = parts(study)
    masses = belt_points(study)
    assert masses.tolist() == [0.0, 10.0, 30.0, 0.0, 5.0, 20.0]
    for kind, count in (("ranks", 12), ("hypotheses", 5)):
        numbers = [n for k, _, a, b in rows if k == kind for n in range(a, b)]
        assert numbers == list(range(count))
    for point in range(masses.size):
        blocks = [(a, b) for k, p, a, b in rows if (k, p) == ("belt", point)]
        assert [n for a, b in blocks for n in range(a, b)] == list(range(60))


def test_a_longer_series_begins_with_the_shorter_one(tmp_path):
    short, long = loaded(tmp_path), loaded(tmp_path, "calibrate.data_sets=40")
    assert CALIBRATE.series(short).base == CALIBRATE.series(long).base
    tasks = [[CALIBRATE.series(s).task(k) for k in range(CALIBRATE.series(s).count)]
             for s in (short, long)]  # fmt: skip
    whole = len(tasks[0]) - 1  # the last block of the shorter one is not full
    assert tasks[0][:whole] == tasks[1][:whole]
    assert CALIBRATE.series(short).key != CALIBRATE.series(long).key
    other = loaded(tmp_path, "calibrate.draws=41")
    assert CALIBRATE.series(short).base != CALIBRATE.series(other).base


def ranks(rng, fractions) -> xr.Dataset:
    rows = [
        Ranked(np.zeros(2), f, np.abs(2.0 * f - 1.0), 100, 1.01, 300.0, 0.0, "") for f in fractions
    ]
    return calibrating.ranked(rows, NAMES, ("delta_deg",))


def test_uniform_ranks_pass_and_narrow_posteriors_fail(study, rng):
    uniform = rng.uniform(size=(300, 3))
    found = judge(study, {"ranks": ranks(rng, uniform)})
    assert found.verdict == "pass"
    narrow = uniform.copy()
    narrow[:, 0] = np.where(rng.uniform(size=300) < 0.3, np.round(narrow[:, 0]), narrow[:, 0])
    found = judge(study, {"ranks": ranks(rng, narrow)})
    assert found.verdict == "fail"
    assert all(reason.startswith("m1_meV") for reason in found.reasons)


def test_failed_fits_are_counted_by_reason_and_fail_the_verdict(study, rng):
    group = ranks(rng, rng.uniform(size=(100, 3)))
    texts = [""] * 90 + ["R-hat 1.2, ESS 9"] * 4 + ["ConvergenceError: x"] * 6
    group["failure"] = ("mock", texts)
    group["fraction"][94:] = np.nan
    found = judge(study, {"ranks": group})
    facts = found.ranks
    assert (facts.fits.mocks, facts.fits.failed, facts.fitted) == (100, 10, 94)
    assert facts.fits.failures == {"R-hat": 4, "ConvergenceError": 6}
    assert found.verdict == "fail"
    assert "10.0 % of the fits failed" in found.reasons[-1]
    row = facts.quantities[0].coverage_68
    assert row.found_if_no_fit_misses == pytest.approx(row.found * 0.94)


def hypotheses(rng, factor: float) -> xr.Dataset:
    logs = 1.5 * rng.standard_normal((400, 4))
    truth = [rng.choice(4, p=row) for row in softmax(logs, axis=1)]
    both = ("mock", "hypothesis")
    return xr.Dataset(
        {
            "hypothesis": ("hypothesis", ["a", "b", "c", "d"]),
            "true_hypothesis": ("mock", truth),
            "log_evidence": (both, factor * logs),
            "error": (both, np.full((400, 4), 0.05)),
            "ess": (both, np.full((400, 4), 200.0)),
            "failure": ("mock", [""] * 400),
        }
    )


def test_prior_odds_are_those_of_the_comparison(tmp_path, rng):
    """Truths drawn 8 : 1 : 1 : 1 pass with these odds, and fail where odds are taken for equal."""
    odds = np.array([8.0, 1.0, 1.0, 1.0])
    group = hypotheses(rng, 1.0)
    mass = np.log(odds) + group["log_evidence"].values
    group["true_hypothesis"] = ("mock", [rng.choice(4, p=row) for row in softmax(mass, axis=1)])
    equal, odd = loaded(tmp_path), loaded(tmp_path, "compare.prior_odds.normal_dirac=8")
    assert judge(odd, {"hypotheses": group}).verdict == "pass"
    assert judge(odd, {"hypotheses": group}).hypotheses.prior_odds == tuple(odds)
    assert judge(equal, {"hypotheses": group}).verdict == "fail"
    assert CALIBRATE.series(odd).base != CALIBRATE.series(equal).base
    assert CALIBRATE.series(equal).base == CALIBRATE.series(loaded(tmp_path, "compare.gate=9")).base


DATA = """# units: deg, nG, nG, s
theta_s,field,error,exposure
141.0,{},1e-5,60
143.5,2e-3,2e-5,60
147.0,3e-3,4e-5,60
"""


def test_mock_data_have_angles_and_noise_of_measured_ones_but_not_their_field(tmp_path):
    """Without the pulls of its mock data a calibration would depend on the data's chance."""
    seed, found = np.random.SeedSequence(3), []
    for k, first in enumerate(("1e-3", "9e-3")):
        (tmp_path / f"{k}.csv").write_text(DATA.format(first))
        study = loaded(tmp_path, f'data.file="{tmp_path}/{k}.csv"')
        model = mock_model(study, Hypothesis("normal", "dirac"))
        drawn = mock(model.likelihood, model.expected(model.truth), np.random.default_rng(seed))
        found.append(drawn.data)
        assert judge(study, {}).data == f"{k}.csv"
    assert np.rad2deg(found[0].theta_s) == pytest.approx([141.0, 143.5, 147.0])
    assert found[0].sigma == pytest.approx([1e-5, 2e-5, 4e-5])
    assert np.array_equal(found[0].vector, found[1].vector)
    assert judge(loaded(tmp_path), {}).data == "mock"


def belt(rng, points, factor: float = 1.0) -> xr.Dataset:
    """Chi-squared with one degree of freedom everywhere; the checks may differ."""
    values = rng.standard_normal((points, 800)) ** 2
    values[3:] *= factor
    return xr.Dataset(
        {
            "point": ("mock", np.repeat(np.arange(points), 800)),
            "statistic": ("mock", values.ravel()),
            "best_m1_meV": ("mock", np.abs(rng.standard_normal(values.size))),
            "failure": ("mock", [""] * values.size),
        }
    )


def test_verdicts_on_hypotheses_and_belt(study, rng):
    good = {"hypotheses": hypotheses(rng, 1.0), "belt": belt(rng, 6)}
    assert judge(study, good).verdict == "pass"
    assert "probabilities" in judge(study, {"hypotheses": hypotheses(rng, 2.5)}).reasons[0]
    assert "coverage" in judge(study, {"belt": belt(rng, 6, 1.8)}).reasons[0]


def test_everything_is_shown_and_drawn(study, rng, capsys):
    groups = {
        "ranks": ranks(rng, rng.uniform(size=(60, 3))),
        "hypotheses": hypotheses(rng, 1.0),
        "belt": belt(rng, 6),
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["renp_calibration"] = document(judge(study, groups).document)
    result = CalibrateResult.of(tree)
    show(*calibration_tables(result.calibration))
    text = capsys.readouterr().out
    assert "noise of" not in text  # the data are mock data
    for word in ("log_likelihood", "calibration error", "at 5 covers", "0 of 60 fits failed"):
        assert word in text
    plates = calibration_plates(result)
    assert [p.key for p in plates] == ["ranks", "coverage", "reliability", "belt"]
    assert all(p.svg.startswith("<?xml") and p.caption for p in plates)


def lost(group: xr.Dataset, name: str) -> xr.Dataset:
    """The same mock experiments, of which no fit succeeded."""
    none = np.full(group[name].shape, np.nan)
    failure = np.full(group.sizes["mock"], "ConvergenceError: x")
    return group.assign({name: (group[name].dims, none), "failure": ("mock", failure)})


@pytest.mark.parametrize("fitted", [True, False])
def test_a_document_read_back_is_what_was_written(study, rng, fitted):
    """Every key, whether or not there was something to test."""
    groups = {
        "ranks": ranks(rng, rng.uniform(size=(20, 3))),
        "hypotheses": hypotheses(rng, 1.0),
        "belt": belt(rng, 6),
    }
    if not fitted:
        names = {"ranks": "fraction", "hypotheses": "log_evidence", "belt": "statistic"}
        groups = {kind: lost(group, names[kind]) for kind, group in groups.items()}
    for kinds in (groups, {"belt": groups["belt"]}, {}):
        written = document(judge(study, kinds).document)
        again = Calibration.of(json.loads(written))
        assert document(again.document) == written
        assert set(again.kinds) == set(kinds)
    assert judge(study, groups).verdict == ("pass" if fitted else "fail")


def test_the_document_of_the_contract(study, rng):
    groups = {
        "ranks": ranks(rng, rng.uniform(size=(20, 3))),
        "hypotheses": hypotheses(rng, 1.0),
        "belt": belt(rng, 6),
    }
    found = json.loads(document(judge(study, groups).document))
    counts = ["mocks", "failed", "failures"]
    coverage = ["nominal", "found", "error", "p_value", "found_if_no_fit_misses"]
    head = ["schema", "name", "false_alarm", "data"]
    assert list(found) == [*head, *groups, "verdict", "reasons"]
    tail = ["fitted", "threshold", "quantities", "band", "reasons"]
    assert list(found["ranks"]) == [*counts, *tail]
    row = found["ranks"]["quantities"][0]
    assert list(row) == ["name", "p_value", "coverage_68", "coverage_95"]
    assert list(row["coverage_68"]) == coverage
    assert list(found["ranks"]["band"]) == ["points", "low", "high"]
    tests = ["curve", "calibration_error", "calibration_error_by_chance", "p_value"]
    tests += ["largest_evidence_error", "smallest_ess", "mean_probability_of_truth", "reasons"]
    assert list(found["hypotheses"]) == [*counts, "hypotheses", "prior_odds", *tests]
    bins = ["low", "high", "predicted", "found", "error", "count"]
    assert list(found["hypotheses"]["curve"][0]) == bins
    limits = ["levels", "m1_meV", "critical", "critical_error", "accepted_best_m1_meV"]
    assert list(found["belt"]) == [*counts, *limits, "coverage", "threshold", "reasons"]
    assert list(found["belt"]["coverage"][0]) == ["m1_meV", "level", "found", "error", "p_value"]


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("calibrate.belt_m1_meV=[0.0, 500.0]", "calibrate.belt_m1_meV"),
        ("calibrate.belt_m1_meV=[5.0, 5.0]", "calibrate.belt_m1_meV"),
        ("calibrate.belt_m1_meV=[5.0, -5.0]", "calibrate.belt_m1_meV[1]"),
        ("calibrate.draws=3", "calibrate.draws"),
        ("calibrate.thinning=-1", "calibrate.thinning"),
        ("calibrate.false_alarm=0", "calibrate.false_alarm"),
        ("calibrate.failed=1", "calibrate.failed"),
    ],
)
def test_wrong_keys_are_named(tmp_path, override, path):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, override)
    assert caught.value.path == path


def test_a_calibration_of_nothing_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="data_sets"):
        loaded(tmp_path, *(f"calibrate.{k}_sets=0" for k in ("data", "hypothesis", "belt")))


@pytest.mark.slow
def test_the_real_chain_by_command(tmp_path, capsys):
    (tmp_path / "mocks.toml").write_text(TEXT)
    small = ["data_sets=8", "hypothesis_sets=4", "belt_sets=10", "draws=200", "tune=200"]
    words = ["calibrate", str(tmp_path / "mocks.toml"), "--out", str(tmp_path / "run"), "--json"]
    for text in small:
        words += ["--set", f"calibrate.{text}"]
    code = execute(words)
    found = json.loads(capsys.readouterr().out)
    assert code == (0 if found["verdict"] == "pass" else 3)
    assert [found[kind]["mocks"] for kind in ("ranks", "hypotheses", "belt")] == [8, 4, 60]
    assert found["ranks"]["fitted"] == 8
    assert np.all(np.array(found["belt"]["critical"]) >= 0.0)
