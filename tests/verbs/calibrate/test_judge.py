"""Verdicts of a calibration: which tests there are, and where each begins to fail."""

import numpy as np
import pytest
from scipy.special import softmax

from renp_infer.inference.judging.belt import build_belt
from renp_infer.inference.judging.reliability import calibration_p_value
from renp_infer.verbs.calibrate.found import BeltTest, Calibration, Hypotheses, Ranks
from renp_infer.verbs.calibrate.judge import judge
from tests.verbs.calibrate.test_work import belt, hypotheses, loaded, ranks


def p_values(found: Calibration) -> list[float]:
    """Of all tests."""
    values = []
    for kind in found.kinds.values():
        match kind:
            case Ranks():
                for row in kind.quantities:
                    values += [row.p_value, row.coverage_68.p_value, row.coverage_95.p_value]
            case Hypotheses():
                values.append(kind.reliability.p_value)
            case BeltTest():
                values += [row.p_value for row in kind.limits.coverage]
    return values


@pytest.mark.parametrize(("kind", "tests"), [("ranks", 9), ("hypotheses", 1), ("belt", 9)])
def test_a_rate_of_false_alarms_is_that_of_all_tests_of_a_kind(tmp_path, rng, kind, tests):
    """Three quantities with ranks and two coverages; three masses by three levels."""
    groups = {
        "ranks": ranks(rng, rng.uniform(size=(200, 3)) ** 1.15),
        "hypotheses": hypotheses(rng, 1.2),
        "belt": belt(rng, 6, 1.2),
    }
    group = {kind: groups[kind]}
    found = p_values(judge(loaded(tmp_path), group))
    assert len(found) == tests
    for factor, reasons in ((0.99, 0), (1.01, 1)):
        joint = loaded(tmp_path, f"calibrate.false_alarm={factor * tests * min(found)}")
        judged = judge(joint, group)
        assert (judged.verdict, len(judged.reasons)) == (("pass", "fail")[reasons], reasons)


def without(group, names, places):
    """The same with some fits that failed."""
    group = group.copy(deep=True)
    for name in names:
        group[name][places] = np.nan
    failure = group["failure"].values.astype(object)
    failure[places] = "ConvergenceError: x"
    return group.assign(failure=("mock", failure.astype(str)))


def test_failed_fits_may_be_as_many_as_the_study_says(tmp_path, rng):
    group = ranks(rng, rng.uniform(size=(100, 3)))
    for lost, reasons in ((10, ()), (11, ("ranks: 11.0 % of the fits failed",))):
        study = loaded(tmp_path, "calibrate.failed_fits_allowed=0.1")
        found = judge(study, {"ranks": without(group, ["fraction"], slice(lost))})
        assert (found.verdict, found.reasons) == ("fail" if reasons else "pass", reasons)


def test_what_has_nothing_to_be_tested_says_so(tmp_path, rng):
    groups = {
        "ranks": without(ranks(rng, rng.uniform(size=(9, 3))), ["fraction"], slice(None)),
        "hypotheses": without(hypotheses(rng, 1.0), ["log_evidence"], slice(None)),
        "belt": without(belt(rng, 6), ["statistic"], slice(800)),
    }
    found = judge(loaded(tmp_path), groups)
    assert found.reasons == (
        "ranks: no data set was fitted",
        "ranks: 100.0 % of the fits failed",
        "hypotheses: no data set has all evidences",
        "hypotheses: 100.0 % of the fits failed",
        "belt: a point has no fit",
        "belt: 16.7 % of the fits failed",
    )
    assert (found.name, found.data) == ("mocks", "mock")
    assert (found.ranks.fitted, found.ranks.quantities, found.ranks.band) == (0, (), None)
    assert found.ranks.threshold == pytest.approx(found.false_alarm / 9.0)
    assert (found.hypotheses.names, found.hypotheses.reliability) == (("a", "b", "c", "d"), None)
    assert found.hypotheses.prior_odds == (1.0, 1.0, 1.0, 1.0)
    assert (found.belt.fits.failed, found.belt.limits) == (800, None)


