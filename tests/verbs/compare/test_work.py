"""The four hypotheses of a study: one likelihood each, one comparison of all."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from renp_infer.app import commands
from renp_infer.app.cli import execute
from renp_infer.inference.hypothesis import assumed
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.responses.response import Response
from renp_infer.inference.results.comparison import HYPOTHESES
from renp_infer.inference.samplers.evidence import Estimate
from renp_infer.inference.samplers.importance import evidence
from renp_infer.measurement.field import exact_field
from renp_infer.physics.neutrinos import masses
from renp_infer.resources import share_path
from renp_infer.study.hypotheses import hypothesis_of
from renp_infer.study.load import load_study
from renp_infer.study.observed import observation
from renp_infer.verbs.compare import work as hypotheses
from renp_infer.verbs.compare.result import CompareResult
from renp_infer.verbs.compare.tables import verdict_of_hypotheses
from renp_infer.verbs.compare.work import likelihood_of
from tests.toys.settings import inference_with

STUDY = """schema = 1
name = "four"
[neutrino]
nature = "majorana"
[physics]
preset = "corrected"
[layout]
theta_s_deg = { start = 140.0, stop = 148.0, points = 5 }
[lasers]
chi_squared = 1e-3
[detector]
reference_snr = 30
[inference]
m1_max_meV = 200.0
[compare]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "four.toml").write_text(STUDY)
    return tmp_path


def relabelled(x):
    """The same three states of normal ordering, numbered as inverted ordering does.

    Lightest, middle, heaviest are 1, 2, 3 in normal and 3, 1, 2 in inverted ordering.
    """
    m1, n, ds, de, s12, s13, dm21, dm31, delta, a21, a31, ray = x
    shares = (1 - s12) * (1 - s13), s12 * (1 - s13), s13
    return np.array(
        [
            *(m1, n, ds, de),
            *(shares[2] / (1.0 - shares[0]), shares[0], dm31 - dm21, -dm31),
            *(0.0, a31 - 2.0 * delta - a21, -a21, ray),
        ]
    )


@pytest.mark.parametrize("nature", ["dirac", "majorana"])
@pytest.mark.slow
def test_labels_of_the_ordering_change_nothing_but_the_masses(folder, nature, rng):
    """The same states under the other labels: same masses, fields, likelihoods."""
    study = load_study("four.toml", [f"neutrino.nature={nature}"])
    normal = replace(study.parameters, delta=0.7, alpha21=0.4, alpha31=1.1)
    responses, fields, spectra = [], [], []
    base = Response(study.experiment, normal, 1e-3, 0.2)
    moved = dict(zip(base.names, relabelled(base.nominal()), strict=True))
    other = replace(
        normal,
        ordering="inverted",
        **{n: float(moved[n]) for n in ("sin2_12", "sin2_13", "dm2_21", "dm2_3l")},
        **{n: float(moved[n]) for n in ("delta", "alpha21", "alpha31")},
    )
    for parameters in (normal, other):
        responses.append(Response(study.experiment, parameters, 1e-3, 0.2))
        fields.append(exact_field(study.experiment, parameters, 1e-3))
        spectra.append(np.sort(masses(parameters)))
    assert spectra[0] == pytest.approx(spectra[1], rel=1e-12)
    peak = np.abs(fields[0]).max()  # far below pytest's own absolute tolerance
    assert fields[0] / peak == pytest.approx(fields[1] / peak, rel=1e-9)
    for _ in range(5):
        x = base.nominal()
        x[0], x[4] = rng.uniform(1e-3, 0.2), rng.uniform(0.28, 0.33)
        x[8:11] = rng.uniform(0.0, 2.0 * np.pi, 3)
        found = responses[1](relabelled(x))[0]
        assert responses[0](x)[0] / peak == pytest.approx(found / peak, rel=1e-9)
    # without moving the states along, the label does change the masses and the field
    only = replace(normal, ordering="inverted", dm2_3l=-normal.dm2_3l)
    assert np.sort(masses(only)) != pytest.approx(spectra[0], rel=1e-3)
    changed = exact_field(study.experiment, only, 1e-3)
    assert np.abs(changed - fields[0]).max() > 0.01 * peak


@pytest.mark.slow
def test_each_hypothesis_has_its_own_physics_and_the_same_data(folder, monkeypatch):
    study = load_study("four.toml")
    built = []

    def checked(study, hypothesis, _data, peak_nG):
        def response(assumed):
            built.append(assumed)
            return Response(study.experiment, assumed, 1e-3, 0.2)

        return hypothesis_of(study, hypothesis, response, peak_nG=peak_nG(study)), None

    monkeypatch.setattr(hypotheses, "checked", checked)
    data, table = observation(study), study.oscillation
    baselines = set()
    for hypothesis in HYPOTHESES:
        likelihood, _ = likelihood_of(study, hypothesis)
        assert isinstance(likelihood, Likelihood)
        assert np.array_equal(likelihood.data.vector, data.field_nG)
        assert (built[-1].ordering, built[-1].nature) == hypothesis
        marginals = likelihood.prior.marginals
        for name in ("sin2_12", "sin2_13", "dm2_21", "dm2_3l"):
            assert marginals[name].mean == table.values[hypothesis.ordering][name]
            assert marginals[name].sd == table.sigmas[hypothesis.ordering][name]
            assert getattr(built[-1], name) == marginals[name].mean
        phases = 3 if hypothesis.nature == "majorana" else 1
        assert len(likelihood.prior.circular) == phases
        baselines.add(marginals["baseline_nG"].sd)
    assert len(baselines) == 1  # what scales it is the study's, not the hypothesis's
    assert assumed(HYPOTHESES[1], study.parameters, study.oscillation) == study.parameters


