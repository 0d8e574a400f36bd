"""NUTS on the PyMC model, through nutpie.

nutpie moves every variable by NUTS or refuses the model; ``require_nuts``
makes that refusal early and by name, since other front ends quietly change
the step method of what they cannot differentiate.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from nutpie.compiled_pyfunc import from_pyfunc
from pymc.pytensorf import compile as compile_graph
from pymc.pytensorf import join_nonshared_inputs
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.gradient import DisconnectedInputError, NullTypeGradError
from pytensor.graph.basic import Variable, equal_computations
from pytensor.graph.traversal import graph_inputs

from renp_infer.finite import require_finite
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.samplers.coordinates import Coordinates
from renp_infer.inference.samplers.model import DATA, VECTOR, WALL, in_order, linear_of
from renp_infer.inference.settings import InferenceSettings
from renp_infer.records import FloatArray, Progress

"""Called with a stage's name and the fraction done."""

STATISTIC_NAMES = {
    "diverging": "diverging",
    "energy": "energy",
    "depth": "depth",
    "maxdepth_reached": "reached_max_depth",
    "n_steps": "n_steps",
    "mean_tree_accept": "acceptance_rate",
    "logp": "lp",
    "step_size": "step_size",
}
"""The sampler's names of its statistics, and ours."""

# A measurement leaves narrow ridges between nuisances; a mass matrix with a
# few learnt directions follows them, a diagonal one does not.
_ADAPTATION = "low_rank"
_WAIT_S = 5.0
# A first step too long can land where nothing can be calculated. Beyond so many standard
# deviations of a Gaussian prior lies 1e-197 of it: such a point ends a trajectory, as does
# one outside the prior's support.
_FARTHEST = 30.0


def require_nuts(model: pm.Model) -> dict[str, str]:
    """Step method by variable: NUTS for every one.

    Raises
    ------
    TypeError
        If a variable is discrete or the density has no gradient by it.
    """
    for variable in model.free_RVs:
        if model.rvs_to_values[variable] not in model.continuous_value_vars:
            raise TypeError(f"{variable.name} is discrete: NUTS cannot sample it")
        try:
            pt.grad(model.logp(), model.rvs_to_values[variable])
        except (NotImplementedError, NullTypeGradError, DisconnectedInputError) as error:
            raise TypeError(f"no gradient by {variable.name}: NUTS cannot sample it") from error
    return {variable.name: "NUTS" for variable in model.free_RVs}


