"""Probabilities, Bayes factors, agreement and averages, from evidences alone."""

import numpy as np
import pytest
from scipy.special import ndtri

from renp_infer.inference.priors.prior import LogUniform, Uniform
from renp_infer.inference.results.averages import averaged, derived_averages, weighted_quantile
from renp_infer.inference.results.compared import LogEvidence
from renp_infer.inference.results.comparison import (
    HYPOTHESES,
    Evidence,
    agreement,
    compare,
    phase_information,
    posterior_probabilities,
    prior_dominated,
    probability_errors,
)
from renp_infer.inference.results.diagnostics import Convergence
from renp_infer.inference.results.summary import compared, summarise
from tests.toys.compared import MASS_PRIOR, N, four, row
from tests.toys.settings import compare_with


def test_probabilities_follow_from_evidence_and_odds():
    odds = np.array([1.0, 2.0, 0.0, 1.0])
    found = posterior_probabilities([1000.0, 999.0, 1005.0, 990.0], odds)
    mass = odds * np.exp([0.0, -1.0, 5.0, -10.0])
    assert found == pytest.approx(mass / mass.sum(), rel=1e-12)


def test_errors_of_probabilities_are_those_of_scattered_evidences(rng):
    values, errors = np.array([10.0, 9.5, 8.0]), np.array([0.05, 0.02, 0.1])
    odds = np.array([1.0, 2.0, 1.0])
    scattered = posterior_probabilities(values + errors * rng.standard_normal((20_000, 3)), odds)
    found = probability_errors(posterior_probabilities(values, odds), errors)
    assert found == pytest.approx(scattered.std(axis=0), rel=0.03)


def test_all_pairs_and_all_rows():
    found = compare(four(5.0, 2.0, 1.0, -3.0), compare_with(), MASS_PRIOR)
    assert [(r.ordering, r.nature) for r in found.hypotheses] == list(HYPOTHESES)
    assert [r.name for r in found.hypotheses] == [h.name for h in HYPOTHESES]
    assert sum(r.probability for r in found.hypotheses) == pytest.approx(1.0)
    assert found.best is found.hypotheses[0]
    assert len(found.bayes_factors) == 6
    for factor in found.bayes_factors:
        names = [h.name for h in HYPOTHESES]
        z = dict(zip(names, (5.0, 2.0, 1.0, -3.0), strict=True))
        assert factor.log_bayes_factor == pytest.approx(z[factor.over] - z[factor.under])
        error = np.sqrt(2.0 / (0.1**-2 + 0.2**-2))
        assert factor.log_bayes_factor_error == pytest.approx(error)
    assert found.agreement.verdict == "pass"


def test_estimators_that_disagree_fail_and_widen_the_error():
    apart = row(z=0.0, other=1.0)
    assert apart.distance == pytest.approx(1.0 / np.hypot(0.1, 0.2))
    assert agreement([row(), apart], 4.0).verdict == "fail"
    assert agreement([row(), apart], 5.0).verdict == "pass"
    assert "normal_dirac" in agreement([row(), apart], 4.0).reasons[0]
    assert apart.combined.log_evidence == pytest.approx(0.2)
    assert apart.combined.log_evidence_error == pytest.approx(np.sqrt(0.008) * apart.distance)
    single = Evidence(HYPOTHESES[0], {"smc": LogEvidence(1.0, 0.1)}, {"smc": {}})
    assert agreement([single], 4.0).verdict == "warn"


def test_a_nan_does_not_pass():
    assert agreement([row(other=np.nan)], 4.0).verdict == "fail"


def test_average_weighs_hypotheses_by_probability_and_estimators_equally():
    low, high = row(mass=10.0), row(mass=90.0, seed=2)
    found = averaged([low.draws, high.draws], np.array([0.75, 0.25]), "m1_meV", MASS_PRIOR)
    means = [r.draws["smc"]["m1_meV"].mean() for r in (low, high)]
    assert found.mean == pytest.approx(0.75 * means[0] + 0.25 * means[1], rel=1e-12)
    assert found.interval_95[0] == pytest.approx(8.2, abs=0.3)
    assert found.interval_95[1] == pytest.approx(91.3, abs=0.3)
    assert found.median < 13.0
    assert found.sd == pytest.approx(np.sqrt(1.0 + 0.75 * 0.25 * 80.0**2), rel=0.01)


def test_weighted_quantiles_of_equal_weights_are_plain_ones(rng):
    values, probabilities = rng.standard_normal(5000), np.array([0.025, 0.5, 0.9])
    found = weighted_quantile(values, np.full(5000, 0.3), probabilities)
    assert found == pytest.approx(np.quantile(values, probabilities), abs=2e-3)


def test_unseen_phases_are_a_warning():
    dirac, majorana = row(z=5.0), row(nature="majorana")
    assert "posterior is their prior" in prior_dominated(dirac, majorana)
    assert prior_dominated(dirac, row("inverted")) == ""
    # phases that do not matter cannot make up what the ordering does
    assert prior_dominated(row("inverted", z=5.0), majorana) == ""
    assert "do not tell" in prior_dominated(row(z=0.3), majorana)


