"""Whether this installation can do its work: quick checks, in seconds."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from renp_infer.records import Experiment
from renp_infer.versions import MISSING, versions

ANCHOR_EV5 = 4.9123e-9
"""Pair integral of Eq. (62) for two 10 meV neutrinos, phase matched, in the paper's
2 cm x 1 cm crystal, from a direct three-fold integration."""
ANCHOR_TOLERANCE = 1e-3
FREE_BYTES = 200_000_000
"""Room that a few runs need."""

SMALL = {
    "schema": 1,
    "name": "doctor",
    "layout": {"theta_s_deg": [58.79]},
    "lasers": {"chi_squared": 1e-3},
}
"""A study of one angle."""


@dataclass(frozen=True)
class Check:
    """One line of the doctor's findings."""

    name: str
    good: bool
    found: str


def examine(directory: Path, executor: str = "processes:1") -> list[Check]:
    """Run all checks.

    Parameters
    ----------
    directory : Path
        Where runs would be written.
    executor : str
        What has to do a task, by the name of ``--executor``.

    Returns
    -------
    list of Check
        A check that raises counts as failed.
    """
    checks: dict[str, Callable[[], tuple[bool, str]]] = {
        "python": _python,
        "packages": _packages,
        "writable": lambda: _writable(directory),
        "disk": lambda: _disk(directory),
        "lock": lambda: _lock(directory),
        "kernel": _kernel,
        "compiled": _compiled,
        "executor": lambda: _executor(executor),
    }
    return [_guarded(name, check) for name, check in checks.items()]


def _guarded(name: str, check: Callable[[], tuple[bool, str]]) -> Check:
    try:
        return Check(name, *check())
    except Exception as error:  # whatever is broken is what the doctor is asked for
        return Check(name, False, f"{type(error).__name__}: {error}")


def _python() -> tuple[bool, str]:
    return sys.version_info >= (3, 12), sys.version.split()[0]


def _packages() -> tuple[bool, str]:
    found = versions()
    missing = [name for name, version in found.items() if version == MISSING]
    shown = missing or [f"{name} {version}" for name, version in found.items()]
    return not missing, ("missing: " if missing else "") + ", ".join(shown)


def _writable(directory: Path) -> tuple[bool, str]:
    with tempfile.TemporaryFile(dir=directory):
        return True, str(directory)


def _disk(directory: Path) -> tuple[bool, str]:
    free = shutil.disk_usage(directory).free
    return free >= FREE_BYTES, f"{free / 1e9:.1f} GB free"


def _lock(directory: Path) -> tuple[bool, str]:
    """Whether a second run is kept off a run directory, and by what."""
    from renp_infer.engine.lock import HeldError, Lock

    with tempfile.TemporaryDirectory(prefix=".renp-", dir=directory) as folder:
        first = Lock(Path(folder))
        try:
            Lock(Path(folder)).release()
        except HeldError:
            return True, first.kind
        finally:
            first.release()
    return False, f"{first.kind} keeps nobody off"


def _kernel() -> tuple[bool, str]:
    """Compare the compiled pair integral with a value from another method."""
    import numpy as np

    from renp_infer.physics.pairs.form_factor import pair_integrals

    experiment, theta_s = _paper_setup()
    found = pair_integrals(experiment, np.full(3, 0.01), np.array([theta_s]))
    ratio = float(found.a_eV5[0, 0]) / ANCHOR_EV5
    return abs(ratio - 1) < ANCHOR_TOLERANCE, f"pair integral / known value = {ratio:.6f}"


def _compiled() -> tuple[bool, str]:
    """Whether compiled kernels stay on the disk; else every process compiles anew."""
    from renp_infer.kernels import NO_CACHE
    from renp_infer.physics.pairs._pair_kernels import planar_density

    if planar_density.stats.cache_path is None:
        return False, NO_CACHE
    folder = Path(planar_density.stats.cache_path)
    count = len(list(folder.glob("_*_kernels*.nbc")))
    if not os.access(folder, os.W_OK):
        hint = "where NUMBA_CACHE_DIR is not set to a folder that can"
        return count > 0, f"{count} kernels in {folder}, which cannot be written, {hint}"
    return True, f"{count} kernels in {folder}"


def _executor(name: str) -> tuple[bool, str]:
    """Have one small task done as a run would."""
    from renp_infer.engine.executors import parse_executor
    from renp_infer.engine.tasks import Context
    from renp_infer.engine.verb import Batch
    from renp_infer.study.load import load_study
    from renp_infer.verbs.evaluate.verb import EVALUATE

    study = load_study(SMALL)
    tasks = iter([Batch(study, EVALUATE, (EVALUATE.series(study).task(0),))])
    begin = time.monotonic()
    with parse_executor(name) as executor:
        [(_, answers)] = executor.run(lambda: next(tasks, None), Context())
    if answers is None or answers[0].payload is None:
        return False, f"{name}: {answers[0].error if answers else 'the worker died'}"
    return True, f"{name}: a task took {time.monotonic() - begin:.1f} s, with its start"


def _paper_setup() -> tuple[Experiment, float]:
    """The paper's crystal and the phase-matched trigger angle, rad."""
    import numpy as np

    from renp_infer.physics.pairs.kinematics import phase_matched
    from renp_infer.physics.targets.target import load_target
    from renp_infer.records import PRESETS, Detector, Lasers, Layout

    target = load_target("er-ylf")
    theta_s, theta_e = phase_matched(target)
    layout = Layout(2.0, 1.0, theta_e, np.array([theta_s]))
    return Experiment(target, layout, Lasers(), Detector(), PRESETS["published"]), theta_s
