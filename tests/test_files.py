"""Temporary files that libraries leave behind, and disks that have no room."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from renp_infer.engine.worker import encoded
from renp_infer.errors import StoreError
from renp_infer.files import require_room, sweeping


def test_what_is_left_behind_is_removed_and_the_place_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "other").touch()
    with pytest.raises(ZeroDivisionError), sweeping():
        left = Path(tempfile.mkstemp()[1])
        assert left.parent.parent == tmp_path
        with sweeping():
            assert Path(tempfile.mkstemp()[1]).parent == left.parent
        assert left.exists()
        raise ZeroDivisionError
    assert tempfile.tempdir == str(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_threads_share_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    inside, outside = threading.Event(), threading.Event()

    def longer() -> None:
        with sweeping():
            inside.set()
            outside.wait(10)
            Path(tempfile.mkstemp()[1]).write_text("still there")

    with sweeping():
        thread = threading.Thread(target=longer)
        thread.start()
        inside.wait(10)
    outside.set()
    thread.join()
    assert tempfile.tempdir == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_a_library_keeps_lives_as_long_as_it(tmp_path: Path) -> None:
    code = (
        "import atexit, os, shutil, tempfile\n"
        "from renp_infer.files import sweeping\n"
        "with sweeping():\n"
        "    kept = tempfile.mkdtemp()\n"
        "    atexit.register(shutil.rmtree, kept)\n"  # fails if it is gone
        "with sweeping():\n"
        "    tempfile.mkstemp(); assert os.path.isdir(kept)\n"
    )
    env = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", code]
    found = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_netcdf_that_may_not_fit_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither that of a task, which is made in a temporary folder."""
    room = SimpleNamespace(f_bavail=1000, f_frsize=1024)
    monkeypatch.setattr(os, "statvfs", lambda _folder: room)
    require_room(tmp_path / "x.nc", 590 * 1024)
    tree = xr.DataTree.from_dict({"/a": xr.Dataset({"b": ("c", np.zeros(64 * 1024))})})
    assert encoded(tree)
    room.f_bavail = 800
    with pytest.raises(StoreError, match=r"x.nc: cannot be written \(No space left"):
        require_room(tmp_path / "x.nc", 590 * 1024)
    with pytest.raises(StoreError, match=r"result.nc: cannot be written \(No space left"):
        encoded(tree)
