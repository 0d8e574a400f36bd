"""Verbs, exit codes, and what goes to which stream."""

import json
import math
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from renp_infer.app import commands
from renp_infer.app.cli import execute
from renp_infer.engine import driver
from renp_infer.engine.store import Store
from renp_infer.errors import ConvergenceError, NonFiniteError, TaskError
from renp_infer.files import digest
from renp_infer.terminal import document, plain, show
from renp_infer.verbs.calibrate.result import CalibrateResult
from renp_infer.verbs.evaluate import work as evaluation
from renp_infer.verbs.evaluate.coherence import Coherence
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.evaluate.tables import unphysical
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.infer.summary import summary_table
from tests.toys.runs import make_evaluation, make_run, with_evaluation, with_result

STUDY = 'schema = 1\nname = "short"\n[layout]\ntheta_s_deg = [50.0, 60.0]\n'
COUNT = {"evaluate": 0}


def fake_evaluation(_experiment: Any, _parameters: Any, name: str) -> EvaluateResult:
    """Stand in for the physics: the same shape, no work."""
    COUNT["evaluate"] += 1
    sys.stdout.write("a library that talks\n")
    known = make_evaluation("seed", "published", 50.0, 20.0, False)
    columns = {
        "theta_s_deg": [50.0, 60.0],
        "rate_per_s": [1.0, 2.0],
        "signal_nG": [1.0, 2.0],
        "sigma_nG": [0.1, 0.1],
    }
    return EvaluateResult.of(known | {"name": name} | columns)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one study, physics and report replaced."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(evaluation, "evaluate", fake_evaluation)
    monkeypatch.setattr(commands, "_report", lambda _runs, top, *_formats: top / "report.html")
    COUNT["evaluate"] = 0
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def contents(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize(
    "verb", ["run", "evaluate", "simulate", "infer", "compare", "report", "status"]
)
@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["study.toml", "--set", "neutrino.m1_mev=1"], "neutrino.m1_mev"),
        (["study.toml", "--set", "neutrino.m1_meV=900"], "neutrino.m1_meV"),
        (["study.toml", "--set", "nonsense"], "--set"),
        (["study.toml", "--executor", "processes:0"], "--executor"),
        (["study.toml", "--shard", "2/2"], "--shard"),
        (["stduy.toml"], "stduy.toml"),
        (["study.toml", "--no-such-option"], "command line"),
    ],
)
def test_wrong_input_is_one_line_exit_2_and_nothing_written(
    folder: Path, capsys: pytest.CaptureFixture[str], verb: str, words: list[str], path: str
) -> None:
    assert execute([verb, *words, "--out", "results"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"renp: {path}: ")
    assert err.count("\n") == 1
    assert contents(folder) == ["study.toml"]


@pytest.mark.parametrize("verb", ["evaluate", "run", "infer"])
@pytest.mark.parametrize("out", ["study.toml", "study.toml/below"])
def test_an_output_directory_that_cannot_be_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], verb: str, out: str
) -> None:
    assert execute([verb, "study.toml", "--out", out]) == 2
    assert capsys.readouterr().err.startswith("renp: --out: ")
    assert contents(folder) == ["study.toml"]


@pytest.mark.parametrize("words", [["evalute", "study.toml"], ["evaluate"], ["run"]])
def test_a_wrong_command_line_is_exit_2(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert execute(words) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["sequential", "study.toml"], "renp optimize STUDY --sequential"),
        (["status", "absent"], "run directories, or study files and names of shipped studies"),
        (["status", "study.toml", "."], "run directories, or study files"),
    ],
)
def test_what_is_asked_wrongly_is_told_how_to_ask(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], hint: str
) -> None:
    assert execute(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert hint in line


def test_an_unknown_verb_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["evalute", "x.toml"]) == 2
    assert '"evaluate"' in capsys.readouterr().err


