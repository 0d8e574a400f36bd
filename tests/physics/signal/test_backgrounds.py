"""Backgrounds against brute force: phase space, form factor, depletion, selection."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import factorial, pi

import mpmath
import numpy as np
import pytest
from scipy import constants
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.special import j1

from renp_infer.physics.constants import EV_TO_PER_S, FERMI_CONSTANT_PER_EV2, PER_S_TO_EV
from renp_infer.physics.pairs.densities import pair_density
from renp_infer.physics.pairs.kinematics import phase_matched
from renp_infer.physics.signal import backgrounds as bg
from renp_infer.physics.signal.magnetization import h_r, ions, rate_per_s, spin_squared
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Detector, Experiment, Lasers, Layout

TARGET = load_target("er-ylf")
THETA_S, THETA_E = phase_matched(TARGET)


def experiment(preset="published", size=(1.0, 0.5), gamma=None, **lasers):
    target = replace(TARGET, gamma_ep_per_s=gamma or TARGET.gamma_ep_per_s)
    layout = Layout(*size, THETA_E, np.array([THETA_S, 2.5]))
    chosen = Lasers(**({"trigger_mW_cm2": 10.0} | lasers))
    return Experiment(target, layout, chosen, Detector(), PRESETS[preset])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_photon_phase_space_by_monte_carlo(count, rng):
    """Golden rule with a dipole along z: energies, directions and polarisations drawn."""
    epsilon, n = 1.3, 400_000
    omega = epsilon * rng.dirichlet(np.ones(count), n)
    cosine = rng.uniform(-1.0, 1.0, (n, count))
    modes = 4.0 * pi * omega**2 / (2.0 * pi) ** 3
    weight = 2.0 * pi * np.prod(modes * 0.5 * omega * (1.0 - cosine**2), axis=1)
    weight *= epsilon ** (count - 1) / factorial(count - 1)
    error = weight.std() / np.sqrt(n)
    assert bg.photon_phase_space(epsilon, count) == pytest.approx(weight.mean(), abs=4.5 * error)


def test_printed_integral_of_eq_66():
    """1/184800 by rational arithmetic, term by term of the simplex integral."""
    inner = [Fraction(factorial(3) * factorial(3 + j), factorial(7 + j)) for j in range(8)]
    # Int w^3 (1 - w)^7 / 140: the pair of photons gives (1 - w)^7 times inner[0]
    outer = Fraction(factorial(3) * factorial(7), factorial(11))
    assert inner[0] * outer == Fraction(1, 184800)
    printed = (2.0 / 3.0) ** 3 * 1.7**11 / (2.0 * pi) ** 5 / 184800
    assert bg.photon_phase_space(1.7, 3) == pytest.approx(printed, rel=1e-12)


def test_one_photon_is_spontaneous_emission():
    """Rate d^2 omega^3 / 3 pi, from the moment that the rates of the scheme give."""
    for name, omega in (("pg", TARGET.omega_s), ("eg", TARGET.omega_1 + TARGET.omega_2)):
        rate = TARGET.md_rates_per_s[name] + TARGET.ed_rates_per_s[name]
        moment = rate * PER_S_TO_EV / bg.photon_phase_space(omega, 1)
        assert moment <= bg.dipole_squared(TARGET) * (1.0 + 1e-12)
        if name == "pg":
            assert moment == pytest.approx(bg.dipole_squared(TARGET), abs=0)


def test_pair_phase_space_by_quadrature():
    with_energies = mpmath.quad(lambda e: e**2 * (1.5 - e) ** 2, [0, 1.5])
    expected = (4.0 * pi) ** 2 / (2.0 * pi) ** 5 * float(with_energies)
    assert bg.pair_phase_space(1.5) == pytest.approx(expected, rel=1e-12)


def test_pair_phase_space_is_that_of_the_pair_density():
    """Massless D of Eq. (12), with the axial current, over all momenta of the pair."""
    epsilon, form = 1.5, np.array([2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 1.0])
    x, weight = np.polynomial.legendre.leggauss(24)
    r, cosine = 0.5 * epsilon * (x + 1.0), 0.5 * (x + 1.0)
    radial, angle = np.meshgrid(r, cosine, indexing="ij")
    along, across = (radial * angle).ravel(), (radial * np.sqrt(1.0 - angle**2)).ravel()
    density, _ = pair_density(along, across, epsilon, (0.0, 0.0), form, "full")
    shells = np.outer(4.0 * pi * r**2 * 0.5 * epsilon * weight, 0.5 * weight)
    total = np.sum(shells * density.reshape(24, 24)) / (2.0 * pi) ** 5
    assert bg.pair_phase_space(epsilon) == pytest.approx(total, rel=1e-6)


def test_the_paper_s_estimate_of_four_photons():
    """Coupling 1e-39 / eV^6 and phase space 3e-7 eps^6; together comparable to the pair."""
    coupling = (bg.dipole_squared(TARGET) / 3.0) ** 3
    assert coupling == pytest.approx(1e-39, rel=0.5, abs=0)
    epsilon = TARGET.epsilon_ep
    share = bg.photon_phase_space(epsilon, 3) / bg.pair_phase_space(epsilon) / epsilon**6
    assert share == pytest.approx(3e-7, rel=0.05)
    printed = share * epsilon**2 * coupling / FERMI_CONSTANT_PER_EV2**2
    assert 1.0 < printed < 10.0
    # with d^2 from the rates and the current of the pair, orders more
    spin = spin_squared(TARGET, PRESETS["corrected"])
    ratio = bg.photons_to_pair(TARGET, 3, spin)
    assert ratio == pytest.approx(27.0 * printed / (0.75 * spin), rel=1e-9)


def test_rate_of_the_pair_has_the_factors_shared_with_the_photons():
    """Per ion: N |chi|^2 h_r^2 G_F^2 S^2 (3/4) (2 pi)^-5 Int d3P U W D."""
    apparatus, chi2, integral = experiment("corrected", gamma=1e3), 1e-3, 2.7
    sum_f = np.array([0.75 * integral / (2.0 * pi) ** 2])
    per_ion = rate_per_s(apparatus, sum_f, chi2) / ions(apparatus.target, apparatus.layout)
    trigger = h_r(apparatus.target, apparatus.lasers, apparatus.switches) * 57.34 / 1e3
    spin = spin_squared(TARGET, apparatus.switches)
    shared = ions(apparatus.target, apparatus.layout) * chi2 * trigger**2
    pair = FERMI_CONSTANT_PER_EV2**2 * spin * 0.75 * integral / (2.0 * pi) ** 5
    np.testing.assert_allclose(per_ion, shared * pair * EV_TO_PER_S, rtol=1e-6)


def brute_form_factor(w_l, w_t, half_length, radius, sizes=40):
    """U W over the sphere of k = 1 and over sizes within 10 %, and the same of the formula."""
    u, weight = np.polynomial.legendre.leggauss(int(4 * half_length + 200))
    phi = pi * (np.arange(int(4 * radius + 80)) + 0.5) / int(4 * radius + 80)
    sine = np.sqrt(1.0 - u * u)[:, None]
    across = np.hypot(w_t - sine * np.cos(phi), sine * np.sin(phi))
    brute = formula = 0.0
    for i in range(sizes):
        h = half_length * (0.9 + 0.2 * (i * 0.7548776662466927 % 1.0))
        r = radius * (0.9 + 0.2 * (i * 0.5698402909980532 % 1.0))
        u_squared = np.sinc((w_l - u) * h / pi) ** 2
        brute += 0.5 * np.sum(
            weight * u_squared * np.mean((2 * j1(r * across) / (r * across)) ** 2, 1)
        )
        formula += bg.finite_size_factor(w_l, w_t, 1.0, h, r)
    return formula / brute


@pytest.mark.parametrize(
    ("w_l", "w_t", "half_length", "radius", "bounds"),
    [
        (0.0, 0.0, 60.0, 60.0, (0.8, 1.2)),
        (0.3, 0.5, 80.0, 50.0, (0.8, 1.2)),
        (-0.8, 0.1, 60.0, 40.0, (0.8, 1.2)),
        (0.6, -0.3, 25.0, 25.0, (0.8, 1.2)),
        (1.2, 0.2, 60.0, 60.0, (0.8, 1.2)),
        (1.0, 0.0, 60.0, 60.0, (0.8, 1.2)),
        (0.0, 1.0, 60.0, 60.0, (0.6, 1.0)),
        (0.6, 0.8, 60.0, 60.0, (1.0, 3.0)),
    ],
)
def test_finite_size_factor_by_brute_force(w_l, w_t, half_length, radius, bounds):
    found = brute_form_factor(w_l, w_t, half_length, radius)
    assert bounds[0] < found < bounds[1]


def test_two_photon_rate_is_the_paper_s_extinction():
    """3e-4 per ion at 1 MHz: in the crystal of Eq. (57), at |chi|^2 = 1e-3."""
    wide = experiment(gamma=1e6)
    rate = bg.two_photon_per_s(wide, 1e-3)
    assert rate[0] == pytest.approx(3e-4, rel=0.2)
    # as gamma^-2, whatever the rate's own power of gamma_ep
    narrow = bg.two_photon_per_s(experiment(gamma=1e5), 1e-3)
    np.testing.assert_allclose(narrow, 100.0 * rate, rtol=1e-12)
    # N / (k R)^2 / (k L)^2 and N / (k L) (k R)^3: half as much in twice the crystal
    np.testing.assert_allclose(
        bg.two_photon_per_s(experiment(size=(2.0, 1.0), gamma=1e6), 1e-3), 0.5 * rate, rtol=1e-3
    )


def test_events_per_lifetime_as_recomputed():
    """Eq. (68): 0.061 where 0.19 is printed."""
    apparatus = experiment()
    rate = rate_per_s(apparatus, np.array([1e-8]), 1.0)
    assert bg.events_per_lifetime(TARGET, rate)[0] == pytest.approx(0.0612, abs=5e-4)


def test_depletion_by_integrating_the_decays():
    apparatus = experiment("corrected", trigger_mW_cm2=1e-2)
    found = bg.backgrounds(apparatus, np.array([2e20, 1e21]), 1e-3)
    rates = np.array(
        [
            *(found.pair_per_s[1], found.two_photon_per_s[1], found.three_photon_per_s[1]),
            *(found.four_photon_per_s[1], found.e1_per_s, found.other_per_s),
        ]
    )
    assert np.all(rates > 0.0)
    time = 0.3 / rates.sum()
    solved = solve_ivp(
        lambda _t, y: np.append(rates * y[-1], -rates.sum() * y[-1]),
        (0.0, time), np.append(np.zeros(6), 1.0), rtol=1e-10, atol=1e-14,
    ).y[:, -1]  # fmt: skip
    shares = np.array([share[1] for share in found.depletion(time).values()])
    np.testing.assert_allclose(shares, solved[:6], rtol=1e-7, atol=1e-12)
    assert shares.sum() == pytest.approx(1.0 - solved[6], rel=1e-7)


def test_spontaneous_decay_alone_is_the_lifetime_of_table_i():
    found = bg.backgrounds(experiment(), np.zeros(2), 0.0)
    share = found.depletion(1.0 / 518.02)
    assert found.e1_per_s == 518.02
    total = 518.02 + 10.31 + 57.34
    assert share["e1"] == pytest.approx(518.02 / total * (1.0 - np.exp(-total / 518.02)))
    for name in ("pair", "two_photon", "three_photon", "four_photon"):
        assert np.all(share[name] == 0.0)


def test_zeeman_splitting_and_the_share_of_the_wrong_partner():
    magneton_hz = constants.physical_constants["Bohr magneton in Hz/T"][0]
    hertz = bg.zeeman_splitting_eV(TARGET, 100.0) * EV_TO_PER_S / (2.0 * pi)
    assert hertz == pytest.approx(5.9 * magneton_hz * 1e-2, rel=1e-6)
    assert bg.partner_share(TARGET, Lasers(zeeman_field_G=0.0)) == 1.0
    half = replace(TARGET, gamma_ep_per_s=2.0 * 2.0 * pi * hertz)
    assert bg.partner_share(half, Lasers(zeeman_field_G=100.0)) == pytest.approx(0.5, rel=1e-9)


def test_time_reversal_has_no_definite_states_and_forbids_neither_operator():
    """J = 11/2: T^2 = -1; even and odd operators join the same partners of two doublets."""
    m = np.arange(5.5, -6.0, -1.0)
    raising = np.diag(np.sqrt(5.5 * 6.5 - m[1:] * (m[1:] + 1.0)), 1)
    j_x, j_y = (raising + raising.T) / 2.0, (raising - raising.T) / 2.0j
    turn = expm(-1j * pi * j_y)  # T = turn times complex conjugation
    np.testing.assert_allclose(turn @ turn.conj(), -np.eye(12), atol=1e-12)
    first, second = np.zeros(12), np.zeros(12)
    first[m == 0.5], first[m == -3.5], second[m == 1.5], second[m == -2.5] = 0.8, 0.6, 0.6, 0.8
    partners = [turn @ state for state in (first, second)]
    even, odd = j_x @ np.diag(m) + np.diag(m) @ j_x, j_x
    for operator, sign in ((even, 1.0), (odd, -1.0)):
        same = first @ operator @ second
        other = partners[0].conj() @ operator @ partners[1]
        assert abs(same) > 0.1
        assert other == pytest.approx(sign * np.conj(same))
