"""Where the time goes: own time by module, of a main job, a calibration and a design search.

    python benchmarks/profiles.py

Runs in one process on one core, with kernels compiled before. Compiled kernels count
where they are called. Chains are threads, whose time the profiler books on the main
thread's work: shares of the first two jobs are not to be trusted. To compare with
another commit, run this file in its checkout. Written to ``results/profiles.json``.
"""

from __future__ import annotations

import cProfile
import pstats
import tempfile
import time
from collections import Counter
from pathlib import Path

from posteriors import publish
from run import Row

from renp_infer.runner.cli import execute

ROOT = Path(__file__).parents[1]
STUDY = "edge-layout-normalised"
FEW = ("calibrate.data_sets=6", "calibrate.hypothesis_sets=0", "calibrate.belt_sets=0")
SHORT = (
    "optimize.evaluations=8",
    "optimize.polish=4",
    "optimize.baselines=[]",
    "optimize.comparisons=false",
)
JOBS = {
    "main job, one study": ["run", STUDY],
    "calibration, 6 fits": ["calibrate", STUDY, *(w for k in FEW for w in ("--set", k))],
    "design, 12 evaluations": [
        "optimize",
        "optimize-mass",
        *(w for k in SHORT for w in ("--set", k)),
    ],
}
SHOWN = 7


def group(file: str) -> str:
    """Module of ours, or the library that a file belongs to."""
    path = Path(file)
    if path.is_relative_to(ROOT):
        return path.relative_to(ROOT).with_suffix("").as_posix()
    parts = path.parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1]
    return "Python and builtins"


def profiled(words: list[str]) -> tuple[Counter[str], float]:
    """Own seconds by group, and processor seconds, of a command."""
    with tempfile.TemporaryDirectory() as folder:
        profile, begin = cProfile.Profile(), time.process_time()
        profile.enable()
        code = execute([*words, "--out", f"{folder}/run", "--quiet"])
        profile.disable()
    if code not in (0, 3):
        raise SystemExit(f"{words[0]} ended with {code}")
    spent: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        spent[group(file)] += own
    return spent, time.process_time() - begin


def shares(words: list[str]) -> list[Row]:
    """Own time by module, per cent of the profile; the first run warms up."""
    profiled(words)
    spent, seconds = profiled(words)
    total = sum(spent.values())
    rows: list[Row] = [{"where": "processor s", "%": seconds}]
    return rows + [{"where": k, "%": 100.0 * v / total} for k, v in spent.most_common(SHOWN)]


if __name__ == "__main__":
    publish("profiles", {name: (name, shares(words)) for name, words in JOBS.items()})
