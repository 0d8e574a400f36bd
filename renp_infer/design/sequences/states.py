"""Candidate states of nature; ``design.sequences.beliefs`` is what data say of them.

A state is a hypothesis and a mass. Given the state, the field is linear in the
nuisances and in the cosines of free Majorana phases, so data of Gaussian noise leave
each state a weight and a Gaussian belief of its nuisances. Phases uniform on the
circle give each cosine mean 0 and variance 1/2, uncorrelated; here they are taken as
Gaussian with these moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from renp_infer.design.utilities.beside import predicted
from renp_infer.design.utilities.foreknown import KnownTruths, belief_of
from renp_infer.design.utilities.prediction import COSINE_SD, COSINES, Prediction, nuisances
from renp_infer.inference.hypothesis import HypothesisModel
from renp_infer.inference.joint import JointModel
from renp_infer.inference.priors.marginals import Marginal
from renp_infer.records import FloatArray

_LEAST = 1e-300
"""Probability that counts as none."""


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

    def moved(self, moves: StateMoves) -> States:
        """The same in other coordinates of nuisances and cosines, standard normal again."""
        return replace(
            self,
            mean=self.mean + np.einsum("snd,sd->sn", self.slopes, moves.means),
            slopes=self.slopes @ moves.factors,
        )

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


@dataclass(frozen=True, eq=False)
class StateMoves:
    """Nuisances and cosines of S states as constraints leave them: Gaussian.

    Attributes
    ----------
    means : ndarray, shape (S, d)
        In standard deviations of their priors.
    factors : ndarray, shape (S, d, d)
        Cholesky factors of the covariances.
    """

    means: FloatArray
    factors: FloatArray

    @classmethod
    def of(
        cls, models: Sequence[HypothesisModel | JointModel], known: KnownTruths, states: States
    ) -> StateMoves | None:
        """Of some hypotheses; ``None`` where there are no constraints on any of it."""
        beliefs = [belief_of(model) for model in models]
        if not any(beliefs) and not any(known.phases):
            return None
        size = len(states.names)
        means = np.zeros((states.m1_meV.size, size))
        factors = np.tile(np.eye(size), (states.m1_meV.size, 1, 1))
        for place, (belief, table) in enumerate(zip(beliefs, known.phases, strict=True)):
            own = np.flatnonzero(states.hypothesis == place)
            if belief is not None:
                count = belief.mean.size
                means[own, :count], factors[own, :count, :count] = belief.mean, belief.factor
            if table is not None and states.names[-3:] == COSINES:
                mean, factor = table.cosines(states.m1_meV[own])
                means[own, -3:], factors[own, -3:, -3:] = mean / COSINE_SD, factor / COSINE_SD
        return cls(means, factors)


def make_states(
    models: Sequence[HypothesisModel | JointModel], m1_meV: FloatArray, known: KnownTruths
) -> States:
    """States of some hypotheses at the angles of their responses.

    Parameters
    ----------
    models : sequence of HypothesisModel or JointModel
        With the same nuisances.
    m1_meV : ndarray, shape (k,)
        Ascending; a mass stands for what is nearer to it than to its neighbours.
    known : KnownTruths
        Probabilities of hypotheses and masses before the data.
    """
    parts = [predicted(model, m1_meV) for model in models]
    shares = np.array([_shares(mass, m1_meV) for mass in known.own])
    cosines = any(np.any(part.cosines) for part in parts)
    return States(
        tuple((m.parameters.ordering, m.parameters.nature) for m in models),
        np.repeat(np.arange(len(models)), m1_meV.size),
        np.tile(m1_meV, len(models)),
        np.log(np.maximum(known.odds[:, None] * shares, _LEAST)).ravel(),
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


def _shares(prior: Marginal, m1_meV: FloatArray) -> FloatArray:
    """Prior probability of the cell of each mass, (k,)."""
    if m1_meV.size == 1:
        return np.ones(1)
    middle = 0.5 * (m1_meV[1:] + m1_meV[:-1])
    ends = np.concatenate([m1_meV[:1], middle, m1_meV[-1:]])
    density = np.exp([prior.log_density(float(m)) for m in m1_meV])
    shares: FloatArray = density * np.diff(ends)
    return shares / shares.sum()
