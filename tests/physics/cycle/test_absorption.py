"""Fading beams against Beer and Lambert, the balance of photons, and another integrator."""

from __future__ import annotations

from dataclasses import replace
from math import exp, pi

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import lambertw

from renp_infer.errors import ConvergenceError, DomainError
from renp_infer.physics.constants import (
    ELEMENTARY_CHARGE_C,
    HBAR_C_EV_CM,
    PER_S_TO_EV,
)
from renp_infer.physics.cycle import absorption, bloch
from renp_infer.physics.cycle.absorption import faded
from renp_infer.physics.cycle.drive import laser_drive
from renp_infer.physics.cycle.lindblad import E, G, P, Q, all_decay_rates, decay_rates
from renp_infer.physics.cycle.propagation import W
from renp_infer.physics.targets.target import load_target
from renp_infer.records import PRESETS, Lasers
from renp_infer.study.load import load_study

TARGET = load_target("er-ylf")
FIRST = PRESETS["first-principles"]
LASERS = Lasers(eq_mW_cm2=90.0, qg_mW_cm2=60.0, trigger_mW_cm2=40.0)
ONE = np.ones(1)


def seen(target, lasers):
    """Density matrices of a cycle whose beams do not fade, and the time of each node."""
    found = bloch.evolve(target, replace(lasers, paths_cm=None), FIRST, population_power=0)
    return found.rho, np.outer(found.span_s, W).ravel()


def photons(target, lasers, switches=FIRST):
    """Net photons that an ion takes from each beam in a cycle, by ``-Omega Im rho``."""
    power = bloch.population_power(switches)
    found = bloch.evolve(target, replace(lasers, paths_cm=None), switches, population_power=power)
    drive, weights = laser_drive(target, lasers, switches), np.outer(found.span_s, W).ravel()
    rabi = np.zeros((found.time_s.size, 3))
    for segment in drive.segments:
        inside = (found.time_s > segment.start_s) & (
            found.time_s < segment.start_s + segment.duration_s
        )
        rabi[inside] = segment.rabi
    upward = -np.stack([found.rho[:, E, Q], found.rho[:, Q, G], found.rho[:, P, G]], axis=1).imag
    return weights @ (rabi * upward)


@pytest.mark.parametrize("start", ["ground", "periodic"])
def test_photons_taken_are_what_the_levels_gain_and_lose(start: str) -> None:
    """Populations and decays alone, against what the coherences of the lasers say."""
    target = replace(TARGET, quenching_density_per_cm3=2e19)
    lasers = replace(LASERS, cycle_start=start, eq_duration_lifetimes=3.0)
    drive = laser_drive(target, lasers, FIRST)
    found = bloch.evolve(target, lasers, FIRST, population_power=0)
    middle, ends = found.start_s + 0.5 * found.span_s, [s.start_s for s in drive.segments[1:]]
    panels = np.bincount(np.searchsorted(ends, middle)).tolist()
    assert len(panels) == len(drive.segments) == 3
    taken = drive.net_photons(drive.lit(panels), np.outer(found.span_s, W).ravel())
    np.testing.assert_allclose(taken, photons(target, lasers), rtol=1e-9)


def test_a_weak_beam_has_the_cross_section_of_its_line() -> None:
    """``3 pi / omega^2  gamma / (2 Gamma)`` with the coherence's decay Gamma, in the far past."""
    width = 1e5
    lasers = replace(
        LASERS, eq_mW_cm2=1e-9, qg_mW_cm2=1e-5, trigger_mW_cm2=1e-9, dephasing_per_s=width,
        cycle_ms=20.0,
    )  # fmt: skip
    taken = photons(TARGET, lasers)[1]
    rates = decay_rates(TARGET)
    decay = width + 0.5 * (rates["qg"] + rates["qp"])
    area_cm2 = 3.0 * pi * (HBAR_C_EV_CM / TARGET.omega_1) ** 2 * rates["qg"] / (2.0 * decay)
    flux = 1e-3 * lasers.qg_mW_cm2 * 0.02 / (TARGET.omega_1 * ELEMENTARY_CHARGE_C)
    assert taken == pytest.approx(area_cm2 * flux, rel=2e-3, abs=0)
    assert PER_S_TO_EV * decay < 1e-9  # a narrow line, for which this holds


@pytest.mark.parametrize("thick", [1e-3, 1.0, 30.0, 1e4])
def test_beer_and_lambert(thick: float) -> None:
    """|chi|^2 as the product of two beams with different absorption."""

    def weak(x):
        return x[1] * x[0] * ONE, x * [0.5, 1.0, 0.0]

    found = faded(weak, np.array([thick, thick, 1.0]), ONE)
    expected = -np.expm1(-1.5 * thick) / (1.5 * thick)
    assert found.depth == pytest.approx(expected, rel=2e-3)
    assert found.chi_squared[0] == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("thick", "saturated"), [(0.5, 0.3), (3.0, 0.1), (3.0, 10.0), (50.0, 0.02)]
)
def test_a_saturable_absorber(thick: float, saturated: float) -> None:
    """``a = x / (1 + x / x_s)``: ``ln x + (x - 1) / x_s = -k s``, Lambert's function."""

    def taken(x):
        rate = x[1] / (1.0 + x[1] / saturated)
        return rate * ONE, np.array([0.0, rate, 0.0])

    log = 1.0 / saturated - thick - np.log(saturated)
    end = saturated * float(lambertw(exp(log)).real)
    found = faded(taken, np.array([1.0, thick, 1.0]), ONE)
    # what is taken on the way is what is missing at its end: no photon is counted twice
    assert found.chi_squared[0] == pytest.approx((1.0 - end) / thick, rel=3e-3)


