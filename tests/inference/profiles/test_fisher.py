"""Fisher, Asimov and drawn data against closed forms and against each other."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from renp_infer.errors import DomainError
from renp_infer.inference.hypothesis import phase_settings
from renp_infer.inference.knowledge.derived import quantities_of
from renp_infer.inference.library import Library
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.priors.marginals import LogNormal, Normal
from renp_infer.inference.priors.prior import Prior
from renp_infer.inference.profiles.exposure import ByExposure, linear_chi2, required_exposure
from renp_infer.inference.profiles.fisher import (
    PHASE_SD_DEG,
    Expansion,
    _follows,
    _phases_unknown,
    expand,
    information,
    limit_quantile,
    phase_block,
    sigma,
    sigma_along,
    validity,
)
from renp_infer.inference.profiles.profile import Profile, crossing
from renp_infer.measurement.noise import Noise
from tests.toys.expected import (
    ALONE,
    EXPOSURE,
    STRAIGHT,
    THETA,
    Straight,
    asimov,
    hypothesis,
    noise,
)
from tests.toys.response import (
    LinearResponse,
    ToyResponse,
    observe,
)


@pytest.mark.parametrize("drift", [0.0, 5e-4])
def test_sigma_is_that_of_the_inverted_matrix(drift):
    model, curve = hypothesis(), noise(drift=drift)
    likelihood, vector = asimov(model, 100.0)
    _, jacobian = likelihood.linearise(vector)
    matrix = jacobian.T @ np.linalg.solve(curve.covariance(7200.0), jacobian)
    for k, (name, marginal) in enumerate(likelihood.prior.marginals.items()):
        if isinstance(marginal, Normal | LogNormal):
            matrix[k, k] += marginal.sd**-2
        elif name != "m1_meV":
            matrix[k, k] += 3.0 / 180.0**2
    expected = np.sqrt(np.linalg.inv(matrix)[0, 0])
    expansion = expand(likelihood, vector)
    assert sigma(expansion, curve, 7200.0) == pytest.approx(expected, rel=1e-6)
    slopes = quantities_of(likelihood.prior, "majorana").slopes(likelihood.prior, vector)
    for name in ("sum_meV", "m_beta_meV", "mass_3_meV"):
        row = slopes[name]
        error = np.sqrt(row @ np.linalg.solve(matrix, row))
        assert sigma_along(expansion, curve, 7200.0, row) == pytest.approx(error, rel=1e-6), name


def test_what_nothing_measures_has_no_error_along_it():
    """A direction that is in no row; and half of one that is."""
    curve = noise()
    nothing = np.zeros((curve.covariance(1.0).shape[0], 2))
    rows = np.array([[1.0, 0.0], [0.0, 0.0]])
    spread = Expansion(("m1_meV", "x"), nothing[:, 0], nothing, np.zeros(2), rows)
    assert sigma_along(spread, curve, 7200.0, np.array([0.0, 1.0])) == np.inf
    assert sigma_along(spread, curve, 7200.0, np.array([0.5, 0.0])) == pytest.approx(0.5)


def test_one_parameter_without_nuisances_is_the_closed_form():
    model = hypothesis(Straight(), **STRAIGHT | ALONE)
    likelihood, vector = asimov(model, 100.0)
    unit = (THETA - THETA.mean()) / np.ptp(THETA)
    expected = 1e-3 / np.linalg.norm(1e-3 * unit)  # 1e-3 eV per meV
    expansion = expand(likelihood, vector)
    assert likelihood.prior.names == ("m1_meV",)
    assert sigma(expansion, noise(), EXPOSURE) == pytest.approx(expected, rel=1e-12)
    assert sigma(expansion, noise(), 1e6 * EXPOSURE) == pytest.approx(expected / 1e3, rel=1e-12)


def test_fisher_profile_and_drawn_data_agree_where_all_is_linear():
    model = hypothesis(Straight(), **STRAIGHT)
    likelihood, vector = asimov(model, 100.0)
    expected = sigma(expand(likelihood, vector), noise(), EXPOSURE)
    profile = Profile(likelihood)
    best = profile.best([vector + 0.1])
    assert best.chi2 < 1e-9
    assert best.vector[0] == pytest.approx(100.0, abs=1e-3 * expected)
    for side in (-1.0, 1.0):
        edge = crossing(profile, best, 1.0, side * 0.7 * expected)
        assert edge - best.vector[0] == pytest.approx(side * expected, rel=2e-3)
    assert profile.at(100.0 + 3.0 * expected, vector).chi2 == pytest.approx(9.0, rel=1e-6)
    fitted = []
    for seed in range(300):
        data, _ = asimov(model, 100.0, drawn=seed)
        shifts = np.random.default_rng(seed + 1000).standard_normal(len(data.prior.names) - 1)
        fitted.append(Profile(data, shifts).best([vector]).vector[0])
    # sd of 300 draws: relative error 1 / sqrt(600); 4 of them
    assert np.std(fitted) == pytest.approx(expected, rel=4.0 / np.sqrt(600.0))


def test_two_hypotheses_that_are_linear_part_as_the_projection_says():
    """Rival: one column, no prior; chi-squared is what the column cannot imitate."""
    model = hypothesis(Straight(), **STRAIGHT | ALONE)
    likelihood, vector = asimov(model, 100.0)
    unit = (THETA - THETA.mean()) / np.ptp(THETA)
    odd = 4e-3 * np.sin(7.0 * unit)
    field = likelihood.data.vector + odd
    rival = model.of_peak(1.0).likelihood(observe(field, noise().covariance(EXPOSURE), THETA))
    rest = odd - unit * (unit @ odd) / (unit @ unit)
    expected = float(rest @ rest) / 1e-6
    assert linear_chi2(expand(rival, vector), noise(), EXPOSURE) == pytest.approx(expected)
    assert Profile(rival).best([vector]).chi2 == pytest.approx(expected, rel=1e-6)
    exposure = required_exposure(
        lambda t: np.sqrt(linear_chi2(expand(rival, vector), noise(), t)), 3.0
    )
    assert exposure == pytest.approx(EXPOSURE * 9.0 / expected, rel=1e-3)


def test_the_toy_with_edges_agrees_in_the_gaussian_regime():
    model = hypothesis(nature="dirac")
    curve = noise(1e-5)
    likelihood, vector = asimov(model, 100.0, covariance=curve.covariance(EXPOSURE))
    found = validity(likelihood, vector, curve, 300.0)
    assert found.valid
    expected = sigma(expand(likelihood, vector, free_phases=True), curve, EXPOSURE)
    profile = Profile(likelihood)
    best = profile.best([vector])
    edges = [crossing(profile, best, 1.0, side * expected) for side in (-1.0, 1.0)]
    assert 0.5 * (edges[1] - edges[0]) == pytest.approx(expected, rel=0.03)


def test_fisher_is_not_believed_at_the_boundary_where_it_bends_or_without_phases():
    model = hypothesis(nature="dirac")
    likelihood, vector = asimov(model, 1.0)
    assert validity(likelihood, vector, noise(), 300.0).boundary
    loud = noise(3e-2)
    for nuisances, matter in ((ALONE | {"amplitude_sd": 0.0}, True), ({}, False)):
        free = hypothesis(**nuisances)
        likelihood, vector = asimov(free, 100.0, covariance=loud.covariance(EXPOSURE))
        assert validity(likelihood, vector, loud, 300.0).phases == matter
    coarse = hypothesis(ToyResponse(THETA, width=5e-4), nature="dirac")
    likelihood, vector = asimov(coarse, 100.0)
    assert validity(likelihood, vector, noise(3e-3), 300.0).nonlinearity > 0.2


def test_knowing_more_never_hurts_and_nothing_beats_statistics():
    likelihood, vector = asimov(hypothesis(), 100.0)
    expansion = expand(likelihood, vector)
    full = sigma(expansion, noise(), EXPOSURE)
    alone = sigma(expansion.without(expansion.names[1:]), noise(), EXPOSURE)
    for name in expansion.names[1:]:
        known = sigma(expansion.without([name]), noise(), EXPOSURE)
        better = sigma(expansion.scaled([name], 1e-6), noise(), EXPOSURE)
        assert alone <= known <= full * (1.0 + 1e-9)
        assert better == pytest.approx(known, rel=1e-5)


def test_exposures_are_searched_from_1_s_to_1e60_s():
    assert required_exposure(lambda t: 3e-20 * np.sqrt(t), 3.0) == pytest.approx(1e40, rel=1e-3)
    assert required_exposure(lambda t: 10.0, 3.0) == 1.0
    assert required_exposure(lambda t: 1e-40 * np.sqrt(t), 3.0) == np.inf
    # falls again: the first crossing counts
    assert required_exposure(lambda t: 4.0 * np.exp(-((np.log10(t) - 3.0) ** 2)), 3.0,
                             monotone=False) < 1e3  # fmt: skip


def test_a_significance_that_saturates_is_not_followed_in_small_steps():
    asked = []

    def saturating(t):
        asked.append(t)
        return 2.99 + 0.02 * (t > 1e40)

    assert required_exposure(saturating, 3.0) == pytest.approx(1e40, rel=1e-3)
    assert len(asked) < 60


@pytest.mark.parametrize("room", [(-np.inf, np.inf), (-1e-3, 2e-3), (0.5, 0.6)])
def test_directions_give_what_least_squares_gives_at_each_exposure(room):
    """Drawn data and a point off the prior's centre: misfit and pulls are not 0."""
    likelihood, vector = asimov(hypothesis(), 100.0, drawn=3)
    for name, shift in (("amplitude", 0.1), ("refractive_index", 3e-4), ("alpha21_deg", 40.0)):
        vector[likelihood.prior.names.index(name)] += shift
    curve = noise(1e-3)
    expansion = expand(likelihood, vector)
    model = ByExposure(expansion, curve)
    for exposure in (1.0, 1e-3 * EXPOSURE, EXPOSURE, 1e5 * EXPOSURE):
        assert model.sigma(exposure) == pytest.approx(sigma(expansion, curve, exposure), rel=1e-6)
        expected = linear_chi2(expansion, curve, exposure, room)
        assert model.chi2(exposure, room) == pytest.approx(expected, rel=1e-6)
    alone = expansion.without(expansion.names[1:])
    assert ByExposure(alone, curve).sigma(EXPOSURE) == pytest.approx(sigma(alone, curve, EXPOSURE))


