"""Designs under several priors of m1: the best of each, all under all, and the safest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from renp_infer.design.searches.objective import Objective, score
from renp_infer.design.searches.polish import polish
from renp_infer.design.searches.search import Trial, appraised
from renp_infer.design.utilities.utility import UNKNOWN, Utility
from renp_infer.errors import RenpError
from renp_infer.study.designing import objective_of
from renp_infer.study.mass_priors import with_mass_prior
from renp_infer.verbs.optimize.priors import MAXIMIN, OWN_DESIGN, PriorTable, UnderPriors

if TYPE_CHECKING:
    from renp_infer.design.spaces.region import Region
    from renp_infer.records import Experiment, FloatArray
    from renp_infer.study.study import Study

Find = Callable[["Study"], Trial]


def under_priors(study: Study, region: Region, best: Trial, find: Find) -> tuple[PriorTable, Trial]:
    """The best design under each prior of m1 that a study asks for, under all of them.

    Utilities are those of truths that had no part in any search, without the finite crystal.

    Parameters
    ----------
    study : Study
    region : Region
    best : Trial
        Under the study's own prior.
    find : callable
        Best design of a study with another prior.

    Returns
    -------
    table : PriorTable
    chosen : Trial
        The best, or with ``maximin`` that of the smallest largest loss.
    """
    assert study.design is not None
    section, own = study.design.section, str(study.priors.m1_prior)
    studies = {name: with_mass_prior(study, name) for name in section.priors}
    designs: dict[str, Trial] = {own: best}
    designs |= {name: find(other) for name, other in studies.items() if name != own}
    chosen = best
    if section.maximin:
        chosen = _safest(study, studies, region, designs)
        designs[MAXIMIN] = chosen
    judges = {name: objective_of(one, region, "robustness") for name, one in studies.items()}
    rows = [
        UnderPriors(name, trial.design, _worth(judges, region.experiment(trial.x)))
        for name, trial in designs.items()
    ]
    rows.append(UnderPriors(OWN_DESIGN, {}, _worth(judges, region.space.built({}))))
    return PriorTable(section.utility[0], section.priors, tuple(rows)), chosen


def _worth(judges: Mapping[str, Objective], experiment: Experiment | None) -> dict[str, Utility]:
    """First objective of an apparatus under each prior."""
    found = {}
    for name, judge in judges.items():
        try:
            found[name] = UNKNOWN if experiment is None else judge.of(experiment)[judge.names[0]]
        except RenpError:
            found[name] = UNKNOWN
    return found


def _safest(
    study: Study, studies: Mapping[str, Study], region: Region, designs: Mapping[str, Trial]
) -> Trial:
    """The design whose largest loss against the best of each prior is the smallest.

    A climb begins at the best of the designs by that.
    """
    assert study.design is not None
    judges = {name: objective_of(one, region) for name, one in studies.items()}

    def scores(x: FloatArray) -> FloatArray:
        """Scores under all priors, -inf for a failure."""
        found = _worth(judges, region.experiment(x))
        return np.array([score(judges[name].names[0], u.value) for name, u in found.items()])

    points = [np.array(trial.x) for trial in designs.values()]
    table = np.array([scores(x) for x in points])
    tops = table.max(axis=0)
    losses = (tops - table).max(axis=1)
    tried = list(zip(losses.tolist(), points, strict=True))

    def value(x: FloatArray) -> float:
        tried.append((float(np.max(tops - scores(x))), x.copy()))
        return -tried[-1][0]

    first, budget = int(np.argmin(losses)), study.design.section.polish
    polish(region, points[first], -float(losses[first]), value, budget)
    safest = min(tried, key=lambda pair: pair[0])[1]
    return appraised(objective_of(study, region), safest, "polish")