def test_what_is_told_of_evidences_is_that_of_whole_data_sets(tmp_path, rng):
    """The first two have lost an evidence; the last ones are the worst of the others."""
    group = hypotheses(rng, 1.0)
    group["error"] = group["error"] * rng.uniform(0.5, 1.0, (400, 4))
    group["ess"] = group["ess"] * rng.uniform(0.5, 1.0, (400, 4))
    group["error"][0], group["ess"][1] = 9.0, 1.0
    group["error"][-1, 2], group["ess"][-1, 3] = 7.0, 3.0
    group["log_evidence"][:2, 1] = np.nan
    study = loaded(tmp_path)
    found = judge(study, {"hypotheses": group}).hypotheses.reliability
    assert (found.largest_evidence_error, found.smallest_ess) == (7.0, 3.0)
    shares = softmax(group["log_evidence"].values[2:], axis=1)
    truth = group["true_hypothesis"].values[2:]
    own = [float(row[true]) for row, true in zip(shares, truth, strict=True)]
    assert found.mean_probability_of_truth == pytest.approx(sum(own) / len(own))
    assert sum(row.count for row in found.curve) == 4 * 398
    seed = np.random.SeedSequence(study.seed, spawn_key=(2,))
    chance = calibration_p_value(shares, truth, np.random.default_rng(seed))
    assert (found.p_value, found.calibration_error_by_chance) == pytest.approx(chance)


def test_texts_name_the_test_that_failed(tmp_path, rng):
    """A share of ranks at the ends, all probabilities too sure, a belt too narrow."""
    fractions = rng.uniform(size=(300, 3))
    fractions[::3, 1] = np.round(fractions[::3, 1])
    found = judge(loaded(tmp_path), {"ranks": ranks(rng, fractions)})
    assert found.ranks.threshold == pytest.approx(found.false_alarm / 9.0)
    row = found.ranks.quantities[1]
    uniform, *covered = found.reasons
    assert uniform == f"delta_deg: uniformity of ranks has p = {row.p_value:.2g}"
    for text, facts in zip(covered, (row.coverage_68, row.coverage_95), strict=True):
        share = f"coverage {facts.found:.3f} for {facts.nominal:g}"
        assert text == f"delta_deg: {share} has p = {facts.p_value:.2g}"
    assert (row.coverage_68.nominal, row.coverage_95.nominal) == (0.68, 0.95)
    tests = judge(loaded(tmp_path), {"hypotheses": hypotheses(rng, 2.5)}).hypotheses
    known = tests.reliability
    said = f"calibration error {known.calibration_error:.3f}, p = {known.p_value:.2g}"
    assert tests.reasons == (f"hypothesis probabilities: {said}",)
    limits = judge(loaded(tmp_path), {"belt": belt(rng, 6, 1.8)}).belt
    bad = [row for row in limits.limits.coverage if row.p_value < limits.limits.threshold]
    assert bad and limits.reasons == tuple(
        f"belt: coverage {row.found:.3f} for {row.level:g} at m1 = {row.m1_meV:g} meV"
        for row in bad
    )
    assert {row.m1_meV for row in limits.limits.coverage} == {0.0, 5.0, 20.0}


def test_accepted_masses_lie_below_the_critical_values(tmp_path, rng):
    """Of each point and level, the smallest and the largest; failed fits are in none."""
    whole = belt(rng, 6)
    group = without(whole, ["statistic"], slice(0, 4800, 16))
    group["best_m1_meV"][::16] = 99.0
    limits = judge(
        loaded(tmp_path, "calibrate.failed_fits_allowed=0.1"), {"belt": group}
    ).belt.limits
    rows = list(
        zip(*(group[k].values.tolist() for k in ("point", "statistic", "best_m1_meV")), strict=True)
    )
    assert limits.m1_meV.tolist() == [0.0, 10.0, 30.0]
    assert limits.levels.tolist() == [0.68, 0.9, 0.95]
    for k in range(3):
        for j in range(3):
            critical = limits.critical[k, j]
            masses = [best for point, t, best in rows if point == k and t <= critical]
            accepted = limits.accepted_best_m1_meV[k, j].tolist()
            assert accepted == [min(masses), max(masses)] and max(masses) < 99.0


def test_the_mock_that_is_the_critical_value_is_accepted(tmp_path, rng):
    """Its best mass, the largest, ends what is accepted; the belt's own errors are told."""
    group, study = belt(rng, 6), loaded(tmp_path)
    first = judge(study, {"belt": group}).belt.limits
    points, statistic = group["point"].values, group["statistic"].values
    expected = build_belt(np.array([0.0, 10.0, 30.0]), [statistic[points == k] for k in range(3)])
    assert np.array_equal(first.critical_error, expected.error)
    assert first.threshold == pytest.approx(study.calibration.false_alarm / 9.0)
    place = int(np.flatnonzero((points == 1) & (statistic == first.critical[1, 2]))[0])
    group["best_m1_meV"][place] = 50.0
    accepted = judge(study, {"belt": group}).belt.limits.accepted_best_m1_meV
    assert accepted[1, 2, 1] == 50.0 and accepted[1, 1, 1] < 50.0
