"""What other experiments say of parameters and of what follows from them.

Each constraint is a likelihood of somebody else's data, relative to its best value: minus half
a chi-squared that is 0 there. So evidences share one constant, whatever the hypothesis.
Formulae are written once for arrays, real or complex (a derivative is an imaginary step), and
for variables of a graph, whose numbers come from ``lift``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import ndtri

from renp_infer.inference.parameters import PARAMETERS, SEEN_PHASE
from renp_infer.inference.priors.marginals import FULL_TURN_DEG
from renp_infer.records import BoolArray, FloatArray

Lift = Callable[[Any], Any]
ONE_SIDED = "one-sided-normal"
"""The one shape of a limit: half a normal distribution, flat below its best value."""
CENTRES = 1000
"""Draws of a chain that are kept: the error of the density is that of its bandwidth."""
_SHARES = 32
"""Limits that an average over a range is made of."""
_TINY = np.float64(1e-12)
_LEAST = 1e-12
"""Share of a covariance that is added to what may be singular."""
TURNING = frozenset({*PARAMETERS.phases, SEEN_PHASE})
"""Quantities that live on the circle, in degrees."""
_SAME_DEG = 1e-9
"""Difference up to which two angles are one."""


def plain(value: Any) -> Any:
    """The same: what arrays need in the place of shared numbers."""
    return value


class PublishedTerm(Protocol):
    """One published result.

    Attributes
    ----------
    name : str
    quantities : tuple of str
        Parameters or derived quantities.
    """

    @property
    def name(self) -> str:
        """As results quote it."""

    @property
    def quantities(self) -> tuple[str, ...]:
        """What it is about."""

    @property
    def scales(self) -> FloatArray:
        """How far each quantity moves (k,) where its chi-squared changes: steps of a derivative."""

    def residuals(self, values: Sequence[Any], xp: Any = np, lift: Lift = plain) -> list[Any]:
        """Numbers whose squares add up to its chi-squared, at values of its quantities."""


@dataclass(frozen=True, eq=False)
class GaussianConstraint:
    """A measurement with a covariance.

    Attributes
    ----------
    name : str
    quantities : tuple of str
        k of them; phases are measured the short way round.
    values : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)
    """

    name: str
    quantities: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray

    @property
    def scales(self) -> FloatArray:
        """Standard errors (k,)."""
        return np.sqrt(np.diag(self.covariance))

    def residuals(self, values: Sequence[Any], xp: Any = np, lift: Lift = plain) -> list[Any]:
        """Pulls, made independent."""
        centre, matrix = lift(self.values), lift(self._whitening)
        off = departures(self.quantities, values, [centre[k] for k in range(len(values))], xp)
        return [sum(matrix[i, j] * off[j] for j in range(i + 1)) for i in range(len(off))]

    @functools.cached_property
    def _whitening(self) -> FloatArray:
        return np.asarray(np.linalg.inv(np.linalg.cholesky(self.covariance)))


@dataclass(frozen=True)
class LimitConstraint:
    """An upper limit as a likelihood: half a normal distribution above ``best``.

    Attributes
    ----------
    name, quantity : str
    upper, level : float
        With a flat prior from ``best`` on, so much of the posterior lies below ``upper``.
    best : float
        Where and below which it says nothing.
    least : float, optional
        Of a limit that depends on what is not known: its smallest value. The likelihood is
        averaged from there to ``upper``, evenly in the logarithm.
    """

    name: str
    quantity: str
    upper: float
    level: float
    best: float = 0.0
    least: float | None = None

    @property
    def quantities(self) -> tuple[str, ...]:
        """The one that it limits."""
        return (self.quantity,)

    @property
    def scales(self) -> FloatArray:
        """The narrowest standard deviation (1,)."""
        return np.array([float(np.min(self.sds))])

    @property
    def sds(self) -> FloatArray:
        """Standard deviations (s,) of the whole normal distributions, of equal shares."""
        uppers = np.array([self.upper])
        if self.least is not None:
            steps = (np.arange(_SHARES) + 0.5) / _SHARES
            uppers = self.least * (self.upper / self.least) ** steps
        return np.asarray((uppers - self.best) / ndtri(0.5 * (1.0 + self.level)))

    def residuals(self, values: Sequence[Any], xp: Any = np, lift: Lift = plain) -> list[Any]:
        """The pull above ``best``; of an average the root of its chi-squared."""
        (value,) = _arrays(values, xp)
        sds, off = self.sds, value - lift(np.float64(self.best))
        off = _choose(_real(off, xp) > 0.0, off, 0.0 * off, xp)
        if sds.size == 1:
            return [off / lift(sds[0])]
        heights = np.float64(-0.5) * (off[..., None] / lift(sds)) ** 2
        mean = xp.mean(xp.exp(heights - xp.max(_real(heights, xp), axis=-1)[..., None]), axis=-1)
        top = xp.max(_real(heights, xp), axis=-1)
        return [xp.sqrt(_positive(-2.0 * (top + xp.log(mean)), xp) + _TINY)]


@dataclass(frozen=True, eq=False)
class TableConstraint:
    """Chi-squared by one or two quantities, between its points by cubic splines.

    Beyond its ends it rises from the nearest edge by the squared distance over the last step.
    Phases are periodic: a table over a whole turn has no ends, one over less is as far away as
    the short way round is.

    Attributes
    ----------
    name : str
    quantities : tuple of str
        One or two.
    axes : tuple of ndarray
        Rising, at least four values of each.
    chi_squared : ndarray, shape (n,) or (n, m)
        The smallest value is subtracted.
    """

    name: str
    quantities: tuple[str, ...]
    axes: tuple[FloatArray, ...]
    chi_squared: FloatArray

    @property
    def scales(self) -> FloatArray:
        """The narrowest step of each axis (k,)."""
        return np.array([float(np.min(np.diff(axis))) for axis in self.axes])

    def residuals(self, values: Sequence[Any], xp: Any = np, lift: Lift = plain) -> list[Any]:
        """The root of chi-squared."""
        cells, powers, beyond = [], [], 0.0
        for name, axis, value in zip(self.quantities, self.axes, values, strict=True):
            middle = lift(np.float64(0.5 * (axis[0] + axis[-1])))
            inside, outside = _clipped(axis, _near(name, value, middle, xp), xp)
            inner = lift(axis[1:-1])
            cell = xp.sum(_real(inside, xp)[..., None] >= inner, axis=-1)
            cells.append(cell)
            powers.append(inside - lift(axis)[cell])
            beyond = beyond + outside**2
        local = lift(self._coefficients)[tuple(cells)]
        for k, power in enumerate(powers):
            local = _horner(local, power, len(powers) - k, xp)
        return [xp.sqrt(_positive(local + beyond, xp) + _TINY)]

    @functools.cached_property
    def _coefficients(self) -> FloatArray:
        heights = self.chi_squared - np.min(self.chi_squared)
        return _tensor_spline(self.quantities, self.axes, heights)


@dataclass(frozen=True, eq=False)
class ChainConstraint:
    """Weighted draws of a few quantities, as a smooth density.

    A sum of equal Gaussians at draws of the chain, of Scott's bandwidth. The centres are moved
    linearly so that mean and covariance of the sum are those of the chain; those of phases, which
    are periodic, are of the turn around their mean direction.

    Attributes
    ----------
    name : str
    quantities : tuple of str
        k of them.
    draws : ndarray, shape (n, k)
    weights : ndarray, shape (n,)
        Not negative, of any sum.
    """

    name: str
    quantities: tuple[str, ...]
    draws: FloatArray
    weights: FloatArray

    @property
    def scales(self) -> FloatArray:
        """Standard deviations (k,); the bandwidth is a share of them."""
        return 1.0 / np.diag(self._kernel[1])

    def residuals(self, values: Sequence[Any], xp: Any = np, lift: Lift = plain) -> list[Any]:
        """The root of twice the log of the highest density at a centre over that here."""
        centres, whitening, top = self._kernel
        middle, names = lift(self._middle), self.quantities
        near = [_near(name, values[k], middle[k], xp) for k, name in enumerate(names)]
        height = _mixture(near, lift(centres), lift(whitening), xp)
        return [xp.sqrt(_positive(2.0 * (lift(np.float64(top)) - height), xp) + _TINY)]

    @functools.cached_property
    def _unrolled(self) -> FloatArray:
        """Draws (n, k), phases on the turn around their mean direction."""
        near = around(self.draws, mean_direction(self.draws, self._share))
        return np.where(_turning(self.quantities), near, self.draws)

    @property
    def _share(self) -> FloatArray:
        return np.asarray(self.weights / np.sum(self.weights))

    @functools.cached_property
    def _middle(self) -> FloatArray:
        """Mean of the draws (k,)."""
        return np.asarray(self._share @ self._unrolled)

    @functools.cached_property
    def _kernel(self) -> tuple[FloatArray, FloatArray, float]:
        """Centres (c, k), whitening matrix (k, k) and the log density at the highest centre."""
        draws, share = self._unrolled, self._share
        covariance = np.atleast_2d(np.cov(draws.T, aweights=share, bias=True))
        size = min(CENTRES, draws.shape[0])
        width = min(size, 1.0 / np.sum(share**2)) ** (-1.0 / (draws.shape[1] + 4))
        order = np.argsort(draws[:, 0], kind="stable")  # so that few centres are spread evenly
        places = np.searchsorted(np.cumsum(share[order]), (np.arange(size) + 0.5) / size)
        chosen = draws[order][np.minimum(places, len(draws) - 1)]
        own = centres = _moved(chosen, self._middle, covariance, np.sqrt(1.0 - width**2))
        for k in np.flatnonzero(_turning(self.quantities)):
            turn = FULL_TURN_DEG * np.eye(draws.shape[1])[k]
            centres = np.concatenate([centres - turn, centres, centres + turn])
        whitening = np.linalg.inv(np.linalg.cholesky(covariance)) / width
        heights = _mixture(list(own.T), centres, whitening, np)
        return centres, whitening, float(np.max(heights))


def _moved(draws: FloatArray, mean: FloatArray, covariance: FloatArray, share: float) -> FloatArray:
    """Draws (c, k), moved linearly to a mean (k,) and a share of the widths of a covariance."""
    off = draws - np.mean(draws, axis=0)
    own = np.cov(off.T, bias=True) + _LEAST * covariance  # equal draws have none
    turned = np.linalg.solve(np.linalg.cholesky(np.atleast_2d(own)), off.T)
    return np.asarray(mean + share * (np.linalg.cholesky(covariance) @ turned).T)


def _turning(names: Sequence[str]) -> BoolArray:
    return np.array([name in TURNING for name in names])


def _mixture(values: Sequence[Any], centres: Any, whitening: Any, xp: Any) -> Any:
    """Log of the sum of unit Gaussians at centres (c, k), in whitened distance."""
    off = [value[..., None] - centres[:, k] for k, value in enumerate(_arrays(values, xp))]
    size = len(off)
    squares = sum(sum(whitening[i, j] * off[j] for j in range(i + 1)) ** 2 for i in range(size))
    top = xp.max(_real(-0.5 * squares, xp), axis=-1)
    return top + xp.log(xp.sum(xp.exp(-0.5 * squares - top[..., None]), axis=-1))


def _arrays(values: Sequence[Any], xp: Any) -> list[Any]:
    return [np.asarray(value) if xp is np else value for value in values]


def mean_direction(draws: FloatArray, share: FloatArray) -> FloatArray:
    """Mean direction of angles (n, k) in degrees, shape (k,), from -180 to 180."""
    return np.rad2deg(np.angle(share @ np.exp(1j * np.deg2rad(draws))))


def around(draws: FloatArray, middle: FloatArray) -> FloatArray:
    """Angles in degrees, on the turn around a middle."""
    half = 0.5 * FULL_TURN_DEG
    return np.asarray(middle + np.mod(draws - middle + half, FULL_TURN_DEG) - half)


def departures(
    names: tuple[str, ...], values: Sequence[Any], centres: Sequence[Any], xp: Any
) -> list[Any]:
    """Values less centres, of angles the short way round."""
    three = zip(names, values, centres, strict=True)
    return [_near(name, value, centre, xp) - centre for name, value, centre in three]


def _near(name: str, value: Any, centre: Any, xp: Any) -> Any:
    """The value; of a phase within half a turn of a centre."""
    if name not in TURNING:
        return value
    (value,) = _arrays([value], xp)
    return value - FULL_TURN_DEG * xp.round(_real(value - centre, xp) / FULL_TURN_DEG)


def _clipped(axis: FloatArray, value: Any, xp: Any) -> tuple[Any, Any]:
    """Value within the ends of an axis, and its distance from there in the last steps."""
    (value,) = _arrays([value], xp)
    low, high = axis[0], axis[-1]  # a Python float would enter a graph in single precision
    below = _choose(_real(value, xp) < low, (low - value) / (axis[1] - axis[0]), 0.0 * value, xp)
    above = _choose(_real(value, xp) > high, (value - high) / (axis[-1] - axis[-2]), below, xp)
    inside = _choose(_real(value, xp) < low, low + 0.0 * value, value, xp)
    return _choose(_real(value, xp) > high, high + 0.0 * value, inside, xp), above


def _tensor_spline(
    names: tuple[str, ...], axes: tuple[FloatArray, ...], heights: FloatArray
) -> FloatArray:
    """Coefficients by cell of each axis, then by power of each axis, the highest first."""
    from scipy.interpolate import CubicSpline  # here: only tables need it, and every start waits

    found = heights
    for place, (name, axis) in enumerate(zip(names, axes, strict=True)):
        closed = name in TURNING and is_whole_turn(axis)
        same = closed and np.array_equal(np.take(found, 0, place), np.take(found, -1, place))
        ends = "periodic" if same else "not-a-knot"
        spline = CubicSpline(axis, found, axis=place, bc_type=ends)
        # (4, cells, rest): the cells back in their place, the powers at the end
        found = np.moveaxis(np.moveaxis(spline.c, 1, place + 1), 0, -1)
    return np.ascontiguousarray(found)


def is_whole_turn(axis: FloatArray) -> bool:
    """Whether the ends of an axis in degrees are one angle."""
    return bool(abs(axis[-1] - axis[0] - FULL_TURN_DEG) < _SAME_DEG)


def _horner(coefficients: Any, power: Any, behind: int, xp: Any) -> Any:
    """Polynomial (..., 4, rest) of which the first axis of powers is summed.

    ``behind`` is the number of axes of powers that there are, this one included.
    """
    rest = behind - 1
    (power,) = _arrays([power], xp)
    total = 0.0
    for k in range(4):
        part = coefficients[(..., k, *([slice(None)] * rest))]
        factor = power[(..., *([None] * rest))] if rest else power
        total = total * factor + part
    return total


def _real(value: Any, xp: Any) -> Any:
    return np.real(value) if xp is np else value


def _choose(where: Any, first: Any, second: Any, xp: Any) -> Any:
    return np.where(where, first, second) if xp is np else xp.switch(where, first, second)


def _positive(value: Any, xp: Any) -> Any:
    return _choose(_real(value, xp) > 0.0, value, 0.0 * value, xp)


def chi_squared(
    terms: Sequence[PublishedTerm], values: Mapping[str, Any], xp: Any = np, lift: Lift = plain
) -> Any:
    """Sum of all chi-squared at values by name; arrays or graph variables."""
    parts = [term.residuals([values[n] for n in term.quantities], xp, lift) for term in terms]
    return sum(residual**2 for part in parts for residual in part)
