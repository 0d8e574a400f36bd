"""NUTS on the PyMC model, through nutpie.

nutpie moves every variable by NUTS or refuses the model; ``require_nuts``
makes that refusal early and by name, since other front ends quietly change
the step method of what they cannot differentiate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import nutpie
import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.gradient import DisconnectedInputError, NullTypeGradError

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.model import LINEAR, PARAMETERS
from renp_infer.inference.prior import InferenceSettings
from renp_infer.inference.start import overdispersed
from renp_infer.records import FloatArray

Progress = Callable[[str, float], None]
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


def require_nuts(model: pm.Model) -> dict[str, str]:
    """Step method by variable: NUTS for every one.

    Raises
    ------
    TypeError
        If a variable is discrete or the density has no gradient by it.
    """
    for variable in model.free_RVs:
        if variable not in model.continuous_value_vars and (
            model.rvs_to_values[variable] not in model.continuous_value_vars
        ):
            raise TypeError(f"{variable.name} is discrete: NUTS cannot sample it")
        try:
            pt.grad(model.logp(), model.rvs_to_values[variable])
        except (NotImplementedError, NullTypeGradError, DisconnectedInputError) as error:
            raise TypeError(f"no gradient by {variable.name}: NUTS cannot sample it") from error
    return {variable.name: "NUTS" for variable in model.free_RVs}


def compile_model(model: pm.Model) -> Any:
    """Machine code of the model's density and gradient.

    ``with_data(data_nG=...)`` of the result swaps the data without compiling
    again; the data must be decorrelated as in ``likelihood.py``.

    Raises
    ------
    TypeError
        If NUTS cannot sample every variable.
    """
    require_nuts(model)
    return nutpie.compile_pymc_model(model, var_names=[PARAMETERS])


def sample_nuts(
    compiled: Any,
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
    compiled : object
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
    """
    tree = nutpie.sample(
        dataclasses.replace(compiled, initial_point_func=_start_of(likelihood)),
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        cores=cores,
        seed=int(seed.generate_state(1)[0]),
        save_warmup=False,
        progress_bar=False,
        adaptation=_ADAPTATION,
        target_accept=settings.target_accept,
        progress_callback=None if progress is None else _report_to(progress),
    )
    statistics = tree["sample_stats"].to_dataset()[list(STATISTIC_NAMES)]
    statistics = statistics.rename(STATISTIC_NAMES)
    statistics.attrs = {
        "sampler": "nuts",
        "sampling_library": f"nutpie {nutpie.__version__}",
        "mass_matrix": _ADAPTATION,
        "step_methods": "all: NUTS",
        "sampler_names": ", ".join(f"{k}: {v}" for k, v in STATISTIC_NAMES.items()),
    }
    return tree["posterior"][PARAMETERS].transpose("chain", "draw", ...).values, statistics


def _start_of(likelihood: Likelihood) -> Callable[[Any], FloatArray]:
    """Start of a chain, from its seed, in the model's coordinates."""
    slices = likelihood.prior.unit_slices()
    linear = [slices[name].start for name in LINEAR if name in slices]

    def start(seed: Any) -> FloatArray:
        rng = np.random.default_rng(seed)
        unit = overdispersed(likelihood, 1, rng)[0]
        return np.concatenate([np.delete(unit, linear), rng.standard_normal(len(linear))])

    return start


def _report_to(progress: Progress) -> Callable[[list[Any]], None]:
    def report(chains: list[Any]) -> None:
        total = sum(chain.total_draws for chain in chains)
        progress("sampling", sum(chain.finished_draws for chain in chains) / max(total, 1))

    return report
