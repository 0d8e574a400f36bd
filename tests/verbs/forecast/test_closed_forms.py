"""Every number that a forecast publishes, where all is linear, against its closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, astuple, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.stats import norm

from renp_infer.errors import ConvergenceError
from renp_infer.inference.profiles.fisher import expand
from renp_infer.inference.profiles.profile import BestEnd, Fit, Profile
from renp_infer.inference.profiles.upper_limits import UpperLimits
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, FloatArray
from renp_infer.verbs.forecast import bench as forecast_bench
from renp_infer.verbs.forecast import cells as forecast_cells
from renp_infer.verbs.forecast import corrections
from renp_infer.verbs.forecast import steps as module
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import (
    Drawn,
    TruthCell,
    asimov_cell,
    ensemble_cell,
    extrapolated,
    fisher_cell,
    half_width,
    reached,
    refitted_exposure,
    separation,
)
from renp_infer.verbs.forecast.limits import drawn_limits, expected_limits
from renp_infer.verbs.forecast.quantities import (
    KINDS,
    PERCENTS,
    RIVALS,
    Against,
    Rival,
    Target,
)
from renp_infer.verbs.forecast.steps import steps
from tests.toys import straight_bench as toy
from tests.toys.expected import ALONE, STRAIGHT, THETA, asimov, hypothesis, noise
from tests.toys.straight_bench import (
    EXPOSURE,
    SYSTEMATICS,
    Closed,
    exposure_of,
    pattern,
    straight_bench,
    straight_cell,
)

TRUTH = 50.0
CORRECTED = asdict(PRESETS["corrected"])
SEARCHED = 3e-3
"""Relative: refits stop within 1e-3 decades, edges of an interval within 1e-3 of it."""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return straight_bench(tmp_path, monkeypatch)


def curve_of(closed: Closed, target: Target) -> Callable[[float], float]:
    """Separation by exposure."""
    if target == "mass":
        return lambda t: closed.m1_meV / closed.sigma(t)
    return lambda t: closed.separation(added(target), t)


def added(rival: Rival) -> FloatArray:
    """What a rival of the normal ordering and Dirac adds to the field."""
    return pattern("inverted", "dirac") if rival == "ordering" else pattern("normal", "majorana")


@pytest.mark.parametrize("target", ["mass", *RIVALS])
def test_errors_separations_and_exposures(bench: Bench, target: Target) -> None:
    closed, cell = Closed(TRUTH), straight_cell(bench, TRUTH)
    curve = curve_of(closed, target)
    fisher, asimov = fisher_cell(cell), asimov_cell(cell, exposures=True)
    assert fisher.sigma_m1_meV == pytest.approx(closed.sigma(), rel=1e-8)
    assert asimov.sigma_m1_meV == pytest.approx(closed.sigma(), rel=SEARCHED)
    assert fisher.error.valid == 1.0

    def agrees(found: Against[float], accuracy: float) -> None:
        assert found.confirmed == 1.0
        assert found.separation == pytest.approx(curve(EXPOSURE), rel=1e-6)
        assert found.exposure_3sigma_s == pytest.approx(exposure_of(curve, 3.0), rel=accuracy)
        assert found.exposure_5sigma_s == pytest.approx(exposure_of(curve, 5.0), rel=accuracy)

    agrees(fisher.against.of(target), 5e-4)
    agrees(asimov.against.of(target), 2.0 * SEARCHED)
    if target != "mass":
        assert separation(cell, target) == pytest.approx(curve(EXPOSURE), rel=1e-6)


def test_errors_of_what_other_experiments_measure(bench: Bench) -> None:
    """Of the lightest mass itself that of m1; of the sum by a covariance and differences."""
    cell = straight_cell(bench, TRUTH)
    found = fisher_cell(cell).derived
    assert found.mass_1_meV == pytest.approx(Closed(TRUTH).sigma(), rel=1e-8)
    columns, _ = expand(cell.own, cell.vector).system(bench.noise, EXPOSURE)
    covariance, names = np.linalg.inv(columns.T @ columns), cell.own.prior.names

    def total(vector: FloatArray) -> float:
        values = cell.own.prior.values(vector)
        light = 1e-3 * values["m1_meV"]
        others = [np.sqrt(light**2 + values[name]) for name in ("dm2_21", "dm2_3l")]
        return 1e3 * float(light + sum(others))

    slopes = np.zeros(len(names))
    for k, size in enumerate(np.abs(cell.vector)):
        step = np.zeros(len(names))
        step[k] = 1e-4 * (size or 1.0)
        slopes[k] = (total(cell.vector + step) - total(cell.vector - step)) / (2.0 * step[k])
    expected = float(np.sqrt(slopes @ covariance @ slopes))
    assert expected > 1.05 * Closed(TRUTH).sigma()
    assert found.sum_meV == pytest.approx(expected, rel=1e-5)


def test_double_beta_decay_has_an_error_where_phases_are_known_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = bench.hypothesis("normal", "majorana")
    cell, judge = TruthCell(bench, model, model.at(TRUTH)), forecast_cells.validity
    for unknown in (False, True):

        def judged(*words: Any, unknown: bool = unknown) -> Any:
            return replace(judge(*words), phases=unknown)

        monkeypatch.setattr(forecast_cells, "validity", judged)
        found = fisher_cell(cell).derived
        assert np.isnan(found.m_betabeta_meV) == unknown and found.sum_meV > 0.0
    assert np.isnan(fisher_cell(straight_cell(bench, TRUTH)).derived.m_betabeta_meV)  # Dirac


def test_peaks_and_flags_of_a_cell(bench: Bench) -> None:
    """Where all is linear nothing speaks against derivatives, but a mass within 2 sigma of 0."""
    closed, sigma = Closed(TRUTH), Closed(0.0).sigma()
    found = fisher_cell(straight_cell(bench, TRUTH))
    assert found.peak_nG == pytest.approx(closed.peak, rel=1e-10)
    assert found.peak_snr == pytest.approx(closed.peak / toy.SIGMA, rel=1e-10)
    assert found.error.nonlinearity == pytest.approx(0.0, abs=1e-9)
    assert (found.error.valid, found.error.at_boundary, found.error.phases_unknown) == (1, 0, 0)
    for pull, at_boundary in ((1.9, 1.0), (2.1, 0.0)):
        near = fisher_cell(straight_cell(bench, pull * sigma))
        assert near.error.at_boundary == at_boundary == 1.0 - near.error.valid
        assert near.against.mass.confirmed == near.error.valid


def test_a_search_that_is_not_confirmed_has_no_number_at_all(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = straight_cell(bench, TRUTH)
    lost = BestEnd(Fit(cell.vector, 4.0), False)
    monkeypatch.setattr(Profile, "search", lambda *_: lost)
    for one in (fisher_cell(cell), asimov_cell(cell, exposures=True)):
        for rival in RIVALS:
            *numbers, confirmed = astuple(one.against.of(rival))
            assert len(numbers) == 3 and np.all(np.isnan(numbers))
            assert confirmed == 0.0


@pytest.mark.parametrize("target", ["mass", *RIVALS])
def test_exposures_satisfy_their_own_definition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Target
) -> None:
    """The study at the quoted exposure forecasts the significance that it is quoted for."""
    cell = straight_cell(straight_bench(tmp_path, monkeypatch), TRUTH)
    for one in (fisher_cell(cell), asimov_cell(cell, exposures=True)):
        found = one.against.of(target)
        for level, exposure in ((3.0, found.exposure_3sigma_s), (5.0, found.exposure_5sigma_s)):
            assert 1.0 < exposure < 1e60
            with monkeypatch.context() as patch:
                patch.setattr(toy, "NOISE", toy.Noise(toy.NOISE.covariance, False, exposure))
                there = straight_bench(tmp_path, patch, f"detector.exposure_s={exposure}")
                again = asimov_cell(straight_cell(there, TRUTH), exposures=False)
                assert again.against.of(target).separation == pytest.approx(level, rel=SEARCHED)


def test_statistics_alone_go_with_the_root_of_the_exposure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = straight_bench(tmp_path, monkeypatch, "forecast.systematics=['phases']")
    cell = straight_cell(bench, TRUTH)
    model = bench.by_exposure(cell.own, cell.vector)
    expected = Closed(TRUTH, ()).sigma()
    for factor in (1e-3, 1.0, 1e6, 1e20):
        wanted = expected / np.sqrt(factor)
        assert model.sigma(factor * EXPOSURE) == pytest.approx(wanted, rel=1e-10, abs=0)
    for against in (fisher_cell(cell).against, asimov_cell(cell, exposures=True).against):
        for target in ("mass", *RIVALS):
            found = against.of(target)
            ratio = found.exposure_5sigma_s / found.exposure_3sigma_s
            assert ratio == pytest.approx(25.0 / 9.0, rel=2.0 * SEARCHED)


def test_a_rival_that_would_like_a_negative_mass_stays_at_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It adds what 60 meV would: closed form with the mass held, all else free."""

    def leaning(ordering: str, nature: str) -> FloatArray:
        more = 60.0 * toy.MASS_SLOPE if nature == "majorana" else 0.0
        return pattern(ordering, nature) + more

    monkeypatch.setattr(toy, "pattern", leaning)
    cell = straight_cell(straight_bench(tmp_path, monkeypatch), 3.0)
    assert cell.alternative("nature").search().fit.vector[0] == 0.0
    closed, misfit = Closed(3.0), 3.0 * toy.MASS_SLOPE - leaning("normal", "majorana")
    design, precision = closed.design[:, 1:], closed.precision[1:, 1:]

    def curve(exposure_s: float) -> float:
        weight = exposure_s / (toy.SIGMA**2 * EXPOSURE)
        pulled = weight * design.T @ misfit
        inverse = np.linalg.inv(weight * design.T @ design + precision)
        return float(np.sqrt(weight * misfit @ misfit - pulled @ inverse @ pulled))

    free = closed.separation(leaning("normal", "majorana"))
    assert curve(EXPOSURE) > 1.3 * free
    for one in (fisher_cell(cell), asimov_cell(cell, exposures=True)):
        found = one.against.nature
        assert found.separation == pytest.approx(curve(EXPOSURE), rel=1e-6)
        assert found.exposure_3sigma_s == pytest.approx(exposure_of(curve, 3.0), rel=2.0 * SEARCHED)
        assert found.exposure_5sigma_s == pytest.approx(exposure_of(curve, 5.0), rel=2.0 * SEARCHED)


