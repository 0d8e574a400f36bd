"""The PyMC model: the same posterior as ``likelihood.py``, as a graph.

The response enters as one Op that returns template and exact Jacobian of a
point together; its pullback multiplies by that Jacobian, so value and
gradient share one evaluation.

Amplitude and baseline, or those of each crystal and run, are sampled relative to what
the data say about them at the other parameters' values. A template of other phases or mixing needs
another amplitude; in these coordinates that curved, narrow ridge is a ball.
The change of variables is exact: its determinant is part of the density.

If the response offers a compiled kernel, the
Op becomes machine code under the Numba backend (no interpreter lock, chains
run in parallel); otherwise the response is called through the interpreter.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch import basic as numba_dispatch
from pytensor.tensor.variable import TensorVariable

from renp_infer.inference.likelihood import Likelihood, ResponseLike, sum_of
from renp_infer.inference.parameters import AMPLITUDE, BASELINE, parted
from renp_infer.inference.priors.marginals import is_gaussian
from renp_infer.inference.priors.prior import Prior
from renp_infer.inference.priors.prior_graph import constant, from_unit
from renp_infer.inference.samplers.amplitude import FLOOR, is_usual
from renp_infer.inference.samplers.block_fit import BlockFit
from renp_infer.records import FloatArray

UNIT = "unit"
"""Sampled coordinates of all parameters but ``linear_of``."""
RELATIVE = "relative"
"""Sampled coordinates of ``linear_of``."""
LINEAR = (AMPLITUDE, BASELINE)
OBSERVED = "observed"
DATA = "data"
VECTOR = "parameters"
WALL = 1e30
"""Below any log density: what a point outside the prior's support is below the others."""


