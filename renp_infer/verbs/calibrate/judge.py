"""What mock experiments say: verdicts on posterior, hypotheses and belt.

Each part has one false-alarm rate for all its tests together: a test fails if its
p-value is below that rate divided by the number of tests.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.inference.belt import LEVELS, belt_coverage, build_belt
from renp_infer.inference.comparison import posterior_probabilities
from renp_infer.inference.reliability import (
    calibration_error,
    calibration_p_value,
    reliability_curve,
)
from renp_infer.inference.uniformity import EcdfTest, coverage
from renp_infer.verbs.calibrate.parts import belt_points, prior_odds

if TYPE_CHECKING:
    import xarray

    from renp_infer.records import FloatArray
    from renp_infer.study.study import Study

NOMINAL = (0.68, 0.95)
"""Credible intervals whose coverage is tested."""


def judge(study: Study, groups: dict[str, xarray.Dataset]) -> dict[str, Any]:
    """Document of ``renp calibrate --json``.

    Parameters
    ----------
    study : Study
    groups : dict
        Datasets along ``mock`` by kind: ``ranks``, ``hypotheses``, ``belt``.

    Returns
    -------
    dict
        ``verdict``, ``reasons``, and a table of each kind that was asked for.
    """
    section = study.calibration
    assert section is not None
    found: dict[str, Any] = {"schema": 1, "name": study.name, "false_alarm": section.false_alarm}
    found["data"] = study.measurement.observation.source if study.measurement else "mock"
    if "ranks" in groups:
        found["ranks"] = _ranks(groups["ranks"], section.false_alarm)
    if "hypotheses" in groups:
        rng = np.random.default_rng(np.random.SeedSequence(study.seed, spawn_key=(2,)))
        found["hypotheses"] = _hypotheses(
            groups["hypotheses"], prior_odds(study), section.false_alarm, rng
        )
    if "belt" in groups:
        found["belt"] = _belt(groups["belt"], belt_points(study), section)
    reasons = []
    for kind in groups:
        reasons += found[kind]["reasons"]
        share = found[kind]["failed"] / found[kind]["mocks"]
        if share > section.failed_fits_allowed:
            reasons.append(f"{kind}: {100.0 * share:.1f} % of the fits failed")
    return found | {"verdict": "fail" if reasons else "pass", "reasons": reasons}


def _failures(group: xarray.Dataset) -> dict[str, Any]:
    """How many mocks there are, and how many failed for which reason."""
    texts = [str(text) for text in group["failure"].values]
    kinds = Counter(" ".join(text.split(":")[0].split()[:1]) for text in texts if text)
    return {"mocks": len(texts), "failed": sum(map(bool, texts)), "failures": dict(kinds)}


def _ranks(group: xarray.Dataset, false_alarm: float) -> dict[str, Any]:
    names = [str(name) for name in group["quantity"].values]
    threshold = false_alarm / (len(names) * (1 + len(NOMINAL)))
    fractions, centrality = (np.asarray(group[k].values) for k in ("fraction", "centrality"))
    fitted = np.isfinite(fractions).all(axis=1)
    counts = _failures(group) | {"fitted": int(fitted.sum()), "threshold": threshold}
    if not fitted.any():
        return counts | {"quantities": [], "reasons": ["ranks: no data set was fitted"]}
    test = EcdfTest(int(fitted.sum()))
    rows = [
        _quantity(name, test, fractions[fitted, k], centrality[fitted, k], len(fitted))
        for k, name in enumerate(names)
    ]
    low, high = test.band(threshold)
    reasons = [
        f"{row['name']}: {what} has p = {p:.2g}"
        for row in rows
        for what, p in _tests(row)
        if p < threshold
    ]
    band = {"points": test.points, "low": low, "high": high}
    return counts | {"quantities": rows, "band": band, "reasons": reasons}


def _quantity(
    name: str, test: EcdfTest, fractions: FloatArray, centrality: FloatArray, mocks: int
) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "p_value": test.p_value(fractions)}
    for nominal in NOMINAL:
        covered = centrality <= nominal
        facts = asdict(coverage(covered, nominal))
        row[f"coverage_{100 * nominal:.0f}"] = facts | {
            "found_if_no_fit_misses": float(covered.sum() / mocks)
        }
    return row


def _tests(row: dict[str, Any]) -> list[tuple[str, float]]:
    tests = [("uniformity of ranks", row["p_value"])]
    for nominal in NOMINAL:
        facts = row[f"coverage_{100 * nominal:.0f}"]
        tests.append((f"coverage {facts['found']:.3f} for {nominal:g}", facts["p_value"]))
    return tests


def _hypotheses(
    group: xarray.Dataset, odds: FloatArray, false_alarm: float, rng: np.random.Generator
) -> dict[str, Any]:
    evidence, truth = group["log_evidence"].values, group["true_hypothesis"].values
    whole = np.isfinite(evidence).all(axis=1)
    counts = _failures(group) | {"hypotheses": [str(h) for h in group["hypothesis"].values]}
    counts["prior_odds"] = odds.tolist()
    if not whole.any():
        return counts | {"reasons": ["hypotheses: no data set has all evidences"]}
    predicted, truth = posterior_probabilities(evidence[whole], odds), truth[whole]
    error = calibration_error(predicted, truth)
    p_value, expected = calibration_p_value(predicted, truth, rng)
    reasons = []
    if p_value < false_alarm:
        reasons.append(
            f"hypothesis probabilities: calibration error {error:.3f}, p = {p_value:.2g}"
        )
    return counts | {
        "curve": [asdict(row) for row in reliability_curve(predicted, truth)],
        "calibration_error": error,
        "calibration_error_by_chance": expected,
        "p_value": p_value,
        "largest_evidence_error": float(group["error"].values[whole].max()),
        "smallest_ess": float(group["ess"].values[whole].min()),
        "mean_probability_of_truth": float(predicted[np.arange(truth.size), truth].mean()),
        "reasons": reasons,
    }


def _belt(group: xarray.Dataset, points: FloatArray, section: Any) -> dict[str, Any]:
    statistic, point = group["statistic"].values, group["point"].values
    best = group["best_m1_meV"].values
    good = np.isfinite(statistic)
    by_point = [statistic[good & (point == k)] for k in range(points.size)]
    counts = _failures(group)
    if not all(values.size for values in by_point):
        return counts | {"reasons": ["belt: a point has no fit"]}
    size = len(section.belt_m1_meV)
    belt = build_belt(points[:size], by_point[:size])
    rows = [
        row
        for m1, values in zip(points[size:], by_point[size:], strict=True)
        for row in belt_coverage(belt, float(m1), values)
    ]
    threshold = section.false_alarm / len(rows)
    reasons = [
        f"belt: coverage {row.found:.3f} for {row.level:g} at m1 = {row.m1_meV:g} meV"
        for row in rows
        if row.p_value < threshold
    ]
    accepted = [
        _range(best[good & (point == k)], by_point[k] <= belt.critical[k, :, None])
        for k in range(size)
    ]
    return counts | {
        "levels": list(LEVELS),
        "m1_meV": belt.m1_meV,
        "critical": belt.critical,
        "critical_error": belt.error,
        "accepted_best_m1_meV": accepted,
        "coverage": [asdict(row) for row in rows],
        "threshold": threshold,
        "reasons": reasons,
    }


def _range(best: FloatArray, accepted: FloatArray) -> list[list[float]]:
    """Smallest and largest best-fit mass among the accepted mocks, by level."""
    return [[float(best[mine].min()), float(best[mine].max())] for mine in accepted]
