"""Log-likelihood of m1 under one hypothesis, for many data sets at once.

A grid of masses common to all data sets finds where each likelihood is large; Newton
steps from there find its tops, and a ladder of masses in units of its width resolves each.
All steps of all data sets go together. Near a top all is linear, in m1 too: a change of m1
that nuisances undo leaves the field as it is, and a model bent in m1 alone would forbid it.
A top so narrow that the grid does not point to it is missed, unless it is the hint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from renp_infer.design.utilities.gaussian import Mocks, StateFit, StateLikelihoods, fit
from renp_infer.design.utilities.phase_table import PhaseTable
from renp_infer.records import FloatArray

_TOPS, _STEPS = 3, 6
_LOWER = 12.0
"""Tops that are climbed, steps to each, and how much lower than the best one is left out."""
_CLOSE = 3.0
"""Widths from which a parabola is trusted to point to a top."""
LADDER = np.array([-5.0, -3.5, -2.0, -1.0, 0.0, 1.0, 2.0, 3.5, 5.0])
SHORT_LADDER = (-2.0, 0.0, 2.0)
"""Masses around the top, in standard errors; and where the hypothesis has lost anyway."""
FAR = 30.0
"""Masses whose log-likelihood is further below the best carry nothing."""
_SAME, _FINEST = 1e-9, 1e-6
"""Masses closer than the first share of the range are one; none is put into an interval
shorter than the second."""
_NEAR, _STEEP, _BENT, _ROUNDS = 6.0, 4.5, 0.3, 12
"""An interval is halved if its higher end is less than the first below the best, and its
ends differ by more than the second, in log-likelihood, or by more than this share of
1 + difference from what their slopes say; a parabola passes. So often at most."""

_REACH, _APART = 8.0, 5.0
"""Widths of a top within which all is linear, and within which there is no other."""

Model = Callable[[FloatArray, FloatArray], StateLikelihoods]
"""Masses (k,), and masses (k,) around which all is linear, to likelihoods."""


@dataclass(frozen=True)
class MassCurve:
    """Log-likelihood and information on the phases at ascending masses, shape (k,)."""

    m1_meV: FloatArray
    log: FloatArray
    learnt: FloatArray

    def at(self, m1_meV: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both at other masses: by piecewise cubics, exact for a Gaussian, and linearly."""
        log = hermite(self.m1_meV, self.log, m1_meV)
        return log, np.interp(m1_meV, self.m1_meV, self.learnt)


def hermite(x: FloatArray, y: FloatArray, at: FloatArray) -> FloatArray:
    """Piecewise cubic through (x, y) with the slopes of parabolas through three points.

    Beside steps that are not resolved, slopes are those of a monotone curve (Fritsch and
    Carlson, SIAM J. Numer. Anal. 17, 238 (1980)), and it exceeds its nodes beside the
    highest only: a cubic over a gap where y falls by hundreds would swing.
    """
    gap, rise = np.diff(x), np.diff(y) / np.diff(x)
    inner = (gap[1:] * rise[:-1] + gap[:-1] * rise[1:]) / (gap[1:] + gap[:-1])
    steep = np.maximum(np.abs(np.diff(y))[1:], np.abs(np.diff(y))[:-1]) > _STEEP
    limit = 3.0 * np.minimum(np.abs(rise[1:]), np.abs(rise[:-1]))
    inner = np.where(steep, np.clip(inner, -limit, limit), inner)
    slope = np.concatenate([[2.0 * rise[0] - inner[0]], inner, [2.0 * rise[-1] - inner[-1]]])
    k = np.clip(np.searchsorted(x, at) - 1, 0, gap.size - 1)
    h, t = gap[k], (at - x[k]) / gap[k]
    left = y[k] + h * t * slope[k]
    bend = y[k + 1] - y[k] - h * slope[k]
    twist = h * (slope[k + 1] - slope[k]) - 2.0 * bend
    value: FloatArray = left + t * t * (bend + (t - 1.0) * twist)
    top = np.argmax(y)
    beside = (k == top) | (k == top - 1)
    return np.where(beside, value, np.minimum(value, np.maximum(y[k], y[k + 1])))


