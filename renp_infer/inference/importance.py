"""Weighted draws around the modes of a posterior: evidence in half a second, and proposals.

The amplitude is integrated beforehand, and for an evidence all else that has a closed form
(``marginal.py``). What remains is the space of mass, apparatus, mixing and phases. Its
proposal is a mixture of Gaussians at the modes, bent along the ridge of the mass and wrapped
around the phases, with a share of the prior; it is refitted to its own weighted draws. The
last draws alone give an evidence, so their weights give its error; below ``LEAST_ESS``
effective draws there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from renp_infer.errors import ConvergenceError, RenpError
from renp_infer.inference.amplitude import AMPLITUDE, AmplitudeMarginal
from renp_infer.inference.descent import Minimum, descend
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.marginal import marginalise
from renp_infer.inference.mixture import WIDEST, Bend, Mixture
from renp_infer.inference.prior import Prior
from renp_infer.inference.ridge import MASS, ridge
from renp_infer.inference.start import Chart
from renp_infer.records import FloatArray

LEAST_ESS = 50.0
"""Fewer effective draws than this are no evidence."""
ROUNDS = (600, 600, 1200)
"""Draws of each refit."""
_STARTS, _COMPONENTS = 8, 6
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


@dataclass(frozen=True)
class WeightedDraws:
    """Independent draws of a proposal and what they weigh.

    Attributes
    ----------
    vectors : ndarray, shape (n, k)
        Of the target's parameters.
    templates : ndarray, shape (n, angles)
        Their expected fields for amplitude 1, nG.
    points : ndarray, shape (n, k)
        Unit coordinates, then phases in rad.
    log_weights : ndarray, shape (n,)
        Log of likelihood times prior over the proposal.
    """

    vectors: FloatArray
    templates: FloatArray
    points: FloatArray
    log_weights: FloatArray

    def take(self, places: Sequence[int]) -> WeightedDraws:
        """Those at some places."""
        return WeightedDraws(*(column[places] for column in vars(self).values()))

    def followed_by(self, other: WeightedDraws) -> WeightedDraws:
        """These, then others."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return WeightedDraws(*(np.concatenate(pair) for pair in pairs))

    @property
    def weights(self) -> FloatArray:
        """Weights over the largest, shape (n,)."""
        return np.asarray(np.exp(self.log_weights - self.log_weights.max()))

    @property
    def ess(self) -> float:
        """Number of equal draws that the weights are worth (Kish)."""
        weights = self.weights
        return float(weights.sum() ** 2 / np.sum(weights**2))

    @property
    def evidence(self) -> Evidence:
        """Mean weight; its error is that of independent weights."""
        log_z = float(np.log(np.mean(self.weights)) + self.log_weights.max())
        variance = 1.0 / self.ess - 1.0 / self.log_weights.size
        return Evidence(log_z, float(np.sqrt(max(variance, 0.0))), self.ess)


class Proposal:
    """Where draws of a posterior are proposed.

    Parameters
    ----------
    target : AmplitudeMarginal
    rng : numpy.random.Generator
        Of the search for modes.

    Raises
    ------
    ConvergenceError
        If no mode is found.
    """

    def __init__(self, target: AmplitudeMarginal, rng: np.random.Generator) -> None:
        self.target = target
        self.mixture = start_mixture(target.likelihood, rng)

    def draw(self, rng: np.random.Generator, count: int) -> WeightedDraws:
        """Draw independently."""
        points = self.mixture.sample(rng, count)
        vectors = _vectors(self.target.prior, points)
        templates = self.target.templates(vectors)
        posterior = self.target.of_templates(templates) + self.mixture.log_prior(points)
        return WeightedDraws(
            vectors, templates, points, posterior - self.mixture.log_density(points)
        )

    def adapt(self, rng: np.random.Generator, rounds: Sequence[int]) -> WeightedDraws:
        """Refit to draws of its own, and some times more while few of them are effective.

        Returns the draws of the last round, before its refit.
        """
        for count in rounds:
            found = self._refit(rng, count)
        for _ in range(_REPEATS):
            if found.ess >= LEAST_ESS:
                break
            found = self._refit(rng, rounds[-1])
        return found

    def _refit(self, rng: np.random.Generator, count: int) -> WeightedDraws:
        found = self.draw(rng, count)
        self.mixture = self.mixture.refitted(found.points, found.weights)
        return found


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
    return importance_sample(marginalise(likelihood, rng).target, rng, draws).evidence


