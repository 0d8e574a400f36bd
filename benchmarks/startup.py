"""Time to start, and of the main job with kernels compiled before and not.

``python benchmarks/startup.py [--quick]`` prints one table and writes
``results/startup.json``. Everything runs in fresh processes; start-up times are
medians. The cold job runs in a copy of the package without compiled kernels; with
``--quick`` the jobs are left out.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from run import Row, machine, show

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "startup.json"
REPEATS = 7
STARTS = {
    "import renp_infer": (["-c", "import renp_infer"], 0.3),
    "renp --help": (["-m", "renp_infer", "--help"], 0.5),
}
JOBS = {"main job, cold": 120.0, "main job, warm": 60.0}
LAYOUTS, PHYSICS = ("seed", "edge"), ("published", "corrected", "normalised")


def spent(words: list[str], home: Path) -> tuple[float, float]:
    """Wall and processor seconds of a Python process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = perf_counter()
    environment = os.environ | {"PYTHONPATH": str(home), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *words], cwd=home, env=environment, capture_output=True)
    wall, after = perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr.decode())
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def starts() -> list[Row]:
    """Starting, median of some fresh processes."""
    rows = []
    for name, (words, target) in STARTS.items():
        spent(words, ROOT)  # leaves byte code behind
        wall, busy = zip(*(spent(words, ROOT) for _ in range(REPEATS)), strict=True)
        rows.append(row(name, median(wall), median(busy), target))
    return rows


def jobs() -> list[Row]:
    """`make study` in a copy of the repository, twice: the first time kernels are compiled."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "copy"
        uncompiled = shutil.ignore_patterns("__pycache__")
        for part in ("renp_infer", "studies", "models", "data"):
            shutil.copytree(ROOT / part, home / part, ignore=uncompiled)
        studies = [f"studies/{a}-layout-{b}.toml" for a in LAYOUTS for b in PHYSICS]
        rows = []
        for number, (name, target) in enumerate(JOBS.items()):
            out = str(Path(folder) / f"run-{number}")
            words = ["-m", "renp_infer", "run", *studies, "--out", out, "--quiet"]
            rows.append(row(name, *spent(words, home), target))
        return rows


def row(name: str, wall: float, busy: float, target: float) -> Row:
    """One line of the table."""
    return {"what": name, "s": wall, "processor s": busy, "target s": target, "met": wall <= target}


def measure(*, quick: bool = False) -> list[Row]:
    """Start-up and main job; wall seconds, and those of all processors."""
    return starts() if quick else starts() + jobs()


def main() -> None:
    """Print the table and keep it."""
    where, rows = machine(), measure(quick="--quick" in sys.argv)
    print(", ".join(f"{key} {value}" for key, value in where.items()))
    show(measure.__doc__ or "", rows)
    RESULTS.write_text(json.dumps({"machine": where, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