def test_thin_crystals_and_no_crystals_are_the_same() -> None:
    alone = bloch.evolve(TARGET, LASERS, FIRST, population_power=0)
    thin = replace(LASERS, paths_cm=(1e-9, 1e-9, 1e-9))
    drive = laser_drive(TARGET, thin, FIRST)
    faint = bloch._solve(drive, drive.cycle_s / 256, 0)
    assert faint.faded is not None
    assert faint.mean == pytest.approx(alone.mean, rel=1e-4)
    assert faint.faded.depth == pytest.approx(1.0, rel=1e-4)


def test_beams_through_a_crystal_by_another_integrator() -> None:
    """Photons by populations, intensities by an adaptive Runge-Kutta method."""
    target = replace(TARGET, density_per_cm3=1e15)
    lasers = replace(LASERS, paths_cm=(1.0, 2.0, 1.5), dephasing_per_s=3e3)
    ions = np.array(laser_drive(target, lasers, FIRST).ions_per_photon)
    assert np.all((ions > 0.1) & (ions < 10.0))

    def there(x):
        return replace(
            lasers, eq_mW_cm2=90.0 * x[0], qg_mW_cm2=60.0 * x[1], trigger_mW_cm2=40.0 * x[2]
        )

    def slope(_, y):
        lasers_here = there(np.maximum(y[:3], 1e-9))
        rho, weights = seen(target, lasers_here)
        chi2 = float(weights @ np.abs(rho[:, E, P]) ** 2 / weights.sum())
        return [*(-ions * photons(target, lasers_here)), chi2]

    run = solve_ivp(slope, (0.0, 1.0), [1.0, 1.0, 1.0, 0.0], rtol=1e-3, atol=1e-6)
    found = bloch.evolve(target, lasers, FIRST, population_power=0)
    assert run.y[1, -1] < 0.9
    assert found.mean == pytest.approx(run.y[3, -1], rel=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["optimize-crystal", "optimize-lasers"])
def test_ions_that_beat_are_followed_to_what_is_stated(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing dephases there, and the last digits of intensities grow: none may decide."""
    one = load_study(name).experiment
    rng = np.random.default_rng(4)

    def mean(step: float, shaken: float = 2e-16) -> float:
        def shake(seen, *rest):
            along = lambda x: seen(x * (1.0 + shaken * rng.standard_normal(3)))  # noqa: E731
            return faded(along, *rest, step=step)

        monkeypatch.setattr(bloch, "faded", shake)
        bloch._solve.cache_clear()
        found = bloch.evolve(one.target, one.lasers, one.switches, population_power=0).mean
        bloch._solve.cache_clear()
        return found

    fine = mean(0.2 * absorption.STEP, 0.0)
    for _ in range(4):
        assert mean(absorption.STEP) == pytest.approx(fine, rel=1e-2)


def test_the_trigger_of_h_r_fades_with_its_intensity() -> None:
    """h_r^2 |chi|^2 by equal slices of a crystal through which the trigger alone fades."""
    target, switches = replace(TARGET, density_per_cm3=3e15), PRESETS["corrected"]
    lasers = replace(LASERS, paths_cm=(1e-9, 1e-9, 1.5))
    ions = laser_drive(target, lasers, switches).ions_per_photon[2]
    slices, left, total = 100, 1.0, 0.0
    for _ in range(slices):
        own = replace(lasers, trigger_mW_cm2=40.0 * left, paths_cm=None)
        total += left * bloch.evolve(target, own, switches).mean / slices
        left -= ions * photons(target, own, switches)[2] / slices
    assert 0.1 < left < 0.9
    drive = laser_drive(target, lasers, switches)
    found = bloch._solve(drive, drive.cycle_s / 256, 3)
    assert found.mean == pytest.approx(total, rel=2e-2)


def test_a_skin_of_light_is_refused() -> None:
    lasers = replace(LASERS, paths_cm=(2.0, 2.0, 2.0))
    with pytest.raises(DomainError, match="depth of the lasers in cm.*>= 0.01.*more power"):
        bloch.evolve(TARGET, lasers, FIRST, population_power=0)


def test_beams_that_never_fade_out_are_not_followed_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(absorption, "MAX_STEPS", 3)

    def weak(x):
        return ONE, x

    with pytest.raises(ConvergenceError, match="beams through the crystal"):
        faded(weak, np.array([100.0, 100.0, 100.0]), ONE)


def test_quenching_adds_decays_and_leaves_the_lasers_alone() -> None:
    """At its density every excited level decays twice as fast; photons move ions as before."""
    density = TARGET.density_per_cm3
    half = replace(TARGET, quenching_density_per_cm3=density)
    for level in "eqp":
        own, more = (
            sum(rate for name, rate in rates.items() if name[0] == level)
            for rates in (decay_rates(TARGET), all_decay_rates(half))
        )
        assert more == pytest.approx(2.0 * own)
    dense = replace(half, density_per_cm3=3.0 * density)
    assert sum(all_decay_rates(dense).values()) == pytest.approx(
        10.0 * sum(decay_rates(TARGET).values())
    )
    assert all_decay_rates(TARGET) == decay_rates(TARGET)
    drives = [laser_drive(target, LASERS, FIRST) for target in (TARGET, half)]
    assert drives[0].segments == drives[1].segments
    assert drives[0].ions_per_photon == ()
