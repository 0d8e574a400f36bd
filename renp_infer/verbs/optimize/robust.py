"""How robust a found design is: tolerances, setting errors, nuisances, truths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.design.searches.objective import score
from renp_infer.design.searches.search import Trial
from renp_infer.design.utilities.robustness import (
    allowed_error,
    loss_by_error,
    robust_choice,
    spread_over,
    tolerances,
    worst_case,
)
from renp_infer.errors import RenpError
from renp_infer.inference.parameters import MASS, PARAMETERS, Inferred
from renp_infer.inference.priors.marginals import slope_at
from renp_infer.inference.priors.prior import own_of
from renp_infer.inference.profiles.fisher import best_step, expand
from renp_infer.inference.results.comparison import Hypothesis
from renp_infer.measurement.noise import Noise
from renp_infer.physics.constants import MILLI_EV_TO_EV
from renp_infer.study.designing import appraiser_of, objective_of, study_at
from renp_infer.verbs.calibrate.mocks import mock_model
from renp_infer.verbs.optimize.parts import known
from renp_infer.verbs.optimize.robustness import (
    DesignOverTruths,
    InformationByAngle,
    KeyTolerance,
    OverTruths,
    Robustness,
    SettingErrors,
    Shifts,
)

if TYPE_CHECKING:
    from renp_infer.design.spaces.region import Region
    from renp_infer.design.utilities.utility import Appraiser
    from renp_infer.records import Experiment, FloatArray
    from renp_infer.study.study import Study

SIGMAS = 2.0
"""Nuisances move by this many standard deviations of their priors."""
ERRORS_DEG = (0.02, 0.1, 0.3, 1.0, 3.0)
"""Standard deviations of the setting of each angle that are tried."""
ERROR_DRAWS, TRUTHS = 2, 6
RIVALS, APART = 2, 0.1
"""Other designs that are compared over the truths, and how far they must be apart."""
FLOOR = 10.0
"""Losses by which a design that is not allowed counts as worse."""
_STREAM = 11


def robustness(study: Study, region: Region, best: Trial, trials: Sequence[Trial]) -> Robustness:
    """What is lost around, and over the unknowns of, a design.

    By truths that had no part in choosing it: around a lucky top everything loses.
    With a cost the loss is relative.

    Parameters
    ----------
    study : Study
    region : Region
    best : Trial
        Of the trials.
    trials : sequence of Trial
        Among which are designs to compare with.
    """
    assert study.design is not None
    objective = objective_of(study, region, "robustness")
    name, loss = objective.names[0], study.design.section.robustness_loss
    x = np.array(best.x)
    experiment = region.space.experiment(x)
    top = score(name, objective.of(experiment)[name].value)
    limit = loss * abs(top) if objective.per_cost else loss

    def value(make: Callable[[], Experiment | None]) -> float:
        try:
            moved = make()
            found = -np.inf if moved is None else score(name, objective.of(moved)[name].value)
        except RenpError:
            found = -np.inf
        return max(found, top - FLOOR * limit)

    return Robustness(
        x=best.x,
        score=top,
        loss=limit,
        dimensions=_dimensions(region, x, value, limit),
        angles=_angles(study, experiment, value, limit),
        nuisances=shifts_of(study, experiment, value),
        truths=_truths(study, region, best, trials),
        information=_information(study, region, x),
    )


Value = Callable[[Callable[[], "Experiment | None"]], float]


def _dimensions(
    region: Region, x: FloatArray, value: Value, loss: float
) -> tuple[KeyTolerance, ...]:
    """How far each continuous key may move, in its unit, all others held."""
    dimensions = region.space.dimensions
    free = [k for k, dimension in enumerate(dimensions) if dimension.free]

    def utility(part: FloatArray) -> float:
        moved = x.copy()
        moved[free] = part
        return value(lambda: region.experiment(moved))

    circles = region.space.circles[free]
    ends = np.where(circles, x[free] - 0.5, 0.0), np.where(circles, x[free] + 0.5, 1.0)
    rows = []
    for k, found in zip(free, tolerances(utility, x[free], *ends, loss), strict=True):
        here = dimensions[k].value(x[k])
        below = here - dimensions[k].extended(x[k] - found.below)
        above = dimensions[k].extended(x[k] + found.above) - here
        reaches = found.below_ends, found.above_ends
        rows.append(KeyTolerance(dimensions[k].name, here, below, above, *reaches))
    return tuple(rows)


def _angles(study: Study, experiment: Experiment, value: Value, loss: float) -> SettingErrors:
    """Mean loss when every trigger angle is set, and known to be set, a little off."""
    seed = np.random.SeedSequence(study.seed, spawn_key=(_STREAM,))
    angles = experiment.layout.theta_s
    draws = np.random.default_rng(seed).standard_normal((ERROR_DRAWS, angles.size))

    def utility(theta_s: FloatArray) -> float:
        layout = replace(experiment.layout, theta_s=np.sort(theta_s))
        return value(lambda: replace(experiment, layout=layout))

    errors = np.array(ERRORS_DEG)
    lost = loss_by_error(utility, angles, np.deg2rad(errors), draws)
    allowed = allowed_error(errors, lost, loss)
    return SettingErrors(ERRORS_DEG, tuple(lost.tolist()), known(allowed))


def shifts_of(study: Study, experiment: Experiment, value: Value) -> Shifts:
    """Utility where nuisances are off by two standard deviations, and the worst of them."""
    sds = {row: _spread(row, study) for row in PARAMETERS.moving}
    rows = [row for row, sd in sds.items() if sd > 0.0]
    if experiment.detector.pickup:  # a loop's coupling follows from its geometry
        rows = [row for row in rows if row.kind != "amplitude"]

    def moved(shifts: FloatArray) -> Experiment:
        off = experiment
        for row, shift in zip(rows, shifts.tolist(), strict=True):
            assert row.moves is not None
            off = row.moves(off, row.scale * (SIGMAS * sds[row] * shift))
        return off

    found = worst_case(lambda shifts: value(lambda: moved(shifts)), len(rows))
    return Shifts(
        nominal=found.nominal,
        lowest=found.lowest,
        shifts=tuple(found.shifts.tolist()),
        singles=tuple((low, high) for low, high in found.singles.tolist()),
        names=tuple(row.name for row in rows),
        sigmas=SIGMAS,
    )


def _spread(row: Inferred, study: Study) -> float:
    """Standard deviation of a nuisance, or what its own prior has in its place; 0 if known."""
    own = own_of(study.priors, study.parameters.ordering)
    if row.name in own:
        return slope_at(own[row.name].marginal, 0.0)
    return float(getattr(study.priors, row.setting))


def _truths(study: Study, region: Region, best: Trial, trials: Sequence[Trial]) -> OverTruths:
    """Scores at single true masses, equally probable a priori: which design is good at all."""
    shares = (np.arange(TRUTHS) + 0.5) / TRUTHS
    masses = _quantiles(appraiser_of(study, region, "robustness"), shares)
    assert study.design is not None
    names = study.design.section.utility
    designs = _distinct(best, trials, names)
    experiments = [region.space.experiment(np.array(t.x)) for t in designs]
    experiments.append(region.space.built({}))
    table = np.empty((len(experiments), TRUTHS))
    for j, m1 in enumerate(masses.tolist()):
        parameters = replace(study.parameters, m1_eV=m1 * MILLI_EV_TO_EV)
        judge = objective_of(study, region, "robustness", truth=parameters)
        for i, experiment in enumerate(experiments):
            table[i, j] = score(names[0], judge.of(experiment)[names[0]].value)
    weights = np.ones(TRUTHS)
    labels = ["best", *(f"rival {k + 1}" for k in range(len(designs) - 1)), "own"]
    keys = [*(trial.design for trial in designs), None]
    rows = tuple(
        _over_truths(label, row, design)
        for label, row, design in zip(labels, table, keys, strict=True)
    )
    choice = robust_choice(table, weights)
    picked = {kind: labels[place] for kind, place in choice.items()}
    return OverTruths(tuple(masses.tolist()), rows, picked)


def _over_truths(
    name: str, scores: FloatArray, design: Mapping[str, Any] | None
) -> DesignOverTruths:
    found = spread_over(scores, np.ones(TRUTHS))
    return DesignOverTruths(
        name=name,
        scores=tuple(scores.tolist()),
        mean=found.mean,
        worst=found.worst,
        worst_at=found.worst_at,
        quantile=found.quantile,
        design=design,
    )


def _quantiles(appraiser: Appraiser, shares: FloatArray) -> FloatArray:
    """Masses with these shares of the prior below, meV, constraints included."""
    from scipy.special import ndtri

    return np.asarray(appraiser.known.mass.from_unit(ndtri(shares)[:, None]))


def _distinct(best: Trial, trials: Sequence[Trial], names: Sequence[str]) -> list[Trial]:
    """The best trial, and the next best that are elsewhere."""
    ranked = sorted((t for t in trials if not t.failed), key=lambda t: -t.scores(names)[0])
    found = [best]
    for trial in ranked:
        away = [float(np.max(np.abs(np.subtract(trial.x, other.x)))) for other in found]
        if all(distance > APART for distance in away):
            found.append(trial)
        if len(found) > RIVALS:
            break
    return found


def _information(study: Study, region: Region, x: FloatArray) -> dict[str, InformationByAngle]:
    """What each angle adds to the Fisher information about m1, all else profiled.

    At the study's truth; per meV^2. With a drift, of what the angles before do not tell.
    """
    assert study.design is not None
    found = {}
    for name, keys in (("best", region.space.keys(x)), ("own", region.space.constant)):
        at = study_at(study.design, keys)
        at = replace(at, settings=at.priors)
        own = Hypothesis(at.parameters.ordering, at.parameters.nature)
        model = mock_model(at, own)
        covariance = model.likelihood.data.covariance
        noise = Noise(lambda _exposure, c=covariance: c, True, 1.0)  # type: ignore[misc]
        expansion = expand(model.likelihood, model.truth)
        columns, _ = expansion.system(noise, 1.0)
        k = expansion.names.index(MASS)
        others, column = np.delete(columns, k, axis=1), columns[:, k]
        rest = column - others @ best_step(others, column)
        theta_s = at.experiment.layout.theta_s
        found[name] = InformationByAngle(
            theta_s_deg=tuple(np.rad2deg(theta_s).tolist()),
            per_meV2=tuple((rest[: theta_s.size] ** 2).tolist()),
            priors_per_meV2=float(np.sum(rest[theta_s.size :] ** 2)),
        )
    return found
