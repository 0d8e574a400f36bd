"""Data as inference sees them: a vector with noise, whatever was measured.

Units end here. Inference and design calculate in those of the vector, entry by entry,
which its labels alone know; what they weigh is in units of the noise. So a second
observable stacks beside the first: entries, positions and labels are joined, the noise of
both is independent, and the response gives the expectations of both in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import block_diag, solve_triangular

from renp_infer.errors import DomainError
from renp_infer.finite import faults, require_finite
from renp_infer.records import FloatArray, Observation


@dataclass(frozen=True)
class Label:
    """What an entry is, by the names that it and its companions carry in results."""

    name: str
    unit: str = ""

    def of(self, quantity: str) -> str:
        """Name of a quantity in the unit of the data, as ``sigma_nG``."""
        return f"{quantity}_{self.unit}" if self.unit else quantity

    def __str__(self) -> str:
        return self.of(self.name)


FIELD = Label("field", "nG")
SEVERAL = Label("data")
"""Of data with more than one observable."""


DATA_SET = "data_set"
"""Coordinate that says to which of several data sets an entry belongs."""


@dataclass(frozen=True)
class Data:
    """A vector of data and its noise.

    Attributes
    ----------
    theta_s : ndarray, shape (n,)
        Trigger angle of each entry, rad.
    vector : ndarray, shape (n,)
        In the units of the labels.
    covariance : ndarray, shape (n, n)
        Of the vector, in the same units.
    labels : tuple of Label, n of them
    normalised : bool
        Whether the noise was scaled to a reference signal-to-noise.
    source : str
        File the data come from; empty for mock data, whose truth is known.
    sets : tuple of str, n of them
        Data set of each entry; empty where there is one.
    """

    theta_s: FloatArray
    vector: FloatArray
    covariance: FloatArray
    labels: tuple[Label, ...]
    normalised: bool = False
    source: str = ""
    sets: tuple[str, ...] = ()

    @classmethod
    def of(cls, seen: Observation) -> Data:
        """Field against trigger angle as data."""
        labels = (FIELD,) * seen.field_nG.size
        return cls(
            seen.theta_s, seen.field_nG, seen.covariance_nG2, labels, seen.normalised, seen.source
        )

    def part(self, rows: slice) -> Data:
        """Some entries of the data, with their own noise."""
        return replace(
            self,
            theta_s=self.theta_s[rows],
            vector=self.vector[rows],
            covariance=self.covariance[rows, rows],
            labels=self.labels[rows],
            sets=self.sets[rows],
        )

    @property
    def sigma(self) -> FloatArray:
        """Standard error of each entry, shape (n,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def label(self) -> Label:
        """What all entries are."""
        kinds = set(self.labels)
        return kinds.pop() if len(kinds) == 1 else SEVERAL


def stack(first: Data, second: Data) -> Data:
    """Data of two observables, or data sets, whose noise is independent."""
    return Data(
        np.concatenate([first.theta_s, second.theta_s]),
        np.concatenate([first.vector, second.vector]),
        block_diag(first.covariance, second.covariance),
        first.labels + second.labels,
        first.normalised or second.normalised,
        " and ".join(dict.fromkeys(filter(None, (first.source, second.source)))),
        first.sets + second.sets,
    )


@dataclass(frozen=True)
class Whitening:
    """Independent components of a vector with covariance C = L L^T.

    With D = diag(L), the matrix W = D L^-1 is unit lower triangular. W y has
    independent components of standard deviations D: component i is y_i minus what the
    entries before it predict. For uncorrelated noise W = 1.

    Attributes
    ----------
    cholesky : ndarray, shape (n, n)
        Lower factor L of the covariance.
    scale : ndarray, shape (n,)
        Standard deviations D of the components.
    decorrelation : ndarray, shape (n, n), or None
        W; ``None`` where it is 1.
    """

    cholesky: FloatArray
    scale: FloatArray
    decorrelation: FloatArray | None

    @classmethod
    def of(cls, data: Data, causes: Mapping[str, object]) -> Whitening:
        """Whitening of data; a refusal tells ``causes``.

        Raises
        ------
        DomainError
            If the covariance is not positive definite.
        NonFiniteError
            If it, or W, is not finite.
        """
        covariance = require_finite("covariance", data.covariance, causes, data.theta_s)
        cholesky = _cholesky(covariance)
        scale: FloatArray = np.diag(cholesky).copy()
        if not np.any(np.tril(cholesky, -1)):
            return cls(cholesky, scale, None)
        with faults("decorrelation", causes) as finite:
            inverse = solve_triangular(cholesky, np.eye(scale.size), lower=True)
            return cls(cholesky, scale, finite(scale[:, None] * inverse))

    def decorrelate(self, columns: FloatArray) -> FloatArray:
        """Independent components W y of vectors with shape (n, ...)."""
        return columns if self.decorrelation is None else self.decorrelation @ columns

    def correlate(self, column: FloatArray) -> FloatArray:
        """The transpose, W^T z, of a vector (n,)."""
        return column if self.decorrelation is None else column @ self.decorrelation

    def white(self, columns: FloatArray) -> FloatArray:
        """Vectors (n, ...) as independent components in units of their errors, no unit left."""
        scale = self.scale.reshape(-1, *[1] * (columns.ndim - 1))
        return np.asarray(self.decorrelate(columns) / scale)


def _cholesky(covariance: FloatArray) -> FloatArray:
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        factor = np.full_like(covariance, np.nan)
    if not np.all(np.isfinite(factor)):
        raise DomainError("covariance", covariance, "positive definite")
    return factor
