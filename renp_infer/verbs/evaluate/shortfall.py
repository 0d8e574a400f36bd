"""How far an absolute signal is from being seen."""

from __future__ import annotations

import math

from renp_infer.engine.run import Run
from renp_infer.verbs.evaluate.result import EvaluateResult


def shortfall(run: Run) -> str:
    """How far an absolute signal is from being seen; empty if it is."""
    found = run.get(EvaluateResult)
    snr = found.peak_snr
    if found.normalised or snr >= 1:
        return ""
    if snr <= 0:
        return f"{run.name}: no signal at these angles"
    return (
        f"{run.name}: carries nothing, the signal is {-math.log10(snr):.1f} orders of "
        "magnitude short of S/N = 1"
    )
