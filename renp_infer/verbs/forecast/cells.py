"""One truth by one method: expected errors, separations and exposures.

Every number is for the total of all angles. Fisher and Asimov figures are medians
over mock experiments, to the accuracy of the expansion or of the asymptotic
formulae; confidence levels count standard deviations as sqrt(Delta chi^2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from renp_infer.inference.hypothesis import ModelLike
from renp_infer.inference.knowledge.derived import quantities_of
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import DOUBLE_BETA, PARAMETERS
from renp_infer.inference.profiles.calibrations import Calibrations
from renp_infer.inference.profiles.exposure import SHORTEST_S, ByExposure, Room, required_exposure
from renp_infer.inference.profiles.fisher import MASSLESS_MEV, expand, sigma, sigma_along, validity
from renp_infer.inference.profiles.profile import BestEnd, Fit, Profile, crossing
from renp_infer.measurement.noise import Noise
from renp_infer.physics.constants import EV_TO_MILLI_EV
from renp_infer.records import FloatArray, Parameters
from renp_infer.verbs.forecast.bench import OTHER, Bench
from renp_infer.verbs.forecast.columns import stacked
from renp_infer.verbs.forecast.quantities import (
    LEVELS,
    RIVALS,
    Against,
    AsimovCell,
    DerivedErrors,
    EnsembleCell,
    FisherCell,
    Flags,
    Rival,
    Separations,
    Target,
)

_STRIDES = 32.0
"""The search for an interval's end begins within this share of the largest mass."""
_REFITTED = 1e-3
"""Accuracy of exposures that are searched by refitting, decades."""
_DEFINED, _ROUNDS = 0.01, 2
"""Relative accuracy to which a search at an exposure gives back its separation, and how
often an exposure is looked for, each time from what that search found."""
_ALIKE = 0.02
"""Relative difference between a separation and the linear model that extrapolates it."""


class TruthCell:
    """A truth on the bench: its Asimov data, its own fit and its rivals'."""

    def __init__(self, bench: Bench, model: ModelLike, truth: Parameters) -> None:
        self.bench, self.model, self.truth = bench, model, truth
        self.field_nG = model.field(truth)
        self.m1_meV = EV_TO_MILLI_EV * truth.m1_eV
        data = bench.data(self.field_nG)
        self.own = bench.likelihood(model, data, model, truth)
        self.vector = model.vector(truth)

    def alternative(self, target: Target) -> Alternative:
        """What a truth is told from, by the same data."""
        bench, own = self.bench, self.truth
        if target == "mass":
            library, likelihood = bench.library(own.ordering, own.nature), self.own
        else:
            ordering, nature = own.ordering, own.nature
            pair = (OTHER[ordering], nature) if target == "ordering" else (ordering, OTHER[nature])
            library = bench.library(*pair)
            likelihood = bench.likelihood(library.hypothesis, self.own.data, self.model, self.truth)
        rival = library.hypothesis
        points = [
            rival.at(self.m1_meV, (own.delta, own.alpha21, own.alpha31)),
            *library.nearest(self.field_nG),
        ]
        held = 0.0 if target == "mass" else None
        return Alternative(likelihood, [rival.vector(point) for point in points], held)


@dataclass(frozen=True)
class Alternative:
    """What a truth is told from: a likelihood of its data, starts, and m1 where it is held.

    Attributes
    ----------
    likelihood : Likelihood
    starts : list of ndarray, shape (d,)
        At the truth's mass and phases, then at the nearest points of the library.
    m1_meV : float, optional
    """

    likelihood: Likelihood
    starts: list[FloatArray]
    m1_meV: float | None

    def search(self, *more: FloatArray) -> BestEnd:
        """The best fit, from more starts, too."""
        return Profile(self.likelihood).search([*more, *self.starts], self.m1_meV)

    def follow(self, start: FloatArray) -> Fit:
        """Where one start leads."""
        return Profile(self.likelihood).follow(start, self.m1_meV)

    def at(self, noise: Noise, exposure_s: float) -> Alternative:
        """The same with the noise of another exposure."""
        own = self.likelihood
        data = replace(own.data, covariance=noise.covariance(exposure_s))
        moved = Likelihood(own.prior, own.response, data, own.shapes, own.external, own.factors)
        return replace(self, likelihood=moved)


def fisher_cell(cell: TruthCell) -> FisherCell[float]:
    """Forecast from derivatives: of m1 by its error, of rivals by ``extrapolated``."""
    bench, noise = cell.bench, cell.bench.noise
    judged = validity(cell.own, cell.vector, noise, bench.m1_max_meV)
    own = bench.by_exposure(cell.own, cell.vector)
    return FisherCell(
        sigma_m1_meV=own.sigma(noise.exposure_s),
        peak_nG=float(cell.field_nG[np.argmax(np.abs(cell.field_nG))]),
        peak_snr=float(np.max(np.abs(cell.field_nG) / np.sqrt(np.diag(bench.covariance)))),
        error=Flags(
            valid=float(judged.valid),
            at_boundary=float(judged.boundary),
            nonlinearity=judged.nonlinearity,
            phases_unknown=float(judged.phases),
        ),
        derived=_derived_errors(cell, phases_known=not judged.phases),
        against=Separations(
            mass=_linear(lambda t: cell.m1_meV / own.sigma(t), noise, judged.valid),
            ordering=extrapolated(cell, "ordering"),
            nature=extrapolated(cell, "nature"),
        ),
    )


