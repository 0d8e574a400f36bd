"""Whether what other experiments say and the data agree: each constraint by itself.

The mean of a constraint's residuals over the posterior, in the errors that it has beside the
posterior's own: I less the covariance of the residuals, since the posterior knows the
constraint already. Of Gaussians under a flat prior it is exactly the distance of what data and
constraint say alone, in the errors of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from renp_infer.inference.knowledge.external import External
from renp_infer.inference.priors.prior import Prior
from renp_infer.records import FloatArray

WARN_SIGMA = 3.0
"""Distance above which a constraint and the data are told to disagree."""
_LEAST_ROOM = 0.05
"""Smallest share of a constraint's variance that is taken as not known by the posterior."""


@dataclass(frozen=True)
class Tension:
    """How far a constraint is from what the data say.

    Attributes
    ----------
    chi_squared : float
        Of the constraint alone.
    p : float
        Probability of a larger one.
    sigma : float
        The same as a distance, in standard deviations of a normal law, both sides.
    found : mapping
        Posterior means of its quantities that are no angles.
    """

    chi_squared: float
    p: float
    sigma: float
    found: Mapping[str, float]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Tension:
        """From its document."""
        return cls(**row)


def tensions(external: External, prior: Prior, vectors: FloatArray) -> dict[str, Tension]:
    """Of each constraint by its name, at draws (n, d) of the posterior."""
    if not external:
        return {}
    free = {name: vectors[:, k] for k, name in enumerate(prior.names)}
    every = external.every({**prior.fixed, **free})
    size, found = len(vectors), dict[str, Tension]()
    for term in external.terms:
        columns = [np.zeros(size) + every[name] for name in term.quantities]
        residuals = np.array([np.zeros(size) + row for row in term.residuals(columns)])
        means = {
            name: float(np.mean(column))
            for name, column in zip(term.quantities, columns, strict=True)
            if not name.endswith("_deg")
        }
        found[term.name] = _tension(residuals, len(term.quantities), means)
    return found


def _tension(residuals: FloatArray, degrees: int, means: Mapping[str, float]) -> Tension:
    """From residuals (r, n) of draws."""
    room, axes = np.linalg.eigh(np.eye(len(residuals)) - np.atleast_2d(np.cov(residuals)))
    pulls = axes.T @ np.mean(residuals, axis=1)
    square = float(np.sum(pulls**2 / np.maximum(room, _LEAST_ROOM)))
    p = float(stats.chi2.sf(square, degrees))
    sigma = float(stats.norm.isf(0.5 * p)) if p > 0.0 else square**0.5
    return Tension(square, p, sigma, dict(means))
