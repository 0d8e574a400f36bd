"""Full inference of mock data against closed forms, and the trap that it is there for."""

import numpy as np
import pytest
from scipy.special import ndtr

from renp_infer.design.utilities.agreement import agreement
from renp_infer.errors import ConvergenceError
from renp_infer.inference.judging import outcomes
from renp_infer.inference.judging.outcomes import fresh_truth, information, outcome_of
from renp_infer.inference.judging.sbc import mock
from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.marginals import LogUniform, Uniform
from renp_infer.measurement.data import Data
from renp_infer.records import Observation
from tests.design.utilities.test_utility import (
    THETA,
    UNIT,
    Straight,
    appraise,
    bench,
    straight_sigma_meV,
)

WIDTH, INDEX_SD = 0.0125, 1e-4


class Line:
    """A line as high as m1 is heavy, at one of the angles; the refractive index moves it.

    At the nominal index its slope by the index is 0: a linear model has it stand still.
    """

    theta_s = THETA

    def __call__(self, x):
        away = (UNIT - UNIT[10] - 200.0 * (x[1] - 1.45)) / WIDTH
        line = np.exp(-0.5 * away**2)
        jacobian = np.zeros((THETA.size, x.size))
        jacobian[:, 0], jacobian[:, 1] = line, x[0] * line * away * 200.0 / WIDTH
        return 1.0 + x[0] * line, jacobian


def likelihoods_of(apparatus, sigma_nG):
    """Likelihoods of the rivals at a bench, of data that mocks replace."""
    seen = Observation(THETA, np.ones(THETA.size), sigma_nG**2 * np.eye(THETA.size), False)
    return [rival.model.likelihood(Data.of(seen)) for rival in apparatus.rivals]


def found_in(apparatus, sigma_nG, m1_meV, sets, seed=3):
    """Outcomes of fresh data sets of the first hypothesis."""
    likelihoods, rows = likelihoods_of(apparatus, sigma_nG), []
    for child in np.random.SeedSequence(seed).spawn(sets):
        rng = np.random.default_rng(child)
        source = likelihoods[0]
        truth = fresh_truth(source, {MASS: m1_meV}, rng)
        assert truth[source.prior.names.index(MASS)] == m1_meV
        data = mock(source, source.mean(truth), rng).data.vector
        again = [one.with_data(data) for one in likelihoods]
        rows.append(outcome_of(again, np.ones(len(again)), rng, 1000))
    return rows


def test_a_linear_promise_is_the_outcome():
    """Linear and Gaussian: both are the normal equations, whatever the data."""
    sigma_nG, index_sd = 0.01, 5e-4
    exact = straight_sigma_meV(sigma_nG, index_sd)
    nats = np.log(300.0 / exact) - 0.5 * np.log(2.0 * np.pi * np.e)
    apparatus = bench([Straight()], sigma_nG, refractive_index_sd=index_sd)
    promised = appraise(apparatus, truth="fixed", m1_eV=0.15)
    rows = found_in(apparatus, sigma_nG, 150.0, 4)
    assert [row.failure for row in rows] == [""] * 4
    for name, numbers, closed in (
        ("sd_m1", [row.sd_meV for row in rows], exact),
        ("eig_m1", [row.information_nat for row in rows], nats),
    ):
        error = np.std(numbers, ddof=1) / np.sqrt(4)
        assert promised[name].value == pytest.approx(closed, rel=3e-3)
        assert np.mean(numbers) == pytest.approx(closed, abs=4.0 * error + 0.03)
        assert agreement(name, promised[name], 64, numbers).agrees
    pulls = [(row.mean_meV - 150.0) / exact for row in rows]
    assert np.sum(np.square(pulls)) < 18.5  # chi-squared of 4, p = 0.001


