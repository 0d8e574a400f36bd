"""Several modes are told apart, and chance is not taken for modes."""

import numpy as np
import pytest
from scipy import stats

from renp_infer.inference.diagnostics import Convergence
from renp_infer.inference.summary import regions, summarise

ROW = Convergence(1.0, 4000.0, 4000.0)


def two(rng, first, second, sd, n=4000):
    return np.where(rng.random(n) < 0.5, first, second) + sd * rng.standard_normal(n)


def test_two_modes_on_the_circle_are_two_regions(rng):
    """As a cosine that is measured leaves them; one lies across 0."""
    for first, second in ((80.0, 280.0), (2.0, 150.0)):
        draws = np.mod(two(rng, first, second, 8.0), 360.0).reshape(4, 1000)
        found = summarise(draws, 0.0, ROW, circular=True)
        ranges = sorted(found.regions_68, key=lambda pair: (pair[1] - first) % 360.0)
        half = 8.0 * stats.norm.ppf(0.84)
        # bins are 5 degrees wide
        assert len(ranges) == 2
        for (low, high), center in zip(ranges, (first, second), strict=True):
            assert (low - center + half + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=6.0)
            assert (high - center - half + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=6.0)
            assert 0.0 <= low < 360.0
            assert 0.0 <= high < 360.0


def test_two_modes_on_the_line(rng):
    ranges = regions(two(rng, 0.0, 10.0, 1.0), 0.68, circular=False)
    assert np.array(ranges) == pytest.approx(np.array([[-1, 1], [9, 11]]), abs=0.35)


@pytest.mark.parametrize("circular", [True, False])
def test_one_mode_and_none_are_no_regions(rng, circular):
    for _ in range(30):
        for draws in (20.0 * rng.standard_normal(2000), rng.uniform(-180.0, 180.0, 2000)):
            wrapped = np.mod(draws + 180.0, 360.0) - 180.0
            for probability in (0.68, 0.95):
                assert regions(wrapped, probability, circular) == []


def test_draws_that_never_moved_have_no_regions():
    assert regions(np.ones(100), 0.68, circular=False) == []