def importance_sample(
    target: AmplitudeMarginal, rng: np.random.Generator, draws: int
) -> WeightedDraws:
    """Weighted draws of the target's parameters.

    Parameters
    ----------
    target : AmplitudeMarginal
    rng : numpy.random.Generator
    draws : int
        Of the last round.

    Raises
    ------
    ConvergenceError
        If fewer than ``LEAST_ESS`` draws are effective.
    """
    proposal = Proposal(target, rng)
    proposal.adapt(rng, ROUNDS)
    found = proposal.draw(rng, draws)
    if found.ess < LEAST_ESS:
        raise ConvergenceError("log-evidence", found.ess**-0.5, LEAST_ESS**-0.5)
    return found


def _vectors(rest: Prior, points: FloatArray) -> FloatArray:
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
    """Gaussians that match the posterior at its modes, without the amplitude.

    No signal tells phases from their negatives, so each mode is there twice.
    """
    chart = Chart(likelihood)
    attempts = [_mode(chart, rng) for _ in range(_STARTS)]
    found = [mode for mode in attempts if mode is not None]
    if not found:
        raise ConvergenceError("search for a mode", np.inf, _REACH)
    lowest = min(mode.chi_squared for mode in found)
    near = sorted(
        (mode for mode in found if 0.5 * (mode.chi_squared - lowest) < _REACH),
        key=lambda mode: mode.chi_squared,
    )[:_COMPONENTS]
    names = [n for n in likelihood.prior.names if n not in likelihood.prior.circular]
    kept = [k for k, name in enumerate(names) if name != AMPLITUDE]
    kept += list(range(len(names), len(names) + chart.phases.size))
    # modes are nearly equal in the first round: which is wide is not known yet
    weights = np.exp([0.1 * (lowest - mode.chi_squared) for mode in near])
    covariances = np.array([_covariance(mode, kept, chart.phases.size) for mode in near])
    bend = _bend(chart, near[0], kept)
    centers = np.array([mode.point[kept] for mode in near])
    centers -= bend(centers)
    if not chart.phases.size:
        return Mixture(weights, centers, covariances, 0, bend)
    mirror = np.ones(len(kept))
    mirror[-chart.phases.size :] = -1.0
    return Mixture(
        np.concatenate([weights, weights]),
        np.concatenate([centers, mirror * centers]),
        np.concatenate([covariances, np.outer(mirror, mirror) * covariances]),
        chart.phases.size,
        bend,
    )


def _bend(chart: Chart, mode: Minimum, kept: list[int]) -> Bend:
    """How the ridge along the mass departs from its tangent, by points (n, k)."""
    plain = chart.others.size
    slopes = mode.jacobian[:, :plain]
    masses, departures = ridge(chart, mode.point, np.linalg.inv(slopes.T @ slopes))
    whole = np.pad(departures, [(0, 0), (0, chart.phases.size)])[:, kept]
    place = kept.index(list(chart.likelihood.prior.names).index(MASS))
    spline = CubicSpline(masses, whole)
    return lambda points: spline(np.clip(points[:, place], masses[0], masses[-1]))


def _mode(chart: Chart, rng: np.random.Generator) -> Minimum | None:
    start = chart.from_unit(rng.standard_normal(chart.likelihood.prior.unit_size))
    try:
        return descend(lambda p: (chart.residuals(p), chart.jacobian(p)), start)
    except (RenpError, np.linalg.LinAlgError):
        return None


def _covariance(mode: Minimum, kept: list[int], phases: int) -> FloatArray:
    information = mode.jacobian.T @ mode.jacobian
    size = len(information)
    information[size - phases :, size - phases :] += np.eye(phases) / WIDEST**2
    return np.asarray(np.linalg.inv(information)[np.ix_(kept, kept)])