def test_exposures_that_are_not_asked_for_are_not_there(bench: Bench) -> None:
    found = asimov_cell(straight_cell(bench, TRUTH), exposures=False)
    for target in ("mass", *RIVALS):
        one = found.against.of(target)
        assert np.isnan([one.exposure_3sigma_s, one.exposure_5sigma_s]).all()
        assert one.confirmed == 1.0


def test_without_a_linear_model_there_is_a_separation_and_no_exposure(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast_cells, "_extrapolation", lambda *_: None)
    found = extrapolated(straight_cell(bench, TRUTH), "nature")
    closed = Closed(TRUTH).separation(added("nature"))
    assert (found.separation, found.confirmed) == (pytest.approx(closed, rel=1e-6), 1.0)
    assert np.isnan([found.exposure_3sigma_s, found.exposure_5sigma_s]).all()


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [(3.0, 3.059, True), (3.0, 3.061, False), (0.0, 0.019, True), (0.0, 0.021, False)],
)
def test_separations_are_alike_to_two_percent_of_them_or_of_one(
    one: float, other: float, alike: bool
) -> None:
    assert forecast_cells._alike(one**2, other**2) is alike
    assert forecast_cells._alike(other**2, one**2) is alike


class Valleys:
    """A rival with two valleys: a start at 0 stays in the first, a search ends in the second.

    ``searches`` counts them; what a search finds may not be confirmed.
    """

    def __init__(
        self,
        first: Callable[[float], float],
        second: Callable[[float], float],
        *,
        confirmed: bool = True,
        place: float = 1.0,
    ) -> None:
        self.curves = {0.0: first, 1.0: second}
        self.confirmed, self.place, self.searches = confirmed, place, 0

    def at(self, _: object, exposure_s: float) -> Any:
        def follow(start: FloatArray) -> Fit:
            return Fit(start, self.curves[float(start[0])](exposure_s) ** 2)

        def search(_: FloatArray) -> BestEnd:
            self.searches += 1
            fit = Fit(np.array([self.place]), self.curves[1.0](exposure_s) ** 2)
            return BestEnd(fit, self.confirmed)

        return SimpleNamespace(follow=follow, search=search)


