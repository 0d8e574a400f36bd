"""Evidence of one hypothesis to 0.1, beside dynesty on the plain likelihood.

``python benchmarks/evidence.py [--quick]`` prints one table for each phase space and
writes ``results/evidence.json``. Times are processor seconds, compilation included.
The reference is the importance sampler with twenty times the draws, which uses neither
chains nor shells; its own row uses other random numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import dynesty
import numpy as np
from posteriors import PRESETS, QUICK_PRESETS, likelihood, publish, reference, spent
from run import Row
from scipy.special import ndtri

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.results.comparison import Estimator
from renp_infer.inference.samplers.evidence import estimate
from renp_infer.inference.samplers.importance import evidence
from renp_infer.records import FloatArray
from renp_infer.study.sections.compare import CompareSection, compare_settings

WANTED, TARGET_RATIO = 0.1, 5.0
DRAWS = 2000
"""Of the importance sampler, the default of ``[calibrate]``."""
Found = tuple[float, float]


def by_importance(target: Likelihood, _live: int) -> Found:
    """Ours, as ``renp calibrate`` takes it for every data set."""
    found = evidence(target, np.random.default_rng(2), DRAWS)
    return found.log_z, found.error


def by(estimator: Estimator, live: int) -> Callable[[Likelihood, int], Found]:
    """Ours, as ``renp compare`` takes them, with what an error of 0.1 asks for."""

    def run(target: Likelihood, _live: int) -> Found:
        section = CompareSection(live_points=live, nested_runs=2, smc_draws=live, smc_chains=4)
        settings = compare_settings(section)
        found = estimate(target, estimator, settings, np.random.SeedSequence(3))
        return found.log_evidence, found.log_evidence_error

    return run


def by_dynesty(target: Likelihood, live: int) -> Found:
    """dynesty as it comes, on all parameters, from the prior."""
    prior = target.prior
    names = prior.names

    def density(cube: FloatArray) -> float:
        return target.log_likelihood(vector_at(target, cube))

    sampler = dynesty.NestedSampler(
        density, np.copy, len(names), nlive=live, rstate=np.random.default_rng(4),
        periodic=[names.index(name) for name in prior.circular] or None,
    )  # fmt: skip
    sampler.run_nested(print_progress=False)
    return float(sampler.results.logz[-1]), float(sampler.results.logzerr[-1])


def vector_at(target: Likelihood, cube: FloatArray) -> FloatArray:
    """Parameters at a point of the unit cube, one coordinate for each."""
    slices, unit = target.prior.unit_slices(), np.empty(target.prior.unit_size)
    for name, share in zip(target.prior.names, cube, strict=True):
        turn = 2.0 * np.pi * share
        circular = name in target.prior.circular
        unit[slices[name]] = [np.cos(turn), np.sin(turn)] if circular else ndtri(share)
    return target.prior.from_unit(unit)


METHODS: dict[str, Callable[[Likelihood, int], Found]] = {
    "ours, importance sampling": by_importance,
    "ours, smc": by("smc", 300),
    "ours, nested": by("nested", 300),
    "dynesty, plain": by_dynesty,
}


def evidences(kind: str, live: int) -> list[Row]:
    """All methods in one phase space; the last is the peer."""
    target = likelihood(kind)
    truth = reference(target, 20 * DRAWS)
    rows: list[Row] = []
    for name, method in METHODS.items():
        (value, error), seconds = spent(lambda m=method: m(target, live))
        print(f"{kind}: {name}, {seconds:.0f} s", file=sys.stderr, flush=True)
        row: Row = {"method": name, "s": seconds, "ln Z": value, "error": error}
        row["off by errors"] = (value - truth["ln Z"]) / np.hypot(error, truth["error"])
        rows.append(row | {"s to 0.1": seconds * max(1.0, (error / WANTED) ** 2)})
    for row in rows[:-1]:
        row["ratio"] = rows[-1]["s to 0.1"] / row["s to 0.1"]
        row["fast enough"] = bool(row["ratio"] >= TARGET_RATIO)
    return [*rows, {"method": "reference", "ln Z": truth["ln Z"], "error": truth["error"]}]


def main(quick: bool) -> None:
    """Both phase spaces; quickly, one."""
    live, kinds = (60, QUICK_PRESETS) if quick else (400, PRESETS)
    title = "Evidence, {} phase space; s are processor seconds"
    publish("evidence", {kind: (title.format(kind), evidences(kind, live)) for kind in kinds})


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
