"""What split integrals lack beside an edge, and what is left: against nested quadrature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import j1, sici

from renp_infer.measurement import _cross_kernels as cross
from renp_infer.measurement import average, crystal_error
from renp_infer.measurement._correction_kernels import correction_density
from renp_infer.measurement._edge_kernels import edge_angles
from renp_infer.measurement.average import averaged_field
from renp_infer.measurement.crystal_error import CrystalError
from renp_infer.measurement.field import exact_field
from renp_infer.measurement.normalise import coherence
from renp_infer.measurement.smoothing import make_smoother, smoothed_pairs
from renp_infer.physics.pairs._form_kernels import slit
from renp_infer.study.load import load_study

EDGE = ("edge-layout-published", "edge-layout-normalised")
CRYSTALS = {(2.0, 1.0): {}, (0.05, 0.02): {"layout.length_cm": 0.05, "layout.radius_cm": 0.02}}


def sinc2(x):
    return np.sinc(x / np.pi) ** 2 / np.pi


def wave(u):
    """(2 J_1(u)/u)^2, of integral one."""
    return (2.0 * j1(u) / u) ** 2 * 3.0 * np.pi / 32.0 if u else 3.0 * np.pi / 32.0


@pytest.mark.parametrize("u", (0.3, 2.0, 7.7, 20.1))
def test_profiles_are_antiderivatives_of_the_projected_factors(u):
    place = round(u / cross.FINEST)
    u = place * cross.FINEST
    along = (sici(2.0 * u)[0] - np.sin(u) ** 2 / u) / np.pi
    assert cross._profile(False, 1.0, 0.0)[:, place] == pytest.approx((along, sinc2(u)), abs=1e-7)
    for planar, value in ((True, wave), (False, lambda x: slit(x, 64.0) / (4.0 * np.pi))):
        found = cross._profile(planar, 0.0, 1.0)[:, place]
        assert found[1] == pytest.approx(value(u), abs=2e-6)
        assert found[0] == pytest.approx(quad(value, 0.0, u, limit=200)[0], abs=2e-6)


@pytest.mark.parametrize("widths", ((1.0, 0.2), (0.05, 1.0)))
def test_a_product_of_factors_is_their_convolution(widths):
    """Of a planar crystal, by quadrature in momentum."""
    place = 40
    u = place * cross.FINEST

    def inner(x):
        return sinc2(x / widths[0]) / widths[0] * wave(abs(u - x) / widths[1]) / widths[1]

    ends = np.linspace(-60.0, 60.0, 601)
    whole = sum(quad(inner, *pair)[0] for pair in zip(ends[:-1], ends[1:], strict=True))
    assert cross._profile(True, *widths)[1, place] == pytest.approx(whole, abs=1e-5)


def lack_of(smoother, mass_eV, widths):
    """Lack of a pair of equal masses at distances in leading widths from the upper edge."""
    places = np.array(widths) * smoother.width / (smoother.beam[0] * smoother.beam[3])
    table = np.zeros((1, places.size, 4))
    cross.add_lack(
        smoother.planar,
        smoother.lorentz,
        places,
        1,
        smoother.beam,
        smoother.crystal,
        smoother.epsilon,
        np.full((1, 2), mass_eV),
        smoother.form,
        smoother.facing,
        table,
    )
    return places, table[0]


def shares(smoother, mass_eV, places, exact):
    """Share of the finite crystal by quadrature, or by split integrals."""
    centre, _, width = edge_angles(smoother.beam, smoother.epsilon, 2.0 * mass_eV)
    return correction_density(
        exact,
        smoother.planar,
        smoother.lorentz,
        centre + width + places,
        smoother.beam,
        smoother.crystal,
        smoother.epsilon,
        np.full(2, mass_eV),
        smoother.form,
        smoother.facing,
        1e-6,
    )


@pytest.mark.parametrize("mass_eV", (1e-3, 0.05))
@pytest.mark.parametrize("size", CRYSTALS)
@pytest.mark.parametrize("study", EDGE)
def test_nested_quadrature_finds_what_is_lacking(study, size, mass_eV):
    """But for the bend of the edge, of the order of the width over its radius."""
    smoother = make_smoother(load_study(study, changes=CRYSTALS[size]).experiment, mended=True)
    places, table = lack_of(smoother, mass_eV, (-1.0, -0.05, 0.3))
    nested = shares(smoother, mass_eV, places, exact=True)
    split = shares(smoother, mass_eV, places, exact=False)
    bend = smoother.width / smoother.epsilon
    miss = np.abs(nested - split - table[:, 2:])
    assert np.max(miss) < (5.0 * bend + 5e-5) * np.max(np.abs(nested - split))


@pytest.mark.parametrize("study", EDGE)
def test_what_is_lacking_cumulates_as_it_is(study):
    smoother = make_smoother(load_study(study).experiment, mended=True)
    x, weight = np.polynomial.legendre.leggauss(30)
    for low, high in ((-3.0, -0.3), (0.02, 4.0)):
        at = np.concatenate([[low, high], 0.5 * (low + high) + 0.5 * (high - low) * x])
        places, table = lack_of(smoother, 0.05, at)
        step = 0.5 * (places[1] - places[0]) * weight @ table[2:, 2:]
        np.testing.assert_allclose(table[1, :2] - table[0, :2], step, rtol=2e-4, atol=0.0)


def window_beside(study, mass_eV, reach):
    """An experiment whose only window ends some leading widths past the edge of a pair."""
    experiment = load_study(study).experiment
    smoother = make_smoother(experiment)
    centre, _, width = edge_angles(smoother.beam, smoother.epsilon, 2.0 * mass_eV)
    step = smoother.width / (smoother.beam[0] * smoother.beam[3])
    end = centre + width + reach * step
    middle = np.array([end - 0.5 * experiment.detector.resolution])
    layout = replace(experiment.layout, theta_s=middle)
    return replace(experiment, layout=layout), centre + width, step


def test_a_window_that_ends_beside_an_edge():
    """By quadrature over the whole window, of a light planar pair: where it errs most."""
    mass_eV = 1e-3
    experiment, edge, step = window_beside("edge-layout-published", mass_eV, -0.3)
    smoother = make_smoother(experiment, refinement=1)
    low, high = smoother.grid.borders[[0, -1]] - edge
    marks = -step * np.append(0.3, np.geomspace(1.0, -low / step, 14))
    x, weight = np.polynomial.legendre.leggauss(8)
    total = 0.0
    for far, near in zip(marks[1:], marks[:-1], strict=True):
        places = 0.5 * (far + near) + 0.5 * (near - far) * x
        share = shares(smoother, mass_eV, places, exact=True)[:, 0]
        total += 0.5 * (near - far) * weight @ share
    masses = np.full(3, mass_eV)
    found = []
    for refinement in (0, 1):
        with_share = smoothed_pairs(experiment, masses, refinement=refinement)[0][0, 0]
        bare = replace(make_smoother(experiment, refinement=refinement), mended=False)
        grid, table = bare.correction(masses[None, :], nominal=True)
        panels = bare.panels(bare.beam, 0.0, masses, grid, 0.0 * table)[0, :, 0, 0]
        whole = bare.norm * bare.grid.weights[0] @ panels
        found.append((with_share - whole) / (bare.norm * bare.grid.weights[0, 0]))
    assert high == pytest.approx(-0.3 * step, rel=1e-6)
    scale = abs(total)
    assert abs(found[0] - total) > 0.05 * scale
    assert abs(found[1] - total) < 2e-3 * scale


def test_no_window_is_without_error_and_those_beside_an_edge_have_most():
    for study in EDGE:
        own = load_study(study)
        error = CrystalError(own.experiment)
        found = error.field_nG(own.parameters, coherence(own.experiment))
        assert np.all(found > 0.0)
        ends = 0.5 * own.experiment.detector.resolution
        away = np.abs(own.experiment.layout.theta_s[:, None] - error.edges(own.parameters)[:, 1])
        assert np.min(away[np.argmax(found)]) < ends + np.deg2rad(0.1)


@pytest.mark.parametrize("places", (1, 7))
def test_a_cell_weighs_its_width_whatever_the_places(monkeypatch, places):
    monkeypatch.setattr(crystal_error, "add_lack", lambda *_: None)
    monkeypatch.setattr(
        CrystalError,
        "_density",
        lambda _self, _pair, angles, *, exact: np.full((angles.size, 2), float(exact)),
    )
    error = CrystalError(load_study("edge-layout-normalised").experiment, places)
    for side in (0, 1):
        widths = np.diff(error.distances)
        np.testing.assert_allclose(error._parts(0.0, side)[:, 1], widths, rtol=1e-12)


def test_a_narrow_feature_weighs_what_it_is_wide():
    """A crystal as long as its radius: one place in a cell meets a resonance far narrower."""
    own = load_study("edge-layout-normalised", changes={"layout.length_cm": 1.0})
    chi2 = coherence(own.experiment)
    once, often = (
        np.max(CrystalError(own.experiment, places).field_nG(own.parameters, chi2))
        for places in (1, 7)
    )
    assert 0.0 < often < 0.2 * once


@pytest.mark.slow
@pytest.mark.parametrize("place", (41, 42))
def test_the_stated_error_is_what_independent_quadrature_finds(monkeypatch, place):
    """Of a crystal so small that it errs by more than quadrature does: not less, nor much more."""
    monkeypatch.setattr(average, "BESIDE", 24)
    monkeypatch.setattr(average, "TOLERANCE", 1e-6)
    study = load_study("edge-layout-published", changes=CRYSTALS[(0.05, 0.02)])
    experiment, own, chi2 = study.experiment, study.parameters, coherence(study.experiment)
    error = CrystalError(experiment).field_nG(own, chi2)[place]
    once, twice = (exact_field(experiment, own, chi2, more)[place] for more in (2, 3))
    strict = replace(experiment, accuracy=replace(experiment.accuracy, relative_tolerance=1e-6))
    exact = averaged_field(strict, own, chi2, experiment.layout.theta_s[place])
    missed = abs(once - exact)
    assert missed < error + abs(twice - once)
    assert error < 8.0 * missed
