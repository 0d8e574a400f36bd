"""The pair tensor against explicit spinors, anchors, identities and another paper."""

import numpy as np
import pytest

from renp_infer.errors import DomainError
from renp_infer.physics.neutrinos import couplings, load_oscillation, make_parameters, masses
from renp_infer.physics.pairs.pair_tensor import (
    CurrentPair,
    even_form,
    four_momentum,
    minkowski,
    odd_form,
    pair_structure,
    pair_sums,
    spin_velocity_density,
)
from tests import slow_twins, spinors
from tests.toys.currents import (
    EPSILON,
    MASSES,
    NATURES,
    channels,
    complex_numbers,
    hermitian,
    momentum,
)

ONE = np.eye(3, dtype=complex)


def random_pair(rng):
    return CurrentPair(complex_numbers(rng, 4), complex_numbers(rng, 4))


def standard(m1, nature, **phases):
    """Couplings and masses of the standard model."""
    angles = {"delta": 0.0, "alpha21": 0.0, "alpha31": 0.0} | phases
    table = load_oscillation("nufit-6.0")
    p = make_parameters(m1, "normal", nature, table=table, **angles)
    return (*couplings(p), masses(p))


@pytest.mark.parametrize("nature", NATURES)
@pytest.mark.parametrize("m", MASSES)
def test_any_currents_and_couplings_give_the_spinor_sum(m, nature, rng):
    # complex currents with all four components, complex Hermitian couplings
    for _ in range(4):
        q = four_momentum(EPSILON, momentum(rng, m))
        b, c = hermitian(rng), hermitian(rng)
        x, y = random_pair(rng), random_pair(rng)
        sums = pair_sums(minkowski(q, q), m, b, c, nature)
        expected = spinors.bilinear_emission(q, m, b, c, x, y, nature == "majorana")
        found = even_form(sums, q, x, y) + odd_form(sums, q, x, y)
        scale = np.sqrt(
            spinors.emission(q, m, b, c, x, nature == "majorana")
            * spinors.emission(q, m, b, c, y, nature == "majorana")
        )
        assert abs(found - expected) < 1e-12 * scale


@pytest.mark.parametrize("nature", NATURES)
@pytest.mark.parametrize("m", MASSES)
def test_interference_alone_is_that_of_the_spinors(m, nature, rng):
    # polarisation identity: the odd part is what changes sign with the vector current
    for _ in range(4):
        q = four_momentum(EPSILON, momentum(rng, m))
        b, c = hermitian(rng), hermitian(rng)
        x = random_pair(rng)
        sums = pair_sums(minkowski(q, q), m, b, c, nature)
        plus, minus = (
            spinors.emission(q, m, b, c, (x.axial, sign * x.vector), nature == "majorana")
            for sign in (1.0, -1.0)
        )
        assert 0.5 * (plus - minus) == pytest.approx(
            odd_form(sums, q, x, x).real, abs=1e-12 * (plus + minus)
        )


@pytest.mark.parametrize("m", [(0.0, 0.0), (0.05, 0.05), (0.0, 0.3), (0.2, 0.45)])
def test_every_component_of_one_ordered_pair(m):
    # K, A_q and nothing else, the epsilon term included: all sixteen, on both axes
    q = np.array([EPSILON, 0.3, -0.4, 0.6])
    p_1, p_2, weight = spinors.boosted(q, *m)
    u, v = spinors.spinors(p_1, m[0])[0], spinors.spinors(p_2, m[1])[1]
    current = spinors.bilinear(u, v)
    found = np.einsum("nast,nbst,n->ab", current, current.conj(), weight)
    pair = pair_structure(minkowski(q, q), *m)
    form = pair.a_q * np.outer(q, q) - pair.k * np.diag(spinors.METRIC)
    np.testing.assert_allclose(found, 2.0 * pair.phi * form, atol=1e-12)