def test_what_other_columns_imitate_is_no_information_at_any_exposure():
    """A mass that moves the data as the index does: its error is that of the index, for good."""
    model = hypothesis(Straight(twin=True), **STRAIGHT | ALONE | {"refractive_index_sd": 1e-4})
    likelihood, vector = asimov(model, 100.0)
    error = ByExposure(expand(likelihood, vector), noise()).sigma
    assert error(1e40) == pytest.approx(1e3 * 1e-4 * 3.0, rel=1e-3)
    assert error(1e60) == pytest.approx(error(1e40), rel=1e-6)


def test_a_scan_starts_each_point_from_the_nearest_one_before(monkeypatch):
    likelihood, vector = asimov(hypothesis(nature="dirac"), 100.0)
    steps, search = [], Profile.at

    def spy(self, m1_meV, start):
        found = search(self, m1_meV, start)
        steps.append((m1_meV, start, found.vector))
        return found

    monkeypatch.setattr(Profile, "at", spy)
    profile = Profile(likelihood)
    best = profile.best([vector])
    crossing(profile, best, 1.0, 5.0)
    assert len(steps) > 2
    known = [(best.vector[0], best.vector)]
    for m1_meV, began, ended in steps:
        nearest = min(known, key=lambda pair: abs(pair[0] - m1_meV))
        assert np.array_equal(nearest[1], began)
        known.append((m1_meV, ended))


