"""Effective samples of the lightest mass per second, beside other samplers.

``python benchmarks/posterior.py [--quick]`` prints one table for each phase space and
writes ``results/posterior.json``. All sample the same likelihood and priors, in one
process, one after the other; times are processor seconds. The reference is made of
independent weighted draws.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import arviz_stats
import emcee
import numpy as np
import pymc as pm
from posteriors import (
    PRESETS,
    QUICK_PRESETS,
    compiled,
    likelihood,
    publish,
    reference,
    spent,
    weighted_size,
)
from run import Row
from scipy.optimize import minimize

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.priors.marginals import Circular, LogNormal, Marginal, Normal, Uniform
from renp_infer.inference.samplers.independence import sample_independence
from renp_infer.inference.samplers.model import VECTOR, build_model
from renp_infer.inference.samplers.nuts import sample_nuts
from renp_infer.inference.samplers.pymc_nuts import sample_pymc_nuts
from renp_infer.inference.samplers.start import overdispersed
from renp_infer.records import FloatArray
from renp_infer.study.sections.inference import InferenceSection, inference_settings

TARGET_RATIO = 50.0
MASS = "m1_meV"
MOVES = {
    "stretch": [(emcee.moves.StretchMove(), 1.0)],
    "differential": [(emcee.moves.DEMove(), 0.8), (emcee.moves.DESnookerMove(), 0.2)],
}
"""emcee's default, and what its documentation advises for narrow posteriors."""
BURN_IN = 0.2
"""Share of emcee's steps that is thrown away."""
WALKERS, TRIALS, BALL = 4, 1000, 1e-4
"""Walkers per coordinate; draws of the prior from whose best a user would look for an optimum;
and the spread of walkers around it, in standard deviations of the prior."""
OUTSIDE = 1e10
"""Cost outside the prior."""
KNOWN = ("effective", "mean m1", "sd m1")
NUTS, INDEPENDENCE, WEIGHTED = "ours, nutpie", "ours, independence", "ours, weighted draws"


@dataclass(frozen=True)
class Effort:
    """How long each sampler runs."""

    draws: int = 1000
    independence_draws: int = 8000
    pymc_draws: int = 400
    emcee_steps: int = 8_000
    live_points: int = 250
    reference: int = 40_000


QUICK = Effort(300, 1000, 60, 800, 50, 8000)


def by_nuts(target: Likelihood, effort: Effort) -> Row:
    """Ours: nutpie's NUTS in coordinates made for these posteriors."""
    settings = inference_settings(InferenceSection(draws=effort.draws, tune=effort.draws))
    model, compiling = spent(lambda: compiled(target))
    (vectors, _), seconds = spent(
        lambda: sample_nuts(model, target, settings, np.random.SeedSequence(4))
    )
    return chains(target, vectors, seconds) | {"compiling s": compiling}


def by_independence(target: Likelihood, effort: Effort) -> Row:
    """Ours: independence Metropolis, ``sampler = "independence"``."""
    settings = inference_settings(InferenceSection(draws=effort.independence_draws))
    (vectors, _), seconds = spent(
        lambda: sample_independence(target, settings, np.random.SeedSequence(4))
    )
    return chains(target, vectors, seconds)


def by_weights(target: Likelihood, effort: Effort) -> Row:
    """Ours: independent weighted draws, by other numbers than those of the reference."""
    truth, seconds = spent(lambda: reference(target, effort.reference, seed=9))
    return {"s": seconds} | {key: truth[key] for key in KNOWN}


def by_our_pymc(target: Likelihood, effort: Effort) -> Row:
    """PyMC's NUTS in the same coordinates, as ``sampler = "pymc-nuts"`` runs it."""
    settings = inference_settings(
        InferenceSection(draws=effort.pymc_draws, tune=effort.pymc_draws, chains=2)
    )
    (vectors, _), seconds = spent(
        lambda: sample_pymc_nuts(target, settings, np.random.SeedSequence(5))
    )
    return chains(target, vectors, seconds)


def by_plain_pymc(target: Likelihood, effort: Effort) -> Row:
    """PyMC's NUTS as it comes: its own start, its own diagonal metric."""
    keys = {"nuts_sampler": "pymc", "chains": 2, "cores": 1, "progressbar": False}
    draws = effort.pymc_draws
    with build_model(target):
        tree, seconds = spent(
            lambda: pm.sample(
                draws, tune=draws, random_seed=6, compute_convergence_checks=False, **keys
            )
        )
    vectors = tree["posterior"][VECTOR].transpose("chain", "draw", ...).values
    return chains(target, vectors, seconds)


