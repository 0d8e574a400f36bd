"""Several modes are told apart, and chance is not taken for modes."""

from statistics import stdev

import numpy as np
import pytest
from scipy import stats

from renp_infer.inference.results.diagnostics import Convergence
from renp_infer.inference.results.summary import (
    LEAST_INFORMATION,
    circular_mean_deg,
    compared,
    information,
    regions,
    summarise,
    wrap,
)

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


def row_of(draws, prior, limits, circular=False):
    found = summarise(draws.reshape(4, -1), None, ROW, circular)
    return compared(found, draws, prior, limits)


def binned(cdf):
    """Information of a law over the standard normal in its ten equally probable intervals."""
    shares = np.diff(cdf(stats.norm.ppf(np.linspace(0.0, 1.0, 11))))
    return np.sum(shares * np.log(shares / 0.1))


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.5), (0.0, 0.9), (0.6, 1.0), (0.3, 0.7)])
def test_information_is_that_of_the_laws(mean, sd, rng):
    n = 40_000
    draws, prior = mean + sd * rng.standard_normal(n), rng.standard_normal(n)
    exact = binned(stats.norm(mean, sd).cdf)
    spread = 4.5 * np.sqrt(2.0 * exact / n + 20.0 / n**2 + 2.0 / n * exact)
    assert information(draws, prior, n) == pytest.approx(exact, abs=spread + 2e-3)


def test_a_narrowing_to_seventy_percent_or_a_move_by_half_is_a_measurement():
    """What the threshold means, by the laws themselves."""
    assert binned(stats.norm(0.0, 0.65).cdf) > LEAST_INFORMATION > binned(stats.norm(0.0, 0.75).cdf)
    assert binned(stats.norm(0.5, 1.0).cdf) > LEAST_INFORMATION > binned(stats.norm(0.4, 1.0).cdf)


@pytest.mark.parametrize(("size", "false_alarms"), [(100, 3), (400, 0), (4000, 0)])
def test_draws_of_the_prior_are_not_called_a_measurement(size, false_alarms, rng):
    """Of 300: 400 effective draws pass the diagnostics, 100 are the fewest that do not fail."""
    draw = (rng.standard_normal, lambda n: rng.uniform(0.0, 360.0, n))
    for law in draw:
        gained = [information(law(size), law(4000), size) for _ in range(300)]
        assert np.count_nonzero(np.array(gained) > LEAST_INFORMATION) <= false_alarms
        assert abs(np.mean(gained)) < 0.2 * LEAST_INFORMATION


def test_what_is_half_as_wide_is_always_called_a_measurement(rng):
    gained = [
        information(0.5 * rng.standard_normal(100), rng.standard_normal(4000), 100)
        for _ in range(300)
    ]
    assert min(gained) > 0.5 * LEAST_INFORMATION
    assert np.mean(np.array(gained) > LEAST_INFORMATION) > 0.99


def test_one_sided_limits_are_quantiles_and_only_where_there_is_a_lower_end(rng):
    draws, prior = np.abs(rng.standard_normal(40_000)), rng.uniform(0.0, 100.0, 4000)
    found = row_of(draws, prior, (0.0, 100.0))
    error = 4.5 * np.sqrt(0.1 * 0.9 / draws.size) / (2.0 * stats.norm.pdf(1.645))
    assert found.upper_90 == pytest.approx(stats.norm.ppf(0.95), abs=error)
    assert found.upper_95 == pytest.approx(stats.norm.ppf(0.975), abs=2.0 * error)
    assert found.measured and found.reaches == ("lower",)
    free = row_of(draws, prior, (-np.inf, np.inf))
    assert (free.upper_90, free.upper_95, free.reaches) == (None, None, ())


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (stats.norm(50.0, 5.0), ()),
        (stats.truncnorm(-1.0, 50.0, 5.0, 5.0), ("lower",)),
        (stats.expon(0.0, 10.0), ("lower",)),
        (stats.norm(15.0, 4.0), ()),
        (stats.uniform(10.0, 15.0), ()),
        (stats.uniform(60.0, 40.0), ("upper",)),
        (stats.uniform(0.0, 100.0), ("lower", "upper")),
    ],
)
def test_ends_of_the_prior_that_are_reached(law, expected, rng):
    """The sixth ends at the prior's upper end; the fourth is 3.75 deviations from 0.

    A prior and its posterior that are moved together reach the same ends.
    """
    draws, prior = law.rvs(4000, random_state=rng), rng.uniform(0.0, 100.0, 4000)
    for move in (0.0, 300.0, -150.0, -400.0):
        found = row_of(draws + move, prior + move, (move, 100.0 + move))
        assert found.reaches == expected


