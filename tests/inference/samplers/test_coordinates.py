"""Coordinates of the sampler: exact map and gradient, ridge of a light mass straightened."""

import numpy as np
import pytest

from renp_infer.inference.samplers._coordinate_kernels import to_model
from renp_infer.inference.samplers.coordinates import Coordinates
from tests.toys.likelihoods import toy_likelihood

STEP = 1e-5


@pytest.fixture(scope="module")
def coordinates():
    target, _ = toy_likelihood(0.05, nature="dirac")
    return Coordinates(target, np.random.default_rng(1))


def others(coordinates):
    """Places that are in no plane of a phase."""
    first = coordinates.planes.first
    return np.setdiff1d(np.arange(coordinates.center.size), [*first, *(first + 1)])


def planes_alone(coordinates, q):
    """What the phases' planes add to the log density."""
    given = q.copy()
    given[coordinates._mass] = coordinates._stretch(q[coordinates._mass])[0]
    zeros = np.zeros(q.size)
    return coordinates.planes.pull_back(zeros, to_model(given, *coordinates._map))[0]


def test_the_map_has_the_determinant_of_its_affine_part(coordinates, rng):
    """The shear has determinant 1, the stretch of the mass the derivative that it states."""
    size = coordinates.center.size
    for q in 0.5 * rng.standard_normal((4, size)):
        moves = [
            coordinates.point(q + STEP * e) - coordinates.point(q - STEP * e) for e in np.eye(size)
        ]
        kept = np.ix_(others(coordinates), others(coordinates))
        _, found = np.linalg.slogdet((np.array(moves) / (2.0 * STEP))[kept])
        _, affine = np.linalg.slogdet(coordinates.factor[kept])
        stated = coordinates.pull_back(np.zeros(size), q)[0] - planes_alone(coordinates, q)
        assert found == pytest.approx(affine + stated, abs=1e-6)


def test_gradient_is_pulled_back_through_the_bend(coordinates, rng):
    """A cubic function of the point, differentiated on both sides."""
    size = coordinates.center.size
    weights = rng.standard_normal(size)
    bent = 0.0
    for q in 0.8 * rng.standard_normal((4, size)):
        point = coordinates.point(q)
        found = coordinates.pull_back(3.0 * weights * point**2, q)[1][others(coordinates)]

        def density(q):
            stated = coordinates.pull_back(np.zeros(size), q)[0] - planes_alone(coordinates, q)
            return np.sum(weights * coordinates.point(q) ** 3) + stated

        slopes = [
            density(q + STEP * e) - density(q - STEP * e) for e in np.eye(size)[others(coordinates)]
        ]
        assert found == pytest.approx(np.array(slopes) / (2.0 * STEP), abs=1e-6)
        affine = (3.0 * weights * point**2) @ coordinates.factor
        bent = max(bent, float(np.abs(found - affine[others(coordinates)]).max()))
    assert bent > 1e-6  # the bend does something
