"""Searches of the best design: the model against Sobol, random points and BoTorch, many seeds.

    python benchmarks/design.py [SEEDS] [EVALUATIONS] [STUDY ...]

BoTorch is the optional extra ``renp-infer[botorch]``; without it its rows are left out.

All optimizers get the same number of evaluations, no starts from physics and no polish,
and the same truths, fewer than the studies'. Printed are quartiles over the seeds of the
utility of the best design found, by other and more truths, so that luck does not count; and
how many of the seeds the model wins.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from time import process_time

import numpy as np
from posteriors import publish
from run import Row

from renp_infer.design.searches.optimizers import make_optimizer
from renp_infer.design.searches.search import Budget, Search, best_of
from renp_infer.study.designing import frozen_noise, objective_of, region_of
from renp_infer.study.load import load_study

STUDIES = ("best-ion", "optimize-mass", "optimize-ordering")
OPTIMIZERS = ("skopt", "sobol", "random", "botorch")
OVERRIDES = (
    "optimize.truths=8",
    "optimize.final_truths=32",
    "optimize.natures=['dirac']",
)
"""Quicker than the studies: fewer truths, and neutrinos that are Dirac for certain."""


def optimizers() -> tuple[str, ...]:
    """Those that are installed."""
    if find_spec("botorch") is not None:
        return OPTIMIZERS
    print("botorch left out: pip install renp-infer[botorch]", file=sys.stderr)
    return OPTIMIZERS[:-1]


def searches(name: str, seeds: int, evaluations: int) -> list[Row]:
    """Rows of one study, an optimizer each."""
    known = ("optimize.orderings=['normal']",) if "ordering" not in name else ()
    study = load_study(name, OVERRIDES + known)
    region = region_of(study, frozen_noise(study))
    objective, judge = (objective_of(study, region, stage) for stage in ("search", "choice"))
    names = optimizers()
    found, seconds = np.full((len(names), seeds), np.nan), np.zeros(len(names))
    for k in range(seeds):
        for place, optimizer in enumerate(names):
            asker = make_optimizer(optimizer, region, np.random.SeedSequence([k, 7]))
            begin = process_time()
            trials = Search(objective).run(asker, [], Budget(evaluations, 0, 1))
            seconds[place] += (process_time() - begin) / seeds
            best = best_of(trials, objective.names)
            found[place, k] = judge(np.array(best.x))[objective.names[0]].value
        print(f"  {name}, seed {k}: {np.round(found[:, k], 4)}", file=sys.stderr, flush=True)
    rows: list[Row] = []
    for optimizer, row, spent in zip(names, found, seconds, strict=True):
        low, middle, high = map(float, np.quantile(row, [0.25, 0.5, 0.75]))
        named: Row = {"study": name, "utility": objective.names[0], "optimizer": optimizer}
        named |= {"median": middle, "lower quartile": low, "upper quartile": high}
        rows.append(named | {"skopt better in": int(np.sum(found[0] > row)), "s": spent})
    return rows


def designs(seeds: int = 10, evaluations: int = 60, *names: str) -> list[Row]:
    """Best utility found at equal numbers of evaluations, quartiles over the seeds."""
    return [row for name in names or STUDIES for row in searches(name, seeds, evaluations)]


def main(seeds: int = 10, evaluations: int = 60, *names: str) -> None:
    """Print the table and write it to ``results/design.json``."""
    publish("design", {"designs": (designs.__doc__ or "", designs(seeds, evaluations, *names))})


if __name__ == "__main__":
    numbers, words = sys.argv[1:3], sys.argv[3:]
    main(*map(int, numbers), *words)