def rising(scale: float) -> Callable[[float], float]:
    """Three sigma after ``scale`` seconds."""
    return lambda exposure_s: 3.0 * float(np.sqrt(exposure_s / scale))


def looked_for(valleys: Valleys, *, drifts: bool = False, start_s: float = 50.0) -> Any:
    noise = toy.Noise(toy.NOISE.covariance, drifts, EXPOSURE)
    return refitted_exposure(valleys, 3.0, noise, (start_s, np.zeros(1)))


def test_an_exposure_that_a_search_belies_is_looked_for_again() -> None:
    """900 s in the first valley, but 3600 s in the second, which the search there finds."""
    valleys = Valleys(rising(900.0), rising(3600.0))
    exposure, warm = looked_for(valleys)
    assert exposure == pytest.approx(3600.0, rel=SEARCHED)
    assert (warm.tolist(), valleys.searches) == ([1.0], 2)


def test_an_exposure_that_searches_never_give_back_is_none() -> None:
    """Two rounds, each belied; one only, where the search is not even confirmed."""
    for confirmed, searches in ((True, 2), (False, 1)):
        valleys = Valleys(rising(900.0), rising(3600.0), confirmed=confirmed, place=0.0)
        exposure, _ = looked_for(valleys)
        assert np.isnan(exposure)
        assert valleys.searches == searches


