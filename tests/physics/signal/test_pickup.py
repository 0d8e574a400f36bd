"""The pickup loop against closed forms, reciprocity, dipoles and flux conservation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import constants
from scipy.integrate import quad
from scipy.special import ellipe, ellipk

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.physics.signal import pickup as pk
from renp_infer.physics.signal.magnetization import field_per_event_nG
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Detector, Experiment, Lasers, Layout, Pickup

R, L = 1.0, 2.0


def coaxial(a, h):
    """Flux of a solenoid's current rings through a coaxial loop, by Maxwell's formula."""

    def mutual(z):
        m = 4.0 * a * R / ((a + R) ** 2 + (h - z) ** 2)
        k = np.sqrt(m)
        return np.sqrt(a * R) * ((2.0 / k - k) * ellipk(m) - 2.0 / k * ellipe(m))

    edge = [h] if abs(h) < L / 2 else None
    return quad(mutual, -L / 2, L / 2, points=edge, epsabs=1e-12, epsrel=1e-12)[0] / (np.pi * a**2)


def loop_points(pickup, share=1.0, n=400):
    """Points of the circle with ``share`` of the loop's radius, built from rotations."""
    phi = 2.0 * np.pi * np.arange(n) / n
    flat = share * pickup.radius_cm * np.array([np.cos(phi), np.sin(phi), 0.0 * phi])
    c, s = np.cos(pickup.tilt), np.sin(pickup.tilt)
    turned = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]]) @ flat
    h = pickup.stand_off_cm
    beside = pickup.position == "beside"
    centre = [0.0, R + h + pickup.radius_cm, 0.0] if beside else [0.0, 0.0, h]
    return turned.T + centre


def reciprocal(pickup, c_axis):
    """M . B of a unit current in the loop, over the crystal: Biot and Savart by hand."""
    wire = loop_points(pickup, n=400)
    step = 0.5 * (np.roll(wire, -1, 0) - np.roll(wire, 1, 0))
    u, w = np.polynomial.legendre.leggauss(12)
    phi = 2.0 * np.pi * np.arange(24) / 24
    r, z = 0.5 * R * (u + 1.0), 0.5 * L * u
    moment = [0.0, 1.0, 0.0] if c_axis is None else [np.sin(c_axis), 0.0, np.cos(c_axis)]
    total = 0.0
    for ri, wi in zip(r, w * 0.5 * R * r, strict=True):
        for zi, wz in zip(z, w * 0.5 * L, strict=True):
            points = np.column_stack([ri * np.cos(phi), ri * np.sin(phi), zi + 0.0 * phi])
            apart = points[:, None] - wire
            cube = np.linalg.norm(apart, axis=2, keepdims=True) ** 3
            field = np.sum(np.cross(step, apart) / cube, axis=1) / (4.0 * np.pi)
            total += wi * wz * 2.0 * np.pi * np.mean(field @ moment)
    return total / (np.pi * pickup.radius_cm**2)


@pytest.mark.parametrize(
    ("a", "h"),
    [(1.1, 0.0), (1.01, 0.4), (2.0, 1.0), (0.5, 1.2), (3.0, 5.0), (0.9, 1.01), (1.001, 1.0)],
)
def test_coaxial_loop_is_maxwell_s_mutual_inductance(a, h):
    assert pk.pickup_coupling(Pickup(a, h), R, L) == pytest.approx(coaxial(a, h), rel=1e-6)