@dataclass(frozen=True)
class Tops:
    """Where the likelihood of each data set is large, and the common grid.

    Attributes
    ----------
    grid : StateLikelihoods
    common : StateFit
        Of all data on the grid, (T, k).
    anchor_meV : ndarray, shape (S, T)
        Masses around which S tops are expanded.
    centre_meV, width_meV : ndarray, shape (S, T)
        Masses of the tops, which may coincide, and their standard errors.
    log : ndarray, shape (S, T)
        Log-likelihoods there, with Gaussian cosines.
    worth : ndarray of bool, shape (S, T)
        Tops that are high enough, narrow for the grid, and apart from those before.
    """

    grid: StateLikelihoods
    common: StateFit
    anchor_meV: FloatArray
    centre_meV: FloatArray
    width_meV: FloatArray
    log: FloatArray
    worth: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        masses, centre, width = self.grid.m1_meV, self.centre_meV, self.width_meV
        narrow = width < 2.0 * np.interp(centre, masses, np.gradient(masses))
        worth = narrow & (self.log > self.log.max(axis=0) - _LOWER)
        for s in range(1, len(centre)):
            apart = np.abs(centre[s] - centre[:s]) > _APART * np.maximum(width[s], width[:s])
            worth[s] &= np.all(apart | ~worth[:s], axis=0)
        object.__setattr__(self, "worth", worth)

    def anchors(self, t: int, m1_meV: FloatArray, reach: float = _REACH) -> FloatArray:
        """Anchor of the top that each mass (k,) of data set t is near to, or the mass itself."""
        kept = self.worth[:, t]
        if not np.any(kept):
            return m1_meV
        centre, width = self.centre_meV[kept, t][:, None], self.width_meV[kept, t][:, None]
        distance = np.abs(m1_meV - centre) / width
        near = np.argmin(distance, axis=0)
        return np.where(distance.min(axis=0) < reach, self.anchor_meV[kept, t][near], m1_meV)

    def rungs(self, lost: np.ndarray) -> tuple[FloatArray, np.ndarray]:
        """Masses (S, T, 9) that resolve the tops, and which of them are needed."""
        masses, centre, width = self.grid.m1_meV, self.centre_meV, self.width_meV
        rungs = centre[:, :, None] + width[:, :, None] * LADDER
        used = (rungs > masses[0]) & (rungs < masses[-1]) & self.worth[:, :, None]
        return rungs, used & (~lost[:, None] | np.isin(LADDER, SHORT_LADDER))


def find_tops(model: Model, grid: StateLikelihoods, mocks: Mocks, hints_meV: FloatArray) -> Tops:
    """Climb the likelihood of each data set, from a hint and the best places of the grid.

    Parameters
    ----------
    model : callable
        Of one hypothesis.
    grid : StateLikelihoods
        Of the common masses, ascending from the least to the largest.
    mocks : Mocks
        T data sets.
    hints_meV : ndarray, shape (T,)
        Another mass at which each search begins.
    """
    common = fit(grid, mocks, every=True)
    starts = np.concatenate([hints_meV[None], _promising(grid.m1_meV, common)])
    found = _climb(
        model, grid.m1_meV, mocks.at(np.tile(np.arange(len(mocks)), len(starts))), starts.ravel()
    )
    return Tops(grid, common, *(part.reshape(starts.shape) for part in found))


def _promising(masses: FloatArray, common: StateFit) -> FloatArray:
    """Masses (S - 1, T) to which parabolas at the grid lead, highest first."""
    reach, row = np.gradient(masses), np.arange(len(common.smooth))
    step = np.clip(common.slope / common.bend, -reach, reach)
    promise = common.smooth + step * (common.slope - 0.5 * common.bend * step)
    padded = np.pad(promise, ((0, 0), (1, 1)), constant_values=-np.inf)
    peaks = (promise >= padded[:, :-2]) & (promise >= padded[:, 2:])
    order = np.argsort(np.where(peaks, promise, -np.inf), axis=1)[:, ::-1]
    return np.array([masses[order[:, s]] + step[row, order[:, s]] for s in range(_TOPS - 1)])