def test_the_shortest_exposure_suffices_where_a_search_says_so() -> None:
    valleys = Valleys(rising(0.01), rising(0.02))
    assert (looked_for(valleys)[0], valleys.searches) == (1.0, 1)
    assert looked_for(Valleys(rising(0.01), rising(0.5)))[0] == 1.0
    belied = Valleys(rising(0.01), rising(90.0))
    assert looked_for(belied)[0] == pytest.approx(90.0, rel=SEARCHED)


def test_what_no_exposure_reaches_is_infinite() -> None:
    valleys = Valleys(lambda _: 2.9, rising(900.0))
    assert (looked_for(valleys)[0], valleys.searches) == (np.inf, 0)


@pytest.mark.parametrize("first", [100.0, np.nan, np.inf])
def test_the_second_exposure_is_looked_for_from_the_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, first: float
) -> None:
    """Or from the study's, where there is no first; each from the fit before."""
    begun: list[tuple[float, float, float]] = []

    def refitted(_: object, level: float, __: object, begin: Any) -> tuple[float, FloatArray]:
        begun.append((level, begin[0], float(begin[1][0])))
        return (first, np.array([7.0])) if level == 3.0 else (500.0, np.array([8.0]))

    monkeypatch.setattr(forecast_cells, "refitted_exposure", refitted)
    found = asimov_cell(straight_cell(bench, TRUTH), exposures=True).against.mass
    start = first if np.isfinite(first) else EXPOSURE
    assert begun[:2] == [(3.0, EXPOSURE, 0.0), (5.0, start, 7.0)]
    assert (found.exposure_3sigma_s, found.exposure_5sigma_s) == (
        pytest.approx(first, nan_ok=True),
        500.0,
    )


def test_with_a_drift_the_first_crossing_counts() -> None:
    """Three sigma at 20 s, lost again at 2000 s, and for good after 2e5 s."""

    def wave(exposure_s: float) -> float:
        decade = np.log10(exposure_s / 20.0)
        return 3.0 + min(decade, 2.0 - decade) if decade < 3.0 else decade - 1.0

    found = looked_for(Valleys(wave, wave), drifts=True, start_s=1e6)
    assert found[0] == pytest.approx(20.0, rel=SEARCHED)
    drifting = toy.Noise(toy.NOISE.covariance, True, 1e6)
    assert reached(wave, 3.0, drifting) == pytest.approx(20.0, rel=SEARCHED)


def test_a_rival_is_searched_from_the_phases_of_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = straight_bench(tmp_path, monkeypatch, "forecast.systematics=['phases']")
    model = bench.hypothesis("normal", "majorana")
    truth = model.at(TRUTH, (0.3, 1.1, 2.2))
    for target, free in (("ordering", 3), ("mass", 3), ("nature", 1)):
        rival = TruthCell(bench, model, truth).alternative(target)
        values = rival.likelihood.prior.values(rival.starts[0])
        assert values["m1_meV"] == pytest.approx(TRUTH)
        phases = [values[f"{name}_deg"] for name in ("delta", "alpha21", "alpha31")]
        assert phases[:free] == pytest.approx(np.rad2deg([0.3, 1.1, 2.2])[:free])


def test_a_rival_keeps_the_shapes_of_its_offsets_at_all_exposures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.module, "offset_shapes", lambda *_: {"leakage": toy.UNIT**2})
    bench = straight_bench(tmp_path, monkeypatch, "inference.leakage_sd=1e-3")
    rival = straight_cell(bench, TRUTH).alternative("nature")
    moved = rival.at(bench.noise, 4.0 * EXPOSURE)
    assert np.array_equal(moved.likelihood.shapes["leakage"], rival.likelihood.shapes["leakage"])
    assert moved.likelihood.data.sigma == pytest.approx(np.full(toy.N, 0.5 * toy.SIGMA))


