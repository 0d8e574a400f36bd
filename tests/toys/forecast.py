"""A study with a small forecast."""

from __future__ import annotations

from pathlib import Path

from renp_infer.study.load import load_study
from renp_infer.study.study import Study

EDGE = """schema = 1
name = "edge"
[physics]
preset = "corrected"
[layout]
theta_s_deg = { start = 138.0, stop = 148.0, points = 29 }
[lasers]
trigger_mW_cm2 = 10.0
chi_squared = 1e-3
[detector]
reference_snr = 300
[forecast]
m1_meV = [50.0, 100.0]
orderings = ["normal"]
phase_settings = 2
datasets = 2
"""


def study(folder: Path, *overrides: str) -> Study:
    path = folder / "edge.toml"
    path.write_text(EDGE)
    return load_study(path, overrides)
