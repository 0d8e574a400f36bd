"""Phases of Majorana neutrinos that are not uniform: what constraints say of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from renp_infer.design.utilities.prediction import cosines_of
from renp_infer.records import FloatArray

GRID = 32
"""Points of a whole turn, the first at 0."""
_JITTER = 1e-9
_STEP = 2.0 * np.pi / GRID


def half_of_torus() -> tuple[FloatArray, FloatArray]:
    """Points (p, 2) of alpha21 and alpha31 - 2 delta, rad, and their weights (p,).

    The other half is the same with both angles reversed.
    """
    columns = GRID // 2 + 1
    first, second = np.meshgrid(np.arange(GRID), np.arange(columns), indexing="ij")
    points = np.asarray(_STEP * np.column_stack([first.ravel(), second.ravel()]), dtype=float)
    twice = np.where(np.isin(second.ravel(), (0, columns - 1)), 1.0, 2.0)
    return points, twice / GRID**2


def whole_torus(half: FloatArray) -> FloatArray:
    """Values (r, GRID, GRID) on all of the torus from those (r, p) on half of it."""
    own = half.reshape(len(half), GRID, -1)
    found = np.empty((len(half), GRID, GRID))
    found[:, :, : own.shape[2]] = own
    back = -np.arange(GRID) % GRID
    found[:, :, own.shape[2] :] = own[:, back][:, :, -2:0:-1]
    return found


@dataclass(frozen=True, eq=False)
class PhaseTable:
    """Density of the phases by m1.

    Attributes
    ----------
    m1_meV : ndarray, shape (r,)
        Ascending.
    log : ndarray, shape (r, GRID, GRID)
        Log of it, up to a constant of each mass, at alpha21 and alpha31 - 2 delta; the same with
        both reversed. Between its points by straight lines.
    """

    m1_meV: FloatArray
    log: FloatArray

    def place(self, m1_meV: FloatArray) -> tuple[np.ndarray, FloatArray]:
        """Row (k,) below masses (k,), and how far to the next one they are."""
        row = np.clip(np.searchsorted(self.m1_meV, m1_meV, "right") - 1, 0, self.m1_meV.size - 2)
        gap = np.maximum(self.m1_meV[row + 1] - self.m1_meV[row], np.finfo(float).tiny)
        return row, np.clip((m1_meV - self.m1_meV[row]) / gap, 0.0, 1.0)

    def shares(self, m1_meV: FloatArray) -> FloatArray:
        """Probabilities (k, GRID, GRID) of the points at masses (k,)."""
        row, part = self.place(m1_meV)
        logs = self.log[row] + part[:, None, None] * (self.log[row + 1] - self.log[row])
        return np.asarray(np.exp(logs - logsumexp(logs, axis=(1, 2), keepdims=True)))

    def drawn(self, m1_meV: FloatArray, points: FloatArray) -> FloatArray:
        """Phases (t, 2), rad, at masses (t,) and points (t, 2) of the unit square."""
        shares, found = self.shares(m1_meV), np.empty_like(points)
        for t, (share, (u, v)) in enumerate(zip(shares, points, strict=True)):
            cell, found[t, 0] = _inverse(share.sum(axis=1), u)
            _, found[t, 1] = _inverse(share[cell] / share[cell].sum(), v)
        return found

    def cosines(self, m1_meV: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means (k, 3) and Cholesky factors (k, 3, 3) of the covariance of the cosines."""
        angles = _STEP * np.arange(GRID)
        grid = np.stack(np.meshgrid(angles, angles, indexing="ij"), axis=-1)
        cosines = cosines_of(grid).reshape(-1, 3)
        shares = self.shares(m1_meV).reshape(m1_meV.size, -1)
        mean = shares @ cosines
        squares = np.einsum("kp,pi,pj->kij", shares, cosines, cosines)
        covariance = squares - np.einsum("ki,kj->kij", mean, mean)
        return mean, np.linalg.cholesky(covariance + _JITTER * np.eye(3))


def _inverse(shares: FloatArray, point: float) -> tuple[int, float]:
    """Grid point around which a share of probability is reached, and the angle, rad."""
    sums = np.concatenate([[0.0], np.cumsum(shares)])
    cell = int(np.clip(np.searchsorted(sums, point, side="right") - 1, 0, shares.size - 1))
    within = (point - sums[cell]) / max(shares[cell], np.finfo(float).tiny)
    return cell, _STEP * (cell + min(within, 1.0) - 0.5)