def test_more_exposure_never_hurts(bench: Bench) -> None:
    cell = straight_cell(bench, TRUTH)
    times = np.geomspace(1.0, 1e20, 60)
    model = bench.by_exposure(cell.own, cell.vector)
    assert np.all(np.diff([model.sigma(t) for t in times]) < 0.0)
    for target in ("mass", *RIVALS):
        rival = cell.alternative(target)
        refits = [rival.at(bench.noise, t).search().sigmas for t in times[::6]]
        assert np.all(np.diff(refits) > 0.0)


def test_limits_of_the_median_experiment(bench: Bench) -> None:
    found, sigma = expected_limits(straight_cell(bench, 0.0)), Closed(0.0).sigma()
    assert found.fisher_sigma_m1_meV == pytest.approx(sigma, rel=1e-6)
    assert found.fisher_valid == 1.0
    for percent in PERCENTS:
        level = percent / 100.0
        quantiles = {"confidence": norm.ppf(level), "credible": norm.ppf(0.5 * (1.0 + level))}
        for kind in KINDS:
            expected = quantiles[kind] * sigma
            assert found.fisher.of(kind, percent) == pytest.approx(expected, rel=1e-6)
            # credible ones by a trapezium rule with 24 points over 4 standard errors
            accuracy = {"confidence": SEARCHED * expected, "credible": 0.02 * sigma}[kind]
            assert found.asimov.of(kind, percent) == pytest.approx(expected, abs=accuracy)


