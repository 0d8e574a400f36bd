"""Constraints against closed forms, differences, graphs and sampled posteriors."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from renp_infer.errors import ContradictionError
from renp_infer.inference.knowledge.constraints import (
    ChainConstraint,
    GaussianConstraint,
    LimitConstraint,
    TableConstraint,
    chi_squared,
)
from renp_infer.inference.knowledge.external import External
from renp_infer.inference.knowledge.tempered import tempered_units
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import SEEN_PHASE
from renp_infer.inference.samplers.sampling import draw_sample
from tests.toys.external import EVERY, angle, chain, external, gaussian, limit, table, table_of_two
from tests.toys.linear import VALUES, conjugate_settings, linear_likelihood
from tests.toys.response import toy_prior, toy_truth
from tests.toys.settings import inference_with

PRIOR = toy_prior(toy_truth("majorana"), inference_with())


def at(term, *values):
    return float(chi_squared([term], dict(zip(term.quantities, values, strict=True))))


def test_a_gaussian_is_its_quadratic_form():
    term = gaussian()
    off = np.array([131.0, 0.4]) - term.values
    expected = off @ np.linalg.solve(term.covariance, off)
    assert at(term, 131.0, 0.4) == pytest.approx(expected, rel=1e-12)
    assert at(term, *term.values) == 0.0


def test_angles_are_measured_the_short_way_round():
    assert at(angle(), 10.0) == pytest.approx(1.0)
    assert at(angle(), 330.0) == pytest.approx(1.0)


def test_a_limit_leaves_its_level_below_it():
    """Of a flat prior from the best value on."""
    term = LimitConstraint("x", "sum_meV", 64.2, 0.95, best=10.0)
    grid = np.linspace(0.0, 400.0, 400_001)
    density = np.exp(-0.5 * chi_squared([term], {"sum_meV": grid}))
    assert np.all(density[grid <= 10.0] == 1.0)
    above = grid >= 10.0
    below = np.sum(density[above & (grid < 64.2)]) / np.sum(density[above])
    assert below == pytest.approx(0.95, abs=1e-5)


def test_a_limit_of_a_range_is_the_mean_likelihood():
    uppers = 28.0 * (122.0 / 28.0) ** ((np.arange(4000) + 0.5) / 4000)
    for value in (1.0, 30.0, 100.0):
        heights = np.exp(-0.5 * (value / (uppers / stats.norm.ppf(0.95))) ** 2)
        assert at(limit(28.0), value) == pytest.approx(-2.0 * np.log(np.mean(heights)), rel=5e-3)
    assert at(limit(), 50.0) < at(limit(28.0), 50.0) < at(replace(limit(), upper=28.0), 50.0)


def test_a_table_of_a_parabola_is_the_parabola():
    """Inside; beyond its ends it rises by the squared distance in its last step."""
    term = table(28)
    for value in (50.0, 61.3, 200.0, 777.0, 1400.0):
        assert at(term, value) == pytest.approx(
            ((value - 200.0) / 60.0) ** 2, abs=((term.axes[0] - 200.0) / 60.0).min() ** 2 + 1e-9
        )
    low, high = (((end - 200.0) / 60.0) ** 2 for end in (50.0, 1400.0))
    least = term.chi_squared.min() - 3.0
    step = term.axes[0][1] - term.axes[0][0]
    assert at(term, 50.0 - 2.0 * step) == pytest.approx(low - least + 4.0, rel=1e-9)
    assert at(term, 1400.0 + step) == pytest.approx(high - least + 1.0, rel=1e-9)


def test_a_table_of_two_has_its_nodes_and_is_exact_between_them():
    term = table_of_two()
    least = term.chi_squared.min()
    for i, j in ((0, 0), (3, 20), (30, 22), (17, 4)):
        found = at(term, term.axes[0][i], term.axes[1][j])
        assert found == pytest.approx(term.chi_squared[i, j] - least, rel=1e-9, abs=1e-9)
    u, v = (123.4 - 150.0) / 80.0, (0.317 - 0.3) / 0.02
    assert at(term, 123.4, 0.317) == pytest.approx(u**2 + v**2 + 0.8 * u * v - least, rel=1e-9)


def around_table(first, last, step=10.0, name="delta_deg"):
    """A cosine of a phase, on an axis of any turn."""
    axis = np.arange(first, last + 0.5 * step, step)
    return TableConstraint("t", (name,), (axis,), 20.0 * (1.0 - np.cos(np.deg2rad(axis + 90.0))))


def test_a_table_of_a_whole_turn_has_no_ends():
    """Whichever turn its axis and the value are of; smooth where the axis ends."""
    shifted = [around_table(-180.0, 180.0), around_table(0.0, 360.0)]
    angles = np.arange(-720.0, 721.0, 7.0)
    expected = 20.0 * (1.0 - np.cos(np.deg2rad(angles + 90.0)))
    for term in shifted:
        assert at_each(term, angles) == pytest.approx(expected, abs=1e-3)
        step = 1e-4
        ends = [at(term, angle) for angle in (180.0 - step, 180.0, 180.0 + step)]
        assert ends[2] - ends[1] == pytest.approx(ends[1] - ends[0], rel=1e-3)


def test_a_table_of_part_of_a_turn_rises_the_short_way_round():
    """From 200 to 340 degrees, which are -160 to -20."""
    term, inside = around_table(200.0, 340.0), np.array([200.0, 270.0, 335.0])
    assert at_each(term, inside - 360.0) == pytest.approx(at_each(term, inside), abs=1e-9)
    last, first = at(term, 340.0), at(term, 200.0)
    assert at(term, 10.0) == pytest.approx(last + 3.0**2, rel=1e-9)
    assert at(term, 170.0) == pytest.approx(first + 3.0**2, rel=1e-9)


def test_a_difference_of_phases_is_known_beyond_one_turn():
    """alpha31 - 2 delta goes down to -720 degrees."""
    angles = np.array([15.0, 100.0, 300.0])
    rng = np.random.default_rng(2)
    draws = rng.normal(20.0, 30.0, (2000, 1))
    for term in (
        around_table(0.0, 360.0, name=SEEN_PHASE),
        ChainConstraint("c", (SEEN_PHASE,), draws, np.ones(2000)),
    ):
        for turn in (-720.0, -360.0, 360.0):
            assert at_each(term, angles + turn) == pytest.approx(at_each(term, angles), abs=1e-6)


def at_each(term, values):
    return np.array([at(term, value) for value in values])


def test_a_chain_keeps_mean_and_covariance():
    """By the moments of its density; of the phase those of the turn around its mean."""
    term = chain()
    centres, whitening, _ = term._kernel
    kept = centres[np.abs(centres[:, 2] - term._middle[2]) < 180.0]
    near = (term.draws[:, 2] - 350.0 + 180.0) % 360.0 + 170.0
    own = np.column_stack([term.draws[:, :2], near])
    own[:, 2] += 360.0 * np.round((term._middle[2] - 350.0) / 360.0)
    scale = np.linalg.inv(whitening)
    whole = np.cov(kept.T, bias=True) + scale @ scale.T
    assert kept.mean(axis=0) == pytest.approx(own.mean(axis=0), rel=1e-9)
    assert whole == pytest.approx(np.cov(own.T, bias=True), rel=1e-9, abs=1e-15)
    here = at(term, 0.0221, 2.51e-3, 350.0)
    assert at(term, 0.0221, 2.51e-3, -10.0) == pytest.approx(here, rel=1e-6, abs=1e-9)


def test_a_chain_of_pointing_knows_that_it_is_on_no_circle():
    draws = np.random.default_rng(3).normal(0.01, 2e-3, (3000, 1))
    term = ChainConstraint("c", ("theta_s_offset_deg",), draws, np.ones(3000))
    centres, whitening, _ = term._kernel
    assert centres.shape == (1000, 1)
    variance = np.var(centres) + 1.0 / whitening[0, 0] ** 2
    assert variance == pytest.approx(np.var(draws), rel=1e-9, abs=0.0)


def test_weights_of_a_chain_count_as_often():
    term = chain(600)
    doubled = replace(
        term,
        draws=np.concatenate([term.draws, term.draws[:300]]),
        weights=np.ones(900),
    )
    weighted = replace(term, weights=np.where(np.arange(600) < 300, 2.0, 1.0))
    for sin2_13 in (0.0215, 0.0225):
        point = (sin2_13, 2.51e-3, 355.0)
        assert at(weighted, *point) == pytest.approx(at(doubled, *point), abs=0.3)


@pytest.mark.parametrize("kind", list(EVERY))
def test_gradients_are_those_of_differences(kind, rng):
    known = external(EVERY[kind]())
    for vector in PRIOR.sample(rng, 3):
        found = known.gradient(PRIOR, vector)
        residuals, rows = known.residuals(PRIOR, vector), known.jacobian(PRIOR, vector)
        level = -2.0 * float(known.log_density(PRIOR, vector))
        assert residuals @ residuals == pytest.approx(level)
        assert -(residuals @ rows) == pytest.approx(found, rel=1e-8, abs=1e-10)
        level = abs(float(known.log_density(PRIOR, vector)))
        for k in range(vector.size):
            step = 1e-5 * max(abs(vector[k]), 1e-3)
            sides = []
            for sign in (1.0, -1.0):
                moved = vector.copy()
                moved[k] += sign * step
                sides.append(float(known.log_density(PRIOR, moved)))
            difference = (sides[0] - sides[1]) / (2.0 * step)
            noise = 1e-14 * (level + 1.0) / step
            assert found[k] == pytest.approx(difference, rel=1e-4, abs=noise), PRIOR.names[k]


def test_graphs_are_the_same_functions(rng):
    """Value and gradient by the graph's own rules, in plain Python."""
    import pytensor
    import pytensor.tensor as pt

    from renp_infer.inference.priors.prior_graph import constant
    from renp_infer.inference.samplers.model import named

    known = external(*(make() for make in EVERY.values()))
    vector = pt.dvector("vector")
    density = known.graph(named(PRIOR, vector, PRIOR.fixed), pt, constant)
    both = pytensor.function(
        [vector], [density, pytensor.grad(density, vector)], mode="FAST_COMPILE"
    )
    for draw in PRIOR.sample(rng, 3):
        value, gradient = both(draw)
        assert value == pytest.approx(float(known.log_density(PRIOR, draw)), rel=1e-9)
        own = known.gradient(PRIOR, draw)
        assert gradient == pytest.approx(own, rel=1e-6, abs=1e-6 * np.abs(own).max())


