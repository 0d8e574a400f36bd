"""Weighted draws around the modes of a posterior: evidence in half a second, and proposals.

The amplitude is integrated beforehand, and for an evidence all else that has a closed form
(``marginal.py``). What remains is the space of mass, apparatus, mixing and phases. Its
proposal is a mixture of Gaussians at the modes, bent along the ridge of the mass and wrapped
around the phases, with a share of the prior; it is refitted to its own weighted draws. The
last draws alone give an evidence, so their weights give its error; below ``LEAST_ESS``
effective draws there is none.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from renp_infer.errors import ConvergenceError
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.prior import Prior
from renp_infer.inference.samplers.amplitude import AmplitudeMarginal
from renp_infer.inference.samplers.marginalised import marginalise
from renp_infer.inference.samplers.mixture import Mixture
from renp_infer.inference.samplers.modes import find_modes, mixture_at
from renp_infer.inference.samplers.start import Chart
from renp_infer.records import FloatArray

LEAST_ESS = 50.0
"""Fewer effective draws than this are no evidence."""
ROUNDS = (600, 600, 1200)
"""Draws of each refit."""
_REPEATS, _ENOUGH, _AMPLE = 4, 0.3, 0.5
"""Further refits at most, while a smaller share of the draws is effective; and the share from
which on none is needed at all."""


@dataclass(frozen=True)
class ImportanceEstimate:
    """Log-evidence of one data set by importance sampling.

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
        The target's templates of these.
    points : ndarray, shape (n, k)
        Unit coordinates, then phases in rad.
    log_weights : ndarray, shape (n,)
        Log of likelihood times prior over the proposal.
    """

    vectors: FloatArray
    templates: FloatArray
    points: FloatArray
    log_weights: FloatArray

    def take(self, places: ArrayLike) -> WeightedDraws:
        """Those at some places."""
        return WeightedDraws(*(column[np.asarray(places)] for column in vars(self).values()))

    def followed_by(self, other: WeightedDraws) -> WeightedDraws:
        """These, then others."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return WeightedDraws(*(np.concatenate(pair) for pair in pairs))

    @property
    def weights(self) -> FloatArray:
        """Weights over the largest, shape (n,)."""
        return np.asarray(np.exp(self.log_weights - self.log_weights.max()))

    @property
    def levelled(self) -> FloatArray:
        """Weights (n,) of which none is more than the n^(1/2)-th largest, for a refit.

        Few large ones would throw its moments about, and the next draws with them: truncation
        costs a bias where they are, none where weights are even (Ionides, J. Comput. Graph.
        Stat. 17, 295 (2008); Koblents and Miguez, Stat. Comput. 25, 407 (2015)).
        """
        weights = self.weights
        rank = int(np.sqrt(weights.size))
        return np.minimum(weights, np.partition(weights, -rank)[-rank])

    @property
    def ess(self) -> float:
        """Number of equal draws that the weights are worth (Kish)."""
        weights = self.weights
        return float(weights.sum() ** 2 / np.sum(weights**2))

    @property
    def evidence(self) -> ImportanceEstimate:
        """Mean weight; its error is that of independent weights."""
        log_z = float(np.log(np.mean(self.weights)) + self.log_weights.max())
        variance = 1.0 / self.ess - 1.0 / self.log_weights.size
        return ImportanceEstimate(log_z, float(np.sqrt(max(variance, 0.0))), self.ess)


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

    Attributes
    ----------
    mixture : Mixture
    chi_squared : float
        Sum of squared residuals of data and priors at the best mode.
    """

    def __init__(self, target: AmplitudeMarginal, rng: np.random.Generator) -> None:
        self.target = target
        chart = Chart(target.likelihood)
        modes = find_modes(chart, rng)
        self.mixture, self.chi_squared = mixture_at(target, chart, modes), modes[0].chi_squared

    def draw(self, rng: np.random.Generator, count: int) -> WeightedDraws:
        """Draw independently; what lies outside the prior weighs nothing, with template 0."""
        target, points = self.target, self.mixture.sample(rng, count)
        units = _units(target.prior, points)
        vectors, inside = target.prior.from_unit(units), target.prior.supports(units)
        templates = np.zeros((count, target.pull.size))
        templates[inside] = target.templates(vectors[inside])
        posterior = target.of_templates(templates) + self.mixture.log_prior(points)
        posterior[inside] += target.constrained(vectors[inside])
        posterior[~inside] = -np.inf
        return WeightedDraws(
            vectors, templates, points, posterior - self.mixture.log_density(points)
        )

    def adapt(self, rng: np.random.Generator, rounds: Sequence[int]) -> None:
        """Refit to draws of its own until ample ones are effective, some times more if few are."""
        for count in rounds:
            effective = self._refit(rng, count)
            if effective >= _AMPLE * count:
                return
        for _ in range(_REPEATS):
            if effective >= _ENOUGH * rounds[-1]:
                break
            effective = self._refit(rng, rounds[-1])

    def _refit(self, rng: np.random.Generator, count: int) -> float:
        """Refit once; the effective number of draws before it."""
        found = self.draw(rng, count)
        self.mixture = self.mixture.refitted(found.points, found.levelled)
        return found.ess


def evidence(likelihood: Likelihood, rng: np.random.Generator, draws: int) -> ImportanceEstimate:
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
    return drawn_of(Proposal(target, rng), rng, draws)


def drawn_of(proposal: Proposal, rng: np.random.Generator, draws: int) -> WeightedDraws:
    """Weighted draws of a proposal, refitted first.

    Raises
    ------
    ConvergenceError
        If fewer than ``LEAST_ESS`` draws are effective.
    """
    proposal.adapt(rng, ROUNDS)
    found = proposal.draw(rng, draws)
    _judge(found)
    return found


def pooled_sample(
    target: AmplitudeMarginal, rngs: Sequence[np.random.Generator], draws: int, cores: int = 1
) -> WeightedDraws:
    """Weighted draws of several proposals, each from a search of its own.

    All are weighted by the mean of the proposals' densities (the balance heuristic; Veach and
    Guibas, SIGGRAPH 95, 419): a mode that one of them misses is covered by the others, and its
    weights stay bounded.

    Parameters
    ----------
    target : AmplitudeMarginal
    rngs : sequence of numpy.random.Generator
        One per proposal.
    draws : int
        Of each proposal.
    cores : int
        Proposals that are adapted side by side.

    Raises
    ------
    ConvergenceError
        If fewer than ``LEAST_ESS`` draws are effective, or no mode is found.
    """

    def adapted(rng: np.random.Generator) -> tuple[Mixture, WeightedDraws]:
        proposal = Proposal(target, rng)
        proposal.adapt(rng, ROUNDS)
        return proposal.mixture, proposal.draw(rng, draws)

    # the response leaves the interpreter's lock, and each has a generator of its own
    with ThreadPoolExecutor(min(cores, len(rngs))) as pool:
        drawn = list(pool.map(adapted, rngs))
    mixtures, found = [mixture for mixture, _ in drawn], []
    for mixture, own in drawn:
        densities = np.array([other.log_density(own.points) for other in mixtures])
        posterior = own.log_weights + mixture.log_density(own.points)
        mean = logsumexp(densities, axis=0) - np.log(len(mixtures))
        found.append(replace(own, log_weights=posterior - mean))
    together = functools.reduce(WeightedDraws.followed_by, found)
    _judge(together)
    return together


def _judge(found: WeightedDraws) -> None:
    if found.ess < LEAST_ESS:
        raise ConvergenceError("log-evidence", found.ess**-0.5, LEAST_ESS**-0.5)


def _units(rest: Prior, points: FloatArray) -> FloatArray:
    """Unit coordinates (n, u) of points (n, k) in unit coordinates and angles."""
    slices, plain = rest.unit_slices(), rest.plain
    unit = np.empty((len(points), rest.unit_size))
    unit[:, plain] = points[:, : plain.size]
    for k, name in enumerate(rest.circular):
        angle = points[:, plain.size + k]
        unit[:, slices[name]] = np.column_stack([np.cos(angle), np.sin(angle)])
    return unit