def plain_regions(values, probability, circular):
    """``regions`` bin by bin: counts, their smoothed neighbours, runs above a level, valleys."""
    low, high = (-180.0, 180.0) if circular else np.quantile(values, [0.001, 0.999])
    width, counts = (high - low) / 72, [0] * 72
    for value in values:
        if low <= value <= high:
            counts[min(int((value - low) / width), 71)] += 1
    smooth = []
    for k, own in enumerate(counts):
        before = counts[k - 1] if k or circular else 0
        after = counts[(k + 1) % 72] if k < 71 or circular else 0
        smooth.append(0.25 * before + 0.5 * own + 0.25 * after)
    held, level = 0.0, 0.0
    for share in sorted(smooth, reverse=True):
        held, level = held + share, share
        if held >= probability * sum(smooth):
            break
    first = smooth.index(min(smooth)) if circular else 0
    runs = []
    for k in range(first, first + 72):
        if smooth[k % 72] >= level:
            if runs and min(smooth[j % 72] for j in range(runs[-1][1], k + 1)) >= 0.5 * level:
                runs[-1][1] = k
            else:
                runs.append([k, k])
    return [(low + a * width, low + (b + 1) * width) for a, b in runs] if len(runs) > 1 else []


@pytest.mark.parametrize("circular", [True, False])
def test_regions_are_those_of_the_plain_histogram(circular, rng):
    """Two or three modes, few draws or many, of all widths: valleys of all depths."""
    lengths = []
    for size in (60, 300, 3000):
        for _ in range(20):
            modes = rng.uniform(-180.0, 180.0, rng.integers(2, 4))
            sd = rng.uniform(3.0, 40.0)
            values = wrap(rng.choice(modes, size) + sd * rng.standard_normal(size), -180.0)
            for probability in (0.68, 0.95):
                found = regions(values, probability, circular)
                expected = plain_regions(values, probability, circular)
                assert found == [pytest.approx(pair) for pair in expected]
                lengths.append(len(found))
    assert {0, 2, 3} <= set(lengths)


def test_regions_turn_and_mirror_with_the_draws(rng):
    """By whole bins of the circle; on the line, where the last bin alone has its upper end."""
    values = wrap(two(rng, -160.0, 60.0, 12.0), -180.0)
    plain = sorted(regions(values, 0.68, True))
    assert len(plain) == 2
    for turn in (35.0, 150.0, 355.0):
        turned = regions(wrap(values + turn, -180.0), 0.68, True)
        starts = sorted(np.mod(np.subtract([a for a, _ in turned], turn), 360.0))
        assert starts == pytest.approx(sorted(np.mod([a for a, _ in plain], 360.0)))
        lengths = sorted(b - a for a, b in turned)
        assert lengths == pytest.approx(sorted(b - a for a, b in plain))
    line = two(rng, 0.0, 7.0, 1.0)
    forth, back = regions(line, 0.68, False), regions(-line, 0.68, False)
    assert len(forth) == 2
    assert sorted(back) == [pytest.approx((-b, -a)) for a, b in sorted(forth, reverse=True)]


def test_the_sd_of_few_draws_is_that_of_a_sample():
    draws = np.array([[1.0, 2.0], [4.0, 9.0]])
    assert summarise(draws, None, ROW, circular=False).sd == pytest.approx(stdev([1, 2, 4, 9]))


def test_information_of_known_shares_by_hand():
    """Half in the first tenth of the prior, half in the last: ln 5, less what chance would show."""
    prior = np.arange(1000.0) / 1000.0
    draws = np.array([0.05, 0.95] * 30)
    chance = 4.5 * (1.0 / 50.0 + 1.0 / 1000.0)
    assert information(draws, prior, 50.0) == pytest.approx(np.log(5.0) - chance)
    # a prior of two values has no tenth between them: what lies there tells nothing of it
    two_values = np.repeat([0.0, 1.0], 50)
    between = np.array([0.0, 0.5] * 20)
    assert information(between, two_values, 30.0) == pytest.approx(-4.5 * (1.0 / 30.0 + 0.01))


def test_a_phase_of_two_opposite_modes_has_two_regions_one_across_the_cut(rng):
    """Most around 0, the rest around 180, where a circle around the mean direction is cut."""
    draws = np.mod(
        np.where(rng.random(4000) < 0.6, 0.0, 180.0) + 6.0 * rng.standard_normal(4000), 360.0
    )
    found = summarise(draws.reshape(4, 1000), 0.0, ROW, circular=True)
    assert found.circular is True
    assert found.mean == circular_mean_deg(draws)
    assert min(found.mean, 360.0 - found.mean) < 5.0
    for pairs in (found.regions_68, found.regions_95):
        assert len(pairs) == 2
        assert sorted(low < 180.0 < high for low, high in pairs) == [False, True]


def test_angles_are_wrapped_into_the_turn_that_begins_at_a_place():
    angles = np.array([-725.0, -10.0, 0.0, 9.0, 10.0, 369.0, 370.0])
    for low in (10.0, -180.0, -30.0):
        found = wrap(angles, low)
        assert np.all((found >= low) & (found < low + 360.0))
        assert np.mod(found - angles, 360.0) == pytest.approx(np.zeros(angles.size))


def test_a_phase_has_no_limits_and_may_be_not_measured(rng):
    prior = rng.uniform(0.0, 360.0, 4000)
    flat = row_of(rng.uniform(0.0, 360.0, 4000), prior, (-np.inf, np.inf), circular=True)
    peaked = row_of(
        np.mod(20.0 * rng.standard_normal(4000), 360.0), prior, (-np.inf, np.inf), circular=True
    )
    assert (flat.measured, flat.upper_95, flat.reaches) == (False, None, ())
    assert peaked.measured and peaked.upper_95 is None
