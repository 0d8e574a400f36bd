"""Where the modes of a posterior are, and the mixture of Gaussians that matches it there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.interpolate import CubicSpline

from renp_infer.errors import ConvergenceError, RenpError
from renp_infer.finite import faults
from renp_infer.inference.parameters import MASS
from renp_infer.inference.profiles.descent import Minimum, descend
from renp_infer.inference.samplers.amplitude import AmplitudeMarginal
from renp_infer.inference.samplers.mixture import WIDEST, Bend, Mixture, within_half_a_turn
from renp_infer.inference.samplers.ridge import ridge
from renp_infer.inference.samplers.start import Chart
from renp_infer.records import FloatArray

_STARTS, _COMPONENTS = 8, 6
"""Searches for modes, and most modes that are kept."""
_REACH = 15.0
"""Modes further below the best, in log posterior, carry nothing."""


def mixture_at(target: AmplitudeMarginal, chart: Chart, modes: list[Minimum]) -> Mixture:
    """Gaussians that match the posterior at its modes, the best first.

    With all phases free the signal is even in them, and a mode's mirror image is one, too:
    each is there twice. Elsewhere the image is a proposal in vain.

    Parameters
    ----------
    target : AmplitudeMarginal
    chart : Chart
        Of its likelihood.
    modes : list of Minimum
        From ``find_modes``.

    Raises
    ------
    NonFiniteError
        If a mode has no covariance.
    """
    phases, names = chart.phases.size, target.likelihood.prior.names
    plain = [name for name in names if name not in target.likelihood.prior.circular]
    kept = [k for k, name in enumerate(plain) if name in target.prior.names]
    kept += range(len(plain), len(plain) + phases)
    with faults("covariance at the mode", chart.values(modes[0].point)):
        along = kept.index(plain.index(MASS))
        bend = _bend(chart, modes[0], kept, along)
        covariances = np.array([_covariance(mode, kept, phases) for mode in modes])
    # modes are nearly equal in the first round: which is wide is not known yet
    weights = np.exp([0.1 * (modes[0].chi_squared - mode.chi_squared) for mode in modes])
    centers = np.array([mode.point[kept] for mode in modes])
    centers -= bend(centers)
    if not phases:
        return Mixture(weights, centers, covariances, 0, bend, along)
    mirror = np.ones(len(kept))
    mirror[-phases:] = -1.0
    return Mixture(
        np.concatenate([weights, weights]),
        np.concatenate([centers, mirror * centers]),
        np.concatenate([covariances, np.outer(mirror, mirror) * covariances]),
        phases,
        bend,
        along,
    )


def find_modes(chart: Chart, rng: np.random.Generator) -> list[Minimum]:
    """Distinct modes, the best first.

    Raises
    ------
    ConvergenceError, NonFiniteError
        If no search ends at one.
    """
    found: list[Minimum] = []
    problem: Exception | None = None
    for _ in range(_STARTS):
        try:
            found.append(_mode(chart, rng))
        except (RenpError, np.linalg.LinAlgError) as error:
            problem = error
    if not found and isinstance(problem, RenpError):
        raise problem
    if not found:
        raise ConvergenceError("search for a mode", np.inf, _REACH) from problem
    found.sort(key=lambda mode: mode.chi_squared)
    modes: list[Minimum] = []
    for mode in found:
        low = 0.5 * (mode.chi_squared - found[0].chi_squared) < _REACH
        if low and all(_apart(chart, mode, other) for other in modes):
            modes.append(mode)
    return modes[:_COMPONENTS]


def _mode(chart: Chart, rng: np.random.Generator) -> Minimum:
    """Where one search ends, its phases within half a turn."""
    start = chart.from_unit(rng.standard_normal(chart.likelihood.prior.unit_size))
    plain = chart.others.size
    reach = np.full(start.size, np.inf)
    reach[plain:] = np.pi
    found = descend(lambda p: (chart.residuals(p), chart.jacobian(p)), start, reach=reach)
    point = found.point.copy()
    point[plain:] = within_half_a_turn(point[plain:])
    return replace(found, point=point)


def _apart(chart: Chart, mode: Minimum, other: Minimum) -> bool:
    """Whether one lies outside a standard deviation of the other."""
    way = mode.point - other.point
    way[chart.others.size :] = within_half_a_turn(way[chart.others.size :])
    return bool(np.linalg.norm(other.jacobian @ way) > 1.0)


def _bend(chart: Chart, mode: Minimum, kept: list[int], place: int) -> Bend:
    """How the ridge along the mass, at a place of points (n, k), departs from its tangent."""
    slopes = mode.jacobian[:, : chart.others.size]
    found = ridge(chart, mode.point, np.linalg.inv(slopes.T @ slopes))
    masses, padding = found.masses, [(0, 0), (0, chart.phases.size)]
    spline = CubicSpline(masses, np.pad(found.departures, padding)[:, kept])
    return lambda points: spline(np.clip(points[:, place], masses[0], masses[-1]))


def _covariance(mode: Minimum, kept: list[int], phases: int) -> FloatArray:
    """Of the posterior around a mode, (k, k); unseen phases are as wide as a component may be."""
    information = mode.jacobian.T @ mode.jacobian
    size = len(information)
    information[size - phases :, size - phases :] += np.eye(phases) / WIDEST**2
    return np.asarray(np.linalg.inv(information)[np.ix_(kept, kept)])
