"""How much a good design may be missed, and where it would be bad.

A utility is a smooth function of design variables x (d,), each in its own unit; more is
better. What may be lost is in the utility's unit, 0.1 nat for an information. Losses
are of what is knowingly set otherwise: an offset that nobody knows is a nuisance of
the inference, and part of the utility itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from renp_infer.errors import DomainError
from renp_infer.finite import require_finite
from renp_infer.records import FloatArray

Function = Callable[[FloatArray], float]
FIRST_STEP = 1e-2
"""First step of a search, by the range of the variable."""
LEVELS = (-1.0, 0.0, 1.0)
_ROUNDS = 8


@dataclass(frozen=True)
class Tolerance:
    """How far one variable may move, all others held, before too much is lost.

    Attributes
    ----------
    below, above : float
        Distances in the variable's unit.
    below_ends, above_ends : bool
        Whether the bound of the variable ends it, not the loss.
    """

    below: float
    above: float
    below_ends: bool
    above_ends: bool


def tolerances(
    utility: Function, best: FloatArray, low: FloatArray, high: FloatArray, loss: float
) -> list[Tolerance]:
    """Tolerance of every variable, from the utility itself.

    Losses are taken at distances that double from a hundredth of the range, on each
    side up to its bound, and made monotone, see ``monotone``: a utility that is an
    average over drawn truths is rough below its own error. In between, losses are
    quadratic in the distance. A dip narrower than a hundredth is not seen.

    Parameters
    ----------
    utility : callable
    best, low, high : ndarray, shape (d,)
        Design and its bounds.
    loss : float
        In the unit of the utility, > 0.

    Raises
    ------
    DomainError
        A loss that is not positive.
    """
    if not loss > 0.0:
        raise DomainError("loss", loss, "> 0")
    top = utility(best)
    found = []
    for k in range(best.size):
        first = FIRST_STEP * float(high[k] - low[k])
        sides = []
        for sign, room in ((-1, best[k] - low[k]), (1, high[k] - best[k])):
            distances = _distances(first, float(room))
            moved = [best + sign * distance * np.eye(best.size)[k] for distance in distances]
            lost = np.array([top - utility(x) for x in moved])
            reach = allowed_error(distances, lost, loss)
            sides.append((min(reach, float(room)), not np.isfinite(reach)))
        (below, below_ends), (above, above_ends) = sides
        found.append(Tolerance(below, above, below_ends, above_ends))
    return found


def _distances(first: float, room: float) -> FloatArray:
    """Distances that double up to the room there is; none without any."""
    count = int(np.ceil(np.log2(max(room / first, 1.0)))) + 1 if room > 0.0 else 0
    return np.minimum(first * 2.0 ** np.arange(count), room)


def monotone(losses: FloatArray) -> FloatArray:
    """Losses (k,) at rising distances as the nearest that never fall, by least squares.

    Gains are losses of 0.
    """
    return np.maximum(isotonic_regression(losses).x, 0.0)


def loss_by_error(
    utility: Function, best: FloatArray, sds: FloatArray, draws: FloatArray
) -> FloatArray:
    """Mean loss when all variables are set with independent errors, shape (k,).

    Parameters
    ----------
    utility : callable
    best : ndarray, shape (d,)
    sds : ndarray, shape (k,)
        Standard deviations of the errors, in the variables' common unit.
    draws : ndarray, shape (n, d)
        Standard normal errors, the same for every deviation; each is taken with both
        signs, so that slopes cancel.
    """
    top = utility(best)
    both = np.concatenate([draws, -draws])
    lost = [np.mean([top - utility(best + sd * draw) for draw in both]) for sd in sds]
    return np.asarray(require_finite("losses", np.array(lost), {}))


def allowed_error(sizes: FloatArray, losses: FloatArray, loss: float) -> float:
    """Size of error or distance at which a loss is first reached, between those tried.

    Parameters
    ----------
    sizes, losses : ndarray, shape (k,)
        Ascending sizes > 0; losses are made monotone.
    loss : float

    Returns
    -------
    float
        inf if none reaches it. Losses go with the square in between.
    """
    fitted = np.concatenate([[0.0], monotone(losses)])
    reached = np.flatnonzero(fitted >= loss)
    if not reached.size:
        return np.inf
    k = int(reached[0])
    squares = np.concatenate([[0.0], sizes**2])[k - 1 : k + 1]
    share = (loss - fitted[k - 1]) / (fitted[k] - fitted[k - 1])
    return float(np.sqrt(squares[0] + share * (squares[1] - squares[0])))


@dataclass(frozen=True)
class WorstCase:
    """The lowest utility within a box around the nominal values of nuisances.

    Attributes
    ----------
    nominal, lowest : float
        Utility at the centre, and the lowest found.
    shifts : ndarray, shape (d,)
        Where, in standard deviations times `sigmas`: each -1, 0 or 1.
    singles : ndarray, shape (d, 2)
        Utility with one nuisance at its lower and upper end.
    """

    nominal: float
    lowest: float
    shifts: FloatArray
    singles: FloatArray


def worst_case(utility: Function, size: int) -> WorstCase:
    """Search the box [-1, 1]^d of nuisances on its ends and centres, one at a time.

    Each nuisance in turn goes to its worst level with the others held, until none
    moves: the lowest of the box where effects are monotone and do not change sign
    with another nuisance, else an upper bound of it.

    Parameters
    ----------
    utility : callable
        Of shifts (d,), each by the half width of its range.
    size : int
        Number of nuisances d.
    """
    known: dict[tuple[float, ...], float] = {}

    def at(shifts: FloatArray) -> float:
        key = tuple(shifts.tolist())
        if key not in known:
            known[key] = utility(shifts)
        return known[key]

    def moved(shifts: FloatArray, k: int, level: float) -> FloatArray:
        other = shifts.copy()
        other[k] = level
        return other

    centre = np.zeros(size)
    singles = np.array([[at(moved(centre, k, s)) for s in (-1.0, 1.0)] for k in range(size)])
    place = centre
    for _ in range(_ROUNDS):
        before = place
        for k in range(size):
            place = min((moved(place, k, level) for level in LEVELS), key=at)
        if np.array_equal(before, place):
            break
    return WorstCase(at(centre), at(place), place, singles.reshape(size, 2))


@dataclass(frozen=True)
class Spread:
    """A utility over a prior on the truth.

    Attributes
    ----------
    mean, worst, quantile : float
        The quantile is the utility that all but a share of the prior exceeds.
    worst_at : int
        Place of the worst truth.
    """

    mean: float
    worst: float
    worst_at: int
    quantile: float


def spread_over(values: FloatArray, weights: FloatArray, share: float = 0.1) -> Spread:
    """Summary of utilities (k,) of truths with prior weights (k,).

    Raises
    ------
    DomainError
        Weights that are negative or all zero.
    """
    total = float(np.sum(weights))
    if not total > 0.0 or np.any(weights < 0.0):
        raise DomainError("weights", weights, ">= 0, one of them > 0")
    possible = np.flatnonzero(weights > 0.0)
    worst_at = int(possible[np.argmin(values[possible])])
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order]) / total
    quantile = float(values[order][np.searchsorted(below, share)])
    return Spread(float(weights @ values / total), float(values[worst_at]), worst_at, quantile)


def robust_choice(table: FloatArray, weights: FloatArray, share: float = 0.1) -> dict[str, int]:
    """Designs that are best by mean, worst and quantile over the truths.

    Parameters
    ----------
    table : ndarray, shape (n, k)
        Utility of each design at each truth.
    weights : ndarray, shape (k,)
        Prior of the truths.
    """
    spreads = [spread_over(row, weights, share) for row in table]
    return {
        name: int(np.argmax([getattr(s, name) for s in spreads]))
        for name in ("mean", "worst", "quantile")
    }