class ResponseOp(Op):
    """``(x, *tables) -> (template, jacobian)`` of a response."""

    def __init__(self, response: ResponseLike) -> None:
        self.response = response

    def _structure(self) -> tuple[Any, int]:
        """What the code depends on: tables are inputs, a response without a kernel is itself."""
        return getattr(self.response, "kernel", self.response), self.response.theta_s.size

    def __eq__(self, other: object) -> bool:
        """Whether the same code serves both."""
        return isinstance(other, ResponseOp) and self._structure() == other._structure()

    def __hash__(self) -> int:
        """Hash of what decides equality."""
        return hash((type(self), *self._structure()))

    def make_node(self, *inputs: Any) -> Apply:
        """Graph node for argument and tables."""
        given = [pt.as_tensor_variable(i) for i in inputs]
        n, slots = self.response.theta_s.size, given[0].type.shape[0]
        outputs = [
            pt.TensorType("float64", shape=(n,))(),
            pt.TensorType("float64", shape=(n, slots))(),
        ]
        return Apply(self, given, outputs)

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        """Call the response through the interpreter."""
        template, jacobian = self.response(inputs[0])
        output_storage[0][0] = np.asarray(template, dtype=float)
        output_storage[1][0] = np.ascontiguousarray(jacobian, dtype=float)

    def pullback(
        self,
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        cotangents: Sequence[Variable],
    ) -> list[Variable]:
        """Cotangent of the template times the Jacobian already computed."""
        tables = [pytensor.gradient.disconnected_type() for _ in inputs[1:]]
        if isinstance(cotangents[0].type, DisconnectedType):
            return [pt.zeros_like(inputs[0]), *tables]
        return [pt.dot(cotangents[0], outputs[1]), *tables]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only the template depends, differentiably, on x."""
        return [[True, False]] + [[False, False] for _ in node.inputs[1:]]


@numba_dispatch.register_funcify_and_cache_key(ResponseOp)
def _funcify(op: ResponseOp, node: Apply, **kwargs: Any) -> tuple[Any, str | None]:
    kernel = getattr(op.response, "kernel", None)
    if kernel is not None:
        return kernel, _source_hash(kernel.py_func)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Numba will use object mode")
        return numba_dispatch.generate_fallback_impl(op, node, **kwargs), None


def _source_hash(function: Callable[..., Any]) -> str:
    """Key of compiled code: changes with any source beside the function's.

    A kernel calls others, whose code is compiled in; a stale one must never
    be reused, so every module of its top-level package counts.
    """
    root = importlib.import_module(function.__module__.partition(".")[0])
    top = Path(inspect.getfile(root))
    sources = sorted(top.parent.rglob("*.py")) if top.name == "__init__.py" else [top]
    digest = hashlib.sha256(f"{function.__module__}.{function.__qualname__}".encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def in_order() -> contextlib.AbstractContextManager[Any]:
    """Compile graphs whose sums keep their order.

    With fast math the order, and so the last bit, depends on whether a part is compiled now
    or was before; chains that differ by it part after some hundred draws.
    """
    flags: contextlib.AbstractContextManager[Any]
    flags = pytensor.config.change_flags(numba__fastmath=False)
    return flags


def build_model(likelihood: Likelihood) -> pm.Model:
    """PyMC model of data.

    ``unit`` holds the standard normal coordinates of all parameters but
    amplitude and baseline, which ``relative`` fixes given the others.
    ``data`` holds the decorrelated data and may be replaced by other data
    decorrelated the same way; ``parameters`` is the parameter vector.

    Parameters
    ----------
    likelihood : Likelihood

    Returns
    -------
    pymc.Model
        Its log density is the normalised posterior numerator of
        ``likelihood.py`` plus the log determinant of the coordinates.
    """
    prior = likelihood.prior
    linear = linear_of(prior)
    rest = prior.rest(linear, ones_of(linear))
    coords = {
        "theta_s_deg": np.rad2deg(likelihood.response.theta_s),
        "parameter": prior.names,
    }
    with pm.Model(coords=coords) as model:
        data = pm.Data(DATA, likelihood.decorrelated, dims="theta_s_deg")
        unit = pm.Normal(UNIT, 0.0, 1.0, shape=rest.unit_size)
        tied = pt.dot(constant(rest.ties), unit) if rest.blocks else unit
        vector = from_unit(rest, supported(rest.unit_support, tied))
        # of several data sets each may have its own, which then are no common ones
        common = {AMPLITUDE: constant(1.0), BASELINE: constant(0.0)}
        values = common | named(rest, vector, rest.fixed)
        template = template_of(likelihood.response, argument_of(rest, vector))
        template = template * factor_of(likelihood, values)
        apart = any(parted(name)[1] for name in linear)
        others = _other_offsets(likelihood, linear if apart else LINEAR, rest, vector)
        if apart:
            if AMPLITUDE not in linear:
                template = values[AMPLITUDE] * template
            block = BlockFit(likelihood, linear, template, data - others)
            found, mean = block.add_to_model(pm.Flat(RELATIVE, shape=len(linear)))
            values |= found
            scale = constant(likelihood.whitening.scale)
        else:
            fit = _LinearFit(likelihood, linear, values, template, data - others)
            values |= dict(zip(LINEAR, fit.add_to_model(), strict=True))
            mean = values[AMPLITUDE] * fit.template + values[BASELINE] * fit.ones
            scale = fit.scale
        pm.Normal(OBSERVED, mean + others, scale, observed=data, dims="theta_s_deg")
        parts = [values[name] for name in prior.names]
        pm.Deterministic(VECTOR, pt.stack(parts), dims="parameter")
        if likelihood.external:
            pm.Potential("constraints", likelihood.external.graph(values, pt, constant))
    return model


def linear_of(prior: Prior) -> tuple[str, ...]:
    """Those of ``LINEAR`` that are free, with their usual priors: they get coordinates.

    Of several data sets those of each group; amplitudes come first.
    """
    usual = {AMPLITUDE: is_usual, BASELINE: is_gaussian}
    return tuple(
        name
        for kind in LINEAR
        for name, marginal in prior.marginals.items()
        if parted(name)[0] == kind and usual[kind](marginal) and name not in prior.tied
    )


def ones_of(linear: tuple[str, ...]) -> dict[str, float]:
    """Amplitudes of groups, which are arguments of the response: 1 beside the coordinates."""
    return {name: 1.0 for name in linear if parted(name)[1] and parted(name)[0] == AMPLITUDE}


def factor_of(likelihood: Likelihood, values: Mapping[str, Any]) -> Any:
    """Graph twin of the likelihood's, from values by name."""
    parts = [values[name] * constant(shape) for name, shape in likelihood.factors.items()]
    return np.float64(1.0) + sum_of(parts) if parts else np.float64(1.0)


def named(prior: Prior, vector: Any, fixed: Mapping[str, float]) -> dict[str, Any]:
    """Every parameter by name: free ones of a vector (d,) of the graph, and fixed ones."""
    free = {name: vector[k] for k, name in enumerate(prior.names)}
    return {**{name: constant(value) for name, value in fixed.items()}, **free}


def supported(limits: tuple[FloatArray, FloatArray], unit: TensorVariable) -> TensorVariable:
    """Unit coordinates (k,) within a prior's limits, outside of which the density is 0.

    The response is asked at the nearest point inside: a graph has no branches.
    """
    low, high = (constant(limit) for limit in limits)
    outside = pt.any((unit < low) | (unit > high))
    pm.Potential("support", pt.switch(outside, -np.float64(WALL), np.float64(0.0)))
    return pt.clip(unit, low, high)


