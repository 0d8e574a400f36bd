"""Kernels of beams whose photons have indices of their own, against the readable kinematics."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from renp_infer.measurement._beam_kernels import bent_excess, momentum, momentum_slopes
from renp_infer.measurement._edge_kernels import edge_angles
from renp_infer.measurement.smoothing import beam_of
from renp_infer.physics.pairs import kinematics as kin
from renp_infer.physics.targets.target import load_target
from renp_infer.records import Lasers, Layout

ER = load_target("er-ylf")
ER = dataclasses.replace(ER, refractive_index=ER.indices.mean + 1e-4)
"""With an ordinary index that is not quite that of the formulas."""
THETA_E = 2.47
CASES = [
    (c_axis, polarisations)
    for c_axis in (0.0, 0.8, -0.5, None)
    for polarisations in (
        ("ordinary", "ordinary", "ordinary"),
        ("out-of-plane", "out-of-plane", "in-plane"),
        ("extraordinary", "extraordinary", "extraordinary"),
        ("in-plane", "in-plane", "out-of-plane"),
    )
]


def lasers(polarisations):
    return dataclasses.replace(Lasers(), polarisations=polarisations)


def beam(c_axis, polarisations):
    beams = kin.beams_for(ER, lasers(polarisations), c_axis)
    return tuple(beam_of(Layout(2.0, 1.0, THETA_E, np.ones(1), c_axis), ER, beams)), beams


@pytest.mark.parametrize(("c_axis", "polarisations"), CASES)
def test_momentum_and_its_slopes(c_axis, polarisations):
    numbers, beams = beam(c_axis, polarisations)
    step = 1e-6

    def at(theta, ordinary=0.0, extraordinary=0.0, turn=0.0):
        moved = dataclasses.replace(
            ER,
            refractive_index=ER.refractive_index + ordinary,
            indices=ER.indices.moved(0.0, extraordinary),
        )
        own = kin.beams_for(moved, lasers(polarisations), c_axis)
        return np.array(kin.mismatch(theta, THETA_E + turn, moved, own))

    for theta in np.linspace(-3.0, 3.0, 7):
        cosine, sine = np.cos(theta), np.sin(theta)
        w = momentum(numbers, cosine, sine)
        assert_allclose(w, kin.mismatch(theta, THETA_E, ER, beams), atol=1e-14)
        slopes = momentum_slopes(numbers, cosine, sine, *w)
        moves = [(theta, {name: step}) for name in ("ordinary", "extraordinary")]
        expected = [at(x, **m) - at(x, **{n: -step for n in m}) for x, m in moves]
        expected += [at(theta + step) - at(theta - step)]
        expected += [at(theta, turn=step) - at(theta, turn=-step)]
        assert_allclose(slopes, np.array(expected) / (2.0 * step), atol=2e-9)


@pytest.mark.parametrize("mass", [0.0, 0.1, 1.0])
@pytest.mark.parametrize(("c_axis", "polarisations"), CASES)
def test_edges_and_what_lies_inside_them(c_axis, polarisations, mass):
    numbers, beams = beam(c_axis, polarisations)
    centre, *widths = edge_angles(numbers, ER.epsilon_ep, mass)
    edges = (centre - widths[0], centre + widths[1])
    assert_allclose(edges, kin.threshold_angles(mass, ER, THETA_E, beams), atol=1e-13)
    swing = 2.0 * numbers[0] ** 2 * numbers[3] * np.hypot(numbers[1], numbers[2])
    for edge, width, sign in zip(edges, widths, (-1.0, 1.0), strict=True):
        for distance in (1e-6, 0.1, 0.5):
            here, half = edge - sign * distance, 0.5 * distance
            circle = 2.0 * swing * np.sin(width - half) * np.sin(half)
            turn = (np.cos(edge), np.sin(edge), np.cos(here), np.sin(here))
            factor, more = bent_excess(numbers, *turn, np.sin(edge - here))
            outer, inner = (
                np.square(kin.mismatch(x, THETA_E, ER, beams)).sum() for x in (edge, here)
            )
            assert factor * circle + more == pytest.approx(outer - inner, rel=0, abs=1e-14)


def test_all_and_no_directions():
    numbers, _ = beam(0.8, ("ordinary", "ordinary", "extraordinary"))
    _, lower, upper = edge_angles(numbers, 0.05, 0.1)
    assert lower == upper == 0.0
    _, lower, upper = edge_angles(numbers, 9.0, 0.1)
    assert lower == upper == np.inf