def test_dirac_neutrinos_show_no_double_beta_decay(rng):
    """A limit allows them, a measurement of 30 +- 10 meV speaks against them by 9 / 2."""
    vectors = PRIOR.sample(rng, 4)
    dirac = external(limit(), nature="dirac")
    assert np.all(dirac.log_density(PRIOR, vectors) == 0.0)
    found = GaussianConstraint("seen", ("m_betabeta_meV",), np.array([30.0]), np.array([[100.0]]))
    seen = external(found, nature="dirac").log_density(PRIOR, vectors)
    assert seen == pytest.approx(-4.5)


def test_nothing_known_changes_nothing(rng):
    plain = PRIOR.sample(np.random.default_rng(3), 5)
    assert np.array_equal(External().sample(PRIOR, np.random.default_rng(3), 5), plain)
    assert not External() and External().turns and External().even


def test_draws_of_what_is_known_follow_prior_times_constraint():
    """m1 alone, uniform to 450: a Gaussian of 100 +- 20 far from both ends."""
    term = GaussianConstraint("x", ("m1_meV",), np.array([100.0]), np.array([[400.0]]))
    draws = external(term).sample(PRIOR, np.random.default_rng(5), 3000)
    mass = draws[:, PRIOR.names.index("m1_meV")]
    assert stats.kstest(mass, stats.norm(100.0, 20.0).cdf).pvalue > 1e-4