def test_limits_at_zero():
    assert limit_quantile(0.90, credible=False) == pytest.approx(1.2816, abs=1e-4)
    assert limit_quantile(0.95, credible=True) == pytest.approx(1.9600, abs=1e-4)


def test_only_two_combinations_of_the_phases_are_seen():
    """The field depends on alpha21 and alpha31 - 2 delta."""
    likelihood, vector = asimov(hypothesis(), 100.0)
    names = ("delta_deg", "alpha21_deg", "alpha31_deg")
    block = phase_block(expand(likelihood, vector), noise(), EXPOSURE, names)
    values, vectors = np.linalg.eigh(block)
    assert values[0] < 1e-9 * values[1]
    assert abs(vectors[:, 0] @ np.array([1.0, 0.0, 2.0])) == pytest.approx(np.sqrt(5.0))
    assert PHASE_SD_DEG == pytest.approx(103.923, abs=1e-3)


def test_information_about_phases_is_a_schur_complement():
    """Of the Fisher matrix without priors of the phases; per radian."""
    likelihood, vector = asimov(hypothesis(), 100.0)
    _, jacobian = likelihood.linearise(vector)
    matrix = jacobian.T @ np.linalg.solve(noise().covariance(7200.0), jacobian)
    for k, marginal in enumerate(likelihood.prior.marginals.values()):
        if isinstance(marginal, Normal | LogNormal):
            matrix[k, k] += marginal.sd**-2
    names = ("delta_deg", "alpha21_deg", "alpha31_deg")
    inner = [likelihood.prior.names.index(name) for name in names]
    outer = [k for k in range(vector.size) if k not in inner]
    scale = 1.0 / np.sqrt(np.diag(matrix)[outer])  # units far apart
    mixed = scale[:, None] * matrix[np.ix_(outer, inner)]
    rest = scale[:, None] * matrix[np.ix_(outer, outer)] * scale
    schur = matrix[np.ix_(inner, inner)] - mixed.T @ np.linalg.solve(rest, mixed)
    expected = schur * (180.0 / np.pi) ** 2
    found = phase_block(expand(likelihood, vector), noise(), 7200.0, names)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6 * np.max(np.abs(expected)))


