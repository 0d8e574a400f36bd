"""Affine-invariant ensembles (emcee) on the NumPy likelihood.

Walkers of one ensemble depend on each other, so R-hat over walkers means
nothing: several ensembles run from independent starts, and each counts as
one chain. Walkers move in unit coordinates, where a phase is a direction in
a plane: no walker can drift around the circle, none meets a bound.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import emcee
import numpy as np
import xarray as xr

from renp_infer.finite import require_finite
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.samplers.start import overdispersed
from renp_infer.inference.settings import InferenceSettings
from renp_infer.records import FloatArray

MIN_ENSEMBLES = 4
LENGTH_BY_TAU = 50
"""Steps kept, in autocorrelation times: the rule of the sampler's authors."""
_BURN_IN_BY_TAU = 5
_THIN_BY_TAU = 2
_CAP_BY_BLOCK = 20
_WALKERS_BY_DIMENSION = 2


@dataclass(frozen=True)
class EnsembleRun:
    """One ensemble: kept steps, their log density, and how long it ran."""

    unit: FloatArray
    log_density: FloatArray
    tau: float
    steps: int
    acceptance: float
    tune: int

    @property
    def long_enough(self) -> bool:
        """Whether it outlasts the length rule."""
        burn_in = max(float(self.tune), _BURN_IN_BY_TAU * self.tau)
        return self.steps > burn_in + LENGTH_BY_TAU * self.tau


def sample_ensembles(
    likelihood: Likelihood,
    settings: InferenceSettings,
    seed: np.random.SeedSequence,
    progress: Callable[[str, float], None] | None = None,
) -> tuple[FloatArray, xr.Dataset]:
    """Draw from the posterior in unit coordinates.

    After ``settings.tune`` steps, ensembles run in blocks of ``settings.draws`` until each is
    longer than 50 autocorrelation times after its burn-in, or up to 20 blocks; the
    result says whether they are. The burn-in is ``tune``, or 5 autocorrelation times if
    these are more. Kept steps are two autocorrelation times
    apart, walkers side by side, so that draws are close to independent.

    Parameters
    ----------
    likelihood : Likelihood
    settings : InferenceSettings
        ``chains`` is the number of ensembles, at least 4.
    seed : numpy.random.SeedSequence
    progress : callable, optional

    Returns
    -------
    unit : ndarray, shape (ensembles, draws, k)
    statistics : xarray.Dataset
        Log density ``lp`` by (chain, draw) and the mean acceptance,
        autocorrelation time and length of each ensemble.

    Raises
    ------
    NonFiniteError
        If the density is not finite at a walker; carries its parameters.
    """
    count = max(settings.chains, MIN_ENSEMBLES)
    runs = []
    for k, child in enumerate(seed.spawn(count)):
        runs.append(_run_ensemble(likelihood, settings, child))
        if progress is not None:
            progress("sampling", (k + 1) / count)
    kept = min(run.log_density.size for run in runs)
    unit = np.stack([run.unit[-kept:] for run in runs])
    log_density = np.stack([run.log_density[-kept:] for run in runs])
    return unit, _statistics(runs, log_density)


def _statistics(runs: list[EnsembleRun], log_density: FloatArray) -> xr.Dataset:
    return xr.Dataset(
        {
            "lp": (("chain", "draw"), log_density),
            "acceptance_rate": ("chain", np.array([run.acceptance for run in runs])),
            "autocorrelation_time": ("chain", np.array([run.tau for run in runs])),
            "steps": ("chain", np.array([run.steps for run in runs])),
        },
        coords={"chain": np.arange(len(runs)), "draw": np.arange(log_density.shape[1])},
        attrs={
            "sampler": "emcee",
            "sampling_library": f"emcee {emcee.__version__}",
            "step_methods": "unit: DEMove, DESnookerMove, StretchMove",
            "length_rule_reached": int(all(run.long_enough for run in runs)),
            "length_rule": f"more than {LENGTH_BY_TAU} autocorrelation times kept",
        },
    )


def _run_ensemble(
    likelihood: Likelihood, settings: InferenceSettings, seed: np.random.SeedSequence
) -> EnsembleRun:
    """Run one ensemble until it is long enough or meets the cap."""
    size = likelihood.prior.unit_size
    walkers = 2 * ((_WALKERS_BY_DIMENSION * size + 1) // 2)
    moves = [
        (emcee.moves.DEMove(), 0.7),
        (emcee.moves.DESnookerMove(), 0.1),
        (emcee.moves.StretchMove(), 0.2),
    ]
    sampler = emcee.EnsembleSampler(walkers, size, _log_density, moves=moves)
    # The sampler's own wrapper of a density prints a traceback when it raises.
    sampler.log_prob_fn = functools.partial(_log_density, likelihood=likelihood)
    start_seed, step_seed = seed.spawn(2)
    state = emcee.State(
        overdispersed(likelihood, walkers, np.random.default_rng(start_seed)),
        random_state=np.random.RandomState(step_seed.generate_state(8)).get_state(),
    )
    state = sampler.run_mcmc(state, settings.tune, skip_initial_state_check=True)
    for _ in range(_CAP_BY_BLOCK):
        state = sampler.run_mcmc(state, settings.draws, skip_initial_state_check=True)
        run = _kept(sampler, settings.tune)
        if run.long_enough:
            break
    return run


def _kept(sampler: emcee.EnsembleSampler, tune: int) -> EnsembleRun:
    """Discard the burn-in, thin, and flatten step by step."""
    steps = sampler.iteration
    with np.errstate(invalid="ignore"):  # a walker that never moved gives NaN
        begin = max(tune, steps // 5)
        tau = float(np.max(sampler.get_autocorr_time(discard=begin, tol=0)))
    tau = tau if np.isfinite(tau) else float(steps)
    # A run shorter than its rule still keeps the second half of what follows the tuning.
    further = max(int(_BURN_IN_BY_TAU * tau) - tune, 0)
    discard = tune + min(further, (steps - tune) // 2)
    thin = max(1, min(int(np.ceil(_THIN_BY_TAU * tau)), (steps - discard) // 4))
    return EnsembleRun(
        sampler.get_chain(discard=discard, thin=thin, flat=True),
        sampler.get_log_prob(discard=discard, thin=thin, flat=True),
        tau,
        steps,
        float(np.mean(sampler.acceptance_fraction)),
        tune,
    )


def _log_density(unit: FloatArray, likelihood: Likelihood) -> float:
    """Log posterior by unit coordinates, up to a constant; -inf outside the prior."""
    if not likelihood.prior.supports(unit):
        return -np.inf
    vector = likelihood.prior.from_unit(unit)
    density = likelihood.log_likelihood(vector) - 0.5 * float(unit @ unit)
    density += float(likelihood.constrained(vector))
    if not np.isfinite(density):
        require_finite("log density", density, likelihood.prior.values(vector))
    return density