@pytest.mark.parametrize(
    ("p_z", "dirac_0", "dirac_10", "majorana_10", "dirac_50"),
    [
        (0.50, 4.768577747, 4.767949429, 4.767321165, 4.752869771),
        (0.92, 3.519480508, 3.518852190, 3.518223946, 3.503772522),
        (1.40, 1.187162122, 1.186533804, 1.185905707, 1.171453952),
    ],
)
def test_anchors(p_z, dirac_0, dirac_10, majorana_10, dirac_50):
    s = EPSILON**2 - p_z**2

    def value(m, exchange):
        pair = pair_structure(s, m, m)
        return float(pair.phi * (pair.k - exchange * m * m))

    found = value(0.0, 0), value(0.01, 0), value(0.01, 1), value(0.05, 0)
    assert found == pytest.approx((dirac_0, dirac_10, majorana_10, dirac_50), rel=1e-9, abs=0.0)


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (0.6, 0.0, 0.8)])
def test_spatial_density_is_the_bracket_of_the_paper(axis, rng):
    # V0 = 0: (s - Sig)/2 + 2 <p1.c p2.c>, averaged over the rest-frame sphere
    for m in ((0.0, 0.0), (0.05, 0.2), (0.45, 0.3)):
        p = momentum(rng, m)
        if EPSILON**2 - p @ p <= sum(m) ** 2:
            p = p / 2.0
        pair = pair_structure(EPSILON**2 - p @ p, *m)
        found = spin_velocity_density(pair, EPSILON, p, axis, axis, conserved=False)
        expected, _ = slow_twins.full_density(p, EPSILON, m, axis, "parallel")
        assert found == pytest.approx(expected, rel=1e-10, abs=0.0)


def test_bracket_before_any_integral(rng):
    # what V0 adds at given p1, p2: -V0 [(p1.S) E2 + (p2.S) E1]; planar integrals need it
    m = (0.05, 0.2)
    q = four_momentum(EPSILON, np.array([0.3, -0.2, 0.6]))
    p_1, p_2, _ = spinors.boosted(q, *m)
    e_1, e_2 = (np.sqrt(k**2 + np.sum(p**2, axis=1)) for k, p in zip(m, (p_1, p_2), strict=True))
    u, v = spinors.spinors(p_1, m[0])[0], spinors.spinors(p_2, m[1])[1]
    n = spinors.bilinear(u, v)
    spin, velocity, charge = rng.normal(size=3), rng.normal(size=3), 0.7
    axial = np.einsum("m,nmst->nst", spinors.lower([0.0, *spin]), n)
    vector = np.einsum("m,nmst->nst", spinors.lower([charge, *velocity]), n)
    found = np.sum((axial * vector.conj()).real, axis=(1, 2))
    dot = np.sum(p_1 * p_2, axis=1)
    bracket = (spin @ velocity) * (e_1 * e_2 - dot)
    bracket += (p_1 @ spin) * (p_2 @ velocity) + (p_2 @ spin) * (p_1 @ velocity)
    bracket -= charge * ((p_1 @ spin) * e_2 + (p_2 @ spin) * e_1)
    np.testing.assert_allclose(found, 2.0 * bracket / (e_1 * e_2), atol=1e-13)


@pytest.mark.parametrize("conserved", [True, False])
def test_spin_velocity_is_the_spinor_interference(conserved, rng):
    m = (0.05, 0.2, 0.45)
    for _ in range(6):
        p = momentum(rng, m)
        q = four_momentum(EPSILON, p)
        spin, velocity = complex_numbers(rng, 3), complex_numbers(rng, 3)
        charge = p @ velocity / EPSILON if conserved else 0.0
        currents = (np.array([0.0, *(2.0 * spin)]), np.array([charge, *velocity]))
        flipped = currents[0], -currents[1]
        for i in range(3):
            one = np.zeros((3, 3), dtype=complex)
            one[i, i] = 1.0
            plus, minus = (
                spinors.emission(q, m, one, one, both, False) for both in (currents, flipped)
            )
            pair = pair_structure(minkowski(q, q), m[i], m[i])
            found = spin_velocity_density(pair, EPSILON, p, spin, velocity, conserved=conserved)
            assert -8.0 * found == pytest.approx(
                0.5 * (plus - minus), abs=1e-12 * max(plus + minus, 1.0)
            )