@dataclass(frozen=True)
class CompiledModel:
    """Machine code of a model: density, gradient and parameters of a point.

    Attributes
    ----------
    function : callable
        ``(point, *arguments) -> (log density, gradient, parameters)``.
    arguments : tuple of ndarray
        Everything else the density depends on.
    data_slot : int
        Which of them is the data.
    size : int
        Length of a point.
    """

    function: Callable[..., tuple[FloatArray, FloatArray, FloatArray]]
    arguments: tuple[FloatArray, ...]
    data_slot: int
    size: int

    def __call__(self, point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Log density, gradient (k,) and parameters (d,) at a point (k,)."""
        density, gradient, vector = self.function(point, *self.arguments)
        return float(density), gradient, vector

    def with_data(self, data: FloatArray) -> CompiledModel:
        """Use the same code for other data, decorrelated as in ``likelihood.py``."""
        arguments = list(self.arguments)
        arguments[self.data_slot] = np.array(data, dtype=float)
        return dataclasses.replace(self, arguments=tuple(arguments))


def compile_model(model: pm.Model) -> CompiledModel:
    """Compile a model's density once, for all studies of the same structure.

    The code is called directly rather than through nutpie's own compilation
    of PyMC models, which takes several times longer and is never cached.

    Raises
    ------
    TypeError
        If NUTS cannot sample every variable.
    """
    require_nuts(model)
    parameters = model.replace_rvs_by_values([model[VECTOR]])
    origin = {variable.name: np.zeros(variable.type.shape) for variable in model.value_vars}
    outputs, point = join_nonshared_inputs(origin, [model.logp(), *parameters], model.value_vars)
    graph = [outputs[0], pt.grad(outputs[0], point), outputs[1]]
    shared = [v for v in graph_inputs(graph) if isinstance(v, SharedVariable)]
    code = _code_of(graph, point, shared)
    ordered = [shared[place] for place in code.order]
    return CompiledModel(
        code.function,
        tuple(variable.get_value() for variable in ordered),
        [variable.name for variable in ordered].index(DATA),
        sum(value.size for value in origin.values()),
    )


@dataclass(frozen=True)
class _Code:
    """Machine code of a graph; its shared inputs are arguments in another order."""

    graph: list[Variable]
    inputs: list[Variable]
    function: Callable[..., Any]
    order: list[int]


_codes: deque[_Code] = deque(maxlen=8)
"""Studies differ in numbers more often than in structure, and compiling takes a second."""


def _code_of(graph: list[Variable], point: Variable, shared: list[Variable]) -> _Code:
    """Code of the same graph with other numbers, if there is one; or compile it."""
    inputs = [point, *shared]
    types = [variable.type for variable in inputs]
    for code in _codes:
        if [variable.type for variable in code.inputs] == types and equal_computations(
            graph, code.graph, inputs, code.inputs
        ):
            return code
    with in_order():
        function = compile_graph([point], graph, mode="NUMBA")
    # Chains are threads: let them run this code at the same time.
    function.vm.jit_fn.targetoptions["nogil"] = True
    order = [shared.index(variable) for variable in function.get_shared()]
    _codes.append(_Code(graph, inputs, function.vm.jit_fn, order))
    return _codes[-1]


def sample_nuts(
    compiled: CompiledModel,
    likelihood: Likelihood,
    settings: InferenceSettings,
    seed: np.random.SeedSequence,
    cores: int = 1,
    progress: Progress | None = None,
) -> tuple[FloatArray, xr.Dataset]:
    """Draw from the posterior of a compiled model.

    The result depends on the seed, not on the number of cores.

    Parameters
    ----------
    compiled : CompiledModel
        From ``compile_model``, holding the data of ``likelihood``.
    likelihood : Likelihood
    settings : InferenceSettings
    seed : numpy.random.SeedSequence
    cores : int
        Chains run at the same time.
    progress : callable, optional

    Returns
    -------
    vectors : ndarray, shape (chains, draws, d)
        Free parameters.
    statistics : xarray.Dataset
        Sampler statistics by (chain, draw), with the names of
        ``STATISTIC_NAMES``; the sampler's own are in its attributes.

    Raises
    ------
    NonFiniteError
        If density or gradient are not finite; carries the parameter values.
    """
    mode_seed, draw_seed = (int(state) for state in seed.generate_state(2))
    raised: list[Exception] = []
    rng = np.random.default_rng(mode_seed)
    try:
        sampler = nutpie.sample(
            _sampler_model(compiled, likelihood, rng, raised),
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=cores,
            seed=draw_seed,
            save_warmup=False,
            progress_bar=False,
            adaptation=_ADAPTATION,
            target_accept=settings.target_accept,
            progress_callback=None if progress is None else _report_to(progress),
            blocking=False,
        )
        tree = _finished(sampler)
    except Exception:
        if not raised:
            raise
    if raised:
        raise raised[0]
    statistics = tree["sample_stats"].to_dataset()[list(STATISTIC_NAMES)]
    statistics = statistics.rename(STATISTIC_NAMES)
    statistics.attrs = {
        "sampler": "nuts",
        "sampling_library": f"nutpie {nutpie.__version__}",
        "mass_matrix": _ADAPTATION,
        "step_methods": "all: NUTS",
        "sampler_names": ", ".join(f"{k}: {v}" for k, v in STATISTIC_NAMES.items()),
    }
    return tree["posterior"][VECTOR].transpose("chain", "draw", ...).values, statistics


def _finished(sampler: Any) -> xr.DataTree:
    """Draws of a sampler at work; an interruption stops it and is passed on.

    The sampler's own waiting would answer an interruption with the draws so far, and
    one left at work when the process ends takes it down.
    """
    try:
        while True:
            with contextlib.suppress(TimeoutError):
                tree: xr.DataTree = sampler.wait(timeout=_WAIT_S)
                return tree
    except BaseException:
        sampler.cancel()
        raise


def _sampler_model(
    compiled: CompiledModel,
    likelihood: Likelihood,
    rng: np.random.Generator,
    raised: list[Exception],
) -> Any:
    """Hand density, gradient, parameters and start to the sampler."""
    names, coordinates = likelihood.prior.names, Coordinates(likelihood, rng)
    origin, in_prior_sd = np.zeros(compiled.size), compiled.size - len(coordinates.linear)
    rest = likelihood.prior.rest(linear_of(likelihood.prior))

    def wall(q: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = _round(q)
        return value - WALL, gradient

    def density(q: FloatArray) -> tuple[float, FloatArray]:
        point = coordinates.point(q)
        unit = point[:in_prior_sd]
        if not rest.supports(unit):
            return wall(q)
        value, gradient, vector = compiled(point)
        if not (np.isfinite(value) and np.all(np.isfinite(gradient))):
            if not np.max(np.abs(unit)) < _FARTHEST:
                return wall(q)
            values = likelihood.prior.values(vector)
            require_finite("log density", value, values)
            require_finite("gradient of the log density", gradient, values)
        radii, pulled = coordinates.pull_back(gradient, q)
        return value + radii, pulled

    def parameters(q: FloatArray) -> dict[str, FloatArray]:
        return {VECTOR: compiled(coordinates.point(q))[2]}

    return from_pyfunc(
        ndim=compiled.size,
        make_logp_fn=lambda: _noting(density, raised, _round),
        make_expand_fn=lambda seed, other_seed, chain: parameters,
        expanded_dtypes=[np.dtype(float)],
        expanded_shapes=[(len(names),)],
        expanded_names=[VECTOR],
        make_initial_point_fn=_noting(coordinates.start, raised, lambda seed: origin),
    )


def _noting(
    function: Callable[..., Any], raised: list[Exception], instead: Callable[..., Any]
) -> Callable[..., Any]:
    """Note errors, and do no more work after the first.

    An error, or a density that is not finite, can abort the sampler's threads
    beyond recovery; what stands ``instead`` lets them end in a moment, and the
    draws are thrown away.
    """

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        if raised:
            return instead(*arguments)
        try:
            return function(*arguments)
        except Exception as error:
            raised.append(error)
            return instead(*arguments)

    return call


def _round(q: FloatArray) -> tuple[float, FloatArray]:
    """Log density and gradient of a standard normal."""
    return -0.5 * float(q @ q), -q


def _report_to(progress: Progress) -> Callable[[list[Any]], None]:
    def report(chains: list[Any]) -> None:
        total = sum(chain.total_draws for chain in chains)
        progress("sampling", sum(chain.finished_draws for chain in chains) / max(total, 1))

    return report
