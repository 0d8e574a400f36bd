"""Indices of a uniaxial host against the wave equation, limits and printed values."""

import math

import numpy as np
import pytest

from renp_infer.errors import DomainError
from renp_infer.physics.targets.refraction import (
    Sellmeier,
    Uniaxial,
    extraordinary_index,
    ray_index,
    ray_of,
)
from renp_infer.physics.targets.scheme import read_scheme
from renp_infer.records import POLARISATIONS

RAYS = read_scheme("er-ylf").sellmeier
YLF = Uniaxial(RAYS["ordinary"], RAYS["extraordinary"])


def walk_off(n_o, n_e, angle_to_c):
    """Angle from the wave vector to the flow of energy of the extraordinary ray, rad."""
    angle = np.asarray(angle_to_c, dtype=np.float64)
    sine, cosine = np.sin(angle), np.cos(angle)
    across = (n_o**2 - n_e**2) * sine * cosine
    return np.asarray(np.arctan2(across, n_e**2 * cosine**2 + n_o**2 * sine**2))


def modes(n_o, n_e, direction):
    """Index and unit E of both modes: D across k is an eigenvector of eps^-1 there."""
    inverse = np.diag([n_o**-2.0, n_o**-2.0, n_e**-2.0])
    _, _, rows = np.linalg.svd(direction[None, :])
    across = rows[1:]
    values, vectors = np.linalg.eigh(across @ inverse @ across.T)
    fields = [inverse @ across.T @ v for v in vectors.T]
    return [(x**-0.5, e / np.linalg.norm(e)) for x, e in zip(values, fields, strict=True)]


@pytest.mark.parametrize("n_e", [1.7, 1.2])
def test_extraordinary_index_solves_the_wave_equation(n_e):
    rng = np.random.default_rng(2)
    for angle in rng.uniform(0.0, math.pi, 20):
        direction = np.array([math.sin(angle), 0.0, math.cos(angle)])
        found = sorted(modes(1.45, n_e, direction), key=lambda x: abs(x[1][1]))
        (n, field), (other, _) = found
        assert float(extraordinary_index(1.45, n_e, angle)) == pytest.approx(n, rel=1e-12)
        assert other == pytest.approx(1.45)
        flow = direction - field * np.dot(field, direction)  # E x H, up to length
        turned = math.atan2(flow[0], flow[2]) - angle
        turned = (turned + math.pi / 2) % math.pi - math.pi / 2
        assert float(walk_off(1.45, n_e, angle)) == pytest.approx(turned, abs=1e-12)


def test_the_index_ellipsoid_and_its_limits():
    n_o, n_e = 1.4487, 1.4709
    angle = np.linspace(-7.0, 7.0, 141)
    n = extraordinary_index(n_o, n_e, angle)
    on_it = (n * np.cos(angle) / n_o) ** 2 + (n * np.sin(angle) / n_e) ** 2
    np.testing.assert_allclose(on_it, 1.0, rtol=1e-14)
    assert float(extraordinary_index(n_o, n_e, 0.0)) == pytest.approx(n_o, rel=1e-15)
    assert float(extraordinary_index(n_o, n_e, math.pi / 2)) == pytest.approx(n_e, rel=1e-15)
    assert float(extraordinary_index(n_o, n_e, math.pi - 0.3)) == pytest.approx(
        float(extraordinary_index(n_o, n_e, 0.3)), rel=1e-15
    )
    np.testing.assert_allclose(extraordinary_index(n_o, n_o, angle), n_o, rtol=1e-15)
    assert extraordinary_index(n_o, n_e, np.zeros((2, 3))).shape == (2, 3)


def test_along_c_both_rays_are_ordinary_and_across_c_they_are_the_principal_ones():
    for energy in (0.805, 1.1086, 1.286):
        n_o, n_e = (RAYS[r].index(energy) for r in ("ordinary", "extraordinary"))
        for ray in ("ordinary", "extraordinary"):
            assert float(ray_index(n_o, n_e, ray, 0.0)) == pytest.approx(n_o)
        assert float(ray_index(n_o, n_e, "ordinary", math.pi / 2)) == n_o
        assert float(ray_index(n_o, n_e, "extraordinary", math.pi / 2)) == pytest.approx(n_e)


def test_indices_of_lithium_yttrium_fluoride():
    """Four digits at the photons of erbium; 1.448 and 1.470 at 1.064 um, as catalogues have."""
    printed = {1.286: (1.4487, 1.4709), 1.1086: (1.4477, 1.4698), 0.805: (1.4452, 1.4672)}
    for energy, (n_o, n_e) in printed.items():
        assert RAYS["ordinary"].index(energy) == pytest.approx(n_o, abs=5e-5)
        assert RAYS["extraordinary"].index(energy) == pytest.approx(n_e, abs=5e-5)
    assert RAYS["ordinary"].index(1.2398 / 1.064) == pytest.approx(1.448, abs=1e-3)
    assert RAYS["extraordinary"].index(1.2398 / 1.064) == pytest.approx(1.470, abs=1e-3)


def test_walk_off_stays_below_its_stated_size():
    angle = np.linspace(0.0, math.pi / 2, 1001)
    for energy in (0.805, 1.1086, 1.286):
        n_o, n_e = (RAYS[r].index(energy) for r in ("ordinary", "extraordinary"))
        turned = np.degrees(walk_off(n_o, n_e, angle))
        assert turned.max() == 0.0 and -0.9 < turned.min() < -0.85


def test_rays_by_the_plane_of_the_field():
    """In the plane the field has a component along c if c is in the plane, and none if not."""
    assert [ray_of(p, 0.3) for p in ("in-plane", "out-of-plane")] == ["extraordinary", "ordinary"]
    assert [ray_of(p, None) for p in ("in-plane", "out-of-plane")] == ["ordinary", "extraordinary"]
    for p in POLARISATIONS[:2]:
        assert ray_of(p, None) == ray_of(p, 1.0) == p


def test_what_is_no_ray_is_refused():
    with pytest.raises(DomainError, match="polarisation"):
        ray_of("vertical", 0.0)
    with pytest.raises(DomainError, match="ray"):
        ray_index(1.4, 1.5, "in-plane", 0.0)
    with pytest.raises(DomainError, match="wavelength"):
        YLF.at((1.0, 1.0, 0.3))
    constant = Sellmeier(2.25, (0.5,), (0.01,), (0.1, 10.0))
    assert constant.index(1.0) == pytest.approx(
        math.sqrt(2.25 + 0.5 / (1.0 - 0.01 / 1.239841984**2)), rel=1e-9
    )
