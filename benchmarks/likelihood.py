"""Time and accuracy of one log-likelihood with its gradient.

``python benchmarks/likelihood.py [--quick]`` prints one table and writes
``results/likelihood.json``. All nuisances of the edge layout are free. Errors are
against adaptive Richardson extrapolation (``scipy.differentiate``), by the largest
component. JAX, where it is installed, is for the full phase space (``jax_peer.py``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np
from posteriors import PRESETS, compiled, likelihood, publish, spent
from run import Row
from scipy.differentiate import derivative

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.responses.response import Response
from renp_infer.inference.samplers.model import LINEAR
from renp_infer.inference.samplers.nuts import CompiledModel
from renp_infer.inference.samplers.start import overdispersed
from renp_infer.records import FloatArray

TARGET_US = {"full": 200.0, "planar": 1000.0}
STEP = float(np.cbrt(np.finfo(float).eps))
"""Of central differences: balances truncation and rounding where all scales are 1."""
FIRST = 1e-3
"""First step of the extrapolation: well inside the distance of pair thresholds."""
POINTS = 5

Density = Callable[[FloatArray], float]
WithGradient = Callable[[FloatArray], tuple[float, FloatArray]]


def central(density: Density) -> WithGradient:
    """Value and gradient by two calls for each coordinate."""

    def evaluate(point: FloatArray) -> tuple[float, FloatArray]:
        steps = STEP * np.eye(point.size)
        slopes = [(density(point + s) - density(point - s)) / (2.0 * STEP) for s in steps]
        return density(point), np.array(slopes)

    return evaluate


def converged(density: Density, point: FloatArray, scale: FloatArray) -> FloatArray:
    """Gradient by extrapolation."""

    def along(k: int) -> float:
        def line(t: FloatArray) -> FloatArray:
            moved = point + np.multiply.outer(t, np.eye(point.size)[k])
            return np.apply_along_axis(density, -1, moved)

        found = derivative(line, 0.0, initial_step=FIRST * scale[k], order=8)
        return float(found.df)

    return np.array([along(k) for k in range(point.size)])


def exact(target: Likelihood) -> WithGradient:
    """NumPy's likelihood with the Jacobian of the response."""
    return lambda vector: (target.log_likelihood(vector), target.gradient(vector))


def compiled_points(model: CompiledModel, target: Likelihood, unit: FloatArray) -> FloatArray:
    """The same points in the coordinates that NUTS moves in."""
    slices = target.prior.unit_slices()
    linear = [slices[name].start for name in LINEAR if name in slices]
    assert model.size == unit.shape[1]
    return np.hstack([np.delete(unit, linear, 1), np.zeros((len(unit), len(linear)))])


def measure(method: WithGradient, density: Density, points: FloatArray, scale: FloatArray,
            batches: int) -> Row:  # fmt: skip
    """Median time of a call in microseconds, and the largest error of a component."""
    batch = max(1, int(0.05 / max(spent(lambda: method(points[0]))[1], 1e-5)))
    times = [
        spent(lambda: [method(points[k % len(points)]) for k in range(batch)])[1] / batch
        for _ in range(batches)
    ]
    worst = 0.0
    for point in points:
        truth = scale * converged(density, point, scale)
        worst = max(worst, np.max(np.abs(scale * method(point)[1] - truth)) / np.max(np.abs(truth)))
    return {"us": 1e6 * float(np.median(times)), "error": float(worst)}


def in_jax(target: Likelihood, points: FloatArray, scale: FloatArray, batches: int) -> list[Row]:
    """JAX, where it is installed; errors are against the large-crystal limit, which it computes.

    In standard deviations of the noise: ``field off by``, what its quadrature does to the field,
    and ``finite crystal``, what the limit does.
    """
    if find_spec("jax") is None:
        print("JAX left out: pip install renp-infer[bench]", file=sys.stderr)
        return []
    import jax_peer

    whole = target.response
    assert isinstance(whole, Response)
    limit = Response(whole.experiment, whole.truth, whole.chi_squared, whole.m1_max_eV,
                     finite_crystal=False)  # fmt: skip
    truth = Likelihood(target.prior, limit, target.data)

    def apart(field: Callable[[FloatArray], FloatArray]) -> float:
        return max(
            float(np.max(np.abs(field(point) - truth.mean(point)) / truth.whitening.scale))
            for point in points
        )

    rows: list[Row] = []
    for name, rule in jax_peer.RULES.items():
        method, field = jax_peer.compiled(truth, rule)
        _, seconds = spent(partial(method, points[0]))
        row: Row = {"phase space": "full", "method": name}
        row |= measure(method, truth.log_likelihood, points, scale, batches)
        off = {"field off by": apart(field), "finite crystal": apart(target.mean)}
        rows.append(row | {"compiling s": seconds} | off)
    return rows


def gradients(kind: str, batches: int) -> list[Row]:
    """Ways to a value and a gradient in one phase space."""
    target = likelihood(kind)
    model, seconds = spent(lambda: compiled(target))
    prior = target.prior
    unit = overdispersed(target, POINTS, np.random.default_rng(2))
    vectors, ones = prior.from_unit(unit), np.ones(unit.shape[1])
    spread = prior.sample(np.random.default_rng(3), 4000).std(axis=0)

    def plain(point: FloatArray) -> float:
        return target.log_likelihood(prior.from_unit(point))

    inner = compiled_points(model, target, unit)
    cases = {
        "compiled, as NUTS calls it": (model, lambda q: model(q)[0], inner, ones),
        "NumPy, exact Jacobian": (exact(target), target.log_likelihood, vectors, spread),
        "NumPy, central differences": (central(plain), plain, unit, ones),
    }
    rows: list[Row] = []
    for name, (method, density, points, scale) in cases.items():
        row: Row = {"phase space": kind, "method": name}
        rows.append(row | measure(method, density, points, scale, batches))
    if kind == "full":
        rows += in_jax(target, vectors, spread, batches)
    rows[0] |= {"target us": TARGET_US[kind], "in time": rows[0]["us"] <= TARGET_US[kind]}
    rows[0]["compiling s"] = seconds
    for row in rows[1:]:
        row["ratio"] = row["us"] / rows[0]["us"]
    return rows


def main(quick: bool) -> None:
    """Both phase spaces."""
    rows = [row for kind in PRESETS for row in gradients(kind, 5 if quick else 25)]
    publish("likelihood", {"gradients": ("Log-likelihood with its gradient", rows)})


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
