"""Promise against outcome: whether what a search believed is what full inference finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from renp_infer.design.utilities.utility import UNKNOWN, Utility

FALSE_ALARM = 0.01
"""Probability that one of all comparisons of a study disagrees by chance."""
TOLERANCES = {"sd_m1": 0.1, "eig_m1": 0.1, "p_ordering": 0.05, "p_nature": 0.05}
"""Differences that matter to nobody, by measure: relative for the standard deviation, in nat, and
of probabilities. A promise is an approximation, which errs by less (docs/design.md)."""
RELATIVE = ("sd_m1",)
"""Measures that are compared by their logarithm."""


@dataclass(frozen=True)
class Confirmed:
    """One measure at one truth: promised, and found.

    Attributes
    ----------
    promise : Utility
    outcome : Utility
        Mean over data sets, and its standard error.
    data_sets : int
    agrees : bool or None
        ``None`` where one of them is not known.
    """

    promise: Utility
    outcome: Utility
    data_sets: int
    agrees: bool | None

    @property
    def told(self) -> Utility:
        """What is quoted: found where it is known, else promised."""
        return self.outcome if self.outcome.known else self.promise


def agreement(
    name: str, promise: Utility, truths: int, found: Sequence[float], comparisons: int = 1
) -> Confirmed:
    """Compare a promise with what was found in data sets.

    They disagree where the difference is larger than its tolerance and, beyond that, than the
    normal quantile times the combined error; `FALSE_ALARM` is shared among the comparisons.
    Data sets spread as promised or as they do, whichever is more: were they as promised, the
    spread of a few would be known from the many of the promise.

    Parameters
    ----------
    name : str
        Of `TOLERANCES`.
    promise : Utility
        A mean.
    truths : int
        Over so many data sets of the promise.
    found : sequence of float
        Of each data set (k,).
    comparisons : int
    """
    values = np.array(found)
    count = values.size
    if not count or not promise.known:
        return Confirmed(promise, UNKNOWN, count, None)
    mean = float(values.mean())
    own = float(values.std(ddof=1)) if count > 1 else np.inf
    outcome = Utility(mean, own / float(np.sqrt(count)))
    if count < 2:
        return Confirmed(promise, outcome, count, None)
    scales = (promise.value, mean) if name in RELATIVE else (1.0, 1.0)
    error = promise.error / scales[0]
    spread = max(error * np.sqrt(truths), own / scales[1])
    away = abs(np.log(mean / promise.value)) if name in RELATIVE else abs(mean - promise.value)
    quantile = norm.isf(0.5 * FALSE_ALARM / comparisons)
    allowed = float(quantile * np.hypot(error, spread / np.sqrt(count)))
    return Confirmed(promise, outcome, count, bool(away <= TOLERANCES[name] + allowed))
