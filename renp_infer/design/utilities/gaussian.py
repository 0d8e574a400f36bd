"""Gaussian likelihoods with linear nuisances integrated out.

In units of the noise, data y of a state have mean f + G c and covariance 1 + A A^T: A are
the slopes by standard normal nuisances, c the cosines of free phases. With K = (1 + A A^T)^-1
the log-likelihood is, up to a constant that all states share,

    -(1/2) r.K.r - (1/2) log det(1 + A A^T) + b.c - (1/2) c.H.c,   r = y - f,
    b = G^T K r,  H = G^T K G.

The true nuisances z displace the data by A z. All states are given the displacement that is
theirs, r = y0 + A z - f with y0 the data at z = 0: exact where A is that of the truth. With
the truth's A in all, m1 and a nuisance that imitates it would part as A changes with m1, where
in the full response they turn together; it doubles the precision of m1 at S/N = 1000.

To climb in m1, c is taken as Gaussian, of mean 0 and variance 1/2: a closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renp_infer.design.utilities._torus_kernel import (
    torus_integrals,
    weighted_torus_integrals,
)
from renp_infer.design.utilities.phase_table import PhaseTable
from renp_infer.design.utilities.prediction import Prediction
from renp_infer.measurement.noise import Noise
from renp_infer.records import FloatArray

_COSINE_PRECISION = 2.0
WORTH_MEV = 1e-12
"""Floor of the information on m1 per meV^2, where a width is asked for."""


@dataclass(frozen=True)
class StateLikelihoods:
    """Likelihoods of k states, m1 and the cosines still free.

    Attributes
    ----------
    m1_meV : ndarray, shape (k,)
    field, mass : ndarray, shape (k, n)
        f and its derivative by m1, in units of the noise.
    cosines : ndarray, shape (k, n, 3)
        G, in units of the noise.
    slopes, factor : ndarray, shape (k, n, d)
        A, and B with K = 1 - B B^T.
    log_det : ndarray, shape (k,)
        Of 1 + A A^T.
    """

    m1_meV: FloatArray
    field: FloatArray
    mass: FloatArray
    cosines: FloatArray
    slopes: FloatArray
    factor: FloatArray
    log_det: FloatArray

    def taken(self, places: np.ndarray) -> StateLikelihoods:
        """States at some places, which may repeat."""
        return StateLikelihoods(
            *(getattr(self, name)[places] for name in self.__dataclass_fields__)
        )

    def kept(self, columns: FloatArray) -> FloatArray:
        """K times columns (..., k, n): what nuisances cannot imitate."""
        part = np.einsum("...kn,knd->...kd", columns, self.factor)
        rest: FloatArray = columns - np.einsum("...kd,knd->...kn", part, self.factor)
        return rest


@dataclass(frozen=True)
class Mocks:
    """Data of T mock experiments.

    Attributes
    ----------
    field : ndarray, shape (T, n)
        Data with the true nuisances at their centres, in units of the noise.
    shifts : ndarray, shape (T, d)
        True nuisances, in standard deviations of their priors.
    """

    field: FloatArray
    shifts: FloatArray

    def at(self, places: np.ndarray) -> Mocks:
        """Experiments at some places, which may repeat."""
        return Mocks(self.field[places], self.shifts[places])

    def __len__(self) -> int:
        return len(self.field)


@dataclass(frozen=True)
class StateFit:
    """Log-likelihoods of data under states, shape (..., k) each.

    Attributes
    ----------
    plain : ndarray
        At c = 0.
    pull : ndarray, shape (..., k, 3)
        b.
    curvature : ndarray, shape (k, 3, 3)
        H.
    smooth : ndarray
        With c Gaussian.
    slope, bend : ndarray
        Derivative of ``smooth`` by m1 per meV, and its information (k,), per meV^2.
    """

    plain: FloatArray
    pull: FloatArray
    curvature: FloatArray
    smooth: FloatArray
    slope: FloatArray
    bend: FloatArray

    def of(self, data_set: int) -> StateFit:
        """Fits of one data set of (T, k)."""
        both = (self.plain, self.pull, self.smooth, self.slope)
        plain, pull, smooth, slope = (part[data_set] for part in both)
        return StateFit(plain, pull, self.curvature, smooth, slope, self.bend)

    def at(self, places: np.ndarray) -> StateFit:
        """States at some places."""
        return StateFit(*(getattr(self, name)[places] for name in self.__dataclass_fields__))

    def joined(self, other: StateFit) -> StateFit:
        """More states."""
        names = self.__dataclass_fields__
        return StateFit(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))

    def over_phases(
        self, far: float, m1_meV: FloatArray | None = None, known: PhaseTable | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Log-likelihood over the phases, and the information on them, (..., k), nat.

        Further than ``far`` below the best, along the last axis, c stays Gaussian. Phases
        are uniform unless they are ``known`` by the masses (k,) of one data set's states.
        """
        log, learnt = self.smooth.copy(), np.zeros_like(self.smooth)
        if not np.any(self.curvature):
            return self.plain, learnt
        near = self.smooth > self.smooth.max(axis=-1, keepdims=True) - far
        curvature = np.broadcast_to(self.curvature, (*self.smooth.shape, 3, 3))
        if known is None or m1_meV is None:
            over, gains = torus_integrals(self.pull[near], curvature[near])
        else:
            rows, parts = known.place(m1_meV[near])
            over, gains = weighted_torus_integrals(
                self.pull[near], curvature[near], known.log, rows, parts
            )
        log[near], learnt[near] = self.plain[near] + over, gains
        return log, learnt


