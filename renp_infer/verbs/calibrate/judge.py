"""What mock experiments say: verdicts on posterior, hypotheses and belt.

Each part has one false-alarm rate for all its tests together: a test fails if its
p-value is below that rate divided by the number of tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from renp_infer.inference.judging.belt import LEVELS, belt_coverage, build_belt
from renp_infer.inference.judging.reliability import (
    calibration_error,
    calibration_p_value,
    reliability_curve,
)
from renp_infer.inference.judging.uniformity import EcdfTest, coverage
from renp_infer.inference.results.comparison import posterior_probabilities
from renp_infer.study.study import source_of
from renp_infer.verbs.calibrate.found import (
    Band,
    BeltTest,
    Calibration,
    Covered,
    Fits,
    Hypotheses,
    Kind,
    LimitCoverage,
    Quantity,
    Ranks,
    Reliability,
)
from renp_infer.verbs.calibrate.parts import belt_points, prior_odds

if TYPE_CHECKING:
    import xarray

    from renp_infer.records import FloatArray
    from renp_infer.study.sections.calibrate import CalibrateSection
    from renp_infer.study.study import Study

NOMINAL = (0.68, 0.95)
"""Credible intervals whose coverage is tested."""


def judge(study: Study, groups: Mapping[str, xarray.Dataset]) -> Calibration:
    """What the mock experiments of a study say.

    Parameters
    ----------
    study : Study
    groups : mapping
        Datasets along ``mock`` by kind: ``ranks``, ``hypotheses``, ``belt``.
    """
    section = study.calibration
    assert section is not None
    ranks, hypotheses, belt = (groups.get(kind) for kind in ("ranks", "hypotheses", "belt"))
    rng = np.random.default_rng(np.random.SeedSequence(study.seed, spawn_key=(2,)))
    rate, odds = section.false_alarm, prior_odds(study)
    found = Calibration(
        name=study.name,
        false_alarm=rate,
        data=source_of(study),
        ranks=None if ranks is None else _ranks(ranks, rate),
        hypotheses=None if hypotheses is None else _hypotheses(hypotheses, odds, rate, rng),
        belt=None if belt is None else _belt(belt, belt_points(study), section),
        verdict="pass",
        reasons=(),
    )
    reasons = tuple(
        reason
        for kind in groups
        for reason in _reasons(kind, found.kinds[kind], section.failed_fits_allowed)
    )
    return replace(found, verdict="fail" if reasons else "pass", reasons=reasons)


def _reasons(name: str, kind: Kind, failed_allowed: float) -> list[str]:
    """Why a kind fails the verdict: its tests, and too many failed fits."""
    share = kind.fits.failed / kind.fits.mocks
    failed = f"{name}: {100.0 * share:.1f} % of the fits failed"
    return [*kind.reasons, *([failed] if share > failed_allowed else [])]


def _fits(group: xarray.Dataset) -> Fits:
    """How many mocks there are, and how many failed for which reason."""
    texts = [str(text) for text in group["failure"].values]
    kinds = Counter(" ".join(text.split(":")[0].split()[:1]) for text in texts if text)
    return Fits(len(texts), sum(map(bool, texts)), dict(kinds))


def _ranks(group: xarray.Dataset, false_alarm: float) -> Ranks:
    names = [str(name) for name in group["quantity"].values]
    threshold = false_alarm / (len(names) * (1 + len(NOMINAL)))
    fractions, centrality = (np.asarray(group[k].values) for k in ("fraction", "centrality"))
    fitted = np.isfinite(fractions).all(axis=1)
    fits, count = _fits(group), int(fitted.sum())
    if not fitted.any():
        return Ranks(fits, count, threshold, (), None, ("ranks: no data set was fitted",))
    test = EcdfTest(count)
    rows = tuple(
        _quantity(name, test, fractions[fitted, k], centrality[fitted, k], len(fitted))
        for k, name in enumerate(names)
    )
    reasons = tuple(
        f"{row.name}: {what} has p = {p:.2g}"
        for row in rows
        for what, p in _tests(row)
        if p < threshold
    )
    band = Band(test.points, *test.band(threshold))
    return Ranks(fits, count, threshold, rows, band, reasons)


def _quantity(
    name: str, test: EcdfTest, fractions: FloatArray, centrality: FloatArray, mocks: int
) -> Quantity:
    covered = (_covered(centrality <= nominal, nominal, mocks) for nominal in NOMINAL)
    return Quantity(name, test.p_value(fractions), *covered)


def _covered(covered: NDArray[np.bool_], nominal: float, mocks: int) -> Covered:
    found = coverage(covered, nominal)
    share = float(covered.sum() / mocks)
    return Covered(**asdict(found), found_if_no_fit_misses=share)


def _tests(row: Quantity) -> list[tuple[str, float]]:
    tests = [("uniformity of ranks", row.p_value)]
    for facts in (row.coverage_68, row.coverage_95):
        tests.append((f"coverage {facts.found:.3f} for {facts.nominal:g}", facts.p_value))
    return tests


def _hypotheses(
    group: xarray.Dataset, odds: FloatArray, false_alarm: float, rng: np.random.Generator
) -> Hypotheses:
    evidence, truth = group["log_evidence"].values, group["true_hypothesis"].values
    whole = np.isfinite(evidence).all(axis=1)
    names = tuple(str(name) for name in group["hypothesis"].values)
    known = _fits(group), names, tuple(odds.tolist())
    if not whole.any():
        return Hypotheses(*known, None, ("hypotheses: no data set has all evidences",))
    predicted, truth = posterior_probabilities(evidence[whole], odds), truth[whole]
    p_value, expected = calibration_p_value(predicted, truth, rng)
    found = Reliability(
        curve=tuple(reliability_curve(predicted, truth)),
        calibration_error=calibration_error(predicted, truth),
        calibration_error_by_chance=expected,
        p_value=p_value,
        largest_evidence_error=float(group["error"].values[whole].max()),
        smallest_ess=float(group["ess"].values[whole].min()),
        mean_probability_of_truth=float(predicted[np.arange(truth.size), truth].mean()),
    )
    error = f"calibration error {found.calibration_error:.3f}, p = {p_value:.2g}"
    reasons = (f"hypothesis probabilities: {error}",) if p_value < false_alarm else ()
    return Hypotheses(*known, found, reasons)


def _belt(group: xarray.Dataset, points: FloatArray, section: CalibrateSection) -> BeltTest:
    statistic, point = group["statistic"].values, group["point"].values
    best = group["best_m1_meV"].values
    good = np.isfinite(statistic)
    by_point = [statistic[good & (point == k)] for k in range(points.size)]
    if not all(values.size for values in by_point):
        return BeltTest(_fits(group), None, ("belt: a point has no fit",))
    size = len(section.belt_m1_meV)
    belt = build_belt(points[:size], by_point[:size])
    rows = tuple(
        row
        for m1, values in zip(points[size:], by_point[size:], strict=True)
        for row in belt_coverage(belt, float(m1), values)
    )
    threshold = section.false_alarm / len(rows)
    reasons = tuple(
        f"belt: coverage {row.found:.3f} for {row.level:g} at m1 = {row.m1_meV:g} meV"
        for row in rows
        if row.p_value < threshold
    )
    accepted = [
        _range(best[good & (point == k)], by_point[k] <= belt.critical[k, :, None])
        for k in range(size)
    ]
    limits = LimitCoverage(
        levels=np.array(LEVELS),
        m1_meV=belt.m1_meV,
        critical=belt.critical,
        critical_error=belt.error,
        accepted_best_m1_meV=np.array(accepted),
        coverage=rows,
        threshold=threshold,
    )
    return BeltTest(_fits(group), limits, reasons)


def _range(best: FloatArray, accepted: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Smallest and largest best-fit mass among the accepted mocks, by level."""
    return [(float(best[mine].min()), float(best[mine].max())) for mine in accepted]
