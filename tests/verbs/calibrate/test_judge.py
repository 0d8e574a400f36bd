"""Verdicts of a calibration: which tests there are, and where each begins to fail."""

import pytest

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
