"""Evidence and posterior by nested sampling (dynesty), from the prior or a reference.

Skilling, Bayesian Anal. 1, 833 (2006); Speagle, MNRAS 493, 3132 (2020). Several
independent runs share the live points: their scatter measures the error of log Z
beside the estimate from the information gained, and each is one chain.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass

import dynesty
import numpy as np
from scipy.special import logsumexp

from renp_infer.inference.samplers.amplitude import AmplitudeMarginal
from renp_infer.inference.samplers.reference import Reference, fitted_reference, prior_reference
from renp_infer.records import FloatArray

PILOT_LIVE_POINTS = 120
REMAINDER = 0.01
"""Largest share of log Z left in the live points when a run ends."""
_PILOT_REMAINDER = 0.3


@dataclass(frozen=True)
class NestedRun:
    """One run, dead and final live points in order of likelihood.

    Attributes
    ----------
    cubes : ndarray, shape (n, d)
        Points of the unit cube of the reference.
    log_weights : ndarray, shape (n,)
        Log posterior mass of each, normalised.
    log_likelihood : ndarray, shape (n,)
        Times prior over reference.
    log_evidence, log_evidence_error : float
        The error from the information gained.
    calls : int
        Likelihood evaluations.
    """

    cubes: FloatArray
    log_weights: FloatArray
    log_likelihood: FloatArray
    log_evidence: float
    log_evidence_error: float
    calls: int


def nested_run(
    target: AmplitudeMarginal,
    reference: Reference,
    live_points: int,
    seed: np.random.SeedSequence,
    remainder: float = REMAINDER,
) -> NestedRun:
    """Run one nested sampling.

    Parameters
    ----------
    target : AmplitudeMarginal
    reference : Reference
        Over the target's parameters.
    live_points : int
    seed : numpy.random.SeedSequence
    remainder : float
        Stop when the live points can change log Z by no more.
    """
    names, circular = target.prior.names, target.prior.circular
    # log_density may replace both streams; here they come back
    with contextlib.redirect_stdout(sys.stdout), contextlib.redirect_stderr(sys.stderr):
        sampler = dynesty.NestedSampler(
            _weighted(target, reference),
            np.copy,  # stay in the cube: the likelihood needs both coordinates
            len(names),
            nlive=live_points,
            sample="rwalk",
            periodic=[names.index(name) for name in circular] or None,
            rstate=np.random.default_rng(seed),
        )
        sampler.run_nested(dlogz=remainder, print_progress=False)
    found = sampler.results
    return NestedRun(
        found.samples,
        found.logwt - logsumexp(found.logwt),
        found.logl,
        float(found.logz[-1]),
        float(found.logzerr[-1]),
        int(np.sum(found.ncall)),
    )


def pilot(target: AmplitudeMarginal, seed: np.random.SeedSequence) -> Reference:
    """Reference fitted to a short run from the prior."""
    prior = prior_reference(target.prior)
    run = nested_run(target, prior, PILOT_LIVE_POINTS, seed, _PILOT_REMAINDER)
    return fitted_reference(prior, run.cubes, np.exp(run.log_weights))


def effective_size(run: NestedRun) -> int:
    """Number of equal draws that the weights are worth (Kish)."""
    return max(int(np.exp(-logsumexp(2.0 * run.log_weights))), 4)


def equal_draws(run: NestedRun, n: int, rng: np.random.Generator) -> FloatArray:
    """Equal-weight sample, shape (n, d), of the cube, in random order."""
    picked = rng.choice(len(run.cubes), size=n, p=np.exp(run.log_weights))
    return run.cubes[picked]


def _weighted(target: AmplitudeMarginal, reference: Reference) -> Callable[[FloatArray], float]:
    def log_density(cube: FloatArray) -> float:
        try:
            standard = reference.standard(cube)
            if not reference.supports(standard):
                return -np.inf
            ratio = reference.log_ratio(standard)
            return target.log_likelihood(reference.vector(cube)) + ratio
        except BaseException:
            # dynesty prints a traceback of what it passes on, even of an interruption
            sys.stdout = sys.stderr = io.StringIO()
            raise

    return log_density