@pytest.mark.parametrize(
    ("along", "across", "follows"),
    [(0.11, 0.0, True), (-0.11, 5.0, True), (0.09, 5.0, False), (0.0, 5.0, False)],
)
def test_a_turn_is_followed_where_it_moves_the_mass_by_a_tenth_of_its_error(along, across, follows):
    """Of a quarter from where the phase is; ``along`` what the mass does, in its errors."""
    slope, other = 0.05 * np.array([3.0, 4.0, 0.0]), np.array([-4.0, 3.0, 0.0]) / 5.0
    turned = 0.1 * (along * slope / np.linalg.norm(slope) + across * other)
    field = np.array([2.0, 1.0, 7.0])
    fields = {30.0: field, 120.0: field + turned}
    likelihood = SimpleNamespace(mean=lambda vector: fields[float(vector[1])])
    jacobian = np.column_stack([0.01 * slope, np.zeros(3)])
    expansion = Expansion(
        ("m1_meV", "alpha21_deg"), np.zeros(3), jacobian, np.zeros(0), np.zeros((0, 2))
    )
    curve = Noise(lambda exposure_s: 0.01 * np.eye(3), False, EXPOSURE)
    vector = np.array([50.0, 30.0])
    assert _follows(likelihood, vector, expansion, curve, "alpha21_deg") is follows
    blind = replace(expansion, jacobian=np.zeros((3, 2)))
    assert _follows(likelihood, vector, blind, curve, "alpha21_deg") is False


def test_phase_settings_are_even_over_half_the_torus():
    points = phase_settings(200, (0.3, 1.0, 2.0))
    assert points[0] == (0.3, 1.0, 2.0)
    assert len(points) == len(set(points)) == 200
    effective = np.mod([[p[1], p[2] - 2.0 * p[0]] for p in points[5:]], 2.0 * np.pi)
    counts, *_ = np.histogram2d(*effective.T, bins=[3, 6], range=[[0, np.pi], [0, 2 * np.pi]])
    assert counts.sum() == 195
    assert counts.min() >= 8 and counts.max() <= 14


def test_a_rival_starts_near_its_best_fit():
    model = hypothesis(nature="dirac")
    grid = np.linspace(10.0, 250.0, 25)
    library = Library(model, grid, [(0.0, 0.0, 0.0)])
    found = library.nearest(1.3 * model.field(model.at(101.0)) + 0.2)
    assert any(abs(p.m1_eV - 0.1) < 1e-9 for p in found)


class Counted(ToyResponse):
    calls = 0

    def __call__(self, x):
        Counted.calls += 1
        return super().__call__(x)


def test_a_library_knows_its_points_by_heart():
    model = hypothesis(Counted(THETA))
    library = Library(model, np.array([50.0, 100.0]), [(0.0, 1.0, 2.0), (0.3, 0.5, 0.7)])
    likelihood, _ = asimov(library.hypothesis, 80.0)
    before = Counted.calls
    point = library.nearest(model.field(model.at(99.0, (0.0, 1.0, 2.0))))[0]
    before = Counted.calls
    mean, jacobian = likelihood.linearise(library.hypothesis.vector(point))
    assert Counted.calls == before
    forgetful = model.of_peak(1.0)
    expected = forgetful.likelihood(likelihood.data)
    again = expected.linearise(forgetful.vector(point))
    assert Counted.calls == before + 1
    assert np.array_equal(mean, again[0]) and np.array_equal(jacobian, again[1])