@pytest.mark.parametrize(("p", "ratio"), [(0.5, 0.901), (0.92, 0.665), (1.4, 0.224), (1.55, 0.049)])
def test_conservation_cancels_the_signal_at_the_threshold(p, ratio):
    # massless, S along v along P: the ratio is s / eps^2
    pair = pair_structure(EPSILON**2 - p**2, 0.0, 0.0)
    axis, momenta = np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.0, p])
    conserved, spatial = (
        spin_velocity_density(pair, EPSILON, momenta, axis, axis, conserved=how)
        for how in (True, False)
    )
    assert conserved / spatial == pytest.approx(1.0 - (p / EPSILON) ** 2, rel=1e-12, abs=0.0)
    assert conserved / spatial == pytest.approx(ratio, abs=1e-3)


def test_normalisation_is_sixteen_times_the_paper(rng):
    # Eq. (10): (1/2) {...}, with S where the operator is sigma = 2 S
    p, m, spin = np.array([0.3, 0.2, 0.5]), (0.05, 0.05), np.array([0.0, 0.0, 1.0])
    q = four_momentum(EPSILON, p)
    density, _ = slow_twins.full_density(p, EPSILON, m, spin, "parallel")
    axial, zero = np.array([0.0, *(2.0 * spin)]), np.zeros(4)
    one = np.diag([1.0, 0.0, 0.0]).astype(complex)
    rate = spinors.emission(q, (0.05,) * 3, one, one, (axial, zero), False)
    assert rate / (0.5 * density) == pytest.approx(16.0, rel=1e-12, abs=0.0)
    vector = np.array([0.0, *spin])
    plus, minus = (
        spinors.emission(q, (0.05,) * 3, one, one, (axial, sign * vector), False)
        for sign in (1.0, -1.0)
    )
    assert -0.5 * (plus - minus) / (0.5 * density) == pytest.approx(16.0, rel=1e-12, abs=0.0)


@pytest.mark.parametrize("nature", NATURES)
@pytest.mark.parametrize("omega", [0.05, 0.3, 0.6, 0.78])
def test_photon_spectrum_of_dinh_and_others(omega, nature):
    # arXiv:1209.4808: |a_ij|^2 Delta_ij (I_ij - delta_M m_i m_j Re a_ij^2 / |a_ij|^2) for
    # beams back to back, P = -k: the mean over directions of S is (1/2 pi) of ours
    b, c, m = standard(0.05, nature, delta=0.7, alpha21=1.1, alpha31=-0.4)
    s = EPSILON * (EPSILON - 2.0 * omega)
    expected = 0.0
    for i, j in np.ndindex(3, 3):
        sum_2, difference_2 = (m[i] + m[j]) ** 2, (m[i] - m[j]) ** 2
        if s <= sum_2:
            continue
        delta = np.sqrt((s - sum_2) * (s - difference_2)) / s
        shape = (
            s / 3.0
            + omega**2 / 6.0
            - omega**2 * delta**2 / 18.0
            - (m[i] ** 2 + m[j] ** 2) / 6.0
            - (EPSILON - omega) ** 2 * (m[i] ** 2 - m[j] ** 2) ** 2 / (6.0 * s**2)
        )
        swapped = m[i] * m[j] * (b[i, j] ** 2).real if nature == "majorana" else 0.0
        expected += delta * (abs(b[i, j]) ** 2 * shape - swapped)
    sums = pair_sums(s, m, b, c, nature)
    found = (sums.k_axial + sums.a_axial * omega**2 / 3.0) / (2.0 * np.pi)
    assert found == pytest.approx(expected, rel=1e-13, abs=0.0)


