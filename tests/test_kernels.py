"""Compiled functions work wherever they cannot be kept."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numba.core import caching

import renp_infer
from renp_infer import kernels


def doubled(x: float) -> float:
    return 2.0 * x


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.fixture(autouse=True)
def silent_before(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels._say_once.cache_clear()


def test_without_a_place_it_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    for _ in range(2):
        assert kernels.njit(cache=True)(doubled)(1.5) == 3.0
    assert said(capsys) == [f"renp: {kernels.NO_CACHE}"]


@pytest.mark.parametrize("method", ["save", "load"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), PermissionError(errno.EACCES, "no"), EOFError()]
)
def test_a_cache_that_fails_is_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    method: str,
    error: Exception,
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(caching.IndexDataCacheFile, method, fail)
    assert kernels.njit(cache=True)(doubled)(1.5) == 3.0
    assert said(capsys) == [f"renp: {kernels.NO_CACHE}"]


def test_a_cache_of_a_version_with_other_modules_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise ModuleNotFoundError("No module named 'renp_infer.gone'")

    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(caching.IndexDataCacheFile, "load", fail)
    assert kernels.njit(cache=True)(doubled)(1.5) == 3.0
    assert said(capsys) == []
    monkeypatch.undo()
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    again = kernels.njit(cache=True)(doubled)
    assert again(1.5) == 3.0 and sum(again.stats.cache_hits.values()) == 1


def test_a_cache_that_works_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    assert kernels.njit(cache=True)(doubled)(1.5) == 3.0
    assert list(tmp_path.rglob("*.nbc"))
    again = kernels.njit(cache=True)(doubled)
    assert again(1.5) == 3.0
    assert sum(again.stats.cache_hits.values()) == 1
    assert said(capsys) == []


LOADED = """
import sys
from numba.core import config
config.CACHE_DIR = sys.argv[1]
from renp_infer import kernels
import numpy as np
sys.path.insert(0, sys.argv[1])
from kept import added
assert added(np.arange(3.0)) == 3.0
hits = sum(added.stats.cache_hits.values())
print(hits, "numba.typed.typedlist" in sys.modules)
assert added(np.arange(3)) == 3  # another type: compiled, with what that takes
"""


def test_what_is_kept_is_loaded_without_what_compiles(tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text(
        "from renp_infer.kernels import njit\n\n\n@njit(cache=True)\ndef added(x):\n"
        "    copy = x.copy()\n    total = copy[0]\n    for value in copy[1:]:\n"
        "        total += value\n    return total\n"
    )
    words = [sys.executable, "-c", LOADED, str(tmp_path)]
    source = os.environ | {"PYTHONPATH": str(Path(renp_infer.__file__).parents[1])}
    said = [subprocess.check_output(words, env=source, text=True).split() for _ in range(2)]
    assert said == [["0", "True"], ["1", "False"]]


def test_every_kernel_is_compiled_here() -> None:
    package = Path(renp_infer.__file__).parent
    texts = {path: path.read_text("utf-8") for path in package.rglob("*.py")}
    ours = {package / "kernels.py"}
    assert {path for path, text in texts.items() if "numba import njit" in text} == set()
    assert {path for path, text in texts.items() if "numba.njit(" in text} == ours


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv of util-linux")
@pytest.mark.parametrize("executor", ["serial", "processes:2"])
def test_a_package_that_cannot_be_written_and_no_home(tmp_path: Path, executor: str) -> None:
    source, place = Path(renp_infer.__file__).parents[1], tmp_path / "site"
    for name in ("renp_infer", "models", "data", "studies"):
        if (source / name).is_dir():
            left_out = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source / name, place / name, ignore=left_out)
    (tmp_path / "study.toml").write_text(
        'schema = 1\nname = "x"\n[layout]\ntheta_s_deg = [50.0]\n[lasers]\nchi_squared = 1e-3\n'
    )
    for path in (place, *place.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all"]
    words = ["run", "study.toml", "--out", "run", "--quiet", "--executor", executor]
    found = subprocess.run(
        [*(drop if os.geteuid() == 0 else []), sys.executable, "-m", "renp_infer", *words],
        env=os.environ | {"PYTHONPATH": str(place), "HOME": "/proc/none"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert (f"renp: {kernels.NO_CACHE}" in found.stderr) == (executor == "serial")
    for path in (place, *place.rglob("*")):
        path.chmod(0o755)
