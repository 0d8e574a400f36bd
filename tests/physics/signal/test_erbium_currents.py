"""Currents of Er3+ in LiYF4 from its wave functions, and what light can make of them."""

import numpy as np
import pytest

from renp_infer.physics.constants import CM_TO_PER_EV, ELECTRON_MASS_EV
from renp_infer.physics.ions.crystal_field import find_level, moment, stark_levels, time_reversed
from renp_infer.physics.ions.recipe import read_recipe
from renp_infer.physics.ions.shell import cartesian, load_shell
from renp_infer.physics.pairs.pair_tensor import pair_sums
from renp_infer.physics.signal.currents import Channels
from renp_infer.physics.signal.emission import Emitters, general_moment_rate_muB_per_s

pytestmark = pytest.mark.slow

EPSILON = 1.5896
RADIUS_SQUARED = 0.666 * (0.529177e-8 * CM_TO_PER_EV) ** 2
"""<r^2> of 4f in Er3+, Freeman and Watson 1962, atomic units to 1/eV^2."""


@pytest.fixture(scope="module")
def levels():
    recipe, shell = read_recipe("er-ylf"), load_shell(11)
    return shell, recipe, stark_levels(shell, recipe.free_ion, recipe.field)


def quadrupole(shell):
    """Traceless r_i r_j / r^2 from C^2_q, shape (3, 3, n, n)."""
    c = {q: shell.tensors[2, q].astype(complex) for q in range(-2, 3)}
    zz = 2.0 * c[0] / 3.0
    difference = (c[2] + c[-2]) * np.sqrt(2.0 / 3.0)
    xx, yy = 0.5 * (difference - zz), -0.5 * (difference + zz)
    xy = (c[2] - c[-2]) / (1j * np.sqrt(6.0))
    zx, zy = (c[-1] - c[1]) / np.sqrt(6.0), 1j * (c[-1] + c[1]) / np.sqrt(6.0)
    return np.array([[xx, xy, zx], [xy, yy, zy], [zx, zy, zz]])


def states(shell, level):
    """Partners of definite moment along c, the second the time reversal of the first."""
    along = level.states.conj().T @ moment(shell)[2] @ level.states
    first = level.states @ np.linalg.eigh(along)[1][:, :1]
    return np.hstack([first, time_reversed(shell, first)])


def channels(levels, upper, lower):
    shell, recipe, found = levels
    e = states(shell, find_level(found, recipe.states["e"].manifold, upper))
    p = states(shell, find_level(found, recipe.states["p"].manifold, lower))
    spin, orbital = cartesian(shell.spin), cartesian(shell.orbital)
    return Channels(
        spin=p.conj().T @ spin @ e,
        magnetic=p.conj().T @ (orbital + 2.0 * spin) @ e,
        quadrupole=RADIUS_SQUARED * (p.conj().T @ quadrupole(shell) @ e),
        velocity=np.zeros((3, 2, 2)),
        moment_p=p.conj().T @ moment(shell) @ p,
        moment_e=e.conj().T @ moment(shell) @ e,
    )


def violating(both, ladder, p):
    """Parity-violating dM/dt of massless pairs, up to a factor."""
    one = 0.5 * np.eye(3, dtype=complex)
    sums = pair_sums(EPSILON**2 - np.dot(p, p), np.zeros(3), one, one, "dirac")
    ions = Emitters(1e19, 1.0, 0.25)
    return general_moment_rate_muB_per_s(ions, both, ladder, sums, EPSILON, np.array(p))[0]


def test_time_reversal_of_wave_functions_is_that_of_the_currents(levels):
    both = channels(levels, 1, 1)
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    for name, sign in (("spin", -1.0), ("magnetic", -1.0), ("quadrupole", 1.0)):
        part = getattr(both, name)
        np.testing.assert_allclose(
            turn @ part.conj() @ turn.T, sign * part, atol=1e-7 * np.abs(part).max()
        )


def test_lowest_levels(levels):
    # 2H11/2(1) to 4I13/2(1): M = (0.885 + 0.020i) S, delta_mu = 0.776 + 0.926
    both = channels(levels, 1, 1)
    spin, magnetic = both.spin[:, 1, 0], both.magnetic[:, 1, 0]
    assert np.max(np.abs(both.spin[:, [0, 1], [0, 1]])) < 1e-6 * np.max(np.abs(spin))
    k = np.argmax(np.abs(spin))
    ratio = magnetic[k] / spin[k]
    assert ratio.real == pytest.approx(0.885, abs=1e-3)
    assert abs(ratio.imag) == pytest.approx(0.020, abs=1e-3)
    mu_p, mu_e = both.moment_p[2, 1, 1].real, both.moment_e[2, 0, 0].real
    assert abs(mu_p) == pytest.approx(0.776, abs=1e-3)
    assert abs(mu_e) == pytest.approx(0.926, abs=1e-3)
    assert abs(mu_p - mu_e) == pytest.approx(1.70, abs=5e-3)
    h = np.cross(magnetic.conj(), spin).imag
    electric = -ELECTRON_MASS_EV * EPSILON * (spin @ both.quadrupole[:, :, 1, 0].conj()).real
    np.testing.assert_allclose(h[:2], 0.0, atol=1e-9)
    assert electric[2] / h[2] == pytest.approx(-0.008, abs=1e-3)


def ladders(rng, count):
    """Light that mixes the partners at will and is linear: half of an SU(2) matrix."""
    x = rng.normal(size=(count, 4))
    x /= np.linalg.norm(x, axis=1)[:, None]
    a, b = x[:, 0] + 1j * x[:, 1], x[:, 2] + 1j * x[:, 3]
    return 0.5 * np.moveaxis(np.array([[a, b], [-b.conj(), a.conj()]]), -1, 0)


def test_light_that_mixes_the_partners_can_leave_more_across_c(levels, rng):
    # along c no light does better than the one channel; across c it may: g_perp of p is large
    both = channels(levels, 1, 1)
    swap = 0.5 * np.array([[0.0, 1.0], [-1.0, 0.0]])
    along = violating(both, swap, (0.0, 0.0, 0.92))
    np.testing.assert_allclose(along[:2], 0.0, atol=1e-6 * abs(along[2]))
    found = np.abs([violating(both, x, (0.0, 0.0, 0.92)) for x in ladders(rng, 400)])
    assert found[:, 2].max() <= abs(along[2]) * (1.0 + 1e-9)
    assert 1.5 < found[:, :2].max() / abs(along[2]) < 2.5


def test_a_second_channel_can_leave_more_along_c(levels, rng):
    # e(1) to p(2): both channels are open; one alone has a small delta_mu. P across c
    both = channels(levels, 1, 2)
    one = abs(violating(both, 0.5 * np.eye(2), (0.0, 0.0, 0.92))[2])
    assert abs(violating(both, 0.5 * np.eye(2), (0.92, 0.0, 0.0))[2]) < 1e-6 * one
    found = np.abs([violating(both, x, (0.92, 0.0, 0.0)) for x in ladders(rng, 400)])
    assert 10.0 < found[:, 2].max() / one < 30.0
