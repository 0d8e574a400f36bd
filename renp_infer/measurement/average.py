"""The field as an average of the unsmoothed sums: what a smoothed one is held against."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from renp_infer.measurement.window import GAUSS_REACH, POINT, deviation_of
from renp_infer.physics.neutrinos import masses, weights
from renp_infer.physics.pairs.densities import signal_density
from renp_infer.physics.pairs.form_factor import pair_integrals, pair_masses
from renp_infer.physics.pairs.kinematics import on_circle, threshold_angles
from renp_infer.physics.pairs.sums import majorana_kappa, parity_violating_sum
from renp_infer.physics.signal.magnetization import cycle_time_s, magnetization_nG_per_s
from renp_infer.records import Accuracy, Experiment, FloatArray, Parameters

NODES, BESIDE = 8, 16
"""Gauss nodes of a piece of a window, and of one that begins or ends at the edge of a pair: eight
err there by up to 5e-4 of the peak (planar pairs of 50 meV), sixteen by 3e-5."""
ANGLES = 3
"""How many of the strongest angles are compared: each costs up to a hundred integrals."""
TOLERANCE = 1e-4
"""Of the pair integrals."""
CIRCLE = np.deg2rad(np.arange(-180.0, 180.0, 15.0))
FAINT = 1e-4
"""Share of the largest field around the circle below which a layout sees nothing."""


def disagreement(
    experiment: Experiment, parameters: Parameters, chi_squared: float, field_nG: FloatArray
) -> float:
    """Largest difference of a smoothed field from ``averaged_field``, over its peak.

    Where the layout sees almost nothing, over ``FAINT`` of the largest field around the
    circle: what cancels, as weak magnetism without momentum does, is left to rounding.

    Parameters
    ----------
    experiment : Experiment
    parameters : Parameters
    chi_squared : float
        Coherence factor.
    field_nG : ndarray, shape (n,)
        At the trigger angles of the layout; compared where it is strongest.
    """
    strongest = np.argsort(-np.abs(field_nG), kind="stable")[:ANGLES]
    around = _field(experiment, parameters, chi_squared, CIRCLE)
    peak = max(np.max(np.abs(field_nG)), FAINT * np.max(np.abs(around)))
    if peak == 0.0:
        return 0.0
    angles = experiment.layout.theta_s[strongest]
    averages = [averaged_field(experiment, parameters, chi_squared, x) for x in angles]
    return float(np.max(np.abs(field_nG[strongest] - averages)) / peak)


def averaged_field(
    experiment: Experiment, parameters: Parameters, chi_squared: float, angle: float
) -> float:
    """Peak field at a trigger angle, by quadrature over the detector's window, nG.

    The growth of the field at angles across the window, edges of pairs between them,
    from pair integrals that know of no panels, blocks or tables.

    Parameters
    ----------
    experiment : Experiment
    parameters : Parameters
    chi_squared : float
        Coherence factor.
    angle : float
        Middle of the window, rad.

    Raises
    ------
    NonFiniteError
    """
    ahead, shares = _window(experiment, masses(parameters), angle)
    return float(shares @ _field(experiment, parameters, chi_squared, angle + ahead))


def _field(
    experiment: Experiment, parameters: Parameters, chi_squared: float, theta_s: FloatArray
) -> FloatArray:
    """Peak field of a cycle without smoothing, shape (k,), nG, at trigger angles (k,), rad."""
    m = masses(parameters)
    coarse = Accuracy(max(TOLERANCE, experiment.accuracy.relative_tolerance))
    layout = replace(experiment.layout, theta_s=theta_s)
    there = replace(experiment, layout=layout, accuracy=coarse)
    pairs = pair_integrals(there, m, density=signal_density(there.switches))
    rows, kappa = weights(parameters, there.switches), majorana_kappa(there, parameters)
    odd = parity_violating_sum(pairs, rows, m, kappa)
    return magnetization_nG_per_s(there, odd, chi_squared) * cycle_time_s(experiment)


def _window(
    experiment: Experiment, masses_eV: FloatArray, angle: float
) -> tuple[FloatArray, FloatArray]:
    """Places in a window, rad from its middle, and the share of each; both (k,)."""
    detector = experiment.detector
    box = detector.kernel == "box" or detector.resolution <= POINT
    sigma = deviation_of(detector.resolution)
    half = 0.5 * max(detector.resolution, POINT) if box else GAUSS_REACH * sigma
    total = pair_masses(masses_eV).sum(axis=1)
    edges = threshold_angles(total, experiment.target, experiment.layout.theta_e)
    ahead = on_circle(np.ravel(edges) - angle)
    inside = ahead[np.abs(ahead) < half]
    marks = inside if box else np.append(inside, [-sigma, 0.0, sigma])
    ends = np.unique(np.concatenate([[-half, half], marks]))
    x, share = _pieces(ends, inside)
    if not box:
        share = share * np.exp(-0.5 * (x / sigma) ** 2)
    return x, share / share.sum()


def _pieces(ends: FloatArray, edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of the pieces between ends, more of them beside an edge."""
    at_edge = np.isin(ends, edges)
    counts = np.where(at_edge[:-1] | at_edge[1:], BESIDE, NODES)
    found = [_between(*piece) for piece in zip(ends[:-1], ends[1:], counts, strict=True)]
    places, shares = zip(*found, strict=True)
    return np.concatenate(places), np.concatenate(shares)


def _between(low: float, high: float, count: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of a piece that starts and stops like a square root, or one over it."""
    x, weight = np.polynomial.legendre.leggauss(count)
    t = 0.5 * (x + 1.0)
    place, slope = t**2 * (3.0 - 2.0 * t), 6.0 * t * (1.0 - t)
    return low + (high - low) * place, (high - low) * slope * 0.5 * weight