def test_thresholds_of_that_spectrum():
    # omega_ij = eps/2 - (m_i + m_j)^2 / 2 eps
    for m_i, m_j in ((0.05, 0.2), (0.3, 0.3)):
        edge = 0.5 * EPSILON - (m_i + m_j) ** 2 / (2.0 * EPSILON)
        below, above = (
            pair_structure(EPSILON * (EPSILON - 2.0 * omega), m_i, m_j).phi
            for omega in (edge - 1e-9, edge + 1e-9)
        )
        assert below > 0.0 == above


@pytest.mark.parametrize("m", [(0.0, 0.0), (0.05, 0.05), (0.01, 0.4)])
def test_continuous_at_the_threshold_and_at_rest(m):
    least = sum(m) ** 2
    for excess in (1e-6, 1e-8, 1e-10):
        pair = pair_structure(least + excess, *m)
        bound = np.sqrt(excess * (excess + 4.0 * m[0] * m[1])) / (least + excess)
        assert 0.0 < pair.phi * pair.k <= np.pi * bound * (least + excess)
    edge = pair_structure(np.array([least, 0.0, -1.0]), *m)
    assert all(np.all(part == 0.0) for part in edge)
    # even in P: nothing happens where P_z changes sign
    left, right = (pair_structure(EPSILON**2 - p**2, *m) for p in (-1e-6, 1e-6))
    assert left == right


def test_two_forms_of_k():
    for s, m_i, m_j in ((2.0, 0.05, 0.4), (0.3, 0.2, 0.2), (1.0, 0.0, 0.9)):
        lam = (s - (m_i + m_j) ** 2) * (s - (m_i - m_j) ** 2)
        pair = pair_structure(s, m_i, m_j)
        assert pair.k == pytest.approx((s - m_i**2 - m_j**2) / 2.0 - lam / (6.0 * s))


def test_massless_sum_rule():
    # Re(b c*) summed is 3/4 - sin^2 th_w, |b|^2 summed 3/4
    b, c, _ = standard(0.0, "dirac")
    sums, pair = pair_sums(1.3, np.zeros(3), b, c, "dirac"), pair_structure(1.3, 0.0, 0.0)
    sin2 = load_oscillation("nufit-6.0").sin2_w
    assert sums.k_axial / (pair.phi * pair.k) == pytest.approx(0.75)
    assert sums.k_mixed / (pair.phi * pair.k) == pytest.approx(0.75 - sin2)


# ---- no term odd in the CP phases, for any target -------------------------------------


def cp_odd(rng, b, c, nature, m=(0.05, 0.2, 0.45)):
    """Spinor sum with the couplings minus that with their conjugates, over the total.

    The sums differ by what is odd in the CP phases; currents are complex and general, so
    up-down asymmetries along any axis, T-odd ones too, are among the possible results.
    """
    q = four_momentum(EPSILON, momentum(rng, m))
    x = random_pair(rng)
    majorana = nature == "majorana"
    one = spinors.emission(q, m, b, c, x, majorana)
    other = spinors.emission(q, m, b.conj(), c.conj(), x, majorana)
    return (one - other) / (one + other)


@pytest.mark.parametrize("nature", NATURES)
def test_no_observable_is_odd_in_the_cp_phases(nature, rng):
    for _ in range(8):
        assert abs(cp_odd(rng, hermitian(rng), hermitian(rng), nature)) < 1e-13


@pytest.mark.parametrize("nature", NATURES)
def test_couplings_that_are_not_hermitian_would_show(nature, rng):
    found = [
        abs(cp_odd(rng, complex_numbers(rng, 3, 3), complex_numbers(rng, 3, 3), nature))
        for _ in range(8)
    ]
    assert np.median(found) > 1e-2