def chains(target: Likelihood, vectors: FloatArray, seconds: float) -> Row:
    """Row of chains (chains, draws, d), by rank-normalised effective size."""
    mass = vectors[..., target.prior.names.index(MASS)]
    numbers = {"mean m1": float(mass.mean()), "sd m1": float(mass.std())}
    sizes = {"effective": float(arviz_stats.ess(mass)), "R-hat": float(arviz_stats.rhat(mass))}
    return {"s": seconds} | sizes | numbers


def by_emcee(moves: str) -> Callable[[Likelihood, Effort], Row]:
    """One ensemble from around the mode, in unit coordinates."""

    def run(target: Likelihood, effort: Effort) -> Row:
        prior, size = target.prior, target.prior.unit_size

        def density(unit: FloatArray) -> float:
            return target.log_likelihood(prior.from_unit(unit)) - 0.5 * float(unit @ unit)

        np.random.seed(7)  # noqa: NPY002 - emcee takes no other
        sampler = emcee.EnsembleSampler(WALKERS * size, size, density, moves=MOVES[moves])
        start = overdispersed(target, WALKERS * size, np.random.default_rng(7))
        _, seconds = spent(lambda: sampler.run_mcmc(start, effort.emcee_steps))
        kept = sampler.get_chain(discard=int(BURN_IN * effort.emcee_steps))
        return {"s": seconds} | ensemble(prior.from_unit(kept)[..., prior.names.index(MASS)])

    return run


def by_plain_emcee(begin: Callable[[Likelihood], FloatArray]) -> Callable[..., Row]:
    """emcee as it comes: natural parameters, NumPy's log posterior, default moves."""

    def run(target: Likelihood, effort: Effort) -> Row:
        np.random.seed(7)  # noqa: NPY002 - emcee takes no other
        start, looking = spent(lambda: begin(target))
        sampler = emcee.EnsembleSampler(*start.shape, target.log_posterior)
        _, seconds = spent(lambda: sampler.run_mcmc(start, effort.emcee_steps))
        kept = sampler.get_chain(discard=int(BURN_IN * effort.emcee_steps))
        mass = kept[..., target.prior.names.index(MASS)]
        return {"s": looking + seconds} | ensemble(mass)

    return run


def from_prior(target: Likelihood) -> FloatArray:
    """Walkers (k, d) drawn from the prior."""
    size = len(target.prior.names)
    return target.prior.sample(np.random.default_rng(7), WALKERS * size)


def from_optimum(target: Likelihood) -> FloatArray:
    """Walkers (k, d) in a small ball around an optimum, as emcee's tutorial begins.

    ``scipy.optimize.minimize`` as it comes, from the best of some draws of the prior.
    """
    rng = np.random.default_rng(7)
    draws = target.prior.sample(rng, TRIALS)
    scale = draws.std(axis=0)
    first = max(draws, key=target.log_posterior)

    def cost(point: FloatArray) -> float:
        return min(-target.log_posterior(scale * point), OUTSIDE)

    best = minimize(cost, first / scale).x
    size = best.size
    return scale * (best + BALL * rng.standard_normal((WALKERS * size, size)))


def ensemble(mass: FloatArray) -> Row:
    """Row of an ensemble's masses (steps, walkers), by its own autocorrelation time."""
    tau = float(emcee.autocorr.integrated_time(mass[..., None], tol=0)[0])
    numbers = {"mean m1": float(mass.mean()), "sd m1": float(mass.std())}
    return {"effective": mass.size / tau, **numbers, "tau": tau, "lengths": len(mass) / tau}