def _derived_errors(cell: TruthCell, *, phases_known: bool) -> DerivedErrors[float]:
    """Errors of derived quantities at the study's exposure, to first order."""
    prior = cell.own.prior
    quantities = quantities_of(prior, cell.truth.nature)
    slopes = quantities.slopes(prior, cell.vector)
    whole, noise = expand(cell.own, cell.vector), cell.bench.noise
    found = {name: sigma_along(whole, noise, noise.exposure_s, row) for name, row in slopes.items()}
    if not phases_known:
        found.pop(DOUBLE_BETA, None)
    return DerivedErrors(*(found.get(one.name, np.nan) for one in fields(DerivedErrors)))


def _linear(curve: Callable[[float], float], noise: Noise, confirmed: bool) -> Against[float]:
    """Separation and exposures of a significance by exposure."""
    first, second = (reached(curve, level, noise) for level in LEVELS)
    return Against(curve(noise.exposure_s), first, second, float(confirmed))


def reached(curve: Callable[[float], float], level: float, noise: Noise) -> float:
    """Exposure at which a significance reaches a level, s; the search begins at the study's."""
    return required_exposure(curve, level, start_s=noise.exposure_s, monotone=not noise.drifts)


def separation(cell: TruthCell, target: Rival) -> float:
    """Standard deviations between a truth and a rival; NaN where no search is confirmed."""
    return cell.alternative(target).search().sigmas


def extrapolated(cell: TruthCell, target: Rival) -> Against[float]:
    """Separation of a rival, and exposures by its linear model at its best fit.

    Where phases conserve CP the linear model may promise what no step gains; they stay
    where they are then. Without a model that gives the separation itself there are no
    exposures.
    """
    rival, noise = cell.alternative(target), cell.bench.noise
    found = rival.search()
    if not found.confirmed:
        return Against(np.nan, np.nan, np.nan, 0.0)
    curve = _extrapolation(cell, rival.likelihood, found.fit)
    first, second = (reached(curve, level, noise) if curve else np.nan for level in LEVELS)
    return Against(found.sigmas, first, second, 1.0)


def _extrapolation(
    cell: TruthCell, likelihood: Likelihood, fit: Fit
) -> Callable[[float], float] | None:
    """Significance by exposure of a linearised rival that has the chi-squared of its fit."""
    noise, room = cell.bench.noise, cell.bench.room(float(fit.vector[0]))
    whole = expand(likelihood, fit.vector)
    for expansion in (whole, whole.without(PARAMETERS.phases)):
        model = ByExposure(expansion, noise)
        if _alike(model.chi2(noise.exposure_s, room), fit.chi2):
            return _significance(model, room)
    return None


def _alike(one: float, other: float) -> bool:
    """Whether two chi-squared are the same separation."""
    low, high = sorted(np.sqrt([one, other]))
    return bool(high - low <= _ALIKE * max(low, 1.0))


def _significance(model: ByExposure, room: Room) -> Callable[[float], float]:
    return lambda exposure_s: float(np.sqrt(model.chi2(exposure_s, room)))


def asimov_cell(cell: TruthCell, *, exposures: bool) -> AsimovCell[float]:
    """Forecast from profile likelihoods of expectation data; see ``Profile``."""
    return AsimovCell(
        sigma_m1_meV=half_width(cell),
        against=Separations(
            mass=_profiled(cell, "mass", exposures),
            ordering=_profiled(cell, "ordering", exposures),
            nature=_profiled(cell, "nature", exposures),
        ),
    )


def _profiled(cell: TruthCell, target: Target, exposures: bool) -> Against[float]:
    """Separation, and the exposures: the search for each begins where the last ended."""
    rival, noise = cell.alternative(target), cell.bench.noise
    found = rival.search()
    reached_s, start_s, warm = [np.nan, np.nan], noise.exposure_s, found.fit.vector
    if exposures and found.confirmed:
        for k, level in enumerate(LEVELS):
            reached_s[k], warm = refitted_exposure(rival, level, noise, (start_s, warm))
            start_s = reached_s[k] if np.isfinite(reached_s[k]) else start_s
    first, second = reached_s
    return Against(found.sigmas, first, second, float(found.confirmed))


