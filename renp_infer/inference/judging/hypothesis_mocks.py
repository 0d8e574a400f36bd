"""Mock experiments with a hypothesis drawn from the prior odds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renp_infer.errors import RenpError
from renp_infer.inference.judging.sbc import mock
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.samplers.importance import evidence
from renp_infer.records import FloatArray


@dataclass(frozen=True)
class HypothesisMock:
    """One data set of a hypothesis drawn from the prior odds.

    Attributes
    ----------
    truth : int
        Index of the true hypothesis.
    log_z, error, ess : ndarray, shape (h,)
        Evidence of each hypothesis; NaN where it failed.
    failure : str
        Empty, or the errors.
    """

    truth: int
    log_z: FloatArray
    error: FloatArray
    ess: FloatArray
    failure: str


def draw_hypothesis(
    likelihoods: list[Likelihood],
    odds: FloatArray,
    seed: np.random.SeedSequence,
    draws: int,
) -> HypothesisMock:
    """Draw a hypothesis, its parameters and data; evidence of every hypothesis.

    Parameters
    ----------
    likelihoods : list of Likelihood
        One for each hypothesis, with the same covariance.
    odds : ndarray, shape (h,)
        Prior odds, of any sum.
    seed : numpy.random.SeedSequence
    draws : int
        Importance draws.

    Returns
    -------
    HypothesisMock
        Errors are recorded, not raised.
    """
    rng = np.random.default_rng(seed)
    truth = int(rng.choice(odds.size, p=odds / odds.sum()))
    log_z, error, ess = np.full((3, len(likelihoods)), np.nan)
    failures = []
    try:
        source = likelihoods[truth]
        vector = source.external.sample(source.prior, rng, 1)[0]
        data = mock(source, source.mean(vector), rng).data.vector
    except RenpError as problem:
        return HypothesisMock(truth, log_z, error, ess, f"{type(problem).__name__}: {problem}")
    for k, likelihood in enumerate(likelihoods):
        try:
            found = evidence(likelihood.with_data(data), rng, draws)
            log_z[k], error[k], ess[k] = found.log_z, found.error, found.ess
        except (RenpError, np.linalg.LinAlgError) as problem:
            failures.append(f"{type(problem).__name__}: {problem}")
    return HypothesisMock(truth, log_z, error, ess, "; ".join(failures))
