"""Whether draws of the independence sampler may be shown: its own check.

Where a proposal does not cover the posterior, chains stay where the weight is large: R-hat and
effective sizes see it, and the tail of the weights (Vehtari, Simpson, Gelman, Yao and Gabry,
J. Mach. Learn. Res. 25(72) (2024)) sees what no chain has met yet.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from renp_infer.inference.results.diagnostics import ESS_PASS, R_HAT_PASS, convergence
from renp_infer.records import FloatArray

LARGEST_K = 0.7
"""Pareto k up to which weights have a mean that their draws find."""
LEAST_ACCEPTANCE = 0.1
_SHARE = 0.25
"""Of few draws, the share that must be effective."""


def unproven(vectors: FloatArray, statistics: xr.Dataset, circular: Sequence[bool]) -> str:
    """Why the draws may not be shown; nothing if they may.

    Parameters
    ----------
    vectors : ndarray, shape (chains, draws, d)
    statistics : xarray.Dataset
        ``acceptance_rate`` and ``pareto_k`` by chain.
    circular : sequence of bool, length d
        Which parameters are angles, in degrees.
    """
    acceptance = float(np.min(statistics["acceptance_rate"].values))
    if acceptance < LEAST_ACCEPTANCE:
        return f"acceptance {acceptance:.2f} < {LEAST_ACCEPTANCE:g}"
    k = float(np.max(statistics["pareto_k"].values))
    if not k <= LARGEST_K:
        return f"Pareto k {k:.2f} > {LARGEST_K:g}"
    found = [convergence(vectors[..., n], turns) for n, turns in enumerate(circular)]
    r_hat = float(np.max([one.r_hat for one in found]))
    if not r_hat < R_HAT_PASS:
        return f"R-hat {r_hat:.3f} >= {R_HAT_PASS:g}"
    enough = min(ESS_PASS, _SHARE * vectors.shape[0] * vectors.shape[1])
    ess = float(np.min([(one.ess_bulk, one.ess_tail) for one in found]))
    if not ess >= enough:
        return f"effective draws {ess:.0f} < {enough:.0f}"
    return ""
