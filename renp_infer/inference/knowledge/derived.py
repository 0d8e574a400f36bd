"""What follows from the inferred parameters, draw by draw; see ``quantities.py``."""

from __future__ import annotations

from typing import Any

import numpy as np

from renp_infer.inference.knowledge.quantities import Quantities
from renp_infer.inference.parameters import BETA_SQUARED, SEEN_PHASE
from renp_infer.inference.priors.marginals import FULL_TURN_DEG
from renp_infer.inference.priors.phases import ALPHA31, DELTA
from renp_infer.inference.priors.prior import Prior
from renp_infer.physics.neutrinos import Nature
from renp_infer.records import FloatArray


def quantities_of(prior: Prior, nature: Nature, sin2_23: float | None = None) -> Quantities:
    """Quantities of a prior's hypothesis, whose ordering the large splitting has as its sign."""
    large = prior.marginals.get("dm2_3l")
    value = prior.fixed["dm2_3l"] if large is None else float(large.from_unit(np.zeros(1)))
    return Quantities("normal" if value > 0.0 else "inverted", nature, sin2_23)


def derived(
    prior: Prior, nature: Nature, vectors: FloatArray, sin2_23: float | None = None
) -> dict[str, FloatArray]:
    """Derived quantities by name, in the units of the names, shape (...) each.

    Parameters
    ----------
    prior : Prior
    nature : {"dirac", "majorana"}
    vectors : ndarray, shape (..., d)
        Free parameters.
    sin2_23 : float, optional
        For the Jarlskog invariant.
    """
    free = {name: vectors[..., k] for k, name in enumerate(prior.names)}
    values: dict[str, Any] = {**prior.fixed, **free}
    found = quantities_of(prior, nature, sin2_23).of(values)
    del found[BETA_SQUARED]
    if nature == "majorana" and {DELTA, ALPHA31} <= set(prior.names):
        found[SEEN_PHASE] = np.mod(values[ALPHA31] - 2.0 * values[DELTA], FULL_TURN_DEG)
    like = np.zeros(vectors.shape[:-1])
    return {name: like + value for name, value in found.items()}
