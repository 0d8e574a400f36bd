"""Optimizers behind one protocol: ask for points, tell their scores.

What is asked next depends on the seed and on what was told, and on nothing else: a
search that is begun again and told its old trials goes on as if it had not stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from renp_infer.design.spaces.region import Region
from renp_infer.records import FloatArray

SAME = 1e-6
"""Points of the unit cube that are closer than this in every dimension are the same."""
CANDIDATES, BEST_SHOWN = 512, 3
_SPREADS = (0.2, 0.05, 0.01)
_RESTARTS = 1
EXPLORED = 3
"""Points per dimension, of a Sobol sequence, before a model is made."""


class Optimizer(Protocol):
    """Where to look next; points are in the unit cube, of larger scores more is better."""

    def ask(self, count: int) -> list[FloatArray]:
        """The next allowed points, each of shape (d,)."""

    def tell(self, points: Sequence[FloatArray], scores: Sequence[Sequence[float]]) -> None:
        """Learn the scores of points, one tuple for each; -inf for a failure."""


class PointSequence:
    """Points of a sequence, whatever their scores: Sobol or random.

    Parameters
    ----------
    points : iterator of ndarray
        Allowed points.
    """

    def __init__(self, points: Iterator[FloatArray]) -> None:
        self._points, self._drawn = points, list[FloatArray]()
        self._told = 0

    def ask(self, count: int) -> list[FloatArray]:
        """The points that follow the ones told."""
        while len(self._drawn) < self._told + count:
            self._drawn.append(next(self._points))
        return self._drawn[self._told : self._told + count]

    def tell(self, points: Sequence[FloatArray], _scores: Sequence[Sequence[float]]) -> None:
        """Count the points."""
        self._told += len(points)


class Modelled:
    """A search that explores a Sobol sequence, then follows a model of the scores.

    Parameters
    ----------
    region : Region
    seed : SeedSequence
    """

    def __init__(self, region: Region, seed: np.random.SeedSequence) -> None:
        explore, self._seed = seed.spawn(2)
        self.region = region
        self._first = PointSequence(region.sobol(explore))
        self._points: list[FloatArray] = []
        self._scores: list[tuple[float, ...]] = []

    def ask(self, count: int) -> list[FloatArray]:
        """The next points: of the sequence at first, then what the model proposes."""
        if len(self._points) < EXPLORED * self.region.space.size:
            return self._first.ask(count)
        return self._proposed(count, self._seed.generate_state(4).tolist() + [len(self._points)])

    def tell(self, points: Sequence[FloatArray], scores: Sequence[Sequence[float]]) -> None:
        """Remember; the model is made when it is asked."""
        self._first.tell(points, scores)
        self._points += [np.asarray(x) for x in points]
        self._scores += [tuple(s) for s in scores]

    def _proposed(self, count: int, seed: list[int]) -> list[FloatArray]:
        raise NotImplementedError


class Gaussian(Modelled):
    """Gaussian-process search of scikit-optimize: expected improvement, constant liar.

    The model estimates the noise of the scores. Its proposal is taken where it is
    allowed and new; else the best of a cloud of allowed points, wide and around the
    best trials. Several scores are joined by weights that change from trial to trial
    (ParEGO: Knowles, IEEE Trans. Evol. Comput. 10, 50 (2006)).
    """

    def _proposed(self, count: int, seed: list[int]) -> list[FloatArray]:
        rng = np.random.default_rng(seed)
        points, values = list(self._points), joined(self._scores, rng)
        asked: list[FloatArray] = []
        for _ in range(count):
            asked.append(self._propose(points, values, rng))
            points, values = [*points, asked[-1]], np.append(values, np.max(values))
        return asked

    def _propose(
        self, points: list[FloatArray], values: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        model, proposal = self.fitted(points, -values, int(rng.integers(2**31 - 1)))
        region, space = self.region, self.region.space
        cloud = space.wrapped(_cloud(space.size, points, values, rng))
        ranked = cloud[np.argsort(-self.improvement(model, cloud, -values))]
        for x in map(space.snapped, [proposal, *ranked]):
            if is_new(x, points) and region.admits(x):
                return x
        return next(region.uniform(np.random.SeedSequence(int(rng.integers(2**31 - 1)))))

    def fitted(
        self, points: Sequence[FloatArray], costs: FloatArray, seed: int
    ) -> tuple[Any, FloatArray]:
        """Model of costs, of which less is better, and the point it would try next."""
        return fitted(points, costs, seed)

    def improvement(self, model: Any, points: FloatArray, costs: FloatArray) -> FloatArray:
        """Expected improvement of points (n, d) on the least of some costs, shape (n,)."""
        return improvement(model, points, costs)


def fitted(points: Sequence[FloatArray], costs: FloatArray, seed: int) -> tuple[Any, FloatArray]:
    """Model of costs, of which less is better, and the point it would try next."""
    from skopt import Optimizer as Skopt
    from skopt.learning import GaussianProcessRegressor
    from skopt.learning.gaussian_process.kernels import ConstantKernel, Matern

    size = len(points[0])
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(
        np.full(size, 0.5), [(2e-2, 1e1)] * size, nu=2.5
    )
    model = GaussianProcessRegressor(
        kernel, noise="gaussian", normalize_y=True, n_restarts_optimizer=_RESTARTS,
        random_state=seed,
    )  # fmt: skip
    optimizer = Skopt(
        [(0.0, 1.0)] * size, model, n_initial_points=len(points), acq_func="EI",
        acq_optimizer="lbfgs", random_state=seed, avoid_duplicates=False,
        acq_optimizer_kwargs={"n_points": 2000, "n_restarts_optimizer": 3},
    )  # fmt: skip
    optimizer.tell([list(map(float, x)) for x in points], list(map(float, costs)))
    # ask() would warn of a point that has been tried; whether it has is asked elsewhere
    return optimizer.models[-1], np.array(optimizer._next_x)


def improvement(model: Any, points: FloatArray, costs: FloatArray) -> FloatArray:
    """Expected improvement of points (n, d) on the least of some costs, shape (n,)."""
    from skopt.acquisition import gaussian_ei

    found: FloatArray = gaussian_ei(points, model, y_opt=float(np.min(costs)))
    return found


def _cloud(
    size: int, points: Sequence[FloatArray], values: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Points everywhere, and ever closer to the best ones, shape (n, d)."""
    best = np.array(points)[np.argsort(-values)[:BEST_SHOWN]]
    near = [
        best[rng.integers(len(best), size=CANDIDATES // 4)]
        + spread * rng.standard_normal((CANDIDATES // 4, size))
        for spread in _SPREADS
    ]
    return np.concatenate([rng.random((CANDIDATES, size)), *near])


def joined(scores: Sequence[Sequence[float]], rng: np.random.Generator) -> FloatArray:
    """One finite value per trial, shape (n,).

    Several scores are scaled to their ranges and joined by the augmented Tchebycheff
    norm with random weights.
    """
    table = finite(scores)
    if table.shape[1] == 1:
        return table[:, 0]
    span = np.ptp(table, axis=0)
    scaled = (table - table.max(axis=0)) / np.where(span > 0.0, span, 1.0)
    weights = rng.dirichlet(np.ones(table.shape[1]))
    return np.min(weights * scaled, axis=1) + 0.05 * scaled @ weights


def finite(scores: Sequence[Sequence[float]]) -> FloatArray:
    """Scores (n, m) with failures as bad as the worst that did not fail."""
    table = np.array(scores, dtype=float)
    for column in table.T:
        good = np.isfinite(column)
        column[~good] = np.min(column[good]) if np.any(good) else 0.0
    return table


def is_new(x: FloatArray, points: Sequence[FloatArray]) -> bool:
    """Whether a point is none of those known."""
    return all(np.max(np.abs(x - y)) > SAME for y in points)