def _climb(
    model: Model, masses: FloatArray, mocks: Mocks, starts: FloatArray
) -> tuple[FloatArray, ...]:
    """Anchors, tops, their widths and log-likelihoods, (k,), from starts for k data sets."""
    centre, log = starts.copy(), np.full(len(mocks), -np.inf)
    move, width = np.zeros(len(mocks)), np.zeros(len(mocks))
    for _ in range(_STEPS):
        active = np.abs(move) >= _CLOSE * width
        if not np.any(active):
            break
        place = np.clip((centre + move)[active], masses[0], masses[-1])
        found = fit(model(place, place), mocks.at(active))
        better = found.smooth > log[active]
        gained = np.nonzero(active)[0][better]
        move[active] *= 0.25
        centre[gained], log[gained] = place[better], found.smooth[better]
        width[gained] = found.bend[better] ** -0.5
        reach = np.interp(centre[gained], masses, np.gradient(masses))
        move[gained] = np.clip((found.slope / found.bend)[better], -reach, reach)
    gain = 0.5 * (move / width) ** 2
    return centre, np.clip(centre + move, masses[0], masses[-1]), width, log + gain


def curves_around(
    model: Model,
    tops: Tops,
    mocks: Mocks,
    lost: np.ndarray,
    phases: PhaseTable | None = None,
) -> list[MassCurve]:
    """Log-likelihood of m1 of each of T data sets.

    Where ``lost`` (T,) only the evidence is wanted, to 1 nat: cosines stay Gaussian. Phases are
    uniform unless a table is given.
    """
    rungs, used = tops.rungs(lost)
    nodes = [_Nodes.of_grid(tops, t) for t in range(len(mocks))]
    asked = [rungs[:, t][used[:, t]] for t in range(len(mocks))]
    for _ in range(_ROUNDS):
        owner = np.repeat(np.arange(len(mocks)), [part.size for part in asked])
        if owner.size:
            anchors = [tops.anchors(t, part) for t, part in enumerate(asked)]
            found = fit(model(np.concatenate(asked), np.concatenate(anchors)), mocks.at(owner))
            nodes = [
                old.joined(new, found.at(owner == t)) if new.size else old
                for t, (old, new) in enumerate(zip(nodes, asked, strict=True))
            ]
        asked = [rungs[0, 0, :0] if lost[t] else nodes[t].gaps() for t in range(len(mocks))]
        if not any(part.size for part in asked):
            break
    return [node.curve(0.0 if lost[t] else FAR, phases) for t, node in enumerate(nodes)]


@dataclass(frozen=True)
class _Nodes:
    """Masses (k,), ascending, and their fit for one data set."""

    m1_meV: FloatArray
    fit: StateFit

    @classmethod
    def of_grid(cls, tops: Tops, t: int) -> _Nodes:
        """The grid's, but for those that a ladder replaces."""
        masses = tops.grid.m1_meV
        alone = tops.anchors(t, masses, LADDER[-1]) == masses  # no anchor within a ladder
        alone[[0, -1]] = True
        return cls(masses[alone], tops.common.of(t).at(alone))

    def joined(self, m1_meV: FloatArray, other: StateFit) -> _Nodes:
        """With more masses; distinct ones only."""
        masses = np.concatenate([self.m1_meV, m1_meV])
        order = np.argsort(masses, kind="stable")
        keep = np.append(True, np.diff(masses[order]) > _SAME * np.ptp(self.m1_meV))
        return _Nodes(masses[order[keep]], self.fit.joined(other).at(order[keep]))

    def gaps(self) -> FloatArray:
        """Middles of the intervals in which much of the posterior may lie unresolved."""
        low, high = self.fit.smooth[:-1], self.fit.smooth[1:]
        deep = np.maximum(low, high) > self.fit.smooth.max() - _NEAR
        gap, fall = np.diff(self.m1_meV), np.abs(high - low)
        wide = gap > _FINEST * np.ptp(self.m1_meV)
        slope = self.fit.slope
        bent = np.abs(high - low - 0.5 * gap * (slope[1:] + slope[:-1])) > _BENT * (1.0 + fall)
        wanted = deep & wide & ((fall > _STEEP) | bent)
        middle: FloatArray = 0.5 * (self.m1_meV[1:] + self.m1_meV[:-1])[wanted]
        return middle

    def curve(self, far: float, phases: PhaseTable | None) -> MassCurve:
        """With the phases integrated where the likelihood is less than ``far`` below its top."""
        return MassCurve(self.m1_meV, *self.fit.over_phases(far, self.m1_meV, phases))
