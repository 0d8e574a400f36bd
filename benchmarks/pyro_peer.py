"""Expected information on m1 by pyro's own estimators, ``pyro.contrib.oed.eig``.

- ``nmc_eig`` with ``M_prime``: nested Monte Carlo, nuisances drawn anew for each truth.
- ``posterior_eig``: a lower bound by a density of m1 given the data, a neural network's
  (Barber and Agakov, NIPS 2003; Foster et al., arXiv:1903.05480).

``marginal_eig`` and ``vnmc_eig`` know no nuisances: theirs is the information on everything.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import process_time
from typing import Any

import numpy as np
import pyro
import torch
from pyro import distributions
from pyro.contrib.oed.eig import nmc_eig, posterior_eig
from run import Row
from torch.distributions import AffineTransform, CumulativeDistributionTransform

OUTER = 32
"""Truths per call of ``nmc_eig``, which share the draws that know nothing."""
INNER, PILOTS = 256, 12
EVALUATIONS = 1_000_000
"""The most that ``nmc_eig`` gets of the response, some 100 s; beyond, time is extrapolated."""
BATCH, STEPS, DECAY, PATIENCE = 100, 100, 0.998, 5
TRUTHS = 4000
"""Behind each value that decides whether training goes on."""
KERNELS, WIDTH = 8, 128

Model = Callable[[torch.Tensor], torch.Tensor]
ONE_DESIGN = torch.zeros(())


def estimators(problem: Any, reference: float, wanted: float) -> list[Row]:
    """Rows of both; ``s to it`` are seconds to the error wanted, nat."""
    torch.set_num_threads(1)
    model = model_of(problem)
    return [nested(model, reference, wanted), variational(model, problem, reference, wanted)]


def model_of(problem: Any) -> Model:
    """Prior, nuisances and data; the response is NumPy, and nothing asks for its gradient."""

    def model(design: torch.Tensor) -> torch.Tensor:
        prior = distributions.Uniform(0.0, problem.largest).expand(design.shape)
        mass = pyro.sample("m1", prior)
        normal = distributions.Normal(0.0, 1.0).expand((*design.shape, problem.nuisances))
        shifts = pyro.sample("nuisances", normal.to_event(1))
        shape = torch.broadcast_shapes(mass.shape, shifts.shape[:-1])
        masses = mass.expand(shape).reshape(-1)
        shifts = shifts.expand(*shape, -1).reshape(-1, problem.nuisances)
        fields = problem.fields(masses.double().numpy(), shifts.double().numpy())
        means = torch.as_tensor(fields, dtype=mass.dtype).reshape(*shape, -1)
        return pyro.sample("y", distributions.Normal(means, 1.0).to_event(1))

    return model


def nested(model: Model, reference: float, wanted: float) -> Row:
    """``nmc_eig`` with the best allocation for the error wanted, or what it can afford of it.

    The draws M that know nothing are shared by OUTER truths n, the M' that know m1 are not.
    With biases B / M and B' / M' a truth costs M' + M / n, least at a joint bias b for

        M' = sqrt(B' A) / b,  M = sqrt(n B A) / b,  A = (sqrt(B') + sqrt(B / n))^2;

    b = e / sqrt(3) and N = 1.5 V / e^2 truths make an error e. The biases differ in sign: b is
    the most they come to. The pilot that finds V, B and B' is not charged; B and B' still grow
    with the draws where the posterior is narrow, and then ``s to it`` is a lower limit.
    """

    def value(seed: int, others: int, known: int) -> float:
        pyro.set_rng_seed(seed)
        inner = {"M": others, "M_prime": known, "independent_priors": True}
        return float(nmc_eig(model, ONE_DESIGN, ["y"], ["m1"], N=OUTER, **inner))

    sizes = [(INNER, INNER), (INNER // 2, INNER), (INNER, INNER // 2)]
    pilot = np.array([[value(seed, *size) for size in sizes] for seed in range(PILOTS)])
    variance = OUTER * float(pilot[:, 0].var(ddof=1))
    bias, known_bias = INNER * np.abs(pilot[:, 1:].mean(axis=0) - pilot[:, 0].mean())
    root = np.sqrt(known_bias) + np.sqrt(bias / OUTER)
    each = np.sqrt([OUTER * bias, known_bias]) * root * np.sqrt(3.0) / wanted
    others, known = map(int, np.ceil(each))
    calls = 1.5 * variance / wanted**2 / OUTER
    affordable = EVALUATIONS / (OUTER * known + others)
    begin, count = process_time(), int(np.ceil(max(min(calls, affordable), 2.0)))
    values = np.array([value(PILOTS + k, others, known) for k in range(count)])
    seconds = process_time() - begin
    error = float(values.std(ddof=1) / np.sqrt(count))
    row: Row = {"estimator": "nmc_eig", "effort": f"N {OUTER * count}, M {others}, M' {known}"}
    row |= {"nat": float(values.mean()), "error": error}
    row |= {"off by": row["nat"] - reference, "s": seconds}
    return row | {"s to it": seconds * 1.5 * (error / wanted) ** 2}


def variational(model: Model, problem: Any, reference: float, wanted: float) -> Row:
    """``posterior_eig``, trained until its value stops improving.

    The bias that is left counts as its error; it is taken to fall with the root of the time.
    ``first near``: seconds until training shows a value as near the reference as wanted, which
    nobody without a reference can know.
    """
    pyro.set_rng_seed(0)
    pyro.clear_param_store()
    estimate = partial(
        posterior_eig, model, ONE_DESIGN, ["y"], ["m1"], BATCH,
        guide=guide_of(problem), optim=pyro.optim.ClippedAdam({"lr": 1e-2, "lrd": DECAY}),
    )  # fmt: skip
    values: list[float] = []
    clock: list[float] = []
    begin = process_time()
    while len(values) < 2 * PATIENCE or improves(values, 0.1 * wanted):
        values.append(estimate(num_steps=STEPS, final_num_samples=TRUTHS).item())
        clock.append(process_time() - begin)
    last = [estimate(num_steps=0, final_num_samples=TRUTHS).item() for _ in range(2 * PATIENCE)]
    seconds = process_time() - begin
    found, error = float(np.mean(last)), float(np.std(last, ddof=1) / np.sqrt(len(last)))
    off = found - reference
    row: Row = {"estimator": "posterior_eig", "effort": f"{STEPS * len(values)} steps of {BATCH}"}
    row |= {"nat": found, "error": error, "off by": off, "s": seconds}
    row |= {"s to it": seconds * max(np.hypot(off, error) / wanted, 1.0) ** 2}
    close = (t for t, value in zip(clock, values, strict=True) if abs(value - reference) < wanted)
    return row | {"first near": next(close, "never")}


def improves(values: list[float], least: float) -> bool:
    """Whether the latest values are better than those before."""
    latest, before = values[-PATIENCE:], values[-2 * PATIENCE : -PATIENCE]
    return float(np.mean(latest) - np.mean(before)) > least


def guide_of(problem: Any) -> Callable[..., None]:
    """Mixture of Gaussians in the prior's normal coordinate, by a network that reads the data."""
    origin = problem.fields(np.zeros(1), np.zeros((1, problem.nuisances)))
    sizes = (origin.shape[1], WIDTH, WIDTH, 3 * KERNELS)
    linear = [torch.nn.Linear(*pair) for pair in zip(sizes[:-1], sizes[1:], strict=True)]
    network = torch.nn.Sequential(linear[0], torch.nn.SiLU(), linear[1], torch.nn.SiLU(), linear[2])
    standard = torch.distributions.Normal(0.0, 1.0)
    to_mass = [CumulativeDistributionTransform(standard), AffineTransform(0.0, problem.largest)]

    def guide(data: dict[str, torch.Tensor], *_: object) -> None:
        pyro.module("network", network)
        weights, means, logs = network(data["y"]).chunk(3, -1)
        kernels = distributions.Normal(means, logs.exp())
        chosen = distributions.Categorical(logits=weights)
        mixture = distributions.MixtureSameFamily(chosen, kernels)
        pyro.sample("m1", distributions.TransformedDistribution(mixture, to_mass))

    return guide