def test_a_limit_beyond_the_largest_mass_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.4 standard errors: above the limit of 90 % confidence, below all others."""
    largest = 1.4 * Closed(0.0).sigma()
    keys = (f"inference.m1_max_meV={largest}", "neutrino.m1_meV=0", "forecast.m1_meV=[0.1]")
    bench = straight_bench(tmp_path, monkeypatch, *keys)
    found = expected_limits(straight_cell(bench, 0.0))
    assert found.m1_max_meV == pytest.approx(largest)
    for limits in (found.fisher, found.asimov):
        assert np.isfinite(limits.confidence_90_meV)
        assert np.isnan(limits.confidence_95_meV)
    assert np.isnan([found.fisher.credible_90_meV, found.fisher.credible_95_meV]).all()


def drawn(cell: toy.Cell, seed: np.random.SeedSequence) -> tuple[np.ndarray, np.ndarray]:
    """Noise (n,) and calibrations (k,), in standard deviations, of a data set."""
    rng = np.random.default_rng(seed)
    noise = toy.SIGMA * rng.standard_normal(toy.N)
    names = cell.own.prior.names
    shifts = dict(zip(names, rng.standard_normal(len(names)), strict=True))
    order = ("baseline_nG", "refractive_index", "theta_s_offset_deg", "theta_e_offset_deg")
    return noise, np.array([shifts[name] for name in order])


def test_fits_of_drawn_data(bench: Bench) -> None:
    closed, cell = Closed(TRUTH), straight_cell(bench, TRUTH)
    seeds = np.random.SeedSequence(5).spawn(6)
    found = ensemble_cell(cell, seeds)
    for k, seed in enumerate(seeds):
        noise, shifts = drawn(cell, seed)
        best = TRUTH + closed.estimate(noise, shifts)[0]
        own = closed.chi2(noise, shifts)
        assert found.best_m1_meV[k] == pytest.approx(best, abs=1e-3 * closed.sigma())
        assert found.ratio_mass[k] == pytest.approx((best / closed.sigma()) ** 2, rel=1e-3)
        for rival in RIVALS:
            expected = closed.chi2(noise - added(rival), shifts) - own
            assert found.ratio(rival)[k] == pytest.approx(expected, abs=1e-3)


def upper(estimate: float, level: float) -> float:
    """Confidence limit of an estimate, in standard errors, by the rise above m1 >= 0."""
    z = float(norm.ppf(level))
    return estimate + z if estimate >= 0.0 else estimate + float(np.hypot(estimate, z))


def test_drawn_limits(bench: Bench) -> None:
    closed, cell = Closed(0.0), straight_cell(bench, 0.0)
    seeds = np.random.SeedSequence(11).spawn(8)
    found, sigma = drawn_limits(cell, seeds).ensemble, closed.sigma()
    pulls = [closed.estimate(*drawn(cell, seed))[0] / sigma for seed in seeds]
    assert min(pulls) < -0.3 and max(pulls) > 0.3
    for percent in PERCENTS:
        for k, pull in enumerate(pulls):
            confidence = upper(pull, percent / 100.0)
            cut = norm.isf((1.0 - percent / 100.0) * norm.sf(-pull)) + pull
            assert found.of("confidence", percent)[k] / sigma == pytest.approx(confidence, rel=5e-3)
            assert found.of("credible", percent)[k] / sigma == pytest.approx(cut, abs=0.02)


def test_limits_cover(bench: Bench) -> None:
    """Truth two standard errors above 0, where the limit is that of a Gaussian: exact coverage."""
    sigma, count, level = Closed(0.0).sigma(), 200, 0.9
    cell = straight_cell(bench, 2.0 * sigma)
    covered = []
    for seed in np.random.SeedSequence(3).spawn(count):
        profile = Drawn(cell, np.random.default_rng(seed)).profile
        limits = UpperLimits(profile, profile.best([cell.vector]), sigma)
        covered.append(limits.confidence(level) >= cell.m1_meV)
    assert np.mean(covered) == pytest.approx(level, abs=4.0 * np.sqrt(level * 0.1 / count))


def test_steps_impacts_and_the_required_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Closed(TRUTH).sigma()
    goal = 0.95 * full
    bench = straight_bench(tmp_path, monkeypatch, f"forecast.goal_meV={goal}")
    found, names = steps(bench), list(SYSTEMATICS)
    assert found.sigma_m1_meV.shape == found.asimov_sigma_m1_meV.shape == (len(names) + 1,)
    for k in range(len(names) + 1):
        closed = Closed(TRUTH, tuple(c for name in names[:k] for c in SYSTEMATICS[name]))
        assert found.sigma_m1_meV[k] == pytest.approx(closed.sigma(), rel=1e-8)
        assert found.asimov_sigma_m1_meV[k] == pytest.approx(closed.sigma(), rel=SEARCHED)
        exposures = ((found.exposure_3sigma_s, TRUTH / 3.0), (found.exposure_goal_s, goal))
        for column, error in exposures:
            expected = exposure_of(lambda t, c=closed, e=error: e / c.sigma(t), 1.0)
            assert column[k] == pytest.approx(expected, rel=5e-4)
        for place in (0, 13, 26):
            error = closed.sigma(found.curve_exposure_s[place])
            assert found.curve_meV[k][place] == pytest.approx(error, rel=1e-6)
    for k, name in enumerate(names):
        own = tuple(SYSTEMATICS[name])
        known = Closed(TRUTH, tuple(c for c in (1, 2, 3, 4) if c not in own)).sigma()
        impact = np.sqrt(full**2 - known**2)
        assert found.impact_meV[k] == pytest.approx(impact, rel=1e-6)
        error = SEARCHED * full**2 / impact
        assert found.asimov_impact_meV[k] == pytest.approx(impact, abs=2.0 * error)
        halved = full - Closed(TRUTH, narrower=(own, 0.5)).sigma()
        assert found.halving_meV[k] == pytest.approx(halved, abs=1e-6 * full)
        assert found.asimov_halving_meV[k] == pytest.approx(halved, abs=SEARCHED * full)
        # how a calibration enters the estimate: its covariance with m1, by its width
        widths = np.sqrt(np.diag(Closed(TRUTH).precision))
        shifts = Closed(TRUTH).covariance()[0] * widths
        assert found.shift_meV[k] == pytest.approx(np.linalg.norm(shifts[list(own)]), rel=1e-6)
        if known < goal:
            narrowed = Closed(TRUTH, narrower=(own, float(found.factor[k]))).sigma()
            assert narrowed == pytest.approx(goal, rel=1e-4)
        else:
            assert np.isnan(found.factor[k])
    assert np.isfinite(found.factor).any()
    weight = Closed(TRUTH).covariance()[0] @ Closed(TRUTH).design.T / toy.SIGMA
    assert np.sum(found.shift_meV**2) + weight @ weight == pytest.approx(full**2, rel=1e-6)
    for mass, row in zip(found.reach_m1_meV, found.reach, strict=True):
        expected = mass / Closed(float(mass)).sigma(found.curve_exposure_s[10])
        assert row[10] == pytest.approx(expected, rel=1e-6)


def test_a_goal_that_is_met_or_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second lies a little below what knowing any one systematic exactly would give."""
    full, others = Closed(TRUTH), [(2, 3, 4), (1, 3, 4), (1, 2)]
    best = min(Closed(TRUTH, columns).sigma() for columns in others)
    for goal, factor in ((1.01 * full.sigma(), 1.0), (0.99 * best, np.nan)):
        bench = straight_bench(tmp_path, monkeypatch, f"forecast.goal_meV={goal}")
        assert steps(bench).factor == pytest.approx([factor] * len(SYSTEMATICS), nan_ok=True)


