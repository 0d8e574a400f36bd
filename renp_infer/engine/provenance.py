"""Where a result comes from: software, code, machine and data.

Nothing here is looked up before it is asked for: Git and ``/proc`` are slow.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renp_infer.resources import PACKAGE
from renp_infer.versions import versions

if TYPE_CHECKING:
    import xarray

    from renp_infer.study.study import Study

PROVENANCE = "renp_provenance"
"""Key or group of every result that tells where it comes from."""

GIT_TIMEOUT_S = 5.0
_ROOT = PACKAGE.parent
_SOURCES = ("renp_infer", "models", "data")
"""Folders of a checkout that results depend on."""
_CPU_INFO = Path("/proc/cpuinfo")


def provenance(study: Study, seconds: float) -> dict[str, Any]:
    """Everything that tells where a result of a study comes from.

    Parameters
    ----------
    study : Study
    seconds : float
        Wall time that the result took.

    Returns
    -------
    dict
        Plain JSON values: ``versions``, ``git`` (see ``git_state``),
        ``machine``, ``data`` (``Study.digests``), ``study`` (all keys
        with all values) and ``seconds``.
    """
    return {
        "versions": versions(),
        "git": _own_git_state(),
        "machine": machine(),
        "data": dict(study.digests),
        "study": study.resolved,
        "seconds": seconds,
    }


def add_provenance(result: Any, study: Study, seconds: float) -> Any:
    """Put provenance into a result, a ``dict`` or a ``DataTree``, and return it.

    Parameters
    ----------
    result : dict or DataTree
        Changed in place.
    study : Study
    seconds : float
        Wall time that the result took.
    """
    found = provenance(study, seconds)
    if isinstance(result, dict):
        result[PROVENANCE] = found
    else:
        group = _as_dataset(found)
        if PROVENANCE in result.children:
            group.attrs = result[PROVENANCE].attrs | group.attrs
        result[PROVENANCE] = group
    return result


def append_provenance(path: Path, study: Study, seconds: float) -> None:
    """Add provenance to a netCDF file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    group = _as_dataset(provenance(study, seconds))
    group.to_netcdf(path, mode="a", group=PROVENANCE, engine="h5netcdf")


def _as_dataset(found: dict[str, Any]) -> xarray.Dataset:
    """Attributes, each a JSON text: netCDF has no nested ones, no flags and no nothing."""
    import xarray

    return xarray.Dataset(attrs={name: json.dumps(value) for name, value in found.items()})


@functools.cache
def _own_git_state() -> dict[str, Any] | None:
    """State when first asked for: what is imported stays as it was then."""
    return git_state(_ROOT)


def git_state(root: Path) -> dict[str, Any] | None:
    """Git state of a checkout of this package.

    Parameters
    ----------
    root : Path
        Folder that holds the package.

    Returns
    -------
    dict or None
        ``commit``, and ``dirty``: whether code, models or data differ from
        it, ``None`` if Git takes too long to tell. ``None`` without a
        checkout of this package, Git, or an answer from it.
    """
    if not (root / ".git").exists() or not _is_ours(root):
        return None
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if not commit:
        return None
    changes = _git(root, "status", "--porcelain", "--untracked-files=normal", "--", *_SOURCES)
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def _is_ours(root: Path) -> bool:
    """Tell our project from a foreign one that holds a copy of the package."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return bool(project["name"] == "renp-infer")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _git(root: Path, *arguments: str) -> str | None:
    """Output of a Git command; ``None`` if it fails, is missing or takes too long."""
    # Inside a hook, variables of Git name another repository.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "-c", "core.fsmonitor=false", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip()


@functools.cache
def machine() -> dict[str, Any]:
    """The machine: ``platform``, ``cpu``, ``cores``, ``memory_bytes``, ``hostname``.

    A number that the system does not give is ``None``.
    """
    return {
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_bytes": _memory_bytes(),
        "hostname": platform.node(),
    }


def _cpu() -> str:
    """Model of the processor, or its architecture where Linux names no model."""
    try:
        with _CPU_INFO.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return value.strip()
    except OSError:
        pass
    return platform.machine()


def _memory_bytes() -> int | None:
    try:
        pages = os.sysconf("SC_PHYS_PAGES")
        return pages * os.sysconf("SC_PAGE_SIZE") if pages > 0 else None
    except (OSError, ValueError):
        return None
