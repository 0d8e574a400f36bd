"""Two steps ahead: where one step is blind, against brute force over all pairs."""

import numpy as np
import pytest
from scipy.stats import norm

from renp_infer.design.sequences.beliefs import Atlas, Beliefs, predict
from renp_infer.design.sequences.lookahead import PairMoments, likely_readings
from renp_infer.design.sequences.sequential import (
    Menu,
    Questions,
    SettingChoice,
    campaign,
    choose,
    measured,
    value_of_two,
)
from tests.design.sequences.test_sequential import random_case

AMPLITUDE, BOTH, FAINT = 0, 1, 2
"""Angles: the amplitude alone, mass and amplitude together, a little of the mass alone."""
JACOBIAN = np.array([[0.0, 10.0], [2.0, 10.0], [0.5, 0.0]])
"""Of each angle: by the mass, by the amplitude."""
TIMES = np.array([1.0, 4.0])


def sigma(exposure_s: float) -> float:
    return float(1.0 / np.sqrt(exposure_s))


def blind() -> Atlas:
    """One state: the mass cannot be told from the amplitude where the signal is large."""
    return Atlas(
        np.deg2rad([10.0, 20.0, 30.0]),
        np.zeros((1, 3)),
        JACOBIAN[None],
        np.array([50.0]),
        np.array([4.0]),
        np.zeros(1),
        {"m1": np.zeros(1, dtype=np.intp)},
    )


def menu(lookahead: int, goal: str = "m1", setting_s: float = 1.0) -> Menu:
    return Menu(np.arange(3), TIMES, sigma, setting_s, goal, lookahead)


def told(*settings: tuple[int, float]) -> float:
    """Information about the mass of readings together, nat: normal equations."""
    fisher = np.eye(2)
    for angle, exposure in settings:
        fisher += np.outer(JACOBIAN[angle], JACOBIAN[angle]) * exposure
    return float(-0.5 * np.log(np.linalg.inv(fisher)[0, 0]))


def brute_force(setting_s: float, at: int | None) -> dict[tuple[int, float], float]:
    """Information per second of each first setting, with the best of all second ones or none."""
    settings = [(a, t) for a in range(3) for t in TIMES.tolist()]
    values = {}
    for a, t in settings:
        first = t + setting_s * (a != at)
        pairs = [told((a, t), (b, u)) / (first + u + setting_s * (b != a)) for b, u in settings]
        values[a, t] = max(told((a, t)) / first, *pairs)
    return values


