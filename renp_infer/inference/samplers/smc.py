"""Evidence and posterior by sequential Monte Carlo (PyMC), chain by chain.

Ching and Chen, J. Eng. Mech. 133, 816 (2007). Particles go from the reference
density to the posterior in steps that the data set; each chain ends with an
unbiased estimate of Z, so the scatter of chains measures its error.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from renp_infer.inference.parameters import AMPLITUDE
from renp_infer.inference.priors.prior import Prior
from renp_infer.inference.priors.prior_graph import constant, from_unit
from renp_infer.inference.samplers.amplitude import AmplitudeMarginal, log_integral
from renp_infer.inference.samplers.model import (
    VECTOR,
    argument_of,
    factor_of,
    in_order,
    named,
    supported,
    template_of,
)
from renp_infer.inference.samplers.reference import TAIL, Reference
from renp_infer.records import FloatArray

STANDARD, PHASES = "standard", "phases"
STAGES = ("log_marginal_likelihood", "beta", "accept_rate")
"""Statistics by stage; of the first, the last value of a chain is its log Z."""
_CORRELATION = 1e-3
_MOVED, _MOST_ROUNDS = 0.15, 4
"""Correlation of a coordinate with itself at which a stage ends, and rounds at most."""


@dataclass(frozen=True)
class SmcRun:
    """Final particles and stages of several chains.

    Attributes
    ----------
    vectors : ndarray, shape (chains, draws, d)
    log_evidence : ndarray, shape (chains,)
    stages : xarray.Dataset
        ``STAGES`` by (chain, stage), NaN after a chain's last stage.
    """

    vectors: FloatArray
    log_evidence: FloatArray
    stages: xr.Dataset


def smc_run(
    target: AmplitudeMarginal,
    reference: Reference,
    draws: int,
    chains: int,
    seed: np.random.SeedSequence,
) -> SmcRun:
    """Run SMC from a reference density.

    Parameters
    ----------
    target : AmplitudeMarginal
    reference : Reference
        Over the target's parameters.
    draws, chains : int
        Particles per chain, and chains.
    seed : numpy.random.SeedSequence
    """
    logging.getLogger("pymc").setLevel(logging.ERROR)
    with in_order():
        tree = pm.sample_smc(
            draws,
            chains=chains,
            cores=1,
            kernel=Mixing,
            correlation_threshold=_CORRELATION,
            model=build_model(target, reference),
            random_seed=[int(state) for state in seed.generate_state(chains)],
            compute_convergence_checks=False,
            progressbar=False,
        )
    stages = padded(tree["sample_stats"].to_dataset())
    return SmcRun(
        tree["posterior"][VECTOR].transpose("chain", "draw", ...).values,
        last_finite(stages["log_marginal_likelihood"].values),
        stages,
    )


class Mixing(pm.smc.IMH):
    """Independent proposals, until the slowest coordinate has moved.

    PyMC's own rule looks at how many coordinates still move: phases that the data do not
    see have moved at once, and particles along a ridge are left where they were. Where
    the rounds do not suffice, Z is too low and the scatter of chains does not show it.
    """

    def mutate(self) -> None:
        """Move every particle, at most ``_MOST_ROUNDS`` times what PyMC finds enough."""
        before = self.tempered_posterior.copy()
        for _ in range(_MOST_ROUNDS):
            super().mutate()
            if largest_correlation(before, self.tempered_posterior) < _MOVED:
                break


def largest_correlation(before: FloatArray, after: FloatArray) -> float:
    """Largest correlation of a column of particles (n, k) with itself before."""
    moved = [part - part.mean(axis=0) for part in (before, after)]
    sizes = [np.linalg.norm(part, axis=0) for part in moved]
    return float(np.max(np.sum(moved[0] * moved[1], axis=0) / (sizes[0] * sizes[1])))


def build_model(target: AmplitudeMarginal, reference: Reference) -> pm.Model:
    """PyMC model whose prior is the reference; the ratio to ours is a potential."""
    prior, plain = target.prior, reference.center.size
    with pm.Model(coords={"parameter": prior.names}) as model:
        if reference.student:
            standard = pm.StudentT(STANDARD, nu=TAIL, mu=0.0, sigma=1.0, shape=plain)
        else:
            standard = pm.Normal(STANDARD, 0.0, 1.0, shape=plain)
        unit = constant(reference.center) + pt.dot(constant(reference.factor), standard)
        density = pm.logp(pm.Normal.dist(0.0, 1.0, shape=plain), unit)
        ratio = pt.sum(density) - pt.sum(pm.logp(model[STANDARD], standard))
        pm.Potential("prior_over_reference", ratio + constant(reference.log_volume))
        low, high = (limit[prior.plain] for limit in prior.unit_support)
        if prior.blocks:
            unit = pt.dot(constant(prior.ties[np.ix_(prior.plain, prior.plain)]), unit)
        vector = from_unit(prior, _with_phases(prior, supported((low, high), unit)))
        pm.Potential("log_likelihood", _log_likelihood(target, vector))
        external = target.likelihood.external
        if external:
            values = named(prior, vector, {AMPLITUDE: 1.0, **prior.fixed})
            pm.Potential("constraints", external.graph(values, pt, constant))
        pm.Deterministic(VECTOR, vector, dims="parameter")
    return model


def _with_phases(prior: Prior, unit: Any) -> Any:
    """Unit coordinates of all parameters, in their order."""
    count = len(prior.circular)
    if not count:
        return unit
    phases = pm.Normal(PHASES, 0.0, 1.0, shape=2 * count)
    places = {name: [unit.type.shape[0] + 2 * k, unit.type.shape[0] + 2 * k + 1]
              for k, name in enumerate(prior.circular)}  # fmt: skip
    places |= {name: [k] for k, name in enumerate(n for n in prior.names if n not in places)}
    order = [place for name in prior.names for place in places[name]]
    return pt.concatenate([unit, phases])[np.array(order)]


def _log_likelihood(target: AmplitudeMarginal, vector: Any) -> Any:
    """Graph twin of the target's, a scalar."""
    likelihood, prior = target.likelihood, target.prior
    whitening = likelihood.whitening
    values = named(prior, vector, prior.fixed)
    template = template_of(likelihood.response, argument_of(prior, vector))
    template = template * factor_of(likelihood, values)
    if whitening.decorrelation is not None:
        template = pt.dot(constant(whitening.decorrelation), template)
    white = template / constant(whitening.scale)
    if not target.sd:
        white = values.get(AMPLITUDE, constant(1.0)) * white
        for name, shape in likelihood.shapes.items():
            if name in prior.names:
                white = white + values[name] * constant(whitening.white(shape))
    square, overlap = pt.sum(white**2), pt.dot(white, constant(target.pull))
    level = constant(target.constant)
    if target.sd:
        return level + log_integral(square, overlap, constant(target.sd), pt)
    return level + overlap - 0.5 * square


def padded(statistics: xr.Dataset) -> xr.Dataset:
    """Stages of chains of any lengths as plain (chain, stage) arrays.

    PyMC gives lists or arrays of objects, which no file holds.
    """
    columns = {}
    for name in STAGES:
        rows = [np.asarray(row, dtype=float).ravel() for row in statistics[name].values]
        length = max(row.size for row in rows)
        table = np.full((len(rows), length), np.nan)
        for k, row in enumerate(rows):
            table[k, : row.size] = row
        columns[name] = (("chain", "stage"), table)
    return xr.Dataset(columns)


def last_finite(table: FloatArray) -> FloatArray:
    """Last finite entry of each row."""
    return np.array([row[np.isfinite(row)][-1] for row in table])