def test_phases_known_only_in_combination_are_seen(rng):
    """Each alone is uniform; alpha31 - 2 delta is not."""
    delta = rng.uniform(0.0, 360.0, N)
    known = np.mod(2.0 * delta + 90.0 + rng.normal(0.0, 10.0, N), 360.0)
    seen = row(nature="majorana", delta_deg=delta, alpha31_deg=known)
    length, gain = phase_information(seen)
    assert length == pytest.approx(np.exp(-0.5 * np.deg2rad(10.0) ** 2), abs=0.02)
    # 24 bins of 15 degrees; the fullest holds half of the draws around its center
    assert np.log(24 * 0.3) < gain < np.log(24 * 0.6)
    assert prior_dominated(row(z=9.0), seen) == ""
    assert "other priors" in prior_dominated(row(z=1.5), seen)
    assert prior_dominated(row(z=-9.0), seen) == ""


def test_a_derived_quantity_is_averaged_over_those_who_have_it(rng):
    """Two hypotheses with it, of probabilities 0.3 and 0.1, and one without, of 0.6."""
    having = [rng.normal(mean, 1.0, N) for mean in (20.0, 40.0)]
    draws = [{"smc": {"x": having[0]}}, {"smc": {}}, {"smc": {"x": having[1]}}]
    before = [{"x": rng.uniform(0.0, 100.0, N)}, {}, {"x": rng.uniform(0.0, 100.0, N)}]
    shares = np.array([0.3, 0.6, 0.1])
    found = derived_averages(draws, before, shares, np.ones(3))
    assert found["x"].mean == pytest.approx(0.75 * having[0].mean() + 0.25 * having[1].mean())
    assert found["x"].measured and found["x"].upper_95 > 38.0
    alone = derived_averages(draws, before, shares, np.array([1.0, 1.0, 0.0]))
    assert alone["x"].mean == pytest.approx(found["x"].mean)
    assert derived_averages(draws, before, np.array([0.0, 1.0, 0.0]), np.ones(3)) == {}


def test_draws_of_the_prior_measure_no_derived_quantity(rng):
    """Of priors that differ between hypotheses, weighted by the odds."""
    priors = [rng.uniform(0.0, 50.0, 2 * N), rng.uniform(40.0, 90.0, 2 * N)]
    draws = [{"smc": {"x": prior[:N]}} for prior in priors]
    before = [{"x": prior[N:]} for prior in priors]
    odds = np.array([0.8, 0.2])
    assert not derived_averages(draws, before, odds, odds)["x"].measured
    assert derived_averages(draws, before, np.array([0.01, 0.99]), odds)["x"].measured


def of_draws(values):
    """Evidence whose draws of m1 are given."""
    base = row()
    return Evidence(base.hypothesis, base.estimates, {"smc": {"m1_meV": values}})


@pytest.mark.parametrize("prior", [Uniform(0.0, 450.0), LogUniform(0.1, 450.0)])
def test_an_average_over_draws_of_the_prior_is_no_measurement(prior, rng):
    """Of equal and of unequal shares; 4 800 effective draws see 0.002 nats by chance."""
    rows = [of_draws(prior.from_unit(rng.standard_normal((N, 1)))) for _ in range(2)]
    found = averaged([r.draws for r in rows], np.array([0.9, 0.1]), "m1_meV", prior)
    assert not found.measured and "lower" in found.reaches
    assert found.sd == pytest.approx(prior.sd, rel=0.05)
    for limit, level in ((found.upper_90, 0.90), (found.upper_95, 0.95)):
        exact = prior.from_unit(np.array([ndtri(level)]))
        error = np.sqrt(level * (1.0 - level) / 4800) / np.exp(prior.log_density(float(exact)))
        assert limit == pytest.approx(exact, abs=4.5 * error)


def test_an_average_has_the_limits_of_a_fit_of_the_same_draws(rng):
    """Equal draws by the two ways that summarise them."""
    prior, draws = Uniform(0.0, 450.0), np.abs(6.0 * rng.standard_normal(N))
    found = averaged([of_draws(draws).draws], np.ones(1), "m1_meV", prior)
    plain = summarise(draws.reshape(4, -1), None, Convergence(1.0, float(N), float(N)), False)
    own = compared(plain, draws, prior.from_unit(rng.standard_normal((N, 1))), prior.limits)
    assert (found.measured, found.reaches) == (own.measured, own.reaches) == (True, ("lower",))
    for one, other in (
        (found.upper_90, own.upper_90),
        (found.upper_95, own.upper_95),
        (found.interval_95[0], own.interval_95[0]),
    ):
        # quantiles between the same draws
        assert abs(np.sum(draws < one) - np.sum(draws < other)) <= 1