def _other_offsets(
    likelihood: Likelihood, known: tuple[str, ...], rest: Prior, vector: TensorVariable
) -> Any:
    """What in the decorrelated mean, shape (n,), is of all offsets but known ones, or 0."""
    found = []
    for name, shape in likelihood.shapes.items():
        if name in known or rest.fixed.get(name) == 0.0:
            continue
        free = name in rest.names
        amount = vector[rest.names.index(name)] if free else np.float64(rest.fixed[name])
        found.append(amount * constant(likelihood.whitening.decorrelate(shape)))
    return sum_of(found) if found else np.float64(0.0)


class _LinearFit:
    """Coordinates of amplitude and baseline relative to their fit.

    With prior precisions and data, the two have at fixed template a Gaussian
    posterior (that of the amplitude approximately, its prior being
    log-normal). Where it lies and how wide it is sets the coordinates.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        linear: tuple[str, ...],
        values: Mapping[str, Any],
        template: TensorVariable,
        data: Any,
    ) -> None:
        whitening = likelihood.whitening
        uniform = likelihood.shapes.get(BASELINE, np.zeros(likelihood.data.vector.size))
        ones = whitening.decorrelate(uniform)
        free: dict[str, Any] = {name: likelihood.prior.marginals[name] for name in linear}
        self.fixed = {n: values[n] for n in LINEAR if n not in free}
        self.sd = {name: constant(marginal.sd) for name, marginal in free.items()}
        precision, pull = np.sum((ones / whitening.scale) ** 2), 0.0
        if BASELINE in free:
            precision += free[BASELINE].sd ** -2
            pull = free[BASELINE].mean * free[BASELINE].sd ** -2
            self.mean = constant(free[BASELINE].mean)
        self.precision, self.ones = constant(precision), constant(ones)
        self.scale = constant(whitening.scale)
        if whitening.decorrelation is not None:
            template = pt.dot(constant(whitening.decorrelation), template)
        self.template = template
        weighted = template / self.scale**2
        self.tt = pt.sum(weighted * template)
        self.t1 = pt.sum(weighted * self.ones)
        self.ty = pt.sum(weighted * data)
        self.y1 = pt.sum(self.ones * data / self.scale**2) + constant(pull)

    def add_to_model(self) -> tuple[Any, Any]:
        """Amplitude and baseline, sampled if free."""
        amplitude, baseline = (self.fixed.get(name) for name in LINEAR)
        if not self.sd:
            return amplitude, baseline
        relative = pm.Flat(RELATIVE, shape=len(self.sd))
        if AMPLITUDE in self.sd:
            amplitude = self._amplitude(relative[0])
        if BASELINE in self.sd:
            baseline = self._baseline(relative[-1], amplitude)
        return amplitude, baseline

    def _amplitude(self, relative: TensorVariable) -> TensorVariable:
        sd = self.sd[AMPLITUDE]
        if BASELINE in self.sd:
            information = self.tt - self.t1**2 / self.precision
            pull = self.ty - self.t1 * self.y1 / self.precision
        else:
            information = self.tt
            pull = self.ty - self.t1 * self.fixed[BASELINE]
        fitted = (pull + sd**-2) / (information + sd**-2)
        center = 0.5 * (fitted + pt.sqrt(fitted**2 + FLOOR**2))
        width = (sd**-2 + center**2 * information) ** -0.5
        log_amplitude = pt.log(center) + width * relative
        density = _log_normal(log_amplitude / sd) - pt.log(sd) + pt.log(width)
        pm.Potential("amplitude_prior", density)
        return pt.exp(log_amplitude)

    def _baseline(self, relative: TensorVariable, amplitude: Any) -> TensorVariable:
        sd, width = self.sd[BASELINE], self.precision**-0.5
        baseline = (self.y1 - amplitude * self.t1) / self.precision + width * relative
        density = _log_normal((baseline - self.mean) / sd) - pt.log(sd) + pt.log(width)
        pm.Potential("baseline_prior", density)
        return baseline


def _log_normal(unit: Any) -> Any:
    return -0.5 * (unit**2 + np.log(2.0 * np.pi))


def argument_of(rest: Prior, vector: TensorVariable) -> TensorVariable:
    """Argument of the response, shape (12,): an affine map."""
    scales = rest.table.scales
    offset = [scale * rest.fixed.get(name, 0.0) for name, scale in scales.items()]
    matrix = [[s * (row == column) for column in rest.names] for row, s in scales.items()]
    return constant(offset) + pt.dot(constant(matrix), vector)


def template_of(response: ResponseLike, x: TensorVariable) -> TensorVariable:
    """Template, shape (n,); the tables reach the compiled code as arguments."""
    tables = getattr(response, "tables", ()) if hasattr(response, "kernel") else ()
    # of any length: that of a table of distances differs between layouts
    return ResponseOp(response)(x, *(pytensor.shared(table) for table in tables))[0]
