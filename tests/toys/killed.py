"""Quick studies whose verbs are killed again and again, and a process that does one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from renp_infer.app import cli
from renp_infer.engine.driver import Plan, bring_up_to_date
from renp_infer.engine.options import Options
from renp_infer.study.load import load_study
from renp_infer.verbs.table import VERBS

STUDY = """schema = 1
name = "killed"
[layout]
theta_s_deg = { start = 140.0, stop = 148.0, points = 9 }
[lasers]
chi_squared = 1e-3
[detector]
reference_snr = 100
[simulate]
datasets = 20000
[inference]
draws = 40
tune = 40
chains = 2
phases = "fixed"
oscillation_errors = false
[calibrate]
data_sets = 2
draws = 40
tune = 40
hypothesis_sets = 2
importance_draws = 200
belt_sets = 4
belt_m1_meV = [0.0, 20.0]
[compare]
estimators = ["nested"]
live_points = 50
nested_runs = 2
reference = "prior"
[forecast]
m1_meV = [40.0, 50.0]
orderings = ["normal"]
phase_settings = 1
datasets = 2
corrections = false
[scan]
over = { "layout.length_cm" = [1.0, 2.0] }
profile = { m1_meV = [40.0, 60.0], amplitude = [0.9, 1.1] }
[optimize]
evaluations = 5
polish = 2
truths = 4
final_truths = 4
masses = 12
effects = 0
at_m1_meV = [40.0]
confirm = 2
orderings = ["normal"]
natures = ["dirac"]
baselines = ["random"]
[optimize.vary]
"layout.length_cm" = { low = 1.0, high = 3.0 }
[optimize.sequential]
m1_meV = [20.0, 50.0]
campaigns = 1
masses = 6
exposures_s = [600]
"""
"""A section for every verb but the atlas, which is of other physics."""

ATLAS_CHANGES = {
    "atlas.ions": ["Yb", "Tm"],
    "atlas.keep": 2,
    "atlas.tasks_per_ion": 2,
    "atlas.appraise": 1,
}
"""Of the shipped study of the atlas."""


def bring(
    source: str, changes: Mapping[str, Any], home: str, verbs: Sequence[str], executor: str
) -> None:
    """Bring verbs up to date in a process of their own; what it says goes to ``home.said``."""
    handle = os.open(f"{home}.said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, sys.stderr.fileno())

    def work() -> int:
        plan = Plan(load_study(source, changes), Path(home), [VERBS[name] for name in verbs])
        bring_up_to_date([plan], Options(executor=executor, quiet=True))
        return 0

    cli.perform(lambda: cli.guarded(work, debug=False))
