"""The tasks that tell what designs are worth at stated masses, and test it by full inference."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.design.searches.objective import score
from renp_infer.design.utilities.agreement import TOLERANCES, agreement
from renp_infer.design.utilities.equal_time import EqualTime, equal_time
from renp_infer.design.utilities.measures import UTILITIES, direction
from renp_infer.design.utilities.utility import EXPOSURE, UNKNOWN, Utility
from renp_infer.engine.result import Verdict
from renp_infer.errors import RenpError
from renp_infer.inference.judging.outcomes import Outcome, fresh_truth, outcome_of
from renp_infer.inference.judging.sbc import mock
from renp_infer.inference.parameters import MASS, PARAMETERS
from renp_infer.inference.profiles.fisher import MASSLESS_MEV
from renp_infer.inference.results.comparison import Hypothesis, hypothesis_named
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.study.designing import (
    appraiser_of,
    frozen_noise,
    region_of,
    study_with,
    told_masses,
)
from renp_infer.terminal import document
from renp_infer.verbs.calibrate.mocks import MockModel, mock_models
from renp_infer.verbs.calibrate.work import kept
from renp_infer.verbs.optimize.confirmed import (
    BEST,
    DESIGNS,
    KINDS,
    OWN,
    ConfirmResult,
    Mocked,
    ToldRow,
    Worth,
    disagreements,
)

if TYPE_CHECKING:
    from renp_infer.design.utilities.appraisal import DesignBench
    from renp_infer.design.utilities.utility import Appraiser
    from renp_infer.engine.tasks import Context, Task
    from renp_infer.study.study import Study

WORTH, MOCK = "worth", "mock"
DRAWS = 2000
"""Importance draws of each hypothesis."""


def parts(study: Study) -> list[list[Any]]:
    """What each task is about: a longer series begins with the shorter.

    Worth at a place of the masses, the prior being -1; then design, place and number of each
    mock data set.
    """
    assert study.design is not None
    places = range(len(told_masses(study)))
    rows: list[list[Any]] = [[WORTH, place] for place in (-1, *places)]
    sets = range(study.design.section.confirm)
    return rows + [[MOCK, who, place, k] for k in sets for who in DESIGNS for place in places]


def perform(study: Study, task: Task, context: Context) -> dict[str, Any]:
    """Do one task."""
    kind, *about = task.part
    context.tell(kind, 0.0)
    if kind == WORTH:
        return {WORTH: _worth(study, task, *about).plain()}
    return {MOCK: vars(_mocked(study, task, *about))}


class _Benches:
    """Appraiser and benches of both designs, made once by a process."""

    def __init__(self, study: Study) -> None:
        assert study.design is not None and study.design.found is not None
        region = region_of(study, frozen_noise(study))
        self.appraiser: Appraiser = appraiser_of(study, region, "last")
        self.of: dict[str, DesignBench] = {}
        self.failed = ""
        for who, keys in ((BEST, study.design.found), (OWN, {})):
            try:
                self.of[who] = self.appraiser.bench(region.space.built(keys))
            except RenpError as error:
                self.failed = self.failed or " ".join(str(error).split())


def _worth(study: Study, task: Task, place: int) -> Worth:
    """Utilities of both designs for truths of the prior, or for one mass."""
    assert study.design is not None
    benches = kept(task.base, "benches", lambda: _Benches(study))
    section, appraiser, mass = study.design.section, benches.appraiser, None
    utility, names = section.utility[0], [n for n in section.utility if n in UTILITIES]
    if place >= 0:
        mass = told_masses(study)[place]
        utility, names = "sd_m1", measures_of(section.orderings, section.natures)
        truth = replace(study.parameters, m1_eV=_positive(mass) * MILLI_EV_TO_EV)
        appraiser = appraiser.at(truth, section.final_truths, np.random.default_rng(task.seed()))
    try:
        designs = {who: appraiser.of_bench(bench, names) for who, bench in benches.of.items()}
        found = Worth(mass, utility, designs, failed=benches.failed)
        timed = section.equal_time and utility != EXPOSURE
        if not timed or set(designs) != set(DESIGNS):
            return found
        bench = benches.of[OWN]
        time = _time(appraiser, bench, utility, designs[BEST][utility], designs[OWN][utility])
        return replace(found, own_s=bench.noise.exposure_s, time=time)
    except RenpError as error:
        return Worth(mass, utility, {}, failed=" ".join(str(error).split()))


def _time(
    appraiser: Appraiser, bench: DesignBench, name: str, best: Utility, own: Utility
) -> EqualTime:
    """Exposure with which a bench has the utility of the best design."""

    def value(exposure_s: float) -> float:
        found = appraiser.of_bench(bench.at_exposure(exposure_s), [name])
        return score(name, found[name].value)

    scales = (best.value, own.value) if direction(name) < 0 else (1.0, 1.0)
    error = float(np.hypot(best.error / scales[0], own.error / scales[1]))
    return equal_time(value, score(name, best.value), error, bench.noise.exposure_s)


def measures_of(orderings: Sequence[str], natures: Sequence[str]) -> list[str]:
    """Measures that say something where these orderings and natures may be true."""
    single = {"p_ordering": len(orderings) < 2, "p_nature": len(natures) < 2}
    return [name for name in TOLERANCES if not single.get(name, False)]


def _positive(m1_meV: float) -> float:
    return max(m1_meV, MASSLESS_MEV)


def _mocked(study: Study, task: Task, who: str, place: int, _set: int) -> Mocked:
    """Draw nuisances and data of one mass, and analyse them in full."""
    assert study.design is not None
    section, mass = study.design.section, told_masses(study)[place]
    names = [hypothesis_named(o, n) for o in section.orderings for n in section.natures]
    odds = [getattr(section.prior_odds, f"{h.ordering}_{h.nature}") for h in names]
    try:
        models = kept(task.base, f"models, {who}", lambda: _models(study, who, names))
    except RenpError as error:
        return Mocked(who, mass, {}, None, None, " ".join(str(error).split()))
    own = (study.parameters.ordering, study.parameters.nature)
    true = models[names.index(hypothesis_named(*own))]
    rng = np.random.default_rng(task.seed())
    free = dict(zip(true.likelihood.prior.names, true.truth.tolist(), strict=True))
    known = {name: free[name] for name in PARAMETERS.phases if name in free}
    try:
        truth = fresh_truth(true.likelihood, known | {MASS: _positive(mass)}, rng)
        data = mock(true.likelihood, true.expected(truth), rng).data.vector
    except RenpError as error:
        return Mocked(who, mass, {}, None, None, " ".join(str(error).split()))
    likelihoods = [model.likelihood.with_data(data) for model in models]
    found = outcome_of(likelihoods, np.array(odds), rng, DRAWS)
    if found.failure:
        return Mocked(who, mass, {}, None, None, found.failure)
    wanted = measures_of(section.orderings, section.natures)
    values = _values(found, names, own)
    return Mocked(who, mass, {n: values[n] for n in wanted}, found.mean_meV, found.ess)


def _models(study: Study, who: str, hypotheses: Sequence[Hypothesis]) -> list[MockModel]:
    """Models of a design as a fit has them."""
    assert study.design is not None and study.design.found is not None
    keys = study.design.found if who == BEST else frozen_noise(study)
    return mock_models(study_with(study, dict(keys)), hypotheses)


def _values(
    found: Outcome, hypotheses: Sequence[Hypothesis], true: tuple[str, str]
) -> dict[str, float]:
    """Measures of one outcome."""
    probabilities = zip(hypotheses, found.probabilities, strict=True)
    rows = [(tuple(hypothesis), p) for hypothesis, p in probabilities]
    right = {n: sum(p for h, p in rows if h[k] == true[k]) for n, k in KINDS.items()}
    return {"sd_m1": found.sd_meV, "eig_m1": found.information_nat} | right


def join(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write ``confirm.json``."""
    from renp_infer.engine.provenance import provenance

    made = provenance(study, 0.0)
    del made["seconds"]  # the manifest has the time of all tasks
    found = replace(summary(study, *read_parts(paths)), provenance=made)
    target.write_text(document(found.to_document()), encoding="utf-8")


