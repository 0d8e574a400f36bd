"""Averages and medians over truths, of data sets whose evidences are said by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit

from renp_infer.design.utilities.posterior import Learnt
from renp_infer.design.utilities.truths import spread
from renp_infer.design.utilities.utility import Appraiser, _median
from renp_infer.physics.neutrinos import load_oscillation, make_parameters
from tests.toys.settings import utility_with

TABLE = load_oscillation("nufit-6.0")
EVIDENCES = np.array([0.4, -1.3, 2.2, 0.1, -0.7, 1.9])
"""Log evidence of the normal ordering above that of the inverted one, of six data sets."""


def judged(truth, ordering="normal"):
    """Utilities of these data, odds 3 : 1; data of the prior belong to both, three each."""
    settings = utility_with(
        orderings=("normal", "inverted"),
        natures=("dirac",),
        odds={"normal dirac": 3.0},
        truth=truth,
        truths=EVIDENCES.size,
    )
    own = make_parameters(0.05, ordering, "dirac", 0.0, 0.0, 0.0, TABLE)
    rows = [Learnt(0.0, 0.0, 0.0, 0.0, np.array([log, 0.0]), 0.0) for log in EVIDENCES]
    bench = SimpleNamespace(learnt=lambda truths: rows)
    return Appraiser(settings, own, TABLE, np.random.default_rng(1)).of_bench(
        bench, ["p_ordering", "log_bf_ordering", "p_nature", "log_bf_nature"]
    )


def test_of_a_fixed_truth_its_own_probability_counts():
    """By Bayes' theorem for two hypotheses; of a kind that is alone nothing is in doubt."""
    share = expit(EVIDENCES + np.log(3.0))
    for ordering, right, sign in (("normal", share, 1.0), ("inverted", 1.0 - share, -1.0)):
        found = judged("fixed", ordering)
        assert found["p_ordering"].value == pytest.approx(np.mean(right))
        assert found["log_bf_ordering"].value == pytest.approx(sign * np.mean(EVIDENCES))
        assert (found["p_nature"].value, found["log_bf_nature"].value) == (1.0, 0.0)


def test_over_the_prior_the_posterior_says_which_is_true():
    """Three data sets of each hypothesis, which count as the odds say."""
    share = expit(EVIDENCES + np.log(3.0))
    weight = np.repeat([0.75, 0.25], 3) / 3.0
    found = judged("prior")
    right = share**2 + (1.0 - share) ** 2
    assert found["p_ordering"].value == pytest.approx(weight @ right)
    factor = (2.0 * share - 1.0) * EVIDENCES
    assert found["log_bf_ordering"].value == pytest.approx(weight @ factor)


def test_the_error_of_a_median_is_that_of_its_order_statistics() -> None:
    """Equidistant values: sqrt(count) / 2 places to each side; one that is never reached: inf."""
    values = np.random.default_rng(2).permutation(np.arange(400.0))
    found = _median(values)
    assert found.value == 199.5
    assert found.error == pytest.approx(10.0, abs=0.5)  # places are whole
    normal = np.random.default_rng(3).standard_normal((400, 250))
    errors = [_median(row).error for row in normal]
    spread = np.std([_median(row).value for row in normal])
    # spread of 400 medians, relative error 1 / sqrt(800); 4 of them
    assert np.mean(errors) == pytest.approx(spread, rel=4.0 / np.sqrt(800.0))
    values[values > 150.0] = np.inf
    assert _median(values).error == np.inf


def error_of(values, order):
    """Of a mean over an even spread: half the mean square of neighbours' steps, by their number."""
    ordered = [value for _, value in sorted(zip(order, values, strict=True))]
    steps = [(b - a) ** 2 for a, b in zip(ordered, ordered[1:], strict=False)]
    return np.sqrt(0.5 * sum(steps) / len(steps) / len(ordered))


