"""Designs with constraints and templates, against closed forms, other priors and rejection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp, ndtri

from renp_infer.design.utilities._torus_kernel import torus_integrals, weighted_torus_integrals
from renp_infer.design.utilities.appraisal import DesignBench, Rival
from renp_infer.design.utilities.foreknown import belief_of, known_truths
from renp_infer.design.utilities.phase_table import GRID, half_of_torus, whole_torus
from renp_infer.design.utilities.utility import Appraiser
from renp_infer.errors import ContradictionError
from renp_infer.inference.hypothesis import HypothesisModel, hypothesis_model
from renp_infer.inference.knowledge.constraints import GaussianConstraint, LimitConstraint
from renp_infer.inference.priors.marginals import Normal, Truncated
from renp_infer.inference.priors.own_prior import OwnPrior
from renp_infer.inference.priors.template import Template
from renp_infer.inference.results.comparison import hypothesis_named
from renp_infer.measurement.noise import Noise
from tests.design.utilities.test_utility import (
    EXPOSURE,
    PLAIN,
    TABLE,
    THETA,
    UNIT,
    Straight,
    straight_sigma_meV,
    white,
)
from tests.toys.response import OSCILLATION, toy_truth
from tests.toys.settings import inference_with, utility_with

MOST_MEV = 300.0
ANGLES = tuple(np.rad2deg(THETA).tolist())
HUM = Template("hum", "additive", 0.7, ANGLES, tuple((0.3 * np.sin(9.0 * THETA)).tolist()), "all")
GAIN = Template("gain", "multiplicative", 0.1, ANGLES, tuple(np.cos(5.0 * THETA).tolist()), "all")


def gaussian(*pairs: tuple[str, float, float]) -> GaussianConstraint:
    names, values, errors = zip(*pairs, strict=True)
    covariance = np.diag(np.square(errors))
    return GaussianConstraint(f"on {names[0]}", names, np.array(values), covariance)


def informed(terms=(), sigma_nG=0.2, noise=None, truths=64, **settings):
    """Expected information on m1 by the straight response with constraints, and truths."""
    chosen = inference_with(**{"m1_max_meV": MOST_MEV, **PLAIN, **settings})
    own = toy_truth("dirac")
    wanted = utility_with(
        inference=chosen, orderings=("normal",), natures=("dirac",), truths=truths
    )
    known = {"normal": tuple(terms)}
    appraiser = Appraiser(wanted, own, TABLE, np.random.default_rng(1), knowledge=known)
    shapes = {t.name: t.at(THETA) for t in chosen.templates if t.kind == "additive"}
    model = HypothesisModel(Straight(), own, OSCILLATION, chosen, 1.45, 1.0, shapes, terms)
    seen = white(sigma_nG) if noise is None else noise
    bench = DesignBench([Rival(model)], appraiser.known, seen, 193)
    return appraiser.of_bench(bench, ["eig_m1"])["eig_m1"], appraiser.truths


@pytest.mark.parametrize("sd_meV", [20.0, 3.0, 0.3])
def test_a_measured_mass_leaves_the_exact_information(sd_meV):
    """Relative to the prior with the constraint: half the log of 1 + the ratio of variances."""
    found, _ = informed([gaussian(("m1_meV", 150.0, sd_meV))])
    exact = 0.5 * np.log1p((sd_meV / straight_sigma_meV(0.2, 0.0)) ** 2)
    assert found.value == pytest.approx(exact, abs=0.01 + 3.0 * found.error)


def test_a_mass_known_to_nothing_leaves_nothing_to_learn():
    assert informed([gaussian(("m1_meV", 150.0, 0.01))])[0].value == pytest.approx(0.0, abs=1e-3)


def test_a_constraint_is_the_prior_of_the_same_density():
    normal = OwnPrior("m1_meV", "truncated", Truncated(Normal(60.0, 40.0), 0.0, MOST_MEV), "")
    by_prior, drawn = informed(own=(normal,))
    by_constraint, also = informed([gaussian(("m1_meV", 60.0, 40.0))])
    np.testing.assert_allclose(also.m1_meV, drawn.m1_meV, atol=0.02)
    assert by_constraint.value == pytest.approx(by_prior.value, abs=2e-3)


def test_a_measured_nuisance_is_one_of_a_narrower_prior():
    prior, other = 1e-4, 3e-5
    both = (prior**-2 + other**-2) ** -0.5
    wide, _ = informed(sigma_nG=0.2, refractive_index_sd=prior)
    narrow, _ = informed(sigma_nG=0.2, refractive_index_sd=both)
    term = gaussian(("refractive_index", 1.4505, other))
    found, _ = informed([term], sigma_nG=0.2, refractive_index_sd=prior)
    assert found.value == pytest.approx(narrow.value, abs=1e-6)
    assert found.value > wide.value + 0.1


def test_the_belief_of_correlated_nuisances_is_that_of_the_normal_equations():
    covariance = np.array([[4e-8, 1e-5], [1e-5, 0.01]])
    values = np.array([1.4502, 1.05])
    term = GaussianConstraint("both", ("refractive_index", "amplitude"), values, covariance)
    settings = inference_with(**PLAIN | {"refractive_index_sd": 1e-3, "amplitude_sd": 1e-4})
    own = toy_truth("dirac")
    model = HypothesisModel(Straight(), own, OSCILLATION, settings, 1.45, 1.0, {}, (term,))
    found = belief_of(model)
    prior = np.diag([1e-4, 1e-3]) ** 2  # amplitude first, as in every vector
    order = [1, 0]
    inverse = np.linalg.inv(covariance)[np.ix_(order, order)]
    exact = np.linalg.inv(np.linalg.inv(prior) + inverse)
    mean = exact @ inverse @ (values[order] - [1.0, 1.45])
    scale = np.diag([1e-4, 1e-3])
    np.testing.assert_allclose(scale @ found.mean, mean, rtol=1e-3)
    whole = scale @ found.factor @ found.factor.T @ scale
    np.testing.assert_allclose(whole, exact, rtol=1e-3)


def test_an_additive_template_is_a_covariance():
    shape = HUM.at(THETA)
    matrix = 0.04 * np.eye(THETA.size) + HUM.sd**2 * np.outer(shape, shape)
    sum_of_both = Noise(lambda _: matrix, True, EXPOSURE)
    free, _ = informed(templates=(HUM,))
    added, _ = informed(noise=sum_of_both)
    without, _ = informed()
    assert free.value == pytest.approx(added.value, abs=2.0 * (free.error + added.error))
    column = 0.01 * UNIT
    sigma = (column @ np.linalg.solve(matrix, column)) ** -0.5
    exact = np.log(straight_sigma_meV(0.2, 0.0) / sigma)
    assert free.value - without.value == pytest.approx(exact, abs=0.02)


def test_a_multiplicative_template_of_one_is_an_amplitude():
    flat = replace(GAIN, sd=0.05, values=tuple(np.ones(THETA.size)))
    by_template, _ = informed(sigma_nG=0.05, templates=(flat,))
    by_amplitude, _ = informed(sigma_nG=0.05, amplitude_sd=0.05)
    assert by_template.value == pytest.approx(by_amplitude.value, abs=1e-9)


def known(terms, natures=("dirac", "majorana"), orderings=("normal", "inverted"), **settings):
    """Hypotheses, and what is known of them and of m1 and phases."""
    chosen = inference_with(**{"m1_max_meV": MOST_MEV, **settings})
    pairs = [(o, n) for o in orderings for n in natures]
    odds = np.full(len(pairs), 1.0 / len(pairs))
    own = toy_truth("majorana")
    found = known_truths(pairs, odds, own, TABLE, chosen, dict.fromkeys(orderings, tuple(terms)))
    return pairs, chosen, found


def test_densities_of_the_hypotheses_add_up_to_that_of_the_mass():
    """Each weighted by its odds, which differ: at one sum of masses the orderings differ in m1."""
    _, _, found = known([gaussian(("sum_meV", 172.0, 8.0))])
    masses = np.linspace(30.0, 62.0, 9)
    logs = np.array([found.log_share(k, masses) for k in range(4)])
    assert np.max(np.abs(logs[0] - logs[2])) > 1.0
    np.testing.assert_allclose(found.odds @ np.exp(logs), 1.0, rtol=1e-9)


@pytest.mark.parametrize("sd_meV", [10.0, 1.0, 0.1])
def test_the_tails_of_a_measured_mass_are_those_of_the_measurement(sd_meV):
    _, _, found = known([gaussian(("m1_meV", 150.0, sd_meV))])
    even = (np.arange(100_000) + 0.5) / 100_000
    masses = found.mass.from_unit(ndtri(even)[:, None])
    assert masses.std() == pytest.approx(sd_meV, rel=3e-3)
    high = (np.quantile(masses, 0.9995) - 150.0) / sd_meV
    assert high == pytest.approx(ndtri(0.9995), abs=0.01)


def drawn_from(pair, chosen, terms, n=4000):
    """Draws of prior times constraints by rejection, and the mean likelihood over the prior."""
    rows = []
    experiment = type("E", (), {"target": type("T", (), {"refractive_index": 1.45})})
    model = hypothesis_model(
        hypothesis_named(*pair),
        experiment,
        toy_truth("majorana"),
        TABLE,
        chosen,
        lambda p: Straight(),
        peak=1.0,
        shapes={},
        knowledge=terms,
    )
    rng = np.random.default_rng(3)
    rows = model.external.sample(model.prior, rng, n)
    prior = model.prior.sample(rng, 20000)
    share = float(np.mean(np.exp(model.external.log_density(model.prior, prior))))
    return dict(zip(model.prior.names, rows.T, strict=True)), share


def test_hypotheses_masses_and_phases_are_those_of_rejection():
    """A sum and a double beta decay: both orderings and natures by their shares of the prior."""
    terms = (
        LimitConstraint("sky", "sum_meV", 250.0, 0.95),
        gaussian(("m_betabeta_meV", 30.0, 8.0)),
    )
    pairs, chosen, found = known(terms)
    points = np.random.default_rng(2).uniform(size=(4000, 3))
    shares = []
    for place, pair in enumerate(pairs):
        rows, share = drawn_from(pair, chosen, terms)
        shares.append(share)
        masses, phases = found.truths(place, points)
        spread = np.std(rows["m1_meV"]) * np.sqrt(2.0 / 4000)
        assert np.mean(masses) == pytest.approx(np.mean(rows["m1_meV"]), abs=4.5 * spread)
        if pair[1] == "majorana":
            cosine = np.cos(np.deg2rad(rows["alpha21_deg"]))
            there = np.cos(phases[:, 0])
            width = np.std(cosine) * np.sqrt(2.0 / 4000)
            assert np.mean(there) == pytest.approx(np.mean(cosine), abs=4.5 * width + 0.01)
    expected = np.array(shares) / np.sum(shares)
    np.testing.assert_allclose(found.odds, expected, atol=0.02)


def test_a_constraint_far_from_the_prior_is_a_contradiction():
    with pytest.raises(ContradictionError, match="prior is .* contradict the priors"):
        known((gaussian(("m1_meV", 400.0, 5.0)),))


def test_even_phases_weigh_as_uniform_ones():
    rng = np.random.default_rng(3)
    root = 2.0 * rng.normal(size=(1, 3, 3))
    pull, curvature = 5.0 * rng.normal(size=(1, 3)), root @ root.transpose(0, 2, 1)
    flat = np.zeros((2, GRID, GRID))
    plain = torus_integrals(pull, curvature)
    weighed = weighted_torus_integrals(pull, curvature, flat, np.array([0]), np.array([0.3]))
    np.testing.assert_allclose(weighed, plain, atol=1e-9)


def test_weighed_phases_are_those_of_a_fine_grid():
    points, _ = half_of_torus()
    a, e = points.T
    half = 1.5 * np.cos(a - 0.0) + 0.8 * np.cos(e) - 0.4 * np.cos(2.0 * (e - a))
    table = np.repeat(whole_torus(half[None]), 2, axis=0)
    pull = np.array([[2.0, -1.0, 0.5]])
    log, gain = weighted_torus_integrals(
        pull, np.zeros((1, 3, 3)), table, np.array([0]), np.array([0.0])
    )
    angle = 2.0 * np.pi * np.arange(400) / 400
    a, e = np.meshgrid(angle, angle)
    known = 1.5 * np.cos(a) + 0.8 * np.cos(e) - 0.4 * np.cos(2.0 * (e - a))
    u = 2.0 * np.cos(a) - np.cos(e) + 0.5 * np.cos(e - a)
    exact = logsumexp(u + known) - logsumexp(known)
    weights = np.exp(u + known - logsumexp(u + known))
    assert log[0] == pytest.approx(exact, abs=2e-3)  # the table goes by straight lines
    assert gain[0] == pytest.approx(np.sum(weights * u) - exact, abs=2e-3)