def test_control_characters_in_keys_stay_on_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "study.toml").write_text(STUDY + '"a\\nb\\u001b" = 1\n')
    assert execute(["evaluate", "study.toml"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "\x1b" not in err


def test_json_is_one_document_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["evaluate", "study.toml", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["rate_per_s"] == [1.0, 2.0]
    assert "a library that talks" in err
    assert contents(folder) == ["study.toml"]


def test_without_json_evaluate_prints_a_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["evaluate", "study.toml"]) == 0
    out = capsys.readouterr().out
    assert "signal [nG]" in out
    assert max(map(len, out.splitlines())) <= 80


def test_evaluate_says_that_the_state_is_none() -> None:
    given = fake_evaluation(None, None, "x")
    numbers = dict.fromkeys((field.name for field in fields(Coherence)), 0)
    state = Coherence(**numbers | {"positive": False, "smallest_eigenvalue": -0.349})
    assert "eigenvalue of -0.349 < 0" in unphysical(replace(given, coherence=state))
    assert unphysical(replace(given, coherence=replace(state, positive=True))) == ""
    assert unphysical(given) == ""


def test_run_writes_the_directory_and_resumes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["run", "study.toml", "--quiet"]) == 0
    home = folder / "runs" / "short"
    names = {"study.toml", "study.resolved.toml", "evaluate.json", "progress.jsonl"}
    assert names | {"manifest.json"} <= {p.name for p in home.iterdir()}
    assert (home / "study.toml").read_text() == STUDY
    manifest = json.loads((home / "manifest.json").read_text())
    assert all(manifest["files"][name] == digest(home / name) for name in names)
    assert execute(["run", "study.toml", "--quiet"]) == 0
    assert COUNT["evaluate"] == 1
    assert execute(["run", "study.toml", "--quiet", "--set", "layout.length_cm=1"]) == 0
    assert COUNT["evaluate"] == 2
    (home / "evaluate.json").write_text("{}")
    assert execute(["run", "study.toml", "--quiet", "--set", "layout.length_cm=1"]) == 0
    assert COUNT["evaluate"] == 3
    assert execute(["run", "study.toml", "--set", "layout.length_cm=1", "--force"]) == 0
    assert COUNT["evaluate"] == 4
    assert "report.html" in capsys.readouterr().out


def test_several_studies_get_a_directory_each(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b.toml").write_text(STUDY.replace("short", "other"))
    assert execute(["run", "study.toml", "b.toml", "--out", "joint", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [r["directory"] for r in found["runs"]] == ["joint/short", "joint/other"]
    assert found["report"] == "joint/report.html"
    assert execute(["status", "joint", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["tasks"]
    assert [(r["name"], r["state"]) for r in rows] == [("other", "done"), ("short", "done")]
    assert execute(["report", "joint", "--json"]) == 0
    assert [r["name"] for r in json.loads(capsys.readouterr().out)["runs"]] == ["other", "short"]
    assert execute(["run", "study.toml", "study.toml", "--out", "twice"]) == 2
    assert not (folder / "twice").exists()


def test_status_tells_what_is_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def states(*words: str) -> list[str]:
        assert execute(["status", "study.toml", "--json", *words]) == 0
        return [row["state"] for row in json.loads(capsys.readouterr().out)["tasks"]]

    assert states() == ["to do"]
    execute(["run", "study.toml", "--quiet"])
    capsys.readouterr()
    assert states("--set", "inference.draws=9") == ["done", "to do"]
    assert states("--set", "layout.length_cm=1") == ["stale"]
    (folder / "runs" / "short" / "evaluate.json").write_text("{}")
    assert states() == ["altered"]


@pytest.mark.parametrize(
    ("error", "code", "lines", "word"),
    [
        (KeyboardInterrupt(), 130, 1, "resumes"),
        (ConvergenceError("integral", 1.0, 1e-4), 4, 1, "exceeds the promised"),
        (RuntimeError("two\nlines"), 4, 3, "evaluate: RuntimeError: two lines"),
    ],
)
def test_failures_are_one_line_and_leave_a_resumable_run(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    lines: int,
    word: str,
) -> None:
    def fail(*_: Any) -> dict[str, Any]:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "evaluate", fail)
        assert execute(["run", "study.toml"]) == code
    err = capsys.readouterr().err
    assert word in err
    assert "Traceback" not in err
    assert err.count("\n") == lines
    assert execute(["run", "study.toml"]) == 0


def test_debug_shows_the_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> dict[str, Any]:
        raise RuntimeError("broken")

    monkeypatch.setattr(evaluation, "evaluate", fail)
    with pytest.raises(RuntimeError, match="broken"):
        execute(["evaluate", "study.toml", "--debug"])
    with pytest.raises(TaskError, match="broken") as caught:
        execute(["run", "study.toml", "--debug"])
    assert "in fail" in caught.value.__notes__[0]


def test_a_locked_directory_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store(folder / "runs" / "short"):
        assert execute(["run", "study.toml"]) == 2
    assert "no other run" in capsys.readouterr().err


def inferred(verdict: str, **evaluation: Any) -> Any:
    name, preset = "seed-layout-corrected-normalised", "corrected"
    run = make_run(name=name, layout="seed", preset=preset, normalised=True, shape=(2, 9))
    tree = run.get(InferResult).tree
    summary = json.loads(tree.attrs["renp_summary"])
    m1 = {"mean": 50.01, "sd": 0.26, "interval_95": [49.5, 50.52], "truth": 50.0}
    summary["parameters"]["m1_meV"] |= m1
    summary["diagnostics"] = {"verdict": verdict, "reasons": ["R-hat 1.2"]}
    tree.attrs["renp_summary"] = json.dumps(summary)
    return with_evaluation(with_result(run, "infer", InferResult.of(tree)), **evaluation)


def test_the_last_table_fits_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    show(summary_table([inferred("pass"), inferred("fail", peak_snr=3.2e-20)]))
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    for text in ("50.01 ± 0.26", "49.50-50.52", "normalised", "1e+03", "3.2e-20", "fail"):
        assert text in out


def test_one_verdict_the_worst_in_table_and_document(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chains that are fine do not make up for a calibration that is not."""
    tree = xr.DataTree()
    failed = {"verdict": "fail", "reasons": ["ranks"], "name": "x", "data": "mock"}
    tree.attrs["renp_calibration"] = json.dumps(failed | {"false_alarm": 0.01})
    run = with_result(inferred("pass"), "calibrate", CalibrateResult.of(tree))
    assert run.verdict == "fail" and make_run(infer=False).verdict == "none"
    show(summary_table([run]))
    assert " fail" in capsys.readouterr().out
    monkeypatch.setattr(driver, "asked", lambda *_: run)
    assert execute(["infer", "study.toml", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "fail"
    assert found["hypotheses"][0]["diagnostics"]["verdict"] == "pass"


def test_infer_prints_one_hypothesis_and_a_failed_diagnostic_is_exit_3(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for verdict, code in (("pass", 0), ("warn", 0), ("fail", 3)):
        monkeypatch.setattr(driver, "asked", lambda *_, v=verdict: inferred(v))
        assert execute(["infer", "study.toml", "--json"]) == code
        (row,) = json.loads(capsys.readouterr().out)["hypotheses"]
        assert row["ordering"] == "normal"
        assert row["parameters"]["m1_meV"]["sd"] == 0.26
        assert row["diagnostics"]["verdict"] == verdict


def test_plain_values() -> None:
    import numpy as np

    value = {"a": np.array([1.0, np.inf]), "b": (np.int64(3), None), "c": np.bool_(True)}
    assert plain(value) == {"a": [1.0, np.inf], "b": [3, None], "c": True}


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_document_refuses_what_is_not_finite(wrong: float) -> None:
    value = {"truth": {"m1_meV": 50.0}, "rows": [{"x": [0.0, wrong]}]}
    with pytest.raises(NonFiniteError, match=r"rows\[0\]\.x\[1\].*m1_meV = 50"):
        document(value)


def test_cite_prints_bibtex(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["cite"]) == 0
    out = capsys.readouterr().out
    assert "10.1103/PhysRevD.104.115006" in out
    assert out.count("{") == out.count("}")


def test_help_appears_at_once() -> None:
    code = "import sys; sys.argv[0] = 'renp'; from renp_infer.app.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True
    )
    assert "evaluate" in done.stdout and "renp run study.toml --out" in done.stdout
    assert done.stderr == ""
