"""Evidence in a second: importance sampling around the modes of the posterior.

Linear parameters are integrated beforehand. What remains is the space of mass,
apparatus, mixing and phases. Its proposal is a mixture of Gaussians at the
modes, wrapped around the phases, with a share of the prior; it is refitted to
its own weighted draws twice, and again while too few are effective. The last
draws alone give the evidence, so their weights give its error; below
``LEAST_ESS`` effective draws there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renp_infer.errors import ConvergenceError, RenpError
from renp_infer.inference.descent import Minimum, descend
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.linear_marginal import LINEAR, LinearMarginal
from renp_infer.inference.mixture import WIDEN, WIDEST, Mixture, bounded
from renp_infer.inference.prior import Prior
from renp_infer.inference.start import Chart
from renp_infer.records import FloatArray

LEAST_ESS = 50.0
"""Fewer effective draws than this are no evidence."""
_STARTS, _COMPONENTS = 8, 6
_ROUNDS = (600, 1200)
_REPEATS = 4
_REACH = 15.0
"""Modes further below the best, in log posterior, carry nothing."""


@dataclass(frozen=True)
class Evidence:
    """Log-evidence of one data set.

    Attributes
    ----------
    log_z, error : float
        Natural logarithm, normalised in the data, and its standard error.
    ess : float
        Effective number of importance draws.
    """

    log_z: float
    error: float
    ess: float


def evidence(likelihood: Likelihood, rng: np.random.Generator, draws: int) -> Evidence:
    """Log-evidence by adaptive importance sampling.

    Parameters
    ----------
    likelihood : Likelihood
    rng : numpy.random.Generator
    draws : int
        Importance draws of the last round.

    Raises
    ------
    ConvergenceError
        If fewer than ``LEAST_ESS`` draws are effective.
    """
    return importance_sample(likelihood, rng, draws)[0]


def importance_sample(
    likelihood: Likelihood, rng: np.random.Generator, draws: int
) -> tuple[Evidence, FloatArray, FloatArray]:
    """Log-evidence, and the weighted draws behind it.

    Returns
    -------
    evidence : Evidence
    vectors : ndarray, shape (draws, k)
        Of the parameters in ``LinearMarginal(likelihood).rest``.
    weights : ndarray, shape (draws,)
        Up to a factor.

    Raises
    ------
    ConvergenceError
        If fewer than ``LEAST_ESS`` draws are effective.
    """
    marginal = LinearMarginal(likelihood)
    mixture = start_mixture(likelihood, rng)
    for count in _ROUNDS:
        points, log_weights = _weighted(marginal, mixture, rng, count)
        mixture = mixture.refitted(points, np.exp(log_weights - log_weights.max()))
    for _ in range(_REPEATS):
        points, log_weights = _weighted(marginal, mixture, rng, draws)
        weights = np.exp(log_weights - log_weights.max())
        ess = float(weights.sum() ** 2 / np.sum(weights**2))
        if ess >= LEAST_ESS:
            break
        mixture = mixture.refitted(points, weights)
    else:
        raise ConvergenceError("log-evidence", ess**-0.5, LEAST_ESS**-0.5)
    log_z = float(np.log(np.mean(weights)) + log_weights.max())
    found = Evidence(log_z, float(np.sqrt(max(1.0 / ess - 1.0 / draws, 0.0))), ess)
    return found, _vectors(marginal.rest, points, mixture.phases), weights


def _weighted(
    marginal: LinearMarginal, mixture: Mixture, rng: np.random.Generator, count: int
) -> tuple[FloatArray, FloatArray]:
    """Points of a mixture (count, k) and their log importance weights."""
    points = mixture.sample(rng, count)
    posterior = marginal(_vectors(marginal.rest, points, mixture.phases))
    return points, posterior + mixture.log_prior(points) - mixture.log_density(points)


def _vectors(rest: Prior, points: FloatArray, phases: int) -> FloatArray:
    """Parameters (n, d) at points (n, k) in unit coordinates and angles."""
    slices = rest.unit_slices()
    unit = np.empty((len(points), rest.unit_size))
    plain = [slices[name].start for name in rest.names if name not in rest.circular]
    unit[:, plain] = points[:, : len(plain)]
    for k, name in enumerate(rest.circular):
        angle = points[:, len(plain) + k]
        unit[:, slices[name]] = np.column_stack([np.cos(angle), np.sin(angle)])
    return rest.from_unit(unit)


def start_mixture(likelihood: Likelihood, rng: np.random.Generator) -> Mixture:
    """Gaussians that match the posterior at its modes, without the linear parameters."""
    chart = Chart(likelihood)
    attempts = [_mode(chart, rng) for _ in range(_STARTS)]
    found = [mode for mode in attempts if mode is not None]
    if not found:
        raise ConvergenceError("search for a mode", np.inf, _REACH)
    lowest = min(mode.chi_squared for mode in found)
    near = sorted(
        (mode for mode in found if 0.5 * (mode.chi_squared - lowest) < _REACH),
        key=lambda mode: mode.chi_squared,
    )
    names = [n for n in likelihood.prior.names if n not in likelihood.prior.circular]
    kept = [k for k, name in enumerate(names) if name not in LINEAR]
    kept += list(range(len(names), len(names) + chart.phases.size))
    moments = [_gaussian(mode, kept, chart.phases.size) for mode in near[:_COMPONENTS]]
    heights = np.array([lowest - mode.chi_squared for mode in near[:_COMPONENTS]])
    return Mixture(
        # modes are nearly equal in the first round: which is wide is not known yet
        np.exp(0.1 * heights),
        np.array([center for center, _ in moments]),
        np.array([covariance for _, covariance in moments]),
        chart.phases.size,
    )


def _mode(chart: Chart, rng: np.random.Generator) -> Minimum | None:
    start = chart.from_unit(rng.standard_normal(chart.likelihood.prior.unit_size))
    try:
        return descend(lambda p: (chart.residuals(p), chart.jacobian(p)), start)
    except (RenpError, np.linalg.LinAlgError):
        return None


def _gaussian(mode: Minimum, kept: list[int], phases: int) -> tuple[FloatArray, FloatArray]:
    information = mode.jacobian.T @ mode.jacobian
    size = len(information)
    information[size - phases :, size - phases :] += np.eye(phases) / WIDEST**2
    covariance = np.linalg.inv(information)[np.ix_(kept, kept)]
    return mode.point[kept], bounded(WIDEN**2 * covariance, phases)