def cp_odd_moments(rng, b, c, nature):
    """Three components of the moment with the couplings minus those with their conjugates.

    Two doublets with complex S, M, Q and v between all partners and any light; relative to
    the moments' size. M . (k_s x k_1), the up-down asymmetry, is one projection of it.
    """
    m, majorana = (0.05, 0.2, 0.45), nature == "majorana"
    p = momentum(rng, m)
    q, ions = four_momentum(EPSILON, p), channels(rng, small=0.3)
    ladder = complex_numbers(rng, 2, 2)
    mean = ions.mean(ladder, EPSILON, p)
    found = []
    for k in range(3):
        change = ions.mean_change(ladder, k, EPSILON, p)
        one, other = (
            spinors.bilinear_emission(q, m, x, y, mean, change, majorana).real
            for x, y in ((b, c), (b.conj(), c.conj()))
        )
        found.append((one - other) / (abs(one) + abs(other)))
    return np.abs(found)


@pytest.mark.parametrize("nature", NATURES)
def test_no_moment_is_odd_in_the_cp_phases(nature, rng):
    # non-standard couplings have Im(b_ij c_ij*), and the moment still knows no sign of it
    for _ in range(6):
        assert np.max(cp_odd_moments(rng, hermitian(rng), hermitian(rng), nature)) < 1e-11


@pytest.mark.parametrize("nature", NATURES)
def test_a_moment_of_couplings_that_are_not_hermitian_would_show(nature, rng):
    found = [
        cp_odd_moments(rng, complex_numbers(rng, 3, 3), complex_numbers(rng, 3, 3), nature)
        for _ in range(6)
    ]
    assert np.median(found) > 1e-2


def test_one_ordered_pair_alone_would_show(rng):
    # Im(b_ij c_ij*) of non-standard couplings is there, and cancels in (i, j) + (j, i)
    b, c = hermitian(rng), hermitian(rng)
    first, second = np.zeros((3, 3)), np.zeros((3, 3))
    first[0, 2], second[2, 0] = 1.0, 1.0
    q, x = four_momentum(EPSILON, np.array([0.3, 0.2, 0.5])), random_pair(rng)
    m = (0.05, 0.2, 0.45)
    parts = [
        spinors.emission(q, m, b * keep, c * keep, x, False)
        - spinors.emission(q, m, (b * keep).conj(), (c * keep).conj(), x, False)
        for keep in (first, second)
    ]
    assert abs(parts[0]) > 1.0
    assert sum(parts) == pytest.approx(0.0, abs=1e-12 * abs(parts[0]))


def test_standard_couplings_have_no_phase_between_b_and_c():
    b, c, _ = standard(0.01, "majorana", delta=1.0, alpha21=2.0, alpha31=0.5)
    assert np.max(np.abs((b * c.conj()).imag)) < 1e-17
    assert np.max(np.abs(b.imag)) > 0.1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"b": np.array([[0, 1j, 0], [1j, 0, 0], [0, 0, 0]])}, "b = "),
        ({"c": 1j * ONE}, "c = "),
        ({"nature": "weyl"}, "nature"),
        ({"masses_eV": [0.0, -0.1, 0.0]}, "pair masses"),
        ({"masses_eV": [0.0, np.nan, 0.0]}, "pair masses"),
    ],
)
def test_what_means_nothing_is_refused(change, named):
    given = {"s": 1.0, "masses_eV": [0.0] * 3, "b": ONE, "c": ONE, "nature": "dirac"}
    with pytest.raises(DomainError, match=named):
        pair_sums(**(given | change))


def test_arrays_of_momenta_are_points(rng):
    b, c, m = standard(0.02, "majorana", alpha21=1.0)
    momenta = np.array([[momentum(rng, m) for _ in range(3)] for _ in range(2)])
    q, x = four_momentum(EPSILON, momenta), random_pair(rng)
    whole = even_form(pair_sums(minkowski(q, q), m, b, c, "majorana"), q, x, x)
    assert whole.shape == (2, 3)
    for k in np.ndindex(2, 3):
        sums = pair_sums(minkowski(q[k], q[k]), m, b, c, "majorana")
        assert even_form(sums, q[k], x, x) == pytest.approx(whole[k], rel=1e-12, abs=0.0)