def by_bilby(target: Likelihood, effort: Effort) -> Row:
    """bilby's dynesty with its defaults, but for the number of live points."""
    import bilby

    logging.getLogger("bilby").setLevel(logging.ERROR)
    names = target.prior.names

    class Same(bilby.Likelihood):
        def log_likelihood(self, parameters: dict[str, float]) -> float:
            return target.log_likelihood(np.array([parameters[name] for name in names]))

    priors = bilby.core.prior.PriorDict(
        {name: bilby_prior(bilby.core.prior, m, name) for name, m in target.prior.marginals.items()}
    )
    with tempfile.TemporaryDirectory() as folder:
        found, seconds = spent(
            lambda: bilby.run_sampler(
                Same(), priors, sampler="dynesty", nlive=effort.live_points, outdir=folder,
                label="peer", seed=8, print_method="interval-3600",
                check_point_plot=False, save=False, resume=False, clean=True,
            )
        )  # fmt: skip
    mass, weights = weighted_masses(found)
    mean = float(np.average(mass, weights=weights))
    sd = float(np.sqrt(np.average((mass - mean) ** 2, weights=weights)))
    size = weighted_size(np.log(np.maximum(weights, 1e-300)))
    row: Row = {"s": seconds, "effective": size, "mean m1": mean, "sd m1": sd}
    return row | {"calls": int(found.num_likelihood_evaluations)}


def weighted_masses(found: object) -> tuple[FloatArray, FloatArray]:
    """All points of a nested run, and their weights."""
    points = found.nested_samples  # type: ignore[attr-defined]
    return points[MASS].to_numpy(), points["weights"].to_numpy()


def bilby_prior(kinds: object, marginal: Marginal, name: str) -> object:
    """One of bilby's priors for one of ours."""
    match marginal:
        case Uniform():
            return kinds.Uniform(marginal.low, marginal.high, name)  # type: ignore[attr-defined]
        case Normal():
            return kinds.Gaussian(marginal.mean, marginal.sd, name)  # type: ignore[attr-defined]
        case LogNormal():
            return kinds.LogNormal(0.0, marginal.sd, name)  # type: ignore[attr-defined]
        case Circular():
            return kinds.Uniform(0.0, 360.0, name, boundary="periodic")  # type: ignore[attr-defined]
    raise TypeError(f"no prior for {marginal!r}")


SAMPLERS: dict[str, Callable[[Likelihood, Effort], Row]] = {
    NUTS: by_nuts,
    INDEPENDENCE: by_independence,
    WEIGHTED: by_weights,
    "ours, PyMC's NUTS": by_our_pymc,
    "PyMC's NUTS as it comes": by_plain_pymc,
    "emcee as it comes, from the prior": by_plain_emcee(from_prior),
    "emcee as it comes, from an optimum": by_plain_emcee(from_optimum),
    "emcee helped, stretch": by_emcee("stretch"),
    "emcee helped, differential": by_emcee("differential"),
    "bilby + dynesty": by_bilby,
}


def posterior(kind: str, effort: Effort) -> list[Row]:
    """All samplers in one phase space, then what they should have found."""
    target = likelihood(kind)
    truth = reference(target, effort.reference)
    rows: list[Row] = []
    for name, sample in SAMPLERS.items():
        if sample is by_bilby and find_spec("bilby") is None:
            print(f"{kind}: {name} left out: pip install renp-infer[bench]", file=sys.stderr)
            continue
        row: Row = {"sampler": name, **sample(target, effort)}
        done = f"{kind}: {name}, {row['effective']:.0f} effective draws in {row['s']:.0f} s"
        print(done, file=sys.stderr, flush=True)
        off = (row["mean m1"] - truth["mean m1"]) / truth["sd m1"]
        row |= {"mean off by sd": off, "sd off by %": 100.0 * (row["sd m1"] / truth["sd m1"] - 1.0)}
        rows.append(row | {"effective / s": row["effective"] / row["s"]})
    for row in rows:
        row["nutpie / this"] = rows[0]["effective / s"] / row["effective / s"]
    for row in rows[:2]:
        row["fast enough"] = over_emcee(row, rows) >= TARGET_RATIO
    return [*rows, {"sampler": "reference", **{key: truth[key] for key in KNOWN}}]


def over_emcee(ours: Row, rows: list[Row]) -> float:
    """How much faster a row of ours is than the better start of emcee as it comes."""
    peers = [r["effective / s"] for r in rows if r["sampler"].startswith("emcee as it comes")]
    return float(ours["effective / s"] / max(peers))


def main(quick: bool) -> None:
    """Both phase spaces; quickly, one."""
    logging.getLogger("pymc").setLevel(logging.ERROR)
    effort, kinds = (QUICK, QUICK_PRESETS) if quick else (Effort(), PRESETS)
    title = "Posterior, {} phase space; s are processor seconds"
    publish("posterior", {kind: (title.format(kind), posterior(kind, effort)) for kind in kinds})


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
