"""A run directory means the same wherever it is moved to."""

import json
import shutil
from pathlib import Path

import pytest

from renp_infer.app.cli import execute
from renp_infer.app.library import open_run
from renp_infer.resources import share_path
from renp_infer.study.load import load_study
from renp_infer.study.paths import absolute_path

STUDY = """schema = 1
name = "moved"
[neutrino]
oscillation = "tables/own oscillation.toml"
[target]
scheme = "schéma.toml"
[layout]
theta_s_deg = [50.0, 60.0]
[lasers]
chi_squared = 1e-3
[data]
file = "field.csv"
covariance = "covariance.csv"
[inference]
sampler = "emcee"
[constraints]
use = ["known.toml"]
"""
DATA = "theta_s_deg,field_nG\n52,1\n55,2\n"
COVARIANCE = "# units: nG^2\n1,0\n0,1\n"
KNOWN = """source = "a test"
date = "2026"
[[table]]
name = "grid"
quantities = ["m1_meV"]
file = "grid.csv"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with blanks and accents, where a run was made that evaluates."""
    folder = tmp_path / "über den Bergen"
    (folder / "tables").mkdir(parents=True)
    monkeypatch.chdir(folder)
    table = share_path("data") / "oscillation" / "nufit-6.0.toml"
    shutil.copy(table, "tables/own oscillation.toml")
    shutil.copy(share_path("models") / "targets" / "er-ylf.toml", "schéma.toml")
    Path("field.csv").write_text(DATA)
    Path("covariance.csv").write_text(COVARIANCE)
    rows = "\n".join(f"{m},{m * m}" for m in range(0, 500, 50))
    Path("grid.csv").write_text(f"m1_meV,chi_squared\n{rows}\n")
    Path("known.toml").write_text(KNOWN)
    Path("study.toml").write_text(STUDY)
    assert execute(["evaluate", "study.toml", "--out", "run", "--quiet"]) == 0
    return folder


def states(run: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    capsys.readouterr()
    assert execute(["status", run, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["tasks"]
    return {row["task"]: row["state"] for row in rows}


def test_a_run_that_was_moved_needs_nothing_from_elsewhere(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert states("run", capsys)["evaluate"] == "done"
    expected = Path("run/evaluate.json").read_bytes()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.move("run", moved / "a run")
    monkeypatch.chdir(moved)
    shutil.rmtree(home)
    assert states("a run", capsys)["evaluate"] == "done"
    assert execute(["report", "a run"]) == 0
    words = ["evaluate", "a run/study.resolved.toml", "--quiet"]
    assert execute([*words, "--out", "a run"]) == 0
    assert Path("a run/evaluate.json").read_bytes() == expected
    assert execute([*words, "--out", "again"]) == 0
    again, before = (open_run(name).evaluation["signal_nG"] for name in ("again", "a run"))
    assert again == before
    files = {path.name for path in Path("again/inputs").rglob("*") if path.is_file()}
    assert {"field.csv", "covariance.csv", "schéma.toml", "known.toml", "grid.csv"} < files


@pytest.mark.parametrize("name", ["field.csv", "grid.csv", "schéma.toml"])
def test_a_copy_that_was_altered_is_refused(
    home: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy,) = Path("run/inputs").rglob(name)
    copy.write_text(copy.read_text() + "\n")
    assert execute(["status", "run"]) == 4
    assert f"{copy} is not what the manifest says" in capsys.readouterr().err


def test_the_tilde_is_the_home_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert absolute_path(Path("/elsewhere"), "~/a b.csv") == str(tmp_path / "a b.csv")
    assert absolute_path(Path("/elsewhere"), "~nobody-of-this-name/x") == (
        "/elsewhere/~nobody-of-this-name/x"
    )
    (tmp_path / "own.toml").write_text(
        (share_path("data") / "oscillation" / "nufit-6.0.toml").read_text()
    )
    found = load_study("seed-layout-published", {"neutrino.oscillation": "~/own.toml"})
    assert found.resolved["neutrino"]["oscillation"] == str(tmp_path / "own.toml")


def test_keys_do_not_depend_on_where_files_lie(home: Path) -> None:
    from renp_infer.verbs.table import verbs_of

    given, kept = load_study("study.toml"), load_study("run/study.resolved.toml")
    for verb in verbs_of(given):
        assert verb.series(given).key == verb.series(kept).key


def test_options_of_jobs_may_have_blanks(home: Path) -> None:
    words = ["--sbatch=--comment=for a friend", "--sbatch=--exclusive", "--out", "jobs"]
    assert execute(["slurm", "study.toml", *words]) == 0
    text = Path("jobs/slurm-array.sh").read_text()
    assert "#SBATCH --comment='for a friend'\n#SBATCH --exclusive\n" in text
