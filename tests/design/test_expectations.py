"""Averages and medians over truths, of data sets whose evidences are said by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit

from renp_infer.design.posterior import Learnt
from renp_infer.design.utility import Appraiser, _median
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