def test_information_without_priors_is_invariant_under_units():
    likelihood, vector = asimov(
        hypothesis(LinearResponse(THETA, np.zeros(len(PARAMETERS.slots)))), 100.0
    )
    assert isinstance(likelihood, Likelihood)
    assert information(expand(likelihood, vector), noise(), EXPOSURE) == 0.0


def test_narrower_priors_pull_harder():
    """Of a likelihood made with them, away from their centres."""
    likelihood, vector = asimov(hypothesis(), 100.0)
    prior = likelihood.prior
    moved = vector + 0.3 * np.array([getattr(m, "sd", 0.0) for m in prior.marginals.values()])
    names = ("refractive_index", "amplitude")
    narrow = {
        name: replace(one, sd=0.25 * one.sd) if name in names else one
        for name, one in prior.marginals.items()
    }
    other = Likelihood(
        Prior(narrow, prior.fixed), likelihood.response, likelihood.data, likelihood.shapes
    )
    found, expected = expand(likelihood, moved).scaled(names, 0.25), expand(other, moved)
    assert np.abs(expected.pulls).max() > 1.0
    assert found.pulls == pytest.approx(expected.pulls)
    assert found.prior_rows == pytest.approx(expected.prior_rows)


class OneSided:
    """A template of the mass that bends on one side of 100 meV."""

    theta_s = THETA

    def __init__(self, side, slope=0.1, bend=3.0):
        self.side, self.slope, self.bend = side, slope, bend

    def __call__(self, x):
        away = x[0] - 0.1
        beyond = max(self.side * away, 0.0)
        unit = np.linspace(1.0, 2.0, THETA.size)
        jacobian = np.zeros((THETA.size, x.size))
        jacobian[:, 0] = unit * self.slope + 2.0 * self.side * self.bend * beyond * unit**3
        return 1.0 + unit * self.slope * away + self.bend * beyond**2 * unit**3, jacobian


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_what_bends_on_either_side_is_seen_whatever_the_data(side):
    """By the closed form of the bend at one standard error; drawn data change nothing."""
    model = hypothesis(OneSided(side), **STRAIGHT | ALONE)
    unit = np.linspace(1.0, 2.0, THETA.size)
    error = 1e-3 / (0.1 * np.linalg.norm(unit))
    expected = 3.0 * error**2 * np.linalg.norm(unit**3) / 1e-3
    for drawn in (None, 5):
        likelihood, vector = asimov(model, 100.0, drawn=drawn)
        found = validity(likelihood, vector, noise(), 1e6)
        assert found.nonlinearity == pytest.approx(expected, rel=1e-6)
    mass = 1e3 * error
    for above, boundary in ((0.9, True), (1.1, False)):
        likelihood, vector = asimov(model, 100.0)
        assert validity(likelihood, vector, noise(), 100.0 + above * mass).boundary == boundary


def test_without_any_information_nothing_is_believed():
    class Blind:
        theta_s = THETA

        def __call__(self, x):
            return np.ones(THETA.size), np.zeros((THETA.size, x.size))

    likelihood, vector = asimov(hypothesis(Blind()), 100.0)
    found = validity(likelihood, vector, noise(), 300.0)
    assert (found.boundary, found.nonlinearity, found.phases) == (True, np.inf, False)


@pytest.mark.parametrize(("slope", "unknown"), [(0.1, False), (0.02, False), (0.018, True)])
def test_a_phase_is_unknown_beyond_half_the_spread_of_a_uniform_one(slope, unknown):
    """Known to 10, 50 and 55.6 degrees, always at the cost of m1's error: half of 104 is 52."""
    jacobian = np.array([[1.0, 0.5], [0.0, slope]])
    expansion = Expansion(
        ("m1_meV", "alpha21_deg"), np.zeros(2), jacobian, np.zeros(0), np.zeros((0, 2))
    )
    curve = Noise(lambda exposure_s: np.eye(2), False, EXPOSURE)
    assert sigma(expansion, curve, EXPOSURE, "alpha21_deg") == pytest.approx(1.0 / slope)
    assert _phases_unknown(SimpleNamespace(), np.zeros(2), expansion, curve) is unknown