def test_rare_draws_of_what_is_known_follow_prior_times_constraint():
    """As above, of a ten-thousandth of the prior, and a tight one of an angle beside it."""
    term = GaussianConstraint("x", ("m1_meV",), np.array([100.0]), np.array([[4e-4]]))
    width = PRIOR.marginals["sin2_12"].sd / 10.0
    other = GaussianConstraint(
        "y", ("sin2_12",), np.array([VALUES["sin2_12"]]), np.diag([width**2])
    )
    draws = external(term, other).sample(PRIOR, np.random.default_rng(5), 2000)
    mass = draws[:, PRIOR.names.index("m1_meV")]
    assert stats.kstest(mass, stats.norm(100.0, 0.02).cdf).pvalue > 1e-3
    assert len(np.unique(mass)) > 1400


def test_rare_draws_are_those_that_patience_finds():
    """A limit on the sum that leaves a per cent: resampled against kept one by one."""
    known = external(LimitConstraint("x", "sum_meV", 120.0, 0.95))
    rng = np.random.default_rng(8)
    plain = PRIOR.sample(rng, 400_000)
    kept = plain[np.log(rng.uniform(size=len(plain))) < known.log_density(PRIOR, plain)]
    units = tempered_units(
        lambda points: known.log_density(PRIOR, PRIOR.from_unit(points)), PRIOR.unit_size, rng, 3000
    )
    found = PRIOR.from_unit(units)
    assert len(kept) < 40_000
    for column in range(len(PRIOR.names)):
        assert stats.ks_2samp(kept[:, column], found[:, column]).pvalue > 1e-4, column


