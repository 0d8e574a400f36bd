"""Shards of a run: job arrays without a scheduler process, and how they are joined."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from renp_infer.app.cli import execute

STUDY = """schema = 1
name = "sharded"
[layout]
theta_s_deg = [50.0, 60.0, 70.0]
[lasers]
chi_squared = 1e-3
[simulate]
datasets = 4500
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def fields(path: Path) -> np.ndarray:
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return np.asarray(tree["observed_data"]["field_nG"].values)


def shard(k: int, n: int) -> int:
    words = ["simulate", "study.toml", "--quiet", "--shard", f"{k}/{n}", "--out", f"part{k}"]
    return execute(words)


def test_merged_shards_are_the_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "study.toml", "--quiet", "--out", "whole"]) == 0
    for k in range(3):
        assert (
            execute(["run", "study.toml", "--quiet", "--shard", f"{k}/3", "--out", f"part{k}"]) == 0
        )
        assert not (folder / f"part{k}" / "ensemble.nc").exists()
    assert execute(["merge", "part0", "part1", "part2", "--out", "joint", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["missing"] == []
    joint, whole = (fields(folder / home / "ensemble.nc") for home in ("joint", "whole"))
    assert np.array_equal(joint, whole)
    # the run is complete: nothing is left to do
    assert execute(["run", "study.toml", "--out", "joint"]) == 0
    err = capsys.readouterr().err
    assert "evaluate is done already" in err
    assert "ensemble is done already" in err


def test_what_is_missing_is_said_and_can_be_added(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shard(0, 3) == 0
    assert shard(1, 3) == 0
    assert execute(["merge", "part0", "part1"]) == 0
    assert "ensemble: 1 of 5 tasks are missing" in capsys.readouterr().out
    assert not (folder / "part0" / "ensemble.nc").exists()
    assert shard(2, 3) == 0
    assert execute(["merge", "part0", "part2"]) == 0
    assert (folder / "part0" / "ensemble.nc").is_file()


def test_a_damaged_shard_gives_what_is_whole(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for k in range(2):
        shard(k, 2)
    damaged = sorted((folder / "part1").rglob("*.nc"))[0]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert execute(["merge", "part0", "part1", "--out", "joint"]) == 0
    assert "1 of 5 tasks are missing" in capsys.readouterr().out


def test_different_results_for_the_same_task_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As from workers with other software: a hash that is right, of other content."""
    from renp_infer.files import digest

    shard(0, 5)
    assert execute(["simulate", "study.toml", "--shard", "0/5", "--out", "other", "--quiet"]) == 0
    (path,) = (folder / "other").rglob("000-*.nc")
    path.write_bytes(path.read_bytes() + b" ")
    manifest = path.parent / "manifest.jsonl"
    line = json.loads(manifest.read_text()) | {"sha256": digest(path)}
    manifest.write_text(json.dumps(line) + "\n")
    assert execute(["merge", "part0", "other"]) == 4
    assert "another result" in capsys.readouterr().err


def test_runs_of_different_studies_are_not_merged(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shard(0, 2)
    words = ["--set", "layout.length_cm=1", "--out", "other", "--quiet"]
    assert execute(["simulate", "study.toml", "--shard", "1/2", *words]) == 0
    assert execute(["merge", "part0", "other", "--out", "joint"]) == 2
    assert "'layout' differs" in capsys.readouterr().err
    assert not (folder / "joint").exists()


@pytest.mark.parametrize("words", [["merge"], ["merge", "study.toml"], ["merge", "a", "b"]])
def test_what_is_no_run_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert execute(words) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
def test_a_job_array_is_the_same_computation(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The scripts run as SLURM would run them, one element resubmitted."""
    assert execute(["run", "study.toml", "--quiet", "--out", "whole"]) == 0
    words = [
        "slurm",
        "study.toml",
        "--jobs",
        "2",
        "--sbatch=--time=01:00:00",
        "--out",
        "runs/array",
    ]
    assert execute(words) == 0
    home = folder / "runs" / "array"
    array = (home / "slurm-array.sh").read_text()
    assert "#SBATCH --array=0-1\n" in array
    assert "#SBATCH --time=01:00:00\n" in array
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {
        "PYTHONPATH": os.pathsep.join(sys.path)
    }
    for element in (0, 1, 0):
        subprocess.run(
            ["sh", str(home / "slurm-array.sh")],
            env=env | {"SLURM_ARRAY_TASK_ID": str(element)},
            check=True,
            cwd="/",
        )
    subprocess.run(["sh", str(home / "slurm-join.sh")], env=env, check=True, cwd="/", stdout=-3)
    assert np.array_equal(fields(home / "ensemble.nc"), fields(folder / "whole" / "ensemble.nc"))
    assert (home / "report.html").is_file()


@pytest.mark.parametrize(
    "words", [["--jobs", "0"], ["--jobs", "x"], ["--sbatch", "-t 1"], ["--sbatch", "--a\nb"]]
)
def test_a_wrong_array_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert execute(["slurm", "study.toml", "--out", "array", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (folder / "array").exists()


def test_a_run_that_is_done_again_has_the_same_numbers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["run", "study.toml", "--quiet", "--out", "first"]) == 0
    assert execute(["reproduce", "first", "--quiet", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["identical"] is True
    assert {"evaluate", "ensemble"} == {row["task"] for row in found["rows"]}
    assert (folder / "first-again" / "ensemble.nc").is_file()


def test_a_run_that_cannot_be_reproduced_says_where_it_differs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["run", "study.toml", "--quiet", "--out", "first"]) == 0
    path = folder / "first" / "evaluate.json"
    document = json.loads(path.read_text())
    document["signal_nG"][1] *= 1 + 1e-15
    path.write_text(json.dumps(document))
    assert execute(["reproduce", "first", "--quiet"]) == 3
    assert "evaluate: signal_nG differs" in capsys.readouterr().out