def test_a_light_mass_has_an_exposure_and_none_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for m1_meV in (0.5, 0.0):
        bench = straight_bench(tmp_path, monkeypatch, f"neutrino.m1_meV={m1_meV}")
        found = steps(bench).exposure_3sigma_s
        for k, exposure in enumerate(found):
            columns = tuple(c for name in list(SYSTEMATICS)[:k] for c in SYSTEMATICS[name])
            curve = curve_of(Closed(m1_meV, columns), "mass")
            expected = exposure_of(curve, 3.0) if m1_meV > 0.0 else np.inf
            assert exposure == pytest.approx(expected, rel=5e-4)


def test_gains_by_profiles_are_differences_of_their_errors(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors said by hand: phases have no width to halve; what is within the accuracy is none."""
    errors = {3: 6.0, 2: 7.0, 1: 8.0, 0: 10.0}
    known = {"baseline": 8.0, "refractive-index": 9.99, "pointing": 10.01}
    halved = {"baseline": np.nan, "refractive-index": 9.95, "pointing": 9.99}

    def profiled(_: object, left_out: list[str] | tuple[str, ...]) -> float:
        return known[left_out[0]] if isinstance(left_out, list) else errors[len(left_out)]

    monkeypatch.setattr(module, "_profiled", profiled)
    monkeypatch.setattr(module, "_halved", lambda _, name: halved[name])
    found = steps(bench)
    assert found.asimov_sigma_m1_meV.tolist() == [6.0, 7.0, 8.0, 10.0]
    assert found.asimov_halving_meV == pytest.approx([2.0, 0.05, 0.0])
    impacts = [6.0, np.sqrt(10.0**2 - 9.99**2), 0.0]
    assert found.asimov_impact_meV == pytest.approx(impacts, rel=1e-12, abs=0)


def test_halving_changes_the_priors_of_one_systematic_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[toy.Cell] = []
    monkeypatch.setattr(module, "half_width", seen.append)
    monkeypatch.setattr(toy.module, "offset_shapes", lambda *_: {"leakage": toy.UNIT**2})
    bench = straight_bench(tmp_path, monkeypatch, "inference.leakage_sd=1e-3")
    cell = straight_cell(bench, TRUTH)
    module._halved(cell, "pointing")
    [moved] = seen
    assert moved.own.data is cell.own.data and moved.own.response is cell.own.response
    assert set(moved.own.shapes) == {"baseline_nG", "leakage"}
    assert np.array_equal(moved.own.shapes["leakage"], cell.own.shapes["leakage"])
    assert moved.own.prior.fixed == cell.own.prior.fixed
    before, after = cell.own.prior.marginals, moved.own.prior.marginals
    assert list(after) == list(before)
    for name, one in after.items():
        if name.startswith("theta_"):
            assert one == replace(before[name], sd=0.5 * before[name].sd)
        else:
            assert one == before[name]


class Double(toy.Linear):
    """Twice the field; what it was made of."""

    made: ClassVar[list[tuple[object, ...]]] = []

    def __init__(self, *words: object) -> None:
        super().__init__(*words)
        self.made.append(words)

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        field, jacobian = super().__call__(x)
        return 2.0 * field, 2.0 * jacobian


@pytest.mark.parametrize(
    ("variant", "changes"),
    [("published", {}), ("gamma_power", {"gamma_power": 2}), ("corrected", CORRECTED)],
)
def test_corrections(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    variant: str,
    changes: dict[str, Any],
) -> None:
    """Noise and field of its own, twice the bench's: m1 is known as there."""
    noises: list[tuple[object, ...]] = []
    loud = toy.Noise(lambda t: 4.0 * toy.NOISE.covariance(t), False, EXPOSURE)

    def noise_of(*words: object) -> toy.Noise:
        noises.append(words)
        return loud

    bench.hypothesis("normal", "dirac")  # its own response is not the double
    monkeypatch.setattr(Double, "made", [])
    monkeypatch.setattr(toy.Straight, "response", Double)
    monkeypatch.setattr(forecast_bench, "noise_of", noise_of)
    closed, found = Closed(TRUTH), corrections.correction(bench, variant)
    [(experiment, parameters, chi2, limit_eV)] = Double.made
    own, normal = bench.study.parameters, bench.experiment
    assert asdict(experiment.switches) == asdict(PRESETS["published"]) | changes
    assert normal.detector.reference_snr > 0.0 == experiment.detector.reference_snr
    assert (experiment.layout, experiment.lasers) == (normal.layout, normal.lasers)
    assert noises == [(experiment, own, 1e-3)]
    assert (parameters.ordering, chi2) == (own.ordering, 1e-3)
    assert limit_eV == pytest.approx(1e-3 * bench.m1_max_meV)
    assert found.peak_nG == pytest.approx(2.0 * closed.peak, rel=1e-10)
    assert found.sigma_nG == pytest.approx(2.0 * toy.SIGMA, rel=1e-10)
    assert found.sigma_m1_meV == pytest.approx(closed.sigma(), rel=1e-8)
    curve = curve_of(closed, "mass")
    for level, exposure in ((3.0, found.exposure_3sigma_s), (5.0, found.exposure_5sigma_s)):
        assert exposure == pytest.approx(exposure_of(curve, level), rel=5e-4)


def test_a_correction_without_printed_numbers_is_unknown(bench: Bench) -> None:
    """Of a target that prints none; where all is recomputed it needs none."""
    bench.experiment = replace(bench.experiment, target=load_target("ho-ylf"))
    found = astuple(corrections.correction(bench, "published"))
    assert len(found) == 5 and np.all(np.isnan(found))


def test_a_correction_without_a_good_response_is_unknown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the forecast stands: the signal that a switch would make is not its own."""

    def refused(*_words: object) -> None:
        raise ConvergenceError("tabulated response", 0.0126, 0.01)

    monkeypatch.setattr(forecast_bench.Bench, "hypothesis", refused)
    assert np.all(np.isnan(astuple(corrections.correction(bench, "published"))))


class Bent:
    """A template quadratic in the mass alone."""

    theta_s = THETA
    unit = np.linspace(1.0, 2.0, THETA.size)
    slope, bend = 0.1, 10.0
    """Per eV, and per eV squared."""

    def __call__(self, x):
        away = x[0] - 0.1
        jacobian = np.zeros((THETA.size, x.size))
        jacobian[:, 0] = self.unit * (self.slope + 2.0 * self.bend * away)
        return 1.0 + self.unit * (self.slope * away + self.bend * away**2), jacobian


def test_of_an_interval_that_a_bound_cuts_the_upper_side_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A truth within its error of 0 has that side only; within it of the largest mass, none."""
    sigma = Closed(TRUTH).sigma()
    bench = straight_bench(tmp_path, monkeypatch)
    assert half_width(straight_cell(bench, 0.6 * sigma)) == pytest.approx(sigma, rel=SEARCHED)
    monkeypatch.setattr(toy.module, "largest_mass_meV", lambda _: TRUTH + 0.5 * sigma)
    cut = straight_bench(tmp_path, monkeypatch)
    assert np.isnan(half_width(straight_cell(cut, TRUTH)))
    assert np.isnan(half_width(straight_cell(cut, cut.m1_max_meV)))


def test_half_an_interval_is_the_mean_of_unequal_sides() -> None:
    """Chi-squared is (slope d + bend d^2)^2 in units of the noise: both ends are roots."""
    model = hypothesis(Bent(), **STRAIGHT | ALONE)
    likelihood, vector = asimov(model, 100.0)
    error = 1e-3 / float(np.linalg.norm(Bent.unit))
    upper = (np.sqrt(Bent.slope**2 + 4.0 * Bent.bend * error) - Bent.slope) / (2.0 * Bent.bend)
    lower = (Bent.slope - np.sqrt(Bent.slope**2 - 4.0 * Bent.bend * error)) / (2.0 * Bent.bend)
    one = SimpleNamespace(
        own=likelihood, vector=vector, m1_meV=100.0, bench=SimpleNamespace(noise=noise())
    )
    expected = 500.0 * (upper + lower)
    assert 500.0 * (lower - upper) > 3.0 * SEARCHED * expected  # the sides do differ
    assert half_width(one) == pytest.approx(expected, rel=1e-3)