def marginalise(prediction: Prediction, noise: Noise) -> StateLikelihoods:
    """Likelihoods of a prediction's states under some noise."""

    def white(part: FloatArray) -> FloatArray:
        moved = np.moveaxis(part, 1, 0)
        return np.moveaxis(noise.whiten(moved, noise.exposure_s), 0, 1)

    slopes = white(prediction.slopes)
    matrix = np.eye(slopes.shape[2]) + np.einsum("knd,kne->kde", slopes, slopes)
    lower = np.linalg.cholesky(matrix)
    factor = np.swapaxes(np.linalg.solve(lower, np.swapaxes(slopes, 1, 2)), 1, 2)
    diagonal = np.diagonal(lower, axis1=1, axis2=2)
    return StateLikelihoods(
        prediction.m1_meV,
        white(prediction.mean),
        white(prediction.by_mass),
        white(prediction.cosines),
        slopes,
        factor,
        2.0 * np.sum(np.log(diagonal), axis=1),
    )


def fit(marginal: StateLikelihoods, mocks: Mocks, *, every: bool = False) -> StateFit:
    """Log-likelihoods of k data sets, one for each state, or of ``every`` one under each."""
    if every:
        moved = np.einsum("knd,td->tkn", marginal.slopes, mocks.shifts)
        rest = mocks.field[:, None, :] - marginal.field + moved
    else:
        moved = np.einsum("knd,kd->kn", marginal.slopes, mocks.shifts)
        rest = mocks.field - marginal.field + moved
    seen = np.einsum("...kn,knd->...kd", rest, marginal.factor)
    square = np.einsum("...kn,...kn->...k", rest, rest)
    plain = -0.5 * (square - np.sum(seen**2, axis=-1) + marginal.log_det)
    by_cosine = np.moveaxis(marginal.cosines, 2, 0)
    kept = np.moveaxis(marginal.kept(by_cosine), 0, 2)
    mass = marginal.kept(marginal.mass)
    pull = np.einsum("...kn,knc->...kc", rest, kept)
    curvature = np.einsum("knc,kne->kce", marginal.cosines, kept)
    mixed = np.einsum("kn,knc->kc", marginal.mass, kept)
    whole = curvature + _COSINE_PRECISION * np.eye(3)
    solved = np.linalg.solve(whole, mixed[:, :, None])[:, :, 0]
    eased = np.einsum("kce,...ke->...kc", np.linalg.inv(whole), pull)
    scale = np.linalg.slogdet(whole / _COSINE_PRECISION)[1]
    return StateFit(
        plain,
        pull,
        curvature,
        plain + 0.5 * (np.einsum("...kc,...kc->...k", pull, eased) - scale),
        np.einsum("...kn,kn->...k", rest, mass) - np.einsum("...kc,kc->...k", pull, solved),
        np.maximum(
            np.einsum("kn,kn->k", marginal.mass, mass) - np.einsum("kc,kc->k", mixed, solved),
            WORTH_MEV,
        ),
    )
