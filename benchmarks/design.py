"""Searches of the best design: the model against Sobol and random points, many seeds.

    python benchmarks/design.py [SEEDS] [EVALUATIONS] [STUDY ...]

All optimizers get the same number of evaluations, no starts from physics and no polish,
and the same truths, fewer than the studies'. Printed are quartiles over the seeds of the
utility of the best design found, by other and more truths, so that luck does not count; and
how many of the seeds the model wins. Processor seconds; the load is printed.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np

from renp_infer.design.optimizer import make_optimizer
from renp_infer.design.search import Budget, Search, best_of
from renp_infer.runner.designing import frozen_noise, objective_of, region_of
from renp_infer.runner.study import load_study

STUDIES = ("best-ion", "optimize-mass", "optimize-ordering")
OPTIMIZERS = ("skopt", "sobol", "random")
OVERRIDES = (
    "optimize.truths=8",
    "optimize.final_truths=32",
    "optimize.masses=24",
    "optimize.natures=['dirac']",
)
"""Quicker than the studies: fewer truths, and neutrinos that are Dirac for certain."""


def main(seeds: int = 10, evaluations: int = 20, *names: str) -> None:
    """Print a line per study and optimizer."""
    for name in names or STUDIES:
        known = ("optimize.orderings=['normal']",) if "ordering" not in name else ()
        study = load_study(name, OVERRIDES + known)
        region = region_of(study, frozen_noise(study))
        objective, judge = (objective_of(study, region, stage) for stage in ("search", "choice"))
        begin = time.process_time()
        found = np.full((len(OPTIMIZERS), seeds), np.nan)
        for k in range(seeds):
            for row, optimizer in zip(found, OPTIMIZERS, strict=True):
                search = Search(objective)
                asker = make_optimizer(optimizer, region, np.random.SeedSequence([k, 7]))
                trials = search.run(asker, [], Budget(evaluations))
                best = best_of(trials, objective.names)
                row[k] = judge(np.array(best.x))[objective.names[0]].value
            print(f"  {name}, seed {k}: {np.round(found[:, k], 4)}", file=sys.stderr, flush=True)
        for optimizer, row in zip(OPTIMIZERS, found, strict=True):
            low, middle, high = np.quantile(row, [0.25, 0.5, 0.75])
            wins = "" if optimizer == "skopt" else f", skopt is better in {np.sum(found[0] > row)}"
            print(
                f"{name}, {evaluations} evaluations, {seeds} seeds, {optimizer}: best "
                f"{objective.names[0]} {middle:.3f} ({low:.3f} to {high:.3f}){wins}"
            )
        print(f"  {time.process_time() - begin:.0f} s, load {np.round(os.getloadavg(), 1)}")


if __name__ == "__main__":
    numbers, words = sys.argv[1:3], sys.argv[3:]
    main(*map(int, numbers), *words)