@pytest.mark.parametrize("z", [1.1, 2.0, 7.0])
def test_small_loop_measures_the_field_on_the_axis(z):
    def half(x):
        return 0.5 * x / np.hypot(x, R)

    expected = half(z + L / 2) - half(z - L / 2)
    assert pk.pickup_coupling(Pickup(1e-3, z), R, L) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "pickup",
    [
        Pickup(1.6, 0.2, 0.5),
        Pickup(0.7, 1.9, -0.8),
        Pickup(2.5, 0.0, 1.2),
        Pickup(0.8, 0.5, 0.0, "beside"),
        Pickup(0.8, 0.4, 0.7, "beside"),
    ],
)
@pytest.mark.parametrize("c_axis", [0.0, 0.9, None])
def test_flux_of_the_crystal_is_the_loop_s_field_in_the_crystal(pickup, c_axis):
    expected = reciprocal(pickup, c_axis)
    assert pk.pickup_coupling(pickup, R, L, c_axis) == pytest.approx(expected, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize("tilt", [0.0, 0.6, -2.0])
@pytest.mark.parametrize("c_axis", [0.0, 1.1])
def test_far_away_the_crystal_is_a_dipole(tilt, c_axis):
    """Field (3 (m.r) r - m) / d^3 over 4 pi M; correction (L / d)^2 and (a / d)^2."""
    d, volume = 200.0, np.pi * R**2 * L
    normal = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    moment = np.array([np.sin(c_axis), 0.0, np.cos(c_axis)])
    scale = volume / (4.0 * np.pi * d**3)
    above = pk.pickup_coupling(Pickup(1.0, d, tilt), R, L, c_axis)
    axial = scale * (3.0 * moment[2] * normal[2] - moment @ normal)
    beside = pk.pickup_coupling(Pickup(1.0, d - 2.0, tilt, "beside"), R, L, c_axis)
    assert above == pytest.approx(axial, abs=3e-4 * scale)
    assert beside == pytest.approx(-scale * moment @ normal, abs=3e-4 * scale)


@pytest.mark.parametrize("pickup", [Pickup(1.3, 1.5, 0.1), Pickup(0.5, 1.4), Pickup(1.0, 3.0, 0.4)])
def test_flux_through_a_plane_vanishes(pickup):
    """The disc and the rest of its plane, where neither cuts the crystal."""
    parts = []
    for outside in (False, True):
        points, weights = pk._surface(pickup, R, 64, outside)
        inside = (np.hypot(points[:, 0], points[:, 1]) < R) & (np.abs(points[:, 2]) < L / 2)
        assert not np.any(inside)
        parts.append(weights @ pk._field(points, R, L, 0.3))
    normal = np.array([np.sin(pickup.tilt), 0.0, np.cos(pickup.tilt)])
    assert parts[0] @ normal == pytest.approx(parts[1] @ normal, abs=1e-6)


def test_a_wire_in_the_crystal_is_refused_and_no_other(rng):
    """Against points of the wire and the disc, for random loops."""
    seen = {"touches": 0, "cuts": 0, "clear": 0}
    for a, h, tilt in rng.uniform([0.3, 0.0, -np.pi], [2.5, 2.0, np.pi], (300, 3)):
        pickup = Pickup(a, h, tilt)

        def within(points):
            radial = np.hypot(points[:, 0], points[:, 1]) / R
            return np.min(np.maximum(radial, np.abs(points[:, 2]) / (L / 2)))

        wire = within(loop_points(pickup))
        disc = min(within(loop_points(pickup, share)) for share in np.linspace(0.0, 1.0, 40))
        if min(abs(wire - 1.0), abs(disc - 1.0)) < 0.02:
            continue  # too close for points to tell
        if wire < 1.0:
            seen["touches"] += 1
            with pytest.raises(DomainError, match="wire is outside the crystal"):
                pk.check_clear(pickup, R, L)
            continue
        pk.check_clear(pickup, R, L)
        assert pk._disc_cuts(pickup, R, L) == (disc < 1.0)
        seen["cuts" if disc < 1.0 else "clear"] += 1
    assert min(seen.values()) > 20


def test_a_loop_on_the_side_is_refused():
    with pytest.raises(DomainError, match="wire is outside"):
        pk.pickup_coupling(Pickup(1.0, 0.0, 0.0, "beside"), R, L)


def test_tolerance_is_kept_or_missed_aloud(monkeypatch):
    monkeypatch.setattr(pk, "_ORDERS", (2, 3))
    with pytest.raises(ConvergenceError, match="pickup loop"):
        pk.pickup_coupling(Pickup(1.01, 1.002, 0.05), R, L)


def test_field_per_event_takes_the_loop_of_its_own_crystal():
    target = load_target("er-ylf")

    def field(detector, radius):
        layout = Layout(2.0, radius, 2.4, np.array([1.0]))
        return field_per_event_nG(
            Experiment(target, layout, Lasers(), detector, PRESETS["corrected"])
        )

    loop = Detector(pickup=Pickup(1.2))
    for radius in (0.5, 1.0):
        xi = pk.pickup_coupling(Pickup(1.2), radius, 2.0)
        plain = field(Detector(coupling=xi), radius)
        assert field(loop, radius) == pytest.approx(plain, rel=1e-9, abs=0.0)


def test_flux_noise_at_the_loop():
    """1 uPhi0 in the SQUID, a hundredth of the flux of 1 cm^2: the flux quantum of CODATA."""
    radius_cm = np.sqrt(1.0 / np.pi)
    quantum = constants.physical_constants["mag. flux quantum"][0]
    expected = 1e-6 * quantum / 0.01 / 1e-4 / 1e-15
    assert pk.noise_from_flux_fT(1.0, 0.01, radius_cm) == pytest.approx(expected, rel=1e-9)