@pytest.mark.parametrize("truth", ["prior", "fixed"])
def test_averages_are_over_the_truths_of_each_hypothesis(truth, rng):
    """Odds 3 : 1 over the prior; of a fixed truth its hypothesis alone, drawn six times."""
    settings = utility_with(
        orderings=("normal", "inverted"),
        natures=("dirac",),
        odds={"normal dirac": 3.0},
        truth=truth,
        truths=6,
    )
    own = make_parameters(0.05, "inverted", "dirac", 0.0, 0.0, 0.0, TABLE)
    appraiser = Appraiser(settings, own, TABLE, np.random.default_rng(1))
    numbers, exposures = rng.normal(size=(6, 4)), rng.uniform(1.0, 9.0, 6)
    rows = [Learnt(a, b, 0.0, c, np.zeros(2), d) for a, b, c, d in numbers.tolist()]
    asked = []

    def learnt(truths, *, exact=False):
        asked.append((truths, exact))
        return rows

    def exposures_s(truths):
        assert truths is appraiser.truths
        return exposures

    bench = SimpleNamespace(learnt=learnt, exposures_s=exposures_s)
    names = ["sd_m1", "exposure_3sigma_s", "eig_m1", "eig_interest"]
    found = appraiser.of_bench(bench, names)
    found["bound"] = appraiser.lower_bound(bench)
    assert list(found) == [*names, "bound"]
    assert asked == [(appraiser.truths, False), (appraiser.truths, True)]
    mixed = np.log(0.98 * np.exp(numbers[:, 3]) + 0.02)
    columns = {"eig_m1": numbers[:, 0], "eig_interest": numbers[:, 1], "sd_m1": numbers[:, 2]}
    for name, values in (columns | {"bound": mixed}).items():
        groups = {"prior": [(0.75, slice(0, 3)), (0.25, slice(3, 6))], "fixed": [(1.0, slice(6))]}
        mean = sum(share * np.mean(values[part]) for share, part in groups[truth])
        masses = appraiser.truths.m1_meV
        variance = sum(
            (share * _error(values[part], masses[part])) ** 2 for share, part in groups[truth]
        )
        assert found[name].value == pytest.approx(mean)
        assert found[name].error == pytest.approx(np.sqrt(variance))
    assert found["exposure_3sigma_s"] == _median(exposures)
    asked.clear()
    assert list(appraiser.of_bench(bench, ["exposure_3sigma_s"])) == ["exposure_3sigma_s"]
    assert asked == []


def _error(values, masses):
    """In the order of the masses, or as they were drawn where all are one."""
    order = np.arange(masses.size) if np.ptp(masses) == 0.0 else masses
    return error_of(values.tolist(), order.tolist())


def test_the_median_of_few_is_as_uncertain_as_its_neighbours():
    """Nine values, one and a half places to each side, whole ones outwards; one value: none."""
    values = np.array([9.0, 1.0, 25.0, 4.0, 16.0, 36.0, 49.0, 64.0, 81.0])
    found = _median(values)
    assert found.value == 25.0
    # places 3 and 5 of 0 to 8: whole numbers of 4.5 - 1.5 and 4.5 + 1.5, less one
    assert found.error == 0.5 * (36.0 - 16.0)
    assert (_median(np.array([7.0])).value, _median(np.array([7.0])).error) == (7.0, 0.0)
    four = _median(np.array([1.0, 2.0, 4.0, 8.0]))
    assert (four.value, four.error) == (3.0, 0.5 * (4.0 - 2.0))


def test_the_error_of_an_even_spread_needs_two_values_and_keeps_the_order_of_equals(rng):
    assert spread(np.array([3.0]), np.array([1.0])) == np.inf
    assert spread(np.array([3.0, 1.0]), np.array([2.0, 1.0])) == pytest.approx(1.0)
    values, order = rng.normal(size=300), np.resize([2.0, 1.0, 1.0], 300)
    assert spread(values, order) == pytest.approx(error_of(*_apart(values, order)))


def _apart(values, order):
    """Equal places moved apart in the order of their values' appearance."""
    return values.tolist(), (order + 1e-6 * np.arange(order.size)).tolist()
