"""The search of scikit-optimize again, on the Gaussian process of scikit-learn alone.

The same model, the same expected improvement, the same cloud; only where the
acquisition's top is sought from, and with it the path, differs. Directions are points of a
circle to it: a search that has some is its own, since scikit-optimize knows intervals only.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from renp_infer.design.searches.optimizer import Gaussian, finite
from renp_infer.design.spaces.region import Region
from renp_infer.records import FloatArray

POINTS, STARTS = 2000, 3
"""Of the acquisition's search: random points, and the best of them that are climbed from."""
_STEP = 1e-6
_STAGES = tuple(int(64 * 1.25**k) for k in range(20))
"""Numbers of trials after which lengths are fitted again; at each trial before the first."""


class Twin(Gaussian):
    """Gaussian-process search of scikit-learn: expected improvement, constant liar."""

    def __init__(self, region: Region, seed: np.random.SeedSequence) -> None:
        super().__init__(region, seed)
        self._known: tuple[int, Any] = 0, None

    def fitted(
        self, points: Sequence[FloatArray], costs: FloatArray, seed: int
    ) -> tuple[Any, FloatArray]:
        """Model of costs, of which less is better, and the point it would try next."""
        space = self.region.space
        model = model_of(space.embedded(np.array(points)), costs, seed, self._kernel())
        rng = np.random.default_rng(seed)
        cube = rng.random((POINTS, len(points[0])))

        def loss(x: FloatArray) -> float:
            return -float(self.improvement(model, x[None], costs)[0])

        ranked = np.argsort(-self.improvement(model, cube, costs))
        bounds = [(None, None) if circle else (0.0, 1.0) for circle in space.circles]
        options = {"eps": _STEP}
        climbs = [
            minimize(loss, cube[k], method="L-BFGS-B", bounds=bounds, options=options)
            for k in ranked[:STARTS]
        ]
        return model, space.wrapped(min(climbs, key=lambda climb: climb.fun).x)

    def _kernel(self) -> Any:
        """Kernel of the trials up to the last stage of a long search; none of a short one.

        What the lengths are is known after some trials, and a fit takes n^3 operations many
        times. Weights of several scores change from trial to trial, and the lengths with them.
        """
        stage = max((k for k in _STAGES if k <= len(self._points)), default=0)
        if not stage or len(self._scores[0]) > 1:
            return None
        if self._known[0] != stage:
            points = self.region.space.embedded(np.array(self._points[:stage]))
            costs = -finite(self._scores[:stage])[:, 0]
            self._known = stage, _fit(points, costs, stage).kernel_
        return self._known[1]

    def improvement(self, model: Any, points: FloatArray, costs: FloatArray) -> FloatArray:
        """Expected improvement of points (n, d) on the least of some costs, shape (n,).

        Jones, Schonlau and Welch, J. Global Optim. 13, 455 (1998), Eq. (15).
        """
        with warnings.catch_warnings():  # rounding at a point that was tried: no variance
            warnings.simplefilter("ignore", UserWarning)
            mean, sd = model.predict(self.region.space.embedded(points), return_std=True)
        gain = float(np.min(costs)) - mean
        with np.errstate(divide="ignore", invalid="ignore"):
            z = gain / sd
            found = gain * norm.cdf(z) + sd * norm.pdf(z)
        return np.where(sd > 0.0, found, 0.0)


def model_of(points: FloatArray, costs: FloatArray, seed: int, known: Any = None) -> Any:
    """Gaussian process of costs (n,) at embedded points (n, d); predicts without noise.

    With a ``known`` kernel only its predictions are of these points.
    """
    model = _fit(points, costs, seed, known)
    white = model.kernel_.k2
    white.noise_level = np.finfo(float).tiny  # of the measured scores, not of the design
    return model


def _fit(points: FloatArray, costs: FloatArray, seed: int, known: Any = None) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    size = points.shape[1]
    matern = Matern(np.full(size, 0.5), [(2e-2, 1e1)] * size, nu=2.5)
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * matern + WhiteKernel()
    how = {"n_restarts_optimizer": 1} if known is None else {"optimizer": None}
    model = GaussianProcessRegressor(known or kernel, normalize_y=True, random_state=seed, **how)
    with warnings.catch_warnings():  # a length at its bound is an answer here
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(points, costs)


def skopt_reason() -> str:
    """Why scikit-optimize cannot be used here; empty if it can."""
    try:
        import_module("skopt")
    except Exception as error:  # an old package on new ones fails in many ways
        return " ".join(f"{type(error).__name__}: {error}".split())
    return ""
