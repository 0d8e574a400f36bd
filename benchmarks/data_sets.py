"""Time of a gradient of the log-likelihood by the number of data sets.

``python benchmarks/data_sets.py`` prints one table and writes ``results/data_sets.json``. Each
set is the edge layout, 61 angles, in a run of its own and of one of two crystals.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from posteriors import STUDY, publish, spent
from run import Row

from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.results.comparison import Hypothesis
from renp_infer.study.load import load_study
from renp_infer.verbs.compare.work import likelihood_of

COUNTS = (1, 2, 5, 10)
MOST_TIMES = 10.0
"""What ten sets may cost, in gradients of one."""
REPEATS, BATCHES = 200, 15


def of_sets(count: int) -> Likelihood:
    """Likelihood of so many sets."""
    data: list[dict[str, Any]] = [
        {"name": f"set-{k}", "crystal": f"crystal-{k % 2}", "layout": {"length_cm": 2.0 - k % 2}}
        for k in range(count)
    ]
    study = load_study(load_study(STUDY).resolved | {"data": data})
    return likelihood_of(study, Hypothesis("normal", "dirac"))[0]


def gradient_us(target: Likelihood) -> float:
    """Processor time of one gradient: the least of some batches, after the first."""
    point = target.prior.sample(np.random.default_rng(1), 1)[0]

    def batch() -> None:
        for _ in range(REPEATS):
            target.gradient(point)

    return 1e6 / REPEATS * min(spent(batch)[1] for _ in range(BATCHES))


def rows() -> list[Row]:
    """Time, parameters and data by the number of sets."""
    found: list[Row] = []
    for count in COUNTS:
        target = of_sets(count)
        sizes = {"parameters": len(target.prior.names), "data": target.data.vector.size}
        found.append({"sets": count, "us": gradient_us(target), **sizes})
    for row in found:
        row["times one"] = row["us"] / found[0]["us"]
    found[-1] |= {"target": MOST_TIMES, "in time": found[-1]["times one"] <= MOST_TIMES}
    return found


if __name__ == "__main__":
    title = "A gradient of the log-likelihood by the number of data sets"
    publish("data_sets", {"gradients": (title, rows())})
