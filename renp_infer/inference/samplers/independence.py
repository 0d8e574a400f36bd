"""Independence Metropolis: draws proposed by a mixture that was fitted to the posterior.

Tierney, Ann. Statist. 22, 1701 (1994). What has a closed form, and the amplitude, is
integrated first and drawn afterwards (``marginal.py``, ``amplitude.py``). No gradient, no
compilation: the proposal costs a few thousand evaluations, and where it covers the posterior
every proposal is nearly a draw of it. Where it does not, chains stay where the weight is
large, which R-hat and effective sizes see. Each chain looks for its modes and fits its
proposal by itself, so that agreement between chains means something.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.results.reweight import smoothed
from renp_infer.inference.samplers.importance import Proposal
from renp_infer.inference.samplers.marginalised import Marginalised, marginalise
from renp_infer.inference.settings import InferenceSettings
from renp_infer.records import FloatArray
from renp_infer.versions import versions

PROPOSALS = 2
"""Proposals for each draw that is kept."""
_BLOCK = 1000
"""Kept draws whose fields are in memory at the same time."""


def sample_independence(
    likelihood: Likelihood,
    settings: InferenceSettings,
    seed: np.random.SeedSequence,
    progress: Callable[[str, float], None] | None = None,
    cores: int = 1,
) -> tuple[FloatArray, xr.Dataset]:
    """Draw from the posterior.

    Parameters
    ----------
    likelihood : Likelihood
    settings : InferenceSettings
        The proposal of each chain is refitted to ``tune // 2``, ``tune // 2`` and ``tune``
        weighted draws of its own, and to more while few of them are effective; it starts
        from one of another ``tune // 2`` by weight.
    seed : numpy.random.SeedSequence
    progress : callable, optional
    cores : int, optional
        Chains made side by side; does not change the result.

    Returns
    -------
    vectors : ndarray, shape (chains, draws, d)
    statistics : xarray.Dataset
        ``lp`` by (chain, draw); of each chain the acceptance, and the shape ``pareto_k`` of the
        tail of its proposals' weights.

    Raises
    ------
    ConvergenceError
        If no mode is found.
    NonFiniteError
        If the density is not finite; carries the parameters.
    """
    marginal_seed, *seeds = seed.spawn(1 + settings.chains)
    marginal = marginalise(likelihood, np.random.default_rng(marginal_seed))
    chains, rngs = [], [np.random.default_rng(child) for child in seeds]
    # the response leaves the interpreter's lock, and each chain has a generator of its own
    with ThreadPoolExecutor(min(cores, settings.chains)) as pool:
        for chain in pool.map(functools.partial(_chain, marginal, settings), rngs):
            chains.append(chain)
            if progress is not None:
                progress("sampling", len(chains) / settings.chains)
    vectors, lp, acceptance, pareto_k = (np.array(part) for part in zip(*chains, strict=True))
    statistics = xr.Dataset(
        {
            "lp": (("chain", "draw"), lp),
            "acceptance_rate": ("chain", acceptance),
            "pareto_k": ("chain", pareto_k),
        },
        coords={"chain": np.arange(settings.chains), "draw": np.arange(settings.draws)},
        attrs={
            "sampler": "independence",
            "sampling_library": f"renp-infer {versions()['renp-infer']}",
            "step_methods": f"all: independence Metropolis, one state in {PROPOSALS} kept",
        },
    )
    return vectors, statistics


def _chain(
    marginal: Marginalised, settings: InferenceSettings, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, float, float]:
    """One chain: parameters (draws, d), log posterior (draws,), acceptance, Pareto k."""
    proposal = Proposal(marginal.target, rng)
    half = max(settings.tune // 2, 1)
    proposal.adapt(rng, (half, half, settings.tune))
    found = proposal.draw(rng, half)
    shares = found.weights / found.weights.sum()
    state = found.take([rng.choice(shares.size, p=shares)])
    vectors, densities, weights, moves = [], [], [], 0.0
    for begin in range(0, settings.draws, _BLOCK):
        count = PROPOSALS * min(_BLOCK, settings.draws - begin)
        states = state.followed_by(proposal.draw(rng, count))
        weights.append(states.log_weights[1:])
        path = _path(states.log_weights, rng)
        moves += float(np.count_nonzero(np.diff(path)))
        state, kept = states.take(path[-1:]), states.take(path[PROPOSALS::PROPOSALS])
        complete, log_posterior = marginal.complete(kept.vectors, kept.templates, rng)
        vectors.append(complete)
        densities.append(log_posterior)
    acceptance = moves / (PROPOSALS * settings.draws)
    log_weights = np.concatenate(weights)
    inside = log_weights[np.isfinite(log_weights)]
    pareto_k = smoothed(inside, inside.size)[1]
    return np.concatenate(vectors), np.concatenate(densities), acceptance, pareto_k


def _path(log_weights: FloatArray, rng: np.random.Generator) -> list[int]:
    """Places of a chain's states among its start and its proposals."""
    thresholds = np.log(rng.uniform(size=log_weights.size))
    path = [0]
    for k in range(1, log_weights.size):
        better = log_weights[k] - log_weights[path[-1]] > thresholds[k]
        path.append(k if better else path[-1])
    return path