@pytest.mark.parametrize("setting_s", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("at", [None, AMPLITUDE, BOTH])
def test_where_one_step_is_blind_two_are_not(setting_s: float, at: int | None) -> None:
    """The amplitude first: it tells nothing of the mass, and is chosen; all values are exact."""
    atlas = blind()
    start, found = atlas.start(), brute_force(setting_s, at)
    one, two = (choose(start, atlas, menu(k, setting_s=setting_s), at) for k in (1, 2))
    assert one is not None and two is not None
    assert one.angle == FAINT or at == BOTH  # where nothing has to be moved
    assert told((AMPLITUDE, 4.0)) == 0.0
    value = value_of_two(start, atlas, menu(2, setting_s=setting_s), two)
    assert value == pytest.approx(max(found.values()), rel=1e-10)
    assert found[two.angle, two.exposure_s] == pytest.approx(value, rel=1e-10)
    if one.angle == FAINT:
        assert two.angle in (AMPLITUDE, BOTH) and two.information < one.information
    for (a, t), expected in found.items():
        first = SettingChoice(a, t, t + setting_s * (a != at), told((a, t)))
        mine = value_of_two(start, atlas, menu(2, setting_s=setting_s), first)
        assert mine == pytest.approx(expected, rel=1e-10)


def test_two_steps_ahead_know_more_after_the_same_time() -> None:
    """As normal equations say: one step never leaves the faint signal of the mass alone."""
    atlas, ends = blind(), {}
    for ahead in (1, 2):
        rng = np.random.default_rng(5)

        def measure(angle: int, noise: float, rng: np.random.Generator = rng) -> float:
            return float(JACOBIAN[angle] @ [0.7, -0.3] + noise * rng.standard_normal())

        steps = list(campaign(atlas, menu(ahead), measure, 20.0))
        assert steps[-1].elapsed_s <= 20.0
        ends[ahead] = steps[-1].beliefs.mass(atlas)[1] / 4.0
        settings = [(s.choice.angle, s.choice.exposure_s) for s in steps]
        assert ends[ahead] == pytest.approx(np.exp(-told(*settings)), rel=1e-9)
        assert {a for a, _ in settings} == ({FAINT} if ahead == 1 else {AMPLITUDE, BOTH})
    assert ends[2] < 0.7 * ends[1]


def test_two_steps_fit_into_the_time_left() -> None:
    """Without time for a second one, the best alone."""
    atlas = blind()
    start = atlas.start()
    short = choose(start, atlas, menu(2), left_s=2.5)
    assert short == choose(start, atlas, menu(1), left_s=2.5)
    assert choose(start, atlas, menu(2), left_s=1.5) is None
    assert choose(start, atlas, menu(2), left_s=4.0) != short


def densely(beliefs: Beliefs, atlas: Atlas, options: Menu, first: SettingChoice) -> float:
    """The value of a first setting by quadrature over its reading, and all second ones."""
    noise, prediction = sigma(first.exposure_s), predict(beliefs, atlas)
    means = prediction.means[:, first.angle]
    sds = np.sqrt(prediction.variances[:, first.angle] + noise**2)
    y, step = np.linspace(np.min(means - 6 * sds), np.max(means + 6 * sds), 150, retstep=True)
    density = norm.pdf(y[:, None], means, sds) @ beliefs.weights
    value = 0.0
    for datum, weight in zip(y.tolist(), (density * step).tolist(), strict=True):
        after = measured(beliefs, atlas, first.angle, datum, noise)
        questions, next_one = Questions(after, atlas, options.goal), predict(after, atlas)
        best = first.rate
        for b in range(3):
            for u in TIMES.tolist():
                more = questions.information(next_one, b, sigma(u))
                seconds = first.seconds + u + options.setting_s * (b != first.angle)
                best = max(best, (first.information + more) / seconds)
        value += weight * best
    return value


@pytest.mark.parametrize("goal", ["nature", "m1"])
def test_the_mean_over_readings_is_the_integral(goal: str) -> None:
    """Quantiles against 150 points: to the 4 % that ``READINGS`` states."""
    rng = np.random.default_rng(21)
    for _ in range(2):
        beliefs, atlas = random_case(rng, states=6, answers=3)
        options = menu(2, goal)
        questions, prediction = Questions(beliefs, atlas, goal), predict(beliefs, atlas)
        for a in range(3):
            own = questions.information(prediction, a, sigma(4.0))
            first = SettingChoice(a, 4.0, 5.0, own)
            expected = densely(beliefs, atlas, options, first)
            assert value_of_two(beliefs, atlas, options, first) == pytest.approx(expected, rel=0.04)


def test_bounds_of_pairs_are_above_what_pairs_tell() -> None:
    """I_a + E_y I_b(y), by quantiles; and exact where there is one Gaussian."""
    atlas = blind()
    start = atlas.start()
    exact = PairMoments.of(np.ones(1), atlas.mean, atlas.slopes, start.covariances, rest=True)
    for t, u in ((1.0, 1.0), (4.0, 1.0)):
        bounds = exact.bounds(sigma(t), sigma(u))
        expected = [[told((a, t), (b, u)) for b in range(3)] for a in range(3)]
        np.testing.assert_allclose(bounds, expected, rtol=1e-10, atol=1e-12)
    rng = np.random.default_rng(22)
    for goal in ("nature", "m1") * 3:
        beliefs, atlas = random_case(rng)
        centres = atlas.mean + np.einsum("kad,kd->ka", atlas.slopes, beliefs.means)
        moments = beliefs.weights, centres, atlas.slopes, beliefs.covariances
        bounds = PairMoments.of(*moments, rest=goal == "m1").bounds(0.5, 0.5)
        questions, prediction = Questions(beliefs, atlas, goal), predict(beliefs, atlas)
        for a in range(3):
            first = questions.information(prediction, a, 0.5)
            sds = np.sqrt(prediction.variances[:, a] + 0.25)
            readings = likely_readings(beliefs.weights, centres[:, a], sds)
            for b in range(3):
                more = [after_information(beliefs, atlas, goal, a, b, y) for y in readings]
                assert first + np.mean(more) <= bounds[a, b] + 1e-9


def after_information(
    beliefs: Beliefs, atlas: Atlas, goal: str, a: int, b: int, datum: float
) -> float:
    after = measured(beliefs, atlas, a, datum, 0.5)
    return Questions(after, atlas, goal).information(predict(after, atlas), b, 0.5)


def test_likely_readings_are_quantiles() -> None:
    weights, means, sds = np.array([0.3, 0.7]), np.array([-4.0, 2.0]), np.array([0.1, 1.5])
    found = likely_readings(weights, means, sds)
    levels = norm.cdf((found[:, None] - means) / sds) @ weights
    np.testing.assert_allclose(levels, (np.arange(found.size) + 0.5) / found.size, atol=1e-12)
