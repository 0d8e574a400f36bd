"""Each check of the doctor can fail, and says what it found."""

import json
import os
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from renp_infer.app import doctor
from renp_infer.app.cli import execute
from renp_infer.errors import NonFiniteError
from renp_infer.verbs.evaluate import work as evaluation
from renp_infer.versions import MISSING

NAMES = ["python", "packages", "writable", "disk", "lock", "kernel", "compiled", "executor"]


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the executor's task done here, without the seconds that a process takes."""
    real = doctor._executor
    monkeypatch.setattr(doctor, "_executor", lambda _name: real("serial"))


def found(folder: Path) -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.examine(folder)}


def test_this_installation_is_well(tmp_path: Path) -> None:
    checks = found(tmp_path)
    assert list(checks) == NAMES
    assert [name for name, check in checks.items() if not check.good] == []
    assert "a task took" in checks["executor"].found


@pytest.mark.slow
def test_a_wrong_kernel_is_exit_4(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ANCHOR_EV5", 2.0 * doctor.ANCHOR_EV5)
    assert execute(["doctor", "--json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert [c["name"] for c in document["checks"] if not c["good"]] == ["kernel"]
    assert execute(["doctor"]) == 4
    out = capsys.readouterr().out
    assert "BAD  kernel" in out and max(map(len, out.splitlines())) <= 80


def test_what_is_missing_or_full_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10, 9, 1_000_000))
    monkeypatch.setattr(doctor, "versions", lambda: {"numpy": "2.5.5", "pymc": MISSING})
    checks = found(tmp_path / "none")
    bad = {name: check.found for name, check in checks.items() if not check.good}
    assert set(bad) == {"packages", "writable", "disk", "lock"}
    assert bad["packages"] == "missing: pymc" and bad["disk"] == "0.0 GB free"
    assert "No such file" in bad["writable"]


def test_kernels_that_cannot_be_kept_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    good, text = doctor._compiled()
    assert "which cannot be written" in text and "NUMBA_CACHE_DIR" in text
    assert good == (not text.startswith("0 "))


def test_a_task_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: Any) -> Any:
        raise NonFiniteError("signal_nG", "nan", {"m1_meV": 1.0})

    monkeypatch.setattr(evaluation, "evaluate", broken)
    good, text = doctor._executor("serial")
    assert not good and "signal_nG is no finite number" in text


@pytest.mark.parametrize("name", ["processes:0", "nowhere"])
def test_a_wrong_executor_is_the_users_mistake(name: str) -> None:
    assert execute(["doctor", "--executor", name]) == 2


@pytest.mark.slow
def test_a_process_does_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    good, text = doctor._executor("processes:1")
    assert good and text.startswith("processes:1: a task took")