class Faked:
    """Stands in for response and estimators: evidences by table, draws by chance."""

    def __init__(self, shift=0.0):
        self.calls, self.shift = [], shift

    def likelihood_of(self, study, hypothesis):
        self.hypothesis = hypothesis
        return likelihood_stub(hypothesis), 0.001

    def estimate(self, likelihood, estimator, settings, seed, tell):
        self.calls.append((self.hypothesis.name, estimator))
        z = 10.0 * HYPOTHESES.index(self.hypothesis) + self.shift * (estimator == "importance")
        vectors = likelihood.prior.sample(np.random.default_rng(seed), 40).reshape(2, 20, -1)
        dims = ("chain", "draw")
        statistics = xr.Dataset({"lp": (dims, np.zeros((2, 20)))}, attrs={"sampler": estimator})
        statistics["beta"] = (("chain", "stage"), np.array([[0.5, 1.0, np.nan], [0.2, 0.6, 1.0]]))
        raw = xr.Dataset({"log_weight": (("chain", "point"), np.zeros((2, 7)))})
        groups = {"renp_nested": raw} if estimator == "nested" else {}
        return Estimate(z, 0.1, vectors, statistics, groups)


def likelihood_stub(hypothesis):
    from tests.toys.response import (
        ToyResponse,
        observe,
        toy_angles,
        toy_prior,
        toy_truth,
    )

    prior = toy_prior(toy_truth(hypothesis.nature), inference_with())
    theta = toy_angles(5)
    return Likelihood(prior, ToyResponse(theta), observe(np.zeros(5), np.eye(5), theta))


@pytest.fixture
def faked(folder, monkeypatch):
    fake = Faked()
    monkeypatch.setattr(hypotheses, "likelihood_of", fake.likelihood_of)
    monkeypatch.setattr(hypotheses, "estimate", fake.estimate)
    return fake


