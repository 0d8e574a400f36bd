"""What is believed so far: a sum of Gaussians, updated by every measurement.

A state of nature is a hypothesis, a cell of m1 and one setting of the phases. Within
it the field is linear in nuisances z, and in the rest of m1: y = f + J z + noise, z
Gaussian. So each state is a Kalman filter, and their weights follow from how well each
predicted the data: the Gaussian sum of Alspach and Sorenson, IEEE Trans. Autom.
Control 17, 439 (1972). Exact where the field is linear within a state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.special import logsumexp, ndtr

from renp_infer.design.sequences.states import States
from renp_infer.finite import require_finite
from renp_infer.records import FloatArray

IntArray = NDArray[np.intp]
QUESTIONS = ("m1", "nature", "ordering")
_SHARPEST_MEV = 1e-9
"""Smallest spread of m1 within a state: a single mass has none."""
REST_SHARE = 0.5
"""Standard deviation of the rest of m1 by the width of its cell: equal neighbours then
add up to a density that is even to 2 exp(-2 pi^2 / 4) = 1.4 %."""


@dataclass(frozen=True)
class Atlas:
    """Fields of all states at all angles, linear in z; the first z is the rest of m1.

    Attributes
    ----------
    theta_s : ndarray, shape (a,)
        Trigger angles, rad.
    mean : ndarray, shape (k, a)
        Field of each state with z = 0.
    slopes : ndarray, shape (k, a, d)
        Its derivatives by z, per prior standard deviation.
    m1_meV, rest_meV : ndarray, shape (k,)
        Centre of each state's cell, and prior standard deviation of the rest of m1.
    log_prior : ndarray, shape (k,)
        Log probabilities before any data.
    labels : dict
        What may be asked: the place of each state among the answers, (k,), by name.
    """

    theta_s: FloatArray
    mean: FloatArray
    slopes: FloatArray
    m1_meV: FloatArray
    rest_meV: FloatArray
    log_prior: FloatArray
    labels: dict[str, IntArray]

    @classmethod
    def of(cls, states: States) -> Atlas:
        """Table of states whose masses are the centres of cells."""
        rest = REST_SHARE * _cells(states)
        return cls(
            states.theta_s,
            states.mean,
            np.concatenate([(states.by_mass * rest[:, None])[:, :, None], states.slopes], 2),
            states.m1_meV,
            rest,
            states.log_prior,
            {name: states.groups(name) for name in QUESTIONS},
        )

    def start(self) -> Beliefs:
        """What is believed before any data."""
        count, _, size = self.slopes.shape
        unit = np.broadcast_to(np.eye(size), (count, size, size))
        return Beliefs(self.log_prior, np.zeros((count, size)), unit, np.zeros(count))

    def with_expansions(self, mean: FloatArray, slopes: FloatArray) -> Atlas:
        """The same states with other expansions of their fields."""
        return replace(self, mean=mean, slopes=slopes)

    def learned(self, readings: Readings) -> Beliefs:
        """Beliefs from readings alone."""
        if not readings.angles.size:
            return self.start()
        field, slopes = self.mean[:, readings.angles], self.slopes[:, readings.angles]
        return self.start().updated(field, slopes, readings.data, readings.covariance)


@dataclass(frozen=True)
class Readings:
    """Measurements so far.

    Attributes
    ----------
    angles : ndarray, shape (n,)
        Places in an atlas; one may occur again.
    data : ndarray, shape (n,)
    covariance : ndarray, shape (n, n)
        Covariance.
    """

    angles: IntArray
    data: FloatArray
    covariance: FloatArray

    def and_then(self, more: Readings) -> Readings:
        """These and more, whose noise is independent of theirs."""
        if not self.angles.size:
            return more
        return Readings(
            np.concatenate([self.angles, more.angles]),
            np.concatenate([self.data, more.data]),
            block_diag(self.covariance, more.covariance),
        )


NONE_YET = Readings(np.zeros(0, np.intp), np.zeros(0), np.zeros((0, 0)))
"""No readings."""


def _cells(states: States) -> FloatArray:
    """Width of each state's cell of m1, (k,), meV; 0 for a single mass."""
    m1 = np.unique(states.m1_meV)
    if m1.size == 1:
        return np.zeros_like(states.m1_meV)
    return np.asarray(np.gradient(m1)[np.searchsorted(m1, states.m1_meV)])