@pytest.mark.parametrize("room", [(-np.inf, np.inf), (50.0, 60.0)])
def test_with_a_drift_each_exposure_is_solved_anew(room):
    """Against normal equations; where m1 would leave its room it stays at the bound."""
    curve = noise(drift=2e-3)
    likelihood, vector = asimov(hypothesis(nature="dirac"), 100.0, drawn=3)
    expansion = expand(likelihood, vector)
    for exposure in (EXPOSURE, 50.0 * EXPOSURE):
        inverse = np.linalg.inv(curve.covariance(exposure))
        rows = expansion.prior_rows
        matrix = expansion.jacobian.T @ inverse @ expansion.jacobian + rows.T @ rows
        pull = expansion.jacobian.T @ inverse @ expansion.misfit + rows.T @ expansion.pulls
        step = float(np.clip(np.linalg.solve(matrix, pull)[0], *room))
        least = expansion.misfit @ inverse @ expansion.misfit + expansion.pulls @ expansion.pulls
        rest = pull[1:] - step * matrix[1:, 0]
        least += step**2 * matrix[0, 0] - 2.0 * step * pull[0]
        least -= rest @ np.linalg.solve(matrix[1:, 1:], rest)
        model = ByExposure(expansion, curve)
        assert model.chi2(exposure, room) == pytest.approx(least, rel=1e-5)
        error = np.sqrt(np.linalg.inv(matrix)[0, 0])
        assert model.sigma(exposure) == pytest.approx(error, rel=1e-5)


def test_a_mass_that_moves_nothing_leaves_the_misfit():
    expansion = Expansion(
        ("m1_meV",), np.array([1.0, 2.0]), np.zeros((2, 1)), np.zeros(0), np.zeros((0, 1))
    )
    curve = Noise(lambda exposure_s: EXPOSURE / exposure_s * np.eye(2), False, EXPOSURE)
    assert ByExposure(expansion, curve).chi2(4.0 * EXPOSURE) == pytest.approx(20.0)
    assert ByExposure(expansion, curve).sigma(4.0 * EXPOSURE) == np.inf


def test_an_interval_may_end_just_above_zero():
    """Half a meV: its error below a mass of half a meV more."""
    model = hypothesis(Straight(), **STRAIGHT | ALONE)
    error = sigma(expand(*asimov(model, 100.0)), noise(), EXPOSURE)
    likelihood, vector = asimov(model, error + 0.5)
    profile = Profile(likelihood)
    found = crossing(profile, profile.best([vector]), 1.0, -0.3 * error)
    assert found == pytest.approx(0.5, abs=2e-3 * error)


@pytest.mark.parametrize(("decade", "reached"), [(59.5, True), (60.0, True), (60.5, False)])
@pytest.mark.parametrize("monotone", [True, False])
def test_the_last_decade_is_searched_and_none_beyond(decade, reached, monotone):
    def significance(exposure_s):
        return 3.0 * 10.0 ** (0.5 * (np.log10(exposure_s) - decade + 1e-9))

    found = required_exposure(significance, 3.0, monotone=monotone)
    assert found == (pytest.approx(10.0**decade, rel=1e-3) if reached else np.inf)


def test_pulls_lead_back_to_the_centres_of_the_priors():
    """Of a logarithm by its own; a phase has none, as its spread is that of all directions."""
    likelihood, vector = asimov(hypothesis(), 100.0)
    names, marginals = likelihood.prior.names, likelihood.prior.marginals
    vector[names.index("amplitude")] = 1.1
    vector[names.index("refractive_index")] += 2e-4
    expansion = expand(likelihood, vector)
    rows = [int(np.flatnonzero(row)[0]) for row in expansion.prior_rows]
    pulls = {names[k]: pull for k, pull in zip(rows, expansion.pulls, strict=True)}
    assert pulls["amplitude"] == pytest.approx(-np.log(1.1) / marginals["amplitude"].sd)
    assert pulls["refractive_index"] == pytest.approx(-2e-4 / marginals["refractive_index"].sd)
    phases = ("delta_deg", "alpha21_deg", "alpha31_deg")
    assert [pulls[name] for name in phases] == [0.0, 0.0, 0.0]
    vector[names.index("amplitude")] = -0.2
    with pytest.raises(DomainError, match=r"^amplitude = .*-0\.2.*: > 0$"):
        expand(likelihood, vector)
