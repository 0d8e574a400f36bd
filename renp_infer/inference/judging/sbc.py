"""Simulation-based calibration: the truth must look like a draw of the posterior.

Parameters from the prior, data from the parameters, a posterior from the data:
the rank of the true value among independent draws is uniform if, and only if
for the quantities looked at, model and sampler are right (Talts et al.,
arXiv:1804.06788). Beside the parameters the log-likelihood is ranked, which sees
errors that leave every marginal intact (Modrak et al., arXiv:2211.02383).

Ranks are turned into fractions ``(rank + v) / (draws + 1)``, v uniform: exactly
uniform whatever the number of draws, which differs from fit to fit. An angle is
ranked on [0, 360), cut at 0: any fixed cut is as good as any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.marginals import FULL_TURN_DEG
from renp_infer.inference.results.diagnostics import (
    DIVERGENT_FRACTION_WARN,
    R_HAT_WARN,
    Convergence,
    convergence,
)
from renp_infer.inference.results.summary import circular_mean_deg, wrap
from renp_infer.records import FloatArray

LOG_LIKELIHOOD = "log_likelihood"
MAX_RANKED = 200
"""Draws that a rank is taken among; more would not show."""

Sample = Callable[[Likelihood, np.random.SeedSequence], tuple[FloatArray, xr.Dataset]]
"""Parameter vectors (chains, draws, d) and sampler statistics of a data set."""


@dataclass(frozen=True)
class Gates:
    """When a fit counts as failed; it keeps its ranks.

    Attributes
    ----------
    divergent : float
        Largest share of divergent transitions.
    ess : float
        Smallest effective sample size of a parameter.
    """

    divergent: float = DIVERGENT_FRACTION_WARN
    ess: float = 50.0


@dataclass(frozen=True)
class Ranked:
    """One data set, fitted.

    Attributes
    ----------
    truth : ndarray, shape (d,)
    fractions : ndarray, shape (d + 1,)
        Randomised rank of each parameter and of the log-likelihood, in (0, 1);
        NaN if there was no fit.
    centrality : ndarray, shape (d + 1,)
        Probability of the smallest central interval that contains the truth.
    ranked : int
        Draws behind the ranks.
    r_hat, ess, divergent : float
        Largest R-hat, smallest effective sample size, share of divergences.
    failure : str
        Empty, or why the fit counts as failed.
    """

    truth: FloatArray
    fractions: FloatArray
    centrality: FloatArray
    ranked: int
    r_hat: float
    ess: float
    divergent: float
    failure: str


def rank_one(
    likelihood: Likelihood,
    expected: Callable[[FloatArray], FloatArray],
    sample: Sample,
    seed: np.random.SeedSequence,
    thinning: int | None = None,
    gates: Gates | None = None,
) -> Ranked:
    """Draw a truth and its data, fit, rank.

    Parameters
    ----------
    likelihood : Likelihood
        Prior, response and noise; its data are not used.
    expected : callable
        Expected data (n,) of parameters (d,): the truth's model.
    sample : callable
        The sampler.
    seed : numpy.random.SeedSequence
    thinning : int, optional
        Every how many draws one is ranked; by effective sample size if not given.
    gates : Gates, optional

    Returns
    -------
    Ranked
        An error in the fit is recorded, not raised.
    """
    truth_seed, noise_seed, fit_seed, rank_seed = seed.spawn(4)
    known, rng = likelihood.external, np.random.default_rng(truth_seed)
    truth = known.sample(likelihood.prior, rng, 1)[0]
    try:
        fitted = mock(likelihood, expected(truth), np.random.default_rng(noise_seed))
        vectors, statistics = sample(fitted, fit_seed)
        return _ranked(fitted, truth, vectors, statistics, rank_seed, thinning, gates or Gates())
    except Exception as error:
        nothing = np.full(truth.size + 1, np.nan)
        text = f"{type(error).__name__}: {error}"
        return Ranked(truth, nothing, nothing, 0, np.nan, np.nan, np.nan, text)


def mock(likelihood: Likelihood, expected: FloatArray, rng: np.random.Generator) -> Likelihood:
    """The same likelihood for new data: an expectation plus noise."""
    noise = likelihood.whitening.cholesky @ rng.standard_normal(expected.size)
    return likelihood.with_data(expected + noise)


def _ranked(
    likelihood: Likelihood,
    truth: FloatArray,
    vectors: FloatArray,
    statistics: xr.Dataset,
    seed: np.random.SeedSequence,
    thinning: int | None,
    gates: Gates,
) -> Ranked:
    prior = likelihood.prior
    circular = np.array([name in prior.circular for name in prior.names])
    rows = [convergence(vectors[..., k], bool(turns)) for k, turns in enumerate(circular)]
    ess = min(min(row.ess_bulk, row.ess_tail) for row in rows)
    r_hat = max(row.r_hat for row in rows)
    divergent = float(statistics["diverging"].mean()) if "diverging" in statistics else 0.0
    kept = thinned(vectors, ess, thinning)
    rng = np.random.default_rng(seed)
    fractions, centrality = _ranks(likelihood, truth, kept, circular, rng)
    failure = _failure(rows, r_hat, ess, divergent, gates)
    return Ranked(truth, fractions, centrality, len(kept), r_hat, ess, divergent, failure)


def thinned(vectors: FloatArray, ess: float, thinning: int | None) -> FloatArray:
    """Nearly independent draws (k, d), evenly spaced, of chains (chains, draws, d)."""
    chains, draws = vectors.shape[:2]
    enough = int(np.clip(ess, 1.0, MAX_RANKED)) if np.isfinite(ess) else 1
    step = thinning or -(-chains * draws // enough)
    return vectors[:, step - 1 :: step].reshape(-1, vectors.shape[2])


def _ranks(
    likelihood: Likelihood,
    truth: FloatArray,
    draws: FloatArray,
    circular: FloatArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Fractions and centralities, shape (d + 1,) each."""
    levels = np.array([likelihood.log_likelihood(draw) for draw in draws])
    columns = np.column_stack([draws, levels])
    values = np.append(truth, likelihood.log_likelihood(truth))
    fractions = fraction(columns, values, rng)
    centrality = np.abs(2.0 * fractions - 1.0)
    turning = np.flatnonzero(circular)
    if turning.size:
        distances = [from_mean_direction(columns[:, k], values[k]) for k in turning]
        stacked = np.column_stack(distances)
        centrality[turning] = fraction(stacked[:-1], stacked[-1], rng)
    return fractions, centrality


