"""Posterior of m1, hypothesis and phases of one data set, and what it has learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from renp_infer.design.utilities.foreknown import KnownTruths
from renp_infer.design.utilities.landscape import MassCurve
from renp_infer.inference.priors.marginals import Marginal
from renp_infer.records import FloatArray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)
_LEAST = 1e-300


@dataclass(frozen=True)
class Learnt:
    """What one data set tells.

    Attributes
    ----------
    mass, interest : float
        Kullback-Leibler divergence of posterior from prior, of m1, and of m1,
        hypothesis and phases together; nat.
    mean_meV, sd_meV : float
        Of m1.
    log_evidence : ndarray, shape (H,)
        Of each hypothesis.
    log_density : float
        Posterior over prior density at the true m1, log.
    """

    mass: float
    interest: float
    mean_meV: float
    sd_meV: float
    log_evidence: FloatArray
    log_density: float


def learn(curves: Sequence[MassCurve], known: KnownTruths, true_m1_meV: float) -> Learnt:
    """Integrate the curves of H hypotheses over m1.

    Parameters
    ----------
    curves : sequence of MassCurve
        With the same first and last mass.
    known : KnownTruths
        Before the data.
    true_m1_meV : float
    """
    masses, log_prior = _quadrature(curves, known.mass)
    at = [curve.at(masses) for curve in curves]
    log = np.array([log for log, _ in at])
    shares = _log_shares(known, masses)
    weighted = log + shares + known.log_odds[:, None]
    joint = weighted + log_prior
    total = log_sum(joint)
    weights = np.exp(joint - total)
    by_mass = log_sum(weighted, axis=0)
    mass = weights.sum(axis=0)
    mean = float(mass @ masses)
    phases = np.array([learnt for _, learnt in at])
    place = np.array([true_m1_meV])
    there = np.array([curve.at(place)[0][0] for curve in curves]) + known.log_odds
    true = log_sum(there + _log_shares(known, place)[:, 0])
    return Learnt(
        float(mass @ (by_mass - total)),
        float(np.sum(weights * (log + phases - total))),
        mean,
        float(np.sqrt(mass @ (masses - mean) ** 2)),
        log_sum(log + shares + log_prior, axis=1),
        float(true - total),
    )


def _log_shares(known: KnownTruths, m1_meV: FloatArray) -> FloatArray:
    """Log density of masses (k,) under each hypothesis over that of all, (H, k)."""
    return np.array([known.log_share(place, m1_meV) for place in range(known.odds.size)])


def log_sum(log: FloatArray, axis: int | None = None) -> FloatArray:
    """Log of the sum of exponentials, over an axis or all; the largest must be finite.

    A general function takes ten times as long for arrays of a thousand.
    """
    top = np.max(log, axis=axis, keepdims=True)
    total: FloatArray = np.log(np.sum(np.exp(log - top), axis=axis)) + np.squeeze(top, axis=axis)
    return total


def _quadrature(curves: Sequence[MassCurve], prior: Marginal) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre masses between all nodes, and log prior probability of each."""
    nodes = np.unique(np.concatenate([curve.m1_meV for curve in curves]))
    half = 0.5 * np.diff(nodes)
    masses = ((nodes[:-1] + half)[:, None] + half[:, None] * _NODES).ravel()
    density = [prior.log_density(m) for m in masses.tolist()]
    weight = np.maximum((half[:, None] * _WEIGHTS).ravel(), _LEAST)
    log_prior = np.log(weight) + density
    return masses, log_prior - log_sum(log_prior)
