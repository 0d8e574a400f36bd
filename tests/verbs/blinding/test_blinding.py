"""Blinded runs: what is published, that nothing else is, and that unblinding is the plain run."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import logging
import re
import stat
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import xarray as xr

import renp_infer as renp
from renp_infer.app.cli import execute
from renp_infer.engine.result import load_tree
from renp_infer.engine.tasks import Context, Task
from renp_infer.explorer.state import open_study
from renp_infer.inference.knowledge.quantities import Quantities
from renp_infer.inference.results.comparison import HYPOTHESES
from renp_infer.study.blinding import OF_DATA, Seal, Secret, read_key, write_key
from renp_infer.study.load import load_study
from renp_infer.verbs.compare import blinded as compare_blinded
from renp_infer.verbs.compare.verb import COMPARE
from renp_infer.verbs.hidden import BLINDED, hidden, secret_in
from renp_infer.verbs.infer import blinded
from renp_infer.verbs.infer.blinded import HIDDEN_MASSES
from tests.toys.leaks import document, leaks, leaks_in_text

STUDY = {
    "schema": 1,
    "name": "small",
    "neutrino": {"m1_meV": 70.0},
    "physics": {"preset": "corrected"},
    "layout": {"theta_s_deg": {"start": 138.0, "stop": 148.0, "points": 15}},
    "lasers": {"chi_squared": 1e-3},
    "detector": {"reference_snr": 300.0},
    "inference": {"sampler": "independence", "draws": 150, "chains": 2, "tune": 100},
    "compare": {"estimators": ["nested"], "live_points": 50, "nested_runs": 2,
                "prior_odds": {"normal_dirac": 3.0}},
}  # fmt: skip
VERBS = ("infer", "compare")
WIDTH = 120.0


def write(path: Path, **sections: object) -> str:
    path.write_text(tomli_w.dumps(STUDY | sections))
    return str(path)


def tried(verb: str, *words: object) -> int:
    return execute([verb, *map(str, words)])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Measured data, a key, and studies with and without blinding."""
    home = tmp_path_factory.mktemp("blinding")
    mock = write(home / "mock.toml")
    assert tried("simulate", mock, "--save", home / "field.csv") == 0
    assert tried("blind-key", home / "secret.key") == 0
    data = {"data": {"file": "field.csv"}}
    write(home / "plain.toml", **data)
    write(home / "blind.toml", **data, blinding={"key": "secret.key", "width_meV": WIDTH})
    return home


