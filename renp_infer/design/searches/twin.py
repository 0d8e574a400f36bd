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

from renp_infer.design.searches.optimizer import Gaussian
from renp_infer.records import FloatArray

POINTS, STARTS = 2000, 3
"""Of the acquisition's search: random points, and the best of them that are climbed from."""
_STEP = 1e-6


class Twin(Gaussian):
    """Gaussian-process search of scikit-learn: expected improvement, constant liar."""

    def fitted(
        self, points: Sequence[FloatArray], costs: FloatArray, seed: int
    ) -> tuple[Any, FloatArray]:
        """Model of costs, of which less is better, and the point it would try next."""
        space = self.region.space
        model = model_of(space.embedded(np.array(points)), costs, seed)
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


def model_of(points: FloatArray, costs: FloatArray, seed: int) -> Any:
    """Gaussian process of costs (n,) at embedded points (n, d); predicts without noise."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    size = points.shape[1]
    matern = Matern(np.full(size, 0.5), [(2e-2, 1e1)] * size, nu=2.5)
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * matern + WhiteKernel()
    model = GaussianProcessRegressor(
        kernel, normalize_y=True, n_restarts_optimizer=1, random_state=seed
    )
    with warnings.catch_warnings():  # a length at its bound is an answer here
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(points, costs)
    white = model.kernel_.k2
    white.noise_level = np.finfo(float).tiny  # of the measured scores, not of the design
    return model


def skopt_reason() -> str:
    """Why scikit-optimize cannot be used here; empty if it can."""
    try:
        import_module("skopt")
    except Exception as error:  # an old package on new ones fails in many ways
        return " ".join(f"{type(error).__name__}: {error}".split())
    return ""