def read_parts(paths: Iterable[str]) -> tuple[list[Worth], list[Mocked]]:
    """What the tasks wrote."""
    rows = [json.loads(Path(path).read_bytes()) for path in paths]
    worths = [Worth.read(row[WORTH]) for row in rows if WORTH in row]
    return worths, [Mocked(**row[MOCK]) for row in rows if MOCK in row]


def summary(study: Study, worths: Sequence[Worth], mocks: Sequence[Mocked]) -> ConfirmResult:
    """Promises against outcomes."""
    assert study.design is not None and study.design.found is not None
    section, masses = study.design.section, told_masses(study)
    promised = {w.m1_meV: w.designs for w in worths}
    names = measures_of(section.orderings, section.natures)
    comparisons = len(masses) * len(DESIGNS) * len(names)
    rows = []
    for mass in masses:
        for who in DESIGNS:
            own = [one for one in mocks if (one.design, one.m1_meV) == (who, mass)]
            promises: Mapping[str, Utility] = promised.get(mass, {}).get(who, {})
            good = [one.values for one in own if not one.failure]
            measures = {
                name: agreement(
                    name,
                    promises.get(name, UNKNOWN),
                    section.final_truths,
                    [values[name] for values in good],
                    comparisons,
                )
                for name in names
            }
            rows.append(ToldRow(who, mass, measures, len(own) - len(good)))
    return ConfirmResult(
        name=study.name,
        best=study.design.found,
        m1_meV=masses,
        confirm=section.confirm,
        worths=tuple(worths),
        lines=tuple(rows),
        mocks=tuple(mocks),
        verdict=_verdict(rows, mocks),
    )


def _verdict(rows: Sequence[ToldRow], mocks: Sequence[Mocked]) -> Verdict:
    reasons = disagreements(rows)
    failed = [one for one in mocks if one.failure]
    if failed:
        reasons.append(
            f"{len(failed)} of {len(mocks)} mock data sets could not be analysed: "
            f"{failed[0].failure}"
        )
    return Verdict("warn" if reasons else "pass", tuple(reasons))