@pytest.fixture(scope="module")
def joint_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of two data sets, of a crystal each."""
    home = tmp_path_factory.mktemp("joint")
    sets = [{"name": "first"}, {"name": "second", "crystal": "b", "layout": {"length_cm": 1.0}}]
    mock = write(home / "mock.toml", data=sets)
    assert tried("simulate", mock, "--save", home / "all.csv") == 0
    (home / "all-first.csv").rename(home / "field.csv")
    data = [sets[0] | {"file": "field.csv"}, sets[1] | {"file": "all-second.csv"}]
    assert tried("blind-key", home / "secret.key") == 0
    write(home / "plain.toml", data=data)
    write(home / "blind.toml", data=data, blinding={"key": "secret.key", "width_meV": WIDTH})
    return home


def secret_at(home: Path) -> Secret:
    return secret_in(load_study(home / "blind.toml"))


@functools.cache
def done(home: Path, verb: str) -> str:
    """A verb done plainly and blinded; what the blinded one, and all that read it, said."""
    output, run, plain = io.StringIO(), home / f"blind-{verb}", home / f"plain-{verb}"
    with contextlib.redirect_stdout(output):
        assert tried(verb, home / "plain.toml", "--out", plain, "--quiet", "--json") in (0, 3)
    (plain / "said.json").write_text(output.getvalue())
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        for words in (("--progress", "json"), ("--json",)):
            assert tried(verb, home / "blind.toml", "--out", run, *words) in (0, 3)
        for other in ("status", "cite"):
            assert tried(other, run) == 0
        assert tried("report", run, "--figures", "csv,svg") == 0
        assert tried("export", run, "--to", "csv", "--out", home / f"csv-{verb}") == 0
    return output.getvalue()


@pytest.fixture(
    params=[
        ("place", "infer"),
        pytest.param(("place", "compare"), marks=pytest.mark.slow),
        pytest.param(("joint_place", "infer"), marks=pytest.mark.slow),
    ],
    ids=["infer", "compare", "joint"],
)
def made(request: pytest.FixtureRequest) -> tuple[Path, str, str]:
    """Both verbs that hide, and several data sets: folder, name, what was said."""
    where, verb = request.param
    home: Path = request.getfixturevalue(where)
    return home, verb, done(home, verb)


@pytest.fixture
def posterior(place: Path) -> Path:
    done(place, "infer")
    return place


def hidden_numbers(home: Path, verb: str) -> dict[str, float]:
    """What the plain run says and the blinded one must not, and the offsets."""
    secret = secret_at(home)
    offsets = {
        f"offset {name}": secret.offset(name, slope * WIDTH)
        for name, slope in HIDDEN_MASSES.items()
    }
    plain = home / f"plain-{verb}" / f"{verb}.nc"
    found = dict(offsets)
    if verb == "infer":
        summary = document(plain, "renp_summary")["parameters"]
        for name in (*HIDDEN_MASSES, "mass_1_meV", "mass_2_meV", "mass_3_meV"):
            row = summary.get(name)
            if row is None:
                continue
            for key in ("mean", "median", "upper_90", "upper_95"):
                found[f"{name} {key}"] = row[key]
            for key in ("interval_68", "interval_95"):
                found |= {f"{name} {key} {k}": value for k, value in enumerate(row[key])}
            if row["sd"] != summary["m1_meV"]["sd"]:  # that of the lightest mass is published
                found[f"{name} sd"] = row["sd"]
        tree = load_tree(plain)
        draws = tree["posterior"]["m1_meV"].values.ravel()
        found |= {f"draw {k}": float(draws[k]) for k in (0, 7, -1)}
        terms = tree["log_likelihood"]["field_nG"].values
        found["log-likelihood of a draw"] = float(terms[0, 0, 3])
        if (plain.parent / "sets.json").exists():
            for name, one in json.loads((plain.parent / "sets.json").read_text())["sets"].items():
                row = one["parameters"]["m1_meV"]
                found |= {f"{key} of {name}": row[key] for key in ("mean", "median", "sd")}
    else:
        comparison = renp.open_run(plain.parent).results["compare"].comparison
        for row in (comparison, *comparison.hypotheses):
            name = getattr(row, "name", "averaged")
            found |= {f"{name} {key}": getattr(row.m1_meV, key) for key in ("mean", "median", "sd")}
    return found


def published(home: Path, verb: str) -> float:
    """The one width that is told: of the lightest mass."""
    if verb == "compare":
        return np.nan
    summary = document(home / f"plain-{verb}" / "infer.nc", "renp_summary")
    return float(summary["parameters"]["m1_meV"]["sd"])


def apart_from(told: float, secrets: dict[str, float]) -> dict[str, float]:
    """Secrets but those that a text with two decimals cannot tell from what is told."""
    return {name: value for name, value in secrets.items() if f"{value:.2f}" != f"{told:.2f}"}


def test_no_file_and_no_word_of_a_blinded_run_holds_a_value_or_an_offset(made) -> None:
    home, verb, said = made
    secrets = hidden_numbers(home, verb)
    assert leaks(home / f"blind-{verb}", secrets) == []
    assert leaks(home / f"csv-{verb}", secrets) == []
    assert leaks_in_text(said, apart_from(published(home, verb), secrets)) == []
    key = read_key(home / "secret.key", "key").hex()
    for path in (home / f"blind-{verb}").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert key.encode() not in content and bytes.fromhex(key) not in content


def test_the_search_finds_what_there_is(made, tmp_path) -> None:
    """In the plain run every value; an offset where it is planted, in text and in bytes."""
    home, verb, _ = made
    secrets = hidden_numbers(home, verb)
    values = {name: v for name, v in secrets.items() if not name.startswith("offset")}
    found = {name for name, _ in leaks(home / f"plain-{verb}", values)}
    assert found == set(values)
    for k, (name, value) in enumerate(secrets.items()):
        (tmp_path / f"{k}.txt").write_text(f"it was {value:.8g} meV")
        (tmp_path / f"{k}.bin").write_bytes(b"." + np.float32(value).tobytes())
        assert (name, f"{k}.txt") in leaks(tmp_path, {name: value})
        assert (name, f"{k}.bin") in leaks(tmp_path, {name: value})
        assert leaks_in_text(f"m1 = {value:.5g} meV", {name: value}) == [name]


def test_what_is_published_is_the_value_with_its_offset(posterior) -> None:
    home, secret = posterior, secret_at(posterior)
    published = document(home / "blind-infer" / "infer.nc", BLINDED)
    plain = document(home / "plain-infer" / "infer.nc", "renp_summary")["parameters"]
    assert set(published["masses"]) <= set(HIDDEN_MASSES)
    for name, row in published["masses"].items():
        expected = plain[name]["mean"] + secret.offset(name, HIDDEN_MASSES[name] * WIDTH)
        assert row["blinded_mean"] == pytest.approx(expected, rel=1e-12)
    assert published["masses"]["m1_meV"]["sd"] == plain["m1_meV"]["sd"]
    assert all(row["sd"] is None for n, row in published["masses"].items() if n != "m1_meV")
    checks = document(home / "plain-infer" / "infer.nc", "renp_checks")
    assert published["posterior_p"] == checks["posterior_p"]
    rows = checks["impact"]["nuisances"]
    assert published["nuisances"]["amplitude"] == {
        "pull": rows["amplitude"]["pull"], "width": rows["amplitude"]["width"]
    }  # fmt: skip
    blind = load_tree(home / "blind-infer" / "infer.nc")
    whole = load_tree(home / "plain-infer" / "infer.nc")
    assert set(blind.children) == {"renp_checks", "renp_provenance"}
    assert np.array_equal(blind["renp_checks"]["pull"], whole["renp_checks"]["pull"])


def test_letters_are_given_by_the_key_and_seeds_are_those_of_the_plain_run(
    place, monkeypatch
) -> None:
    """With evidences of our own in the place of sampling."""
    seen = []

    def estimate(_study: object, task: Task, _context: object) -> xr.DataTree:
        seen.append((task.index, task.base))
        tree = xr.DataTree()
        tree.attrs = {"log_evidence": -2.0 * task.index, "log_evidence_error": 0.1}
        return tree

    monkeypatch.setattr(compare_blinded, "estimate_one", estimate)
    study, plain = (load_study(place / f"{how}.toml") for how in ("blind", "plain"))
    series = COMPARE.series(study)
    found = COMPARE.perform(study, series.task(0), Context())
    base = COMPARE.series(plain).base
    assert seen == [(k, base) for k in range(4)] and series.count == 1
    rows = json.loads(found.attrs[BLINDED])["rows"]
    order = secret_at(place).order("hypotheses", 4)
    assert [row["log_evidence"] for row in rows] == pytest.approx([-2.0 * k for k in order])
    assert set(rows[0]) == {
        "letter", "log_evidence", "log_evidence_error", "by_estimator", "probability"
    }  # fmt: skip
    assert set(found.attrs) == {BLINDED} and not found.children


@pytest.mark.slow
def test_hypotheses_stand_in_the_order_of_the_key(place) -> None:
    home = place
    done(home, "compare")
    rows = document(home / "blind-compare" / "compare.nc", BLINDED)["rows"]
    table = load_tree(home / "plain-compare" / "compare.nc")["renp_evidence"]["log_evidence"].values
    order = secret_at(home).order("hypotheses", len(HYPOTHESES))
    found = [row["log_evidence"] for row in rows]
    assert found == pytest.approx([float(table[k, 0]) for k in order], rel=1e-12)
    assert [row["letter"] for row in rows] == list("ABCD")
    shares = np.exp(table[order, 0] - table.max())  # odds of the study, 3 : 1, play no part
    expected = (shares / shares.sum()).tolist()
    assert [row["probability"] for row in rows] == pytest.approx(expected, rel=1e-9)
    manifest = json.loads((home / "blind-compare" / "manifest.json").read_text())
    assert manifest["tasks"]["compare"]["tasks"] == 1  # one time of all evidences together
    assert not [one.name for one in HYPOTHESES if one.name in json.dumps(rows)]


@pytest.mark.slow
def test_unblinding_is_the_plain_run_bit_for_bit_and_is_recorded(made, capsys) -> None:
    home, verb, _ = made
    run = home / f"blind-{verb}"
    before = (run / f"{verb}.nc").read_bytes()
    assert tried("unblind", run, "--key", home / "secret.key", "--who", "Ada", "--quiet") in (0, 3)
    assert "results:" in capsys.readouterr().out
    opened = load_tree(run / "unblinded" / f"{verb}.nc")
    plain = load_tree(home / f"plain-{verb}" / f"{verb}.nc")
    assert "[blinding]" not in (run / "unblinded" / "study.resolved.toml").read_text()
    for group in plain.subtree:
        if "renp_provenance" not in group.path:
            twin = opened[group.path].to_dataset(inherit=False)
            assert twin.identical(group.to_dataset(inherit=False)), group.path
    alone = "sets.json"
    if (home / f"plain-{verb}" / alone).exists():
        assert not (run / alone).exists()
        texts = [
            (where / alone).read_text() for where in (run / "unblinded", home / f"plain-{verb}")
        ]
        assert texts[0] == texts[1]
    lines = [json.loads(line) for line in (run / "unblinded.jsonl").read_text().splitlines()]
    assert [(line["event"], line["who"], line["verbs"]) for line in lines] == [
        ("begun", "Ada", [verb]), ("done", "Ada", [verb])
    ]  # fmt: skip
    assert all("physics" in line["version"] and line["when"] for line in lines)
    assert len(lines[1]["files"][f"{verb}.nc"]) == 64
    assert (run / f"{verb}.nc").read_bytes() == before


@pytest.mark.parametrize("verb", ["reweight", "export"])
def test_verbs_that_read_a_posterior_refuse(posterior, verb, capsys, tmp_path) -> None:
    more = ["--with", "katrin-2025"] if verb == "reweight" else ["--to", "getdist"]
    words = [*more, "--out", tmp_path / "x"]
    assert tried(verb, posterior / "blind-infer", *words) == 2
    assert "a run that is not blinded; renp unblind RUN" in capsys.readouterr().err


def test_another_key_and_changed_data_are_refused(made, capsys, tmp_path) -> None:
    home, verb, _ = made
    run = home / f"blind-{verb}"
    write_key(tmp_path / "other.key")
    assert tried("unblind", run, "--key", tmp_path / "other.key") == 2
    assert "--key: got" in capsys.readouterr().err
    assert tried("unblind", home / f"plain-{verb}", "--key", home / "secret.key") == 2
    assert "a run of a study with a section [blinding]" in capsys.readouterr().err
    key = ("--key", home / "secret.key")
    assert tried("unblind", run, *key, "--set", "neutrino.m1_meV=1") == 2
    assert tried("unblind", run, *key, "--shard", "0/2") == 2
    assert "unblinding changes nothing of a study" in capsys.readouterr().err
    assert tried("unblind", run, *key, "--who", "a\nb") == 2
    assert tried("merge", run, run, "--out", tmp_path / "merged") == 2
    assert "nothing with renp merge" in capsys.readouterr().err
    (changed,) = (run / "inputs").rglob("field.csv")
    kept = changed.read_text()
    try:
        changed.write_text(kept + "\n")
        assert tried("unblind", run, "--key", home / "secret.key") == 4
        assert "is not what the manifest says" in capsys.readouterr().err
    finally:
        changed.write_text(kept)
    study = write(home / "other.toml", data={"file": "field.csv"}, name="small",
                  blinding={"key": str(tmp_path / "other.key")})  # fmt: skip
    assert tried(verb, study, "--out", run) == 2
    assert f"the key with which {run} was blinded" in capsys.readouterr().err


def test_what_is_refused_before_anything_is_written(place, capsys, tmp_path) -> None:
    blinding = {"key": str(place / "secret.key")}
    data = {"file": str(place / "field.csv")}
    with pytest.raises(renp.ConfigError, match=r"blinding: got a table.*measured data"):
        load_study(STUDY | {"blinding": blinding})
    with pytest.raises(
        renp.ConfigError, match=r"blinding.*measured data.*data\[1\] without a file"
    ):
        sets = [{"name": "a", **data}, {"name": "b"}]
        load_study(STUDY | {"data": sets, "blinding": blinding})
    with pytest.raises(renp.ConfigError, match=r"blinding.width_meV: got 0"):
        load_study(STUDY | {"data": data, "blinding": blinding | {"width_meV": 0}})
    with pytest.raises(renp.ConfigError, match=r"blinding.key: got nothing"):
        load_study(STUDY | {"data": data, "blinding": {}})
    out = tmp_path / "run"
    (place / "field.csv").chmod(0o644)
    for key, word in ((tmp_path / "none.key", "No such file"), (tmp_path, "no regular file"),
                      (place / "field.csv", "a file that only its owner may read")):  # fmt: skip
        study = write(tmp_path / "a.toml", data=data, blinding={"key": str(key)})
        assert tried("infer", study, "--out", out) == 2
        assert word in capsys.readouterr().err
    study = write(tmp_path / "a.toml", data=data, blinding=blinding)
    assert tried("infer", study, "--out", place) == 2  # which the key is in
    assert "a file outside of the run directory" in capsys.readouterr().err
    assert tried("infer", study, "--out", out, "--shard", "0/2") == 2
    assert "what is hidden is one task" in capsys.readouterr().err
    words = ("--what", "infer", "--over", "neutrino.m1_meV=10,20")
    assert tried("scan", study, *words, "--out", out) == 2
    assert "blinding: got a table; allowed: nothing with renp scan" in capsys.readouterr().err
    assert tried("scan", study, "--profile", "m1_meV,amplitude", "--out", out) == 2
    assert not out.exists()
    assert "data" not in open_study(study).tables  # the explorer has no measured data to show
    with pytest.raises(renp.ConfigError, match=r"blinding.*likelihood"):
        renp.likelihood(load_study(study))
    with pytest.raises(renp.ConfigError, match=r"blinding.*likelihood"):
        renp.model(load_study(study))


def test_a_key_is_closed_to_others_and_no_file_is_overwritten(tmp_path, capsys) -> None:
    path = tmp_path / "a.key"
    write_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = read_key(path, "key")
    assert len(first) == 32
    assert tried("blind-key", path) == 2
    assert "a new file" in capsys.readouterr().err
    write_key(tmp_path / "b.key")
    assert read_key(tmp_path / "b.key", "key") != first
    path.chmod(0o640)
    with pytest.raises(renp.ConfigError, match="chmod 600"):
        read_key(path, "key")
    path.chmod(0o600)
    path.write_text("renp-infer blinding key 1\nabc\n")
    with pytest.raises(renp.ConfigError, match="renp blind-key has made"):
        read_key(path, "key")


def test_offsets_are_gaussian_independent_and_of_the_data() -> None:
    widths = [Secret(bytes([k]) * 32, "data").offset("m1_meV", 3.0) for k in range(256)]
    assert np.std(widths) == pytest.approx(3.0, rel=0.15)  # 3 errors of a deviation of 256
    assert abs(np.mean(widths)) < 4.0 * 3.0 / 16.0
    one = Secret(bytes(32), "question")
    assert one.offset("m1_meV", 2.0) == 2.0 * one.offset("m1_meV", 1.0)
    assert one.offset("m1_meV", 1.0) != one.offset("sum_meV", 1.0)
    assert one.offset("m1_meV", 1.0) != Secret(bytes(32), "other").offset("m1_meV", 1.0)
    orders = {tuple(Secret(bytes([k]) * 32, "d").order("hypotheses", 4)) for k in range(200)}
    assert len(orders) == 24
    assert "00" * 8 not in repr(one) and "\\x00" not in repr(one)


@pytest.mark.parametrize("ordering", ["normal", "inverted"])
def test_all_offsets_together_hide_as_one_of_half_the_width(ordering) -> None:
    """m1 by the best linear estimate from what is published, over keys, masses and phases."""
    keys = [Secret(k.to_bytes(32, "big"), "data") for k in range(1500)]
    sign = 1.0 if ordering == "normal" else -1.0
    known = {"sin2_12": 0.308, "sin2_13": 0.02215, "dm2_21": 7.49e-5, "dm2_3l": sign * 2.513e-3}
    offsets = np.array(
        [[key.offset(n, slope * WIDTH) for n, slope in HIDDEN_MASSES.items()] for key in keys]
    )
    sds, best = np.array(list(HIDDEN_MASSES.values())) * WIDTH, []
    for phase in (0.0, 180.0):
        angles = {"delta_deg": 0.0, "alpha21_deg": phase, "alpha31_deg": phase}
        for mass in (1.0, 50.0, 400.0):
            values = known | angles | {"m1_meV": mass + 1e-20j}
            every = values | Quantities(ordering, "majorana").of(values)
            slopes = np.array([np.imag(every[name]) for name in HIDDEN_MASSES]) / 1e-20
            assert np.all(np.abs(slopes) <= np.array(list(HIDDEN_MASSES.values())) + 1e-12)
            weights = slopes / sds**2
            estimates = offsets @ weights / (weights @ slopes)  # less the truth
            alone = offsets / np.where(slopes == 0.0, np.nan, slopes)
            best.append(np.std(estimates))
            assert np.nanmin(np.std(alone, axis=0)) > 0.95 * WIDTH
    assert min(best) > 0.95 * WIDTH / 2.0
    assert min(best) < 1.1 * WIDTH / 2.0  # the mass by all four where they move most


OTHER_QUESTIONS: dict[str, dict[str, object]] = {
    "a prior that pins the mass": {
        "inference": {"priors": {"m1_meV": {"kind": "uniform", "low": 30.0, "high": 30.01}}}
    },
    "a constraint": {"constraints": {"use": ["katrin-2025"]}},
    "physics": {"physics": {"preset": "corrected", "majorana_kappa": 0.9}},
    "layout": {"layout": STUDY["layout"] | {"length_cm": 1.9}},
    "errors of the apparatus": {"inference": {"baseline_sd": 0.05}},
    "another hypothesis": {"neutrino": {"m1_meV": 70.0, "ordering": "inverted"}},
}
SAME_QUESTION: dict[str, dict[str, object]] = {
    "sampler": {"inference": {"sampler": "nuts", "draws": 77, "chains": 3, "tune": 50}},
    "cross-check": {"inference": {"cross_check": "emcee"}},
    "seed": {"seed": 99},
    "name": {"name": "another"},
    "odds": {"compare": {"prior_odds": {"normal_dirac": 2.0}}},
    "a further task": {"calibrate": {}},
}


def asked_with(home: Path, tmp_path: Path, change: dict[str, object]) -> Secret:
    """Secret of the blinded study with sections changed."""
    blinding = {"key": str(home / "secret.key"), "width_meV": WIDTH}
    own = {"data": {"file": str(home / "field.csv")}, "blinding": blinding} | change
    own["inference"] = STUDY["inference"] | change.get("inference", {})  # type: ignore[operator]
    path = write(tmp_path / "a.toml", **own)
    return secret_in(load_study(path))


@pytest.mark.parametrize("what", OTHER_QUESTIONS)
def test_another_question_has_other_offsets_and_another_order(place, tmp_path, what) -> None:
    """Else it tells what the first one hides: with a mass that is pinned, the offset itself."""
    first, second = secret_at(place), asked_with(place, tmp_path, OTHER_QUESTIONS[what])
    for name in HIDDEN_MASSES:
        assert abs(first.offset(name, WIDTH) - second.offset(name, WIDTH)) > 1e-3
    assert first.order("hypotheses", 400) != second.order("hypotheses", 400)


@pytest.mark.parametrize("what", SAME_QUESTION)
def test_the_same_question_keeps_its_offsets(place, tmp_path, what) -> None:
    first, second = secret_at(place), asked_with(place, tmp_path, SAME_QUESTION[what])
    assert first.offset("m1_meV", WIDTH) == second.offset("m1_meV", WIDTH)
    assert first.order("hypotheses", 400) == second.order("hypotheses", 400)


def test_a_copy_of_the_data_under_another_name_is_the_same_question(place, tmp_path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_text((place / "field.csv").read_text() + "\n")
    found = asked_with(place, tmp_path, {"data": {"file": str(copy)}})
    assert found.question == secret_at(place).question


def test_shifts_between_questions_tell_nothing(place, tmp_path) -> None:
    """Of the ratio of the shifts of two masses, which is a derivative, and of an offset."""
    other = OTHER_QUESTIONS["a constraint"]
    questions = [secret_at(place).question, asked_with(place, tmp_path, other).question]
    secrets = [[Secret(bytes([k]) * 32, what) for what in questions] for k in range(256)]
    offsets = np.array(
        [[s.offset(name, 1.0) for s in pair for name in ("m1_meV", "sum_meV")] for pair in secrets]
    )
    apart = np.corrcoef(offsets.T) - np.eye(4)
    assert np.max(np.abs(apart)) < 4.0 / np.sqrt(256)


def test_no_open_answer_is_put_beside_a_hidden_one(posterior, capsys) -> None:
    run = posterior / "blind-infer"
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert tried("infer", posterior / "plain.toml", "--out", run) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "a directory without a blinded run" in said and "--force puts the open" in said
    with pytest.raises(renp.ConfigError, match=r"a directory without a blinded run"):
        renp.infer(load_study(posterior / "plain.toml"), out=run)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_an_older_seal_is_refused_and_an_older_answer_told(posterior, capsys, tmp_path) -> None:
    """Offsets that a second question shares."""
    run = posterior / "blind-infer"
    kept = json.loads((run / "blinding.json").read_text())
    assert Seal.of(kept) == Seal.of(kept | {"offsets": "question"})
    del kept["offsets"]
    assert Seal.of(kept).offsets == OF_DATA
    old = json.loads(load_tree(run / "infer.nc").attrs[BLINDED])
    del old["offsets"]
    tree = load_tree(run / "infer.nc")
    tree.attrs[BLINDED] = json.dumps(old)
    assert blinded.BlindedFit.of(tree).verdicts()["offsets"].verdict == "warn"


def test_a_fit_that_fails_leaves_no_word_of_why(posterior, monkeypatch, capsys, tmp_path) -> None:
    def broken(*_: object) -> None:
        raise renp.NonFiniteError("response", "nan", {"m1_meV": 71.2345})

    monkeypatch.setattr(blinded, "infer", broken)
    words = (posterior / "blind.toml", "--out", tmp_path / "run")
    assert tried("infer", *words) == 4
    said = capsys.readouterr()
    assert "a blinded fit failed (NonFiniteError" in said.err
    with pytest.raises(renp.TaskError) as caught:
        tried("infer", *words, "--debug")
    whole = said.err + said.out + str(caught.value.__notes__)
    assert "71.2345" not in whole
    assert leaks(tmp_path / "run", {"m1": 71.2345}) == []


def test_an_error_within_tells_its_class_alone(monkeypatch, capfd) -> None:
    with pytest.raises(renp.BlindedError) as caught, hidden():
        print("m1 = 71.234")  # noqa: T201
        logging.getLogger("pymc").error("m1 = 71.234")
        warnings.warn("m1 = 71.234", stacklevel=1)
        raise renp.NonFiniteError("response", "nan", {"m1_meV": 71.234})
    assert "NonFiniteError" in str(caught.value)
    text = "".join(traceback.format_exception(caught.value)) + "".join(capfd.readouterr())
    lines = [line for line in text.splitlines() if "71.234" in line]
    assert all(re.search(r"print|getLogger|warn\(|raise", line) for line in lines)  # our own source
    assert logging.root.manager.disable == logging.NOTSET
