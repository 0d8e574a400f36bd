"""What full inference finds in a mock data set of a known truth.

Every hypothesis has all its parameters free and nothing linear: weighted draws of
``samplers.importance`` give its evidence and its posterior of m1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, ndtr, softmax

from renp_infer.errors import ConvergenceError, RenpError
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.marginals import Marginal
from renp_infer.inference.samplers.importance import (
    Proposal,
    WeightedDraws,
    drawn_of,
    pooled_sample,
)
from renp_infer.inference.samplers.marginalised import marginalise
from renp_infer.records import FloatArray

EXCLUDED = 60.0
"""A hypothesis whose best mode is lower by this, in log posterior, is not drawn from: its evidence
would need e^40 times the volume of the best to count by 1e-9."""
_POOLED = 3
"""Proposals that share the draws where one has too few effective ones."""
_FEWEST_CELLS = 2


@dataclass(frozen=True)
class Outcome:
    """What one data set tells.

    Attributes
    ----------
    mean_meV, sd_meV : float
        Of m1, hypotheses averaged; NaN after a failure, as all numbers.
    information_nat : float
        Kullback-Leibler divergence of posterior from prior of m1.
    probabilities : tuple of float
        Of each hypothesis.
    ess : float
        Effective draws of the most probable one.
    failure : str
        Why there is none; empty if there is.
    """

    mean_meV: float
    sd_meV: float
    information_nat: float
    probabilities: tuple[float, ...]
    ess: float
    failure: str = ""


def fresh_truth(
    likelihood: Likelihood, fixed: Mapping[str, float], rng: np.random.Generator
) -> FloatArray:
    """Free parameters (d,) drawn from the prior, but for some that are known by name."""
    vector = likelihood.external.sample(likelihood.prior, rng, 1)[0]
    for place, name in enumerate(likelihood.prior.names):
        vector[place] = fixed.get(name, vector[place])
    return vector


def outcome_of(
    likelihoods: Sequence[Likelihood], odds: FloatArray, rng: np.random.Generator, draws: int
) -> Outcome:
    """Posterior of m1 and of hypotheses (H,) from likelihoods of the same data.

    Parameters
    ----------
    likelihoods : sequence of Likelihood
    odds : ndarray, shape (H,)
        Prior odds, of any sum.
    rng : numpy.random.Generator
    draws : int
        Importance draws for each hypothesis.

    Returns
    -------
    Outcome
        Errors are recorded, not raised.
    """
    try:
        proposals = [Proposal(marginalise(one, rng).target, rng) for one in likelihoods]
        lowest = min(proposal.chi_squared for proposal in proposals)
        found = {
            place: _drawn(proposal, rng, draws)
            for place, proposal in enumerate(proposals)
            if 0.5 * (proposal.chi_squared - lowest) < EXCLUDED and odds[place] > 0.0
        }
    except (RenpError, np.linalg.LinAlgError) as problem:
        text = " ".join(f"{type(problem).__name__}: {problem}".split())
        return Outcome(np.nan, np.nan, np.nan, (np.nan,) * len(odds), np.nan, text)
    log = np.full(len(odds), -np.inf)
    for place, own in found.items():
        log[place] = np.log(odds[place]) + own.evidence.log_z
    probabilities = softmax(log)
    masses = np.concatenate([_masses(proposals[place], own) for place, own in found.items()])
    weights = np.concatenate(
        [probabilities[k] * own.weights / own.weights.sum() for k, own in found.items()]
    )
    mean = float(weights @ masses)
    return Outcome(
        mean,
        float(np.sqrt(weights @ (masses - mean) ** 2)),
        information(likelihoods[0].prior.marginals[MASS], masses, weights),
        tuple(probabilities.tolist()),
        found[int(np.argmax(probabilities))].ess,
    )


def _drawn(proposal: Proposal, rng: np.random.Generator, draws: int) -> WeightedDraws:
    """Draws of one hypothesis; of several proposals where one does not do."""
    try:
        return drawn_of(proposal, rng, draws)
    except ConvergenceError:
        return pooled_sample(proposal.target, rng.spawn(_POOLED), draws)


def _masses(proposal: Proposal, own: WeightedDraws) -> FloatArray:
    """m1 of the draws (n,), meV."""
    return own.vectors[:, proposal.target.prior.names.index(MASS)]


def information(prior: Marginal, values: FloatArray, weights: FloatArray) -> float:
    """Kullback-Leibler divergence from a prior of draws (n,) with weights that sum to one, nat.

    In the prior's quantiles it is minus the entropy, of cells of equal probability: a cell of
    m effective draws is too narrow by digamma(m) - log(m) in the mean (Vasicek, J. R. Stat.
    Soc. B 38, 54 (1976)), which is taken off. The outermost end where half an effective draw is
    beyond, as many equal draws would: rare draws of no weight lie far out. The number of cells,
    the 2/3 power of the effective draws over two, leaves a bias below 0.02 nat for 1000 draws of
    a normal posterior, a test.
    """
    quantiles = ndtr(prior.to_unit(values))
    order = np.argsort(quantiles)
    ordered, mass = quantiles[order], weights[order]
    effective = 1.0 / float(np.sum(weights**2))
    cells = max(int(0.5 * effective ** (2.0 / 3.0)), _FEWEST_CELLS)
    out = 0.5 / effective
    levels = np.clip(np.linspace(0.0, 1.0, cells + 1), out, 1.0 - out)
    ends = np.interp(levels, np.cumsum(mass) - 0.5 * mass, ordered)
    widths = np.maximum(np.diff(ends), np.finfo(float).tiny)
    shares = np.diff(levels) / (1.0 - 2.0 * out)
    in_each = effective / cells
    found = shares @ np.log(shares / widths)
    return float(found + digamma(in_each) - np.log(in_each))