@pytest.mark.slow
def test_compare_prints_the_contract_and_keeps_every_estimate(faked, folder, capsys):
    """Ragged stages of the chains included."""
    assert execute(["compare", "four.toml", "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["estimators"] == ["importance", "nested"]
    assert [(r["ordering"], r["nature"]) for r in found["hypotheses"]] == list(HYPOTHESES)
    assert [r["log_evidence"] for r in found["hypotheses"]] == [0.0, 10.0, 20.0, 30.0]
    assert found["hypotheses"][0]["log_evidence_error"] == pytest.approx(0.1 / np.sqrt(2.0))
    assert found["hypotheses"][3]["probability"] == pytest.approx(1.0, abs=1e-4)
    assert len(found["bayes_factors"]) == 6
    assert found["agreement"]["verdict"] == "pass"
    assert faked.calls == [(h.name, e) for h in HYPOTHESES for e in ("importance", "nested")]

    with xr.open_datatree(folder / "runs" / "four" / "compare.nc", engine="h5netcdf") as tree:
        assert set(tree.children) == {h.name for h in HYPOTHESES} | {
            "renp_evidence",
            "renp_provenance",
        }
        assert tree["renp_evidence"]["log_evidence"].values[:, 1].tolist() == [0, 10, 20, 30]
        for hypothesis in HYPOTHESES:
            for name in ("importance", "nested"):
                branch = tree[f"{hypothesis.name}/{name}"]
                assert branch["posterior"]["m1_meV"].dims == ("chain", "draw")
                beta = branch["sample_stats"]["beta"].values
                assert np.isnan(beta[0, 2])
                assert beta[1].tolist() == [0.2, 0.6, 1.0]
            assert "renp_nested" in tree[f"{hypothesis.name}/nested"].children


@pytest.mark.slow
def test_hypotheses_of_measured_data(faked, folder, capsys):
    """The option takes the place of the mock data, and every output names the file."""
    (folder / "own.csv").write_text("theta_s_deg,field_nG,error_nG\n141,1e-3,1e-5\n147,2e-3,1e-5")
    words = ["compare", "four.toml", "--data", "own.csv", "--json", "--quiet"]
    assert execute(words) == 0
    assert json.loads(capsys.readouterr().out)["data"] == "own.csv"
    assert execute(["compare", "four.toml", "--quiet", "--json", "--out", "mock"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == "mock"
    study = load_study("four.toml", data={"file": str(folder / "own.csv")})
    assert observation(study).field_nG.tolist() == [1e-3, 2e-3]


@pytest.mark.slow
def test_the_example_of_measured_data_by_command(folder, capsys):
    """The real chain, all estimators, and the evidence again from proposals of other draws."""
    file = share_path("data") / "examples" / "edge-layout.csv"
    command = ["compare", "edge-layout-normalised", "--data", str(file), "--json", "--quiet"]
    command += ["--set", 'compare.estimators=["importance","smc","nested"]']
    assert execute(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["data"] == "edge-layout.csv"
    study = load_study("edge-layout-normalised", data={"file": str(file)})
    for row, hypothesis in zip(found["hypotheses"], HYPOTHESES, strict=True):
        likelihood, _ = likelihood_of(study, hypothesis)
        other = evidence(likelihood, np.random.default_rng(1), 2000)
        error = np.hypot(row["log_evidence_error"], other.error)
        assert row["log_evidence"] == pytest.approx(other.log_z, abs=4.0 * error)
        again = evidence(likelihood, np.random.default_rng(2), 2000)
        spread = np.hypot(again.error, other.error)
        assert again.log_z == pytest.approx(other.log_z, abs=4.0 * spread)
        # what errors of chains do not know of
        for name, one in row["by_estimator"].items():
            unseen = 0.0 if name == "importance" else 0.1
            known = unseen + 3.0 * np.hypot(one["log_evidence_error"], other.error)
            assert one["log_evidence"] == pytest.approx(other.log_z, abs=known)
    # the data were drawn with normal ordering at 50 meV
    assert found["hypotheses"][0]["log_evidence"] > found["hypotheses"][2]["log_evidence"] + 5.0
    assert abs(found["m1_meV"]["mean"] - 50.0) < 4.0 * found["m1_meV"]["sd"]


@pytest.mark.slow
def test_what_changes_no_evidence_repeats_none(faked, capsys):
    assert execute(["compare", "four.toml", "--quiet", "--json"]) == 0
    before = len(faked.calls)
    capsys.readouterr()
    keys = ("compare.prior_odds.normal_dirac=0", "inference.draws=7", "compare.gate=9")
    words = [word for key in keys for word in ("--set", key)]
    assert execute(["compare", "four.toml", "--quiet", "--json", *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["hypotheses"][0]["probability"] == 0.0
    assert found["agreement"]["gate"] == 9.0
    assert len(faked.calls) == before
    assert execute(["compare", "four.toml", "--quiet", "--set", "compare.live_points=99"]) == 0
    assert len(faked.calls) == 2 * before


@pytest.mark.slow
def test_estimators_that_disagree_are_exit_3(faked, capsys):
    faked.shift = 0.7
    assert execute(["compare", "four.toml", "--quiet"]) == 3
    out, err = capsys.readouterr()
    assert "normal_dirac are 4.9 combined errors apart" in err
    assert max(map(len, out.splitlines())) <= 80
    for text in ("inverted", "majorana", "probability", "ln Bayes factor", "agreement: fail"):
        assert text in out


@pytest.mark.slow
def test_report_shows_the_comparison(folder, monkeypatch):
    fake = Faked()
    monkeypatch.setattr(hypotheses, "likelihood_of", fake.likelihood_of)
    monkeypatch.setattr(hypotheses, "estimate", fake.estimate)
    words = ["four.toml", "--quiet", "--set", "compare.estimators=['smc']"]
    assert execute(["compare", *words]) == 0
    run = commands.load_run(folder / "runs" / "four")
    assert run.get(CompareResult).comparison.agreement.verdict == "warn"
    assert run.verdicts["estimators"].lapse == "disagree"
    assert "most probable is inverted majorana, 1; estimators: warn" in verdict_of_hypotheses(run)
    assert execute(["report", "runs/four"]) == 0
    page = (folder / "runs" / "four" / "report.html").read_text()
    for text in ("Four hypotheses", "Bayes factors of all pairs", "Evidence of the four", "alone"):
        assert text in page


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ("compare.estimators=['smc','dynesty']", "compare.estimators"),
        ("compare.estimators=[]", "compare.estimators"),
        ("compare.live_points=3", "compare.live_points"),
        ("compare.prior_odds.normal_dirac=-1", "compare.prior_odds.normal_dirac"),
        ("compare.prior_odds.normal=1", "compare.prior_odds.normal"),
        ("compare.gate=0", "compare.gate"),
        ("inference.sampler=gibbs", "inference.sampler"),
        ("inference.cross_check=gibbs", "inference.cross_check"),
    ],
)
def test_wrong_settings_name_their_key(folder, capsys, setting, path):
    assert execute(["compare", "four.toml", "--set", setting]) == 2
    assert capsys.readouterr().err.startswith(f"renp: {path}: ")
    assert not (folder / "runs").exists()


def test_odds_of_nothing_are_refused(folder, capsys):
    names = [h.name for h in HYPOTHESES]
    words = [w for n in names for w in ("--set", f"compare.prior_odds.{n}=0")]
    assert execute(["compare", "four.toml", *words]) == 2
    assert capsys.readouterr().err.startswith("renp: compare.prior_odds: ")