@dataclass(frozen=True)
class Beliefs:
    """Probability of every state, and of z within it.

    Attributes
    ----------
    log_weights : ndarray, shape (k,)
        Normalised.
    means : ndarray, shape (k, d)
    covariances : ndarray, shape (k, d, d)
    misfit : ndarray, shape (k,)
        Chi-squared of all data so far as each state predicted them.
    log_evidence : float
        Of all data so far, normalised in the data.
    """

    log_weights: FloatArray
    means: FloatArray
    covariances: FloatArray
    misfit: FloatArray
    log_evidence: float = 0.0

    @property
    def weights(self) -> FloatArray:
        """Probabilities of the states, (k,)."""
        return np.exp(self.log_weights)

    def mass(self, atlas: Atlas) -> tuple[float, float]:
        """Mean and standard deviation of m1, meV."""
        weights = self.weights
        centres = atlas.m1_meV + atlas.rest_meV * self.means[:, 0]
        mean = float(weights @ centres)
        own = atlas.rest_meV**2 * self.covariances[:, 0, 0]
        variance = weights @ ((centres - mean) ** 2 + own)
        return mean, float(np.sqrt(variance))

    def mass_below(self, atlas: Atlas, m1_meV: FloatArray) -> FloatArray:
        """Probability that m1 is below masses (n,), shape (n,)."""
        centres = atlas.m1_meV + atlas.rest_meV * self.means[:, 0]
        spread = atlas.rest_meV * np.sqrt(self.covariances[:, 0, 0])
        away = np.asarray(m1_meV)[:, None] - centres
        return np.asarray(ndtr(away / np.maximum(spread, _SHARPEST_MEV)) @ self.weights)

    def probabilities(self, labels: IntArray) -> FloatArray:
        """Probability of every label, shape (labels,)."""
        return np.bincount(labels, self.weights)

    def updated(
        self, mean: FloatArray, slopes: FloatArray, data: FloatArray, covariance: FloatArray
    ) -> Beliefs:
        """Beliefs after n measurements together.

        Parameters
        ----------
        mean : ndarray, shape (k, n)
        slopes : ndarray, shape (k, n, d)
        data : ndarray, shape (n,)
            What was measured.
        covariance : ndarray, shape (n, n)
            Its covariance, independent of all data before.

        Raises
        ------
        NonFiniteError
            If a state's evidence is not finite.
        """
        through = slopes @ self.covariances
        spread = through @ slopes.transpose(0, 2, 1) + covariance
        factor = np.linalg.cholesky(spread)
        pull = data - mean - np.einsum("knd,kd->kn", slopes, self.means)
        white = np.linalg.solve(factor, np.concatenate([pull[:, :, None], through], axis=2))
        residual, gain = white[:, :, 0], white[:, :, 1:]
        log_likelihood = -0.5 * np.sum(residual**2 + np.log(2.0 * np.pi), axis=1)
        log_likelihood -= np.sum(np.log(np.diagonal(factor, axis1=1, axis2=2)), axis=1)
        require_finite("evidence of a state", log_likelihood, {"data": data[0]})
        joint = self.log_weights + log_likelihood
        evidence = float(logsumexp(joint))
        return Beliefs(
            joint - evidence,
            self.means + np.einsum("knd,kn->kd", gain, residual),
            self.covariances - gain.transpose(0, 2, 1) @ gain,
            self.misfit + np.sum(residual**2, axis=1),
            self.log_evidence + evidence,
        )


@dataclass(frozen=True)
class NextMeasurement:
    """What the next measurement at each angle would give, without its noise.

    Attributes
    ----------
    means, variances : ndarray, shape (k, a)
        Of the data.
    shared : ndarray, shape (k, a)
        What of the variance the rest of m1 explains: their squared covariance by the
        variance of that.
    """

    means: FloatArray
    variances: FloatArray
    shared: FloatArray


def predict(beliefs: Beliefs, atlas: Atlas) -> NextMeasurement:
    """Predictive means and variances at all angles of the atlas."""
    through = atlas.slopes @ beliefs.covariances
    return NextMeasurement(
        atlas.mean + np.einsum("kad,kd->ka", atlas.slopes, beliefs.means),
        np.maximum(np.sum(through * atlas.slopes, axis=2), 0.0),
        through[:, :, 0] ** 2 / beliefs.covariances[:, 0, 0, None],
    )
