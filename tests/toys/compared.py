"""Evidences of the four hypotheses, with draws of the mass."""

import numpy as np

from renp_infer.inference.priors.prior import Uniform
from renp_infer.inference.results.compared import LogEvidence
from renp_infer.inference.results.comparison import HYPOTHESES, Evidence, Hypothesis

N = 4000
"""Draws of each posterior."""
MASS_PRIOR = Uniform(0.0, 450.0)
"""Of m1, meV."""


def row(ordering="normal", nature="dirac", z=0.0, other=None, mass=50.0, seed=1, **phases):
    """Evidence of two estimators, with errors 0.1 and 0.2."""
    rng = np.random.default_rng(seed)
    draws = {"m1_meV": rng.normal(mass, 1.0, N)}
    if nature == "majorana":
        flat = {name: rng.uniform(0.0, 360.0, N) for name in ("delta_deg", "alpha31_deg")}
        draws |= {"alpha21_deg": rng.uniform(0.0, 360.0, N)} | flat | phases
    other = z if other is None else other
    estimates = {"smc": LogEvidence(z, 0.1), "nested": LogEvidence(other, 0.2)}
    return Evidence(Hypothesis(ordering, nature), estimates, {"smc": draws, "nested": draws})


def four(*values):
    return [row(*h, z=z, seed=k) for k, (h, z) in enumerate(zip(HYPOTHESES, values, strict=True))]