def refitted_exposure(
    rival: Alternative, level: float, noise: Noise, begin: tuple[float, FloatArray]
) -> tuple[float, FloatArray]:
    """Exposure at which refits reach a level, and the fit there.

    The exposure counts if a search there, from all starts, gives the level back; otherwise
    it is looked for again from what that search found. NaN if it never does.

    Parameters
    ----------
    rival : Alternative
    level : float
    noise : Noise
    begin : (float, ndarray)
        Exposure and free parameters (d,) where the search begins.
    """
    start_s, warm = begin
    for _ in range(_ROUNDS):
        curve = _Refits(rival, noise, warm)
        exposure_s = required_exposure(
            curve, level, start_s=start_s, monotone=not noise.drifts, decades=_REFITTED
        )
        if not np.isfinite(exposure_s):
            return exposure_s, warm
        judged = rival.at(noise, exposure_s).search(curve.warm)
        start_s, warm = exposure_s, judged.fit.vector
        excess = judged.sigmas / level - 1.0
        if abs(excess) <= _DEFINED or (exposure_s <= SHORTEST_S and excess > 0.0):
            return exposure_s, warm
        if not judged.confirmed:
            break
    return np.nan, warm


class _Refits:
    """Significance by exposure, each fit starting from the one before."""

    def __init__(self, rival: Alternative, noise: Noise, warm: FloatArray) -> None:
        self._rival, self._noise, self.warm = rival, noise, warm
        self._known: dict[float, float] = {}

    def __call__(self, exposure_s: float) -> float:
        if exposure_s not in self._known:
            fit = self._rival.at(self._noise, exposure_s).follow(self.warm)
            self.warm = fit.vector
            self._known[exposure_s] = float(np.sqrt(fit.chi2))
        return self._known[exposure_s]


def half_width(cell: TruthCell) -> float:
    """Half the interval Delta chi^2 < 1; the upper half where 0 cuts it; NaN if open."""
    profile, best = Profile(cell.own), Fit(cell.vector, 0.0)
    noise, m1, bound = cell.bench.noise, cell.m1_meV, profile.m1_max_meV
    error = sigma(expand(cell.own, cell.vector), noise, noise.exposure_s)
    step = min(error, bound / _STRIDES)
    upper = crossing(profile, best, 1.0, step) if m1 < bound else np.nan
    lower = crossing(profile, best, 1.0, -step) if m1 > MASSLESS_MEV else np.nan
    sides = [abs(edge - m1) for edge in (lower, upper) if np.isfinite(edge)]
    return float(np.mean(sides)) if np.isfinite(upper) else np.nan


def ensemble_cell(
    cell: TruthCell, seeds: Sequence[np.random.SeedSequence]
) -> EnsembleCell[FloatArray]:
    """Fits of drawn data: estimates of m1 and likelihood ratios, shape (datasets,).

    Each Gaussian prior is a calibration, drawn anew with every data set. The fit of a
    rival begins at its fit of the expectation, too.
    """
    rivals = {target: cell.alternative(target) for target in RIVALS}
    expected = {target: rival.search().fit.vector for target, rival in rivals.items()}

    def row(seed: np.random.SeedSequence) -> EnsembleCell[float]:
        drawn = Drawn(cell, np.random.default_rng(seed))
        best = drawn.profile.best([cell.vector])

        def ratio(target: Rival) -> float:
            profile = drawn.profile_of(rivals[target].likelihood)
            return profile.best([expected[target], *rivals[target].starts]).chi2 - best.chi2

        massless = drawn.profile.at(0.0, best.vector).chi2 - best.chi2
        return EnsembleCell(float(best.vector[0]), massless, ratio("ordering"), ratio("nature"))

    whole: EnsembleCell[FloatArray] = stacked([row(seed) for seed in seeds])
    return whole


class Drawn:
    """One mock experiment: its data, and what each calibration found."""

    def __init__(self, cell: TruthCell, rng: np.random.Generator) -> None:
        noise = cell.own.whitening.cholesky @ rng.standard_normal(cell.field_nG.size)
        self._field_nG = cell.field_nG + noise
        names = cell.own.prior.names
        self._shifts = dict(zip(names, rng.standard_normal(len(names)), strict=True))
        self._rng, self._found = rng, dict[str, FloatArray]()
        self.profile = self.profile_of(cell.own)

    def profile_of(self, likelihood: Likelihood) -> Profile:
        """Profile of these data under a hypothesis."""
        names = Calibrations(likelihood.prior).names
        shifts = np.array([self._shifts.get(name, 0.0) for name in names])
        drawn = likelihood.with_data(self._field_nG)
        if drawn.external:
            drawn = drawn.with_external(drawn.external.drawn(self._of_term))
        return Profile(drawn, Profile(drawn).expected + shifts)

    def _of_term(self, name: str, size: int) -> FloatArray:
        """What a constraint finds (size,), the same under every hypothesis."""
        if name not in self._found:
            self._found[name] = self._rng.standard_normal(size)
        return self._found[name]