def test_hypotheses_have_the_odds_of_their_closed_form():
    """Two lines told apart by a known amount: the log odds are those of two Gaussians."""
    apparatus = bench([Straight(), Straight(offset=0.03)], 0.01)
    likelihoods = likelihoods_of(apparatus, 0.01)
    design = np.column_stack([0.01 * UNIT]) / 0.01
    rows = found_in(apparatus, 0.01, 150.0, 4)
    kept = np.eye(THETA.size) - design @ np.linalg.inv(design.T @ design) @ design.T
    gap = 0.03 * UNIT**2 / 0.01
    away = float(gap @ kept @ gap)
    logs = [np.log(row.probabilities[0] / row.probabilities[1]) for row in rows]
    assert all(sum(row.probabilities) == pytest.approx(1.0, abs=1e-15) for row in rows)
    # the log odds of data of the first are normal: mean away / 2, variance away
    assert np.mean(logs) == pytest.approx(0.5 * away, abs=4.0 * np.sqrt(away / 4))
    assert len(likelihoods) == 2


def test_a_promise_that_a_linear_model_makes_in_vain_is_caught():
    """The line stands still in the linear model, and moves off its angle in truth."""
    sigma_nG, m1_meV = 5e-4, 5.0
    apparatus = bench([Line()], sigma_nG, refractive_index_sd=INDEX_SD, m1_max_meV=100.0)
    promised = appraise(apparatus, truth="fixed", m1_eV=1e-3 * m1_meV)
    rows = [row for row in found_in(apparatus, sigma_nG, m1_meV, 5) if not row.failure]
    assert len(rows) == 5
    outcomes_meV = [row.sd_meV for row in rows]
    assert np.mean(outcomes_meV) > 4.0 * promised["sd_m1"].value
    for name, numbers in (
        ("sd_m1", outcomes_meV),
        ("eig_m1", [row.information_nat for row in rows]),
    ):
        assert agreement(name, promised[name], 64, numbers, 24).agrees is False


@pytest.mark.parametrize("prior", [Uniform(0.0, 450.0), LogUniform(0.1, 450.0)])
def test_information_of_weighted_draws_is_that_of_a_normal_posterior(prior, rng):
    mean, sd, draws = 50.0, 2.0, 1500
    y = rng.normal(mean, 1.3 * sd, draws)
    weights = np.exp(-0.5 * ((y - mean) / sd) ** 2 + 0.5 * ((y - mean) / 1.3 / sd) ** 2)
    far = prior.from_unit(rng.standard_normal((draws // 5, 1)))  # as a proposal has them, in vain
    y, weights = np.append(y, far), np.append(weights, np.full(far.size, 1e-12))
    exact = -prior.log_density(mean) - 0.5 * np.log(2.0 * np.pi * np.e * sd**2)
    if isinstance(prior, LogUniform):
        exact += np.mean(np.log(rng.normal(mean, sd, 200_000) / mean))
    assert information(prior, y, weights / weights.sum()) == pytest.approx(exact, abs=0.1)


def test_draws_of_the_prior_tell_nothing(rng):
    prior, draws = Uniform(0.0, 450.0), 2000
    values = prior.from_unit(rng.standard_normal((draws, 1)))
    assert ndtr(prior.to_unit(values)).max() < 1.0
    found = information(prior, values, np.full(draws, 1.0 / draws))
    assert found == pytest.approx(0.0, abs=0.06)


def test_too_few_effective_draws_are_pooled_and_then_said(monkeypatch):
    apparatus = bench([Straight()], 0.01)

    def few(*_words):
        raise ConvergenceError("log-evidence", 1.0, 0.1)

    monkeypatch.setattr(outcomes, "drawn_of", few)
    pooled = found_in(apparatus, 0.01, 150.0, 1)[0]
    assert pooled.sd_meV == pytest.approx(straight_sigma_meV(0.01, 0.0), rel=0.15)
    monkeypatch.setattr(outcomes, "pooled_sample", few)
    lost = found_in(apparatus, 0.01, 150.0, 1)[0]
    assert "ConvergenceError" in lost.failure and np.isnan(lost.sd_meV)


def test_a_hypothesis_that_is_excluded_is_not_drawn_from(monkeypatch):
    asked = []
    own = outcomes.drawn_of

    def drawn(proposal, *words):
        asked.append(proposal)
        return own(proposal, *words)

    monkeypatch.setattr(outcomes, "drawn_of", drawn)
    apparatus = bench([Straight(), Straight(offset=3.0)], 0.01)
    found = found_in(apparatus, 0.01, 150.0, 1)[0]
    assert len(asked) == 1 and found.probabilities == (1.0, 0.0)