def fraction(draws: FloatArray, truth: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Randomised rank of each column's truth (k,) among its draws (n, k), in (0, 1)."""
    below = np.sum(draws < truth, axis=0)
    ties = np.sum(draws == truth, axis=0)
    return (below + rng.uniform(size=truth.size) * (ties + 1)) / (len(draws) + 1)


def from_mean_direction(draws: FloatArray, truth: float) -> FloatArray:
    """Angles' distance from their mean direction, degrees, shape (n + 1,), truth last.

    The truth takes part in the mean: the draws and it stay exchangeable.
    """
    angles = np.append(draws, truth)
    centered = wrap(angles - circular_mean_deg(angles), -0.5 * FULL_TURN_DEG)
    return np.abs(centered)


def _failure(
    rows: list[Convergence], r_hat: float, ess: float, divergent: float, gates: Gates
) -> str:
    """Why a fit counts as failed; written so that a NaN fails."""
    reasons = []
    if not r_hat < R_HAT_WARN:
        reasons.append(f"R-hat {r_hat:.3f}")
    if not ess >= gates.ess:
        reasons.append(f"ESS {ess:.0f}")
    if not divergent <= gates.divergent:
        reasons.append(f"divergent {100.0 * divergent:.1f} %")
    return ", ".join(reasons)
