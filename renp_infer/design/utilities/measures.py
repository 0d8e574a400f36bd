"""The one table of what a design can be judged by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A row: one objective of a design.

    Attributes
    ----------
    words, unit : str
        As figures show it; no unit is empty.
    smaller : bool
        Whether less is better; it is not divided by a cost then.
    leads : bool
        Whether it may be the first objective, of which the best design is the best.
    """

    words: str
    unit: str
    smaller: bool = False
    leads: bool = True


COST, SPACING = "cost", "min_spacing_deg"
MEASURES = {
    "eig_m1": Measure("information on m₁", "nat"),
    "eig_interest": Measure("information", "nat"),
    "sd_m1": Measure("sd of m₁", "meV", smaller=True),
    "log_bf_nature": Measure("ln B, nature", "nat"),
    "p_nature": Measure("p(true nature)", ""),
    "log_bf_ordering": Measure("ln B, ordering", "nat"),
    "p_ordering": Measure("p(true ordering)", ""),
    "exposure_3sigma_s": Measure("exposure to 3σ", "s", smaller=True),
    COST: Measure("cost", "h of beam time", smaller=True, leads=False),
    SPACING: Measure("smallest spacing", "deg", leads=False),
}
"""Expected information on m1, and on m1, ordering, nature and phases together; expected
posterior standard deviation of m1; expected log Bayes factor for the true nature or
ordering, and expected posterior probability of the true one; exposure after which m1 > 0
shows with 3 standard errors, median over the truths; what a front may have besides."""
OBJECTIVES = tuple(MEASURES)
UTILITIES = tuple(name for name, measure in MEASURES.items() if measure.leads)


def direction(name: str) -> int:
    """+1 if more of an objective is better, -1 if less is."""
    return -1 if MEASURES[name].smaller else 1