def test_contradictions_are_told():
    term = GaussianConstraint("x", ("m1_meV",), np.array([4e4]), np.array([[1.0]]))
    said = r"constraints leave is 0, and .* \[constraints\] contradict the priors"
    with pytest.raises(ContradictionError, match=said):
        external(term).sample(PRIOR, np.random.default_rng(5), 100)


def constrained(*terms, **changes):
    """The conjugate likelihood with constraints on what is linear in its parameters."""
    target = linear_likelihood(**changes)
    known = external(*terms, nature="dirac")
    return Likelihood(target.prior, target.response, target.data, target.shapes, known)


def exact(term_mean, term_sd, name):
    """Mean and covariance of the linear parameters with a Gaussian on one, by hand."""
    target = linear_likelihood(amplitude_sd=0.0)
    names = [n for n in target.prior.names if n not in ("m1_meV", "delta_deg")]
    places = [target.prior.names.index(n) for n in names]
    means = np.array([target.prior.marginals[n].mean for n in names])
    sds = np.array([target.prior.marginals[n].sd for n in names])
    vector = np.array([VALUES[n] for n in target.prior.names])
    vector[places] = means
    mean, jacobian = target.linearise(vector)
    design = target.whitening.white(jacobian[:, places])
    pulls = target.pulls(mean)
    precision = design.T @ design + np.diag(sds**-2)
    weight = design.T @ pulls
    k = names.index(name)
    precision[k, k] += term_sd**-2
    weight[k] += (term_mean - means[k]) / term_sd**2
    covariance = np.linalg.inv(precision)
    return names, means + covariance @ weight, covariance


TERM = GaussianConstraint("reactor", ("sin2_13",), np.array([0.0225]), np.array([[9e-8]]))


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["nuts", "emcee", "independence", "smc", "nested", "pymc-nuts"])
def test_every_sampler_has_the_exact_posterior(sampler):
    target = constrained(TERM, amplitude_sd=0.0)
    chosen = conjugate_settings(sampler)
    sample = draw_sample(target, chosen, np.random.SeedSequence(3), 1, lambda *_: None)
    names, means, covariance = exact(0.0225, 3e-4, "sin2_13")
    for k, name in enumerate(names):
        draws = sample.vectors[..., target.prior.names.index(name)].ravel()
        sd = np.sqrt(covariance[k, k])
        assert draws.mean() == pytest.approx(means[k], abs=0.2 * sd), name
        assert draws.std() == pytest.approx(sd, rel=0.15), name
    for draw, lp in zip(sample.vectors[0, :3], sample.statistics["lp"].values[0, :3], strict=True):
        if sampler in ("independence", "smc", "nested"):
            assert lp == pytest.approx(target.log_posterior(draw), rel=1e-6)
