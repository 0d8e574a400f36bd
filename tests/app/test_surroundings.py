"""What a user has set for other programs does not reach results."""

import logging
import os
import random
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from renp_infer.app import commands
from renp_infer.app.cli import execute
from renp_infer.engine.campaign import parse_shard
from renp_infer.engine.options import Options
from renp_infer.engine.surroundings import own_surroundings
from renp_infer.errors import ConfigError
from renp_infer.figures.plate import new_figure, plate

STUDY = """schema = 1
name = "here"
[layout]
theta_s_deg = [50.0, 60.0]
[lasers]
chi_squared = 1e-3
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.toml").write_text(STUDY)
    return tmp_path / "here.toml"


def line(_data: Any) -> Any:
    figure, ax = new_figure(2.0)
    ax.plot([0, 1], [0, 1])
    ax.set_xlabel("x_1 & 10 %")
    return figure, "A line."


def test_figures_do_not_follow_the_users_style() -> None:
    expected = plate("line", "Line", line, None).svg
    with mpl.rc_context({"text.usetex": True, "axes.facecolor": "black", "font.size": 30}):
        before = dict(mpl.rcParams)
        assert plate("line", "Line", line, None).svg == expected
        assert dict(mpl.rcParams) == before


@pytest.mark.figures_may_fail
def test_a_figure_that_cannot_be_drawn_is_missing_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_data: Any) -> Any:
        raise ZeroDivisionError("on purpose")

    found = plate("bad", "Bad", fail, None)
    assert found.caption.startswith("Missing: ZeroDivisionError: on purpose.")
    assert "could not be drawn" in "".join(text.get_text() for text in found.figure.axes[0].texts)
    assert capsys.readouterr().err.startswith("renp: the figure 'Bad' is missing")


def test_a_report_that_cannot_be_made_undoes_no_result(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> Path:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(commands, "_report", fail)
    assert execute(["run", str(study), "--out", "run", "--quiet"]) == 0
    assert "results stand, but the report is missing" in capsys.readouterr().err
    assert Path("run/evaluate.json").is_file()


def renp(study: Path, *words: str, shell: str = "", **env: str) -> Any:
    command = [sys.executable, "-m", "renp_infer", *words]
    if shell:
        command = ["sh", "-c", f'"$0" "$@" {shell}', *command]
    return subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | env,
        cwd=study.parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("shell", ["", ">&-", pytest.param(">&- 2>&- <&-", marks=pytest.mark.slow)])
def test_a_stream_that_is_closed_or_narrow_ends_no_run(study: Path, shell: str) -> None:
    found = renp(study, "evaluate", "here.toml", shell=shell, PYTHONIOENCODING="ascii")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.isascii()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_an_output_that_is_full_is_told_in_a_line(study: Path) -> None:
    found = renp(study, "--help", shell=">/dev/full")
    assert (found.returncode, found.stderr.count("\n")) == (4, 1)
    assert "standard output is full" in found.stderr


def test_what_a_session_has_set_is_not_met_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    random.seed(1)
    before = random.getstate(), np.geterr(), dict(os.environ), tempfile.tempdir
    levels = {name: logging.getLogger(name).level for name in ("distributed", "tornado")}
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        filters = list(warnings.filters)
        with own_surroundings():
            assert np.exp(np.array([-1e4]))[0] == 0.0  # an underflow
            random.random()
            warn_as_others()
        assert warnings.filters == filters
        assert np.geterr()["under"] == "raise"
    assert (random.getstate(), np.geterr(), dict(os.environ), tempfile.tempdir) == before
    assert {name: logging.getLogger(name).level for name in levels} == levels


def warn_as_others() -> None:
    """Warn as a library would; our own warnings are still the session's to judge."""
    warnings.warn_explicit("noise", UserWarning, "dynesty/bounding.py", 1, "dynesty.bounding")
    with pytest.raises(UserWarning):
        warnings.warn_explicit(
            "ours", UserWarning, "x.py", 1, "renp_infer.inference.samplers.nested"
        )


@pytest.mark.parametrize("text", ["０/2", "1/２", "1/0", "2/2", "-1/2"])
def test_a_shard_is_written_in_plain_digits(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_shard(text)


def test_a_shard_without_tasks_is_refused(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", str(study), "--shard", "1/2", "--out", "run"]) == 2
    assert "--shard: got '1/2'; allowed: K below 1" in capsys.readouterr().err
    assert not Path("run").exists()
    assert Options().shard == "0/1"
