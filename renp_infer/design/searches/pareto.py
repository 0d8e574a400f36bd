"""Pareto fronts of two or three objectives, their hypervolume and its error.

A design dominates another if it is at least as good in every objective and better in
one. The front is what nobody dominates; its hypervolume is the volume that it
dominates above a reference point (Zitzler and Thiele, IEEE Trans. Evol. Comput. 3,
257 (1999)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from renp_infer.errors import DomainError
from renp_infer.finite import require_finite
from renp_infer.records import FloatArray

BoolArray = NDArray[np.bool_]
OBJECTIVES = (2, 3)
"""Numbers of objectives for which a front is calculated."""
REFERENCE_MARGIN = 0.05
"""How far the reference point lies below the worst of the front, by its range."""


@dataclass(frozen=True)
class Front:
    """The designs that nobody dominates.

    Attributes
    ----------
    members : ndarray, shape (k,)
        Places of the front among all designs, by falling first objective.
    membership : ndarray, shape (n,)
        Probability of each design to be on the front, given the errors.
    reference : ndarray, shape (m,)
        Reference point of the hypervolume, in the objectives' units.
    hypervolume, error : float
        Product of the objectives' units; the error is propagated to first order.
    """

    members: NDArray[np.intp]
    membership: FloatArray
    reference: FloatArray
    hypervolume: float
    error: float


def front_of(
    values: FloatArray,
    errors: FloatArray,
    senses: tuple[int, ...],
    rng: np.random.Generator,
    *,
    reference: FloatArray | None = None,
    draws: int = 1000,
) -> Front:
    """Front of evaluated designs.

    Parameters
    ----------
    values, errors : ndarray, shape (n, m)
        Objectives and their standard errors; m is 2 or 3.
    senses : tuple of int
        +1 where more is better, -1 where less is.
    rng : numpy.random.Generator
        For the memberships.
    reference : ndarray, shape (m,), optional
        By default a little worse than the worst of the front in every objective.
    draws : int
        Draws of all objectives within their errors, taken as independent Gaussians.

    Raises
    ------
    DomainError
        Shapes that do not fit, or not 2 or 3 objectives.
    NonFiniteError
        A value or error that is not finite.
    """
    if values.ndim != 2 or values.shape[1] not in OBJECTIVES or not len(values):
        raise DomainError("shape of values", values.shape, "(n >= 1, 2 or 3)")
    if errors.shape != values.shape or len(senses) != values.shape[1]:
        raise DomainError("shape of errors", errors.shape, f"{values.shape}, one sense per column")
    require_finite("objectives", values, {})
    require_finite("errors of objectives", errors, {})
    signs = np.array(senses, dtype=float)
    points = values * signs
    places = np.flatnonzero(non_dominated(points))
    members = places[np.argsort(-points[places, 0], kind="stable")]
    base = _reference(points[members]) if reference is None else reference * signs
    slopes = hypervolume_gradient(points[members], base)
    return Front(
        members,
        _membership(points, errors, rng, draws),
        base * signs,
        hypervolume(points[members], base),
        float(np.sqrt(np.sum((slopes * errors[members]) ** 2))),
    )


def _reference(front: FloatArray) -> FloatArray:
    low, high = front.min(axis=0), front.max(axis=0)
    # a front of one point has no range: then its size, or 1, is the scale
    scale = np.where(high > low, high - low, np.where(low != 0.0, np.abs(low), 1.0))
    return np.asarray(low - REFERENCE_MARGIN * scale)


def non_dominated(points: FloatArray) -> BoolArray:
    """Which points (n, m) no other dominates, shape (n,); more is better in every column.

    Equal points do not dominate each other.
    """
    found = np.empty(len(points), dtype=bool)
    for k, point in enumerate(points):  # row by row: memory stays linear in n
        at_least = np.all(points >= point, axis=1)
        found[k] = not np.any(at_least & np.any(points > point, axis=1))
    return found


def hypervolume(points: FloatArray, reference: FloatArray) -> float:
    """Volume between a reference point (m,) and points (n, m), 1 to 3 columns, exactly.

    Slabs along the last objective: within one, the volume is the height times the
    hypervolume that all points above it have in the other objectives. Points that are
    not better than the reference in every objective add nothing.
    """
    above = points[np.all(points > reference, axis=1)]
    if not len(above):
        return 0.0
    if above.shape[1] == 1:
        return float(above.max() - reference[0])
    above = above[np.argsort(-above[:, -1], kind="stable")]
    heights = above[:, -1] - np.append(above[1:, -1], reference[-1])
    return sum(
        float(height) * hypervolume(above[: k + 1, :-1], reference[:-1])
        for k, height in enumerate(heights)
        if height > 0.0
    )


def hypervolume_gradient(points: FloatArray, reference: FloatArray) -> FloatArray:
    """Derivatives of the hypervolume by every coordinate, shape (n, m), m >= 2.

    The derivative by coordinate j of a point is the face across j that it alone
    exposes: what it adds to the hypervolume, in the other objectives, of the points
    that are no worse in j. Where points tie in j, the derivative towards better.
    """
    slopes = np.zeros_like(points)
    for k, j in np.ndindex(points.shape):
        if not np.all(points[k] > reference):
            continue
        others = np.delete(np.arange(points.shape[1]), j)
        rivals = np.flatnonzero((points[:, j] > points[k, j]) & (np.arange(len(points)) != k))
        faces = points[:, others]
        low = reference[others]
        slopes[k, j] = hypervolume(faces[[*rivals, k]], low) - hypervolume(faces[rivals], low)
    return slopes


def _membership(
    points: FloatArray, errors: FloatArray, rng: np.random.Generator, draws: int
) -> FloatArray:
    """Share of draws in which each point is on the front, shape (n,)."""
    if not np.any(errors):
        return non_dominated(points).astype(float)
    counts = np.zeros(len(points))
    for _ in range(draws):
        counts += non_dominated(points + errors * rng.standard_normal(points.shape))
    return counts / draws
