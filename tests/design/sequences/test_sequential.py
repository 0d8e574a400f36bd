"""The next measurement: conjugate cases, brute integrals, and bounds that must hold."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from renp_infer.design.sequences._information_kernel import add_gaussian, group_information
from renp_infer.design.sequences.beliefs import Atlas, Beliefs, predict
from renp_infer.design.sequences.sequential import Menu, Questions, campaign, choose, measured
from renp_infer.errors import DomainError

ANGLES = np.deg2rad([10.0, 20.0, 30.0])
SLOPES = np.array([1.0, 3.0, -2.0])
SIGMA_1S = 2.0
"""Standard error of a second."""


def sigma(exposure_s):
    return SIGMA_1S / np.sqrt(exposure_s)


def menu(*exposures, setting_s=0.0, goal="m1"):
    return Menu(np.arange(3), np.array(exposures), sigma, setting_s, goal, lookahead=1)


def conjugate(sd=4.0):
    """One state: y = m1 g(angle) + noise, m1 ~ N(50, sd^2)."""
    atlas = Atlas(
        ANGLES,
        50.0 * SLOPES[None, :],
        sd * SLOPES[None, :, None],
        np.array([50.0]),
        np.array([sd]),
        np.zeros(1),
        {"m1": np.zeros(1, dtype=int)},
    )
    return atlas.start(), atlas


def random_case(rng, states=12, nuisances=3, answers=4):
    """States with correlated nuisances."""
    roots = rng.normal(size=(states, nuisances, nuisances))
    weights = rng.dirichlet(np.ones(states))
    labels = {"m1": rng.permutation(np.arange(states) % answers), "nature": np.arange(states) % 2}
    atlas = Atlas(
        ANGLES,
        3.0 * rng.normal(size=(states, 3)),
        rng.normal(size=(states, 3, nuisances)),
        np.arange(states, dtype=float),
        np.full(states, 0.5),
        np.log(weights),
        labels,
    )
    covariances = 0.1 * roots @ roots.transpose(0, 2, 1)
    means = 0.3 * rng.normal(size=(states, nuisances))
    beliefs = Beliefs(np.log(weights), means, covariances, np.zeros(states))
    return beliefs, atlas


def test_greedy_choice_of_the_conjugate_case():
    """I = log(1 + g^2 s^2 t / sigma^2) / 2: the steepest angle, and the best trade of times."""
    beliefs, atlas = conjugate()
    for setting in (0.0, 1.0, 30.0):
        exposures = np.array([0.1, 1.0, 10.0, 100.0])
        expected = 0.5 * np.log1p(SLOPES[:, None] ** 2 * 16.0 * exposures / SIGMA_1S**2)
        rates = expected / (exposures + setting)
        angle, k = np.unravel_index(np.argmax(rates), rates.shape)
        found = choose(beliefs, atlas, menu(*exposures, setting_s=setting))
        assert (found.angle, found.exposure_s) == (angle, exposures[k])
        assert found.information == pytest.approx(expected[angle, k], rel=1e-10)
        assert found.rate == pytest.approx(rates.max(), rel=1e-10)


def test_a_measurement_updates_as_conjugate_gaussians_do():
    beliefs, atlas = conjugate()
    after = measured(beliefs, atlas, 1, 156.0, 2.0)
    precision = 1 / 16.0 + 9.0 / 4.0
    mean, sd = after.mass(atlas)
    assert sd == pytest.approx(precision**-0.5, rel=1e-12)
    assert mean == pytest.approx((50.0 / 16.0 + 9.0 / 4.0 * 52.0) / precision, rel=1e-12)
    expected = norm.logpdf(156.0, 150.0, np.sqrt(9 * 16.0 + 4.0))
    assert after.log_evidence == pytest.approx(expected, rel=1e-12)


def test_staying_saves_the_move():
    """Where the trigger stands nothing is set, so a weaker angle can be worth more."""
    beliefs, atlas = conjugate(sd=0.1)
    costly = menu(1.0, setting_s=10.0)
    assert choose(beliefs, atlas, costly).angle == 1
    assert choose(beliefs, atlas, costly, at=2).angle == 2
    assert choose(beliefs, atlas, costly, at=2).seconds == 1.0


def test_nothing_fits_into_no_time():
    beliefs, atlas = conjugate()
    assert choose(beliefs, atlas, menu(1.0, 5.0, setting_s=1.0), left_s=1.5) is None
    assert choose(beliefs, atlas, menu(1.0, 5.0, setting_s=1.0), left_s=2.5).exposure_s == 1.0


def test_an_unknown_question_is_refused():
    beliefs, atlas = conjugate()
    with pytest.raises(DomainError, match="goal"):
        choose(beliefs, atlas, menu(1.0, goal="colour"))


def test_group_information_is_the_integral():
    """Against adaptive quadrature of the entropies of four Gaussians in two groups."""
    weights, starts = np.array([0.3, 0.2, 0.4, 0.1]), np.array([0, 2, 4])
    means, sds = np.array([0.0, 3.0, 1.0, -4.0]), np.array([1.0, 0.2, 0.7, 1.5])

    def entropy(part):
        share = part.sum()

        def integrand(y):
            density = part @ norm.pdf(y, means, sds) / share
            return -density * np.log(density) if density > 0.0 else 0.0

        edges = [-16.0, -4.0, 0.0, 1.0, 2.0, 2.6, 3.0, 3.4, 5.0, 10.0]
        pieces = zip(edges, edges[1:], strict=False)
        return share * sum(quad(integrand, *piece, epsabs=1e-11)[0] for piece in pieces)

    groups = [weights * (np.arange(4) < 2), weights * (np.arange(4) >= 2)]
    expected = entropy(weights) - sum(map(entropy, groups))
    found = group_information(weights, starts, means, sds)
    assert found == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("step", [0.5, 0.037, 1e-4])
def test_a_gaussian_followed_by_ratios_is_the_gaussian(step):
    """To the 5e-14 of its docstring, and nothing beyond its ends."""
    count = min(int(15.0 / step), 2000) + 2
    out = np.zeros(count + 7)
    add_gaussian(out, 3, 3 + count, 0.7, -7.5, step)
    expected = 0.7 * np.exp(-0.5 * (-7.5 + step * np.arange(count)) ** 2)
    np.testing.assert_allclose(out[3:-4], expected, rtol=5e-14)
    assert not np.any(out[:3]) and not np.any(out[-4:])


def test_group_information_of_a_gaussian_quantity():
    """Many groups in a Gaussian row: half the log of 1 + (S/N)^2."""
    place = np.linspace(-6.0, 6.0, 121)
    weights, starts = norm.pdf(place) / norm.pdf(place).sum(), np.arange(122)
    for snr in (0.5, 1.0, 3.0):
        found = group_information(weights, starts, snr * place, np.ones(121))
        assert found == pytest.approx(0.5 * np.log(1.0 + snr**2), rel=1e-6)


def test_group_information_has_its_limits():
    """Equal predictions tell nothing, distinct ones everything, however far apart."""
    weights, starts = np.array([0.25, 0.75]), np.array([0, 1, 2])
    entropy = -0.25 * np.log(0.25) - 0.75 * np.log(0.75)
    same = group_information(weights, starts, np.zeros(2), np.ones(2))
    assert same == pytest.approx(0.0, abs=1e-12)
    for distance in (30.0, 1e5, 1e12):
        means = np.array([0.0, distance])
        assert group_information(weights, starts, means, np.ones(2)) == pytest.approx(entropy)
    one = group_information(weights, np.array([0, 2]), np.array([0.0, 5.0]), np.ones(2))
    assert one == pytest.approx(0.0, abs=1e-12)


def test_information_is_never_negative_and_below_its_bound():
    rng = np.random.default_rng(4)
    for _ in range(20):
        beliefs, atlas = random_case(rng)
        prediction = predict(beliefs, atlas)
        for goal in atlas.labels:
            questions = Questions(beliefs, atlas, goal)
            for noise in (1e-3, 0.3, 1e3):
                bounds = questions.bounds(prediction, np.arange(3), noise)
                for angle in range(3):
                    found = questions.information(prediction, angle, noise)
                    assert -1e-12 < found <= bounds[angle] + 1e-9


def test_the_bound_does_not_change_the_choice():
    """Best-first search against all settings."""
    rng = np.random.default_rng(9)
    for _ in range(20):
        beliefs, atlas = random_case(rng)
        options = menu(0.2, 2.0, 20.0, setting_s=3.0, goal="nature")
        prediction, questions = predict(beliefs, atlas), Questions(beliefs, atlas, "nature")
        rates = {
            (a, t): questions.information(prediction, a, sigma(t)) / (t + 3.0 * (a != 1))
            for a in range(3)
            for t in options.exposures_s
        }
        found = choose(beliefs, atlas, options, at=1)
        assert (found.angle, found.exposure_s) == max(rates, key=rates.get)


def test_updates_one_by_one_are_the_update_of_all_at_once():
    """Against the joint Gaussian of every state, conditioned once."""
    rng = np.random.default_rng(11)
    beliefs, atlas = random_case(rng)
    y, noise = rng.normal(size=3), np.array([0.5, 0.8, 1.1])
    one_by_one = beliefs
    for k in (2, 0, 1):
        one_by_one = measured(one_by_one, atlas, k, y[k], noise[k])
    at_once = beliefs.updated(atlas.mean, atlas.slopes, y, np.diag(noise**2))
    evidence = np.empty(12)
    for k in range(12):
        j, s = atlas.slopes[k], beliefs.covariances[k]
        spread = j @ s @ j.T + np.diag(noise**2)
        mean = atlas.mean[k] + j @ beliefs.means[k]
        evidence[k] = multivariate_normal.logpdf(y, mean, spread)
        gain = s @ j.T @ np.linalg.inv(spread)
        expected = beliefs.means[k] + gain @ (y - mean)
        np.testing.assert_allclose(at_once.means[k], expected, atol=1e-12)
        np.testing.assert_allclose(at_once.covariances[k], s - gain @ j @ s, atol=1e-12)
    joint = beliefs.weights * np.exp(evidence)
    np.testing.assert_allclose(at_once.weights, joint / joint.sum(), rtol=1e-10)
    assert at_once.log_evidence == pytest.approx(np.log(joint.sum()))
    for found in (one_by_one, at_once):
        np.testing.assert_allclose(found.means, at_once.means, atol=1e-10)
        np.testing.assert_allclose(found.log_weights, at_once.log_weights, atol=1e-9)
        assert found.log_evidence == pytest.approx(at_once.log_evidence)


def test_expected_information_is_the_mean_gain():
    """Draw truths and data: the mean fall of the entropy of the answers is what was promised."""
    rng = np.random.default_rng(12)
    beliefs, atlas = random_case(rng, states=6, answers=3)
    questions = Questions(beliefs, atlas, "nature")
    promised = questions.information(predict(beliefs, atlas), 0, 0.5)

    def entropy(b):
        p = b.probabilities(atlas.labels["nature"])
        return -np.sum(p * np.log(np.maximum(p, 1e-300)))

    gains = []
    for _ in range(3000):
        k = rng.choice(6, p=beliefs.weights)
        z = rng.multivariate_normal(beliefs.means[k], beliefs.covariances[k])
        y = atlas.mean[k, 0] + atlas.slopes[k, 0] @ z + 0.5 * rng.standard_normal()
        gains.append(entropy(beliefs) - entropy(measured(beliefs, atlas, 0, y, 0.5)))
    assert np.mean(gains) == pytest.approx(promised, abs=4 * np.std(gains) / np.sqrt(3000))


def test_a_campaign_learns_m1_and_keeps_its_time():
    _, atlas = conjugate()
    rng, truth = np.random.default_rng(13), 53.0

    def measure(angle, noise):
        return truth * SLOPES[angle] + noise * rng.standard_normal()

    steps = list(campaign(atlas, menu(1.0, 4.0, setting_s=0.5), measure, 50.0))
    assert steps[-1].elapsed_s <= 50.0 < steps[-1].elapsed_s + 1.0
    assert {s.choice.angle for s in steps} == {1}  # the steepest, and never a move again
    mean, sd = steps[-1].beliefs.mass(atlas)
    exposure = sum(s.choice.exposure_s for s in steps)
    assert sd == pytest.approx((1 / 16.0 + 9.0 * exposure / SIGMA_1S**2) ** -0.5)
    assert abs(mean - truth) < 4 * sd
    few = list(campaign(atlas, menu(1.0), measure, 50.0, stop=lambda b: b.mass(atlas)[1] < 0.3))
    assert few[-1].beliefs.mass(atlas)[1] < 0.3
    assert few[-2].beliefs.mass(atlas)[1] >= 0.3
