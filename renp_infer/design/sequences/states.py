"""Candidate states of nature; ``design.sequences.beliefs`` is what data say of them.

A state is a hypothesis and a mass. Given the state, the field is linear in the
nuisances and in the cosines of free Majorana phases, so data of Gaussian noise leave
each state a weight and a Gaussian belief of its nuisances. Phases uniform on the
circle give each cosine mean 0 and variance 1/2, uncorrelated; here they are taken as
Gaussian with these moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from renp_infer.design.utilities.beside import predicted
from renp_infer.design.utilities.prediction import COSINE_SD, COSINES, Prediction, nuisances
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.joint import JointModel
from renp_infer.inference.parameters import MASS
from renp_infer.inference.priors.prior import Prior
from renp_infer.records import FloatArray


@dataclass(frozen=True)
class States:
    """S states and their expected fields at n angles.

    Attributes
    ----------
    hypotheses : tuple of (ordering, nature)
    hypothesis : ndarray of int, shape (S,)
        Place of each state's hypothesis.
    m1_meV, log_prior : ndarray, shape (S,)
        Mass; log prior probability, summing to one.
    theta_s : ndarray, shape (n,)
        Trigger angles, rad; of several data sets one after the other.
    mean, by_mass : ndarray, shape (S, n)
        Expected field with all nuisances at their centres; derivative per meV.
    names : tuple of str, d of them
        Nuisances, then ``COSINES`` where phases are free.
    slopes : ndarray, shape (S, n, d)
        Derivatives per prior standard deviation of each.
    """

    hypotheses: tuple[tuple[str, str], ...]
    hypothesis: np.ndarray
    m1_meV: FloatArray
    log_prior: FloatArray
    theta_s: FloatArray
    mean: FloatArray
    by_mass: FloatArray
    names: tuple[str, ...]
    slopes: FloatArray

    def groups(self, of: str) -> np.ndarray:
        """Label (S,) of what a state says about "m1", "ordering", "nature" or "state"."""
        match of:
            case "m1":
                return np.unique(self.m1_meV, return_inverse=True)[1]
            case "ordering" | "nature":
                place = ("ordering", "nature").index(of)
                kinds = np.array([pair[place] for pair in self.hypotheses])
                return np.unique(kinds[self.hypothesis], return_inverse=True)[1]
            case "state":
                return np.arange(self.m1_meV.size)
        raise ValueError(of)


def make_states(
    models: Sequence[HypothesisModel | JointModel],
    m1_meV: FloatArray,
    odds: Sequence[float] | None = None,
) -> States:
    """States of some hypotheses at the angles of their responses.

    Parameters
    ----------
    models : sequence of HypothesisModel or JointModel
        With the same nuisances.
    m1_meV : ndarray, shape (k,)
        Ascending; a mass stands for what is nearer to it than to its neighbours.
    odds : sequence of float, optional
        Prior weights of the hypotheses; equal by default.
    """
    parts = [predicted(model, m1_meV) for model in models]
    weights = np.ones(len(models)) if odds is None else np.asarray(odds, dtype=float)
    mass = _shares(models[0].prior, m1_meV)
    cosines = any(np.any(part.cosines) for part in parts)
    return States(
        tuple((m.parameters.ordering, m.parameters.nature) for m in models),
        np.repeat(np.arange(len(models)), m1_meV.size),
        np.tile(m1_meV, len(models)),
        np.log(np.outer(weights / weights.sum(), mass)).ravel(),
        models[0].response.theta_s,
        np.concatenate([part.mean for part in parts]),
        np.concatenate([part.by_mass for part in parts]),
        nuisances(models[0].prior) + (COSINES if cosines else ()),
        np.concatenate([_slopes(part, cosines) for part in parts]),
    )


def _slopes(part: Prediction, cosines: bool) -> FloatArray:
    if not cosines:
        return part.slopes
    return np.concatenate([part.slopes, COSINE_SD * part.cosines], axis=2)


def _shares(prior: Prior, m1_meV: FloatArray) -> FloatArray:
    """Prior probability of the cell of each mass, (k,)."""
    if m1_meV.size == 1:
        return np.ones(1)
    middle = 0.5 * (m1_meV[1:] + m1_meV[:-1])
    ends = np.concatenate([m1_meV[:1], middle, m1_meV[-1:]])
    density = np.exp([prior.marginals[MASS].log_density(float(m)) for m in m1_meV])
    shares: FloatArray = density * np.diff(ends)
    return shares / shares.sum()
